/*
 * The server proper: RFC 2131 4.3, one function a message. Each finds the client's
 * binding, changes it, and says what follows; building and routing are elsewhere.
 *
 * Where the RFC leaves a server free or asks for silence, an authoritative one speaks:
 * it refuses at once what is wrong on this wire, and lets a client keep an address that
 * it holds and nobody else has, so that losing the state folder costs nobody his
 * address.
 */
#include <stdlib.h>

#include "proto/dhcp4_internal.h"

static const nsec_t offer_time = 60 * NSEC_PER_SEC;
static const nsec_t decline_time = 24 * 3600 * NSEC_PER_SEC;

const char *dhcp4_drop_text(enum dhcp4_drop drop) {
        static const char *const texts[DHCP4_N_DROPS] = {
                "too short for a DHCP message",
                "not a request",
                "no DHCP cookie",
                "not from Ethernet",
                "its options are malformed",
                "no address of ours on that interface",
        };

        return (unsigned)drop < DHCP4_N_DROPS ? texts[drop] : "unknown";
}

/* ---- configuration ---- */

/* All of it in one piece of memory: arrays, then texts. */
struct copier {
        uint8_t *data; /* NULL while measuring */
        size_t at;
};

static void *copy(struct copier *c, const void *from, size_t n) {
        void *to = c->data ? c->data + c->at : NULL;

        if (to && n > 0)
                memcpy(to, from, n);
        c->at += (n + 15) & ~(size_t)15;
        return to;
}

static void copy_config(struct copier *c, const struct dhcp4_config *from,
                        struct dhcp4_config *to) {
        struct dhcp4_subnet *subnets;
        struct dhcp4_host *hosts;

        *to = *from;
        to->interfaces = copy(c, from->interfaces,
                              from->n_interfaces * sizeof(*from->interfaces));
        to->subnets = subnets =
                copy(c, from->subnets, from->n_subnets * sizeof(*from->subnets));
        to->hosts = hosts = copy(c, from->hosts, from->n_hosts * sizeof(*from->hosts));
        for (size_t i = 0; i < from->n_subnets; i++) {
                const struct dhcp4_subnet *s = &from->subnets[i];
                const char *name = s->filename ? s->filename : "";
                void *pools = copy(c, s->pools, s->n_pools * sizeof(*s->pools));
                void *options = copy(c, s->options, s->n_options * sizeof(*s->options));
                void *filename = copy(c, name, strlen(name) + 1);

                if (!c->data)
                        continue;
                subnets[i].pools = pools;
                subnets[i].options = options;
                subnets[i].filename = filename;
        }
        for (size_t i = 0; i < from->n_hosts; i++) {
                const char *name =
                        from->hosts[i].hostname ? from->hosts[i].hostname : "";
                void *hostname = copy(c, name, strlen(name) + 1);

                if (c->data)
                        hosts[i].hostname = hostname;
        }
}

_Static_assert(sizeof(struct dhcp4_range) == sizeof(struct pool_range),
               "ranges are handed on as they are");

static int configure_pool(struct pool *pool, const struct dhcp4_config *config) {
        struct pool_subnet *subnets = calloc(config->n_subnets + 1, sizeof(*subnets));
        ip4_t *reserved =
                calloc(config->n_hosts + config->n_interfaces + 1, sizeof(*reserved));
        size_t n = 0;
        int r = -ENOMEM;

        for (size_t i = 0; subnets && i < config->n_subnets; i++)
                subnets[i] = (struct pool_subnet){
                        config->subnets[i].network, config->subnets[i].mask,
                        (const struct pool_range *)(const void *)config->subnets[i]
                                .pools,
                        config->subnets[i].n_pools
                };
        /* Hosts' addresses are theirs; ours are ours, even inside a pool. */
        for (size_t i = 0; reserved && i < config->n_hosts; i++)
                reserved[n++] = config->hosts[i].address;
        for (size_t i = 0; reserved && i < config->n_interfaces; i++)
                reserved[n++] = config->interfaces[i].address;
        if (subnets && reserved)
                r = pool_configure(pool, subnets, config->n_subnets, reserved, n);
        free(subnets);
        free(reserved);
        return r;
}

