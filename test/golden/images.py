#!/usr/bin/python3
"""What an index says of an image, beside what xorriso takes out of the same image: images.py
BOOTJACK. Prints TAP.

Images of every kind that people make: by xorriso and genisoimage with each set of names, at
each level, in several sessions, bootable, hybrid, with folders too deep for ISO 9660, with
files of several extents. What an index knows is looked at file by file: name, kind, mode,
time, a link's text, and every byte, read from the extents that it names.
"""
import hashlib
import json
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile

bootjack = pathlib.Path(sys.argv[1]).resolve()
DAY = 1_700_000_000


def quietly(*arguments, **more):
    made = subprocess.run(arguments, capture_output=True, timeout=240, **more)
    assert made.returncode == 0, (arguments, made.stderr.decode(errors="replace")[-800:])
    return made


def fill(tree):
    """Names, depth, links, modes, sizes at the borders of blocks."""
    for path in ("boot/grub", "pool/main/l/linux", "a/b/c/d/e/f/g/h/i/j/k", "EMPTY"):
        (tree / path).mkdir(parents=True)
    for size in (0, 1, 2047, 2048, 2049, 70_000):
        (tree / f"pool/size-{size}.bin").write_bytes(os.urandom(size))
    for i in range(60):  # a folder of more than one block
        (tree / f"pool/main/l/linux/linux-image-6.1.0-{i}-amd64_6.1.{i}+deb12u1_amd64.deb"
         ).write_text(f"package {i}\n")
    (tree / "a/b/c/d/e/f/g/h/i/j/k/deepest.txt").write_text("deep\n")
    (tree / "Mixed Case and blanks.TXT").write_text("mixed\n")
    (tree / ("long-" * 40 + "name")).write_text("long\n")
    (tree / "no-dot").write_text("n\n")
    (tree / ".hidden").write_text("h\n")
    (tree / "two.dots.tar.gz").write_text("t\n")
    (tree / "boot/vmlinuz").write_bytes(os.urandom(5000))
    (tree / "boot/vmlinuz").chmod(0o755)
    (tree / "boot/grub/grub.cfg").write_text("set timeout=1\n")
    (tree / "boot/grub/grub.cfg").chmod(0o600)


def links(tree, far=6):
    """Longer ones genisoimage breaks: of its own making it says BAD RRVERSION."""
    (tree / "kernel").symlink_to("boot/vmlinuz")
    (tree / "boot/up").symlink_to("../pool")
    (tree / "dists").symlink_to(".")
    (tree / "nowhere").symlink_to("not/there")
    (tree / "out").symlink_to("/etc/passwd")
    (tree / "far").symlink_to("/".join(["a-rather-long-segment-of-a-path"] * far))


def stamp(tree):
    for path in sorted(tree.rglob("*"), reverse=True):
        os.utime(path, (DAY, DAY), follow_symlinks=False)


def index_of(image):
    told = json.loads(quietly(bootjack, "media", "inspect", "--json", "--files", image).stdout)
    return {f["path"]: f for f in told["files"] if not f["path"].startswith("[BOOT]")}, told


def content(image, file):
    digest, n = hashlib.sha256(), 0
    with open(image, "rb") as data:
        for at, length in file["extents"]:
            data.seek(at)
            while length:
                piece = data.read(min(length, 1 << 20))
                assert piece, "an extent lies outside"
                digest.update(piece)
                n += len(piece)
                length -= len(piece)
    assert n == file["size"]
    return digest.hexdigest()


def compare(image, extracted, posix=True, lower=False):
    """Every file of the folder is in the index, and nothing else."""
    files, _ = index_of(image)
    there = {}
    for path in extracted.rglob("*"):
        name = str(path.relative_to(extracted))
        there[name.lower() if lower else name] = path
    assert sorted(files) == sorted(there), (sorted(set(files) ^ set(there)))
    for name, path in there.items():
        file, st = files[name], path.lstat()
        if path.is_symlink():
            assert file["kind"] == "link" and file["link"] == os.readlink(path), name
            assert file["leads_out"] != path.exists() or name == "out", name
        elif path.is_dir():
            assert file["kind"] == "folder", name
        else:
            assert file["kind"] == "file" and file["size"] == st.st_size, name
            assert content(image, file) == hashlib.sha256(path.read_bytes()).hexdigest(), name
        if posix and not path.is_symlink():
            assert file["mode"] == st.st_mode & 0o7777, (name, oct(file["mode"]), oct(st.st_mode))
            if not path.is_dir():
                assert file["mtime"] == int(st.st_mtime), name
    return len(there)


