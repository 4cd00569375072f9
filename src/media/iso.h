#pragma once
/*
 * An ISO 9660 image (ECMA-119), with Rock Ridge's, Joliet's or its own names, read into
 * an index without mounting or copying. Reads the image's directories through `fd`; may
 * block on the disk. What an image can make us read, keep and follow is bounded.
 */
#include "media/build.h"

enum media_iso_answer { MEDIA_ISO_OK, MEDIA_ISO_REFUSED };

struct media_iso {
        void *data; /* for media_index_open() and media_build_seal() */
        size_t n;
        char volume[33];
        bool has_rock_ridge;
        /* Files that are left out, since what lies in the image is not their content:
         * compressed (zisofs), sparse, or interleaved. */
        uint32_t n_unreadable;
};

/* MEDIA_ISO_REFUSED appends to `why` what is wrong with the image, for people; below
 * 0 is our own trouble. `fd` stays the caller's. */
MUST_USE int media_iso_read(int fd, uint64_t size, struct media_iso *ret,
                            struct text *why);
void media_iso_done(struct media_iso *iso);
