/*
 * Requests whose address is being probed. Each waits as the datagram it came in, and is
 * gone through from the start when its time is over: what was decided for it meanwhile
 * (another configuration, another holder) is then simply seen.
 */
#include <stdlib.h>

#include "proto/dhcp4_internal.h"

struct held {
        struct list link, by_address;
        ip4_t address;
        nsec_t due;
        struct dhcp4_received received; /* its data is below */
        size_t room;
        uint8_t *data;
};

static struct list *bucket(struct dhcp4_server *server, ip4_t address) {
        return &server->held_by_address[(address ^ address >> 10) % HELD_BUCKETS];
}

static struct held *find(struct dhcp4_server *server, ip4_t address) {
        LIST_FOR_EACH(pos, bucket(server, address)) {
                struct held *held = CONTAINER_OF(pos, struct held, by_address);

                if (held->address == address)
                        return held;
        }
        return NULL;
}

/* A client that asks again while it waits is answered to what it asked last. */
static bool keep(struct held *held, const struct dhcp4_received *received) {
        if (received->n > held->room) {
                uint8_t *data = realloc(held->data, received->n);

                if (!data)
                        return false;
                held->data = data;
                held->room = received->n;
        }
        memcpy(held->data, received->data, received->n);
        held->received = *received;
        held->received.data = held->data;
        return true;
}

static void let_go(struct dhcp4_server *server, struct held *held) {
        list_remove(&held->link);
        list_remove(&held->by_address);
        server->n_held--;
}

struct held *held_free(struct held *held) {
        if (held)
                free(held->data);
        free(held);
        return NULL;
}

bool hold_request(struct exchange *x, struct pool_binding *binding) {
        struct dhcp4_server *server = x->server;
        struct held *held = find(server, binding->address);
        struct dhcp4_action *action;

        if (held && binding->is_held)
                return keep(held, x->received);
        if (held) { /* of a client that the address was taken from */
                let_go(server, held);
                held_free(held);
        }
        held = server->n_held < DHCP4_HELD_MAX ? calloc(1, sizeof(*held)) : NULL;
        if (!held || !keep(held, x->received)) {
                free(held);
                return false;
        }
        held->address = binding->address;
        held->due = x->now + server->config.probe_time;
        list_append(&server->held, &held->link);
        list_append(bucket(server, held->address), &held->by_address);
        server->n_held++;
        binding->is_held = true;
        action = actions_new(x->out, DHCP4_PROBE);
        action->probe.address = binding->address;
        action->probe.ifindex = x->interface->ifindex;
        action->probe.from = x->local;
        action->probe.is_on_link = x->message->giaddr == 0;
        return true;
}

nsec_t hold_next(const struct dhcp4_server *server) {
        return list_is_empty(&server->held)
                       ? NSEC_NEVER
                       : CONTAINER_OF(server->held.next, struct held, link)->due;
}

struct held *hold_take(struct dhcp4_server *server, nsec_t now, ip4_t address) {
        struct held *held = NULL;

        if (address)
                held = find(server, address);
        else if (hold_next(server) <= now)
                held = CONTAINER_OF(server->held.next, struct held, link);
        if (held)
                let_go(server, held);
        return held;
}

const struct dhcp4_received *held_request(const struct held *held) {
        return &held->received;
}

ip4_t held_address(const struct held *held) {
        return held->address;
}

void hold_done(struct dhcp4_server *server) {
        LIST_FOR_EACH(pos, &server->held) {
                struct held *held = CONTAINER_OF(pos, struct held, link);

                let_go(server, held);
                held_free(held);
        }
}
