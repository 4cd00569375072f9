"""Media of Debian's own packages (tools/lab-media), booted from the untouched file: a
live system to its login prompt, and the installer to a system on a disk."""
import json
import os
import pathlib
import subprocess
import time

import pytest

import lab

MEDIA = pathlib.Path(os.environ.get("LAB_MEDIA", lab.ROOT / "build/lab-media"))
MAC = "52:54:00:12:34:56"
SERVER = """
dhcp:
  mode: server
  subnets:
    - {subnet: 10.77.0.0/24, pools: [10.77.0.20-10.77.0.30],
       options: {routers: [10.77.0.1], domain-name-servers: [10.77.0.1]}}
menu: {timeout: 1s, default: first, serial: 'ttyS0,115200'}
"""


def medium(name, into):
    subprocess.run([lab.ROOT / "tools/lab-media", MEDIA, name], check=True)
    try:
        os.link(MEDIA / f"{name}.iso", into / f"{name}.iso")
    except OSError:  # another file system
        subprocess.run(["cp", "--reflink=auto", MEDIA / f"{name}.iso", into], check=True)
    (into / f"{name}.iso").chmod(0o644)


@pytest.mark.parametrize("memory,way", [(1024, "http"), (540, "nfs")])
def test_a_live_system_reaches_its_login(network, media, memory, way):
    """The way is chosen by the memory: a copy of the file system, or none."""
    medium("live", media)
    config = SERVER + f'machines: [{{mac: "{MAC}", memory: {memory}M}}]\n'
    used = "live/filesystem.squashfs: sent" if way == "http" else "nfs /media/live: mounted"
    with lab.Server(network, "--media", media, config=config) as server, \
         lab.Machine(network, nic="virtio-net-pci", memory=memory) as machine:
        lab.wait_for([server.process, machine], machine, r"Linux version \d", 240)
        lab.wait_for([server.process, machine], server.process, used, 1200)
        lab.wait_for([server.process, machine], machine, "live login:", 1200)


PRESEED = """
d-i debian-installer/locale string C.UTF-8
d-i debian-installer/language string en
d-i debian-installer/country string US
d-i keyboard-configuration/xkb-keymap select us
d-i netcfg/choose_interface select auto
d-i netcfg/get_hostname string lab-installed
d-i netcfg/get_domain string lab
d-i mirror/country string manual
d-i mirror/protocol string http
d-i mirror/http/hostname string 10.77.0.1
d-i mirror/http/directory string /media/installer
d-i mirror/http/proxy string
d-i mirror/suite string bookworm
d-i mirror/udeb/suite string bookworm
d-i debian-installer/allow_unauthenticated boolean true
d-i base-installer/install-recommends boolean false
d-i base-installer/debootstrap_variant string minbase
d-i base-installer/kernel/image string linux-image-cloud-amd64
d-i base-installer/includes string init udev ifupdown isc-dhcp-client debconf-i18n
d-i anna/choose_modules string
"""


class Timeline:
    """When each step was seen, for people; printed as it grows."""

    def __init__(self):
        self.start = time.monotonic()

    def __call__(self, what):
        print(f"{time.monotonic() - self.start:7.0f} s  {what}", flush=True)


RECIPE = """system: debian
match:
  - {file: .disk/info, text: 'with a pool'}
  - {file: dists/bookworm/main/installer-amd64/current/images/netboot/debian-installer/amd64/linux, as: kernel}
find:
  - let: {version: "12", arch: amd64}
entries:
  - id: debian-12-pool
    title: Debian 12, unattended, out of its own image
    kernel: ${kernel}
    initrd: dists/bookworm/main/installer-amd64/current/images/netboot/debian-installer/amd64/initrd.gz
    args: auto=true priority=critical url=http://${server}/preseed.cfg ---
    transports: [http]
"""


@pytest.mark.install
def test_the_installer_installs_and_is_not_offered_again(network, folder, media):
    """Unattended, package by package out of the image by HTTP, onto an empty disk; then
    the machine starts again and goes to that disk, for the assignment held once."""
    medium("installer", media)
    (folder / "root").mkdir()
    (folder / "root/preseed.cfg").write_text(PRESEED)
    disk = folder / "disk.img"
    with open(disk, "wb") as file:
        file.truncate(3 << 30)
    recipes = folder / "recipes"
    recipes.mkdir()
    (recipes / "lab.yaml").write_text(RECIPE)
    config = SERVER + f"""recipes: {recipes}
machines: [{{mac: "{MAC}", boot: debian-12-pool, once: true}}]
"""
    seen = Timeline()
    with lab.Server(network, "--media", media, "--root", folder / "root",
                    config=config) as server, \
         lab.Machine(network, nic="virtio-net-pci", disk=disk, bus="virtio", reboots=True,
                     cores=2) as machine:
        def see(process, pattern, seconds, what):
            lab.wait_for([server.process, machine], process, pattern, seconds)
            seen(what)

        see(server.process, "next time it boots from its disk", 300, "kernel and initrd are there")
        see(machine, r"Linux version \d", 120, "the installer's kernel starts")
        see(server.process, "preseed.cfg: sent", 1200, "it has its answers")
        see(server.process, "bootstrap-base.*udeb: sent", 900, "it has its components")
        see(machine, "LAB: the disk is ready", 900, "the disk is ready")
        see(machine, "LAB: the base system is there", 3600, "the base system is there")
        see(machine, "LAB: installed", 1800, "installed; the machine starts again")
        see(machine, "lab-installed login:", 1200, "the installed system's login")
        assert server.process.text.count("preseed.cfg: sent") == 1
        shown = json.loads(server.query("machines", "--json"))
        assert [m["once"] for m in shown if m["mac"] == MAC] == ["done"]
        fetched = server.process.text.count(".deb: sent")
        seen(f"{fetched} packages came out of the image")
        assert fetched > 80
