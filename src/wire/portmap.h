#pragma once
/*
 * The port mapper (RFC 1833), program 100000: version 2, and of versions 3 and 4 what a
 * client asks to find a service. Pure.
 */
#include "base/cursor.h"

enum { PORTMAP_PROGRAM = 100000, PORTMAP_PORT = 111 };

enum portmap_procedure { /* of version 2 */
                         PORTMAP_NULL = 0,
                         PORTMAP_SET = 1,
                         PORTMAP_UNSET = 2,
                         PORTMAP_GETPORT = 3,
                         PORTMAP_DUMP = 4,
                         PORTMAP_CALLIT = 5,
};
enum rpcbind_procedure { /* of versions 3 and 4, where it is another */
                         RPCBIND_GETADDR = 3,
};

enum portmap_protocol { PORTMAP_TCP = 6, PORTMAP_UDP = 17 };

struct portmap_mapping {
        uint32_t program, version, protocol, port;
};

/* A call of ours, of version 2 and without a credential: bytes written, 0 when they do
 * not fit. */
size_t portmap_build_call(void *out, size_t n, uint32_t xid, uint32_t procedure,
                          const struct portmap_mapping *mapping);
/* Its answer: false when it is none to that call, or no answer to it was given. */
MUST_USE bool portmap_parse_answer(const void *data, size_t n, uint32_t xid,
                                   uint32_t *ret);

MUST_USE bool portmap_parse(struct span arguments, struct portmap_mapping *ret);
void portmap_build(struct writer *w, const struct portmap_mapping *mapping);
/* Version 3 and 4: a network's name stands for the protocol; 0 for one of IPv6. */
MUST_USE bool rpcbind_parse(struct span arguments, struct portmap_mapping *ret);
/* RFC 5665 5.2.3.3: "10.0.0.1.8.1"; "" for a service that is not here (port 0). */
void rpcbind_build_address(struct writer *w, uint32_t address, uint32_t port);
/* One of the list that versions 3 and 4 dump. */
void rpcbind_build(struct writer *w, const struct portmap_mapping *mapping,
                   uint32_t address);
