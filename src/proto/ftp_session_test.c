#include "proto/ftp_session.h"

#include "test/check.h"
#include "test/ftp_world.h"

struct said {
        const char *line, *reply;
};

static void check_said(struct world *w, const struct said *rows, size_t n) {
        for (size_t i = 0; i < n; i++) {
                const char *reply = world_say(w, rows[i].line);

                if (strncmp(reply, rows[i].reply, strlen(rows[i].reply)) != 0)
                        fail_msg("%s was answered %s, not %s", rows[i].line, reply,
                                 rows[i].reply);
        }
}
#define CHECK_SAID(w, rows) check_said(w, rows, ARRAY_SIZE(rows))

static void nothing_is_done_before_the_login(void **state) {
        static const struct said rows[] = {
                { "RETR hello.txt", "530 " },
                { "PASV", "530 " },
                { "PORT 10,0,0,2,200,1", "530 " },
                { "CWD pub", "530 " },
                { "STAT pub", "530 " },
                { "STOR x", "530 " },
                { "PASS x", "503 " },
                { "USER root", "530 " },
                { "PASS x", "503 " },
                { "SYST", "215 UNIX Type: L8\r\n" },
                { "FEAT", "211-" },
                { "NOOP", "200 " },
                { "STAT", "211-" },
                { "HELP", "214-" },
                { "OPTS UTF8 ON", "200 " },
                { "AUTH TLS", "502 " },
                { "USER", "501 " },
                { "user Anonymous", "331 " },
                { "PASS", "230 " },
                { "CWD pub", "250 " },
                { "REIN", "220 " },
                { "CWD pub", "530 " },
                { "USER ftp", "331 " },
        };
        struct world w;

        world_begin(&w);
        assert_string_equal(text_string(&w.control),
                            "220 Bootjack, read-only. Log in as anonymous.\r\n");
        CHECK_SAID(&w, rows);
        world_end(&w);
}

static void commands_are_answered(void **state) {
        static const struct said rows[] = {
                { "TYPE I", "200 " },
                { "TYPE L 8", "200 " },
                { "TYPE A", "200 " },
                { "TYPE A N", "200 " },
                { "TYPE E", "504 " },
                { "TYPE A T", "504 " },
                { "TYPE", "501 " },
                { "MODE S", "200 " },
                { "MODE B", "504 " },
                { "STRU F", "200 " },
                { "STRU R", "504 " },
                { "ALLO 100", "202 " },
                { "ACCT x", "202 " },
                { "SITE CHMOD", "502 " },
                { "SMNT x", "502 " },
                { "CLNT x", "200 " },
                { "REST 5", "350 " },
                { "REST x", "501 " },
                { "OPTS UTF8", "200 " },
                { "OPTS UTF8 OFF", "501 " },
                { "OPTS MLST size;type;", "200 MLST OPTS type;size;\r\n" },
                { "OPTS MLST", "200 MLST OPTS \r\n" },
                { "OPTS HASH", "501 " },
                { "STOR x", "550 " },
                { "DELE hello.txt", "550 " },
                { "MKD x", "550 " },
                { "RNFR hello.txt", "550 " },
                { "APPE x", "550 " },
                { "MDTM 20200101000000 x", "550 " },
                { "BREW", "500 " },
                { "", "500 " },
                { "PWD", "257 \"/\"" },
                { "CDUP", "250 " },
                { "ABOR", "226 " },
                { "EPSV 2", "522 " },
                { "EPRT |2|::1|2000|", "522 " },
                { "LPSV", "502 " },
                { "NOOP", "200 " },
                { "NOOP", "200 " },
                { "QUIT", "221 " },
        };
        struct world w;

        world_log_in(&w);
        CHECK_SAID(&w, rows);
        assert_true(w.is_closed);
        world_end(&w);
}

