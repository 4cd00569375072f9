"""NFS version 3: libnfs as the client, and one that says what it should not."""
import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess

import pytest

import lab
import nfs
from conftest import SERVER, inside

ON = SERVER + "nfs: {mode: on}\n"
URL = "nfs://10.77.0.1"


def make_tree(folder):
    """What a live system's medium has: folders, links, programs, a large file."""
    (folder / "boot/grub").mkdir(parents=True)
    (folder / "boot/vmlinuz").write_bytes(os.urandom(70001))
    (folder / "big").write_bytes(os.urandom(3_000_001))
    (folder / "empty").write_bytes(b"")
    (folder / "run").write_text("#!/bin/sh\n")
    (folder / "run").chmod(0o755)
    (folder / "boot/readme").write_text("read me\n")
    (folder / "boot/readme").chmod(0o640)
    (folder / "boot/kernel").symlink_to("vmlinuz")
    (folder / "absolute").symlink_to("/boot/vmlinuz")
    (folder / "up").symlink_to("../../outside")
    (folder / "many").mkdir()
    for i in range(300):
        (folder / f"many/a-package-with-a-long-name-{i}.deb").write_text(str(i))
    return folder


@pytest.fixture
def tree(folder):
    return make_tree(folder / "tree")


@pytest.fixture
def media(folder, tree):
    made = folder / "media"
    made.mkdir()
    lab.make_iso(made / "live.iso", tree, volume="LIVE")
    return made


@pytest.fixture
def root(folder):
    made = folder / "root"
    (made / "sub/deeper").mkdir(parents=True)
    (made / "hello.txt").write_text("hello, machine\n")
    (made / "sub/deeper/file").write_bytes(os.urandom(200000))
    (made / "sub/link").symlink_to("deeper/file")
    return made


@pytest.fixture
def server(network, media, root):
    with lab.Server(network, "--media", media, "--root", root, config=ON) as made:
        made.wait_for("medium live")
        yield made


def tool(network, client, *command):
    return subprocess.run(network.inside(*command, where=client), capture_output=True,
                          timeout=60)


def digest(data):
    return hashlib.sha256(data).hexdigest()


def extracted(media, folder):
    """What xorriso takes out of the image: {path: bytes or link}."""
    out = folder / "extracted"
    lab.run("xorriso", "-osirrox", "on", "-indev", str(media / "live.iso"),
            "-extract", "/", str(out))
    found = {}
    for path in sorted(out.rglob("*")):
        name = str(path.relative_to(out))
        if path.is_symlink():
            found[name] = os.readlink(path)
        elif path.is_file():
            found[name] = digest(path.read_bytes())
    return found


def everything(client, handle, prefix=""):
    """The same, by NFS."""
    found = {}
    for name, fileid, _, attributes, own in client.list(handle, plus=True):
        if name in (".", ".."):
            continue
        assert attributes["fileid"] == fileid
        if attributes["type"] == 2:
            found.update(everything(client, own, prefix + name + "/"))
        elif attributes["type"] == 5:
            found[prefix + name] = client.readlink(own).decode()
        else:
            data = client.read_all(own)
            assert len(data) == attributes["size"]
            found[prefix + name] = digest(data)
    return found


def test_all_of_a_medium_is_what_xorriso_extracts(network, client, server, media,
                                                  folder):
    """RFC 1813 3.3.6, 3.3.17; RFC 5531 11"""
    user = nfs.Client(client)
    got = everything(user, user.mount("/media/live"))
    assert got == extracted(media, folder)
    assert len(got) == 308


def test_libnfs_lists_and_reads(network, client, server, tree, folder):
    got = tool(network, client, "nfs-ls", URL + "/media/live/boot")
    assert got.returncode == 0, got.stderr
    lines = got.stdout.decode().splitlines()
    assert any(line.endswith("vmlinuz") and " 70001 " in line for line in lines), lines
    assert any(line.startswith("l") and "kernel" in line for line in lines), lines
    assert any(line.startswith("-r--r--r--") and "readme" in line
               for line in lines), lines
    got = tool(network, client, "nfs-cat", URL + "/media/live/big")
    assert got.stdout == (tree / "big").read_bytes()
    copy = folder / "copy"
    got = tool(network, client, "nfs-cp", URL + "/media/live/big", str(copy))
    assert got.returncode == 0, got.stderr
    assert copy.read_bytes() == (tree / "big").read_bytes()
    server.wait_for(r"nfs media/live/big: sent 2\.8 MiB")


