#pragma once
/*
 * A raw socket of ICMPv6 on one interface that hears routers, and who asks for them.
 */
#include "base/addr.h"
#include "wire/nd.h"

/* By who has the right to: the parent. -ENODEV and the like where the interface has no
 * IPv6. */
MUST_USE int icmp6_open(const char *interface, int ifindex, int *ret_fd);
/* The next message that came from the link itself: 1; 0 when there is none; -errno. */
MUST_USE int icmp6_recv(int fd, struct nd_message *ret, struct ip6 *ret_from);
/* To one machine on the interface. Never blocks. */
MUST_USE int icmp6_send(int fd, int ifindex, struct ip6 to, const void *data, size_t n);
