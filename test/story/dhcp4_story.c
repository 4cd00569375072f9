/*
 * Whole DHCP conversations in virtual time: a lease's life, hosts, BOOTP, routes, what
 * firmware is told, crowds.
 */
#include "test/story/dhcp4_world.h"

#include <stdlib.h>

static const uint8_t zeros[1024];

/* ---- a lease's life ---- */

/* RFC 2131 table 3: what an OFFER and an ACK say. */
static void discover_offer_request_ack(void **state) {
        struct world *w = new_started();
        const struct event *bound;

        assert_int_equal(discover(w, 1, 0), DHCP4_OFFER);
        assert_int_equal(w->answer.yiaddr, NET(10));
        assert_int_equal(w->n_disk, 0); /* an offer costs the disk nothing */
        assert_non_null(find_event(w, EVENT_DHCP_RECEIVED));
        assert_non_null(find_event(w, EVENT_DHCP_SENT));
        assert_null(find_event(w, EVENT_BOOT_DECIDED));
        assert_int_equal(dhcp4_option_be32(&w->answer, DHCP4_LEASE_TIME), 3600);
        assert_int_equal(dhcp4_option_be32(&w->answer, DHCP4_RENEWAL_TIME), 1800);
        assert_int_equal(dhcp4_option_be32(&w->answer, DHCP4_REBINDING_TIME), 3150);
        assert_int_equal(dhcp4_option_be32(&w->answer, DHCP4_SUBNET_MASK), 0xffffff00);
        assert_int_equal(dhcp4_option_be32(&w->answer, DHCP4_ROUTERS), NET(254));
        assert_int_equal(w->answer.file[0], 0);
        assert_false(w->answer.has[DHCP4_BOOT_FILE]);
        assert_false(w->answer.has[DHCP4_VENDOR_CLASS]);

        assert_int_equal(request(w, 1, NET(10)), DHCP4_ACK);
        assert_int_equal(w->answer.yiaddr, NET(10));
        assert_int_equal(dhcp4_option_be32(&w->answer, DHCP4_LEASE_TIME), 3600);
        assert_int_equal(w->n_disk, 1);
        assert_true(w->disk[0].ends == w->now + 3600 SECONDS);
        bound = find_event(w, EVENT_LEASE_BOUND);
        assert_non_null(bound);
        assert_int_equal(bound->address, NET(10));

        pass(w, 3600 SECONDS);
        assert_non_null(find_event(w, EVENT_LEASE_EXPIRED));
        assert_int_equal(w->disk[0].state, LEASE_EXPIRED);
        assert_true(dhcp4_server_next(w->server) == NSEC_NEVER);
        world_free(w);
}

static void a_lost_offer_and_a_second_discover_keep_the_address(void **state) {
        struct world *w = new_started();

        assert_int_equal(discover(w, 1, 0), DHCP4_OFFER);
        assert_int_equal(w->answer.yiaddr, NET(10));
        assert_int_equal(discover(w, 2, 0), DHCP4_OFFER);
        assert_int_equal(w->answer.yiaddr, NET(11));
        for (unsigned i = 0; i < 5; i++) {
                pass(w, (4u << i) SECONDS);
                assert_int_equal(discover(w, 1, 0), DHCP4_OFFER);
                assert_int_equal(w->answer.yiaddr, NET(10));
        }
        assert_int_equal(request(w, 1, NET(10)), DHCP4_ACK);
        world_free(w);
}

static void a_request_heard_twice_is_acknowledged_twice(void **state) {
        struct world *w = new_started();
        ip4_t address = dora(w, 1);

        assert_int_equal(request(w, 1, address), DHCP4_ACK);
        assert_int_equal(w->answer.yiaddr, address);
        pass(w, 1 SECONDS);
        assert_int_equal(request(w, 1, address), DHCP4_ACK);
        assert_int_equal(w->n_disk, 1);
        world_free(w);
}

static void an_offer_that_lapsed_is_still_honoured_if_free(void **state) {
        struct world *w = new_started();

        assert_int_equal(discover(w, 1, 0), DHCP4_OFFER);
        pass(w, 300 SECONDS);
        assert_int_equal(request(w, 1, NET(10)), DHCP4_ACK);
        assert_int_equal(request(w, 2, NET(10)), DHCP4_NAK);
        world_free(w);
}

static void who_takes_another_servers_offer_frees_ours(void **state) {
        struct world *w = new_world();

        w->near[0].last = NET(10);
        world_start(w);
        assert_int_equal(discover(w, 1, 0), DHCP4_OFFER);
        assert_int_equal(discover(w, 2, 0), -1);
        assert_int_equal(say(w, &(struct asking){ .type = DHCP4_REQUEST,
                                                  .client = 1,
                                                  .wanted = NET(200),
                                                  .server = NET(2) }),
                         -1);
        assert_non_null(find_event(w, EVENT_DHCP_SILENT));
        assert_int_equal(dora(w, 2), NET(10));
        assert_int_equal(w->n_disk, 1);
        world_free(w);
}

/* RFC 2131 table 3: a NAK says nothing but why. RFC 2131 4.3.6: by option 50 alone it
 * is INIT-REBOOT. */
static void a_reboot_on_the_wrong_net_is_refused(void **state) {
        struct world *w = new_started();

        assert_int_equal(init_reboot(w, 1, FAR(10)), DHCP4_NAK);
        assert_int_equal(w->send->how, DHCP4_BROADCAST);
        assert_int_equal(w->answer.yiaddr, 0);
        assert_int_equal(w->answer.siaddr, 0);
        assert_true(w->answer.has[DHCP4_ERROR_TEXT]);
        assert_false(w->answer.has[DHCP4_LEASE_TIME]);
        assert_false(w->answer.has[DHCP4_SUBNET_MASK]);
        w->config.authoritative = false;
        world_reload(w);
        assert_int_equal(init_reboot(w, 1, FAR(10)), -1);
        assert_non_null(find_event(w, EVENT_DHCP_SILENT));
        world_free(w);
}

static void a_reboot_on_the_right_net_gets_its_address(void **state) {
        struct world *w = new_started();
        ip4_t address = dora(w, 1);

        assert_int_equal(init_reboot(w, 1, address), DHCP4_ACK);
        assert_int_equal(init_reboot(w, 2, address), DHCP4_NAK);
        /* RFC 2131 4.3.2: without a record of that client, silence; an authoritative
         * server adopts it */
        assert_int_equal(init_reboot(w, 3, NET(15)), DHCP4_ACK);
        w->config.authoritative = false;
        world_reload(w);
        assert_int_equal(init_reboot(w, 4, NET(16)), -1);
        assert_int_equal(init_reboot(w, 1, address), DHCP4_ACK);
        world_free(w);
}

