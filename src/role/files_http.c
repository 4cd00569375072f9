/*
 * The HTTP door: what proto/http_connection decides, done with sockets and files.
 * Bodies leave by sendfile, extent by extent, and never pass through this process.
 *
 * A connection is served in turns of bounded size, so that one fast client does not
 * keep the others waiting. When all places are taken, the connection that has idled
 * longest between requests goes; a newcomer is turned away only when none is idle.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/tcp.h"
#include "proto/http_connection.h"
#include "proto/http_listing.h"
#include "role/files.h"
#include "role/files_disk.h"
#include "role/files_source.h"

enum {
        LISTEN_MAX = 256,
        ACCEPTS_AT_ONCE = 64,
        READS_AT_ONCE = 16,
        ANSWERS_AT_ONCE = 32, /* pipelined */
        TURN_BYTES = 4 * 1024 * 1024,
        STARTED_TOLD_FROM = 1 << 20, /* installers fetch thousands of small files */
        LISTED_MAX = 20000,
        LISTINGS_BYTES_MAX = 64 << 20, /* of all that are on their way */
        TOGETHER_MAX = 32 * 1024,      /* a file this small leaves with its head, */
        HEAD_MAX = 4096,               /* which is never longer */
};

static const nsec_t progress_every = 250 * NSEC_PER_MSEC;
static const nsec_t pause_without_descriptors = 100 * NSEC_PER_MSEC;

struct listener {
        struct files_http *door;
        int fd;
        bool is_tls;
        struct loop_watch *watch;
};

