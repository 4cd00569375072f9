/*
 * Interfaces and sockets. DHCP's sockets are bound to their interface, so that one on
 * another wire is none of our business; those of files are bound to the interface's
 * address, once for each worker.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"
#include "io/icmp6.h"
#include "io/packet.h"
#include "io/probe.h"
#include "io/tcp.h"
#include "io/udp.h"
#include "role/parent.h"

enum { DHCP_PORT = 67, CLIENT_PORT = 68, BINL_PORT = 4011, STATUS_MAX = 50000 };

static const struct net_interface *find_interface(const struct net_interface *all,
                                                  size_t n, const char *name) {
        for (size_t i = 0; i < n; i++)
                if (strcmp(all[i].name, name) == 0)
                        return &all[i];
        return NULL;
}

static int no_such_interface(const char *name, const struct net_interface *all,
                             size_t n) {
        struct text names = { 0 };
        int r;

        for (size_t i = 0; i < n; i++) {
                text_add(&names, i > 0 ? ", " : "");
                text_add(&names, all[i].name);
        }
        r = parent_fail("there is no interface '%s'; this machine has: %s", name,
                        text_string(&names));
        text_done(&names);
        return r;
}

static void choose(struct parent *parent, const struct net_interface *interface) {
        if (parent->n_interfaces < PARENT_INTERFACES_MAX && interface->address != 0)
                parent->interfaces[parent->n_interfaces++] = *interface;
}

/* The pools must lie on some wire we serve, or nobody would ever get an address. */
static int check_pools(struct parent *parent) {
        const struct conf *conf = parent->conf;

        if (conf->dhcp.mode != CONF_DHCP_SERVER)
                return 0;
        for (size_t i = 0; i < conf->dhcp.n_subnets; i++) {
                const struct scope_subnet *subnet = &conf->dhcp.subnets[i];
                ip4_t first =
                        subnet->n_pools ? subnet->pools[0].first : subnet->network;
                char text[IP4_TEXT_MAX], own[IP4_TEXT_MAX];
                bool found = false;

                for (size_t j = 0; j < parent->n_interfaces; j++)
                        found |= net_is_near(&parent->interfaces[j], first);
                if (!found && subnet->mask == 0 && parent->n_interfaces > 0)
                        return parent_fail(
                                "--dhcp: %s is on no network of an interface served "
                                "here; %s has %s",
                                ip4_format(first, text), parent->interfaces[0].name,
                                ip4_format(parent->interfaces[0].address, own));
                if (!found)
                        fprintf(stderr,
                                "bootjack: warning: the subnet of %s is on no "
                                "interface served here; only a relay brings its "
                                "machines\n",
                                ip4_format(first, text));
        }
        return 0;
}

int parent_choose_interfaces(struct parent *parent) {
        struct net_interface all[64];
        int n = net_interfaces(all, ARRAY_SIZE(all));
        const struct conf_texts *wanted = &parent->conf->interfaces;

        if (n < 0)
                return parent_fail("cannot list the interfaces: %s", strerror(-n));
        parent->n_interfaces = 0;
        for (size_t i = 0; i < wanted->n; i++) {
                const struct net_interface *interface =
                        find_interface(all, (size_t)n, wanted->items[i]);

                if (!interface)
                        return no_such_interface(wanted->items[i], all, (size_t)n);
                choose(parent, interface);
        }
        for (int i = 0; wanted->n == 0 && i < n; i++)
                if (all[i].is_up && !all[i].is_loopback)
                        choose(parent, &all[i]);
        if (parent->n_interfaces == 0 && wanted->n > 0)
                return parent_fail(
                        "the interface '%s' has no IPv4 address; give it one: "
                        "ip address add 192.168.1.6/24 dev %s",
                        wanted->items[0], wanted->items[0]);
        if (parent->n_interfaces == 0)
                return parent_fail("no interface is up with an IPv4 address; name one "
                                   "with --interface");
        return check_pools(parent);
}

static bool is_nfs(const struct parent_door *door) {
        return door->socket.door >= IPC_DOOR_NFS &&
               door->socket.door <= IPC_DOOR_PORTMAP_UDP;
}

static bool is_portmap(const struct parent_door *door) {
        return door->socket.door == IPC_DOOR_PORTMAP ||
               door->socket.door == IPC_DOOR_PORTMAP_UDP;
}

