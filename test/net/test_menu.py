"""The menu as loaders ask for it: names in their order, passwords, ways, classes."""
import json
import re
import shutil
import subprocess
import time

import pytest

import lab
from conftest import SERVER, udp_socket


@pytest.fixture
def client(network):
    return network.other(3)


def get(network, client, path):
    return subprocess.run(
        network.inside("curl", "-s", "--max-time", "20",
                       "http://10.77.0.1/" + path, where=client),
        check=True, capture_output=True, text=True).stdout


def exists(client, path):
    """Asked for by TFTP, as loaders do: is there an answer other than an error?"""
    sock = udp_socket(client)
    sock.sendto(b"\0\1" + path.encode() + b"\0octet\0", ("10.77.0.1", 69))
    return sock.recv(2048)[:2] == b"\0\3"


def tree(media, name, title="tree"):
    """A tree that is recognised: Debian's netboot files, one kernel for all."""
    made = media / name
    shutil.copytree(lab.INSTALLER, made, symlinks=False)
    return made


MAC = "01-52-54-00-12-34-56"
PXELINUX = ["564d5a3c-9f1b-2b7d-8c3e-00112233aabb", MAC, "0A4D0014", "0A4D001", "0A4D00",
            "0A4D0", "0A4D", "0A4", "0A", "0", "default"]


def first(client, names):
    return next((name for name in names if exists(client, name)), None)


def test_each_loader_finds_its_menu_by_the_first_name_it_asks(network, client, folder):
    with lab.Server(network, config=SERVER):
        for names in (["pxelinux.cfg/" + name for name in PXELINUX],
                      ["efi64/pxelinux.cfg/" + name for name in PXELINUX],
                      ["grub/grub.cfg-" + name for name in PXELINUX[:-1]]
                      + ["grub/grub.cfg"],
                      ["media/x/EFI/BOOT/grub.cfg-" + MAC],
                      ["EFI/fedora/grub.cfg"], ["boot/grub2/grub.cfg"],
                      ["debian-installer/amd64/grub/grub.cfg"],
                      ["pxelinux.cfg/default-arm64-qemu"], ["extlinux/extlinux.conf"],
                      ["boot.ipxe"]):
            assert first(client, names) == names[0]


def test_names_of_the_administrators_own_come_in_their_order(network, client, folder):
    """What is written by hand for one machine or one network wins over what is more
    common; the most common name is ours, if nobody wrote it."""
    root = folder / "root"
    for name in ("pxelinux.cfg", "grub"):
        (root / name).mkdir(parents=True)
    pxelinux = ["pxelinux.cfg/" + name for name in PXELINUX]
    grub = ["grub/grub.cfg-" + name for name in PXELINUX[:-1]] + ["grub/grub.cfg"]
    with lab.Server(network, "--root", root, config=SERVER):
        assert first(client, pxelinux) == "pxelinux.cfg/default"
        assert first(client, grub) == "grub/grub.cfg"
        (root / "pxelinux.cfg/0A4D").write_text("network\n")
        (root / "grub/grub.cfg-0A4D").write_text("network\n")
        assert first(client, pxelinux) == "pxelinux.cfg/0A4D"
        assert first(client, grub) == "grub/grub.cfg-0A4D"
        (root / f"pxelinux.cfg/{MAC}").write_text("machine\n")
        (root / f"grub/grub.cfg-{MAC}").write_text("machine\n")
        assert first(client, pxelinux) == f"pxelinux.cfg/{MAC}"
        assert first(client, grub) == f"grub/grub.cfg-{MAC}"
        assert get(network, client, f"efi64/pxelinux.cfg/{MAC}") == "machine\n"


def test_ours_can_be_included(network, client, folder):
    """Entries, and nothing that may stand in a file only once."""
    media = folder / "media"
    media.mkdir()
    tree(media, "netboot")
    with lab.Server(network, "--media", media / "netboot", config=SERVER) as server:
        server.wait_for("ready: ")
        whole = get(network, client, "pxelinux.cfg/default")
        part = get(network, client, "bootjack/pxelinux.cfg")
        assert "LABEL debian-12" in part and "LABEL debian-12" in whole
        for line in ("DEFAULT menu.c32", "MENU TITLE Bootjack", "MENU DEFAULT", "TIMEOUT"):
            assert line in whole and line not in part
        whole = get(network, client, "grub/grub.cfg")
        part = get(network, client, "bootjack/grub.cfg")
        assert "--id 'debian-12'" in part and "--id 'debian-12'" in whole
        assert "set default" in whole and "set " not in part
        assert get(network, client, "bootjack/boot.ipxe").startswith("#!ipxe\n:menu")


def test_a_name_tells_who_asks_when_dhcp_was_somebody_elses(network, client, folder):
    config = """
dhcp: {mode: "off"}
menu: {timeout: 7s}
machines:
  - {mac: "52:54:00:12:34:56", boot: debian-12}
"""
    media = folder / "media"
    media.mkdir()
    tree(media, "netboot")
    with lab.Server(network, "--media", media / "netboot", config=config) as server:
        server.wait_for("ready: ")
        assert "ONTIMEOUT local" in get(network, client, "pxelinux.cfg/default")
        menu = get(network, client, f"pxelinux.cfg/{MAC}")
        assert "ONTIMEOUT debian-12" in menu and "TIMEOUT 10\n" in menu
        # From now on it is known by its address.
        assert "ONTIMEOUT debian-12" in get(network, client, "pxelinux.cfg/default")


