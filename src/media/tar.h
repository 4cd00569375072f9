#pragma once
/*
 * A tar file read in place into an index, as media/iso.h does for ISO 9660: its files
 * lie in it in one piece each. POSIX's ustar and pax, GNU's long names, and the bare
 * kind of before; a name that leads upwards, out or nowhere hides its file.
 */
#include "media/iso.h"

/* Whether 512 bytes are the head of a file in a tar. */
bool media_tar_is(const uint8_t *head, size_t n);

/* As media_iso_read(). */
MUST_USE int media_tar_read(int fd, uint64_t size, struct media_iso *ret,
                            struct text *why);
