#pragma once
/*
 * Addresses as values and as text: Ethernet, IPv4, and the UUID of option 97.
 */
#include "base/base.h"

struct mac {
        uint8_t b[6];
};

struct uuid {
        uint8_t b[16]; /* as on the wire: SMBIOS order */
};

#define MAC_TEXT_MAX  18
#define IP4_TEXT_MAX  16
#define UUID_TEXT_MAX 37

bool mac_is_equal(struct mac a, struct mac b);
bool mac_is_zero(struct mac a);

/* Text into `out`, always terminated; `out` is returned so that calls nest. */
const char *mac_format(struct mac m, char out[static MAC_TEXT_MAX]); /* 52:54:00:… */
const char *ip4_format(ip4_t a, char out[static IP4_TEXT_MAX]);      /* 192.168.1.6 */
const char *uuid_format(struct uuid u,
                        char out[static UUID_TEXT_MAX]); /* as pxelinux asks */

/* Whole-string parsers: false (and *ret untouched) unless all of `s` is the thing.
 * A MAC may be written with ':' or '-' between its bytes. */
MUST_USE bool mac_parse(const char *s, struct mac *ret);
MUST_USE bool ip4_parse(const char *s, ip4_t *ret);
MUST_USE bool ip4_parse_n(const char *s, size_t n, ip4_t *ret);