def extract(image, folder, *options):
    out = folder / "out"
    quietly("xorriso", "-osirrox", "on", *options, "-indev", image, "-extract", "/", out)
    quietly("chmod", "-R", "u+rwX", out) if os.geteuid() else None
    return out


def made(folder, tool, *options, extra=None, volume="V"):
    tree, image = folder / "tree", folder / "m.iso"
    tree.mkdir()
    fill(tree)
    if extra:
        extra(tree)
    stamp(tree)
    maker = ["xorriso", "-as", "mkisofs"] if tool == "xorriso" else ["genisoimage"]
    quietly(*maker, "-quiet", "-V", volume, *options, "-o", image, tree)
    return tree, image


def rock_ridge_of_xorriso(folder):
    _, image = made(folder, "xorriso", "-R", extra=lambda tree: links(tree, 28))
    return compare(image, extract(image, folder))


def rock_ridge_beside_joliet(folder):
    _, image = made(folder, "xorriso", "-R", "-J", "-joliet-long", extra=links)
    return compare(image, extract(image, folder))


def rock_ridge_of_genisoimage_with_moved_folders(folder):
    tree, image = made(folder, "genisoimage", "-R", extra=links)
    # xorriso shows the empty rr_moved, as Linux does.
    out = extract(image, folder)
    assert (out / "a/b/c/d/e/f/g/h/i/j/k/deepest.txt").read_text() == "deep\n"
    return compare(image, out)


def rock_ridge_with_modes_made_equal(folder):
    _, image = made(folder, "genisoimage", "-r", "-D", extra=links)
    return compare(image, extract(image, folder))


def rock_ridge_of_each_level(folder):
    n = 0
    for level in "1234":
        inner = folder / level
        inner.mkdir()
        _, image = made(inner, "genisoimage", "-R", "-D", "-iso-level", level, extra=links)
        n += compare(image, extract(image, inner))
    return n


def joliet_alone(folder):
    """Its names have 64 characters at most, or 103 with -joliet-long."""
    tree, image = made(folder, "genisoimage", "-J", "-joliet-long", "-D")
    out = extract(image, folder)
    n = compare(image, out, posix=False)
    assert "Mixed Case and blanks.TXT" in index_of(image)[0]
    return n


def bare_names_of_each_level(folder):
    n = 0
    for level in "123":
        inner = folder / level
        inner.mkdir()
        _, image = made(inner, "genisoimage", "-D", "-iso-level", level)
        out = extract(image, inner, "-read_fs", "ecma119")
        n += compare(image, out, posix=False, lower=True)
    return n


def names_of_1999(folder):
    """Level 4: up to 207 characters, in either case, without Rock Ridge."""
    tree, image = made(folder, "genisoimage", "-D", "-iso-level", "4")
    files, _ = index_of(image)
    assert "no-dot" in files and "two.dots.tar.gz" in files, sorted(files)
    assert any(name.startswith("long-" * 30) for name in files)
    for path in tree.rglob("*"):
        name = str(path.relative_to(tree))
        if path.is_file() and name in files:
            assert content(image, files[name]) == hashlib.sha256(path.read_bytes()).hexdigest()
    return len(files)


def udf_beside_rock_ridge_says_the_same(folder):
    tree, image = made(folder, "genisoimage", "-udf", "-R", "-D")
    return compare(image, tree)


def udf_alone(folder):
    """As Windows media: nothing but a note on the side of ISO 9660."""
    tree, image = made(folder, "genisoimage", "-udf", "-D", "-hide", "*")
    return compare(image, tree, posix=False)


def the_last_of_three_sessions(folder):
    image = folder / "m.iso"
    for i in range(3):
        tree = folder / f"tree{i}"
        tree.mkdir()
        (tree / "changed").write_text(f"session {i}\n")
        (tree / f"added-{i}").write_bytes(os.urandom(3000))
        stamp(tree)
        quietly("xorriso", "-dev", f"stdio:{image}", "-map", tree, "/", "-commit")
    return compare(image, extract(image, folder))


