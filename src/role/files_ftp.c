/*
 * The FTP door: what proto/ftp_session decides, done with sockets and files. Bytes of a
 * file leave by sendfile, extent by extent.
 *
 * A client's data connection lives beside its control connection, and both are served
 * in one turn of bounded size. A data connection that came before it is needed waits in
 * its listener, so that for a small file nothing has to be watched at all.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/tcp.h"
#include "proto/ftp_session.h"
#include "role/files.h"
#include "role/files_disk.h"
#include "role/files_source.h"

enum {
        CONNECTIONS_MAX = 1024, /* a worker's */
        LISTEN_MAX = 256,
        ACCEPTS_AT_ONCE = 64,
        READS_AT_ONCE = 16,
        STRANGERS_AT_ONCE = 32, /* who knock at the port of a data connection */
        TURN_BYTES = 4 * 1024 * 1024,
        TURN_ACTIONS = 256,
        STARTED_TOLD_FROM = 1 << 20,
        LISTED_MAX = 50000,
        COUNTED_MAX = 1 << 20, /* bytes of a text whose lines are counted */
        PIECE = 16 << 10,
};

static const nsec_t progress_every = 250 * NSEC_PER_MSEC;
static const nsec_t pause_without_descriptors = 100 * NSEC_PER_MSEC;

struct listener {
        struct files_ftp *door;
        int fd;
        struct loop_watch *watch;
};

struct files_ftp {
        struct files *files;
        struct listener *listeners[LISTEN_MAX];
        size_t n_listeners;
        struct loop_timer *resume; /* listening stops while there are no descriptors */
        struct list connections;   /* the one that was served longest ago comes first */
        size_t n_connections;
        struct files_sources sources;
};

struct connection {
        struct list in_door;
        struct files_ftp *door;
        struct files_source *source;
        int fd;
        struct udp_endpoint peer, local;
        struct loop_watch *watch;
        struct loop_timer *timer;
        struct ftp_session ftp;
        int64_t ticket;                /* of a file that the core makes; -1: none */
        int passive, data;             /* -1: none */
        struct loop_watch *data_watch; /* of the one of them that is waited for */
        struct vtree_file *file;       /* that is sent */
        struct files_wait disk;        /* while it waits no byte of it leaves */
        nsec_t held_since;             /* by it; NEVER: it is not */
        uint64_t size;                 /* of what is sent of it */
        nsec_t started, progress_told;
        nsec_t deadline; /* as the timer has it */
};

static void run(struct connection *c);

/* ---- events ---- */

static uint64_t rate_of(uint64_t bytes, nsec_t took) {
        return (uint64_t)((double)bytes * (double)NSEC_PER_SEC /
                          (double)max_u64(took, NSEC_PER_USEC));
}

static void tell_refused(struct files_ftp *door, ip4_t client, const char *file,
                         const char *why, const char *nearest) {
        struct event e = { .kind = EVENT_FILE_REFUSED,
                           .address = client,
                           .values = { EVENT_TEXT("ftp"), EVENT_TEXT(file),
                                       EVENT_TEXT(why) } };

        if (nearest)
                e.values[3] = (struct event_value)EVENT_TEXT(nearest);
        files_event(door->files, &e);
}

static void tell_rarely(struct connection *c, const char *why) {
        if (files_source_should_tell(c->source, loop_now()))
                tell_refused(c->door, c->peer.address, "", why, NULL);
}

static void tell_started(struct connection *c) {
        c->started = c->progress_told = loop_now();
        c->size = c->ftp.left;
        if (!c->ftp.is_file || c->size < STARTED_TOLD_FROM)
                return;
        files_event(
                c->door->files,
                &(struct event){ .kind = EVENT_FILE_STARTED,
                                 .address = c->peer.address,
                                 .values = { EVENT_TEXT("ftp"), EVENT_TEXT(c->ftp.path),
                                             EVENT_BYTES(c->size),
                                             EVENT_TEXT(c->ftp.offset + c->ftp.skip > 0
                                                                ? ", a part"
                                                                : "") } });
}

