/*
 * The only SQL of the program.
 *
 * WAL and synchronous=FULL: a commit is on disk when it returns, and costs one fsync.
 * The schema's version is in user_version; application_id tells our file from any
 * other program's. A file that is not ours, newer than we are, or damaged is refused
 * and left as it is: it holds the only copy of who has which address.
 *
 * Times are nanoseconds since 1970; an `ends` of NULL is no end. Events are kept as the
 * JSON that people are shown, because a packed record is only understood by the version
 * that packed it.
 */
#include "store/db.h"

#include <sqlite3.h>
#include <stdlib.h>

enum {
        SCHEMA_VERSION = 2,
        APPLICATION_ID = 0x626a6b31, /* "bjk1" */
        BUSY_MSEC = 5000,            /* somebody makes a backup with sqlite3 */
};

/* On disk for ever: numbers that must not move. */
_Static_assert(LEASE_BOUND == 0 && LEASE_RELEASED == 1 && LEASE_DECLINED == 2 &&
                       LEASE_EXPIRED == 3,
               "states have these numbers in state.db");

#define NOTE_TABLE "CREATE TABLE note (key TEXT PRIMARY KEY, value TEXT) STRICT;"

static const char schema[] =
        "BEGIN IMMEDIATE;"
        "CREATE TABLE lease ("
        " address INTEGER PRIMARY KEY CHECK (address BETWEEN 1 AND 4294967295),"
        " state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 3)," /* enum lease_state */
        " mac BLOB NOT NULL CHECK (length(mac) = 6),"
        " client_id BLOB NOT NULL CHECK (length(client_id) <= 255),"
        " hostname TEXT NOT NULL,"
        " starts INTEGER NOT NULL,"
        " ends INTEGER,"
        " subnet INTEGER NOT NULL"
        ") STRICT;"
        "CREATE TABLE event ("
        " id INTEGER PRIMARY KEY AUTOINCREMENT,"
        " json TEXT NOT NULL"
        ") STRICT;" NOTE_TABLE "PRAGMA application_id = 1651141425;"
        "PRAGMA user_version = 2;"
        "COMMIT;";

/* What brings a file to the version after its own, from version 1. */
static const char *const migrations[SCHEMA_VERSION - 1] = {
        "BEGIN IMMEDIATE;" NOTE_TABLE "PRAGMA user_version = 2; COMMIT;",
};

enum statement {
        STATEMENT_BEGIN,
        STATEMENT_COMMIT,
        STATEMENT_PUT_LEASE,
        STATEMENT_PUT_EVENT,
        STATEMENT_TRIM_EVENTS,
        STATEMENT_PUT_NOTE,
        STATEMENT_LEASES,
        STATEMENT_EVENTS,
        STATEMENT_NOTES,
        N_STATEMENTS,
};

