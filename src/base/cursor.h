#pragma once
/*
 * A reader and a writer over a caller's buffer, each with a sticky failure: code
 * that parses or builds is a straight line and looks once, at the end.
 *
 * A failed reader yields zeros and empty spans and stays failed; a writer that
 * would overflow writes nothing more and stays failed. Neither allocates.
 */
#include "base/base.h"

struct span {
        const uint8_t *data; /* borrowed; may be NULL when n is 0 */
        size_t n;
};

struct reader {
        const uint8_t *data;
        size_t n, at; /* invariant: at <= n */
        bool failed;
};

static inline struct reader reader_of(const void *data, size_t n) {
        return (struct reader){ .data = data, .n = n };
}
static inline size_t reader_left(const struct reader *r) {
        return r->failed ? 0 : r->n - r->at;
}
/* The next n bytes, or an empty span and a failed reader. */
struct span reader_span(struct reader *r, size_t n);
uint8_t reader_u8(struct reader *r);
uint16_t reader_be16(struct reader *r);
uint32_t reader_be32(struct reader *r);
uint64_t reader_be64(struct reader *r);
/* The bytes up to a NUL, which is consumed and not counted; fails without one. */
struct span reader_cstring(struct reader *r);

struct writer {
        uint8_t *data;
        size_t n, at; /* n is the room; at is what is written */
        bool failed;
};

static inline struct writer writer_of(void *data, size_t n) {
        return (struct writer){ .data = data, .n = n };
}
void writer_bytes(struct writer *w, const void *data, size_t n);
void writer_zeros(struct writer *w, size_t n);
void writer_u8(struct writer *w, uint8_t v);
void writer_be16(struct writer *w, uint16_t v);
void writer_be32(struct writer *w, uint32_t v);
void writer_be64(struct writer *w, uint64_t v);
void writer_text(struct writer *w, const char *s);    /* without its NUL */
void writer_cstring(struct writer *w, const char *s); /* with its NUL */
