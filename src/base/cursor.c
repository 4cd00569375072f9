/*
 * The bounded cursor that every codec reads and writes through. All bounds checks
 * of the wire half are the two `if`s in reader_span() and writer_room().
 */
#include "base/cursor.h"

struct span reader_span(struct reader *r, size_t n) {
        struct span s;

        if (r->failed || n > r->n - r->at) {
                r->failed = true;
                return (struct span){ 0 };
        }
        s = (struct span){ r->data + r->at, n };
        r->at += n;
        return s;
}

uint8_t reader_u8(struct reader *r) {
        struct span s = reader_span(r, 1);
        return s.n ? s.data[0] : 0;
}

uint16_t reader_be16(struct reader *r) {
        struct span s = reader_span(r, 2);
        return s.n ? load_be16(s.data) : 0;
}

uint32_t reader_be32(struct reader *r) {
        struct span s = reader_span(r, 4);
        return s.n ? load_be32(s.data) : 0;
}

uint64_t reader_be64(struct reader *r) {
        struct span s = reader_span(r, 8);
        return s.n ? load_be64(s.data) : 0;
}

struct span reader_cstring(struct reader *r) {
        const uint8_t *start = r->data + r->at, *end;
        struct span s;

        end = reader_left(r) ? memchr(start, 0, r->n - r->at) : NULL;
        if (!end) {
                r->failed = true;
                return (struct span){ 0 };
        }
        s = reader_span(r, (size_t)(end - start));
        r->at++;
        return s;
}

static uint8_t *writer_room(struct writer *w, size_t n) {
        uint8_t *p;

        if (w->failed || n > w->n - w->at) {
                w->failed = true;
                return NULL;
        }
        p = w->data + w->at;
        w->at += n;
        return p;
}

void writer_bytes(struct writer *w, const void *data, size_t n) {
        uint8_t *p = n ? writer_room(w, n) : NULL;
        if (p)
                memcpy(p, data, n);
}

void writer_zeros(struct writer *w, size_t n) {
        uint8_t *p = n ? writer_room(w, n) : NULL;
        if (p)
                memset(p, 0, n);
}

void writer_u8(struct writer *w, uint8_t v) {
        uint8_t *p = writer_room(w, 1);
        if (p)
                *p = v;
}

void writer_be16(struct writer *w, uint16_t v) {
        uint8_t *p = writer_room(w, 2);
        if (p)
                store_be16(p, v);
}

void writer_be32(struct writer *w, uint32_t v) {
        uint8_t *p = writer_room(w, 4);
        if (p)
                store_be32(p, v);
}

void writer_be64(struct writer *w, uint64_t v) {
        uint8_t *p = writer_room(w, 8);
        if (p)
                store_be64(p, v);
}

void writer_text(struct writer *w, const char *s) {
        writer_bytes(w, s, strlen(s));
}

void writer_cstring(struct writer *w, const char *s) {
        writer_bytes(w, s, strlen(s) + 1);
}
