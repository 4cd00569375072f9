/*
 * The inside of a medium: an ISO by its index, an extracted tree by its folder.
 *
 * An image that was changed in place after it was indexed would serve a mixture, so
 * its size and time are compared at every open, and a medium that no longer agrees
 * is unreadable until the library has looked again.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "media/index.h"
#include "vtree/internal.h"

struct vtree_medium {
        uint64_t id;
        char name[MEDIUM_NAME_MAX];
        bool is_tree;
        enum medium_kind kind;
        struct vtree_image *image; /* or the folder */
        enum vtree_storage storage;
        struct stat st;
        struct media_index index;
        void *mapped;
        size_t n_mapped;
        uint64_t identity; /* of the image; 0 until it is asked for */
        uint32_t *parents; /* of every node; NULL until they are asked for */
};

static int map_index(struct vtree_medium *medium, int fd) {
        struct stat st;
        int r;

        if (fstat(fd, &st) < 0)
                return -errno;
        medium->mapped = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
        if (medium->mapped == MAP_FAILED) {
                medium->mapped = NULL;
                return -errno;
        }
        medium->n_mapped = (size_t)st.st_size;
        r = media_index_open(medium->mapped, medium->n_mapped, &medium->index);
        if (r == 0)
                medium->kind = media_index_kind(&medium->index);
        return r;
}

int vtree_medium_new(uint64_t id, const char *name, bool is_tree, int index_fd,
                     int image_fd, struct vtree_medium **ret) {
        struct vtree_medium *medium = calloc(1, sizeof(*medium));
        struct vtree_image *image = vtree_image_new(image_fd);
        int r;

        if (!medium || !image) {
                close(index_fd);
                vtree_image_unref(image);
                free(medium);
                return -ENOMEM;
        }
        medium->id = id;
        medium->is_tree = is_tree;
        medium->image = image;
        strncpy(medium->name, name, sizeof(medium->name) - 1);
        r = map_index(medium, index_fd);
        close(index_fd);
        if (r == 0 && fstat(image_fd, &medium->st) < 0)
                r = -errno;
        if (r < 0) {
                vtree_medium_free(medium);
                return r;
        }
        *ret = medium;
        return 0;
}

struct vtree_medium *vtree_medium_free(struct vtree_medium *medium) {
        if (!medium)
                return NULL;
        if (medium->mapped)
                munmap(medium->mapped, medium->n_mapped);
        vtree_image_unref(medium->image);
        free(medium->parents);
        free(medium);
        return NULL;
}

uint64_t vtree_medium_id(const struct vtree_medium *medium) {
        return medium->id;
}
const char *vtree_medium_name(const struct vtree_medium *medium) {
        return medium->name;
}
const char *vtree_medium_suffix(const struct vtree_medium *medium) {
        return medium_image_suffix(medium->kind);
}
uint64_t vtree_medium_size(const struct vtree_medium *medium) {
        return (uint64_t)medium->st.st_size;
}
nsec_t vtree_medium_mtime(const struct vtree_medium *medium) {
        return vtree_mtime(&medium->st);
}

void vtree_medium_describe(const struct vtree_medium *medium, struct medium *ret) {
        media_index_medium(&medium->index, ret);
        ret->name = medium->name; /* as it is known here */
}

static bool is_unchanged(const struct vtree_medium *medium) {
        struct stat now;

        return fstat(medium->image->fd, &now) == 0 &&
               now.st_size == medium->st.st_size &&
               now.st_mtim.tv_sec == medium->st.st_mtim.tv_sec &&
               now.st_mtim.tv_nsec == medium->st.st_mtim.tv_nsec;
}

static int open_in(struct vtree_medium *medium, const char *path, size_t n_extents,
                   struct vtree_file **ret) {
        int r = vtree_file_new(path, -1, n_extents, ret);

        if (r < 0)
                return r;
        medium->image->n_refs++;
        (*ret)->image = medium->image;
        (*ret)->fd = medium->image->fd;
        (*ret)->owns_fd = false;
        return 0;
}

