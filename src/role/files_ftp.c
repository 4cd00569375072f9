/*
 * The FTP door: what proto/ftp_session decides, done with sockets and files.
 *
 * A client's data connection lives beside its control connection, and both are served
 * in one turn of bounded size.
 */
#include "role/files_ftp.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/tcp.h"

enum {
        CONNECTIONS_MAX = 1024, /* a worker's */
        READS_AT_ONCE = 16,
        TURN_BYTES = 4 * 1024 * 1024,
        TURN_ACTIONS = 256,
};

void ftp_tell_refused(struct files_ftp *door, ip4_t client, const char *file,
                      const char *why, const char *nearest) {
        struct event e = { .kind = EVENT_FILE_REFUSED,
                           .address = client,
                           .values = { EVENT_TEXT("ftp"), EVENT_TEXT(file),
                                       EVENT_TEXT(why) } };

        if (nearest)
                e.values[3] = (struct event_value)EVENT_TEXT(nearest);
        files_event(door->files, &e);
}

void ftp_tell_rarely(struct ftp_connection *c, const char *why) {
        if (files_source_should_tell(c->source, loop_now()))
                ftp_tell_refused(c->door, c->peer.address, "", why, NULL);
}

/* ---- the control connection ---- */

static void connection_free(struct ftp_connection *c) {
        if (c->ticket >= 0)
                files_generate_cancel(c->door->files, c->ticket);
        ftp_close_data(c, false);
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
static void end(struct ftp_connection *c) {
        uint8_t unread[4096];

        (void)shutdown(c->fd, SHUT_WR);
        for (int i = 0; i < READS_AT_ONCE; i++)
                if (recv(c->fd, unread, sizeof(unread), 0) <= 0)
                        break;
        connection_free(c);
}

static enum ftp_outcome send_reply(struct ftp_connection *c,
                                   const struct ftp_action *a) {
        int64_t n = ftp_result_of(send(c->fd, a->data, a->n, MSG_NOSIGNAL));

        if (n == -EAGAIN)
                return FTP_FULL;
        if (n < 0)
                ftp_session_fail(&c->ftp);
        else
                ftp_session_sent(&c->ftp, (size_t)n, loop_now());
        return FTP_MOVED;
}

static enum ftp_outcome act(struct ftp_connection *c, const struct ftp_action *a) {
        switch (a->kind) {
        case FTP_WAIT:
        case FTP_CLOSE:
                return FTP_FULL;
        case FTP_SEND:
                return send_reply(c, a);
        case FTP_LOOKUP:
                if (c->ticket < 0)
                        ftp_look_up(c);
                return c->ticket < 0 ? FTP_MOVED : FTP_FULL;
        case FTP_LISTEN:
                ftp_listen_for_data(c);
                return FTP_MOVED;
        case FTP_DROP:
                ftp_close_passive(c);
                ftp_session_dropped(&c->ftp);
                return FTP_MOVED;
        case FTP_FINISH:
                ftp_finish_data(c);
                return FTP_MOVED;
        }
        return FTP_FULL;
}

/* What was put off because the turn is over goes on when the client can be written to,
 * which is soon. */
static bool is_put_off(const struct ftp_connection *c, const struct ftp_action *a) {
        if (a->kind == FTP_WAIT)
                return ftp_session_data(&c->ftp).kind == FTP_DATA_CONNECT &&
                       c->data < 0;
        return a->kind != FTP_LOOKUP || c->ticket < 0;
}

static void wait_for(struct ftp_connection *c, const struct ftp_action *a) {
        unsigned wanted = ftp_session_room(&c->ftp) > 0 ? LOOP_READABLE : 0;

        loop_watch_set(c->watch, wanted | (is_put_off(c, a) ? LOOP_WRITABLE : 0));
        ftp_watch_data(c);
        /* A timer that rings too early costs less than one that is moved each time. */
        if (a->deadline >= c->deadline)
                return;
        loop_timer_set(c->timer, a->deadline);
        c->deadline = a->deadline;
}

static void tell_warning(struct ftp_connection *c) {
        const char *why = ftp_session_take_warning(&c->ftp);

        if (why)
                ftp_tell_rarely(c, why);
}

/* Asks again what the disk has; the time that it took is not the client's. */
static void stop_waiting(struct ftp_connection *c) {
        if (c->held_since != NSEC_NEVER)
                ftp_session_held_up(&c->ftp, loop_now() - c->held_since);
        c->held_since = NSEC_NEVER;
        files_wait_cancel(&c->disk);
}

void ftp_run(struct ftp_connection *c) {
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
                if (act(c, &a) == FTP_FULL && ftp_move_data(c, &turn) == FTP_FULL)
                        break;
        }
        a = ftp_session_next(&c->ftp);
        wait_for(c, &a);
}

