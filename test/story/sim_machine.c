/*
 * Clients as RFC 2131 4.4 has them, each with a will of its own: some have firmware
 * that asks before their system does, some give their address back, some move to
 * another wire, some hear broadcasts only, some speak nothing but BOOTP. All times of a
 * machine are true time; it counts a lease from when it first asked for it (4.4.1).
 */
#include "test/story/sim.h"

struct mac machine_mac(uint32_t machine) {
        return (struct mac){ { 0x52, 0x54, 0, 0, (uint8_t)(machine >> 8),
                               (uint8_t)machine } };
}

static uint32_t xid_of(uint32_t machine, unsigned identity, uint32_t n) {
        return (n & 0x7fff) << 17 | machine << 1 | identity;
}

struct machine *machine_of_xid(struct world *w, uint32_t xid, uint32_t *ret_index) {
        uint32_t index = xid >> 1 & 0xffff;

        *ret_index = index < w->n_machines ? index : NOBODY;
        return index < w->n_machines ? &w->machines[index] : NULL;
}

/* A port each; invented clients share one. */
size_t relay_information(unsigned wire, uint32_t machine, uint8_t ret[32]) {
        if (!wire_has_circuits(wire))
                return 0;
        memcpy(ret, (const uint8_t[]){ 1, 4, 0, (uint8_t)wire, 0, 0, 2, 2, 0xaa, 0xbb },
               10);
        store_be16(ret + 4, (uint16_t)machine);
        return 10;
}

bool sim_is_squatted(const struct world *w, ip4_t address) {
        uint64_t h = (address + w->params->seed) * 0x9e3779b97f4a7c15ull;

        return w->params->squatters && (h >> 33) % 1000000 < w->params->squatters &&
               sim_config_owner(w->config, address) == NOBODY;
}

bool machine_uses(const struct world *w, uint32_t i, ip4_t address) {
        const struct machine *m = &w->machines[i];

        return m->state >= MACHINE_BOUND && m->state < MACHINE_WAITING &&
               m->address[m->identity] == address && m->ends[m->identity] > w->now;
}

/* ---- asking ---- */

struct question {
        enum dhcp4_type type;
        ip4_t ciaddr, wanted, server;
        bool is_unicast; /* past the relay, from its own address */
};

static void build_identity(struct writer *writer, const struct machine *m, uint32_t i) {
        uint8_t id[19] = { 0xff, 0, 0, 0, 1, 0, 4, 's', 'i', 'm' };
        struct mac mac = machine_mac(i);

        if (m->speaks_bootp)
                return;
        memcpy(id + 13, mac.b, 6);
        if (m->identity == 1)
                dhcp4_build_option(writer, DHCP4_CLIENT_ID, id, sizeof(id));
        if (m->identity == 0 && m->has_mac_id) {
                id[0] = 1;
                memcpy(id + 1, mac.b, 6);
                dhcp4_build_option(writer, DHCP4_CLIENT_ID, id, 7);
        }
        if (m->identity == 1)
                return;
        dhcp4_build_option(writer, DHCP4_VENDOR_CLASS,
                           "PXEClient:Arch:00007:UNDI:003016", 32);
        dhcp4_build_option(writer, DHCP4_ARCHITECTURE, "\0\7", 2);
        id[0] = 0;
        dhcp4_build_option(writer, DHCP4_UUID, id, 17);
}

