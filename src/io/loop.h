#pragma once
/*
 * The event loop of a role: descriptors and timers by epoll, signals and folders by
 * libuv.
 * Single-threaded; a callback may free any handle, its own included.
 *
 * Handles are freed by their own *_free(), which takes NULL, returns NULL and never
 * closes a descriptor it was given. Failures of the machine come back as -errno.
 */
#include "base/base.h"

struct loop;
struct loop_watch;
struct loop_timer;
struct loop_signal;
struct loop_folder;
struct loop_after;

enum { LOOP_READABLE = 1, LOOP_WRITABLE = 2, LOOP_EDGE = 4 };

MUST_USE int loop_new(struct loop **ret);
struct loop *loop_free(struct loop *loop);
/* Runs until loop_stop(). */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
/* Until then the loop looks for events without going to sleep. For an answer that comes
 * sooner than a sleeper wakes up, which takes some 30 us. */
void loop_stay_awake(struct loop *loop, nsec_t until);

nsec_t loop_now(void);      /* monotonic; for deadlines */
nsec_t loop_realtime(void); /* since 1970; for leases and events */
/* The same, as they were when somebody first asked in this wake: for deadlines and
 * dates that do not mind the while that a wake takes. */
nsec_t loop_wake(struct loop *loop);
nsec_t loop_wake_realtime(struct loop *loop);

typedef void (*loop_watch_fn)(int fd, unsigned ready, void *userdata);
/* `fd` is borrowed, must be non-blocking and outlive the watch. A hang-up or an error
 * counts as what is wanted: the next read or write says what it is. */
MUST_USE int loop_watch_new(struct loop *loop, int fd, unsigned wanted,
                            loop_watch_fn fn, void *userdata, struct loop_watch **ret);
void loop_watch_set(struct loop_watch *watch, unsigned wanted); /* 0 pauses */
struct loop_watch *loop_watch_free(struct loop_watch *watch);
/* The same, and closes the descriptor, of which nobody has a copy: the kernel forgets
 * the watch with it. */
struct loop_watch *loop_watch_close(struct loop_watch *watch);
/* With LOOP_EDGE beside what is wanted at first, the kernel is told once about a watch
 * and tells once when it becomes ready. It is called again and again, then, until its
 * owner says what it has drained: a read or a write said EAGAIN, or took less than it
 * could have. */
void loop_watch_drained(struct loop_watch *watch, unsigned what);

typedef void (*loop_timer_fn)(void *userdata);
MUST_USE int loop_timer_new(struct loop *loop, loop_timer_fn fn, void *userdata,
                            struct loop_timer **ret);
/* One shot, at a point of loop_now(); NSEC_NEVER disarms. */
void loop_timer_set(struct loop_timer *timer, nsec_t when);
struct loop_timer *loop_timer_free(struct loop_timer *timer);

typedef void (*loop_signal_fn)(int number, void *userdata);
MUST_USE int loop_signal_new(struct loop *loop, int number, loop_signal_fn fn,
                             void *userdata, struct loop_signal **ret);
struct loop_signal *loop_signal_free(struct loop_signal *handle);

/* Called once after all that was ready at one wake has been handled: what was put off
 * until then leaves together, and wakes its receivers once. */
typedef void (*loop_after_fn)(void *userdata);
MUST_USE int loop_after_new(struct loop *loop, loop_after_fn fn, void *userdata,
                            struct loop_after **ret);
struct loop_after *loop_after_free(struct loop_after *after);

/* Called when something in the folder (not below it) changed; `name` may be NULL
 * when the kernel does not say which. Changes come in bursts: look once, later. */
typedef void (*loop_folder_fn)(const char *name, void *userdata);
MUST_USE int loop_folder_new(struct loop *loop, const char *path, loop_folder_fn fn,
                             void *userdata, struct loop_folder **ret);
struct loop_folder *loop_folder_free(struct loop_folder *folder);
