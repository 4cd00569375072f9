/*
 * What each line of dnsmasq.conf says about DHCP, PXE and TFTP, dnsmasq(8). All of DNS
 * is left where it is, with a word. Tags are gathered and become classes at the end.
 */
#include "import/dnsmasq.h"

#include <stdlib.h>

enum { SERVICES_MAX = 256 };

struct service { /* pxe-service */
        struct words arch;
        const char *csa, *title, *file; /* file NULL: a type, or the local disk */
        ip4_t server;
        uint32_t type;
        bool has_type, is_tagged;
        struct place at;
        struct service *next;
};

struct dnsmasq {
        struct import *im;
        const struct open_file *open;
        struct tags tags;
        struct service *services, **services_end;
        size_t n_services;
        struct words ignored; /* tags of dhcp-ignore */
        bool known_only, has_range, has_proxy, has_dns, bootp;
        bool says_router, says_dns; /* an option does */
        struct place proxy_at, range_at;
};

static void refuse(struct dnsmasq *d, const struct line *line, size_t i,
                   const char *wanted) {
        bool is_there = i < line->n;

        import_refuse(d->im, is_there ? line->items[i].at : line->at, line->word,
                      ": expected ", wanted, is_there ? ", not '" : "",
                      is_there ? line->items[i].s : "", is_there ? "'" : "", NULL);
}

static const char *after(const char *s, const char *prefix) {
        size_t n = strlen(prefix);

        return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

/* ---- times, networks ---- */

/* 45m, 12h, 2d, 1w, 600, infinite */
static bool parse_time(const char *s, uint32_t *ret) {
        static const struct {
                char unit;
                uint32_t seconds;
        } units[] = {
                { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 }
        };
        size_t n = strspn(s, "0123456789");
        uint32_t seconds = 1;
        uint64_t v = 0;

        if (strcmp(s, "infinite") == 0) {
                *ret = UINT32_MAX;
                return true;
        }
        if (n == 0 || n > 10 || (s[n] && s[n + 1]))
                return false;
        for (size_t i = 0; s[n] && i < ARRAY_SIZE(units); i++)
                if ((s[n] | 32) == units[i].unit)
                        seconds = units[i].seconds;
        if (s[n] && !strchr("smhdwSMHDW", s[n]))
                return false;
        for (size_t i = 0; i < n; i++)
                v = v * 10 + (uint64_t)(s[i] - '0');
        if (v * seconds >= UINT32_MAX)
                return false;
        *ret = (uint32_t)(v * seconds);
        return true;
}

static const char *network_text(struct import *im, ip4_t network, ip4_t mask) {
        unsigned bits = 32;

        while (bits > 1 && !(mask >> (32 - bits) & 1))
                bits--;
        return import_join(im, import_address(im, network), "/",
                           import_decimal(im, bits), NULL);
}

static struct subnet *subnet_for(struct dnsmasq *d, ip4_t network, ip4_t mask,
                                 struct place at) {
        struct subnet *subnet = d->im->model->subnets;
        size_t n = 0;

        for (; subnet; subnet = subnet->next, n++)
                if (subnet->network == network && subnet->mask == mask)
                        return subnet;
        if (n > 4096)
                import_refuse(d->im, at, "there are too many subnets", NULL);
        subnet = model_subnet(d->im, at);
        if (subnet) {
                subnet->network = network;
                subnet->mask = mask;
        }
        return subnet;
}

/* ---- dhcp-range ---- */

struct range {
        struct words needs;
        const char *set;
        ip4_t first, last, mask, broadcast;
        bool is_static, is_proxy, has_time;
        uint32_t seconds;
};

static bool is_ip6(const char *s) {
        return strncmp(s, "::", 2) == 0 || strncmp(s, "constructor:", 12) == 0 ||
               (strchr(s, ':') && strspn(s, "0123456789abcdefABCDEF:.[]") == strlen(s));
}

static bool take_tag(struct dnsmasq *d, const struct line *line, size_t i,
                     struct words *needs, struct words *nots, const char **set) {
        const char *s = line->items[i].s, *name;

        if (set && (name = after(s, "set:")) != NULL)
                *set = name;
        else if ((name = after(s, "tag:!")) != NULL || (name = after(s, "net:#")) ||
                 (name = after(s, "tag:#")))
                words_add(d->im, nots, name);
        else if ((name = after(s, "tag:")) != NULL || (name = after(s, "net:")))
                words_add(d->im, needs, name);
        else
                return false;
        return true;
}

static void read_range_end(struct dnsmasq *d, const struct line *line, size_t i,
                           struct range *range) {
        const char *s = line->items[i].s;
        ip4_t address;

        if (strcmp(s, "static") == 0)
                range->is_static = true;
        else if (strcmp(s, "proxy") == 0)
                range->is_proxy = true;
        else if (parse_time(s, &range->seconds))
                range->has_time = true;
        else if (!ip4_parse(s, &address))
                refuse(d, line, i, "an address, static, proxy, a netmask or a time");
        else if (!range->last && !range->is_static && !range->is_proxy)
                range->last = address;
        else if (!range->mask && is_mask(address))
                range->mask = address;
        else if (!range->broadcast)
                range->broadcast = address;
        else
                refuse(d, line, i, "the end of the range");
}

/* The smallest that holds both ends, of /24 and larger ones. */
static ip4_t guess_mask(const struct range *range) {
        ip4_t mask = 0xffffff00u;

        while (range->last && (range->first & mask) != (range->last & mask))
                mask <<= 1;
        return mask;
}

static void set_broadcast(struct dnsmasq *d, const struct line *line,
                          struct subnet *subnet, ip4_t broadcast) {
        uint8_t be[4];

        if (!broadcast || broadcast == (subnet->network | ~subnet->mask))
                return;
        store_be32(be, broadcast);
        scope_set_option(
                d->im, &subnet->scope,
                &(struct option_value){
                        .code = 28,
                        .format = "I",
                        .bytes = { (const uint8_t *)import_copy(d->im, be, 4), 4 },
                        .at = line->at });
}

static void set_lease_time(struct dnsmasq *d, const struct line *line,
                           struct subnet *subnet, const struct range *range) {
        struct value *value = &subnet->scope.keys[KEY_LEASE_TIME];
        struct value time = { true, range->seconds, NULL, line->at };

        if (!range->has_time)
                return;
        if (value->is_set && value->number != time.number)
                import_remark(d->im, line->at,
                              "this range's lease time is not carried: its subnet has "
                              "another one already",
                              NULL);
        else
                *value = time;
}

static void add_range(struct dnsmasq *d, const struct line *line, struct range *range) {
        struct subnet *subnet;
        struct pool *pool;

        if (!range->mask) {
                range->mask = guess_mask(range);
                if (!range->mask)
                        refuse(d, line, line->n, "both ends in one network");
                import_remark(
                        d->im, line->at,
                        "the range says no netmask, which dnsmasq takes from the "
                        "card: it is carried as ",
                        network_text(d->im, range->first & range->mask, range->mask),
                        ", correct that if it is another", NULL);
        }
        subnet = subnet_for(d, range->first & range->mask, range->mask, line->at);
        if (!subnet)
                return;
        d->has_range = true;
        d->range_at = line->at;
        set_broadcast(d, line, subnet, range->broadcast);
        set_lease_time(d, line, subnet, range);
        if (range->set)
                tags_set(d->im, &d->tags, range->set, MATCH_SUBNET,
                         network_text(d->im, subnet->network, subnet->mask), line->at);
        if (range->is_static)
                return;
        pool = subnet_pool(d->im, subnet, line->at);
        if (!pool)
                return;
        pool->first = range->first;
        pool->last = range->last ? range->last : range->first;
        pool->only = range->needs;
}

static void read_range(struct dnsmasq *d, const struct line *line) {
        struct range range = { 0 };
        struct words nots = { 0 };
        size_t i = 0;

        while (i < line->n && take_tag(d, line, i, &range.needs, &nots, &range.set))
                i++;
        if (i + 1 < line->n && !strpbrk(line->items[i].s, ".:"))
                range.set = line->items[i++].s; /* the old way to set a tag */
        if (i >= line->n) {
                refuse(d, line, i, "the first address of the range");
                return;
        }
        if (is_ip6(line->items[i].s)) {
                import_remark(d->im, line->at,
                              "this range is not carried: IPv6 is not served", NULL);
                return;
        }
        if (!ip4_parse(line->items[i].s, &range.first))
                refuse(d, line, i, "the first address of the range");
        for (i++; i < line->n && !d->im->failed; i++)
                read_range_end(d, line, i, &range);
        if (nots.n)
                import_remark(d->im, line->at,
                              "'not' this tag is not carried: add the class under "
                              "'except' of the pool",
                              NULL);
        if (range.last && range.last < range.first)
                refuse(d, line, line->n, "a range that ends after it begins");
        if (d->im->failed)
                return;
        if (range.is_proxy) {
                d->has_proxy = true;
                d->proxy_at = line->at;
        } else {
                add_range(d, line, &range);
        }
}

/* ---- dhcp-host ---- */

struct host_line {
        struct words macs, sets;
        const char *client_id, *name;
        ip4_t address;
        bool is_ignored, has_time;
        uint32_t seconds;
};

/* 11:22:33:44:55:66, 11:22:33:*:*:*, 1-11:22:...; *ret_n is how many bytes are given,
 * 0 when it is something else or has a '*' in the middle. */
static bool parse_mac_pattern(const char *s, char ret[static MAC_TEXT_MAX],
                              size_t *ret_n) {
        const char *dash = strchr(s, '-');
        size_t n = 0, stars = 0, length = 0;

        if (dash && strspn(s, "0123456789abcdefABCDEF") == (size_t)(dash - s) &&
            strchr(dash, ':'))
                s = dash + 1;
        for (;; s++) {
                size_t digits = strspn(s, "0123456789abcdefABCDEF");

                if (n + stars == 6 || digits > 2 || (!digits && *s != '*') ||
                    (digits && stars))
                        return false;
                if (digits) {
                        length += n ? 1 : 0;
                        if (n)
                                ret[length - 1] = ':';
                        ret[length++] = digits == 2 ? s[0] : '0';
                        ret[length++] = digits == 2 ? s[1] : s[0];
                        n++;
                        s += digits;
                } else {
                        stars++;
                        s++;
                }
                if (*s != ':' && *s != '-')
                        break;
        }
        ret[length] = '\0';
        for (size_t i = 0; i < length; i++)
                if (ret[i] >= 'A' && ret[i] <= 'F')
                        ret[i] = (char)(ret[i] + 32);
        *ret_n = n;
        return *s == '\0' && n + stars == 6;
}

static const char *parse_id(struct dnsmasq *d, const char *s) {
        struct text bytes = { 0 };
        struct span span = { (const uint8_t *)s, strlen(s) };
        const char *made;

        if (strchr(s, ':') && parse_hex_bytes(s, &bytes))
                span = (struct span){
                        (const uint8_t *)import_copy(d->im, bytes.s, bytes.n), bytes.n
                };
        made = match_text(d->im, span, 0, false);
        text_done(&bytes);
        return made;
}

static bool is_name(const char *s) {
        if (!*s || strlen(s) > 253)
                return false;
        for (; *s; s++)
                if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
                      (*s >= '0' && *s <= '9') || strchr("-_.", *s)))
                        return false;
        return true;
}