int dhcp4_server_configure(struct dhcp4_server *server,
                           const struct dhcp4_config *config) {
        struct copier c = { 0 };
        struct dhcp4_config copied;
        int r;

        copy_config(&c, config, &copied);
        c = (struct copier){ .data = malloc(c.at + 1) };
        if (!c.data)
                return -ENOMEM;
        copy_config(&c, config, &copied);
        r = configure_pool(server->pool, &copied);
        if (r < 0) {
                free(c.data);
                return r;
        }
        free(server->memory);
        server->memory = c.data;
        server->config = copied;
        return 0;
}

int dhcp4_server_new(const struct dhcp4_config *config, struct dhcp4_server **ret) {
        struct dhcp4_server *server = calloc(1, sizeof(*server));
        int r;

        if (!server)
                return -ENOMEM;
        r = pool_new(&server->pool);
        if (r == 0)
                r = dhcp4_server_configure(server, config);
        if (r < 0) {
                dhcp4_server_free(server);
                return r;
        }
        *ret = server;
        return 0;
}

struct dhcp4_server *dhcp4_server_free(struct dhcp4_server *server) {
        if (!server)
                return NULL;
        pool_free(server->pool);
        free(server->memory);
        free(server);
        return NULL;
}

int dhcp4_server_load(struct dhcp4_server *server, const struct lease_record *record) {
        return pool_load(server->pool, record);
}

/* ---- who asks ---- */

static const struct dhcp4_interface *find_interface(const struct dhcp4_server *server,
                                                    int ifindex) {
        for (size_t i = 0; i < server->config.n_interfaces; i++)
                if (server->config.interfaces[i].ifindex == ifindex)
                        return &server->config.interfaces[i];
        return NULL;
}

static const struct dhcp4_subnet *subnet_of(const struct exchange *x, ip4_t address) {
        const struct dhcp4_config *config = &x->server->config;

        for (size_t i = 0; i < config->n_subnets; i++)
                if ((address & config->subnets[i].mask) == config->subnets[i].network)
                        return &config->subnets[i];
        return NULL;
}

/* Sent to an address of ours from the one that the client says it has. */
static bool is_unicast(const struct exchange *x) {
        const struct dhcp4_config *config = &x->server->config;

        for (size_t i = 0; i < config->n_interfaces; i++)
                if (config->interfaces[i].address == x->received->to)
                        return x->received->from == x->message->ciaddr;
        return false;
}

/* RFC 2131 4.3.1: the subnet is the relay's, else that of the wire it came by. What a
 * client behind a relay unicasts to renew comes without the relay (4.3.6); its own
 * address tells. */
static const struct dhcp4_subnet *find_subnet(const struct exchange *x) {
        const struct dhcp4_subnet *subnet = NULL;

        if (x->message->giaddr)
                return subnet_of(x, x->message->giaddr);
        if (x->message->ciaddr && is_unicast(x))
                subnet = subnet_of(x, x->message->ciaddr);
        return subnet ? subnet : subnet_of(x, x->interface->address);
}

static const struct dhcp4_host *find_host(const struct exchange *x) {
        const struct dhcp4_config *config = &x->server->config;

        for (size_t i = 0; x->subnet && i < config->n_hosts; i++)
                if (mac_is_equal(config->hosts[i].mac, x->facts.mac) &&
                    (config->hosts[i].address & x->subnet->mask) == x->subnet->network)
                        return &config->hosts[i];
        return NULL;
}

/* A reservation is the card's, whatever identifier firmware, installer or system give
 * themselves: the client is who holds the address under that card. */
