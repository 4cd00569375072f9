#include "proto/pxe.h"

#include "test/check.h"

#define VALUE(text) (text), sizeof(text) - 1

/* The facts of a DISCOVER with these options. */
struct option {
        uint8_t code;
        const char *value;
        size_t n;
};

static struct policy_facts facts_of(const struct option *options, size_t n) {
        struct dhcp4_message head = { .op = DHCP4_BOOTREQUEST, .htype = 1, .hlen = 6 };
        uint8_t bytes[DHCP4_MESSAGE_MAX];
        struct writer w = writer_of(bytes, sizeof(bytes));
        struct dhcp4_message message;
        struct policy_facts facts;

        memcpy(head.chaddr, "\x52\x54\0\x12\x34\x56", 6);
        dhcp4_build_head(&w, &head);
        dhcp4_build_option(&w, DHCP4_MESSAGE_TYPE, "\1", 1);
        for (size_t i = 0; i < n; i++)
                dhcp4_build_option(&w, options[i].code, options[i].value, options[i].n);
        dhcp4_build_end(&w);
        assert_false(w.failed);
        assert_int_equal(dhcp4_parse(bytes, w.at, &message), DHCP4_OK);
        pxe_facts(&message, &facts);
        return facts;
}

static struct policy_facts facts_of_one(uint8_t code, const char *value, size_t n) {
        return facts_of(&(struct option){ code, value, n }, 1);
}

static void an_ordinary_client_has_a_mac_and_nothing_else(void **state) {
        struct policy_facts f = facts_of(NULL, 0);

        assert_memory_equal(f.mac.b, "\x52\x54\0\x12\x34\x56", 6);
        assert_false(f.has_uuid || f.has_arch || f.is_pxe || f.is_http || f.is_ipxe ||
                     f.is_bootp || f.is_proxy);
        assert_int_equal(f.ipxe_features, 0);
        assert_string_equal(f.vendor_class, "");
        assert_string_equal(f.user_class, "");
}

