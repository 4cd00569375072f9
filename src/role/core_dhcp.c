/*
 * The hands of the DHCP server: its sockets, its clock, and the order of its actions.
 * A message marked durable waits here until the store has said that every lease before
 * it is on disk; if the disk fails, it waits for ever and the client asks again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/packet.h"
#include "role/core.h"
#include "wire/frame.h"

enum { PENDING_MAX = 8192, TICKS_MAX = 256, TOLD_MAX = 1000, FRAME_MAX = 1600 };

const struct net_interface *core_interface_of(const struct core *core, ip4_t address) {
        for (size_t i = 0; i < core->n_interfaces; i++)
                if (net_has_address(&core->interfaces[i], address))
                        return &core->interfaces[i];
        for (size_t i = 0; i < core->n_interfaces; i++)
                if (net_is_near(&core->interfaces[i], address))
                        return &core->interfaces[i];
        return NULL;
}

nsec_t core_time(struct core *core) {
        nsec_t running = loop_now() + core->clock_ahead, calendar = loop_realtime();

        if (calendar > running) {
                core->clock_ahead += calendar - running;
                running = calendar;
        }
        return running;
}

/* ---- configuration ---- */

/* An entry for each address of an interface, the first one first. */
static size_t copy_interfaces(struct core *core) {
        struct dhcp4_interface *to = core->dhcp_interfaces;
        size_t n = 0;

        for (size_t i = 0; i < core->n_interfaces; i++) {
                const struct net_interface *from = &core->interfaces[i];

                for (size_t j = 0; j < net_n_addresses(from); j++, n++) {
                        to[n].ifindex = from->ifindex;
                        to[n].address = net_address(from, j).address;
                        to[n].mask = net_address(from, j).mask;
                        memcpy(to[n].name, from->name, sizeof(to[n].name));
                }
        }
        return n;
}

/* Of the interface's networks the one that `address` is in. */
static struct net_address network_of(const struct net_interface *interface,
                                     ip4_t address) {
        for (size_t i = 0; i < net_n_addresses(interface); i++) {
                struct net_address own = net_address(interface, i);

                if (((own.address ^ address) & own.mask) == 0)
                        return own;
        }
        return net_address(interface, 0);
}

/* A subnet that came as a bare range takes the network of its interface. */
static bool place_subnet(const struct core *core, struct scope_subnet *subnet) {
        const struct net_interface *interface;
        struct net_address own;

        if (subnet->mask)
                return true;
        if (subnet->n_pools == 0)
                return false;
        interface = core_interface_of(core, subnet->pools[0].first);
        if (!interface)
                return false;
        own = network_of(interface, subnet->pools[0].first);
        subnet->network = own.address & own.mask;
        subnet->mask = own.mask;
        return true;
}

static size_t copy_subnets(const struct core *core, struct scope_subnet *ret) {
        const struct conf *conf = core->role->conf;
        size_t n = 0;

        for (size_t i = 0; i < conf->dhcp.n_subnets; i++) {
                ret[n] = conf->dhcp.subnets[i];
                n += place_subnet(core, &ret[n]);
        }
        return n;
}

/* A menu of firmware's own, of what it can do without a loader: ours, or the disk. What
 * comes first is taken when nobody presses a key. */
static struct scope_pxe pxe_menu(struct core *core) {
        static const char ours[] = "Boot menu", disk[] = "Boot from the local disk";
        const struct conf *conf = core->role->conf;
        struct scope_pxe pxe = conf->dhcp.pxe;
        bool is_local = strcmp(conf->menu.initial, "local") == 0;

        if (!pxe.is_automatic || pxe.n_items > 0)
                return pxe;
        core->pxe_items[is_local] = (struct scope_pxe_item){ .type = PXE_TYPE_MENU,
                                                             .title = ours,
                                                             .file = "" };
        core->pxe_items[!is_local] =
                (struct scope_pxe_item){ .title = disk, .file = "" };
        pxe.items = core->pxe_items;
        pxe.n_items = ARRAY_SIZE(core->pxe_items);
        if (!pxe.prompt || pxe.prompt[0] == '\0')
                pxe.prompt = "Press F8 for the boot menu";
        if (pxe.timeout == 0)
                pxe.timeout = 5 * NSEC_PER_SEC;
        return pxe;
}