static void read_host_item(struct dnsmasq *d, const struct line *line, size_t i,
                           struct host_line *host, struct words *needs) {
        const char *s = line->items[i].s, *rest, *set = NULL;
        struct words nots = { 0 };
        char mac[MAC_TEXT_MAX];
        size_t n_mac;

        if ((rest = after(s, "id:")) != NULL) {
                if (strcmp(rest, "*") == 0)
                        import_remark(d->im, line->at,
                                      "'id:*' is not carried: a host that is known by "
                                      "its MAC is found whatever identifier it sends",
                                      NULL);
                else
                        host->client_id = parse_id(d, rest);
        } else if ((rest = after(s, "net:")) != NULL) {
                words_add(d->im, &host->sets, rest);
        } else if (take_tag(d, line, i, needs, &nots, &set)) {
                if (set)
                        words_add(d->im, &host->sets, set);
                else if (nots.n)
                        words_add(d->im, needs, nots.first->s);
        } else if (parse_mac_pattern(s, mac, &n_mac)) {
                words_add(d->im, &host->macs, import_copy(d->im, mac, strlen(mac)));
        } else if (strcmp(s, "ignore") == 0) {
                host->is_ignored = true;
        } else if (*s == '[') {
                import_remark(d->im, line->at, "the address ", s,
                              " is not carried: IPv6 is not served", NULL);
        } else if (ip4_parse(s, &host->address) ||
                   (host->has_time |= parse_time(s, &host->seconds))) {
                return;
        } else if (is_name(s)) {
                host->name = s;
        } else if (*s) {
                refuse(d, line, i,
                       "a MAC, id:, set:, tag:, an address, a name, a time or ignore");
        }
}

static void set_tags(struct dnsmasq *d, const struct line *line,
                     const struct host_line *host, enum match_key key,
                     const char *value) {
        for (const struct word *word = host->sets.first; word; word = word->next)
                tags_set(d->im, &d->tags, word->s, key, value, line->at);
}

/* One machine of the line. What a second card could have is little. */
static void add_host(struct dnsmasq *d, const struct line *line,
                     const struct host_line *host, const char *mac, bool is_first) {
        bool is_needed = is_first || host->is_ignored || host->has_time;
        struct host *made = is_needed ? model_host(d->im, line->at) : NULL;

        if (made) {
                made->has_mac = mac && mac_parse(mac, &made->mac);
                made->client_id = is_first ? host->client_id : NULL;
                made->hostname = is_first ? host->name : NULL;
                made->address = is_first ? host->address : 0;
                made->is_ignored = host->is_ignored;
                if (host->has_time)
                        made->scope.keys[KEY_LEASE_TIME] =
                                (struct value){ true, host->seconds, NULL, line->at };
        }
        if (!is_first && (host->address || host->name))
                import_remark(
                        d->im, line->at, "the card ", mac,
                        " is not carried: two cards cannot share an address and a "
                        "name; give it an entry of its own",
                        NULL);
        if (mac)
                set_tags(d, line, host, MATCH_MAC, mac);
        else if (host->name)
                set_tags(d, line, host, MATCH_HOST, host->name);
        else
                set_tags(d, line, host, MATCH_CLIENT_ID, host->client_id);
}

/* A pattern of MACs is a tag's at best: our hosts are single machines. */
static bool add_pattern(struct dnsmasq *d, const struct line *line,
                        const struct host_line *host, const char *mac) {
        if (strlen(mac) == 17)
                return false;
        if (*mac)
                set_tags(d, line, host, MATCH_MAC, mac);
        if (!*mac || host->is_ignored || host->address || host->name ||
            host->has_time || !host->sets.n)
                import_remark(
                        d->im, line->at,
                        "what is set for all MACs of this pattern is not carried, "
                        "but for tags: a host is one machine; write a class that "
                        "matches on mac, and 'except' it from the pools",
                        NULL);
        return true;
}

static void read_host(struct dnsmasq *d, const struct line *line) {
        struct host_line host = { 0 };
        struct words needs = { 0 };
        bool is_first = true;

        for (size_t i = 0; i < line->n && !d->im->failed; i++)
                read_host_item(d, line, i, &host, &needs);
        if (d->im->failed)
                return;
        if (needs.n)
                import_remark(d->im, line->at,
                              "that this is only for clients with the tag ",
                              needs.first->s, " is not carried", NULL);
        if (!host.macs.n && !host.client_id) {
                import_remark(d->im, line->at,
                              "this host is not carried: machines are not known by the "
                              "name they send; write its MAC or client-id",
                              NULL);
                return;
        }
        if (!host.macs.n)
                add_host(d, line, &host, NULL, true);
        for (const struct word *word = host.macs.first; word; word = word->next) {
                if (add_pattern(d, line, &host, word->s))
                        continue;
                add_host(d, line, &host, word->s, is_first);
                is_first = false;
        }
}

