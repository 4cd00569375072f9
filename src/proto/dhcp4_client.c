/*
 * Who asks, where it is, and what the configuration says to it.
 *
 * Where: the link that its relay names (RFC 3527), else the subnet that it asks for
 * itself (RFC 3011), else the relay's own address, else its own when it renews by
 * unicast, else the wire that the message came by.
 */
#include "proto/dhcp4_internal.h"

/* ---- the relay's option ---- */

static ip4_t address_in(struct span value) {
        return value.n == 4 ? load_be32(value.data) : 0;
}

static void read_relay(const struct dhcp4_message *m, struct relay_information *ret) {
        struct span all = dhcp4_option(m, DHCP4_RELAY_INFORMATION);
        struct reader r = reader_of(all.data, all.n);

        *ret = (struct relay_information){ 0 };
        while (reader_left(&r) > 0) {
                uint8_t code = reader_u8(&r);
                struct span value = reader_span(&r, reader_u8(&r));

                if (r.failed)
                        return;
                switch (code) {
                case 1: /* RFC 3046 3.1 */
                        ret->circuit_id = value;
                        break;
                case 2: /* RFC 3046 3.2 */
                        ret->remote_id = value;
                        break;
                case 5: /* RFC 3527 3 */
                        ret->link = address_in(value);
                        break;
                case 11: /* RFC 5107 4 */
                        ret->server_id = address_in(value);
                        break;
                default:
                        break;
                }
        }
}

/* ---- our addresses ---- */

static const struct dhcp4_interface *find_interface(const struct dhcp4_server *server,
                                                    int ifindex) {
        for (size_t i = 0; i < server->config.n_interfaces; i++)
                if (server->config.interfaces[i].ifindex == ifindex)
                        return &server->config.interfaces[i];
        return NULL;
}

static bool is_local(const struct dhcp4_server *server, ip4_t address) {
        for (size_t i = 0; address && i < server->config.n_interfaces; i++)
                if (server->config.interfaces[i].address == address)
                        return true;
        return false;
}

bool exchange_is_us(const struct exchange *x, ip4_t address) {
        return is_local(x->server, address) ||
               (address && address == x->relay.server_id);
}

/* The one that was asked, else the interface's in the client's subnet, else its first.
 */
static ip4_t find_local(const struct exchange *x) {
        const struct dhcp4_config *config = &x->server->config;
        const struct scope_subnet *s = x->site ? x->site->subnet : NULL;

        if (is_local(x->server, x->received->to))
                return x->received->to;
        for (size_t i = 0; s && i < config->n_interfaces; i++)
                if (config->interfaces[i].ifindex == x->interface->ifindex &&
                    (config->interfaces[i].address & s->mask) == s->network)
                        return config->interfaces[i].address;
        return x->interface->address;
}

/* ---- where ---- */

static const struct site *site_at(const struct exchange *x, int at) {
        return at == SITE_NONE ? NULL : &x->server->sites.sites[at];
}

const struct site *exchange_site_of(const struct exchange *x, ip4_t address) {
        return site_at(x, sites_at(&x->server->sites, address));
}

static const struct site *site_of_interface(const struct exchange *x) {
        const struct dhcp4_config *config = &x->server->config;
        const struct sites *sites = &x->server->sites;

        for (size_t i = 0; i < config->n_interfaces; i++) {
                int at = sites_at(sites, config->interfaces[i].address);

                if (config->interfaces[i].ifindex == x->interface->ifindex &&
                    at != SITE_NONE)
                        return site_at(x, at);
        }
        for (size_t i = 0; i < sites->n_sites; i++)
                if (sites->sites[i].subnet->interface &&
                    strcmp(sites->sites[i].subnet->interface, x->interface->name) == 0)
                        return &sites->sites[i];
        return NULL;
}

/* RFC 2131 4.3.1: the subnet is the relay's, else that of the wire it came by. What a
 * client behind a relay unicasts to renew comes without the relay (4.3.6); its own
 * address tells. */
static const struct site *find_site(const struct exchange *x) {
        const struct dhcp4_message *m = x->message;
        ip4_t asked = dhcp4_option_be32(m, DHCP4_SUBNET_SELECTION);
        const struct site *site;

        if (x->relay.link)
                return exchange_site_of(x, x->relay.link);
        if (asked) /* RFC 3011 2: one that we do not know is not answered */
                return exchange_site_of(x, asked);
        if (m->giaddr) {
                site = exchange_site_of(x, m->giaddr);
                return site ? site
                            : site_at(x, sites_behind(&x->server->sites, m->giaddr));
        }
        if (m->ciaddr && x->received->from == m->ciaddr &&
            is_local(x->server, x->received->to)) {
                site = exchange_site_of(x, m->ciaddr);
                if (site)
                        return site;
        }
        return site_of_interface(x);
}

