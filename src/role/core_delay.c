/*
 * Answers that wait because the configuration says so (reply-delay): some firmware
 * misses what comes at once. One timer for all of them, the next one due first.
 */
#include <stdlib.h>

#include "role/core.h"

enum { DELAYED_MAX = 1024 };

struct delayed {
        struct list link;
        nsec_t due; /* of loop_now() */
        struct dhcp4_send send;
};

static void arm(struct core *core) {
        nsec_t due = NSEC_NEVER;

        if (!list_is_empty(&core->delayed))
                due = CONTAINER_OF(core->delayed.next, struct delayed, link)->due;
        loop_timer_set(core->delay_timer, due);
}

static void let_go(struct core *core, struct delayed *delayed) {
        list_remove(&delayed->link);
        core->n_delayed--;
        free(delayed);
}

static void on_timer(void *userdata) {
        struct core *core = userdata;

        LIST_FOR_EACH(pos, &core->delayed) {
                struct delayed *delayed = CONTAINER_OF(pos, struct delayed, link);

                if (delayed->due > loop_now())
                        break;
                core_dhcp_transmit(core, &delayed->send);
                let_go(core, delayed);
        }
        arm(core);
}

/* Behind all that are due no later: mostly the last. */
static struct list *place_of(struct core *core, nsec_t due) {
        struct list *at = core->delayed.prev;

        while (at != &core->delayed &&
               CONTAINER_OF(at, struct delayed, link)->due > due)
                at = at->prev;
        return at->next;
}

int core_delay_start(struct core *core) {
        list_init(&core->delayed);
        return loop_timer_new(core->role->loop, on_timer, core, &core->delay_timer);
}

/* Without room or memory it is lost, and the client asks again. */
void core_delay(struct core *core, const struct dhcp4_send *send) {
        struct delayed *delayed =
                core->n_delayed < DELAYED_MAX ? malloc(sizeof(*delayed)) : NULL;

        if (!delayed)
                return;
        delayed->due = loop_now() + send->delay;
        delayed->send = *send;
        list_append(place_of(core, delayed->due), &delayed->link);
        core->n_delayed++;
        arm(core);
}

void core_delay_stop(struct core *core) {
        LIST_FOR_EACH(pos, &core->delayed)
        let_go(core, CONTAINER_OF(pos, struct delayed, link));
        core->delay_timer = loop_timer_free(core->delay_timer);
}
