"""What is known of single machines: their memory, and what they boot once."""
import json
import pathlib
import struct
import subprocess

import pytest

import lab
from conftest import udp_socket
from test_dhcp import HTTP_X64, IPXE_X64, PXE_BIOS, exchange, message
from test_transfers import Tftp

MAC = "52:54:00:aa:bb:cc"
SERVER = """
dhcp:
  mode: server
  subnets: [{subnet: 10.77.0.0/24, pools: [10.77.0.20-10.77.0.30]}]
  hosts: [{mac: "52:54:00:aa:bb:cc", address: 10.77.0.2}]
"""


def boots_by(client, options):
    """The machine gets its address, which it has already."""
    sock = udp_socket(client, 68)
    offer, _ = exchange(sock, message("discover", *options))
    assert offer.yiaddr == "10.77.0.2"
    ack, _ = exchange(sock, message("request", ("requested_addr", offer.yiaddr),
                                    ("server_id", "10.77.0.1"), *options))
    assert ack.yiaddr == "10.77.0.2"
    sock.close()


def fetch(network, client, path):
    return subprocess.run(
        network.inside("curl", "-s", "-f", "-m", "20", "http://10.77.0.1/" + path, where=client),
        capture_output=True, check=True).stdout


def get(network, client, path):
    return fetch(network, client, path).decode(errors="replace")


def machine(server):
    return next(m for m in json.loads(server.query("machines", "--json")) if m["mac"] == MAC)


def live(media):
    """A system that copies its image of 300 MiB, or mounts it by NFS."""
    tree = media.parent / "tree"
    (tree / "casper").mkdir(parents=True)
    (tree / ".disk").mkdir()
    (tree / ".disk/info").write_text(
        'Ubuntu-Server 22.04.1 LTS "Jammy Jellyfish" - Release amd64 (20220809)\n')
    (tree / "casper/vmlinuz").write_bytes(b"kernel")
    (tree / "casper/initrd").write_bytes(b"initrd")
    (tree / "casper/install-sources.yaml").write_bytes(b"")
    with open(tree / "casper/ubuntu-server-minimal.squashfs", "wb") as file:
        file.truncate(300 << 20)
    lab.make_iso(media / "live.iso", tree)


@pytest.fixture
def media(folder):
    made = folder / "media"
    made.mkdir()
    return made


def test_ipxe_tells_its_memory_and_gets_the_way_that_fits(network, client, media, folder):
    live(media)
    state = folder / "state"
    with lab.Server(network, "--media", media, config=SERVER, state=state) as server:
        server.wait_for("medium live: ubuntu")
        boots_by(client, IPXE_X64)
        assert machine(server)["memory"] is None
        # The first script only asks, and then for itself with the answer.
        asked = get(network, client, "boot.ipxe")
        assert "chain http://10.77.0.1/bootjack/memory/${smbios/0.17.12.2:hexraw}.${smbios/1." \
            in asked and "menu" not in asked
        # 0800h MiB: enough for a copy. What follows is the menu, whatever was told.
        large = get(network, client, "bootjack/memory/0008.............../boot.ipxe")
        assert "url=http://10.77.0.1/iso/live.iso" in large
        assert machine(server)["memory"] == 2 << 30
        assert get(network, client, "boot.ipxe") == large
        # 400h and B0h MiB, in two modules: it has to do without the copy.
        small = get(network, client, "bootjack/memory/0004.b000/boot.ipxe")
        assert "nfsroot=10.77.0.1:/media/live" in small and "iso/live.iso" not in small
        # 0100h MiB: no way fits; it is there and says why it may fail.
        least = get(network, client, "bootjack/memory/0001/boot.ipxe")
        assert "vmlinuz" in least and "of memory" in least
        # None was found: what was known before is not forgotten, and nothing asks again.
        get(network, client, "bootjack/memory/0000/boot.ipxe")
        assert machine(server)["memory"] == 256 << 20
    with lab.Server(network, "--media", media, config=SERVER, state=state) as server:
        server.wait_for("medium live: ubuntu")
        boots_by(client, IPXE_X64)
        assert machine(server)["memory"] == 256 << 20
    config = SERVER + f'machines: [{{mac: "{MAC}", memory: 4G}}]\n'
    with lab.Server(network, "--media", media, config=config, state=state) as server:
        server.wait_for("medium live: ubuntu")
        boots_by(client, IPXE_X64)
        assert machine(server)["memory"] == 4 << 30
        assert "url=http" in get(network, client, "boot.ipxe")


def default_of(client):
    text = Tftp(client, "pxelinux.cfg/01-" + MAC.replace(":", "-"), blksize=1400).read().decode()
    labels, label = [], None
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["LABEL"]:
            label = words[1]
        if words[:2] == ["MENU", "DEFAULT"]:
            labels.append(label)
    return labels


