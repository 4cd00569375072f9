"""An interface with several addresses: aliases and further networks on one wire."""
from scapy.layers.dhcp import BOOTP, DHCP

import lab
from conftest import SERVER, udp_socket
from test_addresses import doors
from test_dhcp import PXE_BIOS, exchange, leases, message


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


SECOND = """
dhcp:
  mode: server
  subnets:
    - subnet: 10.88.0.0/24
      pools: [10.88.0.20-10.88.0.22]
"""


def test_addresses_of_an_alias_s_network_are_given(network, bare):
    """By the name, the mask and the loader's server of that network, not of the first."""
    second(network)
    with lab.Server(network, config=SECOND) as server:
        sock = udp_socket(bare, 68)
        offer, got = exchange(sock, message("discover", *PXE_BIOS))
        assert offer.yiaddr == "10.88.0.20" and got["subnet_mask"] == "255.255.255.0"
        assert got["server_id"] == "10.88.0.1" and offer.siaddr == "10.88.0.1"
        ack, got = exchange(sock, message(
            "request", ("server_id", "10.88.0.1"), ("requested_addr", "10.88.0.20")))
        assert got["message-type"] == 5 and ack.yiaddr == "10.88.0.20"
        assert leases(server)[0]["state"] == "bound"


def test_a_network_that_comes_while_serving_is_served(network, bare):
    with lab.Server(network, config=SECOND) as server:
        second(network)
        server.wait_for(r"br0 is up at 10\.88\.0\.1")
        offer, _ = exchange(udp_socket(bare, 68), message("discover"))
        assert offer.yiaddr == "10.88.0.20"


def test_a_conflict_on_the_second_network_is_seen(network, bare):
    second(network)
    other = network.other(5, addressed=False)
    lab.run("ip", "-netns", other, "address", "add", "10.88.0.20/24", "dev", "eth0")
    with lab.Server(network, config=SECOND):
        offer, _ = exchange(udp_socket(bare, 68), message("discover"))
        assert offer.yiaddr == "10.88.0.21"


def test_a_range_on_the_command_line_takes_the_network_that_it_is_in(network, bare):
    second(network)
    with lab.Server(network, "--dhcp", "10.88.0.40-10.88.0.41"):
        offer, got = exchange(udp_socket(bare, 68), message("discover"))
        assert offer.yiaddr == "10.88.0.40" and got["server_id"] == "10.88.0.1"


def test_a_client_of_either_network_renews_with_its_own(network, client):
    """Unicast to the alias: it is answered from there (RFC 2131 4.3.2, renewing)."""
    second(network)
    lab.run("ip", "-netns", client, "address", "add", "10.88.0.20/24", "dev", "eth0")
    raw = bytes.fromhex(lab.run(*network.inside(
        "cat", "/sys/class/net/eth0/address", where=client)).stdout.replace(":", ""))
    with lab.Server(network, config=SECOND) as server:
        sock = udp_socket(client, 68)
        exchange(sock, message("discover", mac=raw))
        exchange(sock, message("request", ("server_id", "10.88.0.1"),
                               ("requested_addr", "10.88.0.20"), mac=raw))
        sock.close()
        sock = udp_socket(client, 68, "10.88.0.20")
        sock.connect(("10.88.0.1", 67))  # hears nobody else
        sock.send(message("request", mac=raw, ciaddr="10.88.0.20", xid=77))
        answer = BOOTP(sock.recv(2048))
        assert answer.xid == 77 and answer.ciaddr == "10.88.0.20"
        assert ("message-type", 5) in answer[DHCP].options
        assert leases(server)[0]["address"] == "10.88.0.20"
