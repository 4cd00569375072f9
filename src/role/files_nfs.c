/*
 * The NFS door, with its port mapper, by TCP and UDP: what proto/nfs3_server answers,
 * done with sockets and files.
 *
 * A connection has one call in work at a time. Its reply leaves before the next call is
 * read, the bytes of a long one by sendfile, so that a client who takes nothing holds a
 * head and a place, for a minute. UDP answers at once or not at all: who got nothing
 * asks again.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/tcp.h"
#include "role/files_disk.h"
#include "role/files_nfs.h"
#include "role/files_source.h"

enum {
        CONNECTIONS_MAX = 1024, /* a worker's */
        CONNECTIONS_PER_SOURCE = 64,
        SOCKETS_MAX = 256,
        WAITING_MAX = 64, /* datagrams whose answer is being made */
        ACCEPTS_AT_ONCE = 64,
        TURN_BYTES = 4 * 1024 * 1024,
        TURN_CALLS = 64,
        COPIED_MAX = 64 << 10, /* a reply this small leaves in one piece */
        BUFFER = 4 + NFS3_HEAD_MAX + COPIED_MAX + 4,
        TRANSFERS = 512,
        STARTED_TOLD_FROM = 1 << 20,
        PORTMAP_RATE = 100, /* datagrams a second from one address */
};

static const nsec_t idle_most = 360 * NSEC_PER_SEC; /* clients close after 300 */
static const nsec_t stuck_most = 60 * NSEC_PER_SEC;
static const nsec_t pause_without_descriptors = 100 * NSEC_PER_MSEC;

struct listener {
        struct files_nfs *door;
        enum nfs3_door kind;
        bool is_tcp;
        int fd;
        ip4_t local;
        struct loop_watch *watch;
};

/* What one client reads of one file, so that it is told once and not for every read. */
struct transfer {
        ip4_t client;
        uint64_t id, n_read;
        nsec_t started;
        bool is_told;
};

struct waiting {
        struct listener *listener;
        struct files_wait disk;
        struct udp_endpoint peer;
        size_t n;
        uint8_t data[RPC_CALL_MAX];
};

struct files_nfs {
        struct files *files;
        struct nfs_tree *tree;
        struct nfs3_server *server; /* NULL until the key is here */
        struct listener *listeners[SOCKETS_MAX];
        size_t n_listeners;
        struct loop_timer *resume;
        struct list connections; /* the one that was served longest ago comes first */
        size_t n_connections;
        struct files_sources sources;
        struct udp_batch *batch;
        struct waiting *waiting[WAITING_MAX];
        size_t n_waiting;
        struct transfer transfers[TRANSFERS];
        uint8_t buffer[BUFFER]; /* of the reply in work; nothing outlives the call */
};

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

/* ---- events ---- */

static void tell_refused(struct files_nfs *door, ip4_t client, const char *what,
                         const char *why) {
        files_event(door->files,
                    &(struct event){ .kind = EVENT_FILE_REFUSED,
                                     .address = client,
                                     .values = { EVENT_TEXT("nfs"), EVENT_TEXT(what),
                                                 EVENT_TEXT(why) } });
}

static void tell_started(struct files_nfs *door, ip4_t client,
                         const struct nfs3_reply *reply) {
        if (reply->size >= STARTED_TOLD_FROM)
                files_event(door->files,
                            &(struct event){ .kind = EVENT_FILE_STARTED,
                                             .address = client,
                                             .values = { EVENT_TEXT("nfs"),
                                                         EVENT_TEXT(reply->path),
                                                         EVENT_BYTES(reply->size),
                                                         EVENT_TEXT("") } });
}

static void tell_done(struct files_nfs *door, const struct transfer *t,
                      const struct nfs3_reply *reply) {
        nsec_t took = max_u64(loop_now() - t->started, NSEC_PER_USEC);
        uint64_t rate =
                (uint64_t)((double)t->n_read * (double)NSEC_PER_SEC / (double)took);

        files_event(door->files,
                    &(struct event){
                            .kind = EVENT_FILE_DONE,
                            .address = t->client,
                            .values = { EVENT_TEXT("nfs"), EVENT_TEXT(reply->path),
                                        EVENT_BYTES(t->n_read), EVENT_DURATION(took),
                                        EVENT_RATE(rate) } });
}

/* A live system reads its file in thousands of pieces, again and again: the first one
 * and the end of a whole reading are told. */
