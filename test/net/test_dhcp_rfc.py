"""What no client does on purpose, clause by clause: messages built byte by byte."""
import json
import socket
import struct

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

import lab
from conftest import inside, udp_socket
from test_dhcp import PXE_BIOS, UUID, leases
from test_same_host import dnsmasq

MAC = bytes.fromhex("525400aabbcc")
COOKIE = bytes.fromhex("63825363")
DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM = range(1, 9)
BROADCAST = 0x8000
EVERYTHING = bytes([1, 3, 6, 15, 26, 42, 119, 121, 224, 225, 226, 227])

START = """
dhcp:
  mode: server
  probe: off
"""

PLAIN = START + """
  subnets:
    - {subnet: 10.77.0.0/24, pools: [10.77.0.20-10.77.0.22], options: {routers: 10.77.0.1}}
"""


def mac_of(network, name):
    text = lab.run(*network.inside("cat", "/sys/class/net/eth0/address",
                                   where=name)).stdout
    return bytes.fromhex(text.strip().replace(":", ""))


def four(address):
    return socket.inet_aton(address)


def option(code, value):
    return bytes([code, len(value)]) + value


def message(kind, *options, mac=MAC, xid=1, secs=0, flags=BROADCAST, ciaddr="0.0.0.0",
            giaddr="0.0.0.0", hops=0, sname=b"", file=b""):
    """Options are (code, bytes); `kind` None is a BOOTP client's request."""
    head = struct.pack("!4BIHH4s4s4s4s16s64s128s", 1, 1, 6, hops, xid, secs, flags,
                       four(ciaddr), four("0.0.0.0"), four("0.0.0.0"), four(giaddr),
                       mac, sname, file)
    if kind is None:
        return (head + COOKIE + b"\xff").ljust(300, b"\0")
    return head + COOKIE + option(53, bytes([kind])) + b"".join(
        option(code, value) for code, value in options) + b"\xff"


class Answer:
    """A reply: its head, and its options joined over their pieces and fields."""

    def __init__(self, data):
        (self.op, _, _, self.hops, self.xid, self.secs, self.flags, ciaddr, yiaddr,
         siaddr, giaddr, self.chaddr, self.sname, self.file,
         cookie) = struct.unpack("!4BIHH4s4s4s4s16s64s128s4s", data[:240])
        assert self.op == 2 and cookie == COOKIE
        self.n = len(data)
        self.ciaddr, self.yiaddr, self.siaddr, self.giaddr = map(
            socket.inet_ntoa, (ciaddr, yiaddr, siaddr, giaddr))
        self.options, self.codes = {}, []
        self.read(data[240:])
        overload = self.options.get(52, b"\0")[0]
        if overload & 1:
            self.read(self.file)
        if overload & 2:
            self.read(self.sname)

    def read(self, data):
        while data[0] != 255:
            if data[0] == 0:
                data = data[1:]
                continue
            code, value = data[0], data[2:2 + data[1]]
            self.codes.append(code)
            self.options[code] = self.options.get(code, b"") + value
            data = data[2 + data[1]:]

    @property
    def kind(self):
        return self.options[53][0] if 53 in self.options else None

    @property
    def server(self):
        return socket.inet_ntoa(self.options[54])


def say(sock, packet, to="255.255.255.255", port=67):
    sock.sendto(packet, (to, port))


def ask(sock, packet, to="255.255.255.255", port=67):
    """The answer to this very message: what comes for others is passed over."""
    say(sock, packet, to, port)
    while True:
        answer = Answer(sock.recv(4096))
        if answer.xid == struct.unpack("!I", packet[4:8])[0]:
            return answer


def take(sock, *options, **fields):
    """DISCOVER to ACK."""
    offer = ask(sock, message(DISCOVER, *options, **fields))
    assert offer.kind == OFFER
    ack = ask(sock, message(REQUEST, (54, offer.options[54]), (50, four(offer.yiaddr)),
                            *options, **fields))
    assert ack.kind == ACK and ack.yiaddr == offer.yiaddr
    return ack


def machine(i):
    return bytes([2, 0, 0, 0, 0, i])


# ---- by which way an answer comes (RFC 2131 4.1) ----