static size_t build(const struct machine *m, uint32_t i, const struct question *q,
                    uint8_t bytes[MESSAGE_ROOM]) {
        bool is_relayed = wire_is_relayed(m->wire) && !q->is_unicast;
        struct dhcp4_message head = {
                .op = DHCP4_BOOTREQUEST,
                .htype = 1,
                .hlen = 6,
                .hops = is_relayed,
                .xid = m->xid,
                .flags = m->broadcast_only && !q->ciaddr ? DHCP4_FLAG_BROADCAST : 0,
                .ciaddr = q->ciaddr,
                .giaddr = is_relayed ? wire_gateway(m->wire) : 0
        };
        struct writer writer = writer_of(bytes, MESSAGE_ROOM);
        struct mac mac = machine_mac(i);
        uint8_t relay[32];

        memcpy(head.chaddr, mac.b, 6);
        dhcp4_build_head(&writer, &head);
        if (q->type != DHCP4_BOOTP)
                dhcp4_build_option(&writer, DHCP4_MESSAGE_TYPE,
                                   &(uint8_t){ (uint8_t)q->type }, 1);
        if (q->wanted)
                dhcp4_build_be32(&writer, DHCP4_REQUESTED_ADDRESS, q->wanted);
        if (q->server)
                dhcp4_build_be32(&writer, DHCP4_SERVER_ID, q->server);
        if (m->asks_time && q->type != DHCP4_RELEASE && q->type != DHCP4_DECLINE)
                dhcp4_build_be32(&writer, DHCP4_LEASE_TIME, m->asks_time);
        build_identity(&writer, m, i);
        if (is_relayed)
                dhcp4_build_option(&writer, DHCP4_RELAY_INFORMATION, relay,
                                   relay_information(m->wire, i, relay));
        dhcp4_build_end(&writer);
        return writer.at;
}

static void ask(struct world *w, uint32_t i, const struct question *q) {
        const struct machine *m = &w->machines[i];
        uint8_t bytes[MESSAGE_ROOM];
        size_t n = build(m, i, q, bytes);
        struct packet *packet = packet_new(n);

        packet->machine = i;
        packet->wire = m->wire;
        packet->type = q->type;
        packet->xid = m->xid;
        packet->address = q->wanted ? q->wanted : q->ciaddr;
        packet->server = q->server;
        packet->ifindex = wire_ifindex(m->wire);
        packet->from_port = DHCP4_CLIENT_PORT;
        packet->from = q->ciaddr;
        packet->to = q->is_unicast ? m->server : UINT32_MAX;
        if (wire_is_relayed(m->wire) && !q->is_unicast) {
                packet->from = wire_gateway(m->wire);
                packet->from_port = DHCP4_SERVER_PORT;
                packet->to = wire_server(m->wire);
        }
        memcpy(packet->data, bytes, n);
        sim_send_to_server(w, packet);
}

/* ---- from state to state ---- */

static void wake_in(struct world *w, uint32_t i, nsec_t time) {
        struct machine *m = &w->machines[i];

        sim_at(w, w->now + time, SIM_TIMER, i, ++m->generation, NULL);
}

static void power_in(struct world *w, uint32_t i, nsec_t time) {
        struct machine *m = &w->machines[i];

        sim_at(w, w->now + time, SIM_POWER, i, ++m->power_generation, NULL);
}

/* RFC 2131 4.1: 4, 8, 16, 32, 64 seconds, a second more or less. */
static nsec_t back_off(struct world *w, unsigned tries) {
        return (((nsec_t)4 << min_size(tries, 4)) - 1) SECONDS +
               chance_below(&w->chance, 2 SECONDS);
}

static void new_transaction(struct world *w, uint32_t i) {
        struct machine *m = &w->machines[i];

        m->xid = xid_of(i, m->identity, ++m->n_xid);
        m->first_sent = w->now;
        m->tries = 0;
}

static void enter(struct world *w, uint32_t i, enum machine_state state) {
        w->machines[i].state = state;
        new_transaction(w, i);
        machine_timer(w, i);
}

/* INIT, or INIT-REBOOT with a lease that it remembers. */
static void begin(struct world *w, uint32_t i, bool may_reboot) {
        struct machine *m = &w->machines[i];
        bool is_leased = m->address[m->identity] && m->ends[m->identity] > w->now;

        model_unbound(w, i, m->address[0]);
        model_unbound(w, i, m->address[1]);
        if (is_leased && may_reboot && !m->speaks_bootp &&
            chance_hits(&w->chance, w->params->init_reboots)) {
                enter(w, i, MACHINE_REBOOTING);
                return;
        }
        m->ends[m->identity] = 0;
        enter(w, i, MACHINE_SELECTING);
}

