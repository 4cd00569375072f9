/*
 * bootjack media verify: a medium against every checksum that came with it.
 *
 *     beside it     SHA256SUMS, NAME.sha256 and the like: of the whole file
 *     in its head   the MD5 that isomd5sum implants: of the whole image but the place
 *                   where it stands
 *     inside        md5sum.txt, sha256sum.txt, .treeinfo: file by file, each wrong one
 *                   is named
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "cli/checksums.h"
#include "cli/cli.h"
#include "cli/media.h"
#include "cli/progress.h"
#include "media/pvd.h"
#include "media/tree.h"

enum { PIECE = 1 << 20, LIST_MAX = 16 << 20, TOLD_MAX = 1000 };

struct verification {
        const char *path;
        int fd; /* of the file; -1: a folder */
        uint64_t size;
        struct media_tree tree;
        json_t *checks;
        bool is_wrong, has_any;
        uint8_t piece[PIECE];
};

/* ---- one check ---- */

struct check {
        json_t *json, *wrong, *missing;
        uint64_t n_files;
};

static struct check check_new(const char *by) {
        struct check c = { .json = json_object(),
                           .wrong = json_array(),
                           .missing = json_array() };

        json_object_set_new(c.json, "by", json_string(by));
        return c;
}

static void add_name(json_t *names, const char *name, size_t n) {
        json_t *text = json_stringn(name, n);

        if (json_array_size(names) < TOLD_MAX)
                json_array_append_new(names, text ? text : json_string("?"));
}

static void check_done(struct verification *v, struct check *c) {
        bool is_right =
                json_array_size(c->wrong) == 0 && json_array_size(c->missing) == 0;

        json_object_set_new(c->json, "files", json_integer((json_int_t)c->n_files));
        json_object_set_new(c->json, "ok", json_boolean(is_right));
        json_object_set_new(c->json, "wrong", c->wrong);
        json_object_set_new(c->json, "missing", c->missing);
        json_array_append_new(v->checks, c->json);
        v->is_wrong |= !is_right;
        v->has_any = true;
}

/* ---- the whole file ---- */

struct hole { /* what counts as blanks */
        uint64_t at, n;
};

static void fill(uint8_t *piece, uint64_t at, size_t n, struct hole hole) {
        for (size_t i = 0; hole.n && i < n; i++)
                if (at + i >= hole.at && at + i < hole.at + hole.n)
                        piece[i] = ' ';
}

static bool hash_file(struct verification *v, enum digest_kind kind, uint64_t size,
                      struct hole hole, char hex[static DIGEST_HEX_MAX]) {
        struct progress progress;
        struct digest *digest = NULL;
        uint64_t at = 0;

        if (digest_new(kind, &digest) < 0)
                return false;
        progress_begin(&progress, v->path, 0, size);
        while (at < size) {
                ssize_t n = pread(v->fd, v->piece, (size_t)min_u64(PIECE, size - at),
                                  (off_t)at);

                if (n <= 0)
                        break;
                if (at < hole.at + hole.n && at + (uint64_t)n > hole.at)
                        fill(v->piece, at, (size_t)n, hole);
                digest_add(digest, v->piece, (size_t)n);
                at += (uint64_t)n;
                progress_set(&progress, at);
        }
        progress_end(&progress);
        digest_hex(digest, hex);
        digest_free(digest);
        return at == size;
}

static void check_whole(struct verification *v, const char *by,
                        const struct checksum *wanted, uint64_t size,
                        struct hole hole) {
        struct check c = check_new(by);
        char hex[DIGEST_HEX_MAX];

        c.n_files = 1;
        if (!hash_file(v, wanted->kind, size, hole, hex) ||
            strcmp(hex, wanted->hex) != 0)
                add_name(c.wrong, v->path, strlen(v->path));
        check_done(v, &c);
}

static int read_list(const char *path, struct text *ret) {
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        char piece[4096];
        ssize_t n = -1;

        if (fd < 0)
                return -errno;
        while (ret->n < LIST_MAX && (n = read(fd, piece, sizeof(piece))) > 0)
                text_bytes(ret, piece, (size_t)n);
        close(fd);
        return n < 0 ? -EIO : 0;
}

