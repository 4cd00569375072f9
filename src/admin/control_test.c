/*
 * The control socket over real sockets, in one loop: clients, the server, and a core
 * that answers what the test tells it to.
 */
#include "admin/control.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "admin/ring.h"
#include "base/event.h"
#include "test/check.h"

struct scene {
        struct loop *loop;
        struct control *control;
        struct ipc_channel *to_core, *core;
        struct sockaddr_un at;
        socklen_t n_at;
        /* what the core was asked last */
        uint64_t ticket;
        char query[200];
        size_t n_query;
};

static void on_core(struct ipc_channel *channel, const struct ipc_message *message,
                    void *userdata) {
        struct scene *scene = userdata;

        (void)channel;
        if (message->kind == IPC_QUERY) {
                scene->ticket = ((const struct ipc_query *)message->body)->ticket;
                scene->n_query = min_size(message->n_tail, sizeof(scene->query));
                memcpy(scene->query, message->tail, scene->n_query);
        }
        loop_stop(scene->loop);
}

static void on_from_core(struct ipc_channel *channel, const struct ipc_message *message,
                         void *userdata) {
        struct scene *scene = userdata;

        (void)channel;
        if (message->kind == IPC_ANSWER)
                control_answer(scene->control, message->body, message->tail,
                               message->n_tail);
}

static int set_up(void **state) {
        struct scene *scene = calloc(1, sizeof(*scene));
        int listener =
                socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        int pair[2];

        scene->at.sun_family = AF_UNIX; /* and no name: the kernel finds one */
        scene->n_at = sizeof(scene->at);
        if (bind(listener, (struct sockaddr *)&scene->at, sizeof(sa_family_t)) < 0 ||
            getsockname(listener, (struct sockaddr *)&scene->at, &scene->n_at) < 0 ||
            listen(listener, 64) < 0 || loop_new(&scene->loop) < 0 ||
            control_new(scene->loop, &scene->control) < 0 ||
            control_listen(scene->control, listener) < 0 || ipc_pair(pair) < 0 ||
            ipc_channel_new(scene->loop, pair[0], on_from_core, scene,
                            &scene->to_core) < 0 ||
            ipc_channel_new(scene->loop, pair[1], on_core, scene, &scene->core) < 0)
                return -1;
        control_set_core(scene->control, scene->to_core);
        *state = scene;
        return 0;
}

static int tear_down(void **state) {
        struct scene *scene = *state;

        control_free(scene->control);
        ipc_channel_free(scene->to_core);
        ipc_channel_free(scene->core);
        loop_free(scene->loop);
        free(scene);
        return 0;
}

static int connect_client(struct scene *scene) {
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        assert_int_equal(connect(fd, (struct sockaddr *)&scene->at, scene->n_at), 0);
        return fd;
}

static void ask(int fd, uint64_t ticket, const char *verb, const char *arguments) {
        struct ipc_query query = { ticket };
        uint8_t tail[300];
        struct writer w = writer_of(tail, sizeof(tail));

        writer_cstring(&w, verb);
        writer_cstring(&w, arguments);
        assert_int_equal(ipc_send_blocking(fd, IPC_QUERY, &query, tail, w.at), 0);
}

static void stop_loop(int fd, unsigned ready, void *userdata) {
        (void)fd;
        (void)ready;
        loop_stop(userdata);
}

/* Runs the loop until there is something for the client; 1, or 0 at the end. The
 * answer's text is in *ret, terminated. */
static int next_answer(struct scene *scene, int fd, struct ipc_answer *answer,
                       char ret[static 4096]) {
        static _Alignas(16) uint8_t buffer[IPC_MESSAGE_MAX];
        struct loop_watch *watch;
        struct ipc_message message;
        int r;

        assert_int_equal(loop_watch_new(scene->loop, fd, LOOP_READABLE, stop_loop,
                                        scene->loop, &watch),
                         0);
        do {
                loop_run(scene->loop);
                r = ipc_recv_blocking(fd, buffer, sizeof(buffer), &message);
        } while (r == -EAGAIN);
        loop_watch_free(watch);
        if (r != 1)
                return r == -ECONNRESET ? 0 : r;
        assert_int_equal(message.kind, IPC_ANSWER);
        assert_true(message.n_tail < 4096);
        *answer = *(const struct ipc_answer *)message.body;
        memcpy(ret, message.tail, message.n_tail);
        ret[message.n_tail] = '\0';
        return 1;
}

