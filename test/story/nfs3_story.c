/*
 * Whole conversations with the NFS server: what a client keeps over restarts and over
 * changes of the tree, and what somebody tries who means no good.
 */
#include <stdio.h>
#include <stdlib.h>

#include "test/check.h"
#include "test/nfs_tree.h"
#include "wire/xdr.h"

struct handle {
        size_t n;
        uint8_t bytes[NFS3_HANDLE_MAX];
};

static struct nfs_test_tree tree;
static struct nfs3_server *server;
static uint8_t buffer[NFS3_HEAD_MAX];
static struct nfs3_reply reply;
static nsec_t now = NSEC_PER_SEC;
static bool by_udp;

static void restart(uint8_t key) {
        struct nfs3_server_config config = nfs_tree_config(key);

        nfs3_server_free(server);
        assert_int_equal(nfs3_server_new(&config, &server), 0);
}

static int set_up(void **state) {
        nfs_tree_fill(&tree);
        by_udp = false;
        restart(1);
        return 0;
}

static int tear_down(void **state) {
        server = nfs3_server_free(server);
        return 0;
}

static struct writer begin(uint8_t *data, size_t n, uint32_t program,
                           uint32_t procedure) {
        struct writer w = writer_of(data, n);

        writer_be32(&w, 42);
        writer_be32(&w, 0);
        writer_be32(&w, 2);
        writer_be32(&w, program);
        writer_be32(&w, program == PORTMAP_PROGRAM ? 2 : 3);
        writer_be32(&w, procedure);
        writer_zeros(&w, 16); /* AUTH_NONE, twice */
        return w;
}

static enum nfs3_outcome put(const uint8_t *data, size_t n, enum nfs3_door door) {
        const struct nfs3_request request = { .door = door,
                                              .is_tcp = !by_udp,
                                              .local = 0x0a000001,
                                              .port = 2049,
                                              .portmap_port = 111,
                                              .now = now,
                                              .asker = &tree };

        return nfs3_server_call(server, &request, data, n, buffer, &reply);
}

/* Puts it again for as long as it has to wait; the results behind the status. */
static enum nfs3_status ask(const struct writer *w, const uint8_t *data,
                            struct reader *ret) {
        enum nfs3_outcome outcome;
        unsigned n = 0;

        while ((outcome = put(data, w->at, NFS3_DOOR_NFS)) == NFS3_WAIT)
                assert_true(++n < 10);
        assert_int_equal(outcome, NFS3_REPLY);
        assert_true(reply.n_head >= 28 && reply.n_head % 4 == 0);
        *ret = reader_of(buffer, reply.n_head);
        assert_int_equal(reader_be32(ret), 42);
        (void)reader_span(ret, 16);
        assert_int_equal(reader_be32(ret), RPC_SUCCESS);
        return reader_be32(ret);
}

static enum nfs3_status mount(const char *path, struct handle *ret) {
        uint8_t data[512];
        struct writer w = begin(data, sizeof(data), NFS3_MOUNT_PROGRAM, NFS3_MOUNT_MNT);
        enum nfs3_status status;
        struct reader r;
        struct span s;

        xdr_put_string(&w, path);
        status = ask(&w, data, &r);
        if (status != NFS3_OK)
                return status;
        s = xdr_opaque(&r, NFS3_HANDLE_MAX);
        ret->n = s.n;
        memcpy(ret->bytes, s.data, s.n);
        return NFS3_OK;
}

static struct writer with_handle(uint8_t *data, size_t n, uint32_t procedure,
                                 const struct handle *handle) {
        struct writer w = begin(data, n, NFS3_PROGRAM, procedure);

        xdr_put_opaque(&w, handle->bytes, handle->n);
        return w;
}

static enum nfs3_status lookup(const struct handle *folder, const char *name,
                               struct handle *ret) {
        uint8_t data[512];
        struct writer w = with_handle(data, sizeof(data), NFS3_LOOKUP, folder);
        enum nfs3_status status;
        struct reader r;
        struct span s;

        xdr_put_string(&w, name);
        status = ask(&w, data, &r);
        if (status != NFS3_OK)
                return status;
        s = xdr_opaque(&r, NFS3_HANDLE_MAX);
        ret->n = s.n;
        memcpy(ret->bytes, s.data, s.n);
        return NFS3_OK;
}

