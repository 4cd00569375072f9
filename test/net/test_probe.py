"""Whether an address is free is asked on the wire before it is offered."""
import json
import select

from scapy.layers.dhcp import BOOTP, DHCP

import lab
from conftest import RELAYED, SERVER, udp_socket
from test_dhcp import exchange, leases, message


def holder(network, host=20):
    """Somebody has an address of the pool and never asked for it."""
    name = network.other(host)
    link = json.loads(lab.run("ip", "-netns", name, "-json", "link", "show",
                              "eth0").stdout)
    return name, link[0]["address"]


def test_an_address_that_answers_arp_is_not_offered(network, bare):
    _, mac = holder(network)
    with lab.Server(network, config=SERVER) as server:
        offer, _ = exchange(udp_socket(bare, 68), message("discover"))
        assert offer.yiaddr == "10.77.0.21"
        server.wait_for(rf"10\.77\.0\.20 is used by {mac}")
        states = {lease["address"]: lease["state"] for lease in leases(server)}
        assert states["10.77.0.20"] == "declined"


def test_the_whole_pool_in_use_is_no_offer(network, bare):
    for host in (20, 21, 22):
        holder(network, host)
    with lab.Server(network, config=SERVER) as server:
        sock = udp_socket(bare, 68)
        sock.sendto(message("discover"), ("255.255.255.255", 67))
        server.wait_for("no free address in 10.77.0.0")
        for host in (20, 21, 22):
            server.wait_for(rf"10\.77\.0\.{host} is used by")


def test_a_client_that_answers_for_its_own_address_is_offered_it(network):
    """It comes with the address that it had before, as firmware behind iPXE does."""
    name, mac = holder(network)
    raw = bytes.fromhex(mac.replace(":", ""))
    with lab.Server(network, config=SERVER) as server:
        offer, _ = exchange(udp_socket(name, 68), message("discover", mac=raw))
        assert offer.yiaddr == "10.77.0.20"
        assert "is used by" not in server.process.text


def test_probes_can_be_turned_off(network, bare):
    holder(network)
    with lab.Server(network, config=SERVER + "  probe: off\n"):
        offer, _ = exchange(udp_socket(bare, 68), message("discover"))
        assert offer.yiaddr == "10.77.0.20"


def test_behind_a_relay_an_address_that_answers_echo_is_not_offered(network, relay):
    with lab.Server(network, config=RELAYED) as server:
        sock = udp_socket(relay, 67, "10.66.0.1")
        offer, _ = exchange(sock, message("discover", giaddr="10.66.0.1", hops=1),
                            address="10.77.0.1")
        assert offer.yiaddr == "10.66.0.21"
        server.wait_for(r"10\.66\.0\.20 is used by somebody")


CROWD = """
dhcp:
  mode: server
  subnets:
    - {subnet: 10.77.0.0/16, pools: [10.77.16.0-10.77.31.255]}
"""


def crowd(n):
    return [bytes([2, 0, 0, 1, i >> 8, i & 255]) for i in range(n)]


def answers(server, sock, n, kind):
    """By MAC, the first of each, until there are n. The log is read meanwhile: a pipe
    that nobody reads would stop who writes it."""
    found = {}
    while len(found) < n:
        ready, _, _ = select.select([sock, server.process.process.stdout], [], [], 20)
        assert ready, f"{len(found)} of {n} were answered"
        server.process.read(0)
        if sock not in ready:
            continue
        answer = BOOTP(sock.recv(2048))
        if ("message-type", kind) in answer[DHCP].options:
            found.setdefault(answer.chaddr[:6], answer.yiaddr)
    return found


def test_a_thousand_at_once_are_all_bound_to_something_that_is_free(network, bare):
    """Every tenth address is somebody's: each client gets one that is nobody's."""
    network.ip("address", "add", "10.77.0.1/16", "dev", "br0")
    network.ip("address", "del", "10.77.0.1/24", "dev", "br0")
    taken = network.other(5)
    lab.run("ip", "-netns", taken, "address", "add", "10.77.0.5/16", "dev", "eth0")
    addresses = {f"10.77.{16 + i // 256}.{i % 256}" for i in range(0, 1200, 10)}
    lab.run("ip", "-netns", taken, "-batch", "-", input="".join(
        f"address add {address}/32 dev eth0\n" for address in sorted(addresses)))
    with lab.Server(network, config=CROWD) as server:
        sock = udp_socket(bare, 68)
        sock.setsockopt(1, 33, 8 << 20)  # SO_RCVBUFFORCE
        for mac in crowd(1000):
            sock.sendto(message("discover", mac=mac), ("255.255.255.255", 67))
        offers = answers(server, sock, 1000, 2)
        for mac, address in offers.items():
            sock.sendto(message("request", ("server_id", "10.77.0.1"),
                                ("requested_addr", address), mac=mac),
                        ("255.255.255.255", 67))
        bound = answers(server, sock, 1000, 5)
        assert bound == offers and len(set(bound.values())) == 1000
        assert not addresses & set(bound.values())
