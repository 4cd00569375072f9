"""Long transfers, and what happens around them."""
import os
import random
import select
import signal
import socket
import struct
import subprocess

import pytest

import lab
from conftest import SERVER, inside, udp_socket
from test_life import wait_for_new


class Tftp:
    """A reader over a real socket that can be stopped between two windows."""

    server = ("10.77.0.1", 69)

    def __init__(self, client, path, wait=True, **options):
        self.sock = self.open(client)
        self.block, self.data, self.is_done = 0, b"", False
        self.blksize, self.window = int(options.get("blksize", 512)), int(
            options.get("windowsize", 1))
        mode = options.pop("mode", "octet")
        packet = b"\0\1" + path.encode() + b"\0" + mode.encode() + b"\0"
        for name, value in options.items():
            packet += name.encode() + b"\0" + str(value).encode() + b"\0"
        self.sock.sendto(packet, self.server)
        self.granted = {}
        if options and wait:
            oack, self.peer = self.sock.recvfrom(65536)
            assert oack[:2] == b"\0\6", oack[:80]
            words = oack[2:].decode().split("\0")
            self.granted = dict(zip(words[0::2], words[1::2]))
            self.blksize = int(self.granted.get("blksize", 512))
            self.ack()
        else:
            self.peer = None

    def open(self, client):
        return udp_socket(client)

    def ack(self):
        self.sock.sendto(struct.pack("!HH", 4, self.block & 0xFFFF), self.peer)

    def window_read(self):
        for _ in range(self.window):
            packet, self.peer = self.sock.recvfrom(65536)
            assert packet[:2] == b"\0\3", packet[:80]
            if struct.unpack("!H", packet[2:4])[0] != (self.block + 1) & 0xFFFF:
                continue
            self.block += 1
            self.take(packet[4:])
            if len(packet) - 4 < self.blksize:
                self.is_done = True
                break
        self.ack()

    def take(self, data):
        self.data += data

    def read(self):
        while not self.is_done:
            self.window_read()
        return self.data


class Positions(Tftp):
    """Each block of the file says which it is, so none needs to be kept."""

    def take(self, data):
        assert data[:8] in (b"", struct.pack("!Q", self.block - 1))


def numbered(path, n_blocks, blksize):
    """A file whose blocks begin with their numbers; the rest takes no room on disk."""
    with open(path, "wb") as out:
        for block in range(n_blocks):
            out.seek(block * blksize)
            out.write(struct.pack("!Q", block))
        out.truncate(n_blocks * blksize)


@pytest.fixture
def root(folder):
    made = folder / "root"
    made.mkdir()
    return made


@pytest.fixture
def server(network, root):
    with lab.Server(network, "--root", root, config=SERVER) as made:
        yield made


def curl(network, client, path, *arguments):
    return subprocess.run(network.inside("curl", "-s", "-m", "30", *arguments,
                                         "http://10.77.0.1" + path, where=client),
                          capture_output=True).stdout


def test_tftp_block_numbers_wrap(network, client, root, server):
    """RFC 1350 has 16 bits for them; 70,000 blocks go on at 0."""
    numbered(root / "long", 70000, 64)
    reader = Positions(client, "long", blksize=64, windowsize=64, tsize=0)
    assert reader.granted["tsize"] == str(70000 * 64)
    reader.read()
    assert reader.block == 70001


def test_tftp_of_an_exact_multiple_ends_with_an_empty_block(network, client, root, server):
    (root / "exact").write_bytes(b"x" * 1024)
    reader = Tftp(client, "exact", blksize=512)
    assert reader.read() == b"x" * 1024 and reader.block == 3


def test_tftp_of_an_empty_file_is_one_empty_block(network, client, root, server):
    (root / "empty").write_bytes(b"")
    reader = Tftp(client, "empty")
    assert reader.read() == b"" and reader.block == 1


def test_curl_asks_for_a_block_size_by_tftp(network, client, root, server):
    (root / "file").write_bytes(os.urandom(100000))
    got = subprocess.run(network.inside("curl", "-sf", "-m", "10", "--tftp-blksize",
                                        "1400", "tftp://10.77.0.1/file", where=client),
                         capture_output=True, check=True).stdout
    assert got == (root / "file").read_bytes()


