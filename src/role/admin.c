/*
 * The admin role: the control socket's server, between local clients and the core. It
 * has no file and no right; it can only ask.
 */
#include <stdlib.h>
#include <unistd.h>

#include "admin/control.h"
#include "base/event.h"
#include "role/role.h"
#include "sandbox/sandbox.h"

struct admin {
        struct role *role;
        struct control *control;
        struct ipc_channel *core;
        int listener; /* -1: not yet given, or handed on */
};

/* Out of a message, so that it is not closed with it. */
static int take(int *fd) {
        int taken = *fd;

        *fd = -1;
        return taken;
}

static int start(struct role *role) {
        struct admin *admin = calloc(1, sizeof(*admin));
        int r;

        if (!admin)
                return -ENOMEM;
        admin->role = role;
        admin->listener = -1;
        r = control_new(role->loop, &admin->control);
        if (r < 0) {
                free(admin);
                return r;
        }
        role->userdata = admin;
        return 0;
}

static void on_core(struct ipc_channel *channel, const struct ipc_message *message,
                    void *userdata) {
        struct admin *admin = userdata;

        switch (message->kind) {
        case IPC_NONE:
                control_set_core(admin->control, NULL);
                admin->core = ipc_channel_free(channel);
                break;
        case IPC_EVENT:
                control_event(admin->control, message->tail, message->n_tail);
                break;
        case IPC_ANSWER:
                control_answer(admin->control, message->body, message->tail,
                               message->n_tail);
                break;
        default:
                break;
        }
}

/* A core that was started again takes the place of the one before. */
static void on_peer(struct admin *admin, const struct ipc_message *message) {
        const struct ipc_peer *peer = message->body;
        struct ipc_channel *core = NULL;

        if (peer->role != IPC_CORE || message->n_fds != 1)
                return;
        control_set_core(admin->control, NULL);
        admin->core = ipc_channel_free(admin->core);
        /* On failure the channel has closed it, and queries are answered that the core
         * is not there. */
        if (ipc_channel_new(admin->role->loop, take(&message->fds[0]), on_core, admin,
                            &core) == 0)
                admin->core = core;
        control_set_core(admin->control, admin->core);
}

static void on_socket(struct admin *admin, const struct ipc_message *message) {
        const struct ipc_socket *at = message->body;

        if (at->door != IPC_DOOR_CONTROL || message->n_fds != 1 || admin->listener >= 0)
                return;
        admin->listener = take(&message->fds[0]);
}

static void on_message(struct role *role, const struct ipc_message *message) {
        struct admin *admin = role->userdata;

        if (message->kind == IPC_PEER)
                on_peer(admin, message);
        else if (message->kind == IPC_SOCKET)
                on_socket(admin, message);
}

static int go(struct role *role) {
        struct admin *admin = role->userdata;
        int fd = admin->listener, r = sandbox_enter(NULL, 0);

        if (r < 0 || fd < 0)
                return r < 0 ? r : -EBADF;
        admin->listener = -1;
        return control_listen(admin->control, fd);
}

static void reconfigured(struct role *role, const struct conf *old) {
        (void)role;
        (void)old; /* nothing here is configured */
}

static void stop(struct role *role) {
        struct admin *admin = role->userdata;

        if (!admin)
                return;
        control_free(admin->control);
        ipc_channel_free(admin->core);
        if (admin->listener >= 0)
                close(admin->listener);
        free(admin);
}

const struct role_methods admin_methods = {
        .start = start,
        .message = on_message,
        .go = go,
        .reconfigured = reconfigured,
        .stop = stop,
};
