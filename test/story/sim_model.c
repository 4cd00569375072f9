/*
 * What must always be true, kept in books of their own. An address is promised when its
 * acknowledgement leaves, and until then only its record is looked at; the promise ends
 * when its time is over, when its holder gives it back, or when the server's clock
 * jumps past its end, which no server can tell from time going by.
 */
#include <stdlib.h>

#include "test/story/sim.h"

/* ---- places ---- */

static size_t place_hash(ip4_t address) {
        return (size_t)(address * 0x9e3779b97f4a7c15ull >> 20);
}

static void put_place(struct place **places, size_t room, struct place *place) {
        size_t i = place_hash(place->address) & (room - 1);

        while (places[i])
                i = (i + 1) & (room - 1);
        places[i] = place;
}

static struct place *add_place(struct world *w, ip4_t address) {
        struct place *place = malloc(sizeof(*place));

        if (w->n_places * 2 >= w->places_room) {
                struct place **wider = calloc(w->places_room * 2, sizeof(place));

                for (size_t i = 0; i < w->places_room; i++)
                        if (w->places[i])
                                put_place(wider, w->places_room * 2, w->places[i]);
                free(w->places);
                w->places = wider;
                w->places_room *= 2;
        }
        *place = (struct place){ .address = address,
                                 .holder = NOBODY,
                                 .believer = NOBODY,
                                 .offered_to = NOBODY,
                                 .acknowledged_to = NOBODY };
        put_place(w->places, w->places_room, place);
        w->n_places++;
        return place;
}

struct place *place_of(struct world *w, ip4_t address) {
        size_t i = place_hash(address) & (w->places_room - 1);

        while (w->places[i] && w->places[i]->address != address)
                i = (i + 1) & (w->places_room - 1);
        return w->places[i] ? w->places[i] : add_place(w, address);
}

/* ---- promises ---- */

static bool has_ended(const struct world *w, nsec_t ends, int64_t offset) {
        return ends != NSEC_NEVER &&
               (w->now >= ends || server_time(w) >= (nsec_t)((int64_t)ends + offset));
}

static bool is_promised(const struct world *w, const struct place *place) {
        return place->is_promised && !has_ended(w, place->ends, place->offset);
}

static bool is_promised_to_other(const struct world *w, const struct place *place,
                                 uint32_t machine) {
        return is_promised(w, place) && place->holder != machine;
}

static bool rests(const struct world *w, const struct place *place) {
        return place->rests_until &&
               !has_ended(w, place->rests_until, place->rest_offset);
}

/* Bound to the machine until then at least, by the server's clock. */
static bool is_recorded(const struct lease_record *record, uint32_t machine,
                        nsec_t server_ends) {
        return record->state == LEASE_BOUND &&
               mac_is_equal(record->mac, machine_mac(machine)) &&
               record->ends >= server_ends;
}

static void end_promise(struct world *w, struct place *place) {
        place->is_promised = false;
        place->free_since = w->now;
        place->believer = NOBODY;
}

/* By its holder, who is believed: it is not used any more, nor wanted when it is only
 * said that it may be. */
static void give_back(struct world *w, struct place *place, uint32_t machine) {
        for (size_t i = w->queue_at; i < w->n_queue; i++)
                if (w->queue[i].address == place->address &&
                    w->queue[i].machine == machine)
                        w->queue[i].address = 0;
        if (place->is_promised && place->holder == machine)
                end_promise(w, place);
        if (place->offered_to == machine)
                place->offered_to = NOBODY;
}

void model_asked(struct world *w, const struct packet *packet) {
        struct machine *m;

        if (packet->machine == NOBODY || packet->address == 0)
                return;
        m = &w->machines[packet->machine];
        w->asked_has_lease = is_recorded(&place_of(w, packet->address)->latest,
                                         packet->machine, server_time(w));
        if (packet->type == DHCP4_RELEASE || packet->type == DHCP4_DECLINE)
                give_back(w, place_of(w, packet->address), packet->machine);
        /* Who takes another server's offer wants none of ours, offered or held. */
        else if (packet->type == DHCP4_REQUEST && packet->server && m->offer &&
                 packet->server != wire_server(packet->wire)) {
                give_back(w, place_of(w, m->offer), packet->machine);
                m->offer = 0;
        }
}

