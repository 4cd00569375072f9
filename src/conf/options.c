/*
 * The option table. A new key is a row here; what it means to a reload is in the row.
 */
#include "conf/internal.h"

#define AT(field) .offset = offsetof(struct conf, field)
#define IN(section, field)                                                             \
        .offset = offsetof(struct conf, section.field) - offsetof(struct conf, section)
#define SUBNET(field) .offset = offsetof(struct scope_subnet, field)
#define CLASS(field)  .offset = offsetof(struct scope_class, field)
#define MATCH(field)  .offset = offsetof(struct scope_match, field)
#define HOST(field)   .offset = offsetof(struct scope_host, field)
#define PXE(field)    .offset = offsetof(struct scope_pxe, field)
#define ITEM(field)   .offset = offsetof(struct scope_pxe_item, field)

/* What every scope can say. AT gives the place of a member in the whole. */
#define SCOPE_KEYS(AT, lease_default, max_default)                                     \
        { "lease-time",         &type_time,                                            \
          lease_default,        "for a client that does not ask for a time",           \
          AT(scope.lease_time), .least = "1m" },                                       \
                { "min-lease-time",                                                    \
                  &type_time,                                                          \
                  NULL,                                                                \
                  "the least that a client can ask for",                               \
                  AT(scope.min_lease_time),                                            \
                  .least = "1s" },                                                     \
                { "max-lease-time",                                                    \
                  &type_time,                                                          \
                  max_default,                                                         \
                  "the most that a client can ask for",                                \
                  AT(scope.max_lease_time),                                            \
                  .least = "1m" },                                                     \
                { "renewal-time",                                                      \
                  &type_time,                                                          \
                  NULL,                                                                \
                  "when a client renews (T1); half of its lease",                      \
                  AT(scope.renewal_time),                                              \
                  .least = "1s" },                                                     \
                { "rebinding-time",                                                    \
                  &type_time,                                                          \
                  NULL,                                                                \
                  "when it asks every server (T2); seven eighths of its lease",        \
                  AT(scope.rebinding_time),                                            \
                  .least = "1s" },                                                     \
                { "options", &type_dhcp_options, NULL,                                 \
                  "what clients are told: routers, domain-name-servers, ...",          \
                  AT(scope.options) },                                                 \
                { "next-server", &type_address, NULL,                                  \
                  "the TFTP server; this one when not given", AT(scope.next_server) }, \
                { "filename", &type_filename, "",                                      \
                  "the boot file, instead of the automatic choice",                    \
                  AT(scope.filename) },                                                \
                { "loader", &type_loader, "auto",                                      \
                  "the kind of loader, instead of the automatic choice",               \
                  AT(scope.loader) },                                                  \
                { "secure-boot", &type_secure, NULL, "true: only signed loaders",      \
                  AT(scope.secure_boot) },                                             \
                { "reply-delay",                                                       \
                  &type_duration,                                                      \
                  NULL,                                                                \
                  "answers wait so long, for firmware that misses quick ones",         \
                  AT(scope.reply_delay),                                               \
                  .most = "10s" },                                                     \
        {                                                                              \
                "server-name", &type_server_name, "",                                  \
                        "the boot server's name, for clients that look for one",       \
                        AT(scope.server_name)                                          \
        }

#define IN_DHCP(field) IN(dhcp, field)

static void check_item(struct parser *p, const struct doc_node *node, void *item) {
        if (!doc_get(node, "title"))
                problem(p, node, "an item of the menu needs the key 'title'", NULL);
}

static void check_machine(struct parser *p, const struct doc_node *node, void *item) {
        if (!doc_get(node, "mac") && !doc_get(node, "uuid") && !doc_get(node, "class"))
                problem(p, node, "a machine needs the key 'mac', 'uuid' or 'class'",
                        NULL);
}

static const struct option subnet_keys[] = {
        { "subnet", &type_network, NULL, "the network this is about", SUBNET(network) },
        { "interface", &type_interface, "",
          "where its clients are, when that has no address in it", SUBNET(interface) },
        { "shared-network", &type_text, "",
          "subnets with one name here are one wire: a client may get an address of any",
          SUBNET(shared_network) },
        { "relays", &type_networks, NULL,
          "relays that speak for it from addresses outside of it", SUBNET(relays) },
        { "pools", &type_pools, NULL,
          "addresses to give to whoever asks: ranges, or maps with range, only and "
          "except (names of classes) and bootp",
          SUBNET(pools) },
        { "bootp", &type_bool, "false",
          "give addresses of the pools to BOOTP clients too", SUBNET(bootp) },
        SCOPE_KEYS(SUBNET, NULL, NULL),
        { 0 },
};

