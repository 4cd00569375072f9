/* bootjack machines: who was heard of lately. */
#include <time.h>

#include "cli/cli.h"
#include "cli/client.h"
#include "cli/table.h"

/* "12 s ago" */
static void add_age(struct text *out, json_int_t then) {
        json_int_t age = (json_int_t)time(NULL) - then;

        if (age < 0)
                age = 0;
        if (age < 120) {
                text_u64(out, (uint64_t)age);
                text_add(out, " s ago");
        } else if (age < 7200) {
                text_u64(out, (uint64_t)age / 60);
                text_add(out, " min ago");
        } else {
                text_u64(out, (uint64_t)age / 3600);
                text_add(out, " h ago");
        }
}

/* What the configuration says that it boots. */
static void add_boot(struct text *out, const json_t *machine) {
        const char *boot = json_string_value(json_object_get(machine, "boot"));
        const char *once = json_string_value(json_object_get(machine, "once"));
        bool is_over = once && strcmp(once, "done") == 0;

        text_add(out, !boot ? "-" : is_over ? "its disk; had " : "");
        text_add(out, boot ? boot : "");
        text_add(out, once && !is_over ? ", once" : "");
}

static void show(const json_t *machines, struct text *out) {
        static const char *const headings[] = { "MAC",   "ADDRESS", "FIRMWARE",
                                                "STORY", "MEMORY",  "BOOTS",
                                                "HEARD", NULL };
        static const char *const names[] = { "mac", "address", "firmware", "story" };
        struct table table;
        const json_t *machine;
        size_t i;

        table_init(&table, headings);
        json_array_foreach(machines, i, machine) {
                struct text age = { 0 }, memory = { 0 }, boot = { 0 };
                json_int_t bytes =
                        json_integer_value(json_object_get(machine, "memory"));

                for (size_t k = 0; k < ARRAY_SIZE(names); k++) {
                        char scratch[24];

                        table_cell(&table, client_member(machine, names[k], scratch));
                }
                if (bytes > 0)
                        text_size(&memory, (uint64_t)bytes);
                else
                        text_char(&memory, '-');
                table_cell(&table, text_string(&memory));
                text_done(&memory);
                add_boot(&boot, machine);
                table_cell(&table, text_string(&boot));
                text_done(&boot);
                add_age(&age, json_integer_value(json_object_get(machine, "last")));
                table_cell(&table, text_string(&age));
                text_done(&age);
        }
        if (table_is_empty(&table))
                text_add(out, "No machine has been heard of since the server began.\n");
        else
                table_format(&table, out);
        table_done(&table);
}

int cli_machines(int argc, char **argv) {
        struct client_flags flags = { 0 };
        struct option_row rows[CLIENT_ROWS + 1] = { 0 };
        const struct options options = {
                "machines", "Show the machines heard of lately, the latest first.",
                NULL, 0, rows
        };
        struct options_found found;
        struct text out = { 0 };
        json_t *answer = NULL;
        int r;

        client_rows(&flags, rows);
        r = options_parse(&options, argc, argv, &found);
        if (r != OPTIONS_GO_ON)
                return r;
        r = client_ask(&flags, "machines", "", &answer);
        if (r == CLI_DONE && !flags.json) {
                show(answer, &out);
                r = client_print(&out);
        }
        json_decref(answer);
        return r;
}
