/* RFC 1833 3.1 (version 2) and 2.1 (versions 3 and 4). */
#include "wire/portmap.h"

#include "wire/xdr.h"

enum { ADDRESS_MAX = 32, STRING_MAX = 256 };

bool portmap_parse(struct span arguments, struct portmap_mapping *ret) {
        struct reader r = reader_of(arguments.data, arguments.n);

        *ret = (struct portmap_mapping){ .program = reader_be32(&r),
                                         .version = reader_be32(&r),
                                         .protocol = reader_be32(&r),
                                         .port = reader_be32(&r) };
        return !r.failed;
}

void portmap_build(struct writer *w, const struct portmap_mapping *mapping) {
        writer_be32(w, mapping->program);
        writer_be32(w, mapping->version);
        writer_be32(w, mapping->protocol);
        writer_be32(w, mapping->port);
}

static uint32_t protocol_of(struct span network) {
        if (network.n == 3 && memcmp(network.data, "tcp", 3) == 0)
                return PORTMAP_TCP;
        if (network.n == 3 && memcmp(network.data, "udp", 3) == 0)
                return PORTMAP_UDP;
        return 0;
}

/* RFC 1833 2.1: program, version, network, address and owner. */
bool rpcbind_parse(struct span arguments, struct portmap_mapping *ret) {
        struct reader r = reader_of(arguments.data, arguments.n);

        *ret = (struct portmap_mapping){ .program = reader_be32(&r),
                                         .version = reader_be32(&r) };
        ret->protocol = protocol_of(xdr_opaque(&r, STRING_MAX));
        (void)xdr_opaque(&r, STRING_MAX);
        (void)xdr_opaque(&r, STRING_MAX);
        return !r.failed;
}

/* A decimal number and a dot. */
static char *put_number(char *at, uint32_t v) {
        if (v >= 100)
                *at++ = (char)('0' + v / 100);
        if (v >= 10)
                *at++ = (char)('0' + v / 10 % 10);
        *at++ = (char)('0' + v % 10);
        *at++ = '.';
        return at;
}

void rpcbind_build_address(struct writer *w, uint32_t address, uint32_t port) {
        char text[ADDRESS_MAX], *at = text;

        for (unsigned shift = 32; shift > 0; shift -= 8)
                at = put_number(at, address >> (shift - 8) & 0xff);
        at = put_number(at, port >> 8 & 0xff);
        at = put_number(at, port & 0xff);
        xdr_put_opaque(w, text, port ? (size_t)(at - text) - 1 : 0);
}

void rpcbind_build(struct writer *w, const struct portmap_mapping *mapping,
                   uint32_t address) {
        writer_be32(w, mapping->program);
        writer_be32(w, mapping->version);
        xdr_put_string(w, mapping->protocol == PORTMAP_TCP ? "tcp" : "udp");
        rpcbind_build_address(w, address, mapping->port);
        xdr_put_string(w, "bootjack");
}

/* RFC 5531 9 */
enum { RPC_CALL = 0, RPC_REPLY = 1, RPC_VERSION = 2, MSG_ACCEPTED = 0 };

size_t portmap_build_call(void *out, size_t n, uint32_t xid, uint32_t procedure,
                          const struct portmap_mapping *mapping) {
        struct writer w = writer_of(out, n);

        writer_be32(&w, xid);
        writer_be32(&w, RPC_CALL);
        writer_be32(&w, RPC_VERSION);
        writer_be32(&w, PORTMAP_PROGRAM);
        writer_be32(&w, 2);
        writer_be32(&w, procedure);
        writer_zeros(&w, 16); /* AUTH_NONE, twice */
        portmap_build(&w, mapping);
        return w.failed ? 0 : w.at;
}

bool portmap_parse_answer(const void *data, size_t n, uint32_t xid, uint32_t *ret) {
        struct reader r = reader_of(data, n);
        uint32_t answered = reader_be32(&r), type = reader_be32(&r);
        uint32_t denied = reader_be32(&r), status, answer;

        (void)reader_be32(&r);                  /* the verifier: its kind, */
        (void)reader_span(&r, reader_be32(&r)); /* and what is in it */
        status = reader_be32(&r);
        answer = reader_be32(&r);
        if (r.failed || answered != xid || type != RPC_REPLY ||
            denied != MSG_ACCEPTED || status != 0)
                return false;
        *ret = answer;
        return true;
}
