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

/* ---- life ---- */

int dhcp4_server_configure(struct dhcp4_server *server,
                           const struct dhcp4_config *config) {
        int r = sites_configure(&server->sites, server->pool, config);

        if (r == 0)
                server->config = *config;
        return r;
}

int dhcp4_server_new(const struct dhcp4_config *config, struct dhcp4_server **ret) {
        struct dhcp4_server *server = calloc(1, sizeof(*server));
        int r;

        if (!server)
                return -ENOMEM;
        list_init(&server->held);
        for (size_t i = 0; i < HELD_BUCKETS; i++)
                list_init(&server->held_by_address[i]);
        r = pool_new(&server->pool);
        if (r == 0)
                r = adapt_new(&server->adapt);
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
        hold_done(server);
        pool_free(server->pool);
        adapt_free(server->adapt);
        sites_done(&server->sites);
        free(server);
        return NULL;
}

int dhcp4_server_load(struct dhcp4_server *server, const struct lease_record *record) {
        return pool_load(server->pool, record);
}

void dhcp4_server_load_habit(struct dhcp4_server *server,
                             const struct adapt_habit *habit) {
        adapt_load(server->adapt, habit);
}

/* ---- addresses ---- */

static nsec_t end_of(nsec_t now, nsec_t lifetime) {
        return lifetime >= NSEC_NEVER - now ? NSEC_NEVER : now + lifetime;
}

static struct pool_binding *own_in_pools(struct exchange *x) {
        struct pool_request request;

        exchange_ranges(x, &request);
        return pool_find(x->server->pool, &request);
}

/* May this client hold one more offer? Not when its card or its port holds many under
 * other names already. Says so when not. */
static bool may_be_offered(struct exchange *x, const struct pool_binding *own) {
        const struct pool *pool = x->server->pool;

        /* Has a lease, had one, or holds an offer; an offer that came to nothing is
         * none, or a crowd of invented clients would only have to ask twice. */
        if (own && (own->was_stored || own->state == POOL_OFFERED))
                return true;
        if (pool_n_offered_to(pool, &x->client) >= DHCP4_OFFERS_PER_MAC)
                say_silent(x, "this MAC holds many offers under other identifiers");
        else if (pool_n_offered_at(pool, &x->client) >= DHCP4_OFFERS_PER_PORT)
                say_silent(x, "this port of the relay holds many offers already");
        else
                return true;
        return false;
}

/* The address to offer; NULL when there is none, which is said. */
static struct pool_binding *choose(struct exchange *x, ip4_t wanted) {
        struct pool *pool = x->server->pool;
        nsec_t until = x->now + x->server->config.offer_time;
        struct pool_binding *own;
        struct pool_request request;

        if (x->host_address) {
                own = pool_take(pool, x->site->subnet->network, x->host_address,
                                &x->client, x->now, until);
        } else {
                exchange_ranges(x, &request);
                request.wanted = wanted;
                request.until = until;
                request.lapse = until - DHCP4_OFFER_LEAST * NSEC_PER_SEC;
                own = pool_find(pool, &request);
                if (!may_be_offered(x, own))
                        return NULL;
                request.is_crowded = pool_n_offered(pool) >= DHCP4_OFFERS_MAX;
                own = pool_offer(pool, &request);
        }
        if (!own)
                say_exhausted(x);
        return own;
}

/* RFC 2131 2.2: must the wire be asked first whether somebody has this address? An
 * address that is reserved is not looked for: there is no other to offer instead. */
static bool must_wait(struct exchange *x, struct pool_binding *binding) {
        if (x->server->config.probe_time == 0 || binding->state != POOL_OFFERED ||
            binding->was_probed || x->host_address)
                return false;
        if (!hold_request(x, binding))
                say_silent(x, "too many addresses are being probed");
        return true;
}

static void remember_client(struct exchange *x, struct pool_binding *binding) {
        char hostname[LEASE_HOSTNAME_MAX];

        dhcp4_option_text(x->message, DHCP4_HOST_NAME, hostname, sizeof(hostname));
        pool_name(x->server->pool, binding, x->facts.mac, hostname);
}