def test_links_and_modes_are_those_of_the_medium(network, client, server):
    """RFC 1813 3.3.4, 3.3.5"""
    user = nfs.Client(client)
    top = user.mount("/media/live")
    for name, text in (("absolute", b"/boot/vmlinuz"), ("up", b"../../outside")):
        handle, attributes = user.lookup(top, name)
        assert attributes["type"] == 5 and user.readlink(handle) == text
    run, attributes = user.lookup(top, "run")
    assert attributes["mode"] & 0o111 == 0o111
    big, attributes = user.lookup(top, "big")
    assert attributes["mode"] & 0o777 == 0o444 | attributes["mode"] & 0o200
    granted = [user.nfs(nfs.ACCESS, handle, struct.pack("!I", 0x3f))
               for handle in (run, big, top)]
    assert [(x.post_op() and x.u32()) for x in granted] == [0x21, 1, 0x23]
    with pytest.raises(nfs.Status, match=str(nfs.INVAL)):
        user.nfs(nfs.READLINK, big)


def test_roots_own_files_and_what_is_generated(network, client, server, root):
    user = nfs.Client(client)
    top = user.mount("/")
    handle, attributes = user.lookup(top, "hello.txt")
    assert user.read_all(handle) == b"hello, machine\n"
    assert attributes["mode"] == (root / "hello.txt").stat().st_mode & 0o7777
    link, attributes = user.lookup(user.walk("sub"), "link")
    assert attributes["type"] == 5 and user.readlink(link) == b"deeper/file"
    assert user.read_all(user.walk("sub/deeper/file")) == \
        (root / "sub/deeper/file").read_bytes()
    made, attributes = user.lookup(top, "boot.ipxe")
    text = user.read_all(made)
    assert text.startswith(b"#!ipxe") and len(text) == attributes["size"]
    # Made anew for another worker or later, it is still the same file.
    again = nfs.Client(client)
    assert again.getattr(made) == attributes
    listed = {name: (fileid, at) for name, fileid, _, at, _ in
              user.list(top, plus=True)}
    assert listed["boot.ipxe"] == (attributes["fileid"], None)
    assert {"hello.txt", "sub", "media", "iso", "boot.ipxe", "."} <= set(listed)
    raw = user.walk("iso/live.iso")
    assert user.read(raw, 0x8001, 5)[0] == b"CD001"


def test_mount_says_what_is_there(network, client, server):
    """RFC 1813 5.2.1, 5.2.5"""
    user = nfs.Client(client)
    assert user.mount("/media/live/") == user.mount("//media/./live")
    for path, status in (("/none", nfs.NOENT), ("/hello.txt", nfs.NOTDIR),
                         ("/../..", 13), ("/" + "x" * 300, nfs.NOENT)):
        with pytest.raises(nfs.Status, match=str(status)):
            user.mount(path)
    server.wait_for("nfs none: not found")
    server.wait_for("nfs /media/live: mounted")
    x = user.call(nfs.MOUNT, 3, 5)
    exports = []
    while x.u32():
        exports.append(x.opaque())
        assert x.u32() == 0
    assert exports == [b"/", b"/media/live"]
    for procedure in (2, 3, 4):
        user.call(nfs.MOUNT, 3, procedure, nfs.opaque(b"/media/live"))