static const struct option match_keys[] = {
        { "vendor-class", &type_globs, NULL, "option 60; '*' and '?' as in a shell",
          MATCH(vendor_class) },
        { "user-class", &type_globs, NULL, "option 77", MATCH(user_class) },
        { "client-id", &type_globs, NULL, "option 61", MATCH(client_id) },
        { "circuit-id", &type_globs, NULL,
          "the port of the relay or switch (option 82, 1)", MATCH(circuit_id) },
        { "remote-id", &type_globs, NULL, "the relay's name (option 82, 2)",
          MATCH(remote_id) },
        { "host", &type_globs, NULL, "the hostname of an entry of dhcp.hosts",
          MATCH(host) },
        { "arch", &type_archs, NULL, "bios, x64, arm64, ... or a number (option 93)",
          MATCH(arch) },
        { "mac", &type_prefixes, NULL, "how the MAC begins", MATCH(mac) },
        { "relay", &type_networks, NULL, "the relay's address (giaddr)", MATCH(relay) },
        { "subnet", &type_networks, NULL, "where it asks for an address",
          MATCH(subnet) },
        { 0 },
};

static const struct option class_keys[] = {
        { "name", &type_text, "", "for pools and for people", CLASS(name) },
        { "match", &type_map, NULL,
          "whom it means: of every key given, something must fit", CLASS(match),
          .keys = match_keys },
        SCOPE_KEYS(CLASS, NULL, NULL),
        { 0 },
};

static const struct option host_keys[] = {
        { "mac", &type_mac, NULL, "the machine, by its card", HOST(mac) },
        { "client-id", &type_bytes, NULL,
          "or by its client identifier: a text, or bytes as 0x01525400123456",
          HOST(client_id) },
        { "uuid", &type_uuid, NULL, "or by the UUID of its firmware", HOST(has_uuid) },
        { "circuit-id", &type_bytes, NULL,
          "or by the port of the relay that it is plugged into", HOST(circuit_id) },
        { "address", &type_address, NULL, "the address that is always its own",
          HOST(address) },
        { "hostname", &type_text, "", "the name it is told", HOST(hostname) },
        { "ignore", &type_bool, "false", "never answer it", HOST(is_ignored) },
        SCOPE_KEYS(HOST, NULL, NULL),
        { 0 },
};

static const struct option pxe_item_keys[] = {
        { "title", &type_text, "", "what the person sees", ITEM(title) },
        { "type", &type_u16, "1", "of boot server; 0 is the local disk", ITEM(type) },
        { "file", &type_filename, "", "the boot file; the automatic choice",
          ITEM(file) },
        { "server", &type_address, NULL, "the boot server; this one", ITEM(server) },
        { 0 },
};

static const struct option pxe_keys[] = {
        { "prompt", &type_text, "", "shown until the timeout: Press F8 ...",
          PXE(prompt) },
        { "timeout", &type_time, "0s",
          "until the first item is taken; infinite waits for a key", PXE(timeout) },
        { "automatic", &type_bool, "false",
          "two items when none are given: the boot menu, and the local disk",
          PXE(is_automatic) },
        { "menu", &type_maps, NULL, "the items", PXE(items), .keys = pxe_item_keys,
          .item_size = sizeof(struct scope_pxe_item), .check = check_item },
        { 0 },
};

static const struct option machine_keys[] = {
        { "mac", &type_mac, NULL, "the machine",
          .offset = offsetof(struct conf_machine, mac) },
        { "uuid", &type_uuid, NULL, "or by the UUID of its firmware",
          .offset = offsetof(struct conf_machine, has_uuid) },
        { "class", &type_text, "", "or all machines of a class of `dhcp.classes`",
          .offset = offsetof(struct conf_machine, class) },
        { "loader", &type_loader, "auto",
          "the kind of loader, instead of the automatic choice",
          .offset = offsetof(struct conf_machine, loader) },
        { "secure-boot", &type_secure, NULL, "true: only signed loaders",
          .offset = offsetof(struct conf_machine, secure_boot) },
        { "timeout", &type_duration, "1s", "until `boot` starts; 0s waits for ever",
          .offset = offsetof(struct conf_machine, timeout) },
        { "boot", &type_text, "", "the menu entry that is its default",
          .offset = offsetof(struct conf_machine, boot) },
        { "once", &type_bool, "false",
          "boot it once: the next time the local disk is its default",
          .offset = offsetof(struct conf_machine, once) },
        { "memory", &type_size, NULL,
          "how much it has, where its loader cannot tell: 2G, 512M",
          .offset = offsetof(struct conf_machine, memory) },
        { 0 },
};

