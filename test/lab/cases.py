"""What is booted by what: the rows of doc/boot-matrix.md.

A case is passed when the console shows all that it says, in that order, and then the
payload's word. What shows which loader it was: its own greeting where it has one on a
serial port, and the command line, which every loader writes in its own hand.
"""
import dataclasses

MENU = "Bootjack lab"
TITLE = r"Debian 12 installer"
# How loaders name the kernel and the initrd to it.
BY_PXELINUX = r"command line: BOOT_IMAGE=/?media/anything/\S+ .*initrd=\S*media/anything/"
BY_GRUB = r"command line: BOOT_IMAGE=\S*/media/anything/"
BY_IPXE = r"command line: (linux )?initrd=initrd0 "
BY_STUB = r"command line: (?!.*(BOOT_IMAGE|initrd)=)"
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
    loader: str = ""           # the kind of it, likewise
    config: str = ""           # more of it, whole sections
    root: dict = None          # name of an own file: where it is copied from
    console: tuple = ()        # before the payload: patterns, keys
    line: str = ""             # how the command line looks
    secure: str = ""           # what the kernel says of Secure Boot
    disk: bool = False         # the medium is one that firmware starts by itself
    refused: str = ""          # instead of a payload: the firmware's word for no
    always: bool = False       # in `make test` too
    fetched: str = ""          # something of tools/lab-media's, beside `root`


ASSIGNED = 'machines: [{mac: "52:54:00:12:34:56", boot: anything}]\n'
SECURE = "secure-boot: true\n"
SECURE_ON = r"firmware says: Secure boot enabled"
OF_IMAGE = 'machines: [{mac: "52:54:00:12:34:56", boot: anything, loader: iso}]\n'
# The ROM's iPXE starts undionly.kpxe, which has nothing but the ROM's PXE interface to
# send and receive by, and asks for an address again, as iPXE; then it gets our script.
BY_UNDI = """#!ipxe
iseq ${net0/chip} undionly && chain bootjack/boot.ipxe ||
chain tftp://${next-server}/undionly.kpxe
"""
UBOOT = (Type("Hit any key", " "),
         Type("=> ", "setenv autoload no; dhcp; pxe get; pxe boot\r"))
# It takes the address of whoever gives one, so a person has to name the server.
UBOOT_TOLD = (UBOOT[0], Type("=> ", "setenv autoload no; dhcp; setenv serverip 10.77.0.1; "
                                    "pxe get; pxe boot\r"))

