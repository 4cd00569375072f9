"""bootjack media add, verify, remove: what an administrator does to the folder of media."""
import hashlib
import http.server
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import threading
import time

import pytest

import lab

NETBOOT = pathlib.Path("/usr/lib/debian-installer/images/12/amd64/text")


def media_command(*arguments, prefix=(), timeout=60, **more):
    return subprocess.run([*map(str, prefix), lab.program(), "media", *map(str, arguments)],
                          capture_output=True, text=True, timeout=timeout,
                          stdin=subprocess.DEVNULL, **more)


def done(*arguments, **more):
    made = media_command(*arguments, **more)
    assert made.returncode == 0, made
    return made.stdout


def refused(*arguments, **more):
    made = media_command(*arguments, **more)
    assert made.returncode == 1, made
    return made.stderr


@pytest.fixture
def media(folder):
    made = folder / "media"
    made.mkdir()
    return made


@pytest.fixture
def image(folder):
    """An image with a checksum of every file inside, of some MiB."""
    tree = folder / "tree"
    (tree / "pool").mkdir(parents=True)
    for i in range(6):
        (tree / f"pool/package-{i}.deb").write_bytes(random.Random(i).randbytes(600_000))
    (tree / "md5sum.txt").write_text("".join(
        f"{hashlib.md5(path.read_bytes()).hexdigest()}  ./{path.relative_to(tree)}\n"
        for path in sorted(tree.rglob("*.deb"))))
    made = folder / "source/system.iso"
    made.parent.mkdir()
    subprocess.run(["genisoimage", "-quiet", "-R", "-o", made, tree], check=True)
    return made


def sums(path, digest=None):
    digest = digest or hashlib.sha256(path.read_bytes()).hexdigest()
    (path.parent / "SHA256SUMS").write_text(f"{'0' * 64}  other.iso\n{digest}  {path.name}\n")


class Source:
    """HTTP on loopback: ranges and validators as RFC 9110 has them, and what goes wrong."""

    def __init__(self, folder):
        self.folder, self.asked, self.cut_after, self.etag, self.pace = folder, [], [], '"1"', 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *unused):
                pass

            def do_GET(self):
                outer.answer(self)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever)

    def __enter__(self):
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        return self

    def __exit__(self, *unused):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def answer(self, handler):
        path = self.folder / handler.path.lstrip("/")
        if not path.is_file():
            handler.send_error(404)
            return
        data, start = path.read_bytes(), 0
        wanted = handler.headers.get("Range")
        if path.suffix == ".iso":
            self.asked.append((wanted, handler.headers.get("If-Range")))
        if wanted and handler.headers.get("If-Range", self.etag) == self.etag:
            start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1])
        handler.send_response(206 if start else 200)
        handler.send_header("Content-Length", str(len(data) - start))
        if self.etag:
            handler.send_header("ETag", self.etag)
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        handler.end_headers()
        end = len(data)
        if path.suffix == ".iso" and self.cut_after:
            end = start + self.cut_after.pop(0)
        try:
            for at in range(start, end, 65536):
                handler.wfile.write(data[at:min(at + 65536, end)])
                if self.pace:
                    time.sleep(self.pace)
        except OSError:
            pass
        handler.close_connection = True


@pytest.fixture
def source(image):
    with Source(image.parent) as made:
        yield made


def left_behind(media):
    return sorted(path.name for path in media.iterdir() if path.name != "system.iso")


# ---- add

def test_a_copy_is_checked_and_told(media, image):
    sums(image)
    told = json.loads(done("add", "--json", "--to", media, image))
    assert told["path"] == str(media / "system.iso") and told["checked_by"] == "SHA256SUMS"
    assert told["medium"]["name"] == "system"
    assert (media / "system.iso").read_bytes() == image.read_bytes()
    assert left_behind(media) == []
    assert "is there already" in refused("add", "--to", media, image)
    assert "right by SHA256SUMS" in done("add", "--replace", "--to", media, image)


def test_a_copy_of_another_checksum_is_not_added(media, image):
    sums(image, "1" * 64)
    said = refused("add", "--to", media, image)
    assert "should be " + "1" * 64 in said and "by SHA256SUMS" in said
    assert list(media.iterdir()) == []
    assert "no checksum" in done("add", "--no-checksum", "--to", media, image)


