"""What a boot in a network namespace needs: wires, a server, machines, a console.

Everything made here is ended and removed by the object that made it, by process id and
by name; nothing touches the machine's own network. Waiting is always for something to
be seen, with a limit.
"""
import contextlib
import os
import pathlib
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time

import kinds

INSTALLER = pathlib.Path("/usr/lib/debian-installer/images/12/amd64/text")
ROOT = pathlib.Path(__file__).resolve().parents[2]


def program():
    """The bootjack to test: $BOOTJACK, or the one in build/."""
    return os.environ.get("BOOTJACK", str(ROOT / "build/bootjack"))


def run(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options)


def children(pid):
    try:
        text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return sorted(map(int, text.split()))


def is_running(pid):
    """Gone, or only its exit code is left to be collected by a parent."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")")[-1][1] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Network:
    """A namespace with a bridge that has our address; machines hang on taps, a foreign
    server in a namespace of its own."""

    def __init__(self, subnet="10.77.0"):
        self.name = f"bj{os.getpid()}"
        self.subnet = subnet
        self.address = f"{subnet}.1"
        self.taps = 0
        self.others = []

    def __enter__(self):
        # Who is told to end, by timeout(1) say, takes everything down on the way.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            run("ip", "netns", "add", self.name)
            self.ip("link", "set", "lo", "up")
            self.ip("link", "add", "br0", "type", "bridge", "forward_delay", "0")
            self.ip("address", "add", f"{self.address}/24", "dev", "br0")
            self.ip("link", "set", "br0", "up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *unused):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for name in [self.name] + self.others:
            subprocess.run(["ip", "netns", "delete", name], check=False,
                           capture_output=True)

    def ip(self, *arguments):
        return run("ip", "-netns", self.name, *arguments)

    def inside(self, *command, where=None):
        return ["ip", "netns", "exec", where or self.name, *map(str, command)]

    def tap(self):
        name = f"tap{self.taps}"
        self.taps += 1
        self.ip("tuntap", "add", "dev", name, "mode", "tap")
        self.ip("link", "set", name, "master", "br0", "up")
        return name

    def other(self, host=2, addressed=True):
        """Another machine on the same wire: a namespace with one interface, eth0."""
        name = f"{self.name}-{host}"
        self.others.append(name)
        run("ip", "netns", "add", name)
        self.ip("link", "add", f"v{host}", "type", "veth", "peer", "name", "eth0",
                "netns", name)
        self.ip("link", "set", f"v{host}", "master", "br0", "up")
        if addressed:
            run("ip", "-netns", name, "address", "add", f"{self.subnet}.{host}/24",
                "dev", "eth0")
        run("ip", "-netns", name, "link", "set", "eth0", "up")
        run("ip", "-netns", name, "link", "set", "lo", "up")
        return name


class Process:
    """A child whose output is collected line by line and can be waited for."""

    def __init__(self, command, on_text=None, **options):
        self.text = ""
        self.marks = []  # (when, how long the text was then)
        self.on_text = on_text
        self.started = time.monotonic()
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, **options)
        os.set_blocking(self.process.stdout.fileno(), False)

    def read(self, seconds):
        """What came within that time; False at the end of the output."""
        ready, _, _ = select.select([self.process.stdout], [], [], max(seconds, 0))
        if not ready:
            return True
        data = self.process.stdout.read()
        if not data:
            return False
        text = data.decode("utf-8", "replace")
        self.text += text
        self.marks.append((time.monotonic(), len(self.text)))
        if self.on_text:
            self.on_text(text)
        return True

    def seconds_to(self, pattern):
        """From the start until its output had that, or None."""
        found = re.search(pattern, self.text)
        return found and next(when - self.started for when, length in self.marks
                              if length >= found.end())

    def write(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def end(self, number=signal.SIGTERM, seconds=5):
        if self.process.stdout.closed:
            return self.process.returncode
        if self.process.poll() is None:
            self.process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(seconds)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        while self.read(0) and select.select([self.process.stdout], [], [], 0)[0]:
            pass
        for stream in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(BrokenPipeError):
                stream.close()
        return self.process.returncode


def has_ended(pid, seconds=2):
    """A process that was killed takes a moment to go."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)


keys = {}


def share_keys(state):
    """Two RSA keys a server are most of its start: those of the first do for all others.
    Its certificates are made anew."""
    folder = pathlib.Path(state) / "tls"
    if keys and not folder.exists():
        folder.mkdir(mode=0o700, parents=True)
        for name, data in keys.items():
            (folder / name).write_bytes(data)
            (folder / name).chmod(0o600)


def keep_keys(state):
    folder = pathlib.Path(state) / "tls"
    for name in ("ca-key.pem", "server-key.pem"):
        if name not in keys and (folder / name).exists():
            keys[name] = (folder / name).read_bytes()


