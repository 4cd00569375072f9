#pragma once
/*
 * Small trees and ISO images for tests: a folder under the temporary one that the
 * test fills, has turned into an image, and removes. Everything fails the test
 * when the machine does not play along.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"

enum { TREE_PATH_MAX = 512 };

extern char **environ;

/* "/tmp/bootjack-XXXXXX"; tree_remove() takes it away with all that is in it. */
static inline void tree_new(char ret[static TREE_PATH_MAX]) {
        const char *top = getenv("TMPDIR");

        snprintf(ret, TREE_PATH_MAX, "%s/bootjack-XXXXXX", top ? top : "/tmp");
        assert(mkdtemp(ret));
}

static inline int tree_remove_one(const char *path, const struct stat *st, int kind,
                                  struct FTW *walk) {
        return remove(path);
}

static inline void tree_remove(const char *top) {
        assert(nftw(top, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

static inline const char *tree_path(const char *top, const char *name,
                                    char out[static TREE_PATH_MAX]) {
        assert(snprintf(out, TREE_PATH_MAX, "%s/%s", top, name) < TREE_PATH_MAX);
        return out;
}

/* The folders on the way to top/name. */
static inline void tree_folders(const char *top, const char *name) {
        char path[TREE_PATH_MAX];

        tree_path(top, name, path);
        for (char *slash = strchr(path + 1, '/'); slash;
             slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                assert(mkdir(path, 0755) == 0 || errno == EEXIST);
                *slash = '/';
        }
}

static inline void tree_bytes(const char *top, const char *name, const void *data,
                              size_t n) {
        char path[TREE_PATH_MAX];
        FILE *file;

        tree_folders(top, name);
        file = fopen(tree_path(top, name, path), "we");
        assert(file && fwrite(data, 1, n, file) == n);
        assert(fclose(file) == 0);
}

static inline void tree_file(const char *top, const char *name, const char *text) {
        tree_bytes(top, name, text, strlen(text));
}

static inline void tree_link(const char *top, const char *name, const char *target) {
        char path[TREE_PATH_MAX];

        tree_folders(top, name);
        assert(symlink(target, tree_path(top, name, path)) == 0);
}

/* Runs a program to its end, silently; the test fails when it does. */
static inline void tree_run(char *const *argv) {
        posix_spawn_file_actions_t actions;
        int status = 0, r;
        pid_t pid;

        assert(posix_spawn_file_actions_init(&actions) == 0);
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
        r = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
        posix_spawn_file_actions_destroy(&actions);
        assert(r == 0 && waitpid(pid, &status, 0) == pid);
        assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

enum tree_names { TREE_PLAIN, TREE_JOLIET, TREE_ROCK_RIDGE };

/* An image of a folder with these kinds of names in it. genisoimage makes the common
 * kind, because it does not wait: xorriso, however small the image, sleeps for tenths
 * of a second. */
static inline void tree_iso(const char *folder, const char *volume,
                            enum tree_names names, const char *iso) {
        char *with_rock_ridge[] = { "genisoimage",  "-quiet",  "-R",
                                    "-D",           "-no-pad", "-V",
                                    (char *)volume, "-o",      (char *)iso,
                                    (char *)folder, NULL };
        char *without[] = { "xorriso",
                            "-report_about",
                            "FATAL",
                            "-padding",
                            "0",
                            "-volid",
                            (char *)volume,
                            "-joliet",
                            names == TREE_JOLIET ? "on" : "off",
                            "-rockridge",
                            "off",
                            "-outdev",
                            (char *)iso,
                            "-map",
                            (char *)folder,
                            "/",
                            NULL };

        tree_run(names == TREE_ROCK_RIDGE ? with_rock_ridge : without);
}

/* A whole file, for free(). */
static inline uint8_t *tree_read(const char *path, size_t *ret_n) {
        FILE *file = fopen(path, "re");
        struct stat st;
        uint8_t *data;

        assert(file && fstat(fileno(file), &st) == 0);
        data = malloc((size_t)st.st_size + 1);
        assert(data && fread(data, 1, (size_t)st.st_size, file) == (size_t)st.st_size);
        data[st.st_size] = 0;
        fclose(file);
        *ret_n = (size_t)st.st_size;
        return data;
}