static void tell_progress(struct connection *c, nsec_t now) {
        uint64_t sent = c->ftp.moved;

        if (c->size < STARTED_TOLD_FROM || now - c->progress_told < progress_every)
                return;
        c->progress_told = now;
        files_event(
                c->door->files,
                &(struct event){
                        .kind = EVENT_FILE_PROGRESS,
                        .address = c->peer.address,
                        .values = { EVENT_TEXT("ftp"), EVENT_TEXT(c->ftp.path),
                                    EVENT_BYTES(sent), EVENT_BYTES(c->size),
                                    EVENT_RATE(rate_of(sent, now - c->started)) } });
}

static void tell_done(struct connection *c) {
        nsec_t took = loop_now() - c->started;

        files_event(c->door->files,
                    &(struct event){
                            .kind = EVENT_FILE_DONE,
                            .address = c->peer.address,
                            .values = { EVENT_TEXT("ftp"), EVENT_TEXT(c->ftp.path),
                                        EVENT_BYTES(c->ftp.moved), EVENT_DURATION(took),
                                        EVENT_RATE(rate_of(c->ftp.moved, took)) } });
}

static void tell_failed(struct connection *c) {
        files_event(
                c->door->files,
                &(struct event){ .kind = EVENT_FILE_FAILED,
                                 .address = c->peer.address,
                                 .values = { EVENT_TEXT("ftp"), EVENT_TEXT(c->ftp.path),
                                             EVENT_BYTES(c->ftp.moved),
                                             EVENT_TEXT(ftp_end_text(c->ftp.end)) } });
}

/* ---- the data connection ---- */

static void stop_watching_data(struct connection *c) {
        c->data_watch = loop_watch_free(c->data_watch);
}

static void close_passive(struct connection *c) {
        if (c->passive < 0)
                return;
        stop_watching_data(c);
        close(c->passive);
        c->passive = -1;
}

static void close_data(struct connection *c, bool is_whole) {
        close_passive(c);
        if (c->data < 0)
                return;
        stop_watching_data(c);
        if (is_whole)
                close(c->data);
        else
                tcp_close_at_once(c->data);
        c->data = -1;
}

/* The kernel could choose as well, but not quickly when it remembers thousands of
 * connections that have just ended. */
struct udp_ports files_ftp_ports(const struct conf *conf) {
        const struct conf_ports *given = &conf->ftp.port_range;

        return given->first ? (struct udp_ports){ given->first, given->last }
                            : (struct udp_ports){ 49152, 65535 }; /* RFC 6335 6 */
}

static void listen_for_data(struct connection *c) {
        const struct udp_ports ports = files_ftp_ports(files_conf(c->door->files));
        uint32_t random = 0;
        uint16_t port = 0;

        close_passive(c);
        if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0 ||
            tcp_listen_between(c->local.address, ports, random, &c->passive, &port) < 0)
                tell_rarely(c, "no port is free for a data connection "
                               "(ftp.port-range)");
        ftp_session_listening(&c->ftp, port, loop_now());
}

/* From the client itself: whoever else knocks is sent away. -EAGAIN: nobody yet. */
static int accept_data(struct connection *c) {
        struct udp_endpoint peer;
        int fd, r;

        for (int i = 0; i < STRANGERS_AT_ONCE; i++) {
                r = tcp_accept(c->passive, &fd, &peer, NULL);
                if (r < 0)
                        return r;
                if (peer.address == c->peer.address) {
                        close_passive(c);
                        c->data = fd;
                        return 0;
                }
                tcp_close_at_once(fd);
                tell_rarely(c, "another machine knocked at the port of a data "
                               "connection");
        }
        return -EAGAIN;
}

static int connect_data(struct connection *c) {
        const struct udp_endpoint to = { c->peer.address, c->ftp.data_port };

        if (c->data < 0) {
                int r = tcp_connect(c->local.address, to, &c->data);

                if (r < 0)
                        return r;
        }
        return tcp_connected(c->data);
}

