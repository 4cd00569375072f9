/*
 * Options in dhcpd.conf: those that the file defines ("option arch code 93 = unsigned
 * integer 16;", dhcp-options(5)), and values in the syntax that a definition asks for.
 */
#include "import/dhcpd.h"

enum { DEFINITIONS_MAX = 1024, FORMAT_MAX = 16, VALUE_MAX = 1024 };

/* ---- definitions ---- */

static void split(struct import *im, const char *name, const char **ret_space,
                  const char **ret_name) {
        const char *dot = strchr(name, '.');

        *ret_space = dot ? import_copy(im, name, (size_t)(dot - name)) : NULL;
        *ret_name = dot ? dot + 1 : name;
        if (*ret_space && strcmp(*ret_space, "dhcp") == 0)
                *ret_space = NULL;
}

static bool is_same(const char *a, const char *b) {
        return a == b || (a && b && strcmp(a, b) == 0);
}

bool dhcpd_find_option(const struct dhcpd *d, const char *name,
                       struct definition *ret) {
        const struct option_row *row;
        const char *space, *base;

        split(d->im, name, &space, &base);
        for (const struct definition *i = d->definitions; i; i = i->next)
                if (is_same(i->space, space) && strcmp(i->name, base) == 0) {
                        *ret = *i;
                        return true;
                }
        row = space ? NULL : option_by_name(base);
        if (!row)
                return false;
        *ret = (struct definition){ .name = row->name,
                                    .code = row->code,
                                    .format = row->format };
        return true;
}

struct fields { /* of a definition, while it is read */
        const struct token *at, *end;
        char format[FORMAT_MAX + 2];
        size_t n;
        const char *encloses;
        bool is_known;
};

static bool accept(struct fields *f, const char *word) {
        if (f->at >= f->end || !token_is(f->at, word))
                return false;
        f->at++;
        return true;
}

static void add(struct fields *f, char letter) {
        if (f->n == FORMAT_MAX)
                f->is_known = false;
        else
                f->format[f->n++] = letter;
}

static void read_integer(struct fields *f, bool is_signed) {
        if (accept(f, "8"))
                add(f, is_signed ? 'b' : 'B');
        else if (accept(f, "16"))
                add(f, is_signed ? 's' : 'S');
        else if (accept(f, "32"))
                add(f, is_signed ? 'l' : 'L');
        else
                f->is_known = false;
}

static void read_field(struct fields *f) {
        static const struct {
                const char *word;
                char letter;
        } plain[] = {
                { "boolean", 'f' }, { "ip-address", 'I' },  { "text", 't' },
                { "string", 'X' },  { "domain-list", 'D' }, { "domain-name", 'd' }
        };

        for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
                if (accept(f, plain[i].word)) {
                        add(f, plain[i].letter);
                        accept(f, "compressed");
                        return;
                }
        if (accept(f, "encapsulate") && f->at < f->end) {
                f->encloses = f->at++->s;
                add(f, 'E');
        } else if (accept(f, "unsigned")) {
                if (accept(f, "integer"))
                        read_integer(f, false);
        } else if (accept(f, "signed")) {
                if (accept(f, "integer"))
                        read_integer(f, true);
        } else if (accept(f, "integer")) {
                read_integer(f, true);
        } else {
                f->is_known = false;
        }
}

static void read_type(struct fields *f) {
        bool is_array = accept(f, "array");

        if (is_array)
                accept(f, "of");
        if (accept(f, "{")) {
                do
                        read_field(f);
                while (f->is_known && accept(f, ","));
                f->is_known &= accept(f, "}");
        } else {
                read_field(f);
        }
        if (is_array)
                add(f, 'A');
        f->is_known &= f->at == f->end && f->n > 0;
}

