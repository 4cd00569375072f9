#pragma once
/*
 * cpio archives as the Linux kernel unpacks them for its initramfs
 * (Documentation/driver-api/early-userspace/buffer-format.rst): "newc", of one regular
 * file. Only what stands before and behind the file is made here; its bytes are
 * somebody else's. Pure.
 */
#include "base/text.h"

/* The format has 32 bits for a size; one less, so that the padding has room, too. */
#define CPIO_SIZE_MAX 0xfffffffcULL

enum {
        CPIO_ALIGN = 4, /* of everything in an archive, and of an archive itself */
        CPIO_TRAILER_MAX = 3 + 124, /* what cpio_trailer() adds at the most */
};

/* What stands before a file of `size` bytes called `name` (without a leading slash);
 * false when it does not fit, with nothing added. */
MUST_USE bool cpio_header(const char *name, uint64_t size, uint64_t mtime,
                          struct text *out);
/* What stands behind it: padding, and the archive's end. A multiple of CPIO_ALIGN is
 * the length of the whole. */
void cpio_trailer(uint64_t size, struct text *out);
