/*
 * NFS by TCP. A connection has one call in work at a time; see files_nfs.c.
 */
#include "role/files_nfs.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
        CONNECTIONS_MAX = 1024, /* a worker's */
        CONNECTIONS_PER_SOURCE = 64,
        TURN_BYTES = 4 * 1024 * 1024,
        TURN_CALLS = 64,
};

static const nsec_t idle_most = 360 * NSEC_PER_SEC; /* clients close after 300 */
static const nsec_t stuck_most = 60 * NSEC_PER_SEC;

struct connection {
        struct list in_door;
        struct files_nfs *door;
        struct files_source *source;
        enum nfs3_door kind;
        int fd;
        struct udp_endpoint peer, local;
        struct loop_watch *watch;
        struct loop_timer *timer;
        nsec_t moved; /* when anything last was read or written */
        struct rpc_record record;
        bool is_waiting;        /* the call in `record` is put again later */
        struct files_wait disk; /* or bytes of its file are fetched */
        uint8_t in[4096];
        size_t in_at, in_n;
        uint8_t *out; /* of a reply, what the socket did not take; owned */
        size_t out_at, out_n;
        struct vtree_file *file; /* whose bytes follow */
        uint64_t file_at;
        size_t file_left, zeros_left;
};

static void connection_free(struct connection *c) {
        files_wait_cancel(&c->disk);
        loop_watch_free(c->watch);
        loop_timer_free(c->timer);
        close(c->fd);
        vtree_file_unref(c->file);
        free(c->out);
        list_remove(&c->in_door);
        c->source->n_held--;
        c->door->n_connections--;
        free(c);
}

static bool has_output(const struct connection *c) {
        return c->out || c->file_left > 0 || c->zeros_left > 0;
}

static bool is_idle(const struct connection *c) {
        return !has_output(c) && !c->is_waiting && c->record.n == 0 &&
               c->record.n_mark == 0;
}

static void arm(struct connection *c) {
        loop_timer_set(c->timer, c->moved + (is_idle(c) ? idle_most : stuck_most));
}

enum outcome { MOVED, FULL, BROKEN };

static enum outcome outcome_of(struct connection *c, ssize_t n) {
        if (n > 0) {
                c->moved = loop_now();
                return MOVED;
        }
        return n < 0 && (errno == EAGAIN || errno == EINTR) ? FULL : BROKEN;
}

/* Bytes in the door's buffer; what the socket does not take is kept. */
static enum outcome send_buffer(struct connection *c, size_t n, bool is_followed) {
        const uint8_t *data = c->door->buffer;
        ssize_t sent =
                send(c->fd, data, n, MSG_NOSIGNAL | (is_followed ? MSG_MORE : 0));
        enum outcome outcome = outcome_of(c, sent);
        size_t left = sent > 0 ? n - (size_t)sent : n;

        if (outcome == BROKEN || left == 0)
                return outcome;
        c->out = malloc(left);
        if (!c->out)
                return BROKEN;
        memcpy(c->out, data + n - left, left);
        c->out_at = 0;
        c->out_n = left;
        return FULL;
}

static enum outcome send_rest(struct connection *c) {
        ssize_t n = send(c->fd, c->out + c->out_at, c->out_n - c->out_at,
                         MSG_NOSIGNAL | (c->file_left > 0 ? MSG_MORE : 0));
        enum outcome outcome = outcome_of(c, n);

        if (outcome != MOVED)
                return outcome;
        c->out_at += (size_t)n;
        if (c->out_at == c->out_n) {
                free(c->out);
                c->out = NULL;
        }
        return MOVED;
}

static enum outcome send_file(struct connection *c) {
        struct vtree_place e;
        int64_t n = files_disk_ready(files_disk(c->door->files), c->file, c->file_at,
                                     c->file_left, &c->disk);

