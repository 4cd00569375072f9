/*
 * The words of dnsmasq.conf that are left out, each with its reason.
 */
#include "import/dnsmasq.h"

enum reason { DNS, SILENT, LOG, PROCESS, IPV6, TFTP, OTHER };

static const struct {
        const char *word;
        enum reason reason;
        const char *why; /* of OTHER */
} words[] = {
        { "add-cpe-id", DNS, NULL },
        { "add-mac", DNS, NULL },
        { "add-subnet", DNS, NULL },
        { "addn-hosts", DNS, NULL },
        { "address", DNS, NULL },
        { "alias", DNS, NULL },
        { "all-servers", DNS, NULL },
        { "auth-peer", DNS, NULL },
        { "auth-sec-servers", DNS, NULL },
        { "auth-server", DNS, NULL },
        { "auth-soa", DNS, NULL },
        { "auth-ttl", DNS, NULL },
        { "auth-zone", DNS, NULL },
        { "bind-dynamic", SILENT, NULL },
        { "bind-interfaces", SILENT, NULL },
        { "bogus-nxdomain", DNS, NULL },
        { "bogus-priv", DNS, NULL },
        { "bridge-interface", OTHER, "name each card under 'interfaces'" },
        { "caa-record", DNS, NULL },
        { "cache-rr", DNS, NULL },
        { "cache-size", DNS, NULL },
        { "clear-on-reload", DNS, NULL },
        { "cname", DNS, NULL },
        { "conf-script", OTHER,
          "Bootjack runs no programs; name its output as a file" },
        { "connmark-allowlist", DNS, NULL },
        { "connmark-allowlist-enable", DNS, NULL },
        { "conntrack", DNS, NULL },
        { "dhcp-alternate-port", OTHER, "the ports of DHCP are 67 and 68" },
        { "dhcp-broadcast", OTHER, "the answer goes where the client's flag says" },
        { "dhcp-client-update", OTHER, "Bootjack does not change DNS" },
        { "dhcp-duid", IPV6, NULL },
        { "dhcp-fqdn", OTHER, "Bootjack does not change DNS" },
        { "dhcp-generate-names", OTHER, "machines keep the names they have" },
        { "dhcp-ignore-clid", OTHER, "clients are told apart by what they send" },
        { "dhcp-ignore-names", OTHER, "names that clients send are only shown" },
        { "dhcp-lease-max", OTHER, "the pools say how many addresses there are" },
        { "dhcp-leasefile", OTHER, "leases are in the state folder" },
        { "dhcp-luascript", OTHER,
          "Bootjack runs no programs; follow 'bootjack events --json'" },
        { "dhcp-name-match", OTHER, "machines are not known by the names they send" },
        { "dhcp-no-override", OTHER,
          "options go into the fields for boot file and server name only when nothing "
          "else is left" },
        { "dhcp-proxy", OTHER,
          "answers go by the relay that asked when it wants that" },
        { "dhcp-pxe-vendor", OTHER, "only PXEClient and HTTPClient are PXE's" },
        { "dhcp-rapid-commit", OTHER, "addresses are given in four messages" },
        { "dhcp-relay", OTHER,
          "Bootjack serves and does not relay: run a relay there" },
        { "dhcp-reply-delay", OTHER, "clients are answered at once" },
        { "dhcp-script", OTHER,
          "Bootjack runs no programs; follow 'bootjack events --json'" },
        { "dhcp-scriptuser", OTHER, "Bootjack runs no programs" },
        { "dhcp-sequential-ip", OTHER,
          "which free address of a pool a client gets is Bootjack's choice" },
        { "dhcp-ttl", DNS, NULL },
        { "dns-forward-max", DNS, NULL },
        { "dns-loop-detect", DNS, NULL },
        { "dns-rr", DNS, NULL },
        { "dnssec", DNS, NULL },
        { "dnssec-check-unsigned", DNS, NULL },
        { "dnssec-debug", DNS, NULL },
        { "dnssec-limits", DNS, NULL },
        { "dnssec-no-timecheck", DNS, NULL },
        { "dnssec-timestamp", DNS, NULL },
        { "domain-needed", DNS, NULL },
        { "dumpfile", LOG, NULL },
        { "dumpmask", LOG, NULL },
        { "dynamic-host", DNS, NULL },
        { "edns-packet-max", DNS, NULL },
        { "enable-dbus", PROCESS, NULL },
        { "enable-ra", IPV6, NULL },
        { "enable-tftp", SILENT, NULL },
        { "enable-ubus", PROCESS, NULL },
        { "except-interface", OTHER, "name the others under 'interfaces'" },
        { "expand-hosts", DNS, NULL },
        { "fast-dns-retry", DNS, NULL },
        { "filter-A", DNS, NULL },
        { "filter-AAAA", DNS, NULL },
        { "filter-rr", DNS, NULL },
        { "filterwin2k", DNS, NULL },
        { "group", PROCESS, NULL },
        { "host-record", DNS, NULL },
        { "hostsdir", DNS, NULL },
        { "ignore-address", DNS, NULL },
        { "interface-name", DNS, NULL },
        { "ipset", DNS, NULL },
        { "keep-in-foreground", SILENT, NULL },
        { "leasefile-ro", PROCESS, NULL },
        { "listen-address", OTHER, "name the cards under 'interfaces' instead" },
        { "local", DNS, NULL },
        { "local-service", DNS, NULL },
        { "local-ttl", DNS, NULL },
        { "localise-queries", DNS, NULL },
        { "localmx", DNS, NULL },
        { "log-async", LOG, NULL },
        { "log-debug", LOG, NULL },
        { "log-dhcp", LOG, NULL },
        { "log-facility", LOG, NULL },
        { "log-queries", DNS, NULL },
        { "max-cache-ttl", DNS, NULL },
        { "max-port", DNS, NULL },
        { "max-tcp-connections", DNS, NULL },
        { "max-ttl", DNS, NULL },
        { "min-cache-ttl", DNS, NULL },
        { "min-port", DNS, NULL },
        { "mx-host", DNS, NULL },
        { "mx-target", DNS, NULL },
        { "naptr-record", DNS, NULL },
        { "neg-ttl", DNS, NULL },
        { "nftset", DNS, NULL },
        { "no-daemon", SILENT, NULL },
        { "no-dhcp-interface", OTHER, "name the others under 'interfaces'" },
        { "no-dhcpv4-interface", OTHER, "name the others under 'interfaces'" },
        { "no-dhcpv6-interface", IPV6, NULL },
        { "no-hosts", DNS, NULL },
        { "no-ident", DNS, NULL },
        { "no-negcache", DNS, NULL },
        { "no-poll", DNS, NULL },
        { "no-resolv", DNS, NULL },
        { "no-round-robin", DNS, NULL },
        { "pid-file", PROCESS, NULL },
        { "port-limit", DNS, NULL },
        { "proxy-dnssec", DNS, NULL },
        { "ptr-record", DNS, NULL },
        { "query-port", DNS, NULL },
        { "quiet-dhcp", LOG, NULL },
        { "quiet-dhcp6", IPV6, NULL },
        { "quiet-ra", IPV6, NULL },
        { "quiet-tftp", LOG, NULL },
        { "ra-param", IPV6, NULL },
        { "read-ethers", OTHER, "write the machines of /etc/ethers under 'hosts'" },
        { "rebind-domain-ok", DNS, NULL },
        { "rebind-localhost-ok", DNS, NULL },
        { "resolv-file", DNS, NULL },
        { "rev-server", DNS, NULL },
        { "script-arp", OTHER, "Bootjack runs no programs" },
        { "script-on-renewal", OTHER, "Bootjack runs no programs" },
        { "selfmx", DNS, NULL },
        { "server", DNS, NULL },
        { "servers-file", DNS, NULL },
        { "shared-network", OTHER,
          "give the subnets of one wire the same 'shared-network'" },
        { "srv-host", DNS, NULL },
        { "stop-dns-rebind", DNS, NULL },
        { "strict-order", DNS, NULL },
        { "strip-mac", DNS, NULL },
        { "strip-subnet", DNS, NULL },
        { "synth-domain", DNS, NULL },
        { "tftp-lowercase", TFTP, NULL },
        { "tftp-max", TFTP, NULL },
        { "tftp-mtu", TFTP, NULL },
        { "tftp-no-blocksize", TFTP, NULL },
        { "tftp-no-fail", SILENT, NULL },
        { "tftp-port-range", TFTP, NULL },
        { "tftp-secure", TFTP, NULL },
        { "tftp-single-port", TFTP, NULL },
        { "tftp-unique-root", OTHER, "there is one tree for all machines" },
        { "trust-anchor", DNS, NULL },
        { "txt-record", DNS, NULL },
        { "umbrella", DNS, NULL },
        { "use-stale-cache", DNS, NULL },
        { "user", PROCESS, NULL },
};

static const char *reason_text(enum reason reason, const char *why) {
        switch (reason) {
        case DNS:
                return "Bootjack answers no DNS; leave that to dnsmasq or another "
                       "resolver";
        case LOG:
                return "the log goes to standard error, and 'bootjack events' tells "
                       "each boot";
        case PROCESS:
                return "it is about dnsmasq's own process";
        case IPV6:
                return "IPv6 is not served";
        case TFTP:
                return "TFTP is bounded by tftp.per-source and tftp.rate";
        default:
                return why ? why : "";
        }
}

bool dnsmasq_leave_out(struct dnsmasq *d, const struct line *line) {
        for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
                if (strcmp(words[i].word, line->word) != 0)
                        continue;
                if (words[i].reason != SILENT)
                        import_remark(d->im, line->at, line->word, " is not carried: ",
                                      reason_text(words[i].reason, words[i].why), NULL);
                return true;
        }
        return false;
}

const char *dnsmasq_left_out(size_t i) {
        return i < ARRAY_SIZE(words) ? words[i].word : NULL;
}
