/*
 * Whole conversations with the FTP session: clients that interrupt, that send ahead,
 * that take nothing, that never come to their data connection, and that mean no good.
 */
#include "test/check.h"
#include "test/ftp_world.h"

static struct world w;

static int set_up(void **state) {
        world_log_in(&w);
        world_say(&w, "TYPE I");
        return 0;
}

static int tear_down(void **state) {
        world_end(&w);
        return 0;
}

static void check_codes(const char *replies, const char *const *codes) {
        for (; *codes; codes++) {
                const char *end = strstr(replies, "\r\n");

                if (!end || strncmp(replies, *codes, strlen(*codes)) != 0)
                        fail_msg("%s where %s should be", replies, *codes);
                replies = end + 2;
        }
        assert_string_equal(replies, "");
}
#define CHECK_CODES(...)                                                               \
        check_codes(text_string(&w.control), (const char *const[]){ __VA_ARGS__, NULL })

static void one_connection_carries_one_transfer(void **state) {
        world_say(&w, "PASV");
        world_say(&w, "RETR big");
        CHECK_CODES("150 ", "226 ");
        world_say(&w, "RETR big");
        CHECK_CODES("425 ");
        assert_int_equal(w.n_transfers, 1);
        /* A failure before it took none. */
        world_say(&w, "PASV");
        world_say(&w, "RETR nothing");
        CHECK_CODES("550 ");
        world_say(&w, "RETR big");
        CHECK_CODES("150 ", "226 ");
}

static void what_is_sent_ahead_is_done_in_order(void **state) {
        world_say(&w,
                  "PASV\r\nRETR big\r\nNOOP\r\nPASV\r\nRETR hello.txt\r\nPWD\r\nQUIT");
        CHECK_CODES("227 ", "150 ", "226 ", "200 ", "227 ", "150 ", "226 ", "257 ",
                    "221 ");
        assert_string_equal(world_data(&w),
                            "0123456789abcdefghijklmnopqrstuvwxyzhello,\n"
                            "world\n");
        assert_true(w.is_closed);
}

static void commands_wait_for_the_end_of_a_transfer(void **state) {
        world_say(&w, "PASV");
        w.reads_most = 5;
        world_say(&w, "RETR big\r\nNOOP\r\nQUIT");
        CHECK_CODES("150 ");
        w.reads_most = UINT64_MAX;
        world_run(&w);
        CHECK_CODES("150 ", "226 ", "200 ", "221 ");
        assert_int_equal(w.data.n, 36);
}

/* RFC 959 4.1.3: 426 for the transfer, 226 for the command. */
static void abor_ends_a_transfer_in_the_middle(void **state) {
        world_say(&w, "PASV");
        w.reads_most = 5;
        world_say(&w, "RETR big");
        assert_true(w.is_connected);
        world_say(&w, "\xff\xf4\xff\xf2"
                      "ABOR");
        CHECK_CODES("426 ", "226 ");
        assert_false(w.is_connected);
        assert_int_equal(w.last_end, FTP_END_ABORTED);
        w.reads_most = UINT64_MAX;
        world_say(&w, "PASV");
        world_say(&w, "RETR big");
        assert_int_equal(w.data.n, 36);
}

static void abor_comes_before_during_and_after(void **state) {
        world_say(&w, "ABOR");
        CHECK_CODES("226 ");
        /* While the data connection is waited for. */
        w.is_client_late = true;
        world_say(&w, "PASV\r\nRETR big\r\nABOR");
        CHECK_CODES("227 ", "150 ", "426 ", "226 ");
        w.is_client_late = false;
        /* Sent ahead: by then the transfer is over. */
        world_say(&w, "PASV\r\nRETR big\r\nNOOP\r\nABOR\r\nNOOP");
        CHECK_CODES("227 ", "150 ", "226 ", "200 ", "226 ", "200 ");
        /* While a file is looked up: it is about the transfer that begins then. */
        w.reads_most = 0;
        w.is_generated_late = true;
        world_say(&w, "PASV\r\nRETR big\r\nABOR");
        CHECK_CODES("227 ");
        world_answer(&w);
        world_run(&w);
        CHECK_CODES("227 ", "150 ", "426 ", "226 ");
}

