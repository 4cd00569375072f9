/*
 * The tree's layers, asked in order: root, generated names, media, raw images,
 * loaders. The first that knows the path answers; a refusal or a failure is an
 * answer too, so that a forbidden file in root does not uncover what lies below.
 */
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "vtree/tree.h"

int vtree_new(struct vtree **ret) {
        struct vtree *tree = calloc(1, sizeof(*tree));

        if (!tree)
                return -ENOMEM;
        tree->root = -1;
        *ret = tree;
        return 0;
}

struct vtree *vtree_free(struct vtree *tree) {
        if (!tree)
                return NULL;
        vtree_set_root(tree, -1);
        for (size_t i = 0; i < tree->n_media; i++)
                vtree_medium_free(tree->media[i]);
        for (size_t i = 0; i < tree->n_aliases; i++) {
                free(tree->aliases[i].name);
                free(tree->aliases[i].path);
        }
        free(tree->aliases);
        free(tree->media);
        free(tree);
        return NULL;
}

static void forget_kept(struct vtree *tree) {
        for (size_t i = 0; i < KEPT; i++)
                tree->kept[i].file = vtree_file_unref(tree->kept[i].file);
}

static struct kept *kept_at(struct vtree *tree, const char *path) {
        uint32_t hash = 2166136261U; /* FNV-1a */

        while (*path)
                hash = (hash ^ (uint8_t)*path++) * 16777619U;
        return &tree->kept[(hash ^ hash >> 16) % KEPT];
}