/* RFC 2131 4.3.6: RENEWING and REBINDING by ciaddr. */
static void a_renewal_is_unicast_to_ciaddr(void **state) {
        struct world *w = new_started();
        ip4_t address = dora(w, 1);

        pass(w, 1800 SECONDS);
        assert_int_equal(renew(w, 1, address), DHCP4_ACK);
        assert_int_equal(w->send->how, DHCP4_UNICAST);
        assert_int_equal(w->send->to, address);
        assert_int_equal(w->send->port, DHCP4_CLIENT_PORT);
        assert_int_equal(w->answer.ciaddr, address);
        assert_true(w->disk[0].ends == w->now + 3600 SECONDS);
        pass(w, 1801 SECONDS);
        assert_int_equal(w->disk[0].state, LEASE_BOUND);
        /* REBINDING: the same by broadcast */
        assert_int_equal(say(w, &(struct asking){ .type = DHCP4_REQUEST,
                                                  .client = 1,
                                                  .ciaddr = address }),
                         DHCP4_ACK);
        world_free(w);
}

/* RFC 2131 4.3.4 */
static void a_released_address_waits_for_its_client(void **state) {
        struct world *w = new_started();
        ip4_t address;

        assert_int_equal(dora(w, 9), NET(10));
        address = dora(w, 1);
        assert_int_equal(release(w, 1, address), -1);
        assert_non_null(find_event(w, EVENT_LEASE_RELEASED));
        assert_int_equal(w->disk[1].state, LEASE_RELEASED);
        assert_int_equal(dora(w, 2), NET(12));
        pass(w, 86400 SECONDS);
        assert_int_equal(dora(w, 1), address);
        /* not by others */
        assert_int_equal(release(w, 2, address), -1);
        assert_null(find_event(w, EVENT_LEASE_RELEASED));
        assert_int_equal(w->disk[1].state, LEASE_BOUND);
        world_free(w);
}

/* RFC 2131 4.3.3 */
static void a_declined_address_rests_and_another_is_given(void **state) {
        struct world *w = new_world();

        w->near[0].last = NET(11);
        world_start(w);
        assert_int_equal(dora(w, 1), NET(10));
        assert_int_equal(decline(w, 2, NET(10)), -1); /* not his to decline */
        assert_null(find_event(w, EVENT_LEASE_DECLINED));
        assert_int_equal(decline(w, 1, NET(10)), -1);
        assert_non_null(find_event(w, EVENT_LEASE_DECLINED));
        assert_int_equal(w->disk[0].state, LEASE_DECLINED);
        assert_int_equal(dora(w, 1), NET(11));
        assert_int_equal(dora(w, 2), 0);
        assert_int_equal(init_reboot(w, 2, NET(10)), DHCP4_NAK);
        world_restart(w); /* it rests on */
        assert_int_equal(dora(w, 2), 0);
        pass(w, 86400 SECONDS);
        assert_int_equal(init_reboot(w, 2, NET(10)), DHCP4_ACK);
        world_free(w);
}

static void an_exhausted_pool_says_so_and_recovers(void **state) {
        struct world *w = new_world();

        w->near[0].last = NET(11);
        world_start(w);
        assert_int_equal(dora(w, 1), NET(10));
        assert_int_equal(dora(w, 2), NET(11));
        assert_int_equal(discover(w, 3, 0), -1);
        assert_non_null(find_event(w, EVENT_POOL_EXHAUSTED));
        pass(w, 1800 SECONDS);
        assert_int_equal(renew(w, 2, NET(11)), DHCP4_ACK);
        pass(w, 1801 SECONDS);
        assert_int_equal(dora(w, 3), NET(10));
        assert_int_equal(discover(w, 1, 0), -1);
        world_free(w);
}

/* RFC 2131 4.3.1 */
static void a_client_may_ask_for_a_time_within_bounds(void **state) {
        static const struct {
                uint32_t asked, given;
        } rows[] = { { 0, 3600 },    { 1, 60 },           { 600, 600 },
                     { 7200, 7200 }, { 86400, 7200 },     { UINT32_MAX, 7200 },
                     { 3600, 3600 }, { 0x7fffffff, 7200 } };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct world *w = new_started();

                assert_int_equal(
                        say(w, &(struct asking){ .type = DHCP4_DISCOVER,
                                                 .lease_time = rows[i].asked }),
                        DHCP4_OFFER);
                assert_int_equal(dhcp4_option_be32(&w->answer, DHCP4_LEASE_TIME),
                                 rows[i].given);
                world_free(w);
        }
}

static void leases_for_ever_are_possible(void **state) {
        struct world *w = new_world();

        w->subnets[0].scope.lease_time = w->subnets[0].scope.max_lease_time =
                NSEC_NEVER;
        world_start(w);
        assert_int_equal(dora(w, 1), NET(10));
        assert_int_equal(dhcp4_option_be32(&w->answer, DHCP4_LEASE_TIME), UINT32_MAX);
        assert_true(dhcp4_server_next(w->server) == NSEC_NEVER);
        world_free(w);
}

static void leases_outlive_a_restart(void **state) {
        struct world *w = new_started();

        for (unsigned i = 1; i <= 5; i++)
                assert_int_equal(dora(w, i), NET(9 + i));
        release(w, 2, NET(11));
        world_restart(w);
        assert_int_equal(renew(w, 1, NET(10)), DHCP4_ACK);
        assert_int_equal(dora(w, 9), NET(15));
        assert_int_equal(dora(w, 2), NET(11));
        assert_int_equal(init_reboot(w, 9, NET(12)), DHCP4_NAK);
        /* what ended while nobody was there ends at the first tick */
        w->now += 7200 SECONDS;
        world_restart(w);
        assert_true(dhcp4_server_next(w->server) <= w->now);
        pass(w, 0);
        for (size_t i = 0; i < w->n_disk; i++)
                assert_int_equal(w->disk[i].state, LEASE_EXPIRED);
        world_free(w);
}

static void a_smaller_pool_leaves_the_leases_it_gave(void **state) {
        struct world *w = new_started();

        assert_int_equal(dora(w, 1), NET(10));
        assert_int_equal(dora(w, 2), NET(11));
        w->near[0].last = NET(10);
        world_reload(w);
        assert_int_equal(renew(w, 2, NET(11)), DHCP4_ACK);
        assert_int_equal(init_reboot(w, 2, NET(11)), DHCP4_ACK);
        assert_int_equal(dora(w, 3), 0);
        release(w, 2, NET(11));
        assert_int_equal(dora(w, 3), 0);
        assert_int_equal(init_reboot(w, 3, NET(11)), DHCP4_NAK);
        world_free(w);
}

/* Was: its ACK lost, the client went on to the end it knew, and the address was given
 * to another before. */
static void a_renewal_for_less_ended_what_was_promised(void **state) {
        struct world *w = new_started();
        ip4_t address = dora(w, 1);
        nsec_t ends = w->disk[0].ends;

        w->subnets[0].scope.lease_time = 300 SECONDS;
        world_reload(w);
        pass(w, 10 SECONDS);
        assert_int_equal(renew(w, 1, address), DHCP4_ACK);
        assert_int_equal(dhcp4_option_be32(&w->answer, DHCP4_LEASE_TIME), 300);
        assert_true(w->disk[0].ends == ends);
        world_free(w);
}

