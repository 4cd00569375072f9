#pragma once
/* Private to `bootjack media`: one medium, from its JSON, as text for people. */
#include <jansson.h>

#include "cli/options.h"
#include "media/index.h"

/* A heading, what it is, every entry, and every problem. */
void media_show(const json_t *medium, struct text *out);

/* `media inspect PATH`: reads the medium itself; no server is asked. An exit code. */
int media_inspect_path(const char *path, bool json, bool files);

/* Every file, folder and link of an image: lines for people, or a member "files" of the
 * JSON object that `out` is in the middle of. */
void media_files_add(const struct media_index *index, bool json, struct text *out);