static bool is_same_time(struct timespec a, struct timespec b) {
        return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/* A file that was written this moment may be written again without a change of its
 * times, which are no finer than the kernel's ticks. */
static bool is_settled(const struct stat *st) {
        struct timespec now;

        return clock_gettime(CLOCK_REALTIME, &now) == 0 &&
               now.tv_sec > st->st_mtim.tv_sec + 2 &&
               now.tv_sec > st->st_ctim.tv_sec + 2;
}

static void read_content(struct vtree_file *file) {
        uint8_t *content = malloc((size_t)file->size + 1);

        if (content &&
            vtree_file_read_now(file, 0, content, (size_t)file->size) ==
                    (int64_t)file->size &&
            vtree_file_is_unchanged(file))
                file->content = content;
        else
                free(content);
}

static bool is_kept(struct vtree *tree, struct kept *kept) {
        struct stat st;

        if (tree->moment != 0 && kept->looked == tree->moment)
                return true;
        if (fstatat(tree->root, kept->file->path, &st, 0) < 0 ||
            st.st_dev != kept->device || st.st_ino != kept->inode ||
            (uint64_t)st.st_size != kept->file->size ||
            !is_same_time(st.st_mtim, kept->mtime) ||
            !is_same_time(st.st_ctim, kept->ctime))
                return false;
        kept->looked = tree->moment;
        if (!kept->file->content && kept->file->size <= KEPT_CONTENT_MAX &&
            is_settled(&st))
                read_content(kept->file);
        return true;
}

static bool open_kept(struct vtree *tree, const char *path, struct vtree_file **ret) {
        struct kept *kept = kept_at(tree, path);

        if (!kept->file || strcmp(kept->file->path, path) != 0 || !is_kept(tree, kept))
                return false;
        *ret = vtree_file_ref(kept->file);
        return true;
}

static void keep(struct vtree *tree, struct vtree_file *file) {
        struct kept *kept = kept_at(tree, file->path);
        struct stat st;

        if (file->is_folder || file->size > KEPT_SIZE_MAX || fstat(file->fd, &st) < 0)
                return;
        if (file->size <= KEPT_CONTENT_MAX && is_settled(&st))
                read_content(file);
        vtree_file_unref(kept->file);
        *kept = (struct kept){ vtree_file_ref(file), st.st_dev,  st.st_ino,
                               st.st_mtim,           st.st_ctim, tree->moment };
}

void vtree_set_moment(struct vtree *tree, nsec_t moment) {
        tree->moment = moment;
}

void vtree_set_root(struct vtree *tree, int fd) {
        forget_kept(tree);
        if (tree->root >= 0)
                close(tree->root);
        tree->root = fd;
}

static int add_alias(struct vtree *tree, const char *name, const char *host_path) {
        struct alias *grown =
                realloc(tree->aliases, (tree->n_aliases + 1) * sizeof(*grown));
        struct alias alias = { 0 };

        if (!grown)
                return -ENOMEM;
        tree->aliases = grown;
        alias.name = name ? strdup(name) : NULL;
        alias.path = strdup(host_path);
        if (!alias.path || (name && !alias.name)) {
                free(alias.name);
                free(alias.path);
                return -ENOMEM;
        }
        tree->aliases[tree->n_aliases++] = alias;
        return 0;
}

int vtree_add_file(struct vtree *tree, const char *name, const char *host_path) {
        return add_alias(tree, name, host_path);
}

int vtree_add_folder(struct vtree *tree, const char *host_path) {
        return add_alias(tree, NULL, host_path);
}

static void drop_medium(struct vtree *tree, size_t i,
                        const struct vtree_medium *successor) {
        if (!successor || !vtree_medium_is_same(tree->media[i], successor))
                vtree_medium_set_gone(tree->media[i]);
        vtree_medium_free(tree->media[i]);
        tree->media[i] = tree->media[--tree->n_media];
}

int vtree_add_medium(struct vtree *tree, uint64_t id, const char *name, bool is_tree,
                     int index_fd, int image_fd) {
        struct vtree_medium **grown, *medium;
        int r = vtree_medium_new(id, name, is_tree, index_fd, image_fd, &medium);

        if (r != 0)
                return r;
        for (size_t i = tree->n_media; i-- > 0;)
                if (vtree_medium_id(tree->media[i]) == id ||
                    strcmp(vtree_medium_name(tree->media[i]), name) == 0)
                        drop_medium(tree, i, medium);
        grown = realloc(tree->media,
                        (tree->n_media + 1) * sizeof(struct vtree_medium *));
        if (!grown) {
                vtree_medium_free(medium);
                return -ENOMEM;
        }
        tree->media = grown;
        tree->media[tree->n_media++] = medium;
        return 0;
}

void vtree_remove_medium(struct vtree *tree, uint64_t id) {
        for (size_t i = tree->n_media; i-- > 0;)
                if (vtree_medium_id(tree->media[i]) == id)
                        drop_medium(tree, i, NULL);
}

int vtree_fd_beneath(int folder, const char *below, int flags, int *ret) {
        struct open_how how = { .flags = (uint64_t)flags | O_CLOEXEC,
                                .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
        long fd;

        /* A rename somewhere above may make the kernel unsure: it says EAGAIN. */
        for (int tries = 0; tries < 8; tries++) {
                fd = syscall(SYS_openat2, folder, *below ? below : ".", &how,
                             sizeof(how));
                if (fd >= 0 || errno != EAGAIN)
                        break;
        }
        if (fd >= 0) {
                *ret = (int)fd;
                return VTREE_OK;
        }
        switch (errno) {
        case ENOENT:
        case ENOTDIR:
        case ENAMETOOLONG:
                return VTREE_NOT_FOUND;
        case EXDEV: /* the path or a link in it leaves the folder */
        case ELOOP:
        case ENXIO: /* a socket, or a device nobody serves */
        case EAGAIN:
                return VTREE_REFUSED;
        case EACCES:
        case EPERM:
                return VTREE_UNREADABLE;
        default:
                return -errno;
        }
}

int vtree_fd_to_read(int folder, const char *below, int *ret) {
        return vtree_fd_beneath(folder, below, O_RDONLY | O_NONBLOCK | O_NOCTTY, ret);
}

int vtree_open_beneath(int folder, const char *below, const char *path,
                       struct vtree_file **ret) {
        int fd, r = vtree_fd_to_read(folder, below, &fd);

        return r == VTREE_OK ? vtree_file_from_fd(fd, path, ret) : r;
}

static int open_below_root(struct vtree *tree, const char *path,
                           struct vtree_file **ret) {
        char link[PATH_MAX_BYTES];
        struct vtree_medium *medium;
        const char *below, *rest;

        if (vtree_is_generated(tree, path))
                return VTREE_GENERATED;
        below = vtree_below_of(path, "media");
        medium = below && *below ? vtree_find_medium(tree, below, &rest) : NULL;
        if (medium)
                return vtree_medium_open(medium, rest, path, ret);
        medium = vtree_find_link(tree, path, link);
        if (medium)
                return vtree_medium_open(medium, link, path, ret);
        below = vtree_below_of(path, "iso");
        medium = below && *below ? vtree_find_image(tree, below) : NULL;
        if (medium)
                return vtree_medium_open_image(medium, path, ret);
        if (vtree_is_folder_of_ours(tree, path))
                return vtree_folder_new(path, -1, 0, ret);
        return vtree_open_alias(tree, path, ret);
}

static int open_anywhere(struct vtree *tree, const char *path,
                         struct vtree_file **ret) {
        int r = VTREE_NOT_FOUND;

        if (tree->root >= 0 && *path) {
                if (open_kept(tree, path, ret))
                        return VTREE_OK;
                r = vtree_open_beneath(tree->root, path, path, ret);
                if (r == VTREE_OK)
                        keep(tree, *ret);
        }
        return r == VTREE_NOT_FOUND ? open_below_root(tree, path, ret) : r;
}

int vtree_open(struct vtree *tree, const char *path, struct vtree_file **ret) {
        int r = open_anywhere(tree, path, ret);
        const char *rest = r == VTREE_NOT_FOUND ? vtree_below_view(path) : NULL;

        return rest ? open_anywhere(tree, rest, ret) : r;
}

int vtree_open_below(struct vtree *tree, const char *root, const char *path,
                     char ret_path[static PATH_MAX_BYTES], struct vtree_file **ret) {
        struct text full = { 0 };
        int r = VTREE_NOT_FOUND;

        if (!root || !*root)
                return VTREE_NOT_FOUND;
        text_add(&full, root);
        text_char(&full, '/');
        text_add(&full, path);
        if (!full.failed && path_clean(full.s, full.n, ret_path) == PATH_OK)
                r = vtree_open(tree, ret_path, ret);
        text_done(&full);
        return r == VTREE_GENERATED ? VTREE_NOT_FOUND : r;
}
