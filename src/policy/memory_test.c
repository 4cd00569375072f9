#include "policy/memory.h"

#include "test/check.h"

static void modules_are_added(void **state) {
        static const struct {
                const char *said;
                uint64_t mib;
        } rows[] = {
                { "0004", 1024 },
                { "0004.0002", 1536 },
                { "0010.0000.0010.ffff", 8192 }, /* two empty sockets */
                { "0020..0020.............", 16384 },
                { "ff7f", 32767 }, /* or more */
                { "0884", 1 },     /* 1032 KiB */
                { "", 0 },
                { "...............", 0 },
                { "0040.0040.0040.0040.0040.0040.0040.0040."
                  "0040.0040.0040.0040.0040.0040.0040.0040",
                  16 * 16384 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                uint64_t memory = 1;

                assert_true(memory_parse(rows[i].said, strlen(rows[i].said), &memory));
                assert_int_equal(memory >> 20, rows[i].mib);
        }
}

static void anything_else_is_refused(void **state) {
        static const char *const bad[] = {
                "004", "00040", "000g", "0004,0004", "0004 ", "${x}", "................"
        };
        uint64_t memory = 7;

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                assert_false(memory_parse(bad[i], strlen(bad[i]), &memory));
        assert_int_equal(memory, 7);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(modules_are_added),
                cmocka_unit_test(anything_else_is_refused),
        };

        return check_run("policy/memory", tests);
}