def test_the_port_mapper_leads_to_the_port(network, client, server):
    """RFC 1833 2.2.1, 3.2"""
    for udp in (False, True):
        user = nfs.Client(client, port=111, udp=udp)
        ports = [user.call(nfs.PORTMAP, 2, 3, struct.pack("!4I", *asked, 0)).u32()
                 for asked in ((nfs.NFS, 3, 6), (nfs.MOUNT, 3, 17), (nfs.NFS, 4, 6),
                               (100021, 4, 6))]
        assert ports == [2049, 2049, 0, 0]
        asked = struct.pack("!II", nfs.NFS, 3) + nfs.opaque(b"tcp") + \
            nfs.opaque(b"") + nfs.opaque(b"")
        assert user.call(nfs.PORTMAP, 4, 3, asked).opaque() == b"10.77.0.1.8.1"
        assert user.call(nfs.PORTMAP, 2, 1, bytes(16)).u32() == 0
        x, found = user.call(nfs.PORTMAP, 2, 4), set()
        while x.u32():
            found.add((x.u32(), x.u32(), x.u32(), x.u32()))
        assert (nfs.NFS, 3, 17, 2049) in found and len(found) == 10
        with pytest.raises(nfs.Refused, match="1"):
            user.call(nfs.NFS, 3, 0)
    # A call in our name is not made, and not answered either.
    user.send(nfs.call(7, nfs.PORTMAP, 2, 5, struct.pack("!3I", nfs.NFS, 3, 0) +
                       nfs.opaque(b"")))
    assert user.call(nfs.PORTMAP, 2, 0)
    got = tool(network, client, "rpcinfo", "-T", "tcp", "10.77.0.1", "nfs", "3")
    assert b"ready and waiting" in got.stdout, got.stderr


def test_udp_reads_in_pieces_that_fit_a_datagram(network, client, server, tree):
    user = nfs.Client(client, udp=True)
    big = user.walk("big", "/media/live")
    assert len(user.read(big, 0, 1 << 20)[0]) == 32768
    assert user.read_all(big) == (tree / "big").read_bytes()
    x = user.nfs(nfs.FSINFO, big)
    x.post_op()
    assert x.u32() == 32768
    assert len(user.list(user.walk("many", "/media/live"), plus=True)) == 302
    made = user.walk("boot.ipxe")
    assert user.read_all(made).startswith(b"#!ipxe")


def test_reads_end_where_the_file_does(network, client, server, tree):
    """RFC 1813 3.3.6"""
    user = nfs.Client(client)
    data = (tree / "big").read_bytes()
    big = user.walk("big", "/media/live")
    for offset, count in ((0, 0), (0, 1), (5, 65535), (5, 65537), (2_999_999, 9),
                          (3_000_001, 5), (1 << 40, 5), ((1 << 64) - 1, 1 << 20),
                          (7, (1 << 32) - 1)):
        got, eof = user.read(big, offset, count)
        wanted = data[offset:offset + min(count, 1 << 20)]
        assert got == wanted and eof == (offset + len(wanted) >= len(data)), offset
    empty = user.walk("empty", "/media/live")
    assert user.read(empty, 0, 100) == (b"", True)
    with pytest.raises(nfs.Status, match=str(nfs.ISDIR)):
        user.read(user.mount("/media/live"), 0, 5)


def test_nothing_can_be_changed(network, client, server):
    """RFC 1813 2.6"""
    user = nfs.Client(client)
    big = user.walk("big", "/media/live")
    for procedure in (nfs.SETATTR, nfs.WRITE, nfs.CREATE, nfs.MKDIR, nfs.SYMLINK,
                      nfs.MKNOD, nfs.REMOVE, nfs.RMDIR, nfs.RENAME, nfs.LINK,
                      nfs.COMMIT):
        with pytest.raises(nfs.Status, match=str(nfs.ROFS)):
            user.nfs(procedure, big, nfs.opaque(b"x") + bytes(64))
    with pytest.raises(nfs.Status, match=str(nfs.ROFS)):
        user.nfs(nfs.WRITE, big, struct.pack("!QII", 0, 1 << 20, 2) +
                 nfs.opaque(os.urandom(1 << 20)))
    assert user.getattr(big)["size"] == 3_000_001


