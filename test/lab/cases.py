"""What is booted by what: the rows of doc/boot-matrix.md.

A case is passed when the console shows all that it says, in that order, and then the
payload's word. What shows which loader it was: its own greeting where it has one on a
serial port, and the command line, which every loader writes in its own hand.
"""
import dataclasses
import pathlib

INSTALLER = "/usr/lib/debian-installer/images/12"
MENU = "Bootjack lab"
TITLE = r"Debian 12 installer"
# How loaders name the kernel and the initrd to it.
BY_PXELINUX = r"command line: BOOT_IMAGE=media/anything/\S+ .*initrd=media/anything/"
BY_GRUB = r"command line: BOOT_IMAGE=\S*/media/anything/"
BY_IPXE = r"command line: (linux )?initrd=initrd0 "
GRUB = r"GNU GRUB +version"
IPXE = r"iPXE 1\.\d|iPXE initialising devices"


@dataclasses.dataclass(frozen=True)
class Type:
    """Keys, when that is seen."""
    seen: str
    keys: str


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    kind: str                  # of kinds.KINDS
    wire: str = "server"       # of wires.WIRES
    filename: str = ""         # instead of the automatic choice
    config: str = ""           # more of it, whole sections
    root: dict = None          # name of an own file: where it is copied from
    console: tuple = ()        # before the payload: patterns, keys
    line: str = ""             # how the command line looks
    secure: str = ""           # what the kernel says of Secure Boot
    refused: str = ""          # instead of a payload: the firmware's word for no
    always: bool = False       # in `make test` too
    peer: bool = True          # dnsmasq can do it as well
    needs: tuple = ()          # files that may not be there


def arm64_loaders():
    return f"loaders: [{INSTALLER}/arm64/text/debian-installer/arm64]\n"


CASES = [
    # ---- BIOS; the card's ROM is iPXE, as it is a PXE client
    Case("BIOS, pxelinux", "bios", line=BY_PXELINUX, console=(MENU,), always=True),
    Case("BIOS, iPXE's script by the ROM itself", "bios", filename="undionly.kpxe",
         line=BY_IPXE),
    Case("BIOS, pxelinux, proxy", "bios", "proxy", line=BY_PXELINUX, console=(MENU,)),
    Case("BIOS, pxelinux, relay", "bios", "relay", line=BY_PXELINUX, console=(MENU,)),
    # ---- UEFI x64, EDK2's own network stack
    Case("UEFI x64, GRUB", "uefi", line=BY_GRUB, console=(GRUB, TITLE), always=True),
    Case("UEFI x64, ipxe.efi", "uefi", filename="ipxe.efi", line=BY_IPXE,
         console=(IPXE,)),
    Case("UEFI x64, snponly.efi", "uefi", filename="snponly.efi", line=BY_IPXE,
         console=(IPXE,)),
    Case("UEFI x64, proxy", "uefi", "proxy", line=BY_IPXE, console=(IPXE,), always=True),
    Case("UEFI x64, relay", "uefi", "relay", line=BY_GRUB, console=(GRUB, TITLE)),
    # ---- UEFI x64 whose card has an iPXE ROM
    Case("UEFI x64 with an iPXE ROM", "uefi-ipxe-rom", line=BY_GRUB,
         console=(IPXE, GRUB, TITLE)),
    Case("UEFI x64 with an iPXE ROM, proxy", "uefi-ipxe-rom", "proxy", line=BY_IPXE,
         console=(IPXE,)),
    # ---- HTTP Boot
    Case("UEFI x64, HTTP Boot", "uefi-http", console=("Start HTTP Boot",),
         line=f"{BY_GRUB}|{BY_IPXE}"),
    # ---- Secure Boot
    Case("UEFI x64 with Secure Boot refuses an unsigned loader", "uefi-secure",
         filename="snponly.efi", console=("NBP filename is snponly.efi",),
         refused="Access Denied|Security Violation"),
    # ---- arm64
    Case("UEFI arm64, GRUB", "arm64", config=arm64_loaders(), line=BY_GRUB,
         console=(GRUB, TITLE)),
]

assert len({case.name for case in CASES}) == len(CASES)
