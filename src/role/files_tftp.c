/*
 * The TFTP door: requests come to the listening sockets, and become transfers
 * (files_tftp_transfer.c) or refusals. Here are the limits for strangers, who may have
 * forged their address: what one address has at a time and a second, what all have
 * together, and what is told about it.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/loader.h"
#include "role/files_tftp.h"

enum {
        TRANSFERS_MAX = 2048, /* a worker's; each is a socket and a file */
        REQUEST_MAX = 2048,   /* RFC 2347 says 512; longer ones are cut and refused */
        BATCHES_AT_ONCE = 8,
        DROPS_TOLD_A_SECOND = 10,
};

struct listener {
        struct files_tftp *door;
        int fd;
        bool is_ready; /* at this wake */
        struct loop_watch *watch;
};

static void read_requests(struct listener *listener);

static void tell_dropped(struct files_tftp *door, const struct udp_endpoint *client,
                         uint64_t n, const char *why, nsec_t now) {
        if (now - door->drops_since >= NSEC_PER_SEC) {
                door->drops_since = now;
                door->n_drops = 0;
        }
        if (door->n_drops++ >= DROPS_TOLD_A_SECOND)
                return;
        files_event(door->files,
                    &(struct event){ .kind = EVENT_FILE_DROPPED,
                                     .address = client->address,
                                     .address6 = client->address6,
                                     .values = { EVENT_TEXT("tftp"), EVENT_BYTES(n),
                                                 EVENT_TEXT(why) } });
}

void tftp_send_error(int fd, const struct udp_route *route, enum tftp_error error,
                     const char *message) {
        uint8_t bytes[TFTP_BLKSIZE_DEFAULT];
        size_t n = tftp_build_error(bytes, sizeof(bytes), error, message);

        /* The client asks again when this one is lost. */
        int ignored = udp_send_by(fd, bytes, n, route);
        (void)ignored;
}

static void answer_error(const struct request *r, enum tftp_error error,
                         const char *message) {
        tftp_send_error(r->fd, &r->back, error, message);
}

void tftp_tell_refused(struct files_tftp *door, const struct udp_endpoint *client,
                       const char *file, const char *why, const char *nearest) {
        struct event e = { .kind = EVENT_FILE_REFUSED,
                           .address = client->address,
                           .address6 = client->address6,
                           .values = { EVENT_TEXT("tftp"), EVENT_TEXT(file),
                                       EVENT_TEXT(why) } };

        if (nearest)
                e.values[3] = (struct event_value)EVENT_TEXT(nearest);
        files_event(door->files, &e);
}

