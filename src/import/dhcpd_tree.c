/*
 * dhcpd.conf as a tree of statements, without knowing what they mean: words up to a
 * semicolon or up to a block in braces. That is all of dhcpd.conf(5)'s grammar but for
 * the braces in a definition's list of fields. Files that are included stand where
 * their statement stood.
 *
 * A missing semicolon is what goes wrong most: where a new line begins with a word that
 * begins statements, it is said there and not at the end of the file.
 */
#include "import/dhcpd.h"

enum { BLOCKS_MAX = 40, TOKENS_MAX = 4096 };

struct lexer {
        struct import *im;
        const struct open_file *open;
        const char *s, *end;
        struct place at;
        struct token token;   /* the one that is looked at */
        bool is_first;        /* on its line */
        struct token *tokens; /* of the statement that is read: TOKENS_MAX */
        size_t n;
};

bool token_is(const struct token *token, const char *word) {
        if (token->kind != TOKEN_WORD && token->kind != TOKEN_SIGN)
                return false;
        for (const char *a = token->s; *a || *word; a++, word++) {
                char lower = *a >= 'A' && *a <= 'Z' ? (char)(*a + 32) : *a;

                if (lower != *word)
                        return false;
        }
        return true;
}

/* ---- tokens ---- */

static char step(struct lexer *l) {
        char c = *l->s++;

        if (c == '\n') {
                l->at.line++;
                l->at.column = 1;
        } else {
                l->at.column++;
        }
        return c;
}

static void skip_blanks(struct lexer *l) {
        while (l->s < l->end) {
                if (*l->s == '#')
                        while (l->s < l->end && *l->s != '\n')
                                step(l);
                else if (*l->s == '\n' && step(l))
                        l->is_first = true;
                else if (*l->s == ' ' || *l->s == '\t' || *l->s == '\r' ||
                         *l->s == '\f' || *l->s == '\v')
                        step(l);
                else
                        return;
        }
}

/* Numbers, names, addresses, bytes with colons, and paths are all one kind. */
static bool is_word_char(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               (c >= '0' && c <= '9') || (c && strchr("-_.:/+@", c)) || c < 0;
}

