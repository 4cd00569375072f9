#include "cli/options.h"

#include "cli/cli.h"
#include "test/check.h"

static struct {
        bool follow;
        const char *file;
        const char *media[3];
        uint64_t count;
        struct mac mac;
} got;

static const struct option_row rows[] = {
        { "follow", 'f', OPTION_FLAG, NULL, "go on", &got.follow, 0 },
        { "config", 'c', OPTION_TEXT, "FILE", "read this", &got.file, 0 },
        { "media", 0, OPTION_TEXTS, "PATH", "serve this", got.media, 2 },
        { "count", 'n', OPTION_COUNT, "N", "so many", &got.count, 4096 },
        { "mac", 0, OPTION_MAC, "MAC", "of this machine", &got.mac, 0 },
        { 0 },
};
static const struct options options = { "events", "Print events.", "[NAME]", 1, rows };

struct line {
        const char *words[8];
        const char *why; /* NULL: it is right */
};

static bool read_line(const struct line *line, struct options_found *found,
                      struct text *why) {
        char *argv[10] = { "events" };
        int argc = 1;

        memset(&got, 0, sizeof(got));
        for (; line->words[argc - 1]; argc++)
                argv[argc] = (char *)(uintptr_t)line->words[argc - 1];
        return options_read(&options, argc, argv, found, why);
}

static void every_spelling_of_a_value_is_taken(void **state) {
        static const struct line lines[] = {
                { { "--config", "a" }, NULL },
                { { "--config=a" }, NULL },
                { { "-c", "a" }, NULL },
                { { "-ca" }, NULL },
                { { "-c", "b", "--config=a" }, NULL }, /* the last one wins */
        };

        for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
                struct options_found found;
                struct text why = { 0 };

                assert_true(read_line(&lines[i], &found, &why));
                assert_string_equal(got.file, "a");
                text_done(&why);
        }
}

static void options_and_operands_may_be_mixed(void **state) {
        static const struct line line = {
                { "--media", "a", "-n", "12", "x", "--follow", "--media=b" }, NULL
        };
        struct options_found found;
        struct text why = { 0 };

        assert_true(read_line(&line, &found, &why));
        assert_true(got.follow);
        assert_int_equal(got.count, 12);
        assert_string_equal(got.media[0], "a");
        assert_string_equal(got.media[1], "b");
        assert_null(got.media[2]);
        assert_int_equal(found.n_operands, 1);
        assert_string_equal(found.operands[0], "x");
        text_done(&why);
}

static void two_dashes_end_the_options(void **state) {
        static const struct line line = { { "--", "--follow" }, NULL };
        struct options_found found;
        struct text why = { 0 };

        assert_true(read_line(&line, &found, &why));
        assert_false(got.follow);
        assert_string_equal(found.operands[0], "--follow");
        text_done(&why);
}

static void wrong_use_names_the_word_and_the_nearest(void **state) {
        static const struct line lines[] = {
                { { "--folow" }, "unknown option '--folow'; did you mean '--follow'?" },
                { { "--folow=1" },
                  "unknown option '--folow=1'; did you mean '--follow'?" },
                { { "-follow", NULL }, "--follow takes no value" },
                { { "-media" }, "unknown option '-media'; did you mean '--media'?" },
                { { "-x" }, "unknown option '-x'" },
                { { "--\x1b[2J" }, "unknown option '--\\x1b[2J'" },
                { { "--config" }, "--config needs a value: FILE" },
                { { "--follow=yes" }, "--follow takes no value" },
                { { "-n", "many" },
                  "--count takes a number from 0 to 4096, not 'many'" },
                { { "-n", "4097" },
                  "--count takes a number from 0 to 4096, not '4097'" },
                { { "-n", "18446744073709551617" },
                  "--count takes a number from 0 to 4096, not '18446744073709551617'" },
                { { "-n", "" }, "--count takes a number from 0 to 4096, not ''" },
                { { "--mac", "52:54" },
                  "--mac takes a MAC address such as 52:54:00:12:34:56, not '52:54'" },
                { { "--media=1", "--media=2", "--media=3" },
                  "--media was given too often" },
                { { "a", "b" }, "unexpected word 'b'" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
                struct options_found found;
                struct text why = { 0 };

                assert_false(read_line(&lines[i], &found, &why));
                assert_string_equal(text_string(&why), lines[i].why);
                text_done(&why);
        }
}

static void help_is_understood_everywhere(void **state) {
        static const struct line lines[] = { { { "--help" }, NULL },
                                             { { "-h" }, NULL } };

        for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
                struct options_found found;
                struct text why = { 0 };

                assert_true(read_line(&lines[i], &found, &why));
                assert_true(found.wants_help);
                text_done(&why);
        }
}

static void the_help_lists_every_option(void **state) {
        struct text out = { 0 };

        options_help(&options, &out);
        assert_string_equal(
                text_string(&out),
                "usage: bootjack events [NAME] [-f] [-c FILE] [--media PATH]... [-n N]"
                "\n                [--mac MAC]\n"
                "\n"
                "Print events.\n"
                "\n"
                "  -f, --follow            go on\n"
                "  -c, --config FILE       read this\n"
                "      --media PATH        serve this\n"
                "  -n, --count N           so many\n"
                "      --mac MAC           of this machine\n"
                "  -h, --help              this text\n");
        text_done(&out);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_spelling_of_a_value_is_taken),
                cmocka_unit_test(options_and_operands_may_be_mixed),
                cmocka_unit_test(two_dashes_end_the_options),
                cmocka_unit_test(wrong_use_names_the_word_and_the_nearest),
                cmocka_unit_test(help_is_understood_everywhere),
                cmocka_unit_test(the_help_lists_every_option),
        };

        return check_run("options", tests);
}
