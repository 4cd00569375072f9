"""Real firmware boots a real installer, read from its serial console."""
import pathlib
import re
import sqlite3
import shutil

import pytest

import lab
import wires

MENU = "menu: {title: Bootjack lab, timeout: 3s, default: first, serial: 'ttyS0,115200'}\n"
SERVER = """
dhcp:
  mode: server
  subnets:
    - {subnet: 10.77.0.0/24, pools: [10.77.0.20-10.77.0.30]}
"""
INSTALLER_UP = r"Select a language|Choose language|\[!!\] "


def boots(server, machine, *steps, seconds=240):
    """Each step is (whose text, pattern), in order."""
    for which, pattern in steps:
        lab.wait_for([server.process, machine],
                     server.process if which == "server" else machine, pattern, seconds)


def test_bios_boots_the_installer_from_an_iso(network, media):
    lab.installer_iso(media / "anything.iso")
    with lab.Server(network, "--media", media, config=SERVER + MENU) as server, \
         lab.Machine(network) as machine:
        boots(server, machine,
              ("server", r"medium anything: .*1 in the menu"),
              ("server", r"boots pxelinux\.0: "),
              ("server", r"menu pxelinux\.cfg/\S+: 2 entries"),
              ("machine", r"Bootjack lab"),
              ("server", r"tftp media/anything/.*/initrd\.gz: sent"),
              ("machine", r"Linux version \d"),
              ("machine", INSTALLER_UP))


@pytest.mark.parametrize("firmware", ["bios", "uefi"])
def test_memtest_starts_from_its_iso(network, media, firmware):
    """One file for both: a Linux kernel that is a UEFI program too."""
    shutil.copy("/usr/lib/memtest86+/memtest86+x64.iso", media / "anything.iso")
    nic = () if firmware == "bios" else ("uefi", "virtio-net-pci", False)
    with lab.Server(network, "--media", media, config=SERVER + MENU) as server, \
         lab.Machine(network, *nic) as machine:
        boots(server, machine,
              ("server", r"medium anything: memtest86plus .*1 in the menu"),
              ("machine", r"Memtest86\+ v6"))


@pytest.mark.parametrize(
    "nic,rom", [("virtio-net-pci", False), ("virtio-net-pci", True)],
    ids=["firmware's own stack", "iPXE ROM"])
def test_uefi_boots_the_installer_from_an_iso_by_grub(network, media, nic, rom):
    lab.installer_iso(media / "anything.iso")
    with lab.Server(network, "--media", media, config=SERVER + MENU) as server, \
         lab.Machine(network, "uefi", nic, rom) as machine:
        boots(server, machine,
              ("server", r"boots grubx64\.efi: "),
              ("server", r"menu grub/grub\.cfg: 2 entries"),
              ("server", r"media/anything/.*/initrd\.gz: sent"),
              ("machine", r"Linux version \d|EFI stub"),
              ("machine", INSTALLER_UP))


def test_uefi_http_boot_reaches_the_installer(network, media):
    lab.installer_iso(media / "anything.iso")
    with lab.Server(network, "--media", media, config=SERVER + MENU) as server, \
         lab.Machine(network, "uefi", "virtio-net-pci", False, http=True) as machine:
        boots(server, machine,
              ("server", r"boots http://10\.77\.0\.1/snponly\.efi"),
              ("server", r"http snponly\.efi: sent"),
              ("server", r"media/anything/.*/initrd\.gz: sent"),
              ("machine", INSTALLER_UP))


def test_bios_runs_memtest_from_its_iso(network, media):
    (media / "m.iso").write_bytes(
        pathlib.Path("/usr/lib/memtest86+/memtest86+x64.iso").read_bytes())
    with lab.Server(network, "--media", media, config=SERVER + MENU) as server, \
         lab.Machine(network) as machine:
        boots(server, machine,
              ("server", r"medium m: memtest86plus"),
              ("machine", r"Memtest86\+ v6"))


@pytest.mark.parametrize(
    "firmware,nic,rom,first,menu",
    [("bios", "e1000", True, r"boots pxelinux\.0", r"menu pxelinux\.cfg/\S+"),
     ("uefi", "virtio-net-pci", False, r"boots snponly\.efi", r"menu boot\.ipxe"),
     ("uefi", "virtio-net-pci", True, r"boots http://10\.77\.0\.1/boot\.ipxe",
      r"menu boot\.ipxe")],
    ids=["BIOS", "UEFI's own stack", "UEFI with an iPXE ROM"])
