"""The DHCP clients that people run, whole lives long: what they are told, renewing,
coming back, being refused, giving back. Each runs in the namespace of a machine, with
its files in a folder of the test and a script of ours instead of the host's."""
import os
import pathlib
import re
import signal

import pytest

import lab
from test_dhcp import leases

TOLD = """
dhcp:
  mode: server
  lease-time: 10m
  renewal-time: 2s
  subnets:
    - subnet: 10.77.0.0/24
      pools: [10.77.0.20-10.77.0.29]
      options:
        routers: [10.77.0.1, 10.77.0.8]
        domain-name-servers: [10.77.0.53, 10.77.0.54]
        domain-name: example.org
        domain-search: [example.org, lab.example.org, example.net]
        classless-static-routes: ["10.9.0.0/16 via 10.77.0.9", "0.0.0.0/0 via 10.77.0.1"]
        interface-mtu: 1400
        ntp-servers: 10.77.0.123
"""

ELSEWHERE = """
dhcp:
  mode: server
  subnets:
    - {subnet: 10.88.0.0/24, pools: [10.88.0.20-10.88.0.29]}
"""

ROUTES = "10.9.0.0/16 10.77.0.9 0.0.0.0/0 10.77.0.1"

# What the client says is left in a file of that name before the line about it is seen.
SCRIPT = """#!/bin/sh
PATH=/usr/sbin:/usr/bin:/sbin:/bin
why=${reason:-$1}
case $why in
bound|renew|BOUND|RENEW|REBIND|REBOOT)
        %(configure)s ;;
deconfig|EXPIRE|RELEASE|STOP)
        %(deconfigure)s ;;
esac
env > %(folder)s/said.new
mv %(folder)s/said.new %(folder)s/said
echo "SAID $why ${ip:-$new_ip_address}"
exit 0
"""


class Client:
    """One program; a subclass says how it is run and by which names it knows things."""

    CONFIGURE = "ip address replace ${ip:-$new_ip_address}/24 dev eth0"
    DECONFIGURE = "ip address flush dev eth0"
    BOUND, RENEWED, REBOOTED = "BOUND", "RENEW", "REBOOT"
    REMEMBERS = True  # its address, when it starts again
    IDENTIFIER = b"\0seven"

    def __init__(self, network, where, folder):
        self.network, self.where, self.folder = network, where, folder
        self.script = folder / "script"
        self.script.write_text(SCRIPT % {
            "folder": folder, "configure": self.CONFIGURE,
            "deconfigure": self.DECONFIGURE})
        self.script.chmod(0o755)
        self.process = None

    def start(self, client_id=None):
        self.process = lab.Process(self.network.inside(
            *self.command(client_id), where=self.where))

    def wait(self, *whys, address=r"[\d.]+"):
        """Until it has said that, of that address; what it knows then."""
        pattern = rf"SAID ({'|'.join(whys)}) {address}\s"
        self.wait_for(pattern)
        lines = (self.folder / "said").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    def wait_for(self, pattern):
        """What comes after it is left for the next time."""
        lab.wait_for([self.process], self.process, pattern, 15)
        self.process.text = re.split(pattern, self.process.text, maxsplit=1)[-1]

    def stop(self):
        """As at a power cut: nothing is given back."""
        self.process.end(signal.SIGKILL)

    def renew(self):
        """By itself, at T1."""

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if self.process:
            self.process.end()


class Udhcpc(Client):
    REMEMBERS = False
    BOUND, RENEWED, REBOOTED = "bound", "renew", "bound"
    NAMES = {"routers": "router", "servers": "dns", "domain": "domain",
             "search": "search", "routes": "staticroutes", "mtu": "mtu",
             "time": "ntpsrv", "server": "serverid"}

    def command(self, client_id):
        wanted = ("router", "dns", "domain", "search", "staticroutes", "mtu", "ntpsrv")
        flags = sum((["-O", name] for name in wanted), [])
        if client_id:
            flags += ["-C", "-x", f"0x3d:{client_id.hex()}"]
        return ["udhcpc", "-f", "-i", "eth0", "-s", self.script, *flags]

    def renew(self):
        os.kill(self.process.process.pid, signal.SIGUSR1)

    def release(self):
        os.kill(self.process.process.pid, signal.SIGUSR2)


