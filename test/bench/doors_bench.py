"""The other two doors: FTP beside vsftpd, NFS beside nfs-ganesha, as Debian ships them. The
same files, the same clients, the same wire, one server after the other in each round,
medians of the rounds. NFS is read with libnfs.

As in files_bench: the server on the first processor, with one worker; the load on the
second; no log of transfers; TCP with reno.
"""
import contextlib
import json
import pathlib
import shutil
import subprocess
import tempfile
import time

import lab
from dhcp_bench import SERVER, Wire, family, medians
from files_bench import SIZES, Running, built, cost, make_files, row_of, set_congestion


def bootjack(folder):
    state = folder / "state"
    shutil.rmtree(state, ignore_errors=True)
    (folder / "bootjack.yaml").write_text(f"""
interfaces: [eth0]
state: {state}
user: nobody
workers: 1
root: {folder}/root
media: [{folder}/media]
dhcp: {{mode: off}}
https: {{port: off}}
ftp: {{port: 21, per-source: off}}
nfs: {{mode: on}}
""")
    return [lab.program(), "serve", "-c", folder / "bootjack.yaml"]


def vsftpd(folder):
    conf = folder / "vsftpd.conf"
    conf.write_text(f"""listen=YES
background=NO
listen_address={SERVER}
anonymous_enable=YES
anon_root={folder}/root
no_anon_password=YES
local_enable=NO
use_sendfile=YES
xferlog_enable=NO
max_clients=0
max_per_ip=0
secure_chroot_dir=/var/run/vsftpd/empty
""")
    conf.chmod(0o600)
    pathlib.Path("/var/run/vsftpd/empty").mkdir(parents=True, exist_ok=True)
    return ["vsftpd", conf]


def ganesha(folder):
    (folder / "ganesha.conf").write_text(f"""
NFS_CORE_PARAM {{ NFS_Protocols = 3; MNT_Port = 20048; Enable_NLM = false; Enable_RQUOTA = false;
  Plugins_Dir = "{plugins()}"; }}
EXPORT {{ Export_Id = 1; Path = "{folder}/root"; Pseudo = "/root"; Access_Type = RO; Squash = None;
  SecType = sys; Protocols = 3; Transports = TCP; FSAL {{ Name = VFS; }} }}
""")
    return ["ganesha.nfsd", "-F", "-L", folder / "log", "-N", "NIV_CRIT", "-f",
            folder / "ganesha.conf", "-p", folder / "ganesha.pid"]


def plugins():
    return next(pathlib.Path("/usr/lib").glob("*/ganesha"), "/usr/lib/ganesha")


SERVERS = {"bootjack": (bootjack, None), "vsftpd": (vsftpd, "vsftpd"),
           "nfs-ganesha": (ganesha, "ganesha.nfsd")}
DOORS = {"bootjack": ("21", "2049"), "vsftpd": ("21",), "nfs-ganesha": ("2049",)}


def present():
    found = [name for name, (_, program) in SERVERS.items()
             if program is None or shutil.which(program)]
    return found if shutil.which("rpcbind") else [n for n in found if n != "nfs-ganesha"]


