/*
 * The kernel looks at checksums and makes them (RFC 3542 3.1). What has not 255 for its
 * hop limit came through a router, and is dropped as RFC 4861 6.1 says; so is nothing
 * of ours.
 */
#include "io/icmp6.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HOPS = 255, MESSAGE_MAX = 1500, BATCH_MAX = 32 };

static int set(int fd, int level, int name, const void *value, socklen_t n) {
        return setsockopt(fd, level, name, value, n) < 0 ? -errno : 0;
}

/* RFC 4861 6.2.2: who wants to hear questions joins the group of all routers. */
static int prepare(int fd, const char *interface, int ifindex) {
        const int on = 1, hops = HOPS, off = 0;
        struct ipv6_mreq group = { .ipv6mr_interface = (unsigned)ifindex };
        struct icmp6_filter filter;
        int r;

        group.ipv6mr_multiaddr.s6_addr[0] = 0xff;
        group.ipv6mr_multiaddr.s6_addr[1] = 0x02;
        group.ipv6mr_multiaddr.s6_addr[15] = 0x02;
        ICMP6_FILTER_SETBLOCKALL(&filter);
        ICMP6_FILTER_SETPASS(ND_ROUTER_SOLICITATION, &filter);
        ICMP6_FILTER_SETPASS(ND_ROUTER_ADVERTISEMENT, &filter);
        r = set(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter));
        if (r == 0)
                r = set(fd, SOL_SOCKET, SO_BINDTODEVICE, interface,
                        (socklen_t)strlen(interface));
        if (r == 0)
                r = set(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof(on));
        if (r == 0)
                r = set(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hops, sizeof(hops));
        if (r == 0)
                r = set(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, &off, sizeof(off));
        if (r == 0)
                r = set(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &group, sizeof(group));
        return r;
}

int icmp6_open(const char *interface, int ifindex, int *ret_fd) {
        int fd = socket(AF_INET6, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
                        IPPROTO_ICMPV6);
        int r;

        if (fd < 0)
                return -errno;
        r = prepare(fd, interface, ifindex);
        if (r < 0) {
                close(fd);
                return r;
        }
        *ret_fd = fd;
        return 0;
}

static bool came_from_the_link(struct msghdr *header) {
        for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
                int hops;

                if (c->cmsg_level != IPPROTO_IPV6 || c->cmsg_type != IPV6_HOPLIMIT)
                        continue;
                memcpy(&hops, CMSG_DATA(c), sizeof(hops));
                return hops == HOPS;
        }
        return false;
}

int icmp6_recv(int fd, struct nd_message *ret, struct ip6 *ret_from) {
        for (int i = 0; i < BATCH_MAX; i++) {
                uint8_t data[MESSAGE_MAX];
                _Alignas(struct cmsghdr) uint8_t control[64];
                struct sockaddr_in6 from;
                struct iovec vector = { data, sizeof(data) };
                struct msghdr header = { .msg_name = &from,
                                         .msg_namelen = sizeof(from),
                                         .msg_iov = &vector,
                                         .msg_iovlen = 1,
                                         .msg_control = control,
                                         .msg_controllen = sizeof(control) };
                ssize_t n = recvmsg(fd, &header, MSG_DONTWAIT);

                if (n < 0)
                        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
                if (header.msg_flags & MSG_TRUNC || !came_from_the_link(&header) ||
                    !nd_parse(data, (size_t)n, ret))
                        continue;
                memcpy(ret_from->b, &from.sin6_addr, sizeof(ret_from->b));
                return 1;
        }
        return 0;
}

int icmp6_send(int fd, int ifindex, struct ip6 to, const void *data, size_t n) {
        struct sockaddr_in6 address = { .sin6_family = AF_INET6,
                                        .sin6_scope_id = (uint32_t)ifindex };

        memcpy(&address.sin6_addr, to.b, sizeof(to.b));
        return sendto(fd, data, n, MSG_DONTWAIT, (struct sockaddr *)&address,
                      sizeof(address)) < 0
                       ? -errno
                       : 0;
}
