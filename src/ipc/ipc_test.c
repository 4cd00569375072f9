#include "ipc/ipc.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test/check.h"

struct end {
        struct loop *loop;
        struct ipc_channel *channel;
        unsigned n_messages, wanted;
        bool gone;
        char tail[64], through_fd[8];
        uint64_t ticket;
};

static void on_message(struct ipc_channel *channel, const struct ipc_message *message,
                       void *userdata) {
        struct end *end = userdata;

        if (message->kind == IPC_NONE) {
                end->gone = true;
                loop_stop(end->loop);
                return;
        }
        end->n_messages++;
        if (message->kind == IPC_GENERATE) {
                const struct ipc_generate *body = message->body;

                end->ticket = body->ticket;
                memcpy(end->tail, message->tail, message->n_tail);
        }
        if (message->n_fds == 1)
                assert_int_equal(read(message->fds[0], end->through_fd, 7), 7);
        if (end->n_messages == end->wanted)
                loop_stop(end->loop);
}

static void open_pair(struct end *a, struct end *b) {
        int fds[2];

        assert_int_equal(loop_new(&a->loop), 0);
        b->loop = a->loop;
        assert_int_equal(ipc_pair(fds), 0);
        assert_int_equal(ipc_channel_new(a->loop, fds[0], on_message, a, &a->channel),
                         0);
        assert_int_equal(ipc_channel_new(a->loop, fds[1], on_message, b, &b->channel),
                         0);
}

static void close_pair(struct end *a, struct end *b) {
        ipc_channel_free(a->channel);
        ipc_channel_free(b->channel);
        loop_free(a->loop);
}

static void bodies_tails_and_descriptors_arrive(void **state) {
        struct end a = { 0 }, b = { .wanted = 1 };
        struct ipc_generate body = { .ticket = 7 };
        int pipes[2];

        open_pair(&a, &b);
        assert_int_equal(pipe(pipes), 0);
        assert_int_equal(write(pipes[1], "through", 7), 7);
        assert_int_equal(
                ipc_send(a.channel, IPC_GENERATE, &body, "boot.ipxe", 9, pipes, 1), 0);
        loop_run(a.loop);
        assert_int_equal(b.ticket, 7);
        assert_string_equal(b.tail, "boot.ipxe");
        assert_string_equal(b.through_fd, "through");
        close(pipes[0]);
        close(pipes[1]);
        close_pair(&a, &b);
}

static void a_full_socket_queues_and_keeps_the_order(void **state) {
        enum { N = 2000 };
        static uint8_t tail[2000];
        struct end a = { 0 }, b = { .wanted = N + 1 };
        struct ipc_generate last = { .ticket = 99 };

        open_pair(&a, &b);
        for (int i = 0; i < N; i++)
                assert_int_equal(ipc_send(a.channel, IPC_EVENT, NULL, tail,
                                          sizeof(tail), NULL, 0),
                                 0);
        assert_int_equal(ipc_send(a.channel, IPC_GENERATE, &last, "z", 1, NULL, 0), 0);
        loop_run(a.loop);
        assert_int_equal(b.ticket, 99);
        close_pair(&a, &b);
}

static void a_reader_that_never_reads_costs_a_bounded_queue(void **state) {
        static uint8_t tail[50000];
        struct end a = { 0 }, b = { 0 };
        int r = 0, sent = 0;

        open_pair(&a, &b);
        while (r == 0 && sent++ < 10000)
                r = ipc_send(a.channel, IPC_EVENT, NULL, tail, sizeof(tail), NULL, 0);
        assert_int_equal(r, -ENOBUFS);
        close_pair(&a, &b);
}

static void a_message_without_shape_ends_the_channel(void **state) {
        static const uint32_t bad[][4] = {
                { IPC_N_KINDS, 0, 0, 0 },
                { IPC_NONE, 0, 0, 0 },
                { IPC_GENERATE, 3, 0, 0 },
                { IPC_GENERATE, sizeof(struct ipc_generate), 0, 0 }, /* body missing */
        };

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                struct end a = { 0 };
                int fds[2];

                assert_int_equal(loop_new(&a.loop), 0);
                assert_int_equal(ipc_pair(fds), 0);
                assert_int_equal(
                        ipc_channel_new(a.loop, fds[0], on_message, &a, &a.channel), 0);
                assert_int_equal(send(fds[1], bad[i], sizeof(bad[i]), 0),
                                 sizeof(bad[i]));
                loop_run(a.loop);
                assert_true(a.gone);
                assert_int_equal(a.n_messages, 0);
                assert_int_equal(ipc_send(a.channel, IPC_READY, NULL, NULL, 0, NULL, 0),
                                 -ENOTCONN);
                ipc_channel_free(a.channel);
                loop_free(a.loop);
                close(fds[1]);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(bodies_tails_and_descriptors_arrive),
                cmocka_unit_test(a_full_socket_queues_and_keeps_the_order),
                cmocka_unit_test(a_reader_that_never_reads_costs_a_bounded_queue),
                cmocka_unit_test(a_message_without_shape_ends_the_channel),
        };
        return check_run("ipc/ipc", tests);
}
