/* RFC 4506: the external data representation. */
#include "wire/xdr.h"

/* RFC 4506 4.10: a length, the bytes, and zeros up to a multiple of four. What stands
 * in the padding of others is their affair. */
struct span xdr_opaque(struct reader *r, size_t most) {
        size_t n = reader_be32(r);
        struct span s;

        if (n > most) {
                r->failed = true;
                return (struct span){ 0 };
        }
        s = reader_span(r, n);
        (void)reader_span(r, xdr_padding(n));
        return r->failed ? (struct span){ 0 } : s;
}

void xdr_put_opaque(struct writer *w, const void *data, size_t n) {
        writer_be32(w, (uint32_t)n);
        writer_bytes(w, data, n);
        writer_zeros(w, xdr_padding(n));
}

void xdr_put_string(struct writer *w, const char *s) {
        xdr_put_opaque(w, s, strlen(s));
}