static void tell(struct scene *scene, const char *medium) {
        struct event e = { .kind = EVENT_MEDIUM_REMOVED, .time = NSEC_PER_SEC };
        uint8_t packed[EVENT_PACKED_MAX];

        e.values[0] = (struct event_value)EVENT_TEXT(medium);
        control_event(scene->control, packed, event_pack(&e, packed, sizeof(packed)));
}

static void an_answer_finds_its_client(void **state) {
        struct scene *scene = *state;
        int a = connect_client(scene), b = connect_client(scene);
        struct ipc_answer answer;
        uint64_t ticket_a;
        char text[4096];

        ask(a, 7, "leases", "");
        loop_run(scene->loop);
        ticket_a = scene->ticket;
        assert_memory_equal(scene->query, "leases\0", 8);
        ask(b, 7, "explain", "mac=52:54:00:12:34:56 arch=0");
        loop_run(scene->loop);
        assert_memory_equal(scene->query, "explain\0mac=52:54:00:12:34:56 arch=0", 37);
        assert_true(scene->ticket != ticket_a);

        ipc_send(scene->core, IPC_ANSWER, &(struct ipc_answer){ scene->ticket, 1 },
                 "{}", 2, NULL, 0);
        ipc_send(scene->core, IPC_ANSWER, &(struct ipc_answer){ ticket_a, 0 }, "[1,", 3,
                 NULL, 0);
        ipc_send(scene->core, IPC_ANSWER, &(struct ipc_answer){ ticket_a, 1 }, "2]", 2,
                 NULL, 0);
        assert_int_equal(next_answer(scene, b, &answer, text), 1);
        assert_string_equal(text, "{}");
        assert_int_equal(answer.ticket, 7);
        assert_int_equal(answer.last, 1);
        assert_int_equal(next_answer(scene, a, &answer, text), 1);
        assert_string_equal(text, "[1,");
        assert_int_equal(answer.last, 0);
        assert_int_equal(next_answer(scene, a, &answer, text), 1);
        assert_string_equal(text, "2]");
        assert_int_equal(answer.last, 1);

        ask(a, 8, "status", ""); /* the same client may ask again */
        loop_run(scene->loop);
        assert_string_equal(scene->query, "status");
        close(a);
        close(b);
}

static void events_are_answered_here(void **state) {
        struct scene *scene = *state;
        int fd = connect_client(scene);
        struct ipc_answer answer;
        char text[4096];

        tell(scene, "one");
        tell(scene, "t\x1b[2Jwo");
        ask(fd, 1, "events", "");
        assert_int_equal(next_answer(scene, fd, &answer, text), 1);
        assert_string_equal(text, "00:00:01.000  medium one has gone");
        assert_int_equal(next_answer(scene, fd, &answer, text), 1);
        assert_string_equal(text, "00:00:01.000  medium t\\x1b[2Jwo has gone");
        assert_int_equal(answer.last, 0);
        assert_int_equal(next_answer(scene, fd, &answer, text), 1);
        assert_string_equal(text, "");
        assert_int_equal(answer.last, 1);

        ask(fd, 2, "events", "n=many");
        assert_int_equal(next_answer(scene, fd, &answer, text), 1);
        assert_string_equal(text, "{\"error\":\"events: not understood: n=many\"}");
        assert_int_equal(answer.ticket, 2);
        assert_int_equal(answer.last, 1);
        close(fd);
}

static void a_follower_hears_what_happens(void **state) {
        struct scene *scene = *state;
        int fd = connect_client(scene);
        struct ipc_answer answer;
        char text[4096];

        tell(scene, "before");
        ask(fd, 1, "events", "follow json");
        assert_int_equal(next_answer(scene, fd, &answer, text), 1);
        assert_non_null(strstr(text, "\"medium\":\"before\""));
        tell(scene, "after");
        assert_int_equal(next_answer(scene, fd, &answer, text), 1);
        assert_non_null(strstr(text, "\"medium\":\"after\""));
        control_event(scene->control, (const uint8_t *)"garbage", 7); /* is no event */
        tell(scene, "end");
        assert_int_equal(next_answer(scene, fd, &answer, text), 1);
        assert_non_null(strstr(text, "\"medium\":\"end\""));
        close(fd);
}

