/*
 * Generated files have a size that nobody knows before they are made, and NFS tells the
 * size first. So a look at one makes it, and it is kept while the client reads. Its
 * time is made of its content: the same file, made again, is the same for the client's
 * cache, in whichever worker.
 */
#include <stdlib.h>

#include "base/list.h"
#include "role/files_nfs.h"

enum { MADE_MAX = 256, PIECE = 4096 };

static const nsec_t kept_for = 10 * NSEC_PER_SEC;

struct made {
        struct list link; /* the one made longest ago comes first */
        struct nfs_tree *tree;
        char *path;
        ip4_t client, server;
        int64_t ticket; /* -1: here */
        int answer;
        struct vtree_file *file; /* when the answer is VTREE_OK */
        nsec_t since, mtime;
};

struct nfs_tree {
        struct files *files;
        nfs_tree_fn fn;
        void *userdata;
        bool is_settled;
        struct list made;
        size_t n_made;
};

int nfs_tree_new(struct files *files, nfs_tree_fn fn, void *userdata,
                 struct nfs_tree **ret) {
        struct nfs_tree *tree = calloc(1, sizeof(*tree));

        if (!tree)
                return -ENOMEM;
        *tree = (struct nfs_tree){ .files = files, .fn = fn, .userdata = userdata };
        list_init(&tree->made);
        *ret = tree;
        return 0;
}

static void made_free(struct made *made) {
        if (made->ticket >= 0)
                files_generate_cancel(made->tree->files, made->ticket);
        list_remove(&made->link);
        made->tree->n_made--;
        vtree_file_unref(made->file);
        free(made->path);
        free(made);
}

struct nfs_tree *nfs_tree_free(struct nfs_tree *tree) {
        if (!tree)
                return NULL;
        LIST_FOR_EACH(pos, &tree->made)
        made_free(CONTAINER_OF(pos, struct made, link));
        free(tree);
        return NULL;
}

void nfs_tree_settled(struct nfs_tree *tree) {
        tree->is_settled = true;
}

static enum nfs3_status status_of(int answer) {
        switch (answer) {
        case VTREE_OK:
                return NFS3_OK;
        case VTREE_NOT_FOUND:
        case VTREE_GENERATED:
                return NFS3ERR_NOENT;
        case VTREE_REFUSED:
        case VTREE_UNREADABLE:
                return NFS3ERR_ACCES;
        case -EIO:
                return NFS3ERR_IO;
        default: /* memory, descriptors, an answer in time: it may be there later */
                return NFS3ERR_JUKEBOX;
        }
}

/* ---- generated files ---- */

static nsec_t time_of(const struct vtree_file *file) {
        uint64_t hash = 0xcbf29ce484222325ULL;
        uint8_t piece[PIECE];
        int64_t n;

        if (file->n_pieces > 0) /* its tag says as much without reading gigabytes */
                return file->mtime / NSEC_PER_SEC * NSEC_PER_SEC +
                       file->etag % NSEC_PER_SEC;
        for (uint64_t at = 0; (n = vtree_file_read(file, at, piece, sizeof(piece))) > 0;
             at += (uint64_t)n)
                for (int64_t i = 0; i < n; i++)
                        hash = (hash ^ piece[i]) * 0x100000001b3ULL;
        return (hash ^ hash >> 32) % NSEC_PER_SEC;
}

static void on_made(int answer, struct vtree_file *file, void *userdata) {
        struct made *made = userdata;

        made->ticket = -1;
        made->answer = answer;
        made->file = answer == VTREE_OK ? file : NULL;
        made->mtime = made->file ? time_of(file) : 0;
        made->since = loop_now();
        made->tree->fn(made->tree->userdata);
}

static struct made *find_made(struct nfs_tree *tree, const struct nfs_asker *asker,
                              const char *path) {
        LIST_FOR_EACH(pos, &tree->made) {
                struct made *made = CONTAINER_OF(pos, struct made, link);

                if (made->ticket < 0 && loop_now() - made->since > kept_for)
                        made_free(made);
                else if (made->client == asker->client &&
                         made->server == asker->server && strcmp(made->path, path) == 0)
                        return made;
        }
        return NULL;
}

static bool make_room(struct nfs_tree *tree) {
        LIST_FOR_EACH(pos, &tree->made) {
                struct made *made = CONTAINER_OF(pos, struct made, link);

                if (made->ticket >= 0)
                        continue;
                made_free(made);
                return true;
        }
        return false;
}

