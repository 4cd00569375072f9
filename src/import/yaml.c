/*
 * The model as our YAML. One place decides what is quoted: everything that is not a
 * plain word of harmless characters, so that no name in somebody's file turns into a
 * number, a truth value or another key. Maps stand in blocks, but for hosts that say
 * no more than who and where: these are a line each.
 */
#include "import/internal.h"

struct yaml {
        struct text *out;
        unsigned indent;
        bool is_flow;  /* inside { } on one line */
        bool is_first; /* nothing stands before the next key */
};

static const char hex_digits[] = "0123456789abcdef";

/* ---- scalars ---- */

static bool is_word_char(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               (c >= '0' && c <= '9') || (c && strchr("-_./+", c));
}

static bool is_plain(const char *s) {
        static const char *const special[] = {
                "true", "false", "yes",  "no",   "on",    "off",   "null", "y",   "n",
                "inf",  "nan",   "True", "TRUE", "False", "FALSE", "Null", "NULL"
        };
        bool has_letter = false;

        if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || *s == '/'))
                return false;
        for (const char *p = s; *p; p++) {
                if (!is_word_char(*p))
                        return false;
                has_letter |= *p != '.' && *p != '/';
        }
        for (size_t i = 0; i < ARRAY_SIZE(special); i++)
                if (strcmp(s, special[i]) == 0)
                        return false;
        return has_letter;
}

/* JSON's quotes and escapes are YAML's too. */
static void add_text(struct text *out, const char *s) {
        if (is_plain(s))
                text_add(out, s);
        else
                text_json_string(out, s, strlen(s));
}

static void add_quoted(struct text *out, const char *s) {
        text_json_string(out, s, strlen(s));
}

static void add_hex(struct text *out, struct span bytes) {
        text_add(out, "\"0x");
        for (size_t i = 0; i < bytes.n; i++) {
                text_char(out, hex_digits[bytes.data[i] >> 4]);
                text_char(out, hex_digits[bytes.data[i] & 15]);
        }
        text_char(out, '"');
}

static void add_duration(struct text *out, uint32_t seconds) {
        static const struct {
                uint32_t seconds;
                const char *unit;
        } units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "m" }, { 1, "s" } };

        if (seconds == UINT32_MAX) {
                text_add(out, "infinite");
                return;
        }
        for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
                bool is_last = i + 1 == ARRAY_SIZE(units);

                if ((seconds && seconds % units[i].seconds == 0) || is_last) {
                        text_u64(out, seconds / units[i].seconds);
                        text_add(out, units[i].unit);
                        return;
                }
        }
}

static void add_words(struct text *out, const struct words *words,
                      void (*add)(struct text *out, const char *s)) {
        text_char(out, '[');
        for (const struct word *word = words->first; word; word = word->next) {
                add(out, word->s);
                if (word->next)
                        text_add(out, ", ");
        }
        text_char(out, ']');
}

/* ---- structure ---- */

static void newline(struct yaml *y) {
        if (y->out->n)
                text_char(y->out, '\n');
        for (unsigned i = 0; i < y->indent; i++)
                text_char(y->out, ' ');
}

static void key(struct yaml *y, const char *name) {
        if (y->is_flow && !y->is_first)
                text_add(y->out, ", ");
        else if (!y->is_flow && !y->is_first)
                newline(y);
        y->is_first = false;
        text_add(y->out, name);
        text_add(y->out, ": ");
}

/* A key whose value stands in the lines below. */
static void heading(struct yaml *y, const char *name) {
        key(y, name);
        if (!y->out->failed)
                y->out->s[--y->out->n] = '\0'; /* the blank */
        y->indent += 2;
}

static void heading_end(struct yaml *y) {
        y->indent -= 2;
}

static void item(struct yaml *y) {
        newline(y);
        text_add(y->out, "- ");
        y->indent += 2;
        y->is_first = true;
}

static void item_end(struct yaml *y) {
        y->indent -= 2;
        y->is_first = false;
}

static void pair(struct yaml *y, const char *name, const char *value) {
        key(y, name);
        add_text(y->out, value);
}

