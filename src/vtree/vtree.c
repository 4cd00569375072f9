/*
 * The tree's layers, asked in order: root, generated names, media, raw images,
 * loaders. The first that knows the path answers; a refusal or a failure is an
 * answer too, so that a forbidden file in root does not uncover what lies below.
 */
#include "vtree/vtree.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "media/made.h"
#include "policy/menu_path.h"
#include "vtree/internal.h"

enum { LISTED_MAX = 1000000, LOOKED_THROUGH_MAX = 50000 };

struct alias {
        char *name; /* NULL: every file of the folder `path` */
        char *path;
};

/*
 * Small files of root that were asked for lately stay open: a storm of machines asks
 * for the same few. Nothing is taken on trust. Each time the path is looked at again,
 * and what is there must be the very file that was opened, unchanged since: to have the
 * same device, inode, size and times is to be what RESOLVE_BENEATH let through before.
 */
enum { KEPT = 64, KEPT_SIZE_MAX = 1 << 20, KEPT_CONTENT_MAX = 32 << 10 };

struct kept {
        struct vtree_file *file; /* NULL: none */
        dev_t device;
        ino_t inode;
        struct timespec mtime, ctime;
};

struct vtree {
        int root;               /* -1: none */
        struct kept kept[KEPT]; /* by a hash of their paths */
        struct vtree_medium **media;
        size_t n_media;
        struct alias *aliases;
        size_t n_aliases;
};

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

