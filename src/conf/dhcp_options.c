/*
 * DHCP options by name, one row each: what a person writes becomes what goes on the
 * wire. Names are those of RFC 2132 as they are written since in the field's
 * configuration files; some have two. Any other option goes by its number, with its
 * type or with hexadecimal bytes.
 */
#include <stdlib.h>

#include "conf/internal.h"

enum { OPTION_BYTES_MAX = 1024, NAME_MAX_BYTES = 255 };

enum kind {
        ADDRESS,
        ADDRESSES,
        PAIRS,  /* of addresses, "10.0.0.0 10.0.0.1" */
        ROUTES, /* RFC 3442, "10.0.0.0/8 via 192.168.1.1" */
        TEXT,
        NAMES, /* of domains, as in DNS (RFC 3397) */
        BOOL,
        U8,
        U16,
        U32,
        U16S,
        SIP, /* RFC 3361: addresses behind a byte that says so */
        HEX,
        ENCAPSULATED, /* options in an option */
        N_KINDS,
};

static const struct {
        const char *word;
        const char *wanted;
        bool is_list;
} kinds[N_KINDS] = {
        [ADDRESS] = { "address", "an IPv4 address", false },
        [ADDRESSES] = { "addresses", "a list of IPv4 addresses", true },
        [PAIRS] = { "pairs", "a list of pairs such as '10.0.0.0 192.168.1.1'", true },
        [ROUTES] = { "routes", "a list of routes such as '10.0.0.0/8 via 192.168.1.1'",
                     true },
        [TEXT] = { "text", "a text", false },
        [NAMES] = { "names", "a list of domain names", true },
        [BOOL] = { "bool", "true or false", false },
        [U8] = { "u8", "a number from 0 to 255", false },
        [U16] = { "u16", "a number from 0 to 65535", false },
        [U32] = { "u32", "a number of 32 bits", false },
        [U16S] = { "u16s", "a list of numbers from 0 to 65535", true },
        [SIP] = { "sip", "a list of IPv4 addresses", true },
        [HEX] = { "hex", "hexadecimal bytes in quotes; for example \"c0:a8:01:06\"",
                  false },
        [ENCAPSULATED] = { "encapsulated",
                           "hexadecimal bytes, or a map of numbers and their values",
                           false },
};

