#pragma once
/*
 * Private to the DHCP server: one request on its way to an answer, and what its files
 * share. dhcp4_server.c decides who gets which address, dhcp4_client.c who asks and
 * what is said to it, dhcp4_sites.c knows the configuration by every key it is looked
 * up by, dhcp4_hold.c keeps those who wait for a probe, dhcp4_proxy.c answers beside
 * another server, dhcp4_options.c fits options into a message, dhcp4_reply.c builds
 * and routes what is sent, dhcp4_say.c tells of it.
 */
#include "base/list.h"
#include "lease/pool.h"
#include "proto/dhcp4_server.h"
#include "proto/pxe.h"
#include "wire/dhcp4.h"

/* ---- the configuration, ready to be asked (dhcp4_sites.c) ---- */

enum { SITE_NONE = -1 };

/* A subnet as the server uses it. Subnets of one wire stand one after the other. */
struct site {
        const struct scope_subnet *subnet;
        uint32_t wire;
        size_t first_range; /* of its pools, which are ranges one after the other */
};

struct host_key {
        uint64_t hash; /* of an identifier and its kind */
        uint32_t host;
};

struct host_address {
        ip4_t address;
        uint32_t host;
};

struct sites {
        struct site *sites;
        size_t n_sites;
        uint32_t *by_network;            /* in the order of their networks */
        const struct scope_pool **pools; /* by range */
        size_t *allowed;                 /* room for a request's ranges */
        size_t n_ranges;
        struct host_key *keys; /* in order */
        size_t n_keys;
        struct host_address *addresses; /* in order */
        size_t n_addresses;
};

/* Makes the pool's ranges too. -ENOMEM leaves both as they were. */
MUST_USE int sites_configure(struct sites *sites, struct pool *pool,
                             const struct dhcp4_config *config);
void sites_done(struct sites *sites);
/* The site whose network holds the address; SITE_NONE. */
int sites_at(const struct sites *sites, ip4_t address);
/* The one that a relay speaks for although its address lies elsewhere. */
int sites_behind(const struct sites *sites, ip4_t relay);
/* The one whose host this address is reserved for; UINT32_MAX. */
uint32_t sites_reserved(const struct sites *sites, ip4_t address);

enum host_by { HOST_BY_CLIENT_ID, HOST_BY_UUID, HOST_BY_MAC, HOST_BY_CIRCUIT };
/* Keys of equal hash from *at on; false when there is no more. */
bool sites_next_host(const struct sites *sites, enum host_by by, struct span id,
                     size_t *at, uint32_t *ret);

/* ---- the server ---- */

enum { OTHERS_MAX = 16, DECLINERS_MAX = 256, HELD_BUCKETS = 1024 };

struct other_server {
        ip4_t address;
        int ifindex;
        nsec_t said; /* when it was last reported */
};

struct decliner {
        struct mac mac;
        nsec_t since;
        unsigned n;
};

struct dhcp4_server {
        struct dhcp4_config config; /* what it points to is borrowed */
        struct sites sites;
        struct pool *pool;
        struct adapt *adapt;
        struct list held, held_by_address[HELD_BUCKETS]; /* in the order of `due` */
        size_t n_held;
        struct other_server others[OTHERS_MAX];
        struct decliner decliners[DECLINERS_MAX];
        struct dhcp4_message message;
        uint64_t n_received, n_dropped[DHCP4_N_DROPS];
};

/* ---- one request ---- */

/* Option 82 (RFC 3046), what we understand of it. */
struct relay_information {
        struct span circuit_id, remote_id;
        ip4_t link;      /* RFC 3527 */
        ip4_t server_id; /* RFC 5107 */
};

enum { SCOPES_MAX = 24, CLASSES_MAX = 512 };

struct exchange {
        struct dhcp4_server *server;
        const struct dhcp4_received *received;
        const struct dhcp4_message *message;
        const struct dhcp4_interface *interface; /* the first of its addresses */
        ip4_t local;                             /* the address of ours that it asked */
        ip4_t server_id;                         /* what we call ourselves to it */
        struct relay_information relay;
        const struct site *site; /* where it is; NULL: nowhere of ours */
        const struct scope_host *host;
        ip4_t host_address; /* reserved for it here; 0: none */
        const struct scope_class *classes[SCOPES_MAX]; /* that it belongs to */
        size_t n_classes;
        const struct scope *scopes[SCOPES_MAX + 3]; /* who is asked first */
        size_t n_scopes;
        struct policy_facts facts;
        bool has_decision;
        nsec_t reply_delay;       /* that the configuration wants */
        struct adapt_choice form; /* .form is NULL for who does not boot */
        struct pool_client client;
        nsec_t now;
        bool is_replay; /* held back by a probe, now answered */
        struct dhcp4_actions *out;
        /* Large, and the only member that is not zero at first: see has_decision. */
        struct policy_decision decision;
};