static const struct option dhcp_keys[] = {
        { "mode", &type_mode, "proxy",
          "proxy: beside somebody else's DHCP server; server: give addresses; off",
          IN(dhcp, mode) },
        { "authoritative", &type_bool, "true",
          "refuse (NAK) addresses that are wrong on this wire, also other servers'",
          IN(dhcp, authoritative) },
        { "no-router", &type_bool, "true",
          "tell iPXE that there is no router of IPv6 where none answers it: it waits "
          "15 s for one",
          IN(dhcp, no_router), .diff = CONF_DIFF_DOORS },
        { "probe", &type_bool, "true",
          "ask the wire whether somebody has an address before it is first offered",
          IN(dhcp, probe) },
        { "probe-time", &type_duration, "500ms",
          "how long an answer to that is waited for", IN(dhcp, probe_time),
          .least = "50ms", .most = "5s" },
        { "decline-time", &type_time, "1h",
          "how long an address rests that somebody else uses", IN(dhcp, decline_time),
          .least = "1s" },
        { "offer-time", &type_duration, "60s", "how long an offer holds an address",
          IN(dhcp, offer_time), .least = "1s", .most = "1h" },
        SCOPE_KEYS(IN_DHCP, "1h", "24h"),
        { "subnets", &type_maps, NULL, "where addresses are given", IN(dhcp, subnets),
          .keys = subnet_keys, .item_size = sizeof(struct scope_subnet),
          .check = check_subnet },
        { "classes", &type_maps, NULL, "clients that are told something else",
          IN(dhcp, classes), .keys = class_keys,
          .item_size = sizeof(struct scope_class), .check = check_class },
        { "hosts", &type_maps, NULL, "single machines, with addresses of their own",
          IN(dhcp, hosts), .keys = host_keys, .item_size = sizeof(struct scope_host),
          .check = check_host },
        { "pxe", &type_map, NULL, "a menu that firmware itself shows", IN(dhcp, pxe),
          .keys = pxe_keys },
        { 0 },
};

static const struct option tftp_keys[] = {
        { "port", &type_port, "69", "off closes the door", IN(tftp, port),
          .diff = CONF_DIFF_DOORS },
        { "per-source", &type_limit, "11", "transfers at a time from one address",
          IN(tftp, per_source), .diff = CONF_DIFF_SERVING },
        { "rate", &type_limit, "100", "new requests a second from one address",
          IN(tftp, rate), .diff = CONF_DIFF_SERVING },
        { "max-blksize", &type_blksize, "65464",
          "bytes of a file in one datagram; never more than the way to the client "
          "takes",
          IN(tftp, max_blksize), .diff = CONF_DIFF_SERVING },
        { "port-range", &type_ports, "any",
          "where transfers run, for a firewall without connection tracking",
          IN(tftp, port_range), .diff = CONF_DIFF_SERVING },
        { "single-port", &type_bool, "false",
          "transfers run on `port` itself, for address translation and containers",
          IN(tftp, single_port), .diff = CONF_DIFF_SERVING },
        { 0 },
};

static const struct option http_keys[] = {
        { "port", &type_port, "80", "off closes the door", IN(http, port),
          .diff = CONF_DIFF_DOORS },
        { "index", &type_bool, "true", "list folders", IN(http, index),
          .diff = CONF_DIFF_SERVING },
        { "access-log", &type_path, "", "a file of requests, a line each",
          IN(http, access_log), .diff = CONF_DIFF_FOLDERS },
        { "per-source", &type_limit, "64", "connections at a time from one address",
          IN(http, per_source), .diff = CONF_DIFF_SERVING },
        { "connections", &type_limit, "16384",
          "connections at a time in each worker; then those go that idled longest",
          IN(http, connections), .diff = CONF_DIFF_SERVING },
        { "min-rate", &type_limit, "500",
          "bytes a second that a client takes after its first minute, or is cut off",
          IN(http, min_rate), .diff = CONF_DIFF_SERVING },
        { "log-format", &type_log_format, "combined",
          "common: without referer and user agent", IN(http, log_is_combined),
          .diff = CONF_DIFF_SERVING },
        { "root", &type_url_path, "",
          "where a path is looked for that is not found at the top", IN(http, root),
          .diff = CONF_DIFF_SERVING },
        { 0 },
};

