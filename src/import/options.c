/*
 * DHCP options as dhcpd and dnsmasq name and write them (
 * dhcp-options(5), dnsmasq --help dhcp): a row each, and the encoding of one field.
 * Both readers turn what is written into bytes, and the writer turns these into YAML,
 * so that a value has one meaning here whatever it was written in.
 */
#include "import/internal.h"

#include <stdlib.h>

static const struct option_row rows[] = {
        { 1, "subnet-mask", "netmask", "I", true },
        { 2, "time-offset", NULL, "l", true },
        { 3, "routers", "router", "IA", true },
        { 4, "time-servers", NULL, "IA", true },
        { 5, "ien116-name-servers", NULL, "IA", false },
        { 6, "domain-name-servers", "dns-server", "IA", true },
        { 7, "log-servers", "log-server", "IA", true },
        { 8, "cookie-servers", NULL, "IA", false },
        { 9, "lpr-servers", "lpr-server", "IA", false },
        { 10, "impress-servers", NULL, "IA", false },
        { 11, "resource-location-servers", NULL, "IA", false },
        { 12, "host-name", NULL, "t", false },
        { 13, "boot-size", "boot-file-size", "S", false },
        { 14, "merit-dump", NULL, "t", false },
        { 15, "domain-name", NULL, "t", true },
        { 16, "swap-server", NULL, "I", false },
        { 17, "root-path", NULL, "t", true },
        { 18, "extensions-path", "extension-path", "t", false },
        { 19, "ip-forwarding", "ip-forward-enable", "f", false },
        { 20, "non-local-source-routing", NULL, "f", false },
        { 21, "policy-filter", NULL, "IIA", false },
        { 22, "max-dgram-reassembly", "max-datagram-reassembly", "S", false },
        { 23, "default-ip-ttl", "default-ttl", "B", false },
        { 24, "path-mtu-aging-timeout", NULL, "L", false },
        { 25, "path-mtu-plateau-table", NULL, "SA", false },
        { 26, "interface-mtu", "mtu", "S", true },
        { 27, "all-subnets-local", NULL, "f", false },
        { 28, "broadcast-address", NULL, "I", true },
        { 29, "perform-mask-discovery", NULL, "f", false },
        { 30, "mask-supplier", NULL, "f", false },
        { 31, "router-discovery", NULL, "f", false },
        { 32, "router-solicitation-address", "router-solicitation", "I", false },
        { 33, "static-routes", "static-route", "IIA", false },
        { 34, "trailer-encapsulation", NULL, "f", false },
        { 35, "arp-cache-timeout", "arp-timeout", "L", false },
        { 36, "ieee802-3-encapsulation", "ethernet-encap", "f", false },
        { 37, "default-tcp-ttl", "tcp-ttl", "B", false },
        { 38, "tcp-keepalive-interval", "tcp-keepalive", "L", false },
        { 39, "tcp-keepalive-garbage", NULL, "f", false },
        { 40, "nis-domain", NULL, "t", false },
        { 41, "nis-servers", "nis-server", "IA", false },
        { 42, "ntp-servers", "ntp-server", "IA", true },
        { 43, "vendor-encapsulated-options", NULL, "X", true },
        { 44, "netbios-name-servers", "netbios-ns", "IA", true },
        { 45, "netbios-dd-server", "netbios-dd", "IA", false },
        { 46, "netbios-node-type", "netbios-nodetype", "B", false },
        { 47, "netbios-scope", NULL, "t", false },
        { 48, "font-servers", "x-windows-fs", "IA", false },
        { 49, "x-display-manager", "x-windows-dm", "IA", false },
        { 50, "dhcp-requested-address", NULL, "I", false },
        { 51, "dhcp-lease-time", NULL, "L", false },
        { 52, "dhcp-option-overload", NULL, "B", false },
        { 53, "dhcp-message-type", NULL, "B", false },
        { 54, "dhcp-server-identifier", "server-identifier", "I", false },
        { 55, "dhcp-parameter-request-list", NULL, "BA", false },
        { 56, "dhcp-message", NULL, "t", false },
        { 57, "dhcp-max-message-size", NULL, "S", false },
        { 58, "dhcp-renewal-time", "T1", "L", false },
        { 59, "dhcp-rebinding-time", "T2", "L", false },
        { 60, "vendor-class-identifier", "vendor-class", "X", false },
        { 61, "dhcp-client-identifier", "client-id", "X", false },
        { 62, "nwip-domain", NULL, "t", false },
        { 63, "nwip-suboptions", NULL, "X", false },
        { 64, "nisplus-domain", "nis+-domain", "t", false },
        { 65, "nisplus-servers", "nis+-server", "IA", false },
        { 66, "tftp-server-name", "tftp-server", "t", true },
        { 67, "bootfile-name", NULL, "t", false },
        { 68, "mobile-ip-home-agent", "mobile-ip-home", "IA", false },
        { 69, "smtp-server", NULL, "IA", false },
        { 70, "pop-server", "pop3-server", "IA", false },
        { 71, "nntp-server", NULL, "IA", false },
        { 72, "www-server", NULL, "IA", false },
        { 73, "finger-server", NULL, "IA", false },
        { 74, "irc-server", NULL, "IA", false },
        { 75, "streettalk-server", NULL, "IA", false },
        { 76, "streettalk-directory-assistance-server", NULL, "IA", false },
        { 77, "user-class", NULL, "X", false },
        { 78, "slp-directory-agent", NULL, "fIA", false },
        { 79, "slp-service-scope", NULL, "ft", false },
        { 80, "rapid-commit", NULL, "X", false },
        { 82, "relay-agent-information", NULL, "X", false },
        { 85, "nds-servers", NULL, "IA", false },
        { 86, "nds-tree-name", NULL, "t", false },
        { 87, "nds-context", NULL, "t", false },
        { 88, "bcms-controller-names", NULL, "D", false },
        { 89, "bcms-controller-address", NULL, "IA", false },
        { 93, "pxe-system-type", "client-arch", "S", false },
        { 94, "pxe-interface-id", "client-interface-id", "X", false },
        { 97, "pxe-client-id", "client-machine-id", "X", false },
        { 98, "uap-servers", NULL, "t", false },
        { 99, "geoconf-civic", NULL, "X", false },
        { 100, "pcode", "posix-timezone", "t", false },
        { 101, "tcode", "tzdb-timezone", "t", false },
        { 108, "v6-only-preferred", "ipv6-only", "L", false },
        { 112, "netinfo-server-address", NULL, "IA", false },
        { 113, "netinfo-server-tag", NULL, "t", false },
        { 114, "default-url", "captive-portal", "t", false },
        { 116, "auto-config", NULL, "B", false },
        { 117, "name-service-search", NULL, "SA", false },
        { 118, "subnet-selection", NULL, "I", false },
        { 119, "domain-search", NULL, "D", true },
        { 120, "sip-servers", "sip-server", "X", false },
        { 121, "classless-static-routes", "classless-static-route", "X", false },
        { 124, "vivco", NULL, "X", false },
        { 125, "vivso", "vendor-id-encap", "X", false },
        { 136, "pana-agent", NULL, "IA", false },
        { 137, "v4-lost", NULL, "d", false },
        { 138, "capwap-ac-v4", NULL, "IA", false },
        { 141, "sip-ua-cs-domains", NULL, "D", false },
        { 150, "tftp-server-address", NULL, "IA", false },
        { 160, "v4-captive-portal", NULL, "t", false },
        { 208, "loader-magic", NULL, "X", false },
        { 209, "loader-configfile", NULL, "t", false },
        { 210, "loader-pathprefix", NULL, "t", false },
        { 211, "loader-reboottime", NULL, "L", false },
        { 213, "v4-access-domain", NULL, "d", false },
        { 252, "wpad", NULL, "t", false },
};