static const struct row {
        const char *name;
        uint8_t code;
        enum kind kind;
} rows[] = {
        /* RFC 2132 3 */
        { "subnet-mask", 1, ADDRESS },
        { "time-offset", 2, U32 },
        { "routers", 3, ADDRESSES },
        { "time-servers", 4, ADDRESSES },
        { "ien116-name-servers", 5, ADDRESSES },
        { "domain-name-servers", 6, ADDRESSES },
        { "log-servers", 7, ADDRESSES },
        { "cookie-servers", 8, ADDRESSES },
        { "lpr-servers", 9, ADDRESSES },
        { "impress-servers", 10, ADDRESSES },
        { "resource-location-servers", 11, ADDRESSES },
        { "host-name", 12, TEXT },
        { "boot-size", 13, U16 },
        { "merit-dump", 14, TEXT },
        { "domain-name", 15, TEXT },
        { "swap-server", 16, ADDRESS },
        { "root-path", 17, TEXT },
        { "extensions-path", 18, TEXT },
        /* 4 and 5: the host's and each interface's IP layer */
        { "ip-forwarding", 19, BOOL },
        { "non-local-source-routing", 20, BOOL },
        { "policy-filter", 21, PAIRS },
        { "max-dgram-reassembly", 22, U16 },
        { "default-ip-ttl", 23, U8 },
        { "default-ttl", 23, U8 },
        { "path-mtu-aging-timeout", 24, U32 },
        { "path-mtu-plateau-table", 25, U16S },
        { "interface-mtu", 26, U16 },
        { "all-subnets-local", 27, BOOL },
        { "broadcast-address", 28, ADDRESS },
        { "perform-mask-discovery", 29, BOOL },
        { "mask-supplier", 30, BOOL },
        { "router-discovery", 31, BOOL },
        { "router-solicitation-address", 32, ADDRESS },
        { "static-routes", 33, PAIRS },
        /* 6 and 7: the link layer, TCP */
        { "trailer-encapsulation", 34, BOOL },
        { "arp-cache-timeout", 35, U32 },
        { "ieee802-3-encapsulation", 36, BOOL },
        { "default-tcp-ttl", 37, U8 },
        { "tcp-keepalive-interval", 38, U32 },
        { "tcp-keepalive-garbage", 39, BOOL },
        /* 8: applications and services */
        { "nis-domain", 40, TEXT },
        { "nis-servers", 41, ADDRESSES },
        { "ntp-servers", 42, ADDRESSES },
        { "vendor-encapsulated-options", 43, ENCAPSULATED },
        { "netbios-name-servers", 44, ADDRESSES },
        { "netbios-dd-server", 45, ADDRESSES },
        { "netbios-node-type", 46, U8 },
        { "netbios-scope", 47, TEXT },
        { "font-servers", 48, ADDRESSES },
        { "x-display-manager", 49, ADDRESSES },
        { "nisplus-domain", 64, TEXT },
        { "nisplus-servers", 65, ADDRESSES },
        { "mobile-ip-home-agent", 68, ADDRESSES },
        { "smtp-server", 69, ADDRESSES },
        { "pop-server", 70, ADDRESSES },
        { "nntp-server", 71, ADDRESSES },
        { "www-server", 72, ADDRESSES },
        { "finger-server", 73, ADDRESSES },
        { "irc-server", 74, ADDRESSES },
        { "streettalk-server", 75, ADDRESSES },
        { "streettalk-directory-assistance-server", 76, ADDRESSES },
        /* 9: what DHCP itself is told by keys of its own, but for these two */
        { "tftp-server-name", 66, TEXT },
        { "bootfile-name", 67, TEXT },
        /* later ones */
        { "nwip-domain", 62, TEXT },    /* RFC 2242 */
        { "nwip-suboptions", 63, HEX }, /* RFC 2242 */
        { "slp-directory-agent", 78, HEX },
        { "slp-service-scope", 79, HEX },
        { "nds-servers", 85, ADDRESSES }, /* RFC 2241 */
        { "nds-tree-name", 86, TEXT },
        { "nds-context", 87, TEXT },
        { "bcms-controller-names", 88, NAMES }, /* RFC 4280 */
        { "bcms-controller-address", 89, ADDRESSES },
        { "uap-servers", 98, TEXT },     /* RFC 2485 */
        { "geoconf-civic", 99, HEX },    /* RFC 4776 */
        { "posix-timezone", 100, TEXT }, /* RFC 4833 */
        { "pcode", 100, TEXT },
        { "tz-database", 101, TEXT },
        { "tcode", 101, TEXT },
        { "ipv6-only-preferred", 108, U32 }, /* RFC 8925 */
        { "netinfo-server-address", 112, ADDRESSES },
        { "netinfo-server-tag", 113, TEXT },
        { "captive-portal", 114, TEXT }, /* RFC 8910 */
        { "default-url", 114, TEXT },
        { "auto-config", 116, U8 },                 /* RFC 2563 */
        { "name-service-search", 117, U16S },       /* RFC 2937 */
        { "domain-search", 119, NAMES },            /* RFC 3397 */
        { "sip-servers", 120, SIP },                /* RFC 3361 */
        { "classless-static-routes", 121, ROUTES }, /* RFC 3442 */
        { "rfc3442-classless-static-routes", 121, ROUTES },
        { "vivco", 124, HEX }, /* RFC 3925 */
        { "vivso", 125, HEX },
        { "pana-agent", 136, ADDRESSES },    /* RFC 5192 */
        { "v4-lost", 137, NAMES },           /* RFC 5223 */
        { "capwap-ac-v4", 138, ADDRESSES },  /* RFC 5417 */
        { "sip-ua-cs-domains", 141, NAMES }, /* RFC 6011 */
        { "rdnss-selection", 146, HEX },     /* RFC 6731 */
        { "tftp-servers", 150, ADDRESSES },  /* RFC 5859 */
        { "tftp-server-address", 150, ADDRESSES },
        { "ipxe-encapsulated-options", 175, ENCAPSULATED },
        { "pxelinux-magic", 208, HEX }, /* RFC 5071 */
        { "config-file", 209, TEXT },
        { "loader-configfile", 209, TEXT },
        { "path-prefix", 210, TEXT },
        { "loader-pathprefix", 210, TEXT },
        { "reboot-time", 211, U32 },
        { "loader-reboottime", 211, U32 },
        { "v4-access-domain", 213, NAMES }, /* RFC 5986 */
        { "ms-classless-static-routes", 249, ROUTES },
        { "wpad", 252, TEXT },
};

