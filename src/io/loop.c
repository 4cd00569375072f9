/*
 * epoll, asked once a wake. A server of many small transfers spends as much on telling
 * the kernel what it wants as on getting it, so little is told. What
 * libuv is better at (signals, folders) lives in loop_guest.c and is run when its own
 * descriptor, which is one of ours, says so.
 *
 * A watch is asked about at every wake while it is ready, or, with LOOP_EDGE, told once
 * when it becomes ready; then it stays ripe, and is called at every wake, until its
 * owner says that it drained what was there. A callback may free any watch, so what
 * follows in the events of this wake is looked through then.
 */
#include "io/loop_internal.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct loop_watch {
        struct loop *loop;
        struct list in_ripe;
        int fd;
        unsigned wanted;
        unsigned asked; /* of the kernel; 0: it does not know the watch */
        bool is_edge;
        bool is_hung;   /* the peer has closed: it is never drained */
        unsigned ready; /* of an edge watch: as far as is known */
        loop_watch_fn fn;
        void *userdata;
};

struct loop_after {
        struct list in_loop;
        loop_after_fn fn;
        void *userdata;
};

int loop_new(struct loop **ret) {
        struct loop *loop = calloc(1, sizeof(*loop));
        int r;

        if (!loop)
                return -ENOMEM;
        loop->epoll = epoll_create1(EPOLL_CLOEXEC);
        if (loop->epoll < 0) {
                r = -errno;
                free(loop);
                return r;
        }
        list_init(&loop->ripe);
        list_init(&loop->afters);
        *ret = loop;
        return 0;
}

struct loop *loop_free(struct loop *loop) {
        if (!loop)
                return NULL;
        loop_guest_free(loop->guest);
        close(loop->epoll);
        free(loop->timers);
        free(loop);
        return NULL;
}

/* ---- time ---- */

static nsec_t read_clock(clockid_t id) {
        struct timespec t;

        clock_gettime(id, &t);
        return (nsec_t)t.tv_sec * NSEC_PER_SEC + (nsec_t)t.tv_nsec;
}

nsec_t loop_now(void) {
        return read_clock(CLOCK_MONOTONIC);
}

nsec_t loop_realtime(void) {
        return read_clock(CLOCK_REALTIME);
}

nsec_t loop_wake(struct loop *loop) {
        if (loop->wake == 0)
                loop->wake = loop_now();
        return loop->wake;
}

nsec_t loop_wake_realtime(struct loop *loop) {
        if (loop->wake_realtime == 0)
                loop->wake_realtime = loop_realtime();
        return loop->wake_realtime;
}

/* ---- watches ---- */

/* Tells the kernel what is wanted now. Of an edge watch it goes on telling what was
 * wanted once; but nothing before: every datagram that has left would be told. */
static int tell(struct loop_watch *watch) {
        unsigned ask = watch->wanted | (watch->is_edge ? watch->asked : 0);
        struct epoll_event event = {
                .events = (ask & LOOP_READABLE ? EPOLLIN : 0) |
                          (ask & LOOP_WRITABLE ? EPOLLOUT : 0) |
                          (watch->is_edge ? EPOLLET | EPOLLRDHUP : 0),
                .data.ptr = watch,
        };
        int how = ask == 0           ? EPOLL_CTL_DEL
                  : watch->asked > 0 ? EPOLL_CTL_MOD
                                     : EPOLL_CTL_ADD;

        if (ask == watch->asked)
                return 0;
        if (epoll_ctl(watch->loop->epoll, how, watch->fd, &event) < 0)
                return -errno;
        watch->asked = ask;
        return 0;
}

/* An edge watch is ripe while it is ready for what is wanted. */
static void ripen(struct loop_watch *watch) {
        if (!(watch->ready & watch->wanted))
                list_remove(&watch->in_ripe);
        else if (list_is_empty(&watch->in_ripe))
                list_append(&watch->loop->ripe, &watch->in_ripe);
}

int loop_watch_new(struct loop *loop, int fd, unsigned wanted, loop_watch_fn fn,
                   void *userdata, struct loop_watch **ret) {
        struct loop_watch *watch = calloc(1, sizeof(*watch));
        int r;

        if (!watch)
                return -ENOMEM;
        *watch = (struct loop_watch){ .loop = loop,
                                      .fd = fd,
                                      .wanted = wanted & ~(unsigned)LOOP_EDGE,
                                      .is_edge = (wanted & LOOP_EDGE) != 0,
                                      .fn = fn,
                                      .userdata = userdata };
        list_init(&watch->in_ripe);
        r = tell(watch);
        if (r < 0) {
                free(watch);
                return r;
        }
        loop->n_watching += watch->wanted != 0;
        *ret = watch;
        return 0;
}

void loop_watch_set(struct loop_watch *watch, unsigned wanted) {
        if (wanted == watch->wanted)
                return;
        watch->loop->n_watching += wanted != 0;
        watch->loop->n_watching -= watch->wanted != 0;
        watch->wanted = wanted;
        /* It can fail for want of memory in the kernel alone: then the owner's timer
         * comes first. */
        (void)!tell(watch);
        ripen(watch);
}

