/*
 * Conditions of dhcpd.conf, dhcp-eval(5), as matches of ours. Only what looks at a
 * machine's identity can be said in a match: vendor and user class, architecture, MAC,
 * identifiers of client and relay. Each comparison becomes one match; "and" and "or"
 * combine them; "not" is kept beside, for a ladder can often be turned round.
 *
 * What cannot be said is not guessed: the condition is then unknown, with the reason.
 */
#include "import/dhcpd.h"

enum { DEPTH_MAX = 32, CONSTANT_MAX = 255 };

struct cursor {
        struct dhcpd *d;
        const struct token *at, *end;
        unsigned depth;
};

static bool is_word(const struct cursor *c, const char *word) {
        return c->at < c->end && token_is(c->at, word);
}

static bool accept(struct cursor *c, const char *word) {
        if (!is_word(c, word))
                return false;
        c->at++;
        return true;
}

static void expect(struct cursor *c, const char *sign) {
        if (!accept(c, sign))
                import_refuse(c->d->im, c->at->at, "expected '", sign,
                              "' in the condition",
                              c->at->kind == TOKEN_END ? "" : ", not '",
                              c->at->kind == TOKEN_END ? "" : c->at->s,
                              c->at->kind == TOKEN_END ? "" : "'", NULL);
}

/* ---- values ---- */

static struct operand unknown(const char *why) {
        return (struct operand){ .kind = OPERAND_UNKNOWN, .why = why };
}

static void parse_operand(struct cursor *c, struct operand *ret);

static bool is_constant(const struct token *token) {
        if (token->kind == TOKEN_STRING)
                return true;
        return token->kind == TOKEN_WORD &&
               ((*token->s >= '0' && *token->s <= '9') || strchr(token->s, ':'));
}

static void parse_constant(struct cursor *c, struct operand *ret) {
        const struct token *token = c->at++;
        struct text bytes = { 0 };
        uint64_t number = 0;

        *ret = (struct operand){ .kind = OPERAND_CONSTANT };
        if (token->kind == TOKEN_STRING) {
                ret->bytes = (struct span){ (const uint8_t *)token->s, token->n };
        } else if (parse_decimal(token->s, UINT32_MAX, &number)) {
                ret->is_number = true;
                ret->number = number;
        } else if (strchr(token->s, ':') && parse_hex_bytes(token->s, &bytes)) {
                ret->bytes.data =
                        (const uint8_t *)import_copy(c->d->im, bytes.s, bytes.n);
                ret->bytes.n = bytes.n;
        } else {
                *ret = unknown("its value is neither a text nor bytes");
        }
        if (ret->bytes.n > CONSTANT_MAX)
                *ret = unknown("its value is too long");
        text_done(&bytes);
}

static void parse_option(struct cursor *c, struct operand *ret) {
        struct definition option;
        const char *name = c->at < c->end ? c->at->s : "";

        *ret = (struct operand){ .kind = OPERAND_FIELD, .length = SIZE_MAX };
        if (c->at < c->end)
                c->at++;
        if (strcmp(name, "agent.circuit-id") == 0) {
                ret->key = MATCH_CIRCUIT_ID;
        } else if (strcmp(name, "agent.remote-id") == 0) {
                ret->key = MATCH_REMOTE_ID;
        } else if (!dhcpd_find_option(c->d, name, &option) || option.space) {
                *ret = unknown(import_join(c->d->im, "classes cannot match on option ",
                                           name, NULL));
        } else if (option.code == 60) {
                ret->key = MATCH_VENDOR_CLASS;
        } else if (option.code == 77) {
                ret->key = MATCH_USER_CLASS;
        } else if (option.code == 93) {
                ret->key = MATCH_ARCH;
        } else if (option.code == 61) {
                ret->key = MATCH_CLIENT_ID;
        } else {
                *ret = unknown(import_join(c->d->im, "classes cannot match on option ",
                                           name, NULL));
        }
}

static bool parse_count(struct cursor *c, size_t *ret) {
        uint64_t v;

        if (c->at >= c->end || c->at->kind != TOKEN_WORD ||
            !parse_decimal(c->at->s, 65535, &v))
                return false;
        c->at++;
        *ret = (size_t)v;
        return true;
}

