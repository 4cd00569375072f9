#include "proto/http_connection.h"

#include <stdlib.h>

#include "proto/http_listing.h"
#include "test/check.h"

static const nsec_t second = NSEC_PER_SEC;
static const nsec_t today = (nsec_t)1709211845 * NSEC_PER_SEC; /* 29 February 2024 */
static const struct http_found file = { .kind = HTTP_FOUND_FILE,
                                        .size = 1000,
                                        .etag = 0xabcdef,
                                        .mtime = (nsec_t)784111777 * NSEC_PER_SEC };

static void feed(struct http_connection *c, const char *bytes, nsec_t now) {
        http_connection_recv(c, bytes, strlen(bytes), now, today);
}

static enum http_action_kind kind(const struct http_connection *c) {
        return http_connection_next(c).kind;
}

/* Takes one whole answer: its head and text in *ret_head, then how much of the file. */
static uint64_t take_answer(struct http_connection *c, struct text *ret_head,
                            uint64_t *ret_offset) {
        uint64_t n = 0;

        ret_head->n = 0;
        *ret_offset = 0;
        while (kind(c) == HTTP_SEND || kind(c) == HTTP_SEND_FILE) {
                struct http_action a = http_connection_next(c);

                if (a.kind == HTTP_SEND) {
                        text_bytes(ret_head, a.data, (size_t)a.n);
                } else {
                        *ret_offset = n ? *ret_offset : a.offset;
                        n += a.n;
                }
                http_connection_sent(c, a.n, 0);
        }
        assert_int_equal(kind(c), HTTP_ANSWERED);
        return n;
}

struct asked {
        const char *fields;
        const char *status;
        const char *part;
        uint64_t offset, n;
};

static void check_answer(const char *method, const struct asked *row,
                         const struct http_found *found) {
        struct http_connection *c = malloc(sizeof(*c));
        struct text request = { 0 }, head = { 0 };
        uint64_t offset, n;

        assert_non_null(c);
        http_connection_init(c, 0);
        text_add(&request, method);
        text_add(&request, " /a HTTP/1.1\r\nHost: x\r\n");
        text_add(&request, row->fields);
        text_add(&request, "\r\n");
        feed(c, text_string(&request), 0);
        assert_int_equal(kind(c), HTTP_LOOKUP);
        assert_string_equal(c->path, "a");
        http_connection_answer(c, found, 0, today);
        n = take_answer(c, &head, &offset);
        if (strncmp(text_string(&head) + 9, row->status, 3) != 0 ||
            !strstr(text_string(&head), row->part))
                fail_msg("%s was answered\n%s", text_string(&request),
                         text_string(&head));
        assert_true(offset == row->offset && n == row->n);
        text_done(&request);
        text_done(&head);
        http_connection_done(c);
        free(c);
}

