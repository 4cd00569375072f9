#pragma once
/*
 * The images that an ISO boots from (El Torito 1.0; more than one of them as UEFI 2.10,
 * 13.3.2.1 has it), some of which are in no folder: they become files of a folder
 * "[BOOT]", such as 1-BIOS.img and 2-UEFI.img.
 */
#include "media/build.h"

/* Whether a volume descriptor is the one that tells of them. */
bool el_torito_is(const uint8_t *descriptor);
/* After everything else: a boot image that is a file as well is as long as that. What
 * is not sound adds nothing. 0, an answer of media/build.h, or -errno. */
MUST_USE int el_torito_add(int fd, uint64_t size, const uint8_t *descriptor,
                           struct media_build *build);
