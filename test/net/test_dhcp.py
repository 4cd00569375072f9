import json
import os
import signal
import sqlite3
import struct

import pytest
from scapy.layers.dhcp import BOOTP, DHCP

import lab
from conftest import SERVER, udp_socket

MAC = bytes.fromhex("525400aabbcc")
UUID = bytes(range(16))


def message(kind, *options, mac=MAC, xid=0x1234, **fields):
    return bytes(BOOTP(chaddr=mac, xid=xid, flags="B", **fields) /
                 DHCP(options=[("message-type", kind), *options, "end"]))


def firmware(vendor, arch, *more):
    return [("vendor_class_id", vendor), (93, struct.pack("!H", arch)),
            (97, b"\0" + UUID), ("param_req_list", [1, 3, 66, 67, 43, 60, 97]), *more]


PXE_BIOS = firmware(b"PXEClient:Arch:00000:UNDI:002001", 0)
PXE_X64 = firmware(b"PXEClient:Arch:00007:UNDI:003000", 7)
HTTP_X64 = firmware(b"HTTPClient:Arch:00016:UNDI:003000", 16)
IPXE_X64 = firmware(b"PXEClient:Arch:00007:UNDI:003010", 7, (77, b"iPXE"),
                    (175, bytes([0x13, 1, 1, 0x24, 1, 1])))


def exchange(sock, packet, port=67, address="255.255.255.255"):
    sock.sendto(packet, (address, port))
    answer = BOOTP(sock.recv(2048))
    options = {}
    for option in answer[DHCP].options:
        if isinstance(option, tuple):
            options[option[0]] = option[1] if len(option) == 2 else list(option[1:])
    return answer, options


def udhcpc(network, where, folder, *flags):
    script = folder / "udhcpc.sh"
    script.write_text("#!/bin/sh\n[ \"$1\" = bound ] && echo GOT $ip $router $lease\n"
                      "exit 0\n")
    script.chmod(0o755)
    return lab.run(*network.inside("udhcpc", "-i", "eth0", "-n", "-q", "-t", "3", "-s",
                                   script, *flags, where=where)).stdout


def leases(server):
    return json.loads(server.query("leases", "--json"))


def test_udhcpc_gets_a_lease_and_the_same_again(network, bare, folder):
    with lab.Server(network, config=SERVER) as server:
        first = udhcpc(network, bare, folder)
        assert "GOT 10.77.0.20 10.77.0.1 3600" in first
        assert "GOT 10.77.0.20 10.77.0.1" in udhcpc(network, bare, folder)
        (lease,) = leases(server)
        assert lease["address"] == "10.77.0.20" and lease["state"] == "bound"


def test_dhclient_gets_a_lease_and_gives_it_back(network, bare, folder):
    common = ["-4", "-sf", "/bin/true", "-lf", folder / "leases", "-pf", folder / "pid"]
    with lab.Server(network, config=SERVER) as server:
        client = lab.Process(network.inside("dhclient", "-d", *common, "eth0",
                                            where=bare))
        try:
            lab.wait_for([client], client, "bound to 10.77.0.20", 20)
            assert "fixed-address 10.77.0.20;" in (folder / "leases").read_text()
            assert leases(server)[0]["state"] == "bound"
        finally:
            lab.run(*network.inside("ip", "address", "add", "10.77.0.20/24", "dev",
                                    "eth0", where=bare))
            lab.run(*network.inside("dhclient", "-r", *common, "eth0", where=bare))
            client.end()
        server.wait_for(r"10\.77\.0\.20 released")
        assert leases(server)[0]["state"] == "released"


def test_an_acknowledged_lease_is_on_disk(network, bare, folder):
    """The whole server is killed the moment the ACK is here."""
    with lab.Server(network, config=SERVER, state=folder / "state") as server:
        sock = udp_socket(bare, 68)
        offer, options = exchange(sock, message("discover"))
        request = message("request", ("server_id", options["server_id"]),
                          ("requested_addr", offer.yiaddr))
        ack, options = exchange(sock, request)
        pids = [server.pid, *sum(server.roles().values(), [])]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        assert all(lab.has_ended(pid, 10) for pid in pids)
        assert options["message-type"] == 5
    base = sqlite3.connect(folder / "state/state.db")
    assert base.execute("SELECT count(*) FROM lease").fetchone() == (1,)
    base.close()
    with lab.Server(network, config=SERVER, state=folder / "state") as server:
        assert leases(server)[0]["address"] == ack.yiaddr
        again, options = exchange(sock, message("request",
                                                ("requested_addr", ack.yiaddr)))
        assert options["message-type"] == 5 and again.yiaddr == ack.yiaddr


