/*
 * Who gets which address, where several rules meet: classes, hosts by every identifier,
 * shared wires, relays that name link and server, probes, and clients that are none.
 */
#include "test/story/dhcp4_world.h"

static struct asking discover_of(unsigned client) {
        return (struct asking){ .type = DHCP4_DISCOVER, .client = client };
}

static void tell_probed(struct world *w, ip4_t address, unsigned by) {
        dhcp4_server_probed(w->server, address, by ? mac_of(by) : (struct mac){ { 0 } },
                            w->now, &w->actions);
        check_actions(w);
}

/* ---- probes ---- */

static struct world *new_probing(void) {
        struct world *w = new_world();

        w->config.probe_time = NSEC_PER_SEC / 2;
        world_start(w);
        return w;
}

/* RFC 2131 2.2 and 4.4.1: "the server SHOULD check" that an address is unused. */
static void an_address_is_probed_before_its_first_offer(void **state) {
        struct world *w = new_probing();

        assert_int_equal(discover(w, 1, 0), -1);
        assert_int_equal(w->probed, NET(10));
        /* asking again meanwhile starts nothing anew */
        assert_int_equal(discover(w, 1, 0), -1);
        assert_int_equal(w->probed, 0);
        pass(w, 1 SECONDS);
        assert_non_null(w->send);
        assert_int_equal(w->answer.type, DHCP4_OFFER);
        assert_int_equal(w->answer.yiaddr, NET(10));
        assert_int_equal(request(w, 1, NET(10)), DHCP4_ACK);
        /* its own from now on */
        assert_int_equal(discover(w, 1, 0), DHCP4_OFFER);
        assert_int_equal(release(w, 1, NET(10)), -1);
        assert_int_equal(discover(w, 1, 0), -1);
        assert_int_equal(w->probed, NET(10));
        world_free(w);
}

static void an_address_somebody_answers_for_rests_and_another_is_probed(void **state) {
        struct world *w = new_probing();
        char *said;

        assert_int_equal(discover(w, 1, 0), -1);
        tell_probed(w, NET(10), 99);
        said = sentence_of(w, EVENT_ADDRESS_CONFLICT);
        assert_string_equal(said, "192.168.1.10 is used by 52:54:00:00:00:63, who did "
                                  "not get it here; it rests for 24 h");
        test_free(said);
        assert_int_equal(w->probed, NET(11));
        assert_int_equal(w->disk[0].state, LEASE_DECLINED);
        tell_probed(w, NET(11), 0);
        assert_int_equal(w->probed, NET(12));
        tell_probed(w, NET(11), 0); /* a late answer */
        assert_null(find_event(w, EVENT_ADDRESS_CONFLICT));
        pass(w, 1 SECONDS);
        assert_int_equal(w->answer.yiaddr, NET(12));
        assert_int_equal(request(w, 1, NET(12)), DHCP4_ACK);
        tell_probed(w, NET(12), 99); /* too late: it is his */
        assert_int_equal(w->disk[2].state, LEASE_BOUND);
        world_free(w);
}

static void a_client_that_answers_for_itself_is_no_conflict(void **state) {
        struct world *w = new_probing();

        assert_int_equal(discover(w, 1, 0), -1);
        tell_probed(w, NET(10), 1);
        assert_null(find_event(w, EVENT_ADDRESS_CONFLICT));
        pass(w, 1 SECONDS);
        assert_int_equal(w->answer.yiaddr, NET(10));
        world_free(w);
}

static void a_crowd_is_probed_all_at_once(void **state) {
        struct world *w = new_world();
        unsigned n_offers = 0;
        nsec_t start;

        w->near[0].last = NET(10) + 199;
        w->subnets[0].network = NET(0) & 0xffff0000;
        w->subnets[0].mask = 0xffff0000;
        w->config.probe_time = NSEC_PER_SEC / 2;
        world_start(w);
        start = w->now;
        for (unsigned i = 0; i < 200; i++)
                assert_int_equal(discover(w, i, 0), -1);
        while (n_offers < 200) {
                pass(w, 1 SECONDS);
                assert_non_null(w->send);
                n_offers++;
        }
        assert_true(w->now == start + NSEC_PER_SEC / 2);
        world_free(w);
}

