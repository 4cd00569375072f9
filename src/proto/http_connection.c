/*
 * Reading -> lookup -> sending -> answered, and round again while the connection is
 * kept. One buffer holds the head of the current request and what was pipelined after
 * it; the request's spans stay good until http_connection_logged() moves the rest down,
 * so the log can quote it.
 *
 * After a request that may be misread, or that has a body, nothing behind it can be
 * trusted: the answer says "Connection: close" and what still comes is thrown away.
 * That is read for a short while, not cut off, because a reset would take the answer
 * from the client's hands (RFC 9112 9.6).
 */
#include "proto/http_connection.h"

#include "proto/http_listing.h"
#include "wire/http_date.h"

const struct http_deadlines http_deadlines_default = {
        .head = 15 * NSEC_PER_SEC,
        .idle = 60 * NSEC_PER_SEC,
        .stall = 60 * NSEC_PER_SEC,
};

static const nsec_t linger_time = 2 * NSEC_PER_SEC;
enum { ETAG_TEXT_MAX = 19, LOGGED_MAX = 1000, HEAD_USUAL = 400 };

static nsec_t later(nsec_t now, nsec_t wait) {
        return now > NSEC_NEVER - wait ? NSEC_NEVER : now + wait;
}

void http_connection_init(struct http_connection *ret, nsec_t now) {
        memset(ret, 0, offsetof(struct http_connection, path) + 1);
        ret->deadlines = &http_deadlines_default;
        ret->deadline = later(now, http_deadlines_default.idle);
}

void http_connection_done(struct http_connection *c) {
        text_done(&c->out);
        c->state = HTTP_STATE_CLOSED;
}

void http_connection_fail(struct http_connection *c) {
        c->state = HTTP_STATE_CLOSED;
}

size_t http_connection_room(const struct http_connection *c) {
        if (c->at_eof)
                return 0;
        if (c->state == HTTP_STATE_LINGER)
                return sizeof(c->head);
        return c->state == HTTP_STATE_READING ? sizeof(c->head) - c->n_head : 0;
}

bool http_connection_is_idle(const struct http_connection *c) {
        return c->state == HTTP_STATE_LINGER ||
               (c->state == HTTP_STATE_READING && c->n_head == 0);
}

static void format_etag(uint64_t etag, char out[static ETAG_TEXT_MAX]) {
        static const char hex[] = "0123456789abcdef";

        out[0] = '"';
        for (size_t i = 0; i < 16; i++)
                out[1 + i] = hex[etag >> (60 - 4 * i) & 15];
        out[17] = '"';
        out[18] = '\0';
}

static inline void add_field(struct http_connection *c, const char *name,
                             const char *value) {
        text_add(&c->out, name);
        text_add(&c->out, ": ");
        text_add(&c->out, value);
        text_add(&c->out, "\r\n");
}

static inline void add_date(struct http_connection *c, const char *name, nsec_t time) {
        text_add(&c->out, name);
        text_add(&c->out, ": ");
        http_date_build(time / NSEC_PER_SEC, &c->out);
        text_add(&c->out, "\r\n");
}

static void add_length(struct http_connection *c, uint64_t n) {
        text_add(&c->out, "Content-Length: ");
        text_u64(&c->out, n);
        text_add(&c->out, "\r\n");
}

static void begin_answer(struct http_connection *c, unsigned status, nsec_t realtime) {
        c->status = status;
        c->out.n = 0;
        c->out_sent = 0;
        c->left = c->offset = c->body_sent = 0;
        c->n_pieces = c->next_piece = 0;
        text_reserve(&c->out, HEAD_USUAL);
        text_add(&c->out, "HTTP/1.1 ");
        text_u64(&c->out, status);
        text_char(&c->out, ' ');
        text_add(&c->out, http_status_text(status));
        text_add(&c->out, "\r\n");
        add_date(c, "Date", realtime);
        add_field(c, "Server", "Bootjack");
        if (c->will_close)
                add_field(c, "Connection", "close");
        else if (c->request.minor == 0)
                add_field(c, "Connection", "keep-alive");
}

static void end_answer(struct http_connection *c, nsec_t now) {
        text_add(&c->out, "\r\n");
        c->state = HTTP_STATE_SENDING;
        c->sending_since = now;
        c->deadline = later(now, c->deadlines->stall);
}

static void end_with_text(struct http_connection *c, const char *type, const char *text,
                          nsec_t now) {
        add_field(c, "Content-Type", type);
        add_length(c, strlen(text));
        end_answer(c, now);
        if (c->request.method != HTTP_METHOD_HEAD)
                text_add(&c->out, text);
        /* Half an answer is worse than none. */
        if (c->out.failed)
                http_connection_fail(c);
}