static void folders_are_entered_and_left(void **state) {
        static const struct said rows[] = {
                { "CWD pub", "250 " },
                { "PWD", "257 \"/pub\"" },
                { "CWD sub", "250 " },
                { "PWD", "257 \"/pub/sub\"" },
                { "CWD ../..", "250 " },
                { "PWD", "257 \"/\"" },
                { "CWD ..", "550 the path leaves" },
                { "CWD /pub/../../etc", "550 " },
                { "CWD /../pub", "550 " },
                { "CWD \\pub\\sub", "250 " },
                { "CDUP", "250 Now in /pub.\r\n" },
                { "CWD a b", "550 /pub/a b: it is no" },
                { "CWD nowhere", "550 /pub/nowhere: not found\r\n" },
                { "PWD", "257 \"/pub\"" },
                { "CWD /", "250 " },
                { "PWD", "257 \"/\"" },
                { "CWD \xc0\xae\xc0\xae/etc", "550 " },
                { "CWD pub\x01", "550 " },
        };
        struct world w;

        world_log_in(&w);
        CHECK_SAID(&w, rows);
        world_end(&w);
}

static void attributes_are_told(void **state) {
        static const struct said rows[] = {
                { "SIZE hello.txt", "213 15\r\n" }, /* RFC 3659 4: as it is sent */
                { "TYPE I", "200 " },
                { "SIZE hello.txt", "213 13\r\n" },
                { "SIZE pub", "550 /pub: it is no file" },
                { "SIZE x", "550 " },
                { "SIZE", "501 " },
                { "MDTM hello.txt", "213 20240229130405\r\n" },
                { "MDTM big", "213 19700101000000\r\n" },
                { "MDTM pub", "550 " },
                { "MLST hello.txt",
                  "250-Begin\r\n type=file;size=13;modify=20240229130405;perm=r; "
                  "/hello.txt\r\n250 End\r\n" },
                { "MLST",
                  "250-Begin\r\n type=dir;modify=19700101000000;perm=el; /\r\n" },
                { "MLST nothing", "550 " },
                { "STAT hello.txt", "213-Status of /hello.txt\r\n -r--r--r--   1 ftp" },
                { "STAT pub", "212-Status of /pub\r\n -r--r--r--   1 ftp" },
                { "STAT nothing", "550 " },
        };
        struct world w;

        world_log_in(&w);
        CHECK_SAID(&w, rows);
        world_end(&w);
}

struct transfer {
        const char *line, *reply, *data;
};

static void check_transfers(const struct transfer *rows, size_t n, const char *type) {
        for (size_t i = 0; i < n; i++) {
                struct world w;

                world_log_in(&w);
                world_say(&w, type);
                world_say(&w, "CWD pub/sub");
                assert_string_equal(world_say(&w, "PASV"),
                                    "227 Connect to me (10,0,0,1,156,64)\r\n");
                assert_memory_equal(world_say(&w, rows[i].line), rows[i].reply, 4);
                assert_string_equal(world_data(&w), rows[i].data);
                assert_true(!w.has_listener || rows[i].reply[0] != '1');
                world_end(&w);
        }
}

static void lists_have_what_was_asked_for(void **state) {
        static const struct transfer rows[] = {
                { "NLST", "150 ", "" },
                { "NLST ..", "150 ", "../a b\r\n../c.rpm\r\n../d.rpm\r\n../sub\r\n" },
                { "NLST -la ../*.rpm", "150 ", "../c.rpm\r\n../d.rpm\r\n" },
                { "NLST ../c.rpm", "150 ", "../c.rpm\r\n" },
                { "NLST *.zip", "150 ", "" },
                { "NLST /nowhere", "550 ", "" },
                { "LIST -a ../?.rpm", "150 ",
                  "-r--r--r--   1 ftp      ftp                 3 Jan 01 00:00 c.rpm\r\n"
                  "-r--r--r--   1 ftp      ftp                 4 Jan 01 00:00 "
                  "d.rpm\r\n" },
                { "LIST /big", "150 ",
                  "-r--r--r--   1 ftp      ftp                36 Jan 01 00:00 "
                  "big\r\n" },
                { "MLSD /pub", "150 ",
                  "type=file;size=2;modify=19700101000000;perm=r; a b\r\n"
                  "type=file;size=3;modify=19700101000000;perm=r; c.rpm\r\n"
                  "type=file;size=4;modify=19700101000000;perm=r; d.rpm\r\n"
                  "type=dir;modify=19700101000000;perm=el; sub\r\n" },
                { "MLSD /big", "501 ", "" }, /* RFC 3659 7.2.1 */
        };

        check_transfers(rows, ARRAY_SIZE(rows), "TYPE I");
        check_transfers(rows, ARRAY_SIZE(rows), "TYPE A");
}

