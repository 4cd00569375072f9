/*
 * The configuration by the keys it is looked up by: subnets by network and by wire,
 * hosts by what identifies them and by their address. Sorted once, asked by halving.
 *
 * A wire is what subnets share that one client can be given an address of: those with
 * one shared-network name, those of one interface, and those that either chains
 * together.
 */
#include <stdlib.h>

#include "proto/dhcp4_internal.h"

/* ---- wires ---- */

static uint32_t root_of(uint32_t *parents, uint32_t i) {
        while (parents[i] != i)
                i = parents[i] = parents[parents[i]];
        return i;
}

static bool is_named(const char *name) {
        return name && name[0];
}

static bool is_on(const struct scope_subnet *s, const struct dhcp4_interface *i) {
        return (i->address & s->mask) == s->network ||
               (is_named(s->interface) && strcmp(s->interface, i->name) == 0);
}

/* Joins every subnet with the first one of the same name, and of the same interface. */
static void find_wires(const struct dhcp4_config *config, uint32_t *parents) {
        const struct scope_subnet *s = config->subnets;

        for (uint32_t i = 0; i < config->n_subnets; i++)
                parents[i] = i;
        for (uint32_t i = 0; i < config->n_subnets; i++)
                for (uint32_t j = 0; j < i && is_named(s[i].shared_network); j++)
                        if (is_named(s[j].shared_network) &&
                            strcmp(s[i].shared_network, s[j].shared_network) == 0) {
                                parents[root_of(parents, i)] = root_of(parents, j);
                                break;
                        }
        for (size_t k = 0; k < config->n_interfaces; k++) {
                uint32_t first = UINT32_MAX;

                for (size_t l = 0; l < config->n_interfaces; l++)
                        for (uint32_t i = 0; i < config->n_subnets; i++) {
                                if (config->interfaces[l].ifindex !=
                                            config->interfaces[k].ifindex ||
                                    !is_on(&s[i], &config->interfaces[l]))
                                        continue;
                                if (first == UINT32_MAX)
                                        first = i;
                                parents[root_of(parents, i)] = root_of(parents, first);
                        }
        }
}

/* A number above, an index below: qsort() passes no context. */
static int compare_keys(const void *a, const void *b) {
        const uint64_t *x = a, *y = b;

        return (*x > *y) - (*x < *y);
}

static int place_sites(struct sites *sites, const struct dhcp4_config *config) {
        size_t n = config->n_subnets, range = 0;
        uint32_t *parents = calloc(n + 1, sizeof(*parents));
        uint64_t *keys = calloc(n + 1, sizeof(*keys));

        if (!parents || !keys) {
                free(parents);
                free(keys);
                return -ENOMEM;
        }
        find_wires(config, parents);
        for (uint32_t i = 0; i < n; i++)
                keys[i] = (uint64_t)root_of(parents, i) << 32 | i;
        qsort(keys, n, sizeof(*keys), compare_keys);
        for (size_t i = 0; i < n; i++) {
                const struct scope_subnet *subnet = &config->subnets[(uint32_t)keys[i]];

                sites->sites[i] =
                        (struct site){ subnet, (uint32_t)(keys[i] >> 32), range };
                for (size_t j = 0; j < subnet->n_pools; j++)
                        sites->pools[range++] = &subnet->pools[j];
        }
        for (size_t i = 0; i < n; i++)
                keys[i] = (uint64_t)sites->sites[i].subnet->network << 32 | i;
        qsort(keys, n, sizeof(*keys), compare_keys);
        for (size_t i = 0; i < n; i++)
                sites->by_network[i] = (uint32_t)keys[i];
        sites->n_sites = n;
        sites->n_ranges = range;
        free(parents);
        free(keys);
        return 0;
}

/* ---- hosts ---- */

static uint64_t hash_of(enum host_by by, struct span id) {
        uint64_t h = 0xcbf29ce484222325ull ^ by; /* FNV-1a */

        for (size_t i = 0; i < id.n; i++)
                h = (h ^ id.data[i]) * 0x100000001b3ull;
        return h;
}

static void add_key(struct sites *sites, enum host_by by, struct span id,
                    uint32_t host) {
        if (id.n > 0)
                sites->keys[sites->n_keys++] =
                        (struct host_key){ hash_of(by, id), host };
}

static int compare_host_keys(const void *a, const void *b) {
        const struct host_key *x = a, *y = b;

        if (x->hash != y->hash)
                return x->hash < y->hash ? -1 : 1;
        return (x->host > y->host) - (x->host < y->host);
}

static int compare_host_addresses(const void *a, const void *b) {
        const struct host_address *x = a, *y = b;

        if (x->address != y->address)
                return x->address < y->address ? -1 : 1;
        return (x->host > y->host) - (x->host < y->host);
}

static void place_hosts(struct sites *sites, const struct dhcp4_config *config) {
        for (uint32_t i = 0; i < config->n_hosts; i++) {
                const struct scope_host *h = &config->hosts[i];

                add_key(sites, HOST_BY_CLIENT_ID, h->client_id, i);
                add_key(sites, HOST_BY_CIRCUIT, h->circuit_id, i);
                if (h->has_uuid)
                        add_key(sites, HOST_BY_UUID, (struct span){ h->uuid.b, 16 }, i);
                if (!mac_is_zero(h->mac))
                        add_key(sites, HOST_BY_MAC, (struct span){ h->mac.b, 6 }, i);
                if (h->address)
                        sites->addresses[sites->n_addresses++] =
                                (struct host_address){ h->address, i };
        }
        qsort(sites->keys, sites->n_keys, sizeof(*sites->keys), compare_host_keys);
        qsort(sites->addresses, sites->n_addresses, sizeof(*sites->addresses),
              compare_host_addresses);
}