def test_http_reaches_behind_four_gibibytes(network, client, root, server):
    size = (5 << 30) + 7
    with open(root / "huge", "wb") as out:
        out.truncate(size)
        out.seek((4 << 30) - 4)
        out.write(b"straddle")
        out.seek(size - 3)
        out.write(b"end")
    head = curl(network, client, "/huge", "-I").decode().lower()
    assert f"content-length: {size}" in head
    assert curl(network, client, "/huge", "-r",
                f"{(4 << 30) - 4}-{(4 << 30) + 3}") == b"straddle"
    assert curl(network, client, "/huge", "-r", "-3") == b"end"
    assert curl(network, client, "/huge", "-r", f"{size - 3}-") == b"end"


def test_many_machines_read_at_once(network, client, root, server):
    """Twenty with different window sizes, each block of all in turn."""
    data = random.Random(5).randbytes(100001)
    (root / "kernel").write_bytes(data)
    clients = [network.other(host) for host in range(10, 14)]
    readers = [Tftp(clients[i % 4], "kernel", blksize=1000 + i, windowsize=1 + i % 5)
               for i in range(20)]
    while not all(reader.is_done for reader in readers):
        for reader in readers:
            if not reader.is_done:
                reader.window_read()
    assert {reader.data for reader in readers} == {data}


def test_an_iso_is_read_from_inside_by_both_protocols(network, client, folder):
    media, tree = folder / "media", folder / "tree"
    for made in (media, tree / "deep/er"):
        made.mkdir(parents=True)
    data = random.Random(6).randbytes(3 << 20)
    (tree / "deep/er/A file with a long name.bin").write_bytes(data)
    lab.make_iso(media / "own.iso", tree, "OWN")
    name = "media/own/deep/er/A file with a long name.bin"
    with lab.Server(network, "--media", media, config=SERVER) as server:
        server.wait_for("medium own: ")
        assert Tftp(client, name, blksize=1468, windowsize=16).read() == data
        path = "/" + name.replace(" ", "%20")
        assert curl(network, client, path) == data
        assert curl(network, client, path, "-r", "1048575-2000000") == \
            data[1048575:2000001]
        iso = (media / "own.iso").read_bytes()
        assert Tftp(client, "iso/own.iso", blksize=1468, windowsize=32).read() == iso


def test_a_tftp_transfer_outlives_the_core(network, client, root, server):
    data = random.Random(7).randbytes(300000)
    (root / "kernel").write_bytes(data)
    reader = Tftp(client, "kernel", blksize=1000)
    for _ in range(50):
        reader.window_read()
    before = server.roles()
    server.kill(before["core"][0])
    for _ in range(50):
        reader.window_read()
    wait_for_new(server, "core", before["core"])
    assert reader.read() == data


def test_a_transfer_outlives_a_reload(network, client, root, server):
    data = random.Random(8).randbytes(300000)
    (root / "kernel").write_bytes(data)
    reader = Tftp(client, "kernel", blksize=1000)
    for _ in range(50):
        reader.window_read()
    (server.path / "bootjack.yaml").write_text(SERVER + "menu: {title: Other}\n")
    os.kill(server.pid, signal.SIGHUP)
    server.wait_for("configuration reloaded: menu")
    assert reader.read() == data


def test_a_file_that_is_replaced_while_it_is_read_is_still_the_old_one(
        network, client, root, server):
    old, new = b"old" * 50000, b"new" * 50000
    (root / "kernel").write_bytes(old)
    reader = Tftp(client, "kernel", blksize=1000)
    reader.window_read()
    (root / "kernel.tmp").write_bytes(new)
    (root / "kernel.tmp").rename(root / "kernel")
    assert reader.read() == old
    assert Tftp(client, "kernel", blksize=1000).read() == new


