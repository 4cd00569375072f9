/*
 * One message is one datagram of the pair: a head {kind, length of body}, the body,
 * the tail. The table of body sizes is the whole of the format; recv checks against
 * it before anything else looks, so a role that was taken over can lie in values but
 * not in shape. Alignment: the head is 16 bytes and buffers are aligned, so a body
 * may be read in place.
 */
#include "ipc/ipc.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/list.h"

enum { QUEUE_MAX = 8 << 20, RECEIVED_AT_ONCE = 64 };

struct head {
        uint32_t kind, n_body;
        uint64_t reserved;
};

static const size_t body_sizes[IPC_N_KINDS] = {
        [IPC_START] = sizeof(struct ipc_start),
        [IPC_PEER] = sizeof(struct ipc_peer),
        [IPC_SOCKET] = sizeof(struct ipc_socket),
        [IPC_SOCKET_GONE] = sizeof(struct ipc_socket),
        [IPC_MEDIUM] = sizeof(struct ipc_medium),
        [IPC_MEDIUM_GONE] = sizeof(struct ipc_medium),
        [IPC_GENERATE] = sizeof(struct ipc_generate),
        [IPC_GENERATED] = sizeof(struct ipc_generated),
        [IPC_QUERY] = sizeof(struct ipc_query),
        [IPC_CERTIFICATE] = sizeof(struct ipc_certificate),
        [IPC_NEED] = sizeof(struct ipc_need),
        [IPC_UNPACK] = sizeof(struct ipc_unpack),
        [IPC_UNPACKING] = sizeof(struct ipc_unpack),
        [IPC_UNPACKED] = sizeof(struct ipc_unpack),
        [IPC_ANSWER] = sizeof(struct ipc_answer),
};

struct queued {
        struct list link;
        int fds[IPC_FDS_MAX];
        size_t n_fds, n;
        uint8_t bytes[];
};

struct ipc_channel {
        struct loop_watch *watch;
        int fd;
        ipc_fn fn;
        void *userdata;
        struct list queue;
        size_t n_queued; /* bytes */
        bool *freed;     /* set when the callback frees the channel it came from */
};

const char *ipc_role_name(enum ipc_role role) {
        static const char *const names[] = { "parent", "core",  "library",
                                             "files",  "admin", "unpack" };
        return (size_t)role < ARRAY_SIZE(names) ? names[role] : "unknown";
}

const char *ipc_door_name(enum ipc_door door) {
        static const char *const names[] = { "dhcp",    "binl",    "beside", "heard",
                                             "raw",     "routed",  "icmp6",  "arp",
                                             "icmp",    "tftp",    "http",   "https",
                                             "control", "log",     "nfs",    "nfs",
                                             "portmap", "portmap", "ftp" };
        return (size_t)door < ARRAY_SIZE(names) ? names[door] : "unknown";
}

int ipc_pair(int ret_fds[static 2]) {
        return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
                          ret_fds) < 0
                       ? -errno
                       : 0;
}

static void close_all(int *fds, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (fds[i] >= 0)
                        close(fds[i]);
}

static struct queued *queued_free(struct queued *q) {
        if (q)
                close_all(q->fds, q->n_fds);
        free(q);
        return NULL;
}

/* The datagram's vectors; n_vectors of them are used. */
struct outgoing {
        struct head head;
        struct iovec vectors[3];
};

static void outgoing_init(struct outgoing *o, enum ipc_kind kind, const void *body,
                          const void *tail, size_t n_tail) {
        o->head = (struct head){ .kind = (uint32_t)kind,
                                 .n_body = (uint32_t)body_sizes[kind] };
        o->vectors[0] = (struct iovec){ &o->head, sizeof(o->head) };
        o->vectors[1] = (struct iovec){ (void *)(uintptr_t)body, o->head.n_body };
        o->vectors[2] = (struct iovec){ (void *)(uintptr_t)tail, n_tail };
}

