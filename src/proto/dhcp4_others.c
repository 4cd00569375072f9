/*
 * Other DHCP servers on our wires: heard when they answer a client by broadcast, or
 * when a client says whose offer it took. Each is reported once an hour.
 */
#include "proto/dhcp4_internal.h"

static const nsec_t again_after = 3600 * NSEC_PER_SEC;

/* Its place: its own, a free one, or that of the one not heard of for longest. */
static struct other_server *place_of(struct dhcp4_server *server, ip4_t address,
                                     int ifindex) {
        struct other_server *best = &server->others[0];

        for (size_t i = 0; i < OTHERS_MAX; i++) {
                struct other_server *other = &server->others[i];

                if (other->address == address && other->ifindex == ifindex)
                        return other;
                if (other->said < best->said)
                        best = other;
        }
        *best = (struct other_server){ 0 };
        return best;
}

static bool is_news(struct dhcp4_server *server, ip4_t address, int ifindex,
                    nsec_t now) {
        struct other_server *other = place_of(server, address, ifindex);

        if (other->address == address && now >= other->said &&
            now - other->said < again_after)
                return false;
        *other = (struct other_server){ address, ifindex, now };
        return true;
}

static void say_other(struct dhcp4_actions *out, const char *interface, ip4_t server,
                      ip4_t offered, const char *file) {
        struct event *event = actions_event(out, EVENT_OTHER_SERVER);
        char address[IP4_TEXT_MAX];

        event->values[0] = (struct event_value)EVENT_IP4(server);
        event->values[1] =
                (struct event_value)EVENT_TEXT(actions_text(out, interface, NULL));
        event->values[2] = (struct event_value)EVENT_TEXT(
                actions_text(out, offered ? ip4_format(offered, address) : "an address",
                             file[0] ? " and boot file " : "", file, NULL));
}

void others_heard(struct exchange *x, ip4_t server, ip4_t offered) {
        if (is_news(x->server, server, x->interface->ifindex, x->now))
                say_other(x->out, x->interface->name, server, offered, "");
}

static const struct dhcp4_interface *
find_interface(const struct dhcp4_server *server,
               const struct dhcp4_received *received) {
        for (size_t i = 0; i < server->config.n_interfaces; i++)
                if (server->config.interfaces[i].ifindex == received->ifindex)
                        return &server->config.interfaces[i];
        return NULL;
}

static bool is_ours(const struct dhcp4_server *server, ip4_t address) {
        for (size_t i = 0; i < server->config.n_interfaces; i++)
                if (server->config.interfaces[i].address == address)
                        return true;
        return false;
}

void others_recv(struct dhcp4_server *server, const struct dhcp4_received *received,
                 struct dhcp4_actions *out) {
        const struct dhcp4_interface *interface = find_interface(server, received);
        struct dhcp4_message *m = &server->message;
        ip4_t address;

        if (!interface || dhcp4_parse(received->data, received->n, m) != DHCP4_OK ||
            m->op != DHCP4_BOOTREPLY)
                return;
        address = dhcp4_option_be32(m, DHCP4_SERVER_ID);
        if (address == 0)
                address = received->from;
        /* A proxy beside us offers no address; that is no rival of a server. */
        if (is_ours(server, address) || is_ours(server, received->from) ||
            (m->type != DHCP4_OFFER && m->type != DHCP4_ACK && m->type != DHCP4_BOOTP))
                return;
        if (is_news(server, address, received->ifindex, received->now))
                say_other(out, interface->name, address, m->yiaddr, m->file);
}
