"""A read that waits for a disk holds up nobody but who asked for it."""
import os
import random
import signal
import socket
import subprocess
import threading

import pytest

import lab
from conftest import SERVER, inside
from slow_disk import SlowBlocks, SlowDisk, is_possible
from test_transfers import Tftp

pytestmark = pytest.mark.skipif(not is_possible(), reason="needs root and /dev/fuse")

SLOW = random.Random(1).randbytes(5 << 20)
FAST = random.Random(2).randbytes(3 << 20)
SMALL = random.Random(3).randbytes(3000)
FILES = {"slow": SLOW, "fast": FAST, "small": SMALL}


@pytest.fixture(params=["what the kernel knows", "what nobody knows"])
def disk(request, folder):
    """With a file system that says whether a read would wait, and one that does not."""
    if request.param == "what the kernel knows":
        made = SlowBlocks(folder, FILES)
    else:
        (folder / "slow").mkdir()
        made = SlowDisk(folder / "slow", FILES)
    with made:
        yield made


@pytest.fixture
def server(network, disk):
    # One worker: whoever is not held up is served beside who is.
    with lab.Server(network, "--root", disk.path,
                    config=SERVER + "workers: 1\nftp: {port: 21}\n"
                    "nfs: {mode: on}\n") as made:
        yield made


def web(client, path, *arguments, door="http"):
    """A request under way, whose end is read later."""
    return subprocess.Popen(["ip", "netns", "exec", client, "curl", "-sSk", "-m", "60",
                             *arguments, f"{door}://10.77.0.1/{path}"],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def result(process):
    out, err = process.communicate(timeout=90)
    assert process.returncode == 0, err
    return out


def mounted(client, path):
    return subprocess.Popen(["ip", "netns", "exec", client, "nfs-cat",
                             f"nfs://10.77.0.1//{path}"],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def in_background(work):
    results = []
    thread = threading.Thread(target=lambda: results.append(work()), daemon=True)
    thread.start()

    def join():
        thread.join(90)
        assert results, "it did not end"
        return results[0]
    return join


def fetch_the_rest(client):
    """By every door, while one file is not to be had."""
    assert Tftp(client, "fast", blksize=1400, windowsize=16).read() == FAST
    assert Tftp(client, "small", blksize=512).read() == SMALL
    assert result(web(client, "fast")) == FAST
    assert result(web(client, "small")) == SMALL
    assert result(web(client, "fast", door="https")) == FAST
    assert result(web(client, "fast", door="ftp")) == FAST
    assert result(mounted(client, "fast")) == FAST


def begin_slow(client, door, windowsize=8):
    """Asks for the slow file; the answer's reader."""
    if door == "nfs":
        return lambda process=mounted(client, "slow"): result(process)
    if door != "tftp":
        return lambda process=web(client, "slow", door=door): result(process)
    return in_background(
        lambda: Tftp(client, "slow", blksize=1400, windowsize=windowsize).read())


@pytest.mark.parametrize("door", ["tftp", "http", "https", "ftp", "nfs"])
def test_who_waits_for_a_disk_waits_alone(network, client, disk, server, door):
    disk.hold("slow")
    slow = begin_slow(client, door)
    disk.wait_for_parked()
    fetch_the_rest(client)
    disk.let_go()
    assert slow() == SLOW


def test_many_wait_for_one_disk(network, client, disk, server):
    """More than there are helpers, and one read does for all."""
    disk.hold("slow")
    slow = [begin_slow(client, "http") for _ in range(30)]
    disk.wait_for_parked()
    fetch_the_rest(client)
    disk.let_go()
    assert all(one() == SLOW for one in slow)


@pytest.mark.parametrize("door", ["tftp", "http"])
def test_a_disk_that_fails_ends_the_transfer_and_says_so(network, client, disk, server,
                                                         door):
    disk.hold("slow")
    if door == "tftp":
        slow = in_background(lambda: pytest.raises(
            AssertionError, Tftp(client, "slow", blksize=1400, tsize=0).read))
    else:
        process = web(client, "slow")
    disk.wait_for_parked()
    disk.fail("slow")
    if door == "tftp":
        assert "the file could not be read" in str(slow().value)
    else:
        process.communicate(timeout=60)
        assert process.returncode != 0
    server.wait_for(rf"{door} slow: ended after .*: the file could not be read")


def test_who_goes_away_from_a_disk_that_waits_is_forgotten(network, client, disk,
                                                           server):
    disk.hold("slow")
    with inside(client):
        gone = socket.create_connection(("10.77.0.1", 80), 5)
        gone.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
    reader = Tftp(client, "slow", blksize=1400, tsize=0)
    disk.wait_for_parked()
    gone.close()
    reader.sock.sendto(b"\0\5\0\0enough\0", reader.peer)
    server.wait_for("tftp slow: ended after .*enough")
    disk.let_go()
    fetch_the_rest(client)


class Silent(Tftp):
    """Takes the OACK, and says nothing."""

    def ack(self):
        pass


def test_an_error_close_behind_an_ack_is_heard_while_the_disk_is_waited_for(
        network, client, disk, server):
    disk.hold("slow")
    reader = Silent(client, "slow", blksize=1400)
    for pid in server.roles()["files"]:
        os.kill(pid, signal.SIGSTOP)  # both are there when it looks
    reader.sock.sendto(b"\0\4\0\0", reader.peer)
    reader.sock.sendto(b"\0\5\0\0enough\0", reader.peer)
    for pid in server.roles()["files"]:
        os.kill(pid, signal.SIGCONT)
    server.wait_for("tftp slow: ended after .*enough")
    disk.let_go()


def test_text_is_made_of_a_file_that_has_to_be_waited_for(network, client, disk, server):
    disk.hold("slow")
    text = in_background(lambda: Text(client, "slow").read())
    disk.wait_for_parked()
    fetch_the_rest(client)
    disk.let_go()
    assert text() == SLOW.replace(b"\r", b"\r\0").replace(b"\n", b"\r\n")


class Text(Tftp):
    """In netascii."""

    def __init__(self, client, path):
        super().__init__(client, path, mode="netascii", blksize=1400, windowsize=16)

    def open(self, client):
        sock = super().open(client)
        sock.settimeout(80)  # all the rest is fetched meanwhile
        return sock


def test_the_server_ends_while_a_disk_does_not_answer(network, client, disk, server):
    disk.hold("slow")
    process = web(client, "slow")
    disk.wait_for_parked()
    pid = server.roles()["files"][0]
    os.kill(server.pid, signal.SIGTERM)
    # A thread inside the kernel keeps the process until its read ends.
    disk.let_go()
    process.communicate(timeout=60)
    assert lab.has_ended(pid, 20)
    assert lab.has_ended(server.pid, 20)
