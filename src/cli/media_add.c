/*
 * bootjack media add: an image or archive into the folder of media, by copy, link or
 * download. It is made under a name that begins with a dot, which the server passes
 * over, and gets its own when it is whole, checked and known to be a medium; so no
 * machine ever sees half of one. A download that was cut stays under that name and is
 * gone on with.
 */
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "cli/checksums.h"
#include "cli/cli.h"
#include "cli/fetch.h"
#include "cli/media.h"
#include "cli/progress.h"

enum { LIST_MAX = 4 << 20, PIECE = 1 << 20, NAME_BYTES_MAX = 200, VALIDATOR_MAX = 256 };

struct addition {
        const struct media_wish *wish;
        const char *source;
        bool is_url;
        char name[NAME_BYTES_MAX + 1];
        char *folder;
        char part[PATH_MAX], from[PATH_MAX], path[PATH_MAX];
        int fd;
        bool is_known; /* `checksum` is */
        struct checksum checksum;
        struct text checked_by;
        struct progress progress;
        bool is_full;
};

static int fail_errno(const char *path) {
        return media_fail_at(path, strerror(errno));
}

/* ---- names ---- */

static int choose_name(struct addition *a) {
        const char *slash = strrchr(a->source, '/');
        const char *given = a->wish->name;

        if (!given && a->is_url) {
                if (!fetch_name(a->source, a->name, sizeof(a->name)))
                        return media_fail_at(a->source,
                                             "the address has no file's name "
                                             "in it; give one with --name");
        } else {
                given = given ? given : slash ? slash + 1 : a->source;
                if (strlen(given) > NAME_BYTES_MAX || strchr(given, '/') ||
                    given[0] == '.' || given[0] == '\0')
                        return media_fail_at(given, "is no name for a file of media");
                strcpy(a->name, given);
        }
        if (medium_suffix_length(a->name, strlen(a->name)) == 0)
                return media_fail_at(a->name,
                                     "media end with .iso, .img, .tar, .tar.gz "
                                     "or .tar.xz; give another with --name");
        return CLI_DONE;
}

static int choose_paths(struct addition *a) {
        struct stat st;
        int r = media_folder(a->wish, &a->folder);

        if (r != CLI_DONE)
                return r;
        if (snprintf(a->path, PATH_MAX, "%s/%s", a->folder, a->name) >= PATH_MAX ||
            snprintf(a->part, PATH_MAX, "%s/.%s.part", a->folder, a->name) >=
                    PATH_MAX ||
            snprintf(a->from, PATH_MAX, "%s/.%s.from", a->folder, a->name) >= PATH_MAX)
                return media_fail_at(a->folder, "the path is too long");
        if (lstat(a->path, &st) == 0 && !a->wish->replace)
                return media_fail_at(a->path,
                                     "is there already; --replace puts the new "
                                     "one in its place");
        return CLI_DONE;
}

/* ---- checksums ---- */

static int read_list(const char *path, struct text *ret) {
        FILE *file = fopen(path, "re");
        char piece[4096];
        size_t n;

        if (!file)
                return -errno;
        while (ret->n < LIST_MAX && (n = fread(piece, 1, sizeof(piece), file)) > 0)
                text_bytes(ret, piece, n);
        fclose(file);
        return ret->failed ? -ENOMEM : 0;
}

static void keep_checksum(struct addition *a, const struct checksum *c,
                          const char *from) {
        a->checksum = *c;
        a->is_known = true;
        text_add(&a->checked_by, from);
}

/* --checksum: itself, or the list where it stands. */
static int take_given(struct addition *a) {
        const char *given = a->wish->checksum;
        struct text list = { 0 }, why = { 0 };
        struct checksum c;
        int r = 0;

        if (checksum_parse(given, &c)) {
                keep_checksum(a, &c, "the given checksum");
                return CLI_DONE;
        }
        r = fetch_is_url(given) ? fetch_text(given, LIST_MAX, &list, &why)
                                : read_list(given, &list);
        if (r != 0)
                r = media_fail_at(given, r < 0 ? strerror(-r) : text_string(&why));
        else if (!checksums_find(text_string(&list), list.n, a->name, &c))
                r = media_fail_at(given, "has no checksum of this file");
        else
                keep_checksum(a, &c, given);
        text_done(&list);
        text_done(&why);
        return r;
}

