#pragma once
/*
 * The TCP sockets that a door listens at. What comes is accepted here and handed to the
 * door; while no descriptor is left, nobody is accepted for a moment, instead of being
 * woken for ever by who waits.
 */
#include "io/tcp.h"
#include "role/files.h"

enum { FILES_LISTEN_MAX = 256 };

struct files_listener;

struct files_listen {
        struct files *files;
        const struct files_listen_methods *methods;
        void *door;
        struct files_listener *listeners[FILES_LISTEN_MAX];
        size_t n;
        struct loop_timer *resume;
};

struct files_listen_methods {
        /* The connection `fd` is the door's from now on, whatever it does with it;
         * `kind` is what the listening socket was added with. */
        void (*accepted)(void *door, unsigned kind, int fd, struct udp_endpoint peer,
                         struct udp_endpoint local);
        /* No descriptor is left: closes what idles, or says that nothing does. */
        bool (*make_room)(void *door);
};

MUST_USE int files_listen_init(struct files_listen *ret, struct files *files,
                               const struct files_listen_methods *methods, void *door);
void files_listen_done(struct files_listen *l); /* also of one that is all zeros */
/* Takes fd over, also when it fails. */
MUST_USE int files_listen_add(struct files_listen *l, unsigned kind, int fd);
/* Closes those at this address. */
void files_listen_remove(struct files_listen *l, struct udp_endpoint at);