static enum nfs3_status getattr(const struct handle *handle, uint64_t *ret_id) {
        uint8_t data[256];
        struct writer w = with_handle(data, sizeof(data), NFS3_GETATTR, handle);
        struct reader r;
        enum nfs3_status status = ask(&w, data, &r);

        if (status != NFS3_OK)
                return status;
        (void)reader_span(&r, 52);
        *ret_id = reader_be64(&r);
        return NFS3_OK;
}

static enum nfs3_status read_at(const struct handle *handle, uint64_t offset,
                                uint32_t count) {
        uint8_t data[256];
        struct writer w = with_handle(data, sizeof(data), NFS3_READ, handle);
        struct reader r;

        writer_be64(&w, offset);
        writer_be32(&w, count);
        return ask(&w, data, &r);
}

static struct handle walk(const char *path) {
        char name[256];
        struct handle at;

        assert_int_equal(mount("/", &at), NFS3_OK);
        while (*path) {
                size_t n = strcspn(path, "/");

                memcpy(name, path, n);
                name[n] = '\0';
                assert_int_equal(lookup(&at, name, &at), NFS3_OK);
                path += n + (path[n] == '/');
        }
        return at;
}

/* ---- handles ---- */

static void handles_live_through_a_restart_and_a_changed_tree(void **state) {
        static const char *const paths[] = { "hello", "media", "media/live/boot/kernel",
                                             "boot.ipxe", "media/live/link" };
        struct handle handles[ARRAY_SIZE(paths)];
        uint64_t id;

        for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
                handles[i] = walk(paths[i]);
        restart(1);
        nfs_tree_add(&tree, "another", NFS3_NODE_FILE, 3);
        for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
                assert_int_equal(getattr(&handles[i], &id), NFS3_OK);
                assert_int_equal(id, nfs_tree_find(&tree, paths[i])->node.id);
        }
}

/* RFC 1813 2.6: NFS3ERR_STALE for what is not there any more. */
static void what_was_replaced_is_stale(void **state) {
        struct handle hello = walk("hello"), kernel = walk("media/live/boot/kernel");
        uint64_t id;

        nfs_tree_find(&tree, "hello")->node.id = 4711;
        assert_int_equal(getattr(&hello, &id), NFS3ERR_STALE);
        assert_int_equal(read_at(&hello, 0, 10), NFS3ERR_STALE);
        assert_null(reply.file);
        for (size_t i = 0; i < tree.n; i++)
                if (tree.nodes[i].node.image == 77)
                        tree.nodes[i].node.image = 78;
        assert_int_equal(getattr(&kernel, &id), NFS3ERR_STALE);
        kernel = walk("media/live/boot/kernel");
        assert_int_equal(getattr(&kernel, &id), NFS3_OK);
        /* Root's own file of the name wins, and has another number. */
        memcpy(tree.nodes[1].path, "media/live/boot/kernel", 23);
        assert_int_equal(getattr(&kernel, &id), NFS3ERR_STALE);
}

static void a_medium_that_may_yet_come_is_not_stale(void **state) {
        struct handle kernel = walk("media/live/boot/kernel");
        uint64_t id;

        restart(1);
        tree.has_settled = false;
        for (size_t i = 0; i < tree.n; i++)
                tree.nodes[i].is_gone |= tree.nodes[i].node.image == 77;
        assert_int_equal(getattr(&kernel, &id), NFS3ERR_JUKEBOX);
        tree.has_settled = true;
        assert_int_equal(getattr(&kernel, &id), NFS3ERR_STALE);
}

static void forged_handles_open_nothing(void **state) {
        struct handle good = walk("media/live/boot/kernel"), bad;
        uint64_t id, random = 88172645463325252ULL;

        for (size_t i = 0; i < 8 * good.n; i++) {
                bad = good;
                bad.bytes[i / 8] ^= (uint8_t)(1 << i % 8);
                assert_int_equal(getattr(&bad, &id), NFS3ERR_BADHANDLE);
        }
        for (bad.n = 0; bad.n < good.n; bad.n++)
                assert_int_equal(getattr(&bad, &id), NFS3ERR_BADHANDLE);
        for (unsigned i = 0; i < 100000; i++) {
                bad.n = 4 * (1 + i % 16);
                for (size_t j = 0; j < bad.n; j++) {
                        random ^= random << 13;
                        random ^= random >> 7;
                        random ^= random << 17;
                        bad.bytes[j] = (uint8_t)random;
                }
                assert_int_equal(getattr(&bad, &id), NFS3ERR_BADHANDLE);
        }
        restart(2);
        assert_int_equal(getattr(&good, &id), NFS3ERR_BADHANDLE);
}

