"""FTP: every client that people have, and some that mean no good."""
import contextlib
import ftplib
import hashlib
import io
import json
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess

import pytest

import lab
from conftest import SERVER, inside
from test_nfs import make_tree

ON = SERVER + "ftp: {port: 21}\n"
URL = "ftp://10.77.0.1"


@pytest.fixture
def tree(folder):
    made = make_tree(folder / "tree")
    (made / ".treeinfo").write_text("[general]\nversion = 12\n")
    (made / "with space and é").write_text("x")
    return made


@pytest.fixture
def media(folder, tree):
    made = folder / "media"
    made.mkdir()
    lab.make_iso(made / "live.iso", tree, volume="LIVE")
    return made


@pytest.fixture
def root(folder):
    made = folder / "root"
    (made / "pub/sub").mkdir(parents=True)
    (made / "hello.txt").write_text("hello,\nmachine\n")
    (made / "pub/big").write_bytes(os.urandom(2_500_000))
    (made / "pub/lines").write_text("".join(f"line {i}\n" for i in range(20000)))
    (made / "secret").symlink_to("/etc/passwd")
    return made


@pytest.fixture
def server(network, media, root):
    with lab.Server(network, "--media", media, "--root", root, config=ON) as made:
        made.wait_for("medium live")
        yield made


def tool(network, client, *command, **options):
    return subprocess.run(network.inside(*command, where=client), capture_output=True,
                          timeout=120, **options)


def log_in(client, passive=True, **options):
    """Python's own client, from inside."""
    made = ftplib.FTP(timeout=20, **options)
    with inside(client):
        made.connect("10.77.0.1")
    made.login()
    made.set_pasv(passive)
    return made


def fetch(client, ftp, command, rest=None):
    got = io.BytesIO()
    with inside(client):
        ftp.retrbinary(command, got.write, rest=rest)
    return got.getvalue()


def refused(ftp, command):
    with pytest.raises(ftplib.all_errors) as caught:
        ftp.voidcmd(command)
    return str(caught.value)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def files_below(folder):
    return {str(path.relative_to(folder)): digest(path)
            for path in sorted(folder.rglob("*")) if path.is_file()}


def extracted(media, folder):
    """What xorriso takes out of the image, by path; links are followed, as by FTP."""
    out = folder / "extracted"
    lab.run("xorriso", "-osirrox", "on", "-indev", str(media / "live.iso"),
            "-extract", "/", str(out))
    return files_below(out)


def test_lftp_mirrors_a_whole_medium(network, client, server, media, folder):
    """RFC 3659 7: MLSD tells what there is"""
    got = tool(network, client, "lftp", "-c",
               f"set net:max-retries 1; open {URL}; "
               f"mirror --parallel=4 /media/live {folder}/mirror")
    assert got.returncode == 0, got.stderr
    expected = extracted(media, folder)
    # "absolute" leads out of the medium, to /boot/vmlinuz of the client: not there.
    assert files_below(folder / "mirror") == expected
    assert len(expected) > 305


def test_wget_mirrors_a_medium_by_its_listing(network, client, server, media, folder):
    got = tool(network, client, "wget", "-q", "-r", "-nH", "--cut-dirs=2", "-P",
               folder / "wget", "--retr-symlinks", f"{URL}/media/live/")
    assert got.returncode == 0, got.stderr
    assert files_below(folder / "wget") == extracted(media, folder)


@pytest.mark.parametrize("options", [[], ["--disable-epsv"], ["-P", "-"],
                                     ["-P", "-", "--disable-eprt"]],
                         ids=["EPSV", "PASV", "EPRT", "PORT"])
