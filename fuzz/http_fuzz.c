/*
 * HTTP requests, ranges and dates: spans stay within the bytes, a verdict does not
 * depend on what follows the head, a range lies within the file.
 */
#include "fuzz/fuzz.h"
#include "wire/http.h"
#include "wire/http_date.h"

static void check_within(const uint8_t *data, size_t n, struct span s) {
        assert(s.n == 0 || (s.data >= data && s.data + s.n <= data + n));
}

static void check_range(struct span value) {
        static const uint64_t sizes[] = { 0, 1, 1000, 1ULL << 33, UINT64_MAX };

        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
                struct http_piece pieces[HTTP_PIECES_MAX];
                uint64_t left = sizes[i];
                size_t n;

                if (http_parse_ranges(value, sizes[i], pieces, &n) != HTTP_RANGE_PART)
                        continue;
                assert(n > 0 && n <= HTTP_PIECES_MAX);
                for (size_t k = 0; k < n; k++) {
                        assert(pieces[k].n > 0 && pieces[k].first < sizes[i]);
                        assert(pieces[k].n <= sizes[i] - pieces[k].first);
                        assert(pieces[k].n <= left);
                        left -= pieces[k].n;
                }
        }
}

static void check_date(struct span value) {
        uint64_t seconds, again;
        struct text t = { 0 };

        if (!http_date_parse(value, 1700000000, &seconds))
                return;
        http_date_build(seconds, &t);
        /* Year 9999 and a leap second may run over into five digits. */
        if (!t.failed &&
            http_date_parse((struct span){ (uint8_t *)t.s, t.n }, 0, &again))
                assert(again == seconds);
        text_done(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        struct http_request r, again;
        char decoded[HTTP_REQUEST_HEAD_MAX];
        size_t n_head, n_again, n_decoded;
        enum http_verdict verdict = http_parse_request(data, n, &r, &n_head);

        check_within(data, n, r.line);
        assert(http_verdict_text(verdict) && http_verdict_status(verdict) >= 400);
        check_range((struct span){ data, n });
        check_date((struct span){ data, n });
        if (verdict != HTTP_OK)
                return 0;
        assert(n_head <= n && n_head <= HTTP_REQUEST_HEAD_MAX);
        assert(http_parse_request(data, n_head, &again, &n_again) == HTTP_OK);
        assert(n_again == n_head);
        assert(http_parse_request(data, n_head - 1, &again, &n_again) == HTTP_MORE);
        check_within(data, n_head, r.target);
        check_within(data, n_head, r.user_agent);
        check_within(data, n_head, r.range);
        check_range(r.range);
        check_date(r.if_modified_since);
        (void)http_etag_is_in(r.if_none_match, "\"a\"", false);
        if (http_decode(r.target, decoded, sizeof(decoded), &n_decoded))
                assert(n_decoded <= r.target.n);
        return 0;
}
