/*
 * UDP sockets with pktinfo both ways. A segmented send tries UDP_SEGMENT first; a
 * kernel or a device that refuses it says so with EIO or EINVAL at the first try,
 * and the same bytes then leave by sendmmsg.
 */
#include "io/udp.h"

#include "io/internal.h"

#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
        CONTROL_MAX = 64,
        SEGMENTS_MAX = 64,    /* UDP_MAX_SEGMENTS of Linux */
        GSO_BYTES_MAX = 65000 /* one IPv4 datagram before it is cut */
};

struct udp_batch {
        size_t datagram_max;
        uint8_t *buffers;
        struct udp_received received[UDP_BATCH];
        struct mmsghdr headers[UDP_BATCH];
        struct iovec vectors[UDP_BATCH];
        struct sockaddr_in6 from[UDP_BATCH]; /* or sockaddr_in, which is shorter */
        _Alignas(struct cmsghdr) uint8_t control[UDP_BATCH][CONTROL_MAX];
};

bool udp_is_six(const struct udp_endpoint *e) {
        return e->address == 0 && !ip6_is_zero(e->address6);
}

bool udp_is_same_host(const struct udp_endpoint *a, const struct udp_endpoint *b) {
        return a->address == b->address && ip6_is_equal(a->address6, b->address6) &&
               a->scope == b->scope;
}

socklen_t udp_to_name(const struct udp_endpoint *e, struct sockaddr_in6 *ret) {
        struct sockaddr_in four = { .sin_family = AF_INET,
                                    .sin_port = htons(e->port),
                                    .sin_addr.s_addr = htonl(e->address) };

        *ret = (struct sockaddr_in6){ .sin6_family = AF_INET6,
                                      .sin6_port = htons(e->port),
                                      .sin6_scope_id = e->scope };
        if (udp_is_six(e)) {
                memcpy(&ret->sin6_addr, e->address6.b, sizeof(e->address6.b));
                return sizeof(*ret);
        }
        memcpy(ret, &four, sizeof(four));
        return sizeof(four);
}

struct udp_endpoint udp_of_name(const struct sockaddr_in6 *name) {
        struct udp_endpoint e = { .port = ntohs(name->sin6_port) };
        struct sockaddr_in four;

        if (name->sin6_family == AF_INET6) {
                memcpy(e.address6.b, &name->sin6_addr, sizeof(e.address6.b));
                /* The kernel names the interface for these alone. */
                e.scope = name->sin6_scope_id;
        } else {
                memcpy(&four, name, sizeof(four));
                e.address = ntohl(four.sin_addr.s_addr);
        }
        return e;
}

static int set_flag(int fd, int level, int name) {
        const int on = 1;
        return setsockopt(fd, level, name, &on, sizeof(on)) < 0 ? -errno : 0;
}

/* An address that is just being tried out (RFC 4862 5.4) may be bound already. */
int udp_prepare_six(int fd) {
        int r = set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY);

        return r == 0 ? set_flag(fd, IPPROTO_IPV6, IPV6_FREEBIND) : r;
}

static int prepare(int fd, bool is_six, const char *device, unsigned flags) {
        int r = is_six ? udp_prepare_six(fd) : 0;

        if (r == 0 && !(flags & UDP_OF_ONE))
                r = is_six ? set_flag(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO)
                           : set_flag(fd, IPPROTO_IP, IP_PKTINFO);
        if (r == 0 && flags & UDP_BROADCAST)
                r = set_flag(fd, SOL_SOCKET, SO_BROADCAST);
        if (r == 0 && flags & UDP_REUSEPORT)
                r = set_flag(fd, SOL_SOCKET, SO_REUSEPORT);
        if (r == 0 && device &&
            setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device,
                       (socklen_t)strlen(device)) < 0)
                r = -errno;
        return r;
}

