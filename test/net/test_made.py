"""Files that are made on the way, of media with stand-in payloads: to the byte, by
every door, and nothing of them ever on disk."""
import json
import os
import re
import subprocess

import pytest

import lab
import nfs
from test_transfers import Tftp

HTTP = "http://10.77.0.1/"
CONFIG = "dhcp: {mode: off}\nnfs: {mode: on}\nftp: {port: 21}\n"

BOOT_CFG = """bootstate=0
title=Loading ESXi installer
timeout=5
prefix=
kernel=/b.b00
kernelopt=runweasel cdromBoot
modules=/jumpstrt.gz --- /useropts.gz --- /k.b00 --- /chardevs.b00
build=7.0.3-0.35.19482537
updated=0
"""


def image(folder, name, files, *options):
    """An image of {path: bytes}."""
    tree = folder / ("tree-" + name)
    for path, data in files.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_bytes(data)
    (folder / "media").mkdir(exist_ok=True)
    path = folder / "media" / f"{name}.iso"
    subprocess.run(["genisoimage", "-quiet", *(options or ("-R",)), "-o", path, tree],
                   check=True, capture_output=True)
    return path


def esxi(folder):
    payload = {name: os.urandom(5000 + 7 * len(name)) for name in
               ("b.b00", "jumpstrt.gz", "useropts.gz", "k.b00", "chardevs.b00")}
    payload["mboot.c32"] = os.urandom(3000)
    payload["boot.cfg"] = BOOT_CFG.encode()
    payload["vmware-esx-base-osl.txt"] = b"VMware ESXi 7.0.3\n"
    payload["efi/boot/bootx64.efi"] = os.urandom(70001)
    payload["efi/boot/crypto64.efi"] = os.urandom(12345)
    payload["efi/boot/boot.cfg"] = BOOT_CFG.encode()
    return payload, image(folder, "esx", payload, "-l")  # ISO 9660 alone, in capitals


def proxmox(folder):
    # An initrd of odd length: what follows it has to be moved to a multiple of four.
    payload = {"boot/linux26": os.urandom(9001), "boot/initrd.img": os.urandom(20003),
               ".pve-cd-id.txt": b"id\n", ".cd-info": b"RELEASE='8.2'\nISORELEASE='2'\n",
               "proxmox/packages/x.deb": os.urandom(300_000)}
    return payload, image(folder, "pve", payload)


def windows(folder):
    payload = {"bootmgr": os.urandom(4000), "bootmgr.efi": os.urandom(5000),
               "boot/bcd": os.urandom(2048), "boot/boot.sdi": os.urandom(30000),
               "sources/boot.wim": os.urandom(1_000_001),
               "sources/install.wim": os.urandom(2_000_000), "setup.exe": b"MZ"}
    return payload, image(folder, "win", payload, "-udf", "-iso-level", "3")


class Doors:
    """The same file by each."""

    def __init__(self, network, client):
        self.network, self.client = network, client

    def http(self, path, *arguments):
        return subprocess.run(
            self.network.inside("curl", "-s", "-f", "-m", "20", *arguments, HTTP + path,
                                where=self.client), capture_output=True, check=True).stdout

    def head(self, path, *arguments):
        text = self.http(path, "-I", *arguments).decode()
        return dict(re.findall(r"^([A-Za-z-]+): (.*?)\r?$", text, re.M))

    def tftp(self, path):
        return Tftp(self.client, path, blksize=1400, windowsize=8).read()

    def nfs(self, path):
        user = nfs.Client(self.client)
        try:
            return user.read_all(user.walk(path), 32768)
        finally:
            user.close()

    def ftp(self, path):
        return subprocess.run(
            self.network.inside("curl", "-s", "-f", "-m", "20", "ftp://10.77.0.1/" + path,
                                where=self.client), capture_output=True, check=True).stdout

    def same(self, path):
        data = self.http(path)
        assert self.ftp(path) == data, path
        assert self.tftp(path) == data, path
        assert self.nfs(path) == data, path
        return data


def unpacked(folder, archive):
    """What the archive holds, by cpio's own reading: {name: bytes}."""
    into = folder / "unpacked"
    into.mkdir()
    subprocess.run(["cpio", "-id", "--quiet"], cwd=into, input=archive, check=True,
                   capture_output=True)
    return {p.name: p.read_bytes() for p in into.iterdir()}


@pytest.fixture
def doors(network, client):
    return Doors(network, client)