static void answer_refusal(struct http_connection *c, unsigned status, const char *why,
                           nsec_t now, nsec_t realtime) {
        struct text body = { 0 };

        begin_answer(c, status, realtime);
        if (status == 405) /* RFC 9110 15.5.6 */
                add_field(c, "Allow", "GET, HEAD");
        text_u64(&body, status);
        text_char(&body, ' ');
        text_add(&body, http_status_text(status));
        text_add(&body, ": ");
        text_printable(&body, why, strlen(why));
        text_char(&body, '\n');
        end_with_text(c, "text/plain; charset=utf-8", text_string(&body), now);
        text_done(&body);
}

static void refuse(struct http_connection *c, unsigned status, const char *why,
                   nsec_t now, nsec_t realtime) {
        c->why = why;
        answer_refusal(c, status, why, now, realtime);
}

static bool clean_target(struct http_connection *c, const char **ret_why) {
        char decoded[HTTP_REQUEST_HEAD_MAX];
        enum path_verdict verdict;
        size_t n;

        if (!http_decode(c->request.target, decoded, sizeof(decoded), &n)) {
                *ret_why = "the path's percent-encoding is broken";
                return false;
        }
        c->has_slash = n == 0 || decoded[n - 1] == '/' || decoded[n - 1] == '\\';
        verdict = path_clean(decoded, n, c->path);
        *ret_why = path_verdict_text(verdict);
        return verdict == PATH_OK;
}

static void begin_request(struct http_connection *c, nsec_t now, nsec_t realtime) {
        const char *why;

        c->why = NULL;
        c->will_close = !c->request.keep_alive || c->request.has_body;
        c->path[0] = '\0';
        if (c->request.method == HTTP_METHOD_OTHER) {
                refuse(c, 405, "only GET and HEAD are answered here", now, realtime);
        } else if (c->request.method == HTTP_METHOD_UNKNOWN) {
                refuse(c, 501, "this method is not known here", now, realtime);
        } else if (!clean_target(c, &why)) {
                refuse(c, 400, why, now, realtime);
        } else {
                c->state = HTTP_STATE_LOOKUP;
                c->deadline = later(now, c->deadlines->stall);
        }
}

static void refuse_bytes(struct http_connection *c, unsigned status, const char *why,
                         nsec_t now, nsec_t realtime) {
        struct span line = c->request.line;

        c->request = (struct http_request){ .line = line, .minor = 1 };
        c->n_request = c->n_head;
        c->will_close = true;
        refuse(c, status, why, now, realtime);
}

/* Looks at what is in the buffer; call when reading. */
static void read_request(struct http_connection *c, nsec_t now, nsec_t realtime) {
        enum http_verdict verdict =
                http_parse_request(c->head, c->n_head, &c->request, &c->n_request);

        if (verdict == HTTP_OK)
                begin_request(c, now, realtime);
        else if (verdict != HTTP_MORE)
                refuse_bytes(c, http_verdict_status(verdict),
                             http_verdict_text(verdict), now, realtime);
        else if (c->at_eof)
                c->state = HTTP_STATE_CLOSED;
}

void http_connection_recv(struct http_connection *c, const void *data, size_t n,
                          nsec_t now, nsec_t realtime) {
        if (c->state != HTTP_STATE_READING || n == 0)
                return;
        assert(n <= sizeof(c->head) - c->n_head);
        if (c->n_head == 0)
                c->deadline = later(now, c->deadlines->head);
        memcpy(c->head + c->n_head, data, n);
        c->n_head += n;
        read_request(c, now, realtime);
}

void http_connection_eof(struct http_connection *c) {
        c->at_eof = true;
        if (c->state == HTTP_STATE_READING || c->state == HTTP_STATE_LINGER)
                c->state = HTTP_STATE_CLOSED;
}

struct http_action http_connection_next(const struct http_connection *c) {
        struct http_action a = { .kind = HTTP_WAIT, .deadline = c->deadline };

