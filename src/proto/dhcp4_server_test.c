/*
 * What single messages leave behind in the DHCP server. Whole conversations are in
 * test/story.
 */
#include "proto/dhcp4_server.h"

#include "test/check.h"
#include "wire/dhcp4.h"

#define NET(d) (0xc0a80000u + (d)) /* 192.168.0.0/16 */

enum { WIRE = 2, LISTED_MAX = 8 };

static const ip4_t us = NET(1);

struct world {
        struct dhcp4_server *server;
        nsec_t now;
        struct dhcp4_actions actions;
        struct dhcp4_message answer;
        struct lease_record kept; /* the last PERSIST */
};

static struct world *new_world(ip4_t first, ip4_t last) {
        static const struct dhcp4_interface interface = { "wire0", WIRE, NET(1),
                                                          0xffff0000 };
        static struct scope_pool pool;
        const struct scope_subnet subnet = {
                .network = NET(0),
                .mask = 0xffff0000,
                .pools = &pool,
                .n_pools = 1,
                .scope = { .lease_time = 3600 * NSEC_PER_SEC,
                           .max_lease_time = 3600 * NSEC_PER_SEC }
        };
        static struct scope_subnet kept;
        const struct dhcp4_config config = { .authoritative = true,
                                             .decline_time = 3600 * NSEC_PER_SEC,
                                             .offer_time = 60 * NSEC_PER_SEC,
                                             .interfaces = &interface,
                                             .n_interfaces = 1,
                                             .subnets = &kept,
                                             .n_subnets = 1,
                                             .rules = { .loaders = UINT32_MAX,
                                                        .http_port = 80 } };
        struct world *w = test_calloc(1, sizeof(*w));

        pool = (struct scope_pool){ .first = first, .last = last };
        kept = subnet;
        w->now = 1700000000 * NSEC_PER_SEC;
        assert_int_equal(dhcp4_server_new(&config, &w->server), 0);
        return w;
}

static void world_free(struct world *w) {
        dhcp4_server_free(w->server);
        test_free(w);
}

struct asking {
        enum dhcp4_type type;
        unsigned card;
        ip4_t ciaddr, wanted, server;
        const char *id;
};

static size_t build(const struct asking *a, uint8_t *bytes, size_t n) {
        struct dhcp4_message head = {
                .op = DHCP4_BOOTREQUEST, .htype = 1, .hlen = 6, .ciaddr = a->ciaddr
        };
        struct writer w = writer_of(bytes, n);
        uint8_t type = (uint8_t)a->type;

        head.chaddr[0] = 2;
        store_be32(head.chaddr + 2, a->card);
        dhcp4_build_head(&w, &head);
        dhcp4_build_option(&w, DHCP4_MESSAGE_TYPE, &type, 1);
        if (a->wanted)
                dhcp4_build_be32(&w, DHCP4_REQUESTED_ADDRESS, a->wanted);
        if (a->server)
                dhcp4_build_be32(&w, DHCP4_SERVER_ID, a->server);
        if (a->id)
                dhcp4_build_option(&w, DHCP4_CLIENT_ID, a->id, strlen(a->id));
        dhcp4_build_end(&w);
        assert_false(w.failed);
        return w.at;
}

/* The address in the answer; 0 without an answer. */
static ip4_t say(struct world *w, const struct asking *a) {
        uint8_t bytes[600];
        const struct dhcp4_received received = { .data = bytes,
                                                 .n = build(a, bytes, sizeof(bytes)),
                                                 .ifindex = WIRE,
                                                 .from = a->ciaddr,
                                                 .to = UINT32_MAX,
                                                 .from_port = DHCP4_CLIENT_PORT,
                                                 .port = DHCP4_SERVER_PORT,
                                                 .now = w->now };

        dhcp4_server_recv(w->server, &received, &w->actions);
        memset(&w->answer, 0, sizeof(w->answer));
        for (size_t i = 0; i < w->actions.n; i++) {
                const struct dhcp4_action *action = &w->actions.items[i];

                if (action->kind == DHCP4_PERSIST)
                        w->kept = action->record;
                if (action->kind == DHCP4_SEND)
                        assert_int_equal(dhcp4_parse(action->send.data, action->send.n,
                                                     &w->answer),
                                         DHCP4_OK);
        }
        return w->answer.yiaddr;
}

static ip4_t discover(struct world *w, unsigned card) {
        return say(w, &(struct asking){ .type = DHCP4_DISCOVER, .card = card });
}

static ip4_t request(struct world *w, unsigned card, ip4_t wanted, ip4_t server) {
        return say(w, &(struct asking){ .type = DHCP4_REQUEST,
                                        .card = card,
                                        .wanted = wanted,
                                        .server = server });
}

static void release(struct world *w, unsigned card, ip4_t address) {
        say(w,
            &(struct asking){ .type = DHCP4_RELEASE, .card = card, .ciaddr = address });
}

static void pass(struct world *w, unsigned seconds) {
        w->now += seconds * NSEC_PER_SEC;
        while (dhcp4_server_next(w->server) <= w->now)
                dhcp4_server_tick(w->server, w->now, &w->actions);
}

