/*
 * The TFTP door: requests come to the listening sockets, each transfer runs on a
 * socket of its own, connected to the client from the address it asked, so that the
 * kernel sorts the packets and tells when the client's port has closed.
 *
 * What happens in a transfer is decided by proto/tftp_session; here is only what
 * touches the machine: sockets, files, time, events, and the limits for strangers.
 * Data leaves a window at a time, cut into datagrams by the kernel where it can.
 *
 * What is asked for as netascii is made into it before the transfer begins, in memory:
 * its size has to be known. That is for texts, or for clients whose default it is, who
 * turn it back; beyond some MiB they are told to ask for octets.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "proto/tftp_session.h"
#include "role/files.h"
#include "role/files_source.h"

enum {
        TRANSFERS_MAX = 2048, /* a worker's; each is a socket and a file */
        REQUEST_MAX = 2048,   /* RFC 2347 says 512; longer ones are cut and refused */
        BUFFER = 128 * 1024,  /* at least one block with its head */
        CHUNK = 16 * 1024,    /* read at once for blocks that leave one by one */
        /* Blocks of a window that leave at once. Small pieces let the client work while
         * the next is made; large ones cost least when others wait anyway. */
        PIECE_ALONE = 4,
        PIECE_AMONG_MANY = 16,
        MANY = 8,
        HEADS = 20 + 8 + TFTP_HEAD, /* IPv4, UDP and TFTP before the bytes of a file */
        AWAKE_MAX = 2,              /* transfers */
        READ_ON_MAX = 128, /* transfers: beyond, what is read ahead costs memory */
        PROGRESS_FROM = 1 << 20,
        BATCHES_AT_ONCE = 8,
        NETASCII_MAX = 16 << 20,
        LISTEN_MAX = 256,
        DROPS_TOLD_A_SECOND = 10,
};

struct listener {
        struct files_tftp *door;
        int fd;
        bool is_ready; /* at this wake */
        struct loop_watch *watch;
};

struct files_tftp {
        struct files *files;
        struct udp_batch *batch;
        struct listener *listeners[LISTEN_MAX];
        size_t n_listeners;
        struct list transfers;
        struct list ready; /* of them, at this wake */
        struct loop_after *after;
        size_t n_transfers;
        struct files_sources sources;
        nsec_t drops_since; /* dropped packets are told at a bounded rate */
        unsigned n_drops;
        uint8_t read[BUFFER], packets[BUFFER];
};

struct transfer {
        struct list in_ready; /* has something to do after this wake */
        struct list in_door, in_source;
        struct files_tftp *door;
        struct files_source *source;
        struct udp_endpoint client;
        ip4_t local;
        int listen_fd, ifindex;  /* where the request came by, for a refusal */
        char *asked_path, *path; /* as asked for, and as the tree has it */
        struct tftp_options asked;
        int64_t ticket; /* of a file that the core still makes; -1: none */
        struct vtree_file *file;
        int fd; /* connected; -1 before the file is there, and with tftp.single-port */
        bool is_shared; /* on the listening socket: its packets come by on_datagram() */
        struct loop_watch *watch;
        struct loop_timer *timer;
        struct tftp_session session;
        nsec_t started, progress_told;
        nsec_t armed; /* when the timer rings; never later than the session's deadline
                       */
        bool is_announced;
        bool is_text;   /* asked for as netascii */
        uint8_t *chunk; /* of the file, from chunk_at */
        uint64_t chunk_at;
        size_t n_chunk, chunk_room;
};

/* One datagram to the listening socket, with what answers it. */
struct request {
        struct listener *listener;
        const struct udp_received *datagram;
        struct files_source *source;
        nsec_t now;
};

static const nsec_t progress_every = 250 * NSEC_PER_MSEC;
static const nsec_t full_pause = NSEC_PER_MSEC;
static const nsec_t near_enough = 150 * NSEC_PER_USEC;

static void run(struct transfer *t);
static void read_requests(struct listener *listener);

static uint64_t rate_of(uint64_t bytes, nsec_t took) {
        uint64_t usec = max_u64(took / NSEC_PER_USEC, 1);

        return bytes > UINT64_MAX / 1000000 ? bytes / usec * 1000000
                                            : bytes * 1000000 / usec;
}

static void tell_dropped(struct files_tftp *door, ip4_t client, uint64_t n,
                         const char *why, nsec_t now) {
        if (now - door->drops_since >= NSEC_PER_SEC) {
                door->drops_since = now;
                door->n_drops = 0;
        }
        if (door->n_drops++ >= DROPS_TOLD_A_SECOND)
                return;
        files_event(door->files,
                    &(struct event){ .kind = EVENT_FILE_DROPPED,
                                     .address = client,
                                     .values = { EVENT_TEXT("tftp"), EVENT_BYTES(n),
                                                 EVENT_TEXT(why) } });
}