/* Those of files are bound to an address; DHCP's to their interface, whatever address
 * it has. */
static bool is_bound_to_address(const struct parent_door *door) {
        return door->socket.door == IPC_DOOR_TFTP ||
               door->socket.door == IPC_DOOR_HTTP ||
               door->socket.door == IPC_DOOR_HTTPS ||
               door->socket.door == IPC_DOOR_FTP || is_nfs(door);
}

/* What listens beside another server goes on doing so, where that is allowed. */
static bool is_same_kind(const struct parent *parent, uint32_t open, uint32_t planned) {
        return open == planned ||
               (open == IPC_DOOR_BESIDE && planned == IPC_DOOR_DHCP &&
                parent->conf->dhcp.mode == CONF_DHCP_PROXY);
}

static bool is_same_door(const struct parent *parent, const struct parent_door *a,
                         const struct parent_door *b) {
        return a->role == b->role && a->index == b->index &&
               is_same_kind(parent, a->socket.door, b->socket.door) &&
               a->socket.ifindex == b->socket.ifindex &&
               a->socket.port == b->socket.port &&
               ((a->socket.address == b->socket.address &&
                 ip6_is_equal(a->socket.address6, b->socket.address6)) ||
                !is_bound_to_address(a));
}

static bool is_planned(const struct parent_door *door) {
        return door->socket.door != IPC_DOOR_CONTROL &&
               door->socket.door != IPC_DOOR_LOG;
}

static bool has_link_layer(const struct parent *parent, int ifindex) {
        for (size_t i = 0; i < parent->n_interfaces; i++)
                if (parent->interfaces[i].ifindex == ifindex)
                        return parent->interfaces[i].has_link_layer;
        return false;
}

/* A proxy may share its host with the DHCP server, who has port 67 then. A second
 * socket on it would take the server's datagrams away; one that only overhears them
 * does not. */
static int open_beside(struct parent *parent, struct parent_door *door) {
        struct event event = { .kind = EVENT_DOOR_BESIDE };
        int r = packet_open_dhcp(door->socket.ifindex, DHCP_PORT, &door->fd);

        if (r < 0)
                return r;
        door->socket.door = IPC_DOOR_BESIDE;
        event.values[0] = (struct event_value)EVENT_U64(door->socket.port);
        event.values[1] = (struct event_value)EVENT_TEXT(door->socket.interface);
        parent_event(parent, &event);
        return 0;
}

static int open_dhcp(struct parent *parent, struct parent_door *door) {
        const struct udp_endpoint at = { 0, (uint16_t)door->socket.port };
        int r = udp_open(at, door->socket.interface, UDP_BROADCAST, &door->fd);

        if (r == -EADDRINUSE && door->socket.door == IPC_DOOR_DHCP &&
            parent->conf->dhcp.mode == CONF_DHCP_PROXY &&
            has_link_layer(parent, door->socket.ifindex))
                return open_beside(parent, door);
        if (r == 0)
                net_grow_buffers(door->fd);
        return r;
}

static int open_door(struct parent *parent, struct parent_door *door) {
        struct udp_endpoint at = ipc_socket_at(&door->socket);
        int r;

        switch (door->socket.door) {
        case IPC_DOOR_DHCP:
        case IPC_DOOR_BINL:
                return open_dhcp(parent, door);
        case IPC_DOOR_HEARD:
                return packet_open_dhcp(door->socket.ifindex, CLIENT_PORT, &door->fd);
        case IPC_DOOR_ROUTED:
                return packet_open_routed(&door->fd);
        case IPC_DOOR_ICMP6:
                return icmp6_open(door->socket.interface, door->socket.ifindex,
                                  &door->fd);
        case IPC_DOOR_ARP:
                return probe_open_arp(&door->fd);
        case IPC_DOOR_ICMP:
                return probe_open_icmp(&door->fd);
        case IPC_DOOR_TFTP:
        case IPC_DOOR_NFS_UDP:
        case IPC_DOOR_PORTMAP_UDP:
                r = udp_open(at, NULL, UDP_REUSEPORT, &door->fd);
                break;
        case IPC_DOOR_HTTP:
        case IPC_DOOR_HTTPS:
        case IPC_DOOR_FTP:
        case IPC_DOOR_NFS:
        case IPC_DOOR_PORTMAP:
                r = tcp_listen(at, UDP_REUSEPORT, &door->fd);
                break;
        default:
                return net_raw_open(&door->fd);
        }
        /* A thousand machines that are switched on together ask together. */
        if (r == 0 && door->socket.door == IPC_DOOR_TFTP)
                net_grow_buffers(door->fd);
        if (r == 0)
                net_share_by_source(door->fd, parent->n_workers, udp_is_six(&at));
        return r;
}

