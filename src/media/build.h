#pragma once
/*
 * Building an index: a reader of some kind of image adds folders, files and links in
 * the order in which it meets them; the result is one run of bytes that
 * media_index_open() accepts, and in the end a sealed memfd.
 *
 * Everything is counted: an image can make us keep only so much.
 */
#include "media/index.h"

enum {
        MEDIA_BUILD_NODES_MAX = 1 << 20,
        MEDIA_BUILD_DEPTH_MAX = 64,
        MEDIA_BUILD_STRING_BYTES_MAX = 64 << 20, /* of names and link texts */
};

enum media_build_answer {
        MEDIA_BUILD_OK,
        MEDIA_BUILD_BAD_NAME, /* not added: a name that no path can hold */
        MEDIA_BUILD_TOO_MANY, /* a limit above */
        MEDIA_BUILD_TOO_DEEP,
        MEDIA_BUILD_OUTSIDE, /* an extent that lies outside the image */
};

struct media_build;

MUST_USE int media_build_new(uint64_t image_size, struct media_build **ret);
struct media_build *media_build_free(struct media_build *build);

/* Node 0 is the top. Positive answers above, or -ENOMEM. `ret_node` names the node
 * for its children and extents. Of two equal names in a folder the first stays. */
MUST_USE int media_build_folder(struct media_build *build, uint32_t parent,
                                const char *name, nsec_t mtime, uint32_t *ret_node);
MUST_USE int media_build_file(struct media_build *build, uint32_t parent,
                              const char *name, nsec_t mtime, uint32_t *ret_node);
MUST_USE int media_build_link(struct media_build *build, uint32_t parent,
                              const char *name, nsec_t mtime, const char *target);
/* Permission bits, of what was added last. */
void media_build_mode(struct media_build *build, uint32_t mode);
/* The next piece of a file, right after the file was added. Pieces of no length are
 * left out; neighbours are joined. */
MUST_USE int media_build_extent(struct media_build *build, uint32_t file,
                                uint64_t offset, uint64_t length);

/* How long the file is that begins there; 0 when none does. Looks at all of them. */
uint64_t media_build_size_at(const struct media_build *build, uint64_t offset);

/* An index in memory, for free(); it says nothing about the medium yet. -ENOMEM. */
MUST_USE int media_build_finish(struct media_build *build, void **ret_data,
                                size_t *ret_n);

/* The same bytes (or, when `data` is NULL, those of a tree) with what is now known
 * about the medium, in a memfd that nobody can write, grow or shrink any more. */
MUST_USE int media_build_seal(const void *data, size_t n, const struct medium *medium,
                              int *ret_fd);
