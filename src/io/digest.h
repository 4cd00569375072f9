#pragma once
/*
 * Checksums as people publish them, piece by piece. OpenSSL's.
 */
#include "base/base.h"

enum digest_kind { DIGEST_MD5, DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA512, DIGEST_N };

enum { DIGEST_HEX_MAX = 129 };

const char *digest_name(enum digest_kind kind); /* "sha256" */
/* By the number of hexadecimal digits; false when there is none of that length. */
bool digest_kind_of(size_t n_digits, enum digest_kind *ret);

struct digest;
MUST_USE int digest_new(enum digest_kind kind, struct digest **ret); /* -ENOMEM */
struct digest *digest_free(struct digest *digest);
void digest_add(struct digest *digest, const void *data, size_t n);
/* In lower case; the digest is over then. */
void digest_hex(struct digest *digest, char ret[static DIGEST_HEX_MAX]);
