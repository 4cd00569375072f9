/*
 * Whole commands against a server that is made up: a child process that answers each
 * verb from a table. What they print and how they end is what users and scripts see.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/client.h"
#include "ipc/ipc.h"
#include "test/check.h"

enum { OUTPUT_MAX = 8192 };

struct reply {
        const char *query;     /* verb, blank, arguments */
        const char *pieces[5]; /* each an answer; the last one is marked */
};

struct scene {
        char folder[64], socket[80];
        pid_t server;
        int listener;
        char out[OUTPUT_MAX], err[OUTPUT_MAX];
};

static int set_up(void **state) {
        struct scene *scene = calloc(1, sizeof(*scene));
        struct sockaddr_un at = { .sun_family = AF_UNIX };

        strcpy(scene->folder, "/tmp/cli-test-XXXXXX");
        if (!mkdtemp(scene->folder))
                return -1;
        snprintf(scene->socket, sizeof(scene->socket), "%s/control", scene->folder);
        strcpy(at.sun_path, scene->socket);
        scene->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        if (bind(scene->listener, (struct sockaddr *)&at, sizeof(at)) < 0 ||
            listen(scene->listener, 8) < 0)
                return -1;
        *state = scene;
        return 0;
}

static int tear_down(void **state) {
        struct scene *scene = *state;

        if (scene->server > 0) {
                kill(scene->server, SIGKILL);
                waitpid(scene->server, NULL, 0);
        }
        close(scene->listener);
        unlink(scene->socket);
        rmdir(scene->folder);
        free(scene);
        return 0;
}

/* ---- the server ---- */

static void send_pieces(int fd, const struct ipc_message *message,
                        const struct reply *reply) {
        const struct ipc_query *query = message->body;

        for (size_t i = 0; reply->pieces[i]; i++) {
                struct ipc_answer answer = { query->ticket, !reply->pieces[i + 1] };

                (void)ipc_send_blocking(fd, IPC_ANSWER, &answer, reply->pieces[i],
                                        strlen(reply->pieces[i]));
        }
}

static void answer(int fd, const struct reply *replies) {
        static _Alignas(16) uint8_t buffer[IPC_MESSAGE_MAX];
        struct ipc_message message = { 0 };
        char query[512] = { 0 };

        if (ipc_recv_blocking(fd, buffer, sizeof(buffer), &message) != 1)
                return;
        memcpy(query, message.tail, min_size(message.n_tail, sizeof(query) - 1));
        query[strlen(query)] = ' '; /* the NUL behind the verb */
        for (; replies->query; replies++)
                if (strcmp(query, replies->query) == 0)
                        break;
        if (replies->query)
                send_pieces(fd, &message, replies);
        else
                fprintf(stderr, "# server: unexpected query: %s\n", query);
}

static void serve(struct scene *scene, const struct reply *replies) {
        scene->server = fork();
        if (scene->server != 0)
                return;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) {
                int fd = accept4(scene->listener, NULL, NULL, SOCK_CLOEXEC);

                if (fd < 0)
                        _exit(0);
                answer(fd, replies);
                /* Left open when the answer is not over: see reload. */
                if (!replies[0].query || strncmp(replies[0].query, "events ", 7) != 0)
                        close(fd);
        }
}

/* ---- running a command ---- */

static void read_back(FILE *file, char ret[static OUTPUT_MAX]) {
        size_t n;

        rewind(file);
        n = fread(ret, 1, OUTPUT_MAX - 1, file);
        ret[n] = '\0';
        fclose(file);
}

