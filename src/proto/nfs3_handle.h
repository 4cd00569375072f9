#pragma once
/*
 * File handles of NFS that need no table: whoever has the key makes the same one for
 * the same node, and finds the node again, in another process and after a restart.
 * Nobody without the key makes one.
 *
 *     kind, depth, 2 zeros | keyed hash of the rest (8) | identity (8) | place
 *
 * Inside an image the place is the number of the node in its index, the identity is
 * the image's own, and the handle dies with the image. Anything else is found by its
 * trail, two bytes a segment of its path, and the identity is that of what was there.
 */
#include "base/path.h"
#include "base/siphash.h"
#include "wire/nfs3.h"

enum { NFS3_TRAIL_MAX = 22 };

enum nfs3_handle_kind { NFS3_BY_NUMBER = 1, NFS3_BY_TRAIL = 2 };

struct nfs3_handle {
        enum nfs3_handle_kind kind;
        uint64_t identity;
        uint32_t number;
        size_t depth;
        uint16_t trail[NFS3_TRAIL_MAX];
};

/* What a segment of a path leaves in a trail. */
uint16_t nfs3_trail_mark(const char *name, size_t n);
/* A handle by trail; false when the path is too deep for one. */
MUST_USE bool nfs3_handle_of_path(const char *path, uint64_t identity,
                                  struct nfs3_handle *ret);

/* Bytes written: at most NFS3_HANDLE_MAX. */
size_t nfs3_handle_build(const struct nfs3_handle *handle,
                         const uint8_t key[static SIPHASH_KEY],
                         uint8_t ret[static NFS3_HANDLE_MAX]);
/* False for what was not built with this key. */
MUST_USE bool nfs3_handle_parse(struct span bytes,
                                const uint8_t key[static SIPHASH_KEY],
                                struct nfs3_handle *ret);
