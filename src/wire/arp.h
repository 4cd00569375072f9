#pragma once
/*
 * ARP for IPv4 over Ethernet (RFC 826), as a probe needs it (RFC 5227). Pure.
 */
#include "base/addr.h"
#include "base/cursor.h"

enum { ARP_SIZE = 28, ARP_REQUEST = 1, ARP_REPLY = 2 };

struct arp {
        uint16_t operation;
        struct mac sender_mac, target_mac;
        ip4_t sender, target; /* RFC 5227 1.1: a probe's sender address is 0 */
};

void arp_build(uint8_t ret[static ARP_SIZE], const struct arp *arp);
/* From the ARP header on. False when it is none, or of another kind of network. */
MUST_USE bool arp_parse(const void *data, size_t n, struct arp *ret);