/* Its exit code; what it printed is in scene->out and scene->err. */
static int run(struct scene *scene, int (*command)(int, char **),
               const char *const *words) {
        FILE *out = tmpfile(), *err = tmpfile();
        int saved_out, saved_err, r, argc = 0;
        char *argv[16] = { 0 };

        for (; words[argc]; argc++)
                argv[argc] = (char *)(uintptr_t)words[argc];
        if (scene->socket[0]) {
                argv[argc++] = "--state";
                argv[argc++] = scene->folder;
        }
        fflush(stdout);
        fflush(stderr);
        saved_out = dup(STDOUT_FILENO);
        saved_err = dup(STDERR_FILENO);
        dup2(fileno(out), STDOUT_FILENO);
        dup2(fileno(err), STDERR_FILENO);
        r = command(argc, argv);
        fflush(stdout);
        fflush(stderr);
        dup2(saved_out, STDOUT_FILENO);
        dup2(saved_err, STDERR_FILENO);
        close(saved_out);
        close(saved_err);
        read_back(out, scene->out);
        read_back(err, scene->err);
        return r;
}
#define RUN(scene, command, ...)                                                       \
        run(scene, command, (const char *const[]){ __VA_ARGS__, NULL })

static void expect_in(const char *words, const char *text) {
        if (!strstr(text, words))
                fail_msg("'%s' is not in: %s", words, text);
}

/* ---- the tests ---- */

static const char lease[] = "[{\"address\":\"192.168.1.20\",\"mac\":\"52:54:00:12:34:"
                            "56\",\"client_id\":null,"
                            "\"hostname\":\"a\\u001b[2Jb\",\"state\":\"bound\",";
static const char lease_rest[] =
        "\"starts\":1709211845,\"ends\":1709215445,\"subnet\":\"192.168.1.0\"},"
        "{\"address\":\"192.168.1.21\",\"mac\":\"52:54:00:12:34:57\","
        "\"client_id\":null,\"hostname\":\"\",\"state\":\"declined\",\"starts\":0,"
        "\"ends\":null,\"subnet\":\"192.168.1.0\"}]";

static void leases_are_a_table(void **state) {
        static const struct reply replies[] = {
                { "leases after=0.0.0.0 n=1000", { lease, lease_rest } }, { 0 }
        };
        struct scene *scene = *state;

        serve(scene, replies);
        assert_int_equal(RUN(scene, cli_leases, "leases"), CLI_DONE);
        assert_string_equal(
                scene->out,
                "ADDRESS       MAC                STATE     ENDS                 NAME\n"
                "192.168.1.20  52:54:00:12:34:56  bound     2024-02-29 14:04:05  "
                "a\\x1b[2Jb\n"
                "192.168.1.21  52:54:00:12:34:57  declined  never                -\n");
        assert_string_equal(scene->err, "");
}

static void leases_are_values_between_commas(void **state) {
        static const struct reply replies[] = {
                { "leases after=0.0.0.0 n=1000", { lease, lease_rest } }, { 0 }
        };
        struct scene *scene = *state;

        serve(scene, replies);
        assert_int_equal(RUN(scene, cli_leases, "leases", "--csv"), CLI_DONE);
        assert_string_equal(
                scene->out,
                "address,mac,client_id,hostname,state,subnet,starts,ends\r\n"
                "192.168.1.20,52:54:00:12:34:56,,a\\x1b[2Jb,bound,192.168.1.0,"
                "2024-02-29T13:04:05Z,2024-02-29T14:04:05Z\r\n"
                "192.168.1.21,52:54:00:12:34:57,,,declined,192.168.1.0,"
                "1970-01-01T00:00:00Z,\r\n");
}