int udp_open(struct udp_endpoint at, const char *device, unsigned flags, int *ret_fd) {
        struct sockaddr_in6 name;
        socklen_t n = udp_to_name(&at, &name);
        int fd = socket(name.sin6_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        int r;

        if (fd < 0)
                return -errno;
        r = prepare(fd, udp_is_six(&at), device, flags);
        if (r == 0 && bind(fd, (struct sockaddr *)&name, n) < 0)
                r = -errno;
        if (r < 0) {
                close(fd);
                return r;
        }
        *ret_fd = fd;
        return 0;
}

static int open_in_range(struct udp_endpoint local, struct udp_ports ports,
                         uint16_t start, int *ret_fd) {
        unsigned n = ports.first ? ports.last - ports.first + 1U : 1;
        int r = -EADDRINUSE;

        for (unsigned i = 0; i < n && r == -EADDRINUSE; i++) {
                unsigned port = ports.first ? ports.first + (start + i) % n : 0;

                local.port = (uint16_t)port;
                r = udp_open(local, NULL, UDP_OF_ONE, ret_fd);
        }
        return r;
}

int udp_connect(struct udp_endpoint local, struct udp_ports ports,
                struct udp_endpoint peer, int *ret_fd) {
        struct sockaddr_in6 name;
        socklen_t n = udp_to_name(&peer, &name);
        int fd = -1, r;

        /* Clients count their ports up: neighbours start at neighbours. */
        r = open_in_range(local, ports, peer.port, &fd);
        if (r < 0)
                return r;
        if (connect(fd, (struct sockaddr *)&name, n) < 0) {
                r = -errno;
                close(fd);
                return r;
        }
        *ret_fd = fd;
        return 0;
}

int udp_path_mtu(int fd) {
        int mtu = 0;
        socklen_t n = sizeof(mtu);

        if (getsockopt(fd, IPPROTO_IP, IP_MTU, &mtu, &n) == 0 ||
            getsockopt(fd, IPPROTO_IPV6, IPV6_MTU, &mtu, &n) == 0)
                return mtu;
        return -errno;
}

bool udp_is_bound(int fd, struct udp_endpoint at) {
        struct sockaddr_in6 name = { 0 };
        socklen_t n = sizeof(name);
        struct udp_endpoint own;

        if (getsockname(fd, (struct sockaddr *)&name, &n) < 0)
                return false;
        own = udp_of_name(&name);
        return own.port == at.port && udp_is_same_host(&own, &at);
}

int udp_batch_new(size_t datagram_max, struct udp_batch **ret) {
        struct udp_batch *batch = calloc(1, sizeof(*batch));

        if (!batch)
                return -ENOMEM;
        batch->datagram_max = datagram_max;
        batch->buffers = malloc(datagram_max * UDP_BATCH);
        if (!batch->buffers) {
                free(batch);
                return -ENOMEM;
        }
        for (size_t i = 0; i < UDP_BATCH; i++)
                batch->vectors[i] = (struct iovec){ batch->buffers + i * datagram_max,
                                                    datagram_max };
        *ret = batch;
        return 0;
}

struct udp_batch *udp_batch_free(struct udp_batch *batch) {
        if (batch)
                free(batch->buffers);
        free(batch);
        return NULL;
}

static void read_pktinfo(struct msghdr *header, struct udp_received *ret) {
        for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
                struct in_pktinfo info;
                struct in6_pktinfo six;

                if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
                        memcpy(&six, CMSG_DATA(c), sizeof(six));
                        memcpy(ret->local6.b, &six.ipi6_addr, sizeof(ret->local6.b));
                        ret->ifindex = (int)six.ipi6_ifindex;
                }
                if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_PKTINFO)
                        continue;
                memcpy(&info, CMSG_DATA(c), sizeof(info));
                ret->to = ntohl(info.ipi_addr.s_addr);
                ret->local = ntohl(info.ipi_spec_dst.s_addr);
                ret->ifindex = info.ipi_ifindex;
        }
}

int udp_recv(int fd, struct udp_batch *batch, const struct udp_received **ret) {
        int n;

        for (size_t i = 0; i < UDP_BATCH; i++)
                batch->headers[i].msg_hdr = (struct msghdr){
                        .msg_name = &batch->from[i],
                        .msg_namelen = sizeof(batch->from[i]),
                        .msg_iov = &batch->vectors[i],
                        .msg_iovlen = 1,
                        .msg_control = batch->control[i],
                        .msg_controllen = CONTROL_MAX,
                };
        n = recvmmsg(fd, batch->headers, UDP_BATCH, MSG_DONTWAIT, NULL);
        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        for (int i = 0; i < n; i++) {
                struct udp_received *r = &batch->received[i];

                *r = (struct udp_received){
                        .data = batch->vectors[i].iov_base,
                        .n = batch->headers[i].msg_len,
                        .from = udp_of_name(&batch->from[i]),
                };
                read_pktinfo(&batch->headers[i].msg_hdr, r);
        }
        *ret = batch->received;
        return n;
}

int udp_recv_one(int fd, void *data, size_t n) {
        ssize_t got = recv(fd, data, n, MSG_DONTWAIT);

        return got < 0 ? (errno == EINTR ? -EAGAIN : -errno) : (int)got;
}

/* A message to a route: the name it goes to and the control part that says from where.
 */
struct routed {
        struct sockaddr_in6 name;
        socklen_t n_name; /* 0: the socket knows where */
        _Alignas(
                struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(struct in6_pktinfo)) +
                                                CMSG_SPACE(sizeof(uint16_t))];
        size_t n_control;
};