static void check_beside(struct verification *v) {
        static const char *const names[] = { "SHA256SUMS",    "SHA512SUMS",
                                             "sha256sum.txt", "CHECKSUM",
                                             "MD5SUMS",       ".sha256",
                                             ".sha512",       ".md5" };
        const char *slash = strrchr(v->path, '/'), *base = slash ? slash + 1 : v->path;

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                bool is_own = names[i][0] == '.';
                char path[PATH_MAX];
                const char *own_slash;
                struct text list = { 0 };
                struct checksum c;

                snprintf(path, sizeof(path), "%.*s%s",
                         is_own ? (int)strlen(v->path) : (int)(base - v->path), v->path,
                         names[i]);
                own_slash = strrchr(path, '/');
                if (read_list(path, &list) == 0 &&
                    checksums_find(text_string(&list), list.n, base, &c))
                        check_whole(v, own_slash ? own_slash + 1 : path, &c, v->size,
                                    (struct hole){ 0 });
                text_done(&list);
        }
}

/* ---- the implanted one ---- */

/* isomd5sum: in the 512 bytes for the application's use of the primary descriptor, as
 * "ISO MD5SUM = HEX;SKIPSECTORS = 15;...". The last sectors are skipped, since burning
 * may change them; the place itself counts as blanks. */
static void check_implanted(struct verification *v) {
        enum { USE_AT = 883, USE_BYTES = 512, SIZE_AT = 84 };
        const uint64_t at = PVD_FIRST * PVD_SECTOR;
        const struct hole hole = { at + USE_AT, USE_BYTES };
        static const char key[] = "ISO MD5SUM = ", skip_key[] = "SKIPSECTORS = ";
        uint8_t pvd[PVD_SECTOR];
        char use[USE_BYTES + 1], hex[33];
        const char *found, *skip;
        struct checksum wanted;
        uint64_t size, skipped;

        if (pread(v->fd, pvd, sizeof(pvd), (off_t)at) != (ssize_t)sizeof(pvd) ||
            memcmp(pvd + 1, "CD001", 5) != 0)
                return;
        memcpy(use, pvd + USE_AT, USE_BYTES);
        use[USE_BYTES] = '\0';
        found = strstr(use, key);
        skip = strstr(use, skip_key);
        if (!found || strlen(found) < sizeof(key) - 1 + 32)
                return;
        memcpy(hex, found + sizeof(key) - 1, 32);
        hex[32] = '\0';
        if (!checksum_parse(hex, &wanted))
                return;
        size = (uint64_t)load_be32(pvd + SIZE_AT) * PVD_SECTOR;
        skipped =
                skip ? strtoul(skip + sizeof(skip_key) - 1, NULL, 10) * PVD_SECTOR : 0;
        size = size > skipped ? size - skipped : 0;
        check_whole(v, "implanted MD5", &wanted, size, hole);
}

/* ---- inside ---- */

static bool hash_inside(struct verification *v, const char *path, uint64_t size,
                        enum digest_kind kind, char hex[static DIGEST_HEX_MAX]) {
        struct digest *digest = NULL;
        uint64_t at = 0;

        if (digest_new(kind, &digest) < 0)
                return false;
        while (at < size) {
                int n = media_tree_read(&v->tree, path, at, v->piece, PIECE);

                if (n <= 0)
                        break;
                digest_add(digest, v->piece, (size_t)n);
                at += (uint64_t)n;
        }
        digest_hex(digest, hex);
        digest_free(digest);
        return at == size;
}

static void check_file(struct verification *v, struct check *c,
                       const struct checksum *wanted, struct progress *progress,
                       uint64_t *done) {
        char path[PATH_MAX_BYTES], hex[DIGEST_HEX_MAX];
        uint64_t size;

        c->n_files++;
        if (wanted->n_name >= sizeof(path) ||
            memchr(wanted->name, '\0', wanted->n_name)) {
                add_name(c->missing, wanted->name, wanted->n_name);
                return;
        }
        memcpy(path, wanted->name, wanted->n_name);
        path[wanted->n_name] = '\0';
        size = media_tree_size(&v->tree, path);
        if (size == 0 && !media_tree_has(&v->tree, path))
                add_name(c->missing, path, wanted->n_name);
        else if (!hash_inside(v, path, size, wanted->kind, hex) ||
                 strcmp(hex, wanted->hex) != 0)
                add_name(c->wrong, path, wanted->n_name);
        *done += size;
        progress_set(progress, *done);
}

static void check_list(struct verification *v, const char *name, const char *list,
                       size_t n) {
        struct check c = check_new(name);
        struct progress progress;
        const char *at = list;
        struct checksum wanted;
        uint64_t done = 0;

        progress_begin(&progress, name, 0, v->size);
        while (checksums_next(&at, list + n, &wanted))
                /* Lists that name themselves were made before they were written. */
                if (wanted.name && !(wanted.n_name == strlen(name) &&
                                     memcmp(wanted.name, name, wanted.n_name) == 0))
                        check_file(v, &c, &wanted, &progress, &done);
        progress_end(&progress);
        if (c.n_files > 0) {
                check_done(v, &c);
                return;
        }
        json_decref(c.json);
        json_decref(c.wrong);
        json_decref(c.missing);
}