static void on_read(struct files_nfs *door, ip4_t client,
                    const struct nfs3_reply *reply) {
        struct transfer *t = &door->transfers[(reply->id ^ client) % TRANSFERS];

        if (t->client != client || t->id != reply->id) {
                *t = (struct transfer){ .client = client,
                                        .id = reply->id,
                                        .started = loop_now() };
                tell_started(door, client, reply);
        }
        t->n_read += reply->n_file;
        if (t->is_told || reply->offset + reply->n_file < reply->size ||
            t->n_read < reply->size)
                return;
        t->is_told = true;
        tell_done(door, t, reply);
}

/* Who mounts begins anew: a machine that boots again is told again. */
static void on_mounted(struct files_nfs *door, ip4_t client, const char *path) {
        for (size_t i = 0; i < TRANSFERS; i++)
                if (door->transfers[i].client == client)
                        door->transfers[i] = (struct transfer){ 0 };
        files_event(door->files, &(struct event){ .kind = EVENT_FOLDER_MOUNTED,
                                                  .address = client,
                                                  .values = { EVENT_TEXT("nfs"),
                                                              EVENT_TEXT(path) } });
}

static void tell(struct files_nfs *door, ip4_t client, const struct nfs3_reply *reply) {
        switch (reply->told) {
        case NFS3_TOLD_NOTHING:
                break;
        case NFS3_TOLD_READ:
                on_read(door, client, reply);
                break;
        case NFS3_TOLD_MOUNT:
                on_mounted(door, client, reply->path);
                break;
        case NFS3_TOLD_REFUSED:
                tell_refused(door, client, reply->path, reply->why);
                break;
        }
}

/* ---- calls ---- */

/* The head stands in the buffer behind the room for a mark. */
static enum nfs3_outcome call(struct files_nfs *door, enum nfs3_door kind, bool is_tcp,
                              ip4_t client, ip4_t local, const uint8_t *data, size_t n,
                              struct nfs3_reply *ret) {
        const struct conf *conf = files_conf(door->files);
        struct nfs_asker asker = { door->tree, client, local };
        const struct nfs3_request request = { .door = kind,
                                              .is_tcp = is_tcp,
                                              .local = local,
                                              .port = conf->nfs.port,
                                              .portmap_port = conf->nfs.portmap,
                                              .now = loop_now(),
                                              .asker = &asker };

        if (!door->server)
                return NFS3_NO_REPLY;
        return nfs3_server_call(door->server, &request, data, n, door->buffer + 4, ret);
}

/* File bytes and padding behind the head: the length of all of it; -EAGAIN: they are
 * fetched, and `wait` is called; or another -errno. */
static int64_t copy_file(struct files_nfs *door, const struct nfs3_reply *reply,
                         struct files_wait *wait) {
        uint8_t *at = door->buffer + 4 + reply->n_head;
        size_t n = nfs3_reply_size(reply);
        int64_t got;

        if (reply->n_file == 0)
                return (int64_t)n;
        got = files_disk_read(files_disk(door->files), reply->file, reply->offset, at,
                              reply->n_file, wait);
        if (got < 0)
                return got;
        /* What was written over meanwhile must not be mixed with what was there. */
        if ((size_t)got != reply->n_file || !vtree_file_is_unchanged(reply->file))
                return -ESTALE;
        memset(at + got, 0, n - reply->n_head - (size_t)got);
        return (int64_t)n;
}

/* ---- UDP ---- */

/* False: it has to be put again. */
static bool answer_datagram(struct listener *listener, const uint8_t *data, size_t n,
                            struct udp_endpoint peer, struct files_wait *wait) {
        struct files_nfs *door = listener->door;
        struct nfs3_reply reply;
        enum nfs3_outcome outcome = call(door, listener->kind, false, peer.address,
                                         listener->local, data, n, &reply);
        int64_t size;
        int ignored;

        if (outcome == NFS3_WAIT)
                return false;
        if (outcome == NFS3_NO_REPLY)
                return true;
        size = copy_file(door, &reply, wait);
        vtree_file_unref(reply.file);
        if (size < 0)
                return size != -EAGAIN;
        tell(door, peer.address, &reply);
        /* A full socket loses it, as the wire may: the client asks again. */
        ignored = udp_send(listener->fd, door->buffer + 4, (size_t)size, peer, 0, 0);
        (void)ignored;
        return true;
}

static void waiting_free(struct files_nfs *door, size_t i) {
        files_wait_cancel(&door->waiting[i]->disk);
        free(door->waiting[i]);
        door->waiting[i] = door->waiting[--door->n_waiting];
}

static void put_datagram_again(struct files_nfs *door, size_t i) {
        struct waiting *w = door->waiting[i];

        files_wait_cancel(&w->disk);
        if (answer_datagram(w->listener, w->data, w->n, w->peer, &w->disk))
                waiting_free(door, i);
}