/* ---- dhcp-option ---- */

struct option_line {
        struct tagged want;
        const char *space; /* encap:N, NULL */
        bool is_forced, has_code;
        const struct option_row *row;
        unsigned code;
};

/* A letter for what a value looks like, as dnsmasq guesses for a bare number. */
static char guess_format(const struct item *item) {
        const char *s = item->s;
        ip4_t address;
        uint64_t v;

        if (item->is_quoted)
                return 't';
        if (ip4_parse(s, &address))
                return 'I';
        if (parse_decimal(s, UINT32_MAX, &v))
                return v < 256 ? 'B' : v < 65536 ? 'S' : 'L';
        if (strchr(s, ':') && strspn(s, "0123456789abcdefABCDEF:") == strlen(s))
                return 'X';
        return 't';
}

static bool read_sized(const char *s, char *ret_format, char digits[static 16]) {
        size_t n = strspn(s, "0123456789");

        if (!n || n > 10 || !s[n] || s[n + 1] || !strchr("bsi", s[n]))
                return false;
        memcpy(digits, s, n);
        digits[n] = '\0';
        *ret_format = s[n] == 'b' ? 'B' : s[n] == 's' ? 'S' : 'L';
        return true;
}

static const char *format_of(const struct option_line *option, const struct line *line,
                             size_t from) {
        static const char *const single[] = { ['I'] = "I", ['B'] = "B", ['S'] = "S",
                                              ['L'] = "L", ['t'] = "t", ['X'] = "X" };
        char guess;

        if (option->row && !option->space)
                return option->row->format;
        guess = guess_format(&line->items[from]);
        if (guess == 'I')
                return "IA";
        return line->n == from + 1 || guess == 't' ? single[(unsigned char)guess] : "O";
}

/* 121: 10.0.0.0/8,192.168.1.1: the network as short as its mask. */
static bool encode_route(const char *s, struct text *out) {
        const char *slash = strchr(s, '/');
        uint64_t bits;
        ip4_t network;

        if (!slash || !ip4_parse_n(s, (size_t)(slash - s), &network) ||
            !parse_decimal(slash + 1, 32, &bits))
                return false;
        text_char(out, (char)bits);
        for (unsigned i = 0; i < (bits + 7) / 8; i++)
                text_char(out, (char)(network >> (24 - 8 * i)));
        return true;
}

static bool encode_value(const struct option_line *option, const char *format,
                         const struct item *item, struct text *out) {
        char field =
                strchr("OR", format[0]) || (format[0] == 'X' && !strchr(item->s, ':'))
                        ? guess_format(item)
                        : format[0];
        char digits[16], sized;
        uint32_t seconds;

        if (!item->is_quoted && read_sized(item->s, &sized, digits) &&
            (field == 't' || strchr("BSL", field)) && !option->row)
                return option_encode(sized, digits, strlen(digits), false, out);
        if (option->row && option->code >= 51 && option->code <= 59 && field == 'L' &&
            parse_time(item->s, &seconds)) {
                uint8_t be[4];

                store_be32(be, seconds);
                text_bytes(out, be, 4);
                return true;
        }
        if (!option->space && (option->code == 121 || option->code == 249) &&
            encode_route(item->s, out))
                return true;
        return option_encode(field, item->s, item->n, item->is_quoted, out);
}

static bool means_itself(const struct option_line *option, const char *format,
                         const struct item *item) {
        return !option->space && format[0] == 'I' && strcmp(item->s, "0.0.0.0") == 0;
}

static bool encode_values(struct dnsmasq *d, const struct line *line, size_t from,
                          const struct option_line *option, const char *format,
                          struct text *out) {
        bool is_text = format[0] == 't';

        if (format[0] == 'W')
                text_char(out, 1);
        for (size_t i = from; i < line->n && !d->im->failed; i++) {
                const struct item *item = &line->items[i];

                if (is_text && i > from)
                        text_char(out, ',');
                if (means_itself(option, format, item)) {
                        import_remark(d->im, line->at,
                                      "0.0.0.0 means the server itself and is not "
                                      "carried: write its address",
                                      NULL);
                        return false;
                }
                if (!encode_value(option, format, item, out) && *item->s) {
                        if (strchr("IW", format[0]) && is_name(item->s)) {
                                import_remark(d->im, line->at, "the name ", item->s,
                                              " is not looked up: write its address",
                                              NULL);
                                return false;
                        }
                        refuse(d, line, i, "another kind of value for this option");
                }
        }
        return !d->im->failed;
}

static bool read_option_name(struct dnsmasq *d, const struct line *line, size_t i,
                             struct option_line *option) {
        const char *s = line->items[i].s, *name = after(s, "option:");
        uint64_t code;

        if (name) {
                option->row = option_by_dnsmasq_name(name);
                if (!option->row) {
                        refuse(d, line, i, "the name of an option");
                        return true;
                }
                option->code = option->row->code;
        } else if (!parse_decimal(s, 255, &code)) {
                return false;
        } else {
                option->code = (unsigned)code;
                option->row = option->space ? NULL : option_by_code(option->code);
        }
        option->has_code = true;
        return true;
}

/* Everything before the option; its index, or line->n when there is none. */
static size_t read_option_head(struct dnsmasq *d, const struct line *line,
                               struct option_line *option) {
        for (size_t i = 0; i < line->n && !d->im->failed; i++) {
                const char *s = line->items[i].s, *rest;

                if (take_tag(d, line, i, &option->want.needs, &option->want.nots, NULL))
                        continue;
                if ((rest = after(s, "vendor:")) != NULL) {
                        option->want.vendor = *rest ? rest : "PXEClient";
                        option->space = "encap:43";
                } else if ((rest = after(s, "encap:")) != NULL) {
                        option->space = s;
                } else if (strncmp(s, "vi-encap:", 9) == 0 ||
                           strncmp(s, "option6:", 8) == 0) {
                        import_remark(d->im, line->at, "an option with '", s,
                                      "' is not carried",
                                      *s == 'o' ? ": IPv6 is not served"
                                                : ": give option 125 as bytes",
                                      NULL);
                        return line->n;
                } else if (read_option_name(d, line, i, option)) {
                        return i;
                } else if (is_name(s)) {
                        words_add(d->im, &option->want.needs, s); /* the old way */
                } else {
                        refuse(d, line, i, "an option's number or option:NAME");
                }
        }
        if (!option->has_code)
                refuse(d, line, line->n, "an option's number or option:NAME");
        return line->n;
}

static void set_option(struct dnsmasq *d, const struct line *line,
                       const struct option_line *option, const char *format,
                       const struct text *bytes) {
        const char *reserved = option->space ? NULL : option_reserved(option->code);
        struct tagged *value;
        struct span span = { (const uint8_t *)import_copy(d->im, bytes->s, bytes->n),
                             bytes->n };
        struct option_value made = { .code = option->code,
                                     .space = option->space,
                                     .is_forced = option->is_forced,
                                     .format = format,
                                     .bytes = span,
                                     .at = line->at };
        bool is_time = !option->space && bytes->n == 4 &&
                       (option->code == 51 || option->code == 58 || option->code == 59);

        if (reserved && !is_time) {
                import_remark(d->im, line->at, "this option is not carried: ", reserved,
                              NULL);
                return;
        }
        value = tags_value(d->im, &d->tags, line->at);
        if (!value)
                return;
        value->needs = option->want.needs;
        value->nots = option->want.nots;
        value->vendor = option->want.vendor;
        if (is_time)
                value->scope.keys[option->code == 51   ? KEY_LEASE_TIME
                                  : option->code == 58 ? KEY_RENEWAL_TIME
                                                       : KEY_REBINDING_TIME] =
                        (struct value){ true, load_be32(span.data), NULL, line->at };
        else
                scope_set_option(d->im, &value->scope, &made);
}