static const struct option https_keys[] = {
        { "port", &type_port, "443", "off closes the door", IN(https, port),
          .diff = CONF_DIFF_DOORS },
        { "certificate", &type_path, "",
          "a PEM file: the certificate and what leads to its root; one of an authority "
          "of our own, kept in `state`, when not given",
          IN(https, certificate), .diff = CONF_DIFF_SERVING },
        { "key", &type_path, "", "its key, as PEM; in the file of the certificate",
          IN(https, key), .diff = CONF_DIFF_SERVING },
        { 0 },
};

static const struct option ftp_keys[] = {
        { "port", &type_port, "off", "21; off closes the door", IN(ftp, port),
          .diff = CONF_DIFF_DOORS },
        { "port-range", &type_ports, "any",
          "where clients find passive data connections, for a firewall that does not "
          "look into FTP; any is 49152-65535",
          IN(ftp, port_range), .diff = CONF_DIFF_DOORS },
        { "per-source", &type_limit, "32", "connections at a time from one address",
          IN(ftp, per_source), .diff = CONF_DIFF_SERVING },
        { "idle-timeout", &type_duration, "5m", "until a client without a word is left",
          IN(ftp, idle_timeout), .least = "5s", .most = "1d",
          .diff = CONF_DIFF_SERVING },
        { "min-rate", &type_limit, "500",
          "bytes a second that a client takes after its first minute, or is cut off",
          IN(ftp, min_rate), .diff = CONF_DIFF_SERVING },
        { "root", &type_url_path, "",
          "where a path is looked for that is not found at the top", IN(ftp, root),
          .diff = CONF_DIFF_SERVING },
        { 0 },
};

static const struct option nfs_keys[] = {
        { "mode", &type_when, "auto",
          "auto: on when a medium in the menu needs it; on; off", IN(nfs, mode),
          .diff = CONF_DIFF_DOORS },
        { "port", &type_port, "2049", "of NFS and MOUNT, by TCP and UDP", IN(nfs, port),
          .diff = CONF_DIFF_DOORS },
        { "portmap", &type_port, "111",
          "of the port mapper; off: clients are told the port by mount options",
          IN(nfs, portmap), .diff = CONF_DIFF_DOORS },
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
        { "submenus", &type_when, "auto",
          "a sub-menu for each system: auto when there are many entries; on; off",
          IN(menu, submenus) },
        { "password", &type_passwords, NULL,
          "asked for by what is locked: a text, or hashes for pxelinux ($6$...) and "
          "GRUB "
          "(grub.pbkdf2...)",
          IN(menu, password) },
        { "locked", &type_lock, "entries",
          "entries: all but the disk and the default, and command lines; editing: "
          "command lines alone",
          IN(menu, locks_entries) },
        { "tools", &type_bool, "true",
          "a sub-menu of memory test, shells, restart and the like", IN(menu, tools) },
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
        { "workers", &type_workers, "2",
          "processes that serve files; a client is always served by the same one",
          AT(workers), .diff = CONF_DIFF_RESTART },
        { "recipes", &type_path, "/etc/bootjack/recipes",
          "a folder of recipes of your own, asked before ours", AT(recipes),
          .diff = CONF_DIFF_FOLDERS },
        { "loaders", &type_paths, NULL,
          "folders of loaders, searched before the system's own", AT(loaders),
          .diff = CONF_DIFF_FOLDERS },
        { "secure-boot", &type_secure, NULL,
          "true: only signed loaders, for every machine that is not told otherwise",
          AT(secure_boot), .diff = CONF_DIFF_DHCP },
        { "dhcp", &type_map, NULL, "addresses, and what firmware is told to load",
          AT(dhcp), .keys = dhcp_keys, .diff = CONF_DIFF_DHCP },
        { "tftp", &type_map, NULL, "the door for firmware and old loaders", AT(tftp),
          .keys = tftp_keys },
        { "http", &type_map, NULL, "the door for everything else", AT(http),
          .keys = http_keys },
        { "https", &type_map, NULL, "the same, encrypted", AT(https),
          .keys = https_keys },
        { "ftp", &type_map, NULL, "the door for installers of before, when asked for",
          AT(ftp), .keys = ftp_keys },
        { "nfs", &type_map, NULL, "the door for live systems that read as they run",
          AT(nfs), .keys = nfs_keys },
        { "menu", &type_map, NULL, "what the person at the machine sees", AT(menu),
          .keys = menu_keys, .diff = CONF_DIFF_MENU },
        { "machines", &type_maps, NULL, "what single machines boot", AT(machines),
          .keys = machine_keys, .item_size = sizeof(struct conf_machine),
          .check = check_machine, .diff = CONF_DIFF_MENU },
        { 0 },
};