/* Was: acknowledged, and from then on renewed for ever. */
static void an_offer_from_a_pool_that_is_gone_was_honoured(void **state) {
        struct world *w = new_started();

        assert_int_equal(discover(w, 1, 0), DHCP4_OFFER);
        w->near[0].first = NET(15);
        world_reload(w);
        assert_int_equal(request(w, 1, NET(10)), DHCP4_NAK);
        assert_int_equal(dora(w, 1), NET(15));
        world_free(w);
}

/* RFC 6842 3, RFC 4361: an identifier that is not the MAC is another client. */
static void firmware_and_installer_are_one_client(void **state) {
        struct world *w = new_started();
        ip4_t address = dora(w, 1);

        assert_int_equal(say(w, &(struct asking){ .type = DHCP4_DISCOVER,
                                                  .client = 1,
                                                  .id = "\1\x52\x54\0\0\0\1",
                                                  .n_id = 7 }),
                         DHCP4_OFFER);
        assert_int_equal(w->answer.yiaddr, address);
        /* RFC 6842 */
        assert_true(answer_has(w, DHCP4_CLIENT_ID, "\1\x52\x54\0\0\0\1", 7));
        world_free(w);
}

/* ---- hosts ---- */

static struct world *new_world_with_host(void) {
        struct world *w = new_world();

        w->hosts[0] = (struct scope_host){ .mac = mac_of(7),
                                           .address = NET(12),
                                           .hostname = "printer" };
        w->config.n_hosts = 1;
        return w;
}

static void a_host_gets_its_own_address_and_nobody_else_does(void **state) {
        struct world *w = new_world_with_host();

        w->near[0].last = NET(12);
        world_start(w);
        assert_int_equal(discover(w, 1, NET(12)), DHCP4_OFFER);
        assert_int_equal(w->answer.yiaddr, NET(10));
        assert_int_equal(init_reboot(w, 1, NET(12)), DHCP4_NAK);
        assert_int_equal(dora(w, 2), NET(11));
        assert_int_equal(discover(w, 3, 0), -1);
        assert_int_equal(discover(w, 7, NET(10)), DHCP4_OFFER);
        assert_int_equal(w->answer.yiaddr, NET(12));
        assert_true(answer_has(w, DHCP4_HOST_NAME, "printer", 7));
        assert_int_equal(dora(w, 7), NET(12));
        assert_int_equal(request(w, 7, NET(10)), DHCP4_NAK);
        assert_int_equal(init_reboot(w, 7, NET(12)), DHCP4_ACK);
        world_free(w);
}

/* Was: the reservation is by MAC, but its lease was the client identifier's, so that
 * the installed system could not have the address that its firmware had leased. */
static void a_hosts_address_was_lost_to_its_other_identifier(void **state) {
        static const char *const ids[] = { "", "\xff\1\2\3\4\5", "\1\x52\x54\0\0\0\7" };
        struct world *w = new_world_with_host();

        world_start(w);
        for (size_t i = 0; i < 3; i++) {
                struct asking a = { .type = DHCP4_DISCOVER,
                                    .client = 7,
                                    .id = ids[i],
                                    .n_id = (uint8_t)(i == 0   ? 0
                                                      : i == 1 ? 6
                                                               : 7) };

                assert_int_equal(say(w, &a), DHCP4_OFFER);
                assert_int_equal(w->answer.yiaddr, NET(12));
                a.type = DHCP4_REQUEST;
                a.wanted = NET(12);
                a.server = us;
                assert_int_equal(say(w, &a), DHCP4_ACK);
                world_restart(w);
        }
        world_free(w);
}

/* Was: also a lease from before the reservation kept it from its own machine. */
static void a_reservation_made_later_was_lost_to_the_lease_before(void **state) {
        struct world *w = new_world_with_host();
        struct asking a = { .type = DHCP4_DISCOVER,
                            .client = 7,
                            .id = "\xff\1\2\3\4\5",
                            .n_id = 6,
                            .wanted = NET(12) };

        w->config.n_hosts = 0;
        world_start(w);
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        a.type = DHCP4_REQUEST;
        a.server = us;
        assert_int_equal(say(w, &a), DHCP4_ACK);
        w->config.n_hosts = 1;
        world_reload(w);
        assert_int_equal(dora(w, 7), NET(12));
        a.server = 0;
        assert_int_equal(say(w, &a), DHCP4_ACK);
        world_free(w);
}

/* Was: given to the card as its host, renewed under the identifier, and refused as
 * another client's when the host was no longer configured. */
static void a_lease_was_lost_with_its_reservation(void **state) {
        struct world *w = new_world_with_host();
        struct asking a = { .type = DHCP4_REQUEST,
                            .client = 7,
                            .id = "\xff\1\2\3\4\5",
                            .n_id = 6,
                            .wanted = NET(12) };

        world_start(w);
        assert_int_equal(say(w, &a), DHCP4_ACK);
        w->config.n_hosts = 0;
        world_reload(w);
        assert_int_equal(say(w, &a), DHCP4_ACK);
        a.client = 8; /* the identifier under another card is somebody else */
        assert_int_equal(say(w, &a), DHCP4_NAK);
        world_free(w);
}

/* Was: whoever held the address when it was reserved could renew it for ever. */
static void an_address_reserved_for_another_was_renewed_for_ever(void **state) {
        struct world *w = new_world_with_host();

        w->config.n_hosts = 0;
        world_start(w);
        discover(w, 1, NET(12));
        assert_int_equal(request(w, 1, NET(12)), DHCP4_ACK);
        w->config.n_hosts = 1;
        world_reload(w);
        assert_int_equal(discover(w, 7, 0), -1);
        assert_non_null(find_event(w, EVENT_DHCP_SILENT));
        assert_null(find_event(w, EVENT_POOL_EXHAUSTED));
        assert_int_equal(renew(w, 1, NET(12)), DHCP4_NAK);
        assert_int_equal(dora(w, 1), NET(10));
        pass(w, 3600 SECONDS);
        assert_int_equal(dora(w, 7), NET(12));
        world_free(w);
}

/* ---- BOOTP ---- */

static void bootp_is_answered_only_where_it_is_allowed(void **state) {
        struct world *w = new_world_with_host();
        struct asking a = { .type = DHCP4_BOOTP, .client = 1 };

        world_start(w);
        assert_int_equal(say(w, &a), -1);
        assert_non_null(find_event(w, EVENT_DHCP_SILENT));
        /* a host has its address by name */
        a.client = 7;
        assert_int_equal(say(w, &a), DHCP4_BOOTP);
        assert_int_equal(w->answer.yiaddr, NET(12));
        w->subnets[0].bootp = true;
        world_reload(w);
        a.client = 1;
        assert_int_equal(say(w, &a), DHCP4_BOOTP);
        assert_int_equal(w->answer.yiaddr, NET(10));
        assert_false(w->answer.has[DHCP4_MESSAGE_TYPE]);
        assert_false(w->answer.has[DHCP4_SERVER_ID]);
        assert_false(w->answer.has[DHCP4_LEASE_TIME]);
        assert_true(w->answer.has[DHCP4_SUBNET_MASK]);
        pass(w, 365 * 86400 SECONDS);
        assert_int_equal(w->disk[1].state, LEASE_BOUND); /* for ever */
        assert_int_equal(say(w, &a), DHCP4_BOOTP);
        assert_int_equal(w->answer.yiaddr, NET(10));
        world_free(w);
}

