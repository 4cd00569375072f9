/*
 * Interfaces by getifaddrs (which asks netlink), changes by a netlink socket that is
 * only ever drained: what changed is found by asking again, so no message of it has
 * to be parsed.
 */
#include "io/net.h"

#include <ifaddrs.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <sys/socket.h>
#include <unistd.h>

static struct net_interface *find(struct net_interface *all, size_t n,
                                  const char *name) {
        for (size_t i = 0; i < n; i++)
                if (strcmp(all[i].name, name) == 0)
                        return &all[i];
        return NULL;
}

static void add_link(struct net_interface *i, const struct ifaddrs *a) {
        struct sockaddr_ll link;

        memcpy(&link, a->ifa_addr, sizeof(link));
        i->ifindex = link.sll_ifindex;
        i->has_link_layer = link.sll_hatype == ARPHRD_ETHER;
        i->is_up = (a->ifa_flags & IFF_UP) && (a->ifa_flags & IFF_RUNNING);
        i->is_loopback = a->ifa_flags & IFF_LOOPBACK;
        if (link.sll_halen == sizeof(i->mac.b))
                memcpy(i->mac.b, link.sll_addr, sizeof(i->mac.b));
}

static ip4_t ip4_of(const struct sockaddr *a) {
        struct sockaddr_in in;

        if (!a)
                return 0;
        memcpy(&in, a, sizeof(in));
        return ntohl(in.sin_addr.s_addr);
}

/* More than there is room for are not served. */
static void add_address(struct net_interface *i, struct net_address added) {
        if (added.address == 0)
                return;
        if (i->address == 0) {
                i->address = added.address;
                i->mask = added.mask;
        } else if (i->n_more < NET_MORE_MAX) {
                i->more[i->n_more++] = added;
        }
}

static void add_six(struct net_interface *i, const struct sockaddr *a) {
        struct sockaddr_in6 in;

        memcpy(&in, a, sizeof(in));
        if (i->n_six < NET_SIX_MAX)
                memcpy(i->six[i->n_six++].b, &in.sin6_addr, sizeof(i->six[0].b));
}

/* Links come before addresses; an alias ("eth0:1") counts as its link's. */
int net_interfaces(struct net_interface *ret, size_t n) {
        struct ifaddrs *all;
        size_t found = 0;

        if (getifaddrs(&all) < 0)
                return -errno;
        for (const struct ifaddrs *a = all; a && found < n; a = a->ifa_next) {
                if (!a->ifa_addr || a->ifa_addr->sa_family != AF_PACKET)
                        continue;
                ret[found] = (struct net_interface){ 0 };
                strncpy(ret[found].name, a->ifa_name, NET_NAME_MAX - 1);
                add_link(&ret[found++], a);
        }
        for (const struct ifaddrs *a = all; a; a = a->ifa_next) {
                struct net_interface *i;
                char name[NET_NAME_MAX] = { 0 };

                if (!a->ifa_addr || (a->ifa_addr->sa_family != AF_INET &&
                                     a->ifa_addr->sa_family != AF_INET6))
                        continue;
                strncpy(name, a->ifa_name, NET_NAME_MAX - 1);
                name[strcspn(name, ":")] = '\0';
                i = find(ret, found, name);
                if (i && a->ifa_addr->sa_family == AF_INET6)
                        add_six(i, a->ifa_addr);
                else if (i)
                        add_address(i, (struct net_address){ ip4_of(a->ifa_addr),
                                                             ip4_of(a->ifa_netmask) });
        }
        freeifaddrs(all);
        return (int)found;
}

bool net_has_address(const struct net_interface *interface, ip4_t address) {
        for (size_t i = 0; i < net_n_addresses(interface); i++)
                if (net_address(interface, i).address == address)
                        return true;
        return false;
}

bool net_has_six(const struct net_interface *interface, struct ip6 address) {
        for (size_t i = 0; i < interface->n_six; i++)
                if (ip6_is_equal(interface->six[i], address))
                        return true;
        return false;
}

bool net_is_near(const struct net_interface *interface, ip4_t address) {
        for (size_t i = 0; i < net_n_addresses(interface); i++) {
                struct net_address own = net_address(interface, i);

                if (((own.address ^ address) & own.mask) == 0)
                        return true;
        }
        return false;
}

int net_watch_open(int *ret_fd) {
        struct sockaddr_nl name = { .nl_family = AF_NETLINK,
                                    .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR |
                                                 RTMGRP_IPV6_IFADDR };
        int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
                        NETLINK_ROUTE);
        int r;

        if (fd < 0)
                return -errno;
        if (bind(fd, (struct sockaddr *)&name, sizeof(name)) < 0) {
                r = -errno;
                close(fd);
                return r;
        }
        *ret_fd = fd;
        return 0;
}

void net_watch_drain(int fd) {
        uint8_t buffer[8192];

        while (recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT) > 0)
                ;
}

static void grow(int fd, int forced, int asked) {
        const int bytes = 4 << 20;

        if (setsockopt(fd, SOL_SOCKET, forced, &bytes, sizeof(bytes)) < 0)
                (void)setsockopt(fd, SOL_SOCKET, asked, &bytes, sizeof(bytes));
}

void net_share_by_source(int fd, uint32_t n, bool is_six) {
        /* The source of the IPv4 header, or the end of that of IPv6, times Knuth's
         * constant; modulo n chooses the socket, in the order in which they were bound.
         */
        struct sock_filter code[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                         (uint32_t)SKF_NET_OFF + (is_six ? 20 : 12)),
                BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, 2654435761U),
                BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 16),
                BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, n),
                BPF_STMT(BPF_RET | BPF_A, 0),
        };
        struct sock_fprog program = { ARRAY_SIZE(code), code };

        if (n > 1)
                (void)setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program,
                                 sizeof(program));
}

void net_grow_buffers(int fd) {
        grow(fd, SO_RCVBUFFORCE, SO_RCVBUF);
        grow(fd, SO_SNDBUFFORCE, SO_SNDBUF);
}

int net_raw_open(int *ret_fd) {
        int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        if (fd < 0)
                return -errno;
        *ret_fd = fd;
        return 0;
}

int net_raw_send(int fd, int ifindex, const void *frame, size_t n) {
        struct sockaddr_ll to = { .sll_family = AF_PACKET,
                                  .sll_ifindex = ifindex,
                                  .sll_halen = 6 };

        if (n < 14)
                return -EINVAL;
        memcpy(to.sll_addr, frame, 6);
        return sendto(fd, frame, n, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to)) <
                               0
                       ? -errno
                       : 0;
}