static void a_slow_follower_is_cut_with_the_count(void **state) {
        struct scene *scene = *state;
        int fd = connect_client(scene);
        struct ipc_answer answer = { 0 };
        char text[4096];
        unsigned n_heard = 0, n_lost = 0;
        enum { TOLD = RING_EVENTS_MAX * 3 };

        ask(fd, 1, "events", "follow");
        tell(scene, "first");
        assert_int_equal(next_answer(scene, fd, &answer, text), 1);
        for (unsigned i = 0; i < TOLD; i++) /* and nobody reads */
                tell(scene, "more");
        while (!answer.last) {
                assert_int_equal(next_answer(scene, fd, &answer, text), 1);
                n_heard += !answer.last;
        }
        assert_int_equal(sscanf(text, "{\"error\":\"%u events were lost", &n_lost), 1);
        /* Heard, lost, and still in the ring: that is all there were. */
        assert_int_equal(n_heard + n_lost + RING_EVENTS_MAX, TOLD);
        assert_int_equal(next_answer(scene, fd, &answer, text), 0);
        close(fd);
}

static void a_core_that_ends_is_said_so(void **state) {
        struct scene *scene = *state;
        int fd = connect_client(scene), another;
        struct ipc_answer answer;
        char text[4096];

        ask(fd, 1, "leases", "");
        loop_run(scene->loop);
        control_set_core(scene->control, NULL);
        assert_int_equal(next_answer(scene, fd, &answer, text), 1);
        assert_int_equal(answer.last, 1);
        assert_non_null(strstr(text, "{\"error\":\"the server's core ended"));
        close(fd);

        another = connect_client(scene);
        ask(another, 2, "leases", "");
        assert_int_equal(next_answer(scene, another, &answer, text), 1);
        assert_non_null(strstr(text, "{\"error\":\"the server's core is just being"));
        /* An answer that comes late is nobody's. */
        control_answer(scene->control, &(struct ipc_answer){ 1, 1 }, NULL, 0);
        close(another);
}

static void nonsense_is_hung_up_on(void **state) {
        struct scene *scene = *state;
        struct ipc_query query = { 1 };
        struct ipc_answer answer;
        char text[4096];
        int fd = connect_client(scene);

        assert_int_equal(send(fd, "nonsense", 8, 0), 8);
        assert_int_equal(next_answer(scene, fd, &answer, text), 0);
        close(fd);

        fd = connect_client(scene); /* no NUL behind the arguments */
        assert_int_equal(ipc_send_blocking(fd, IPC_QUERY, &query, "events\0n", 8), 0);
        assert_int_equal(next_answer(scene, fd, &answer, text), 1);
        assert_string_equal(text, "{\"error\":\"the query is malformed\"}");
        assert_int_equal(next_answer(scene, fd, &answer, text), 0);
        close(fd);

        fd = connect_client(scene); /* two at a time */
        ask(fd, 1, "leases", "");
        ask(fd, 2, "leases", "");
        assert_int_equal(next_answer(scene, fd, &answer, text), 0);
        close(fd);
}

static void idle_clients_make_room_and_busy_ones_do_not(void **state) {
        struct scene *scene = *state;
        int fds[CONTROL_CLIENTS_MAX + 2];
        struct ipc_answer answer;
        char text[4096];

        tell(scene, "one");
        for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
                fds[i] = connect_client(scene);
                ask(fds[i], 1, "events", i == 1 ? "n=0" : "follow");
                assert_int_equal(next_answer(scene, fds[i], &answer, text), 1);
        }
        /* Only the second one has no wish left. */
        fds[CONTROL_CLIENTS_MAX] = connect_client(scene);
        ask(fds[CONTROL_CLIENTS_MAX], 1, "events", "follow");
        assert_int_equal(next_answer(scene, fds[CONTROL_CLIENTS_MAX], &answer, text),
                         1);
        assert_string_equal(text, "00:00:01.000  medium one has gone");
        assert_int_equal(next_answer(scene, fds[1], &answer, text), 0);

        fds[CONTROL_CLIENTS_MAX + 1] = connect_client(scene);
        assert_int_equal(
                next_answer(scene, fds[CONTROL_CLIENTS_MAX + 1], &answer, text), 1);
        assert_non_null(strstr(text, "too many are connected"));
        for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
                close(fds[i]);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                T(an_answer_finds_its_client),
                T(events_are_answered_here),
                T(a_follower_hears_what_happens),
                T(a_slow_follower_is_cut_with_the_count),
                T(a_core_that_ends_is_said_so),
                T(nonsense_is_hung_up_on),
                T(idle_clients_make_room_and_busy_ones_do_not),
        };
#undef T
        return check_run("control", tests);
}
