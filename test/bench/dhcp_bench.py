"""DHCP beside dnsmasq, ISC dhcpd and Kea, as Debian ships them: the same clients, the
same wire, the same disk, one after the other in each round.

Two namespaces, a veth pair between them; the server on the first processor, the load on
the second. What a server costs is the processor time of all its processes; what it
holds is their memory. Medians of the rounds.
"""
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import tempfile
import time

import lab

SERVER, CLIENT = "10.99.0.1", "10.99.0.2"
POOL = ("10.100.0.0", "10.103.255.255")
LARGE_POOL = ("10.100.0.0", "10.131.255.255")
SMALL_POOL = ("10.100.0.0", "10.100.255.255")  # dhcpd walks through all of its own
TICKS = os.sysconf("SC_CLK_TCK")


class Wire:
    def __init__(self):
        self.server = f"bjs{os.getpid()}"
        self.client = f"bjc{os.getpid()}"

    def __enter__(self):
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            for name in (self.server, self.client):
                lab.run("ip", "netns", "add", name)
                lab.run("ip", "-n", name, "link", "set", "lo", "up")
            lab.run("ip", "link", "add", "eth0", "netns", self.server, "type", "veth",
                    "peer", "name", "eth0", "netns", self.client)
            for name, address in ((self.server, SERVER), (self.client, CLIENT)):
                lab.run("ip", "-n", name, "address", "add", f"{address}/8", "dev", "eth0")
                lab.run("ip", "-n", name, "link", "set", "eth0", "up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *unused):
        for name in (self.server, self.client):
            subprocess.run(["ip", "netns", "delete", name], check=False,
                           capture_output=True)


def family(pid):
    """A process and all that it started."""
    found = [pid]
    for one in found:
        found += lab.children(one)
    return found


def processor_seconds(pid):
    total = 0
    for one in family(pid):
        try:
            fields = pathlib.Path(f"/proc/{one}/stat").read_text().rpartition(") ")[2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        user, system = fields.split()[11:13]
        total += int(user) + int(system)
    return total / TICKS


def resident_bytes(pid):
    total = 0
    for one in family(pid):
        for line in pathlib.Path(f"/proc/{one}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                total += int(line.split()[1]) * 1024
    return total


def bootjack(folder, probe):
    (folder / "bootjack.yaml").write_text(f"""
interfaces: [eth0]
state: {folder}/state
user: nobody
tftp: {{port: off}}
http: {{port: off}}
dhcp:
  mode: server
  probe: {"true" if probe else "false"}
  subnets:
    - {{subnet: 10.0.0.0/8, pools: ["{'-'.join(LARGE_POOL)}"], lease-time: 1h}}
""")
    return [lab.program(), "serve", "-c", folder / "bootjack.yaml"], {}


def dnsmasq(folder, probe):
    return ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0",
            "--user=root", "--interface=eth0", "--dhcp-authoritative",
            f"--dhcp-range={','.join(SMALL_POOL)},255.0.0.0,1h", "--dhcp-lease-max=2000000",
            f"--dhcp-leasefile={folder}/leases", f"--log-facility={folder}/log",
            f"--pid-file={folder}/pid"] + ([] if probe else ["--no-ping"]), {}


def dhcpd(folder, probe):
    (folder / "leases").write_text("")
    (folder / "dhcpd.conf").write_text(f"""
authoritative; ping-check {"true" if probe else "false"};
default-lease-time 3600; max-lease-time 3600;
subnet 10.0.0.0 netmask 255.0.0.0 {{ range {' '.join(SMALL_POOL)}; }}
""")
    return ["dhcpd", "-4", "-f", "-d", "-cf", folder / "dhcpd.conf", "-lf",
            folder / "leases", "-pf", folder / "pid", "eth0"], {}


def kea(folder, probe):
    (folder / "kea.json").write_text(json.dumps({"Dhcp4": {
        "interfaces-config": {"interfaces": ["eth0"]},
        "lease-database": {"type": "memfile", "name": f"{folder}/leases.csv",
                           "lfc-interval": 3600},
        "valid-lifetime": 3600,
        "subnet4": [{"subnet": "10.0.0.0/8", "pools": [{"pool": " - ".join(POOL)}]}],
        "loggers": [{"name": "kea-dhcp4", "severity": "WARN",
                     "output_options": [{"output": f"{folder}/log"}]}]}}))
    return ["kea-dhcp4", "-c", folder / "kea.json"], {
        "KEA_PIDFILE_DIR": str(folder), "KEA_LOCKFILE_DIR": str(folder),
        "KEA_DHCP_DATA_DIR": str(folder)}


PEERS = {"bootjack": (bootjack, None), "kea": (kea, "kea-dhcp4"),
         "dhcpd": (dhcpd, "dhcpd"), "dnsmasq": (dnsmasq, "dnsmasq")}


class Running:
    """One server on the wire, its state on the disk that all others get too."""

    def __init__(self, wire, name, probe=False):
        self.wire, self.name = wire, name
        self.folder = tempfile.TemporaryDirectory(prefix="bootjack-bench-",
                                                  dir="/var/tmp")
        self.path = pathlib.Path(self.folder.name)
        self.path.chmod(0o777)
        self.command, self.more = PEERS[name][0](self.path, probe)

    def __enter__(self):
        self.out = open(self.path / "out", "wb")
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", self.wire.server, "taskset", "-c", "0", "nice", "-n",
             "-5", *map(str, self.command)], stdout=self.out, stderr=self.out,
            env=dict(os.environ, **self.more))
        end = time.monotonic() + 20
        while self.load("--in-flight", 1, "--exchanges", 1, "--first", 16000000,
                        seconds=2) is None:
            if time.monotonic() > end or self.process.poll() is not None:
                text = (self.path / "out").read_text(errors="replace")[-500:]
                self.__exit__()
                raise RuntimeError(f"{self.name} does not serve: {text}")
        return self

    def __exit__(self, *unused):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.out.close()
        self.folder.cleanup()

    def load(self, *flags, seconds=700):
        """What the load saw, with the server's processor time; None: not all answered."""
        program = pathlib.Path(lab.program()).parent / "test/bench/dhcp_load"
        before = processor_seconds(self.process.pid)
        try:
            ran = subprocess.run(
                ["ip", "netns", "exec", self.wire.client, "taskset", "-c", "1", "nice",
                 "-n", "-5", str(program), "--local", CLIENT, "--server", SERVER,
                 *map(str, flags)], capture_output=True, timeout=seconds, check=False)
        except subprocess.TimeoutExpired:
            return None
        if ran.returncode:
            return None
        result = json.loads(ran.stdout)
        used = processor_seconds(self.process.pid) - before
        result["cpu_ms_per_1000"] = used * 1e6 / max(result["exchanges"], 1)
        return result

    def memory(self):
        return resident_bytes(self.process.pid)


