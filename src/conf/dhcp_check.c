/*
 * What no single value of `dhcp:` can show: times that contradict each other, pools
 * outside of their subnet, what overlaps, names that nobody has, entries that can never
 * be used.
 *
 * An error is what cannot be meant. A warning is what works, but hardly as meant; the
 * server has a rule for it. A site has thousands of hosts, so everything that compares
 * one entry with all others sorts first.
 */
#include <stdlib.h>

#include "conf/internal.h"

/* Where a thing of the file stands and what it is called there. */
struct named {
        const char *name;
        const struct doc_node *node;
};

/* Memory for the length of a check; NULL is remembered. */
static void *scratch(struct parser *p, size_t n, size_t size) {
        void *made = calloc(n + 1, size);

        if (!made)
                p->is_out_of_memory = true;
        return made;
}

static const struct doc_node *item_of(const struct doc_node *list, size_t i) {
        return list && i < list_count(list) ? list_item(list, i) : NULL;
}

/* ---- times ---- */

/* Of two times of one map, when both are said: the first may not be the longer one. */
static bool is_in_order(struct parser *p, const struct doc_node *node,
                        const char *shorter, nsec_t a, const char *longer, nsec_t b,
                        bool may_be_equal) {
        if (!doc_get(node, shorter) || !doc_get(node, longer) || !a || !b || a < b ||
            (may_be_equal && a == b))
                return true;
        problem(p, doc_get(node, shorter), shorter,
                may_be_equal ? " is longer than " : " must be shorter than ", longer,
                NULL);
        return false;
}

/* What one scope says must fit together; what it leaves out comes from the scopes
 * around it. */
static void check_times(struct parser *p, const struct doc_node *node,
                        const struct scope *s) {
        static const char least[] = "min-lease-time", usual[] = "lease-time",
                          most[] = "max-lease-time", t1[] = "renewal-time",
                          t2[] = "rebinding-time";

        if (is_in_order(p, node, least, s->min_lease_time, usual, s->lease_time,
                        true) &&
            is_in_order(p, node, usual, s->lease_time, most, s->max_lease_time, true))
                (void)is_in_order(p, node, least, s->min_lease_time, most,
                                  s->max_lease_time, true);
        if (is_in_order(p, node, t1, s->renewal_time, t2, s->rebinding_time, false) &&
            is_in_order(p, node, t2, s->rebinding_time, usual, s->lease_time, false))
                (void)is_in_order(p, node, t1, s->renewal_time, usual, s->lease_time,
                                  false);
}

/* Of lease-time and its maximum that one gives way which nobody wrote. */
static void settle_global_times(const struct doc_node *dhcp, struct scope *scope) {
        if (scope->lease_time <= scope->max_lease_time)
                return;
        if (!doc_get(dhcp, "max-lease-time"))
                scope->max_lease_time = scope->lease_time;
        else if (!doc_get(dhcp, "lease-time"))
                scope->lease_time = scope->max_lease_time;
}

/* ---- what overlaps ---- */

struct stretch { /* of addresses */
        ip4_t first, last;
        struct named where;
        size_t at; /* in the file */
};

static int compare_stretches(const void *a, const void *b) {
        const struct stretch *x = a, *y = b;

        if (x->first != y->first)
                return x->first < y->first ? -1 : 1;
        return x->at < y->at ? -1 : x->at > y->at;
}

/* Sorts them. Each that begins inside of one before it is told of, at the one of the
 * two that stands further down. */
static void check_overlaps(struct parser *p, struct stretch *all, size_t n,
                           const char *what) {
        const struct stretch *widest = all;

        if (n == 0)
                return;
        qsort(all, n, sizeof(*all), compare_stretches);
        for (const struct stretch *s = all + 1; s < all + n; s++) {
                if (s->first <= widest->last) {
                        const struct stretch *later = s->at > widest->at ? s : widest;
                        const struct stretch *earlier = later == s ? widest : s;

                        problem(p, later->where.node, "the ", what, " ",
                                later->where.name, " overlaps with ",
                                earlier->where.name, NULL);
                }
                if (s->last > widest->last)
                        widest = s;
        }
}

