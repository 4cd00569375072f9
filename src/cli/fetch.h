#pragma once
/*
 * Downloads by http, https and ftp, which go on where they ended. Blocks.
 */
#include "base/text.h"

enum fetch_answer { FETCH_OK, FETCH_REFUSED, FETCH_NOT_FOUND };

bool fetch_is_url(const char *s);
/* The last segment of its path, unescaped; false when it has none. */
bool fetch_name(const char *url, char *ret, size_t n);
/* Another file in the same folder, for free(). */
char *fetch_beside(const char *url, const char *name);

/* Into `fd`, which is part of a file already when a download was cut: it is gone on
 * with when `validator` (ETag or date of the part; "" none) still is that of the
 * source, begun anew otherwise. Tries again by itself when the connection breaks. The
 * validator of what is fetched now is told before its first byte, so that it can be
 * kept. FETCH_REFUSED appends to `why` a reason for people. */
struct fetch {
        const char *url;
        int fd;
        const char *validator;
        /* False: stop, with -ENOSPC. `total` 0: the source does not say. */
        bool (*begins)(uint64_t total, const char *validator, void *userdata);
        void (*progress)(uint64_t done, uint64_t total, void *userdata);
        void *userdata;
};
MUST_USE int fetch_file(const struct fetch *fetch, struct text *why);

/* A small one, whole, at most `most` bytes. */
MUST_USE int fetch_text(const char *url, size_t most, struct text *ret,
                        struct text *why);
