#include "admin/log.h"

#include "test/check.h"

static const struct event refused = {
        .kind = EVENT_FILE_REFUSED,
        .time = (nsec_t)1709211845123 * NSEC_PER_MSEC,
        .mac = { { 0x52, 0x54, 0, 0x12, 0x34, 0x56 } },
        .address = 0xc0a80114,
        .values = { EVENT_TEXT("tftp"), EVENT_TEXT("a\n<0>forged"),
                    EVENT_TEXT("no such file") },
};

static void the_journal_gets_a_priority_and_no_clock(void **state) {
        struct text out = { 0 };

        log_line(&refused, true, &out);
        assert_string_equal(text_string(&out), "<4>52:54:00:12:34:56 192.168.1.20 "
                                               "tftp a\\x0a<0>forged: no such file\n");
        text_done(&out);
}

static void a_stranger_cannot_make_two_lines(void **state) {
        struct text out = { 0 };

        log_line(&refused, false, &out);
        assert_ptr_equal(strchr(out.s, '\n'), out.s + out.n - 1);
        text_done(&out);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_journal_gets_a_priority_and_no_clock),
                cmocka_unit_test(a_stranger_cannot_make_two_lines),
        };

        return check_run("log", tests);
}