/* The message itself; a configuration that set them would break the protocol. What can
 * be said otherwise is said by which key. */
static const struct reserved {
        uint8_t code;
        const char *name;
        const char *instead; /* NULL: by nothing */
} reserved[] = {
        { 0, "pad", NULL },
        { 50, "dhcp-requested-address", NULL },
        { 51, "dhcp-lease-time", "the key 'lease-time', beside 'options', sets it" },
        { 52, "dhcp-option-overload", NULL },
        { 53, "dhcp-message-type", NULL },
        { 54, "dhcp-server-identifier", NULL },
        { 55, "dhcp-parameter-request-list",
          "{value: ..., always: true} sends an option to those that did not ask" },
        { 56, "dhcp-message", NULL },
        { 57, "dhcp-max-message-size", NULL },
        { 58, "dhcp-renewal-time",
          "the key 'renewal-time', beside 'options', sets it" },
        { 59, "dhcp-rebinding-time",
          "the key 'rebinding-time', beside 'options', sets it" },
        { 60, "vendor-class-identifier", "firmware gets it without being told" },
        { 61, "dhcp-client-identifier", NULL },
        { 77, "user-class", "a class can match it by user-class" },
        { 80, "rapid-commit", NULL },
        { 82, "relay-agent-information",
          "a class can match it by circuit-id and remote-id" },
        { 93, "pxe-system-type", "a class can match it by arch" },
        { 94, "pxe-interface-id", NULL },
        { 97, "pxe-client-id", "a host can be known by it, as its uuid" },
        { 118, "subnet-selection", NULL },
        { 255, "end", NULL },
};

struct value {
        uint8_t code;
        bool is_forced;
        size_t n;
        uint8_t data[OPTION_BYTES_MAX];
};

/* ---- single values ---- */

static bool add_number(struct writer *w, enum kind kind, const char *s) {
        bool is_negative = kind == U32 && *s == '-';
        char *end;
        unsigned long v = strtoul(s + is_negative, &end, 10);
        unsigned long max = kind == U8    ? UINT8_MAX
                            : kind == U32 ? UINT32_MAX
                                          : UINT16_MAX;

        if (s[is_negative] < '0' || s[is_negative] > '9' || *end != '\0' ||
            v > (is_negative ? (unsigned long)INT32_MAX : max))
                return false;
        if (kind == U8)
                writer_u8(w, (uint8_t)v);
        else if (kind == U32)
                writer_be32(w, is_negative ? (uint32_t) - (int64_t)v : (uint32_t)v);
        else
                writer_be16(w, (uint16_t)v);
        return true;
}

/* RFC 3397: names as in DNS, uncompressed. */
static bool add_name(struct writer *w, const char *s) {
        size_t total = 1;

        while (*s) {
                size_t n = strcspn(s, ".");

                total += n + 1;
                if (n == 0 || n > 63 || total > NAME_MAX_BYTES)
                        return false;
                writer_u8(w, (uint8_t)n);
                writer_bytes(w, s, n);
                s += n + (s[n] == '.');
        }
        writer_u8(w, 0);
        return true;
}

/* Two addresses with a blank, or "via", between them. */
static bool split(const char *s, size_t *ret_n, ip4_t *ret_second) {
        size_t n = strcspn(s, " ");
        const char *second = s + n + strspn(s + n, " ");

        if (strncmp(second, "via ", 4) == 0)
                second += 4;
        *ret_n = n;
        return n > 0 && ip4_parse(second, ret_second);
}

static bool add_pair(struct writer *w, const char *s) {
        ip4_t first, second;
        size_t n;

        if (!split(s, &n, &second) || !ip4_parse_n(s, n, &first))
                return false;
        writer_be32(w, first);
        writer_be32(w, second);
        return true;
}

/* RFC 3442: the width of the mask, the bytes of the network that it covers, the router.
 */
