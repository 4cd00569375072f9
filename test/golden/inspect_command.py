#!/usr/bin/python3
"""What `bootjack media inspect` prints of a medium: inspect_command.py BOOTJACK. Prints TAP.

Media of test/golden/media, as images, beside stand-ins of all loaders, in three set-ups;
expected is inspect/MEDIUM.SETUP. With WRITE=1 in the environment these are written anew, to be
read before they are committed.
"""
import difflib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import described

HERE = pathlib.Path(__file__).resolve().parent
bootjack = pathlib.Path(sys.argv[1]).resolve()

LOADERS = ["pxelinux.0", "lpxelinux.0", "grubx64.efi", "grubia32.efi", "grubaa64.efi", "shimx64.efi",
           "shimia32.efi", "shimaa64.efi", "snponly.efi", "undionly.kpxe", "ipxe.efi", "ipxe.pxe",
           "snponly-arm64.efi", "memdisk"]
SERVER = """dhcp:
  mode: server
  subnets: [{subnet: 192.0.2.0/24, pools: [192.0.2.20-192.0.2.250]}]
"""
SETUPS = {
    "server": f"{SERVER}menu: {{serial: 'ttyS0,115200'}}\n",
    "proxy": "dhcp: {mode: proxy}\nhttp: {port: 8080}\n",
    "no-http": f"{SERVER}http: {{port: 0}}\nnfs: {{mode: off}}\n",
}
MEDIA = {
    "debian-12-netboot-package": ["server", "proxy"],
    "debian-12-netinst": ["server"],        # cannot boot
    "debian-13-netboot-graphical-arm64": ["server"],
    "alma-8-boot": ["server", "proxy", "no-http"],
    "fedora-38-live": ["server"],           # several ways
    "esxi-7": ["server"],
    "proxmox-ve-8": ["server"],
    "windows-11-24h2": ["server", "proxy"],
    "memtest-iso": ["server"],
    "whole-image-bios-and-uefi": ["server", "proxy"],         # whole, by iPXE
}


def quietly(*arguments):
    made = subprocess.run(arguments, capture_output=True, timeout=120)
    assert made.returncode == 0, (arguments, made.stderr.decode(errors="replace")[-800:])
    return made.stdout.decode()


def image_of(description, folder):
    tree = folder / "tree"
    tree.mkdir()
    volume = described.make(description, tree)
    image = folder / "medium.iso"
    quietly("xorriso", "-as", "mkisofs", "-quiet", "-R", "-V", volume, "-o", image, tree)
    return image


def set_up(folder):
    loaders = folder / "loaders"
    loaders.mkdir()
    for name in LOADERS:
        (loaders / name).write_bytes(b"stands in")
    for name, text in SETUPS.items():
        (folder / f"{name}.yaml").write_text(f"loaders: [{loaders}]\n{text}")


def told(top, medium, setup):
    with tempfile.TemporaryDirectory() as inner:
        image = image_of(HERE / "media" / medium, pathlib.Path(inner))
        config = top / f"{setup}.yaml"
        text = quietly(bootjack, "media", "inspect", "-c", config, image)
        data = json.loads(quietly(bootjack, "media", "inspect", "-c", config, "--json", image))
        agree(text, data)
        return text.replace(str(image), "IMAGE")


def agree(text, data):
    """What is shown to people is what programs get, every entry on each of its firmware."""
    assert data["server"] == "SERVER"
    for entry in data["entries"]:
        where = [start["firmware"] for start in entry["starts"]]
        assert where == ([] if entry["why_not"] else list(entry["loaders"])), entry
        for start in entry["starts"]:
            assert bool(start["lines"]) != bool(start["why_not"]), start
            for line in start["lines"]:
                assert line.lstrip().startswith("echo ") or f"    {line}\n" in text, line


def main():
    cases = [(medium, setup) for medium, setups in MEDIA.items() for setup in setups]
    failures = 0
    print(f"1..{len(cases)}")
    with tempfile.TemporaryDirectory() as folder:
        top = pathlib.Path(folder)
        set_up(top)
        for i, (medium, setup) in enumerate(cases, 1):
            expected, got = HERE / "inspect" / f"{medium}.{setup}", told(top, medium, setup)
            if os.environ.get("WRITE"):
                expected.parent.mkdir(exist_ok=True)
                expected.write_text(got)
            wanted = expected.read_text() if expected.exists() else ""
            if wanted != got:
                failures += 1
                for line in difflib.unified_diff(wanted.splitlines(), got.splitlines(),
                                                 str(expected.name), "told", lineterm=""):
                    print(f"# {line}")
            print("ok" if wanted == got else "not ok", i, f"{medium}, {setup}")
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
