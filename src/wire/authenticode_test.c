/* Certificates and signatures made here of nothing but what is read. */
#include "wire/authenticode.h"

#include "test/check.h"

enum { ROOM = 2048 };

struct der {
        uint8_t data[ROOM];
        size_t n;
};

static struct der value(uint8_t tag, const void *data, size_t n) {
        struct der d = { { 0 }, 0 };

        assert_true(n + 4 <= ROOM);
        d.data[d.n++] = tag;
        if (n > 127) {
                d.data[d.n++] = 0x82;
                d.data[d.n++] = (uint8_t)(n >> 8);
        }
        d.data[d.n++] = (uint8_t)n;
        memcpy(d.data + d.n, data, n);
        d.n += n;
        return d;
}

static void append(struct der *to, struct der d) {
        assert_true(to->n + d.n <= ROOM);
        memcpy(to->data + to->n, d.data, d.n);
        to->n += d.n;
}

#define NOTHING ((struct der){ { 0 }, 0 })

static struct der wrap(uint8_t tag, struct der inside) {
        return value(tag, inside.data, inside.n);
}

/* A name of a unit and a common name. */
static struct der name(const char *common) {
        static const uint8_t unit[] = { 0x55, 4, 11 }, cn[] = { 0x55, 4, 3 };
        struct der all = NOTHING;
        const struct {
                const uint8_t *oid;
                const char *text;
        } parts[] = { { unit, "a unit" }, { cn, common }, { unit, "another" } };

        for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
                struct der pair = value(6, parts[i].oid, 3);

                append(&pair, value(0x0c, parts[i].text, strlen(parts[i].text)));
                append(&all, wrap(0x31, wrap(0x30, pair)));
        }
        return wrap(0x30, all);
}

static struct der certificate(const char *serial, const char *issuer,
                              const char *subject) {
        struct der body = wrap(0xa0, value(2, "\2", 1));

        append(&body, value(2, serial, strlen(serial)));
        append(&body, value(0x30, "algorithm", 9));
        append(&body, name(issuer));
        append(&body, value(0x30, "validity", 8));
        append(&body, name(subject));
        append(&body, value(0x30, "key", 3));
        return wrap(0x30, wrap(0x30, body));
}

static struct der signer(const char *serial, const char *issuer) {
        struct der id = name(issuer), all = value(2, "\1", 1);

        append(&id, value(2, serial, strlen(serial)));
        append(&all, wrap(0x30, id));
        append(&all, value(0x30, "digest", 6));
        return wrap(0x30, all);
}

static struct der signature(struct der certificates, struct der signers) {
        struct der data = value(2, "\1", 1), all = value(6, "oid", 3);

        append(&data, value(0x31, "digests", 7));
        append(&data, value(0x30, "content", 7));
        append(&data, wrap(0xa0, certificates));
        append(&data, wrap(0x31, signers));
        append(&all, wrap(0xa0, wrap(0x30, data)));
        return wrap(0x30, all);
}

static struct der whole(void) {
        struct der certificates = certificate("\1", "A root", "A root"), signers;

        append(&certificates, certificate("\7", "An authority", "The signer"));
        signers = signer("\7", "An authority");
        append(&signers, signer("\x9", "Somebody else"));
        return signature(certificates, signers);
}

static void a_signer_is_named_by_its_certificate(void **state) {
        struct authenticode_signer signers[4];
        struct der all = whole();

        assert_int_equal(
                authenticode_signers((struct span){ all.data, all.n }, signers, 4), 2);
        assert_string_equal(signers[0].subject, "The signer");
        assert_string_equal(signers[0].issuer, "An authority");
        assert_string_equal(signers[1].subject, ""); /* its certificate is not there */
        assert_string_equal(signers[1].issuer, "Somebody else");
        assert_int_equal(
                authenticode_signers((struct span){ all.data, all.n }, signers, 1), 1);
}

static void a_certificate_has_two_names(void **state) {
        struct der all = certificate("\1", "An authority", "A\tname\x7f");
        struct authenticode_signer s;

        assert_true(authenticode_certificate((struct span){ all.data, all.n }, &s));
        assert_string_equal(s.issuer, "An authority");
        assert_string_equal(s.subject, "A?name?");
}

static void what_is_cut_anywhere_has_no_signer_and_is_read_no_further(void **state) {
        struct authenticode_signer signers[4];
        struct der all = whole();

        for (size_t n = 0; n < all.n; n++) {
                uint8_t *exact = test_malloc(n + 1);

                memcpy(exact, all.data, n);
                assert_int_equal(
                        authenticode_signers((struct span){ exact, n }, signers, 4), 0);
                assert_false(
                        authenticode_certificate((struct span){ exact, n }, signers));
                test_free(exact);
        }
}

static void absurd_lengths_are_refused(void **state) {
        static const char *const absurd[] = {
                "\x30\x80\2\1\1",
                "\x30\x85\1\1\1\1\1",
                "\x30\x84\xff\xff\xff\xff",
                "\x30\x7f",
                "",
        };
        struct authenticode_signer s;

        for (size_t i = 0; i < ARRAY_SIZE(absurd); i++)
                assert_false(authenticode_certificate(
                        (struct span){ (const uint8_t *)absurd[i], strlen(absurd[i]) },
                        &s));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_signer_is_named_by_its_certificate),
                cmocka_unit_test(a_certificate_has_two_names),
                cmocka_unit_test(
                        what_is_cut_anywhere_has_no_signer_and_is_read_no_further),
                cmocka_unit_test(absurd_lengths_are_refused),
        };

        return check_run("authenticode", tests);
}
