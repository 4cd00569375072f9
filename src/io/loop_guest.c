/*
 * libuv as a guest of our loop, for signals and folders: its descriptor is watched like
 * any other, and it runs, without sleeping, when that is ready or when a handle of it
 * was made or closed. Handles are heap objects whose memory goes back in libuv's close
 * callback, so a callback may free the handle that it came from.
 */
#include "io/loop_internal.h"

#include <stdlib.h>

#include <uv.h>

struct loop_guest {
        uv_loop_t uv;
        bool is_due;
};

struct loop_signal {
        uv_signal_t uv;
        struct loop_guest *guest;
        loop_signal_fn fn;
        void *userdata;
};

struct loop_folder {
        uv_fs_event_t uv;
        struct loop_guest *guest;
        loop_folder_fn fn;
        void *userdata;
};

bool loop_guest_is_due(const struct loop_guest *guest) {
        return guest && guest->is_due;
}

bool loop_guest_is_alive(const struct loop_guest *guest) {
        return guest && uv_loop_alive(&guest->uv);
}

void loop_guest_wake(struct loop_guest *guest) {
        guest->is_due = true;
}

void loop_guest_run(struct loop_guest *guest) {
        guest->is_due = false;
        uv_run(&guest->uv, UV_RUN_NOWAIT);
}

struct loop_guest *loop_guest_free(struct loop_guest *guest) {
        if (!guest)
                return NULL;
        uv_run(&guest->uv, UV_RUN_NOWAIT); /* the close callbacks that are due */
        if (uv_loop_close(&guest->uv) == 0)
                free(guest);
        return NULL;
}

static int invite(struct loop *loop) {
        struct epoll_event event = { .events = EPOLLIN, .data.ptr = loop };
        struct loop_guest *guest;
        int r;

        if (loop->guest)
                return 0;
        guest = calloc(1, sizeof(*guest));
        if (!guest)
                return -ENOMEM;
        r = uv_loop_init(&guest->uv);
        if (r < 0) {
                free(guest);
                return r;
        }
        if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, uv_backend_fd(&guest->uv), &event) <
            0) {
                r = -errno;
                loop_guest_free(guest);
                return r;
        }
        loop->guest = guest;
        return 0;
}

static void free_handle(uv_handle_t *handle) {
        free(handle->data);
}

static void close_handle(void *owner, struct loop_guest *guest, uv_handle_t *handle) {
        handle->data = owner;
        guest->is_due = true;
        if (!uv_is_closing(handle))
                uv_close(handle, free_handle);
}

static void on_signal(uv_signal_t *uv, int number) {
        struct loop_signal *handle = CONTAINER_OF(uv, struct loop_signal, uv);
        handle->fn(number, handle->userdata);
}

int loop_signal_new(struct loop *loop, int number, loop_signal_fn fn, void *userdata,
                    struct loop_signal **ret) {
        struct loop_signal *handle = calloc(1, sizeof(*handle));
        int r = handle ? invite(loop) : -ENOMEM;

        if (r < 0) {
                free(handle);
                return r;
        }
        handle->guest = loop->guest;
        handle->fn = fn;
        handle->userdata = userdata;
        uv_signal_init(&loop->guest->uv, &handle->uv);
        loop->guest->is_due = true;
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
                close_handle(handle, handle->guest, (uv_handle_t *)&handle->uv);
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
        int r = folder ? invite(loop) : -ENOMEM;

        if (r < 0) {
                free(folder);
                return r;
        }
        folder->guest = loop->guest;
        folder->fn = fn;
        folder->userdata = userdata;
        uv_fs_event_init(&loop->guest->uv, &folder->uv);
        loop->guest->is_due = true;
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
                close_handle(folder, folder->guest, (uv_handle_t *)&folder->uv);
        return NULL;
}
