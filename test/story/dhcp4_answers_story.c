/*
 * What is in an answer and where: the client's order, options that do not fit, firmware
 * that is answered in one form after another, menus and boot servers of PXE, and other
 * servers on the wire.
 */
#include "test/story/dhcp4_world.h"

static const uint8_t letters[600] = "abcdefghijklmnopqrstuvwxyz";

/* The codes in the order in which they stand in the options field. */
static size_t codes_of(const struct world *w, uint8_t ret[64]) {
        struct reader r = reader_of(w->send->data, w->send->n);
        size_t n = 0;
        uint8_t code;

        (void)reader_span(&r, DHCP4_HEADER + 4);
        while ((code = reader_u8(&r)) != DHCP4_END && !r.failed && n < 64) {
                ret[n++] = code;
                (void)reader_span(&r, reader_u8(&r));
        }
        return n;
}

static size_t place_of(const struct world *w, uint8_t code) {
        uint8_t codes[64];
        size_t n = codes_of(w, codes);

        for (size_t i = 0; i < n; i++)
                if (codes[i] == code)
                        return i;
        return SIZE_MAX;
}

/* ---- order and room ---- */

/* RFC 2132 9.8: options in the order that the client asked for them. */
static void options_come_in_the_clients_order(void **state) {
        struct world *w = new_started();
        struct asking a = { .type = DHCP4_DISCOVER, .list = "\x0f\6\3\1" };

        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_int_equal(place_of(w, DHCP4_MESSAGE_TYPE), 0);
        assert_true(place_of(w, 15) < place_of(w, 6));
        assert_true(place_of(w, 6) < place_of(w, 3));
        /* RFC 2132 3.3: the mask before the routers all the same */
        assert_true(place_of(w, 6) < place_of(w, 1));
        assert_true(place_of(w, 1) < place_of(w, 3));
        a.list = "\6\x0f";
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_true(place_of(w, 6) < place_of(w, 15));
        assert_false(w->answer.has[3]); /* not asked for */
        world_free(w);
}

/* RFC 2131 4.1, RFC 2132 9.3: what does not fit goes into `file` and `sname`. */
static void what_does_not_fit_overflows_into_the_empty_fields(void **state) {
        struct world *w = new_world();
        struct asking a = { .type = DHCP4_DISCOVER };

        w->options[2] = (struct scope_option)OPTION(224, 180, letters);
        w->options[3] = (struct scope_option)OPTION(225, 100, letters);
        w->options[4] = (struct scope_option)OPTION(226, 50, letters);
        w->subnets[0].scope.n_options = 5;
        world_start(w);
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_true(w->send->n <= 548);
        assert_true(w->answer.has[DHCP4_OVERLOAD]);
        assert_int_equal(dhcp4_option(&w->answer, 224).n, 180);
        assert_int_equal(dhcp4_option(&w->answer, 225).n, 100);
        assert_int_equal(dhcp4_option(&w->answer, 226).n, 50);
        /* who can take more gets it without such tricks */
        a.max_size = 1500;
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_false(w->answer.has[DHCP4_OVERLOAD]);
        assert_int_equal(dhcp4_option(&w->answer, 226).n, 50);
        world_free(w);
}

static void a_boot_file_keeps_its_field(void **state) {
        struct world *w = new_world();
        struct asking a = pxe(DHCP4_DISCOVER, 0);

        w->options[2] = (struct scope_option)OPTION(224, 180, letters);
        w->options[3] = (struct scope_option)OPTION(225, 60, letters);
        w->subnets[0].scope.n_options = 4;
        world_start(w);
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_string_equal(w->answer.file, "pxelinux.0");
        assert_int_equal(dhcp4_option(&w->answer, DHCP4_OVERLOAD).data[0], 2);
        assert_int_equal(dhcp4_option(&w->answer, 225).n, 60); /* in `sname` */
        world_free(w);
}