/* What the disk could not give is not asked of it for ever: the client asks again. */
static void on_datagram_fetched(int answer, void *userdata) {
        struct waiting *waiting = userdata;
        struct files_nfs *door = waiting->listener->door;

        for (size_t i = 0; i < door->n_waiting; i++) {
                if (door->waiting[i] != waiting)
                        continue;
                if (answer < 0)
                        waiting_free(door, i);
                else
                        put_datagram_again(door, i);
                return;
        }
}

static void keep_waiting(struct listener *listener, const struct udp_received *got) {
        struct files_nfs *door = listener->door;
        struct waiting *waiting;

        if (door->n_waiting == WAITING_MAX || got->n > RPC_CALL_MAX)
                return;
        waiting = calloc(1, sizeof(*waiting));
        if (!waiting)
                return;
        waiting->listener = listener;
        waiting->peer = got->from;
        waiting->n = got->n;
        memcpy(waiting->data, got->data, got->n);
        files_wait_init(&waiting->disk, on_datagram_fetched, waiting);
        door->waiting[door->n_waiting++] = waiting;
        put_datagram_again(door, door->n_waiting - 1); /* now with who can wait */
}

static bool is_admitted(struct listener *listener, ip4_t client) {
        struct files_source *source;

        if (listener->kind != NFS3_DOOR_PORTMAP)
                return true;
        source = files_source_get(&listener->door->sources, client, loop_now());
        return source && files_source_admits(source, PORTMAP_RATE, loop_now());
}

static void on_datagrams(int fd, unsigned ready, void *userdata) {
        struct listener *listener = userdata;
        const struct udp_received *got;
        int n = udp_recv(fd, listener->door->batch, &got);

        for (int i = 0; i < n; i++)
                if (is_admitted(listener, got[i].from.address) &&
                    !answer_datagram(listener, got[i].data, got[i].n, got[i].from,
                                     NULL))
                        keep_waiting(listener, &got[i]);
}

static void put_datagrams_again(struct files_nfs *door) {
        for (size_t i = door->n_waiting; i > 0; i--)
                put_datagram_again(door, i - 1);
}

/* ---- TCP ---- */

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
        if (reply->n_file > COPIED_MAX) {
                c->file = reply->file;
                c->file_at = reply->offset;
                c->file_left = reply->n_file;
                c->zeros_left = n - reply->n_head - reply->n_file;
                rpc_record_next(&c->record);
                tell(door, c->peer.address, reply);
                return send_buffer(c, 4 + reply->n_head, true);
        }
        copied = copy_file(door, reply, &c->disk);
        vtree_file_unref(reply->file);
        if (copied == -EAGAIN) {
                c->is_waiting = true;
                return MOVED;
        }
        rpc_record_next(&c->record);
        tell(door, c->peer.address, reply);
        return copied < 0 ? BROKEN : send_buffer(c, 4 + n, false);
}

static enum outcome answer(struct connection *c) {
        struct nfs3_reply reply;