static void who_waits_for_a_probe_hears_a_reload_in_between(void **state) {
        struct world *w = new_probing();

        assert_int_equal(discover(w, 1, 0), -1);
        w->near[0].first = NET(15);
        world_reload(w);
        pass(w, 2 SECONDS); /* that address is no more: another was probed meanwhile */
        assert_non_null(w->send);
        assert_int_equal(w->answer.yiaddr, NET(15));
        world_free(w);
}

static void a_bootp_client_waits_for_the_probe_too(void **state) {
        struct world *w = new_probing();

        w->subnets[0].bootp = true;
        world_reload(w);
        assert_int_equal(say(w, &(struct asking){ .type = DHCP4_BOOTP }), -1);
        assert_int_equal(w->probed, NET(10));
        pass(w, 1 SECONDS);
        assert_int_equal(w->answer.type, DHCP4_BOOTP);
        assert_int_equal(w->disk[0].state, LEASE_BOUND);
        world_free(w);
}

/* ---- hosts ---- */

static void a_host_is_known_by_each_of_its_identifiers(void **state) {
        static const char circuit[] = "\1\4eth7";
        struct world *w = new_world();
        struct asking a = discover_of(1);

        w->hosts[0] = (struct scope_host){
                .client_id = { (const uint8_t *)"node1", 5 },
                .circuit_id = { (const uint8_t *)"eth7", 4 },
                .has_uuid = true,
                .address = NET(77),
        };
        memcpy(w->hosts[0].uuid.b, uuid + 1, 16);
        w->config.n_hosts = 1;
        world_start(w);
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_int_equal(w->answer.yiaddr, NET(10));
        a.id = "node1";
        a.n_id = 5;
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_int_equal(w->answer.yiaddr, NET(77));
        a = discover_of(2); /* the same machine by another card */
        a.has_uuid = true;
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_int_equal(w->answer.yiaddr, NET(77));
        a = discover_of(3);
        a.giaddr = NET(2);
        a.relay = circuit;
        a.n_relay = sizeof(circuit) - 1;
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_int_equal(w->answer.yiaddr, NET(77));
        a.relay = "\1\4eth8";
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_int_equal(w->answer.yiaddr, NET(11));
        world_free(w);
}

/* A port of the switch has the address; whoever is plugged in there gets it. */
static void a_machine_swapped_at_a_port_takes_over_the_address(void **state) {
        struct world *w = new_world();
        struct asking a = discover_of(1);

        w->hosts[0] = (struct scope_host){ .circuit_id = { (const uint8_t *)"eth7", 4 },
                                           .address = FAR(77) };
        w->config.n_hosts = 1;
        world_start(w);
        a.giaddr = FAR(1);
        a.relay = "\1\4eth7";
        a.n_relay = 6;
        for (a.client = 1; a.client < 4; a.client++) {
                a.type = DHCP4_DISCOVER;
                a.wanted = a.server = 0;
                assert_int_equal(say(w, &a), DHCP4_OFFER);
                assert_int_equal(w->answer.yiaddr, FAR(77));
                a.type = DHCP4_REQUEST;
                a.wanted = FAR(77);
                a.server = us;
                w->n_disk = 0; /* the rule of one holder does not count here */
                assert_int_equal(say(w, &a), DHCP4_ACK);
                assert_memory_equal(w->disk[0].mac.b, mac_of(a.client).b, 6);
        }
        world_free(w);
}

