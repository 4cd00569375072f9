"""Every way known of writing a path that leads out of a tree, and where it comes from: a
hole of somebody's, or the tool or list that tries it. One table for all doors. `{out}` is
a file outside of the tree, absolute; a door that decodes gets the spelling as it is, and
one that does not gets it decoded as well.
"""
import os

UP = "../" * 12

TABLE = [
    # Dots and slashes.
    ("../{name}", "CVE-1999-0183: TFTP daemons; CVE-1999-0166: NFS"),
    (UP + "{out}", "dotdotpwn, Nmap's tftp-enum and http-passwd"),
    ("/" + UP + "{out}", "CVE-2011-4722: Ipswitch TFTP"),
    ("sub/../../{name}", "tarfiles and archives; SecLists LFI"),
    ("sub/./.././../{name}", "SecLists LFI: a dot between"),
    ("./../{name}", "dotdotpwn"),
    ("sub/" + UP + "{out}", "CVE-2021-41773 without its encoding"),
    ("{out}", "TFTP daemons without a folder of their own"),
    ("/{out}", "nikto: two slashes before a full path"),
    ("///{out}", "nikto"),
    ("//..//..//..//..//..//{out}", "dotdotpwn: doubled slashes"),
    (".../.../.../{out}", "dotdotpwn: three dots, Windows 9x"),
    ("....//....//....//{out}", "SecLists LFI: filters that take ../ out once"),
    ("..././..././{out}", "SecLists LFI: the same filter"),
    ("..;/..;/..;/{out}", "CVE-2020-5902: path parameters"),
    ("sub/..;/..;/{name}", "Orange Tsai, Breaking Parser Logic, 2018"),
    ("sub../{name}", "nginx's alias without a slash; gixy"),
    ("../root-secret/{name}", "a folder whose name begins like the tree's"),
    # The other slash.
    ("..\\{name}", "TFTP servers on Windows, with its slash"),
    ("..\\" * 12 + "{out}", "dotdotpwn"),
    ("\\..\\..\\..\\..{out}", "dotdotpwn"),
    ("..\\/..\\/..\\/{out}", "dotdotpwn: both slashes"),
    ("../..\\../..\\{out}", "dotdotpwn: mixed"),
    ("C:\\boot.ini", "TFTP servers on Windows, a full path"),
    ("c:/../../{out}", "dotdotpwn"),
    ("\\\\127.0.0.1\\c$\\boot.ini", "UNC paths; SecLists"),
    # Encoded.
    ("%2e%2e/{name}", "nikto"),
    ("%2e%2e%2f" * 12 + "{out}", "dotdotpwn"),
    ("..%2f" * 12 + "{out}", "dotdotpwn"),
    ("..%2F{name}", "the same in capitals"),
    (".%2e/.%2e/.%2e/{out}", "CVE-2021-41773: Apache 2.4.49"),
    ("%%32%65%%32%65/{name}", "CVE-2021-42013: Apache 2.4.50"),
    ("..%5c" * 12 + "{out}", "nikto: an encoded backslash"),
    ("%2e%2e%5c{name}", "dotdotpwn"),
    ("..%252f{name}", "CVE-2001-0333: IIS decodes twice"),
    ("%252e%252e%252f{name}", "dotdotpwn: twice"),
    ("%25252e%25252e%25252f{name}", "dotdotpwn: three times"),
    ("..%255c{name}", "CVE-2001-0333"),
    ("%2fetc%2fpasswd", "SecLists LFI"),
    ("%2f%2f{out}", "nikto"),
    ("sub%2f..%2f..%2f{name}", "SecLists LFI: no slash is left as it is"),
    ("%255c%255c..%255c/..%255c/..%255c/{name}", "CVE-2018-1271: Spring, PayloadsAllTheThings"),
    # Overlong and other forms of UTF-8.
    ("..%c0%af{name}", "CVE-2000-0884: IIS, an overlong slash"),
    ("..%c1%9c{name}", "CVE-2000-0884: an overlong backslash"),
    ("%c0%ae%c0%ae/{name}", "CVE-2008-2938: Tomcat, overlong dots"),
    ("%c0%2e%c0%2e/{name}", "dotdotpwn"),
    ("%e0%80%ae%e0%80%ae/{name}", "dotdotpwn: three bytes"),
    ("..%e0%80%af{name}", "dotdotpwn"),
    ("%f0%80%80%ae%f0%80%80%ae/{name}", "dotdotpwn: four bytes"),
    ("..%f0%80%80%af{name}", "dotdotpwn"),
    ("..%ef%bc%8f{name}", "a full-width slash, U+FF0F; SecLists"),
    ("%ef%bc%8e%ef%bc%8e/{name}", "full-width dots, U+FF0E; SecLists"),
    ("..%e2%88%95{name}", "a division slash, U+2215; SecLists"),
    ("%u002e%u002e/{name}", "IIS's own encoding; dotdotpwn"),
    ("..%u2215{name}", "dotdotpwn"),
    ("..%u2216{name}", "dotdotpwn"),
    ("..0x2f{name}", "dotdotpwn"),
    ("%uff0e%uff0e/{name}", "dotdotpwn"),
    # What ends a name early, or is cut off it.
    ("../{name}%00", "a NUL ends it for C; SecLists LFI"),
    ("../{name}%00.png", "Poison NUL byte, Phrack 55"),
    ("..%00/{name}", "dotdotpwn"),
    ("hello.txt%00/../../{name}", "SecLists LFI"),
    ("hello.txt%20%00", "CVE-2013-4547: nginx, there with both bytes as they are"),
    ("hello.txt \0.png", "CVE-2013-4547: nginx"),
    ("../{name}%0a", "a line's end; dotdotpwn"),
    ("..%0d/{name}", "SecLists"),
    ("..%20/{name}", "trailing spaces, as Windows cuts them"),
    (".. /{name}", "the same, not encoded"),
    ("..%09/{name}", "SecLists"),
    ("../{name}?", "SecLists LFI"),
    ("../{name}#", "SecLists LFI"),
    ("../{name}.", "a trailing dot, as Windows cuts it"),
    ("../{name}::$DATA", "NTFS streams; nikto"),
    # Not a path at all.
    ("file://{out}", "SSRF lists of SecLists"),
    ("http://127.0.0.1/../{name}", "RFC 9112 3.2.2: the absolute form"),
    ("http:../{name}", "a scheme and a relative path"),
    ("~root/.profile", "FTP daemons that expand ~USER"),
    ("~/../{name}", "FTP daemons; dotdotpwn"),
    ("{{..,sub}}/{name}", "globbing FTP daemons: braces"),
    ("~{{", "CVE-2001-0550: wu-ftpd's globbing"),
    ("sub/*/../../{name}", "globbing FTP daemons"),
    ("|cat {out}", "programs that open by a shell"),
    ("$(cat {out})", "the same"),
    ("-", "standard input, for programs"),
    # Where the host has more than one way to a file.
    ("/proc/self/root{out}", "SecLists LFI"),
    ("proc/self/environ", "SecLists LFI"),
    ("/proc/self/cwd/../../{name}", "SecLists LFI"),
    ("/dev/fd/0", "SecLists LFI"),
    ("link-absolute", "a link to a file outside"),
    ("link-relative", "a link with .. to a file outside"),
    ("link-folder/{name}", "a link to a folder outside"),
    ("link-chain", "a link to a link"),
    ("link-root{out}", "a link to /"),
    ("link-proc/root{out}", "a magic link of the kernel's"),
    ("link-loop", "a link to itself"),
    ("sub/link-up/{name}", "a link to .. inside of a folder"),
    ("pipe", "no file: it would block"),
]