        if (n == -EAGAIN)
                return FULL;
        /* Asked each time: bytes of another file must not follow what has left. */
        if (n <= 0 || !vtree_file_is_unchanged(c->file))
                return BROKEN;
        e = vtree_file_place(c->file, c->file_at);
        n = tcp_sendfile(c->fd, e.fd, e.offset, (uint64_t)n);
        if (n == -EAGAIN)
                return FULL;
        if (n <= 0)
                return BROKEN;
        c->moved = loop_now();
        c->file_at += (uint64_t)n;
        c->file_left -= (size_t)n;
        if (c->file_left == 0)
                c->file = vtree_file_unref(c->file);
        return MOVED;
}

static enum outcome send_zeros(struct connection *c) {
        static const uint8_t zeros[4];
        ssize_t n = send(c->fd, zeros, c->zeros_left, MSG_NOSIGNAL);
        enum outcome outcome = outcome_of(c, n);

        if (outcome == MOVED)
                c->zeros_left -= (size_t)n;
        return outcome;
}

static enum outcome send_some(struct connection *c) {
        if (c->out)
                return send_rest(c);
        return c->file_left > 0 ? send_file(c) : send_zeros(c);
}

/* RFC 5531 11: the mark, and the reply in one fragment. */
static enum outcome send_reply(struct connection *c, const struct nfs3_reply *reply) {
        struct files_nfs *door = c->door;
        size_t n = nfs3_reply_size(reply);
        int64_t copied;

        rpc_record_mark(door->buffer, n);
        if (reply->n_file > NFS_COPIED_MAX) {
                c->file = reply->file;
                c->file_at = reply->offset;
                c->file_left = reply->n_file;
                c->zeros_left = n - reply->n_head - reply->n_file;
                rpc_record_next(&c->record);
                nfs_tell(door, c->peer.address, reply);
                return send_buffer(c, 4 + reply->n_head, true);
        }
        copied = nfs_copy_file(door, reply, &c->disk);
        vtree_file_unref(reply->file);
        if (copied == -EAGAIN) {
                c->is_waiting = true;
                return MOVED;
        }
        rpc_record_next(&c->record);
        nfs_tell(door, c->peer.address, reply);
        return copied < 0 ? BROKEN : send_buffer(c, 4 + n, false);
}

static enum outcome answer(struct connection *c) {
        struct nfs3_reply reply;

        switch (nfs_call(c->door, c->kind, true, c->peer.address, c->local.address,
                         c->record.data, c->record.n, &reply)) {
        case NFS3_WAIT:
                c->is_waiting = true;
                return MOVED;
        case NFS3_NO_REPLY:
                rpc_record_next(&c->record);
                return MOVED;
        case NFS3_REPLY:
                break;
        }
        c->is_waiting = false;
        return send_reply(c, &reply);
}

/* On with the bytes that are here, else with those that wait in the socket. */
static enum outcome receive(struct connection *c) {
        enum rpc_record_state state;
        size_t taken;

        if (c->in_at == c->in_n) {
                ssize_t n = recv(c->fd, c->in, sizeof(c->in), 0);
                enum outcome outcome = outcome_of(c, n);

                if (outcome != MOVED)
                        return outcome;
                c->in_at = 0;
                c->in_n = (size_t)n;
        }
        state = rpc_record_feed(&c->record, c->in + c->in_at, c->in_n - c->in_at,
                                &taken);
        c->in_at += taken;
        if (state == RPC_RECORD_TOO_LONG)
                return BROKEN;
        return state == RPC_RECORD_WHOLE ? answer(c) : MOVED;
}

/* Works for a connection until it waits; frees it at its end. */
static void run(struct connection *c) {
        size_t turn = TURN_BYTES, n_calls = 0;
        unsigned wanted = LOOP_WRITABLE;

        list_remove(&c->in_door);
        list_append(&c->door->connections, &c->in_door);
        files_wait_cancel(&c->disk); /* it is asked again */
        while (turn > 0 && n_calls < TURN_CALLS && !c->is_waiting) {
                bool is_sending = has_output(c);
                size_t before = c->file_left;
                enum outcome outcome = is_sending ? send_some(c) : receive(c);

                if (outcome == BROKEN) {
                        connection_free(c);
                        return;
                }
                if (outcome == FULL && is_sending == has_output(c)) {
                        wanted = is_sending ? LOOP_WRITABLE : LOOP_READABLE;
                        break;
                }
                n_calls += !is_sending;
                if (is_sending && before > c->file_left)
                        turn -= min_size(turn, before - c->file_left);
        }
        loop_watch_set(c->watch,
                       c->is_waiting || files_wait_is_waiting(&c->disk) ? 0 : wanted);
        arm(c);
}

