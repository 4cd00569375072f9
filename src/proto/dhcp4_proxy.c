/*
 * proxyDHCP (PXE 2.1 2.2.3): somebody else gives addresses, we only say what to boot.
 * Either the offer says it all (discovery control 8, "this file"), or firmware comes to
 * port 4011 for it, by itself or because it was told of boot servers (2.2.4); which of
 * these a machine is offered is for policy/adapt.h to know.
 */
#include "proto/dhcp4_internal.h"

bool proxy_is_asked(const struct exchange *x) {
        struct span vendor = dhcp4_option(x->message, DHCP4_VENDOR_OPTIONS);
        uint16_t item, layer;

        /* PXE 2.1 2.2.4: boot server discovery by broadcast goes to port 67. */
        return x->received->port == DHCP4_BINL_PORT ||
               (x->facts.is_pxe && x->message->type == DHCP4_REQUEST &&
                pxe_parse_item(vendor, &item, &layer));
}

/* An item of the menu that names a file or a server of its own. */
static void choose_item(struct exchange *x, struct reply *reply) {
        struct span vendor = dhcp4_option(x->message, DHCP4_VENDOR_OPTIONS);
        const struct scope_pxe *pxe = &x->server->config.pxe;

        reply->has_item = pxe_parse_item(vendor, &reply->item, &reply->layer);
        for (size_t i = 0; reply->has_item && i < pxe->n_items; i++) {
                const struct scope_pxe_item *item = &pxe->items[i];

                if (item->type != reply->item)
                        continue;
                if (item->file && item->file[0])
                        x->facts.filename = item->file;
                if (item->server)
                        x->facts.next_server = item->server;
                policy_decide(&x->server->config.rules, &x->facts, &x->decision);
        }
}

static void answer(struct exchange *x, enum dhcp4_type type) {
        struct reply reply = { .type = type, .is_proxy = true };

        exchange_settle(x, x->site);
        /* Ordinary clients are the other server's business, and so many that not a word
         * is said of them. */
        if (x->decision.verdict == POLICY_NOT_A_BOOT)
                return;
        if (type == DHCP4_ACK)
                choose_item(x, &reply);
        say_received(x);
        say_decided(x);
        if (x->decision.verdict != POLICY_BOOT) {
                say_silent(x, actions_text(x->out, x->decision.why, NULL));
                return;
        }
        say_adapted(x);
        send_reply(x, &reply);
}

static void took_step(struct exchange *x, enum adapt_step step) {
        struct adapt_habit habit;

        if (adapt_step(x->server->adapt, x->facts.mac, step, x->now, &habit))
                actions_new(x->out, DHCP4_REMEMBER)->habit = habit;
}

void proxy_recv(struct exchange *x) {
        if (x->host && x->host->is_ignored)
                return;
        switch (x->message->type) {
        case DHCP4_DISCOVER:
                if (x->received->port != DHCP4_BINL_PORT)
                        answer(x, DHCP4_OFFER);
                break;
        case DHCP4_REQUEST:
        case DHCP4_INFORM:
                /* Any other REQUEST to port 67 is for who gave the address. */
                if (!proxy_is_asked(x))
                        break;
                took_step(x, ADAPT_ASKED_4011);
                answer(x, DHCP4_ACK);
                break;
        default:
                break;
        }
}
