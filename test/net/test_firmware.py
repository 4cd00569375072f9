"""What single machines are told: pins, Secure Boot, answers that wait."""
import json

import lab
from conftest import SERVER
from test_dhcp import udhcpc

MACHINES = """
machines:
  - {mac: "52:54:00:00:00:01", loader: ipxe}
  - {mac: "52:54:00:00:00:02", boot: anything, loader: iso}
  - {mac: "52:54:00:00:00:03", secure-boot: true, loader: snponly}
"""


def explain(server, mac, arch):
    return json.loads(server.query("explain", "--mac", mac, "--arch", arch, "--json"))


def test_a_pinned_machine_gets_its_loader_and_others_the_usual_one(network):
    with lab.Server(network, config=SERVER + MACHINES) as server:
        told = explain(server, "52:54:00:00:00:01", "x64")
        assert told["decision"]["file"] == "ipxe.efi"
        assert {"rule": "pinned", "outcome": "to ipxe (machines)"} in told["trace"]
        assert explain(server, "52:54:00:00:00:01", "bios")["decision"]["file"] == \
            "ipxe.pxe"
        assert explain(server, "52:54:00:00:00:09", "x64")["decision"]["file"] == \
            "grubx64.efi"


def test_an_image_is_booted_by_its_url_while_it_is_there(network, folder):
    tree = folder / "tree"
    tree.mkdir()
    (tree / "README").write_text("nothing in here\n")
    (folder / "media").mkdir()
    with lab.Server(network, "--media", folder / "media",
                    config=SERVER + MACHINES) as server:
        told = explain(server, "52:54:00:00:00:02", "x64-http")["decision"]
        assert told["verdict"] == "cannot-boot" and "no image is assigned" in told["why"]
        lab.make_iso(folder / "media/anything.iso", tree)
        server.wait_for("medium anything")
        told = explain(server, "52:54:00:00:00:02", "x64-http")["decision"]
        assert told["file"] == "http://10.77.0.1/iso/anything.iso"


def test_nothing_unsigned_is_named_where_secure_boot_is_asked_for(network):
    with lab.Server(network, config=SERVER + MACHINES) as server:
        told = explain(server, "52:54:00:00:00:03", "x64")["decision"]
        assert told["secure_boot"] == "on"
        assert told["file"] in ("shimx64.efi", "")  # by whether shim-signed is installed
        if told["file"] == "":
            assert "shim-signed" in told["why"]


def test_an_answer_that_waits_arrives(network, bare, folder):
    config = SERVER.replace("dhcp:", "dhcp:\n  reply-delay: 300ms")
    with lab.Server(network, config=config) as server:
        assert "GOT 10.77.0.20" in udhcpc(network, bare, folder)
        server.wait_for("10.77.0.20 leased for")
