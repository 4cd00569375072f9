#include "wire/nd.h"

#include "test/check.h"

/* As scapy writes them. */
#define SOLICITATION "\x85\x00\x1c\x2d\x00\x00\x00\x00"
#define SOURCE       "\x01\x01\x52\x54\x00\x12\x34\x56"
#define PREFIX                                                                         \
        "\x03\x04\x40\xc0\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00"             \
        "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
#define ADVERTISEMENT "\x86\x00\x5c\x11\x40\x00\x07\x08\x00\x00\x00\x00\x00\x00\x00\x00"

static void a_question_says_who_asks(void **state) {
        static const char plain[] = SOLICITATION, named[] = SOLICITATION SOURCE;
        static const struct mac mac = { { 0x52, 0x54, 0, 0x12, 0x34, 0x56 } };
        struct nd_message m;

        assert_true(nd_parse(named, sizeof(named) - 1, &m));
        assert_false(m.is_advertisement);
        assert_true(mac_is_equal(m.mac, mac));
        assert_true(nd_parse(plain, sizeof(plain) - 1, &m));
        assert_true(mac_is_zero(m.mac));
}

static void a_router_says_how_long_it_is_one(void **state) {
        static const char bytes[] = ADVERTISEMENT PREFIX SOURCE;
        struct nd_message m;

        assert_true(nd_parse(bytes, sizeof(bytes) - 1, &m));
        assert_true(m.is_advertisement);
        assert_int_equal(m.lifetime, 1800);
        assert_true(mac_is_zero(m.mac));
}

static void what_is_cut_or_something_else_is_dropped(void **state) {
        static const char named[] = SOLICITATION SOURCE;
        static const char neighbour[] = "\x87\x00\x00\x00\x00\x00\x00\x00";
        static const char coded[] = "\x85\x01\x00\x00\x00\x00\x00\x00";
        static const char empty_option[] = SOLICITATION "\x01\x00\0\0\0\0\0\0";
        static const char long_option[] = SOLICITATION "\x0e\x02\0\0\0\0\0\0";
        struct nd_message m;

        for (size_t cut = 0; cut < sizeof(named) - 1; cut++) {
                uint8_t *exact = test_malloc(cut + 1);

                memcpy(exact, named, cut);
                assert_int_equal(nd_parse(exact, cut, &m), cut == 8);
                test_free(exact);
        }
        assert_false(nd_parse(neighbour, 8, &m));
        assert_false(nd_parse(coded, 8, &m));
        assert_false(nd_parse(empty_option, 16, &m));
        assert_false(nd_parse(long_option, 16, &m));
        assert_false(nd_parse(ADVERTISEMENT, 15, &m));
}

static void who_is_no_router_offers_nothing(void **state) {
        uint8_t bytes[ND_ADVERTISEMENT_SIZE];
        struct nd_message m;

        nd_build_no_router(bytes);
        assert_true(nd_parse(bytes, sizeof(bytes), &m));
        assert_true(m.is_advertisement);
        assert_int_equal(m.lifetime, 0);
        for (size_t i = 1; i < sizeof(bytes); i++)
                assert_int_equal(bytes[i], 0); /* no hop limit, flag, time or option */
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_question_says_who_asks),
                cmocka_unit_test(a_router_says_how_long_it_is_one),
                cmocka_unit_test(what_is_cut_or_something_else_is_dropped),
                cmocka_unit_test(who_is_no_router_offers_nothing),
        };

        return check_run("nd", tests);
}
