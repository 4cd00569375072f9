/*
 * The doors over real sockets on the loopback: a child process is the files role (its
 * loop, a tree in a temporary folder, generated files from nowhere), the test is the
 * client. Events come back through a pipe as lines, so a test waits for what happened.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/list.h"
#include "io/tcp.h"
#include "role/files.h"
#include "role/files_disk.h"
#include "test/check.h"
#include "wire/tftp.h"

enum { WAIT_MSEC = 20000, BIG = 3000000, ANSWER_MAX = BIG + 10000 };
static const ip4_t loopback = 0x7f000001;

struct files { /* as the role would have it */
        struct loop *loop;
        struct vtree *tree;
        struct files_disk *disk;
        struct conf *conf;
        struct files_tftp *tftp;
        struct files_http *http;
        struct loop_signal *terminate;
        int events;
};

struct loop *files_loop(struct files *files) {
        return files->loop;
}

ip4_t files_server_of(struct files *files, ip4_t local, struct ip6 local6) {
        return local;
}

struct files_disk *files_disk(struct files *files) {
        return files->disk;
}

struct vtree *files_tree(struct files *files) {
        return files->tree;
}

const struct conf *files_conf(struct files *files) {
        return files->conf;
}

void files_event(struct files *files, struct event *event) {
        struct text line = { 0 };

        text_add(&line, event_name(event->kind));
        text_char(&line, ' ');
        event_sentence(event, &line);
        text_char(&line, '\n');
        assert_int_equal(write(files->events, line.s, line.n), line.n);
        text_done(&line);
}

struct made {
        struct list in_all;
        struct loop_timer *timer;
        int64_t ticket;
        bool is_there;
        files_generated_fn fn;
        void *userdata;
};
static struct list all_made;

static void made_free(struct made *made) {
        list_remove(&made->in_all);
        loop_timer_free(made->timer);
        free(made);
}

static void on_made(void *userdata) {
        static const char text[] = "#!ipxe\necho hello\n";
        struct vtree_file *file = NULL;
        struct made *made = userdata, copy = *made;
        int fd, answer = VTREE_NOT_FOUND;

        made_free(made);
        if (copy.is_there) {
                fd = memfd_create("made", MFD_CLOEXEC);
                assert_int_equal(write(fd, text, strlen(text)), strlen(text));
                answer = vtree_file_from_fd(fd, "boot.ipxe", &file);
        }
        copy.fn(answer, file, copy.userdata);
}

int64_t files_generate(struct files *files, const char *path, ip4_t client,
                       ip4_t server, files_generated_fn fn, void *userdata) {
        static int64_t tickets;
        struct made *made = calloc(1, sizeof(*made));

        assert_non_null(made);
        made->ticket = ++tickets;
        made->is_there = strcmp(path, "boot.ipxe") == 0;
        made->fn = fn;
        made->userdata = userdata;
        list_append(&all_made, &made->in_all);
        assert_int_equal(loop_timer_new(files->loop, on_made, made, &made->timer), 0);
        loop_timer_set(made->timer, 0);
        return made->ticket;
}

void files_generate_cancel(struct files *files, int64_t ticket) {
        LIST_FOR_EACH(pos, &all_made) {
                struct made *made = CONTAINER_OF(pos, struct made, in_all);

                if (made->ticket == ticket)
                        made_free(made);
        }
}

static void on_terminate(int number, void *userdata) {
        loop_stop(userdata);
}

