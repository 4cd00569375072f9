#include "base/addr.h"

#include "test/check.h"

static void ip4_text_and_back(void **state) {
        static const char *const good[] = { "0.0.0.0", "255.255.255.255",
                                            "192.168.1.6" };
        static const char *const bad[] = { "",          "1.2.3",     "1.2.3.4.",
                                           "1.2.3.256", "1.2.3.4 ",  "a.b.c.d",
                                           "1..2.3",    "0001.2.3.4" };
        char out[IP4_TEXT_MAX];
        ip4_t a;

        for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
                assert_true(ip4_parse(good[i], &a));
                assert_string_equal(ip4_format(a, out), good[i]);
        }
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                a = 7;
                assert_false(ip4_parse(bad[i], &a));
                assert_int_equal(a, 7);
        }
}

static void mac_text_and_back(void **state) {
        struct mac m;
        char out[MAC_TEXT_MAX];

        assert_true(mac_parse("52:54:00:AB:cd:ef", &m));
        assert_string_equal(mac_format(m, out), "52:54:00:ab:cd:ef");
        assert_true(mac_parse("52-54-00-ab-cd-ef", &m));
        assert_false(mac_parse("52:54:00:ab:cd", &m));
        assert_false(mac_parse("52:54:00:ab:cd:ef:00", &m));
        assert_false(mac_parse("52:54:00:ab:cd:eg", &m));
        assert_false(mac_parse("", &m));
}

static void uuid_is_printed_as_pxelinux_asks(void **state) {
        struct uuid u = { { 0xb8, 0x94, 0x50, 0x8e, 0x41, 0x00, 0x11, 0xe0, 0xbc, 0x0c,
                            0x00, 0x1f, 0xd0, 0x8b, 0x1c, 0x02 } };
        char out[UUID_TEXT_MAX];

        assert_string_equal(uuid_format(u, out),
                            "b894508e-4100-11e0-bc0c-001fd08b1c02");
}

/* RFC 5952 4 and 5: lower case, no leading zeros, the longest run of zeros, the first
 * of equals, never a single group. */
static void ip6_is_printed_in_its_one_way(void **state) {
        static const struct {
                struct ip6 address;
                const char *text;
        } rows[] = {
                { { { 0 } }, "::" },
                { { { [15] = 1 } }, "::1" },
                { { { 0xfd, 0x77, [15] = 1 } }, "fd77::1" },
                { { { 0xfe, 0x80 } }, "fe80::" },
                { { { 0x20, 0x01, 0x0d, 0xb8, [9] = 1, [15] = 1 } },
                  "2001:db8::1:0:0:1" },
                { { { 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1 } },
                  "2001:db8:0:1:1:1:1:1" },
                { { { 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0xAB,
                      0xCD } },
                  "2001:db8::1:0:0:abcd" },
                { { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                      0xff, 0xff, 0xff, 0xff, 0xff } },
                  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
        };
        char out[IP6_TEXT_MAX];

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                assert_string_equal(ip6_format(rows[i].address, out), rows[i].text);
        assert_true(ip6_is_link_local(rows[3].address));
        assert_false(ip6_is_link_local(rows[2].address));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(ip4_text_and_back),
                cmocka_unit_test(mac_text_and_back),
                cmocka_unit_test(ip6_is_printed_in_its_one_way),
                cmocka_unit_test(uuid_is_printed_as_pxelinux_asks),
        };
        return check_run("base/addr", tests);
}