class Dhclient(Client):
    NAMES = {"routers": "new_routers", "servers": "new_domain_name_servers",
             "domain": "new_domain_name", "search": "new_domain_search",
             "routes": "new_rfc3442_classless_static_routes",
             "mtu": "new_interface_mtu", "time": "new_ntp_servers",
             "server": "new_dhcp_server_identifier"}

    def files(self):
        return ["-4", "-sf", self.script, "-lf", self.folder / "leases", "-pf",
                self.folder / "pid", "-cf", self.folder / "dhclient.conf"]

    def command(self, client_id):
        text = ("option rfc3442-classless-static-routes code 121 = "
                "array of unsigned integer 8;\n"
                "request subnet-mask, routers, domain-name-servers, domain-name, "
                "domain-search, rfc3442-classless-static-routes, interface-mtu, "
                "ntp-servers;\n")
        if client_id:
            text += f"send dhcp-client-identifier {client_id.hex(':')};\n"
        (self.folder / "dhclient.conf").write_text(text)
        return ["dhclient", "-d", *self.files(), "eth0"]

    def stop(self):
        """It writes its lease down after the script, and says so when it has."""
        lab.wait_for([self.process], self.process, "bound to .* renewal in", 5)
        super().stop()

    def release(self):
        lab.run(*self.network.inside("dhclient", "-r", *self.files(), "eth0",
                                     where=self.where))


class Contained(Client):
    """Has helpers, or wants folders of the system's: it has process ids and mounts of
    its own, which end with it, and configures its interface itself."""
    CONFIGURE = DECONFIGURE = ":"

    def contained(self, *lines):
        # The mounts are in the namespace that `ip netns exec` has made.
        return ["unshare", "--pid", "--fork", "--kill-child", "sh", "-c",
                "mount -t tmpfs none /run && " + " && ".join(lines)]

    def tell(self, number):
        """`unshare` waits for it."""
        for pid in lab.children(self.process.process.pid):
            os.kill(pid, number)

    def stop(self):
        self.tell(signal.SIGKILL)
        self.process.process.wait(10)
        super().stop()
        lab.run("ip", "-netns", self.where, "address", "flush", "dev", "eth0")

    def __exit__(self, *unused):
        if self.process and not self.process.process.stdout.closed:
            self.stop()


class Dhcpcd(Contained):
    NAMES = {"routers": "new_routers", "servers": "new_domain_name_servers",
             "domain": "new_domain_name", "search": "new_domain_search",
             "routes": "new_classless_static_routes", "mtu": "new_interface_mtu",
             "time": "new_ntp_servers", "server": "new_dhcp_server_identifier"}

    def command(self, client_id):
        (self.folder / "lib").mkdir(exist_ok=True)
        (self.folder / "dhcpcd.conf").write_text(
            "ipv4only\nnoipv4ll\nnoarp\nnodelay\nnodev\nreboot 5\n"
            f"clientid {client_id.hex(':') if client_id else ''}\n"
            "option routers, domain_name_servers, domain_name, domain_search\n"
            "option classless_static_routes, interface_mtu, ntp_servers\n")
        return self.contained(
            f"mount --bind {self.folder}/lib /var/lib/dhcpcd",
            f"exec dhcpcd -B -f {self.folder}/dhcpcd.conf -c {self.script} eth0")

    def release(self):
        self.tell(signal.SIGALRM)


class Networkd(Contained):
    """systemd's, without the rest of systemd. It runs no script, and says what it knows
    in a file of its own."""
    REMEMBERS = False
    IDENTIFIER = bytes.fromhex("ff 00000007 0002 0000ab11 736576656e746821")  # RFC 4361
    BOUND, RENEWED = r"DHCPv4 address {}/24.* acquired", r"client: REQUEST \(renewing\)"
    REBOOTED = BOUND
    NAMES = {"routers": "ROUTER", "servers": "DNS", "domain": "DOMAINNAME",
             "search": "DOMAIN_SEARCH_LIST", "routes": "CLASSLESS_ROUTES", "mtu": "MTU",
             "time": "NTP", "server": "SERVER_ADDRESS"}

    def command(self, client_id):
        (self.folder / "eth0.network").write_text(
            "[Match]\nName=eth0\n[Network]\nDHCP=ipv4\nLinkLocalAddressing=no\n"
            "IPv6AcceptRA=no\n[DHCPv4]\nUseDomains=yes\nUseMTU=yes\n" + (
                "ClientIdentifier=duid\nIAID=7\nDUIDType=vendor\n"
                f"DUIDRawData={client_id[7:].hex(':')}\n" if client_id else
                "ClientIdentifier=mac\n"))
        # A /sys that cannot be written to says that there is no udev to be waited for.
        return ["env", "SYSTEMD_LOG_LEVEL=debug", "SYSTEMD_LOG_TARGET=console",
                "SYSTEMD_LOG_COLOR=0", *self.contained(
                    "mount -t proc none /proc", "mount -o remount,ro /sys",
                    "mkdir -p /run/systemd/network",
                    f"cp {self.folder}/eth0.network /run/systemd/network/",
                    "exec /lib/systemd/systemd-networkd")]

    def wait(self, *whys, address=""):
        self.wait_for(whys[0].format(address))
        if whys[0] == self.RENEWED:
            self.wait_for("client: ACK")
        (pid,) = lab.children(self.process.process.pid)
        folder = pathlib.Path(f"/proc/{pid}/root/run/systemd/netif/leases")
        # networkd writes a hidden file and renames it.
        while not (found := list(folder.glob("[0-9]*"))):
            self.process.read(0.1)
        lines = found[0].read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    def release(self):
        self.tell(signal.SIGTERM)