enum outcome { MOVED, FULL };

static enum outcome open_data(struct connection *c, bool is_passive) {
        int r = is_passive ? accept_data(c) : connect_data(c);

        if (r == -EAGAIN)
                return FULL;
        if (r < 0) {
                ftp_session_data_failed(&c->ftp, FTP_END_UNOPENED, loop_now());
        } else {
                stop_watching_data(c); /* it was watched for something else */
                tell_started(c);
                ftp_session_connected(&c->ftp, loop_now());
        }
        return MOVED;
}

/* What a call that moves bytes came to: how many, or -errno. */
static int64_t result_of(ssize_t n) {
        return n >= 0 ? n : errno == EINTR ? -EAGAIN : -errno;
}

static enum outcome on_moved(struct connection *c, int64_t n, uint64_t *turn) {
        if (n == -EAGAIN)
                return FULL;
        if (n < 0) {
                ftp_session_data_failed(&c->ftp, FTP_END_LOST, loop_now());
                return MOVED;
        }
        *turn -= min_u64(*turn, (uint64_t)n);
        ftp_session_moved(&c->ftp, (uint64_t)n, loop_now());
        return MOVED;
}

static enum outcome file_failed(struct connection *c) {
        ftp_session_data_failed(&c->ftp, FTP_END_FILE, loop_now());
        return MOVED;
}

static enum outcome send_file(struct connection *c, const struct ftp_data *d,
                              uint64_t *turn) {
        uint64_t most = min_u64(d->n, *turn);
        struct vtree_place e;
        int64_t n;

        if (c->file->content)
                return on_moved(c,
                                result_of(send(c->data, c->file->content + d->offset,
                                               (size_t)most, MSG_NOSIGNAL)),
                                turn);
        n = files_disk_ready(files_disk(c->door->files), c->file, d->offset, most,
                             &c->disk);
        if (n == -EAGAIN)
                return FULL;
        /* Asked each time: bytes of another file must not follow what has left. */
        if (n <= 0 || !vtree_file_is_unchanged(c->file))
                return file_failed(c);
        e = vtree_file_place(c->file, d->offset);
        n = tcp_sendfile(c->data, e.fd, e.offset, (uint64_t)n);
        if (n == 0 || n == -EIO)
                return file_failed(c);
        if (n > 0)
                tell_progress(c, loop_now());
        return on_moved(c, n, turn);
}

static enum outcome send_lines(struct connection *c, const struct ftp_data *d,
                               uint64_t *turn) {
        uint8_t piece[PIECE], lines[2 * PIECE];
        int64_t got =
                files_disk_read(files_disk(c->door->files), c->file, d->offset, piece,
                                (size_t)min_u64(d->n, sizeof(piece)), &c->disk);
        int64_t sent = 0;
        size_t n;

        if (got == -EAGAIN)
                return FULL;
        if (got <= 0 || !vtree_file_is_unchanged(c->file))
                return file_failed(c);
        n = ftp_to_ascii(piece, (size_t)got, lines);
        if (n > d->skip)
                sent = result_of(send(c->data, lines + d->skip, n - (size_t)d->skip,
                                      MSG_NOSIGNAL));
        if (sent < 0)
                return on_moved(c, sent, turn);
        *turn -= min_u64(*turn, (uint64_t)got);
        ftp_session_moved_lines(&c->ftp, piece, (size_t)got, (uint64_t)sent,
                                loop_now());
        tell_progress(c, loop_now());
        return MOVED;
}

static enum outcome move_data(struct connection *c, uint64_t *turn) {
        struct ftp_data d = ftp_session_data(&c->ftp);