static void identify_host(struct exchange *x) {
        const struct pool_binding *held = pool_at(x->server->pool, x->host->address);

        x->client.n_id = 0;
        if (!held || !mac_is_equal(held->record.mac, x->facts.mac))
                return;
        x->client.id = held->record.client_id;
        x->client.n_id = held->record.n_client_id;
}

static void identify(struct exchange *x) {
        struct span id = dhcp4_option(x->message, DHCP4_CLIENT_ID);

        pxe_facts(x->message, &x->facts);
        x->client = (struct pool_client){ x->facts.mac, id.data,
                                          (uint8_t)min_size(id.n, 255) };
        x->subnet = find_subnet(x);
        x->host = find_host(x);
        if (x->host)
                identify_host(x);
        x->facts.is_proxy = x->server->config.is_proxy;
        x->facts.server = x->interface->address;
        if (x->subnet) {
                x->facts.filename = x->subnet->filename;
                x->facts.next_server = x->subnet->next_server;
        }
        policy_decide(&x->server->config.rules, &x->facts, &x->decision);
}

static void say_seen(struct exchange *x, ip4_t address) {
        struct dhcp4_action *action = &x->out->items[x->out->n++];

        action->kind = DHCP4_SEEN;
        action->seen.facts = x->facts;
        action->seen.facts.filename = NULL;
        action->seen.is_discover = x->message->type == DHCP4_DISCOVER;
        action->seen.address = address;
}

/* ---- addresses ---- */

static nsec_t lifetime_of(const struct exchange *x) {
        uint32_t asked = dhcp4_option_be32(x->message, DHCP4_LEASE_TIME);
        nsec_t most = x->subnet->max_lease_time;

        if (asked == 0)
                return x->subnet->lease_time;
        if (asked == UINT32_MAX || (nsec_t)asked * NSEC_PER_SEC > most)
                return most;
        /* A client that asks for seconds would be back before it has booted. */
        return max_u64((nsec_t)asked, 60) * NSEC_PER_SEC;
}

static nsec_t end_of(nsec_t now, nsec_t lifetime) {
        return lifetime >= NSEC_NEVER - now ? NSEC_NEVER : now + lifetime;
}

/* Has a lease, had one, or holds an offer; an offer that came to nothing is none, or a
 * crowd of invented clients would only have to ask twice. */
static bool is_known(const struct exchange *x) {
        const struct pool_binding *own =
                pool_find(x->server->pool, x->subnet->network, &x->client);

        return own && (own->was_stored || own->state == POOL_OFFERED);
}

static struct pool_binding *choose(struct exchange *x, ip4_t wanted) {
        struct pool *pool = x->server->pool;
        nsec_t until = x->now + offer_time;

        if (x->host)
                return pool_take(pool, x->subnet->network, x->host->address, &x->client,
                                 x->now, until);
        if (pool_n_offered(pool) >= DHCP4_OFFERS_MAX && !is_known(x))
                return NULL;
        return pool_offer(pool, x->subnet->network, &x->client, wanted, x->now, until);
}

static void say_exhausted(struct exchange *x) {
        char network[IP4_TEXT_MAX];
        struct event *event;

        if (x->host) {
                say_silent(x, "its reserved address is in use by another");
                return;
        }
        event = actions_event(x->out, EVENT_POOL_EXHAUSTED);
        event->mac = x->facts.mac;
        event->values[0] = (struct event_value)EVENT_TEXT(
                actions_text(x->out, ip4_format(x->subnet->network, network), NULL));
}

/* An identifier may come with another card than before (a dock): the lease is known by
 * the one in use. */
static void remember_client(struct exchange *x, struct pool_binding *binding) {
        binding->record.mac = x->facts.mac;
        dhcp4_option_text(x->message, DHCP4_HOST_NAME, binding->record.hostname,
                          sizeof(binding->record.hostname));
}

