/*
 * DHCP options by name (RFC 2132, 3397, 4833), one row each: what a person writes
 * becomes what goes on the wire. A number as the key with hexadecimal bytes as the
 * value gives any other.
 */
#include <stdlib.h>

#include "conf/internal.h"

enum { OPTION_BYTES_MAX = 1024 };

enum kind { ADDRESS, ADDRESSES, TEXT, U8, U16, U32, NAMES };

static const struct row {
        const char *name;
        uint8_t code;
        enum kind kind;
} rows[] = {
        { "subnet-mask", 1, ADDRESS },
        { "time-offset", 2, U32 },
        { "routers", 3, ADDRESSES },
        { "time-servers", 4, ADDRESSES },
        { "domain-name-servers", 6, ADDRESSES },
        { "log-servers", 7, ADDRESSES },
        { "domain-name", 15, TEXT },
        { "root-path", 17, TEXT },
        { "default-ttl", 23, U8 },
        { "interface-mtu", 26, U16 },
        { "broadcast-address", 28, ADDRESS },
        { "ntp-servers", 42, ADDRESSES },
        { "netbios-name-servers", 44, ADDRESSES },
        { "tftp-server-name", 66, TEXT },
        { "posix-timezone", 100, TEXT },
        { "tz-database", 101, TEXT },
        { "domain-search", 119, NAMES },
        { "tftp-servers", 150, ADDRESSES },
};

/* The message itself; a configuration that set them would break the protocol. */
static const uint8_t reserved[] = { 0,  50, 51, 52, 53, 54, 55, 56, 57,
                                    58, 59, 60, 61, 82, 93, 94, 97, 255 };

static const char *const names[] = {
        "subnet-mask",
        "time-offset",
        "routers",
        "time-servers",
        "domain-name-servers",
        "log-servers",
        "domain-name",
        "root-path",
        "default-ttl",
        "interface-mtu",
        "broadcast-address",
        "ntp-servers",
        "netbios-name-servers",
        "tftp-server-name",
        "posix-timezone",
        "tz-database",
        "domain-search",
        "tftp-servers",
        NULL,
};

static void add_number(struct writer *w, enum kind kind, const char *s, bool *ok) {
        char *end;
        unsigned long v = strtoul(s, &end, 10);
        unsigned long max = kind == U8    ? UINT8_MAX
                            : kind == U16 ? UINT16_MAX
                                          : UINT32_MAX;

        *ok = *s >= '0' && *s <= '9' && *end == '\0' && v <= max;
        if (kind == U8)
                writer_u8(w, (uint8_t)v);
        else if (kind == U16)
                writer_be16(w, (uint16_t)v);
        else
                writer_be32(w, (uint32_t)v);
}

/* RFC 3397: names as in DNS, uncompressed. */
static void add_name(struct writer *w, const char *s, bool *ok) {
        while (*s && *ok) {
                size_t n = strcspn(s, ".");

                *ok = n > 0 && n < 64;
                writer_u8(w, (uint8_t)n);
                writer_bytes(w, s, n);
                s += n + (s[n] == '.');
        }
        writer_u8(w, 0);
}

static bool add_value(struct writer *w, enum kind kind, const struct doc_node *node) {
        bool ok = node->kind == DOC_SCALAR && node->n > 0;
        ip4_t address = 0;

        if (!ok)
                return false;
        switch (kind) {
        case ADDRESS:
        case ADDRESSES:
                ok = ip4_parse(node->text, &address);
                writer_be32(w, address);
                break;
        case TEXT:
                writer_text(w, node->text);
                break;
        case NAMES:
                add_name(w, node->text, &ok);
                break;
        default:
                add_number(w, kind, node->text, &ok);
        }
        return ok;
}

static const char *wanted(enum kind kind) {
        switch (kind) {
        case ADDRESS:
                return "an IPv4 address";
        case ADDRESSES:
                return "a list of IPv4 addresses";
        case TEXT:
                return "a text";
        case NAMES:
                return "a list of domain names";
        default:
                return "a number";
        }
}

static bool add_hex(struct writer *w, const char *s) {
        static const char digits[] = "0123456789abcdef";
        unsigned half = 0, n = 0;

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

static bool is_number(const char *s, uint8_t *ret) {
        char *end;
        unsigned long v = strtoul(s, &end, 10);

        if (*s < '0' || *s > '9' || *end != '\0' || v > UINT8_MAX)
                return false;
        *ret = (uint8_t)v;
        return true;
}

struct value {
        uint8_t code;
        size_t n;
        uint8_t data[OPTION_BYTES_MAX];
};

static void read_by_number(struct parser *p, const struct doc_node *key,
                           const struct doc_node *value, uint8_t code,
                           struct value *ret) {
        struct writer w = writer_of(ret->data, sizeof(ret->data));

        if (memchr(reserved, code, sizeof(reserved))) {
                problem(p, key, "option ", key->text,
                        " belongs to the protocol itself and cannot be set", NULL);
        } else if (value->kind != DOC_SCALAR || !add_hex(&w, value->text) || w.failed) {
                problem(p, value, "option ", key->text,
                        " must be hexadecimal bytes in quotes; for example "
                        "\"c0:a8:01:06\"",
                        NULL);
        } else {
                ret->code = code;
                ret->n = w.at;
        }
}

static void read_by_name(struct parser *p, const struct row *row,
                         const struct doc_node *value, struct value *ret) {
        bool is_list = row->kind == ADDRESSES || row->kind == NAMES;
        struct writer w = writer_of(ret->data, sizeof(ret->data));
        size_t n = value->kind == DOC_LIST && is_list ? value->n : 1;

        for (size_t i = 0; i < n; i++) {
                const struct doc_node *item =
                        value->kind == DOC_LIST && is_list ? &value->items[i] : value;

                if (!add_value(&w, row->kind, item)) {
                        problem(p, item, row->name, " must be ", wanted(row->kind),
                                item->n && item->kind == DOC_SCALAR ? ", not '" : "",
                                item->text,
                                item->n && item->kind == DOC_SCALAR ? "'" : "", NULL);
                        return;
                }
        }
        if (w.failed || w.at == 0) {
                problem(p, value, row->name,
                        " has nothing in it, or more than the 1024 "
                        "bytes that fit into a message",
                        NULL);
                return;
        }
        ret->code = row->code;
        ret->n = w.at;
}

static void read_one(struct parser *p, const struct doc_node *key,
                     const struct doc_node *value, struct value *ret) {
        const char *near;
        uint8_t code;

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                if (strcmp(rows[i].name, key->text) == 0) {
                        read_by_name(p, &rows[i], value, ret);
                        return;
                }
        if (is_number(key->text, &code)) {
                read_by_number(p, key, value, code, ret);
                return;
        }
        near = text_nearest(key->text, names);
        problem(p, key, "unknown DHCP option '", key->text,
                near ? "'; did you mean '" : "'; its number can be used instead",
                near ? near : "", near ? "'?" : "", NULL);
}

struct list { /* as in struct scope */
        struct scope_option *items;
        size_t n;
};

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
                uint8_t *data;

                read_one(p, &node->keys[i], &node->items[i], &value);
                data = value.code ? parser_alloc(p, value.n + 1) : NULL;
                if (!data)
                        continue;
                memcpy(data, value.data, value.n);
                list.items[list.n++] = (struct scope_option){ .code = value.code,
                                                              .n = (uint16_t)value.n,
                                                              .data = data };
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
