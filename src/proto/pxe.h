#pragma once
/*
 * What PXE and iPXE add to DHCP: the classes, the architecture, the UUID, iPXE's
 * features, and the vendor options of an answer (PXE 2.1 2.2, RFC 4578, RFC 3004).
 */
#include "policy/policy.h"
#include "policy/scope.h"
#include "wire/dhcp4.h"

/* What a message says about its client. Leaves what it cannot say (server, is_proxy,
 * the subnet's settings) zero. */
void pxe_facts(const struct dhcp4_message *message, struct policy_facts *ret);

/* Option 43 of a boot answer (PXE 2.1 2.4, table of vendor options). */
enum {
        PXE_CONTROL_LISTED_ONLY = 1 | 2 | 4, /* no broadcast, no multicast: the list */
        PXE_CONTROL_THIS_FILE = 8,           /* boot the file of this very answer */
        PXE_ITEM_OURS = 0x8000,              /* the first type for vendors' use */
};

struct pxe_vendor {
        uint8_t control;              /* PXE_CONTROL_*; 0: not said */
        const struct scope_pxe *menu; /* boot servers, menu and prompt; NULL: none. One
                                         without items has one of ours, at once */
        ip4_t server;                 /* ours, for items that name none */
        bool has_item;                /* the answer of a boot server to this question */
        uint16_t item, layer;
        bool is_pi; /* for a Raspberry Pi, and none of the above */
};
/* The option's value, at most 255 bytes: a menu too long loses its last items. */
void pxe_build_vendor(struct writer *w, const struct pxe_vendor *vendor);

/* Which item of the menu a boot server is asked for (sub-option 71). */
MUST_USE bool pxe_parse_item(struct span vendor_options, uint16_t *ret_item,
                             uint16_t *ret_layer);