def test_curl_gets_files_by_every_way(network, client, server, root, tree, options):
    """RFC 959 4.1.2, RFC 2428 2, 3"""
    got = tool(network, client, "curl", "-sS", *options, URL + "/pub/big")
    assert got.stdout == (root / "pub/big").read_bytes(), got.stderr
    got = tool(network, client, "curl", "-sS", *options, URL + "/media/live/boot/vmlinuz")
    assert got.stdout == (tree / "boot/vmlinuz").read_bytes()
    got = tool(network, client, "curl", "-sS", "-r", "2000000-", *options,
               URL + "/pub/big")
    assert got.stdout == (root / "pub/big").read_bytes()[2000000:]
    got = tool(network, client, "curl", "-sS", "-l", *options, URL + "/pub/")
    assert got.stdout.decode().split() == ["big", "lines", "sub"]
    server.wait_for(r"ftp pub/big: 2\.3 MiB")
    server.wait_for(r"ftp pub/big: sent 2\.3 MiB")


def test_an_installer_finds_its_way(network, client, server, tree):
    """As anaconda's method=ftp:// does: .treeinfo, images, lists; missing ones too."""
    base = URL + "/media/live"
    for path in (".treeinfo", "boot/vmlinuz", "big", "with%20space%20and%20%C3%A9"):
        got = tool(network, client, "curl", "-sS", "-f", f"{base}/{path}")
        wanted = tree / path.replace("%20", " ").replace("%C3%A9", "é")
        assert got.stdout == wanted.read_bytes(), got.stderr
        got = tool(network, client, "wget", "-q", "-O", "-", f"{base}/{path}")
        assert got.stdout == wanted.read_bytes(), got.stderr
    got = tool(network, client, "curl", "-sS", "-I", f"{base}/big")
    assert b"Content-Length: 3000001" in got.stdout
    got = tool(network, client, "curl", "-sS", f"{base}/images/updates.img")
    assert got.returncode in (9, 78) and got.stdout == b""
    got = tool(network, client, "busybox", "wget", "-q", "-O", "-", f"{base}/.treeinfo")
    assert got.stdout == (tree / ".treeinfo").read_bytes(), got.stderr


def test_busybox_and_the_old_client(network, client, server, root, folder):
    """ftpget asks for SIZE and, going on with a file, for REST; ftp for everything."""
    copy = folder / "copy"
    got = tool(network, client, "busybox", "ftpget", "10.77.0.1", copy, "pub/big")
    assert got.returncode == 0, got.stderr
    assert copy.read_bytes() == (root / "pub/big").read_bytes()
    copy.write_bytes((root / "pub/big").read_bytes()[:777777])
    got = tool(network, client, "busybox", "ftpget", "-c", "10.77.0.1", copy, "pub/big")
    assert copy.read_bytes() == (root / "pub/big").read_bytes(), got.stderr
    script = ("user anonymous x\nbinary\npwd\ncd pub\nls\nget big\nsize big\n"
              "modtime big\nascii\nget lines\nbinary\npassive\nget big again\n"
              "prompt off\ncd /media/live/boot\nmget v*\nput /etc/hostname x\nbye\n")
    out = folder / "old"
    out.mkdir()
    got = subprocess.run(network.inside("tnftp", "-n", "10.77.0.1", where=client),
                         input=script.encode(), capture_output=True, cwd=out, timeout=60)
    text = got.stdout.decode() + got.stderr.decode()
    assert (out / "big").read_bytes() == (root / "pub/big").read_bytes(), text
    assert (out / "again").read_bytes() == (root / "pub/big").read_bytes(), text
    assert (out / "lines").read_text() == (root / "pub/lines").read_text(), text
    assert (out / "vmlinuz").stat().st_size == 70001, text
    assert "Remote directory: /\n" in text and "big\t2500000" in text, text
    assert "This server is read-only." in text, text


