/*
 * DER by hand, as little of it as there are names in: a value is a tag, a definite
 * length and that many bytes, and every step goes into a value that its parent was
 * measured to hold.
 *
 * RFC 5652 5.1 (SignedData), RFC 5280 4.1 (Certificate), RFC 5280 4.1.2.4 (Name).
 */
#include "wire/authenticode.h"

enum {
        DER_INTEGER = 0x02,
        DER_OID = 0x06,
        DER_BMP_STRING = 0x1e,
        DER_SEQUENCE = 0x30,
        DER_SET = 0x31,
        DER_CONTEXT_0 = 0xa0,
        DER_CONTEXT_1 = 0xa1,
};

struct value {
        uint8_t tag;
        struct span all, inside; /* with its head, and without */
};

/* The next value; a failed reader at the end, or when it is no DER. */
static struct value next(struct reader *r) {
        const uint8_t *start = r->data + r->at;
        size_t begin = r->at, n;
        struct value v = { .tag = reader_u8(r) };

        n = reader_u8(r);
        if (n & 0x80) {
                size_t n_bytes = n & 0x7f;

                if (n_bytes == 0 || n_bytes > 4)
                        r->failed = true;
                for (n = 0; n_bytes > 0 && !r->failed; n_bytes--)
                        n = n << 8 | reader_u8(r);
        }
        v.inside = reader_span(r, n);
        if (!r->failed)
                v.all = (struct span){ start, r->at - begin };
        return v;
}

/* The next value if it has this tag; else nothing is consumed, and it is empty. */
static bool next_is(struct reader *r, uint8_t tag, struct value *ret) {
        struct reader ahead = *r;
        struct value v = next(&ahead);

        if (reader_left(r) == 0 || ahead.failed || v.tag != tag)
                return false;
        *r = ahead;
        *ret = v;
        return true;
}

static struct reader into(struct span s) {
        return reader_of(s.data, s.n);
}

static bool is_same(struct span a, struct span b) {
        return a.n == b.n && (a.n == 0 || memcmp(a.data, b.data, a.n) == 0);
}

/* ---- names ---- */

/* Bytes of UTF-8 or ASCII as they are but for controls; of UTF-16 the low ones. */
static void copy_text(struct value v, char out[static AUTHENTICODE_NAME_MAX]) {
        size_t step = v.tag == DER_BMP_STRING ? 2 : 1, n = 0;

        for (size_t i = step - 1; i < v.inside.n && n < AUTHENTICODE_NAME_MAX - 1;
             i += step) {
                uint8_t c = v.inside.data[i];

                out[n++] = (char)(c < 0x20 || c == 0x7f ? '?' : c);
        }
        out[n] = '\0';
}

/* 2.5.4.3 common name, .11 unit, .10 organisation: the first is the best. */
static unsigned rank_of(struct span oid) {
        if (oid.n != 3 || oid.data[0] != 0x55 || oid.data[1] != 4)
                return 0;
        return oid.data[2] == 3 ? 3 : oid.data[2] == 11 ? 2 : oid.data[2] == 10 ? 1 : 0;
}

static void read_name(struct span name, char out[static AUTHENTICODE_NAME_MAX]) {
        struct reader sets = into(name);
        struct value set, pair, oid, text;
        unsigned best = 0;

        out[0] = '\0';
        while (next_is(&sets, DER_SET, &set)) {
                struct reader pairs = into(set.inside);

                while (next_is(&pairs, DER_SEQUENCE, &pair)) {
                        struct reader r = into(pair.inside);

                        if (!next_is(&r, DER_OID, &oid))
                                break;
                        text = next(&r);
                        if (r.failed || rank_of(oid.inside) <= best)
                                continue;
                        best = rank_of(oid.inside);
                        copy_text(text, out);
                }
        }
}

/* ---- certificates ---- */

struct certificate {
        struct span serial, issuer, subject; /* the names with their heads */
};

