#pragma once
/*
 * What survives a restart: leases and the history of events, in one SQLite database
 * (WAL, synchronous=FULL) in the state folder. The only SQL of the program.
 *
 * A named helper, the commit thread, writes: whatever was put since its last fsync goes
 * into one transaction, so that one fsync serves every packet that came meanwhile.
 * Nobody else waits for the disk.
 */
#include "base/event.h"
#include "lease/lease.h"

struct store;

/* Opens or makes FOLDER/state.db and starts the thread; may block. -errno; text for
 * people is appended to `why`. */
MUST_USE int store_open(const char *folder, struct store **ret, struct text *why);
/* Commits what is queued, ends the thread. */
struct store *store_close(struct store *store);

typedef int (*store_lease_fn)(const struct lease_record *lease, void *userdata);
/* Every lease on disk, before anything is put. Stops when fn returns not 0. */
MUST_USE int store_load_leases(struct store *store, store_lease_fn fn, void *userdata);

/* Queues a record; returns a ticket (from 1, growing) or -ENOMEM / -ENOBUFS when too
 * much waits. */
int64_t store_put_lease(struct store *store, const struct lease_record *lease);
/* Queues an event for the history; losing one is no harm, so it may be dropped. The
 * newest STORE_EVENTS_KEPT stay. */
enum { STORE_EVENTS_KEPT = 100000 };
void store_put_event(struct store *store, const struct event *event);

/* Small things to remember, a text by its key; as events are: soon, and it may be lost
 * in a power cut. -ENOMEM */
MUST_USE int store_put_note(struct store *store, const char *key, const char *value);
typedef int (*store_note_fn)(const char *key, const char *value, void *userdata);
/* All of them at the start; stops when fn returns not 0. */
MUST_USE int store_load_notes(struct store *store, store_note_fn fn, void *userdata);

/* Becomes readable when store_done() has something new to say. */
int store_fd(struct store *store);
/* The highest ticket that is on disk with all before it. Drains the descriptor.
 * *ret_error is 0, or the -errno of the last commit, which will be tried again. */
int64_t store_done(struct store *store, int *ret_error);

/* The last `n` events of the history, oldest first, as JSON lines; may block. */
MUST_USE int store_events(struct store *store, size_t n, struct text *out);
