"""iPXE waits 15 s at each start for a router of IPv6; where none answers, we say that there
is none (RFC 4861 4.1, 4.2, 6.1)."""
import contextlib
import json
import socket
import struct
import time

import pytest

import lab
from conftest import SERVER, inside, udp_socket
from test_dhcp import IPXE_X64, MAC, PXE_X64, exchange, message

SOLICITATION, ADVERTISEMENT = 133, 134
ROUTERS, NODES = "ff02::2", "ff02::1"


def settled(namespace, name):
    """Its own address on the link may be used."""
    end = time.monotonic() + 30
    while True:
        shown = json.loads(lab.run("ip", "-json", "-netns", namespace, "-6", "address",
                                   "show", "dev", name, "scope", "link").stdout)
        addresses = [a for link in shown for a in link.get("addr_info", [])]
        if addresses and not any(a.get("tentative") for a in addresses):
            return addresses[0]["local"]
        assert time.monotonic() < end, "no address of IPv6"


class Asker:
    """A machine's ICMPv6, message by message."""

    def __init__(self, network, namespace):
        settled(network.name, "br0")
        settled(namespace, "eth0")
        with inside(namespace):
            self.socket = socket.socket(socket.AF_INET6, socket.SOCK_RAW,
                                        socket.IPPROTO_ICMPV6)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
            self.scope = socket.if_nametoindex("eth0")
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
        self.socket.settimeout(10)

    def send(self, data, to, hops=255):
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, hops)
        self.socket.sendto(data, (to, 0, 0, self.scope))

    def ask(self, *macs, **how):
        """In iPXE's rhythm: who is to be told is so by the last question."""
        for pause in (0.25, 0.75, 0):
            for mac in macs:
                self.send(struct.pack("!BBHIBB6s", SOLICITATION, 0, 0, 0, 1, 1, mac),
                          ROUTERS, **how)
            time.sleep(pause)

    def is_router(self, seconds):
        self.send(struct.pack("!BBHBBHII", ADVERTISEMENT, 0, 0, 64, 0, seconds, 0, 0),
                  NODES)

    def answer(self):
        """The next advertisement: (bytes, from, hop limit)."""
        while True:
            data, control, _, source = self.socket.recvmsg(2048, 64)
            if data[0] == ADVERTISEMENT:
                hops = next(struct.unpack("i", value)[0] for _, kind, value in control
                            if kind == socket.IPV6_HOPLIMIT)
                return data, source[0].split("%")[0], hops


def told(server):
    events = [json.loads(line) for line in server.query("events", "--json").splitlines()]
    return [e["mac"].replace(":", "") for e in events if e["event"] == "no-router"]


def start(sock, options, mac=MAC, xid=1):
    exchange(sock, message("discover", *options, mac=mac, xid=xid))


OTHER = bytes.fromhex("525400aabbcd")


@pytest.mark.parametrize("mode", ["server", "proxy"])
def test_ipxe_is_told_when_it_has_asked_for_a_while(network, bare, mode):
    config = SERVER if mode == "server" else "dhcp: {mode: proxy}\n"
    with lab.Server(network, config=config) as server:
        asker, sock = Asker(network, bare), udp_socket(bare, 68)
        start(sock, IPXE_X64)
        asker.ask(MAC, hops=64)  # as if through a router: not looked at
        asker.ask(MAC)
        data, source, hops = asker.answer()
        assert data[:2] == bytes([ADVERTISEMENT, 0])
        assert data[4:] == bytes(12)  # no lifetime, no flag, no prefix
        assert hops == 255 and source == settled(network.name, "br0")
        server.wait_for("waits for a router of IPv6: there is none")
        assert told(server) == [MAC.hex()]
        asker.ask(MAC)  # the answer was lost
        asker.answer()


def test_nobody_else_is_told(network, bare):
    """Not firmware that is no iPXE, and not who has not asked for an address."""
    with lab.Server(network, config=SERVER) as server:
        asker, sock = Asker(network, bare), udp_socket(bare, 68)
        start(sock, PXE_X64, OTHER, 2)
        start(sock, IPXE_X64)
        asker.ask(OTHER, bytes.fromhex("525400aabbce"), MAC)
        asker.answer()
        server.wait_for("waits for a router of IPv6: there is none")
        assert told(server) == [MAC.hex()]


def test_where_there_is_a_router_nobody_is_told(network, bare):
    with lab.Server(network, config=SERVER) as server:
        asker, sock = Asker(network, bare), udp_socket(bare, 68)
        start(sock, IPXE_X64)
        start(sock, IPXE_X64, OTHER, 2)
        asker.is_router(1800)
        asker.ask(MAC)
        asker.is_router(0)  # it goes
        asker.ask(OTHER)
        asker.answer()
        server.wait_for("waits for a router of IPv6: there is none")
        assert told(server) == [OTHER.hex()]


def test_it_can_be_switched_off_and_on_by_a_reload(network, bare):
    with lab.Server(network, config=SERVER + "  no-router: false\n") as server:
        asker, sock = Asker(network, bare), udp_socket(bare, 68)
        start(sock, IPXE_X64)
        asker.ask(MAC)
        assert told(server) == []
        (server.path / "bootjack.yaml").write_text(SERVER)
        lab.run(lab.program(), "reload", "--state", str(server.state))
        server.wait_for("configuration reloaded")
        start(sock, IPXE_X64, xid=3)
        asker.socket.settimeout(1)
        end = time.monotonic() + 30
        while not told(server):
            assert time.monotonic() < end, "it is never told"
            asker.ask(MAC)
            with contextlib.suppress(TimeoutError):
                asker.answer()
        assert set(told(server)) == {MAC.hex()}