static void send_error(int fd, const struct udp_endpoint *to, ip4_t from, int ifindex,
                       enum tftp_error error, const char *message) {
        uint8_t bytes[TFTP_BLKSIZE_DEFAULT];
        size_t n = tftp_build_error(bytes, sizeof(bytes), error, message);

        /* The client asks again when this one is lost. */
        int ignored = udp_send(fd, bytes, n, *to, from, ifindex);
        (void)ignored;
}

static void answer_error(const struct request *r, enum tftp_error error,
                         const char *message) {
        send_error(r->listener->fd, &r->datagram->from, r->datagram->local,
                   r->datagram->ifindex, error, message);
}

static void tell_refused(struct files_tftp *door, ip4_t client, const char *file,
                         const char *why, const char *nearest) {
        struct event e = { .kind = EVENT_FILE_REFUSED,
                           .address = client,
                           .values = { EVENT_TEXT("tftp"), EVENT_TEXT(file),
                                       EVENT_TEXT(why) } };

        if (nearest)
                e.values[3] = (struct event_value)EVENT_TEXT(nearest);
        files_event(door->files, &e);
}

/* pxelinux asks for a dozen names until one is there, GRUB for lists of modules that a
 * signed image does not need: what they do not find is nobody's fault. */
static bool is_probe(const char *path) {
        static const char *const folders[] = { "pxelinux.cfg/", "grub/x86_64-efi/",
                                               "grub/arm64-efi/", "grub/i386-efi/" };

        for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
                if (strncmp(path, folders[i], strlen(folders[i])) == 0)
                        return true;
        return false;
}

static struct transfer *transfer_free(struct transfer *t) {
        if (!t)
                return NULL;
        if (t->ticket >= 0)
                files_generate_cancel(t->door->files, t->ticket);
        loop_watch_free(t->watch);
        loop_timer_free(t->timer);
        if (t->fd >= 0)
                close(t->fd);
        vtree_file_unref(t->file);
        list_remove(&t->in_ready);
        list_remove(&t->in_door);
        list_remove(&t->in_source);
        t->source->n_held--;
        t->door->n_transfers--;
        free(t->chunk);
        free(t->asked_path);
        free(t->path);
        free(t);
        return NULL;
}

static int transfer_new(const struct request *r, const struct tftp_packet *p,
                        const char *asked_path, const char *path,
                        struct transfer **ret) {
        struct files_tftp *door = r->listener->door;
        struct transfer *t = calloc(1, sizeof(*t));

        if (!t)
                return -ENOMEM;
        *t = (struct transfer){ .door = door,
                                .source = r->source,
                                .client = r->datagram->from,
                                .local = r->datagram->local,
                                .listen_fd = r->listener->fd,
                                .ifindex = r->datagram->ifindex,
                                .asked_path = strdup(asked_path),
                                .path = strdup(path),
                                .asked = p->options,
                                .is_text = p->mode == TFTP_MODE_NETASCII,
                                .ticket = -1,
                                .fd = -1,
                                .armed = NSEC_NEVER,
                                .started = r->now };
        if (!t->path || !t->asked_path) {
                free(t->asked_path);
                free(t->path);
                free(t);
                return -ENOMEM;
        }
        list_init(&t->in_ready);
        list_append(&door->transfers, &t->in_door);
        list_append(&r->source->held, &t->in_source);
        r->source->n_held++;
        door->n_transfers++;
        *ret = t;
        return 0;
}

static void announce(struct transfer *t) {
        const struct tftp_options *o = &t->session.options;
        struct text detail = { 0 };

        if (t->is_announced)
                return;
        t->is_announced = true;
        if (t->session.end == TFTP_END_SIZE_ASKED) {
                text_add(&detail, ", only its size was asked");
        } else if (o->blksize) {
                text_add(&detail, ", blksize ");
                text_u64(&detail, o->blksize);
        }
        if (o->windowsize && t->session.end != TFTP_END_SIZE_ASKED) {
                text_add(&detail, ", windowsize ");
                text_u64(&detail, o->windowsize);
        }
        files_event(
                t->door->files,
                &(struct event){ .kind = EVENT_FILE_STARTED,
                                 .address = t->client.address,
                                 .values = { EVENT_TEXT("tftp"), EVENT_TEXT(t->path),
                                             EVENT_BYTES(t->file->size),
                                             EVENT_TEXT(text_string(&detail)) } });
        text_done(&detail);
}

static void tell_progress(struct transfer *t, nsec_t now) {
        uint64_t sent = tftp_session_acked_bytes(&t->session);

        if (t->file->size < PROGRESS_FROM || now - t->progress_told < progress_every)
                return;
        t->progress_told = now;
        files_event(
                t->door->files,
                &(struct event){
                        .kind = EVENT_FILE_PROGRESS,
                        .address = t->client.address,
                        .values = { EVENT_TEXT("tftp"), EVENT_TEXT(t->path),
                                    EVENT_BYTES(sent), EVENT_BYTES(t->file->size),
                                    EVENT_RATE(rate_of(sent, now - t->started)) } });
}