struct files_http {
        struct files *files;
        struct listener *listeners[LISTEN_MAX];
        size_t n_listeners;
        struct loop_timer *resume; /* listening stops while there are no descriptors */
        struct list connections;   /* the one that was served longest ago comes first */
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

static void run(struct connection *c);
static void on_disk(int answer, void *userdata);
static void read_some(struct connection *c);

static const char *door_name(const struct connection *c) {
        return c->tls ? "https" : "http";
}

/* Deadlines and dates do not mind the while that a wake takes. */
static nsec_t now_of(const struct connection *c) {
        return loop_wake(files_loop(c->door->files));
}

static nsec_t realtime_of(const struct connection *c) {
        return loop_wake_realtime(files_loop(c->door->files));
}

static uint64_t rate_of(uint64_t bytes, nsec_t took) {
        uint64_t usec = max_u64(took / NSEC_PER_USEC, 1);

        return bytes > UINT64_MAX / 1000000 ? bytes / usec * 1000000
                                            : bytes * 1000000 / usec;
}

static void tell_refused(struct files_http *door, const char *name,
                         const struct udp_endpoint *client, const char *file,
                         const char *why, const char *nearest) {
        struct event e = { .kind = EVENT_FILE_REFUSED,
                           .address = client->address,
                           .address6 = client->address6,
                           .values = { EVENT_TEXT(name), EVENT_TEXT(file),
                                       EVENT_TEXT(why) } };

        if (nearest)
                e.values[3] = (struct event_value)EVENT_TEXT(nearest);
        files_event(door->files, &e);
}

static void tell_started(struct connection *c) {
        if (c->is_sending)
                return;
        c->is_sending = true;
        c->started = c->progress_told = loop_now();
        if (c->http.left < STARTED_TOLD_FROM)
                return;
        files_event(
                c->door->files,
                &(struct event){
                        .kind = EVENT_FILE_STARTED,
                        .address = c->peer.address,
                        .address6 = c->peer.address6,
                        .values = { EVENT_TEXT(door_name(c)), EVENT_TEXT(c->http.path),
                                    EVENT_BYTES(c->http.left),
                                    EVENT_TEXT(c->http.status == 206 ? ", a part"
                                                                     : "") } });
}

static void tell_progress(struct connection *c, nsec_t now) {
        uint64_t sent = c->http.body_sent;

        if (c->file->size < STARTED_TOLD_FROM ||
            now - c->progress_told < progress_every)
                return;
        c->progress_told = now;
        files_event(
                c->door->files,
                &(struct event){
                        .kind = EVENT_FILE_PROGRESS,
                        .address = c->peer.address,
                        .address6 = c->peer.address6,
                        .values = { EVENT_TEXT(door_name(c)), EVENT_TEXT(c->http.path),
                                    EVENT_BYTES(sent), EVENT_BYTES(sent + c->http.left),
                                    EVENT_RATE(rate_of(sent, now - c->started)) } });
}

static void tell_done(struct connection *c) {
        const struct http_request *r = &c->http.request;
        nsec_t took = loop_now() - c->started;
        struct text agent = { 0 };

        if (r->user_agent.n)
                text_printable(&agent, (const char *)r->user_agent.data,
                               r->user_agent.n);
        files_event(c->door->files,
                    &(struct event){
                            .kind = EVENT_FILE_DONE,
                            .address = c->peer.address,
                            .address6 = c->peer.address6,
                            .values = { EVENT_TEXT(door_name(c)),
                                        EVENT_TEXT(c->http.path),
                                        EVENT_BYTES(c->http.body_sent),
                                        EVENT_DURATION(took),
                                        EVENT_RATE(rate_of(c->http.body_sent, took)),
                                        { .type = EVENT_TYPE_NONE },
                                        EVENT_TEXT(text_string(&agent)) } });
        text_done(&agent);
}

static void tell_failed(struct connection *c, const char *why) {
        files_event(c->door->files,
                    &(struct event){ .kind = EVENT_FILE_FAILED,
                                     .address = c->peer.address,
                                     .address6 = c->peer.address6,
                                     .values = { EVENT_TEXT(door_name(c)),
                                                 EVENT_TEXT(c->http.path),
                                                 EVENT_BYTES(c->http.body_sent),
                                                 EVENT_TEXT(why) } });
}

/* What the connection itself refused: the request's own words are all there is. */
static void tell_refused_here(struct connection *c) {
        const struct http_request *r = &c->http.request;
        struct span s = r->target.n ? r->target : r->line;
        struct text asked = { 0 };

        if (s.n)
                text_printable(&asked, (const char *)s.data, s.n);
        tell_refused(c->door, door_name(c), &c->peer, text_string(&asked), c->http.why,
                     NULL);
        text_done(&asked);
}

static void forget_listing(struct connection *c) {
        c->door->n_listings_bytes -= c->n_listing_bytes;
        c->n_listing_bytes = 0;
}

static struct connection *connection_free(struct connection *c) {
        if (!c)
                return NULL;
        if (c->ticket >= 0)
                files_generate_cancel(c->door->files, c->ticket);
        forget_listing(c);
        files_wait_cancel(&c->disk);
        loop_timer_free(c->timer);
        tls_free(c->tls);
        loop_watch_close(c->watch);
        vtree_file_unref(c->file);
        http_connection_done(&c->http);
        list_remove(&c->in_door);
        c->source->n_held--;
        c->door->n_connections--;
        free(c);
        return NULL;
}

static void answer_nothing(struct connection *c, unsigned status, const char *why,
                           const char *nearest) {
        struct text body = { 0 };

        text_add(&body, why);
        text_add(&body, ": ");
        text_char(&body, '/');
        text_add(&body, c->http.path);
        if (nearest) {
                text_add(&body, " (nearest: /");
                text_add(&body, nearest);
                text_char(&body, ')');
        }
        tell_refused(c->door, door_name(c), &c->peer, c->http.path, why, nearest);
        http_connection_answer(&c->http,
                               &(struct http_found){ .kind = HTTP_FOUND_NOTHING,
                                                     .status = status,
                                                     .text = text_string(&body) },
                               now_of(c), realtime_of(c));
        text_done(&body);
}

struct listing {
        struct text page;
};

static void list_entry(const struct vtree_entry *entry, void *userdata) {
        struct listing *l = userdata;

        http_listing_entry(&l->page, entry->name, entry->is_folder, entry->size,
                           entry->mtime);
}

static void answer_listing(struct connection *c, const char *path) {
        struct listing l = { 0 };
        bool is_cut = false;

        if (!files_conf(c->door->files)->http.index) {
                answer_nothing(c, 403, "folders are not listed here (http.index)",
                               NULL);
                return;
        }
        if (c->door->n_listings_bytes > LISTINGS_BYTES_MAX) {
                answer_nothing(c, 503, "too many long listings are on their way", NULL);
                return;
        }
        http_listing_begin(&l.page, c->http.path);
        if (vtree_list_some(files_tree(c->door->files), path, LISTED_MAX, list_entry,
                            &l, &is_cut) != VTREE_OK)
                l.page.failed = true;
        http_listing_end(&l.page, is_cut ? LISTED_MAX : 0);
        if (l.page.failed)
                answer_nothing(c, 500, "the folder could not be listed", NULL);
        else
                http_connection_answer(
                        &c->http,
                        &(struct http_found){ .kind = HTTP_FOUND_LISTING,
                                              .text = text_string(&l.page) },
                        now_of(c), realtime_of(c));
        c->n_listing_bytes = c->http.out.n;
        c->door->n_listings_bytes += c->n_listing_bytes;
        text_done(&l.page);
}

/* Takes the file over. `path` is where it was found, which http.root may have moved. */
static void answer_found(struct connection *c, struct vtree_file *file,
                         const char *path, bool is_generated) {
        struct http_found found = { .kind = HTTP_FOUND_FILE,
                                    .size = file->size,
                                    .etag = file->etag,
                                    .mtime = file->mtime,
                                    .is_generated =
                                            is_generated && file->n_pieces == 0 };

        if (file->is_folder && c->http.has_slash) {
                vtree_file_unref(file);
                answer_listing(c, path);
                return;
        }
        if (file->is_folder) {
                found.kind = HTTP_FOUND_FOLDER;
                vtree_file_unref(file);
        } else if (c->http.has_slash) {
                vtree_file_unref(file);
                answer_nothing(c, 404, "not a folder", NULL);
                return;
        } else {
                c->file = file;
        }
        http_connection_answer(&c->http, &found, now_of(c), realtime_of(c));
}

static void on_generated(int answer, struct vtree_file *file, void *userdata) {
        struct connection *c = userdata;

        c->ticket = -1;
        if (answer == VTREE_OK)
                answer_found(c, file, c->http.path, true);
        else if (answer == VTREE_NOT_FOUND)
                answer_nothing(c, 404, "not found", NULL);
        else
                answer_nothing(c, 504, "the server did not make this file in time",
                               NULL);
        run(c);
}

/* A query goes with what is ours alone; it is in no log, as there may be a password in
 * it. */
static void generate(struct connection *c) {
        const struct span *query = &c->http.request.query;
        struct text path = { 0 };

        text_add(&path, c->http.path);
        if (query->n > 0 && strncmp(c->http.path, "bootjack/", 9) == 0) {
                text_char(&path, '?');
                text_bytes(&path, query->data, query->n);
        }
        c->ticket = files_generate(
                c->door->files, text_string(&path), c->peer.address,
                files_server_of(c->door->files, c->local.address, c->local.address6),
                on_generated, c);
        text_done(&path);
        if (c->ticket < 0) {
                c->ticket = -1;
                answer_nothing(c, 503, "the server cannot make this file now", NULL);
        }
}

/* A classic web server's document root inside the tree: http.root. */
static int open_below_root(struct connection *c, char moved[static PATH_MAX_BYTES],
                           struct vtree_file **ret) {
        const char *root = files_conf(c->door->files)->http.root;
        struct text full = { 0 };
        int found = VTREE_NOT_FOUND;