static void a_host_without_an_address_still_has_options_of_its_own(void **state) {
        struct world *w = new_world();

        w->options[6] = (struct scope_option)OPTION(DHCP4_ROUTERS, 4, "\1\2\3\4");
        w->hosts[0] = (struct scope_host){ .mac = mac_of(1),
                                           .hostname = "node1",
                                           .scope = { .options = &w->options[6],
                                                      .n_options = 1,
                                                      .lease_time = 600 SECONDS } };
        w->hosts[1] = (struct scope_host){ .mac = mac_of(2), .is_ignored = true };
        w->config.n_hosts = 2;
        world_start(w);
        assert_int_equal(discover(w, 1, 0), DHCP4_OFFER);
        assert_int_equal(w->answer.yiaddr, NET(10));
        assert_true(answer_has(w, DHCP4_ROUTERS, "\1\2\3\4", 4));
        assert_true(answer_has(w, DHCP4_HOST_NAME, "node1", 5));
        assert_int_equal(dhcp4_option_be32(&w->answer, DHCP4_LEASE_TIME), 600);
        assert_int_equal(discover(w, 2, 0), -1);
        assert_non_null(find_event(w, EVENT_DHCP_SILENT));
        world_free(w);
}

static void a_reservation_counts_only_on_its_own_wire(void **state) {
        struct world *w = new_world();
        struct asking a = discover_of(1);

        w->hosts[0] = (struct scope_host){ .mac = mac_of(1), .address = FAR(77) };
        w->hosts[1] = (struct scope_host){ .mac = mac_of(1), .address = NET(77) };
        w->config.n_hosts = 2;
        world_start(w);
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_int_equal(w->answer.yiaddr, NET(77));
        a.giaddr = FAR(1);
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_int_equal(w->answer.yiaddr, FAR(77));
        world_free(w);
}

/* ---- classes ---- */

static const char *const voip_name[] = { "voip" };
static const char *const voip_pattern[] = { "Phone*" };

static struct world *new_with_class(void) {
        struct world *w = new_world();

        w->options[6] = (struct scope_option)OPTION(DHCP4_ROUTERS, 4, "\1\2\3\4");
        w->options[7] = (struct scope_option)OPTION(224, 3, "abc");
        w->options[7].is_forced = true;
        w->classes[0] = (struct scope_class){
                .name = "voip",
                .match = { .vendor_class = { voip_pattern, 1 } },
                .scope = { .options = &w->options[6],
                           .n_options = 2,
                           .filename = "phone.bin",
                           .max_lease_time = 300 SECONDS },
        };
        w->config.n_classes = 1;
        return w;
}

static void a_class_says_more_than_its_subnet(void **state) {
        struct world *w = new_with_class();
        struct asking a = discover_of(1);

        world_start(w);
        a.list = "\1\3\6";
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_true(answer_has(w, DHCP4_ROUTERS, "\xc0\xa8\1\xfe", 4));
        assert_false(w->answer.has[224]);
        a.vendor_class = "Phone 7";
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_true(answer_has(w, DHCP4_ROUTERS, "\1\2\3\4", 4));
        assert_true(answer_has(w, 6, "\xc0\xa8\1\x35", 4)); /* the subnet's own */
        assert_true(answer_has(w, 224, "abc", 3));          /* asked for or not */
        assert_string_equal(w->answer.file, "phone.bin");
        assert_int_equal(dhcp4_option_be32(&w->answer, DHCP4_LEASE_TIME), 300);
        world_free(w);
}

static void a_pool_may_be_for_some_classes_only(void **state) {
        struct world *w = new_with_class();
        struct asking phone = discover_of(9), other = discover_of(1);

        w->near[0] =
                (struct scope_pool){ NET(10), NET(11), .except = { voip_name, 1 } };
        w->near[1] = (struct scope_pool){ NET(20), NET(21), .only = { voip_name, 1 } };
        w->subnets[0].n_pools = 2;
        world_start(w);
        phone.vendor_class = "Phone 7";
        for (phone.client = 9; phone.client < 11; phone.client++) {
                assert_int_equal(say(w, &phone), DHCP4_OFFER);
                assert_int_equal(w->answer.yiaddr, NET(20) + phone.client - 9);
        }
        assert_int_equal(say(w, &phone), -1); /* though the other pool has room */
        assert_non_null(find_event(w, EVENT_POOL_EXHAUSTED));
        other.wanted = NET(21);
        assert_int_equal(say(w, &other), DHCP4_OFFER);
        assert_int_equal(w->answer.yiaddr, NET(10));
        other.type = DHCP4_REQUEST;
        other.client = 2;
        assert_int_equal(say(w, &other), DHCP4_NAK);
        world_free(w);
}