static void bootp_gets_the_configured_file(void **state) {
        struct world *w = new_world();

        w->subnets[0].bootp = true;
        w->subnets[0].scope.filename = "vmunix";
        w->subnets[0].scope.next_server = NET(3);
        world_start(w);
        assert_int_equal(say(w, &(struct asking){ .type = DHCP4_BOOTP }), DHCP4_BOOTP);
        assert_string_equal(w->answer.file, "vmunix");
        assert_int_equal(w->answer.siaddr, NET(3));
        world_free(w);
}

/* ---- relays ---- */

/* The option that stands before the END. */
static unsigned last_code(const struct world *w) {
        struct reader r = reader_of(w->send->data, w->send->n);
        unsigned last = 0, code;

        (void)reader_span(&r, DHCP4_HEADER + 4);
        while ((code = reader_u8(&r)) != DHCP4_END && !r.failed) {
                last = code;
                (void)reader_span(&r, reader_u8(&r));
        }
        assert_false(r.failed);
        return last;
}

/* RFC 3046 2.2, RFC 1542 5.4 */
static void a_relay_is_answered_at_its_server_port(void **state) {
        static const char relay[] = "\1\4eth0\2\6\x52\x54\0\0\0\1";
        struct world *w = new_started();
        struct asking a = { .type = DHCP4_DISCOVER,
                            .client = 1,
                            .giaddr = FAR(1),
                            .to = us,
                            .relay = relay,
                            .n_relay = sizeof(relay) - 1 };

        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_int_equal(w->send->how, DHCP4_UNICAST);
        assert_int_equal(w->send->to, FAR(1));
        assert_int_equal(w->send->port, DHCP4_SERVER_PORT);
        assert_int_equal(w->answer.giaddr, FAR(1));
        assert_int_equal(w->answer.yiaddr, FAR(10));
        assert_int_equal(last_code(w), DHCP4_RELAY_INFORMATION);
        assert_true(answer_has(w, DHCP4_RELAY_INFORMATION, relay, a.n_relay));
        a.type = DHCP4_REQUEST;
        a.server = us;
        a.wanted = FAR(10);
        assert_int_equal(say(w, &a), DHCP4_ACK);
        assert_int_equal(last_code(w), DHCP4_RELAY_INFORMATION);
        /* RFC 2131 4.1: a NAK goes to the relay too, which must broadcast it */
        a.server = 0;
        a.wanted = NET(10);
        assert_int_equal(say(w, &a), DHCP4_NAK);
        assert_int_equal(w->send->to, FAR(1));
        assert_int_equal(w->answer.flags, DHCP4_FLAG_BROADCAST);
        /* a wire that we know nothing of */
        a.type = DHCP4_DISCOVER;
        a.giaddr = 0x0b000001;
        assert_int_equal(say(w, &a), -1);
        assert_non_null(find_event(w, EVENT_DHCP_SILENT));
        world_free(w);
}

/* Was: its renewal comes without the relay, from its own address to ours; it was taken
 * for a client of our wire with another's address, and refused. */
static void a_relayed_clients_renewal_was_refused(void **state) {
        struct world *w = new_started();
        struct asking a = {
                .type = DHCP4_DISCOVER, .client = 1, .giaddr = FAR(1), .to = us
        };

        assert_int_equal(say(w, &a), DHCP4_OFFER);
        a.type = DHCP4_REQUEST;
        a.server = us;
        a.wanted = FAR(10);
        assert_int_equal(say(w, &a), DHCP4_ACK);
        pass(w, 1800 SECONDS);
        assert_int_equal(renew(w, 1, FAR(10)), DHCP4_ACK);
        assert_int_equal(w->send->how, DHCP4_UNICAST);
        assert_int_equal(w->send->to, FAR(10));
        assert_int_equal(w->answer.yiaddr, FAR(10));
        assert_int_equal(release(w, 1, FAR(10)), -1);
        assert_non_null(find_event(w, EVENT_LEASE_RELEASED));
        /* a ciaddr that is not whence it comes proves nothing */
        assert_int_equal(say(w, &(struct asking){ .type = DHCP4_REQUEST,
                                                  .client = 1,
                                                  .ciaddr = FAR(10),
                                                  .from = NET(10),
                                                  .to = us }),
                         DHCP4_NAK);
        /* who broadcasts it on our wire has moved here */
        assert_int_equal(say(w, &(struct asking){ .type = DHCP4_REQUEST,
                                                  .client = 1,
                                                  .ciaddr = FAR(10) }),
                         DHCP4_NAK);
        world_free(w);
}

/* Was: an assertion that any host on the wire could fail. */
static void a_long_relay_option_killed_the_server(void **state) {
        char relay[1200];
        struct world *w = new_started();

        memset(relay, 'r', sizeof(relay));
        for (size_t n = 1; n <= sizeof(relay); n++) {
                struct asking a = pxe(DHCP4_DISCOVER, 0);

                a.giaddr = FAR(1);
                a.relay = relay;
                a.n_relay = n;
                assert_int_equal(say(w, &a), DHCP4_OFFER);
                assert_string_equal(w->answer.file, "pxelinux.0");
                assert_true(dhcp4_option_be32(&w->answer, DHCP4_LEASE_TIME) > 0);
                /* one that leaves no room for the answer itself is left out */
                assert_int_equal(w->answer.has[DHCP4_RELAY_INFORMATION], n <= 1162);
                if (n <= 1162)
                        assert_true(answer_has(w, DHCP4_RELAY_INFORMATION, relay, n));
                a.max_size = 300;
                assert_int_equal(say(w, &a), DHCP4_OFFER);
        }
        world_free(w);
}

/* ---- RFC 2131 4.1: by which way ---- */

