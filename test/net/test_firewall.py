import lab
from conftest import RELAYED, SERVER, udp_socket
from test_dhcp import IPXE_X64, MAC, message, udhcpc
from test_no_router import Asker, start


def closed(network):
    lab.run(*network.inside("nft", "-f", "-"), input="""
table inet filter {
  chain input { type filter hook input priority filter; policy drop; }
}
""")


def curl(network, client):
    return lab.subprocess.run(network.inside("curl", "-sf", "-m", "2",
                                             "http://10.77.0.1/boot.ipxe", where=client),
                              capture_output=True)


def test_the_rules_for_nftables_open_what_is_served(network, client, bare, folder):
    with lab.Server(network, config=SERVER):
        closed(network)
        assert curl(network, client).returncode != 0
        rules = lab.run(lab.program(), "firewall", "nftables", "--interface", "br0").stdout
        lab.run(*network.inside("nft", "-f", "-"), input=rules)
        assert curl(network, client).stdout.startswith(b"#!ipxe")
        lab.run(*network.inside("tftp", "10.77.0.1", "-m", "binary", "-c", "get",
                                "pxelinux.0", where=client), cwd=folder)
        assert (folder / "pxelinux.0").stat().st_size > 40000
        assert "GOT 10.77.0.20" in udhcpc(network, bare, folder)


def test_an_echo_that_a_probe_brought_back_comes_in(network, relay):
    with lab.Server(network, config=RELAYED) as server:
        closed(network)
        rules = lab.run(lab.program(), "firewall", "nftables", "--interface", "br0").stdout
        lab.run(*network.inside("nft", "-f", "-"), input=rules)
        udp_socket(relay, 67, "10.66.0.1").sendto(
            message("discover", giaddr="10.66.0.1", hops=1), ("10.77.0.1", 67))
        server.wait_for(r"10\.66\.0\.20 is used by")


def test_ipxe_that_waits_for_a_router_is_heard(network, bare):
    with lab.Server(network, config=SERVER):
        asker = Asker(network, bare)
        closed(network)
        rules = lab.run(lab.program(), "firewall", "nftables", "--interface", "br0").stdout
        lab.run(*network.inside("nft", "-f", "-"), input=rules)
        start(udp_socket(bare, 68), IPXE_X64)
        asker.ask(MAC)
        asker.answer()


def test_the_rules_for_iptables_are_taken(network):
    rules = lab.run(lab.program(), "firewall", "iptables", "--interface", "br0").stdout
    lab.run(*network.inside("sh", "-e"), input=rules)
    listed = lab.run(*network.inside("iptables", "-S", "INPUT")).stdout
    for port in ("67", "4011", "69", "80"):
        assert f"--dport {port} " in listed
    listed = lab.run(*network.inside("ip6tables", "-S", "INPUT")).stdout
    assert "--icmpv6-type 133 " in listed and listed.count("-j ACCEPT") == 3


def test_a_closed_door_has_no_rule(folder):
    (folder / "bootjack.yaml").write_text("tftp: {port: off}\ndhcp: {mode: off}\n")
    for kind in ("nftables", "iptables", "firewalld"):
        rules = lab.run(lab.program(), "firewall", kind, "-c",
                        str(folder / "bootjack.yaml")).stdout
        assert "80" in rules and "69" not in rules and "67" not in rules
