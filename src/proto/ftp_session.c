/*
 * Commands are carried out one after the other, and answered in that order. One that is
 * behind a transfer waits for its end, but for ABOR and STAT, which are about it (RFC
 * 959 4.1.3). What a client sends ahead waits in a buffer of two lines, and in its
 * socket. One data connection carries one transfer: without another PASV or PORT there
 * is no second one.
 */
#include "proto/ftp_internal.h"

const struct ftp_limits ftp_limits_default = {
        .login = 60 * NSEC_PER_SEC,
        .idle = 300 * NSEC_PER_SEC,
        .open = 30 * NSEC_PER_SEC,
        .stall = 60 * NSEC_PER_SEC,
};

enum {
        ANSWERED_AT_ONCE = 2048, /* bytes of replies that wait to be sent */
};

static bool has_output(const struct ftp_session *s) {
        return s->out_sent < s->out.n;
}

void ftp_end_transfer(struct ftp_session *s, enum ftp_end end) {
        if (s->transfer != FTP_OPENING && s->transfer != FTP_MOVING)
                return;
        s->transfer = FTP_FINISHING;
        s->end = end;
}

/* ---- the buffer ---- */

static void consume(struct ftp_session *s, size_t n) {
        s->n_in -= n;
        memmove(s->in, s->in + n, s->n_in);
}

/* The rest of a line that was too long. */
static bool skip_line(struct ftp_session *s) {
        const uint8_t *end = s->n_in > 0 ? memchr(s->in, '\n', s->n_in) : NULL;

        consume(s, end ? (size_t)(end - s->in) + 1 : s->n_in);
        s->is_skipping = !end;
        return end != NULL;
}

/* RFC 959 4.1.3: these are about the transfer; everything else comes after it. */
static bool may_interrupt(const struct ftp_command *command) {
        return command->verb == FTP_ABOR ||
               (command->verb == FTP_STAT && command->argument.n == 0);
}

/* Takes one line; false: there is none, or it has to wait. */
static bool take_line(struct ftp_session *s, nsec_t now) {
        struct ftp_command command;
        size_t n;

        if (s->is_skipping && !skip_line(s))
                return false;
        switch (ftp_parse_line(s->in, s->n_in, s->line, &command, &n)) {
        case FTP_MORE:
                return false;
        case FTP_TOO_LONG:
                s->is_skipping = true;
                ftp_refuse(s, "500 The line is too long.");
                if (s->n_wrong >= FTP_WRONG_MAX)
                        s->state = FTP_STATE_LEAVING;
                return true;
        case FTP_OK:
                break;
        }
        if (s->transfer == FTP_FINISHING ||
            (s->transfer != FTP_IDLE && !may_interrupt(&command)))
                return false;
        consume(s, n);
        ftp_dispatch(s, &command, now);
        return true;
}

static void advance(struct ftp_session *s, nsec_t now) {
        while (s->state == FTP_STATE_READY &&
               s->out.n - s->out_sent < ANSWERED_AT_ONCE && take_line(s, now))
                ;
        if (s->state == FTP_STATE_READY && s->at_eof && s->transfer == FTP_IDLE)
                s->state = FTP_STATE_LEAVING;
        if (s->out.failed)
                ftp_session_fail(s);
        if (has_output(s) && s->out_deadline == NSEC_NEVER)
                s->out_deadline = ftp_later(now, s->limits.stall);
}

/* ---- from outside ---- */

void ftp_session_init(struct ftp_session *ret, const struct ftp_limits *limits,
                      ip4_t peer, ip4_t local, nsec_t now) {
        *ret = (struct ftp_session){
                .limits = *limits,
                .peer = peer,
                .local = local,
                .is_ascii = true, /* RFC 959 5.1: the default */
                .facts = FTP_FACTS_ALL,
                .out_deadline = ftp_later(now, limits->stall),
                .idle_deadline = ftp_later(now, limits->login),
        };
        ftp_reply(ret, "220 Bootjack, read-only. Log in as anonymous.");
        advance(ret, now);
}