def test_a_link_is_the_same_file(media, image):
    done("add", "--link", "--to", media, image)
    assert (media / "system.iso").stat().st_ino == image.stat().st_ino


@pytest.mark.parametrize("given, said", [
    ("page.iso", "not an ISO image"), ("nothing.iso", "No such file"), ("tree", "media end with"),
    ("notes.txt", "media end with")])
def test_what_is_no_medium_is_not_added(folder, media, image, given, said):
    (image.parent / "page.iso").write_text("<html>Please choose a mirror</html>\n" * 2000)
    (image.parent / "notes.txt").write_text("notes\n")
    assert said in refused("add", "--to", media, image.parent / given)
    assert list(media.iterdir()) == []


def test_a_configured_folder_is_the_place(folder, media, image):
    (folder / "conf.yaml").write_text(f"media: [{image}, {media}]\n")
    done("add", "-c", folder / "conf.yaml", "--name", "Other Name.iso", image)
    assert (media / "Other Name.iso").exists()
    # By the name that it has in the menu, too.
    assert "right by md5sum.txt" in done("verify", "-c", folder / "conf.yaml", "other-name")
    (folder / "conf.yaml").write_text("media: [\n")
    assert "conf.yaml:" in refused("add", "-c", folder / "conf.yaml", image)


def test_a_download_is_held_against_what_lies_beside_it(media, image, source):
    sums(image)
    told = json.loads(done("add", "--json", "--to", media, f"{source.url}/system.iso"))
    assert told["checked_by"] == "SHA256SUMS"
    assert (media / "system.iso").read_bytes() == image.read_bytes()
    assert left_behind(media) == []


@pytest.mark.parametrize("how", ["list", "hex", "sha256", "url"])
def test_a_checksum_may_be_given(media, image, source, how):
    digest = hashlib.sha256(image.read_bytes()).hexdigest()
    sums(image)
    (image.parent / "SHA256SUMS").rename(image.parent / "elsewhere")
    given = {"list": image.parent / "elsewhere", "hex": digest, "sha256": f"sha256:{digest}",
             "url": f"{source.url}/elsewhere"}[how]
    assert "its checksum is right" in done("add", "--to", media, "--checksum", given,
                                           f"{source.url}/system.iso")
    wrong = digest[::-1]
    assert "should be" in refused("add", "--replace", "--to", media, "--checksum", wrong,
                                  f"{source.url}/system.iso")
    assert (media / "system.iso").read_bytes() == image.read_bytes()
    assert left_behind(media) == []


def test_a_download_that_is_cut_goes_on_by_itself(media, image, source):
    """Twice, and nothing is asked for twice."""
    sums(image)
    source.cut_after = [1_000_000, 500_000]
    done("add", "--to", media, f"{source.url}/system.iso")
    assert (media / "system.iso").read_bytes() == image.read_bytes()
    assert source.asked == [(None, None), ("bytes=1000000-", '"1"'), ("bytes=1500000-", '"1"')]


@pytest.mark.parametrize("changes", [False, True], ids=["the same", "another by then"])
def test_a_download_goes_on_where_it_was_ended(media, image, source, changes):
    sums(image)
    source.pace = 0.05
    process = subprocess.Popen([lab.program(), "media", "add", "--to", media,
                                f"{source.url}/system.iso"], stderr=subprocess.DEVNULL)
    part = media / ".system.iso.part"
    end = time.monotonic() + 30
    while not (part.exists() and part.stat().st_size > 300_000):
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert list(media.glob("*.iso")) == []
    had, source.pace = part.stat().st_size, 0
    if changes:
        image.write_bytes(image.read_bytes()[:-2048] + bytes(2048))
        sums(image)
        source.etag = '"2"'
    done("add", "--to", media, f"{source.url}/system.iso")
    assert (media / "system.iso").read_bytes() == image.read_bytes()
    assert source.asked[-1] == (f"bytes={had}-", '"1"')
    assert left_behind(media) == []


def test_a_part_of_nobody_knows_what_is_begun_anew(media, image, source):
    """A source that names no version; what had come of it was longer than all there is."""
    sums(image)
    source.etag = None
    source.cut_after = [1_000_000]
    (media / ".system.iso.part").write_bytes(bytes(5_000_000))
    (media / ".system.iso.from").write_text(f"{source.url}/system.iso\n\n")
    done("add", "--to", media, f"{source.url}/system.iso")
    assert (media / "system.iso").read_bytes() == image.read_bytes()
    assert source.asked == [(None, None), (None, None)]


