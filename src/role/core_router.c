/*
 * iPXE waits for a router of IPv6 at each start, and has none to wait for where nobody
 * has IPv6: proto/no_router.h. It is told so, it alone: a machine that has just said to
 * DHCP that it is iPXE. What it is told configures nothing and holds for nobody else.
 */
#include "io/icmp6.h"
#include "role/core.h"

static const nsec_t just_now = 60 * NSEC_PER_SEC;

static bool is_starting_ipxe(const struct machine *machine, nsec_t now) {
        return machine && machine->facts.is_ipxe && machine->last <= now &&
               now - machine->last < just_now;
}

static bool is_link_local(struct ip6 address) {
        return address.b[0] == 0xfe && (address.b[1] & 0xc0) == 0x80;
}

static void tell(struct core *core, int fd, int ifindex, struct ip6 to,
                 const struct machine *machine) {
        struct event event = { .kind = EVENT_NO_ROUTER, .mac = machine->facts.mac };
        uint8_t answer[ND_ADVERTISEMENT_SIZE];

        nd_build_no_router(answer);
        if (icmp6_send(fd, ifindex, to, answer, sizeof(answer)) == 0)
                core_event(core, &event);
}

int core_router(struct core *core, int fd, int ifindex) {
        nsec_t now = core_time(core);
        struct nd_message message;
        struct ip6 from;
        int r;

        while ((r = icmp6_recv(fd, &message, &from)) > 0) {
                const struct machine *machine;

                if (message.is_advertisement) {
                        no_router_heard(&core->no_router, ifindex, message.lifetime,
                                        now);
                        continue;
                }
                machine = machines_by_mac(core->machines, message.mac);
                if (is_starting_ipxe(machine, now) && is_link_local(from) &&
                    no_router_asked(&core->no_router, ifindex, message.mac, now))
                        tell(core, fd, ifindex, from, machine);
        }
        return r;
}