/* Never sooner than was promised before: the client may not hear of the shorter time,
 * and goes on as it was told. */
static nsec_t end_of_lease(const struct exchange *x, const struct pool_binding *binding,
                           nsec_t lifetime) {
        nsec_t ends = end_of(x->now, lifetime);

        return binding->stored == LEASE_BOUND ? max_u64(ends, binding->ends) : ends;
}

static void bind(struct exchange *x, struct pool_binding *binding, nsec_t lifetime) {
        struct event *event;
        char hostname[LEASE_HOSTNAME_MAX];

        remember_client(x, binding);
        pool_bind(x->server->pool, binding, x->now, end_of_lease(x, binding, lifetime));
        actions_persist(x->out, binding);
        dhcp4_option_text(x->message, DHCP4_HOST_NAME, hostname, sizeof(hostname));
        event = actions_event(x->out, EVENT_LEASE_BOUND);
        event->mac = x->facts.mac;
        event->address = binding->address;
        event->values[0] = (struct event_value)EVENT_IP4(binding->address);
        event->values[1] = (struct event_value)EVENT_DURATION(lifetime);
        event->values[2] =
                (struct event_value)EVENT_TEXT(actions_text(x->out, hostname, NULL));
}

static void refuse(struct exchange *x, const char *why) {
        if (x->server->config.authoritative)
                send_reply(x, &(struct reply){ .type = DHCP4_NAK, .error = why });
        else
                say_silent(x, why);
}

static void took_step(struct exchange *x, enum adapt_step step) {
        struct adapt_habit habit;

        if (x->form.form &&
            adapt_step(x->server->adapt, x->facts.mac, step, x->now, &habit))
                actions_new(x->out, DHCP4_REMEMBER)->habit = habit;
}

/* ---- RFC 2131 4.3, message by message ---- */

/* RFC 2131 4.3.1: the address it has, else had, else asks for, else any; held for it
 * until it answers or the offer lapses. */
static void on_discover(struct exchange *x) {
        ip4_t wanted = dhcp4_option_be32(x->message, DHCP4_REQUESTED_ADDRESS);
        struct pool_binding *binding = choose(x, wanted);

        if (!binding || must_wait(x, binding))
                return;
        exchange_settle(x, exchange_site_of(x, binding->address));
        say_decided(x);
        say_adapted(x);
        send_reply(x, &(struct reply){ .type = DHCP4_OFFER,
                                       .address = binding->address,
                                       .lifetime = exchange_lifetime(x) });
}

/* A lease that has most of its time left is acknowledged as it is: machines that boot
 * ask two or three times in a minute, and the disk need not hear of it each time. */
static bool is_fresh(const struct exchange *x, const struct pool_binding *binding,
                     nsec_t lifetime) {
        nsec_t left = binding->ends == NSEC_NEVER ? NSEC_NEVER
                      : binding->ends > x->now    ? binding->ends - x->now
                                                  : 0;

        return binding->state == POOL_BOUND && binding->was_stored &&
               binding->starts <= x->now && left <= lifetime &&
               left >= lifetime - lifetime / 4 &&
               mac_is_equal(binding->mac, x->facts.mac) &&
               pool_is_named(binding, dhcp4_option(x->message, DHCP4_HOST_NAME));
}

static void acknowledge(struct exchange *x, struct pool_binding *binding) {
        nsec_t lifetime;

        exchange_settle(x, exchange_site_of(x, binding->address));
        lifetime = exchange_lifetime(x);
        if (is_fresh(x, binding, lifetime))
                lifetime = binding->ends == NSEC_NEVER ? NSEC_NEVER
                                                       : binding->ends - x->now;
        else
                bind(x, binding, lifetime);
        took_step(x, ADAPT_REQUESTED);
        send_reply(x, &(struct reply){ .type = DHCP4_ACK,
                                       .address = binding->address,
                                       .lifetime = lifetime,
                                       .durable = true });
}

