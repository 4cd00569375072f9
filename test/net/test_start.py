"""How it starts, what it says, and what it may do."""
import json
import os
import pathlib
import re
import select
import signal
import socket
import subprocess

import pytest

import lab
from conftest import SERVER, inside, udp_socket
from test_dhcp import PXE_BIOS, exchange, message
from test_life import curl, refused, serve

CAP_NET_BIND_SERVICE, CAP_NET_RAW = 1 << 10, 1 << 13


def status_of(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def test_the_parent_keeps_two_rights(network):
    with lab.Server(network, config=SERVER) as server:
        status = status_of(server.pid)
        most = CAP_NET_BIND_SERVICE | CAP_NET_RAW
        for which in ("CapEff", "CapPrm"):
            assert int(status[which], 16) & ~most == 0, status[which]
        assert "0" not in status["Uid"].split()
        assert status["NoNewPrivs"] == "1"


def test_roles_cannot_be_traced_or_dumped(network):
    """Their /proc folders belong to root when they are not dumpable."""
    with lab.Server(network, config=SERVER) as server:
        for pids in server.roles().values():
            for pid in pids:
                assert os.stat(f"/proc/{pid}/environ").st_uid == 0


def test_the_roles_end_with_their_parent(network):
    """Nobody would start them again or take their ports back."""
    with lab.Server(network, config=SERVER) as server:
        pids = sum(server.roles().values(), [])
        watched = [os.pidfd_open(pid) for pid in pids]
        os.kill(server.pid, signal.SIGKILL)
        server.process.process.wait()
        for fd in watched:
            assert select.select([fd], [], [], 5)[0], "a role lives on"
            os.close(fd)


def test_it_says_what_it_serves(network, folder):
    media = folder / "media"
    media.mkdir()
    with lab.Server(network, "--media", media, config=SERVER) as server:
        for said in ("br0 10.77.0.1", "10.77.0.20 to 10.77.0.22", str(media),
                     "TFTP on port 69", "HTTP on port 80", "HTTPS on port 443", "pxelinux", "GRUB",
                     "ready: DHCP server on br0, 0 media", "No media yet: copy",
                     "Look next: bootjack status"):
            server.wait_for(re.escape(said))


@pytest.mark.parametrize("kind,port,name", [
    (socket.SOCK_DGRAM, 69, "tftp"), (socket.SOCK_DGRAM, 67, "dhcp"),
    (socket.SOCK_DGRAM, 4011, "binl"), (socket.SOCK_STREAM, 80, "http"),
    (socket.SOCK_STREAM, 443, "https")],
    ids=["TFTP", "DHCP", "BINL", "HTTP", "HTTPS"])
def test_every_port_in_use_is_one_sentence(network, folder, kind, port, name):
    """For a DHCP server, that is: a proxy listens beside whoever has port 67."""
    with inside(network.name):
        taken = socket.socket(socket.AF_INET, kind)
        taken.bind(("0.0.0.0", port))
        if kind == socket.SOCK_STREAM:
            taken.listen()
    refused(serve(network, "--interface", "br0", "--state", folder / "state", "--dhcp",
                  "10.77.0.20-10.77.0.22"), f"port {port} ({name})", "in use")
    taken.close()


def test_it_ends_when_it_cannot_serve_and_leaves_nothing(network, folder):
    """The parent gave up after it had started the roles: none may stay behind."""
    (folder / "state").mkdir()
    (folder / "state/state.db").write_bytes(b"this is not a database, not at all" * 99)
    result = serve(network, "--interface", "br0", "--state", folder / "state")
    assert result.returncode == 1
    assert "state.db" in result.stderr
    left = lab.run("ip", "netns", "pids", network.name).stdout.split()
    assert not [pid for pid in left if lab.is_running(int(pid))]


def test_a_state_folder_that_cannot_be_made_is_one_sentence(network, folder):
    (folder / "file").write_text("")
    refused(serve(network, "--interface", "br0", "--state", folder / "file/state"),
            str(folder / "file/state"))


def test_a_missing_configuration_is_one_sentence(network, folder):
    refused(serve(network, "-c", folder / "nowhere.yaml"), "nowhere.yaml")


@pytest.mark.parametrize("text,words", [
    ("menu: {titel: x}\n", ["1:8", "titel", "did you mean 'title'?"]),
    ("http: {port: eighty}\n", ["1:14", "eighty"]),
    ("http: {port: 70000}\n", ["1:14", "70000"]),
    ("dhcp: {subnets: [{subnet: 10.77.0.0/24, pools: [10.77.0.9-10.77.0.3]}]}\n",
     ["10.77.0.9-10.77.0.3"]),
    ("dhcp: {subnets: [{subnet: 10.77.0.0/24, pools: [10.9.0.9-10.9.0.10]}]}\n",
     ["10.9.0.9"]),
    ("menu: [\n", ["2:1"]), ("- 1\n", ["1:"]), ("menu: {title: [1]}\n", ["1:8", "list"])],
    ids=["unknown key", "wrong type", "too large", "backward pool", "foreign pool",
         "not YAML", "a list", "list for text"])
def test_check_and_serve_refuse_the_same(network, folder, text, words):
    path = folder / "bootjack.yaml"
    path.write_text(text)
    checked = subprocess.run([lab.program(), "check", "-c", path], capture_output=True,
                             text=True)
    served = serve(network, "-c", path, "--interface", "br0", "--state",
                   folder / "state")
    for result in (checked, served):
        assert result.returncode == 1, result
        for word in [str(path)] + words:
            assert word in result.stdout + result.stderr
    assert not (folder / "state").exists(), "nothing is begun with a wrong file"


def test_the_firewall_rules_are_those_of_the_open_doors(network, folder):
    config = "dhcp: {mode: proxy}\nhttp: {port: 8080}\ntftp: {port: off}\n"
    with lab.Server(network, config=config) as server:
        listed = lab.run(*network.inside("ss", "-Hlntu")).stdout
        open_ports = set(re.findall(r"[\d%a-z.]+:(\d+) +0\.0\.0\.0:", listed))
        assert open_ports == {"67", "4011", "8080", "443"}
        rules = server.path / "bootjack.yaml"
        text = lab.run(lab.program(), "firewall", "-c", rules).stdout
        for line in text.splitlines():
            for port in re.findall(r"(?:dport |--dport |add-port=)(\d+)", line):
                assert port in open_ports, line
        for port in open_ports:
            assert f"dport {port} " in text


def test_without_an_interface_every_one_that_is_up_is_served(network, bare, folder):
    other = lab.run(*network.inside("ip", "link", "add", "br1", "type", "bridge"))
    assert other.stdout == ""
    network.ip("address", "add", "10.78.0.1/24", "dev", "br1")
    network.ip("link", "set", "br1", "up")
    server = lab.Process(network.inside(lab.program(), "serve", "--state",
                                        folder / "state", "--media", folder),
                         env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0"))
    try:
        lab.wait_for([server], server, "ready: proxyDHCP on br0, br1", 20)
        offer, _ = exchange(udp_socket(bare, 68), message("discover", *PXE_BIOS))
        assert offer.siaddr == "10.77.0.1"
        network.ip("link", "add", "br2", "type", "bridge")
        network.ip("address", "add", "10.79.0.1/24", "dev", "br2")
        network.ip("link", "set", "br2", "up")
        lab.wait_for([server], server, r"br2 is up at 10\.79\.0\.1", 10)
        assert "10.79.0.1:69" in lab.run(*network.inside("ss", "-Hlnu")).stdout
    finally:
        assert server.end() == 0


def test_reload_is_asked_by_the_command_line(network, client):
    with lab.Server(network, config=SERVER + "menu: {title: First}\n") as server:
        path = server.path / "bootjack.yaml"
        path.write_text(SERVER + "menu: {title: Second}\n")
        server.query("reload")
        assert "MENU TITLE Second" in curl(network, client, "/pxelinux.cfg/default")
        path.write_text("menu: {titel: Third}\n")
        result = subprocess.run([lab.program(), "reload", "--state", server.state],
                                capture_output=True, text=True)
        assert result.returncode == 1 and "refused" in result.stderr
        assert "MENU TITLE Second" in curl(network, client, "/pxelinux.cfg/default")


def test_the_access_log_has_a_line_for_each_request(network, client, folder):
    (folder / "log").mkdir()
    (folder / "log").chmod(0o777)
    log = folder / "log/access.log"
    config = SERVER + f"http: {{access-log: {log}}}\n"
    with lab.Server(network, config=config):
        curl(network, client, "/boot.ipxe")
        subprocess.run(network.inside("curl", "-s", "-A", 'a"b\\c', "-o", "/dev/null",
                                      "http://10.77.0.1/no%22thing", where=client))
    first, second = log.read_text().splitlines()
    assert re.match(r'10\.77\.0\.2 - - \[[^]]+\] "GET /boot\.ipxe HTTP/1\.1" 200 \d+ '
                    r'"-" "curl/[^"]*"$', first), first
    assert '" 404 ' in second and 'a"b' not in second


def test_commands_say_when_nobody_serves(folder):
    for command in ("status", "leases", "media", "machines", "events"):
        result = subprocess.run([lab.program(), command, "--state", folder / "none"],
                                capture_output=True, text=True)
        assert result.returncode == 1, command
        assert len(result.stderr.strip().splitlines()) in (1, 2), result.stderr


def test_a_command_that_is_not_one_is_wrong_use():
    result = subprocess.run([lab.program(), "sevre"], capture_output=True, text=True)
    assert result.returncode == 2 and "serve" in result.stderr
    result = subprocess.run([lab.program(), "serve", "--meda", "x"],
                            capture_output=True, text=True)
    assert result.returncode == 2 and "--meda" in result.stderr


def test_status_tells_of_a_role_that_is_down(network):
    with lab.Server(network, config=SERVER) as server:
        state = json.loads(server.query("status", "--json"))
        assert all(state["roles"].values()) and state["mode"] == "server"
        (interface,) = state["interfaces"]
        assert (interface["name"], interface["address"]) == ("br0", "10.77.0.1")
