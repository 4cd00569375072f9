/*
 * Timers: a binary heap of pointers, each of which knows its place, so that one may be
 * moved or freed wherever it is.
 */
#include "io/loop_internal.h"

#include <stdlib.h>

enum { ROOM_AT_FIRST = 64 };
#define NOWHERE SIZE_MAX

struct loop_timer {
        struct loop *loop;
        size_t at; /* in the heap; NOWHERE: disarmed */
        nsec_t when;
        loop_timer_fn fn;
        void *userdata;
};

nsec_t loop_timers_next(const struct loop *loop) {
        return loop->n_timers > 0 ? loop->timers[0]->when : NSEC_NEVER;
}

static void put(struct loop *loop, size_t at, struct loop_timer *timer) {
        loop->timers[at] = timer;
        timer->at = at;
}

/* Finds its place from `at` on, towards the first or away from it. */
static void settle(struct loop *loop, size_t at, struct loop_timer *timer) {
        while (at > 0 && loop->timers[(at - 1) / 2]->when > timer->when) {
                put(loop, at, loop->timers[(at - 1) / 2]);
                at = (at - 1) / 2;
        }
        for (;;) {
                size_t child = 2 * at + 1;

                if (child + 1 < loop->n_timers &&
                    loop->timers[child + 1]->when < loop->timers[child]->when)
                        child++;
                if (child >= loop->n_timers || loop->timers[child]->when >= timer->when)
                        break;
                put(loop, at, loop->timers[child]);
                at = child;
        }
        put(loop, at, timer);
}

static void disarm(struct loop_timer *timer) {
        struct loop *loop = timer->loop;
        struct loop_timer *last;

        if (timer->at == NOWHERE)
                return;
        last = loop->timers[--loop->n_timers];
        if (last != timer)
                settle(loop, timer->at, last);
        timer->at = NOWHERE;
}

/* There is room for every timer that exists, so that arming one cannot fail. */
static int make_room(struct loop *loop) {
        size_t room = loop->timers_room ? loop->timers_room * 2 : ROOM_AT_FIRST;
        struct loop_timer **grown;

        if (loop->n_timers_made < loop->timers_room)
                return 0;
        grown = realloc(loop->timers, room * sizeof(struct loop_timer *));
        if (!grown)
                return -ENOMEM;
        loop->timers = grown;
        loop->timers_room = room;
        return 0;
}

int loop_timer_new(struct loop *loop, loop_timer_fn fn, void *userdata,
                   struct loop_timer **ret) {
        struct loop_timer *timer = calloc(1, sizeof(*timer));

        if (!timer || make_room(loop) < 0) {
                free(timer);
                return -ENOMEM;
        }
        *timer = (struct loop_timer){
                .loop = loop, .at = NOWHERE, .fn = fn, .userdata = userdata
        };
        loop->n_timers_made++;
        *ret = timer;
        return 0;
}

void loop_timer_set(struct loop_timer *timer, nsec_t when) {
        if (when == NSEC_NEVER) {
                disarm(timer);
                return;
        }
        timer->when = when;
        settle(timer->loop, timer->at == NOWHERE ? timer->loop->n_timers++ : timer->at,
               timer);
}

struct loop_timer *loop_timer_free(struct loop_timer *timer) {
        if (!timer)
                return NULL;
        disarm(timer);
        timer->loop->n_timers_made--;
        free(timer);
        return NULL;
}

void loop_timers_ring(struct loop *loop) {
        nsec_t now;

        if (loop->n_timers == 0)
                return;
        now = loop_now();
        /* What a timer arms for now rings at the next wake. */
        for (size_t left = loop->n_timers; left > 0 && loop_timers_next(loop) <= now;
             left--) {
                struct loop_timer *timer = loop->timers[0];

                disarm(timer);
                timer->fn(timer->userdata);
        }
}
