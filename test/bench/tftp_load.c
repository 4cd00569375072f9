/*
 * A load of TFTP reads: so many at a time until so many are done. One thread, a socket
 * for each transfer; a client as RFC 1350, 2347 to 2349 and 7440 describe it, that asks
 * again after a second and gives up after eight times. What arrives is compared with
 * the file itself. One JSON object on stdout.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"

enum { RRQ = 1, DATA = 3, ACK = 4, ERROR = 5, OACK = 6 };
enum { TRIES_MAX = 8, AT_ONCE = 8, EVENTS = 128, BYTES_MAX = 1 << 16 };

static const nsec_t patience = NSEC_PER_SEC;

struct transfer {
        int fd;
        nsec_t started, due;
        uint64_t next; /* the block that is waited for */
        uint64_t bytes;
        uint32_t blksize, window, in_window;
        unsigned tries;
        bool is_answered, told_gap;
};

static struct {
        struct sockaddr_in server;
        const char *name;
        uint32_t blksize, window;
        unsigned at_once, transfers;
        nsec_t seconds;
        const uint8_t *file;
        uint64_t size;
} want = { .blksize = 1428,
           .window = 1,
           .at_once = 1,
           .transfers = 1,
           .seconds = 60 * NSEC_PER_SEC };

static struct {
        unsigned begun, done, failed, live;
        unsigned most_asked; /* requests that one transfer sent until it was answered */
        uint64_t bytes, asked_again, acked_again, duplicates, wrong;
        nsec_t *took;
} seen;

static nsec_t now, begun_at;
static int epoll;

static void die(const char *what) {
        fprintf(stderr, "tftp_load: %s: %s\n", what, strerror(errno));
        exit(2);
}

static void look_at_clock(void) {
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        now = (nsec_t)t.tv_sec * NSEC_PER_SEC + (nsec_t)t.tv_nsec;
}

static void ask(const struct transfer *t) {
        char b[512];
        int n = snprintf(b, sizeof(b), "%c%c%s%coctet%ctsize%c0%cblksize%c%u", 0, RRQ,
                         want.name, 0, 0, 0, 0, 0, want.blksize) +
                1;

        if (want.window > 1)
                n += snprintf(b + n, sizeof(b) - (size_t)n, "windowsize%c%u", 0,
                              want.window) +
                     1;
        (void)!sendto(t->fd, b, (size_t)n, 0, (struct sockaddr *)&want.server,
                      sizeof(want.server));
}

static void acknowledge(struct transfer *t) {
        uint64_t block = t->next - 1;
        const uint8_t b[] = { 0, ACK, (uint8_t)(block >> 8), (uint8_t)block };

        t->in_window = 0;
        (void)!send(t->fd, b, sizeof(b), 0);
}

static void begin(struct transfer *t) {
        struct epoll_event event = { .events = EPOLLIN, .data.ptr = t };
        const int on = 1, room = 4 << 20;

        *t = (struct transfer){ .fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0),
                                .started = now,
                                .due = now + patience,
                                .next = 1,
                                .blksize = 512,
                                .window = 1 };
        if (t->fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, t->fd, &event) < 0)
                die("socket");
        setsockopt(t->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
        if (want.window > 1)
                setsockopt(t->fd, IPPROTO_UDP, UDP_GRO, &on, sizeof(on));
        seen.begun++;
        ask(t);
}

static void end(struct transfer *t, bool is_good) {
        close(t->fd);
        t->fd = -1;
        if (is_good)
                seen.took[seen.done++] = now - t->started;
        else
                seen.failed++;
        if (seen.begun < want.transfers && now - begun_at < want.seconds)
                begin(t);
        else
                seen.live--;
}

static void take_options(struct transfer *t, const char *s, const char *last) {
        while (s < last) {
                const char *value = s + strlen(s) + 1;

                if (value >= last)
                        return;
                if (strcasecmp(s, "blksize") == 0)
                        t->blksize = (uint32_t)atoi(value);
                else if (strcasecmp(s, "windowsize") == 0)
                        t->window = (uint32_t)atoi(value);
                s = value + strlen(value) + 1;
        }
}