static void a_pool_may_be_for_bootp_while_its_subnet_is_not(void **state) {
        struct world *w = new_world();

        w->near[1] = (struct scope_pool){ NET(30), NET(30), .bootp = true };
        w->subnets[0].n_pools = 2;
        world_start(w);
        assert_int_equal(say(w, &(struct asking){ .type = DHCP4_BOOTP }), DHCP4_BOOTP);
        assert_int_equal(w->answer.yiaddr, NET(30));
        /* RFC 1534 2: it can be given back to nobody, so it never ends */
        assert_true(w->disk[0].ends == NSEC_NEVER);
        assert_int_equal(say(w, &(struct asking){ .type = DHCP4_BOOTP, .client = 2 }),
                         -1);
        world_free(w);
}

static void an_explanation_knows_of_classes_and_hosts(void **state) {
        struct world *w = new_with_class();
        struct policy_facts facts = { .mac = mac_of(1), .vendor_class = "Phone 7" };
        struct policy_decision decision;

        w->hosts[0] = (struct scope_host){ .mac = mac_of(2),
                                           .scope = { .filename = "own.efi" } };
        w->config.n_hosts = 1;
        world_start(w);
        dhcp4_server_explain(w->server, LAN, &facts, &decision);
        assert_string_equal(decision.file, "phone.bin");
        facts = (struct policy_facts){ .mac = mac_of(2), .is_pxe = true };
        dhcp4_server_explain(w->server, LAN, &facts, &decision);
        assert_string_equal(decision.file, "own.efi");
        facts = (struct policy_facts){ .mac = mac_of(3), .is_pxe = true };
        dhcp4_server_explain(w->server, LAN, &facts, &decision);
        assert_string_equal(decision.file, "pxelinux.0");
        assert_int_equal(decision.next_server, us);
        world_free(w);
}

/* ---- wires ---- */

static void subnets_of_one_shared_network_help_each_other_out(void **state) {
        struct world *w = new_world();

        w->near[0].last = NET(10);
        w->subnets[0].shared_network = w->subnets[1].shared_network = "floor";
        w->subnets[1].scope.n_options = 1;
        world_start(w);
        assert_int_equal(dora(w, 1), NET(10));
        assert_int_equal(dora(w, 2), FAR(10));
        /* the options are those of the address's subnet */
        assert_int_equal(dhcp4_option_be32(&w->answer, DHCP4_SUBNET_MASK), 0xffffff00);
        assert_false(w->answer.has[6]);
        assert_int_equal(w->disk[1].subnet, FAR(0));
        assert_int_equal(init_reboot(w, 2, FAR(10)), DHCP4_ACK);
        assert_int_equal(init_reboot(w, 2, 0x0b000001), DHCP4_NAK);
        assert_int_equal(renew(w, 2, FAR(10)), DHCP4_ACK);
        world_free(w);
}

static void every_address_of_an_interface_brings_its_subnet(void **state) {
        struct world *w = new_world();

        w->interfaces[1] = (struct dhcp4_interface){ "lan0", LAN, FAR(1), 0xffffff00 };
        w->config.n_interfaces = 2;
        w->near[0].last = NET(10);
        world_start(w);
        assert_int_equal(dora(w, 1), NET(10));
        assert_int_equal(dora(w, 2), FAR(10));
        world_free(w);
}