static void files_are_answered_by_range_and_condition(void **state) {
        static const struct asked rows[] = {
                { "", "200", "Content-Length: 1000\r\n", 0, 1000 },
                { "", "200", "ETag: \"0000000000abcdef\"\r\n", 0, 1000 },
                { "", "200", "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 0,
                  1000 },
                { "", "200", "Date: Thu, 29 Feb 2024 13:04:05 GMT\r\n", 0, 1000 },
                { "Range: bytes=10-19\r\n", "206",
                  "Content-Range: bytes 10-19/1000\r\n", 10, 10 },
                { "Range: bytes=-1\r\n", "206", "Content-Length: 1\r\n", 999, 1 },
                { "Range: bytes=1000-\r\n", "416", "Content-Range: bytes */1000\r\n", 0,
                  0 },
                { "Range: bytes=0-999,2-3\r\n", "200", "", 0, 1000 },
                { "Range: bytes=0-1\r\nIf-Range: \"0000000000abcdef\"\r\n", "206", "",
                  0, 2 },
                { "Range: bytes=0-1\r\nIf-Range: \"other\"\r\n", "200", "", 0, 1000 },
                { "Range: bytes=0-1\r\nIf-Range: W/\"0000000000abcdef\"\r\n", "200", "",
                  0, 1000 },
                { "Range: bytes=0-1\r\nIf-Range: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
                  "206", "", 0, 2 },
                { "If-None-Match: \"0000000000abcdef\"\r\n", "304", "ETag: ", 0, 0 },
                { "If-None-Match: W/\"0000000000abcdef\"\r\n", "304", "", 0, 0 },
                { "If-None-Match: \"x\"\r\n"
                  "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
                  "200", "", 0, 1000 },
                { "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", "304", "", 0,
                  0 },
                { "If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n", "200", "", 0,
                  1000 },
                { "If-Modified-Since: yesterday\r\n", "200", "", 0, 1000 },
                { "If-Match: \"other\"\r\n", "412", "", 0, 0 },
                { "If-Match: *\r\n", "200", "", 0, 1000 },
                { "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n", "412", "",
                  0, 0 },
        };
        static const struct asked head_rows[] = {
                { "", "200", "Content-Length: 1000\r\n", 0, 0 },
                { "Range: bytes=0-1\r\n", "200", "Content-Length: 1000\r\n", 0, 0 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                check_answer("GET", &rows[i], &file);
        for (size_t i = 0; i < ARRAY_SIZE(head_rows); i++)
                check_answer("HEAD", &head_rows[i], &file);
}

static void generated_files_are_not_kept_by_anybody(void **state) {
        const struct asked row = { "Range: bytes=0-1\r\nIf-None-Match: *\r\n", "200",
                                   "Cache-Control: no-store\r\n", 0, 1000 };
        struct http_found found = file;

        found.is_generated = true;
        check_answer("GET", &row, &found);
}

static void what_is_no_file_is_answered_with_text(void **state) {
        check_answer("GET",
                     &(struct asked){ "", "404",
                                      "\r\n\r\n404 Not Found: not here: /a\n", 0, 0 },
                     &(struct http_found){ .kind = HTTP_FOUND_NOTHING,
                                           .status = 404,
                                           .text = "not here: /a" });
        check_answer("GET", &(struct asked){ "", "301", "Location: /a/\r\n", 0, 0 },
                     &(struct http_found){ .kind = HTTP_FOUND_FOLDER });
        check_answer(
                "GET", &(struct asked){ "", "200", "\r\n\r\n<html>", 0, 0 },
                &(struct http_found){ .kind = HTTP_FOUND_LISTING, .text = "<html>" });
        check_answer(
                "HEAD", &(struct asked){ "", "200", "Content-Length: 6\r\n", 0, 0 },
                &(struct http_found){ .kind = HTTP_FOUND_LISTING, .text = "<html>" });
}

/* RFC 9110 14.6: each with its own range, and a length that is the whole of it. */
static void several_ranges_are_parts_of_one_answer(void **state) {
        static const char request[] = "GET /a.img HTTP/1.1\r\nHost: x\r\n"
                                      "Range: bytes=990-,0-9\r\n\r\n";
        static const char *const texts[] = {
                "\r\n--0000000000abcdef\r\nContent-Type: application/vnd.efi-img\r\n"
                "Content-Range: bytes 990-999/1000\r\n\r\n",
                "\r\n--0000000000abcdef\r\nContent-Type: application/vnd.efi-img\r\n"
                "Content-Range: bytes 0-9/1000\r\n\r\n",
                "\r\n--0000000000abcdef--\r\n",
        };
        static const uint64_t offsets[] = { 990, 0 };
        struct http_connection *c = malloc(sizeof(*c));
        struct text length = { 0 };
        struct http_action a;

        assert_non_null(c);
        http_connection_init(c, 0);
        feed(c, request, 0);
        http_connection_answer(c, &file, 0, today);
        a = http_connection_next(c);
        text_add(&length, "Content-Length: ");
        text_u64(&length, strlen(texts[0]) + strlen(texts[1]) + strlen(texts[2]) + 20);
        text_add(&length, "\r\n");
        assert_non_null(strstr(a.data, text_string(&length)));
        assert_non_null(strstr(a.data, "multipart/byteranges; "
                                       "boundary=0000000000abcdef\r\n"));
        http_connection_sent(c, a.n, 0);
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                a = http_connection_next(c);
                assert_int_equal(a.kind, HTTP_SEND);
                assert_int_equal(a.n, strlen(texts[i]));
                assert_memory_equal(a.data, texts[i], a.n);
                http_connection_sent(c, a.n, 0);
                a = http_connection_next(c);
                if (i == ARRAY_SIZE(offsets))
                        break;
                assert_int_equal(a.kind, HTTP_SEND_FILE);
                assert_true(a.offset == offsets[i] && a.n == 10);
                http_connection_sent(c, 3, 0);
                http_connection_sent(c, 7, 0);
        }
        assert_int_equal(a.kind, HTTP_ANSWERED);
        text_done(&length);
        http_connection_done(c);
        free(c);
}

static void refusals_of_its_own_need_no_lookup(void **state) {
        static const struct {
                const char *request;
                const char *status;
                bool closes;
        } rows[] = {
                { "DELETE /a HTTP/1.1\r\nHost: x\r\n\r\n", "405", false },
                { "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
                  "405", true },
                { "BREW /a HTTP/1.1\r\nHost: x\r\n\r\n", "501", false },
                { "get /a HTTP/1.1\r\nHost: x\r\n\r\n", "501", false },
                { "GET /../a HTTP/1.1\r\nHost: x\r\n\r\n", "400", false },
                { "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", "400", false },
                { "GET /a HTTP/1.1\r\n\r\n", "400", true },
                { "GET /a HTTP/3.0\r\n\r\n", "505", true },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct http_connection *c = malloc(sizeof(*c));
                struct text head = { 0 };
                uint64_t offset;

                assert_non_null(c);
                http_connection_init(c, 0);
                feed(c, rows[i].request, 0);
                take_answer(c, &head, &offset);
                assert_memory_equal(text_string(&head) + 9, rows[i].status, 3);
                assert_non_null(c->why);
                assert_int_equal(strstr(text_string(&head), "Connection: close") !=
                                         NULL,
                                 rows[i].closes);
                http_connection_logged(c, 0, today);
                assert_int_equal(kind(c), rows[i].closes ? HTTP_SHUTDOWN : HTTP_WAIT);
                text_done(&head);
                http_connection_done(c);
                free(c);
        }
}

static void pipelined_requests_are_answered_in_order(void **state) {
        static const char bytes[] =
                "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n"
                "GET /2 HTTP/1.1\r\nHost: x\r\n\r\n"
                "GET /3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                "\r\nGET /4 HTTP/1.1\r\nHost: x\r\n\r\n";
        struct http_connection *c = malloc(sizeof(*c));
        struct text head = { 0 }, log = { 0 };
        uint64_t offset;

        assert_non_null(c);
        http_connection_init(c, 0);
        for (size_t i = 0; i < strlen(bytes); i++) { /* as slowly as can be */
                if (http_connection_room(c) == 0)
                        break;
                http_connection_recv(c, bytes + i, 1, 0, today);
                if (kind(c) != HTTP_LOOKUP)
                        continue;
                assert_int_equal(http_connection_room(c), 0);
                http_connection_answer(c, &file, 0, today);
                assert_int_equal(take_answer(c, &head, &offset), 1000);
                http_connection_log(c, "127.0.0.1", today, strstr(c->path, "2") == NULL,
                                    &log);
                http_connection_logged(c, 0, today);
        }
        assert_string_equal(text_string(&log),
                            "127.0.0.1 - - [29/Feb/2024:13:04:05 +0000] "
                            "\"GET /1 HTTP/1.1\" 200 1000 \"-\" \"-\"\n"
                            "127.0.0.1 - - [29/Feb/2024:13:04:05 +0000] "
                            "\"GET /2 HTTP/1.1\" 200 1000\n"
                            "127.0.0.1 - - [29/Feb/2024:13:04:05 +0000] "
                            "\"GET /3 HTTP/1.1\" 200 1000 \"-\" \"-\"\n");
        assert_int_equal(kind(c), HTTP_SHUTDOWN);
        http_connection_shut(c, 0);
        assert_int_equal(kind(c), HTTP_WAIT);
        assert_true(http_connection_room(c) > 0); /* what comes is thrown away */
        feed(c, "GET /4 HTTP/1.1\r\nHost: x\r\n\r\n", 0);
        assert_int_equal(kind(c), HTTP_WAIT);
        http_connection_tick(c, 2 * second, today);
        assert_int_equal(kind(c), HTTP_CLOSE);
        text_done(&head);
        text_done(&log);
        http_connection_done(c);
        free(c);
}

static void slow_clients_are_not_waited_for(void **state) {
        struct http_connection *c = malloc(sizeof(*c));
        struct text head = { 0 };
        uint64_t offset;

        assert_non_null(c);
        http_connection_init(c, 0); /* one that says nothing at all */
        http_connection_tick(c, 59 * second, today);
        assert_int_equal(kind(c), HTTP_WAIT);
        http_connection_tick(c, 60 * second, today);
        assert_int_equal(kind(c), HTTP_CLOSE);

        http_connection_init(c, 0); /* a letter now and then */
        for (nsec_t now = second; now < 15 * second; now += second) {
                feed(c, "G", now);
                http_connection_tick(c, now, today);
                assert_int_equal(kind(c), HTTP_WAIT);
        }
        http_connection_tick(c, 16 * second, today);
        take_answer(c, &head, &offset);
        assert_memory_equal(text_string(&head) + 9, "408", 3);
        http_connection_done(c);

        http_connection_init(c, 0); /* one that takes nothing */
        feed(c, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n", 0);
        http_connection_answer(c, &file, 0, today);
        http_connection_sent(c, 10, 30 * second);
        http_connection_tick(c, 89 * second, today);
        assert_int_equal(kind(c), HTTP_SEND);
        http_connection_tick(c, 90 * second, today);
        assert_int_equal(kind(c), HTTP_CLOSE);
        text_done(&head);
        http_connection_done(c);
        free(c);
}

static void a_client_that_only_closed_its_half_is_answered(void **state) {
        struct http_connection *c = malloc(sizeof(*c));
        struct text head = { 0 };
        uint64_t offset;

        assert_non_null(c);
        http_connection_init(c, 0);
        feed(c, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n", 0);
        http_connection_eof(c);
        http_connection_answer(c, &file, 0, today);
        assert_int_equal(take_answer(c, &head, &offset), 1000);
        http_connection_logged(c, 0, today);
        assert_int_equal(kind(c), HTTP_CLOSE);
        text_done(&head);
        http_connection_done(c);
        free(c);
}

static void a_client_that_sips_is_cut_off(void **state) {
        static const struct {
                uint64_t each;
                uint32_t min_rate;
                bool is_cut;
        } rows[] = {
                { 1, 100, true },     { 1, 0, false },    { 999, 100, true },
                { 1001, 100, false }, { 100, 10, false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct http_connection *c = malloc(sizeof(*c));
                struct http_found large = file;
                nsec_t now = 0;

                assert_non_null(c);
                http_connection_init(c, 0);
                c->min_rate = rows[i].min_rate;
                large.size = 1 << 20;
                feed(c, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n", 0);
                http_connection_answer(c, &large, 0, today);
                http_connection_sent(c, http_connection_next(c).n, 0);
                for (int k = 0; k < 30 && kind(c) != HTTP_CLOSE; k++) {
                        now += 10 * NSEC_PER_SEC; /* never silent for a minute */
                        http_connection_sent(c, rows[i].each, now);
                        http_connection_tick(c, now, today);
                }
                assert_int_equal(kind(c) == HTTP_CLOSE, rows[i].is_cut);
                if (rows[i].is_cut)
                        assert_int_equal(now, 70 * NSEC_PER_SEC);
                http_connection_done(c);
                free(c);
        }
}

static void the_log_cannot_be_forged(void **state) {
        struct http_connection *c = malloc(sizeof(*c));
        struct text head = { 0 }, log = { 0 };
        uint64_t offset;

        assert_non_null(c);
        http_connection_init(c, 0);
        feed(c,
             "GET /a\" HTTP/1.1\r\nHost: x\r\nReferer: \xff\xc2\x9b\r\n"
             "User-Agent: a\" 200 \\\r\n\r\n",
             0);
        http_connection_answer(c, &file, 0, today);
        take_answer(c, &head, &offset);
        http_connection_log(c, "127.0.0.1", today, strstr(c->path, "2") == NULL, &log);
        assert_non_null(strstr(text_string(&log),
                               "\"GET /a\\\" HTTP/1.1\" 200 1000 \"\\xff\\xc2\\x9b\" "
                               "\"a\\\" 200 \\\\\"\n"));
        text_done(&head);
        text_done(&log);
        http_connection_done(c);
        free(c);
}

static void a_listing_escapes_names(void **state) {
        struct text page = { 0 };

        http_listing_begin(&page, "a<b");
        http_listing_entry(&page, "\"><script>&'\x1b", false, 10, second);
        http_listing_entry(&page, "javascript:x y", true, 0, 0);
        http_listing_end(&page, 20000);
        assert_null(strstr(text_string(&page), "<script>"));
        assert_null(strchr(text_string(&page), '\x1b'));
        assert_non_null(strstr(text_string(&page), "/a&lt;b"));
        assert_non_null(
                strstr(text_string(&page), "href=\"./%22%3E%3Cscript%3E%26%27%1B\""));
        assert_non_null(strstr(text_string(&page), "href=\"./javascript%3Ax%20y/\""));
        text_done(&page);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(files_are_answered_by_range_and_condition),
                cmocka_unit_test(generated_files_are_not_kept_by_anybody),
                cmocka_unit_test(what_is_no_file_is_answered_with_text),
                cmocka_unit_test(several_ranges_are_parts_of_one_answer),
                cmocka_unit_test(refusals_of_its_own_need_no_lookup),
                cmocka_unit_test(pipelined_requests_are_answered_in_order),
                cmocka_unit_test(slow_clients_are_not_waited_for),
                cmocka_unit_test(a_client_that_only_closed_its_half_is_answered),
                cmocka_unit_test(a_client_that_sips_is_cut_off),
                cmocka_unit_test(the_log_cannot_be_forged),
                cmocka_unit_test(a_listing_escapes_names),
        };
        return check_run("proto/http_connection", tests);
}