        if (!root || !*root)
                return VTREE_NOT_FOUND;
        text_add(&full, root);
        text_char(&full, '/');
        text_add(&full, c->http.path);
        if (!full.failed && path_clean(full.s, full.n, moved) == PATH_OK)
                found = vtree_open(files_tree(c->door->files), moved, ret);
        text_done(&full);
        return found;
}

static void answer_missing(struct connection *c) {
        char nearest[PATH_MAX_BYTES];
        bool has_nearest =
                vtree_nearest(files_tree(c->door->files), c->http.path, nearest) &&
                strcmp(nearest, c->http.path) != 0;

        answer_nothing(c, 404, "not found", has_nearest ? nearest : NULL);
}

static void look_up(struct connection *c) {
        char moved[PATH_MAX_BYTES];
        const char *path = c->http.path;
        struct vtree_file *file;
        int found = vtree_open(files_tree(c->door->files), path, &file);

        if (found == VTREE_NOT_FOUND) {
                found = open_below_root(c, moved, &file);
                path = moved;
        }
        if (found == VTREE_OK)
                answer_found(c, file, path, false);
        else if (found == VTREE_GENERATED && path == c->http.path)
                generate(c);
        else if (found == VTREE_NOT_FOUND || found == VTREE_GENERATED)
                answer_missing(c);
        else if (found == VTREE_REFUSED)
                answer_nothing(c, 403, "it leads out of the tree, or is no file", NULL);
        else if (found == VTREE_UNREADABLE)
                answer_nothing(c, 403, "the server may not read it", NULL);
        else
                answer_nothing(c, 503, "the server is out of memory or descriptors",
                               NULL);
}

static const char *peer_text(const struct connection *c) {
        static char text[IP6_TEXT_MAX];

        return udp_is_six(&c->peer) ? ip6_format(c->peer.address6, text)
                                    : ip4_format(c->peer.address, text);
}

static void write_log(struct connection *c) {
        struct text line = { 0 };
        ssize_t ignored = 0;

        if (c->door->log < 0)
                return;
        http_connection_log(&c->http, peer_text(c), realtime_of(c),
                            files_conf(c->door->files)->http.log_is_combined, &line);
        /* One write a line: O_APPEND keeps the lines of several workers apart. A full
         * disk must not stop a boot. */
        if (!line.failed)
                ignored = write(c->door->log, line.s, line.n);
        (void)ignored;
        text_done(&line);
}

static void on_answered(struct connection *c) {
        write_log(c);
        forget_listing(c);
        if (c->http.why)
                tell_refused_here(c);
        else if (c->is_sending)
                tell_done(c);
        c->is_sending = false;
        c->file = vtree_file_unref(c->file);
        http_connection_logged(&c->http, now_of(c), realtime_of(c));
}

static void wait_for(struct connection *c, unsigned wanted, nsec_t deadline) {
        if (c->tls && tls_is_waiting(c->tls))
                wanted |= LOOP_WRITABLE;
        loop_watch_set(c->watch, wanted);
        /* Deadlines move with every request; a timer that rings too early costs less
         * than one that is moved each time. */
        if (deadline >= c->deadline)
                return;
        loop_timer_set(c->timer, deadline);
        c->deadline = deadline;
}

enum outcome { MOVED, FULL, HELD /* by the disk */ };

/* What a call that moves bytes came to: how many, or -errno. */
static int64_t result_of(ssize_t n) {
        return n >= 0 ? n : errno == EINTR ? -EAGAIN : -errno;
}

/* The socket takes no more: it is called again when it does. */
static enum outcome full(struct connection *c) {
        loop_watch_drained(c->watch, LOOP_WRITABLE);
        return FULL;
}

/* After anything that writes by TLS: what did not leave was tried. */
static void look_at_rest(struct connection *c) {
        if (c->tls && tls_is_waiting(c->tls))
                loop_watch_drained(c->watch, LOOP_WRITABLE);
}

static enum outcome on_sent(struct connection *c, int64_t n) {
        look_at_rest(c);
        if (n == -EAGAIN)
                return full(c);
        if (n < 0)
                http_connection_fail(&c->http);
        else
                http_connection_sent(&c->http, (uint64_t)n, now_of(c));
        return MOVED;
}

static enum outcome send_bytes(struct connection *c, const struct http_action *a) {
        if (c->tls)
                return on_sent(c, tls_send(c->tls, a->data, (size_t)a->n));
        return on_sent(c,
                       result_of(send(c->fd, a->data, (size_t)a->n,
                                      MSG_NOSIGNAL | (a->is_followed ? MSG_MORE : 0))));
}

static enum outcome fail_file(struct connection *c, int64_t r) {
        tell_failed(c, r == 0         ? "the file was cut short under us"
                       : r == -ESTALE ? vtree_file_why_changed(c->file)
                       : r == -EPIPE || r == -ECONNRESET
                               ? "the client closed the connection"
                       : r == -ETIMEDOUT ? "the disk did not answer in time"
                                         : "the file could not be read");
        c->is_sending = false;
        http_connection_fail(&c->http);
        return MOVED;
}

/* Head and file in one packet: for small files a copy costs less than a second call. */
static enum outcome send_together(struct connection *c, const struct http_action *a) {
        static uint8_t both[HEAD_MAX + TOGETHER_MAX]; /* none of it outlives the call */
        size_t n = (size_t)a->n + (size_t)c->http.left;
        int64_t got =
                files_disk_read(files_disk(c->door->files), c->file, c->http.offset,
                                both + a->n, (size_t)c->http.left, &c->disk);

