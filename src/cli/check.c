/* bootjack check: the configuration as the server would read it. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/server.h"

static void add_json(const struct conf_problems *problems, bool is_good,
                     struct text *out) {
        text_char(out, '{');
        text_json_pair(out, "file", problems->file);
        text_json_pair_bool(out, "good", is_good);
        text_json_key(out, "problems");
        text_char(out, '[');
        for (size_t i = 0; i < problems->n; i++) {
                const struct conf_problem *problem = &problems->items[i];

                text_json_next(out);
                text_char(out, '{');
                text_json_pair_u64(out, "line", (uint64_t)problem->line);
                text_json_pair_u64(out, "column", (uint64_t)problem->column);
                text_json_pair(out, "severity",
                               problem->is_warning ? "warning" : "error");
                text_json_pair(out, "message", problem->message);
                text_char(out, '}');
        }
        text_add(out, "]}\n");
}

static int check(const struct conf_flags *flags, bool json) {
        struct conf_problems problems = { 0 };
        struct text why = { 0 }, out = { 0 };
        struct conf *conf = NULL;
        const char *name;
        char *text;
        size_t n;
        int r = conf_load(flags, &text, &n, &name, &why), printed;

        if (r != 0) {
                fprintf(stderr, "bootjack: %s\n",
                        r < 0 ? "out of memory" : text_string(&why));
                text_done(&why);
                return CLI_FAILED;
        }
        r = conf_parse(name, text, n, flags, &conf, &problems);
        if (json) {
                add_json(&problems, r == 0, &out);
        } else {
                conf_problems_format(&problems, &out);
                if (r == 0) {
                        text_add(&out, name);
                        text_add(&out, ": good\n");
                }
        }
        printed = print_text(&out);
        conf_problems_done(&problems);
        conf_free(conf);
        text_done(&why);
        free(text);
        return r == 0 ? printed : CLI_FAILED;
}

int cli_check(int argc, char **argv) {
        static struct conf_flags flags;
        bool json = false, list = false, dhcp = false;
        struct option_row rows[SERVER_ROWS + 4] = {
                [SERVER_ROWS] = { "json", 0, OPTION_FLAG, NULL, "as JSON", &json, 0 },
                { "options", 0, OPTION_FLAG, NULL, "print every key there is", &list,
                  0 },
                { "dhcp-options", 0, OPTION_FLAG, NULL,
                  "print every DHCP option that has a name", &dhcp, 0 },
        };
        const struct options options = {
                "check", "Read the configuration and say what is wrong with it.", NULL,
                0, rows
        };
        struct options_found found;
        struct text out = { 0 };
        int r;

        server_rows(&flags, rows);
        r = options_parse(&options, argc, argv, &found);
        if (r != OPTIONS_GO_ON)
                return r;
        if (!list && !dhcp) {
                r = server_paths(&flags);
                return r ? r : check(&flags, json);
        }
        if (json) {
                (dhcp ? conf_dhcp_options_json : conf_options_json)(&out);
                text_char(&out, '\n');
        } else {
                (dhcp ? conf_dhcp_options_markdown : conf_options_markdown)(&out);
        }
        return print_text(&out);
}
