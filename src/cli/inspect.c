/*
 * bootjack media inspect PATH: what the library role would make of a medium, without a
 * server. The same reader and the same recipes; its result goes through JSON, as an
 * answer of the server would, so that it is shown by the same code.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/client.h"
#include "cli/media.h"
#include "expand/expand.h"
#include "media/index.h"
#include "media/media.h"

static int print(const struct text *json, bool as_json,
                 const struct media_index *files) {
        struct text out = { 0 };
        json_t *medium;

        if (as_json) {
                /* One more member, before the brace that ends the object. */
                text_bytes(&out, json->s, json->n - (files ? 1 : 0));
                if (files) {
                        media_files_add(files, true, &out);
                        text_char(&out, '}');
                }
                text_char(&out, '\n');
                return client_print(&out);
        }
        medium = json_loadb(text_string(json), json->n, 0, NULL);
        if (!medium)
                return client_fail("the medium cannot be described");
        media_show(medium, &out);
        json_decref(medium);
        if (files)
                media_files_add(files, false, &out);
        return client_print(&out);
}

static int describe(int index_fd, bool as_json, bool files) {
        struct stat stat;
        struct media_index index;
        struct medium medium;
        struct text json = { 0 };
        void *data;
        int r;

        if (fstat(index_fd, &stat) < 0)
                return client_fail("the index cannot be read");
        data = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE, index_fd, 0);
        if (data == MAP_FAILED)
                return client_fail("the index cannot be mapped");
        if (media_index_open(data, (size_t)stat.st_size, &index) == 0) {
                media_index_medium(&index, &medium);
                medium_json(&medium, &json);
                r = json.failed ? client_fail("out of memory")
                                : print(&json, as_json, files ? &index : NULL);
        } else {
                r = client_fail("the index is not sound");
        }
        text_done(&json);
        munmap(data, (size_t)stat.st_size);
        return r;
}

/* "PATH: SENTENCE" */
static int fail_at(const char *path, const char *sentence) {
        struct text out = { 0 };
        int r;

        text_add(&out, path);
        text_add(&out, ": ");
        text_add(&out, sentence);
        r = client_fail(text_string(&out));
        text_done(&out);
        return r;
}

/* The same that the server does, into a file that has no name and ends with us. */
static int expand(int from, struct text *why, int *ret_fd) {
        const struct expand_limits limits = { .bytes = 16ULL << 30,
                                              .free_bytes = 64 << 20 };
        const char *folder = getenv("TMPDIR");
        int to = open(folder && *folder ? folder : "/tmp",
                      O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        int r = to < 0 ? -errno : expand_archive(from, to, &limits, NULL, NULL, why);

        if (r == 0)
                *ret_fd = to;
        else if (to >= 0)
                close(to);
        return r;
}

static int inspect_compressed(const struct media_as *as,
                              const struct media_recipes *recipes,
                              struct media_found *found, struct text *why) {
        int tar = -1, r = expand(found->fd, why, &tar);

        close(found->fd);
        found->fd = -1;
        return r == 0  ? media_inspect_expanded(tar, as, recipes, found, why)
               : r < 0 ? r
                       : MEDIA_REFUSED;
}

static int inspect(const char *path, const struct media_recipes *recipes, bool json,
                   bool files) {
        char name[MEDIUM_NAME_MAX];
        const struct media_as as = { .shown = path, .name = name };
        struct media_found found = { .index_fd = -1, .fd = -1 };
        struct text why = { 0 };
        int r;

        medium_name_from_path(path, name);
        r = media_inspect_as(path, &as, recipes, &found, &why);
        if (r == MEDIA_COMPRESSED)
                r = inspect_compressed(&as, recipes, &found, &why);
        if (r == MEDIA_OK) {
                r = describe(found.index_fd, json, files);
                close(found.index_fd);
                close(found.fd);
        } else {
                r = fail_at(path, r < 0 ? strerror(-r) : text_string(&why));
        }
        text_done(&why);
        return r;
}

int media_inspect_path(const char *path, bool json, bool files) {
        struct text folder = { 0 }, problems = { 0 };
        struct media_recipes *recipes = NULL;
        int r;

        if (!media_recipes_folder(&folder)) {
                r = fail_at(text_string(&folder), "there are no recipes here");
        } else {
                r = media_recipes_load(text_string(&folder), &recipes, &problems);
                r = r < 0 ? fail_at(text_string(&folder), strerror(-r))
                          : inspect(path, recipes, json, files);
                if (problems.n)
                        fprintf(stderr, "%s", text_string(&problems));
        }
        media_recipes_free(recipes);
        text_done(&folder);
        text_done(&problems);
        return r;
}