static void serve(const char *root, int tftp, int http, int events) {
        static const char text[] = "http: {root: /images}\n";
        static const struct conf_flags flags;
        struct conf_problems problems = { 0 };
        struct files f = { .events = events };

        signal(SIGPIPE, SIG_IGN);
        list_init(&all_made);
        assert_int_equal(loop_new(&f.loop), 0);
        assert_int_equal(vtree_new(&f.tree), 0);
        vtree_set_root(f.tree, open(root, O_PATH | O_DIRECTORY));
        assert_int_equal(
                conf_parse("test", text, strlen(text), &flags, &f.conf, &problems), 0);
        assert_int_equal(files_disk_new(f.loop, &f.disk), 0);
        assert_int_equal(files_tftp_new(&f, &f.tftp), 0);
        assert_int_equal(files_http_new(&f, &f.http), 0);
        assert_int_equal(files_tftp_listen(f.tftp, tftp), 0);
        assert_int_equal(files_http_listen(f.http, http, false), 0);
        files_http_log(f.http, openat(open(root, O_PATH), "access.log",
                                      O_WRONLY | O_APPEND | O_CREAT, 0600));
        assert_int_equal(
                loop_signal_new(f.loop, SIGTERM, on_terminate, f.loop, &f.terminate),
                0);
        loop_run(f.loop);
        files_tftp_free(f.tftp);
        files_http_free(f.http);
        loop_signal_free(f.terminate);
        files_disk_free(f.disk);
        vtree_free(f.tree);
        conf_free(f.conf);
        conf_problems_done(&problems);
        loop_free(f.loop);
        exit(0); /* with the leak check, where there is one */
}

static struct {
        char root[64];
        pid_t child;
        uint16_t tftp_port, http_port;
        int events;
        char seen[1 << 16]; /* lines that were read and not yet asked for */
        size_t n_seen;
} world;

static char big_byte(size_t i) {
        return (char)(i * 31 ^ i >> 9);
}

static void write_file(const char *name, const char *data, size_t n) {
        char path[256];
        FILE *f;

        snprintf(path, sizeof(path), "%s/%s", world.root, name);
        f = fopen(path, "we");
        assert_non_null(f);
        assert_int_equal(fwrite(data, 1, n, f), n);
        assert_int_equal(fclose(f), 0);
}

static void make_folder(const char *name) {
        char path[256];

        snprintf(path, sizeof(path), "%s/%s", world.root, name);
        assert_int_equal(mkdir(path, 0755), 0);
}

static void make_tree(void) {
        char *big = malloc(BIG), link[256];

        assert_non_null(big);
        for (size_t i = 0; i < BIG; i++)
                big[i] = big_byte(i);
        write_file("big", big, BIG);
        free(big);
        write_file("hello.txt", "hello\n", 6);
        write_file("empty", "", 0);
        write_file("a<b&c", "x", 1);
        make_folder("images");
        make_folder("images/centos");
        write_file("images/centos/vmlinuz", "kernel", 6);
        make_folder("pxelinux.cfg");
        snprintf(link, sizeof(link), "%s/out", world.root);
        assert_int_equal(symlink("/etc/passwd", link), 0);
}

static uint16_t port_of(int fd) {
        struct sockaddr_in name;
        socklen_t n = sizeof(name);

        assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &n), 0);
        return ntohs(name.sin_port);
}

static int set_up(void **state) {
        const struct udp_endpoint any = { loopback, 0 };
        int tftp, http, pipes[2];

        strcpy(world.root, "/tmp/bootjack-doors-XXXXXX");
        assert_non_null(mkdtemp(world.root));
        make_tree();
        assert_int_equal(udp_open(any, NULL, 0, &tftp), 0);
        assert_int_equal(tcp_listen(any, 0, &http), 0);
        world.tftp_port = port_of(tftp);
        world.http_port = port_of(http);
        assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
        world.child = fork();
        assert_true(world.child >= 0);
        if (world.child == 0) {
                close(pipes[0]);
                serve(world.root, tftp, http, pipes[1]);
        }
        close(pipes[1]);
        close(tftp);
        close(http);
        world.events = pipes[0];
        return 0;
}

