/*
 * Answers: what they say, how long they may be, and by which way they go. The routes
 * are those of RFC 2131 4.1, each under its sentence.
 */
#include <stdarg.h>

#include "proto/dhcp4_internal.h"

enum { ROOM_DEFAULT = 576 - 28, ROOM_LEAST = 300 };

/* ---- actions ---- */

const char *actions_text(struct dhcp4_actions *out, const char *first, ...) {
        char *start = out->texts + out->n_texts;
        size_t at = out->n_texts;
        va_list parts;

        va_start(parts, first);
        for (const char *part = first; part; part = va_arg(parts, const char *)) {
                size_t n = min_size(strlen(part), DHCP4_TEXTS_MAX - 1 - at);

                memcpy(out->texts + at, part, n);
                at += n;
        }
        va_end(parts);
        out->texts[at] = '\0';
        out->n_texts = min_size(at + 1, DHCP4_TEXTS_MAX - 1);
        return start;
}

static struct dhcp4_action *new_action(struct dhcp4_actions *out,
                                       enum dhcp4_action_kind kind) {
        struct dhcp4_action *action;

        assert(out->n < DHCP4_ACTIONS_MAX);
        action = &out->items[out->n++];
        action->kind = kind;
        return action;
}

struct event *actions_event(struct dhcp4_actions *out, enum event_kind kind) {
        struct dhcp4_action *action = new_action(out, DHCP4_EVENT);

        action->event = (struct event){ .kind = kind };
        return &action->event;
}

void actions_persist(struct exchange *x, const struct pool_binding *binding) {
        new_action(x->out, DHCP4_PERSIST)->record = binding->record;
}

static struct event *client_event(struct exchange *x, enum event_kind kind) {
        struct event *event = actions_event(x->out, kind);

        event->mac = x->facts.mac;
        event->address = x->message->ciaddr;
        return event;
}

static const char *firmware_text(const struct exchange *x) {
        const struct policy_facts *f = &x->facts;
        const char *name = policy_arch(f->has_arch ? f->arch : 0)->name;

        if (f->is_ipxe)
                return actions_text(x->out, "iPXE on ", name, NULL);
        if (f->is_pxe || f->is_http)
                return name;
        return f->is_bootp ? "a BOOTP client" : "a DHCP client";
}

void say_received(struct exchange *x) {
        struct event *event = client_event(x, EVENT_DHCP_RECEIVED);
        ip4_t wanted = dhcp4_option_be32(x->message, DHCP4_REQUESTED_ADDRESS);
        char address[IP4_TEXT_MAX];

        event->values[0] =
                (struct event_value)EVENT_TEXT(dhcp4_type_name(x->message->type));
        event->values[1] = (struct event_value)EVENT_TEXT(firmware_text(x));
        event->values[2] = (struct event_value)EVENT_TEXT(
                wanted ? actions_text(x->out, " for ", ip4_format(wanted, address),
                                      NULL)
                : x->received->port == DHCP4_BINL_PORT ? " to port 4011"
                                                       : "");
        event->values[3] = (struct event_value)EVENT_TEXT(x->interface->name);
        if (x->facts.vendor_class[0])
                event->values[4] = (struct event_value)EVENT_TEXT(
                        actions_text(x->out, x->facts.vendor_class, NULL));
}

void say_silent(struct exchange *x, const char *why) {
        struct event *event = client_event(x, EVENT_DHCP_SILENT);

        event->values[0] =
                (struct event_value)EVENT_TEXT(dhcp4_type_name(x->message->type));
        event->values[1] = (struct event_value)EVENT_TEXT(why);
}

void say_decided(struct exchange *x) {
        struct event *event;

        if (x->decision.verdict == POLICY_NOT_A_BOOT)
                return;
        event = client_event(x, EVENT_BOOT_DECIDED);
        event->values[0] = (struct event_value)EVENT_TEXT(
                x->decision.verdict == POLICY_BOOT
                        ? actions_text(x->out, x->decision.file, NULL)
                        : "nothing");
        event->values[1] = (struct event_value)EVENT_TEXT(
                actions_text(x->out, x->decision.why, NULL));
        event->values[2] = (struct event_value)EVENT_TEXT(
                policy_firmware_name(x->decision.firmware));
}

