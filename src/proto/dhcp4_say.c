/*
 * Actions, and the events among them: what came, what was decided, what was answered,
 * and, where there is silence, why.
 */
#include <stdarg.h>

#include "proto/dhcp4_internal.h"

#define TEXT(value)     ((struct event_value)EVENT_TEXT(value))
#define DURATION(value) ((struct event_value)EVENT_DURATION(value))

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

struct dhcp4_action *actions_new(struct dhcp4_actions *out,
                                 enum dhcp4_action_kind kind) {
        struct dhcp4_action *action;

        assert(out->n < DHCP4_ACTIONS_MAX);
        action = &out->items[out->n++];
        action->kind = kind;
        return action;
}

struct event *actions_event(struct dhcp4_actions *out, enum event_kind kind) {
        struct dhcp4_action *action = actions_new(out, DHCP4_EVENT);

        action->event = (struct event){ .kind = kind };
        return &action->event;
}

void actions_persist(struct dhcp4_actions *out, const struct pool_binding *binding) {
        pool_record(binding, &actions_new(out, DHCP4_PERSIST)->record);
}

static struct event *client_event(struct exchange *x, enum event_kind kind) {
        struct event *event = actions_event(x->out, kind);

        event->mac = x->facts.mac;
        event->address = x->message->ciaddr;
        return event;
}

static const char *firmware_text(const struct exchange *x) {
        const struct policy_facts *f = &x->facts;
        const char *name = policy_facts_arch(f)->name;

        if (f->is_ipxe)
                return actions_text(x->out, "iPXE on ", name, NULL);
        if (f->is_apple)
                return "a Mac's NetBoot";
        if (f->is_uboot && !f->has_arch)
                return "U-Boot";
        if (f->is_pxe || f->is_http || f->is_uboot)
                return name;
        return f->is_bootp ? "a BOOTP client" : "a DHCP client";
}

static const char *detail_text(struct exchange *x) {
        ip4_t wanted = dhcp4_option_be32(x->message, DHCP4_REQUESTED_ADDRESS);
        char a[IP4_TEXT_MAX], b[IP4_TEXT_MAX];

        if (!wanted && !x->message->giaddr)
                return x->received->port == DHCP4_BINL_PORT ? " to port 4011" : "";
        return actions_text(
                x->out, wanted ? " for " : "", wanted ? ip4_format(wanted, a) : "",
                x->message->giaddr ? " through " : "",
                x->message->giaddr ? ip4_format(x->message->giaddr, b) : "", NULL);
}

void say_received(struct exchange *x) {
        struct event *event;

        if (x->is_replay)
                return;
        event = client_event(x, EVENT_DHCP_RECEIVED);
        event->values[0] = TEXT(dhcp4_type_name(x->message->type));
        event->values[1] = TEXT(firmware_text(x));
        event->values[2] = TEXT(detail_text(x));
        event->values[3] = TEXT(x->interface->name);
        if (x->facts.vendor_class[0])
                event->values[4] =
                        TEXT(actions_text(x->out, x->facts.vendor_class, NULL));
}

void say_silent(struct exchange *x, const char *why) {
        struct event *event = client_event(x, EVENT_DHCP_SILENT);

        event->values[0] = TEXT(dhcp4_type_name(x->message->type));
        event->values[1] = TEXT(why);
}

void say_decided(struct exchange *x) {
        struct event *event;

        if (x->decision.verdict == POLICY_NOT_A_BOOT)
                return;
        event = client_event(x, EVENT_BOOT_DECIDED);
        event->values[0] = TEXT(x->decision.verdict == POLICY_BOOT
                                        ? actions_text(x->out, x->decision.file, NULL)
                                        : "nothing");
        event->values[1] = TEXT(actions_text(x->out, x->decision.why, NULL));
        event->values[2] = TEXT(policy_firmware_name(x->decision.firmware));
}

