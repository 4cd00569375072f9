/*
 * What a path names: which of our own layers has it, by the path alone, and what node
 * that is. Nothing is opened here but to see whether it is there.
 */
#include <fcntl.h>
#include <unistd.h>

#include "base/text.h"
#include "media/made.h"
#include "policy/menu_path.h"
#include "vtree/tree.h"

/* What follows `folder/` in path, "" for the folder itself, NULL for anything else. */
const char *vtree_below_of(const char *path, const char *folder) {
        size_t n = strlen(folder);

        if (strncmp(path, folder, n) != 0)
                return NULL;
        if (path[n] == '\0')
                return path + n;
        return path[n] == '/' ? path + n + 1 : NULL;
}

/* The first segment of `below` names a medium; *ret_rest is what follows it. */
struct vtree_medium *vtree_find_medium(const struct vtree *tree, const char *below,
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

struct vtree_medium *vtree_find_image(const struct vtree *tree, const char *below) {
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

bool vtree_is_on_medium(const char *path, void *userdata) {
        struct vtree_node node;

        return vtree_medium_look(userdata, path, &node) == VTREE_OK;
}

/* The medium that `path` is made of, where it is the name of such a file. */
struct vtree_medium *vtree_find_made(const struct vtree *tree, const char *path) {
        struct vtree_medium *medium;
        const char *rest;
        struct made made;

        if (!made_parse(path, &made))
                return NULL;
        medium = vtree_find_medium(tree, made.medium, &rest);
        if (!medium || (made.kind == MADE_CPIO && !vtree_medium_suffix(medium)) ||
            (made.kind == MADE_INITRD &&
             !has_initrds(medium, made.name, made.n_name)) ||
            (made_needs(made.kind) &&
             !vtree_is_on_medium(made_needs(made.kind), medium)))
                return NULL;
        return medium;
}

/* Of the folders below made/: the medium, and in *ret_entry what follows its name. */
struct vtree_medium *vtree_find_made_folder(const struct vtree *tree, const char *path,
                                            const char **ret_entry) {
        const char *below = vtree_below_of(path, "made");
        struct vtree_medium *medium =
                below && *below ? vtree_find_medium(tree, below, ret_entry) : NULL;

        if (medium && **ret_entry &&
            !has_initrds(medium, *ret_entry, strlen(*ret_entry)))
                return NULL;
        return medium;
}

static bool root_has(const struct vtree *tree, const char *path) {
        int fd;

        if (tree->root < 0 || vtree_fd_to_read(tree->root, path, &fd) != VTREE_OK)
                return false;
        close(fd);
        return true;
}

/*
 * Loaders ask for a dozen names, the most special first; that one gets the menu, made
 * for the machine that asks. But where root has such a folder of its own, more special
 * names are for somebody to write there, and only the last name of all is ours.
 */
bool vtree_is_generated(const struct vtree *tree, const char *path) {
        struct menu_path asked;
        char folder[PATH_MAX_BYTES];

        if (vtree_find_made(tree, path))
                return true;
        /* Below a loader's folder there may be something of root's own: see
         * vtree_below_view(). */
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

bool vtree_is_loader_name(const char *path) {
        for (size_t i = 0; i < ARRAY_SIZE(loader_folders); i++) {
                const char *below = vtree_below_of(path, loader_folders[i]);

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
const char *vtree_below_view(const char *path) {
        size_t n = strcspn(path, "/");

        if (path[n] == '\0' || path[n + 1] == '\0')
                return NULL;
        for (size_t i = 0; i < ARRAY_SIZE(loader_folders); i++)
                if (vtree_below_of(path, loader_folders[i]))
                        return path + n + 1;
        return is_pi_folder(path, n) ? path + n + 1 : NULL;
}

int vtree_open_alias(const struct vtree *tree, const char *path,
                     struct vtree_file **ret) {
        if (!vtree_is_loader_name(path))
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
        int r = vtree_open_alias(tree, path, &file);

        if (r != VTREE_OK)
                return r;
        /* A loader's own links are the system's affair: it is shown as a file. */
        r = file->is_folder ? VTREE_NOT_FOUND : vtree_look_at(file->fd, "", ret);
        vtree_file_unref(file);
        return r;
}

bool vtree_is_folder_of_ours(const struct vtree *tree, const char *path) {
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
        return vtree_find_made_folder(tree, path, &entry);
}

/*
 * secure/NAME/ is the signed chain of a medium: shim, what it fetches from beside it,
 * and the menu that GRUB looks for there. Apart from the medium's own folder, where a
 * menu of its own lies that looks for a disc.
 */
struct vtree_medium *vtree_find_link(const struct vtree *tree, const char *path,
                                     char ret_below[static PATH_MAX_BYTES]) {
        const char *below = vtree_below_of(path, "secure"), *rest;
        struct vtree_medium *medium =
                below && *below ? vtree_find_medium(tree, below, &rest) : NULL;

        return medium && vtree_medium_link(medium, rest, ret_below) ? medium : NULL;
}

/* ---- nodes ---- */

static int look_below_root(struct vtree *tree, const char *path,
                           struct vtree_node *ret) {
        char link[PATH_MAX_BYTES];
        const char *below = vtree_below_of(path, "media"), *rest;
        struct vtree_medium *medium =
                below && *below ? vtree_find_medium(tree, below, &rest) : NULL;

        if (medium)
                return vtree_medium_look(medium, rest, ret);
        medium = vtree_find_link(tree, path, link);
        if (medium)
                return vtree_medium_look(medium, link, ret);
        below = vtree_below_of(path, "iso");
        medium = below && *below ? vtree_find_image(tree, below) : NULL;
        if (medium)
                return vtree_medium_look_image(medium, ret);
        return look_at_alias(tree, path, ret);
}

static int look_anywhere(struct vtree *tree, const char *path, struct vtree_node *ret) {
        int r = VTREE_NOT_FOUND;

        /* Folders of ours stay what they are when root gets one of the name. */
        if (vtree_is_folder_of_ours(tree, path)) {
                *ret = vtree_node_of_folder(path);
                return VTREE_OK;
        }
        if (tree->root >= 0)
                r = vtree_look_beneath(tree->root, path, ret);
        if (r != VTREE_NOT_FOUND)
                return r;
        if (vtree_is_generated(tree, path)) {
                struct vtree_medium *medium = vtree_find_made(tree, path);

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
        const char *rest = r == VTREE_NOT_FOUND ? vtree_below_view(path) : NULL;

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
        below = vtree_below_of(path, "media");
        medium = below && *below ? vtree_find_medium(tree, below, &rest) : NULL;
        return medium ? vtree_medium_read_link(medium, rest, ret) : VTREE_NOT_FOUND;
}

int vtree_find_node(struct vtree *tree, uint64_t image, uint32_t number,
                    char ret[static PATH_MAX_BYTES]) {
        for (size_t i = 0; i < tree->n_media; i++)
                if (image != 0 && vtree_medium_image(tree->media[i]) == image)
                        return vtree_medium_find_node(tree->media[i], number, ret);
        return VTREE_NOT_FOUND;
}
