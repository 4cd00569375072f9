/* Checksums, by OpenSSL's one interface to all of them. */
#include "io/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>

struct digest {
        EVP_MD_CTX *context;
        bool failed;
};

static const struct {
        const char *name;
        size_t n_digits;
} kinds[DIGEST_N] = {
        [DIGEST_MD5] = { "md5", 32 },
        [DIGEST_SHA1] = { "sha1", 40 },
        [DIGEST_SHA256] = { "sha256", 64 },
        [DIGEST_SHA512] = { "sha512", 128 },
};

const char *digest_name(enum digest_kind kind) {
        return kinds[kind].name;
}

bool digest_kind_of(size_t n_digits, enum digest_kind *ret) {
        for (unsigned i = 0; i < DIGEST_N; i++)
                if (kinds[i].n_digits == n_digits) {
                        *ret = (enum digest_kind)i;
                        return true;
                }
        return false;
}

int digest_new(enum digest_kind kind, struct digest **ret) {
        struct digest *digest = calloc(1, sizeof(*digest));

        if (digest)
                digest->context = EVP_MD_CTX_new();
        if (!digest || !digest->context ||
            !EVP_DigestInit_ex(digest->context, EVP_get_digestbyname(kinds[kind].name),
                               NULL)) {
                digest_free(digest);
                return -ENOMEM;
        }
        *ret = digest;
        return 0;
}

struct digest *digest_free(struct digest *digest) {
        if (digest)
                EVP_MD_CTX_free(digest->context);
        free(digest);
        return NULL;
}

void digest_add(struct digest *digest, const void *data, size_t n) {
        digest->failed |= !EVP_DigestUpdate(digest->context, data, n);
}

void digest_hex(struct digest *digest, char ret[static DIGEST_HEX_MAX]) {
        static const char digits[] = "0123456789abcdef";
        uint8_t raw[EVP_MAX_MD_SIZE];
        unsigned n = 0;

        if (digest->failed || !EVP_DigestFinal_ex(digest->context, raw, &n))
                n = 0; /* equal to nothing that anybody published */
        for (unsigned i = 0; i < n; i++) {
                ret[2 * i] = digits[raw[i] >> 4];
                ret[2 * i + 1] = digits[raw[i] & 15];
        }
        ret[2 * n] = '\0';
}
