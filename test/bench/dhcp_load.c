/*
 * A crowd of DHCP clients behind a relay, as load: whole exchanges, DISCOVER to ACK.
 *
 *     dhcp_load --local A --server A [--clients N] [--first K] [--scatter]
 *               {--in-flight N --exchanges N | --rate R --seconds S}
 *
 * Closed loop: so many exchanges are on their way at any time, and so many in all. Open
 * loop: so many begin each second, whatever becomes of them. Client k has the MAC
 * 02:00:kk:kk:kk:kk; with --scatter they come in another order than that of their
 * numbers. What is not answered within a second is asked again, as a client would.
 *
 * Prints one JSON object: exchanges done, per second, percentiles of their time in
 * milliseconds, addresses given to two clients at once, NAKs, messages sent again.
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "wire/dhcp4.h"

enum { BATCH = 64, MESSAGE = 300, ANSWER = 1500 };

#define AGAIN_AFTER NSEC_PER_SEC

enum state { IDLE, DISCOVERING, REQUESTING };

struct exchange {
        nsec_t begun, asked;
        uint32_t client;
        ip4_t address, server;
        uint8_t state;
};

static struct {
        uint32_t local, server, n_clients, first, n_in_flight;
        bool is_scattered;
        uint64_t n_exchanges;
        double rate, seconds;
} wanted = { .n_clients = 10000, .seconds = 5 };

static struct exchange *exchanges; /* by xid */
static uint32_t n_slots, *vacant, n_vacant;
static uint64_t n_begun, n_done, n_naks, n_again, n_twice;
static uint32_t *holders; /* by the address's low 24 bits: the client and 1 */
static float *times;      /* milliseconds */
static size_t n_times, times_room;
static int fd;
static uint8_t out[BATCH][MESSAGE], in[BATCH][ANSWER];
static unsigned n_out;

static nsec_t now(void) {
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (nsec_t)t.tv_sec * NSEC_PER_SEC + (nsec_t)t.tv_nsec;
}

static void die(const char *what) {
        perror(what);
        exit(1);
}

/* ---- out ---- */

static void flush(void) {
        struct mmsghdr headers[BATCH] = { 0 };
        struct iovec vectors[BATCH];
        unsigned sent = 0;

        for (unsigned i = 0; i < n_out; i++) {
                vectors[i] = (struct iovec){ out[i], MESSAGE };
                headers[i].msg_hdr.msg_iov = &vectors[i];
                headers[i].msg_hdr.msg_iovlen = 1;
        }
        while (sent < n_out) {
                int r = sendmmsg(fd, headers + sent, n_out - sent, 0);

                if (r < 0 && errno != EINTR && errno != ECONNREFUSED)
                        die("sendmmsg");
                sent += r > 0 ? (unsigned)r : 0;
        }
        n_out = 0;
}

static void send_message(const struct exchange *e, uint32_t xid) {
        static const uint8_t list[] = { 1, 3, 6, 12, 15, 28, 42, 66, 67 };
        struct dhcp4_message head = {
                .op = DHCP4_BOOTREQUEST, .htype = 1, .hlen = 6, .hops = 1, .xid = xid
        };
        uint8_t type = e->state == DISCOVERING ? DHCP4_DISCOVER : DHCP4_REQUEST;
        struct writer w = writer_of(out[n_out], MESSAGE);

        head.giaddr = wanted.local;
        head.chaddr[0] = 2;
        store_be32(head.chaddr + 2, e->client);
        dhcp4_build_head(&w, &head);
        dhcp4_build_option(&w, DHCP4_MESSAGE_TYPE, &type, 1);
        if (e->state == REQUESTING) {
                dhcp4_build_be32(&w, DHCP4_REQUESTED_ADDRESS, e->address);
                dhcp4_build_be32(&w, DHCP4_SERVER_ID, e->server);
        }
        dhcp4_build_option(&w, DHCP4_PARAMETER_LIST, list, sizeof(list));
        dhcp4_build_end(&w);
        if (++n_out == BATCH)
                flush();
}

