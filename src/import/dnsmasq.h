#pragma once
/*
 * dnsmasq.conf: lines (dnsmasq_lines.c), what each says (dnsmasq.c), and tags, which
 * become classes when all lines are read (dnsmasq_tags.c).
 */
#include "import/internal.h"

struct item { /* between two commas */
        const char *s;
        size_t n;
        bool is_quoted; /* somewhere */
        struct place at;
};

enum { ITEMS_MAX = 512 };
struct line {
        const char *word; /* before the '=' */
        struct item items[ITEMS_MAX];
        size_t n;
        struct place at;
};

/* Calls `each` for every line that says something. */
void dnsmasq_lines(struct import *im, const struct import_text *text,
                   void (*each)(void *userdata, const struct line *line),
                   void *userdata);
/* One value as after `word=`, for files of hosts and options. */
void dnsmasq_values(struct import *im, const struct import_text *text, const char *word,
                    void (*each)(void *userdata, const struct line *line),
                    void *userdata);

/* ---- tags ---- */

struct tag {
        const char *name;
        struct matches matches;
        bool is_of_ranges; /* only dhcp-range sets it: `subnets` are what it means */
        bool is_of_others;
        struct place at;
        struct tag *next;
};

struct tagged { /* a value, and the tags that it wants and does not want */
        struct words needs, nots;
        const char *vendor; /* vendor:CLASS; NULL */
        struct scope scope;
        struct place at;
        struct tagged *next;
};

struct tag_if {
        const char *name;
        struct words needs, nots;
        struct place at;
        struct tag_if *next;
};

struct tags {
        struct tag *tags;
        size_t n_tags;
        struct tagged *values, *values_last; /* the last of the file comes last */
        size_t n_values;
        struct tag_if *ifs, **ifs_end;
        bool has_known;
};

struct tag *tags_get(struct import *im, struct tags *tags, const char *name,
                     struct place at);
/* Whoever fits gets the tag. */
void tags_set(struct import *im, struct tags *tags, const char *name,
              enum match_key key, const char *value, struct place at);
struct tagged *tags_value(struct import *im, struct tags *tags, struct place at);
/* False: nobody has all of them, or it cannot be said (and that was remarked on). */
bool tags_match(struct import *im, struct tags *tags, const struct words *needs,
                struct place at, struct matches *ret);
/* Classes for all values, and the global scope. */
void tags_settle(struct import *im, struct tags *tags);
