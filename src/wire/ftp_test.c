#include "wire/ftp.h"

#include "test/check.h"

#define BYTES(s) ((const uint8_t *)(s))

static struct span span_of(const char *s) {
        return (struct span){ BYTES(s), strlen(s) };
}

struct line {
        const char *bytes;
        enum ftp_verb verb;
        const char *name, *argument;
};

static void lines_are_read(void **state) {
        static const struct line rows[] = {
                { "RETR a file\r\n", FTP_RETR, "RETR", "a file" },
                { "retr x\n", FTP_RETR, "RETR", "x" },
                { "NOOP\r\n", FTP_NOOP, "NOOP", "" },
                { "NOOP \r\n", FTP_NOOP, "NOOP", "" },
                { "CWD  two\r\n", FTP_CWD, "CWD", " two" },
                { "XCUP\r\n", FTP_CDUP, "XCUP", "" },
                { "STOR x\r\n", FTP_WRITES, "STOR", "x" },
                { "SMNT x\r\n", FTP_ABSENT, "SMNT", "x" },
                { "WHAT x\r\n", FTP_UNKNOWN, "WHAT", "x" },
                { "RETR2 x\r\n", FTP_UNKNOWN, "", "x" },
                { "ABCDEFGHI\r\n", FTP_UNKNOWN, "", "" },
                { "\r\n", FTP_UNKNOWN, "", "" },
                { "\n", FTP_UNKNOWN, "", "" },
                /* RFC 959 4.1.3: interrupt and data mark before ABOR. */
                { "\xff\xf4\xff\xf2"
                  "ABOR\r\n",
                  FTP_ABOR, "ABOR", "" },
                { "\xff\xfb\x01NOOP\r\n", FTP_NOOP, "NOOP", "" },
                { "CWD a\xff\xff"
                  "b\r\n",
                  FTP_CWD, "CWD",
                  "a\xff"
                  "b" },
                { "NOOP\xff\r\n", FTP_NOOP, "NOOP", "" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                uint8_t line[FTP_LINE_MAX];
                struct ftp_command command;
                size_t n = strlen(rows[i].bytes), taken;

                assert_int_equal(
                        ftp_parse_line(BYTES(rows[i].bytes), n, line, &command, &taken),
                        FTP_OK);
                assert_int_equal(taken, n);
                assert_int_equal(command.verb, rows[i].verb);
                assert_string_equal(command.name, rows[i].name);
                assert_int_equal(command.argument.n, strlen(rows[i].argument));
                if (command.argument.n)
                        assert_memory_equal(command.argument.data, rows[i].argument,
                                            command.argument.n);
        }
}

static void lines_end_somewhere(void **state) {
        static uint8_t many[FTP_LINE_MAX + 2];
        uint8_t line[FTP_LINE_MAX];
        struct ftp_command command;
        size_t n;

        memset(many, 'x', sizeof(many));
        assert_int_equal(ftp_parse_line(many, 0, line, &command, &n), FTP_MORE);
        assert_int_equal(ftp_parse_line(many, FTP_LINE_MAX, line, &command, &n),
                         FTP_MORE);
        assert_int_equal(ftp_parse_line(many, FTP_LINE_MAX + 1, line, &command, &n),
                         FTP_TOO_LONG);
        many[FTP_LINE_MAX] = '\n';
        assert_int_equal(ftp_parse_line(many, sizeof(many), line, &command, &n),
                         FTP_OK);
        assert_int_equal(n, FTP_LINE_MAX + 1);
        many[FTP_LINE_MAX] = 'x';
        many[FTP_LINE_MAX + 1] = '\n';
        assert_int_equal(ftp_parse_line(many, sizeof(many), line, &command, &n),
                         FTP_TOO_LONG);
}

static void addresses_of_port_are_six_numbers(void **state) {
        static const char *const wrong[] = {
                "",           "1,2,3,4,5",    "1,2,3,4,5,6,7", "1,2,3,4,5,256",
                "1,2,3,4,5,", "1, 2,3,4,5,6", "a,2,3,4,5,6",   "1.2.3.4,5,6",
                ",,,,,",      "-1,2,3,4,5,6", "1,2,3,4,5,6 ",  "99999999999,2,3,4,5,6",
        };
        ip4_t address = 0;
        uint16_t port = 0;

        assert_true(ftp_parse_port(span_of("192,168,1,20,200,1"), &address, &port));
        assert_int_equal(address, 0xc0a80114);
        assert_int_equal(port, 51201);
        for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
                if (ftp_parse_port(span_of(wrong[i]), &address, &port))
                        fail_msg("%s was taken", wrong[i]);
}

static void extended_addresses_are_of_ip4(void **state) {
        static const struct {
                const char *text;
                enum ftp_extended answer;
        } rows[] = {
                { "|1|192.168.1.20|51201|", FTP_EXTENDED_OK },
                { "!1!192.168.1.20!51201!", FTP_EXTENDED_OK },
                { "|2|fe80::1|51201|", FTP_EXTENDED_PROTOCOL },
                { "|1|192.168.1.20|51201", FTP_EXTENDED_WRONG },
                { "|1|192.168.1.20|51201|x", FTP_EXTENDED_WRONG },
                { "|1|192.168.1|51201|", FTP_EXTENDED_WRONG },
                { "|1|192.168.1.20|0|", FTP_EXTENDED_WRONG },
                { "|1|192.168.1.20|65536|", FTP_EXTENDED_WRONG },
                { "|1||51201|", FTP_EXTENDED_WRONG },
                { "||||", FTP_EXTENDED_WRONG },
                { "", FTP_EXTENDED_WRONG },
                { " 1 1.2.3.4 5 ", FTP_EXTENDED_WRONG },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                ip4_t address = 0;
                uint16_t port = 0;

                assert_int_equal(ftp_parse_eprt(span_of(rows[i].text), &address, &port),
                                 rows[i].answer);
                if (rows[i].answer == FTP_EXTENDED_OK)
                        assert_true(address == 0xc0a80114 && port == 51201);
        }
}

static void numbers_are_digits(void **state) {
        uint64_t v = 7;

        assert_true(ftp_parse_u64(span_of("18446744073709551615"), &v));
        assert_true(v == UINT64_MAX);
        assert_false(ftp_parse_u64(span_of("18446744073709551616"), &v));
        assert_false(ftp_parse_u64(span_of("-1"), &v));
        assert_false(ftp_parse_u64(span_of("1 "), &v));
        assert_false(ftp_parse_u64(span_of(""), &v));
        assert_true(v == UINT64_MAX);
}

static void lines_of_text_end_in_two_bytes(void **state) {
        static const char text[] = "a\nb\r\n\n";
        uint8_t out[2 * sizeof(text)];
        size_t n = ftp_to_ascii(BYTES(text), strlen(text), out);

        assert_int_equal(n, strlen("a\r\nb\r\r\n\r\n"));
        assert_memory_equal(out, "a\r\nb\r\r\n\r\n", n);
        assert_int_equal(ftp_ascii_size(BYTES(text), strlen(text)), n);
}

static void check_text(struct text *out, const char *expected) {
        assert_string_equal(text_string(out), expected);
        text_done(out);
        *out = (struct text){ 0 };
}

static void entries_are_told_in_both_ways(void **state) {
        const nsec_t then = (nsec_t)1709211845 * NSEC_PER_SEC; /* 29 February 2024 */
        struct ftp_entry file = { "a name", false, 1234, then };
        struct ftp_entry folder = { "d", true, 99, then };
        struct text out = { 0 };

        ftp_add_time(&out, then);
        check_text(&out, "20240229130405");
        ftp_add_ls(&out, &file, then + NSEC_PER_SEC);
        check_text(&out, "-r--r--r--   1 ftp      ftp              1234 Feb 29 13:04 "
                         "a name\r\n");
        ftp_add_ls(&out, &file, then + 200 * 86400 * NSEC_PER_SEC);
        check_text(&out, "-r--r--r--   1 ftp      ftp              1234 Feb 29  2024 "
                         "a name\r\n");
        ftp_add_ls(&out, &folder, then - NSEC_PER_SEC);
        check_text(&out, "dr-xr-xr-x   2 ftp      ftp                99 Feb 29  2024 "
                         "d\r\n");
        ftp_add_facts(&out, &file, FTP_FACTS_ALL);
        check_text(&out, "type=file;size=1234;modify=20240229130405;perm=r; a name");
        ftp_add_facts(&out, &folder, FTP_FACTS_ALL);
        check_text(&out, "type=dir;modify=20240229130405;perm=el; d");
        ftp_add_facts(&out, &file, FTP_FACT_SIZE);
        check_text(&out, "size=1234; a name");
        ftp_add_facts(&out, &file, 0);
        check_text(&out, " a name");
        ftp_add_fact_names(&out, FTP_FACT_SIZE | FTP_FACT_TYPE, true);
        check_text(&out, "type*;size*;modify;perm;");
        ftp_add_fact_names(&out, FTP_FACT_SIZE, false);
        check_text(&out, "size;");
        ftp_add_quoted(&out, "/a \"b\"");
        check_text(&out, "\"/a \"\"b\"\"\"");
}

static void facts_are_chosen_by_name(void **state) {
        assert_int_equal(ftp_parse_facts(span_of("Type;size;unix.mode;")),
                         FTP_FACT_TYPE | FTP_FACT_SIZE);
        assert_int_equal(ftp_parse_facts(span_of("")), 0);
        assert_int_equal(ftp_parse_facts(span_of("perm")), 0);
}

static void patterns_are_those_of_a_shell(void **state) {
        assert_true(ftp_matches("*.rpm", "a.rpm"));
        assert_true(ftp_matches("*", ""));
        assert_true(ftp_matches("a*b*c", "a1b2b3c"));
        assert_true(ftp_matches("0x?", "0xf"));
        assert_false(ftp_matches("*.rpm", "a.rpms"));
        assert_false(ftp_matches("a?", "a"));
        assert_false(ftp_matches("", "a"));
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_read),
        cmocka_unit_test(lines_end_somewhere),
        cmocka_unit_test(addresses_of_port_are_six_numbers),
        cmocka_unit_test(extended_addresses_are_of_ip4),
        cmocka_unit_test(numbers_are_digits),
        cmocka_unit_test(lines_of_text_end_in_two_bytes),
        cmocka_unit_test(entries_are_told_in_both_ways),
        cmocka_unit_test(facts_are_chosen_by_name),
        cmocka_unit_test(patterns_are_those_of_a_shell),
};

int main(void) {
        return check_run("wire/ftp", tests);
}
