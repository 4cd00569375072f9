#pragma once
/*
 * dnsmasq.conf: lines (dnsmasq_lines.c), what each says (dnsmasq.c and the files named
 * for what they are about), and tags, which become classes when all lines are read
 * (dnsmasq_tags.c).
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

/* ---- the whole ---- */

struct service { /* pxe-service */
        struct words arch;
        const char *csa, *title, *file; /* file NULL: a type, or the local disk */
        ip4_t server;
        uint32_t type;
        bool has_type;
        struct place at;
        struct service *next;
};

struct dnsmasq {
        struct import *im;
        const struct open_file *open;
        struct tags tags;
        struct service *services, **services_end;
        size_t n_services;
        struct words ignored; /* tags of dhcp-ignore */
        bool known_only, has_range, has_proxy, has_dns, bootp;
        bool says_router, says_dns; /* an option does */
        struct place proxy_at, range_at;
};

/* ---- values ---- */

/* The line is wrong at its item `i`; with line->n something is missing at its end. */
void dnsmasq_refuse(struct dnsmasq *d, const struct line *line, size_t i,
                    const char *wanted);
/* Whether the first n items are; refuses the line when one is not. */
bool dnsmasq_is_plain(struct dnsmasq *d, const struct line *line, size_t n);
/* What is behind the prefix, or NULL. */
const char *dnsmasq_after(const char *s, const char *prefix);
/* tag:a, tag:!b, net:c and, where `set` is not NULL, set:d. False: it is none. */
bool dnsmasq_take_tag(struct dnsmasq *d, const struct line *line, size_t i,
                      struct words *needs, struct words *nots, const char **set);
/* 45m, 12h, 2d, 1w, 600, infinite (UINT32_MAX) */
bool dnsmasq_parse_time(const char *s, uint32_t *ret);
/* 11:22:33:44:55:66, 11:22:33:*:*:*, 1-11:22:...: `ret_n` bytes are given. False: it is
 * something else, or has a star before a byte. */
bool dnsmasq_parse_mac(const char *s, char ret[static MAC_TEXT_MAX], size_t *ret_n);
/* A text, or bytes with colons, as our matches and hosts write it. */
const char *dnsmasq_parse_id(struct dnsmasq *d, const char *s);
bool dnsmasq_is_name(const char *s);

/* ---- lines, by their words ---- */

void dnsmasq_range(struct dnsmasq *d, const struct line *line);
void dnsmasq_host(struct dnsmasq *d, const struct line *line);
void dnsmasq_option(struct dnsmasq *d, const struct line *line, bool is_forced);
void dnsmasq_match(struct dnsmasq *d, const struct line *line);
void dnsmasq_class(struct dnsmasq *d, const struct line *line, enum match_key key);
void dnsmasq_mac(struct dnsmasq *d, const struct line *line);
void dnsmasq_relay_id(struct dnsmasq *d, const struct line *line, enum match_key key);
void dnsmasq_subscriber(struct dnsmasq *d, const struct line *line);
void dnsmasq_tag_if(struct dnsmasq *d, const struct line *line);
void dnsmasq_ignore(struct dnsmasq *d, const struct line *line);
void dnsmasq_boot(struct dnsmasq *d, const struct line *line);
void dnsmasq_service(struct dnsmasq *d, const struct line *line);
void dnsmasq_prompt(struct dnsmasq *d, const struct line *line);
/* What pxe-service said becomes classes or a menu. */
void dnsmasq_settle_menu(struct dnsmasq *d);

/* Remarks on a word that has no counterpart. False: it is none of these. */
bool dnsmasq_leave_out(struct dnsmasq *d, const struct line *line);
/* Those words; NULL ends them. */
const char *dnsmasq_left_out(size_t i);