static void read_option(struct dnsmasq *d, const struct line *line, bool is_forced) {
        struct option_line option = { .is_forced = is_forced };
        size_t at = read_option_head(d, line, &option);
        const char *format;
        struct text bytes = { 0 };

        if (d->im->failed || !option.has_code)
                return;
        d->says_router |= option.code == 3 && !option.space;
        d->says_dns |= option.code == 6 && !option.space;
        if (at + 1 >= line->n || (line->n == at + 2 && !line->items[at + 1].n)) {
                if (option.space)
                        format = "X";
                else if (option.code == 3 || option.code == 6)
                        return; /* nothing is what we send unless told */
                else {
                        import_remark(d->im, line->at,
                                      "an option without a value is not carried: "
                                      "Bootjack sends only what has one",
                                      NULL);
                        return;
                }
        } else {
                format = format_of(&option, line, at + 1);
        }
        if (encode_values(d, line, at + 1, &option, format, &bytes) &&
            (bytes.n || option.space))
                set_option(d, line, &option, format, &bytes);
        text_done(&bytes);
}

/* ---- dhcp-boot, pxe-service, pxe-prompt ---- */

static void read_boot(struct dnsmasq *d, const struct line *line) {
        struct tagged *value = tags_value(d->im, &d->tags, line->at);
        size_t i = 0;
        ip4_t address;

        if (!value)
                return;
        while (i < line->n && take_tag(d, line, i, &value->needs, &value->nots, NULL))
                i++;
        if (i >= line->n || !line->items[i].n) {
                refuse(d, line, i, "the name of a file");
                return;
        }
        if (line->items[i].n > 127)
                import_remark(d->im, line->at,
                              "the file's name is not carried: it is too long", NULL);
        else
                value->scope.keys[KEY_FILENAME] =
                        (struct value){ true, 0, line->items[i].s, line->at };
        if (i + 1 < line->n && line->items[i + 1].n && line->items[i + 1].n < 64)
                value->scope.keys[KEY_SERVER_NAME] =
                        (struct value){ true, 0, line->items[i + 1].s, line->at };
        if (i + 2 >= line->n || !line->items[i + 2].n)
                return;
        if (ip4_parse(line->items[i + 2].s, &address))
                value->scope.keys[KEY_NEXT_SERVER] =
                        (struct value){ true, address, NULL, line->at };
        else
                import_remark(d->im, line->at, "the TFTP server ", line->items[i + 2].s,
                              " is not carried: names are not looked up, write its "
                              "address",
                              NULL);
}

static bool read_csa(struct dnsmasq *d, const struct item *item, struct service *ret) {
        static const struct {
                const char *name, *words[2];
        } types[] = {
                { "x86PC", { "bios" } },      { "PC98", { "1" } },
                { "IA64_EFI", { "2" } },      { "Alpha", { "3" } },
                { "Arc_x86", { "4" } },       { "Intel_Lean_Client", { "5" } },
                { "IA32_EFI", { "ia32" } },   { "x86-64_EFI", { "x64", "9" } },
                { "Xscale_EFI", { "8" } },    { "BC_EFI", { "x64", "9" } },
                { "ARM32_EFI", { "arm32" } }, { "ARM64_EFI", { "arm64" } },
        };
        uint64_t number;

        for (size_t i = 0; i < ARRAY_SIZE(types); i++)
                if (strcmp(types[i].name, item->s) == 0)
                        for (size_t j = 0; j < 2 && types[i].words[j]; j++)
                                words_add(d->im, &ret->arch, types[i].words[j]);
        if (!ret->arch.n && parse_decimal(item->s, 65535, &number))
                words_add(d->im, &ret->arch, item->s);
        ret->csa = item->s;
        return ret->arch.n > 0;
}

static void read_service_file(struct dnsmasq *d, const struct line *line, size_t i,
                              struct service *service) {
        const char *s = i < line->n ? line->items[i].s : "";
        uint64_t type;

        if (!*s || parse_decimal(s, 65535, &type)) {
                service->has_type = true;
                service->type = *s ? (uint32_t)type : 0;
        } else {
                service->file = strchr(s, '.') ? s : import_join(d->im, s, ".0", NULL);
        }
        if (i + 1 < line->n && line->items[i + 1].n &&
            !ip4_parse(line->items[i + 1].s, &service->server))
                import_remark(d->im, line->at, "the server ", line->items[i + 1].s,
                              " is not carried: names are not looked up, write its "
                              "address",
                              NULL);
}

static void read_service(struct dnsmasq *d, const struct line *line) {
        struct service *service = import_take(d->im, sizeof(*service));
        struct words needs = { 0 }, nots = { 0 };
        size_t i = 0;

        if (!service)
                return;
        while (i < line->n && take_tag(d, line, i, &needs, &nots, NULL))
                i++;
        if (i >= line->n || !read_csa(d, &line->items[i], service)) {
                refuse(d, line, i, "a kind of firmware such as x86PC or x86-64_EFI");
                return;
        }
        if (i + 1 >= line->n) {
                refuse(d, line, line->n, "the text of the menu");
                return;
        }
        if (++d->n_services > SERVICES_MAX)
                refuse(d, line, line->n, "fewer entries");
        if (needs.n || nots.n)
                import_remark(d->im, line->at,
                              "that this entry is only for some tags is not carried",
                              NULL);
        service->at = line->at;
        service->title = line->items[i + 1].s;
        read_service_file(d, line, i + 2, service);
        *d->services_end = service;
        d->services_end = &service->next;
}

static void read_prompt(struct dnsmasq *d, const struct line *line) {
        struct words needs = { 0 }, nots = { 0 };
        size_t i = 0;

        while (i < line->n && take_tag(d, line, i, &needs, &nots, NULL))
                i++;
        if (i >= line->n) {
                refuse(d, line, i, "a text");
                return;
        }
        d->im->model->prompt = line->items[i].s;
        d->im->model->prompt_seconds = UINT32_MAX;
        if (i + 1 < line->n &&
            !parse_time(line->items[i + 1].s, &d->im->model->prompt_seconds))
                refuse(d, line, i + 1, "a number of seconds");
}

static bool is_one_each(const struct dnsmasq *d) {
        for (const struct service *a = d->services; a; a = a->next)
                for (const struct service *b = a->next; b; b = b->next)
                        if (strcmp(a->csa, b->csa) == 0)
                                return false;
        return true;
}

/* dnsmasq shows no menu where it would have one line: the firmware boots that. */
static void services_to_classes(struct dnsmasq *d) {
        for (const struct service *s = d->services; s && !d->im->failed; s = s->next) {
                struct matches whom = { 0 };
                struct match *match = matches_add(d->im, &whom);
                struct scope scope = { 0 };

                if (!match || !s->file) {
                        import_remark(
                                d->im, s->at,
                                "this entry is not carried: it is the only one for "
                                "its firmware and has no file",
                                NULL);
                        continue;
                }
                match->keys[MATCH_ARCH] = s->arch;
                scope.keys[KEY_FILENAME] = (struct value){ true, 0, s->file, s->at };
                if (s->server)
                        scope.keys[KEY_NEXT_SERVER] =
                                (struct value){ true, s->server, NULL, s->at };
                model_classes(d->im, s->csa, &whom, &scope, s->at, NULL);
        }
}

static void services_to_menu(struct dnsmasq *d) {
        struct model *model = d->im->model;

        for (const struct service *s = d->services; s && !d->im->failed; s = s->next) {
                struct menu_item *item;

                if (strcmp(s->csa, d->services->csa) != 0) {
                        import_remark(
                                d->im, s->at, "this entry for ", s->csa,
                                " is not carried: the menu is one for all "
                                "firmware, and without 'file' Bootjack finds what "
                                "each needs",
                                NULL);
                        continue;
                }
                item = import_take(d->im, sizeof(*item));
                if (!item)
                        return;
                item->title = s->title;
                item->file = s->file;
                item->server = s->server;
                item->type = s->type;
                item->has_type = s->has_type;
                *model->menu_end = item;
                model->menu_end = &item->next;
        }
}

/* ---- tags from what clients send ---- */

static const char *set_name(const struct line *line, size_t *at) {
        const char *s = line->n ? line->items[0].s : "";
        const char *name = after(s, "set:");

        *at = 1;
        return name ? name : after(s, "net:") ? after(s, "net:") : s;
}

