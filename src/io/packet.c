/*
 * Packet sockets of the kind SOCK_DGRAM: the kernel strips the link header, so that
 * filters and readers see IPv4 and ARP at offset 0 on every kind of link.
 *
 * A socket is made for no protocol, gets its filter and is bound last: nothing that the
 * filter would refuse can wait in it.
 */
#include "io/packet.h"

#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/net.h"
#include "wire/frame.h"

enum { CONTROL_MAX = 64, DHCP_SERVER_PORT = 67, BOOTREQUEST = 1, BOOTREPLY = 2 };

struct packet_batch {
        size_t packet_max;
        uint8_t *buffers;
        struct packet packets[PACKET_BATCH];
        struct udp_received received[PACKET_BATCH];
        struct mmsghdr headers[PACKET_BATCH];
        struct iovec vectors[PACKET_BATCH];
        union {
                struct sockaddr any;
                struct sockaddr_ll link;
                struct sockaddr_in in;
        } from[PACKET_BATCH];
        _Alignas(struct cmsghdr) uint8_t control[PACKET_BATCH][CONTROL_MAX];
};

static int set_option(int fd, int level, int name, const void *value, socklen_t n) {
        return setsockopt(fd, level, name, value, n) < 0 ? -errno : 0;
}

static int bind_to(int fd, uint16_t protocol, int ifindex) {
        struct sockaddr_ll at = { .sll_family = AF_PACKET,
                                  .sll_protocol = htons(protocol),
                                  .sll_ifindex = ifindex };

        return bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ? -errno : 0;
}

static int open_filtered(uint16_t protocol, int ifindex,
                         const struct sock_fprog *program, int *ret_fd) {
        int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), r;
        const int on = 1;

        if (fd < 0)
                return -errno;
        r = set_option(fd, SOL_SOCKET, SO_ATTACH_FILTER, program, sizeof(*program));
        if (r == 0)
                r = set_option(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on));
        if (r == 0)
                r = bind_to(fd, protocol, ifindex);
        if (r < 0) {
                close(fd);
                return r;
        }
        /* An older kernel tells them apart all the same, one by one. */
        (void)set_option(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on));
        net_grow_buffers(fd);
        *ret_fd = fd;
        return 0;
}

#define LOAD(size, at)   BPF_STMT(BPF_LD | (size) | BPF_ABS, (at))
#define REFUSE           BPF_STMT(BPF_RET | BPF_K, 0)
#define TAKE_ALL         BPF_STMT(BPF_RET | BPF_K, UINT32_MAX)
#define UNLESS(value, n) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (n))

int packet_open_dhcp(int ifindex, uint16_t port, int *ret_fd) {
        const uint32_t op = port == DHCP_SERVER_PORT ? BOOTREQUEST : BOOTREPLY;
        struct sock_filter code[] = {
                LOAD(BPF_B, 9), /* the protocol */
                UNLESS(IPPROTO_UDP, 8),
                LOAD(BPF_H, 6), /* fragments */
                BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x3fff, 6, 0),
                BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0), /* X: the header's length */
                BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),  /* the port it goes to */
                UNLESS(port, 3),
                BPF_STMT(BPF_LD | BPF_B | BPF_IND, 8), /* BOOTP's op */
                UNLESS(op, 1),
                TAKE_ALL,
                REFUSE,
        };
        const struct sock_fprog program = { ARRAY_SIZE(code), code };

        return open_filtered(ETH_P_IP, ifindex, &program, ret_fd);
}

int packet_open_arp(int *ret_fd) {
        struct sock_filter code[] = {
                LOAD(BPF_W, 0),                        /* Ethernet, IPv4 */
                UNLESS(0x00010800, 4), LOAD(BPF_H, 4), /* the lengths of their addresses
                                                        */
                UNLESS(0x0604, 2),     LOAD(BPF_W, 14), /* the sender's address */
                UNLESS(0, 1),          REFUSE,          TAKE_ALL,
        };
        const struct sock_fprog program = { ARRAY_SIZE(code), code };

        return open_filtered(ETH_P_ARP, 0, &program, ret_fd);
}