static void two_interfaces_are_two_wires(void **state) {
        struct world *w = new_world();
        struct asking a = discover_of(1);

        w->interfaces[1] =
                (struct dhcp4_interface){ "lan1", LAN + 1, FAR(1), 0xffffff00 };
        w->config.n_interfaces = 2;
        world_start(w);
        a.ifindex = LAN + 1;
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_int_equal(w->answer.yiaddr, FAR(10));
        assert_int_equal(w->send->from, FAR(1));
        assert_int_equal(dhcp4_option_be32(&w->answer, DHCP4_SERVER_ID), FAR(1));
        a.type = DHCP4_REQUEST;
        a.wanted = FAR(10);
        a.ifindex = LAN; /* it was carried to another room */
        assert_int_equal(say(w, &a), DHCP4_NAK);
        world_free(w);
}

static void a_subnet_may_name_an_interface_without_an_address_in_it(void **state) {
        struct world *w = new_world();
        struct asking a = discover_of(1);

        w->interfaces[1] =
                (struct dhcp4_interface){ "lan1", LAN + 1, 0x0b000001, 0xffffff00 };
        w->config.n_interfaces = 2;
        w->subnets[1].interface = "lan1";
        world_start(w);
        a.ifindex = LAN + 1;
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_int_equal(w->answer.yiaddr, FAR(10));
        assert_int_equal(w->send->from, 0x0b000001);
        world_free(w);
}

/* ---- relays ---- */

/* RFC 3527 3: the link's address chooses the subnet, the relay's own gets the answer.
 */
static void the_link_that_a_relay_names_chooses_the_subnet(void **state) {
        struct world *w = new_started();
        struct asking a = discover_of(1);

        a.giaddr = NET(2);
        a.relay = "\5\4\x0a\x09\0\1";
        a.n_relay = 6;
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_int_equal(w->answer.yiaddr, FAR(10));
        assert_int_equal(w->send->to, NET(2));
        a.relay = "\5\4\x0b\x09\0\1"; /* one that we do not serve */
        assert_int_equal(say(w, &a), -1);
        world_free(w);
}

/* RFC 3011 2 and 3: the subnet asked for, which goes back; one unknown is silence. */
static void the_subnet_that_a_client_selects_is_its_own(void **state) {
        struct world *w = new_started();
        struct asking a = discover_of(1);

        a.selected = FAR(0);
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_int_equal(w->answer.yiaddr, FAR(10));
        assert_int_equal(dhcp4_option_be32(&w->answer, DHCP4_SUBNET_SELECTION), FAR(0));
        a.selected = 0x0b000000;
        assert_int_equal(say(w, &a), -1);
        world_free(w);
}

/* RFC 5107 4: the client takes the relay for its server, so that renewals pass it. */
static void a_relay_may_be_the_server_in_the_clients_eyes(void **state) {
        static const char relay[] = "\x0b\4\x0a\x09\0\1";
        struct world *w = new_started();
        struct asking a = discover_of(1);

        a.giaddr = FAR(1);
        a.relay = relay;
        a.n_relay = sizeof(relay) - 1;
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_int_equal(dhcp4_option_be32(&w->answer, DHCP4_SERVER_ID), FAR(1));
        assert_int_equal(w->send->from, us);
        a.type = DHCP4_REQUEST;
        a.wanted = FAR(10);
        a.server = FAR(1);
        assert_int_equal(say(w, &a), DHCP4_ACK);
        a.n_relay = 0; /* the same name without the relay's word for it */
        assert_int_equal(say(w, &a), -1);
        world_free(w);
}

static void a_relay_outside_of_its_subnet_is_known_by_the_configuration(void **state) {
        static const struct scope_network relays[] = { { 0x0b010000, 0xffff0000 } };
        struct world *w = new_world();
        struct asking a = discover_of(1);

        w->subnets[1].relays = (struct scope_networks){ relays, 1 };
        world_start(w);
        a.giaddr = 0x0b010203;
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_int_equal(w->answer.yiaddr, FAR(10));
        assert_int_equal(w->send->to, 0x0b010203);
        world_free(w);
}