def test_listings_stay_within_what_the_client_takes(network, client, server):
    """RFC 1813 3.3.16, 3.3.17"""
    user = nfs.Client(client)
    many = user.walk("many", "/media/live")
    wanted = {f"a-package-with-a-long-name-{i}.deb" for i in range(300)} | {".", ".."}
    for plus, counts in ((False, (220, 1000, 4096, 1 << 20)), (True, (420, 5000, 1 << 20))):
        for count in counts:
            names = [entry[0] for entry in user.list(many, count, plus)]
            assert len(names) == 302 and set(names) == wanted
        with pytest.raises(nfs.Status, match=str(nfs.TOOSMALL)):
            user.page(many, count=100, plus=plus)
    entries, verifier, eof = user.page(many, count=2000)
    boot = user.walk("boot", "/media/live")
    with pytest.raises(nfs.Status, match=str(nfs.BAD_COOKIE)):
        user.page(boot, entries[-1][2], verifier)
    # Past the last one there is nothing, whoever made that cookie up.
    assert user.page(many, (1 << 64) - 1, verifier)[::2] == ([], True)


def test_a_cookie_stays_good_when_the_folder_changes(network, client, server, root):
    for i in range(50):
        (root / f"sub/name-{i}").write_text("x")
    user = nfs.Client(client)
    sub = user.walk("sub")
    first, verifier, eof = user.page(sub, count=1000)
    assert not eof
    gone = [entry[0] for entry in first if entry[0].startswith("name-")][-1]
    (root / "sub" / gone).unlink()
    (root / "sub/new").write_text("y")
    rest = []
    cookie = first[-1][2]
    while not eof:
        entries, verifier, eof = user.page(sub, cookie, verifier, count=1000)
        rest += entries
        cookie = entries[-1][2] if entries else cookie
    names = [entry[0] for entry in first + rest]
    assert len(names) == len(set(names))
    assert {f"name-{i}" for i in range(50)} <= set(names)


def test_handles_live_through_a_restart(network, client, media, root, tree, folder):
    state = folder / "state"
    wanted = {"/media/live": "boot/vmlinuz", "/": "sub/deeper/file"}
    arguments = ("--media", media, "--root", root)
    with lab.Server(network, *arguments, config=ON, state=state) as server:
        server.wait_for("medium live")
        user = nfs.Client(client)
        handles = [user.walk(path, start) for start, path in wanted.items()]
        handles.append(user.walk("boot", "/media/live"))
        before = [user.getattr(handle) for handle in handles]
        assert (state / "nfs.key").stat().st_mode & 0o777 == 0o600
    (root / "sub/deeper/another").write_text("a changed tree\n")
    with lab.Server(network, *arguments, config=ON, state=state) as server:
        server.wait_for("medium live")
        for _ in range(8):  # whichever worker it is that the kernel chooses
            user = nfs.Client(client)
            assert [user.getattr(handle) for handle in handles] == before
        assert user.read_all(handles[0]) == (tree / "boot/vmlinuz").read_bytes()
        assert user.read_all(handles[1]) == (root / "sub/deeper/file").read_bytes()
        assert len(user.list(handles[2])) == 6
    with lab.Server(network, *arguments, config=ON) as server:
        user = nfs.Client(client)
        for handle in handles:  # another server's key
            with pytest.raises(nfs.Status, match=str(nfs.BADHANDLE)):
                user.getattr(handle)


def walk_when_there(user, path):
    """A worker hears of a medium a moment before or after the log does."""
    for _ in range(100000):
        try:
            return user.walk(path, "/media/live")
        except nfs.Status as status:
            assert status.args[0] == nfs.NOENT
    raise AssertionError("the medium did not come")


def test_a_replaced_medium_is_stale_and_never_other_bytes(network, client, server,
                                                          media, folder, tree):
    user = nfs.Client(client)
    big = user.walk("big", "/media/live")
    top = user.mount("/media/live")
    raw = user.walk("iso/live.iso")
    old = (tree / "big").read_bytes()
    assert user.read(big, 0, 1000)[0] == old[:1000]
    (tree / "big").write_bytes(b"n" * 3_000_001)
    lab.make_iso(folder / "new.iso", tree, volume="LIVE")
    os.replace(folder / "new.iso", media / "live.iso")
    fresh = nfs.Client(client)
    while True:
        try:
            got = user.read(big, 0, 1000)[0]
        except nfs.Status as status:
            assert status.args[0] == nfs.STALE
            break
        assert got == old[:1000]
    for handle in (top, raw):
        with pytest.raises(nfs.Status, match=str(nfs.STALE)):
            user.getattr(handle)
    server.wait_for(r"(?s)medium live.*medium live")
    handle = walk_when_there(fresh, "big")
    assert handle != big and fresh.read(handle, 0, 10)[0] == b"n" * 10