static void tell_done(struct transfer *t, nsec_t now) {
        uint64_t sent = tftp_session_acked_bytes(&t->session);
        nsec_t took = now - t->started;

        announce(t);
        if (t->session.end == TFTP_END_SIZE_ASKED)
                return;
        files_event(
                t->door->files,
                &(struct event){ .kind = EVENT_FILE_DONE,
                                 .address = t->client.address,
                                 .values = { EVENT_TEXT("tftp"), EVENT_TEXT(t->path),
                                             EVENT_BYTES(sent), EVENT_DURATION(took),
                                             EVENT_RATE(rate_of(sent, took)),
                                             EVENT_U64(t->session.resent) } });
}

static void tell_failed(struct transfer *t, const char *why) {
        uint64_t sent = t->file ? tftp_session_acked_bytes(&t->session) : 0;

        files_event(
                t->door->files,
                &(struct event){ .kind = EVENT_FILE_FAILED,
                                 .address = t->client.address,
                                 .values = { EVENT_TEXT("tftp"), EVENT_TEXT(t->path),
                                             EVENT_BYTES(sent), EVENT_TEXT(why) } });
}

static void tell_ended_badly(struct transfer *t, enum tftp_end end) {
        struct text why = { 0 };

        if (end == TFTP_END_OURS) {
                text_add(&why, t->session.message);
        } else {
                text_add(&why, tftp_end_text(end));
                if (end == TFTP_END_ERROR && t->session.client_message[0]) {
                        text_add(&why, ": ");
                        text_add(&why, t->session.client_message);
                }
        }
        tell_failed(t, text_string(&why));
        text_done(&why);
}

static int read_fully(const struct vtree_file *file, uint64_t offset, uint8_t *out,
                      size_t n) {
        while (n > 0) {
                int64_t got = vtree_file_read(file, offset, out, n);

                if (got <= 0)
                        return got < 0 ? (int)got : -ESTALE;
                offset += (uint64_t)got;
                out += got;
                n -= (size_t)got;
        }
        /* The same sizes and times before and after: what was read is of one file. */
        return file->content || vtree_file_is_unchanged(file) ? 0 : -ESTALE;
}

static bool is_in_chunk(const struct transfer *t, uint64_t offset, size_t n) {
        return t->chunk && offset >= t->chunk_at &&
               offset + n <= t->chunk_at + t->n_chunk;
}

/* Reads n bytes into the transfer's own memory. */
static int fill_chunk(struct transfer *t, uint64_t offset, size_t n) {
        int r;

        if (n > t->chunk_room) {
                uint8_t *grown = realloc(t->chunk, n);

                if (!grown)
                        return -ENOMEM;
                t->chunk = grown;
                t->chunk_room = n;
        }
        t->n_chunk = 0;
        r = read_fully(t->file, offset, t->chunk, n);
        if (r < 0)
                return r;
        t->chunk_at = offset;
        t->n_chunk = n;
        return 0;
}

/* Where `n` bytes of the file are, until the next call. Blocks that leave one by one
 * are read some at a time. */
static int bytes_at(struct transfer *t, uint64_t offset, size_t n,
                    const uint8_t **ret) {
        int r;

        if (!is_in_chunk(t, offset, n) && n <= CHUNK / 4) {
                r = fill_chunk(t, offset,
                               (size_t)min_u64(CHUNK, t->file->size - offset));
                if (r < 0 && r != -ENOMEM)
                        return r;
        }
        if (is_in_chunk(t, offset, n)) {
                *ret = t->chunk + (offset - t->chunk_at);
                return 0;
        }
        r = read_fully(t->file, offset, t->door->read, n);
        *ret = t->door->read;
        return r;
}

/* While the client takes a window, the next one is read. What fails here will fail
 * again when it is wanted. */
static void read_on(struct transfer *t) {
        const struct tftp_session *s = &t->session;
        uint64_t offset = s->sent * s->blksize;
        size_t n = (size_t)min_u64((uint64_t)s->windowsize * s->blksize, BUFFER);

        if (s->windowsize == 1 || t->door->n_transfers > READ_ON_MAX ||
            offset >= s->size)
                return;
        n = (size_t)min_u64(n, s->size - offset);
        if (!is_in_chunk(t, offset, n))
                (void)fill_chunk(t, offset, n);
}

