/*
 * A ring in the order of last hearing, and two small hash tables over it. The number
 * of machines is fixed, so the memory is taken once.
 */
#include "policy/machine.h"

#include <stdlib.h>

#include "base/list.h"

enum { BUCKETS = 2048, IDLE_MINUTES = 5 };

struct slot {
        struct machine machine;
        struct list by_time, by_mac, by_address;
};

struct machines {
        struct list by_time; /* latest first */
        struct list by_mac[BUCKETS], by_address[BUCKETS];
        size_t n;
        uint64_t next_story;
};

static struct slot *slot_of(struct machine *machine) {
        return CONTAINER_OF(machine, struct slot, machine);
}

static uint32_t mix(uint32_t v) {
        v ^= v >> 15;
        v *= 0x2c1b3c6du;
        v ^= v >> 12;
        return v % BUCKETS;
}

static struct list *mac_bucket(struct machines *m, struct mac mac) {
        return &m->by_mac[mix(load_be32(mac.b + 2) ^ load_be16(mac.b))];
}

static struct list *address_bucket(struct machines *m, ip4_t address) {
        return &m->by_address[mix(address)];
}

int machines_new(uint64_t first_story, struct machines **ret) {
        struct machines *m = calloc(1, sizeof(*m));

        if (!m)
                return -ENOMEM;
        list_init(&m->by_time);
        for (size_t i = 0; i < BUCKETS; i++) {
                list_init(&m->by_mac[i]);
                list_init(&m->by_address[i]);
        }
        m->next_story = first_story;
        *ret = m;
        return 0;
}

static void forget(struct machines *m, struct slot *slot) {
        list_remove(&slot->by_time);
        list_remove(&slot->by_mac);
        list_remove(&slot->by_address);
        free(slot);
        m->n--;
}

struct machines *machines_free(struct machines *m) {
        if (!m)
                return NULL;
        LIST_FOR_EACH(pos, &m->by_time)
        forget(m, CONTAINER_OF(pos, struct slot, by_time));
        free(m);
        return NULL;
}

static struct slot *add(struct machines *m, struct mac mac) {
        struct slot *slot = calloc(1, sizeof(*slot));

        if (!slot)
                return NULL;
        if (m->n == MACHINES_MAX)
                forget(m, CONTAINER_OF(m->by_time.prev, struct slot, by_time));
        list_init(&slot->by_time);
        list_init(&slot->by_mac);
        list_init(&slot->by_address);
        slot->machine.facts.mac = mac;
        slot->machine.story = m->next_story++;
        if (!mac_is_zero(mac))
                list_append(mac_bucket(m, mac), &slot->by_mac);
        m->n++;
        return slot;
}

static void touch(struct machines *m, struct slot *slot, nsec_t now) {
        list_remove(&slot->by_time);
        list_insert_before(m->by_time.next, &slot->by_time);
        slot->machine.last = now;
}

static void set_address(struct machines *m, struct slot *slot, ip4_t address) {
        list_remove(&slot->by_address);
        slot->machine.address = address;
        if (address)
                list_append(address_bucket(m, address), &slot->by_address);
}

static bool is_idle(const struct machine *machine, nsec_t now) {
        return now > machine->last &&
               now - machine->last > IDLE_MINUTES * 60 * NSEC_PER_SEC;
}

struct machine *machines_seen(struct machines *m, const struct policy_facts *facts,
                              bool is_discover, nsec_t now) {
        struct machine *machine = machines_by_mac(m, facts->mac);
        bool boots = policy_is_booting(facts);
        struct slot *slot = machine ? slot_of(machine) : add(m, facts->mac);

        if (!slot)
                return NULL;
        if (machine && is_discover) {
                bool is_firmware = boots && !facts->is_ipxe;

                if ((is_firmware && machine->has_fetched) || is_idle(machine, now)) {
                        machine->story = m->next_story++;
                        machine->has_fetched = false;
                        machine->dialect = POLICY_NO_DIALECT;
                }
        }
        if (boots) {
                slot->machine.facts = *facts;
                slot->machine.facts.filename = NULL;
                slot->machine.has_facts = true;
        }
        touch(m, slot, now);
        return &slot->machine;
}

void machines_bind(struct machines *m, struct mac mac, ip4_t address) {
        struct machine *machine = machines_by_mac(m, mac);
        struct machine *other = machines_by_address(m, address);

        if (!machine || address == 0 || machine == other)
                return;
        if (other)
                set_address(m, slot_of(other), 0);
        set_address(m, slot_of(machine), address);
}

struct machine *machines_fetched(struct machines *m, ip4_t address, nsec_t now) {
        struct machine *machine = machines_by_address(m, address);
        struct slot *slot;

        if (!machine) {
                slot = add(m, (struct mac){ 0 });
                if (!slot)
                        return NULL;
                set_address(m, slot, address);
                machine = &slot->machine;
        } else if (is_idle(machine, now)) {
                machine->story = m->next_story++;
                machine->dialect = POLICY_NO_DIALECT;
        }
        machine->has_fetched = true;
        touch(m, slot_of(machine), now);
        return machine;
}

void machines_name(struct machines *m, struct machine *machine, struct mac mac) {
        struct slot *slot = slot_of(machine);

        assert(mac_is_zero(machine->facts.mac));
        machine->facts.mac = mac;
        list_append(mac_bucket(m, mac), &slot->by_mac);
}

struct machine *machines_by_mac(struct machines *m, struct mac mac) {
        LIST_FOR_EACH(pos, mac_bucket(m, mac)) {
                struct slot *slot = CONTAINER_OF(pos, struct slot, by_mac);

                if (mac_is_equal(slot->machine.facts.mac, mac))
                        return &slot->machine;
        }
        return NULL;
}

struct machine *machines_by_address(struct machines *m, ip4_t address) {
        LIST_FOR_EACH(pos, address_bucket(m, address)) {
                struct slot *slot = CONTAINER_OF(pos, struct slot, by_address);

                if (address != 0 && slot->machine.address == address)
                        return &slot->machine;
        }
        return NULL;
}

static struct machine *machine_at(struct machines *m, struct list *pos) {
        return pos == &m->by_time ? NULL
                                  : &CONTAINER_OF(pos, struct slot, by_time)->machine;
}

struct machine *machines_first(struct machines *m) {
        return machine_at(m, m->by_time.next);
}

struct machine *machines_next(struct machines *m, struct machine *machine) {
        return machine_at(m, slot_of(machine)->by_time.next);
}
