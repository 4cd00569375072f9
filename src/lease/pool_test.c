#include "lease/pool.h"

#include "test/check.h"

static const ip4_t network = 0x0a000000; /* 10.0.0.0/24 */
static const nsec_t second = NSEC_PER_SEC;

/* Client number n: a MAC and no identifier. */
static struct pool_client client(unsigned n) {
        return (struct pool_client){ .mac = { { 2, 0, (uint8_t)(n >> 24),
                                                (uint8_t)(n >> 16), (uint8_t)(n >> 8),
                                                (uint8_t)n } } };
}

static void configure(struct pool *pool, ip4_t first, ip4_t last) {
        const struct pool_range range = { first, last, network };

        assert_int_equal(pool_configure(pool, &range, 1, NULL, 0), 0);
}

/* Of the first `n_ranges` ranges. */
static struct pool_binding *offer_to(struct pool *pool, size_t n_ranges,
                                     const struct pool_client *c, ip4_t wanted,
                                     nsec_t now, nsec_t until) {
        static const size_t ranges[] = { 0, 1, 2 };

        return pool_offer(pool, &(struct pool_request){ .client = c,
                                                        .ranges = ranges,
                                                        .n_ranges = n_ranges,
                                                        .wanted = wanted,
                                                        .now = now,
                                                        .until = until });
}

static struct pool_binding *find(struct pool *pool, const struct pool_client *c) {
        return pool_find(pool, &(struct pool_request){ .client = c,
                                                       .ranges = (const size_t[]){ 0 },
                                                       .n_ranges = 1 });
}

/* Of 10.0.0.1 to 10.0.0.`last`. */
static struct pool *new_pool(unsigned last) {
        struct pool *pool;

        assert_int_equal(pool_new(&pool), 0);
        configure(pool, network + 1, network + last);
        return pool;
}

/* The last byte of what client n is offered; 0 for nothing. */
static unsigned offer(struct pool *pool, unsigned n, unsigned wanted, nsec_t now) {
        struct pool_client c = client(n);
        struct pool_binding *b =
                offer_to(pool, 1, &c, wanted ? network + wanted : 0, now, now + second);

        if (!b)
                return 0;
        assert_true(pool_client_is(b, &c));
        assert_ptr_equal(pool_at(pool, b->address), b);
        return b->address - network;
}

static struct pool_binding *at(struct pool *pool, unsigned last) {
        return pool_at(pool, network + last);
}

static unsigned bind(struct pool *pool, unsigned n, unsigned wanted, nsec_t now,
                     nsec_t ends) {
        unsigned last = offer(pool, n, wanted, now);

        if (last)
                pool_bind(pool, at(pool, last), now, ends);
        return last;
}

static unsigned expire_all(struct pool *pool, nsec_t now) {
        unsigned n = 0;
        enum pool_state was;

        while (pool_expire(pool, now, &was))
                n++;
        return n;
}

static void the_own_address_comes_first(void **state) {
        struct pool *pool = new_pool(9);

        assert_int_equal(bind(pool, 1, 5, 0, 100), 5);
        assert_int_equal(offer(pool, 1, 7, 1), 5);
        assert_int_equal(at(pool, 5)->state,
                         POOL_BOUND); /* the offer changes nothing */
        pool_release(pool, at(pool, 5), 2);
        assert_int_equal(offer(pool, 1, 7, 3), 5);
        assert_int_equal(at(pool, 5)->state, POOL_OFFERED);
        assert_int_equal(expire_all(pool, 10 * second), 1);
        assert_int_equal(offer(pool, 1, 7, 10 * second), 5);
        pool_free(pool);
}

static void then_the_wanted_one_if_it_may_have_it(void **state) {
        struct pool *pool = new_pool(9);

        assert_int_equal(bind(pool, 1, 5, 0, 100), 5);
        assert_int_equal(offer(pool, 2, 5, 1), 1);  /* bound */
        assert_int_equal(offer(pool, 3, 1, 1), 2);  /* offered to another */
        assert_int_equal(offer(pool, 4, 10, 1), 3); /* in no range */
        assert_int_equal(offer(pool, 5, 9, 1), 9);
        pool_release(pool, at(pool, 5), 2);
        assert_int_equal(offer(pool, 6, 5, 2), 5); /* given up */
        pool_free(pool);
}

