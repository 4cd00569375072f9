#pragma once
/*
 * What one address has of us: transfers or connections at a time, and requests a
 * second. Each door keeps its own table; a worker sees only what the kernel gives it,
 * so the whole server allows up to the number of workers times as much.
 */
#include "base/list.h"
#include "io/udp.h"

struct files_source {
        struct list in_bucket;
        struct udp_endpoint host; /* without a port */
        unsigned n_held;    /* transfers or connections; never forgotten while > 0 */
        struct list held;   /* the owner's own */
        uint64_t allowance; /* of requests, in billionths */
        nsec_t refilled;    /* when it was last computed */
        nsec_t told;        /* when a limit was last reported */
};

enum { FILES_SOURCE_BUCKETS = 1024, FILES_SOURCES_MAX = 16384 };

struct files_sources {
        struct list buckets[FILES_SOURCE_BUCKETS];
        size_t n;
};

void files_sources_init(struct files_sources *ret);
void files_sources_done(struct files_sources *sources); /* nothing may be held */

/* The account of an address, made when it is new; NULL without memory, or when every
 * account is in use. It may go at the next call unless something is held. */
struct files_source *files_source_get(struct files_sources *sources, ip4_t address,
                                      nsec_t now);
/* Takes one request from the allowance of `rate` a second (0: without limit). */
struct files_source *files_source_of(struct files_sources *sources,
                                     const struct udp_endpoint *peer, nsec_t now);
bool files_source_admits(struct files_source *source, uint32_t rate, nsec_t now);
/* True once in ten seconds: whether a limit that was met should be reported. */
bool files_source_should_tell(struct files_source *source, nsec_t now);
