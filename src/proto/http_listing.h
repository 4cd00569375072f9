#pragma once
/*
 * A folder as an HTML page. Names are strangers' data: they are escaped for HTML where
 * they are shown and percent-encoded where they are links.
 */
#include "base/text.h"

void http_listing_begin(struct text *out, const char *path); /* clean; "": the top */
void http_listing_entry(struct text *out, const char *name, bool is_folder,
                        uint64_t size, nsec_t mtime); /* mtime 0: not known */
/* `n_most`: the folder has more than these names; 0: it has not. */
void http_listing_end(struct text *out, size_t n_most);

void http_escape_html(struct text *out, const char *s);
/* A path as part of a URL: everything but unreserved characters and '/' is encoded. */
void http_escape_path(struct text *out, const char *s);