static void then_one_never_given_then_the_longest_unused(void **state) {
        struct pool *pool = new_pool(4);

        for (unsigned i = 1; i <= 3; i++)
                assert_int_equal(bind(pool, i, 0, 0, 100), i);
        pool_release(pool, at(pool, 2), 1);
        pool_release(pool, at(pool, 1), 2);
        pool_release(pool, at(pool, 3), 3);
        assert_int_equal(offer(pool, 11, 0, 4), 4);
        assert_int_equal(offer(pool, 12, 0, 4), 2);
        assert_int_equal(offer(pool, 13, 0, 4), 1);
        /* so that who comes back soon finds its own */
        assert_int_equal(offer(pool, 3, 0, 4), 3);
        assert_int_equal(offer(pool, 14, 0, 4), 0);
        pool_free(pool);
}

static void an_address_taken_over_is_no_longer_the_others(void **state) {
        struct pool *pool = new_pool(1);
        struct pool_client first = client(1), second_one = client(2);

        bind(pool, 1, 0, 0, 100);
        pool_release(pool, at(pool, 1), 1);
        assert_ptr_equal(find(pool, &first), at(pool, 1));
        assert_int_equal(bind(pool, 2, 0, 2, 100), 1);
        assert_null(find(pool, &first));
        assert_ptr_equal(find(pool, &second_one), at(pool, 1));
        assert_int_equal(offer(pool, 1, 1, 3), 0);
        pool_free(pool);
}

static void a_reserved_address_is_only_taken_by_name(void **state) {
        const struct pool_range range = { network + 1, network + 3, network };
        const ip4_t reserved[] = { network + 2, network + 77 };
        struct pool *pool = new_pool(1);
        struct pool_client host = client(9), other = client(8);

        assert_int_equal(pool_configure(pool, &range, 1, reserved, 2), 0);
        assert_true(pool_range_of(pool, network + 2) == SIZE_MAX);
        assert_int_equal(offer(pool, 1, 2, 0), 1);
        assert_int_equal(offer(pool, 2, 0, 0), 3);
        assert_int_equal(offer(pool, 3, 0, 0), 0);
        assert_non_null(pool_take(pool, network, network + 77, &host, 0, second));
        assert_null(pool_take(pool, network, network + 77, &other, 0, second));
        assert_non_null(pool_take(pool, network, network + 77, &host, 0, second));
        assert_non_null(
                pool_take(pool, network, network + 77, &other, second, 2 * second));
        pool_free(pool);
}

static void a_declined_address_rests_also_for_who_declined_it(void **state) {
        struct pool *pool = new_pool(2);
        enum pool_state was;

        assert_int_equal(bind(pool, 1, 0, 0, 100 * second), 1);
        pool_decline(pool, at(pool, 1), second, 50 * second);
        assert_int_equal(offer(pool, 1, 1, second), 2);
        assert_int_equal(offer(pool, 2, 1, second), 0);
        assert_int_equal(at(pool, 1)->stored, LEASE_DECLINED);
        assert_int_equal(expire_all(pool, 49 * second), 1); /* the offer of 2 */
        assert_ptr_equal(pool_expire(pool, 50 * second, &was), at(pool, 1));
        assert_int_equal(was, POOL_DECLINED);
        assert_int_equal(offer(pool, 3, 1, 50 * second), 1);
        pool_free(pool);
}

