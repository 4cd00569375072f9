import email
import json
import os
import re
import socket
import struct
import subprocess

import pytest

import lab
from conftest import SERVER, inside, udp_socket


@pytest.fixture
def root(folder):
    made = folder / "root"
    (made / "images/centos").mkdir(parents=True)
    (made / "hello.txt").write_text("hello, machine\n")
    (made / "images/centos/file").write_text("below\n")
    (made / "big").write_bytes(os.urandom(300000))
    (made / "out").symlink_to("/etc/passwd")
    (made / "in").symlink_to("hello.txt")
    return made


@pytest.fixture
def server(network, root):
    with lab.Server(network, "--root", root,
                    config=SERVER + "http: {root: /images}\n") as made:
        yield made


def curl(network, client, *arguments):
    return subprocess.run(network.inside("curl", "-s", "--path-as-is", "-m", "10",
                                         *arguments, where=client),
                          capture_output=True)


def status(network, client, path, *arguments):
    return curl(network, client, "-o", "/dev/null", "-w", "%{http_code}", *arguments,
                "http://10.77.0.1" + path).stdout.decode()


def test_curl_gets_heads_and_ranges(network, client, server, root):
    url = "http://10.77.0.1/big"
    data = (root / "big").read_bytes()
    assert curl(network, client, url).stdout == data
    assert curl(network, client, "-r", "1000-1999", url).stdout == data[1000:2000]
    assert curl(network, client, "-r", "-5", url).stdout == data[-5:]
    head = curl(network, client, "-I", url).stdout.decode().lower()
    assert "content-length: 300000" in head and "accept-ranges: bytes" in head
    assert status(network, client, "/big", "-r", "400000-") == "416"
    etag = [line for line in head.splitlines() if line.startswith("etag")][0].split()[1]
    assert status(network, client, "/big", "-H", f"If-None-Match: {etag}") == "304"


def test_curl_gets_several_ranges_at_once(network, client, server, root):
    data = (root / "big").read_bytes()
    got = curl(network, client, "-i", "-r", "299990-,0-9,70000-139999",
               "http://10.77.0.1/big").stdout
    head, body = got.split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.1 206")
    answer = email.message_from_bytes(head.split(b"\r\n", 1)[1] + b"\r\n\r\n" + body)
    assert int(answer["Content-Length"]) == len(body)
    boundary = answer.get_boundary().encode()
    parts = body.split(b"\r\n--" + boundary)[1:]
    assert parts.pop() == b"--\r\n"
    pieces = [part.split(b"\r\n\r\n", 1)[1] for part in parts]
    assert pieces == [data[299990:], data[:10], data[70000:140000]]
    whole = curl(network, client, "-r", ",".join(["0-"] * 5), "http://10.77.0.1/big")
    assert whole.stdout == data


def test_one_connection_carries_many_requests(network, client, server):
    got = curl(network, client, "-w", "%{num_connects} ", "http://10.77.0.1/hello.txt",
               "http://10.77.0.1/in")
    assert got.stdout == b"hello, machine\n1 hello, machine\n0 "


def test_what_is_not_there_or_not_allowed_says_so(network, client, server):
    assert status(network, client, "/nothing") == "404"
    assert status(network, client, "/hello.txt", "-X", "DELETE") == "405"
    assert status(network, client, "/hello.txt", "-d", "x") == "405"
    assert status(network, client, "/hello.txt", "-X", "BREW") == "501"
    assert status(network, client, "/" + "a" * 9000) == "414"
    assert status(network, client, "/hello.txt", "-H", "X: " + "a" * 9000) == "431"
    assert status(network, client, "/images") == "301"
    listing = curl(network, client, "http://10.77.0.1/images/").stdout
    assert b"centos/" in listing


def test_http_root_is_looked_in_second(network, client, server):
    assert curl(network, client, "http://10.77.0.1/centos/file").stdout == b"below\n"


@pytest.mark.parametrize("path", [
    "/../etc/passwd", "/..%2fetc/passwd", "/%2e%2e/etc/passwd", "/a/../../etc/passwd",
    "/..%5c..%5cetc/passwd", "//etc/passwd", "/%2fetc/passwd", "/hello.txt%00.png",
    "/out", "/%c0%ae%c0%ae/etc/passwd"])
def test_no_path_leaves_the_tree_by_http(network, client, server, path):
    got = curl(network, client, "-w", "%{http_code}", "http://10.77.0.1" + path).stdout
    assert b"root:" not in got
    assert got[-3:] in (b"400", b"403", b"404")


def tftp_ask(client, path, *options, mode=b"octet"):
    sock = udp_socket(client)
    packet = struct.pack("!H", 1) + path + b"\0" + mode + b"\0"
    for name, value in options:
        packet += name + b"\0" + value + b"\0"
    sock.sendto(packet, ("10.77.0.1", 69))
    answer, peer = sock.recvfrom(65536)
    return sock, answer, peer