CASES = [
    # ---- BIOS; the card's ROM is iPXE, as it is a PXE client
    Case("BIOS, pxelinux", "bios", line=BY_PXELINUX, console=(MENU,), always=True),
    Case("BIOS, lpxelinux, files by HTTP", "bios", loader="lpxelinux", console=(MENU,),
         line=BY_PXELINUX.replace("IMAGE=", "IMAGE=http://10.77.0.1/")),
    Case("BIOS, iPXE's script", "bios", loader="snponly", line=BY_IPXE),
    Case("BIOS, undionly.kpxe, then iPXE's script", "bios", loader="snponly",
         root={"boot.ipxe": BY_UNDI}, line=BY_IPXE),
    Case("BIOS, pxelinux, proxy", "bios", "proxy", line=BY_PXELINUX, console=(MENU,)),
    Case("BIOS, pxelinux, relay", "bios", "relay", line=BY_PXELINUX, console=(MENU,)),
    # ---- UEFI x64, EDK2's own network stack
    Case("UEFI x64, GRUB", "uefi", line=BY_GRUB, console=(GRUB, TITLE), always=True),
    Case("UEFI x64, ipxe.efi", "uefi", loader="ipxe", line=BY_IPXE, console=(IPXE,)),
    Case("UEFI x64, snponly.efi", "uefi", loader="snponly", line=BY_IPXE,
         console=(IPXE,)),
    Case("UEFI x64, syslinux.efi", "uefi", loader="syslinux", line=BY_PXELINUX,
         console=(MENU,)),
    Case("UEFI x64, proxy", "uefi", "proxy", line=BY_IPXE, console=(IPXE,), always=True),
    Case("UEFI x64, syslinux.efi, proxy", "uefi", "proxy", loader="syslinux",
         line=BY_PXELINUX, console=(MENU,)),
    Case("UEFI x64, relay", "uefi", "relay", line=BY_GRUB, console=(GRUB, TITLE)),
    # ---- UEFI x64 whose card has an iPXE ROM
    Case("UEFI x64 with an iPXE ROM", "uefi-ipxe-rom", line=f"{BY_GRUB}|{BY_IPXE}",
         console=(IPXE,)),
    Case("UEFI x64 with an iPXE ROM, proxy", "uefi-ipxe-rom", "proxy", line=BY_IPXE,
         console=(IPXE,)),
    # ---- HTTP Boot
    Case("UEFI x64, HTTP Boot", "uefi-http", console=("Start HTTP Boot", IPXE),
         line=f"{BY_GRUB}|{BY_IPXE}"),
    Case("UEFI x64, HTTP Boot, proxy", "uefi-http", "proxy",
         console=("Start HTTP Boot", IPXE), line=BY_IPXE),
    Case("UEFI x64, HTTP Boot, one program", "uefi-http", config=ASSIGNED,
         console=("Start HTTP Boot", r"URI: http://10.77.0.1/bootjack/uki/52-54\S+\.efi"),
         line=BY_STUB),
    Case("UEFI x64, HTTP Boot of a whole image", "uefi-http", config=OF_IMAGE, disk=True,
         console=("Start HTTP Boot", r"NBP file.*anything\.iso|URI: .*anything\.iso",
                  "The image's own menu"),
         line=r"command line: BOOT_IMAGE=/debian-installer/\S+ .*by=the-image"),
    # ---- Secure Boot
    Case("UEFI x64, Secure Boot, shim and GRUB", "uefi-secure", config=SECURE,
         console=("NBP filename is shimx64.efi", GRUB, TITLE), line=BY_GRUB,
         secure=SECURE_ON, always=True),
    Case("UEFI x64 with Secure Boot refuses an unsigned loader", "uefi-secure",
         filename="snponly.efi", console=("NBP filename is snponly.efi",),
         refused="Access Denied|Security Violation"),
    # ---- ia32
    Case("UEFI ia32, GRUB", "uefi-ia32", console=(GRUB, TITLE), line=BY_GRUB),
    Case("UEFI ia32, syslinux.efi", "uefi-ia32", loader="syslinux", line=BY_PXELINUX,
         console=(MENU,)),
    # ---- arm64
    Case("UEFI arm64, GRUB", "arm64", line=BY_GRUB, console=(GRUB, TITLE)),
    Case("UEFI arm64, relay", "arm64", "relay", line=BY_GRUB, console=(GRUB, TITLE)),
    Case("UEFI arm64, Secure Boot, shim and GRUB", "arm64-secure", config=SECURE,
         console=("NBP filename is shimaa64.efi", GRUB, TITLE), line=BY_GRUB,
         secure=SECURE_ON),
    Case("UEFI arm64, proxy, one program", "arm64", "proxy", config=ASSIGNED,
         console=(r"NBP filename is bootjack/uki/52-54\S+\.efi",), line=BY_STUB,
         fetched="stub-arm64"),
    Case("UEFI arm64, HTTP Boot, one program", "arm64-http", config=ASSIGNED,
         console=("Start HTTP Boot", r"URI: http://10.77.0.1/bootjack/uki/52-54\S+\.efi"),
         line=BY_STUB, fetched="stub-arm64"),
    # ---- U-Boot
    Case("U-Boot arm64, pxe boot", "uboot-arm64", console=UBOOT,
         line=r"command line: "),
    Case("U-Boot arm64, proxy, told the server's address", "uboot-arm64", "proxy",
         console=UBOOT_TOLD, line=r"command line: "),
]

# What nobody can boot here, and why.
NOT_TRIED = {
    "UEFI ia32 with a kernel of 64 bits": "the menu has no entry for it; with one of 32 "
                                          "bits it is tried where "
                                          "debian-installer-12-netboot-i386 is installed",
    "UEFI arm64, HTTP Boot, with a menu": "Debian 12 has no iPXE for arm64, and its GRUB, which "
                                          "has no HTTP in it, stops at its prompt: without a "
                                          "system that is assigned to it the machine is told "
                                          "nothing, and the log says what to do",
    "UEFI arm64, proxy, with a menu": "for the same reason: Debian's GRUB asks whoever gave the "
                                      "address, and there is no iPXE",
    "UEFI x64, Secure Boot, proxy": "Debian signs no loader that keeps the proxy's address. Red "
                                    "Hat's GRUB does, and is used from media that have it, of "
                                    "which none can be had here: tried by hand with Red Hat's "
                                    "change in a GRUB of our own and Debian's shim, Secure Boot "
                                    "off",
    "U-Boot riscv64": "Debian 12 has no kernel for it; our menus have no entries for it",
    "UEFI arm32, UEFI riscv64, loongarch64": "Debian 12 has no loader made for them",
    "Raspberry Pi, Apple": "no emulation of their boot ROMs",
}

assert len({case.name for case in CASES}) == len(CASES)