static const char *around(struct dnsmasq *d, const char *s) {
        const char *text = match_text(
                d->im, (struct span){ (const uint8_t *)s, strlen(s) }, 0, false);

        if (strncmp(text ? text : "0x", "0x", 2) == 0)
                return NULL;
        if (strncmp(s, "PXEClient", 9) == 0 || strncmp(s, "HTTPClient", 10) == 0)
                return import_join(d->im, text, "*", NULL);
        if (strcmp(s, "iPXE") == 0 || strcmp(s, "gPXE") == 0)
                return text;
        return import_join(d->im, "*", text, "*", NULL);
}

static void not_matched(struct dnsmasq *d, const struct line *line, const char *name,
                        const char *why) {
        tags_get(d->im, &d->tags, name, line->at);
        import_remark(d->im, line->at, "the tag ", name, " is not carried: ", why,
                      NULL);
}

static void read_class(struct dnsmasq *d, const struct line *line, enum match_key key) {
        const char *value, *name;
        size_t at;

        if (line->n < 2) {
                refuse(d, line, line->n, "set:TAG and a class");
                return;
        }
        name = set_name(line, &at);
        if (after(line->items[at].s, "enterprise:"))
                at++;
        value = at < line->n ? around(d, line->items[at].s) : NULL;
        if (value)
                tags_set(d->im, &d->tags, name, key, value, line->at);
        else
                not_matched(d, line, name, "the class is no plain text");
}

static void read_mac_tag(struct dnsmasq *d, const struct line *line) {
        char mac[MAC_TEXT_MAX];
        size_t at, n;
        const char *name = set_name(line, &at);

        if (line->n < 2)
                refuse(d, line, line->n, "set:TAG and a MAC");
        else if (parse_mac_pattern(line->items[at].s, mac, &n) && n)
                tags_set(d->im, &d->tags, name, MATCH_MAC,
                         import_copy(d->im, mac, strlen(mac)), line->at);
        else if (strchr(line->items[at].s, ':'))
                not_matched(d, line, name, "classes match the beginning of a MAC only");
        else
                refuse(d, line, at, "a MAC such as 11:22:33:*:*:*");
}

static void read_relay_tag(struct dnsmasq *d, const struct line *line,
                           enum match_key key) {
        size_t at;
        const char *name = set_name(line, &at), *value;

        if (line->n < 2) {
                refuse(d, line, line->n, "set:TAG and an identifier");
                return;
        }
        value = parse_id(d, line->items[at].s);
        if (value)
                tags_set(d->im, &d->tags, name, key, value, line->at);
}

static const char ipxe_note[] = "option 175 is iPXE's own: the tag is carried as the "
                                "user class that iPXE sends";

/* dhcp-match=set:efi,option:client-arch,7 */
static void read_match(struct dnsmasq *d, const struct line *line) {
        struct option_line option = { 0 };
        size_t at;
        const char *name = set_name(line, &at), *word = NULL;
        uint64_t number;

        if (line->n < 2) {
                refuse(d, line, line->n, "set:TAG and an option");
                return;
        }
        if (strncmp(line->items[1].s, "vi-encap:", 9) == 0 ||
            strncmp(line->items[1].s, "option6:", 8) == 0) {
                not_matched(d, line, name, "classes cannot match on that");
                return;
        }
        if (!read_option_name(d, line, 1, &option)) {
                refuse(d, line, 1, "an option's number or option:NAME");
                return;
        }
        if (option.code == 175) {
                import_remark(d->im, line->at, ipxe_note, NULL);
                tags_set(d->im, &d->tags, name, MATCH_USER_CLASS, "iPXE", line->at);
                tags_set(d->im, &d->tags, name, MATCH_USER_CLASS, "gPXE", line->at);
                return;
        }
        for (at = 2; at < line->n || at == 2; at++) {
                const char *s = at < line->n ? line->items[at].s : NULL;
                enum match_key key = option.code == 60   ? MATCH_VENDOR_CLASS
                                     : option.code == 77 ? MATCH_USER_CLASS
                                                         : MATCH_CLIENT_ID;

                if (option.code == 93 && s && parse_decimal(s, 65535, &number)) {
                        static const char *const archs[] = {
                                [0] = "bios",      [6] = "ia32",
                                [7] = "x64",       [10] = "arm32",
                                [11] = "arm64",    [15] = "ia32-http",
                                [16] = "x64-http", [19] = "arm64-http",
                        };

                        word = number < ARRAY_SIZE(archs) && archs[number]
                                       ? archs[number]
                                       : import_decimal(d->im, number);
                        key = MATCH_ARCH;
                } else if (option.code == 60 || option.code == 77 ||
                           option.code == 61) {
                        word = !s                  ? "*"
                               : option.code == 61 ? parse_id(d, s)
                                                   : around(d, s);
                }
                if (!word) {
                        not_matched(d, line, name,
                                    "classes cannot match on that option");
                        return;
                }
                tags_set(d->im, &d->tags, name, key, word, line->at);
        }
}

static void read_tag_if(struct dnsmasq *d, const struct line *line) {
        struct tag_if *made = import_take(d->im, sizeof(*made));
        size_t i = 0;

        if (!made)
                return;
        made->at = line->at;
        for (; i < line->n; i++) {
                const char *name = after(line->items[i].s, "set:");

                if (name)
                        made->name = name;
                else if (!take_tag(d, line, i, &made->needs, &made->nots, NULL))
                        refuse(d, line, i, "set:TAG or tag:TAG");
        }
        if (!made->name) {
                refuse(d, line, line->n, "set:TAG");
                return;
        }
        tags_get(d->im, &d->tags, made->name, line->at);
        if (made->nots.n) {
                import_remark(d->im, line->at, "the tag ", made->name,
                              " is not carried: classes cannot say 'not'", NULL);
                return;
        }
        *d->tags.ifs_end = made;
        d->tags.ifs_end = &made->next;
}

static void read_ignore(struct dnsmasq *d, const struct line *line) {
        struct words needs = { 0 }, nots = { 0 };

        for (size_t i = 0; i < line->n; i++)
                if (!take_tag(d, line, i, &needs, &nots, NULL)) {
                        if (line->items[i].s[0] == '#' || line->items[i].s[0] == '!')
                                words_add(d->im, &nots, line->items[i].s + 1);
                        else
                                words_add(d->im, &needs, line->items[i].s);
                }
        if (!needs.n && nots.n == 1 && strcmp(nots.first->s, "known") == 0)
                d->known_only = true;
        else if (needs.n == 1 && !nots.n)
                words_add_once(d->im, &d->ignored, needs.first->s);
        else
                import_remark(d->im, line->at,
                              "this is not carried: pools can be closed to members of "
                              "one class, or to all but those of one",
                              NULL);
}

/* ---- lines of one value ---- */

static void read_interface(struct dnsmasq *d, const struct line *line) {
        for (size_t i = 0; i < line->n; i++) {
                const char *s = line->items[i].s;

                if (strcmp(s, "lo") == 0)
                        continue;
                if (!*s || strpbrk(s, "*:/ ") || strlen(s) > 15)
                        import_remark(d->im, line->at, "the card ", s,
                                      " is not carried: name each under 'interfaces'",
                                      NULL);
                else
                        words_add_once(d->im, &d->im->model->interfaces, s);
        }
}

static void read_domain(struct dnsmasq *d, const struct line *line) {
        const char *s = line->n ? line->items[0].s : "";
        struct tagged *value;

        if (line->n > 1 || !*s || strcmp(s, "#") == 0) {
                import_remark(
                        d->im, line->at,
                        "this domain is not carried: set option domain-name in the "
                        "subnets that it is for",
                        NULL);
                return;
        }
        value = tags_value(d->im, &d->tags, line->at);
        if (!value)
                return;
        scope_set_option(d->im, &value->scope,
                         &(struct option_value){
                                 .code = 15,
                                 .format = "t",
                                 .bytes = { (const uint8_t *)s, line->items[0].n },
                                 .at = line->at });
        /* An option says it better, wherever that stands. */
        value->next = d->tags.values == value ? NULL : d->tags.values;
        if (value->next) {
                struct tagged *last = value->next;

                while (last->next != value)
                        last = last->next;
                last->next = NULL;
                d->tags.values_last = last;
                d->tags.values = value;
        }
}