static void lose_address(struct world *w, uint32_t i) {
        struct machine *m = &w->machines[i];

        model_unbound(w, i, m->address[m->identity]);
        m->address[m->identity] = 0;
        m->ends[m->identity] = 0;
}

static void wait_and_begin(struct world *w, uint32_t i, nsec_t time) {
        lose_address(w, i);
        w->machines[i].state = MACHINE_WAITING;
        wake_in(w, i, time);
}

/* Of this wire or another: ours, the relay's, in a pool, or somebody's own. */
static ip4_t any_address(struct world *w, unsigned wire) {
        static const ip4_t parts[] = { 0, 1, 0xffff, 0x100, 0x7000, 0x8000, 0x10100 };
        ip4_t part = parts[chance_below(&w->chance, ARRAY_SIZE(parts))];
        ip4_t reserved = sim_config_reserved(
                w->config, (uint32_t)chance_below(&w->chance, w->n_machines));

        if (reserved)
                return reserved;
        if (chance_next(&w->chance) % 4 == 0)
                wire = (unsigned)chance_below(&w->chance, WIRES);
        if (part >= 0x100 && part != 0xffff)
                part += (ip4_t)chance_below(&w->chance, 2 + w->n_machines / 10);
        return wire_base(wire) | part;
}

/* What a machine with an address says as well: an old DISCOVER heard again, a wish for
 * an address that is not its own, or giving it back, a question for options, BOOTP
 * where that is not spoken. */
static void stray(struct world *w, uint32_t i) {
        const struct machine *m = &w->machines[i];
        ip4_t address = any_address(w, m->wire);
        struct question questions[] = {
                { .type = DHCP4_DISCOVER },
                { .type = DHCP4_DISCOVER, .wanted = address },
                { .type = DHCP4_REQUEST, .wanted = address },
                { .type = DHCP4_RELEASE, .ciaddr = address },
                { .type = DHCP4_DECLINE, .wanted = address },
                { .type = DHCP4_INFORM, .ciaddr = m->address[m->identity] },
                { .type = wire_has_bootp(m->wire) ? DHCP4_DISCOVER : DHCP4_BOOTP },
        };

        if (!m->speaks_bootp && address != m->address[0] && address != m->address[1] &&
            address != sim_config_reserved(w->config, i) &&
            chance_hits(&w->chance, w->params->strays))
                ask(w, i, &questions[chance_below(&w->chance, ARRAY_SIZE(questions))]);
}

static void settle(struct world *w, uint32_t i) {
        struct machine *m = &w->machines[i];
        bool is_first = m->state < MACHINE_BOUND;
        nsec_t wait = w->good - m->asking_since;

        m->state = MACHINE_BOUND;
        model_bound(w, i, m->address[m->identity]);
        if (m->t1 < NSEC_NEVER)
                wake_in(w, i, m->t1 > w->now ? m->t1 - w->now : 0);
        else
                m->generation++;
        if (!is_first)
                return;
        stray(w, i);
        w->result->longest_wait = max_u64(w->result->longest_wait, wait);
        m->asking_since = NSEC_NEVER;
        power_in(w, i,
                 m->identity == 0 && m->has_system
                         ? chance_below(&w->chance, w->params->up / 8 + 1)
                         : w->params->up / 4 +
                                   chance_below(&w->chance, w->params->up * 3 / 2 + 1));
}

static void decline(struct world *w, uint32_t i) {
        struct machine *m = &w->machines[i];

        w->result->declined++;
        new_transaction(w, i);
        ask(w, i,
            &(struct question){ .type = DHCP4_DECLINE,
                                .wanted = m->address[m->identity],
                                .server = m->server });
        /* RFC 2131 3.1.5: at least ten seconds */
        wait_and_begin(w, i, 10 SECONDS + chance_below(&w->chance, 2 SECONDS));
}