static void pair_quoted(struct yaml *y, const char *name, const char *value) {
        key(y, name);
        add_quoted(y->out, value);
}

static void pair_address(struct yaml *y, const char *name, ip4_t address) {
        key(y, name);
        text_ip4(y->out, address);
}

static void pair_bool(struct yaml *y, const char *name, bool value) {
        key(y, name);
        text_add(y->out, value ? "true" : "false");
}

/* ---- options ---- */

static bool is_text(struct span bytes) {
        if (!bytes.n || !text_is_utf8((const char *)bytes.data, bytes.n))
                return false;
        for (size_t i = 0; i < bytes.n; i++)
                if (bytes.data[i] < 0x20 || bytes.data[i] == 0x7f ||
                    (bytes.data[i] == 0xc2 && bytes.data[i + 1] < 0xa0))
                        return false;
        return true;
}

static void add_addresses(struct text *out, struct span bytes) {
        text_char(out, '[');
        for (size_t i = 0; i + 4 <= bytes.n; i += 4) {
                if (i)
                        text_add(out, ", ");
                text_ip4(out, load_be32(bytes.data + i));
        }
        text_char(out, ']');
}

/* Names of DNS as option_encode() makes them. False: they are something else. */
static bool add_names(struct text *out, struct span bytes) {
        struct text name = { 0 };
        bool is_first = true, ok = bytes.n > 0 && bytes.data[bytes.n - 1] == 0;
        size_t at = 0;

        text_char(out, '[');
        while (ok && at < bytes.n) {
                for (size_t n; at < bytes.n && (n = bytes.data[at]) != 0; at += n + 1) {
                        if (n > 63 || at + 1 + n >= bytes.n)
                                break;
                        if (name.n)
                                text_char(&name, '.');
                        text_bytes(&name, bytes.data + at + 1, n);
                }
                ok = at < bytes.n && bytes.data[at++] == 0 && name.n &&
                     is_text((struct span){ (uint8_t *)name.s, name.n });
                if (ok && !is_first)
                        text_add(out, ", ");
                if (ok)
                        add_text(out, text_string(&name));
                is_first = false;
                name.n = 0;
                if (name.s)
                        name.s[0] = '\0';
        }
        text_char(out, ']');
        text_done(&name);
        return ok;
}

static uint64_t number_of(struct span bytes) {
        uint64_t v = 0;

        for (size_t i = 0; i < bytes.n; i++)
                v = v << 8 | bytes.data[i];
        return v;
}

/* Pairs of addresses, a text each. */
static bool add_pairs(struct text *out, struct span bytes) {
        if (!bytes.n || bytes.n % 8 != 0)
                return false;
        text_char(out, '[');
        for (size_t i = 0; i < bytes.n; i += 8) {
                text_add(out, i ? ", \"" : "\"");
                text_ip4(out, load_be32(bytes.data + i));
                text_char(out, ' ');
                text_ip4(out, load_be32(bytes.data + i + 4));
                text_char(out, '"');
        }
        text_char(out, ']');
        return true;
}

static bool add_numbers(struct text *out, struct span bytes) {
        if (!bytes.n || bytes.n % 2 != 0)
                return false;
        text_char(out, '[');
        for (size_t i = 0; i < bytes.n; i += 2) {
                text_add(out, i ? ", " : "");
                text_u64(out, load_be16(bytes.data + i));
        }
        text_char(out, ']');
        return true;
}

/* Width, the bytes of the network that it covers, router. */
static bool add_routes(struct text *out, struct span bytes) {
        struct reader r = reader_of(bytes.data, bytes.n);
        bool ok = bytes.n > 0;

        text_char(out, '[');
        while (ok && reader_left(&r) > 0) {
                unsigned width = reader_u8(&r);
                uint8_t network[4] = { 0 };
                struct span covered = reader_span(&r, (width + 7) / 8);
                ip4_t address, router = reader_be32(&r);

                ok = !r.failed && width <= 32 && !out->failed;
                if (!ok)
                        break;
                if (covered.n)
                        memcpy(network, covered.data, covered.n);
                address = load_be32(network);
                ok = width == 32 || !(address & (UINT32_MAX >> width));
                text_add(out, out->s[out->n - 1] == '[' ? "\"" : ", \"");
                text_ip4(out, address);
                text_char(out, '/');
                text_u64(out, width);
                text_add(out, " via ");
                text_ip4(out, router);
                text_char(out, '"');
        }
        text_char(out, ']');
        return ok && !out->failed;
}

