"""Trouble of the machine's own: full disks, dead processes, files that change."""
import fcntl
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

import pytest

import lab
from conftest import SERVER, udp_socket
from test_addresses import take
from test_dhcp import PXE_BIOS, exchange, leases, message
from test_life import curl, wait_for_new, wait_until_serving


@pytest.fixture
def small_disk(folder):
    """A file system of its own, with room for little."""
    place = folder / "disk"
    place.mkdir()
    lab.run("mount", "-t", "tmpfs", "-o", "size=1m,mode=0755", "none", place)
    yield place
    lab.run("umount", "-l", place)


def test_no_address_is_promised_while_the_disk_is_full(network, bare, small_disk):
    """Durable before said: silence, and the lease as soon as there is room again."""
    with lab.Server(network, config=SERVER, state=small_disk / "state") as server:
        sock = udp_socket(bare, 68)
        offer, options = exchange(sock, message("discover"))
        request = message("request", ("server_id", options["server_id"]),
                          ("requested_addr", offer.yiaddr))
        fill = small_disk / "fill"
        with open(fill, "wb", 0) as out, pytest.raises(OSError):
            while True:
                out.write(b"x" * 512)
        sock.sendto(request, ("255.255.255.255", 67))
        server.wait_for("the state cannot be written")
        assert not json.loads(server.query("status", "--json"))["state_writable"]
        sock.settimeout(0.3)
        with pytest.raises(TimeoutError):
            sock.recv(2048)
        fill.unlink()
        sock.settimeout(5)
        ack, got = exchange(sock, request)
        assert got["message-type"] == 5 and ack.yiaddr == offer.yiaddr
        server.wait_for("the state can be written again")


def test_every_role_killed_at_once(network, client, bare, folder):
    (folder / "media").mkdir()
    lab.installer_iso(folder / "media/debian.iso")
    with lab.Server(network, "--media", folder / "media", config=SERVER) as server:
        server.wait_for("ready: ")
        address, _ = take(udp_socket(bare, 68))
        before = server.roles()
        for pid in sum(before.values(), []):
            server.kill(pid)
        for name in before:
            wait_for_new(server, name, before[name])
        assert take(udp_socket(bare, 68))[0] == address
        server.wait_for("(?s)medium debian: .*medium debian: ")
        assert "debian-12" in curl(network, client, "/pxelinux.cfg/default")
        assert "bookworm" in curl(network, client, "/media/debian/version.info")


def test_a_role_that_dies_again_and_again(network, client, bare):
    """It is started again each time, and nothing piles up in the others."""
    with lab.Server(network, config=SERVER) as server:
        files = server.roles()["files"]

        def n_open():
            return [len(os.listdir(f"/proc/{pid}/fd")) for pid in files]

        for turn in range(4):
            old = server.roles()["core"]
            server.kill(old[0])
            wait_for_new(server, "core", old)
            wait_until_serving(server)
            if turn == 0:
                first = n_open()
        assert n_open() == first
        assert take(udp_socket(bare, 68))[0] == "10.77.0.20"


