"""Machines behind relays: ISC's dhcrelay between two wires and the server's, Kea's
perfdhcp (which is a relay to the server), and what relays may say byte by byte."""
import contextlib
import os
import re
import signal
import socket

import pytest

import lab
from conftest import udp_socket
from test_dhcp import leases
from test_dhcp_rfc import (ACK, BROADCAST, DISCOVER, NAK, OFFER, REQUEST, START, Answer,
                           Wire, ask, four, machine, message, option, parts, say)

FAR = """
dhcp:
  mode: server
  subnets:
    - {subnet: 10.77.0.0/24}
    - subnet: 10.66.0.0/24
      pools: [10.66.0.20-10.66.0.29]
      options: {routers: 10.66.0.1, domain-name: six.example}
    - subnet: 10.55.0.0/24
      pools: [10.55.0.20-10.55.0.29]
      options: {routers: 10.55.0.1, domain-name: five.example}
"""

SCRIPT = """#!/bin/sh
case $1 in
bound|renew)
        ip address flush dev $interface
        ip address add $ip/24 dev $interface
        ip route replace default via $router ;;
deconfig)
        ip address flush dev $interface ;;
esac
echo "SAID $1 $ip by $serverid for $router $domain"
"""


class Router:
    """A namespace with 10.77.0.2 on the server's wire, and wires of its own behind it:
    a machine without an address hangs on each of far0, far1..."""

    def __init__(self, network, *subnets):
        self.network, self.machines = network, []
        self.name = network.other(2)
        lab.run(*network.inside("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward",
                                where=self.name))
        self.ip("route", "add", "default", "via", network.address)
        for number, subnet in enumerate(subnets):
            self.add(number, subnet)

    def ip(self, *arguments):
        lab.run("ip", "-netns", self.name, *arguments)

    def add(self, number, subnet):
        name, near = f"{self.network.name}-far{number}", f"far{number}"
        self.network.others.append(name)
        self.machines.append(name)
        lab.run("ip", "netns", "add", name)
        self.ip("link", "add", near, "type", "veth", "peer", "name", "eth0", "netns",
                name)
        self.ip("address", "add", f"{subnet}.1/24", "dev", near)
        self.ip("link", "set", near, "up")
        lab.run("ip", "-netns", name, "link", "set", "eth0", "up")
        self.network.ip("route", "add", f"{subnet}.0/24", "via", "10.77.0.2")


@pytest.fixture
def router(network):
    return Router(network, "10.66.0", "10.55.0")


@contextlib.contextmanager
def dhcrelay(router, *flags):
    """It drops answers whose option 82 is not what it said itself (-D)."""
    ends = sum((["-id", f"far{i}"] for i in range(len(router.machines))), [])
    process = lab.Process(router.network.inside(
        "dhcrelay", "-4", "-d", "--no-pid", "-a", "-D", "-iu", "eth0", *ends, *flags,
        "10.77.0.1", where=router.name))
    try:
        lab.wait_for([process], process, "Sending on +Socket", 10)
        yield process
    finally:
        process.end()


@contextlib.contextmanager
def udhcpc(router, number, folder, *flags):
    script = folder / "script"
    script.write_text(SCRIPT)
    script.chmod(0o755)
    process = lab.Process(router.network.inside(
        "udhcpc", "-f", "-i", "eth0", "-s", script, *flags,
        where=router.machines[number]))
    try:
        yield process
    finally:
        process.end()


def wait(process, pattern):
    lab.wait_for([process], process, pattern, 10)


def test_each_wire_behind_a_relay_has_its_own_subnet(router, folder):
    with lab.Server(router.network, config=FAR) as server, dhcrelay(router), \
            udhcpc(router, 0, folder) as six, udhcpc(router, 1, folder) as five:
        wait(six, r"SAID bound 10\.66\.0\.20 by 10\.77\.0\.1 for 10\.66\.0\.1 six\.")
        wait(five, r"SAID bound 10\.55\.0\.20 by 10\.77\.0\.1 for 10\.55\.0\.1 five\.")
        held = {lease["address"]: lease["subnet"] for lease in leases(server)}
        assert held == {"10.66.0.20": "10.66.0.0", "10.55.0.20": "10.55.0.0"}


def test_a_client_behind_a_relay_renews_and_releases_past_it(router, folder):
    """RFC 2131 4.3.6, 4.4.4: by unicast, and the answer goes where it came from."""
    with lab.Server(router.network, config=FAR) as server:
        with dhcrelay(router), udhcpc(router, 0, folder) as client:
            wait(client, r"SAID bound 10\.66\.0\.20")
            wire = Wire(router.name)
            os.kill(client.process.pid, signal.SIGUSR1)
            wait(client, r"SAID renew 10\.66\.0\.20")
            frame = wire.hear()
            assert frame["IP"].dst == "10.66.0.20" and frame["UDP"].dport == 68
            os.kill(client.process.pid, signal.SIGUSR2)
            server.wait_for(r"10\.66\.0\.20 released")
        assert leases(server)[0]["state"] == "released"