@pytest.mark.parametrize("path", [
    b"../etc/passwd", b"/../../etc/passwd", b"a/../../etc/passwd", b"..\\etc\\passwd",
    b"out", b"C:\\boot.ini", b"\xc0\xae\xc0\xae/etc/passwd"])
def test_no_path_leaves_the_tree_by_tftp(network, client, server, path):
    _, answer, _ = tftp_ask(client, path)
    assert struct.unpack("!H", answer[:2]) == (5,), answer[:80]


def test_an_absolute_path_means_the_tree_by_tftp(network, client, server):
    _, answer, _ = tftp_ask(client, b"/etc/passwd")
    assert answer[:4] == struct.pack("!HH", 5, 1)
    _, answer, _ = tftp_ask(client, b"/hello.txt")
    assert answer == struct.pack("!HH", 3, 1) + b"hello, machine\n"


def test_tftp_hpa_gets_a_file(network, client, server, root, folder):
    lab.run(*network.inside("tftp", "10.77.0.1", "-m", "binary", "-c", "get", "big",
                            where=client), cwd=folder)
    assert (folder / "big").read_bytes() == (root / "big").read_bytes()


def test_tftp_options_are_granted(network, client, server, root):
    sock, oack, peer = tftp_ask(client, b"big", (b"blksize", b"1400"), (b"tsize", b"0"),
                                (b"timeout", b"2"), (b"windowsize", b"4"))
    assert oack[:2] == struct.pack("!H", 6)
    fields = oack[2:].split(b"\0")
    granted = dict(zip(fields[0::2], fields[1::2]))
    assert granted == {b"blksize": b"1400", b"tsize": b"300000", b"timeout": b"2",
                       b"windowsize": b"4"}
    data, block = b"", 0
    sock.sendto(struct.pack("!HH", 4, 0), peer)
    while True:
        packet = sock.recv(65536)
        kind, number = struct.unpack("!HH", packet[:4])
        assert kind == 3
        if number != block + 1:
            continue
        block = number
        data += packet[4:]
        last = len(packet) < 1404
        if last or block % 4 == 0:
            sock.sendto(struct.pack("!HH", 4, block), peer)
        if last:
            break
    assert data == (root / "big").read_bytes()


def test_a_missing_file_names_the_nearest(network, client, server):
    _, answer, _ = tftp_ask(client, b"helo.txt")
    assert answer[:4] == struct.pack("!HH", 5, 1)
    assert b"hello.txt" in answer
    server.wait_for(r"tftp helo\.txt: ")


@pytest.mark.parametrize("asked,there", [
    ("grubx46.efi", "grubx64.efi"), ("snponly.eif", "snponly.efi"),
    ("/pxelinx.0", "pxelinux.0"), ("efi64/sylinux.efi", "efi64/syslinux.efi")])
def test_a_loader_spelt_wrong_is_told_with_who_asked_and_the_nearest(
        network, client, server, asked, there):
    """Was: the log said "not found", and only the machine and --json the nearest."""
    _, answer, _ = tftp_ask(client, asked.encode())
    assert answer[:4] == struct.pack("!HH", 5, 1)
    assert f"(nearest: {there})".encode() in answer
    server.wait_for(re.escape(asked.lstrip("/")) + ".*" + re.escape(there))
    events = [json.loads(line) for line in server.query("events", "--json").splitlines()]
    told = [e for e in events if e.get("nearest") == there]
    assert [(e["file"], e["address"]) for e in told] == [(asked.lstrip("/"), "10.77.0.2")]


def test_what_a_loader_does_without_is_no_warning(network, client, server):
    """Was: three warnings at every boot by shim."""
    _, answer, _ = tftp_ask(client, b"revocations_sbat.efi")
    assert answer[:4] == struct.pack("!HH", 5, 1)
    server.wait_for(r"tftp revocations_sbat\.efi: not found, and shim does without")
    assert "warning: tftp revocations_sbat" not in server.process.text


def test_menus_are_generated_and_root_wins(network, client, server, root):
    def get(path):
        return curl(network, client, "http://10.77.0.1/" + path).stdout

    for path, said in (("pxelinux.cfg/default", b"LOCALBOOT 0"),
                       ("pxelinux.cfg/01-52-54-00-12-34-56", b"LOCALBOOT 0"),
                       ("grub/grub.cfg", b"menuentry"), ("boot.ipxe", b"#!ipxe")):
        assert said in get(path)
    assert get("pxelinux.cfg/nonsense") != b"" and b"LOCALBOOT" not in get(
        "pxelinux.cfg/nonsense")
    (root / "pxelinux.cfg").mkdir()
    (root / "pxelinux.cfg/default").write_text("MINE\n")
    assert get("pxelinux.cfg/default") == b"MINE\n"