/* The server borrows: subnets are kept here, all else belongs to the configuration. */
int core_dhcp_configure(struct core *core) {
        const struct conf *conf = core->role->conf;
        struct scope_subnet *subnets =
                calloc(conf->dhcp.n_subnets + 1, sizeof(*subnets));
        struct dhcp4_config config = {
                .is_proxy = conf->dhcp.mode != CONF_DHCP_SERVER,
                .authoritative = conf->dhcp.authoritative,
                .probe_time =
                        core->can_probe && conf->dhcp.probe ? conf->dhcp.probe_time : 0,
                .decline_time = conf->dhcp.decline_time,
                .offer_time = conf->dhcp.offer_time,
                .interfaces = core->dhcp_interfaces,
                .scope = conf->dhcp.scope,
                .subnets = subnets,
                .classes = conf->dhcp.classes,
                .n_classes = conf->dhcp.n_classes,
                .hosts = conf->dhcp.hosts,
                .n_hosts = conf->dhcp.n_hosts,
                .pxe = pxe_menu(core),
        };
        struct core_machine_rules before;
        int r;

        if (!subnets || core_rules_build(core, &before) < 0) {
                free(subnets);
                return -ENOMEM;
        }
        config.rules = core->rules;
        config.n_interfaces = copy_interfaces(core);
        config.n_subnets = copy_subnets(core, subnets);
        r = core->dhcp ? dhcp4_server_configure(core->dhcp, &config)
                       : dhcp4_server_new(&config, &core->dhcp);
        if (r < 0) { /* who calls ends: see core_dhcp_refresh() */
                core_machine_rules_done(&before);
                free(subnets);
                return r;
        }
        core_machine_rules_done(&before);
        free(core->dhcp_subnets);
        core->dhcp_subnets = subnets;
        return 0;
}

/* What the server goes on with belongs to a configuration that is about to go, so
 * without memory the role ends: it is started again with the new one, and every lease
 * is on disk. */
void core_dhcp_refresh(struct core *core) {
        int r = core_dhcp_configure(core);

        if (r == 0)
                return;
        fprintf(stderr, "bootjack: the new configuration cannot be used: %s\n",
                strerror(-r));
        exit(EXIT_FAILURE);
}

/* ---- sending ---- */

static struct core_socket *find_socket(struct core *core, int ifindex, uint16_t port) {
        for (size_t i = 0; i < CORE_SOCKETS_MAX; i++)
                if (core->sockets[i].fd >= 0 &&
                    core->sockets[i].at.ifindex == ifindex &&
                    core->sockets[i].at.port == port)
                        return &core->sockets[i];
        return NULL;
}

static size_t make_frame(const struct dhcp4_send *send, struct mac source,
                         struct mac destination, ip4_t to, uint8_t ret[FRAME_MAX]) {
        const struct frame frame = { .source = source,
                                     .destination = destination,
                                     .from = send->from,
                                     .to = to,
                                     .from_port = send->from_port,
                                     .to_port = send->port };

        return frame_build(ret, FRAME_MAX, &frame, send->data, send->n);
}

static int send_frame(struct core *core, const struct dhcp4_send *send,
                      struct mac destination, ip4_t to) {
        const struct net_interface *interface = core_interface_of(core, send->from);
        uint8_t frame[FRAME_MAX];
        size_t n;

        if (core->raw < 0 || !interface || !interface->has_link_layer)
                return -ENODEV;
        n = make_frame(send, interface->mac, destination, to, frame);
        return n ? net_raw_send(core->raw, send->ifindex, frame, n) : -EMSGSIZE;
}

/* RFC 2131 4.1: a client without an address cannot answer ARP, so the frame is
 * addressed by hand; without a packet socket, broadcast reaches it as well. */
static int send_raw(struct core *core, const struct dhcp4_send *send) {
        return send_frame(core, send, send->mac, send->to);
}

/* From a port that is another server's, so that no socket of ours can send: by frame,
 * or, to whom the routes lead to, as a datagram whose header is made here. */
static int send_beside(struct core *core, const struct dhcp4_send *send) {
        const struct mac none = { { 0 } };
        struct mac everybody;
        uint8_t frame[FRAME_MAX];
        size_t n;

        memset(&everybody, 0xff, sizeof(everybody));
        if (send->how != DHCP4_UNICAST)
                return send_frame(core, send, everybody, UINT32_MAX);
        if (core->routed < 0)
                return -ENOTCONN;
        n = make_frame(send, none, none, send->to, frame);
        return n ? packet_send_routed(core->routed, frame + FRAME_ETHERNET,
                                      n - FRAME_ETHERNET, send->to)
                 : -EMSGSIZE;
}

