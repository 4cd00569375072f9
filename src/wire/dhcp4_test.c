#include "wire/dhcp4.h"

#include "test/check.h"

#define BYTES(text) (const uint8_t *)(text), sizeof(text) - 1
#define COOKIE      "\x63\x82\x53\x63"

/* A DISCOVER's head with these bytes behind it and in its two text fields. */
struct packet {
        uint8_t bytes[2048];
        size_t n;
};

static void packet_init(struct packet *p, const uint8_t *after, size_t n) {
        static const uint8_t head[] = { 1,    1,    6,    0,    0xde, 0xad,
                                        0xbe, 0xef, 0x00, 0x04, 0x80, 0 };
        static const uint8_t mac[] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };

        memset(p, 0, sizeof(*p));
        memcpy(p->bytes, head, sizeof(head));
        memcpy(p->bytes + 28, mac, sizeof(mac));
        memcpy(p->bytes + DHCP4_HEADER, after, n);
        p->n = DHCP4_HEADER + n;
}

/* As from the wire: a block of exactly that size. */
static enum dhcp4_verdict parse(const struct packet *p, struct dhcp4_message *ret) {
        uint8_t *exact = test_malloc(p->n + 1);
        enum dhcp4_verdict verdict;

        memcpy(exact + 1, p->bytes, p->n);
        verdict = dhcp4_parse(exact + 1, p->n, ret);
        test_free(exact);
        return verdict;
}

static void assert_option(const struct dhcp4_message *m, uint8_t code,
                          const char *expected, size_t n) {
        struct span value = dhcp4_option(m, code);

        assert_int_equal(value.n, n);
        assert_memory_equal(value.data, expected, n);
}

static void the_head_is_read_field_by_field(void **state) {
        struct dhcp4_message m;
        struct packet p;

        packet_init(&p, BYTES(COOKIE "\x35\1\1\xff"));
        memcpy(p.bytes + 12, "\x0a\0\0\1\x0a\0\0\2\x0a\0\0\3\x0a\0\0\4", 16);
        memcpy(p.bytes + 44, "server", 6);
        memset(p.bytes + 108, 'f', 128);
        p.bytes[3] = 7;
        assert_int_equal(parse(&p, &m), DHCP4_OK);
        assert_int_equal(m.op, DHCP4_BOOTREQUEST);
        assert_int_equal(m.htype, 1);
        assert_int_equal(m.hlen, 6);
        assert_int_equal(m.hops, 7);
        assert_int_equal(m.xid, 0xdeadbeef);
        assert_int_equal(m.secs, 4);
        assert_int_equal(m.flags, DHCP4_FLAG_BROADCAST);
        assert_int_equal(m.ciaddr, 0x0a000001);
        assert_int_equal(m.yiaddr, 0x0a000002);
        assert_int_equal(m.siaddr, 0x0a000003);
        assert_int_equal(m.giaddr, 0x0a000004);
        assert_memory_equal(m.chaddr, "\x52\x54\0\x12\x34\x56\0\0", 8);
        assert_string_equal(m.sname, "server");
        assert_int_equal(strlen(m.file), 128); /* no NUL in the field: ours is behind */
        assert_int_equal(m.type, DHCP4_DISCOVER);
}

