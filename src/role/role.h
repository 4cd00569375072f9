#pragma once
/*
 * What every role has in common: it is this program, run again, with the channel to
 * the parent as descriptor 3. It is told its place (START), its peers, sockets and
 * interfaces, and begins at GO. It ends when the parent goes or at SIGTERM.
 */
#include "conf/conf.h"
#include "ipc/ipc.h"

enum { ROLE_CHANNEL_FD = 3, ROLE_FILES_WORKERS = 2 };

struct role {
        struct loop *loop;
        struct ipc_channel *parent;
        struct loop_signal *terminate;
        enum ipc_role kind;
        uint32_t index, n_files;
        struct conf *conf;
        struct conf_flags *flags;
        const struct role_methods *methods;
        void *userdata; /* the role's own state */
};

/* Called in this order; `message` gets all that role.c does not handle itself. */
struct role_methods {
        int (*start)(struct role *role); /* conf is there; sets userdata */
        void (*message)(struct role *role, const struct ipc_message *message);
        int (*go)(struct role *role); /* everything is there: sandbox, serve */
        void (*reconfigured)(struct role *role, const struct conf *old);
        void (*stop)(struct role *role); /* NULL userdata when start failed */
};

/* The program's entry for `bootjack role NAME FLAGS...`; returns the exit code. */
int role_main(enum ipc_role kind, struct conf_flags *flags);

/* Sends an event, stamped with the time, over `channel`. */
void role_event(struct ipc_channel *channel, struct event *event);

extern const struct role_methods core_methods, library_methods, files_methods,
        admin_methods;

/* The parent itself: serves until told to end; returns the exit code. Prints to
 * stderr what it could not do. */
int parent_main(struct conf_flags *flags, int argc, char **argv);