/* Given to this client in the configuration, or to nobody. */
static bool may_have(const struct exchange *x, ip4_t address) {
        if (x->host_address)
                return x->host_address == address;
        return sites_reserved(&x->server->sites, address) == UINT32_MAX;
}

static bool is_on_wire(const struct exchange *x, ip4_t address) {
        const struct site *site = exchange_site_of(x, address);

        return site && site->wire == x->site->wire;
}

/* In a pool that this client may use. */
static bool is_in_pools(struct exchange *x, ip4_t address) {
        size_t range = pool_range_of(x->server->pool, address);
        struct pool_request request;

        exchange_ranges(x, &request);
        for (size_t i = 0; i < request.n_ranges; i++)
                if (request.ranges[i] == range)
                        return true;
        return false;
}

/* A lease that still runs is its client's, wherever the pools are by now. One that was
 * given to the card, whatever identifier it used, is still the card's when the
 * reservation that made it so is gone. */
static bool is_running(const struct exchange *x, const struct pool_binding *binding) {
        return binding && binding->state == POOL_BOUND && binding->ends > x->now &&
               (pool_client_is(binding, &x->client) ||
                pool_client_is(binding, &(struct pool_client){ .mac = x->facts.mac }));
}

/* The client's binding of this address, or a new one when it may have it. */
static struct pool_binding *binding_for(struct exchange *x, ip4_t address) {
        struct pool *pool = x->server->pool;
        struct pool_binding *binding = pool_at(pool, address);

        if (!may_have(x, address))
                return NULL;
        if (is_running(x, binding))
                return binding;
        if (!x->host_address && !is_in_pools(x, address))
                return NULL;
        if (binding && binding->state <= POOL_BOUND && !binding->is_held &&
            pool_client_is(binding, &x->client))
                return binding;
        return pool_take(pool, exchange_site_of(x, address)->subnet->network, address,
                         &x->client, x->now, x->now + x->server->config.offer_time);
}

/* RFC 2131 4.3.2, SELECTING: an offer was taken, ours or another's. */
static void on_selecting(struct exchange *x, ip4_t server) {
        ip4_t wanted = dhcp4_option_be32(x->message, DHCP4_REQUESTED_ADDRESS);
        struct pool_binding *own;

        if (!exchange_is_us(x, server)) {
                own = own_in_pools(x);
                if (own && own->state == POOL_OFFERED)
                        pool_release(x->server->pool, own, x->now);
                others_heard(x, server, wanted);
                say_silent(x, "the client took another server's offer");
                return;
        }
        own = is_on_wire(x, wanted) ? binding_for(x, wanted) : NULL;
        if (own)
                acknowledge(x, own);
        else
                refuse(x, "that address was not offered");
}

