/*
 * Who gets which address: dhcp-range and dhcp-host. A range becomes a pool in its
 * subnet; dnsmasq takes the netmask from the card when none is said, which is not known
 * here, so it is guessed and said.
 */
#include "import/dnsmasq.h"

/* ---- networks ---- */

static const char *network_text(struct import *im, ip4_t network, ip4_t mask) {
        unsigned bits = 32;

        while (bits > 1 && !(mask >> (32 - bits) & 1))
                bits--;
        return import_join(im, import_address(im, network), "/",
                           import_decimal(im, bits), NULL);
}

static struct subnet *subnet_for(struct dnsmasq *d, ip4_t network, ip4_t mask,
                                 struct place at) {
        struct subnet *subnet = d->im->model->subnets;
        size_t n = 0;

        for (; subnet; subnet = subnet->next, n++)
                if (subnet->network == network && subnet->mask == mask)
                        return subnet;
        if (n > 4096)
                import_refuse(d->im, at, "there are too many subnets", NULL);
        subnet = model_subnet(d->im, at);
        if (subnet) {
                subnet->network = network;
                subnet->mask = mask;
        }
        return subnet;
}

/* ---- dhcp-range ---- */

struct range {
        struct words needs;
        const char *set;
        ip4_t first, last, mask, broadcast;
        bool is_static, is_proxy, has_time;
        uint32_t seconds;
};

static bool is_ip6(const char *s) {
        return strncmp(s, "::", 2) == 0 || strncmp(s, "constructor:", 12) == 0 ||
               (strchr(s, ':') && strspn(s, "0123456789abcdefABCDEF:.[]") == strlen(s));
}

static void read_range_end(struct dnsmasq *d, const struct line *line, size_t i,
                           struct range *range) {
        const char *s = line->items[i].s;
        ip4_t address;

        if (strcmp(s, "static") == 0)
                range->is_static = true;
        else if (strcmp(s, "proxy") == 0)
                range->is_proxy = true;
        else if (dnsmasq_parse_time(s, &range->seconds))
                range->has_time = true;
        else if (!ip4_parse(s, &address))
                dnsmasq_refuse(d, line, i,
                               "an address, static, proxy, a netmask or a time");
        else if (!range->last && !range->is_static && !range->is_proxy)
                range->last = address;
        else if (!range->mask && is_mask(address))
                range->mask = address;
        else if (!range->broadcast)
                range->broadcast = address;
        else
                dnsmasq_refuse(d, line, i, "the end of the range");
}

/* The smallest that holds both ends, of /24 and larger ones. */
static ip4_t guess_mask(const struct range *range) {
        ip4_t mask = 0xffffff00u;

        while (range->last && (range->first & mask) != (range->last & mask))
                mask <<= 1;
        return mask;
}

static void set_broadcast(struct dnsmasq *d, const struct line *line,
                          struct subnet *subnet, ip4_t broadcast) {
        uint8_t be[4];

        if (!broadcast || broadcast == (subnet->network | ~subnet->mask))
                return;
        store_be32(be, broadcast);
        scope_set_option(
                d->im, &subnet->scope,
                &(struct option_value){
                        .code = 28,
                        .format = "I",
                        .bytes = { (const uint8_t *)import_copy(d->im, be, 4), 4 },
                        .at = line->at });
}

static void set_lease_time(struct dnsmasq *d, const struct line *line,
                           struct subnet *subnet, const struct range *range) {
        struct value *value = &subnet->scope.keys[KEY_LEASE_TIME];
        struct value time = { true, range->seconds, NULL, line->at };

        if (!range->has_time)
                return;
        if (value->is_set && value->number != time.number)
                import_remark(d->im, line->at,
                              "this range's lease time is not carried: its subnet has "
                              "another one already",
                              NULL);
        else
                *value = time;
}