static void what_has_no_room_at_all_is_left_out_and_named(void **state) {
        struct world *w = new_world();
        struct asking a = { .type = DHCP4_DISCOVER, .list = "\1\3\xe0\xe1" };
        char *said;

        w->options[2] = (struct scope_option)OPTION(224, 250, letters);
        w->options[3] = (struct scope_option)OPTION(225, 250, letters);
        w->subnets[0].scope.n_options = 4;
        world_start(w);
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_int_equal(dhcp4_option(&w->answer, 224).n, 250);
        assert_false(w->answer.has[225]); /* asked for last */
        said = sentence_of(w, EVENT_DHCP_SENT);
        assert_non_null(strstr(said, "no room for option 225"));
        test_free(said);
        world_free(w);
}

/* RFC 3396: longer than 255 goes in pieces, which the reader joins. */
static void a_long_option_goes_in_pieces(void **state) {
        struct world *w = new_world();
        struct asking a = { .type = DHCP4_DISCOVER, .max_size = 1500 };

        w->options[2] = (struct scope_option)OPTION(121, 600, letters);
        world_start(w);
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_true(answer_has(w, 121, letters, 600));
        world_free(w);
}

/* RFC 951 3: a BOOTP client has room for 64 bytes of options. */
static void a_bootp_answer_is_no_longer_than_its_request(void **state) {
        struct world *w = new_world();

        w->options[2] = (struct scope_option)OPTION(224, 180, letters);
        w->subnets[0].bootp = true;
        world_start(w);
        assert_int_equal(say(w, &(struct asking){ .type = DHCP4_BOOTP }), DHCP4_BOOTP);
        assert_int_equal(w->send->n, 300);
        assert_true(w->answer.has[DHCP4_SUBNET_MASK]);
        assert_false(w->answer.has[224]);
        assert_false(w->answer.has[DHCP4_OVERLOAD]);
        world_free(w);
}

/* RFC 2131 table 3, row by row: what must be there, what must not. */
static void each_kind_of_answer_has_what_it_must_and_no_more(void **state) {
        enum { MUST = 1, NOT = 2 };
        static const struct {
                uint8_t code;
                uint8_t offer, ack, inform, nak;
        } table[] = {
                { DHCP4_REQUESTED_ADDRESS, NOT, NOT, NOT, NOT },
                { DHCP4_LEASE_TIME, MUST, MUST, NOT, NOT },
                { DHCP4_MESSAGE_TYPE, MUST, MUST, MUST, MUST },
                { DHCP4_PARAMETER_LIST, NOT, NOT, NOT, NOT },
                { DHCP4_SERVER_ID, MUST, MUST, MUST, MUST },
                { DHCP4_MAX_SIZE, NOT, NOT, NOT, NOT },
                { DHCP4_RENEWAL_TIME, MUST, MUST, NOT, NOT },
                { DHCP4_SUBNET_MASK, MUST, MUST, MUST, NOT },
                { DHCP4_ROUTERS, MUST, MUST, MUST, NOT },
                { DHCP4_OVERLOAD, 0, 0, 0, NOT },
        };
        struct world *w = new_started();
        struct asking a = { .type = DHCP4_DISCOVER, .client = 1, .max_size = 600 };

        for (unsigned i = 0; i < 4; i++) {
                const uint8_t types[] = { DHCP4_OFFER, DHCP4_ACK, DHCP4_ACK,
                                          DHCP4_NAK };

                assert_int_equal(say(w, &a), types[i]);
                for (size_t j = 0; j < ARRAY_SIZE(table); j++) {
                        const uint8_t *row = &table[j].offer;

                        if (row[i])
                                assert_int_equal(w->answer.has[table[j].code],
                                                 row[i] == MUST);
                }
                assert_int_equal(w->answer.hops, 0);
                assert_int_equal(w->answer.secs, 0);
                assert_int_equal(w->answer.yiaddr != 0, i < 2);
                assert_int_equal(w->answer.ciaddr, i == 2 ? NET(77) : 0);
                if (i == 0)
                        a = (struct asking){ DHCP4_REQUEST, 1, .wanted = NET(10),
                                             .server = us };
                else if (i == 1)
                        a = (struct asking){ DHCP4_INFORM, 1, .ciaddr = NET(77) };
                else
                        a = (struct asking){ DHCP4_REQUEST, 1, .wanted = FAR(10) };
        }
        world_free(w);
}

