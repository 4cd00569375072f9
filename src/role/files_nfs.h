#pragma once
/*
 * Private to the NFS door: the tree as proto/nfs3_server wants it. What is generated is
 * asked of the core and kept for some seconds, for the client it was made for.
 */
#include "proto/nfs3_server.h"
#include "role/files.h"

struct nfs_tree;

/* Who asks, through the table below. */
struct nfs_asker {
        struct nfs_tree *tree;
        ip4_t client, server;
};

/* `fn` is called, never from within a request, when something came that was waited for.
 */
typedef void (*nfs_tree_fn)(void *userdata);
MUST_USE int nfs_tree_new(struct files *files, nfs_tree_fn fn, void *userdata,
                          struct nfs_tree **ret);
struct nfs_tree *nfs_tree_free(struct nfs_tree *tree);
/* All media there are have been told: another handle is stale now. */
void nfs_tree_settled(struct nfs_tree *tree);

extern const struct nfs3_tree nfs_tree_methods;
