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

struct ip6 {
        uint8_t b[16];
};

#define MAC_TEXT_MAX  18
#define IP4_TEXT_MAX  16
#define IP6_TEXT_MAX  40
#define UUID_TEXT_MAX 37

bool mac_is_equal(struct mac a, struct mac b);
bool mac_is_zero(struct mac a);
bool ip6_is_equal(struct ip6 a, struct ip6 b);
bool ip6_is_zero(struct ip6 a);
bool ip6_is_link_local(struct ip6 a); /* RFC 4291 2.5.6: means something on one wire */

/* Text into `out`, always terminated; `out` is returned so that calls nest. */
const char *mac_format(struct mac m, char out[static MAC_TEXT_MAX]); /* 52:54:00:… */
const char *ip4_format(ip4_t a, char out[static IP4_TEXT_MAX]);      /* 192.168.1.6 */
const char *ip6_format(struct ip6 a, char out[static IP6_TEXT_MAX]); /* RFC 5952 */
const char *uuid_format(struct uuid u,
                        char out[static UUID_TEXT_MAX]); /* as pxelinux asks */

/* Whole-string parsers: false (and *ret untouched) unless all of `s` is the thing.
 * A MAC may be written with ':' or '-' between its bytes. */
MUST_USE bool mac_parse(const char *s, struct mac *ret);
MUST_USE bool ip4_parse(const char *s, ip4_t *ret);
MUST_USE bool ip4_parse_n(const char *s, size_t n, ip4_t *ret);