/* ---- who ---- */

static bool is_same(struct span a, struct span b) {
        return a.n == b.n && (a.n == 0 || memcmp(a.data, b.data, a.n) == 0);
}

static bool is_host_by(const struct exchange *x, const struct scope_host *host,
                       enum host_by by, struct span id) {
        switch (by) {
        case HOST_BY_CLIENT_ID:
                return is_same(host->client_id, id);
        case HOST_BY_UUID:
                return host->has_uuid && memcmp(host->uuid.b, id.data, 16) == 0;
        case HOST_BY_MAC:
                return mac_is_equal(host->mac, x->facts.mac);
        case HOST_BY_CIRCUIT:
                return is_same(host->circuit_id, id);
        }
        return false;
}

/* One with an address on this wire is better than one without an address, and that is
 * better than one whose address lies elsewhere. */
static unsigned host_rank(const struct exchange *x, const struct scope_host *host) {
        const struct site *site;

        if (host->address == 0)
                return 2;
        site = exchange_site_of(x, host->address);
        return site && x->site && site->wire == x->site->wire ? 3 : 1;
}

static void look_for_host(struct exchange *x, enum host_by by, struct span id) {
        unsigned best = x->host ? host_rank(x, x->host) : 0;
        size_t at = 0;
        uint32_t found;

        while (id.n > 0 && sites_next_host(&x->server->sites, by, id, &at, &found)) {
                const struct scope_host *host = &x->server->config.hosts[found];
                unsigned rank = is_host_by(x, host, by, id) ? host_rank(x, host) : 0;

                if (rank <= best)
                        continue;
                best = rank;
                x->host = host;
        }
}

static void find_host(struct exchange *x) {
        const struct policy_facts *f = &x->facts;
        struct span uuid = { f->uuid.b, f->has_uuid ? 16 : 0 };

        if (x->server->config.n_hosts == 0)
                return;
        look_for_host(x, HOST_BY_CLIENT_ID, dhcp4_option(x->message, DHCP4_CLIENT_ID));
        look_for_host(x, HOST_BY_UUID, uuid);
        look_for_host(x, HOST_BY_MAC, (struct span){ f->mac.b, 6 });
        look_for_host(x, HOST_BY_CIRCUIT, x->relay.circuit_id);
        if (x->host && host_rank(x, x->host) == 3)
                x->host_address = x->host->address;
}

/* A reservation is the machine's, whatever identifier firmware, installer or system
 * give themselves, and by its UUID or port whatever card: the client is who holds the
 * address already. Known by its card, it is only so under that card. */
static void identify_host(struct exchange *x) {
        const struct pool_binding *held = pool_at(x->server->pool, x->host_address);

        if (!mac_is_zero(x->host->mac) && mac_is_equal(x->host->mac, x->facts.mac))
                x->client.n_id = 0;
        if (!held || held->state > POOL_BOUND)
                return;
        if (x->host->has_uuid || x->host->circuit_id.n > 0)
                x->client.mac = held->mac;
        else if (!mac_is_equal(held->mac, x->facts.mac))
                return;
        x->client.id = held->texts;
        x->client.n_id = held->n_client_id;
}

/* Where it is plugged in, for the limit of offers. */
static uint32_t port_of(const struct exchange *x) {
        uint32_t h = x->message->giaddr;

        for (size_t i = 0; i < x->relay.circuit_id.n; i++)
                h = (h ^ x->relay.circuit_id.data[i]) * 0x01000193u;
        return x->relay.circuit_id.n > 0 ? h | 1 : 0;
}

static bool is_request(struct dhcp4_server *server,
                       const struct dhcp4_received *received,
                       enum dhcp4_drop *ret_why) {
        static const enum dhcp4_drop why[] = {
                [DHCP4_TOO_SHORT] = DHCP4_DROP_SHORT,
                [DHCP4_NO_COOKIE] = DHCP4_DROP_NO_COOKIE,
                [DHCP4_BAD_OPTIONS] = DHCP4_DROP_BAD_OPTIONS,
        };
        enum dhcp4_verdict verdict =
                dhcp4_parse(received->data, received->n, &server->message);

        if (verdict != DHCP4_OK)
                *ret_why = why[verdict];
        else if (server->message.op != DHCP4_BOOTREQUEST)
                *ret_why = DHCP4_DROP_NOT_A_REQUEST;
        else if (server->message.htype != 1 || server->message.hlen != 6)
                *ret_why = DHCP4_DROP_NOT_ETHERNET;
        else if (!find_interface(server, received->ifindex))
                *ret_why = DHCP4_DROP_NO_INTERFACE;
        else
                return true;
        return false;
}