        if (got == -EAGAIN)
                return HELD;
        if (got >= 0 && (got != (int64_t)c->http.left ||
                         !(c->file->content || vtree_file_is_unchanged(c->file))))
                got = -ESTALE;
        if (got < 0)
                return fail_file(c, got);
        memcpy(both, a->data, (size_t)a->n);
        return on_sent(c, c->tls ? tls_send(c->tls, both, n)
                                 : result_of(send(c->fd, both, n, MSG_NOSIGNAL)));
}

static int64_t send_place(struct connection *c, struct vtree_place at, uint64_t n) {
        return c->tls ? tls_send_file(c->tls, at.fd, at.offset, n)
                      : tcp_sendfile(c->fd, at.fd, at.offset, n);
}

static enum outcome send_file(struct connection *c, const struct http_action *a,
                              uint64_t *turn) {
        struct vtree_place at;
        int64_t n;

        if (*turn == 0)
                return FULL;
        n = files_disk_ready(files_disk(c->door->files), c->file, a->offset,
                             min_u64(a->n, *turn), &c->disk);
        if (n == -EAGAIN)
                return HELD;
        at = vtree_file_place(c->file, a->offset);
        /* Asked each turn: bytes of another file must not follow what has left. */
        if (n > 0)
                n = vtree_file_is_unchanged(c->file) ? send_place(c, at, (uint64_t)n)
                                                     : -ESTALE;
        look_at_rest(c);
        if (n == -EAGAIN)
                return full(c);
        if (n <= 0)
                return fail_file(c, n);
        *turn -= (uint64_t)n;
        http_connection_sent(&c->http, (uint64_t)n, now_of(c));
        tell_progress(c, loop_now());
        return MOVED;
}

static void end(struct connection *c) {
        if (c->is_sending)
                tell_failed(c,
                            "the client went away, took nothing for a minute, or less "
                            "than http.min-rate");
        connection_free(c);
}

/* A peer that sees the end without close_notify may think that somebody cut it off
 * (RFC 9112, 9.8). */
static enum outcome shut(struct connection *c) {
        if (c->tls && tls_shutdown(c->tls) == -EAGAIN)
                return full(c);
        (void)shutdown(c->fd, SHUT_WR);
        http_connection_shut(&c->http, now_of(c));
        return MOVED;
}

/* Asks again what the disk has; the time that it took is not the client's. */
static void stop_waiting(struct connection *c) {
        if (c->held_since != NSEC_NEVER)
                http_connection_held_up(&c->http, now_of(c) - c->held_since);
        c->held_since = NSEC_NEVER;
        files_wait_cancel(&c->disk);
}

/* Carries out actions until the connection waits; frees it at its end. */
static void run(struct connection *c) {
        uint64_t turn = TURN_BYTES;
        unsigned n_answers = 0;

        list_remove(&c->in_door);
        list_append(&c->door->connections, &c->in_door);
        stop_waiting(c);
        for (;;) {
                struct http_action a = http_connection_next(&c->http);
                enum outcome outcome = MOVED;

                switch (a.kind) {
                case HTTP_WAIT:
                        if (c->tls && tls_has_more(c->tls) &&
                            http_connection_room(&c->http) > 0) {
                                read_some(c);
                                break;
                        }
                        wait_for(c, http_connection_room(&c->http) ? LOOP_READABLE : 0,
                                 a.deadline);
                        return;
                case HTTP_LOOKUP:
                        if (c->ticket < 0)
                                look_up(c);
                        if (c->ticket < 0)
                                break;
                        wait_for(c, 0, a.deadline);
                        return;
                case HTTP_SEND:
                        if (a.is_followed)
                                tell_started(c);
                        outcome = a.is_followed && a.n <= HEAD_MAX &&
                                                  c->http.left <= TOGETHER_MAX
                                          ? send_together(c, &a)
                                          : send_bytes(c, &a);
                        break;
                case HTTP_SEND_FILE:
                        outcome = send_file(c, &a, &turn);
                        break;
                case HTTP_ANSWERED:
                        on_answered(c);
                        /* The rest of a long pipeline waits for its turn. */
                        if (++n_answers == ANSWERS_AT_ONCE)
                                turn = 0;
                        break;
                case HTTP_SHUTDOWN:
                        outcome = shut(c);
                        break;
                case HTTP_CLOSE:
                        end(c);
                        return;
                }
                if (outcome == HELD)
                        c->held_since = now_of(c);
                if (outcome != MOVED) {
                        wait_for(c, outcome == FULL ? LOOP_WRITABLE : 0, a.deadline);
                        return;
                }
        }
}

static int64_t receive(struct connection *c, void *buffer, size_t n) {
        int64_t got;

        if (c->tls) {
                got = tls_recv(c->tls, buffer, n);
                look_at_rest(c);
        } else {
                got = result_of(recv(c->fd, buffer, n, 0));
        }
        /* Less than there was room for is all there is. */
        if (got == -EAGAIN || (!c->tls && got > 0 && (size_t)got < n))
                loop_watch_drained(c->watch, LOOP_READABLE);
        if (got == -EPROTO && files_source_should_tell(c->source, loop_now()))
                tell_refused(c->door, "https", &c->peer, "", tls_why(c->tls), NULL);
        return got;
}

static void read_some(struct connection *c) {
        char bytes[HTTP_REQUEST_HEAD_MAX];

        for (int i = 0; i < READS_AT_ONCE; i++) {
                size_t room = min_size(http_connection_room(&c->http), sizeof(bytes));
                int64_t n;

                if (room == 0)
                        return;
                n = receive(c, bytes, room);
                if (n > 0)
                        http_connection_recv(&c->http, bytes, (size_t)n, now_of(c),
                                             realtime_of(c));
                else if (n == 0)
                        http_connection_eof(&c->http);
                else if (n != -EAGAIN)
                        http_connection_fail(&c->http);
                if (n <= 0 || (!c->tls && (size_t)n < room))
                        return;
        }
}

static void on_ready(int fd, unsigned ready, void *userdata) {
        struct connection *c = userdata;
        int r = ready & LOOP_WRITABLE && c->tls ? tls_flush(c->tls) : 0;

        look_at_rest(c);
        if (r < 0 && r != -EAGAIN)
                http_connection_fail(&c->http);
        else if (r < 0 && !(ready & LOOP_READABLE))
                return;
        if (ready & LOOP_READABLE)
                read_some(c);
        run(c);
}

/* What was fetched is in memory now, or never will be. */
static void on_disk(int answer, void *userdata) {
        struct connection *c = userdata;

        if (answer < 0)
                (void)fail_file(c, answer);
        run(c);
}

static void on_timer(void *userdata) {
        struct connection *c = userdata;

        c->deadline = NSEC_NEVER; /* it has fired */
        /* It is not the client who was slow. */
        if (files_wait_is_waiting(&c->disk) && now_of(c) >= c->http.deadline) {
                on_disk(-ETIMEDOUT, c);
                return;
        }
        http_connection_tick(&c->http, now_of(c), realtime_of(c));
        run(c);
}

static int connection_new(struct listener *listener, struct files_source *source,
                          int fd, struct udp_endpoint peer, struct udp_endpoint local,
                          struct connection **ret) {
        struct files_http *door = listener->door;
        struct connection *c = calloc(1, sizeof(*c));
        struct loop *loop = files_loop(door->files);
        int r;