static void check_bounds(struct parser *p, const struct doc_node *node,
                         const struct scope_subnet *subnet,
                         const struct scope_pool *pool) {
        ip4_t end = subnet->network | ~subnet->mask;
        bool is_outside = pool->first < subnet->network || pool->last > end;
        char a[IP4_TEXT_MAX], b[IP4_TEXT_MAX], c[IP4_TEXT_MAX], d[IP4_TEXT_MAX];

        (void)ip4_format(pool->first, a);
        (void)ip4_format(pool->last, b);
        if (is_outside)
                problem(p, node, "the pool ", a, "-", b,
                        " is not inside its subnet, which is ",
                        ip4_format(subnet->network, c), " to ", ip4_format(end, d),
                        NULL);
        else if (subnet->mask < 0xfffffffeu &&
                 (pool->first == subnet->network || pool->last == end))
                problem(p, node, "the pool ", a, "-", b,
                        " holds the network's own address or its broadcast address; it "
                        "can be ",
                        ip4_format(subnet->network + 1, c), "-", ip4_format(end - 1, d),
                        " at the most", NULL);
}

static void check_pools(struct parser *p, const struct doc_node *pools,
                        const struct scope_subnet *subnet) {
        size_t n = subnet->n_pools;
        struct stretch *all = scratch(p, n, sizeof(*all));

        /* Otherwise one of them was refused already. */
        for (size_t i = 0; all && list_count(pools) == n && i < n; i++) {
                const struct scope_pool *pool = &subnet->pools[i];
                const struct doc_node *node = list_item(pools, i);

                if (node->kind == DOC_MAP)
                        node = doc_get(node, "range");
                if (subnet->mask)
                        check_bounds(p, node, subnet, pool);
                all[i] = (struct stretch){
                        pool->first, pool->last, { node->text, node }, i
                };
        }
        if (all && list_count(pools) == n)
                check_overlaps(p, all, n, "pool");
        free(all);
}

/* ---- single entries ---- */

void check_subnet(struct parser *p, const struct doc_node *node, void *item) {
        const struct scope_subnet *subnet = item;

        if (!doc_get(node, "subnet"))
                problem(p, node,
                        "a subnet needs the key 'subnet', such as 192.168.1.0/24",
                        NULL);
        check_pools(p, doc_get(node, "pools"), subnet);
        check_times(p, node, &subnet->scope);
}

void check_class(struct parser *p, const struct doc_node *node, void *item) {
        const struct scope_class *class = item;

        if (!class->name || !class->name[0])
                problem(p, node, "a class needs the key 'name'", NULL);
        if (!doc_get(node, "match"))
                problem(p, node,
                        "a class needs the key 'match', which says whom it means, such "
                        "as {arch: x64}",
                        NULL);
        check_times(p, node, &class->scope);
}

void check_host(struct parser *p, const struct doc_node *node, void *item) {
        static const char *const identifiers[] = { "mac", "client-id", "uuid",
                                                   "circuit-id" };
        const struct scope_host *host = item;
        size_t n = 0;

        for (size_t i = 0; i < ARRAY_SIZE(identifiers); i++)
                n += doc_get(node, identifiers[i]) != NULL;
        if (n == 0)
                problem(p, node,
                        "a host needs the key 'mac', or else client-id, uuid or "
                        "circuit-id",
                        NULL);
        if (n == (node->kind == DOC_MAP ? node->n : 0))
                problem(p, node,
                        "a host needs something that is said to it: an address, a "
                        "hostname, options, a filename, or ignore: true",
                        NULL);
        check_times(p, node, &host->scope);
}

/* ---- subnets among each other ---- */

static void check_subnets(struct parser *p, const struct doc_node *nodes,
                          const struct conf *conf) {
        size_t n_all = conf->dhcp.n_subnets, n = 0;
        struct stretch *all = scratch(p, n_all, sizeof(*all));

        for (size_t i = 0; all && i < n_all; i++) {
                const struct scope_subnet *s = &conf->dhcp.subnets[i];
                const struct doc_node *node = doc_get(item_of(nodes, i), "subnet");

                if (s->mask && node)
                        all[n++] = (struct stretch){ s->network,
                                                     s->network | ~s->mask,
                                                     { node->text, node },
                                                     i };
        }
        if (all)
                check_overlaps(p, all, n, "subnet");
        free(all);
}

