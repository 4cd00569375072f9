/*
 * SHA-crypt (Ulrich Drepper's specification of 2008, which syslinux and every libc
 * follow) and PBKDF2 (RFC 8018 5.2, one block of output).
 */
#include "policy/password.h"

#include "base/sha512.h"

enum {
        CRYPT_ROUNDS = 5000,
        CRYPT_SALT_MAX = 16,
        GRUB_ROUNDS = 10000, /* what grub-mkpasswd-pbkdf2 takes */
        ROUNDS_MAX = 200000, /* of a hash that was written; a second's work */
};

static const char grub_prefix[] = "grub.pbkdf2.sha512.";

/* ---- crypt ---- */

static void add_times(struct sha512 *s, const uint8_t *digest, size_t n) {
        for (; n > SHA512_BYTES; n -= SHA512_BYTES)
                sha512_add(s, digest, SHA512_BYTES);
        sha512_add(s, digest, n);
}

/* The first digest: password, salt, and both mixed by the password's length. */
static void first_digest(const char *typed, size_t n, const char *salt, size_t n_salt,
                         uint8_t ret[static SHA512_BYTES]) {
        uint8_t other[SHA512_BYTES];
        struct sha512 s;

        sha512_init(&s);
        sha512_add(&s, typed, n);
        sha512_add(&s, salt, n_salt);
        sha512_add(&s, typed, n);
        sha512_end(&s, other);
        sha512_init(&s);
        sha512_add(&s, typed, n);
        sha512_add(&s, salt, n_salt);
        add_times(&s, other, n);
        for (size_t bits = n; bits > 0; bits >>= 1)
                if (bits & 1)
                        sha512_add(&s, other, SHA512_BYTES);
                else
                        sha512_add(&s, typed, n);
        sha512_end(&s, ret);
}

static void repeated(const char *what, size_t n, size_t times,
                     uint8_t ret[static SHA512_BYTES]) {
        struct sha512 s;

        sha512_init(&s);
        for (size_t i = 0; i < times; i++)
                sha512_add(&s, what, n);
        sha512_end(&s, ret);
}

static void add_base64(struct text *out, unsigned v, size_t n) {
        static const char digits[] =
                "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

        for (size_t i = 0; i < n; i++, v >>= 6)
                text_char(out, digits[v & 63]);
}

static void add_digest(struct text *out, const uint8_t *digest) {
        size_t a = 0, b = 21, c = 42;

        for (size_t i = 0; i < 21; i++) {
                size_t next = a + 1;

                add_base64(out,
                           (unsigned)(digest[a] << 16 | digest[b] << 8 | digest[c]), 4);
                a = b + 1;
                b = c + 1;
                c = next;
        }
        add_base64(out, digest[63], 2);
}

void password_crypt(const char *typed, const char *salt, unsigned rounds,
                    struct text *out) {
        size_t n = strlen(typed), n_salt = min_size(strcspn(salt, "$"), CRYPT_SALT_MAX);
        uint8_t digest[SHA512_BYTES], p[SHA512_BYTES], s[SHA512_BYTES];
        struct sha512 sha;

        first_digest(typed, n, salt, n_salt, digest);
        repeated(typed, n, n, p);
        repeated(salt, n_salt, 16 + (size_t)digest[0], s);
        for (unsigned i = 0; i < rounds; i++) {
                sha512_init(&sha);
                if (i & 1)
                        add_times(&sha, p, n);
                else
                        sha512_add(&sha, digest, sizeof(digest));
                if (i % 3)
                        add_times(&sha, s, n_salt);
                if (i % 7)
                        add_times(&sha, p, n);
                if (i & 1)
                        sha512_add(&sha, digest, sizeof(digest));
                else
                        add_times(&sha, p, n);
                sha512_end(&sha, digest);
        }
        text_add(out, "$6$");
        if (rounds != CRYPT_ROUNDS) {
                text_add(out, "rounds=");
                text_u64(out, rounds);
                text_char(out, '$');
        }
        text_bytes(out, salt, n_salt);
        text_char(out, '$');
        add_digest(out, digest);
}

/* ---- PBKDF2 ---- */

static void add_hex(struct text *out, const uint8_t *bytes, size_t n) {
        static const char hex[] = "0123456789ABCDEF";

        for (size_t i = 0; i < n; i++) {
                text_char(out, hex[bytes[i] >> 4]);
                text_char(out, hex[bytes[i] & 15]);
        }
}

void password_pbkdf2(const char *typed, const uint8_t *salt, size_t n_salt,
                     unsigned rounds, struct text *out) {
        uint8_t first[128 + 4] = { 0 }, u[SHA512_BYTES], sum[SHA512_BYTES];
        size_t n = strlen(typed);

        n_salt = min_size(n_salt, sizeof(first) - 4);
        memcpy(first, salt, n_salt);
        first[n_salt + 3] = 1; /* the number of the block, which is the only one */
        sha512_hmac(typed, n, first, n_salt + 4, u);
        memcpy(sum, u, sizeof(sum));
        for (unsigned i = 1; i < rounds; i++) {
                sha512_hmac(typed, n, u, sizeof(u), u);
                for (size_t j = 0; j < sizeof(sum); j++)
                        sum[j] ^= u[j];
        }
        text_add(out, grub_prefix);
        text_u64(out, rounds);
        text_char(out, '.');
        add_hex(out, salt, n_salt);
        text_char(out, '.');
        add_hex(out, sum, sizeof(sum));
}