static char *beside(const struct addition *a, const char *name) {
        const char *slash = strrchr(a->source, '/');
        struct text path = { 0 };

        if (a->is_url)
                return fetch_beside(a->source, name);
        text_bytes(&path, a->source, slash ? (size_t)(slash + 1 - a->source) : 0);
        text_add(&path, name);
        return path.s;
}

/* Where publishers put them; the first list that knows the file is taken. */
static void look_beside(struct addition *a) {
        static const char *const names[] = { "SHA256SUMS", "%s.sha256", "SHA512SUMS",
                                             "sha256sum.txt", "CHECKSUM" };

        for (size_t i = 0; i < ARRAY_SIZE(names) && !a->is_known; i++) {
                char name[NAME_BYTES_MAX + 16];
                struct text list = { 0 }, why = { 0 };
                struct checksum c;
                char *where;

                snprintf(name, sizeof(name), "%s%s", names[i][0] == '%' ? a->name : "",
                         names[i][0] == '%' ? names[i] + 2 : names[i]);
                where = beside(a, name);
                if (where &&
                    (a->is_url ? fetch_text(where, LIST_MAX, &list, &why)
                               : read_list(where, &list)) == 0 &&
                    checksums_find(text_string(&list), list.n, a->name, &c))
                        keep_checksum(a, &c, name);
                free(where);
                text_done(&list);
                text_done(&why);
        }
}

static int find_checksum(struct addition *a) {
        if (a->wish->no_checksum)
                return CLI_DONE;
        if (a->wish->checksum)
                return take_given(a);
        look_beside(a);
        return CLI_DONE;
}

/* ---- bytes ---- */

static bool has_room(struct addition *a, uint64_t wanted) {
        struct statvfs st;
        uint64_t room;
        struct text why = { 0 };

        if (statvfs(a->folder, &st) < 0)
                return true;
        room = (uint64_t)st.f_bavail * st.f_frsize;
        if (wanted <= room)
                return true;
        text_add(&why, "no room: ");
        text_add(&why, a->name);
        text_add(&why, " needs ");
        text_size(&why, wanted);
        text_add(&why, ", ");
        text_size(&why, room);
        text_add(&why, " are free");
        (void)media_fail_at(a->folder, text_string(&why));
        text_done(&why);
        a->is_full = true;
        return false;
}

