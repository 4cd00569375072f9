/*
 * What packet and raw sockets hear: any bytes are a datagram, an ARP packet, an echo
 * reply, router discovery or refused, and what is pointed to lies within them.
 */
#include "fuzz/fuzz.h"
#include "wire/arp.h"
#include "wire/frame.h"
#include "wire/icmp.h"
#include "wire/nd.h"

static void check_within(struct span part, const uint8_t *data, size_t n) {
        assert(part.data >= data && part.n <= n);
        assert((size_t)(part.data - data) <= n - part.n);
}

/* Built again and read again, it is the same. */
static void check_frame(const struct frame *frame, struct span payload) {
        static uint8_t bytes[FRAME_OVERHEAD + 65536];
        struct frame again;
        struct span other;
        size_t n = frame_build(bytes, sizeof(bytes), frame, payload.data, payload.n);

        assert(n == FRAME_OVERHEAD + payload.n);
        assert(frame_parse(bytes + FRAME_ETHERNET, n - FRAME_ETHERNET, true, &again,
                           &other) == 0);
        assert(again.from == frame->from && again.to == frame->to);
        assert(again.from_port == frame->from_port && again.to_port == frame->to_port);
        assert(other.n == payload.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        struct frame frame;
        struct span payload;
        struct icmp_echo echo;
        struct nd_message nd;
        struct arp arp;
        uint8_t bytes[ARP_SIZE];

        if (frame_parse(data, n, n % 2, &frame, &payload) == 0) {
                check_within(payload, data, n);
                check_frame(&frame, payload);
        }
        if (icmp_parse_reply(data, n, &echo))
                check_within(echo.data, data, n);
        if (nd_parse(data, n, &nd))
                assert(n >= 8 && (nd.is_advertisement || nd.lifetime == 0));
        if (arp_parse(data, n, &arp)) {
                arp_build(bytes, &arp);
                assert(memcmp(bytes, data, ARP_SIZE) == 0);
        }
        return 0;
}
