/* bootjack leases: who has which address. */
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/table.h"

static void show(const json_t *leases, struct text *out) {
        static const char *const headings[] = { "ADDRESS", "MAC",  "STATE",
                                                "ENDS",    "NAME", NULL };
        static const char *const names[] = { "address", "mac", "state", "ends",
                                             "hostname" };
        struct table table;
        const json_t *lease;
        size_t i;

        table_init(&table, headings);
        json_array_foreach(leases, i, lease) for (size_t k = 0; k < ARRAY_SIZE(names);
                                                  k++) {
                char scratch[24];

                table_cell(&table, client_member(lease, names[k], scratch));
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
