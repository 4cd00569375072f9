#pragma once
/*
 * The one read-only tree behind every door. A path, already clean (base/path.h),
 * leads to a host file under `root`, to an extent inside a medium's image, to a
 * loader from the system's packages, to a folder, or to something that the core
 * must generate for the client who asks.
 *
 *     root's own files                 win over everything below
 *     media/NAME/...                   the inside of a medium
 *     iso/NAME.iso, iso/NAME.img       the raw image
 *     pxelinux.cfg/..., grub/grub.cfg,
 *     boot.ipxe                        generated
 *     made/NAME/...                    the same, from a medium (media/made.h)
 *     pxelinux.0, menu.c32, ...        loaders
 *     efi64/..., efi32/...             syslinux.efi and its modules, then all of the
 *                                      above once more
 *     secure/NAME/...                  a medium's own signed chain: shimx64.efi,
 *                                      grubx64.efi and its menu
 *     1234abcd/...                     the same for a Raspberry Pi of that number
 *
 * May open files (never blocks on a network); never writes.
 */
#include "base/path.h"

struct vtree_extent {
        uint64_t offset, length;
};

/* Where bytes are, right now: in which open file of the host. */
struct vtree_place {
        int fd;
        uint64_t offset, length; /* how much from there on */
};

struct vtree_image; /* a medium's descriptor, counted: private */

/* What reading costs, as far as the kernel tells. */
enum vtree_storage {
        VTREE_STORAGE_UNKNOWN, /* not asked yet */
        VTREE_STORAGE_ASKABLE, /* it says whether a read would wait (RWF_NOWAIT) */
        VTREE_STORAGE_MEMORY,  /* it never does */
        VTREE_STORAGE_OPAQUE,  /* it does not say: a network, FUSE, an overlay */
};

struct vtree_file;

/* A stretch of another file that a composed one is made of. */
struct vtree_piece {
        struct vtree_file *file;
        uint64_t offset, length;
        bool is_made; /* bytes of ours: known by what they are, not by where they lie */
};
enum { VTREE_PIECES_MAX = 64, VTREE_MADE_MAX = 1 << 20 /* of is_made pieces */ };

/* A file or folder that is open. Counted; immutable. */
struct vtree_file {
        unsigned n_refs;
        int fd;                    /* of the host file or image; -1 for a folder */
        struct vtree_image *image; /* the medium's, when it is of one */
        bool owns_fd;              /* or `fd` is the image's */
        enum vtree_storage storage;
        bool is_folder;
        uint64_t size;
        nsec_t mtime;  /* since 1970 */
        uint64_t etag; /* equal only for equal content: device, inode, size, mtime,
                          place */
        size_t n_extents;
        struct vtree_extent *extents; /* in order; lengths add up to size */
        size_t n_pieces;              /* of a composed file, which has no fd */
        struct vtree_piece *pieces;   /* the same; references are its own */
        char *path;                   /* clean, from the tree's top */
        uint8_t *content;   /* all of it, when it is kept in memory; else NULL */
        uint64_t host_size; /* of the host file or image, when it was opened */
        nsec_t host_mtime;
        uint64_t device;  /* that it is on */
        uint64_t host_id; /* the same for all that is of one host file or image */
};

enum vtree_answer {
        VTREE_OK,
        VTREE_NOT_FOUND,
        VTREE_REFUSED,    /* it exists but leads out of the tree, or is no file */
        VTREE_GENERATED,  /* ask the core */
        VTREE_UNREADABLE, /* permission, or a medium that has gone */
};

struct vtree;

MUST_USE int vtree_new(struct vtree **ret);
struct vtree *vtree_free(struct vtree *tree);

/* `fd` of a folder (O_PATH is enough) is taken over; -1: no root. */
void vtree_set_root(struct vtree *tree, int fd);
/* A host file that appears at the top under `name`: a loader from the system's
 * packages. The first path given for a name that can be read is taken; both strings
 * are copied. */
MUST_USE int vtree_add_file(struct vtree *tree, const char *name,
                            const char *host_path);
/* Every file of a host folder appears at the top, before those of vtree_add_file(). */
MUST_USE int vtree_add_folder(struct vtree *tree, const char *host_path);
/* Both descriptors are taken over. A medium of the same id or name is replaced; open
 * files of the old one are changed then, unless it is the same image told again. */
MUST_USE int vtree_add_medium(struct vtree *tree, uint64_t id, const char *name,
                              bool is_tree, int index_fd, int image_fd);
void vtree_remove_medium(struct vtree *tree, uint64_t id);

/* The moment that what follows belongs to: what was looked at in it counts for all of
 * it, so that a burst of requests for one file is one look. 0, as at first: every
 * request is a moment of its own. Moments never come again. */
void vtree_set_moment(struct vtree *tree, nsec_t moment);

/* VTREE_OK with a counted reference in *ret, another answer, or -errno. */
MUST_USE int vtree_open(struct vtree *tree, const char *path, struct vtree_file **ret);
/* As if the folder `root` were the top, as classic servers have it (http.root,
 * ftp.root; NULL or "": there is none). The whole path is then in ret_path; nothing is
 * generated there: VTREE_NOT_FOUND. */