static void ends_come_in_their_order(void **state) {
        static const unsigned minutes[] = { 5, 1, 9, 3, 7, 2, 8, 4, 6, 3, 1 };
        const size_t n = ARRAY_SIZE(minutes);
        struct pool *pool = new_pool(n);
        struct pool_binding *b;
        enum pool_state was;
        nsec_t last = 0;
        size_t count = 0;

        assert_true(pool_next(pool) == NSEC_NEVER);
        for (unsigned i = 0; i < n; i++)
                bind(pool, i + 1, 0, 0, minutes[i] * 60 * second);
        /* one moves to the front, one to the back, one out, one has no end */
        pool_bind(pool, at(pool, 3), 0, 30 * second);
        pool_bind(pool, at(pool, 2), 0, 3600 * second);
        pool_release(pool, at(pool, 5), 0);
        pool_bind(pool, at(pool, 7), 0, NSEC_NEVER);
        assert_true(pool_next(pool) == 30 * second);
        assert_null(pool_expire(pool, 30 * second - 1, &was));
        while ((b = pool_expire(pool, 3600 * second, &was))) {
                assert_int_equal(was, POOL_BOUND);
                assert_true(b->ends >= last);
                assert_int_equal(b->stored, LEASE_EXPIRED);
                last = b->ends;
                count++;
        }
        assert_int_equal(count, n - 2);
        assert_true(pool_next(pool) == NSEC_NEVER);
        assert_int_equal(at(pool, 7)->state, POOL_BOUND);
        pool_free(pool);
}