def test_proxy_boots_beside_a_foreign_dhcp_server(network, media, firmware, nic, rom,
                                                  first, menu):
    lab.installer_iso(media / "anything.iso")
    with wires.foreign_dhcp(network) as dnsmasq:
        with lab.Server(network, "--media", media, "--dhcp", "proxy",
                        config=MENU) as server, \
             lab.Machine(network, firmware, nic, rom) as machine:
            boots(server, machine, ("server", first), ("server", menu),
                  ("server", r"media/anything/.*/initrd\.gz: sent"),
                  ("machine", r"Linux version \d|EFI stub"),
                  ("machine", INSTALLER_UP))
            assert "10.77.0.1" not in re.findall(r"server identifier: (\S+)",
                                                 dnsmasq.text)
            assert " leased for " not in server.process.text


PXE_MENU = """
dhcp:
  pxe: {prompt: "Press F8 for the menu", timeout: 1s, menu: [{title: Bootjack, type: 32769}]}
"""


def test_firmware_shows_its_own_menu_and_asks_the_boot_server(network, media):
    """PXE 2.1 2.2.4: the offer has a menu and no file, which port 4011 gives."""
    lab.installer_iso(media / "anything.iso")
    with wires.foreign_dhcp(network) as dnsmasq:
        with lab.Server(network, "--media", media, "--dhcp", "proxy",
                        config=MENU + PXE_MENU) as server, \
             lab.Machine(network, "uefi", "virtio-net-pci", False) as machine:
            boots(server, machine, ("server", r"OFFER boot "),
                  ("server", r"REQUEST from UEFI x64.* to port 4011"),
                  ("server", r"tftp snponly\.efi: sent"),
                  ("server", r"menu boot\.ipxe"),
                  ("machine", r"Linux version \d|EFI stub"))


PXE_AUTOMATIC = SERVER + "  pxe: {automatic: true, timeout: 60s}\n"


def test_firmware_lets_a_person_choose_from_its_own_menu(network, media):
    """dhcp.pxe.automatic: the disk comes first, as in every menu of ours. EDK2 takes "m"
    for F8, which each kind of terminal writes in another way, and "d" for down."""
    lab.installer_iso(media / "anything.iso")
    with lab.Server(network, "--media", media,
                    config=PXE_AUTOMATIC + MENU.replace(", default: first", "")) as server, \
         lab.Machine(network, "uefi", "virtio-net-pci", False) as machine:
        boots(server, machine, ("machine", r"Press F8 for the boot menu"))
        machine.write("m")
        boots(server, machine, ("machine", r"Boot from the local disk[\s\S]*Boot menu"))
        machine.write("d\r")
        boots(server, machine, ("server", r"tftp grubx64\.efi: sent"),
              ("machine", r"GNU GRUB +version[\s\S]*Debian 12 installer"))


@pytest.mark.parametrize("form", [2, 3, 4])
def test_firmware_follows_every_form_of_the_answer(network, media, tmp_path, form):
    """As if this form had worked for its vendor before: see policy/adapt.c."""
    lab.installer_iso(media / "anything.iso")
    with wires.foreign_dhcp(network) as dnsmasq:
        flags = (network, "--media", media, "--dhcp", "proxy")
        with lab.Server(*flags, state=tmp_path / "state"):
            pass
        base = sqlite3.connect(tmp_path / "state/state.db")
        base.execute("INSERT INTO note VALUES ('form 525400 0007 pxe', ?)", (str(form),))
        base.commit()
        base.close()
        with lab.Server(*flags, config=MENU, state=tmp_path / "state") as server, \
             lab.Machine(network, "uefi", "virtio-net-pci", False) as machine:
            boots(server, machine, ("server", rf"answered in form {form}: "),
                  ("server", r"tftp snponly\.efi: sent"), ("server", r"menu boot\.ipxe"))
            asked = "to port 4011" in server.process.text
            assert asked == (form in (2, 3)), server.process.text


CLASSIC = """
root: ROOT
dhcp:
  mode: server
  subnets:
    - subnet: 10.77.0.0/24
      pools: [10.77.0.20-10.77.0.25]
      bootp: true
      lease-time: 10m
      options: {routers: [10.77.0.1], domain-name: example.com}
      next-server: 10.77.0.1
      filename: pxelinux.0
http: {root: /images}
"""
DEFAULT = """\
SERIAL 0 115200
DEFAULT menu.c32
PROMPT 0
TIMEOUT 100
ONTIMEOUT Local

MENU TITLE PXE Menu

LABEL CentOS6_x64
    MENU LABEL CentOS 6 x86_64
    KERNEL images/centos/6/x86_64/images/pxeboot/vmlinuz
    APPEND initrd=images/centos/6/x86_64/images/pxeboot/initrd.img \
method=http://10.77.0.1/centos/6/x86_64 console=ttyS0,115200n8

LABEL Local
    MENU LABEL Boot from the local disk
    LOCALBOOT 0
"""


