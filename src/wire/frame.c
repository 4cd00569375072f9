#include "wire/frame.h"

#include "wire/checksum.h"

enum { UDP = 17 };

/* RFC 768: the sum covers a pseudo header of both addresses, protocol and length. */
static uint16_t udp_sum(const uint8_t *addresses, const uint8_t *udp, size_t n) {
        uint32_t sum = checksum_add((uint32_t)(UDP + n), addresses, 8);

        return checksum_fold(checksum_add(sum, udp, n));
}

size_t frame_build(uint8_t *ret, size_t n, const struct frame *frame, const void *data,
                   size_t n_data) {
        struct writer w = writer_of(ret, n);
        uint8_t *ip = ret + FRAME_ETHERNET, *udp = ip + 20;
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
        store_be16(ip + 10, checksum_fold(checksum_add(0, ip, 20)));

        writer_be16(&w, frame->from_port);
        writer_be16(&w, frame->to_port);
        writer_be16(&w, (uint16_t)(8 + n_data));
        writer_be16(&w, 0);
        writer_bytes(&w, data, n_data);
        /* RFC 768: a sum that comes out as 0 is sent as all ones, because 0 says that
         * there is none. */
        sum = udp_sum(ip + 12, udp, 8 + n_data);
        store_be16(udp + 6, sum ? sum : 0xffff);
        return w.at;
}

/* RFC 791: the lengths of the header and of the whole datagram. */
static int parse_ip(const uint8_t *ip, size_t n, size_t *ret_header, size_t *ret_n) {
        size_t header, total;

        if (n < 20)
                return FRAME_CUT;
        if (ip[0] >> 4 != 4)
                return FRAME_NOT_UDP;
        header = (ip[0] & 15u) * 4;
        total = load_be16(ip + 2);
        if (header < 20 || header > total || total > n)
                return FRAME_CUT;
        if (checksum_fold(checksum_add(0, ip, header)) != 0)
                return FRAME_BAD_SUM;
        if (load_be16(ip + 6) & 0x3fff) /* more fragments, or an offset */
                return FRAME_FRAGMENT;
        *ret_header = header;
        *ret_n = total;
        return 0;
}

int frame_parse(const void *data, size_t n, bool is_summed, struct frame *ret,
                struct span *ret_data) {
        const uint8_t *ip = data, *udp;
        size_t header, length;
        int r = parse_ip(ip, n, &header, &n);

        if (r != 0)
                return r;
        if (ip[9] != UDP)
                return FRAME_NOT_UDP;
        udp = ip + header;
        if (n - header < 8)
                return FRAME_CUT;
        length = load_be16(udp + 4);
        if (length < 8 || length > n - header)
                return FRAME_CUT;
        /* RFC 768: 0 says that there is no sum. */
        if (is_summed && load_be16(udp + 6) && udp_sum(ip + 12, udp, length) != 0)
                return FRAME_BAD_SUM;
        *ret = (struct frame){ .from = load_be32(ip + 12),
                               .to = load_be32(ip + 16),
                               .from_port = load_be16(udp),
                               .to_port = load_be16(udp + 2) };
        *ret_data = (struct span){ udp + 8, length - 8 };
        return 0;
}