static int64_t least(int64_t a, int64_t b) {
        return a < b ? a : b;
}

/* A clock set back has the server wait longer than it must, and one set forwards ends
 * what it shows to be over. */
static void jumped_place(struct world *w, struct place *place) {
        place->offset = least(place->offset, w->offset);
        place->rest_offset = least(place->rest_offset, w->offset);
        if (place->is_promised && !is_promised(w, place))
                end_promise(w, place);
        if (!rests(w, place))
                place->rests_until = 0;
}

void model_jumped(struct world *w) {
        for (size_t i = w->queue_at; i < w->n_queue; i++) {
                struct pending *p = &w->queue[i];

                p->offset = least(p->offset, w->offset);
                if (p->address && has_ended(w, p->ends, p->offset))
                        p->address = 0;
        }
        for (size_t i = 0; i < w->places_room; i++)
                if (w->places[i])
                        jumped_place(w, w->places[i]);
}

/* ---- what the server says ---- */

static void check_offer_time(struct world *w, struct place *place, uint32_t machine) {
        const struct machine *other =
                place->offered_to == NOBODY ? NULL : &w->machines[place->offered_to];

        if (other && place->offered_to != machine && place->offered_life == w->life &&
            other->offer == place->address &&
            w->now - place->offered_at < SIM_OFFER_LEAST SECONDS)
                sim_fail(w, "%08x offered to machines %u and %u at once",
                         place->address, place->offered_to, machine);
}

/* A lease that was the client's before this answer. */
static bool is_own(const struct world *w, const struct packet *packet,
                   const struct place *place) {
        if (packet->machine == NOBODY)
                return false;
        if (packet->type == DHCP4_OFFER)
                return is_recorded(&place->latest, packet->machine, server_time(w));
        if (packet->type == DHCP4_ACK && w->asked)
                return w->asked->address == place->address &&
                       (w->asked_has_lease || (place->offered_to == packet->machine &&
                                               place->is_offered_own));
        return is_promised(w, place) && place->holder == packet->machine;
}

/* Given by this configuration, or the client's own from one before. */
static void check_place(struct world *w, const struct packet *packet,
                        const struct place *place) {
        enum sim_client client = packet->type == DHCP4_BOOTP ? SIM_BOOTP
                                 : packet->xid & 1           ? SIM_SYSTEM
                                                             : SIM_FIRMWARE;
        uint32_t owner = sim_config_owner(w->config, place->address);
        bool is_kept = is_own(w, packet, place);

        if (owner == packet->machine && owner != NOBODY)
                return;
        if (owner != NOBODY && !is_kept)
                sim_fail(w, "%s of %08x, reserved for machine %u, to machine %u",
                         dhcp4_type_name(packet->type), place->address, owner,
                         packet->machine);
        else if (wire_of(place->address) != packet->wire)
                sim_fail(w, "%s of %08x on wire %u", dhcp4_type_name(packet->type),
                         place->address, packet->wire);
        else if (!is_kept &&
                 !sim_config_has(w->config, packet->wire, place->address, client))
                sim_fail(w, "%s of %08x, which is in no pool",
                         dhcp4_type_name(packet->type), place->address);
}

/* Free, as far as anybody can tell. */
static void check_free(struct world *w, const struct packet *packet,
                       const struct place *place) {
        if (is_promised_to_other(w, place, packet->machine))
                sim_fail(w, "%s of %08x to machine %u, while machine %u holds it",
                         dhcp4_type_name(packet->type), place->address, packet->machine,
                         place->holder);
        else if (rests(w, place))
                sim_fail(w, "%s of %08x to machine %u, while a stranger uses it",
                         dhcp4_type_name(packet->type), place->address,
                         packet->machine);
}

/* Asked for on the wire since anybody else had it. */
static void check_probed(struct world *w, const struct packet *packet,
                         const struct place *place) {
        nsec_t time = w->params->probe_time;

        /* For a reserved address there is no other to offer instead. */
        if (time == 0 || packet->machine == NOBODY ||
            place->holder == packet->machine || is_own(w, packet, place) ||
            sim_config_owner(w->config, place->address) != NOBODY)
                return;
        if (place->probed_at == 0 ||
            (place->probed_life == w->life && w->now < place->probed_at + time) ||
            (place->holder != NOBODY && place->probed_at < place->free_since))
                sim_fail(w, "OFFER of %08x to machine %u without a probe before",
                         place->address, packet->machine);
}

