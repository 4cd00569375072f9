/*
 * A queue, a handful of threads and an eventfd. Threads are started when the first
 * fetch finds none idle, so a server whose files are all in memory has none. They are
 * detached and share the struct by a count: a thread that a dead disk holds keeps it
 * until it comes back, maybe never, while everybody else has gone.
 */
#include "io/disk.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/list.h"

enum { PIECE = 128 * 1024, STACK = 256 * 1024, AHEAD = 1024 * 1024 };

struct job {
        struct list link;
        int fd;
        uint64_t device, offset;
        size_t n;
        int answer;
        disk_fn fn;
        void *userdata;
};

struct disk {
        pthread_mutex_t lock; /* for all of it but `watch` */
        pthread_cond_t more;
        struct list waiting, done;
        size_t n_waiting;
        unsigned n_threads, n_idle, n_refs;
        bool is_over;
        uint64_t busy[DISK_THREADS]; /* the devices that threads are at */
        unsigned n_busy;
        int event; /* rings when `done` is not empty */
        struct loop_watch *watch;
};

static void job_free(struct job *job) {
        list_remove(&job->link);
        close(job->fd);
        free(job);
}

static void free_all(struct list *jobs) {
        LIST_FOR_EACH(pos, jobs)
        job_free(CONTAINER_OF(pos, struct job, link));
}

/* With the lock held, which it gives back. */
static void unref(struct disk *disk) {
        bool is_last = --disk->n_refs == 0;

        pthread_mutex_unlock(&disk->lock);
        if (!is_last)
                return;
        free_all(&disk->waiting);
        free_all(&disk->done);
        close(disk->event);
        pthread_cond_destroy(&disk->more);
        pthread_mutex_destroy(&disk->lock);
        free(disk);
}

/* ---- the threads ---- */

static unsigned n_at(const struct disk *disk, uint64_t device) {
        unsigned n = 0;

        for (unsigned i = 0; i < disk->n_busy; i++)
                n += disk->busy[i] == device;
        return n;
}

/* The one that waits longest and whose disk does not hold too many already. */
static struct job *choose(struct disk *disk) {
        LIST_FOR_EACH(pos, &disk->waiting) {
                struct job *job = CONTAINER_OF(pos, struct job, link);

                if (n_at(disk, job->device) < DISK_THREADS_PER_DEVICE)
                        return job;
        }
        return NULL;
}

static int fetch(const struct job *job, uint8_t *piece) {
        struct stat st;

        for (size_t done = 0; done < job->n;) {
                ssize_t got = pread(job->fd, piece, min_size(PIECE, job->n - done),
                                    (off_t)(job->offset + done));

                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return -errno;
                if (got == 0)
                        break;
                done += (size_t)got;
        }
        (void)readahead(job->fd, (off_t)(job->offset + job->n), AHEAD);
        /* On a network this asks the server whether it is still the same. */
        return fstat(job->fd, &st) < 0 ? -errno : 0;
}

static void leave_device(struct disk *disk, uint64_t device) {
        for (unsigned i = 0; i < disk->n_busy; i++)
                if (disk->busy[i] == device) {
                        disk->busy[i] = disk->busy[--disk->n_busy];
                        return;
                }
}

/* With the lock held, but not while it reads. */
static void carry_out(struct disk *disk, struct job *job, uint8_t *piece) {
        const uint64_t one = 1;
        ssize_t ignored;

        list_remove(&job->link);
        disk->n_waiting--;
        disk->busy[disk->n_busy++] = job->device;
        pthread_mutex_unlock(&disk->lock);
        job->answer = piece ? fetch(job, piece) : -ENOMEM;
        pthread_mutex_lock(&disk->lock);
        leave_device(disk, job->device);
        list_append(&disk->done, &job->link);
        ignored = write(disk->event, &one, sizeof(one));
        (void)ignored;
        /* Another one may have waited for this device. */
        pthread_cond_signal(&disk->more);
}

