/*
 * The frame around every role but the parent: the channel, the order of start, and
 * the end. What a role does is in its own file.
 */
#include "role/role.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/event.h"
#include "ipc/sealed.h"

void role_event(struct ipc_channel *channel, struct event *event) {
        uint8_t packed[EVENT_PACKED_MAX];
        size_t n;

        if (event->time == 0)
                event->time = loop_realtime();
        n = event_pack(event, packed, sizeof(packed));
        if (n > 0)
                (void)ipc_send(channel, IPC_EVENT, NULL, packed, n, NULL, 0);
}

/* The text was parsed by the parent before it was sent, so a problem here is a bug. */
static struct conf *parse_conf(struct role *role, const struct ipc_message *message) {
        struct conf_problems problems = { 0 };
        struct sealed text;
        struct conf *conf = NULL;
        int r;

        if (message->n_fds != 1 ||
            sealed_open(message->fds[0], CONF_BYTES_MAX, &text) < 0)
                return NULL;
        r = conf_parse("configuration", text.data, text.n, role->flags, &conf,
                       &problems);
        sealed_done(&text);
        conf_problems_done(&problems);
        return r == 0 ? conf : NULL;
}

static void on_folder(struct role *role, const struct ipc_message *message) {
        struct role_folder *folder = &role->folders[role->n_folders];

        if (message->n_fds != 1 || role->n_folders == ROLE_FOLDERS_MAX)
                return;
        folder->path = strndup((const char *)message->tail, message->n_tail);
        if (!folder->path)
                return;
        folder->fd = message->fds[0];
        message->fds[0] = -1;
        snprintf(folder->reachable, sizeof(folder->reachable), "/proc/self/fd/%d",
                 folder->fd);
        role->n_folders++;
}

const char *role_path(const struct role *role, const char *path) {
        for (size_t i = 0; i < role->n_folders; i++)
                if (strcmp(role->folders[i].path, path) == 0)
                        return role->folders[i].reachable;
        return path;
}

static int on_start(struct role *role, const struct ipc_message *message) {
        const struct ipc_start *start = message->body;

        role->index = start->index;
        role->n_files = start->n_files;
        role->is_restart = start->is_restart;
        role->conf = parse_conf(role, message);
        return role->conf ? role->methods->start(role) : -EINVAL;
}

static void on_reconfigure(struct role *role, const struct ipc_message *message) {
        struct conf *conf = parse_conf(role, message), *old = role->conf;

        if (!conf)
                return;
        role->conf = conf;
        role->methods->reconfigured(role, old);
        conf_free(old);
}

static void on_parent(struct ipc_channel *channel, const struct ipc_message *message,
                      void *userdata) {
        struct role *role = userdata;
        int r = 0;

        (void)channel;
        switch (message->kind) {
        case IPC_NONE: /* the parent has gone */
                loop_stop(role->loop);
                break;
        case IPC_START:
                r = on_start(role, message);
                break;
        case IPC_FOLDER:
                on_folder(role, message);
                break;
        case IPC_GO:
                r = role->methods->go(role);
                if (r == 0)
                        r = ipc_send(role->parent, IPC_READY, NULL, NULL, 0, NULL, 0);
                break;
        case IPC_CONFIG:
                on_reconfigure(role, message);
                break;
        default:
                role->methods->message(role, message);
        }
        if (r < 0) {
                fprintf(stderr, "bootjack %s: cannot start: %s\n",
                        ipc_role_name(role->kind), strerror(-r));
                exit(EXIT_FAILURE);
        }
}

static void on_terminate(int number, void *userdata) {
        struct role *role = userdata;

        (void)number;
        loop_stop(role->loop);
}

static int set_up(struct role *role) {
        int r = loop_new(&role->loop);

        if (r == 0)
                r = loop_signal_new(role->loop, SIGTERM, on_terminate, role,
                                    &role->terminate);
        if (r == 0)
                r = ipc_channel_new(role->loop, ROLE_CHANNEL_FD, on_parent, role,
                                    &role->parent);
        return r;
}

int role_main(enum ipc_role kind, struct conf_flags *flags) {
        static const struct role_methods *const methods[IPC_N_ROLES] = {
                [IPC_CORE] = &core_methods,          [IPC_LIBRARY] = &library_methods,
                [IPC_FILES] = &files_methods,        [IPC_ADMIN] = &admin_methods,
                [IPC_UNPACK_ROLE] = &unpack_methods,
        };
        struct role role = { .kind = kind, .methods = methods[kind], .flags = flags };
        int r;

        /* Ctrl-C and a closed terminal are the parent's to judge. */
        signal(SIGINT, SIG_IGN);
        signal(SIGHUP, SIG_IGN);
        signal(SIGPIPE, SIG_IGN);
        r = set_up(&role);
        if (r < 0) {
                fprintf(stderr, "bootjack %s: %s\n", ipc_role_name(kind), strerror(-r));
                return EXIT_FAILURE;
        }
        loop_run(role.loop);
        if (role.userdata)
                role.methods->stop(&role);
        ipc_channel_free(role.parent);
        loop_signal_free(role.terminate);
        loop_free(role.loop);
        for (size_t i = 0; i < role.n_folders; i++) {
                close(role.folders[i].fd);
                free(role.folders[i].path);
        }
        conf_free(role.conf);
        return EXIT_SUCCESS;
}
