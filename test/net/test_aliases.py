"""An interface with several addresses: aliases and further networks on one wire."""
import lab
from conftest import SERVER
from test_addresses import doors


def second(network, verb="add"):
    network.ip("address", verb, "10.88.0.1/24", "dev", "br0", "label", "br0:1")


def test_files_are_served_at_every_address(network):
    second(network)
    with lab.Server(network, config=SERVER) as server:
        server.wait_for(r"br0 10\.77\.0\.1 and 10\.88\.0\.1")
        for port in (69, 80):
            assert f"10.77.0.1:{port}" in doors(network)
            assert f"10.88.0.1:{port}" in doors(network)


def test_an_alias_may_come_and_go(network):
    with lab.Server(network, config=SERVER) as server:
        second(network)
        server.wait_for(r"br0 is up at 10\.88\.0\.1")
        assert "10.88.0.1:69" in doors(network) and "10.77.0.1:69" in doors(network)
        second(network, "del")
        network.ip("address", "add", "10.99.0.1/24", "dev", "br0")
        server.wait_for(r"br0 is up at 10\.99\.0\.1")
        assert "10.88.0.1:" not in doors(network)
        assert "10.99.0.1:80" in doors(network) and "10.77.0.1:80" in doors(network)
        assert "is down" not in server.process.text
