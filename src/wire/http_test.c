#include "wire/http.h"

#include <stdlib.h>

#include "test/check.h"
#include "wire/http_date.h"

static struct span span_of(const char *s) {
        return (struct span){ (const uint8_t *)s, strlen(s) };
}

static void check_span(struct span s, const char *text) {
        assert_int_equal(s.n, strlen(text));
        if (s.n)
                assert_memory_equal(s.data, text, s.n);
}

#define HOST "Host: x\r\n"

static void good_requests_are_read(void **state) {
        static const struct {
                const char *text;
                enum http_method method;
                const char *target;
                unsigned minor;
                bool keep_alive, has_body;
        } rows[] = {
                { "GET / HTTP/1.1\r\n" HOST "\r\n", HTTP_METHOD_GET, "/", 1, true,
                  false },
                { "HEAD /a?b=c HTTP/1.1\r\n" HOST "\r\n", HTTP_METHOD_HEAD, "/a", 1,
                  true, false },
                { "\r\n\r\nGET /a HTTP/1.0\r\n\r\n", HTTP_METHOD_GET, "/a", 0, false,
                  false },
                { "GET /a HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", HTTP_METHOD_GET,
                  "/a", 0, true, false },
                { "GET /a HTTP/1.9\r\nhOsT:\r\nConnection: x , close\r\n\r\n",
                  HTTP_METHOD_GET, "/a", 1, false, false },
                { "GET http://h:80/a/b?c HTTP/1.1\r\n" HOST "\r\n", HTTP_METHOD_GET,
                  "/a/b", 1, true, false },
                { "GET http://h HTTP/1.1\r\n" HOST "\r\n", HTTP_METHOD_GET, "", 1, true,
                  false },
                { "GET http://h?/a HTTP/1.1\r\n" HOST "\r\n", HTTP_METHOD_GET, "", 1,
                  true, false },
                { "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", HTTP_METHOD_OTHER, "", 1, true,
                  false },
                { "get / HTTP/1.1\r\n" HOST "\r\n", HTTP_METHOD_UNKNOWN, "/", 1, true,
                  false },
                { "POST /a HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc",
                  HTTP_METHOD_OTHER, "/a", 1, true, true },
                { "GET /a HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n",
                  HTTP_METHOD_GET, "/a", 1, true, false },
                { "GET /a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n",
                  HTTP_METHOD_GET, "/a", 1, true, true },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct http_request r;
                size_t n;

                assert_int_equal(
                        http_parse_request(rows[i].text, strlen(rows[i].text), &r, &n),
                        HTTP_OK);
                assert_memory_equal(rows[i].text + n - 4, "\r\n\r\n", 4);
                assert_int_equal(r.method, rows[i].method);
                check_span(r.target, rows[i].target);
                assert_int_equal(r.minor, rows[i].minor);
                assert_int_equal(r.keep_alive, rows[i].keep_alive);
                assert_int_equal(r.has_body, rows[i].has_body);
        }
}

static void fields_are_found_and_trimmed(void **state) {
        static const char text[] =
                "GET /a HTTP/1.1\r\nHost: x\r\nRANGE:bytes=0-1 \t\r\n"
                "User-Agent:  UefiHttpBoot/1.0\r\nIf-None-Match: *\r\n"
                "X: y\r\n\r\nmore";
        struct http_request r;
        size_t n;

        assert_int_equal(http_parse_request(text, strlen(text), &r, &n), HTTP_OK);
        assert_int_equal(n, strlen(text) - 4);
        check_span(r.line, "GET /a HTTP/1.1");
        check_span(r.range, "bytes=0-1");
        check_span(r.user_agent, "UefiHttpBoot/1.0");
        check_span(r.if_none_match, "*");
        check_span(r.if_range, "");
}

