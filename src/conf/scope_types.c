/*
 * Readers of what classes, hosts and pools are made of. Lists end up as arrays with a
 * count behind the pointer, as all lists of policy/scope.h are laid out.
 */
#include "conf/internal.h"

struct array {
        const void *items;
        size_t n;
};

/* Reads each item of a list into an array of `size` bytes each. */
typedef bool (*read_fn)(struct parser *p, const struct doc_node *node,
                        const struct option *option, void *at);

static void read_array(struct parser *p, const struct doc_node *node,
                       const struct option *option, void *at, size_t size,
                       read_fn read) {
        size_t n = node->kind == DOC_MAP ? 1 : list_count(node);
        char *items = parser_alloc(p, (n + 1) * size);
        struct array array = { items, 0 };

        for (size_t i = 0; items && i < n; i++)
                if (read(p, list_item(node, i), option, items + array.n * size))
                        array.n++;
        *(struct array *)at = array;
}

static bool arrays_are_equal(const void *a, const void *b, size_t size) {
        const struct array *x = a, *y = b;

        return x->n == y->n &&
               (x->n == 0 || memcmp(x->items, y->items, x->n * size) == 0);
}

static bool texts_are_equal(const struct scope_texts *a, const struct scope_texts *b) {
        if (a->n != b->n)
                return false;
        for (size_t i = 0; i < a->n; i++)
                if (strcmp(a->items[i], b->items[i]) != 0)
                        return false;
        return true;
}

static int hex_digit(char c) {
        return c >= '0' && c <= '9'   ? c - '0'
               : c >= 'a' && c <= 'f' ? c - 'a' + 10
               : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                      : -1;
}

/* ---- patterns ---- */

/* Two digits a byte, a '*' at the end: as scope_glob() reads it. */
static bool is_bytes_pattern(const char *s) {
        while (hex_digit(s[0]) >= 0 && hex_digit(s[1]) >= 0) {
                s += 2;
                s += *s == ':';
        }
        return strcmp(s, "*") == 0 || *s == '\0';
}

static bool read_glob(struct parser *p, const struct doc_node *node,
                      const struct option *option, void *at) {
        if (!want_text(p, node, option))
                return false;
        if (node->n == 0) {
                refuse_value(p, node, option, "\"PXEClient*\"");
                return false;
        }
        if (strncmp(node->text, "0x", 2) == 0 && !is_bytes_pattern(node->text + 2)) {
                refuse_value(p, node, option, "\"0x0102*\"");
                return false;
        }
        read_text(p, node, option, at);
        return *(char **)at != NULL;
}
static void read_globs(struct parser *p, const struct doc_node *node,
                       const struct option *option, void *at) {
        read_array(p, node, option, at, sizeof(char *), read_glob);
}
static bool globs_equal(const struct option *option, const void *a, const void *b) {
        return texts_are_equal(a, b);
}
const struct type type_globs = { "a list of patterns", "patterns", read_globs,
                                 globs_equal };

/* ---- architectures ---- */

static bool read_arch(struct parser *p, const struct doc_node *node,
                      const struct option *option, void *at) {
        const char *near;
        uint64_t number;

        if (!want_text(p, node, option))
                return false;
        if (policy_arch_parse(node->text, at))
                return true;
        if (parse_number(node->text, UINT16_MAX, &number)) {
                *(uint16_t *)at = (uint16_t)number;
                return true;
        }
        near = text_nearest(node->text, policy_arch_words);
        problem(p, node, option->key, ": '", node->text,
                near ? "' is no architecture; did you mean '"
                     : "' is no architecture; for example x64, bios or a number of "
                       "option 93",
                near ? near : "", near ? "'?" : "", NULL);
        return false;
}
static void read_archs(struct parser *p, const struct doc_node *node,
                       const struct option *option, void *at) {
        read_array(p, node, option, at, sizeof(uint16_t), read_arch);
}
static bool archs_equal(const struct option *option, const void *a, const void *b) {
        return arrays_are_equal(a, b, sizeof(uint16_t));
}
const struct type type_archs = { "a list of architectures", "archs", read_archs,
                                 archs_equal };

