"""iPXE says how much memory there is, and that chooses the way."""
import pytest

import lab

MAC = "52:54:00:12:34:56"
CONFIG = f"""
dhcp:
  mode: server
  subnets:
    - {{subnet: 10.77.0.0/24, pools: [10.77.0.20-10.77.0.30]}}
menu: {{timeout: 1s, default: first, serial: 'ttyS0,115200'}}
machines: [{{mac: "{MAC}", loader: ipxe}}]
"""


def casper(media, folder):
    """A server's image in shape, of 300 MiB; its kernel is one that starts."""
    tree = folder / "tree"
    (tree / "casper").mkdir(parents=True)
    (tree / ".disk").mkdir()
    (tree / ".disk/info").write_text(
        'Ubuntu-Server 22.04.1 LTS "Jammy Jellyfish" - Release amd64 (20220809)\n')
    (tree / "casper/install-sources.yaml").write_bytes(b"")
    installer = lab.INSTALLER / "debian-installer/amd64"
    (tree / "casper/vmlinuz").write_bytes((installer / "linux").read_bytes())
    (tree / "casper/initrd").write_bytes((installer / "initrd.gz").read_bytes())
    with open(tree / "casper/ubuntu-server-minimal.squashfs", "wb") as file:
        file.truncate(300 << 20)
    lab.make_iso(media / "any.iso", tree)


@pytest.mark.parametrize("firmware", ["bios", "uefi"])
@pytest.mark.parametrize("memory,words", [(2048, r"url=http://10\.77\.0\.1/iso/any\.iso"),
                                          (1200, r"nfsroot=10\.77\.0\.1:/media/any")])
def test_the_memory_that_ipxe_finds_chooses_the_way(network, folder, media, firmware, memory,
                                                    words):
    casper(media, folder)
    with lab.Server(network, "--media", media, config=CONFIG) as server, \
         lab.Machine(network, firmware, memory=memory) as machine:
        both = [server.process, machine]
        lab.wait_for(both, server.process, r"menu bootjack/memory/[0-9a-f.]+/boot\.ipxe", 240)
        lab.wait_for(both, machine, "Command line: .*" + words, 240)
        assert f'"memory":{memory << 20}' in server.query("machines", "--json").replace(" ", "")