class Wire:
    """Frames of one machine's card, as they are."""

    def __init__(self, name):
        with inside(name):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                        socket.htons(0x0800))
        self.socket.bind(("eth0", 0x0800))
        self.socket.settimeout(5)

    def say(self, mac, data):
        self.socket.send(bytes(
            Ether(src=mac, dst="ff:ff:ff:ff:ff:ff") /
            IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67) / data))

    def hear(self):
        """The next frame from a DHCP server."""
        while True:
            data, where = self.socket.recvfrom(4096)
            frame = Ether(data)
            if where[2] != socket.PACKET_OUTGOING and UDP in frame and \
                    frame[UDP].sport == 67:
                return frame


@pytest.mark.parametrize("flags", [0, BROADCAST], ids=["unicast", "broadcast"])
def test_a_client_without_an_address_is_answered_as_its_flag_says(network, bare, flags):
    mac = mac_of(network, bare)
    wire = Wire(bare)
    with lab.Server(network, config=PLAIN):
        wire.say(mac.hex(":"), message(DISCOVER, mac=mac, flags=flags))
        offer = wire.hear()
        wire.say(mac.hex(":"), message(REQUEST, (54, four("10.77.0.1")),
                                       (50, four("10.77.0.20")), mac=mac, flags=flags))
        ack = wire.hear()
    for frame, kind in ((offer, OFFER), (ack, ACK)):
        assert frame.dst == ("ff:ff:ff:ff:ff:ff" if flags else mac.hex(":"))
        assert frame[IP].dst == ("255.255.255.255" if flags else "10.77.0.20")
        assert frame[IP].src == "10.77.0.1" and frame[UDP].dport == 68
        data = bytes(frame[UDP].payload)[:frame[UDP].len - 8]
        answer = Answer(data)
        assert answer.kind == kind and answer.flags == flags
        assert answer.yiaddr == "10.77.0.20" and answer.n >= 300


@pytest.mark.parametrize("flags", [0, BROADCAST], ids=["unicast", "broadcast"])
def test_a_refusal_is_always_broadcast(network, bare, flags):
    mac = mac_of(network, bare)
    wire = Wire(bare)
    with lab.Server(network, config=PLAIN):
        wire.say(mac.hex(":"), message(REQUEST, (50, four("192.0.2.1")), mac=mac,
                                       flags=flags))
        frame = wire.hear()
    assert frame.dst == "ff:ff:ff:ff:ff:ff" and frame[IP].dst == "255.255.255.255"
    nak = Answer(bytes(frame[UDP].payload))
    assert nak.kind == NAK and nak.n >= 300
    assert nak.yiaddr == nak.ciaddr == nak.siaddr == "0.0.0.0"
    assert set(nak.codes) == {53, 54, 56}


def test_who_renews_is_answered_at_its_address(network, client):
    """ciaddr is set: unicast, even where the broadcast flag is set as well."""
    mac = mac_of(network, client)
    config = PLAIN + f"  hosts: [{{mac: '{mac.hex(':')}', address: 10.77.0.2}}]\n"
    wire = Wire(client)
    with lab.Server(network, config=config):
        sock = udp_socket(client, 68)
        ack = ask(sock, message(REQUEST, mac=mac, ciaddr="10.77.0.2"), "10.77.0.1")
        assert ack.kind == ACK and ack.ciaddr == ack.yiaddr == "10.77.0.2"
        frame = wire.hear()
        assert frame.dst == mac.hex(":") and frame[IP].dst == "10.77.0.2"


def test_inform_is_answered_at_the_address_it_says(network, client):
    with lab.Server(network, config=PLAIN) as server:
        sock = udp_socket(client, 68, "10.77.0.2")
        ack = ask(sock, message(INFORM, (55, EVERYTHING), ciaddr="10.77.0.2", flags=0))
        assert ack.kind == ACK and ack.yiaddr == "0.0.0.0" and ack.ciaddr == "10.77.0.2"
        assert ack.options[3] == four("10.77.0.1")
        assert not {51, 58, 59} & set(ack.codes)
        assert leases(server) == []


# ---- how long a message may be (RFC 2131 3.5 and 4.1, RFC 2132 9.3 and 9.10) ----

LONG = START + f"""
  subnets:
    - subnet: 10.77.0.0/24
      pools: [10.77.0.20-10.77.0.22]
      options:
        routers: 10.77.0.1
        224: {{type: text, value: {'a' * 180}}}
        225: {{type: text, value: {'b' * 100}}}
        226: {{type: text, value: {'c' * 50}}}
        227: {{type: text, value: {'d' * 600}}}
"""