static int report(struct parent *parent, const struct parent_door *door, int r,
                  bool strict) {
        static const char *const key[IPC_N_DOORS] = {
                [IPC_DOOR_DHCP] = "stop it, or use --dhcp off",
                [IPC_DOOR_BINL] = "stop it, or use --dhcp off",
                [IPC_DOOR_TFTP] = "stop it, or set tftp.port in the configuration",
                [IPC_DOOR_HTTP] = "stop it, or set http.port in the configuration",
                [IPC_DOOR_HTTPS] = "stop it, or set https.port in the configuration",
                [IPC_DOOR_FTP] = "stop it, or set ftp.port in the configuration",
                [IPC_DOOR_NFS] = "stop it, or set nfs.port in the configuration",
                [IPC_DOOR_NFS_UDP] = "stop it, or set nfs.port in the configuration",
                [IPC_DOOR_PORTMAP] =
                        "stop it, or set nfs.portmap: off (it takes no registration)",
                [IPC_DOOR_PORTMAP_UDP] =
                        "stop it, or set nfs.portmap: off (it takes no registration)",
        };
        const char *name = ipc_door_name((enum ipc_door)door->socket.door);
        char at[IP6_TEXT_MAX], sentence[256];
        struct event event = { .kind = EVENT_DOOR_FAILED };

        if (door->socket.address || ip6_is_zero(door->socket.address6))
                ip4_format(door->socket.address, at);
        else
                ip6_format(door->socket.address6, at);
        if (r == -EADDRINUSE)
                snprintf(sentence, sizeof(sentence),
                         "port %u (%s) on %s, %s, is in use by another program; %s",
                         door->socket.port, name, door->socket.interface, at,
                         key[door->socket.door]);
        else if (door->socket.port == 0)
                snprintf(sentence, sizeof(sentence),
                         "the packet socket (%s) cannot be opened: %s; run bootjack as "
                         "root, or give it CAP_NET_RAW",
                         name, strerror(-r));
        else if (r == -EACCES || r == -EPERM)
                snprintf(
                        sentence, sizeof(sentence),
                        "port %u (%s) may not be opened: run bootjack as root, or give "
                        "it CAP_NET_BIND_SERVICE and CAP_NET_RAW",
                        door->socket.port, name);
        else
                snprintf(sentence, sizeof(sentence), "port %u (%s) on %s, %s: %s",
                         door->socket.port, name, door->socket.interface, at,
                         strerror(-r));
        if (strict)
                return parent_fail("%s", sentence);
        event.values[0] = (struct event_value)EVENT_TEXT(sentence);
        parent_event(parent, &event);
        return 0;
}

/* Those that belong to no interface. */
static size_t plan_common(const struct conf *conf, struct parent_door *ret) {
        static const enum ipc_door server[] = { IPC_DOOR_ARP, IPC_DOOR_ICMP },
                                   proxy[] = { IPC_DOOR_ROUTED };
        bool is_server = conf->dhcp.mode == CONF_DHCP_SERVER;
        const enum ipc_door *doors = is_server ? server : proxy;
        size_t n = is_server ? ARRAY_SIZE(server) : ARRAY_SIZE(proxy);

        if (conf->dhcp.mode == CONF_DHCP_OFF)
                return 0;
        for (size_t i = 0; i < n; i++)
                ret[i] = (struct parent_door){ .socket = { .door = doors[i] },
                                               .role = IPC_CORE,
                                               .fd = -1 };
        return n;
}

static bool wants_nfs(const struct parent *parent) {
        return parent->conf->nfs.mode == CONF_ON ||
               (parent->conf->nfs.mode == CONF_WHEN_NEEDED && parent->nfs_is_needed);
}

