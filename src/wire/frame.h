#pragma once
/*
 * One UDP datagram as an Ethernet frame, for a client that has no address yet and so
 * cannot be asked for it (RFC 2131 4.1, RFC 791, RFC 768); and the reverse, for what a
 * packet socket overhears. Pure.
 */
#include "base/addr.h"
#include "base/cursor.h"

struct frame {
        struct mac source, destination;
        ip4_t from, to;
        uint16_t from_port, to_port;
};

enum { FRAME_ETHERNET = 14, FRAME_OVERHEAD = FRAME_ETHERNET + 20 + 8 };

/* Bytes written, or 0 when it does not fit into n. What follows FRAME_ETHERNET is the
 * IPv4 datagram. */
size_t frame_build(uint8_t *ret, size_t n, const struct frame *frame, const void *data,
                   size_t n_data);

enum frame_answer {
        FRAME_CUT = 1,  /* shorter than it says, or than its headers */
        FRAME_NOT_UDP,  /* not IPv4, or another protocol in it */
        FRAME_FRAGMENT, /* nobody cuts a DHCP message; we put none together */
        FRAME_BAD_SUM,
};

/* From the IPv4 header on; what is behind its end (Ethernet's padding) is left out.
 * `is_summed`: the sum of UDP is there; it is not, yet, in what this very host sends
 * through a card that makes it. The MACs of *ret are zero; *ret_data points into
 * `data`. 0 or an answer. */
MUST_USE int frame_parse(const void *data, size_t n, bool is_summed, struct frame *ret,
                         struct span *ret_data);
