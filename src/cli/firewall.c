/*
 * bootjack firewall: rules for exactly the doors that the configuration opens, to be
 * put into a firewall that lets nothing else in. A TFTP transfer runs on a port of its
 * own; its first datagram there is ours, so the connection tracker takes what the
 * client answers for established. So it does with echo replies to probes; ARP, and what
 * packet sockets overhear, passes by these rules. Who asks for a router of IPv6 does
 * not, nor what tells where to answer (firewalld lets these in by itself). The passive
 * ports of FTP are listed when there is a range of them (ftp.port-range); else it needs
 * nf_conntrack_ftp.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/server.h"

struct door {
        const char *protocol, *why;
        uint16_t port, last; /* last: of a range; 0: it is one port */
};

enum { DOORS_MAX = 11 };

static size_t list_doors(const struct conf *conf, struct door *ret) {
        size_t n = 0;

        if (conf->dhcp.mode != CONF_DHCP_OFF) {
                ret[n++] = (struct door){ "udp", "DHCP", 67, 0 };
                ret[n++] = (struct door){ "udp", "PXE boot server", 4011, 0 };
        }
        if (conf->tftp.port)
                ret[n++] = (struct door){ "udp", "TFTP", conf->tftp.port, 0 };
        if (conf->http.port)
                ret[n++] = (struct door){ "tcp", "HTTP", conf->http.port, 0 };
        if (conf->https.port)
                ret[n++] = (struct door){ "tcp", "HTTPS", conf->https.port, 0 };
        if (conf->ftp.port)
                ret[n++] = (struct door){ "tcp", "FTP", conf->ftp.port, 0 };
        /* Without a range it is the connection tracker that knows them, if it does. */
        if (conf->ftp.port && conf->ftp.port_range.first)
                ret[n++] = (struct door){ "tcp", "FTP, passive data",
                                          conf->ftp.port_range.first,
                                          conf->ftp.port_range.last };
        /* With `auto` a medium may open them, and nobody knows which will come. */
        if (conf->nfs.mode == CONF_ON && conf->nfs.port) {
                ret[n++] = (struct door){ "tcp", "NFS", conf->nfs.port, 0 };
                ret[n++] = (struct door){ "udp", "NFS", conf->nfs.port, 0 };
                if (conf->nfs.portmap) {
                        ret[n++] = (struct door){ "tcp", "port mapper",
                                                  conf->nfs.portmap, 0 };
                        ret[n++] = (struct door){ "udp", "port mapper",
                                                  conf->nfs.portmap, 0 };
                }
        }
        return n;
}

static void add_port(struct text *out, const struct door *door, char dash) {
        text_u64(out, door->port);
        if (door->last == 0)
                return;
        text_char(out, dash);
        text_u64(out, door->last);
}

static void add_nft_interfaces(const struct conf *conf, struct text *out) {
        if (conf->interfaces.n == 0)
                return;
        text_add(out, "iifname { ");
        for (size_t i = 0; i < conf->interfaces.n; i++) {
                text_add(out, i > 0 ? ", \"" : "\"");
                text_add(out, conf->interfaces.items[i]);
                text_char(out, '"');
        }
        text_add(out, " } ");
}

static bool hears_ipxe(const struct conf *conf) {
        return conf->dhcp.mode != CONF_DHCP_OFF && conf->dhcp.no_router;
}

static void print_nftables(const struct conf *conf, const struct door *doors, size_t n,
                           struct text *out) {
        text_add(out,
                 "# For nft -f -, and a ruleset with the usual table and chain.\n");
        for (size_t i = 0; i < n; i++) {
                text_add(out, "insert rule inet filter input ");
                add_nft_interfaces(conf, out);
                text_add(out, doors[i].protocol);
                text_add(out, " dport ");
                add_port(out, &doors[i], '-');
                text_add(out, " accept comment \"");
                text_add(out, doors[i].why);
                text_add(out, "\"\n");
        }
        if (hears_ipxe(conf)) {
                text_add(out, "insert rule inet filter input ");
                add_nft_interfaces(conf, out);
                text_add(out, "icmpv6 type { nd-router-solicit, nd-neighbor-solicit, "
                              "nd-neighbor-advert } accept comment \"iPXE that waits "
                              "for a router\"\n");
        }
        text_add(out, "insert rule inet filter input ct state established,related "
                      "accept\n");
}