def test_a_download_of_another_checksum_leaves_nothing(media, image, source):
    sums(image, "2" * 64)
    assert "it was not added" in refused("add", "--to", media, f"{source.url}/system.iso")
    assert list(media.iterdir()) == []


def test_what_a_source_does_not_have_is_said(media, source):
    said = refused("add", "--to", media, f"{source.url}/nothing.iso")
    assert "404" in said
    said = refused("add", "--to", media, "http://127.0.0.1:1/system.iso")
    assert "onnect" in said, said


@pytest.mark.parametrize("remote", [False, True], ids=["copy", "download"])
def test_no_room_is_said_with_its_size(folder, media, image, source, remote):
    what = f"{source.url}/system.iso" if remote else str(image)
    script = f'mount -t tmpfs -o size=1m none {media} && exec "$@"'
    said = refused("add", "--to", media, what, prefix=["unshare", "-m", "sh", "-c", script, "sh"])
    assert "no room: system.iso needs 3.7 MiB" in said and "are free" in said, said


def test_the_server_never_sees_half_of_one(network, client, folder, image):
    """From our own HTTP, into the folder that another of us serves."""
    media = folder / "served"
    media.mkdir()
    sums(image)
    with lab.Server(network, "--root", image.parent, "--media", media,
                    config="dhcp: {mode: off}\nftp: {port: 21}\n") as server:
        for n, door in enumerate(("http", "ftp"), 1):
            done("add", "--replace", "--to", media, f"{door}://10.77.0.1/system.iso",
                 prefix=network.inside(where=client))
            server.wait_for("(?s)" + "medium system: .*?" * n)
        assert "not served" not in server.process.text
        listed = json.loads(server.query("media", "--json"))
        assert [medium["name"] for medium in listed] == ["system"]


def test_netboot_files_become_a_medium_of_their_own(folder, media):
    subprocess.run(["tar", "-czf", folder / "netboot.tar.gz", "-C", NETBOOT, "."], check=True)
    told = json.loads(done("add-netboot", "--json", "--to", media, "debian-12",
                           folder / "netboot.tar.gz"))
    assert told["path"] == str(media / "debian-12-netboot.tar.gz")
    assert told["medium"]["system"] == "debian"
    assert [e for e in told["medium"]["entries"] if not e.get("why_not")]
    assert "is no .tar" in refused("add-netboot", "--to", media, "x", "netboot.zip")


def test_what_mends_a_debian_cd_is_what_it_says(network, client, folder, media):
    """Its own remedy, word for word, with Debian's real files: then BIOS' menu has them."""
    tree = folder / "cd"
    for name, content in {
            ".disk/info": 'Debian GNU/Linux 12.5.0 "Bookworm" - Official amd64 NETINST 20240210',
            "install.amd/vmlinuz": "k", "install.amd/initrd.gz": "i",
            "dists/bookworm/Release": "Suite: stable"}.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(content)
    lab.make_iso(media / "cd.iso", tree)
    subprocess.run(["tar", "-czf", folder / "netboot.tar.gz", "-C", NETBOOT, "."], check=True)
    entry, = json.loads(done("inspect", "--json", media / "cd.iso"))["entries"]
    assert "looks for a CD" in entry["why_not"] and entry["starts"] == []
    program, verb, *words = entry["remedy"].split()
    assert (program, verb) == ("bootjack", "media")

    def menu():
        return subprocess.run(network.inside("curl", "-s", "http://10.77.0.1/pxelinux.cfg/default",
                                             where=client), check=True, capture_output=True,
                              text=True).stdout

    with lab.Server(network, "--media", media) as server:
        server.wait_for("medium cd: debian 12.5.0 netinst")
        assert "LINUX media/" not in menu()
        done(*[folder / word if word == "netboot.tar.gz" else word for word in words],
             "--to", media)
        server.wait_for("medium debian-12-netboot: debian 12 text")
        where = "media/debian-12-netboot/debian-installer/amd64/"
        assert f"  LINUX {where}linux\n  INITRD {where}initrd.gz\n" in menu()
        for name in ("linux", "initrd.gz"):
            got = subprocess.run(network.inside("curl", "-s", f"http://10.77.0.1/{where}{name}",
                                                where=client), check=True, capture_output=True)
            assert got.stdout == (NETBOOT / "debian-installer/amd64" / name).read_bytes()
        # And the CD is there for a mirror of it.
        got = subprocess.run(network.inside("curl", "-s", "http://10.77.0.1/media/cd/dists/bookworm/"
                                            "Release", where=client), capture_output=True)
        assert got.stdout == b"Suite: stable"


