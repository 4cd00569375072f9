/* bootjack events: what happened, and what happens now. */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/client.h"

enum { EVENTS_MAX = 100000, NO_COUNT = EVENTS_MAX + 1 };

struct wishes {
        struct client_flags client;
        bool follow, all;
        uint64_t count, story;
        struct mac mac;
};

static void add_number(struct text *out, const char *name, uint64_t value) {
        text_add(out, name);
        text_u64(out, value);
}

/* The server renders lines, and knows no time zone. */
static void add_zone(struct text *out) {
        time_t now = time(NULL);
        struct tm local;
        long zone = localtime_r(&now, &local) ? local.tm_gmtoff : 0;

        text_add(out, zone < 0 ? " zone=-" : " zone=");
        text_u64(out, (uint64_t)(zone < 0 ? -zone : zone));
}

static void add_arguments(const struct wishes *wishes, struct text *out) {
        text_add(out, wishes->client.json ? "json" : "");
        add_zone(out);
        text_add(out, wishes->follow ? " follow" : "");
        text_add(out, wishes->all ? " all" : "");
        if (wishes->count != NO_COUNT)
                add_number(out, " n=", wishes->count);
        if (wishes->story)
                add_number(out, " story=", wishes->story);
        if (!mac_is_zero(wishes->mac)) {
                text_add(out, " mac=");
                text_mac(out, wishes->mac);
        }
}

/* What comes last is empty, or an error. */
static int finish(const struct client_piece *piece) {
        json_t *answer;
        int r;

        if (piece->n == 0)
                return CLI_DONE;
        answer = json_loadb(piece->text, piece->n, 0, NULL);
        r = answer ? client_check(answer) : client_fail("the answer makes no sense");
        json_decref(answer);
        return r;
}

static int print_all(int fd, enum client_patience patience) {
        for (;;) {
                struct client_piece piece;
                int r = client_receive(fd, patience, &piece);

                if (r != CLI_DONE)
                        return r;
                if (piece.last)
                        return finish(&piece);
                fwrite(piece.text, 1, piece.n, stdout);
                fputc('\n', stdout);
                /* Whoever follows through a pipe wants each line when it comes. */
                if (patience == CLIENT_FOR_EVER && fflush(stdout) != 0)
                        return client_fail("cannot write the answer");
        }
}

static int run(const struct wishes *wishes) {
        struct text arguments = { 0 };
        int fd, r = client_connect(&wishes->client, &fd);

        if (r != CLI_DONE)
                return r;
        add_arguments(wishes, &arguments);
        r = client_send(fd, "events", text_string(&arguments));
        if (r == CLI_DONE)
                r = print_all(fd, wishes->follow ? CLIENT_FOR_EVER : CLIENT_SOON);
        text_done(&arguments);
        close(fd);
        return r;
}

int cli_events(int argc, char **argv) {
        struct wishes wishes = { .count = NO_COUNT };
        struct option_row rows[5 + CLIENT_ROWS + 1] = {
                { "follow", 'f', OPTION_FLAG, NULL, "go on with what happens now",
                  &wishes.follow, 0 },
                { "lines", 'n', OPTION_COUNT, "N", "begin with the last N",
                  &wishes.count, EVENTS_MAX },
                { "mac", 0, OPTION_MAC, "MAC", "of this machine only", &wishes.mac, 0 },
                { "story", 0, OPTION_COUNT, "ID", "of this boot only", &wishes.story,
                  INT64_MAX / 16 },
                { "all", 'a', OPTION_FLAG, NULL, "with what is only for debugging",
                  &wishes.all, 0 },
        };
        const struct options options = {
                "events", "Show what happened, one line a step of every boot.", NULL, 0,
                rows
        };
        struct options_found found;
        int r;

        client_rows(&wishes.client, rows + 5);
        r = options_parse(&options, argc, argv, &found);
        return r == OPTIONS_GO_ON ? run(&wishes) : r;
}
