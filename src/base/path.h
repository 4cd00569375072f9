#pragma once
/*
 * The one place where a stranger's path is made clean, for every door. The result
 * is relative ("" is the top), with single slashes and no "." or "..".
 *
 * Taken as clients send them: leading, trailing and doubled slashes, backslashes
 * (Windows loaders), "." segments. Percent-encoding belongs to HTTP and has been
 * decoded exactly once before; a '%' here is an ordinary character.
 */
#include "base/base.h"

enum { PATH_MAX_BYTES = 1024 };

enum path_verdict {
        PATH_OK,
        PATH_LEAVES, /* a ".." would climb above the top */
        PATH_HAS_NUL,
        PATH_HAS_CONTROL, /* bytes below 0x20 or DEL */
        PATH_NOT_UTF8,    /* among them overlong forms of '/' and '.' */
        PATH_TOO_LONG,
        PATH_HAS_DRIVE, /* "C:" at the start */
};

/* Writes the clean path to out[PATH_MAX_BYTES], terminated. ".." inside the tree is
 * resolved by text: our trees have no links a name could pass through sideways. On
 * any verdict but PATH_OK `out` is untouched. */
enum path_verdict path_clean(const char *in, size_t n, char out[static PATH_MAX_BYTES]);

/* A sentence's end: "the path leaves the tree". */
const char *path_verdict_text(enum path_verdict verdict);