@contextlib.contextmanager
def port_mapper(wire, server_name):
    """The one that nfs-ganesha tells its ports to; ours brings its own."""
    if server_name != "nfs-ganesha":
        yield
        return
    process = subprocess.Popen(["ip", "netns", "exec", wire.server, "rpcbind", "-f", "-w"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


class Account:
    """A control group of one server and of all that it starts: what processes spent that
    have ended, too, for vsftpd has two for each session."""

    KINDS = (("/sys/fs/cgroup/cpuacct", "cpuacct.usage", lambda text: int(text) / 1e9),
             ("/sys/fs/cgroup", "cpu.stat", lambda text: int(text.split()[1]) / 1e6))

    def __init__(self, pid):
        self.folder = None
        for top, name, read in self.KINDS:
            folder = pathlib.Path(top) / f"bootjack-bench-{pid}"
            with contextlib.suppress(OSError):
                folder.mkdir()
                if (folder / name).exists():
                    for one in family(pid):
                        (folder / "cgroup.procs").write_text(str(one))
                    self.folder, self.name, self.read = folder, name, read
                    return
                folder.rmdir()

    def spent(self):
        return self.read((self.folder / self.name).read_text()) if self.folder else 0

    def done(self):
        """When all of it has ended, which takes a moment."""
        end = time.monotonic() + 5
        while self.folder and time.monotonic() < end:
            try:
                self.folder.rmdir()
                return
            except OSError:
                time.sleep(0.05)


class Door(Running):
    def __init__(self, wire, name, folder):  # pylint: disable=super-init-not-called
        self.wire, self.name, self.folder = wire, name, folder
        self.command = SERVERS[name][0](folder)

    def wait(self, port):
        for own in DOORS[self.name]:
            super().wait(own)

    def __enter__(self):
        super().__enter__()
        self.account = Account(self.process.pid)
        return self

    def __exit__(self, *unused):
        super().__exit__()
        self.account.done()

    def measure(self, program, *flags):
        before = self.account.spent()
        result = json.loads(self.load(built(program), "--server", SERVER, *flags))
        result["cpu_seconds"] = self.account.spent() - before
        return result

    def ftp(self, path, sessions=16, seconds=2):
        return self.measure("ftp_load", "--path", path, "--sessions", sessions, "--seconds",
                            seconds)

    def nfs(self, name, clients=16, seconds=2, inside=False):
        export = ("/media/m" if inside else
                  "/" if self.name == "bootjack" else f"{self.folder}/root")
        return self.measure("nfs_load", "--export", export, "--path", f"/{name}", "--size",
                            SIZES[name], "--clients", clients, "--seconds", seconds)


FTP_CASES = {
    "FTP, 16 clients, 40 MiB": ("mb_per_second", lambda s: s.ftp("f40m")),
    "FTP, 1 client, 40 MiB": ("mb_per_second", lambda s: s.ftp("f40m", 1)),
    "FTP, 16 kept sessions, 4 KiB": ("per_second", lambda s: s.ftp("f4k")),
}
NFS_CASES = {
    "NFS, 16 clients, 40 MiB": ("mb_per_second", lambda s: s.nfs("f40m")),
    "NFS, 1 client, 40 MiB": ("mb_per_second", lambda s: s.nfs("f40m", 1)),
    "NFS, 16 clients, 4 KiB": ("per_second", lambda s: s.nfs("f4k")),
}
INSIDE = {
    "FTP, 16 clients, 40 MiB": lambda s: s.ftp("media/m/f40m"),
    "FTP, 16 kept sessions, 4 KiB": lambda s: s.ftp("media/m/f4k"),
    "NFS, 16 clients, 40 MiB": lambda s: s.nfs("f40m", inside=True),
    "NFS, 16 clients, 4 KiB": lambda s: s.nfs("f4k", inside=True),
}
CASES = {"bootjack": {**FTP_CASES, **NFS_CASES}, "vsftpd": FTP_CASES, "nfs-ganesha": NFS_CASES}


def run(rounds, tell):
    rows, inside = [], []
    with tempfile.TemporaryDirectory(prefix="bootjack-bench-", dir="/var/tmp") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        make_files(folder)
        with Wire() as wire:
            set_congestion(wire)
            for number in range(rounds):
                for server_name in present():
                    tell(f"round {number + 1}: {server_name}")
                    with port_mapper(wire, server_name), \
                            Door(wire, server_name, folder) as server:
                        for case, (unit, go) in CASES[server_name].items():
                            rows.append(row_of(case, server_name, unit, go(server)))
                            tell(f"  {case}: {server_name} {rows[-1]['value']:,.1f}")
                        if server_name == "bootjack":
                            server.wait_for_media()
                            for case, go in INSIDE.items():
                                inside.append(row_of(case, "inside", CASES["bootjack"][case][0],
                                                     go(server)))
    return {"rows": list(medians(rows, "case", "server", "unit")),
            "inside": list(medians(inside, "case", "server", "unit"))}


def table(results):
    """Markdown, with ratios to the peer."""
    units = {"mb_per_second": "MB/s", "per_second": "/s"}
    lines = ["| load | server | figure | ratio to the peer | processor ms per GB, or 1,000 | "
             "failed |", "|---|---|---|---|---|---|"]
    for row in results["rows"]:
        peers = [other["value"] for other in results["rows"]
                 if other["case"] == row["case"] and other["server"] != row["server"]]
        ratio = f"{row['value'] / peers[0]:.2f}" if peers and row["server"] == "bootjack" else "-"
        lines.append(f"| {row['case']} | {row['server']} | {row['value']:,.1f} "
                     f"{units[row['unit']]} | {ratio} | {cost(row)} | "
                     f"{row.get('failed', 0):.0f} |")
    lines += ["", "| from inside an ISO | figure | ratio to the same file in a folder |",
              "|---|---|---|"]
    for row in results["inside"]:
        plain = next(other["value"] for other in results["rows"]
                     if other["case"] == row["case"] and other["server"] == "bootjack")
        lines.append(f"| {row['case']} | {row['value']:,.1f} {units[row['unit']]} | "
                     f"{row['value'] / plain:.2f} |")
    return "\n".join(lines) + "\n"
