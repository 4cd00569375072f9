"""What machines boot here: the kernel of Debian's installer with an initramfs of a few
lines, in an image that is laid out like the installer's own.

The initramfs says a word that is made anew each time, the command line as the kernel
got it, and what the kernel thinks of Secure Boot; then it turns the machine off. So the
console proves which bytes were booted, and a boot is over seconds after the kernel.
Program and libraries are those of the installer's own initramfs, which has them for
each architecture.
"""
import functools
import gzip
import pathlib
import re
import secrets
import shutil

import guest
import lab

IMAGES = pathlib.Path("/usr/lib/debian-installer/images/12")
PARTS = re.compile(r"bin/busybox|(?:usr/)?lib(?:64)?/(?:[a-z0-9_-]+-linux-gnu[a-z]*/)?"
                   r"(?:ld-linux[a-z0-9-]*|libc|libresolv)\.so\.\d")
INIT = """#!/bin/busybox sh
export PATH=/bin
busybox mount -t proc proc /proc
busybox mount -t devtmpfs dev /dev
exec </dev/console >/dev/console 2>&1
line=$(busybox cat /proc/cmdline)
state=$(busybox dmesg | busybox grep -io 'secure boot [a-z ]*' | busybox head -n 1)
echo
echo "PAYLOAD WORD on ARCH"
echo "command line: $line"
echo "firmware says: ${state:-nothing of Secure Boot}"
echo "PAYLOAD ends"
busybox sleep 1
busybox poweroff -f
"""

GRUB_OF_DISCS = "/usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed"
GRUB_CFG = """echo "The image's own menu"
linux /PLACE/linux console=ttyS0,115200 by=the-image
initrd /PLACE/initrd.gz
boot
"""


def members(data):
    """(name, mode, content) of a cpio in its "newc" form."""
    at = 0
    while True:
        fields = [int(data[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
        name = data[at + 110:at + 110 + fields[11] - 1].decode()
        start = (at + 110 + fields[11] + 3) & ~3
        if name == "TRAILER!!!":
            return
        yield name, fields[1], data[start:start + fields[6]]
        at = (start + fields[6] + 3) & ~3


def installer(arch):
    return IMAGES / arch / "text/debian-installer" / arch


@functools.cache
def programs(arch):
    with gzip.open(installer(arch) / "initrd.gz") as archive:
        return [part for part in members(archive.read()) if PARTS.fullmatch(part[0])]


def initramfs(arch, word):
    archive = guest.Archive()
    for name in ("bin", "dev", "proc", "lib", "lib64", "usr", "usr/lib", "usr/lib64"):
        archive.folder(name)
    for name, mode, content in programs(arch):
        folder = str(pathlib.PurePath(name).parent)
        if folder.count("/") >= 1:
            archive.folder(folder)
        archive.add(name, mode, content)
    archive.file("init", INIT.replace("WORD", word).replace("ARCH", arch).encode())
    return gzip.compress(archive.whole(), 1)


class Payload:
    """A tree like that of Debian's netboot package, of which `iso()` makes an image."""

    def __init__(self, folder, arch="amd64", version="12"):
        self.word = secrets.token_hex(8)
        self.arch = arch
        self.tree = folder / f"payload-{arch}-{version}"
        self.place = self.tree / "debian-installer" / arch
        self.place.mkdir(parents=True)
        shutil.copy(installer(arch) / "linux", self.place / "linux")
        (self.place / "initrd.gz").write_bytes(initramfs(arch, self.word))
        (self.tree / "version.info").write_text(f"Debian version:  {version} (lab)\n")

    def iso(self, path):
        return lab.make_iso(path, self.tree)

    def bootable_iso(self, path):
        """One that UEFI starts as a disk: Debian's GRUB for discs in a FAT, and what it
        looks for, .disk/info."""
        (self.tree / ".disk").mkdir()
        (self.tree / ".disk/info").write_text("of the lab\n")
        (self.tree / "boot/grub").mkdir(parents=True)
        (self.tree / "boot/grub/grub.cfg").write_text(GRUB_CFG.replace("PLACE", str(
            self.place.relative_to(self.tree))))
        image = self.tree / "boot/grub/efi.img"
        lab.run("mformat", "-i", image, "-C", "-T", "8192", "-h", "1", "-s", "1", "::")
        lab.run("mmd", "-i", image, "::EFI", "::EFI/BOOT")
        lab.run("mcopy", "-i", image, GRUB_OF_DISCS, "::EFI/BOOT/BOOTX64.EFI")
        return lab.make_iso(path, self.tree, more=(
            "-eltorito-alt-boot", "-e", "boot/grub/efi.img", "-no-emul-boot"))

    @property
    def seen(self):
        """The pattern on the console of a machine that has booted it."""
        return rf"PAYLOAD {self.word} on {self.arch}"
