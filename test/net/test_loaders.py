"""`bootjack loaders`: what is there, signed by whom, and what to install."""
import json
import pathlib
import shutil
import subprocess

import pytest

import lab

SHIM = pathlib.Path("/usr/lib/shim/shimx64.efi.signed")


def loaders(*flags):
    done = subprocess.run([lab.program(), "loaders", "--json", *map(str, flags)],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def of(rows, file, source=None):
    return next(r for r in rows if r["file"] == file and source in (None, r["source"]))


@pytest.fixture
def config(tmp_path):
    (tmp_path / "bootjack.yaml").write_text(f"loaders: [{tmp_path / 'loaders'}]\n"
                                            f"media: [{tmp_path / 'media'}]\n")
    (tmp_path / "loaders").mkdir()
    (tmp_path / "media").mkdir()
    return tmp_path


def test_packages_folders_and_what_is_missing(config):
    shutil.copy("/usr/lib/ipxe/snponly.efi", config / "loaders/snponly-arm64.efi")
    rows = loaders("-c", config / "bootjack.yaml")
    grub = of(rows, "grubx64.efi")
    assert grub["source"] == "package" and grub["package"] == "grub-efi-amd64-signed"
    assert grub["signed"] and "Debian" in grub["signers"][0]["issuer"]
    assert grub["grub"]["tftp"] and grub["grub"]["prefix"] == "/grub"
    assert "grub" in grub["sbat"] and grub["machine"] == "x64"
    mine = of(rows, "snponly-arm64.efi")
    assert mine["source"] == "folder" and not mine["signed"]
    assert mine["path"] == str(config / "loaders/snponly-arm64.efi")
    missing = of(rows, "wimboot")
    assert not missing["present"] and missing["path"] is None
    assert of(rows, "core.0")["install"].startswith("grub-pc-bin")
    assert len({r["file"] for r in rows}) == len(rows)


@pytest.mark.skipif(not SHIM.exists(), reason="shim-signed is not installed")
def test_loaders_inside_of_media(config, tmp_path):
    """An image with the two links of a signed chain where firmware looks for them."""
    boot = tmp_path / "tree/EFI/BOOT"
    boot.mkdir(parents=True)
    shutil.copy(SHIM, boot / "BOOTX64.EFI")
    shutil.copy("/usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed", boot / "grubx64.efi")
    installer = tmp_path / "tree/debian-installer"
    shutil.copytree(lab.INSTALLER / "debian-installer", installer)
    lab.make_iso(config / "media/both.iso", tmp_path / "tree")
    rows = loaders("-c", config / "bootjack.yaml")
    shim = of(rows, "BOOTX64.EFI", "medium")
    assert shim["kind"] == "shim" and shim["firmware"] == "uefi-x64"
    assert "Debian Secure Boot CA" in shim["trusts"]
    assert any("Microsoft" in s["issuer"] for s in shim["signers"])
    grub = of(rows, "grubx64.efi", "medium")
    assert not grub["grub"]["tftp"] and "Debian" in grub["signers"][0]["issuer"]


def test_text_names_the_package_to_install(config):
    done = subprocess.run([lab.program(), "loaders", "-c", config / "bootjack.yaml"],
                          capture_output=True, text=True)
    assert "missing: install grub-pc-bin" in done.stdout
    assert "SIGNED BY" in done.stdout.splitlines()[0]
