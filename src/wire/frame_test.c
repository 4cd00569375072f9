#include "wire/frame.h"

#include "test/check.h"

static const struct frame frame = {
        .source = { { 2, 0, 0, 0, 0, 1 } },
        .destination = { { 0x52, 0x54, 0, 0x12, 0x34, 0x56 } },
        .from = 0xc0a80101,
        .to = 0xc0a80114,
        .from_port = 67,
        .to_port = 68,
};

/* The whole frame as another implementation (scapy) writes it. */
static void a_frame_is_what_others_make_of_it(void **state) {
        static const struct {
                const char *data, *frame;
                size_t n;
        } rows[] = {
                { "abcd",
                  "\x52\x54\x00\x12\x34\x56\x02\x00\x00\x00\x00\x01\x08\x00"
                  "\x45\x00\x00\x20\x00\x00\x00\x00\x40\x11\xf7\x67"
                  "\xc0\xa8\x01\x01\xc0\xa8\x01\x14"
                  "\x00\x43\x00\x44\x00\x0c\xb7\x22"
                  "abcd",
                  46 },
                /* an odd length: a zero is counted behind it and not sent */
                { "hello",
                  "\x52\x54\x00\x12\x34\x56\x02\x00\x00\x00\x00\x01\x08\x00"
                  "\x45\x00\x00\x21\x00\x00\x00\x00\x40\x11\xf7\x66"
                  "\xc0\xa8\x01\x01\xc0\xa8\x01\x14"
                  "\x00\x43\x00\x44\x00\x0d\x38\x15"
                  "hello",
                  47 },
                /* RFC 768: a sum of 0 is sent as all ones */
                { "\x7b\xed",
                  "\x52\x54\x00\x12\x34\x56\x02\x00\x00\x00\x00\x01\x08\x00"
                  "\x45\x00\x00\x1e\x00\x00\x00\x00\x40\x11\xf7\x69"
                  "\xc0\xa8\x01\x01\xc0\xa8\x01\x14"
                  "\x00\x43\x00\x44\x00\x0a\xff\xff"
                  "\x7b\xed",
                  44 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                uint8_t bytes[64];

                assert_int_equal(frame_build(bytes, sizeof(bytes), &frame, rows[i].data,
                                             strlen(rows[i].data)),
                                 rows[i].n);
                assert_memory_equal(bytes, rows[i].frame, rows[i].n);
        }
}

static void what_does_not_fit_is_not_written(void **state) {
        uint8_t bytes[FRAME_OVERHEAD + 4];

        assert_int_equal(frame_build(bytes, sizeof(bytes), &frame, "abcd", 4),
                         sizeof(bytes));
        assert_int_equal(frame_build(bytes, sizeof(bytes), &frame, "abcde", 5), 0);
        assert_int_equal(frame_build(bytes, FRAME_OVERHEAD - 1, &frame, "", 0), 0);
        assert_int_equal(frame_build(bytes, 0, &frame, "", 0), 0);
        assert_int_equal(frame_build(bytes, FRAME_OVERHEAD, &frame, "", 0),
                         FRAME_OVERHEAD);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_frame_is_what_others_make_of_it),
                cmocka_unit_test(what_does_not_fit_is_not_written),
        };
        return check_run("wire/frame", tests);
}