def present():
    return [name for name, (_, program) in PEERS.items()
            if program is None or shutil.which(program)]


SLOW = {"dnsmasq": 125, "dhcpd": 25}  # so much fewer exchanges are enough


MOST_HELD = {"dnsmasq": 0, "dhcpd": 10000}  # what takes no longer than minutes to fill


def one_round(wire, name, held, exchanges):
    """Both numbers in flight, new clients, onto so many leases held."""
    results = []
    with Running(wire, name) as server:
        if held:
            server.load("--in-flight", 256, "--exchanges", held, "--clients", held)
        for in_flight, first in ((16, 4000000), (256, 8000000)):
            count = exchanges // SLOW.get(name, 1)
            result = server.load("--in-flight", in_flight, "--exchanges", count,
                                 "--clients", count, "--first", first)
            results.append(dict(result, server=name, held=held, in_flight=in_flight))
    return results


def medians(rows, *keys):
    groups = {}
    for row in rows:
        groups.setdefault(tuple(row[key] for key in keys), []).append(row)
    for key, group in groups.items():
        numbers = {field: (max if field.startswith("most_") else statistics.median)(
                       row[field] for row in group)
                   for field, value in group[0].items()
                   if isinstance(value, (int, float)) and field not in keys}
        yield dict(zip(keys, key), rounds=len(group), **numbers)


def throughput(wire, rounds, exchanges, helds, tell):
    rows = []
    for number in range(rounds):
        for held in helds:
            for name in present():
                if held > MOST_HELD.get(name, held) or (name in SLOW and held and number):
                    continue  # hours to fill; or minutes, which are spent once
                rows += one_round(wire, name, held, exchanges)
                tell(f"round {number + 1}: {name}, {held} leases held: "
                     f"{rows[-2]['per_second']:.0f}/s at 16, "
                     f"{rows[-1]['per_second']:.0f}/s at 256 in flight")
    return list(medians(rows, "server", "held", "in_flight"))


