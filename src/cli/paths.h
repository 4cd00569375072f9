#pragma once
/* Where our own data files are. May block on the disk. */
#include "base/text.h"

/* The folder of recipes, beside the program as in a build, or below its prefix. False
 * when neither is there; `ret` is then the last place that was looked at. */
MUST_USE bool cli_recipes_folder(struct text *ret);