        if (d.kind == FTP_DATA_NONE || *turn == 0)
                return FULL;
        switch (d.kind) {
        case FTP_DATA_NONE:
                break;
        case FTP_DATA_ACCEPT:
        case FTP_DATA_CONNECT:
                return open_data(c, d.kind == FTP_DATA_ACCEPT);
        case FTP_DATA_TEXT:
                return on_moved(
                        c,
                        result_of(send(c->data, d.text, (size_t)min_u64(d.n, *turn),
                                       MSG_NOSIGNAL)),
                        turn);
        case FTP_DATA_FILE:
                return send_file(c, &d, turn);
        case FTP_DATA_ASCII:
                return send_lines(c, &d, turn);
        }
        return FULL;
}

static void finish(struct connection *c) {
        enum ftp_end end = c->ftp.end;

        /* An end in good order says that this was all of the file. */
        close_data(c, end == FTP_END_DONE || end == FTP_END_ABORTED);
        if (c->ftp.is_file && end == FTP_END_DONE)
                tell_done(c);
        else if (end != FTP_END_DONE)
                tell_failed(c);
        files_wait_cancel(&c->disk);
        c->file = vtree_file_unref(c->file);
        ftp_session_finished(&c->ftp, loop_now());
}

/* ---- the tree ---- */

static void answer_nothing(struct connection *c, const char *why, const char *nearest,
                           bool is_temporary) {
        struct text sentence = { 0 };

        text_add(&sentence, why);
        if (nearest) {
                text_add(&sentence, " (nearest: /");
                text_add(&sentence, nearest);
                text_char(&sentence, ')');
        }
        tell_refused(c->door, c->peer.address, c->ftp.path, why, nearest);
        ftp_session_answer(&c->ftp,
                           &(struct ftp_found){ .kind = FTP_FOUND_NOTHING,
                                                .text = text_string(&sentence),
                                                .is_temporary = is_temporary },
                           loop_now(), loop_realtime());
        text_done(&sentence);
}

/* RFC 3659 4: the size of a text is the one that it has on the wire. */
static uint64_t count_lines(const struct vtree_file *file) {
        uint8_t piece[PIECE];
        uint64_t size = 0;
        int64_t n;

        if (file->size > COUNTED_MAX)
                return UINT64_MAX;
        for (uint64_t at = 0; (n = vtree_file_read(file, at, piece, sizeof(piece))) > 0;
             at += (uint64_t)n)
                size += ftp_ascii_size(piece, (size_t)n);
        return size;
}

struct listing {
        struct connection *c;
        nsec_t realtime;
        size_t n;
};

static void list_entry(const struct vtree_entry *entry, void *userdata) {
        struct listing *l = userdata;
        const struct ftp_entry e = { entry->name, entry->is_folder, entry->size,
                                     entry->mtime };

        if (l->n++ < LISTED_MAX)
                ftp_session_list(&l->c->ftp, &e, l->realtime);
}

/* Takes the file over. `path` is where it was found. */
static void answer_found(struct connection *c, struct vtree_file *file,
                         const char *path, bool is_generated) {
        enum ftp_wants wants = ftp_session_next(&c->ftp).wants;
        struct ftp_found found = {
                .kind = file->is_folder ? FTP_FOUND_FOLDER : FTP_FOUND_FILE,
                .size = file->is_folder ? 0 : file->size,
                /* The same each time, whenever it was made. */
                .mtime = is_generated ? 0 : file->mtime,
        };

        if (wants == FTP_WANTS_LENGTH && !file->is_folder)
                found.ascii_size = count_lines(file);
        if (wants == FTP_WANTS_LIST && file->is_folder) {
                struct listing l = { c, loop_realtime(), 0 };

                if (vtree_list(files_tree(c->door->files), path, list_entry, &l) !=
                    VTREE_OK) {
                        vtree_file_unref(file);
                        answer_nothing(c, "the folder could not be listed", NULL, true);
                        return;
                }
        }
        if (wants == FTP_WANTS_FILE && !file->is_folder) {
                vtree_file_unref(c->file);
                c->file = TAKE(file);
        }
        vtree_file_unref(file);
        ftp_session_answer(&c->ftp, &found, loop_now(), loop_realtime());
}

