#pragma once
/*
 * Recipes: what a system is recognised by and how it is booted, as data. One YAML file
 * may hold several; the first that fits a medium is taken. doc/recipes.md tells how to
 * write one.
 */
#include "conf/doc.h"
#include "media/media.h"
#include "media/tree.h"

/* Appends the recipes of one file; what is wrong with them goes to `problems`. */
MUST_USE int media_recipes_add(struct media_recipes *recipes, const char *name,
                               const char *text, size_t n, struct text *problems);
MUST_USE int media_recipes_new(struct media_recipes **ret);

/* Strings that live as long as it does. */
struct media_strings {
        char **items;
        size_t n, room;
        bool failed;
};
void media_strings_done(struct media_strings *strings);
const char *media_strings_add(struct media_strings *strings, const char *s, size_t n);

/* Fills system, version, edition, arch, recognised_by, problems and entries of `ret`;
 * texts go to `strings`. "unknown" when none fits. */
void media_recipes_apply(const struct media_recipes *recipes,
                         const struct media_tree *tree, struct media_strings *strings,
                         struct medium *ret);