/* Lays `count` blocks with their heads into door->packets; their size in *ret_n. */
static int lay_out(struct transfer *t, const struct tftp_action *a, uint32_t count,
                   size_t *ret_n) {
        size_t blksize = t->session.blksize;
        size_t n = (size_t)min_u64(a->length, (uint64_t)count * blksize);
        uint8_t *out = t->door->packets;
        const uint8_t *data;
        int r = bytes_at(t, a->offset, n, &data);

        if (r < 0)
                return r;
        for (uint32_t i = 0; i < count; i++) {
                size_t length = min_size(blksize, n - i * blksize);

                tftp_build_data_head(out, (uint16_t)(a->first + i));
                memcpy(out + TFTP_HEAD, data + i * blksize, length);
                out += TFTP_HEAD + length;
        }
        *ret_n = (size_t)(out - t->door->packets);
        return 0;
}

/* Whether the session can go on; false when the socket is full. */
static bool sent(struct transfer *t, int r, uint32_t count, nsec_t now) {
        if (r == -EAGAIN)
                return false;
        if (r == -ECONNREFUSED)
                tftp_session_unreachable(&t->session);
        else
                /* Whatever else the machine said, the datagrams are lost like any
                 * others: the session sends again, later, and a bounded number. */
                tftp_session_sent(&t->session, r > 0 ? (uint32_t)r : count, now);
        return true;
}

static int send_datagrams(struct transfer *t, const void *data, size_t n,
                          size_t segment) {
        const struct udp_route route = { t->client, t->local, t->ifindex };

        if (!t->is_shared)
                return udp_send_segments(t->fd, NULL, data, n, segment);
        if (t->listen_fd < 0)
                return -ENOTCONN;
        return udp_send_segments(t->listen_fd, &route, data, n, segment);
}

static bool send_blocks(struct transfer *t, const struct tftp_action *a, nsec_t now) {
        size_t segment = t->session.blksize + TFTP_HEAD, n;
        uint32_t piece = t->door->n_transfers > MANY ? PIECE_AMONG_MANY : PIECE_ALONE;
        uint32_t count = (uint32_t)min_u64(min_u64(a->count, piece), BUFFER / segment);
        int r = lay_out(t, a, count, &n);

        if (r < 0) {
                tftp_session_fail(&t->session, TFTP_ERROR_UNDEFINED,
                                  r == -ESTALE
                                          ? "the file was replaced while it was read"
                                          : "the file could not be read");
                return true;
        }
        return sent(t, send_datagrams(t, t->door->packets, n, segment), count, now);
}

static bool send_oack(struct transfer *t, nsec_t now) {
        uint8_t bytes[TFTP_OACK_MAX];
        size_t n = tftp_session_oack(&t->session, bytes);

        return sent(t, send_datagrams(t, bytes, n, n), 1, now);
}

static void send_last_words(struct transfer *t, const struct tftp_action *a,
                            nsec_t now) {
        uint8_t bytes[TFTP_BLKSIZE_DEFAULT];
        size_t n = tftp_build_error(bytes, sizeof(bytes), a->error, a->message);
        int ignored = send_datagrams(t, bytes, n, n);

        (void)ignored;
        tftp_session_sent(&t->session, 1, now);
}

/* Deadlines move with every packet. A timer that rings too early costs less than one
 * that is moved each time. */
static void arm(struct transfer *t, nsec_t deadline) {
        if (deadline >= t->armed)
                return;
        t->armed = deadline;
        loop_timer_set(t->timer, deadline);
}

static void watch(struct transfer *t, unsigned wanted) {
        if (t->watch)
                loop_watch_set(t->watch, wanted);
}

/* A client on a wire without a length answers before we could fall asleep and wake up
 * again: then sleeping is most of what a window takes. With more than a few clients
 * there is always something to do. */
static void stay_awake(const struct transfer *t, nsec_t now) {
        nsec_t round_trip = t->session.round_trip;

        if (t->door->n_transfers <= AWAKE_MAX && round_trip > 0 &&
            round_trip < near_enough)
                loop_stay_awake(files_loop(t->door->files), now + 2 * round_trip);
}

/* Carries out actions until the session waits; frees the transfer at its end. */
static void run(struct transfer *t) {
        bool is_full = false, has_sent = false;

        while (!is_full) {
                struct tftp_action a = tftp_session_next(&t->session);
                nsec_t now = loop_now();

                switch (a.kind) {
                case TFTP_WAIT:
                        arm(t, a.deadline);
                        watch(t, LOOP_READABLE);
                        if (has_sent) {
                                read_on(t);
                                stay_awake(t, now);
                        }
                        return;
                case TFTP_SEND:
                        announce(t);
                        is_full = !send_blocks(t, &a, now);
                        has_sent = true;
                        break;
                case TFTP_SEND_OACK:
                        is_full = !send_oack(t, now);
                        break;
                case TFTP_SEND_ERROR:
                        send_last_words(t, &a, now);
                        break;
                case TFTP_DONE:
                        tell_done(t, now);
                        transfer_free(t);
                        return;
                case TFTP_FAILED:
                        tell_ended_badly(t, a.end);
                        transfer_free(t);
                        return;
                }
        }
        /* Nobody tells when the shared socket has room again. */
        arm(t, t->is_shared ? loop_now() + full_pause : t->session.deadline);
        watch(t, LOOP_READABLE | LOOP_WRITABLE);
}