/* ---- times ---- */

/* RFC 2131 4.4.5: T1 and T2 are the server's to say. */
static void the_times_to_renew_are_those_configured(void **state) {
        static const struct {
                nsec_t t1, t2;
                uint32_t said1, said2;
        } rows[] = { { 0, 0, 1800, 3150 },
                     { 600 SECONDS, 1200 SECONDS, 600, 1200 },
                     { 600 SECONDS, 0, 600, 3150 },
                     { 0, 1200 SECONDS, 1200, 1200 },
                     { 4000 SECONDS, 5000 SECONDS, 1800, 3150 } };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct world *w = new_world();

                w->subnets[0].scope.renewal_time = rows[i].t1;
                w->subnets[0].scope.rebinding_time = rows[i].t2;
                world_start(w);
                assert_int_equal(discover(w, 1, 0), DHCP4_OFFER);
                assert_int_equal(dhcp4_option_be32(&w->answer, DHCP4_RENEWAL_TIME),
                                 rows[i].said1);
                assert_int_equal(dhcp4_option_be32(&w->answer, DHCP4_REBINDING_TIME),
                                 rows[i].said2);
                world_free(w);
        }
}

static void a_lease_just_given_is_not_written_again(void **state) {
        struct world *w = new_started();
        ip4_t address = dora(w, 1);
        nsec_t ends = w->disk[0].ends;

        pass(w, 800 SECONDS); /* less than a quarter of it */
        assert_int_equal(request(w, 1, address), DHCP4_ACK);
        assert_true(w->disk[0].ends == ends);
        assert_int_equal(dhcp4_option_be32(&w->answer, DHCP4_LEASE_TIME), 2800);
        assert_int_equal(dhcp4_option_be32(&w->answer, DHCP4_RENEWAL_TIME), 1400);
        pass(w, 200 SECONDS);
        assert_int_equal(request(w, 1, address), DHCP4_ACK);
        assert_true(w->disk[0].ends == w->now + 3600 SECONDS);
        /* but another name is news */
        assert_int_equal(say(w, &(struct asking){ .type = DHCP4_REQUEST,
                                                  .client = 1,
                                                  .wanted = address,
                                                  .server = us,
                                                  .hostname = "box" }),
                         DHCP4_ACK);
        assert_string_equal(w->disk[0].hostname, "box");
        world_free(w);
}

/* ---- answers that adapt ---- */

static struct world *new_proxy(void) {
        struct world *w = new_world();

        w->config.is_proxy = true;
        world_start(w);
        return w;
}

static void silent_firmware_is_answered_in_one_form_after_another(void **state) {
        struct world *w = new_proxy();
        struct asking a = pxe(DHCP4_DISCOVER, 0);
        char *said;

        for (unsigned i = 0; i < 2; i++) {
                assert_int_equal(say(w, &a), DHCP4_OFFER);
                assert_true(answer_has(w, DHCP4_VENDOR_OPTIONS, "\6\1\x08\xff", 4));
                assert_null(find_event(w, EVENT_ANSWER_ADAPTED));
                pass(w, 4 SECONDS);
        }
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_false(w->answer.has[DHCP4_VENDOR_OPTIONS]);
        assert_string_equal(w->answer.file, "pxelinux.0");
        said = sentence_of(w, EVENT_ANSWER_ADAPTED);
        assert_string_equal(said,
                            "answered in form 2: no option 43, the file from port "
                            "4011, after 2 DISCOVERs and no file fetched");
        test_free(said);
        pass(w, 4 SECONDS);
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        pass(w, 4 SECONDS);
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        said = sentence_of(w, EVENT_ANSWER_ADAPTED);
        assert_non_null(strstr(said, "no request to port 4011"));
        test_free(said);
        /* boot servers: nothing to boot in the offer itself, but whom to ask */
        assert_true(memmem(dhcp4_option(&w->answer, DHCP4_VENDOR_OPTIONS).data,
                           dhcp4_option(&w->answer, DHCP4_VENDOR_OPTIONS).n,
                           "\x08\x07\x80\0\1\xc0\xa8\1\1", 9) != NULL);
        assert_int_equal(w->answer.file[0], 0);
        world_free(w);
}