/* The doors that there should be now. */
static size_t plan(const struct parent *parent, struct parent_door *ret) {
        const struct conf *conf = parent->conf;
        size_t n = plan_common(conf, ret);

        for (size_t i = 0; i < parent->n_interfaces; i++) {
                const struct net_interface *interface = &parent->interfaces[i];
                struct parent_door door = { .socket = { .ifindex = interface->ifindex,
                                                        .address = interface->address },
                                            .fd = -1 };

                memcpy(door.socket.interface, interface->name, NET_NAME_MAX);
#define PLAN(kind, number, to, at)                                                     \
        if (n < PARENT_DOORS_MAX) {                                                    \
                door.socket.door = (kind);                                             \
                door.socket.port = (number);                                           \
                door.role = (to);                                                      \
                door.index = (at);                                                     \
                ret[n++] = door;                                                       \
        }
                if (conf->dhcp.mode != CONF_DHCP_OFF) {
                        PLAN(IPC_DOOR_DHCP, DHCP_PORT, IPC_CORE, 0)
                        PLAN(IPC_DOOR_BINL, BINL_PORT, IPC_CORE, 0)
                        if (interface->has_link_layer) {
                                PLAN(IPC_DOOR_RAW, 0, IPC_CORE, 0)
                                PLAN(IPC_DOOR_HEARD, CLIENT_PORT, IPC_CORE, 0)
                                if (conf->dhcp.no_router)
                                        PLAN(IPC_DOOR_ICMP6, 0, IPC_CORE, 0)
                        }
                }
                for (size_t k = 0; k < interface->n_six; k++) {
                        door.socket.address = 0;
                        door.socket.address6 = interface->six[k];
                        for (uint32_t j = 0; j < parent->n_workers; j++) {
                                if (conf->tftp.port)
                                        PLAN(IPC_DOOR_TFTP, conf->tftp.port, IPC_FILES,
                                             j)
                                if (conf->http.port)
                                        PLAN(IPC_DOOR_HTTP, conf->http.port, IPC_FILES,
                                             j)
                                if (conf->https.port)
                                        PLAN(IPC_DOOR_HTTPS, conf->https.port,
                                             IPC_FILES, j)
                        }
                }
                door.socket.address6 = (struct ip6){ 0 };
                for (size_t k = 0; k < net_n_addresses(interface); k++) {
                        door.socket.address = net_address(interface, k).address;
                        for (uint32_t j = 0; j < parent->n_workers; j++) {
                                if (conf->tftp.port)
                                        PLAN(IPC_DOOR_TFTP, conf->tftp.port, IPC_FILES,
                                             j)
                                if (conf->http.port)
                                        PLAN(IPC_DOOR_HTTP, conf->http.port, IPC_FILES,
                                             j)
                                if (conf->https.port)
                                        PLAN(IPC_DOOR_HTTPS, conf->https.port,
                                             IPC_FILES, j)
                                if (conf->ftp.port)
                                        PLAN(IPC_DOOR_FTP, conf->ftp.port, IPC_FILES, j)
                                if (conf->nfs.port && wants_nfs(parent)) {
                                        PLAN(IPC_DOOR_NFS, conf->nfs.port, IPC_FILES, j)
                                        PLAN(IPC_DOOR_NFS_UDP, conf->nfs.port,
                                             IPC_FILES, j)
                                }
                                if (conf->nfs.port && conf->nfs.portmap &&
                                    wants_nfs(parent)) {
                                        PLAN(IPC_DOOR_PORTMAP, conf->nfs.portmap,
                                             IPC_FILES, j)
                                        PLAN(IPC_DOOR_PORTMAP_UDP, conf->nfs.portmap,
                                             IPC_FILES, j)
                                }
                        }
                }
#undef PLAN
        }
        return n;
}

static void take_open(struct parent *parent, struct parent_door *door) {
        for (size_t i = 0; i < parent->n_doors && door->fd < 0; i++)
                if (parent->doors[i].fd >= 0 &&
                    is_same_door(parent, &parent->doors[i], door)) {
                        door->socket.door = parent->doors[i].socket.door;
                        door->fd = parent->doors[i].fd;
                        parent->doors[i].fd = -1;
                }
}