TEXTS = {224: b"a" * 180, 225: b"b" * 100, 226: b"c" * 50, 227: b"d" * 600}


@pytest.fixture
def long_options(network):
    with lab.Server(network, config=LONG) as server:
        yield server


def sized(size, wanted):
    options = [(55, bytes(wanted))]
    return message(DISCOVER, *options, *([(57, struct.pack("!H", size))] if size else []))


@pytest.mark.parametrize("size", [0, 1, 300, 576], ids=["unsaid", "1", "300", "576"])
def test_an_answer_is_as_long_as_its_client_can_take(bare, long_options, size):
    """What is less than every client must take is not believed; what fits nowhere is
    left out whole, the mask and the router never."""
    answer = ask(udp_socket(bare, 68), sized(size, [1, 3, 224, 225, 226]))
    assert 300 <= answer.n <= (max(size, 328) if size else 576) - 28
    assert answer.options[1] == four("255.255.255.0")
    assert answer.options[3] == four("10.77.0.1")
    for code in (224, 225, 226):
        assert answer.options.get(code, TEXTS[code]) == TEXTS[code]
    if size in (0, 576):
        assert answer.options[52] and {224, 225, 226} <= set(answer.options)


def test_who_takes_a_whole_frame_gets_all_without_overload(bare, long_options):
    answer = ask(udp_socket(bare, 68), sized(1500, [1, 3, 224, 225, 226, 227]))
    assert answer.n <= 1472 and 52 not in answer.options
    for code, text in TEXTS.items():
        assert answer.options[code] == text
    assert answer.codes.count(227) == 3  # RFC 3396: in pieces of 255


def test_a_size_that_no_frame_has_gets_no_longer_answer(bare, long_options):
    answer = ask(udp_socket(bare, 68), sized(65535, [1, 3, 224, 225, 226, 227]))
    assert answer.n <= 1472 and answer.options[227] == TEXTS[227]


def test_options_of_an_overloaded_request_are_read(network, bare):
    """RFC 2132 9.3: from `file`, then `sname`; RFC 3396: pieces are joined over these."""
    with lab.Server(network, config=PLAIN) as server:
        sock = udp_socket(bare, 68)
        packet = message(DISCOVER, (52, b"\x03"), (12, b"no"), (55, b"\x03"),
                         file=option(50, four("10.77.0.22")) + option(12, b"de") + b"\xff",
                         sname=option(12, b"-7") + option(61, b"\0seven") + b"\xff")
        offer = ask(sock, packet)
        assert offer.yiaddr == "10.77.0.22" and offer.options[61] == b"\0seven"
        ack = ask(sock, message(
            REQUEST, (52, b"\x03"), (54, four("10.77.0.1")), (12, b"no"),
            file=option(50, four("10.77.0.22")) + option(12, b"de") + b"\xff",
            sname=option(12, b"-7") + option(61, b"\0seven") + b"\xff"))
        assert ack.kind == ACK
        (lease,) = leases(server)
        assert lease["hostname"] == "node-7" and lease["address"] == "10.77.0.22"


# ---- who a client is, and how long it has its address ----

def test_one_card_with_two_identifiers_has_two_addresses(network, bare):
    """RFC 2131 4.2: the identifier is the client. RFC 6842: it goes back."""
    with lab.Server(network, config=PLAIN) as server:
        sock = udp_socket(bare, 68)
        first = take(sock, (61, b"\0one"))
        second = take(sock, (61, b"\xff\0\0\0\1\0\1two"), xid=2)
        assert first.yiaddr != second.yiaddr
        assert first.options[61] == b"\0one"
        assert second.options[61] == b"\xff\0\0\0\1\0\1two"
        assert 61 not in take(sock, xid=3).options
        assert len({lease["client_id"] for lease in leases(server)}) == 3


TIMES = PLAIN + """
  lease-time: 10m
  max-lease-time: 2h
  min-lease-time: 5m
  hosts: [{mac: "02:00:00:00:00:07", lease-time: infinite, max-lease-time: infinite}]
"""


@pytest.mark.parametrize("asked,seconds", [(None, 600), (60, 300), (1800, 1800),
                                           (86400, 7200), (0xffffffff, 7200)])
