#pragma once
/*
 * What passes an interface, whoever it is for: DHCP messages where the port is
 * somebody else's, answers of other servers, ARP. A packet socket hears a copy and
 * takes nothing from the socket that the datagram belongs to.
 *
 * Sockets are opened by the parent, non-blocking, with a filter in the kernel; reading
 * needs no right. What this host sends itself is never heard. Errors are -errno.
 */
#include "io/udp.h"

enum { PACKET_BATCH = 64 };

struct packet {
        const uint8_t *data; /* from the header of IPv4 or ARP on; in the batch */
        size_t n;
        int ifindex;    /* 0: it came by a raw socket */
        bool is_summed; /* false: the sender left the sum of UDP to a card */
};

/* DHCP's requests to port 67, or its replies to port 68, on one interface. */
MUST_USE int packet_open_dhcp(int ifindex, uint16_t port, int *ret_fd);
/* ARP on every interface, from whoever has an address (RFC 5227 2.1.1: a request says
 * so as well as a reply). Also sends. */
MUST_USE int packet_open_arp(int *ret_fd);
/* Sends IPv4 datagrams with a header of our own by the routes; hears nothing. */
MUST_USE int packet_open_routed(int *ret_fd);
MUST_USE int packet_send_routed(int fd, const void *datagram, size_t n, ip4_t to);

struct packet_batch;
MUST_USE int packet_batch_new(size_t packet_max, struct packet_batch **ret);
struct packet_batch *packet_batch_free(struct packet_batch *batch);
/* At most PACKET_BATCH; 0 when nothing for us was among what waited. Reads raw sockets
 * of IPv4 too. */
int packet_recv(int fd, struct packet_batch *batch, const struct packet **ret);
/* The same as UDP datagrams of this interface; what is none is passed over. `local` is
 * not known. */
int packet_recv_udp(int fd, int ifindex, struct packet_batch *batch,
                    const struct udp_received **ret);
