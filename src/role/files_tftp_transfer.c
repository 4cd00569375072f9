/*
 * A transfer of the TFTP door: a socket of its own, connected to the client from the
 * address it asked, so that the kernel sorts the packets and tells when the client's
 * port has closed. What happens in it is decided by proto/tftp_session; here is what
 * touches the machine: sockets, files, time, events. Data leaves a window at a time,
 * cut into datagrams by the kernel where it can.
 *
 * What is asked for as netascii is made into it before the transfer begins, in memory:
 * its size has to be known. That is for texts, or for clients whose default it is, who
 * turn it back; beyond some MiB they are told to ask for octets.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "role/files_tftp.h"

enum {
        CHUNK = 16 * 1024, /* read at once for blocks that leave one by one */
        /* Blocks of a window that leave at once. Small pieces let the client work while
         * the next is made; large ones cost least when others wait anyway. */
        PIECE_ALONE = 4,
        PIECE_AMONG_MANY = 16,
        MANY = 8,
        /* IPv4 or IPv6, UDP and TFTP before the bytes of a file. */
        HEADS = 20 + 8 + TFTP_HEAD,
        HEADS_SIX = 40 + 8 + TFTP_HEAD,
        AWAKE_MAX = 2, /* transfers */
        PACKETS_AT_ONCE = 64,
        READ_ON_MAX = 128, /* transfers: beyond, what is read ahead costs memory */
        PROGRESS_FROM = 1 << 20,
        NETASCII_MAX = 16 << 20,
};

static const nsec_t progress_every = 250 * NSEC_PER_MSEC;
static const nsec_t full_pause = NSEC_PER_MSEC;
static const nsec_t disk_patience = 60 * NSEC_PER_SEC;
static const nsec_t near_enough = 80 * NSEC_PER_USEC;
static const nsec_t near_enough_in_windows = 150 * NSEC_PER_USEC;
static const char cannot_read[] = "the file could not be read";

static void begin(struct transfer *t, int answer);
static void on_disk(int answer, void *userdata);

static uint64_t rate_of(uint64_t bytes, nsec_t took) {
        uint64_t usec = max_u64(took / NSEC_PER_USEC, 1);

        return bytes > UINT64_MAX / 1000000 ? bytes / usec * 1000000
                                            : bytes * 1000000 / usec;
}

struct transfer *tftp_transfer_free(struct transfer *t) {
        if (!t)
                return NULL;
        if (t->ticket >= 0)
                files_generate_cancel(t->door->files, t->ticket);
        files_wait_cancel(&t->disk);
        loop_timer_free(t->timer);
        if (t->watch)
                loop_watch_close(t->watch);
        else if (t->fd >= 0)
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

int tftp_transfer_new(struct files_tftp *door, const struct request *r,
                      const struct tftp_packet *p, const char *asked_path,
                      const char *path, struct transfer **ret) {
        struct transfer *t = calloc(1, sizeof(*t));

        if (!t)
                return -ENOMEM;
        *t = (struct transfer){ .door = door,
                                .source = r->source,
                                .route = r->back,
                                .listen_fd = r->fd,
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
        files_wait_init(&t->disk, on_disk, t);
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
                                 .address = t->route.to.address,
                                 .address6 = t->route.to.address6,
                                 .values = { EVENT_TEXT("tftp"), EVENT_TEXT(t->path),
                                             EVENT_BYTES(t->file->size),
                                             EVENT_TEXT(text_string(&detail)) } });
        text_done(&detail);
}

void tftp_transfer_tell_progress(struct transfer *t, nsec_t now) {
        uint64_t sent = tftp_session_acked_bytes(&t->session);

        if (t->file->size < PROGRESS_FROM || now - t->progress_told < progress_every)
                return;
        t->progress_told = now;
        files_event(
                t->door->files,
                &(struct event){
                        .kind = EVENT_FILE_PROGRESS,
                        .address = t->route.to.address,
                        .address6 = t->route.to.address6,
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
                                 .address = t->route.to.address,
                                 .address6 = t->route.to.address6,
                                 .values = { EVENT_TEXT("tftp"), EVENT_TEXT(t->path),
                                             EVENT_BYTES(sent), EVENT_DURATION(took),
                                             EVENT_RATE(rate_of(sent, took)),
                                             EVENT_U64(t->session.resent) } });
}

