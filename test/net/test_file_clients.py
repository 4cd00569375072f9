"""The programs that people fetch files with, each over what it speaks, and the whole of
an image as every door serves it against what xorriso takes out of it."""
import random
import subprocess

import pytest

import lab
from conftest import SERVER
from test_transfers import Tftp

SIZE = 3_000_001  # above a MiB: progress is told


@pytest.fixture
def root(folder):
    made = folder / "root"
    (made / "sub dir").mkdir(parents=True)
    (made / "kernel").write_bytes(random.Random(1).randbytes(SIZE))
    (made / "exact").write_bytes(random.Random(2).randbytes(512 * 100))
    (made / "empty").write_bytes(b"")
    (made / "text").write_bytes(b"a line\nanother\r\nlast\n" * 100)
    (made / "sub dir/file with spaces").write_bytes(b"found\n" * 1000)
    return made


@pytest.fixture
def server(network, root):
    with lab.Server(network, "--root", root, config=SERVER) as made:
        yield made


def run(network, client, folder, *command):
    done = subprocess.run(network.inside(*command, where=client), cwd=folder,
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done
    return done


TFTP = {
    "tftp-hpa": lambda name, to: ["tftp", "-m", "binary", "10.77.0.1", "-c", "get", name,
                                  to],
    "tftp-hpa, netascii": lambda name, to: ["tftp", "-m", "netascii", "10.77.0.1", "-c",
                                            "get", name, to],
    "atftp": lambda name, to: ["atftp", "-g", "-r", name, "-l", to, "10.77.0.1", "69"],
    "atftp, options": lambda name, to: [
        "atftp", "--option", "tsize", "--option", "blksize 1400", "--option",
        "windowsize 16", "--option", "timeout 3", "-g", "-r", name, "-l", to, "10.77.0.1"],
    "busybox": lambda name, to: ["busybox", "tftp", "-g", "-r", name, "-l", to,
                                 "10.77.0.1"],
    "busybox, blocks": lambda name, to: ["busybox", "tftp", "-b", "1400", "-g", "-r", name,
                                         "-l", to, "10.77.0.1"],
    "curl": lambda name, to: ["curl", "-sSf", "-o", to, f"tftp://10.77.0.1/{name}"],
    "curl, blocks": lambda name, to: ["curl", "-sSf", "--tftp-blksize", "1428", "-o", to,
                                      f"tftp://10.77.0.1/{name}"],
    "curl, no options": lambda name, to: ["curl", "-sSf", "--tftp-no-options", "-o", to,
                                          f"tftp://10.77.0.1/{name}"],
}

HTTP = {
    "curl": lambda url, to: ["curl", "-sSfk", "-o", to, url],
    "curl, compressed": lambda url, to: ["curl", "-sSfk", "--compressed", "-o", to, url],
    "curl, 1.0": lambda url, to: ["curl", "-0", "-sSfk", "-o", to, url],
    "wget": lambda url, to: ["wget", "-q", "--no-check-certificate", "-O", to, url],
    "aria2, five at a time": lambda url, to: [
        "aria2c", "-q", "--check-certificate=false", "--allow-overwrite", "-x", "5", "-s",
        "5", "-k", "1M", "-d", ".", "-o", to, url],
    "axel, four at a time": lambda url, to: ["axel", "-q", "-k", "-n", "4", "-o", to, url],
    "busybox": lambda url, to: ["busybox", "wget", "-q", "-O", to, url],
}


@pytest.mark.parametrize("program", TFTP)
def test_tftp(network, client, root, folder, server, program):
    for name in ("kernel", "exact", "empty", "text"):
        if program.endswith("netascii") and name != "text":
            continue
        # curl takes the size 0 of an answer for a broken answer.
        if name == "empty" and program in ("curl", "curl, blocks"):
            continue
        got = folder / "got"
        run(network, client, folder, *TFTP[program](name, "got"))
        if name == "empty" and not got.exists():
            continue  # some make no file of nothing
        assert got.read_bytes() == (root / name).read_bytes(), name
        got.unlink()
    if not program.endswith("netascii"):
        server.wait_for("tftp kernel: .*MiB")


@pytest.mark.parametrize("program", HTTP)
def test_http(network, client, root, folder, server, program):
    for door, name in [(door, name) for door in ("http", "https") for name in (
            "kernel", "exact", "empty", "sub dir/file with spaces")]:
        if program == "busybox" and door == "https":
            continue  # it has no TLS of its own
        if name == "empty" and program[:4] in ("aria", "axel"):
            continue  # they divide by its size
        url = f"{door}://10.77.0.1/" + name.replace(" ", "%20")
        run(network, client, folder, *HTTP[program](url, "got"))
        assert (folder / "got").read_bytes() == (root / name).read_bytes(), name
        (folder / "got").unlink()


@pytest.mark.parametrize("program", ["curl", "wget", "aria2"])
def test_a_broken_download_goes_on_where_it_was(network, client, root, folder, server,
                                                program):
    data = (root / "kernel").read_bytes()
    (folder / "kernel").write_bytes(data[:1_234_567])
    url = "http://10.77.0.1/kernel"
    run(network, client, folder, *{
        "curl": ["curl", "-sSf", "-C", "-", "-O", url],
        "wget": ["wget", "-q", "-c", url],
        "aria2": ["aria2c", "-q", "-c", url]}[program])
    assert (folder / "kernel").read_bytes() == data


def test_wget_takes_a_whole_tree_by_its_listings(network, client, root, folder, server):
    (folder / "got").mkdir()
    run(network, client, folder / "got", "wget", "-q", "-r", "-np", "-nH", "-R",
        "index.html*", "http://10.77.0.1/sub%20dir/")
    assert (folder / "got/sub dir/file with spaces").read_bytes() == b"found\n" * 1000


def test_wget_fetches_only_what_is_newer(network, client, root, folder, server):
    url = "http://10.77.0.1/kernel"
    run(network, client, folder, "wget", "-q", "-N", url)
    done = run(network, client, folder, "wget", "-N", url)
    assert "304" in done.stderr or "not newer" in done.stderr or \
        "not modified" in done.stderr, done.stderr


def make_tree(folder):
    """What images hold: deep, long, empty, odd, links, several blocks and none."""
    dice = random.Random(9)
    tree = folder / "tree"
    for at in (".", "boot/grub", "a/b/c/d/e/f/g/h/i/j", "pool/main/l/linux"):
        (tree / at).mkdir(parents=True, exist_ok=True)
        for size in (0, 1, 2047, 2048, 2049, 70000):
            (tree / at / f"file-{size}.bin").write_bytes(dice.randbytes(size))
    (tree / "pool" / ("a long name " + "x" * 180)).write_bytes(b"long\n")
    (tree / "Ünïcode näme").write_bytes(b"unicode\n")
    (tree / "big.img").write_bytes(dice.randbytes(5_000_000))
    (tree / "link").symlink_to("boot/grub/file-2049.bin")
    (tree / "boot/up").symlink_to("../big.img")
    return tree


def taken_out(iso, to):
    """What xorriso takes out of the image: {path: bytes}."""
    lab.run("xorriso", "-no_rc", "-osirrox", "on", "-indev", iso, "-extract", "/", to)
    subprocess.run(["chmod", "-R", "u+rwX", to], check=True)
    return {str(path.relative_to(to)): path.read_bytes()
            for path in sorted(to.rglob("*")) if path.is_file()}


def test_an_image_is_served_as_xorriso_takes_it_out(network, client, folder):
    media = folder / "media"
    media.mkdir()
    tree = make_tree(folder)
    subprocess.run(["xorriso", "-as", "mkisofs", "-quiet", "-R", "-J", "-V", "ONE", "-o",
                    media / "one.iso", tree], check=True, capture_output=True)
    files = taken_out(media / "one.iso", folder / "out")
    assert len(files) >= 29
    with lab.Server(network, "--media", media,
                    config=SERVER + "tftp: {rate: off}\n") as server:
        server.wait_for("medium one: ")
        listed = folder / "urls"
        listed.write_text("".join(
            f'url = "http://10.77.0.1/media/one/{quoted(path)}"\n'
            f'output = "{folder / "web" / str(i)}"\n' for i, path in enumerate(files)))
        (folder / "web").mkdir()
        run(network, client, folder, "curl", "-sSf", "-K", listed)
        for i, (path, data) in enumerate(files.items()):
            assert (folder / "web" / str(i)).read_bytes() == data, path
            assert Tftp(client, f"media/one/{path}", blksize=1428,
                        windowsize=16).read() == data, path
        raw = run(network, client, folder, "curl", "-sSf", "-o", "raw",
                  "http://10.77.0.1/iso/one.iso")
        assert raw and (folder / "raw").read_bytes() == (media / "one.iso").read_bytes()


def quoted(path):
    return "".join(c if c.isalnum() and c.isascii() or c in "-._~/" else
                   "".join(f"%{b:02x}" for b in c.encode()) for c in path)