def test_a_lease_is_as_long_as_asked_within_limits(network, bare, asked, seconds):
    wish = [(51, struct.pack("!I", asked))] if asked is not None else []
    with lab.Server(network, config=TIMES):
        ack = take(udp_socket(bare, 68), *wish)
        lease, t1, t2 = (struct.unpack("!I", ack.options[code])[0]
                         for code in (51, 58, 59))
        assert lease == seconds and t1 == seconds // 2 and t2 == seconds - seconds // 8


def test_a_lease_may_be_for_ever(network, bare):
    with lab.Server(network, config=TIMES) as server:
        ack = take(udp_socket(bare, 68), mac=machine(7))
        assert ack.options[51] == b"\xff" * 4 and not {58, 59} & set(ack.codes)
        assert leases(server)[0]["state"] == "bound"


BOOTP = START + """
  subnets:
    - subnet: 10.77.0.0/24
      pools: [10.77.0.20-10.77.0.21, {range: 10.77.0.30-10.77.0.31, bootp: true}]
      options: {routers: 10.77.0.1}
  hosts: [{mac: "02:00:00:00:00:07", address: 10.77.0.7, filename: kiosk.0}]
"""


def test_bootp_clients_have_what_is_written_down_or_a_pool_of_theirs(network, bare):
    with lab.Server(network, config=BOOTP) as server:
        sock = udp_socket(bare, 68)
        fixed = ask(sock, message(None, mac=machine(7), xid=1))
        given = ask(sock, message(None, mac=machine(1), xid=2))
        assert fixed.yiaddr == "10.77.0.7" and given.yiaddr == "10.77.0.30"
        assert fixed.file.rstrip(b"\0") == b"kiosk.0"
        for answer in (fixed, given):
            assert answer.kind is None and 51 not in answer.options
            assert answer.options[1] == four("255.255.255.0") and answer.n == 300
        # Never given to anybody else, however short the rest is.
        others = {take(sock, mac=machine(i), xid=i).yiaddr for i in (10, 11, 12)}
        assert others == {"10.77.0.20", "10.77.0.21", "10.77.0.31"}
        ends = {lease["address"]: lease["ends"] for lease in leases(server)}
        assert ends["10.77.0.30"] == ends["10.77.0.7"] != ends["10.77.0.20"]


# ---- refusing and losing addresses ----

def test_a_declined_address_rests_and_another_is_offered(network, bare):
    with lab.Server(network, config=PLAIN) as server:
        sock = udp_socket(bare, 68)
        ack = take(sock)
        say(sock, message(DECLINE, (54, ack.options[54]), (50, four(ack.yiaddr))))
        server.wait_for(r"10\.77\.0\.20 declined: somebody else uses it; it rests for 60 min")
        assert leases(server)[0]["state"] == "declined"
        assert take(sock, xid=2).yiaddr == "10.77.0.21"
        # Nor does it come back to who asks for it.
        other = ask(sock, message(DISCOVER, (50, four("10.77.0.20")), mac=machine(1)))
        assert other.yiaddr == "10.77.0.22"
        states = {lease["address"]: lease["state"] for lease in leases(server)}
        assert states["10.77.0.20"] == "declined" and states["10.77.0.21"] == "bound"


def test_only_who_holds_an_address_declines_or_releases_it(network, bare):
    with lab.Server(network, config=PLAIN) as server:
        sock = udp_socket(bare, 68)
        ack = take(sock)
        held = four(ack.yiaddr)
        say(sock, message(DECLINE, (54, ack.options[54]), (50, held), mac=machine(1)))
        say(sock, message(RELEASE, (54, ack.options[54]), ciaddr=ack.yiaddr,
                          mac=machine(1)))
        say(sock, message(RELEASE, (54, four("10.77.0.99")), ciaddr=ack.yiaddr))
        server.wait_for("RELEASE not answered: it is for another server")
        assert leases(server)[0]["state"] == "bound"


def test_an_offer_that_another_server_s_is_preferred_to_is_free_again(network, bare,
                                                                      folder):
    other = network.other(5)
    with lab.Server(network, config=PLAIN) as server, \
            dnsmasq(network, folder, where=other, interface="eth0"):
        sock = udp_socket(bare, 68)
        say(sock, message(DISCOVER))
        found = {}
        while len(found) < 2:
            answer = Answer(sock.recv(4096))
            found[answer.server] = answer
        theirs = found["10.77.0.5"]
        assert found["10.77.0.1"].yiaddr == "10.77.0.20"
        ack = ask(sock, message(REQUEST, (54, four("10.77.0.5")),
                                (50, four(theirs.yiaddr))))
        assert ack.kind == ACK and ack.server == "10.77.0.5"
        server.wait_for(r"REQUEST not answered: the client took another server's offer")
        assert "another DHCP server on br0: 10.77.0.5" in server.query("events")
        assert leases(server) == []
        assert take_from(sock, "10.77.0.1", machine(1)) == "10.77.0.20"


