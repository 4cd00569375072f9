#pragma once
/*
 * Who has which address: bindings of all subnets, and the choice of a free one.
 *
 * A client is its client identifier (option 61), or its MAC when it sends none; an
 * identifier that is just the MAC counts as the MAC, so that firmware and installer are
 * one client. An address that nobody ever had is preferred to one that was given up,
 * and of those the one unused for longest, so that a machine finds its old address
 * again.
 *
 * Addresses lie in ranges, known by their index in pool_configure(); who may have one
 * of which is the caller's to say. A range whose addresses are all taken gives one away
 * that is only offered, the oldest offer first, so that clients who never take what
 * they are offered cannot keep those out who do.
 *
 * Memory: one binding an address that is offered, bound or was bound; offers that came
 * to nothing leave their bindings to the next ones. Pure; every operation but
 * pool_configure() and pool_page() takes constant or logarithmic time.
 */
#include "lease/lease.h"

/* Ranges do not overlap. */
struct pool_range {
        ip4_t first, last; /* both included */
        ip4_t subnet;      /* its network address, for the records */
};

struct pool_client {
        struct mac mac;
        const uint8_t *id;
        uint8_t n_id;
        uint32_t port; /* a hash of where it is plugged in (relay, circuit); 0: unknown
                        */
};

enum pool_state {
        POOL_OFFERED,
        POOL_BOUND,
        POOL_RELEASED,
        POOL_DECLINED,
        POOL_EXPIRED,
};

/* Changed by the functions below only, but for was_probed and is_held. */
struct pool_binding {
        ip4_t address, subnet;
        nsec_t starts, ends; /* of the lease, as the disk knows it */
        nsec_t until;        /* of an offer, a lease or a rest */
        struct mac mac;
        uint8_t state;  /* enum pool_state */
        uint8_t stored; /* enum lease_state: what the disk knows */
        uint8_t n_client_id, n_hostname;
        bool was_stored; /* the disk knows that this client had it */
        bool was_probed; /* nobody else answered for it while this client has it */
        bool is_held;    /* its client waits for a probe */
        uint8_t *texts;  /* client identifier, then host name */
};

struct pool;

MUST_USE int pool_new(struct pool **ret);
struct pool *pool_free(struct pool *pool);
/* Ranges and reserved addresses are copied. Bindings stay. -ENOMEM leaves all as it
 * was. */
MUST_USE int pool_configure(struct pool *pool, const struct pool_range *ranges,
                            size_t n_ranges, const ip4_t *reserved, size_t n_reserved);
/* A record from disk. -ENOMEM */
MUST_USE int pool_load(struct pool *pool, const struct lease_record *record);

struct pool_binding *pool_at(struct pool *pool, ip4_t address);
/* The range that an address is in; SIZE_MAX: in none, or reserved. */
size_t pool_range_of(const struct pool *pool, ip4_t address);
/* Free for this client: unknown, its own, or given up by another. */
bool pool_is_free(struct pool *pool, ip4_t address, const struct pool_client *client,
                  nsec_t now);

struct pool_request {
        const struct pool_client *client;
        const size_t *ranges; /* where it may have an address, in this order */
        size_t n_ranges;
        ip4_t wanted; /* 0: it does not say */
        nsec_t now, until;
        nsec_t lapse; /* an offer that ends before this may be given away when nothing
                         else is left, */
        bool is_crowded; /* or because there are too many offers */
};

/* The client's binding in those ranges, offered, bound or given up; NULL. */
struct pool_binding *pool_find(struct pool *pool, const struct pool_request *request);
/* An address for the client, held for it until `until`: its own, else the one it asks
 * for, else a free one. NULL when there is none, or no memory. */
struct pool_binding *pool_offer(struct pool *pool, const struct pool_request *request);
/* This very address, in a range or not: a host's own, or one that is free. NULL
 * without memory or when somebody else holds it. */
struct pool_binding *pool_take(struct pool *pool, ip4_t subnet, ip4_t address,
                               const struct pool_client *client, nsec_t now,
                               nsec_t until);

/* The client's card and name now; an identifier may come with another card than
 * before (a dock). Without memory the name is lost. */
void pool_name(struct pool *pool, struct pool_binding *binding, struct mac mac,
               const char *hostname);
bool pool_is_named(const struct pool_binding *binding, struct span hostname);
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

/* What the disk is to know of it. */
void pool_record(const struct pool_binding *binding, struct lease_record *ret);

typedef void (*pool_fn)(const struct pool_binding *binding, void *userdata);
/* In the order of their addresses. */
void pool_each(const struct pool *pool, pool_fn fn, void *userdata);
/* At most n bindings that the disk knows, in the order of their addresses, with
 * addresses greater than `after`. Returns their number. */
size_t pool_page(const struct pool *pool, ip4_t after, size_t n, pool_fn fn,
                 void *userdata);

size_t pool_n_offered(const struct pool *pool);
/* Offers open to the same card (under several identifiers), and on the same port. */
size_t pool_n_offered_to(const struct pool *pool, const struct pool_client *client);
size_t pool_n_offered_at(const struct pool *pool, const struct pool_client *client);

bool pool_client_is(const struct pool_binding *binding,
                    const struct pool_client *client);
