"""A medium goes, or another takes its place, while it is read."""
import contextlib
import ftplib
import os
import random
import socket

import pytest

import lab
import nfs
from conftest import SERVER, inside
from test_life import wait_for_new
from test_transfers import Tftp

SIZE = 12 << 20  # more than sockets hold


@pytest.fixture
def media(folder):
    made = folder / "media"
    made.mkdir()
    make(made / "one.iso", folder / "tree", 1)
    return made


def make(path, tree, seed):
    tree.mkdir(exist_ok=True)
    (tree / "kernel").write_bytes(random.Random(seed).randbytes(SIZE))
    lab.make_iso(path, tree, "ONE")


@pytest.fixture
def server(network, media):
    with lab.Server(network, "--media", media, config=SERVER) as made:
        made.wait_for("medium one: ")
        yield made


def begin_by_http(client, path):
    with inside(client):
        web = socket.create_connection(("10.77.0.1", 80), 10)
    web.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    return web, web.recv(1000)


def rest_of(web, got):
    web.settimeout(20)
    while piece := web.recv(1 << 20):
        got += piece
    return got.split(b"\r\n\r\n", 1)[1]


def remove(media, folder):
    (media / "one.iso").unlink()


def replace(media, folder):
    make(folder / "other.iso", folder / "tree", 2)
    (folder / "other.iso").rename(media / "one.iso")


@pytest.mark.parametrize("change", [remove, replace])
def test_transfers_from_a_medium_end_with_it(network, client, folder, media, server,
                                             change):
    whole = random.Random(1).randbytes(SIZE)
    web, got = begin_by_http(client, "/media/one/kernel")
    raw, got_raw = begin_by_http(client, "/iso/one.iso")
    reader = Tftp(client, "media/one/kernel", blksize=1000, tsize=0)
    reader.window_read()
    change(media, folder)
    server.wait_for("medium one has gone" if change is remove else
                    r"(?s)medium one: .*medium one")
    with pytest.raises(AssertionError, match="medium was removed or replaced"):
        reader.read()
    assert whole.startswith(reader.data)
    got = rest_of(web, got)
    assert len(got) < SIZE and whole.startswith(got)
    assert len(rest_of(raw, got_raw)) < SIZE
    for door, path in (("tftp", "media/one/kernel"), ("http", "media/one/kernel"),
                       ("http", "iso/one.iso")):
        server.wait_for(rf"{door} {path}: ended after .*: its medium was removed or")


def test_transfers_outlive_the_library(network, client, folder, media, server):
    """Who reads images may crash over one; what is served is served on."""
    whole = random.Random(1).randbytes(SIZE)
    web, got = begin_by_http(client, "/media/one/kernel")
    reader = Tftp(client, "media/one/kernel", blksize=1400, windowsize=16)
    reader.window_read()
    before = server.roles()
    server.kill(before["library"][0])
    wait_for_new(server, "library", before["library"])
    server.wait_for(r"(?s)medium one: .*medium one: ")
    assert reader.read() == whole
    assert rest_of(web, got) == whole


def test_media_remove_ends_what_every_door_sends(network, client, folder, media):
    """The command says so, and each door in its own words; a file of before is never mixed."""
    whole = random.Random(1).randbytes(SIZE)
    config = SERVER + "ftp: {port: 21}\nnfs: {mode: on}\n"
    with lab.Server(network, "--media", media, config=config) as server:
        server.wait_for("medium one: ")
        web, got = begin_by_http(client, "/media/one/kernel")
        reader = Tftp(client, "media/one/kernel", blksize=1000, tsize=0)
        reader.window_read()
        with inside(client):
            ftp = ftplib.FTP()
            ftp.connect("10.77.0.1", 21, timeout=20)
            ftp.login()
            ftp.voidcmd("TYPE I")
            data = ftp.transfercmd("RETR media/one/kernel")
        got_ftp = data.recv(1000)
        mounted = nfs.Client(client)
        kernel = mounted.walk("kernel", "/media/one")
        assert mounted.read(kernel, 0, 1000)[0] == whole[:1000]

        said = lab.run(lab.program(), "media", "remove", "--media", media, "--yes", "one").stdout
        assert said == (f"Removed {media}/one.iso.\nWhat machines were fetching from it ends "
                        "with an error.\n")
        server.wait_for("medium one has gone")
        with pytest.raises(AssertionError, match="medium was removed or replaced"):
            reader.read()
        got = rest_of(web, got)
        assert len(got) < SIZE and whole.startswith(got)
        data.settimeout(20)
        with contextlib.suppress(ConnectionResetError):  # nobody takes that for the end
            while piece := data.recv(1 << 20):
                got_ftp += piece
        assert len(got_ftp) < SIZE and whole.startswith(got_ftp)
        with pytest.raises(ftplib.error_temp, match="451 The file could not be read to its end"):
            ftp.voidresp()
        with pytest.raises(nfs.Status) as status:
            mounted.read(kernel, 1000, 1000)
        assert status.value.args[0] == nfs.STALE
        mounted.close()
        ftp.close()
