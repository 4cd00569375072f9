/*
 * A load of FTP transfers of one file over kept sessions, for so many seconds: EPSV,
 * RETR, and again. What arrives is counted and thrown away in the kernel (MSG_TRUNC),
 * so that the client is not what is measured. One JSON object on stdout.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"

enum { SESSIONS_MAX = 1024, LINE_MAX_BYTES = 4096, EVENTS = 128 };

struct session;

/* What epoll tells of: either connection of a session. */
struct end {
        struct session *session;
        int fd;
};

struct session {
        struct end control, data;
        char in[LINE_MAX_BYTES];
        size_t n_in;
        bool has_file, has_reply; /* of the transfer: all bytes, and 226 */
};

static struct session all[SESSIONS_MAX];
static struct sockaddr_in server = { .sin_family = AF_INET };
static const char *path = "";
static uint64_t n_done, n_bytes, n_failed;
static int epoll;

static void die(const char *what) {
        fprintf(stderr, "ftp_load: %s: %s\n", what, strerror(errno));
        exit(2);
}

static double clock_seconds(void) {
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void watch(struct end *end) {
        struct epoll_event event = { .events = EPOLLIN, .data.ptr = end };

        if (epoll_ctl(epoll, EPOLL_CTL_ADD, end->fd, &event) < 0)
                die("epoll");
}

static int connect_to(uint16_t port) {
        struct sockaddr_in to = server;
        const int on = 1;
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        to.sin_port = htons(port);
        if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
                die("connect");
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        return fd;
}

static void say(struct session *s, const char *command, const char *argument) {
        char line[1200];
        int n = snprintf(line, sizeof(line), "%s%s\r\n", command, argument);

        if (send(s->control.fd, line, (size_t)n, MSG_NOSIGNAL) != n)
                die("send");
}

static void fail(struct session *s, const char *why) {
        fprintf(stderr, "ftp_load: %s\n", why);
        n_failed++;
        if (s->data.fd >= 0)
                close(s->data.fd);
        close(s->control.fd);
        s->control.fd = s->data.fd = -1;
}

static void check_end(struct session *s) {
        if (!s->has_file || !s->has_reply)
                return;
        n_done++;
        s->has_file = s->has_reply = false;
        say(s, "EPSV", "");
}

static void on_reply(struct session *s, const char *line) {
        const char *bars = strstr(line, "|||");

        switch (atoi(line)) {
        case 220:
                say(s, "USER ", "anonymous");
                break;
        case 331:
                say(s, "PASS ", "x");
                break;
        case 230:
                say(s, "TYPE ", "I");
                break;
        case 200:
                say(s, "EPSV", "");
                break;
        case 229:
                s->data.fd = connect_to((uint16_t)atoi(bars ? bars + 3 : "0"));
                watch(&s->data);
                say(s, "RETR ", path);
                break;
        case 125:
        case 150:
                break;
        case 226:
                s->has_reply = true;
                check_end(s);
                break;
        default:
                fail(s, line);
        }
}

static void read_control(struct session *s) {
        ssize_t n = recv(s->control.fd, s->in + s->n_in, sizeof(s->in) - 1 - s->n_in,
                         MSG_DONTWAIT);
        char *end;

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return;
        if (n <= 0) {
                fail(s, "the server closed the connection");
                return;
        }
        s->n_in += (size_t)n;
        s->in[s->n_in] = '\0';
        while (s->control.fd >= 0 && (end = strstr(s->in, "\r\n"))) {
                size_t length = (size_t)(end - s->in) + 2;
                char line[LINE_MAX_BYTES];

                memcpy(line, s->in, length);
                line[length - 2] = '\0';
                s->n_in -= length;
                memmove(s->in, end + 2, s->n_in + 1);
                if (line[0] >= '1' && line[0] <= '5' && line[3] == ' ')
                        on_reply(s, line);
        }
}

static void read_data(struct session *s) {
        for (;;) {
                ssize_t n = recv(s->data.fd, NULL, 16 << 20, MSG_TRUNC | MSG_DONTWAIT);

                if (n < 0 && (errno == EAGAIN || errno == EINTR))
                        return;
                if (n < 0) {
                        fail(s, strerror(errno));
                        return;
                }
                if (n == 0)
                        break;
                n_bytes += (uint64_t)n;
        }
        close(s->data.fd);
        s->data.fd = -1;
        s->has_file = true;
        check_end(s);
}

int main(int argc, char **argv) {
        static const struct option flags[] = { { "server", 1, NULL, 's' },
                                               { "path", 1, NULL, 'f' },
                                               { "sessions", 1, NULL, 'c' },
                                               { "seconds", 1, NULL, 'd' },
                                               { 0 } };
        double seconds = 2, began, end;
        int sessions = 1, c;

        while ((c = getopt_long(argc, argv, "", flags, NULL)) != -1) {
                if (c == 's')
                        inet_pton(AF_INET, optarg, &server.sin_addr);
                else if (c == 'f')
                        path = optarg;
                else if (c == 'c')
                        sessions = atoi(optarg);
                else if (c == 'd')
                        seconds = atof(optarg);
                else
                        return 2;
        }
        if (sessions < 1 || sessions > SESSIONS_MAX)
                return 2;
        epoll = epoll_create1(0);
        for (int i = 0; i < sessions; i++) {
                all[i].control = (struct end){ &all[i], connect_to(21) };
                all[i].data = (struct end){ &all[i], -1 };
                watch(&all[i].control);
        }
        began = clock_seconds();
        do {
                struct epoll_event events[EVENTS];
                int n = epoll_wait(epoll, events, EVENTS, 100);

                for (int i = 0; i < n; i++) {
                        struct end *e = events[i].data.ptr;

                        if (e->fd >= 0 && e == &e->session->control)
                                read_control(e->session);
                        else if (e->fd >= 0)
                                read_data(e->session);
                }
                end = clock_seconds();
        } while (end - began < seconds && n_failed == 0);
        printf("{\"done\": %lu, \"failed\": %lu, \"seconds\": %.4f, \"mb_per_second\": "
               "%.2f, \"per_second\": %.1f}\n",
               n_done, n_failed, end - began, (double)n_bytes / 1e6 / (end - began),
               (double)n_done / (end - began));
        return 0;
}