/* ---- clients that are none ---- */

static void a_port_of_a_relay_holds_so_many_offers_and_no_more(void **state) {
        struct world *w = new_world();
        struct asking a = discover_of(0);

        w->far.last = FAR(250);
        world_start(w);
        a.giaddr = FAR(1);
        a.relay = "\1\4eth7";
        a.n_relay = 6;
        for (a.client = 1; a.client <= DHCP4_OFFERS_PER_PORT; a.client++)
                assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_int_equal(say(w, &a), -1);
        assert_non_null(find_event(w, EVENT_DHCP_SILENT));
        a.relay = "\1\4eth8"; /* its neighbour is not concerned */
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        pass(w, 61 SECONDS);
        a.relay = "\1\4eth7";
        a.client++;
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        world_free(w);
}

static void a_card_under_many_names_holds_few_offers(void **state) {
        struct world *w = new_started();
        struct asking a = discover_of(1);
        char id[2] = "a";

        a.id = id;
        a.n_id = 1;
        for (unsigned i = 0; i < DHCP4_OFFERS_PER_MAC; i++, id[0]++)
                assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_int_equal(say(w, &a), -1);
        a.client = 2;
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        world_free(w);
}

/* RFC 2131 4.3.1: an offer is kept for its client; for how long is the server's. */
static void a_drained_pool_recovers_by_itself(void **state) {
        struct world *w = new_started();

        for (unsigned i = 0; i < 10; i++)
                assert_int_equal(discover(w, 100 + i, 0), DHCP4_OFFER);
        assert_int_equal(discover(w, 1, 0), -1);
        pass(w, (DHCP4_OFFER_LEAST + 1) SECONDS);
        for (unsigned i = 0; i < 9; i++) /* they go on and on */
                assert_int_equal(discover(w, 200 + i, 0), DHCP4_OFFER);
        assert_true(dora(w, 1) != 0);
        assert_int_equal(w->n_disk, 1);
        world_free(w);
}

static void one_that_declines_everything_is_not_believed_for_long(void **state) {
        struct world *w = new_started();
        ip4_t address = 0;

        for (unsigned i = 0; i < DHCP4_DECLINES_MAX; i++) {
                address = dora(w, 1);
                assert_int_equal(decline(w, 1, address), -1);
                assert_non_null(find_event(w, EVENT_LEASE_DECLINED));
        }
        address = dora(w, 1);
        assert_int_equal(decline(w, 1, address), -1);
        assert_null(find_event(w, EVENT_LEASE_DECLINED));
        pass(w, 3601 SECONDS);
        assert_int_equal(dora(w, 1), address);
        assert_int_equal(decline(w, 1, address), -1);
        assert_non_null(find_event(w, EVENT_LEASE_DECLINED));
        world_free(w);
}

/* RFC 2131 4.4.6 and table 5: DECLINE and RELEASE name the server that they are for. */
static void what_is_for_another_server_changes_nothing(void **state) {
        struct world *w = new_started();
        ip4_t address = dora(w, 1);

        assert_int_equal(say(w, &(struct asking){ .type = DHCP4_RELEASE,
                                                  .client = 1,
                                                  .ciaddr = address,
                                                  .server = NET(2),
                                                  .to = us }),
                         -1);
        assert_int_equal(say(w, &(struct asking){ .type = DHCP4_DECLINE,
                                                  .client = 1,
                                                  .wanted = address,
                                                  .server = NET(2) }),
                         -1);
        assert_int_equal(w->disk[0].state, LEASE_BOUND);
        world_free(w);
}

/* An address that was only offered is nobody's to decline. */
static void an_offer_cannot_be_declined(void **state) {
        struct world *w = new_started();

        assert_int_equal(discover(w, 1, 0), DHCP4_OFFER);
        assert_int_equal(decline(w, 1, NET(10)), -1);
        assert_null(find_event(w, EVENT_LEASE_DECLINED));
        assert_int_equal(w->n_disk, 0);
        world_free(w);
}

