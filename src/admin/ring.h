#pragma once
/*
 * The latest events, packed, each with its number. Readers remember the number that
 * they want next and ask for it; one who is too slow finds it gone and knows how many
 * he missed. So a slow reader costs nothing but himself.
 *
 * Numbers begin at 0 and are never used again. Pure.
 */
#include "base/base.h"

enum { RING_EVENTS_MAX = 4096 };

struct ring;

MUST_USE int ring_new(struct ring **ret); /* -ENOMEM */
struct ring *ring_free(struct ring *ring);

/* Copies. Without memory the record is lost, and counts as gone. */
void ring_add(struct ring *ring, const void *record, size_t n);

/* What is held: from `first` up to, and without, `next`. */
uint64_t ring_first(const struct ring *ring);
uint64_t ring_next(const struct ring *ring);
/* NULL when it is gone or not yet there; valid until the next ring_add(). */
const void *ring_get(const struct ring *ring, uint64_t number, size_t *ret_n);
