"""What is inside of an image, as clients get it: byte for byte what went in."""
import hashlib
import json
import os
import signal
import subprocess

import pytest

import lab


def curl(network, client, *arguments):
    return subprocess.run(network.inside("curl", "-s", "-f", "-m", "20", *arguments,
                                         where=client), capture_output=True, check=True).stdout


def fill(tree):
    """A tree with what images are made for: long names, depth, an empty file."""
    (tree / "sources/deep/er/and/deeper/than/eight/folders/go").mkdir(parents=True)
    (tree / "sources/boot.wim").write_bytes(os.urandom(3_000_001))
    (tree / "sources/deep/er/and/deeper/than/eight/folders/go/x").write_text("deep\n")
    (tree / "a name that is longer than any of ISO 9660 (sixty-four, no more).txt").write_text("n")
    (tree / "bootmgr.efi").write_bytes(os.urandom(2048))
    (tree / "empty").write_bytes(b"")
    return {str(path.relative_to(tree)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in tree.rglob("*") if path.is_file()}


@pytest.mark.parametrize("options", [
    ["-udf", "-iso-level", "3", "-D", "-hide", "*", "-hide", "sources"],
    ["-udf", "-D"], ["-udf", "-R", "-D"],
    ["-R", "-D"], ["-J", "-joliet-long", "-D"], ["-R", "-J", "-joliet-long"]],
    ids=["Windows", "UDF", "UDF and Rock Ridge", "Rock Ridge", "Joliet", "relocated"])
def test_every_file_of_an_image_is_served_as_it_went_in(network, client, folder, options):
    tree, media = folder / "tree", folder / "media"
    tree.mkdir()
    media.mkdir()
    files = fill(tree)
    subprocess.run(["genisoimage", "-quiet", "-V", "MEDIUM", *options, "-o", media / "m.iso", tree],
                   check=True, capture_output=True)
    with lab.Server(network, "--media", media, config="dhcp: {mode: off}\n") as server:
        server.wait_for("medium m:")
        listed = json.loads(server.query("media", "--json"))
        assert [medium["name"] for medium in listed] == ["m"]
        for path, digest in files.items():
            url = "http://10.77.0.1/media/m/" + path.replace(" ", "%20")
            assert hashlib.sha256(curl(network, client, url)).hexdigest() == digest, path
        whole = curl(network, client, "http://10.77.0.1/iso/m.iso")
        assert whole == (media / "m.iso").read_bytes()


def test_a_file_of_more_than_four_gib_is_one_file(network, client, folder):
    """In several extents on ISO 9660: each can have 4 GiB less a block."""
    tree, media = folder / "tree", folder / "media"
    tree.mkdir()
    media.mkdir()
    size = (4 << 30) + 5_000_000
    with open(tree / "install.wim", "wb") as big:
        big.truncate(size)
        for at in (0, (4 << 30) - 4096, size - 9):
            big.seek(at)
            big.write(b"MARK %3d\n" % (at % 997))
    (tree / "after").write_text("after\n")
    subprocess.run(["xorriso", "-as", "mkisofs", "-quiet", "-R", "-iso-level", "3", "-o",
                    media / "m.iso", tree], check=True, capture_output=True)
    try:
        with lab.Server(network, "--media", media, config="dhcp: {mode: off}\n") as server:
            server.wait_for("medium m:")
            url = "http://10.77.0.1/media/m/install.wim"
            head = curl(network, client, "-I", url).decode().lower()
            assert f"content-length: {size}" in head
            for at in (0, (4 << 30) - 4096, size - 9):
                assert curl(network, client, "-r", f"{at}-{at + 8}", url) == \
                    b"MARK %3d\n" % (at % 997)
            assert curl(network, client, "-r", f"{(4 << 30) - 4096}-{(4 << 30) + 4095}", url) == \
                (b"MARK %3d\n" % (((4 << 30) - 4096) % 997)).ljust(8192, b"\0")
            assert curl(network, client, "http://10.77.0.1/media/m/after") == b"after\n"
    finally:
        (media / "m.iso").unlink()


def test_the_last_session_of_a_medium_counts(network, client, folder):
    media, first, second = folder / "media", folder / "first", folder / "second"
    for made in (media, first, second):
        made.mkdir()
    (first / "kept").write_text("kept\n")
    (first / "changed").write_text("old\n")
    (second / "changed").write_text("new\n")
    (second / "added").write_text("added\n")
    image = media / "m.iso"
    for tree in (first, second):
        subprocess.run(["xorriso", "-dev", f"stdio:{image}", "-map", tree, "/", "-commit"],
                       check=True, capture_output=True)
    with lab.Server(network, "--media", media, config="dhcp: {mode: off}\n") as server:
        server.wait_for("medium m:")
        for name, text in (("kept", b"kept\n"), ("changed", b"new\n"), ("added", b"added\n")):
            assert curl(network, client, f"http://10.77.0.1/media/m/{name}") == text


def test_boot_images_are_files_also_when_they_are_in_no_folder(network, client, folder):
    tree, media = folder / "tree", folder / "media"
    tree.mkdir()
    media.mkdir()
    boot, efi = os.urandom(4096), os.urandom(1 << 20)
    (tree / "boot.img").write_bytes(boot)
    (tree / "efi.img").write_bytes(efi)
    subprocess.run(["genisoimage", "-quiet", "-R", "-b", "boot.img", "-no-emul-boot",
                    "-boot-load-size", "8", "-c", "boot.cat", "-eltorito-alt-boot", "-e", "efi.img",
                    "-no-emul-boot", "-hide", "efi.img", "-o", media / "m.iso", tree],
                   check=True, capture_output=True)
    with lab.Server(network, "--media", media, config="dhcp: {mode: off}\n") as server:
        server.wait_for("medium m:")
        url = "http://10.77.0.1/media/m/%5BBOOT%5D/"
        assert curl(network, client, url + "1-BIOS.img") == boot
        hidden = curl(network, client, url + "2-UEFI.img")
        assert hidden and efi.startswith(hidden[:2048])
        assert b"2-UEFI.img" in curl(network, client, url)


def test_a_crash_over_an_image_costs_its_index_and_no_transfer(network, client, folder):
    """The library dies of a signal while it has an image before it that it has not read."""
    tree, media = folder / "tree", folder / "media"
    tree.mkdir()
    media.mkdir()
    data = os.urandom(8 << 20)
    (tree / "kernel").write_bytes(data)
    made = ["genisoimage", "-quiet", "-R", "-o"]
    subprocess.run([*made, media / "one.iso", tree], check=True)
    with lab.Server(network, "--media", media, config="dhcp: {mode: off}\n") as server:
        server.wait_for("medium one: ")
        victim, = server.roles()["library"]
        transfer = subprocess.Popen(
            network.inside("curl", "-s", "-f", "--limit-rate", "2M",
                           "http://10.77.0.1/media/one/kernel", where=client),
            stdout=subprocess.PIPE)
        got = transfer.stdout.read(1 << 16)
        os.kill(victim, signal.SIGSTOP)
        subprocess.run([*made, media / ".two", tree], check=True)
        (media / ".two").rename(media / "two.iso")
        # Queued behind the stop, and delivered with the continue: before another look.
        os.kill(victim, signal.SIGABRT)  # a sanitizer would take the others for its own
        server.kill(victim, signal.SIGCONT)
        server.wait_for(r"library died \(signal 6")
        got += transfer.stdout.read()
        assert transfer.wait() == 0 and got == data
        server.wait_for("medium two: ")
        assert curl(network, client, "http://10.77.0.1/media/two/kernel") == data
