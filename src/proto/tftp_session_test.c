#include "proto/tftp_session.h"

#include "test/check.h"

static const struct tftp_limits limits = { .blksize = TFTP_BLKSIZE_ETHERNET,
                                           .windowsize = TFTP_WINDOWSIZE_SERVED,
                                           .window_bytes = TFTP_WINDOW_BYTES_SERVED };
static const nsec_t second = NSEC_PER_SEC;

static void ack(struct tftp_session *s, uint64_t block, nsec_t now) {
        uint8_t bytes[4];

        tftp_session_recv(s, bytes,
                          tftp_build_ack(bytes, sizeof(bytes), (uint16_t)block), now);
}

static void client_error(struct tftp_session *s, enum tftp_error code,
                         const char *text) {
        uint8_t bytes[64];

        tftp_session_recv(s, bytes, tftp_build_error(bytes, sizeof(bytes), code, text),
                          1);
}

static void expect_send(struct tftp_session *s, uint64_t first, uint32_t count,
                        nsec_t now) {
        struct tftp_action a = tftp_session_next(s);

        assert_int_equal(a.kind, TFTP_SEND);
        assert_int_equal(a.first, first);
        assert_int_equal(a.count, count);
        assert_int_equal(a.offset, (first - 1) * s->blksize);
        tftp_session_sent(s, count, now);
}

static void expect_kind(const struct tftp_session *s, enum tftp_action_kind kind) {
        assert_int_equal(tftp_session_next(s).kind, kind);
}

