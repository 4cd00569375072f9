#pragma once
/*
 * The DHCPv4 server (RFC 2131, 2132, 951) and the proxyDHCP server beside somebody
 * else's (PXE 2.1, ports 67 and 4011), without a socket or a clock: a datagram and the
 * time go in, ordered actions come out.
 *
 * Leases live in here (lease/pool.h); before an address is acknowledged its record
 * goes out as PERSIST, and the SEND behind it is marked `durable`: whoever executes the
 * actions holds such a message back until the record is on disk. What to boot is asked
 * of policy_decide() alone. A client that never had a lease is offered nothing while
 * DHCP4_OFFERS_MAX offers are open.
 *
 * `now` is in nanoseconds since 1970. Nothing here blocks; memory is bounded by the
 * pools and by DHCP4_OFFERS_MAX.
 */
#include "base/event.h"
#include "lease/lease.h"
#include "policy/policy.h"

struct dhcp4_option {
        uint8_t code, n;
        uint8_t data[255];
};

struct dhcp4_range {
        ip4_t first, last;
};

struct dhcp4_subnet {
        ip4_t network, mask;
        const struct dhcp4_range *pools;
        size_t n_pools;
        bool bootp;
        nsec_t lease_time, max_lease_time;
        const struct dhcp4_option *options;
        size_t n_options;
        ip4_t next_server;
        const char *filename;
};

struct dhcp4_host {
        struct mac mac;
        ip4_t address;
        const char *hostname;
};

struct dhcp4_interface {
        char name[16];
        int ifindex;
        ip4_t address, mask;
};

struct dhcp4_config {
        bool is_proxy;
        bool authoritative;
        const struct dhcp4_interface *interfaces;
        size_t n_interfaces;
        const struct dhcp4_subnet *subnets;
        size_t n_subnets;
        const struct dhcp4_host *hosts;
        size_t n_hosts;
        struct policy_rules rules;
};

struct dhcp4_received {
        const uint8_t *data;
        size_t n;
        int ifindex;
        ip4_t from, to;           /* `to` may be a broadcast */
        uint16_t from_port, port; /* `port` is ours: 67 or 4011 */
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
        int ifindex;
        ip4_t from, to;
        uint16_t from_port, port;
        struct mac mac;
        size_t n;
        uint8_t data[1500];
};

enum dhcp4_action_kind { DHCP4_SEND, DHCP4_PERSIST, DHCP4_EVENT, DHCP4_SEEN };

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
        };
};

/* In order. Texts of events lie in the same object and live as long as it does. */
enum { DHCP4_ACTIONS_MAX = 10, DHCP4_TEXTS_MAX = 4096, DHCP4_OFFERS_MAX = 4096 };
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

struct dhcp4_server;

/* The config is copied, all of it. -ENOMEM. */
MUST_USE int dhcp4_server_new(const struct dhcp4_config *config,
                              struct dhcp4_server **ret);
struct dhcp4_server *dhcp4_server_free(struct dhcp4_server *server);
/* A reload: leases stay, also those outside the new pools, until they end. */
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

typedef void (*dhcp4_lease_fn)(const struct lease_record *lease, void *userdata);
void dhcp4_server_leases(const struct dhcp4_server *server, dhcp4_lease_fn fn,
                         void *userdata);
/* {"received":N,"dropped":{"too short":N,...}} */
void dhcp4_server_json(const struct dhcp4_server *server, struct text *out);
