#pragma once
/*
 * A world to break a DHCP server in: thousands of machines as RFC 2131 describes them,
 * wires that lose, double, delay and reorder, a disk that is slow or fails, a clock
 * that jumps, and a server that crashes between any two of its actions. All of it in
 * virtual time and out of one seed, so that what went wrong once goes wrong again.
 *
 * The server is the real one; everything else is here:
 *   sim_world.c    time, wires, disk, and the life of the server
 *   sim_machine.c  the clients
 *   sim_model.c    what must always be true, kept apart from the server's own books
 *   sim_config.c   pools, subnets and reservations, in the server's terms
 *   dhcp4_sim.c    the worlds that are tried, and the command line
 *
 * Times are true time unless their name says `server`: the server's clock is true time
 * plus world.offset, which shrinks at a start only.
 */
#include <stdio.h>

#include "proto/dhcp4_server.h"
#include "wire/dhcp4.h"

#define SECONDS *NSEC_PER_SEC
#define MSECS   *NSEC_PER_MSEC
#define MINUTES *(60 * NSEC_PER_SEC)
#define HOURS   *(3600 * NSEC_PER_SEC)

enum {
        WIRES = 6, /* 0 and 1 are ours, the others lie behind relays */
        MACHINES_MAX = 65000,
        NOBODY = 0xffff,    /* a machine that is none: an invented client */
        RESERVED_EACH = 40, /* one machine in so many has a reserved address */
        MESSAGE_ROOM = 1472,
        SIM_OFFER_LEAST = 4, /* seconds that an offer stands, whatever happens */
};
#define SIM_DECLINE_TIME (600 * NSEC_PER_SEC)

/* ---- chance ---- */

struct chance {
        uint64_t state;
};
uint64_t chance_next(struct chance *c);
uint64_t chance_below(struct chance *c, uint64_t n); /* 0 when n is 0 */
/* Between 0 and n, mostly small. */
nsec_t chance_time(struct chance *c, nsec_t n);
bool chance_hits(struct chance *c, unsigned per_million);

/* ---- what is tried ---- */

/* Chances are per million; a mean time of 0 means never. */
struct sim_params {
        const char *name;
        uint64_t seed;
        unsigned machines;
        nsec_t length;        /* of virtual time */
        uint64_t exchanges;   /* or until so many machines were bound; 0: no such end */
        unsigned loss, twice; /* of a datagram, each way */
        nsec_t delay;         /* the most a datagram is late; under 5 s */
        unsigned crash;       /* after one action */
        nsec_t down;          /* the most a server is away */
        nsec_t restart_each, jump_each, reload_each;
        nsec_t jump;       /* the farthest, forwards and back */
        nsec_t disk_delay; /* the most a commit takes; 0: none at all */
        nsec_t disk_fails_each, disk_fails_for;
        nsec_t probe_time;
        nsec_t lease_time;
        nsec_t up, off;     /* how long a machine runs and rests, on average */
        unsigned squatters; /* of the addresses in pools */
        unsigned invented;  /* clients a second */
        bool is_one_port;   /* they all come from one port of one relay's switch */
        unsigned room;      /* addresses in pools for 100 clients; 0: enough for all */
        /* of machines, or of what they do */
        unsigned bootp, broadcast, firmware, asks_time, moves, rivals, init_reboots,
                strays;
        unsigned garbage; /* of invented clients */
        bool is_silent;   /* not authoritative */
        nsec_t patience;  /* a machine is bound in this much good time; 0: maybe not */
};

struct sim_result {
        bool failed;
        char why[400];
        nsec_t at; /* since the beginning */
        uint64_t exchanges, renewals, refusals, crashes, restarts, jumps, reloads;
        uint64_t sent, lost, doubled, steps, persisted, commits, probes, squatted,
                declined, released, informed, bootp, invented, deaf, exhausted;
        nsec_t longest_wait; /* of good time, until bound */
};

void sim_run(const struct sim_params *params, bool trace, struct sim_result *ret);

/* ---- the world ---- */

enum sim_kind {
        SIM_TO_SERVER,
        SIM_TO_CLIENT,
        SIM_TIMER, /* of a machine's protocol */
        SIM_POWER, /* of its switch */
        SIM_COMMIT,
        SIM_PROBED,
        SIM_UP,
        SIM_RESTART,
        SIM_JUMP,
        SIM_RELOAD,
        SIM_DISK_FAILS,
        SIM_DISK_WORKS,
        SIM_INVENT,
};

