"""Files beside the servers of the field, as Debian ships them: TFTP beside in.tftpd,
atftpd and dnsmasq; HTTP and HTTPS beside nginx, lighttpd and h2o. The same files, the
same clients, the same wire, one server after the other in each round, medians of the
rounds.

The server on the first processor, with one worker; the load on the second. All servers
run with their limits open and without a log of requests. TCP runs with reno: bbr paces
by a timer, which a wire without a length does not need.
"""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

PEERS = pathlib.Path(__file__).resolve().parents[2] / "bench/peers/usr/sbin"
os.environ["PATH"] += f":{PEERS}"  # what tools/deps could only unpack

import lab  # noqa: E402
from dhcp_bench import CLIENT, SERVER, Wire, family, medians, processor_seconds  # noqa: E402

SIZES = {"f4k": 4096, "f26k": 26828, "f1m": 1 << 20, "f40m": 40 << 20, "f64m": 64 << 20}


def read_anew(path):
    """Into memory by read-ahead, as after a start of the machine: else how fast it is sent
    depends on the pieces in which its maker wrote it."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while file.read(1 << 20):
            pass


def make_files(folder):
    root = folder / "root"
    root.mkdir(mode=0o755)
    for name, size in SIZES.items():
        (root / name).write_bytes(os.urandom(size))
        (root / name).chmod(0o644)
    (folder / "media").mkdir(mode=0o755)
    lab.run("xorriso", "-as", "mkisofs", "-quiet", "-R", "-o", str(folder / "media/m.iso"),
            str(root))
    for path in (*root.iterdir(), folder / "media/m.iso"):
        read_anew(path)
    lab.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj",
            "/CN=bench", "-keyout", str(folder / "key"), "-out", str(folder / "pem"))
    (folder / "key").chmod(0o644)
    (folder / "both.pem").write_text((folder / "key").read_text() +
                                     (folder / "pem").read_text())


# ---- servers: a command, and a port for each door

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
https: {{certificate: {folder}/pem, key: {folder}/key}}
tftp: {{per-source: 1000000, rate: 1000000}}
""")
    return [lab.program(), "serve", "-c", folder / "bootjack.yaml"]


def in_tftpd(folder):
    return ["in.tftpd", "-L", "-a", f"{SERVER}:69", "-s", "-u", "nobody", f"{folder}/root"]


def atftpd(folder):
    return ["atftpd", "--daemon", "--no-fork", "--bind-address", SERVER, "--maxthread", "2000",
            "--user", "nobody", "--group", "nogroup", f"{folder}/root"]


def dnsmasq(folder):
    return ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0",
            "--user=nobody", "--enable-tftp", f"--tftp-root={folder}/root", "--tftp-max=2000",
            f"--log-facility={folder}/log", f"--pid-file={folder}/dnsmasq.pid",
            f"--listen-address={SERVER}"]


def nginx(folder):
    (folder / "nginx.conf").write_text(f"""
daemon off; pid {folder}/nginx.pid; error_log {folder}/log; worker_processes 1; user nobody nogroup;
events {{ worker_connections 2048; }}
http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000;
  open_file_cache max=1000; open_file_cache_valid 60s;
  server {{ listen {SERVER}:80; listen {SERVER}:443 ssl; root {folder}/root;
    ssl_certificate {folder}/pem; ssl_certificate_key {folder}/key; ssl_buffer_size 16k; }} }}
""")
    return ["nginx", "-e", folder / "log", "-c", folder / "nginx.conf"]


def lighttpd(folder):
    (folder / "lighttpd.conf").write_text(f"""
server.document-root = "{folder}/root"
server.bind = "{SERVER}"
server.port = 80
server.modules = ("mod_openssl")
server.max-keep-alive-requests = 1000000000
server.max-connections = 2048
server.max-fds = 4096
server.errorlog = "{folder}/log"
server.pid-file = "{folder}/lighttpd.pid"
$SERVER["socket"] == "{SERVER}:443" {{ ssl.engine = "enable" ssl.pemfile = "{folder}/both.pem" }}
""")
    return ["lighttpd", "-D", "-f", folder / "lighttpd.conf"]