def start(network, folder, *flags):
    return lab.Process(network.inside(lab.program(), "serve", "--interface", "br0",
                                      "--state", folder / "state", *flags),
                       env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0"))


def wait_for_children(process, n):
    end = time.monotonic() + 10
    while len(lab.children(process.process.pid)) < n:
        assert time.monotonic() < end and process.process.poll() is None
        process.read(0.001)


@pytest.mark.parametrize("n_children", [0, 1, 3, 5])
def test_sigterm_while_it_starts_ends_it(network, folder, n_children):
    server = start(network, folder)
    wait_for_children(server, n_children)
    children = lab.children(server.process.pid)
    assert server.end(signal.SIGTERM) in (0, 1, -signal.SIGTERM)
    assert not [pid for pid in children if not lab.has_ended(pid)]
    assert not lab.run("ip", "netns", "pids", network.name).stdout.split()


def test_sighup_while_it_starts_does_no_harm(network, client, folder):
    (folder / "c.yaml").write_text(SERVER)
    server = start(network, folder, "-c", folder / "c.yaml")
    try:
        wait_for_children(server, 5)
        for _ in range(5):
            server.process.send_signal(signal.SIGHUP)
        lab.wait_for([server], server, "ready: ", 20)
        lab.wait_for([server], server, "Look next", 20)
        assert curl(network, client, "/boot.ipxe").startswith("#!ipxe")
        assert "died" not in server.text and "Sanitizer" not in server.text
    finally:
        assert server.end() == 0


def test_many_reloads_in_a_row(network, client, folder):
    with lab.Server(network, config=SERVER) as server:
        path = server.path / "bootjack.yaml"
        # Whole files only: half a file may well be a configuration, too.
        new = server.path / "new.yaml"
        for i in range(30):
            new.write_text(SERVER + f"menu: {{title: Menu {i}}}\nhttp: "
                           f"{{index: {'true' if i % 2 else 'false'}}}\n")
            new.rename(path)
            server.process.process.send_signal(signal.SIGHUP)
        new.write_text(SERVER + "menu: {title: The last}\n")
        new.rename(path)
        server.process.process.send_signal(signal.SIGHUP)
        end = time.monotonic() + 10
        while "MENU TITLE The last" not in curl(network, client,
                                                "/pxelinux.cfg/default"):
            assert time.monotonic() < end


def test_doors_that_move_back_and_forth(network, client):
    """A reload that opens another port restarts the roles; each time all of it serves."""
    with lab.Server(network, config=SERVER) as server:
        path = server.path / "bootjack.yaml"
        for turn, port in enumerate((8080, 80, 8080, 80), 1):
            path.write_text(SERVER + f"http: {{port: {port}}}\n")
            server.process.process.send_signal(signal.SIGHUP)
            server.wait_for("(?s)" + "configuration reloaded: doors.*" * turn)
            got = lab.run(*network.inside(
                "curl", "-sf", "-m", "10", "--retry", "20", "--retry-delay", "0",
                "--retry-all-errors", f"http://10.77.0.1:{port}/boot.ipxe",
                where=client)).stdout
            assert got.startswith("#!ipxe")


def test_media_below_a_private_home_are_served(network, client, folder):
    """The parent opens the folder while it is root; the roles could not enter it."""
    home = folder / "home"
    (home / "isos").mkdir(parents=True)
    lab.installer_iso(home / "isos/debian.iso")
    home.chmod(0o700)
    with lab.Server(network, "--media", home / "isos", config=SERVER) as server:
        server.wait_for("medium debian: debian 12")
        assert "bookworm" in curl(network, client, "/media/debian/version.info")
        shutil.copy(home / "isos/debian.iso", home / "isos/second.iso")
        server.wait_for("medium second: debian 12")
        assert "bookworm" in curl(network, client, "/media/second/version.info")


def test_a_file_that_only_root_may_read_is_said(network, client, folder):
    (folder / "media").mkdir()
    iso = lab.installer_iso(folder / "media/secret.iso")
    iso.chmod(0o600)
    with lab.Server(network, "--media", folder / "media", config=SERVER) as server:
        server.wait_for(r"secret\.iso is not served: .*(ermission|read)")
        iso.chmod(0o644)
        server.wait_for("medium secret: debian 12")


def test_an_iso_that_is_still_being_copied(network, client, folder):
    """It is not served before it is whole."""
    (folder / "media").mkdir()
    data = lab.installer_iso(folder / "whole.iso").read_bytes()
    with lab.Server(network, "--media", folder / "media", config=SERVER) as server:
        with open(folder / "media/debian.iso", "wb", 0) as out:
            for at in range(0, len(data), len(data) // 8):
                out.write(data[at:at + len(data) // 8])
                assert json.loads(server.query("media", "--json")) == [] or \
                    at + len(data) // 8 >= len(data)
        server.wait_for("medium debian: debian 12")
        assert "bookworm" in curl(network, client, "/media/debian/version.info")


def test_an_iso_that_is_replaced_by_another(network, client, folder):
    tree = folder / "tree"
    (folder / "media").mkdir()
    tree.mkdir()
    with lab.Server(network, "--media", folder / "media", config=SERVER) as server:
        for word in ("first", "second"):
            (tree / "word").write_text(word)
            lab.make_iso(folder / "new.iso", tree, word.upper())
            (folder / "new.iso").rename(folder / "media/disc.iso")
            server.wait_for("(?s)" + "medium disc: .*" * (1 + (word == "second")))
            end = time.monotonic() + 5
            while curl_or_nothing(network, client, "/media/disc/word") != word:
                assert time.monotonic() < end


def curl_or_nothing(network, client, path):
    return subprocess.run(network.inside("curl", "-s", "-m", "10",
                                         "http://10.77.0.1" + path, where=client),
                          capture_output=True, text=True).stdout


def test_a_media_folder_that_comes_late(network, client, folder):
    with lab.Server(network, "--media", folder / "media", config=SERVER) as server:
        (folder / "media").mkdir()
        lab.installer_iso(folder / "media/debian.iso")
        server.wait_for("medium debian: debian 12")
        assert "bookworm" in curl(network, client, "/media/debian/version.info")


@pytest.mark.parametrize("name", [
    "with space & (brackets).iso", "zwölf €.iso", "-rf.iso", "a\nLABEL evil.iso",
    "$(reboot) `id` ${x}.iso", "%2e%2e.iso", "'\";}{.iso", "x" * 200 + ".iso"],
    ids=["space", "UTF-8", "dash", "newline", "shell", "percent", "quotes", "long"])
def test_a_name_cannot_write_into_a_menu(network, client, folder, name):
    (folder / "media").mkdir()
    lab.installer_iso(folder / "media/x.iso").rename(folder / "media" / name)
    os.utime(folder / "media" / name, (0, 0))  # not one that is being copied
    with lab.Server(network, "--media", folder / "media", config=SERVER) as server:
        server.wait_for("medium .*: debian 12")
        (medium,) = json.loads(server.query("media", "--json"))
        path = "/media/" + medium["name"] + "/version.info"
        assert "bookworm" in curl(network, client, path)
        for file in ("pxelinux.cfg/default", "grub/grub.cfg", "boot.ipxe"):
            menu = curl(network, client, "/" + file)
            assert "Debian 12" in menu
            assert "reboot)" not in menu and "evil" not in [
                line.split()[-1].lower() for line in menu.splitlines() if line.split()]
        assert all(c.isascii() and c.isprintable() for c in medium["name"])


def test_a_state_folder_that_was_root_s_is_taken_over(network, bare, folder):
    """The state must never be lost to a change of `user`."""
    with lab.Server(network, config=SERVER, state=folder / "state") as server:
        address, _ = take(udp_socket(bare, 68))
    for path in [folder / "state", *(folder / "state").iterdir()]:
        os.chown(path, 0, 0)
    with lab.Server(network, config=SERVER, state=folder / "state") as server:
        assert leases(server)[0]["address"] == address


def test_a_restart_keeps_the_history(network, bare, folder):
    with lab.Server(network, config=SERVER, state=folder / "state") as server:
        exchange(udp_socket(bare, 68), message("discover", *PXE_BIOS))
    with lab.Server(network, config=SERVER, state=folder / "state") as server:
        lines = server.query("events", "--history", "-n", "50", "--json").splitlines()
        kinds = [json.loads(line)["event"] for line in lines]
        assert "boot-decided" in kinds
        assert pathlib.Path(folder / "state/state.db").exists()


def test_a_log_that_nobody_reads_stops_nothing(network, bare, folder):
    """Was: the pipe full, the core waited in write() and answered nobody."""
    with lab.Server(network, config=SERVER) as server:
        fcntl.fcntl(server.process.process.stdout, fcntl.F_SETPIPE_SZ, 4096)
        sock = udp_socket(bare, 68)
        for _ in range(200):
            sock.sendto(b"\0" * 240, ("255.255.255.255", 67))
        lab.run(*network.inside("udhcpc", "-i", "eth0", "-n", "-q", "-s", "/bin/true",
                                where=bare))
        assert server.process.read(5)
        sock.sendto(b"\0" * 240, ("255.255.255.255", 67))
        while "left out: nobody was reading" not in server.process.text:
            assert server.process.read(5)