static void take_packet(struct transfer *t) {
        uint8_t packet[TFTP_BLKSIZE_DEFAULT];
        int n = udp_recv_one(t->fd, packet, sizeof(packet));
        nsec_t now = loop_now();

        if (n > 0) {
                tftp_session_recv(&t->session, packet, (size_t)n, now);
                tell_progress(t, now);
        } else if (n == -ECONNREFUSED) {
                tftp_session_unreachable(&t->session);
        }
}

static void on_ready(int fd, unsigned ready, void *userdata) {
        struct transfer *t = userdata;

        if (ready & LOOP_READABLE)
                take_packet(t);
        /* Answers wait until all have been read: a client that sleeps is woken by the
         * first one, and busy until the last. */
        list_remove(&t->in_ready);
        list_append(&t->door->ready, &t->in_ready);
}

static void on_after(void *userdata) {
        struct files_tftp *door = userdata;

        while (!list_is_empty(&door->ready)) {
                struct transfer *t =
                        CONTAINER_OF(door->ready.next, struct transfer, in_ready);

                list_remove(&t->in_ready);
                run(t);
        }
        /* What has just ended is out of the way of what begins. */
        for (size_t i = 0; i < door->n_listeners; i++) {
                struct listener *listener = door->listeners[i];

                if (listener->is_ready)
                        read_requests(listener);
                listener->is_ready = false;
        }
}

static void on_timer(void *userdata) {
        struct transfer *t = userdata;

        t->armed = NSEC_NEVER;
        tftp_session_tick(&t->session, loop_now());
        run(t);
}

static int open_socket(struct transfer *t) {
        struct loop *loop = files_loop(t->door->files);
        const struct conf *conf = files_conf(t->door->files);
        struct udp_ports ports = { conf->tftp.port_range.first,
                                   conf->tftp.port_range.last };
        int r = 0;

        t->is_shared = conf->tftp.single_port;
        if (!t->is_shared)
                r = udp_connect(t->local, ports, t->client, &t->fd);
        if (r == 0 && !t->is_shared)
                r = loop_watch_new(loop, t->fd, LOOP_READABLE, on_ready, t, &t->watch);
        if (r == 0)
                r = loop_timer_new(loop, on_timer, t, &t->timer);
        return r;
}

static void refuse_transfer(struct transfer *t, enum tftp_error error,
                            const char *message) {
        send_error(t->listen_fd, &t->client, t->local, t->ifindex, error, message);
        tell_refused(t->door, t->client.address, t->path, message, NULL);
        transfer_free(t);
}

static int path_mtu(const struct transfer *t) {
        int fd, mtu;

        if (!t->is_shared)
                return udp_path_mtu(t->fd);
        if (udp_connect(t->local, (struct udp_ports){ 0 }, t->client, &fd) < 0)
                return -ENOTCONN;
        mtu = udp_path_mtu(fd);
        close(fd);
        return mtu;
}

/* A datagram above the path's MTU travels in fragments: some boot ROMs cannot join
 * them, switches and firewalls drop them, and the loss of one costs the whole block. */
static uint16_t blksize_of(const struct transfer *t) {
        int mtu = path_mtu(t);
        uint64_t most = mtu > HEADS ? (uint64_t)(mtu - HEADS) : TFTP_BLKSIZE_ETHERNET;

        return (uint16_t)min_u64(min_u64(most, TFTP_BLKSIZE_MAX),
                                 files_conf(t->door->files)->tftp.max_blksize);
}

/* `file` as netascii, into `fd`. */
static int write_netascii(struct files_tftp *door, const struct vtree_file *file,
                          int fd) {
        for (uint64_t at = 0; at < file->size;) {
                int64_t n = vtree_file_read(file, at, door->read, BUFFER / 2);
                size_t n_out;

                if (n <= 0)
                        return n < 0 ? (int)n : -ESTALE;
                n_out = tftp_to_netascii(door->read, (size_t)n, door->packets);
                if (write(fd, door->packets, n_out) != (ssize_t)n_out)
                        return -ENOMEM;
                at += (uint64_t)n;
        }
        return file->content || vtree_file_is_unchanged(file) ? 0 : -ESTALE;
}