static int hex_value(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static char octal(struct lexer *l, char first) {
        unsigned v = (unsigned)(first - '0');

        for (int i = 0; i < 2 && l->s < l->end && *l->s >= '0' && *l->s <= '7'; i++)
                v = v << 3 | (unsigned)(step(l) - '0');
        return (char)v;
}

static char escaped(struct lexer *l) {
        char c = step(l);
        unsigned v = 0;

        switch (c) {
        case 't':
                return '\t';
        case 'n':
                return '\n';
        case 'r':
                return '\r';
        case 'b':
                return '\b';
        case 'x':
                for (int i = 0; i < 2 && l->s < l->end && hex_value(*l->s) >= 0; i++)
                        v = v << 4 | (unsigned)hex_value(step(l));
                return (char)v;
        default:
                return c >= '0' && c <= '7' ? octal(l, c) : c;
        }
}

static void read_string(struct lexer *l) {
        struct text text = { 0 };
        bool is_closed = false;

        step(l);
        while (l->s < l->end && *l->s != '\n' && !is_closed) {
                char c = step(l);

                if (c == '"')
                        is_closed = true;
                else if (c == '\\' && l->s < l->end && *l->s != '\n')
                        text_char(&text, escaped(l));
                else
                        text_char(&text, c);
        }
        if (!is_closed)
                import_refuse(l->im, l->token.at,
                              "expected '\"' at the end of this text, on the same line",
                              NULL);
        l->token.kind = TOKEN_STRING;
        l->token.s = import_copy(l->im, text.s, text.n);
        l->token.n = text.n;
        text_done(&text);
}

static void read_word(struct lexer *l) {
        const char *start = l->s;

        while (l->s < l->end && is_word_char(*l->s))
                step(l);
        l->token.kind = TOKEN_WORD;
        l->token.n = (size_t)(l->s - start);
        l->token.s = import_copy(l->im, start, l->token.n);
}

static void read_sign(struct lexer *l) {
        char c = step(l);

        if (c < 0x20 || c == 0x7f)
                import_refuse(l->im, l->token.at,
                              "expected a text; this is a control character", NULL);
        l->token.kind = TOKEN_SIGN;
        l->token.s = import_copy(l->im, &c, 1);
        l->token.n = 1;
}

static void next(struct lexer *l) {
        l->is_first = false;
        skip_blanks(l);
        l->token = (struct token){ .at = l->at, .s = "" };
        if (l->s == l->end || l->im->failed)
                return;
        if (*l->s == '"')
                read_string(l);
        else if (is_word_char(*l->s))
                read_word(l);
        else
                read_sign(l);
}

static bool is_sign(const struct lexer *l, char c) {
        return l->token.kind == TOKEN_SIGN && l->token.s[0] == c;
}

/* ---- statements ---- */

static bool begins_statements(const struct token *token) {
        static const char *const words[] = {
                "option",
                "subnet",
                "host",
                "group",
                "pool",
                "class",
                "subclass",
                "shared-network",
                "range",
                "filename",
                "next-server",
                "default-lease-time",
                "max-lease-time",
                "min-lease-time",
                "hardware",
                "fixed-address",
                "include",
                "if",
                "elsif",
                "else",
                "match",
                "authoritative",
                "ddns-update-style",
                "server-name",
                "allow",
                "deny",
                "ignore",
        };

        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if (token_is(token, words[i]))
                        return true;
        return false;
}

/* A statement cannot go on with this word at the beginning of a line. */
static bool lacks_semicolon(const struct lexer *l, unsigned parens) {
        const struct token *tokens = l->tokens, *last = &tokens[l->n ? l->n - 1 : 0];

        if (!l->n || !l->is_first || parens || !begins_statements(&l->token))
                return false;
        if (token_is(&tokens[0], "if") || token_is(&tokens[0], "elsif") ||
            token_is(&tokens[0], "match"))
                return false;
        return last->kind == TOKEN_STRING || last->kind == TOKEN_WORD;
}

static struct statement *parse_block(struct lexer *l, unsigned depth, bool is_file);

static struct statement *finish(struct lexer *l) {
        struct statement *s = import_take(l->im, sizeof(*s));

        if (!s)
                return NULL;
        s->tokens = import_take(l->im, (l->n + 1) * sizeof(*s->tokens));
        if (!s->tokens)
                return NULL;
        memcpy(s->tokens, l->tokens, l->n * sizeof(*s->tokens));
        s->tokens[l->n] = (struct token){ .at = l->token.at, .s = "" };
        s->n = l->n;
        return s;
}

/* `array of { ip-address, integer 8 }`: the only braces that are no block. */
static bool is_record(const struct lexer *l) {
        if (!l->n || !token_is(&l->tokens[0], "option"))
                return false;
        for (size_t i = 1; i < l->n; i++)
                if (token_is(&l->tokens[i], "="))
                        return true;
        return false;
}

static void refuse_end(struct lexer *l, const struct token *first) {
        import_refuse(l->im, l->token.at, "expected ';' or '{' after '", first->s,
                      "', not the end of the file", NULL);
}

/* Takes the token into the statement. */
static void collect(struct lexer *l, unsigned *parens, unsigned *records) {
        bool opens = is_sign(l, '{'), closes = is_sign(l, '}');

        if (opens && is_record(l))
                (*records)++;
        else if (closes && *records)
                (*records)--;
        else if (opens || closes)
                import_refuse(l->im, l->token.at, "expected ",
                              l->n ? "';' before '" : "a statement, not '", l->token.s,
                              "'", NULL);
        else if (lacks_semicolon(l, *parens))
                import_refuse(l->im, l->token.at, "expected ';' before '", l->token.s,
                              "'", NULL);
        *parens += is_sign(l, '(');
        *parens -= is_sign(l, ')') && *parens;
        if (l->n == TOKENS_MAX)
                import_refuse(l->im, l->token.at,
                              "expected ';': the statement is too long", NULL);
        else
                l->tokens[l->n++] = l->token;
}

static struct statement *parse_statement(struct lexer *l, unsigned depth) {
        struct statement *s;
        unsigned parens = 0, records = 0;

        for (l->n = 0; !l->im->failed; next(l)) {
                if (l->token.kind == TOKEN_END)
                        refuse_end(l, &l->tokens[0]);
                else if (is_sign(l, ';') && !records)
                        break;
                else if (is_sign(l, '{') && l->n && !is_record(l))
                        break;
                else
                        collect(l, &parens, &records);
        }
        if (l->im->failed)
                return NULL;
        s = finish(l);
        if (s && is_sign(l, '{')) {
                s->has_block = true;
                next(l);
                s->inner = parse_block(l, depth + 1, false);
        }
        next(l);
        return s;
}

static struct statement *include(struct lexer *l, const struct statement *s) {
        const struct import_text *text;
        struct open_file open;

        if (s->n != 2 || s->has_block || s->tokens[1].kind == TOKEN_SIGN) {
                import_refuse(l->im, s->tokens[1].at,
                              "expected the name of one file in quotes and ';'", NULL);
                return NULL;
        }
        open = (struct open_file){ s->tokens[1].s, l->open };
        text = import_load(l->im, open.path, s->tokens[0].at, l->open);
        return text ? dhcpd_parse(l->im, text, &open) : NULL;
}

static struct statement *parse_block(struct lexer *l, unsigned depth, bool is_file) {
        struct statement *first = NULL, **end = &first;

        if (depth > BLOCKS_MAX)
                import_refuse(l->im, l->token.at,
                              "expected less: these are too many blocks in blocks",
                              NULL);
        while (!l->im->failed) {
                if (is_sign(l, ';')) {
                        next(l);
                        continue;
                }
                if (l->token.kind == TOKEN_END && !is_file)
                        import_refuse(l->im, l->token.at,
                                      "expected '}', not the end of the file", NULL);
                if (l->token.kind == TOKEN_END || (is_sign(l, '}') && !is_file))
                        break;
                *end = parse_statement(l, depth);
                if (*end && token_is(&(*end)->tokens[0], "include"))
                        *end = include(l, *end);
                while (*end)
                        end = &(*end)->next;
        }
        return first;
}

struct statement *dhcpd_parse(struct import *im, const struct import_text *text,
                              const struct open_file *open) {
        struct lexer l = { .im = im,
                           .open = open,
                           .s = text->s,
                           .end = text->s + text->n,
                           .at = text->start };

        l.tokens = import_take(im, TOKENS_MAX * sizeof(*l.tokens));
        if (!l.tokens)
                return NULL;
        next(&l);
        return parse_block(&l, 0, true);
}
