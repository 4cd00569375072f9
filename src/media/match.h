#pragma once
/*
 * A recipe being applied to a tree: between the file that asks its conditions and the
 * one that makes entries of what they found. Values and templates are as in recipe.h;
 * what is kept lives as long as the recipe_found.
 */
#include "media/recipe_internal.h"

struct match_variable {
        const char *name; /* of the recipe */
        char *value;
};

struct matching {
        const struct media_tree *tree;
        struct recipe_found *found;
        struct match_variable variables[RECIPE_VARIABLES_MAX];
        size_t n_variables;
        bool says_why; /* conditions that hold are reasons */
        bool failed;   /* without memory */
};

/* A variable's value, or "". */
const char *match_value(const struct matching *m, const char *name);
/* Drops the variables that were set since there were `n`. */
void match_forget_after(struct matching *m, size_t n);
bool match_all_hold(struct matching *m, const struct recipe_conditions *list);

void match_expand(struct matching *m, const char *template, struct text *out);
const char *match_keep(struct matching *m, const char *s);
const char *match_keep_expanded(struct matching *m, const char *template,
                                enum recipe_place place);
const char *match_keep_printable(struct matching *m, const char *s);
/* For people: one blank at a time, no "()" where a variable was empty. */
const char *match_keep_title(struct matching *m, const char *template);

/* The medium's system, loaders, entries and problems, once all that is known of it is
 * in variables. */
void match_add_entries(struct matching *m, const struct recipe *recipe);
const char *match_keep_id(struct matching *m, const char *template);
