/*
 * From a path to a sealed index: which kind of medium it is, its files, the first
 * recipe that knows it. Recipes are asked in the byte order of their files' names,
 * which therefore begin with a number: what is told apart by a detail comes first.
 */
#include "media/media.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "media/disk.h"
#include "media/generic.h"
#include "media/pvd.h"
#include "media/recipe.h"
#include "media/signature.h"
#include "media/tar.h"
#include "media/udf.h"

enum { RECIPES_MAX = 128, RECIPE_BYTES_MAX = 256 << 10, CANDIDATES_MAX = 4096 };

struct named_recipe {
        char name[NAME_MAX + 1]; /* of its file */
        struct recipe *recipe;
};

/* FNV-1a */
static void mix(uint64_t *hash, const void *data, size_t n) {
        const uint8_t *at = data;

        while (n-- > 0)
                *hash = (*hash ^ *at++) * 0x100000001b3;
}

struct media_recipes {
        struct named_recipe items[RECIPES_MAX];
        size_t n;
        uint64_t identity;
};

/* ---- recipes ---- */

/* The program finds its data relative to itself, so that a build runs in place and an
 * installed one may be moved with its prefix. */
bool media_recipes_folder(struct text *ret) {
        static const char *const places[] = { "/share/recipes",
                                              "/../share/bootjack/recipes" };
        char program[PATH_MAX];
        ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);
        char *slash;

        program[n > 0 ? n : 0] = '\0';
        slash = strrchr(program, '/');
        if (slash)
                *slash = '\0';
        for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
                text_done(ret);
                text_add(ret, program);
                text_add(ret, places[i]);
                if (!ret->failed && access(ret->s, R_OK | X_OK) == 0)
                        return true;
        }
        return false;
}

static bool ends_with(const char *s, const char *end) {
        size_t n = strlen(s), n_end = strlen(end);

        return n > n_end && strcasecmp(s + n - n_end, end) == 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b) {
        return strcmp((*a)->d_name, (*b)->d_name);
}

bool media_is_recipe_name(const char *name) {
        return name[0] != '.' && ends_with(name, ".yaml");
}

static int is_recipe(const struct dirent *entry) {
        return media_is_recipe_name(entry->d_name);
}

static int read_file(const char *path, char **ret, size_t *ret_n) {
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), r = 0;
        char *data = malloc(RECIPE_BYTES_MAX);
        ssize_t n = -1;

        if (fd < 0)
                r = -errno;
        else if (!data)
                r = -ENOMEM;
        else if ((n = read(fd, data, RECIPE_BYTES_MAX)) < 0)
                r = -errno;
        if (fd >= 0)
                close(fd);
        if (r < 0) {
                free(data);
                return r;
        }
        *ret = data;
        *ret_n = (size_t)n;
        return 0;
}

/* `shown` is the folder as messages name it; "" for our own. */
static int load_recipe(struct media_recipes *recipes, const char *folder,
                       const char *shown, const char *name, struct text *problems) {
        struct text path = { 0 }, said = { 0 };
        char *data = NULL;
        size_t n = 0;
        int r;

        text_add(&path, folder);
        text_char(&path, '/');
        text_add(&path, name);
        text_add(&said, shown);
        text_add(&said, *shown ? "/" : "");
        text_add(&said, name);
        r = path.failed || said.failed ? -ENOMEM : read_file(path.s, &data, &n);
        if (r == 0) {
                mix(&recipes->identity, name, strlen(name) + 1);
                mix(&recipes->identity, data, n);
        }
        if (r == 0)
                r = recipe_parse(said.s, data, n, &recipes->items[recipes->n].recipe,
                                 problems);
        else if (r != -ENOMEM) {
                text_add(problems, said.s);
                text_add(problems, ": cannot be read\n");
                r = RECIPE_REFUSED;
        }
        if (r == 0) {
                snprintf(recipes->items[recipes->n].name, NAME_MAX + 1, "%s", name);
                recipes->n++;
        }
        text_done(&path);
        text_done(&said);
        free(data);
        return r < 0 ? r : 0;
}

static int load_folder(struct media_recipes *recipes, const char *folder,
                       const char *shown, struct text *problems) {
        struct dirent **names;
        int n = scandir(folder, &names, is_recipe, by_bytes), r = 0;

        if (n < 0)
                return -errno;
        for (int i = 0; i < n; i++) {
                if (r == 0 && recipes->n < RECIPES_MAX)
                        r = load_recipe(recipes, folder, shown, names[i]->d_name,
                                        problems);
                free(names[i]);
        }
        free(names);
        return r;
}

