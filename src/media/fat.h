#pragma once
/*
 * A FAT file system, of 12, 16 or 32 bits, read in place into an index that is being
 * built: floppies, sticks, and the system partition of UEFI. Long names where there
 * are, else the short ones in lower case.
 *
 * Reads through `fd`; may block on the disk. What a file system can make us read, keep
 * and follow is bounded.
 */
#include "media/build.h"

struct media_fat;

/* Looks at the volume of `size` bytes that begins at `at`: 0; MEDIA_FAT_NONE when it
 * is none; -ENOMEM, or -errno of the disk. */
enum media_fat_answer { MEDIA_FAT_OK, MEDIA_FAT_NONE, MEDIA_FAT_DAMAGED };
MUST_USE int media_fat_new(int fd, uint64_t at, uint64_t size, struct media_fat **ret);
struct media_fat *media_fat_free(struct media_fat *fat);

/* Adds its folders and files below the top of what is built. MEDIA_FAT_DAMAGED appends
 * a reason to `why`; what was added until then stays. */
MUST_USE int media_fat_add(struct media_fat *fat, struct media_build *build,
                           struct text *why);
/* Of 33 bytes; "" when it has none; known after media_fat_add(). */
const char *media_fat_label(const struct media_fat *fat);
