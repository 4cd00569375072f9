#pragma once
/*
 * What XDR (RFC 4506) adds to the cursor: bytes of variable length, padded to four.
 * Numbers are the cursor's own be32 and be64.
 */
#include "base/cursor.h"

/* Zeros behind n bytes: RFC 4506 4.10. */
static inline size_t xdr_padding(size_t n) {
        return (4 - n % 4) % 4;
}

/* Length, bytes, padding. More than `most` bytes fails the reader. */
struct span xdr_opaque(struct reader *r, size_t most);
void xdr_put_opaque(struct writer *w, const void *data, size_t n);
void xdr_put_string(struct writer *w, const char *s);
