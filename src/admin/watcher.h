#pragma once
/*
 * One reader of the events: what it wants to see, and how far it has come in the ring.
 * Pure.
 */
#include "admin/ring.h"
#include "base/event.h"

struct watcher {
        bool is_json, is_all; /* all: debug too */
        struct mac mac;       /* zero: any */
        uint64_t story;       /* 0: any */
        long zone;            /* seconds east of UTC */
        uint64_t next,
                until; /* numbers in the ring; until: UINT64_MAX follows for ever */
};

/* Reads arguments such as "follow n=10 mac=52:54:00:12:34:56". False: what is wrong
 * with them was appended to `why`. Without n, those who follow begin with the last ten,
 * and the others with the oldest. */
MUST_USE bool watcher_init(struct watcher *ret, const struct ring *ring,
                           const char *arguments, struct text *why);

enum watcher_answer {
        WATCHER_LINE, /* appended to `line`, without a newline */
        WATCHER_WAIT, /* nothing more as yet */
        WATCHER_END,  /* nothing more at all */
        WATCHER_LOST, /* *ret_n_lost records went before they were read */
};
enum watcher_answer watcher_next(struct watcher *watcher, const struct ring *ring,
                                 struct text *line, uint64_t *ret_n_lost);
