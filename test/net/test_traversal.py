"""One table of spellings (spellings.py), every door: nothing outside is ever had."""
import ftplib
import socket

import pytest

import lab
import nfs
import spellings
from conftest import SERVER, inside, udp_socket

ON = SERVER + "nfs: {mode: on}\nftp: {port: 21}\nhttp: {root: /sub}\n"
SECRET = (b"NOT TO BE HAD", b"root:")


@pytest.fixture
def tree(folder):
    return spellings.make_tree(folder)


@pytest.fixture
def server(network, tree):
    with lab.Server(network, "--root", tree[0],
                    config=ON + "tftp: {rate: off, per-source: off}\n") as made:
        before = made.roles()
        yield made
        assert made.roles() == before


def both(outside):
    """Each as it is, and decoded where that is something else; with its source."""
    for spelling, source in spellings.spelled(str(outside), outside.name):
        for form in dict.fromkeys((spelling, spellings.decoded(spelling))):
            yield form, source


def test_by_tftp(client, server, tree):
    n = 0
    for spelling, source in both(tree[1]):
        for mode in (b"octet", b"netascii"):
            asked = udp_socket(client)
            asked.sendto(b"\0\1" + spelling + b"\0" + mode + b"\0", ("10.77.0.1", 69))
            # A name that ends early makes a request without a mode: it is dropped.
            asked.settimeout(0.2 if b"\0" in spelling else 10)
            try:
                answer, peer = asked.recvfrom(2000)
            except TimeoutError:
                assert b"\0" in spelling, spelling
                continue
            assert not any(s in answer for s in SECRET), (spelling, source, answer)
            # What a NUL cuts off is not there; else it is refused.
            assert answer[:2] == b"\0\5" or b"hello" in answer, (spelling, source)
            asked.sendto(b"\0\5\0\0enough\0", peer)
            asked.close()
            n += 1
    assert n > 2 * len(spellings.TABLE)


def test_by_http(client, server, tree):
    forms = list(both(tree[1]))
    for spelling, source in forms:
        for prefix in (b"/", b"", b"/media/", b"/iso/", b"/sub/"):
            with inside(client):
                web = socket.create_connection(("10.77.0.1", 80), 10)
            with web:
                web.sendall(b"GET " + prefix + spelling + b" HTTP/1.1\r\nHost: x\r\n"
                            b"Connection: close\r\n\r\n")
                web.shutdown(socket.SHUT_WR)
                answer = b""
                while piece := web.recv(65536):
                    answer += piece
            assert not any(s in answer for s in SECRET), (prefix, spelling, source)
            assert answer[9:12] in (b"400", b"403", b"404", b"301", b"200"), (spelling,
                                                                             answer)
            if answer[9:12] == b"200":
                assert b"hello" in answer or b"<title>" in answer, (spelling, answer)
            if b"\r\nLocation: " in answer:
                to = answer.split(b"\r\nLocation: ")[1].split(b"\r\n")[0]
                assert to.startswith(b"/") and not to.startswith(b"//"), to


def test_by_a_host_without_a_name(client, server, tree):
    """CVE-2018-18778: mini_httpd looked elsewhere when Host was empty."""
    for host in (b"", b" ", b"/", b"..", b"../..", b"x/../.."):
        with inside(client):
            web = socket.create_connection(("10.77.0.1", 80), 10)
        with web:
            web.sendall(b"GET " + str(tree[1]).encode() + b" HTTP/1.1\r\nHost:" + host +
                        b"\r\nConnection: close\r\n\r\n")
            assert not any(s in web.recv(65536) for s in SECRET), host


def test_by_ftp(client, server, tree):
    with inside(client):
        ftp = ftplib.FTP(timeout=20, encoding="latin-1")
        ftp.connect("10.77.0.1", 21)
        ftp.login()
    for spelling, source in both(tree[1]):
        text = spelling.decode("latin-1")
        if "\n" in text or "\r" in text:
            continue  # they end a command
        for command in ("RETR", "SIZE", "CWD", "MLST", "LIST"):
            if command in ("RETR", "LIST"):
                with inside(client):
                    host, port = ftp.makepasv()
                    data = socket.create_connection((host, port), 10)
            ftp.putcmd(f"{command} {text}")
            reply = ftp.getmultiline()
            assert not any(s.decode() in reply for s in SECRET), (command, text, source)
            if command in ("RETR", "LIST"):
                got = b""
                while reply[0] == "1" and (piece := data.recv(65536)):
                    got += piece
                data.close()
                assert not any(s in got for s in SECRET), (command, text, source)
                assert command == "LIST" or not got or b"hello" in got, (text, got)
                assert b"passwd" not in got
                if reply[0] == "1":
                    ftp.getmultiline()
            if command == "CWD" and reply[0] == "2":
                ftp.putcmd("CWD /")
                ftp.getmultiline()


def test_by_nfs(client, server, tree):
    """Names are looked up one by one, and each may be anything."""
    user = nfs.Client(client)
    top = user.mount("/")
    sub = user.walk("sub")
    for spelling, source in both(tree[1]):
        for start in (top, sub):
            # All of it as one name, and its pieces as one after another.
            for names in ([spelling], spelling.split(b"/")):
                handle = start
                try:
                    for name in names:
                        handle, attributes = user.lookup(handle, name)
                    got = user.read(handle, 0, 1000)[0]
                except (nfs.Status, nfs.Refused):
                    continue
                assert not any(s in got for s in SECRET), (names, source)
        try:
            handle = user.mount(spelling.decode("ascii"))
        except (nfs.Status, nfs.Refused, UnicodeDecodeError):
            continue
        assert user.getattr(handle)["type"] in (1, 2), (spelling, source)
        names = {entry[0] for entry in user.list(handle)} \
            if user.getattr(handle)["type"] == 2 else set()
        assert tree[1].name not in names and "etc" not in names, (spelling, source)