int media_recipes_load(const char *folder, struct media_recipes **ret,
                       struct text *problems) {
        struct media_recipes *recipes = calloc(1, sizeof(*recipes));
        int r = recipes ? load_folder(recipes, folder, "", problems) : -ENOMEM;

        if (r == 0)
                *ret = recipes;
        else
                media_recipes_free(recipes);
        return r;
}

static void drop_recipe(struct media_recipes *recipes, size_t i) {
        recipe_free(recipes->items[i].recipe);
        recipes->n--;
        memmove(&recipes->items[i], &recipes->items[i + 1],
                (recipes->n - i) * sizeof(recipes->items[0]));
}

/* The last `n` come before all others, and instead of those with their names. */
static void put_first(struct media_recipes *recipes, size_t n) {
        for (size_t i = recipes->n - n; i-- > 0;)
                for (size_t j = recipes->n - n; j < recipes->n; j++)
                        if (strcmp(recipes->items[i].name, recipes->items[j].name) ==
                            0) {
                                drop_recipe(recipes, i);
                                break;
                        }
        for (size_t i = 0; i < n; i++) {
                struct named_recipe own = recipes->items[recipes->n - n + i];

                memmove(&recipes->items[i + 1], &recipes->items[i],
                        (recipes->n - n) * sizeof(own));
                recipes->items[i] = own;
        }
}

int media_recipes_add(struct media_recipes *recipes, const char *folder,
                      const char *shown, struct text *problems) {
        size_t before = recipes->n;
        int r = load_folder(recipes, folder, shown, problems);

        put_first(recipes, recipes->n - before);
        return r;
}

uint64_t media_recipes_identity(const struct media_recipes *recipes) {
        return recipes->identity;
}

struct media_recipes *media_recipes_free(struct media_recipes *recipes) {
        for (size_t i = 0; recipes && i < recipes->n; i++)
                recipe_free(recipes->items[i].recipe);
        free(recipes);
        return NULL;
}

/* 1 when a recipe knows the tree, 0 when none does, or -ENOMEM. */
static int recognise(const struct media_recipes *recipes, const struct media_tree *tree,
                     const char *volume, struct recipe_found *ret) {
        int r = 0;

        for (size_t i = 0; recipes && i < recipes->n && r == 0; i++)
                r = recipe_match(recipes->items[i].recipe, tree, volume, ret);
        return r;
}

/* ---- one medium ---- */

static bool is_taken(const struct media_as *as, const struct medium *medium,
                     uint32_t n_before, const char *id) {
        for (uint32_t i = 0; i < n_before; i++)
                if (strcmp(medium->entries[i].id, id) == 0)
                        return true;
        return as->is_taken && as->is_taken(id, as->userdata);
}

/* Whoever appears later is told apart by a number. */
static int number_ids(const struct media_as *as, struct recipe_found *found) {
        struct medium *medium = &found->medium;

        for (uint32_t i = 0; i < medium->n_entries; i++) {
                const char *id = medium->entries[i].id;
                struct text numbered = { 0 };

                text_add(&numbered, id);
                for (unsigned n = 2;
                     !numbered.failed && is_taken(as, medium, i, numbered.s); n++) {
                        numbered.n = strlen(id);
                        text_char(&numbered, '-');
                        text_u64(&numbered, n);
                }
                if (!numbered.failed)
                        id = recipe_found_keep(found, numbered.s);
                text_done(&numbered);
                if (!id)
                        return -ENOMEM;
                medium->entries[i].id = id;
        }
        return 0;
}

/* What is left out of an image is a problem of the medium. */
static int add_unreadable(const struct media_iso *iso, struct recipe_found *found) {
        struct medium *medium = &found->medium;
        struct text text = { 0 };
        const char *kept;

        if (iso->n_unreadable == 0 || medium->n_problems == MEDIUM_TEXTS_MAX)
                return 0;
        text_u64(&text, iso->n_unreadable);
        text_add(&text, iso->n_unreadable == 1 ? " file is" : " files are");
        text_add(&text, " left out: compressed or sparse in the image; make it again "
                        "without zisofs");
        kept = text.failed ? NULL : recipe_found_keep(found, text.s);
        text_done(&text);
        if (!kept)
                return -ENOMEM;
        medium->problems[medium->n_problems++] = kept;
        return 0;
}

static const char *keep(void *userdata, const char *text) {
        return recipe_found_keep(userdata, text);
}