static void on_generated(int answer, struct vtree_file *file, void *userdata) {
        struct connection *c = userdata;

        c->ticket = -1;
        if (answer == VTREE_OK)
                answer_found(c, file, c->ftp.path, true);
        else if (answer == VTREE_NOT_FOUND)
                answer_nothing(c, "not found", NULL, false);
        else
                answer_nothing(c, "the server did not make this file in time", NULL,
                               true);
        run(c);
}

static void generate(struct connection *c, const char *path) {
        c->ticket = files_generate(c->door->files, path, c->peer.address,
                                   c->local.address, on_generated, c);
        if (c->ticket < 0) {
                c->ticket = -1;
                answer_nothing(c, "the server cannot make this file now", NULL, true);
        }
}

/* As if a classic server's folder were the top: ftp.root. */
static int open_below_root(struct connection *c, char moved[static PATH_MAX_BYTES],
                           struct vtree_file **ret) {
        const char *root = files_conf(c->door->files)->ftp.root;
        struct text full = { 0 };
        int found = VTREE_NOT_FOUND;

        if (!root || !*root)
                return VTREE_NOT_FOUND;
        text_add(&full, root);
        text_char(&full, '/');
        text_add(&full, c->ftp.path);
        if (!full.failed && path_clean(full.s, full.n, moved) == PATH_OK)
                found = vtree_open(files_tree(c->door->files), moved, ret);
        text_done(&full);
        return found == VTREE_GENERATED ? VTREE_NOT_FOUND : found;
}

static void answer_missing(struct connection *c) {
        char nearest[PATH_MAX_BYTES];
        bool has_nearest =
                vtree_nearest(files_tree(c->door->files), c->ftp.path, nearest) &&
                strcmp(nearest, c->ftp.path) != 0;

        answer_nothing(c, "not found", has_nearest ? nearest : NULL, false);
}

static void look_up(struct connection *c) {
        struct vtree *tree = files_tree(c->door->files);
        char moved[PATH_MAX_BYTES];
        const char *path = c->ftp.path;
        struct vtree_file *file;
        int found = vtree_open(tree, path, &file);

        if (found == VTREE_NOT_FOUND) {
                found = open_below_root(c, moved, &file);
                path = moved;
        }
        if (found == VTREE_NOT_FOUND && vtree_find_any_case(tree, c->ftp.path, moved))
                found = vtree_open(tree, moved, &file);
        if (found == VTREE_OK)
                answer_found(c, file, path, false);
        else if (found == VTREE_GENERATED)
                generate(c, path);
        else if (found == VTREE_NOT_FOUND)
                answer_missing(c);
        else if (found == VTREE_REFUSED)
                answer_nothing(c, "it leads out of the tree, or is no file", NULL,
                               false);
        else if (found == VTREE_UNREADABLE)
                answer_nothing(c, "the server may not read it", NULL, false);
        else
                answer_nothing(c, "the server is out of memory or descriptors", NULL,
                               true);
}

/* ---- the control connection ---- */

static void connection_free(struct connection *c) {
        if (c->ticket >= 0)
                files_generate_cancel(c->door->files, c->ticket);
        close_data(c, false);
        files_wait_cancel(&c->disk);
        loop_watch_free(c->watch);
        loop_timer_free(c->timer);
        close(c->fd);
        vtree_file_unref(c->file);
        ftp_session_done(&c->ftp);
        list_remove(&c->in_door);
        c->source->n_held--;
        c->door->n_connections--;
        free(c);
}

/* The last words must not be lost to a reset because of what was not read. */
static void end(struct connection *c) {
        uint8_t unread[4096];

        (void)shutdown(c->fd, SHUT_WR);
        for (int i = 0; i < READS_AT_ONCE; i++)
                if (recv(c->fd, unread, sizeof(unread), 0) <= 0)
                        break;
        connection_free(c);
}

static enum outcome send_reply(struct connection *c, const struct ftp_action *a) {
        int64_t n = result_of(send(c->fd, a->data, a->n, MSG_NOSIGNAL));

