#include "media/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NAMES_MAX = 4096, DEPTH_MAX = 16 };

/* Below the folder only, whatever links lie in it. */
static int open_below(int fd, const char *path, uint64_t flags) {
        struct open_how how = { .flags = flags | O_CLOEXEC,
                                .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
        long r = syscall(SYS_openat2, fd, path[0] ? path : ".", &how, sizeof(how));

        return r < 0 ? -errno : (int)r;
}

static bool is_folder_file(const struct media_tree *tree, const char *path) {
        struct stat st;
        int fd = open_below(tree->fd, path, O_PATH);
        bool is_file = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);

        if (fd >= 0)
                close(fd);
        return is_file;
}

bool media_tree_has_file(const struct media_tree *tree, const char *path) {
        struct media_node node;

        if (tree->is_folder)
                return is_folder_file(tree, path);
        return media_index_lookup(&tree->index, path, strlen(path), &node) &&
               node.kind == MEDIA_NODE_FILE;
}

static int64_t read_folder(const struct media_tree *tree, const char *path, char *ret,
                           size_t n) {
        int fd;
        ssize_t got;

        if (!is_folder_file(tree, path))
                return -ENOENT;
        fd = open_below(tree->fd, path, O_RDONLY | O_NONBLOCK);
        if (fd < 0)
                return fd;
        got = read(fd, ret, n - 1);
        close(fd);
        return got < 0 ? -errno : got;
}

static int64_t read_image(const struct media_tree *tree, const char *path, char *ret,
                          size_t n) {
        struct media_node node;
        size_t at = 0;

        if (!media_index_lookup(&tree->index, path, strlen(path), &node) ||
            node.kind != MEDIA_NODE_FILE)
                return -ENOENT;
        for (uint32_t i = 0; i < node.n_extents && at < n - 1; i++) {
                struct media_extent e = media_index_extent(&tree->index, &node, i);
                size_t want = min_size((size_t)min_u64(e.length, n), n - 1 - at);
                ssize_t got = pread(tree->fd, ret + at, want, (off_t)e.offset);

                if (got < 0)
                        return -errno;
                at += (size_t)got;
                if ((size_t)got < want)
                        break;
        }
        return (int64_t)at;
}

int64_t media_tree_read(const struct media_tree *tree, const char *path, char *ret,
                        size_t n) {
        int64_t got = tree->is_folder ? read_folder(tree, path, ret, n)
                                      : read_image(tree, path, ret, n);

        if (got >= 0)
                ret[got] = '\0';
        return got;
}

/* ---- finding ---- */

struct names {
        char *items[NAMES_MAX];
        size_t n;
};

static void add_name(struct names *names, const char *name) {
        if (names->n < NAMES_MAX && (names->items[names->n] = strdup(name)))
                names->n++;
}

static void list_folder(const struct media_tree *tree, const char *path,
                        struct names *ret) {
        int fd = open_below(tree->fd, path, O_RDONLY | O_DIRECTORY);
        DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
        struct dirent *entry;

        if (!dir && fd >= 0)
                close(fd);
        while (dir && (entry = readdir(dir)))
                if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                        add_name(ret, entry->d_name);
        if (dir)
                closedir(dir);
}

static void list_image(const struct media_tree *tree, const char *path,
                       struct names *ret) {
        struct media_node node;

        if (!media_index_lookup(&tree->index, path, strlen(path), &node) ||
            node.kind != MEDIA_NODE_FOLDER)
                return;
        for (uint32_t i = 0; i < node.n_children; i++)
                add_name(ret, media_index_child(&tree->index, &node, i).name);
}

static int compare(const void *a, const void *b) {
        return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool find(const struct media_tree *tree, const char *folder, const char *pattern,
                 unsigned depth, char *ret);

/* One name that fits the first segment; on with the rest below it. */
static bool descend(const struct media_tree *tree, const char *folder, const char *name,
                    const char *rest, unsigned depth, char *ret) {
        struct text path = { 0 };
        bool found = false;

        text_add(&path, folder);
        if (folder[0])
                text_char(&path, '/');
        text_add(&path, name);
        if (path.failed || path.n >= MEDIA_TREE_PATH_MAX)
                found = false;
        else if (*rest)
                found = find(tree, text_string(&path), rest, depth + 1, ret);
        else if (media_tree_has_file(tree, text_string(&path))) {
                memcpy(ret, path.s, path.n + 1);
                found = true;
        }
        text_done(&path);
        return found;
}

static bool find_fitting(const struct media_tree *tree, const char *folder,
                         const char *segment, const char *rest, unsigned depth,
                         char *ret) {
        struct names *names = calloc(1, sizeof(*names));
        bool found = false;

        if (!names)
                return false;
        if (tree->is_folder)
                list_folder(tree, folder, names);
        else
                list_image(tree, folder, names);
        qsort(names->items, names->n, sizeof(names->items[0]), compare);
        for (size_t i = 0; i < names->n; i++) {
                if (!found && fnmatch(segment, names->items[i], FNM_PERIOD) == 0)
                        found = descend(tree, folder, names->items[i], rest, depth,
                                        ret);
                free(names->items[i]);
        }
        free(names);
        return found;
}

static bool find(const struct media_tree *tree, const char *folder, const char *pattern,
                 unsigned depth, char *ret) {
        size_t n = strcspn(pattern, "/");
        const char *rest = pattern + n + (pattern[n] == '/');
        char segment[256];

        if (n >= sizeof(segment) || depth > DEPTH_MAX)
                return false;
        memcpy(segment, pattern, n);
        segment[n] = '\0';
        if (!strpbrk(segment, "*?["))
                return descend(tree, folder, segment, rest, depth, ret);
        return find_fitting(tree, folder, segment, rest, depth, ret);
}

bool media_tree_find(const struct media_tree *tree, const char *pattern,
                     char ret[static MEDIA_TREE_PATH_MAX]) {
        return find(tree, "", pattern, 0, ret);
}
