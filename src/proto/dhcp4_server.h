#pragma once
/*
 * The DHCPv4 server (RFC 2131, 2132, 951) and the proxyDHCP server beside somebody
 * else's (PXE 2.1, ports 67 and 4011), without a socket or a clock: a datagram and the
 * time go in, ordered actions come out.
 *
 * Leases live in here (lease/pool.h); before an address is acknowledged its record
 * goes out as PERSIST, and the SEND behind it is marked `durable`: whoever executes the
 * actions holds such a message back until the record is on disk. What to boot is asked
 * of policy_decide() alone; in which form firmware is told, of policy/adapt.h. Before
 * an address is offered to a new client PROBE goes out, and the client is answered when
 * nobody has claimed the address within probe_time.
 *
 * `now` is in nanoseconds since 1970 and never goes back while a server lives: who has
 * a clock that may be set back makes up for it. Nothing here blocks; memory is bounded
 * by the leases and the bounds below.
 */
#include "base/event.h"
#include "lease/lease.h"
#include "policy/adapt.h"
#include "policy/policy.h"
#include "policy/scope.h"

/* An interface with several addresses has an entry for each, the first one first. */
struct dhcp4_interface {
        char name[16];
        int ifindex;
        ip4_t address, mask;
};

/* Everything it points to is borrowed until the next dhcp4_server_configure(). */
struct dhcp4_config {
        bool is_proxy;
        bool authoritative;
        nsec_t probe_time;   /* how long an answer is waited for; 0: no probes */
        nsec_t decline_time; /* how long an address rests that somebody else uses */
        nsec_t offer_time;   /* how long an offer holds an address */
        const struct dhcp4_interface *interfaces;
        size_t n_interfaces;
        struct scope scope; /* around all others; its lease times are not 0 */
        const struct scope_subnet *subnets; /* with their masks, none overlapping */
        size_t n_subnets;
        const struct scope_class *classes;
        size_t n_classes;
        const struct scope_host *hosts;
        size_t n_hosts;
        struct scope_pxe pxe;
        struct policy_rules rules;
};

struct dhcp4_received {
        const uint8_t *data;
        size_t n;
        int ifindex;
        ip4_t from, to;           /* `to` may be a broadcast */
        uint16_t from_port, port; /* `port` is ours: 67 or 4011; or 68: overheard */
        nsec_t now;
};

enum dhcp4_how {
        DHCP4_BROADCAST,   /* to 255.255.255.255 on the interface */
        DHCP4_UNICAST,     /* through the kernel, to an address that answers ARP */
        DHCP4_RAW_UNICAST, /* a frame to `mac`: the client cannot answer ARP yet */
};

struct dhcp4_send {
        enum dhcp4_how how;
        bool durable; /* only after every PERSIST before it is on disk */
        nsec_t delay; /* and then so much later */
        int ifindex;
        ip4_t from, to;
        uint16_t from_port, port;
        struct mac mac;
        size_t n;
        uint8_t data[1500];
};

enum dhcp4_action_kind {
        DHCP4_SEND,
        DHCP4_PERSIST,
        DHCP4_EVENT,
        DHCP4_SEEN,
        DHCP4_PROBE,    /* ask the wire whether somebody has this address */
        DHCP4_REMEMBER, /* a habit, for adapt_load() after a restart */
};

struct dhcp4_action {
        enum dhcp4_action_kind kind;
        union {
                struct dhcp4_send send;
                struct lease_record record;
                struct event event; /* time and story are left 0 */
                struct {
                        struct policy_facts facts; /* filename may be NULL */
                        bool is_discover;
                        ip4_t address; /* it says it has; 0 */
                } seen;
                struct {
                        ip4_t address;
                        ip4_t from; /* ours, on the interface */
                        int ifindex;
                        bool is_on_link; /* by ARP; else, behind a relay, by ICMP */
                } probe;
                struct adapt_habit habit;
        };
};

/* In order. Texts of events lie in the same object and live as long as it does. */
enum { DHCP4_ACTIONS_MAX = 12, DHCP4_TEXTS_MAX = 4096 };
struct dhcp4_actions {
        size_t n;
        struct dhcp4_action items[DHCP4_ACTIONS_MAX];
        size_t n_texts;
        char texts[DHCP4_TEXTS_MAX];
};