def test_a_replaced_file_of_root_is_stale(network, client, server, root):
    user = nfs.Client(client)
    hello = user.walk("hello.txt")
    (root / "other").write_text("other\n")
    os.replace(root / "other", root / "hello.txt")
    with pytest.raises(nfs.Status, match=str(nfs.STALE)):
        user.read(hello, 0, 10)
    assert user.read_all(user.walk("hello.txt")) == b"other\n"


def test_forged_handles_are_known(network, client, server):
    user = nfs.Client(client)
    good = user.walk("big", "/media/live")
    for i in range(len(good)):
        bad = bytearray(good)
        bad[i] ^= 1
        with pytest.raises(nfs.Status, match=str(nfs.BADHANDLE)):
            user.getattr(bytes(bad))
    for n in range(0, 64, 4):
        with pytest.raises(nfs.Status, match=str(nfs.BADHANDLE)):
            user.getattr(os.urandom(n))
    with pytest.raises(nfs.Refused, match="4"):
        user.getattr(bytes(68))
    assert user.getattr(good)["size"] == 3_000_001


def test_nothing_leads_out_of_the_tree(network, client, server, root):
    (root / "sub/out").symlink_to("/etc")
    user = nfs.Client(client)
    top, sub = user.mount("/"), user.walk("sub")
    assert user.lookup(top, "..")[0] == top
    assert user.lookup(sub, "..")[0] == top and user.lookup(sub, ".")[0] == sub
    assert user.getattr(user.lookup(sub, "out")[0])["type"] == 5
    out = user.lookup(sub, "out")[0]
    with pytest.raises(nfs.Status, match=str(nfs.NOTDIR)):
        user.lookup(out, "passwd")
    for name in ("", "a/b", "..\0", "/", "../.."):
        with pytest.raises(nfs.Status, match="13"):
            user.lookup(sub, name)
    with pytest.raises(nfs.Status, match="63"):
        user.lookup(sub, "x" * 256)
    with pytest.raises(nfs.Status, match="13"):
        user.mount("/sub/out/ssl")


def test_calls_come_in_pieces_and_in_rows(network, client, server, tree):
    """RFC 5531 11"""
    user = nfs.Client(client)
    big = user.walk("big", "/media/live")
    for fragments in (2, 7, 60):
        assert user.nfs(nfs.GETATTR, big, fragments=fragments).attributes()
    data = (tree / "big").read_bytes()
    for i in range(40):
        user.send(nfs.call(i, nfs.NFS, 3, nfs.READ, nfs.opaque(big) +
                           struct.pack("!QI", i * 70001, 70001)))
    for i in range(40):
        x = nfs.results(user.reply(), i)
        assert x.u32() == 0 and x.post_op()
        x.u32(), x.u32()
        assert x.opaque() == data[i * 70001:(i + 1) * 70001]
    raw = nfs.call(5, nfs.NFS, 3, nfs.GETATTR, nfs.opaque(big))
    whole = struct.pack("!I", 0) + struct.pack("!I", 10) + raw[:10] + \
        struct.pack("!I", 1 << 31 | len(raw) - 10) + raw[10:]
    for byte in whole:
        user.sock.sendall(bytes([byte]))
    assert nfs.results(user.reply(), 5).u32() == 0