static void send_door(struct parent *parent, const struct parent_door *door) {
        struct parent_child *child = parent_child(parent, door->role, door->index);

        if (child && child->channel)
                (void)ipc_send(child->channel, IPC_SOCKET, &door->socket, NULL, 0,
                               &door->fd, 1);
}

/* What is in no plan stays: the control socket and the log; all of it, when the plan
 * failed and the old one is to go on. */
static size_t keep(struct parent *parent, bool all, struct parent_door *ret,
                   size_t room) {
        size_t n = 0;

        for (size_t i = 0; i < parent->n_doors; i++) {
                struct parent_door *door = &parent->doors[i];

                if (door->fd >= 0 && (all || !is_planned(door)) && n < room) {
                        ret[n++] = *door;
                        door->fd = -1;
                }
        }
        return n;
}

/* A role has a descriptor of its own for each of its doors: one that stayed open there
 * would keep the port, and fill the room for others. */
static void tell_gone(struct parent *parent, bool of_files_only) {
        for (size_t i = 0; i < parent->n_doors; i++) {
                const struct parent_door *door = &parent->doors[i];

                if (of_files_only && door->role != IPC_FILES)
                        continue;
                if (door->fd >= 0 && is_planned(door))
                        (void)ipc_send(
                                parent_child(parent, door->role, door->index)->channel,
                                IPC_SOCKET_GONE, &door->socket, NULL, 0, NULL, 0);
        }
}

static void add_door(const struct parent_door *door, struct text *out) {
        uint32_t kind = door->socket.door;
        bool is_udp = kind < IPC_DOOR_HTTP || kind == IPC_DOOR_NFS_UDP ||
                      kind == IPC_DOOR_PORTMAP_UDP;
        char four[IP4_TEXT_MAX], six[IP6_TEXT_MAX];

        text_json_next(out);
        text_char(out, '{');
        text_json_pair(out, "door", ipc_door_name((enum ipc_door)kind));
        text_json_pair(out, "protocol", is_udp ? "udp" : "tcp");
        text_json_pair(out, "interface", door->socket.interface);
        text_json_pair(out, "address",
                       ip6_is_zero(door->socket.address6)
                               ? ip4_format(door->socket.address, four)
                               : ip6_format(door->socket.address6, six));
        text_json_pair_u64(out, "port", door->socket.port);
        text_char(out, '}');
}

/* What is open, once for all workers: packet sockets are no doors for anybody. */
void parent_tell_doors(struct parent *parent) {
        struct parent_child *core = parent_child(parent, IPC_CORE, 0);
        struct text out = { 0 };

        text_char(&out, '[');
        for (size_t i = 0; i < parent->n_doors && out.n < STATUS_MAX; i++) {
                const struct parent_door *door = &parent->doors[i];

                if (door->index == 0 && door->socket.port != 0 && is_planned(door) &&
                    door->socket.door != IPC_DOOR_HEARD)
                        add_door(door, &out);
        }
        text_char(&out, ']');
        if (core->channel && !out.failed)
                (void)ipc_send(core->channel, IPC_STATUS, NULL, out.s, out.n, NULL, 0);
        text_done(&out);
}

/* The workers of files go on with what they have: whoever fetches something by a door
 * that stays, or even by one that goes, does not notice. */
static void send_new_doors(struct parent *parent) {
        for (size_t i = 0; i < parent->n_doors; i++) {
                if (parent->doors[i].is_new)
                        send_door(parent, &parent->doors[i]);
                parent->doors[i].is_new = false;
        }
}