        switch (c->state) {
        case HTTP_STATE_READING:
        case HTTP_STATE_LINGER:
                break;
        case HTTP_STATE_LOOKUP:
                a.kind = HTTP_LOOKUP;
                break;
        case HTTP_STATE_SENDING:
                a.kind = c->out_sent < c->out.n ? HTTP_SEND : HTTP_SEND_FILE;
                a.data = c->out.s + c->out_sent;
                a.is_followed = c->left > 0;
                a.offset = c->offset;
                a.n = a.kind == HTTP_SEND ? c->out.n - c->out_sent : c->left;
                break;
        case HTTP_STATE_ANSWERED:
                a.kind = HTTP_ANSWERED;
                break;
        case HTTP_STATE_SHUTDOWN:
                a.kind = HTTP_SHUTDOWN;
                break;
        case HTTP_STATE_CLOSED:
                a.kind = HTTP_CLOSE;
                break;
        }
        return a;
}

/* RFC 9110 13.2.2: the order of conditions. 0, 304 or 412. */
static unsigned check_conditions(const struct http_connection *c,
                                 const struct http_found *f, const char *etag,
                                 nsec_t realtime) {
        const struct http_request *r = &c->request;
        uint64_t mtime = f->mtime / NSEC_PER_SEC, now = realtime / NSEC_PER_SEC, date;

        if (r->if_match.n) {
                if (!http_etag_is_in(r->if_match, etag, true))
                        return 412;
        } else if (r->if_unmodified_since.n &&
                   http_date_parse(r->if_unmodified_since, now, &date) &&
                   mtime > date) {
                return 412;
        }
        if (r->if_none_match.n)
                return http_etag_is_in(r->if_none_match, etag, false) ? 304 : 0;
        if (r->if_modified_since.n &&
            http_date_parse(r->if_modified_since, now, &date) && mtime <= date)
                return 304;
        return 0;
}

/* RFC 9110 13.1.5: a range of something else than the client has is of no use to it. */
static bool range_holds(const struct http_connection *c, const struct http_found *f,
                        const char *etag, nsec_t realtime) {
        struct span value = c->request.if_range;
        uint64_t date;

        if (value.n == 0)
                return true;
        if (value.data[0] == '"')
                return http_etag_is_in(value, etag, true);
        return http_date_parse(value, realtime / NSEC_PER_SEC, &date) &&
               f->mtime / NSEC_PER_SEC == date;
}

static enum http_range choose_range(const struct http_connection *c,
                                    const struct http_found *f, const char *etag,
                                    nsec_t realtime, struct http_piece *ret,
                                    size_t *ret_n) {
        /* RFC 9110 14.2: ranges are for GET. */
        if (c->request.range.n == 0 || c->request.method != HTTP_METHOD_GET ||
            !range_holds(c, f, etag, realtime))
                return HTTP_RANGE_WHOLE;
        return http_parse_ranges(c->request.range, f->size, ret, ret_n);
}

static void add_content_range(struct text *out, struct http_piece piece,
                              uint64_t size) {
        text_add(out, "Content-Range: bytes ");
        text_u64(out, piece.first);
        text_char(out, '-');
        text_u64(out, piece.first + piece.n - 1);
        text_char(out, '/');
        text_u64(out, size);
        text_add(out, "\r\n");
}

/* What stands between the bodies of a multipart answer. The tag is as good a boundary
 * as a random one: nobody who writes a file knows it before it is written. */
static void add_boundary(const struct http_connection *c, struct text *out) {
        char etag[ETAG_TEXT_MAX];

        format_etag(c->etag, etag);
        etag[ETAG_TEXT_MAX - 2] = '\0';
        text_add(out, etag + 1);
}

/* RFC 9110 14.6: the head of a part, or what follows the last. */
static void add_part_head(const struct http_connection *c, size_t i, struct text *out) {
        text_add(out, "\r\n--");
        add_boundary(c, out);
        if (i == c->n_pieces) {
                text_add(out, "--\r\n");
                return;
        }
        text_add(out, "\r\nContent-Type: ");
        text_add(out, http_content_type(c->path));
        text_add(out, "\r\n");
        add_content_range(out, c->pieces[i], c->size);
        text_add(out, "\r\n");
}

/* The next part, or the end after the last one; false when that has been sent. */
static bool begin_part(struct http_connection *c) {
        if (c->n_pieces == 0 || c->next_piece > c->n_pieces)
                return false;
        c->out.n = c->out_sent = 0;
        add_part_head(c, c->next_piece, &c->out);
        if (c->next_piece < c->n_pieces) {
                c->offset = c->pieces[c->next_piece].first;
                c->left = c->pieces[c->next_piece].n;
        }
        c->next_piece++;
        if (c->out.failed)
                http_connection_fail(c);
        return true;
}

