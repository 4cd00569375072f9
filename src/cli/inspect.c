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
#include "cli/media_starts.h"
#include "expand/expand.h"
#include "policy/menu.h"

/* ---- a medium, open ---- */

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

static int load_recipes(struct media_recipes **ret, struct text *why) {
        struct text folder = { 0 }, problems = { 0 };
        int r = media_recipes_folder(&folder) ? 0 : -ENOENT;

        if (r == 0)
                r = media_recipes_load(text_string(&folder), ret, &problems);
        /* The server's configuration may name another folder; here is none. */
        if (r == 0)
                (void)!media_recipes_add(*ret, MEDIA_RECIPES_OWN, MEDIA_RECIPES_OWN,
                                         &problems);
        if (problems.n)
                fprintf(stderr, "%s", text_string(&problems));
        if (r < 0) {
                text_add(why, "no recipes in ");
                text_add(why, text_string(&folder));
        }
        text_done(&folder);
        text_done(&problems);
        return r < 0 ? MEDIA_REFUSED : 0;
}

static int inspect(const char *path, const struct media_as *as,
                   const struct media_recipes *recipes, struct media_found *ret,
                   struct text *why) {
        int r = media_inspect_as(path, as, recipes, ret, why);

        if (r == MEDIA_COMPRESSED)
                r = inspect_compressed(as, recipes, ret, why);
        if (r < 0) {
                text_add(why, strerror(-r));
                r = MEDIA_REFUSED;
        }
        return r;
}

int media_open(const char *path, const char *shown, struct media_here *ret,
               struct text *why) {
        struct media_recipes *recipes = NULL;
        char name[MEDIUM_NAME_MAX];
        const struct media_as as = { .shown = shown, .name = name };
        struct media_found found = { .index_fd = -1, .fd = -1 };
        struct stat st;
        int r = load_recipes(&recipes, why);

        medium_name_from_path(shown, name);
        if (r == 0)
                r = inspect(path, &as, recipes, &found, why);
        media_recipes_free(recipes);
        if (r != 0)
                return r;
        ret->fd = found.fd;
        ret->data = fstat(found.index_fd, &st) < 0
                            ? MAP_FAILED
                            : mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE,
                                   found.index_fd, 0);
        close(found.index_fd);
        if (ret->data != MAP_FAILED) {
                ret->n = (size_t)st.st_size;
                if (media_index_open(ret->data, ret->n, &ret->index) == 0)
                        return MEDIA_OK;
                munmap(ret->data, ret->n);
        }
        close(ret->fd);
        text_add(why, "its index is not sound");
        return MEDIA_REFUSED;
}

void media_close(struct media_here *here) {
        munmap(here->data, here->n);
        close(here->fd);
}

void media_describe(const struct media_here *here, struct text *ret_json) {
        struct medium medium;

        media_index_medium(&here->index, &medium);
        medium_json(&medium, ret_json);
}

/* ---- shown ---- */

/* Of a configuration that cannot be read its problems were said; the medium is shown as
 * without one. */
static int read_conf(const struct media_wish *wish, struct conf **ret) {
        const struct conf_flags none = { 0 };
        struct conf_problems problems = { 0 };
        int r = media_conf(wish, ret);

        if (r == CLI_DONE || wish->conf.file)
                return r;
        r = conf_parse("", "", 0, &none, ret, &problems);
        conf_problems_done(&problems);
        return r == 0 ? CLI_DONE : client_fail("out of memory");
}

/* Members may follow before the brace that ends the object. */
static void print_json(const json_t *medium, const struct media_index *files,
                       struct text *out) {
        char *json = json_dumps(medium, JSON_COMPACT | JSON_PRESERVE_ORDER);

        out->failed |= !json;
        text_bytes(out, menu_text(json), json ? strlen(json) - (files ? 1 : 0) : 0);
        free(json);
        if (files) {
                media_files_add(files, true, out);
                text_char(out, '}');
        }
        text_char(out, '\n');
}

static int print(const struct media_wish *wish, const struct media_here *here,
                 const struct conf *conf) {
        const struct media_index *files = wish->files ? &here->index : NULL;
        struct text described = { 0 }, out = { 0 };
        json_t *medium;

        media_describe(here, &described);
        medium = json_loadb(text_string(&described), described.n, 0, NULL);
        out.failed = described.failed ||
                     (medium && media_starts_add(medium, here, conf) < 0);
        text_done(&described);
        if (!medium)
                return client_fail("the medium cannot be described");
        if (wish->flags.json) {
                print_json(medium, files, &out);
        } else {
                media_show(medium, &out);
                if (files)
                        media_files_add(files, false, &out);
        }
        json_decref(medium);
        return client_print(&out);
}

int media_fail_at(const char *path, const char *sentence) {
        struct text out = { 0 };
        int r;

        text_add(&out, path);
        text_add(&out, ": ");
        text_add(&out, sentence);
        r = client_fail(text_string(&out));
        text_done(&out);
        return r;
}

int media_inspect_path(const struct media_wish *wish, const char *path) {
        struct text why = { 0 };
        struct media_here here;
        struct conf *conf = NULL;
        int r = read_conf(wish, &conf);

        if (r != CLI_DONE)
                return r;
        r = media_open(path, path, &here, &why);
        if (r == MEDIA_OK) {
                r = print(wish, &here, conf);
                media_close(&here);
        } else {
                r = media_fail_at(path, text_string(&why));
        }
        text_done(&why);
        conf_free(conf);
        return r;
}