static int send_vectors(int fd, struct iovec *vectors, size_t n_vectors, const int *fds,
                        size_t n_fds, int flags) {
        _Alignas(struct cmsghdr)
                uint8_t control[CMSG_SPACE(IPC_FDS_MAX * sizeof(int))] = { 0 };
        struct msghdr header = { .msg_iov = vectors, .msg_iovlen = n_vectors };

        if (n_fds > 0) {
                struct cmsghdr *c;

                header.msg_control = control;
                header.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
                c = CMSG_FIRSTHDR(&header);
                c->cmsg_level = SOL_SOCKET;
                c->cmsg_type = SCM_RIGHTS;
                c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
                memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
        }
        return sendmsg(fd, &header, MSG_NOSIGNAL | flags) < 0 ? -errno : 0;
}

static int enqueue(struct ipc_channel *channel, const struct outgoing *o,
                   const int *fds, size_t n_fds) {
        size_t n =
                o->vectors[0].iov_len + o->vectors[1].iov_len + o->vectors[2].iov_len;
        struct queued *q;
        uint8_t *p;

        if (channel->n_queued + n > QUEUE_MAX)
                return -ENOBUFS;
        q = malloc(sizeof(*q) + n);
        if (!q)
                return -ENOMEM;
        q->n = n;
        q->n_fds = 0;
        p = q->bytes;
        for (size_t i = 0; i < ARRAY_SIZE(o->vectors); i++) {
                if (o->vectors[i].iov_len)
                        memcpy(p, o->vectors[i].iov_base, o->vectors[i].iov_len);
                p += o->vectors[i].iov_len;
        }
        for (size_t i = 0; i < n_fds; i++) {
                int copy = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);

                if (copy < 0) {
                        queued_free(q);
                        return -errno;
                }
                q->fds[q->n_fds++] = copy;
        }
        list_append(&channel->queue, &q->link);
        channel->n_queued += n;
        loop_watch_set(channel->watch, LOOP_READABLE | LOOP_WRITABLE);
        return 0;
}

int ipc_send(struct ipc_channel *channel, enum ipc_kind kind, const void *body,
             const void *tail, size_t n_tail, const int *fds, size_t n_fds) {
        struct outgoing o;
        int r = -EAGAIN;

        if (!channel || channel->fd < 0)
                return -ENOTCONN;
        if (n_tail > IPC_MESSAGE_MAX - 512 || n_fds > IPC_FDS_MAX)
                return -EMSGSIZE;
        outgoing_init(&o, kind, body, tail, n_tail);
        if (list_is_empty(&channel->queue))
                r = send_vectors(channel->fd, o.vectors, 3, fds, n_fds, MSG_DONTWAIT);
        return r == -EAGAIN ? enqueue(channel, &o, fds, n_fds) : r;
}

static void flush(struct ipc_channel *channel) {
        LIST_FOR_EACH(link, &channel->queue) {
                struct queued *q = CONTAINER_OF(link, struct queued, link);
                struct iovec vector = { q->bytes, q->n };

                if (send_vectors(channel->fd, &vector, 1, q->fds, q->n_fds,
                                 MSG_DONTWAIT) == -EAGAIN)
                        return;
                channel->n_queued -= q->n;
                list_remove(link);
                queued_free(q);
        }
        loop_watch_set(channel->watch, LOOP_READABLE);
}

/* False when the bytes have no shape of ours. */
static bool shape(uint8_t *bytes, size_t n, struct ipc_message *ret) {
        struct head head;

        if (n < sizeof(head))
                return false;
        memcpy(&head, bytes, sizeof(head));
        if (head.kind == IPC_NONE || head.kind >= IPC_N_KINDS ||
            head.n_body != body_sizes[head.kind] || n - sizeof(head) < head.n_body)
                return false;
        ret->kind = (enum ipc_kind)head.kind;
        ret->body = bytes + sizeof(head);
        ret->tail = bytes + sizeof(head) + head.n_body;
        ret->n_tail = n - sizeof(head) - head.n_body;
        return true;
}

static size_t take_fds(struct msghdr *header, int fds[static IPC_FDS_MAX]) {
        size_t n = 0;

        for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
                size_t here;

                if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
                        continue;
                here = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
                here = min_size(here, IPC_FDS_MAX - n);
                memcpy(fds + n, CMSG_DATA(c), here * sizeof(int));
                n += here;
        }
        return n;
}

