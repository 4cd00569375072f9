/*
 * libuv, thinned to what roles need. Every handle is a heap object whose memory goes
 * back in libuv's close callback, so a callback may free the handle it came from.
 */
#include "io/loop.h"

#include <stdlib.h>
#include <time.h>

#include <uv.h>

struct loop {
        uv_loop_t uv;
        nsec_t awake_until;
        bool is_stopped;
};

struct loop_watch {
        uv_poll_t uv;
        int fd;
        unsigned wanted;
        loop_watch_fn fn;
        void *userdata;
};

struct loop_timer {
        uv_timer_t uv;
        loop_timer_fn fn;
        void *userdata;
};

struct loop_signal {
        uv_signal_t uv;
        loop_signal_fn fn;
        void *userdata;
};

struct loop_after {
        uv_check_t uv;
        loop_after_fn fn;
        void *userdata;
};

struct loop_folder {
        uv_fs_event_t uv;
        loop_folder_fn fn;
        void *userdata;
};

static void free_handle(uv_handle_t *handle) {
        free(handle->data);
}

static void close_handle(void *owner, uv_handle_t *handle) {
        handle->data = owner;
        if (!uv_is_closing(handle))
                uv_close(handle, free_handle);
}

int loop_new(struct loop **ret) {
        struct loop *loop = calloc(1, sizeof(*loop));
        int r;

        if (!loop)
                return -ENOMEM;
        r = uv_loop_init(&loop->uv);
        if (r < 0) {
                free(loop);
                return r;
        }
        *ret = loop;
        return 0;
}

struct loop *loop_free(struct loop *loop) {
        if (!loop)
                return NULL;
        uv_run(&loop->uv, UV_RUN_NOWAIT); /* the close callbacks that are due */
        if (uv_loop_close(&loop->uv) == 0)
                free(loop);
        return NULL;
}

void loop_run(struct loop *loop) {
        bool is_alive = true;

        loop->is_stopped = false;
        while (is_alive && !loop->is_stopped) {
                bool is_awake = loop->awake_until > 0 && loop_now() < loop->awake_until;

                is_alive = uv_run(&loop->uv, is_awake ? UV_RUN_NOWAIT : UV_RUN_ONCE);
        }
}

void loop_stay_awake(struct loop *loop, nsec_t until) {
        loop->awake_until = until;
}

void loop_stop(struct loop *loop) {
        loop->is_stopped = true;
        uv_stop(&loop->uv);
}

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

static void on_poll(uv_poll_t *uv, int status, int events) {
        struct loop_watch *watch = CONTAINER_OF(uv, struct loop_watch, uv);
        unsigned ready = 0;

        if (status < 0 || events & (UV_READABLE | UV_DISCONNECT))
                ready |= LOOP_READABLE;
        if (events & UV_WRITABLE)
                ready |= LOOP_WRITABLE;
        watch->fn(watch->fd, ready, watch->userdata);
}

int loop_watch_new(struct loop *loop, int fd, unsigned wanted, loop_watch_fn fn,
                   void *userdata, struct loop_watch **ret) {
        struct loop_watch *watch = calloc(1, sizeof(*watch));
        int r;

        if (!watch)
                return -ENOMEM;
        *watch = (struct loop_watch){ .fd = fd, .fn = fn, .userdata = userdata };
        r = uv_poll_init(&loop->uv, &watch->uv, fd);
        if (r < 0) {
                free(watch);
                return r;
        }
        loop_watch_set(watch, wanted);
        *ret = watch;
        return 0;
}

void loop_watch_set(struct loop_watch *watch, unsigned wanted) {
        int events = (wanted & LOOP_READABLE ? UV_READABLE : 0) |
                     (wanted & LOOP_WRITABLE ? UV_WRITABLE : 0);

        /* libuv asks the kernel anew for what it has already. */
        if (wanted == watch->wanted)
                return;
        watch->wanted = wanted;
        if (events)
                uv_poll_start(&watch->uv, events, on_poll);
        else
                uv_poll_stop(&watch->uv);
}