@pytest.fixture(params=[Udhcpc, Dhclient, Dhcpcd, Networkd],
                ids=lambda kind: kind.__name__.lower())
def program(request, network, bare, folder):
    with request.param(network, bare, folder) as made:
        yield made


def routes(text):
    """dhclient shows bytes: the width, as much of the network as that needs, the router."""
    numbers = text.split()
    if "/" in text:
        return text.replace(",", " ")
    found = []
    while numbers:
        width, numbers = int(numbers[0]), numbers[1:]
        n = (width + 7) // 8
        network = (numbers[:n] + ["0"] * 4)[:4]
        found += [f"{'.'.join(network)}/{width}", ".".join(numbers[n:n + 4])]
        numbers = numbers[n + 4:]
    return " ".join(found)


def test_a_client_is_told_what_is_configured(network, program):
    with lab.Server(network, config=TOLD):
        program.start()
        said = program.wait(program.BOUND, address="10.77.0.20")
        told = {name: said[known] for name, known in program.NAMES.items()}
    assert routes(told.pop("routes")) == ROUTES
    told["search"] = told["search"].replace(". ", " ").rstrip(".")
    assert told == {
        "routers": "10.77.0.1 10.77.0.8", "servers": "10.77.0.53 10.77.0.54",
        "domain": "example.org", "search": "example.org lab.example.org example.net",
        "mtu": "1400", "time": "10.77.0.123", "server": "10.77.0.1"}


def test_a_client_renews_and_gives_back(network, program):
    with lab.Server(network, config=TOLD) as server:
        program.start()
        program.wait(program.BOUND, address="10.77.0.20")
        program.renew()
        program.wait(program.RENEWED, address="10.77.0.20")
        (lease,) = leases(server)
        assert lease["state"] == "bound"
        program.release()
        server.wait_for(r"10\.77\.0\.20 released")
        assert leases(server)[0]["state"] == "released"


def test_a_client_comes_back_to_its_address_without_asking_anew(network, program):
    """INIT-REBOOT, RFC 2131 3.2. (Some remember nothing, and ask anew.)"""
    with lab.Server(network, config=TOLD) as server:
        program.start()
        program.wait(program.BOUND, address="10.77.0.20")
        program.stop()
        before = server.query("events", "-n", "1000").count(" DISCOVER from ")
        program.start()
        program.wait(program.REBOOTED, address="10.77.0.20")
        after = server.query("events", "-n", "1000").count(" DISCOVER from ")
        assert after == before + (not program.REMEMBERS)
        assert [lease["state"] for lease in leases(server)] == ["bound"]


def test_a_client_in_another_network_is_refused_and_gets_what_is_there(network, program):
    """A NAK, to its broadcast INIT-REBOOT or its unicast renewal; then a new address.
    (systemd's does not hear a broadcast while it renews, but as soon as it rebinds.)"""
    network.ip("address", "add", "10.88.0.1/24", "dev", "br0")
    with lab.Server(network, config=TOLD + "  rebinding-time: 4s\n") as server:
        program.start()
        program.wait(program.BOUND, address="10.77.0.20")
        if program.REMEMBERS:
            program.stop()
        (server.path / "bootjack.yaml").write_text(ELSEWHERE)
        os.kill(server.pid, signal.SIGHUP)
        server.wait_for("configuration reloaded: dhcp")
        if program.REMEMBERS:
            program.start()
        else:
            program.renew()
        program.wait(program.BOUND, address="10.88.0.20")
        assert "NAK" in server.query("events", "-n", "1000")
        states = {lease["address"]: lease["state"] for lease in leases(server)}
        assert states["10.88.0.20"] == "bound"


def test_a_client_is_its_identifier_not_its_card(network, program):
    """RFC 2131 4.2: with another card and nothing remembered it has its address."""
    identifier = program.IDENTIFIER
    with lab.Server(network, config=TOLD) as server:
        program.start(identifier)
        program.wait(program.BOUND, address="10.77.0.20")
        program.stop()
        for path in (program.folder / "leases", program.folder / "lib/eth0.lease"):
            path.unlink(missing_ok=True)
        lab.run("ip", "-netns", program.where, "link", "set", "eth0", "address",
                "02:00:00:00:00:77")
        program.start(identifier)
        program.wait(program.BOUND, address="10.77.0.20")
        (lease,) = leases(server)
        assert lease["client_id"].replace(":", "") == identifier.hex()
        assert lease["mac"] == "02:00:00:00:00:77"
