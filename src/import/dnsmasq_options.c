/*
 * Options: what clients are told (dhcp-option), and what they send (dhcp-match and its
 * kin), which gives them tags.
 */
#include "import/dnsmasq.h"

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
            (strchr("BSL", field) || (field == 't' && !option->row)))
                return option_encode(option->row ? field : sized, digits,
                                     strlen(digits), false, out);
        if (option->row && option->code >= 51 && option->code <= 59 && field == 'L' &&
            dnsmasq_parse_time(item->s, &seconds)) {
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
                        if (strchr("IW", format[0]) && dnsmasq_is_name(item->s)) {
                                import_remark(d->im, line->at, "the name ", item->s,
                                              " is not looked up: write its address",
                                              NULL);
                                return false;
                        }
                        dnsmasq_refuse(d, line, i,
                                       "another kind of value for this option");
                }
        }
        return !d->im->failed;
}

static bool read_option_name(struct dnsmasq *d, const struct line *line, size_t i,
                             struct option_line *option) {
        const char *s = line->items[i].s, *name = dnsmasq_after(s, "option:");
        uint64_t code;

        if (name) {
                option->row = option_by_dnsmasq_name(name);
                if (!option->row) {
                        dnsmasq_refuse(d, line, i, "the name of an option");
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

                if (dnsmasq_take_tag(d, line, i, &option->want.needs,
                                     &option->want.nots, NULL))
                        continue;
                if ((rest = dnsmasq_after(s, "vendor:")) != NULL) {
                        option->want.vendor = *rest ? rest : "PXEClient";
                        option->space = "encap:43";
                } else if ((rest = dnsmasq_after(s, "encap:")) != NULL) {
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
                } else if (dnsmasq_is_name(s)) {
                        words_add(d->im, &option->want.needs, s); /* the old way */
                } else {
                        dnsmasq_refuse(d, line, i, "an option's number or option:NAME");
                }
        }
        if (!option->has_code)
                dnsmasq_refuse(d, line, line->n, "an option's number or option:NAME");
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

void dnsmasq_option(struct dnsmasq *d, const struct line *line, bool is_forced) {
        struct option_line option = { .is_forced = is_forced };
        size_t at = read_option_head(d, line, &option);
        const char *format;
        struct text bytes = { 0 };

        if (d->im->failed || !option.has_code || !dnsmasq_is_plain(d, line, at + 1))
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

/* ---- tags from what clients send ---- */

static const char *set_name(const struct line *line, size_t *at) {
        const char *s = line->n ? line->items[0].s : "";
        const char *name = dnsmasq_after(s, "set:");

        *at = 1;
        return name ? name : dnsmasq_after(s, "net:") ? dnsmasq_after(s, "net:") : s;
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

void dnsmasq_class(struct dnsmasq *d, const struct line *line, enum match_key key) {
        const char *value, *name;
        size_t at;

        if (line->n < 2) {
                dnsmasq_refuse(d, line, line->n, "set:TAG and a class");
                return;
        }
        name = set_name(line, &at);
        if (dnsmasq_after(line->items[at].s, "enterprise:"))
                at++;
        value = at < line->n ? around(d, line->items[at].s) : NULL;
        if (value)
                tags_set(d->im, &d->tags, name, key, value, line->at);
        else
                not_matched(d, line, name, "the class is no plain text");
}

void dnsmasq_mac(struct dnsmasq *d, const struct line *line) {
        char mac[MAC_TEXT_MAX];
        size_t at, n;
        const char *name = set_name(line, &at);

        if (line->n < 2)
                dnsmasq_refuse(d, line, line->n, "set:TAG and a MAC");
        else if (dnsmasq_parse_mac(line->items[at].s, mac, &n) && n)
                tags_set(d->im, &d->tags, name, MATCH_MAC,
                         import_copy(d->im, mac, strlen(mac)), line->at);
        else if (strchr(line->items[at].s, ':'))
                not_matched(d, line, name, "classes match the beginning of a MAC only");
        else
                dnsmasq_refuse(d, line, at, "a MAC such as 11:22:33:*:*:*");
}

void dnsmasq_relay_id(struct dnsmasq *d, const struct line *line, enum match_key key) {
        size_t at;
        const char *name = set_name(line, &at), *value;

        if (line->n < 2) {
                dnsmasq_refuse(d, line, line->n, "set:TAG and an identifier");
                return;
        }
        value = dnsmasq_parse_id(d, line->items[at].s);
        if (value)
                tags_set(d->im, &d->tags, name, key, value, line->at);
}

static const char ipxe_note[] = "option 175 is iPXE's own: the tag is carried as the "
                                "user class that iPXE sends";

/* dhcp-match=set:efi,option:client-arch,7 */
void dnsmasq_match(struct dnsmasq *d, const struct line *line) {
        struct option_line option = { 0 };
        size_t at;
        const char *name = set_name(line, &at), *word = NULL;
        uint64_t number;

        if (line->n < 2) {
                dnsmasq_refuse(d, line, line->n, "set:TAG and an option");
                return;
        }
        if (strncmp(line->items[1].s, "vi-encap:", 9) == 0 ||
            strncmp(line->items[1].s, "option6:", 8) == 0) {
                not_matched(d, line, name, "classes cannot match on that");
                return;
        }
        if (!read_option_name(d, line, 1, &option)) {
                dnsmasq_refuse(d, line, 1, "an option's number or option:NAME");
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
                               : option.code == 61 ? dnsmasq_parse_id(d, s)
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

void dnsmasq_tag_if(struct dnsmasq *d, const struct line *line) {
        struct tag_if *made = import_take(d->im, sizeof(*made));
        size_t i = 0;

        if (!made)
                return;
        made->at = line->at;
        for (; i < line->n; i++) {
                const char *name = dnsmasq_after(line->items[i].s, "set:");

                if (name)
                        made->name = name;
                else if (!dnsmasq_take_tag(d, line, i, &made->needs, &made->nots, NULL))
                        dnsmasq_refuse(d, line, i, "set:TAG or tag:TAG");
        }
        if (!made->name) {
                dnsmasq_refuse(d, line, line->n, "set:TAG");
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

void dnsmasq_ignore(struct dnsmasq *d, const struct line *line) {
        struct words needs = { 0 }, nots = { 0 };

        for (size_t i = 0; i < line->n; i++)
                if (!dnsmasq_take_tag(d, line, i, &needs, &nots, NULL)) {
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

void dnsmasq_subscriber(struct dnsmasq *d, const struct line *line) {
        size_t at;

        not_matched(d, line, set_name(line, &at),
                    "classes match on circuit-id and remote-id of relays");
}