static void answer_parts(struct http_connection *c, const struct http_found *f,
                         const struct http_piece *pieces, size_t n) {
        uint64_t length = 0;

        memcpy(c->pieces, pieces, n * sizeof(*pieces));
        c->n_pieces = n;
        c->size = f->size;
        c->etag = f->etag;
        for (size_t i = 0; i <= n; i++) {
                struct text head = { 0 };

                add_part_head(c, i, &head);
                length += head.n + (i < n ? pieces[i].n : 0);
                c->out.failed |= head.failed;
                text_done(&head);
        }
        text_add(&c->out, "Content-Type: multipart/byteranges; boundary=");
        add_boundary(c, &c->out);
        text_add(&c->out, "\r\n");
        add_length(c, length);
}

static void add_validators(struct http_connection *c, const struct http_found *f,
                           const char *etag) {
        if (f->is_generated) {
                add_field(c, "Cache-Control", "no-store");
                return;
        }
        add_field(c, "ETag", etag);
        add_date(c, "Last-Modified", f->mtime);
        add_field(c, "Accept-Ranges", "bytes");
}

static void answer_outside(struct http_connection *c, uint64_t size, nsec_t now,
                           nsec_t realtime) {
        c->why = "the range lies outside the file";
        begin_answer(c, 416, realtime);
        text_add(&c->out, "Content-Range: bytes */");
        text_u64(&c->out, size);
        text_add(&c->out, "\r\n");
        end_with_text(c, "text/plain; charset=utf-8",
                      "416 Range Not Satisfiable: it lies outside the file\n", now);
}

static void answer_body(struct http_connection *c, const struct http_found *f,
                        enum http_range range, struct http_piece piece) {
        add_field(c, "Content-Type", http_content_type(c->path));
        add_length(c, piece.n);
        c->offset = piece.first;
        c->left = c->request.method == HTTP_METHOD_GET ? piece.n : 0;
        if (range == HTTP_RANGE_PART)
                add_content_range(&c->out, piece, f->size);
}

static void answer_file(struct http_connection *c, const struct http_found *f,
                        nsec_t now, nsec_t realtime) {
        char etag[ETAG_TEXT_MAX];
        unsigned status = 0;
        enum http_range range = HTTP_RANGE_WHOLE;
        struct http_piece pieces[HTTP_PIECES_MAX] = { { 0, f->size } };
        size_t n = 1;

        format_etag(f->etag, etag);
        if (!f->is_generated) /* the next one may differ: no conditions, no pieces */
                status = check_conditions(c, f, etag, realtime);
        if (!f->is_generated && status == 0)
                range = choose_range(c, f, etag, realtime, pieces, &n);
        if (range == HTTP_RANGE_WHOLE)
                pieces[0] = (struct http_piece){ 0, f->size };
        if (status == 412) {
                refuse(c, 412, "the file is another one by now", now, realtime);
                return;
        }
        if (range == HTTP_RANGE_OUTSIDE) {
                answer_outside(c, f->size, now, realtime);
                return;
        }
        if (status == 0)
                status = range == HTTP_RANGE_PART ? 206 : 200;
        begin_answer(c, status, realtime);
        add_validators(c, f, etag);
        if (status != 304 && range == HTTP_RANGE_PART && n > 1)
                answer_parts(c, f, pieces, n);
        else if (status != 304)
                answer_body(c, f, range, pieces[0]);
        end_answer(c, now);
}

static void answer_folder(struct http_connection *c, nsec_t now, nsec_t realtime) {
        begin_answer(c, 301, realtime);
        /* One slash, then a clean path: never "//host", which names another server. */
        text_add(&c->out, "Location: /");
        http_escape_path(&c->out, c->path);
        text_add(&c->out, "/\r\n");
        end_with_text(c, "text/plain; charset=utf-8", "A folder: add a slash.\n", now);
}

void http_connection_answer(struct http_connection *c, const struct http_found *found,
                            nsec_t now, nsec_t realtime) {
        if (c->state != HTTP_STATE_LOOKUP)
                return;
        switch (found->kind) {
        case HTTP_FOUND_FILE:
                answer_file(c, found, now, realtime);
                break;
        case HTTP_FOUND_LISTING:
                begin_answer(c, 200, realtime);
                add_field(c, "Cache-Control", "no-store");
                end_with_text(c, "text/html; charset=utf-8", found->text, now);
                break;
        case HTTP_FOUND_FOLDER:
                answer_folder(c, now, realtime);
                break;
        case HTTP_FOUND_NOTHING:
                answer_refusal(c, found->status, found->text, now, realtime);
                break;
        }
        if (c->out.failed)
                http_connection_fail(c);
}

