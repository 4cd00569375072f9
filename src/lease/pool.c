/*
 * Bindings hang in two hash tables (by address, by client), in a heap by when they end,
 * and, once their client gave them up, in a list from which the longest unused is
 * taken. Each subnet walks once through its ranges for addresses never given; after
 * that only the list counts, so a full pool costs nothing to find full.
 */
#include "lease/pool.h"

#include <stdlib.h>

#include "base/list.h"

struct node {
        struct pool_binding binding; /* first: a binding is its node */
        struct list by_address, by_client, unused;
        size_t heap; /* place from 1; 0: in no heap */
};

struct subnet {
        ip4_t network, mask;
        struct pool_range *ranges;
        size_t n_ranges;
        size_t range;  /* the walk: this range, */
        uint64_t next; /* from this address on; 64 bits, to pass 255.255.255.255 */
};

struct pool {
        struct list *by_address, *by_client;
        size_t n_buckets, n;
        struct node **heap;
        size_t n_heap, heap_room, n_offered;
        struct list unused; /* longest first */
        struct subnet *subnets;
        size_t n_subnets;
        ip4_t *reserved;
        size_t n_reserved;
};

enum { BUCKETS_FIRST = 64 };

static struct node *node_of(struct pool_binding *binding) {
        return CONTAINER_OF(binding, struct node, binding);
}

/* ---- hashing ---- */

static uint64_t mix(uint64_t v) {
        v ^= v >> 33;
        v *= 0xff51afd7ed558ccdull;
        v ^= v >> 33;
        return v;
}

static bool is_mac_id(const struct pool_client *c) {
        return c->n_id == 0 ||
               (c->n_id == 7 && c->id[0] == 1 && memcmp(c->id + 1, c->mac.b, 6) == 0);
}

static uint64_t client_hash(const struct pool_client *c) {
        uint64_t h = 0;

        if (is_mac_id(c)) {
                for (size_t i = 0; i < 6; i++)
                        h = h << 8 | c->mac.b[i];
                return mix(h);
        }
        for (size_t i = 0; i < c->n_id; i++)
                h = mix(h + c->id[i] + 1);
        return h;
}

static struct pool_client client_of(const struct pool_binding *b) {
        return (struct pool_client){ b->record.mac, b->record.client_id,
                                     b->record.n_client_id };
}

bool pool_client_is(const struct pool_binding *binding,
                    const struct pool_client *client) {
        struct pool_client own = client_of(binding);

        if (is_mac_id(&own) != is_mac_id(client))
                return false;
        if (is_mac_id(client))
                return mac_is_equal(own.mac, client->mac);
        return own.n_id == client->n_id && memcmp(own.id, client->id, own.n_id) == 0;
}

static struct list *address_bucket(const struct pool *pool, ip4_t address) {
        return &pool->by_address[mix(address) % pool->n_buckets];
}

static struct list *client_bucket(const struct pool *pool,
                                  const struct pool_client *c) {
        return &pool->by_client[client_hash(c) % pool->n_buckets];
}

static struct list *new_buckets(size_t n) {
        struct list *buckets = malloc(n * sizeof(*buckets));

        for (size_t i = 0; buckets && i < n; i++)
                list_init(&buckets[i]);
        return buckets;
}

/* Twice the buckets; without memory the old ones just get longer. */
static void grow(struct pool *pool) {
        struct list *old = pool->by_address, *old_clients = pool->by_client;
        struct list *by_address = new_buckets(pool->n_buckets * 2);
        struct list *by_client = new_buckets(pool->n_buckets * 2);
        size_t n = pool->n_buckets;

        if (!by_address || !by_client) {
                free(by_address);
                free(by_client);
                return;
        }
        pool->by_address = by_address;
        pool->by_client = by_client;
        pool->n_buckets = n * 2;
        for (size_t i = 0; i < n; i++)
                LIST_FOR_EACH(pos, &old[i]) {
                        struct node *node = CONTAINER_OF(pos, struct node, by_address);
                        struct pool_client client = client_of(&node->binding);

                        list_remove(&node->by_address);
                        list_remove(&node->by_client);
                        list_append(address_bucket(pool, node->binding.record.address),
                                    &node->by_address);
                        list_append(client_bucket(pool, &client), &node->by_client);
                }
        free(old);
        free(old_clients);
}

