#include "proto/no_router.h"

#include "test/check.h"

#define MS NSEC_PER_MSEC
static const struct mac one = { { 2, 0, 0, 0, 0, 1 } }, two = { { 2, 0, 0, 0, 0, 2 } };
static const nsec_t start = 1000 * NSEC_PER_SEC;

/* iPXE's own rhythms: of 2019, and since October 2020. */
static void who_still_asks_after_a_while_is_told(void **state) {
        struct no_router s = { 0 };

        assert_false(no_router_asked(&s, 1, one, start));
        assert_false(no_router_asked(&s, 1, one, start + 250 * MS));
        assert_false(no_router_asked(&s, 1, two, start + 300 * MS));
        assert_true(no_router_asked(&s, 1, one, start + 750 * MS));
        /* The answer was lost. */
        assert_true(no_router_asked(&s, 1, one, start + 1750 * MS));
        assert_false(no_router_asked(&s, 1, two, start + 425 * MS));
        assert_false(no_router_asked(&s, 1, two, start + 675 * MS));
        assert_true(no_router_asked(&s, 1, two, start + 1175 * MS));
}

static void the_next_boot_and_another_link_begin_anew(void **state) {
        struct no_router s = { 0 };

        assert_false(no_router_asked(&s, 1, one, start));
        assert_true(no_router_asked(&s, 1, one, start + 1000 * MS));
        assert_false(no_router_asked(&s, 2, one, start + 1000 * MS));
        assert_false(no_router_asked(&s, 1, one, start + 12000 * MS));
        assert_true(no_router_asked(&s, 1, one, start + 13000 * MS));
        assert_false(no_router_asked(&s, 1, one, start)); /* the clock was set back */
        assert_true(no_router_asked(&s, 1, one, start + 1000 * MS));
}

static void nobody_is_told_where_there_is_a_router(void **state) {
        struct no_router s = { 0 };

        no_router_heard(&s, 1, 60, start);
        for (nsec_t at = 0; at < 5000 * MS; at += 500 * MS)
                assert_false(no_router_asked(&s, 1, one, start + at));
        /* That one is on another link. */
        assert_false(no_router_asked(&s, 2, one, start));
        assert_true(no_router_asked(&s, 2, one, start + 1000 * MS));
        /* It has not been heard of since. */
        assert_false(no_router_asked(&s, 1, one, start + 61000 * MS));
        assert_true(no_router_asked(&s, 1, one, start + 62000 * MS));
        no_router_heard(&s, 1, 60, start + 62000 * MS);
        assert_false(no_router_asked(&s, 1, one, start + 63000 * MS));
        no_router_heard(&s, 1, 0, start + 64000 * MS); /* it goes, and says so */
        assert_true(no_router_asked(&s, 1, one, start + 64000 * MS));
}

static void who_does_not_say_who_it_is_is_not_told(void **state) {
        struct no_router s = { 0 };

        for (nsec_t at = 0; at < 5000 * MS; at += 500 * MS)
                assert_false(no_router_asked(&s, 1, (struct mac){ { 0 } }, start + at));
}

static void the_oldest_goes_when_there_are_too_many(void **state) {
        struct no_router s = { 0 };
        struct mac mac = one;

        assert_false(no_router_asked(&s, 1, one, start));
        for (uint8_t i = 0; i < NO_ROUTER_ASKERS; i++) {
                mac.b[4] = (uint8_t)(i + 1);
                assert_false(no_router_asked(&s, 1, mac, start + i * MS + 1));
        }
        assert_true(no_router_asked(&s, 1, mac, start + 1000 * MS));
        assert_false(no_router_asked(&s, 1, one, start + 1000 * MS)); /* forgotten */
        for (int link = 1; link < 100; link++)
                no_router_heard(&s, link, 60, start + (nsec_t)link);
        assert_false(no_router_asked(&s, 99, one, start + 1000 * MS));
        assert_false(no_router_asked(&s, 99, one, start + 2000 * MS));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(who_still_asks_after_a_while_is_told),
                cmocka_unit_test(the_next_boot_and_another_link_begin_anew),
                cmocka_unit_test(nobody_is_told_where_there_is_a_router),
                cmocka_unit_test(who_does_not_say_who_it_is_is_not_told),
                cmocka_unit_test(the_oldest_goes_when_there_are_too_many),
        };

        return check_run("no_router", tests);
}