static void files_come_as_bytes_or_as_lines(void **state) {
        static const struct transfer bytes[] = {
                { "RETR /hello.txt", "150 ", "hello,\nworld\n" },
                { "RETR ../a b", "150 ", "ab" },
                { "RETR /empty", "150 ", "" },
                { "RETR /pub", "550 ", "" },
                { "RETR /nothing", "550 ", "" },
                { "RETR /../hello.txt", "550 ", "" },
        };
        static const struct transfer lines[] = {
                { "RETR /hello.txt", "150 ", "hello,\r\nworld\r\n" },
                { "RETR /empty", "150 ", "" },
        };

        check_transfers(bytes, ARRAY_SIZE(bytes), "TYPE I");
        check_transfers(lines, ARRAY_SIZE(lines), "TYPE A");
}

static void check_rest(const char *type, uint64_t rest, const char *expected) {
        char line[32] = "REST ", *p = line + 5;
        struct world w;

        *p++ = (char)('0' + rest / 10);
        *p++ = (char)('0' + rest % 10);
        *p = '\0';
        world_log_in(&w);
        world_say(&w, type);
        world_say(&w, "EPSV");
        assert_memory_equal(world_say(&w, line), "350 ", 4);
        world_say(&w, "RETR hello.txt");
        if (expected)
                assert_string_equal(world_data(&w), expected);
        else
                assert_memory_equal(text_string(&w.control), "554 ", 4);
        /* RFC 959 4.1.3: for one command. */
        world_say(&w, "EPSV");
        world_say(&w, "RETR pub/c.rpm");
        assert_string_equal(world_data(&w), "ccc");
        world_end(&w);
}

/* RFC 3659 5.3: the place is counted as it is sent. */
static void a_transfer_begins_where_rest_says(void **state) {
        static const char bytes[] = "hello,\nworld\n", lines[] = "hello,\r\nworld\r\n";

        for (uint64_t i = 0; i <= 13; i++)
                check_rest("TYPE I", i, bytes + i);
        check_rest("TYPE I", 14, NULL);
        for (uint64_t i = 0; i < 15; i++)
                check_rest("TYPE A", i, lines + i);
        check_rest("TYPE A", 15, "");
        check_rest("TYPE A", 27, NULL);
}

static void lines_arrive_in_pieces_of_any_size(void **state) {
        for (uint64_t first = 0; first < 15; first++) {
                struct world w;

                world_log_in(&w);
                world_say(&w, "PASV");
                w.reads_most = first;
                world_say(&w, "RETR hello.txt");
                w.reads_most = UINT64_MAX;
                world_run(&w);
                assert_string_equal(world_data(&w), "hello,\r\nworld\r\n");
                assert_int_equal(w.s.moved, 15);
                world_end(&w);
        }
}