static const char *const statements[N_STATEMENTS] = {
        [STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
        [STATEMENT_COMMIT] = "COMMIT",
        [STATEMENT_PUT_LEASE] =
                "INSERT OR REPLACE INTO lease (address, state, mac, client_id, "
                "hostname,"
                " starts, ends, subnet) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [STATEMENT_PUT_EVENT] = "INSERT INTO event (json) VALUES (?)",
        [STATEMENT_TRIM_EVENTS] =
                "DELETE FROM event WHERE id <= (SELECT max(id) FROM event) - ?",
        [STATEMENT_PUT_NOTE] =
                "INSERT INTO note (key, value) VALUES (?, ?)"
                " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        [STATEMENT_LEASES] = "SELECT address, state, mac, client_id, hostname, starts,"
                             " ends, subnet FROM lease ORDER BY address",
        [STATEMENT_EVENTS] = "SELECT json FROM (SELECT id, json FROM event"
                             " ORDER BY id DESC LIMIT ?) ORDER BY id",
        [STATEMENT_NOTES] = "SELECT key, value FROM note ORDER BY key",
};

struct db {
        sqlite3 *sqlite;
        sqlite3_stmt *statements[N_STATEMENTS];
        bool is_durable;
};

static int system_error(sqlite3 *sqlite, int otherwise) {
        int number = sqlite3_system_errno(sqlite);

        return number > 0 ? -number : -otherwise;
}

/* SQLite's answer as ours. */
static int error_of(sqlite3 *sqlite, int answer) {
        switch (answer & 0xff) {
        case SQLITE_OK:
        case SQLITE_DONE:
        case SQLITE_ROW:
                return 0;
        case SQLITE_NOMEM:
                return -ENOMEM;
        case SQLITE_FULL:
                return -ENOSPC;
        case SQLITE_READONLY:
                return -EROFS;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
                return -EBUSY;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
                return -EBADMSG;
        case SQLITE_CANTOPEN:
        case SQLITE_PERM:
        case SQLITE_AUTH:
                return system_error(sqlite, EACCES);
        default:
                return system_error(sqlite, EIO);
        }
}

/* The first column of the first row; 0 when there is none. */
static int query_number(sqlite3 *sqlite, const char *sql, int64_t *ret) {
        sqlite3_stmt *statement = NULL;
        int r = sqlite3_prepare_v2(sqlite, sql, -1, &statement, NULL);

        if (r == SQLITE_OK)
                r = sqlite3_step(statement);
        if (r == SQLITE_ROW)
                *ret = sqlite3_column_int64(statement, 0);
        sqlite3_finalize(statement);
        return error_of(sqlite, r);
}

static void add_move_away(struct text *why, const char *path) {
        text_add(why, "; move it away (mv ");
        text_printable(why, path, strlen(path));
        text_char(why, ' ');
        text_printable(why, path, strlen(path));
        text_add(why, ".old) to begin with an empty one: leases and history are in it, "
                      "nothing else");
}

static int damaged(const char *path, const char *how, struct text *why) {
        text_printable(why, path, strlen(path));
        text_add(why, " is damaged (");
        text_printable(why, how, strlen(how));
        text_char(why, ')');
        add_move_away(why, path);
        return -EBADMSG;
}

static int refused(const char *path, const char *reason, struct text *why) {
        text_printable(why, path, strlen(path));
        text_add(why, reason);
        add_move_away(why, path);
        return -EINVAL;
}

static int cannot(const char *path, int r, sqlite3 *sqlite, struct text *why) {
        if (r == -EBADMSG)
                return damaged(path, sqlite3_errmsg(sqlite), why);
        text_add(why, "cannot use ");
        text_printable(why, path, strlen(path));
        text_add(why, ": ");
        switch (r) {
        case -EROFS:
        case -EACCES:
        case -EPERM:
                text_add(why, "it and its folder must be writable for the user that "
                              "bootjack runs as");
                break;
        case -ENOENT:
        case -ENOTDIR:
                text_add(why, "there is no such folder");
                break;
        case -ENOSPC:
                text_add(why, "the disk is full");
                break;
        case -EBUSY:
                text_add(why, "another program holds it locked");
                break;
        default:
                text_add(why, sqlite3_errmsg(sqlite));
                text_add(why, " (");
                text_add(why, strerror(-r));
                text_char(why, ')');
        }
        return r;
}

/* Ours, and of a version that we know? An empty file is a new one, of version 0. */
static int check_version(struct db *db, const char *path, int64_t *ret_version,
                         struct text *why) {
        int64_t id = 0, version = 0, n_tables = 0;
        int r = query_number(db->sqlite, "PRAGMA application_id", &id);

        if (r == 0)
                r = query_number(db->sqlite, "PRAGMA user_version", &version);
        if (r == 0)
                r = query_number(db->sqlite, "SELECT count(*) FROM sqlite_schema",
                                 &n_tables);
        if (r < 0)
                return cannot(path, r, db->sqlite, why);
        *ret_version = version;
        if (id == 0 && version == 0 && n_tables == 0)
                return 0;
        if (id != APPLICATION_ID || version < 1)
                return refused(path, " is a database of another program", why);
        if (version > SCHEMA_VERSION)
                return refused(path,
                               " was written by a newer bootjack; install that one "
                               "again, or",
                               why);
        return 0;
}

static int check_pages(struct db *db, const char *path, struct text *why) {
        sqlite3_stmt *statement = NULL;
        int r = sqlite3_prepare_v2(db->sqlite, "PRAGMA quick_check(1)", -1, &statement,
                                   NULL);

        if (r == SQLITE_OK)
                r = sqlite3_step(statement);
        if (r == SQLITE_ROW) {
                const char *verdict = (const char *)sqlite3_column_text(statement, 0);

                if (!verdict || strcmp(verdict, "ok") != 0)
                        r = damaged(path, verdict ? verdict : "unreadable", why);
                else
                        r = 0;
        } else {
                r = cannot(path, error_of(db->sqlite, r), db->sqlite, why);
        }
        sqlite3_finalize(statement);
        return r;
}

static int prepare(struct db *db) {
        for (size_t i = 0; i < N_STATEMENTS; i++) {
                int r = sqlite3_prepare_v3(db->sqlite, statements[i], -1,
                                           SQLITE_PREPARE_PERSISTENT,
                                           &db->statements[i], NULL);

                if (r != SQLITE_OK)
                        return error_of(db->sqlite, r);
        }
        return 0;
}

static int execute(struct db *db, const char *sql) {
        return error_of(db->sqlite, sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL));
}

