#include "admin/watcher.h"

#include "test/check.h"

static void add(struct ring *ring, enum event_kind kind, uint8_t mac, uint64_t story) {
        struct event e = { .kind = kind,
                           .time = 90001 * NSEC_PER_SEC,
                           .story = story,
                           .mac = { { 2, 0, 0, 0, 0, mac } } };
        uint8_t packed[EVENT_PACKED_MAX];

        ring_add(ring, packed, event_pack(&e, packed, sizeof(packed)));
}

/* Six events: stories 1 1 2 1 2 2, the fourth of them for debugging only. */
static struct ring *six(void) {
        struct ring *ring;

        assert_int_equal(ring_new(&ring), 0);
        add(ring, EVENT_LEASE_RELEASED, 1, 1);
        add(ring, EVENT_LEASE_RELEASED, 1, 1);
        add(ring, EVENT_LEASE_RELEASED, 2, 2);
        add(ring, EVENT_LEASE_EXPIRED, 1, 1);
        add(ring, EVENT_LEASE_RELEASED, 2, 2);
        add(ring, EVENT_LEASE_RELEASED, 2, 2);
        return ring;
}

static void arguments_choose_what_is_seen(void **state) {
        static const struct {
                const char *arguments;
                unsigned n;
        } rows[] = {
                { "", 5 },
                { "  all  ", 6 },
                { "n=2", 2 },
                { "n=0", 0 },
                { "n=99 json", 5 },
                { "story=1", 2 },
                { "all story=1", 3 },
                { "all story=1 n=2", 2 },
                { "mac=02:00:00:00:00:02", 3 },
                { "mac=02:00:00:00:00:02 story=1", 0 },
        };
        struct ring *ring = six();

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct watcher watcher;
                struct text line = { 0 }, why = { 0 };
                uint64_t lost;
                unsigned n = 0;

                assert_true(watcher_init(&watcher, ring, rows[i].arguments, &why));
                while (watcher_next(&watcher, ring, &line, &lost) == WATCHER_LINE)
                        n++;
                assert_int_equal(watcher_next(&watcher, ring, &line, &lost),
                                 WATCHER_END);
                assert_int_equal(n, rows[i].n);
                text_done(&line);
        }
        ring_free(ring);
}

static void wrong_arguments_are_named(void **state) {
        static const char *const rows[] = { "folow",  "n=",
                                            "n=-1",   "n=1x",
                                            "mac=1",  "story=99999999999999999999",
                                            "zone=x", "zone=86401" };
        struct ring *ring = six();

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct watcher watcher;
                struct text why = { 0 };

                assert_false(watcher_init(&watcher, ring, rows[i], &why));
                assert_non_null(strstr(text_string(&why), rows[i]));
                text_done(&why);
        }
        ring_free(ring);
}

static void a_follower_waits_for_what_comes(void **state) {
        struct ring *ring = six();
        struct watcher watcher;
        struct text line = { 0 }, why = { 0 };
        uint64_t lost;

        assert_true(watcher_init(&watcher, ring, "follow n=0 zone=-3600", &why));
        assert_int_equal(watcher_next(&watcher, ring, &line, &lost), WATCHER_WAIT);
        add(ring, EVENT_LEASE_EXPIRED, 1, 1); /* not asked for */
        assert_int_equal(watcher_next(&watcher, ring, &line, &lost), WATCHER_WAIT);
        add(ring, EVENT_LEASE_RELEASED, 1, 1);
        assert_int_equal(watcher_next(&watcher, ring, &line, &lost), WATCHER_LINE);
        assert_string_equal(line.s, "00:00:01.000  02:00:00:00:00:01  released");
        assert_int_equal(watcher_next(&watcher, ring, &line, &lost), WATCHER_WAIT);
        text_done(&line);
        ring_free(ring);
}

static void who_falls_behind_is_told_how_far(void **state) {
        struct ring *ring = six();
        struct watcher watcher;
        struct text line = { 0 }, why = { 0 };
        uint64_t lost = 0;

        assert_true(watcher_init(&watcher, ring, "follow n=0", &why));
        for (unsigned i = 0; i < RING_EVENTS_MAX + 3; i++)
                add(ring, EVENT_LEASE_EXPIRED, 1, 1);
        assert_int_equal(watcher_next(&watcher, ring, &line, &lost), WATCHER_LOST);
        assert_int_equal(lost, 3);
        ring_free(ring);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(arguments_choose_what_is_seen),
                cmocka_unit_test(wrong_arguments_are_named),
                cmocka_unit_test(a_follower_waits_for_what_comes),
                cmocka_unit_test(who_falls_behind_is_told_how_far),
        };

        return check_run("watcher", tests);
}
