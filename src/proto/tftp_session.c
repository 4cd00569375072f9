/*
 * A TFTP read, from the granted options to the last acknowledgement.
 *
 * The wire carries the low 16 bits of a block number and RFC 1350 does not say what
 * follows 65535; every client goes on at 0. Inside, blocks count from 1 in 64 bits,
 * and only unwrap() sees the wire's number: it compares distances modulo 2^16, never
 * the numbers. That needs a window below 2^15, or an old ACK could pass for a new one;
 * RFC 7440 lets a server grant less than was asked.
 *
 * What is sent again, and when:
 * - An ACK inside the window says that the client misses what follows it, and RFC 7440
 *   4 starts the next window there, at once.
 * - A duplicate of the last ACK may be a complaint, and may be a copy that the network
 *   made or that answers a copy of ours. To answer the second kind doubles every later
 *   packet: the Sorcerer's Apprentice of RFC 1123 4.2.3.1. A complaint cannot come
 *   sooner than a round trip after what it complains about left, so only then is it
 *   believed, and once for each place. When the answer to that was on its way all the
 *   same, this network keeps packets longer than a round trip, and no duplicate is
 *   believed in this transfer any more.
 * - Silence until the deadline first sends the last block of a window alone: whatever
 * the client has, this makes it say so. It costs one block and may come early, as TCP's
 *   probe for a lost tail does (RFC 8985 7). Then the window is sent again, then its
 *   first block only; and the wait doubles. The first wait is told by the round trips
 *   (RFC 6298), unless the client asked for one (RFC 2349). Of a client that has not
 *   answered yet none is known: its first packet is sent again soon, as one in a
 * hundred is lost on a bad wire and few clients are that far away, and the others late.
 *
 * Until the client's port has answered anything the address may be forged, so few
 * tries are made then: a request of forty bytes buys four packets at the most. A client
 * that asked for long waits (RFC 2349: up to 255 s) is given up after fewer of them.
 */
#include "proto/tftp_session.h"

enum {
        TRIES_UNHEARD = 4,
        TRIES_UNHEARD_LONG = 2,
        WAITS_HEARD = 3, /* at the least, however long they are */
        WINDOWSIZE_LIMIT = INT16_MAX,
};

static const nsec_t timeout_default = NSEC_PER_SEC;
static const nsec_t timeout_first = 100 * NSEC_PER_MSEC;
static const nsec_t timeout_ceiling = 8 * NSEC_PER_SEC;
/* Firmware writes to slow memory, draws a bar, or polls its card now and then. */
static const nsec_t timeout_floor = 50 * NSEC_PER_MSEC;
static const nsec_t probe_floor = 10 * NSEC_PER_MSEC;
static const nsec_t patience = 36 * NSEC_PER_SEC;

static bool is_over(const struct tftp_session *s) {
        return s->end != TFTP_END_NONE && !s->answer_due;
}

static void finish(struct tftp_session *s, enum tftp_end end) {
        if (s->end != TFTP_END_NONE)
                return;
        s->end = end;
        s->answer_due = false;
        s->deadline = NSEC_NEVER;
}

/* RFC 6298 2.3 */
static nsec_t wait_told(const struct tftp_session *s) {
        return s->round_trip + 4 * s->round_trip_varies;
}

static nsec_t wait_initial(const struct tftp_session *s) {
        if (s->options.timeout)
                return s->options.timeout * NSEC_PER_SEC;
        if (s->round_trip == 0)
                return s->is_heard ? timeout_default : timeout_first;
        return min_u64(max_u64(wait_told(s), timeout_floor), timeout_ceiling);
}

/* Until something is sent without having been asked for. */
static nsec_t wait_now(const struct tftp_session *s) {
        if (s->windowsize == 1 || s->is_probed || s->options.timeout ||
            s->round_trip == 0)
                return s->timeout;
        return min_u64(max_u64(wait_told(s), probe_floor), s->timeout);
}

static nsec_t patience_of(const struct tftp_session *s) {
        return max_u64(patience, s->options.timeout * NSEC_PER_SEC * WAITS_HEARD);
}