PORTS = FAR + """
  classes:
    - {name: left, match: {circuit-id: "far0"}, options: {domain-name: left.example}}
    - {name: by-relay, match: {relay: 10.55.0.0/24}, options: {domain-name: right.example}}
  hosts:
    - {circuit-id: far1, address: 10.55.0.7}
"""


def test_the_port_of_a_relay_decides(router, folder):
    """Option 82 chooses a class and a reservation, and goes back to the relay last."""
    wire = Wire(router.name)
    with lab.Server(router.network, config=PORTS) as server, dhcrelay(router):
        with udhcpc(router, 0, folder) as left:
            wait(left, r"SAID bound 10\.66\.0\.20 .* left\.example")
            answer = Answer(bytes(wire.hear()["UDP"].payload))
            assert answer.kind == OFFER and answer.giaddr == "10.66.0.1"
            assert parts(answer.options[82])[1] == b"far0" and answer.codes[-1] == 82
        with udhcpc(router, 1, folder, "-x", "hostname:first") as right:
            wait(right, r"SAID bound 10\.55\.0\.7 .* right\.example")
        # Another machine on the same port takes its place (and its card's name).
        lab.run("ip", "-netns", router.machines[1], "link", "set", "eth0", "address",
                "02:00:00:00:00:77")
        with udhcpc(router, 1, folder) as right:
            wait(right, r"SAID bound 10\.55\.0\.7 ")
        macs = {lease["address"]: lease["mac"] for lease in leases(server)}
        assert macs["10.55.0.7"] == "02:00:00:00:00:77"


def test_an_address_that_somebody_behind_the_relay_has_is_not_offered(router, folder):
    lab.run("ip", "-netns", router.name, "address", "add", "10.66.0.20/32", "dev", "lo")
    with lab.Server(router.network, config=FAR) as server, dhcrelay(router), \
            udhcpc(router, 0, folder) as client:
        wait(client, r"SAID bound 10\.66\.0\.21")
        server.wait_for(r"10\.66\.0\.20 is used by somebody")


def test_who_comes_from_another_wire_is_refused_through_the_relay(router, folder):
    with lab.Server(router.network, config=FAR), dhcrelay(router):
        wire = Wire(router.name)
        with udhcpc(router, 0, folder) as client:
            wait(client, r"SAID bound 10\.66\.0\.20")
        sock = udp_socket(router.machines[0], 68)
        nak = ask(sock, message(REQUEST, (50, four("10.55.0.20")), xid=7, flags=0))
        assert nak.kind == NAK and 82 not in nak.options
        while True:
            seen = Answer(bytes(wire.hear()["UDP"].payload))
            if seen.kind == NAK:
                break
        # RFC 2131 4.3.2: the client may not have the address that it thinks it has.
        assert seen.flags & BROADCAST and seen.giaddr == "10.66.0.1"


# ---- Kea's load generator, for a moment ----

LOAD = """
dhcp:
  mode: server
  subnets:
    - {subnet: 10.77.0.0/24, pools: [10.77.0.10-10.77.0.250]}
"""


def test_perfdhcp_loses_nothing(network, client, folder):
    """Three hundred exchanges of two hundred machines, at a rate that any host bears."""
    environment = dict(os.environ, KEA_LOCKFILE_DIR=str(folder),
                       KEA_LOGGER_DESTINATION="stderr")
    with lab.Server(network, config=LOAD) as server:
        # Its own view of a drop is an answer later than this many seconds.
        process = lab.Process(network.inside(
            "perfdhcp", "-4", "-l", "eth0", "-R", "200", "-r", "100", "-n", "300",
            "-W", "3000000", "-d", "8", "10.77.0.1", where=client), env=environment)
        try:
            while process.process.poll() is None:
                process.read(0.2)
                server.process.read(0)
        finally:
            code = process.end()
        text = process.text
        assert code == 0, text
        assert re.findall(r"drops: (\d+)", text) == ["0", "0"], text
        # On a busy host it may have sent some more when it stops.
        received = re.findall(r"received packets: (\d+)", text)
        assert len(received) == 2 and min(map(int, received)) >= 300, text
        assert len([lease for lease in leases(server)
                    if lease["state"] == "bound"]) == 200


# ---- what relays say that dhcrelay does not ----

RAW = START + """
  subnets:
    - {subnet: 10.77.0.0/24, pools: [10.77.0.20-10.77.0.29]}
    - {subnet: 10.66.0.0/24, pools: [10.66.0.20-10.66.0.29], options: {routers: 10.66.0.1}}
"""


def information(**values):
    codes = {"circuit": 1, "remote": 2, "link": 5, "server": 11}
    return (82, b"".join(option(codes[name], value) for name, value in values.items()))


