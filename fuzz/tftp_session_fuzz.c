/*
 * A TFTP read under any sequence of packets, time steps and full sockets. The input is
 * options and a size, then steps: a byte that says what happens, and its bytes.
 *
 * What must hold: blocks stay in order and in range, the window is never exceeded, an
 * end is final, and what leaves between two movements of the client is bounded.
 */
#include "base/cursor.h"
#include "fuzz/fuzz.h"
#include "proto/tftp_session.h"

/* Windows: four unheard tries, twelve heard ones, one that a duplicate asked for. */
enum { SENT_WITHOUT_MOVING_MAX = 4 + 12 + 1 };

struct run {
        struct tftp_session s;
        nsec_t now;
        uint64_t acked, n_sent; /* blocks since the client last moved */
};

static void check(const struct tftp_session *s, const struct tftp_action *a) {
        assert(s->acked <= s->next && s->next <= s->sent && s->sent <= s->n_blocks);
        assert(s->sent - s->acked <= s->windowsize);
        assert(tftp_session_acked_bytes(s) <= s->size);
        if (a->kind != TFTP_SEND)
                return;
        assert(a->count > 0 && a->first > s->acked);
        assert(a->first + a->count - 1 <= s->acked + s->windowsize);
        assert(a->offset <= s->size && a->length <= s->size - a->offset);
        assert(a->length <= (uint64_t)a->count * s->blksize);
        assert(a->length == (uint64_t)a->count * s->blksize ||
               a->first + a->count - 1 == s->n_blocks);
}

static void carry_out(struct run *r, uint8_t room) {
        struct tftp_action a = tftp_session_next(&r->s);
        uint32_t count;

        check(&r->s, &a);
        if (a.kind == TFTP_WAIT || a.kind == TFTP_DONE || a.kind == TFTP_FAILED)
                return;
        count = a.kind == TFTP_SEND ? (uint32_t)min_u64(a.count, room) : 1;
        tftp_session_sent(&r->s, count, r->now);
        if (r->s.acked != r->acked)
                r->n_sent = 0;
        r->acked = r->s.acked;
        r->n_sent += count;
        assert(r->n_sent <= (uint64_t)SENT_WITHOUT_MOVING_MAX * r->s.windowsize);
}

static void step(struct run *r, struct reader *in) {
        uint8_t what = reader_u8(in);
        uint8_t ack[4];
        struct span packet;

        switch (what % 6) {
        case 0: /* any packet */
                packet = reader_span(in, min_size(reader_u8(in), reader_left(in)));
                tftp_session_recv(&r->s, packet.data, packet.n, r->now);
                break;
        case 1: /* an ACK near the truth */
                (void)tftp_build_ack(ack, sizeof(ack),
                                     (uint16_t)(r->s.acked + reader_u8(in) - 4U));
                tftp_session_recv(&r->s, ack, sizeof(ack), r->now);
                break;
        case 2: /* time */
                r->now += reader_u8(in) * 100 * NSEC_PER_MSEC;
                tftp_session_tick(&r->s, r->now);
                break;
        case 3: /* to the deadline */
                r->now = max_u64(r->now,
                                 tftp_session_next(&r->s).deadline % (1ULL << 60));
                tftp_session_tick(&r->s, r->now);
                break;
        case 4:
                carry_out(r, reader_u8(in));
                break;
        case 5:
                if (what > 250)
                        tftp_session_unreachable(&r->s);
                else if (what > 240)
                        tftp_session_fail(&r->s, TFTP_ERROR_UNDEFINED, "ours");
                else
                        carry_out(r, UINT8_MAX);
                break;
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        struct reader in = reader_of(data, n);
        struct tftp_options asked = { .blksize = reader_be16(&in),
                                      .windowsize = reader_be16(&in),
                                      .timeout = reader_u8(&in) };
        struct tftp_limits limits = { .blksize = reader_be16(&in),
                                      .windowsize = reader_be16(&in),
                                      .window_bytes = UINT32_MAX };
        uint64_t size = reader_be64(&in) >> (reader_u8(&in) % 64);
        struct run r = { 0 };
        enum tftp_end end = TFTP_END_NONE;

        if (asked.blksize < TFTP_BLKSIZE_MIN)
                asked.blksize = 0;
        asked.has_tsize = size & 1;
        tftp_session_init(&r.s, &asked, size, &limits, 0);
        while (reader_left(&in) > 0) {
                step(&r, &in);
                assert(end == TFTP_END_NONE || r.s.end == end);
                end = r.s.end;
        }
        return 0;
}