const struct option_row *option_by_code(unsigned code) {
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                if (rows[i].code == code)
                        return &rows[i];
        return NULL;
}

const struct option_row *option_by_name(const char *name) {
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                if (strcmp(rows[i].name, name) == 0)
                        return &rows[i];
        return NULL;
}

const struct option_row *option_by_dnsmasq_name(const char *name) {
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                if (rows[i].dnsmasq && strcmp(rows[i].dnsmasq, name) == 0)
                        return &rows[i];
        return option_by_name(name);
}

/* Lease and T1, T2 are keys of their own with us; the readers know that. */
const char *option_reserved(unsigned code) {
        switch (code) {
        case 54:
                return "Bootjack answers with the address of its interface";
        case 55:
                return "Bootjack sends what the client asks for";
        case 57:
                return "Bootjack goes by the size that the client names";
        case 60:
        case 97:
                return "Bootjack gives PXE clients this one by itself";
        case 0:
        case 50:
        case 52:
        case 53:
        case 56:
        case 61:
        case 80:
        case 82:
        case 93:
        case 94:
        case 255:
                return "it belongs to the protocol itself";
        default:
                return code > 255 ? "there is no such option" : NULL;
        }
}

/* ---- encoding ---- */

bool parse_decimal(const char *s, uint64_t max, uint64_t *ret) {
        uint64_t v = 0;

        if (*s == '\0')
                return false;
        for (; *s >= '0' && *s <= '9'; s++) {
                v = v * 10 + (uint64_t)(*s - '0');
                if (v > max)
                        return false;
        }
        if (*s != '\0')
                return false;
        *ret = v;
        return true;
}

