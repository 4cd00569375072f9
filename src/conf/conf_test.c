/* What is understood, and what is refused where and how. */
#include "conf/conf.h"

#include <stdlib.h>

#include "test/check.h"

static const struct conf_flags no_flags;

static struct conf *parse_with(const char *text, const struct conf_flags *flags) {
        struct conf_problems problems;
        struct conf *conf = NULL;
        struct text out = { 0 };
        int r = conf_parse("test.yaml", text, strlen(text), flags, &conf, &problems);

        conf_problems_format(&problems, &out);
        conf_problems_done(&problems);
        if (r != 0)
                fail_msg("%s", text_string(&out));
        text_done(&out);
        return conf;
}

static struct conf *parse(const char *text) {
        return parse_with(text, &no_flags);
}

static const char whole[] =
        "interfaces: [eth0]\n"
        "state: /var/lib/bootjack\n"
        "user: bootjack\n"
        "root: /var/lib/tftpboot\n"
        "media: [/srv/isos]\n"
        "loaders: [/srv/loaders]\n"
        "dhcp:\n"
        "  mode: server\n"
        "  authoritative: true\n"
        "  subnets:\n"
        "    - subnet: 192.168.1.0/24\n"
        "      pools: [192.168.1.20-192.168.1.25]\n"
        "      bootp: true\n"
        "      lease-time: 10m\n"
        "      max-lease-time: 2h\n"
        "      options: {routers: [192.168.1.1], domain-name: example.com,\n"
        "        domain-name-servers: [192.168.1.1], broadcast-address: "
        "192.168.1.255}\n"
        "      next-server: 192.168.1.6\n"
        "      filename: pxelinux.0\n"
        "  hosts:\n"
        "    - {mac: \"52:54:00:12:34:56\", address: 192.168.1.10, hostname: node1}\n"
        "tftp: {port: 69, per-source: 11, rate: 100}\n"
        "http: {port: 80, index: true, access-log: /var/log/a.log, root: /images}\n"
        "menu: {title: PXE Menu, timeout: 10s, default: local, serial: "
        "\"ttyS0,115200\"}\n"
        "machines:\n"
        "  - {mac: \"52:54:00:12:34:56\", boot: debian-12}\n";

static void a_whole_file_is_understood(void **state) {
        struct conf *conf = parse(whole);
        const struct scope_subnet *subnet = &conf->dhcp.subnets[0];
        static const uint8_t router[] = { 192, 168, 1, 1 };

        assert_string_equal(conf->interfaces.items[0], "eth0");
        assert_string_equal(conf->root, "/var/lib/tftpboot");
        assert_int_equal(conf->dhcp.mode, CONF_DHCP_SERVER);
        assert_int_equal(conf->dhcp.n_subnets, 1);
        assert_int_equal(subnet->network, 0xc0a80100);
        assert_int_equal(subnet->mask, 0xffffff00);
        assert_int_equal(subnet->n_pools, 1);
        assert_int_equal(subnet->pools[0].first, 0xc0a80114);
        assert_int_equal(subnet->pools[0].last, 0xc0a80119);
        assert_true(subnet->bootp);
        assert_int_equal(subnet->scope.lease_time, 600 * NSEC_PER_SEC);
        assert_int_equal(subnet->scope.max_lease_time, 7200 * NSEC_PER_SEC);
        assert_int_equal(subnet->scope.n_options, 4);
        assert_int_equal(subnet->scope.options[0].code, 3);
        assert_int_equal(subnet->scope.options[0].n, 4);
        assert_memory_equal(subnet->scope.options[0].data, router, 4);
        assert_int_equal(subnet->scope.next_server, 0xc0a80106);
        assert_string_equal(subnet->scope.filename, "pxelinux.0");
        assert_int_equal(conf->dhcp.hosts[0].address, 0xc0a8010a);
        assert_string_equal(conf->dhcp.hosts[0].hostname, "node1");
        assert_string_equal(conf->http.root, "/images");
        assert_string_equal(conf->menu.serial, "ttyS0,115200");
        assert_int_equal(conf->menu.timeout, 10 * NSEC_PER_SEC);
        assert_string_equal(conf->machines[0].boot, "debian-12");
        conf_free(conf);
}

