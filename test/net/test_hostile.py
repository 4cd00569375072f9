"""What a stranger may send: all of it is survived by the very same processes."""
import json
import random
import selectors
import socket
import struct

import pytest
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.packet import fuzz

import lab
from conftest import SERVER, inside, udp_socket
from test_dhcp import PXE_BIOS, exchange, message


@pytest.fixture
def root(folder):
    made = folder / "root"
    made.mkdir()
    (made / "hello.txt").write_text("hello, machine\n")
    (made / "big").write_bytes(random.Random(1).randbytes(4 << 20))
    return made


@pytest.fixture
def server(network, root):
    with lab.Server(network, "--root", root, config=SERVER) as made:
        before = made.roles()
        yield made
        assert made.roles() == before


def stranger(client, data):
    """Everything that an HTTP connection gives back until it ends."""
    with inside(client):
        sock = socket.create_connection(("10.77.0.1", 80), 5)
    got = b""
    try:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        while piece := sock.recv(65536):
            got += piece
    except (ConnectionResetError, BrokenPipeError):
        pass
    sock.close()
    return got


def is_serving(network, client, bare):
    offer, _ = exchange(udp_socket(bare, 68), message("discover", *PXE_BIOS))
    assert offer.yiaddr.startswith("10.77.0.2")
    got = stranger(client, b"GET /hello.txt HTTP/1.1\r\nHost: x\r\n"
                   b"Connection: close\r\n\r\n")
    assert got.endswith(b"hello, machine\n")
    sock = udp_socket(client)
    sock.sendto(b"\0\1hello.txt\0octet\0", ("10.77.0.1", 69))
    assert sock.recv(600) == b"\0\3\0\1hello, machine\n"


def mutations(dice, whole, n):
    """Random bytes, cut packets, and packets with some bytes that are others."""
    for _ in range(n):
        yield dice.randbytes(dice.randrange(0, 600))
        yield whole[:dice.randrange(len(whole))]
        broken = bytearray(whole)
        for _ in range(dice.randrange(1, 8)):
            broken[dice.randrange(len(broken))] = dice.randrange(256)
        yield bytes(broken)


def test_dhcp_survives_noise_and_counts_it(network, client, bare, server):
    whole, dice = message("discover", *PXE_BIOS), random.Random(2131)
    sent = 0
    for port in (67, 4011):
        sock = udp_socket(bare, 68)
        for data in mutations(dice, whole, 100):
            sock.sendto(data, ("255.255.255.255", port))
            sent += 1
        for _ in range(50):
            sock.sendto(bytes(fuzz(BOOTP()) / fuzz(DHCP())), ("255.255.255.255", port))
            sent += 1
        sock.close()
    is_serving(network, client, bare)
    dhcp = json.loads(server.query("status", "--json"))["dhcp"]
    assert sum(dhcp["dropped"].values()) > 200
    assert dhcp["received"] <= sent + 1
    assert len(dhcp["dropped"]) >= 3, "counted by reason"


@pytest.mark.parametrize("tail", [
    b"\x35\xff\x01", b"\x35", b"\x35\x01\x01\x34\x01\x03"],
    ids=["over the end", "no length", "overload without an end"])
def test_dhcp_options_that_lie(network, client, bare, server, tail):
    whole = message("discover", *PXE_BIOS)
    head = whole[:44] + b"\x0c\xff" * 96 + whole[236:240]
    udp_socket(bare, 68).sendto(head + tail, ("255.255.255.255", 67))
    is_serving(network, client, bare)


def test_tftp_survives_noise(network, client, bare, server):
    dice, sock = random.Random(1350), udp_socket(client)
    whole = b"\0\1hello.txt\0octet\0blksize\0" + b"1400\0tsize\0" + b"0\0"
    for data in mutations(dice, whole, 150):
        sock.sendto(data, ("10.77.0.1", 69))
    for opcode in range(16):
        sock.sendto(struct.pack("!H", opcode) + dice.randbytes(20), ("10.77.0.1", 69))
    for name, value in ((b"blksize", b"99999999999999999999"), (b"blksize", b"-1"),
                        (b"blksize", b"0"), (b"windowsize", b"65536"),
                        (b"timeout", b"0"), (b"tsize", b"x" * 300)):
        sock.sendto(b"\0\1hello.txt\0octet\0" + name + b"\0" + value + b"\0",
                    ("10.77.0.1", 69))
    sock.close()
    # This address has reached its limit of requests a second; others have their own.
    is_serving(network, network.other(9), bare)


