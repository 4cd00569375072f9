#pragma once
/* What the files of this folder share; nobody else includes it. */
#include "media/medium.h"
#include "vtree/vtree.h"

struct stat;

uint64_t vtree_etag(const struct stat *st, uint64_t offset, uint64_t size);
nsec_t vtree_mtime(const struct stat *st);
uint64_t vtree_mix(uint64_t hash, uint64_t v);
/* Of something that only we have: by its name. */
uint64_t vtree_id_of_path(const char *path);
struct vtree_node vtree_node_of_folder(const char *path);

/* What is at `below` of a host folder, or is `below` itself when the folder is
 * AT_FDCWD; a link at the end is not followed. */
int vtree_look_beneath(int folder, const char *below, struct vtree_node *ret);
int vtree_read_link_beneath(int folder, const char *below,
                            char ret[static PATH_MAX_BYTES]);
int vtree_look_at(int folder, const char *name, struct vtree_node *ret);
/* Opens with these flags, never outside: a descriptor in *ret, or an answer. */
int vtree_fd_beneath(int folder, const char *below, int flags, int *ret);

/* The descriptor of an image, for all the files that are open in it: a medium may go
 * while a transfer still reads the old one to its end. */
struct vtree_image {
        unsigned n_refs;
        int fd;
        bool is_gone; /* the medium was removed, or another took its place */
};
struct vtree_image *vtree_image_new(int fd); /* takes fd over; NULL: out of memory */
struct vtree_image *vtree_image_unref(struct vtree_image *image);

/* fd is taken over, also on failure. */
int vtree_file_new(const char *path, int fd, size_t n_extents, struct vtree_file **ret);
int vtree_folder_new(const char *path, int fd, nsec_t mtime, struct vtree_file **ret);

/* Opens below a folder and never outside of it (openat2, RESOLVE_BENEATH). */
int vtree_open_beneath(int folder, const char *below, const char *path,
                       struct vtree_file **ret);

/* The inside of one medium. */
struct vtree_medium;
int vtree_medium_new(uint64_t id, const char *name, bool is_tree, int index_fd,
                     int image_fd, struct vtree_medium **ret);
struct vtree_medium *vtree_medium_free(struct vtree_medium *medium);
uint64_t vtree_medium_id(const struct vtree_medium *medium);
const char *vtree_medium_name(const struct vtree_medium *medium);
/* Of its image below iso/; NULL: it has none. */
const char *vtree_medium_suffix(const struct vtree_medium *medium);
/* Whether the one is the other, told once more. */
bool vtree_medium_is_same(const struct vtree_medium *a, const struct vtree_medium *b);
/* What is open of it ends. */
void vtree_medium_set_gone(struct vtree_medium *medium);
uint64_t vtree_medium_size(const struct vtree_medium *medium);
nsec_t vtree_medium_mtime(const struct vtree_medium *medium);
/* Strings are the medium's. */
void vtree_medium_describe(const struct vtree_medium *medium, struct medium *ret);
/* `below` is relative to the medium, `path` to the tree. */
int vtree_medium_open(struct vtree_medium *medium, const char *below, const char *path,
                      struct vtree_file **ret);
int vtree_medium_open_image(struct vtree_medium *medium, const char *path,
                            struct vtree_file **ret);

/* What a signed chain asks for beside its shim, as a path of the medium: shim, GRUB,
 * and whatever else lies beside them. False: no such thing. */
bool vtree_medium_link(struct vtree_medium *medium, const char *name,
                       char ret[static PATH_MAX_BYTES]);

int vtree_medium_look(struct vtree_medium *medium, const char *below,
                      struct vtree_node *ret);
int vtree_medium_look_image(struct vtree_medium *medium, struct vtree_node *ret);
int vtree_medium_read_link(struct vtree_medium *medium, const char *below,
                           char ret[static PATH_MAX_BYTES]);
/* What the image is, whatever its name: 0 for a tree. */
uint64_t vtree_medium_image(struct vtree_medium *medium);
int vtree_medium_find_node(struct vtree_medium *medium, uint32_t number,
                           char ret[static PATH_MAX_BYTES]);

/* Names being collected for a listing. */
struct vtree_names {
        bool has_nodes; /* links stay links, and every entry gets its node */
        bool is_plain;  /* names are all that is wanted */
        size_t most;    /* 0: LISTED_MAX */
        bool is_cut;    /* there are more */
        struct vtree_entry *entries; /* names are owned */
        size_t n, room;
        bool failed;
};
void vtree_names_add(struct vtree_names *names, const struct vtree_entry *entry);
void vtree_names_done(struct vtree_names *names);
int vtree_names_add_folder(struct vtree_names *names, int folder, const char *below);
int vtree_medium_list(struct vtree_medium *medium, const char *below,
                      struct vtree_names *names);