static void bind(struct exchange *x, struct pool_binding *binding, nsec_t lifetime) {
        struct event *event;

        pool_bind(x->server->pool, binding, x->now, end_of(x->now, lifetime));
        remember_client(x, binding);
        actions_persist(x, binding);
        event = actions_event(x->out, EVENT_LEASE_BOUND);
        event->mac = x->facts.mac;
        event->address = binding->record.address;
        event->values[0] = (struct event_value)EVENT_IP4(binding->record.address);
        event->values[1] = (struct event_value)EVENT_DURATION(lifetime);
        event->values[2] = (struct event_value)EVENT_TEXT(
                actions_text(x->out, binding->record.hostname, NULL));
}

static void refuse(struct exchange *x, const char *why) {
        if (x->server->config.authoritative)
                send_reply(x, &(struct reply){ .type = DHCP4_NAK, .error = why });
        else
                say_silent(x, why);
}

/* ---- RFC 2131 4.3, message by message ---- */

static void on_discover(struct exchange *x) {
        ip4_t wanted = dhcp4_option_be32(x->message, DHCP4_REQUESTED_ADDRESS);
        struct pool_binding *binding = choose(x, wanted);

        if (!binding) {
                say_exhausted(x);
                return;
        }
        say_decided(x);
        send_reply(x, &(struct reply){ .type = DHCP4_OFFER,
                                       .address = binding->record.address,
                                       .lifetime = lifetime_of(x) });
}

static void acknowledge(struct exchange *x, struct pool_binding *binding) {
        nsec_t lifetime = lifetime_of(x);

        bind(x, binding, lifetime);
        send_reply(x, &(struct reply){ .type = DHCP4_ACK,
                                       .address = binding->record.address,
                                       .lifetime = lifetime,
                                       .durable = true });
}

/* Given to this client in the configuration, or to nobody. */
static bool may_have(const struct exchange *x, ip4_t address) {
        const struct dhcp4_config *config = &x->server->config;

        if (x->host)
                return x->host->address == address;
        for (size_t i = 0; i < config->n_hosts; i++)
                if (config->hosts[i].address == address)
                        return false;
        return true;
}

/* The client's binding of this address, or a new one when it may have it. */
static struct pool_binding *binding_for(struct exchange *x, ip4_t address) {
        struct pool *pool = x->server->pool;
        struct pool_binding *binding = pool_at(pool, address);

        if (!may_have(x, address))
                return NULL;
        if (binding && binding->state <= POOL_BOUND &&
            pool_client_is(binding, &x->client) &&
            binding->record.subnet == x->subnet->network)
                return binding;
        if (!x->host && !pool_has(pool, x->subnet->network, address))
                return NULL;
        return pool_take(pool, x->subnet->network, address, &x->client, x->now,
                         x->now + offer_time);
}

/* RFC 2131 4.3.2, SELECTING: an offer was taken, ours or another's. */
static void on_selecting(struct exchange *x, ip4_t server) {
        ip4_t wanted = dhcp4_option_be32(x->message, DHCP4_REQUESTED_ADDRESS);
        struct pool_binding *own;

        if (server != x->interface->address) {
                own = pool_find(x->server->pool, x->subnet->network, &x->client);
                if (own && own->state == POOL_OFFERED)
                        pool_release(x->server->pool, own, x->now);
                say_silent(x, "the client took another server's offer");
                return;
        }
        own = binding_for(x, wanted);
        if (own)
                acknowledge(x, own);
        else
                refuse(x, "that address was not offered");
}

/* RFC 2131 4.3.2, INIT-REBOOT (by option 50) and RENEWING or REBINDING (by ciaddr). */
static void on_again(struct exchange *x, ip4_t address) {
        struct pool_binding *own;

        if ((address & x->subnet->mask) != x->subnet->network) {
                refuse(x, "that address belongs to another network");
                return;
        }
        own = pool_at(x->server->pool, address);
        if (!own && !x->server->config.authoritative) {
                say_silent(x, "nothing is known of that lease");
                return;
        }
        own = binding_for(x, address);
        if (own)
                acknowledge(x, own);
        else
                refuse(x, "that address is not free for this client");
}