static void what_could_be_read_in_two_ways_is_refused(void **state) {
        static const struct {
                const char *text;
                enum http_verdict verdict;
        } rows[] = {
                { "GET / HTTP/1.1\n" HOST "\n", HTTP_BARE_LINE_END },
                { "GET / HTTP/1.1\r\nHost: x\n\r\n", HTTP_BARE_LINE_END },
                { "GET / HTTP/1.1\r\nHost: x\rY: z\r\n\r\n", HTTP_BARE_LINE_END },
                { "GET / HTTP/1.1\r\nHost: x\x01\r\n\r\n", HTTP_CONTROL },
                { "\x16\x03\x01", HTTP_CONTROL }, /* TLS at the wrong door */
                { "GET /\r\n\r\n", HTTP_BAD_LINE },
                { "GET  / HTTP/1.1\r\n" HOST "\r\n", HTTP_BAD_LINE },
                { "GET / HTTP/1.1 \r\n" HOST "\r\n", HTTP_BAD_LINE },
                { "GET /a b HTTP/1.1\r\n" HOST "\r\n", HTTP_BAD_LINE },
                { "GET\t/ HTTP/1.1\r\n" HOST "\r\n", HTTP_BAD_LINE },
                { "G(T / HTTP/1.1\r\n" HOST "\r\n", HTTP_BAD_LINE },
                { " GET / HTTP/1.1\r\n" HOST "\r\n", HTTP_BAD_LINE },
                { "GET / http/1.1\r\n" HOST "\r\n", HTTP_BAD_LINE },
                { "GET / HTTP/2.0\r\n" HOST "\r\n", HTTP_BAD_VERSION },
                { "GET a HTTP/1.1\r\n" HOST "\r\n", HTTP_BAD_TARGET },
                { "GET * HTTP/1.1\r\n" HOST "\r\n", HTTP_BAD_TARGET },
                { "GET /a#b HTTP/1.1\r\n" HOST "\r\n", HTTP_BAD_TARGET },
                { "GET / HTTP/1.1\r\n" HOST " folded\r\n\r\n", HTTP_BAD_FIELD },
                { "GET / HTTP/1.1\r\nHost : x\r\n\r\n", HTTP_BAD_FIELD },
                { "GET / HTTP/1.1\r\n: x\r\n\r\n", HTTP_BAD_FIELD },
                { "GET / HTTP/1.1\r\nHost\r\n\r\n", HTTP_BAD_FIELD },
                { "GET / HTTP/1.1\r\n\r\n", HTTP_NO_HOST },
                { "GET / HTTP/1.1\r\n" HOST HOST "\r\n", HTTP_REPEATED },
                { "GET / HTTP/1.1\r\n" HOST
                  "Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
                  HTTP_REPEATED },
                { "GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n"
                  "transfer-encoding: chunked\r\n\r\n",
                  HTTP_REPEATED },
                { "GET / HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n\r\n",
                  HTTP_BAD_LENGTH },
                { "GET / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\n",
                  HTTP_BAD_LENGTH },
                { "GET / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n",
                  HTTP_BAD_LENGTH },
                { "GET / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n"
                  "Transfer-Encoding: chunked\r\n\r\n",
                  HTTP_TWO_LENGTHS },
                { "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
                  HTTP_TWO_LENGTHS },
                { "GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n",
                  HTTP_UNKNOWN_CODING },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct http_request r;
                size_t n;
                enum http_verdict v =
                        http_parse_request(rows[i].text, strlen(rows[i].text), &r, &n);

                if (v != rows[i].verdict)
                        fail_msg("row %zu: %s", i, http_verdict_text(v));
                assert_true(http_verdict_status(v) >= 400);
        }
}

static void an_unfinished_head_waits_and_an_endless_one_is_refused(void **state) {
        static const char good[] = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
        char *long_one = malloc(HTTP_REQUEST_HEAD_MAX);
        struct http_request r;
        size_t n;

        for (size_t i = 0; i < strlen(good); i++)
                assert_int_equal(http_parse_request(good, i, &r, &n), HTTP_MORE);
        assert_non_null(long_one);
        memset(long_one, 'a', HTTP_REQUEST_HEAD_MAX);
        assert_int_equal(
                http_parse_request(long_one, HTTP_REQUEST_HEAD_MAX - 1, &r, &n),
                HTTP_MORE);
        assert_int_equal(http_parse_request(long_one, HTTP_REQUEST_HEAD_MAX, &r, &n),
                         HTTP_LINE_TOO_LONG);
        memcpy(long_one, "GET /a HTTP/1.1\r\nX: ", 20);
        assert_int_equal(http_parse_request(long_one, HTTP_REQUEST_HEAD_MAX, &r, &n),
                         HTTP_TOO_LONG);
        free(long_one);
}

