/*
 * Accounts of addresses: a hash table of rings. Addresses may be forged, so the table
 * is bounded: when it is full, every account that holds nothing is forgotten, which
 * costs an attacker's victims at most a fresh allowance.
 */
#include "role/files_source.h"

#include <stdlib.h>

static const nsec_t tell_every = 10 * NSEC_PER_SEC;

void files_sources_init(struct files_sources *ret) {
        ret->n = 0;
        for (size_t i = 0; i < FILES_SOURCE_BUCKETS; i++)
                list_init(&ret->buckets[i]);
}

static void forget_idle(struct files_sources *sources) {
        for (size_t i = 0; i < FILES_SOURCE_BUCKETS; i++) {
                LIST_FOR_EACH(pos, &sources->buckets[i]) {
                        struct files_source *source =
                                CONTAINER_OF(pos, struct files_source, in_bucket);

                        if (source->n_held > 0)
                                continue;
                        list_remove(&source->in_bucket);
                        free(source);
                        sources->n--;
                }
        }
}

void files_sources_done(struct files_sources *sources) {
        forget_idle(sources);
        assert(sources->n == 0);
}

static struct list *bucket_of(struct files_sources *sources,
                              const struct udp_endpoint *host) {
        uint32_t hash = host->address;

        for (size_t i = 0; i < sizeof(host->address6.b); i++)
                hash = hash * 31 + host->address6.b[i];
        /* Knuth's multiplicative hash; neighbours on one wire spread well. */
        return &sources->buckets[(hash * 2654435761U) >> 22];
}

struct files_source *files_source_get(struct files_sources *sources, ip4_t address,
                                      nsec_t now) {
        return files_source_of(sources, &(struct udp_endpoint){ address, 0 }, now);
}

struct files_source *files_source_of(struct files_sources *sources,
                                     const struct udp_endpoint *peer, nsec_t now) {
        struct list *bucket = bucket_of(sources, peer);
        struct files_source *source;

        LIST_FOR_EACH(pos, bucket) {
                source = CONTAINER_OF(pos, struct files_source, in_bucket);
                if (udp_is_same_host(&source->host, peer))
                        return source;
        }
        if (sources->n >= FILES_SOURCES_MAX)
                forget_idle(sources);
        source = sources->n < FILES_SOURCES_MAX ? calloc(1, sizeof(*source)) : NULL;
        if (!source)
                return NULL;
        source->host = *peer;
        source->host.port = 0;
        source->allowance = UINT64_MAX; /* cut to a second's worth at its first use */
        source->refilled = now;
        list_init(&source->held);
        list_append(bucket, &source->in_bucket);
        sources->n++;
        return source;
}

bool files_source_admits(struct files_source *source, uint32_t rate, nsec_t now) {
        nsec_t passed = min_u64(now - source->refilled, NSEC_PER_SEC);
        uint64_t most = rate * NSEC_PER_SEC, more = passed * rate;

        if (rate == 0)
                return true;
        source->allowance = min_u64(source->allowance, most);
        source->allowance = min_u64(source->allowance + more, most);
        source->refilled = now;
        if (source->allowance < NSEC_PER_SEC)
                return false;
        source->allowance -= NSEC_PER_SEC;
        return true;
}

bool files_source_should_tell(struct files_source *source, nsec_t now) {
        if (source->told != 0 && now - source->told < tell_every)
                return false;
        source->told = now;
        return true;
}