        if (n == -EAGAIN)
                return FULL;
        if (n < 0)
                ftp_session_fail(&c->ftp);
        else
                ftp_session_sent(&c->ftp, (size_t)n, loop_now());
        return MOVED;
}

static enum outcome act(struct connection *c, const struct ftp_action *a) {
        switch (a->kind) {
        case FTP_WAIT:
        case FTP_CLOSE:
                return FULL;
        case FTP_SEND:
                return send_reply(c, a);
        case FTP_LOOKUP:
                if (c->ticket < 0)
                        look_up(c);
                return c->ticket < 0 ? MOVED : FULL;
        case FTP_LISTEN:
                listen_for_data(c);
                return MOVED;
        case FTP_DROP:
                close_passive(c);
                ftp_session_dropped(&c->ftp);
                return MOVED;
        case FTP_FINISH:
                finish(c);
                return MOVED;
        }
        return FULL;
}

static void on_data_ready(int fd, unsigned ready, void *userdata) {
        run(userdata);
}

static void watch_data(struct connection *c, enum ftp_data_kind kind) {
        int fd = kind == FTP_DATA_ACCEPT ? c->passive : c->data;

        if (!c->data_watch && loop_watch_new(files_loop(c->door->files), fd, 0,
                                             on_data_ready, c, &c->data_watch) < 0) {
                c->data_watch = NULL;
                return; /* its deadline ends it */
        }
        loop_watch_set(c->data_watch,
                       kind == FTP_DATA_ACCEPT ? LOOP_READABLE : LOOP_WRITABLE);
}

/* What was put off because the turn is over goes on when the client can be written to,
 * which is soon. */
static bool is_put_off(const struct connection *c, const struct ftp_action *a) {
        if (a->kind == FTP_WAIT)
                return ftp_session_data(&c->ftp).kind == FTP_DATA_CONNECT &&
                       c->data < 0;
        return a->kind != FTP_LOOKUP || c->ticket < 0;
}

static void wait_for(struct connection *c, const struct ftp_action *a) {
        enum ftp_data_kind kind = ftp_session_data(&c->ftp).kind;
        unsigned wanted = ftp_session_room(&c->ftp) > 0 ? LOOP_READABLE : 0;

        loop_watch_set(c->watch, wanted | (is_put_off(c, a) ? LOOP_WRITABLE : 0));
        if (files_wait_is_waiting(&c->disk)) {
                c->held_since = loop_now();
                if (c->data_watch)
                        loop_watch_set(c->data_watch, 0);
        } else if (kind == FTP_DATA_ACCEPT ? c->passive >= 0 : kind && c->data >= 0) {
                watch_data(c, kind);
        }
        /* A timer that rings too early costs less than one that is moved each time. */
        if (a->deadline >= c->deadline)
                return;
        loop_timer_set(c->timer, a->deadline);
        c->deadline = a->deadline;
}

static void tell_warning(struct connection *c) {
        const char *why = ftp_session_take_warning(&c->ftp);

        if (why)
                tell_rarely(c, why);
}

/* Asks again what the disk has; the time that it took is not the client's. */
static void stop_waiting(struct connection *c) {
        if (c->held_since != NSEC_NEVER)
                ftp_session_held_up(&c->ftp, loop_now() - c->held_since);
        c->held_since = NSEC_NEVER;
        files_wait_cancel(&c->disk);
}

/* Carries out actions until both connections wait; frees it at its end. */
static void run(struct connection *c) {
        uint64_t turn = TURN_BYTES;
        struct ftp_action a;

        list_remove(&c->in_door);
        list_append(&c->door->connections, &c->in_door);
        stop_waiting(c);
        tell_warning(c);
        for (unsigned n = 0; n < TURN_ACTIONS; n++) {
                a = ftp_session_next(&c->ftp);
                if (a.kind == FTP_CLOSE) {
                        end(c);
                        return;
                }
                if (act(c, &a) == FULL && move_data(c, &turn) == FULL)
                        break;
        }
        a = ftp_session_next(&c->ftp);
        wait_for(c, &a);
}