static void on_request(struct exchange *x) {
        ip4_t server = dhcp4_option_be32(x->message, DHCP4_SERVER_ID);
        ip4_t wanted = dhcp4_option_be32(x->message, DHCP4_REQUESTED_ADDRESS);

        if (server)
                on_selecting(x, server);
        else if (wanted || x->message->ciaddr)
                on_again(x, wanted ? wanted : x->message->ciaddr);
        else
                say_silent(x, "it names no address");
}

static struct pool_binding *own_binding(struct exchange *x, ip4_t address) {
        struct pool_binding *binding = pool_at(x->server->pool, address);

        return binding && binding->state <= POOL_BOUND &&
                               pool_client_is(binding, &x->client)
                       ? binding
                       : NULL;
}

static void say_lease(struct exchange *x, enum event_kind kind, ip4_t address) {
        struct event *event = actions_event(x->out, kind);

        event->mac = x->facts.mac;
        event->address = address;
        event->values[0] = (struct event_value)EVENT_IP4(address);
        if (kind == EVENT_LEASE_DECLINED)
                event->values[1] = (struct event_value)EVENT_DURATION(decline_time);
}

static void on_release(struct exchange *x) {
        struct pool_binding *own = own_binding(x, x->message->ciaddr);

        if (!own || own->state != POOL_BOUND) {
                say_silent(x, "it does not hold that address");
                return;
        }
        pool_release(x->server->pool, own, x->now);
        actions_persist(x, own);
        say_lease(x, EVENT_LEASE_RELEASED, own->record.address);
}

/* RFC 2131 4.3.3: somebody else uses it; nobody gets it for a while. */
static void on_decline(struct exchange *x) {
        ip4_t address = dhcp4_option_be32(x->message, DHCP4_REQUESTED_ADDRESS);
        struct pool_binding *own = own_binding(x, address);

        if (!own) {
                say_silent(x, "it does not hold that address");
                return;
        }
        pool_decline(x->server->pool, own, x->now, x->now + decline_time);
        actions_persist(x, own);
        say_lease(x, EVENT_LEASE_DECLINED, address);
}

/* RFC 2131 4.3.5: no address, no times. */
static void on_inform(struct exchange *x) {
        if (x->message->ciaddr == 0) {
                say_silent(x, "it does not say its address");
                return;
        }
        send_reply(x, &(struct reply){ .type = DHCP4_ACK });
}

/* RFC 1534 2, RFC 951: a lease without an end, for those who know of none. */
static void on_bootp(struct exchange *x) {
        struct pool_binding *binding;

        if (!x->host && !x->subnet->bootp) {
                say_silent(x, "it speaks BOOTP; allow that with bootp: true");
                return;
        }
        binding = choose(x, 0);
        if (!binding) {
                say_exhausted(x);
                return;
        }
        say_decided(x);
        bind(x, binding, NSEC_NEVER);
        send_reply(x, &(struct reply){ .type = DHCP4_BOOTP,
                                       .address = binding->record.address,
                                       .durable = true });
}

static void serve(struct exchange *x) {
        static void (*const handlers[DHCP4_N_TYPES])(struct exchange *) = {
                [DHCP4_BOOTP] = on_bootp,     [DHCP4_DISCOVER] = on_discover,
                [DHCP4_REQUEST] = on_request, [DHCP4_DECLINE] = on_decline,
                [DHCP4_RELEASE] = on_release, [DHCP4_INFORM] = on_inform,
        };

        if (x->received->port == DHCP4_BINL_PORT) {
                /* Some firmware asks here even when the offer said not to. */
                proxy_recv(x);
                return;
        }
        say_received(x);
        if (!x->subnet)
                say_silent(x, "no subnet is configured for this network");
        else if (handlers[x->message->type])
                handlers[x->message->type](x);
        else
                say_silent(x, "only a server sends that");
}

/* ---- entry ---- */

