#include "wire/frame.h"

#include "test/check.h"
#include "wire/checksum.h"

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

/* As another implementation (scapy) writes it, without and with options of IP. */
static const char datagram[] = "\x45\x00\x00\x21\x00\x01\x00\x00\x40\x11\xf7\x65\xc0"
                               "\xa8\x01\x01\xc0\xa8\x01\x14"
                               "\x00\x43\x00\x44\x00\x0d\x38\x15hello";
static const char with_options[] =
        "\x46\x00\x00\x25\x00\x01\x00\x00\x40\x11\x62\x5d\xc0\xa8\x01\x01\xc0\xa8\x01"
        "\x14"
        "\x94\x04\x00\x00\x00\x43\x00\x44\x00\x0d\x38\x15hello";

static void check_datagram(const void *data, size_t n) {
        struct frame got;
        struct span payload;

        assert_int_equal(frame_parse(data, n, true, &got, &payload), 0);
        assert_int_equal(got.from, frame.from);
        assert_int_equal(got.to, frame.to);
        assert_int_equal(got.from_port, 67);
        assert_int_equal(got.to_port, 68);
        assert_int_equal(payload.n, 5);
        assert_memory_equal(payload.data, "hello", 5);
}

static void what_is_overheard_is_read(void **state) {
        uint8_t built[FRAME_OVERHEAD + 5];
        char padded[60] = { 0 };

        check_datagram(datagram, sizeof(datagram) - 1);
        check_datagram(with_options, sizeof(with_options) - 1);
        memcpy(padded, datagram, sizeof(datagram) - 1);
        check_datagram(padded, sizeof(padded));
        assert_int_equal(frame_build(built, sizeof(built), &frame, "hello", 5),
                         sizeof(built));
        check_datagram(built + FRAME_ETHERNET, sizeof(built) - FRAME_ETHERNET);
}

/* The headers' sum is made right again, so that each row fails for its own reason. */
static void what_is_no_whole_datagram_is_refused(void **state) {
        static const struct {
                size_t at;
                uint8_t byte;
                int answer;
        } rows[] = {
                { 0, 0x65, FRAME_NOT_UDP },  /* IPv6 */
                { 0, 0x44, FRAME_CUT },      /* a header shorter than there is */
                { 0, 0x4f, FRAME_CUT },      /* longer than the datagram */
                { 3, 19, FRAME_CUT },        /* a datagram shorter than its header */
                { 3, 27, FRAME_CUT },        /* that ends within UDP's header */
                { 3, 34, FRAME_CUT },        /* longer than what came */
                { 6, 0x20, FRAME_FRAGMENT }, /* the first one */
                { 7, 0x01, FRAME_FRAGMENT }, /* the last one */
                { 9, 1, FRAME_NOT_UDP },     /* ICMP */
                { 25, 7, FRAME_CUT },        /* UDP shorter than its header */
                { 25, 14, FRAME_CUT },       /* longer than the datagram */
                { 32, 'x', FRAME_BAD_SUM },  /* not what the sum says */
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                uint8_t bytes[sizeof(datagram)];
                struct frame got = { .from_port = 42 };
                struct span payload;

                memcpy(bytes, datagram, sizeof(bytes));
                bytes[rows[i].at] = rows[i].byte;
                store_be16(bytes + 10, 0);
                store_be16(bytes + 10, checksum_fold(checksum_add(0, bytes, 20)));
                assert_int_equal(
                        frame_parse(bytes, sizeof(datagram) - 1, true, &got, &payload),
                        rows[i].answer);
                assert_int_equal(got.from_port, 42);
        }
}

static void a_datagram_that_is_cut_anywhere_is_refused(void **state) {
        struct frame got;
        struct span payload;

        for (size_t n = 0; n < sizeof(datagram) - 1; n++)
                assert_int_equal(frame_parse(datagram, n, false, &got, &payload),
                                 FRAME_CUT);
}

static void a_sum_is_checked_where_there_is_one(void **state) {
        uint8_t bytes[sizeof(datagram) - 1];
        struct frame got;
        struct span payload;

        memcpy(bytes, datagram, sizeof(bytes));
        bytes[26] ^= 1; /* of UDP */
        assert_int_equal(frame_parse(bytes, sizeof(bytes), true, &got, &payload),
                         FRAME_BAD_SUM);
        assert_int_equal(frame_parse(bytes, sizeof(bytes), false, &got, &payload), 0);
        store_be16(bytes + 26, 0); /* RFC 768: none was made */
        assert_int_equal(frame_parse(bytes, sizeof(bytes), true, &got, &payload), 0);
        bytes[10] ^= 1; /* of IP, which every sender makes itself */
        assert_int_equal(frame_parse(bytes, sizeof(bytes), false, &got, &payload),
                         FRAME_BAD_SUM);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_frame_is_what_others_make_of_it),
                cmocka_unit_test(what_does_not_fit_is_not_written),
                cmocka_unit_test(what_is_overheard_is_read),
                cmocka_unit_test(what_is_no_whole_datagram_is_refused),
                cmocka_unit_test(a_datagram_that_is_cut_anywhere_is_refused),
                cmocka_unit_test(a_sum_is_checked_where_there_is_one),
        };
        return check_run("wire/frame", tests);
}
