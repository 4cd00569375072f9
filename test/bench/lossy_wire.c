/*
 * A wire between two interfaces that takes its time and loses frames: lossy_wire ONE
 * OTHER MICROSECONDS PERCENT. For kernels without sch_netem. Frames of the two must not
 * be joined (ethtool -K: gso, tso, gro off). At its end, by SIGTERM, it says how many
 * it passed on and how many it lost, as JSON.
 */
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"

enum { FRAME_MAX = 2048, QUEUED_MAX = 1 << 14, AT_ONCE = 256 };

struct frame {
        nsec_t due;
        size_t n;
        int to;
        uint8_t bytes[FRAME_MAX];
};

static struct frame queue[QUEUED_MAX]; /* all wait equally long: a ring keeps order */
static size_t head, n_queued;
static volatile sig_atomic_t ended;
static unsigned long passed, lost;

static void on_signal(int number) {
        ended = 1;
}

static nsec_t clock_now(void) {
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (nsec_t)t.tv_sec * NSEC_PER_SEC + (nsec_t)t.tv_nsec;
}

static int open_side(const char *name) {
        struct sockaddr_ll at = { .sll_family = AF_PACKET,
                                  .sll_protocol = htons(ETH_P_ALL),
                                  .sll_ifindex = (int)if_nametoindex(name) };
        const int room = 16 << 20, on = 1;
        int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ETH_P_ALL));

        if (fd < 0 || at.sll_ifindex == 0 ||
            setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) < 0 ||
            setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) < 0 ||
            bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
                fprintf(stderr, "lossy_wire: %s: %s\n", name, strerror(errno));
                exit(2);
        }
        return fd;
}

/* Whether IPv4: what keeps the wire alive (ARP) is not to be lost. */
static bool may_be_lost(const uint8_t *frame, size_t n) {
        return n > 14 && load_be16(frame + 12) == ETHERTYPE_IP;
}

static void take(int from, int to, nsec_t delay, double share) {
        for (int i = 0; i < AT_ONCE && n_queued < QUEUED_MAX; i++) {
                struct frame *f = &queue[(head + n_queued) % QUEUED_MAX];
                ssize_t n = recv(from, f->bytes, sizeof(f->bytes), 0);

                if (n <= 0)
                        return;
                if (may_be_lost(f->bytes, (size_t)n) && drand48() < share) {
                        lost++;
                        continue;
                }
                f->n = (size_t)n;
                f->to = to;
                f->due = clock_now() + delay;
                n_queued++;
        }
}

static void pass_on(void) {
        nsec_t now = clock_now();

        while (n_queued > 0 && queue[head].due <= now) {
                const struct frame *f = &queue[head];

                if (send(f->to, f->bytes, f->n, 0) < 0 && errno == EAGAIN)
                        return;
                passed++;
                head = (head + 1) % QUEUED_MAX;
                n_queued--;
        }
}

int main(int argc, char **argv) {
        struct pollfd sides[2];
        nsec_t delay;
        double share;

        if (argc != 5)
                return 2;
        signal(SIGTERM, on_signal);
        for (int i = 0; i < 2; i++)
                sides[i] = (struct pollfd){ open_side(argv[1 + i]), POLLIN, 0 };
        delay = (nsec_t)atoi(argv[3]) * NSEC_PER_USEC;
        share = atof(argv[4]) / 100;
        srand48(7); /* the same losses for everybody */
        puts("ready");
        fflush(stdout);
        while (!ended) {
                /* A wait of less than a tick is spent awake: it is a wire. */
                (void)poll(sides, 2, n_queued ? 0 : 100);
                take(sides[0].fd, sides[1].fd, delay, share);
                take(sides[1].fd, sides[0].fd, delay, share);
                pass_on();
        }
        printf("{\"passed\": %lu, \"lost\": %lu}\n", passed, lost);
        return 0;
}
