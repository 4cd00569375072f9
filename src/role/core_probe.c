/*
 * Conflict probes for the DHCP server: what it wants asked goes to the wire, and who
 * answers is told to it. Silence is not told: the server waits by itself.
 */
#include <unistd.h>

#include "io/probe.h"
#include "role/core.h"

static const struct net_interface *interface_at(const struct core *core, int ifindex) {
        for (size_t i = 0; i < core->n_interfaces; i++)
                if (core->interfaces[i].ifindex == ifindex)
                        return &core->interfaces[i];
        return NULL;
}

/* ARP is heard on every interface, and what is on a wire that we do not serve is none
 * of our business. */
static void on_answer(ip4_t address, struct mac who, int ifindex, void *userdata) {
        struct core *core = userdata;

        if (!core->dhcp || (ifindex && !interface_at(core, ifindex)))
                return;
        dhcp4_server_probed(core->dhcp, address, who, core_time(core), core->actions);
        core_dhcp_act(core);
}

int core_probe_start(struct core *core) {
        return probe_new(core->role->loop, on_answer, core, &core->probe);
}

void core_probe_stop(struct core *core) {
        core->probe = probe_free(core->probe);
}

void core_probe_socket(struct core *core, const struct ipc_socket *at, int fd) {
        unsigned how = at->door == IPC_DOOR_ARP ? PROBE_ARP : PROBE_ICMP;
        bool could = core->can_probe;

        if (probe_add(core->probe, how, fd) == 0)
                core->probes |= how;
        core->can_probe = core->probes == (PROBE_ARP | PROBE_ICMP);
        if (core->can_probe && !could && core->dhcp)
                core_dhcp_refresh(core);
}

/* On the same link by ARP: an echo to an address that nobody has would leave an entry
 * that waits in the kernel's own ARP table. An interface that has no ARP is asked as
 * what lies behind a relay is. A probe that cannot be sent is one that nobody answers.
 */
void core_probe(struct core *core, ip4_t address, int ifindex, bool is_on_link) {
        const struct net_interface *interface = interface_at(core, ifindex);
        bool by_arp = is_on_link && interface && interface->has_link_layer;

        (void)probe_send(core->probe, by_arp ? PROBE_ARP : PROBE_ICMP, address,
                         interface);
}