/* Why a datagram was dropped; counted. */
enum dhcp4_drop {
        DHCP4_DROP_SHORT,
        DHCP4_DROP_NOT_A_REQUEST, /* op is not BOOTREQUEST */
        DHCP4_DROP_NO_COOKIE,
        DHCP4_DROP_NOT_ETHERNET,
        DHCP4_DROP_BAD_OPTIONS,
        DHCP4_DROP_NO_INTERFACE,
        DHCP4_N_DROPS,
};
const char *dhcp4_drop_text(enum dhcp4_drop drop);

/* Bounds that keep a crowd of invented clients from costing more than their packets:
 * offers open at a time; of one MAC (under many identifiers); of one port of a switch
 * (relay and circuit id); requests held while their address is probed. An offer lapses
 * after offer_time, or as early as DHCP4_OFFER_LEAST when its pool has nothing else. */
enum {
        DHCP4_OFFERS_MAX = 16384,
        DHCP4_OFFERS_PER_MAC = 8,
        DHCP4_OFFERS_PER_PORT = 64,
        DHCP4_HELD_MAX = 4096,
        DHCP4_DECLINES_MAX = 4, /* of one client in an hour */
        DHCP4_OFFER_LEAST = 4,  /* seconds */
};

struct dhcp4_server;

/* The config is borrowed; -ENOMEM. */
MUST_USE int dhcp4_server_new(const struct dhcp4_config *config,
                              struct dhcp4_server **ret);
struct dhcp4_server *dhcp4_server_free(struct dhcp4_server *server);
/* A reload: leases stay, also those outside the new pools, until they end. -ENOMEM
 * leaves the old configuration in place, borrowed as before. */
MUST_USE int dhcp4_server_configure(struct dhcp4_server *server,
                                    const struct dhcp4_config *config);
/* At the start, a record from disk. -ENOMEM. */
MUST_USE int dhcp4_server_load(struct dhcp4_server *server,
                               const struct lease_record *record);

/* `out` is overwritten. */
void dhcp4_server_recv(struct dhcp4_server *server,
                       const struct dhcp4_received *received,
                       struct dhcp4_actions *out);
/* When something is due next (a lease or an offer ends), or NSEC_NEVER; and what it
 * brings. A tick may leave more for the next one, due at once. */
nsec_t dhcp4_server_next(const struct dhcp4_server *server);
void dhcp4_server_tick(struct dhcp4_server *server, nsec_t now,
                       struct dhcp4_actions *out);

/* Somebody answered a probe: the address is taken, rests for decline_time, and the
 * client is offered another. `who` may be zero. */
void dhcp4_server_probed(struct dhcp4_server *server, ip4_t address, struct mac who,
                         nsec_t now, struct dhcp4_actions *out);
/* A machine fetched a file: the form of the answer that it had was good. */
void dhcp4_server_fetched(struct dhcp4_server *server, struct mac mac, nsec_t now,
                          struct dhcp4_actions *out);
void dhcp4_server_load_habit(struct dhcp4_server *server,
                             const struct adapt_habit *habit);

/* What a client with these facts on that interface would boot: fills in what the
 * configuration says to it, by its host, classes and subnet. */
void dhcp4_server_explain(struct dhcp4_server *server, int ifindex,
                          struct policy_facts *facts, struct policy_decision *ret);

/* By the administrator: ends a lease. -ENOENT: there is none. */
MUST_USE int dhcp4_server_release(struct dhcp4_server *server, ip4_t address,
                                  nsec_t now, struct dhcp4_actions *out);
/* Takes over a lease from elsewhere, as a PERSIST. -EEXIST: another client holds the
 * address; -EDOM: it is in none of our subnets; -ENOMEM. */
MUST_USE int dhcp4_server_import(struct dhcp4_server *server,
                                 const struct lease_record *record, nsec_t now,
                                 struct dhcp4_actions *out);

typedef void (*dhcp4_lease_fn)(const struct lease_record *lease, void *userdata);
void dhcp4_server_leases(const struct dhcp4_server *server, dhcp4_lease_fn fn,
                         void *userdata);
/* At most n of them, in ascending order of address, those greater than `after`.
 * Returns how many. */
size_t dhcp4_server_leases_page(const struct dhcp4_server *server, ip4_t after,
                                size_t n, dhcp4_lease_fn fn, void *userdata);
/* {"received":N,"dropped":{"too short":N,...}} */
void dhcp4_server_json(const struct dhcp4_server *server, struct text *out);
