/*
 * The queue in front of the disk, and the thread behind it.
 *
 * A round of the thread: take all leases that wait, write them in one transaction, say
 * so. While it waits for the disk, the next round gathers. Events have transactions of
 * their own, one a second at most, so that the history neither wears the disk nor
 * keeps a lease from one that is nearly full.
 *
 * A round that fails is not lost: what was in it goes back to the head of the queue and
 * is tried again every second, until the disk has room or the daemon ends; nobody has
 * been told that it is safe.
 */
#include "store/store.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/list.h"
#include "store/db.h"

enum { LEASES_WAITING_MAX = 16384, EVENTS_WAITING_MAX = 8192, EVENTS_A_ROUND = 128 };

#define EVENTS_EVERY NSEC_PER_SEC
#define AGAIN_AFTER  NSEC_PER_SEC

struct waiting_lease {
        struct list link;
        int64_t ticket;
        struct lease_record lease;
};

struct waiting_event {
        struct list link;
        size_t n;
        uint8_t packed[];
};

struct waiting_note {
        struct list link;
        const char *value;
        char key[]; /* and the value behind it */
};

struct store {
        struct db *writer; /* the thread's */
        struct db *reader; /* the owner's */
        pthread_t thread;
        int fd;

        pthread_mutex_t lock; /* what follows is behind it */
        pthread_cond_t wake;
        struct list leases, events, notes;
        size_t n_leases, n_events; /* those in a round that is on its way count too */
        int64_t last, done;        /* tickets */
        int lease_error, event_error;
        nsec_t leases_at, events_at; /* not before */
        bool is_closing;
};

/* ---- the thread ---- */

static void free_leases(struct list *leases) {
        LIST_FOR_EACH(link, leases) {
                list_remove(link);
                free(CONTAINER_OF(link, struct waiting_lease, link));
        }
}

static void free_events(struct list *events) {
        LIST_FOR_EACH(link, events) {
                list_remove(link);
                free(CONTAINER_OF(link, struct waiting_event, link));
        }
}

static void free_notes(struct list *notes) {
        LIST_FOR_EACH(link, notes) {
                list_remove(link);
                free(CONTAINER_OF(link, struct waiting_note, link));
        }
}

/* All of `from` behind all of `to`. */
static void move_all(struct list *to, struct list *from) {
        LIST_FOR_EACH(link, from) {
                list_remove(link);
                list_append(to, link);
        }
}

static int write_event(struct db *db, const struct waiting_event *waiting) {
        struct text json = { 0 };
        struct event event;
        int r = 0;

        if (event_unpack(waiting->packed, waiting->n, &event)) {
                event_json(&event, &json);
                r = json.failed ? -ENOMEM : db_put_event(db, json.s, json.n);
        }
        text_done(&json);
        return r;
}

static int write_leases(struct db *db, struct list *leases) {
        int r = db_set_durable(db, true);

        if (r == 0)
                r = db_begin(db);
        for (struct list *l = leases->next; l != leases && r == 0; l = l->next)
                r = db_put_lease(db,
                                 &CONTAINER_OF(l, struct waiting_lease, link)->lease);
        if (r == 0)
                r = db_commit(db);
        if (r < 0)
                db_rollback(db);
        return r;
}

/* They need not wait for the disk, and nobody shall wait for them. */
static int write_events(struct db *db, struct list *events, struct list *notes) {
        int r = db_set_durable(db, false);

        if (r == 0)
                r = db_begin(db);
        for (struct list *l = events->next; l != events && r == 0; l = l->next)
                r = write_event(db, CONTAINER_OF(l, struct waiting_event, link));
        for (struct list *l = notes->next; l != notes && r == 0; l = l->next) {
                struct waiting_note *note = CONTAINER_OF(l, struct waiting_note, link);

                r = db_put_note(db, note->key, note->value);
        }
        if (r == 0)
                r = db_trim_events(db);
        if (r == 0)
                r = db_commit(db);
        if (r < 0)
                db_rollback(db);
        return r;
}

/* What the owner is told by: a full counter is readable too, so a failure is none. */
static void tell(struct store *store) {
        uint64_t one = 1;

        if (write(store->fd, &one, sizeof(one)) < 0)
                return;
}

static nsec_t clock_now(void) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (nsec_t)now.tv_sec * NSEC_PER_SEC + (nsec_t)now.tv_nsec;
}

/* Who puts a record is in the midst of many as a rule. On a core shared with it, this
 * thread would be woken by the first and write it alone; let it put the others. */
