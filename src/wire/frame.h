#pragma once
/*
 * One UDP datagram as an Ethernet frame, for a client that has no address yet and so
 * cannot be asked for it (RFC 2131 4.1, RFC 791, RFC 768). Pure.
 */
#include "base/addr.h"

struct frame {
        struct mac source, destination;
        ip4_t from, to;
        uint16_t from_port, to_port;
};

enum { FRAME_OVERHEAD = 14 + 20 + 8 };

/* Bytes written, or 0 when it does not fit into n. */
size_t frame_build(uint8_t *ret, size_t n, const struct frame *frame, const void *data,
                   size_t n_data);