static void hang_up(struct ipc_channel *channel) {
        const struct ipc_message gone = { .kind = IPC_NONE };

        channel->watch = loop_watch_free(channel->watch);
        close(channel->fd);
        channel->fd = -1;
        channel->fn(channel, &gone, channel->userdata);
}

/* One message; false when nothing (more) is to be read. */
static bool receive(struct ipc_channel *channel) {
        static _Alignas(16) uint8_t bytes[IPC_MESSAGE_MAX];
        _Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(IPC_FDS_MAX * sizeof(int))];
        struct iovec vector = { bytes, sizeof(bytes) };
        struct msghdr header = { .msg_iov = &vector,
                                 .msg_iovlen = 1,
                                 .msg_control = control,
                                 .msg_controllen = sizeof(control) };
        struct ipc_message message = { 0 };
        int fds[IPC_FDS_MAX];
        bool freed = false, alive;
        ssize_t n = recvmsg(channel->fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return false;
        message.fds = fds;
        message.n_fds = n > 0 ? take_fds(&header, fds) : 0;
        if (n <= 0 || header.msg_flags & MSG_TRUNC ||
            !shape(bytes, (size_t)n, &message)) {
                close_all(fds, message.n_fds);
                hang_up(channel);
                return false;
        }
        channel->freed = &freed;
        channel->fn(channel, &message, channel->userdata);
        close_all(fds, message.n_fds);
        alive = !freed && channel->fd >= 0;
        if (!freed)
                channel->freed = NULL;
        return alive;
}

static void on_ready(int fd, unsigned ready, void *userdata) {
        struct ipc_channel *channel = userdata;

        (void)fd;
        if (ready & LOOP_WRITABLE)
                flush(channel);
        if (ready & LOOP_READABLE)
                for (int i = 0; i < RECEIVED_AT_ONCE && receive(channel); i++)
                        ;
}

int ipc_channel_new(struct loop *loop, int fd, ipc_fn fn, void *userdata,
                    struct ipc_channel **ret) {
        struct ipc_channel *channel = calloc(1, sizeof(*channel));
        int r;

        if (!channel) {
                close(fd);
                return -ENOMEM;
        }
        *channel = (struct ipc_channel){ .fd = fd, .fn = fn, .userdata = userdata };
        list_init(&channel->queue);
        r = loop_watch_new(loop, fd, LOOP_READABLE, on_ready, channel, &channel->watch);
        if (r < 0) {
                ipc_channel_free(channel);
                return r;
        }
        *ret = channel;
        return 0;
}

struct ipc_channel *ipc_channel_free(struct ipc_channel *channel) {
        if (!channel)
                return NULL;
        if (channel->freed)
                *channel->freed = true;
        loop_watch_free(channel->watch);
        LIST_FOR_EACH(link, &channel->queue) {
                list_remove(link);
                queued_free(CONTAINER_OF(link, struct queued, link));
        }
        if (channel->fd >= 0)
                close(channel->fd);
        free(channel);
        return NULL;
}

int ipc_send_blocking(int fd, enum ipc_kind kind, const void *body, const void *tail,
                      size_t n_tail) {
        struct outgoing o;

        if (n_tail > IPC_MESSAGE_MAX - 512)
                return -EMSGSIZE;
        outgoing_init(&o, kind, body, tail, n_tail);
        return send_vectors(fd, o.vectors, 3, NULL, 0, 0);
}

int ipc_recv_blocking(int fd, void *buffer, size_t n, struct ipc_message *ret) {
        struct ipc_message message = { 0 };
        ssize_t got;

        do
                got = recv(fd, buffer, n, 0);
        while (got < 0 && errno == EINTR);
        if (got < 0)
                return -errno;
        if (got == 0)
                return 0;
        if (!shape(buffer, (size_t)got, &message))
                return -EPROTO;
        *ret = message;
        return 1;
}

struct udp_endpoint ipc_socket_at(const struct ipc_socket *socket) {
        return (struct udp_endpoint){
                .address = socket->address,
                .port = (uint16_t)socket->port,
                .address6 = socket->address6,
                .scope = ip6_is_link_local(socket->address6) ? (uint32_t)socket->ifindex
                                                             : 0,
        };
}