def take_from(sock, server, mac):
    """The address that this one of several servers offers."""
    say(sock, message(DISCOVER, mac=mac, xid=99))
    while True:
        answer = Answer(sock.recv(4096))
        if answer.xid == 99 and answer.server == server:
            return answer.yiaddr


# ---- which pool ----

POOLS = START + """
  subnets:
    - subnet: 10.77.0.0/24
      shared-network: floor
      options: {routers: 10.77.0.1}
      pools:
        - {range: 10.77.0.20-10.77.0.21, except: [phones]}
        - {range: 10.77.0.30, only: [phones]}
    - subnet: 10.88.0.0/24
      shared-network: floor
      options: {routers: 10.88.0.9}
      pools: [{range: 10.88.0.20-10.88.0.29, only: [phones, labs]}]
  classes:
    - {name: phones, match: {vendor-class: "Phone*"}, options: {domain-name: phones.example}}
    - {name: labs, match: {mac: "02:00:00:00:01"}}
"""


def test_pools_are_for_the_classes_they_name(network, bare):
    """And of a shared network, a client gets what is free in any of its subnets."""
    phone = (60, b"Phone 7"), (55, EVERYTHING)
    with lab.Server(network, config=POOLS) as server:
        sock = udp_socket(bare, 68)
        first = take(sock, *phone, mac=machine(1))
        second = take(sock, *phone, mac=machine(2))
        assert first.yiaddr == "10.77.0.30" and first.options[15] == b"phones.example"
        assert first.options[3] == four("10.77.0.1")
        assert second.yiaddr == "10.88.0.20" and second.options[3] == four("10.88.0.9")
        assert second.options[1] == four("255.255.255.0")
        plain = [take(sock, mac=machine(i)).yiaddr for i in (3, 4)]
        assert plain == ["10.77.0.20", "10.77.0.21"]
        say(sock, message(DISCOVER, mac=machine(5)))
        server.wait_for(r"no free address in 10\.77\.0\.0")
        lab_machine = b"\2\0\0\0\1\1"
        assert take(sock, mac=lab_machine).yiaddr in {"10.88.0.21"}
        # INIT-REBOOT into a pool of others (RFC 2131 4.3.2)
        nak = ask(sock, message(REQUEST, (50, four("10.88.0.25")), mac=machine(5)))
        assert nak.kind == NAK


# ---- PXE ----

PXE = [(code, value) for code, value in (
    (60, b"PXEClient:Arch:00000:UNDI:002001"), (93, b"\0\0"), (94, b"\1\2\1"),
    (97, b"\0" + UUID), (55, bytes([1, 3, 43, 60, 66, 67, 97])))]

MENU = """
  pxe:
    prompt: Press F8
    timeout: 5s
    menu:
      - {title: Local disk, type: 0}
      - {title: Installer, type: 17, file: installer.0}
      - {title: Elsewhere, type: 18, file: other.0, server: 10.77.0.9}
"""


def parts(value):
    found = {}
    while value and value[0] != 255:
        found[value[0]] = value[2:2 + value[1]]
        value = value[2 + value[1]:]
    return found


def item(number):
    return (43, bytes([71, 4]) + struct.pack("!HH", number, 0) + b"\xff")