static int finish(const struct media_as *as, const struct media_recipes *recipes,
                  const struct media_tree *tree, const struct stat *st,
                  const struct media_iso *iso, enum medium_kind kind,
                  int *ret_index_fd) {
        struct recipe_found found = { 0 };
        int r = recognise(recipes, tree, iso ? iso->volume : "", &found);
        struct medium *medium = &found.medium;

        if (r < 0)
                return r;
        if (r == 0) {
                r = generic_match(tree, iso ? iso->volume : "", &found);
                if (r < 0)
                        return r;
        }
        if (iso && add_unreadable(iso, &found) < 0) {
                recipe_found_done(&found);
                return -ENOMEM;
        }
        medium->kind = kind;
        medium->name = as->name;
        medium->path = as->shown;
        medium->size = iso ? (uint64_t)st->st_size : 0;
        medium->mtime =
                (nsec_t)st->st_mtim.tv_sec * NSEC_PER_SEC + (nsec_t)st->st_mtim.tv_nsec;
        r = number_ids(as, &found);
        if (r == 0)
                r = signature_mark(tree, medium, keep, &found);
        if (r == 0)
                r = media_build_seal(iso ? iso->data : NULL, iso ? iso->n : 0, medium,
                                     ret_index_fd);
        recipe_found_done(&found);
        return r;
}

/* ---- which side of an image ---- */

static bool has_udf(int fd) {
        uint8_t *data = malloc(PVD_BYTES);
        ssize_t n =
                data ? pread(fd, data, PVD_BYTES, (off_t)PVD_FIRST * PVD_SECTOR) : -1;
        bool found = n > 0 && media_udf_is(data, (size_t)n);

        free(data);
        return found;
}

static uint32_t count_nodes(const struct media_iso *iso) {
        struct media_index index;

        return iso->data && media_index_open(iso->data, iso->n, &index) == 0
                       ? media_index_count(&index)
                       : 0;
}

/* Windows media say everything in UDF, and on their ISO 9660 side that one should read
 * UDF: a top folder and a file. Others say the same on both, and then Rock Ridge has
 * the better names; without it ISO 9660 has worse ones. */
enum { ALMOST_EMPTY = 3 };

static int read_both(int fd, uint64_t size, struct media_iso *ret, struct text *why) {
        struct media_iso udf = { 0 }, iso = { 0 };
        struct text udf_why = { 0 }, iso_why = { 0 };
        int r_udf = media_udf_read(fd, size, &udf, &udf_why);
        int r_iso = media_iso_read(fd, size, &iso, &iso_why);
        bool takes_iso = r_iso == 0 &&
                         (r_udf == 0 ? iso.has_rock_ridge &&
                                               count_nodes(&iso) >= count_nodes(&udf)
                                     : count_nodes(&iso) > ALMOST_EMPTY);
        int r = takes_iso ? 0 : r_udf;

        *ret = takes_iso ? iso : udf;
        if (r == 0 && ret->volume[0] == '\0')
                memcpy(ret->volume, takes_iso ? udf.volume : iso.volume,
                       sizeof(ret->volume));
        if (r > 0)
                text_add(why, text_string(&udf_why));
        media_iso_done(takes_iso ? &udf : &iso);
        text_done(&udf_why);
        text_done(&iso_why);
        return r;
}

static int read_optical(int fd, uint64_t size, struct media_iso *ret,
                        struct text *why) {
        return has_udf(fd) ? read_both(fd, size, ret, why)
                           : media_iso_read(fd, size, ret, why);
}

/* ---- other kinds of files ---- */

static void mix_u64(uint64_t *hash, uint64_t v) {
        mix(hash, &v, sizeof(v));
}

static int read_disk(int fd, uint64_t size, const char *shown, struct media_iso *ret,
                     struct text *why) {
        const char *slash = strrchr(shown, '/');

        return media_disk_read(fd, size, slash ? slash + 1 : shown, ret, why);
}

static bool is_optical(int fd) {
        char id[5];

        return has_udf(fd) ||
               (pread(fd, id, sizeof(id), PVD_FIRST * PVD_SECTOR + 1) == sizeof(id) &&
                memcmp(id, "CD001", sizeof(id)) == 0);
}

/* A name says what a file is meant to be; only a disk's may turn out to be a disc's. */
static enum medium_kind kind_of(int fd, const char *shown, bool is_expanded) {
        bool is_compressed;

        if (is_expanded || medium_is_archive_name(shown, &is_compressed))
                return MEDIUM_ARCHIVE;
        if (ends_with(shown, ".img") && !is_optical(fd))
                return MEDIUM_DISK;
        return MEDIUM_ISO;
}

