#pragma once
/*
 * Small files that a medium's own loaders and systems ask for, written for the
 * network: what ESXi's boot loader reads, what Windows PE runs. What comes from the
 * medium is data; nothing of it becomes a command of ours. Pure.
 */
#include "base/text.h"

/* Whether the medium has a file of this name. */
typedef bool (*made_has_file_fn)(const char *path, size_t n, void *userdata);

/* boot.cfg of ESXi from the medium's own (`n` bytes of it): `prefix` is where its files
 * are, kernel and modules are named below that, and `args` (may be "") join the options
 * of its kernel. False when it is no boot.cfg: it names no kernel. */
MUST_USE bool made_boot_cfg(const char *from, size_t n, const char *prefix,
                            const char *args, made_has_file_fn has, void *userdata,
                            struct text *out);

/* Windows PE: what is run first, and what that does. `tree` is the medium's URL. */
void made_winpeshl(struct text *out);
void made_startnet(const char *tree, struct text *out);
