"""Every kind of firmware boots the payload by every loader; see cases.py. With --peer
each is timed beside dnsmasq, with --matrix the table is written to a file."""
import pathlib
import shutil
import subprocess

import pytest

import kinds
import lab
import payload
import reference
import wires
from cases import CASES, Type

CONFIG = """
menu: {title: Bootjack lab, timeout: 1s, default: first, serial: 'ttyS0,115200'}
"""
DHCP = {
    "server": """dhcp:
  mode: serverLOADER
  subnets:
    - {subnet: 10.77.0.0/24, pools: [10.77.0.20-10.77.0.30]FILENAME}
""",
    "relay": """dhcp:
  mode: serverLOADER
  subnets:
    - {subnet: 10.77.0.0/24}
    - {subnet: 10.66.0.0/24, pools: [10.66.0.20-10.66.0.30],
       options: {routers: [10.66.0.1]}FILENAME}
""",
    "proxy": "dhcp:\n  mode: proxyLOADER\n",
}
KERNEL = r"Linux version \d"
LIMIT = 300


def fetched(case, folder):
    """In a folder that may be the root of what is served."""
    if case.fetched:
        built = lab.ROOT / "build/lab-media"
        subprocess.run([lab.ROOT / "tools/lab-media", built, case.fetched], check=True)
        for path in built.glob("*.stub"):
            shutil.copy(path, folder)


def config(case, folder):
    text = CONFIG + DHCP[case.wire]
    text = text.replace("LOADER", f"\n  loader: {case.loader}" * bool(case.loader))
    text = text.replace("FILENAME", f", filename: {case.filename}" * bool(case.filename))
    if case.root or case.fetched:
        root = folder / "root"
        root.mkdir()
        fetched(case, root)
        for name, source in (case.root or {}).items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            if isinstance(source, pathlib.Path):
                shutil.copy(source, root / name)
            else:
                (root / name).write_text(source)
        text += f"root: {root}\n"
    return text + case.config


def watch(case, processes, machine, word, limit=LIMIT):
    """Reads the console through to its end."""
    for step in case.console:
        keys = step.keys if isinstance(step, Type) else None
        lab.wait_for(processes, machine, step.seen if keys else step, limit)
        if keys:
            machine.write(keys)
    if case.refused:
        lab.wait_for(processes, machine, case.refused, limit)
        assert not machine.seconds_to(KERNEL)
        return None
    lab.wait_for(processes, machine, "PAYLOAD ends", limit)
    lab.wait_for(processes, machine, word, 1)
    for pattern in (case.line, case.secure):
        lab.wait_for(processes, machine, pattern, 1)
    return machine.seconds_to(KERNEL)


def by_peer(case, network, wire, recording, word, limit):
    """Seconds, or why there are none: that is no failure of ours."""
    with recording.serve(network, case.wire) as dnsmasq, \
         lab.Machine(wire, case.kind) as machine:
        try:
            return watch(case, [dnsmasq, machine], machine, word, limit)
        except AssertionError as error:
            print("the peer did not boot it:", error)
            return "does not boot"


@pytest.mark.parametrize("case", [
    pytest.param(case, id=case.name, marks=[pytest.mark.always] if case.always else [])
    for case in CASES])
def test_boots(case, network, folder, media, record_property, request):
    kind = kinds.KINDS[case.kind]
    record_property("case", case.name)
    missing = kind.missing()
    if missing:
        pytest.skip(f"{missing} is not there")
    what = payload.Payload(folder, kind.arch)
    (what.bootable_iso if case.disk else what.iso)(media / "anything.iso")
    with wires.WIRES[case.wire](network) as wire:
        with lab.Server(network, "--media", media,
                        config=config(case, folder)) as server:
            server.wait_for("medium anything: .*1 in the menu")
            with lab.Machine(wire, case.kind) as machine:
                seconds = watch(case, [server.process, machine], machine, what.seen)
            record_property("ours", seconds)
            if not request.config.getoption("peer") or case.refused:
                return
            recording = reference.Recording(network, server, folder)
        record_property("peer", by_peer(case, network, wire, recording, what.seen,
                                        max(60, 3 * seconds)))