static int make_netascii(struct transfer *t) {
        struct vtree_file *made;
        int fd = memfd_create("bootjack-netascii", MFD_CLOEXEC), r;

        if (fd < 0)
                return -errno;
        r = write_netascii(t->door, t->file, fd);
        if (r < 0) {
                close(fd);
                return r;
        }
        r = vtree_file_from_fd(fd, t->path, &made);
        if (r != VTREE_OK)
                return -ENOMEM;
        vtree_file_unref(t->file);
        t->file = made;
        return 0;
}

/* Takes the file over. */
static void start(struct transfer *t, struct vtree_file *file) {
        struct tftp_limits limits = {
                .windowsize = TFTP_WINDOWSIZE_SERVED,
                .window_bytes = TFTP_WINDOW_BYTES_SERVED,
        };
        nsec_t now = loop_now();

        t->file = file;
        if (file->is_folder) {
                refuse_transfer(t, TFTP_ERROR_ACCESS, "This is a folder");
                return;
        }
        if (t->is_text && file->size > NETASCII_MAX) {
                refuse_transfer(t, TFTP_ERROR_UNDEFINED,
                                "Too large for netascii; ask for it in binary mode "
                                "(octet)");
                return;
        }
        if (t->is_text && make_netascii(t) < 0) {
                refuse_transfer(t, TFTP_ERROR_UNDEFINED, "The file could not be read");
                return;
        }
        if (open_socket(t) < 0) {
                refuse_transfer(t, TFTP_ERROR_UNDEFINED,
                                "The server has no socket left");
                return;
        }
        limits.blksize = blksize_of(t);
        t->progress_told = now;
        tftp_session_init(&t->session, &t->asked, t->file->size, &limits, now);
        run(t);
}

static void refuse_missing(struct files_tftp *door, int fd,
                           const struct udp_endpoint *to, ip4_t from, int ifindex,
                           const char *path) {
        char nearest[PATH_MAX_BYTES];
        /* A name that is made on demand, but not for this client, is near itself. */
        bool has_nearest = vtree_nearest(files_tree(door->files), path, nearest) &&
                           strcmp(nearest, path) != 0;
        struct text message = { 0 };

        text_add(&message, "File not found: ");
        text_add(&message, path);
        if (has_nearest) {
                text_add(&message, " (nearest: ");
                text_add(&message, nearest);
                text_char(&message, ')');
        }
        send_error(fd, to, from, ifindex, TFTP_ERROR_NOT_FOUND, text_string(&message));
        if (is_probe(path))
                tell_dropped(door, to->address, 0, text_string(&message), loop_now());
        else
                tell_refused(door, to->address, path, "not found",
                             has_nearest ? nearest : NULL);
        text_done(&message);
}

static void on_generated(int answer, struct vtree_file *file, void *userdata) {
        struct transfer *t = userdata;

        t->ticket = -1;
        if (answer == VTREE_OK) {
                start(t, file);
        } else if (answer == VTREE_NOT_FOUND) {
                refuse_missing(t->door, t->listen_fd, &t->client, t->local, t->ifindex,
                               t->path);
                transfer_free(t);
        } else {
                refuse_transfer(t, TFTP_ERROR_UNDEFINED,
                                "The server did not make this file in time");
        }
}

static void generate(struct transfer *t) {
        t->ticket = files_generate(t->door->files, t->path, t->client.address, t->local,
                                   on_generated, t);
        if (t->ticket < 0) {
                t->ticket = -1;
                refuse_transfer(t, TFTP_ERROR_UNDEFINED,
                                "The server cannot make this file now");
        }
}

static void refuse_request(const struct request *r, enum tftp_error error,
                           const char *path, const char *why) {
        struct text message = { 0 };

        text_add(&message, "Refused: ");
        text_add(&message, why);
        answer_error(r, error, text_string(&message));
        tell_refused(r->listener->door, r->datagram->from.address, path, why, NULL);
        text_done(&message);
}

static void serve(const struct request *r, const struct tftp_packet *p,
                  const char *path) {
        struct files_tftp *door = r->listener->door;
        struct vtree *tree = files_tree(door->files);
        struct vtree_file *file = NULL;
        const char *asked_path = path;
        char other[PATH_MAX_BYTES];
        struct transfer *t;
        int found = vtree_open(tree, path, &file);

        /* Loaders made for file systems without case ask in theirs. */
        if (found == VTREE_NOT_FOUND && vtree_find_any_case(tree, path, other)) {
                path = other;
                found = vtree_open(tree, path, &file);
        }
        if (found == VTREE_NOT_FOUND) {
                refuse_missing(door, r->listener->fd, &r->datagram->from,
                               r->datagram->local, r->datagram->ifindex, path);
        } else if (found == VTREE_REFUSED) {
                refuse_request(r, TFTP_ERROR_ACCESS, path,
                               "it leads out of the tree, or is no file");
        } else if (found == VTREE_UNREADABLE) {
                refuse_request(r, TFTP_ERROR_ACCESS, path,
                               "the server may not read it");
        } else if (found < 0 || transfer_new(r, p, asked_path, path, &t) < 0) {
                vtree_file_unref(file);
                refuse_request(r, TFTP_ERROR_UNDEFINED, path,
                               "the server is out of memory or descriptors");
        } else if (found == VTREE_GENERATED) {
                generate(t);
        } else {
                start(t, file);
        }
}

