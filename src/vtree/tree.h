#pragma once
/*
 * The tree itself, and the finders that opening, looking and listing share. Private to
 * vtree.c, lookup.c and list.c.
 */
#include <sys/stat.h>

#include "vtree/internal.h"

struct alias {
        char *name; /* NULL: every file of the folder `path` */
        char *path;
};

/*
 * Small files of root that were asked for lately stay open: a storm of machines asks
 * for the same few. Nothing is taken on trust. Each time, but once for all requests of
 * one moment, the path is looked at again, and what is there must be the very file that
 * was opened, unchanged since: to have the same device, inode, size and times is to be
 * what RESOLVE_BENEATH let through before.
 */
enum { KEPT = 64, KEPT_SIZE_MAX = 1 << 20, KEPT_CONTENT_MAX = 32 << 10 };

struct kept {
        struct vtree_file *file; /* NULL: none */
        dev_t device;
        ino_t inode;
        struct timespec mtime, ctime;
        nsec_t looked; /* the moment */
};

struct vtree {
        int root;               /* -1: none */
        nsec_t moment;          /* 0: no two requests are of one */
        struct kept kept[KEPT]; /* by a hash of their paths */
        struct vtree_medium **media;
        size_t n_media;
        struct alias *aliases;
        size_t n_aliases;
};

/* What follows `folder/` in path, "" for the folder itself, NULL for anything else. */
const char *vtree_below_of(const char *path, const char *folder);

/* The medium that a path below media/ names, and what follows its name; that of a path
 * below iso/; NULL. */
struct vtree_medium *vtree_find_medium(const struct vtree *tree, const char *below,
                                       const char **ret_rest);
struct vtree_medium *vtree_find_image(const struct vtree *tree, const char *below);

/* The medium of which a path below made/ is made; of a folder there, and the entry that
 * the folder is for. NULL. */
struct vtree_medium *vtree_find_made(const struct vtree *tree, const char *path);
struct vtree_medium *vtree_find_made_folder(const struct vtree *tree, const char *path,
                                            const char **ret_entry);

/* The medium that has what a signed chain asks for by this path, and where. */
struct vtree_medium *vtree_find_link(const struct vtree *tree, const char *path,
                                     char ret_below[static PATH_MAX_BYTES]);

/* For media/made.h: `userdata` is the medium. */
bool vtree_is_on_medium(const char *path, void *userdata);

bool vtree_is_generated(const struct vtree *tree, const char *path);
bool vtree_is_loader_name(const char *path);
bool vtree_is_folder_of_ours(const struct vtree *tree, const char *path);

/* What follows the folder of a loader that has the whole tree below it (efi64/, or a
 * Raspberry Pi's number); NULL. */
const char *vtree_below_view(const char *path);

/* The same answers as vtree_open(). */
int vtree_open_alias(const struct vtree *tree, const char *path,
                     struct vtree_file **ret);
int vtree_fd_to_read(int folder, const char *below, int *ret);
