#pragma once
/*
 * How far something is, on a terminal: one line that is written over, on stderr, at
 * most ten times a second. Nothing at all where stderr is no terminal.
 */
#include "base/base.h"

struct progress {
        const char *what;
        uint64_t from, total; /* total 0: nobody knows */
        nsec_t started, shown;
        bool is_shown, is_terminal;
};

/* `from` was there before it began: it counts as done, not for the rate. */
void progress_begin(struct progress *progress, const char *what, uint64_t from,
                    uint64_t total);
void progress_set(struct progress *progress, uint64_t done);
/* Takes the line away. */
void progress_end(struct progress *progress);
