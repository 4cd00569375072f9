/*
 * Options by table. Only options_parse() and options_wrong() print; the rest builds
 * text, so that tests read the very sentences a user gets.
 */
#include "cli/options.h"

#include <stdio.h>

#include "cli/cli.h"

enum { ROWS_MAX = 32, HELP_COLUMN = 26, USAGE_WIDTH = 80 };

/* Where reading stands. */
struct reading {
        const struct options *options;
        int argc, at;
        char **argv;
        struct options_found *found;
        struct text *why;
};

static void add_quoted(struct text *out, const char *s) {
        text_char(out, '\'');
        text_printable(out, s, strlen(s));
        text_char(out, '\'');
}

static bool unknown(struct reading *r, const char *given, size_t n_name) {
        const char *words[ROWS_MAX + 2] = { "help" }, *nearest;
        char name[64];
        size_t n = 1;

        for (const struct option_row *row = r->options->rows; row->name; row++)
                if (n <= ROWS_MAX)
                        words[n++] = row->name;
        text_add(r->why, "unknown option ");
        add_quoted(r->why, given);
        n_name = min_size(n_name, sizeof(name) - 1);
        memcpy(name, given + strspn(given, "-"), n_name);
        name[n_name] = '\0';
        nearest = text_nearest(name, words);
        if (nearest) {
                text_add(r->why, "; did you mean '--");
                text_add(r->why, nearest);
                text_add(r->why, "'?");
        }
        return false;
}

static bool count_parse(const char *s, uint64_t max, uint64_t *ret) {
        uint64_t value = 0;

        if (!*s)
                return false;
        for (; *s; s++) {
                uint64_t digit = (uint64_t)(*s - '0');

                if (*s < '0' || *s > '9' || value > (UINT64_MAX - digit) / 10)
                        return false;
                value = value * 10 + digit;
        }
        if (value > max)
                return false;
        *ret = value;
        return true;
}

static bool refuse(struct reading *r, const struct option_row *row, const char *value,
                   const char *wanted) {
        text_add(r->why, "--");
        text_add(r->why, row->name);
        text_add(r->why, " takes ");
        text_add(r->why, wanted);
        text_add(r->why, ", not ");
        add_quoted(r->why, value);
        return false;
}

static bool set_count(struct reading *r, const struct option_row *row,
                      const char *value) {
        struct text wanted = { 0 };

        if (count_parse(value, row->max, row->ret))
                return true;
        text_add(&wanted, "a number from 0 to ");
        text_u64(&wanted, row->max);
        (void)refuse(r, row, value, text_string(&wanted));
        text_done(&wanted);
        return false;
}

static bool add_text(struct reading *r, const struct option_row *row,
                     const char *value) {
        const char **texts = row->ret;
        size_t n = 0;

        while (texts[n])
                n++;
        if (n == row->max) {
                text_add(r->why, "--");
                text_add(r->why, row->name);
                text_add(r->why, " was given too often");
                return false;
        }
        texts[n] = value;
        texts[n + 1] = NULL;
        return true;
}

static bool set_value(struct reading *r, const struct option_row *row,
                      const char *value) {
        switch (row->kind) {
        case OPTION_FLAG:
                *(bool *)row->ret = true;
                return true;
        case OPTION_TEXT:
                *(const char **)row->ret = value;
                return true;
        case OPTION_TEXTS:
                return add_text(r, row, value);
        case OPTION_COUNT:
                return set_count(r, row, value);
        case OPTION_MAC:
                return mac_parse(value, row->ret) ||
                       refuse(r, row, value, "a MAC address such as 52:54:00:12:34:56");
        }
        return false;
}

/* `attached` is what was written in one word with the option, or NULL. */
static bool set(struct reading *r, const struct option_row *row, const char *attached) {
        if (row->kind == OPTION_FLAG && attached) {
                text_add(r->why, "--");
                text_add(r->why, row->name);
                text_add(r->why, " takes no value");
                return false;
        }
        if (row->kind != OPTION_FLAG && !attached) {
                if (r->at + 1 >= r->argc) {
                        text_add(r->why, "--");
                        text_add(r->why, row->name);
                        text_add(r->why, " needs a value: ");
                        text_add(r->why, row->value);
                        return false;
                }
                attached = r->argv[++r->at];
        }
        return set_value(r, row, attached);
}

static bool read_long(struct reading *r, const char *word) {
        const char *name = word + 2, *equals = strchr(name, '=');
        size_t n = equals ? (size_t)(equals - name) : strlen(name);

        if (strcmp(name, "help") == 0) {
                r->found->wants_help = true;
                return true;
        }
        for (const struct option_row *row = r->options->rows; row->name; row++)
                if (strlen(row->name) == n && memcmp(row->name, name, n) == 0)
                        return set(r, row, equals ? equals + 1 : NULL);
        return unknown(r, word, n);
}

