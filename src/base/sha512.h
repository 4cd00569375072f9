#pragma once
/*
 * SHA-512 (FIPS 180-4 6.4) and HMAC with it (RFC 2104), for what loaders check
 * passwords by. Pure.
 */
#include "base/base.h"

enum { SHA512_BYTES = 64, SHA512_BLOCK = 128 };

struct sha512 {
        uint64_t h[8];
        uint64_t n; /* bytes so far */
        uint8_t block[SHA512_BLOCK];
};

void sha512_init(struct sha512 *s);
void sha512_add(struct sha512 *s, const void *data, size_t n);
void sha512_end(struct sha512 *s, uint8_t ret[static SHA512_BYTES]);

void sha512_hmac(const void *key, size_t n_key, const void *data, size_t n,
                 uint8_t ret[static SHA512_BYTES]);