static void read_root(struct dnsmasq *d, const struct line *line) {
        const char *s = line->n ? line->items[0].s : "";

        if (line->n > 1 || d->im->model->root)
                import_remark(d->im, line->at,
                              "a root for one card is not carried: there is one tree",
                              NULL);
        else if (*s != '/')
                import_remark(d->im, line->at, "the root ", s,
                              " is not carried: write an absolute path", NULL);
        else
                d->im->model->root = s;
}

/* ---- more files ---- */

static void each_line(void *userdata, const struct line *line);

static void read_file(struct dnsmasq *d, const char *path, struct place at,
                      const char *word) {
        const struct import_text *text = import_load(d->im, path, at, d->open);
        struct open_file open = { path, d->open };
        const struct open_file *outer = d->open;

        if (!text)
                return;
        d->open = &open;
        if (word)
                dnsmasq_values(d->im, text, word, each_line, d);
        else
                dnsmasq_lines(d->im, text, each_line, d);
        d->open = outer;
}

static bool ends_in(const char *s, const char *suffix) {
        size_t n = strlen(s), n_suffix = strlen(suffix);

        return n >= n_suffix && strcmp(s + n - n_suffix, suffix) == 0;
}

/* conf-dir=/etc/dnsmasq.d,*.conf takes these; ,.bak leaves those out. */
static bool is_wanted(const struct line *line, const char *name) {
        bool has_wanted = false, is_one = false;

        if (*name == '.' || *name == '#' || !*name || ends_in(name, "~"))
                return false;
        for (size_t i = 1; i < line->n; i++) {
                const char *s = line->items[i].s;

                if (*s == '*') {
                        has_wanted = true;
                        is_one |= ends_in(name, s + 1);
                } else if (*s && ends_in(name, s)) {
                        return false;
                }
        }
        return is_one || !has_wanted;
}

/* In the order of their names, so that it is the same one every time. */
static const char *next_name(const char *names, size_t n, const char *before) {
        const char *best = NULL;

        for (size_t at = 0; at < n; at += strlen(names + at) + 1)
                if ((!before || strcmp(names + at, before) > 0) &&
                    (!best || strcmp(names + at, best) < 0))
                        best = names + at;
        return best;
}

static void read_folder(struct dnsmasq *d, const struct line *line, const char *word) {
        const char *folder = line->n ? line->items[0].s : "";
        char *listed = NULL;
        const char *names, *name = NULL;
        size_t n = 0;
        int r = d->im->files->list ? d->im->files->list(folder, &listed, &n,
                                                        d->im->files->userdata)
                                   : -ENOENT;

        if (r != 0) {
                import_refuse(d->im, line->at, "cannot read the folder '", folder, "'",
                              NULL);
                return;
        }
        d->im->n_read += n;
        if (n > IMPORT_BYTES_MAX / 64)
                import_refuse(d->im, line->at, "there are too many files in '", folder,
                              "'", NULL);
        names = import_copy(d->im, listed, n);
        free(listed);
        while (!d->im->failed && (name = next_name(names, n, name)) != NULL)
                if (is_wanted(line, name))
                        read_file(d, import_join(d->im, folder, "/", name, NULL),
                                  line->at, word);
}

static void read_include(struct dnsmasq *d, const struct line *line, const char *word) {
        if (line->n != 1 || !line->items[0].n)
                refuse(d, line, line->n, "the name of a file");
        else
                read_file(d, line->items[0].s, line->at, word);
}

/* ---- what is left out ---- */

enum reason { DNS, SILENT, LOG, PROCESS, IPV6, TFTP, OTHER };