/* IPPROTO_RAW sends whole datagrams and is never given any (raw(7)). */
int packet_open_routed(int *ret_fd) {
        int fd = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_RAW);

        if (fd < 0)
                return -errno;
        *ret_fd = fd;
        return 0;
}

int packet_send_routed(int fd, const void *datagram, size_t n, ip4_t to) {
        struct sockaddr_in name = { .sin_family = AF_INET,
                                    .sin_addr.s_addr = htonl(to) };

        return sendto(fd, datagram, n, MSG_DONTWAIT, (struct sockaddr *)&name,
                      sizeof(name)) < 0
                       ? -errno
                       : 0;
}

int packet_batch_new(size_t packet_max, struct packet_batch **ret) {
        struct packet_batch *batch = calloc(1, sizeof(*batch));

        if (!batch)
                return -ENOMEM;
        batch->packet_max = packet_max;
        batch->buffers = malloc(packet_max * PACKET_BATCH);
        if (!batch->buffers) {
                free(batch);
                return -ENOMEM;
        }
        for (size_t i = 0; i < PACKET_BATCH; i++)
                batch->vectors[i] =
                        (struct iovec){ batch->buffers + i * packet_max, packet_max };
        *ret = batch;
        return 0;
}

struct packet_batch *packet_batch_free(struct packet_batch *batch) {
        if (batch)
                free(batch->buffers);
        free(batch);
        return NULL;
}

static bool is_summed(struct msghdr *header) {
        for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
                struct tpacket_auxdata aux;

                if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA)
                        continue;
                memcpy(&aux, CMSG_DATA(c), sizeof(aux));
                return !(aux.tp_status & TP_STATUS_CSUMNOTREADY);
        }
        return true;
}

/* What a bridge or a card in promiscuous mode shows of others is not for us, nor is a
 * VLAN that we have no interface in: the kernel marks both as another host's. */
static bool is_for_us(const struct sockaddr_ll *from) {
        return from->sll_pkttype == PACKET_HOST ||
               from->sll_pkttype == PACKET_BROADCAST ||
               from->sll_pkttype == PACKET_MULTICAST;
}

int packet_recv(int fd, struct packet_batch *batch, const struct packet **ret) {
        int n, n_taken = 0;

        for (size_t i = 0; i < PACKET_BATCH; i++) {
                batch->from[i].any.sa_family = AF_UNSPEC;
                batch->headers[i].msg_hdr = (struct msghdr){
                        .msg_name = &batch->from[i],
                        .msg_namelen = sizeof(batch->from[i]),
                        .msg_iov = &batch->vectors[i],
                        .msg_iovlen = 1,
                        .msg_control = batch->control[i],
                        .msg_controllen = CONTROL_MAX,
                };
        }
        n = recvmmsg(fd, batch->headers, PACKET_BATCH, MSG_DONTWAIT, NULL);
        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        for (int i = 0; i < n; i++) {
                bool is_link = batch->from[i].any.sa_family == AF_PACKET;

                if (is_link && !is_for_us(&batch->from[i].link))
                        continue;
                batch->packets[n_taken++] = (struct packet){
                        .data = batch->vectors[i].iov_base,
                        .n = batch->headers[i].msg_len,
                        .ifindex = is_link ? batch->from[i].link.sll_ifindex : 0,
                        .is_summed = is_summed(&batch->headers[i].msg_hdr),
                };
        }
        *ret = batch->packets;
        return n_taken;
}

/* A socket bound to the interface below hears VLANs and bonds above it as well, each
 * by its own index. */
int packet_recv_udp(int fd, int ifindex, struct packet_batch *batch,
                    const struct udp_received **ret) {
        const struct packet *packets;
        int n = packet_recv(fd, batch, &packets), n_taken = 0;

        for (int i = 0; i < n; i++) {
                struct frame frame;
                struct span data;

                if (packets[i].ifindex != ifindex ||
                    frame_parse(packets[i].data, packets[i].n, packets[i].is_summed,
                                &frame, &data) != 0)
                        continue;
                batch->received[n_taken++] = (struct udp_received){
                        .data = data.data,
                        .n = data.n,
                        .from = { frame.from, frame.from_port },
                        .to = frame.to,
                        .ifindex = ifindex,
                };
        }
        if (n < 0)
                return n;
        *ret = batch->received;
        return n_taken;
}
