#include "wire/icmp.h"

#include "wire/checksum.h"

enum { ICMP = 1, ECHO_REPLY = 0, ECHO = 8 };

size_t icmp_build_echo(uint8_t *ret, size_t n, const struct icmp_echo *echo) {
        struct writer w = writer_of(ret, n);

        writer_u8(&w, ECHO);
        writer_u8(&w, 0);
        writer_be16(&w, 0);
        writer_be16(&w, echo->identifier);
        writer_be16(&w, echo->sequence);
        writer_bytes(&w, echo->data.data, echo->data.n);
        if (w.failed)
                return 0;
        store_be16(ret + 2, checksum_fold(checksum_add(0, ret, w.at)));
        return w.at;
}

bool icmp_parse_reply(const void *data, size_t n, struct icmp_echo *ret) {
        const uint8_t *ip = data, *icmp;
        size_t header, length;

        if (n < 20 || ip[0] >> 4 != 4 || ip[9] != ICMP)
                return false;
        header = (ip[0] & 15u) * 4;
        length = load_be16(ip + 2);
        if (header < 20 || length > n || length < header + ICMP_ECHO_HEADER)
                return false;
        icmp = ip + header;
        length -= header;
        if (icmp[0] != ECHO_REPLY || icmp[1] != 0 ||
            checksum_fold(checksum_add(0, icmp, length)) != 0)
                return false;
        *ret = (struct icmp_echo){ .from = load_be32(ip + 12),
                                   .identifier = load_be16(icmp + 4),
                                   .sequence = load_be16(icmp + 6),
                                   .data = { icmp + ICMP_ECHO_HEADER,
                                             length - ICMP_ECHO_HEADER } };
        return true;
}
