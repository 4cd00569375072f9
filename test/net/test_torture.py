"""What clients of files do to a server that is to go on serving the others: bounded in
time and number, and at the end the very same processes are there and answer."""
import os
import pathlib
import random
import re
import resource
import selectors
import socket
import struct
import subprocess
import tempfile
import time

import pytest

import lab
from conftest import SERVER, inside, udp_socket
from test_transfers import Tftp

BIG = 8 << 20  # more than sockets hold


@pytest.fixture
def root(folder):
    made = folder / "root"
    made.mkdir()
    (made / "hello.txt").write_text("hello, machine\n")
    (made / "secret.txt").write_text("not asked for\n")
    (made / "big").write_bytes(random.Random(1).randbytes(BIG))
    return made


def serve(network, root, config=""):
    return lab.Server(network, "--root", root, config=SERVER + config)


@pytest.fixture
def server(network, root):
    with serve(network, root) as made:
        before = made.roles()
        yield made
        assert made.roles() == before


def connect(client, port=80):
    with inside(client):
        return socket.create_connection(("10.77.0.1", port), 20)


def answer_of(sock):
    """All that comes until the end."""
    got = b""
    try:
        while piece := sock.recv(1 << 16):
            got += piece
    except ConnectionResetError:
        pass
    return got


def talk(client, data, shut=False):
    with connect(client) as web:
        try:
            web.sendall(data)
            if shut:
                web.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return answer_of(web)


def get(path, *fields, close=True):
    lines = [f"GET {path} HTTP/1.1", "Host: x", *fields]
    if close:
        lines.append("Connection: close")
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def is_serving(client):
    assert talk(client, get("/hello.txt")).endswith(b"hello, machine\n")
    assert Tftp(client, "hello.txt").read() == b"hello, machine\n"


def memory(server):
    """Resident MiB of the largest worker."""
    def of(pid):
        text = pathlib.Path(f"/proc/{pid}/status").read_text()
        return int(text.split("VmRSS:")[1].split()[0]) // 1024
    return max(of(pid) for pid in server.roles()["files"])


# ---- connections ----

