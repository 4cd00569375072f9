/*
 * Bindings are found by address in pages of 64, kept in order, and by client in a hash
 * table; they hang in a heap by when they end, and each, by what it is, in a queue of
 * its range: offers to newcomers, addresses offered in vain, addresses given up. A
 * range walks once through its addresses for those without a binding, after that only
 * the queues count, so a full range costs nothing to find full.
 *
 * Offers are counted by card and by port in two small tables of hashes; two that share
 * a place share their limit, which is meant for crowds and not for them.
 */
#include "lease/pool.h"

#include <stdlib.h>

#include "base/list.h"

enum { BUCKETS_FIRST = 64, PAGE = 64, COUNTERS = 16384 };

enum queue {
        QUEUE_OFFERS, /* to clients that the disk does not know there */
        QUEUE_FRESH,  /* never anybody's lease: offered in vain */
        QUEUE_UNUSED, /* given up, the longest unused first */
        N_QUEUES,
};

struct node {
        struct pool_binding binding; /* first: a binding is its node */
        struct list by_client, queue;
        uint32_t heap;  /* place from 1; 0: in no heap */
        uint32_t range; /* index; NO_RANGE */
        uint16_t mac_counter, port_counter;
};

struct page { /* of addresses base to base + 63 */
        ip4_t base;
        struct node *nodes[PAGE];
};

struct range {
        struct pool_range bounds;
        uint64_t next; /* the walk; 64 bits, to pass 255.255.255.255 */
        struct list queues[N_QUEUES];
};

struct pool {
        struct page **pages; /* in the order of their base */
        size_t n_pages, pages_room;
        struct list *by_client;
        size_t n_buckets, n;
        struct node **heap;
        size_t n_heap, heap_room, n_offered;
        struct range *ranges;
        uint32_t *by_address; /* indexes of ranges in the order of `first` */
        size_t n_ranges;
        ip4_t *reserved; /* in order */
        size_t n_reserved;
        uint16_t offers_by_mac[COUNTERS], offers_by_port[COUNTERS];
};

#define NO_RANGE UINT32_MAX

static struct node *node_of(struct pool_binding *binding) {
        return CONTAINER_OF(binding, struct node, binding);
}

/* ---- clients ---- */

static uint64_t mix(uint64_t v) {
        v ^= v >> 33;
        v *= 0xff51afd7ed558ccdull;
        v ^= v >> 33;
        return v;
}

static uint64_t mac_hash(struct mac mac) {
        return mix((uint64_t)load_be32(mac.b) << 16 | load_be16(mac.b + 4));
}

static bool is_mac_id(const struct pool_client *c) {
        return c->n_id == 0 ||
               (c->n_id == 7 && c->id[0] == 1 && memcmp(c->id + 1, c->mac.b, 6) == 0);
}

static uint64_t client_hash(const struct pool_client *c) {
        uint64_t h = 0;

        if (is_mac_id(c))
                return mac_hash(c->mac);
        for (size_t i = 0; i < c->n_id; i++)
                h = mix(h + c->id[i] + 1);
        return h;
}

static struct pool_client client_of(const struct pool_binding *b) {
        return (struct pool_client){ b->mac, b->texts, b->n_client_id, 0 };
}

/* RFC 4361: an identifier is compared as it is, whatever its type says. */
bool pool_client_is(const struct pool_binding *binding,
                    const struct pool_client *client) {
        struct pool_client own = client_of(binding);

        if (is_mac_id(&own) != is_mac_id(client))
                return false;
        if (is_mac_id(client))
                return mac_is_equal(own.mac, client->mac);
        return own.n_id == client->n_id && memcmp(own.id, client->id, own.n_id) == 0;
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
        struct list *old = pool->by_client, *wider = new_buckets(pool->n_buckets * 2);
        size_t n = pool->n_buckets;

        if (!wider)
                return;
        pool->by_client = wider;
        pool->n_buckets = n * 2;
        for (size_t i = 0; i < n; i++)
                LIST_FOR_EACH(pos, &old[i]) {
                        struct node *node = CONTAINER_OF(pos, struct node, by_client);
                        struct pool_client client = client_of(&node->binding);

                        list_remove(&node->by_client);
                        list_append(client_bucket(pool, &client), &node->by_client);
                }
        free(old);
}

/* ---- addresses ---- */

