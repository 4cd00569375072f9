#pragma once
/*
 * What a GRUB image for UEFI can do: the section "mods" of a program made by
 * grub-mkimage holds its modules, the prefix that it looks for its menu under, and its
 * configuration, if it has one. GRUB is known by what is in there, not by its name.
 * Pure.
 */
#include "base/cursor.h"

struct grub_image {
        uint32_t n_modules;
        bool has_net; /* efinet: the firmware's cards */
        bool has_tftp;
        bool has_http;
        bool keeps_proxy; /* takes its server from a proxy's offer, where there was one
                           */
        bool has_config;  /* one of its own, which says where to go on */
        char prefix[64];  /* "/grub", "(,gpt1)/EFI/fedora"; "" */
};

/* False: no GRUB. */
MUST_USE bool grub_image_parse(struct span mods, struct grub_image *ret);
