/*
 * bootjack events: what happened, and what happens now. The server tells the latest
 * from its memory, in lines that it has rendered. With --history it reads its database,
 * whose lines are JSON and are chosen and rendered here.
 */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/client.h"

enum { EVENTS_MAX = 100000, NO_COUNT = EVENTS_MAX + 1, HISTORY_SHOWS = 1000 };

struct wishes {
        struct client_flags client;
        bool follow, all, history;
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

/* ---- history ---- */

static bool is_wanted(const struct wishes *wishes, const json_t *event) {
        const char *mac_text = json_string_value(json_object_get(event, "mac"));
        const char *level = json_string_value(json_object_get(event, "level"));
        json_int_t story = json_integer_value(json_object_get(event, "story"));
        struct mac mac = { 0 };

        if (!mac_is_zero(wishes->mac) && (!mac_text || !mac_parse(mac_text, &mac) ||
                                          !mac_is_equal(mac, wishes->mac)))
                return false;
        if (wishes->story && (uint64_t)story != wishes->story)
                return false;
        return wishes->all || !level || strcmp(level, "debug") != 0;
}

static void add_event(struct text *out, const json_t *event) {
        static const char *const names[] = { "time", "mac", "address", "message" };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                const char *s = json_string_value(json_object_get(event, names[i]));

                if (!s)
                        continue;
                text_add(out, i == 0 ? "" : i == 3 ? "  " : " ");
                text_printable(out, s, strlen(s));
        }
        text_char(out, '\n');
}

/* One line of the answer. */
static int print_record(const struct wishes *wishes, const char *line, size_t n) {
        json_t *event = json_loadb(line, n, 0, NULL);
        struct text out = { 0 };
        int r = event ? client_check(event)
                      : CLI_DONE; /* one that is cut says nothing */

        if (event && r == CLI_DONE && is_wanted(wishes, event)) {
                if (wishes->client.json) {
                        text_bytes(&out, line, n);
                        text_char(&out, '\n');
                } else {
                        add_event(&out, event);
                }
                r = client_print(&out);
        }
        json_decref(event);
        return r;
}

static int print_history(const struct wishes *wishes, int fd) {
        struct text answer = { 0 };
        int r = client_receive_all(fd, &answer);
        const char *line = text_string(&answer), *end;

        for (; r == CLI_DONE && *line; line = end + (*end == '\n')) {
                end = line + strcspn(line, "\n");
                r = print_record(wishes, line, (size_t)(end - line));
        }
        text_done(&answer);
        return r;
}

/* ---- */

static int talk(const struct wishes *wishes, int fd) {
        struct text arguments = { 0 };
        int r;

        if (wishes->history)
                add_number(&arguments, "n=",
                           wishes->count == NO_COUNT ? HISTORY_SHOWS : wishes->count);
        else
                add_arguments(wishes, &arguments);
        r = client_send(fd, wishes->history ? "history" : "events",
                        text_string(&arguments));
        text_done(&arguments);
        if (r != CLI_DONE)
                return r;
        if (wishes->history)
                return print_history(wishes, fd);
        return print_all(fd, wishes->follow ? CLIENT_FOR_EVER : CLIENT_SOON);
}

static int run(const struct wishes *wishes) {
        int fd, r = client_connect(&wishes->client, &fd);

        if (r != CLI_DONE)
                return r;
        r = talk(wishes, fd);
        close(fd);
        return r;
}

int cli_events(int argc, char **argv) {
        struct wishes wishes = { .count = NO_COUNT };
        struct option_row rows[6 + CLIENT_ROWS + 1] = {
                { "follow", 'f', OPTION_FLAG, NULL, "go on with what happens now",
                  &wishes.follow, 0 },
                { "lines", 'n', OPTION_COUNT, "N", "begin with the last N",
                  &wishes.count, EVENTS_MAX },
                { "mac", 0, OPTION_MAC, "MAC", "of this machine only", &wishes.mac, 0 },
                { "story", 0, OPTION_COUNT, "ID", "of this boot only", &wishes.story,
                  INT64_MAX / 16 },
                { "all", 'a', OPTION_FLAG, NULL, "with what is only for debugging",
                  &wishes.all, 0 },
                { "history", 0, OPTION_FLAG, NULL,
                  "from the disk: before the server began, too", &wishes.history, 0 },
        };
        const struct options options = {
                "events", "Show what happened, one line a step of every boot.", NULL, 0,
                rows
        };
        struct options_found found;
        int r;

        client_rows(&wishes.client, rows + 6);
        r = options_parse(&options, argc, argv, &found);
        if (r != OPTIONS_GO_ON)
                return r;
        if (wishes.history && wishes.follow)
                return options_wrong(&options,
                                     "--history has an end: not with --follow");
        return run(&wishes);
}
