#pragma once
/*
 * Who signed a boot program, from the disk or from inside a medium, and how that is
 * said. Reads; may block on the disk.
 */
#include "media/signature.h"
#include "media/tree.h"

/* False when there is no such file. One that is no program has no signers. */
MUST_USE bool signed_read_host(const char *path, struct signature *ret);
MUST_USE bool signed_read_inside(const struct media_tree *tree, const char *path,
                                 struct signature *ret);

/* "nobody", or by whose certificates, and whom a shim trusts. Nothing of what is no
 * program of UEFI. */
void signed_add(const struct signature *s, struct text *out);