static int make_or_migrate(struct db *db, int64_t version) {
        int r = 0;

        if (version == 0)
                return execute(db, schema);
        for (; version < SCHEMA_VERSION && r == 0; version++)
                r = execute(db, migrations[version - 1]);
        return r;
}

static int set_up(struct db *db, const char *path, enum db_connection which,
                  struct text *why) {
        int64_t version = 0;
        int r;

        sqlite3_busy_timeout(db->sqlite, BUSY_MSEC);
        r = check_version(db, path, &version, why);
        if (r == 0 && which == DB_FIRST)
                r = check_pages(db, path, why);
        if (r < 0)
                return r;
        /* Checkpoints are small and many: leases wait behind each. */
        r = execute(db, "PRAGMA journal_mode = WAL;"
                        "PRAGMA synchronous = FULL;"
                        "PRAGMA wal_autocheckpoint = 250;"
                        "PRAGMA journal_size_limit = 16777216;");
        db->is_durable = r == 0;
        if (r == 0)
                r = make_or_migrate(db, version);
        if (r == 0)
                r = prepare(db);
        /* A lock that is taken and dropped shows a file that cannot be written now
         * rather than at the first lease. */
        if (r == 0)
                r = execute(db, "BEGIN IMMEDIATE; ROLLBACK;");
        return r < 0 ? cannot(path, r, db->sqlite, why) : 0;
}

int db_open(const char *path, enum db_connection which, struct db **ret,
            struct text *why) {
        struct db *db = calloc(1, sizeof(*db));
        int r;

        if (!db)
                return -ENOMEM;
        r = sqlite3_open_v2(
                path, &db->sqlite,
                SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
        if (r == SQLITE_OK)
                r = set_up(db, path, which, why);
        else
                r = cannot(path, error_of(db->sqlite, r), db->sqlite, why);
        if (r < 0) {
                db_close(db);
                return r;
        }
        *ret = db;
        return 0;
}

struct db *db_close(struct db *db) {
        if (!db)
                return NULL;
        for (size_t i = 0; i < N_STATEMENTS; i++)
                sqlite3_finalize(db->statements[i]);
        sqlite3_close(db->sqlite);
        free(db);
        return NULL;
}

/* Runs a statement that yields no rows, its parameters bound. */
static int run(struct db *db, enum statement which) {
        sqlite3_stmt *statement = db->statements[which];
        int r = error_of(db->sqlite, sqlite3_step(statement));

        sqlite3_reset(statement);
        return r;
}

int db_set_durable(struct db *db, bool is_durable) {
        int r = 0;

        if (db->is_durable != is_durable)
                r = execute(db, is_durable ? "PRAGMA synchronous = FULL"
                                           : "PRAGMA synchronous = NORMAL");
        if (r == 0)
                db->is_durable = is_durable;
        return r;
}

int db_begin(struct db *db) {
        return run(db, STATEMENT_BEGIN);
}

int db_commit(struct db *db) {
        return run(db, STATEMENT_COMMIT);
}

void db_rollback(struct db *db) {
        /* SQLite has rolled back by itself after some failures. */
        if (!sqlite3_get_autocommit(db->sqlite))
                sqlite3_exec(db->sqlite, "ROLLBACK", NULL, NULL, NULL);
}

/* NSEC_NEVER does not fit; neither does the year 2262, which may wait. */
static int64_t to_disk(nsec_t time) {
        return time > INT64_MAX ? INT64_MAX : (int64_t)time;
}

int db_put_lease(struct db *db, const struct lease_record *lease) {
        sqlite3_stmt *s = db->statements[STATEMENT_PUT_LEASE];
        size_t n_hostname = strnlen(lease->hostname, sizeof(lease->hostname));

        sqlite3_bind_int64(s, 1, lease->address);
        sqlite3_bind_int(s, 2, (int)lease->state);
        sqlite3_bind_blob(s, 3, lease->mac.b, sizeof(lease->mac.b), SQLITE_STATIC);
        sqlite3_bind_blob(s, 4, lease->client_id, lease->n_client_id, SQLITE_STATIC);
        sqlite3_bind_text(s, 5, lease->hostname, (int)n_hostname, SQLITE_STATIC);
        sqlite3_bind_int64(s, 6, to_disk(lease->starts));
        if (lease->ends == NSEC_NEVER)
                sqlite3_bind_null(s, 7);
        else
                sqlite3_bind_int64(s, 7, to_disk(lease->ends));
        sqlite3_bind_int64(s, 8, lease->subnet);
        return run(db, STATEMENT_PUT_LEASE);
}

int db_put_event(struct db *db, const char *json, size_t n) {
        sqlite3_stmt *s = db->statements[STATEMENT_PUT_EVENT];

        sqlite3_bind_text64(s, 1, json, n, SQLITE_STATIC, SQLITE_UTF8);
        return run(db, STATEMENT_PUT_EVENT);
}

int db_trim_events(struct db *db) {
        sqlite3_bind_int64(db->statements[STATEMENT_TRIM_EVENTS], 1, STORE_EVENTS_KEPT);
        return run(db, STATEMENT_TRIM_EVENTS);
}

int db_put_note(struct db *db, const char *key, const char *value) {
        sqlite3_stmt *s = db->statements[STATEMENT_PUT_NOTE];

        sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC);
        sqlite3_bind_text(s, 2, value, -1, SQLITE_STATIC);
        return run(db, STATEMENT_PUT_NOTE);
}