static void options_are_granted_within_limits(void **state) {
        static const struct {
                struct tftp_options asked;
                uint32_t blksize, windowsize;
        } rows[] = {
                { { .blksize = 8 }, 8, 1 },
                { { .blksize = 1024 }, 1024, 1 },
                { { .blksize = 65464 }, TFTP_BLKSIZE_ETHERNET, 1 },
                { { .windowsize = 4 }, 512, 4 },
                { { .windowsize = 65535 }, 512, TFTP_WINDOWSIZE_SERVED },
                { { .blksize = 1468, .windowsize = 64 }, 1468, 64 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct tftp_session s;

                tftp_session_init(&s, &rows[i].asked, 5000, &limits, 0);
                expect_kind(&s, TFTP_SEND_OACK);
                assert_int_equal(s.blksize, rows[i].blksize);
                assert_int_equal(s.windowsize, rows[i].windowsize);
        }
}

static void a_window_of_large_blocks_has_few(void **state) {
        const struct tftp_limits large = { .blksize = TFTP_BLKSIZE_MAX,
                                           .windowsize = TFTP_WINDOWSIZE_SERVED,
                                           .window_bytes = TFTP_WINDOW_BYTES_SERVED };
        struct tftp_session s;

        tftp_session_init(&s,
                          &(struct tftp_options){ .blksize = 8192, .windowsize = 64 },
                          1 << 20, &large, 0);
        assert_int_equal(s.windowsize, 12);
        tftp_session_init(&s,
                          &(struct tftp_options){ .blksize = 65464, .windowsize = 64 },
                          1 << 20, &large, 0);
        assert_int_equal(s.windowsize, 1);
}

static void the_oack_holds_the_size_and_only_what_was_asked(void **state) {
        struct tftp_session s;
        uint8_t bytes[TFTP_OACK_MAX];
        size_t n;

        tftp_session_init(&s, &(struct tftp_options){ .has_tsize = true }, 42256,
                          &limits, 0);
        n = tftp_session_oack(&s, bytes);
        assert_int_equal(n, 14);
        assert_memory_equal(bytes,
                            "\0\6tsize\0"
                            "42256",
                            14);
}

static void without_options_data_comes_at_once(void **state) {
        struct tftp_session s;

        tftp_session_init(&s, &(struct tftp_options){ 0 }, 600, &limits, 0);
        expect_send(&s, 1, 1, 0);
        expect_kind(&s, TFTP_WAIT);
        ack(&s, 1, 1);
        assert_int_equal(tftp_session_next(&s).length, 88);
        expect_send(&s, 2, 1, 1);
        ack(&s, 2, 2);
        expect_kind(&s, TFTP_DONE);
        assert_int_equal(tftp_session_next(&s).end, TFTP_END_SENT);
        assert_int_equal(tftp_session_acked_bytes(&s), 600);
}

static void a_file_of_whole_blocks_ends_with_an_empty_one(void **state) {
        struct tftp_session s;

        tftp_session_init(&s, &(struct tftp_options){ 0 }, 512, &limits, 0);
        expect_send(&s, 1, 1, 0);
        ack(&s, 1, 1);
        assert_int_equal(tftp_session_next(&s).length, 0);
        expect_send(&s, 2, 1, 1);
        ack(&s, 2, 2);
        expect_kind(&s, TFTP_DONE);
}

static void a_duplicate_ack_sends_nothing_at_once(void **state) {
        struct tftp_session s;

        tftp_session_init(&s, &(struct tftp_options){ 0 }, 5000, &limits, 0);
        expect_send(&s, 1, 1, 0);
        ack(&s, 1, 100);
        expect_send(&s, 2, 1, 100);
        for (nsec_t i = 0; i < 5; i++) {
                ack(&s, 1, 110 + i);
                expect_kind(&s, TFTP_WAIT);
        }
}

/* One that comes a round trip after the block is a complaint, a second one is not. */
static void a_late_duplicate_is_answered_at_once_and_once(void **state) {
        struct tftp_session s;
        nsec_t trip = 10 * NSEC_PER_MSEC;

        tftp_session_init(&s, &(struct tftp_options){ 0 }, 5000, &limits, 0);
        expect_send(&s, 1, 1, 0);
        ack(&s, 1, trip);
        expect_send(&s, 2, 1, trip);
        ack(&s, 1, trip + trip / 2);
        expect_kind(&s, TFTP_WAIT);
        ack(&s, 1, 2 * trip);
        expect_send(&s, 2, 1, 2 * trip);
        ack(&s, 1, 4 * trip);
        expect_kind(&s, TFTP_WAIT);
        ack(&s, 2, 4 * trip);
        expect_send(&s, 3, 1, 4 * trip);
        ack(&s, 2, 5 * trip);
        expect_send(&s, 3, 1, 5 * trip);
}

/* What was acknowledged sooner than a round trip after it was repeated was not lost:
 * then duplicates come from the network, and answering would double all that follows.
 */
static void a_duplicate_that_lied_ends_the_belief_in_them(void **state) {
        struct tftp_session s;
        nsec_t trip = 10 * NSEC_PER_MSEC;

        tftp_session_init(&s, &(struct tftp_options){ 0 }, 5000, &limits, 0);
        expect_send(&s, 1, 1, 0);
        ack(&s, 1, trip);
        expect_send(&s, 2, 1, trip);
        ack(&s, 1, 2 * trip);
        expect_send(&s, 2, 1, 2 * trip);
        ack(&s, 2, 2 * trip + 1);
        expect_send(&s, 3, 1, 2 * trip + 1);
        ack(&s, 2, 4 * trip);
        expect_kind(&s, TFTP_WAIT);
}

static void the_wait_follows_the_round_trips(void **state) {
        struct tftp_session s;
        nsec_t now = 0, trip = 200 * NSEC_PER_MSEC;

        tftp_session_init(&s, &(struct tftp_options){ 0 }, 1 << 20, &limits, 0);
        for (uint64_t block = 1; block < 50; block++) {
                expect_send(&s, block, 1, now);
                ack(&s, block, now += trip);
        }
        expect_send(&s, 50, 1, now);
        assert_true(tftp_session_next(&s).deadline > now + trip);
        assert_true(tftp_session_next(&s).deadline < now + 2 * trip);
        tftp_session_tick(&s, now = tftp_session_next(&s).deadline);
        expect_send(&s, 50, 1, now);
        assert_true(tftp_session_next(&s).deadline > now + 2 * trip);
}

/* The last block alone makes the client say what it has; then all; then the first. */
static void silence_after_a_window_is_asked_about_with_one_block(void **state) {
        struct tftp_session s;
        nsec_t now = second;

        tftp_session_init(&s, &(struct tftp_options){ .windowsize = 8 }, 512 * 100,
                          &limits, 0);
        tftp_session_sent(&s, 1, 0);
        ack(&s, 0, now);
        expect_send(&s, 1, 8, now);
        tftp_session_tick(&s, now = tftp_session_next(&s).deadline);
        expect_send(&s, 8, 1, now);
        expect_kind(&s, TFTP_WAIT);
        tftp_session_tick(&s, now = tftp_session_next(&s).deadline);
        expect_send(&s, 1, 8, now);
        for (int i = 0; i < 2; i++) {
                tftp_session_tick(&s, now = tftp_session_next(&s).deadline);
                expect_send(&s, 1, 1, now);
                expect_kind(&s, TFTP_WAIT);
        }
        ack(&s, 1, now += 1);
        expect_send(&s, 2, 8, now);
}

/* One lost OACK in a hundred kept a whole crowd waiting for a second. */
static void the_first_answer_is_sent_again_soon_and_once(void **state) {
        struct tftp_session s;
        nsec_t now = 0;

        tftp_session_init(&s, &(struct tftp_options){ .windowsize = 8 }, 512 * 100,
                          &limits, 0);
        tftp_session_sent(&s, 1, 0);
        assert_true(tftp_session_next(&s).deadline < second / 2);
        tftp_session_tick(&s, now = tftp_session_next(&s).deadline);
        expect_kind(&s, TFTP_SEND_OACK);
        tftp_session_sent(&s, 1, now);
        assert_true(tftp_session_next(&s).deadline >= now + 2 * second);
        /* Which of the two was answered nobody knows: no round trip, no haste. */
        ack(&s, 0, now + second);
        expect_send(&s, 1, 8, now + second);
        assert_true(tftp_session_next(&s).deadline >= now + 2 * second);
}

/* The last block of a window was lost, and 50 ms passed until somebody asked. */
static void the_tail_of_a_window_is_asked_about_early(void **state) {
        struct tftp_session s;
        nsec_t now = 0, trip = NSEC_PER_MSEC;

        tftp_session_init(&s, &(struct tftp_options){ .windowsize = 8 }, 512 * 100,
                          &limits, 0);
        tftp_session_sent(&s, 1, now);
        ack(&s, 0, now += trip);
        expect_send(&s, 1, 8, now);
        ack(&s, 8, now += trip);
        expect_send(&s, 9, 8, now);
        assert_true(tftp_session_next(&s).deadline > now + 5 * trip);
        assert_true(tftp_session_next(&s).deadline < now + 20 * trip);
        tftp_session_tick(&s, now = tftp_session_next(&s).deadline);
        expect_send(&s, 16, 1, now);
        assert_true(tftp_session_next(&s).deadline >= now + 50 * trip);
}

static void duplicate_ack_at_the_wrap_is_a_duplicate(void **state) {
        struct tftp_session s;

        tftp_session_init(&s, &(struct tftp_options){ 0 }, 70000ULL * 512, &limits, 0);
        for (uint64_t block = 1; block <= 65536; block++) {
                expect_send(&s, block, 1, 0);
                ack(&s, block, 0);
        }
        expect_send(&s, 65537, 1, 0);
        ack(&s, 65536, 0); /* 0 on the wire */
        expect_kind(&s, TFTP_WAIT);
        ack(&s, 65535, 0);
        expect_kind(&s, TFTP_WAIT);
        ack(&s, 65537, 0);
        expect_send(&s, 65538, 1, 0);
}

static void an_ack_inside_a_window_moves_it(void **state) {
        struct tftp_session s;

        tftp_session_init(&s, &(struct tftp_options){ .windowsize = 4 }, 512 * 20,
                          &limits, 0);
        expect_kind(&s, TFTP_SEND_OACK);
        tftp_session_sent(&s, 1, 0);
        ack(&s, 0, 1);
        expect_send(&s, 1, 4, 1);
        ack(&s, 2, 2);
        expect_send(&s, 3, 4, 2);
        assert_int_equal(s.resent, 2);
        ack(&s, 6, 3);
        expect_send(&s, 7, 4, 3);
        ack(&s, 5, 3); /* an old one, overtaken */
        expect_kind(&s, TFTP_WAIT);
}

static void a_full_socket_loses_no_place(void **state) {
        struct tftp_session s;

        tftp_session_init(&s, &(struct tftp_options){ .windowsize = 8 }, 512 * 20,
                          &limits, 0);
        tftp_session_sent(&s, 1, 0);
        ack(&s, 0, 1);
        assert_int_equal(tftp_session_next(&s).count, 8);
        tftp_session_sent(&s, 3, 1);
        expect_send(&s, 4, 5, 1);
        expect_kind(&s, TFTP_WAIT);
        assert_int_equal(s.resent, 0);
}

static void silence_is_answered_rarer_and_rarer_then_never(void **state) {
        struct tftp_session s;
        nsec_t now = 0, last = 0, wait = 0;
        unsigned n = 0;

        tftp_session_init(&s, &(struct tftp_options){ 0 }, 5000, &limits, 0);
        expect_send(&s, 1, 1, 0);
        ack(&s, 1, 0);
        while (tftp_session_next(&s).kind != TFTP_FAILED) {
                if (tftp_session_next(&s).kind == TFTP_SEND) {
                        expect_send(&s, 2, 1, now);
                        assert_true(now - last >= wait);
                        wait = now - last;
                        last = now;
                        n++;
                }
                now = tftp_session_next(&s).deadline;
                tftp_session_tick(&s, now - 1);
                expect_kind(&s, TFTP_WAIT);
                tftp_session_tick(&s, now);
        }
        assert_int_equal(n, 7);
        assert_int_equal(tftp_session_next(&s).end, TFTP_END_TIMEOUT);
}

/* The address may be forged until its port has answered. */
static void an_unheard_client_gets_four_packets_at_the_most(void **state) {
        const struct tftp_options asked[] = { { 0 }, { .windowsize = 64 } };

        for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
                struct tftp_session s;
                nsec_t now = 0;
                unsigned n = 0;

                tftp_session_init(&s, &asked[i], 1 << 20, &limits, 0);
                while (tftp_session_next(&s).kind != TFTP_FAILED) {
                        struct tftp_action a = tftp_session_next(&s);

                        if (a.kind != TFTP_WAIT) {
                                n += a.kind == TFTP_SEND ? a.count : 1;
                                tftp_session_sent(&s, a.count ? a.count : 1, now);
                        }
                        now = tftp_session_next(&s).deadline;
                        tftp_session_tick(&s, now);
                }
                assert_int_equal(n, 4);
        }
}

