"""bootjack leases: pages, filters, ending and importing, against the real server."""
import csv
import io
import json

import pytest

import lab
from conftest import udp_socket
from test_dhcp import exchange, message

CONFIG = """
dhcp:
  mode: server
  probe: off
  subnets:
    - {subnet: 10.77.0.0/16, pools: [10.77.1.0-10.77.40.0]}
"""

ISC = """
lease 10.77.2.%d {
  starts 2 2023/11/14 22:13:20;
  ends never;
  binding state active;
  hardware ethernet 02:00:00:00:00:%02x;
  client-hostname "node%d";
}
"""
KEA = ("address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,"
       "hostname,state\n"
       "10.77.3.1,02:00:00:00:01:01,01:02:00:00:00:01:01,4294967295,4294967295,1,0,0,k,0\n"
       "10.77.3.2,02:00:00:00:01:02,,3600,1700003600,1,0,0,gone,0\n"
       "192.168.9.9,02:00:00:00:01:03,,4294967295,4294967295,1,0,0,far,0\n")
DNSMASQ = "0 02:00:00:00:02:01 10.77.4.1 dns *\nwhat is this line\n"


def leases(server, *flags):
    return json.loads(server.query("leases", "--json", *flags))


@pytest.fixture
def server(network):
    with lab.Server(network, config=CONFIG) as made:
        yield made


def test_leases_of_isc_kea_and_dnsmasq_are_taken_over(server, folder, bare):
    files = {"isc": ISC % (5, 5, 5) + ISC % (5, 6, 6), "kea": KEA, "dnsmasq": DNSMASQ}
    found = {}
    for name, text in files.items():
        (folder / name).write_text(text)
        found[name] = json.loads(server.query("leases", "import", folder / name, "--json"))
        assert found[name]["format"] == name
    # The later entry of an address does not take it from the earlier one's client here:
    # both run for ever.
    assert found["isc"]["imported"] + found["isc"]["refused"] == 2
    assert found["kea"] == {"format": "kea", "imported": 1, "refused": 1, "ended": 1,
                            "not_understood": 0}
    assert found["dnsmasq"]["imported"] == 1 and found["dnsmasq"]["not_understood"] == 1
    held = {lease["address"]: lease for lease in leases(server)}
    assert held["10.77.3.1"]["hostname"] == "k" and held["10.77.3.1"]["ends"] is None
    assert held["10.77.4.1"]["mac"] == "02:00:00:00:02:01"
    # and its client gets it, which another does not
    sock = udp_socket(bare, 68)
    mac = bytes.fromhex("020000000201")
    ack, options = exchange(sock, message("request", ("requested_addr", "10.77.4.1"),
                                          mac=mac))
    assert options["message-type"] == 5 and ack.yiaddr == "10.77.4.1"


def test_thousands_of_leases_come_in_pages(server, folder):
    lines = [f"0 02:00:00:00:{n >> 8:02x}:{n & 255:02x} 10.77.{1 + n // 256}.{n % 256} "
             f"n{n} *\n" for n in range(2500)]
    (folder / "many").write_text("".join(lines))
    assert server.query("leases", "import", folder / "many", "--dry-run") == \
        "would import 2500, refused 0, not understood 0, over already 0\n"
    assert leases(server) == []
    server.query("leases", "import", folder / "many")
    held = leases(server)
    assert [lease["hostname"] for lease in held] == [f"n{n}" for n in range(2500)]
    rows = list(csv.DictReader(io.StringIO(server.query(
        "leases", "--csv", "--subnet", "10.77.2.0/24"))))
    assert [row["hostname"] for row in rows] == [f"n{n}" for n in range(256, 512)]


def test_a_released_lease_is_over_at_once_and_on_disk(server, network, bare):
    sock = udp_socket(bare, 68)
    offer, options = exchange(sock, message("discover"))
    exchange(sock, message("request", ("server_id", options["server_id"]),
                           ("requested_addr", offer.yiaddr)))
    assert "goes on until it renews" in server.query("leases", "release", offer.yiaddr)
    (lease,) = leases(server)
    assert lease["state"] == "released"
    assert server.query("leases") == "No address is leased.\n"
    refused = lab.run(*network.inside(
        "sh", "-c", '"$@" 2>&1 || true', "sh", lab.program(), "leases", "release",
        offer.yiaddr, "--state", server.state)).stdout
    assert "nobody has a lease of that address" in refused