static void the_form_that_worked_is_remembered_for_its_kind(void **state) {
        struct world *w = new_proxy();
        struct asking a = pxe(DHCP4_DISCOVER, 0);
        struct adapt_habit habit = { 0 };

        for (unsigned i = 0; i < 3; i++) {
                assert_int_equal(say(w, &a), DHCP4_OFFER);
                pass(w, 4 SECONDS);
        }
        dhcp4_server_fetched(w->server, mac_of(1), w->now, &w->actions);
        for (size_t i = 0; i < w->actions.n; i++)
                if (w->actions.items[i].kind == DHCP4_REMEMBER)
                        habit = w->actions.items[i].habit;
        assert_int_equal(habit.form, 2);
        world_restart(w); /* what is remembered outlives the server */
        dhcp4_server_load_habit(w->server, &habit);
        a.client = 2;
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_false(w->answer.has[DHCP4_VENDOR_OPTIONS]);
        world_free(w);
}

/* Was: iPXE, loaded by firmware that had to be told of boot servers, was told of them
 * too, and had no file to go on with. */
static void ipxe_was_answered_in_the_form_of_the_firmware_before_it(void **state) {
        struct world *w = new_proxy();
        const struct adapt_habit habit = { { 0x52, 0x54, 0 }, 7, ADAPT_PXE, 3 };
        struct asking a = pxe(DHCP4_DISCOVER, 7);

        dhcp4_server_load_habit(w->server, &habit);
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_int_equal(w->answer.file[0], 0);
        a.user_class = "iPXE";
        a.ipxe_feature = 0x13;
        for (unsigned i = 0; i < 5; i++) {
                assert_int_equal(say(w, &a), DHCP4_OFFER);
                assert_string_equal(w->answer.file, "http://192.168.1.1/boot.ipxe");
                assert_true(answer_has(w, DHCP4_VENDOR_OPTIONS, "\6\1\x08\xff", 4));
                assert_null(find_event(w, EVENT_ANSWER_ADAPTED));
                pass(w, 4 SECONDS);
        }
        world_free(w);
}

static void http_firmware_gets_its_url_in_the_header_in_the_end(void **state) {
        struct world *w = new_started();
        struct asking a = pxe(DHCP4_DISCOVER, 16);

        a.vendor_class = "HTTPClient:Arch:00016:UNDI:003001";
        for (unsigned i = 0; i < 3; i++) {
                assert_int_equal(say(w, &a), DHCP4_OFFER);
                assert_true(w->answer.has[DHCP4_BOOT_FILE]);
                pass(w, 4 SECONDS);
        }
        assert_string_equal(w->answer.file, "http://192.168.1.1/snponly.efi");
        world_free(w);
}

static void a_machine_that_goes_on_keeps_its_form(void **state) {
        struct world *w = new_proxy();
        struct asking a = pxe(DHCP4_DISCOVER, 0);

        for (unsigned i = 0; i < 9; i++) {
                assert_int_equal(say(w, &a), DHCP4_OFFER);
                assert_true(answer_has(w, DHCP4_VENDOR_OPTIONS, "\6\1\x08\xff", 4));
                dhcp4_server_fetched(w->server, mac_of(1), w->now, &w->actions);
                pass(w, 20 SECONDS);
        }
        world_free(w);
}

/* ---- PXE's own menu ---- */

static const struct scope_pxe_item menu_items[] = {
        { 0, "Local disk", "", 0 },
        { 2, "Rescue", "rescue.0", NET(9) },
        { 0x8001, "Bootjack", "", 0 },
};

static struct asking boot_server(uint16_t port, const char *vendor, size_t n) {
        struct asking a = pxe(DHCP4_REQUEST, 0);

        a.ciaddr = NET(50);
        a.port = port;
        a.to = us;
        a.from_port = port == DHCP4_BINL_PORT ? DHCP4_BINL_PORT : 0;
        a.vendor = vendor;
        a.n_vendor = n;
        return a;
}