static void read_some(struct ftp_connection *c) {
        uint8_t bytes[FTP_IN_MAX];

        for (int i = 0; i < READS_AT_ONCE; i++) {
                size_t room = ftp_session_room(&c->ftp);
                int64_t n;

                if (room == 0)
                        return;
                n = ftp_result_of(recv(c->fd, bytes, min_size(room, sizeof(bytes)), 0));
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
        struct ftp_connection *c = userdata;

        if (ready & LOOP_READABLE)
                read_some(c);
        ftp_run(c);
}

/* What was fetched is in memory now, or never will be. */
static void on_disk(int answer, void *userdata) {
        struct ftp_connection *c = userdata;

        if (answer < 0)
                ftp_session_data_failed(&c->ftp, FTP_END_FILE, loop_now());
        ftp_run(c);
}

static void on_timer(void *userdata) {
        struct ftp_connection *c = userdata;

        c->deadline = NSEC_NEVER; /* it has fired */
        /* It is not the client who was slow. */
        if (files_wait_is_waiting(&c->disk) && loop_now() >= c->ftp.data_deadline) {
                on_disk(-ETIMEDOUT, c);
                return;
        }
        ftp_session_tick(&c->ftp, loop_now());
        ftp_run(c);
}

static struct ftp_limits limits_of(const struct conf *conf) {
        struct ftp_limits limits = ftp_limits_default;

        limits.idle = conf->ftp.idle_timeout;
        limits.min_rate = conf->ftp.min_rate;
        return limits;
}

static int connection_new(struct files_ftp *door, struct files_source *source, int fd,
                          struct udp_endpoint peer, struct udp_endpoint local,
                          struct ftp_connection **ret) {
        struct ftp_limits limits = limits_of(files_conf(door->files));
        struct ftp_connection *c = calloc(1, sizeof(*c));
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

static bool make_room(void *userdata) {
        struct files_ftp *door = userdata;

        LIST_FOR_EACH(pos, &door->connections) {
                struct ftp_connection *c =
                        CONTAINER_OF(pos, struct ftp_connection, in_door);

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

static void on_accepted(void *userdata, unsigned kind, int fd, struct udp_endpoint peer,
                        struct udp_endpoint local) {
        struct files_ftp *door = userdata;
        nsec_t now = loop_now();
        uint32_t most = files_conf(door->files)->ftp.per_source;
        struct files_source *source =
                files_source_get(&door->sources, peer.address, now);
        struct ftp_connection *c;
        const char *why = NULL;

        if (source && most > 0 && source->n_held >= most)
                why = "too many connections from one address (ftp.per-source)";
        else if (!source ||
                 (door->n_connections >= CONNECTIONS_MAX && !make_room(door)))
                why = "too many connections";
        else if (connection_new(door, source, fd, peer, local, &c) < 0)
                why = "the server is out of memory";
        if (!why) {
                ftp_run(c);
                return;
        }
        turn_away(fd);
        if (source && files_source_should_tell(source, now))
                ftp_tell_refused(door, peer.address, "", why, NULL);
}

static const struct files_listen_methods methods = { on_accepted, make_room };

/* ---- the door ---- */

int files_ftp_new(struct files *files, struct files_ftp **ret) {
        struct files_ftp *door = calloc(1, sizeof(*door));
        int r;

        if (!door)
                return -ENOMEM;
        r = files_listen_init(&door->listen, files, &methods, door);
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
        connection_free(CONTAINER_OF(pos, struct ftp_connection, in_door));
        files_listen_done(&door->listen);
        files_sources_done(&door->sources);
        free(door);
        return NULL;
}

int files_ftp_listen(struct files_ftp *door, int fd) {
        return files_listen_add(&door->listen, 0, fd);
}

void files_ftp_unlisten(struct files_ftp *door, struct udp_endpoint at) {
        files_listen_remove(&door->listen, at);
}