static void the_client_sets_the_wait(void **state) {
        struct tftp_session s;

        tftp_session_init(&s, &(struct tftp_options){ .timeout = 20 }, 5000, &limits,
                          0);
        tftp_session_sent(&s, 1, 0);
        assert_int_equal(tftp_session_next(&s).deadline, 20 * second);
        tftp_session_tick(&s, 20 * second);
        expect_kind(&s, TFTP_SEND_OACK);
        tftp_session_sent(&s, 1, 20 * second);
        tftp_session_tick(&s, tftp_session_next(&s).deadline);
        expect_kind(&s, TFTP_FAILED); /* long waits are few */
}

static void errors_of_clients_end_it_as_what_they_mean(void **state) {
        static const struct {
                struct tftp_options asked;
                bool is_open;
                enum tftp_error code;
                const char *text;
                enum tftp_action_kind kind;
                enum tftp_end end;
        } rows[] = {
                /* EDK2 */
                { { .has_tsize = true },
                  false,
                  TFTP_ERROR_OPTION,
                  "User aborted the transfer",
                  TFTP_DONE,
                  TFTP_END_SIZE_ASKED },
                { { .blksize = 1024 },
                  false,
                  TFTP_ERROR_OPTION,
                  "no",
                  TFTP_FAILED,
                  TFTP_END_ERROR },
                /* GRUB, pxelinux */
                { { .has_tsize = true },
                  true,
                  TFTP_ERROR_UNDEFINED,
                  "closed",
                  TFTP_DONE,
                  TFTP_END_CLOSED },
                { { .has_tsize = true },
                  true,
                  TFTP_ERROR_UNDEFINED,
                  "No error, file close",
                  TFTP_DONE,
                  TFTP_END_CLOSED },
                { { .has_tsize = true },
                  true,
                  TFTP_ERROR_UNDEFINED,
                  "out of memory",
                  TFTP_FAILED,
                  TFTP_END_ERROR },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct tftp_session s;

                tftp_session_init(&s, &rows[i].asked, 5000, &limits, 0);
                tftp_session_sent(&s, 1, 0);
                if (rows[i].is_open)
                        ack(&s, 0, 0);
                client_error(&s, rows[i].code, rows[i].text);
                assert_int_equal(tftp_session_next(&s).kind, rows[i].kind);
                assert_int_equal(tftp_session_next(&s).end, rows[i].end);
                if (rows[i].end == TFTP_END_ERROR)
                        assert_string_equal(s.client_message, rows[i].text);
        }
}