static bool read_short(struct reading *r, const char *word) {
        const char *attached = word[2] ? word + 2 : NULL;

        if (strcmp(word, "-h") == 0) {
                r->found->wants_help = true;
                return true;
        }
        for (const struct option_row *row = r->options->rows; row->name; row++)
                if (row->letter == word[1])
                        return set(r, row, attached);
        return unknown(r, word, strlen(word + 1)); /* perhaps -json was meant --json */
}

static bool read_operand(struct reading *r, const char *word) {
        struct options_found *found = r->found;

        if (found->n_operands == r->options->max_operands) {
                text_add(r->why, "unexpected word ");
                add_quoted(r->why, word);
                return false;
        }
        found->operands[found->n_operands++] = word;
        return true;
}

bool options_read(const struct options *options, int argc, char **argv,
                  struct options_found *ret, struct text *why) {
        struct options_found found = { 0 };
        struct reading r = { .options = options,
                             .argc = argc,
                             .argv = argv,
                             .found = &found,
                             .why = why };
        bool is_over = false, ok = true;

        assert(options->max_operands <= OPTIONS_OPERANDS_MAX);
        for (r.at = 1; r.at < argc && ok; r.at++) {
                const char *word = argv[r.at];

                if (!is_over && strcmp(word, "--") == 0)
                        is_over = true;
                else if (!is_over && word[0] == '-' && word[1] == '-')
                        ok = read_long(&r, word);
                else if (!is_over && word[0] == '-' && word[1])
                        ok = read_short(&r, word);
                else
                        ok = read_operand(&r, word);
        }
        if (ok)
                *ret = found;
        return ok;
}

/* A word of the usage, on a new line when it would pass the width. */
static void add_wrapped(struct text *out, const struct text *word, size_t *column) {
        if (*column + 1 + word->n > USAGE_WIDTH) {
                text_add(out, "\n               ");
                *column = 15;
        }
        text_char(out, ' ');
        text_bytes(out, word->s, word->n);
        *column += 1 + word->n;
}

void options_usage(const struct options *options, struct text *out) {
        size_t column = out->n;
        struct text word = { 0 };

        text_add(out, "usage: bootjack ");
        text_add(out, options->command);
        if (options->operands) {
                text_char(out, ' ');
                text_add(out, options->operands);
        }
        column = out->n - column;
        for (const struct option_row *row = options->rows; row->name; row++) {
                word.n = 0;
                text_char(&word, '[');
                if (row->letter) {
                        text_char(&word, '-');
                        text_char(&word, row->letter);
                } else {
                        text_add(&word, "--");
                        text_add(&word, row->name);
                }
                if (row->kind != OPTION_FLAG) {
                        text_char(&word, ' ');
                        text_add(&word, row->value);
                }
                text_add(&word, row->kind == OPTION_TEXTS ? "]..." : "]");
                add_wrapped(out, &word, &column);
        }
        text_char(out, '\n');
        out->failed |= word.failed;
        text_done(&word);
}

static void add_help_line(struct text *out, char letter, const char *name,
                          const char *value, const char *help) {
        size_t from = out->n;

        text_add(out, "  ");
        if (letter) {
                text_char(out, '-');
                text_char(out, letter);
                text_add(out, ", ");
        } else {
                text_add(out, "    ");
        }
        text_add(out, "--");
        text_add(out, name);
        if (value) {
                text_char(out, ' ');
                text_add(out, value);
        }
        do
                text_char(out, ' ');
        while (out->n - from < HELP_COLUMN && !out->failed);
        text_add(out, help);
        text_char(out, '\n');
}

void options_help(const struct options *options, struct text *out) {
        options_usage(options, out);
        text_char(out, '\n');
        text_add(out, options->summary);
        text_add(out, "\n\n");
        for (const struct option_row *row = options->rows; row->name; row++)
                add_help_line(out, row->letter, row->name,
                              row->kind == OPTION_FLAG ? NULL : row->value, row->help);
        add_help_line(out, 'h', "help", NULL, "this text");
}

int options_wrong(const struct options *options, const char *sentence) {
        struct text usage = { 0 };

        options_usage(options, &usage);
        fprintf(stderr, "bootjack %s: %s\n%s", options->command, sentence,
                text_string(&usage));
        text_done(&usage);
        return CLI_WRONG_USE;
}

int options_parse(const struct options *options, int argc, char **argv,
                  struct options_found *ret) {
        struct text out = { 0 };
        int r = OPTIONS_GO_ON;

        if (!options_read(options, argc, argv, ret, &out)) {
                r = options_wrong(options, text_string(&out));
        } else if (ret->wants_help) {
                options_help(options, &out);
                fputs(text_string(&out), stdout);
                r = CLI_DONE;
        }
        text_done(&out);
        return r;
}