class Server:
    """`bootjack serve` on the bridge; ready when it says so to systemd's socket."""

    def __init__(self, network, *flags, config=None, state=None, on_text=None):
        self.folder = tempfile.TemporaryDirectory(prefix="bootjack-lab-")
        self.path = pathlib.Path(self.folder.name)
        self.path.chmod(0o755)
        self.state = state or self.path / "state"
        if config is None or "https" not in config:
            share_keys(self.state)
        command = [program(), "serve", "--interface", "br0", "--state", self.state,
                   *flags]
        if config is not None:
            (self.path / "bootjack.yaml").write_text(config)
            command += ["-c", self.path / "bootjack.yaml"]
        self.network = network
        self.n_killed = 0
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notify.bind(str(self.path / "notify"))
        notify.settimeout(30)
        environment = dict(os.environ, NOTIFY_SOCKET=str(self.path / "notify"),
                           ASAN_OPTIONS="detect_leaks=0",
                           UBSAN_OPTIONS="print_stacktrace=1")
        (self.path / "notify").chmod(0o777)
        self.process = Process(network.inside(*command), on_text, env=environment)
        try:
            while b"READY=1" not in notify.recv(4096):
                pass
        except TimeoutError:
            self.__exit__()
            raise AssertionError("the server did not get ready:\n" + self.process.text)
        finally:
            notify.close()
        keep_keys(self.state)

    def __enter__(self):
        return self

    def __exit__(self, failure=None, *unused):
        pids = sum(self.roles().values(), [])
        self.process.end()
        left = [pid for pid in pids if not has_ended(pid)]
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        self.folder.cleanup()
        if failure is None:
            self.look_for_accidents(left)

    def look_for_accidents(self, left):
        """A role that crashes is started again, so that its test may well pass."""
        text = self.process.text
        assert not left, f"outlived the parent: {left}"
        assert not re.search("AddressSanitizer|runtime error:", text), text
        assert text.count(" died (") <= self.n_killed, text

    def kill(self, pid, number=signal.SIGKILL):
        """One role, on purpose; it has ended when this returns, and reads no more."""
        self.n_killed += 1
        watched = os.pidfd_open(pid)
        os.kill(pid, number)
        select.select([watched], [], [], 10)
        os.close(watched)

    @property
    def pid(self):
        """Of the parent: `ip netns exec` has become it."""
        return self.process.process.pid

    def roles(self):
        """{name: [pids]} of its children."""
        found = {}
        for pid in children(self.pid):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError):
                words = pathlib.Path(f"/proc/{pid}/cmdline").read_text().split("\0")
                found.setdefault(words[words.index("role") + 1], []).append(pid)
        return found

    def wait_for(self, pattern, seconds=20):
        wait_for([self.process], self.process, pattern, seconds)

    def query(self, *arguments):
        return run(program(), *arguments, "--state", str(self.state)).stdout


class Machine(Process):
    """A virtual machine without a system, on a tap of the network. Its console is its
    serial port. What its kind says of card and ROM can be said otherwise."""

    def __init__(self, network, firmware="bios", nic=None, rom=None, memory=1024,
                 mac="52:54:00:12:34:56", disk=None, http=None, kernel=None,
                 on_text=None, bus="ide", reboots=False, cores=1):
        self.folder = tempfile.TemporaryDirectory(prefix="bootjack-vm-")
        self.kind = kinds.KINDS[firmware]
        command = self.kind.command(
            pathlib.Path(self.folder.name), network, nic or self.kind.nic,
            self.kind.rom if rom is None else rom,
            self.kind.http if http is None else http, memory, mac)
        if kernel is not None:  # (kernel, initrd, arguments): no firmware decides
            command += ["-kernel", kernel[0], "-initrd", kernel[1], "-append", kernel[2]]
        if disk is not None:
            command += ["-drive", f"if=none,id=disk,format=raw,file={disk}",
                        "-device", ("ide-hd" if bus == "ide" else "virtio-blk-pci")
                        + ",drive=disk,bootindex=2"]
        if reboots:  # and does not end with it
            command.remove("-no-reboot")
        if cores > 1:
            command += ["-smp", str(cores)]
        super().__init__(network.inside(*command), on_text)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.end(signal.SIGKILL)
        self.folder.cleanup()


def plain(text):
    """A console's text without the sequences that place it."""
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>78]", "", text)
    return text.replace("\x00", "")


def wait_for(processes, which, pattern, seconds):
    """Reads all, until the pattern is in the text of one."""
    end = time.monotonic() + seconds
    wanted = re.compile(pattern)
    while not wanted.search(plain(which.text)):
        left = end - time.monotonic()
        alive = [p for p in processes if p.process.poll() is None]
        if which not in alive:
            which.read(0)  # its last words
            if wanted.search(plain(which.text)):
                return
        if left <= 0 or which not in alive:
            tails = "\n".join(
                f"---- {p.process.args[4]}\n"
                + re.sub(r"[ \r\n]{3,}", "\n", plain(p.text))[-3000:] for p in processes)
            raise AssertionError(f"{pattern!r} was not seen within {seconds} s\n{tails}")
        ready, _, _ = select.select([p.process.stdout for p in alive], [], [],
                                    min(left, 1))
        for p in alive:
            if p.process.stdout in ready:
                p.read(0)


def make_iso(path, tree, volume="DEBIAN_NETBOOT", more=()):
    run("xorriso", "-as", "mkisofs", "-quiet", "-r", "-J", "-V", volume, *more, "-o",
        str(path), str(tree))
    return path


def installer_iso(path):
    """Debian's own network installer, as an ISO whose name says nothing."""
    return make_iso(path, INSTALLER)


# A boot sector that says so on the first serial port and stops: mov dx,3f8; a loop of
# lodsb / out dx,al over the text; hlt.
def disk_that_speaks(path, text="THE LOCAL DISK HAS BOOTED\r\n"):
    code = bytes([0x31, 0xC0, 0x8E, 0xD8, 0xBE, 0x13, 0x7C, 0xBA, 0xF8, 0x03,
                  0xAC, 0x84, 0xC0, 0x74, 0x03, 0xEE, 0xEB, 0xF8, 0xF4])
    sector = (code + text.encode() + b"\0").ljust(510, b"\0") + b"\x55\xaa"
    path.write_bytes(sector.ljust(1 << 20, b"\0"))
    return path


def main_guard():
    if os.geteuid() != 0:
        sys.exit("needs root: it makes network namespaces")