static int read_file_medium(int fd, uint64_t size, const char *shown,
                            enum medium_kind kind, struct media_iso *ret,
                            struct text *why) {
        switch (kind) {
        case MEDIUM_ARCHIVE:
                return media_tar_read(fd, size, ret, why);
        case MEDIUM_DISK:
                return read_disk(fd, size, shown, ret, why);
        default:
                return read_optical(fd, size, ret, why);
        }
}

uint64_t media_archive_identity(int fd) {
        uint8_t data[4096];
        struct stat st;
        uint64_t hash = 0xcbf29ce484222325;
        off_t places[2] = { 0 };

        if (fstat(fd, &st) < 0)
                return 0;
        places[1] =
                st.st_size > (off_t)sizeof(data) ? st.st_size - (off_t)sizeof(data) : 0;
        mix_u64(&hash, (uint64_t)st.st_size);
        mix_u64(&hash, (uint64_t)st.st_mtim.tv_sec);
        mix_u64(&hash, (uint64_t)st.st_mtim.tv_nsec);
        for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
                ssize_t n = pread(fd, data, sizeof(data), places[i]);

                if (n < 0)
                        return 0;
                mix(&hash, data, (size_t)n);
        }
        return hash ? hash : 1;
}

static int inspect_image(int fd, const struct media_as *as,
                         const struct media_recipes *recipes, const struct stat *st,
                         bool is_expanded, int *ret_index_fd, struct text *why) {
        enum medium_kind kind = kind_of(fd, as->shown, is_expanded);
        struct media_iso iso = { 0 };
        struct media_index index;
        struct media_tree tree = { .index = &index,
                                   .fd = fd,
                                   .image = medium_image_suffix(kind) };
        int r = read_file_medium(fd, (uint64_t)st->st_size, as->shown, kind, &iso, why);

        if (r)
                return r < 0 ? r : MEDIA_REFUSED;
        r = media_index_open(iso.data, iso.n, &index);
        if (r == 0)
                r = finish(as, recipes, &tree, st, &iso, kind, ret_index_fd);
        media_iso_done(&iso);
        return r;
}

static bool is_compressed(const char *shown, const struct stat *st) {
        bool compressed = false;

        return S_ISREG(st->st_mode) && medium_is_archive_name(shown, &compressed) &&
               compressed;
}

static int inspect_fd(int fd, const struct media_as *as,
                      const struct media_recipes *recipes, bool is_expanded,
                      struct media_found *ret, struct text *why) {
        struct media_tree tree = { .fd = fd };
        struct stat st;
        int index_fd = -1, r;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (!is_expanded && is_compressed(as->shown, &st)) {
                *ret = (struct media_found){ .index_fd = -1, .fd = fd };
                return MEDIA_COMPRESSED;
        }
        if (S_ISREG(st.st_mode)) {
                r = inspect_image(fd, as, recipes, &st, is_expanded, &index_fd, why);
        } else if (S_ISDIR(st.st_mode)) {
                r = finish(as, recipes, &tree, &st, NULL, MEDIUM_TREE, &index_fd);
        } else {
                text_add(why, "neither a file nor a folder");
                r = MEDIA_REFUSED;
        }
        if (r == 0)
                *ret = (struct media_found){ .index_fd = index_fd,
                                             .fd = fd,
                                             .is_tree = S_ISDIR(st.st_mode) };
        return r;
}

/* A folder is kept by O_PATH: whoever gets the descriptor can look below it and not
 * list what it may not. */
static int open_medium(const char *path) {
        int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0 && errno == ENOTDIR)
                fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        return fd < 0 ? -errno : fd;
}

int media_inspect_as(const char *path, const struct media_as *as,
                     const struct media_recipes *recipes, struct media_found *ret,
                     struct text *why) {
        int fd = open_medium(path), r;

        if (fd < 0)
                return fd;
        r = inspect_fd(fd, as, recipes, false, ret, why);
        if (r != 0 && r != MEDIA_COMPRESSED)
                close(fd);
        return r;
}

int media_inspect_expanded(int fd, const struct media_as *as,
                           const struct media_recipes *recipes, struct media_found *ret,
                           struct text *why) {
        int r = inspect_fd(fd, as, recipes, true, ret, why);

        if (r != 0)
                close(fd);
        return r;
}

int media_inspect(const char *path, const char *shown, const char *name,
                  const struct media_recipes *recipes, struct media_found *ret,
                  struct text *why) {
        const struct media_as as = { .shown = shown, .name = name };

        return media_inspect_as(path, &as, recipes, ret, why);
}