static void the_verdict_says_what_is_wrong(void **state) {
        static const struct {
                const uint8_t *after;
                size_t n;
                enum dhcp4_verdict verdict;
                enum dhcp4_type type;
        } rows[] = {
                { BYTES(COOKIE "\x35\1\3\xff"), DHCP4_OK, DHCP4_REQUEST },
                /* what is behind the END is nobody's business */
                { BYTES(COOKIE "\x35\1\3\xff\x0c\xff"), DHCP4_OK, DHCP4_REQUEST },
                /* some ROMs forget the END */
                { BYTES(COOKIE "\x35\1\3"), DHCP4_OK, DHCP4_REQUEST },
                { BYTES(COOKIE "\0\0\x35\1\3\0\0"), DHCP4_OK, DHCP4_REQUEST },
                { BYTES(COOKIE "\x35\1\3\x0c\0\xff"), DHCP4_OK, DHCP4_REQUEST },
                /* an option that is cut: in its length, in its value */
                { BYTES(COOKIE "\x35\1\3\x0c"), DHCP4_BAD_OPTIONS, 0 },
                { BYTES(COOKIE "\x35\1\3\x0c\2x"), DHCP4_BAD_OPTIONS, 0 },
                { BYTES(COOKIE "\x35\1"), DHCP4_BAD_OPTIONS, 0 },
                /* a type that is none */
                { BYTES(COOKIE "\x35\1\x09\xff"), DHCP4_BAD_OPTIONS, 0 },
                { BYTES(COOKIE "\x35\2\1\1\xff"), DHCP4_BAD_OPTIONS, 0 },
                { BYTES(COOKIE "\x35\0\xff"), DHCP4_BAD_OPTIONS, 0 },
                /* twice is joined, so it is of two bytes (RFC 3396) */
                { BYTES(COOKIE "\x35\1\1\x35\1\3\xff"), DHCP4_BAD_OPTIONS, 0 },
                /* BOOTP: with our cookie, with zeros, with nothing at all */
                { BYTES(COOKIE "\xff"), DHCP4_OK, DHCP4_BOOTP },
                { BYTES(COOKIE), DHCP4_OK, DHCP4_BOOTP },
                { BYTES("\0\0\0\0\0\0\0\0\x35\1\3"), DHCP4_OK, DHCP4_BOOTP },
                { BYTES("\x63\x82\x53"), DHCP4_OK, DHCP4_BOOTP },
                { BYTES(""), DHCP4_OK, DHCP4_BOOTP },
                { BYTES("CMU\0\x35\1\3\xff"), DHCP4_NO_COOKIE, 0 },
                { BYTES("\x63\x53\x82\x63\x35\1\3\xff"), DHCP4_NO_COOKIE, 0 },
        };
        struct dhcp4_message m;

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct packet p;
                enum dhcp4_verdict verdict;

                packet_init(&p, rows[i].after, rows[i].n);
                verdict = parse(&p, &m);
                if (verdict != rows[i].verdict)
                        print_message("# row %zu\n", i);
                assert_int_equal(verdict, rows[i].verdict);
                if (verdict == DHCP4_OK)
                        assert_int_equal(m.type, rows[i].type);
        }
        assert_int_equal(dhcp4_parse("", 0, &m), DHCP4_TOO_SHORT);
        assert_int_equal(dhcp4_parse(m.bytes, DHCP4_HEADER - 1, &m), DHCP4_TOO_SHORT);
}

/* Was: it passed for BOOTP, and BOOTP leases never end. */
static void a_message_type_of_zero_is_not_bootp(void **state) {
        struct dhcp4_message m;
        struct packet p;

        packet_init(&p, BYTES(COOKIE "\x35\1\0\xff"));
        assert_int_equal(parse(&p, &m), DHCP4_BAD_OPTIONS);
}

