#pragma once
/*
 * The machines seen lately: the facts of each, its address, and which boot (story) it
 * is in. This is what ties a TFTP request from an address to the DISCOVER of a MAC.
 *
 * A story is one boot of one machine. Firmware that asks again after files were
 * fetched, or after five idle minutes, has been switched on again: a new story; DHCP by
 * iPXE, GRUB or the installer goes on with the old one.
 *
 * Bounded: the machine not heard of for longest goes first. Pure.
 */
#include "policy/fetch.h"
#include "policy/policy.h"

enum { MACHINES_MAX = 4096 };

struct machine {
        struct policy_facts facts; /* the last that said anything about booting */
        bool has_facts;
        ip4_t address; /* 0 until known */
        uint64_t story;
        nsec_t last;                 /* heard of */
        bool has_fetched;            /* a file, in this story */
        enum policy_dialect dialect; /* of the last menu it asked for, in this story */
        uint64_t memory;             /* bytes; 0 until known */
        bool is_lpxelinux;           /* its pxelinux is the one with HTTP */
        nsec_t wrong;                /* password: when it last typed one */
        struct fetch fetch;          /* by what its loader gets kernels */
};

struct machines;

MUST_USE int machines_new(uint64_t first_story, struct machines **ret);
struct machines *machines_free(struct machines *machines);

/* A DHCP message came. NULL only without memory. */
struct machine *machines_seen(struct machines *machines,
                              const struct policy_facts *facts, bool is_discover,
                              nsec_t now);
/* The address it uses now; an older machine with the same loses it. */
void machines_bind(struct machines *machines, struct mac mac, ip4_t address);
/* A file was asked for from an address; a machine is made up for one never heard of
 * (its DHCP is somebody else's), with a zero MAC. */
struct machine *machines_fetched(struct machines *machines, ip4_t address, nsec_t now);

/* One that was made up has told its MAC, which nobody else has. */
void machines_name(struct machines *machines, struct machine *machine, struct mac mac);

struct machine *machines_by_mac(struct machines *machines, struct mac mac);
struct machine *machines_by_address(struct machines *machines, ip4_t address);
/* Each, latest first. */
struct machine *machines_first(struct machines *machines);
struct machine *machines_next(struct machines *machines, struct machine *machine);
