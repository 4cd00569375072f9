#include "io/loop.h"

#include <sys/socket.h>
#include <unistd.h>

#include "test/check.h"

static struct loop *loop;

static void make_loop(void) {
        assert_int_equal(loop_new(&loop), 0);
}

static void make_pair(int fds[static 2]) {
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
}

/* One wake of the loop, or two: whatever is ready is called at least once. */
static void stop(void *userdata) {
        loop_stop(loop);
}

static void run_once(void) {
        struct loop_timer *timer;

        assert_int_equal(loop_timer_new(loop, stop, NULL, &timer), 0);
        loop_timer_set(timer, loop_now());
        loop_run(loop);
        loop_timer_free(timer);
}

static struct watched {
        struct loop_watch *watch;
        int fd, n_calls, n_got;
        unsigned ready;
        bool is_draining;
} one, other;

static void take_a_byte(int fd, unsigned ready, void *userdata) {
        struct watched *w = userdata;
        char byte;
        ssize_t n = recv(fd, &byte, 1, 0);

        w->n_calls++;
        w->ready |= ready;
        w->n_got += n > 0;
        if (w->is_draining && n < 0 && errno == EAGAIN)
                loop_watch_drained(w->watch, LOOP_READABLE);
}

static void an_edge_watch_is_called_until_it_is_drained(void **state) {
        int fds[2];

        make_loop();
        make_pair(fds);
        one = (struct watched){ .is_draining = true };
        assert_int_equal(loop_watch_new(loop, fds[0], LOOP_READABLE | LOOP_EDGE,
                                        take_a_byte, &one, &one.watch),
                         0);
        for (int round = 1; round <= 3; round++) {
                assert_int_equal(send(fds[1], "12345", 5, 0), 5);
                while (one.n_got < 5 * round)
                        run_once();
                while (one.n_calls < 6 * round)
                        run_once();
                run_once();
                run_once();
                assert_int_equal(one.n_calls, 6 * round);
        }
        assert_int_equal(one.ready, LOOP_READABLE);
        /* What is not wanted is kept until it is. */
        loop_watch_set(one.watch, 0);
        assert_int_equal(send(fds[1], "1", 1, 0), 1);
        run_once();
        assert_int_equal(one.n_calls, 18);
        loop_watch_set(one.watch, LOOP_READABLE);
        while (one.n_got < 16)
                run_once();
        loop_watch_set(one.watch, LOOP_READABLE | LOOP_WRITABLE);
        while (!(one.ready & LOOP_WRITABLE))
                run_once();
        loop_watch_close(one.watch);
        close(fds[1]);
        loop_free(loop);
}

static void find_the_end(int fd, unsigned ready, void *userdata) {
        struct watched *w = userdata;
        char bytes[8];

        w->n_calls++;
        if (recv(fd, bytes, sizeof(bytes), 0) == 0)
                w->n_got++;
        /* It got less than it asked for, and the end comes behind that. */
        loop_watch_drained(w->watch, LOOP_READABLE);
}

static void an_end_behind_the_last_bytes_is_not_drained_with_them(void **state) {
        int fds[2];

        make_loop();
        make_pair(fds);
        one = (struct watched){ 0 };
        assert_int_equal(send(fds[1], "12", 2, 0), 2);
        close(fds[1]);
        assert_int_equal(loop_watch_new(loop, fds[0], LOOP_READABLE | LOOP_EDGE,
                                        find_the_end, &one, &one.watch),
                         0);
        for (int i = 0; i < 10 && one.n_got == 0; i++)
                run_once();
        assert_true(one.n_got > 0);
        loop_watch_close(one.watch);
        loop_free(loop);
}

static void free_the_other(int fd, unsigned ready, void *userdata) {
        struct watched *w = userdata, *victim = w == &one ? &other : &one;

        w->n_calls++;
        victim->watch = loop_watch_free(victim->watch);
        loop_watch_set(w->watch, 0);
}