int parent_open_doors(struct parent *parent, bool strict) {
        struct parent_door *planned = calloc(PARENT_DOORS_MAX, sizeof(*planned));
        size_t n, n_open = 0;
        int r = 0;

        if (!planned)
                return parent_fail("out of memory");
        n = plan(parent, planned);
        for (size_t i = 0; i < n; i++)
                take_open(parent, &planned[i]);
        if (parent->conf->nfs.port != parent->registered || !wants_nfs(parent))
                parent_unregister_nfs(parent);
        if (!strict)
                tell_gone(parent, false);
        for (size_t i = 0; i < n; i++) {
                if (planned[i].fd < 0 && r == 0) {
                        int e = open_door(parent, &planned[i]);

                        if (e == -EADDRINUSE && is_portmap(&planned[i]) &&
                            parent_register_nfs(parent) == 0)
                                continue;
                        /* Without IPv6 there is nobody who waits for a router. */
                        if (e < 0 && planned[i].socket.door == IPC_DOOR_ICMP6)
                                continue;
                        if (e < 0) {
                                r = report(parent, &planned[i], e, strict);
                                continue;
                        }
                        /* After a strict opening the core begins anew, or all begin. */
                        planned[i].is_new = strict && planned[i].role == IPC_FILES;
                        if (!strict)
                                send_door(parent, &planned[i]);
                }
                if (planned[i].fd >= 0)
                        planned[n_open++] = planned[i];
        }
        if (strict && r == 0)
                tell_gone(parent, true);
        n_open += keep(parent, r != 0, planned + n_open, PARENT_DOORS_MAX - n_open);
        parent_close_doors(parent);
        memcpy(parent->doors, planned, n_open * sizeof(*planned));
        parent->n_doors = n_open;
        free(planned);
        if (!strict)
                parent_tell_doors(parent);
        else if (r == 0)
                send_new_doors(parent);
        return r;
}

void parent_close_log(struct parent *parent) {
        for (size_t i = 0; i < parent->n_doors; i++)
                if (parent->doors[i].socket.door == IPC_DOOR_LOG) {
                        close(parent->doors[i].fd);
                        parent->doors[i--] = parent->doors[--parent->n_doors];
                }
}

void parent_close_doors(struct parent *parent) {
        for (size_t i = 0; i < parent->n_doors; i++)
                if (parent->doors[i].fd >= 0)
                        close(parent->doors[i].fd);
        parent->n_doors = 0;
}

static void send_interfaces(const struct parent *parent,
                            const struct parent_child *child) {
        if (parent->n_interfaces > 0)
                (void)ipc_send(child->channel, IPC_INTERFACES, NULL, parent->interfaces,
                               parent->n_interfaces * sizeof(parent->interfaces[0]),
                               NULL, 0);
}

void parent_tell_interfaces(struct parent *parent, enum ipc_role kind) {
        for (size_t i = 0; i < parent->n_children; i++)
                if (parent->children[i].kind == kind)
                        send_interfaces(parent, &parent->children[i]);
}

void parent_send_doors(struct parent *parent, struct parent_child *child) {
        send_interfaces(parent, child);
        for (size_t i = 0; i < parent->n_doors; i++)
                if (parent->doors[i].role == child->kind &&
                    parent->doors[i].index == child->index)
                        send_door(parent, &parent->doors[i]);
        if (child->kind == IPC_CORE)
                parent_tell_doors(parent);
}

static void say_up(struct parent *parent, const struct net_interface *interface,
                   ip4_t address) {
        struct event event = { .kind = EVENT_INTERFACE_UP };

        event.values[0] = (struct event_value)EVENT_TEXT(interface->name);
        event.values[1] = (struct event_value)EVENT_IP4(address);
        parent_event(parent, &event);
}

static void say_down(struct parent *parent, const struct net_interface *interface) {
        struct event event = { .kind = EVENT_INTERFACE_DOWN };

        event.values[0] = (struct event_value)EVENT_TEXT(interface->name);
        parent_event(parent, &event);
}

/* The same interface, as far as its first address says. */
static const struct net_interface *same_in(const struct net_interface *all, size_t n,
                                           const struct net_interface *one) {
        for (size_t i = 0; i < n; i++)
                if (all[i].ifindex == one->ifindex && all[i].address == one->address &&
                    all[i].mask == one->mask)
                        return &all[i];
        return NULL;
}

static bool is_unchanged(const struct net_interface *all, size_t n,
                         const struct net_interface *one) {
        const struct net_interface *same = same_in(all, n, one);

        return same && same->n_six == one->n_six &&
               memcmp(same->six, one->six, one->n_six * sizeof(one->six[0])) == 0 &&
               same->n_more == one->n_more &&
               memcmp(same->more, one->more, one->n_more * sizeof(one->more[0])) == 0;
}