static void answered_offer(struct world *w, const struct packet *packet) {
        struct place *place = place_of(w, packet->address);

        check_place(w, packet, place);
        check_free(w, packet, place);
        check_offer_time(w, place, packet->machine);
        check_probed(w, packet, place);
        if (packet->lease == 0)
                sim_fail(w, "OFFER without a lease time");
        place->is_offered_own = is_own(w, packet, place);
        place->offered_to = packet->machine;
        place->offered_at = w->now;
        place->offered_life = w->life;
        if (packet->machine != NOBODY)
                w->machines[packet->machine].offer = packet->address;
}

static nsec_t end_of(nsec_t now, const struct packet *packet) {
        return packet->type == DHCP4_BOOTP || packet->lease == UINT32_MAX
                       ? NSEC_NEVER
                       : now + packet->lease SECONDS;
}

static void answered_ack(struct world *w, const struct dhcp4_send *send,
                         const struct packet *packet, struct pending *ret) {
        struct place *place = place_of(w, packet->address);
        nsec_t server_ends = end_of(server_time(w), packet);

        check_place(w, packet, place);
        check_free(w, packet, place);
        if (!send->durable)
                sim_fail(w, "%s of %08x is not marked durable",
                         dhcp4_type_name(packet->type), packet->address);
        if (!is_recorded(&place->latest, packet->machine, server_ends))
                sim_fail(w, "%s of %08x to machine %u without a record before",
                         dhcp4_type_name(packet->type), packet->address,
                         packet->machine);
        if (packet->type == DHCP4_ACK &&
            (packet->lease == 0 || packet->t1 > packet->t2 ||
             packet->t2 > packet->lease))
                sim_fail(w, "ACK with times %u, %u, %u", packet->t1, packet->t2,
                         packet->lease);
        if (place->acknowledged_to != packet->machine)
                place->identities = 0;
        place->acknowledged_to = packet->machine;
        place->identities |= (uint8_t)(1 << (packet->xid & 1));
        *ret = (struct pending){ .machine = packet->machine,
                                 .address = packet->address,
                                 .ends = end_of(w->now, packet),
                                 .server_ends = server_ends,
                                 .offset = w->offset,
                                 .n_records = place->n_records,
                                 .n_jumps = w->result->jumps };
}

/* A lease that runs is not refused, nor an offer that was made just now. An address
 * that a reservation gave to firmware and system alike is one client's when that is
 * gone. */
static void answered_nak(struct world *w, const struct packet *packet) {
        const struct packet *asked = w->asked;
        const struct machine *m = &w->machines[packet->machine];
        struct place *place;
        ip4_t reserved;
        uint32_t owner;

        if (!asked || asked->machine != packet->machine || asked->address == 0)
                return;
        place = place_of(w, asked->address);
        owner = sim_config_owner(w->config, place->address);
        reserved = sim_config_reserved(w->config, packet->machine);
        if (wire_of(place->address) != asked->wire || rests(w, place) ||
            (owner != NOBODY && owner != packet->machine) ||
            (reserved && reserved != place->address))
                return;
        if (is_promised(w, place) && place->holder == packet->machine &&
            place->acknowledged_to == packet->machine &&
            place->identities == 1 << (asked->xid & 1))
                sim_fail(w, "NAK to machine %u for its own lease of %08x",
                         packet->machine, place->address);
        if (asked->server == wire_server(asked->wire) &&
            place->offered_to == packet->machine && place->offered_life == w->life &&
            m->offer == place->address &&
            w->now - place->offered_at < SIM_OFFER_LEAST SECONDS)
                sim_fail(w, "NAK to machine %u for %08x, just offered to it",
                         packet->machine, place->address);
        if (place->offered_to == packet->machine)
                place->offered_to = NOBODY;
}

/* RFC 2131 4.3.5: no address, no times */
static void answered_inform(struct world *w, const struct packet *packet) {
        w->result->informed++;
        if (!w->asked || w->asked->type != DHCP4_INFORM)
                sim_fail(w, "an ACK of nothing to machine %u", packet->machine);
        if (packet->lease || packet->t1 || packet->t2)
                sim_fail(w, "an INFORM was answered with times of a lease");
}