static void say_sent(struct exchange *x, const struct reply *reply) {
        struct event *event = client_event(x, EVENT_DHCP_SENT);
        bool boots = x->decision.verdict == POLICY_BOOT && reply->type != DHCP4_NAK;
        char server[IP4_TEXT_MAX];

        event->values[0] = (struct event_value)EVENT_TEXT(dhcp4_type_name(reply->type));
        if (reply->address)
                event->values[1] = (struct event_value)EVENT_IP4(reply->address);
        event->values[2] = (struct event_value)EVENT_TEXT(
                reply->error ? actions_text(x->out, ": ", reply->error, NULL)
                : boots ? actions_text(x->out, reply->address ? ", boot " : "boot ",
                                       x->decision.file, " from ",
                                       ip4_format(x->decision.next_server, server),
                                       NULL)
                        : "");
        if (boots) {
                event->values[3] = (struct event_value)EVENT_TEXT(
                        actions_text(x->out, x->decision.file, NULL));
                event->values[4] =
                        (struct event_value)EVENT_IP4(x->decision.next_server);
        }
        if (event->address == 0)
                event->address = reply->address;
}

/* ---- what is said ---- */

/* RFC 2132 9.10: option 57 is of the whole IP datagram. Ours never fragments. */
static size_t room_of(const struct dhcp4_message *message) {
        size_t size = dhcp4_option_be16(message, DHCP4_MAX_SIZE);

        if (size == 0)
                return ROOM_DEFAULT;
        return size < ROOM_LEAST + 28          ? ROOM_LEAST
               : size > DHCP4_MESSAGE_MAX + 28 ? DHCP4_MESSAGE_MAX
                                               : size - 28;
}

/* An option that has no room is left out; those that matter come first. */
static void add_option(struct writer *w, uint8_t code, const void *data, size_t n) {
        if (n <= 255 && w->at + 2 + n + 1 <= w->n)
                dhcp4_build_option(w, code, data, n);
}

static void add_be32(struct writer *w, uint8_t code, uint32_t value) {
        uint8_t bytes[4];

        store_be32(bytes, value);
        add_option(w, code, bytes, sizeof(bytes));
}

/* RFC 2131 4.4.5: renew at half the time, ask anybody at seven eighths. */
static void add_times(struct writer *w, nsec_t lifetime) {
        uint64_t seconds = lifetime / NSEC_PER_SEC;

        if (lifetime == 0)
                return;
        if (lifetime == NSEC_NEVER || seconds >= UINT32_MAX) {
                add_be32(w, DHCP4_LEASE_TIME, UINT32_MAX);
                return;
        }
        add_be32(w, DHCP4_LEASE_TIME, (uint32_t)seconds);
        add_be32(w, DHCP4_RENEWAL_TIME, (uint32_t)(seconds / 2));
        add_be32(w, DHCP4_REBINDING_TIME, (uint32_t)(seconds - seconds / 8));
}

static bool is_configured(const struct dhcp4_subnet *subnet, uint8_t code) {
        for (size_t i = 0; subnet && i < subnet->n_options; i++)
                if (subnet->options[i].code == code)
                        return true;
        return false;
}

/* An option that is ours to decide, unless the configuration does: twice would be read
 * as one long value (RFC 3396). */
static bool is_ours(const struct exchange *x, const struct reply *reply, uint8_t code) {
        return reply->is_proxy || !is_configured(x->subnet, code);
}

static void add_file(struct exchange *x, const struct reply *reply, struct writer *w) {
        const char *file = x->decision.file;
        bool is_http = x->facts.is_http;
        char server[IP4_TEXT_MAX];

        if (x->facts.is_pxe && !is_http && is_ours(x, reply, DHCP4_VENDOR_OPTIONS) &&
            w->at + 7 <= w->n)
                pxe_build_vendor_options(w);
        if ((dhcp4_wants(x->message, DHCP4_BOOT_FILE) || is_http) &&
            is_ours(x, reply, DHCP4_BOOT_FILE))
                /* With its NUL: some ROMs look for one, nobody minds it. */
                add_option(w, DHCP4_BOOT_FILE, file, strlen(file) + !is_http);
        if (dhcp4_wants(x->message, DHCP4_TFTP_SERVER) && !is_http &&
            is_ours(x, reply, DHCP4_TFTP_SERVER)) {
                ip4_format(x->decision.next_server, server);
                add_option(w, DHCP4_TFTP_SERVER, server, strlen(server));
        }
}

