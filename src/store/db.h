#pragma once
/*
 * One connection to state.db, with its statements prepared: all SQL is in db.c. Used
 * by one thread at a time; every call may block on the disk. Private to this folder.
 *
 * Errors are -errno; -EBADMSG means that the file is damaged.
 */
#include "store/store.h"

struct db;

/* The first makes the file and its tables when they are not there, and looks the whole
 * file over for damage; another one has not to. What people can do about a failure is
 * appended to `why`. */
enum db_connection { DB_FIRST, DB_ANOTHER };
MUST_USE int db_open(const char *path, enum db_connection which, struct db **ret,
                     struct text *why);
/* Takes NULL. */
struct db *db_close(struct db *db);

/* Whether a commit waits for the disk, as it does at first; not within a transaction.
 * Without it the file is as sound, but a power cut may take the last commits. */
MUST_USE int db_set_durable(struct db *db, bool is_durable);

/* A transaction: begin, any number of puts, commit. After a failure of any of them
 * call db_rollback(), and nothing of it is on disk. */
MUST_USE int db_begin(struct db *db);
MUST_USE int db_put_lease(struct db *db, const struct lease_record *lease);
MUST_USE int db_put_event(struct db *db, const char *json, size_t n); /* one event */
/* What is older than the newest STORE_EVENTS_KEPT goes. */
MUST_USE int db_trim_events(struct db *db);
MUST_USE int db_put_note(struct db *db, const char *key, const char *value);
MUST_USE int db_commit(struct db *db);
void db_rollback(struct db *db);

MUST_USE int db_load_leases(struct db *db, store_lease_fn fn, void *userdata);
MUST_USE int db_load_notes(struct db *db, store_note_fn fn, void *userdata);
MUST_USE int db_events(struct db *db, size_t n, struct text *out);