def boot_images_in_and_out_of_the_tree(folder):
    tree = folder / "tree"
    tree.mkdir()
    fill(tree)
    (tree / "isolinux.bin").write_bytes(b"\x90" * 24_000)
    efi, esp = folder / "efi.img", os.urandom(1 << 20)
    efi.write_bytes(esp)
    stamp(tree)
    image = folder / "m.iso"
    quietly("xorriso", "-as", "mkisofs", "-quiet", "-R", "-b", "isolinux.bin", "-no-emul-boot",
            "-boot-load-size", "4", "-c", "boot.cat", "-eltorito-alt-boot", "-append_partition",
            "2", "0xef", efi, "-e", "--interval:appended_partition_2:all::", "-no-emul-boot",
            "-partition_offset", "16", "-o", image, tree)
    _, told = index_of(image)
    boots = {f["path"]: f for f in told["files"] if f["path"].startswith("[BOOT]/")}
    assert sorted(boots) == ["[BOOT]/1-BIOS.img", "[BOOT]/2-UEFI.img"], boots
    assert boots["[BOOT]/1-BIOS.img"]["size"] == 24_000
    with open(image, "rb") as data:
        (at, n), = boots["[BOOT]/2-UEFI.img"]["extents"]
        data.seek(at)
        assert esp.startswith(data.read(n)) and n >= 2048
    return 2


def a_hybrid_of_grub_mkrescue(folder):
    if not shutil.which("grub-mkrescue") or not shutil.which("mformat"):
        return "# skip grub-mkrescue and mtools are not here"
    tree, image = folder / "tree", folder / "m.iso"
    (tree / "boot/grub").mkdir(parents=True)
    (tree / "boot/grub/grub.cfg").write_text("menuentry x { linux /boot/k }\n")
    (tree / "boot/k").write_bytes(os.urandom(30_000))
    quietly("grub-mkrescue", "-o", image, tree)
    n = compare(image, extract(image, folder))
    assert any(f["path"].startswith("[BOOT]/") for f in index_of(image)[1]["files"])
    return n


def an_empty_volume_of_mkudffs(folder):
    n = 0
    for revision in ("0x0102", "0x0150", "0x0200", "0x0201", "0x0250", "0x0260"):
        image = folder / f"{revision}.iso"
        made_it = subprocess.run(["mkudffs", "--new-file", "--media-type=hd",
                                  f"--udfrev={revision}", image, "5000"], capture_output=True)
        if made_it.returncode != 0:  # 2.50 and 2.60 cannot be made by every version
            continue
        files, _ = index_of(image)
        assert set(files) <= {"lost+found"}, files
        n += 1
    assert n >= 4
    return n


# ---- disks ----

def fat(image, tree, *options, at=0):
    """A file system of mtools in an image of the size that it has, its files copied in."""
    drive = f"{image}@@{at}" if at else image
    quietly("mformat", "-i", drive, "-v", "STICK 1", *options, "::")
    for path in sorted(tree.iterdir()):
        quietly("mcopy", "-s", "-m", "-i", drive, path, "::")


def fat_tree(folder):
    tree = folder / "tree"
    (tree / "EFI/BOOT").mkdir(parents=True)
    (tree / "a/b/c/d/e").mkdir(parents=True)
    for size in (0, 1, 511, 512, 513, 70_000):
        (tree / f"a/size-{size}.bin").write_bytes(os.urandom(size))
    for i in range(40):  # a folder of more than one cluster
        (tree / f"a/a long name of a file, number {i}.text").write_text(f"file {i}\n")
    (tree / ("long-" * 45 + "name")).write_text("long\n")
    (tree / "\u00fcml\u00e4ut \u4e2d.txt").write_text("u\n")
    (tree / "lower.txt").write_text("l\n")
    (tree / "a/b/c/d/e/deep.cfg").write_text("d\n")
    (tree / "EFI/BOOT/BOOTX64.EFI").write_bytes(os.urandom(3000))
    return tree


