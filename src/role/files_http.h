#pragma once
/*
 * Private to the HTTP door: files_http.c has the connections and their turns,
 * files_http_answer.c what is found and what is told about it.
 */
#include "proto/http_connection.h"
#include "role/files.h"
#include "role/files_disk.h"
#include "role/files_listen.h"
#include "role/files_source.h"

struct files_http {
        struct files *files;
        struct files_listen listen;
        struct list connections; /* the one that was served longest ago comes first */
        size_t n_connections;
        size_t n_listings_bytes;
        struct files_sources sources;
        struct tls_server *tls; /* NULL: no certificate yet */
        int log;                /* -1: none */
};

struct connection {
        struct list in_door;
        struct files_http *door;
        struct files_source *source;
        int fd;
        struct tls *tls; /* NULL: plain */
        struct udp_endpoint peer, local;
        struct loop_watch *watch;
        struct loop_timer *timer;
        struct http_connection http;
        struct files_wait disk;  /* while it waits nothing leaves */
        nsec_t held_since;       /* by it; NEVER: it is not */
        int64_t ticket;          /* of a file that the core still makes; -1: none */
        struct vtree_file *file; /* of the current answer */
        size_t n_listing_bytes;
        bool is_sending; /* STARTED was told, or would have been for a larger file */
        nsec_t started, progress_told;
        nsec_t deadline; /* as the timer has it */
};

/* Deadlines and dates do not mind the while that a wake takes. */
static inline nsec_t now_of(const struct connection *c) {
        return loop_wake(files_loop(c->door->files));
}

static inline nsec_t realtime_of(const struct connection *c) {
        return loop_wake_realtime(files_loop(c->door->files));
}

/* Carries out actions until the connection waits; frees it at its end. */
void http_run(struct connection *c);

/* ---- answers ---- */

/* Answers LOOKUP, at once or when the core has made the file: `ticket`. */
void http_look_up(struct connection *c);
/* A listing has left, or never will. */
void http_forget_listing(struct connection *c);

/* ---- events ---- */

const char *http_door_name(const struct connection *c);
void http_tell_refused(struct files_http *door, const char *name,
                       const struct udp_endpoint *client, const char *file,
                       const char *why, const char *nearest);
/* What the connection itself refused: the request's own words are all there is. */
void http_tell_refused_here(struct connection *c);
void http_tell_started(struct connection *c);
void http_tell_progress(struct connection *c, nsec_t now);
void http_tell_done(struct connection *c);
void http_tell_failed(struct connection *c, const char *why);