static nsec_t later(nsec_t now, nsec_t wait) {
        return now > NSEC_NEVER - wait ? NSEC_NEVER : now + wait;
}

static void grant(struct tftp_session *s, const struct tftp_options *asked,
                  const struct tftp_limits *limits) {
        uint32_t blksize_max = (uint32_t)max_u64(
                min_u64(limits->blksize, TFTP_BLKSIZE_MAX), TFTP_BLKSIZE_DEFAULT);
        uint64_t window_max;

        s->options = *asked;
        /* RFC 2348: the server's value is at most the one asked for. */
        if (asked->blksize)
                s->options.blksize = (uint32_t)min_u64(asked->blksize, blksize_max);
        s->blksize = s->options.blksize ? s->options.blksize : TFTP_BLKSIZE_DEFAULT;
        /* RFC 7440 3: the same. */
        window_max = min_u64(min_u64(limits->windowsize, WINDOWSIZE_LIMIT),
                             limits->window_bytes / s->blksize);
        if (asked->windowsize)
                s->options.windowsize =
                        (uint32_t)min_u64(asked->windowsize, max_u64(window_max, 1));
        /* RFC 2349: in a read the answer holds the size of the file. */
        s->options.tsize = asked->has_tsize ? s->size : 0;
        s->windowsize = s->options.windowsize ? s->options.windowsize : 1;
}

void tftp_session_init(struct tftp_session *ret, const struct tftp_options *asked,
                       uint64_t size, const struct tftp_limits *limits, nsec_t now) {
        bool has_options = asked->blksize || asked->windowsize || asked->timeout ||
                           asked->has_tsize;

        *ret = (struct tftp_session){
                .size = size,
                .state = has_options ? TFTP_SEND_OACK : TFTP_SEND,
                .answer_due = has_options,
                .window_sent = NSEC_NEVER,
                .hurried = NSEC_NEVER,
                .silent_since = now,
        };
        grant(ret, asked, limits);
        ret->window = ret->windowsize;
        ret->n_blocks = size / ret->blksize + 1;
        ret->tries = wait_initial(ret) > timeout_ceiling ? TRIES_UNHEARD_LONG
                                                         : TRIES_UNHEARD;
        ret->timeout = wait_initial(ret);
        ret->timeout_max = max_u64(timeout_ceiling, ret->timeout);
        ret->deadline = later(now, ret->timeout);
}

static uint64_t window_end(const struct tftp_session *s) {
        return s->acked + min_u64(s->window, s->n_blocks - s->acked);
}

static struct tftp_action send_of(const struct tftp_session *s, uint64_t before,
                                  uint64_t last) {
        uint64_t count = last - before, offset = before * s->blksize;

        return (struct tftp_action){
                .kind = TFTP_SEND,
                .first = before + 1,
                .count = (uint32_t)count,
                .offset = offset,
                .length = min_u64(count * s->blksize, s->size - offset),
        };
}

static struct tftp_action end_of(const struct tftp_session *s) {
        bool is_good = s->end == TFTP_END_SENT || s->end == TFTP_END_SIZE_ASKED ||
                       s->end == TFTP_END_CLOSED;

        return (struct tftp_action){ .kind = is_good ? TFTP_DONE : TFTP_FAILED,
                                     .end = s->end };
}

struct tftp_action tftp_session_next(const struct tftp_session *s) {
        if (is_over(s))
                return end_of(s);
        if (s->end == TFTP_END_OURS)
                return (struct tftp_action){ .kind = TFTP_SEND_ERROR,
                                             .error = s->error,
                                             .message = s->message };
        if (s->state == TFTP_SEND_OACK && s->answer_due)
                return (struct tftp_action){ .kind = TFTP_SEND_OACK };
        if (s->state == TFTP_SEND && s->is_probe_due)
                return send_of(s, s->sent - 1, s->sent);
        if (s->state == TFTP_SEND && s->next < window_end(s))
                return send_of(s, s->next, window_end(s));
        return (struct tftp_action){ .kind = TFTP_WAIT, .deadline = s->deadline };
}

