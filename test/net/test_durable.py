"""Whatever was acknowledged is on disk, killed when and how one likes."""
import json
import os
import select
import signal
import sqlite3
import struct
import time

import lab
from conftest import udp_socket

POOL = """
dhcp:
  mode: server
  probe: off
  subnets:
    - {subnet: 10.66.0.0/16, relays: 10.77.0.3, pools: [10.66.1.0-10.66.200.0], lease-time: 1h}
"""
RELAY = "10.77.0.3"
CLIENTS = 3000


def request(kind, number, *options):
    """What a relay passes on: giaddr set, in the fewest bytes that a server takes."""
    mac = struct.pack("!HI", 0x0200, number)
    head = struct.pack("!BBBBIHH4s4s4s4s16s64s128sI", 1, 1, 6, 1, number, 0, 0, bytes(4),
                       bytes(4), bytes(4), bytes(map(int, RELAY.split("."))), mac, b"",
                       b"", 0x63825363)
    return (head + bytes([53, 1, kind]) + b"".join(options) + b"\xff").ljust(300, b"\0")


def option(answer, code):
    at = 240
    while at < len(answer) and answer[at] != 255:
        if answer[at] == code:
            return answer[at + 2:at + 2 + answer[at + 1]]
        at += 1 if answer[at] == 0 else 2 + answer[at + 1]
    return None


class Crowd:
    """Clients behind a relay, some of them at a time; who was told what."""

    def __init__(self, sock):
        self.sock = sock
        self.held = {}  # address: number
        self.next = 0

    def begin(self):
        self.sock.sendto(request(1, self.next % CLIENTS), ("10.77.0.1", 67))
        self.next += 1

    def hear(self):
        answer = self.sock.recv(2048)
        number = struct.unpack("!I", answer[4:8])[0]
        address, kind = answer[16:20], option(answer, 53)
        if kind == b"\2":
            self.sock.sendto(request(3, number, b"\x32\4" + address,
                                     b"\x36\4" + option(answer, 54)), ("10.77.0.1", 67))
        elif kind == b"\5":
            assert self.held.setdefault(address, number) == number
            self.begin()

    def run(self, seconds):
        for _ in range(64):
            self.begin()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([self.sock], [], [], 0.05)[0]:
                self.hear()

    def hear_the_rest(self):
        while select.select([self.sock], [], [], 0.2)[0]:
            self.hear()


def leases(server):
    return {lease["address"]: lease for lease in json.loads(
        server.query("leases", "--json"))}


def assert_all_there(crowd, known):
    macs = [lease["mac"] for lease in known.values() if lease["state"] == "bound"]
    assert len(macs) == len(set(macs)), "a client has two addresses, or two have one"
    for address, number in crowd.held.items():
        lease = known[".".join(map(str, address))]
        mac = bytes.fromhex(lease["mac"].replace(":", ""))
        assert lease["state"] == "bound" and mac == struct.pack("!HI", 0x0200, number)


def test_every_lease_acknowledged_before_a_kill_is_there_after_it(network, bare, folder):
    """The whole program, again and again, in the middle of a crowd."""
    lab.run("ip", "-n", bare, "addr", "add", RELAY + "/24", "dev", "eth0")
    sock = udp_socket(bare, 67, RELAY)
    crowd = Crowd(sock)
    for seconds in (0.3, 0.7, 0.2, 0.5, 0.4):
        with lab.Server(network, config=POOL, state=folder / "state") as server:
            assert_all_there(crowd, leases(server) if crowd.held else {})
            crowd.run(seconds)
            pids = [server.pid, *sum(server.roles().values(), [])]
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
            assert all(lab.has_ended(pid, 10) for pid in pids)
            crowd.hear_the_rest()
    assert len(crowd.held) > 100
    with lab.Server(network, config=POOL, state=folder / "state") as server:
        assert_all_there(crowd, leases(server))
    base = sqlite3.connect(folder / "state/state.db")
    assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    base.close()
