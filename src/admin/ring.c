/*
 * A number's place is the number modulo the size; whatever stood there is dropped.
 */
#include "admin/ring.h"

#include <stdlib.h>

struct record {
        void *data; /* NULL: lost for want of memory */
        size_t n;
};

struct ring {
        uint64_t next;
        struct record records[RING_EVENTS_MAX];
};

int ring_new(struct ring **ret) {
        struct ring *ring = calloc(1, sizeof(*ring));

        if (!ring)
                return -ENOMEM;
        *ret = ring;
        return 0;
}

struct ring *ring_free(struct ring *ring) {
        if (!ring)
                return NULL;
        for (size_t i = 0; i < RING_EVENTS_MAX; i++)
                free(ring->records[i].data);
        free(ring);
        return NULL;
}

void ring_add(struct ring *ring, const void *record, size_t n) {
        struct record *at = &ring->records[ring->next++ % RING_EVENTS_MAX];

        free(at->data);
        at->data = malloc(n ? n : 1);
        at->n = n;
        if (at->data && n)
                memcpy(at->data, record, n);
}

uint64_t ring_first(const struct ring *ring) {
        return ring->next > RING_EVENTS_MAX ? ring->next - RING_EVENTS_MAX : 0;
}

uint64_t ring_next(const struct ring *ring) {
        return ring->next;
}

const void *ring_get(const struct ring *ring, uint64_t number, size_t *ret_n) {
        const struct record *at = &ring->records[number % RING_EVENTS_MAX];

        if (number < ring_first(ring) || number >= ring->next || !at->data)
                return NULL;
        *ret_n = at->n;
        return at->data;
}
