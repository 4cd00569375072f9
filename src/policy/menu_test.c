/* Arguments filled in for one client. */
#include "policy/menu.h"

#include "test/check.h"

static void arguments_are_filled_in(void **state) {
        static const struct {
                const char *args;
                bool serial;
                uint16_t port;
                const char *want;
        } rows[] = {
                { "", false, 80, "" },
                { "quiet", false, 80, "quiet" },
                { "", true, 80, "console=ttyS0,115200n8" },
                { "a --- quiet", true, 80, "a console=ttyS0,115200n8 --- quiet" },
                { "--- quiet", true, 80, "console=ttyS0,115200n8 --- quiet" },
                { "a---b", true, 80, "a---b console=ttyS0,115200n8" },
                { "m=${tree}", false, 80, "m=http://10.0.0.1/media/el6" },
                { "m=${iso} s=${server}", false, 8080,
                  "m=http://10.0.0.1:8080/iso/el6.iso s=10.0.0.1" },
                { "${other} ${name} $", false, 80, "${other} el6 $" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct menu menu = { .server = 0x0a000001, .http_port = rows[i].port };
                struct text out = { 0 };

                menu.serial.is_on = rows[i].serial;
                menu.serial.speed = 115200;
                menu_args(rows[i].args, "el6", &menu, &out);
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
                                          { .kind = MENU_LINUX, .id = "debian-12" } } };

        assert_int_equal(menu_find(&menu, "local"), 0);
        assert_int_equal(menu_find(&menu, "first"), 1);
        assert_int_equal(menu_find(&menu, "debian-12"), 1);
        assert_int_equal(menu_find(&menu, "debian-13"), 2);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(arguments_are_filled_in),
                cmocka_unit_test(serial_is_unit_and_speed),
                cmocka_unit_test(an_entry_is_found_by_id_or_place),
        };

        return check_run("menu", tests);
}
