#pragma once
/*
 * Private to the DHCP server: one request on its way to an answer, and what its files
 * share. dhcp4_server.c decides who gets which address, dhcp4_proxy.c answers beside
 * another server, dhcp4_reply.c builds and routes what is sent.
 */
#include "lease/pool.h"
#include "proto/dhcp4_server.h"
#include "proto/pxe.h"
#include "wire/dhcp4.h"

struct dhcp4_server {
        struct dhcp4_config config;
        void *memory; /* everything config points to */
        struct pool *pool;
        struct dhcp4_message message;
        uint64_t n_received, n_dropped[DHCP4_N_DROPS];
};

struct exchange {
        struct dhcp4_server *server;
        const struct dhcp4_received *received;
        const struct dhcp4_message *message;
        const struct dhcp4_interface *interface;
        const struct dhcp4_subnet *subnet; /* NULL: none of ours */
        const struct dhcp4_host *host;     /* NULL: no address of its own */
        struct policy_facts facts;
        struct policy_decision decision;
        struct pool_client client;
        nsec_t now;
        struct dhcp4_actions *out;
};

/* ---- actions (dhcp4_reply.c) ---- */

/* A copy that lives as long as the actions; "" when there is no room. */
const char *actions_text(struct dhcp4_actions *out, const char *first, ...)
        __attribute__((sentinel));
struct event *actions_event(struct dhcp4_actions *out, enum event_kind kind);
void actions_persist(struct exchange *x, const struct pool_binding *binding);
void say_received(struct exchange *x);
void say_silent(struct exchange *x, const char *why);
void say_decided(struct exchange *x);

/* ---- answers (dhcp4_reply.c) ---- */

struct reply {
        enum dhcp4_type type;
        ip4_t address;   /* yiaddr; 0: none */
        nsec_t lifetime; /* 0: do not say; NSEC_NEVER: for ever */
        bool is_proxy;   /* only what to boot */
        bool durable;
        const char *error; /* NAK: for the client's log */
};
void send_reply(struct exchange *x, const struct reply *reply);

/* ---- proxyDHCP ---- */
void proxy_recv(struct exchange *x);
