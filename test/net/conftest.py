"""Real clients against the real server, on a wire of its own."""
import ctypes
import contextlib
import pathlib
import socket
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lab"))
import lab  # noqa: E402
from fixtures import folder, network  # noqa: E402, F401

SERVER = """
dhcp:
  mode: server
  subnets:
    - subnet: 10.77.0.0/24
      pools: [10.77.0.20-10.77.0.22]
      options: {routers: [10.77.0.1], domain-name-servers: [10.77.0.1]}
"""

RELAYED = """
dhcp:
  mode: server
  subnets:
    - {subnet: 10.77.0.0/24}
    - {subnet: 10.66.0.0/24, pools: [10.66.0.20-10.66.0.30]}
"""

libc = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def inside(namespace):
    """Sockets opened in here belong to that namespace for good."""
    with open("/proc/self/ns/net") as own, open(f"/run/netns/{namespace}") as other:
        assert libc.setns(other.fileno(), 0) == 0
        try:
            yield
        finally:
            assert libc.setns(own.fileno(), 0) == 0


def udp_socket(namespace, port=0, address=""):
    with inside(namespace):
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
        made.bind((address, port))
    made.settimeout(5)
    return made


@pytest.fixture
def client(network):
    """A machine with an address, 10.77.0.2."""
    return network.other(2)


@pytest.fixture
def bare(network):
    """A machine without one."""
    return network.other(3, addressed=False)


@pytest.fixture
def relay(network):
    """A router at 10.77.0.2 with 10.66.0.1 and a machine at 10.66.0.20 behind it."""
    name = network.other(2)

    def ip(*arguments):
        lab.run("ip", "-netns", name, *arguments)

    ip("link", "add", "far", "type", "bridge")
    ip("address", "add", "10.66.0.1/24", "dev", "far")
    ip("address", "add", "10.66.0.20/32", "dev", "lo")
    ip("link", "set", "far", "up")
    network.ip("route", "add", "10.66.0.0/24", "via", "10.77.0.2")
    return name