        if (!c)
                return -ENOMEM;
        c->door = door;
        c->source = source;
        c->fd = fd;
        c->peer = peer;
        c->local = local;
        c->ticket = -1;
        files_wait_init(&c->disk, on_disk, c);
        c->held_since = NSEC_NEVER;
        c->deadline = NSEC_NEVER;
        http_connection_init(&c->http, now_of(c));
        c->http.min_rate = files_conf(door->files)->http.min_rate;
        r = listener->is_tls ? tls_new(door->tls, fd, &c->tls) : 0;
        if (r == 0)
                r = loop_watch_new(loop, fd, LOOP_EDGE, on_ready, c, &c->watch);
        if (r == 0)
                r = loop_timer_new(loop, on_timer, c, &c->timer);
        if (r < 0) {
                loop_watch_free(c->watch);
                tls_free(c->tls);
                free(c);
                return r;
        }
        list_append(&door->connections, &c->in_door);
        source->n_held++;
        door->n_connections++;
        *ret = c;
        return 0;
}

static bool make_room(struct files_http *door) {
        LIST_FOR_EACH(pos, &door->connections) {
                struct connection *c = CONTAINER_OF(pos, struct connection, in_door);

                if (!http_connection_is_idle(&c->http))
                        continue;
                connection_free(c);
                return true;
        }
        return false;
}

static void on_accepted(struct listener *listener, int fd, struct udp_endpoint peer,
                        struct udp_endpoint local) {
        struct files_http *door = listener->door;
        const struct conf *conf = files_conf(door->files);
        nsec_t now = loop_now();
        struct files_source *source = files_source_of(&door->sources, &peer, now);
        struct connection *c;
        const char *why = NULL;

