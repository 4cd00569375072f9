/* What a person writes for a DHCP option, and the bytes that go on the wire. */
#include <stdlib.h>

#include "conf/conf.h"
#include "test/check.h"

static int parse(const char *yaml, struct conf **ret, struct text *said) {
        const struct conf_flags flags = { 0 };
        struct conf_problems problems;
        struct text text = { 0 };
        int r;

        text_add(&text, "dhcp:\n  options:\n    ");
        text_add(&text, yaml);
        text_char(&text, '\n');
        *ret = NULL;
        r = conf_parse("f", text.s, text.n, &flags, ret, &problems);
        conf_problems_format(&problems, said);
        conf_problems_done(&problems);
        text_done(&text);
        return r;
}

#define BYTES(text) (text), sizeof(text) - 1

/* RFC 3442, RFC 3397, RFC 3361, RFC 2132 8.4 */
static void an_option_becomes_its_bytes(void **state) {
        static const struct {
                const char *yaml;
                uint8_t code;
                const char *bytes;
                size_t n;
        } table[] = {
                { "routers: 192.168.1.1", 3, BYTES("\xc0\xa8\1\1") },
                { "routers: [192.168.1.1, 10.0.0.1]", 3,
                  BYTES("\xc0\xa8\1\1\x0a\0\0\1") },
                { "time-offset: -3600", 2, BYTES("\xff\xff\xf1\xf0") },
                { "time-offset: 7200", 2, BYTES("\0\0\x1c\x20") },
                { "ip-forwarding: true", 19, BYTES("\1") },
                { "mask-supplier: off", 30, BYTES("\0") },
                { "policy-filter: [10.0.0.0 255.0.0.0]", 21,
                  BYTES("\x0a\0\0\0\xff\0\0\0") },
                { "path-mtu-plateau-table: [68, 1500]", 25, BYTES("\0\x44\5\xdc") },
                { "static-routes: 10.0.0.1 192.168.1.1", 33,
                  BYTES("\x0a\0\0\1\xc0\xa8\1\1") },
                { "vendor-encapsulated-options: \"0x0601 08ff\"", 43,
                  BYTES("\6\1\x08\xff") },
                { "vendor-encapsulated-options: {6: {type: u8, value: 8}, 9: "
                  "\"0x0102\", 10: hi}",
                  43, BYTES("\6\1\x08\x09\2\1\2\x0a\2hi") },
                { "domain-search: [example.org, a.b]", 119,
                  BYTES("\7example\3org\0\1a\1b\0") },
                { "sip-servers: [10.0.0.5]", 120, BYTES("\1\x0a\0\0\5") },
                { "classless-static-routes: [10.0.0.0/8 via 192.168.1.1, default "
                  "192.168.1.2, 10.229.0.128/25 10.229.0.1]",
                  121,
                  BYTES("\x08\x0a\xc0\xa8\1\1"
                        "\0\xc0\xa8\1\2"
                        "\x19\x0a\xe5\0\x80\x0a\xe5\0\1") },
                { "tftp-servers: [10.0.0.1]", 150, BYTES("\x0a\0\0\1") },
                { "ipxe-encapsulated-options: {176: {type: u8, value: 1}}", 175,
                  BYTES("\xb0\1\1") },
                { "pxelinux-magic: \"f1:00:74:7e\"", 208, BYTES("\xf1\0\x74\x7e") },
                { "config-file: pxelinux.cfg/mine", 209, BYTES("pxelinux.cfg/mine") },
                { "reboot-time: 30", 211, BYTES("\0\0\0\x1e") },
                { "bootfile-name: a.efi", 67, BYTES("a.efi") },
                { "224: \"c0:a8\"", 224, BYTES("\xc0\xa8") },
                { "224: {type: text, value: abc}", 224, BYTES("abc") },
                { "225: {type: u16, value: 513}", 225, BYTES("\2\1") },
                { "226: {type: addresses, value: [1.2.3.4]}", 226, BYTES("\1\2\3\4") },
                { "domain-name: {value: example.org, always: true}", 15,
                  BYTES("example.org") },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                struct text said = { 0 };
                struct conf *conf;
                const struct scope_option *option;

                if (parse(table[i].yaml, &conf, &said) != 0)
                        fail_msg("%s: %s", table[i].yaml, text_string(&said));
                assert_int_equal(conf->dhcp.scope.n_options, 1);
                option = &conf->dhcp.scope.options[0];
                assert_int_equal(option->code, table[i].code);
                if (option->n != table[i].n ||
                    memcmp(option->data, table[i].bytes, table[i].n) != 0)
                        fail_msg("%s", table[i].yaml);
                assert_int_equal(option->is_forced,
                                 strstr(table[i].yaml, "always") != NULL);
                conf_free(conf);
                text_done(&said);
        }
}

