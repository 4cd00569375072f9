/*
 * One search over two kinds of trees. Extracted ones are opened with openat2() and
 * RESOLVE_BENEATH, as the files workers do, so that a link out of the tree is a file
 * that is not there.
 */
#include "media/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/path.h"

enum {
        NAMES_READ_MAX = 100000, /* of one folder */
        NAMES_KEPT_MAX = 256,    /* that match one wildcard */
        STEPS_MAX = 4096,        /* looks for one pattern */
};

static int open_beneath(int top, const char *path, uint64_t flags) {
        struct open_how how = { .flags = flags | O_CLOEXEC,
                                .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
        long fd = syscall(SYS_openat2, top, *path ? path : ".", &how, sizeof(how));

        return fd < 0 ? -errno : (int)fd;
}

static bool node_at(const struct media_tree *tree, const char *path,
                    struct media_node *ret) {
        return media_index_lookup(tree->index, path, strlen(path), ret);
}

static bool is_there(const struct media_tree *tree, const char *path, bool is_folder) {
        struct media_node node;
        struct stat st;
        int fd;

        if (tree->index)
                return node_at(tree, path, &node) &&
                       node.kind == (is_folder ? MEDIA_NODE_FOLDER : MEDIA_NODE_FILE);
        fd = open_beneath(tree->fd, path, O_PATH);
        if (fd < 0)
                return false;
        if (fstat(fd, &st) < 0)
                st.st_mode = 0;
        close(fd);
        return is_folder ? S_ISDIR(st.st_mode) : S_ISREG(st.st_mode);
}

/* ---- wildcards ---- */

/* A segment of a pattern. Most are a beginning, a '*' and an end, and in a folder of
 * packages there are ten thousand names to hold against it. */
struct wildcard {
        char text[256];
        size_t n_front, n_back; /* literal bytes before the first and after the star */
        bool is_simple;         /* with one star and nothing else */
};

static void wildcard_init(struct wildcard *w, const char *text, size_t n) {
        size_t special;

        memcpy(w->text, text, n);
        w->text[n] = '\0';
        w->n_front = strcspn(w->text, "*?[\\");
        special = w->n_front + 1;
        w->is_simple =
                w->text[w->n_front] == '*' && !strpbrk(w->text + special, "*?[\\");
        w->n_back = w->is_simple ? n - special : 0;
}

/* As fnmatch() with FNM_PERIOD. */
static bool wildcard_matches(const struct wildcard *w, const char *name) {
        size_t n;

        if (!w->is_simple)
                return fnmatch(w->text, name, FNM_PERIOD) == 0;
        n = strlen(name);
        return n >= w->n_front + w->n_back && memcmp(name, w->text, w->n_front) == 0 &&
               memcmp(name + n - w->n_back, w->text + w->n_front + 1, w->n_back) == 0 &&
               (w->n_front > 0 || name[0] != '.');
}

bool media_tree_has(const struct media_tree *tree, const char *path) {
        return is_there(tree, path, false);
}

/* ---- the names in a folder ---- */

struct names {
        char *items[NAMES_KEPT_MAX];
        size_t n;
};

static void names_done(struct names *names) {
        for (size_t i = 0; i < names->n; i++)
                free(names->items[i]);
}

static int compare_names(const void *a, const void *b) {
        return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Folders only, when there is more of the path to come; a link may lead to one. */
static bool may_be_wanted(const struct dirent *entry, bool wants_folder) {
        bool may_be_folder = entry->d_type == DT_DIR || entry->d_type == DT_LNK ||
                             entry->d_type == DT_UNKNOWN;

        return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
               (!wants_folder || may_be_folder);
}

static void list_folder(const struct media_tree *tree, const char *folder,
                        const struct wildcard *w, bool wants_folder,
                        struct names *names) {
        int fd = open_beneath(tree->fd, folder, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        const struct dirent *entry;

        if (!dir) {
                if (fd >= 0)
                        close(fd);
                return;
        }
        for (unsigned i = 0; i < NAMES_READ_MAX && (entry = readdir(dir)); i++) {
                if (names->n == NAMES_KEPT_MAX || !may_be_wanted(entry, wants_folder) ||
                    !wildcard_matches(w, entry->d_name))
                        continue;
                names->items[names->n] = strdup(entry->d_name);
                names->n += names->items[names->n] != NULL;
        }
        closedir(dir);
        qsort(names->items, names->n, sizeof(names->items[0]), compare_names);
}

/* ---- search ---- */

struct search {
        const struct media_tree *tree;
        char path[PATH_MAX_BYTES];
        size_t n;
        unsigned steps;
};

static bool push(struct search *s, const char *segment, size_t n) {
        if (s->n + n + 2 > sizeof(s->path))
                return false;
        if (s->n > 0)
                s->path[s->n++] = '/';
        memcpy(s->path + s->n, segment, n);
        s->n += n;
        s->path[s->n] = '\0';
        return true;
}

static void cut(struct search *s, size_t n) {
        s->n = n;
        s->path[n] = '\0';
}

static bool search(struct search *s, const char *pattern);

static bool go_on(struct search *s, const char *segment, size_t n, const char *rest) {
        size_t before = s->n;
        bool found;

        if (++s->steps > STEPS_MAX || !push(s, segment, n))
                return false;
        if (*rest == '\0')
                found = is_there(s->tree, s->path, false);
        else if (rest[1] == '\0')
                found = is_there(s->tree, s->path, true);
        else
                found = search(s, rest + 1);
        if (!found)
                cut(s, before);
        return found;
}

/* The first child whose name does not come before the wildcard's literal beginning;
 * those that begin so follow each other. */
static uint32_t first_child(const struct media_tree *tree,
                            const struct media_node *folder, const struct wildcard *w) {
        uint32_t low = 0, high = folder->n_children;

        while (low < high) {
                uint32_t middle = low + (high - low) / 2;
                struct media_node child =
                        media_index_child(tree->index, folder, middle);

                if (strncmp(child.name, w->text, w->n_front) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

static bool search_index(struct search *s, const struct wildcard *w, const char *rest) {
        enum media_node_kind wanted = *rest ? MEDIA_NODE_FOLDER : MEDIA_NODE_FILE;
        struct media_node folder;

        if (!node_at(s->tree, s->path, &folder) || folder.kind != MEDIA_NODE_FOLDER)
                return false;
        for (uint32_t i = first_child(s->tree, &folder, w); i < folder.n_children;
             i++) {
                struct media_node child = media_index_child(s->tree->index, &folder, i);

                if (strncmp(child.name, w->text, w->n_front) != 0 ||
                    s->steps > STEPS_MAX)
                        return false;
                if (child.kind == wanted && wildcard_matches(w, child.name) &&
                    go_on(s, child.name, strlen(child.name), rest))
                        return true;
        }
        return false;
}

static bool search_folder(struct search *s, const struct wildcard *w,
                          const char *rest) {
        struct names names = { .n = 0 };
        bool found = false;

        list_folder(s->tree, s->path, w, *rest != '\0', &names);
        for (size_t i = 0; i < names.n && !found; i++)
                found = go_on(s, names.items[i], strlen(names.items[i]), rest);
        names_done(&names);
        return found;
}

static bool search(struct search *s, const char *pattern) {
        size_t n = strcspn(pattern, "/");
        struct wildcard w;

        if (n == 0 || n >= sizeof(w.text))
                return false;
        wildcard_init(&w, pattern, n);
        if (w.n_front == n)
                return go_on(s, pattern, n, pattern + n);
        return s->tree->index ? search_index(s, &w, pattern + n)
                              : search_folder(s, &w, pattern + n);
}

bool media_tree_find(const struct media_tree *tree, const char *pattern,
                     struct text *ret_path) {
        struct search s = { .tree = tree };

        if (!search(&s, pattern))
                return false;
        text_bytes(ret_path, s.path, s.n);
        return true;
}

static size_t list_index(const struct media_tree *tree, const char *folder,
                         const struct wildcard *w, char *ret_names[], size_t max) {
        struct media_node node;
        size_t n = 0;

        if (!node_at(tree, folder, &node) || node.kind != MEDIA_NODE_FOLDER)
                return 0;
        for (uint32_t i = first_child(tree, &node, w); i < node.n_children && n < max;
             i++) {
                struct media_node child = media_index_child(tree->index, &node, i);

                if (child.kind == MEDIA_NODE_FILE && wildcard_matches(w, child.name)) {
                        ret_names[n] = strdup(child.name);
                        n += ret_names[n] != NULL;
                }
        }
        return n;
}

size_t media_tree_list(const struct media_tree *tree, const char *folder,
                       const char *pattern, char *ret_names[], size_t max) {
        struct names names = { .n = 0 };
        struct wildcard w;
        size_t n;

        wildcard_init(&w, pattern, strlen(pattern));
        if (tree->index)
                return list_index(tree, folder, &w, ret_names, max);
        list_folder(tree, folder, &w, false, &names);
        n = min_size(names.n, max);
        memcpy(ret_names, names.items, n * sizeof(names.items[0]));
        for (size_t i = n; i < names.n; i++)
                free(names.items[i]);
        return n;
}

/* ---- content ---- */

static int read_at(int fd, uint64_t offset, void *buffer, size_t n) {
        ssize_t got = pread(fd, buffer, n, (off_t)offset);

        return got < 0 ? -errno : (int)got;
}

static int read_index(const struct media_tree *tree, const char *path, uint64_t offset,
                      uint8_t *buffer, size_t n) {
        struct media_node node;
        size_t done = 0;

        if (!node_at(tree, path, &node) || node.kind != MEDIA_NODE_FILE)
                return -ENOENT;
        for (uint32_t i = 0; i < node.n_extents && done < n; i++) {
                struct media_extent e = media_index_extent(tree->index, &node, i);
                size_t want;
                int got;

                if (offset >= e.length) {
                        offset -= e.length;
                        continue;
                }
                want = (size_t)min_u64(e.length - offset, n - done);
                got = read_at(tree->fd, e.offset + offset, buffer + done, want);
                if (got < 0)
                        return got;
                done += (size_t)got;
                offset = 0;
                if ((size_t)got < want)
                        break;
        }
        return (int)done;
}

static int open_file(const struct media_tree *tree, const char *path, struct stat *st) {
        int fd = open_beneath(tree->fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY), r;

        if (fd < 0)
                return fd;
        if (fstat(fd, st) == 0 && S_ISREG(st->st_mode))
                return fd;
        r = S_ISREG(st->st_mode) ? -errno : -ENOENT;
        close(fd);
        return r;
}

int media_tree_read(const struct media_tree *tree, const char *path, uint64_t offset,
                    void *buffer, size_t n) {
        struct stat st = { 0 };
        int fd, r;

        if (offset > INT64_MAX)
                return 0;
        if (tree->index)
                return read_index(tree, path, offset, buffer, n);
        fd = open_file(tree, path, &st);
        if (fd < 0)
                return fd;
        r = read_at(fd, offset, buffer, n);
        close(fd);
        return r;
}

uint64_t media_tree_size(const struct media_tree *tree, const char *path) {
        struct media_node node;
        struct stat st = { 0 };
        int fd;

        if (tree->index)
                return node_at(tree, path, &node) && node.kind == MEDIA_NODE_FILE
                               ? node.size
                               : 0;
        fd = open_file(tree, path, &st);
        if (fd < 0)
                return 0;
        close(fd);
        return (uint64_t)st.st_size;
}
