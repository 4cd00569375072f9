#pragma once
/*
 * A tree of NFS in memory, for the story and the fuzzer: a few names, in which things
 * can be replaced, taken away, or be made only after somebody asked twice.
 */
#include "proto/nfs3_server.h"

enum { NFS_TREE_NODES = 512 };

struct nfs_tree_node {
        char path[PATH_MAX_BYTES]; /* "" ends the list, but for the first: the top */
        struct nfs3_node node;
        const char *link;
        bool is_gone, is_late; /* late: NFS3_LATER until it was asked for */
};

struct nfs_test_tree {
        struct nfs_tree_node nodes[NFS_TREE_NODES];
        size_t n;
        bool has_settled;
        unsigned n_lists;
};

static inline struct nfs_tree_node *nfs_tree_find(struct nfs_test_tree *tree,
                                                  const char *path) {
        for (size_t i = 0; i < tree->n; i++)
                if (!tree->nodes[i].is_gone && strcmp(tree->nodes[i].path, path) == 0)
                        return &tree->nodes[i];
        return NULL;
}

static inline struct nfs_tree_node *nfs_tree_add(struct nfs_test_tree *tree,
                                                 const char *path, enum nfs3_kind kind,
                                                 uint64_t size) {
        struct nfs_tree_node *n = &tree->nodes[tree->n];

        if (tree->n == NFS_TREE_NODES)
                return &tree->nodes[0];
        assert(strlen(path) < sizeof(n->path));
        memcpy(n->path, path, strlen(path) + 1);
        n->node = (struct nfs3_node){ .kind = kind,
                                      .mode = 0444,
                                      .size = size,
                                      .mtime = NSEC_PER_SEC,
                                      .id = 1000 + tree->n };
        tree->n++;
        return n;
}

static inline enum nfs3_status nfs_tree_look(void *asker, const char *path,
                                             struct nfs3_node *ret) {
        struct nfs_tree_node *n = nfs_tree_find(asker, path);

        if (!n)
                return NFS3ERR_NOENT;
        if (n->is_late) {
                n->is_late = false;
                return (enum nfs3_status)NFS3_LATER;
        }
        *ret = n->node;
        return NFS3_OK;
}

static inline enum nfs3_status nfs_tree_list(void *asker, const char *path,
                                             nfs3_list_fn fn, void *userdata) {
        struct nfs_test_tree *tree = asker;
        size_t n = strlen(path);

        tree->n_lists++;
        for (size_t i = 1; i < tree->n; i++) {
                const struct nfs_tree_node *node = &tree->nodes[i];
                const char *name = node->path + n + (n > 0);

                if (!node->is_gone && strncmp(node->path, path, n) == 0 &&
                    (n == 0 || node->path[n] == '/') && !strchr(name, '/'))
                        fn(name, &node->node, userdata);
        }
        return nfs_tree_find(tree, path) ? NFS3_OK : NFS3ERR_NOENT;
}

static inline enum nfs3_status nfs_tree_read_link(void *asker, const char *path,
                                                  char ret[static PATH_MAX_BYTES]) {
        struct nfs_tree_node *n = nfs_tree_find(asker, path);

        if (!n || !n->link)
                return NFS3ERR_NOENT;
        memcpy(ret, n->link, strlen(n->link) + 1);
        return NFS3_OK;
}

static inline enum nfs3_status nfs_tree_by_number(void *asker, uint64_t image,
                                                  uint32_t number,
                                                  char ret[static PATH_MAX_BYTES]) {
        struct nfs_test_tree *tree = asker;

        for (size_t i = 0; i < tree->n; i++)
                if (!tree->nodes[i].is_gone && tree->nodes[i].node.image == image &&
                    tree->nodes[i].node.number == number) {
                        memcpy(ret, tree->nodes[i].path, PATH_MAX_BYTES);
                        return NFS3_OK;
                }
        return tree->has_settled ? NFS3ERR_STALE : NFS3ERR_JUKEBOX;
}

static inline enum nfs3_status nfs_tree_open(void *asker, const char *path, uint64_t id,
                                             void **ret) {
        struct nfs_tree_node *n = nfs_tree_find(asker, path);

        if (!n || n->node.id != id)
                return NFS3ERR_STALE;
        *ret = n;
        return NFS3_OK;
}

static inline struct nfs3_server_config nfs_tree_config(uint8_t key) {
        struct nfs3_server_config config = {
                .tree = { .look = nfs_tree_look,
                          .list = nfs_tree_list,
                          .read_link = nfs_tree_read_link,
                          .find = nfs_tree_by_number,
                          .open = nfs_tree_open },
        };

        memset(config.key, key, sizeof(config.key));
        return config;
}

/* A top with a file of its own, one that is made, a link, and an image. */
static inline void nfs_tree_fill(struct nfs_test_tree *tree) {
        static const char *const inside[] = { "media/live", "media/live/boot",
                                              "media/live/boot/kernel",
                                              "media/live/link" };
        struct nfs_tree_node *n;

        memset(tree, 0, sizeof(*tree));
        tree->has_settled = true;
        nfs_tree_add(tree, "", NFS3_NODE_FOLDER, 0);
        nfs_tree_add(tree, "hello", NFS3_NODE_FILE, 14);
        n = nfs_tree_add(tree, "boot.ipxe", NFS3_NODE_FILE, 300);
        n->is_late = true;
        nfs_tree_add(tree, "media", NFS3_NODE_FOLDER, 0);
        for (uint32_t i = 0; i < ARRAY_SIZE(inside); i++) {
                n = nfs_tree_add(tree, inside[i],
                                 i < 2    ? NFS3_NODE_FOLDER
                                 : i == 2 ? NFS3_NODE_FILE
                                          : NFS3_NODE_LINK,
                                 i == 2 ? 5000000 : 0);
                n->node.image = 77;
                n->node.number = i;
        }
        n->link = "boot/kernel";
        n->node.size = 11;
}