static void stat_tells_of_a_transfer_while_it_runs(void **state) {
        world_say(&w, "PASV");
        w.reads_most = 5;
        world_say(&w, "RETR big");
        world_say(&w, "STAT");
        assert_non_null(strstr(text_string(&w.control), "Sent so far: 5 bytes"));
        world_say(&w, "STAT pub\r\nSTAT");
        assert_int_equal(w.control.n, 0);
        w.reads_most = UINT64_MAX;
        world_run(&w);
        assert_memory_equal(text_string(&w.control), "226 ", 4);
        assert_non_null(strstr(text_string(&w.control), "212 End"));
        assert_non_null(strstr(text_string(&w.control), "No transfer"));
}

static void a_place_behind_the_end_is_refused_and_forgotten(void **state) {
        world_say(&w, "PASV\r\nREST 37\r\nRETR big");
        CHECK_CODES("227 ", "350 ", "554 ");
        world_say(&w, "RETR big");
        CHECK_CODES("150 ", "226 ");
        assert_int_equal(w.data.n, 36);
        world_say(&w, "PASV\r\nREST 36\r\nRETR big");
        CHECK_CODES("227 ", "350 ", "150 ", "226 ");
        assert_int_equal(w.data.n, 0);
        world_say(&w, "PASV\r\nREST 18446744073709551615\r\nRETR big");
        CHECK_CODES("227 ", "350 ", "554 ");
        world_say(&w, "REST 99999999999999999999");
        CHECK_CODES("501 ");
}

static void who_takes_nothing_is_cut_off_and_can_try_again(void **state) {
        world_say(&w, "PASV");
        w.reads_most = 5;
        world_say(&w, "RETR big");
        world_wait(&w, 59 * NSEC_PER_SEC);
        assert_true(w.is_connected);
        world_wait(&w, 2 * NSEC_PER_SEC);
        CHECK_CODES("150 ", "426 ");
        assert_int_equal(w.last_end, FTP_END_STALLED);
        w.reads_most = UINT64_MAX;
        world_say(&w, "PASV\r\nRETR big");
        CHECK_CODES("227 ", "150 ", "226 ");
}

static void who_takes_a_byte_now_and_then_is_cut_off(void **state) {
        unsigned n = 0;

        w.s.limits.min_rate = 500;
        world_say(&w, "PASV");
        w.reads_most = 0;
        world_say(&w, "RETR big");
        while (w.n_transfers == 0 && n++ < 30) {
                w.reads_most = 1;
                world_wait(&w, 10 * NSEC_PER_SEC);
        }
        assert_int_equal(w.last_end, FTP_END_STALLED);
        assert_int_equal(n, 7);
}

static void who_does_not_read_replies_is_closed(void **state) {
        w.control_most = 10;
        world_bytes(&w, "HELP\r\nHELP\r\n", 12);
        world_wait(&w, 59 * NSEC_PER_SEC);
        assert_false(w.is_closed);
        world_wait(&w, 2 * NSEC_PER_SEC);
        assert_true(w.is_closed);
}

/* However much is asked: what waits to be sent is bounded, and the rest is left in the
 * socket. */
static void a_flood_of_commands_is_not_kept(void **state) {
        size_t taken = 0;

        w.control_most = 0;
        for (unsigned i = 0; i < 10000; i++) {
                size_t room = ftp_session_room(&w.s);

                taken += min_size(room, 6);
                world_bytes(&w, "HELP\r\n", min_size(room, 6));
        }
        assert_true(taken < 8192);
        assert_true(w.s.out.n < 8192);
}

static void a_data_connection_that_never_comes_is_given_up(void **state) {
        w.is_client_late = true;
        world_say(&w, "PASV");
        world_say(&w, "RETR big");
        world_wait(&w, 29 * NSEC_PER_SEC);
        CHECK_CODES("150 ");
        world_wait(&w, 2 * NSEC_PER_SEC);
        CHECK_CODES("150 ", "425 ");
        assert_false(w.has_listener);
        w.is_client_late = false;
        w.is_port_refused = true;
        world_say(&w, "PORT 10,0,0,2,200,1\r\nRETR big");
        CHECK_CODES("200 ", "150 ", "425 ");
}

