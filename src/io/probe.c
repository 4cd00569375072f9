/*
 * An echo carries the address that it asks for and a number that nobody knows but us:
 * an answer is believed when it brings both back, so that pings of other programs and
 * replies that were made up by somebody off the wire are no answers.
 */
#include "io/probe.h"

#include <linux/icmp.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/packet.h"
#include "wire/arp.h"
#include "wire/icmp.h"

enum { ETHERTYPE_ARP = 0x0806, PACKET_MAX = 128, TOKEN_MAX = 8 };

struct source {
        int fd;
        struct loop_watch *watch;
};

struct probe {
        struct loop *loop;
        probe_fn fn;
        void *userdata;
        struct source arp, icmp;
        struct packet_batch *batch;
        uint8_t token[TOKEN_MAX];
        uint16_t identifier, sequence;
};

int probe_open_arp(int *ret_fd) {
        return packet_open_arp(ret_fd);
}

int probe_open_icmp(int *ret_fd) {
        const struct icmp_filter filter = { ~(1u << ICMP_ECHOREPLY) };
        int fd = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_ICMP);
        int r;

        if (fd < 0)
                return -errno;
        if (setsockopt(fd, SOL_RAW, ICMP_FILTER, &filter, sizeof(filter)) < 0) {
                r = -errno;
                close(fd);
                return r;
        }
        net_grow_buffers(fd);
        *ret_fd = fd;
        return 0;
}

int probe_new(struct loop *loop, probe_fn fn, void *userdata, struct probe **ret) {
        struct probe *probe = calloc(1, sizeof(*probe));
        int r;

        if (!probe)
                return -ENOMEM;
        *probe = (struct probe){
                .loop = loop,
                .fn = fn,
                .userdata = userdata,
                .arp.fd = -1,
                .icmp.fd = -1,
        };
        r = packet_batch_new(PACKET_MAX, &probe->batch);
        if (r == 0 && (getrandom(probe->token, TOKEN_MAX, 0) != TOKEN_MAX ||
                       getrandom(&probe->identifier, 2, 0) != 2))
                r = -EIO;
        if (r < 0) {
                probe_free(probe);
                return r;
        }
        *ret = probe;
        return 0;
}

static void source_close(struct source *source) {
        source->watch = loop_watch_free(source->watch);
        if (source->fd >= 0)
                close(source->fd);
        source->fd = -1;
}

struct probe *probe_free(struct probe *probe) {
        if (!probe)
                return NULL;
        source_close(&probe->arp);
        source_close(&probe->icmp);
        packet_batch_free(probe->batch);
        free(probe);
        return NULL;
}

static void on_arp(int fd, unsigned ready, void *userdata) {
        struct probe *probe = userdata;
        const struct packet *packets;
        int n = packet_recv(fd, probe->batch, &packets);

        for (int i = 0; i < n; i++) {
                struct arp arp;

                if (arp_parse(packets[i].data, packets[i].n, &arp) && arp.sender)
                        probe->fn(arp.sender, arp.sender_mac, packets[i].ifindex,
                                  probe->userdata);
        }
}

static bool is_ours(const struct probe *probe, const struct icmp_echo *echo) {
        return echo->identifier == probe->identifier && echo->data.n == TOKEN_MAX + 4 &&
               memcmp(echo->data.data, probe->token, TOKEN_MAX) == 0 &&
               load_be32(echo->data.data + TOKEN_MAX) == echo->from;
}

static void on_icmp(int fd, unsigned ready, void *userdata) {
        struct probe *probe = userdata;
        const struct packet *packets;
        int n = packet_recv(fd, probe->batch, &packets);

        for (int i = 0; i < n; i++) {
                struct icmp_echo echo;

                if (icmp_parse_reply(packets[i].data, packets[i].n, &echo) &&
                    is_ours(probe, &echo))
                        probe->fn(echo.from, (struct mac){ { 0 } }, 0, probe->userdata);
        }
}

int probe_add(struct probe *probe, unsigned how, int fd) {
        struct source *source = how == PROBE_ARP ? &probe->arp : &probe->icmp;

        source_close(source);
        source->fd = fd;
        return loop_watch_new(probe->loop, fd, LOOP_READABLE,
                              how == PROBE_ARP ? on_arp : on_icmp, probe,
                              &source->watch);
}

/* RFC 5227 2.1.1: the sender's address is zero, so that nobody learns a wrong one. */
static int send_arp(const struct probe *probe, ip4_t address,
                    const struct net_interface *interface) {
        struct sockaddr_ll to = { .sll_family = AF_PACKET,
                                  .sll_protocol = htons(ETHERTYPE_ARP),
                                  .sll_halen = 6 };
        uint8_t bytes[ARP_SIZE];

        if (probe->arp.fd < 0)
                return -ENOTCONN;
        if (!interface || !interface->has_link_layer)
                return -ENODEV;
        to.sll_ifindex = interface->ifindex;
        memset(to.sll_addr, 0xff, 6);
        arp_build(bytes, &(struct arp){ .operation = ARP_REQUEST,
                                        .sender_mac = interface->mac,
                                        .target = address });
        return sendto(probe->arp.fd, bytes, sizeof(bytes), MSG_DONTWAIT,
                      (struct sockaddr *)&to, sizeof(to)) < 0
                       ? -errno
                       : 0;
}

static int send_icmp(struct probe *probe, ip4_t address) {
        struct sockaddr_in to = { .sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(address) };
        uint8_t data[TOKEN_MAX + 4], bytes[ICMP_ECHO_HEADER + sizeof(data)];
        const struct icmp_echo echo = { .identifier = probe->identifier,
                                        .sequence = probe->sequence++,
                                        .data = { data, sizeof(data) } };

        if (probe->icmp.fd < 0)
                return -ENOTCONN;
        memcpy(data, probe->token, TOKEN_MAX);
        store_be32(data + TOKEN_MAX, address);
        return sendto(probe->icmp.fd, bytes,
                      icmp_build_echo(bytes, sizeof(bytes), &echo), MSG_DONTWAIT,
                      (struct sockaddr *)&to, sizeof(to)) < 0
                       ? -errno
                       : 0;
}

int probe_send(struct probe *probe, unsigned how, ip4_t address,
               const struct net_interface *interface) {
        int r = 0, other = 0;

        if (how & PROBE_ARP)
                r = send_arp(probe, address, interface);
        if (how & PROBE_ICMP)
                other = send_icmp(probe, address);
        return r < 0 ? r : other;
}
