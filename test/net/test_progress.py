"""What a transfer of more than a MiB tells about itself on its way: how much of how much
at which rate, at most four times a second."""
import json
import random
import subprocess
from datetime import datetime

import pytest

import lab
from conftest import SERVER
from test_transfers import Tftp

SIZE, BIG = 5 << 20, 48 << 20  # what sockets hold is told as sent at once


@pytest.fixture
def root(folder):
    made = folder / "root"
    made.mkdir()
    (made / "kernel").write_bytes(random.Random(1).randbytes(SIZE))
    (made / "big").write_bytes(bytes(BIG))
    (made / "small").write_bytes(bytes((1 << 20) - 1))
    return made


@pytest.fixture
def server(network, root):
    with lab.Server(network, "--root", root, config=SERVER + "tftp: {rate: off}\n") as made:
        yield made


def slowly(network, client, door, path):
    subprocess.run(network.inside("curl", "-sSfk", "--limit-rate", "12M", "-o", "/dev/null",
                                  f"{door}://10.77.0.1/{path}", where=client), check=True)


def events(server, kind, door):
    lines = server.query("events", "-a", "-n", "1000", "--json").splitlines()
    return [event for event in map(json.loads, lines)
            if event["event"] == kind and event["door"] == door]


def check(server, door, name, size):
    """Those of one transfer, with what began and ended it."""
    server.wait_for(rf"{door} {name}: sent ")
    (begun,), (done,) = events(server, "file-started", door), events(server, "file-done",
                                                                     door)
    told = events(server, "file-progress", door)
    assert len(told) >= 2, told
    at = [datetime.fromisoformat(event["time"].replace("Z", "+00:00")).timestamp()
          for event in told]
    assert all(later - sooner >= 0.249 for sooner, later in zip(at, at[1:])), at
    sent = [event["sent"] for event in told]
    assert sent == sorted(set(sent)) and 0 < sent[0] and sent[-1] <= size
    for event in told:
        assert event["size"] == size and event["file"] == name
        assert event["address"] == "10.77.0.2" and event["rate"] > 0
    assert begun["size"] == size and done["sent"] == size and done["rate"] > 0


@pytest.mark.parametrize("door", ["http", "https"])
def test_by_http(network, client, server, door):
    slowly(network, client, door, "big")
    check(server, door, "big", BIG)
    slowly(network, client, door, "small")
    assert {event["file"] for event in events(server, "file-progress", door)} == {"big"}


def test_by_tftp(network, client, server):
    """A block at a time: that takes its time."""
    Tftp(client, "kernel", blksize=512).read()
    check(server, "tftp", "kernel", SIZE)
    Tftp(client, "small", blksize=512).read()
    assert {event["file"] for event in events(server, "file-progress", "tftp")} == {
        "kernel"}