static bool add_route(struct writer *w, const char *s) {
        char network[24];
        ip4_t address, mask, router;
        bool has_host_bits = false;
        unsigned width;
        size_t n;

        if (!split(s, &n, &router) || n >= sizeof(network))
                return false;
        memcpy(network, s, n);
        network[n] = '\0';
        if (strcmp(network, "default") == 0 || strcmp(network, "0.0.0.0/0") == 0) {
                address = mask = 0;
        } else if (!parse_network(network, &address, &mask, &has_host_bits) ||
                   has_host_bits) {
                return false;
        }
        width = mask ? (unsigned)__builtin_popcount(mask) : 0;
        writer_u8(w, (uint8_t)width);
        for (unsigned i = 0; i < (width + 7) / 8; i++)
                writer_u8(w, (uint8_t)(address >> (24 - 8 * i)));
        writer_be32(w, router);
        return true;
}

static bool add_hex(struct writer *w, const char *s) {
        static const char digits[] = "0123456789abcdef";
        unsigned half = 0, n = 0;

        if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
                s += 2;
        for (; *s; s++) {
                char lower = *s >= 'A' && *s <= 'F' ? (char)(*s - 'A' + 'a') : *s;
                const char *digit = strchr(digits, lower);

                if (*s == ':' || *s == ' ')
                        continue;
                if (!digit)
                        return false;
                half = half << 4 | (unsigned)(digit - digits);
                if (++n % 2 == 0)
                        writer_u8(w, (uint8_t)half);
        }
        return n > 0 && n % 2 == 0;
}

static bool add_scalar(struct writer *w, enum kind kind, const char *s) {
        ip4_t address = 0;

        switch (kind) {
        case ADDRESS:
        case ADDRESSES:
        case SIP:
                if (!ip4_parse(s, &address))
                        return false;
                writer_be32(w, address);
                return true;
        case PAIRS:
                return add_pair(w, s);
        case ROUTES:
                return add_route(w, s);
        case TEXT:
                writer_text(w, s);
                return true;
        case NAMES:
                return add_name(w, s);
        case BOOL:
                if (strcmp(s, "true") != 0 && strcmp(s, "false") != 0 &&
                    strcmp(s, "on") != 0 && strcmp(s, "off") != 0)
                        return false;
                writer_u8(w, s[0] == 't' || strcmp(s, "on") == 0);
                return true;
        case HEX:
        case ENCAPSULATED:
                return add_hex(w, s);
        default:
                return add_number(w, kind, s);
        }
}

/* ---- whole values ---- */

static void refuse(struct parser *p, const struct doc_node *node, const char *name,
                   enum kind kind) {
        bool has_text = node->kind == DOC_SCALAR && node->n > 0;

        problem(p, node, name, " must be ", kinds[kind].wanted,
                has_text ? ", not '" : "", has_text ? node->text : "",
                has_text ? "'" : "", NULL);
}

static bool read_encapsulated(struct parser *p, const char *name,
                              const struct doc_node *node, struct writer *w);

static bool read_value(struct parser *p, const char *name, enum kind kind,
                       const struct doc_node *node, struct writer *w) {
        bool is_list = node->kind == DOC_LIST && kinds[kind].is_list;
        size_t n = is_list ? node->n : 1;

        if (kind == ENCAPSULATED && node->kind == DOC_MAP)
                return read_encapsulated(p, name, node, w);
        if (kind == SIP)
                writer_u8(w, 1);
        for (size_t i = 0; i < n; i++) {
                const struct doc_node *item = is_list ? &node->items[i] : node;

                if (item->kind != DOC_SCALAR || item->n == 0 ||
                    !add_scalar(w, kind, item->text)) {
                        refuse(p, item, name, kind);
                        return false;
                }
        }
        return true;
}

static bool find_kind(struct parser *p, const struct doc_node *node, enum kind *ret) {
        const char *words[N_KINDS + 1] = { 0 };
        const char *near;

        for (unsigned i = 0; i < N_KINDS; i++) {
                words[i] = kinds[i].word;
                if (strcmp(words[i], node->text) == 0) {
                        *ret = (enum kind)i;
                        return true;
                }
        }
        near = text_nearest(node->text, words);
        problem(p, node, "there is no type '", node->text,
                near ? "'; did you mean '"
                     : "'; there are address, addresses, pairs, routes, text, names, "
                       "bool, u8, u16, u32, u16s and hex",
                near ? near : "", near ? "'?" : "", NULL);
        return false;
}

static bool parse_code(const char *s, uint8_t *ret) {
        char *end;
        unsigned long v = strtoul(s, &end, 10);

        if (*s < '0' || *s > '9' || *end != '\0' || v > UINT8_MAX)
                return false;
        *ret = (uint8_t)v;
        return true;
}

