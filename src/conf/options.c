/*
 * The option table. A new key is a row here; what it means to a reload is in the row.
 */
#include "conf/internal.h"

#define AT(field) .offset = offsetof(struct conf, field)
#define IN(section, field)                                                             \
        .offset = offsetof(struct conf, section.field) - offsetof(struct conf, section)
#define SUBNET(field) .offset = offsetof(struct conf_subnet, field)
#define HOST(field)   .offset = offsetof(struct conf_host, field)

static const char *format(ip4_t address, char out[static IP4_TEXT_MAX]) {
        return ip4_format(address, out);
}

static void check_pool(struct parser *p, const struct doc_node *node,
                       const struct conf_subnet *subnet,
                       const struct conf_range *pool) {
        ip4_t last = subnet->network | ~subnet->mask;
        char a[IP4_TEXT_MAX], b[IP4_TEXT_MAX], c[IP4_TEXT_MAX], d[IP4_TEXT_MAX];

        if (pool->first < subnet->network || pool->last > last)
                problem(p, node, "the pool ", format(pool->first, a), "-",
                        format(pool->last, b), " is not inside its subnet, which is ",
                        format(subnet->network, c), " to ", format(last, d), NULL);
        else if (subnet->mask < 0xfffffffeu &&
                 (pool->first == subnet->network || pool->last == last))
                problem(p, node, "the pool ", format(pool->first, a), "-",
                        format(pool->last, b),
                        " holds the network's own address or its broadcast address; it "
                        "can "
                        "be ",
                        format(subnet->network + 1, c), "-", format(last - 1, d),
                        " at the most", NULL);
}

static void check_subnet(struct parser *p, const struct doc_node *node, void *item) {
        struct conf_subnet *subnet = item;
        const struct doc_node *pools = doc_get(node, "pools");

        if (!doc_get(node, "subnet")) {
                problem(p, node,
                        "a subnet needs the key 'subnet', such as 192.168.1.0/24",
                        NULL);
                return;
        }
        for (size_t i = 0; subnet->mask && i < subnet->n_pools; i++) {
                check_pool(p, pools->kind == DOC_LIST ? &pools->items[i] : pools,
                           subnet, &subnet->pools[i]);
                for (size_t j = 0; j < i; j++)
                        if (subnet->pools[i].first <= subnet->pools[j].last &&
                            subnet->pools[j].first <= subnet->pools[i].last)
                                problem(p, pools, "two pools of one subnet overlap",
                                        NULL);
        }
        if (subnet->lease_time < 60 * NSEC_PER_SEC)
                problem(p, doc_get(node, "lease-time"),
                        "lease-time must be at least 1m", NULL);
        if (subnet->max_lease_time < subnet->lease_time) {
                if (doc_get(node, "max-lease-time"))
                        problem(p, doc_get(node, "max-lease-time"),
                                "max-lease-time is shorter than lease-time", NULL);
                else
                        subnet->max_lease_time = subnet->lease_time;
        }
}

static void check_host(struct parser *p, const struct doc_node *node, void *item) {
        if (!doc_get(node, "mac"))
                problem(p, node, "a host needs the key 'mac'", NULL);
        if (!doc_get(node, "address"))
                problem(p, node, "a host needs the key 'address'", NULL);
}

static void check_machine(struct parser *p, const struct doc_node *node, void *item) {
        if (!doc_get(node, "mac"))
                problem(p, node, "a machine needs the key 'mac'", NULL);
}

static const struct option subnet_keys[] = {
        { "subnet", &type_network, NULL, "the network this is about", SUBNET(network) },
        { "pools", &type_ranges, NULL, "addresses to give to whoever asks",
          SUBNET(pools) },
        { "bootp", &type_bool, "false",
          "give addresses of the pools to BOOTP clients too", SUBNET(bootp) },
        { "lease-time", &type_duration, "1h",
          "for a client that does not ask for a time", SUBNET(lease_time) },
        { "max-lease-time", &type_duration, "24h", "the most a client can ask for",
          SUBNET(max_lease_time) },
        { "options", &type_dhcp_options, NULL,
          "what clients are told: routers, domain-name-servers, ...", SUBNET(options) },
        { "next-server", &type_address, NULL,
          "the TFTP server; this one when not given", SUBNET(next_server) },
        { "filename", &type_filename, "",
          "the boot file, instead of the automatic choice", SUBNET(filename) },
        { 0 },
};

static const struct option host_keys[] = {
        { "mac", &type_mac, NULL, "the machine", HOST(mac) },
        { "address", &type_address, NULL, "the address that is always its own",
          HOST(address) },
        { "hostname", &type_text, "", "the name it is told", HOST(hostname) },
        { 0 },
};