        if (!source ||
            (conf->http.connections && door->n_connections >= conf->http.connections &&
             !make_room(door)))
                why = "too many connections (http.connections)";
        else if (conf->http.per_source && source->n_held >= conf->http.per_source)
                why = "too many connections from one address (http.per-source)";
        else if (listener->is_tls && !door->tls)
                why = "there is no certificate (https.certificate)";
        else if (connection_new(listener, source, fd, peer, local, &c) < 0)
                why = "the server is out of memory";
        if (!why) {
                run(c);
                return;
        }
        close(fd);
        if (source && files_source_should_tell(source, now))
                tell_refused(door, listener->is_tls ? "https" : "http", &peer, "", why,
                             NULL);
}

static void set_listening(struct files_http *door, unsigned wanted) {
        for (size_t i = 0; i < door->n_listeners; i++)
                loop_watch_set(door->listeners[i]->watch, wanted);
}

static void on_resume(void *userdata) {
        set_listening(userdata, LOOP_READABLE);
}

static void on_listener(int fd, unsigned ready, void *userdata) {
        struct listener *listener = userdata;
        struct files_http *door = listener->door;

        for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
                struct udp_endpoint peer, local;
                int accepted, r = tcp_accept(fd, &accepted, &peer, &local);

                if (r == 0) {
                        on_accepted(listener, accepted, peer, local);
                        continue;
                }
                /* No descriptor is left: the connection stays in the queue and would
                 * wake us at once, for ever. */
                if (r != -EAGAIN && !make_room(door)) {
                        set_listening(door, 0);
                        loop_timer_set(door->resume,
                                       loop_now() + pause_without_descriptors);
                }
                return;
        }
}

