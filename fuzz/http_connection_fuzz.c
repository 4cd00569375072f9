/*
 * An HTTP connection under any bytes, in pieces of any size, with a socket that takes
 * as much as it likes and time that passes. What must hold: it never asks for more
 * than its buffer, sends only what lies in the file, sends nothing after its end, and
 * its head never holds a line end that a stranger put there.
 */
#include "base/cursor.h"
#include "fuzz/fuzz.h"
#include "proto/http_connection.h"

enum { STEPS_MAX = 4000 };

static const struct http_found founds[] = {
        { .kind = HTTP_FOUND_FILE, .size = 1000, .etag = 1, .mtime = NSEC_PER_SEC },
        { .kind = HTTP_FOUND_FILE, .size = 0, .etag = 2 },
        { .kind = HTTP_FOUND_FILE, .size = UINT64_MAX, .etag = 3 },
        { .kind = HTTP_FOUND_FILE, .size = 77, .is_generated = true },
        { .kind = HTTP_FOUND_LISTING, .text = "<html></html>" },
        { .kind = HTTP_FOUND_FOLDER },
        { .kind = HTTP_FOUND_NOTHING, .status = 404, .text = "not found" },
};

struct run {
        struct http_connection c;
        struct reader in;
        uint64_t size;
        nsec_t now;
};

static void check_head(const struct http_action *a) {
        const char *end;

        if (a->n < 9 || memcmp(a->data, "HTTP/1.1 ", 9) != 0)
                return;
        end = memmem(a->data, (size_t)a->n, "\r\n\r\n", 4);
        assert(end);
        for (const char *p = a->data; p < end; p++)
                assert(*p != '\n' || p[-1] == '\r');
}

static void feed(struct run *r) {
        size_t room = http_connection_room(&r->c), wanted = reader_u8(&r->in);
        struct span s;

        assert(room <= HTTP_REQUEST_HEAD_MAX);
        if (wanted > 250 || room == 0) {
                http_connection_eof(&r->c);
                return;
        }
        s = reader_span(&r->in, min_size(min_size(wanted, room), reader_left(&r->in)));
        http_connection_recv(&r->c, s.data, s.n, r->now, r->now);
}

static void answer(struct run *r) {
        const struct http_found *f =
                &founds[reader_u8(&r->in) % (sizeof(founds) / sizeof(founds[0]))];

        assert(strlen(r->c.path) < PATH_MAX_BYTES);
        r->size = f->size;
        http_connection_answer(&r->c, f, r->now, r->now);
}

static void finish(struct run *r) {
        struct text log = { 0 };

        http_connection_log(&r->c, "::1", r->now, r->now & 1, &log);
        assert(log.failed || memchr(log.s, '\n', log.n) == log.s + log.n - 1);
        text_done(&log);
        http_connection_logged(&r->c, r->now, r->now);
}

static bool step(struct run *r) {
        struct http_action a = http_connection_next(&r->c);

        switch (a.kind) {
        case HTTP_WAIT:
                if (reader_left(&r->in) == 0) {
                        r->now = a.deadline;
                        http_connection_tick(&r->c, r->now, r->now);
                } else {
                        feed(r);
                }
                return true;
        case HTTP_LOOKUP:
                answer(r);
                return true;
        case HTTP_SEND:
                assert(a.n > 0);
                check_head(&a);
                http_connection_sent(&r->c, a.n, r->now);
                return true;
        case HTTP_SEND_FILE:
                assert(a.n > 0 && a.offset <= r->size && a.n <= r->size - a.offset);
                http_connection_sent(&r->c,
                                     min_u64(a.n, 1 + (a.n >> reader_u8(&r->in) % 8)),
                                     r->now);
                return true;
        case HTTP_ANSWERED:
                finish(r);
                return true;
        case HTTP_SHUTDOWN:
                http_connection_shut(&r->c, r->now);
                return true;
        case HTTP_CLOSE:
                return false;
        }
        return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        static struct run r;

        r = (struct run){ .in = reader_of(data, n) };
        http_connection_init(&r.c, 0);
        for (int i = 0; i < STEPS_MAX && step(&r); i++)
                ;
        http_connection_done(&r.c);
        return 0;
}
