/*
 * What the store promises, over real files: what it said is on disk is there after a
 * kill -9; a file that it cannot trust is refused with words that help; a disk that
 * fills up costs time and nothing else.
 */
#include "store/store.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/check.h"

enum { WAIT_MSEC = 20000 };

struct scene {
        char folder[64], path[80];
};

static int set_up(void **state) {
        struct scene *scene = calloc(1, sizeof(*scene));

        strcpy(scene->folder, "/tmp/store-test-XXXXXX");
        if (!mkdtemp(scene->folder))
                return -1;
        snprintf(scene->path, sizeof(scene->path), "%s/state.db", scene->folder);
        *state = scene;
        return 0;
}

static int tear_down(void **state) {
        static const char *const files[] = { "state.db", "state.db-wal", "state.db-shm",
                                             "ballast" };
        struct scene *scene = *state;

        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                char path[128];

                snprintf(path, sizeof(path), "%s/%s", scene->folder, files[i]);
                unlink(path);
        }
        rmdir(scene->folder);
        free(scene);
        return 0;
}

static struct store *open_store(const struct scene *scene) {
        struct text why = { 0 };
        struct store *store = NULL;
        int r = store_open(scene->folder, &store, &why);

        if (r < 0)
                fprintf(stderr, "# %s\n", text_string(&why));
        text_done(&why);
        return r == 0 ? store : NULL;
}

static struct lease_record lease_of(ip4_t address) {
        struct lease_record lease = {
                .address = address,
                .state = LEASE_BOUND,
                .mac = { { 2, 0, (uint8_t)(address >> 24), (uint8_t)(address >> 16),
                           (uint8_t)(address >> 8), (uint8_t)address } },
                .n_client_id = 3,
                .client_id = { 0, 255, 7 },
                .hostname = "node",
                .starts = (nsec_t)1700000000123456789,
                .ends = (nsec_t)1700000600123456789,
                .subnet = 0x0a000000,
        };

        return lease;
}

/* Waits for what store_fd() says until `ticket` is done. */
static bool wait_for(struct store *store, int64_t ticket) {
        int error;

        while (store_done(store, &error) < ticket) {
                struct pollfd p = { .fd = store_fd(store), .events = POLLIN };

                if (poll(&p, 1, WAIT_MSEC) != 1)
                        return false;
        }
        return true;
}

struct loaded {
        struct lease_record items[64];
        size_t n;
};

static int keep(const struct lease_record *lease, void *userdata) {
        struct loaded *loaded = userdata;

        if (loaded->n < ARRAY_SIZE(loaded->items))
                loaded->items[loaded->n] = *lease;
        loaded->n++;
        return 0;
}

static void a_lease_is_the_same_after_a_restart(void **state) {
        struct store *store = open_store(*state);
        struct lease_record first = lease_of(0xc0a80114), second = lease_of(0xffffffff);
        struct loaded loaded = { 0 };

        second.state = LEASE_DECLINED;
        second.ends = NSEC_NEVER;
        second.n_client_id = 0;
        memset(second.client_id, 0, sizeof(second.client_id));
        strcpy(second.hostname, "b\xff'\";--");
        assert_int_equal(store_put_lease(store, &first), 1);
        assert_int_equal(store_put_lease(store, &second), 2);
        assert_true(wait_for(store, 2));
        store = store_close(store);

        store = open_store(*state);
        assert_int_equal(store_load_leases(store, keep, &loaded), 0);
        assert_int_equal(loaded.n, 2);
        assert_memory_equal(&loaded.items[0], &first, sizeof(first));
        assert_memory_equal(&loaded.items[1], &second, sizeof(second));
        store_close(store);
}

static void the_last_record_of_an_address_stands(void **state) {
        struct store *store = open_store(*state);
        struct lease_record lease = lease_of(0xc0a80114);
        struct loaded loaded = { 0 };

        for (unsigned i = 0; i < 50; i++) {
                lease.starts = i;
                assert_int_equal(store_put_lease(store, &lease), i + 1);
        }
        store = store_close(store); /* commits what waits */
        store = open_store(*state);
        assert_int_equal(store_load_leases(store, keep, &loaded), 0);
        assert_int_equal(loaded.n, 1);
        assert_int_equal(loaded.items[0].starts, 49);
        store_close(store);
}

static int stop_at_two(const struct lease_record *lease, void *userdata) {
        unsigned *n = userdata;

        return ++*n == 2 ? 7 : 0;
}