/* The call whose answer was not there. */
static void put_again(struct connection *c) {
        c->is_waiting = false;
        files_wait_cancel(&c->disk);
        if (answer(c) == BROKEN)
                connection_free(c);
        else if (!c->is_waiting)
                loop_watch_set(c->watch, LOOP_WRITABLE);
}

static void on_fetched(int result, void *userdata) {
        struct connection *c = userdata;

        if (result < 0)
                connection_free(c);
        else if (c->is_waiting)
                put_again(c);
        else
                run(c);
}

static void on_ready(int fd, unsigned ready, void *userdata) {
        run(userdata);
}

/* The timer is not moved with every byte: it looks when it rings. */
static void on_timer(void *userdata) {
        struct connection *c = userdata;

        if (loop_now() - c->moved >= (is_idle(c) ? idle_most : stuck_most))
                connection_free(c);
        else
                arm(c);
}

void nfs_tcp_made(struct files_nfs *door) {
        LIST_FOR_EACH(pos, &door->connections) {
                struct connection *c = CONTAINER_OF(pos, struct connection, in_door);

                if (c->is_waiting)
                        put_again(c);
        }
}

void nfs_tcp_done(struct files_nfs *door) {
        LIST_FOR_EACH(pos, &door->connections)
        connection_free(CONTAINER_OF(pos, struct connection, in_door));
}

static int connection_new(struct files_nfs *door, enum nfs3_door kind,
                          struct files_source *source, int fd, struct udp_endpoint peer,
                          struct udp_endpoint local, struct connection **ret) {
        struct connection *c = calloc(1, sizeof(*c));
        int r;

        if (!c)
                return -ENOMEM;
        c->door = door;
        c->source = source;
        c->kind = kind;
        c->fd = fd;
        c->peer = peer;
        c->local = local;
        c->moved = loop_now();
        files_wait_init(&c->disk, on_fetched, c);
        r = loop_watch_new(files_loop(door->files), fd, 0, on_ready, c, &c->watch);
        if (r == 0)
                r = loop_timer_new(files_loop(door->files), on_timer, c, &c->timer);
        if (r < 0) {
                loop_watch_free(c->watch);
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
        struct files_nfs *door = userdata;

        LIST_FOR_EACH(pos, &door->connections) {
                struct connection *c = CONTAINER_OF(pos, struct connection, in_door);

                if (!is_idle(c))
                        continue;
                connection_free(c);
                return true;
        }
        return false;
}

static void on_accepted(void *userdata, unsigned kind, int fd, struct udp_endpoint peer,
                        struct udp_endpoint local) {
        struct files_nfs *door = userdata;
        nsec_t now = loop_now();
        struct files_source *source =
                files_source_get(&door->sources, peer.address, now);
        struct connection *c;
        const char *why = NULL;

        if (!source || (door->n_connections >= CONNECTIONS_MAX && !make_room(door)))
                why = "too many connections";
        else if (source->n_held >= CONNECTIONS_PER_SOURCE)
                why = "too many connections from one address";
        else if (connection_new(door, (enum nfs3_door)kind, source, fd, peer, local,
                                &c) < 0)
                why = "the server is out of memory";
        if (!why) {
                run(c);
                return;
        }
        close(fd);
        if (source && files_source_should_tell(source, now))
                nfs_tell_refused(door, peer.address, "", why);
}

const struct files_listen_methods nfs_tcp_methods = { on_accepted, make_room };