/* ---- the forms ---- */

enum password_kind password_kind(const char *written) {
        size_t n = strlen(written);

        for (size_t i = 0; i < n; i++)
                if (written[i] < 0x20 || written[i] > 0x7e)
                        return PASSWORD_BAD;
        if (strncmp(written, grub_prefix, strlen(grub_prefix)) == 0)
                return n < PASSWORD_FORM_MAX ? PASSWORD_GRUB : PASSWORD_BAD;
        if (n > 3 && written[0] == '$' && strchr("1456", written[1]) &&
            written[2] == '$')
                return n < PASSWORD_FORM_MAX ? PASSWORD_SYSLINUX : PASSWORD_BAD;
        return n > 0 && n < sizeof(((struct password *)0)->clear) ? PASSWORD_CLEAR
                                                                  : PASSWORD_BAD;
}

static void keep(struct text *form, char ret[static PASSWORD_FORM_MAX]) {
        if (!form->failed && form->n < PASSWORD_FORM_MAX)
                memcpy(ret, text_string(form), form->n + 1);
        text_done(form);
}

static void make_both(const char *clear, const uint8_t *salt, struct password *ret) {
        struct text form = { 0 }, salt_text = { 0 };

        memcpy(ret->clear, clear, strlen(clear) + 1);
        for (size_t i = 0; i < 12; i += 3)
                add_base64(&salt_text,
                           (unsigned)(salt[i] << 16 | salt[i + 1] << 8 | salt[i + 2]),
                           4);
        password_crypt(clear, text_string(&salt_text), CRYPT_ROUNDS, &form);
        keep(&form, ret->syslinux);
        password_pbkdf2(clear, salt, PASSWORD_SALT, GRUB_ROUNDS, &form);
        keep(&form, ret->grub);
        text_done(&salt_text);
}

void password_make(const char *const *written, size_t n,
                   const uint8_t salt[static PASSWORD_SALT], struct password *ret) {
        *ret = (struct password){ 0 };
        for (size_t i = 0; i < n; i++) {
                const char *s = written[i] ? written[i] : "";

                ret->is_on |= *s != '\0'; /* also when it is a bad one: nobody enters */
                switch (password_kind(s)) {
                case PASSWORD_CLEAR:
                        make_both(s, salt, ret);
                        break;
                case PASSWORD_SYSLINUX:
                        memcpy(ret->syslinux, s, strlen(s) + 1);
                        break;
                case PASSWORD_GRUB:
                        memcpy(ret->grub, s, strlen(s) + 1);
                        break;
                case PASSWORD_BAD:
                        break;
                }
        }
}

/* ---- what was typed ---- */

/* In a time that does not tell where they differ. */
static bool is_same(const char *a, const char *b) {
        size_t n = strlen(a);
        unsigned different = strlen(b) != n;

        for (size_t i = 0; i < n && !different; i++)
                different |= (unsigned)(a[i] ^ b[i]) << 1;
        return different == 0;
}

static bool parse_rounds(const char **s, unsigned *ret) {
        unsigned v = 0;

        while (**s >= '0' && **s <= '9' && v <= ROUNDS_MAX)
                v = v * 10 + (unsigned)(*(*s)++ - '0');
        if (v == 0 || v > ROUNDS_MAX)
                return false;
        *ret = v;
        return true;
}

static bool is_crypt(const char *form, const char *typed) {
        const char *s = form + 3;
        unsigned rounds = CRYPT_ROUNDS;
        struct text made = { 0 };
        bool is;

        if (form[1] != '6')
                return false;
        if (strncmp(s, "rounds=", 7) == 0) {
                s += 7;
                if (!parse_rounds(&s, &rounds) || *s++ != '$')
                        return false;
        }
        password_crypt(typed, s, rounds, &made);
        is = is_same(form, text_string(&made));
        text_done(&made);
        return is;
}

static int hex_value(char c) {
        c = (char)(c >= 'a' && c <= 'f' ? c - 'a' + 'A' : c);
        return c >= '0' && c <= '9'   ? c - '0'
               : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                      : -1;
}

static bool is_pbkdf2(const char *form, const char *typed) {
        const char *s = form + strlen(grub_prefix);
        struct text made = { 0 };
        uint8_t salt[128];
        unsigned rounds;
        size_t n = 0;
        bool is;

        if (!parse_rounds(&s, &rounds) || *s++ != '.')
                return false;
        while (n < sizeof(salt) && hex_value(s[0]) >= 0 && hex_value(s[1]) >= 0) {
                salt[n++] = (uint8_t)(hex_value(s[0]) << 4 | hex_value(s[1]));
                s += 2;
        }
        password_pbkdf2(typed, salt, n, rounds, &made);
        is = is_same(form, text_string(&made));
        text_done(&made);
        return is;
}

bool password_is(const struct password *password, const char *typed) {
        if (!password->is_on || *typed == '\0')
                return false;
        if (password->clear[0])
                return is_same(password->clear, typed);
        return (password->syslinux[0] && is_crypt(password->syslinux, typed)) ||
               (password->grub[0] && is_pbkdf2(password->grub, typed));
}