def h2o(folder):
    (folder / "h2o.conf").write_text(f"""
listen: {{host: {SERVER}, port: 80}}
listen:
  host: {SERVER}
  port: 443
  ssl: {{certificate-file: {folder}/pem, key-file: {folder}/key}}
num-threads: 1
user: nobody
error-log: {folder}/log
pid-file: {folder}/h2o.pid
hosts: {{default: {{paths: {{"/": {{file.dir: {folder}/root}}}}}}}}
""")
    return ["h2o", "-c", folder / "h2o.conf"]


SERVERS = {"bootjack": (bootjack, None), "in.tftpd": (in_tftpd, "in.tftpd"),
           "atftpd": (atftpd, "atftpd"), "dnsmasq": (dnsmasq, "dnsmasq"),
           "nginx": (nginx, "nginx"), "lighttpd": (lighttpd, "lighttpd"), "h2o": (h2o, "h2o")}
TFTP, HTTP = ("bootjack", "in.tftpd", "atftpd", "dnsmasq"), ("bootjack", "nginx", "lighttpd", "h2o")


def present():
    return [name for name, (_, program) in SERVERS.items()
            if program is None or shutil.which(program)]


def built(name):
    return str(pathlib.Path(lab.program()).parent / "test/bench" / name)


class Running:
    """One server on the wire, on the first processor."""

    def __init__(self, wire, name, folder):
        self.wire, self.name, self.folder = wire, name, folder
        self.command = SERVERS[name][0](folder)

    def __enter__(self):
        self.out = open(self.folder / "out", "wb")
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", self.wire.server, "taskset", "-c", "0", "nice", "-n", "-5",
             *map(str, self.command)], stdout=self.out, stderr=self.out)
        self.wait("69" if self.name in TFTP else "80")
        return self

    def wait(self, port):
        """Until it has the port; what it may not open for us it says."""
        end = time.monotonic() + 20
        while not any(line.split()[4].endswith(f":{port}") for line in lab.run(
                "ip", "netns", "exec", self.wire.server, "ss", "-Hlntu").stdout.splitlines()):
            if time.monotonic() > end or self.process.poll() is not None:
                text = (self.folder / "out").read_text(errors="replace")[-500:]
                self.__exit__()
                raise RuntimeError(f"{self.name} does not serve: {text}")
            time.sleep(0.05)

    def wait_for_media(self):
        self.load("curl", "-sf", "--retry", "40", "--retry-all-errors", "--retry-delay", "1",
                  "-r", "0-0", f"http://{SERVER}/media/m/f4k")

    def __exit__(self, *unused):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.out.close()

    def load(self, *command, seconds=200):
        ran = subprocess.run(["ip", "netns", "exec", self.wire.client, "taskset", "-c", "1",
                              "nice", "-n", "-5", *map(str, command)],
                             capture_output=True, timeout=seconds, check=False)
        if ran.returncode:
            raise RuntimeError(f"{self.name}: {command[0]}: {ran.stderr.decode()[-300:]}")
        return ran.stdout

    def measure(self, program, *flags):
        before = processor_seconds(self.process.pid)
        result = json.loads(self.load(built(program), "--server", SERVER, *flags))
        result["cpu_seconds"] = processor_seconds(self.process.pid) - before
        return result

    def tftp(self, name, transfers, at_once=1, window=1, **more):
        flags = [word for key, value in more.items() for word in (f"--{key}", value)]
        return self.measure("tftp_load", "--name", name, "--file",
                            self.folder / "root" / name, "--transfers", transfers,
                            "--at-once", at_once, "--window", window, *flags)

    def http(self, path, connections=64, seconds=2):
        return self.measure("http_load", "--path", f"/{path}", "--connections", connections,
                            "--seconds", seconds)

    def https(self, path, connections=64, seconds=2):
        text = self.load("wrk", "-t1", f"-c{connections}", f"-d{seconds}",
                         f"https://{SERVER}/{path}").decode()
        said = {line.split(":")[0].strip(): line.split(":")[1].split()[0]
                for line in text.splitlines() if line.count(":") == 1}
        return {"per_second": float(said["Requests/sec"]), "failed": int("Non-2xx" in text),
                "mb_per_second": float(said["Requests/sec"]) * SIZES[path] / 1e6}

    def peak_bytes(self):
        """Of the largest of its processes that serve files."""
        peaks = [0]
        for pid in family(self.process.pid):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                if self.name == "bootjack" and "\0files\0" not in pathlib.Path(
                        f"/proc/{pid}/cmdline").read_text() + "\0":
                    continue
                peaks += [int(line.split()[1]) * 1024 for line in
                          pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
                          if line.startswith("VmHWM:")]
        return max(peaks)