def test_lines_and_places(client, server, root):
    """RFC 3659 4, 5: sizes and places are those of the type"""
    ftp = log_in(client)
    text = (root / "pub/lines").read_bytes()
    wire = text.replace(b"\n", b"\r\n")
    ftp.voidcmd("TYPE A")
    assert ftp.sendcmd("SIZE pub/lines") == f"213 {len(wire)}"
    assert refused(ftp, "SIZE pub/big").startswith("550")
    with inside(client):
        ftp.sendcmd("REST 100001")
        data = ftp.transfercmd("RETR pub/lines")
        got = b"".join(iter(lambda: data.recv(65536), b""))
        data.close()
    assert ftp.voidresp().startswith("226")
    assert got == wire[100001:]
    ftp.voidcmd("TYPE I")
    assert ftp.sendcmd("SIZE pub/lines") == f"213 {len(text)}"
    assert fetch(client, ftp, "RETR pub/lines", rest=5) == text[5:]
    assert fetch(client, ftp, "RETR pub/lines", rest=len(text)) == b""
    with pytest.raises(ftplib.error_perm, match="554"):
        fetch(client, ftp, "RETR pub/lines", rest=len(text) + 1)


SPELLINGS = [
    "../../etc/passwd", "/../etc/passwd", "pub/../../etc/passwd", "..\\..\\etc\\passwd",
    "/%2e%2e/etc/passwd", "....//etc/passwd", "pub/..;/..;/etc/passwd", "/etc/passwd",
    "\xc0\xae\xc0\xae/etc/passwd", "secret", "pub/../secret", "C:/etc/passwd",
    "//etc/passwd", "./.././../etc/passwd", "media/live/../../../etc/passwd",
    "media/live/up/etc/passwd", "media/live/up", "~root/.profile", "-la /etc"]


def test_no_spelling_leads_out(client, server):
    ftp = log_in(client, encoding="latin-1")
    ftp.voidcmd("TYPE I")
    for spelling in SPELLINGS:
        for command in ("RETR", "SIZE", "MDTM", "CWD", "MLST", "STAT", "LIST", "NLST",
                        "MLSD"):
            if command in ("RETR", "LIST", "NLST", "MLSD"):
                ftp.sendcmd("EPSV")
            ftp.putcmd(f"{command} {spelling}")
            reply = ftp.getmultiline()
            assert reply[0] == "5", (command, spelling, reply)


def test_no_data_goes_to_another_machine(network, client, server):
    """RFC 2577 3"""
    other = network.other(9)
    with inside(other):
        victim = socket.create_server(("10.77.0.9", 2525))
    victim.settimeout(0.5)
    ftp = log_in(client)
    for command in ("PORT 10,77,0,9,9,221", "EPRT |1|10.77.0.9|2525|",
                    "PORT 127,0,0,1,9,221", "PORT 10,77,0,2,0,25", "PORT 0,0,0,0,9,9"):
        assert refused(ftp, command).startswith("504")
        assert refused(ftp, "RETR hello.txt").startswith("425")
    with pytest.raises(TimeoutError):
        victim.accept()
    server.wait_for("data connection to another machine was asked for")
    # And nobody takes the data of others: the right client still gets it.
    reply = ftp.sendcmd("EPSV")
    port = int(re.search(r"\|(\d+)\|", reply)[1])
    assert port >= 49152
    with inside(other):
        thieves = [socket.create_connection(("10.77.0.1", port), 5) for _ in range(3)]
    ftp.putcmd("RETR hello.txt")
    assert ftp.getresp().startswith("150")
    for thief in thieves:
        with contextlib.suppress(ConnectionResetError):
            assert thief.recv(100) == b""
    with inside(client):
        data = socket.create_connection(("10.77.0.1", port), 5)
    assert data.recv(100) == b"hello,\nmachine\n".replace(b"\n", b"\r\n")
    assert ftp.voidresp().startswith("226")


def test_abor_in_the_middle(client, server):
    """RFC 959 4.1.3: behind an interrupt, its mark urgent"""
    ftp = log_in(client)
    ftp.voidcmd("TYPE I")
    with inside(client):
        data = ftp.transfercmd("RETR media/live/big")
    data.recv(1000)
    ftp.sock.sendall(b"\xff\xf4\xff", socket.MSG_OOB)
    ftp.sock.sendall(b"\xf2ABOR\r\n")
    replies = [ftp.getmultiline(), ftp.getmultiline()]
    assert replies[0][:3] in ("426", "226") and replies[1].startswith("226"), replies
    data.close()
    assert ftp.voidcmd("NOOP").startswith("200")


