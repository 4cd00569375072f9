#pragma once
/*
 * Echo and echo reply of ICMP (RFC 792). Pure.
 */
#include "base/cursor.h"

struct icmp_echo {
        ip4_t from; /* of a reply: whose it is */
        uint16_t identifier, sequence;
        struct span data; /* comes back as it was sent */
};

enum { ICMP_ECHO_HEADER = 8 };

/* The ICMP part alone: a raw socket puts the IPv4 header before it. `from` is not
 * looked at. Bytes written, or 0 when it does not fit into n. */
size_t icmp_build_echo(uint8_t *ret, size_t n, const struct icmp_echo *echo);
/* From the IPv4 header on, as a raw socket gives it. False when it is no whole echo
 * reply; data points into `data`. */
MUST_USE bool icmp_parse_reply(const void *data, size_t n, struct icmp_echo *ret);
