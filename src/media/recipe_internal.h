#pragma once
/*
 * A recipe as it was read; between the file that parses it and the one that applies
 * it. Strings belong to the document.
 */
#include <regex.h>

#include "conf/doc.h"
#include "media/recipe.h"

enum { RECIPE_SET_MAX = 6, RECIPE_VARIABLES_MAX = 48 };

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
        const char *subject; /* a path's template, or a variable's name */
        const char *section, *key;
        const char *starts; /* the file's first bytes */
        const char *as;
        const char *set[RECIPE_SET_MAX];
        size_t n_set;
        struct recipe_let let[RECIPE_SET_MAX];
        size_t n_let;
        regex_t regex;
        bool has_regex;
        struct recipe_conditions children;
};

struct recipe_entry {
        struct recipe_conditions when;
        const char *id, *title, *kernel, *args, *why_not, *memory_of;
        const char *initrd[MEDIUM_INITRDS_MAX];
        uint32_t n_initrd;
        uint32_t firmware; /* 0: what the architecture starts on */
        uint32_t transports;
        uint64_t memory;
};

struct recipe {
        struct doc *doc;
        const char *system;
        struct recipe_conditions match, find;
        struct recipe_entry entries[MEDIUM_ENTRIES_MAX];
        size_t n_entries;
};
