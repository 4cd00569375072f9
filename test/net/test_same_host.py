"""Beside other DHCP servers: on the same host, where port 67 is theirs, and on the wire."""
import contextlib
import os
import signal

import pytest
from scapy.layers.dhcp import BOOTP, DHCP

import lab
from conftest import SERVER, udp_socket
from test_addresses import SCRIPT
from test_dhcp import PXE_BIOS, PXE_X64, exchange, leases, message

BESIDE = r"port 67 on br0 is used by another DHCP server on this host; listening beside it"


@contextlib.contextmanager
def dnsmasq(network, folder, *flags, where=None, interface="br0"):
    command = ["dnsmasq", "--no-daemon", "--port=0", "--conf-file=/dev/null",
               "--user=root", f"--interface={interface}", "--dhcp-authoritative",
               "--no-ping", "--dhcp-range=10.77.0.100,10.77.0.120,10m",
               f"--dhcp-leasefile={folder / 'dnsmasq.leases'}", *flags]
    process = lab.Process(network.inside(*command, where=where))
    try:
        lab.wait_for([process], process, "DHCP, IP range", 10)
        yield process
    finally:
        process.end()


def offers(sock, n):
    """By the server that made them."""
    found = {}
    while len(found) < n:
        answer = BOOTP(sock.recv(2048))
        options = {o[0]: o[1] for o in answer[DHCP].options if isinstance(o, tuple)}
        found.setdefault(options["server_id"] + " " + answer.yiaddr,
                         (answer, options))
    return found


def proxy_of(found):
    (key,) = [key for key in found if key.endswith(" 0.0.0.0")]
    return found[key]


@pytest.mark.parametrize("flags", [[], ["--bind-interfaces"]],
                         ids=["every interface", "bound"])
@pytest.mark.parametrize("options,file", [(PXE_BIOS, b"pxelinux.0"),
                                          (PXE_X64, b"snponly.efi")],
                         ids=["BIOS", "UEFI x64"])
def test_a_proxy_answers_on_the_host_of_the_server(network, bare, folder, options, file,
                                                   flags):
    with dnsmasq(network, folder, *flags), \
            lab.Server(network, "--dhcp", "proxy") as server:
        server.wait_for(BESIDE)
        sock = udp_socket(bare, 68)
        sock.sendto(message("discover", *options), ("255.255.255.255", 67))
        found = offers(sock, 2)
        answer, got = proxy_of(found)
        assert answer.file.rstrip(b"\0") == file and answer.siaddr == "10.77.0.1"
        assert got["vendor_class_id"] == b"PXEClient"
        assert [key for key in found if key.startswith("10.77.0.1 10.77.0.1")]
        assert leases(server) == []


def test_the_server_loses_nothing_to_a_proxy_beside_it(network, bare, folder):
    """Lease, renewal by unicast, and release all reach it; a plain client is left to it."""
    script = folder / "script"
    script.write_text(SCRIPT)
    script.chmod(0o755)
    with dnsmasq(network, folder) as other, \
            lab.Server(network, "--dhcp", "proxy") as server:
        client = lab.Process(network.inside("udhcpc", "-f", "-i", "eth0", "-s", script,
                                            where=bare))
        try:
            lab.wait_for([client], client, r"SAID bound 10\.77\.0\.1", 10)
            os.kill(client.process.pid, signal.SIGUSR1)
            lab.wait_for([client], client, r"SAID renew 10\.77\.0\.1", 10)
            os.kill(client.process.pid, signal.SIGUSR2)
            lab.wait_for([other], other, "DHCPRELEASE", 10)
        finally:
            client.end()
        server.process.read(0)
        assert "OFFER" not in server.process.text


def test_a_proxy_beside_a_server_answers_relays(network, client, folder):
    """A relay is asked for by its routes and gets its answer at port 67."""
    with dnsmasq(network, folder), lab.Server(network, "--dhcp", "proxy"):
        sock = udp_socket(client, 67, "10.77.0.2")
        sock.sendto(message("discover", *PXE_BIOS, giaddr="10.77.0.2", hops=1),
                    ("10.77.0.1", 67))
        answer, _ = proxy_of(offers(sock, 2))
        assert answer.giaddr == "10.77.0.2"
        assert answer.file.rstrip(b"\0") == b"pxelinux.0"


def test_port_4011_is_its_own_beside_a_server(network, client, folder):
    with dnsmasq(network, folder), lab.Server(network, "--dhcp", "proxy"):
        ack, got = exchange(udp_socket(client, 68, "10.77.0.2"),
                            message("request", *PXE_BIOS, ciaddr="10.77.0.2"),
                            4011, "10.77.0.1")
        assert got["message-type"] == 5 and ack.yiaddr == "0.0.0.0"


def test_it_stays_beside_through_reload_and_death_of_the_core(network, bare, folder):
    config = "dhcp: {mode: proxy}\nhttp: {port: 80}\n"
    with dnsmasq(network, folder), lab.Server(network, config=config) as server:
        (server.path / "bootjack.yaml").write_text(config.replace("80", "8080"))
        os.kill(server.pid, signal.SIGHUP)
        server.wait_for("configuration reloaded")
        sock = udp_socket(bare, 68)
        sock.sendto(message("discover", *PXE_BIOS), ("255.255.255.255", 67))
        proxy_of(offers(sock, 2))
        server.kill(server.roles()["core"][0])
        sock.sendto(message("discover", *PXE_X64, xid=2), ("255.255.255.255", 67))
        answer, _ = proxy_of(offers(sock, 2))
        assert answer.xid == 2
        assert server.process.text.count("listening beside") == 1


def test_another_server_on_the_wire_is_reported(network, client, bare, folder):
    with dnsmasq(network, folder, where=client, interface="eth0"), \
            lab.Server(network, config=SERVER) as server:
        udp_socket(bare, 68).sendto(message("discover"), ("255.255.255.255", 67))
        server.wait_for(r"another DHCP server on br0: 10\.77\.0\.2 offers 10\.77\.0\.1")
        assert "another DHCP server on br0: 10.77.0.1 " not in server.process.text


def test_what_it_sends_itself_is_no_other_server(network, bare):
    """Nor are its own answers counted: only what came from the wire is."""
    with lab.Server(network, config=SERVER) as server:
        sock = udp_socket(bare, 68)
        for xid in (1, 2):
            answer, _ = exchange(sock, message("discover", xid=xid))
            assert answer.xid == xid
        server.process.read(0)
        assert "another DHCP server" not in server.process.text
        assert '"received":2' in server.query("status", "--json").replace(" ", "")