static void define(struct dhcpd *d, const struct statement *s, uint64_t code) {
        struct definition *made = import_take(d->im, sizeof(*made));
        struct fields f = { .at = s->tokens + 5,
                            .end = s->tokens + s->n,
                            .is_known = true };

        if (!made)
                return;
        read_type(&f);
        if (++d->n_definitions > DEFINITIONS_MAX)
                import_refuse(d->im, s->tokens[0].at,
                              "the file defines too many options", NULL);
        if (!f.is_known) {
                import_remark(d->im, s->tokens[0].at, "the type of option ",
                              s->tokens[1].s,
                              " is not known: what is set of it is not carried", NULL);
                return;
        }
        split(d->im, s->tokens[1].s, &made->space, &made->name);
        made->code = (unsigned)code;
        made->format = import_copy(d->im, f.format, f.n);
        made->encloses = f.encloses;
        made->next = d->definitions;
        d->definitions = made;
}

bool dhcpd_define(struct dhcpd *d, const struct statement *s) {
        uint64_t code;

        if (s->n >= 3 && token_is(&s->tokens[1], "space"))
                return true;
        if (s->n < 4 || !token_is(&s->tokens[2], "code"))
                return false;
        if (!parse_decimal(s->tokens[3].s, 65535, &code))
                import_refuse(d->im, s->tokens[3].at,
                              "expected the number of an option, not '", s->tokens[3].s,
                              "'", NULL);
        else if (s->n < 6 || !token_is(&s->tokens[4], "="))
                import_refuse(d->im, s->tokens[4].at, "expected '=' and a type", NULL);
        else
                define(d, s, code);
        return true;
}

/* ---- values ---- */

static const char *wanted(char field) {
        switch (field) {
        case 'I':
                return "an IPv4 address";
        case 'f':
                return "true or false";
        case 't':
                return "a text in quotes";
        case 'X':
                return "a text in quotes or bytes such as c0:a8:01:06";
        case 'd':
        case 'D':
                return "a domain name in quotes";
        default:
                return "a number";
        }
}

enum outcome { TAKEN, LEFT_OUT, REFUSED };

static bool looks_like_name(const struct token *token) {
        if (token->kind != TOKEN_WORD)
                return false;
        for (const char *s = token->s; *s; s++)
                if (!strchr("0123456789.", *s))
                        return strchr(token->s, ':') == NULL;
        return false;
}

static enum outcome encode(struct dhcpd *d, const char *name, char field,
                           const struct token *token, struct text *out) {
        if (token->kind != TOKEN_SIGN && token->kind != TOKEN_END &&
            option_encode(field, token->s, token->n, token->kind == TOKEN_STRING, out))
                return TAKEN;
        if (field == 'I' && looks_like_name(token)) {
                import_remark(d->im, token->at, "option ", name, ": the name ",
                              token->s, " is not looked up: write its address", NULL);
                return LEFT_OUT;
        }
        if (field == 'E') {
                import_remark(d->im, token->at, "option ", name,
                              " is not carried: name the options in it instead", NULL);
                return LEFT_OUT;
        }
        import_refuse(d->im, token->at, "option ", name, ": expected ", wanted(field),
                      token->kind == TOKEN_END ? "" : ", not '", token->s,
                      token->kind == TOKEN_END ? "" : "'", NULL);
        return REFUSED;
}

/* Fields one after the other; those of an array again after each comma. */
static enum outcome encode_all(struct dhcpd *d, const struct definition *option,
                               const struct token *at, const struct token *end,
                               struct text *out) {
        size_t n = strlen(option->format);
        bool is_array = n && option->format[n - 1] == 'A';
        bool is_list = option->format[0] == 'D';

        n -= is_array;
        do {
                size_t before = out->n;
                enum outcome outcome = TAKEN, one;

                for (size_t i = 0; i < n; i++, at += at < end) {
                        if (i && at < end && token_is(at, ","))
                                at++;
                        one = encode(d, option->name, option->format[i], at, out);
                        if (one == REFUSED)
                                return one;
                        if (one == LEFT_OUT)
                                outcome = one;
                }
                if (outcome == LEFT_OUT)
                        out->n = before;
        } while (at < end && token_is(at, ",") && (is_array || is_list) && at++ < end);
        if (at < end) {
                import_refuse(d->im, at->at, "expected ',' or ';', not '", at->s, "'",
                              NULL);
                return REFUSED;
        }
        return out->n ? TAKEN : LEFT_OUT;
}

