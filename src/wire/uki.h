#pragma once
/*
 * A unified kernel image (UAPI group's specification of that name): a program for UEFI
 * that is a small stub with the kernel, its initrd and its command line as sections
 * behind it. Given the head of a stub, here the head of the whole is made; the bytes
 * that follow are somebody else's. Pure.
 */
#include "base/cursor.h"

enum {
        UKI_ALIGN = 4096, /* where a section may begin, in the file and in memory */
        UKI_SECTIONS_MAX = 8,
        UKI_HEAD_MAX = 4096, /* bytes that a stub's head has at the most */
};

struct uki_section {
        char name[9];       /* ".linux"; at most 8 characters */
        uint64_t offset, n; /* in the file; the offset a multiple of UKI_ALIGN */
};

/* How long the head of this stub is: what has to be made anew, and what follows it is
 * as it was. 0: it is no program for UEFI, or one that is signed, whose signature would
 * cover another file. `stub` is at least its first UKI_HEAD_MAX bytes, or all of it. */
size_t uki_head(struct span stub);

/* Writes the sections into the head; their order is that of their offsets. False, with
 * the head spoiled, when they do not fit: too many for the room in the head, or more
 * than 4 GiB in all. */
MUST_USE bool uki_add(uint8_t *head, size_t n_head, const struct uki_section *sections,
                      size_t n);