/* To the parenthesis that closes the one already read. */
static void skip_arguments(struct cursor *c) {
        for (unsigned depth = 1; c->at < c->end && depth; c->at++) {
                depth += token_is(c->at, "(");
                depth -= token_is(c->at, ")");
        }
}

static struct span cut(struct span bytes, size_t offset, size_t length) {
        if (offset > bytes.n)
                offset = bytes.n;
        bytes.data += offset;
        bytes.n = min_size(bytes.n - offset, length);
        return bytes;
}

static void parse_substring(struct cursor *c, struct operand *ret) {
        size_t offset, length;

        parse_operand(c, ret);
        expect(c, ",");
        if (!parse_count(c, &offset) || !accept(c, ",") || !parse_count(c, &length)) {
                skip_arguments(c);
                *ret = unknown("substring() is taken of a computed place");
                return;
        }
        expect(c, ")");
        if (ret->kind == OPERAND_CONSTANT)
                ret->bytes = cut(ret->bytes, offset, length);
        if (ret->kind != OPERAND_FIELD)
                return;
        if (ret->is_suffix || ret->radix || ret->length != SIZE_MAX) {
                *ret = unknown("substring() is taken of another one");
                return;
        }
        ret->offset = offset;
        ret->length = length;
}

static void parse_suffix(struct cursor *c, struct operand *ret) {
        size_t length;

        parse_operand(c, ret);
        expect(c, ",");
        if (!parse_count(c, &length)) {
                skip_arguments(c);
                *ret = unknown("suffix() has a computed length");
                return;
        }
        expect(c, ")");
        if (ret->kind != OPERAND_FIELD || ret->offset || ret->length != SIZE_MAX) {
                *ret = unknown("suffix() is taken of something computed");
                return;
        }
        ret->is_suffix = true;
        ret->length = length;
}

/* binary-to-ascii(16, 8, ":", what) */
static void parse_digits(struct cursor *c, struct operand *ret) {
        size_t radix, width;
        const char *separator;

        if (!parse_count(c, &radix) || !accept(c, ",") || !parse_count(c, &width) ||
            !accept(c, ",") || c->at >= c->end || c->at->kind != TOKEN_STRING) {
                skip_arguments(c);
                *ret = unknown("binary-to-ascii() has computed arguments");
                return;
        }
        separator = c->at++->s;
        expect(c, ",");
        parse_operand(c, ret);
        expect(c, ")");
        if (ret->kind != OPERAND_FIELD || ret->radix || radix < 2 || radix > 16 ||
            (width != 8 && width != 16 && width != 32)) {
                if (ret->kind != OPERAND_UNKNOWN)
                        *ret = unknown("binary-to-ascii() is of something computed");
                return;
        }
        ret->radix = (unsigned)radix;
        ret->width = (unsigned)width;
        ret->separator = separator;
}

/* packet(): giaddr is at 24, chaddr at 28. */
static void parse_packet(struct cursor *c, struct operand *ret) {
        size_t offset = 0, length = 0;

        *ret = unknown("only giaddr and chaddr of packet() can be matched on");
        if (!parse_count(c, &offset) || !accept(c, ",") || !parse_count(c, &length)) {
                skip_arguments(c);
                return;
        }
        expect(c, ")");
        if (offset == 24 && length == 4)
                *ret = (struct operand){ .kind = OPERAND_FIELD,
                                         .key = MATCH_RELAY,
                                         .length = SIZE_MAX };
        else if (offset >= 28 && offset + length <= 34)
                *ret = (struct operand){ .kind = OPERAND_FIELD,
                                         .key = MATCH_MAC,
                                         .offset = offset - 27,
                                         .length = length };
}

/* extract-int(what, 16), encode-int(7, 16): the number is the field's whole. */
static void parse_int(struct cursor *c, struct operand *ret) {
        size_t width;

        parse_operand(c, ret);
        expect(c, ",");
        if (parse_count(c, &width))
                expect(c, ")");
        else
                skip_arguments(c);
}

/* The first that a client has; of a MAC and an identifier, the MAC is what it surely
 * has, and what people write in the list of members. */