/* The first page whose base is not below this one. */
static size_t page_index(const struct pool *pool, ip4_t base) {
        size_t low = 0, high = pool->n_pages;

        while (low < high) {
                size_t middle = (low + high) / 2;

                if (pool->pages[middle]->base < base)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

static struct page *find_page(const struct pool *pool, ip4_t address) {
        ip4_t base = address & ~(ip4_t)(PAGE - 1);
        size_t at = page_index(pool, base);

        return at < pool->n_pages && pool->pages[at]->base == base ? pool->pages[at]
                                                                   : NULL;
}

static struct page *add_page(struct pool *pool, ip4_t address) {
        ip4_t base = address & ~(ip4_t)(PAGE - 1);
        size_t at = page_index(pool, base);
        struct page *page;

        if (pool->n_pages == pool->pages_room) {
                size_t room = pool->pages_room ? pool->pages_room * 2 : 16;
                struct page **pages = realloc(pool->pages, room * sizeof(*pages));

                if (!pages)
                        return NULL;
                pool->pages = pages;
                pool->pages_room = room;
        }
        page = calloc(1, sizeof(*page));
        if (!page)
                return NULL;
        page->base = base;
        memmove(pool->pages + at + 1, pool->pages + at,
                (pool->n_pages - at) * sizeof(struct page *));
        pool->pages[at] = page;
        pool->n_pages++;
        return page;
}

struct pool_binding *pool_at(struct pool *pool, ip4_t address) {
        struct page *page = find_page(pool, address);
        struct node *node = page ? page->nodes[address % PAGE] : NULL;

        return node ? &node->binding : NULL;
}

/* The range that holds it, reserved or not. */
static uint32_t range_at(const struct pool *pool, ip4_t address) {
        size_t low = 0, high = pool->n_ranges;

        while (low < high) {
                size_t middle = (low + high) / 2;

                if (pool->ranges[pool->by_address[middle]].bounds.last < address)
                        low = middle + 1;
                else
                        high = middle;
        }
        if (low < pool->n_ranges &&
            pool->ranges[pool->by_address[low]].bounds.first <= address)
                return pool->by_address[low];
        return NO_RANGE;
}

static bool is_reserved(const struct pool *pool, ip4_t address) {
        size_t low = 0, high = pool->n_reserved;

        while (low < high) {
                size_t middle = (low + high) / 2;

                if (pool->reserved[middle] < address)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low < pool->n_reserved && pool->reserved[low] == address;
}

size_t pool_range_of(const struct pool *pool, ip4_t address) {
        uint32_t range = range_at(pool, address);

        return range == NO_RANGE || is_reserved(pool, address) ? SIZE_MAX : range;
}

/* ---- the heap ---- */

static void heap_put(struct pool *pool, size_t at, struct node *node) {
        pool->heap[at] = node;
        node->heap = (uint32_t)at;
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

/* ---- the pool ---- */

int pool_new(struct pool **ret) {
        struct pool *pool = calloc(1, sizeof(*pool));

        if (!pool)
                return -ENOMEM;
        pool->n_buckets = BUCKETS_FIRST;
        pool->by_client = new_buckets(BUCKETS_FIRST);
        if (!pool->by_client) {
                free(pool);
                return -ENOMEM;
        }
        *ret = pool;
        return 0;
}

struct pool *pool_free(struct pool *pool) {
        if (!pool)
                return NULL;
        for (size_t i = 0; i < pool->n_pages; i++) {
                for (size_t j = 0; j < PAGE; j++) {
                        if (pool->pages[i]->nodes[j])
                                free(pool->pages[i]->nodes[j]->binding.texts);
                        free(pool->pages[i]->nodes[j]);
                }
                free(pool->pages[i]);
        }
        free(pool->pages);
        free(pool->by_client);
        free(pool->heap);
        free(pool->ranges);
        free(pool->by_address);
        free(pool->reserved);
        free(pool);
        return NULL;
}

/* Into the queue that its state asks for. */
static void enqueue(struct pool *pool, struct node *node) {
        const struct pool_binding *b = &node->binding;
        enum queue queue;

        list_remove(&node->queue);
        if (node->range == NO_RANGE)
                return;
        if (b->state == POOL_OFFERED && !b->was_stored)
                queue = QUEUE_OFFERS;
        else if (b->state != POOL_RELEASED && b->state != POOL_EXPIRED)
                return;
        else
                queue = b->was_stored ? QUEUE_UNUSED : QUEUE_FRESH;
        list_append(&pool->ranges[node->range].queues[queue], &node->queue);
}

/* Those that hang in a queue come first and in its order, so that who waited longest
 * does so after a reload too. */
static void enqueue_all(struct pool *pool, struct range *old, size_t n_old) {
        for (size_t i = 0; i < n_old; i++)
                for (size_t j = 0; j < N_QUEUES; j++)
                        LIST_FOR_EACH(pos, &old[i].queues[j]) {
                                struct node *node =
                                        CONTAINER_OF(pos, struct node, queue);

                                list_remove(pos);
                                node->range = range_at(pool, node->binding.address);
                                enqueue(pool, node);
                        }
        for (size_t i = 0; i < pool->n_pages; i++)
                for (size_t j = 0; j < PAGE; j++) {
                        struct node *node = pool->pages[i]->nodes[j];

                        if (!node || !list_is_empty(&node->queue))
                                continue;
                        node->range = range_at(pool, node->binding.address);
                        enqueue(pool, node);
                }
}

static int compare_addresses(const void *a, const void *b) {
        const ip4_t *x = a, *y = b;

        return (*x > *y) - (*x < *y);
}

/* `first` above, the index below, in one number each: qsort() passes no context. */
static int compare_keys(const void *a, const void *b) {
        const uint64_t *x = a, *y = b;

        return (*x > *y) - (*x < *y);
}

static int sort_ranges(const struct pool_range *ranges, size_t n, uint32_t *ret) {
        uint64_t *keys = calloc(n + 1, sizeof(*keys));

        if (!keys)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                keys[i] = (uint64_t)ranges[i].first << 32 | i;
        qsort(keys, n, sizeof(*keys), compare_keys);
        for (size_t i = 0; i < n; i++)
                ret[i] = (uint32_t)keys[i];
        free(keys);
        return 0;
}

int pool_configure(struct pool *pool, const struct pool_range *ranges, size_t n_ranges,
                   const ip4_t *reserved, size_t n_reserved) {
        struct range *copies = calloc(n_ranges + 1, sizeof(*copies)), *old;
        uint32_t *order = calloc(n_ranges + 1, sizeof(*order));
        ip4_t *kept = calloc(n_reserved + 1, sizeof(*kept));
        size_t n_old = pool->n_ranges;

        if (!copies || !order || !kept || sort_ranges(ranges, n_ranges, order) < 0) {
                free(copies);
                free(order);
                free(kept);
                return -ENOMEM;
        }
        for (size_t i = 0; i < n_ranges; i++) {
                copies[i].bounds = ranges[i];
                copies[i].next = ranges[i].first;
                for (size_t j = 0; j < N_QUEUES; j++)
                        list_init(&copies[i].queues[j]);
        }
        if (n_reserved > 0)
                memcpy(kept, reserved, n_reserved * sizeof(*kept));
        qsort(kept, n_reserved, sizeof(*kept), compare_addresses);
        free(pool->by_address);
        free(pool->reserved);
        old = pool->ranges;
        pool->ranges = copies;
        pool->by_address = order;
        pool->n_ranges = n_ranges;
        pool->reserved = kept;
        pool->n_reserved = n_reserved;
        enqueue_all(pool, old, n_old);
        free(old);
        return 0;
}

/* ---- bindings ---- */

static struct node *add(struct pool *pool, ip4_t subnet, ip4_t address) {
        struct page *page = find_page(pool, address);
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
        if (!page)
                page = add_page(pool, address);
        node = page ? calloc(1, sizeof(*node)) : NULL;
        if (!node)
                return NULL;
        list_init(&node->by_client);
        list_init(&node->queue);
        node->range = range_at(pool, address);
        node->binding = (struct pool_binding){ .address = address,
                                               .subnet = subnet,
                                               .state = POOL_EXPIRED,
                                               .stored = LEASE_EXPIRED,
                                               .until = NSEC_NEVER };
        page->nodes[address % PAGE] = node;
        pool->n++;
        return node;
}

static void count_offer(struct pool *pool, struct node *node, int by) {
        uint16_t *mac = &pool->offers_by_mac[node->mac_counter];
        uint16_t *port = &pool->offers_by_port[node->port_counter];

        pool->n_offered = (size_t)((int64_t)pool->n_offered + by);
        *mac = (uint16_t)(*mac + by);
        if (node->port_counter)
                *port = (uint16_t)(*port + by);
}

/* An offer, and one that came to nothing, leave alone what the disk knows. */
static void set_state(struct pool *pool, struct node *node, enum pool_state state,
                      nsec_t until) {
        static const uint8_t kept[] = {
                [POOL_OFFERED] = LEASE_EXPIRED,   [POOL_BOUND] = LEASE_BOUND,
                [POOL_RELEASED] = LEASE_RELEASED, [POOL_DECLINED] = LEASE_DECLINED,
                [POOL_EXPIRED] = LEASE_EXPIRED,
        };
        struct pool_binding *b = &node->binding;
        bool is_withdrawn = b->state == POOL_OFFERED &&
                            (state == POOL_RELEASED || state == POOL_EXPIRED);

        if (b->state == POOL_OFFERED)
                count_offer(pool, node, -1);
        if (state == POOL_OFFERED)
                count_offer(pool, node, 1);
        b->state = (uint8_t)state;
        if (state != POOL_OFFERED) {
                b->is_held = false;
                b->was_probed &= state == POOL_BOUND || is_withdrawn;
                if (!is_withdrawn)
                        b->stored = kept[state];
        }
        enqueue(pool, node);
        heap_set(pool, node, until);
}

/* Client identifier and name in one piece; false without memory. */
static bool set_texts(struct pool_binding *b, const uint8_t *id, size_t n_id,
                      const char *name) {
        size_t n_name = min_size(strlen(name), LEASE_HOSTNAME_MAX - 1);
        uint8_t *texts = n_id + n_name ? malloc(n_id + n_name) : NULL;

        if (n_id + n_name && !texts)
                return false;
        if (n_id)
                memcpy(texts, id, n_id);
        if (n_name)
                memcpy(texts + n_id, name, n_name);
        free(b->texts);
        b->texts = texts;
        b->n_client_id = (uint8_t)n_id;
        b->n_hostname = (uint8_t)n_name;
        return true;
}

static bool set_client(struct pool *pool, struct node *node,
                       const struct pool_client *client) {
        struct pool_binding *b = &node->binding;

        if (!set_texts(b, client->id, client->n_id, ""))
                return false;
        list_remove(&node->by_client);
        b->mac = client->mac;
        b->was_probed = false;
        list_append(client_bucket(pool, client), &node->by_client);
        return true;
}

int pool_load(struct pool *pool, const struct lease_record *record) {
        static const enum pool_state states[] = {
                [LEASE_BOUND] = POOL_BOUND,
                [LEASE_RELEASED] = POOL_RELEASED,
                [LEASE_DECLINED] = POOL_DECLINED,
                [LEASE_EXPIRED] = POOL_EXPIRED,
        };
        struct pool_client client = { record->mac, record->client_id,
                                      record->n_client_id, 0 };
        struct pool_binding *old = pool_at(pool, record->address);
        struct node *node =
                old ? node_of(old) : add(pool, record->subnet, record->address);

        if (!node || !set_client(pool, node, &client) ||
            !set_texts(&node->binding, record->client_id, record->n_client_id,
                       record->hostname))
                return -ENOMEM;
        node->binding.subnet = record->subnet;
        node->binding.starts = record->starts;
        node->binding.ends = record->ends;
        node->binding.was_stored = true;
        node->binding.was_probed = record->state == LEASE_BOUND;
        set_state(pool, node, states[record->state],
                  record->state == LEASE_BOUND || record->state == LEASE_DECLINED
                          ? record->ends
                          : NSEC_NEVER);
        return 0;
}

void pool_record(const struct pool_binding *b, struct lease_record *ret) {
        *ret = (struct lease_record){ .address = b->address,
                                      .state = (enum lease_state)b->stored,
                                      .mac = b->mac,
                                      .n_client_id = b->n_client_id,
                                      .starts = b->starts,
                                      .ends = b->ends,
                                      .subnet = b->subnet };
        if (b->n_client_id)
                memcpy(ret->client_id, b->texts, b->n_client_id);
        if (b->n_hostname)
                memcpy(ret->hostname, b->texts + b->n_client_id, b->n_hostname);
}

void pool_name(struct pool *pool, struct pool_binding *binding, struct mac mac,
               const char *hostname) {
        struct node *node = node_of(binding);
        struct pool_client client;

        if (!mac_is_equal(binding->mac, mac)) {
                binding->mac = mac;
                client = client_of(binding);
                list_remove(&node->by_client);
                list_append(client_bucket(pool, &client), &node->by_client);
        }
        if (strlen(hostname) == binding->n_hostname &&
            (binding->n_hostname == 0 ||
             memcmp(hostname, binding->texts + binding->n_client_id,
                    binding->n_hostname) == 0))
                return;
        (void)set_texts(binding, binding->texts, binding->n_client_id, hostname);
}

/* A name from the wire, compared as it would be kept. */
bool pool_is_named(const struct pool_binding *binding, struct span hostname) {
        size_t n = min_size(hostname.n, LEASE_HOSTNAME_MAX - 1);

        n = n > 0 ? strnlen((const char *)hostname.data, n) : 0;
        return n == binding->n_hostname &&
               (n == 0 ||
                memcmp(hostname.data, binding->texts + binding->n_client_id, n) == 0);
}

/* ---- giving ---- */

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

static bool has_range(const struct pool_request *request, size_t range) {
        for (size_t i = 0; i < request->n_ranges; i++)
                if (request->ranges[i] == range)
                        return true;
        return false;
}

static bool may_give(const struct pool *pool, const struct pool_request *request,
                     ip4_t address) {
        size_t range = pool_range_of(pool, address);

        return range != SIZE_MAX && has_range(request, range);
}

struct pool_binding *pool_find(struct pool *pool, const struct pool_request *request) {
        struct pool_binding *found = NULL;

        LIST_FOR_EACH(pos, client_bucket(pool, request->client)) {
                struct pool_binding *b =
                        &CONTAINER_OF(pos, struct node, by_client)->binding;

                if (b->state == POOL_DECLINED || !pool_client_is(b, request->client) ||
                    !may_give(pool, request, b->address))
                        continue;
                /* A client may have given one address up and have another; of two that
                 * it gave up the disk knows the one that counts. */
                if (!found || b->state < found->state ||
                    (b->state == found->state && b->was_stored && !found->was_stored))
                        found = b;
        }
        return found;
}

/* An address that never had a binding. */
static struct node *take_new(struct pool *pool, struct range *range) {
        while (range->next <= range->bounds.last) {
                ip4_t address = (ip4_t)range->next++;

                if (!pool_at(pool, address) && !is_reserved(pool, address))
                        return add(pool, range->bounds.subnet, address);
        }
        return NULL;
}

static struct node *take_first(struct pool *pool, struct range *range,
                               enum queue queue) {
        LIST_FOR_EACH(pos, &range->queues[queue]) {
                struct node *node = CONTAINER_OF(pos, struct node, queue);

                if (!is_reserved(pool, node->binding.address))
                        return node;
        }
        return NULL;
}

/* The first free one in any of the ranges by one way of looking before the next way. */
static struct node *take_any(struct pool *pool, const struct pool_request *request) {
        struct node *node = NULL, *other;
        bool is_full = request->is_crowded;

        for (size_t i = 0; i < request->n_ranges && !node && !is_full; i++) {
                struct range *range = &pool->ranges[request->ranges[i]];

                node = take_first(pool, range, QUEUE_FRESH);
                if (!node)
                        node = take_new(pool, range);
        }
        for (size_t i = 0; i < request->n_ranges && !node && !is_full; i++)
                node = take_first(pool, &pool->ranges[request->ranges[i]],
                                  QUEUE_UNUSED);
        for (size_t i = 0; i < request->n_ranges && !node; i++) {
                other = take_first(pool, &pool->ranges[request->ranges[i]],
                                   QUEUE_OFFERS);
                if (other && other->binding.until < request->lapse)
                        node = other;
        }
        return node;
}

static struct pool_binding *hold(struct pool *pool, struct node *node,
                                 const struct pool_client *client, nsec_t until) {
        struct pool_binding *b = node ? &node->binding : NULL;
        bool is_own, is_held;

        if (!node)
                return NULL;
        is_own = pool_client_is(b, client) && !list_is_empty(&node->by_client);
        if (!is_own) {
                if (!set_client(pool, node, client))
                        return NULL;
                b->starts = b->ends = 0;
                b->stored = LEASE_EXPIRED;
                b->was_stored = false;
        }
        is_held = b->is_held && b->state == POOL_OFFERED && is_own;
        if (b->state == POOL_OFFERED) /* from whoever had it, with its counters */
                set_state(pool, node, POOL_EXPIRED, NSEC_NEVER);
        node->mac_counter = (uint16_t)(mac_hash(client->mac) % COUNTERS);
        node->port_counter =
                client->port ? (uint16_t)(1 + mix(client->port) % (COUNTERS - 1)) : 0;
        set_state(pool, node, POOL_OFFERED, until);
        b->is_held = is_held;
        return b;
}

/* Offered what it is bound to, a client stays bound: the offer may come to nothing. A
 * lease that would end before its offer does is held as long as that. */
static struct pool_binding *keep(struct pool *pool, struct pool_binding *own,
                                 nsec_t until) {
        if (own->until < until)
                heap_set(pool, node_of(own), until);
        return own;
}

struct pool_binding *pool_offer(struct pool *pool, const struct pool_request *request) {
        struct pool_binding *own = pool_find(pool, request), *asked;
        ip4_t wanted = request->wanted;
        struct node *node;

        if (own && own->state == POOL_BOUND)
                return keep(pool, own, request->until);
        if (own)
                return hold(pool, node_of(own), request->client, request->until);
        if (wanted && !request->is_crowded && may_give(pool, request, wanted) &&
            pool_is_free(pool, wanted, request->client, request->now)) {
                asked = pool_at(pool, wanted);
                node = asked ? node_of(asked)
                             : add(pool,
                                   pool->ranges[range_at(pool, wanted)].bounds.subnet,
                                   wanted);
                return hold(pool, node, request->client, request->until);
        }
        return hold(pool, take_any(pool, request), request->client, request->until);
}

struct pool_binding *pool_take(struct pool *pool, ip4_t subnet, ip4_t address,
                               const struct pool_client *client, nsec_t now,
                               nsec_t until) {
        struct pool_binding *old = pool_at(pool, address);

        if (old && old->state == POOL_BOUND && pool_client_is(old, client))
                return keep(pool, old, until);
        if (!pool_is_free(pool, address, client, now))
                return NULL;
        if (old)
                old->subnet = subnet;
        return hold(pool, old ? node_of(old) : add(pool, subnet, address), client,
                    until);
}

void pool_bind(struct pool *pool, struct pool_binding *binding, nsec_t now,
               nsec_t ends) {
        binding->starts = now;
        binding->ends = ends;
        binding->was_stored = true;
        set_state(pool, node_of(binding), POOL_BOUND, ends);
}

void pool_release(struct pool *pool, struct pool_binding *binding, nsec_t now) {
        if (binding->state == POOL_BOUND)
                binding->ends = now;
        set_state(pool, node_of(binding), POOL_RELEASED, NSEC_NEVER);
}

void pool_decline(struct pool *pool, struct pool_binding *binding, nsec_t now,
                  nsec_t until) {
        binding->starts = now;
        binding->ends = until;
        binding->was_stored = true;
        set_state(pool, node_of(binding), POOL_DECLINED, until);
}

/* ---- time ---- */

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

/* ---- listing ---- */

void pool_each(const struct pool *pool, pool_fn fn, void *userdata) {
        for (size_t i = 0; i < pool->n_pages; i++)
                for (size_t j = 0; j < PAGE; j++)
                        if (pool->pages[i]->nodes[j])
                                fn(&pool->pages[i]->nodes[j]->binding, userdata);
}

size_t pool_page(const struct pool *pool, ip4_t after, size_t n, pool_fn fn,
                 void *userdata) {
        size_t found = 0;

        for (size_t i = page_index(pool, after & ~(ip4_t)(PAGE - 1));
             i < pool->n_pages && found < n; i++)
                for (size_t j = 0; j < PAGE && found < n; j++) {
                        const struct node *node = pool->pages[i]->nodes[j];

                        if (!node || node->binding.address <= after ||
                            !node->binding.was_stored)
                                continue;
                        fn(&node->binding, userdata);
                        found++;
                }
        return found;
}

size_t pool_n_offered(const struct pool *pool) {
        return pool->n_offered;
}

size_t pool_n_offered_to(const struct pool *pool, const struct pool_client *client) {
        return pool->offers_by_mac[mac_hash(client->mac) % COUNTERS];
}

size_t pool_n_offered_at(const struct pool *pool, const struct pool_client *client) {
        return client->port
                       ? pool->offers_by_port[1 + mix(client->port) % (COUNTERS - 1)]
                       : 0;
}