def test_commands_sent_ahead(client, server):
    with inside(client):
        sock = socket.create_connection(("10.77.0.1", 21), 10)
    sock.sendall(b"USER ftp\r\nPASS x\r\nTYPE I\r\nSIZE hello.txt\r\nCWD pub\r\nPWD\r\n"
                 b"RETR big\r\nQUIT\r\nNOOP\r\n")
    got = b""
    while chunk := sock.recv(4096):
        got += chunk
    codes = [line[:3] for line in got.decode().splitlines()]
    assert codes == ["220", "331", "230", "200", "213", "250", "257", "425", "221"]


def test_a_client_that_takes_nothing_holds_up_nobody(client, server, tree):
    """Nor one that connects and says nothing, nor one that never comes for its data."""
    silent = log_in(client)
    late = log_in(client)
    late.sendcmd("EPSV")
    late.putcmd("RETR media/live/big")
    stuck = log_in(client)
    stuck.voidcmd("TYPE I")
    with inside(client):
        data = stuck.transfercmd("RETR media/live/big")
    other = log_in(client)
    assert fetch(client, other, "RETR media/live/big") == (tree / "big").read_bytes()
    assert stuck.sock.fileno() >= 0 and data.fileno() >= 0
    assert silent.voidcmd("NOOP").startswith("200")


def test_one_address_has_so_many_connections(network, client, media, root):
    config = SERVER + "ftp: {port: 21, per-source: 2}\n"
    with lab.Server(network, "--root", root, config=config) as server:
        kept = [log_in(client), log_in(client)]
        with inside(client):
            third = socket.create_connection(("10.77.0.1", 21), 10)
        assert third.recv(100).startswith(b"421")
        server.wait_for(r"ftp.per-source")
        kept[0].quit()
        # The end is seen a moment later: ask until there is room.
        for _ in range(50):
            with contextlib.suppress(ftplib.all_errors):
                assert log_in(client).voidcmd("NOOP").startswith("200")
                break
        else:
            raise AssertionError("no room was made")
        assert kept[1].voidcmd("NOOP").startswith("200")


def test_passive_ports_lie_in_the_range(network, client, root):
    """And bootjack firewall knows them; when all are taken it is said."""
    config = SERVER + "ftp: {port: 21, port-range: 40000-40003}\n"
    with lab.Server(network, "--root", root, config=config) as server:
        clients = [log_in(client) for _ in range(5)]
        ports = set()
        for ftp in clients[:4]:
            port = int(re.search(r"\|(\d+)\|", ftp.sendcmd("EPSV"))[1])
            assert 40000 <= port <= 40003
            ports.add(port)
        # Two workers, one client: all of them are one worker's.
        assert len(ports) == 4
        assert refused(clients[4], "PASV").startswith("425")
        server.wait_for("no port is free for a data connection")
        clients[0].voidcmd("ABOR")
        assert clients[4].sendcmd("PASV").startswith("227")
        rules = server.query("firewall", "nftables", "-c",
                             str(server.path / "bootjack.yaml"))
        assert "dport 21 " in rules and "dport 40000-40003 " in rules
        for _ in range(20):  # ports of transfers that are over are good again at once
            assert fetch(client, clients[4], "RETR pub/big")


def test_status_tells_which_doors_are_open_where(network, client, server):
    doors = json.loads(server.query("status", "--json"))["doors"]
    assert {"door": "ftp", "protocol": "tcp", "interface": "br0",
            "address": "10.77.0.1", "port": 21} in doors
    assert any(door["door"] == "tftp" and door["protocol"] == "udp" for door in doors)
    assert len(doors) == len({json.dumps(door) for door in doors})
    # Those of IPv6, which every interface has of itself, by their own address.
    assert {"10.77.0.1"} < {door["address"] for door in doors}
    assert all(":" in door["address"] or door["address"] == "10.77.0.1"
               for door in doors)
    assert re.search(r"ftp 21/tcp +10\.77\.0\.1 on br0", server.query("status"))