/* "after 2 DISCOVERs and no request to port 4011" */
static const char *change_text(struct exchange *x) {
        const struct adapt_choice *c = &x->form;
        char digit[2] = { (char)('0' + min_size(c->n_discovers, 9)), '\0' };

        return actions_text(x->out, "after ", digit,
                            c->n_discovers == 1 ? " DISCOVER" : " DISCOVERs",
                            c->before->flags & ADAPT_WAITS_4011
                                    ? " and no request to port 4011"
                                    : " and no file fetched",
                            c->has_tried_all ? "; every form was tried" : "", NULL);
}

/* Once a machine: the first form, when nothing was learned, is not worth a word. */
void say_adapted(struct exchange *x) {
        const struct adapt_choice *c = &x->form;
        struct event *event;

        if (!c->form || !c->is_new || (!c->before && !c->is_from_habit))
                return;
        event = client_event(x, EVENT_ANSWER_ADAPTED);
        event->values[0] = (struct event_value)EVENT_U64(c->number);
        event->values[1] = TEXT(c->form->name);
        if (c->before)
                event->values[2] = TEXT(change_text(x));
        else
                event->values[2] = TEXT("it worked for this vendor and architecture");
        event->values[3] = TEXT(c->form->reason);
}

static const char *sent_text(struct exchange *x, const struct reply *reply,
                             uint8_t missing) {
        bool boots = x->decision.verdict == POLICY_BOOT && reply->type != DHCP4_NAK;
        char server[IP4_TEXT_MAX], number[4] = "";

        if (reply->error)
                return actions_text(x->out, ": ", reply->error, NULL);
        if (missing) {
                number[0] = (char)('0' + missing / 100);
                number[1] = (char)('0' + missing / 10 % 10);
                number[2] = (char)('0' + missing % 10);
        }
        if (!boots && !missing)
                return "";
        return actions_text(x->out,
                            !boots           ? ""
                            : reply->address ? ", boot "
                                             : "boot ",
                            boots ? x->decision.file : "", boots ? " from " : "",
                            boots ? ip4_format(x->decision.next_server, server) : "",
                            missing ? "; no room for option " : "", number, NULL);
}

static ip4_t refused_address(const struct exchange *x) {
        ip4_t wanted = dhcp4_option_be32(x->message, DHCP4_REQUESTED_ADDRESS);

        return wanted ? wanted : x->message->ciaddr;
}

void say_sent(struct exchange *x, const struct reply *reply, uint8_t missing) {
        struct event *event = client_event(x, EVENT_DHCP_SENT);

        event->values[0] = TEXT(dhcp4_type_name(reply->type));
        if (reply->error)
                event->values[1] = (struct event_value)EVENT_IP4(refused_address(x));
        else if (reply->address)
                event->values[1] = (struct event_value)EVENT_IP4(reply->address);
        event->values[2] = TEXT(sent_text(x, reply, missing));
        if (x->decision.verdict == POLICY_BOOT && reply->type != DHCP4_NAK) {
                event->values[3] = TEXT(actions_text(x->out, x->decision.file, NULL));
                event->values[4] =
                        (struct event_value)EVENT_IP4(x->decision.next_server);
        }
        if (event->address == 0)
                event->address = reply->address;
}

void say_exhausted(struct exchange *x) {
        char network[IP4_TEXT_MAX];
        struct event *event;

        if (x->host_address) {
                say_silent(x, "its reserved address is in use by another");
                return;
        }
        event = actions_event(x->out, EVENT_POOL_EXHAUSTED);
        event->mac = x->facts.mac;
        event->values[0] = TEXT(actions_text(
                x->out, ip4_format(x->site->subnet->network, network), NULL));
}

void say_lease(struct exchange *x, enum event_kind kind, ip4_t address, nsec_t time,
               const char *text) {
        struct event *event = actions_event(x->out, kind);

        event->mac = x->facts.mac;
        event->address = address;
        event->values[0] = (struct event_value)EVENT_IP4(address);
        if (time)
                event->values[1] = DURATION(time);
        if (text)
                event->values[2] = TEXT(actions_text(x->out, text, NULL));
}