static void begin(nsec_t at) {
        uint64_t number = n_begun++ % wanted.n_clients;
        uint32_t slot = vacant[--n_vacant];

        if (wanted.is_scattered) /* a prime, so that each comes once a round */
                number = number * 1000003u % wanted.n_clients;
        exchanges[slot] = (struct exchange){ .begun = at,
                                             .asked = at,
                                             .client = wanted.first + (uint32_t)number,
                                             .state = DISCOVERING };
        send_message(&exchanges[slot], slot);
}

/* ---- in ---- */

static void done(struct exchange *e, uint32_t slot, nsec_t at) {
        uint32_t *holder = &holders[e->address & 0xffffff];

        n_twice += *holder && *holder != e->client + 1;
        *holder = e->client + 1;
        if (n_times < times_room)
                times[n_times++] = (float)((double)(at - e->begun) / 1e6);
        e->state = IDLE;
        vacant[n_vacant++] = slot;
        n_done++;
}

static void hear(const uint8_t *data, size_t n, nsec_t at) {
        static struct dhcp4_message m;
        struct exchange *e;

        if (dhcp4_parse(data, n, &m) != DHCP4_OK || m.xid >= n_slots)
                return;
        e = &exchanges[m.xid];
        if (e->client != load_be32(m.chaddr + 2) || e->state == IDLE)
                return;
        if (m.type == DHCP4_OFFER && e->state == DISCOVERING) {
                e->state = REQUESTING;
                e->address = m.yiaddr;
                e->server = dhcp4_option_be32(&m, DHCP4_SERVER_ID);
                e->asked = at;
                send_message(e, m.xid);
        } else if (m.type == DHCP4_ACK && e->state == REQUESTING) {
                done(e, m.xid, at);
        } else if (m.type == DHCP4_NAK) {
                n_naks++;
                e->state = DISCOVERING;
                e->asked = at;
                send_message(e, m.xid);
        }
}

static void receive(void) {
        struct mmsghdr headers[BATCH] = { 0 };
        struct iovec vectors[BATCH];
        nsec_t at;
        int n;

        for (unsigned i = 0; i < BATCH; i++) {
                vectors[i] = (struct iovec){ in[i], ANSWER };
                headers[i].msg_hdr.msg_iov = &vectors[i];
                headers[i].msg_hdr.msg_iovlen = 1;
        }
        n = recvmmsg(fd, headers, BATCH, MSG_DONTWAIT, NULL);
        at = now();
        for (int i = 0; i < n; i++)
                hear(in[i], headers[i].msg_len, at);
}

static void ask_again(nsec_t at) {
        for (uint32_t i = 0; i < n_slots; i++) {
                struct exchange *e = &exchanges[i];

                if (e->state == IDLE || at < e->asked + AGAIN_AFTER)
                        continue;
                e->asked = at;
                n_again++;
                send_message(e, i);
        }
}

/* ---- the whole ---- */

/* How many should have begun by now. */
static uint64_t due(nsec_t start, nsec_t at) {
        double seconds = (double)(at - start) / 1e9;

        if (wanted.rate > 0)
                return (uint64_t)(wanted.rate * (seconds < wanted.seconds
                                                         ? seconds
                                                         : wanted.seconds));
        return n_done + wanted.n_in_flight < wanted.n_exchanges
                       ? n_done + wanted.n_in_flight
                       : wanted.n_exchanges;
}

static nsec_t run(void) {
        uint64_t total = wanted.rate > 0 ? (uint64_t)(wanted.rate * wanted.seconds)
                                         : wanted.n_exchanges;
        nsec_t start = now(), looked = start, at = start;
        nsec_t limit = start + 600 * NSEC_PER_SEC;

        while (n_done < total && at < limit) {
                struct pollfd waiting = { fd, POLLIN, 0 };

                at = now();
                while (n_begun < due(start, at) && n_vacant > 0)
                        begin(at);
                flush();
                if (poll(&waiting, 1, wanted.rate > 0 ? 0 : 20) > 0)
                        receive();
                if (at - looked > 100 * NSEC_PER_MSEC) {
                        ask_again(at);
                        looked = at;
                }
        }
        return now() - start;
}