static bool options_are_equal(const struct tftp_options *a,
                              const struct tftp_options *b) {
        return a->blksize == b->blksize && a->windowsize == b->windowsize &&
               a->timeout == b->timeout && a->has_tsize == b->has_tsize;
}

/* The last acknowledgement may wait in the transfer's own socket while the next request
 * of that client is read from the common one. Frees the transfer when it has ended. */
static bool has_ended(struct transfer *t) {
        enum tftp_action_kind kind;

        if (t->fd < 0)
                return false;
        take_packet(t);
        kind = tftp_session_next(&t->session).kind;
        if (kind != TFTP_DONE && kind != TFTP_FAILED)
                return false;
        run(t);
        return true;
}

/*
 * A client that heard nothing asks again from the same port: the transfer that runs
 * will answer it, a second one would only confuse it. But ROMs use few ports, and a
 * machine that was switched off and on may ask for something else from the same one:
 * then the old transfer is nobody's.
 */
static bool is_asked_again(const struct request *r, const struct tftp_packet *p,
                           const char *path) {
        LIST_FOR_EACH(pos, &r->source->held) {
                struct transfer *t = CONTAINER_OF(pos, struct transfer, in_source);

                if (t->client.port != r->datagram->from.port)
                        continue;
                if (has_ended(t))
                        return false;
                if (strcmp(t->asked_path, path) == 0 &&
                    options_are_equal(&t->asked, &p->options))
                        return true;
                tell_failed(t, "the client asked for something else meanwhile");
                transfer_free(t);
                return false;
        }
        return false;
}

/* The oldest transfer whose client has not answered yet: forged, or dead, or slower
 * than those who wait behind it. */
static bool make_room(struct files_tftp *door) {
        LIST_FOR_EACH(pos, &door->transfers) {
                struct transfer *t = CONTAINER_OF(pos, struct transfer, in_door);

                if (t->session.is_heard)
                        continue;
                tell_dropped(door, t->client.address, 0,
                             "its client never answered, and others wait", loop_now());
                transfer_free(t);
                return true;
        }
        return false;
}

static bool is_within_limits(const struct request *r) {
        struct files_tftp *door = r->listener->door;
        uint32_t most = files_conf(door->files)->tftp.per_source;
        ip4_t client = r->datagram->from.address;
        const char *why;

        if (most && r->source->n_held >= most)
                why = "too many transfers for one address (tftp.per-source)";
        else if (door->n_transfers >= TRANSFERS_MAX && !make_room(door))
                why = "too many transfers are running";
        else
                return true;
        /* No answer: the client asks again, and by then one may have ended. */
        if (files_source_should_tell(r->source, r->now))
                tell_refused(door, client, "", why, NULL);
        return false;
}

static void on_read_request(const struct request *r, const struct tftp_packet *p) {
        struct files_tftp *door = r->listener->door;
        char path[PATH_MAX_BYTES];
        enum path_verdict verdict =
                path_clean((const char *)p->file.data, p->file.n, path);
        struct text asked = { 0 };

        if (verdict == PATH_OK) {
                if (is_asked_again(r, p, path))
                        tell_dropped(door, r->datagram->from.address, r->datagram->n,
                                     "a request came again", r->now);
                else if (is_within_limits(r))
                        serve(r, p, path);
                return;
        }
        text_printable(&asked, (const char *)p->file.data, p->file.n);
        refuse_request(r, TFTP_ERROR_ACCESS, text_string(&asked),
                       path_verdict_text(verdict));
        text_done(&asked);
}

static void on_packet(const struct request *r, const struct tftp_packet *p) {
        ip4_t client = r->datagram->from.address;
        struct files_tftp *door = r->listener->door;

        switch (p->opcode) {
        case TFTP_OP_RRQ:
                if (p->mode == TFTP_MODE_MAIL)
                        refuse_request(r, TFTP_ERROR_ILLEGAL, "",
                                       "mail mode is not served here");
                else
                        on_read_request(r, p);
                break;
        case TFTP_OP_WRQ:
                refuse_request(r, TFTP_ERROR_ACCESS, "",
                               "nothing can be written here, only read");
                break;
        case TFTP_OP_ERROR: /* never an ERROR for an ERROR: they would go on for ever */
                tell_dropped(door, client, r->datagram->n, "an ERROR for no transfer",
                             r->now);
                break;
        default: /* RFC 1350 4: a packet of a transfer that does not exist */
                answer_error(r, TFTP_ERROR_UNKNOWN_TID, "Unknown transfer ID");
                tell_dropped(door, client, r->datagram->n,
                             "a packet of no transfer of ours", r->now);
        }
}