static bool add_signed(struct text *out, struct span bytes) {
        uint32_t v = load_be32(bytes.data);

        if (v > INT32_MAX)
                text_char(out, '-');
        text_u64(out, v > INT32_MAX ? (uint64_t)UINT32_MAX + 1 - v : v);
        return true;
}

/* The value as this format wants it; the word for its type, or NULL: it is none. */
static const char *add_as(struct text *out, const char *format, struct span bytes) {
        bool is_number = format[0] && !format[1] && strchr("BSLbs", format[0]);
        size_t width = strchr("Bb", format[0]) ? 1 : strchr("Ss", format[0]) ? 2 : 4;

        if (is_number && bytes.n == width &&
            (strchr("BSL", format[0]) || bytes.data[0] < 128)) {
                text_u64(out, number_of(bytes));
                return width == 1 ? "u8" : width == 2 ? "u16" : "u32";
        }
        if (strcmp(format, "l") == 0 && bytes.n == 4)
                return add_signed(out, bytes) ? "u32" : NULL;
        if (strcmp(format, "I") == 0 && bytes.n == 4) {
                text_ip4(out, load_be32(bytes.data));
                return "address";
        }
        if (strcmp(format, "IA") == 0 && bytes.n && bytes.n % 4 == 0) {
                add_addresses(out, bytes);
                return "addresses";
        }
        if (strcmp(format, "W") == 0 && bytes.n % 4 == 1 && bytes.n > 4 &&
            bytes.data[0] == 1) {
                add_addresses(out, (struct span){ bytes.data + 1, bytes.n - 1 });
                return "sip";
        }
        if (strcmp(format, "t") == 0 && is_text(bytes)) {
                add_text(out, (const char *)bytes.data);
                return "text";
        }
        if (strcmp(format, "f") == 0 && bytes.n == 1) {
                text_add(out, bytes.data[0] ? "true" : "false");
                return "bool";
        }
        if (strcmp(format, "D") == 0 || strcmp(format, "d") == 0)
                return add_names(out, bytes) ? "names" : NULL;
        if (strcmp(format, "IIA") == 0)
                return add_pairs(out, bytes) ? "pairs" : NULL;
        if (strcmp(format, "SA") == 0)
                return add_numbers(out, bytes) ? "u16s" : NULL;
        if (strcmp(format, "R") == 0)
                return add_routes(out, bytes) ? "routes" : NULL;
        return NULL;
}

/* By its name when our parser knows it by one and would make the same bytes of it. */
static bool add_named(struct text *out, const struct option_row *row,
                      struct span bytes) {
        if (!row || !row->known)
                return false;
        if (strcmp(row->format, "X") == 0 || strcmp(row->format, "O") == 0) {
                add_hex(out, bytes);
                return true;
        }
        return add_as(out, row->format, bytes) != NULL;
}

/* By its number: of the type that the file gave it, or what it looks like. */
static const char *add_typed(struct text *out, const struct option_value *option) {
        const char *format = strcmp(option->format, "X") == 0 ? "t" : option->format;
        const char *type = add_as(out, format, option->bytes);

        if (type)
                return type;
        out->n = 0;
        add_hex(out, option->bytes);
        return "hex";
}

static void write_option(struct yaml *y, const struct option_value *option) {
        const struct option_row *row = option_by_code(option->code);
        struct text value = { 0 }, number = { 0 };
        bool is_named = add_named(&value, row, option->bytes);

        text_u64(&number, option->code);
        key(y, is_named ? row->known : text_string(&number));
        if (is_named) {
                text_add(y->out, option->is_forced ? "{value: " : "");
        } else {
                value.n = 0;
                text_add(y->out, "{type: ");
                text_add(y->out, add_typed(&value, option));
                text_add(y->out, ", value: ");
        }
        text_bytes(y->out, value.s, value.n);
        if (option->is_forced)
                text_add(y->out, ", always: true");
        if (!is_named || option->is_forced)
                text_char(y->out, '}');
        if (value.failed || number.failed)
                y->out->failed = true;
        text_done(&value);
        text_done(&number);
}