static void an_identifier_that_is_the_mac_is_the_mac(void **state) {
        static const struct {
                const char *a, *b;
                uint8_t n_a, n_b;
                bool same;
        } rows[] = {
                { "", "", 0, 0, true },
                { "\1\2\0\0\0\0\1", "", 7, 0, true },
                { "", "\1\2\0\0\0\0\1", 0, 7, true },
                { "\1\2\0\0\0\0\2", "", 7, 0, false }, /* another's MAC is a name */
                { "\6\2\0\0\0\0\1", "", 7, 0, false }, /* of another kind of network */
                { "\1\2\0\0\0\0", "", 6, 0, false },
                { "\xff\1\2", "\xff\1\2", 3, 3, true },
                { "\xff\1\2", "\xff\1\3", 3, 3, false },
                { "\xff\1\2", "\xff\1", 3, 2, false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct pool *pool = new_pool(9);
                struct pool_client a = client(1), b = client(1);
                struct pool_binding *held;

                a.id = (const uint8_t *)rows[i].a;
                a.n_id = rows[i].n_a;
                b.id = (const uint8_t *)rows[i].b;
                b.n_id = rows[i].n_b;
                held = offer_to(pool, 1, &a, 0, 0, second);
                assert_int_equal(pool_client_is(held, &b), rows[i].same);
                assert_ptr_equal(find(pool, &b), rows[i].same ? held : NULL);
                pool_free(pool);
        }
}

/* The machine got another card: its identifier is who it is. */
static void an_identifier_counts_more_than_the_mac(void **state) {
        struct pool *pool = new_pool(9);
        struct pool_client a = client(1), b = client(2);

        a.id = b.id = (const uint8_t *)"\xff\1\2\3";
        a.n_id = b.n_id = 4;
        assert_ptr_equal(offer_to(pool, 1, &a, 0, 0, second),
                         offer_to(pool, 1, &b, 0, 0, second));
        pool_free(pool);
}

static void a_full_pool_stays_consistent_with_thousands(void **state) {
        enum { N = 5000 };
        const struct pool_range range = { 0x0a000001, 0x0a000001 + N - 1, network };
        struct pool *pool = new_pool(1);

        assert_int_equal(pool_configure(pool, &range, 1, NULL, 0), 0);
        for (unsigned i = 0; i < N; i++)
                assert_int_equal(offer(pool, i, 0, i), i + 1);
        assert_int_equal(pool_n_offered(pool), N);
        for (unsigned i = 0; i < N; i++)
                assert_int_equal(offer(pool, N + i, 0, N), 0);
        for (unsigned i = 0; i < N; i += 2)
                pool_bind(pool, at(pool, i + 1), N, (N - i) * second);
        assert_int_equal(pool_n_offered(pool), N / 2);
        assert_int_equal(expire_all(pool, N * second * 2), N);
        assert_int_equal(pool_n_offered(pool), 0);
        /* all have their own again */
        for (unsigned i = 0; i < N; i++)
                assert_int_equal(offer(pool, i, 0, i), i + 1);
        pool_free(pool);
}

static void what_is_loaded_is_as_it_was(void **state) {
        struct lease_record record = { .address = network + 4,
                                       .mac = client(1).mac,
                                       .hostname = "box",
                                       .starts = 1,
                                       .ends = 100 * second,
                                       .subnet = network };
        struct pool *pool = new_pool(9);
        struct pool_client c = client(1);

        assert_int_equal(pool_load(pool, &record), 0);
        assert_int_equal(find(pool, &c)->state, POOL_BOUND);
        pool_record(at(pool, 4), &record);
        assert_string_equal(record.hostname, "box");
        assert_true(at(pool, 4)->was_stored);
        assert_true(pool_next(pool) == 100 * second);
        assert_int_equal(offer(pool, 1, 0, 0), 4);

        record.address = network + 5;
        record.mac = client(2).mac;
        record.state = LEASE_DECLINED;
        assert_int_equal(pool_load(pool, &record), 0);
        assert_int_equal(offer(pool, 2, 5, 0), 1);

        record.address = network + 6;
        record.mac = client(3).mac;
        record.state = LEASE_RELEASED;
        assert_int_equal(pool_load(pool, &record), 0);
        assert_int_equal(offer(pool, 3, 0, 0), 6);

        record.address = network + 7;
        record.mac = client(4).mac;
        record.state = LEASE_BOUND;
        record.ends = NSEC_NEVER;
        assert_int_equal(pool_load(pool, &record), 0);
        assert_int_equal(offer(pool, 5, 7, 99 * second), 2);
        /* a later record of the same address */
        record.mac = client(5).mac;
        assert_int_equal(pool_load(pool, &record), 0);
        assert_null(find(pool, &(struct pool_client){ .mac = client(4).mac }));
        pool_free(pool);
}

static void another_configuration_leaves_bindings_alone(void **state) {
        struct pool *pool = new_pool(9);

        assert_int_equal(bind(pool, 1, 8, 0, 100 * second), 8);
        configure(pool, network + 1, network + 2);
        assert_int_equal(at(pool, 8)->state, POOL_BOUND);
        assert_true(pool_range_of(pool, network + 8) == SIZE_MAX);
        /* asked for anew it moves into the pool, and the old one stays its own */
        assert_int_equal(offer(pool, 1, 8, 1), 1);
        assert_int_equal(at(pool, 8)->state, POOL_BOUND);
        assert_int_equal(offer(pool, 2, 8, 1), 2);
        assert_int_equal(offer(pool, 3, 8, 1), 0);
        configure(pool, network + 1, network + 3);
        assert_int_equal(offer(pool, 3, 8, 1), 3);
        assert_int_equal(expire_all(pool, 100 * second), 4);
        assert_int_equal(offer(pool, 4, 8, 100 * second), 1); /* 8 is out of reach */
        pool_free(pool);
}

static void a_subnet_that_is_gone_has_no_addresses(void **state) {
        struct pool *pool = new_pool(9);

        assert_int_equal(bind(pool, 1, 0, 0, second), 1);
        assert_int_equal(pool_configure(pool, NULL, 0, NULL, 0), 0);
        assert_true(pool_range_of(pool, network + 1) == SIZE_MAX);
        assert_null(offer_to(pool, 0, &(struct pool_client){ .mac = client(1).mac }, 0,
                             0, second));
        assert_int_equal(expire_all(pool, second), 1);
        pool_free(pool);
}

static void ranges_are_walked_to_the_last_address_there_is(void **state) {
        const struct pool_range ranges[] = { { 0xfffffffe, 0xffffffff, 0xffffff00 },
                                             { 0xfffffff0, 0xfffffff0, 0xffffff00 } };
        static const ip4_t expected[] = { 0xfffffffe, 0xffffffff, 0xfffffff0 };
        struct pool *pool = new_pool(1);
        struct pool_client c;

        assert_int_equal(pool_configure(pool, ranges, 2, NULL, 0), 0);
        for (unsigned i = 0; i < 3; i++) {
                c = client(i);
                assert_int_equal(offer_to(pool, 2, &c, 0, 0, second)->address,
                                 expected[i]);
        }
        c = client(3);
        assert_null(offer_to(pool, 2, &c, 0, 0, second));
        pool_free(pool);
}

static void ranges_do_not_lend_each_other(void **state) {
        const struct pool_range ranges[] = { { network + 1, network + 1, network },
                                             { 0x0b000001, 0x0b000001, 0x0b000000 } };
        struct pool *pool = new_pool(1);
        struct pool_client c = client(1);
        struct pool_request there = { .client = &c,
                                      .ranges = (const size_t[]){ 1 },
                                      .n_ranges = 1,
                                      .wanted = network + 1,
                                      .until = second };

        assert_int_equal(pool_configure(pool, ranges, 2, NULL, 0), 0);
        assert_int_equal(bind(pool, 1, 0, 0, second), 1);
        assert_int_equal(pool_offer(pool, &there)->address, 0x0b000001);
        assert_int_equal(pool_at(pool, 0x0b000001)->subnet, 0x0b000000);
        assert_int_equal(expire_all(pool, second), 2);
        assert_int_equal(offer(pool, 2, 0, second), 1);
        assert_int_equal(offer(pool, 3, 0, second), 0); /* though 11.0.0.1 is unused */
        pool_free(pool);
}

static void an_offer_in_vain_is_made_again_before_a_new_address(void **state) {
        struct pool *pool = new_pool(200);

        for (unsigned i = 0; i < 1000; i++) {
                assert_int_equal(offer(pool, i, 0, i * 2 * second), 1);
                assert_int_equal(expire_all(pool, (i * 2 + 1) * second), 1);
        }
        assert_null(at(pool, 2)); /* so memory does not grow with invented clients */
        pool_free(pool);
}

/* The crowd never takes what it is offered; who comes later still gets something. */
static void the_oldest_offer_is_given_away_when_nothing_else_is_left(void **state) {
        struct pool *pool = new_pool(3);
        struct pool_client c = client(9), known = client(1);
        struct pool_request request = { .client = &c,
                                        .ranges = (const size_t[]){ 0 },
                                        .n_ranges = 1,
                                        .until = 60 * second };

        assert_int_equal(bind(pool, 1, 0, 0, 1), 1);
        assert_int_equal(expire_all(pool, 1), 1);
        assert_non_null(offer_to(pool, 1, &known, 0, 1, 10 * second));
        assert_non_null(offer_to(pool, 1, &(struct pool_client){ .mac = client(2).mac },
                                 0, 2, 11 * second));
        assert_non_null(offer_to(pool, 1, &(struct pool_client){ .mac = client(3).mac },
                                 0, 3, 12 * second));
        assert_null(pool_offer(pool, &request));
        request.lapse = 11 * second;
        assert_null(pool_offer(pool, &request));
        /* not that of 1, which is known, nor that of 3, which is younger */
        request.lapse = 11 * second + 1;
        assert_int_equal(pool_offer(pool, &request)->address, network + 2);
        assert_null(find(pool, &(struct pool_client){ .mac = client(2).mac }));
        assert_int_equal(pool_n_offered(pool), 3);
        pool_free(pool);
}

static void offers_are_counted_by_card_and_by_port(void **state) {
        struct pool *pool = new_pool(200);
        struct pool_client c = client(1);
        uint8_t id[4] = { 0xff, 1, 2, 0 };

        c.id = id;
        c.n_id = sizeof(id);
        c.port = 7;
        for (unsigned i = 0; i < 5; i++) {
                id[3] = (uint8_t)i;
                assert_int_equal(pool_n_offered_to(pool, &c), i);
                assert_int_equal(pool_n_offered_at(pool, &c), i);
                assert_non_null(offer_to(pool, 1, &c, 0, 0, second));
                assert_non_null(offer_to(pool, 1, &c, 0, 0, second)); /* again */
        }
        pool_bind(pool, at(pool, 1), 0, second);
        pool_release(pool, at(pool, 2), 0);
        assert_int_equal(pool_n_offered_to(pool, &c), 3);
        assert_int_equal(pool_n_offered_at(pool, &c), 3);
        expire_all(pool, second);
        assert_int_equal(pool_n_offered_to(pool, &c), 0);
        c.port = 0;
        assert_int_equal(pool_n_offered_at(pool, &c), 0);
        pool_free(pool);
}

static void a_name_is_kept_beside_the_identifier(void **state) {
        struct pool *pool = new_pool(9);
        struct pool_client c = client(1);
        struct lease_record record;

        c.id = (const uint8_t *)"\xff\1\2";
        c.n_id = 3;
        assert_non_null(offer_to(pool, 1, &c, 0, 0, second));
        pool_name(pool, at(pool, 1), client(2).mac, "node1");
        pool_bind(pool, at(pool, 1), 5, 7);
        pool_record(at(pool, 1), &record);
        assert_string_equal(record.hostname, "node1");
        assert_memory_equal(record.client_id, "\xff\1\2", 3);
        assert_int_equal(record.n_client_id, 3);
        assert_true(mac_is_equal(record.mac, client(2).mac));
        assert_true(record.starts == 5 && record.ends == 7);
        assert_int_equal(record.state, LEASE_BOUND);
        assert_ptr_equal(find(pool, &c), at(pool, 1));
        pool_name(pool, at(pool, 1), client(2).mac, "");
        pool_record(at(pool, 1), &record);
        assert_string_equal(record.hostname, "");
        assert_int_equal(record.n_client_id, 3);
        pool_free(pool);
}

/* Was: the lease ended between the offer and the request, another client was offered
 * the address, and the first was refused what it had just been offered. */
static void an_offer_of_a_lease_about_to_end_is_not_given_away(void **state) {
        struct pool *pool = new_pool(1);
        struct pool_client c = client(1);

        assert_int_equal(bind(pool, 1, 0, 0, 10 * second), 1);
        assert_non_null(offer_to(pool, 1, &c, 0, 10 * second - 1, 20 * second));
        expire_all(pool, 10 * second);
        assert_int_equal(offer(pool, 2, 0, 11 * second), 0);
        pool_free(pool);
}

struct count {
        size_t n;
        ip4_t sum;
};

static void count_one(const struct pool_binding *binding, void *userdata) {
        struct count *count = userdata;

        count->n++;
        count->sum += binding->address - network;
}

static void leases_are_listed_in_pages_by_address(void **state) {
        static const unsigned order[] = { 130, 7, 64, 63, 1, 128, 65, 200 };
        struct pool *pool = new_pool(200);
        struct count count = { 0 };

        for (unsigned i = 0; i < ARRAY_SIZE(order); i++)
                assert_int_equal(bind(pool, i, order[i], 0, second), order[i]);
        assert_int_equal(offer(pool, 99, 2, 0), 2); /* the disk knows nothing of it */
        assert_int_equal(pool_page(pool, 0, 3, count_one, &count), 3);
        assert_int_equal(count.sum, 1 + 7 + 63);
        assert_int_equal(pool_page(pool, network + 63, 3, count_one, &count), 3);
        assert_int_equal(count.sum, 1 + 7 + 63 + 64 + 65 + 128);
        assert_int_equal(pool_page(pool, network + 128, 3, count_one, &count), 2);
        assert_int_equal(pool_page(pool, network + 200, 3, count_one, &count), 0);
        assert_int_equal(count.n, 8);
        pool_free(pool);
}

static void each_binding_is_visited_once(void **state) {
        struct pool *pool = new_pool(200);
        struct count count = { 0 };

        for (unsigned i = 0; i < 200; i++)
                offer(pool, i, 0, 0);
        pool_each(pool, count_one, &count);
        assert_int_equal(count.n, 200);
        assert_int_equal(count.sum, 200 * 201 / 2);
        pool_free(pool);
        assert_null(pool_free(NULL));
}

static void a_lease_as_json(void **state) {
        struct lease_record lease = { .address = 0xc0a8010a,
                                      .mac = { { 0x52, 0x54, 0, 0x12, 0x34, 0x56 } },
                                      .n_client_id = 3,
                                      .client_id = { 0xff, 0, 0x1a },
                                      .hostname = "a\"b\x1b\xff",
                                      .starts = 1000 * NSEC_PER_SEC,
                                      .ends = NSEC_NEVER,
                                      .subnet = 0xc0a80100 };
        struct text out = { 0 };

        lease_json(&lease, &out);
        assert_string_equal(text_string(&out),
                            "{\"address\":\"192.168.1.10\","
                            "\"mac\":\"52:54:00:12:34:56\",\"client_id\":\"ff001a\","
                            "\"hostname\":\"a\\\"b\\u001b\xef\xbf\xbd\","
                            "\"state\":\"bound\",\"starts\":1000,\"ends\":null,"
                            "\"subnet\":\"192.168.1.0\"}");
        text_done(&out);
        lease = (struct lease_record){ .state = LEASE_EXPIRED };
        lease_json(&lease, &out);
        assert_string_equal(
                text_string(&out),
                "{\"address\":\"0.0.0.0\",\"mac\":\"00:00:00:00:00:00\","
                "\"client_id\":null,\"hostname\":\"\",\"state\":\"expired\","
                "\"starts\":0,\"ends\":0,\"subnet\":\"0.0.0.0\"}");
        text_done(&out);
}

static void states_of_a_lease_have_names(void **state) {
        for (unsigned i = LEASE_BOUND; i <= LEASE_EXPIRED; i++) {
                enum lease_state parsed;

                assert_true(lease_state_parse(lease_state_name((enum lease_state)i),
                                              &parsed));
                assert_int_equal(parsed, i);
        }
        assert_false(lease_state_parse("unknown", &(enum lease_state){ 0 }));
        assert_string_equal(lease_state_name((enum lease_state)4), "unknown");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_own_address_comes_first),
                cmocka_unit_test(then_the_wanted_one_if_it_may_have_it),
                cmocka_unit_test(then_one_never_given_then_the_longest_unused),
                cmocka_unit_test(an_address_taken_over_is_no_longer_the_others),
                cmocka_unit_test(a_reserved_address_is_only_taken_by_name),
                cmocka_unit_test(a_declined_address_rests_also_for_who_declined_it),
                cmocka_unit_test(ends_come_in_their_order),
                cmocka_unit_test(an_identifier_that_is_the_mac_is_the_mac),
                cmocka_unit_test(an_identifier_counts_more_than_the_mac),
                cmocka_unit_test(a_full_pool_stays_consistent_with_thousands),
                cmocka_unit_test(what_is_loaded_is_as_it_was),
                cmocka_unit_test(another_configuration_leaves_bindings_alone),
                cmocka_unit_test(a_subnet_that_is_gone_has_no_addresses),
                cmocka_unit_test(ranges_are_walked_to_the_last_address_there_is),
                cmocka_unit_test(ranges_do_not_lend_each_other),
                cmocka_unit_test(an_offer_in_vain_is_made_again_before_a_new_address),
                cmocka_unit_test(
                        the_oldest_offer_is_given_away_when_nothing_else_is_left),
                cmocka_unit_test(offers_are_counted_by_card_and_by_port),
                cmocka_unit_test(a_name_is_kept_beside_the_identifier),
                cmocka_unit_test(leases_are_listed_in_pages_by_address),
                cmocka_unit_test(an_offer_of_a_lease_about_to_end_is_not_given_away),
                cmocka_unit_test(each_binding_is_visited_once),
                cmocka_unit_test(a_lease_as_json),
                cmocka_unit_test(states_of_a_lease_have_names),
        };
        return check_run("lease/pool", tests);
}