static void read_some(struct connection *c) {
        uint8_t bytes[FTP_IN_MAX];

        for (int i = 0; i < READS_AT_ONCE; i++) {
                size_t room = ftp_session_room(&c->ftp);
                int64_t n;

                if (room == 0)
                        return;
                n = result_of(recv(c->fd, bytes, min_size(room, sizeof(bytes)), 0));
                if (n > 0)
                        ftp_session_recv(&c->ftp, bytes, (size_t)n, loop_now());
                else if (n == 0)
                        ftp_session_eof(&c->ftp, loop_now());
                else if (n != -EAGAIN)
                        ftp_session_fail(&c->ftp);
                if (n <= 0 || (size_t)n < room)
                        return;
        }
}

static void on_ready(int fd, unsigned ready, void *userdata) {
        struct connection *c = userdata;

        if (ready & LOOP_READABLE)
                read_some(c);
        run(c);
}

/* What was fetched is in memory now, or never will be. */
static void on_disk(int answer, void *userdata) {
        struct connection *c = userdata;

        if (answer < 0)
                ftp_session_data_failed(&c->ftp, FTP_END_FILE, loop_now());
        run(c);
}

static void on_timer(void *userdata) {
        struct connection *c = userdata;

        c->deadline = NSEC_NEVER; /* it has fired */
        /* It is not the client who was slow. */
        if (files_wait_is_waiting(&c->disk) && loop_now() >= c->ftp.data_deadline) {
                on_disk(-ETIMEDOUT, c);
                return;
        }
        ftp_session_tick(&c->ftp, loop_now());
        run(c);
}

static struct ftp_limits limits_of(const struct conf *conf) {
        struct ftp_limits limits = ftp_limits_default;

        limits.idle = conf->ftp.idle_timeout;
        limits.min_rate = conf->ftp.min_rate;
        return limits;
}

static int connection_new(struct files_ftp *door, struct files_source *source, int fd,
                          struct udp_endpoint peer, struct udp_endpoint local,
                          struct connection **ret) {
        struct ftp_limits limits = limits_of(files_conf(door->files));
        struct connection *c = calloc(1, sizeof(*c));
        struct loop *loop = files_loop(door->files);
        const int on = 1;
        int r;

        if (!c)
                return -ENOMEM;
        c->door = door;
        c->source = source;
        c->fd = fd;
        c->peer = peer;
        c->local = local;
        c->ticket = c->passive = c->data = -1;
        files_wait_init(&c->disk, on_disk, c);
        c->held_since = NSEC_NEVER;
        c->deadline = NSEC_NEVER;
        /* RFC 959 4.1.3: ABOR comes behind a mark of TELNET that is sent as urgent. */
        (void)setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on));
        r = loop_watch_new(loop, fd, 0, on_ready, c, &c->watch);
        if (r == 0)
                r = loop_timer_new(loop, on_timer, c, &c->timer);
        if (r < 0) {
                loop_watch_free(c->watch);
                free(c);
                return r;
        }
        ftp_session_init(&c->ftp, &limits, peer.address, local.address, loop_now());
        list_append(&door->connections, &c->in_door);
        source->n_held++;
        door->n_connections++;
        *ret = c;
        return 0;
}

static bool make_room(struct files_ftp *door) {
        LIST_FOR_EACH(pos, &door->connections) {
                struct connection *c = CONTAINER_OF(pos, struct connection, in_door);

                if (!ftp_session_is_idle(&c->ftp))
                        continue;
                connection_free(c);
                return true;
        }
        return false;
}

static void turn_away(int fd) {
        static const char words[] = "421 Too many connections; try again later.\r\n";
        ssize_t ignored = send(fd, words, sizeof(words) - 1, MSG_NOSIGNAL);

        (void)ignored;
        close(fd);
}

