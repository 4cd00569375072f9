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
 * - A duplicate of the last ACK never makes data leave at once: each copy would double
 *   every later packet, the Sorcerer's Apprentice of RFC 1123 4.2.3.1. But it does say
 *   that the client may be waiting, so it brings the deadline nearer, once, to a few
 *   round trips. A transfer that is alive moves on before that.
 * - Silence until the deadline sends the window again, and the wait doubles.
 *
 * Until the client's port has answered anything the address may be forged, so few
 * tries are made then: a request of forty bytes buys four packets at the most. A client
 * that asked for long waits (RFC 2349: up to 255 s) is given up after fewer of them.
 */
#include "proto/tftp_session.h"

enum {
        TRIES_UNHEARD = 4,
        TRIES_UNHEARD_LONG = 2,
        TRIES = 7,
        TRIES_LONG = 3,
        WINDOWSIZE_LIMIT = INT16_MAX,
        HASTE_ROUND_TRIPS = 3,
};

static const nsec_t timeout_default = NSEC_PER_SEC;
static const nsec_t timeout_ceiling = 8 * NSEC_PER_SEC;
static const nsec_t haste_min = 20 * NSEC_PER_MSEC;

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

static nsec_t wait_initial(const struct tftp_session *s) {
        return s->options.timeout ? s->options.timeout * NSEC_PER_SEC : timeout_default;
}

static unsigned tries_of(const struct tftp_session *s) {
        if (wait_initial(s) > timeout_ceiling)
                return s->is_heard ? TRIES_LONG : TRIES_UNHEARD_LONG;
        return s->is_heard ? TRIES : TRIES_UNHEARD;
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
        };
        grant(ret, asked, limits);
        ret->n_blocks = size / ret->blksize + 1;
        ret->tries = tries_of(ret);
        ret->timeout = wait_initial(ret);
        ret->timeout_max = max_u64(timeout_ceiling, ret->timeout);
        ret->deadline = later(now, ret->timeout);
}

static uint64_t window_end(const struct tftp_session *s) {
        return s->acked + min_u64(s->windowsize, s->n_blocks - s->acked);
}

static struct tftp_action send_of(const struct tftp_session *s) {
        uint64_t count = window_end(s) - s->next, offset = s->next * s->blksize;

        return (struct tftp_action){
                .kind = TFTP_SEND,
                .first = s->next + 1,
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
        if (s->state == TFTP_SEND && s->next < window_end(s))
                return send_of(s);
        return (struct tftp_action){ .kind = TFTP_WAIT, .deadline = s->deadline };
}

static void sent_blocks(struct tftp_session *s, uint32_t count, nsec_t now) {
        uint64_t last = min_u64(s->next + count, window_end(s));

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
        } else {
                sent_blocks(s, count, now);
        }
        s->deadline = later(now, s->timeout);
}

static bool unwrap(const struct tftp_session *s, uint16_t wire, uint64_t *ret) {
        uint16_t ahead = (uint16_t)(wire - (uint16_t)s->acked);

        if (ahead > s->sent - s->acked)
                return false;
        *ret = s->acked + ahead;
        return true;
}

static void moved(struct tftp_session *s, nsec_t now) {
        if (s->window_sent != NSEC_NEVER && now > s->window_sent)
                s->round_trip = now - s->window_sent;
        s->window_sent = NSEC_NEVER;
        s->is_heard = true;
        s->haste = TFTP_HASTE_NONE;
        s->tries = tries_of(s);
        s->timeout = wait_initial(s);
        s->deadline = later(now, s->timeout);
}

static void hasten(struct tftp_session *s, nsec_t now) {
        nsec_t near = later(now, max_u64(s->round_trip * HASTE_ROUND_TRIPS, haste_min));

        if (s->haste != TFTP_HASTE_NONE || s->round_trip == 0)
                return;
        s->haste = TFTP_HASTE_NOW;
        s->deadline = min_u64(s->deadline, near);
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
                hasten(s, now);
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
        if (s->end != TFTP_END_NONE || now < s->deadline)
                return;
        if (s->haste == TFTP_HASTE_NOW) {
                /* A wait that a duplicate cut short is no sign of a slow client. */
                s->haste = TFTP_HASTE_SPENT;
        } else if (--s->tries == 0) {
                finish(s, is_all_sent(s) ? TFTP_END_LAST_ACK : TFTP_END_TIMEOUT);
                return;
        } else {
                s->timeout = min_u64(s->timeout * 2, s->timeout_max);
        }
        s->deadline = later(now, s->timeout);
        if (s->state == TFTP_SEND_OACK)
                s->answer_due = true;
        else
                s->next = s->acked;
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
