#pragma once
/*
 * One run of the importer: its memory, its remarks and what it has understood. Each
 * reader fills the same model and one writer makes YAML of it, so that nothing is
 * quoted or named in two ways.
 *
 * All memory is of one arena that import_convert() drops at the end. A failure is
 * sticky in import.failed: whoever loops over input looks at it.
 */
#include "import/import.h"

/* ---- memory, places, remarks ---- */

struct place {
        const char *file;
        unsigned number; /* of the file: remarks are sorted by it */
        unsigned line, column;
};

struct chunk;

struct open_file { /* the files that are being read: none may include itself */
        const char *path;
        const struct open_file *outer;
};

struct model;

struct import {
        const struct import_files *files;
        struct chunk *chunks;
        size_t n_taken, n_read, n_remarks_room;
        unsigned n_files;
        int failed; /* 0, IMPORT_REFUSED or -ENOMEM */
        struct import_result *result;
        struct model *model;
        struct place start; /* of the first file: for what nobody wrote */
};

/* Zeroed, aligned for anything; NULL and failed when there is no more. */
void *import_take(struct import *im, size_t n);
/* A copy with a NUL after it; "" when there is no memory. */
const char *import_copy(struct import *im, const void *s, size_t n);
/* The pieces one after the other; NULL ends them. */
const char *import_join(struct import *im, ...) __attribute__((sentinel));
const char *import_decimal(struct import *im, uint64_t v);
const char *import_address(struct import *im, ip4_t a);

/* What could not be carried, why, and what to do: pieces, NULL ends them. */
void import_remark(struct import *im, struct place at, ...) __attribute__((sentinel));
/* The file is not sound: the first one counts. */
void import_refuse(struct import *im, struct place at, ...) __attribute__((sentinel));

/* The file's text for as long as the run lasts. NULL: it cannot be read, and that was
 * said at `at` (a line of 0: nobody included it). */
struct import_text {
        const char *s;
        size_t n;
        struct place start; /* line 1, column 1 */
};
const struct import_text *import_load(struct import *im, const char *path,
                                      struct place at, const struct open_file *open);
void import_sort_remarks(struct import_result *result);
void import_done(struct import *im);

/* ---- small lists ---- */

struct word {
        const char *s;
        struct word *next;
};
struct words {
        struct word *first, *last;
        size_t n;
};
void words_add(struct import *im, struct words *words, const char *s);
bool words_have(const struct words *words, const char *s);
/* Adds what is not there yet. Slow on long lists. */
void words_add_once(struct import *im, struct words *words, const char *s);

/* ---- what was understood ---- */

enum scope_key {
        KEY_LEASE_TIME,
        KEY_MIN_LEASE_TIME,
        KEY_MAX_LEASE_TIME,
        KEY_RENEWAL_TIME,
        KEY_REBINDING_TIME,
        KEY_NEXT_SERVER,
        KEY_FILENAME,
        KEY_SERVER_NAME,
        N_KEYS
};
extern const char *const scope_key_names[N_KEYS];

struct value {
        bool is_set;
        uint32_t number;  /* seconds (UINT32_MAX: infinite), or an address */
        const char *text; /* filename and server-name */
        struct place at;
};

/* An option as it goes on the wire, and how it was written. */
struct option_value {
        unsigned code;      /* of the message, or within `space` */
        const char *space;  /* NULL: the message's own options */
        bool is_forced;     /* sent to clients that do not ask for it */
        const char *format; /* see option_row */
        struct span bytes;
        struct place at;
        struct option_value *next;
};

struct scope {
        struct value keys[N_KEYS];
        struct option_value *options; /* in the order they came in */
        struct option_value **options_end;
        unsigned n_options;
};

/* Replaces what has the same code. */
void scope_set_option(struct import *im, struct scope *scope,
                      const struct option_value *option);
const struct option_value *scope_option(const struct scope *scope, const char *space,
                                        unsigned code);
void scope_drop_option(struct scope *scope, const char *space, unsigned code);
/* What `from` says and `to` does not. */
void scope_inherit(struct import *im, struct scope *to, const struct scope *from);
/* What `from` says wins. */
void scope_override(struct import *im, struct scope *to, const struct scope *from);
bool scope_is_empty(const struct scope *scope);
bool scope_is_equal(const struct scope *a, const struct scope *b);

enum match_key {
        MATCH_VENDOR_CLASS,
        MATCH_USER_CLASS,
        MATCH_ARCH,
        MATCH_MAC,
        MATCH_RELAY,
        MATCH_SUBNET,
        MATCH_HOST,
        MATCH_CLIENT_ID,
        MATCH_CIRCUIT_ID,
        MATCH_REMOTE_ID,
        N_MATCHES
};
extern const char *const match_key_names[N_MATCHES];

/* Every list that is not empty has something that fits. */
struct match {
        struct words keys[N_MATCHES];
        struct match *next; /* or this one */
};
/* Any of them; none: nobody. */
struct matches {
        struct match *first, *last;
        size_t n;
};
enum { MATCHES_MAX = 64 };

