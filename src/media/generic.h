#pragma once
/*
 * The last that is asked about a medium, after all recipes: the menus that it brings
 * for its own loaders, and where there are none, whether the whole image can be
 * started. The system stays "unknown"; each entry's help says which of the two it is.
 *
 * A recipe that knows a medium by name and no better way to boot it asks for the same.
 */
#include "media/recipe.h"

/* 1 with entries, 0 with none; then *ret is to be dropped all the same. -ENOMEM. */
MUST_USE int generic_match(const struct media_tree *tree, const char *volume,
                           struct recipe_found *ret);
/* The same entries for a medium that is known: their ids begin with `id`, their titles
 * with `title`; with a `why_not` none that needs its medium boots. -ENOMEM. */
MUST_USE int generic_add(const struct media_tree *tree, const char *volume,
                         const char *id, const char *title, const char *why_not,
                         struct recipe_found *found);
