#pragma once
/*
 * A recipe as it was read; between the file that parses it and the one that applies
 * it. Strings belong to the document.
 */
#include <regex.h>

#include "conf/doc.h"
#include "media/recipe.h"

enum {
        RECIPE_SET_MAX = 6,
        RECIPE_SUBJECTS_MAX = 12,
        RECIPE_VARIABLES_MAX = 48,
        RECIPE_ENTRIES_MAX = 32
};

enum recipe_condition_kind {
        CONDITION_ALWAYS, /* only a `let` */
        CONDITION_FILE,
        CONDITION_INI,
        CONDITION_VOLUME,
        CONDITION_KERNEL,
        CONDITION_VARIABLE,
        CONDITION_ANY,
        CONDITION_NONE,
};

struct recipe_let {
        const char *name, *value;
};

struct recipe_conditions {
        struct recipe_condition *items;
        size_t n;
};

struct recipe_condition {
        enum recipe_condition_kind kind;
        /* Templates of paths, the first that holds; or a variable's name. */
        const char *subject[RECIPE_SUBJECTS_MAX];
        size_t n_subjects;
        const char *section, *key;
        const char *starts; /* the file's first bytes */
        const char *as;
        const char *set[RECIPE_SET_MAX];
        size_t n_set;
        struct recipe_let let[RECIPE_SET_MAX];
        size_t n_let;
        regex_t regex;
        bool has_regex;
        bool is_about_path; /* the regex is for the path that was found */
        struct recipe_conditions children;
};

struct recipe_memory {
        uint64_t bytes;
        const char *of; /* a file whose size is added; NULL */
};

struct recipe_initrd {
        const char *file, *name, *args;
};

struct recipe_way {
        struct recipe_conditions when;
        uint32_t transport;
        const char *args;
        struct recipe_memory memory;
};

struct recipe_entry {
        struct recipe_conditions when;
        const char *id, *title, *help, *kernel, *args, *why_not, *remedy;
        const char *answer_kind, *answer_args;
        enum medium_boot boot;
        struct recipe_initrd initrd[MEDIUM_INITRDS_MAX];
        uint32_t n_initrd;
        struct recipe_way ways[MEDIUM_WAYS_MAX];
        uint32_t n_ways;
        uint32_t firmware; /* 0: what the architecture starts on */
        uint32_t transports;
        struct recipe_memory memory;
};

/* Templates of patterns; where both are NULL the medium is searched as usual. */
struct recipe_loader {
        const char *shim, *grub;
};

struct recipe_problem {
        struct recipe_conditions when;
        const char *say;
};

struct recipe {
        struct doc *doc;
        const char *system;
        /* Of the medium's own menu; NULL: it is not read. */
        const char *own_id, *own_title, *own_why_not;
        struct recipe_conditions match, find;
        struct recipe_entry entries[RECIPE_ENTRIES_MAX];
        struct recipe_loader loaders[MEDIUM_N_FIRMWARE];
        struct recipe_problem problems[MEDIUM_TEXTS_MAX];
        size_t n_entries, n_problems;
};

/* ---- between the files that parse ---- */

struct recipe_parser {
        const char *name; /* for messages */
        struct text *problems;
        struct recipe *recipe;
        const char *variables[RECIPE_VARIABLES_MAX];
        size_t n_variables;
};

/* Where a template stands; of what the menu fills in, each place takes its own. */
enum recipe_place { RECIPE_PLAIN, RECIPE_ARGS, RECIPE_ANSWER, RECIPE_SERVED_PATH };

bool recipe_menu_fills(enum recipe_place place, const char *name, size_t n);

/* All of these: 0, RECIPE_REFUSED with a line in problems, -ENOMEM. */
MUST_USE int recipe_refuse(struct recipe_parser *p, const struct doc_node *at,
                           const char *what, const char *word);
MUST_USE int recipe_check_keys(struct recipe_parser *p, const struct doc_node *map,
                               const char *const *keys);
MUST_USE int recipe_get_text(struct recipe_parser *p, const struct doc_node *map,
                             const char *key, const char **ret);
MUST_USE int recipe_get_template(struct recipe_parser *p, const struct doc_node *map,
                                 const char *key, enum recipe_place place,
                                 const char **ret);
MUST_USE int recipe_check_template(struct recipe_parser *p, const struct doc_node *node,
                                   enum recipe_place place);
typedef int (*recipe_item_fn)(struct recipe_parser *p, const struct doc_node *item,
                              void *userdata);
/* One text, or a list of texts. */
MUST_USE int recipe_each_text(struct recipe_parser *p, const struct doc_node *map,
                              const char *key, recipe_item_fn fn, void *userdata);
MUST_USE int recipe_parse_conditions(struct recipe_parser *p,
                                     const struct doc_node *list,
                                     struct recipe_conditions *ret);
void recipe_conditions_done(struct recipe_conditions *conditions);

MUST_USE int recipe_parse_entries(struct recipe_parser *p, const struct doc_node *list);
MUST_USE int recipe_parse_loaders(struct recipe_parser *p, const struct doc_node *map);
MUST_USE int recipe_parse_problems(struct recipe_parser *p,
                                   const struct doc_node *list);
void recipe_entries_done(struct recipe *recipe);
