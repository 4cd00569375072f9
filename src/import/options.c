/*
 * DHCP options as dhcpd and dnsmasq name and write them, dhcp-options(5) and
 * dnsmasq --help dhcp: a row each, and the encoding of one field.
 * Both readers turn what is written into bytes, and the writer turns these into YAML,
 * so that a value has one meaning here whatever it was written in.
 */
#include "import/internal.h"

#include <stdlib.h>

static const struct option_row rows[] = {
        { 1, "subnet-mask", "netmask", "I", "subnet-mask" },
        { 2, "time-offset", NULL, "l", "time-offset" },
        { 3, "routers", "router", "IA", "routers" },
        { 4, "time-servers", NULL, "IA", "time-servers" },
        { 5, "ien116-name-servers", NULL, "IA", "ien116-name-servers" },
        { 6, "domain-name-servers", "dns-server", "IA", "domain-name-servers" },
        { 7, "log-servers", "log-server", "IA", "log-servers" },
        { 8, "cookie-servers", NULL, "IA", "cookie-servers" },
        { 9, "lpr-servers", "lpr-server", "IA", "lpr-servers" },
        { 10, "impress-servers", NULL, "IA", "impress-servers" },
        { 11, "resource-location-servers", NULL, "IA", "resource-location-servers" },
        { 12, "host-name", NULL, "t", "host-name" },
        { 13, "boot-size", "boot-file-size", "S", "boot-size" },
        { 14, "merit-dump", NULL, "t", "merit-dump" },
        { 15, "domain-name", NULL, "t", "domain-name" },
        { 16, "swap-server", NULL, "I", "swap-server" },
        { 17, "root-path", NULL, "t", "root-path" },
        { 18, "extensions-path", "extension-path", "t", "extensions-path" },
        { 19, "ip-forwarding", "ip-forward-enable", "f", "ip-forwarding" },
        { 20, "non-local-source-routing", NULL, "f", "non-local-source-routing" },
        { 21, "policy-filter", NULL, "IIA", "policy-filter" },
        { 22, "max-dgram-reassembly", "max-datagram-reassembly", "S",
          "max-dgram-reassembly" },
        { 23, "default-ip-ttl", "default-ttl", "B", "default-ip-ttl" },
        { 24, "path-mtu-aging-timeout", NULL, "L", "path-mtu-aging-timeout" },
        { 25, "path-mtu-plateau-table", NULL, "SA", "path-mtu-plateau-table" },
        { 26, "interface-mtu", "mtu", "S", "interface-mtu" },
        { 27, "all-subnets-local", NULL, "f", "all-subnets-local" },
        { 28, "broadcast-address", NULL, "I", "broadcast-address" },
        { 29, "perform-mask-discovery", NULL, "f", "perform-mask-discovery" },
        { 30, "mask-supplier", NULL, "f", "mask-supplier" },
        { 31, "router-discovery", NULL, "f", "router-discovery" },
        { 32, "router-solicitation-address", "router-solicitation", "I",
          "router-solicitation-address" },
        { 33, "static-routes", "static-route", "IIA", "static-routes" },
        { 34, "trailer-encapsulation", NULL, "f", "trailer-encapsulation" },
        { 35, "arp-cache-timeout", "arp-timeout", "L", "arp-cache-timeout" },
        { 36, "ieee802-3-encapsulation", "ethernet-encap", "f",
          "ieee802-3-encapsulation" },
        { 37, "default-tcp-ttl", "tcp-ttl", "B", "default-tcp-ttl" },
        { 38, "tcp-keepalive-interval", "tcp-keepalive", "L",
          "tcp-keepalive-interval" },
        { 39, "tcp-keepalive-garbage", NULL, "f", "tcp-keepalive-garbage" },
        { 40, "nis-domain", NULL, "t", "nis-domain" },
        { 41, "nis-servers", "nis-server", "IA", "nis-servers" },
        { 42, "ntp-servers", "ntp-server", "IA", "ntp-servers" },
        { 43, "vendor-encapsulated-options", NULL, "O", "vendor-encapsulated-options" },
        { 44, "netbios-name-servers", "netbios-ns", "IA", "netbios-name-servers" },
        { 45, "netbios-dd-server", "netbios-dd", "IA", "netbios-dd-server" },
        { 46, "netbios-node-type", "netbios-nodetype", "B", "netbios-node-type" },
        { 47, "netbios-scope", NULL, "t", "netbios-scope" },
        { 48, "font-servers", "x-windows-fs", "IA", "font-servers" },
        { 49, "x-display-manager", "x-windows-dm", "IA", "x-display-manager" },
        { 50, "dhcp-requested-address", NULL, "I", NULL },
        { 51, "dhcp-lease-time", NULL, "L", NULL },
        { 52, "dhcp-option-overload", NULL, "B", NULL },
        { 53, "dhcp-message-type", NULL, "B", NULL },
        { 54, "dhcp-server-identifier", "server-identifier", "I", NULL },
        { 55, "dhcp-parameter-request-list", NULL, "BA", NULL },
        { 56, "dhcp-message", NULL, "t", NULL },
        { 57, "dhcp-max-message-size", NULL, "S", NULL },
        { 58, "dhcp-renewal-time", "T1", "L", NULL },
        { 59, "dhcp-rebinding-time", "T2", "L", NULL },
        { 60, "vendor-class-identifier", "vendor-class", "X", NULL },
        { 61, "dhcp-client-identifier", "client-id", "X", NULL },
        { 62, "nwip-domain", NULL, "t", "nwip-domain" },
        { 63, "nwip-suboptions", NULL, "X", "nwip-suboptions" },
        { 64, "nisplus-domain", "nis+-domain", "t", "nisplus-domain" },
        { 65, "nisplus-servers", "nis+-server", "IA", "nisplus-servers" },
        { 66, "tftp-server-name", "tftp-server", "t", "tftp-server-name" },
        { 67, "bootfile-name", NULL, "t", "bootfile-name" },
        { 68, "mobile-ip-home-agent", "mobile-ip-home", "IA", "mobile-ip-home-agent" },
        { 69, "smtp-server", NULL, "IA", "smtp-server" },
        { 70, "pop-server", "pop3-server", "IA", "pop-server" },
        { 71, "nntp-server", NULL, "IA", "nntp-server" },
        { 72, "www-server", NULL, "IA", "www-server" },
        { 73, "finger-server", NULL, "IA", "finger-server" },
        { 74, "irc-server", NULL, "IA", "irc-server" },
        { 75, "streettalk-server", NULL, "IA", "streettalk-server" },
        { 76, "streettalk-directory-assistance-server", NULL, "IA",
          "streettalk-directory-assistance-server" },
        { 77, "user-class", NULL, "X", NULL },
        { 78, "slp-directory-agent", NULL, "fIA", NULL },
        { 79, "slp-service-scope", NULL, "ft", NULL },
        { 80, "rapid-commit", NULL, "X", NULL },
        { 82, "relay-agent-information", NULL, "X", NULL },
        { 85, "nds-servers", NULL, "IA", "nds-servers" },
        { 86, "nds-tree-name", NULL, "t", "nds-tree-name" },
        { 87, "nds-context", NULL, "t", "nds-context" },
        { 88, "bcms-controller-names", NULL, "D", "bcms-controller-names" },
        { 89, "bcms-controller-address", NULL, "IA", "bcms-controller-address" },
        { 93, "pxe-system-type", "client-arch", "S", NULL },
        { 94, "pxe-interface-id", "client-interface-id", "X", NULL },
        { 97, "pxe-client-id", "client-machine-id", "X", NULL },
        { 98, "uap-servers", NULL, "t", "uap-servers" },
        { 99, "geoconf-civic", NULL, "X", "geoconf-civic" },
        { 100, "pcode", "posix-timezone", "t", "pcode" },
        { 101, "tcode", "tzdb-timezone", "t", "tcode" },
        { 108, "v6-only-preferred", "ipv6-only", "L", "ipv6-only-preferred" },
        { 112, "netinfo-server-address", NULL, "IA", "netinfo-server-address" },
        { 113, "netinfo-server-tag", NULL, "t", "netinfo-server-tag" },
        { 114, "default-url", "captive-portal", "t", "default-url" },
        { 116, "auto-config", NULL, "B", "auto-config" },
        { 117, "name-service-search", NULL, "SA", "name-service-search" },
        { 118, "subnet-selection", NULL, "I", NULL },
        { 119, "domain-search", NULL, "D", "domain-search" },
        { 120, "sip-servers", "sip-server", "W", "sip-servers" },
        { 121, "classless-static-routes", "classless-static-route", "R",
          "classless-static-routes" },
        { 124, "vivco", NULL, "X", "vivco" },
        { 125, "vivso", "vendor-id-encap", "X", "vivso" },
        { 136, "pana-agent", NULL, "IA", "pana-agent" },
        { 137, "v4-lost", NULL, "d", "v4-lost" },
        { 138, "capwap-ac-v4", NULL, "IA", "capwap-ac-v4" },
        { 141, "sip-ua-cs-domains", NULL, "D", "sip-ua-cs-domains" },
        { 150, "tftp-server-address", NULL, "IA", "tftp-server-address" },
        { 160, "v4-captive-portal", NULL, "t", NULL },
        { 175, "ipxe-encapsulated-options", NULL, "O", "ipxe-encapsulated-options" },
        { 208, "loader-magic", NULL, "X", "pxelinux-magic" },
        { 209, "loader-configfile", NULL, "t", "loader-configfile" },
        { 210, "loader-pathprefix", NULL, "t", "loader-pathprefix" },
        { 211, "loader-reboottime", NULL, "L", "loader-reboottime" },
        { 213, "v4-access-domain", NULL, "d", "v4-access-domain" },
        { 249, "ms-classless-static-routes", NULL, "R", "ms-classless-static-routes" },
        { 252, "wpad", NULL, "t", "wpad" },
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
                return "Bootjack sends what the client asks for; what it is to get "
                       "unasked has 'always: true' beside its 'value'";
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
        case 77:
        case 80:
        case 82:
        case 93:
        case 94:
        case 118:
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
        case 'W':
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
        case 'O':
        case 'R':
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