static int tear_down(void **state) {
        char command[128];
        int status;

        kill(world.child, SIGTERM);
        assert_int_equal(waitpid(world.child, &status, 0), world.child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
        close(world.events);
        snprintf(command, sizeof(command), "rm -r '%s'", world.root);
        return system(command);
}

/* Waits for an event whose line holds `text`, and forgets all up to it. */
static void expect_event(const char *text) {
        for (;;) {
                struct pollfd p = { .fd = world.events, .events = POLLIN };
                char *at, *end;
                ssize_t n;

                world.seen[world.n_seen] = '\0';
                at = strstr(world.seen, text);
                end = at ? strchr(at, '\n') : NULL;
                if (end) {
                        world.n_seen = strlen(end + 1);
                        memmove(world.seen, end + 1, world.n_seen);
                        return;
                }
                if (poll(&p, 1, WAIT_MSEC) != 1)
                        fail_msg("no event '%s' in:\n%s", text, world.seen);
                n = read(world.events, world.seen + world.n_seen,
                         sizeof(world.seen) - 1 - world.n_seen);
                assert_true(n > 0);
                world.n_seen += (size_t)n;
        }
}

static int http_connect(void) {
        struct sockaddr_in name = { .sin_family = AF_INET,
                                    .sin_port = htons(world.http_port),
                                    .sin_addr.s_addr = htonl(loopback) };
        const struct timeval wait = { .tv_sec = WAIT_MSEC / 1000 };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)),
                         0);
        assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof(name)), 0);
        return fd;
}

/* Everything that comes back until the server closes; the caller frees. */
static char *http_talk(const char *request, size_t *ret_n) {
        char *answer = malloc(ANSWER_MAX + 1);
        int fd = http_connect();
        size_t n = 0;
        ssize_t r;

        assert_non_null(answer);
        assert_int_equal(send(fd, request, strlen(request), 0), strlen(request));
        while ((r = recv(fd, answer + n, ANSWER_MAX - n, 0)) > 0)
                n += (size_t)r;
        assert_int_equal(r, 0);
        close(fd);
        answer[n] = '\0';
        if (ret_n)
                *ret_n = n;
        return answer;
}

static void http_expect(const char *request, const char *status, const char *part) {
        char *answer = http_talk(request, NULL);

        if (strncmp(answer, status, strlen(status)) != 0 || !strstr(answer, part))
                fail_msg("'%s' was answered:\n%s", request, answer);
        free(answer);
}

#define CLOSED " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