static void let_gather(struct store *store) {
        pthread_mutex_unlock(&store->lock);
        sched_yield();
        pthread_mutex_lock(&store->lock);
}

/* Both rounds are entered and left behind the lock, which is dropped meanwhile. */
static void lease_round(struct store *store) {
        struct list round;
        size_t n = store->n_leases;
        int64_t last = store->last;
        int r;

        list_init(&round);
        move_all(&round, &store->leases);
        pthread_mutex_unlock(&store->lock);
        r = write_leases(store->writer, &round);
        if (r == 0)
                free_leases(&round);
        pthread_mutex_lock(&store->lock);
        if (r == 0) {
                store->n_leases -= n;
                store->done = last;
        } else {
                move_all(&round, &store->leases); /* behind those that are older */
                move_all(&store->leases, &round);
        }
        if (r == 0 || r != store->lease_error)
                tell(store);
        store->leases_at = r == 0 ? 0 : clock_now() + AGAIN_AFTER;
        store->lease_error = r;
}

/* A bounded number, so that leases have their turn in between. */
static void event_round(struct store *store) {
        struct list events, notes;
        size_t n = 0;
        int r;

        list_init(&events);
        list_init(&notes);
        for (; n < EVENTS_A_ROUND && !list_is_empty(&store->events); n++) {
                struct list *first = store->events.next;

                list_remove(first);
                list_append(&events, first);
        }
        move_all(&notes, &store->notes);
        pthread_mutex_unlock(&store->lock);
        r = write_events(store->writer, &events, &notes);
        if (r == 0) {
                free_events(&events);
                free_notes(&notes);
        }
        pthread_mutex_lock(&store->lock);
        if (r == 0) {
                store->n_events -= n;
        } else {
                move_all(&events, &store->events);
                move_all(&store->events, &events);
                move_all(&notes, &store->notes);
                move_all(&store->notes, &notes);
        }
        if (r != store->event_error)
                tell(store);
        store->events_at =
                r == 0 && n == EVENTS_A_ROUND ? 0 : clock_now() + EVENTS_EVERY;
        store->event_error = r;
}

static bool has_events(const struct store *store) {
        return store->n_events > 0 || !list_is_empty(&store->notes);
}

/* Sleeps behind the lock until a point of clock_now() or until there is news. */
static void sleep_until(struct store *store, nsec_t until) {
        struct timespec at = { .tv_sec = (time_t)(until / NSEC_PER_SEC),
                               .tv_nsec = (long)(until % NSEC_PER_SEC) };

        if (until == NSEC_NEVER)
                pthread_cond_wait(&store->wake, &store->lock);
        else
                pthread_cond_timedwait(&store->wake, &store->lock, &at);
}

static void *commit_thread(void *userdata) {
        struct store *store = userdata;

        pthread_mutex_lock(&store->lock);
        while (!store->is_closing) {
                nsec_t leases_at = store->n_leases ? store->leases_at : NSEC_NEVER;
                nsec_t events_at = has_events(store) ? store->events_at : NSEC_NEVER;
                nsec_t now = clock_now();

                if (leases_at <= now) {
                        let_gather(store);
                        lease_round(store);
                } else if (events_at <= now) {
                        event_round(store);
                } else {
                        sleep_until(store, min_u64(leases_at, events_at));
                }
        }
        if (store->n_leases)
                lease_round(store);
        store->event_error = 0;
        while (has_events(store) && store->event_error == 0)
                event_round(store);
        pthread_mutex_unlock(&store->lock);
        return NULL;
}

/* ---- the owner ---- */

/* With every signal blocked: they belong to the loop of the first thread. */
static int start_thread(struct store *store) {
        sigset_t all, before;
        int r;

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        r = pthread_create(&store->thread, NULL, commit_thread, store);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        return -r;
}

/* The name of a new file is safe when its folder is. */
static int sync_folder(const char *folder) {
        int r, fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return -errno;
        r = fsync(fd) < 0 && errno != EINVAL ? -errno : 0;
        close(fd);
        return r;
}

static int open_files(struct store *store, const char *folder, struct text *why) {
        struct text path = { 0 };
        int r;

        text_add(&path, folder);
        text_add(&path, "/state.db");
        r = path.failed ? -ENOMEM : db_open(path.s, DB_FIRST, &store->writer, why);
        if (r == 0)
                r = db_open(path.s, DB_ANOTHER, &store->reader, why);
        if (r == 0)
                r = sync_folder(folder);
        text_done(&path);
        return r;
}