/* What can stand around a value. */
static bool has_known_keys(struct parser *p, const struct doc_node *map) {
        static const char *const words[] = { "value", "type", "always", NULL };

        for (size_t i = 0; i < map->n; i++) {
                const char *word = map->keys[i].text, *near;
                size_t at = 0;

                while (words[at] && strcmp(words[at], word) != 0)
                        at++;
                if (words[at])
                        continue;
                near = text_nearest(word, words);
                problem(p, &map->keys[i], "unknown key '", word,
                        near ? "'; did you mean '"
                             : "'; around a value can stand: value, type, always",
                        near ? near : "", near ? "'?" : "", NULL);
                return false;
        }
        return true;
}

/* RFC 2132 8.4: each sub-option as an option. A plain value is a text, or bytes when it
 * begins with 0x. */
static bool read_encapsulated(struct parser *p, const char *name,
                              const struct doc_node *node, struct writer *w) {
        for (size_t i = 0; i < node->n; i++) {
                const struct doc_node *value = &node->items[i];
                const struct doc_node *type =
                        value->kind == DOC_MAP ? doc_get(value, "type") : NULL;
                enum kind kind = strncmp(value->text, "0x", 2) == 0 ? HEX : TEXT;
                uint8_t bytes[255];
                struct writer inner = writer_of(bytes, sizeof(bytes));
                uint8_t code;

                if (!parse_code(node->keys[i].text, &code) || code == 0 ||
                    code == 255) {
                        problem(p, &node->keys[i], name,
                                ": a sub-option goes by its number, from 1 to 254, "
                                "not '",
                                node->keys[i].text, "'", NULL);
                        return false;
                }
                if (value->kind == DOC_MAP && (!type || !doc_get(value, "value"))) {
                        problem(p, value, name,
                                ": a sub-option is a value, or {type: u8, value: 1}",
                                NULL);
                        return false;
                }
                if (type && (!has_known_keys(p, value) || !find_kind(p, type, &kind)))
                        return false;
                if (!read_value(p, name, kind, type ? doc_get(value, "value") : value,
                                &inner))
                        return false;
                if (inner.failed) {
                        problem(p, value, name, ": a sub-option has 255 bytes at most",
                                NULL);
                        return false;
                }
                writer_u8(w, code);
                writer_u8(w, (uint8_t)inner.at);
                writer_bytes(w, bytes, inner.at);
        }
        return true;
}

/* ---- one option ---- */

static const struct row *find_row(const char *name) {
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                if (strcmp(rows[i].name, name) == 0)
                        return &rows[i];
        return NULL;
}

static const struct reserved *find_reserved(const char *name, uint8_t code,
                                            bool is_number) {
        for (size_t i = 0; i < ARRAY_SIZE(reserved); i++)
                if (is_number ? reserved[i].code == code
                              : strcmp(reserved[i].name, name) == 0)
                        return &reserved[i];
        return NULL;
}

static void refuse_name(struct parser *p, const struct doc_node *key) {
        const char *names[ARRAY_SIZE(rows) + 1] = { 0 };
        const char *near;

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                names[i] = rows[i].name;
        near = text_nearest(key->text, names);
        problem(p, key, "unknown DHCP option '", key->text,
                near ? "'; did you mean '" : "'; its number can be used instead",
                near ? near : "", near ? "'?" : "", NULL);
}

/* {value: ..., type: ..., always: true} around a value; false after a problem. */
static bool unwrap(struct parser *p, const struct doc_node **node, enum kind *kind,
                   bool is_named, struct value *ret) {
        const struct doc_node *map = *node;
        const struct doc_node *value = doc_get(map, "value");
        const struct doc_node *type = doc_get(map, "type");
        const struct doc_node *always = doc_get(map, "always");

        if (!value && *kind == ENCAPSULATED && !type && !always)
                return true;
        if (!has_known_keys(p, map))
                return false;
        if (!value) {
                problem(p, map, "a map around a value needs the key 'value', such as ",
                        is_named ? "{value: ..., always: true}"
                                 : "{type: text, value: abc}",
                        NULL);
                return false;
        }
        *node = value;
        ret->is_forced = always && strcmp(always->text, "true") == 0;
        if (always && !ret->is_forced && strcmp(always->text, "false") != 0) {
                problem(p, always, "always must be true or false, not '", always->text,
                        "'", NULL);
                return false;
        }
        if (type && is_named) {
                problem(p, type, "an option with a name has its type already", NULL);
                return false;
        }
        return !type || find_kind(p, type, kind);
}