static void a_failure_of_ours_is_told_once(void **state) {
        struct tftp_session s;
        struct tftp_action a;

        tftp_session_init(&s, &(struct tftp_options){ 0 }, 5000, &limits, 0);
        expect_send(&s, 1, 1, 0);
        tftp_session_fail(&s, TFTP_ERROR_UNDEFINED, "the medium has gone");
        a = tftp_session_next(&s);
        assert_int_equal(a.kind, TFTP_SEND_ERROR);
        assert_string_equal(a.message, "the medium has gone");
        tftp_session_sent(&s, 1, 0);
        assert_int_equal(tftp_session_next(&s).kind, TFTP_FAILED);
        assert_int_equal(tftp_session_next(&s).end, TFTP_END_OURS);
}

static void a_closed_port_ends_it(void **state) {
        struct tftp_session s;

        tftp_session_init(&s, &(struct tftp_options){ 0 }, 600, &limits, 0);
        expect_send(&s, 1, 1, 0);
        tftp_session_unreachable(&s);
        assert_int_equal(tftp_session_next(&s).end, TFTP_END_UNREACHABLE);

        tftp_session_init(&s, &(struct tftp_options){ 0 }, 600, &limits, 0);
        expect_send(&s, 1, 1, 0);
        ack(&s, 1, 0);
        expect_send(&s, 2, 1, 0);
        tftp_session_unreachable(&s);
        assert_int_equal(tftp_session_next(&s).end, TFTP_END_LAST_ACK);
}