/* ---- all of it ---- */

static int configure_pool(const struct sites *sites, struct pool *pool,
                          const struct dhcp4_config *config) {
        struct pool_range *ranges = calloc(sites->n_ranges + 1, sizeof(*ranges));
        ip4_t *reserved =
                calloc(config->n_hosts + config->n_interfaces + 1, sizeof(*reserved));
        size_t n = 0, n_ranges = 0;
        int r = -ENOMEM;

        for (size_t i = 0; ranges && i < sites->n_sites; i++)
                for (size_t j = 0; j < sites->sites[i].subnet->n_pools; j++) {
                        const struct scope_subnet *s = sites->sites[i].subnet;

                        ranges[n_ranges++] =
                                (struct pool_range){ s->pools[j].first,
                                                     s->pools[j].last, s->network };
                }
        /* Hosts' addresses are theirs; ours are ours, even inside a pool. */
        for (size_t i = 0; reserved && i < sites->n_addresses; i++)
                reserved[n++] = sites->addresses[i].address;
        for (size_t i = 0; reserved && i < config->n_interfaces; i++)
                reserved[n++] = config->interfaces[i].address;
        if (ranges && reserved)
                r = pool_configure(pool, ranges, n_ranges, reserved, n);
        free(ranges);
        free(reserved);
        return r;
}

int sites_configure(struct sites *sites, struct pool *pool,
                    const struct dhcp4_config *config) {
        struct sites made = { 0 };
        size_t n_ranges = 0;
        int r = -ENOMEM;

        for (size_t i = 0; i < config->n_subnets; i++)
                n_ranges += config->subnets[i].n_pools;
        made.sites = calloc(config->n_subnets + 1, sizeof(*made.sites));
        made.by_network = calloc(config->n_subnets + 1, sizeof(*made.by_network));
        made.pools = calloc(n_ranges + 1, sizeof(const struct scope_pool *));
        made.allowed = calloc(n_ranges + 1, sizeof(*made.allowed));
        made.keys = calloc(config->n_hosts * 4 + 1, sizeof(*made.keys));
        made.addresses = calloc(config->n_hosts + 1, sizeof(*made.addresses));
        if (made.sites && made.by_network && made.pools && made.allowed && made.keys &&
            made.addresses)
                r = place_sites(&made, config);
        if (r == 0) {
                place_hosts(&made, config);
                r = configure_pool(&made, pool, config);
        }
        if (r < 0) {
                sites_done(&made);
                return r;
        }
        sites_done(sites);
        *sites = made;
        return 0;
}

void sites_done(struct sites *sites) {
        free(sites->sites);
        free(sites->by_network);
        free(sites->pools);
        free(sites->allowed);
        free(sites->keys);
        free(sites->addresses);
        *sites = (struct sites){ 0 };
}

/* ---- asking ---- */

int sites_at(const struct sites *sites, ip4_t address) {
        size_t low = 0, high = sites->n_sites;
        const struct scope_subnet *subnet;

        while (low < high) {
                size_t middle = (low + high) / 2;

                if (sites->sites[sites->by_network[middle]].subnet->network <= address)
                        low = middle + 1;
                else
                        high = middle;
        }
        if (low == 0)
                return SITE_NONE;
        subnet = sites->sites[sites->by_network[low - 1]].subnet;
        return (address & subnet->mask) == subnet->network
                       ? (int)sites->by_network[low - 1]
                       : SITE_NONE;
}

int sites_behind(const struct sites *sites, ip4_t relay) {
        for (size_t i = 0; i < sites->n_sites; i++) {
                const struct scope_networks *relays = &sites->sites[i].subnet->relays;

                for (size_t j = 0; j < relays->n; j++)
                        if ((relay & relays->items[j].mask) == relays->items[j].network)
                                return (int)i;
        }
        return SITE_NONE;
}

uint32_t sites_reserved(const struct sites *sites, ip4_t address) {
        size_t low = 0, high = sites->n_addresses;

        while (low < high) {
                size_t middle = (low + high) / 2;

                if (sites->addresses[middle].address < address)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low < sites->n_addresses && sites->addresses[low].address == address
                       ? sites->addresses[low].host
                       : UINT32_MAX;
}

bool sites_next_host(const struct sites *sites, enum host_by by, struct span id,
                     size_t *at, uint32_t *ret) {
        uint64_t hash = hash_of(by, id);
        size_t low = 0, high = sites->n_keys;

        if (*at == 0) {
                while (low < high) {
                        size_t middle = (low + high) / 2;

                        if (sites->keys[middle].hash < hash)
                                low = middle + 1;
                        else
                                high = middle;
                }
                *at = low;
        }
        if (*at >= sites->n_keys || sites->keys[*at].hash != hash)
                return false;
        *ret = sites->keys[(*at)++].host;
        return true;
}
