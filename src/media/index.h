#pragma once
/*
 * The index of one medium: where in the image every file lies, and what the medium
 * is. The library builds it once, seals it in a memfd and hands it to the core and
 * to the files workers, who map it and read it through these functions.
 *
 * Whoever maps an index did not build it: media_index_open() checks every offset,
 * name, link and extent once, and after that nothing here can read out of bounds or
 * loop, whatever the bytes were. Pure, allocates nothing, never blocks.
 *
 * Nodes are numbered; 0 is the top folder. Symbolic links were resolved, inside the
 * image only, when the index was built: a link that leads anywhere shows what it
 * leads to, one that leads out of the image or nowhere is a MEDIA_NODE_DEAD_LINK.
 */
#include "media/medium.h"

struct media_index {
        const uint8_t *data; /* borrowed: the mapping */
        size_t n;
};

enum media_node_kind { MEDIA_NODE_FILE, MEDIA_NODE_FOLDER, MEDIA_NODE_DEAD_LINK };

struct media_node {
        enum media_node_kind kind;
        bool is_link;     /* the name is a link's; the rest is what it leads to */
        const char *link; /* its text, as it stands in the image; "" when it is none */
        uint32_t mode;    /* permission bits; 0: the image does not say */
        const char *name;
        uint64_t size;       /* FILE */
        nsec_t mtime;        /* since 1970 */
        uint32_t n_extents;  /* FILE: in order, their lengths add up to size */
        uint32_t n_children; /* FOLDER: in byte order of their names */
        uint32_t first;      /* private */
};

struct media_extent {
        uint64_t offset, length; /* bytes, from the beginning of the image */
};

/* 0, or -EBADMSG when the bytes are no sound index. An extent is checked against the
 * image's size as recorded in the index; the descriptor beside it may be shorter by
 * now, so a reader still has to expect a short read. */
MUST_USE int media_index_open(const void *data, size_t n, struct media_index *ret);

/* An extracted tree has no nodes: its files are opened below its folder. */
bool media_index_is_tree(const struct media_index *index);
enum medium_kind media_index_kind(const struct media_index *index);
uint32_t media_index_count(const struct media_index *index);

/* A clean relative path ("" is the top; see base/path.h), links followed on the way
 * and at the end. False when there is no such file or folder. */
MUST_USE bool media_index_lookup(const struct media_index *index, const char *path,
                                 size_t n, struct media_node *ret);
/* The number of what a path names; a link at its end is not followed. */
MUST_USE bool media_index_find(const struct media_index *index, const char *path,
                               size_t n, uint32_t *ret);
/* Of everything that a node's number stands for: equal for the same image. */
uint64_t media_index_hash(const struct media_index *index);
/* Node i of media_index_count(); a builder's order, parents before children. */
MUST_USE bool media_index_node(const struct media_index *index, uint32_t i,
                               struct media_node *ret);
/* Child i of a folder, i < n_children; extent i of a file, i < n_extents. */
struct media_node media_index_child(const struct media_index *index,
                                    const struct media_node *folder, uint32_t i);
/* Its number. */
static inline uint32_t media_index_child_number(const struct media_node *folder,
                                                uint32_t i) {
        return folder->first + i;
}
struct media_extent media_index_extent(const struct media_index *index,
                                       const struct media_node *file, uint32_t i);

/* What the medium is. Strings point into the mapping. */
void media_index_medium(const struct media_index *index, struct medium *ret);