/* Two names of one mark: the identity decides, and the walk goes back for it. */
static void names_with_one_mark_are_told_apart(void **state) {
        char first[16] = "", second[16] = "", path[64];
        struct handle a, b;
        uint64_t id;

        for (unsigned i = 0; !second[0]; i++)
                for (unsigned j = 0; j < i && !second[0]; j++) {
                        snprintf(first, sizeof(first), "n%u", i);
                        snprintf(path, sizeof(path), "n%u", j);
                        if (nfs3_trail_mark(first, strlen(first)) ==
                            nfs3_trail_mark(path, strlen(path)))
                                memcpy(second, path, strlen(path) + 1);
                }
        nfs_tree_add(&tree, first, NFS3_NODE_FOLDER, 0);
        nfs_tree_add(&tree, second, NFS3_NODE_FOLDER, 0);
        snprintf(path, sizeof(path), "%s/x", first);
        nfs_tree_add(&tree, path, NFS3_NODE_FILE, 1);
        a = walk(path);
        snprintf(path, sizeof(path), "%s/x", second);
        nfs_tree_add(&tree, path, NFS3_NODE_FILE, 2);
        b = walk(path);
        restart(1);
        assert_int_equal(getattr(&b, &id), NFS3_OK);
        assert_int_equal(id, nfs_tree_find(&tree, path)->node.id);
        snprintf(path, sizeof(path), "%s/x", first);
        assert_int_equal(getattr(&a, &id), NFS3_OK);
        assert_int_equal(id, nfs_tree_find(&tree, path)->node.id);
}

static void a_path_is_walked_once(void **state) {
        struct handle hello = walk("hello");
        uint64_t id;

        restart(1);
        tree.n_lists = 0;
        for (unsigned i = 0; i < 50; i++)
                assert_int_equal(getattr(&hello, &id), NFS3_OK);
        assert_int_equal(tree.n_lists, 1);
}

static void a_path_that_is_too_deep_has_no_handle(void **state) {
        char path[PATH_MAX_BYTES] = "d";
        struct handle at;
        unsigned depth = 1;

        for (;; depth++) {
                nfs_tree_add(&tree, path, NFS3_NODE_FOLDER, 0);
                if (depth > NFS3_TRAIL_MAX)
                        break;
                strcat(path, "/d");
        }
        at = walk("d");
        for (unsigned i = 1; i < NFS3_TRAIL_MAX; i++)
                assert_int_equal(lookup(&at, "d", &at), NFS3_OK);
        assert_int_equal(lookup(&at, "d", &at), NFS3ERR_NAMETOOLONG);
        assert_int_equal(mount(path, &at), NFS3ERR_NAMETOOLONG);
}

/* ---- what is made first ---- */

static void what_must_be_made_is_waited_for(void **state) {
        uint8_t data[256];
        struct handle made = walk("boot.ipxe");
        struct writer w = with_handle(data, sizeof(data), NFS3_READ, &made);

        writer_be64(&w, 0);
        writer_be32(&w, 1000);
        restart(1);
        nfs_tree_find(&tree, "boot.ipxe")->is_late = true;
        assert_int_equal(put(data, w.at, NFS3_DOOR_NFS), NFS3_WAIT);
        assert_null(reply.file);
        assert_int_equal(put(data, w.at, NFS3_DOOR_NFS), NFS3_REPLY);
        assert_int_equal(reply.n_file, 300);
        assert_ptr_equal(reply.file, nfs_tree_find(&tree, "boot.ipxe"));
}

/* ---- reads ---- */

/* RFC 1813 3.3.6 */
static void a_read_stays_within_file_and_transport(void **state) {
        struct handle kernel = walk("media/live/boot/kernel");
        static const struct {
                uint64_t offset;
                uint32_t count, tcp, udp;
        } rows[] = { { 0, 0, 0, 0 },
                     { 0, 100, 100, 100 },
                     { 0, UINT32_MAX, 1 << 20, 32768 },
                     { 4999999, 1000, 1, 1 },
                     { 5000000, 1000, 0, 0 },
                     { UINT64_MAX, UINT32_MAX, 0, 0 } };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                by_udp = false;
                assert_int_equal(read_at(&kernel, rows[i].offset, rows[i].count),
                                 NFS3_OK);
                assert_int_equal(reply.n_file, rows[i].tcp);
                assert_int_equal(reply.file != NULL, rows[i].tcp > 0);
                assert_int_equal(nfs3_reply_size(&reply) % 4, 0);
                by_udp = true;
                assert_int_equal(read_at(&kernel, rows[i].offset, rows[i].count),
                                 NFS3_OK);
                assert_int_equal(reply.n_file, rows[i].udp);
        }
}

