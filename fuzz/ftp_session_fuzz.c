/*
 * An FTP session under any bytes, in pieces of any size, with sockets that take as much
 * as they like and fail when they like, and time that passes. What must hold: it never
 * asks for more than its buffers, sends only what lies in the file, connects only to
 * ports from 1024 on, answers in whole lines, and comes to an end.
 */
#include "base/cursor.h"
#include "fuzz/fuzz.h"
#include "proto/ftp_session.h"

enum { STEPS_MAX = 4000, SIZE = 1000 };

struct run {
        struct ftp_session s;
        struct reader in;
        nsec_t now;
        bool is_listening, is_open;
        uint8_t last[2]; /* bytes of the replies */
};

static void feed(struct run *r) {
        size_t room = ftp_session_room(&r->s), wanted = reader_u8(&r->in);
        struct span s;

        assert(room <= FTP_IN_MAX);
        if (room == 0)
                return;
        if (wanted > 252) {
                ftp_session_eof(&r->s, r->now);
                return;
        }
        s = reader_span(&r->in, min_size(min_size(wanted, room), reader_left(&r->in)));
        ftp_session_recv(&r->s, s.data, s.n, r->now);
}

static void answer(struct run *r) {
        enum ftp_wants wants = ftp_session_next(&r->s).wants;
        unsigned what = reader_u8(&r->in) % 4;
        struct ftp_found found = { .kind = what == 0   ? FTP_FOUND_NOTHING
                                           : what == 1 ? FTP_FOUND_FOLDER
                                                       : FTP_FOUND_FILE,
                                   .size = what == 2 ? SIZE : 0,
                                   .ascii_size = SIZE,
                                   .text = "not found" };
        const struct ftp_entry entries[] = { { "a", false, 1, 0 },
                                             { "line\nbreak", false, 1, 0 },
                                             { "b.rpm", true, 0, r->now } };

        assert(strlen(r->s.path) < PATH_MAX_BYTES);
        assert(strstr(r->s.path, "..") != r->s.path || r->s.path[2] != '/');
        for (size_t i = 0; wants == FTP_WANTS_LIST && what == 1 && i < 3; i++)
                ftp_session_list(&r->s, &entries[i], r->now);
        ftp_session_answer(&r->s, &found, r->now, r->now);
}

static void check_reply(struct run *r, const char *data, size_t n) {
        for (size_t i = 0; i < n; i++) {
                uint8_t c = (uint8_t)data[i];

                /* No stranger's byte breaks a line. */
                assert(c != '\n' || r->last[1] == '\r');
                assert(r->last[1] != '\r' || c == '\n');
                assert(c >= 0x20 || c == '\r' || c == '\n');
                r->last[0] = r->last[1];
                r->last[1] = c;
        }
}

static uint64_t some(struct run *r, uint64_t n) {
        return min_u64(n, 1 + (n >> reader_u8(&r->in) % 8));
}

static void move(struct run *r) {
        static const uint8_t file[SIZE] = { 'a', '\n', 'b' };
        struct ftp_data d = ftp_session_data(&r->s);
        uint64_t n;

        switch (d.kind) {
        case FTP_DATA_NONE:
                return;
        case FTP_DATA_ACCEPT:
        case FTP_DATA_CONNECT:
                if (d.kind == FTP_DATA_ACCEPT)
                        assert(r->is_listening);
                else
                        assert(r->s.data_port >= 1024);
                r->is_open = true;
                ftp_session_connected(&r->s, r->now);
                return;
        case FTP_DATA_TEXT:
                assert(r->is_open && d.n > 0 && d.offset + d.n <= r->s.list.n);
                ftp_session_moved(&r->s, some(r, d.n), r->now);
                return;
        case FTP_DATA_FILE:
                assert(r->is_open && d.n > 0 && d.offset + d.n <= SIZE);
                ftp_session_moved(&r->s, some(r, d.n), r->now);
                return;
        case FTP_DATA_ASCII:
                assert(r->is_open && d.n > 0 && d.offset + d.n <= SIZE);
                n = ftp_ascii_size(file + d.offset, (size_t)d.n);
                ftp_session_moved_lines(&r->s, file + d.offset, (size_t)d.n,
                                        n > d.skip ? some(r, n - d.skip) : 0, r->now);
                return;
        }
}

static void wait(struct run *r, const struct ftp_action *a) {
        unsigned what = reader_left(&r->in) > 0 ? reader_u8(&r->in) % 8 : 7;

        if (what < 4) {
                feed(r);
        } else if (what < 6) {
                move(r);
        } else if (what == 6) {
                ftp_session_data_failed(&r->s, FTP_END_LOST, r->now);
        } else if (a->deadline != NSEC_NEVER) {
                r->now = a->deadline > r->now ? a->deadline : r->now;
                ftp_session_tick(&r->s, r->now);
        } else {
                ftp_session_fail(&r->s);
        }
}

static bool step(struct run *r) {
        struct ftp_action a = ftp_session_next(&r->s);

        switch (a.kind) {
        case FTP_WAIT:
                wait(r, &a);
                return true;
        case FTP_SEND:
                assert(a.n > 0);
                a.n = (size_t)some(r, a.n);
                check_reply(r, a.data, a.n);
                ftp_session_sent(&r->s, a.n, r->now);
                return true;
        case FTP_LOOKUP:
                answer(r);
                return true;
        case FTP_LISTEN:
                r->is_listening = reader_u8(&r->in) % 8 != 1;
                ftp_session_listening(&r->s, r->is_listening ? 40000 : 0, r->now);
                return true;
        case FTP_DROP:
                r->is_listening = false;
                ftp_session_dropped(&r->s);
                return true;
        case FTP_FINISH:
                r->is_listening = r->is_open = false;
                ftp_session_finished(&r->s, r->now);
                return true;
        case FTP_CLOSE:
                assert(r->s.transfer == FTP_IDLE);
                return false;
        }
        return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        static struct run r;
        unsigned i = 0;

        r = (struct run){ .in = reader_of(data, n), .now = NSEC_PER_SEC };
        ftp_session_init(&r.s, &ftp_limits_default, 0x0a000002, 0x0a000001, r.now);
        while (i < STEPS_MAX && step(&r))
                i++;
        assert(i < STEPS_MAX || reader_left(&r.in) > 0);
        ftp_session_done(&r.s);
        return 0;
}