# ---- cases: a name, what is compared, a run

def crowd(server):
    result = server.tftp("f1m", 1000, 1000, 16, seconds=40)
    result["peak_mib"] = server.peak_bytes() / 2**20
    return result


TFTP_CASES = {
    "TFTP, 1 client, 64 MiB, window 16": ("mb_per_second",
                                          lambda s: s.tftp("f64m", 4, 1, 16)),
    "TFTP, 1 client, 64 MiB, window 64": ("mb_per_second",
                                          lambda s: s.tftp("f64m", 6, 1, 64)),
    "TFTP, 100 clients, 1 MiB, window 16": ("mb_per_second",
                                            lambda s: s.tftp("f1m", 1000, 100, 16)),
    "TFTP, 100 clients, 1 MiB, lockstep": ("mb_per_second",
                                           lambda s: s.tftp("f1m", 500, 100, 1)),
    "TFTP, 26 KiB, 32 at a time": ("per_second", lambda s: s.tftp("f26k", 4000, 32, 1)),
}
ONCE = {  # in the first round alone: most peers need a minute to fail
    "TFTP, 1,000 clients at once, 1 MiB": ("mb_per_second", crowd),
}
HTTP_CASES = {
    "HTTP, 4 KiB": ("per_second", lambda s: s.http("f4k")),
    "HTTP, 1 MiB": ("mb_per_second", lambda s: s.http("f1m")),
    "HTTP, 40 MiB": ("mb_per_second", lambda s: s.http("f40m", 16)),
    "HTTPS, 1 MiB": ("mb_per_second", lambda s: s.https("f1m")),
    "HTTPS, 4 KiB": ("per_second", lambda s: s.https("f4k")),
}
INSIDE = {
    "HTTP, 1 MiB": lambda s: s.http("media/m/f1m"),
    "HTTP, 40 MiB": lambda s: s.http("media/m/f40m", 16),
    "TFTP, 100 clients, 1 MiB, window 16":
        lambda s: s.measure("tftp_load", "--name", "media/m/f1m", "--file",
                            s.folder / "root/f1m", "--transfers", 1000, "--at-once", 100,
                            "--window", 16),
}


def has_windows(name):
    return name in ("bootjack", "atftpd")


