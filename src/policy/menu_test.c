/* Arguments filled in for one client. */
#include "policy/menu.h"

#include "test/check.h"

static void arguments_are_filled_in(void **state) {
        static const struct {
                const char *args, *way;
                bool serial;
                uint16_t port;
                const char *want;
        } rows[] = {
                { "", "", false, 80, "" },
                { "quiet", "", false, 80, "quiet" },
                { "", "", true, 80, "console=ttyS0,115200n8" },
                { "a --- quiet", "", true, 80, "a console=ttyS0,115200n8 --- quiet" },
                { "--- quiet", "", true, 80, "console=ttyS0,115200n8 --- quiet" },
                { "a---b", "", true, 80, "a---b console=ttyS0,115200n8" },
                { "m=${tree}", "", false, 80, "m=http://10.0.0.1/media/el6" },
                { "m=${iso} s=${server}", "", false, 8080,
                  "m=http://10.0.0.1:8080/iso/el6.iso s=10.0.0.1" },
                { "${other} ${name} $", "", false, 80, "${other} el6 $" },
                { "", "root=${tree}", false, 80, "root=http://10.0.0.1/media/el6" },
                { "a", "b c", true, 80, "a b c console=ttyS0,115200n8" },
                { "a --- z", "b", true, 80, "a b console=ttyS0,115200n8 --- z" },
                { "--- z", "b", false, 80, "b --- z" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct menu menu = { .server = 0x0a000001, .http_port = rows[i].port };
                struct text out = { 0 };

                menu.serial.is_on = rows[i].serial;
                menu.serial.speed = 115200;
                menu_args(rows[i].args, rows[i].way, "el6", &menu, true, &out);
                assert_string_equal(text_string(&out), rows[i].want);
                text_done(&out);
        }
}

static void serial_is_unit_and_speed(void **state) {
        static const struct {
                const char *s;
                bool ok;
                unsigned unit;
                unsigned long speed;
        } rows[] = {
                { "ttyS0,115200", true, 0, 115200 },
                { "ttyS1", true, 1, 115200 },
                { "ttyS1,9600", true, 1, 9600 },
                { "ttyS", false, 0, 0 },
                { "ttyS0,", false, 0, 0 },
                { "ttyS0,fast", false, 0, 0 },
                { "ttyS0 115200", false, 0, 0 },
                { "ttyS0,99999999999999999999", false, 0, 0 },
                { "ttyAMA0", false, 0, 0 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                unsigned unit = 0;
                unsigned long speed = 0;

                assert_int_equal(menu_serial_parse(rows[i].s, &unit, &speed),
                                 rows[i].ok);
                assert_int_equal(unit, rows[i].unit);
                assert_int_equal(speed, rows[i].speed);
        }
}

static void an_entry_is_found_by_id_or_place(void **state) {
        struct menu menu = { .n_entries = 2,
                             .entries = { { .kind = MENU_LOCAL, .id = "local" },
                                          { .kind = MENU_LINUX,
                                            .id = "debian-12",
                                            .medium = "netinst" } } };

        assert_int_equal(menu_find(&menu, "local"), 0);
        assert_int_equal(menu_find(&menu, "first"), 1);
        assert_int_equal(menu_find(&menu, "debian-12"), 1);
        assert_int_equal(menu_find(&menu, "netinst"), 1);
        assert_int_equal(menu_find(&menu, "debian-13"), 2);
}

/* What is not fit for a machine is not started without anybody's asking. */
static void a_tool_is_never_the_first(void **state) {
        struct menu menu = { .n_entries = 2,
                             .entries = { { .kind = MENU_LOCAL, .id = "local" },
                                          { .kind = MENU_PROGRAM,
                                            .is_tool = true,
                                            .id = "memory-test" } } };

        assert_int_equal(menu_find(&menu, "first"), 2);
        assert_int_equal(menu_find(&menu, "memory-test"), 1);
}

static void the_first_way_that_fits_is_taken(void **state) {
        static const uint64_t needs[] = { 4000, 2000, 0 }, much[] = { 4000, 2000 };

        assert_int_equal(menu_way(needs, 3, 0), 0);
        assert_int_equal(menu_way(needs, 3, 4000), 0);
        assert_int_equal(menu_way(needs, 3, 3999), 1);
        assert_int_equal(menu_way(needs, 3, 100), 2);
        assert_int_equal(menu_way(much, 2, 1999), 2);
        assert_int_equal(menu_way(much, 0, 1999), 0);
}

/* Written as "id group", the default with a star. */
static void arranged(const char *before, const char *want) {
        struct menu menu = { .n_groups = 3, .initial = MENU_ENTRIES_MAX };
        static char ids[MENU_ENTRIES_MAX][2];
        struct text out = { 0 };

        for (const char *s = before; *s; s += s[0] == ' ') {
                struct menu_entry *entry = &menu.entries[menu.n_entries];

                ids[menu.n_entries][0] = *s++;
                *entry = (struct menu_entry){
                        .kind = ids[menu.n_entries][0] == 'l' ? MENU_LOCAL : MENU_LINUX,
                        .id = ids[menu.n_entries],
                        .group = (unsigned)(*s++ - '0'),
                };
                if (*s == '*') {
                        menu.initial = menu.n_entries;
                        s++;
                }
                menu.n_entries++;
        }
        menu_arrange(&menu);
        for (size_t i = 0; i < menu.n_entries; i++) {
                text_add(&out, i ? " " : "");
                text_add(&out, menu.entries[i].id);
                text_u64(&out, menu.entries[i].group);
                text_add(&out, i == menu.initial ? "*" : "");
        }
        assert_string_equal(text_string(&out), want);
        text_done(&out);
}

static void groups_stand_in_a_row_and_the_default_on_top(void **state) {
        arranged("", "");
        arranged("l0* a0 b0", "l0* a0 b0");
        arranged("l0 a1 b2* c1", "l0 b0* a1 c1");
        arranged("l0 a1 b2 c1 d2 e1*", "l0 e0* a1 c1 b2 d2");
        arranged("l0* a1 b2 c1 d2 e1 f0", "l0* a1 c1 e1 b2 d2 f0");
        arranged("a1 b3 c2 d1 e3* f2", "e0* a1 d1 b3 c2 f2");
        arranged("a1 b2 c0* d1", "a1 d1 b2 c0*");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(arguments_are_filled_in),
                cmocka_unit_test(serial_is_unit_and_speed),
                cmocka_unit_test(an_entry_is_found_by_id_or_place),
                cmocka_unit_test(a_tool_is_never_the_first),
                cmocka_unit_test(the_first_way_that_fits_is_taken),
                cmocka_unit_test(groups_stand_in_a_row_and_the_default_on_top),
        };

        return check_run("menu", tests);
}