static bool is_right(const struct transfer *t, const uint8_t *data, size_t n) {
        return n <= t->blksize && n <= want.size - t->bytes &&
               memcmp(want.file + t->bytes, data, n) == 0;
}

/* False when the transfer has ended. */
static bool take_data(struct transfer *t, const uint8_t *p, size_t n) {
        uint16_t block = load_be16(p + 2), ahead = (uint16_t)(block - t->next);

        n -= 4;
        if (ahead >= 0x8000) {
                seen.duplicates++;
                if (t->in_window == 0 && block == (uint16_t)(t->next - 1))
                        acknowledge(t);
                return true;
        }
        if (ahead > 0) { /* RFC 7440, 4: say at once what is missing */
                if (!t->told_gap)
                        acknowledge(t);
                t->told_gap = true;
                return true;
        }
        if (!is_right(t, p + 4, n)) {
                seen.wrong++;
                end(t, false);
                return false;
        }
        t->bytes += n;
        seen.bytes += n;
        t->next++;
        t->tries = 0;
        t->told_gap = false;
        if (++t->in_window == t->window || n < t->blksize)
                acknowledge(t);
        if (n == t->blksize)
                return true;
        end(t, t->bytes == want.size);
        return false;
}

static bool take(struct transfer *t, uint8_t *p, size_t n) {
        if (n < 4)
                return true;
        if (p[1] == ERROR) {
                end(t, false);
                return false;
        }
        if (p[1] == DATA)
                return take_data(t, p, n);
        if (p[1] == OACK && t->next == 1 && t->bytes == 0) {
                p[n - 1] = 0;
                take_options(t, (char *)p + 2, (char *)p + n);
                acknowledge(t);
        }
        return true;
}

/* With UDP_GRO several datagrams of one size arrive as one. */
static size_t segment_of(struct msghdr *m, size_t n) {
        struct cmsghdr *c = CMSG_FIRSTHDR(m);
        int size = 0;

        if (c && c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO)
                memcpy(&size, CMSG_DATA(c), sizeof(size));
        return size > 0 ? (size_t)size : n;
}

static void on_readable(struct transfer *t) {
        static uint8_t bytes[BYTES_MAX];

        for (int i = 0; i < AT_ONCE; i++) {
                _Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(int))];
                struct sockaddr_in from;
                struct iovec v = { bytes, sizeof(bytes) };
                struct msghdr m = { .msg_name = &from,
                                    .msg_namelen = sizeof(from),
                                    .msg_iov = &v,
                                    .msg_iovlen = 1,
                                    .msg_control = control,
                                    .msg_controllen = sizeof(control) };
                ssize_t n = recvmsg(t->fd, &m, 0);
                size_t each;

                if (n <= 0)
                        return;
                if (!t->is_answered &&
                    connect(t->fd, (struct sockaddr *)&from, sizeof(from)) < 0)
                        die("connect");
                t->is_answered = true;
                t->due = now + patience;
                each = segment_of(&m, (size_t)n);
                for (size_t at = 0; at < (size_t)n; at += each)
                        if (!take(t, bytes + at, min_size(each, (size_t)n - at)))
                                return;
                if (t->in_window == 0)
                        return; /* nothing comes before what was just acknowledged */
        }
}

static void on_due(struct transfer *t) {
        if (++t->tries > TRIES_MAX) {
                end(t, false);
                return;
        }
        t->due = now + patience;
        if (t->is_answered) {
                seen.acked_again++;
                t->told_gap = false;
                acknowledge(t);
        } else {
                seen.asked_again++;
                seen.most_asked =
                        t->tries + 1 > seen.most_asked ? t->tries + 1 : seen.most_asked;
                ask(t);
        }
}

static int by_value(const void *a, const void *b) {
        nsec_t x = *(const nsec_t *)a, y = *(const nsec_t *)b;

        return (x > y) - (x < y);
}

static double percentile(double share) {
        size_t i = (size_t)(share * (seen.done ? seen.done - 1 : 0) + 0.5);

        return seen.done ? (double)seen.took[i] / NSEC_PER_MSEC : 0;
}