static void check_head(struct world *w, const struct dhcp4_send *send,
                       const struct packet *packet) {
        const struct dhcp4_message *m = &w->answer;
        uint8_t relay[32];
        size_t n_relay = 0;
        struct span echoed = dhcp4_option(m, DHCP4_RELAY_INFORMATION);

        if (m->op != DHCP4_BOOTREPLY)
                sim_fail(w, "an answer with op %u", m->op);
        if (packet->machine != NOBODY &&
            memcmp(m->chaddr, machine_mac(packet->machine).b, 6) != 0)
                sim_fail(w, "an answer with another's hardware address");
        if (packet->type != DHCP4_BOOTP && packet->server != wire_server(packet->wire))
                sim_fail(w, "%s with server identifier %08x on wire %u",
                         dhcp4_type_name(packet->type), packet->server, packet->wire);
        if (m->giaddr) {
                n_relay = relay_information(packet->wire, packet->machine, relay);
                if (send->how != DHCP4_UNICAST || send->to != m->giaddr ||
                    send->port != DHCP4_SERVER_PORT)
                        sim_fail(w, "a relay is not answered at its port 67");
        } else if (send->port != DHCP4_CLIENT_PORT) {
                sim_fail(w, "a client is not answered at its port 68");
        }
        if (echoed.n != n_relay || (n_relay && memcmp(echoed.data, relay, n_relay)))
                sim_fail(w, "option 82 is not echoed on wire %u", packet->wire);
}

bool model_answered(struct world *w, const struct dhcp4_send *send,
                    struct packet *packet, struct pending *ret_pending) {
        bool is_ack = packet->type == DHCP4_ACK || packet->type == DHCP4_BOOTP;

        check_head(w, send, packet);
        if (packet->type == DHCP4_OFFER)
                answered_offer(w, packet);
        else if (is_ack && packet->address && packet->machine != NOBODY)
                answered_ack(w, send, packet, ret_pending);
        else if (packet->type == DHCP4_NAK && packet->machine != NOBODY)
                answered_nak(w, packet);
        else if (is_ack && packet->machine != NOBODY)
                answered_inform(w, packet);
        else if (!is_ack && packet->machine != NOBODY)
                sim_fail(w, "a server's answer of type %u", packet->type);
        return !w->result->failed;
}

void model_left(struct world *w, const struct pending *p) {
        struct place *place;

        if (p->address == 0 || w->now >= p->ends)
                return;
        place = place_of(w, p->address);
        if (place->n_records == p->n_records &&
            (!place->is_on_disk ||
             !is_recorded(&place->disk, p->machine, p->server_ends)))
                sim_fail(w, "an ACK of %08x to machine %u left before its record",
                         p->address, p->machine);
        if (!is_recorded(&place->latest, p->machine, 0)) {
                /* Over before it was said: by the clock, or it was given to another. */
                if (place->latest.state == LEASE_BOUND &&
                    p->n_jumps == w->result->jumps)
                        sim_fail(w,
                                 "an ACK of %08x to machine %u left after a record "
                                 "for another",
                                 p->address, p->machine);
                return;
        }
        if (is_promised_to_other(w, place, p->machine))
                sim_fail(w, "ACKs of %08x to machines %u and %u", p->address,
                         place->holder, p->machine);
        /* What was said last may be less: it may not have arrived. */
        if (is_promised(w, place) && place->ends > p->ends)
                return;
        place->is_promised = true;
        place->holder = p->machine;
        place->ends = p->ends;
        place->offset = p->offset;
}

/* ---- what it writes ---- */

/* By the server's clock when it was said. */
static nsec_t promised_until(const struct place *place) {
        return place->ends == NSEC_NEVER
                       ? NSEC_NEVER
                       : (nsec_t)((int64_t)place->ends + place->offset);
}

