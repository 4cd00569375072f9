#pragma once
/*
 * One menu model into the language of each loader. Labels, titles and helps are data:
 * what a medium says about itself cannot become a command, and no control character
 * reaches a terminal. An entry that a loader has no way to start is left out. Pure.
 */
#include "policy/menu.h"
#include "policy/policy.h"

/* pxelinux.cfg/...: syslinux's own menu.c32; LOCALBOOT 0 for the disk. */
void render_pxelinux(const struct menu *menu, struct text *out);
/* The same names for U-Boot, whose parser knows neither menu.c32 nor sub-menus. */
void render_extlinux(const struct menu *menu, struct text *out);
/* grub/grub.cfg, for GRUB 2.06 as a network image; for the disk a loader found there,
 * else `exit`. */
void render_grub(const struct menu *menu, struct text *out);
/* grub/grub.cfg for a client that chose its disk in another loader's menu already. */
void render_grub_local(const struct menu *menu, struct text *out);
/* boot.ipxe; for the disk `sanboot` on BIOS, on UEFI GRUB, which then asks for the
 * above. */
void render_ipxe(const struct menu *menu, struct text *out);
/* Comes before that: iPXE reads the sizes of its memory and asks again with them in the
 * path (policy/menu_path.h). */
void render_ipxe_memory(const struct menu *menu, struct text *out);
/* What iPXE runs to become GRUB with its whole menu. */
void render_ipxe_grub(const struct menu *menu, struct text *out);
/* One entry, asked for by the above when it was locked and the password is right; and
 * what is answered when that is wrong. */
void render_ipxe_entry(const struct menu *menu, size_t i, struct text *out);
void render_ipxe_refusal(struct text *out);
/* The lines of a menu that start entry i, alone; false when this loader cannot. */
MUST_USE bool render_start(const struct menu *menu, enum policy_dialect dialect,
                           size_t i, struct text *out);
/* What iPXE runs where another loader's menu said "iPXE shell". */
void render_ipxe_shell(struct text *out);