@pytest.fixture
def classic(media):
    """/var/lib/tftpboot as every tutorial lays it out; the kernel and initrd are
    Debian's, since theirs are not to be had from a package."""
    tree = media.parent / "tftpboot"
    boot = tree / "images/centos/6/x86_64/images/pxeboot"
    boot.mkdir(parents=True)
    (tree / "pxelinux.cfg").mkdir()
    (tree / "pxelinux.cfg/default").write_text(DEFAULT)
    (boot / "vmlinuz").write_bytes((lab.INSTALLER / "debian-installer/amd64/linux")
                                   .read_bytes())
    (boot / "initrd.img").write_bytes(
        (lab.INSTALLER / "debian-installer/amd64/initrd.gz").read_bytes())
    (tree / "images/centos/6/x86_64/.treeinfo").write_text("[general]\nversion = 6\n")
    for name in ("/usr/lib/PXELINUX/pxelinux.0", "/usr/lib/syslinux/memdisk",
                 *(f"/usr/lib/syslinux/modules/bios/{m}.c32" for m in
                   ("menu", "chain", "mboot", "ldlinux", "libutil", "libcom32"))):
        (tree / pathlib.Path(name).name).write_bytes(pathlib.Path(name).read_bytes())
    return tree


def test_the_classic_tree_boots_by_a_key_at_its_menu(network, classic):
    config = CLASSIC.replace("ROOT", str(classic))
    with lab.Server(network, config=config) as server, \
         lab.Machine(network) as machine:
        boots(server, machine, ("server", r"tftp pxelinux\.cfg/default: sent"),
              ("machine", r"CentOS 6 x86_64"))
        machine.write("\r")
        boots(server, machine,
              ("server", r"tftp images/centos/6/\S+/initrd\.img: sent"),
              ("machine", r"Linux version \d"),
              ("machine", r"method=http://10\.77\.0\.1/centos/6/x86_64"),
              ("machine", INSTALLER_UP))
        tree = lab.run(*network.inside(
            "curl", "-sf", "http://10.77.0.1/centos/6/x86_64/.treeinfo")).stdout
        assert "version = 6" in tree


def test_the_classic_tree_goes_on_to_the_local_disk(network, classic, tmp_path):
    disk = lab.disk_that_speaks(tmp_path / "disk.img")
    config = CLASSIC.replace("ROOT", str(classic))
    with lab.Server(network, config=config) as server, \
         lab.Machine(network, disk=disk) as machine:
        boots(server, machine, ("machine", r"CentOS 6 x86_64"),
              ("machine", r"THE LOCAL DISK HAS BOOTED"))


def test_bios_goes_on_to_the_local_disk(network, media, tmp_path):
    disk = lab.disk_that_speaks(tmp_path / "disk.img")
    config = SERVER + MENU.replace("first", "local")
    with lab.Server(network, "--media", media, config=config) as server, \
         lab.Machine(network, disk=disk) as machine:
        boots(server, machine, ("machine", r"Boot from the local disk"),
              ("machine", r"THE LOCAL DISK HAS BOOTED"))


@pytest.mark.parametrize(
    "proxy,disk,says",
    [(False, "/boot/ipxe.efi", "iPXE initialising devices"),
     (True, "/usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed", "GNU GRUB|grub>")],
    ids=["GRUB", "iPXE"])
def test_uefi_goes_on_to_the_local_disk(network, media, tmp_path, proxy, disk, says):
    """The disk carries the loader that the network does not use, to tell them apart."""
    esp = tmp_path / "esp"
    (esp / "EFI/BOOT").mkdir(parents=True)
    (esp / "EFI/BOOT/BOOTX64.EFI").write_bytes(pathlib.Path(disk).read_bytes())
    config = ("" if proxy else SERVER) + MENU.replace("first", "local")
    with wires.WIRES["proxy" if proxy else "server"](network):
        with lab.Server(network, "--media", media, config=config) as server, \
             lab.Machine(network, "uefi", "virtio-net-pci", False,
                         disk=f"fat:rw:{esp}") as machine:
            boots(server, machine,
                  ("server", r"menu boot\.ipxe" if proxy else r"menu grub/grub\.cfg"),
                  ("machine", says), seconds=60)
