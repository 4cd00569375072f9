"""The doors for files over IPv6, by a network's address and by a wire's own."""
import json
import os
import re
import socket
import subprocess
import time

import pytest

import lab
from conftest import SERVER, inside
from test_transfers import Tftp

OURS, THEIRS = "fd77::1", "fd77::2"


def scope(namespace, device):
    with inside(namespace):
        return socket.if_nametoindex(device)


def link_local(namespace, device):
    """Once it has been tried out: nothing is sent from it before."""
    end = time.monotonic() + 20
    while True:
        text = lab.run("ip", "-netns", namespace, "-6", "-o", "address", "show", "dev",
                       device, "scope", "link").stdout
        if "fe80:" in text and "tentative" not in text:
            return re.search(r"inet6 (fe80:[0-9a-f:]+)", text)[1]
        assert time.monotonic() < end, text
        time.sleep(0.1)


@pytest.fixture
def client6(network, client):
    network.ip("address", "add", f"{OURS}/64", "dev", "br0", "nodad")
    lab.run("ip", "-netns", client, "address", "add", f"{THEIRS}/64", "dev", "eth0", "nodad")
    return client


@pytest.fixture
def root(folder):
    made = folder / "root"
    made.mkdir()
    (made / "kernel").write_bytes(os.urandom(200001))
    return made


@pytest.fixture
def server(network, client6, root):
    with lab.Server(network, "--root", root, config=SERVER) as made:
        yield made


class Tftp6(Tftp):
    """The same reader, over IPv6."""
    server = (OURS, 69)

    def open(self, client):
        with inside(client):
            made = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            made.bind(("::", 0))
        made.settimeout(5)
        return made


def curl(client, url, *arguments):
    return subprocess.run(["ip", "netns", "exec", client, "curl", "-gsSk", "-m", "20",
                           *arguments, url], capture_output=True, check=True).stdout


@pytest.mark.parametrize("options", [{}, {"blksize": 1400, "windowsize": 8, "tsize": 0}])
def test_tftp(client6, root, server, options):
    reader = Tftp6(client6, "kernel", **options)
    assert reader.read() == (root / "kernel").read_bytes()
    server.wait_for("fd77::2 .*tftp kernel: ")


def test_blocks_leave_room_for_the_longer_header(client6, root, server):
    assert Tftp6(client6, "kernel", blksize=65464).granted["blksize"] == "1448"


def test_http_and_https(client6, root, server):
    data = (root / "kernel").read_bytes()
    assert curl(client6, f"http://[{OURS}]/kernel") == data
    assert curl(client6, f"https://[{OURS}]/kernel") == data
    assert curl(client6, f"http://[{OURS}]/kernel", "-r", "1000-1999") == data[1000:2000]


def test_the_certificate_is_for_these_addresses_too(client6, folder, server):
    (folder / "ca.pem").write_bytes(curl(client6, f"http://[{OURS}]/bootjack-ca.pem"))
    got = subprocess.run(["ip", "netns", "exec", client6, "curl", "-gsS", "--cacert",
                          folder / "ca.pem", f"https://[{OURS}]/kernel"],
                         capture_output=True, check=True)
    assert got.stdout


def test_the_address_of_a_wire(network, client6, root, server):
    ours = link_local(network.name, "br0")
    link_local(client6, "eth0")
    Tftp6.server = (ours, 69, 0, scope(client6, "eth0"))
    try:
        data = (root / "kernel").read_bytes()
        assert Tftp6(client6, "kernel", blksize=1400).read() == data
    finally:
        Tftp6.server = (OURS, 69)
    assert curl(client6, f"http://[{ours}%eth0]/kernel") == data


def test_menus_are_made_for_a_client_of_ipv6(client6, server):
    """What they name is our address of IPv4 on that interface."""
    menu = curl(client6, f"http://[{OURS}]/boot.ipxe")
    assert menu.startswith(b"#!ipxe") and b"0.0.0.0" not in menu


def test_an_address_that_comes_later_is_served(network, client6, root, server):
    network.ip("address", "add", "fd77::5/64", "dev", "br0")  # to be tried out first
    lab.wait_for([server.process], server.process, "ready", 5)
    for _ in range(50):
        text = json.loads(server.query("status", "--json"))
        if "fd77::5" in text["interfaces"][0]["addresses6"]:
            break
        server.process.read(0.2)
    else:
        raise AssertionError(text)
    got = subprocess.run(["ip", "netns", "exec", client6, "curl", "-gsS", "--retry", "20",
                          "--retry-connrefused", "--retry-delay", "1", "-m", "20",
                          "http://[fd77::5]/kernel"], capture_output=True, check=True)
    assert got.stdout == (root / "kernel").read_bytes()
    network.ip("address", "del", "fd77::5/64", "dev", "br0")
    assert Tftp6(client6, "kernel", blksize=1400).read() == got.stdout


def test_limits_hold_for_each_address(network, client6, root):
    config = SERVER + "tftp: {per-source: 2}\n"
    with lab.Server(network, "--root", root, config=config) as server:
        held = [Tftp6(client6, "kernel", blksize=1000) for _ in range(2)]
        third = Tftp6(client6, "nothing", wait=False)
        server.wait_for("too many transfers for one address")
        assert Tftp(client6, "kernel", blksize=1000).read()  # of IPv4
        third.sock.close()
        assert all(reader.read() for reader in held)


def test_the_access_log_says_who(network, client6, root, folder):
    log = folder / "access.log"
    log.touch(mode=0o666)
    log.chmod(0o666)
    config = SERVER + f"http: {{access-log: {log}}}\n"
    with lab.Server(network, "--root", root, config=config):
        curl(client6, f"http://[{OURS}]/kernel")
        assert log.read_text().startswith(f"{THEIRS} - - [")