static const struct option machine_keys[] = {
        { "mac", &type_mac, NULL, "the machine",
          .offset = offsetof(struct conf_machine, mac) },
        { "boot", &type_text, "", "the menu entry that is its default",
          .offset = offsetof(struct conf_machine, boot) },
        { "once", &type_later, NULL, "forget an assignment after it was booted once" },
        { 0 },
};

static const struct option dhcp_keys[] = {
        { "mode", &type_mode, "proxy",
          "proxy: beside somebody else's DHCP server; server: give addresses; off",
          IN(dhcp, mode) },
        { "authoritative", &type_bool, "true",
          "refuse (NAK) addresses that are wrong on this wire, also other servers'",
          IN(dhcp, authoritative) },
        { "subnets", &type_maps, NULL, "where addresses are given", IN(dhcp, subnets),
          .keys = subnet_keys, .item_size = sizeof(struct conf_subnet),
          .check = check_subnet },
        { "hosts", &type_maps, NULL, "machines with an address of their own",
          IN(dhcp, hosts), .keys = host_keys, .item_size = sizeof(struct conf_host),
          .check = check_host },
        { 0 },
};

static const struct option tftp_keys[] = {
        { "port", &type_port, "69", "off closes the door", IN(tftp, port),
          .diff = CONF_DIFF_DOORS },
        { "per-source", &type_count, "11", "transfers at a time from one address",
          IN(tftp, per_source), .diff = CONF_DIFF_SERVING },
        { "rate", &type_count, "100", "new requests a second from one address",
          IN(tftp, rate), .diff = CONF_DIFF_SERVING },
        { 0 },
};

static const struct option http_keys[] = {
        { "port", &type_port, "80", "off closes the door", IN(http, port),
          .diff = CONF_DIFF_DOORS },
        { "index", &type_bool, "true", "list folders", IN(http, index),
          .diff = CONF_DIFF_SERVING },
        { "access-log", &type_path, "", "a file of requests, in the combined format",
          IN(http, access_log), .diff = CONF_DIFF_FOLDERS },
        { "root", &type_url_path, "",
          "where a path is looked for that is not found at the top", IN(http, root),
          .diff = CONF_DIFF_SERVING },
        { 0 },
};

static const struct option menu_keys[] = {
        { "title", &type_text, "Bootjack", "above the menu", IN(menu, title) },
        { "timeout", &type_duration, "10s",
          "until the default starts; 0s waits for ever", IN(menu, timeout) },
        { "default", &type_text, "local", "local, first, or the name of an entry",
          IN(menu, initial) },
        { "serial", &type_serial, "", "also show loaders and kernels here",
          IN(menu, serial) },
        { 0 },
};

const struct option conf_options[] = {
        { "interfaces", &type_names, NULL, "where to serve; every one that is up",
          AT(interfaces), .diff = CONF_DIFF_DOORS },
        { "state", &type_path, "/var/lib/bootjack", "the folder of leases and history",
          AT(state), .diff = CONF_DIFF_RESTART },
        { "user", &type_text, "bootjack",
          "who to run as; nobody when there is no such user", AT(user),
          .diff = CONF_DIFF_RESTART },
        { "root", &type_path, "", "your own files; they win over anything generated",
          AT(root), .diff = CONF_DIFF_FOLDERS },
        { "media", &type_paths, NULL, "ISOs, folders of ISOs, extracted trees",
          AT(media), .diff = CONF_DIFF_FOLDERS },
        { "loaders", &type_paths, NULL,
          "folders of loaders, searched before the system's own", AT(loaders),
          .diff = CONF_DIFF_FOLDERS },
        { "dhcp", &type_map, NULL, "addresses, and what firmware is told to load",
          AT(dhcp), .keys = dhcp_keys, .diff = CONF_DIFF_DHCP },
        { "tftp", &type_map, NULL, "the door for firmware and old loaders", AT(tftp),
          .keys = tftp_keys },
        { "http", &type_map, NULL, "the door for everything else", AT(http),
          .keys = http_keys },
        { "ftp", &type_later, NULL, "serve FTP" },
        { "menu", &type_map, NULL, "what the person at the machine sees", AT(menu),
          .keys = menu_keys, .diff = CONF_DIFF_MENU },
        { "machines", &type_maps, NULL, "what single machines boot", AT(machines),
          .keys = machine_keys, .item_size = sizeof(struct conf_machine),
          .check = check_machine, .diff = CONF_DIFF_MENU },
        { 0 },
};
