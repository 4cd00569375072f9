#pragma once
/*
 * The world that DHCP stories happen in: the real server, a disk that is an array, one
 * wire and one relay, virtual time. Whatever the server says in it is held against what
 * must always be true: see check_actions() in dhcp4_world.c.
 */
#include "proto/dhcp4_server.h"
#include "proto/pxe.h"
#include "test/check.h"
#include "wire/dhcp4.h"

#define SECONDS *NSEC_PER_SEC
#define OPTION(code, n, data)                                                          \
        { code, false, n, (const uint8_t *)(data) }
#define NET(d) (0xc0a80100u + (d)) /* 192.168.1.d, the wire of LAN */
#define FAR(d) (0x0a090000u + (d)) /* 10.9.0.d, behind a relay */

enum { LAN = 2, DISK_MAX = 512, REQUEST_MAX = 2048 };

static const ip4_t us = NET(1);

/* Change what it is configured with between new_world() and world_start(), or before
 * world_reload(). */
struct world {
        struct dhcp4_server *server;
        struct dhcp4_config config;
        struct dhcp4_interface interfaces[3];
        struct scope_pool near[2], far;
        struct scope_option options[8];
        struct scope_subnet subnets[3];
        struct scope_class classes[2];
        struct scope_host hosts[2];
        nsec_t now;
        struct dhcp4_actions actions;
        struct lease_record disk[DISK_MAX];
        size_t n_disk;
        const struct dhcp4_send *send; /* of the last message, or NULL */
        struct dhcp4_message answer;
        ip4_t probed;   /* of the last message: what the wire was asked for, or 0 */
        ip4_t squatter; /* somebody who answers such a question */
};

struct world *new_world(void);
void world_start(struct world *w);
struct world *new_started(void);
void world_reload(struct world *w);
void world_restart(struct world *w);
void world_free(struct world *w);
/* Time goes by; whatever is due happens when it is due. */
void pass(struct world *w, nsec_t time);
/* What `actions` says, held against what must be true. */
void check_actions(struct world *w);
const struct event *find_event(const struct world *w, enum event_kind kind);
/* The sentence of it, for test_free(). */
char *sentence_of(const struct world *w, enum event_kind kind);

struct asking {
        enum dhcp4_type type;
        unsigned client;
        uint32_t xid;   /* 0: the client's */
        const char *id; /* option 61 */
        uint8_t n_id;
        ip4_t ciaddr, giaddr, wanted, server, from, to;
        uint16_t flags, port, from_port, max_size;
        uint32_t lease_time;
        const char *vendor_class, *user_class, *hostname;
        bool has_arch, has_uuid;
        uint16_t arch;
        uint8_t ipxe_feature; /* a sub-option of 175 */
        const char *list;     /* option 55 */
        const char *relay;    /* option 82 */
        size_t n_relay;
        ip4_t selected;     /* option 118 */
        const char *vendor; /* option 43 */
        size_t n_vendor;
        int ifindex; /* 0: LAN */
};

extern const uint8_t uuid[17];
struct mac mac_of(unsigned client);
size_t build_request(const struct asking *a, uint8_t bytes[REQUEST_MAX]);
/* Says it and hears the answer: its type, or -1 for none. */
int say(struct world *w, const struct asking *a);
int discover(struct world *w, unsigned client, ip4_t wanted);
int request(struct world *w, unsigned client, ip4_t wanted); /* SELECTING */
int init_reboot(struct world *w, unsigned client, ip4_t wanted);
int renew(struct world *w, unsigned client, ip4_t address);
int release(struct world *w, unsigned client, ip4_t address);
int decline(struct world *w, unsigned client, ip4_t address);
/* All four steps; the address, or 0. */
ip4_t dora(struct world *w, unsigned client);
struct asking pxe(enum dhcp4_type type, uint16_t arch);

bool answer_has(const struct world *w, uint8_t code, const void *data, size_t n);