class LossyWire(Wire):
    """The same, with a third namespace between the two that loses frames."""

    def __enter__(self):
        super().__enter__()
        self.middle = f"bjm{os.getpid()}"
        try:
            lab.run("ip", "netns", "add", self.middle)
            lab.run("ip", "-n", self.server, "link", "delete", "eth0")
            for name, address, peer in ((self.server, SERVER, "one"),
                                        (self.client, CLIENT, "other")):
                lab.run("ip", "link", "add", "eth0", "netns", name, "type", "veth", "peer",
                        "name", peer, "netns", self.middle)
                lab.run("ip", "-n", name, "address", "add", f"{address}/8", "dev", "eth0")
                lab.run("ip", "-n", name, "link", "set", "eth0", "up")
                lab.run("ip", "-n", self.middle, "link", "set", peer, "up")
                for feature in ("gso", "gro", "tso", "tx", "tx-udp-segmentation"):
                    subprocess.run(["ip", "netns", "exec", name, "ethtool", "-K", "eth0",
                                    feature, "off"], check=False, capture_output=True)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *unused):
        super().__exit__()
        subprocess.run(["ip", "netns", "delete", self.middle], check=False,
                       capture_output=True)

    @contextlib.contextmanager
    def losing(self, percent):
        process = subprocess.Popen(
            ["ip", "netns", "exec", self.middle, "taskset", "-c", "1", built("lossy_wire"),
             "one", "other", "500", str(percent)], stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "ready\n"
        seen = {}
        try:
            yield seen
        finally:
            process.terminate()
            seen.update(json.loads(process.communicate()[0]))


def set_congestion(wire):
    for name in (wire.server, wire.client):
        subprocess.run(["ip", "netns", "exec", name, "sysctl", "-qw",
                        "net.ipv4.tcp_congestion_control=reno"], check=False,
                       capture_output=True)


def row_of(case, server, unit, result):
    return {"case": case, "server": server, "unit": unit, "value": result[unit],
            **{key: result[key] for key in ("failed", "asked_again", "most_asked", "p50_ms", "p99_ms",
                                            "peak_mib", "duplicates", "lost", "cpu_seconds", "seconds")
               if key in result}}


def run_cases(server, cases, rows, tell):
    for case, (unit, run) in cases.items():
        if "window" in case and not has_windows(server.name):
            continue
        rows.append(row_of(case, server.name, unit, run(server)))
        tell(f"  {case}: {server.name} {rows[-1]['value']:,.1f}")


def losses(folder, rounds, tell):
    rows = []
    with LossyWire() as wire:
        for _ in range(rounds):
            for name in ("bootjack", "atftpd"):
                if name not in present():
                    continue
                for window in (1, 16):
                    with Running(wire, name, folder) as server, wire.losing(1) as seen:
                        result = server.tftp("f1m", 16 if window == 1 else 48, 16, window)
                    case = "TFTP, 16 clients, 1 ms, 1 % loss, " + (
                        "lockstep" if window == 1 else f"window {window}")
                    rows.append(row_of(case, name, "mb_per_second", dict(result, **seen)))
                    tell(f"  {case}: {name} {rows[-1]['value']:,.2f}")
    return rows


def run(rounds, tell):
    rows, inside = [], []
    with tempfile.TemporaryDirectory(prefix="bootjack-bench-", dir="/var/tmp") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o777)
        make_files(folder)
        with Wire() as wire:
            set_congestion(wire)
            for number in range(rounds):
                for server_name in present():
                    tell(f"round {number + 1}: {server_name}")
                    with Running(wire, server_name, folder) as server:
                        if server_name in TFTP:
                            run_cases(server, TFTP_CASES, rows, tell)
                        if server_name in HTTP:
                            run_cases(server, HTTP_CASES, rows, tell)
                        if server_name == "bootjack":
                            server.wait_for_media()
                            both = {**TFTP_CASES, **HTTP_CASES}
                            inside += [row_of(case, "inside", both[case][0], go(server))
                                       for case, go in INSIDE.items()]
                    if number == 0 and server_name in TFTP:
                        with Running(wire, server_name, folder) as server:
                            run_cases(server, ONCE, rows, tell)
        rows += losses(folder, rounds, tell)
    return {"rows": list(medians(rows, "case", "server", "unit")),
            "inside": list(medians(inside, "case", "server", "unit"))}


def cost(row):
    """What the server's processes needed, which the client does not limit."""
    if "cpu_seconds" not in row:
        return "-"
    done = row["value"] * row["seconds"]
    return f"{row['cpu_seconds'] * 1e6 / done:.0f}"


def table(results):
    """Markdown, with ratios to the best peer."""
    lines = ["| load | server | figure | ratio to the best peer | processor ms per GB, or 1,000 | "
             "failed | asked again | most by one |", "|---|---|---|---|---|---|---|---|"]
    units = {"mb_per_second": "MB/s", "per_second": "/s"}
    for row in results["rows"]:
        peers = [other["value"] for other in results["rows"]
                 if other["case"] == row["case"] and other["server"] != "bootjack"]
        ratio = f"{row['value'] / max(peers):.2f}" if peers else "-"
        lines.append(f"| {row['case']} | {row['server']} | {row['value']:,.1f} "
                     f"{units[row['unit']]} | {ratio} | {cost(row)} | "
                     f"{row.get('failed', 0):.0f} | "
                     f"{row.get('asked_again', 0):.0f} | {row.get('most_asked', '-')} |")
    lines += ["", "| from inside an ISO | figure | ratio to the same file in a folder |",
              "|---|---|---|"]
    for row in results["inside"]:
        plain = next(other["value"] for other in results["rows"]
                     if other["case"] == row["case"] and other["server"] == "bootjack")
        lines.append(f"| {row['case']} | {row['value']:,.1f} {units[row['unit']]} | "
                     f"{row['value'] / plain:.2f} |")
    lost = [row for row in results["rows"] if "lost" in row and row["server"] == "bootjack"]
    lines += ["", *(f"{row['case']}: {row['lost']:.0f} frames lost, {row['duplicates']:.0f} "
                    "blocks sent that had arrived before." for row in lost)]
    lines += ["", *(f"{row['server']} at 1,000 transfers: {row['peak_mib']:.0f} MiB in the "
                    "largest process." for row in results["rows"] if "peak_mib" in row)]
    return "\n".join(lines) + "\n"