        switch (call(c->door, c->kind, true, c->peer.address, c->local.address,
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

/* Something was made: who waits for it or for something else is put again. */
static void on_made(void *userdata) {
        struct files_nfs *door = userdata;

        put_datagrams_again(door);
        LIST_FOR_EACH(pos, &door->connections) {
                struct connection *c = CONTAINER_OF(pos, struct connection, in_door);

                if (c->is_waiting)
                        put_again(c);
        }
}

static int connection_new(struct listener *listener, struct files_source *source,
                          int fd, struct udp_endpoint peer, struct udp_endpoint local,
                          struct connection **ret) {
        struct files_nfs *door = listener->door;
        struct connection *c = calloc(1, sizeof(*c));
        int r;

        if (!c)
                return -ENOMEM;
        c->door = door;
        c->source = source;
        c->kind = listener->kind;
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

static bool make_room(struct files_nfs *door) {
        LIST_FOR_EACH(pos, &door->connections) {
                struct connection *c = CONTAINER_OF(pos, struct connection, in_door);

                if (!is_idle(c))
                        continue;
                connection_free(c);
                return true;
        }
        return false;
}

static void on_accepted(struct listener *listener, int fd, struct udp_endpoint peer,
                        struct udp_endpoint local) {
        struct files_nfs *door = listener->door;
        nsec_t now = loop_now();
        struct files_source *source =
                files_source_get(&door->sources, peer.address, now);
        struct connection *c;
        const char *why = NULL;

        if (!source || (door->n_connections >= CONNECTIONS_MAX && !make_room(door)))
                why = "too many connections";
        else if (source->n_held >= CONNECTIONS_PER_SOURCE)
                why = "too many connections from one address";
        else if (connection_new(listener, source, fd, peer, local, &c) < 0)
                why = "the server is out of memory";
        if (!why) {
                run(c);
                return;
        }
        close(fd);
        if (source && files_source_should_tell(source, now))
                tell_refused(door, peer.address, "", why);
}

static void set_listening(struct files_nfs *door, unsigned wanted) {
        for (size_t i = 0; i < door->n_listeners; i++)
                if (door->listeners[i]->is_tcp)
                        loop_watch_set(door->listeners[i]->watch, wanted);
}

static void on_resume(void *userdata) {
        set_listening(userdata, LOOP_READABLE);
}

static void on_listener(int fd, unsigned ready, void *userdata) {
        struct listener *listener = userdata;

        for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
                struct udp_endpoint peer, local;
                int accepted, r = tcp_accept(fd, &accepted, &peer, &local);

                if (r == 0) {
                        on_accepted(listener, accepted, peer, local);
                        continue;
                }
                /* No descriptor is left: what waits would wake us at once, for ever. */
                if (r != -EAGAIN && !make_room(listener->door)) {
                        set_listening(listener->door, 0);
                        loop_timer_set(listener->door->resume,
                                       loop_now() + pause_without_descriptors);
                }
                return;
        }
}

/* ---- the door ---- */

static void listener_free(struct listener *listener) {
        struct files_nfs *door = listener->door;

        for (size_t i = 0; i < door->n_waiting; i++)
                if (door->waiting[i]->listener == listener)
                        waiting_free(door, i--);
        loop_watch_free(listener->watch);
        close(listener->fd);
        free(listener);
}

int files_nfs_new(struct files *files, struct files_nfs **ret) {
        struct files_nfs *door = calloc(1, sizeof(*door));
        int r;

        if (!door)
                return -ENOMEM;
        door->files = files;
        list_init(&door->connections);
        files_sources_init(&door->sources);
        r = loop_timer_new(files_loop(files), on_resume, door, &door->resume);
        if (r == 0)
                r = udp_batch_new(RPC_CALL_MAX, &door->batch);
        if (r == 0)
                r = nfs_tree_new(files, on_made, door, &door->tree);
        if (r < 0) {
                files_nfs_free(door);
                return r;
        }
        *ret = door;
        return 0;
}

struct files_nfs *files_nfs_free(struct files_nfs *door) {
        if (!door)
                return NULL;
        LIST_FOR_EACH(pos, &door->connections)
        connection_free(CONTAINER_OF(pos, struct connection, in_door));
        while (door->n_listeners > 0)
                listener_free(door->listeners[--door->n_listeners]);
        loop_timer_free(door->resume);
        files_sources_done(&door->sources);
        udp_batch_free(door->batch);
        nfs3_server_free(door->server);
        nfs_tree_free(door->tree);
        free(door);
        return NULL;
}

int files_nfs_key(struct files_nfs *door, const uint8_t key[static SIPHASH_KEY]) {
        struct nfs3_server_config config = { .tree = nfs_tree_methods };

        memcpy(config.key, key, sizeof(config.key));
        door->server = nfs3_server_free(door->server);
        return nfs3_server_new(&config, &door->server);
}

void files_nfs_settled(struct files_nfs *door) {
        nfs_tree_settled(door->tree);
}

int files_nfs_listen(struct files_nfs *door, unsigned kind, ip4_t local, int fd) {
        struct listener *listener;
        int r;

        if (door->n_listeners == SOCKETS_MAX) {
                close(fd);
                return -ENOSPC;
        }
        listener = calloc(1, sizeof(*listener));
        if (!listener) {
                close(fd);
                return -ENOMEM;
        }
        *listener =
                (struct listener){ .door = door,
                                   .kind = kind & FILES_NFS_PORTMAP ? NFS3_DOOR_PORTMAP
                                                                    : NFS3_DOOR_NFS,
                                   .is_tcp = !(kind & FILES_NFS_UDP),
                                   .fd = fd,
                                   .local = local };
        r = loop_watch_new(files_loop(door->files), fd, LOOP_READABLE,
                           listener->is_tcp ? on_listener : on_datagrams, listener,
                           &listener->watch);
        if (r < 0) {
                listener_free(listener);
                return r;
        }
        door->listeners[door->n_listeners++] = listener;
        return 0;
}

void files_nfs_unlisten(struct files_nfs *door, unsigned kind, struct udp_endpoint at) {
        for (size_t i = 0; i < door->n_listeners; i++) {
                struct listener *listener = door->listeners[i];

                if (listener->is_tcp == !!(kind & FILES_NFS_UDP) ||
                    !udp_is_bound(listener->fd, at))
                        continue;
                listener_free(listener);
                door->listeners[i--] = door->listeners[--door->n_listeners];
        }
}
