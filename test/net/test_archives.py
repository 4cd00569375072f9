"""Media that are no ISOs: archives, compressed and not, and images of disks."""
import hashlib
import io
import json
import os
import pathlib
import signal
import subprocess
import tarfile
import time

import pytest

import lab

OFF = "dhcp: {mode: off}\n"
NETBOOT = pathlib.Path("/usr/lib/debian-installer/images/12/amd64/text")


def fetch(network, client, path, *more):
    return subprocess.run(network.inside("curl", "-s", "-f", "-m", "20", *more,
                                         f"http://10.77.0.1/{path}", where=client),
                          capture_output=True).stdout


@pytest.fixture
def media(folder):
    made = folder / "media"
    made.mkdir()
    return made


def unpacked(server):
    return sorted(path.name for path in (server.state / "unpacked").iterdir())


def wait_until(condition):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("never")


def archive(path, files, mode="w:gz"):
    """Moved in whole, as `media add` does it."""
    part = path.parent / f".{path.name}"
    with tarfile.open(part, mode) as made:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            if isinstance(data, bytes):
                info.size = len(data)
                made.addfile(info, io.BytesIO(data))
            else:
                info.type, info.linkname = data
                made.addfile(info)
    part.rename(path)


INSTALLER = {"./debian-installer/amd64/linux": b"kernel", "version.info":
             b"Debian version: 12 (bookworm)\n", "./debian-installer/amd64/initrd.gz": b"initrd"}


def test_debians_netboot_archive_boots_as_it_was_downloaded(network, client, media):
    """Its own links are absolute nowhere; every file is served byte for byte."""
    subprocess.run(["tar", "-czf", media / "netboot.tar.gz", "-C", NETBOOT, "."], check=True)
    with lab.Server(network, "--media", media, config=OFF) as server:
        server.wait_for(r"unpacking .*netboot.tar.gz: 0 B of .* read")
        server.wait_for(r"medium netboot: debian 12")
        listed, = json.loads(server.query("media", "--json"))
        assert listed["kind"] == "archive" and listed["system"] == "debian"
        assert any(not entry.get("why_not") for entry in listed["entries"])
        n = 0
        for path in NETBOOT.rglob("*"):
            if path.is_file():
                name = f"media/netboot/{path.relative_to(NETBOOT)}"
                assert fetch(network, client, name) == path.read_bytes(), path
                n += 1
        assert n > 10
        assert fetch(network, client, "iso/").find(b"netboot") < 0
        assert len(unpacked(server)) == 1
        (media / "netboot.tar.gz").unlink()
        server.wait_for("medium netboot has gone")
        wait_until(lambda: unpacked(server) == [])


@pytest.mark.parametrize("ending, mode", [("tar", "w"), ("tar.gz", "w:gz"), ("tgz", "w:gz"),
                                          ("tar.xz", "w:xz"), ("tar.bz2", "w:bz2")])
def test_archives_of_each_compression_are_media(network, client, media, ending, mode):
    archive(media / f"inst.{ending}", INSTALLER, mode)
    with lab.Server(network, "--media", media, config=OFF) as server:
        server.wait_for("medium inst: debian 12")
        assert fetch(network, client, "media/inst/debian-installer/amd64/linux") == b"kernel"
        # A plain one is read where it lies.
        assert len(unpacked(server)) == (0 if ending == "tar" else 1)


def test_what_was_unpacked_is_kept_over_a_restart(network, client, media, folder):
    state = folder / "state"
    archive(media / "inst.tar.gz", INSTALLER)
    inodes = []
    for _ in range(2):
        with lab.Server(network, "--media", media, config=OFF, state=state) as server:
            server.wait_for("medium inst: debian 12")
            one, = (state / "unpacked").glob("*.tar")
            inodes.append(one.stat().st_ino)
            (state / "unpacked/keep-me").write_text("not ours\n")
    assert inodes[0] == inodes[1]
    assert (state / "unpacked/keep-me").exists()


