#pragma once
/*
 * A text handed to another process as a descriptor, for what is too long for a message:
 * memory that nobody can change or cut any more, so that whoever maps it reads the same
 * bytes for as long as it likes and cannot be made to fault.
 */
#include "base/base.h"

/* The caller closes *ret_fd. -errno. */
MUST_USE int sealed_new(const void *data, size_t n, int *ret_fd);

struct sealed {
        const char *data; /* not terminated; "" when it is empty */
        size_t n;
};

/* Maps it; `fd` stays the caller's and may be closed. -EPERM: it is not sealed;
 * -EFBIG: more than `most` bytes; or -errno. */
MUST_USE int sealed_open(int fd, size_t most, struct sealed *ret);
void sealed_done(struct sealed *sealed);
