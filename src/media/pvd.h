#pragma once
/*
 * The volume descriptors of an ISO 9660 image (ECMA-119 8), read by hand before any
 * library looks at the image: is it one, and is all of it there? Pure.
 */
#include "base/text.h"

enum {
        PVD_SECTOR = 2048,
        PVD_FIRST = 16,       /* the descriptors begin here */
        PVD_SECTORS_MAX = 16, /* how many we look at */
        PVD_BYTES = PVD_SECTORS_MAX * PVD_SECTOR,
};

enum pvd_verdict { PVD_OK, PVD_NOT_ISO, PVD_DAMAGED, PVD_TRUNCATED };

struct pvd {
        char volume[33]; /* the volume's name, without its padding */
        uint64_t size;   /* bytes, as the image says of itself */
};

/* `data` holds up to PVD_BYTES from sector PVD_FIRST on; `n_file` is the size of the
 * whole file. Anything but PVD_OK appends to `why` a sentence for the person who
 * copied the file, and leaves *ret untouched. */
enum pvd_verdict pvd_parse(const uint8_t *data, size_t n, uint64_t n_file,
                           struct pvd *ret, struct text *why);
