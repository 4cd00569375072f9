#pragma once
/*
 * Private to this folder: the tables of options and types, and what a reader of a value
 * works with.
 */
#include "conf/conf.h"
#include "conf/doc.h"

struct block;

struct parser {
        struct conf_problems *problems;
        const char *text; /* of the file, for showing a line of it */
        size_t n_text;
        struct block **blocks; /* everything the snapshot points to */
        bool is_out_of_memory;
};

struct option;

/* Reads one kind of value. `at` is where it goes; on a problem it stays as it is. */
struct type {
        const char *name; /* for people: "an address", "a list of paths" */
        const char *json; /* one word: text, list, port, ... */
        void (*read)(struct parser *p, const struct doc_node *node,
                     const struct option *option, void *at);
        bool (*is_equal)(const struct option *option, const void *a, const void *b);
};

/* One key. The parser, `bootjack check`, the manual and reload all follow from it. */
struct option {
        const char *key;
        const struct type *type;
        const char *fallback; /* the default, as one would write it */
        const char *help;
        size_t offset; /* in the struct that the map is read into */
        unsigned diff;
        const struct option
                *keys;    /* of a map, or of each map of a list; NULL key ends */
        size_t item_size; /* of a list of maps */
        /* Looks at an item as a whole. */
        void (*check)(struct parser *p, const struct doc_node *node, void *item);
        const char *least, *most; /* of a duration, as one would write it; NULL */
};

extern const struct option conf_options[];

/* What single values cannot show: single subnets, classes and hosts, and then all of
 * the map `dhcp` (NULL: the file has none) with what was read from it. */
void check_subnet(struct parser *p, const struct doc_node *node, void *item);
void check_class(struct parser *p, const struct doc_node *node, void *item);
void check_host(struct parser *p, const struct doc_node *node, void *item);
void check_dhcp(struct parser *p, const struct doc_node *dhcp, struct conf *conf);
/* The classes that `machines` names are there. */
void check_classes(struct parser *p, const struct doc_node *machines,
                   const struct conf *conf);

/* A problem with the place of `node` (NULL: none). Texts up to a NULL are joined. */
void problem(struct parser *p, const struct doc_node *node, const char *first, ...)
        __attribute__((sentinel));
void warning(struct parser *p, const struct doc_node *node, const char *first, ...)
        __attribute__((sentinel));

/* Zeroed memory that lives as long as the snapshot; NULL is remembered. */
void *parser_alloc(struct parser *p, size_t n);
char *parser_copy(struct parser *p, const char *s);

/* The keys of a map into `at`. */
void read_keys(struct parser *p, const struct doc_node *map, const struct option *keys,
               void *at);
void apply_defaults(struct parser *p, const struct option *keys, void *at);
bool keys_are_equal(const struct option *keys, const void *a, const void *b);

/* Text to value; false (and *ret untouched) when it is not one. */
/* At least a millisecond or 0; at the most what 32 bits of seconds hold. */
bool parse_duration(const char *s, nsec_t *ret);
bool parse_range(const char *s, struct scope_pool *ret);
bool parse_network(const char *s, ip4_t *ret_network, ip4_t *ret_mask,
                   bool *ret_has_host_bits);

/* For the readers of lists: a single value may stand for a list of one, and NULL for
 * none. */
size_t list_count(const struct doc_node *node);
const struct doc_node *list_item(const struct doc_node *node, size_t i);
bool want_text(struct parser *p, const struct doc_node *node,
               const struct option *option);
void refuse_value(struct parser *p, const struct doc_node *node,
                  const struct option *option, const char *example);
bool parse_number(const char *s, uint64_t max, uint64_t *ret);
void read_text(struct parser *p, const struct doc_node *node,
               const struct option *option, void *at);
bool text_equal(const struct option *option, const void *a, const void *b);

extern const struct type type_text, type_path, type_paths, type_names, type_bool,
        type_port, type_ports, type_count, type_limit, type_log_format, type_workers,
        type_blksize, type_passwords, type_lock, type_duration, type_time, type_u16,
        type_interface, type_address, type_mac, type_network, type_mode, type_when,
        type_dhcp_options, type_serial, type_map, type_maps, type_later, type_filename,
        type_server_name, type_url_path, type_pools, type_globs, type_archs,
        type_prefixes, type_networks, type_bytes, type_uuid, type_loader, type_secure,
        type_size;