/* ---- how a MAC begins ---- */

static bool parse_prefix(const char *s, struct scope_prefix *ret) {
        while (*s && ret->n < 6) {
                int high = hex_digit(s[0]), low = high < 0 ? -1 : hex_digit(s[1]);

                if (low < 0)
                        return false;
                ret->b[ret->n++] = (uint8_t)(high << 4 | low);
                s += 2;
                if (*s == ':' || *s == '-')
                        s++;
                if (*s == '*' && s[1] == '\0')
                        s++;
        }
        return *s == '\0' && ret->n > 0;
}
static bool read_prefix(struct parser *p, const struct doc_node *node,
                        const struct option *option, void *at) {
        struct scope_prefix prefix = { 0 };

        if (!want_text(p, node, option))
                return false;
        if (!parse_prefix(node->text, &prefix)) {
                refuse_value(p, node, option, "\"52:54:00\", in quotes");
                return false;
        }
        *(struct scope_prefix *)at = prefix;
        return true;
}
static void read_prefixes(struct parser *p, const struct doc_node *node,
                          const struct option *option, void *at) {
        read_array(p, node, option, at, sizeof(struct scope_prefix), read_prefix);
}
static bool prefixes_equal(const struct option *option, const void *a, const void *b) {
        return arrays_are_equal(a, b, sizeof(struct scope_prefix));
}
const struct type type_prefixes = { "a list of beginnings of a MAC address", "macs",
                                    read_prefixes, prefixes_equal };

/* ---- networks and addresses ---- */

static bool read_one_network(struct parser *p, const struct doc_node *node,
                             const struct option *option, void *at) {
        struct scope_network *network = at;
        bool has_host_bits = false;

        if (!want_text(p, node, option))
                return false;
        network->mask = UINT32_MAX;
        if (ip4_parse(node->text, &network->network) ||
            (parse_network(node->text, &network->network, &network->mask,
                           &has_host_bits) &&
             !has_host_bits))
                return true;
        refuse_value(p, node, option, "10.1.0.1 or 10.1.0.0/16");
        return false;
}
static void read_networks(struct parser *p, const struct doc_node *node,
                          const struct option *option, void *at) {
        read_array(p, node, option, at, sizeof(struct scope_network), read_one_network);
}
static bool networks_equal(const struct option *option, const void *a, const void *b) {
        return arrays_are_equal(a, b, sizeof(struct scope_network));
}
const struct type type_networks = { "a list of addresses and networks", "networks",
                                    read_networks, networks_equal };

/* ---- pools ---- */

struct pool_parts {
        struct scope_pool pool;
        bool has_range;
};

static void read_range(struct parser *p, const struct doc_node *node,
                       const struct option *option, void *at) {
        struct pool_parts *parts = at;

        if (!want_text(p, node, option))
                return;
        if (!parse_range(node->text, &parts->pool))
                refuse_value(p, node, option, "192.168.1.20-192.168.1.25");
        else if (parts->pool.first > parts->pool.last)
                problem(p, node, "the pool '", node->text, "' ends before it begins",
                        NULL);
        else
                parts->has_range = true;
}
static const struct type type_range = { "a range of addresses", "range", read_range,
                                        NULL };

static const struct option pool_keys[] = {
        { "range", &type_range, NULL, "first and last address", 0 },
        { "only", &type_globs, NULL, "for these classes",
          offsetof(struct pool_parts, pool.only) },
        { "except", &type_globs, NULL, "not for these classes",
          offsetof(struct pool_parts, pool.except) },
        { "bootp", &type_bool, NULL, "for BOOTP clients too",
          offsetof(struct pool_parts, pool.bootp) },
        { 0 },
};