static void add_range(struct dnsmasq *d, const struct line *line, struct range *range) {
        struct subnet *subnet;
        struct pool *pool;

        if (!range->mask) {
                range->mask = guess_mask(range);
                if (!range->mask)
                        dnsmasq_refuse(d, line, line->n, "both ends in one network");
                import_remark(
                        d->im, line->at,
                        "the range says no netmask, which dnsmasq takes from the "
                        "card: it is carried as ",
                        network_text(d->im, range->first & range->mask, range->mask),
                        ", correct that if it is another", NULL);
        }
        subnet = subnet_for(d, range->first & range->mask, range->mask, line->at);
        if (!subnet)
                return;
        d->has_range = true;
        d->range_at = line->at;
        set_broadcast(d, line, subnet, range->broadcast);
        set_lease_time(d, line, subnet, range);
        if (range->set)
                tags_set(d->im, &d->tags, range->set, MATCH_SUBNET,
                         network_text(d->im, subnet->network, subnet->mask), line->at);
        if (range->is_static)
                return;
        pool = subnet_pool(d->im, subnet, line->at);
        if (!pool)
                return;
        pool->first = range->first;
        pool->last = range->last ? range->last : range->first;
        pool->only = range->needs;
}

void dnsmasq_range(struct dnsmasq *d, const struct line *line) {
        struct range range = { 0 };
        struct words nots = { 0 };
        size_t i = 0;

        while (i < line->n &&
               dnsmasq_take_tag(d, line, i, &range.needs, &nots, &range.set))
                i++;
        if (i + 1 < line->n && !strpbrk(line->items[i].s, ".:"))
                range.set = line->items[i++].s; /* the old way to set a tag */
        if (i >= line->n) {
                dnsmasq_refuse(d, line, i, "the first address of the range");
                return;
        }
        if (is_ip6(line->items[i].s)) {
                import_remark(d->im, line->at,
                              "this range is not carried: IPv6 is not served", NULL);
                return;
        }
        if (!ip4_parse(line->items[i].s, &range.first))
                dnsmasq_refuse(d, line, i, "the first address of the range");
        for (i++; i < line->n && !d->im->failed; i++)
                read_range_end(d, line, i, &range);
        if (nots.n)
                import_remark(d->im, line->at,
                              "'not' this tag is not carried: add the class under "
                              "'except' of the pool",
                              NULL);
        if (range.last && range.last < range.first)
                dnsmasq_refuse(d, line, line->n, "a range that ends after it begins");
        if (d->im->failed)
                return;
        if (range.is_proxy) {
                d->has_proxy = true;
                d->proxy_at = line->at;
        } else {
                add_range(d, line, &range);
        }
}

/* ---- dhcp-host ---- */

struct host_line {
        struct words macs, sets;
        const char *client_id, *name;
        ip4_t address;
        bool is_ignored, has_time;
        uint32_t seconds;
};

static void read_host_item(struct dnsmasq *d, const struct line *line, size_t i,
                           struct host_line *host, struct words *needs) {
        const char *s = line->items[i].s, *rest, *set = NULL;
        struct words nots = { 0 };
        char mac[MAC_TEXT_MAX];
        size_t n_mac;

        if ((rest = dnsmasq_after(s, "id:")) != NULL) {
                if (strcmp(rest, "*") == 0)
                        import_remark(d->im, line->at,
                                      "'id:*' is not carried: a host that is known by "
                                      "its MAC is found whatever identifier it sends",
                                      NULL);
                else
                        host->client_id = dnsmasq_parse_id(d, rest);
        } else if ((rest = dnsmasq_after(s, "net:")) != NULL) {
                words_add(d->im, &host->sets, rest);
        } else if (dnsmasq_take_tag(d, line, i, needs, &nots, &set)) {
                if (set)
                        words_add(d->im, &host->sets, set);
                else if (nots.n)
                        words_add(d->im, needs, nots.first->s);
        } else if (dnsmasq_parse_mac(s, mac, &n_mac)) {
                words_add(d->im, &host->macs, import_copy(d->im, mac, strlen(mac)));
        } else if (strchr(s, ':') && strchr(s, '*')) {
                import_remark(d->im, line->at, "the MAC ", s,
                              " is not carried: classes match the beginning of a MAC "
                              "only",
                              NULL);
        } else if (strcmp(s, "ignore") == 0) {
                host->is_ignored = true;
        } else if (*s == '[') {
                import_remark(d->im, line->at, "the address ", s,
                              " is not carried: IPv6 is not served", NULL);
        } else if (ip4_parse(s, &host->address) ||
                   (host->has_time |= dnsmasq_parse_time(s, &host->seconds))) {
                return;
        } else if (dnsmasq_is_name(s)) {
                host->name = s;
        } else if (*s) {
                dnsmasq_refuse(
                        d, line, i,
                        "a MAC, id:, set:, tag:, an address, a name, a time or ignore");
        }
}

