#pragma once
/*
 * The files of a medium as recognition sees them: the inside of an image by its index,
 * or an extracted tree by its folder, never outside it. Reads only; may block on the
 * disk. Borrows everything.
 */
#include "media/index.h"

struct media_tree {
        const struct media_index *index; /* NULL: an extracted tree */
        int fd;                          /* of the image, or of the tree's top */
        const char *image; /* what /iso/NAME of it ends with; NULL: it has none */
};

enum { MEDIA_TREE_TEXT_MAX = 64 << 10 };

/* The first match in byte order of a path whose segments may hold wildcards (fnmatch);
 * a pattern that ends with '/' wants a folder, any other a file. What it costs is
 * bounded; a tree with more names than that is searched in part. */
MUST_USE bool media_tree_find(const struct media_tree *tree, const char *pattern,
                              struct text *ret_path);

bool media_tree_has(const struct media_tree *tree, const char *path);

/* The names in a folder, of files, that match one wildcard: at most `max`, in byte
 * order, each for free(). How many there are. */
size_t media_tree_list(const struct media_tree *tree, const char *folder,
                       const char *pattern, char *ret_names[], size_t max);

/* Bytes of a file: how many were there, or -errno. */
MUST_USE int media_tree_read(const struct media_tree *tree, const char *path,
                             uint64_t offset, void *buffer, size_t n);
/* 0 when there is no such file. */
uint64_t media_tree_size(const struct media_tree *tree, const char *path);
