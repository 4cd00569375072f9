/* As its authors define it: "SipHash: a fast short-input PRF", 2012. */
#include "base/siphash.h"

struct state {
        uint64_t v0, v1, v2, v3;
};

static uint64_t load_le64(const uint8_t *p, size_t n) {
        uint64_t v = 0;

        for (size_t i = 0; i < n; i++)
                v |= (uint64_t)p[i] << (8 * i);
        return v;
}

static uint64_t rotate(uint64_t v, unsigned n) {
        return v << n | v >> (64 - n);
}

static void mix(struct state *s, unsigned rounds) {
        while (rounds-- > 0) {
                s->v0 += s->v1;
                s->v2 += s->v3;
                s->v1 = rotate(s->v1, 13) ^ s->v0;
                s->v3 = rotate(s->v3, 16) ^ s->v2;
                s->v0 = rotate(s->v0, 32);
                s->v2 += s->v1;
                s->v0 += s->v3;
                s->v1 = rotate(s->v1, 17) ^ s->v2;
                s->v3 = rotate(s->v3, 21) ^ s->v0;
                s->v2 = rotate(s->v2, 32);
        }
}

static void add(struct state *s, uint64_t word) {
        s->v3 ^= word;
        mix(s, 2);
        s->v0 ^= word;
}

uint64_t siphash(const uint8_t key[static SIPHASH_KEY], const void *data, size_t n) {
        uint64_t k0 = load_le64(key, 8), k1 = load_le64(key + 8, 8);
        struct state s = { k0 ^ 0x736f6d6570736575ULL, k1 ^ 0x646f72616e646f6dULL,
                           k0 ^ 0x6c7967656e657261ULL, k1 ^ 0x7465646279746573ULL };
        const uint8_t *p = data;
        size_t left = n;

        for (; left >= 8; left -= 8, p += 8)
                add(&s, load_le64(p, 8));
        add(&s, load_le64(p, left) | (uint64_t)n << 56);
        s.v2 ^= 0xff;
        mix(&s, 4);
        return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