def test_ten_thousand_idle_connections_are_held_while_others_work(network, client, root):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 10500:
        pytest.skip(f"this machine allows {hard} descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20000), hard))
    other, held = network.other(9), []
    try:
        with serve(network, root, "http: {per-source: off}\n") as server:
            before = server.roles()
            with inside(client):
                for i in range(10000):
                    sock = socket.socket()
                    sock.settimeout(20)
                    sock.connect(("10.77.0.1", 80))
                    held.append(sock)
            is_serving(other)
            assert talk(other, get("/big")).endswith(
                (root / "big").read_bytes()[-1000:])
            for sock in held[::500]:  # all along they are
                sock.sendall(get("/hello.txt", close=False))
                assert sock.recv(1000).endswith(b"hello, machine\n")
            is_serving(other)
            assert server.roles() == before
    finally:
        for sock in held:
            sock.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_when_all_places_are_taken_the_idle_ones_go(network, client, root):
    config = "workers: 1\nhttp: {connections: 50, per-source: 40}\n"
    others = [network.other(host) for host in (9, 10)]
    with serve(network, root, config) as server:
        idle = [connect(client) for _ in range(40)]
        with connect(client) as one_more:
            assert answer_of(one_more) == b""
        server.wait_for("too many connections from one address")
        busy = connect(others[0])
        busy.sendall(get("/big"))
        assert busy.recv(1000)
        for _ in range(30):
            is_serving(others[1])
        more = [connect(others[1]) for _ in range(39)]
        is_serving(others[0])
        got = len(answer_of(busy)) + 1000
        assert got > BIG  # it was never idle
        for sock in idle + more:
            sock.close()


def test_stalled_and_slow_readers_stall_nobody(network, client, root, server):
    other, held = network.other(9), []
    for i in range(60):
        sock = connect(client)
        sock.sendall(get("/big"))
        held.append(sock)
    readers = [Tftp(client, "big", blksize=1400, windowsize=16, tsize=0) for _ in range(10)]
    for _ in range(3):
        for sock in held[::7]:
            assert len(sock.recv(1)) == 1  # a byte now and then
        is_serving(other)
    assert Tftp(other, "big", blksize=1400, windowsize=32).read() == \
        (root / "big").read_bytes()
    assert memory(server) < 250  # with the sanitizers' own
    for sock in held:
        sock.close()
    for reader in readers:
        reader.sock.sendto(b"\0\5\0\0enough\0", reader.peer)


def test_half_closed_connections_get_all_of_their_answer(network, client, root, server):
    got = talk(client, get("/big"), shut=True)
    assert got.endswith((root / "big").read_bytes()[-5000:]) and len(got) > BIG
    got = talk(client, get("/hello.txt", close=False) * 3, shut=True)
    assert got.count(b"hello, machine\n") == 3
    for cut in range(1, len(get("/hello.txt")), 7):  # the end within a head
        assert talk(client, get("/hello.txt")[:cut], shut=True) == b""
    for _ in range(50):  # and a reset while the answer is on its way
        web = connect(client)
        web.sendall(get("/big"))
        web.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        web.close()
    is_serving(client)


# ---- requests ----

def test_pipelines_are_answered_in_order_up_to_what_is_wrong(network, client, server):
    good = get("/hello.txt", close=False)
    for garbage in (b"\0\0\0", b"GET\r\n\r\n", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n",
                    random.Random(4).randbytes(3000), b"A" * 20000, b"GET / HTTP/2.0\r\n"
                    b"Host: x\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"):
        got = talk(client, good * 20 + garbage + good * 20, shut=True)
        assert got.count(b"hello, machine\n") == 20, garbage[:20]
        assert len(re.findall(rb"HTTP/1\.1 \d", got)) <= 21
    got = talk(client, good * 2000 + get("/hello.txt"))
    assert got.count(b"hello, machine\n") == 2001
    is_serving(client)


RANGES = [
    "bytes=", "bytes=-", "bytes=--5", "bytes=5-4", "bytes=abc", "bytes=0-0,-1", "bytes=-0",
    "bytes=99999999-", "bytes=18446744073709551615-", "bytes=18446744073709551616-",
    "bytes=0-18446744073709551616", "bytes=-18446744073709551616", "bytes=0x10-0x20",
    "bytes=1-2-3", "bytes= 0-1", "bytes=0 -1", "bytes=+1-2", "lines=0-1", "bytes=0-1;q=1",
    "bytes=" + ",".join(["0-"] * 1300),  # CVE-2011-3192: Apache killer
    "bytes=" + ",".join(f"{i}-{i}" for i in range(700)),
    "bytes=" + ",".join(f"5-{i}" for i in range(700)),  # the same as it was sent
    "bytes=0-7,8388600-99999999999999999999", "bytes=,,,", "bytes=,0-1,",
    "bytes=0-1\x00", "bytes=0-\xff"]


@pytest.mark.parametrize("value", RANGES, ids=[value[:24] for value in RANGES])
def test_absurd_ranges_cost_no_more_than_the_file(client, root, server, value):
    got = talk(client, get("/big", f"Range: {value}").decode().encode("latin-1"))
    head, body = got.split(b"\r\n\r\n", 1)
    assert head[9:12] in (b"200", b"206", b"416", b"400")
    assert len(body) <= BIG + 4096
    if head[9:12] == b"200":
        assert body == (root / "big").read_bytes()


SMUGGLED = b"GET /secret.txt HTTP/1.1\r\nHost: x\r\n\r\n"
SMUGGLERS = {
    "CL.TE": "Content-Length: {n}\r\nTransfer-Encoding: chunked",
    "TE.CL": "Transfer-Encoding: chunked\r\nContent-Length: 4",
    "TE.TE": "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    "TE, a space before the colon": "Transfer-Encoding : chunked",
    "TE, a tab": "Transfer-Encoding:\tchunked",
    "TE, vertical tab": "Transfer-Encoding: \x0bchunked",
    "TE, folded": "Transfer-Encoding:\r\n chunked",
    "TE, in front of a name": "X: y\rTransfer-Encoding: chunked",
    "TE, a bare line feed": "X: y\nTransfer-Encoding: chunked",
    "TE, in quotes": 'Transfer-Encoding: "chunked"',
    "TE, of two": "Transfer-Encoding: gzip, chunked",
    "TE, unknown": "Transfer-Encoding: xchunked",
    "TE, capitals": "TRANSFER-ENCODING: CHUNKED",
    "CL twice": "Content-Length: 0\r\nContent-Length: {n}",
    "CL of a list": "Content-Length: 0, {n}",
    "CL, a sign": "Content-Length: +0",
    "CL, below nothing": "Content-Length: -1",
    "CL in hexadecimal": "Content-Length: 0x0",
    "CL, a fraction": "Content-Length: 0.0",
    "CL, spaces inside": "Content-Length: 0 0",
    "CL, too large": "Content-Length: 18446744073709551616",
    "CL, empty": "Content-Length:",
    "CL": "Content-Length: {n}",
    "a NUL": "X: \0\r\nContent-Length: {n}",
    "no colon": "Content-Length {n}",
    "a field that begins with a space": " Content-Length: {n}",
    "another Host": "Host: y\r\nContent-Length: {n}",
    "Upgrade": "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
               "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\nContent-Length: {n}",
    "Expect": "Expect: 100-continue\r\nContent-Length: {n}",
}


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
def test_no_request_is_smuggled_in_another(client, server, method):
    """What one reader takes for a body is never answered as a request."""
    for name, fields in SMUGGLERS.items():
        for body in (SMUGGLED, b"0\r\n\r\n" + SMUGGLED, b"5\r\nhello\r\n0\r\n\r\n" + SMUGGLED):
            request = (f"{method} /hello.txt HTTP/1.1\r\nHost: x\r\n" +
                       fields.format(n=len(body)) + "\r\n\r\n").encode("latin-1") + body
            got = talk(client, request, shut=True)
            assert b"not asked for" not in got, (name, body)
            assert got.count(b"HTTP/1.1 ") - got.count(b"HTTP/1.1 100") <= 1, (name, got)


def test_floods_of_fields_end_soon(network, client, server):
    for flood in (b"X: y\r\n" * 100000, b"X" * 1000000, b"X: " + b"y" * 1000000,
                  b"Cookie: a=b\r\n" * 50000, b"\r\n" * 100000 + b"x",
                  b"Accept: */*\r\n" * 5000 + b"\r\n"):
        got = talk(client, b"GET /hello.txt HTTP/1.1\r\nHost: x\r\n" + flood, shut=True)
        assert got[9:12] in (b"431", b"400", b"200", b""), got[:100]
    assert memory(server) < 250
    is_serving(client)


# ---- folders ----

@pytest.fixture
def fast_folder():
    """In memory: a disk's journal holds up who makes or changes names all the time."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as name:
        path = pathlib.Path(name)
        path.chmod(0o755)
        yield path


def test_a_folder_of_a_million_names_is_listed_in_bounds(network, client, fast_folder):
    """Cut, with a word about it; nobody waits for it long, and nothing is left over."""
    root = fast_folder / "root"
    (root / "many").mkdir(parents=True)
    (root / "hello.txt").write_text("hello, machine\n")
    make_million(root / "many", 1000000)
    with serve(network, root, "workers: 1\n") as server:
        before = memory(server)
        got = talk(client, get("/many/"))
        assert got.startswith(b"HTTP/1.1 200")
        assert got.count(b"<tr><td><a href=") == 20001  # and the way up
        assert b"more than 20000 names" in got
        assert talk(client, get("/many/n999999")).endswith(b"\r\n\r\n")
        for path in ("many/nothing", "MANY/N5", "many/n-5"):
            sock = udp_socket(client)
            sock.sendto(b"\0\1" + path.encode() + b"\0octet\0", ("10.77.0.1", 69))
            assert sock.recv(1000)[:2] in (b"\0\5", b"\0\3")
        several = [connect(client) for _ in range(20)]
        for web in several:
            web.sendall(get("/many/"))
        is_serving(client)
        for web in several:
            web.close()
        is_serving(client)
        assert memory(server) - before < 400


def make_million(path, n):
    """One file under a million names: links cost less than files."""
    code = ("import os, sys\n"
            "d = os.open(sys.argv[1], os.O_RDONLY)\n"
            "n, k = int(sys.argv[2]), 0\n"
            "for i in range(n):\n"
            "    if i % 60000 == 0:\n"  # a file of ext4 has 65,000 at the most
            "        k = i\n"
            "        os.close(os.open(f'n{i}', os.O_CREAT | os.O_WRONLY, 0o644, dir_fd=d))\n"
            "    else:\n"
            "        os.link(f'n{k}', f'n{i}', src_dir_fd=d, dst_dir_fd=d)\n")
    subprocess.run(["python3", "-c", code, path, str(n)], check=True)


# A folder, a link to a folder outside, the same another way; a file and a link.
SWAP = """
import os, sys
root, outside = sys.argv[1:]
os.chdir(root)
turn = 0
while True:
    for name, to in (("way", ("sub", outside, "../outside")[turn % 3]),
                     ("one", ("file", "../outside/file", "sub/file")[turn % 3])):
        os.symlink(to, "new")
        os.rename("new", name)
    turn += 1
"""


def test_a_link_that_changes_all_the_time_never_leads_out(network, client, fast_folder):
    root, outside = fast_folder / "root", fast_folder / "outside"
    (root / "sub").mkdir(parents=True)
    outside.mkdir()
    for path, text in ((root / "sub/file", "inside\n"), (outside / "file", "OUTSIDE\n")):
        path.write_text(text)
    (root / "file").write_text("inside\n")
    swapper = subprocess.Popen(["python3", "-c", SWAP, root, outside])
    with serve(network, root, "tftp: {rate: off, per-source: off}\n"):
        try:
            served, refused, end = 0, 0, time.monotonic() + 60
            # Until both have been met often: who runs when is the scheduler's.
            while min(served, refused) < 30 and time.monotonic() < end:
                for path in ("/way/file", "/one"):
                    got = talk(client, get(path))
                    assert b"OUTSIDE" not in got
                    served += got.endswith(b"inside\n")
                    refused += got[9:12] == b"403"
                sock = udp_socket(client)
                sock.sendto(b"\0\1way/file\0octet\0", ("10.77.0.1", 69))
                assert b"OUTSIDE" not in sock.recv(1000)
                sock.close()
            assert swapper.poll() is None
            assert served and refused
        finally:
            swapper.kill()
            swapper.wait()


# ---- TFTP ----

def test_a_storm_of_requests_leaves_the_others_served(network, client, root, server):
    """Thousands from many addresses and ports, of whom nobody ever answers."""
    other = network.other(9)
    addresses = [f"10.77.0.{host}" for host in range(100, 200)]
    for address in addresses:
        lab.run("ip", "-netns", client, "address", "add", f"{address}/32", "dev", "eth0")
    socks = [udp_socket(client, address=address) for address in addresses for _ in range(12)]
    for _ in range(5):
        for sock in socks:
            sock.sendto(b"\0\1big\0octet\0blksize\x001428\0windowsize\x0064\0",
                        ("10.77.0.1", 69))
        is_serving(other)
    assert Tftp(other, "big", blksize=1400, windowsize=32).read() == \
        (root / "big").read_bytes()
    assert memory(server) < 250
    for sock in socks:
        sock.close()


ASKED = {
    "plain": b"\0\1big\0octet\0",
    "options": b"\0\1big\0octet\0blksize\x0065464\0windowsize\x0065535\0tsize\x000\0",
    "a short wait": b"\0\1big\0octet\0timeout\x001\0windowsize\x0064\0",
    "a long wait": b"\0\1big\0octet\0timeout\x00255\0",
    "no such file": b"\0\1nothing\0octet\0",
    "a write": b"\0\2big\0octet\0",
    "an acknowledgement": b"\0\4\0\1",
    "an error": b"\0\5\0\0x\0",
    "data": b"\0\3\0\1" + b"x" * 500,
    "noise": b"\xff" * 100,
    "nothing": b"",
}


def test_what_a_forged_request_makes_us_send_is_counted(network, client, server):
    """Nobody answers, as when the sender's address is somebody else's: at most four
    packets for a request, and one for all else; a window never leaves unasked."""
    socks, got = {}, {name: [] for name in ASKED}
    with selectors.DefaultSelector() as waiting:
        for name, data in ASKED.items():
            sock = udp_socket(client)
            sock.sendto(data, ("10.77.0.1", 69))
            waiting.register(sock, selectors.EVENT_READ, name)
            socks[name] = sock
        end = time.monotonic() + 20  # the last of four tries is told after fifteen
        while (left := end - time.monotonic()) > 0:
            for key, _ in waiting.select(left):
                got[key.data].append(len(key.fileobj.recv(65536)))
    for name, sizes in got.items():
        print(f"{name}: {len(ASKED[name])} bytes asked, {len(sizes)} packets, "
              f"{sum(sizes)} bytes")
        most = 4 if name in ("plain", "options", "a short wait", "a long wait") else 1
        assert len(sizes) <= most, (name, sizes)
        # RFC 1350's own block is what a plain request is worth; all else stays small.
        assert all(size <= (516 if name == "plain" else 200) or
                   name == "a short wait" and size <= 200 for size in sizes), (name, sizes)
    assert got["an error"] == [] and got["nothing"] == []
    assert got["plain"] and got["options"] and got["no such file"]
    for sock in socks.values():
        sock.close()
