#include "wire/icmp.h"

#include "test/check.h"
#include "wire/checksum.h"

/* All as another implementation (scapy) writes them. */
static const char echo[] = "\x08\x00\xa1\xf2\x12\x34\x00\x07hello";
static const char reply[] = "\x45\x00\x00\x21\x00\x01\x00\x00\x40\x01\xf7\x70\xc0\xa8"
                            "\x01\x14\xc0\xa8\x01\x06"
                            "\x00\x00\xa9\xf2\x12\x34\x00\x07hello";
static const char with_options[] =
        "\x46\x00\x00\x25\x00\x01\x00\x00\x40\x01\x62\x68\xc0\xa8\x01\x14\xc0\xa8\x01"
        "\x06"
        "\x94\x04\x00\x00\x00\x00\xa9\xf2\x12\x34\x00\x07hello";

static void an_echo_is_what_others_make_of_it(void **state) {
        const struct icmp_echo sent = { .identifier = 0x1234,
                                        .sequence = 7,
                                        .data = { (const uint8_t *)"hello", 5 } };
        uint8_t bytes[13];

        assert_int_equal(icmp_build_echo(bytes, sizeof(bytes), &sent), 13);
        assert_memory_equal(bytes, echo, 13);
        assert_int_equal(icmp_build_echo(bytes, 12, &sent), 0);
        assert_int_equal(icmp_build_echo(bytes, 0, &sent), 0);
}

static void check_reply(const char *data, size_t n) {
        struct icmp_echo got;

        assert_true(icmp_parse_reply(data, n, &got));
        assert_int_equal(got.from, 0xc0a80114);
        assert_int_equal(got.identifier, 0x1234);
        assert_int_equal(got.sequence, 7);
        assert_int_equal(got.data.n, 5);
        assert_memory_equal(got.data.data, "hello", 5);
}

static void a_reply_brings_back_what_was_sent(void **state) {
        char padded[60] = { 0 };

        check_reply(reply, sizeof(reply) - 1);
        check_reply(with_options, sizeof(with_options) - 1);
        memcpy(padded, reply, sizeof(reply) - 1);
        check_reply(padded, sizeof(padded));
}

static void what_is_no_whole_reply_is_none(void **state) {
        static const struct {
                size_t at;
                char byte;
        } rows[] = {
                { 0, 0x65 }, /* IPv6 */
                { 0, 0x44 }, /* a header shorter than there is */
                { 0, 0x4f }, /* longer than the datagram */
                { 3, 27 },   /* a datagram that ends within the ICMP header */
                { 9, 17 },   /* UDP */
                { 20, 3 },   /* unreachable */
                { 21, 1 },   /* no such code */
                { 32, 'x' }, /* not what the sum says */
        };
        struct icmp_echo got = { .from = 42 };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                char bytes[sizeof(reply)];

                memcpy(bytes, reply, sizeof(bytes));
                bytes[rows[i].at] = rows[i].byte;
                if (rows[i].at < 22) { /* for its own reason, not for the sum's */
                        store_be16((uint8_t *)bytes + 22, 0);
                        store_be16((uint8_t *)bytes + 22,
                                   checksum_fold(
                                           checksum_add(0, (uint8_t *)bytes + 20, 13)));
                }
                assert_false(icmp_parse_reply(bytes, sizeof(reply) - 1, &got));
        }
        for (size_t n = 0; n < sizeof(reply) - 1; n++)
                assert_false(icmp_parse_reply(reply, n, &got));
        assert_int_equal(got.from, 42);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_echo_is_what_others_make_of_it),
                cmocka_unit_test(a_reply_brings_back_what_was_sent),
                cmocka_unit_test(what_is_no_whole_reply_is_none),
        };
        return check_run("wire/icmp", tests);
}