/* ---- listings ---- */

struct page {
        enum nfs3_status status;
        size_t n, size;
        uint64_t cookie, verifier;
        bool is_end;
};

static struct page list(const struct handle *folder, uint64_t cookie, uint64_t verifier,
                        uint32_t count, bool is_plus, char *names) {
        uint8_t data[256];
        struct writer w = with_handle(
                data, sizeof(data), is_plus ? NFS3_READDIRPLUS : NFS3_READDIR, folder);
        struct page page = { 0 };
        struct reader r;

        writer_be64(&w, cookie);
        writer_be64(&w, verifier);
        if (is_plus)
                writer_be32(&w, count);
        writer_be32(&w, count);
        page.status = ask(&w, data, &r);
        page.size = reader_left(&r);
        if (page.status != NFS3_OK)
                return page;
        (void)reader_span(&r, 4 + NFS3_ATTRIBUTES_SIZE);
        page.verifier = reader_be64(&r);
        while (reader_be32(&r)) {
                struct span name;

                (void)reader_be64(&r);
                name = xdr_opaque(&r, 255);
                page.cookie = reader_be64(&r);
                strncat(names, (const char *)name.data, name.n);
                strcat(names, " ");
                page.n++;
                if (is_plus && reader_be32(&r))
                        (void)reader_span(&r, NFS3_ATTRIBUTES_SIZE);
                if (is_plus && reader_be32(&r))
                        (void)xdr_opaque(&r, NFS3_HANDLE_MAX);
        }
        page.is_end = reader_be32(&r);
        assert_false(r.failed);
        assert_int_equal(reader_left(&r), 0);
        return page;
}

static void fill_folder(unsigned n) {
        char path[64];

        nfs_tree_add(&tree, "many", NFS3_NODE_FOLDER, 0);
        for (unsigned i = 0; i < n; i++) {
                snprintf(path, sizeof(path), "many/entry-%u", i);
                nfs_tree_add(&tree, path, NFS3_NODE_FILE, i);
        }
}

/* RFC 1813 3.3.16, 3.3.17 */
static void a_listing_fits_into_what_the_client_takes(void **state) {
        struct handle many;

        fill_folder(200);
        many = walk("many");
        for (unsigned plus = 0; plus < 2; plus++)
                for (uint32_t count = 0; count < 3000; count += count < 400 ? 4 : 100) {
                        static char names[16384];
                        struct page page = { 0 };
                        size_t n = 0;

                        names[0] = '\0';
                        while (!page.is_end) {
                                page = list(&many, page.cookie, page.verifier, count,
                                            plus, names);
                                if (page.status != NFS3_OK)
                                        break;
                                assert_true(page.size <= count);
                                n += page.n;
                        }
                        if (page.status == NFS3_OK)
                                assert_int_equal(n, 202);
                        else
                                assert_int_equal(page.status, NFS3ERR_TOOSMALL);
                        assert_true(page.status == NFS3_OK || count < 400);
                        for (unsigned i = 0; page.status == NFS3_OK && i < 200; i++) {
                                char name[32];

                                snprintf(name, sizeof(name), " entry-%u ", i);
                                assert_non_null(strstr(names, name));
                        }
                }
}

static void a_cookie_of_another_folder_is_refused(void **state) {
        static char names[16384];
        struct handle many, media = walk("media");
        struct page page;

        fill_folder(100);
        many = walk("many");
        page = list(&many, 0, 0, 1000, false, names);
        assert_int_equal(page.status, NFS3_OK);
        assert_int_equal(
                list(&media, page.cookie, page.verifier, 1000, false, names).status,
                NFS3ERR_BAD_COOKIE);
}