static bool open_kept(struct vtree *tree, const char *path, struct vtree_file **ret) {
        const struct kept *kept = kept_at(tree, path);
        struct stat st;

        if (!kept->file || strcmp(kept->file->path, path) != 0 ||
            fstatat(tree->root, path, &st, 0) < 0 || st.st_dev != kept->device ||
            st.st_ino != kept->inode || (uint64_t)st.st_size != kept->file->size ||
            !is_same_time(st.st_mtim, kept->mtime) ||
            !is_same_time(st.st_ctim, kept->ctime))
                return false;
        if (!kept->file->content && kept->file->size <= KEPT_CONTENT_MAX &&
            is_settled(&st))
                read_content(kept->file);
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
        *kept = (struct kept){ vtree_file_ref(file), st.st_dev, st.st_ino, st.st_mtim,
                               st.st_ctim };
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

static int open_fd_beneath(int folder, const char *below, int *ret) {
        return vtree_fd_beneath(folder, below, O_RDONLY | O_NONBLOCK | O_NOCTTY, ret);
}

int vtree_open_beneath(int folder, const char *below, const char *path,
                       struct vtree_file **ret) {
        int fd, r = open_fd_beneath(folder, below, &fd);

        return r == VTREE_OK ? vtree_file_from_fd(fd, path, ret) : r;
}

/* What follows `folder/` in path, "" for the folder itself, NULL for anything else. */
static const char *below_of(const char *path, const char *folder) {
        size_t n = strlen(folder);

        if (strncmp(path, folder, n) != 0)
                return NULL;
        if (path[n] == '\0')
                return path + n;
        return path[n] == '/' ? path + n + 1 : NULL;
}

/* The first segment of `below` names a medium; *ret_rest is what follows it. */
static struct vtree_medium *find_medium(const struct vtree *tree, const char *below,
                                        const char **ret_rest) {
        size_t n = strcspn(below, "/");

        for (size_t i = 0; i < tree->n_media; i++) {
                const char *name = vtree_medium_name(tree->media[i]);

                if (strlen(name) == n && memcmp(name, below, n) == 0) {
                        *ret_rest = below[n] ? below + n + 1 : below + n;
                        return tree->media[i];
                }
        }
        return NULL;
}

static struct vtree_medium *find_image(const struct vtree *tree, const char *below) {
        size_t n = strlen(below);

        for (size_t i = 0; i < tree->n_media; i++) {
                const char *name = vtree_medium_name(tree->media[i]);
                const char *suffix = vtree_medium_suffix(tree->media[i]);
                size_t n_name = strlen(name);

                if (suffix && n == n_name + strlen(suffix) &&
                    memcmp(below, name, n_name) == 0 &&
                    strcmp(below + n_name, suffix) == 0)
                        return tree->media[i];
        }
        return NULL;
}

/* ---- what is made of a medium ---- */

static bool has_initrds(const struct vtree_medium *medium, const char *id, size_t n) {
        struct medium m;

        vtree_medium_describe(medium, &m);
        for (uint32_t i = 0; i < m.n_entries; i++)
                if (strlen(m.entries[i].id) == n &&
                    memcmp(m.entries[i].id, id, n) == 0 && m.entries[i].n_initrd > 0)
                        return true;
        return false;
}

static bool medium_has(const char *path, void *userdata) {
        struct vtree_node node;

        return vtree_medium_look(userdata, path, &node) == VTREE_OK;
}

/* The medium that `path` is made of, where it is the name of such a file. */
static struct vtree_medium *find_made(const struct vtree *tree, const char *path) {
        struct vtree_medium *medium;
        const char *rest;
        struct made made;

        if (!made_parse(path, &made))
                return NULL;
        medium = find_medium(tree, made.medium, &rest);
        if (!medium || (made.kind == MADE_CPIO && !vtree_medium_suffix(medium)) ||
            (made.kind == MADE_INITRD &&
             !has_initrds(medium, made.name, made.n_name)) ||
            (made_needs(made.kind) && !medium_has(made_needs(made.kind), medium)))
                return NULL;
        return medium;
}

/* Of the folders below made/: the medium, and in *ret_entry what follows its name. */
static struct vtree_medium *find_made_folder(const struct vtree *tree, const char *path,
                                             const char **ret_entry) {
        const char *below = below_of(path, "made");
        struct vtree_medium *medium =
                below && *below ? find_medium(tree, below, ret_entry) : NULL;

        if (medium && **ret_entry &&
            !has_initrds(medium, *ret_entry, strlen(*ret_entry)))
                return NULL;
        return medium;
}

static bool root_has(const struct vtree *tree, const char *path) {
        int fd;

        if (tree->root < 0 || open_fd_beneath(tree->root, path, &fd) != VTREE_OK)
                return false;
        close(fd);
        return true;
}

/*
 * Loaders ask for a dozen names, the most special first; that one gets the menu, made
 * for the machine that asks. But where root has such a folder of its own, more special
 * names are for somebody to write there, and only the last name of all is ours.
 */
static bool is_generated(const struct vtree *tree, const char *path) {
        struct menu_path asked;
        char folder[PATH_MAX_BYTES];

        if (find_made(tree, path))
                return true;
        /* Below a loader's folder there may be something of root's own: see
         * below_view(). */
        if (!menu_path_parse(path, &asked) || asked.n_folder >= sizeof(folder) ||
            asked.firmware != POLICY_FIRMWARE_UNKNOWN)
                return false;
        memcpy(folder, path, asked.n_folder);
        folder[asked.n_folder] = '\0';
        return asked.is_last || !root_has(tree, *folder ? folder : "grub.cfg");
}

/* Loaders whose modules have names that others have too live in folders of their own.
 */
static const char *const loader_folders[] = { "efi64", "efi32" };

static bool is_loader_name(const char *path) {
        for (size_t i = 0; i < ARRAY_SIZE(loader_folders); i++) {
                const char *below = below_of(path, loader_folders[i]);

                if (below && *below)
                        return !strchr(below, '/');
        }
        return !strchr(path, '/');
}

/* "1234abcd" and "dc-a6-32-01-02-03": what a Raspberry Pi puts before every name. */
static bool is_pi_folder(const char *path, size_t n) {
        if (n != 8 && n != 17)
                return false;
        for (size_t i = 0; i < n; i++)
                if (n == 17 && i % 3 == 2 ? path[i] != '-'
                                          : !strchr("0123456789abcdef", path[i]))
                        return false;
        return true;
}

/*
 * The tree once more, behind a folder's name: syslinux.efi asks for everything below
 * the folder that it came from, and a Raspberry Pi below one of its own, where it is
 * enough to have what is different for this one. NULL: no such path.
 */
static const char *below_view(const char *path) {
        size_t n = strcspn(path, "/");

        if (path[n] == '\0' || path[n + 1] == '\0')
                return NULL;
        for (size_t i = 0; i < ARRAY_SIZE(loader_folders); i++)
                if (below_of(path, loader_folders[i]))
                        return path + n + 1;
        return is_pi_folder(path, n) ? path + n + 1 : NULL;
}

static int open_alias(const struct vtree *tree, const char *path,
                      struct vtree_file **ret) {
        if (!is_loader_name(path))
                return VTREE_NOT_FOUND;
        for (size_t i = 0; i < tree->n_aliases; i++) {
                const struct alias *alias = &tree->aliases[i];
                struct text full = { 0 };
                int fd;

                if (alias->name && strcmp(alias->name, path) != 0)
                        continue;
                text_add(&full, alias->path);
                if (!alias->name) {
                        text_char(&full, '/');
                        text_add(&full, path);
                }
                fd = full.failed ? -1
                                 : open(text_string(&full),
                                        O_RDONLY | O_CLOEXEC | O_NONBLOCK);
                text_done(&full);
                if (fd >= 0)
                        return vtree_file_from_fd(fd, path, ret);
        }
        return VTREE_NOT_FOUND;
}

static int look_at_alias(const struct vtree *tree, const char *path,
                         struct vtree_node *ret) {
        struct vtree_file *file;
        int r = open_alias(tree, path, &file);

        if (r != VTREE_OK)
                return r;
        /* A loader's own links are the system's affair: it is shown as a file. */
        r = file->is_folder ? VTREE_NOT_FOUND : vtree_look_at(file->fd, "", ret);
        vtree_file_unref(file);
        return r;
}

static bool is_folder_of_ours(const struct vtree *tree, const char *path) {
        static const char *const folders[] = {
                "", "media", "iso", "made", "grub", "bootjack", "pxelinux.cfg"
        };
        const char *entry;

        for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
                if (strcmp(path, folders[i]) == 0)
                        return true;
        for (size_t i = 0; i < ARRAY_SIZE(loader_folders); i++)
                if (strcmp(path, loader_folders[i]) == 0)
                        return true;
        return find_made_folder(tree, path, &entry);
}

/*
 * secure/NAME/ is the signed chain of a medium: shim, what it fetches from beside it,
 * and the menu that GRUB looks for there. Apart from the medium's own folder, where a
 * menu of its own lies that looks for a disc.
 */
static struct vtree_medium *find_link(const struct vtree *tree, const char *path,
                                      char ret_below[static PATH_MAX_BYTES]) {
        const char *below = below_of(path, "secure"), *rest;
        struct vtree_medium *medium =
                below && *below ? find_medium(tree, below, &rest) : NULL;

        return medium && vtree_medium_link(medium, rest, ret_below) ? medium : NULL;
}

static int open_below_root(struct vtree *tree, const char *path,
                           struct vtree_file **ret) {
        char link[PATH_MAX_BYTES];
        struct vtree_medium *medium;
        const char *below, *rest;

        if (is_generated(tree, path))
                return VTREE_GENERATED;
        below = below_of(path, "media");
        medium = below && *below ? find_medium(tree, below, &rest) : NULL;
        if (medium)
                return vtree_medium_open(medium, rest, path, ret);
        medium = find_link(tree, path, link);
        if (medium)
                return vtree_medium_open(medium, link, path, ret);
        below = below_of(path, "iso");
        medium = below && *below ? find_image(tree, below) : NULL;
        if (medium)
                return vtree_medium_open_image(medium, path, ret);
        if (is_folder_of_ours(tree, path))
                return vtree_folder_new(path, -1, 0, ret);
        return open_alias(tree, path, ret);
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
        const char *rest = r == VTREE_NOT_FOUND ? below_view(path) : NULL;

        return rest ? open_anywhere(tree, rest, ret) : r;
}

void vtree_names_add(struct vtree_names *names, const struct vtree_entry *entry) {
        struct vtree_entry copy = *entry;

        if (names->n >= (names->most ? names->most : LISTED_MAX))
                names->is_cut = true;
        if (names->failed || names->is_cut)
                return;
        if (names->n == names->room) {
                size_t room = names->room ? names->room * 2 : 64;
                struct vtree_entry *grown =
                        realloc(names->entries, room * sizeof(*grown));

                if (!grown) {
                        names->failed = true;
                        return;
                }
                names->entries = grown;
                names->room = room;
        }
        copy.name = strdup(entry->name);
        if (!copy.name) {
                names->failed = true;
                return;
        }
        names->entries[names->n++] = copy;
}

void vtree_names_done(struct vtree_names *names) {
        for (size_t i = 0; i < names->n; i++)
                free((char *)(uintptr_t)names->entries[i].name);
        free(names->entries);
        *names = (struct vtree_names){ 0 };
}

static void add_node(struct vtree_names *names, int folder, const char *name) {
        struct vtree_entry entry = { .name = name };

        if (vtree_look_at(folder, name, &entry.node) == VTREE_OK)
                vtree_names_add(names, &entry);
}

static void add_from(struct vtree_names *names, DIR *folder) {
        for (const struct dirent *d; !names->is_cut && (d = readdir(folder));) {
                struct stat st;

                if (d->d_name[0] == '.' &&
                    (d->d_name[1] == '\0' || strcmp(d->d_name, "..") == 0))
                        continue;
                if (names->has_nodes) {
                        add_node(names, dirfd(folder), d->d_name);
                        continue;
                }
                if (names->is_plain) {
                        vtree_names_add(names,
                                        &(struct vtree_entry){ .name = d->d_name });
                        continue;
                }
                if (fstatat(dirfd(folder), d->d_name, &st, 0) < 0 ||
                    !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
                        continue;
                vtree_names_add(names,
                                &(struct vtree_entry){ .name = d->d_name,
                                                       .is_folder = S_ISDIR(st.st_mode),
                                                       .size = (uint64_t)st.st_size,
                                                       .mtime = vtree_mtime(&st) });
        }
}

int vtree_names_add_folder(struct vtree_names *names, int folder, const char *below) {
        int fd, r = open_fd_beneath(folder, below, &fd);
        DIR *d;

        if (r != VTREE_OK)
                return r;
        d = fdopendir(fd);
        if (!d) {
                close(fd);
                return VTREE_NOT_FOUND;
        }
        add_from(names, d);
        closedir(d);
        return VTREE_OK;
}

static void add_name(struct vtree_names *names, const char *name, bool is_folder) {
        vtree_names_add(names,
                        &(struct vtree_entry){ .name = name, .is_folder = is_folder });
}

/* The name of an alias in this folder of the tree; NULL: it is in another. */
static const char *alias_in(const struct alias *alias, const char *folder) {
        const char *below = *folder ? below_of(alias->name, folder) : alias->name;

        return below && *below && !strchr(below, '/') ? below : NULL;
}

static void list_own_folder(const struct alias *alias, const char *folder,
                            struct vtree_names *names) {
        int fd = open(alias->path, O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return;
        (void)vtree_names_add_folder(names, fd, folder);
        close(fd);
}

/* Those of a folder of ours; "" is the top. */
static void list_aliases(const struct vtree *tree, const char *folder,
                         struct vtree_names *names) {
        for (size_t i = 0; i < tree->n_aliases; i++) {
                const struct alias *alias = &tree->aliases[i];
                struct stat st;

                if (!alias->name)
                        list_own_folder(alias, folder, names);
                else if (alias_in(alias, folder) && stat(alias->path, &st) == 0) {
                        vtree_names_add(names, &(struct vtree_entry){
                                                       .name = alias_in(alias, folder),
                                                       .size = (uint64_t)st.st_size,
                                                       .mtime = vtree_mtime(&st) });
                }
        }
}

static void list_top(const struct vtree *tree, struct vtree_names *names) {
        add_name(names, "media", true);
        add_name(names, "iso", true);
        add_name(names, "made", true);
        add_name(names, "boot.ipxe", false);
        add_name(names, "bootjack", true);
        add_name(names, "efi32", true);
        add_name(names, "efi64", true);
        add_name(names, "grub", true);
        add_name(names, "pxelinux.cfg", true);
        list_aliases(tree, "", names);
}

static void list_media(const struct vtree *tree, bool images,
                       struct vtree_names *names) {
        for (size_t i = 0; i < tree->n_media; i++) {
                const struct vtree_medium *m = tree->media[i];
                struct text name = { 0 };

                if (images && !vtree_medium_suffix(m))
                        continue;
                text_add(&name, vtree_medium_name(m));
                text_add(&name, images ? vtree_medium_suffix(m) : "");
                vtree_names_add(names,
                                &(struct vtree_entry){
                                        .name = text_string(&name),
                                        .is_folder = !images,
                                        .size = images ? vtree_medium_size(m) : 0,
                                        .mtime = vtree_medium_mtime(m) });
                names->failed |= name.failed;
                text_done(&name);
        }
}

static void list_ours(struct vtree_names *names) {
        for (size_t i = 0; menu_path_ours[i]; i++)
                add_name(names, menu_path_ours[i], false);
}

static void list_made(struct vtree_medium *medium, const char *entry,
                      struct vtree_names *names) {
        struct text name = { 0 };
        struct medium m;
        bool is_folder;

        if (*entry) {
                add_name(names, "initrd", false);
                return;
        }
        vtree_medium_describe(medium, &m);
        for (size_t i = 0; made_name(&m, medium_has, medium, i, &name, &is_folder);
             i++) {
                names->failed |= name.failed;
                add_name(names, text_string(&name), is_folder);
                name.n = 0;
        }
        text_done(&name);
}

static int list_below_root(struct vtree *tree, const char *path,
                           struct vtree_names *names) {
        const char *below = below_of(path, "media"), *rest;
        struct vtree_medium *medium =
                below && *below ? find_medium(tree, below, &rest) : NULL;

        if (medium)
                return vtree_medium_list(medium, rest, names);
        medium = find_made_folder(tree, path, &rest);
        if (medium) {
                list_made(medium, rest, names);
                return VTREE_OK;
        }
        if (!is_folder_of_ours(tree, path))
                return VTREE_NOT_FOUND;
        if (*path == '\0')
                list_top(tree, names);
        else if (strcmp(path, "media") == 0 || strcmp(path, "iso") == 0 ||
                 strcmp(path, "made") == 0)
                list_media(tree, path[0] == 'i', names);
        else if (strcmp(path, "grub") == 0)
                add_name(names, "grub.cfg", false);
        else if (strncmp(path, "efi", 3) == 0)
                list_aliases(tree, path, names);
        else if (strcmp(path, "bootjack") == 0)
                list_ours(names);
        else
                add_name(names, "default", false);
        return VTREE_OK;
}

static int by_name(const void *a, const void *b) {
        const struct vtree_entry *x = a, *y = b;
        return strcmp(x->name, y->name);
}

/* Root first, so that of equal names (qsort is not stable) root's details may be lost
 * but never its name. */
static int collect(struct vtree *tree, const char *path, struct vtree_names *names) {
        int in_root = VTREE_NOT_FOUND, below;

        if (tree->root >= 0)
                in_root = vtree_names_add_folder(names, tree->root, path);
        if (in_root != VTREE_OK && in_root != VTREE_NOT_FOUND)
                return in_root;
        below = list_below_root(tree, path, names);
        if (names->failed)
                return -ENOMEM;
        if (names->n > 0)
                qsort(names->entries, names->n, sizeof(*names->entries), by_name);
        return in_root == VTREE_OK ? VTREE_OK : below;
}

int vtree_list(struct vtree *tree, const char *path, vtree_list_fn fn, void *userdata) {
        bool ignored;

        return vtree_list_some(tree, path, VTREE_LIST_MAX, fn, userdata, &ignored);
}

int vtree_list_some(struct vtree *tree, const char *path, size_t most, vtree_list_fn fn,
                    void *userdata, bool *ret_is_cut) {
        struct vtree_names names CLEANUP(vtree_names_done) = { .most = most };
        int r = collect(tree, path, &names);

        if (r == VTREE_OK)
                *ret_is_cut = names.is_cut;
        for (size_t i = 0; r == VTREE_OK && i < names.n; i++)
                if (i == 0 ||
                    strcmp(names.entries[i].name, names.entries[i - 1].name) != 0)
                        fn(&names.entries[i], userdata);
        return r;
}

/* Names of ours were listed without a node, and of equal ones any may stand first:
 * what the tree says of the path holds. */
static void complete(struct vtree *tree, const char *folder, bool is_alone,
                     struct vtree_entry *entry) {
        struct text path = { 0 };

        if (is_alone && entry->node.id != 0)
                return;
        text_add(&path, folder);
        text_add(&path, *folder ? "/" : "");
        text_add(&path, entry->name);
        if (path.failed ||
            vtree_look(tree, text_string(&path), &entry->node) != VTREE_OK)
                entry->node.id = 0;
        text_done(&path);
}

int vtree_scan(struct vtree *tree, const char *path, vtree_list_fn fn, void *userdata) {
        struct vtree_names names CLEANUP(vtree_names_done) = { .has_nodes = true };
        int r = collect(tree, path, &names);

        for (size_t i = 0, end; r == VTREE_OK && i < names.n; i = end) {
                struct vtree_entry *entry = &names.entries[i];

                for (end = i + 1; end < names.n; end++)
                        if (strcmp(names.entries[end].name, entry->name) != 0)
                                break;
                complete(tree, path, end == i + 1, entry);
                entry->is_folder = entry->node.kind == VTREE_FOLDER;
                if (entry->node.id != 0)
                        fn(entry, userdata);
        }
        return r;
}

static int look_below_root(struct vtree *tree, const char *path,
                           struct vtree_node *ret) {
        char link[PATH_MAX_BYTES];
        const char *below = below_of(path, "media"), *rest;
        struct vtree_medium *medium =
                below && *below ? find_medium(tree, below, &rest) : NULL;

        if (medium)
                return vtree_medium_look(medium, rest, ret);
        medium = find_link(tree, path, link);
        if (medium)
                return vtree_medium_look(medium, link, ret);
        below = below_of(path, "iso");
        medium = below && *below ? find_image(tree, below) : NULL;
        if (medium)
                return vtree_medium_look_image(medium, ret);
        return look_at_alias(tree, path, ret);
}

static int look_anywhere(struct vtree *tree, const char *path, struct vtree_node *ret) {
        int r = VTREE_NOT_FOUND;

        /* Folders of ours stay what they are when root gets one of the name. */
        if (is_folder_of_ours(tree, path)) {
                *ret = vtree_node_of_folder(path);
                return VTREE_OK;
        }
        if (tree->root >= 0)
                r = vtree_look_beneath(tree->root, path, ret);
        if (r != VTREE_NOT_FOUND)
                return r;
        if (is_generated(tree, path)) {
                struct vtree_medium *medium = find_made(tree, path);

                *ret = (struct vtree_node){ .kind = VTREE_MADE,
                                            .mode = 0444,
                                            .id = vtree_id_of_path(path) };
                if (medium) /* of another image it is another file */
                        ret->id = vtree_mix(ret->id, vtree_medium_image(medium));
                return VTREE_OK;
        }
        return look_below_root(tree, path, ret);
}

int vtree_look(struct vtree *tree, const char *path, struct vtree_node *ret) {
        int r = look_anywhere(tree, path, ret);
        const char *rest = r == VTREE_NOT_FOUND ? below_view(path) : NULL;

        return rest ? look_anywhere(tree, rest, ret) : r;
}

int vtree_read_link(struct vtree *tree, const char *path,
                    char ret[static PATH_MAX_BYTES]) {
        int r = VTREE_NOT_FOUND;
        const char *below, *rest;
        struct vtree_medium *medium;

        if (tree->root >= 0)
                r = vtree_read_link_beneath(tree->root, path, ret);
        if (r != VTREE_NOT_FOUND)
                return r;
        below = below_of(path, "media");
        medium = below && *below ? find_medium(tree, below, &rest) : NULL;
        return medium ? vtree_medium_read_link(medium, rest, ret) : VTREE_NOT_FOUND;
}

int vtree_find_node(struct vtree *tree, uint64_t image, uint32_t number,
                    char ret[static PATH_MAX_BYTES]) {
        for (size_t i = 0; i < tree->n_media; i++)
                if (image != 0 && vtree_medium_image(tree->media[i]) == image)
                        return vtree_medium_find_node(tree->media[i], number, ret);
        return VTREE_NOT_FOUND;
}

/* Appends to the path what the folder calls this segment. */
static bool find_segment(struct vtree *tree, const char *segment, size_t n,
                         char path[static PATH_MAX_BYTES]) {
        struct vtree_names names CLEANUP(
                vtree_names_done) = { .is_plain = true, .most = LOOKED_THROUGH_MAX };
        size_t at = strlen(path);

        if (collect(tree, path, &names) != VTREE_OK || at + n + 2 > PATH_MAX_BYTES)
                return false;
        for (size_t i = 0; i < names.n; i++) {
                const char *name = names.entries[i].name;

                if (strncasecmp(name, segment, n) != 0 || name[n] != '\0')
                        continue;
                if (at > 0)
                        path[at++] = '/';
                memcpy(path + at, name, n + 1);
                return true;
        }
        return false;
}

bool vtree_find_any_case(struct vtree *tree, const char *path,
                         char ret[static PATH_MAX_BYTES]) {
        char found[PATH_MAX_BYTES] = "";

        while (*path) {
                size_t n = strcspn(path, "/");

                if (!find_segment(tree, path, n, found))
                        return false;
                path += n + (path[n] == '/');
        }
        memcpy(ret, found, strlen(found) + 1);
        return true;
}

bool vtree_nearest(struct vtree *tree, const char *path,
                   char ret[static PATH_MAX_BYTES]) {
        struct vtree_names names CLEANUP(
                vtree_names_done) = { .is_plain = true, .most = LOOKED_THROUGH_MAX };
        const char *last = strrchr(path, '/'), **words, *best;
        char folder[PATH_MAX_BYTES] = "";
        size_t n_folder = last ? (size_t)(last - path) : 0;

        memcpy(folder, path, n_folder);
        if (collect(tree, folder, &names) != VTREE_OK)
                return false;
        words = calloc(names.n + 1, sizeof(*words));
        if (!words)
                return false;
        for (size_t i = 0; i < names.n; i++)
                words[i] = names.entries[i].name;
        best = text_nearest(last ? last + 1 : path, words);
        if (best && n_folder + strlen(best) + 2 <= PATH_MAX_BYTES) {
                memcpy(ret, folder, n_folder);
                if (n_folder)
                        ret[n_folder++] = '/';
                memcpy(ret + n_folder, best, strlen(best) + 1);
        }
        free(words);
        return best != NULL;
}
