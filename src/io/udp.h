#pragma once
/*
 * UDP over IPv4 and IPv6 with what a boot server needs to know: by which interface and
 * to which of our addresses a datagram came, and the means to answer from the same.
 *
 * Sockets are plain non-blocking descriptors, so that the parent can open and pass
 * them. Nothing here blocks; errors are -errno.
 */
#include "base/addr.h"
#include "base/cursor.h"

enum {
        UDP_BROADCAST = 1,
        UDP_REUSEPORT = 2, /* one of several sockets that share the load */
        UDP_OF_ONE = 4,    /* to be connected: what it receives needs no address */
        UDP_DATAGRAM_MAX = 65535,
        UDP_BATCH = 64,
};

/* Of either family: IPv6 when there is no address of IPv4 but one of IPv6. */
struct udp_endpoint {
        ip4_t address;
        uint16_t port;
        struct ip6 address6;
        uint32_t scope; /* the interface of a link-local one */
};
bool udp_is_six(const struct udp_endpoint *e);
bool udp_is_same_host(const struct udp_endpoint *a, const struct udp_endpoint *b);

struct udp_received {
        const uint8_t *data; /* in the batch's own buffer */
        size_t n;
        struct udp_endpoint from;
        ip4_t to;    /* the address it was sent to: ours or a broadcast */
        ip4_t local; /* our address on the interface it came by */
        struct ip6 local6;
        int ifindex;
};

/* Bound to `at`, and to the interface when `device` is not NULL. */
MUST_USE int udp_open(struct udp_endpoint at, const char *device, unsigned flags,
                      int *ret_fd);
/* first 0: the kernel's choice */
struct udp_ports {
        uint16_t first, last;
};
/* Bound to `local` with one of the ports, connected to `peer`. -EADDRINUSE: all are. */
MUST_USE int udp_connect(struct udp_endpoint local, struct udp_ports ports,
                         struct udp_endpoint peer, int *ret_fd);
/* What one datagram to the peer of a connected socket may be at most, its headers
 * included, as the routes and what routers said have it; -errno. */
int udp_path_mtu(int fd);
/* Whether it is the name of this socket, which may be of TCP too. */
bool udp_is_bound(int fd, struct udp_endpoint at);

struct udp_batch; /* receive buffers, reused by each call */
MUST_USE int udp_batch_new(size_t datagram_max, struct udp_batch **ret);
struct udp_batch *udp_batch_free(struct udp_batch *batch);
/* Fills at most UDP_BATCH. Returns their number, 0 when nothing waits, or -errno. */
int udp_recv(int fd, struct udp_batch *batch, const struct udp_received **ret);

/* One datagram of a connected socket, cut to n bytes: its length, which may be 0;
 * -EAGAIN when none waits; or another -errno. */
int udp_recv_one(int fd, void *data, size_t n);

/* One datagram from `from` (0: the kernel's choice) by `ifindex` (0: by the routes). */
MUST_USE int udp_send(int fd, const void *data, size_t n, struct udp_endpoint to,
                      ip4_t from, int ifindex);

/* Where to and from where, as udp_send() has it. */
struct udp_route {
        struct udp_endpoint to;
        ip4_t from;
        int ifindex;
        struct ip6 from6;
};
MUST_USE int udp_send_by(int fd, const void *data, size_t n,
                         const struct udp_route *route);
/* `n` bytes as datagrams of `segment` bytes each, the last one shorter; `route` is NULL
 * on a connected socket. One system call by UDP segmentation offload where the kernel
 * has it, sendmmsg otherwise. Returns the datagrams taken, or -errno. */
int udp_send_segments(int fd, const struct udp_route *route, const void *data, size_t n,
                      size_t segment);