def test_an_assignment_that_holds_once_is_over_when_it_was_fetched(network, client, media, folder):
    lab.installer_iso(media / "installer.iso")
    state = folder / "state"
    row = f'{{mac: "{MAC}", boot: debian-12, once: true}}'
    config = SERVER + f"machines: [{row}]\n"
    top = "media/installer/debian-installer/amd64/"
    with lab.Server(network, "--media", media, config=config, state=state) as server:
        server.wait_for("medium installer: debian")
        boots_by(client, PXE_BIOS)
        assert default_of(client) == ["debian-12"]
        assert (machine(server)["boot"], machine(server)["once"]) == ("debian-12", "waiting")
        get(network, client, top + "linux")
        assert default_of(client) == ["debian-12"]  # not without its initrd
        get(network, client, top + "initrd.gz")
        server.wait_for("it has debian-12; next time it boots from its disk")
        assert default_of(client) == ["local"]
        assert machine(server)["once"] == "done"
    with lab.Server(network, "--media", media, config=config, state=state) as server:
        server.wait_for("medium installer: debian")
        boots_by(client, PXE_BIOS)
        assert default_of(client) == ["local"]  # after a restart, too
        # Taken out and put in again, it holds again.
        path = server.path / "bootjack.yaml"
        for text in (SERVER, config):
            path.write_text(text)
            server.query("reload")
        assert machine(server)["once"] == "waiting"
        assert default_of(client) == ["debian-12"]


def sections_of(program):
    """By the standard's own offsets (Microsoft's PE Format): name to bytes."""
    at = struct.unpack_from("<I", program, 0x3c)[0]
    assert program[at:at + 4] == b"PE\0\0"
    n, n_optional = struct.unpack_from("<H12xH", program, at + 6)
    found = {}
    for i in range(n):
        name, size, _, in_file, offset = struct.unpack_from(
            "<8sIIII", program, at + 24 + n_optional + 40 * i)
        assert offset + in_file <= len(program)
        found[name.rstrip(b"\0").decode()] = program[offset:offset + size]
    return found


PROGRAM = "bootjack/uki/" + MAC.replace(":", "-") + ".efi"


def told_by_http_boot(client):
    """Where it is sent; it takes the address, so that it is known."""
    sock = udp_socket(client, 68)
    offer, got = exchange(sock, message("discover", *HTTP_X64))
    exchange(sock, message("request", ("requested_addr", offer.yiaddr),
                           ("server_id", "10.77.0.1"), *HTTP_X64))
    sock.close()
    return got["boot-file-name"].decode()


def test_what_is_assigned_is_one_program_by_http_boot(network, client, media):
    lab.installer_iso(media / "installer.iso")
    config = SERVER + f'machines: [{{mac: "{MAC}", boot: debian-12}}]\n'
    stub = pathlib.Path("/usr/lib/systemd/boot/efi/linuxx64.efi.stub").read_bytes()
    with lab.Server(network, "--media", media, config=config) as server:
        server.wait_for("medium installer: debian")
        assert told_by_http_boot(client) == "http://10.77.0.1/" + PROGRAM
        program = fetch(network, client, PROGRAM)
        by_tftp = network.inside("curl", "-s", "-f", "--tftp-blksize", "1428",
                                 "tftp://10.77.0.1/" + PROGRAM, where=client)
        assert subprocess.run(by_tftp, capture_output=True, check=True).stdout == program
    sections = sections_of(program)
    for name, content in sections_of(stub).items():
        assert sections[name] == content
    installer = lab.INSTALLER / "debian-installer/amd64"
    assert sections[".linux"] == (installer / "linux").read_bytes()
    assert sections[".initrd"] == (installer / "initrd.gz").read_bytes()
    assert sections[".cmdline"].decode().endswith("---")


def test_a_program_that_was_to_be_booted_once_is_over_when_it_was_fetched(
        network, client, media):
    lab.installer_iso(media / "installer.iso")
    config = SERVER + f'machines: [{{mac: "{MAC}", boot: debian-12, once: true}}]\n'
    with lab.Server(network, "--media", media, config=config) as server:
        server.wait_for("medium installer: debian")
        assert told_by_http_boot(client) == "http://10.77.0.1/" + PROGRAM
        subprocess.run(network.inside("curl", "-s", "-f", "-I", "http://10.77.0.1/" + PROGRAM,
                                      where=client), check=True, capture_output=True)
        assert machine(server)["once"] == "waiting"  # to look at it is no boot
        fetch(network, client, PROGRAM)
        server.wait_for("it has debian-12; next time it boots from its disk")
        assert told_by_http_boot(client) == "http://10.77.0.1/snponly.efi"
        gone = subprocess.run(
            network.inside("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}",
                           "http://10.77.0.1/" + PROGRAM, where=client),
            capture_output=True, check=True, text=True).stdout
        assert gone == "404"
        server.wait_for("nothing is assigned to this machine now")