static void parse_pick(struct cursor *c, struct operand *ret) {
        struct operand one;

        parse_operand(c, ret);
        while (accept(c, ",")) {
                parse_operand(c, &one);
                if (one.kind == OPERAND_FIELD &&
                    (ret->kind != OPERAND_FIELD || one.key == MATCH_MAC))
                        *ret = one;
        }
        expect(c, ")");
}

static void parse_function(struct cursor *c, struct operand *ret) {
        static const struct {
                const char *name;
                void (*parse)(struct cursor *c, struct operand *ret);
        } functions[] = {
                { "substring", parse_substring },    { "suffix", parse_suffix },
                { "binary-to-ascii", parse_digits }, { "packet", parse_packet },
                { "extract-int", parse_int },        { "encode-int", parse_int },
                { "pick-first-value", parse_pick },  { "pick", parse_pick },
        };
        const struct token *name = c->at++;

        *ret = unknown(import_join(c->d->im, "classes have nothing like ", name->s,
                                   name->s[0] == '(' ? "" : "()", NULL));
        if (!accept(c, "("))
                return;
        for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
                if (token_is(name, functions[i].name)) {
                        functions[i].parse(c, ret);
                        return;
                }
        skip_arguments(c);
}

static void parse_operand(struct cursor *c, struct operand *ret) {
        *ret = unknown("it is nested too deeply");
        if (c->at >= c->end) {
                import_refuse(c->d->im, c->at->at,
                              "expected a value at the end of the condition", NULL);
                return;
        }
        if (++c->depth > DEPTH_MAX) {
                c->at = c->end;
                import_refuse(c->d->im, c->at->at, "expected less: the condition is ",
                              ret->why, NULL);
        } else if (is_constant(c->at)) {
                parse_constant(c, ret);
        } else if (accept(c, "option") || accept(c, "config-option")) {
                parse_option(c, ret);
        } else if (accept(c, "hardware")) {
                *ret = (struct operand){ .kind = OPERAND_FIELD,
                                         .key = MATCH_MAC,
                                         .length = SIZE_MAX };
        } else {
                parse_function(c, ret);
        }
        c->depth--;
}

void dhcpd_operand(struct dhcpd *d, const struct token *tokens, const struct token *end,
                   struct operand *ret) {
        struct cursor c = { d, tokens, end, 0 };

        parse_operand(&c, ret);
        if (c.at < c.end && ret->kind != OPERAND_UNKNOWN)
                *ret = unknown("there is more behind the value");
}

/* ---- comparisons ---- */

