/*
 * A load of HTTP requests for one path over kept connections, for so many seconds. What
 * arrives is counted and thrown away in the kernel (MSG_TRUNC), so that the client is
 * not what is measured. One JSON object on stdout.
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

enum { CONNECTIONS_MAX = 1024, HEAD_MAX = 32768, EVENTS = 128 };

struct connection {
        int fd;
        char head[HEAD_MAX];
        size_t n_head;
        uint64_t left; /* of the body */
        bool in_body;
};

static struct connection all[CONNECTIONS_MAX];
static char request[1024];
static size_t n_request;
static uint64_t n_done, n_bytes, n_failed;
static int epoll;

static void die(const char *what) {
        fprintf(stderr, "http_load: %s: %s\n", what, strerror(errno));
        exit(2);
}

static double clock_seconds(void) {
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void ask(struct connection *c) {
        c->n_head = 0;
        c->in_body = false;
        if (send(c->fd, request, n_request, MSG_NOSIGNAL) != (ssize_t)n_request)
                die("send");
}

static void begin(struct connection *c, const struct sockaddr_in *server) {
        struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };
        const int on = 1;

        c->fd = socket(AF_INET, SOCK_STREAM, 0);
        if (c->fd < 0 ||
            connect(c->fd, (const struct sockaddr *)server, sizeof(*server)) < 0)
                die("connect");
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event) < 0)
                die("epoll");
        ask(c);
}

/* The head, when all of it is there; what came behind it is body. */
static bool take_head(struct connection *c) {
        char *end, *length;
        size_t more;

        c->head[c->n_head] = '\0';
        end = strstr(c->head, "\r\n\r\n");
        if (!end)
                return false;
        length = strcasestr(c->head, "\ncontent-length:");
        if (strncmp(c->head, "HTTP/1.1 200", 12) != 0 || !length || length > end) {
                n_failed++;
                close(c->fd);
                c->fd = -1;
                return false;
        }
        more = c->n_head - (size_t)(end + 4 - c->head);
        c->left = strtoull(length + 16, NULL, 10) - more;
        n_bytes += more;
        c->in_body = true;
        return true;
}

static void on_readable(struct connection *c) {
        while (c->fd >= 0) {
                ssize_t n;

                if (c->in_body && c->left == 0) {
                        n_done++;
                        ask(c);
                        return;
                }
                n = c->in_body ? recv(c->fd, NULL, min_u64(c->left, 16 << 20),
                                      MSG_TRUNC | MSG_DONTWAIT)
                               : recv(c->fd, c->head + c->n_head,
                                      HEAD_MAX - 1 - c->n_head, MSG_DONTWAIT);
                if (n < 0 && (errno == EAGAIN || errno == EINTR))
                        return;
                if (n <= 0) {
                        n_failed++;
                        close(c->fd);
                        c->fd = -1;
                        return;
                }
                if (c->in_body) {
                        c->left -= (uint64_t)n;
                        n_bytes += (uint64_t)n;
                        continue;
                }
                c->n_head += (size_t)n;
                if (!take_head(c))
                        return;
        }
}

int main(int argc, char **argv) {
        static const struct option flags[] = {
                { "server", 1, NULL, 's' },  { "port", 1, NULL, 'p' },
                { "path", 1, NULL, 'f' },    { "connections", 1, NULL, 'c' },
                { "seconds", 1, NULL, 'd' }, { 0 }
        };
        struct sockaddr_in server = { .sin_family = AF_INET, .sin_port = htons(80) };
        const char *path = "/";
        double seconds = 2, began, end;
        int connections = 1, c;

        while ((c = getopt_long(argc, argv, "", flags, NULL)) != -1) {
                if (c == 's')
                        inet_pton(AF_INET, optarg, &server.sin_addr);
                else if (c == 'p')
                        server.sin_port = htons((uint16_t)atoi(optarg));
                else if (c == 'f')
                        path = optarg;
                else if (c == 'c')
                        connections = atoi(optarg);
                else if (c == 'd')
                        seconds = atof(optarg);
                else
                        return 2;
        }
        if (connections < 1 || connections > CONNECTIONS_MAX)
                return 2;
        n_request = (size_t)snprintf(request, sizeof(request),
                                     "GET %s HTTP/1.1\r\nHost: bench\r\n\r\n", path);
        epoll = epoll_create1(0);
        for (int i = 0; i < connections; i++)
                begin(&all[i], &server);
        began = clock_seconds();
        do {
                struct epoll_event events[EVENTS];
                int n = epoll_wait(epoll, events, EVENTS, 100);

                for (int i = 0; i < n; i++)
                        on_readable(events[i].data.ptr);
                end = clock_seconds();
        } while (end - began < seconds && n_failed < (uint64_t)connections);
        printf("{\"done\": %lu, \"failed\": %lu, \"seconds\": %.4f, \"mb_per_second\": "
               "%.2f, "
               "\"per_second\": %.1f}\n",
               n_done, n_failed, end - began, (double)n_bytes / 1e6 / (end - began),
               (double)n_done / (end - began));
        return 0;
}