static void classes_hosts_and_pools_are_understood(void **state) {
        struct conf *conf = parse(
                "dhcp:\n"
                "  mode: server\n"
                "  probe: off\n"
                "  lease-time: infinite\n"
                "  probe-time: 250ms\n"
                "  options: {domain-name: example.org}\n"
                "  subnets:\n"
                "    - subnet: 10.0.0.0/16\n"
                "      shared-network: floor1\n"
                "      relays: [10.1.0.1, 10.2.0.0/24]\n"
                "      pools:\n"
                "        - 10.0.0.20-10.0.0.99\n"
                "        - {range: 10.0.1.1-10.0.1.9, only: [x64], bootp: true}\n"
                "  classes:\n"
                "    - name: x64\n"
                "      match: {vendor-class: PXEClient*, arch: [x64, 9], mac: "
                "\"52:54:00\",\n"
                "        circuit-id: 0x0102*}\n"
                "      filename: a.efi\n"
                "  hosts:\n"
                "    - {client-id: \"0x01ff\", address: 10.0.0.5, options: {routers: "
                "10.0.0.1}}\n"
                "    - {uuid: 4c4c4544-0037-3110-8050-c4c04f4b3332, ignore: true}\n"
                "  pxe: {prompt: Press F8, timeout: 10s, menu: [{title: Install, type: "
                "2}]}\n");
        const struct scope_subnet *subnet = &conf->dhcp.subnets[0];
        const struct scope_class *class = &conf->dhcp.classes[0];
        const struct scope_host *hosts = conf->dhcp.hosts;

        assert_false(conf->dhcp.probe);
        assert_true(conf->dhcp.probe_time == 250 * NSEC_PER_MSEC);
        assert_true(conf->dhcp.scope.lease_time == NSEC_NEVER);
        assert_int_equal(conf->dhcp.scope.n_options, 1);
        assert_string_equal(subnet->shared_network, "floor1");
        assert_int_equal(subnet->relays.n, 2);
        assert_int_equal(subnet->relays.items[0].mask, UINT32_MAX);
        assert_int_equal(subnet->relays.items[1].mask, 0xffffff00);
        assert_int_equal(subnet->n_pools, 2);
        assert_int_equal(subnet->pools[1].first, 0x0a000101);
        assert_string_equal(subnet->pools[1].only.items[0], "x64");
        assert_true(subnet->pools[1].bootp && !subnet->pools[0].bootp);
        assert_string_equal(class->name, "x64");
        assert_int_equal(class->match.arch.n, 2);
        assert_int_equal(class->match.arch.items[0], 7);
        assert_int_equal(class->match.mac.items[0].n, 3);
        assert_string_equal(class->match.circuit_id.items[0], "0x0102*");
        assert_string_equal(class->scope.filename, "a.efi");
        assert_int_equal(hosts[0].client_id.n, 2);
        assert_memory_equal(hosts[0].client_id.data, "\1\xff", 2);
        assert_int_equal(hosts[0].scope.n_options, 1);
        assert_true(hosts[1].has_uuid && hosts[1].is_ignored);
        assert_int_equal(hosts[1].uuid.b[15], 0x32);
        assert_string_equal(conf->dhcp.pxe.prompt, "Press F8");
        assert_int_equal(conf->dhcp.pxe.items[0].type, 2);
        conf_free(conf);
}

static void passwords_are_one_or_several(void **state) {
        struct conf *conf = parse("menu: {password: secret}");

        assert_int_equal(conf->menu.password.n, 1);
        assert_string_equal(conf->menu.password.items[0], "secret");
        assert_true(conf->menu.locks_entries);
        conf_free(conf);
        conf = parse("menu: {password: [$6$a$b, grub.pbkdf2.sha512.1.AA.BB], locked: "
                     "editing}");
        assert_int_equal(conf->menu.password.n, 2);
        assert_false(conf->menu.locks_entries);
        conf_free(conf);
}

static void nothing_said_is_all_defaults(void **state) {
        struct conf *conf = parse("");

        assert_int_equal(conf->interfaces.n, 0);
        assert_int_equal(conf->media.n, 0);
        assert_string_equal(conf->root, "");
        assert_string_equal(conf->state, "/var/lib/bootjack");
        assert_int_equal(conf->dhcp.mode, CONF_DHCP_PROXY);
        assert_int_equal(conf->tftp.port, 69);
        assert_int_equal(conf->ftp.port, 0);
        assert_int_equal(conf->http.port, 80);
        assert_true(conf->http.index);
        assert_string_equal(conf->menu.initial, "local");
        conf_free(conf);
}