static void the_vendor_class_tells_who_asks(void **state) {
        static const struct {
                const char *value;
                size_t n;
                bool is_pxe, is_http;
        } rows[] = {
                { VALUE("PXEClient"), true, false },
                { VALUE("PXEClient:Arch:00007:UNDI:003016"), true, false },
                { VALUE("HTTPClient:Arch:00016:UNDI:003001"), false, true },
                { VALUE("PXEClien"), false, false },
                { VALUE("pxeclient"), false, false },
                { VALUE("xPXEClient"), false, false },
                { VALUE("MSFT 5.0"), false, false },
                { VALUE(""), false, false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct policy_facts f =
                        facts_of_one(DHCP4_VENDOR_CLASS, rows[i].value, rows[i].n);

                assert_int_equal(f.is_pxe, rows[i].is_pxe);
                assert_int_equal(f.is_http, rows[i].is_http);
                assert_string_equal(f.vendor_class, rows[i].value);
        }
}

static void ipxe_is_known_by_its_class_in_any_form(void **state) {
        static const struct {
                const char *value;
                size_t n;
                bool is_ipxe;
        } rows[] = {
                { VALUE("iPXE"), true },
                { VALUE("\4iPXE"), true },      /* as RFC 3004 wants it */
                { VALUE("\3foo\4iPXE"), true }, /* one of several */
                { VALUE("\4iPXE\3foo"), true },
                { VALUE("iPXE2"), false },
                { VALUE("\5iPXE"), false }, /* past the end */
                { VALUE("\4iPXF"), false },
                { VALUE("\0\4iPXE"), true },
                { VALUE("\0\0\0"), false },
                { VALUE("ipxe"), false },
                { VALUE("foo iPXE"), false },
                { VALUE(""), false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                assert_int_equal(
                        facts_of_one(DHCP4_USER_CLASS, rows[i].value, rows[i].n)
                                .is_ipxe,
                        rows[i].is_ipxe);
}

static void features_of_ipxe_count_when_they_are_not_zero(void **state) {
        static const struct {
                const char *value;
                size_t n;
                uint32_t features;
        } rows[] = {
                { VALUE("\x13\1\1"), POLICY_IPXE_HTTP },
                { VALUE("\x13\1\0"), 0 },
                { VALUE("\x13\0"), 0 },
                { VALUE("\x13\1"), 0 },
                { VALUE("\x13"), 0 },
                { VALUE("\xff\x13\1\1"), 0 },
                { VALUE("\0\x13\1\1\0"), POLICY_IPXE_HTTP },
                { VALUE("\x14\1\1\x18\1\1\x24\1\1\x27\1\1\x26\1\1"),
                  POLICY_IPXE_HTTPS | POLICY_IPXE_BZIMAGE | POLICY_IPXE_IS_EFI |
                          POLICY_IPXE_MENU },
                /* as QEMU's ROM sends it */
                { VALUE("\xb1\5\1\x80\x86\x10\x0e\xeb\3\1\0\0\x17\1\1\x22\1\1\x13\1\1"
                        "\x11\1\1\x27\1\1\x19\1\1\x29\1\1\x10\1\2\x21\1\1\x15\1\1"
                        "\x18\1\1\x12\1\1"),
                  POLICY_IPXE_HTTP | POLICY_IPXE_MENU | POLICY_IPXE_BZIMAGE },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct policy_facts f =
                        facts_of_one(DHCP4_IPXE, rows[i].value, rows[i].n);

                assert_int_equal(f.ipxe_features, rows[i].features);
                assert_int_equal(f.is_ipxe, rows[i].features != 0);
        }
}

/* RFC 4578 2.3 */
static void a_uuid_is_a_type_of_0_and_16_bytes(void **state) {
        static const char uuid[] = "\0ABCDEFGHIJKLMNOP";
        struct policy_facts f = facts_of_one(DHCP4_UUID, uuid, 17);

        assert_true(f.has_uuid);
        assert_memory_equal(f.uuid.b, "ABCDEFGHIJKLMNOP", 16);
        assert_false(facts_of_one(DHCP4_UUID, uuid, 16).has_uuid);
        assert_false(facts_of_one(DHCP4_UUID, uuid, 18).has_uuid);
        assert_false(facts_of_one(DHCP4_UUID, uuid + 1, 16).has_uuid);
        assert_false(facts_of_one(DHCP4_UUID, "\1ABCDEFGHIJKLMNOP", 17).has_uuid);
}

/* RFC 4578 2.1 */
static void the_first_architecture_is_the_one_that_asks(void **state) {
        struct policy_facts f = facts_of_one(DHCP4_ARCHITECTURE, VALUE("\0\7\0\x10"));

        assert_true(f.has_arch);
        assert_int_equal(f.arch, 7);
        f = facts_of_one(DHCP4_ARCHITECTURE, VALUE("\1\2\3"));
        assert_int_equal(f.arch, 0x102);
        assert_false(facts_of_one(DHCP4_ARCHITECTURE, VALUE("\7")).has_arch);
}

static void an_architecture_in_the_class_counts_without_option_93(void **state) {
        struct policy_facts f = facts_of_one(DHCP4_VENDOR_CLASS,
                                             VALUE("PXEClient:Arch:00011:UNDI:003000"));

        assert_true(f.has_arch);
        assert_int_equal(f.arch, 11);
        f = facts_of((struct option[]){ { DHCP4_VENDOR_CLASS,
                                          VALUE("PXEClient:Arch:00000:UNDI:002001") },
                                        { DHCP4_ARCHITECTURE, VALUE("\0\7") } },
                     2);
        assert_int_equal(f.arch, 7);
        f = facts_of_one(DHCP4_VENDOR_CLASS, VALUE("PXEClient:Arch:0001"));
        assert_false(f.has_arch);
        f = facts_of_one(DHCP4_VENDOR_CLASS, VALUE("PXEClient:Arch:99999:UNDI"));
        assert_false(f.has_arch);
}

static struct policy_facts pi_facts(const char *uuid, const char *arch,
                                    const char *class) {
        return facts_of(
                (struct option[]){ { DHCP4_UUID, uuid, 17 },
                                   { DHCP4_ARCHITECTURE, arch, 2 },
                                   { DHCP4_VENDOR_CLASS, class, strlen(class) } },
                3);
}

/* The UUID of an EEPROM's boot loader begins with the board's name. */
static void a_raspberry_pi_says_it_is_a_pc_but_for_its_uuid(void **state) {
        static const char class[] = "PXEClient:Arch:00000:UNDI:002001";
        static const char pi[] = "\0RPi4\x11\x31\xc0\0abcdefgh";
        static const char pc[] = "\0abcdefghijklmnop";

        assert_true(pi_facts(pi, "\0\0", class).is_pi);
        assert_true(pi_facts(pc, "\0\x29", class).is_pi);
        assert_false(pi_facts(pc, "\0\0", class).is_pi);
        assert_false(pi_facts(pi, "\0\x0b", class).is_pi); /* UEFI on a Pi */
        assert_false(pi_facts(pi, "\0\0", "U-Boot.armv8").is_pi);
}

static void u_boot_and_macs_are_known_by_their_class(void **state) {
        assert_true(facts_of_one(DHCP4_VENDOR_CLASS, VALUE("U-Boot.armv8")).is_uboot);
        assert_true(facts_of_one(DHCP4_VENDOR_CLASS, VALUE("AAPLBSDPC/i386/iMac14,3"))
                            .is_apple);
        assert_false(facts_of_one(DHCP4_VENDOR_CLASS, VALUE("udhcp 1.36")).is_uboot);
}

static void long_classes_are_cut(void **state) {
        char value[255];
        struct policy_facts f;

        memset(value, 'x', sizeof(value));
        f = facts_of_one(DHCP4_VENDOR_CLASS, value, sizeof(value));
        assert_int_equal(strlen(f.vendor_class), sizeof(f.vendor_class) - 1);
        f = facts_of_one(DHCP4_USER_CLASS, value, sizeof(value));
        assert_int_equal(strlen(f.user_class), sizeof(f.user_class) - 1);
}

/* PXE 2.1 2.2.3: sub-options 6, 8, 9 and 10. */
static void a_menu_is_servers_titles_and_a_prompt(void **state) {
        static const struct scope_pxe_item items[] = { { 1, "One", "", 0 },
                                                       { 0, "Disk", "", 0x01020304 } };
        const struct scope_pxe menu = { "Go", NSEC_NEVER, items, 2 };
        const struct pxe_vendor vendor = { .control = PXE_CONTROL_LISTED_ONLY,
                                           .menu = &menu,
                                           .server = 0x0a000001 };
        static const char expected[] = "\6\1\7"
                                       "\x08\x0e\0\1\1\x0a\0\0\1\0\0\1\1\2\3\4"
                                       "\x09\x0d\0\1\3One\0\0\4Disk"
                                       "\x0a\3\xffGo\xff";
        uint8_t bytes[255];
        struct writer w = writer_of(bytes, sizeof(bytes));

        pxe_build_vendor(&w, &vendor);
        assert_false(w.failed);
        assert_int_equal(w.at, sizeof(expected) - 1);
        assert_memory_equal(bytes, expected, w.at);
}

static void a_menu_too_long_loses_its_last_items(void **state) {
        struct scope_pxe_item items[40];
        const struct scope_pxe menu = { "Press F8 for the menu", 0, items, 40 };
        const struct pxe_vendor vendor = { .control = 7, .menu = &menu };
        uint8_t bytes[255];
        struct writer w = writer_of(bytes, sizeof(bytes));

        for (uint16_t i = 0; i < 40; i++)
                items[i] = (struct scope_pxe_item){ i, "An item of the menu", "", 0 };
        pxe_build_vendor(&w, &vendor);
        assert_false(w.failed);
        assert_int_equal(bytes[4] % 7, 0); /* whole servers */
        assert_int_equal(bytes[4] / 7, 7);
        assert_int_equal(bytes[w.at - 1], DHCP4_END);
}

static void a_menu_without_items_has_one_of_ours(void **state) {
        const struct scope_pxe menu = { 0 };
        const struct pxe_vendor vendor = { .menu = &menu, .server = 0x0a000001 };
        static const char expected[] = "\x08\x07\x80\0\1\x0a\0\0\1"
                                       "\x09\x0b\x80\0\x08"
                                       "Bootjack\x0a\1\0\xff";
        uint8_t bytes[255];
        struct writer w = writer_of(bytes, sizeof(bytes));

        pxe_build_vendor(&w, &vendor);
        assert_int_equal(w.at, sizeof(expected) - 1);
        assert_memory_equal(bytes, expected, w.at);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_ordinary_client_has_a_mac_and_nothing_else),
                cmocka_unit_test(the_vendor_class_tells_who_asks),
                cmocka_unit_test(ipxe_is_known_by_its_class_in_any_form),
                cmocka_unit_test(features_of_ipxe_count_when_they_are_not_zero),
                cmocka_unit_test(a_uuid_is_a_type_of_0_and_16_bytes),
                cmocka_unit_test(the_first_architecture_is_the_one_that_asks),
                cmocka_unit_test(an_architecture_in_the_class_counts_without_option_93),
                cmocka_unit_test(a_raspberry_pi_says_it_is_a_pc_but_for_its_uuid),
                cmocka_unit_test(u_boot_and_macs_are_known_by_their_class),
                cmocka_unit_test(long_classes_are_cut),
                cmocka_unit_test(a_menu_is_servers_titles_and_a_prompt),
                cmocka_unit_test(a_menu_too_long_loses_its_last_items),
                cmocka_unit_test(a_menu_without_items_has_one_of_ours),
        };
        return check_run("proto/pxe", tests);
}
