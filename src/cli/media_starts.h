#pragma once
/*
 * Private to `bootjack media`: how each entry of a medium is started on each firmware,
 * in the words of the menu that will start it (role/menu_preview.h), and by which
 * signed chain.
 */
#include "cli/media.h"

/*
 * Adds to the medium's JSON "server" and "secure_boot", and to each entry that boots
 * "starts": an object for each firmware with `firmware`, `loader`, `dialect`, `install`
 * (the package, where the loader is not here), `pinned` (the kind that a machine has to
 * be pinned to), `kernel`, `install_kernel` (where to get it, when it is a helper such
 * as memdisk and not here), `initrd`, `args`, `lines`, `why_not`. 0; -ENOMEM.
 */
MUST_USE int media_starts_add(json_t *medium, const struct media_here *here,
                              const struct conf *conf);

/* The same for people, of one entry and of the medium's chains. Nothing where
 * media_starts_add() was not asked. */
void media_starts_show_args(const json_t *entry, struct text *out);
void media_starts_show(const json_t *entry, struct text *out);
void media_starts_show_chains(const json_t *medium, struct text *out);
