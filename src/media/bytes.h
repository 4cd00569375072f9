#pragma once
/*
 * What the readers of images share: numbers with the low byte first, as media on which
 * both kinds of machines had to agree have them, and names of two bytes a character.
 * Pure.
 */
#include "base/text.h"

static inline uint16_t le16(const uint8_t *p) {
        return (uint16_t)(p[0] | p[1] << 8);
}
static inline uint32_t le32(const uint8_t *p) {
        return le16(p) | (uint32_t)le16(p + 2) << 16;
}
static inline uint64_t le64(const uint8_t *p) {
        return le32(p) | (uint64_t)le32(p + 4) << 32;
}

/* Characters of `each` bytes, 1 (Latin-1) or 2 (UTF-16, high byte first; half a pair is
 * U+FFFD), as UTF-8. False when one is NUL: then no path can hold the name. */
MUST_USE bool media_add_characters(const uint8_t *p, size_t n, size_t each,
                                   struct text *out);