/* Parses server->message; false, with the reason, for what is no request to us. */
bool exchange_begin(struct exchange *x, struct dhcp4_server *server,
                    const struct dhcp4_received *received, struct dhcp4_actions *out,
                    enum dhcp4_drop *ret_why);
/* What is said to it as a client of this site: scopes, decision, form. */
void exchange_settle(struct exchange *x, const struct site *site);
const struct site *exchange_site_of(const struct exchange *x, ip4_t address);
/* Is this one of our addresses, or the one that a relay gives us (RFC 5107)? */
bool exchange_is_us(const struct exchange *x, ip4_t address);
/* Where it may have an address from the pools; the ranges stay valid until the next
 * call. */
void exchange_ranges(struct exchange *x, struct pool_request *ret);

nsec_t exchange_lifetime(const struct exchange *x);

/* ---- those who wait (dhcp4_hold.c) ---- */

/* Keeps the request until the probe of its address has been silent for probe_time.
 * False: too many wait already. */
bool hold_request(struct exchange *x, struct pool_binding *binding);
nsec_t hold_next(const struct dhcp4_server *server);
/* That of an address, or for address 0 the first that is due; the caller frees it. */
struct held;
struct held *hold_take(struct dhcp4_server *server, nsec_t now, ip4_t address);
struct held *held_free(struct held *held);
const struct dhcp4_received *held_request(const struct held *held);
ip4_t held_address(const struct held *held);
void hold_done(struct dhcp4_server *server);

/* ---- answers (dhcp4_reply.c) ---- */

struct reply {
        enum dhcp4_type type;
        ip4_t address;   /* yiaddr; 0: none */
        nsec_t lifetime; /* 0: do not say; NSEC_NEVER: for ever */
        bool is_proxy;   /* only what to boot */
        bool durable;
        const char *error; /* NAK: for the client's log */
        bool has_item;     /* a boot server was asked for this item of its menu */
        uint16_t item, layer;
};
void send_reply(struct exchange *x, const struct reply *reply);

/* ---- actions and what is told of them (dhcp4_say.c) ---- */

/* A copy that lives as long as the actions; "" when there is no room. */
const char *actions_text(struct dhcp4_actions *out, const char *first, ...)
        __attribute__((sentinel));
struct dhcp4_action *actions_new(struct dhcp4_actions *out,
                                 enum dhcp4_action_kind kind);
struct event *actions_event(struct dhcp4_actions *out, enum event_kind kind);
void actions_persist(struct dhcp4_actions *out, const struct pool_binding *binding);
void say_received(struct exchange *x);
void say_silent(struct exchange *x, const char *why);
void say_decided(struct exchange *x);
void say_adapted(struct exchange *x);
void say_exhausted(struct exchange *x);
/* `missing`: the option that had no room; 0: none. */
void say_sent(struct exchange *x, const struct reply *reply, uint8_t missing);
void say_lease(struct exchange *x, enum event_kind kind, ip4_t address, nsec_t time,
               const char *text);

/* ---- fitting options in (dhcp4_options.c) ---- */

struct said {
        uint8_t code;
        bool is_first; /* before what the client's list puts in order */
        uint16_t n;
        const uint8_t *data;
};

enum { SAID_MAX = 128, SAID_BYTES_MAX = 1024 };

struct said_list {
        struct said items[SAID_MAX];
        size_t n;
        uint8_t bytes[SAID_BYTES_MAX]; /* of what is not borrowed */
        size_t n_bytes;
        uint32_t has[8];
};

/* Once each: what was said first stays. Copies `data` unless it is borrowed. */
void said_add(struct said_list *list, uint8_t code, const void *data, size_t n);
void said_borrow(struct said_list *list, uint8_t code, const void *data, size_t n);
bool said_has(const struct said_list *list, uint8_t code);
/* Everything up to here comes first, in this order. */
void said_first(struct said_list *list);
/* Behind the head in `w`, whose room is the message's: in the order of the client's
 * list (option 55), overflowing into `file` and `sname` where these are empty and
 * `may_overload`, with END and padding. Returns the code of the first that had no
 * room; 0: all had. */
uint8_t said_write(const struct said_list *list, const struct dhcp4_message *request,
                   struct writer *w, bool may_overload);

/* ---- proxyDHCP (dhcp4_proxy.c) ---- */
void proxy_recv(struct exchange *x);
/* Was a boot server of PXE asked, on either port? */
bool proxy_is_asked(const struct exchange *x);

/* ---- other servers (dhcp4_others.c) ---- */
void others_heard(struct exchange *x, ip4_t server, ip4_t offered);
/* A reply overheard on port 68. */
void others_recv(struct dhcp4_server *server, const struct dhcp4_received *received,
                 struct dhcp4_actions *out);
