#pragma once
/*
 * A compressed archive made into a plain tar file: gzip, xz, bzip2, zstd, lzip, or
 * nothing at all. Only the compression is taken off; what the tar holds, its names
 * above all, is nobody's business here, and no file of it is ever made.
 *
 * Blocks on the disk; bounded in what it writes.
 */
#include "base/text.h"

enum expand_answer { EXPAND_OK, EXPAND_REFUSED };

struct expand_limits {
        uint64_t bytes;      /* at most so many are written */
        uint64_t free_bytes; /* so many must stay free where they are written to */
};

/* How much of `from` has been read, again and again. False: give up, with -ECANCELED.
 */
typedef bool (*expand_progress_fn)(uint64_t n_read, void *userdata);

/* Reads `from` from its beginning, writes to `to`; both stay the caller's.
 * EXPAND_REFUSED appends to `why` a reason for people; -errno is the machine's
 * trouble. */
MUST_USE int expand_archive(int from, int to, const struct expand_limits *limits,
                            expand_progress_fn progress, void *userdata,
                            struct text *why);
