#pragma once
/*
 * What every role has in common: it is this program, run again, with the channel to
 * the parent as descriptor 3. It is told its place (START), its peers, sockets and
 * interfaces, and begins at GO. It ends when the parent goes or at SIGTERM.
 */
#include "base/event.h"
#include "conf/conf.h"
#include "ipc/ipc.h"

enum { ROLE_CHANNEL_FD = 3 };

enum { ROLE_FOLDERS_MAX = 160 };
struct role_folder {
        char *path;
        int fd;
        char reachable[32]; /* /proc/self/fd/N */
};

struct role {
        struct loop *loop;
        struct ipc_channel *parent;
        struct loop_signal *terminate;
        enum ipc_role kind;
        uint32_t index, n_files;
        bool is_restart;
        struct role_folder folders[ROLE_FOLDERS_MAX];
        size_t n_folders;
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
        void (*stop)(struct role *role); /* only after a start that set userdata */
};

/* The program's entry for `bootjack role NAME FLAGS...`; returns the exit code. */
int role_main(enum ipc_role kind, struct conf_flags *flags);

/* How to reach a path of the configuration: the parent opened it while it was root, so
 * that it may lie below a home that nobody else can enter. Another path, and one that
 * was not there at the start, is returned as it is. Lives as long as the role. */
const char *role_path(const struct role *role, const char *path);
/* The same for the recipes, which lie beside the program. */
#define ROLE_RECIPES "recipes"

/* Sends an event, stamped with the time, over `channel`. */
void role_event(struct ipc_channel *channel, struct event *event);

extern const struct role_methods core_methods, library_methods, files_methods,
        admin_methods, unpack_methods;

/* The parent itself: serves until told to end; returns the exit code. Prints to
 * stderr what it could not do. Paths in `flags` are absolute. */
int parent_main(struct conf_flags *flags);