static void say_unsent(struct core *core, const struct dhcp4_send *send, int error) {
        struct event event = { .kind = EVENT_DHCP_SILENT, .mac = send->mac };

        event.values[0] = (struct event_value)EVENT_TEXT("message");
        event.values[1] = (struct event_value)EVENT_TEXT(strerror(-error));
        core_event(core, &event);
}

void core_dhcp_transmit(struct core *core, const struct dhcp4_send *send) {
        struct core_socket *socket = find_socket(core, send->ifindex, send->from_port);
        struct udp_endpoint to = { send->to, send->port };
        int r;

        if (send->how == DHCP4_RAW_UNICAST && send_raw(core, send) == 0)
                return;
        if (!socket)
                return;
        if (send->how != DHCP4_UNICAST)
                to.address = UINT32_MAX;
        if (socket->at.door == IPC_DOOR_BESIDE)
                r = send_beside(core, send);
        else
                r = udp_send(socket->fd, send->data, send->n, to, send->from,
                             send->ifindex);
        if (r < 0)
                say_unsent(core, send, r);
}

static void send_now(struct core *core, const struct dhcp4_send *send) {
        if (send->delay > 0)
                core_delay(core, send);
        else
                core_dhcp_transmit(core, send);
}

static void hold(struct core *core, const struct dhcp4_send *send) {
        struct core_pending *pending;

        if (core->last_ticket <= core->done_ticket) {
                send_now(core, send);
                return;
        }
        /* The client asks again, when there is room or the disk takes its lease. */
        if (core->n_pending == PENDING_MAX || core->last_ticket == INT64_MAX)
                return;
        pending = malloc(sizeof(*pending));
        if (!pending)
                return;
        pending->ticket = core->last_ticket;
        pending->send = *send;
        list_append(&core->pending, &pending->link);
        core->n_pending++;
}

static void say_store(struct core *core, int error) {
        bool has_failed = error < 0;
        struct event event = { .kind = has_failed ? EVENT_STORE_FAILED
                                                  : EVENT_STORE_RECOVERED };

        if (has_failed == core->store_has_failed)
                return;
        core->store_has_failed = has_failed;
        if (has_failed)
                event.values[0] = (struct event_value)EVENT_TEXT(strerror(-error));
        core_event(core, &event);
}

static void on_store(int fd, unsigned ready, void *userdata) {
        struct core *core = userdata;
        int error;
        int64_t done = store_done(core->store, &error);

        core->done_ticket = done;
        say_store(core, error);
        LIST_FOR_EACH(pos, &core->pending) {
                struct core_pending *pending =
                        CONTAINER_OF(pos, struct core_pending, link);

                if (pending->ticket > done)
                        break;
                send_now(core, &pending->send);
                list_remove(pos);
                core->n_pending--;
                free(pending);
        }
        core_query_durable(core);
}

/* ---- actions ---- */

static void persist(struct core *core, const struct lease_record *record) {
        int64_t ticket = store_put_lease(core->store, record);

        machines_bind(core->machines, record->mac,
                      record->state == LEASE_BOUND ? record->address : 0);
        if (ticket >= 0)
                core->last_ticket = ticket;
        else
                /* What follows must not be said: no ticket will ever cover it. */
                core->last_ticket = INT64_MAX;
}

/* A habit that cannot be kept is learned again. */
static void remember(struct core *core, const struct adapt_habit *habit) {
        char key[ADAPT_KEY_MAX], value[ADAPT_KEY_MAX];

        adapt_habit_format(habit, key, value);
        (void)!store_put_note(core->store, key, value);
}

static int load_note(const char *key, const char *value, void *userdata) {
        struct core *core = userdata;
        struct adapt_habit habit;

        if (core_machines_load(core, key, value))
                return 0;
        if (adapt_habit_parse(key, value, &habit))
                dhcp4_server_load_habit(core->dhcp, &habit);
        return 0;
}

/* In a storm the story of each packet would cost more than its answer: the first
 * thousands of a second are told, then only what is unusual, and how many were not. */
