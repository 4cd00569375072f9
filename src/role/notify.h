#pragma once
/*
 * What systemd is told: sd_notify's datagram (sd_notify(3)), without its library. Does
 * nothing when nobody asked for it.
 */

/* Such as "READY=1" or "STOPPING=1"; lines are separated by '\n'. */
void notify_systemd(const char *state);
