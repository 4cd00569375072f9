#pragma once
/*
 * The files of a medium, whatever it is: an image with its index, or the folder of an
 * extracted tree. What recognition looks through. Reads are bounded; nothing is ever
 * opened outside.
 */
#include "media/index.h"

struct media_tree {
        bool is_folder;
        int fd;                   /* borrowed: of the image, or of the folder */
        struct media_index index; /* of an image */
        const char *volume;       /* an image's volume name; "" */
};

bool media_tree_has_file(const struct media_tree *tree, const char *path);
/* At most n - 1 bytes from the beginning, terminated; -ENOENT. */
int64_t media_tree_read(const struct media_tree *tree, const char *path, char *ret,
                        size_t n);

enum { MEDIA_TREE_PATH_MAX = 512 };
/* The first file in byte order whose path fits the pattern, where each segment may be
 * a pattern as in fnmatch(3) ("live/vmlinuz*"). */
MUST_USE bool media_tree_find(const struct media_tree *tree, const char *pattern,
                              char ret[static MEDIA_TREE_PATH_MAX]);