/* ---- the heap ---- */

static void heap_put(struct pool *pool, size_t at, struct node *node) {
        pool->heap[at] = node;
        node->heap = at;
}

static void heap_settle(struct pool *pool, struct node *node) {
        size_t at = node->heap;
        nsec_t until = node->binding.until;

        while (at > 1 && pool->heap[at / 2]->binding.until > until) {
                heap_put(pool, at, pool->heap[at / 2]);
                at /= 2;
        }
        for (;;) {
                size_t child = at * 2;

                if (child < pool->n_heap && pool->heap[child + 1]->binding.until <
                                                    pool->heap[child]->binding.until)
                        child++;
                if (child > pool->n_heap || pool->heap[child]->binding.until >= until)
                        break;
                heap_put(pool, at, pool->heap[child]);
                at = child;
        }
        heap_put(pool, at, node);
}

static void heap_remove(struct pool *pool, struct node *node) {
        struct node *last;

        if (node->heap == 0)
                return;
        last = pool->heap[pool->n_heap--];
        if (last != node) {
                heap_put(pool, node->heap, last);
                heap_settle(pool, last);
        }
        node->heap = 0;
}

/* There is room for every binding: see add(). */
static void heap_set(struct pool *pool, struct node *node, nsec_t until) {
        node->binding.until = until;
        if (until == NSEC_NEVER) {
                heap_remove(pool, node);
                return;
        }
        if (node->heap == 0)
                heap_put(pool, ++pool->n_heap, node);
        heap_settle(pool, node);
}

/* ---- bindings ---- */

int pool_new(struct pool **ret) {
        struct pool *pool = calloc(1, sizeof(*pool));

        if (!pool)
                return -ENOMEM;
        pool->n_buckets = BUCKETS_FIRST;
        pool->by_address = new_buckets(BUCKETS_FIRST);
        pool->by_client = new_buckets(BUCKETS_FIRST);
        list_init(&pool->unused);
        if (!pool->by_address || !pool->by_client) {
                pool_free(pool);
                return -ENOMEM;
        }
        *ret = pool;
        return 0;
}

static void free_subnets(struct subnet *subnets, size_t n) {
        for (size_t i = 0; i < n; i++)
                free(subnets[i].ranges);
        free(subnets);
}

struct pool *pool_free(struct pool *pool) {
        if (!pool)
                return NULL;
        for (size_t i = 0; pool->by_address && i < pool->n_buckets; i++)
                LIST_FOR_EACH(pos, &pool->by_address[i])
        free(CONTAINER_OF(pos, struct node, by_address));
        free_subnets(pool->subnets, pool->n_subnets);
        free(pool->by_address);
        free(pool->by_client);
        free(pool->heap);
        free(pool->reserved);
        free(pool);
        return NULL;
}

static int copy_subnet(struct subnet *to, const struct pool_subnet *from) {
        to->network = from->network;
        to->mask = from->mask;
        to->ranges = calloc(from->n_ranges + 1, sizeof(*to->ranges));
        if (!to->ranges)
                return -ENOMEM;
        if (from->n_ranges > 0)
                memcpy(to->ranges, from->ranges, from->n_ranges * sizeof(*to->ranges));
        to->n_ranges = from->n_ranges;
        to->next = from->n_ranges ? from->ranges[0].first : 0;
        return 0;
}

