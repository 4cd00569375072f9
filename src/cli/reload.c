/*
 * bootjack reload: the server reads its configuration again. Whether it took it is told
 * by an event, which is listened for before the wish is said.
 */
#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/client.h"

/* An exit code, or -1: this event is not about it. */
static int judge(const struct client_flags *flags, const struct client_piece *piece) {
        json_t *event = json_loadb(piece->text, piece->n, 0, NULL);
        const char *name = json_string_value(json_object_get(event, "event"));
        const char *message = json_string_value(json_object_get(event, "message"));
        struct text out = { 0 };
        int r = -1;

        if (name && message && strcmp(name, "reload-refused") == 0) {
                r = client_fail(message);
        } else if (name && message && strcmp(name, "service-reloaded") == 0) {
                if (flags->json)
                        text_bytes(&out, piece->text, piece->n);
                else
                        text_printable(&out, message, strlen(message));
                text_char(&out, '\n');
                r = client_print(&out);
        } else if (piece->last) {
                r = client_check(event);
                if (r == CLI_DONE)
                        r = client_fail("the server did not say whether it reloaded");
        }
        json_decref(event);
        return r;
}

static int run(const struct client_flags *flags) {
        struct client_flags quietly = *flags;
        struct client_piece piece = { 0 };
        json_t *answer = NULL;
        int fd, r = client_connect(flags, &fd), verdict = -1;

        if (r != CLI_DONE)
                return r;
        quietly.json = false;
        r = client_send(fd, "events", "json follow n=0");
        if (r == CLI_DONE)
                r = client_ask(&quietly, "reload", "", &answer);
        json_decref(answer);
        while (r == CLI_DONE && verdict < 0) {
                r = client_receive(fd, CLIENT_SOON, &piece);
                if (r == CLI_DONE)
                        verdict = judge(flags, &piece);
        }
        close(fd);
        return r == CLI_DONE ? verdict : r;
}

int cli_reload(int argc, char **argv) {
        struct client_flags flags = { 0 };
        struct option_row rows[CLIENT_ROWS + 1] = { 0 };
        const struct options options = { "reload",
                                         "Have the server read its configuration "
                                         "again: it takes the whole of it, "
                                         "or goes on\nwith the old one and says why.",
                                         NULL, 0, rows };
        struct options_found found;
        int r;

        client_rows(&flags, rows);
        r = options_parse(&options, argc, argv, &found);
        return r == OPTIONS_GO_ON ? run(&flags) : r;
}
