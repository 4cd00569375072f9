#include "wire/frame.h"

#include "base/cursor.h"

/* RFC 1071 */
static uint32_t add_sum(uint32_t sum, const uint8_t *data, size_t n) {
        for (size_t i = 0; i + 1 < n; i += 2)
                sum += load_be16(data + i);
        if (n % 2)
                sum += (uint32_t)data[n - 1] << 8;
        return sum;
}

static uint16_t fold(uint32_t sum) {
        while (sum >> 16)
                sum = (sum & 0xffff) + (sum >> 16);
        return (uint16_t)~sum;
}

size_t frame_build(uint8_t *ret, size_t n, const struct frame *frame, const void *data,
                   size_t n_data) {
        struct writer w = writer_of(ret, n);
        uint8_t *ip = ret + 14, *udp = ret + 34;
        uint16_t sum;

        if (n < FRAME_OVERHEAD || n_data > n - FRAME_OVERHEAD || n_data > 65535 - 28)
                return 0;
        writer_bytes(&w, frame->destination.b, 6);
        writer_bytes(&w, frame->source.b, 6);
        writer_be16(&w, 0x0800);

        writer_be16(&w, 0x4500);
        writer_be16(&w, (uint16_t)(20 + 8 + n_data));
        writer_be32(&w, 0);      /* identification, no fragments */
        writer_be16(&w, 0x4011); /* 64 hops, UDP */
        writer_be16(&w, 0);
        writer_be32(&w, frame->from);
        writer_be32(&w, frame->to);
        store_be16(ip + 10, fold(add_sum(0, ip, 20)));

        writer_be16(&w, frame->from_port);
        writer_be16(&w, frame->to_port);
        writer_be16(&w, (uint16_t)(8 + n_data));
        writer_be16(&w, 0);
        writer_bytes(&w, data, n_data);
        /* RFC 768: the sum covers a pseudo header; one that comes out as 0 is sent as
         * all ones, because 0 says that there is none. */
        sum = fold(add_sum(add_sum((uint32_t)(17 + 8 + n_data), ip + 12, 8), udp,
                           8 + n_data));
        store_be16(udp + 6, sum ? sum : 0xffff);
        return w.at;
}