static void answers_go_by_the_routes_of_rfc_2131(void **state) {
        static const struct {
                ip4_t giaddr, ciaddr;
                uint16_t flags;
                enum dhcp4_how how;
                ip4_t to;
                uint16_t port;
        } rows[] = {
                { 0, 0, 0, DHCP4_RAW_UNICAST, NET(10), 68 },
                { 0, 0, DHCP4_FLAG_BROADCAST, DHCP4_BROADCAST, UINT32_MAX, 68 },
                { 0, NET(10), 0, DHCP4_UNICAST, NET(10), 68 },
                { 0, NET(10), DHCP4_FLAG_BROADCAST, DHCP4_UNICAST, NET(10), 68 },
                { NET(2), 0, 0, DHCP4_UNICAST, NET(2), 67 },
                { NET(2), 0, DHCP4_FLAG_BROADCAST, DHCP4_UNICAST, NET(2), 67 },
                { NET(2), NET(10), 0, DHCP4_UNICAST, NET(2), 67 },
        };
        struct world *w = new_started();

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct asking a = { .type = DHCP4_DISCOVER,
                                    .client = 1,
                                    .giaddr = rows[i].giaddr,
                                    .ciaddr = rows[i].ciaddr,
                                    .flags = rows[i].flags };

                assert_int_equal(say(w, &a), DHCP4_OFFER);
                assert_int_equal(w->send->how, rows[i].how);
                assert_int_equal(w->send->to, rows[i].to);
                assert_int_equal(w->send->port, rows[i].port);
                assert_int_equal(w->send->from_port, DHCP4_SERVER_PORT);
                assert_memory_equal(w->send->mac.b, mac_of(1).b, 6);
                assert_int_equal(w->answer.flags, rows[i].flags);
        }
        world_free(w);
}

/* RFC 2131 4.3.5 */
static void an_inform_gets_options_and_no_address(void **state) {
        struct world *w = new_started();
        struct asking a = { .type = DHCP4_INFORM, .client = 1, .ciaddr = NET(77) };

        assert_int_equal(say(w, &a), DHCP4_ACK);
        assert_int_equal(w->send->how, DHCP4_UNICAST);
        assert_int_equal(w->send->to, NET(77));
        assert_int_equal(w->answer.yiaddr, 0);
        assert_false(w->answer.has[DHCP4_LEASE_TIME]);
        assert_true(w->answer.has[DHCP4_ROUTERS]);
        assert_int_equal(w->n_disk, 0);
        world_free(w);
}

/* ---- booting ---- */

/* PXE 2.1 2.2.1, RFC 4578 2.3 */
static void a_boot_answer_says_it_in_every_place(void **state) {
        struct world *w = new_started();
        struct asking a = pxe(DHCP4_DISCOVER, 0);

        for (unsigned i = 0; i < 2; i++) {
                assert_int_equal(say(w, &a), i ? DHCP4_ACK : DHCP4_OFFER);
                assert_string_equal(w->answer.file, "pxelinux.0");
                assert_int_equal(w->answer.siaddr, us);
                assert_true(answer_has(w, DHCP4_VENDOR_CLASS, "PXEClient", 9));
                assert_true(answer_has(w, DHCP4_UUID, uuid, 17));
                assert_true(answer_has(w, DHCP4_VENDOR_OPTIONS, "\6\1\x08\xff", 4));
                assert_true(answer_has(w, DHCP4_BOOT_FILE, "pxelinux.0", 11));
                assert_true(answer_has(w, DHCP4_TFTP_SERVER, "192.168.1.1", 11));
                assert_non_null(find_event(w, EVENT_DHCP_SENT));
                a.type = DHCP4_REQUEST;
                a.wanted = w->answer.yiaddr;
                a.server = us;
        }
        /* who lists what it wants gets no more than the header */
        a = pxe(DHCP4_DISCOVER, 0);
        a.list = "\1\3\x2b\x3c";
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_string_equal(w->answer.file, "pxelinux.0");
        assert_false(w->answer.has[DHCP4_BOOT_FILE]);
        assert_false(w->answer.has[DHCP4_TFTP_SERVER]);
        assert_false(w->answer.has[6]);
        world_free(w);
}

static void http_boot_gets_its_class_and_a_url(void **state) {
        struct world *w = new_started();
        struct asking a = pxe(DHCP4_DISCOVER, 16);

        a.vendor_class = "HTTPClient:Arch:00016:UNDI:003001";
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_true(answer_has(w, DHCP4_VENDOR_CLASS, "HTTPClient", 10));
        assert_true(
                answer_has(w, DHCP4_BOOT_FILE, "http://192.168.1.1/snponly.efi", 30));
        assert_int_equal(w->answer.file[0], 0);
        assert_false(w->answer.has[DHCP4_VENDOR_OPTIONS]);
        world_free(w);
}

/* Was: the class without a file, which makes firmware wait for a boot server that there
 * is not, or pass over the one that there is. */
static void what_cannot_boot_was_answered_as_a_boot_server(void **state) {
        struct world *w = new_started();
        struct asking a = pxe(DHCP4_DISCOVER, 14); /* POWER: no loader */

        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_false(w->answer.has[DHCP4_VENDOR_CLASS]);
        assert_int_equal(w->answer.yiaddr, NET(10)); /* an address all the same */
        assert_non_null(find_event(w, EVENT_BOOT_DECIDED));
        a.vendor_class = "HTTPClient";
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_false(w->answer.has[DHCP4_VENDOR_CLASS]);
        world_free(w);
}

static unsigned count_code(const struct world *w, unsigned wanted) {
        struct reader r = reader_of(w->send->data, w->send->n);
        unsigned n = 0, code;

        (void)reader_span(&r, DHCP4_HEADER + 4);
        while ((code = reader_u8(&r)) != DHCP4_END && !r.failed) {
                n += code == wanted;
                (void)reader_span(&r, reader_u8(&r));
        }
        return n;
}

/* Was: sent twice, which a reader joins to one (RFC 3396): "192.168.1.1tftp". */
static void an_option_configured_and_decided_was_sent_twice(void **state) {
        struct world *w = new_world_with_host();
        struct asking a = pxe(DHCP4_DISCOVER, 0);

        w->options[2] = (struct scope_option)OPTION(DHCP4_TFTP_SERVER, 4, "tftp");
        w->options[3] = (struct scope_option)OPTION(DHCP4_BOOT_FILE, 4, "file");
        w->options[4] = (struct scope_option)OPTION(DHCP4_VENDOR_OPTIONS, 3, "\6\1\7");
        w->options[5] = (struct scope_option)OPTION(DHCP4_HOST_NAME, 4, "name");
        w->options[6] =
                (struct scope_option)OPTION(DHCP4_SUBNET_MASK, 4, "\xff\xff\xff");
        w->subnets[0].scope.n_options = 7;
        world_start(w);
        a.client = 7;
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        for (unsigned code = 1; code < 255; code++)
                assert_true(count_code(w, code) <= 1);
        /* what the administrator wrote wins, but a host's name is its own */
        assert_true(answer_has(w, DHCP4_TFTP_SERVER, "tftp", 4));
        assert_true(answer_has(w, DHCP4_BOOT_FILE, "file", 4));
        assert_true(answer_has(w, DHCP4_VENDOR_OPTIONS, "\6\1\7", 3));
        assert_true(answer_has(w, DHCP4_HOST_NAME, "printer", 7));
        world_free(w);
}