static void check_inside(struct verification *v) {
        static const char *const names[] = { "md5sum.txt", "sha256sum.txt",
                                             "SHA256SUMS", ".treeinfo" };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                uint64_t size = media_tree_size(&v->tree, names[i]);
                char *list = size > 0 && size <= LIST_MAX ? malloc((size_t)size) : NULL;

                if (list && media_tree_read(&v->tree, names[i], 0, list,
                                            (size_t)size) == (int)size)
                        check_list(v, names[i], list, (size_t)size);
                free(list);
        }
}

/* ---- told ---- */

static void add_names(struct text *out, const char *what, const json_t *names) {
        const json_t *name;
        size_t i;

        json_array_foreach(names, i, name) {
                text_add(out, "  ");
                text_add(out, what);
                text_printable(out, json_string_value(name), json_string_length(name));
                text_char(out, '\n');
        }
}

static void tell(const struct verification *v, struct text *out) {
        const json_t *check;
        size_t i;

        json_array_foreach(v->checks, i, check) {
                const char *by = json_string_value(json_object_get(check, "by"));
                json_int_t n = json_integer_value(json_object_get(check, "files"));
                bool ok = json_is_true(json_object_get(check, "ok"));

                text_printable(out, v->path, strlen(v->path));
                text_add(out, ok ? ": right by " : ": WRONG by ");
                text_add(out, by ? by : "?");
                if (n != 1) {
                        text_add(out, ", ");
                        text_u64(out, (uint64_t)n);
                        text_add(out, " files");
                }
                text_char(out, '\n');
                add_names(out, "wrong    ", json_object_get(check, "wrong"));
                add_names(out, "missing  ", json_object_get(check, "missing"));
        }
        if (v->has_any)
                return;
        text_printable(out, v->path, strlen(v->path));
        text_add(out, ": brings no checksums to hold it against; put its publisher's "
                      "SHA256SUMS beside it\n");
}

static void verify(struct verification *v) {
        if (v->fd >= 0) {
                check_beside(v);
                check_implanted(v);
        }
        check_inside(v);
}

static int verify_open(const struct media_wish *wish, struct verification *v,
                       const struct media_here *here, struct text *out, json_t *all) {
        json_t *json = json_object();
        bool ok;

        v->tree = (struct media_tree){
                .index = media_index_is_tree(&here->index) ? NULL : &here->index,
                .fd = here->fd,
        };
        verify(v);
        ok = v->has_any && !v->is_wrong;
        if (!wish->flags.json)
                tell(v, out);
        json_object_set_new(json, "path", json_string(v->path));
        json_object_set_new(json, "ok", json_boolean(ok));
        json_object_set(json, "checks", v->checks);
        json_array_append_new(all, json);
        return ok ? CLI_DONE : CLI_FAILED;
}

static int verify_one(const struct media_wish *wish, const char *operand,
                      struct text *out, json_t *all) {
        struct verification *v = calloc(1, sizeof(*v));
        struct media_here here;
        struct text why = { 0 };
        char *path = NULL;
        struct stat st;
        int r = v ? media_path(wish, operand, &path) : client_fail("out of memory");

        if (r == CLI_DONE && media_open(path, path, &here, &why) != MEDIA_OK) {
                r = media_fail_at(path, text_string(&why));
        } else if (r == CLI_DONE) {
                v->path = path;
                v->checks = json_array();
                v->fd = media_index_is_tree(&here.index)
                                ? -1
                                : open(path, O_RDONLY | O_CLOEXEC);
                v->size =
                        v->fd >= 0 && fstat(v->fd, &st) == 0 ? (uint64_t)st.st_size : 0;
                r = verify_open(wish, v, &here, out, all);
                json_decref(v->checks);
                if (v->fd >= 0)
                        close(v->fd);
                media_close(&here);
        }
        text_done(&why);
        free(path);
        free(v);
        return r;
}

int media_verify(const struct media_wish *wish, const char *const *operands) {
        json_t *all = json_array();
        struct text out = { 0 };
        int r = CLI_DONE;

        for (size_t i = 0; operands[i]; i++)
                if (verify_one(wish, operands[i], &out, all) != CLI_DONE)
                        r = CLI_FAILED;
        if (wish->flags.json) {
                char *text = json_dumps(all, JSON_COMPACT);

                text_add(&out, text ? text : "[]");
                text_char(&out, '\n');
                free(text);
        }
        json_decref(all);
        if (out.n > 0 && client_print(&out) != CLI_DONE)
                r = CLI_FAILED;
        return r;
}