# ---- verify

def test_every_wrong_file_is_named(media, image):
    target = media / "system.iso"
    shutil.copy(image, target)
    assert "right by md5sum.txt, 6 files" in done("verify", target)
    data = bytearray(target.read_bytes())
    for i in (1, 4):
        at = data.find(random.Random(i).randbytes(600_000))
        data[at + 77_777] ^= 1
    target.write_bytes(data)
    made = media_command("verify", "--json", target)
    assert made.returncode == 1
    check, = json.loads(made.stdout)[0]["checks"]
    assert check["by"] == "md5sum.txt" and check["files"] == 6 and not check["ok"]
    assert check["wrong"] == ["pool/package-1.deb", "pool/package-4.deb"]
    assert check["missing"] == []
    said = media_command("verify", target).stdout
    assert "WRONG by md5sum.txt" in said and "wrong    pool/package-4.deb" in said


def test_a_missing_file_is_named(folder, media, image):
    tree = folder / "tree"
    (tree / "pool/package-2.deb").unlink()
    subprocess.run(["genisoimage", "-quiet", "-R", "-o", media / "m.iso", tree], check=True)
    check, = json.loads(media_command("verify", "--json", media / "m.iso").stdout)[0]["checks"]
    assert check["missing"] == ["pool/package-2.deb"] and check["wrong"] == []
    # The same of an extracted tree.
    check, = json.loads(media_command("verify", "--json", tree).stdout)[0]["checks"]
    assert check["missing"] == ["pool/package-2.deb"]


def test_an_implanted_checksum_is_held(folder, media):
    tree = folder / "plain"
    tree.mkdir()
    (tree / "f").write_bytes(random.Random(7).randbytes(12_000_000))  # less it cannot itself
    target = media / "m.iso"
    subprocess.run(["genisoimage", "-quiet", "-R", "-o", target, tree], check=True)
    assert "brings no checksums" in media_command("verify", target).stdout
    subprocess.run(["implantisomd5", target], check=True, capture_output=True)
    subprocess.run(["checkisomd5", target], check=True, capture_output=True)
    assert "right by implanted MD5" in done("verify", target)
    data = bytearray(target.read_bytes())
    data[200_000] ^= 1
    target.write_bytes(data)
    assert subprocess.run(["checkisomd5", target], capture_output=True).returncode != 0
    made = media_command("verify", target)
    assert made.returncode == 1 and "WRONG by implanted MD5" in made.stdout


def test_checksums_beside_a_medium_are_held(media, image):
    target = media / "system.iso"
    shutil.copy(image, target)
    sums(target)
    told = done("verify", target)
    assert "right by SHA256SUMS\n" in told and "right by md5sum.txt" in told
    sums(target, "3" * 64)
    made = media_command("verify", target)
    assert made.returncode == 1 and "WRONG by SHA256SUMS" in made.stdout


# ---- remove

def test_remove_wants_to_be_sure(media, image):
    done("add", "--no-checksum", "--to", media, image)
    assert "--yes says that you mean it" in refused("remove", "-m", media, "system")
    assert (media / "system.iso").exists()
    assert json.loads(done("remove", "--json", "--yes", "-m", media, "system")) == {
        "removed": [str(media / "system.iso")]}
    assert list(media.iterdir()) == []
    assert "no medium of this name" in refused("remove", "--yes", "-m", media, "system")


def test_remove_takes_nothing_but_media(folder, media):
    (media / "notes.txt").write_text("notes\n")
    (media / "tree.iso").mkdir()
    assert "no medium by its name" in refused("remove", "--yes", media / "notes.txt")
    assert "is a folder" in refused("remove", "--yes", media / "tree.iso")
    assert len(list(media.iterdir())) == 2
