import json
import os
import pathlib
import signal
import socket
import subprocess
import time

import pytest

import lab
from conftest import SERVER, inside, udp_socket
from test_dhcp import exchange, message


def serve(network, *arguments, user=None, **options):
    """A server that is expected to give up."""
    command = [lab.program(), "serve", *map(str, arguments)]
    if user:
        command = ["setpriv", "--reuid", user, "--clear-groups", "--inh-caps=-all",
                   "--bounding-set=-all"] + command
    return subprocess.run(network.inside(*command), capture_output=True, text=True,
                          timeout=30, env=dict(os.environ,
                                               ASAN_OPTIONS="detect_leaks=0"), **options)


def curl(network, client, path):
    return lab.run(*network.inside("curl", "-sf", "-m", "10", "http://10.77.0.1" + path,
                                   where=client)).stdout


def wait_for_new(server, name, old):
    """The role's new process, or a failure after ten seconds."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        new = server.roles().get(name, [])
        if len(new) == len(old) and set(new) != set(old):
            return new
        server.process.read(0.05)
    raise AssertionError(f"{name} was not started again\n{server.process.text}")


def wait_until_serving(server):
    end = time.monotonic() + 10
    while time.monotonic() < end:
        state = json.loads(server.query("status", "--json"))
        if all(state["roles"].values()):
            return
    raise AssertionError(f"not every role is back: {state}")


@pytest.mark.parametrize("name", ["core", "library", "files", "admin"])
def test_a_killed_role_comes_back_and_the_others_do_not_notice(network, client, folder,
                                                               name):
    (folder / "media").mkdir()
    lab.installer_iso(folder / "media/debian.iso")
    with lab.Server(network, "--media", folder / "media", config=SERVER) as server:
        server.wait_for("ready: ")
        before = server.roles()
        server.kill(before[name][0])
        wait_for_new(server, name, before[name])
        server.wait_for(f"{name} died \\(signal 9")
        after = server.roles()
        for other in before:
            if other != name:
                assert after[other] == before[other]
        if name == "files":
            assert before["files"][1] in after["files"]
        if name != "admin":
            wait_until_serving(server)
        if name == "library":
            server.wait_for("(?s)medium debian.*library died.*medium debian")
        assert "debian-12" in curl(network, client, "/pxelinux.cfg/default")
        assert "bookworm" in curl(network, client, "/media/debian/version.info")


def test_a_transfer_outlives_the_core(network, client, folder):
    (folder / "root").mkdir()
    data = os.urandom(8 << 20)
    (folder / "root/big").write_bytes(data)
    with lab.Server(network, "--root", folder / "root", config=SERVER) as server:
        with inside(client):
            sock = socket.create_connection(("10.77.0.1", 80), 10)
        sock.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        got = sock.recv(4096)
        before = server.roles()
        server.kill(before["core"][0])
        wait_for_new(server, "core", before["core"])
        while piece := sock.recv(1 << 20):
            got += piece
        assert got.split(b"\r\n\r\n", 1)[1] == data


def test_sigterm_ends_all_of_it(network):
    with lab.Server(network, config=SERVER) as server:
        pids = sum(server.roles().values(), [])
        assert len(pids) == 6
        assert server.process.end(signal.SIGTERM, seconds=2) == 0
        assert not [pid for pid in pids if lab.is_running(pid)]


def test_the_roles_have_no_rights(network):
    with lab.Server(network, config=SERVER) as server:
        for name, pids in server.roles().items():
            for pid in pids:
                lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
                status = dict(line.split(":\t", 1) for line in lines)
                assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0, name
                assert status["NoNewPrivs"] == "1"
                assert "0" not in status["Uid"].split()


def test_sighup_takes_the_new_file_or_keeps_the_old(network, client, folder):
    with lab.Server(network, config=SERVER + "menu: {title: First}\n") as server:
        path = server.path / "bootjack.yaml"
        before = server.roles()
        path.write_text(SERVER + "menu: {title: Second}\n")
        os.kill(server.pid, signal.SIGHUP)
        server.wait_for("configuration reloaded: menu")
        assert "MENU TITLE Second" in curl(network, client, "/pxelinux.cfg/default")
        path.write_text(SERVER + "menu: {titel: Third}\n")
        os.kill(server.pid, signal.SIGHUP)
        server.wait_for("reload refused")
        assert "did you mean 'title'?" in server.process.text
        assert "MENU TITLE Second" in curl(network, client, "/pxelinux.cfg/default")
        assert server.roles() == before


def test_a_reload_moves_a_door(network, client):
    with lab.Server(network, config=SERVER) as server:
        path = server.path / "bootjack.yaml"
        path.write_text(SERVER + "http: {port: 8080}\n")
        os.kill(server.pid, signal.SIGHUP)
        server.wait_for("configuration reloaded: doors")
        wait_until_serving(server)
        got = lab.run(*network.inside("curl", "-sf", "--retry", "5", "--retry-connrefused",
                                      "http://10.77.0.1:8080/boot.ipxe", where=client))
        assert got.stdout.startswith("#!ipxe")


def site(address):
    """A file of 5,000 hosts; the last of them has this address."""
    hosts = [f'    - {{mac: "52:54:00:00:{i >> 8:02x}:{i & 255:02x}", hostname: node{i}, '
             f"options: {{domain-name: rack{i // 40}.example.org}}}}\n" for i in range(5000)]
    last = f'    - {{mac: "52:54:00:aa:bb:cc", address: {address}}}\n'
    return SERVER + "  hosts:\n" + "".join(hosts) + last


def test_a_file_of_thousands_of_hosts_is_taken_and_reloaded(network, bare):
    with lab.Server(network, config=site("10.77.0.50")) as server:
        path = server.path / "bootjack.yaml"
        assert path.stat().st_size > 400_000
        with udp_socket(bare, 68) as sock:
            offer, _ = exchange(sock, message("discover"))
            assert offer.yiaddr == "10.77.0.50"
            path.write_text(site("10.77.0.51"))
            os.kill(server.pid, signal.SIGHUP)
            server.wait_for("configuration reloaded: dhcp")
            offer, _ = exchange(sock, message("discover", xid=0x1235))
            assert offer.yiaddr == "10.77.0.51"


def refused(result, *words):
    assert result.returncode == 1, result.stderr
    assert "Traceback" not in result.stderr
    for word in words:
        assert word in result.stderr
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, result.stderr


def test_a_port_in_use_is_one_sentence(network, folder):
    with inside(network.name):
        taken = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        taken.bind(("10.77.0.1", 80))
        taken.listen()
    refused(serve(network, "--interface", "br0", "--state", folder / "state"),
            "port 80 (http)", "in use", "http.port")


def test_a_missing_interface_is_one_sentence(network, folder):
    refused(serve(network, "--interface", "eth9", "--state", folder / "state"),
            "no interface 'eth9'", "br0")


def test_a_missing_privilege_is_one_sentence(network, folder):
    refused(serve(network, "--interface", "br0", "--state", folder / "state",
                  user="nobody"), "root", "CAP_NET_BIND_SERVICE")


def test_a_range_on_no_network_is_one_sentence(network, folder):
    refused(serve(network, "--interface", "br0", "--state", folder / "state", "--dhcp",
                  "10.1.0.5-10.1.0.9"), "10.1.0.5", "br0")


def test_a_user_that_is_not_there_is_one_sentence(network, folder):
    refused(serve(network, "--interface", "br0", "--state", folder / "state", "--user",
                  "no-such-user"), "no user 'no-such-user'")


def test_a_second_server_is_one_sentence(network, folder):
    with lab.Server(network, config="http: {port: 81}\ntftp: {port: 6969}\n"
                    "dhcp: {mode: off}\n") as server:
        refused(serve(network, "--interface", "br0", "--state", server.state, "--dhcp",
                      "off"), "another bootjack")


def test_a_wrong_configuration_shows_the_place(network, folder):
    path = folder / "bootjack.yaml"
    path.write_text("dhcp:\n  mode: serve\n  pols: []\n")
    result = serve(network, "-c", path, "--interface", "br0")
    assert result.returncode == 1
    assert f"{path}:2:9: mode must be proxy, server or off, not 'serve'" in result.stderr
    assert "did you mean 'server'?" in result.stderr
    assert f"{path}:3:3: unknown key 'pols'" in result.stderr


def test_every_answer_is_json(network, client, folder):
    (folder / "media").mkdir()
    lab.installer_iso(folder / "media/debian.iso")
    with lab.Server(network, "--media", folder / "media", config=SERVER) as server:
        server.wait_for("ready: ")
        for command in ("status", "leases", "media", "machines"):
            json.loads(server.query(command, "--json"))
        for arch, file in (("bios", "pxelinux.0"), ("x64", "grubx64.efi")):
            said = json.loads(server.query("explain", "--mac", "52:54:00:12:34:56",
                                           "--arch", arch, "--json"))
            assert said["decision"]["file"] == file
            assert said["facts"]["mac"] == "52:54:00:12:34:56"
            assert len(said["trace"]) >= 4
        (medium,) = json.loads(server.query("media", "--json"))
        assert medium["system"] == "debian" and medium["version"] == "12"
        assert medium["entries"][0]["id"] == "debian-12"
        events = [json.loads(line) for line in
                  server.query("events", "-n", "100", "--json").splitlines()]
        assert "medium-added" in [event["event"] for event in events]


def test_events_follow_a_boot_line_by_line(network, client):
    with lab.Server(network, config=SERVER) as server:
        follower = lab.Process([lab.program(), "events", "--follow", "--state",
                                str(server.state)])
        try:
            lab.wait_for([follower], follower, "ready: ", 10)
            curl(network, client, "/pxelinux.cfg/default")
            lab.wait_for([follower], follower, r"menu pxelinux\.cfg/default: 1 entries",
                         10)
        finally:
            follower.end()