static void read_one(struct parser *p, const struct doc_node *key,
                     const struct doc_node *node, struct value *ret) {
        const struct row *row = find_row(key->text);
        enum kind kind = row ? row->kind : HEX;
        uint8_t code = row ? row->code : 0;
        struct writer w = writer_of(ret->data, sizeof(ret->data));
        bool is_number = !row && parse_code(key->text, &code);
        const struct reserved *own =
                row ? NULL : find_reserved(key->text, code, is_number);

        if (own) {
                problem(p, key, "option ", key->text, is_number ? ", " : "",
                        is_number ? own->name : "", is_number ? "," : "",
                        " belongs to the protocol itself and cannot be set",
                        own->instead ? "; " : "", own->instead ? own->instead : "",
                        NULL);
                return;
        }
        if (!row && !is_number) {
                refuse_name(p, key);
                return;
        }
        if (node->kind == DOC_MAP && !unwrap(p, &node, &kind, row != NULL, ret))
                return;
        if (!read_value(p, key->text, kind, node, &w))
                return;
        if (w.failed || w.at == 0) {
                problem(p, node, key->text,
                        " has nothing in it, or more than the 1024 bytes that fit into "
                        "a message",
                        NULL);
                return;
        }
        ret->code = code;
        ret->n = w.at;
}

/* ---- the map ---- */

struct list { /* as in struct scope */
        struct scope_option *items;
        size_t n;
};

static void keep(struct parser *p, const struct doc_node *key,
                 const struct value *value, struct list *list) {
        uint8_t *data = parser_alloc(p, value->n + 1);

        for (size_t i = 0; i < list->n; i++)
                if (list->items[i].code == value->code) {
                        problem(p, key, "option ", key->text, " is given twice", NULL);
                        return;
                }
        if (!data)
                return;
        memcpy(data, value->data, value->n);
        list->items[list->n++] = (struct scope_option){ .code = value->code,
                                                        .is_forced = value->is_forced,
                                                        .n = (uint16_t)value->n,
                                                        .data = data };
}

static void read_options(struct parser *p, const struct doc_node *node,
                         const struct option *option, void *at) {
        struct list list = { 0 };

        if (node->kind == DOC_NULL)
                return;
        if (node->kind != DOC_MAP) {
                problem(p, node,
                        "options must be a map, such as {routers: [192.168.1.1]}",
                        NULL);
                return;
        }
        list.items = parser_alloc(p, (node->n + 1) * sizeof(*list.items));
        for (size_t i = 0; list.items && i < node->n; i++) {
                struct value value = { 0 };

                read_one(p, &node->keys[i], &node->items[i], &value);
                if (value.code)
                        keep(p, &node->keys[i], &value, &list);
        }
        *(struct list *)at = list;
}

static bool options_equal(const struct option *option, const void *a, const void *b) {
        const struct list *x = a, *y = b;

        if (x->n != y->n)
                return false;
        for (size_t i = 0; i < x->n; i++)
                if (x->items[i].code != y->items[i].code ||
                    x->items[i].n != y->items[i].n ||
                    x->items[i].is_forced != y->items[i].is_forced ||
                    memcmp(x->items[i].data, y->items[i].data, x->items[i].n) != 0)
                        return false;
        return true;
}

const struct type type_dhcp_options = { "a map of DHCP options", "options",
                                        read_options, options_equal };

void conf_dhcp_options_markdown(struct text *out) {
        text_add(out, "| option | number | value |\n|---|---|---|\n");
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                text_add(out, "| `");
                text_add(out, rows[i].name);
                text_add(out, "` | ");
                text_u64(out, rows[i].code);
                text_add(out, " | ");
                text_add(out, kinds[rows[i].kind].wanted);
                text_add(out, " |\n");
        }
}

void conf_dhcp_options_json(struct text *out) {
        text_char(out, '[');
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                text_json_next(out);
                text_char(out, '{');
                text_json_pair(out, "option", rows[i].name);
                text_json_pair_u64(out, "number", rows[i].code);
                text_json_pair(out, "type", kinds[rows[i].kind].word);
                text_char(out, '}');
        }
        text_char(out, ']');
}