MUST_USE int vtree_open_below(struct vtree *tree, const char *root, const char *path,
                              char ret_path[static PATH_MAX_BYTES],
                              struct vtree_file **ret);
/* A whole host file (a generated one, say) as a vtree_file; takes fd over. */
MUST_USE int vtree_file_from_fd(int fd, const char *path, struct vtree_file **ret);
/* One file of pieces of others, in order: none of a folder or of a composed file, all
 * within what they are of, or the answer is VTREE_UNREADABLE. Takes references of its
 * own. The tag is equal for equal pieces, whoever composes them. */
MUST_USE int vtree_file_compose(const char *path, const struct vtree_piece *pieces,
                                size_t n, struct vtree_file **ret);
struct vtree_file *vtree_file_ref(struct vtree_file *file);
struct vtree_file *vtree_file_unref(struct vtree_file *file);

/* Reads at most n bytes at `offset` of the file, across extents: bytes read, 0 at
 * the end, -errno (-ESTALE: the image was cut short under us). */
int64_t vtree_file_read(const struct vtree_file *file, uint64_t offset, void *buffer,
                        size_t n);
/* The same, but -EAGAIN when it would wait for a disk, or when nobody can say; bytes
 * that are there already are read before that is found out. */
int64_t vtree_file_read_now(struct vtree_file *file, uint64_t offset, void *buffer,
                            size_t n);
enum vtree_storage vtree_file_storage(struct vtree_file *file);
/* Whether the host file or image is still what was opened, and its medium is still
 * there. Asked after a read: what was written over meanwhile must not follow what was
 * there before. What is read from `content` is always of one piece. Waits for no
 * network. */
bool vtree_file_is_unchanged(const struct vtree_file *file);
/* A sentence about one that is not. */
const char *vtree_file_why_changed(const struct vtree_file *file);
/* The piece of the image that holds `offset`: where, and how much from there on.
 * Length 0: it is past the end. */
struct vtree_place vtree_file_place(const struct vtree_file *file, uint64_t offset);
/* The file that holds `offset` of a composed one: itself for any other. *offset becomes
 * that file's, and *n, a number of bytes, at most what it holds of them in one. */
struct vtree_file *vtree_file_part(struct vtree_file *file, uint64_t *offset,
                                   uint64_t *n);

/* What a name stands for, links not followed: for a door that shows them as links. */
enum vtree_kind { VTREE_FILE, VTREE_FOLDER, VTREE_LINK, VTREE_MADE /* generated */ };
struct vtree_node {
        enum vtree_kind kind;
        uint32_t mode; /* permission bits */
        uint64_t size; /* of a link: of its text */
        nsec_t mtime;
        uint64_t id; /* for ever the same; another one's after it was replaced */
        /* Inside an image: the image, by what it is, and the node's number. 0: not. */
        uint64_t image;
        uint32_t number;
};
/* The same answers as vtree_open(), but VTREE_OK for what is generated. */
MUST_USE int vtree_look(struct vtree *tree, const char *path, struct vtree_node *ret);
/* The text of a link, cut when it is longer; VTREE_NOT_FOUND: no link. */
MUST_USE int vtree_read_link(struct vtree *tree, const char *path,
                             char ret[static PATH_MAX_BYTES]);
/* The path of a node of an image; VTREE_NOT_FOUND: there is no such image now. */
MUST_USE int vtree_find_node(struct vtree *tree, uint64_t image, uint32_t number,
                             char ret[static PATH_MAX_BYTES]);

struct vtree_entry {
        const char *name;
        bool is_folder;
        uint64_t size;
        nsec_t mtime;
        struct vtree_node node; /* for vtree_scan() */
};
typedef void (*vtree_list_fn)(const struct vtree_entry *entry, void *userdata);
enum { VTREE_LIST_MAX = 50000 };
/* Each name once, in byte order; of a folder with more than VTREE_LIST_MAX any so many.
 * The same answers as vtree_open(). */
MUST_USE int vtree_list(struct vtree *tree, const char *path, vtree_list_fn fn,
                        void *userdata);
/* The same with another limit, and whether it was met. */
MUST_USE int vtree_list_some(struct vtree *tree, const char *path, size_t most,
                             vtree_list_fn fn, void *userdata, bool *ret_is_cut);
/* The same with links as links, those too that lead nowhere, and every entry's node. */
MUST_USE int vtree_scan(struct vtree *tree, const char *path, vtree_list_fn fn,
                        void *userdata);
/* The one name in the tree that differs from this path in the case of ASCII letters
 * only; the first in byte order when there are several. Reads a folder a segment, and
 * of each 50,000 names at the most. */
bool vtree_find_any_case(struct vtree *tree, const char *path,
                         char ret[static PATH_MAX_BYTES]);
/* The name in the same folder that is nearest to the path's last segment, for an
 * error's remedy; false when none is near. */
bool vtree_nearest(struct vtree *tree, const char *path,
                   char ret[static PATH_MAX_BYTES]);