/* RFC 2132 3.3: Was: in the order of the configuration. */
static void a_configured_mask_came_after_the_routers(void **state) {
        struct world *w = new_world();
        const uint8_t *mask, *routers;

        w->options[2] =
                (struct scope_option)OPTION(DHCP4_SUBNET_MASK, 4, "\xff\xff\xff");
        world_start(w);
        assert_int_equal(discover(w, 1, 0), DHCP4_OFFER);
        mask = memmem(w->send->data, w->send->n, "\1\4\xff\xff\xff", 6);
        routers = memmem(w->send->data, w->send->n, "\3\4\xc0\xa8\1\xfe", 6);
        assert_true(mask && routers && mask < routers);
        world_free(w);
}

/* RFC 2132 9.10, RFC 2131 3.5 */
static void a_small_client_gets_what_matters(void **state) {
        static const uint16_t sizes[] = { 1, 300, 328, 400, 576, 1500, 65535 };

        for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
                struct world *w = new_started();
                struct asking a = pxe(DHCP4_DISCOVER, 0);

                a.max_size = sizes[i];
                assert_int_equal(say(w, &a), DHCP4_OFFER);
                assert_true(w->send->n <= 300 || w->send->n + 28 <= sizes[i]);
                assert_string_equal(w->answer.file, "pxelinux.0");
                assert_true(answer_has(w, DHCP4_VENDOR_CLASS, "PXEClient", 9));
                assert_int_equal(dhcp4_option_be32(&w->answer, DHCP4_LEASE_TIME), 3600);
                world_free(w);
        }
}

/* What a message has no room for is left out, whole options at a time. */
static void a_message_is_never_longer_than_a_frame(void **state) {
        struct world *w = new_world();
        struct asking a = pxe(DHCP4_DISCOVER, 0);

        for (size_t i = 2; i < 8; i++)
                w->options[i] =
                        (struct scope_option)OPTION((uint8_t)(224 + i), 240, zeros);
        w->subnets[0].scope.n_options = 8;
        world_start(w);
        for (unsigned size = 0; size < 2000; size++) {
                a.max_size = (uint16_t)size;
                assert_int_equal(say(w, &a), DHCP4_OFFER);
                if (size >= 328)
                        assert_true(w->send->n + 28 <= size);
        }
        assert_int_equal(dhcp4_option(&w->answer, 229).n, 240);
        assert_false(w->answer.has[231]);
        world_free(w);
}

/* ---- proxyDHCP ---- */

static struct world *new_proxy(void) {
        struct world *w = new_world();

        w->config.is_proxy = true;
        world_start(w);
        return w;
}

static void a_proxy_offers_a_file_and_never_an_address(void **state) {
        struct world *w = new_proxy();
        struct asking a = pxe(DHCP4_DISCOVER, 7);

        a.wanted = NET(10);
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_int_equal(w->send->how, DHCP4_BROADCAST);
        assert_int_equal(w->answer.yiaddr, 0);
        assert_string_equal(w->answer.file, "snponly.efi");
        assert_true(answer_has(w, DHCP4_VENDOR_CLASS, "PXEClient", 9));
        assert_true(answer_has(w, DHCP4_UUID, uuid, 17));
        assert_true(answer_has(w, DHCP4_VENDOR_OPTIONS, "\6\1\x08\xff", 4));
        assert_false(w->answer.has[DHCP4_LEASE_TIME]);
        assert_false(w->answer.has[DHCP4_SUBNET_MASK]);
        assert_false(w->answer.has[DHCP4_ROUTERS]);

        /* the REQUEST on port 67 is the other server's */
        a.type = DHCP4_REQUEST;
        a.server = NET(2);
        assert_int_equal(say(w, &a), -1);
        a.server = us;
        assert_int_equal(say(w, &a), -1);

        /* on 4011 the answer goes back to where the question came from */
        a = pxe(DHCP4_REQUEST, 7);
        a.ciaddr = a.from = NET(99);
        a.to = us;
        a.port = DHCP4_BINL_PORT;
        assert_int_equal(say(w, &a), DHCP4_ACK);
        assert_int_equal(w->send->how, DHCP4_UNICAST);
        assert_int_equal(w->send->to, NET(99));
        assert_int_equal(w->send->port, DHCP4_CLIENT_PORT);
        assert_int_equal(w->send->from_port, DHCP4_BINL_PORT);
        assert_string_equal(w->answer.file, "snponly.efi");
        a.from_port = 2070;
        assert_int_equal(say(w, &a), DHCP4_ACK);
        assert_int_equal(w->send->port, 2070);
        a.type = DHCP4_DISCOVER; /* belongs to port 67 */
        assert_int_equal(say(w, &a), -1);
        assert_int_equal(w->n_disk, 0);
        assert_true(dhcp4_server_next(w->server) == NSEC_NEVER);
        world_free(w);
}

static void a_proxy_is_silent_towards_ordinary_clients(void **state) {
        static const uint16_t ports[] = { DHCP4_SERVER_PORT, DHCP4_BINL_PORT };
        struct world *w = new_proxy();

        for (unsigned type = 0; type < DHCP4_N_TYPES; type++)
                for (size_t i = 0; i < 2; i++) {
                        assert_int_equal(
                                say(w, &(struct asking){ .type = (enum dhcp4_type)type,
                                                         .client = 1,
                                                         .ciaddr = NET(10),
                                                         .port = ports[i] }),
                                -1);
                        /* and says not a word of them */
                        assert_int_equal(w->actions.n, 1);
                        assert_int_equal(w->actions.items[0].kind, DHCP4_SEEN);
                }
        world_free(w);
}

static void a_proxy_without_a_loader_says_why_it_is_silent(void **state) {
        struct world *w = new_proxy();
        struct asking a = pxe(DHCP4_DISCOVER, 14); /* POWER: no loader */

        assert_int_equal(say(w, &a), -1);
        assert_non_null(find_event(w, EVENT_DHCP_SILENT));
        world_free(w);
}

static void a_server_answers_on_4011_too(void **state) {
        struct world *w = new_started();
        struct asking a = pxe(DHCP4_REQUEST, 0);

        a.ciaddr = a.from = NET(10);
        a.port = DHCP4_BINL_PORT;
        assert_int_equal(say(w, &a), DHCP4_ACK);
        assert_string_equal(w->answer.file, "pxelinux.0");
        assert_int_equal(w->answer.yiaddr, 0);
        assert_int_equal(w->n_disk, 0);
        world_free(w);
}

/* ---- every firmware ---- */

enum kind { PXE, HTTP, IPXE, IPXE_CRIPPLED, N_KINDS };

static struct asking firmware(enum kind kind, uint16_t arch) {
        static const char *const classes[] = { "PXEClient:Arch:00007:UNDI:003000",
                                               "HTTPClient:Arch:00016:UNDI:003001",
                                               "PXEClient:Arch:00007:UNDI:003010",
                                               "PXEClient:Arch:00007:UNDI:003010" };
        struct asking a = pxe(DHCP4_DISCOVER, arch);

