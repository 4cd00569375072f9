#pragma once
/*
 * Whom to tell that there is no router of IPv6. iPXE asks for one at each start and
 * goes on when it has an answer, of whatever kind, or after 15.75 s: pauses of 0.25 s
 * doubled up to 8 s (ipxe, src/net/ndp.c: ipv6conf; since October 2020 from 0.125 s up
 * to 2 s). Where nobody has IPv6 every boot waits that long.
 *
 * Who still asks after three quarters of a second has been answered by nobody: a router
 * answers within half a second (RFC 4861 6.2.6), and who has its answer asks no more.
 * Where a router has been heard of nobody is told anything. Pure; in memory of its own,
 * what is oldest goes.
 */
#include "base/addr.h"

enum { NO_ROUTER_ASKERS = 64, NO_ROUTER_LINKS = 32 };

struct no_router_asker {
        struct mac mac;
        int ifindex;
        nsec_t first, last; /* its questions; 0: none */
};

struct no_router {
        struct no_router_asker askers[NO_ROUTER_ASKERS];
        struct {
                int ifindex;
                nsec_t until;
        } routers[NO_ROUTER_LINKS];
};

/* There is a router on that link, for so many seconds; 0: it is none any more. */
void no_router_heard(struct no_router *s, int ifindex, uint16_t lifetime, nsec_t now);
/* Somebody asks there. True: tell it. */
MUST_USE bool no_router_asked(struct no_router *s, int ifindex, struct mac mac,
                              nsec_t now);
