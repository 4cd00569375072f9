#include "admin/ring.h"

#include "test/check.h"

static void an_empty_ring_holds_nothing(void **state) {
        struct ring *ring;
        size_t n;

        assert_int_equal(ring_new(&ring), 0);
        assert_int_equal(ring_first(ring), 0);
        assert_int_equal(ring_next(ring), 0);
        assert_null(ring_get(ring, 0, &n));
        ring_free(ring);
}

static void the_latest_are_held_by_their_numbers(void **state) {
        enum { ADDED = RING_EVENTS_MAX * 2 + 5 };
        struct ring *ring;
        size_t n = 0;

        assert_int_equal(ring_new(&ring), 0);
        for (uint64_t i = 0; i < ADDED; i++)
                ring_add(ring, &i, sizeof(i));
        assert_int_equal(ring_next(ring), ADDED);
        assert_int_equal(ring_first(ring), ADDED - RING_EVENTS_MAX);
        for (uint64_t i = ring_first(ring); i < ring_next(ring); i++) {
                assert_memory_equal(ring_get(ring, i, &n), &i, sizeof(i));
                assert_int_equal(n, sizeof(i));
        }
        assert_null(ring_get(ring, ring_first(ring) - 1, &n));
        assert_null(ring_get(ring, ring_next(ring), &n));
        ring_free(ring);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_empty_ring_holds_nothing),
                cmocka_unit_test(the_latest_are_held_by_their_numbers),
        };

        return check_run("ring", tests);
}
