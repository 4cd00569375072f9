#pragma once
/*
 * What PXE and iPXE add to DHCP: the classes, the architecture, the UUID, iPXE's
 * features, and the vendor options of an answer (PXE 2.1 2.2, RFC 4578, RFC 3004).
 */
#include "policy/policy.h"
#include "wire/dhcp4.h"

/* What a message says about its client. Leaves what it cannot say (server, is_proxy,
 * the subnet's settings) zero. */
void pxe_facts(const struct dhcp4_message *message, struct policy_facts *ret);

/* Option 43 of a boot answer: discovery control 8, "boot the file of this very answer
 * and ask nobody else" (PXE 2.1 table 2-2). */
void pxe_build_vendor_options(struct writer *w);
