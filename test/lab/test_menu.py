"""Loaders show the menu, let a person through it by keys, and ask for the password."""
import re
import time

import pytest

import lab
import payload

DOWN = "\x0e"  # Ctrl-N: pxelinux and GRUB know it, and it is one byte on a serial line
ARROW = "\x1b[B"
CLEAR = "\x15"  # Ctrl-U
CONFIG = """
dhcp:
  mode: server
  subnets:
    - {subnet: 10.77.0.0/24, pools: [10.77.0.20-10.77.0.30]FILENAME}
menu: {title: Bootjack lab, timeout: 0s, serial: 'ttyS0,115200', submenus: "on",
       password: open sesame}
"""
LIMIT = 150


def typed(server, machine, *steps):
    """Each step is what is seen, and what is typed then."""
    for seen, keys in steps:
        lab.wait_for([server.process, machine], machine, seen, LIMIT)
        machine.write(keys)
        machine.text = ""  # what comes again must be seen again


def booted(server, machine, word):
    for pattern in (r"PAYLOAD ends", word):
        lab.wait_for([server.process, machine], machine, pattern, LIMIT)


def answer_pxelinux(server, machine, password):
    """menu.c32 throws away what was typed before it began to listen, and shows a star
    for each key that it heard."""
    typed(server, machine, (r"Password required", "x"))
    end = time.monotonic() + LIMIT
    while "*" not in lab.plain(machine.text):
        assert time.monotonic() < end, "it does not listen"
        if not machine.read(2) or "*" not in lab.plain(machine.text):
            machine.write("x")
    machine.text = ""
    machine.write(f"{CLEAR}{password}\r")


@pytest.fixture
def two(folder, media):
    """Two systems of one kind: they make a sub-menu. The newer stands first."""
    old, new = (payload.Payload(folder, version=v) for v in ("11", "12"))
    old.iso(media / "old.iso")
    new.iso(media / "new.iso")
    return old


@pytest.mark.parametrize("loader", ["pxelinux.0", "lpxelinux.0"])
def test_pxelinux_opens_an_entry_of_a_sub_menu_by_password(network, media, two, loader):
    config = CONFIG.replace("FILENAME", f", filename: {loader}")
    with lab.Server(network, "--media", media, config=config) as server, \
         lab.Machine(network) as machine:
        typed(server, machine,
              (r"Bootjack lab[\s\S]*Tools", DOWN + "\r"),
              (r"Back[\s\S]*Debian 11", DOWN + DOWN + "\r"))
        answer_pxelinux(server, machine, "wrong")
        typed(server, machine, (r"Debian 11", "\r"))
        answer_pxelinux(server, machine, "open sesame")
        door = "http" if loader[0] == "l" else "tftp"
        server.wait_for(rf"{door} media/old/\S*/linux: sent", LIMIT)
        booted(server, machine, two.seen)


def without_serial():
    """OVMF speaks on the serial port itself; GRUB, reading there too, would get every
    second key by the other way, and a password in any order."""
    return CONFIG.replace("FILENAME", "").replace(", serial: 'ttyS0,115200'", "")


def test_grub_opens_an_entry_of_a_sub_menu_by_password(network, media, two):
    config = without_serial()
    with lab.Server(network, "--media", media, config=config) as server, \
         lab.Machine(network, "uefi") as machine:
        typed(server, machine,
              (r"Boot from the local disk[\s\S]*Tools", DOWN + "\r"),
              (r"Debian 12[\s\S]*Debian 11", DOWN + "\r"),
              (r"Enter username:", "admin\r"),
              (r"Enter password:", "open sesame\r"))
        for name in ("linux", r"initrd\.gz"):
            server.wait_for(rf"(http|tftp) media/old/\S*/{name}: sent", LIMIT)


def test_grubs_shell_asks_for_the_password_and_comes_back(network, media):
    config = without_serial()
    with lab.Server(network, "--media", media, config=config) as server, \
         lab.Machine(network, "uefi") as machine:
        typed(server, machine,
              (r"Boot from the local disk[\s\S]*Tools", DOWN + "\r"),
              (r"GRUB shell[\s\S]*Switch off", DOWN + "\r"),
              (r"Enter username:", "admin\r"),
              (r"Enter password:", "open sesame\r"),
              (r"grub> ", "echo here I am\r"),
              (r"here I am\s+grub> ", "normal_exit\r"),
              (r"GRUB shell[\s\S]*Switch off", "\x1b"))


def test_ipxe_opens_an_entry_of_a_sub_menu_by_password(network, media, two):
    """Upon OVMF, whose console iPXE has; the ROM of QEMU speaks on the screen only."""
    config = CONFIG.replace("FILENAME", ", filename: snponly.efi")
    with lab.Server(network, "--media", media, config=config) as server, \
         lab.Machine(network, "uefi") as machine:
        def ask_with(password):
            typed(server, machine,
                  (r"Boot from the local disk[\s\S]*Tools", ARROW + "\r"),
                  (r"Debian 12[\s\S]*Debian 11[\s\S]*Back", ARROW + "\r"),
                  (r"Username[\s\S]*Password", f"anybody\r{password}\r"))
            lab.wait_for([server.process, machine], machine,
                         r"Press a key|Linux version", LIMIT)
            return "Linux version" in lab.plain(machine.text)

        assert not ask_with("wrong")
        server.wait_for(r"menu entry debian-11: wrong password", LIMIT)
        machine.write(" ")
        # Who has just been wrong is not listened to for two seconds.
        for _ in range(20):
            if ask_with("open sesame"):
                break
            machine.write(" ")
        booted(server, machine, two.seen)
        assert "sesame" not in server.process.text


def test_a_file_of_the_administrators_own_includes_ours(network, media, folder):
    what = payload.Payload(folder)
    what.iso(media / "anything.iso")
    root = folder / "root"
    (root / "pxelinux.cfg").mkdir(parents=True)
    (root / "pxelinux.cfg/default").write_text(
        "SERIAL 0 115200\nDEFAULT menu.c32\nPROMPT 0\nTIMEOUT 20\nONTIMEOUT debian-12\n"
        "MENU TITLE Of my own\nLABEL mine\n  MENU LABEL Something of mine\n"
        "  LOCALBOOT 0\nINCLUDE bootjack/pxelinux.cfg\n")
    config = (CONFIG.replace("FILENAME", "").replace("timeout: 0s, serial",
                                                     "serial").split("submenus")[0]
              + "}\n" + f"root: {root}\n")
    with lab.Server(network, "--media", media, config=config) as server, \
         lab.Machine(network) as machine:
        lab.wait_for([server.process, machine], machine, r"Of my own", LIMIT)
        lab.wait_for([server.process, machine], machine, r"Something of mine", LIMIT)
        booted(server, machine, what.seen)
        assert re.search(r"menu bootjack/pxelinux\.cfg: 2 entries", server.process.text)