static void flags_win_over_the_file(void **state) {
        struct conf_flags flags = { .interfaces = { "eth1" },
                                    .media = { "/a", "/b" },
                                    .root = "/r",
                                    .state = "/s",
                                    .user = "u",
                                    .dhcp = "192.168.1.30-192.168.1.40" };
        struct conf *conf = parse_with(whole, &flags);

        assert_string_equal(conf->interfaces.items[0], "eth1");
        assert_int_equal(conf->media.n, 2);
        assert_string_equal(conf->root, "/r");
        assert_string_equal(conf->state, "/s");
        assert_string_equal(conf->user, "u");
        assert_int_equal(conf->dhcp.n_subnets, 1);
        assert_int_equal(conf->dhcp.subnets[0].n_pools, 1);
        assert_int_equal(conf->dhcp.subnets[0].pools[0].first, 0xc0a8011e);
        conf_free(conf);

        flags.dhcp = "10.0.0.10-10.0.0.20";
        conf = parse_with("", &flags);
        assert_int_equal(conf->dhcp.mode, CONF_DHCP_SERVER);
        assert_int_equal(conf->dhcp.subnets[0].mask, 0);
        assert_int_equal(conf->dhcp.subnets[0].scope.lease_time, 0);
        assert_int_equal(conf->dhcp.scope.lease_time, 3600 * NSEC_PER_SEC);
        conf_free(conf);

        flags.dhcp = "off";
        conf = parse_with(whole, &flags);
        assert_int_equal(conf->dhcp.mode, CONF_DHCP_OFF);
        conf_free(conf);
}

#define SUBNET "dhcp:\n  mode: server\n  subnets:\n    - subnet: 10.0.0.0/24\n      "