static void add_iptables_rule(struct text *out, const char *interface,
                              const struct door *door) {
        text_add(out, "iptables -I INPUT ");
        if (interface) {
                text_add(out, "-i ");
                text_add(out, interface);
                text_char(out, ' ');
        }
        text_add(out, "-p ");
        text_add(out, door->protocol);
        text_add(out, " --dport ");
        add_port(out, door, ':');
        text_add(out, " -m comment --comment \"");
        text_add(out, door->why);
        text_add(out, "\" -j ACCEPT\n");
}

static void add_ip6tables_rules(struct text *out, const char *interface) {
        static const char *const types[] = { "router-solicitation",
                                             "neighbour-solicitation",
                                             "neighbour-advertisement" };

        for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
                text_add(out, "ip6tables -I INPUT ");
                if (interface) {
                        text_add(out, "-i ");
                        text_add(out, interface);
                        text_char(out, ' ');
                }
                text_add(out, "-p icmpv6 --icmpv6-type ");
                text_add(out, types[i]);
                text_add(out, " -m comment --comment \"iPXE that waits for a router\" "
                              "-j ACCEPT\n");
        }
}

static void print_iptables(const struct conf *conf, const struct door *doors, size_t n,
                           struct text *out) {
        text_add(out, "iptables -I INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j "
                      "ACCEPT\n");
        for (size_t i = 0; i < n; i++) {
                if (conf->interfaces.n == 0)
                        add_iptables_rule(out, NULL, &doors[i]);
                for (size_t j = 0; j < conf->interfaces.n; j++)
                        add_iptables_rule(out, conf->interfaces.items[j], &doors[i]);
        }
        if (!hears_ipxe(conf))
                return;
        if (conf->interfaces.n == 0)
                add_ip6tables_rules(out, NULL);
        for (size_t j = 0; j < conf->interfaces.n; j++)
                add_ip6tables_rules(out, conf->interfaces.items[j]);
}

static void print_firewalld(const struct conf *conf, const struct door *doors, size_t n,
                            struct text *out) {
        for (size_t i = 0; i < n; i++) {
                text_add(out, "firewall-cmd --permanent --add-port=");
                add_port(out, &doors[i], '-');
                text_char(out, '/');
                text_add(out, doors[i].protocol);
                text_add(out, "  # ");
                text_add(out, doors[i].why);
                text_char(out, '\n');
        }
        text_add(out, "firewall-cmd --reload\n");
}

static const struct {
        const char *name;
        void (*print)(const struct conf *conf, const struct door *doors, size_t n,
                      struct text *out);
} kinds[] = {
        { "nftables", print_nftables },
        { "iptables", print_iptables },
        { "firewalld", print_firewalld },
};

static int print_rules(size_t kind, const struct conf_flags *flags) {
        struct door doors[DOORS_MAX];
        struct conf *conf = NULL;
        struct text out = { 0 };
        int r = server_conf(flags, &conf);

        if (r != 0)
                return r;
        kinds[kind].print(conf, doors, list_doors(conf, doors), &out);
        conf_free(conf);
        return print_text(&out);
}

int cli_firewall(int argc, char **argv) {
        static struct conf_flags flags;
        struct option_row rows[SERVER_ROWS + 1] = { 0 };
        const struct options options = {
                "firewall", "Print the rules for exactly the doors that are open.",
                "[nftables | iptables | firewalld]", 1, rows
        };
        struct options_found found;
        int r;

        server_rows(&flags, rows);
        r = options_parse(&options, argc, argv, &found);
        if (r != OPTIONS_GO_ON)
                return r;
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
                if (found.n_operands == 0 ||
                    strcmp(found.operands[0], kinds[i].name) == 0)
                        return print_rules(i, &flags);
        return options_wrong(&options, "there is no such firewall");
}
