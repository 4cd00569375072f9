#pragma once
/*
 * Who has which address: bindings of all subnets, and the choice of a free one.
 *
 * A client is its client identifier (option 61), or its MAC when it sends none; an
 * identifier that is just the MAC counts as the MAC, so that firmware and installer are
 * one client. An address that was never given is preferred to one that was, and of
 * those the one unused for longest, so that a machine finds its old address again.
 *
 * Memory: one binding an address of the pools that was ever offered. Pure; every
 * operation but pool_configure() takes constant or logarithmic time.
 */
#include "lease/lease.h"

struct pool_range {
        ip4_t first, last;
};

struct pool_subnet {
        ip4_t network, mask;
        const struct pool_range *ranges;
        size_t n_ranges;
};

struct pool_client {
        struct mac mac;
        const uint8_t *id;
        uint8_t n_id;
};

enum pool_state {
        POOL_OFFERED,
        POOL_BOUND,
        POOL_RELEASED,
        POOL_DECLINED,
        POOL_EXPIRED,
};

struct pool_binding {
        struct lease_record record; /* state there is for the disk; this one rules: */
        enum pool_state state;
        nsec_t until;    /* of an offer, a lease or a rest */
        bool was_stored; /* the disk knows that this client had it */
};

struct pool;

MUST_USE int pool_new(struct pool **ret);
struct pool *pool_free(struct pool *pool);
/* Subnets and reserved addresses are copied. Bindings stay. -ENOMEM leaves all as it
 * was. */
MUST_USE int pool_configure(struct pool *pool, const struct pool_subnet *subnets,
                            size_t n_subnets, const ip4_t *reserved, size_t n_reserved);
/* A record from disk. -ENOMEM */
MUST_USE int pool_load(struct pool *pool, const struct lease_record *record);

struct pool_binding *pool_at(struct pool *pool, ip4_t address);
/* The client's binding in a subnet, offered, bound or given up; NULL. */
struct pool_binding *pool_find(struct pool *pool, ip4_t network,
                               const struct pool_client *client);
/* In a range of the subnet and not reserved. */
bool pool_has(const struct pool *pool, ip4_t network, ip4_t address);
/* Free for this client: unknown, its own, or given up by another. */
bool pool_is_free(struct pool *pool, ip4_t address, const struct pool_client *client,
                  nsec_t now);

/* An address for the client, held for it until `until`: its own, else the one it asks
 * for, else a free one. NULL when there is none, or no memory. */
struct pool_binding *pool_offer(struct pool *pool, ip4_t network,
                                const struct pool_client *client, ip4_t wanted,
                                nsec_t now, nsec_t until);
/* This very address, free or not in a range at all: a host's own. NULL without memory
 * or when somebody else is bound to it. */
struct pool_binding *pool_take(struct pool *pool, ip4_t network, ip4_t address,
                               const struct pool_client *client, nsec_t now,
                               nsec_t until);

void pool_bind(struct pool *pool, struct pool_binding *binding, nsec_t now,
               nsec_t ends);
/* Of a lease, or of an offer, which then was none. */
void pool_release(struct pool *pool, struct pool_binding *binding, nsec_t now);
void pool_decline(struct pool *pool, struct pool_binding *binding, nsec_t now,
                  nsec_t until);

/* When the first offer, lease or rest ends; NSEC_NEVER. */
nsec_t pool_next(const struct pool *pool);
/* Ends one that is due: *ret_was is what it was. NULL when none is. */
struct pool_binding *pool_expire(struct pool *pool, nsec_t now,
                                 enum pool_state *ret_was);

typedef void (*pool_fn)(const struct pool_binding *binding, void *userdata);
/* In the order of their addresses' hash: not sorted. */
void pool_each(const struct pool *pool, pool_fn fn, void *userdata);
size_t pool_n_offered(const struct pool *pool);

bool pool_client_is(const struct pool_binding *binding,
                    const struct pool_client *client);