/* Lease times are keys of ours. False: the option is none of these. */
static bool set_time(struct frame *frame, unsigned code, const struct text *bytes,
                     struct place at) {
        static const struct {
                unsigned code;
                enum scope_key key;
        } times[] = { { 51, KEY_LEASE_TIME },
                      { 58, KEY_RENEWAL_TIME },
                      { 59, KEY_REBINDING_TIME } };

        for (size_t i = 0; i < ARRAY_SIZE(times); i++)
                if (times[i].code == code && bytes->n == 4) {
                        frame->scope.keys[times[i].key] = (struct value){
                                true, load_be32((const uint8_t *)bytes->s), NULL, at
                        };
                        return true;
                }
        return false;
}

static void set(struct dhcpd *d, struct frame *frame, const struct definition *option,
                const struct statement *s, const struct text *bytes) {
        struct place at = s->tokens[0].at;
        const char *reserved = option->space ? NULL : option_reserved(option->code);
        struct span value = { (const uint8_t *)import_copy(d->im, bytes->s, bytes->n),
                              bytes->n };

        if (!option->space && option->code == 61 && frame->kind == FRAME_HOST) {
                frame->client_id = match_text(d->im, value, 0, false);
        } else if (!option->space && set_time(frame, option->code, bytes, at)) {
                return;
        } else if (reserved) {
                import_remark(d->im, at, "option ", s->tokens[1].s,
                              " is not carried: ", reserved, NULL);
        } else if (option->code > 255) {
                import_remark(d->im, at, "option ", s->tokens[1].s,
                              " is not carried: its code does not fit into a byte",
                              NULL);
        } else {
                scope_set_option(d->im, &frame->scope,
                                 &(struct option_value){ .code = option->code,
                                                         .space = option->space,
                                                         .format = option->format,
                                                         .bytes = value,
                                                         .at = at });
        }
}

/* option NAME = "a fixed value": anything that is worked out is not carried. */
static bool is_computed(const struct statement *s) {
        return s->n > 2 && token_is(&s->tokens[2], "=") && s->n != 4;
}

void dhcpd_option(struct dhcpd *d, struct frame *frame, const struct statement *s) {
        struct definition option;
        struct text bytes = { 0 };
        const struct token *value = s->tokens + 2;

        if (s->n < 2 || s->tokens[1].kind != TOKEN_WORD) {
                import_refuse(d->im, s->tokens[s->n < 2 ? s->n : 1].at,
                              "expected the name of an option", NULL);
                return;
        }
        if (!dhcpd_find_option(d, s->tokens[1].s, &option)) {
                import_remark(d->im, s->tokens[0].at, "option ", s->tokens[1].s,
                              " is not carried: nothing defines it", NULL);
                return;
        }
        if (is_computed(s) ||
            (s->n > 2 && token_is(&s->tokens[2], "=") &&
             s->tokens[3].kind == TOKEN_WORD && !strchr(s->tokens[3].s, ':'))) {
                import_remark(
                        d->im, s->tokens[0].at, "option ", s->tokens[1].s,
                        " is not carried: its value is worked out for each client",
                        NULL);
                return;
        }
        if (s->n == 4 && token_is(&s->tokens[2], "=")) { /* bytes, whatever its type */
                value++;
                option.format = "X";
        }
        if (encode_all(d, &option, value, s->tokens + s->n, &bytes) == TAKEN &&
            bytes.n <= VALUE_MAX)
                set(d, frame, &option, s, &bytes);
        else if (bytes.n > VALUE_MAX)
                import_remark(d->im, s->tokens[0].at, "option ", s->tokens[1].s,
                              " is not carried: it is too long", NULL);
        text_done(&bytes);
}