static void exchange_init(struct exchange *x, struct dhcp4_server *server,
                          const struct dhcp4_received *received,
                          struct dhcp4_actions *out) {
        memset(x, 0, offsetof(struct exchange, decision));
        x->server = server;
        x->received = received;
        x->message = &server->message;
        x->interface = find_interface(server, received->ifindex);
        x->now = received->now;
        x->out = out;
}

bool exchange_begin(struct exchange *x, struct dhcp4_server *server,
                    const struct dhcp4_received *received, struct dhcp4_actions *out,
                    enum dhcp4_drop *ret_why) {
        struct span id;

        exchange_init(x, server, received, out);
        if (!is_request(server, received, ret_why))
                return false;
        pxe_facts(x->message, &x->facts);
        read_relay(x->message, &x->relay);
        x->site = find_site(x);
        x->local = find_local(x);
        x->server_id = x->relay.server_id ? x->relay.server_id : x->local;
        id = dhcp4_option(x->message, DHCP4_CLIENT_ID);
        x->client = (struct pool_client){ x->facts.mac, id.data,
                                          (uint8_t)min_size(id.n, 255), port_of(x) };
        find_host(x);
        if (x->host_address)
                identify_host(x);
        return true;
}

/* ---- what is said to it ---- */

static void find_classes(struct exchange *x, const struct site *site) {
        const struct dhcp4_config *config = &x->server->config;
        struct span user_class = dhcp4_option(x->message, DHCP4_USER_CLASS);
        const struct scope_client client = {
                .facts = &x->facts,
                .client_id = dhcp4_option(x->message, DHCP4_CLIENT_ID),
                .user_class = user_class,
                .circuit_id = x->relay.circuit_id,
                .remote_id = x->relay.remote_id,
                .relay = x->message->giaddr,
                .address = site ? site->subnet->network : 0,
                .host = x->host ? x->host->hostname : NULL,
        };

        x->n_classes = 0;
        for (size_t i = 0; i < config->n_classes && x->n_classes < SCOPES_MAX; i++)
                if (scope_matches(&config->classes[i].match, &client))
                        x->classes[x->n_classes++] = &config->classes[i];
}

static void stack_scopes(struct exchange *x, const struct site *site) {
        x->n_scopes = 0;
        if (x->host)
                x->scopes[x->n_scopes++] = &x->host->scope;
        for (size_t i = 0; i < x->n_classes; i++)
                x->scopes[x->n_scopes++] = &x->classes[i]->scope;
        if (site)
                x->scopes[x->n_scopes++] = &site->subnet->scope;
        x->scopes[x->n_scopes++] = &x->server->config.scope;
}

static void decide(struct exchange *x) {
        struct policy_facts *f = &x->facts;

        f->is_proxy = x->server->config.is_proxy;
        f->server = x->local;
        f->filename = NULL;
        f->next_server = 0;
        f->loader = 0;
        f->secure_boot = POLICY_SECURE_UNKNOWN;
        x->reply_delay = 0;
        for (size_t i = 0; i < x->n_scopes; i++) {
                const struct scope *scope = x->scopes[i];

                if (!f->filename && scope->filename && scope->filename[0])
                        f->filename = scope->filename;
                if (f->next_server == 0)
                        f->next_server = scope->next_server;
                if (f->loader == 0)
                        f->loader = scope->loader;
                if (f->secure_boot == POLICY_SECURE_UNKNOWN)
                        f->secure_boot = scope->secure_boot;
                if (x->reply_delay == 0)
                        x->reply_delay = scope->reply_delay;
        }
        policy_decide(&x->server->config.rules, f, &x->decision);
        x->has_decision = true;
}

static const struct adapt_form *form_with(unsigned flag) {
        const struct adapt_form *forms;
        size_t n = adapt_forms(ADAPT_PXE, &forms);

        for (size_t i = 0; i < n; i++)
                if (forms[i].flags & flag)
                        return &forms[i];
        return &forms[0];
}

/* iPXE is no firmware to be guessed at, and shares its card with some that is; of a
 * Raspberry Pi its maker says what it takes. A menu
 * that is configured is what the administrator wants seen: nothing is tried there. */
static void choose_form(struct exchange *x) {
        const struct policy_facts *f = &x->facts;
        bool is_discover = x->message->type == DHCP4_DISCOVER && !x->is_replay &&
                           x->received->port == DHCP4_SERVER_PORT;

        x->form = (struct adapt_choice){ .form = NULL };
        if (x->decision.verdict != POLICY_BOOT || (!f->is_pxe && !f->is_http))
                return;
        if (f->is_ipxe || f->is_pi)
                x->form.form = form_with(ADAPT_CONTROL_FILE);
        else if (x->server->config.pxe.n_items > 0 && f->is_pxe)
                x->form.form = form_with(ADAPT_BOOT_SERVERS);
        else
                adapt_choose(x->server->adapt, f->is_http ? ADAPT_HTTP : ADAPT_PXE, f,
                             x->message->xid, is_discover, x->now, &x->form);
}