static int open_part(struct addition *a, bool is_kept) {
        a->fd = open(a->part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (a->fd < 0)
                return fail_errno(a->part);
        if (flock(a->fd, LOCK_EX | LOCK_NB) < 0)
                return media_fail_at(a->part, "somebody else is adding it");
        if (!is_kept && ftruncate(a->fd, 0) < 0)
                return fail_errno(a->part);
        return CLI_DONE;
}

static int copy_bytes(struct addition *a, int from, uint64_t size) {
        uint8_t *piece = malloc(PIECE);
        uint64_t at = 0;
        int r = piece ? CLI_DONE : client_fail("out of memory");

        progress_begin(&a->progress, a->name, 0, size);
        while (r == CLI_DONE) {
                ssize_t n = pread(from, piece, PIECE, (off_t)at);

                if (n == 0)
                        break;
                if (n < 0)
                        r = fail_errno(a->source);
                else if (pwrite(a->fd, piece, (size_t)n, (off_t)at) != n)
                        r = fail_errno(a->part);
                at += n > 0 ? (uint64_t)n : 0;
                progress_set(&a->progress, at);
        }
        progress_end(&a->progress);
        free(piece);
        return r;
}

static int copy(struct addition *a) {
        int from = open(a->source, O_RDONLY | O_CLOEXEC | O_NONBLOCK), r;
        struct stat st;

        if (from < 0)
                return fail_errno(a->source);
        r = fstat(from, &st) < 0 ? fail_errno(a->source) : CLI_DONE;
        if (r == CLI_DONE && !S_ISREG(st.st_mode))
                r = media_fail_at(a->source, "is no file; a folder is served where it "
                                             "is: name it under media:, or with "
                                             "--media");
        if (r == CLI_DONE)
                r = open_part(a, false);
        /* Where the file system can share the blocks, nothing is copied. */
        if (r == CLI_DONE && ioctl(a->fd, FICLONE, from) < 0)
                r = has_room(a, (uint64_t)st.st_size)
                            ? copy_bytes(a, from, (uint64_t)st.st_size)
                            : CLI_FAILED;
        close(from);
        if (r != CLI_DONE && a->fd >= 0)
                (void)unlink(a->part);
        return r;
}

static int hard_link(struct addition *a) {
        (void)unlink(a->part);
        if (linkat(AT_FDCWD, a->source, AT_FDCWD, a->part, AT_SYMLINK_FOLLOW) < 0)
                return media_fail_at(a->source,
                                     errno == EXDEV
                                             ? "lies on another file system; without "
                                               "--link it is copied"
                                             : strerror(errno));
        a->fd = open(a->part, O_RDONLY | O_CLOEXEC);
        return a->fd < 0 ? fail_errno(a->part) : CLI_DONE;
}

/* ---- downloads ---- */

/* What the part is a part of: its address, and the name of its version. */
static bool read_from(struct addition *a, char validator[static VALIDATOR_MAX]) {
        struct text text = { 0 };
        bool is_same = false;
        char *end;

        validator[0] = '\0';
        if (read_list(a->from, &text) == 0 && text.n > 0 &&
            (end = strchr(text.s, '\n'))) {
                *end = '\0';
                is_same = strcmp(text.s, a->source) == 0;
                snprintf(validator, VALIDATOR_MAX, "%.*s", (int)strcspn(end + 1, "\n"),
                         end + 1);
        }
        text_done(&text);
        return is_same;
}

static bool on_begin(uint64_t total, const char *validator, void *userdata) {
        struct addition *a = userdata;
        FILE *file = fopen(a->from, "we");
        struct stat st = { 0 };

        if (file) {
                fprintf(file, "%s\n%s\n", a->source, validator);
                fclose(file);
        }
        (void)fstat(a->fd, &st);
        progress_begin(&a->progress, a->name, (uint64_t)st.st_size, total);
        return total <= (uint64_t)st.st_size ||
               has_room(a, total - (uint64_t)st.st_size);
}

static void on_progress(uint64_t done, uint64_t total, void *userdata) {
        struct addition *a = userdata;

        progress_set(&a->progress, done);
}

static int download(struct addition *a) {
        char validator[VALIDATOR_MAX];
        bool goes_on = read_from(a, validator);
        struct fetch fetch = { .url = a->source,
                               .validator = validator,
                               .begins = on_begin,
                               .progress = on_progress,
                               .userdata = a };
        struct text why = { 0 };
        int r = open_part(a, goes_on);

        if (r != CLI_DONE)
                return r;
        fetch.fd = a->fd;
        r = fetch_file(&fetch, &why);
        progress_end(&a->progress);
        if (r < 0 && a->is_full)
                r = CLI_FAILED;
        else if (r < 0)
                r = media_fail_at(a->part, strerror(-r));
        else if (r > 0) {
                text_add(&why, "; what has come is kept, and the same command goes on "
                               "with it");
                r = media_fail_at(a->source, text_string(&why));
        }
        text_done(&why);
        return r;
}

/* ---- whole ---- */

static int hash_part(struct addition *a, char hex[static DIGEST_HEX_MAX]) {
        struct digest *digest = NULL;
        uint8_t *piece = malloc(PIECE);
        uint64_t at = 0;
        struct stat st = { 0 };
        ssize_t n = 0;

        if (!piece || digest_new(a->checksum.kind, &digest) < 0) {
                free(piece);
                return client_fail("out of memory");
        }
        (void)fstat(a->fd, &st);
        progress_begin(&a->progress, "checking", 0, (uint64_t)st.st_size);
        while ((n = pread(a->fd, piece, PIECE, (off_t)at)) > 0) {
                digest_add(digest, piece, (size_t)n);
                at += (uint64_t)n;
                progress_set(&a->progress, at);
        }
        progress_end(&a->progress);
        digest_hex(digest, hex);
        digest_free(digest);
        free(piece);
        return n < 0 ? fail_errno(a->part) : CLI_DONE;
}

static int check(struct addition *a) {
        char hex[DIGEST_HEX_MAX];
        struct text why = { 0 };
        int r;

        if (!a->is_known)
                return CLI_DONE;
        r = hash_part(a, hex);
        if (r != CLI_DONE || strcmp(hex, a->checksum.hex) == 0)
                return r;
        text_add(&why, "its ");
        text_add(&why, digest_name(a->checksum.kind));
        text_add(&why, " is ");
        text_add(&why, hex);
        text_add(&why, ", and by ");
        text_add(&why, text_string(&a->checked_by));
        text_add(&why, " should be ");
        text_add(&why, a->checksum.hex);
        text_add(&why, "; it was not added");
        r = media_fail_at(a->source, text_string(&why));
        text_done(&why);
        return r;
}

static int put_in_place(struct addition *a) {
        int folder;

        if (!a->wish->link && (fchmod(a->fd, 0644) < 0 || fsync(a->fd) < 0))
                return fail_errno(a->part);
        if (rename(a->part, a->path) < 0)
                return fail_errno(a->path);
        (void)unlink(a->from);
        folder = open(a->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (folder >= 0) {
                (void)fsync(folder);
                close(folder);
        }
        return CLI_DONE;
}

static int say(const struct addition *a, const struct text *medium) {
        struct text out = { 0 };
        json_t *json;

        if (a->wish->flags.json) {
                text_char(&out, '{');
                text_json_pair(&out, "path", a->path);
                text_json_pair(&out, "checked_by",
                               a->is_known ? text_string(&a->checked_by) : NULL);
                text_json_pair(&out, "checksum", a->is_known ? a->checksum.hex : NULL);
                text_json_key(&out, "medium");
                text_bytes(&out, medium->s, medium->n);
                text_add(&out, "}\n");
                return client_print(&out);
        }
        json = json_loadb(text_string(medium), medium->n, 0, NULL);
        if (json)
                media_show(json, &out);
        json_decref(json);
        text_add(&out, a->is_known ? "Added; its checksum is right by "
                                   : "Added; no checksum was found to hold it against");
        text_printable(&out, text_string(&a->checked_by), a->checked_by.n);
        text_add(&out, ".\n");
        return client_print(&out);
}

static int finish(struct addition *a) {
        struct text why = { 0 }, medium = { 0 };
        struct media_here here;
        int r = check(a);

        if (r == CLI_DONE && media_open(a->part, a->path, &here, &why) != MEDIA_OK)
                r = media_fail_at(a->source, text_string(&why));
        else if (r == CLI_DONE) {
                media_describe(&here, &medium);
                media_close(&here);
                r = put_in_place(a);
                if (r == CLI_DONE)
                        r = say(a, &medium);
        }
        /* What is not what it should be is nothing to go on with. */
        if (r != CLI_DONE) {
                (void)unlink(a->part);
                (void)unlink(a->from);
        }
        text_done(&medium);
        text_done(&why);
        return r;
}

int media_add(const struct media_wish *wish, const char *source) {
        struct addition *a = calloc(1, sizeof(*a));
        int r;

        if (!a)
                return client_fail("out of memory");
        a->wish = wish;
        a->source = source;
        a->is_url = fetch_is_url(source);
        a->fd = -1;
        r = wish->link && a->is_url
                    ? media_fail_at(source, "only a file of this machine can be linked")
                    : choose_name(a);
        if (r == CLI_DONE)
                r = choose_paths(a);
        if (r == CLI_DONE)
                r = find_checksum(a);
        if (r == CLI_DONE)
                r = a->is_url ? download(a) : wish->link ? hard_link(a) : copy(a);
        if (r == CLI_DONE)
                r = finish(a);
        if (a->fd >= 0)
                close(a->fd);
        free(a->folder);
        text_done(&a->checked_by);
        free(a);
        return r;
}

/* The archive becomes a medium beside the one whose own initrd cannot boot from the
 * network; what it offers is shown as that of every other. */
int media_add_netboot(const struct media_wish *wish, const char *medium,
                      const char *archive) {
        size_t n = medium_suffix_length(archive, strlen(archive));
        struct media_wish named = *wish;
        struct text name = { 0 };
        bool is_compressed;
        int r;

        if (!medium_is_archive_name(archive, &is_compressed))
                return media_fail_at(archive, "is no .tar, .tar.gz or .tar.xz");
        text_add(&name, medium);
        text_add(&name, "-netboot");
        text_bytes(&name, archive + strlen(archive) - n, n);
        if (!named.name)
                named.name = text_string(&name);
        r = media_add(&named, archive);
        text_done(&name);
        return r;
}