static void a_data_connection_that_breaks_is_told(void **state) {
        world_say(&w, "PASV");
        w.reads_most = 5;
        world_say(&w, "RETR big");
        ftp_session_data_failed(&w.s, FTP_END_LOST, w.now);
        world_run(&w);
        CHECK_CODES("150 ", "426 ");
        w.reads_most = 5;
        world_say(&w, "PASV\r\nRETR big");
        ftp_session_data_failed(&w.s, FTP_END_FILE, w.now);
        world_run(&w);
        CHECK_CODES("227 ", "150 ", "451 ");
}

/* RFC 959 2.3 */
static void with_the_control_connection_goes_the_transfer(void **state) {
        world_say(&w, "PASV");
        w.reads_most = 5;
        world_say(&w, "RETR big");
        ftp_session_eof(&w.s, w.now);
        world_run(&w);
        assert_int_equal(w.last_end, FTP_END_GONE);
        assert_true(w.is_closed);
}

static void half_closed_clients_get_their_answers(void **state) {
        world_say(&w, "PASV");
        w.is_generated_late = true;
        world_say(&w, "SIZE big\r\nNOOP");
        ftp_session_eof(&w.s, w.now);
        world_run(&w);
        assert_false(w.is_closed);
        world_answer(&w);
        world_run(&w);
        CHECK_CODES("213 ", "200 ");
        assert_true(w.is_closed);
}

/* RFC 1123 4.1.3.2 */
static void who_says_nothing_is_left(void **state) {
        world_wait(&w, 299 * NSEC_PER_SEC);
        assert_false(w.is_closed);
        world_say(&w, "NOOP");
        world_wait(&w, 299 * NSEC_PER_SEC);
        assert_false(w.is_closed);
        world_wait(&w, 2 * NSEC_PER_SEC);
        assert_non_null(strstr(text_string(&w.control), "421 "));
        assert_true(w.is_closed);
        world_end(&w);
        world_begin(&w);
        world_wait(&w, 61 * NSEC_PER_SEC);
        assert_true(w.is_closed);
}

static void a_long_transfer_is_not_idle(void **state) {
        world_say(&w, "PASV");
        w.reads_most = 1;
        world_say(&w, "RETR big");
        for (unsigned i = 0; i < 35; i++) {
                w.reads_most = 1;
                world_wait(&w, 50 * NSEC_PER_SEC);
        }
        CHECK_CODES("150 ", "226 ");
        world_wait(&w, 200 * NSEC_PER_SEC);
        assert_false(w.is_closed);
}

/* The way of an attack through us: a port of a third machine, and what to tell it. */
static void nobody_is_attacked_through_us(void **state) {
        for (unsigned i = 0; i < 10; i++) {
                world_say(&w, "PORT 10,0,0,3,0,25\r\nREST 0\r\nRETR big");
                CHECK_CODES("504 ", "350 ", "425 ");
        }
        assert_int_equal(w.n_connections, 0);
        /* An address that was good before is not good for another one. */
        world_say(&w, "PORT 10,0,0,2,200,1");
        world_say(&w, "PORT 10,0,0,3,200,1");
        world_say(&w, "RETR big");
        assert_int_equal(w.s.data_port, 51201);
        assert_int_equal(w.n_connections, 1);
}

#define STORY(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static const struct CMUnitTest tests[] = {
        STORY(one_connection_carries_one_transfer),
        STORY(what_is_sent_ahead_is_done_in_order),
        STORY(commands_wait_for_the_end_of_a_transfer),
        STORY(abor_ends_a_transfer_in_the_middle),
        STORY(abor_comes_before_during_and_after),
        STORY(stat_tells_of_a_transfer_while_it_runs),
        STORY(a_place_behind_the_end_is_refused_and_forgotten),
        STORY(who_takes_nothing_is_cut_off_and_can_try_again),
        STORY(who_takes_a_byte_now_and_then_is_cut_off),
        STORY(who_does_not_read_replies_is_closed),
        STORY(a_flood_of_commands_is_not_kept),
        STORY(a_data_connection_that_never_comes_is_given_up),
        STORY(a_data_connection_that_breaks_is_told),
        STORY(with_the_control_connection_goes_the_transfer),
        STORY(half_closed_clients_get_their_answers),
        STORY(who_says_nothing_is_left),
        STORY(a_long_transfer_is_not_idle),
        STORY(nobody_is_attacked_through_us),
};

int main(void) {
        return check_run("story/ftp", tests);
}