def test_what_is_no_call_of_ours_is_refused(network, client, server):
    """RFC 5531 8.2, 9"""
    for udp in (False, True):
        user = nfs.Client(client, udp=udp)
        top = user.mount("/")

        def refused(*wanted, program=nfs.NFS, version=3, procedure=1, **more):
            with pytest.raises(nfs.Refused) as found:
                user.call(program, version, procedure, **more)
            assert found.value.args == wanted

        refused("denied", 0, 2, rpc=3)
        refused("denied", 1, 2, auth=struct.pack("!I", 6) + nfs.opaque(b"secret"))
        refused("denied", 1, 1, auth=nfs.auth_sys(17))
        refused("denied", 1, 1, auth=struct.pack("!II", 0, 401) + bytes(404))
        refused("accepted", 1, program=100021)
        refused("accepted", 1, program=nfs.PORTMAP, version=2)
        refused("accepted", 2, version=2)
        refused("accepted", 2, version=4)
        refused("accepted", 3, procedure=22)
        refused("accepted", 4, arguments=nfs.opaque(top)[:-1])
        refused("accepted", 4, program=nfs.MOUNT, arguments=b"\xff\xff\xff\xff")
        assert user.call(nfs.NFS, 3, 0, auth=nfs.AUTH_NONE).left() == 0
        user.send(struct.pack("!II", 9, 1) + bytes(40))  # a reply: to whom?
        user.send(b"xx")
        assert user.getattr(top)["type"] == 2


def test_a_record_without_an_end_is_not_waited_for(network, client, server):
    for mark in (b"\x7f\xff\xff\xff", bytes(4) * 2000):
        user = nfs.Client(client)
        user.sock.sendall(mark)
        assert user.sock.recv(10) == b""
    assert nfs.Client(client).mount("/")


def resident(server):
    total = 0
    for pid in server.roles()["files"]:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            total += int(line.split()[1]) if line.startswith("VmRSS") else 0
    return total


def test_a_client_that_never_reads_costs_next_to_nothing(network, client, server):
    readers = [nfs.Client(client, bufsize=4096) for _ in range(20)]
    big = readers[0].walk("big", "/media/live")
    before = resident(server)
    asked = b"".join(
        struct.pack("!I", 1 << 31 | len(one)) + one for one in
        (nfs.call(i, nfs.NFS, 3, nfs.READ, nfs.opaque(big) +
                  struct.pack("!QI", 0, 1 << 20)) for i in range(500)))
    for reader in readers:
        reader.sock.setblocking(False)
        left = asked
        try:
            while left:
                left = left[reader.sock.send(left):]
        except BlockingIOError:
            pass
    user = nfs.Client(client)
    assert len(user.read_all(big)) == 3_000_001
    assert resident(server) - before < 20000


def test_one_address_has_only_so_many_connections(network, client, server):
    held, closed = [], 0
    for _ in range(140):
        user = nfs.Client(client)
        held.append(user)
        try:
            user.mount("/")
        except (AssertionError, ConnectionError):
            closed += 1
    assert 140 - 128 <= closed <= 140 - 64
    server.wait_for("too many connections from one address")


def test_the_door_is_closed_until_something_needs_it(network, client, media, root):
    with lab.Server(network, "--media", media, config=SERVER) as server:
        server.wait_for("medium live")
        with pytest.raises(ConnectionRefusedError):
            nfs.Client(client)
        assert "nfs off" in server.query("status")
    with lab.Server(network, config=SERVER + "nfs: {mode: on, portmap: off, port: 3049}\n") \
            as server:
        assert nfs.Client(client, port=3049).mount("/")
        with pytest.raises(ConnectionRefusedError):
            nfs.Client(client, port=111)
        assert "nfs 3049" in server.query("status")