def test_the_link_that_a_relay_names_is_the_client_s(network, relay):
    """RFC 3527: the subnet is not that of giaddr, which is where the answer goes."""
    extra = information(circuit=b"a/1", link=four("10.66.0.1"))
    with lab.Server(network, config=RAW) as server:
        sock = udp_socket(relay, 67, "10.77.0.2")
        offer = ask(sock, message(DISCOVER, (55, b"\3"), extra, giaddr="10.77.0.2"),
                    "10.77.0.1")
        assert offer.yiaddr == "10.66.0.20" and offer.options[3] == four("10.66.0.1")
        assert offer.options[82] == extra[1] and offer.codes[-1] == 82
        ack = ask(sock, message(REQUEST, (54, offer.options[54]),
                                (50, four(offer.yiaddr)), extra, giaddr="10.77.0.2"),
                  "10.77.0.1")
        assert ack.kind == ACK and leases(server)[0]["subnet"] == "10.66.0.0"


def test_a_client_may_ask_for_a_subnet(network, client):
    """RFC 3011: the option goes back; a subnet that is not ours is not answered."""
    with lab.Server(network, config=RAW) as server:
        sock = udp_socket(client, 68)
        say(sock, message(DISCOVER, (118, four("192.0.2.0")), xid=1))
        server.wait_for("DISCOVER not answered: no subnet is configured")
        offer = ask(sock, message(DISCOVER, (118, four("10.66.0.0")), xid=2))
        assert offer.yiaddr == "10.66.0.20"
        assert offer.options[118] == four("10.66.0.0")


def test_a_relay_may_stand_in_for_the_server(network, relay):
    """RFC 5107: the client is told the relay's address as the server's, and renews
    through it."""
    extra = information(server=four("10.66.0.1"))
    with lab.Server(network, config=RAW) as server:
        sock = udp_socket(relay, 67, "10.66.0.1")
        offer = ask(sock, message(DISCOVER, extra, giaddr="10.66.0.1"), "10.77.0.1")
        assert offer.server == "10.66.0.1" and offer.yiaddr == "10.66.0.20"
        ack = ask(sock, message(REQUEST, (54, four("10.66.0.1")),
                                (50, four("10.66.0.20")), extra, giaddr="10.66.0.1",
                                xid=2), "10.77.0.1")
        assert ack.kind == ACK and ack.server == "10.66.0.1"
        again = ask(sock, message(REQUEST, extra, giaddr="10.66.0.1", xid=3,
                                  ciaddr="10.66.0.20"), "10.77.0.1")
        assert again.kind == ACK and again.yiaddr == "10.66.0.20"
        # Who names that server without the relay's word means somebody else.
        say(sock, message(REQUEST, (54, four("10.66.0.1")), (50, four("10.66.0.20")),
                          giaddr="10.66.0.1", mac=machine(1)), "10.77.0.1")
        server.wait_for("the client took another server's offer")


def test_a_relay_outside_of_every_subnet_speaks_for_one(network, relay):
    config = START + """
  subnets:
    - {subnet: 10.66.0.0/24, relays: 10.77.0.2, pools: [10.66.0.20-10.66.0.29]}
"""
    with lab.Server(network, config=config) as server:
        sock = udp_socket(relay, 67)
        offer = ask(sock, message(DISCOVER, giaddr="10.77.0.2"), "10.77.0.1")
        assert offer.yiaddr == "10.66.0.20" and offer.giaddr == "10.77.0.2"
        say(sock, message(DISCOVER, giaddr="10.66.1.1", mac=machine(1)), "10.77.0.1")
        server.wait_for("DISCOVER not answered: no subnet is configured")


def test_an_answer_goes_to_port_67_of_the_relay(network, relay):
    """RFC 1542 5.4: even where the question came from another port."""
    with lab.Server(network, config=RAW):
        relays = udp_socket(relay, 67, "10.66.0.1")
        asks = udp_socket(relay, 0, "10.77.0.2")
        say(asks, message(DISCOVER, giaddr="10.66.0.1", flags=0, hops=3), "10.77.0.1")
        data, (address, port) = relays.recvfrom(4096)
        offer = Answer(data)
        assert (address, port) == ("10.77.0.1", 67)
        assert offer.giaddr == "10.66.0.1" and offer.flags == 0 and offer.n >= 300


def test_a_relay_s_long_option_is_echoed_whole_or_not_at_all(network, relay):
    """RFC 3046 2.2: it is added to what the client can take."""
    extra = information(circuit=b"c" * 120, remote=b"r" * 120)
    with lab.Server(network, config=RAW):
        sock = udp_socket(relay, 67, "10.66.0.1")
        offer = ask(sock, message(DISCOVER, (55, bytes(range(1, 120))), extra,
                                  giaddr="10.66.0.1"), "10.77.0.1")
        assert offer.options[82] == extra[1] and offer.n <= 548 + len(extra[1]) + 2


@pytest.mark.parametrize("flags", [0, BROADCAST])
def test_the_flag_of_a_client_reaches_its_relay(network, relay, flags):
    with lab.Server(network, config=RAW):
        sock = udp_socket(relay, 67, "10.66.0.1")
        offer = ask(sock, message(DISCOVER, giaddr="10.66.0.1", flags=flags),
                    "10.77.0.1")
        assert offer.flags == flags and socket.inet_ntoa(offer.options[54]) == "10.77.0.1"
