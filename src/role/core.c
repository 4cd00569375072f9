/*
 * The core: DHCP, machines, menus and the store. It opens nothing but the state folder
 * and listens on nothing that the parent did not open; every event of every role passes
 * through here on its way to the log, the history and the live view.
 */
#include "role/core.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "admin/log.h"
#include "io/packet.h"
#include "sandbox/sandbox.h"

enum { DHCP_DATAGRAM_MAX = 1600 };

/* ---- events ---- */

static struct machine *machine_of(struct core *core, const struct event *event) {
        if (!mac_is_zero(event->mac))
                return machines_by_mac(core->machines, event->mac);
        if (event->kind == EVENT_FILE_STARTED)
                return machines_fetched(core->machines, event->address, event->time);
        return machines_by_address(core->machines, event->address);
}

void core_event(struct core *core, struct event *event) {
        uint8_t packed[EVENT_PACKED_MAX];
        struct machine *machine;
        size_t n;

        if (event->time == 0)
                event->time = loop_realtime();
        machine = machine_of(core, event);
        if (machine) {
                event->story = machine->story;
                event->mac = machine->facts.mac;
                if (event->address == 0)
                        event->address = machine->address;
        }
        log_event(event);
        if (core->store)
                store_put_event(core->store, event);
        n = event_pack(event, packed, sizeof(packed));
        if (n > 0 && core->admin)
                (void)ipc_send(core->admin, IPC_EVENT, NULL, packed, n, NULL, 0);
}

static void pass_event(struct core *core, const struct ipc_message *message) {
        struct event event;

        if (!event_unpack(message->tail, message->n_tail, &event))
                return;
        core_event(core, &event);
        if (event.kind == EVENT_FILE_STARTED) {
                core_dhcp_fetched(core, event.mac);
                core_menu_fetched(core, machine_of(core, &event), &event);
        } else if (event.kind == EVENT_FILE_DONE) {
                core_machines_fetched(core, &event);
        }
}

/* ---- media ---- */

static void say_ready(struct core *core) {
        static const char *const modes[] = { "proxyDHCP", "DHCP server", "DHCP off" };
        struct text interfaces = { 0 };
        struct event event = { .kind = EVENT_SERVICE_READY };

        for (size_t i = 0; i < core->n_interfaces; i++) {
                text_add(&interfaces, i > 0 ? ", " : "");
                text_add(&interfaces, core->interfaces[i].name);
        }
        event.values[0] =
                (struct event_value)EVENT_TEXT(modes[core->role->conf->dhcp.mode]);
        event.values[1] = (struct event_value)EVENT_TEXT(text_string(&interfaces));
        event.values[2] = (struct event_value)EVENT_U64(core->n_media);
        core_event(core, &event);
        text_done(&interfaces);
        if (core->n_media == 0 && core->role->conf->root[0] == '\0')
                fprintf(stderr,
                        "No media yet: copy an installer's ISO into %s and it is in "
                        "the "
                        "menu within two seconds.\n",
                        core->role->conf->media.n ? core->role->conf->media.items[0]
                                                  : "a folder given with --media");
}

static void on_settled(struct core *core) {
        if (core->is_settled)
                return;
        core->is_settled = true;
        if (!core->role->is_restart)
                say_ready(core);
}

/* ---- peers ---- */

static void on_message(struct ipc_channel *channel, const struct ipc_message *message,
                       void *userdata) {
        struct core *core = userdata;
        bool is_library = channel == core->library;

        switch (message->kind) {
        case IPC_NONE: /* it died; the parent brings the next one */
                core_query_gone(core, channel);
                if (is_library)
                        core->library = NULL;
                if (channel == core->admin)
                        core->admin = NULL;
                for (size_t i = 0; i < CONF_WORKERS_MAX; i++)
                        if (channel == core->files[i])
                                core->files[i] = NULL;
                ipc_channel_free(channel);
                break;
        case IPC_EVENT:
                pass_event(core, message);
                break;
        case IPC_MEDIUM:
                if (is_library)
                        core_media_add(core, message);
                break;
        case IPC_MEDIUM_GONE:
                if (is_library)
                        core_media_remove(
                                core, ((const struct ipc_medium *)message->body)->id);
                break;
        case IPC_MEDIA_SETTLED:
                if (is_library)
                        on_settled(core);
                break;
        case IPC_GENERATE:
                core_generate(core, channel, message);
                break;
        case IPC_QUERY:
                if (channel == core->admin)
                        core_query(core, channel, message);
                break;
        default:
                break;
        }
}