        a.vendor_class = classes[kind];
        a.user_class = kind >= IPXE ? "iPXE" : NULL;
        a.ipxe_feature = kind == IPXE ? 0x13 : 0;
        return a;
}

/* Facts made here by hand, not by the code that is proved. */
static struct policy_decision decision_for(const struct world *w, enum kind kind,
                                           uint16_t arch) {
        struct policy_facts facts = {
                .mac = mac_of(1),
                .has_uuid = true,
                .has_arch = true,
                .arch = arch,
                .is_pxe = kind != HTTP,
                .is_http = kind == HTTP,
                .is_ipxe = kind >= IPXE,
                .ipxe_features = kind == IPXE ? POLICY_IPXE_HTTP : 0,
                .is_proxy = w->config.is_proxy,
                .server = us,
        };
        struct policy_decision decision;

        policy_decide(&w->config.rules, &facts, &decision);
        return decision;
}

static void assert_decided(const struct world *w, enum kind kind,
                           const struct policy_decision *d) {
        char file[POLICY_FILE_MAX];

        dhcp4_option_text(&w->answer, DHCP4_BOOT_FILE, file, sizeof(file));
        assert_string_equal(file, d->file);
        assert_string_equal(w->answer.file, kind == HTTP ? "" : d->file);
        assert_int_equal(w->answer.siaddr, d->next_server);
        if (kind == HTTP)
                assert_true(answer_has(w, DHCP4_VENDOR_CLASS, "HTTPClient", 10));
        else
                assert_true(answer_has(w, DHCP4_VENDOR_CLASS, "PXEClient", 9));
}

static void every_firmware_gets_what_policy_decides(void **state) {
        unsigned n_boot = 0;

        for (unsigned is_proxy = 0; is_proxy < 2; is_proxy++) {
                struct world *w = is_proxy ? new_proxy() : new_started();

                for (unsigned i = 0; i < 48 * N_KINDS; i++) {
                        enum kind kind = (enum kind)(i % N_KINDS);
                        struct asking a = firmware(kind, (uint16_t)(i / N_KINDS));
                        struct policy_decision d = decision_for(w, kind, a.arch);
                        int answer = say(w, &a);
                        bool boots = d.verdict == POLICY_BOOT;

                        assert_int_equal(answer,
                                         boots || !is_proxy ? (int)DHCP4_OFFER : -1);
                        assert_non_null(find_event(w, EVENT_BOOT_DECIDED));
                        if (boots)
                                assert_decided(w, kind, &d);
                        n_boot += boots;
                }
                world_free(w);
        }
        assert_true(n_boot > 20);
}

/* ---- what is no request ---- */

/* RFC 2131 2 */
static void what_is_no_request_is_counted_and_dropped(void **state) {
        struct world *w = new_started();
        struct asking a = { .type = DHCP4_DISCOVER, .client = 1 };
        uint8_t bytes[REQUEST_MAX];
        size_t n = build_request(&a, bytes);
        struct dhcp4_received r = {
                .data = bytes, .n = n, .ifindex = LAN, .port = 67, .now = w->now
        };
        struct text json = { 0 };
        static const struct {
                size_t at;
                uint8_t value;
        } breaks[] = { { 0, 2 }, { 1, 6 }, { 2, 16 }, { 236, 1 }, { 242, 99 } };

        for (size_t i = 0; i < ARRAY_SIZE(breaks); i++) {
                uint8_t kept = bytes[breaks[i].at];

                bytes[breaks[i].at] = breaks[i].value;
                dhcp4_server_recv(w->server, &r, &w->actions);
                assert_int_equal(w->actions.n, 1);
                assert_non_null(find_event(w, EVENT_DHCP_DROPPED));
                bytes[breaks[i].at] = kept;
        }
        r.n = 235;
        dhcp4_server_recv(w->server, &r, &w->actions);
        assert_int_equal(w->actions.n, 1);
        r.n = n;
        r.ifindex = 99;
        dhcp4_server_recv(w->server, &r, &w->actions);
        assert_int_equal(w->actions.n, 1);
        dhcp4_server_json(w->server, &json);
        assert_string_equal(text_string(&json),
                            "{\"received\":7,\"dropped\":{"
                            "\"too short for a DHCP message\":1,\"not a request\":1,"
                            "\"no DHCP cookie\":1,\"not from Ethernet\":2,"
                            "\"its options are malformed\":1,"
                            "\"no address of ours on that interface\":1}}");
        text_done(&json);
        /* what only a server sends */
        a.type = DHCP4_OFFER;
        assert_int_equal(say(w, &a), -1);
        assert_non_null(find_event(w, EVENT_DHCP_SILENT));
        world_free(w);
}

/* ---- crowds ---- */

static unsigned percent(uint64_t *random) {
        *random ^= *random >> 12;
        *random ^= *random << 25;
        *random ^= *random >> 27;
        return (unsigned)((*random * 0x2545f4914f6cdd1dULL >> 33) % 100);
}

struct machine {
        ip4_t offered, bound;
};

static void machine_step(struct world *w, struct machine *m, unsigned client,
                         uint64_t *random) {
        if (m->bound || percent(random) < 30) /* lost on the way */
                return;
        if (!m->offered) {
                if (discover(w, client, 0) == DHCP4_OFFER && percent(random) >= 30)
                        m->offered = w->answer.yiaddr;
                return;
        }
        if (percent(random) < 20) /* doubled */
                request(w, client, m->offered);
        if (request(w, client, m->offered) == DHCP4_ACK && percent(random) >= 30)
                m->bound = m->offered;
        else if (w->send && w->answer.type == DHCP4_NAK)
                m->offered = 0;
}

/* A third of all packets is lost, a fifth of the requests comes twice, the server is
 * restarted now and then: all get an address, and no two the same. */
static void a_crowd_on_a_bad_wire_ends_with_an_address_each(void **state) {
        enum { N = 200 };

        for (uint64_t seed = 1; seed <= 5; seed++) {
                struct world *w = new_world();
                struct machine machines[N] = { { 0 } };
                bool used[256] = { false };
                uint64_t random = seed;

                w->near[0] = (struct scope_pool){ NET(2), NET(1 + N) };
                world_start(w);
                for (unsigned round = 0; round < 40; round++) {
                        for (unsigned i = 0; i < N; i++)
                                machine_step(w, &machines[i], i, &random);
                        pass(w, 10 SECONDS);
                        if (percent(&random) < 20)
                                world_restart(w);
                }
                for (unsigned i = 0; i < N; i++) {
                        assert_true(machines[i].bound);
                        assert_false(used[machines[i].bound - NET(0)]);
                        used[machines[i].bound - NET(0)] = true;
                }
                world_free(w);
        }
}

/* Thousands of invented clients: offers are bounded and gone after a minute. */
static void invented_clients_hold_nothing_for_long(void **state) {
        struct world *w = new_started();

        for (unsigned i = 100; i < 3100; i++)
                discover(w, i, 0);
        assert_int_equal(w->n_disk, 0);
        assert_int_equal(discover(w, 1, 0), -1);
        pass(w, 61 SECONDS);
        assert_int_equal(dora(w, 1), NET(10));
        world_free(w);
}

