#include "base/event.h"

#include "test/check.h"

static const struct event sample = {
        .kind = EVENT_FILE_DONE,
        .time = (nsec_t)1709211845123 * NSEC_PER_MSEC, /* 29 February 2024 */
        .story = 42,
        .mac = { { 0x52, 0x54, 0, 0x12, 0x34, 0x56 } },
        .address = 0xc0a80114,
        .values = { EVENT_TEXT("tftp"), EVENT_TEXT("a\x1b/b"), EVENT_BYTES(2048),
                    EVENT_DURATION(1500 * NSEC_PER_MSEC), EVENT_RATE(1 << 20) },
};

static void every_sentence_names_only_its_own_fields(void **state) {
        for (unsigned kind = EVENT_NONE; kind < EVENT_N_KINDS; kind++) {
                struct event e = { .kind = (enum event_kind)kind };
                struct text t = { 0 };

                assert_non_null(event_name(e.kind));
                event_sentence(&e, &t); /* asserts on an unknown {field} */
                assert_null(strpbrk(text_string(&t), "{}[]"));
                text_done(&t);
        }
}

static void a_line_is_readable_and_safe(void **state) {
        struct text t = { 0 };

        event_line(&sample, 3600, &t);
        assert_string_equal(text_string(&t),
                            "14:04:05.123  52:54:00:12:34:56 192.168.1.20 "
                            "tftp a\\x1b/b: sent 2.0 KiB in 1.500 s, 1.0 MiB/s");
        text_done(&t);
}

static void what_is_optional_is_said_when_it_is_there(void **state) {
        static const struct {
                struct event_value nearest;
                const char *line;
        } rows[] = {
                { EVENT_TEXT("grubx64.efi"),
                  "tftp grubx46.efi: not found; the nearest name is grubx64.efi" },
                { EVENT_TEXT(NULL), "tftp grubx46.efi: not found" },
                { EVENT_TEXT(""), "tftp grubx46.efi: not found" },
                { { .type = EVENT_TYPE_NONE }, "tftp grubx46.efi: not found" },
                { EVENT_TEXT("[{x}]"),
                  "tftp grubx46.efi: not found; the nearest name is "
                  "[{x}]" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct event e = {
                        .kind = EVENT_FILE_REFUSED,
                        .values = { EVENT_TEXT("tftp"), EVENT_TEXT("grubx46.efi"),
                                    EVENT_TEXT("not found"), rows[i].nearest }
                };
                struct text t = { 0 };

                event_sentence(&e, &t);
                assert_string_equal(text_string(&t), rows[i].line);
                text_done(&t);
        }
}

static void json_has_the_stable_names(void **state) {
        struct text t = { 0 };

        event_json(&sample, &t);
        assert_string_equal(
                text_string(&t),
                "{\"time\":\"2024-02-29T13:04:05.123Z\",\"event\":\"file-done\","
                "\"level\":\"info\",\"story\":42,\"mac\":\"52:54:00:12:34:56\","
                "\"address\":\"192.168.1.20\",\"door\":\"tftp\",\"file\":\"a\\u001b/"
                "b\","
                "\"sent\":2048,\"took\":1.500,\"rate\":1048576,"
                "\"message\":\"tftp a\\\\x1b/b: sent 2.0 KiB in 1.500 s, 1.0 MiB/s\"}");
        text_done(&t);
}

static void a_record_survives_the_wire(void **state) {
        uint8_t packed[EVENT_PACKED_MAX];
        struct text before = { 0 }, after = { 0 };
        struct event e;
        size_t n = event_pack(&sample, packed, sizeof(packed));

        assert_true(n > 0);
        assert_true(event_unpack(packed, n, &e));
        event_json(&sample, &before);
        event_json(&e, &after);
        assert_string_equal(text_string(&before), text_string(&after));
        for (size_t cut = 0; cut < n; cut++)
                assert_false(event_unpack(packed, cut, &e));
        text_done(&before);
        text_done(&after);
}

static void the_longest_texts_still_fit(void **state) {
        static char longest[5000];
        struct event e = { .kind = EVENT_DHCP_RECEIVED };
        uint8_t packed[EVENT_PACKED_MAX];

        memset(longest, 'x', sizeof(longest) - 1);
        for (size_t i = 0; event_field(e.kind, i); i++)
                e.values[i] = (struct event_value)EVENT_TEXT(longest);
        assert_true(event_pack(&e, packed, sizeof(packed)) > 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_sentence_names_only_its_own_fields),
                cmocka_unit_test(a_line_is_readable_and_safe),
                cmocka_unit_test(what_is_optional_is_said_when_it_is_there),
                cmocka_unit_test(json_has_the_stable_names),
                cmocka_unit_test(a_record_survives_the_wire),
                cmocka_unit_test(the_longest_texts_still_fit),
        };
        return check_run("base/event", tests);
}