/* ---- what is there ---- */

struct scan {
        const struct media_recipes *recipes;
        media_candidate_fn fn;
        void *userdata;
};

static struct media_candidate candidate_of(const char *path, const struct stat *st) {
        struct media_candidate c = { .path = path,
                                     .is_tree = S_ISDIR(st->st_mode),
                                     .what = 0xcbf29ce484222325 };

        c.size = c.is_tree ? 0 : (uint64_t)st->st_size;
        c.mtime =
                (nsec_t)st->st_mtim.tv_sec * NSEC_PER_SEC + (nsec_t)st->st_mtim.tv_nsec;
        mix_u64(&c.what, st->st_dev);
        mix_u64(&c.what, st->st_ino);
        mix_u64(&c.what, c.size);
        mix_u64(&c.what, c.mtime);
        /* What could not be read may be allowed now. */
        mix_u64(&c.what, st->st_mode);
        mix_u64(&c.what, (uint64_t)st->st_uid << 32 | st->st_gid);
        return c;
}

static void scan_image(struct scan *s, const char *path, const struct stat *st) {
        struct media_candidate c = candidate_of(path, st);

        s->fn(&c, s->userdata);
}

/* 1 when it is a tree that somebody knows. What is known of it counts as its content:
 * an initrd that arrives after its kernel makes it another tree. */
static int scan_tree(struct scan *s, const char *path, const struct stat *st) {
        struct media_tree tree = { .fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) };
        struct media_candidate c = candidate_of(path, st);
        struct recipe_found found;
        struct text all = { 0 };
        int r;

        if (tree.fd < 0)
                return 0;
        r = recognise(s->recipes, &tree, "", &found);
        close(tree.fd);
        if (r != 1)
                return r;
        found.medium.name = found.medium.path = "";
        medium_json(&found.medium, &all);
        mix(&c.what, text_string(&all), all.n);
        text_done(&all);
        recipe_found_done(&found);
        s->fn(&c, s->userdata);
        return 1;
}

static int is_visible(const struct dirent *entry) {
        return entry->d_name[0] != '.';
}

static int is_image(const struct dirent *entry) {
        return is_visible(entry) && ends_with(entry->d_name, ".iso");
}

/* A folder with images in it is a collection, whatever else lies there: somebody who
 * unpacked one of them beside the others still wants the others. */
static bool has_images(const char *path) {
        struct dirent **names;
        int n = scandir(path, &names, is_image, NULL);

        for (int i = 0; i < n; i++)
                free(names[i]);
        if (n >= 0)
                free(names);
        return n > 0;
}

static int scan_entry(struct scan *s, const char *folder, const char *name) {
        char path[PATH_MAX_BYTES * 4];
        size_t n_folder = strlen(folder), n_name = strlen(name);
        struct stat st;

        if (n_folder + n_name + 2 > sizeof(path))
                return 0;
        memcpy(path, folder, n_folder);
        path[n_folder] = '/';
        memcpy(path + n_folder + 1, name, n_name + 1);
        if (stat(path, &st) < 0)
                return 0;
        if (S_ISDIR(st.st_mode))
                return scan_tree(s, path, &st);
        if (S_ISREG(st.st_mode) && medium_suffix_length(name, n_name) > 0)
                scan_image(s, path, &st);
        return 0;
}

static int scan_folder(struct scan *s, const char *path) {
        struct dirent **names;
        int n = scandir(path, &names, is_visible, by_bytes), r = 0;

        if (n < 0)
                return -errno;
        for (int i = 0; i < n; i++) {
                if (r >= 0 && i < CANDIDATES_MAX)
                        r = scan_entry(s, path, names[i]->d_name);
                free(names[i]);
        }
        free(names);
        return r < 0 ? r : 0;
}

int media_scan(const char *path, const struct media_recipes *recipes,
               media_candidate_fn fn, void *userdata) {
        struct scan s = { .recipes = recipes, .fn = fn, .userdata = userdata };
        struct stat st;
        int r;

        if (stat(path, &st) < 0)
                return -errno;
        if (S_ISREG(st.st_mode)) {
                scan_image(&s, path, &st);
                return 0;
        }
        if (!S_ISDIR(st.st_mode))
                return -ENOTDIR;
        r = has_images(path) ? 0 : scan_tree(&s, path, &st);
        return r == 0 ? scan_folder(&s, path) : r < 0 ? r : 0;
}