static const struct refusal {
        const char *text;
        int line, column;
        const char *says;
} refusals[] = {
        { "machines: [{boot: x}]", 1, 13,
          "a machine needs the key 'mac', 'uuid' or 'class'" },
        { "dhcp: {classes: [{name: lab, match: {arch: bios}}]}\n"
          "machines: [{class: lap, boot: x}]",
          2, 20, "there is no class named 'lap'; did you mean 'lab'?" },
        { "menu: {password: \"\"}", 1, 19, "password: this must have 1 to 127" },
        { "menu: {password: [\"caf\\xe9\"]}", 1, 20,
          "password: this must have 1 to 127" },
        { "menu: {locked: all}", 1, 16, "locked must be entries or editing" },
        { "menu: {submenus: maybe}", 1, 18, "submenus" },
        { "medai: [/srv]\n", 1, 1, "unknown key 'medai'; did you mean 'media'?" },
        { "dhcp:\n  mode: server\n  pols: 1\n", 3, 3, "here can stand: mode, " },
        { "dhcp: {mode: serve}\n", 1, 14, "did you mean 'server'?" },
        { "tftp: {port: sixty}\n", 1, 14, "port must be a port number" },
        { "tftp: {port: 65536}\n", 1, 14, "port must be a port number" },
        { "tftp: {port: -1}\n", 1, 14, "port must be a port number" },
        { "tftp: {per-source: 0}\n", 1, 20, "per-source must be a number" },
        { "ftp: {port: ftp}\n", 1, 13, "port must be a port number" },
        { "ftp: {idle-timeout: 1s}\n", 1, 21, "idle-timeout" },
        { "ftp: {port-range: 40000}\n", 1, 19, "port-range must be two ports" },
        { "tftp: {port-range: 30000}\n", 1, 20, "port-range must be two ports" },
        { "tftp: {port-range: 31000-30000}\n", 1, 20, "port-range must be two ports" },
        { "tftp: {max-blksize: 511}\n", 1, 21, "max-blksize must be a number" },
        { "tftp: 69\n", 1, 7, "tftp must be a map of keys" },
        { "http: {index: yes}\n", 1, 15, "index must be true or false, not 'yes'" },
        { "menu: {timeout: soon}\n", 1, 17, "for example 30s" },
        { "menu: {serial: com1}\n", 1, 16, "ttyS0,115200" },
        { "menu: {title: [a]}\n", 1, 8, "not a list" },
        { "root: tftpboot\n", 1, 7, "must be an absolute path" },
        { "http: {root: /a/../../b}\n", 1, 14, "inside the served tree" },
        { "interfaces: [a-name-that-is-too-long]\n", 1, 14, "no name of an interface" },
        { "media: {a: b}\n", 1, 1, "not a map" },
        { "[1, 2]\n", 1, 1, "a map of keys" },
        { "dhcp: {mode: server}\n", 1, 14, "needs dhcp.subnets" },
        { SUBNET "pools: [10.0.1.1-10.0.1.9]\n", 5, 15, "not inside its subnet" },
        { SUBNET "pools: [10.0.0.9-10.0.0.1]\n", 5, 15, "ends before it begins" },
        { SUBNET "pools: [10.0.0.0-10.0.0.9]\n", 5, 15, "10.0.0.1-10.0.0.254" },
        { SUBNET "pools: [10.0.0.9-10.0.0.255]\n", 5, 15, "broadcast address" },
        { SUBNET "pools: [10.0.0.5-10.0.0.9, 10.0.0.9]\n", 5, 34,
          "10.0.0.9 overlaps with 10.0.0.5-" },
        { SUBNET "pools: [10.0.0.30-10.0.0.40, 10.0.0.1-10.0.0.99, 10.0.0.50]\n", 5, 36,
          "10.0.0.1-10.0.0.99 overlaps with 10.0.0.30" },
        { SUBNET "pools: [ten]\n", 5, 15, "192.168.1.20-192.168.1.25" },
        { SUBNET "lease-time: 5s\n", 5, 19, "at least 1m" },
        { SUBNET "lease-time: 1h\n      max-lease-time: 30m\n", 5, 19,
          "lease-time is longer than max-lease-time" },
        { SUBNET "options: {router: [10.0.0.1]}\n", 5, 17, "did you mean 'routers'?" },
        { SUBNET "options: {routers: [10.0.0.256]}\n", 5, 27,
          "list of IPv4 addresses" },
        { SUBNET "options: {53: \"01\"}\n", 5, 17, "belongs to the protocol" },
        { SUBNET "options: {224: xyz}\n", 5, 22, "hexadecimal" },
        { "dhcp: {subnets: [{subnet: 10.0.0.1/24}]}\n", 1, 27, "10.0.0.0/24" },
        { "dhcp: {subnets: [{subnet: 10.0.0.0}]}\n", 1, 27, "192.168.1.0/24" },
        { "dhcp: {subnets: [{bootp: true}]}\n", 1, 19, "needs the key 'subnet'" },
        { "dhcp: {subnets: [{subnet: 10.0.0.0/8}, {subnet: 10.1.0.0/16}]}\n", 1, 49,
          "10.1.0.0/16 overlaps with 10.0.0.0/8" },
        { "dhcp: {subnets: [{subnet: 10.1.0.0/16}, {subnet: 10.2.0.0/16}, "
          "{subnet: 10.0.0.0/8}]}\n",
          1, 73, "10.0.0.0/8 overlaps with 10.1.0.0/16" },
        { "dhcp: {hosts: [{address: 10.0.0.1}]}\n", 1, 17, "needs the key 'mac'" },
        { "dhcp: {hosts: [{mac: \"52:54:00:12:34:56\"}]}\n", 1, 17,
          "something that is said" },
        { "dhcp: {hosts: [{client-id: a, circuit-id: b}]}\n", 1, 17,
          "something that is said" },
        { "dhcp: {hosts: [{client-id: \"0x0\", ignore: true}]}\n", 1, 29,
          "\"0x01525400123456\"" },
        { "dhcp: {hosts: node1}\n", 1, 15, "must be a list" },
        { "dhcp: {hosts: [node1]}\n", 1, 16, "must be a map of keys" },
        { "dhcp: {hosts: [{uuid: 12-34, ignore: true}]}\n", 1, 23, "must be a UUID" },
        { "dhcp: {classes: [{match: {arch: x64}}]}\n", 1, 19, "needs the key 'name'" },
        { "dhcp: {classes: [{name: a}]}\n", 1, 19, "needs the key 'match'" },
        { "dhcp: {classes: [{name: a, match: {arch: x64}}, {name: a, match: {arch: "
          "9}}]}\n",
          1, 56, "two classes are named 'a'" },
        { "dhcp: {classes: [{name: a, match: {vendor: x}}]}\n", 1, 36,
          "here can stand: vendor-class" },
        { "dhcp: {classes: [{name: a, match: {vendor-clas: x}}]}\n", 1, 36,
          "did you mean 'vendor-class'?" },
        { "dhcp: {classes: [{name: a, match: {client-id: 0x01zz}}]}\n", 1, 47,
          "0x0102*" },
        { "dhcp: {classes: [{name: a, match: {client-id: 0x01*02}}]}\n", 1, 47,
          "0x0102*" },
        { "dhcp: {classes: [{name: a, match: {arch: x641}}]}\n", 1, 42,
          "did you mean 'x64'" },
        { "dhcp: {classes: [{name: a, match: {host: nod}}]}\n", 1, 42,
          "no host named 'nod'" },
        { "dhcp: {classes: [{name: a, match: {host: [n*, node2]}}], hosts: [{mac: "
          "\"52:54:00:12:34:56\", hostname: node1}]}\n",
          1, 47, "no host named 'node2'; did you mean 'node1'?" },
        { "dhcp: {classes: [{name: a, match: {mac: zz}}]}\n", 1, 41,
          "beginnings of a MAC" },
        { "dhcp: {classes: [{name: a, match: {relay: 10.0.0.1/8}}]}\n", 1, 43,
          "10.1.0.0/16" },
        { SUBNET "pools: [{range: 10.0.0.1, only: voip}]\n", 5, 39,
          "no class named 'voip'" },
        { SUBNET "pools: {range: 10.0.0.1, except: [voip]}\n  classes: {name: voice, "
                 "match: {arch: x64}}\n",
          5, 41, "no class named 'voip'; did you mean 'voice'?" },
        { SUBNET "pools: [{only: voip}]\n", 5, 16, "needs the key 'range'" },
        { SUBNET "pools: [{range: 10.0.0.1, onli: x}]\n", 5, 33,
          "did you mean 'only'" },
        { SUBNET "renewal-time: 2h\n      rebinding-time: 1h\n", 5, 21,
          "shorter than rebinding" },
        { SUBNET "lease-time: 1h\n      rebinding-time: 1h\n", 6, 23,
          "rebinding-time must be shorter than lease-time" },
        { SUBNET "lease-time: 1h\n      renewal-time: 90m\n", 6, 21,
          "renewal-time must be shorter than lease-time" },
        { SUBNET "lease-time: 1h\n      min-lease-time: 2h\n", 6, 23,
          "min-lease-time is longer than lease-time" },
        { SUBNET "min-lease-time: 2h\n      max-lease-time: 1h\n", 5, 23,
          "min-lease-time is longer than max-lease-time" },
        { SUBNET "interface: a/b\n", 5, 18, "no name of an interface" },
        { SUBNET "relays: [10.0.0.1/8]\n", 5, 16, "10.1.0.0/16" },
        { SUBNET "server-name: "
                 "0123456789012345678901234567890123456789012345678901234567890123\n",
          5, 20, "63 bytes at the most" },
        { SUBNET "lease-time: soon\n", 5, 19, "a duration or infinite, not 'soon'" },
        { SUBNET "lease-time: 0s\n", 5, 19, "at least 1m" },
        { "dhcp: {lease-time: 2d, max-lease-time: 1d}\n", 1, 20,
          "lease-time is longer than max-lease-time" },
        { "dhcp: {lease-time: 99999999w}\n", 1, 20, "a duration or infinite" },
        { "dhcp: {probe-time: 10ms}\n", 1, 20, "from 50ms to 5s, not '10ms'" },
        { "dhcp: {probe-time: 6s}\n", 1, 20, "from 50ms to 5s, not '6s'" },
        { "dhcp: {probe-time: infinite}\n", 1, 20, "must be a duration" },
        { "dhcp: {offer-time: 0s}\n", 1, 20, "from 1s to 1h" },
        { "dhcp: {probe: maybe}\n", 1, 15, "true or false" },
        { "dhcp: {prob: on}\n", 1, 8, "did you mean 'probe'?" },
        { "dhcp: {pxe: {menu: [{file: a}]}}\n", 1, 22, "needs the key 'title'" },
        { "dhcp: {pxe: {menu: [{title: a, type: 65536}]}}\n", 1, 38,
          "a number from 0 to 65535" },
        { "menu: {timeout: infinite}\n", 1, 17, "must be a duration" },
        { "dhcp: {hosts: [{mac: 52:54:00}]}\n", 1, 22, "must be a MAC address" },
        { "media: [/srv\n", 0, 0, "not YAML" },
        { "media: &a [/srv]\nloaders: *a\n", 2, 11, "aliases" },
};