/* PXE 2.1 2.2.3: boot servers, menu and prompt are in the offer. */
static void a_configured_menu_is_in_the_offer(void **state) {
        struct world *w = new_world();
        struct asking a = pxe(DHCP4_DISCOVER, 0);
        struct span vendor;

        w->config.is_proxy = true;
        w->config.pxe = (struct scope_pxe){ "Press F8", 10 SECONDS, menu_items, 3 };
        world_start(w);
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        vendor = dhcp4_option(&w->answer, DHCP4_VENDOR_OPTIONS);
        assert_non_null(memmem(vendor.data, vendor.n, "\6\1\7", 3));
        assert_non_null(memmem(vendor.data, vendor.n, "\0\2\1\xc0\xa8\1\x09", 7));
        assert_non_null(memmem(vendor.data, vendor.n, "\x80\1\1\xc0\xa8\1\1", 7));
        assert_non_null(memmem(vendor.data, vendor.n, "\0\2\6Rescue", 9));
        assert_non_null(memmem(vendor.data, vendor.n, "\x0a\x09\x0aPress F8", 11));
        assert_int_equal(vendor.data[vendor.n - 1], 255);
        assert_int_equal(w->answer.file[0], 0);
        world_free(w);
}

/* PXE 2.1 2.2.4: the answer names the item that was asked for, and its file. */
static void a_boot_server_answers_for_the_item_it_is_asked_for(void **state) {
        struct world *w = new_world();
        struct asking a;

        w->config.is_proxy = true;
        w->config.pxe = (struct scope_pxe){ "", 0, menu_items, 3 };
        world_start(w);
        a = boot_server(DHCP4_BINL_PORT, "\x47\4\x80\1\0\0\xff", 7);
        assert_int_equal(say(w, &a), DHCP4_ACK);
        assert_string_equal(w->answer.file, "pxelinux.0");
        assert_int_equal(w->answer.siaddr, us);
        assert_true(answer_has(w, DHCP4_VENDOR_OPTIONS, "\x47\4\x80\1\0\0\xff", 7));
        assert_int_equal(w->send->port, DHCP4_BINL_PORT);
        a = boot_server(DHCP4_BINL_PORT, "\x47\4\0\2\0\0\xff", 7);
        assert_int_equal(say(w, &a), DHCP4_ACK);
        assert_string_equal(w->answer.file, "rescue.0");
        assert_int_equal(w->answer.siaddr, NET(9));
        /* by broadcast to port 67 */
        a = boot_server(DHCP4_SERVER_PORT, "\x47\4\x80\1\0\0\xff", 7);
        assert_int_equal(say(w, &a), DHCP4_ACK);
        assert_int_equal(w->send->to, NET(50));
        assert_int_equal(w->send->port, DHCP4_CLIENT_PORT);
        assert_string_equal(w->answer.file, "pxelinux.0"); /* was: left empty */
        /* any other REQUEST is for who gave the address */
        a = boot_server(DHCP4_SERVER_PORT, "", 0);
        assert_int_equal(say(w, &a), -1);
        world_free(w);
}

static void option_43_that_is_nonsense_is_no_question(void **state) {
        static const struct {
                const char *vendor;
                size_t n;
        } rows[] = { { "\x47", 1 },
                     { "\x47\4\0\1", 4 },
                     { "\x47\2\0\1", 4 },
                     { "\x47\xff\0\1", 4 },
                     { "\xff\x47\4\0\1\0\0", 7 } };
        struct world *w = new_proxy();

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct asking a =
                        boot_server(DHCP4_SERVER_PORT, rows[i].vendor, rows[i].n);

                assert_int_equal(say(w, &a), -1);
        }
        world_free(w);
}

/* ---- other servers ---- */