static void http_serves_files_and_says_why_not(void **state) {
        static const struct {
                const char *request, *status, *part;
        } rows[] = {
                { "GET /hello.txt" CLOSED, "HTTP/1.1 200 OK\r\n", "\r\n\r\nhello\n" },
                { "GET /empty" CLOSED, "HTTP/1.1 200 OK\r\n", "Content-Length: 0\r\n" },
                { "HEAD /hello.txt" CLOSED, "HTTP/1.1 200 OK\r\n",
                  "Content-Length: 6\r\n" },
                { "GET /%68ello.txt?x=1" CLOSED, "HTTP/1.1 200 OK\r\n", "hello\n" },
                { "GET /helo.txt" CLOSED, "HTTP/1.1 404 ", "nearest: /hello.txt" },
                { "GET /centos/vmlinuz" CLOSED, "HTTP/1.1 200 OK\r\n", "kernel" },
                { "GET /images" CLOSED, "HTTP/1.1 301 ", "Location: /images/\r\n" },
                { "GET /images/" CLOSED, "HTTP/1.1 200 OK\r\n", "centos/" },
                { "GET /" CLOSED, "HTTP/1.1 200 OK\r\n", "a&lt;b&amp;c" },
                { "GET /hello.txt/" CLOSED, "HTTP/1.1 404 ", "not a folder" },
                { "GET /out" CLOSED, "HTTP/1.1 403 ", "leads out of the tree" },
                { "GET /../etc/passwd" CLOSED, "HTTP/1.1 400 ", "leaves the tree" },
                { "GET /%2e%2e/etc/passwd" CLOSED, "HTTP/1.1 400 ", "leaves the tree" },
                { "GET /..%5cetc" CLOSED, "HTTP/1.1 400 ", "leaves the tree" },
                { "GET /a%00b" CLOSED, "HTTP/1.1 400 ", "NUL" },
                { "POST /hello.txt" CLOSED, "HTTP/1.1 405 ", "Allow: GET, HEAD" },
                { "GET /boot.ipxe" CLOSED, "HTTP/1.1 200 OK\r\n",
                  "Cache-Control: no-store" },
                { "GET /grub/grub.cfg" CLOSED, "HTTP/1.1 404 ", "not found" },
                { "nonsense\r\n\r\n", "HTTP/1.1 400 ", "first line" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                http_expect(rows[i].request, rows[i].status, rows[i].part);
        expect_event(
                "file-refused http helo.txt: not found; the nearest name is hello.txt");
        expect_event("file-refused http out: it leads out of the tree");
        expect_event("file-refused http /../etc/passwd: the path leaves the tree");
}

static void http_sends_every_byte_of_a_large_file(void **state) {
        size_t n;
        char *answer = http_talk("GET /big" CLOSED, &n), *body;

        body = strstr(answer, "\r\n\r\n");
        assert_non_null(body);
        body += 4;
        assert_int_equal(n - (size_t)(body - answer), BIG);
        for (size_t i = 0; i < BIG; i++)
                if (body[i] != big_byte(i))
                        fail_msg("byte %zu differs", i);
        free(answer);
        expect_event("file-started http big");
        expect_event("file-done http big: sent 2.8 MiB");
}

static void http_sends_pieces_and_keeps_the_connection(void **state) {
        char *answer = http_talk("GET /hello.txt HTTP/1.1\r\nHost: x\r\n"
                                 "Range: bytes=1-3\r\n\r\n"
                                 "GET /hello.txt HTTP/1.1\r\nHost: x\r\n"
                                 "Range: bytes=9-\r\n\r\n"
                                 "GET /hello.txt" CLOSED,
                                 NULL);
        const char *second, *third;

        assert_non_null(strstr(answer, "HTTP/1.1 206 "));
        assert_non_null(strstr(answer, "Content-Range: bytes 1-3/6\r\n"));
        second = strstr(answer, "\r\n\r\nellHTTP/1.1 416 ");
        assert_non_null(second);
        third = strstr(second, "HTTP/1.1 200 OK");
        assert_non_null(third);
        free(answer);
}

static void http_writes_the_access_log(void **state) {
        char path[128], line[512];
        bool is_there = false;
        FILE *log;

        http_expect("GET /hello.txt?quiet HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                    "User-Agent: a\"b\r\n\r\n",
                    "HTTP/1.1 200", "hello");
        snprintf(path, sizeof(path), "%s/access.log", world.root);
        log = fopen(path, "re");
        assert_non_null(log);
        while (fgets(line, sizeof(line), log))
                is_there |= strstr(line, "127.0.0.1 - - [") &&
                            strstr(line, "\"GET /hello.txt?quiet HTTP/1.1\" 200 6 "
                                         "\"-\" \"a\\\"b\"\n");
        assert_true(is_there);
        fclose(log);
}

static int tftp_socket(void) {
        const struct timeval wait = { .tv_sec = WAIT_MSEC / 1000 };
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)),
                         0);
        return fd;
}

static void tftp_post(int fd, uint16_t port, const void *bytes, size_t n) {
        struct sockaddr_in to = { .sin_family = AF_INET,
                                  .sin_port = htons(port),
                                  .sin_addr.s_addr = htonl(loopback) };

        assert_int_equal(sendto(fd, bytes, n, 0, (struct sockaddr *)&to, sizeof(to)),
                         n);
}

static size_t tftp_wait(int fd, uint8_t *bytes, size_t room, struct tftp_packet *ret,
                        uint16_t *ret_port) {
        struct sockaddr_in from;
        socklen_t n_from = sizeof(from);
        ssize_t n = recvfrom(fd, bytes, room, 0, (struct sockaddr *)&from, &n_from);

        assert_true(n > 0);
        assert_int_equal(tftp_parse(bytes, (size_t)n, ret), TFTP_OK);
        *ret_port = ntohs(from.sin_port);
        return (size_t)n;
}

static void tftp_ask(int fd, const char *file, struct tftp_options options) {
        uint8_t bytes[512];
        size_t n = tftp_build_request(bytes, sizeof(bytes), file, &options);

        tftp_post(fd, world.tftp_port, bytes, n);
}

static void tftp_ack(int fd, uint16_t port, uint64_t block) {
        uint8_t bytes[4];

        tftp_post(fd, port, bytes,
                  tftp_build_ack(bytes, sizeof(bytes), (uint16_t)block));
}