def test_the_door_opens_and_closes_at_a_reload(network, client, root):
    with lab.Server(network, "--root", root, config=SERVER) as server:
        with inside(client), pytest.raises(ConnectionRefusedError):
            socket.create_connection(("10.77.0.1", 21), 5)
        assert '"ftp"' not in json.dumps(
            json.loads(server.query("status", "--json"))["doors"])
        (server.path / "bootjack.yaml").write_text(ON)
        os.kill(server.pid, signal.SIGHUP)
        server.wait_for("reloaded")
        for _ in range(100):
            with contextlib.suppress(OSError, EOFError):
                ftp = log_in(client)
                assert fetch(client, ftp, "RETR pub/big") == \
                    (root / "pub/big").read_bytes()
                break
        else:
            raise AssertionError("the door did not open")
        # A limit is taken without a connection being hurt.
        (server.path / "bootjack.yaml").write_text(SERVER + "ftp: {port: 21, "
                                                   "per-source: 1}\n")
        os.kill(server.pid, signal.SIGHUP)
        server.wait_for("reloaded: serving")
        assert ftp.voidcmd("NOOP").startswith("200")
        with inside(client):
            second = socket.create_connection(("10.77.0.1", 21), 10)
        assert second.recv(100).startswith(b"421")


def test_generated_files_and_other_spellings(network, client, root, media):
    config = SERVER + "ftp: {port: 21, root: /pub}\n"
    with lab.Server(network, "--media", media, "--root", root, config=config) as server:
        server.wait_for("medium live")
        ftp = log_in(client)
        ftp.voidcmd("TYPE I")
        menu = fetch(client, ftp, "RETR boot.ipxe")
        assert menu.startswith(b"#!ipxe")
        assert ftp.sendcmd("SIZE boot.ipxe") == f"213 {len(menu)}"
        # The same each time it is asked for, whenever it was made.
        assert ftp.sendcmd("MDTM boot.ipxe") == ftp.sendcmd("MDTM boot.ipxe")
        assert fetch(client, ftp, "RETR HELLO.TXT") == b"hello,\nmachine\n"
        assert len(fetch(client, ftp, "RETR big")) == 2_500_000  # below ftp.root
        ftp.cwd("sub")
        assert ftp.pwd() == "/sub"
        assert "nearest: /hello.txt" in refused(ftp, "SIZE /helo.txt")
        server.wait_for(r"ftp helo.txt: not found")


def test_what_is_replaced_while_it_is_read_is_not_mixed(client, server, root):
    ftp = log_in(client)
    ftp.voidcmd("TYPE I")
    path = root / "pub/huge"
    with open(path, "wb") as file:
        file.truncate(64 << 20)
    with inside(client):
        data = ftp.transfercmd("RETR pub/huge")
    data.recv(1000)
    with open(path, "r+b") as file:
        file.truncate(32 << 20)
    with pytest.raises(ConnectionResetError):
        while data.recv(1 << 20):
            pass
    assert ftp.getmultiline().startswith("451")
    server.wait_for("file-failed|could not be read, or was replaced")


def test_hostile_bytes_do_no_harm(client, server):
    """Whatever comes: an answer or an end, and the server lives on."""
    for data in (b"\0" * 5000, b"\xff" * 5000, b"A" * 5000 + b"\r\n", b"\r\n" * 100,
                 b"USER ftp\r\nPASS x\r\n" + b"RETR " + b"../" * 390 + b"\r\n",
                 b"PORT " + b"9" * 900 + b"\r\n", b"GET / HTTP/1.1\r\n\r\n" * 50,
                 struct.pack(">III", 0x80000028, 1, 0) * 10):
        with inside(client):
            sock = socket.create_connection(("10.77.0.1", 21), 10)
        with contextlib.suppress(OSError):
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            got = b""
            while chunk := sock.recv(65536):
                got += chunk
            assert got.startswith(b"220 ")
            assert all(line[:3].isdigit() or line[:1] == b" "
                       for line in got.split(b"\r\n") if line), got
        sock.close()
    assert log_in(client).voidcmd("NOOP").startswith("200")