void tftp_transfer_tell_failed(struct transfer *t, const char *why) {
        uint64_t sent = t->file ? tftp_session_acked_bytes(&t->session) : 0;

        files_event(
                t->door->files,
                &(struct event){ .kind = EVENT_FILE_FAILED,
                                 .address = t->route.to.address,
                                 .address6 = t->route.to.address6,
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
        tftp_transfer_tell_failed(t, text_string(&why));
        text_done(&why);
}

/* -EAGAIN: the disk has to be waited for. */
static int read_fully(struct transfer *t, uint64_t offset, uint8_t *out, size_t n,
                      bool is_wanted) {
        int64_t got = files_disk_read(files_disk(t->door->files), t->file, offset, out,
                                      n, is_wanted ? &t->disk : NULL);

        if (got != (int64_t)n)
                return got < 0 ? (int)got : -ESTALE;
        /* The same sizes and times before and after: what was read is of one file. */
        return t->file->content || vtree_file_is_unchanged(t->file) ? 0 : -ESTALE;
}

static bool is_in_chunk(const struct transfer *t, uint64_t offset, size_t n) {
        return t->chunk && offset >= t->chunk_from &&
               offset + n <= t->chunk_at + t->n_chunk;
}

/* Reads n bytes into the transfer's own memory. */
static int fill_chunk(struct transfer *t, uint64_t offset, size_t n, bool is_wanted) {
        int r;

        if (n > t->chunk_room) {
                uint8_t *grown = realloc(t->chunk, TFTP_HEAD + n);

                if (!grown)
                        return -ENOMEM;
                t->chunk = grown;
                t->chunk_room = n;
        }
        t->n_chunk = 0;
        r = read_fully(t, offset, t->chunk + TFTP_HEAD, n, is_wanted);
        if (r < 0)
                return r;
        t->chunk_at = t->chunk_from = offset;
        t->n_chunk = n;
        return 0;
}

static uint8_t *in_chunk(struct transfer *t, uint64_t offset) {
        return t->chunk + TFTP_HEAD + (offset - t->chunk_at);
}

/* Blocks that leave one by one are read some at a time. */
static int read_some(struct transfer *t, uint64_t offset, size_t n) {
        int r;

        if (is_in_chunk(t, offset, n) || n > CHUNK / 4)
                return 0;
        r = fill_chunk(t, offset, (size_t)min_u64(CHUNK, t->file->size - offset), true);
        return r == -ENOMEM ? 0 : r;
}

/* Where `n` bytes of the file are, until the next call. */
static int bytes_at(struct transfer *t, uint64_t offset, size_t n,
                    const uint8_t **ret) {
        int r;

        if (is_in_chunk(t, offset, n)) {
                *ret = in_chunk(t, offset);
                return 0;
        }
        r = read_fully(t, offset, t->door->read, n, true);
        *ret = t->door->read;
        return r;
}

/* While the client takes a window, the next one is read. What fails here will fail
 * again when it is wanted. */
static void read_on(struct transfer *t) {
        const struct tftp_session *s = &t->session;
        uint64_t offset = s->sent * s->blksize;
        size_t n = (size_t)min_u64((uint64_t)s->windowsize * s->blksize, TFTP_BUFFER);

        if (s->windowsize == 1 || t->door->n_transfers > READ_ON_MAX ||
            offset >= s->size)
                return;
        n = (size_t)min_u64(n, s->size - offset);
        if (!is_in_chunk(t, offset, n))
                (void)fill_chunk(t, offset, n, false);
}

/* In lockstep what lies before a block was acknowledged before it leaves, so its head
 * takes that place, and nothing is copied. */
static const uint8_t *lay_in_place(struct transfer *t, const struct tftp_action *a) {
        uint8_t *head = in_chunk(t, a->offset) - TFTP_HEAD;

        tftp_build_data_head(head, (uint16_t)a->first);
        t->chunk_from = a->offset;
        return head;
}

static int copy_blocks(struct transfer *t, const struct tftp_action *a, uint32_t count,
                       size_t n) {
        size_t blksize = t->session.blksize;
        uint8_t *out = t->door->packets;
        const uint8_t *data;
        int r = bytes_at(t, a->offset, n, &data);

        for (uint32_t i = 0; r == 0 && i < count; i++) {
                size_t length = min_size(blksize, n - i * blksize);

                tftp_build_data_head(out, (uint16_t)(a->first + i));
                memcpy(out + TFTP_HEAD, data + i * blksize, length);
                out += TFTP_HEAD + length;
        }
        return r;
}

/* Lays `count` blocks with their heads; they are good until the next call. */
static int lay_out(struct transfer *t, const struct tftp_action *a, uint32_t count,
                   const uint8_t **ret, size_t *ret_n) {
        size_t n = (size_t)min_u64(a->length, (uint64_t)count * t->session.blksize);
        int r = read_some(t, a->offset, n);

        if (r < 0)
                return r;
        *ret_n = count * TFTP_HEAD + n;
        if (t->session.windowsize == 1 && is_in_chunk(t, a->offset, n)) {
                *ret = lay_in_place(t, a);
                return 0;
        }
        *ret = t->door->packets;
        return copy_blocks(t, a, count, n);
}

/* A client in lockstep says nothing before it has got what has just left: its socket
 * need not be read until it wakes us. */
static void expect_silence(struct transfer *t) {
        if (t->watch && t->read_enough == loop_wake(files_loop(t->door->files)))
                loop_watch_drained(t->watch, LOOP_READABLE);
}

/* Whether the session can go on; false when the socket is full. */
static bool sent(struct transfer *t, int r, uint32_t count, nsec_t now) {
        if (r == -EAGAIN) {
                if (t->watch)
                        loop_watch_drained(t->watch, LOOP_WRITABLE);
                return false;
        }
        if (r == -ECONNREFUSED)
                tftp_session_unreachable(&t->session);
        else
                /* Whatever else the machine said, the datagrams are lost like any
                 * others: the session sends again, later, and a bounded number. */
                tftp_session_sent(&t->session, r > 0 ? (uint32_t)r : count, now);
        expect_silence(t);
        return true;
}

static int send_datagrams(struct transfer *t, const void *data, size_t n,
                          size_t segment) {

        if (!t->is_shared)
                return udp_send_segments(t->fd, NULL, data, n, segment);
        if (t->listen_fd < 0)
                return -ENOTCONN;
        return udp_send_segments(t->listen_fd, &t->route, data, n, segment);
}

static bool send_blocks(struct transfer *t, const struct tftp_action *a, nsec_t now) {
        size_t segment = t->session.blksize + TFTP_HEAD, n;
        uint32_t piece = t->door->n_transfers > MANY ? PIECE_AMONG_MANY : PIECE_ALONE;
        uint32_t count =
                (uint32_t)min_u64(min_u64(a->count, piece), TFTP_BUFFER / segment);
        const uint8_t *blocks;
        int r = lay_out(t, a, count, &blocks, &n);

        if (r == -EAGAIN) {
                t->disk_since = now;
                return false;
        }
        if (r < 0) {
                tftp_session_fail(&t->session, TFTP_ERROR_UNDEFINED,
                                  r == -ESTALE ? vtree_file_why_changed(t->file)
                                               : cannot_read);
                return true;
        }
        return sent(t, send_datagrams(t, blocks, n, segment), count, now);
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
 * there is always something to do. But a virtual machine of this host, which takes 80
 * us and more, may need the very processor that we would be awake on: U-Boot in QEMU
 * was twice as slow. The round trip of a window has its blocks in it. */
static void stay_awake(const struct transfer *t) {
        nsec_t round_trip = t->session.round_trip;
        nsec_t near = t->session.windowsize > 1 ? near_enough_in_windows : near_enough;

        if (t->door->n_transfers <= AWAKE_MAX && round_trip > 0 && round_trip < near)
                loop_stay_awake(files_loop(t->door->files),
                                loop_now() + 2 * round_trip);
}

/* What the client ends meanwhile needs no disk any more. */
static bool is_held_by_disk(struct transfer *t) {
        enum tftp_action_kind kind = tftp_session_next(&t->session).kind;

        if (!files_wait_is_waiting(&t->disk))
                return false;
        if (kind == TFTP_SEND || kind == TFTP_WAIT)
                return true;
        files_wait_cancel(&t->disk);
        return false;
}

/* Carries out actions until the session waits; frees the transfer at its end. */
void tftp_transfer_run(struct transfer *t) {
        bool is_full = false, has_sent = false;

        if (is_held_by_disk(t))
                return;
        while (!is_full) {
                struct tftp_action a = tftp_session_next(&t->session);
                nsec_t now = a.kind == TFTP_WAIT ? 0 : loop_now();

                switch (a.kind) {
                case TFTP_WAIT:
                        arm(t, a.deadline);
                        watch(t, LOOP_READABLE);
                        if (has_sent) {
                                read_on(t);
                                stay_awake(t);
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
                        tftp_transfer_free(t);
                        return;
                case TFTP_FAILED:
                        tell_ended_badly(t, a.end);
                        tftp_transfer_free(t);
                        return;
                }
        }
        if (files_wait_is_waiting(&t->disk)) {
                arm(t, t->disk_since + disk_patience);
                watch(t, LOOP_READABLE);
                return;
        }
        /* Nobody tells when the shared socket has room again. */
        arm(t, t->is_shared ? loop_now() + full_pause : t->session.deadline);
        watch(t, LOOP_READABLE | LOOP_WRITABLE);
}

enum taken { EMPTY, MORE, ENOUGH };

static enum taken take_packet(struct transfer *t) {
        uint8_t packet[TFTP_BLKSIZE_DEFAULT];
        uint64_t acked = t->session.acked;
        bool was_heard = t->session.is_heard;
        int n = udp_recv_one(t->fd, packet, sizeof(packet));
        nsec_t now;

        if (n == -EAGAIN)
                return EMPTY;
        if (n == -ECONNREFUSED)
                tftp_session_unreachable(&t->session);
        if (n <= 0) /* an error that was told once, or nobody's empty datagram */
                return MORE;
        now = loop_now();
        tftp_session_recv(&t->session, packet, (size_t)n, now);
        tftp_transfer_tell_progress(t, now);
        return t->session.windowsize > 1 || (t->session.acked == acked &&
                                             t->session.is_heard == was_heard)
                       ? MORE
                       : ENOUGH;
}

void tftp_transfer_take_packets(struct transfer *t) {
        enum taken taken = MORE;

        for (int i = 0; i < PACKETS_AT_ONCE && taken == MORE; i++)
                taken = take_packet(t);
        if (taken == EMPTY)
                loop_watch_drained(t->watch, LOOP_READABLE);
        /* In lockstep nothing is expected behind what was waited for, and it costs a
         * call to know. What comes behind it all the same (a copy, an ERROR) is found
         * when no block leaves now, at the next packet, or when the client is silent.
         */
        if (taken == ENOUGH)
                t->read_enough = loop_wake(files_loop(t->door->files));
}

static void on_ready(int fd, unsigned ready, void *userdata) {
        struct transfer *t = userdata;

        if (ready & LOOP_READABLE)
                tftp_transfer_take_packets(t);
        /* Answers wait until all have been read: a client that sleeps is woken by the
         * first one, and busy until the last. */
        list_remove(&t->in_ready);
        list_append(&t->door->ready, &t->in_ready);
}

/* What has come of the file is in memory now, or never will be. */
static void on_disk(int answer, void *userdata) {
        struct transfer *t = userdata;

        if (!t->timer) {
                begin(t, answer);
                return;
        }
        if (answer < 0)
                tftp_session_fail(&t->session, TFTP_ERROR_UNDEFINED, cannot_read);
        tftp_transfer_run(t);
}

/* It is not the client who is silent, and not for ever either. */
static void wait_on(struct transfer *t) {
        nsec_t patient_until = t->disk_since + disk_patience;

        if (loop_now() < patient_until) {
                arm(t, patient_until);
                return;
        }
        files_wait_cancel(&t->disk);
        tftp_session_fail(&t->session, TFTP_ERROR_UNDEFINED,
                          "the disk did not answer in time");
        tftp_transfer_run(t);
}

static void on_timer(void *userdata) {
        struct transfer *t = userdata;

        t->armed = NSEC_NEVER;
        if (files_wait_is_waiting(&t->disk)) {
                wait_on(t);
                return;
        }
        if (t->watch)
                tftp_transfer_take_packets(t);
        tftp_session_tick(&t->session, loop_now());
        tftp_transfer_run(t);
}

/* The address that the client asked, without a port. */
static struct udp_endpoint local_of(const struct transfer *t) {
        return (struct udp_endpoint){ .address = t->route.from,
                                      .address6 = t->route.from6,
                                      .scope = t->route.to.scope };
}

static int open_socket(struct transfer *t) {
        struct loop *loop = files_loop(t->door->files);
        const struct conf *conf = files_conf(t->door->files);
        struct udp_ports ports = { conf->tftp.port_range.first,
                                   conf->tftp.port_range.last };
        int r = 0;

        t->is_shared = conf->tftp.single_port;
        if (!t->is_shared)
                r = udp_connect(local_of(t), ports, t->route.to, &t->fd);
        if (r == 0 && !t->is_shared)
                r = loop_watch_new(loop, t->fd, LOOP_READABLE | LOOP_EDGE, on_ready, t,
                                   &t->watch);
        if (r == 0)
                r = loop_timer_new(loop, on_timer, t, &t->timer);
        return r;
}

void tftp_transfer_refuse(struct transfer *t, enum tftp_error error,
                          const char *message) {
        tftp_send_error(t->listen_fd, &t->route, error, message);
        tftp_tell_refused(t->door, &t->route.to, t->path, message, NULL);
        tftp_transfer_free(t);
}

static int path_mtu(const struct transfer *t) {
        int fd, mtu;

        if (!t->is_shared)
                return udp_path_mtu(t->fd);
        if (udp_connect(local_of(t), (struct udp_ports){ 0 }, t->route.to, &fd) < 0)
                return -ENOTCONN;
        mtu = udp_path_mtu(fd);
        close(fd);
        return mtu;
}

/* A datagram above the path's MTU travels in fragments: some boot ROMs cannot join
 * them, switches and firewalls drop them, and the loss of one costs the whole block. */
static uint16_t blksize_of(const struct transfer *t) {
        int mtu = path_mtu(t), heads = udp_is_six(&t->route.to) ? HEADS_SIX : HEADS;
        uint64_t most = mtu > heads ? (uint64_t)(mtu - heads)
                                    : (uint64_t)(TFTP_BLKSIZE_ETHERNET + HEADS - heads);

        return (uint16_t)min_u64(min_u64(most, TFTP_BLKSIZE_MAX),
                                 files_conf(t->door->files)->tftp.max_blksize);
}

/* `file` as netascii, into `fd`; -EAGAIN: the disk has to be waited for. */
static int write_netascii(struct transfer *t, int fd) {
        struct files_tftp *door = t->door;
        struct vtree_file *file = t->file;

        for (uint64_t at = 0; at < file->size;) {
                int64_t n = files_disk_read(
                        files_disk(door->files), file, at, door->read,
                        (size_t)min_u64(TFTP_BUFFER / 2, file->size - at), &t->disk);
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
        r = write_netascii(t, fd);
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

/* The file is there, and `answer` is what the disk said about it. */
static void begin(struct transfer *t, int answer) {
        struct tftp_limits limits = {
                .windowsize = TFTP_WINDOWSIZE_SERVED,
                .window_bytes = TFTP_WINDOW_BYTES_SERVED,
        };
        nsec_t now = loop_now();
        int r = answer < 0 || !t->is_text ? answer : make_netascii(t);

        /* It begins anew, with more of it in memory, when it is called again. */
        if (r == -EAGAIN)
                return;
        if (r < 0) {
                tftp_transfer_refuse(t, TFTP_ERROR_UNDEFINED,
                                     "The file could not be read");
                return;
        }
        if (open_socket(t) < 0) {
                tftp_transfer_refuse(t, TFTP_ERROR_UNDEFINED,
                                     "The server has no socket left");
                return;
        }
        limits.blksize = blksize_of(t);
        t->progress_told = now;
        tftp_session_init(&t->session, &t->asked, t->file->size, &limits, now);
        tftp_transfer_run(t);
}

/* Takes the file over. */
void tftp_transfer_start(struct transfer *t, struct vtree_file *file) {
        t->file = file;
        if (file->is_folder) {
                tftp_transfer_refuse(t, TFTP_ERROR_ACCESS, "This is a folder");
                return;
        }
        if (t->is_text && file->size > NETASCII_MAX) {
                tftp_transfer_refuse(
                        t, TFTP_ERROR_UNDEFINED,
                        "Too large for netascii; ask for it in binary mode "
                        "(octet)");
                return;
        }
        begin(t, 0);
}