/* A file with a descriptor of its own that goes with the medium all the same. */
static int belongs(struct vtree_medium *medium, int answer, struct vtree_file **file) {
        if (answer == VTREE_OK) {
                medium->image->n_refs++;
                (*file)->image = medium->image;
        }
        return answer;
}

bool vtree_medium_is_same(const struct vtree_medium *a, const struct vtree_medium *b) {
        return a->is_tree == b->is_tree && a->st.st_dev == b->st.st_dev &&
               a->st.st_ino == b->st.st_ino &&
               (a->is_tree || (a->st.st_size == b->st.st_size &&
                               vtree_mtime(&a->st) == vtree_mtime(&b->st)));
}

void vtree_medium_set_gone(struct vtree_medium *medium) {
        medium->image->is_gone = true;
}

static int open_node(struct vtree_medium *medium, const struct media_node *node,
                     const char *path, struct vtree_file **ret) {
        struct vtree_file *file;
        int r = open_in(medium, path, node->n_extents, &file);

        if (r < 0)
                return r;
        for (uint32_t i = 0; i < node->n_extents; i++) {
                struct media_extent e = media_index_extent(&medium->index, node, i);

                file->extents[i] = (struct vtree_extent){ e.offset, e.length };
        }
        file->size = node->size;
        file->mtime = node->mtime;
        file->host_size = (uint64_t)medium->st.st_size;
        file->host_mtime = vtree_mtime(&medium->st);
        file->device = (uint64_t)medium->st.st_dev;
        file->host_id = vtree_etag(&medium->st, 0, file->host_size);
        file->storage = medium->storage;
        file->etag = vtree_etag(
                &medium->st, node->n_extents ? file->extents[0].offset : 0, node->size);
        /* The first file of an image finds out for all others. */
        medium->storage = vtree_file_storage(file);
        *ret = file;
        return VTREE_OK;
}

int vtree_medium_open(struct vtree_medium *medium, const char *below, const char *path,
                      struct vtree_file **ret) {
        struct media_node node;

        if (medium->is_tree)
                return belongs(medium,
                               vtree_open_beneath(medium->image->fd, below, path, ret),
                               ret);
        if (!is_unchanged(medium))
                return VTREE_UNREADABLE;
        if (!media_index_lookup(&medium->index, below, strlen(below), &node))
                return VTREE_NOT_FOUND;
        switch (node.kind) {
        case MEDIA_NODE_FILE:
                return open_node(medium, &node, path, ret);
        case MEDIA_NODE_FOLDER:
                return vtree_folder_new(path, -1, node.mtime, ret);
        case MEDIA_NODE_DEAD_LINK: /* leads out of the image or nowhere */
                return VTREE_NOT_FOUND;
        }
        return VTREE_NOT_FOUND;
}

int vtree_medium_open_image(struct vtree_medium *medium, const char *path,
                            struct vtree_file **ret) {
        int fd;

        if (!vtree_medium_suffix(medium))
                return VTREE_NOT_FOUND;
        if (!is_unchanged(medium))
                return VTREE_UNREADABLE;
        fd = fcntl(medium->image->fd, F_DUPFD_CLOEXEC, 3);
        if (fd < 0)
                return -errno;
        return belongs(medium, vtree_file_from_fd(fd, path, ret), ret);
}

uint64_t vtree_medium_image(struct vtree_medium *medium) {
        uint64_t hash;

        if (medium->is_tree || medium->identity)
                return medium->identity;
        hash = vtree_mix(media_index_hash(&medium->index), medium->st.st_ino);
        hash = vtree_mix(hash, (uint64_t)medium->st.st_size);
        hash = vtree_mix(hash, vtree_mtime(&medium->st));
        medium->identity = hash ? hash : 1;
        return medium->identity;
}

static uint32_t mode_of(const struct media_node *node) {
        bool is_folder = node->kind == MEDIA_NODE_FOLDER;

        if (node->is_link)
                return 0777;
        /* Everything here may be read by everybody, whatever the image thinks of
         * users that it does not know. */
        return node->mode ? node->mode | (is_folder ? 0555 : 0444)
                          : (is_folder ? 0555 : 0444);
}

