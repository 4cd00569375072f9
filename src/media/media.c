/* Recipes from a folder, one medium looked into, and the media below a path. */
#include "media/media.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "media/iso.h"
#include "media/recipe.h"

enum { RECIPE_BYTES_MAX = 256 * 1024 };

/* ---- recipes ---- */

static int is_yaml(const struct dirent *entry) {
        const char *dot = strrchr(entry->d_name, '.');

        return entry->d_name[0] != '.' && dot && strcmp(dot, ".yaml") == 0;
}

static int add_file(struct media_recipes *recipes, const char *folder, const char *name,
                    struct text *problems) {
        char path[PATH_MAX];
        char *text = malloc(RECIPE_BYTES_MAX);
        int fd, r = -ENOMEM;
        ssize_t n;

        if (!text)
                return r;
        if (strlen(folder) + strlen(name) + 2 > sizeof(path)) {
                free(text);
                return -ENAMETOOLONG;
        }
        strcpy(path, folder);
        strcat(path, "/");
        strcat(path, name);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        n = fd < 0 ? -1 : read(fd, text, RECIPE_BYTES_MAX);
        r = n < 0 ? -errno
                  : media_recipes_add(recipes, name, text, (size_t)n, problems);
        if (fd >= 0)
                close(fd);
        free(text);
        return r;
}

int media_recipes_load(const char *folder, struct media_recipes **ret,
                       struct text *problems) {
        struct media_recipes *recipes = NULL;
        struct dirent **entries;
        int n = scandir(folder, &entries, is_yaml, alphasort), r;

        if (n < 0)
                return -errno;
        r = media_recipes_new(&recipes);
        for (int i = 0; i < n; i++) {
                if (r == 0)
                        r = add_file(recipes, folder, entries[i]->d_name, problems);
                free(entries[i]);
        }
        free(entries);
        if (r < 0)
                media_recipes_free(recipes);
        else
                *ret = recipes;
        return r;
}

/* ---- one medium ---- */

static int seal(struct media_tree *tree, const void *data, size_t n,
                const struct media_recipes *recipes, struct medium *medium,
                int *ret_index) {
        struct media_strings strings = { 0 };
        int r;

        media_recipes_apply(recipes, tree, &strings, medium);
        r = strings.failed ? -ENOMEM : media_build_seal(data, n, medium, ret_index);
        media_strings_done(&strings);
        return r;
}

static int inspect_image(int fd, const struct media_recipes *recipes,
                         struct medium *medium, int *ret_index, struct text *why) {
        struct media_iso iso = { 0 };
        struct media_tree tree = { .fd = fd };
        int r = media_iso_read(fd, medium->size, &iso, why);

        if (r != 0)
                return r > 0 ? MEDIA_REFUSED : r;
        tree.volume = iso.volume;
        r = media_index_open(iso.data, iso.n, &tree.index);
        if (r == 0)
                r = seal(&tree, iso.data, iso.n, recipes, medium, ret_index);
        media_iso_done(&iso);
        return r;
}

static int inspect_folder(int fd, const struct media_recipes *recipes,
                          struct medium *medium, int *ret_index) {
        struct media_tree tree = { .is_folder = true, .fd = fd, .volume = "" };

        return seal(&tree, NULL, 0, recipes, medium, ret_index);
}

static nsec_t mtime_of(const struct stat *st) {
        return st->st_mtim.tv_sec > 0 ? (nsec_t)st->st_mtim.tv_sec * NSEC_PER_SEC : 0;
}

