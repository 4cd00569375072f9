/*
 * What HTTP, FTP and NFS have in common: sockets that listen.
 */
#include "role/files_listen.h"

#include <stdlib.h>
#include <unistd.h>

enum { ACCEPTS_AT_ONCE = 64 };

static const nsec_t pause_without_descriptors = 100 * NSEC_PER_MSEC;

struct files_listener {
        struct files_listen *all;
        unsigned kind;
        int fd;
        struct loop_watch *watch;
};

static void set_listening(struct files_listen *l, unsigned wanted) {
        for (size_t i = 0; i < l->n; i++)
                loop_watch_set(l->listeners[i]->watch, wanted);
}

static void on_resume(void *userdata) {
        set_listening(userdata, LOOP_READABLE);
}

static void on_listener(int fd, unsigned ready, void *userdata) {
        struct files_listener *listener = userdata;
        struct files_listen *l = listener->all;

        for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
                struct udp_endpoint peer, local;
                int accepted, r = tcp_accept(fd, &accepted, &peer, &local);

                if (r == 0) {
                        l->methods->accepted(l->door, listener->kind, accepted, peer,
                                             local);
                        continue;
                }
                /* No descriptor is left: the connection stays in the queue and would
                 * wake us at once, for ever. */
                if (r != -EAGAIN && !l->methods->make_room(l->door)) {
                        set_listening(l, 0);
                        loop_timer_set(l->resume,
                                       loop_now() + pause_without_descriptors);
                }
                return;
        }
}

int files_listen_init(struct files_listen *ret, struct files *files,
                      const struct files_listen_methods *methods, void *door) {
        *ret = (struct files_listen){ .files = files,
                                      .methods = methods,
                                      .door = door };
        return loop_timer_new(files_loop(files), on_resume, ret, &ret->resume);
}

static void listener_free(struct files_listener *listener) {
        loop_watch_free(listener->watch);
        close(listener->fd);
        free(listener);
}

void files_listen_done(struct files_listen *l) {
        while (l->n > 0)
                listener_free(l->listeners[--l->n]);
        l->resume = loop_timer_free(l->resume);
}

int files_listen_add(struct files_listen *l, unsigned kind, int fd) {
        struct files_listener *listener =
                l->n < FILES_LISTEN_MAX ? calloc(1, sizeof(*listener)) : NULL;
        int r;

        if (!listener) {
                close(fd);
                return l->n < FILES_LISTEN_MAX ? -ENOMEM : -ENOSPC;
        }
        *listener = (struct files_listener){ .all = l, .kind = kind, .fd = fd };
        r = loop_watch_new(files_loop(l->files), fd, LOOP_READABLE, on_listener,
                           listener, &listener->watch);
        if (r < 0) {
                listener_free(listener);
                return r;
        }
        l->listeners[l->n++] = listener;
        return 0;
}

void files_listen_remove(struct files_listen *l, struct udp_endpoint at) {
        for (size_t i = 0; i < l->n; i++) {
                if (!udp_is_bound(l->listeners[i]->fd, at))
                        continue;
                listener_free(l->listeners[i]);
                l->listeners[i--] = l->listeners[--l->n];
        }
}
