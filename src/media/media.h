#pragma once
/*
 * The library's work without its process: find media under the configured paths, read
 * one, say which system it carries, and make its sealed index.
 *
 * May block on the disk. Never writes, never mounts, never runs anything.
 */
#include "media/medium.h"

/* The recipes, read once from a folder of YAML files (share/recipes). */
struct media_recipes;
/* The folder of recipes, beside the program as in a build, or below its prefix. False
 * when neither is there; `ret` is then the last place that was looked at. */
MUST_USE bool media_recipes_folder(struct text *ret);
/* A recipe that is wrong is left out and said in `problems`; -errno only when the
 * folder cannot be read. */
MUST_USE int media_recipes_load(const char *folder, struct media_recipes **ret,
                                struct text *problems);
/* Recipes of the administrator's, beside those that are there: they are asked before
 * them, and one with the name of an older one takes its place. -ENOENT when there is no
 * such folder, other -errno when it cannot be read; the recipes are good all the same.
 */
#define MEDIA_RECIPES_OWN "/etc/bootjack/recipes"
MUST_USE int media_recipes_add(struct media_recipes *recipes, const char *folder,
                               const char *shown, struct text *problems);
/* Of all their names and texts: whether they are the same ones as before. */
uint64_t media_recipes_identity(const struct media_recipes *recipes);
/* Whether a file of this name in such a folder is a recipe. */
bool media_is_recipe_name(const char *name);
struct media_recipes *media_recipes_free(struct media_recipes *recipes);

enum media_answer {
        MEDIA_OK,
        MEDIA_REFUSED,
        MEDIA_COMPRESSED, /* an archive to be expanded first: only ret->fd is set */
};

/* One medium, read. Descriptors and index are the caller's to close and unmap. */
struct media_found {
        int index_fd; /* sealed; see media/index.h */
        int fd;       /* of the image, or O_PATH of the tree's top */
        bool is_tree;
};

/* `path` is an ISO image or the top of an extracted tree, `shown` what people call it
 * (the same, unless it is reached in a roundabout way), `name` its NAME in URLs.
 * MEDIA_REFUSED appends to `why` a reason for people ("truncated: 1000 of 2048 bytes");
 * -errno is the machine's trouble. A medium that no recipe knows is MEDIA_OK, system
 * "unknown", no entries. */
MUST_USE int media_inspect(const char *path, const char *shown, const char *name,
                           const struct media_recipes *recipes, struct media_found *ret,
                           struct text *why);

/* The same for the role that publishes: an entry's id that is_taken() says another
 * medium already has gets "-2", "-3"... behind it. */
struct media_as {
        const char *shown, *name;
        bool (*is_taken)(const char *id, void *userdata); /* may be NULL */
        void *userdata;
};
MUST_USE int media_inspect_as(const char *path, const struct media_as *as,
                              const struct media_recipes *recipes,
                              struct media_found *ret, struct text *why);

/* The same of what a compressed archive became: a plain tar. `fd` is taken over. */
MUST_USE int media_inspect_expanded(int fd, const struct media_as *as,
                                    const struct media_recipes *recipes,
                                    struct media_found *ret, struct text *why);

/* What an archive is known by, whatever it is called and wherever it lies: its size,
 * its time, its beginning and its end. 0 when it cannot be read. */
uint64_t media_archive_identity(int fd);

/* What lies under one configured path: itself when it is an image, or a recognised
 * tree without images at its top; else every *.iso, *.img and *.tar[.gz|.xz|...] in
 * that folder (not below) and every subfolder that is a recognised tree; what begins
 * with a dot is passed over. Called once for each, in byte order; `what` changes when
 * the file was replaced or is still growing. -errno when the path itself cannot be
 * read. */
struct media_candidate {
        const char *path;
        bool is_tree;
        uint64_t size;
        nsec_t mtime;
        uint64_t what; /* device, inode, size, mtime, rights, mixed */
};
typedef void (*media_candidate_fn)(const struct media_candidate *candidate,
                                   void *userdata);
MUST_USE int media_scan(const char *path, const struct media_recipes *recipes,
                        media_candidate_fn fn, void *userdata);