int media_inspect(const char *path, const char *shown, const char *name,
                  const struct media_recipes *recipes, struct media_found *ret,
                  struct text *why) {
        struct medium medium = { .name = name, .path = shown };
        struct media_found found = { 0 };
        struct stat st;
        int r;

        found.fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        if (found.fd < 0 || fstat(found.fd, &st) < 0) {
                text_add(why, strerror(errno));
                r = MEDIA_REFUSED;
        } else if (S_ISDIR(st.st_mode)) {
                found.is_tree = true;
                medium.kind = MEDIUM_TREE;
                medium.mtime = mtime_of(&st);
                r = inspect_folder(found.fd, recipes, &medium, &found.index_fd);
        } else if (S_ISREG(st.st_mode)) {
                medium.kind = MEDIUM_ISO;
                medium.size = (uint64_t)st.st_size;
                medium.mtime = mtime_of(&st);
                r = inspect_image(found.fd, recipes, &medium, &found.index_fd, why);
        } else {
                text_add(why, "neither a file nor a folder");
                r = MEDIA_REFUSED;
        }
        if (r == 0)
                *ret = found;
        else if (found.fd >= 0)
                close(found.fd);
        return r;
}

/* ---- what lies below a path ---- */

static uint64_t mix(uint64_t h, uint64_t v) {
        h ^= v;
        h *= 0x100000001b3ull;
        return h ^ h >> 29;
}

static void tell(const char *path, const struct stat *st, media_candidate_fn fn,
                 void *userdata) {
        struct media_candidate c = { .path = path,
                                     .is_tree = S_ISDIR(st->st_mode),
                                     .size = S_ISDIR(st->st_mode)
                                                     ? 0
                                                     : (uint64_t)st->st_size,
                                     .mtime = mtime_of(st) };

        c.what = mix(mix(mix(mix(14695981039346656037ull, (uint64_t)st->st_dev),
                             (uint64_t)st->st_ino),
                         c.size),
                     (uint64_t)st->st_mtim.tv_sec * NSEC_PER_SEC +
                             (uint64_t)st->st_mtim.tv_nsec);
        fn(&c, userdata);
}

static bool is_iso_name(const char *name) {
        size_t n = strlen(name);

        return name[0] != '.' && n > 4 && strcasecmp(name + n - 4, ".iso") == 0;
}

/* A folder is a medium when a recipe knows it; otherwise it is a folder of media. */
static bool is_known_tree(const char *path, const struct media_recipes *recipes) {
        struct media_strings strings = { 0 };
        struct media_tree tree = { .is_folder = true, .volume = "" };
        struct medium *medium = calloc(1, sizeof(*medium));
        bool known;

        tree.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (tree.fd < 0 || !medium) {
                free(medium);
                if (tree.fd >= 0)
                        close(tree.fd);
                return false;
        }
        media_recipes_apply(recipes, &tree, &strings, medium);
        known = strcmp(medium->system, "unknown") != 0;
        media_strings_done(&strings);
        close(tree.fd);
        free(medium);
        return known;
}

static void scan_one(const char *folder, const char *name,
                     const struct media_recipes *recipes, media_candidate_fn fn,
                     void *userdata) {
        struct text path = { 0 };
        struct stat st;

        text_add(&path, folder);
        text_char(&path, '/');
        text_add(&path, name);
        if (!path.failed && name[0] != '.' && stat(path.s, &st) == 0 &&
            ((S_ISREG(st.st_mode) && is_iso_name(name)) ||
             (S_ISDIR(st.st_mode) && is_known_tree(path.s, recipes))))
                tell(path.s, &st, fn, userdata);
        text_done(&path);
}

int media_scan(const char *path, const struct media_recipes *recipes,
               media_candidate_fn fn, void *userdata) {
        struct dirent **entries;
        struct stat st;
        int n;

        if (stat(path, &st) < 0)
                return -errno;
        if (!S_ISDIR(st.st_mode) || is_known_tree(path, recipes)) {
                tell(path, &st, fn, userdata);
                return 0;
        }
        n = scandir(path, &entries, NULL, alphasort);
        if (n < 0)
                return -errno;
        for (int i = 0; i < n; i++) {
                scan_one(path, entries[i]->d_name, recipes, fn, userdata);
                free(entries[i]);
        }
        free(entries);
        return 0;
}