static void set_tags(struct dnsmasq *d, const struct line *line,
                     const struct host_line *host, enum match_key key,
                     const char *value) {
        for (const struct word *word = host->sets.first; word; word = word->next)
                tags_set(d->im, &d->tags, word->s, key, value, line->at);
}

/* One machine of the line. What a second card could have is little. */
static void add_host(struct dnsmasq *d, const struct line *line,
                     const struct host_line *host, const char *mac, bool is_first) {
        bool is_needed = is_first || host->is_ignored || host->has_time;
        struct host *made = is_needed ? model_host(d->im, line->at) : NULL;

        if (made) {
                made->has_mac = mac && mac_parse(mac, &made->mac);
                made->client_id = is_first ? host->client_id : NULL;
                made->hostname = is_first ? host->name : NULL;
                made->address = is_first ? host->address : 0;
                made->is_ignored = host->is_ignored;
                if (host->has_time)
                        made->scope.keys[KEY_LEASE_TIME] =
                                (struct value){ true, host->seconds, NULL, line->at };
        }
        if (!is_first && (host->address || host->name))
                import_remark(
                        d->im, line->at, "the card ", mac,
                        " is not carried: two cards cannot share an address and a "
                        "name; give it an entry of its own",
                        NULL);
        if (host->name && is_first)
                set_tags(d, line, host, MATCH_HOST, host->name);
        else if (mac)
                set_tags(d, line, host, MATCH_MAC, mac);
        else
                set_tags(d, line, host, MATCH_CLIENT_ID, host->client_id);
}

/* A pattern of MACs is a tag's at best: our hosts are single machines. */
static bool add_pattern(struct dnsmasq *d, const struct line *line,
                        const struct host_line *host, const char *mac) {
        if (strlen(mac) == 17)
                return false;
        if (*mac)
                set_tags(d, line, host, MATCH_MAC, mac);
        if (!*mac || host->is_ignored || host->address || host->name ||
            host->has_time || !host->sets.n)
                import_remark(
                        d->im, line->at,
                        "what is set for all MACs of this pattern is not carried, "
                        "but for tags: a host is one machine; write a class that "
                        "matches on mac, and 'except' it from the pools",
                        NULL);
        return true;
}

void dnsmasq_host(struct dnsmasq *d, const struct line *line) {
        struct host_line host = { 0 };
        struct words needs = { 0 };
        bool is_first = true;

        for (size_t i = 0; i < line->n && !d->im->failed; i++)
                read_host_item(d, line, i, &host, &needs);
        if (d->im->failed)
                return;
        if (needs.n)
                import_remark(d->im, line->at,
                              "that this is only for clients with the tag ",
                              needs.first->s, " is not carried", NULL);
        if (!host.macs.n && !host.client_id) {
                import_remark(d->im, line->at,
                              "this host is not carried: machines are not known by the "
                              "name they send; write its MAC or client-id",
                              NULL);
                return;
        }
        if (!host.macs.n)
                add_host(d, line, &host, NULL, true);
        for (const struct word *word = host.macs.first; word; word = word->next) {
                if (add_pattern(d, line, &host, word->s))
                        continue;
                add_host(d, line, &host, word->s, is_first);
                is_first = false;
        }
}