struct match *matches_add(struct import *im, struct matches *matches);
void matches_add_word(struct import *im, struct matches *matches, enum match_key key,
                      const char *s);
/* Somebody whom the match `any`, with no list, fits. */
void matches_all(struct import *im, struct matches *ret);
/* False: it would take too many. */
MUST_USE bool matches_and(struct import *im, const struct matches *a,
                          const struct matches *b, struct matches *ret);
MUST_USE bool matches_or(struct import *im, const struct matches *a,
                         const struct matches *b, struct matches *ret);
bool match_is_empty(const struct match *match);

/* A text for a match: `s` itself, or 0x and its bytes where it would be taken for a
 * pattern. `before`: that many bytes come first; `after`: anything may follow. */
const char *match_text(struct import *im, struct span s, size_t before, bool after);
/* What both patterns fit, or NULL when nothing does or it cannot be said. */
const char *match_text_and(struct import *im, const char *a, const char *b);

struct pool {
        ip4_t first, last;
        bool bootp;
        struct words only, except;
        struct place at;
        struct pool *next;
};

struct subnet {
        ip4_t network, mask;
        const char *interface, *shared_network; /* NULL: none */
        struct pool *pools, **pools_end;
        struct scope scope;
        bool bootp;
        struct place at;
        struct subnet *next;
};

struct class_entry {
        const char *name;
        struct match match;
        struct scope scope;
        struct place at;
        struct class_entry *next;
};

struct host {
        const char *name; /* as the file calls it: a comment; NULL */
        bool has_mac, is_ignored;
        struct mac mac;
        const char *client_id, *circuit_id, *uuid, *hostname; /* NULL */
        ip4_t address;
        struct scope scope;
        struct place at;
        struct host *next;
};

struct menu_item {
        const char *title, *file; /* file NULL: none */
        ip4_t server;
        uint32_t type;
        bool has_type;
        struct menu_item *next;
};

enum answer { UNSAID, NO, YES };

struct model {
        struct words interfaces;
        const char *root; /* NULL */
        bool is_proxy;
        enum answer authoritative, probe;
        uint32_t probe_msec; /* 0: unsaid */
        struct scope scope;
        struct subnet *subnets, **subnets_end;
        struct class_entry *classes, **classes_end;
        size_t n_classes;
        struct host *hosts, **hosts_end;
        size_t n_hosts;
        const char *prompt;      /* NULL */
        uint32_t prompt_seconds; /* UINT32_MAX: for ever */
        struct menu_item *menu, **menu_end;
};

void model_init(struct model *model);
struct subnet *model_subnet(struct import *im, struct place at);
struct pool *subnet_pool(struct import *im, struct subnet *subnet, struct place at);
struct host *model_host(struct import *im, struct place at);
/* The name is made one that no other class has. NULL when there are too many. */
struct class_entry *model_class(struct import *im, const char *name, struct place at);
/* A class for each match, in this order, with the same scope; their names are added to
 * `names`, which may be NULL. */
void model_classes(struct import *im, const char *name, const struct matches *matches,
                   const struct scope *scope, struct place at, struct words *names);
/* Makes it something our parser takes: pools inside their subnets, times in order, no
 * network in another; with a remark for what it changes. */
void model_settle(struct import *im);
/* Whether these are loaders that Bootjack would choose by itself. */
bool is_usual_loader(const char *filename);

void yaml_write(const struct model *model, const char *path, struct text *out);

/* ---- options by name ---- */

/*
 * Formats, one letter a field: I address; B S L unsigned and l signed numbers of 8, 16
 * and 32 bits, b and s signed ones of 8 and 16; f true or false; t text; X bytes; D
 * list of names; d one name; E another space's options; O bytes that are never text; R
 * bytes that are routes; W addresses behind a byte 1. A last A: any number of what is
 * before it.
 */
struct option_row {
        unsigned code;
        const char *name;    /* dhcpd's */
        const char *dnsmasq; /* NULL: the same, or none */
        const char *format;
        const char *known; /* its name in our configuration; NULL: by its number */
};
const struct option_row *option_by_code(unsigned code);
const struct option_row *option_by_name(const char *name);
const struct option_row *option_by_dnsmasq_name(const char *name);
/* Why this option is not set by a configuration; NULL: it can be. */
const char *option_reserved(unsigned code);

/* One field of a format, appended to `out`, which holds bytes. False: it is not one. */
MUST_USE bool option_encode(char field, const char *s, size_t n, bool is_quoted,
                            struct text *out);
bool parse_decimal(const char *s, uint64_t max, uint64_t *ret);
/* "1:2:aa" with any single separator or none; false when it is something else. */
bool parse_hex_bytes(const char *s, struct text *out);
/* 255.255.255.0 is one, 255.0.255.0 is none. */
bool is_mask(ip4_t mask);

/* ---- the readers ---- */

bool dhcpd_is_likely(const struct import_text *text);
void dhcpd_read(struct import *im, const struct import_text *text,
                const struct open_file *open);
bool dnsmasq_is_likely(const struct import_text *text);
void dnsmasq_read(struct import *im, const struct import_text *text,
                  const struct open_file *open);