/* A byte now and then would hold a connection for ever. */
static bool is_too_slow(const struct http_connection *c, nsec_t now) {
        nsec_t took = now - c->sending_since;

        return c->min_rate > 0 && took > c->deadlines->stall && c->left > 0 &&
               c->body_sent / c->min_rate < took / NSEC_PER_SEC;
}

void http_connection_sent(struct http_connection *c, uint64_t n, nsec_t now) {
        uint64_t of_head;

        if (c->state != HTTP_STATE_SENDING)
                return;
        of_head = min_u64(n, c->out.n - c->out_sent);
        c->out_sent += (size_t)of_head;
        n = min_u64(n - of_head, c->left);
        c->offset += n;
        c->left -= n;
        c->body_sent += n;
        if (of_head + n > 0)
                c->deadline = later(now, c->deadlines->stall);
        if (is_too_slow(c, now)) {
                c->state = HTTP_STATE_CLOSED;
                return;
        }
        if (c->out_sent == c->out.n && c->left == 0 && !begin_part(c)) {
                c->state = HTTP_STATE_ANSWERED;
                c->deadline = NSEC_NEVER;
        }
}

void http_connection_held_up(struct http_connection *c, nsec_t time) {
        if (c->state != HTTP_STATE_SENDING)
                return;
        c->sending_since = later(c->sending_since, time);
        c->deadline = later(c->deadline, time);
}

void http_connection_logged(struct http_connection *c, nsec_t now, nsec_t realtime) {
        if (c->state != HTTP_STATE_ANSWERED)
                return;
        if (c->will_close) {
                c->state = HTTP_STATE_SHUTDOWN;
                return;
        }
        c->n_head -= c->n_request;
        memmove(c->head, c->head + c->n_request, c->n_head);
        c->n_request = 0;
        text_done(&c->out);
        c->state = HTTP_STATE_READING;
        c->deadline = later(now, c->n_head ? c->deadlines->head : c->deadlines->idle);
        read_request(c, now, realtime);
}

void http_connection_shut(struct http_connection *c, nsec_t now) {
        if (c->state != HTTP_STATE_SHUTDOWN)
                return;
        c->state = c->at_eof ? HTTP_STATE_CLOSED : HTTP_STATE_LINGER;
        c->deadline = later(now, linger_time);
}

void http_connection_tick(struct http_connection *c, nsec_t now, nsec_t realtime) {
        if (now < c->deadline)
                return;
        if (c->state == HTTP_STATE_READING && c->n_head > 0)
                refuse_bytes(c, 408, "the request's head did not arrive in time", now,
                             realtime);
        else
                c->state = HTTP_STATE_CLOSED;
}

/* Inside the quotes of a log: no quote, no backslash, no control character raw. */
static void add_quoted(struct text *out, struct span s) {
        const char *p = s.n ? (const char *)s.data : "";
        const char *end = p + min_size(s.n, LOGGED_MAX);

        text_char(out, '"');
        if (s.n == 0)
                text_char(out, '-');
        while (p < end) {
                const char *plain = p;

                while (p < end && *p != '"' && *p != '\\')
                        p++;
                text_printable(out, plain, (size_t)(p - plain));
                if (p == end)
                        break;
                text_char(out, '\\');
                text_char(out, *p++);
        }
        text_char(out, '"');
}

/* As it came; but a query to what is generated may hold a password (files_http.c). */
static void add_request_line(struct text *out, const struct http_connection *c) {
        struct span line = c->request.line, query = c->request.query;
        struct text shown = { 0 };

        if (query.n == 0 || strncmp(c->path, "bootjack/", 9) != 0) {
                add_quoted(out, line);
                return;
        }
        text_bytes(&shown, line.data, (size_t)(query.data - line.data));
        text_bytes(&shown, query.data + query.n,
                   (size_t)(line.data + line.n - query.data) - query.n);
        add_quoted(out, (struct span){ (const uint8_t *)text_string(&shown), shown.n });
        out->failed |= shown.failed;
        text_done(&shown);
}

void http_connection_log(const struct http_connection *c, const char *peer,
                         nsec_t realtime, bool is_combined, struct text *out) {
        text_add(out, peer);
        text_add(out, " - - [");
        http_date_log(realtime / NSEC_PER_SEC, out);
        text_add(out, "] ");
        add_request_line(out, c);
        text_char(out, ' ');
        text_u64(out, c->status);
        text_char(out, ' ');
        text_u64(out, c->body_sent);
        if (is_combined) {
                text_char(out, ' ');
                add_quoted(out, c->request.referer);
                text_char(out, ' ');
                add_quoted(out, c->request.user_agent);
        }
        text_char(out, '\n');
}
