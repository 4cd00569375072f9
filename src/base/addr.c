/*
 * Small parsers and printers, written out by hand: inet_pton and printf are not
 * needed for either, and the pure half must not depend on locale or on libc's I/O.
 */
#include "base/addr.h"

static const char hex_digits[] = "0123456789abcdef";

static int hex_value(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return -1;
}

bool mac_is_equal(struct mac a, struct mac b) {
        return memcmp(a.b, b.b, sizeof(a.b)) == 0;
}

bool mac_is_zero(struct mac a) {
        return mac_is_equal(a, (struct mac){ 0 });
}

const char *mac_format(struct mac m, char out[static MAC_TEXT_MAX]) {
        char *p = out;

        for (size_t i = 0; i < sizeof(m.b); i++) {
                *p++ = hex_digits[m.b[i] >> 4];
                *p++ = hex_digits[m.b[i] & 15];
                *p++ = ':';
        }
        p[-1] = '\0';
        return out;
}

const char *ip4_format(ip4_t a, char out[static IP4_TEXT_MAX]) {
        char *p = out;

        for (int shift = 24; shift >= 0; shift -= 8) {
                unsigned byte = a >> shift & 255;

                if (byte >= 100)
                        *p++ = (char)('0' + byte / 100);
                if (byte >= 10)
                        *p++ = (char)('0' + byte / 10 % 10);
                *p++ = (char)('0' + byte % 10);
                *p++ = '.';
        }
        p[-1] = '\0';
        return out;
}

bool ip6_is_equal(struct ip6 a, struct ip6 b) {
        return memcmp(a.b, b.b, sizeof(a.b)) == 0;
}

bool ip6_is_zero(struct ip6 a) {
        return ip6_is_equal(a, (struct ip6){ 0 });
}

bool ip6_is_link_local(struct ip6 a) {
        return a.b[0] == 0xfe && (a.b[1] & 0xc0) == 0x80;
}

/* RFC 5952 4.2: the longest run of zero groups, the first of equals, never of one. */
static size_t longest_zeros(const unsigned group[static 8], size_t *ret_first) {
        size_t most = 0;

        for (size_t i = 0; i < 8; i++) {
                size_t n = 0;

                while (i + n < 8 && group[i + n] == 0)
                        n++;
                if (n > most) {
                        most = n;
                        *ret_first = i;
                }
        }
        return most > 1 ? most : 0;
}

const char *ip6_format(struct ip6 a, char out[static IP6_TEXT_MAX]) {
        unsigned group[8];
        size_t first = 0, n_zeros;
        char *p = out;

        for (size_t i = 0; i < 8; i++)
                group[i] = (unsigned)a.b[2 * i] << 8 | a.b[2 * i + 1];
        n_zeros = longest_zeros(group, &first);
        for (size_t i = 0; i < 8; i++) {
                bool begun = false;

                if (n_zeros > 0 && i == first) {
                        *p++ = ':';
                        i += n_zeros - 1;
                        if (i == 7)
                                *p++ = ':';
                        continue;
                }
                if (i > 0)
                        *p++ = ':';
                for (int shift = 12; shift >= 0; shift -= 4) {
                        begun |= (group[i] >> shift & 15) != 0 || shift == 0;
                        if (begun)
                                *p++ = hex_digits[group[i] >> shift & 15];
                }
        }
        *p = '\0';
        return out;
}

/* SMBIOS stores the first three groups little-endian, but the PXE ROMs and pxelinux
 * send and ask for the bytes as they stand, so none is swapped here. */
const char *uuid_format(struct uuid u, char out[static UUID_TEXT_MAX]) {
        char *p = out;

        for (size_t i = 0; i < sizeof(u.b); i++) {
                if (i == 4 || i == 6 || i == 8 || i == 10)
                        *p++ = '-';
                *p++ = hex_digits[u.b[i] >> 4];
                *p++ = hex_digits[u.b[i] & 15];
        }
        *p = '\0';
        return out;
}

bool mac_parse(const char *s, struct mac *ret) {
        struct mac m;

        for (size_t i = 0; i < sizeof(m.b); i++, s += 3) {
                int high = hex_value(s[0]), low = high < 0 ? -1 : hex_value(s[1]);
                bool last = i + 1 == sizeof(m.b);

                if (low < 0)
                        return false;
                if (last ? s[2] != '\0' : s[2] != ':' && s[2] != '-')
                        return false;
                m.b[i] = (uint8_t)(high << 4 | low);
        }
        *ret = m;
        return true;
}

bool ip4_parse_n(const char *s, size_t n, ip4_t *ret) {
        ip4_t a = 0;
        size_t at = 0;

        for (int i = 0; i < 4; i++) {
                unsigned byte = 0;
                size_t first = at;

                while (at < n && at - first < 3 && s[at] >= '0' && s[at] <= '9')
                        byte = byte * 10 + (unsigned)(s[at++] - '0');
                if (at == first || byte > 255)
                        return false;
                a = a << 8 | byte;
                if (i < 3 && (at == n || s[at++] != '.'))
                        return false;
        }
        if (at != n)
                return false;
        *ret = a;
        return true;
}

bool ip4_parse(const char *s, ip4_t *ret) {
        return ip4_parse_n(s, strlen(s), ret);
}