static void what_is_wrong_is_refused_with_what_is_wanted(void **state) {
        static const struct {
                const char *yaml, *says;
        } table[] = {
                { "routters: 1.2.3.4", "did you mean 'routers'" },
                { "routers: hello", "must be a list of IPv4 addresses, not 'hello'" },
                { "routers: []", "has nothing in it" },
                { "53: \"05\"", "belongs to the protocol itself" },
                { "118: \"01020304\"", "belongs to the protocol itself" },
                { "0: \"05\"", "belongs to the protocol itself" },
                { "256: \"05\"", "unknown DHCP option" },
                { "default-ttl: 256", "must be a number" },
                { "time-offset: -2147483648", "must be a number" },
                { "classless-static-routes: [10.0.0.1/8 via 1.2.3.4]", "such as" },
                { "classless-static-routes: [10.0.0.0/8]", "such as" },
                { "domain-search: [a..b]", "domain names" },
                { "224: zz", "hexadecimal bytes in quotes" },
                { "224: \"abc\"", "hexadecimal bytes in quotes" },
                { "224: {type: txt, value: a}", "did you mean 'text'" },
                { "routers: {type: text, value: a}", "has its type already" },
                { "domain-name: {value: a, always: perhaps}", "true or false" },
                { "vendor-encapsulated-options: {300: a}", "from 1 to 254" },
                { "vendor-encapsulated-options: {6: {value: a}}",
                  "{type: u8, value: 1}" },
                { "pcode: a\n    posix-timezone: b", "is given twice" },
                { "ip-forwarding: perhaps", "true or false" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                struct text said = { 0 };
                struct conf *conf;
                int r = parse(table[i].yaml, &conf, &said);

                if (r != CONF_REFUSED || !strstr(text_string(&said), table[i].says))
                        fail_msg("%s: %d %s", table[i].yaml, r, text_string(&said));
                text_done(&said);
        }
}

static void a_value_longer_than_an_option_is_kept_whole(void **state) {
        struct text yaml = { 0 }, said = { 0 };
        struct conf *conf;

        text_add(&yaml, "domain-search: [");
        for (unsigned i = 0; i < 40; i++)
                text_add(&yaml, i ? ", a.example.org" : "a.example.org");
        text_char(&yaml, ']');
        assert_int_equal(parse(yaml.s, &conf, &said), 0);
        assert_int_equal(conf->dhcp.scope.options[0].n, 40 * 15);
        conf_free(conf);
        yaml.n = 0;
        text_add(&yaml, "domain-name: ");
        for (unsigned i = 0; i < 1025; i++)
                text_char(&yaml, 'a');
        assert_int_equal(parse(yaml.s, &conf, &said), CONF_REFUSED);
        assert_non_null(strstr(text_string(&said), "1024 bytes"));
        text_done(&yaml);
        text_done(&said);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_option_becomes_its_bytes),
                cmocka_unit_test(what_is_wrong_is_refused_with_what_is_wanted),
                cmocka_unit_test(a_value_longer_than_an_option_is_kept_whole),
        };

        return check_run("conf/dhcp_options", tests);
}