static void tell(struct core *core, struct event *event) {
        nsec_t now = loop_now();

        if (now - core->telling_since >= NSEC_PER_SEC) {
                struct event thinned = { .kind = EVENT_EVENTS_THINNED };

                thinned.values[0] = (struct event_value)EVENT_U64(core->n_untold);
                thinned.values[1] = (struct event_value)EVENT_U64(TOLD_MAX);
                thinned.values[2] = (struct event_value)EVENT_TEXT("DHCP");
                if (core->n_untold > 0)
                        core_event(core, &thinned);
                core->telling_since = now;
                core->n_told = core->n_untold = 0;
        }
        if (core->n_told >= TOLD_MAX && event_level(event->kind) <= EVENT_INFO) {
                core->n_untold++;
                return;
        }
        core->n_told++;
        core_event(core, event);
}

static void seen(struct core *core, const struct dhcp4_action *action) {
        machines_seen(core->machines, &action->seen.facts, action->seen.is_discover,
                      core_time(core));
        if (action->seen.address)
                machines_bind(core->machines, action->seen.facts.mac,
                              action->seen.address);
}

/* Machines first: an event of the same message belongs to the story that it opens. */
void core_dhcp_execute(struct core *core) {
        struct dhcp4_actions *actions = core->actions;

        for (size_t i = 0; i < actions->n; i++)
                if (actions->items[i].kind == DHCP4_SEEN)
                        seen(core, &actions->items[i]);
        for (size_t i = 0; i < actions->n; i++) {
                struct dhcp4_action *action = &actions->items[i];

                switch (action->kind) {
                case DHCP4_SEND:
                        if (action->send.durable)
                                hold(core, &action->send);
                        else
                                send_now(core, &action->send);
                        break;
                case DHCP4_PERSIST:
                        persist(core, &action->record);
                        break;
                case DHCP4_EVENT:
                        tell(core, &action->event);
                        break;
                case DHCP4_REMEMBER:
                        remember(core, &action->habit);
                        break;
                case DHCP4_PROBE:
                        core_probe(core, action->probe.address, action->probe.ifindex,
                                   action->probe.is_on_link);
                        break;
                default:
                        break;
                }
        }
}

static void arm(struct core *core) {
        nsec_t now = core_time(core);
        nsec_t due = core->dhcp ? dhcp4_server_next(core->dhcp) : NSEC_NEVER;

        if (!core->dhcp_timer)
                return;

        /* The server thinks in calendar time, timers in their own. */
        loop_timer_set(core->dhcp_timer,
                       due == NSEC_NEVER ? NSEC_NEVER
                                         : loop_now() + (due > now ? due - now : 0));
}

void core_dhcp_act(struct core *core) {
        if (core->actions->n == 0)
                return;
        core_dhcp_execute(core);
        arm(core);
}

/* Much may be due at once, as when the probes of a crowd are over; what comes by the
 * sockets has its turn in between. */
static void on_timer(void *userdata) {
        struct core *core = userdata;
        nsec_t now = core_time(core);

        for (unsigned i = 0; i < TICKS_MAX && dhcp4_server_next(core->dhcp) <= now;
             i++) {
                dhcp4_server_tick(core->dhcp, now, core->actions);
                core_dhcp_execute(core);
        }
        arm(core);
}

void core_dhcp_fetched(struct core *core, struct mac mac) {
        if (!core->dhcp || mac_is_zero(mac))
                return;
        dhcp4_server_fetched(core->dhcp, mac, core_time(core), core->actions);
        core_dhcp_execute(core);
}

static void receive(struct core_socket *socket, const struct udp_received *packet) {
        struct core *core = socket->core;
        struct dhcp4_received received = { .data = packet->data,
                                           .n = packet->n,
                                           .ifindex = socket->at.ifindex,
                                           .from = packet->from.address,
                                           .to = packet->to,
                                           .from_port = packet->from.port,
                                           .port = (uint16_t)socket->at.port,
                                           .now = core_time(core) };

        /* The sockets may be here before the leases are read: who asks, asks again. */
        if (!core->dhcp)
                return;
        dhcp4_server_recv(core->dhcp, &received, core->actions);
        core_dhcp_execute(core);
}

static void close_socket(struct core_socket *socket) {
        socket->watch = loop_watch_free(socket->watch);
        close(socket->fd);
        socket->fd = -1;
}

