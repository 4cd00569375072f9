#pragma once
/*
 * By which protocol a machine's loader gets kernels and initrds. HTTP is several times
 * as fast as TFTP, but not every build of a loader has it, and some have it and fail:
 * the menu offers HTTP first, and what the machine then fetches, or does not, tells
 * whether the next menu offers it again. Pure.
 *
 *     HTTP was offered, and a kernel came by TFTP: it has fallen back
 *     HTTP was offered twice, and nothing came at all: it hangs
 *
 * Either way that machine has TFTP for a day. What came by HTTP once makes up for all.
 */
#include "base/base.h"

struct fetch {
        uint8_t n_offered; /* menus with HTTP since something came */
        bool is_avoided;
        nsec_t until; /* when HTTP is tried again */
};

/* May the next menu offer HTTP? */
bool fetch_by_http(struct fetch *fetch, nsec_t now);
/* A menu that offers it was given; `is_chosen` when its default boots from us, so that
 * nobody having come for anything means something. */
void fetch_offered(struct fetch *fetch, bool is_chosen, nsec_t now);
/* A file was asked for. True when that made HTTP be avoided from now on. */
MUST_USE bool fetch_seen(struct fetch *fetch, const char *path, bool is_http,
                         nsec_t now);
