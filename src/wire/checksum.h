#pragma once
/*
 * The sum of IPv4, UDP and ICMP (RFC 1071): add the 16-bit words of each part, fold at
 * the end. Parts but the last have an even length. Over bytes that hold their own sum
 * the result is 0.
 */
#include "base/base.h"

static inline uint32_t checksum_add(uint32_t sum, const uint8_t *data, size_t n) {
        for (size_t i = 0; i + 1 < n; i += 2)
                sum += load_be16(data + i);
        if (n % 2)
                sum += (uint32_t)data[n - 1] << 8;
        return sum;
}

static inline uint16_t checksum_fold(uint32_t sum) {
        while (sum >> 16)
                sum = (sum & 0xffff) + (sum >> 16);
        return (uint16_t)~sum;
}