static void write_scope(struct yaml *y, const struct scope *scope) {
        for (size_t i = 0; i < N_KEYS; i++) {
                const struct value *value = &scope->keys[i];

                if (!value->is_set)
                        continue;
                key(y, scope_key_names[i]);
                if (i == KEY_NEXT_SERVER)
                        text_ip4(y->out, value->number);
                else if (value->text)
                        add_text(y->out, value->text);
                else
                        add_duration(y->out, value->number);
        }
        if (!scope->options)
                return;
        heading(y, "options");
        for (const struct option_value *o = scope->options; o; o = o->next)
                write_option(y, o);
        heading_end(y);
}

/* ---- parts ---- */

static void add_range(struct text *out, const struct pool *pool) {
        text_ip4(out, pool->first);
        if (pool->last == pool->first)
                return;
        text_char(out, '-');
        text_ip4(out, pool->last);
}

static void write_pool(struct yaml *y, const struct pool *pool, bool all_bootp) {
        struct yaml line = { y->out, 0, true, true };
        bool bootp = pool->bootp && !all_bootp;

        item(y);
        if (!pool->only.n && !pool->except.n && !bootp) {
                add_range(y->out, pool);
                item_end(y);
                return;
        }
        text_char(y->out, '{');
        key(&line, "range");
        add_range(y->out, pool);
        if (pool->only.n) {
                key(&line, "only");
                add_words(y->out, &pool->only, add_text);
        }
        if (pool->except.n) {
                key(&line, "except");
                add_words(y->out, &pool->except, add_text);
        }
        if (bootp)
                pair_bool(&line, "bootp", true);
        text_char(y->out, '}');
        item_end(y);
}

static void add_network(struct text *out, ip4_t network, ip4_t mask) {
        unsigned bits = 0;

        while (mask << bits)
                if (++bits == 32)
                        break;
        text_ip4(out, network);
        text_char(out, '/');
        text_u64(out, bits);
}

static void write_subnet(struct yaml *y, const struct subnet *subnet) {
        bool all_bootp = subnet->pools != NULL;

        for (const struct pool *pool = subnet->pools; pool; pool = pool->next)
                all_bootp &= pool->bootp;
        item(y);
        key(y, "subnet");
        add_network(y->out, subnet->network, subnet->mask);
        if (subnet->interface)
                pair(y, "interface", subnet->interface);
        if (subnet->shared_network)
                pair(y, "shared-network", subnet->shared_network);
        if (subnet->pools) {
                heading(y, "pools");
                for (const struct pool *pool = subnet->pools; pool; pool = pool->next)
                        write_pool(y, pool, all_bootp);
                heading_end(y);
        }
        if (all_bootp || subnet->bootp)
                pair_bool(y, "bootp", true);
        write_scope(y, &subnet->scope);
        item_end(y);
}

static void write_class(struct yaml *y, const struct class_entry *class) {
        struct yaml line = { y->out, 0, true, true };

        item(y);
        pair(y, "name", class->name);
        key(y, "match");
        text_char(y->out, '{');
        for (size_t i = 0; i < N_MATCHES; i++) {
                const struct words *words = &class->match.keys[i];

                if (!words->n)
                        continue;
                key(&line, match_key_names[i]);
                if (i == MATCH_MAC)
                        add_words(y->out, words, add_quoted);
                else if (i == MATCH_ARCH || i == MATCH_RELAY || i == MATCH_SUBNET)
                        add_words(y->out, words, text_add);
                else if (words->n > 1)
                        add_words(y->out, words, add_text);
                else
                        add_text(y->out, words->first->s);
        }
        text_char(y->out, '}');
        write_scope(y, &class->scope);
        item_end(y);
}

