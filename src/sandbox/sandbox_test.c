/*
 * Each attempt is made twice, in a child without and in a child with the sandbox:
 * the first must succeed, or the second proves nothing.
 */
#include "sandbox/sandbox.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/check.h"

static char folder[] = "/tmp/bootjack-sandbox-XXXXXX";
static uint16_t listening_port;
static pid_t victim;

static bool read_inside(void) {
        char path[64];
        int fd;

        strcpy(path, folder);
        fd = open(strcat(path, "/inside"), O_RDONLY);
        return fd >= 0;
}

static bool read_outside(void) {
        return open("/etc/passwd", O_RDONLY) >= 0;
}

static bool write_inside(void) {
        char path[64];

        strcpy(path, folder);
        return open(strcat(path, "/new"), O_CREAT | O_WRONLY, 0600) >= 0;
}

static bool execute(void) {
        execl("/bin/true", "true", (char *)NULL);
        return false;
}

static bool connect_outwards(void) {
        struct sockaddr_in to = { .sin_family = AF_INET,
                                  .sin_port = htons(listening_port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        return connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0;
}

static bool listen_anew(void) {
        struct sockaddr_in at = { .sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        return bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0;
}

static bool listen_at(uint16_t port) {
        struct sockaddr_in at = { .sin_family = AF_INET,
                                  .sin_port = htons(port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        return bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0;
}

static bool listen_in_the_range(void) {
        return listen_at(39999) && listen_at(40001);
}

static bool listen_behind_it(void) {
        return listen_at(40002);
}

static bool trace_another(void) {
        return ptrace(PTRACE_SEIZE, victim, NULL, NULL) == 0;
}

static bool open_a_packet_socket(void) {
        return socket(AF_PACKET, SOCK_RAW, 0) >= 0;
}

static bool run(bool (*attempt)(void), bool sandboxed) {
        int status;
        pid_t pid = fork();

        if (pid == 0) {
                const struct sandbox_path paths[] = { { folder, SANDBOX_READ } };

                if (sandboxed && sandbox_enter(paths, 1) != 0)
                        _exit(2);
                _exit(attempt() ? 0 : 1);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_not_equal(WEXITSTATUS(status), 2);
        return WEXITSTATUS(status) == 0;
}

static void each_attempt_fails_inside_and_succeeds_outside(void **state) {
        static const struct {
                bool (*attempt)(void);
                bool allowed;
        } rows[] = {
                { read_inside, true },       { read_outside, false },
                { write_inside, false },     { execute, false },
                { connect_outwards, false }, { listen_anew, false },
                { trace_another, false },    { open_a_packet_socket, false },
        };

        if (geteuid() != 0 || strcmp(sandbox_describe(), "landlock 4") < 0)
                skip(); /* older kernels know only some of these bounds */
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                assert_true(run(rows[i].attempt, false));
                assert_int_equal(run(rows[i].attempt, true), rows[i].allowed);
        }
}

static bool run_with_ports(bool (*attempt)(void), struct sandbox_ports ports) {
        int status;
        pid_t pid = fork();

        if (pid == 0) {
                const struct sandbox_path paths[] = { { folder, SANDBOX_READ } };

                if (sandbox_enter_with_ports(paths, 1, ports) != 0)
                        _exit(2);
                _exit(attempt() ? 0 : 1);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_not_equal(WEXITSTATUS(status), 2);
        return WEXITSTATUS(status) == 0;
}

/* What data connections of FTP need, and nothing else of it. */
static void some_ports_can_be_left_open(void **state) {
        static const struct {
                bool (*attempt)(void);
                bool without_range, with_range;
        } rows[] = {
                { connect_outwards, true, true },
                { listen_anew, true, true },
                { listen_in_the_range, false, true },
                { listen_behind_it, false, false },
                { read_outside, false, false },
        };

        if (geteuid() != 0 || strcmp(sandbox_describe(), "landlock 4") < 0)
                skip();
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                assert_true(run(rows[i].attempt, false));
                assert_int_equal(
                        run_with_ports(rows[i].attempt, (struct sandbox_ports){ 0 }),
                        rows[i].without_range);
                assert_int_equal(run_with_ports(rows[i].attempt,
                                                (struct sandbox_ports){ 39999, 40001 }),
                                 rows[i].with_range);
        }
}

static bool become_nobody(void) {
        return sandbox_become("nobody") == 0 && geteuid() != 0 && setuid(0) < 0 &&
               sandbox_can_serve() && open("/etc/shadow", O_RDONLY) < 0;
}

static bool become_a_stranger(void) {
        return sandbox_become("no-such-user-here") == SANDBOX_NO_USER;
}

static void the_parent_keeps_its_two_rights_and_no_more(void **state) {
        if (geteuid() != 0)
                skip();
        assert_true(run(become_nobody, false));
        assert_true(run(become_a_stranger, false));
}

static int set_up(void **state) {
        struct sockaddr_in at = { .sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t n = sizeof(at);
        char path[64];
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        if (!mkdtemp(folder) || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
            listen(fd, 16) < 0 || getsockname(fd, (struct sockaddr *)&at, &n) < 0)
                return -1;
        listening_port = ntohs(at.sin_port);
        strcpy(path, folder);
        close(open(strcat(path, "/inside"), O_CREAT | O_WRONLY, 0644));
        victim = fork();
        if (victim == 0)
                for (;;)
                        pause();
        return 0;
}

static int tear_down(void **state) {
        static const char *const names[] = { "/inside", "/new" };

        kill(victim, SIGKILL);
        waitpid(victim, NULL, 0);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                char path[64];

                strcpy(path, folder);
                unlink(strcat(path, names[i]));
        }
        return rmdir(folder);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_attempt_fails_inside_and_succeeds_outside),
                cmocka_unit_test(some_ports_can_be_left_open),
                cmocka_unit_test(the_parent_keeps_its_two_rights_and_no_more),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests_name("sandbox/sandbox", tests, set_up, tear_down);
}