static void sent_blocks(struct tftp_session *s, uint32_t count, nsec_t now) {
        uint64_t last = min_u64(s->next + count, window_end(s));

        if (s->next == s->acked)
                s->first_left = now;
        /* A round trip can be told only from a window whose blocks left once: of two
         * copies nobody knows which one was acknowledged (Karn). */
        if (s->next < s->sent)
                s->window_sent = NSEC_NEVER;
        else if (s->next == s->acked)
                s->window_sent = now;
        s->resent += min_u64(last, s->sent) - min_u64(s->next, s->sent);
        s->next = last;
        s->sent = max_u64(s->sent, last);
}

void tftp_session_sent(struct tftp_session *s, uint32_t count, nsec_t now) {
        if (is_over(s) || count == 0)
                return;
        if (s->end == TFTP_END_OURS) {
                s->answer_due = false;
                return;
        }
        if (s->state == TFTP_SEND_OACK) {
                s->answer_due = false;
                s->window_sent = s->is_answered ? NSEC_NEVER : now;
                s->is_answered = true;
        } else if (s->is_probe_due) {
                s->is_probe_due = false;
                s->window_sent = NSEC_NEVER;
                s->resent++;
        } else {
                sent_blocks(s, count, now);
        }
        s->deadline = later(now, wait_now(s));
}

static bool unwrap(const struct tftp_session *s, uint16_t wire, uint64_t *ret) {
        uint16_t ahead = (uint16_t)(wire - (uint16_t)s->acked);

        if (ahead > s->sent - s->acked)
                return false;
        *ret = s->acked + ahead;
        return true;
}

/* RFC 6298 2.2 and 2.3 */
static void learn_round_trip(struct tftp_session *s, nsec_t now) {
        nsec_t took = now - s->window_sent, off;

        if (s->window_sent == NSEC_NEVER || now <= s->window_sent)
                return;
        if (s->round_trip == 0) {
                s->round_trip = took;
                s->round_trip_varies = took / 2;
                return;
        }
        off = took > s->round_trip ? took - s->round_trip : s->round_trip - took;
        s->round_trip_varies += off / 4 - s->round_trip_varies / 4;
        s->round_trip += took / 8 - s->round_trip / 8;
}

/* Less than this after something left, nothing can have come of it. */
static nsec_t soonest_answer(const struct tftp_session *s) {
        return s->round_trip / 4 * 3;
}

static void moved(struct tftp_session *s, nsec_t now) {
        if (s->hurried != NSEC_NEVER && now - s->hurried < soonest_answer(s))
                s->do_duplicates_lie = true;
        learn_round_trip(s, now);
        s->hurried = s->window_sent = NSEC_NEVER;
        s->is_heard = true;
        s->is_probe_due = s->is_probed = s->is_repeated = false;
        s->is_complaint_answered = false;
        s->window = s->windowsize;
        s->silent_since = now;
        s->timeout = wait_initial(s);
        s->deadline = later(now, wait_now(s));
}

static void recv_duplicate(struct tftp_session *s, nsec_t now) {
        if (s->do_duplicates_lie || s->is_complaint_answered || s->round_trip == 0 ||
            s->next == s->acked || now - s->first_left < soonest_answer(s))
                return;
        s->is_complaint_answered = true;
        s->is_probe_due = false;
        s->hurried = now;
        s->window = s->windowsize;
        s->next = s->acked;
}

static void recv_ack(struct tftp_session *s, uint16_t wire, nsec_t now) {
        uint64_t block;

        if (s->state == TFTP_SEND_OACK) {
                /* RFC 2347: a client that takes the OACK acknowledges block 0. */
                if (wire != 0 || s->answer_due)
                        return;
                s->state = TFTP_SEND;
                moved(s, now);
                return;
        }
        if (!unwrap(s, wire, &block))
                return;
        if (block == s->acked) {
                recv_duplicate(s, now);
                return;
        }
        s->acked = s->next = block;
        moved(s, now);
        if (s->acked == s->n_blocks)
                finish(s, TFTP_END_SENT);
}

/* GRUB and pxelinux look at the head of a file, then close it with an ERROR. */
static bool says_closed(const struct tftp_packet *p) {
        static const char *const texts[] = { "closed", "No error, file close" };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                if (p->error == TFTP_ERROR_UNDEFINED &&
                    p->message.n == strlen(texts[i]) &&
                    memcmp(p->message.data, texts[i], p->message.n) == 0)
                        return true;
        return false;
}