/* Who reads that it is up may knock at once. An alias is told as one more address. */
static void say_changes(struct parent *parent, const struct net_interface *before,
                        size_t n_before) {
        const struct net_interface *now = parent->interfaces;
        size_t n = parent->n_interfaces;

        for (size_t i = 0; i < n_before; i++)
                if (!same_in(now, n, &before[i]))
                        say_down(parent, &before[i]);
        for (size_t i = 0; i < n; i++) {
                const struct net_interface *same = same_in(before, n_before, &now[i]);

                for (size_t j = 0; j < net_n_addresses(&now[i]); j++) {
                        ip4_t address = net_address(&now[i], j).address;

                        if (!same || !net_has_address(same, address))
                                say_up(parent, &now[i], address);
                }
        }
}

/* To the roles, if there is anything new; false if not. */
static bool tell_interfaces(struct parent *parent, const struct net_interface *before,
                            size_t n_before) {
        bool changed = n_before != parent->n_interfaces;

        for (size_t i = 0; i < parent->n_interfaces; i++)
                changed |= !is_unchanged(before, n_before, &parent->interfaces[i]);
        for (size_t i = 0; changed && i < parent->n_children; i++)
                (void)ipc_send(parent->children[i].channel, IPC_INTERFACES, NULL,
                               parent->interfaces,
                               parent->n_interfaces * sizeof(parent->interfaces[0]),
                               NULL, 0);
        return changed;
}

/* Addresses come and go in bursts; look once, a moment later. */
static void on_netlink_settled(void *userdata) {
        struct parent *parent = userdata;
        struct net_interface before[PARENT_INTERFACES_MAX], all[64];
        size_t n_before = parent->n_interfaces;
        const struct conf_texts *wanted = &parent->conf->interfaces;
        int n = net_interfaces(all, ARRAY_SIZE(all));

        if (n < 0)
                return;
        memcpy(before, parent->interfaces, sizeof(before));
        parent->n_interfaces = 0;
        for (int i = 0; i < n; i++) {
                bool is_wanted = wanted->n == 0 && all[i].is_up && !all[i].is_loopback;

                for (size_t j = 0; j < wanted->n; j++)
                        is_wanted |= strcmp(wanted->items[j], all[i].name) == 0;
                if (is_wanted)
                        choose(parent, &all[i]);
        }
        if (!tell_interfaces(parent, before, n_before))
                return;
        parent_certify(parent);
        (void)parent_open_doors(parent, false);
        say_changes(parent, before, n_before);
}

static void on_netlink(int fd, unsigned ready, void *userdata) {
        struct parent *parent = userdata;

        net_watch_drain(fd);
        loop_timer_set(parent->netlink_timer, loop_now() + 300 * NSEC_PER_MSEC);
}

int parent_watch_interfaces(struct parent *parent) {
        int r = net_watch_open(&parent->netlink);

        if (r == 0)
                r = loop_watch_new(parent->loop, parent->netlink, LOOP_READABLE,
                                   on_netlink, parent, &parent->netlink_watch);
        if (r == 0)
                r = loop_timer_new(parent->loop, on_netlink_settled, parent,
                                   &parent->netlink_timer);
        return r < 0 ? parent_fail("cannot watch the interfaces: %s", strerror(-r)) : 0;
}

/* Nobody answers at a socket that was left behind; somebody does at a living one. */
static bool is_answered(const struct sockaddr_un *at) {
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        bool answered =
                fd >= 0 && connect(fd, (const struct sockaddr *)at, sizeof(*at)) == 0;

        if (fd >= 0)
                close(fd);
        return answered;
}

int parent_open_control(struct parent *parent) {
        struct sockaddr_un at = { .sun_family = AF_UNIX };
        struct parent_door *door = &parent->doors[parent->n_doors];
        int fd;

        memcpy(at.sun_path, parent->control, sizeof(at.sun_path));
        if (is_answered(&at))
                return parent_fail("another bootjack is serving already (%s answers)",
                                   parent->control);
        (void)unlink(parent->control);
        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
            chmod(parent->control, 0660) < 0 || listen(fd, 16) < 0) {
                int r = parent_fail("cannot make the control socket %s: %s",
                                    parent->control, strerror(errno));

                if (fd >= 0)
                        close(fd);
                parent->control[0] = '\0';
                return r;
        }
        *door = (struct parent_door){ .socket = { .door = IPC_DOOR_CONTROL },
                                      .role = IPC_ADMIN,
                                      .fd = fd };
        parent->n_doors++;
        return 0;
}
