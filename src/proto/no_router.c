#include "proto/no_router.h"

/* iPXE's longest pause between two questions is 8 s. */
static const nsec_t forgotten_after = 10 * NSEC_PER_SEC;
/* A little less than the pause between iPXE's first and third question, which the wire
 * may shorten; well over the half second that a router takes. */
static const nsec_t told_after = 650 * NSEC_PER_MSEC;

static bool has_router(const struct no_router *s, int ifindex, nsec_t now) {
        for (size_t i = 0; i < NO_ROUTER_LINKS; i++)
                if (s->routers[i].ifindex == ifindex && s->routers[i].until > now)
                        return true;
        return false;
}

void no_router_heard(struct no_router *s, int ifindex, uint16_t lifetime, nsec_t now) {
        size_t place = 0;

        for (size_t i = 0; i < NO_ROUTER_LINKS; i++) {
                if (s->routers[i].ifindex == ifindex) {
                        place = i;
                        break;
                }
                if (s->routers[i].until < s->routers[place].until)
                        place = i;
        }
        s->routers[place].ifindex = ifindex;
        s->routers[place].until = now + lifetime * NSEC_PER_SEC;
}

static struct no_router_asker *find_asker(struct no_router *s, int ifindex,
                                          struct mac mac) {
        struct no_router_asker *oldest = &s->askers[0];

        for (size_t i = 0; i < NO_ROUTER_ASKERS; i++) {
                struct no_router_asker *a = &s->askers[i];

                if (a->last > 0 && a->ifindex == ifindex && mac_is_equal(a->mac, mac))
                        return a;
                if (a->last < oldest->last)
                        oldest = a;
        }
        *oldest = (struct no_router_asker){ .mac = mac, .ifindex = ifindex };
        return oldest;
}

bool no_router_asked(struct no_router *s, int ifindex, struct mac mac, nsec_t now) {
        struct no_router_asker *a;

        if (mac_is_zero(mac) || has_router(s, ifindex, now))
                return false;
        a = find_asker(s, ifindex, mac);
        if (a->last == 0 || now < a->last || now - a->last > forgotten_after)
                a->first = now;
        a->last = now;
        return now - a->first >= told_after;
}