static const struct {
        const char *word;
        enum reason reason;
        const char *why; /* of OTHER */
} words[] = {
        { "add-cpe-id", DNS, NULL },
        { "add-mac", DNS, NULL },
        { "add-subnet", DNS, NULL },
        { "addn-hosts", DNS, NULL },
        { "address", DNS, NULL },
        { "alias", DNS, NULL },
        { "all-servers", DNS, NULL },
        { "auth-peer", DNS, NULL },
        { "auth-sec-servers", DNS, NULL },
        { "auth-server", DNS, NULL },
        { "auth-soa", DNS, NULL },
        { "auth-ttl", DNS, NULL },
        { "auth-zone", DNS, NULL },
        { "bind-dynamic", SILENT, NULL },
        { "bind-interfaces", SILENT, NULL },
        { "bogus-nxdomain", DNS, NULL },
        { "bogus-priv", DNS, NULL },
        { "bridge-interface", OTHER, "name each card under 'interfaces'" },
        { "caa-record", DNS, NULL },
        { "cache-rr", DNS, NULL },
        { "cache-size", DNS, NULL },
        { "clear-on-reload", DNS, NULL },
        { "cname", DNS, NULL },
        { "conf-script", OTHER,
          "Bootjack runs no programs; name its output as a file" },
        { "connmark-allowlist", DNS, NULL },
        { "connmark-allowlist-enable", DNS, NULL },
        { "conntrack", DNS, NULL },
        { "dhcp-alternate-port", OTHER, "the ports of DHCP are 67 and 68" },
        { "dhcp-broadcast", OTHER, "the answer goes where the client's flag says" },
        { "dhcp-client-update", OTHER, "Bootjack does not change DNS" },
        { "dhcp-duid", IPV6, NULL },
        { "dhcp-fqdn", OTHER, "Bootjack does not change DNS" },
        { "dhcp-generate-names", OTHER, "machines keep the names they have" },
        { "dhcp-ignore-clid", OTHER, "clients are told apart by what they send" },
        { "dhcp-ignore-names", OTHER, "names that clients send are only shown" },
        { "dhcp-lease-max", OTHER, "the pools say how many addresses there are" },
        { "dhcp-leasefile", OTHER,
          "leases are in the state folder; 'bootjack leases import' takes the old "
          "ones" },
        { "dhcp-luascript", OTHER,
          "Bootjack runs no programs; follow 'bootjack events --json'" },
        { "dhcp-name-match", OTHER, "machines are not known by the names they send" },
        { "dhcp-no-override", OTHER,
          "options go into the fields for boot file and server name only when nothing "
          "else is left" },
        { "dhcp-proxy", OTHER,
          "answers go by the relay that asked when it wants that" },
        { "dhcp-pxe-vendor", OTHER, "only PXEClient and HTTPClient are PXE's" },
        { "dhcp-rapid-commit", OTHER, "addresses are given in four messages" },
        { "dhcp-relay", OTHER,
          "Bootjack serves and does not relay: run a relay there" },
        { "dhcp-reply-delay", OTHER, "clients are answered at once" },
        { "dhcp-script", OTHER,
          "Bootjack runs no programs; follow 'bootjack events --json'" },
        { "dhcp-scriptuser", OTHER, "Bootjack runs no programs" },
        { "dhcp-sequential-ip", OTHER,
          "which free address of a pool a client gets is Bootjack's choice" },
        { "dhcp-ttl", DNS, NULL },
        { "dns-forward-max", DNS, NULL },
        { "dns-loop-detect", DNS, NULL },
        { "dns-rr", DNS, NULL },
        { "dnssec", DNS, NULL },
        { "dnssec-check-unsigned", DNS, NULL },
        { "dnssec-debug", DNS, NULL },
        { "dnssec-limits", DNS, NULL },
        { "dnssec-no-timecheck", DNS, NULL },
        { "dnssec-timestamp", DNS, NULL },
        { "domain-needed", DNS, NULL },
        { "dumpfile", LOG, NULL },
        { "dumpmask", LOG, NULL },
        { "dynamic-host", DNS, NULL },
        { "edns-packet-max", DNS, NULL },
        { "enable-dbus", PROCESS, NULL },
        { "enable-ra", IPV6, NULL },
        { "enable-tftp", SILENT, NULL },
        { "enable-ubus", PROCESS, NULL },
        { "except-interface", OTHER, "name the others under 'interfaces'" },
        { "expand-hosts", DNS, NULL },
        { "fast-dns-retry", DNS, NULL },
        { "filter-A", DNS, NULL },
        { "filter-AAAA", DNS, NULL },
        { "filter-rr", DNS, NULL },
        { "filterwin2k", DNS, NULL },
        { "group", PROCESS, NULL },
        { "host-record", DNS, NULL },
        { "hostsdir", DNS, NULL },
        { "ignore-address", DNS, NULL },
        { "interface-name", DNS, NULL },
        { "ipset", DNS, NULL },
        { "keep-in-foreground", SILENT, NULL },
        { "leasefile-ro", PROCESS, NULL },
        { "listen-address", OTHER, "name the cards under 'interfaces' instead" },
        { "local", DNS, NULL },
        { "local-service", DNS, NULL },
        { "local-ttl", DNS, NULL },
        { "localise-queries", DNS, NULL },
        { "localmx", DNS, NULL },
        { "log-async", LOG, NULL },
        { "log-debug", LOG, NULL },
        { "log-dhcp", LOG, NULL },
        { "log-facility", LOG, NULL },
        { "log-queries", DNS, NULL },
        { "max-cache-ttl", DNS, NULL },
        { "max-port", DNS, NULL },
        { "max-tcp-connections", DNS, NULL },
        { "max-ttl", DNS, NULL },
        { "min-cache-ttl", DNS, NULL },
        { "min-port", DNS, NULL },
        { "mx-host", DNS, NULL },
        { "mx-target", DNS, NULL },
        { "naptr-record", DNS, NULL },
        { "neg-ttl", DNS, NULL },
        { "nftset", DNS, NULL },
        { "no-daemon", SILENT, NULL },
        { "no-dhcp-interface", OTHER, "name the others under 'interfaces'" },
        { "no-dhcpv4-interface", OTHER, "name the others under 'interfaces'" },
        { "no-dhcpv6-interface", IPV6, NULL },
        { "no-hosts", DNS, NULL },
        { "no-ident", DNS, NULL },
        { "no-negcache", DNS, NULL },
        { "no-poll", DNS, NULL },
        { "no-resolv", DNS, NULL },
        { "no-round-robin", DNS, NULL },
        { "pid-file", PROCESS, NULL },
        { "port-limit", DNS, NULL },
        { "proxy-dnssec", DNS, NULL },
        { "ptr-record", DNS, NULL },
        { "query-port", DNS, NULL },
        { "quiet-dhcp", LOG, NULL },
        { "quiet-dhcp6", IPV6, NULL },
        { "quiet-ra", IPV6, NULL },
        { "quiet-tftp", LOG, NULL },
        { "ra-param", IPV6, NULL },
        { "read-ethers", OTHER, "write the machines of /etc/ethers under 'hosts'" },
        { "rebind-domain-ok", DNS, NULL },
        { "rebind-localhost-ok", DNS, NULL },
        { "resolv-file", DNS, NULL },
        { "rev-server", DNS, NULL },
        { "script-arp", OTHER, "Bootjack runs no programs" },
        { "script-on-renewal", OTHER, "Bootjack runs no programs" },
        { "selfmx", DNS, NULL },
        { "server", DNS, NULL },
        { "servers-file", DNS, NULL },
        { "shared-network", OTHER,
          "give the subnets of one wire the same 'shared-network'" },
        { "srv-host", DNS, NULL },
        { "stop-dns-rebind", DNS, NULL },
        { "strict-order", DNS, NULL },
        { "strip-mac", DNS, NULL },
        { "strip-subnet", DNS, NULL },
        { "synth-domain", DNS, NULL },
        { "tftp-lowercase", TFTP, NULL },
        { "tftp-max", TFTP, NULL },
        { "tftp-mtu", TFTP, NULL },
        { "tftp-no-blocksize", TFTP, NULL },
        { "tftp-no-fail", SILENT, NULL },
        { "tftp-port-range", TFTP, NULL },
        { "tftp-secure", TFTP, NULL },
        { "tftp-single-port", TFTP, NULL },
        { "tftp-unique-root", OTHER, "there is one tree for all machines" },
        { "trust-anchor", DNS, NULL },
        { "txt-record", DNS, NULL },
        { "umbrella", DNS, NULL },
        { "use-stale-cache", DNS, NULL },
        { "user", PROCESS, NULL },
};

static const char *reason_text(enum reason reason, const char *why) {
        switch (reason) {
        case DNS:
                return "Bootjack answers no DNS; leave that to dnsmasq or another "
                       "resolver";
        case LOG:
                return "the log goes to standard error, and 'bootjack events' tells "
                       "each boot";
        case PROCESS:
                return "it is about dnsmasq's own process";
        case IPV6:
                return "IPv6 is not served";
        case TFTP:
                return "TFTP is bounded by tftp.per-source and tftp.rate";
        default:
                return why ? why : "";
        }
}

static bool leave_out(struct dnsmasq *d, const struct line *line) {
        for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
                if (strcmp(words[i].word, line->word) != 0)
                        continue;
                if (words[i].reason != SILENT)
                        import_remark(d->im, line->at, line->word, " is not carried: ",
                                      reason_text(words[i].reason, words[i].why), NULL);
                return true;
        }
        return false;
}

/* ---- what is carried ---- */

static void read_vendorclass(struct dnsmasq *d, const struct line *line) {
        read_class(d, line, MATCH_VENDOR_CLASS);
}
static void read_userclass(struct dnsmasq *d, const struct line *line) {
        read_class(d, line, MATCH_USER_CLASS);
}
static void read_circuit(struct dnsmasq *d, const struct line *line) {
        read_relay_tag(d, line, MATCH_CIRCUIT_ID);
}
static void read_remote(struct dnsmasq *d, const struct line *line) {
        read_relay_tag(d, line, MATCH_REMOTE_ID);
}
static void read_subscriber(struct dnsmasq *d, const struct line *line) {
        size_t at;

        not_matched(d, line, set_name(line, &at),
                    "classes match on circuit-id and remote-id of relays");
}
static void read_plain_option(struct dnsmasq *d, const struct line *line) {
        read_option(d, line, false);
}
static void read_forced_option(struct dnsmasq *d, const struct line *line) {
        read_option(d, line, true);
}
static void read_authoritative(struct dnsmasq *d, const struct line *line) {
        d->im->model->authoritative = YES;
}
static void read_no_ping(struct dnsmasq *d, const struct line *line) {
        d->im->model->probe = NO;
}
static void read_port(struct dnsmasq *d, const struct line *line) {
        d->has_dns = line->n != 1 || strcmp(line->items[0].s, "0") != 0;
        if (d->has_dns)
                import_remark(d->im, line->at,
                              "port is not carried: ", reason_text(DNS, NULL), NULL);
}
static void read_bootp(struct dnsmasq *d, const struct line *line) {
        d->bootp = true;
        if (line->n)
                import_remark(d->im, line->at,
                              "that this is only for some tags is not carried", NULL);
}
static void read_conf_file(struct dnsmasq *d, const struct line *line) {
        read_include(d, line, NULL);
}
static void read_conf_dir(struct dnsmasq *d, const struct line *line) {
        read_folder(d, line, NULL);
}
static void read_hosts_file(struct dnsmasq *d, const struct line *line) {
        read_include(d, line, "dhcp-host");
}
static void read_hosts_dir(struct dnsmasq *d, const struct line *line) {
        read_folder(d, line, "dhcp-host");
}
static void read_options_file(struct dnsmasq *d, const struct line *line) {
        read_include(d, line, "dhcp-option");
}
static void read_options_dir(struct dnsmasq *d, const struct line *line) {
        read_folder(d, line, "dhcp-option");
}