/* ---- names ---- */

struct names {
        struct named *items; /* sorted */
        size_t n;
};

static int compare_names(const void *a, const void *b) {
        const struct named *x = a, *y = b;

        return strcmp(x->name, y->name);
}

static void names_add(struct names *names, const char *name,
                      const struct doc_node *node) {
        if (name && name[0])
                names->items[names->n++] = (struct named){ name, node };
}

/* The nearest of so many names that sorting does not help to find it. */
static void refuse_name(struct parser *p, const struct doc_node *node,
                        const struct names *names, const char *what, const char *name) {
        const char **words = scratch(p, names->n, sizeof(*words));
        const char *near = NULL;

        for (size_t i = 0; words && i < names->n; i++)
                words[i] = names->items[i].name;
        if (words)
                near = text_nearest(name, words);
        problem(p, node, "there is no ", what, " named '", name,
                near ? "'; did you mean '" : "'", near ? near : "", near ? "'?" : "",
                NULL);
        free(words);
}

/* What `list` names must be there. A pattern may fit nobody yet. */
static void check_names(struct parser *p, const struct doc_node *list,
                        const struct names *names, const struct scope_texts *wanted,
                        const char *what) {
        for (size_t i = 0; i < wanted->n; i++) {
                struct named key = { .name = wanted->items[i] };

                if (strpbrk(key.name, "*?") ||
                    (names->n > 0 &&
                     bsearch(&key, names->items, names->n, sizeof(key), compare_names)))
                        continue;
                refuse_name(p, item_of(list, i), names, what, key.name);
        }
}

/* By name, and those of one name by their place in the file. */
static int compare_places(const void *a, const void *b) {
        const struct named *x = a, *y = b;
        int order = strcmp(x->name, y->name);

        if (order != 0 || !x->node || !y->node)
                return order;
        order = (x->node->line > y->node->line) - (x->node->line < y->node->line);
        return order != 0 ? order
                          : (x->node->column > y->node->column) -
                                    (x->node->column < y->node->column);
}

static struct names class_names(struct parser *p, const struct doc_node *nodes,
                                const struct conf *conf) {
        size_t n = conf->dhcp.n_classes;
        struct names names = { scratch(p, n, sizeof(struct named)), 0 };

        for (size_t i = 0; names.items && i < n; i++)
                names_add(&names, conf->dhcp.classes[i].name,
                          doc_get(item_of(nodes, i), "name"));
        if (names.items)
                qsort(names.items, names.n, sizeof(struct named), compare_places);
        for (size_t i = 1; i < names.n; i++)
                if (compare_names(&names.items[i - 1], &names.items[i]) == 0)
                        problem(p, names.items[i].node, "two classes are named '",
                                names.items[i].name, "'", NULL);
        return names;
}

static struct names host_names(struct parser *p, const struct doc_node *nodes,
                               const struct conf *conf) {
        size_t n = conf->dhcp.n_hosts;
        struct names names = { scratch(p, n, sizeof(struct named)), 0 };

        for (size_t i = 0; names.items && i < n; i++)
                names_add(&names, conf->dhcp.hosts[i].hostname, item_of(nodes, i));
        if (names.items)
                qsort(names.items, names.n, sizeof(struct named), compare_places);
        return names;
}

static void check_used_names(struct parser *p, const struct doc_node *dhcp,
                             const struct conf *conf) {
        const struct doc_node *classes = doc_get(dhcp, "classes");
        const struct doc_node *subnets = doc_get(dhcp, "subnets");
        struct names of_classes = class_names(p, classes, conf);
        struct names of_hosts = host_names(p, doc_get(dhcp, "hosts"), conf);

        for (size_t i = 0; i < conf->dhcp.n_classes; i++)
                check_names(p, doc_get(doc_get(item_of(classes, i), "match"), "host"),
                            &of_hosts, &conf->dhcp.classes[i].match.host, "host");
        for (size_t i = 0; i < conf->dhcp.n_subnets; i++) {
                const struct scope_subnet *s = &conf->dhcp.subnets[i];
                const struct doc_node *pools = doc_get(item_of(subnets, i), "pools");

                for (size_t j = 0; j < s->n_pools; j++) {
                        const struct doc_node *pool = item_of(pools, j);

                        check_names(p, doc_get(pool, "only"), &of_classes,
                                    &s->pools[j].only, "class");
                        check_names(p, doc_get(pool, "except"), &of_classes,
                                    &s->pools[j].except, "class");
                }
        }
        free(of_classes.items);
        free(of_hosts.items);
}

