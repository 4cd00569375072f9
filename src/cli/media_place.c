/*
 * Where media are, without a server: the configuration that it would read, looked
 * through as it would. A name here is the one that the menu has, unless two files make
 * the same.
 */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/media.h"

#define MEDIA_DEFAULT "/var/lib/bootjack/media"

int media_conf(const struct media_wish *wish, struct conf **ret) {
        struct conf_problems problems = { 0 };
        struct text why = { 0 };
        const char *name;
        char *text = NULL;
        size_t n = 0;
        int r = conf_load(&wish->conf, &text, &n, &name, &why);

        if (r == 0)
                r = conf_parse(name, text, n, &wish->conf, ret, &problems);
        free(text);
        if (r > 0 && problems.n_errors) { /* lines of their own, which name the file */
                conf_problems_format(&problems, &why);
                fputs(text_string(&why), stderr);
        } else if (r != 0) {
                (void)!client_fail(r < 0 ? "out of memory" : text_string(&why));
        }
        conf_problems_done(&problems);
        text_done(&why);
        return r == 0 ? CLI_DONE : CLI_FAILED;
}

static bool is_folder(const char *path) {
        struct stat st;

        return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* As `serve` has it when nothing is configured. */
static const char *default_folder(void) {
        static char found[PATH_MAX];

        return realpath("media", found) && strcmp(found, "/media") != 0 &&
                               is_folder(found)
                       ? found
                       : MEDIA_DEFAULT;
}

int media_folder(const struct media_wish *wish, char **ret) {
        const char *folder = wish->to;
        struct conf *conf = NULL;
        int r = folder ? CLI_DONE : media_conf(wish, &conf);

        if (r != CLI_DONE)
                return r;
        if (!folder && conf->media.n == 0)
                folder = default_folder();
        for (size_t i = 0; !folder && i < conf->media.n; i++)
                if (is_folder(conf->media.items[i]))
                        folder = conf->media.items[i];
        if (!folder)
                r = client_fail("no folder of media is configured; name one with --to");
        else if (!is_folder(folder))
                r = media_fail_at(folder, "there is no such folder; make it, or name "
                                          "another with --to");
        else if (!(*ret = strdup(folder)))
                r = client_fail("out of memory");
        conf_free(conf);
        return r;
}

struct search {
        const char *wanted;
        char *found[2];
        size_t n;
};

static void consider(struct search *s, const char *path) {
        const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
        char name[MEDIUM_NAME_MAX];

        medium_name_from_path(path, name);
        if (strcmp(base, s->wanted) != 0 && strcmp(name, s->wanted) != 0)
                return;
        if (s->n < ARRAY_SIZE(s->found))
                s->found[s->n] = strdup(path);
        s->n++;
}

static void look_in(struct search *s, const char *folder) {
        DIR *dir = opendir(folder);
        const struct dirent *entry;

        while (dir && (entry = readdir(dir))) {
                struct text path = { 0 };

                if (entry->d_name[0] == '.')
                        continue;
                text_add(&path, folder);
                text_char(&path, '/');
                text_add(&path, entry->d_name);
                if (!path.failed &&
                    (medium_suffix_length(path.s, path.n) > 0 || is_folder(path.s)))
                        consider(s, path.s);
                text_done(&path);
        }
        if (dir)
                closedir(dir);
}

static int search(const struct media_wish *wish, struct search *s) {
        struct conf *conf = NULL;
        int r = media_conf(wish, &conf);

        if (r != CLI_DONE)
                return r;
        if (conf->media.n == 0)
                look_in(s, default_folder());
        for (size_t i = 0; i < conf->media.n; i++) {
                consider(s, conf->media.items[i]);
                look_in(s, conf->media.items[i]);
        }
        conf_free(conf);
        return CLI_DONE;
}

int media_path(const struct media_wish *wish, const char *operand, char **ret) {
        struct search s = { .wanted = operand };
        struct stat st;
        int r;

        r = strchr(operand, '/') ? CLI_DONE : search(wish, &s);
        /* What is no name may be a file of the current folder. */
        if (r == CLI_DONE && s.n == 0) {
                if (stat(operand, &st) < 0)
                        return media_fail_at(
                                operand, strchr(operand, '/')
                                                 ? strerror(errno)
                                                 : "no medium of this name is in the "
                                                   "folders of media");
                *ret = strdup(operand);
                return *ret ? CLI_DONE : client_fail("out of memory");
        }
        if (r == CLI_DONE && s.n > 1)
                r = media_fail_at(operand, "more than one medium has this name; give "
                                           "its path");
        if (r == CLI_DONE)
                *ret = TAKE(s.found[0]);
        free(s.found[0]);
        free(s.found[1]);
        return r;
}
