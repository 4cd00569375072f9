"""Where a machine of the lab hangs: on the server's own wire, on one where somebody else
gives the addresses, or behind a relay."""
import contextlib

import lab


@contextlib.contextmanager
def foreign_dhcp(network, *flags):
    """Somebody else's DHCP server, 10.77.0.2, which knows nothing of booting."""
    where = network.other(2)
    process = lab.Process(network.inside(
        "dnsmasq", "--keep-in-foreground", "--log-facility=-", "--log-dhcp", "--port=0",
        "--conf-file=/dev/null", "--user=root", "--interface=eth0",
        "--dhcp-leasefile=/dev/null", "--no-ping",
        "--dhcp-range=10.77.0.100,10.77.0.120,255.255.255.0,1h", *flags, where=where))
    try:
        lab.wait_for([process], process, "DHCP, IP range", 10)
        yield process
    finally:
        process.end()


class Far:
    """A wire behind a router, 10.77.0.2 and 10.66.0.1, that relays DHCP. Machines hang
    on it as on a network."""

    def __init__(self, network):
        self.network, self.taps = network, 0
        self.name = network.other(2)
        lab.run(*network.inside("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward",
                                where=self.name))
        self.ip("route", "add", "default", "via", network.address)
        self.ip("link", "add", "far", "type", "bridge", "forward_delay", "0")
        self.ip("address", "add", "10.66.0.1/24", "dev", "far")
        self.ip("link", "set", "far", "up")
        network.ip("route", "add", "10.66.0.0/24", "via", "10.77.0.2")

    def ip(self, *arguments):
        lab.run("ip", "-netns", self.name, *arguments)

    def inside(self, *command):
        return self.network.inside(*command, where=self.name)

    def tap(self):
        name = f"far{self.taps}"
        self.taps += 1
        self.ip("tuntap", "add", "dev", name, "mode", "tap")
        self.ip("link", "set", name, "master", "far", "up")
        return name


@contextlib.contextmanager
def relay(network):
    far = Far(network)
    process = lab.Process(far.inside("dhcrelay", "-4", "-d", "--no-pid", "-iu", "eth0",
                                     "-id", "far", network.address))
    try:
        lab.wait_for([process], process, "Sending on +Socket", 10)
        yield far
    finally:
        process.end()


@contextlib.contextmanager
def own(network):
    yield network


@contextlib.contextmanager
def shared(network):
    with foreign_dhcp(network):
        yield network


WIRES = {"server": own, "proxy": shared, "relay": relay}
