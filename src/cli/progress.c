/* A bar, its figures, and how long it will take. */
#include "cli/progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

enum { BAR = 24, NAME_MAX_SHOWN = 32 };

static const nsec_t every = 100 * NSEC_PER_MSEC;

static nsec_t now(void) {
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (nsec_t)t.tv_sec * NSEC_PER_SEC + (nsec_t)t.tv_nsec;
}

void progress_begin(struct progress *progress, const char *what, uint64_t from,
                    uint64_t total) {
        *progress = (struct progress){ .what = what,
                                       .from = from,
                                       .total = total,
                                       .started = now(),
                                       .is_terminal = isatty(STDERR_FILENO) };
}

static void add_bar(const struct progress *progress, uint64_t done, struct text *out) {
        uint64_t of = progress->total;
        size_t n = of ? (size_t)(done / (of / BAR + 1)) : 0;

        text_add(out, " [");
        for (size_t i = 0; i < BAR; i++)
                text_char(out, i < n ? '#' : '.');
        text_add(out, "] ");
}

static void add_left(const struct progress *progress, uint64_t done, uint64_t rate,
                     struct text *out) {
        uint64_t seconds;

        if (progress->total <= done || rate == 0)
                return;
        seconds = (progress->total - done) / rate;
        text_add(out, ", ");
        if (seconds >= 60) {
                text_u64(out, seconds / 60);
                text_add(out, " min ");
        }
        text_u64(out, seconds % 60);
        text_add(out, " s left");
}

void progress_set(struct progress *progress, uint64_t done) {
        nsec_t t = now(), took = t - progress->started;
        struct text out = { 0 };
        uint64_t rate;

        if (!progress->is_terminal || t - progress->shown < every)
                return;
        progress->shown = t;
        progress->is_shown = true;
        rate = took > every && done > progress->from
                       ? (uint64_t)((double)(done - progress->from) /
                                    ((double)took / NSEC_PER_SEC))
                       : 0;
        text_add(&out, "\r\033[K");
        text_printable(&out, progress->what,
                       min_size(strlen(progress->what), NAME_MAX_SHOWN));
        add_bar(progress, done, &out);
        text_size(&out, done);
        if (progress->total) {
                text_add(&out, " of ");
                text_size(&out, progress->total);
        }
        if (rate) {
                text_add(&out, ", ");
                text_size(&out, rate);
                text_add(&out, "/s");
        }
        add_left(progress, done, rate, &out);
        fputs(text_string(&out), stderr);
        fflush(stderr);
        text_done(&out);
}

void progress_end(struct progress *progress) {
        if (progress->is_shown)
                fputs("\r\033[K", stderr);
        progress->is_shown = false;
}