void ftp_session_done(struct ftp_session *s) {
        text_done(&s->out);
        text_done(&s->list);
        s->state = FTP_STATE_CLOSED;
}

void ftp_session_fail(struct ftp_session *s) {
        s->state = FTP_STATE_CLOSED;
        ftp_end_transfer(s, FTP_END_GONE);
}

size_t ftp_session_room(const struct ftp_session *s) {
        bool is_open = s->state != FTP_STATE_LEAVING && s->state != FTP_STATE_CLOSED;

        return is_open && !s->at_eof ? sizeof(s->in) - s->n_in : 0;
}

bool ftp_session_is_idle(const struct ftp_session *s) {
        return s->state == FTP_STATE_READY && s->transfer == FTP_IDLE;
}

const char *ftp_session_take_warning(struct ftp_session *s) {
        return TAKE(s->warning);
}

const char *ftp_end_text(enum ftp_end end) {
        static const char *const texts[] = {
                [FTP_END_DONE] = "it was sent",
                [FTP_END_ABORTED] = "the client aborted it",
                [FTP_END_UNOPENED] = "there was no data connection in time",
                [FTP_END_LOST] = "the client closed the data connection",
                [FTP_END_STALLED] =
                        "the client took nothing, or less than ftp.min-rate",
                [FTP_END_FILE] =
                        "the file could not be read, or was replaced while it was read",
                [FTP_END_GONE] = "the client went away",
        };

        return (size_t)end < ARRAY_SIZE(texts) ? texts[end] : "";
}

void ftp_session_recv(struct ftp_session *s, const void *data, size_t n, nsec_t now) {
        assert(n <= ftp_session_room(s));
        if (n == 0)
                return;
        memcpy(s->in + s->n_in, data, n);
        s->n_in += n;
        advance(s, now);
}

/* RFC 959 2.3: the server ends a transfer whose control connection goes. */
void ftp_session_eof(struct ftp_session *s, nsec_t now) {
        s->at_eof = true;
        ftp_end_transfer(s, FTP_END_GONE);
        advance(s, now);
}

static nsec_t deadline_of(const struct ftp_session *s) {
        nsec_t d = has_output(s) ? s->out_deadline : NSEC_NEVER;

        if (s->transfer == FTP_OPENING || s->transfer == FTP_MOVING)
                return min_u64(d, s->data_deadline);
        return s->state == FTP_STATE_READY ? min_u64(d, s->idle_deadline) : d;
}

struct ftp_action ftp_session_next(const struct ftp_session *s) {
        struct ftp_action a = { .kind = FTP_WAIT, .deadline = deadline_of(s) };

        if (s->transfer == FTP_FINISHING) {
                a.kind = FTP_FINISH;
        } else if (s->state == FTP_STATE_CLOSED) {
                a.kind = FTP_CLOSE;
        } else if (s->must_drop) {
                a.kind = FTP_DROP;
        } else if (has_output(s)) {
                a.kind = FTP_SEND;
                a.data = s->out.s + s->out_sent;
                a.n = s->out.n - s->out_sent;
        } else if (s->state == FTP_STATE_LOOKUP) {
                a.kind = FTP_LOOKUP;
                a.wants = s->verb == FTP_RETR                  ? FTP_WANTS_FILE
                          : s->verb == FTP_SIZE && s->is_ascii ? FTP_WANTS_LENGTH
                          : s->verb == FTP_LIST || s->verb == FTP_NLST ||
                                          s->verb == FTP_MLSD || s->verb == FTP_STAT
                                  ? FTP_WANTS_LIST
                                  : FTP_WANTS_ENTRY;
        } else if (s->state == FTP_STATE_LISTEN) {
                a.kind = FTP_LISTEN;
        } else if (s->state == FTP_STATE_LEAVING && s->transfer == FTP_IDLE) {
                a.kind = FTP_CLOSE;
        }
        return a;
}