static void on_peer(struct core *core, const struct ipc_message *message) {
        const struct ipc_peer *peer = message->body;
        struct ipc_channel **slot = NULL;

        if (message->n_fds != 1)
                return;
        if (peer->role == IPC_LIBRARY)
                slot = &core->library;
        else if (peer->role == IPC_ADMIN)
                slot = &core->admin;
        else if (peer->role == IPC_FILES && peer->index < CONF_WORKERS_MAX)
                slot = &core->files[peer->index];
        if (!slot)
                return;
        *slot = ipc_channel_free(*slot);
        /* A new library numbers its media anew and tells all of them again. */
        if (peer->role == IPC_LIBRARY)
                while (core->n_media > 0)
                        core_media_remove(core, core->media[0].id);
        if (ipc_channel_new(core->role->loop, message->fds[0], on_message, core, slot) <
            0)
                *slot = NULL;
        message->fds[0] = -1;
}

/* ---- from the parent ---- */

static void on_interfaces(struct core *core, const struct ipc_message *message) {
        size_t n = min_size(message->n_tail / sizeof(core->interfaces[0]),
                            CORE_INTERFACES_MAX);

        if (n > 0)
                memcpy(core->interfaces, message->tail,
                       n * sizeof(core->interfaces[0]));
        core->n_interfaces = n;
        if (core->dhcp)
                core_dhcp_refresh(core);
}

static void core_message(struct role *role, const struct ipc_message *message) {
        struct core *core = role->userdata;

        switch (message->kind) {
        case IPC_PEER:
                on_peer(core, message);
                break;
        case IPC_INTERFACES:
                on_interfaces(core, message);
                break;
        case IPC_SOCKET:
                if (message->n_fds == 1) {
                        core_dhcp_socket(core, message->body, message->fds[0]);
                        message->fds[0] = -1;
                }
                break;
        case IPC_SOCKET_GONE:
                core_dhcp_socket_gone(core, message->body);
                break;
        case IPC_STATUS:
                core->doors.n = 0;
                text_bytes(&core->doors, message->tail, message->n_tail);
                break;
        case IPC_EVENT: /* the parent's own */
                pass_event(core, message);
                break;
        default:
                break;
        }
}

static int core_start(struct role *role) {
        struct core *core = calloc(1, sizeof(*core));
        int r;

        if (!core)
                return -ENOMEM;
        role->userdata = core;
        core->role = role;
        core->raw = core->routed = -1;
        core->started = loop_now();
        list_init(&core->pending);
        list_init(&core->promises);
        for (size_t i = 0; i < CORE_SOCKETS_MAX; i++)
                core->sockets[i].fd = -1;
        log_open();
        core->actions = malloc(sizeof(*core->actions));
        r = core->actions ? udp_batch_new(DHCP_DATAGRAM_MAX, &core->batch) : -ENOMEM;
        if (r == 0)
                r = packet_batch_new(DHCP_DATAGRAM_MAX, &core->overheard);
        if (r == 0)
                r = core_probe_start(core);
        /* Stories are numbered on from the clock, so that no two boots of this server
         * ever have the same. */
        if (r == 0)
                r = machines_new(loop_realtime() / NSEC_PER_SEC, &core->machines);
        return r;
}

/* The store is opened inside the sandbox: what cannot be done there must be seen at
 * the start and not at the first lease. */
static int core_go(struct role *role) {
        struct core *core = role->userdata;
        const struct sandbox_path paths[] = {
                { role->conf->state, SANDBOX_WRITE },
                { "/etc/localtime", SANDBOX_READ },
                { "/usr/share/zoneinfo", SANDBOX_READ },
        };
        struct text why = { 0 };
        int r = sandbox_enter(paths, ARRAY_SIZE(paths));

        if (r < 0)
                return r;
        r = store_open(role->conf->state, &core->store, &why);
        if (r < 0) {
                fprintf(stderr, "bootjack: %s\n", text_string(&why));
                exit(EXIT_FAILURE);
        }
        text_done(&why);
        core_menu_configure(core);
        return core_dhcp_start(core);
}

static void core_reconfigured(struct role *role, const struct conf *old) {
        core_menu_configure(role->userdata);
        core_machines_reconfigured(role->userdata);
        core_dhcp_refresh(role->userdata);
}

static void core_stop(struct role *role) {
        struct core *core = role->userdata;

        if (core->dhcp)
                core_dhcp_stop(core);
        core->store = store_close(core->store);
        ipc_channel_free(core->library);
        ipc_channel_free(core->admin);
        for (size_t i = 0; i < CONF_WORKERS_MAX; i++)
                ipc_channel_free(core->files[i]);
        while (core->n_media > 0)
                core_media_remove(core, core->media[0].id);
        machines_free(core->machines);
        free(core->known);
        text_done(&core->doors);
        core_probe_stop(core);
        udp_batch_free(core->batch);
        packet_batch_free(core->overheard);
        free(core->actions);
        free(core);
}

const struct role_methods core_methods = {
        .start = core_start,
        .message = core_message,
        .go = core_go,
        .reconfigured = core_reconfigured,
        .stop = core_stop,
};
