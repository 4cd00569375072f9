"""The rest of a client's life with its address: renewing, refusing, giving back."""
import json
import os
import signal

import pytest

import lab
from conftest import SERVER, udp_socket
from test_dhcp import MAC, PXE_BIOS, PXE_X64, exchange, leases, message

SCRIPT = """#!/bin/sh
case $1 in
bound|renew)
        ip address flush dev $interface
        ip address add $ip/24 dev $interface ;;
deconfig)
        ip address flush dev $interface ;;
esac
echo "SAID $1 $ip"
"""


def take(sock, mac=MAC):
    """DISCOVER to ACK; the address and the server's."""
    offer, options = exchange(sock, message("discover", mac=mac))
    ack, got = exchange(sock, message("request", ("server_id", options["server_id"]),
                                      ("requested_addr", offer.yiaddr), mac=mac))
    assert got["message-type"] == 5
    return ack.yiaddr, options["server_id"]


def test_udhcpc_renews_and_gives_back(network, bare, folder):
    script = folder / "script"
    script.write_text(SCRIPT)
    script.chmod(0o755)
    with lab.Server(network, config=SERVER) as server:
        client = lab.Process(network.inside("udhcpc", "-f", "-i", "eth0", "-s", script,
                                            where=bare))
        try:
            lab.wait_for([client], client, "SAID bound 10.77.0.20", 10)
            first = leases(server)[0]
            os.kill(client.process.pid, signal.SIGUSR1)
            lab.wait_for([client], client, "SAID renew 10.77.0.20", 10)
            again = leases(server)[0]
            assert again["state"] == "bound" and again["ends"] >= first["ends"]
            os.kill(client.process.pid, signal.SIGUSR2)
            server.wait_for(r"10\.77\.0\.20 released")
        finally:
            client.end()
        assert leases(server)[0]["state"] == "released"


def test_dhclient_comes_back_to_its_address(network, bare, folder):
    """INIT-REBOOT (RFC 2131 3.2): it asks for the address that it remembers."""
    command = ["dhclient", "-4", "-d", "-sf", "/bin/true", "-lf", folder / "leases",
               "-pf", folder / "pid", "eth0"]
    with lab.Server(network, config=SERVER) as server:
        for _ in range(2):
            client = lab.Process(network.inside(*command, where=bare))
            try:
                lab.wait_for([client], client, "bound to 10.77.0.20", 20)
            finally:
                client.end()
        assert "fixed-address 10.77.0.20;" in (folder / "leases").read_text()
        (lease,) = leases(server)
        assert lease["state"] == "bound"
        text = server.query("events", "-n", "100", "--json")
    kinds = [json.loads(line).get("event") for line in text.splitlines()]
    assert kinds.count("lease-bound") >= 1


def test_an_address_of_another_network_is_refused(network, bare):
    with lab.Server(network, config=SERVER) as server:
        _, got = exchange(udp_socket(bare, 68),
                          message("request", ("requested_addr", "192.0.2.9")))
        assert got["message-type"] == 6
        assert leases(server) == []


def test_an_address_of_somebody_else_is_refused(network, bare):
    other = bytes.fromhex("525400aabbdd")
    with lab.Server(network, config=SERVER) as server:
        sock = udp_socket(bare, 68)
        address, _ = take(sock)
        _, got = exchange(sock, message("request", ("requested_addr", address),
                                        mac=other))
        assert got["message-type"] == 6
        (lease,) = leases(server)
        assert lease["mac"] == "52:54:00:aa:bb:cc"


def test_a_declined_address_is_not_offered_again(network, bare):
    with lab.Server(network, config=SERVER) as server:
        sock = udp_socket(bare, 68)
        address, own = take(sock)
        sock.sendto(message("decline", ("server_id", own), ("requested_addr", address)),
                    ("255.255.255.255", 67))
        server.wait_for("declined")
        other, _ = take(sock)
        assert other != address
        states = {lease["address"]: lease["state"] for lease in leases(server)}
        assert states == {address: "declined", other: "bound"}


def test_inform_gets_options_and_no_lease(network, client):
    with lab.Server(network, config=SERVER) as server:
        ack, got = exchange(udp_socket(client, 68, "10.77.0.2"),
                            message("inform", ("param_req_list", [3, 6]),
                                    ciaddr="10.77.0.2"), address="10.77.0.1")
        assert got["message-type"] == 5 and ack.yiaddr == "0.0.0.0"
        assert got["router"] == "10.77.0.1"
        assert "lease_time" not in got and leases(server) == []