struct sim_event {
        nsec_t at;
        uint64_t order; /* of equals */
        enum sim_kind kind;
        uint32_t who, generation;
        struct packet *packet; /* owned; or NULL */
};

/* A datagram under way, in either direction. */
struct packet {
        uint32_t machine; /* whose question or answer; NOBODY */
        unsigned wire;    /* the client's */
        enum dhcp4_type type;
        uint32_t xid;
        ip4_t address; /* yiaddr; of a question: what it is about */
        ip4_t server;  /* option 54 */
        /* to a client */
        enum dhcp4_how how;
        ip4_t to;
        uint32_t lease, t1, t2; /* seconds */
        /* to the server */
        ip4_t from;
        uint16_t from_port;
        int ifindex;
        bool is_renewal;
        size_t n;
        uint8_t data[];
};

enum machine_state {
        MACHINE_OFF,
        MACHINE_SELECTING, /* INIT is passed through at once */
        MACHINE_REQUESTING,
        MACHINE_REBOOTING,
        MACHINE_BOUND,
        MACHINE_RENEWING,
        MACHINE_REBINDING,
        MACHINE_WAITING, /* after a DECLINE or a NAK */
};

struct machine {
        enum machine_state state;
        uint8_t wire;
        uint8_t identity; /* 0: firmware's, 1: the system's */
        bool speaks_bootp, broadcast_only, has_mac_id, is_polite, has_firmware,
                has_system;
        uint32_t asks_time; /* seconds (option 51); 0: it does not */
        uint32_t generation, power_generation, n_xid;
        uint32_t xid;
        unsigned tries;
        nsec_t first_sent;
        ip4_t address[2]; /* a lease by identity; 0: none */
        ip4_t server;
        ip4_t offered; /* by the OFFER in hand */
        nsec_t t1, t2, ends[2];
        nsec_t asking_since; /* in good time */
        ip4_t offer;         /* the last one that the server made to it */
};

/* Everything known of one address, by others than the server. */
struct place {
        ip4_t address;
        bool is_on_disk, is_promised;
        struct lease_record disk;
        /* Acknowledged: the datagram has left. It ends in true time, and at once when
         * the server's clock shows ends + offset: the least that world.offset was since
         * the server said so. */
        uint32_t holder;
        nsec_t ends;
        int64_t offset;
        nsec_t free_since;          /* when its promise ended early */
        uint32_t acknowledged_to;   /* the last machine that was, */
        uint8_t identities;         /* and its identities: a mask */
        struct lease_record latest; /* from the server, on disk or not yet */
        unsigned n_records, n_audit;
        uint32_t believer; /* the machine that uses it; NOBODY */
        /* offered */
        uint32_t offered_to;
        nsec_t offered_at;
        unsigned offered_life; /* world.life then */
        bool is_offered_own;   /* its lease already */
        /* in use by a stranger, or so it was said */
        nsec_t rests_until; /* 0: it does not */
        int64_t rest_offset;
        nsec_t probed_at; /* 0: never */
        unsigned probed_life;
};

/* What waits for the disk, in order. */
struct pending {
        bool is_send;
        struct lease_record record;
        struct packet *packet;
        /* what it promises; no address: nothing */
        ip4_t address;
        uint32_t machine;
        nsec_t ends, server_ends;
        int64_t offset; /* as that of a place */
        unsigned n_records;
        uint64_t n_jumps;
};

struct world {
        const struct sim_params *params;
        struct sim_result *result;
        bool trace;
        struct chance chance;
        nsec_t now, start;
        int64_t offset, calendar; /* of the server's clock, of the machine's */
        nsec_t good;              /* time in which the server ran and its disk worked */
        bool is_up, disk_works;
        unsigned life; /* counts starts, reloads and jumps: offers may go with them */
        unsigned boot, n_audits;
        uint64_t next_audit; /* after so many steps */
        uint32_t n_invented;
        struct dhcp4_server *server;
        struct dhcp4_actions actions;
        struct dhcp4_message answer;
        const struct packet *asked; /* while the server looks at it; NULL in a tick */
        bool asked_has_lease;       /* of the address that it is about */
        struct sim_config *config;
        struct sim_event *heap;
        size_t n_heap, heap_room;
        uint64_t order;
        struct machine *machines;
        unsigned n_machines;
        unsigned per_wire[WIRES];
        struct place **places;
        size_t n_places, places_room;
        struct pending *queue;
        size_t queue_at, n_queue, queue_room; /* from queue_at on */
        size_t n_committing;
        nsec_t ticked_at;
        unsigned n_ticks;
};