/* With tftp.single-port: a packet of a transfer that runs. */
static bool is_of_a_transfer(const struct request *r, const struct tftp_packet *p) {
        if (!r->source || (p->opcode != TFTP_OP_ACK && p->opcode != TFTP_OP_ERROR))
                return false;
        LIST_FOR_EACH(pos, &r->source->held) {
                struct transfer *t = CONTAINER_OF(pos, struct transfer, in_source);

                if (!t->is_shared || t->client.port != r->datagram->from.port)
                        continue;
                tftp_session_recv(&t->session, r->datagram->data, r->datagram->n,
                                  r->now);
                tell_progress(t, r->now);
                run(t);
                return true;
        }
        return false;
}

static void on_datagram(struct listener *listener, const struct udp_received *datagram,
                        nsec_t now) {
        struct files_tftp *door = listener->door;
        struct request r = { .listener = listener,
                             .datagram = datagram,
                             .source = files_source_get(&door->sources,
                                                        datagram->from.address, now),
                             .now = now };
        struct tftp_packet p;
        enum tftp_verdict verdict = tftp_parse(datagram->data, datagram->n, &p);
        const char *why = tftp_verdict_text(verdict);

        if (verdict == TFTP_OK) {
                if (is_of_a_transfer(&r, &p))
                        return;
                if (r.source &&
                    files_source_admits(r.source, files_conf(door->files)->tftp.rate,
                                        now)) {
                        on_packet(&r, &p);
                        return;
                }
                why = "too many requests from one address (tftp.rate)";
        }
        tell_dropped(door, datagram->from.address, datagram->n, why, now);
}

static void on_listener(int fd, unsigned ready, void *userdata) {
        struct listener *listener = userdata;

        listener->is_ready = true;
}

static void read_requests(struct listener *listener) {
        nsec_t now = loop_now();

        for (int k = 0; k < BATCHES_AT_ONCE; k++) {
                const struct udp_received *datagrams;
                int n = udp_recv(listener->fd, listener->door->batch, &datagrams);

                for (int i = 0; i < n; i++)
                        on_datagram(listener, &datagrams[i], now);
                if (n < UDP_BATCH)
                        return;
        }
}

static void listener_free(struct listener *listener) {
        loop_watch_free(listener->watch);
        close(listener->fd);
        free(listener);
}

int files_tftp_new(struct files *files, struct files_tftp **ret) {
        struct files_tftp *door = calloc(1, sizeof(*door));
        int r;

        if (!door)
                return -ENOMEM;
        r = udp_batch_new(REQUEST_MAX, &door->batch);
        if (r == 0)
                r = loop_after_new(files_loop(files), on_after, door, &door->after);
        if (r < 0) {
                udp_batch_free(door->batch);
                free(door);
                return r;
        }
        door->files = files;
        list_init(&door->transfers);
        list_init(&door->ready);
        files_sources_init(&door->sources);
        *ret = door;
        return 0;
}

struct files_tftp *files_tftp_free(struct files_tftp *door) {
        if (!door)
                return NULL;
        LIST_FOR_EACH(pos, &door->transfers)
        transfer_free(CONTAINER_OF(pos, struct transfer, in_door));
        while (door->n_listeners > 0)
                listener_free(door->listeners[--door->n_listeners]);
        files_sources_done(&door->sources);
        loop_after_free(door->after);
        udp_batch_free(door->batch);
        free(door);
        return NULL;
}

int files_tftp_listen(struct files_tftp *door, int fd) {
        struct listener *listener;
        int r;

        if (door->n_listeners == LISTEN_MAX)
                return -ENOSPC;
        listener = calloc(1, sizeof(*listener));
        if (!listener)
                return -ENOMEM;
        *listener = (struct listener){ .door = door, .fd = fd };
        r = loop_watch_new(files_loop(door->files), fd, LOOP_READABLE, on_listener,
                           listener, &listener->watch);
        if (r < 0) {
                free(listener);
                return r;
        }
        door->listeners[door->n_listeners++] = listener;
        return 0;
}

void files_tftp_unlisten(struct files_tftp *door, struct udp_endpoint at) {
        for (size_t i = 0; i < door->n_listeners; i++) {
                struct listener *listener = door->listeners[i];

                if (!udp_is_bound(listener->fd, at))
                        continue;
                LIST_FOR_EACH(pos, &door->transfers) {
                        struct transfer *t =
                                CONTAINER_OF(pos, struct transfer, in_door);

                        if (t->listen_fd == listener->fd)
                                t->listen_fd = -1; /* no refusal goes out any more */
                }
                listener_free(listener);
                door->listeners[i--] = door->listeners[--door->n_listeners];
        }
}
