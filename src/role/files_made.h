#pragma once
/*
 * Puts a made file together from what the core says of it (ipc/pieces.h).
 */
#include "ipc/pieces.h"
#include "vtree/vtree.h"

/* `fd`, of the bytes, is taken over, also on failure. VTREE_OK with a reference in
 * *ret, VTREE_NOT_FOUND when a file that it is made of is not there, or not of the size
 * that it should have, another answer of the tree's, or -errno. */
MUST_USE int files_made(struct vtree *tree, const char *path, int fd, const void *tail,
                        size_t n_tail, struct vtree_file **ret);

/* A file of the tree by its path, or in whatever case the medium has it. */
MUST_USE int files_made_open(struct vtree *tree, const char *path,
                             struct vtree_file **ret);