static size_t tftp_get(const char *file, struct tftp_options options, char *out) {
        uint8_t *bytes = malloc(UDP_DATAGRAM_MAX);
        uint32_t blksize = 512, windowsize = 1, in_window = 0;
        int fd = tftp_socket();
        struct tftp_packet p = { .data.n = 512 };
        size_t got = 0;
        uint16_t port;

        tftp_ask(fd, file, options);
        for (uint64_t expected = 1; p.data.n == blksize;) {
                tftp_wait(fd, bytes, UDP_DATAGRAM_MAX, &p, &port);
                if (p.opcode == TFTP_OP_OACK) {
                        blksize = p.options.blksize ? p.options.blksize : 512;
                        windowsize = p.options.windowsize ? p.options.windowsize : 1;
                        tftp_ack(fd, port, 0);
                        p.data.n = blksize;
                        continue;
                }
                assert_int_equal(p.opcode, TFTP_OP_DATA);
                if (p.block != (uint16_t)expected) {
                        p.data.n = blksize;
                        continue;
                }
                memcpy(out + got, p.data.data, p.data.n);
                got += p.data.n;
                if (++in_window == windowsize || p.data.n < blksize) {
                        tftp_ack(fd, port, expected);
                        in_window = 0;
                }
                expected++;
        }
        close(fd);
        free(bytes);
        return got;
}

static void tftp_sends_every_byte(void **state) {
        static const struct tftp_options rows[] = {
                { .blksize = 1408 },
                { .blksize = 1468, .windowsize = 16, .has_tsize = true },
                { .blksize = 65464, .windowsize = 4 },
                { .blksize = 8192, .windowsize = 64 },
                { 0 },
        };
        char *out = malloc(BIG);

        assert_non_null(out);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                assert_int_equal(tftp_get("/big", rows[i], out), BIG);
                for (size_t k = 0; k < BIG; k++)
                        if (out[k] != big_byte(k))
                                fail_msg("row %zu: byte %zu differs", i, k);
                expect_event("file-started tftp big: 2.8 MiB");
                expect_event("file-done tftp big: sent 2.8 MiB");
        }
        assert_int_equal(tftp_get("empty", rows[0], out), 0);
        assert_int_equal(tftp_get("images\\centos\\vmlinuz", rows[4], out), 6);
        assert_int_equal(tftp_get("boot.ipxe", rows[4], out), 18);
        free(out);
}

static void tftp_expect_error(const void *request, size_t n, uint16_t code,
                              const char *text) {
        int fd = tftp_socket();
        struct tftp_packet p;
        uint8_t bytes[600];
        uint16_t port;

        tftp_post(fd, world.tftp_port, request, n);
        tftp_wait(fd, bytes, sizeof(bytes), &p, &port);
        assert_int_equal(p.opcode, TFTP_OP_ERROR);
        assert_int_equal(p.error, code);
        assert_int_equal(p.message.n, strlen(text));
        assert_memory_equal(p.message.data, text, p.message.n);
        close(fd);
}

#define PACKET(text) (text), sizeof(text) /* its NUL ends the mode */

static void tftp_says_why_not(void **state) {
        tftp_expect_error(PACKET("\0\1helo.txt\0octet"), TFTP_ERROR_NOT_FOUND,
                          "File not found: helo.txt (nearest: hello.txt)");
        expect_event(
                "file-refused tftp helo.txt: not found; the nearest name is hello.txt");
        tftp_expect_error(PACKET("\0\1../etc/passwd\0octet"), TFTP_ERROR_ACCESS,
                          "Refused: the path leaves the tree");
        expect_event("file-refused tftp ../etc/passwd: the path leaves the tree");
        tftp_expect_error(PACKET("\0\1out\0octet"), TFTP_ERROR_ACCESS,
                          "Refused: it leads out of the tree, or is no file");
        tftp_expect_error(PACKET("\0\1images\0octet"), TFTP_ERROR_ACCESS,
                          "This is a folder");
        tftp_expect_error(PACKET("\0\1grub/grub.cfg\0octet"), TFTP_ERROR_NOT_FOUND,
                          "File not found: grub/grub.cfg");
        tftp_expect_error(PACKET("\0\2x\0octet"), TFTP_ERROR_ACCESS,
                          "Refused: nothing can be written here, only read");
        tftp_expect_error(PACKET("\0\1x\0mail"), TFTP_ERROR_ILLEGAL,
                          "Refused: mail mode is not served here");
        tftp_expect_error(PACKET("\0\4\0\1"), TFTP_ERROR_UNKNOWN_TID,
                          "Unknown transfer ID");
        /* A probe is no warning. */
        tftp_expect_error(PACKET("\0\1pxelinux.cfg/default\0octet"),
                          TFTP_ERROR_NOT_FOUND, "File not found: pxelinux.cfg/default");
        expect_event("file-dropped tftp dropped 0 B: File not found: pxelinux.cfg/");
}