static int hex_digit(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool parse_hex_bytes(const char *s, struct text *out) {
        bool is_grouped = strpbrk(s, ":-.") != NULL;

        if (strncmp(s, "0x", 2) == 0)
                s += 2;
        if (!*s)
                return false;
        while (*s) {
                int v = hex_digit(*s++);

                if (v < 0)
                        return false;
                if (hex_digit(*s) >= 0)
                        v = v << 4 | hex_digit(*s++);
                else if (!is_grouped)
                        return false;
                text_char(out, (char)v);
                if (!*s)
                        break;
                if (is_grouped && (!strchr(":-.", *s) || !*++s))
                        return false;
        }
        return true;
}

bool is_mask(ip4_t mask) {
        return mask != 0 && (~mask & (~mask + 1)) == 0;
}

static bool encode_number(const char *s, unsigned bits, bool is_signed,
                          struct text *out) {
        bool is_negative = is_signed && *s == '-';
        uint64_t v, max = ((uint64_t)1 << bits) - 1;

        if (strncmp(s, "0x", 2) == 0) {
                v = 0;
                for (s += 2; hex_digit(*s) >= 0 && v <= max; s++)
                        v = v << 4 | (uint64_t)hex_digit(*s);
                if (*s || v > max)
                        return false;
        } else if (!parse_decimal(s + is_negative, max, &v)) {
                return false;
        }
        if (is_negative)
                v = max + 1 - v;
        for (unsigned shift = bits; shift > 0; shift -= 8)
                text_char(out, (char)(v >> (shift - 8)));
        return true;
}

static bool encode_flag(const char *s, struct text *out) {
        static const char *const yes[] = { "true", "on", "1", "yes" };
        static const char *const no[] = { "false", "off", "0", "no" };

        for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
                if (strcmp(s, yes[i]) == 0 || strcmp(s, no[i]) == 0) {
                        text_char(out, strcmp(s, yes[i]) == 0);
                        return true;
                }
        }
        return false;
}

/* As in DNS, uncompressed. */
static bool encode_name(const char *s, struct text *out) {
        while (*s) {
                size_t n = strcspn(s, ".");

                if (n == 0 || n > 63)
                        return false;
                text_char(out, (char)n);
                text_bytes(out, s, n);
                s += n + (s[n] == '.');
        }
        text_char(out, 0);
        return true;
}

bool option_encode(char field, const char *s, size_t n, bool is_quoted,
                   struct text *out) {
        uint8_t be[4];
        ip4_t address;

        switch (field) {
        case 'I':
                if (!ip4_parse(s, &address))
                        return false;
                store_be32(be, address);
                text_bytes(out, be, 4);
                return true;
        case 'B':
        case 'b':
                return encode_number(s, 8, field == 'b', out);
        case 'S':
        case 's':
                return encode_number(s, 16, field == 's', out);
        case 'L':
        case 'l':
                return encode_number(s, 32, field == 'l', out);
        case 'f':
                return encode_flag(s, out);
        case 'X':
                if (!is_quoted)
                        return parse_hex_bytes(s, out);
                /* fall through */
        case 't':
                text_bytes(out, s, n);
                return true;
        case 'd':
        case 'D':
                return encode_name(s, out);
        default:
                return false;
        }
}