/* As the kernel sees it for a socket of UDP: to an address of ours, or to all. */
static bool is_for_us(const struct core *core, ip4_t to) {
        if (to == UINT32_MAX)
                return true;
        for (size_t i = 0; i < core->n_interfaces; i++)
                for (size_t j = 0; j < net_n_addresses(&core->interfaces[i]); j++) {
                        struct net_address own = net_address(&core->interfaces[i], j);

                        if (to == own.address || to == (own.address | ~own.mask))
                                return true;
                }
        return false;
}

static bool is_overheard(const struct core_socket *socket) {
        return socket->at.door == IPC_DOOR_BESIDE || socket->at.door == IPC_DOOR_HEARD;
}

static void on_readable(int fd, unsigned ready, void *userdata) {
        struct core_socket *socket = userdata;
        const struct udp_received *packets;
        struct core *core = socket->core;
        int n = socket->at.door == IPC_DOOR_ICMP6
                        ? core_router(core, fd, socket->at.ifindex)
                : is_overheard(socket) ? packet_recv_udp(fd, socket->at.ifindex,
                                                         core->overheard, &packets)
                                       : udp_recv(fd, core->batch, &packets);

        for (int i = 0; i < n; i++)
                if (socket->at.door != IPC_DOOR_BESIDE ||
                    is_for_us(core, packets[i].to))
                        receive(socket, &packets[i]);
        if (n > 0)
                arm(core);
        else if (n == -ENODEV || n == -EBADF)
                close_socket(socket); /* the interface has gone */
}

static void replace(int *fd, int by) {
        if (*fd >= 0)
                close(*fd);
        *fd = by;
}

void core_dhcp_socket(struct core *core, const struct ipc_socket *at, int fd) {
        switch (at->door) {
        case IPC_DOOR_RAW:
                replace(&core->raw, fd);
                return;
        case IPC_DOOR_ROUTED:
                replace(&core->routed, fd);
                return;
        case IPC_DOOR_ARP:
        case IPC_DOOR_ICMP:
                core_probe_socket(core, at, fd);
                return;
        default:
                break;
        }
        for (size_t i = 0; i < CORE_SOCKETS_MAX; i++) {
                struct core_socket *socket = &core->sockets[i];

                if (socket->fd >= 0)
                        continue;
                *socket = (struct core_socket){ .core = core, .at = *at, .fd = fd };
                if (loop_watch_new(core->role->loop, fd, LOOP_READABLE, on_readable,
                                   socket, &socket->watch) < 0)
                        close_socket(socket);
                return;
        }
        close(fd);
}

/* Sockets that are bound to no interface stay. */
void core_dhcp_socket_gone(struct core *core, const struct ipc_socket *at) {
        for (size_t i = 0; i < CORE_SOCKETS_MAX; i++) {
                struct core_socket *socket = &core->sockets[i];

                if (socket->fd >= 0 && socket->at.door == at->door &&
                    socket->at.ifindex == at->ifindex && socket->at.port == at->port)
                        close_socket(socket);
        }
}

static int load_lease(const struct lease_record *lease, void *userdata) {
        struct core *core = userdata;

        return dhcp4_server_load(core->dhcp, lease);
}

int core_dhcp_start(struct core *core) {
        int r = core_dhcp_configure(core);

        if (r == 0)
                r = store_load_leases(core->store, load_lease, core);
        if (r == 0)
                r = store_load_notes(core->store, load_note, core);
        if (r == 0)
                r = core_delay_start(core);
        if (r == 0)
                r = loop_timer_new(core->role->loop, on_timer, core, &core->dhcp_timer);
        if (r == 0)
                r = loop_watch_new(core->role->loop, store_fd(core->store),
                                   LOOP_READABLE, on_store, core, &core->store_watch);
        if (r == 0)
                arm(core);
        return r;
}

void core_dhcp_stop(struct core *core) {
        for (size_t i = 0; i < CORE_SOCKETS_MAX; i++)
                if (core->sockets[i].fd >= 0)
                        close_socket(&core->sockets[i]);
        LIST_FOR_EACH(pos, &core->pending) {
                list_remove(pos);
                free(CONTAINER_OF(pos, struct core_pending, link));
        }
        replace(&core->raw, -1);
        replace(&core->routed, -1);
        loop_watch_free(core->store_watch);
        loop_timer_free(core->dhcp_timer);
        if (core->delay_timer)
                core_delay_stop(core);
        core->dhcp = dhcp4_server_free(core->dhcp);
        core_machine_rules_done(&core->machine_rules);
        free(core->dhcp_subnets);
}