static void a_refusal_names_place_and_remedy(void **state) {
        for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
                const struct refusal *row = &refusals[i];
                struct conf_problems problems;
                struct conf *conf = NULL;
                struct text out = { 0 };
                int r = conf_parse("f", row->text, strlen(row->text), &no_flags, &conf,
                                   &problems);

                conf_problems_format(&problems, &out);
                if (r != CONF_REFUSED || !strstr(text_string(&out), row->says) ||
                    (row->line && (problems.items[0].line != row->line ||
                                   problems.items[0].column != row->column)))
                        fail_msg("row %zu (%s): %d, %s", i, row->says, r,
                                 text_string(&out));
                text_done(&out);
                conf_problems_done(&problems);
        }
}

#define CARDS                                                                          \
        "    - {mac: \"52:54:00:12:34:56\", address: 10.0.0.5, hostname: a}\n"         \
        "    - {mac: \"52:54:00:12:34:5"
#define SERVER                                                                         \
        "dhcp:\n  mode: server\n  subnets: [{subnet: 10.0.0.0/24}, {subnet: "          \
        "10.1.0.0/24}]\n  hosts:\n"

/* What works, but hardly as meant, is told and taken. */
static void what_may_be_a_mistake_is_a_warning(void **state) {
        static const struct {
                const char *text, *says; /* NULL: nothing */
                int line, column;
        } rows[] = {
                { SERVER CARDS "6\", address: 10.0.0.6}\n",
                  "two hosts have the mac '52:54:00:12:34:56': the first one counts", 6,
                  14 },
                { SERVER CARDS "6\", address: 10.1.0.6}\n", NULL, 0, 0 },
                { SERVER CARDS "7\", address: 10.0.0.5}\n",
                  "two hosts have the address '10.0.0.5'", 6, 43 },
                { SERVER CARDS "7\", hostname: a}\n", "two hosts have the hostname 'a'",
                  6, 44 },
                { SERVER CARDS "7\", address: 10.2.0.6}\n",
                  "10.2.0.6 is in none of dhcp.subnets", 6, 43 },
                { SERVER CARDS "7\", address: 10.1.0.255}\n", "broadcast address", 6,
                  43 },
                { SERVER CARDS "7\", address: 10.1.0.254, hostname: b}\n", NULL, 0, 0 },
                { "dhcp:\n  hosts:\n" CARDS "7\", address: 10.2.0.6}\n", NULL, 0, 0 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct conf_problems problems;
                struct conf *conf = NULL;
                struct text out = { 0 };
                int r = conf_parse("f", rows[i].text, strlen(rows[i].text), &no_flags,
                                   &conf, &problems);

                conf_problems_format(&problems, &out);
                if (r != 0 || problems.n != (rows[i].says != NULL) ||
                    (rows[i].says && (!strstr(text_string(&out), rows[i].says) ||
                                      problems.items[0].line != rows[i].line ||
                                      problems.items[0].column != rows[i].column)))
                        fail_msg("row %zu: %d, %s", i, r, text_string(&out));
                conf_free(conf);
                text_done(&out);
                conf_problems_done(&problems);
        }
}

static void what_nobody_said_gives_way_to_what_was_said(void **state) {
        static const struct {
                const char *text;
                nsec_t usual, most;
        } rows[] = {
                { "", 3600, 86400 },
                { "dhcp: {lease-time: 2d}", 172800, 172800 },
                { "dhcp: {lease-time: infinite}", 0, 0 },
                { "dhcp: {max-lease-time: 30m}", 1800, 1800 },
                { "dhcp: {lease-time: 5m, max-lease-time: 30m}", 300, 1800 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct conf *conf = parse(rows[i].text);
                nsec_t usual = conf->dhcp.scope.lease_time,
                       most = conf->dhcp.scope.max_lease_time;

                assert_true(usual == (rows[i].usual ? rows[i].usual * NSEC_PER_SEC
                                                    : NSEC_NEVER));
                assert_true(most ==
                            (rows[i].most ? rows[i].most * NSEC_PER_SEC : NSEC_NEVER));
                conf_free(conf);
        }
}

/* Hosts of a site, each with a mistake or without. */
static void add_site(struct text *out, uint32_t n, bool has_mistakes) {
        text_add(out, "dhcp:\n  mode: server\n  subnets:\n");
        for (uint32_t i = 0; i < 256; i++) {
                text_add(out, "    - {subnet: ");
                text_ip4(out, 0x0a000000 | i << 16);
                text_add(out, "/16, pools: [");
                for (uint32_t j = 0; j < 8; j++) {
                        text_add(out, j ? ", " : "");
                        text_ip4(out, 0x0a00f000 | i << 16 | j << 8);
                }
                text_add(out, "]}\n");
        }
        text_add(out, "  hosts:\n");
        for (uint32_t i = 0; i < n; i++) {
                const struct mac mac = { { 0x52, 0x54, (uint8_t)(i >> 24),
                                           (uint8_t)(i >> 16), (uint8_t)(i >> 8),
                                           (uint8_t)i } };

                text_add(out, "    - {mac: \"");
                text_mac(out, mac);
                text_add(out, "\", address: ");
                text_ip4(out, has_mistakes ? 0xc0a80001 : 0x0a000001 + i);
                text_add(out, ", hostname: node");
                text_u64(out, i);
                text_add(out, "}\n");
        }
}

static void thousands_of_hosts_are_read_and_compared(void **state) {
        enum { HOSTS = 20000 };
        struct text site = { 0 };
        struct conf *conf, *other;

        add_site(&site, HOSTS, false);
        conf = parse(text_string(&site));
        other = parse(text_string(&site));
        assert_int_equal(conf->dhcp.n_hosts, HOSTS);
        assert_int_equal(conf->dhcp.hosts[HOSTS - 1].address, 0x0a000000 + HOSTS);
        assert_int_equal(conf_diff(conf, other), 0);
        conf_free(conf);
        conf_free(other);
        text_done(&site);
}

static void warnings_do_not_keep_errors_out(void **state) {
        struct text site = { 0 }, out = { 0 };
        struct conf_problems problems;
        struct conf *conf = NULL;

        add_site(&site, 1000, true);
        for (unsigned i = 0; i < 60; i++)
                text_add(&site, "    - {hostname: nobody}\n");
        assert_int_equal(conf_parse("f", site.s, site.n, &no_flags, &conf, &problems),
                         CONF_REFUSED);
        assert_int_equal(problems.n_errors, 60);
        assert_int_equal(problems.n, 100);
        conf_problems_format(&problems, &out);
        assert_non_null(strstr(text_string(&out), "... and 10 more\n"));
        conf_problems_done(&problems);
        text_done(&site);
        text_done(&out);
}

static void all_problems_are_told_at_once_with_a_caret(void **state) {
        static const char text[] = "medai: [/srv]\ntftp: {prt: 69}\n";
        struct conf_problems problems;
        struct conf *conf = NULL;
        struct text out = { 0 };

        assert_int_equal(
                conf_parse("b.yaml", text, strlen(text), &no_flags, &conf, &problems),
                CONF_REFUSED);
        conf_problems_format(&problems, &out);
        assert_string_equal(text_string(&out),
                            "b.yaml:1:1: unknown key 'medai'; did you mean 'media'?\n"
                            "    medai: [/srv]\n"
                            "    ^\n"
                            "b.yaml:2:8: unknown key 'prt'; did you mean 'port'?\n"
                            "    tftp: {prt: 69}\n"
                            "           ^\n");
        text_done(&out);
        conf_problems_done(&problems);
}

static void a_bad_flag_is_refused_too(void **state) {
        static const char *const flags[] = { "servr", "10.0.0.9-10.0.0.1", "10.0.0.1",
                                             "10.0.0.1-x", "" };

        for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
                struct conf_flags with = { .dhcp = flags[i] };
                struct conf_problems problems;
                struct conf *conf = NULL;

                assert_int_equal(conf_parse("f", "", 0, &with, &conf, &problems),
                                 CONF_REFUSED);
                assert_non_null(strstr(problems.items[0].message, "--dhcp"));
                conf_problems_done(&problems);
        }
}

static void what_a_reload_changes_is_known(void **state) {
        static const struct {
                const char *a, *b;
                unsigned diff;
        } rows[] = {
                { "", "", 0 },
                { whole, whole, 0 },
                { "", "menu: {title: x}", CONF_DIFF_MENU },
                { "", "http: {port: 8080}", CONF_DIFF_DOORS },
                { "", "http: {root: /i}", CONF_DIFF_SERVING },
                { "", "http: {log-format: common}", CONF_DIFF_SERVING },
                { "", "http: {log-format: combined}", 0 },
                { "", "tftp: {per-source: off}", CONF_DIFF_SERVING },
                { "tftp: {rate: off}", "tftp: {rate: 5}", CONF_DIFF_SERVING },
                { "", "workers: 3", CONF_DIFF_RESTART },
                { "", "https: {port: off}", CONF_DIFF_DOORS },
                { "", "https: {port: 443}", 0 },
                { "", "https: {certificate: /c.pem}", CONF_DIFF_SERVING },
                { "", "https: {key: /k.pem}", CONF_DIFF_SERVING },
                { "", "media: [/a]", CONF_DIFF_FOLDERS },
                { "", "state: /s", CONF_DIFF_RESTART },
                { "", "dhcp: {authoritative: false}", CONF_DIFF_DHCP },
                { "", "dhcp: {no-router: false}", CONF_DIFF_DOORS },
                { "", "dhcp: {mode: off}", CONF_DIFF_DHCP | CONF_DIFF_DOORS },
                { "", "dhcp: {probe: off}", CONF_DIFF_DHCP },
                { "", "dhcp: {probe-time: 1s}", CONF_DIFF_DHCP },
                { "", "dhcp: {decline-time: 2h}", CONF_DIFF_DHCP },
                { "", "dhcp: {offer-time: 2s}", CONF_DIFF_DHCP },
                { "", "dhcp: {lease-time: 2h}", CONF_DIFF_DHCP },
                { "", "dhcp: {lease-time: 1h}", 0 },
                { "", "dhcp: {filename: a}", CONF_DIFF_DHCP },
                { "", "dhcp: {options: {domain-name: a}}", CONF_DIFF_DHCP },
                { "dhcp: {options: {domain-name: a}}",
                  "dhcp: {options: {domain-name: {value: a, always: true}}}",
                  CONF_DIFF_DHCP },
                { "", "dhcp: {pxe: {prompt: F8}}", CONF_DIFF_DHCP },
                { "dhcp: {pxe: {menu: {title: a}}}",
                  "dhcp: {pxe: {menu: {title: a, server: 10.0.0.1}}}", CONF_DIFF_DHCP },
                { "dhcp: {subnets: {subnet: 10.0.0.0/8}}",
                  "dhcp: {subnets: [{subnet: 10.0.0.0/8}]}", 0 },
                { "dhcp: {subnets: [{subnet: 10.0.0.0/8}]}",
                  "dhcp: {subnets: [{subnet: 10.0.0.0/8, relays: 10.0.0.1}]}",
                  CONF_DIFF_DHCP },
                { "dhcp: {subnets: [{subnet: 10.0.0.0/8, pools: 10.0.0.1}]}",
                  "dhcp: {subnets: [{subnet: 10.0.0.0/8, pools: {range: 10.0.0.1}}]}",
                  0 },
                { "dhcp: {subnets: [{subnet: 10.0.0.0/8, pools: 10.0.0.1}]}",
                  "dhcp: {subnets: [{subnet: 10.0.0.0/8, pools: {range: 10.0.0.1, "
                  "bootp: "
                  "true}}]}",
                  CONF_DIFF_DHCP },
                { "dhcp: {classes: {name: a, match: {mac: 52}}}",
                  "dhcp: {classes: {name: a, match: {mac: 53}}}", CONF_DIFF_DHCP },
                { "dhcp: {classes: {name: a, match: {arch: x64}}}",
                  "dhcp: {classes: {name: a, match: {arch: 7}}}", 0 },
                { "dhcp: {hosts: {client-id: abc, ignore: true}}",
                  "dhcp: {hosts: {client-id: 0x616263, ignore: true}}", 0 },
                { "dhcp: {hosts: {circuit-id: abc, ignore: true}}",
                  "dhcp: {hosts: {circuit-id: abcd, ignore: true}}", CONF_DIFF_DHCP },
                { "dhcp: {hosts: {uuid: 4c4c4544-0037-3110-8050-c4c04f4b3332, ignore: "
                  "true}}",
                  "dhcp: {hosts: {uuid: 4c4c4544-0037-3110-8050-c4c04f4b3333, ignore: "
                  "true}}",
                  CONF_DIFF_DHCP },
                { "dhcp: {subnets: [{subnet: 10.0.0.0/8}]}",
                  "dhcp: {subnets: [{subnet: 10.0.0.0/8, pools: 10.0.0.1}]}",
                  CONF_DIFF_DHCP },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct conf *a = parse(rows[i].a), *b = parse(rows[i].b);

                assert_int_equal(conf_diff(a, b), rows[i].diff);
                assert_int_equal(conf_diff(b, a), rows[i].diff);
                conf_free(a);
                conf_free(b);
        }
}

static void the_manual_comes_from_the_table(void **state) {
        struct text out = { 0 };

        conf_options_markdown(&out);
        assert_non_null(strstr(text_string(&out),
                               "| `dhcp.lease-time` | a duration or infinite, at least "
                               "1m | `1h` |"));
        assert_non_null(strstr(text_string(&out),
                               "| `dhcp.probe-time` | a duration, from 50ms to 5s |"));
        text_done(&out);
        conf_options_json(&out);
        assert_non_null(
                strstr(text_string(&out), "{\"key\":\"tftp.port\",\"type\":\"port\""));
        text_done(&out);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_whole_file_is_understood),
                cmocka_unit_test(classes_hosts_and_pools_are_understood),
                cmocka_unit_test(passwords_are_one_or_several),
                cmocka_unit_test(nothing_said_is_all_defaults),
                cmocka_unit_test(flags_win_over_the_file),
                cmocka_unit_test(a_refusal_names_place_and_remedy),
                cmocka_unit_test(what_may_be_a_mistake_is_a_warning),
                cmocka_unit_test(what_nobody_said_gives_way_to_what_was_said),
                cmocka_unit_test(thousands_of_hosts_are_read_and_compared),
                cmocka_unit_test(warnings_do_not_keep_errors_out),
                cmocka_unit_test(all_problems_are_told_at_once_with_a_caret),
                cmocka_unit_test(a_bad_flag_is_refused_too),
                cmocka_unit_test(what_a_reload_changes_is_known),
                cmocka_unit_test(the_manual_comes_from_the_table),
        };

        return check_run("conf", tests);
}