static void data_goes_to_the_client_and_nobody_else(void **state) {
        static const struct said rows[] = {
                { "PORT 10,0,0,3,200,1", "504 " },
                { "PORT 127,0,0,1,200,1", "504 " },
                { "PORT 10,0,0,2,0,25", "504 " },
                { "PORT 10,0,0,2,3,255", "504 " },
                { "PORT 10,0,0,2,0,0", "504 " },
                { "PORT 10,0,0,2", "501 " },
                { "EPRT |1|10.0.0.3|50000|", "504 " },
                { "EPRT |1|10.0.0.2|80|", "504 " },
                { "EPRT |1|10.0.0.2|x|", "501 " },
                { "LIST", "425 " },
        };
        struct world w;

        world_log_in(&w);
        CHECK_SAID(&w, rows);
        assert_non_null(ftp_session_take_warning(&w.s));
        assert_null(ftp_session_take_warning(&w.s));
        assert_memory_equal(world_say(&w, "PORT 10,0,0,2,4,0"), "200 ", 4);
        assert_null(ftp_session_take_warning(&w.s));
        world_say(&w, "RETR pub/c.rpm");
        assert_string_equal(world_data(&w), "ccc");
        assert_int_equal(w.s.data_port, 1024);
        assert_memory_equal(world_say(&w, "EPRT |1|10.0.0.2|50000|"), "200 ", 4);
        world_say(&w, "NLST pub");
        assert_int_equal(w.s.data_port, 50000);
        assert_int_equal(w.n_connections, 2);
        world_end(&w);
}

/* RFC 2428 4 */
static void after_epsv_all_there_is_nothing_else(void **state) {
        static const struct said rows[] = {
                { "EPSV ALL", "200 " },
                { "PASV", "503 " },
                { "PORT 10,0,0,2,200,1", "503 " },
                { "EPRT |1|10.0.0.2|50000|", "503 " },
                { "EPSV", "229 Connect to me (|||40000|)\r\n" },
                { "EPSV 1", "229 " },
                { "RETR big", "150 " },
        };
        struct world w;

        world_log_in(&w);
        CHECK_SAID(&w, rows);
        world_end(&w);
}

static void a_port_that_is_not_wanted_any_more_is_closed(void **state) {
        struct world w;

        world_log_in(&w);
        world_say(&w, "PASV");
        assert_true(w.has_listener);
        world_say(&w, "PORT 10,0,0,2,200,1");
        assert_false(w.has_listener);
        world_say(&w, "PASV");
        world_say(&w, "ABOR");
        assert_false(w.has_listener);
        assert_memory_equal(world_say(&w, "LIST"), "425 ", 4);
        w.is_port_refused = true;
        assert_memory_equal(world_say(&w, "PASV"), "425 ", 4);
        assert_memory_equal(world_say(&w, "LIST"), "425 ", 4);
        world_end(&w);
}

static void whoever_talks_nonsense_is_sent_away(void **state) {
        struct world w;
        unsigned n = 0;

        world_log_in(&w);
        while (!w.is_closed && n++ < 1000)
                world_say(&w, "GET / HTTP/1.0");
        assert_int_equal(n, 20);
        assert_non_null(strstr(text_string(&w.control), "421 "));
        world_end(&w);
}

static void a_line_that_is_too_long_is_passed_over(void **state) {
        static char line[5000];
        struct world w;

        memset(line, 'x', sizeof(line) - 1);
        memcpy(line, "RETR ", 5);
        world_log_in(&w);
        assert_string_equal(world_say(&w, line), "500 The line is too long.\r\n");
        assert_memory_equal(world_say(&w, "NOOP"), "200 ", 4);
        world_end(&w);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_done_before_the_login),
        cmocka_unit_test(commands_are_answered),
        cmocka_unit_test(folders_are_entered_and_left),
        cmocka_unit_test(attributes_are_told),
        cmocka_unit_test(lists_have_what_was_asked_for),
        cmocka_unit_test(files_come_as_bytes_or_as_lines),
        cmocka_unit_test(a_transfer_begins_where_rest_says),
        cmocka_unit_test(lines_arrive_in_pieces_of_any_size),
        cmocka_unit_test(data_goes_to_the_client_and_nobody_else),
        cmocka_unit_test(after_epsv_all_there_is_nothing_else),
        cmocka_unit_test(a_port_that_is_not_wanted_any_more_is_closed),
        cmocka_unit_test(whoever_talks_nonsense_is_sent_away),
        cmocka_unit_test(a_line_that_is_too_long_is_passed_over),
};

int main(void) {
        return check_run("proto/ftp_session", tests);
}