static void report(void) {
        double seconds = (double)(now - begun_at) / NSEC_PER_SEC;

        qsort(seen.took, seen.done, sizeof(*seen.took), by_value);
        printf("{\"done\": %u, \"failed\": %u, \"seconds\": %.4f, \"mb_per_second\": "
               "%.3f, "
               "\"per_second\": %.2f, \"p50_ms\": %.3f, \"p99_ms\": %.3f, "
               "\"asked_again\": %lu, \"acked_again\": %lu, \"duplicates\": %lu, "
               "\"wrong\": %lu, \"most_asked\": %u}\n",
               seen.done, seen.failed + seen.live, seconds,
               (double)seen.bytes / 1e6 / seconds, seen.done / seconds, percentile(0.5),
               percentile(0.99), seen.asked_again, seen.acked_again, seen.duplicates,
               seen.wrong, seen.most_asked ? seen.most_asked : 1);
}

static void open_file(const char *path) {
        int fd = open(path, O_RDONLY);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                die(path);
        want.size = (uint64_t)st.st_size;
        want.file = mmap(NULL, want.size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
        if (want.file == MAP_FAILED)
                die(path);
        close(fd);
}

static void read_flags(int argc, char **argv) {
        static const struct option flags[] = {
                { "server", 1, NULL, 's' },  { "port", 1, NULL, 'p' },
                { "name", 1, NULL, 'n' },    { "file", 1, NULL, 'f' },
                { "blksize", 1, NULL, 'b' }, { "window", 1, NULL, 'w' },
                { "at-once", 1, NULL, 'a' }, { "transfers", 1, NULL, 't' },
                { "seconds", 1, NULL, 'd' }, { 0 }
        };
        int c;

        want.server =
                (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(69) };
        while ((c = getopt_long(argc, argv, "", flags, NULL)) != -1) {
                switch (c) {
                case 's':
                        inet_pton(AF_INET, optarg, &want.server.sin_addr);
                        break;
                case 'p':
                        want.server.sin_port = htons((uint16_t)atoi(optarg));
                        break;
                case 'n':
                        want.name = optarg;
                        break;
                case 'f':
                        open_file(optarg);
                        break;
                case 'b':
                        want.blksize = (uint32_t)atoi(optarg);
                        break;
                case 'w':
                        want.window = (uint32_t)atoi(optarg);
                        break;
                case 'a':
                        want.at_once = (unsigned)atoi(optarg);
                        break;
                case 't':
                        want.transfers = (unsigned)atoi(optarg);
                        break;
                case 'd':
                        want.seconds = (nsec_t)atoi(optarg) * NSEC_PER_SEC;
                        break;
                default:
                        exit(2);
                }
        }
        if (!want.name || !want.file || strlen(want.name) > 255 ||
            want.at_once > want.transfers) {
                fputs("tftp_load: --server A --name N --file F [--port --blksize "
                      "--window "
                      "--at-once --transfers --seconds]\n",
                      stderr);
                exit(2);
        }
}

static void run(struct transfer *all) {
        nsec_t checked = now;

        while (seen.live > 0 && now - begun_at < want.seconds * 3 / 2) {
                struct epoll_event events[EVENTS];
                int n = epoll_wait(epoll, events, EVENTS, 20);

                look_at_clock();
                for (int i = 0; i < n; i++)
                        on_readable(events[i].data.ptr);
                if (now - checked < 20 * NSEC_PER_MSEC)
                        continue;
                checked = now;
                for (unsigned i = 0; i < want.at_once; i++)
                        if (all[i].fd >= 0 && all[i].due <= now)
                                on_due(&all[i]);
        }
}

int main(int argc, char **argv) {
        struct rlimit files;
        struct transfer *all;

        read_flags(argc, argv);
        getrlimit(RLIMIT_NOFILE, &files);
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
        all = calloc(want.at_once, sizeof(*all));
        seen.took = calloc(want.transfers, sizeof(*seen.took));
        epoll = epoll_create1(0);
        if (!all || !seen.took || epoll < 0)
                die("memory");
        look_at_clock();
        begun_at = now;
        seen.live = want.at_once;
        for (unsigned i = 0; i < want.at_once; i++)
                begin(&all[i]);
        run(all);
        look_at_clock();
        report();
        return 0;
}