struct ftp_data ftp_session_data(const struct ftp_session *s) {
        struct ftp_data d = { .kind = FTP_DATA_NONE };

        if (s->transfer == FTP_OPENING) {
                d.kind = s->way == FTP_WAY_PASSIVE ? FTP_DATA_ACCEPT : FTP_DATA_CONNECT;
        } else if (s->transfer == FTP_MOVING && s->is_file) {
                d.kind = s->is_ascii ? FTP_DATA_ASCII : FTP_DATA_FILE;
                d.offset = s->offset;
                d.n = s->left;
                d.skip = s->skip;
        } else if (s->transfer == FTP_MOVING) {
                d.kind = FTP_DATA_TEXT;
                d.text = s->list.s + s->offset;
                d.n = s->left;
        }
        return d;
}

void ftp_session_sent(struct ftp_session *s, size_t n, nsec_t now) {
        s->out_sent += min_size(n, s->out.n - s->out_sent);
        if (n > 0)
                s->out_deadline = ftp_later(now, s->limits.stall);
        if (!has_output(s)) {
                s->out.n = s->out_sent = 0;
                s->out_deadline = NSEC_NEVER;
        }
        advance(s, now);
}

void ftp_session_answer(struct ftp_session *s, const struct ftp_found *found,
                        nsec_t now, nsec_t realtime) {
        if (s->state != FTP_STATE_LOOKUP)
                return;
        s->state = FTP_STATE_READY;
        s->idle_deadline = ftp_later(now, s->limits.idle);
        if (found->kind == FTP_FOUND_NOTHING) {
                text_done(&s->list);
                s->rest = s->verb == FTP_RETR ? 0 : s->rest;
                ftp_refuse_path(s, found->is_temporary ? "450 " : "550 ", s->path,
                                found->text);
        } else {
                ftp_answer_found(s, found, now, realtime);
        }
        advance(s, now);
}

/* RFC 959 4.2 (227), RFC 2428 3 (229). */
static void tell_port(struct ftp_session *s, uint16_t port) {
        if (s->is_extended) {
                ftp_add(s, "229 Connect to me (|||");
                text_u64(&s->out, port);
                ftp_reply(s, "|)");
                return;
        }
        ftp_add(s, "227 Connect to me (");
        for (unsigned shift = 32; shift > 0; shift -= 8) {
                text_u64(&s->out, s->local >> (shift - 8) & 255);
                text_char(&s->out, ',');
        }
        text_u64(&s->out, port >> 8);
        text_char(&s->out, ',');
        text_u64(&s->out, port & 255);
        ftp_reply(s, ")");
}

void ftp_session_listening(struct ftp_session *s, uint16_t port, nsec_t now) {
        if (s->state != FTP_STATE_LISTEN)
                return;
        s->state = FTP_STATE_READY;
        s->way = port ? FTP_WAY_PASSIVE : FTP_WAY_NONE;
        if (port)
                tell_port(s, port);
        else
                ftp_reply(s, "425 No port is free for a data connection.");
        advance(s, now);
}

void ftp_session_dropped(struct ftp_session *s) {
        s->must_drop = false;
}

static void check_end(struct ftp_session *s) {
        if (s->transfer == FTP_MOVING && s->left == 0)
                ftp_end_transfer(s, FTP_END_DONE);
}

void ftp_session_connected(struct ftp_session *s, nsec_t now) {
        if (s->transfer != FTP_OPENING)
                return;
        s->transfer = FTP_MOVING;
        s->moving_since = now;
        s->data_deadline = ftp_later(now, s->limits.stall);
        check_end(s);
}