def test_a_machine_keeps_the_address_that_is_written_down(network, bare):
    config = SERVER + ("  hosts: [{mac: '52:54:00:aa:bb:cc', address: 10.77.0.99, "
                       "hostname: node1}]\n")
    with lab.Server(network, config=config):
        sock = udp_socket(bare, 68)
        offer, got = exchange(sock, message("discover", ("param_req_list", [12])))
        assert offer.yiaddr == "10.77.0.99" and got["hostname"] == b"node1"
        other, _ = take(sock, bytes.fromhex("525400aabbdd"))
        assert other == "10.77.0.20"


@pytest.mark.parametrize("options", [PXE_BIOS, PXE_X64], ids=["BIOS", "UEFI x64"])
def test_the_classic_file_and_server_win(network, bare, options):
    config = SERVER + "      next-server: 10.77.0.7\n      filename: my/loader.0\n"
    with lab.Server(network, config=config):
        offer, _ = exchange(udp_socket(bare, 68), message("discover", *options))
        assert offer.siaddr == "10.77.0.7"
        assert offer.file.rstrip(b"\0") == b"my/loader.0"


def test_bootp_is_answered_where_it_is_wanted(network, bare):
    config = SERVER.replace("pools:", "bootp: true\n      pools:")
    packet = bytearray(message("discover"))
    packet[236:] = bytes(64)  # no magic, no options: RFC 951 of 1985
    with lab.Server(network, config=config):
        sock = udp_socket(bare, 68)
        sock.sendto(bytes(packet), ("255.255.255.255", 67))
        answer = sock.recv(2048)
        assert answer[16:20] == bytes([10, 77, 0, 20])


def test_a_range_on_the_command_line_is_enough(network, bare):
    with lab.Server(network, "--dhcp", "10.77.0.40-10.77.0.41"):
        offer, got = exchange(udp_socket(bare, 68), message("discover"))
        assert offer.yiaddr == "10.77.0.40"
        assert got["subnet_mask"] == "255.255.255.0"


def test_addresses_are_given_again_after_the_core_died(network, bare):
    with lab.Server(network, config=SERVER) as server:
        sock = udp_socket(bare, 68)
        address, _ = take(sock)
        server.kill(server.roles()["core"][0])
        # What is asked meanwhile waits in the socket, which is the parent's.
        again, _ = take(sock)
        assert again == address


def change_address(network, server, old, new):
    network.ip("address", "del", f"{old}/24", "dev", "br0")
    network.ip("address", "add", f"{new}/24", "dev", "br0")
    server.wait_for(f"(?s)br0 is up at .*{new}")


def doors(network):
    return lab.run(*network.inside("ss", "-Hlntu")).stdout


def test_doors_follow_the_address_of_their_interface(network, bare):
    """A door of the old address that stayed open in a role kept port 67 for itself."""
    with lab.Server(network, config=SERVER) as server:
        change_address(network, server, "10.77.0.1", "10.77.0.9")
        change_address(network, server, "10.77.0.9", "10.77.0.8")
        offer, _ = exchange(udp_socket(bare, 68), message("discover", *PXE_BIOS))
        assert offer.siaddr == "10.77.0.8"
        server.kill(server.roles()["core"][0])
        # The first answer comes from the next core; what else comes would come at once.
        sock = udp_socket(bare, 68)
        for xid in (1, 2):
            answer, _ = exchange(sock, message("discover", xid=xid))
            assert answer.xid == xid, "each question has one answer"
        sock.settimeout(0.3)
        with pytest.raises(TimeoutError):
            sock.recv(2048)
        assert "10.77.0.8:69" in doors(network) and "10.77.0.8:80" in doors(network)
        assert "10.77.0.1:" not in doors(network)
        assert "10.77.0.9:" not in doors(network)
        assert "in use" not in server.process.text


def test_an_interface_may_go_and_come_back(network, bare):
    with lab.Server(network, config=SERVER) as server:
        network.ip("link", "delete", "br0")
        server.wait_for("br0 is down")
        network.ip("link", "add", "br0", "type", "bridge", "forward_delay", "0")
        network.ip("address", "add", "10.77.0.1/24", "dev", "br0")
        network.ip("link", "set", "br0", "up")
        network.ip("link", "set", "v3", "master", "br0")
        server.wait_for("br0 is up at 10.77.0.1")
        offer, _ = exchange(udp_socket(bare, 68), message("discover", *PXE_BIOS))
        assert offer.yiaddr == "10.77.0.20"
        assert doors(network).count("10.77.0.1:69") == 2