void loop_watch_drained(struct loop_watch *watch, unsigned what) {
        if (watch->is_hung)
                what &= ~(unsigned)LOOP_READABLE;
        watch->ready &= ~what;
        ripen(watch);
}

static void forget_events(struct loop *loop, const void *what) {
        for (int i = loop->next_event; i < loop->n_events; i++)
                if (loop->events[i].data.ptr == what)
                        loop->events[i].data.ptr = NULL;
}

static void forget(struct loop_watch *watch) {
        watch->loop->n_watching -= watch->wanted != 0;
        forget_events(watch->loop, watch);
        list_remove(&watch->in_ripe);
        free(watch);
}

struct loop_watch *loop_watch_free(struct loop_watch *watch) {
        if (!watch)
                return NULL;
        if (watch->asked)
                (void)epoll_ctl(watch->loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
        forget(watch);
        return NULL;
}

struct loop_watch *loop_watch_close(struct loop_watch *watch) {
        if (!watch)
                return NULL;
        close(watch->fd);
        forget(watch);
        return NULL;
}

int loop_after_new(struct loop *loop, loop_after_fn fn, void *userdata,
                   struct loop_after **ret) {
        struct loop_after *after = calloc(1, sizeof(*after));

        if (!after)
                return -ENOMEM;
        after->fn = fn;
        after->userdata = userdata;
        list_init(&after->in_loop);
        list_append(&loop->afters, &after->in_loop);
        *ret = after;
        return 0;
}

struct loop_after *loop_after_free(struct loop_after *after) {
        if (after)
                list_remove(&after->in_loop);
        free(after);
        return NULL;
}

/* ---- a wake ---- */

static bool is_alive(const struct loop *loop) {
        return loop->n_watching > 0 || loop->n_timers > 0 ||
               loop_guest_is_alive(loop->guest);
}

/* Milliseconds to sleep at the most; -1: for ever. */
static int patience(const struct loop *loop) {
        nsec_t next = loop_timers_next(loop), now;

        if (!list_is_empty(&loop->ripe) || loop_guest_is_due(loop->guest))
                return 0;
        if (next == NSEC_NEVER && loop->awake_until == 0)
                return -1;
        now = loop_now();
        if (next <= now || now < loop->awake_until)
                return 0;
        if (next == NSEC_NEVER)
                return -1;
        /* A timer never rings too early. */
        return (int)min_u64((next - now + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC,
                            INT32_MAX);
}

/* What has failed is ready for everything: the next call says what it is. */
static unsigned ready_of(uint32_t events) {
        if (events & (EPOLLHUP | EPOLLERR))
                return LOOP_READABLE | LOOP_WRITABLE;
        return (events & (EPOLLIN | EPOLLRDHUP) ? LOOP_READABLE : 0) |
               (events & EPOLLOUT ? LOOP_WRITABLE : 0);
}

static void on_event(struct loop *loop, const struct epoll_event *event) {
        struct loop_watch *watch = event->data.ptr;
        unsigned ready = ready_of(event->events);

        if (!watch)
                return; /* freed by one before it */
        if (event->data.ptr == loop) {
                loop_guest_wake(loop->guest);
                return;
        }
        if (watch->is_edge) {
                watch->is_hung |= (event->events & (EPOLLRDHUP | EPOLLHUP)) != 0;
                watch->ready |= ready;
                ripen(watch);
                return;
        }
        if (ready & watch->wanted)
                watch->fn(watch->fd, ready & watch->wanted, watch->userdata);
}

static void call_ripe(struct loop *loop) {
        struct list now;

        list_init(&now);
        while (!list_is_empty(&loop->ripe)) {
                struct list *first = loop->ripe.next;

                list_remove(first);
                list_append(&now, first);
        }
        while (!list_is_empty(&now)) {
                struct loop_watch *watch =
                        CONTAINER_OF(now.next, struct loop_watch, in_ripe);

                list_remove(&watch->in_ripe);
                list_append(&loop->ripe, &watch->in_ripe);
                watch->fn(watch->fd, watch->ready & watch->wanted, watch->userdata);
        }
}

static void wake_up(struct loop *loop) {
        loop->n_events =
                epoll_wait(loop->epoll, loop->events, LOOP_EVENTS, patience(loop));
        loop->wake = loop->wake_realtime = 0;
        for (loop->next_event = 0; loop->next_event < loop->n_events;) {
                int i = loop->next_event++;

                on_event(loop, &loop->events[i]);
        }
        loop->n_events = 0;
        call_ripe(loop);
        if (loop_guest_is_due(loop->guest))
                loop_guest_run(loop->guest);
        loop_timers_ring(loop);
        LIST_FOR_EACH(pos, &loop->afters) {
                struct loop_after *after =
                        CONTAINER_OF(pos, struct loop_after, in_loop);

                after->fn(after->userdata);
        }
}

void loop_run(struct loop *loop) {
        loop->is_stopped = false;
        while (!loop->is_stopped && is_alive(loop))
                wake_up(loop);
}

void loop_stay_awake(struct loop *loop, nsec_t until) {
        loop->awake_until = until;
}

void loop_stop(struct loop *loop) {
        loop->is_stopped = true;
}
