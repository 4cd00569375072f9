/*
 * The log. A line is one write(), so that lines of several processes do not mix.
 */
#include "admin/log.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static bool is_journal;
static uint64_t n_unread; /* lines left out because nobody reads */

/* systemd.exec(5): the variable names device and inode of the stream, because it is
 * inherited by those whose stderr was redirected since. */
static bool is_journal_stream(void) {
        const char *stream = getenv("JOURNAL_STREAM");
        unsigned long long device, inode;
        struct stat here;

        return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
               fstat(STDERR_FILENO, &here) == 0 && here.st_dev == device &&
               here.st_ino == inode;
}

void log_open(void) {
        tzset();
        is_journal = is_journal_stream();
}

long log_zone(nsec_t when) {
        time_t seconds = (time_t)(when / NSEC_PER_SEC);
        struct tm local;

        return localtime_r(&seconds, &local) ? local.tm_gmtoff : 0;
}

/* The journal's line: its clock and its priority instead of ours. */
static void journal_line(const struct event *event, struct text *out) {
        static const char priorities[] = { '7', '6', '5', '4', '3' };

        text_char(out, '<');
        text_char(out, priorities[event_level(event->kind)]);
        text_char(out, '>');
        if (!mac_is_zero(event->mac)) {
                text_mac(out, event->mac);
                text_char(out, ' ');
        }
        if (event_has_address(event)) {
                event_address(event, out);
                text_char(out, ' ');
        }
        event_sentence(event, out);
}

void log_line(const struct event *event, bool for_journal, struct text *out) {
        if (for_journal)
                journal_line(event, out);
        else
                event_line(event, log_zone(event->time), out);
        text_char(out, '\n');
}

/* A pipe with room for a whole line says so. */
static bool is_writable(void) {
        struct pollfd log = { .fd = STDERR_FILENO, .events = POLLOUT };

        return poll(&log, 1, 0) == 1 && log.revents & POLLOUT;
}

static void confess(struct text *line) {
        text_add(line, is_journal ? "<4>" : "");
        text_u64(line, n_unread);
        text_add(line, " lines of the log were left out: nobody was reading it\n");
        n_unread = 0;
}

void log_event(const struct event *event) {
        struct text line = { 0 };

        if (event_level(event->kind) < EVENT_INFO)
                return;
        /* A log that cannot be written must not stop the service. */
        if (!is_writable()) {
                n_unread++;
                return;
        }
        if (n_unread > 0)
                confess(&line);
        log_line(event, is_journal, &line);
        if (!line.failed && write(STDERR_FILENO, line.s, line.n) < 0)
                line.failed = true;
        text_done(&line);
}