static struct store *store_new(void) {
        struct store *store = calloc(1, sizeof(*store));
        pthread_condattr_t monotonic;

        if (!store)
                return NULL;
        list_init(&store->leases);
        list_init(&store->events);
        list_init(&store->notes);
        pthread_mutex_init(&store->lock, NULL);
        pthread_condattr_init(&monotonic);
        pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
        pthread_cond_init(&store->wake, &monotonic);
        pthread_condattr_destroy(&monotonic);
        store->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        return store;
}

static void store_free(struct store *store) {
        db_close(store->writer);
        db_close(store->reader);
        free_leases(&store->leases);
        free_events(&store->events);
        free_notes(&store->notes);
        pthread_cond_destroy(&store->wake);
        pthread_mutex_destroy(&store->lock);
        if (store->fd >= 0)
                close(store->fd);
        free(store);
}

int store_open(const char *folder, struct store **ret, struct text *why) {
        struct store *store = store_new();
        int r;

        if (!store)
                return -ENOMEM;
        r = store->fd < 0 ? -ENFILE : open_files(store, folder, why);
        if (r == 0)
                r = start_thread(store);
        if (r < 0) {
                if (why->n == 0)
                        text_add(why, strerror(-r));
                store_free(store);
                return r;
        }
        *ret = store;
        return 0;
}

struct store *store_close(struct store *store) {
        if (!store)
                return NULL;
        pthread_mutex_lock(&store->lock);
        store->is_closing = true;
        pthread_cond_signal(&store->wake);
        pthread_mutex_unlock(&store->lock);
        pthread_join(store->thread, NULL);
        store_free(store);
        return NULL;
}

int store_load_leases(struct store *store, store_lease_fn fn, void *userdata) {
        return db_load_leases(store->reader, fn, userdata);
}

int64_t store_put_lease(struct store *store, const struct lease_record *lease) {
        struct waiting_lease *waiting = malloc(sizeof(*waiting));
        int64_t r;

        if (!waiting)
                return -ENOMEM;
        waiting->lease = *lease;
        pthread_mutex_lock(&store->lock);
        if (store->n_leases >= LEASES_WAITING_MAX) {
                r = -ENOBUFS;
                free(waiting);
        } else {
                r = waiting->ticket = ++store->last;
                list_append(&store->leases, &waiting->link);
                store->n_leases++;
                pthread_cond_signal(&store->wake);
        }
        pthread_mutex_unlock(&store->lock);
        return r;
}

void store_put_event(struct store *store, const struct event *event) {
        uint8_t packed[EVENT_PACKED_MAX];
        size_t n = event_pack(event, packed, sizeof(packed));
        struct waiting_event *waiting = n ? malloc(sizeof(*waiting) + n) : NULL;

        if (!waiting)
                return;
        waiting->n = n;
        memcpy(waiting->packed, packed, n);
        pthread_mutex_lock(&store->lock);
        if (store->n_events < EVENTS_WAITING_MAX) {
                list_append(&store->events, &waiting->link);
                if (store->n_events++ == 0)
                        pthread_cond_signal(&store->wake);
                waiting = NULL;
        }
        pthread_mutex_unlock(&store->lock);
        free(waiting);
}

int store_put_note(struct store *store, const char *key, const char *value) {
        size_t n_key = strlen(key) + 1, n_value = strlen(value) + 1;
        struct waiting_note *note = malloc(sizeof(*note) + n_key + n_value);

        if (!note)
                return -ENOMEM;
        memcpy(note->key, key, n_key);
        memcpy(note->key + n_key, value, n_value);
        note->value = note->key + n_key;
        pthread_mutex_lock(&store->lock);
        list_append(&store->notes, &note->link);
        pthread_cond_signal(&store->wake);
        pthread_mutex_unlock(&store->lock);
        return 0;
}

int store_load_notes(struct store *store, store_note_fn fn, void *userdata) {
        return db_load_notes(store->reader, fn, userdata);
}

int store_fd(struct store *store) {
        return store->fd;
}

int64_t store_done(struct store *store, int *ret_error) {
        uint64_t count;
        int64_t done;

        pthread_mutex_lock(&store->lock);
        if (read(store->fd, &count, sizeof(count)) < 0)
                count = 0;
        done = store->done;
        *ret_error = store->lease_error ? store->lease_error : store->event_error;
        pthread_mutex_unlock(&store->lock);
        return done;
}

int store_events(struct store *store, size_t n, struct text *out) {
        return db_events(store->reader, n, out);
}
