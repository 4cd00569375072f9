#pragma once
/*
 * The log: events as lines on stderr, for a terminal or for systemd's journal. The
 * journal has its own clock and wants a priority in front (sd-daemon(3)).
 */
#include "base/event.h"

/* Once, before the sandbox shuts the file that knows the time zone. */
void log_open(void);

/* Events below INFO are for the history and `bootjack events`, and left out here. Never
 * waits: what nobody reads is left out too, and how much of it is told later. */
void log_event(const struct event *event);

/* The line itself, with its newline, as it is written for one or the other. */
void log_line(const struct event *event, bool is_journal, struct text *out);
/* Seconds east of UTC at a time, for event_line(). */
long log_zone(nsec_t when);