/* RFC 2131 4.3.2, INIT-REBOOT (by option 50) and RENEWING or REBINDING (by ciaddr). */
static void on_again(struct exchange *x, ip4_t address) {
        struct pool_binding *own;

        if (!is_on_wire(x, address)) {
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

/* RFC 2131 4.3.6: table 4 tells the states apart. */
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

/* RFC 2131 table 5: RELEASE and DECLINE name the server they are for. */
static bool is_for_us(const struct exchange *x) {
        ip4_t server = dhcp4_option_be32(x->message, DHCP4_SERVER_ID);

        return server == 0 || exchange_is_us(x, server);
}

static struct pool_binding *own_lease(struct exchange *x, ip4_t address) {
        struct pool_binding *binding = pool_at(x->server->pool, address);

        if (!is_for_us(x))
                say_silent(x, "it is for another server");
        else if (!binding || binding->state != POOL_BOUND ||
                 !pool_client_is(binding, &x->client))
                say_silent(x, "it does not hold that address");
        else
                return binding;
        return NULL;
}

/* RFC 2131 4.3.4: free for others, but remembered, so that its client finds it again.
 */
static void on_release(struct exchange *x) {
        struct pool_binding *own = own_lease(x, x->message->ciaddr);

        if (!own)
                return;
        pool_release(x->server->pool, own, x->now);
        actions_persist(x->out, own);
        say_lease(x, EVENT_LEASE_RELEASED, own->address, 0, NULL);
}

/* One that declines everything would empty the pool: some an hour are believed. */
static bool is_believed(struct exchange *x) {
        struct mac mac = x->facts.mac;
        struct decliner *d =
                &x->server->decliners[(mac.b[3] ^ mac.b[4] * 3u ^ mac.b[5] * 7u) %
                                      DECLINERS_MAX];

        if (!mac_is_equal(d->mac, mac) || x->now < d->since ||
            x->now - d->since > 3600 * NSEC_PER_SEC)
                *d = (struct decliner){ mac, x->now, 0 };
        return d->n++ < DHCP4_DECLINES_MAX;
}

/* RFC 2131 4.3.3: somebody else uses it; nobody gets it for a while. */
static void on_decline(struct exchange *x) {
        ip4_t address = dhcp4_option_be32(x->message, DHCP4_REQUESTED_ADDRESS);
        struct pool_binding *own = own_lease(x, address);
        nsec_t rest = x->server->config.decline_time;

        if (!own)
                return;
        if (!is_believed(x)) {
                say_silent(x, "it has declined several addresses within the hour");
                return;
        }
        pool_decline(x->server->pool, own, x->now, end_of(x->now, rest));
        actions_persist(x->out, own);
        say_lease(x, EVENT_LEASE_DECLINED, address, rest, NULL);
}

/* RFC 2131 4.3.5: no address, no times. */
static void on_inform(struct exchange *x) {
        if (x->message->ciaddr == 0) {
                say_silent(x, "it does not say its address");
                return;
        }
        exchange_settle(x, x->site);
        send_reply(x, &(struct reply){ .type = DHCP4_ACK });
}

/* RFC 1534 2, RFC 951: a lease without an end, for those who know of none. */
static void on_bootp(struct exchange *x) {
        struct pool_binding *binding;
        struct pool_request request;

        exchange_ranges(x, &request);
        if (!x->host_address && request.n_ranges == 0) {
                say_silent(x, "it speaks BOOTP; allow that with bootp: true");
                return;
        }
        binding = choose(x, 0);
        if (!binding || must_wait(x, binding))
                return;
        exchange_settle(x, exchange_site_of(x, binding->address));
        say_decided(x);
        if (!is_fresh(x, binding, NSEC_NEVER))
                bind(x, binding, NSEC_NEVER);
        send_reply(x, &(struct reply){ .type = DHCP4_BOOTP,
                                       .address = binding->address,
                                       .durable = true });
}

static void serve(struct exchange *x) {
        static void (*const handlers[DHCP4_N_TYPES])(struct exchange *) = {
                [DHCP4_BOOTP] = on_bootp,     [DHCP4_DISCOVER] = on_discover,
                [DHCP4_REQUEST] = on_request, [DHCP4_DECLINE] = on_decline,
                [DHCP4_RELEASE] = on_release, [DHCP4_INFORM] = on_inform,
        };

        /* Some firmware asks the boot server even when the offer said not to. */
        if (proxy_is_asked(x)) {
                proxy_recv(x);
                return;
        }
        say_received(x);
        if (x->host && x->host->is_ignored)
                say_silent(x, "the configuration says to ignore this host");
        else if (!x->site)
                say_silent(x, "no subnet is configured for this network");
        else if (handlers[x->message->type])
                handlers[x->message->type](x);
        else
                say_silent(x, "only a server sends that");
}

/* ---- entry ---- */

static void drop(struct exchange *x, enum dhcp4_drop why) {
        struct event *event = actions_event(x->out, EVENT_DHCP_DROPPED);

        x->server->n_dropped[why]++;
        event->address = x->received->from;
        event->values[0] = (struct event_value)EVENT_BYTES(x->received->n);
        event->values[1] = (struct event_value)EVENT_TEXT(
                x->interface ? actions_text(x->out, x->interface->name, NULL) : "?");
        event->values[2] = (struct event_value)EVENT_TEXT(dhcp4_drop_text(why));
}

/* The address the client says it has. Beside another server its REQUEST, which is
 * broadcast, tells which one it is about to have: all we ever learn of it. */
static ip4_t address_of(const struct exchange *x) {
        const struct dhcp4_message *m = x->message;

        if (m->ciaddr == 0 && m->type == DHCP4_REQUEST && x->server->config.is_proxy)
                return dhcp4_option_be32(m, DHCP4_REQUESTED_ADDRESS);
        return m->ciaddr;
}

static void say_seen(struct exchange *x) {
        struct dhcp4_action *action = actions_new(x->out, DHCP4_SEEN);

        action->seen.facts = x->facts;
        action->seen.facts.is_proxy = x->server->config.is_proxy;
        action->seen.facts.server = x->local;
        action->seen.facts.filename = NULL;
        action->seen.is_discover = x->message->type == DHCP4_DISCOVER;
        action->seen.address = address_of(x);
}

static void receive(struct dhcp4_server *server, const struct dhcp4_received *received,
                    bool is_replay, struct dhcp4_actions *out) {
        struct exchange x;
        enum dhcp4_drop why;

        if (!exchange_begin(&x, server, received, out, &why)) {
                drop(&x, why);
                return;
        }
        x.is_replay = is_replay;
        if (!is_replay)
                say_seen(&x);
        if (server->config.is_proxy)
                proxy_recv(&x);
        else
                serve(&x);
}

void dhcp4_server_recv(struct dhcp4_server *server,
                       const struct dhcp4_received *received,
                       struct dhcp4_actions *out) {
        out->n = out->n_texts = 0;
        if (received->port == DHCP4_CLIENT_PORT) {
                others_recv(server, received, out);
                return;
        }
        server->n_received++;
        receive(server, received, false, out);
}

/* ---- time ---- */

nsec_t dhcp4_server_next(const struct dhcp4_server *server) {
        return min_u64(pool_next(server->pool), hold_next(server));
}

/* Goes on with a request whose probe is over. */
static void replay(struct dhcp4_server *server, struct held *held, nsec_t now,
                   struct dhcp4_actions *out) {
        struct dhcp4_received received = *held_request(held);

        received.now = now;
        receive(server, &received, true, out);
        held_free(held);
}

static bool release_held(struct dhcp4_server *server, nsec_t now,
                         struct dhcp4_actions *out) {
        struct held *held = hold_take(server, now, 0);
        struct pool_binding *binding;

        if (!held)
                return false;
        binding = pool_at(server->pool, held_address(held));
        if (binding && binding->is_held) {
                binding->is_held = false;
                binding->was_probed = true;
        }
        replay(server, held, now, out);
        return true;
}

void dhcp4_server_tick(struct dhcp4_server *server, nsec_t now,
                       struct dhcp4_actions *out) {
        struct pool_binding *binding;
        enum pool_state was;

        out->n = out->n_texts = 0;
        if (release_held(server, now, out))
                return;
        while (out->n + 2 <= DHCP4_ACTIONS_MAX &&
               (binding = pool_expire(server->pool, now, &was))) {
                struct event *event;

                /* An offer that nobody took leaves the disk as it was, unless it was
                 * made of an older lease, which is over as well. */
                if (was != POOL_OFFERED)
                        actions_persist(out, binding);
                if (was != POOL_BOUND)
                        continue;
                event = actions_event(out, EVENT_LEASE_EXPIRED);
                event->mac = binding->mac;
                event->address = binding->address;
                event->values[0] = (struct event_value)EVENT_IP4(binding->address);
        }
}

/* ---- what others tell ---- */

static void say_conflict(struct dhcp4_server *server,
                         const struct pool_binding *binding, struct mac who,
                         struct dhcp4_actions *out) {
        struct event *event = actions_event(out, EVENT_ADDRESS_CONFLICT);
        char mac[MAC_TEXT_MAX];

        event->address = binding->address;
        event->values[0] = (struct event_value)EVENT_IP4(binding->address);
        event->values[1] = (struct event_value)EVENT_TEXT(
                mac_is_zero(who) ? "somebody"
                                 : actions_text(out, mac_format(who, mac), NULL));
        event->values[2] =
                (struct event_value)EVENT_DURATION(server->config.decline_time);
}

void dhcp4_server_probed(struct dhcp4_server *server, ip4_t address, struct mac who,
                         nsec_t now, struct dhcp4_actions *out) {
        struct pool_binding *binding = pool_at(server->pool, address);
        struct held *held;

        out->n = out->n_texts = 0;
        /* Its own client may well answer: it has the address from before. */
        if (!binding || !binding->is_held || mac_is_equal(binding->mac, who))
                return;
        held = hold_take(server, now, address);
        say_conflict(server, binding, who, out);
        pool_decline(server->pool, binding, now,
                     end_of(now, server->config.decline_time));
        actions_persist(out, binding);
        if (held)
                replay(server, held, now, out);
}

void dhcp4_server_fetched(struct dhcp4_server *server, struct mac mac, nsec_t now,
                          struct dhcp4_actions *out) {
        struct adapt_habit habit;

        out->n = out->n_texts = 0;
        if (adapt_step(server->adapt, mac, ADAPT_FETCHED, now, &habit))
                actions_new(out, DHCP4_REMEMBER)->habit = habit;
}

int dhcp4_server_release(struct dhcp4_server *server, ip4_t address, nsec_t now,
                         struct dhcp4_actions *out) {
        struct pool_binding *binding = pool_at(server->pool, address);
        struct event *event;

        out->n = out->n_texts = 0;
        if (!binding ||
            (binding->state != POOL_BOUND && binding->state != POOL_DECLINED))
                return -ENOENT;
        pool_release(server->pool, binding, now);
        actions_persist(out, binding);
        event = actions_event(out, EVENT_LEASE_RELEASED);
        event->mac = binding->mac;
        event->address = address;
        event->values[0] = (struct event_value)EVENT_IP4(address);
        return 0;
}

int dhcp4_server_import(struct dhcp4_server *server, const struct lease_record *record,
                        nsec_t now, struct dhcp4_actions *out) {
        struct pool_binding *binding = pool_at(server->pool, record->address);
        struct pool_client client = { record->mac, record->client_id,
                                      record->n_client_id, 0 };
        struct lease_record taken = *record;
        int at = sites_at(&server->sites, record->address), r;

        out->n = out->n_texts = 0;
        if (at == SITE_NONE)
                return -EDOM;
        if (binding && binding->state <= POOL_BOUND && binding->until > now &&
            !pool_client_is(binding, &client))
                return -EEXIST;
        taken.subnet = server->sites.sites[at].subnet->network;
        r = pool_load(server->pool, &taken);
        if (r == 0)
                actions_persist(out, pool_at(server->pool, record->address));
        return r;
}

/* ---- listing ---- */

struct listing {
        dhcp4_lease_fn fn;
        void *userdata;
};

static void list_one(const struct pool_binding *binding, void *userdata) {
        const struct listing *listing = userdata;
        struct lease_record record;

        if (!binding->was_stored)
                return;
        pool_record(binding, &record);
        listing->fn(&record, listing->userdata);
}

void dhcp4_server_leases(const struct dhcp4_server *server, dhcp4_lease_fn fn,
                         void *userdata) {
        struct listing listing = { fn, userdata };

        pool_each(server->pool, list_one, &listing);
}

size_t dhcp4_server_leases_page(const struct dhcp4_server *server, ip4_t after,
                                size_t n, dhcp4_lease_fn fn, void *userdata) {
        struct listing listing = { fn, userdata };

        return pool_page(server->pool, after, n, list_one, &listing);
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