static void on_accepted(struct files_ftp *door, int fd, struct udp_endpoint peer,
                        struct udp_endpoint local) {
        nsec_t now = loop_now();
        uint32_t most = files_conf(door->files)->ftp.per_source;
        struct files_source *source =
                files_source_get(&door->sources, peer.address, now);
        struct connection *c;
        const char *why = NULL;

        if (source && most > 0 && source->n_held >= most)
                why = "too many connections from one address (ftp.per-source)";
        else if (!source ||
                 (door->n_connections >= CONNECTIONS_MAX && !make_room(door)))
                why = "too many connections";
        else if (connection_new(door, source, fd, peer, local, &c) < 0)
                why = "the server is out of memory";
        if (!why) {
                run(c);
                return;
        }
        turn_away(fd);
        if (source && files_source_should_tell(source, now))
                tell_refused(door, peer.address, "", why, NULL);
}

static void set_listening(struct files_ftp *door, unsigned wanted) {
        for (size_t i = 0; i < door->n_listeners; i++)
                loop_watch_set(door->listeners[i]->watch, wanted);
}

static void on_resume(void *userdata) {
        set_listening(userdata, LOOP_READABLE);
}

static void on_listener(int fd, unsigned ready, void *userdata) {
        struct listener *listener = userdata;
        struct files_ftp *door = listener->door;

        for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
                struct udp_endpoint peer, local;
                int accepted, r = tcp_accept(fd, &accepted, &peer, &local);

                if (r == 0) {
                        on_accepted(door, accepted, peer, local);
                        continue;
                }
                /* No descriptor is left: what waits would wake us at once, for ever. */
                if (r != -EAGAIN && !make_room(door)) {
                        set_listening(door, 0);
                        loop_timer_set(door->resume,
                                       loop_now() + pause_without_descriptors);
                }
                return;
        }
}

/* ---- the door ---- */

static void listener_free(struct listener *listener) {
        loop_watch_free(listener->watch);
        close(listener->fd);
        free(listener);
}

int files_ftp_new(struct files *files, struct files_ftp **ret) {
        struct files_ftp *door = calloc(1, sizeof(*door));
        int r;

        if (!door)
                return -ENOMEM;
        r = loop_timer_new(files_loop(files), on_resume, door, &door->resume);
        if (r < 0) {
                free(door);
                return r;
        }
        door->files = files;
        list_init(&door->connections);
        files_sources_init(&door->sources);
        *ret = door;
        return 0;
}

struct files_ftp *files_ftp_free(struct files_ftp *door) {
        if (!door)
                return NULL;
        LIST_FOR_EACH(pos, &door->connections)
        connection_free(CONTAINER_OF(pos, struct connection, in_door));
        while (door->n_listeners > 0)
                listener_free(door->listeners[--door->n_listeners]);
        loop_timer_free(door->resume);
        files_sources_done(&door->sources);
        free(door);
        return NULL;
}

int files_ftp_listen(struct files_ftp *door, int fd) {
        struct listener *listener;
        int r;

        if (door->n_listeners == LISTEN_MAX) {
                close(fd);
                return -ENOSPC;
        }
        listener = calloc(1, sizeof(*listener));
        if (!listener) {
                close(fd);
                return -ENOMEM;
        }
        *listener = (struct listener){ .door = door, .fd = fd };
        r = loop_watch_new(files_loop(door->files), fd, LOOP_READABLE, on_listener,
                           listener, &listener->watch);
        if (r < 0) {
                listener_free(listener);
                return r;
        }
        door->listeners[door->n_listeners++] = listener;
        return 0;
}

void files_ftp_unlisten(struct files_ftp *door, struct udp_endpoint at) {
        for (size_t i = 0; i < door->n_listeners; i++) {
                if (!udp_is_bound(door->listeners[i]->fd, at))
                        continue;
                listener_free(door->listeners[i]);
                door->listeners[i--] = door->listeners[--door->n_listeners];
        }
}
