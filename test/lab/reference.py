"""dnsmasq, and nginx where HTTP is used, in the place of Bootjack: with the loader that
it chose and the very files that the machine fetched from it."""
import contextlib
import json
import urllib.parse

import lab

NGINX = """daemon off;
user root;
worker_processes 1;
pid FOLDER/nginx.pid;
error_log stderr;
events { worker_connections 256; }
http {
        access_log off;
        sendfile on;
        tcp_nopush on;
        types { }
        default_type application/octet-stream;
        client_body_temp_path FOLDER/n1;
        proxy_temp_path FOLDER/n2;
        fastcgi_temp_path FOLDER/n3;
        uwsgi_temp_path FOLDER/n4;
        scgi_temp_path FOLDER/n5;
        server { listen ADDRESS:80; root FOLDER/tree; }
}
"""
RANGES = {"server": "10.77.0.20,10.77.0.30,255.255.255.0,1h",
          "relay": "10.66.0.20,10.66.0.30,255.255.255.0,1h",
          "proxy": "10.77.0.0,proxy"}
# dnsmasq's names of architectures, by ours.
SYSTEMS = {"bios": "x86PC", "uefi-x64": "X86-64_EFI", "uefi-ia32": "IA32_EFI",
           "uefi-arm64": "ARM64_EFI"}


class Recording:
    """What a machine was told and what it fetched, by the server's events, while the
    server still runs."""

    def __init__(self, network, server, folder):
        self.tree = folder / "tree"
        self.folder = folder
        events = json.loads("[" + ",".join(
            server.query("events", "--json").splitlines()) + "]")
        self.told = []  # (is it iPXE, firmware, file), each once
        is_ipxe = False
        for event in events:
            if event["event"] == "dhcp-received":
                is_ipxe = event["firmware"].startswith("iPXE")
            elif event["event"] == "boot-decided" and event.get("file"):
                told = (is_ipxe, event["firmware"], event["file"])
                if told not in self.told:
                    self.told.append(told)
            elif event["event"] == "file-done":
                self.keep(network, event["file"])

    def keep(self, network, name):
        path = self.tree / name.lstrip("/")
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        quoted = urllib.parse.quote(name.lstrip("/"))
        lab.run(*network.inside("curl", "-sf", "-o", path,
                                f"http://{network.address}/{quoted}"))

    def dnsmasq(self, network, wire):
        lines = ["port=0", "interface=br0", "user=root", "log-dhcp", "enable-tftp",
                 "dhcp-leasefile=/dev/null", f"tftp-root={self.tree}",
                 f"dhcp-range={RANGES[wire]}",
                 "dhcp-userclass=set:ipxe,iPXE",
                 "dhcp-vendorclass=set:http,HTTPClient",
                 "dhcp-option-force=tag:http,60,HTTPClient"]
        firsts = {}
        for is_ipxe, firmware, name in self.told:
            firsts.setdefault(is_ipxe, (firmware, name))
        for is_ipxe, (firmware, name) in firsts.items():
            tag = "" if len(firsts) == 1 else "tag:ipxe," if is_ipxe else "tag:!ipxe,"
            lines.append(f"dhcp-boot={tag}{name}")
            if wire == "proxy" and firmware in SYSTEMS:
                lines.append(f"pxe-service={tag}{SYSTEMS[firmware]},Boot,"
                             + name.removesuffix(".0"))
        (self.folder / "dnsmasq.conf").write_text("\n".join(lines) + "\n")
        return network.inside("dnsmasq", "--keep-in-foreground", "--log-facility=-",
                              f"--conf-file={self.folder / 'dnsmasq.conf'}")

    @contextlib.contextmanager
    def serve(self, network, wire):
        """Yields dnsmasq's process."""
        text = NGINX.replace("FOLDER", str(self.folder))
        text = text.replace("ADDRESS", network.address)
        (self.folder / "nginx.conf").write_text(text)
        nginx = lab.Process(network.inside("nginx", "-p", self.folder, "-c",
                                           self.folder / "nginx.conf"))
        try:
            dnsmasq = lab.Process(self.dnsmasq(network, wire))
            try:
                lab.wait_for([dnsmasq], dnsmasq, "TFTP root is", 10)
                yield dnsmasq
            finally:
                dnsmasq.end()
        finally:
            nginx.end()