static void leases_are_found_by_what_they_are(void **state) {
        static const struct reply replies[] = {
                { "leases after=0.0.0.0 n=1000", { lease, lease_rest } }, { 0 }
        };
        static const struct {
                const char *option, *value;
                bool first, second;
        } table[] = {
                { "--show", "declined", false, true },
                { "--show", "all", true, true },
                { "--mac", "52:54:00:12:34:56", true, false },
                { "--address", "192.168.1.21", false, true },
                { "--subnet", "192.168.1.20/32", true, false },
                { "--subnet", "10.0.0.0/8", false, false },
                { "--hostname", "a*", true, false },
        };
        struct scene *scene = *state;

        serve(scene, replies);
        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                int r = RUN(scene, cli_leases, "leases", "--csv", table[i].option,
                            table[i].value);

                if (r != CLI_DONE)
                        fail_msg("%s: %s", table[i].option, scene->err);
                assert_int_equal(strstr(scene->out, "192.168.1.20,") != NULL,
                                 table[i].first);
                assert_int_equal(strstr(scene->out, "192.168.1.21,") != NULL,
                                 table[i].second);
        }
        assert_int_equal(RUN(scene, cli_leases, "leases", "--subnet", "10.0.0.0/x"),
                         CLI_WRONG_USE);
        assert_int_equal(RUN(scene, cli_leases, "leases", "--show", "lost"),
                         CLI_WRONG_USE);
        assert_int_equal(RUN(scene, cli_leases, "leases", "loan"), CLI_WRONG_USE);
}

static void json_is_the_answer_as_it_came(void **state) {
        static const struct reply replies[] = {
                { "leases after=0.0.0.0 n=1000", { lease, lease_rest } }, { 0 }
        };
        struct scene *scene = *state;
        char expected[sizeof(lease) + sizeof(lease_rest) + 1];
        json_t *said, *meant;

        serve(scene, replies);
        snprintf(expected, sizeof(expected), "%s%s\n", lease, lease_rest);
        assert_int_equal(RUN(scene, cli_leases, "leases", "--json"), CLI_DONE);
        said = json_loads(scene->out, 0, NULL);
        meant = json_loads(expected, 0, NULL);
        assert_true(said && json_equal(said, meant));
        json_decref(said);
        json_decref(meant);
}

static void an_error_is_said_and_fails(void **state) {
        static const struct reply replies[] = {
                { "leases after=0.0.0.0 n=1000",
                  { "{\"error\":\"the core\\u001b is away\"}" } },
                { 0 }
        };
        struct scene *scene = *state;

        serve(scene, replies);
        assert_int_equal(RUN(scene, cli_leases, "leases", "--json"), CLI_FAILED);
        assert_string_equal(scene->out, "");
        assert_string_equal(scene->err, "bootjack: the core\\x1b is away\n");
}

static void an_answer_that_makes_no_sense_is_no_answer(void **state) {
        static const struct reply replies[] = {
                { "leases after=0.0.0.0 n=1000", { "[{" } }, { 0 }
        };
        struct scene *scene = *state;

        serve(scene, replies);
        assert_int_equal(RUN(scene, cli_leases, "leases"), CLI_FAILED);
        expect_in("speaks another language", scene->err);
        assert_int_equal(RUN(scene, cli_machines, "machines"), CLI_FAILED);
        expect_in("ended before its answer", scene->err);
}

static void without_a_server_it_says_where_it_looked(void **state) {
        struct scene *scene = *state;

        close(scene->listener); /* its socket is left behind, as by a crash */
        assert_int_equal(RUN(scene, cli_status, "status"), CLI_FAILED);
        expect_in("no server answers at ", scene->err);
        expect_in(scene->socket, scene->err);
        unlink(scene->socket);
        assert_int_equal(RUN(scene, cli_status, "status"), CLI_FAILED);
        expect_in("start one with 'bootjack serve'", scene->err);
}

static void wrong_use_is_exit_code_two(void **state) {
        struct scene *scene = *state;

        assert_int_equal(RUN(scene, cli_leases, "leases", "--jsn"), CLI_WRONG_USE);
        expect_in("unknown option '--jsn'; did you mean '--json'?\nusage: bootjack "
                  "leases",
                  scene->err);
        assert_int_equal(RUN(scene, cli_explain, "explain"), CLI_WRONG_USE);
        expect_in("which machine?", scene->err);
        assert_int_equal(RUN(scene, cli_explain, "explain", "--mac=2:0:0:0:0:1"),
                         CLI_WRONG_USE);
        assert_int_equal(RUN(scene, cli_explain, "explain", "--mac=02:00:00:00:00:01",
                             "--arch", "bois"),
                         CLI_WRONG_USE);
        expect_in("there is no 'bois'; did you mean 'bios'?", scene->err);
        assert_int_equal(RUN(scene, cli_events, "events", "--help"), CLI_DONE);
        expect_in("usage: bootjack events", scene->out);
        expect_in("--follow", scene->out);
}