static void add_control(struct routed *r, int level, int type, const void *data,
                        size_t n) {
        struct cmsghdr *c = (struct cmsghdr *)(void *)(r->control + r->n_control);

        c->cmsg_level = level;
        c->cmsg_type = type;
        c->cmsg_len = CMSG_LEN(n);
        memcpy(CMSG_DATA(c), data, n);
        r->n_control += CMSG_SPACE(n);
}

static void route_message(struct routed *r, const struct udp_route *route) {
        *r = (struct routed){ 0 };
        if (!route)
                return;
        r->n_name = udp_to_name(&route->to, &r->name);
        if (udp_is_six(&route->to)) {
                struct in6_pktinfo six = { .ipi6_ifindex = (unsigned)route->ifindex };

                memcpy(&six.ipi6_addr, route->from6.b, sizeof(route->from6.b));
                add_control(r, IPPROTO_IPV6, IPV6_PKTINFO, &six, sizeof(six));
                return;
        }
        add_control(r, IPPROTO_IP, IP_PKTINFO,
                    &(struct in_pktinfo){ .ipi_ifindex = route->ifindex,
                                          .ipi_spec_dst.s_addr = htonl(route->from) },
                    sizeof(struct in_pktinfo));
}

static struct msghdr message_of(struct routed *r, struct iovec *vector) {
        return (struct msghdr){ .msg_name = r->n_name ? &r->name : NULL,
                                .msg_namelen = r->n_name,
                                .msg_iov = vector,
                                .msg_iovlen = 1,
                                .msg_control = r->n_control ? r->control : NULL,
                                .msg_controllen = r->n_control };
}

int udp_send(int fd, const void *data, size_t n, struct udp_endpoint to, ip4_t from,
             int ifindex) {
        return udp_send_by(fd, data, n, &(struct udp_route){ to, from, ifindex });
}

int udp_send_by(int fd, const void *data, size_t n, const struct udp_route *route) {
        struct iovec vector = { (void *)(uintptr_t)data, n };
        struct routed routed;
        struct msghdr message;

        route_message(&routed, route);
        message = message_of(&routed, &vector);
        return sendmsg(fd, &message, MSG_DONTWAIT) < 0 ? -errno : 0;
}

static int send_by_gso(int fd, const struct udp_route *route, const uint8_t *data,
                       size_t n, size_t segment) {
        uint16_t size = (uint16_t)segment;
        struct iovec vector = { (void *)(uintptr_t)data, n };
        struct routed routed;
        struct msghdr message;

        route_message(&routed, route);
        add_control(&routed, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size));
        message = message_of(&routed, &vector);
        return sendmsg(fd, &message, MSG_DONTWAIT) < 0 ? -errno : 0;
}

/* The plain call, when there is only one and the socket knows where it goes. */
static int send_one(int fd, const uint8_t *data, size_t n) {
        return send(fd, data, n, MSG_DONTWAIT) < 0 ? -errno : 1;
}

static int send_each(int fd, const struct udp_route *route, const uint8_t *data,
                     size_t n, size_t segment) {
        struct mmsghdr headers[SEGMENTS_MAX] = { 0 };
        struct iovec vectors[SEGMENTS_MAX];
        struct routed routed;
        unsigned count = 0;
        int sent;

        route_message(&routed, route);
        for (size_t at = 0; at < n && count < SEGMENTS_MAX; at += segment, count++) {
                vectors[count] = (struct iovec){ (void *)(uintptr_t)(data + at),
                                                 min_size(segment, n - at) };
                headers[count].msg_hdr = message_of(&routed, &vectors[count]);
        }
        sent = sendmmsg(fd, headers, count, MSG_DONTWAIT);
        return sent < 0 ? -errno : sent;
}

int udp_send_segments(int fd, const struct udp_route *route, const void *data, size_t n,
                      size_t segment) {
        size_t per_call = min_size(SEGMENTS_MAX, max_u64(GSO_BYTES_MAX / segment, 1));
        const uint8_t *p = data;
        size_t at = 0;
        int total = 0;

        if (n <= segment && !route)
                return send_one(fd, data, n);
        while (at < n) {
                size_t piece = min_size(per_call * segment, n - at);
                int r = piece > segment ? send_by_gso(fd, route, p + at, piece, segment)
                                        : -EIO;

                if (r == 0)
                        r = (int)((piece + segment - 1) / segment);
                else if (r == -EIO || r == -EINVAL || r == -EMSGSIZE)
                        r = send_each(fd, route, p + at, piece, segment);
                if (r <= 0)
                        return total > 0 ? total : r;
                total += r;
                at = min_size(n, at + (size_t)r * segment);
        }
        return total;
}
