"""The kernel's own NFS client, in a virtual machine, on the inside of an ISO."""
import hashlib
import os
import re

import pytest

import guest
import lab

CONFIG = "dhcp: {mode: 'off'}\nnfs: {mode: on}\n"
OPTIONS = "ro,vers=3,proto=tcp,nolock"


def machine(network, folder, script, memory=256):
    initrd = guest.initramfs(folder / "initrd", script)
    path, _ = guest.kernel()
    return lab.Machine(network, nic="virtio-net-pci", rom=False, memory=memory,
                       kernel=(path, initrd, "console=ttyS0 quiet panic=-1"))


def make_media(folder, tree):
    (folder / "media").mkdir()
    return lab.make_iso(folder / "media/live.iso", tree, volume="LIVE")


@pytest.mark.always
def test_the_kernel_reads_all_of_a_medium(network, folder):
    """RFC 1813 3.3.5, 3.3.6, 3.3.17: every file and link, as xorriso extracts them."""
    tree = folder / "tree"
    (tree / "pool/deep/deeper").mkdir(parents=True)
    (tree / "big").write_bytes(os.urandom(5_000_011))
    (tree / "pool/link").symlink_to("deep/deeper/end")
    (tree / "pool/deep/deeper/end").write_text("the end\n")
    (tree / "empty").write_text("")
    for i in range(150):
        (tree / f"pool/package_{i}_with_a_name_of_some_length.deb").write_bytes(
            os.urandom(i * 97))
    iso = make_media(folder, tree)
    out = folder / "extracted"
    lab.run("xorriso", "-osirrox", "on", "-indev", str(iso), "-extract", "/", str(out))
    wanted = {}
    for path in out.rglob("*"):
        name = str(path.relative_to(out))
        if path.is_symlink():
            wanted[name] = os.readlink(path)
        elif path.is_file():
            wanted[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    script = f"""
mount -t nfs -o {OPTIONS} 10.77.0.1:/media/live /mnt || echo NO MOUNT
cd /mnt
find . -type f | xargs sha256sum
for link in $(find . -type l); do echo "LINK $(readlink $link) $link"; done
touch /mnt/new 2>&1 | grep -o 'Read-only file system'
echo ALL READ
poweroff -f
"""
    with lab.Server(network, "--media", folder / "media", config=CONFIG) as server, \
         machine(network, folder, script) as guest_machine:
        server.wait_for("medium live")
        lab.wait_for([server.process, guest_machine], guest_machine, "ALL READ", 240)
        text = lab.plain(guest_machine.text).replace("\r", "")
    got = {name: value for value, name in
           re.findall(r"^([0-9a-f]{64})  \./(\S+)$", text, re.M)}
    got.update({name: value for value, name in
                re.findall(r"^LINK (\S+) \./(\S+)$", text, re.M)})
    assert got == wanted
    assert "Read-only file system" in text


ROOT_INIT = """#!/bin/busybox sh
export PATH=/bin
mount -t proc proc /proc
mount -t devtmpfs dev /dev
echo "ROOT $(grep ' / nfs ' /proc/mounts | cut -d' ' -f1)"
grep MemFree /proc/meminfo
exec getty -n -l /bin/ask 115200 ttyS0
"""


# The two ways to the same system: its root by NFS from inside the image, or the whole
# image fetched into memory, as live systems do it with an ISO's URL.
BY_NFS = f"""
mount -t nfs -o {OPTIONS} 10.77.0.1:/media/live /mnt || echo NO ROOT
exec switch_root /mnt /sbin/init
"""
BY_HTTP = """
mkdir /ram
mount -t tmpfs -o size=100% ram /ram
wget -q -O /ram/iso http://10.77.0.1/iso/live.iso || echo NO ROOT
mount -t iso9660 -o ro,loop /ram/iso /mnt || echo NO ROOT
exec switch_root /mnt /sbin/init
"""
BALLAST = 200 << 20


def live_tree(tree):
    for name in ("bin", "sbin", "proc", "dev", "mnt"):
        (tree / name).mkdir(parents=True)
    (tree / "bin/busybox").write_bytes(guest.BUSYBOX.read_bytes())
    for name in ("sh", "mount", "echo", "grep", "getty", "cut", "login", "ls"):
        (tree / "bin" / name).symlink_to("busybox")
    (tree / "sbin/init").write_text(ROOT_INIT)
    (tree / "bin/ask").write_text("#!/bin/sh\necho -n 'live login: '\nread name\n")
    for name in ("bin/busybox", "sbin/init", "bin/ask"):
        (tree / name).chmod(0o755)
    (tree / "ballast").write_bytes(os.urandom(BALLAST))


def reaches_login(server, network, folder, way, memory):
    """Whether it does with that much memory, and what it said."""
    more = () if way == BY_NFS else ("loop", "isofs")
    path, _ = guest.kernel()
    initrd = guest.initramfs(folder / "initrd", way, *more)
    with lab.Machine(network, nic="virtio-net-pci", rom=False, memory=memory,
                     kernel=(path, initrd, "console=ttyS0 quiet panic=-1")) as made:
        try:
            lab.wait_for([server.process, made], made,
                         "live login: |NO ROOT|[Kk]ernel panic|Out of memory|"
                         "out of memory", 240)
        except AssertionError:  # it ended, or never got anywhere
            pass
        text = lab.plain(made.text)
    return "live login: " in text, text


def test_a_system_lives_on_a_root_inside_an_iso(network, folder):
    """In half of the memory that the image alone has; by HTTP all of it has to fit."""
    live_tree(folder / "tree")
    make_media(folder, folder / "tree")
    with lab.Server(network, "--media", folder / "media", config=CONFIG) as server:
        server.wait_for("medium live")
        reached, text = reaches_login(server, network, folder, BY_NFS, 104)
        assert reached, text[-2000:]
        assert "ROOT 10.77.0.1:/media/live" in text
        reached, text = reaches_login(server, network, folder, BY_HTTP, 208)
        assert not reached
        reached, text = reaches_login(server, network, folder, BY_HTTP, 384)
        assert reached, text[-2000:]
