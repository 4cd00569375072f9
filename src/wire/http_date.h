#pragma once
/* The dates of HTTP: RFC 9110 5.6.7. */
#include "base/text.h"

/* IMF-fixdate: "Sun, 06 Nov 1994 08:49:37 GMT". `seconds` since 1970. */
void http_date_build(uint64_t seconds, struct text *out);
/* "06/Nov/1994:08:49:37 +0000", as access logs have it. */
void http_date_log(uint64_t seconds, struct text *out);
/* All three forms that a recipient must accept. A two-digit year is the one at most
 * fifty years ahead of `now`. False (and *ret untouched) on anything else. */
MUST_USE bool http_date_parse(struct span value, uint64_t now, uint64_t *ret);