static void write_host_keys(struct yaml *y, const struct host *host) {
        char mac[MAC_TEXT_MAX];

        if (host->has_mac)
                pair_quoted(y, "mac", mac_format(host->mac, mac));
        if (host->client_id)
                pair_quoted(y, "client-id", host->client_id);
        if (host->uuid)
                pair(y, "uuid", host->uuid);
        if (host->circuit_id)
                pair_quoted(y, "circuit-id", host->circuit_id);
        if (host->address)
                pair_address(y, "address", host->address);
        if (host->hostname)
                pair(y, "hostname", host->hostname);
        if (host->is_ignored)
                pair_bool(y, "ignore", true);
}

static void add_comment(struct text *out, const struct host *host) {
        if (!host->name || (host->hostname && strcmp(host->name, host->hostname) == 0))
                return;
        text_add(out, " # ");
        text_printable(out, host->name, strlen(host->name));
}

static void write_host(struct yaml *y, const struct host *host) {
        struct yaml line = { y->out, 0, true, true };

        item(y);
        if (scope_is_empty(&host->scope)) {
                text_char(y->out, '{');
                write_host_keys(&line, host);
                text_char(y->out, '}');
                add_comment(y->out, host);
        } else {
                write_host_keys(y, host);
                add_comment(y->out, host);
                write_scope(y, &host->scope);
        }
        item_end(y);
}

static void write_pxe(struct yaml *y, const struct model *model) {
        heading(y, "pxe");
        if (model->prompt) {
                pair_quoted(y, "prompt", model->prompt);
                key(y, "timeout");
                add_duration(y->out, model->prompt_seconds);
        }
        if (model->menu)
                heading(y, "menu");
        for (const struct menu_item *i = model->menu; i; i = i->next) {
                struct yaml line = { y->out, 0, true, true };

                item(y);
                text_char(y->out, '{');
                pair_quoted(&line, "title", i->title);
                if (i->file)
                        pair(&line, "file", i->file);
                if (i->server)
                        pair_address(&line, "server", i->server);
                if (i->has_type) {
                        key(&line, "type");
                        text_u64(y->out, i->type);
                }
                text_char(y->out, '}');
                item_end(y);
        }
        if (model->menu)
                heading_end(y);
        heading_end(y);
}

static void write_switches(struct yaml *y, const struct model *model) {
        bool is_server = model->subnets && !model->is_proxy;

        key(y, "mode");
        text_add(y->out, is_server ? "server" : model->is_proxy ? "proxy" : "off");
        if (is_server)
                pair_bool(y, "authoritative", model->authoritative == YES);
        if (model->probe != UNSAID)
                pair_bool(y, "probe", model->probe == YES);
        if (model->probe_msec) {
                bool is_whole = model->probe_msec % 1000 == 0;

                key(y, "probe-time");
                text_u64(y->out, model->probe_msec / (is_whole ? 1000 : 1));
                text_add(y->out, is_whole ? "s" : "ms");
        }
}

static void write_dhcp(struct yaml *y, const struct model *model) {
        heading(y, "dhcp");
        write_switches(y, model);
        write_scope(y, &model->scope);
        if (model->subnets) {
                heading(y, "subnets");
                for (const struct subnet *s = model->subnets; s; s = s->next)
                        write_subnet(y, s);
                heading_end(y);
        }
        if (model->classes) {
                heading(y, "classes");
                for (const struct class_entry *c = model->classes; c; c = c->next)
                        write_class(y, c);
                heading_end(y);
        }
        if (model->hosts) {
                heading(y, "hosts");
                for (const struct host *h = model->hosts; h; h = h->next)
                        write_host(y, h);
                heading_end(y);
        }
        if (model->menu || model->prompt)
                write_pxe(y, model);
        heading_end(y);
}

void yaml_write(const struct model *model, const char *path, struct text *out) {
        struct yaml y = { .out = out };

        text_add(out, "# ");
        text_printable(out, path, strlen(path));
        text_add(out, ", as bootjack import understands it.");
        if (model->interfaces.n) {
                key(&y, "interfaces");
                add_words(out, &model->interfaces, add_text);
        }
        if (model->root)
                pair(&y, "root", model->root);
        write_dhcp(&y, model);
        text_char(out, '\n');
}