static void loading_stops_when_it_is_told(void **state) {
        struct store *store = open_store(*state);
        unsigned n = 0;

        for (ip4_t a = 1; a <= 4; a++) {
                struct lease_record lease = lease_of(a);

                assert_true(store_put_lease(store, &lease) > 0);
        }
        assert_true(wait_for(store, 4));
        assert_int_equal(store_load_leases(store, stop_at_two, &n), 7);
        assert_int_equal(n, 2);
        n = 0; /* and begins anew */
        assert_int_equal(store_load_leases(store, stop_at_two, &n), 7);
        store_close(store);
}

/* ---- crash ---- */

/* Puts for ever; writes each number that is done to `to`. */
static void put_until_killed(const struct scene *scene, int to) {
        struct store *store = open_store(scene);
        int64_t put = 0, done = 0;
        int error;

        while (store) {
                struct lease_record lease = lease_of((ip4_t)put + 1);
                struct pollfd p = { .fd = store_fd(store), .events = POLLIN };

                if (put - done < 64 && store_put_lease(store, &lease) > 0)
                        put++;
                else
                        poll(&p, 1, WAIT_MSEC);
                done = store_done(store, &error);
                if (write(to, &done, sizeof(done)) != sizeof(done))
                        break;
        }
        _exit(1);
}

static int highest(const struct lease_record *lease, void *userdata) {
        int64_t *n = userdata;

        /* Every one up to the highest has to be there: addresses are tickets. */
        return lease->address == ++*n ? 0 : 1;
}

static void a_killed_process_has_on_disk_what_it_said(void **state) {
        for (int64_t aim = 1; aim < 600; aim = aim * 3 + 7) {
                int pipes[2];
                int64_t said = 0, on_disk = 0;
                struct store *store;
                pid_t child;

                assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
                child = fork();
                if (child == 0)
                        put_until_killed(*state, pipes[1]);
                close(pipes[1]);
                while (said < aim)
                        assert_int_equal(read(pipes[0], &said, sizeof(said)),
                                         sizeof(said));
                kill(child, SIGKILL);
                while (read(pipes[0], &said, sizeof(said)) == sizeof(said))
                        ;
                close(pipes[0]);
                assert_int_equal(waitpid(child, NULL, 0), child);

                store = open_store(*state);
                assert_non_null(store);
                assert_int_equal(store_load_leases(store, highest, &on_disk), 0);
                assert_true(on_disk >= said);
                store_close(store);
                unlink(((struct scene *)*state)->path);
        }
}

/* ---- notes ---- */

static int join_note(const char *key, const char *value, void *userdata) {
        struct text *out = userdata;

        text_add(out, key);
        text_char(out, '=');
        text_add(out, value);
        text_char(out, ';');
        return 0;
}

static void expect_notes(struct store *store, const char *expected) {
        struct text out = { 0 };

        assert_int_equal(store_load_notes(store, join_note, &out), 0);
        assert_string_equal(text_string(&out), expected);
        text_done(&out);
}

static void notes_are_kept_the_last_of_each_key(void **state) {
        struct store *store = open_store(*state);

        expect_notes(store, "");
        assert_int_equal(store_put_note(store, "b", "1"), 0);
        assert_int_equal(store_put_note(store, "a", "2"), 0);
        assert_int_equal(store_put_note(store, "b", "3"), 0);
        store_close(store);
        store = open_store(*state);
        expect_notes(store, "a=2;b=3;");
        store_close(store);
}

/* ---- files that are not to be trusted ---- */

static void expect_refusal(const struct scene *scene, int error, const char *words) {
        struct store *store = NULL;
        struct text why = { 0 };

        assert_int_equal(store_open(scene->folder, &store, &why), error);
        assert_null(store);
        if (!strstr(text_string(&why), words))
                fail_msg("'%s' is not in: %s", words, text_string(&why));
        assert_non_null(strstr(text_string(&why), scene->path));
        text_done(&why);
}