def spelled(out, name):
    """(spelling as bytes, where from), for a file `out` called `name`. Letters above
    ASCII stand for nothing here, so text is Latin-1."""
    return [(text.format(out=out, name=name).encode("latin-1"), source)
            for text, source in TABLE]


def decoded(spelling):
    """Percent-decoded once, as a door does that decodes."""
    out, at = b"", 0
    while at < len(spelling):
        piece = spelling[at:at + 3]
        try:
            if piece[:1] != b"%" or len(piece) < 3:
                raise ValueError
            out += bytes([int(piece[1:], 16)])
            at += 3
        except ValueError:
            out += spelling[at:at + 1]
            at += 1
    return out


def make_tree(folder):
    """The tree, and what must not be had. Returns (root, the file outside)."""
    root, beside = folder / "root", folder / "root-secret"
    (root / "sub").mkdir(parents=True)
    beside.mkdir()
    (root / "hello.txt").write_text("hello, machine\n")
    outside = folder / "outside.txt"
    for path in (outside, beside / outside.name):
        path.write_text("NOT TO BE HAD root:x:0:0\n")
        path.chmod(0o644)
    (root / "link-absolute").symlink_to(outside)
    (root / "link-relative").symlink_to("../outside.txt")
    (root / "link-folder").symlink_to("..")
    (root / "link-chain").symlink_to("link-relative")
    (root / "link-root").symlink_to("/")
    (root / "link-proc").symlink_to("/proc/self")
    (root / "link-loop").symlink_to("link-loop")
    (root / "sub/link-up").symlink_to("../..")
    os.mkfifo(root / "pipe")
    return root, outside