def test_grub_that_fell_back_to_tftp_is_not_offered_http_again(network, client, folder):
    media = folder / "media"
    media.mkdir()
    tree(media, "netboot")
    config = SERVER + "menu: {default: first}\n"
    with lab.Server(network, "--media", media / "netboot", config=config) as server:
        server.wait_for("ready: ")
        menu = get(network, client, "grub/grub.cfg")
        kernel = re.search(r"if linux '\(http,10\.77\.0\.1\)/(\S+)'", menu).group(1)
        assert get(network, client, "grub/grub.cfg") == menu
        assert exists(client, kernel)
        server.wait_for("was offered HTTP and took TFTP")
        assert "(http," not in get(network, client, "grub/grub.cfg")


def test_lpxelinux_is_told_urls_and_pxelinux_names(network, client, folder):
    media = folder / "media"
    media.mkdir()
    tree(media, "netboot")
    with lab.Server(network, "--media", media / "netboot", config=SERVER) as server:
        server.wait_for("ready: ")
        assert "LINUX media/netboot/" in get(network, client, "pxelinux.cfg/default")
        assert exists(client, "lpxelinux.0")
        server.wait_for(r"tftp lpxelinux\.0: ")
        assert "LINUX http://10.77.0.1/media/netboot/" in get(
            network, client, "pxelinux.cfg/default")
        assert exists(client, "pxelinux.0")
        server.wait_for(r"tftp pxelinux\.0: ")
        assert "LINUX media/netboot/" in get(network, client, "pxelinux.cfg/default")


def test_a_password_opens_an_entry_in_ipxe_and_is_in_no_log(network, client, folder):
    media, log = folder / "media", folder / "log"
    media.mkdir()
    log.mkdir()
    log.chmod(0o777)
    tree(media, "netboot")
    config = SERVER + f"""
menu: {{password: "open sesame"}}
http: {{access-log: {log}/access.log}}
"""
    with lab.Server(network, "--media", media / "netboot", config=config) as server:
        server.wait_for("ready: ")
        menu = get(network, client, "boot.ipxe")
        assert "kernel " not in menu.split(":failed")[0].replace("memtest", "")
        asked = re.search(r"chain --autofree http://10\.77\.0\.1/"
                          r"(bootjack/unlock\.ipxe\?entry=debian-12&password=)"
                          r"\$\{password:uristring\}", menu).group(1)
        assert "kernel " not in get(network, client, asked + "wrong")
        server.wait_for("menu entry debian-12: wrong password")
        # Who has just been wrong is not listened to.
        assert "kernel " not in get(network, client, asked + "open%20sesame")
        end = time.monotonic() + 20
        while "kernel http://10.77.0.1/media/netboot/" not in get(
                network, client, asked + "open%20sesame"):
            assert time.monotonic() < end, "it is never listened to again"
        assert "sesame" not in server.process.text
        assert "sesame" not in (log / "access.log").read_text()
        assert "unlock.ipxe" in (log / "access.log").read_text()
        for path in ("pxelinux.cfg/default", "grub/grub.cfg"):
            assert "sesame" not in get(network, client, path)
        assert re.search(r"MENU MASTER PASSWD \$6\$\S{16}\$\S{86}\n",
                         get(network, client, "pxelinux.cfg/default"))
        assert re.search(r"password_pbkdf2 admin 'grub\.pbkdf2\.sha512\.10000\.",
                         get(network, client, "grub/grub.cfg"))


def test_explain_shows_the_menu_as_it_would_be_given(network, client, folder):
    """By class: what is known of a machine when it asks."""
    config = SERVER + """
  classes:
    - {name: lab, match: {mac: ["52:54:00"]}}
machines:
  - {class: lab, boot: debian-12, timeout: 5s}
"""
    media = folder / "media"
    media.mkdir()
    tree(media, "netboot")
    with lab.Server(network, "--media", media / "netboot", config=config) as server:
        server.wait_for("ready: ")
        # The name tells who asks; the class what is meant for it.
        menu = get(network, client, f"pxelinux.cfg/{MAC}")
        assert "ONTIMEOUT debian-12" in menu and "TIMEOUT 50\n" in menu
        assert "ONTIMEOUT local" in get(network, network.other(4),
                                        "pxelinux.cfg/01-02-00-00-00-00-01")
        shown = server.query("explain", "--mac", "52:54:00:12:34:56", "--arch", "bios",
                             "--menu")
        assert "ONTIMEOUT debian-12" in shown and "LABEL debian-12" in shown
        shown = server.query("explain", "--mac", "52:54:00:12:34:57", "--arch", "x64",
                             "--menu")
        assert "menuentry 'Boot from the local disk'" in shown


def test_what_inspect_shows_is_what_the_menus_hold(network, client, folder):
    """Every line that `media inspect` says of an entry is in the menu that is served, in order."""
    media, config = folder / "media", folder / "bootjack.yaml"
    medium = tree(media, "deb")
    made = SERVER + "menu: {serial: 'ttyS1,9600'}\n"
    config.write_text("interfaces: [br0]\n" + made)
    with lab.Server(network, "--media", media, config=made) as server:
        server.wait_for("medium deb:")
        asked = json.loads(lab.run(*network.inside(lab.program(), "media", "inspect", "-c", config,
                                                   "--json", medium)).stdout)
        entry, = asked["entries"]
        assert asked["server"] == "10.77.0.1"
        assert {start["firmware"]: start["dialect"] for start in entry["starts"]} == {
            "bios": "pxelinux", "uefi-x64": "grub"}
        for start in entry["starts"]:
            menu = get(network, client, {"pxelinux": "pxelinux.cfg/default",
                                         "grub": "grub/grub.cfg"}[start["dialect"]])
            at = 0
            for line in start["lines"]:
                assert line in menu[at:], (line, menu)
                at = menu.index(line, at) + len(line)
            assert "console=ttyS1,9600n8" in start["args"]