static void take_lease(struct world *w, uint32_t i, const struct packet *packet) {
        struct machine *m = &w->machines[i];
        bool is_new = m->state < MACHINE_BOUND;
        nsec_t lease = packet->lease SECONDS, sent = m->first_sent;
        bool is_endless = packet->lease == UINT32_MAX || packet->type == DHCP4_BOOTP;

        w->result->exchanges += m->state == MACHINE_REQUESTING;
        w->result->bootp += packet->type == DHCP4_BOOTP;
        w->result->renewals += m->state > MACHINE_BOUND;
        m->address[m->identity] = packet->address;
        m->server = packet->type == DHCP4_BOOTP ? wire_server(m->wire) : packet->server;
        m->ends[m->identity] = is_endless ? NSEC_NEVER : sent + lease;
        m->t1 = is_endless   ? NSEC_NEVER
                : packet->t1 ? sent + packet->t1 SECONDS
                             : sent + lease / 2;
        m->t2 = is_endless   ? NSEC_NEVER
                : packet->t2 ? sent + packet->t2 SECONDS
                             : sent + lease / 8 * 7;
        if (m->ends[m->identity] <= w->now)
                begin(w, i, false); /* it came too late */
        /* RFC 2131 4.4.1: asks the wire whether somebody else has it, mostly in time */
        else if (is_new && !m->speaks_bootp && sim_is_squatted(w, packet->address) &&
                 chance_hits(&w->chance, 900000))
                decline(w, i);
        else
                settle(w, i);
}

static void on_offer(struct world *w, uint32_t i, const struct packet *packet) {
        struct machine *m = &w->machines[i];

        m->offered = packet->address;
        m->server = packet->server;
        if (chance_hits(&w->chance, w->params->rivals)) {
                /* Another server's offer was better. */
                ask(w, i,
                    &(struct question){ .type = DHCP4_REQUEST,
                                        .wanted = wire_base(m->wire) | 0xfff0,
                                        .server = wire_base(m->wire) | 0xfffe });
                lose_address(w, i);
                m->state = MACHINE_OFF;
                m->generation++;
                m->asking_since = NSEC_NEVER;
                power_in(w, i, 30 SECONDS + w->params->off);
                return;
        }
        /* RFC 2131 4.4.1: the same xid as in the OFFER */
        m->state = MACHINE_REQUESTING;
        m->first_sent = w->now;
        m->tries = 0;
        machine_timer(w, i);
}

void machine_hear(struct world *w, uint32_t i, const struct packet *packet) {
        struct machine *m = &w->machines[i];
        bool is_asking = m->state == MACHINE_REQUESTING ||
                         m->state == MACHINE_REBOOTING ||
                         m->state == MACHINE_RENEWING || m->state == MACHINE_REBINDING;

        if (packet->xid != m->xid)
                return;
        if (packet->type == DHCP4_OFFER && m->state == MACHINE_SELECTING)
                on_offer(w, i, packet);
        else if ((packet->type == DHCP4_ACK && is_asking && packet->address) ||
                 (packet->type == DHCP4_BOOTP && m->state == MACHINE_SELECTING &&
                  m->speaks_bootp))
                take_lease(w, i, packet);
        else if (packet->type == DHCP4_NAK && is_asking) {
                w->result->refusals++;
                if (m->state > MACHINE_BOUND)
                        m->asking_since = w->good;
                wait_and_begin(w, i, chance_below(&w->chance, 2 SECONDS));
        }
}

/* ---- timers ---- */

static void on_selecting(struct world *w, uint32_t i) {
        struct machine *m = &w->machines[i];
        bool knows = m->address[m->identity] && chance_next(&w->chance) % 2;

        if (m->tries > 0 && chance_next(&w->chance) % 2) {
                unsigned tries = m->tries;

                new_transaction(w, i);
                m->tries = tries;
        }
        if (m->speaks_bootp)
                m->first_sent = w->now;
        ask(w, i,
            &(struct question){ .type = m->speaks_bootp ? DHCP4_BOOTP : DHCP4_DISCOVER,
                                .wanted = m->speaks_bootp ? 0
                                          : knows         ? m->address[m->identity]
                                          : chance_hits(&w->chance, w->params->strays)
                                                  ? any_address(w, m->wire)
                                                  : 0 });
        wake_in(w, i, back_off(w, m->tries++));
}

