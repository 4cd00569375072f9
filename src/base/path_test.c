#include "base/path.h"

#include "test/check.h"

#define S(s) s, sizeof(s) - 1

static void clients_spell_paths_in_many_ways(void **state) {
        static const struct {
                const char *in;
                size_t n;
                const char *out;
        } rows[] = {
                { S("pxelinux.0"), "pxelinux.0" },
                { S("/pxelinux.0"), "pxelinux.0" },
                { S("//a///b/"), "a/b" },
                { S("\\boot\\BCD"), "boot/BCD" },
                { S("./a/./b"), "a/b" },
                { S("a/../b"), "b" },
                { S("a/b/../../c"), "c" },
                { S(""), "" },
                { S("/"), "" },
                { S("a/.."), "" },
                { S("..."), "..." },
                { S("a%2e%2e/b"), "a%2e%2e/b" },
                { S("C:x"), "C:x" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                char out[PATH_MAX_BYTES];

                assert_int_equal(path_clean(rows[i].in, rows[i].n, out), PATH_OK);
                assert_string_equal(out, rows[i].out);
        }
}

static void no_spelling_leaves_the_tree(void **state) {
        static char longest[2 * PATH_MAX_BYTES];
        static const struct {
                const char *in;
                size_t n;
                enum path_verdict verdict;
        } rows[] = {
                { S(".."), PATH_LEAVES },
                { S("../etc/shadow"), PATH_LEAVES },
                { S("/../etc/shadow"), PATH_LEAVES },
                { S("..\\..\\etc\\shadow"), PATH_LEAVES },
                { S("a/../../b"), PATH_LEAVES },
                { S("a/b/../../../b"), PATH_LEAVES },
                { S("....//..//..//../x/../../.."), PATH_LEAVES },
                { S("a\0b"), PATH_HAS_NUL },
                { S("pxelinux.0\0.txt"), PATH_HAS_NUL },
                { S("a\nb"), PATH_HAS_CONTROL },
                { S("a\x1b[2J"), PATH_HAS_CONTROL },
                { S("a\x7f"), PATH_HAS_CONTROL },
                { S("\xc0\xae\xc0\xae/etc"), PATH_NOT_UTF8 },
                { S("..\xc0\xafx"), PATH_NOT_UTF8 },
                { S("\xe0\x80\xaf"), PATH_NOT_UTF8 },
                { S("\xff"), PATH_NOT_UTF8 },
                { S("C:\\windows"), PATH_HAS_DRIVE },
                { S("/c:/windows"), PATH_HAS_DRIVE },
                { longest, sizeof(longest), PATH_TOO_LONG },
        };

        memset(longest, 'x', sizeof(longest));
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                char out[PATH_MAX_BYTES] = "untouched";

                assert_int_equal(path_clean(rows[i].in, rows[i].n, out),
                                 rows[i].verdict);
                assert_string_equal(out, "untouched");
                assert_non_null(path_verdict_text(rows[i].verdict));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(clients_spell_paths_in_many_ways),
                cmocka_unit_test(no_spelling_leaves_the_tree),
        };
        return check_run("base/path", tests);
}
