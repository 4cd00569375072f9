/* bootjack leases: who has which address. */
#include <time.h>

#include "cli/cli.h"
#include "cli/client.h"
#include "cli/table.h"

/* The answer's seconds since 1970, on this machine's clock; null is no end. */
static void add_time(struct table *table, const json_t *value) {
        time_t seconds = (time_t)json_integer_value(value);
        char text[32] = "";
        struct tm local;

        if (json_is_null(value))
                strcpy(text, "never");
        else if (json_is_integer(value) && localtime_r(&seconds, &local))
                strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &local);
        table_cell(table, text);
}

static void show(const json_t *leases, struct text *out) {
        static const char *const headings[] = { "ADDRESS", "MAC",  "STATE",
                                                "ENDS",    "NAME", NULL };
        struct table table;
        const json_t *lease;
        size_t i;

        table_init(&table, headings);
        json_array_foreach(leases, i, lease) {
                char scratch[24];

                table_cell(&table, client_member(lease, "address", scratch));
                table_cell(&table, client_member(lease, "mac", scratch));
                table_cell(&table, client_member(lease, "state", scratch));
                add_time(&table, json_object_get(lease, "ends"));
                table_cell(&table, client_member(lease, "hostname", scratch));
        }
        if (table_is_empty(&table))
                text_add(out, "No address is leased.\n");
        else
                table_format(&table, out);
        table_done(&table);
}

int cli_leases(int argc, char **argv) {
        struct client_flags flags = { 0 };
        struct option_row rows[CLIENT_ROWS + 1] = { 0 };
        const struct options options = { "leases",
                                         "Show who has which address, and until when.",
                                         NULL, 0, rows };
        struct options_found found;
        struct text out = { 0 };
        json_t *answer = NULL;
        int r;

        client_rows(&flags, rows);
        r = options_parse(&options, argc, argv, &found);
        if (r != OPTIONS_GO_ON)
                return r;
        r = client_ask(&flags, "leases", "", &answer);
        if (r == CLI_DONE && !flags.json) {
                show(answer, &out);
                r = client_print(&out);
        }
        json_decref(answer);
        return r;
}