def test_an_archive_cannot_reach_out_of_itself(network, client, media, folder):
    (folder / "secret").write_text("secret\n")
    archive(media / "evil.tar.gz", {
        **INSTALLER, "../../secret": b"written", "/etc/bootjack-was-here": b"written",
        "a/../../up": b"written", "link": (tarfile.SYMTYPE, str(folder / "secret")),
        "up": (tarfile.SYMTYPE, "../../../../etc"), "up/passwd": b"through",
        "hard": (tarfile.LNKTYPE, "/etc/passwd"), "dir/": b"", "good": b"good"})
    with lab.Server(network, "--media", media, config=OFF) as server:
        server.wait_for("medium evil: debian 12")
        assert fetch(network, client, "media/evil/good") == b"good"
        for path in ("link", "up/passwd", "hard", "../secret"):
            assert fetch(network, client, f"media/evil/{path}", "--path-as-is") == b""
        assert fetch(network, client, "media/evil/etc/bootjack-was-here") == b"written"
        name, = unpacked(server)
        assert name.endswith(".tar")
    assert not pathlib.Path("/etc/bootjack-was-here").exists()
    assert (folder / "secret").read_text() == "secret\n"


def test_a_broken_archive_is_refused_and_the_mended_one_is_served(network, client, media):
    archive(media / "inst.tar.gz", {**INSTALLER, "pad": os.urandom(100_000)})
    whole = (media / "inst.tar.gz").read_bytes()
    (media / "inst.tar.gz").write_bytes(whole[:60_000])
    (media / "text.tar.gz").write_text("this is no archive at all, but a text\n" * 100)
    with lab.Server(network, "--media", media, config=OFF) as server:
        server.wait_for("inst.tar.gz is not served: truncated")
        server.wait_for("text.tar.gz is not served: not a tar archive")
        (media / ".part").write_bytes(whole)
        (media / ".part").rename(media / "inst.tar.gz")
        server.wait_for("medium inst: debian 12")
        assert hashlib.sha256(fetch(network, client, "media/inst/version.info")).hexdigest() == \
            hashlib.sha256(INSTALLER["version.info"]).hexdigest()


def test_who_unpacks_may_die_of_it_and_the_library_lives(network, client, media):
    with lab.Server(network, "--media", media, config=OFF) as server:
        library, victim = server.roles()["library"], server.roles()["unpack"][0]
        os.kill(victim, signal.SIGSTOP)
        archive(media / "inst.tar.gz", INSTALLER)
        server.wait_for("unpacking .*inst.tar.gz")
        server.kill(victim)
        server.wait_for(r"unpack died \(signal 9")
        server.wait_for("medium inst: debian 12")
        assert server.roles()["library"] == library


def test_who_unpacks_may_do_nothing_else(network, media):
    with lab.Server(network, "--media", media, config=OFF) as server:
        pid, = server.roles()["unpack"]
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        assert "NoNewPrivs:\t1" in status and "CapEff:\t0000000000000000" in status
        assert status.split("Uid:")[1].split()[0] != "0"


def test_images_of_disks_are_offered_whole(network, client, media):
    floppy = os.urandom(1_474_560)
    (media / "Boot Floppy.img").write_bytes(floppy)
    (media / "empty.img").write_bytes(b"")
    tree = media.parent / "tree"
    tree.mkdir()
    (tree / "inside").write_text("inside\n")
    subprocess.run(["genisoimage", "-quiet", "-R", "-o", media / "disc.img", tree], check=True)
    with lab.Server(network, "--media", media, config=OFF) as server:
        server.wait_for("medium boot-floppy: ")
        server.wait_for("medium disc: ")
        server.wait_for("empty.img is not served: the file is empty")
        assert fetch(network, client, "iso/boot-floppy.img") == floppy
        assert fetch(network, client, "media/boot-floppy/Boot%20Floppy.img") == floppy
        assert b"boot-floppy.img" in fetch(network, client, "iso/")
        assert fetch(network, client, "iso/boot-floppy.iso") == b""
        # What calls itself a disk and is a disc is read as one.
        assert fetch(network, client, "media/disc/inside") == b"inside\n"
        kinds = {m["name"]: m["kind"] for m in json.loads(server.query("media", "--json"))}
        assert kinds == {"boot-floppy": "disk", "disc": "iso"}