static void overhear(struct world *w, ip4_t server, uint8_t type) {
        struct dhcp4_message head = { .op = DHCP4_BOOTREPLY,
                                      .htype = 1,
                                      .hlen = 6,
                                      .yiaddr = NET(150),
                                      .file = "evil.efi" };
        uint8_t bytes[600];
        struct writer out = writer_of(bytes, sizeof(bytes));
        struct dhcp4_received received = { .data = bytes,
                                           .ifindex = LAN,
                                           .from = server,
                                           .to = UINT32_MAX,
                                           .from_port = DHCP4_SERVER_PORT,
                                           .port = DHCP4_CLIENT_PORT,
                                           .now = w->now };

        dhcp4_build_head(&out, &head);
        dhcp4_build_option(&out, DHCP4_MESSAGE_TYPE, &type, 1);
        dhcp4_build_be32(&out, DHCP4_SERVER_ID, server);
        dhcp4_build_end(&out);
        received.n = out.at;
        dhcp4_server_recv(w->server, &received, &w->actions);
        check_actions(w);
        assert_null(w->send);
}

static void another_server_is_reported_once_an_hour(void **state) {
        struct world *w = new_started();
        char *said;

        overhear(w, NET(2), DHCP4_OFFER);
        said = sentence_of(w, EVENT_OTHER_SERVER);
        assert_string_equal(said, "another DHCP server on lan0: 192.168.1.2 offers "
                                  "192.168.1.150 and boot file evil.efi");
        test_free(said);
        overhear(w, NET(2), DHCP4_ACK);
        assert_null(find_event(w, EVENT_OTHER_SERVER));
        overhear(w, us, DHCP4_OFFER);
        assert_null(find_event(w, EVENT_OTHER_SERVER));
        overhear(w, NET(3), DHCP4_NAK);
        assert_null(find_event(w, EVENT_OTHER_SERVER));
        overhear(w, NET(3), DHCP4_ACK);
        assert_non_null(find_event(w, EVENT_OTHER_SERVER));
        pass(w, 3601 SECONDS);
        overhear(w, NET(2), DHCP4_OFFER);
        assert_non_null(find_event(w, EVENT_OTHER_SERVER));
        /* and who takes its offer tells of it too */
        pass(w, 3601 SECONDS);
        assert_int_equal(say(w, &(struct asking){ .type = DHCP4_REQUEST,
                                                  .client = 1,
                                                  .wanted = NET(150),
                                                  .server = NET(2) }),
                         -1);
        assert_non_null(find_event(w, EVENT_OTHER_SERVER));
        world_free(w);
}

static void many_other_servers_do_not_fill_anything(void **state) {
        struct world *w = new_started();

        for (unsigned i = 0; i < 1000; i++) {
                overhear(w, 0x0b000000 + i, DHCP4_OFFER);
                assert_non_null(find_event(w, EVENT_OTHER_SERVER));
        }
        world_free(w);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(options_come_in_the_clients_order),
                cmocka_unit_test(what_does_not_fit_overflows_into_the_empty_fields),
                cmocka_unit_test(a_boot_file_keeps_its_field),
                cmocka_unit_test(what_has_no_room_at_all_is_left_out_and_named),
                cmocka_unit_test(a_long_option_goes_in_pieces),
                cmocka_unit_test(a_bootp_answer_is_no_longer_than_its_request),
                cmocka_unit_test(each_kind_of_answer_has_what_it_must_and_no_more),
                cmocka_unit_test(the_times_to_renew_are_those_configured),
                cmocka_unit_test(a_lease_just_given_is_not_written_again),
                cmocka_unit_test(silent_firmware_is_answered_in_one_form_after_another),
                cmocka_unit_test(the_form_that_worked_is_remembered_for_its_kind),
                cmocka_unit_test(
                        ipxe_was_answered_in_the_form_of_the_firmware_before_it),
                cmocka_unit_test(http_firmware_gets_its_url_in_the_header_in_the_end),
                cmocka_unit_test(a_machine_that_goes_on_keeps_its_form),
                cmocka_unit_test(a_configured_menu_is_in_the_offer),
                cmocka_unit_test(a_boot_server_answers_for_the_item_it_is_asked_for),
                cmocka_unit_test(option_43_that_is_nonsense_is_no_question),
                cmocka_unit_test(another_server_is_reported_once_an_hour),
                cmocka_unit_test(many_other_servers_do_not_fill_anything),
        };

        return check_run("story/dhcp4_answers", tests);
}
