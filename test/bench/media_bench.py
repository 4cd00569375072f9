"""Media: how long an image of a hundred thousand files takes to be known, beside programs that
list it; and two hundred images in one folder, from a cold start to the first whole menu.

Each program reads the same image, in turns, its own output thrown away. Of Bootjack it is
`media inspect`, which does all that the library does: the index, its sealing, the recipes.
"""
import json
import os
import pathlib
import random
import resource
import shutil
import statistics
import subprocess
import tempfile
import time

import described
import lab

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "test/golden/media"
FILES, IMAGES = 100_000, 200

LISTERS = {
    "bootjack": lambda image: [lab.program(), "media", "inspect", image],
    "bsdtar": lambda image: ["bsdtar", "-tf", image],
    "xorriso": lambda image: ["xorriso", "-indev", image, "-find", "/"],
    "7z": lambda image: ["7z", "l", image],
}
SERVERS = list(LISTERS)


def present():
    return [name for name in LISTERS if name == "bootjack" or shutil.which(name)]


def measured(command):
    """Seconds of processor, seconds of the clock, MiB at the most."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    took = time.monotonic() - started
    process.returncode = status
    assert status == 0, command
    del before
    return usage.ru_utime + usage.ru_stime, took, usage.ru_maxrss / 1024


def big_image(folder, udf):
    tree = folder / "tree"
    if not tree.exists():
        for i in range(FILES // 100):
            below = tree / f"pool/main/{chr(97 + i % 26)}/package-{i}"
            below.mkdir(parents=True)
            for j in range(100):
                (below / f"lib-some-package-{i}-{j}_1.2.3-4+deb12u1_amd64.deb").write_text("x")
    image = folder / ("udf.iso" if udf else "rock-ridge.iso")
    made = ["genisoimage", "-quiet", "-udf", "-D"] if udf else \
        ["xorriso", "-as", "mkisofs", "-quiet", "-R", "-J", "-joliet-long"]
    lab.run(*made, "-o", str(image), str(tree))
    return image


def listing(folder, rounds, tell):
    results = {}
    for udf in (False, True):
        image = big_image(folder, udf)
        kind = "UDF" if udf else "Rock Ridge"
        figures = {name: [] for name in present()}
        for _ in range(rounds):
            for name, runs in figures.items():
                if not (udf and name in ("xorriso", "bsdtar")):  # they read the other side
                    runs.append(measured(LISTERS[name](image)))
        results[kind] = {name: {"processor": statistics.median(r[0] for r in runs),
                                "clock": statistics.median(r[1] for r in runs),
                                "mib": max(r[2] for r in runs)}
                         for name, runs in figures.items() if runs}
        tell(f"{kind}, {FILES} files: " + ", ".join(
            f"{name} {f['processor']:.2f} s, {f['mib']:.0f} MiB"
            for name, f in results[kind].items()))
        image.unlink()
    return results


def two_hundred(media, folder):
    """Images of every family that there is a description of, and a few of the size of a DVD."""
    descriptions = sorted(path for path in GOLDEN.iterdir() if path.is_file())
    made = []
    for i, description in enumerate(descriptions):
        tree = folder / f"family-{i}"
        tree.mkdir()
        volume = described.make(description, tree)
        made.append(media / f"{description.name}.iso")
        lab.run("xorriso", "-as", "mkisofs", "-quiet", "-R", "-V", volume, "-o", str(made[-1]),
                str(tree))
        shutil.rmtree(tree)
    for i in range(IMAGES - len(made)):
        source = random.Random(i).choice(made)
        shutil.copy(source, media / f"copy-{i}-{source.name}")
    for path in list(media.glob("copy-*"))[:5]:
        os.truncate(path, 4 << 30)
    for path in media.iterdir():  # as if they had lain there for long
        os.utime(path, (1_700_000_000, 1_700_000_000))
    return len(list(media.iterdir()))


def drop_caches():
    os.sync()
    try:
        pathlib.Path("/proc/sys/vm/drop_caches").write_text("3\n")
    except OSError:
        return False
    return True


def fetch(network, client, path):
    started = time.monotonic()
    text = lab.run(*network.inside("curl", "-s", "-f", f"http://10.77.0.1/{path}",
                                   where=client)).stdout
    return text, time.monotonic() - started


def cold_start(folder, rounds, tell):
    media = folder / "media"
    media.mkdir()
    n, figures = two_hundred(media, folder), []
    folder.chmod(0o755)
    for _ in range(rounds):
        with lab.Network() as network:
            client = network.other(2)
            cold, started = drop_caches(), time.monotonic()
            with lab.Server(network, "--media", media, config="dhcp: {mode: off}\n") as server:
                ready = time.monotonic() - started
                menu, _ = fetch(network, client, "boot.ipxe")
                whole = time.monotonic() - started
                again = statistics.median(fetch(network, client, "boot.ipxe")[1]
                                          for _ in range(9))
                empty = statistics.median(fetch(network, client, "media/")[1] for _ in range(9))
                listed = json.loads(server.query("media", "--json"))
                assert len(listed) == n, (len(listed), n)
                assert fetch(network, client, "boot.ipxe")[0] == menu, "it was not whole"
        figures.append({"ready": ready, "whole": whole, "again": again, "curl": empty,
                        "entries": sum(len(m["entries"]) for m in listed)})
    result = {name: statistics.median(f[name] for f in figures) for name in figures[0]}
    result.update(images=n, caches_dropped=cold)
    tell(f"{n} images: ready after {result['ready']:.2f} s, the first menu whole after "
         f"{result['whole']:.2f} s")
    return result


def run(rounds, tell):
    with tempfile.TemporaryDirectory(prefix="bootjack-bench-") as made:
        folder = pathlib.Path(made)
        return {"listing": listing(folder, rounds, tell),
                "cold start": cold_start(folder, rounds, tell)}


def table(results):
    lines = [f"An image of {FILES} files:", "",
             "| image | program | processor | clock | memory | processor, of Bootjack's |",
             "|---|---|---|---|---|---|"]
    for kind, figures in results["listing"].items():
        own = figures["bootjack"]["processor"]
        for name, f in figures.items():
            lines.append(f"| {kind} | {name} | {f['processor']:.2f} s | {f['clock']:.2f} s | "
                         f"{f['mib']:.0f} MiB | {f['processor'] / own:.1f} |")
    start = results["cold start"]
    lines += ["", f"{start['images']} images in one folder, {start['entries']:.0f} entries, caches "
              f"{'dropped' if start['caches_dropped'] else 'as they were'}: ready after "
              f"{start['ready']:.2f} s, the first menu is whole after {start['whole']:.2f} s; "
              f"the menu again in {1000 * start['again']:.1f} ms, of which curl and the wire have "
              f"{1000 * start['curl']:.1f} ms.", ""]
    return "\n".join(lines)
