#pragma once
/*
 * Router discovery of IPv6 (RFC 4861 4.1, 4.2): the question, and the one answer that
 * we ever give, of somebody who is no router. Pure.
 */
#include "base/addr.h"
#include "base/cursor.h"

enum { ND_ROUTER_SOLICITATION = 133, ND_ROUTER_ADVERTISEMENT = 134 };
enum { ND_ADVERTISEMENT_SIZE = 16 };

struct nd_message {
        bool is_advertisement;
        struct mac mac;    /* of a solicitation: who asks; zero when it does not say */
        uint16_t lifetime; /* of an advertisement: seconds; 0: it is no router */
};

/* From the ICMPv6 header on, as a raw socket gives it, which has looked at the
 * checksum. False when it is neither, or one that RFC 4861 6.1 tells to drop. */
MUST_USE bool nd_parse(const void *data, size_t n, struct nd_message *ret);
/* "I am no router, and there is nothing to be learned from me": no lifetime, no prefix,
 * no flag. The kernel puts the checksum in (RFC 3542 3.1). */
void nd_build_no_router(uint8_t ret[static ND_ADVERTISEMENT_SIZE]);
