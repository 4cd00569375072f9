#pragma once
/*
 * What a file server reads of HTTP/1.1: RFC 9110 (semantics), RFC 9112 (messages).
 * Strict where two readings of one message could differ, because a proxy in between
 * may take the other one (request smuggling). Spans point into the caller's bytes.
 */
#include "base/cursor.h"

enum { HTTP_REQUEST_HEAD_MAX = 8192 };

enum http_method {
        HTTP_METHOD_GET,
        HTTP_METHOD_HEAD,
        HTTP_METHOD_OTHER, /* of RFC 9110 or 5789 */
        HTTP_METHOD_UNKNOWN,
};

enum http_verdict {
        HTTP_OK,
        HTTP_MORE, /* so far so good; the head has not ended */
        HTTP_TOO_LONG,
        HTTP_LINE_TOO_LONG, /* the first line alone */
        HTTP_BARE_LINE_END, /* CR or LF alone */
        HTTP_CONTROL,       /* another control character */
        HTTP_BAD_LINE,      /* not METHOD SP TARGET SP HTTP/n.n */
        HTTP_BAD_VERSION,
        HTTP_BAD_TARGET,
        HTTP_BAD_FIELD, /* not NAME ":" VALUE, or folded */
        HTTP_REPEATED,  /* Host, Content-Length or Transfer-Encoding twice */
        HTTP_NO_HOST,
        HTTP_BAD_LENGTH,
        HTTP_TWO_LENGTHS, /* Content-Length with Transfer-Encoding, or that in 1.0 */
        HTTP_UNKNOWN_CODING,
};

struct http_request {
        struct span line, method_text;
        enum http_method method;
        unsigned minor;     /* 0 or 1 */
        struct span target; /* the path, as sent: no authority, no query */
        struct span query;  /* what follows the '?' */
        struct span host, user_agent, referer;
        /* Absent ones are empty. */
        struct span range, if_range, if_match, if_none_match, if_modified_since,
                if_unmodified_since;
        bool keep_alive;
        bool has_body; /* bytes follow that belong to this request */
};

/* One request's head at the start of `data`. On HTTP_OK *ret_n is its length; on
 * anything else *ret and *ret_n are untouched, but ret->line is the first line as far
 * as it goes, for the log. */
enum http_verdict http_parse_request(const void *data, size_t n,
                                     struct http_request *ret, size_t *ret_n);
/* The status that answers a bad request: 400, 414, 431, 501 or 505. */
unsigned http_verdict_status(enum http_verdict verdict);
const char *http_verdict_text(enum http_verdict verdict);

/* Percent-decodes once; false when a '%' has no two digits or it does not fit. */
MUST_USE bool http_decode(struct span encoded, char *out, size_t room, size_t *ret_n);

enum http_range {
        HTTP_RANGE_WHOLE, /* absent, not in bytes, senseless, or more than it is worth
                           */
        HTTP_RANGE_PART,
        HTTP_RANGE_OUTSIDE, /* RFC 9110 15.5.17: 416 */
};
struct http_piece {
        uint64_t first, n;
};
enum { HTTP_PIECES_MAX = 8 };
/* RFC 9110 14.1.2, 14.2: for PART 1 to HTTP_PIECES_MAX pieces in the order asked for,
 * not longer together than the whole; `ret` may be written to for another answer too.
 */
enum http_range http_parse_ranges(struct span value, uint64_t size,
                                  struct http_piece ret[static HTTP_PIECES_MAX],
                                  size_t *ret_n);

/* RFC 9110 13.1.1, 13.1.2: whether a list ("*" or tags) names `etag`, which is quoted.
 * A strong comparison takes no weak tag. */
bool http_etag_is_in(struct span list, const char *etag, bool is_strong);

/* By the name's ending; what a loader or UEFI (HTTP Boot) looks at. */
const char *http_content_type(const char *path);
const char *http_status_text(unsigned status);
