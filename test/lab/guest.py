"""A guest with Linux' own NFS client: Debian's kernel and an initramfs made here."""
import pathlib
import re
import subprocess

BUSYBOX = pathlib.Path("/usr/bin/busybox")
ADDRESS = "10.77.0.9"

HEAD = """#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in $(cat /modules); do insmod /lib/$module; done
ip link set eth0 up
ip address add ADDRESS/24 dev eth0
""".replace("ADDRESS", ADDRESS)


def kernel():
    """The newest of linux-image-cloud-amd64: (path, version)."""
    found = sorted(pathlib.Path("/boot").glob("vmlinuz-*-cloud-amd64"))
    assert found, "no kernel: tools/deps test"
    return found[-1], found[-1].name.removeprefix("vmlinuz-")


def modules(version, *names):
    """Those that these need, in the order of insmod."""
    wanted = []
    for name in names:
        text = subprocess.run(["modprobe", "-S", version, "--show-depends", name],
                              check=True, capture_output=True, text=True).stdout
        for path in re.findall(r"^insmod (\S+)", text, re.M):
            if path not in wanted:
                wanted.append(path)
    return list(map(pathlib.Path, wanted))


class Archive:
    """An initramfs: cpio in its "newc" form."""

    def __init__(self):
        self.data, self.inode = b"", 0

    def add(self, name, mode, content=b""):
        self.inode += 1
        fields = [self.inode, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0,
                  len(name) + 1, 0]
        head = b"070701" + b"".join(b"%08x" % field for field in fields)
        self.data += head + name.encode() + b"\0"
        self.data += bytes(-len(self.data) % 4) + content
        self.data += bytes(-len(self.data) % 4)

    def folder(self, name):
        self.add(name, 0o40755)

    def file(self, name, content):
        self.add(name, 0o100755, content)

    def whole(self):
        self.add("TRAILER!!!", 0)
        return self.data


def initramfs(path, script, *more):
    """Runs the script when network and NFS, or these modules, are there."""
    archive = Archive()
    for name in ("bin", "dev", "proc", "sys", "lib", "mnt"):
        archive.folder(name)
    archive.file("bin/busybox", BUSYBOX.read_bytes())
    _, version = kernel()
    found = modules(version, "virtio_pci", "virtio_net", *(more or ("nfsv3",)))
    for module in found:
        archive.file(f"lib/{module.name}", module.read_bytes())
    archive.file("modules", "\n".join(module.name for module in found).encode())
    archive.file("init", (HEAD + script).encode())
    path.write_bytes(archive.whole())
    return path