void check_classes(struct parser *p, const struct doc_node *machines,
                   const struct conf *conf) {
        struct names names = { scratch(p, conf->dhcp.n_classes, sizeof(struct named)),
                               0 };

        for (size_t i = 0; names.items && i < conf->dhcp.n_classes; i++)
                names_add(&names, conf->dhcp.classes[i].name, NULL);
        if (names.n > 0)
                qsort(names.items, names.n, sizeof(*names.items), compare_names);
        for (size_t i = 0; names.items && i < conf->n_machines; i++) {
                struct named key = { .name = conf->machines[i].class };

                if (key.name && key.name[0] &&
                    !(names.n > 0 &&
                      bsearch(&key, names.items, names.n, sizeof(key), compare_names)))
                        refuse_name(p, doc_get(item_of(machines, i), "class"), &names,
                                    "class", key.name);
        }
        free(names.items);
}

/* ---- hosts among each other ---- */

/* One way to know a host, or its address or its name: no two should have the same. */
struct mark {
        enum { BY_MAC, BY_CLIENT_ID, BY_UUID, BY_CIRCUIT_ID, ADDRESS, HOSTNAME } kind;
        struct span value;
        ip4_t network; /* entries for several networks are no contradiction */
        size_t host;
};
enum { MARKS_MAX = HOSTNAME + 1 };

static int compare_values(const struct mark *x, const struct mark *y) {
        int order;

        if (x->kind != y->kind)
                return x->kind < y->kind ? -1 : 1;
        if (x->network != y->network)
                return x->network < y->network ? -1 : 1;
        order = memcmp(x->value.data, y->value.data, min_size(x->value.n, y->value.n));
        return order != 0 ? order
                          : (x->value.n > y->value.n) - (x->value.n < y->value.n);
}

static int compare_marks(const void *a, const void *b) {
        const struct mark *x = a, *y = b;
        int order = compare_values(x, y);

        return order != 0 ? order : (x->host > y->host) - (x->host < y->host);
}

static size_t marks_of(const struct scope_host *host, ip4_t network, size_t at,
                       struct mark *ret) {
        const char *name = host->hostname ? host->hostname : "";
        const struct mark all[MARKS_MAX] = {
                { BY_MAC,
                  { host->mac.b, mac_is_zero(host->mac) ? 0 : 6 },
                  network,
                  at },
                { BY_CLIENT_ID, host->client_id, network, at },
                { BY_UUID, { host->uuid.b, host->has_uuid ? 16 : 0 }, network, at },
                { BY_CIRCUIT_ID, host->circuit_id, network, at },
                { ADDRESS,
                  { (const uint8_t *)&host->address,
                    host->address ? sizeof(host->address) : 0 },
                  0,
                  at },
                { HOSTNAME, { (const uint8_t *)name, strlen(name) }, 0, at },
        };
        size_t n = 0;

        for (size_t i = 0; i < MARKS_MAX; i++)
                if (all[i].value.n > 0)
                        ret[n++] = all[i];
        return n;
}

/* The server finds the first entry of two, and an address has one holder at a time. */
static void warn_of_twins(struct parser *p, const struct doc_node *hosts,
                          const struct mark *mark) {
        static const struct {
                const char *key, *says;
        } rows[] = {
                [BY_MAC] = { "mac", "': the first one counts" },
                [BY_CLIENT_ID] = { "client-id", "': the first one counts" },
                [BY_UUID] = { "uuid", "': the first one counts" },
                [BY_CIRCUIT_ID] = { "circuit-id", "': the first one counts" },
                [ADDRESS] = { "address", "': only one of them can have it at a time" },
                [HOSTNAME] = { "hostname", "'" },
        };
        const char *key = rows[mark->kind].key;
        const struct doc_node *value = doc_get(item_of(hosts, mark->host), key);

        warning(p, value, "two hosts have the ", key, " '", value ? value->text : "",
                rows[mark->kind].says, NULL);
}