static void run_sql(const struct scene *scene, const char *sql) {
        sqlite3 *sqlite = NULL;

        assert_int_equal(sqlite3_open(scene->path, &sqlite), SQLITE_OK);
        assert_int_equal(sqlite3_exec(sqlite, sql, NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(sqlite);
}

static void overwrite(const struct scene *scene, off_t at, size_t n) {
        char garbage[4096];
        int fd = open(scene->path, O_WRONLY | O_CREAT, 0600);

        assert_true(n <= sizeof(garbage));
        memset(garbage, 'x', sizeof(garbage));
        assert_int_equal(pwrite(fd, garbage, n, at), n);
        close(fd);
}

static void garbage_is_refused_with_the_remedy(void **state) {
        struct scene *scene = *state;
        char remedy[256];

        overwrite(scene, 0, 4096);
        snprintf(remedy, sizeof(remedy), "move it away (mv %s %s.old)", scene->path,
                 scene->path);
        expect_refusal(scene, -EBADMSG, "is damaged");
        expect_refusal(scene, -EBADMSG, remedy);
}

static void a_damaged_page_is_found_at_the_start(void **state) {
        struct store *store = open_store(*state);

        for (ip4_t a = 1; a <= 2000; a++) {
                struct lease_record lease = lease_of(a);

                assert_true(store_put_lease(store, &lease) > 0);
        }
        store_close(store);
        overwrite(*state, 5 * 4096, 4096);
        expect_refusal(*state, -EBADMSG, "is damaged");
}

/* Version 1 had no notes. */
static void an_older_file_is_brought_up_to_date(void **state) {
        struct lease_record lease = lease_of(1);
        struct store *store = open_store(*state);
        int64_t found = 0;

        assert_true(store_put_lease(store, &lease) > 0);
        store_close(store);
        run_sql(*state, "DROP TABLE note; PRAGMA user_version = 1;");
        store = open_store(*state);
        assert_non_null(store);
        assert_int_equal(store_load_leases(store, highest, &found), 0);
        assert_true(found > 0);
        assert_int_equal(store_put_note(store, "a", "1"), 0);
        store_close(store);
        store = open_store(*state);
        expect_notes(store, "a=1;");
        store_close(store);
}

static void a_newer_schema_is_left_alone(void **state) {
        store_close(open_store(*state));
        run_sql(*state, "PRAGMA user_version = 3");
        expect_refusal(*state, -EINVAL, "written by a newer bootjack");
}

static void another_programs_database_is_left_alone(void **state) {
        run_sql(*state, "CREATE TABLE precious (x)");
        expect_refusal(*state, -EINVAL, "is a database of another program");
}

static void a_missing_folder_is_named(void **state) {
        struct scene none = { "/nonexistent/state", "/nonexistent/state/state.db" };

        expect_refusal(&none, -ENOENT, "there is no such folder");
}

static int wait_for_child(pid_t child) {
        int status = 0;

        while (waitpid(child, &status, 0) < 0 && errno == EINTR)
                ;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void a_folder_that_may_not_be_written_is_named(void **state) {
        struct scene *scene = *state;
        pid_t child;

        store_close(open_store(scene));
        chmod(scene->path, 0444);
        chmod(scene->folder, 0555);
        child = fork();
        if (child == 0) {
                struct store *store = NULL;
                struct text why = { 0 };
                int r;

                if (geteuid() == 0 && setuid(65534) < 0)
                        _exit(2);
                r = store_open(scene->folder, &store, &why);
                r = (r == -EACCES || r == -EROFS) &&
                                    strstr(text_string(&why), "must be writable") &&
                                    strstr(text_string(&why), scene->path)
                            ? 0
                            : 1;
                text_done(&why);
                _exit(r);
        }
        assert_int_equal(wait_for_child(child), 0);
        chmod(scene->folder, 0755);
}

/* ---- a full disk ---- */

/* Puts until store_done() reports an error; the tickets given so far, or -1. */
static int64_t put_until_error(struct store *store, int *ret_error) {
        for (ip4_t a = 1; a < 1000000; a++) {
                struct lease_record lease = lease_of(a);
                struct pollfd p = { .fd = store_fd(store), .events = POLLIN };
                int64_t ticket = store_put_lease(store, &lease);

                if (ticket < 0)
                        return -1;
                if (a % 64 == 0 && poll(&p, 1, WAIT_MSEC) != 1)
                        return -1;
                (void)store_done(store, ret_error);
                if (*ret_error < 0)
                        return ticket;
        }
        return -1;
}

/* In a child: fills, checks that no ticket is lost when there is room again. `expected`
 * is the error to see, 0 for any. */
static int fill_and_free(const struct scene *scene, void (*make_room)(const void *),
                         const void *userdata, int expected) {
        struct store *store = open_store(scene);
        struct loaded loaded = { 0 };
        int error = 0, after = 0;
        int64_t ticket;

        if (!store)
                return 10;
        ticket = put_until_error(store, &error);
        if (ticket < 0 || (expected && error != expected))
                return 11;
        /* It is kept, and more is taken, to a bound. */
        for (int i = 0; i < 20000; i++) {
                struct lease_record lease = lease_of((ip4_t)(ticket + 1));
                int64_t next = store_put_lease(store, &lease);

                if (next == -ENOBUFS)
                        break;
                if (next != ++ticket)
                        return 12;
        }
        make_room(userdata);
        if (!wait_for(store, ticket))
                return 13;
        if (store_done(store, &after) != ticket || after != 0)
                return 14;
        if (store_load_leases(store, keep, &loaded) != 0 || (int64_t)loaded.n != ticket)
                return 15;
        store_close(store);
        return 0;
}

static void raise_limit(const void *userdata) {
        const struct rlimit *limit = userdata;

        setrlimit(RLIMIT_FSIZE, limit);
}

static void a_limit_on_files_costs_no_lease(void **state) {
        pid_t child = fork();

        if (child == 0) {
                struct rlimit before, small;

                signal(SIGXFSZ, SIG_IGN);
                getrlimit(RLIMIT_FSIZE, &before);
                small = before;
                small.rlim_cur = 128 << 10;
                setrlimit(RLIMIT_FSIZE, &small);
                _exit(fill_and_free(*state, raise_limit, &before, 0));
        }
        assert_int_equal(wait_for_child(child), 0);
}

static void remove_ballast(const void *userdata) {
        unlink(userdata);
}

/* A small disk of its own, 4 MiB of which are taken by a file. */
static int on_small_disk(const struct scene *scene) {
        char ballast[128];
        int fd;

        if (unshare(CLONE_NEWNS) < 0 ||
            mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("none", scene->folder, "tmpfs", 0, "size=24m") < 0)
                return 77;
        snprintf(ballast, sizeof(ballast), "%s/ballast", scene->folder);
        fd = open(ballast, O_WRONLY | O_CREAT, 0600);
        if (fd < 0 || posix_fallocate(fd, 0, (24 << 20) - (512 << 10)) != 0)
                return 78;
        close(fd);
        return fill_and_free(scene, remove_ballast, ballast, -ENOSPC);
}

static void a_full_disk_costs_no_lease(void **state) {
        pid_t child = fork();
        int r;

        if (child == 0)
                _exit(on_small_disk(*state));
        r = wait_for_child(child);
        if (r == 77)
                skip(); /* only root may mount */
        assert_int_equal(r, 0);
}

/* ---- history ---- */

static struct event event_of(uint64_t story) {
        struct event e = { .kind = EVENT_MEDIUM_REMOVED,
                           .time = (nsec_t)1709211845123 * NSEC_PER_MSEC,
                           .story = story };

        e.values[0] = (struct event_value)EVENT_TEXT("debian");
        return e;
}

static size_t count_lines(const struct text *t) {
        size_t n = 0;

        for (size_t i = 0; i < t->n; i++)
                n += t->s[i] == '\n';
        return n;
}

static void history_is_told_oldest_first(void **state) {
        struct store *store = open_store(*state);
        struct text out = { 0 }, expected = { 0 };

        for (uint64_t i = 1; i <= 5; i++) {
                struct event e = event_of(i);

                store_put_event(store, &e);
                if (i < 4)
                        continue;
                event_json(&e, &expected);
                text_char(&expected, '\n');
        }
        store_close(store);
        store = open_store(*state);
        assert_int_equal(store_events(store, 2, &out), 0);
        assert_string_equal(text_string(&out), text_string(&expected));
        text_done(&out);
        text_done(&expected);
        store_close(store);
}

static void history_is_trimmed_to_the_newest(void **state) {
        struct store *store;
        struct event e = event_of(1);
        struct text out = { 0 };
        char sql[256];

        store_close(open_store(*state));
        /* As if 100,002 had been written and all but four been lost on the way. */
        snprintf(sql, sizeof(sql),
                 "INSERT INTO event (id, json) VALUES (1,'a'),(2,'b'),(3,'c'),(4,'d'),"
                 "(%d,'e')",
                 STORE_EVENTS_KEPT + 2);
        run_sql(*state, sql);
        store = open_store(*state);
        store_put_event(store, &e); /* gets KEPT + 3, so 1 to 3 go */
        store_close(store);
        store = open_store(*state);
        assert_int_equal(store_events(store, 100, &out), 0);
        assert_int_equal(count_lines(&out), 3);
        assert_int_equal(strncmp(out.s, "d\ne\n{", 5), 0);
        text_done(&out);
        store_close(store);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                T(a_lease_is_the_same_after_a_restart),
                T(the_last_record_of_an_address_stands),
                T(loading_stops_when_it_is_told),
                T(a_killed_process_has_on_disk_what_it_said),
                T(garbage_is_refused_with_the_remedy),
                T(a_damaged_page_is_found_at_the_start),
                T(notes_are_kept_the_last_of_each_key),
                T(an_older_file_is_brought_up_to_date),
                T(a_newer_schema_is_left_alone),
                T(another_programs_database_is_left_alone),
                T(a_missing_folder_is_named),
                T(a_folder_that_may_not_be_written_is_named),
                T(a_limit_on_files_costs_no_lease),
                T(a_full_disk_costs_no_lease),
                T(history_is_told_oldest_first),
                T(history_is_trimmed_to_the_newest),
        };
#undef T
        return check_run("store", tests);
}
