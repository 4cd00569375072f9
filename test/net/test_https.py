"""HTTPS: the same files through TLS, with a certificate of ours or one that is given."""
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import threading

import pytest

import lab
from conftest import inside

PROXY = "dhcp: {mode: off}\n"


@pytest.fixture
def root(folder):
    made = folder / "root"
    made.mkdir()
    (made / "hello.txt").write_text("hello, machine\n")
    (made / "big").write_bytes(os.urandom(9_000_001))
    return made


def curl(network, client, *arguments):
    return subprocess.run(network.inside("curl", "-s", "-m", "20", *arguments, where=client),
                          capture_output=True)


def authority(network, client, folder):
    path = folder / "ca.pem"
    got = curl(network, client, "-o", path, "http://10.77.0.1/bootjack-ca.pem")
    assert got.returncode == 0
    assert b"BEGIN CERTIFICATE" in path.read_bytes()
    return path


def openssl(*arguments, **options):
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True,
                          text=True, **options)


def own_pair(folder, name, address="10.77.0.1"):
    """A certificate that signs itself, as people make them."""
    pem, key = folder / f"{name}.pem", folder / f"{name}.key"
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj",
            f"/CN={name}", "-addext", f"subjectAltName=IP:{address}", "-keyout", key, "-out", pem)
    key.chmod(0o644)
    return pem, key


def talk(network, client, ca, **options):
    """A connection through TLS from the client's side of the wire."""
    context = ssl.create_default_context(cafile=ca)
    for name, value in options.items():
        setattr(context, name, value)
    with inside(client):
        plain = socket.create_connection(("10.77.0.1", 443), timeout=20)
    return context.wrap_socket(plain, server_hostname="10.77.0.1")


def issued_to(stream):
    return dict(pair[0] for pair in stream.getpeercert()["subject"])["commonName"]


def reload(server):
    os.kill(server.pid, signal.SIGHUP)


def test_files_pass_through_tls_with_a_certificate_made_at_the_start(network, client, root,
                                                                     folder):
    with lab.Server(network, "--root", root, config=PROXY) as server:
        ca = authority(network, client, folder)
        url = "https://10.77.0.1/"
        data = (root / "big").read_bytes()
        got = curl(network, client, "--cacert", ca, url + "hello.txt", url + "big")
        assert got.returncode == 0
        assert got.stdout == b"hello, machine\n" + data
        part = curl(network, client, "--cacert", ca, "-r", "5000-2000000", url + "big")
        assert part.stdout == data[5000:2000001]
        page = curl(network, client, "--cacert", ca, url)
        assert b"hello.txt" in page.stdout
        assert curl(network, client, url + "hello.txt").returncode == 60  # not trusted
        server.wait_for(r"https : the client does not trust our certificate")
        events = [json.loads(line) for line in
                  server.query("events", "--json").splitlines()]
        assert any(e["event"] == "file-done" and e["door"] == "https" and e["file"] == "big"
                   for e in events)
        assert json.loads(server.query("status", "--json"))["ports"]["https"] == 443


def test_firmware_gets_the_authority_in_its_own_form(network, client, root, folder):
    with lab.Server(network, "--root", root, config=PROXY):
        pem = authority(network, client, folder)
        der = folder / "ca.cer"
        got = curl(network, client, "-o", der, "-w", "%{content_type}",
                   "http://10.77.0.1/bootjack-ca.cer")
        assert got.stdout == b"application/pkix-cert"
        assert (openssl("x509", "-in", der, "-inform", "DER").stdout == pem.read_text())
        text = openssl("x509", "-in", pem, "-noout", "-text").stdout
        assert "CA:TRUE" in text and "Certificate Sign" in text
        # Nothing else of that folder is in the tree, and no key is anywhere.
        for name in ("ca-key.pem", "server-key.pem", "tls/ca-key.pem", "server.pem"):
            got = curl(network, client, "-o", "/dev/null", "-w", "%{http_code}",
                       f"http://10.77.0.1/{name}")
            assert got.stdout == b"404"


def test_keys_are_for_their_owner_alone(network, client, root, folder):
    with lab.Server(network, "--root", root, config=PROXY) as server:
        for name in ("ca-key.pem", "server-key.pem"):
            assert (server.state / "tls" / name).stat().st_mode & 0o777 == 0o600
        assert (server.state / "tls").stat().st_mode & 0o777 == 0o700