static int compare(const void *a, const void *b) {
        const float *x = a, *y = b;

        return (*x > *y) - (*x < *y);
}

static float percentile(double part) {
        return n_times ? times[(size_t)(part * (double)(n_times - 1))] : 0;
}

static void *allocate(size_t n, size_t size) {
        void *memory = calloc(n, size);

        if (!memory)
                die("calloc");
        return memory;
}

static void prepare(void) {
        struct sockaddr_in local = { .sin_family = AF_INET, .sin_port = htons(67) };
        struct sockaddr_in server = local;
        int room = 16 << 20;

        local.sin_addr.s_addr = htonl(wanted.local);
        server.sin_addr.s_addr = htonl(wanted.server);
        fd = socket(AF_INET, SOCK_DGRAM, 0);
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
        if (fd < 0 || bind(fd, (struct sockaddr *)&local, sizeof(local)) < 0 ||
            connect(fd, (struct sockaddr *)&server, sizeof(server)) < 0)
                die("port 67");
        n_slots = wanted.n_in_flight ? wanted.n_in_flight : 65536;
        exchanges = allocate(n_slots, sizeof(*exchanges));
        vacant = allocate(n_slots, sizeof(*vacant));
        for (uint32_t i = 0; i < n_slots; i++)
                vacant[n_vacant++] = n_slots - 1 - i;
        holders = allocate(1 << 24, sizeof(*holders));
        times_room = 4000000;
        times = allocate(times_room, sizeof(*times));
        (void)prctl(PR_SET_TIMERSLACK, 1);
}

static ip4_t address(const char *text) {
        ip4_t parsed;

        if (ip4_parse(text, &parsed))
                return parsed;
        fprintf(stderr, "dhcp_load: '%s' is no IPv4 address\n", text);
        exit(2);
}

int main(int argc, char **argv) {
        static const struct option rows[] = {
                { "local", 1, NULL, 'l' },     { "server", 1, NULL, 's' },
                { "clients", 1, NULL, 'c' },   { "first", 1, NULL, 'f' },
                { "scatter", 0, NULL, 'x' },   { "in-flight", 1, NULL, 'i' },
                { "exchanges", 1, NULL, 'n' }, { "rate", 1, NULL, 'r' },
                { "seconds", 1, NULL, 'd' },   { 0 },
        };
        double seconds;
        int c;

        while ((c = getopt_long(argc, argv, "", rows, NULL)) != -1)
                switch (c) {
                case 'l':
                        wanted.local = address(optarg);
                        break;
                case 's':
                        wanted.server = address(optarg);
                        break;
                case 'c':
                        wanted.n_clients = (uint32_t)strtoul(optarg, NULL, 10);
                        break;
                case 'f':
                        wanted.first = (uint32_t)strtoul(optarg, NULL, 10);
                        break;
                case 'x':
                        wanted.is_scattered = true;
                        break;
                case 'i':
                        wanted.n_in_flight = (uint32_t)strtoul(optarg, NULL, 10);
                        break;
                case 'n':
                        wanted.n_exchanges = strtoull(optarg, NULL, 10);
                        break;
                case 'r':
                        wanted.rate = strtod(optarg, NULL);
                        break;
                case 'd':
                        wanted.seconds = strtod(optarg, NULL);
                        break;
                default:
                        return 2;
                }
        if (!wanted.local || !wanted.server || !wanted.n_clients ||
            (wanted.rate > 0) == (wanted.n_in_flight > 0)) {
                fprintf(stderr, "dhcp_load: --local, --server and either --in-flight "
                                "with --exchanges or --rate are needed\n");
                return 2;
        }
        prepare();
        seconds = (double)run() / 1e9;
        qsort(times, n_times, sizeof(*times), compare);
        printf("{\"exchanges\": %lu, \"seconds\": %.3f, \"per_second\": %.1f, "
               "\"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f, \"twice\": %lu, "
               "\"naks\": %lu, \"again\": %lu}\n",
               n_done, seconds, (double)n_done / seconds, (double)percentile(0.5),
               (double)percentile(0.99), (double)percentile(1), n_twice, n_naks,
               n_again);
        return 0;
}