def compare_fat(image, tree):
    """Short names are in lower case: with mtools all others have a long one beside them."""
    files, told = index_of(image)
    files = {name.lower(): f for name, f in files.items() if not name.startswith("[DISK]")}
    there = {str(path.relative_to(tree)).lower(): path for path in tree.rglob("*")}
    assert sorted(files) == sorted(there), sorted(set(files) ^ set(there))
    for name, path in there.items():
        if path.is_file():
            assert content(image, files[name]) == hashlib.sha256(path.read_bytes()).hexdigest()
            assert abs(files[name]["mtime"] - path.stat().st_mtime) < 2 * DAY_SECONDS
    assert told["kind"] == "disk", told["kind"]
    return len(there)


DAY_SECONDS = 86_400


def a_floppy_of_mtools(folder):
    tree, image = fat_tree(folder), folder / "m.img"
    image.write_bytes(bytes(1_474_560))
    fat(image, tree, "-f", "1440")
    return compare_fat(image, tree)


def sticks_of_each_number_of_bits(folder):
    tree, n = fat_tree(folder), 0
    for name, size, options in (("12", 2 << 20, []), ("16", 40 << 20, []),
                                ("32", 40 << 20, ["-F", "-c", "1"])):
        image = folder / f"{name}.img"
        image.write_bytes(b"")
        os.truncate(image, size)
        fat(image, tree, "-T", str(size // 512), "-h", "16", "-s", "63", *options)
        with open(image, "rb") as data:
            head = data.read(90)
        assert (b"FAT" + name.encode()) in head, head
        n += compare_fat(image, tree)
    return n


def mbr(image, *partitions):
    with open(image, "r+b") as data:
        for i, (kind, first, n) in enumerate(partitions):
            data.seek(446 + 16 * i)
            data.write(struct.pack("<B3xB3xII", 0, kind, first, n))
        data.seek(510)
        data.write(b"\x55\xaa")


def a_stick_with_partitions(folder):
    tree, image = fat_tree(folder), folder / "m.img"
    image.write_bytes(b"")
    os.truncate(image, 12 << 20)
    mbr(image, (0x83, 64, 1000), (0xef, 2048, 16384))
    fat(image, tree, "-T", "16384", "-h", "16", "-s", "63", at=2048 * 512)
    n = compare_fat(image, tree)
    files, _ = index_of(image)
    assert files["[DISK]/2-EFI.img"]["extents"] == [[1 << 20, 8 << 20]]
    assert "[DISK]/1-Linux.img" in files
    return n


def entries_of(image):
    told = json.loads(quietly(bootjack, "media", "inspect", "--json", image).stdout)
    return told["system"], told["version"], [
        (e["id"], e["kernel"], e["initrd"], e["args"], e["why_not"]) for e in told["entries"]]


def disks_are_recognised_or_offered_whole(folder):
    """FreeDOS, the sticks of BSD, one with a syslinux.cfg of its own, and a mere floppy."""
    def stick(name, files, size=1_474_560, label="STICK", kinds=()):
        tree, image = folder / f"{name}-tree", folder / f"{name}.img"
        image.write_bytes(b"")
        os.truncate(image, size)
        for path, text in files.items():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_text(text)
        if kinds:
            mbr(image, *kinds)
        if files:
            at = 2048 * 512 if kinds else 0
            drive = f"{image}@@{at}" if at else str(image)
            quietly("mformat", "-i", drive, "-v", label, "-T",
                    str(1_474_560 // 512), "-h", "2", "-s", "18", "::")
            for path in sorted(tree.iterdir()):
                quietly("mcopy", "-s", "-i", drive, path, "::")
        return entries_of(image)

    system, version, (entry,) = stick("dos", {"KERNEL.SYS": "k", "COMMAND.COM": "c"},
                                      label="FD13-FULL")
    assert (system, version) == ("freedos", "1.3"), (system, version, entry)
    assert entry == ("freedos-1.3", "/memdisk", ["/iso/${name}.img"], "raw", None), entry

    system, _, entries = stick("openbsd", {"EFI/BOOT/BOOTX64.EFI": "x"}, 8 << 20,
                               kinds=((0xef, 2048, 2880), (0xa6, 5000, 9000)))
    assert system == "openbsd", (system, entries)
    assert [e[:2] for e in entries] == [("openbsd-stick", "/memdisk"),
                                        ("openbsd-stick-uefi", "/iso/${name}.img")]

    system, _, (entry,) = stick("freebsd", {}, 8 << 20, kinds=((0xa5, 64, 9000),))
    assert system == "freebsd" and entry[3] == "harddisk raw", (system, entry)

    system, _, (entry,) = stick("own", {
        "SYSLINUX.CFG": "LABEL x\nKERNEL /vmlinuz\nINITRD /boot/initrd.img\n"
                        "APPEND quiet boot=live\n",
        "vmlinuz": "k", "boot/initrd.img": "i", "live/filesystem.squashfs": "s"})
    assert entry[1:3] == ("vmlinuz", ["boot/initrd.img"]), entry
    assert "fetch=${tree}/live/filesystem.squashfs" in entry[3] and entry[4] is None

    system, _, (entry,) = stick("floppy", {"AUTOEXEC.BAT": "x"})
    assert system == "unknown", system
    assert entry[:4] == ("stick-floppy", "/memdisk", ["/iso/${name}.img"], "floppy raw"), entry

    system, _, entries = stick("nothing", {}, 8 << 20)
    assert [e[0] for e in entries] == ["medium-disk", "medium-http-boot"], entries
    return 6


def zisofs_is_left_out_and_said(folder):
    tree, image = folder / "tree", folder / "m.iso"
    tree.mkdir()
    (tree / "plain").write_text("plain\n")
    (tree / "big").write_bytes(b"zeros and such" * 20_000)
    quietly("xorriso", "-outdev", image, "-map", tree, "/", "-set_filter", "--zisofs", "/big",
            "--", "-commit")
    files, told = index_of(image)
    assert sorted(files) == ["plain"], sorted(files)
    assert told["problems"] == ["1 file is left out: compressed or sparse in the image; "
                                "make it again without zisofs"], told["problems"]
    return 1


def archives_of_each_format(folder):
    """A tar is read in place; expanded first when it is compressed."""
    n = 0
    for format, fits in (("v7", 100), ("ustar", 100), ("gnu", 4096), ("pax", 4096)):
        inner = folder / format
        (inner / "tree").mkdir(parents=True)
        fill(inner / "tree")
        links(inner / "tree", 28 if fits > 100 else 2)
        if fits == 100:
            (inner / "tree" / ("long-" * 40 + "name")).unlink()
        (inner / "tree/hard").hardlink_to(inner / "tree/boot/vmlinuz")
        stamp(inner / "tree")
        for compression in ("tar", "tar.gz"):
            image = inner / f"m.{compression}"
            quietly("tar", "-caf", image, f"--format={format}", "-C", inner / "tree", ".")
            if compression == "tar":
                n += compare(image, inner / "tree")
            else:
                assert sorted(index_of(image)[0]) == sorted(index_of(inner / "m.tar")[0])
    return n


# ---- images that somebody made to hurt: each is refused with a sentence, or harmless

def both32(v):
    return struct.pack("<I", v) + struct.pack(">I", v)


def record(name, block, size, flags=0):
    made_it = bytes([0, 0]) + both32(block) + both32(size) + bytes(7) + bytes([flags, 0, 0]) + \
        b"\1\0\0\1" + bytes([len(name)]) + name
    made_it += bytes(len(made_it) % 2)
    return bytes([len(made_it)]) + made_it[1:]


def raw_image(path, folders):
    """Of lists of records, each a folder, from block 20 on; a file's byte lies in block 19."""
    lists, at = [], 20
    for records in folders:
        blocks, block = [], b""
        for one in records:
            if len(block) + len(one) > 2048:
                blocks.append(block.ljust(2048, b"\0"))
                block = b""
            block += one
        lists.append(b"".join([*blocks, block.ljust(2048, b"\0")]))
        at += len(lists[-1]) // 2048
    volume = bytearray(2048)
    volume[:7] = b"\1CD001\1"
    volume[8:72] = b" " * 64
    volume[80:88], volume[128:132] = both32(at), b"\0\x08\x08\0"
    volume[156:190] = record(b"\0", 20, len(lists[0]), 2)
    path.write_bytes(bytes(32768) + volume + b"\xffCD001\1".ljust(2048, b"\0") + bytes(2048) +
                     b"x".ljust(2048, b"\0") + b"".join(lists))


def refused(image):
    told = subprocess.run([bootjack, "media", "inspect", image], capture_output=True, text=True,
                          timeout=60)
    assert told.returncode == 1 and told.stdout == "", told
    return told.stderr


def a_hundred_thousand_names_out_of_order(folder):
    names = [b"F%07d.BIN;1" % i for i in range(100_000)]
    random.Random(1).shuffle(names)
    raw_image(folder / "m.iso", [[record(b"\0", 20, 0, 2), record(b"\1", 20, 0, 2),
                                  *(record(name, 19, 1) for name in names)]])
    files, _ = index_of(folder / "m.iso")
    assert len(files) == 100_000 and "f0000000.bin" in files
    return len(files)


def more_names_than_anybody_has(folder):
    one = record(b"\0", 20, 0, 2)
    raw_image(folder / "m.iso", [[one, one, *(record(b"F%07d" % i, 19, 1)
                                              for i in range(1_100_000))]])
    assert "too many files" in refused(folder / "m.iso")


def folders_in_circles(folder):
    """Of each other, and many at once: two to the power of the depth, if it were followed."""
    top, below = record(b"\0", 20, 2048, 2), record(b"\1", 20, 2048, 2)
    raw_image(folder / "m.iso", [[top, below, record(b"A", 21, 2048, 2)],
                                 [top, below, record(b"B", 22, 2048, 2)],
                                 [top, below, *(record(b"C%d" % i, 21, 2048, 2)
                                                for i in range(30))]])
    assert "go round in circles" in refused(folder / "m.iso")


def folders_shared_by_many(folder):
    """No circle, but thirty names for each folder of the next level."""
    top, below = record(b"\0", 20, 2048, 2), record(b"\1", 20, 2048, 2)
    raw_image(folder / "m.iso", [[top, below, *(record(b"N%d" % i, 21 + level, 2048, 2)
                                                for i in range(30))] for level in range(40)] +
              [[top, below]])
    said = refused(folder / "m.iso")
    assert "never end" in said or "too many files" in said, said


def folders_nested_too_deep(folder):
    top = record(b"\0", 20, 2048, 2)
    raw_image(folder / "m.iso", [[top, top, record(b"D", 21 + level, 2048, 2)]
                                 for level in range(80)] + [[top, top]])
    assert "nested too deep" in refused(folder / "m.iso")


def records_that_contradict_themselves(folder):
    top = record(b"\0", 20, 2048, 2)
    for damage in (bytes([10]) + record(b"X", 19, 1)[1:], record(b"X", 19, 1)[:32] + b"\xff" +
                   record(b"X", 19, 1)[33:], bytes([255]) + record(b"X", 19, 1)[1:]):
        raw_image(folder / "m.iso", [[top, top, damage]])
        said = refused(folder / "m.iso") if damage[0] != 255 else \
            subprocess.run([bootjack, "media", "inspect", folder / "m.iso"], capture_output=True,
                           text=True, timeout=60).stderr
        assert said == "" or "no such list" in said, said


def extents_past_the_end(folder):
    top = record(b"\0", 20, 2048, 2)
    for block, size in ((19, 1 << 30), (1 << 30, 1), (0xffffffff, 0xffffffff)):
        raw_image(folder / "m.iso", [[top, top, record(b"BIG.;1", block, size)]])
        assert "a file lies outside the image: big" in refused(folder / "m.iso")
        raw_image(folder / "m.iso", [[top, top, record(b"D", block, size, 2)]])
        assert "a folder lies outside the image" in refused(folder / "m.iso")


def names_with_slashes_and_nul_are_hidden(folder):
    top = record(b"\0", 20, 2048, 2)
    names = [b"A/B", b"..", b"A\0B", b"/ETC/PASSWD", b"GOOD"]
    raw_image(folder / "m.iso", [[top, top, *(record(name, 19, 1) for name in names)]])
    assert sorted(index_of(folder / "m.iso")[0]) == ["good"]


def continuations_that_lead_to_themselves(folder):
    tree, image = folder / "tree", folder / "m.iso"
    tree.mkdir()
    (tree / ("x" * 250)).write_text("long\n")
    (tree / "good").write_text("good\n")
    quietly("xorriso", "-as", "mkisofs", "-quiet", "-R", "-o", image, tree)
    data, at, n = bytearray(image.read_bytes()), 0, 0
    while (at := data.find(b"CE\x1c\1", at + 1)) >= 0:
        data[at + 4:at + 28] = both32(at // 2048) + both32(at % 2048) + both32(28)
        n += 1
    assert n >= 2
    image.write_bytes(data)
    assert "good" in index_of(image)[0]
    return n


def links_that_double_at_every_step(folder):
    tree, image = folder / "tree", folder / "m.iso"
    (tree / "l0").mkdir(parents=True)
    (tree / "l0/f").write_text("f\n")
    for i in range(1, 60):
        (tree / f"l{i}").symlink_to(f"l{i - 1}/../l{i - 1}/../l{i - 1}/.")
    for i in range(60):
        (tree / f"loop{i}").symlink_to(f"loop{(i + 1) % 60}")
    quietly("xorriso", "-as", "mkisofs", "-quiet", "-R", "-o", image, tree)
    files, _ = index_of(image)
    assert not files["l1"]["leads_out"]
    assert files["l59"]["leads_out"] and files["loop0"]["leads_out"]
    return len(files)


def images_that_end_early(folder):
    for options in (["-R"], ["-udf", "-D"]):
        inner = folder / options[0]
        inner.mkdir()
        _, image = made(inner, "genisoimage", *options)
        data = image.read_bytes()
        used = len(data) - 150 * 2048  # genisoimage pads behind the volume's end
        for part in range(8):
            image.write_bytes(data[:used * part // 8])
            said = refused(image)
            assert "truncated" in said or "empty" in said or "not an ISO" in said or \
                "cut short" in said, said


def archives_that_end_early(folder):
    tree, image = folder / "tree", folder / "m.tar"
    tree.mkdir()
    fill(tree)
    quietly("tar", "-cf", image, "-C", tree, ".")
    data = image.read_bytes()
    for n in range(1, 12):
        image.write_bytes(data[:len(data) * n // 12])
        told = subprocess.run([bootjack, "media", "inspect", image], capture_output=True, text=True,
                              timeout=60)
        assert told.returncode == 1 and "truncated" in told.stderr, told


cases = [rock_ridge_of_xorriso, rock_ridge_beside_joliet,
         rock_ridge_of_genisoimage_with_moved_folders, rock_ridge_with_modes_made_equal,
         rock_ridge_of_each_level, joliet_alone, bare_names_of_each_level, names_of_1999,
         udf_beside_rock_ridge_says_the_same, udf_alone, the_last_of_three_sessions,
         boot_images_in_and_out_of_the_tree, a_hybrid_of_grub_mkrescue, an_empty_volume_of_mkudffs, zisofs_is_left_out_and_said,
         archives_of_each_format, archives_that_end_early,
         a_floppy_of_mtools, sticks_of_each_number_of_bits, a_stick_with_partitions,
         disks_are_recognised_or_offered_whole,
         a_hundred_thousand_names_out_of_order, more_names_than_anybody_has, folders_in_circles,
         folders_shared_by_many, folders_nested_too_deep, records_that_contradict_themselves,
         extents_past_the_end, names_with_slashes_and_nul_are_hidden,
         continuations_that_lead_to_themselves, links_that_double_at_every_step,
         images_that_end_early]

chosen = sys.argv[2:]
cases = [case for case in cases if not chosen or case.__name__ in chosen]
print(f"1..{len(cases)}")
failed = 0
for number, case in enumerate(cases, 1):
    with tempfile.TemporaryDirectory(prefix="bootjack-") as made_folder:
        try:
            result = case(pathlib.Path(made_folder))
            note = result if isinstance(result, str) else f"# {result} files" if result else ""
            print(f"ok {number} - {case.__name__} {note}", flush=True)
        except AssertionError as error:
            failed += 1
            print(f"not ok {number} - {case.__name__}\n# {str(error)[:1500]!r}", flush=True)
sys.exit(1 if failed else 0)
