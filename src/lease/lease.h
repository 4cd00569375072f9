#pragma once
/*
 * One binding of an address to a client, as it is kept on disk and shown to people.
 * Pure.
 */
#include "base/text.h"

enum lease_state { LEASE_BOUND, LEASE_RELEASED, LEASE_DECLINED, LEASE_EXPIRED };
const char *lease_state_name(enum lease_state state); /* "bound" */
MUST_USE bool lease_state_parse(const char *name, enum lease_state *ret);

enum { LEASE_CLIENT_ID_MAX = 255, LEASE_HOSTNAME_MAX = 64 };

struct lease_record {
        ip4_t address; /* the key */
        enum lease_state state;
        struct mac mac;
        uint8_t n_client_id; /* option 61 as sent; 0: the client sent none */
        uint8_t client_id[LEASE_CLIENT_ID_MAX];
        char hostname[LEASE_HOSTNAME_MAX]; /* "" */
        nsec_t starts, ends;               /* since 1970; NSEC_NEVER: no end */
        ip4_t subnet;                      /* its network address */
};

/* One JSON object: address, mac, client_id, hostname, state, starts, ends, subnet. */
void lease_json(const struct lease_record *lease, struct text *out);