static void drop(struct dhcp4_server *server, const struct dhcp4_received *received,
                 enum dhcp4_drop why, struct dhcp4_actions *out) {
        const struct dhcp4_interface *interface =
                find_interface(server, received->ifindex);
        struct event *event = actions_event(out, EVENT_DHCP_DROPPED);

        server->n_dropped[why]++;
        event->address = received->from;
        event->values[0] = (struct event_value)EVENT_BYTES(received->n);
        event->values[1] = (struct event_value)EVENT_TEXT(
                interface ? actions_text(out, interface->name, NULL) : "?");
        event->values[2] = (struct event_value)EVENT_TEXT(dhcp4_drop_text(why));
}

/* False, with the reason, for what is no request to us. */
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

/* The address the client says it has. Beside another server its REQUEST, which is
 * broadcast, tells which one it is about to have: all we ever learn of it. */
static ip4_t address_of(const struct exchange *x) {
        const struct dhcp4_message *m = x->message;

        if (m->ciaddr == 0 && m->type == DHCP4_REQUEST && x->server->config.is_proxy)
                return dhcp4_option_be32(m, DHCP4_REQUESTED_ADDRESS);
        return m->ciaddr;
}

void dhcp4_server_recv(struct dhcp4_server *server,
                       const struct dhcp4_received *received,
                       struct dhcp4_actions *out) {
        struct exchange x = { .server = server,
                              .received = received,
                              .message = &server->message,
                              .interface = find_interface(server, received->ifindex),
                              .now = received->now,
                              .out = out };
        enum dhcp4_drop why;

        out->n = out->n_texts = 0;
        server->n_received++;
        if (!is_request(server, received, &why)) {
                drop(server, received, why, out);
                return;
        }
        identify(&x);
        say_seen(&x, address_of(&x));
        if (server->config.is_proxy)
                proxy_recv(&x);
        else
                serve(&x);
}

nsec_t dhcp4_server_next(const struct dhcp4_server *server) {
        return pool_next(server->pool);
}

void dhcp4_server_tick(struct dhcp4_server *server, nsec_t now,
                       struct dhcp4_actions *out) {
        struct pool_binding *binding;
        enum pool_state was;

        out->n = out->n_texts = 0;
        while (out->n + 2 <= DHCP4_ACTIONS_MAX &&
               (binding = pool_expire(server->pool, now, &was))) {
                struct event *event;

                /* An offer that nobody took leaves the disk as it was, unless it was
                 * made of an older lease, which is over as well. */
                if (was != POOL_OFFERED)
                        out->items[out->n++] =
                                (struct dhcp4_action){ .kind = DHCP4_PERSIST,
                                                       .record = binding->record };
                if (was != POOL_BOUND)
                        continue;
                event = actions_event(out, EVENT_LEASE_EXPIRED);
                event->mac = binding->record.mac;
                event->address = binding->record.address;
                event->values[0] =
                        (struct event_value)EVENT_IP4(binding->record.address);
        }
}

struct listing {
        dhcp4_lease_fn fn;
        void *userdata;
};

static void list_one(const struct pool_binding *binding, void *userdata) {
        const struct listing *listing = userdata;

        if (binding->was_stored)
                listing->fn(&binding->record, listing->userdata);
}

void dhcp4_server_leases(const struct dhcp4_server *server, dhcp4_lease_fn fn,
                         void *userdata) {
        struct listing listing = { fn, userdata };

        pool_each(server->pool, list_one, &listing);
}

void dhcp4_server_json(const struct dhcp4_server *server, struct text *out) {
        text_char(out, '{');
        text_json_pair_u64(out, "received", server->n_received);
        text_json_key(out, "dropped");
        text_char(out, '{');
        for (unsigned i = 0; i < DHCP4_N_DROPS; i++)
                if (server->n_dropped[i])
                        text_json_pair_u64(out, dhcp4_drop_text((enum dhcp4_drop)i),
                                           server->n_dropped[i]);
        text_add(out, "}}");
}