static void *work(void *userdata) {
        struct disk *disk = userdata;
        uint8_t *piece = malloc(PIECE);

        pthread_mutex_lock(&disk->lock);
        while (!disk->is_over) {
                struct job *job = choose(disk);

                if (job) {
                        carry_out(disk, job, piece);
                        continue;
                }
                disk->n_idle++;
                pthread_cond_wait(&disk->more, &disk->lock);
                disk->n_idle--;
        }
        free(piece);
        unref(disk);
        return NULL;
}

/* With the lock held. Signals are the loop's. */
static int start_thread(struct disk *disk) {
        pthread_attr_t attributes;
        sigset_t all, before;
        pthread_t thread;
        int r;

        r = pthread_attr_init(&attributes);
        if (r != 0)
                return -r;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        (void)pthread_attr_setstacksize(&attributes, STACK);
        (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        r = pthread_create(&thread, &attributes, work, disk);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        pthread_attr_destroy(&attributes);
        if (r != 0)
                return -r;
        disk->n_threads++;
        disk->n_refs++;
        return 0;
}

/* ---- the loop's side ---- */

static void on_event(int fd, unsigned ready, void *userdata) {
        struct disk *disk = userdata;
        struct list done;
        uint64_t n;
        ssize_t ignored = read(fd, &n, sizeof(n));

        (void)ignored;
        list_init(&done);
        pthread_mutex_lock(&disk->lock);
        while (!list_is_empty(&disk->done)) {
                struct list *first = disk->done.next;

                list_remove(first);
                list_append(&done, first);
        }
        pthread_mutex_unlock(&disk->lock);
        while (!list_is_empty(&done)) {
                struct job *job = CONTAINER_OF(done.next, struct job, link);
                disk_fn fn = job->fn;
                void *owner = job->userdata;
                int answer = job->answer;

                job_free(job);
                fn(answer, owner);
        }
}

int disk_new(struct loop *loop, struct disk **ret) {
        struct disk *disk = calloc(1, sizeof(*disk));
        int r;

        if (!disk)
                return -ENOMEM;
        disk->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        r = disk->event < 0 ? -errno
                            : loop_watch_new(loop, disk->event, LOOP_READABLE, on_event,
                                             disk, &disk->watch);
        if (r < 0) {
                if (disk->event >= 0)
                        close(disk->event);
                free(disk);
                return r;
        }
        pthread_mutex_init(&disk->lock, NULL);
        pthread_cond_init(&disk->more, NULL);
        list_init(&disk->waiting);
        list_init(&disk->done);
        disk->n_refs = 1;
        *ret = disk;
        return 0;
}

struct disk *disk_free(struct disk *disk) {
        if (!disk)
                return NULL;
        loop_watch_free(disk->watch);
        pthread_mutex_lock(&disk->lock);
        disk->is_over = true;
        pthread_cond_broadcast(&disk->more);
        unref(disk);
        return NULL;
}

int disk_fetch(struct disk *disk, int fd, uint64_t device, uint64_t offset, size_t n,
               disk_fn fn, void *userdata) {
        struct job *job = calloc(1, sizeof(*job));
        int r = 0;

        if (!job)
                return -ENOMEM;
        *job = (struct job){ .fd = fcntl(fd, F_DUPFD_CLOEXEC, 3),
                             .device = device,
                             .offset = offset,
                             .n = n,
                             .fn = fn,
                             .userdata = userdata };
        list_init(&job->link);
        if (job->fd < 0) {
                free(job);
                return -EMFILE;
        }
        pthread_mutex_lock(&disk->lock);
        if (disk->n_waiting >= DISK_FETCHES_MAX)
                r = -ENOBUFS;
        else if (disk->n_idle <= disk->n_waiting && disk->n_threads < DISK_THREADS)
                r = start_thread(disk);
        if (r < 0 && r != -ENOBUFS && disk->n_threads > 0)
                r = 0; /* those that there are will come to it */
        if (r == 0) {
                list_append(&disk->waiting, &job->link);
                disk->n_waiting++;
                pthread_cond_signal(&disk->more);
        }
        pthread_mutex_unlock(&disk->lock);
        if (r < 0)
                job_free(job);
        return r;
}