def test_noise_on_the_port_of_a_transfer(network, client, bare, server, root):
    """Datagrams of a stranger are refused (RFC 1350 4) and harm nobody's transfer."""
    dice, sock = random.Random(7440), udp_socket(client)
    sock.sendto(b"\0\1big\0octet\0", ("10.77.0.1", 69))
    data, peer = sock.recvfrom(65536)
    got = data[4:]
    thief = udp_socket(client)
    for block in range(1, 200):
        for noise in (dice.randbytes(30), struct.pack("!HH", 4, block),
                      struct.pack("!HH", 4, dice.randrange(65536)), b""):
            thief.sendto(noise, peer)
        sock.sendto(dice.randbytes(dice.randrange(4)), peer)
        sock.sendto(struct.pack("!HH", 4, (block + 5000) & 0xFFFF), peer)
        sock.sendto(struct.pack("!HH", 4, block), peer)
        while True:
            data = sock.recv(65536)
            if data[:4] == struct.pack("!HH", 3, block + 1):
                break
        got += data[4:]
    assert got == (root / "big").read_bytes()[:200 * 512]
    sock.sendto(b"\0\5\0\0enough\0", peer)
    is_serving(network, client, bare)


@pytest.mark.parametrize("data,status", [
    (b"\r\n" * 5000, None), (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"400"),
    (b"GET / HTTP/1.1\r\n\r\n", b"400"), (b"GET /", None),
    (b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", b"400"),
    (b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"414"),
    (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 20000 + b"\r\n", b"431"),
    (b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", b"505"),
    (b"BREW /pot HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"501"),
    (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
     b"Transfer-Encoding: chunked\r\n\r\nhello", b"400"),
    (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", b"400"),
    (b"GET /hello.txt HTTP/1.1\r\nHost: x\r\nRange: bytes=99999999999999999999-\r\n"
     b"Connection: close\r\n\r\n", b"")],
    ids=["blank lines", "TLS", "no host", "cut", "two hosts", "long path", "many fields",
         "version", "method", "smuggled", "negative length", "far range"])
def test_http_refuses_what_is_wrong(network, client, bare, server, data, status):
    got = stranger(client, data)
    if status:
        assert got.split(b" ", 2)[1] == status, got[:200]
    is_serving(network, client, bare)


def test_http_survives_noise(network, client, bare, server):
    dice = random.Random(9112)
    whole = (b"GET /hello.txt HTTP/1.1\r\nHost: 10.77.0.1\r\nRange: bytes=0-5\r\n"
             b"If-Modified-Since: Mon, 01 Jan 2024 00:00:00 GMT\r\n\r\n")
    for data in mutations(dice, whole, 60):
        stranger(client, data)
    is_serving(network, client, bare)


def test_idle_connections_do_not_keep_others_out(network, client, bare, server):
    held = []
    with inside(client):
        for _ in range(400):
            sock = socket.create_connection(("10.77.0.1", 80), 5)
            sock.sendall(b"GET /hello.txt HTTP/1.1\r\nHo")
            held.append(sock)
    is_serving(network, network.other(9), bare)
    for sock in held:
        sock.close()


def test_a_limit_counts_over_all_workers(network, client, folder):
    root = folder / "root"
    root.mkdir()
    (root / "big").write_bytes(bytes(100000))
    with lab.Server(network, "--root", root, config="dhcp: {mode: off}\nworkers: 4\n"
                    "tftp: {per-source: 3}\n") as server:
        assert len(server.roles()["files"]) == 4
        assert set(json.loads(server.query("status", "--json"))["roles"]) == {
            "library", "admin", "files-1", "files-2", "files-3", "files-4"}
        others = [client] + [network.other(n) for n in (10, 11, 12, 13)]
        for where in others:
            asked = [udp_socket(where) for _ in range(12)]
            for sock in asked:
                sock.sendto(b"\0\1big\0octet\0", ("10.77.0.1", 69))
            answered = 0
            with selectors.DefaultSelector() as waiting:
                for sock in asked:
                    waiting.register(sock, selectors.EVENT_READ)
                while ready := waiting.select(1):
                    for key, _ in ready:
                        answered += key.fileobj.recv(600)[:4] == b"\0\3\0\1"
                        waiting.unregister(key.fileobj)
                    if answered > 3:
                        break
            assert answered == 3, where
            for sock in asked:
                sock.close()


def test_one_address_cannot_take_all_transfers(network, client, bare, server):
    """tftp.per-source: eleven, whatever the workers, and no answer to more: the client
    asks again, and by then one has ended."""
    held = {}
    with selectors.DefaultSelector() as waiting:
        for _ in range(60):
            sock = udp_socket(client)
            sock.sendto(b"\0\1big\0octet\0", ("10.77.0.1", 69))
            waiting.register(sock, selectors.EVENT_READ)
        server.wait_for(r"too many transfers for one address")
        is_serving(network, network.other(9), bare)
        for key, _ in waiting.select(1):
            data, peer = key.fileobj.recvfrom(600)
            if data[:4] == b"\0\3\0\1":
                held[key.fileobj] = peer
        assert len(held) == 11
        for sock, peer in held.items():
            sock.sendto(b"\0\5\0\0enough\0", peer)
        for key in list(waiting.get_map().values()):
            key.fileobj.close()
    is_serving(network, client, bare)