def test_a_file_that_shrinks_under_a_transfer_ends_it_with_an_error(
        network, client, root, server):
    """No SIGBUS, no bytes that were never there."""
    (root / "kernel").write_bytes(b"k" * 300000)
    reader = Tftp(client, "kernel", blksize=1000, tsize=0)
    reader.window_read()
    with inside(client):
        web = socket.create_connection(("10.77.0.1", 80), 5)
    os.truncate(root / "kernel", 5000)
    with pytest.raises(AssertionError):
        reader.read()
    assert len(reader.data) < 300000
    web.sendall(b"GET /kernel HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    got = b""
    while piece := web.recv(65536):
        got += piece
    assert got.split(b"\r\n\r\n", 1)[1] == b"k" * 5000
    assert len(server.roles()["files"]) == 2


def test_a_file_that_is_written_over_is_never_served_as_a_mixture(
        network, client, root, server):
    """The same size, the same inode: both doors stop with an error, neither goes on."""
    size = 64 << 20
    (root / "image").write_bytes(b"o" * size)
    reader = Tftp(client, "image", blksize=1000, tsize=0)
    reader.window_read()
    with inside(client):
        web = socket.create_connection(("10.77.0.1", 80), 5)
    web.sendall(b"GET /image HTTP/1.1\r\nHost: x\r\n\r\n")
    got = web.recv(1000)
    with open(root / "image", "r+b") as image:
        image.write(b"n" * size)
    with pytest.raises(AssertionError, match="replaced while it was read"):
        reader.read()
    assert b"n" not in reader.data
    web.settimeout(10)
    n_left = 0
    while piece := web.recv(1 << 20):
        n_left += len(piece)
    assert n_left < size
    for door in ("tftp", "http"):
        server.wait_for(rf"{door} image: ended after .*: the file was replaced while")


def test_names_are_found_as_loaders_write_them(network, client, root, server):
    """Windows loaders ask in capitals, with backslashes; the exact name wins."""
    (root / "Boot").mkdir()
    (root / "Boot" / "bootmgr.exe").write_bytes(b"manager")
    (root / "Boot" / "BCD").write_bytes(b"upper")
    (root / "Boot" / "bcd").write_bytes(b"lower")
    for asked in ("\\Boot\\BOOTMGR.EXE", "/boot//bootmgr.exe", "BOOT/bootmgr.exe"):
        assert Tftp(client, asked).read() == b"manager"
    assert Tftp(client, "boot\\bcd").read() in (b"upper", b"lower")
    assert Tftp(client, "Boot/bcd").read() == b"lower"
    sock = udp_socket(client)
    sock.sendto(b"\0\1boot/bootmgr.exf\0octet\0", ("10.77.0.1", 69))
    assert sock.recv(1000)[:4] == b"\0\5\0\1"


def test_blocks_are_as_large_as_the_way_to_the_client(network, client, root, server):
    (root / "file").write_bytes(os.urandom(50000))
    assert Tftp(client, "file", blksize=65464).granted["blksize"] == "1468"
    lab.run(*network.inside("ip", "route", "replace", "10.77.0.0/24", "dev", "br0",
                            "src", "10.77.0.1", "mtu", "1400"))
    reader = Tftp(client, "file", blksize=1468)
    assert reader.granted["blksize"] == "1368"
    assert reader.read() == (root / "file").read_bytes()


def test_the_configuration_limits_blocks(network, client, root):
    (root / "file").write_bytes(os.urandom(5000))
    config = SERVER + "\ntftp: {max-blksize: 1024}\n"
    with lab.Server(network, "--root", root, config=config):
        reader = Tftp(client, "file", blksize=1468)
        assert reader.granted["blksize"] == "1024"
        assert reader.read() == (root / "file").read_bytes()


def test_transfers_run_on_the_port_of_the_requests_when_told(network, client, root):
    """What a container's or a router's address translation lets back in."""
    data = os.urandom(300001)
    (root / "kernel").write_bytes(data)
    config = SERVER + "\ntftp: {single-port: true, rate: 20}\n"
    with lab.Server(network, "--root", root, config=config) as server:
        readers = [Tftp(client, "kernel", blksize=1000, windowsize=1 + i, tsize=0)
                   for i in range(6)]
        assert {reader.peer for reader in readers} == {("10.77.0.1", 69)}
        while not all(reader.is_done for reader in readers):
            for reader in readers:
                if not reader.is_done:
                    reader.window_read()
        assert all(reader.data == data for reader in readers)
        gone = Tftp(client, "kernel", blksize=1000)
        gone.sock.sendto(b"\0\5\0\0no room\0", gone.peer)
        server.wait_for("no room")


def test_transfers_run_on_the_ports_they_are_given(network, client, root):
    (root / "kernel").write_bytes(b"k" * 5000)
    config = SERVER + "\ntftp: {port-range: 30000-30002}\n"
    with lab.Server(network, "--root", root, config=config):
        readers = [Tftp(client, "kernel", blksize=1000) for _ in range(3)]
        assert {reader.peer[1] for reader in readers} == {30000, 30001, 30002}
        sock = udp_socket(client)
        sock.sendto(b"\0\1kernel\0octet\0", ("10.77.0.1", 69))
        assert b"no socket left" in sock.recv(1000)
        assert readers[0].read() == b"k" * 5000
        assert Tftp(client, "kernel").read() == b"k" * 5000


def test_sigterm_ends_all_within_a_transfer(network, client, root, server):
    (root / "kernel").write_bytes(b"k" * (64 << 20))
    reader = Tftp(client, "kernel", blksize=1000)
    reader.window_read()
    with inside(client):
        web = socket.create_connection(("10.77.0.1", 80), 5)
    web.sendall(b"GET /kernel HTTP/1.1\r\nHost: x\r\n\r\n")
    assert select.select([web], [], [], 5)[0]
    assert server.process.end(signal.SIGTERM, seconds=2) == 0


def test_a_client_that_asks_again_right_after_its_last_acknowledgement_is_served(network, client,
                                                                                 folder):
    """From the same port, for the same file, and seen by us before that acknowledgement:
    it was taken for a request sent twice, and waited for a second."""
    root = folder / "root"
    root.mkdir()
    (root / "small").write_text("small\n")
    with lab.Server(network, "--root", root, config="dhcp: {mode: off}\nworkers: 1\n") as server:
        (worker,) = server.roles()["files"]
        asking, other = udp_socket(client), udp_socket(client)
        request = b"\0\1small\0octet\0"
        asking.sendto(request, ("10.77.0.1", 69))
        data, peer = asking.recvfrom(600)
        assert data == b"\0\3\0\1small\n"
        os.kill(worker, signal.SIGSTOP)
        try:
            other.sendto(request, ("10.77.0.1", 69))  # wakes the listening socket first
            asking.sendto(b"\0\4\0\1", peer)
            asking.sendto(request, ("10.77.0.1", 69))
        finally:
            os.kill(worker, signal.SIGCONT)
        data, again = asking.recvfrom(600)
        assert data == b"\0\3\0\1small\n"
        assert again != peer  # and not the old transfer, which asks once more
        for sock, to in ((asking, again), (other, other.recvfrom(600)[1])):
            sock.sendto(b"\0\4\0\1", to)
            sock.close()


def test_transfers_go_on_while_doors_move(network, client, root):
    """Both by the door that stays and by the one that goes; the workers are the same."""
    data = random.Random(8).randbytes(10 << 20)
    (root / "kernel").write_bytes(data)
    (root / "initrd").write_bytes(data[:500000])
    with lab.Server(network, "--root", root, config=SERVER) as server:
        workers = server.roles()["files"]
        reader = Tftp(client, "initrd", blksize=1400, windowsize=16)
        reader.window_read()
        with inside(client):
            web = socket.create_connection(("10.77.0.1", 80), 10)
        web.sendall(b"GET /kernel HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        got = web.recv(1000)
        (server.path / "bootjack.yaml").write_text(
            SERVER + "http: {port: 8080}\ntftp: {port: 6969}\n")
        os.kill(server.pid, signal.SIGHUP)
        server.wait_for("configuration reloaded: doors")
        moved = subprocess.run(network.inside(
            "curl", "-sf", "--retry", "20", "--retry-connrefused", "--retry-delay", "1",
            "-m", "30", "http://10.77.0.1:8080/kernel", where=client), capture_output=True)
        assert moved.stdout == data
        while piece := web.recv(1 << 20):
            got += piece
        assert got.endswith(data), server.process.text
        assert reader.read() == data[:500000]
        with inside(client), pytest.raises(ConnectionRefusedError):
            socket.create_connection(("10.77.0.1", 80), 5)
        assert server.roles()["files"] == workers