PRINTF(2, 3) void sim_fail(struct world *w, const char *format, ...);
PRINTF(2, 3) void sim_trace(struct world *w, const char *format, ...);
void sim_at(struct world *w, nsec_t at, enum sim_kind kind, uint32_t who,
            uint32_t generation, struct packet *packet);
static inline nsec_t server_time(const struct world *w) {
        return (nsec_t)((int64_t)w->now + w->offset);
}
/* The packet is taken. */
void sim_send_to_server(struct world *w, struct packet *packet);
struct packet *packet_new(size_t n);

/* ---- addresses ---- */

/* 10.w0.0.0/16 and, on a wire of two subnets, 10.w1.0.0/16. */
static inline ip4_t wire_base(unsigned wire) {
        return 0x0a000000u | wire << 20;
}
static inline ip4_t wire_gateway(unsigned wire) {
        return wire_base(wire) | 1;
}
/* 10.w?.?.?; WIRES or more for others. */
static inline unsigned wire_of(ip4_t address) {
        return address >> 24 == 10 ? address >> 20 & 0xf : WIRES;
}
static inline bool wire_is_relayed(unsigned wire) {
        return wire >= 2;
}
static inline bool wire_has_circuits(unsigned wire) {
        return wire == 3 || wire == 4;
}
static inline bool wire_is_shared(unsigned wire) {
        return wire == 1 || wire == 4;
}
/* Its second pool is for the class of firmware. */
static inline bool wire_is_choosy(unsigned wire) {
        return wire == 5;
}
static inline bool wire_has_bootp(unsigned wire) {
        return wire % 2 == 0;
}
static inline int wire_ifindex(unsigned wire) {
        return wire == 1 ? 3 : 2;
}
static inline ip4_t wire_server(unsigned wire) {
        return wire_gateway(wire == 1 ? 1 : 0);
}

struct sim_config *sim_config_new(const struct sim_params *params,
                                  const unsigned per_wire[WIRES], unsigned n);
struct sim_config *sim_config_free(struct sim_config *config);
/* Another one of the configurations that a world goes through. */
const struct dhcp4_config *sim_config_use(struct sim_config *config, unsigned variant);
const struct dhcp4_config *sim_config_now(const struct sim_config *config);
enum sim_client { SIM_BOOTP, SIM_FIRMWARE, SIM_SYSTEM };
bool sim_config_has(const struct sim_config *config, unsigned wire, ip4_t address,
                    enum sim_client client);
/* Whose it is by configuration, now; NOBODY. */
uint32_t sim_config_owner(const struct sim_config *config, ip4_t address);
/* The address that is reserved for a machine now; 0. */
ip4_t sim_config_reserved(const struct sim_config *config, uint32_t machine);
bool sim_is_squatted(const struct world *w, ip4_t address);

/* ---- the model ---- */

struct place *place_of(struct world *w, ip4_t address);
void model_asked(struct world *w, const struct packet *packet);
/* False when it must not leave. *pending says what it promises. */
bool model_answered(struct world *w, const struct dhcp4_send *send,
                    struct packet *packet, struct pending *ret_pending);
void model_left(struct world *w, const struct pending *pending);
void model_persisted(struct world *w, const struct lease_record *record);
void model_stopped(struct world *w);
void model_probed(struct world *w, ip4_t address);
void model_squatted(struct world *w, ip4_t address);
void model_jumped(struct world *w);
/* Holds all that was promised against all that the server knows. */
void model_audit(struct world *w);
/* A machine takes an address into use. */
void model_bound(struct world *w, uint32_t machine, ip4_t address);
void model_unbound(struct world *w, uint32_t machine, ip4_t address);

/* ---- machines ---- */

struct mac machine_mac(uint32_t machine);
struct machine *machine_of_xid(struct world *w, uint32_t xid, uint32_t *ret_index);
/* Now, by its own books. */
bool machine_uses(const struct world *w, uint32_t i, ip4_t address);
void machine_start(struct world *w, uint32_t i);
void machine_power(struct world *w, uint32_t i);
void machine_timer(struct world *w, uint32_t i);
void machine_hear(struct world *w, uint32_t i, const struct packet *packet);
/* One invented client asks. */
void machine_invent(struct world *w);
/* Option 82 as the relay of that wire adds it; its length. */
size_t relay_information(unsigned wire, uint32_t machine, uint8_t ret[32]);