static void explain_tells_decision_reasons_and_menu(void **state) {
        static const struct reply replies[] = {
                { "explain mac=52:54:00:12:34:56 arch=bios interface=eth1",
                  { "{\"facts\":{\"mac\":\"52:54:00:12:34:56\",\"firmware\":\"BIOS\"},",
                    "\"decision\":{\"verdict\":\"boot\",\"file\":\"pxelinux.0\","
                    "\"next_server\":\"192.168.1.6\",\"loader\":\"pxelinux.0\","
                    "\"dialect\":\"pxelinux\",\"why\":\"BIOS firmware gets "
                    "pxelinux\"},",
                    "\"trace\":[{\"rule\":\"firmware\",\"outcome\":\"option 93 is 0\"},"
                    "{\"rule\":\"loader\",\"outcome\":\"pxelinux.0 is there\"}],",
                    "\"menu\":[{\"id\":\"local\",\"title\":\"Local "
                    "disk\",\"default\":true},"
                    "{\"id\":\"debian-12\",\"title\":\"Debian\",\"default\":false}]"
                    "}" } },
                { 0 },
        };
        struct scene *scene = *state;

        serve(scene, replies);
        assert_int_equal(RUN(scene, cli_explain, "explain", "--mac",
                             "52-54-00-12-34-56", "--arch", "bios", "--interface",
                             "eth1"),
                         CLI_DONE);
        assert_string_equal(
                scene->out,
                "52:54:00:12:34:56 (BIOS) boots: BIOS firmware gets pxelinux\n"
                "  file         pxelinux.0\n"
                "  next server  192.168.1.6\n"
                "  menu for     pxelinux\n"
                "\n"
                "How that was found:\n"
                "   1. firmware: option 93 is 0\n"
                "   2. loader: pxelinux.0 is there\n"
                "\n"
                "The menu that it will see:\n"
                "   * Local disk [local]\n"
                "     Debian [debian-12]\n");
}

static void status_names_what_is_wrong(void **state) {
        static const struct reply replies[] = {
                { "status ",
                  { "{\"version\":\"0.1.0\",\"uptime\":3725,\"mode\":\"proxy\","
                    "\"interfaces\":[{\"name\":\"eth0\",\"address\":\"192.168.1.6\"},"
                    "{\"name\":\"eth1\",\"address\":\"10.0.0.1\"}],"
                    "\"ports\":{\"tftp\":69,\"http\":0},\"root\":null,\"media\":2,",
                    "\"leases\":0,\"menus\":4,\"state_writable\":false,"
                    "\"loaders\":{\"pxelinux.0\":\"present\",\"grubx64.efi\":"
                    "\"grub-efi-amd64-bin\"},\"roles\":{\"library\":true,\"files-1\":"
                    "false},"
                    "\"dhcp\":{\"received\":9,\"dropped\":{\"too short\":3}}}" } },
                { 0 },
        };
        struct scene *scene = *state;

        serve(scene, replies);
        assert_int_equal(RUN(scene, cli_status, "status"), CLI_DONE);
        assert_string_equal(scene->out,
                            "bootjack 0.1.0 is serving, for 1 h 2 min 5 s\n"
                            "DHCP        proxy\n"
                            "interfaces  eth0 192.168.1.6\n"
                            "            eth1 10.0.0.1\n"
                            "ports       tftp 69, http off\n"
                            "media       2\n"
                            "leases      0\n"
                            "menus made  4\n"
                            "loaders     pxelinux.0\n"
                            "            grubx64.efi: missing, it is in the package "
                            "grub-efi-amd64-bin\n"
                            "processes   core, library, files-1 (not there)\n"
                            "dropped     3 too short\n"
                            "\n"
                            "The state cannot be written: no address is given until it "
                            "can. See the "
                            "log.\n");
}

