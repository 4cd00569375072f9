/*
 * Whole TFTP reads in virtual time: the real session, a small client as the RFCs
 * describe it, and between them a wire that loses, doubles and overtakes by a seeded
 * plan. No byte of a file exists: a block is its number on the wire and the range it
 * covers, and the client checks every range, so gigabytes take moments.
 */
#include <stdlib.h>

#include "proto/tftp_session.h"
#include "test/check.h"

enum { FLIGHT_MAX = 8192 };

static const nsec_t latency = NSEC_PER_MSEC;
static const nsec_t client_wait = NSEC_PER_SEC;

struct wire {
        unsigned lose_percent, double_percent, overtake_percent;
        unsigned lose_every; /* the n-th packet, both ways together */
};

struct parcel {
        nsec_t when;
        uint64_t order;
        bool to_server;
        uint8_t head[TFTP_OACK_MAX]; /* of DATA, or all of another packet */
        size_t n_head;
        uint64_t offset, length; /* of DATA */
};

struct client {
        struct tftp_options asked;
        uint32_t blksize, windowsize;
        uint64_t expected; /* the next block; 1 at first */
        uint64_t received; /* bytes */
        uint32_t in_window;
        bool gap_told, is_open, is_done, is_gone, wants_size_only;
        uint64_t size_told, vanish_at;
        nsec_t deadline;
};

struct world {
        struct wire wire;
        uint64_t random, n_parcels, order, n_data, n_lost;
        nsec_t now;
        struct parcel *flight; /* a heap by (when, order) */
        size_t n_flight;
        struct tftp_session server;
        struct client client;
        uint64_t size;
};

/* xorshift64*: the same seed tells the same story everywhere. */
static unsigned percent(struct world *w) {
        w->random ^= w->random >> 12;
        w->random ^= w->random << 25;
        w->random ^= w->random >> 27;
        return (unsigned)((w->random * 0x2545f4914f6cdd1dULL >> 33) % 100);
}

static bool is_before(const struct parcel *a, const struct parcel *b) {
        return a->when != b->when ? a->when < b->when : a->order < b->order;
}

static void swap(struct parcel *a, struct parcel *b) {
        struct parcel c = *a;
        *a = *b;
        *b = c;
}

static void put(struct world *w, const struct parcel *p, nsec_t delay) {
        size_t i = w->n_flight++;

        assert_true(w->n_flight <= FLIGHT_MAX);
        w->flight[i] = *p;
        w->flight[i].when = w->now + delay;
        w->flight[i].order = w->order++;
        for (; i > 0 && is_before(&w->flight[i], &w->flight[(i - 1) / 2]);
             i = (i - 1) / 2)
                swap(&w->flight[i], &w->flight[(i - 1) / 2]);
}

static struct parcel take(struct world *w) {
        struct parcel first = w->flight[0];
        size_t i = 0;

        w->flight[0] = w->flight[--w->n_flight];
        for (;;) {
                size_t least = i;

                for (size_t child = 2 * i + 1; child <= 2 * i + 2; child++)
                        if (child < w->n_flight &&
                            is_before(&w->flight[child], &w->flight[least]))
                                least = child;
                if (least == i)
                        return first;
                swap(&w->flight[i], &w->flight[least]);
                i = least;
        }
}

static void post(struct world *w, const struct parcel *p) {
        const struct wire *wire = &w->wire;
        nsec_t delay = latency;

        w->n_parcels++;
        if ((wire->lose_every && w->n_parcels % wire->lose_every == 0) ||
            (wire->lose_percent && percent(w) < wire->lose_percent)) {
                w->n_lost++;
                return;
        }
        if (wire->overtake_percent && percent(w) < wire->overtake_percent)
                delay += latency * (1 + percent(w) % 8) / 2;
        put(w, p, delay);
        if (wire->double_percent && percent(w) < wire->double_percent)
                put(w, p, delay + latency / 2);
}

static void post_to_server(struct world *w, const uint8_t *bytes, size_t n) {
        struct parcel p = { .to_server = true, .n_head = n };

        memcpy(p.head, bytes, n);
        post(w, &p);
}

static void client_ack(struct world *w, uint64_t block) {
        uint8_t bytes[4];

        post_to_server(w, bytes, tftp_build_ack(bytes, sizeof(bytes), (uint16_t)block));
        w->client.deadline = w->now + client_wait;
}