static void check_twins(struct parser *p, const struct doc_node *hosts,
                        const struct conf *conf, const ip4_t *networks) {
        size_t n_hosts = conf->dhcp.n_hosts, n = 0;
        struct mark *marks = scratch(p, n_hosts * MARKS_MAX, sizeof(*marks));

        if (!marks)
                return;
        for (size_t i = 0; i < n_hosts; i++)
                n += marks_of(&conf->dhcp.hosts[i], networks[i], i, marks + n);
        qsort(marks, n, sizeof(*marks), compare_marks);
        for (size_t i = 1; i < n; i++)
                if (compare_values(&marks[i - 1], &marks[i]) == 0)
                        warn_of_twins(p, hosts, &marks[i]);
        free(marks);
}

static int compare_networks(const void *a, const void *b) {
        const struct scope_network *x = a, *y = b;

        return (x->network > y->network) - (x->network < y->network);
}

/* The subnet that holds this address; they do not overlap. */
static int compare_address(const void *key, const void *item) {
        ip4_t address = *(const ip4_t *)key;
        const struct scope_network *network = item;

        if ((address & network->mask) == network->network)
                return 0;
        return address < network->network ? -1 : 1;
}

/* `found` NULL: in none. */
static void check_address(struct parser *p, const struct doc_node *node,
                          const struct scope_network *found, ip4_t address) {
        ip4_t last = found ? found->network | ~found->mask : 0;

        if (!found)
                warning(p, node, "the address ", node ? node->text : "",
                        " is in none of dhcp.subnets and will not be given", NULL);
        else if (found->mask < 0xfffffffeu &&
                 (address == found->network || address == last))
                warning(p, node, "the address ", node ? node->text : "",
                        " is its network's own or its broadcast address", NULL);
}

/* Sorted; NULL when one of them is only known once the interfaces are. */
static struct scope_network *list_networks(struct parser *p, const struct conf *conf) {
        size_t n = conf->dhcp.n_subnets;
        struct scope_network *all = scratch(p, n, sizeof(*all));

        for (size_t i = 0; all && i < n; i++) {
                const struct scope_subnet *s = &conf->dhcp.subnets[i];

                if (!s->mask) {
                        free(all);
                        return NULL;
                }
                all[i] = (struct scope_network){ s->network, s->mask };
        }
        if (all)
                qsort(all, n, sizeof(*all), compare_networks);
        return all;
}

static void check_hosts(struct parser *p, const struct doc_node *hosts,
                        const struct conf *conf) {
        size_t n = conf->dhcp.n_hosts;
        ip4_t *networks = scratch(p, n, sizeof(*networks));
        struct scope_network *all = list_networks(p, conf);

        for (size_t i = 0; networks && all && i < n; i++) {
                ip4_t address = conf->dhcp.hosts[i].address;
                const struct scope_network *found;

                if (!address || conf->dhcp.mode != CONF_DHCP_SERVER)
                        continue;
                found = bsearch(&address, all, conf->dhcp.n_subnets, sizeof(*all),
                                compare_address);
                networks[i] = found ? found->network : 0;
                check_address(p, doc_get(item_of(hosts, i), "address"), found, address);
        }
        if (networks)
                check_twins(p, hosts, conf, networks);
        free(networks);
        free(all);
}

/* ---- all of it ---- */

void check_dhcp(struct parser *p, const struct doc_node *dhcp, struct conf *conf) {
        if (conf->dhcp.mode == CONF_DHCP_SERVER && conf->dhcp.n_subnets == 0)
                problem(p, doc_get(dhcp, "mode"),
                        "mode server needs dhcp.subnets with a pool, or --dhcp with a "
                        "range",
                        NULL);
        check_times(p, dhcp, &conf->dhcp.scope);
        settle_global_times(dhcp, &conf->dhcp.scope);
        check_subnets(p, doc_get(dhcp, "subnets"), conf);
        check_used_names(p, dhcp, conf);
        check_hosts(p, doc_get(dhcp, "hosts"), conf);
}