static void count_lease(const struct lease_record *lease, void *userdata) {
        unsigned *counts = userdata;

        counts[lease->state]++;
}

static void leases_are_listed_and_offers_are_not(void **state) {
        struct world *w = new_started();
        unsigned counts[4] = { 0 };

        dora(w, 1);
        dora(w, 2);
        release(w, 2, NET(11));
        discover(w, 3, 0);
        dhcp4_server_leases(w->server, count_lease, counts);
        assert_int_equal(counts[LEASE_BOUND], 1);
        assert_int_equal(counts[LEASE_RELEASED], 1);
        assert_int_equal(counts[LEASE_EXPIRED], 0);
        world_free(w);
}

/* Was: listed as an expired lease of a client that never had it. */
static void an_offer_of_a_used_address_was_listed_as_a_lease(void **state) {
        struct world *w = new_world();
        unsigned counts[4] = { 0 };

        w->near[0].last = NET(10);
        world_start(w);
        dora(w, 1);
        release(w, 1, NET(10));
        discover(w, 2, 0);
        dhcp4_server_leases(w->server, count_lease, counts);
        pass(w, 61 SECONDS);
        dhcp4_server_leases(w->server, count_lease, counts);
        assert_int_equal(counts[LEASE_EXPIRED], 0);
        assert_int_equal(w->disk[0].state, LEASE_RELEASED);
        assert_memory_equal(w->disk[0].mac.b, mac_of(1).b, 6);
        world_free(w);
}

/* In a pool that is larger than any crowd, offers are capped in number; who has one is
 * answered on. */
static void offers_are_capped_in_number(void **state) {
        struct world *w = new_world();

        w->subnets[0].network = us & 0xffff0000;
        w->subnets[0].mask = 0xffff0000;
        w->near[0] = (struct scope_pool){ us + 256, us + 256 + 2 * DHCP4_OFFERS_MAX };
        world_start(w);
        for (unsigned i = 0; i < DHCP4_OFFERS_MAX; i++)
                assert_int_equal(discover(w, i, 0), DHCP4_OFFER);
        assert_int_equal(discover(w, 60000, 0), -1);
        assert_int_equal(discover(w, 17, 0), DHCP4_OFFER);
        assert_int_equal(request(w, 17, w->answer.yiaddr), DHCP4_ACK);
        assert_int_equal(discover(w, 60000, 0), DHCP4_OFFER);
        pass(w, 61 SECONDS);
        assert_int_equal(discover(w, 60001, 0), DHCP4_OFFER);
        world_free(w);
}

static void a_request_for_nothing_is_not_answered(void **state) {
        struct world *w = new_started();

        assert_int_equal(say(w, &(struct asking){ .type = DHCP4_REQUEST }), -1);
        assert_non_null(find_event(w, EVENT_DHCP_SILENT));
        assert_int_equal(request(w, 1, 0), DHCP4_NAK);
        assert_int_equal(say(w, &(struct asking){ .type = DHCP4_INFORM }), -1);
        world_free(w);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(discover_offer_request_ack),
                cmocka_unit_test(a_lost_offer_and_a_second_discover_keep_the_address),
                cmocka_unit_test(a_request_heard_twice_is_acknowledged_twice),
                cmocka_unit_test(an_offer_that_lapsed_is_still_honoured_if_free),
                cmocka_unit_test(who_takes_another_servers_offer_frees_ours),
                cmocka_unit_test(a_reboot_on_the_wrong_net_is_refused),
                cmocka_unit_test(a_reboot_on_the_right_net_gets_its_address),
                cmocka_unit_test(a_renewal_is_unicast_to_ciaddr),
                cmocka_unit_test(a_released_address_waits_for_its_client),
                cmocka_unit_test(a_declined_address_rests_and_another_is_given),
                cmocka_unit_test(an_exhausted_pool_says_so_and_recovers),
                cmocka_unit_test(a_client_may_ask_for_a_time_within_bounds),
                cmocka_unit_test(leases_for_ever_are_possible),
                cmocka_unit_test(leases_outlive_a_restart),
                cmocka_unit_test(a_smaller_pool_leaves_the_leases_it_gave),
                cmocka_unit_test(a_renewal_for_less_ended_what_was_promised),
                cmocka_unit_test(an_offer_from_a_pool_that_is_gone_was_honoured),
                cmocka_unit_test(a_lease_was_lost_with_its_reservation),
                cmocka_unit_test(firmware_and_installer_are_one_client),
                cmocka_unit_test(a_host_gets_its_own_address_and_nobody_else_does),
                cmocka_unit_test(a_hosts_address_was_lost_to_its_other_identifier),
                cmocka_unit_test(a_reservation_made_later_was_lost_to_the_lease_before),
                cmocka_unit_test(an_address_reserved_for_another_was_renewed_for_ever),
                cmocka_unit_test(bootp_is_answered_only_where_it_is_allowed),
                cmocka_unit_test(bootp_gets_the_configured_file),
                cmocka_unit_test(a_relay_is_answered_at_its_server_port),
                cmocka_unit_test(a_relayed_clients_renewal_was_refused),
                cmocka_unit_test(a_long_relay_option_killed_the_server),
                cmocka_unit_test(answers_go_by_the_routes_of_rfc_2131),
                cmocka_unit_test(an_inform_gets_options_and_no_address),
                cmocka_unit_test(a_boot_answer_says_it_in_every_place),
                cmocka_unit_test(http_boot_gets_its_class_and_a_url),
                cmocka_unit_test(what_cannot_boot_was_answered_as_a_boot_server),
                cmocka_unit_test(an_option_configured_and_decided_was_sent_twice),
                cmocka_unit_test(a_configured_mask_came_after_the_routers),
                cmocka_unit_test(a_small_client_gets_what_matters),
                cmocka_unit_test(a_message_is_never_longer_than_a_frame),
                cmocka_unit_test(a_proxy_offers_a_file_and_never_an_address),
                cmocka_unit_test(a_proxy_is_silent_towards_ordinary_clients),
                cmocka_unit_test(a_proxy_without_a_loader_says_why_it_is_silent),
                cmocka_unit_test(a_server_answers_on_4011_too),
                cmocka_unit_test(every_firmware_gets_what_policy_decides),
                cmocka_unit_test(what_is_no_request_is_counted_and_dropped),
                cmocka_unit_test(a_crowd_on_a_bad_wire_ends_with_an_address_each),
                cmocka_unit_test(invented_clients_hold_nothing_for_long),
                cmocka_unit_test(leases_are_listed_and_offers_are_not),
                cmocka_unit_test(an_offer_of_a_used_address_was_listed_as_a_lease),
                cmocka_unit_test(offers_are_capped_in_number),
                cmocka_unit_test(a_request_for_nothing_is_not_answered),
        };
        return check_run("story/dhcp4", tests);
}