int pool_configure(struct pool *pool, const struct pool_subnet *subnets,
                   size_t n_subnets, const ip4_t *reserved, size_t n_reserved) {
        struct subnet *copies = calloc(n_subnets + 1, sizeof(*copies));
        ip4_t *kept = calloc(n_reserved + 1, sizeof(*kept));
        int r = copies && kept ? 0 : -ENOMEM;

        for (size_t i = 0; r == 0 && i < n_subnets; i++)
                r = copy_subnet(&copies[i], &subnets[i]);
        if (r < 0) {
                if (copies)
                        free_subnets(copies, n_subnets);
                free(kept);
                return r;
        }
        if (n_reserved > 0)
                memcpy(kept, reserved, n_reserved * sizeof(*kept));
        free_subnets(pool->subnets, pool->n_subnets);
        free(pool->reserved);
        pool->subnets = copies;
        pool->n_subnets = n_subnets;
        pool->reserved = kept;
        pool->n_reserved = n_reserved;
        return 0;
}

struct pool_binding *pool_at(struct pool *pool, ip4_t address) {
        LIST_FOR_EACH(pos, address_bucket(pool, address)) {
                struct node *node = CONTAINER_OF(pos, struct node, by_address);

                if (node->binding.record.address == address)
                        return &node->binding;
        }
        return NULL;
}

struct pool_binding *pool_find(struct pool *pool, ip4_t network,
                               const struct pool_client *client) {
        struct pool_binding *found = NULL;

        LIST_FOR_EACH(pos, client_bucket(pool, client)) {
                struct node *node = CONTAINER_OF(pos, struct node, by_client);

                if (node->binding.record.subnet != network ||
                    node->binding.state == POOL_DECLINED ||
                    !pool_client_is(&node->binding, client))
                        continue;
                /* A client may have given one address up and have another. */
                if (!found || node->binding.state < found->state)
                        found = &node->binding;
        }
        return found;
}

static void set_client(struct pool *pool, struct node *node,
                       const struct pool_client *client) {
        struct lease_record *record = &node->binding.record;

        list_remove(&node->by_client);
        record->mac = client->mac;
        record->n_client_id = client->n_id;
        /* A client asking again hands in its own bytes. */
        if (client->n_id > 0)
                memmove(record->client_id, client->id, client->n_id);
        record->hostname[0] = '\0';
        list_append(client_bucket(pool, client), &node->by_client);
}

static struct node *add(struct pool *pool, ip4_t network, ip4_t address) {
        struct node *node;

        if (pool->n + 1 >= pool->heap_room) {
                size_t room = pool->heap_room ? pool->heap_room * 2 : 64;
                struct node **heap = realloc(pool->heap, room * sizeof(struct node *));

                if (!heap)
                        return NULL;
                pool->heap = heap;
                pool->heap_room = room;
        }
        if (pool->n > pool->n_buckets)
                grow(pool);
        node = calloc(1, sizeof(*node));
        if (!node)
                return NULL;
        list_init(&node->by_client);
        list_init(&node->unused);
        node->binding.record.address = address;
        node->binding.record.subnet = network;
        node->binding.state = POOL_EXPIRED;
        node->binding.record.state = LEASE_EXPIRED;
        node->binding.until = NSEC_NEVER;
        list_append(address_bucket(pool, address), &node->by_address);
        pool->n++;
        return node;
}

/* An offer, and one that came to nothing, leave the record of the lease before alone:
 * it is what the disk knows. */
static void set_state(struct pool *pool, struct node *node, enum pool_state state,
                      nsec_t until) {
        static const enum lease_state kept[] = {
                [POOL_OFFERED] = LEASE_EXPIRED,   [POOL_BOUND] = LEASE_BOUND,
                [POOL_RELEASED] = LEASE_RELEASED, [POOL_DECLINED] = LEASE_DECLINED,
                [POOL_EXPIRED] = LEASE_EXPIRED,
        };
        bool is_withdrawn = node->binding.state == POOL_OFFERED &&
                            (state == POOL_RELEASED || state == POOL_EXPIRED);

        pool->n_offered -= node->binding.state == POOL_OFFERED;
        pool->n_offered += state == POOL_OFFERED;
        node->binding.state = state;
        if (state != POOL_OFFERED && !is_withdrawn)
                node->binding.record.state = kept[state];
        list_remove(&node->unused);
        if (state == POOL_RELEASED || state == POOL_EXPIRED)
                list_append(&pool->unused, &node->unused);
        heap_set(pool, node, until);
}