/* A byte now and then would hold a transfer for ever. */
static bool is_too_slow(const struct ftp_session *s, nsec_t now) {
        nsec_t took = now - s->moving_since;

        return s->limits.min_rate > 0 && took > s->limits.stall && s->left > 0 &&
               s->moved / s->limits.min_rate < took / NSEC_PER_SEC;
}

static void count_moved(struct ftp_session *s, uint64_t n, nsec_t now) {
        s->moved += n;
        if (n > 0)
                s->data_deadline = ftp_later(now, s->limits.stall);
        if (is_too_slow(s, now))
                ftp_end_transfer(s, FTP_END_STALLED);
        check_end(s);
}

void ftp_session_moved(struct ftp_session *s, uint64_t n, nsec_t now) {
        if (s->transfer != FTP_MOVING)
                return;
        n = min_u64(n, s->left);
        s->offset += n;
        s->left -= n;
        count_moved(s, n, now);
}

void ftp_session_moved_lines(struct ftp_session *s, const uint8_t *data, size_t n,
                             uint64_t sent, nsec_t now) {
        uint64_t gone = s->skip + sent;

        if (s->transfer != FTP_MOVING)
                return;
        n = (size_t)min_u64(n, s->left);
        for (size_t i = 0; i < n; i++) {
                unsigned width = data[i] == '\n' ? 2 : 1;

                if (gone < width)
                        break;
                gone -= width;
                s->offset++;
                s->left--;
        }
        s->skip = gone;
        count_moved(s, sent, now);
}

void ftp_session_held_up(struct ftp_session *s, nsec_t time) {
        if (s->transfer != FTP_MOVING)
                return;
        s->moving_since = ftp_later(s->moving_since, time);
        s->data_deadline = ftp_later(s->data_deadline, time);
}

void ftp_session_data_failed(struct ftp_session *s, enum ftp_end end, nsec_t now) {
        ftp_end_transfer(s, end);
}

static void tell_end(struct ftp_session *s) {
        switch (s->end) {
        case FTP_END_DONE:
                ftp_reply(s, "226 That was all of it.");
                break;
        case FTP_END_ABORTED:
                ftp_reply(s, "426 The transfer was aborted.");
                ftp_reply(s, "226 Aborted.");
                break;
        case FTP_END_UNOPENED:
                ftp_reply(s, "425 There was no data connection in time.");
                break;
        case FTP_END_LOST:
                ftp_reply(s, "426 The data connection was closed.");
                break;
        case FTP_END_STALLED:
                ftp_reply(s, "426 Too little was taken: the transfer is over.");
                break;
        case FTP_END_FILE:
                ftp_reply(s, "451 The file could not be read to its end.");
                break;
        case FTP_END_GONE:
                break;
        }
}

void ftp_session_finished(struct ftp_session *s, nsec_t now) {
        if (s->transfer != FTP_FINISHING)
                return;
        s->transfer = FTP_IDLE;
        s->way = FTP_WAY_NONE;
        s->must_drop = false; /* the listener went with it */
        text_done(&s->list);
        s->idle_deadline = ftp_later(now, s->limits.idle);
        tell_end(s);
        advance(s, now);
}

void ftp_session_tick(struct ftp_session *s, nsec_t now) {
        if (has_output(s) && now >= s->out_deadline) {
                ftp_session_fail(s);
        } else if (s->transfer == FTP_OPENING || s->transfer == FTP_MOVING) {
                if (now >= s->data_deadline)
                        ftp_end_transfer(s, s->transfer == FTP_OPENING
                                                    ? FTP_END_UNOPENED
                                                    : FTP_END_STALLED);
        } else if (s->state == FTP_STATE_READY && s->transfer == FTP_IDLE &&
                   now >= s->idle_deadline) {
                /* RFC 959 5.4, RFC 1123 4.1.3.2 */
                ftp_reply(s, "421 Nothing was said for too long.");
                s->state = FTP_STATE_LEAVING;
                advance(s, now);
        }
}