static void recv_error(struct tftp_session *s, const struct tftp_packet *p) {
        size_t n = min_size(p->message.n, TFTP_CLIENT_MESSAGE_MAX - 1);

        /* EDK2 asks for tsize, reads the OACK, and aborts (with code 8). */
        if (s->state == TFTP_SEND_OACK && s->options.has_tsize) {
                finish(s, TFTP_END_SIZE_ASKED);
        } else if (says_closed(p)) {
                finish(s, TFTP_END_CLOSED);
        } else {
                s->client_error = p->error;
                if (n > 0)
                        memcpy(s->client_message, p->message.data, n);
                s->client_message[n] = '\0';
                finish(s, TFTP_END_ERROR);
        }
}

void tftp_session_recv(struct tftp_session *s, const void *data, size_t n, nsec_t now) {
        struct tftp_packet p;

        if (s->end != TFTP_END_NONE || tftp_parse(data, n, &p) != TFTP_OK)
                return;
        if (p.opcode == TFTP_OP_ACK)
                recv_ack(s, p.block, now);
        else if (p.opcode == TFTP_OP_ERROR)
                recv_error(s, &p);
}

static bool is_all_sent(const struct tftp_session *s) {
        return s->acked > 0 && s->sent == s->n_blocks;
}

void tftp_session_tick(struct tftp_session *s, nsec_t now) {
        bool is_enough;

        if (s->end != TFTP_END_NONE || now < s->deadline)
                return;
        is_enough =
                s->is_heard ? now - s->silent_since >= patience_of(s) : --s->tries == 0;
        if (is_enough) {
                finish(s, is_all_sent(s) ? TFTP_END_LAST_ACK : TFTP_END_TIMEOUT);
                return;
        }
        if (s->state == TFTP_SEND_OACK) {
                s->answer_due = true;
        } else if (s->sent - s->acked > 1 && !s->is_probed) {
                /* A wait that asks only is no sign of a slow client. */
                s->is_probe_due = s->is_probed = true;
                s->deadline = later(now, s->timeout);
                return;
        } else {
                if (s->is_repeated)
                        s->window = 1;
                s->is_repeated = true;
                s->is_probe_due = false;
                s->next = s->acked;
        }
        if (s->timeout == timeout_first && !s->is_heard)
                s->timeout = timeout_default; /* no more haste */
        s->timeout = min_u64(s->timeout * 2, s->timeout_max);
        s->deadline = later(now, s->timeout);
}

void tftp_session_unreachable(struct tftp_session *s) {
        finish(s, is_all_sent(s) ? TFTP_END_LAST_ACK : TFTP_END_UNREACHABLE);
}

void tftp_session_fail(struct tftp_session *s, enum tftp_error error,
                       const char *message) {
        if (s->end != TFTP_END_NONE)
                return;
        finish(s, TFTP_END_OURS);
        s->answer_due = true;
        s->error = error;
        s->message = message;
}

size_t tftp_session_oack(const struct tftp_session *s,
                         uint8_t out[static TFTP_OACK_MAX]) {
        return tftp_build_oack(out, TFTP_OACK_MAX, &s->options);
}

uint64_t tftp_session_acked_bytes(const struct tftp_session *s) {
        return min_u64(s->acked * s->blksize, s->size);
}

const char *tftp_end_text(enum tftp_end end) {
        switch (end) {
        case TFTP_END_NONE:
                return "it goes on";
        case TFTP_END_SENT:
                return "all was sent and acknowledged";
        case TFTP_END_SIZE_ASKED:
                return "only its size was asked";
        case TFTP_END_CLOSED:
                return "the client closed it before its end";
        case TFTP_END_TIMEOUT:
                return "the client fell silent";
        case TFTP_END_LAST_ACK:
                return "all was sent, but the last acknowledgement never came";
        case TFTP_END_ERROR:
                return "the client gave up";
        case TFTP_END_UNREACHABLE:
                return "the client's port is closed";
        case TFTP_END_OURS:
                return "the file could not be read";
        }
        return "it ended";
}