/* RFC 1813 3.3.16: entries that stay are told once, whatever comes and goes. */
static void a_listing_goes_on_while_the_folder_changes(void **state) {
        static char names[16384];
        struct page page = { 0 };
        struct handle many;
        char name[32];

        fill_folder(200);
        many = walk("many");
        names[0] = '\0';
        for (unsigned i = 0; !page.is_end; i++) {
                page = list(&many, page.cookie, page.verifier, 600, false, names);
                assert_int_equal(page.status, NFS3_OK);
                snprintf(name, sizeof(name), "many/entry-%u", i);
                nfs_tree_find(&tree, name)->is_gone = true;
                snprintf(name, sizeof(name), "many/new-%u", i);
                nfs_tree_add(&tree, name, NFS3_NODE_FILE, 1);
                nfs_tree_find(&tree, "many")->node.mtime++;
                if (i == 3)
                        restart(1);
        }
        for (unsigned i = 100; i < 200; i++) {
                char *at;

                snprintf(name, sizeof(name), " entry-%u ", i);
                at = strstr(names, name);
                assert_non_null(at);
                assert_null(strstr(at + 1, name));
        }
}

/* ---- calls ---- */

/* RFC 5531 11: two records cut into fragments, a byte at a time; then both at once. */
static void records_come_in_any_pieces(void **state) {
        uint8_t call[256], bytes[1024];
        struct handle hello = walk("hello");
        struct writer w = with_handle(call, sizeof(call), NFS3_GETATTR, &hello);
        struct rpc_record record = { 0 };
        size_t n = 0, n_answered = 0;

        for (unsigned i = 0; i < 2; i++)
                for (size_t at = 0; at < w.at; at += 12) {
                        size_t length = min_size(12, w.at - at);
                        uint32_t last = at + length == w.at ? 0x80000000 : 0;

                        store_be32(bytes + n, last | (uint32_t)length);
                        memcpy(bytes + n + 4, call + at, length);
                        n += 4 + length;
                }
        for (size_t piece = 1; piece < n; piece++) {
                for (size_t at = 0, taken; at < n; at += taken) {
                        if (rpc_record_feed(&record, bytes + at,
                                            min_size(piece, n - at),
                                            &taken) != RPC_RECORD_WHOLE)
                                continue;
                        assert_int_equal(put(record.data, record.n, NFS3_DOOR_NFS),
                                         NFS3_REPLY);
                        rpc_record_next(&record);
                        n_answered++;
                }
        }
        assert_int_equal(n_answered, 2 * (n - 1));
}

/* RFC 5531 9; RFC 1833 3.2 */
static void doors_keep_to_their_programs(void **state) {
        uint8_t data[256];
        struct writer w = begin(data, sizeof(data), PORTMAP_PROGRAM, PORTMAP_DUMP);

        assert_int_equal(put(data, w.at, NFS3_DOOR_NFS), NFS3_REPLY);
        assert_int_equal(load_be32(buffer + 20), RPC_PROG_UNAVAIL);
        assert_int_equal(put(data, w.at, NFS3_DOOR_PORTMAP), NFS3_REPLY);
        assert_int_equal(load_be32(buffer + 20), RPC_SUCCESS);
        w = begin(data, sizeof(data), PORTMAP_PROGRAM, PORTMAP_CALLIT);
        assert_int_equal(put(data, w.at, NFS3_DOOR_PORTMAP), NFS3_NO_REPLY);
        w = begin(data, sizeof(data), NFS3_PROGRAM, NFS3_NULL);
        assert_int_equal(put(data, w.at, NFS3_DOOR_PORTMAP), NFS3_REPLY);
        assert_int_equal(load_be32(buffer + 20), RPC_PROG_UNAVAIL);
}

#define STORY(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                STORY(handles_live_through_a_restart_and_a_changed_tree),
                STORY(what_was_replaced_is_stale),
                STORY(a_medium_that_may_yet_come_is_not_stale),
                STORY(forged_handles_open_nothing),
                STORY(names_with_one_mark_are_told_apart),
                STORY(a_path_is_walked_once),
                STORY(a_path_that_is_too_deep_has_no_handle),
                STORY(what_must_be_made_is_waited_for),
                STORY(a_read_stays_within_file_and_transport),
                STORY(a_listing_fits_into_what_the_client_takes),
                STORY(a_cookie_of_another_folder_is_refused),
                STORY(a_listing_goes_on_while_the_folder_changes),
                STORY(records_come_in_any_pieces),
                STORY(doors_keep_to_their_programs),
        };
        return check_run("story/nfs3", tests);
}