static bool read_pool(struct parser *p, const struct doc_node *node,
                      const struct option *option, void *at) {
        struct pool_parts parts = { 0 };

        if (node->kind != DOC_MAP) {
                read_range(p, node, option, &parts);
        } else {
                read_keys(p, node, pool_keys, &parts);
                if (!doc_get(node, "range"))
                        problem(p, node,
                                "a pool needs the key 'range', such as "
                                "192.168.1.20-192.168.1.25",
                                NULL);
        }
        *(struct scope_pool *)at = parts.pool;
        return parts.has_range;
}
static void read_pools(struct parser *p, const struct doc_node *node,
                       const struct option *option, void *at) {
        read_array(p, node, option, at, sizeof(struct scope_pool), read_pool);
}
static bool pools_equal(const struct option *option, const void *a, const void *b) {
        const struct array *x = a, *y = b;
        const struct scope_pool *s = x->items, *t = y->items;

        if (x->n != y->n)
                return false;
        for (size_t i = 0; i < x->n; i++)
                if (s[i].first != t[i].first || s[i].last != t[i].last ||
                    s[i].bootp != t[i].bootp ||
                    !texts_are_equal(&s[i].only, &t[i].only) ||
                    !texts_are_equal(&s[i].except, &t[i].except))
                        return false;
        return true;
}
const struct type type_pools = { "a list of ranges of addresses", "ranges", read_pools,
                                 pools_equal };

/* ---- identifiers of hosts ---- */

static void read_bytes(struct parser *p, const struct doc_node *node,
                       const struct option *option, void *at) {
        const char *s = node->text;
        uint8_t *bytes;
        size_t n = 0;

        if (!want_text(p, node, option))
                return;
        bytes = parser_alloc(p, node->n + 1);
        if (!bytes)
                return;
        if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
                for (s += 2; *s; s += 2) {
                        int high, low;

                        s += *s == ':';
                        high = hex_digit(s[0]);
                        low = high < 0 ? -1 : hex_digit(s[1]);
                        if (low < 0)
                                break;
                        bytes[n++] = (uint8_t)(high << 4 | low);
                }
        } else {
                n = node->n;
                memcpy(bytes, s, n);
                s += n;
        }
        if (*s || n == 0 || n > 255)
                refuse_value(p, node, option, "\"0x01525400123456\"");
        else
                *(struct span *)at = (struct span){ bytes, n };
}
static bool bytes_equal(const struct option *option, const void *a, const void *b) {
        return arrays_are_equal(a, b, 1);
}
const struct type type_bytes = { "a text, or bytes as 0x0102", "bytes", read_bytes,
                                 bytes_equal };

struct maybe_uuid { /* as in struct scope_host */
        bool has;
        struct uuid uuid;
};
_Static_assert(offsetof(struct scope_host, uuid) -
                               offsetof(struct scope_host, has_uuid) ==
                       offsetof(struct maybe_uuid, uuid),
               "a UUID stands behind its flag");

/* As it is shown: the text's own order is that of the wire's bytes. */
static void read_uuid(struct parser *p, const struct doc_node *node,
                      const struct option *option, void *at) {
        struct maybe_uuid found = { .has = true };
        size_t n = 0;

        if (!want_text(p, node, option))
                return;
        for (const char *s = node->text; *s && n < 16;) {
                int high, low;

                s += *s == '-';
                high = hex_digit(s[0]);
                low = high < 0 ? -1 : hex_digit(s[1]);
                if (low < 0)
                        break;
                found.uuid.b[n++] = (uint8_t)(high << 4 | low);
                s += 2;
        }
        if (n != 16 || strlen(node->text) != 36) {
                refuse_value(p, node, option, "4c4c4544-0037-3110-8050-c4c04f4b3332");
                return;
        }
        *(struct maybe_uuid *)at = found;
}
static bool uuid_equal(const struct option *option, const void *a, const void *b) {
        return memcmp(a, b, sizeof(struct maybe_uuid)) == 0;
}
const struct type type_uuid = { "a UUID", "uuid", read_uuid, uuid_equal };
