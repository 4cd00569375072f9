/*
 * One reader a type of value. Each says what it wanted in the same words as the manual
 * and, for a word out of a known set, the nearest legal one.
 */
#include <stdlib.h>

#include "conf/internal.h"
#include "policy/menu.h"
#include "policy/password.h"

bool want_text(struct parser *p, const struct doc_node *node,
               const struct option *option) {
        if (node->kind == DOC_SCALAR)
                return true;
        problem(p, node, option->key, " must be ", option->type->name, ", not ",
                node->kind == DOC_LIST  ? "a list"
                : node->kind == DOC_MAP ? "a map of keys"
                                        : "nothing",
                NULL);
        return false;
}

void refuse_value(struct parser *p, const struct doc_node *node,
                  const struct option *option, const char *example) {
        problem(p, node, option->key, " must be ", option->type->name, ", not '",
                node->text, "'", example ? "; for example " : "",
                example ? example : "", NULL);
}

size_t list_count(const struct doc_node *node) {
        if (!node || node->kind == DOC_NULL)
                return 0;
        return node->kind == DOC_LIST ? node->n : 1;
}
const struct doc_node *list_item(const struct doc_node *node, size_t i) {
        return node->kind == DOC_LIST ? &node->items[i] : node;
}

bool parse_number(const char *s, uint64_t max, uint64_t *ret) {
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

bool parse_duration(const char *s, nsec_t *ret) {
        static const struct {
                const char *unit;
                nsec_t time;
        } units[] = { { "ms", NSEC_PER_MSEC },       { "", NSEC_PER_SEC },
                      { "s", NSEC_PER_SEC },         { "m", 60 * NSEC_PER_SEC },
                      { "min", 60 * NSEC_PER_SEC },  { "h", 3600 * NSEC_PER_SEC },
                      { "d", 86400 * NSEC_PER_SEC }, { "w", 604800 * NSEC_PER_SEC } };
        size_t n = strspn(s, "0123456789");
        uint64_t v;
        char digits[12];

        if (n == 0 || n >= sizeof(digits))
                return false;
        memcpy(digits, s, n);
        digits[n] = '\0';
        if (!parse_number(digits, 99999999, &v))
                return false;
        for (size_t i = 0; i < ARRAY_SIZE(units); i++)
                if (strcmp(s + n, units[i].unit) == 0 &&
                    v <= (UINT32_MAX - 1) * NSEC_PER_SEC / units[i].time) {
                        *ret = v * units[i].time;
                        return true;
                }
        return false;
}

bool parse_range(const char *s, struct scope_pool *ret) {
        const char *dash = strchr(s, '-');
        struct scope_pool range = { 0 };

        if (!dash) {
                if (!ip4_parse(s, &range.first))
                        return false;
                range.last = range.first;
        } else {
                while (dash[1] == ' ')
                        dash++;
                size_t n = strcspn(s, " -");
                if (!ip4_parse_n(s, n, &range.first) ||
                    !ip4_parse(dash + 1, &range.last))
                        return false;
        }
        *ret = range;
        return true;
}

bool parse_network(const char *s, ip4_t *ret_network, ip4_t *ret_mask,
                   bool *ret_has_host_bits) {
        const char *slash = strchr(s, '/');
        uint64_t bits;
        ip4_t network, mask;

        if (!slash || !ip4_parse_n(s, (size_t)(slash - s), &network) ||
            !parse_number(slash + 1, 32, &bits) || bits == 0)
                return false;
        mask = UINT32_MAX << (32 - bits);
        *ret_network = network & mask;
        *ret_mask = mask;
        *ret_has_host_bits = (network & ~mask) != 0;
        return true;
}

void read_text(struct parser *p, const struct doc_node *node,
               const struct option *option, void *at) {
        if (!want_text(p, node, option))
                return;
        if (!text_is_utf8(node->text, node->n) ||
            strpbrk(node->text, "\n\r\t\x1b\x07\x08")) {
                problem(p, node, option->key,
                        " must be one line of text, without control characters", NULL);
                return;
        }
        *(char **)at = parser_copy(p, node->text);
}
bool text_equal(const struct option *option, const void *a, const void *b) {
        const char *x = *(char *const *)a, *y = *(char *const *)b;

        return strcmp(x ? x : "", y ? y : "") == 0;
}
const struct type type_text = { "a text", "text", read_text, text_equal };

static void read_path(struct parser *p, const struct doc_node *node,
                      const struct option *option, void *at) {
        if (!want_text(p, node, option))
                return;
        if (node->n > 0 && node->text[0] != '/')
                problem(p, node, option->key, ": '", node->text,
                        "' must be an absolute path, one that begins with '/'", NULL);
        else if (node->n > 3000)
                problem(p, node, option->key, ": the path is too long", NULL);
        else
                *(char **)at = parser_copy(p, node->text);
}
const struct type type_path = { "an absolute path", "path", read_path, text_equal };

/* Served paths: a leading slash or none, no way out. */
static void read_url_path(struct parser *p, const struct doc_node *node,
                          const struct option *option, void *at) {
        if (!want_text(p, node, option))
                return;
        if (strstr(node->text, ".."))
                problem(p, node, option->key, ": '", node->text,
                        "' must stay inside the served tree", NULL);
        else
                *(char **)at = parser_copy(p, node->text);
}
const struct type type_url_path = { "a path in the served tree", "path", read_url_path,
                                    text_equal };

/* RFC 2131 2: `file` has 128 bytes with its NUL. */
static void read_filename(struct parser *p, const struct doc_node *node,
                          const struct option *option, void *at) {
        if (node->kind == DOC_SCALAR && node->n > 127)
                problem(p, node, option->key, " can have 127 bytes at the most", NULL);
        else
                read_text(p, node, option, at);
}
const struct type type_filename = { "a file's name", "text", read_filename,
                                    text_equal };

/* RFC 2131 2: `sname` has 64 bytes with its NUL. */
static void read_server_name(struct parser *p, const struct doc_node *node,
                             const struct option *option, void *at) {
        if (node->kind == DOC_SCALAR && node->n > 63)
                problem(p, node, option->key, " can have 63 bytes at the most", NULL);
        else
                read_text(p, node, option, at);
}
const struct type type_server_name = { "a server's name", "text", read_server_name,
                                       text_equal };

static void read_list(struct parser *p, const struct doc_node *node,
                      const struct option *option, void *at, const struct type *item) {
        size_t n = list_count(node);
        struct conf_texts list = { parser_alloc(p, (n + 1) * sizeof(char *)), 0 };
        struct option each = *option;

        if (node->kind == DOC_MAP) {
                problem(p, node, option->key, " must be ", option->type->name,
                        ", not a map of keys", NULL);
                return;
        }
        each.type = item;
        for (size_t i = 0; list.items && i < n; i++) {
                item->read(p, list_item(node, i), &each, &list.items[list.n]);
                if (list.items[list.n])
                        list.n++;
        }
        *(struct conf_texts *)at = list;
}
static bool list_equal(const struct option *option, const void *a, const void *b) {
        const struct conf_texts *x = a, *y = b;

        if (x->n != y->n)
                return false;
        for (size_t i = 0; i < x->n; i++)
                if (strcmp(x->items[i], y->items[i]) != 0)
                        return false;
        return true;
}

static void read_paths(struct parser *p, const struct doc_node *node,
                       const struct option *option, void *at) {
        read_list(p, node, option, at, &type_path);
}
const struct type type_paths = { "a list of absolute paths", "paths", read_paths,
                                 list_equal };

static void read_name(struct parser *p, const struct doc_node *node,
                      const struct option *option, void *at) {
        if (!want_text(p, node, option))
                return;
        if (node->n == 0 && !node->line) /* the default */
                *(char **)at = parser_copy(p, "");
        else if (node->n == 0 || node->n > 15 || strpbrk(node->text, "/ \t"))
                problem(p, node, option->key, ": '", node->text,
                        "' is no name of an interface", NULL);
        else
                *(char **)at = parser_copy(p, node->text);
}
const struct type type_interface = { "an interface's name", "text", read_name,
                                     text_equal };
static void read_password(struct parser *p, const struct doc_node *node,
                          const struct option *option, void *at) {
        if (!want_text(p, node, option))
                return;
        if (password_kind(node->text) == PASSWORD_BAD)
                problem(p, node, option->key,
                        ": this must have 1 to 127 characters that every keyboard has "
                        "(ASCII), or be a hash such as $6$... or grub.pbkdf2.sha512...",
                        NULL);
        else
                *(char **)at = parser_copy(p, node->text);
}
static const struct type type_password = { "a password", "text", read_password,
                                           text_equal };
static void read_passwords(struct parser *p, const struct doc_node *node,
                           const struct option *option, void *at) {
        read_list(p, node, option, at, &type_password);
}
const struct type type_passwords = { "a password or a list of its hashes", "passwords",
                                     read_passwords, list_equal };

static void read_lock(struct parser *p, const struct doc_node *node,
                      const struct option *option, void *at) {
        if (!want_text(p, node, option))
                return;
        if (strcmp(node->text, "entries") == 0)
                *(bool *)at = true;
        else if (strcmp(node->text, "editing") == 0)
                *(bool *)at = false;
        else
                problem(p, node, option->key, " must be entries or editing, not '",
                        node->text, "'", NULL);
}
static bool lock_equal(const struct option *option, const void *a, const void *b) {
        return *(const bool *)a == *(const bool *)b;
}
const struct type type_lock = { "entries or editing", "word", read_lock, lock_equal };

static void read_names(struct parser *p, const struct doc_node *node,
                       const struct option *option, void *at) {
        read_list(p, node, option, at, &type_interface);
}
const struct type type_names = { "a list of interfaces", "names", read_names,
                                 list_equal };

static void read_bool(struct parser *p, const struct doc_node *node,
                      const struct option *option, void *at) {
        if (!want_text(p, node, option))
                return;
        if (strcmp(node->text, "true") == 0 || strcmp(node->text, "on") == 0)
                *(bool *)at = true;
        else if (strcmp(node->text, "false") == 0 || strcmp(node->text, "off") == 0)
                *(bool *)at = false;
        else
                problem(p, node, option->key, " must be true or false, not '",
                        node->text, "'", NULL);
}
static bool bool_equal(const struct option *option, const void *a, const void *b) {
        return *(const bool *)a == *(const bool *)b;
}
const struct type type_bool = { "true or false", "boolean", read_bool, bool_equal };

static void read_port(struct parser *p, const struct doc_node *node,
                      const struct option *option, void *at) {
        uint64_t v;

        if (!want_text(p, node, option))
                return;
        if (strcmp(node->text, "off") == 0)
                *(uint16_t *)at = 0;
        else if (parse_number(node->text, UINT16_MAX, &v))
                *(uint16_t *)at = (uint16_t)v;
        else
                refuse_value(p, node, option, NULL);
}
static bool port_equal(const struct option *option, const void *a, const void *b) {
        return *(const uint16_t *)a == *(const uint16_t *)b;
}
const struct type type_port = { "a port number from 1 to 65535, or off", "port",
                                read_port, port_equal };

static void read_u16(struct parser *p, const struct doc_node *node,
                     const struct option *option, void *at) {
        uint64_t v;

        if (!want_text(p, node, option))
                return;
        if (parse_number(node->text, UINT16_MAX, &v))
                *(uint16_t *)at = (uint16_t)v;
        else
                refuse_value(p, node, option, NULL);
}
const struct type type_u16 = { "a number from 0 to 65535", "number", read_u16,
                               port_equal };

static bool parse_ports(const char *s, struct conf_ports *ret) {
        const char *dash = strchr(s, '-');
        char first_text[8] = "";
        uint64_t first, last;

        if (!dash || (size_t)(dash - s) >= sizeof(first_text))
                return false;
        memcpy(first_text, s, (size_t)(dash - s));
        if (!parse_number(first_text, UINT16_MAX, &first) ||
            !parse_number(dash + 1, UINT16_MAX, &last) || first == 0 || last < first)
                return false;
        *ret = (struct conf_ports){ (uint16_t)first, (uint16_t)last };
        return true;
}

static void read_ports(struct parser *p, const struct doc_node *node,
                       const struct option *option, void *at) {
        if (!want_text(p, node, option))
                return;
        if (strcmp(node->text, "any") == 0)
                *(struct conf_ports *)at = (struct conf_ports){ 0 };
        else if (!parse_ports(node->text, at))
                refuse_value(p, node, option, NULL);
}
static bool ports_equal(const struct option *option, const void *a, const void *b) {
        const struct conf_ports *x = a, *y = b;

        return x->first == y->first && x->last == y->last;
}
const struct type type_ports = { "two ports such as 30000-30999, or any", "ports",
                                 read_ports, ports_equal };

static void read_count(struct parser *p, const struct doc_node *node,
                       const struct option *option, void *at) {
        uint64_t v;

        if (!want_text(p, node, option))
                return;
        if (parse_number(node->text, 1000000, &v) && v > 0)
                *(uint32_t *)at = (uint32_t)v;
        else
                refuse_value(p, node, option, NULL);
}
static bool count_equal(const struct option *option, const void *a, const void *b) {
        return *(const uint32_t *)a == *(const uint32_t *)b;
}
const struct type type_count = { "a number from 1 to 1000000", "number", read_count,
                                 count_equal };

/* `off` is 0, which whoever counts takes for no limit. */
static void read_limit(struct parser *p, const struct doc_node *node,
                       const struct option *option, void *at) {
        if (want_text(p, node, option) && strcmp(node->text, "off") == 0)
                *(uint32_t *)at = 0;
        else
                read_count(p, node, option, at);
}
const struct type type_limit = { "a number from 1 to 1000000, or off", "number",
                                 read_limit, count_equal };

static void read_log_format(struct parser *p, const struct doc_node *node,
                            const struct option *option, void *at) {
        if (!want_text(p, node, option))
                return;
        if (strcmp(node->text, "combined") == 0)
                *(bool *)at = true;
        else if (strcmp(node->text, "common") == 0)
                *(bool *)at = false;
        else
                refuse_value(p, node, option, NULL);
}
static bool log_format_equal(const struct option *option, const void *a,
                             const void *b) {
        return *(const bool *)a == *(const bool *)b;
}
const struct type type_log_format = { "common or combined", "word", read_log_format,
                                      log_format_equal };

static void read_workers(struct parser *p, const struct doc_node *node,
                         const struct option *option, void *at) {
        uint64_t v;

        if (!want_text(p, node, option))
                return;
        if (parse_number(node->text, CONF_WORKERS_MAX, &v) && v > 0)
                *(uint32_t *)at = (uint32_t)v;
        else
                refuse_value(p, node, option, NULL);
}
const struct type type_workers = { "a number from 1 to 16", "number", read_workers,
                                   count_equal };

static void read_blksize(struct parser *p, const struct doc_node *node,
                         const struct option *option, void *at) {
        uint64_t v;

        if (!want_text(p, node, option))
                return;
        if (parse_number(node->text, 65464, &v) && v >= 512)
                *(uint32_t *)at = (uint32_t)v;
        else
                refuse_value(p, node, option, NULL);
}
const struct type type_blksize = { "a number from 512 to 65464", "number", read_blksize,
                                   count_equal };

static bool is_within(struct parser *p, const struct doc_node *node,
                      const struct option *option, nsec_t v) {
        nsec_t least = 0, most = NSEC_NEVER;

        if (option->least)
                (void)parse_duration(option->least, &least);
        if (option->most)
                (void)parse_duration(option->most, &most);
        if (v >= least && v <= most)
                return true;
        problem(p, node, option->key, " must be ", option->most ? "from " : "at least ",
                option->least, option->most ? " to " : "",
                option->most ? option->most : "", ", not '", node->text, "'", NULL);
        return false;
}

static void read_duration(struct parser *p, const struct doc_node *node,
                          const struct option *option, void *at) {
        nsec_t v;

        if (!want_text(p, node, option))
                return;
        if (!parse_duration(node->text, &v))
                refuse_value(p, node, option, "30s, 10m, 2h or 1d");
        else if (is_within(p, node, option, v))
                *(nsec_t *)at = v;
}
static bool duration_equal(const struct option *option, const void *a, const void *b) {
        return *(const nsec_t *)a == *(const nsec_t *)b;
}
const struct type type_duration = { "a duration", "duration", read_duration,
                                    duration_equal };

static void read_time(struct parser *p, const struct doc_node *node,
                      const struct option *option, void *at) {
        if (node->kind == DOC_SCALAR && strcmp(node->text, "infinite") == 0)
                *(nsec_t *)at = NSEC_NEVER;
        else
                read_duration(p, node, option, at);
}
const struct type type_time = { "a duration or infinite", "time", read_time,
                                duration_equal };

static void read_address(struct parser *p, const struct doc_node *node,
                         const struct option *option, void *at) {
        ip4_t v;

        if (!want_text(p, node, option))
                return;
        if (ip4_parse(node->text, &v))
                *(ip4_t *)at = v;
        else
                refuse_value(p, node, option, "192.168.1.6");
}
static bool address_equal(const struct option *option, const void *a, const void *b) {
        return *(const ip4_t *)a == *(const ip4_t *)b;
}
const struct type type_address = { "an IPv4 address", "address", read_address,
                                   address_equal };

static void read_mac(struct parser *p, const struct doc_node *node,
                     const struct option *option, void *at) {
        struct mac v;

        if (!want_text(p, node, option))
                return;
        if (mac_parse(node->text, &v))
                *(struct mac *)at = v;
        else
                refuse_value(p, node, option, "\"52:54:00:12:34:56\", in quotes");
}
static bool mac_equal(const struct option *option, const void *a, const void *b) {
        return mac_is_equal(*(const struct mac *)a, *(const struct mac *)b);
}
const struct type type_mac = { "a MAC address", "mac", read_mac, mac_equal };

/* Network and mask stand one after the other in struct scope_subnet. */
static void read_network(struct parser *p, const struct doc_node *node,
                         const struct option *option, void *at) {
        bool has_host_bits;
        ip4_t network, mask;
        char text[IP4_TEXT_MAX];

        if (!want_text(p, node, option))
                return;
        if (!parse_network(node->text, &network, &mask, &has_host_bits)) {
                refuse_value(p, node, option, "192.168.1.0/24");
                return;
        }
        if (has_host_bits) {
                problem(p, node, option->key, ": '", node->text,
                        "' is the address of a host; the network is ",
                        ip4_format(network, text), strchr(node->text, '/'), NULL);
                return;
        }
        ((ip4_t *)at)[0] = network;
        ((ip4_t *)at)[1] = mask;
}
static bool network_equal(const struct option *option, const void *a, const void *b) {
        return memcmp(a, b, 2 * sizeof(ip4_t)) == 0;
}
const struct type type_network = { "a network such as 192.168.1.0/24", "network",
                                   read_network, network_equal };

static void read_mode(struct parser *p, const struct doc_node *node,
                      const struct option *option, void *at) {
        static const char *const words[] = { "proxy", "server", "off", NULL };
        const char *near;

        if (!want_text(p, node, option))
                return;
        for (unsigned i = 0; words[i]; i++)
                if (strcmp(words[i], node->text) == 0) {
                        *(enum conf_dhcp_mode *)at = (enum conf_dhcp_mode)i;
                        return;
                }
        near = text_nearest(node->text, words);
        problem(p, node, option->key, " must be proxy, server or off, not '",
                node->text, near ? "'; did you mean '" : "'", near ? near : "",
                near ? "'?" : "", NULL);
}
static bool mode_equal(const struct option *option, const void *a, const void *b) {
        return *(const enum conf_dhcp_mode *)a == *(const enum conf_dhcp_mode *)b;
}
const struct type type_mode = { "proxy, server or off", "word", read_mode, mode_equal };

static void read_when(struct parser *p, const struct doc_node *node,
                      const struct option *option, void *at) {
        static const char *const words[] = { "auto", "on", "off" };

        if (!want_text(p, node, option))
                return;
        for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
                if (strcmp(words[i], node->text) == 0) {
                        *(enum conf_when *)at = (enum conf_when)i;
                        return;
                }
        problem(p, node, option->key, " must be auto, on or off, not '", node->text,
                "'", NULL);
}
static bool when_equal(const struct option *option, const void *a, const void *b) {
        return *(const enum conf_when *)a == *(const enum conf_when *)b;
}
const struct type type_when = { "auto, on or off", "word", read_when, when_equal };

static void read_serial(struct parser *p, const struct doc_node *node,
                        const struct option *option, void *at) {
        unsigned unit;
        unsigned long speed;

        if (!want_text(p, node, option))
                return;
        if (node->n > 0 && !menu_serial_parse(node->text, &unit, &speed))
                refuse_value(p, node, option, "\"ttyS0,115200\"");
        else
                *(char **)at = parser_copy(p, node->text);
}
const struct type type_serial = { "a serial port and its speed", "serial", read_serial,
                                  text_equal };

static void read_map(struct parser *p, const struct doc_node *node,
                     const struct option *option, void *at) {
        if (node->kind == DOC_NULL)
                return;
        if (node->kind == DOC_MAP)
                read_keys(p, node, option->keys, at);
        else
                problem(p, node, option->key, " must be a map of keys, not ",
                        node->kind == DOC_LIST ? "a list" : "a text", NULL);
}
static bool map_equal(const struct option *option, const void *a, const void *b) {
        return keys_are_equal(option->keys, a, b);
}
const struct type type_map = { "a map of keys", "map", read_map, map_equal };

struct maps { /* a pointer and a count, as each list of maps is laid out */
        char *items;
        size_t n;
};
static void read_maps(struct parser *p, const struct doc_node *node,
                      const struct option *option, void *at) {
        struct maps list = { 0 };

        if (node->kind == DOC_NULL)
                return;
        if (node->kind == DOC_SCALAR) {
                problem(p, node, option->key,
                        " must be a list: each item begins with '- '", NULL);
                return;
        }
        list.items = parser_alloc(p, (list_count(node) + 1) * option->item_size);
        for (size_t i = 0; list.items && i < list_count(node); i++) {
                const struct doc_node *from = list_item(node, i);
                void *item = list.items + list.n++ * option->item_size;

                apply_defaults(p, option->keys, item);
                read_map(p, from, option, item);
                if ((from->kind == DOC_MAP || from->kind == DOC_NULL) && option->check)
                        option->check(p, from, item);
        }
        *(struct maps *)at = list;
}
static bool maps_equal(const struct option *option, const void *a, const void *b) {
        const struct maps *x = a, *y = b;

        if (x->n != y->n)
                return false;
        for (size_t i = 0; i < x->n; i++)
                if (!keys_are_equal(option->keys, x->items + i * option->item_size,
                                    y->items + i * option->item_size))
                        return false;
        return true;
}
const struct type type_maps = { "a list of maps", "list", read_maps, maps_equal };

/* A key of the documented format that this version does not act upon. */
static void read_later(struct parser *p, const struct doc_node *node,
                       const struct option *option, void *at) {
        warning(p, node, "'", option->key, "' is accepted, but this version does not ",
                option->help, NULL);
}
static bool later_equal(const struct option *option, const void *a, const void *b) {
        return true;
}
const struct type type_later = { "anything", "later", read_later, later_equal };