@pytest.mark.parametrize(
    "options,file,vendor",
    [(PXE_BIOS, b"pxelinux.0", b"PXEClient"), (PXE_X64, b"grubx64.efi", b"PXEClient"),
     (IPXE_X64, b"grubx64.efi", b"PXEClient")], ids=["BIOS", "UEFI x64", "iPXE"])
def test_a_server_tells_firmware_its_file(network, bare, options, file, vendor):
    with lab.Server(network, config=SERVER):
        offer, got = exchange(udp_socket(bare, 68), message("discover", *options))
        assert offer.yiaddr == "10.77.0.20"
        assert offer.siaddr == "10.77.0.1"
        assert offer.file.rstrip(b"\0") == file
        assert got["vendor_class_id"] == vendor
        assert got["pxe_client_machine_identifier"] == b"\0" + UUID
        assert got["boot-file-name"].rstrip(b"\0") == file


def test_http_boot_gets_a_url(network, bare):
    with lab.Server(network, config=SERVER):
        _, got = exchange(udp_socket(bare, 68), message("discover", *HTTP_X64))
        assert got["vendor_class_id"] == b"HTTPClient"
        assert got["boot-file-name"] == b"http://10.77.0.1/snponly.efi"


@pytest.mark.parametrize(
    "options,file", [(PXE_BIOS, b"pxelinux.0"), (PXE_X64, b"snponly.efi"),
                     (IPXE_X64, b"http://10.77.0.1/boot.ipxe")],
    ids=["BIOS", "UEFI x64", "iPXE"])
def test_a_proxy_tells_the_file_and_gives_no_address(network, bare, options, file):
    with lab.Server(network, "--dhcp", "proxy") as server:
        sock = udp_socket(bare, 68)
        offer, got = exchange(sock, message("discover", *options))
        assert offer.yiaddr == "0.0.0.0"
        assert offer.file.rstrip(b"\0") == file
        assert got["vendor-specific" if "vendor-specific" in got
                   else "vendor_specific"] == b"\x06\x01\x08\xff"
        assert "lease_time" not in got and "subnet_mask" not in got
        assert leases(server) == []


@pytest.mark.parametrize("options,file", [(PXE_BIOS, b"pxelinux.0"),
                                          (PXE_X64, b"snponly.efi")],
                         ids=["BIOS", "UEFI x64"])
def test_a_proxy_answers_on_port_4011(network, client, options, file):
    with lab.Server(network, "--dhcp", "proxy"):
        ack, got = exchange(udp_socket(client, 68, "10.77.0.2"),
                            message("request", *options, ciaddr="10.77.0.2"),
                            4011, "10.77.0.1")
        assert got["message-type"] == 5
        assert ack.file.rstrip(b"\0") == file and ack.yiaddr == "0.0.0.0"


def test_a_proxy_leaves_ordinary_clients_alone(network, bare):
    with lab.Server(network, "--dhcp", "proxy"):
        sock = udp_socket(bare, 68)
        sock.sendto(message("discover", xid=1), ("255.255.255.255", 67))
        # What comes first is the answer to the second question.
        answer, _ = exchange(sock, message("discover", *PXE_BIOS, xid=2))
        assert answer.xid == 2


def test_malformed_packets_are_counted_and_end_nothing(network, bare):
    whole = message("discover", *PXE_BIOS)
    with lab.Server(network, config=SERVER) as server:
        before = server.roles()
        sock = udp_socket(bare, 68)
        for bad in (b"x" * 10, whole[:236] + b"abcd" + whole[240:],
                    whole[:240] + b"\x35\xff\x01", b"\x02" + whole[1:],
                    whole[:2] + b"\x14" + whole[3:]):
            sock.sendto(bad, ("255.255.255.255", 67))
        exchange(sock, whole)
        dropped = json.loads(server.query("status", "--json"))["dhcp"]["dropped"]
        assert sum(dropped.values()) == 5 and len(dropped) == 5
        assert server.roles() == before


def test_a_pool_that_is_full_says_so(network, bare):
    with lab.Server(network, config=SERVER) as server:
        sock = udp_socket(bare, 68)
        for i in range(3):
            exchange(sock, message("discover", mac=bytes([2, 0, 0, 0, 0, i])))
        sock.sendto(message("discover", mac=bytes([2, 0, 0, 0, 0, 9])),
                    ("255.255.255.255", 67))
        server.wait_for("no free address in 10.77.0.0")