static void tftp_size_asked_is_no_failure(void **state) {
        int fd = tftp_socket();
        struct tftp_packet p;
        uint8_t bytes[600];
        uint16_t port;
        size_t n;

        tftp_ask(fd, "big", (struct tftp_options){ .has_tsize = true });
        tftp_wait(fd, bytes, sizeof(bytes), &p, &port);
        assert_int_equal(p.opcode, TFTP_OP_OACK);
        assert_true(p.options.tsize == BIG);
        n = tftp_build_error(bytes, sizeof(bytes), TFTP_ERROR_OPTION, "User aborted");
        tftp_post(fd, port, bytes, n);
        expect_event("file-started tftp big: 2.8 MiB, only its size was asked");
        close(fd);
}

static void tftp_a_repeated_request_is_one_transfer(void **state) {
        const struct tftp_options options = { .blksize = 1024 };
        struct tftp_packet p;
        uint8_t bytes[2000];
        int fd = tftp_socket();
        uint16_t port, again;

        tftp_ask(fd, "big", options);
        tftp_wait(fd, bytes, sizeof(bytes), &p, &port);
        tftp_ask(fd, "big", options);
        expect_event("a request came again");
        /* The next packet is of the same transfer, not of a second one. */
        tftp_ack(fd, port, 0);
        do
                tftp_wait(fd, bytes, sizeof(bytes), &p, &again);
        while (p.opcode == TFTP_OP_OACK && again == port);
        assert_int_equal(again, port);
        assert_int_equal(p.opcode, TFTP_OP_DATA);
        /* Another file from the same port: the machine began anew. */
        tftp_ask(fd, "hello.txt", (struct tftp_options){ 0 });
        expect_event("the client asked for something else meanwhile");
        do
                tftp_wait(fd, bytes, sizeof(bytes), &p, &again);
        while (again == port);
        assert_int_equal(p.data.n, 6);
        tftp_ack(fd, again, 1);
        expect_event("file-done tftp hello.txt: sent 6 B");
        close(fd);
}

static void tftp_a_closed_port_ends_the_transfer(void **state) {
        struct tftp_packet p;
        uint8_t bytes[600];
        int fd = tftp_socket();
        uint16_t port;

        tftp_ask(fd, "big", (struct tftp_options){ 0 });
        tftp_wait(fd, bytes, sizeof(bytes), &p, &port);
        tftp_ack(fd, port, 1);
        close(fd); /* the machine says so when block 2 comes, or comes again */
        expect_event("file-failed tftp big: ended after");
}

int main(int argc, char **argv) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(http_serves_files_and_says_why_not),
                cmocka_unit_test(http_sends_every_byte_of_a_large_file),
                cmocka_unit_test(http_sends_pieces_and_keeps_the_connection),
                cmocka_unit_test(http_writes_the_access_log),
                cmocka_unit_test(tftp_sends_every_byte),
                cmocka_unit_test(tftp_says_why_not),
                cmocka_unit_test(tftp_size_asked_is_no_failure),
                cmocka_unit_test(tftp_a_repeated_request_is_one_transfer),
                cmocka_unit_test(tftp_a_closed_port_ends_the_transfer),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return _cmocka_run_group_tests("role/doors", tests, ARRAY_SIZE(tests), set_up,
                                       tear_down);
}