static int digit_value(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* "52:54:0" of binary-to-ascii() back into bytes. */
static bool from_digits(struct import *im, const struct operand *field,
                        struct span *bytes) {
        const char *s = (const char *)bytes->data;
        size_t n_separator = strlen(field->separator);
        struct text made = { 0 };
        bool ok = bytes->n > 0 && strlen(s) == bytes->n;

        while (ok && *s) {
                uint64_t v = 0;
                const char *start = s;

                for (int digit; (digit = digit_value(*s)) >= 0 &&
                                digit < (int)field->radix && v <= UINT32_MAX;
                     s++)
                        v = v * field->radix + (uint64_t)digit;
                ok = s > start && v >> field->width == 0;
                for (unsigned shift = field->width; ok && shift; shift -= 8)
                        text_char(&made, (char)(v >> (shift - 8)));
                if (*s &&
                    (!n_separator || strncmp(s, field->separator, n_separator) != 0))
                        ok = false;
                else if (*s)
                        s += n_separator;
        }
        if (ok) {
                bytes->data = (const uint8_t *)import_copy(im, made.s, made.n);
                bytes->n = made.n;
        }
        text_done(&made);
        return ok;
}

static const char *arch_word(struct import *im, uint64_t arch) {
        static const struct {
                unsigned number;
                const char *word;
        } words[] = {
                { 0, "bios" },         { 6, "ia32" },        { 7, "x64" },
                { 10, "arm32" },       { 11, "arm64" },      { 15, "ia32-http" },
                { 16, "x64-http" },    { 19, "arm64-http" }, { 21, "uboot-arm32" },
                { 22, "uboot-arm64" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if (words[i].number == arch)
                        return words[i].word;
        return import_decimal(im, arch);
}

static const char *mac_text(struct import *im, struct span bytes) {
        static const char digits[] = "0123456789abcdef";
        char text[MAC_TEXT_MAX];
        size_t n = 0;

        for (size_t i = 0; i < bytes.n; i++) {
                if (i)
                        text[n++] = ':';
                text[n++] = digits[bytes.data[i] >> 4];
                text[n++] = digits[bytes.data[i] & 15];
        }
        return import_copy(im, text, n);
}

/* `hardware` is the type, 1 for Ethernet, and the address. */
static const char *equal_mac(struct import *im, const struct operand *field,
                             struct span bytes, const char **ret_word) {
        size_t whole = 7 - field->offset;

        if (field->offset > 1 || field->is_suffix)
                return "classes match the beginning of a MAC only";
        if (field->length < bytes.n || (field->length > bytes.n && bytes.n < whole))
                return "the two sides are never equally long";
        if (field->offset == 0) {
                if (!bytes.n || bytes.data[0] != 1)
                        return "only Ethernet is known";
                bytes = cut(bytes, 1, SIZE_MAX);
        }
        if (!bytes.n || bytes.n > 6)
                return "it is no MAC nor the beginning of one";
        *ret_word = mac_text(im, bytes);
        return NULL;
}

/* Firmware's vendor class is text with the architecture in it. */
static const char *equal_arch_text(struct import *im, const struct operand *field,
                                   struct span bytes) {
        const char *prefix = field->offset == 15   ? "PXEClient:Arch:"
                             : field->offset == 16 ? "HTTPClient:Arch:"
                                                   : NULL;

        if (field->key != MATCH_VENDOR_CLASS || !prefix || bytes.n != 5 ||
            field->length != 5)
                return NULL;
        for (size_t i = 0; i < 5; i++)
                if (bytes.data[i] < '0' || bytes.data[i] > '9')
                        return NULL;
        return import_join(im, prefix, (const char *)bytes.data, "*", NULL);
}

static const char *equal_text(struct import *im, const struct operand *field,
                              struct span bytes, const char **ret_word) {
        const char *text = equal_arch_text(im, field, bytes);

        if (field->length < bytes.n)
                return "the two sides are never equally long";
        if (field->is_suffix) {
                text = match_text(im, bytes, 0, false);
                if (!text || strncmp(text, "0x", 2) == 0)
                        return "classes match the end of a text, not of bytes";
                *ret_word = import_join(im, "*", text, NULL);
                return NULL;
        }
        if (!text)
                text = match_text(im, bytes, field->offset, field->length == bytes.n);
        if (!text)
                return "it is empty, too long, or bytes that are not at the beginning";
        *ret_word = text;
        return NULL;
}

static const char *equal_arch(struct import *im, const struct operand *field,
                              const struct operand *constant, struct span bytes,
                              const char **ret_word) {
        if (constant->is_number)
                *ret_word = arch_word(im, constant->number);
        else if (bytes.n == 2 && !field->offset && field->length >= 2)
                *ret_word = arch_word(im, load_be16(bytes.data));
        else
                return "an architecture is a number of two bytes";
        return NULL;
}

bool dhcpd_equal(struct dhcpd *d, const struct operand *field,
                 const struct operand *constant, struct matches *ret,
                 const char **ret_why) {
        struct span bytes = constant->bytes;
        const char *word = NULL, *why = NULL;

        *ret = (struct matches){ 0 };
        if (field->radix && !constant->is_number && !from_digits(d->im, field, &bytes))
                why = "the text is not what binary-to-ascii() makes";
        else if (field->key == MATCH_ARCH)
                why = equal_arch(d->im, field, constant, bytes, &word);
        else if (constant->is_number)
                why = "a number is compared with something else";
        else if (field->key == MATCH_MAC)
                why = equal_mac(d->im, field, bytes, &word);
        else if (field->key == MATCH_RELAY && bytes.n == 4)
                word = import_address(d->im, load_be32(bytes.data));
        else
                why = equal_text(d->im, field, bytes, &word);
        if (why) {
                *ret_why = why;
                return false;
        }
        matches_add_word(d->im, ret, field->key, word);
        return true;
}

/* ---- truth ---- */

static struct condition cannot(const char *why) {
        return (struct condition){ .why = why };
}

/* ^PXEClient, Arch:0000[79] and the like: only what is a text with an anchor or two. */
static const char *regex_text(struct import *im, struct span regex) {
        struct text text = { 0 };
        const char *s = (const char *)regex.data, *made;
        bool ok = true, starts = *s == '^', ends = false;

        s += starts;
        if (!starts)
                text_char(&text, '*');
        for (; *s && ok; s++) {
                if (s[0] == '$' && !s[1]) {
                        ends = true;
                } else if (s[0] == '.' && s[1] == '*') {
                        text_char(&text, '*');
                        s++;
                } else if (s[0] == '.') {
                        text_char(&text, '?');
                } else if (s[0] == '\\' && s[1] && strchr(".-/:_", s[1])) {
                        text_char(&text, *++s);
                } else {
                        ok = *s > 0x1f && *s < 0x7f && !strchr("[](){}|+*?^$\\", *s);
                        text_char(&text, *s);
                }
        }
        if (!ends)
                text_char(&text, '*');
        made = ok && strlen((const char *)regex.data) == regex.n
                       ? import_copy(im, text.s, text.n)
                       : NULL;
        text_done(&text);
        return made;
}

static bool is_text_key(enum match_key key) {
        return key == MATCH_VENDOR_CLASS || key == MATCH_USER_CLASS ||
               key == MATCH_CLIENT_ID || key == MATCH_CIRCUIT_ID ||
               key == MATCH_REMOTE_ID;
}

static struct condition compare_regex(struct cursor *c, const struct operand *field,
                                      const struct operand *regex) {
        struct condition condition = { .is_known = true };
        const char *text;

        if (field->kind != OPERAND_FIELD || regex->kind != OPERAND_CONSTANT ||
            regex->is_number || !is_text_key(field->key) || field->offset ||
            field->length != SIZE_MAX)
                return cannot("the regular expression is of something computed");
        text = regex_text(c->d->im, regex->bytes);
        if (!text)
                return cannot("classes have * and ? but no regular expressions");
        matches_add_word(c->d->im, &condition.matches, field->key, text);
        return condition;
}

static struct condition compare(struct cursor *c) {
        struct operand a, b, swapped;
        struct condition condition = { .is_known = true };
        bool is_regex = false;

        parse_operand(c, &a);
        if (accept(c, "~")) {
                is_regex = true;
                if (!accept(c, "~"))
                        expect(c, "=");
        } else {
                condition.is_negated = accept(c, "!");
                if (!accept(c, "="))
                        return a.kind == OPERAND_UNKNOWN
                                       ? cannot(a.why)
                                       : cannot("it compares with nothing");
        }
        parse_operand(c, &b);
        if (a.kind == OPERAND_CONSTANT && b.kind == OPERAND_FIELD) {
                swapped = a;
                a = b;
                b = swapped;
        }
        if (a.kind == OPERAND_UNKNOWN || b.kind == OPERAND_UNKNOWN)
                return cannot(a.kind == OPERAND_UNKNOWN ? a.why : b.why);
        if (is_regex)
                return compare_regex(c, &a, &b);
        if (a.kind != OPERAND_FIELD || b.kind != OPERAND_CONSTANT)
                return cannot("classes compare with a fixed value only");
        if (!dhcpd_equal(c->d, &a, &b, &condition.matches, &condition.why))
                condition.is_known = false;
        return condition;
}

/* iPXE's own options are sent by nobody else, and iPXE says who it is in its user
 * class; it called itself gPXE once. */
static bool is_ipxe(const char *name) {
        return strncmp(name, "ipxe", 4) == 0 || strncmp(name, "gpxe", 4) == 0;
}

static struct condition exists(struct cursor *c) {
        struct condition condition = { .is_known = true };
        const struct token *token = c->at;
        struct definition option = { 0 };
        struct operand field;

        if (c->at >= c->end || token->kind != TOKEN_WORD) {
                import_refuse(c->d->im, token->at,
                              "expected the name of an option after 'exists'", NULL);
                return cannot("");
        }
        if (is_ipxe(token->s) || (dhcpd_find_option(c->d, token->s, &option) &&
                                  !option.space && option.code == 175)) {
                c->at++;
                import_remark(c->d->im, token->at, "'exists ", token->s,
                              "' is carried as the user class that iPXE sends: what it "
                              "was built with cannot be matched on",
                              NULL);
                matches_add_word(c->d->im, &condition.matches, MATCH_USER_CLASS,
                                 "iPXE");
                if (condition.matches.first)
                        words_add(c->d->im,
                                  &condition.matches.first->keys[MATCH_USER_CLASS],
                                  "gPXE");
                return condition;
        }
        parse_option(c, &field);
        if (field.kind == OPERAND_UNKNOWN)
                return cannot(field.why);
        matches_add_word(c->d->im, &condition.matches,
                         field.key == MATCH_ARCH ? MATCH_VENDOR_CLASS : field.key,
                         field.key == MATCH_ARCH ? "PXEClient*" : "*");
        if (field.key == MATCH_ARCH && condition.matches.first)
                words_add(c->d->im, &condition.matches.first->keys[MATCH_VENDOR_CLASS],
                          "HTTPClient*");
        return condition;
}

static struct condition parse_any(struct cursor *c);

static struct condition parse_one(struct cursor *c) {
        struct condition condition = { .is_known = true };

        if (c->at >= c->end || c->d->im->failed) {
                import_refuse(c->d->im, c->at->at, "expected a condition", NULL);
                return cannot("");
        }
        if (accept(c, "not") || accept(c, "!")) {
                if (++c->depth > DEPTH_MAX)
                        return cannot("it is nested too deeply");
                condition = parse_one(c);
                c->depth--;
                condition.is_negated = !condition.is_negated;
                return condition;
        }
        if (accept(c, "(")) {
                if (++c->depth > DEPTH_MAX) {
                        c->at = c->end;
                        return cannot("it is nested too deeply");
                }
                condition = parse_any(c);
                c->depth--;
                expect(c, ")");
                return condition;
        }
        if (accept(c, "exists"))
                return exists(c);
        if (accept(c, "known")) {
                c->d->has_known = true;
                matches_add_word(c->d->im, &condition.matches, MATCH_HOST, "*");
                return condition;
        }
        return compare(c);
}

static struct condition both(struct cursor *c, struct condition a, struct condition b) {
        struct condition ret = { .is_known = true };

        if (!a.is_known || !b.is_known)
                return a.is_known ? b : a;
        if (a.is_negated || b.is_negated)
                return cannot("classes cannot say 'not'");
        if (!matches_and(c->d->im, &a.matches, &b.matches, &ret.matches))
                return cannot("it is too long");
        if (!ret.matches.n)
                return cannot("its parts cannot be matched on at the same time");
        return ret;
}

static struct condition parse_all(struct cursor *c) {
        struct condition condition = parse_one(c);

        while (accept(c, "and"))
                condition = both(c, condition, parse_one(c));
        return condition;
}

static struct condition parse_any(struct cursor *c) {
        struct condition a = parse_all(c);

        while (accept(c, "or")) {
                struct condition b = parse_all(c), ret = { .is_known = true };

                if (!a.is_known || !b.is_known)
                        a = a.is_known ? b : a;
                else if (a.is_negated || b.is_negated)
                        a = cannot("classes cannot say 'not'");
                else if (!matches_or(c->d->im, &a.matches, &b.matches, &ret.matches))
                        a = cannot("it is too long");
                else
                        a = ret;
        }
        return a;
}

void dhcpd_condition(struct dhcpd *d, const struct token *tokens,
                     const struct token *end, struct condition *ret) {
        struct cursor c = { d, tokens, end, 0 };

        *ret = parse_any(&c);
        if (c.at < c.end && !d->im->failed && ret->is_known)
                import_refuse(d->im, c.at->at,
                              "expected 'and', 'or' or the end of the "
                              "condition, not '",
                              c.at->s, "'", NULL);
}
