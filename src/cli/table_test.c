#include "cli/table.h"

#include "test/check.h"

static const char *const headings[] = { "NAME", "WHAT", "WHERE", NULL };

static void columns_are_aligned_by_characters(void **state) {
        static const char *const cells[] = { "déjà", "x",      "a longer one",
                                             "b",    "yyyyyy", "c" };
        struct table table;
        struct text out = { 0 };

        table_init(&table, headings);
        for (size_t i = 0; i < ARRAY_SIZE(cells); i++)
                table_cell(&table, cells[i]);
        assert_false(table_is_empty(&table));
        table_format(&table, &out);
        assert_string_equal(out.s, "NAME  WHAT    WHERE\n"
                                   "déjà  x       a longer one\n"
                                   "b     yyyyyy  c\n");
        text_done(&out);
        table_done(&table);
}

static void a_strangers_bytes_are_shown_and_not_obeyed(void **state) {
        struct table table;
        struct text out = { 0 };

        table_init(&table, headings);
        table_cell(&table, "\x1b[2J\nroot");
        table_cell(&table, "\xff");
        table_cell(&table, "\xc2\x9b"
                           "1m");
        table_format(&table, &out);
        assert_string_equal(out.s, "NAME             WHAT  WHERE\n"
                                   "\\x1b[2J\\x0aroot  \\xff  \\xc2\\x9b1m\n");
        text_done(&out);
        table_done(&table);
}

static void nothing_is_shown_as_a_dash(void **state) {
        struct table table;
        struct text out = { 0 };

        table_init(&table, headings);
        assert_true(table_is_empty(&table));
        table_cell(&table, NULL);
        table_cell(&table, "");
        table_cell(&table, "z");
        table_format(&table, &out);
        assert_string_equal(out.s, "NAME  WHAT  WHERE\n-     -     z\n");
        text_done(&out);
        table_done(&table);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(columns_are_aligned_by_characters),
                cmocka_unit_test(a_strangers_bytes_are_shown_and_not_obeyed),
                cmocka_unit_test(nothing_is_shown_as_a_dash),
        };

        return check_run("table", tests);
}