def test_an_archive_holds_the_whole_image_as_one_file(network, doors, folder):
    _, iso = proxmox(folder)
    whole = iso.read_bytes()
    with lab.Server(network, "--media", folder / "media", config=CONFIG) as server:
        server.wait_for("medium pve:")
        archive = doors.same("made/pve/proxmox.iso.cpio")
        assert len(archive) % 4 == 0
        assert unpacked(folder, archive) == {"proxmox.iso": whole}
        assert unpacked(folder / "media", doors.http("made/pve/any-name.cpio")) == \
            {"any-name": whole}
        # Pieces of it, over the edges of what it is made of.
        at = archive.index(whole)
        for first, last in ((0, 0), (at - 3, at + 2), (at + len(whole) - 2, len(archive) - 1),
                            (at + 5000, at + 70_000), (1, len(archive) - 2)):
            assert doors.http("made/pve/proxmox.iso.cpio", "-r", f"{first}-{last}") == \
                archive[first:last + 1]
        # The same for every worker and every time: a download can be taken up again.
        heads = [doors.head("made/pve/proxmox.iso.cpio") for _ in range(4)]
        assert all(h["ETag"] == heads[0]["ETag"] and h["Content-Length"] == str(len(archive)) and
                   h["Last-Modified"] == heads[0]["Last-Modified"] for h in heads), heads
        assert doors.http("made/pve/proxmox.iso.cpio", "-o", "/dev/null", "-w", "%{http_code}",
                          "-H", f"If-None-Match: {heads[0]['ETag']}") == b"304"
        assert b"proxmox.iso.cpio" in doors.http("made/pve/")
        user = nfs.Client(doors.client)
        handle = user.walk("made/pve/proxmox.iso.cpio")
        first = user.getattr(handle)
        assert first["size"] == len(archive) and user.getattr(handle) == first
        user.close()


def test_all_initrds_of_an_entry_are_one_file(network, doors, folder):
    payload, _ = proxmox(folder)
    with lab.Server(network, "--media", folder / "media", config=CONFIG) as server:
        server.wait_for("medium pve:")
        entry = json.loads(server.query("media", "--json"))[0]["entries"][0]
        joined = doors.same(f"made/pve/{entry['id']}/initrd")
        expected = b""
        for path in entry["initrd"]:
            expected += b"\0" * (-len(expected) % 4)
            expected += payload[path] if path in payload else \
                doors.http(path.lstrip("/").replace("${name}", "pve"))
        assert joined == expected
        assert payload["boot/initrd.img"] in joined


def test_esxi_is_told_where_its_files_are(network, doors, folder):
    payload, _ = esxi(folder)
    with lab.Server(network, "--media", folder / "media", config=CONFIG) as server:
        server.wait_for("medium esx:")
        assert doors.same("made/esx/boot.cfg").decode() == """bootstate=0
title=Loading ESXi installer
timeout=5
prefix=http://10.77.0.1/media/esx
kernel=b.b00
kernelopt=runweasel
modules=jumpstrt.gz --- useropts.gz --- k.b00 --- chardevs.b00
build=7.0.3-0.35.19482537
updated=0
"""
        assert doors.same("made/esx/mboot.efi") == payload["efi/boot/bootx64.efi"]
        assert doors.same("made/esx/crypto64.efi") == payload["efi/boot/crypto64.efi"]
        for name in ("b.b00", "jumpstrt.gz", "chardevs.b00", "mboot.c32"):
            assert doors.same("media/esx/" + name) == payload[name]


def test_windows_gets_what_wimboot_takes(network, doors, folder):
    payload, _ = windows(folder)
    with lab.Server(network, "--media", folder / "media", config=CONFIG) as server:
        server.wait_for("medium win:")
        assert doors.same("made/win/winpeshl.ini").startswith(b"[LaunchApps]\r\n")
        script = doors.same("made/win/startnet.cmd").decode()
        assert "\r\nset TREE=http://10.77.0.1/media/win\r\n" in script
        for name in ("boot/bcd", "boot/boot.sdi", "sources/boot.wim", "sources/install.wim"):
            assert doors.http("media/win/" + name) == payload[name]
            assert doors.tftp("media/win/" + name) == payload[name]


def test_what_cannot_be_made_is_said_and_missed(network, doors, folder):
    big = folder / "media" / "big.iso"
    image(folder, "pve", {"a": b"x"})
    image(folder, "big", {"a": b"x"})
    with open(big, "r+b") as file:  # an image of 4 GiB that takes no room
        file.truncate(4 << 30)
    with lab.Server(network, "--media", folder / "media", config=CONFIG) as server:
        server.wait_for("medium big:")
        server.wait_for("medium pve:")
        for path in ("made/big/big.iso.cpio", "made/pve/boot.cfg", "made/pve/mboot.efi",
                     "made/none/x.cpio", "made/pve/none/initrd"):
            with pytest.raises(subprocess.CalledProcessError) as failure:
                doors.http(path)
            assert failure.value.returncode == 22, path  # 404
        server.wait_for("made/big/big.iso.cpio cannot be made: .* 4 GiB")
        assert doors.http("iso/big.iso", "-r", "0-9") == big.open("rb").read(10)


def test_an_archive_of_an_image_that_is_replaced_is_cut_off(network, doors, folder):
    """The header was sent: other bytes must not follow the first ones."""
    _, iso = proxmox(folder)
    with open(iso, "r+b") as file:
        file.truncate(64 << 20)
    with lab.Server(network, "--media", folder / "media", config=CONFIG) as server:
        server.wait_for("medium pve:")
        transfer = Tftp(doors.client, "made/pve/proxmox.iso.cpio", blksize=1024, windowsize=4)
        transfer.window_read()
        new = iso.with_suffix(".new")
        new.write_bytes(b"other" * 1000)
        os.truncate(iso, 4096)
        transfer.sock.settimeout(5)
        with pytest.raises(AssertionError, match="replaced|short|removed"):
            transfer.read()
