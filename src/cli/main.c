/* The table of subcommands, and the way into each. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/server.h"
#include "role/role.h"

#define SERVER "[-c FILE] [--interface IF] [--media PATH] [--root DIR] ..."

const struct cli_command cli_commands[] = {
        { "serve", "serve in the foreground until told to end", SERVER, cli_serve },
        { "check", "read the configuration and say what is wrong with it",
          SERVER " [--options] [--json]", cli_check },
        { "explain", "say what a machine would boot, and why",
          "--mac M [--arch bios|x64|...] [--json]", cli_explain },
        { "media", "show what systems were found on the media",
          "[list | inspect | add | verify | remove ...] [--json]", cli_media },
        { "loaders", "show which loaders are there, for which firmware, signed by whom",
          "[-c FILE] [--media PATH] [--json]", cli_loaders },
        { "leases", "show who has which address", "[--json]", cli_leases },
        { "machines", "show the machines heard of lately", "[--json]", cli_machines },
        { "events", "show what happened, boot by boot",
          "[--follow] [-n N] [--mac M] [--json]", cli_events },
        { "status", "show whether and what the server serves", "[--json]", cli_status },
        { "reload", "have the server read its configuration again", "", cli_reload },
        { "import", "turn a dhcpd.conf or dnsmasq.conf into a configuration",
          "[--from dhcpd|dnsmasq] FILE [--json]", cli_import },
        { "firewall", "print the rules for exactly the doors that are open",
          "[nftables | iptables | firewalld] " SERVER, cli_firewall },
        { "version", "print the version", "[--json]", cli_version },
        { 0 },
};

static int help(void) {
        printf("Bootjack boots machines from the network: point it at a folder of "
               "installer ISOs.\n\nusage: bootjack COMMAND ...\n\n");
        for (const struct cli_command *c = cli_commands; c->name; c++)
                printf("  %-9s %s\n", c->name, c->summary);
        printf("\nbootjack COMMAND --help tells the options of each.\n");
        return CLI_DONE;
}

static int unknown(const char *name) {
        const char *words[ARRAY_SIZE(cli_commands)] = { 0 };
        const char *near;

        for (size_t i = 0; cli_commands[i].name; i++)
                words[i] = cli_commands[i].name;
        near = text_nearest(name, words);
        if (near)
                fprintf(stderr, "bootjack: unknown command '%s'; did you mean '%s'?\n",
                        name, near);
        else
                fprintf(stderr, "bootjack: unknown command '%s'; see bootjack --help\n",
                        name);
        return CLI_WRONG_USE;
}

int cli_version(int argc, char **argv) {
        bool json = false;
        const struct option_row rows[] = {
                { "json", 0, OPTION_FLAG, NULL, "as JSON", &json, 0 },
                { 0 },
        };
        const struct options options = { "version", "print the version", NULL, 0,
                                         rows };
        struct options_found found;
        int r = options_parse(&options, argc, argv, &found);

        if (r != OPTIONS_GO_ON)
                return r;
        printf(json ? "{\"version\":\"%s\"}\n" : "bootjack %s\n", BOOTJACK_VERSION);
        return CLI_DONE;
}

/* `bootjack role NAME FLAGS`: what the parent starts. Of no use to anybody else. */
static int be_role(int argc, char **argv) {
        static struct conf_flags flags;
        struct option_row rows[SERVER_ROWS + 1] = { 0 };
        const struct options options = { "role", "be one of the server's processes",
                                         "NAME", 1, rows };
        struct options_found found;
        int r;

        server_rows(&flags, rows);
        r = options_parse(&options, argc, argv, &found);
        if (r != OPTIONS_GO_ON)
                return r;
        for (int kind = IPC_CORE; kind < IPC_N_ROLES && found.n_operands == 1; kind++)
                if (strcmp(found.operands[0], ipc_role_name((enum ipc_role)kind)) == 0)
                        return role_main((enum ipc_role)kind, &flags);
        return options_wrong(&options, "there is no such role");
}

int main(int argc, char **argv) {
        const char *name = argc > 1 ? argv[1] : "--help";

        if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 ||
            strcmp(name, "help") == 0)
                return help();
        if (strcmp(name, "role") == 0)
                return be_role(argc - 1, argv + 1);
        if (strcmp(name, "--version") == 0)
                name = "version";
        for (const struct cli_command *c = cli_commands; c->name; c++)
                if (strcmp(c->name, name) == 0)
                        return c->run(argc - 1, argv + 1);
        return unknown(name);
}