struct loop_watch *loop_watch_free(struct loop_watch *watch) {
        if (watch)
                close_handle(watch, (uv_handle_t *)&watch->uv);
        return NULL;
}

static void on_timer(uv_timer_t *uv) {
        struct loop_timer *timer = CONTAINER_OF(uv, struct loop_timer, uv);
        timer->fn(timer->userdata);
}

int loop_timer_new(struct loop *loop, loop_timer_fn fn, void *userdata,
                   struct loop_timer **ret) {
        struct loop_timer *timer = calloc(1, sizeof(*timer));

        if (!timer)
                return -ENOMEM;
        timer->fn = fn;
        timer->userdata = userdata;
        uv_timer_init(&loop->uv, &timer->uv);
        *ret = timer;
        return 0;
}

void loop_timer_set(struct loop_timer *timer, nsec_t when) {
        nsec_t now = loop_now();
        uint64_t msec =
                when > now ? (when - now + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC : 0;

        if (when == NSEC_NEVER) {
                uv_timer_stop(&timer->uv);
                return;
        }
        uv_update_time(timer->uv.loop);
        uv_timer_start(&timer->uv, on_timer, msec, 0);
}

struct loop_timer *loop_timer_free(struct loop_timer *timer) {
        if (timer)
                close_handle(timer, (uv_handle_t *)&timer->uv);
        return NULL;
}

static void on_signal(uv_signal_t *uv, int number) {
        struct loop_signal *handle = CONTAINER_OF(uv, struct loop_signal, uv);
        handle->fn(number, handle->userdata);
}

int loop_signal_new(struct loop *loop, int number, loop_signal_fn fn, void *userdata,
                    struct loop_signal **ret) {
        struct loop_signal *handle = calloc(1, sizeof(*handle));
        int r;

        if (!handle)
                return -ENOMEM;
        handle->fn = fn;
        handle->userdata = userdata;
        uv_signal_init(&loop->uv, &handle->uv);
        r = uv_signal_start(&handle->uv, on_signal, number);
        if (r < 0) {
                loop_signal_free(handle);
                return r;
        }
        *ret = handle;
        return 0;
}

struct loop_signal *loop_signal_free(struct loop_signal *handle) {
        if (handle)
                close_handle(handle, (uv_handle_t *)&handle->uv);
        return NULL;
}

static void on_folder(uv_fs_event_t *uv, const char *name, int events, int status) {
        struct loop_folder *folder = CONTAINER_OF(uv, struct loop_folder, uv);

        (void)events;
        (void)status;
        folder->fn(name, folder->userdata);
}

int loop_folder_new(struct loop *loop, const char *path, loop_folder_fn fn,
                    void *userdata, struct loop_folder **ret) {
        struct loop_folder *folder = calloc(1, sizeof(*folder));
        int r;

        if (!folder)
                return -ENOMEM;
        folder->fn = fn;
        folder->userdata = userdata;
        uv_fs_event_init(&loop->uv, &folder->uv);
        r = uv_fs_event_start(&folder->uv, on_folder, path, 0);
        if (r < 0) {
                loop_folder_free(folder);
                return r;
        }
        *ret = folder;
        return 0;
}

struct loop_folder *loop_folder_free(struct loop_folder *folder) {
        if (folder)
                close_handle(folder, (uv_handle_t *)&folder->uv);
        return NULL;
}

static void on_after(uv_check_t *uv) {
        struct loop_after *after = CONTAINER_OF(uv, struct loop_after, uv);

        after->fn(after->userdata);
}

int loop_after_new(struct loop *loop, loop_after_fn fn, void *userdata,
                   struct loop_after **ret) {
        struct loop_after *after = calloc(1, sizeof(*after));

        if (!after)
                return -ENOMEM;
        after->fn = fn;
        after->userdata = userdata;
        uv_check_init(&loop->uv, &after->uv);
        uv_check_start(&after->uv, on_after);
        uv_unref((uv_handle_t *)&after->uv);
        *ret = after;
        return 0;
}

struct loop_after *loop_after_free(struct loop_after *after) {
        if (after)
                close_handle(after, (uv_handle_t *)&after->uv);
        return NULL;
}