int pool_load(struct pool *pool, const struct lease_record *record) {
        static const enum pool_state states[] = {
                [LEASE_BOUND] = POOL_BOUND,
                [LEASE_RELEASED] = POOL_RELEASED,
                [LEASE_DECLINED] = POOL_DECLINED,
                [LEASE_EXPIRED] = POOL_EXPIRED,
        };
        struct pool_client client = { record->mac, record->client_id,
                                      record->n_client_id };
        struct pool_binding *old = pool_at(pool, record->address);
        struct node *node =
                old ? node_of(old) : add(pool, record->subnet, record->address);

        if (!node)
                return -ENOMEM;
        set_client(pool, node, &client);
        node->binding.record = *record;
        node->binding.was_stored = true;
        set_state(pool, node, states[record->state],
                  record->state == LEASE_BOUND || record->state == LEASE_DECLINED
                          ? record->ends
                          : NSEC_NEVER);
        return 0;
}

static const struct subnet *find_subnet(const struct pool *pool, ip4_t network) {
        for (size_t i = 0; i < pool->n_subnets; i++)
                if (pool->subnets[i].network == network)
                        return &pool->subnets[i];
        return NULL;
}

static bool is_reserved(const struct pool *pool, ip4_t address) {
        for (size_t i = 0; i < pool->n_reserved; i++)
                if (pool->reserved[i] == address)
                        return true;
        return false;
}

bool pool_has(const struct pool *pool, ip4_t network, ip4_t address) {
        const struct subnet *subnet = find_subnet(pool, network);

        for (size_t i = 0; subnet && i < subnet->n_ranges; i++)
                if (address >= subnet->ranges[i].first &&
                    address <= subnet->ranges[i].last)
                        return !is_reserved(pool, address);
        return false;
}

static bool is_given_up(const struct pool_binding *binding, nsec_t now) {
        return binding->state == POOL_RELEASED || binding->state == POOL_EXPIRED ||
               binding->until <= now;
}

bool pool_is_free(struct pool *pool, ip4_t address, const struct pool_client *client,
                  nsec_t now) {
        struct pool_binding *binding = pool_at(pool, address);

        return !binding || is_given_up(binding, now) ||
               (binding->state != POOL_DECLINED && pool_client_is(binding, client));
}

/* An address that never had a binding. */
static struct node *take_new(struct pool *pool, struct subnet *subnet) {
        for (; subnet->range < subnet->n_ranges; subnet->range++) {
                const struct pool_range *range = &subnet->ranges[subnet->range];

                while (subnet->next <= range->last) {
                        ip4_t address = (ip4_t)subnet->next++;

                        if (!pool_at(pool, address) && !is_reserved(pool, address))
                                return add(pool, subnet->network, address);
                }
                if (subnet->range + 1 < subnet->n_ranges)
                        subnet->next = subnet->ranges[subnet->range + 1].first;
        }
        return NULL;
}

static struct node *take_unused(struct pool *pool, const struct subnet *subnet) {
        LIST_FOR_EACH(pos, &pool->unused) {
                struct node *node = CONTAINER_OF(pos, struct node, unused);

                if (pool_has(pool, subnet->network, node->binding.record.address))
                        return node;
        }
        return NULL;
}