def growth(wire, tell):
    """What a lease costs in memory, and an exchange in time as the leases grow."""
    rows = []
    with Running(wire, "bootjack") as server:
        empty = server.memory()
        held = 0
        for total in (1000, 10000, 100000, 1000000):
            server.load("--in-flight", 256, "--exchanges", total - held, "--clients",
                        total - held, "--first", held)
            held = total
            # Half of them new to the server's caches: in another order than before.
            again = server.load("--in-flight", 256, "--exchanges", 50000, "--clients",
                                total, "--scatter")
            rows.append({"leases": total, "bytes": server.memory() - empty,
                         "cpu_ms_per_1000": again["cpu_ms_per_1000"],
                         "per_second": again["per_second"]})
            tell(f"{total} leases: {rows[-1]['bytes'] / total:.0f} bytes each, "
                 f"{again['cpu_ms_per_1000']:.1f} ms of processor per 1,000 exchanges")
    return rows


def half_load(wire, best, rounds, tell):
    rows = []
    for _ in range(rounds):
        with Running(wire, "bootjack") as server:
            result = server.load("--rate", best / 2, "--seconds", 5, "--clients", 1000000)
            rows.append(dict(result, server="bootjack"))
    (row,) = medians(rows, "server")
    tell(f"at {best / 2:.0f}/s: p50 {row['p50_ms']:.2f} ms, p99 {row['p99_ms']:.2f} ms")
    return row


def crowd(wire, tell):
    """A thousand new clients at once, each address probed before it is offered."""
    rows = []
    for name in ("bootjack", "dhcpd", "dnsmasq"):
        if name not in present():
            continue
        clients = 1000 if name == "bootjack" else 50
        with Running(wire, name, probe=True) as server:
            result = server.load("--in-flight", clients, "--exchanges", clients,
                                 "--clients", clients)
        rows.append({"server": name, "clients": clients, "seconds": result["seconds"]})
        tell(f"{name} with probes: {clients} clients at once bound in "
             f"{result['seconds']:.2f} s")
    return rows


def table(results):
    """Markdown, with ratios to the best peer."""
    lines = ["| leases held | in flight | server | exchanges/s | ratio to the best peer | "
             "CPU ms per 1,000 | p50 ms | p99 ms |", "|---|---|---|---|---|---|---|---|"]
    rows = results["throughput"]
    for row in sorted(rows, key=lambda r: (r["held"], r["in_flight"])):
        peers = [other["per_second"] for other in rows if other["server"] != "bootjack"
                 and (other["held"], other["in_flight"]) ==
                 (row["held"], row["in_flight"])]
        ratio = f"{row['per_second'] / max(peers):.2f}" if peers else "-"
        lines.append(f"| {row['held']} | {row['in_flight']} | {row['server']} | "
                     f"{row['per_second']:.0f} | {ratio} | {row['cpu_ms_per_1000']:.1f} | "
                     f"{row['p50_ms']:.2f} | {row['p99_ms']:.2f} |")
    half = results["half_load"]
    lines += ["", f"Bootjack at {half['per_second']:.0f} exchanges a second, half of its "
              f"best: p50 {half['p50_ms']:.2f} ms, p99 {half['p99_ms']:.2f} ms.", "",
              "| leases | bytes each | CPU ms per 1,000 exchanges |", "|---|---|---|"]
    lines += [f"| {row['leases']} | {row['bytes'] / row['leases']:.0f} | "
              f"{row['cpu_ms_per_1000']:.1f} |" for row in results["growth"]]
    lines += ["", "| with probes | new clients at once | all bound after s |",
              "|---|---|---|"]
    lines += [f"| {row['server']} | {row['clients']} | {row['seconds']:.2f} |"
              for row in results["crowd"]]
    wrong = [row for row in rows if row["twice"] or row["naks"]]
    lines += ["", f"Addresses given twice, and refusals: {len(wrong)} of {len(rows)} rows "
              "have any."]
    return "\n".join(lines) + "\n"


def run(rounds, is_quick, tell):
    exchanges = 20000 if is_quick else 50000
    helds = (0, 10000) if is_quick else (0, 10000, 100000)
    with Wire() as wire:
        results = {"throughput": throughput(wire, rounds, exchanges, helds, tell)}
        best = max(row["per_second"] for row in results["throughput"]
                   if row["server"] == "bootjack" and row["held"] == 0)
        results["half_load"] = half_load(wire, best, rounds, tell)
        results["growth"] = growth(wire, tell)
        results["crowd"] = crowd(wire, tell)
    return results
