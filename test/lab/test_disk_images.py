"""Images of floppies and sticks, booted from the untouched file and read from the console."""
import os
import pathlib
import shutil

import lab
from test_boot import MENU, SERVER, boots

MEMTEST = pathlib.Path("/boot/memtest86+x64.bin")


def fat(image, size, files):
    """`files`: text or the path of a file, by name. 18 sectors a track, two heads."""
    image.write_bytes(b"")
    os.truncate(image, size)
    lab.run("mformat", "-i", str(image), "-v", "LAB", "-T", str(size // 512), "-h", "2", "-s", "18",
            "::")
    for name, content in files.items():
        aside = image.parent.parent / "aside"
        if isinstance(content, str):
            aside.write_text(content)
        else:
            shutil.copy(content, aside)
        lab.run("mcopy", "-i", str(image), str(aside), f"::{name}")


def test_a_floppy_of_dos_boots_by_memdisk(network, media):
    """A floppy with syslinux' boot sector and a file of the name of FreeDOS' kernel: syslinux
    finds itself, its configuration and its kernel on the disk that memdisk shows to BIOS."""
    floppy = media / "anything.img"
    fat(floppy, 1_474_560, {"KERNEL.SYS": "only its name counts", "MEMTEST": MEMTEST,
                            "SYSLINUX.CFG": "SERIAL 0 115200\nDEFAULT of-the-floppy\n"
                                            "LABEL of-the-floppy\nLINUX /memtest\n"
                                            "APPEND console=ttyS0,115200\n"})
    lab.run("syslinux", "--install", str(floppy))
    with lab.Server(network, "--media", media, config=SERVER + MENU) as server, \
         lab.Machine(network) as machine:
        boots(server, machine,
              ("server", r"medium anything: freedos \(i386\), 1 in the menu"),
              ("server", r"tftp iso/anything\.img: sent 1\.4 MiB"),
              ("machine", r"SYSLINUX 6"),
              ("machine", r"Memtest86\+ v6"))


def test_the_kernel_on_a_stick_boots_by_the_sticks_own_menu(network, media):
    """Read in place, out of the FAT of the image, cluster by cluster."""
    fat(media / "anything.img", 18 << 20, {
        "MEMTEST.BIN": MEMTEST,
        "SYSLINUX.CFG": "LABEL own\nMENU LABEL Of the stick\nKERNEL /memtest.bin\n"})
    with lab.Server(network, "--media", media, config=SERVER + MENU) as server, \
         lab.Machine(network) as machine:
        boots(server, machine,
              ("server", r"medium anything: .*1 in the menu"),
              ("machine", r"Memtest86\+ v6"))