/* ---- the administrator ---- */

static void an_administrator_ends_and_imports_leases(void **state) {
        struct world *w = new_started();
        struct lease_record record = { .address = NET(15),
                                       .mac = mac_of(5),
                                       .hostname = "five",
                                       .ends = w->now + 900 SECONDS };

        assert_int_equal(dhcp4_server_release(w->server, NET(10), w->now, &w->actions),
                         -ENOENT);
        assert_int_equal(dora(w, 1), NET(10));
        assert_int_equal(dhcp4_server_release(w->server, NET(10), w->now, &w->actions),
                         0);
        check_actions(w);
        assert_int_equal(w->disk[0].state, LEASE_RELEASED);
        assert_non_null(find_event(w, EVENT_LEASE_RELEASED));

        assert_int_equal(dhcp4_server_import(w->server, &record, w->now, &w->actions),
                         0);
        check_actions(w);
        assert_int_equal(w->disk[1].subnet, NET(0));
        assert_int_equal(init_reboot(w, 5, NET(15)), DHCP4_ACK);
        record.mac = mac_of(6);
        assert_int_equal(dhcp4_server_import(w->server, &record, w->now, &w->actions),
                         -EEXIST);
        record.address = 0x0b000001;
        assert_int_equal(dhcp4_server_import(w->server, &record, w->now, &w->actions),
                         -EDOM);
        world_free(w);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_address_is_probed_before_its_first_offer),
                cmocka_unit_test(
                        an_address_somebody_answers_for_rests_and_another_is_probed),
                cmocka_unit_test(a_client_that_answers_for_itself_is_no_conflict),
                cmocka_unit_test(a_crowd_is_probed_all_at_once),
                cmocka_unit_test(who_waits_for_a_probe_hears_a_reload_in_between),
                cmocka_unit_test(a_bootp_client_waits_for_the_probe_too),
                cmocka_unit_test(a_host_is_known_by_each_of_its_identifiers),
                cmocka_unit_test(a_machine_swapped_at_a_port_takes_over_the_address),
                cmocka_unit_test(
                        a_host_without_an_address_still_has_options_of_its_own),
                cmocka_unit_test(a_reservation_counts_only_on_its_own_wire),
                cmocka_unit_test(a_class_says_more_than_its_subnet),
                cmocka_unit_test(a_pool_may_be_for_some_classes_only),
                cmocka_unit_test(a_pool_may_be_for_bootp_while_its_subnet_is_not),
                cmocka_unit_test(an_explanation_knows_of_classes_and_hosts),
                cmocka_unit_test(subnets_of_one_shared_network_help_each_other_out),
                cmocka_unit_test(every_address_of_an_interface_brings_its_subnet),
                cmocka_unit_test(two_interfaces_are_two_wires),
                cmocka_unit_test(
                        a_subnet_may_name_an_interface_without_an_address_in_it),
                cmocka_unit_test(the_link_that_a_relay_names_chooses_the_subnet),
                cmocka_unit_test(the_subnet_that_a_client_selects_is_its_own),
                cmocka_unit_test(a_relay_may_be_the_server_in_the_clients_eyes),
                cmocka_unit_test(
                        a_relay_outside_of_its_subnet_is_known_by_the_configuration),
                cmocka_unit_test(a_port_of_a_relay_holds_so_many_offers_and_no_more),
                cmocka_unit_test(a_card_under_many_names_holds_few_offers),
                cmocka_unit_test(a_drained_pool_recovers_by_itself),
                cmocka_unit_test(one_that_declines_everything_is_not_believed_for_long),
                cmocka_unit_test(what_is_for_another_server_changes_nothing),
                cmocka_unit_test(an_offer_cannot_be_declined),
                cmocka_unit_test(an_administrator_ends_and_imports_leases),
        };

        return check_run("story/dhcp4_rules", tests);
}