static struct pool_binding *hold(struct pool *pool, struct node *node, ip4_t network,
                                 const struct pool_client *client, nsec_t until) {
        if (!node)
                return NULL;
        if (!pool_client_is(&node->binding, client) ||
            list_is_empty(&node->by_client)) {
                set_client(pool, node, client);
                node->binding.record.starts = node->binding.record.ends = 0;
                node->binding.record.state = LEASE_EXPIRED;
                node->binding.was_stored = false;
        }
        node->binding.record.subnet = network;
        set_state(pool, node, POOL_OFFERED, until);
        return &node->binding;
}

/* Offered what it is bound to, a client stays bound: the offer may come to nothing. A
 * lease that would end before its offer does is held as long as that. */
static struct pool_binding *keep(struct pool *pool, struct pool_binding *own,
                                 nsec_t until) {
        if (own->until < until)
                heap_set(pool, node_of(own), until);
        return own;
}

struct pool_binding *pool_offer(struct pool *pool, ip4_t network,
                                const struct pool_client *client, ip4_t wanted,
                                nsec_t now, nsec_t until) {
        struct subnet *subnet = (struct subnet *)(uintptr_t)find_subnet(pool, network);
        struct pool_binding *own = pool_find(pool, network, client), *asked;
        struct node *node;

        if (!subnet)
                return NULL;
        if (own && pool_has(pool, network, own->record.address)) {
                if (own->state == POOL_BOUND)
                        return keep(pool, own, until);
                return hold(pool, node_of(own), network, client, until);
        }
        if (wanted && pool_has(pool, network, wanted) &&
            pool_is_free(pool, wanted, client, now)) {
                asked = pool_at(pool, wanted);
                node = asked ? node_of(asked) : add(pool, network, wanted);
                return hold(pool, node, network, client, until);
        }
        node = take_new(pool, subnet);
        return hold(pool, node ? node : take_unused(pool, subnet), network, client,
                    until);
}

struct pool_binding *pool_take(struct pool *pool, ip4_t network, ip4_t address,
                               const struct pool_client *client, nsec_t now,
                               nsec_t until) {
        struct pool_binding *old = pool_at(pool, address);

        if (old && old->state == POOL_BOUND && pool_client_is(old, client))
                return keep(pool, old, until);
        if (!pool_is_free(pool, address, client, now))
                return NULL;
        return hold(pool, old ? node_of(old) : add(pool, network, address), network,
                    client, until);
}

void pool_bind(struct pool *pool, struct pool_binding *binding, nsec_t now,
               nsec_t ends) {
        binding->record.starts = now;
        binding->record.ends = ends;
        binding->was_stored = true;
        set_state(pool, node_of(binding), POOL_BOUND, ends);
}

void pool_release(struct pool *pool, struct pool_binding *binding, nsec_t now) {
        if (binding->state == POOL_BOUND)
                binding->record.ends = now;
        set_state(pool, node_of(binding), POOL_RELEASED, NSEC_NEVER);
}

void pool_decline(struct pool *pool, struct pool_binding *binding, nsec_t now,
                  nsec_t until) {
        binding->record.starts = now;
        binding->record.ends = until;
        binding->was_stored = true;
        set_state(pool, node_of(binding), POOL_DECLINED, until);
}

nsec_t pool_next(const struct pool *pool) {
        return pool->n_heap > 0 ? pool->heap[1]->binding.until : NSEC_NEVER;
}

struct pool_binding *pool_expire(struct pool *pool, nsec_t now,
                                 enum pool_state *ret_was) {
        struct node *node;

        if (pool_next(pool) > now)
                return NULL;
        node = pool->heap[1];
        *ret_was = node->binding.state;
        set_state(pool, node, POOL_EXPIRED, NSEC_NEVER);
        return &node->binding;
}

void pool_each(const struct pool *pool, pool_fn fn, void *userdata) {
        for (size_t i = 0; i < pool->n_buckets; i++)
                LIST_FOR_EACH(pos, &pool->by_address[i])
        fn(&CONTAINER_OF(pos, struct node, by_address)->binding, userdata);
}

size_t pool_n_offered(const struct pool *pool) {
        return pool->n_offered;
}