static int look_at_node(struct vtree_medium *medium, uint32_t number,
                        struct vtree_node *ret) {
        struct media_node node;

        if (!media_index_node(&medium->index, number, &node))
                return VTREE_NOT_FOUND;
        *ret = (struct vtree_node){
                .kind = node.is_link                     ? VTREE_LINK
                        : node.kind == MEDIA_NODE_FOLDER ? VTREE_FOLDER
                                                         : VTREE_FILE,
                .mode = mode_of(&node),
                .size = node.is_link ? strlen(node.link) : node.size,
                .mtime = node.mtime,
                .image = vtree_medium_image(medium),
                .number = number,
        };
        ret->id = vtree_mix(ret->image, number);
        return VTREE_OK;
}

int vtree_medium_look(struct vtree_medium *medium, const char *below,
                      struct vtree_node *ret) {
        uint32_t number;

        if (medium->is_tree)
                return vtree_look_beneath(medium->image->fd, below, ret);
        if (!is_unchanged(medium))
                return VTREE_UNREADABLE;
        if (!media_index_find(&medium->index, below, strlen(below), &number))
                return VTREE_NOT_FOUND;
        return look_at_node(medium, number, ret);
}

/* The raw image: an image written over in place is another one. */
int vtree_medium_look_image(struct vtree_medium *medium, struct vtree_node *ret) {
        if (!is_unchanged(medium))
                return VTREE_UNREADABLE;
        *ret = (struct vtree_node){ .kind = VTREE_FILE,
                                    .mode = 0444,
                                    .size = vtree_medium_size(medium),
                                    .mtime = vtree_medium_mtime(medium),
                                    .id = vtree_mix(vtree_medium_image(medium),
                                                    ~0ULL) };
        return VTREE_OK;
}

int vtree_medium_read_link(struct vtree_medium *medium, const char *below,
                           char ret[static PATH_MAX_BYTES]) {
        struct media_node node;
        uint32_t number;

        if (medium->is_tree)
                return vtree_read_link_beneath(medium->image->fd, below, ret);
        if (!media_index_find(&medium->index, below, strlen(below), &number) ||
            !media_index_node(&medium->index, number, &node) || !node.is_link ||
            strlen(node.link) >= PATH_MAX_BYTES)
                return VTREE_NOT_FOUND;
        memcpy(ret, node.link, strlen(node.link) + 1);
        return VTREE_OK;
}

/* The index leads from folders to what is in them; for the way back, four bytes a
 * node are made when somebody first asks. */
static bool make_parents(struct vtree_medium *medium) {
        uint32_t n = media_index_count(&medium->index);
        struct media_node node;

        if (medium->parents)
                return true;
        medium->parents = calloc((size_t)n + 1, sizeof(*medium->parents));
        if (!medium->parents)
                return false;
        for (uint32_t i = 0; i < n; i++) {
                if (!media_index_node(&medium->index, i, &node) || node.is_link ||
                    node.kind != MEDIA_NODE_FOLDER)
                        continue;
                for (uint32_t j = 0; j < node.n_children; j++)
                        medium->parents[media_index_child_number(&node, j)] = i;
        }
        return true;
}

int vtree_medium_find_node(struct vtree_medium *medium, uint32_t number,
                           char ret[static PATH_MAX_BYTES]) {
        char path[PATH_MAX_BYTES];
        size_t at = sizeof(path) - 1;
        const char *name;

        if (number >= media_index_count(&medium->index))
                return VTREE_NOT_FOUND;
        if (!make_parents(medium))
                return -ENOMEM;
        /* From its end: every parent stands before its children in the index. */
        path[at] = '\0';
        for (; number != 0; number = medium->parents[number]) {
                struct media_node node;
                size_t n;

                if (!media_index_node(&medium->index, number, &node))
                        return VTREE_NOT_FOUND;
                n = strlen(node.name);
                if (n + 1 > at)
                        return VTREE_NOT_FOUND;
                at -= n;
                memcpy(path + at, node.name, n);
                path[--at] = '/';
        }
        name = medium->name;
        if (strlen("media/") + strlen(name) + strlen(path + at) >= PATH_MAX_BYTES)
                return VTREE_NOT_FOUND;
        memcpy(ret, "media/", 7);
        strcat(ret, name);
        strcat(ret, path + at);
        return VTREE_OK;
}

