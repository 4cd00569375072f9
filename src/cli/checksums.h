#pragma once
/*
 * Lists of checksums as they are published: SHA256SUMS and md5sum.txt ("HEX  NAME", the
 * name perhaps with a star or "./" before it), BSD's ("SHA256 (NAME) = HEX"), the
 * [checksums] of a .treeinfo ("NAME = sha256:HEX"), and a checksum alone. Pure.
 */
#include "io/digest.h"

struct checksum {
        enum digest_kind kind;
        char hex[DIGEST_HEX_MAX];
        const char *name; /* in the list, not terminated; NULL: a checksum alone */
        size_t n_name;
};

/* The next line of *at, which goes on behind it; false at the end. What is no checksum
 * is passed over. */
bool checksums_next(const char **at, const char *end, struct checksum *ret);

/* That of a file by its base name, the strongest kind if there are several; of a list
 * with nothing but one checksum, that. */
bool checksums_find(const char *list, size_t n, const char *name, struct checksum *ret);

/* "sha256:HEX", or HEX alone. */
bool checksum_parse(const char *s, struct checksum *ret);