static const struct {
        const char *word;
        void (*read)(struct dnsmasq *d, const struct line *line);
} readers[] = {
        { "bootp-dynamic", read_bootp },
        { "conf-dir", read_conf_dir },
        { "conf-file", read_conf_file },
        { "dhcp-authoritative", read_authoritative },
        { "dhcp-boot", read_boot },
        { "dhcp-circuitid", read_circuit },
        { "dhcp-host", read_host },
        { "dhcp-hostsdir", read_hosts_dir },
        { "dhcp-hostsfile", read_hosts_file },
        { "dhcp-ignore", read_ignore },
        { "dhcp-mac", read_mac_tag },
        { "dhcp-match", read_match },
        { "dhcp-option", read_plain_option },
        { "dhcp-option-force", read_forced_option },
        { "dhcp-optsdir", read_options_dir },
        { "dhcp-optsfile", read_options_file },
        { "dhcp-range", read_range },
        { "dhcp-remoteid", read_remote },
        { "dhcp-subscrid", read_subscriber },
        { "dhcp-userclass", read_userclass },
        { "dhcp-vendorclass", read_vendorclass },
        { "domain", read_domain },
        { "interface", read_interface },
        { "no-ping", read_no_ping },
        { "port", read_port },
        { "pxe-prompt", read_prompt },
        { "pxe-service", read_service },
        { "tag-if", read_tag_if },
        { "tftp-root", read_root },
};

static bool is_harmless(const struct line *line) {
        for (size_t i = 0; i < line->n; i++) {
                const char *s = line->items[i].s;

                if (strlen(s) != line->items[i].n || !text_is_utf8(s, line->items[i].n))
                        return false;
                for (; *s; s++)
                        if ((*s > 0 && *s < 0x20) || *s == 0x7f)
                                return false;
        }
        return true;
}

static void report_unknown(struct dnsmasq *d, const struct line *line) {
        const char *names[ARRAY_SIZE(readers) + ARRAY_SIZE(words) + 1] = { 0 };
        const char *near;
        size_t n = 0;

        for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
                names[n++] = readers[i].word;
        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                names[n++] = words[i].word;
        near = text_nearest(line->word, names);
        import_remark(d->im, line->at, "'", line->word,
                      "' is not known and not carried", near ? "; did you mean '" : "",
                      near ? near : "", near ? "'?" : "", NULL);
}

static void each_line(void *userdata, const struct line *line) {
        struct dnsmasq *d = userdata;

        if (leave_out(d, line))
                return;
        for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
                if (strcmp(readers[i].word, line->word) == 0) {
                        if (is_harmless(line))
                                readers[i].read(d, line);
                        else
                                refuse(d, line, line->n, "plain text");
                        return;
                }
        report_unknown(d, line);
}

/* ---- the whole ---- */

static bool class_exists(const struct model *model, const char *name) {
        for (const struct class_entry *c = model->classes; c; c = c->next)
                if (strcmp(c->name, name) == 0)
                        return true;
        return false;
}

/* A class for a tag that a pool names; tags_settle() may have made it. */
static bool need_class(struct dnsmasq *d, const char *name, struct place at) {
        struct words needs = { 0 };
        struct matches whom;

        if (class_exists(d->im->model, name))
                return true;
        words_add(d->im, &needs, name);
        if (!tags_match(d->im, &d->tags, &needs, at, &whom))
                return false;
        model_classes(d->im, name, &whom, NULL, at, NULL);
        return true;
}

static void settle_pool(struct dnsmasq *d, struct pool *pool) {
        for (const struct word *word = pool->only.first; word; word = word->next)
                if (!need_class(d, word->s, pool->at)) {
                        pool->only = (struct words){ 0 };
                        break;
                }
        if (pool->only.n > 1)
                import_remark(d->im, pool->at,
                              "the range is for clients with all of its tags, the pool "
                              "for members of any of the classes",
                              NULL);
        if (d->known_only && !pool->only.n && need_class(d, "known", pool->at))
                words_add(d->im, &pool->only, "known");
        for (const struct word *word = d->ignored.first; word; word = word->next)
                if (need_class(d, word->s, pool->at))
                        words_add_once(d->im, &pool->except, word->s);
        pool->bootp |= d->bootp;
}

static void settle_pools(struct dnsmasq *d) {
        for (struct subnet *s = d->im->model->subnets; s; s = s->next)
                for (struct pool *p = s->pools; p && !d->im->failed; p = p->next)
                        settle_pool(d, p);
}

static void report_defaults(struct dnsmasq *d) {
        if (d->has_range && !d->says_router)
                import_remark(
                        d->im, d->range_at,
                        "dnsmasq names itself as router, for no dhcp-option does: "
                        "set option routers",
                        NULL);
        if (d->has_range && !d->says_dns && d->has_dns)
                import_remark(d->im, d->range_at,
                              "dnsmasq names itself as DNS server, for no dhcp-option "
                              "does: set option domain-name-servers",
                              NULL);
}

static void report_nameless(struct dnsmasq *d) {
        for (const struct host *h = d->im->model->hosts; d->tags.has_known && h;
             h = h->next)
                if (!h->hostname)
                        import_remark(d->im, h->at,
                                      "give this host a hostname, or the class 'known' "
                                      "does not find it",
                                      NULL);
}

static bool is_by_firmware(const struct class_entry *class) {
        const struct match *match = &class->match;

        for (size_t i = 0; i < N_KEYS; i++)
                if (class->scope.keys[i].is_set != (i == KEY_FILENAME))
                        return false;
        return !class->scope.options &&
               match->keys[MATCH_ARCH].n + match->keys[MATCH_VENDOR_CLASS].n > 0 &&
               is_usual_loader(class->scope.keys[KEY_FILENAME].text);
}

static void praise(struct dnsmasq *d) {
        const char *names = NULL;
        struct place at = { 0 };

        for (const struct class_entry *c = d->im->model->classes; c; c = c->next) {
                if (!is_by_firmware(c))
                        continue;
                if (!names || c->at.line < at.line)
                        at = c->at;
                names = names ? import_join(d->im, names, ", ", c->name, NULL)
                              : c->name;
        }
        if (names)
                import_remark(d->im, at,
                              "usual loaders are chosen by firmware here: "
                              "without the classes ",
                              names, " Bootjack chooses by itself", NULL);
}

static void settle(struct dnsmasq *d) {
        struct model *model = d->im->model;

        if (d->has_proxy && !d->has_range)
                model->is_proxy = true;
        else if (d->has_proxy)
                import_remark(
                        d->im, d->proxy_at,
                        "this range for a proxy is not carried: Bootjack is server "
                        "or proxy, and other ranges want a server",
                        NULL);
        tags_settle(d->im, &d->tags);
        if (d->services && !model->prompt && is_one_each(d))
                services_to_classes(d);
        else if (d->services)
                services_to_menu(d);
        praise(d);
        settle_pools(d);
        report_defaults(d);
        report_nameless(d);
}

void dnsmasq_read(struct import *im, const struct import_text *text,
                  const struct open_file *open) {
        struct dnsmasq d = { .im = im, .open = open, .has_dns = true };

        d.services_end = &d.services;
        d.tags.ifs_end = &d.tags.ifs;
        dnsmasq_lines(im, text, each_line, &d);
        if (!im->failed)
                settle(&d);
}

static bool is_known_word(const char *s, size_t n) {
        for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
                if (strlen(readers[i].word) == n && memcmp(readers[i].word, s, n) == 0)
                        return true;
        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if (strlen(words[i].word) == n && memcmp(words[i].word, s, n) == 0)
                        return true;
        return false;
}

bool dnsmasq_is_likely(const struct import_text *text) {
        const char *at = text->s, *end = text->s + text->n;
        size_t n_known = 0, n_lines = 0;

        while (at < end) {
                const char *newline = memchr(at, '\n', (size_t)(end - at));
                const char *last = newline ? newline : end, *word;

                while (at < last && (*at == ' ' || *at == '\t'))
                        at++;
                for (word = at;
                     at < last && strchr("abcdefghijklmnopqrstuvwxyzA-64", *at) && *at;
                     at++)
                        ;
                if (word < last && *word != '#') {
                        n_lines++;
                        n_known += (at == last || strchr(" =\r\t", *at)) &&
                                   is_known_word(word, (size_t)(at - word));
                }
                at = newline ? newline + 1 : end;
        }
        return n_known > 0 && n_known * 2 >= n_lines;
}