static void garbage_changes_nothing(void **state) {
        static const char *const garbage[] = { "",
                                               "\0",
                                               "\0\4",
                                               "\0\3\0\1data",
                                               "\0\6blksize\0\x38\0", /* an 8 */
                                               "\0\1a\0octet\0",
                                               "\xff\xff\0\1" };
        struct tftp_session s, before;

        tftp_session_init(&s, &(struct tftp_options){ 0 }, 600, &limits, 0);
        expect_send(&s, 1, 1, 0);
        before = s;
        for (size_t i = 0; i < ARRAY_SIZE(garbage); i++)
                for (size_t n = 0; n < 8; n++) {
                        uint8_t bytes[8] = { 0 };

                        memcpy(bytes, garbage[i], strlen(garbage[i]));
                        if (bytes[1] == TFTP_OP_ACK || bytes[1] == TFTP_OP_ERROR)
                                continue;
                        tftp_session_recv(&s, bytes, n, 1);
                        assert_memory_equal(&s, &before, sizeof(s));
                }
}

static void every_end_has_a_sentence(void **state) {
        for (int end = TFTP_END_NONE; end <= TFTP_END_OURS; end++)
                assert_true(strlen(tftp_end_text((enum tftp_end)end)) > 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(options_are_granted_within_limits),
                cmocka_unit_test(a_window_of_large_blocks_has_few),
                cmocka_unit_test(the_oack_holds_the_size_and_only_what_was_asked),
                cmocka_unit_test(without_options_data_comes_at_once),
                cmocka_unit_test(a_file_of_whole_blocks_ends_with_an_empty_one),
                cmocka_unit_test(a_duplicate_ack_sends_nothing_at_once),
                cmocka_unit_test(a_late_duplicate_is_answered_at_once_and_once),
                cmocka_unit_test(a_duplicate_that_lied_ends_the_belief_in_them),
                cmocka_unit_test(the_wait_follows_the_round_trips),
                cmocka_unit_test(silence_after_a_window_is_asked_about_with_one_block),
                cmocka_unit_test(the_first_answer_is_sent_again_soon_and_once),
                cmocka_unit_test(the_tail_of_a_window_is_asked_about_early),
                cmocka_unit_test(duplicate_ack_at_the_wrap_is_a_duplicate),
                cmocka_unit_test(an_ack_inside_a_window_moves_it),
                cmocka_unit_test(a_full_socket_loses_no_place),
                cmocka_unit_test(silence_is_answered_rarer_and_rarer_then_never),
                cmocka_unit_test(an_unheard_client_gets_four_packets_at_the_most),
                cmocka_unit_test(the_client_sets_the_wait),
                cmocka_unit_test(errors_of_clients_end_it_as_what_they_mean),
                cmocka_unit_test(a_failure_of_ours_is_told_once),
                cmocka_unit_test(a_closed_port_ends_it),
                cmocka_unit_test(garbage_changes_nothing),
                cmocka_unit_test(every_end_has_a_sentence),
        };
        return check_run("proto/tftp_session", tests);
}
