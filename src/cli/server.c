#include "cli/server.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"

void server_rows(struct conf_flags *flags, struct option_row ret[static SERVER_ROWS]) {
        const struct option_row rows[SERVER_ROWS] = {
                { "config", 'c', OPTION_TEXT, "FILE",
                  "the configuration; " CONF_FILE_DEFAULT " if it exists", &flags->file,
                  0 },
                { "interface", 'i', OPTION_TEXTS, "IF", "serve here; may be repeated",
                  flags->interfaces, CONF_FLAG_REPEAT_MAX },
                { "media", 'm', OPTION_TEXTS, "PATH",
                  "an ISO, a folder of ISOs, an extracted tree; may be repeated",
                  flags->media, CONF_FLAG_REPEAT_MAX },
                { "root", 'r', OPTION_TEXT, "DIR",
                  "your own files; they win over anything generated", &flags->root, 0 },
                { "state", 's', OPTION_TEXT, "DIR", "where leases and history are kept",
                  &flags->state, 0 },
                { "dhcp", 'd', OPTION_TEXT, "MODE",
                  "proxy, off, or a range such as 192.168.1.20-192.168.1.25",
                  &flags->dhcp, 0 },
                { "user", 'u', OPTION_TEXT, "NAME", "who to run as", &flags->user, 0 },
        };

        memcpy(ret, rows, sizeof(rows));
}

static int make_absolute(const char **path) {
        char here[PATH_MAX];
        struct text absolute = { 0 };

        if (!*path || **path == '/' || **path == '\0')
                return 0;
        if (!getcwd(here, sizeof(here))) {
                fprintf(stderr, "bootjack: the current folder has gone; give absolute "
                                "paths\n");
                return CLI_FAILED;
        }
        text_add(&absolute, strcmp(here, "/") == 0 ? "" : here);
        text_char(&absolute, '/');
        text_add(&absolute, strncmp(*path, "./", 2) == 0 ? *path + 2 : *path);
        if (absolute.failed)
                return CLI_FAILED;
        *path = absolute.s; /* as long-lived as argv's own */
        return 0;
}

int server_paths(struct conf_flags *flags) {
        int r = 0;

        for (size_t i = 0; flags->media[i] && r == 0; i++)
                r = make_absolute(&flags->media[i]);
        if (r == 0)
                r = make_absolute(&flags->root);
        return r == 0 ? make_absolute(&flags->state) : r;
}

int server_conf(const struct conf_flags *flags, struct conf **ret) {
        struct conf_problems problems = { 0 };
        struct text why = { 0 };
        const char *name;
        char *text = NULL;
        size_t n;
        int r = conf_load(flags, &text, &n, &name, &why);

        if (r == 0) {
                text_done(&why);
                r = conf_parse(name, text, n, flags, ret, &problems);
                conf_problems_format(&problems, &why);
                conf_problems_done(&problems);
                fputs(text_string(&why), stderr);
        } else {
                fprintf(stderr, "bootjack: %s\n",
                        r < 0 ? "out of memory" : text_string(&why));
        }
        text_done(&why);
        free(text);
        return r == 0 ? 0 : CLI_FAILED;
}

int print_text(struct text *text) {
        bool ok = !text->failed;

        if (ok && text->n > 0)
                ok = fwrite(text->s, 1, text->n, stdout) == text->n &&
                     fflush(stdout) == 0;
        text_done(text);
        return ok ? CLI_DONE : CLI_FAILED;
}
