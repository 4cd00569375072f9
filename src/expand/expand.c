/*
 * libarchive as a filter: its "raw" format gives the bytes below the compression, so
 * that none of its readers of archives ever sees a stranger's names. Filters are asked
 * for one by one: some of the others run programs.
 */
#include "expand/expand.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { CHUNK = 256 << 10 };

struct expansion {
        int from, to;
        const struct expand_limits *limits;
        expand_progress_fn progress;
        void *userdata;
        struct text *why;
        uint64_t n_read, n_written;
        int error;    /* -errno of reading */
        bool is_over; /* told to give up */
        uint8_t chunk[CHUNK];
};

static la_ssize_t on_read(struct archive *archive, void *userdata, const void **ret) {
        struct expansion *x = userdata;
        ssize_t n;

        if (x->progress && !x->progress(x->n_read, x->userdata)) {
                x->is_over = true;
                archive_set_error(archive, ECANCELED, "given up");
                return -1;
        }
        n = pread(x->from, x->chunk, sizeof(x->chunk), (off_t)x->n_read);
        if (n < 0) {
                x->error = -errno;
                archive_set_error(archive, errno, "unreadable");
                return -1;
        }
        x->n_read += (uint64_t)n;
        *ret = x->chunk;
        return n;
}

static bool has_room(const struct expansion *x) {
        struct statvfs st;

        if (fstatvfs(x->to, &st) < 0)
                return true;
        return (uint64_t)st.f_bavail * st.f_frsize >= x->limits->free_bytes;
}

static int refuse(struct expansion *x, const char *why) {
        text_add(x->why, why);
        return EXPAND_REFUSED;
}

static int write_block(struct expansion *x, const uint8_t *p, size_t n) {
        if (n > x->limits->bytes - x->n_written)
                return refuse(x, "it holds more than anybody unpacks: a bomb, or "
                                 "damaged");
        if (!has_room(x))
                return refuse(x, "no room to unpack it in the state folder");
        while (n > 0) {
                ssize_t done = write(x->to, p, n);

                if (done < 0)
                        return errno == ENOSPC
                                       ? refuse(x, "no room to unpack it in the state "
                                                   "folder")
                                       : -errno;
                p += done;
                n -= (size_t)done;
                x->n_written += (uint64_t)done;
        }
        return 0;
}

static int failed(struct expansion *x, struct archive *archive) {
        const char *said = archive_error_string(archive);

        if (x->is_over)
                return -ECANCELED;
        if (x->error)
                return x->error;
        text_add(x->why, "truncated or damaged: ");
        said = said ? said : "it cannot be expanded";
        text_printable(x->why, said, strlen(said));
        return EXPAND_REFUSED;
}

static int copy_out(struct expansion *x, struct archive *archive) {
        struct archive_entry *entry;
        int r = archive_read_next_header(archive, &entry);

        if (r == ARCHIVE_EOF)
                return refuse(x, "the file is empty");
        if (r < ARCHIVE_WARN)
                return failed(x, archive);
        for (;;) {
                const void *p;
                size_t n;
                la_int64_t at;

                r = archive_read_data_block(archive, &p, &n, &at);
                if (r == ARCHIVE_EOF)
                        return 0;
                if (r < ARCHIVE_WARN)
                        return failed(x, archive);
                r = write_block(x, p, n);
                if (r != 0)
                        return r;
        }
}

static struct archive *new_reader(void) {
        struct archive *archive = archive_read_new();

        if (!archive)
                return NULL;
        archive_read_support_format_raw(archive);
        archive_read_support_filter_none(archive);
        archive_read_support_filter_gzip(archive);
        archive_read_support_filter_xz(archive);
        archive_read_support_filter_lzma(archive);
        archive_read_support_filter_bzip2(archive);
        archive_read_support_filter_zstd(archive);
        return archive;
}

int expand_archive(int from, int to, const struct expand_limits *limits,
                   expand_progress_fn progress, void *userdata, struct text *why) {
        struct archive *archive = new_reader();
        struct expansion *x = calloc(1, sizeof(*x));
        int r = -ENOMEM;

        if (archive && x) {
                *x = (struct expansion){ .from = from,
                                         .to = to,
                                         .limits = limits,
                                         .progress = progress,
                                         .userdata = userdata,
                                         .why = why };
                r = archive_read_open(archive, x, NULL, on_read, NULL) == ARCHIVE_OK
                            ? copy_out(x, archive)
                            : failed(x, archive);
        }
        if (archive)
                archive_read_free(archive);
        free(x);
        return r;
}
