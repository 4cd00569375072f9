/*
 * The HTTP door: what proto/http_connection decides, done with sockets and files.
 * Bodies leave by sendfile, extent by extent, and never pass through this process.
 *
 * A connection is served in turns of bounded size, so that one fast client does not
 * keep the others waiting. When all places are taken, the connection that has idled
 * longest between requests goes; a newcomer is turned away only when none is idle.
 */
#include "role/files_http.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
        READS_AT_ONCE = 16,
        ANSWERS_AT_ONCE = 32, /* pipelined */
        TURN_BYTES = 4 * 1024 * 1024,
        TOGETHER_MAX = 32 * 1024, /* a file this small leaves with its head, */
        HEAD_MAX = 4096,          /* which is never longer */
};

enum listener_kind { PLAIN, BY_TLS };

static void on_disk(int answer, void *userdata);
static void read_some(struct connection *c);

static struct connection *connection_free(struct connection *c) {
        if (!c)
                return NULL;
        if (c->ticket >= 0)
                files_generate_cancel(c->door->files, c->ticket);
        http_forget_listing(c);
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
        http_forget_listing(c);
        if (c->http.why)
                http_tell_refused_here(c);
        else if (c->is_sending)
                http_tell_done(c);
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
        http_tell_failed(c, r == 0         ? "the file was cut short under us"
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
        http_tell_progress(c, loop_now());
        return MOVED;
}

static void end(struct connection *c) {
        if (c->is_sending)
                http_tell_failed(
                        c, "the client went away, took nothing for a minute, or less "
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

void http_run(struct connection *c) {
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
                                http_look_up(c);
                        if (c->ticket < 0)
                                break;
                        wait_for(c, 0, a.deadline);
                        return;
                case HTTP_SEND:
                        if (a.is_followed)
                                http_tell_started(c);
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
                http_tell_refused(c->door, "https", &c->peer, "", tls_why(c->tls),
                                  NULL);
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
        http_run(c);
}

/* What was fetched is in memory now, or never will be. */
static void on_disk(int answer, void *userdata) {
        struct connection *c = userdata;

        if (answer < 0)
                (void)fail_file(c, answer);
        http_run(c);
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
        http_run(c);
}

static int connection_new(struct files_http *door, bool is_tls,
                          struct files_source *source, int fd, struct udp_endpoint peer,
                          struct udp_endpoint local, struct connection **ret) {
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
        r = is_tls ? tls_new(door->tls, fd, &c->tls) : 0;
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

static bool make_room(void *userdata) {
        struct files_http *door = userdata;

        LIST_FOR_EACH(pos, &door->connections) {
                struct connection *c = CONTAINER_OF(pos, struct connection, in_door);

                if (!http_connection_is_idle(&c->http))
                        continue;
                connection_free(c);
                return true;
        }
        return false;
}

static void on_accepted(void *userdata, unsigned kind, int fd, struct udp_endpoint peer,
                        struct udp_endpoint local) {
        struct files_http *door = userdata;
        bool is_tls = kind == BY_TLS;
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
        else if (is_tls && !door->tls)
                why = "there is no certificate (https.certificate)";
        else if (connection_new(door, is_tls, source, fd, peer, local, &c) < 0)
                why = "the server is out of memory";
        if (!why) {
                http_run(c);
                return;
        }
        close(fd);
        if (source && files_source_should_tell(source, now))
                http_tell_refused(door, is_tls ? "https" : "http", &peer, "", why,
                                  NULL);
}

static const struct files_listen_methods methods = { on_accepted, make_room };

int files_http_new(struct files *files, struct files_http **ret) {
        struct files_http *door = calloc(1, sizeof(*door));
        int r;

        if (!door)
                return -ENOMEM;
        r = files_listen_init(&door->listen, files, &methods, door);
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
        files_listen_done(&door->listen);
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
        return files_listen_add(&door->listen, is_tls ? BY_TLS : PLAIN, fd);
}

void files_http_unlisten(struct files_http *door, struct udp_endpoint at) {
        files_listen_remove(&door->listen, at);
}

void files_http_log(struct files_http *door, int fd) {
        if (door->log >= 0)
                close(door->log);
        door->log = fd;
}