static void client_recv_oack(struct world *w, const struct tftp_options *granted) {
        struct client *c = &w->client;

        if (c->wants_size_only) {
                uint8_t bytes[64];

                c->size_told = granted->tsize;
                c->is_done = true;
                c->deadline = NSEC_NEVER;
                post_to_server(w, bytes,
                               tftp_build_error(bytes, sizeof(bytes), TFTP_ERROR_OPTION,
                                                "User aborted the transfer"));
                return;
        }
        if (c->expected > 1)
                return;
        assert_true(granted->blksize <= c->asked.blksize);
        assert_true(granted->windowsize <= c->asked.windowsize);
        c->is_open = true;
        c->blksize = granted->blksize ? granted->blksize : 512;
        c->windowsize = granted->windowsize ? granted->windowsize : 1;
        client_ack(w, 0);
}

static void client_take_block(struct world *w, const struct parcel *p) {
        struct client *c = &w->client;

        assert_true(p->offset == (c->expected - 1) * c->blksize);
        assert_true(p->length == min_u64(c->blksize, w->size - p->offset));
        c->is_open = true;
        c->received += p->length;
        c->gap_told = false;
        c->in_window++;
        c->deadline = w->now + client_wait;
        c->is_done = p->length < c->blksize;
        if (c->is_done || c->in_window == c->windowsize) {
                c->in_window = 0;
                client_ack(w, c->expected);
        }
        c->expected++;
        c->is_gone = c->vanish_at && c->expected > c->vanish_at;
        if (c->is_done || c->is_gone)
                c->deadline = NSEC_NEVER;
}

static void client_recv_data(struct world *w, uint16_t block, const struct parcel *p) {
        struct client *c = &w->client;

        if (!c->is_done && block == (uint16_t)c->expected) {
                client_take_block(w, p);
        } else if (c->windowsize == 1 || c->is_done) {
                /* The naive client of RFC 1350: whatever comes is acknowledged, which
                 * is the half of the Sorcerer's Apprentice that a server cannot mend.
                 */
                client_ack(w, block == (uint16_t)c->expected ? c->expected - 1 : block);
        } else if (!c->gap_told && c->is_open) {
                c->gap_told = true; /* RFC 7440 4: what is the last in order */
                c->in_window = 0;
                client_ack(w, c->expected - 1);
        }
}

static void client_recv(struct world *w, const struct parcel *parcel) {
        struct tftp_packet p;

        assert_int_equal(tftp_parse(parcel->head, parcel->n_head, &p), TFTP_OK);
        if (w->client.is_gone)
                return;
        if (p.opcode == TFTP_OP_OACK)
                client_recv_oack(w, &p.options);
        else if (p.opcode == TFTP_OP_DATA)
                client_recv_data(w, p.block, parcel);
}

static void client_tick(struct world *w) {
        struct client *c = &w->client;

        if (c->is_done || c->is_gone || w->now < c->deadline)
                return;
        c->in_window = 0;
        c->gap_told = false;
        if (c->is_open)
                client_ack(w, c->expected - 1);
        c->deadline = w->now + client_wait;
}

static void server_send(struct world *w, const struct tftp_action *a) {
        for (uint32_t i = 0; i < a->count; i++) {
                uint64_t at = (uint64_t)i * w->server.blksize;
                struct parcel p = { .n_head = TFTP_HEAD,
                                    .offset = a->offset + at,
                                    .length = min_u64(w->server.blksize,
                                                      a->length - at) };

                tftp_build_data_head(p.head, (uint16_t)(a->first + i));
                post(w, &p);
                w->n_data++;
        }
}

static struct tftp_action server_run(struct world *w) {
        for (;;) {
                struct tftp_action a = tftp_session_next(&w->server);
                struct parcel oack = { 0 };

                if (a.kind == TFTP_SEND) {
                        server_send(w, &a);
                        tftp_session_sent(&w->server, a.count, w->now);
                } else if (a.kind == TFTP_SEND_OACK) {
                        oack.n_head = tftp_session_oack(&w->server, oack.head);
                        post(w, &oack);
                        tftp_session_sent(&w->server, 1, w->now);
                } else {
                        return a;
                }
        }
}