static void percent_is_decoded_once(void **state) {
        static const struct {
                const char *in, *out; /* NULL: refused */
        } rows[] = {
                { "/a%20b", "/a b" }, { "/%2e%2E/x", "/../x" }, { "/%252e", "/%2e" },
                { "/a+b", "/a+b" },   { "/%", NULL },           { "/%4", NULL },
                { "/%g0", NULL },     { "/%%41", NULL },        { "", "" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                char out[16];
                size_t n;
                bool is_good = http_decode(span_of(rows[i].in), out, sizeof(out), &n);

                assert_int_equal(is_good, rows[i].out != NULL);
                if (is_good)
                        check_span((struct span){ (uint8_t *)out, n }, rows[i].out);
        }
        assert_false(http_decode(span_of("12345"), (char[4]){ 0 }, 4, &(size_t){ 0 }));
}

static void ranges_are_cut_to_the_file(void **state) {
        static const struct {
                const char *text;
                uint64_t size;
                enum http_range range;
                uint64_t first, n;
        } rows[] = {
                { "bytes=0-0", 10, HTTP_RANGE_PART, 0, 1 },
                { "bytes=2-5", 10, HTTP_RANGE_PART, 2, 4 },
                { "Bytes=2-", 10, HTTP_RANGE_PART, 2, 8 },
                { "bytes=2-99999999999999999999999", 10, HTTP_RANGE_PART, 2, 8 },
                { "bytes=-3", 10, HTTP_RANGE_PART, 7, 3 },
                { "bytes=-30", 10, HTTP_RANGE_PART, 0, 10 },
                { "bytes=9-", 10, HTTP_RANGE_PART, 9, 1 },
                { "bytes=4294967296-4294967297", 1ULL << 33, HTTP_RANGE_PART,
                  4294967296, 2 },
                { "bytes=10-", 10, HTTP_RANGE_OUTSIDE, 0, 0 },
                { "bytes=99999999999999999999999-", 10, HTTP_RANGE_OUTSIDE, 0, 0 },
                { "bytes=-0", 10, HTTP_RANGE_OUTSIDE, 0, 0 },
                { "bytes=0-", 0, HTTP_RANGE_OUTSIDE, 0, 0 },
                { "bytes=-1", 0, HTTP_RANGE_OUTSIDE, 0, 0 },
                { "", 10, HTTP_RANGE_WHOLE, 0, 0 },
                { "bytes=", 10, HTTP_RANGE_WHOLE, 0, 0 },
                { "bytes=-", 10, HTTP_RANGE_WHOLE, 0, 0 },
                { "bytes=5-2", 10, HTTP_RANGE_WHOLE, 0, 0 },
                { "bytes=a-b", 10, HTTP_RANGE_WHOLE, 0, 0 },
                { "lines=0-1", 10, HTTP_RANGE_WHOLE, 0, 0 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct http_piece pieces[HTTP_PIECES_MAX] = { 0 };
                size_t n_pieces = 0;

                assert_int_equal(http_parse_ranges(span_of(rows[i].text), rows[i].size,
                                                   pieces, &n_pieces),
                                 rows[i].range);
                assert_int_equal(n_pieces, rows[i].range == HTTP_RANGE_PART);
                assert_true(pieces[0].first == rows[i].first &&
                            pieces[0].n == rows[i].n);
        }
}

static void several_ranges_are_pieces_that_cost_no_more_than_the_whole(void **state) {
        static const struct {
                const char *text;
                enum http_range range;
                size_t n;
                struct http_piece pieces[HTTP_PIECES_MAX];
        } rows[] = {
                { "bytes=0-1,4-5", HTTP_RANGE_PART, 2, { { 0, 2 }, { 4, 2 } } },
                { "bytes=-1 , 0-0", HTTP_RANGE_PART, 2, { { 9, 1 }, { 0, 1 } } },
                { "bytes=,,3-3,", HTTP_RANGE_PART, 1, { { 3, 1 } } },
                { "bytes=3-3,20-30", HTTP_RANGE_PART, 1, { { 3, 1 } } },
                { "bytes=10-,20-30", HTTP_RANGE_OUTSIDE, 0, { { 0 } } },
                { "bytes=0-,0-", HTTP_RANGE_WHOLE, 0, { { 0 } } },
                { "bytes=0-5,3-9", HTTP_RANGE_WHOLE, 0, { { 0 } } },
                { "bytes=0-0,x", HTTP_RANGE_WHOLE, 0, { { 0 } } },
                { "bytes=,", HTTP_RANGE_WHOLE, 0, { { 0 } } },
                { "bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,8-8",
                  HTTP_RANGE_WHOLE,
                  0,
                  { { 0 } } },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct http_piece pieces[HTTP_PIECES_MAX];
                size_t n = 0;

                assert_int_equal(
                        http_parse_ranges(span_of(rows[i].text), 10, pieces, &n),
                        rows[i].range);
                assert_int_equal(n, rows[i].n);
                assert_memory_equal(pieces, rows[i].pieces, n * sizeof(*pieces));
        }
}

static void entity_tags_compare_weak_and_strong(void **state) {
        assert_true(http_etag_is_in(span_of("\"a\", \"b\""), "\"b\"", true));
        assert_true(http_etag_is_in(span_of("W/\"b\""), "\"b\"", false));
        assert_false(http_etag_is_in(span_of("W/\"b\""), "\"b\"", true));
        assert_true(http_etag_is_in(span_of("*"), "\"b\"", true));
        assert_false(http_etag_is_in(span_of("\"bb\""), "\"b\"", false));
        assert_false(http_etag_is_in(span_of(""), "\"b\"", false));
}

static void dates_of_three_forms_are_one_moment(void **state) {
        static const char *const texts[] = {
                "Sun, 06 Nov 1994 08:49:37 GMT",
                "Sunday, 06-Nov-94 08:49:37 GMT",
                "Sun Nov  6 08:49:37 1994",
        };
        static const char *const bad[] = {
                "",
                "now",
                "Sun, 06 Nov 1994 08:49:37",
                "Sun, 06 Foo 1994 08:49:37 GMT",
                "Sun, 06 Nov 1994 24:49:37 GMT",
                "Sun, 06 Nov 1994 08:49:37 GMTx",
                "Sun, 06 Nov 1900 08:49:37 GMT",
        };
        const uint64_t now = 1700000000;
        uint64_t seconds = 1;

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                assert_true(http_date_parse(span_of(texts[i]), now, &seconds));
                assert_true(seconds == 784111777);
        }
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                assert_false(http_date_parse(span_of(bad[i]), now, &seconds));
}

static void dates_are_read_back_as_they_were_built(void **state) {
        static const uint64_t moments[] = { 0,         68169600,   951782400,
                                            951868800, 1709211845, 4107542400 };

        for (size_t i = 0; i < ARRAY_SIZE(moments); i++) {
                struct text t = { 0 };
                uint64_t seconds = 1;

                http_date_build(moments[i], &t);
                assert_true(http_date_parse(span_of(text_string(&t)), 0, &seconds));
                assert_true(seconds == moments[i]);
                text_done(&t);
        }
}

static void types_follow_the_ending(void **state) {
        assert_string_equal(http_content_type("a/ipxe.EFI"), "application/efi");
        assert_string_equal(http_content_type("x.iso"), "application/vnd.efi-iso");
        assert_string_equal(http_content_type("vmlinuz"), "application/octet-stream");
        assert_string_equal(http_content_type(".efi"), "application/octet-stream");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(good_requests_are_read),
                cmocka_unit_test(fields_are_found_and_trimmed),
                cmocka_unit_test(what_could_be_read_in_two_ways_is_refused),
                cmocka_unit_test(
                        an_unfinished_head_waits_and_an_endless_one_is_refused),
                cmocka_unit_test(percent_is_decoded_once),
                cmocka_unit_test(ranges_are_cut_to_the_file),
                cmocka_unit_test(
                        several_ranges_are_pieces_that_cost_no_more_than_the_whole),
                cmocka_unit_test(entity_tags_compare_weak_and_strong),
                cmocka_unit_test(dates_of_three_forms_are_one_moment),
                cmocka_unit_test(dates_are_read_back_as_they_were_built),
                cmocka_unit_test(types_follow_the_ending),
        };
        return check_run("wire/http", tests);
}
