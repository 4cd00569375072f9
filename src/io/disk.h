#pragma once
/*
 * Reading that waits, on threads of its own: what was fetched is in the kernel's memory
 * afterwards, where a read, or sendfile, finds it without waiting.
 *
 * A disk that does not answer holds the threads that asked it. Of one device's fetches
 * a part of the threads is held at most, so that the others go on; and nobody waits for
 * such a thread at the end.
 */
#include "io/loop.h"

struct disk;

enum {
        DISK_THREADS = 16,
        DISK_THREADS_PER_DEVICE = 8,
        DISK_FETCHES_MAX = 4096, /* that wait for a thread */
};

/* `answer` is 0 or what reading came to, -EIO say. Called by the loop. */
typedef void (*disk_fn)(int answer, void *userdata);

MUST_USE int disk_new(struct loop *loop, struct disk **ret);
/* Takes NULL. No fn is called any more. */
struct disk *disk_free(struct disk *disk);
/* Never waits. `fd` is borrowed. `device` is any number that is the same for what is
 * held up together. What ends before offset + n is fetched as far as it goes. What
 * follows is begun, too, and not waited for. -ENOBUFS: too many wait already. */
MUST_USE int disk_fetch(struct disk *disk, int fd, uint64_t device, uint64_t offset,
                        size_t n, disk_fn fn, void *userdata);