/* Some loaders look for what is hardly ever there: that is no trouble. */
static void tell_not_found(struct files_tftp *door, const struct udp_endpoint *client,
                           const char *file, const char *nearest) {
        const char *who = policy_file_optional(file);
        struct event e = { .kind = EVENT_FILE_OPTIONAL,
                           .address = client->address,
                           .address6 = client->address6,
                           .values = { EVENT_TEXT("tftp"), EVENT_TEXT(file),
                                       EVENT_TEXT("not found"), EVENT_TEXT(who) } };

        if (who)
                files_event(door->files, &e);
        else
                tftp_tell_refused(door, client, file, "not found", nearest);
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

static void on_after(void *userdata) {
        struct files_tftp *door = userdata;

        while (!list_is_empty(&door->ready)) {
                struct transfer *t =
                        CONTAINER_OF(door->ready.next, struct transfer, in_ready);

                list_remove(&t->in_ready);
                tftp_transfer_run(t);
        }
        /* What has just ended is out of the way of what begins. */
        for (size_t i = 0; i < door->n_listeners; i++) {
                struct listener *listener = door->listeners[i];

                if (listener->is_ready)
                        read_requests(listener);
                listener->is_ready = false;
        }
}

static void refuse_missing(struct files_tftp *door, int fd,
                           const struct udp_route *route, const char *path) {
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
        tftp_send_error(fd, route, TFTP_ERROR_NOT_FOUND, text_string(&message));
        if (is_probe(path))
                tell_dropped(door, &route->to, 0, text_string(&message), loop_now());
        else
                tell_not_found(door, &route->to, path, has_nearest ? nearest : NULL);
        text_done(&message);
}

static void on_generated(int answer, struct vtree_file *file, void *userdata) {
        struct transfer *t = userdata;

        t->ticket = -1;
        if (answer == VTREE_OK) {
                tftp_transfer_start(t, file);
        } else if (answer == VTREE_NOT_FOUND) {
                refuse_missing(t->door, t->listen_fd, &t->route, t->path);
                tftp_transfer_free(t);
        } else {
                tftp_transfer_refuse(t, TFTP_ERROR_UNDEFINED,
                                     "The server did not make this file in time");
        }
}

static void generate(struct transfer *t) {
        t->ticket = files_generate(
                t->door->files, t->path, t->route.to.address,
                files_server_of(t->door->files, t->route.from, t->route.from6),
                on_generated, t);
        if (t->ticket < 0) {
                t->ticket = -1;
                tftp_transfer_refuse(t, TFTP_ERROR_UNDEFINED,
                                     "The server cannot make this file now");
        }
}

static void refuse_request(const struct request *r, enum tftp_error error,
                           const char *path, const char *why) {
        struct text message = { 0 };

        text_add(&message, "Refused: ");
        text_add(&message, why);
        answer_error(r, error, text_string(&message));
        tftp_tell_refused(r->listener->door, &r->datagram->from, path, why, NULL);
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
                refuse_missing(door, r->fd, &r->back, path);
        } else if (found == VTREE_REFUSED) {
                refuse_request(r, TFTP_ERROR_ACCESS, path,
                               "it leads out of the tree, or is no file");
        } else if (found == VTREE_UNREADABLE) {
                refuse_request(r, TFTP_ERROR_ACCESS, path,
                               "the server may not read it");
        } else if (found < 0 ||
                   tftp_transfer_new(door, r, p, asked_path, path, &t) < 0) {
                vtree_file_unref(file);
                refuse_request(r, TFTP_ERROR_UNDEFINED, path,
                               "the server is out of memory or descriptors");
        } else if (found == VTREE_GENERATED) {
                generate(t);
        } else {
                tftp_transfer_start(t, file);
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
        tftp_transfer_take_packets(t);
        kind = tftp_session_next(&t->session).kind;
        if (kind != TFTP_DONE && kind != TFTP_FAILED)
                return false;
        tftp_transfer_run(t);
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

                if (t->route.to.port != r->datagram->from.port)
                        continue;
                if (has_ended(t))
                        return false;
                if (strcmp(t->asked_path, path) == 0 &&
                    options_are_equal(&t->asked, &p->options))
                        return true;
                tftp_transfer_tell_failed(
                        t, "the client asked for something else meanwhile");
                tftp_transfer_free(t);
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
                tell_dropped(door, &t->route.to, 0,
                             "its client never answered, and others wait", loop_now());
                tftp_transfer_free(t);
                return true;
        }
        return false;
}

static bool is_within_limits(const struct request *r) {
        struct files_tftp *door = r->listener->door;
        uint32_t most = files_conf(door->files)->tftp.per_source;
        const struct udp_endpoint *client = &r->datagram->from;
        const char *why;

        if (most && r->source->n_held >= most)
                why = "too many transfers for one address (tftp.per-source)";
        else if (door->n_transfers >= TRANSFERS_MAX && !make_room(door))
                why = "too many transfers are running";
        else
                return true;
        /* No answer: the client asks again, and by then one may have ended. */
        if (files_source_should_tell(r->source, r->now))
                tftp_tell_refused(door, client, "", why, NULL);
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
                        tell_dropped(door, &r->datagram->from, r->datagram->n,
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
        const struct udp_endpoint *client = &r->datagram->from;
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

                if (!t->is_shared || t->route.to.port != r->datagram->from.port)
                        continue;
                tftp_session_recv(&t->session, r->datagram->data, r->datagram->n,
                                  r->now);
                tftp_transfer_tell_progress(t, r->now);
                tftp_transfer_run(t);
                return true;
        }
        return false;
}

static void on_datagram(struct listener *listener, const struct udp_received *datagram,
                        nsec_t now) {
        struct files_tftp *door = listener->door;
        struct request r = { .listener = listener,
                             .fd = listener->fd,
                             .datagram = datagram,
                             .back = { datagram->from, datagram->local,
                                       datagram->ifindex, datagram->local6 },
                             .source = files_source_of(&door->sources, &datagram->from,
                                                       now),
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
        tell_dropped(door, &datagram->from, datagram->n, why, now);
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
        tftp_transfer_free(CONTAINER_OF(pos, struct transfer, in_door));
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

        if (door->n_listeners == TFTP_LISTEN_MAX)
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
