#pragma once
/*
 * The command line: one function a subcommand, one file each. `bootjack` alone, its
 * overview and the table itself are in main.c.
 *
 * Every command that prints data has --json. Data goes to stdout, everything else to
 * stderr.
 */
#include "base/text.h"

enum {
        CLI_DONE = 0,
        CLI_FAILED = 1,    /* said on stderr why */
        CLI_WRONG_USE = 2, /* said on stderr, with the usage */
};

struct cli_command {
        const char *name;
        const char *summary;               /* a line of the overview */
        const char *usage;                 /* what may follow: "[--json]" */
        int (*run)(int argc, char **argv); /* argv[0] is the name; an exit code */
};

extern const struct cli_command cli_commands[]; /* one without a name ends them */

int cli_serve(int argc, char **argv);
int cli_check(int argc, char **argv);
int cli_firewall(int argc, char **argv);
int cli_version(int argc, char **argv);
int cli_events(int argc, char **argv);
int cli_explain(int argc, char **argv);
int cli_import(int argc, char **argv);
int cli_leases(int argc, char **argv);
int cli_loaders(int argc, char **argv);
int cli_machines(int argc, char **argv);
int cli_media(int argc, char **argv);
int cli_reload(int argc, char **argv);
int cli_status(int argc, char **argv);