/* At most n bytes of a column; how many there were. */
static size_t read_column(sqlite3_stmt *s, int column, void *ret, size_t n) {
        const void *data = sqlite3_column_blob(s, column);

        n = min_size(n, (size_t)sqlite3_column_bytes(s, column));
        if (n > 0)
                memcpy(ret, data, n);
        return n;
}

static void read_lease(sqlite3_stmt *s, struct lease_record *ret) {
        *ret = (struct lease_record){
                .address = (ip4_t)sqlite3_column_int64(s, 0),
                .state = (enum lease_state)sqlite3_column_int(s, 1),
                .starts = (nsec_t)sqlite3_column_int64(s, 5),
                .ends = sqlite3_column_type(s, 6) == SQLITE_NULL
                                ? NSEC_NEVER
                                : (nsec_t)sqlite3_column_int64(s, 6),
                .subnet = (ip4_t)sqlite3_column_int64(s, 7),
        };
        read_column(s, 2, ret->mac.b, sizeof(ret->mac.b));
        ret->n_client_id =
                (uint8_t)read_column(s, 3, ret->client_id, sizeof(ret->client_id));
        read_column(s, 4, ret->hostname, sizeof(ret->hostname) - 1);
}

int db_load_leases(struct db *db, store_lease_fn fn, void *userdata) {
        sqlite3_stmt *statement = db->statements[STATEMENT_LEASES];
        int r, stopped = 0;

        while ((r = sqlite3_step(statement)) == SQLITE_ROW && stopped == 0) {
                struct lease_record lease;

                read_lease(statement, &lease);
                stopped = fn(&lease, userdata);
        }
        r = error_of(db->sqlite, r);
        sqlite3_reset(statement);
        return stopped ? stopped : r;
}

/* A column that somebody else has set to NULL is "". */
static const char *text_column(sqlite3_stmt *s, int column) {
        const unsigned char *text = sqlite3_column_text(s, column);

        return text ? (const char *)text : "";
}

int db_load_notes(struct db *db, store_note_fn fn, void *userdata) {
        sqlite3_stmt *s = db->statements[STATEMENT_NOTES];
        int r, stopped = 0;

        while (stopped == 0 && (r = sqlite3_step(s)) == SQLITE_ROW)
                stopped = fn(text_column(s, 0), text_column(s, 1), userdata);
        r = error_of(db->sqlite, r);
        sqlite3_reset(s);
        return stopped ? stopped : r;
}

int db_events(struct db *db, size_t n, struct text *out) {
        sqlite3_stmt *statement = db->statements[STATEMENT_EVENTS];
        int r;

        sqlite3_bind_int64(statement, 1, (int64_t)min_size(n, STORE_EVENTS_KEPT));
        while ((r = sqlite3_step(statement)) == SQLITE_ROW) {
                text_bytes(out, sqlite3_column_text(statement, 0),
                           (size_t)sqlite3_column_bytes(statement, 0));
                text_char(out, '\n');
        }
        r = error_of(db->sqlite, r);
        sqlite3_reset(statement);
        return r < 0 ? r : out->failed ? -ENOMEM : 0;
}
