/*
 * bootjack media remove: the file goes, the server sees it within a second, and what is
 * being sent from it then ends with an error that says so. Nothing here knows who boots
 * from it, so it asks, and says what will happen.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/media.h"

static bool is_meant(const char *path, uint64_t size) {
        struct text question = { 0 };
        char answer[16];
        bool yes;

        text_add(&question, "Remove ");
        text_printable(&question, path, strlen(path));
        text_add(&question, " (");
        text_size(&question, size);
        text_add(&question, ")? Machines that boot from it now will fail. [y/N] ");
        fputs(text_string(&question), stderr);
        text_done(&question);
        yes = fgets(answer, sizeof(answer), stdin) &&
              (answer[0] == 'y' || answer[0] == 'Y');
        return yes;
}

static int remove_one(const struct media_wish *wish, const char *operand,
                      json_t *removed) {
        char *path = NULL;
        struct stat st;
        int r = media_path(wish, operand, &path);

        if (r != CLI_DONE)
                return r;
        if (lstat(path, &st) < 0)
                r = media_fail_at(path, strerror(errno));
        else if (S_ISDIR(st.st_mode))
                r = media_fail_at(path, "is a folder; remove it yourself");
        else if (medium_suffix_length(path, strlen(path)) == 0)
                r = media_fail_at(path, "is no medium by its name; remove it yourself");
        else if (!wish->yes && !isatty(STDIN_FILENO))
                r = media_fail_at(path, "not removed; --yes says that you mean it");
        else if (!wish->yes && !is_meant(path, (uint64_t)st.st_size))
                r = media_fail_at(path, "kept");
        else if (unlink(path) < 0)
                r = media_fail_at(path, strerror(errno));
        else
                json_array_append_new(removed, json_string(path));
        free(path);
        return r;
}

int media_remove(const struct media_wish *wish, const char *const *operands) {
        json_t *removed = json_array();
        struct text out = { 0 };
        const json_t *path;
        size_t i;
        int r = CLI_DONE;

        for (size_t k = 0; operands[k]; k++)
                if (remove_one(wish, operands[k], removed) != CLI_DONE)
                        r = CLI_FAILED;
        if (wish->flags.json) {
                char *text = json_dumps(removed, JSON_COMPACT);

                text_add(&out, "{\"removed\":");
                text_add(&out, text ? text : "[]");
                text_add(&out, "}\n");
                free(text);
        } else {
                json_array_foreach(removed, i, path) {
                        text_add(&out, "Removed ");
                        text_printable(&out, json_string_value(path),
                                       json_string_length(path));
                        text_add(&out, ".\n");
                }
                if (i > 0)
                        text_add(&out, i > 1 ? "What machines were fetching from them "
                                               "ends with an error.\n"
                                             : "What machines were fetching from it "
                                               "ends with an error.\n");
        }
        json_decref(removed);
        if (out.n > 0 && client_print(&out) != CLI_DONE)
                r = CLI_FAILED;
        return r;
}