def test_the_authority_survives_a_restart_and_a_new_address(network, client, root, folder):
    state = folder / "state"
    with lab.Server(network, "--root", root, config=PROXY, state=state):
        first = authority(network, client, folder).read_bytes()
        ca = folder / "ca.pem"
        with talk(network, client, ca) as stream:
            before = stream.getpeercert()["serialNumber"]
    with lab.Server(network, "--root", root, config=PROXY, state=state) as server:
        assert authority(network, client, folder).read_bytes() == first
        with talk(network, client, ca) as stream:
            assert stream.getpeercert()["serialNumber"] == before
        network.ip("address", "add", "10.77.0.9/24", "dev", "br0")
        server.wait_for(r"a certificate for 10\.77\.0\.1, 10\.77\.0\.9")
        server.wait_for(r"is up at 10\.77\.0\.9")
        got = curl(network, client, "--cacert", ca, "https://10.77.0.9/hello.txt")
        assert got.stdout == b"hello, machine\n"


def test_a_given_certificate_is_used_and_a_reload_swaps_it(network, client, root, folder):
    pem, key = own_pair(folder, "first")
    conf = PROXY + f"https: {{certificate: {pem}, key: {key}}}\n"
    with lab.Server(network, "--root", root, config=conf) as server:
        assert not (server.state / "tls").exists()
        first = folder / "first-copy.pem"
        shutil.copy(pem, first)
        held = talk(network, client, first)
        assert issued_to(held) == "first"
        held.sendall(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
        head = held.recv(100)
        second, second_key = own_pair(folder, "second")
        shutil.copy(second, pem)
        shutil.copy(second_key, key)
        reload(server)
        server.wait_for(r"a certificate for 10\.77\.0\.1, by CN = second")
        server.wait_for(r"configuration reloaded")
        with talk(network, client, second) as stream:
            assert issued_to(stream) == "second"
        # The transfer that was under way goes on to its end, on its connection.
        got = head
        while got.count(b"\r\n\r\n") == 0 or len(got.split(b"\r\n\r\n", 1)[1]) < 9_000_001:
            more = held.recv(1 << 20)
            assert more
            got += more
        assert got.split(b"\r\n\r\n", 1)[1] == (root / "big").read_bytes()
        held.sendall(b"GET /hello.txt HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"hello, machine" in held.recv(4096)
        held.close()


def test_a_wrong_pair_is_refused_and_what_there_is_goes_on(network, client, root, folder):
    pem, key = own_pair(folder, "good")
    _, foreign = own_pair(folder, "foreign")
    conf = PROXY + f"https: {{certificate: {pem}, key: {key}}}\n"
    ca = folder / "copy.pem"
    shutil.copy(pem, ca)
    with lab.Server(network, "--root", root, config=conf) as server:
        shutil.copy(foreign, key)
        reload(server)
        server.wait_for(r"the key does not belong to the certificate")
        server.wait_for(r"reload refused")
        key.write_text("nonsense\n")
        reload(server)
        server.wait_for(r"the key is not in PEM form")
        key.unlink()
        reload(server)
        server.wait_for(rf"cannot read {key}: No such file")
        with talk(network, client, ca) as stream:
            assert issued_to(stream) == "good"


def test_a_key_that_only_root_may_read_is_kept_at_a_reload(network, client, root, folder):
    pem, key = own_pair(folder, "kept")
    key.chmod(0o600)
    conf = PROXY + f"https: {{certificate: {pem}, key: {key}}}\n"
    ca = folder / "copy.pem"
    shutil.copy(pem, ca)
    with lab.Server(network, "--root", root, config=conf) as server:
        reload(server)
        server.wait_for(rf"goes on with the certificate it has: .* may not read {key}")
        server.wait_for(r"configuration reloaded")
        with talk(network, client, ca) as stream:
            assert issued_to(stream) == "kept"


def test_a_start_with_a_wrong_certificate_says_why(network, root, folder):
    pem, _ = own_pair(folder, "good")
    conf = folder / "c.yaml"
    for written, why in ((f"https: {{certificate: {folder}/none.pem}}", "cannot read .*none.pem"),
                         (f"https: {{certificate: {pem}}}", "the key is not in PEM form")):
        conf.write_text(PROXY + written + "\n")
        got = subprocess.run(network.inside(lab.program(), "serve", "--interface", "br0",
                                            "--state", folder / "s", "-c", conf),
                             capture_output=True, text=True, timeout=30)
        assert got.returncode == 1
        assert re.search(why, got.stderr), got.stderr


def test_chain_and_key_may_be_one_file(network, client, root, folder):
    pem, key = own_pair(folder, "joined")
    both = folder / "both.pem"
    both.write_bytes(key.read_bytes() + pem.read_bytes())
    both.chmod(0o644)
    with lab.Server(network, "--root", root,
                    config=PROXY + f"https: {{certificate: {both}}}\n"):
        with talk(network, client, pem) as stream:
            assert issued_to(stream) == "joined"


def test_only_modern_versions_and_ciphers_are_spoken(network, client, root, folder):
    with lab.Server(network, "--root", root, config=PROXY) as server:
        ca = authority(network, client, folder)

        def handshake(*arguments):
            got = subprocess.run(network.inside(
                "openssl", "s_client", "-connect", "10.77.0.1:443", "-CAfile", ca, *arguments,
                where=client), capture_output=True, text=True, input="", timeout=20)
            found = re.search(r"Cipher is (\S+)", got.stdout)
            return found[1] if found else "(NONE)"

        assert handshake("-tls1_3") == "TLS_AES_128_GCM_SHA256"
        assert handshake("-tls1_2").startswith("ECDHE-RSA-AES128-GCM")
        assert handshake("-tls1_2", "-cipher", "AES128-SHA256") == "AES128-SHA256"
        for weak in (("-tls1_1", "-cipher", "ALL:@SECLEVEL=0"), ("-tls1", "-cipher", "ALL:@SECLEVEL=0"),
                     ("-tls1_2", "-cipher", "NULL:aNULL:@SECLEVEL=0")):
            assert handshake(*weak) == "(NONE)"
        server.wait_for(r"https : the client speaks no TLS 1\.2")


def test_a_session_is_resumed_with_any_worker(network, client, root, folder):
    with lab.Server(network, "--root", root, config=PROXY):
        ca = authority(network, client, folder)
        context = ssl.create_default_context(cafile=ca)
        context.maximum_version = ssl.TLSVersion.TLSv1_2

        def connect(session=None):
            with inside(client):
                plain = socket.create_connection(("10.77.0.1", 443), timeout=20)
            stream = context.wrap_socket(plain, server_hostname="10.77.0.1", session=session)
            stream.sendall(b"GET /hello.txt HTTP/1.0\r\n\r\n")
            while stream.recv(4096):
                pass
            return stream

        with connect() as first:
            for _ in range(12):  # the kernel spreads connections over the workers
                with connect(first.session) as again:
                    assert again.session_reused


def test_plain_http_and_noise_on_the_port_are_named(network, client, root, folder):
    with lab.Server(network, "--root", root, config=PROXY) as server:
        assert curl(network, client, "http://10.77.0.1:443/hello.txt").returncode != 0
        server.wait_for(r"https : plain HTTP came to the HTTPS port")
        ca = authority(network, client, folder)
        for noise in (b"", b"\x16", b"\x16\x03\x01\xff\xff" + b"\0" * 5000, b"\0" * 70000):
            with inside(client), contextlib.suppress(OSError):
                plain = socket.create_connection(("10.77.0.1", 443), timeout=20)
                plain.sendall(noise)
                plain.close()
        got = curl(network, client, "--cacert", ca, "https://10.77.0.1/hello.txt")
        assert got.stdout == b"hello, machine\n"


def test_a_client_that_reads_slowly_gets_every_byte_while_others_go_on(network, client, root,
                                                                       folder):
    data = (root / "big").read_bytes()
    with lab.Server(network, "--root", root, config=PROXY):
        ca = authority(network, client, folder)
        with talk(network, client, ca) as slow:
            slow.sendall(b"GET /big HTTP/1.0\r\n\r\n")
            got = slow.recv(1)
            results = []
            others = [threading.Thread(target=lambda: results.append(
                curl(network, client, "--cacert", ca, "https://10.77.0.1/big").stdout == data))
                for _ in range(4)]
            for other in others:
                other.start()
            for other in others:
                other.join()
            assert results == [True] * 4
            while more := slow.recv(65536):
                got += more
            assert got.split(b"\r\n\r\n", 1)[1] == data


def test_https_can_be_off(network, client, root, folder):
    with lab.Server(network, "--root", root, config=PROXY + "https: {port: off}\n") as server:
        assert not (server.state / "tls").exists()
        assert curl(network, client, "-k", "https://10.77.0.1/hello.txt").returncode == 7
        assert curl(network, client, "http://10.77.0.1/hello.txt").stdout == b"hello, machine\n"
        assert "443" not in server.query("status")
