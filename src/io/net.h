#pragma once
/*
 * The machine's interfaces as netlink tells them, and raw frames for a client that
 * has no address yet (RFC 2131 4.1, the unicast case).
 */
#include "base/addr.h"
#include "base/cursor.h"

enum { NET_NAME_MAX = 16, NET_MORE_MAX = 7, NET_SIX_MAX = 8 };

struct net_address {
        ip4_t address, mask;
};

struct net_interface {
        char name[NET_NAME_MAX];
        int ifindex;
        struct mac mac;
        ip4_t address; /* the first one; 0 when it has none */
        ip4_t mask;
        struct net_address more[NET_MORE_MAX]; /* behind the first: aliases, networks */
        size_t n_more;
        struct ip6 six[NET_SIX_MAX]; /* those of IPv6 */
        size_t n_six;
        bool is_up; /* administratively up, with a carrier */
        bool is_loopback;
        bool has_link_layer; /* Ethernet: frames can be made */
};

/* All of them; returns the number (at most `n`) or -errno. */
int net_interfaces(struct net_interface *ret, size_t n);
static inline size_t net_n_addresses(const struct net_interface *interface) {
        return (interface->address != 0) + interface->n_more;
}
/* The i-th of them, the first one first. */
static inline struct net_address net_address(const struct net_interface *interface,
                                             size_t i) {
        return i == 0 ? (struct net_address){ interface->address, interface->mask }
                      : interface->more[i - 1];
}
bool net_has_address(const struct net_interface *interface, ip4_t address);
bool net_has_six(const struct net_interface *interface, struct ip6 address);
/* Whether it is on one of the interface's networks. */
bool net_is_near(const struct net_interface *interface, ip4_t address);

/* A netlink socket that becomes readable when links or addresses change. */
MUST_USE int net_watch_open(int *ret_fd);
/* Empties it. */
void net_watch_drain(int fd);

/* Room in a socket for a wave of some thousand datagrams that comes while we are busy,
 * or as much of it as the machine allows (net.core.rmem_max, wmem_max). */
void net_grow_buffers(int fd);

/* Of sockets that share one port (SO_REUSEPORT), all get a client's datagrams and
 * connections by its address alone: what is counted for an address is then counted in
 * one place. `n` is how many there will be; said once to any of them. A kernel that
 * does not know it goes on spreading them by address and port. */
void net_share_by_source(int fd, uint32_t n, bool is_six);

/* A packet socket that only sends. */
MUST_USE int net_raw_open(int *ret_fd);
MUST_USE int net_raw_send(int fd, int ifindex, const void *frame, size_t n);