@pytest.fixture
def mapper(network):
    """rpcbind, as on a host that has NFS of its own."""
    process = subprocess.Popen(network.inside("rpcbind", "-f"), stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            if tool(network, None, "rpcinfo", "-T", "tcp", "127.0.0.1",
                    "portmapper").returncode == 0:
                break
        yield process
    finally:
        process.terminate()
        process.wait(10)


def registered(network):
    text = tool(network, None, "rpcinfo", "-p", "127.0.0.1").stdout.decode()
    return {tuple(line.split()[:4]) for line in text.splitlines()
            if line.split()[0] in (str(nfs.NFS), str(nfs.MOUNT))}


def test_a_port_mapper_that_runs_already_is_told(network, client, mapper, media):
    """RFC 1833 3.1"""
    with lab.Server(network, "--media", media, config=ON) as server:
        server.wait_for("medium live")
        server.wait_for("NFS is registered with the port mapper that runs here on port 111")
        assert registered(network) == {
            (str(program), "3", protocol, "2049") for program in (nfs.NFS, nfs.MOUNT)
            for protocol in ("tcp", "udp")}
        got = tool(network, client, "nfs-cat", URL + "/media/live/boot/readme")
        assert got.stdout == b"read me\n", got.stderr
        doors = json.loads(server.query("status", "--json"))["doors"]
        assert {"nfs"} == {door["door"] for door in doors
                           if door["door"] in ("nfs", "portmap")}
        # Turned off it is not there any more, and a reload brings it back.
        for config, count in ((SERVER + "nfs: {mode: 'off'}\n", 0), (ON, 4)):
            (server.path / "bootjack.yaml").write_text(config)
            os.kill(server.pid, signal.SIGHUP)
            server.wait_for("(?s)reloaded" if count == 0 else "(?s)reloaded.*reloaded")
            assert len(registered(network)) == count
    assert registered(network) == set()


def test_a_port_that_somebody_else_has_is_told(network, folder):
    (folder / "bootjack.yaml").write_text(ON + "https: {port: 'off'}\n")
    with inside(network.name):
        holder = socket.create_server(("10.77.0.1", 111))
    got = tool(network, None, lab.program(), "serve", "--interface", "br0", "--state",
               folder / "state", "-c", folder / "bootjack.yaml")
    holder.close()
    assert got.returncode == 1
    assert b"port 111 (portmap) on br0, 10.77.0.1, is in use" in got.stderr
    assert b"nfs.portmap: off" in got.stderr


def test_libnfs_reads_all_of_a_medium(network, client, server, media, folder):
    """nfs-ls says what there is, nfs-cp and nfs-cat bring it, as xorriso extracts it."""
    wanted = extracted(media, folder)
    got = tool(network, client, "nfs-ls", "-R", URL + "/media/live/")
    assert got.returncode == 0, got.stderr
    listed = {line.split(maxsplit=5)[5] for line in got.stdout.decode().splitlines()
              if line.startswith("-")}
    names = {name for name in wanted if not (folder / "extracted" / name).is_symlink()}
    assert {name.removeprefix("/") for name in listed} == names
    for name in sorted(names):
        url = f"{URL}/media/live/{name}"
        if (folder / "extracted" / name).stat().st_size % 2:
            got = tool(network, client, "nfs-cp", url, folder / "one")
            assert got.returncode == 0, got.stderr
            data = (folder / "one").read_bytes()
            (folder / "one").unlink()
        else:
            data = tool(network, client, "nfs-cat", url).stdout
        assert digest(data) == wanted[name], name


def test_the_door_opens_when_a_medium_needs_it(network, client, folder):
    """casper before 20.04 knows no other way."""
    tree = folder / "casper-tree"
    (tree / "casper").mkdir(parents=True)
    (tree / ".disk").mkdir()
    (tree / ".disk/info").write_text('Ubuntu 18.04.6 LTS "Bionic Beaver" - Release amd64')
    for name in ("vmlinuz", "initrd", "filesystem.squashfs"):
        (tree / "casper" / name).write_bytes(os.urandom(5000))
    (folder / "casper").mkdir()
    lab.make_iso(folder / "casper/bionic.iso", tree, volume="BIONIC")
    with lab.Server(network, "--media", folder / "casper", config=SERVER) as server:
        server.wait_for(r"medium bionic: .*18\.04")
        got = tool(network, client, "curl", "-sf", "http://10.77.0.1/boot.ipxe")
        assert b"nfsroot=10.77.0.1:/media/bionic" in got.stdout, got.stdout
        for _ in range(1000):
            with contextlib.suppress(ConnectionRefusedError):
                user = nfs.Client(client)
                break
        assert user.walk("casper/vmlinuz", "/media/bionic")
        doors = json.loads(server.query("status", "--json"))["doors"]
        assert {"nfs", "portmap"} < {door["door"] for door in doors}