static void media_are_listed_with_their_problems(void **state) {
        static const struct reply replies[] = {
                { "media ",
                  { "[{\"name\":\"debian-12\",\"path\":\"/srv/isos/debian-12.iso\","
                    "\"system\":\"debian\",\"version\":\"12\",\"edition\":\"netinst\","
                    "\"arch\":\"amd64\",\"recognised_by\":[],\"problems\":[],"
                    "\"entries\":["
                    "{\"id\":\"a\",\"why_not\":null},{\"id\":\"b\",\"why_not\":\"no\"}]"
                    "},",
                    "{\"name\":\"x\",\"path\":\"/srv/isos/x\\u001b.iso\","
                    "\"system\":\"unknown\",\"version\":null,\"edition\":null,"
                    "\"arch\":null,\"problems\":[\"has no\\nboot catalog\"],"
                    "\"entries\":[]}]" } },
                { 0 },
        };
        struct scene *scene = *state;

        serve(scene, replies);
        assert_int_equal(RUN(scene, cli_media, "media"), CLI_DONE);
        assert_string_equal(
                scene->out,
                "NAME       SYSTEM                     BOOTS  PATH\n"
                "debian-12  debian 12 netinst (amd64)  1      /srv/isos/debian-12.iso\n"
                "x          unknown system             0      /srv/isos/x\\x1b.iso\n"
                "x: has no\\x0aboot catalog\n");
        assert_int_equal(RUN(scene, cli_media, "media", "inspct", "x"), CLI_WRONG_USE);
        expect_in("unknown word 'inspct'; did you mean 'inspect'?", scene->err);
        assert_int_equal(RUN(scene, cli_media, "media", "inspect"), CLI_WRONG_USE);
        expect_in("inspect needs the path", scene->err);
}

static void machines_without_a_mac_are_shown(void **state) {
        static const struct reply replies[] = {
                { "machines ",
                  { "[{\"mac\":null,\"address\":\"10.0.0.9\",\"firmware\":null,"
                    "\"story\":12,\"last\":4102444800}," /* a clock that jumped */
                    "{\"mac\":\"52:54:00:00:00:01\",\"memory\":2147483648,"
                    "\"boot\":\"debian-12\",\"once\":\"waiting\","
                    "\"story\":13,\"last\":4102444800},"
                    "{\"mac\":\"52:54:00:00:00:02\",\"boot\":\"debian-12\","
                    "\"once\":\"done\",\"story\":14,\"last\":4102444800}]" } },
                { 0 },
        };
        struct scene *scene = *state;

        serve(scene, replies);
        assert_int_equal(RUN(scene, cli_machines, "machines"), CLI_DONE);
        expect_in("-                  10.0.0.9  -         12     -        -     ",
                  scene->out);
        expect_in("13     2.0 GiB  debian-12, once          0 s ago\n", scene->out);
        expect_in("14     -        its disk; had debian-12  0 s ago\n", scene->out);
}

static void events_are_printed_line_by_line(void **state) {
        static const struct reply replies[] = {
                { "events json zone=0 all n=3 story=7 mac=52:54:00:12:34:56",
                  { "{\"event\":\"a\"}", "{\"event\":\"b\"}", "" } },
                { "events  zone=0",
                  { "one", "{\"error\":\"5 events were lost here\"}" } },
                { 0 },
        };
        struct scene *scene = *state;

        serve(scene, replies);
        assert_int_equal(RUN(scene, cli_events, "events", "--json", "-n3", "--all",
                             "--story=7", "--mac=52:54:00:12:34:56"),
                         CLI_DONE);
        assert_string_equal(scene->out, "{\"event\":\"a\"}\n{\"event\":\"b\"}\n");
        assert_int_equal(RUN(scene, cli_events, "events"), CLI_FAILED);
        assert_string_equal(scene->out, "one\n");
        assert_string_equal(scene->err, "bootjack: 5 events were lost here\n");
}