static void on_requesting(struct world *w, uint32_t i) {
        struct machine *m = &w->machines[i];

        if (m->tries == 4) {
                enter(w, i, MACHINE_SELECTING);
                return;
        }
        ask(w, i,
            &(struct question){
                    .type = DHCP4_REQUEST, .wanted = m->offered, .server = m->server });
        wake_in(w, i, back_off(w, m->tries++));
}

/* RFC 2131 4.4.2: without an answer it may use what is left of its lease. */
static void on_rebooting(struct world *w, uint32_t i) {
        struct machine *m = &w->machines[i];

        if (m->tries < 3) {
                ask(w, i,
                    &(struct question){ .type = DHCP4_REQUEST,
                                        .wanted = m->address[m->identity] });
                wake_in(w, i, back_off(w, m->tries++));
        } else if (m->ends[m->identity] > w->now + 60 SECONDS &&
                   wire_of(m->address[m->identity]) == m->wire &&
                   chance_next(&w->chance) % 2) {
                settle(w, i);
        } else {
                begin(w, i, false);
        }
}

/* RFC 2131 4.4.5: half of what is left, but at least a minute. */
static void on_renewing(struct world *w, uint32_t i) {
        struct machine *m = &w->machines[i];
        bool is_renewing = m->state == MACHINE_RENEWING;
        nsec_t end = is_renewing ? m->t2 : m->ends[m->identity], left;

        if (w->now >= end) {
                if (is_renewing) {
                        enter(w, i, MACHINE_REBINDING);
                        return;
                }
                m->asking_since = w->good;
                lose_address(w, i);
                begin(w, i, false);
                return;
        }
        ask(w, i,
            &(struct question){ .type = DHCP4_REQUEST,
                                .ciaddr = m->address[m->identity],
                                .is_unicast = is_renewing });
        left = end - w->now;
        wake_in(w, i, min_u64(max_u64(left / 2, 60 SECONDS), left));
}

/* "Correct" is a machine that some address is free for. */
static bool is_due(const struct world *w, uint32_t i) {
        const struct machine *m = &w->machines[i];

        return w->params->patience && m->asking_since != NSEC_NEVER &&
               i % RESERVED_EACH != 27 &&
               w->good > m->asking_since + w->params->patience;
}

void machine_timer(struct world *w, uint32_t i) {
        struct machine *m = &w->machines[i];

        if (is_due(w, i))
                sim_fail(w, "machine %u on wire %u has no address after %.0f s", i,
                         m->wire, (double)(w->good - m->asking_since) / 1e9);
        switch (m->state) {
        case MACHINE_OFF:
                break;
        case MACHINE_WAITING:
                begin(w, i, false);
                break;
        case MACHINE_SELECTING:
                on_selecting(w, i);
                break;
        case MACHINE_REQUESTING:
                on_requesting(w, i);
                break;
        case MACHINE_REBOOTING:
                on_rebooting(w, i);
                break;
        case MACHINE_BOUND:
                enter(w, i, MACHINE_RENEWING);
                break;
        case MACHINE_RENEWING:
        case MACHINE_REBINDING:
                on_renewing(w, i);
                break;
        }
}

/* ---- the switch ---- */

static void release(struct world *w, uint32_t i) {
        struct machine *m = &w->machines[i];

        w->result->released++;
        new_transaction(w, i);
        ask(w, i,
            &(struct question){ .type = DHCP4_RELEASE,
                                .ciaddr = m->address[m->identity],
                                .server = m->server,
                                .is_unicast = true });
        m->ends[m->identity] = 0; /* the address is still worth asking for */
}

static void turn_off(struct world *w, uint32_t i) {
        struct machine *m = &w->machines[i];

        if (m->is_polite && m->state >= MACHINE_BOUND && m->state < MACHINE_WAITING)
                release(w, i);
        model_unbound(w, i, m->address[m->identity]);
        m->state = MACHINE_OFF;
        m->generation++;
        m->asking_since = NSEC_NEVER;
        /* Later than any copy of what it said. */
        power_in(w, i,
                 w->params->delay + NSEC_PER_MSEC + w->params->off / 4 +
                         chance_below(&w->chance, w->params->off * 3 / 2 + 1));
}

