#pragma once
/*
 * The options of one subcommand: a table of rows, each with the place its value goes
 * to. `--name value`, `--name=value`, `-n value`, `-nvalue`; `--` ends options; options
 * and operands may be mixed. Nothing is abbreviated, so that a script written today
 * means the same when an option is added.
 *
 * Values are argv's strings. --help and -h are understood everywhere.
 */
#include "base/text.h"

enum option_kind {
        OPTION_FLAG,  /* no value; ret: bool */
        OPTION_TEXT,  /* ret: const char * */
        OPTION_TEXTS, /* may be repeated; ret: const char *[max + 1], NULL ends them */
        OPTION_COUNT, /* ret: uint64_t, at most `max` */
        OPTION_MAC,   /* ret: struct mac */
};

struct option_row {
        const char *name; /* without its dashes; NULL ends the table */
        char letter;      /* 0: none */
        enum option_kind kind;
        const char *value; /* what the usage calls its value: "FILE" */
        const char *help;
        void *ret; /* untouched when the option is not given */
        uint64_t max;
};

enum { OPTIONS_OPERANDS_MAX = 8 };

struct options {
        const char *command;  /* "media" */
        const char *summary;  /* what it does; a sentence */
        const char *operands; /* for the usage: "[list | inspect PATH]"; NULL: none */
        size_t max_operands;
        const struct option_row *rows;
};

struct options_found {
        const char *operands[OPTIONS_OPERANDS_MAX + 1]; /* NULL ends them */
        size_t n_operands;
        bool wants_help;
};

/* False: what is wrong, with the nearest word, was appended to `why`. */
MUST_USE bool options_read(const struct options *options, int argc, char **argv,
                           struct options_found *ret, struct text *why);

/* For a command: OPTIONS_GO_ON, or the exit code when help was asked for and printed,
 * or something was wrong and said. argv[0] is the command. */
enum { OPTIONS_GO_ON = -1 };
MUST_USE int options_parse(const struct options *options, int argc, char **argv,
                           struct options_found *ret);

/* "bootjack media: SENTENCE" and the usage on stderr; returns CLI_WRONG_USE. */
int options_wrong(const struct options *options, const char *sentence);

/* One line: "usage: bootjack media [list | inspect PATH] [--json]". */
void options_usage(const struct options *options, struct text *out);
/* The usage, the summary and a line for each option. */
void options_help(const struct options *options, struct text *out);
