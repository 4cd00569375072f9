#include "wire/arp.h"

enum { ETHERNET = 1, IPV4 = 0x0800, LENGTHS = 0x0604 };

void arp_build(uint8_t ret[static ARP_SIZE], const struct arp *arp) {
        struct writer w = writer_of(ret, ARP_SIZE);

        writer_be16(&w, ETHERNET);
        writer_be16(&w, IPV4);
        writer_be16(&w, LENGTHS);
        writer_be16(&w, arp->operation);
        writer_bytes(&w, arp->sender_mac.b, 6);
        writer_be32(&w, arp->sender);
        writer_bytes(&w, arp->target_mac.b, 6);
        writer_be32(&w, arp->target);
        assert(!w.failed && w.at == ARP_SIZE);
}

static struct mac read_mac(struct reader *r) {
        struct span bytes = reader_span(r, 6);
        struct mac mac = { { 0 } };

        if (bytes.n == sizeof(mac.b))
                memcpy(mac.b, bytes.data, sizeof(mac.b));
        return mac;
}

bool arp_parse(const void *data, size_t n, struct arp *ret) {
        struct reader r = reader_of(data, n);
        struct arp arp = { 0 };

        if (reader_be16(&r) != ETHERNET || reader_be16(&r) != IPV4 ||
            reader_be16(&r) != LENGTHS)
                return false;
        arp.operation = reader_be16(&r);
        arp.sender_mac = read_mac(&r);
        arp.sender = reader_be32(&r);
        arp.target_mac = read_mac(&r);
        arp.target = reader_be32(&r);
        if (r.failed || (arp.operation != ARP_REQUEST && arp.operation != ARP_REPLY))
                return false;
        *ret = arp;
        return true;
}
