/* bootjack serve */
#include "cli/cli.h"
#include "cli/server.h"
#include "role/role.h"

int cli_serve(int argc, char **argv) {
        static struct conf_flags flags;
        struct option_row rows[SERVER_ROWS + 1] = { 0 };
        const struct options options = { "serve",
                                         "Serve in the foreground until told to end.",
                                         NULL, 0, rows };
        struct options_found found;
        int r;

        server_rows(&flags, rows);
        r = options_parse(&options, argc, argv, &found);
        if (r != OPTIONS_GO_ON)
                return r;
        r = server_paths(&flags);
        return r ? r : parent_main(&flags);
}
