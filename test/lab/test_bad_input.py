"""What a machine shows when it is told something that is not there."""
import lab
import payload
from test_boot import MENU, SERVER, boots


def test_firmware_says_that_nobody_has_its_file(network, media):
    config = SERVER.replace("30]", "30], filename: grubx46.efi") + MENU
    with lab.Server(network, "--media", media, config=config) as server, \
         lab.Machine(network, "uefi") as machine:
        boots(server, machine,
              ("machine", r"NBP filename is grubx46\.efi"),
              ("machine", r"PXE-E23: Client received TFTP error from server"),
              ("server", r"grubx46\.efi: not found; the nearest name is grubx64\.efi"))


def test_a_menu_is_without_the_medium_that_has_gone(network, media):
    """Assigned to the machine, and taken away before it asks: what it does instead is
    what does no harm."""
    payload.Payload(media.parent).iso(media / "a.iso")
    payload.Payload(media.parent, version="11").iso(media / "b.iso")
    config = SERVER + MENU + "machines: [{mac: '52:54:00:12:34:56', boot: debian-11}]\n"
    with lab.Server(network, "--media", media, config=config) as server:
        server.wait_for("medium b: debian 11")
        (media / "b.iso").unlink()
        server.wait_for("medium b has gone")
        with lab.Machine(network, "uefi") as machine:
            boots(server, machine, ("machine", "GNU GRUB +version"),
                  ("machine", r"Debian 12 installer"),
                  ("machine", r"Booting `Boot from the local disk'"))
            assert "Debian 11" not in lab.plain(machine.text)