static void listener_free(struct listener *listener) {
        loop_watch_free(listener->watch);
        close(listener->fd);
        free(listener);
}

int files_http_new(struct files *files, struct files_http **ret) {
        struct files_http *door = calloc(1, sizeof(*door));
        int r;

        if (!door)
                return -ENOMEM;
        r = loop_timer_new(files_loop(files), on_resume, door, &door->resume);
        if (r < 0) {
                free(door);
                return r;
        }
        door->files = files;
        door->log = -1;
        list_init(&door->connections);
        files_sources_init(&door->sources);
        *ret = door;
        return 0;
}

struct files_http *files_http_free(struct files_http *door) {
        if (!door)
                return NULL;
        LIST_FOR_EACH(pos, &door->connections)
        connection_free(CONTAINER_OF(pos, struct connection, in_door));
        while (door->n_listeners > 0)
                listener_free(door->listeners[--door->n_listeners]);
        loop_timer_free(door->resume);
        files_sources_done(&door->sources);
        tls_server_free(door->tls);
        files_http_log(door, -1);
        free(door);
        return NULL;
}

void files_http_certify(struct files_http *door, struct tls_server *tls) {
        tls_server_free(door->tls);
        door->tls = tls;
}

int files_http_listen(struct files_http *door, int fd, bool is_tls) {
        struct listener *listener;
        int r;

        if (door->n_listeners == LISTEN_MAX)
                return -ENOSPC;
        listener = calloc(1, sizeof(*listener));
        if (!listener)
                return -ENOMEM;
        *listener = (struct listener){ .door = door, .fd = fd, .is_tls = is_tls };
        r = loop_watch_new(files_loop(door->files), fd, LOOP_READABLE, on_listener,
                           listener, &listener->watch);
        if (r < 0) {
                free(listener);
                return r;
        }
        door->listeners[door->n_listeners++] = listener;
        return 0;
}

void files_http_unlisten(struct files_http *door, struct udp_endpoint at) {
        for (size_t i = 0; i < door->n_listeners; i++) {
                if (!udp_is_bound(door->listeners[i]->fd, at))
                        continue;
                listener_free(door->listeners[i]);
                door->listeners[i--] = door->listeners[--door->n_listeners];
        }
}

void files_http_log(struct files_http *door, int fd) {
        if (door->log >= 0)
                close(door->log);
        door->log = fd;
}
