/*
 * FTP's data connections: made for the client alone, fed with a list, or with a file by
 * sendfile, extent by extent. One that came before it is needed waits in its listener,
 * so that for a small file nothing has to be watched at all.
 */
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/tcp.h"
#include "role/files_ftp.h"

enum {
        STRANGERS_AT_ONCE = 32, /* who knock at the port of a data connection */
        STARTED_TOLD_FROM = 1 << 20,
        PIECE = 16 << 10,
};

static const nsec_t progress_every = 250 * NSEC_PER_MSEC;

/* ---- events ---- */

static uint64_t rate_of(uint64_t bytes, nsec_t took) {
        return (uint64_t)((double)bytes * (double)NSEC_PER_SEC /
                          (double)max_u64(took, NSEC_PER_USEC));
}

static void tell_started(struct ftp_connection *c) {
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

static void tell_progress(struct ftp_connection *c, nsec_t now) {
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

static void tell_done(struct ftp_connection *c) {
        nsec_t took = loop_now() - c->started;

        files_event(c->door->files,
                    &(struct event){
                            .kind = EVENT_FILE_DONE,
                            .address = c->peer.address,
                            .values = { EVENT_TEXT("ftp"), EVENT_TEXT(c->ftp.path),
                                        EVENT_BYTES(c->ftp.moved), EVENT_DURATION(took),
                                        EVENT_RATE(rate_of(c->ftp.moved, took)) } });
}

static void tell_failed(struct ftp_connection *c) {
        files_event(
                c->door->files,
                &(struct event){ .kind = EVENT_FILE_FAILED,
                                 .address = c->peer.address,
                                 .values = { EVENT_TEXT("ftp"), EVENT_TEXT(c->ftp.path),
                                             EVENT_BYTES(c->ftp.moved),
                                             EVENT_TEXT(ftp_end_text(c->ftp.end)) } });
}

/* ---- the data connection ---- */

static void stop_watching_data(struct ftp_connection *c) {
        c->data_watch = loop_watch_free(c->data_watch);
}

void ftp_close_passive(struct ftp_connection *c) {
        if (c->passive < 0)
                return;
        stop_watching_data(c);
        close(c->passive);
        c->passive = -1;
}

void ftp_close_data(struct ftp_connection *c, bool is_whole) {
        ftp_close_passive(c);
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

void ftp_listen_for_data(struct ftp_connection *c) {
        const struct udp_ports ports = files_ftp_ports(files_conf(c->door->files));
        uint32_t random = 0;
        uint16_t port = 0;

        ftp_close_passive(c);
        if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0 ||
            tcp_listen_between(c->local.address, ports, random, &c->passive, &port) < 0)
                ftp_tell_rarely(c, "no port is free for a data connection "
                                   "(ftp.port-range)");
        ftp_session_listening(&c->ftp, port, loop_now());
}

/* From the client itself: whoever else knocks is sent away. -EAGAIN: nobody yet. */
static int accept_data(struct ftp_connection *c) {
        struct udp_endpoint peer;
        int fd, r;

        for (int i = 0; i < STRANGERS_AT_ONCE; i++) {
                r = tcp_accept(c->passive, &fd, &peer, NULL);
                if (r < 0)
                        return r;
                if (peer.address == c->peer.address) {
                        ftp_close_passive(c);
                        c->data = fd;
                        return 0;
                }
                tcp_close_at_once(fd);
                ftp_tell_rarely(c, "another machine knocked at the port of a data "
                                   "connection");
        }
        return -EAGAIN;
}

static int connect_data(struct ftp_connection *c) {
        const struct udp_endpoint to = { c->peer.address, c->ftp.data_port };

        if (c->data < 0) {
                int r = tcp_connect(c->local.address, to, &c->data);

                if (r < 0)
                        return r;
        }
        return tcp_connected(c->data);
}

static enum ftp_outcome open_data(struct ftp_connection *c, bool is_passive) {
        int r = is_passive ? accept_data(c) : connect_data(c);

        if (r == -EAGAIN)
                return FTP_FULL;
        if (r < 0) {
                ftp_session_data_failed(&c->ftp, FTP_END_UNOPENED, loop_now());
        } else {
                stop_watching_data(c); /* it was watched for something else */
                tell_started(c);
                ftp_session_connected(&c->ftp, loop_now());
        }
        return FTP_MOVED;
}

static enum ftp_outcome on_moved(struct ftp_connection *c, int64_t n, uint64_t *turn) {
        if (n == -EAGAIN)
                return FTP_FULL;
        if (n < 0) {
                ftp_session_data_failed(&c->ftp, FTP_END_LOST, loop_now());
                return FTP_MOVED;
        }
        *turn -= min_u64(*turn, (uint64_t)n);
        ftp_session_moved(&c->ftp, (uint64_t)n, loop_now());
        return FTP_MOVED;
}

static enum ftp_outcome file_failed(struct ftp_connection *c) {
        ftp_session_data_failed(&c->ftp, FTP_END_FILE, loop_now());
        return FTP_MOVED;
}

static enum ftp_outcome send_file(struct ftp_connection *c, const struct ftp_data *d,
                                  uint64_t *turn) {
        uint64_t most = min_u64(d->n, *turn);
        struct vtree_place e;
        int64_t n;

        if (c->file->content)
                return on_moved(
                        c,
                        ftp_result_of(send(c->data, c->file->content + d->offset,
                                           (size_t)most, MSG_NOSIGNAL)),
                        turn);
        n = files_disk_ready(files_disk(c->door->files), c->file, d->offset, most,
                             &c->disk);
        if (n == -EAGAIN)
                return FTP_FULL;
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

static enum ftp_outcome send_lines(struct ftp_connection *c, const struct ftp_data *d,
                                   uint64_t *turn) {
        uint8_t piece[PIECE], lines[2 * PIECE];
        int64_t got =
                files_disk_read(files_disk(c->door->files), c->file, d->offset, piece,
                                (size_t)min_u64(d->n, sizeof(piece)), &c->disk);
        int64_t sent = 0;
        size_t n;

        if (got == -EAGAIN)
                return FTP_FULL;
        if (got <= 0 || !vtree_file_is_unchanged(c->file))
                return file_failed(c);
        n = ftp_to_ascii(piece, (size_t)got, lines);
        if (n > d->skip)
                sent = ftp_result_of(send(c->data, lines + d->skip, n - (size_t)d->skip,
                                          MSG_NOSIGNAL));
        if (sent < 0)
                return on_moved(c, sent, turn);
        *turn -= min_u64(*turn, (uint64_t)got);
        ftp_session_moved_lines(&c->ftp, piece, (size_t)got, (uint64_t)sent,
                                loop_now());
        tell_progress(c, loop_now());
        return FTP_MOVED;
}

enum ftp_outcome ftp_move_data(struct ftp_connection *c, uint64_t *turn) {
        struct ftp_data d = ftp_session_data(&c->ftp);

        if (d.kind == FTP_DATA_NONE || *turn == 0)
                return FTP_FULL;
        switch (d.kind) {
        case FTP_DATA_NONE:
                break;
        case FTP_DATA_ACCEPT:
        case FTP_DATA_CONNECT:
                return open_data(c, d.kind == FTP_DATA_ACCEPT);
        case FTP_DATA_TEXT:
                return on_moved(
                        c,
                        ftp_result_of(send(c->data, d.text, (size_t)min_u64(d.n, *turn),
                                           MSG_NOSIGNAL)),
                        turn);
        case FTP_DATA_FILE:
                return send_file(c, &d, turn);
        case FTP_DATA_ASCII:
                return send_lines(c, &d, turn);
        }
        return FTP_FULL;
}

void ftp_finish_data(struct ftp_connection *c) {
        enum ftp_end end = c->ftp.end;

        /* An end in good order says that this was all of the file. */
        ftp_close_data(c, end == FTP_END_DONE || end == FTP_END_ABORTED);
        if (c->ftp.is_file && end == FTP_END_DONE)
                tell_done(c);
        else if (end != FTP_END_DONE)
                tell_failed(c);
        files_wait_cancel(&c->disk);
        c->file = vtree_file_unref(c->file);
        ftp_session_finished(&c->ftp, loop_now());
}

static void on_data_ready(int fd, unsigned ready, void *userdata) {
        ftp_run(userdata);
}

static void watch(struct ftp_connection *c, enum ftp_data_kind kind) {
        int fd = kind == FTP_DATA_ACCEPT ? c->passive : c->data;

        if (!c->data_watch && loop_watch_new(files_loop(c->door->files), fd, 0,
                                             on_data_ready, c, &c->data_watch) < 0) {
                c->data_watch = NULL;
                return; /* its deadline ends it */
        }
        loop_watch_set(c->data_watch,
                       kind == FTP_DATA_ACCEPT ? LOOP_READABLE : LOOP_WRITABLE);
}

void ftp_watch_data(struct ftp_connection *c) {
        enum ftp_data_kind kind = ftp_session_data(&c->ftp).kind;

        if (files_wait_is_waiting(&c->disk)) {
                c->held_since = loop_now();
                if (c->data_watch)
                        loop_watch_set(c->data_watch, 0);
        } else if (kind == FTP_DATA_ACCEPT ? c->passive >= 0 : kind && c->data >= 0) {
                watch(c, kind);
        }
}