struct listed {
        struct lease_record leases[LISTED_MAX];
        size_t n;
};

static void list_one(const struct lease_record *lease, void *userdata) {
        struct listed *listed = userdata;

        assert_true(listed->n < LISTED_MAX);
        listed->leases[listed->n++] = *lease;
}

/* Just what went to the disk last, or nothing. */
static void assert_listed(const struct world *w, bool is_listed) {
        struct listed listed = { .n = 0 };

        dhcp4_server_leases(w->server, list_one, &listed);
        assert_int_equal(listed.n, is_listed);
        if (!is_listed)
                return;
        assert_int_equal(listed.leases[0].state, w->kept.state);
        assert_memory_equal(listed.leases[0].mac.b, w->kept.mac.b, 6);
        assert_true(listed.leases[0].starts == w->kept.starts);
        assert_true(listed.leases[0].ends == w->kept.ends);
}

/* Was: listed as an expired lease of the client that it was only offered to. */
static void an_offer_was_listed_as_a_lease_that_never_was(void **state) {
        struct world *w = new_world(NET(10), NET(10));

        discover(w, 1);
        assert_listed(w, false);
        assert_int_equal(request(w, 1, NET(10), us), NET(10));
        assert_listed(w, true);
        release(w, 1, NET(10));
        assert_listed(w, true);
        assert_int_equal(discover(w, 1), NET(10)); /* its own again */
        assert_listed(w, true);
        request(w, 1, NET(10), us + 1); /* but it takes another server's */
        assert_listed(w, true);
        assert_int_equal(discover(w, 1), NET(10));
        pass(w, 61);
        assert_listed(w, true);
        assert_int_equal(discover(w, 2), NET(10)); /* now it is another's */
        assert_listed(w, false);
        pass(w, 61);
        assert_listed(w, false);
        discover(w, 2);
        assert_int_equal(request(w, 2, NET(10), us), NET(10));
        assert_listed(w, true);
        world_free(w);
}

/* Was: a machine that keeps its identifier and changes its card, as in a dock, was
 * known by the card that it had first. */
static void a_lease_was_kept_under_the_card_before(void **state) {
        struct world *w = new_world(NET(10), NET(19));

        for (unsigned card = 1; card < 3; card++) {
                struct asking a = { .type = DHCP4_DISCOVER,
                                    .card = card,
                                    .id = "laptop" };

                assert_int_equal(say(w, &a), NET(10));
                a.type = DHCP4_REQUEST;
                a.wanted = NET(10);
                a.server = us;
                assert_int_equal(say(w, &a), NET(10));
                assert_int_equal(w->kept.mac.b[5], card);
        }
        world_free(w);
}

/* What a function finds on its stack is what was left there. */
static __attribute__((noinline)) uint8_t leave_behind(uint8_t what) {
        volatile uint8_t rubbish[64 << 10];

        for (size_t i = 0; i < sizeof(rubbish); i++)
                rubbish[i] = what;
        return rubbish[what];
}

/* Was: the delay of a NAK to a machine that asks for an address of another network was
 * what happened to be on the stack, often for ever. */
static void a_nak_waited_for_as_long_as_the_stack_said(void **state) {
        struct world *w = new_world(NET(10), NET(19));
        bool has_nak = false;

        assert_int_equal(leave_behind(0x11), 0x11);
        request(w, 1, 0x0a000001, 0);
        for (size_t i = 0; i < w->actions.n; i++)
                if (w->actions.items[i].kind == DHCP4_SEND) {
                        assert_int_equal(w->actions.items[i].send.delay, 0);
                        has_nak = true;
                }
        assert_true(has_nak);
        world_free(w);
}

/* Was: whoever had been offered something once was counted no more. */
static void offers_that_lapsed_opened_the_cap(void **state) {
        struct world *w = new_world(NET(256), NET(65000));
        const unsigned crowd = 100000;
        ip4_t known;

        known = discover(w, 1);
        assert_int_equal(request(w, 1, known, us), known);
        release(w, 1, known);

        for (unsigned i = 0; i < DHCP4_OFFERS_MAX; i++)
                assert_true(discover(w, crowd + i));
        assert_int_equal(discover(w, 2 * crowd), 0);
        assert_true(discover(w, crowd)); /* asking again is no other offer */
        pass(w, 61);
        for (unsigned i = 0; i < DHCP4_OFFERS_MAX; i++)
                assert_true(discover(w, 2 * crowd + i));
        assert_int_equal(discover(w, crowd), 0);
        /* who has had a lease is no invention */
        assert_int_equal(discover(w, 1), known);
        world_free(w);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_offer_was_listed_as_a_lease_that_never_was),
                cmocka_unit_test(a_lease_was_kept_under_the_card_before),
                cmocka_unit_test(a_nak_waited_for_as_long_as_the_stack_said),
                cmocka_unit_test(offers_that_lapsed_opened_the_cap),
        };

        return check_run("proto/dhcp4_server", tests);
}
