#pragma once
/* What the parts of the loop share; nobody else includes it. */
#include "base/list.h"
#include "io/loop.h"

#include <sys/epoll.h>

enum { LOOP_EVENTS = 256 };

struct loop {
        int epoll;
        struct epoll_event events[LOOP_EVENTS]; /* of this wake */
        int n_events, next_event;
        struct list ripe;   /* edge watches whose owner has more to do */
        struct list afters; /* called at the end of a wake */
        size_t n_watching;
        struct loop_timer **timers; /* a heap: the first rings first */
        size_t n_timers, timers_room, n_timers_made;
        nsec_t wake, wake_realtime; /* when this wake began; 0: not looked yet */
        nsec_t awake_until;
        bool is_stopped;
        struct loop_guest *guest; /* libuv; NULL until it is needed */
};

/* ---- loop_timer.c ---- */

/* When the first one rings; NSEC_NEVER: none. */
nsec_t loop_timers_next(const struct loop *loop);
void loop_timers_ring(struct loop *loop);

/* ---- loop_guest.c: what libuv does for us ---- */

/* Whether it wants to run before anybody sleeps, or has something open. */
bool loop_guest_is_due(const struct loop_guest *guest);
bool loop_guest_is_alive(const struct loop_guest *guest);
/* What the loop watches for it is ready. */
void loop_guest_wake(struct loop_guest *guest);
void loop_guest_run(struct loop_guest *guest);
struct loop_guest *loop_guest_free(struct loop_guest *guest);