static void add_node(struct vtree_medium *medium, struct vtree_names *names,
                     uint32_t number) {
        struct media_node node;
        struct vtree_entry entry = { 0 };

        if (!media_index_node(&medium->index, number, &node) ||
            look_at_node(medium, number, &entry.node) != VTREE_OK)
                return;
        entry.name = node.name;
        vtree_names_add(names, &entry);
}

int vtree_medium_list(struct vtree_medium *medium, const char *below,
                      struct vtree_names *names) {
        struct media_node folder;

        if (medium->is_tree)
                return vtree_names_add_folder(names, medium->image->fd, below);
        if (!media_index_lookup(&medium->index, below, strlen(below), &folder) ||
            folder.kind != MEDIA_NODE_FOLDER)
                return VTREE_NOT_FOUND;
        for (uint32_t i = 0; i < folder.n_children; i++) {
                struct media_node child = media_index_child(&medium->index, &folder, i);

                if (names->has_nodes) {
                        add_node(medium, names, media_index_child_number(&folder, i));
                        continue;
                }
                if (child.kind == MEDIA_NODE_DEAD_LINK)
                        continue;
                vtree_names_add(names,
                                &(struct vtree_entry){ .name = child.name,
                                                       .is_folder = child.kind ==
                                                                    MEDIA_NODE_FOLDER,
                                                       .size = child.size,
                                                       .mtime = child.mtime });
        }
        return VTREE_OK;
}

/* ---- its signed chain ---- */

static bool is_one_of(const char *name, const char *const *names, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (strcasecmp(name, names[i]) == 0)
                        return true;
        return false;
}

static bool copy_path(const char *path, char ret[static PATH_MAX_BYTES]) {
        size_t n = strlen(path);

        if (n == 0 || n >= PATH_MAX_BYTES)
                return false;
        memcpy(ret, path, n + 1);
        return true;
}

/* MokManager and the rest lie beside the shim. */
static bool beside(struct vtree_medium *medium, const char *shim, const char *name,
                   char ret[static PATH_MAX_BYTES]) {
        const char *slash = strrchr(shim, '/');
        size_t n = slash ? (size_t)(slash + 1 - shim) : 0;
        struct vtree_node node;

        if (n + strlen(name) >= PATH_MAX_BYTES)
                return false;
        memcpy(ret, shim, n);
        memcpy(ret + n, name, strlen(name) + 1);
        return vtree_medium_look(medium, ret, &node) == VTREE_OK;
}

bool vtree_medium_link(struct vtree_medium *medium, const char *name,
                       char ret[static PATH_MAX_BYTES]) {
        /* By the bits of media/medium.h. */
        static const struct {
                const char *shims[2], *grubs[2];
        } names[MEDIUM_N_FIRMWARE] = {
                [1] = { { "shimx64.efi", "bootx64.efi" },
                        { "grubx64.efi", "grub.efi" } },
                [2] = { { "shimia32.efi", "bootia32.efi" },
                        { "grubia32.efi", "grub.efi" } },
                [3] = { { "shimaa64.efi", "bootaa64.efi" },
                        { "grubaa64.efi", "grub.efi" } },
        };
        struct medium m;

        if (!*name || strchr(name, '/'))
                return false;
        media_index_medium(&medium->index, &m);
        for (unsigned i = 1; i < MEDIUM_N_FIRMWARE; i++) {
                const struct medium_loader *chain = &m.loaders[i];

                if (!chain->shim[0] || !chain->grub[0])
                        continue;
                if (is_one_of(name, names[i].shims, 2))
                        return copy_path(chain->shim, ret);
                if (is_one_of(name, names[i].grubs, 2))
                        return copy_path(chain->grub, ret);
        }
        for (unsigned i = 1; i < MEDIUM_N_FIRMWARE; i++)
                if (m.loaders[i].shim[0] &&
                    beside(medium, m.loaders[i].shim, name, ret))
                        return true;
        return false;
}
