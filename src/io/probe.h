#pragma once
/*
 * Asks the wire whether somebody has an address: by ARP on the same link (RFC 5227
 * 2.1.1), by ICMP echo behind a router (RFC 2131 3.1: "probe the offered address").
 *
 * A probe is sent and forgotten: there is no timer and no list of what was asked, so
 * that thousands are no more work than one. Who asked waits and counts silence for no;
 * every answer is told, also one that comes too late or that nobody asked for.
 */
#include "io/loop.h"
#include "io/net.h"

enum { PROBE_ARP = 1, PROBE_ICMP = 2 };

/* Somebody has it. `who` is zero and `ifindex` 0 when a router stands between. */
typedef void (*probe_fn)(ip4_t address, struct mac who, int ifindex, void *userdata);

struct probe;

/* The sockets, by who has the right to: the parent. */
MUST_USE int probe_open_arp(int *ret_fd);
MUST_USE int probe_open_icmp(int *ret_fd);

MUST_USE int probe_new(struct loop *loop, probe_fn fn, void *userdata,
                       struct probe **ret);
struct probe *probe_free(struct probe *probe);
/* Owns fd, also on failure; replaces an earlier one of this kind. */
MUST_USE int probe_add(struct probe *probe, unsigned how, int fd);
/* By all of `how`; `interface` is for ARP. -ENOTCONN without a socket for it, -ENODEV
 * when the interface is no Ethernet. Never blocks. */
int probe_send(struct probe *probe, unsigned how, ip4_t address,
               const struct net_interface *interface);