static void a_watch_that_was_freed_is_not_called(void **state) {
        for (unsigned flags = 0; flags <= LOOP_EDGE; flags += LOOP_EDGE) {
                int first[2], second[2];

                make_loop();
                make_pair(first);
                make_pair(second);
                one = other = (struct watched){ 0 };
                assert_int_equal(loop_watch_new(loop, first[0], LOOP_READABLE | flags,
                                                free_the_other, &one, &one.watch),
                                 0);
                assert_int_equal(loop_watch_new(loop, second[0], LOOP_READABLE | flags,
                                                free_the_other, &other, &other.watch),
                                 0);
                assert_int_equal(send(first[1], "1", 1, 0), 1);
                assert_int_equal(send(second[1], "1", 1, 0), 1);
                run_once();
                run_once();
                assert_int_equal(one.n_calls + other.n_calls, 1);
                loop_watch_free(one.watch);
                loop_watch_free(other.watch);
                loop_free(loop);
                for (int i = 0; i < 2; i++) {
                        close(first[i]);
                        close(second[i]);
                }
        }
}

static void count_call(int fd, unsigned ready, void *userdata) {
        struct watched *w = userdata;

        w->n_calls++;
        w->ready |= ready;
        loop_watch_set(w->watch, 0);
}

static void what_has_failed_is_ready_for_what_is_wanted(void **state) {
        for (unsigned flags = 0; flags <= LOOP_EDGE; flags += LOOP_EDGE) {
                int fds[2];

                make_loop();
                make_pair(fds);
                close(fds[1]);
                one = (struct watched){ 0 };
                assert_int_equal(loop_watch_new(loop, fds[0], LOOP_WRITABLE | flags,
                                                count_call, &one, &one.watch),
                                 0);
                for (int i = 0; i < 10 && one.n_calls == 0; i++)
                        run_once();
                assert_int_equal(one.n_calls, 1);
                assert_int_equal(one.ready, LOOP_WRITABLE);
                loop_watch_close(one.watch);
                loop_free(loop);
        }
}

enum { TIMERS = 300 };
static struct ringing {
        struct loop_timer *timer;
        nsec_t when;
} all[TIMERS];
static nsec_t last;
static int n_rung;

static void ring(void *userdata) {
        struct ringing *r = userdata;

        assert_true(r->when >= last);
        last = r->when;
        n_rung++;
}

static void timers_ring_in_order_wherever_they_were(void **state) {
        nsec_t past = loop_now() - NSEC_PER_SEC;
        uint32_t random = 7;
        int n_armed = 0;

        make_loop();
        for (int i = 0; i < TIMERS; i++)
                assert_int_equal(loop_timer_new(loop, ring, &all[i], &all[i].timer), 0);
        for (int i = 0; i < 4 * TIMERS; i++) {
                struct ringing *r = &all[(random >> 8) % TIMERS];

                random = random * 1103515245 + 12345;
                r->when = i % 5 == 4 ? NSEC_NEVER : past + (random >> 8) % 1000;
                if (r->timer)
                        loop_timer_set(r->timer, r->when);
                if (i % 31 == 30)
                        r->timer = loop_timer_free(r->timer);
        }
        for (int i = 0; i < TIMERS; i++)
                n_armed +=
                        all[i].timer && all[i].when != 0 && all[i].when != NSEC_NEVER;
        assert_true(n_armed > TIMERS / 2);
        for (int i = 0; i < 10 && n_rung < n_armed; i++)
                run_once();
        assert_int_equal(n_rung, n_armed);
        for (int i = 0; i < TIMERS; i++)
                loop_timer_free(all[i].timer);
        loop_free(loop);
}

static nsec_t seen[2];

static void look_twice(void *userdata) {
        nsec_t before = loop_wake(loop);

        while (loop_now() == before)
                ;
        assert_int_equal(loop_wake(loop), before);
        seen[n_rung++] = before;
        loop_stop(loop);
}

static void a_wake_is_one_moment_and_the_next_another(void **state) {
        struct loop_timer *timer;

        make_loop();
        n_rung = 0;
        assert_int_equal(loop_timer_new(loop, look_twice, NULL, &timer), 0);
        for (int i = 0; i < 2; i++) {
                loop_timer_set(timer, loop_now());
                loop_run(loop);
        }
        assert_true(seen[1] > seen[0]);
        loop_timer_free(timer);
        loop_free(loop);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_edge_watch_is_called_until_it_is_drained),
                cmocka_unit_test(an_end_behind_the_last_bytes_is_not_drained_with_them),
                cmocka_unit_test(a_watch_that_was_freed_is_not_called),
                cmocka_unit_test(what_has_failed_is_ready_for_what_is_wanted),
                cmocka_unit_test(timers_ring_in_order_wherever_they_were),
                cmocka_unit_test(a_wake_is_one_moment_and_the_next_another),
        };
        return check_run("io/loop", tests);
}
