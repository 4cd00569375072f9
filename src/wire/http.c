/*
 * Parsing a request in three passes over at most 8 KiB: the bytes (no stray line ends,
 * no control characters), the lines, then what the fields mean together.
 *
 * RFC 9112 lets a server be lenient with bare LF, folded fields, spaces before the
 * colon and repeated lengths. Each of these has been a way to make a proxy and a server
 * disagree about where a request ends, and no boot loader needs them: all are refused.
 * Bodies mean nothing to a server of files: has_body says that one follows, and the
 * caller answers and then closes instead of looking for its end.
 */
#include "wire/http.h"

static bool is_token_char(uint8_t c) {
        if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
                return true;
        return c != '\0' && strchr("!#$%&'*+-.^_`|~", c);
}

static bool is_token(struct span s) {
        for (size_t i = 0; i < s.n; i++)
                if (!is_token_char(s.data[i]))
                        return false;
        return s.n > 0;
}

static uint8_t lower(uint8_t c) {
        return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

static bool is_word(struct span s, const char *word) {
        if (s.n != strlen(word))
                return false;
        for (size_t i = 0; i < s.n; i++)
                if (lower(s.data[i]) != (uint8_t)word[i])
                        return false;
        return true;
}

static bool starts_with(struct span s, const char *word) {
        size_t n = strlen(word);

        return s.n >= n && is_word((struct span){ s.data, n }, word);
}

static struct span after(struct span s, size_t n) {
        return n ? (struct span){ s.data + n, s.n - n } : s;
}

static struct span trimmed(struct span s) {
        while (s.n && (*s.data == ' ' || *s.data == '\t'))
                s = after(s, 1);
        while (s.n && (s.data[s.n - 1] == ' ' || s.data[s.n - 1] == '\t'))
                s.n--;
        return s;
}

static size_t index_of(struct span s, uint8_t c) {
        const uint8_t *at = s.n ? memchr(s.data, c, s.n) : NULL;
        return at ? (size_t)(at - s.data) : s.n;
}

/* The next element of a comma-separated list; false at the end. */
static bool next_element(struct span *list, struct span *ret) {
        size_t n;

        if (list->n == 0)
                return false;
        n = index_of(*list, ',');
        *ret = trimmed((struct span){ list->data, n });
        *list = after(*list, n < list->n ? n + 1 : n);
        return true;
}

static bool parse_number(struct span s, uint64_t *ret) {
        uint64_t v = 0;

        for (size_t i = 0; i < s.n; i++) {
                unsigned digit = s.data[i] - (unsigned)'0';

                if (digit > 9)
                        return false;
                /* A number past 2^64 is past every file: it stays the largest. */
                v = v > (UINT64_MAX - digit) / 10 ? UINT64_MAX : v * 10 + digit;
        }
        *ret = v;
        return s.n > 0;
}

/* The end of the head, after its empty line, or why there is none yet. */
static enum http_verdict find_end(struct span s, size_t *ret) {
        for (size_t i = 0; i < s.n; i++) {
                uint8_t c = s.data[i];

                if (c >= ' ' && c != 0x7f)
                        continue;
                if (c == '\t')
                        continue;
                if (c == '\n' && (i == 0 || s.data[i - 1] != '\r'))
                        return HTTP_BARE_LINE_END;
                if (c == '\r' && i + 1 < s.n && s.data[i + 1] != '\n')
                        return HTTP_BARE_LINE_END;
                if (c != '\r' && c != '\n')
                        return HTTP_CONTROL;
                if (c == '\n' && i >= 3 && s.data[i - 2] == '\n') {
                        *ret = i + 1;
                        return HTTP_OK;
                }
        }
        return s.n >= HTTP_REQUEST_HEAD_MAX ? HTTP_TOO_LONG : HTTP_MORE;
}

static struct span take_line(struct span *s) {
        size_t n = index_of(*s, '\r');
        struct span line = { s->data, n };

        *s = after(*s, n + 2 <= s->n ? n + 2 : s->n);
        return line;
}

static enum http_verdict parse_version(struct span s, unsigned *ret) {
        if (s.n != 8 || memcmp(s.data, "HTTP/", 5) != 0 || s.data[6] != '.')
                return HTTP_BAD_LINE;
        if (s.data[5] < '0' || s.data[5] > '9' || s.data[7] < '0' || s.data[7] > '9')
                return HTTP_BAD_LINE;
        if (s.data[5] != '1')
                return HTTP_BAD_VERSION;
        /* RFC 9110 2.5: a later minor version is answered as the one we know. */
        *ret = s.data[7] > '0';
        return HTTP_OK;
}

/* RFC 9112 3.2: origin-form, or absolute-form, whose authority is not ours to judge. */
static enum http_verdict parse_target(struct http_request *r, struct span s) {
        if (index_of(s, '#') < s.n)
                return HTTP_BAD_TARGET;
        if (starts_with(s, "http://") || starts_with(s, "https://")) {
                s = after(s, index_of(s, '/') + 2);
                s = after(s, min_size(index_of(s, '/'), index_of(s, '?')));
        } else if (s.n == 0 || *s.data != '/') {
                /* "*" and an authority belong to methods that get 405. */
                return r->method >= HTTP_METHOD_OTHER ? HTTP_OK : HTTP_BAD_TARGET;
        }
        r->target = (struct span){ s.data, index_of(s, '?') };
        if (r->target.n < s.n)
                r->query = after(s, r->target.n + 1);
        return HTTP_OK;
}

/* RFC 9110 9.1: names of methods are case-sensitive. */
static enum http_method method_of(struct span s) {
        static const char *const names[] = { "GET",     "HEAD",   "POST",
                                             "PUT",     "DELETE", "CONNECT",
                                             "OPTIONS", "TRACE",  "PATCH" };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (s.n == strlen(names[i]) && memcmp(s.data, names[i], s.n) == 0)
                        return (enum http_method)min_size(i, HTTP_METHOD_OTHER);
        return HTTP_METHOD_UNKNOWN;
}

static enum http_verdict parse_line(struct http_request *r) {
        size_t n_method = index_of(r->line, ' '), n_target;
        struct span rest;
        enum http_verdict verdict;

        r->method_text = (struct span){ r->line.data, n_method };
        if (n_method == r->line.n || !is_token(r->method_text))
                return HTTP_BAD_LINE;
        rest = after(r->line, n_method + 1);
        n_target = index_of(rest, ' ');
        if (n_target == rest.n || n_target == 0 || index_of(rest, '\t') < rest.n)
                return HTTP_BAD_LINE;
        verdict = parse_version(after(rest, n_target + 1), &r->minor);
        if (verdict != HTTP_OK)
                return verdict;
        r->method = method_of(r->method_text);
        return parse_target(r, (struct span){ rest.data, n_target });
}

/* Fields that decide where a message ends or whom it is for: at most once. */
struct framing {
        bool has_host, has_length, has_coding, closes, keeps;
        uint64_t length;
};

static void read_connection(struct framing *f, struct span value) {
        for (struct span element; next_element(&value, &element);) {
                f->closes |= is_word(element, "close");
                f->keeps |= is_word(element, "keep-alive");
        }
}

static enum http_verdict read_framing(struct framing *f, struct http_request *r,
                                      struct span name, struct span value) {
        bool *has = is_word(name, "host")                ? &f->has_host
                    : is_word(name, "content-length")    ? &f->has_length
                    : is_word(name, "transfer-encoding") ? &f->has_coding
                                                         : NULL;

        if (!has)
                return HTTP_OK;
        if (*has)
                return HTTP_REPEATED;
        *has = true;
        if (has == &f->has_host)
                r->host = value;
        else if (has == &f->has_length && !parse_number(value, &f->length))
                return HTTP_BAD_LENGTH;
        else if (has == &f->has_coding && !is_word(value, "chunked"))
                return HTTP_UNKNOWN_CODING;
        return HTTP_OK;
}

static void read_field(struct framing *f, struct http_request *r, struct span name,
                       struct span value) {
        const struct {
                const char *name;
                struct span *place;
        } places[] = {
                { "user-agent", &r->user_agent },
                { "referer", &r->referer },
                { "range", &r->range },
                { "if-range", &r->if_range },
                { "if-match", &r->if_match },
                { "if-none-match", &r->if_none_match },
                { "if-modified-since", &r->if_modified_since },
                { "if-unmodified-since", &r->if_unmodified_since },
        };

        if (is_word(name, "connection"))
                read_connection(f, value);
        for (size_t i = 0; i < ARRAY_SIZE(places); i++)
                if (is_word(name, places[i].name) && places[i].place->n == 0)
                        *places[i].place = value;
}

static enum http_verdict parse_fields(struct http_request *r, struct framing *f,
                                      struct span fields) {
        while (fields.n > 2) {
                struct span line = take_line(&fields), name, value;
                size_t n_name = index_of(line, ':');
                enum http_verdict verdict;

                /* RFC 9112 5.1, 5.2: no space before the colon, no folded lines; both
                 * make the name no token. */
                name = (struct span){ line.data, n_name };
                if (n_name == line.n || !is_token(name))
                        return HTTP_BAD_FIELD;
                value = trimmed(after(line, n_name + 1));
                verdict = read_framing(f, r, name, value);
                if (verdict != HTTP_OK)
                        return verdict;
                read_field(f, r, name, value);
        }
        return HTTP_OK;
}

static enum http_verdict check_framing(struct http_request *r,
                                       const struct framing *f) {
        /* RFC 9112 3.2: a request of 1.1 without Host is a bad one. */
        if (r->minor > 0 && !f->has_host)
                return HTTP_NO_HOST;
        /* RFC 9112 6.1: the classic of smuggling. */
        if (f->has_coding && (f->has_length || r->minor == 0))
                return HTTP_TWO_LENGTHS;
        r->has_body = f->has_coding || f->length > 0;
        /* RFC 9112 9.3 */
        r->keep_alive = !f->closes && (r->minor > 0 || f->keeps);
        return HTTP_OK;
}

static enum http_verdict parse_head(struct http_request *r, struct span head) {
        struct framing f = { 0 };
        enum http_verdict verdict = parse_line(r);

        if (verdict == HTTP_OK)
                verdict = parse_fields(r, &f, head);
        return verdict == HTTP_OK ? check_framing(r, &f) : verdict;
}

enum http_verdict http_parse_request(const void *data, size_t n,
                                     struct http_request *ret, size_t *ret_n) {
        struct span head = { data, min_size(n, HTTP_REQUEST_HEAD_MAX) };
        struct http_request r = { 0 };
        enum http_verdict verdict;
        size_t n_empty = 0, n_head = 0;

        /* RFC 9112 2.2: an empty line before a request is somebody's old mistake. */
        while (head.n - n_empty >= 2 && memcmp(head.data + n_empty, "\r\n", 2) == 0)
                n_empty += 2;
        head = after(head, n_empty);
        verdict = find_end(head, &n_head);
        if (verdict == HTTP_MORE && n >= HTTP_REQUEST_HEAD_MAX)
                verdict = HTTP_TOO_LONG;
        if (verdict == HTTP_OK)
                head.n = n_head;
        r.line = take_line(&head);
        /* RFC 9110 15.5.15: the path is what is too long. */
        if (verdict == HTTP_TOO_LONG && head.n == 0)
                verdict = HTTP_LINE_TOO_LONG;
        if (verdict == HTTP_OK)
                verdict = parse_head(&r, head);
        if (verdict != HTTP_OK) {
                ret->line = r.line;
                return verdict;
        }
        *ret = r;
        *ret_n = n_empty + n_head;
        return HTTP_OK;
}

unsigned http_verdict_status(enum http_verdict verdict) {
        switch (verdict) {
        case HTTP_TOO_LONG:
                return 431;
        case HTTP_LINE_TOO_LONG:
                return 414;
        case HTTP_BAD_VERSION:
                return 505;
        case HTTP_UNKNOWN_CODING:
                return 501;
        default:
                return 400;
        }
}

const char *http_verdict_text(enum http_verdict verdict) {
        static const char *const texts[] = {
                [HTTP_OK] = "the request is good",
                [HTTP_MORE] = "the request has not ended",
                [HTTP_TOO_LONG] = "the request's head is longer than 8 KiB",
                [HTTP_LINE_TOO_LONG] = "the request's first line is longer than 8 KiB",
                [HTTP_BARE_LINE_END] = "a line ends without CR LF",
                [HTTP_CONTROL] = "the request holds control characters",
                [HTTP_BAD_LINE] = "the first line is not METHOD PATH HTTP/1.1",
                [HTTP_BAD_VERSION] = "only HTTP/1.0 and HTTP/1.1 are spoken here",
                [HTTP_BAD_TARGET] = "the request's target is not a path",
                [HTTP_BAD_FIELD] = "a field is not NAME: VALUE on one line",
                [HTTP_REPEATED] = "a field that may come once comes twice",
                [HTTP_NO_HOST] = "the request has no Host",
                [HTTP_BAD_LENGTH] = "Content-Length is not a number",
                [HTTP_TWO_LENGTHS] = "the request's length is ambiguous",
                [HTTP_UNKNOWN_CODING] = "the body's transfer coding is not known here",
        };
        return (size_t)verdict < ARRAY_SIZE(texts) ? texts[verdict] : texts[HTTP_MORE];
}

static int hex_digit(uint8_t c) {
        c = lower(c);
        return c >= '0' && c <= '9'   ? c - '0'
               : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                      : -1;
}

bool http_decode(struct span encoded, char *out, size_t room, size_t *ret_n) {
        size_t n = 0;

        for (size_t i = 0; i < encoded.n; i++, n++) {
                if (n == room)
                        return false;
                out[n] = (char)encoded.data[i];
                if (encoded.data[i] != '%')
                        continue;
                if (encoded.n - i < 3 || hex_digit(encoded.data[i + 1]) < 0 ||
                    hex_digit(encoded.data[i + 2]) < 0)
                        return false;
                out[n] = (char)(hex_digit(encoded.data[i + 1]) << 4 |
                                hex_digit(encoded.data[i + 2]));
                i += 2;
        }
        *ret_n = n;
        return true;
}

/* One of "2-5", "2-" and "-3"; WHOLE: it is none of them. */
static enum http_range parse_piece(struct span value, uint64_t size,
                                   struct http_piece *ret) {
        size_t dash = index_of(value, '-');
        struct span first_text = { value.data, dash }, last_text;
        uint64_t first = 0, last = UINT64_MAX;

        if (dash == value.n)
                return HTTP_RANGE_WHOLE;
        last_text = after(value, dash + 1);
        if ((first_text.n && !parse_number(first_text, &first)) ||
            (last_text.n && !parse_number(last_text, &last)) ||
            (!first_text.n && !last_text.n))
                return HTTP_RANGE_WHOLE;
        if (!first_text.n) { /* the last so many bytes */
                if (last == 0 || size == 0)
                        return HTTP_RANGE_OUTSIDE;
                ret->n = min_u64(last, size);
                ret->first = size - ret->n;
                return HTTP_RANGE_PART;
        }
        if (last < first)
                return HTTP_RANGE_WHOLE;
        if (first >= size)
                return HTTP_RANGE_OUTSIDE;
        ret->first = first;
        ret->n = min_u64(last, size - 1) - first + 1;
        return HTTP_RANGE_PART;
}

enum http_range http_parse_ranges(struct span value, uint64_t size,
                                  struct http_piece ret[static HTTP_PIECES_MAX],
                                  size_t *ret_n) {
        uint64_t total = 0;
        size_t n = 0;
        bool is_any_outside = false;

        if (!starts_with(value, "bytes="))
                return HTTP_RANGE_WHOLE;
        value = after(value, 6);
        for (struct span element; next_element(&value, &element);) {
                struct http_piece piece = { 0 };
                enum http_range range;

                if (element.n == 0)
                        continue;
                range = parse_piece(element, size, &piece);
                /* RFC 9110 14.2: a server may ignore ranges. Many small ones, or ones
                 * that overlap, are a known way to make one megabyte cost a gigabyte
                 * (CVE-2011-3192): they get the whole, once. */
                if (range == HTTP_RANGE_WHOLE || n == HTTP_PIECES_MAX ||
                    piece.n > size - total)
                        return HTTP_RANGE_WHOLE;
                is_any_outside |= range == HTTP_RANGE_OUTSIDE;
                total += piece.n;
                if (range == HTTP_RANGE_PART)
                        ret[n++] = piece;
        }
        if (n == 0)
                return is_any_outside ? HTTP_RANGE_OUTSIDE : HTTP_RANGE_WHOLE;
        *ret_n = n;
        return HTTP_RANGE_PART;
}

bool http_etag_is_in(struct span list, const char *etag, bool is_strong) {
        for (struct span element; next_element(&list, &element);) {
                if (is_word(element, "*"))
                        return true;
                if (!is_strong && element.n > 2 && memcmp(element.data, "W/", 2) == 0)
                        element = after(element, 2);
                if (element.n == strlen(etag) &&
                    memcmp(element.data, etag, element.n) == 0)
                        return true;
        }
        return false;
}

const char *http_content_type(const char *path) {
        static const struct {
                const char *ending, *type;
        } rows[] = {
                /* UEFI 2.10 24.7: HTTP Boot knows an image by these. */
                { ".efi", "application/efi" },
                { ".iso", "application/vnd.efi-iso" },
                { ".img", "application/vnd.efi-img" },
                { ".html", "text/html; charset=utf-8" },
                { ".htm", "text/html; charset=utf-8" },
                { ".txt", "text/plain; charset=utf-8" },
                { ".cfg", "text/plain; charset=utf-8" },
                { ".ipxe", "text/plain; charset=utf-8" },
                { ".ks", "text/plain; charset=utf-8" },
                { ".sh", "text/plain; charset=utf-8" },
                { ".css", "text/css" },
                { ".js", "text/javascript" },
                { ".json", "application/json" },
                { ".xml", "application/xml" },
                { ".svg", "image/svg+xml" },
                { ".png", "image/png" },
                { ".jpg", "image/jpeg" },
                { ".gz", "application/gzip" },
                { ".xz", "application/x-xz" },
                { ".zst", "application/zstd" },
                { ".zip", "application/zip" },
                { ".deb", "application/vnd.debian.binary-package" },
                { ".rpm", "application/x-rpm" },
                { ".cer", "application/pkix-cert" },
                { ".pem", "application/x-pem-file" },
                { ".pdf", "application/pdf" },
        };
        struct span s = { (const uint8_t *)path, strlen(path) };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                size_t n = strlen(rows[i].ending);

                if (s.n > n && is_word(after(s, s.n - n), rows[i].ending))
                        return rows[i].type;
        }
        return "application/octet-stream";
}

const char *http_status_text(unsigned status) {
        static const struct {
                unsigned status;
                const char *text;
        } rows[] = {
                { 200, "OK" },
                { 206, "Partial Content" },
                { 301, "Moved Permanently" },
                { 304, "Not Modified" },
                { 400, "Bad Request" },
                { 403, "Forbidden" },
                { 404, "Not Found" },
                { 405, "Method Not Allowed" },
                { 408, "Request Timeout" },
                { 412, "Precondition Failed" },
                { 414, "URI Too Long" },
                { 416, "Range Not Satisfiable" },
                { 431, "Request Header Fields Too Large" },
                { 500, "Internal Server Error" },
                { 501, "Not Implemented" },
                { 503, "Service Unavailable" },
                { 504, "Gateway Timeout" },
                { 505, "HTTP Version Not Supported" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                if (rows[i].status == status)
                        return rows[i].text;
        return "Error";
}