void model_persisted(struct world *w, const struct lease_record *record) {
        struct place *place = place_of(w, record->address);
        bool is_kept = record->state == LEASE_BOUND &&
                       mac_is_equal(record->mac, machine_mac(place->holder));

        place->latest = *record;
        place->n_records++;
        if (is_promised(w, place) && !is_kept)
                sim_fail(w, "%08x, held by machine %u for another %.3f s, is %s",
                         record->address, place->holder,
                         (double)(place->ends - w->now) / 1e9,
                         lease_state_name(record->state));
        if (!is_promised(w, place) && place->is_promised)
                end_promise(w, place);
        if (is_promised(w, place) && is_kept) {
                if (record->ends < promised_until(place))
                        sim_fail(w,
                                 "%08x, promised to machine %u for another %.3f s, is "
                                 "recorded for %.3f s",
                                 record->address, place->holder,
                                 (double)(place->ends - w->now) / 1e9,
                                 (double)(record->ends - server_time(w)) / 1e9);
        }
        if (record->state == LEASE_DECLINED)
                model_squatted(w, record->address);
}

void model_squatted(struct world *w, ip4_t address) {
        struct place *place = place_of(w, address);

        if (is_promised(w, place))
                return;
        place->rests_until = w->now + SIM_DECLINE_TIME;
        place->rest_offset = w->offset;
}

/* What was not on disk is forgotten. */
static void stop_place(const struct world *w, struct place *place) {
        bool is_resting = place->is_on_disk && place->disk.state == LEASE_DECLINED &&
                          place->disk.ends > server_time(w);

        place->latest = place->is_on_disk
                                ? place->disk
                                : (struct lease_record){ .state = LEASE_EXPIRED };
        place->rests_until = !is_resting ? 0
                             : place->disk.ends == NSEC_NEVER
                                     ? NSEC_NEVER
                                     : (nsec_t)((int64_t)place->disk.ends - w->offset);
        place->rest_offset = w->offset;
}

void model_stopped(struct world *w) {
        for (size_t i = 0; i < w->places_room; i++)
                if (w->places[i])
                        stop_place(w, w->places[i]);
}

void model_probed(struct world *w, ip4_t address) {
        struct place *place = place_of(w, address);

        if (rests(w, place) || is_promised(w, place))
                sim_fail(w, "a probe of %08x, which is known to be in use", address);
        place->probed_at = w->now;
        place->probed_life = w->life;
}

/* ---- all of it ---- */

static void list_one(const struct lease_record *lease, void *userdata) {
        struct world *w = userdata;
        struct place *place = place_of(w, lease->address);

        if (place->n_audit == w->n_audits)
                sim_fail(w, "%08x is listed twice", lease->address);
        place->n_audit = w->n_audits;
        if (is_promised(w, place) &&
            !is_recorded(lease, place->holder, promised_until(place)))
                sim_fail(
                        w,
                        "%08x, promised to machine %u for another %.3f s, is listed as "
                        "%s to machine %u for another %.3f s",
                        lease->address, place->holder,
                        (double)(place->ends - w->now) / 1e9,
                        lease_state_name(lease->state), load_be16(lease->mac.b + 4),
                        (double)(int64_t)(lease->ends - server_time(w)) / 1e9);
}

void model_audit(struct world *w) {
        if (!w->is_up)
                return;
        /* As often as its cost does not count. */
        w->next_audit = w->result->steps + 100 + w->n_places * 2;
        w->n_audits++;
        dhcp4_server_leases(w->server, list_one, w);
        for (size_t i = 0; i < w->places_room; i++) {
                const struct place *place = w->places[i];

                if (place && is_promised(w, place) && place->n_audit != w->n_audits)
                        sim_fail(w, "the lease of %08x by machine %u is lost",
                                 place->address, place->holder);
        }
}

/* ---- what machines do ---- */

void model_bound(struct world *w, uint32_t machine, ip4_t address) {
        struct place *place = place_of(w, address);

        /* Without a promise it uses what a jump of the clock took from it. */
        if (!is_promised(w, place) || place->holder != machine)
                return;
        if (place->believer != NOBODY && place->believer != machine &&
            machine_uses(w, place->believer, address))
                sim_fail(w, "machines %u and %u both use %08x", place->believer,
                         machine, address);
        place->believer = machine;
}

void model_unbound(struct world *w, uint32_t machine, ip4_t address) {
        struct place *place = address ? place_of(w, address) : NULL;

        if (place && place->believer == machine)
                place->believer = NOBODY;
}
