#include "base/text.h"

#include "test/check.h"

static void hostile_bytes_never_reach_a_terminal(void **state) {
        static const char hostile[] = "a\x1b[2J\n\xc2\x9b\x7f\xff\xc0\xaf\xc3\xa9";
        struct text t = { 0 };

        text_printable(&t, hostile, sizeof(hostile) - 1);
        assert_string_equal(text_string(&t),
                            "a\\x1b[2J\\x0a\\xc2\\x9b\\x7f\\xff\\xc0\\xaf\xc3\xa9");
        text_done(&t);
}

static void json_is_escaped_and_commas_fall_into_place(void **state) {
        struct text t = { 0 };

        text_char(&t, '{');
        text_json_pair(&t, "a\"b", "x\\\n\x01\xff\xc2\x9b");
        text_json_pair(&t, "none", NULL);
        text_json_pair_u64(&t, "n", UINT64_MAX);
        text_json_key(&t, "list");
        text_char(&t, '[');
        text_json_next(&t);
        text_json_string(&t, "1", 1);
        text_json_next(&t);
        text_json_string(&t, "2", 1);
        text_add(&t, "]}");
        assert_string_equal(
                text_string(&t),
                "{\"a\\\"b\":\"x\\\\\\n\\u0001\xef\xbf\xbd\\u009b\",\"none\":null,"
                "\"n\":18446744073709551615,\"list\":[\"1\",\"2\"]}");
        text_done(&t);
}

static void a_comma_inside_a_string_is_not_a_separator(void **state) {
        struct text t = { 0 };

        text_char(&t, '{');
        text_json_pair(&t, "a", "x,");
        text_json_pair(&t, "b", "[");
        text_json_pair(&t, "c", "y");
        text_char(&t, '}');
        assert_string_equal(text_string(&t), "{\"a\":\"x,\",\"b\":\"[\",\"c\":\"y\"}");
        text_done(&t);
}

static void sizes_read_as_people_write_them(void **state) {
        static const struct {
                uint64_t bytes;
                const char *text;
        } rows[] = { { 0, "0 B" },
                     { 1023, "1023 B" },
                     { 1024, "1.0 KiB" },
                     { 35862349, "34.2 MiB" },
                     { UINT64_MAX, "15.9 EiB" } };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct text t = { 0 };

                text_size(&t, rows[i].bytes);
                assert_string_equal(text_string(&t), rows[i].text);
                text_done(&t);
        }
}

static void the_nearest_word_is_near(void **state) {
        static const char *const words[] = { "interfaces", "media", "menu", "dhcp",
                                             NULL };

        assert_string_equal(text_nearest("interface", words), "interfaces");
        assert_string_equal(text_nearest("medai", words), "media");
        assert_string_equal(text_nearest("dchp", words), "dhcp");
        assert_null(text_nearest("zebra", words));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(hostile_bytes_never_reach_a_terminal),
                cmocka_unit_test(json_is_escaped_and_commas_fall_into_place),
                cmocka_unit_test(a_comma_inside_a_string_is_not_a_separator),
                cmocka_unit_test(sizes_read_as_people_write_them),
                cmocka_unit_test(the_nearest_word_is_near),
        };
        return check_run("base/text", tests);
}