static void options_go_on_in_file_and_sname(void **state) {
        static const struct {
                uint8_t overload;
                const char *host; /* of the pieces "op", "fi", "sn" in that order */
                const char *file, *sname;
        } rows[] = {
                { 0, "op", "\x0c\2fi\xff", "\x0c\2sn" },
                { 1, "opfi", "", "\x0c\2sn" },
                { 2, "opsn", "\x0c\2fi\xff", "" },
                { 3, "opfisn", "", "" },
                /* bits that mean nothing */
                { 0xfc, "op", "\x0c\2fi\xff", "\x0c\2sn" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct dhcp4_message m;
                struct packet p;

                packet_init(&p, BYTES(COOKIE "\x35\1\1\x34\1?\x0c\2op\xff"));
                p.bytes[DHCP4_HEADER + 9] = rows[i].overload;
                memcpy(p.bytes + 108, "\x0c\2fi\xff", 5);
                memcpy(p.bytes + 44, "\x0c\2sn", 4); /* no END: the field ends it */
                assert_int_equal(parse(&p, &m), DHCP4_OK);
                assert_option(&m, DHCP4_HOST_NAME, rows[i].host, strlen(rows[i].host));
                assert_string_equal(m.file, rows[i].file);
                assert_string_equal(m.sname, rows[i].sname);
        }
}

static void an_overload_within_a_field_does_not_loop(void **state) {
        struct dhcp4_message m;
        struct packet p;

        packet_init(&p, BYTES(COOKIE "\x35\1\1\x34\1\1\xff"));
        memcpy(p.bytes + 108, "\x34\1\3\x0c\1f\xff", 7);
        memcpy(p.bytes + 44, "sname", 5);
        assert_int_equal(parse(&p, &m), DHCP4_OK);
        assert_option(&m, DHCP4_HOST_NAME, "f", 1);
        assert_string_equal(m.sname, "sname"); /* only the options field may say so */
}

static void an_option_cut_at_the_end_of_an_overloaded_field_is_bad(void **state) {
        struct dhcp4_message m;
        struct packet p;

        packet_init(&p, BYTES(COOKIE "\x35\1\1\x34\1\2\xff"));
        p.bytes[44 + 62] = DHCP4_HOST_NAME;
        p.bytes[44 + 63] = 1; /* its byte would be the first of `file` */
        assert_int_equal(parse(&p, &m), DHCP4_BAD_OPTIONS);
}

static void pieces_of_an_option_are_one_option(void **state) {
        struct dhcp4_message m;
        struct packet p;

        /* RFC 3396 5: in the order in which they come, whatever is between them */
        packet_init(&p, BYTES(COOKIE "\x0c\3one\x35\1\1\x0c\0\x0c\3two\0\x0c\1!\xff"));
        assert_int_equal(parse(&p, &m), DHCP4_OK);
        assert_option(&m, DHCP4_HOST_NAME, "onetwo!", 7);
        assert_int_equal(m.type, DHCP4_DISCOVER);
}

static void more_options_than_a_message_holds_are_none(void **state) {
        struct dhcp4_message m;
        struct packet p;

        packet_init(&p, BYTES(COOKIE));
        for (size_t left = DHCP4_MESSAGE_MAX; left > 0;) {
                size_t n = min_size(left, 255);

                p.bytes[p.n] = 224;
                p.bytes[p.n + 1] = (uint8_t)n;
                p.n += 2 + n;
                left -= n;
        }
        assert_int_equal(parse(&p, &m), DHCP4_OK);
        assert_int_equal(dhcp4_option(&m, 224).n, DHCP4_MESSAGE_MAX);
        assert_int_equal(dhcp4_option(&m, 225).n, 0); /* behind the last byte */
        p.bytes[p.n++] = 1;
        p.bytes[p.n++] = 1;
        p.bytes[p.n++] = 1;
        assert_int_equal(parse(&p, &m), DHCP4_BAD_OPTIONS);
}

static void numbers_have_exactly_their_length(void **state) {
        struct dhcp4_message m;
        struct packet p;

        packet_init(&p, BYTES(COOKIE "\x32\4\x0a\0\0\1\x33\3\0\1\0\x39\2\5\xdc"
                                     "\x36\5\1\2\3\4\5\x5d\4\0\7\0\6\xff"));
        assert_int_equal(parse(&p, &m), DHCP4_OK);
        assert_int_equal(dhcp4_option_be32(&m, DHCP4_REQUESTED_ADDRESS), 0x0a000001);
        assert_int_equal(dhcp4_option_be32(&m, DHCP4_LEASE_TIME), 0);
        assert_int_equal(dhcp4_option_be32(&m, DHCP4_SERVER_ID), 0);
        assert_int_equal(dhcp4_option_be32(&m, DHCP4_UUID), 0);
        assert_int_equal(dhcp4_option_be16(&m, DHCP4_MAX_SIZE), 1500);
        assert_int_equal(dhcp4_option_be16(&m, DHCP4_ARCHITECTURE), 0);
}

static void text_is_cut_at_a_nul_or_at_the_room(void **state) {
        static const struct {
                const uint8_t *value;
                size_t n, room;
                const char *text;
        } rows[] = {
                { BYTES("name"), 16, "name" }, { BYTES("name\0"), 16, "name" },
                { BYTES("na\0me"), 16, "na" }, { BYTES("name"), 5, "name" },
                { BYTES("name"), 4, "nam" },   { BYTES("name"), 1, "" },
                { BYTES("\0"), 16, "" },       { BYTES(""), 16, "" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct dhcp4_message m;
                struct packet p;
                char text[16];

                packet_init(&p, BYTES(COOKIE "\x0c"));
                p.bytes[p.n++] = (uint8_t)rows[i].n;
                memcpy(p.bytes + p.n, rows[i].value, rows[i].n);
                p.n += rows[i].n;
                assert_int_equal(parse(&p, &m), DHCP4_OK);
                dhcp4_option_text(&m, DHCP4_HOST_NAME, text, rows[i].room);
                assert_string_equal(text, rows[i].text);
                dhcp4_option_text(&m, DHCP4_BOOT_FILE, text, sizeof(text));
                assert_string_equal(text, "");
        }
}

static void a_client_without_a_list_wants_everything(void **state) {
        struct dhcp4_message m;
        struct packet p;

        packet_init(&p, BYTES(COOKIE "\x35\1\1\xff"));
        assert_int_equal(parse(&p, &m), DHCP4_OK);
        assert_true(dhcp4_wants(&m, DHCP4_BOOT_FILE));
        packet_init(&p, BYTES(COOKIE "\x35\1\1\x37\3\1\3\x43\xff"));
        assert_int_equal(parse(&p, &m), DHCP4_OK);
        assert_true(dhcp4_wants(&m, DHCP4_BOOT_FILE));
        assert_false(dhcp4_wants(&m, DHCP4_TFTP_SERVER));
}

static struct dhcp4_message answer(void) {
        struct dhcp4_message m = { .op = DHCP4_BOOTREPLY,
                                   .htype = 1,
                                   .hlen = 6,
                                   .xid = 0x01020304,
                                   .flags = DHCP4_FLAG_BROADCAST,
                                   .ciaddr = 1,
                                   .yiaddr = 2,
                                   .siaddr = 3,
                                   .giaddr = 4,
                                   .sname = "server",
                                   .file = "pxelinux.0" };

        memcpy(m.chaddr, "\x52\x54\0\x12\x34\x56", 6);
        return m;
}

static void what_is_built_is_read_back(void **state) {
        struct dhcp4_message head = answer(), m;
        uint8_t long_value[600];
        struct packet p = { .n = 0 };
        struct writer w = writer_of(p.bytes, DHCP4_MESSAGE_MAX);

        for (size_t i = 0; i < sizeof(long_value); i++)
                long_value[i] = (uint8_t)(i * 7);
        memset(head.file, 'f', 128);
        dhcp4_build_head(&w, &head);
        dhcp4_build_option(&w, DHCP4_MESSAGE_TYPE, "\2", 1);
        dhcp4_build_be32(&w, DHCP4_SERVER_ID, 0xc0a80101);
        dhcp4_build_option(&w, 80, NULL, 0); /* RFC 4039: it is there, and empty */
        dhcp4_build_option(&w, 224, long_value, sizeof(long_value));
        dhcp4_build_end(&w);
        assert_false(w.failed);
        p.n = w.at;
        assert_int_equal(parse(&p, &m), DHCP4_OK);
        assert_int_equal(m.type, DHCP4_OFFER);
        assert_int_equal(m.op, head.op);
        assert_int_equal(m.xid, head.xid);
        assert_int_equal(m.flags, head.flags);
        assert_int_equal(m.ciaddr, 1);
        assert_int_equal(m.yiaddr, 2);
        assert_int_equal(m.siaddr, 3);
        assert_int_equal(m.giaddr, 4);
        assert_memory_equal(m.chaddr, head.chaddr, 16);
        assert_string_equal(m.sname, head.sname);
        assert_string_equal(m.file, head.file);
        assert_int_equal(dhcp4_option_be32(&m, DHCP4_SERVER_ID), 0xc0a80101);
        assert_true(m.has[80]);
        assert_int_equal(dhcp4_option(&m, 80).n, 0);
        assert_option(&m, 224, (const char *)long_value, sizeof(long_value));
}

/* RFC 3396 4: pieces of 255, 255 and what is left. */
static void a_long_option_is_split(void **state) {
        static const uint8_t zeros[511];
        uint8_t bytes[600];
        struct writer w = writer_of(bytes, sizeof(bytes));

        dhcp4_build_option(&w, 224, zeros, 510);
        assert_int_equal(w.at, 2 + 255 + 2 + 255); /* and no empty piece behind */
        w.at = 0;
        dhcp4_build_option(&w, 224, zeros, 511);
        assert_int_equal(w.at, 2 + 255 + 2 + 255 + 2 + 1);
        assert_int_equal(bytes[2 + 255 + 1], 255);
        assert_int_equal(bytes[2 * 257 + 1], 1);
}

/* RFC 951: 300 bytes at the least. */
static void a_message_is_padded_to_what_old_relays_take(void **state) {
        struct dhcp4_message head = answer();
        uint8_t bytes[DHCP4_MESSAGE_MAX];
        static const uint8_t value[200];
        struct writer w = writer_of(bytes, sizeof(bytes));

        memset(bytes, 0xaa, sizeof(bytes));
        dhcp4_build_head(&w, &head);
        dhcp4_build_end(&w);
        assert_int_equal(w.at, DHCP4_BOOTP_MIN);
        assert_int_equal(bytes[DHCP4_HEADER + 4], DHCP4_END);
        assert_int_equal(bytes[DHCP4_BOOTP_MIN - 1], 0);
        assert_int_equal(bytes[DHCP4_BOOTP_MIN], 0xaa);
        w = writer_of(bytes, sizeof(bytes));
        dhcp4_build_head(&w, &head);
        dhcp4_build_option(&w, 224, value, sizeof(value));
        dhcp4_build_end(&w);
        assert_int_equal(w.at, DHCP4_HEADER + 4 + 202 + 1);
}

static void a_message_that_does_not_fit_fails(void **state) {
        struct dhcp4_message head = answer();
        uint8_t bytes[DHCP4_BOOTP_MIN];
        static const uint8_t value[60];
        struct writer w = writer_of(bytes, sizeof(bytes));

        dhcp4_build_head(&w, &head);
        dhcp4_build_option(&w, 224, value, 57);
        dhcp4_build_end(&w);
        assert_false(w.failed);
        assert_int_equal(w.at, sizeof(bytes));
        w = writer_of(bytes, sizeof(bytes));
        dhcp4_build_head(&w, &head);
        dhcp4_build_option(&w, 224, value, 58);
        assert_false(w.failed);
        dhcp4_build_end(&w);
        assert_true(w.failed);
}

static void a_strangers_text_cannot_forge_a_line(void **state) {
        struct dhcp4_message m;
        struct packet p;
        struct text out = { 0 };

        packet_init(&p, BYTES(COOKIE "\x35\1\1\x0c\6ab\n  1\xff"));
        memcpy(p.bytes + 108, "f\x1b[2J", 5);
        assert_int_equal(parse(&p, &m), DHCP4_OK);
        dhcp4_format(&m, &out);
        assert_string_equal(text_string(&out),
                            "DISCOVER request xid deadbeef secs 4 broadcast "
                            "chaddr 52:54:00:12:34:56 file f\\x1b[2J\n"
                            "  12 ab\\x0a  1\n"
                            "  53 01\n");
        text_done(&out);
}

static void every_type_has_a_name(void **state) {
        for (unsigned i = 0; i < DHCP4_N_TYPES; i++)
                assert_string_not_equal(dhcp4_type_name((enum dhcp4_type)i), "unknown");
        assert_string_equal(dhcp4_type_name(DHCP4_N_TYPES), "unknown");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_head_is_read_field_by_field),
                cmocka_unit_test(the_verdict_says_what_is_wrong),
                cmocka_unit_test(a_message_type_of_zero_is_not_bootp),
                cmocka_unit_test(options_go_on_in_file_and_sname),
                cmocka_unit_test(an_overload_within_a_field_does_not_loop),
                cmocka_unit_test(
                        an_option_cut_at_the_end_of_an_overloaded_field_is_bad),
                cmocka_unit_test(pieces_of_an_option_are_one_option),
                cmocka_unit_test(more_options_than_a_message_holds_are_none),
                cmocka_unit_test(numbers_have_exactly_their_length),
                cmocka_unit_test(text_is_cut_at_a_nul_or_at_the_room),
                cmocka_unit_test(a_client_without_a_list_wants_everything),
                cmocka_unit_test(what_is_built_is_read_back),
                cmocka_unit_test(a_long_option_is_split),
                cmocka_unit_test(a_message_is_padded_to_what_old_relays_take),
                cmocka_unit_test(a_message_that_does_not_fit_fails),
                cmocka_unit_test(a_strangers_text_cannot_forge_a_line),
                cmocka_unit_test(every_type_has_a_name),
        };
        return check_run("wire/dhcp4", tests);
}