static bool parse_certificate(struct span inside, struct certificate *ret) {
        struct reader r = into(inside);
        struct value body, v, issuer, subject;

        if (!next_is(&r, DER_SEQUENCE, &body))
                return false;
        r = into(body.inside);
        (void)!next_is(&r, DER_CONTEXT_0, &v); /* the version */
        if (!next_is(&r, DER_INTEGER, &v))
                return false;
        ret->serial = v.inside;
        if (!next_is(&r, DER_SEQUENCE, &v) || !next_is(&r, DER_SEQUENCE, &issuer) ||
            !next_is(&r, DER_SEQUENCE, &v) || !next_is(&r, DER_SEQUENCE, &subject))
                return false;
        ret->issuer = issuer.all;
        ret->subject = subject.all;
        return true;
}

static void name_of(struct span all, char out[static AUTHENTICODE_NAME_MAX]) {
        struct reader r = into(all);

        read_name(next(&r).inside, out);
}

bool authenticode_certificate(struct span der, struct authenticode_signer *ret) {
        struct reader r = into(der);
        struct certificate c;
        struct value v;

        if (!next_is(&r, DER_SEQUENCE, &v) || !parse_certificate(v.inside, &c))
                return false;
        name_of(c.subject, ret->subject);
        name_of(c.issuer, ret->issuer);
        return true;
}

/* ---- signatures ---- */

/* The certificate that a signer names by its issuer and number. */
static bool find_certificate(struct span certificates, struct span issuer,
                             struct span serial, struct certificate *ret) {
        struct reader r = into(certificates);
        struct value v;

        while (next_is(&r, DER_SEQUENCE, &v))
                if (parse_certificate(v.inside, ret) && is_same(ret->serial, serial) &&
                    is_same(ret->issuer, issuer))
                        return true;
        return false;
}

static bool read_signer(struct span certificates, struct span info,
                        struct authenticode_signer *ret) {
        struct reader r = into(info);
        struct value version, id, issuer, serial;
        struct certificate c;

        if (!next_is(&r, DER_INTEGER, &version) || !next_is(&r, DER_SEQUENCE, &id))
                return false;
        r = into(id.inside);
        if (!next_is(&r, DER_SEQUENCE, &issuer) || !next_is(&r, DER_INTEGER, &serial))
                return false;
        name_of(issuer.all, ret->issuer);
        ret->subject[0] = '\0';
        if (find_certificate(certificates, issuer.all, serial.inside, &c))
                name_of(c.subject, ret->subject);
        return true;
}

/* ContentInfo { OID, [0] { SignedData { version, digests, content, [0] certificates,
 * [1] lists, signers } } } */
size_t authenticode_signers(struct span pkcs7, struct authenticode_signer *ret,
                            size_t max) {
        struct span certificates = { 0 };
        struct reader r = into(pkcs7);
        struct value v, infos;
        size_t n = 0;

        if (!next_is(&r, DER_SEQUENCE, &v))
                return 0;
        r = into(v.inside);
        if (!next_is(&r, DER_OID, &v) || !next_is(&r, DER_CONTEXT_0, &v))
                return 0;
        r = into(v.inside);
        if (!next_is(&r, DER_SEQUENCE, &v))
                return 0;
        r = into(v.inside);
        if (!next_is(&r, DER_INTEGER, &v) || !next_is(&r, DER_SET, &v) ||
            !next_is(&r, DER_SEQUENCE, &v))
                return 0;
        if (next_is(&r, DER_CONTEXT_0, &v))
                certificates = v.inside;
        (void)!next_is(&r, DER_CONTEXT_1, &v);
        if (!next_is(&r, DER_SET, &infos))
                return 0;
        r = into(infos.inside);
        while (n < max && next_is(&r, DER_SEQUENCE, &v))
                n += read_signer(certificates, v.inside, &ret[n]);
        return n;
}