/* Until the server is at its end. */
static struct tftp_action tell(struct world *w) {
        for (;;) {
                struct tftp_action a = server_run(w);
                nsec_t next;

                if (a.kind != TFTP_WAIT)
                        return a;
                next = min_u64(a.deadline, w->client.deadline);
                if (w->n_flight && w->flight[0].when <= next) {
                        struct parcel p = take(w);

                        w->now = p.when;
                        if (p.to_server)
                                tftp_session_recv(&w->server, p.head, p.n_head, w->now);
                        else
                                client_recv(w, &p);
                        continue;
                }
                w->now = next;
                client_tick(w);
                tftp_session_tick(&w->server, w->now);
        }
}

static struct world *world_new(uint64_t size, struct tftp_options asked,
                               struct wire wire, uint64_t seed) {
        static const struct tftp_limits limits = { .blksize = TFTP_BLKSIZE_MAX,
                                                   .windowsize = 64,
                                                   .window_bytes = UINT32_MAX };
        struct world *w = calloc(1, sizeof(*w));

        assert_non_null(w);
        w->flight = calloc(FLIGHT_MAX, sizeof(*w->flight));
        assert_non_null(w->flight);
        w->wire = wire;
        w->random = seed * 0x9e3779b97f4a7c15ULL + 1;
        w->size = size;
        w->client = (struct client){ .asked = asked,
                                     .blksize = 512,
                                     .windowsize = 1,
                                     .expected = 1,
                                     .deadline = client_wait };
        tftp_session_init(&w->server, &asked, size, &limits, 0);
        return w;
}

static void world_free(struct world *w) {
        free(w->flight);
        free(w);
}

static void arrives(struct world *w) {
        struct tftp_action a = tell(w);

        assert_true(w->client.is_done);
        assert_true(w->client.received == w->size);
        /* The very last ACK may be lost for good; the client has the file. */
        assert_true(a.end == TFTP_END_SENT || a.end == TFTP_END_LAST_ACK);
}

static const struct tftp_options plain = { 0 };

static struct tftp_options with(uint32_t blksize, uint32_t windowsize) {
        return (struct tftp_options){ .blksize = blksize,
                                      .windowsize = windowsize,
                                      .has_tsize = true };
}

static void files_of_every_size_arrive(void **state) {
        static const uint64_t sizes[] = { 0, 1, 511, 512, 513, 1024, 42256 };
        const struct tftp_options options[] = { plain, with(1024, 0), with(8, 16),
                                                with(1468, 64) };

        for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
                for (size_t k = 0; k < ARRAY_SIZE(options); k++) {
                        struct world *w =
                                world_new(sizes[i], options[k], (struct wire){ 0 }, 1);

                        arrives(w);
                        assert_true(w->server.resent == 0);
                        world_free(w);
                }
}

static void every_third_packet_is_lost(void **state) {
        static const uint32_t windows[] = { 1, 4, 16, 64 };

        for (size_t i = 0; i < ARRAY_SIZE(windows); i++) {
                struct world *w = world_new(100000, with(512, windows[i]),
                                            (struct wire){ .lose_every = 3 }, 1);

                arrives(w);
                assert_true(w->server.resent > 0);
                world_free(w);
        }
}

static void each_packet_comes_twice_over_the_wrap(void **state) {
        struct world *w = world_new(70000ULL * 512, plain,
                                    (struct wire){ .double_percent = 100 }, 1);

        arrives(w);
        /* Not one block is sent for a duplicate ACK: no Sorcerer's Apprentice. */
        assert_true(w->n_data == 70001);
        assert_true(w->server.resent == 0);
        world_free(w);
}

static void acks_overtake_each_other(void **state) {
        for (uint64_t seed = 1; seed <= 50; seed++) {
                struct world *w = world_new(
                        300000, with(512, seed % 2 ? 1 : 8),
                        (struct wire){ .overtake_percent = 30, .double_percent = 10 },
                        seed);

                arrives(w);
                world_free(w);
        }
}

static void more_than_four_gigabytes(uint32_t blksize, uint32_t windowsize) {
        uint64_t size = (4ULL << 30) + 12345;
        struct world *w =
                world_new(size, with(blksize, windowsize), (struct wire){ 0 }, 1);

        arrives(w);
        assert_true(w->n_data == size / blksize + 1);
        world_free(w);
}

static void four_gigabytes_arrive_in_the_largest_blocks(void **state) {
        more_than_four_gigabytes(TFTP_BLKSIZE_MAX, 0);
}

static void four_gigabytes_arrive_in_the_usual_blocks(void **state) {
        more_than_four_gigabytes(512, 0);
}