static void history_is_chosen_and_rendered_here(void **state) {
#define RECORD(mac, level, message)                                                    \
        "{\"time\":\"2024-02-29T13:04:05.123Z\",\"level\":\"" level "\",\"story\":1,"  \
        "\"mac\":" mac ",\"address\":\"10.0.0.9\",\"message\":\"" message "\"}\n"
        static const struct reply replies[] = {
                { "history n=1000",
                  { RECORD("\"52:54:00:12:34:56\"", "info", "one\\u001b"),
                    RECORD("null", "warning", "two"),
                    RECORD("null", "debug", "three") } },
                { "history n=5", { "{\"error\":\"it cannot be read\"}" } },
                { 0 },
        };
        struct scene *scene = *state;

        serve(scene, replies);
        assert_int_equal(RUN(scene, cli_events, "events", "--history"), CLI_DONE);
        assert_string_equal(
                scene->out,
                "2024-02-29T13:04:05.123Z 52:54:00:12:34:56 10.0.0.9  one\\x1b\n"
                "2024-02-29T13:04:05.123Z 10.0.0.9  two\n");
        assert_int_equal(RUN(scene, cli_events, "events", "--history", "--json",
                             "--mac=52:54:00:12:34:56"),
                         CLI_DONE);
        assert_string_equal(scene->out,
                            RECORD("\"52:54:00:12:34:56\"", "info", "one\\u001b"));
        assert_int_equal(RUN(scene, cli_events, "events", "--history", "-n", "5"),
                         CLI_FAILED);
        assert_string_equal(scene->err, "bootjack: it cannot be read\n");
}

static void reload_waits_for_the_verdict(void **state) {
        static const struct reply taken[] = {
                { "events json follow n=0",
                  { "{\"event\":\"file-done\",\"message\":\"x\"}",
                    "{\"event\":\"service-reloaded\",\"message\":\"reloaded: menu\"}",
                    "" } },
                { "reload ", { "{\"asked\":\"reload\"}" } },
                { 0 },
        };
        static const struct reply refused[] = {
                { "events json follow n=0",
                  { "{\"event\":\"reload-refused\",\"message\":\"refused: line 3\"}",
                    "" } },
                { "reload ", { "{\"asked\":\"reload\"}" } },
                { 0 },
        };
        struct scene *scene = *state;

        serve(scene, taken);
        assert_int_equal(RUN(scene, cli_reload, "reload"), CLI_DONE);
        assert_string_equal(scene->out, "reloaded: menu\n");
        kill(scene->server, SIGKILL);
        waitpid(scene->server, NULL, 0);
        serve(scene, refused);
        assert_int_equal(RUN(scene, cli_reload, "reload"), CLI_FAILED);
        assert_string_equal(scene->err, "bootjack: refused: line 3\n");
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                T(leases_are_a_table),
                T(leases_are_values_between_commas),
                T(leases_are_found_by_what_they_are),
                T(json_is_the_answer_as_it_came),
                T(an_error_is_said_and_fails),
                T(an_answer_that_makes_no_sense_is_no_answer),
                T(without_a_server_it_says_where_it_looked),
                T(wrong_use_is_exit_code_two),
                T(explain_tells_decision_reasons_and_menu),
                T(status_names_what_is_wrong),
                T(media_are_listed_with_their_problems),
                T(machines_without_a_mac_are_shown),
                T(events_are_printed_line_by_line),
                T(history_is_chosen_and_rendered_here),
                T(reload_waits_for_the_verdict),
        };
#undef T
        setenv("TZ", "UTC", 1);
        signal(SIGPIPE, SIG_IGN);
        return check_run("commands", tests);
}