def test_an_iso_comes_and_goes(network, client, folder):
    media = folder / "media"
    media.mkdir()
    with lab.Server(network, "--media", media, config=SERVER) as server:
        server.wait_for("ready: ")
        lab.installer_iso(media / "some name.iso")
        server.wait_for(r"medium some-name: debian 12")
        menu = curl(network, client, "http://10.77.0.1/pxelinux.cfg/default").stdout
        assert b"LABEL debian-12" in menu
        inner = curl(network, client,
                     "http://10.77.0.1/media/some-name/version.info").stdout
        assert inner == (lab.INSTALLER / "version.info").read_bytes()
        raw = curl(network, client, "-r", "32769-32773",
                   "http://10.77.0.1/iso/some-name.iso").stdout
        assert raw == b"CD001"
        whole = (media / "some name.iso").read_bytes()
        (media / "some name.iso").unlink()
        server.wait_for(r"medium some-name has gone")
        menu = curl(network, client, "http://10.77.0.1/pxelinux.cfg/default").stdout
        assert b"debian-12" not in menu
        (media / "cut.iso").write_bytes(whole[:1000000])
        server.wait_for(r"cut\.iso is not served: truncated: 1000000 of \d+ bytes")
        (media / "noise.iso").write_bytes(b"\0" * 100000)
        server.wait_for(r"noise\.iso is not served: not an ISO image")
        assert json.loads(server.query("media", "--json")) == []
        assert status(network, client, "/iso/cut.iso") == "404"


def test_an_unknown_medium_is_served_and_listed(network, client, folder):
    media, tree = folder / "media", folder / "tree"
    media.mkdir()
    tree.mkdir()
    (tree / "readme").write_text("just files\n")
    lab.make_iso(media / "files.iso", tree, "FILES")
    with lab.Server(network, "--media", media, config=SERVER) as server:
        server.wait_for("medium files: unknown system")
        got = curl(network, client, "http://10.77.0.1/media/files/readme").stdout
        assert got == b"just files\n"
        (medium,) = json.loads(server.query("media", "--json"))
        assert medium["system"] == "unknown" and medium["entries"] == []


def test_an_extracted_tree_is_a_medium(network, client, folder):
    tree = folder / "el6"
    (tree / "images/pxeboot").mkdir(parents=True)
    (tree / "images/pxeboot/vmlinuz").write_text("kernel")
    (tree / "images/pxeboot/initrd.img").write_text("initrd")
    (tree / ".treeinfo").write_text(
        "[general]\nfamily = CentOS\ntimestamp = 1530551112.19\nvariant =\n"
        "version = 6.10\narch = x86_64\n\n[images-x86_64]\n"
        "kernel = images/pxeboot/vmlinuz\ninitrd = images/pxeboot/initrd.img\n")
    with lab.Server(network, "--media", tree, config=SERVER) as server:
        server.wait_for(r"medium el6: centos 6\.10")
        menu = curl(network, client, "http://10.77.0.1/pxelinux.cfg/default").stdout
        assert b"method=http://10.77.0.1/media/el6" in menu
        got = curl(network, client,
                   "http://10.77.0.1/media/el6/images/pxeboot/vmlinuz").stdout
        assert got == b"kernel"


def test_text_is_asked_for_as_netascii(network, client, server, root, folder):
    """Byte for byte on the wire; the classic client, whose default it is, turns it back."""
    text = b"x" * 511 + b"\nand\rmore\r\n" + b"line\n" * 400
    (root / "text").write_bytes(text)
    wire = text.replace(b"\r", b"\r\0").replace(b"\n", b"\r\n")
    got, sock = b"", udp_socket(client)
    sock.sendto(b"\0\1text\0netascii\0tsize\x000\0", ("10.77.0.1", 69))
    answer, peer = sock.recvfrom(2000)
    assert answer == b"\0\6tsize\0" + str(len(wire)).encode() + b"\0"
    for block in range(len(wire) // 512 + 1):
        sock.sendto(struct.pack("!HH", 4, block), peer)
        answer = sock.recv(2000)
        assert answer[:4] == struct.pack("!HH", 3, block + 1)
        got += answer[4:]
    sock.sendto(struct.pack("!HH", 4, len(wire) // 512 + 1), peer)
    assert got == wire
    for mode in ("netascii", "octet"):
        made = folder / mode
        lab.run(*network.inside("tftp", "-m", mode, "10.77.0.1", "-c", "get", "text", made,
                                where=client))
        assert made.read_bytes() == text
    with open(root / "large", "wb") as large:
        large.truncate(17 << 20)
    sock.sendto(b"\0\1large\0netascii\0", ("10.77.0.1", 69))
    assert b"binary mode" in sock.recv(2000)