/*
 * PXE 2.1 2.2.1, RFC 4578, UEFI 2.10 24.7: a boot answer carries the class that was
 * asked for and the UUID as it came. Firmware reads the file's name from the header,
 * some from option 67 only. The class without a file would say "ask my boot server",
 * and keep firmware from a proxy that has one.
 */
static void add_boot(struct exchange *x, const struct reply *reply, struct writer *w) {
        struct span uuid = dhcp4_option(x->message, DHCP4_UUID);
        bool boots = x->decision.verdict == POLICY_BOOT;

        if (boots && x->facts.is_http)
                add_option(w, DHCP4_VENDOR_CLASS, "HTTPClient", 10);
        else if (boots && x->facts.is_pxe)
                add_option(w, DHCP4_VENDOR_CLASS, "PXEClient", 9);
        if (uuid.n > 0)
                add_option(w, DHCP4_UUID, uuid.data, uuid.n);
        if (boots)
                add_file(x, reply, w);
}

/* RFC 2132 3.3: the mask comes before the routers. */
static void add_mask(const struct dhcp4_subnet *subnet, struct writer *w) {
        for (size_t i = 0; i < subnet->n_options; i++)
                if (subnet->options[i].code == DHCP4_SUBNET_MASK) {
                        add_option(w, DHCP4_SUBNET_MASK, subnet->options[i].data,
                                   subnet->options[i].n);
                        return;
                }
        add_be32(w, DHCP4_SUBNET_MASK, subnet->mask);
}

static void add_configured(struct exchange *x, struct writer *w) {
        const struct dhcp4_subnet *subnet = x->subnet;
        bool has_name = x->host && x->host->hostname && x->host->hostname[0];

        if (!subnet)
                return;
        add_mask(subnet, w);
        for (size_t i = 0; i < subnet->n_options; i++) {
                const struct dhcp4_option *option = &subnet->options[i];

                if (option->code == DHCP4_SUBNET_MASK ||
                    (option->code == DHCP4_HOST_NAME && has_name))
                        continue;
                if (dhcp4_wants(x->message, option->code))
                        add_option(w, option->code, option->data, option->n);
        }
        if (has_name)
                add_option(w, DHCP4_HOST_NAME, x->host->hostname,
                           strlen(x->host->hostname));
}

/* What the relay's option takes, in its pieces; 0 when there is none, or when it leaves
 * no room for a message. */
static size_t relay_room(const struct dhcp4_message *message) {
        size_t n = dhcp4_option(message, DHCP4_RELAY_INFORMATION).n;
        size_t room = n + 2 * ((n + 254) / 255);

        return room <= DHCP4_MESSAGE_MAX - ROOM_LEAST ? room : 0;
}

static void build_options(struct exchange *x, const struct reply *reply,
                          struct writer *w) {
        struct span relay = dhcp4_option(x->message, DHCP4_RELAY_INFORMATION);
        struct span id = dhcp4_option(x->message, DHCP4_CLIENT_ID);
        size_t kept = relay_room(x->message);
        uint8_t type = (uint8_t)reply->type;

        w->n -= kept;
        if (reply->type != DHCP4_BOOTP) {
                add_option(w, DHCP4_MESSAGE_TYPE, &type, 1);
                add_be32(w, DHCP4_SERVER_ID, x->interface->address);
        }
        if (reply->type == DHCP4_NAK) {
                add_option(w, DHCP4_ERROR_TEXT, reply->error, strlen(reply->error));
        } else {
                add_times(w, reply->lifetime);
                add_boot(x, reply, w);
                if (!reply->is_proxy)
                        add_configured(x, w);
        }
        /* RFC 6842: the client identifier goes back, so that a client behind a shared
         * MAC knows its own answer. */
        if (id.n > 0 && reply->type != DHCP4_BOOTP)
                add_option(w, DHCP4_CLIENT_ID, id.data, id.n);
        w->n += kept;
        /* RFC 3046 2.2: what the relay added goes back as it came, and last. */
        if (kept > 0)
                dhcp4_build_option(w, DHCP4_RELAY_INFORMATION, relay.data, relay.n);
}

