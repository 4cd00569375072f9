#pragma once
/*
 * What the configuration says to which DHCP client: a scope is a set of options, times
 * and a boot file; subnets, classes and hosts each have one, and all together stand in
 * the global one. A class says by its match whom it means.
 *
 * Whoever is asked first wins: the host, then the classes in their order, then the
 * pool's subnet, then the global scope. Plain values, all pointers borrowed. Pure.
 */
#include "policy/policy.h"

struct scope_option {
        uint8_t code;
        bool is_forced; /* sent to clients that did not ask for it (option 55) too */
        uint16_t n;     /* may be more than 255: split on the wire (RFC 3396) */
        const uint8_t *data;
};

/* A member that is 0, NULL or "" says nothing. */
struct scope {
        const struct scope_option *options;
        size_t n_options;
        nsec_t lease_time;                     /* for a client that asks for no time */
        nsec_t min_lease_time, max_lease_time; /* what one that asks can get */
        nsec_t renewal_time, rebinding_time;   /* T1 and T2; else 1/2 and 7/8 */
        ip4_t next_server;                     /* siaddr */
        const char *filename;
        const char *server_name; /* sname */
        uint8_t loader;          /* enum policy_kind; AUTO says nothing */
        enum policy_secure secure_boot;
        nsec_t reply_delay; /* answers wait for so long */
};

/* ---- whom ---- */

/* With '*' and '?' as in a shell; what begins with 0x is bytes in hexadecimal. */
struct scope_texts {
        const char *const *items;
        size_t n;
};

struct scope_numbers {
        const uint16_t *items;
        size_t n;
};

struct scope_prefix { /* of a MAC */
        uint8_t n;    /* bytes */
        uint8_t b[6];
};

struct scope_prefixes {
        const struct scope_prefix *items;
        size_t n;
};

struct scope_network { /* one address has the mask 255.255.255.255 */
        ip4_t network, mask;
};

struct scope_networks {
        const struct scope_network *items;
        size_t n;
};

/* Every list that is not empty must have something that fits. All empty: nobody. */
struct scope_match {
        struct scope_texts vendor_class, user_class; /* options 60 and 77 */
        struct scope_texts client_id;                /* option 61 */
        struct scope_texts circuit_id, remote_id;    /* option 82, 1 and 2 */
        struct scope_texts host;   /* the name of its entry in `hosts` */
        struct scope_numbers arch; /* option 93 */
        struct scope_prefixes mac;
        struct scope_networks relay;  /* giaddr */
        struct scope_networks subnet; /* where it asks for an address */
};

/* What a match looks at. */
struct scope_client {
        const struct policy_facts *facts; /* MAC, classes, architecture */
        struct span client_id, user_class, circuit_id, remote_id;
        ip4_t relay;      /* 0: none */
        ip4_t address;    /* any of its subnet; 0: unknown */
        const char *host; /* NULL: it has no entry */
};
bool scope_matches(const struct scope_match *match, const struct scope_client *client);
/* One pattern of scope_texts. */
bool scope_glob(const char *pattern, struct span value);

/* ---- where ---- */

struct scope_pool {
        ip4_t first, last;               /* both included */
        bool bootp;                      /* for BOOTP clients too */
        struct scope_texts only, except; /* names of classes */
};

struct scope_subnet {
        ip4_t network, mask; /* mask 0: that of the interface the first pool is on */
        const struct scope_pool *pools;
        size_t n_pools;
        bool bootp; /* all its pools are for BOOTP clients too */
        /* Subnets of one name are one wire; so are all that an interface has addresses
         * of, or that name it. "": neither. */
        const char *shared_network;
        const char *interface;
        struct scope_networks relays; /* that speak for it from outside (giaddr) */
        struct scope scope;
};

struct scope_class {
        const char *name;
        struct scope_match match;
        struct scope scope;
};

/* One machine; known by any of what is not empty. */
struct scope_host {
        struct mac mac; /* zero: not by its MAC */
        bool has_uuid;
        struct uuid uuid;
        struct span client_id, circuit_id;
        ip4_t address;        /* 0: one from the pools */
        const char *hostname; /* "" */
        bool is_ignored;      /* never answered */
        struct scope scope;
};

/* ---- the boot menu of firmware itself (PXE 2.1 2.2.3 to 2.2.5) ---- */

struct scope_pxe_item {
        uint16_t type; /* PXE 2.1 table: 0 is the local disk */
        const char *title;
        const char *file; /* "": the automatic choice */
        ip4_t server;     /* 0: this one */
};

struct scope_pxe {
        const char *prompt; /* "": none */
        nsec_t timeout;     /* of the prompt; 0: at once, NSEC_NEVER: wait */
        const struct scope_pxe_item *items;
        size_t n_items;    /* 0: no menu of firmware's, the loader brings ours */
        bool is_automatic; /* two items of our own making, when there are none */
};