void exchange_settle(struct exchange *x, const struct site *site) {
        if (x->has_decision && site == x->site)
                return;
        if (x->n_classes == 0 || site != x->site)
                find_classes(x, site);
        x->site = site;
        stack_scopes(x, site);
        decide(x);
        choose_form(x);
}

void dhcp4_server_explain(struct dhcp4_server *server, int ifindex,
                          struct policy_facts *facts, struct policy_decision *ret) {
        const struct dhcp4_received nothing = { .ifindex = ifindex };
        struct dhcp4_message *m = &server->message;
        struct exchange x;

        exchange_init(&x, server, &nothing, NULL);
        memset(m, 0, sizeof(*m));
        x.facts = *facts;
        /* As if it had come in a message: a class is matched there. */
        m->length[DHCP4_USER_CLASS] = (uint16_t)strlen(facts->user_class);
        memcpy(m->bytes, facts->user_class, m->length[DHCP4_USER_CLASS]);
        x.site = x.interface ? site_of_interface(&x) : NULL;
        x.local = x.interface ? find_local(&x) : 0;
        find_host(&x);
        find_classes(&x, x.site);
        stack_scopes(&x, x.site);
        decide(&x);
        *facts = x.facts;
        *ret = x.decision;
}

/* ---- from which pools ---- */

static bool is_listed(const struct exchange *x, const struct scope_texts *names) {
        for (size_t i = 0; i < names->n; i++)
                for (size_t j = 0; j < x->n_classes; j++)
                        if (strcmp(names->items[i], x->classes[j]->name) == 0)
                                return true;
        return false;
}

static bool may_use(const struct exchange *x, const struct scope_subnet *subnet,
                    const struct scope_pool *pool) {
        if (x->facts.is_bootp && !subnet->bootp && !pool->bootp)
                return false;
        if (pool->only.n > 0 && !is_listed(x, &pool->only))
                return false;
        return !is_listed(x, &pool->except);
}

static size_t add_ranges(struct exchange *x, const struct site *site, size_t n) {
        for (size_t i = 0; i < site->subnet->n_pools; i++)
                if (may_use(x, site->subnet, &site->subnet->pools[i]))
                        x->server->sites.allowed[n++] = site->first_range + i;
        return n;
}

/* Those of its own subnet first, then those of the others on the same wire. */
void exchange_ranges(struct exchange *x, struct pool_request *ret) {
        const struct sites *sites = &x->server->sites;
        const struct site *first = x->site, *end = sites->sites + sites->n_sites;
        size_t n = 0;

        if (!x->has_decision && x->n_classes == 0)
                find_classes(x, x->site);
        n = add_ranges(x, x->site, n);
        while (first > sites->sites && first[-1].wire == x->site->wire)
                first--;
        for (; first < end && first->wire == x->site->wire; first++)
                if (first != x->site)
                        n = add_ranges(x, first, n);
        *ret = (struct pool_request){ .client = &x->client,
                                      .ranges = sites->allowed,
                                      .n_ranges = n,
                                      .now = x->now };
}

/* ---- for how long ---- */

/* A time of the first scope that says one, and which scope that is. */
static nsec_t scope_time(const struct exchange *x, size_t offset, size_t *ret_at) {
        for (size_t i = 0; i < x->n_scopes; i++) {
                const char *scope = (const char *)x->scopes[i];
                nsec_t time = *(const nsec_t *)(const void *)(scope + offset);

                *ret_at = i;
                if (time)
                        return time;
        }
        return 0;
}

nsec_t exchange_lifetime(const struct exchange *x) {
        uint32_t asked = dhcp4_option_be32(x->message, DHCP4_LEASE_TIME);
        size_t usual_at, most_at, least_at;
        nsec_t usual = scope_time(x, offsetof(struct scope, lease_time), &usual_at);
        nsec_t most = scope_time(x, offsetof(struct scope, max_lease_time), &most_at);
        nsec_t least = scope_time(x, offsetof(struct scope, min_lease_time), &least_at);

        /* Of two that contradict each other the one said nearer to the client counts.
         */
        if (most < usual && most_at < usual_at)
                usual = most;
        most = max_u64(most, usual);
        if (asked == 0)
                return usual;
        if (asked == UINT32_MAX || (nsec_t)asked * NSEC_PER_SEC > most)
                return most;
        /* A client that asks for seconds would be back before it has booted. */
        return max_u64((nsec_t)asked * NSEC_PER_SEC,
                       max_u64(least, min_u64(60 * NSEC_PER_SEC, usual)));
}