static void the_wrap_survives_loss_in_windows(void **state) {
        for (uint64_t seed = 1; seed <= 3; seed++) {
                struct world *w = world_new(140000ULL * 512, with(512, 64),
                                            (struct wire){ .lose_percent = 1 }, seed);

                arrives(w);
                world_free(w);
        }
}

static void loss_inside_a_window_costs_no_timeout(void **state) {
        static const uint32_t windows[] = { 16, 64 };

        for (size_t i = 0; i < ARRAY_SIZE(windows); i++) {
                struct world *w = world_new(2000ULL * 512, with(512, windows[i]),
                                            (struct wire){ .lose_every = 101 }, 1);

                arrives(w);
                assert_true(w->server.resent > 0);
                /* A gap is told at once and mended at once; only what is lost at the
                 * very end of a window, or as the ACK itself, waits for a timer. */
                assert_true(w->now < 3 * NSEC_PER_SEC);
                world_free(w);
        }
}

/* A thousand blocks at one packet in fifty: what is lost waits for some round trips,
 * not for the client's second, and is sent once more, not twice. */
static void loss_in_lockstep_costs_no_seconds(void **state) {
        for (uint64_t seed = 1; seed <= 20; seed++) {
                struct world *w = world_new(1000ULL * 512, with(512, 0),
                                            (struct wire){ .lose_percent = 2 }, seed);

                arrives(w);
                assert_true(w->n_lost > 10);
                assert_true(w->now < w->n_lost * NSEC_PER_SEC / 10 + 5 * NSEC_PER_SEC);
                assert_true(w->server.resent <= w->n_lost + 10);
                world_free(w);
        }
}

static void a_hostile_wire_only_slows(void **state) {
        static const uint32_t windows[] = { 1, 2, 16, 64 };

        for (uint64_t seed = 1; seed <= 200; seed++) {
                struct world *w =
                        world_new(60000 + seed * 97, with(512, windows[seed % 4]),
                                  (struct wire){ .lose_percent = 10,
                                                 .double_percent = 10,
                                                 .overtake_percent = 20 },
                                  seed);
                struct tftp_action a = tell(w);

                /* Seven losses in a row may end it, but never with a wrong byte. */
                assert_true(a.kind == TFTP_FAILED || w->client.received == w->size);
                assert_true(a.kind != TFTP_FAILED || a.end == TFTP_END_TIMEOUT ||
                            a.end == TFTP_END_LAST_ACK);
                assert_true(w->n_data < 20 * w->server.n_blocks + 2000);
                world_free(w);
        }
}

static void a_client_that_vanishes_costs_little(void **state) {
        struct world *w = world_new(1 << 20, with(512, 16), (struct wire){ 0 }, 1);
        struct tftp_action a;

        w->client.vanish_at = 100;
        a = tell(w);
        assert_int_equal(a.kind, TFTP_FAILED);
        assert_int_equal(a.end, TFTP_END_TIMEOUT);
        assert_true(w->n_data < 100 + 8 * 16);
        assert_true(w->now < 60 * NSEC_PER_SEC);
        world_free(w);
}

static void a_client_that_wants_only_the_size_gets_it(void **state) {
        struct world *w = world_new(42256, with(1468, 4), (struct wire){ 0 }, 1);
        struct tftp_action a;

        w->client.wants_size_only = true;
        a = tell(w);
        assert_int_equal(a.kind, TFTP_DONE);
        assert_int_equal(a.end, TFTP_END_SIZE_ASKED);
        assert_true(w->client.size_told == 42256);
        assert_true(w->n_data == 0);
        world_free(w);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(files_of_every_size_arrive),
                cmocka_unit_test(every_third_packet_is_lost),
                cmocka_unit_test(each_packet_comes_twice_over_the_wrap),
                cmocka_unit_test(acks_overtake_each_other),
                cmocka_unit_test(four_gigabytes_arrive_in_the_largest_blocks),
                cmocka_unit_test(four_gigabytes_arrive_in_the_usual_blocks),
                cmocka_unit_test(the_wrap_survives_loss_in_windows),
                cmocka_unit_test(loss_inside_a_window_costs_no_timeout),
                cmocka_unit_test(loss_in_lockstep_costs_no_seconds),
                cmocka_unit_test(a_hostile_wire_only_slows),
                cmocka_unit_test(a_client_that_vanishes_costs_little),
                cmocka_unit_test(a_client_that_wants_only_the_size_gets_it),
        };
        return check_run("story/tftp", tests);
}
