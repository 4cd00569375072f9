/*
 * proxyDHCP (PXE 2.1 2.2.3): somebody else gives addresses, we only say what to boot.
 * The offer says it all (discovery control 8), so most firmware takes the file from it;
 * what asks port 4011 all the same gets the same answer there.
 */
#include "proto/dhcp4_internal.h"

static void answer(struct exchange *x, enum dhcp4_type type) {
        say_received(x);
        say_decided(x);
        if (x->decision.verdict == POLICY_BOOT)
                send_reply(x, &(struct reply){ .type = type, .is_proxy = true });
        else
                say_silent(x, actions_text(x->out, x->decision.why, NULL));
}

void proxy_recv(struct exchange *x) {
        bool is_binl = x->received->port == DHCP4_BINL_PORT;

        /* Ordinary clients are the other server's business, and so many that not a word
         * is said of them. */
        if (x->decision.verdict == POLICY_NOT_A_BOOT)
                return;
        switch (x->message->type) {
        case DHCP4_DISCOVER:
                if (!is_binl)
                        answer(x, DHCP4_OFFER);
                break;
        case DHCP4_REQUEST:
        case DHCP4_INFORM:
                /* A REQUEST to port 67 is for the server that gave the address. */
                if (is_binl)
                        answer(x, DHCP4_ACK);
                break;
        default:
                break;
        }
}