static enum nfs3_status begin_to_make(struct nfs_tree *tree,
                                      const struct nfs_asker *asker, const char *path) {
        struct made *made;

        if (tree->n_made >= MADE_MAX && !make_room(tree))
                return NFS3ERR_JUKEBOX;
        made = calloc(1, sizeof(*made));
        if (!made)
                return NFS3ERR_JUKEBOX;
        *made = (struct made){ .tree = tree,
                               .path = strdup(path),
                               .client = asker->client,
                               .server = asker->server,
                               .ticket = -1 };
        list_append(&tree->made, &made->link);
        tree->n_made++;
        if (made->path)
                made->ticket = files_generate(tree->files, path, asker->client,
                                              asker->server, on_made, made);
        if (made->ticket >= 0)
                return (enum nfs3_status)NFS3_LATER;
        made->ticket = -1;
        made_free(made);
        return NFS3ERR_JUKEBOX;
}

static enum nfs3_status get_made(struct nfs_asker *asker, const char *path,
                                 struct made **ret) {
        struct made *made = find_made(asker->tree, asker, path);

        if (!made)
                return begin_to_make(asker->tree, asker, path);
        if (made->ticket >= 0)
                return (enum nfs3_status)NFS3_LATER;
        *ret = made;
        return status_of(made->answer);
}

/* ---- the table ---- */

static struct nfs3_node node_of(const struct vtree_node *node) {
        return (struct nfs3_node){
                .kind = node->kind == VTREE_FOLDER ? NFS3_NODE_FOLDER
                        : node->kind == VTREE_LINK ? NFS3_NODE_LINK
                                                   : NFS3_NODE_FILE,
                .is_unknown = node->kind == VTREE_MADE,
                .mode = node->mode,
                .size = node->size,
                .mtime = node->mtime,
                .id = node->id,
                .image = node->image,
                .number = node->number,
        };
}

static enum nfs3_status look(void *userdata, const char *path, struct nfs3_node *ret) {
        struct nfs_asker *asker = userdata;
        struct vtree_node node;
        struct made *made;
        enum nfs3_status status =
                status_of(vtree_look(files_tree(asker->tree->files), path, &node));

        if (status != NFS3_OK)
                return status;
        *ret = node_of(&node);
        if (node.kind != VTREE_MADE)
                return NFS3_OK;
        status = get_made(asker, path, &made);
        if (status == NFS3_OK) {
                ret->is_unknown = false;
                ret->size = made->file->size;
                ret->mtime = made->mtime;
        }
        return status;
}

struct listing {
        nfs3_list_fn fn;
        void *userdata;
};

static void pass_on(const struct vtree_entry *entry, void *userdata) {
        struct listing *l = userdata;
        struct nfs3_node node = node_of(&entry->node);

        l->fn(entry->name, &node, l->userdata);
}

static enum nfs3_status list(void *userdata, const char *path, nfs3_list_fn fn,
                             void *list_userdata) {
        struct nfs_asker *asker = userdata;
        struct listing l = { fn, list_userdata };

        return status_of(vtree_scan(files_tree(asker->tree->files), path, pass_on, &l));
}

static enum nfs3_status read_link(void *userdata, const char *path,
                                  char ret[static PATH_MAX_BYTES]) {
        struct nfs_asker *asker = userdata;

        return status_of(vtree_read_link(files_tree(asker->tree->files), path, ret));
}

static enum nfs3_status find(void *userdata, uint64_t image, uint32_t number,
                             char ret[static PATH_MAX_BYTES]) {
        struct nfs_asker *asker = userdata;
        int r = vtree_find_node(files_tree(asker->tree->files), image, number, ret);

        if (r != VTREE_NOT_FOUND)
                return status_of(r);
        /* A worker that has just begun does not know all media yet. */
        return asker->tree->is_settled ? NFS3ERR_STALE : NFS3ERR_JUKEBOX;
}

static enum nfs3_status open_file(void *userdata, const char *path, uint64_t id,
                                  void **ret) {
        struct nfs_asker *asker = userdata;
        struct vtree *tree = files_tree(asker->tree->files);
        struct vtree_node node;
        struct vtree_file *file;
        struct made *made;
        int r = vtree_open(tree, path, &file);

        if (r == VTREE_GENERATED) {
                enum nfs3_status status = get_made(asker, path, &made);

                if (status == NFS3_OK)
                        *ret = vtree_file_ref(made->file);
                return status;
        }
        if (r != VTREE_OK)
                return status_of(r);
        /* Still the same after it was opened: so it was the same while. */
        if (file->is_folder || vtree_look(tree, path, &node) != VTREE_OK ||
            node.id != id) {
                vtree_file_unref(file);
                return NFS3ERR_STALE;
        }
        *ret = file;
        return NFS3_OK;
}

const struct nfs3_tree nfs_tree_methods = { .look = look,
                                            .list = list,
                                            .read_link = read_link,
                                            .find = find,
                                            .open = open_file };
