#pragma once
/*
 * The machine's interfaces as netlink tells them, and raw frames for a client that
 * has no address yet (RFC 2131 4.1, the unicast case).
 */
#include "base/addr.h"
#include "base/cursor.h"

enum { NET_NAME_MAX = 16 };

struct net_interface {
        char name[NET_NAME_MAX];
        int ifindex;
        struct mac mac;
        ip4_t address; /* the first one; 0 when it has none */
        ip4_t mask;
        bool is_up; /* administratively up, with a carrier */
        bool is_loopback;
        bool has_link_layer; /* Ethernet: frames can be made */
};

/* All of them; returns the number (at most `n`) or -errno. */
int net_interfaces(struct net_interface *ret, size_t n);

/* A netlink socket that becomes readable when links or addresses change. */
MUST_USE int net_watch_open(int *ret_fd);
/* Empties it. */
void net_watch_drain(int fd);

/* A packet socket that only sends. */
MUST_USE int net_raw_open(int *ret_fd);
MUST_USE int net_raw_send(int fd, int ifindex, const void *frame, size_t n);