static struct dhcp4_message head_of(const struct exchange *x,
                                    const struct reply *reply) {
        const struct dhcp4_message *m = x->message;
        struct dhcp4_message head = { .op = DHCP4_BOOTREPLY,
                                      .htype = m->htype,
                                      .hlen = m->hlen,
                                      .xid = m->xid,
                                      .flags = m->flags,
                                      .giaddr = m->giaddr,
                                      .yiaddr = reply->address };

        memcpy(head.chaddr, m->chaddr, sizeof(head.chaddr));
        /* RFC 2131 4.3.1 table 3: a NAK says nothing else. */
        if (reply->type == DHCP4_NAK) {
                if (m->giaddr)
                        head.flags |= DHCP4_FLAG_BROADCAST;
                return head;
        }
        if (!reply->is_proxy)
                head.ciaddr = reply->type == DHCP4_ACK ? m->ciaddr : 0;
        if (x->decision.verdict == POLICY_BOOT) {
                head.siaddr = x->decision.next_server;
                if (!x->facts.is_http)
                        memcpy(head.file, x->decision.file,
                               strnlen(x->decision.file, sizeof(head.file) - 1));
        }
        return head;
}

/* ---- by which way ---- */

static void route(const struct exchange *x, const struct reply *reply,
                  struct dhcp4_send *send) {
        const struct dhcp4_message *m = x->message;

        send->ifindex = x->interface->ifindex;
        send->from = x->interface->address;
        send->from_port = x->received->port;
        send->port = DHCP4_CLIENT_PORT;
        send->how = DHCP4_UNICAST;
        memcpy(send->mac.b, m->chaddr, sizeof(send->mac.b));

        if (x->received->port == DHCP4_BINL_PORT && x->received->from) {
                /* PXE 2.1 2.4.4: back to where the question came from. */
                send->to = x->received->from;
                send->port = x->received->from_port;
        } else if (m->giaddr) {
                /* RFC 2131 4.1: "If the 'giaddr' field ... is non-zero, the server
                 * sends any return messages to the 'DHCP server' port on the BOOTP
                 * relay." */
                send->to = m->giaddr;
                send->port = DHCP4_SERVER_PORT;
        } else if (reply->type == DHCP4_NAK) {
                /* RFC 2131 4.1: "In all cases, when 'giaddr' is zero, the server
                 * broadcasts any DHCPNAK messages." */
                send->how = DHCP4_BROADCAST;
                send->to = UINT32_MAX;
        } else if (m->ciaddr) {
                /* RFC 2131 4.1: "giaddr zero and ciaddr nonzero: unicast to ciaddr." */
                send->to = m->ciaddr;
        } else if (m->flags & DHCP4_FLAG_BROADCAST || !reply->address) {
                /* RFC 2131 4.1: the broadcast bit is set; or, from a proxy, there is no
                 * address that a unicast could go to. */
                send->how = DHCP4_BROADCAST;
                send->to = UINT32_MAX;
        } else {
                /* RFC 2131 4.1: "unicasts ... to the client's hardware address and
                 * 'yiaddr' address." */
                send->how = DHCP4_RAW_UNICAST;
                send->to = reply->address;
        }
}

void send_reply(struct exchange *x, const struct reply *reply) {
        struct dhcp4_send *send = &new_action(x->out, DHCP4_SEND)->send;
        struct dhcp4_message head = head_of(x, reply);
        /* The relay takes its option off again before the client sees the answer. */
        struct writer w = writer_of(
                send->data, min_size(room_of(x->message) + relay_room(x->message),
                                     DHCP4_MESSAGE_MAX));

        send->durable = reply->durable;
        route(x, reply, send);
        dhcp4_build_head(&w, &head);
        build_options(x, reply, &w);
        dhcp4_build_end(&w);
        assert(!w.failed); /* everything was measured before it was added */
        send->n = w.at;
        say_sent(x, reply);
}