static void turn_on(struct world *w, uint32_t i) {
        struct machine *m = &w->machines[i];

        if (!m->speaks_bootp && i % RESERVED_EACH != 7 && i % RESERVED_EACH != 27 &&
            chance_hits(&w->chance, w->params->moves))
                m->wire = (uint8_t)chance_below(&w->chance, WIRES);
        m->identity = m->has_firmware ? 0 : 1;
        m->asking_since = w->good;
        begin(w, i, true);
}

void machine_power(struct world *w, uint32_t i) {
        struct machine *m = &w->machines[i];

        if (m->state == MACHINE_OFF) {
                turn_on(w, i);
        } else if (m->identity == 0 && m->has_system && m->state >= MACHINE_BOUND) {
                /* Firmware's work is done. */
                model_unbound(w, i, m->address[0]);
                m->identity = 1;
                m->asking_since = w->good;
                begin(w, i, true);
        } else {
                turn_off(w, i);
        }
}

void machine_start(struct world *w, uint32_t i) {
        struct machine *m = &w->machines[i];
        const struct sim_params *p = w->params;

        m->wire = (uint8_t)(i % WIRES);
        m->asking_since = NSEC_NEVER;
        m->speaks_bootp = wire_has_bootp(m->wire) && chance_hits(&w->chance, p->bootp);
        m->broadcast_only = chance_hits(&w->chance, p->broadcast);
        m->has_firmware = m->speaks_bootp || chance_hits(&w->chance, p->firmware);
        m->has_system = !m->speaks_bootp;
        m->has_mac_id = chance_next(&w->chance) % 2;
        m->is_polite = !m->speaks_bootp && chance_next(&w->chance) % 2;
        if (chance_hits(&w->chance, p->asks_time))
                m->asks_time = (uint32_t)(p->lease_time / NSEC_PER_SEC / 2 +
                                          chance_below(&w->chance,
                                                       p->lease_time / NSEC_PER_SEC));
        power_in(w, i, chance_below(&w->chance, p->off + 1));
}

/* ---- who is nobody ---- */

static void fill_noise(struct world *w, uint8_t *bytes, size_t n) {
        for (size_t i = 0; i < n; i++)
                bytes[i] = (uint8_t)chance_next(&w->chance);
}

void machine_invent(struct world *w) {
        struct machine m = {
                .wire = (uint8_t)(w->params->is_one_port
                                          ? 3
                                          : chance_below(&w->chance, WIRES)),
                .identity = 1,
                .xid = xid_of(NOBODY, 1, w->n_invented++),
        };
        uint8_t bytes[MESSAGE_ROOM];
        size_t n =
                build(&m, NOBODY, &(struct question){ .type = DHCP4_DISCOVER }, bytes);
        struct packet *packet = packet_new(n);

        w->result->invented++;
        packet->machine = NOBODY;
        packet->wire = m.wire;
        packet->type = DHCP4_DISCOVER;
        packet->ifindex = wire_ifindex(m.wire);
        packet->from_port = DHCP4_CLIENT_PORT;
        packet->to = UINT32_MAX;
        if (wire_is_relayed(m.wire)) {
                packet->from = wire_gateway(m.wire);
                packet->from_port = DHCP4_SERVER_PORT;
                packet->to = wire_server(m.wire);
        }
        /* Another card each time, or one card with another identifier. */
        if (chance_next(&w->chance) % 4)
                fill_noise(w, bytes + 28 + 1, 5);
        /* The identifier lies behind the cookie and option 53. */
        fill_noise(w, bytes + DHCP4_HEADER + 4 + 3 + 2, 19);
        if (chance_hits(&w->chance, w->params->garbage))
                fill_noise(w, bytes, n);
        memcpy(packet->data, bytes, n);
        sim_send_to_server(w, packet);
}