@pytest.mark.parametrize("mode", ["server", "proxy"])
@pytest.mark.parametrize("port", [67, 4011])
def test_a_boot_server_is_asked_for_an_item_of_its_menu(network, client, mode, port):
    """PXE 2.1 2.2.4: discovery control, servers, menu and prompt in the offer; then the
    item, by broadcast to 67 or to port 4011."""
    config = PLAIN.replace("mode: server", f"mode: {mode}") + MENU
    with lab.Server(network, config=config):
        sock = udp_socket(client, 68)
        menu = parts(ask(sock, message(DISCOVER, *PXE)).options[43])
        assert menu[8] == b"".join(
            struct.pack("!HB", kind, 1) + four(where)
            for kind, where in ((0, "10.77.0.1"), (17, "10.77.0.1"), (18, "10.77.0.9")))
        assert b"\0\x11\x09Installer" in menu[9] and menu[10] == b"\5Press F8"
        for number, file, where in ((17, b"installer.0", "10.77.0.1"),
                                    (18, b"other.0", "10.77.0.9")):
            packet = message(REQUEST, *PXE, item(number), ciaddr="10.77.0.2", xid=number)
            ack = ask(sock, packet, "10.77.0.1" if port == 4011 else "255.255.255.255",
                      port)
            assert ack.kind == ACK and ack.yiaddr == "0.0.0.0"
            assert ack.file.rstrip(b"\0") == file and ack.siaddr == where
            assert parts(ack.options[43])[71] == struct.pack("!HH", number, 0)
            assert ack.options[97] == b"\0" + UUID and ack.options[60] == b"PXEClient"


@pytest.mark.parametrize("first", ["local", "first"])
def test_a_menu_of_firmwares_own_is_made_for_whoever_wants_none(network, client, first):
    """dhcp.pxe.automatic: what the machine's menu begins with is the first item."""
    config = PLAIN + "  pxe: {automatic: true}\n" + f"menu: {{default: {first}}}\n"
    ours = (32769, b"Boot menu")
    disk = (0, b"Boot from the local disk")
    with lab.Server(network, config=config):
        sock = udp_socket(client, 68)
        offer = ask(sock, message(DISCOVER, *PXE))
        assert offer.file.rstrip(b"\0") == b""  # a name would be taken at once
        menu = parts(offer.options[43])
        items = [disk, ours] if first == "local" else [ours, disk]
        assert menu[9] == b"".join(struct.pack("!HB", kind, len(title)) + title
                                   for kind, title in items)
        assert {entry[:2] for entry in (menu[8][at:at + 7] for at in (0, 7))} == {
            struct.pack("!H", kind) for kind, _ in items}
        assert menu[10] == b"\5Press F8 for the boot menu"
        ack = ask(sock, message(REQUEST, *PXE, item(32769), ciaddr="10.77.0.2"),
                  "10.77.0.1", 4011)
        assert ack.kind == ACK and ack.file.rstrip(b"\0") == b"pxelinux.0"
        assert parts(ack.options[43])[71] == struct.pack("!HH", 32769, 0)


def test_firmware_that_keeps_asking_is_answered_in_another_form(network, bare):
    """Until it takes the next step; all of it can be read afterwards."""
    with lab.Server(network, "--dhcp", "proxy") as server:
        sock = udp_socket(bare, 68)
        offers = [ask(sock, message(DISCOVER, *PXE, xid=xid)) for xid in range(1, 9)]
        control = [parts(offer.options.get(43, b"")) for offer in offers]
        assert control[0] == control[1] == {6: b"\x08"}
        assert 43 not in offers[2].options and 43 not in offers[3].options
        assert {8, 9, 10} <= set(control[4]) and {8, 9, 10} <= set(control[5])
        assert control[6] == {6: b"\x08"} and offers[6].n <= 548
        for offer in offers:
            assert offer.options[60] == b"PXEClient"
        lines = [line for line in server.query("events").splitlines()
                 if "answered in form" in line]
        assert "answered in form 2: no option 43" in lines[-3]
        assert "after 2 DISCOVERs" in lines[-3]
        assert "answered in form 4" in lines[-1]
        adapted = [json.loads(line) for line in server.query(
            "events", "--json").splitlines() if '"answer-adapted"' in line]
        assert [event["number"] for event in adapted][-3:] == [2, 3, 4]


def test_a_form_that_worked_is_kept(network, client):
    """A question to port 4011 is the next step; the one after it is no complaint."""
    with lab.Server(network, "--dhcp", "proxy"):
        sock = udp_socket(client, 68)
        for xid in range(1, 4):
            offer = ask(sock, message(DISCOVER, *PXE, xid=xid))
        assert 43 not in offer.options
        ack = ask(sock, message(REQUEST, *PXE, ciaddr="10.77.0.2", xid=4), "10.77.0.1",
                  4011)
        assert ack.kind == ACK and ack.file.rstrip(b"\0") == b"pxelinux.0"
        for xid in range(5, 7):
            offer = ask(sock, message(DISCOVER, *PXE, xid=xid))
            assert 43 not in offer.options
