#pragma once
/*
 * The image of a disk, a stick or a floppy, read in place into an index: the files of
 * its first FAT file system, and every partition as a file of the folder `[DISK]`,
 * named for its number and what it says it is: `1-EFI.img`, `2-OpenBSD.img`. An image
 * in which nothing of it is found is one file, all of it, under the name that it has.
 */
#include "media/iso.h"

/* As media_iso_read(). */
MUST_USE int media_disk_read(int fd, uint64_t size, const char *name,
                             struct media_iso *ret, struct text *why);
