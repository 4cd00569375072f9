/*
 * What stands in a folder: names are collected from every layer, those of root first,
 * and sorted. The spelling of a path is looked for in the same lists.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"
#include "media/made.h"
#include "policy/menu_path.h"
#include "vtree/tree.h"

enum { LISTED_MAX = 1000000, LOOKED_THROUGH_MAX = 50000 };

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
        int fd, r = vtree_fd_to_read(folder, below, &fd);
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
        const char *below = *folder ? vtree_below_of(alias->name, folder) : alias->name;

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
        for (size_t i = 0;
             made_name(&m, vtree_is_on_medium, medium, i, &name, &is_folder); i++) {
                names->failed |= name.failed;
                add_name(names, text_string(&name), is_folder);
                name.n = 0;
        }
        text_done(&name);
}

static int list_below_root(struct vtree *tree, const char *path,
                           struct vtree_names *names) {
        const char *below = vtree_below_of(path, "media"), *rest;
        struct vtree_medium *medium =
                below && *below ? vtree_find_medium(tree, below, &rest) : NULL;

        if (medium)
                return vtree_medium_list(medium, rest, names);
        medium = vtree_find_made_folder(tree, path, &rest);
        if (medium) {
                list_made(medium, rest, names);
                return VTREE_OK;
        }
        if (!vtree_is_folder_of_ours(tree, path))
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
