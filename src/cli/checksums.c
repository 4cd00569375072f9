/* Checksums out of the lists that come with images. */
#include "cli/checksums.h"

#include <string.h>

static bool is_digit(char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
               (c >= 'A' && c <= 'F');
}

static bool take_hex(const char *s, size_t n, struct checksum *ret) {
        if (!digest_kind_of(n, &ret->kind))
                return false;
        for (size_t i = 0; i < n; i++) {
                if (!is_digit(s[i]))
                        return false;
                ret->hex[i] = (char)(s[i] >= 'A' && s[i] <= 'F' ? s[i] | 0x20 : s[i]);
        }
        ret->hex[n] = '\0';
        return true;
}

static void trim(const char **s, size_t *n) {
        while (*n > 0 && (**s == ' ' || **s == '\t'))
                (*s)++, (*n)--;
        while (*n > 0 &&
               ((*s)[*n - 1] == ' ' || (*s)[*n - 1] == '\r' || (*s)[*n - 1] == '\t'))
                (*n)--;
}

static void take_name(const char *s, size_t n, struct checksum *ret) {
        while (n > 1 && s[0] == '.' && s[1] == '/')
                s += 2, n -= 2;
        ret->name = s;
        ret->n_name = n;
}

/* "SHA256 (NAME) = HEX", "MD5 (NAME) = HEX" */
static bool parse_bsd(const char *s, size_t n, struct checksum *ret) {
        const char *open = memchr(s, '(', n);
        const char *close = open ? memrchr(open, ')', n - (size_t)(open - s)) : NULL;
        const char *hex;
        size_t n_hex;

        if (!close || (size_t)(s + n - close) < 5 || memcmp(close, ") = ", 4) != 0)
                return false;
        hex = close + 4;
        n_hex = (size_t)(s + n - hex);
        take_name(open + 1, (size_t)(close - open - 1), ret);
        return take_hex(hex, n_hex, ret);
}

/* "NAME = sha256:HEX" */
static bool parse_treeinfo(const char *s, size_t n, struct checksum *ret) {
        const char *colon = memrchr(s, ':', n);
        const char *equal = colon ? memrchr(s, '=', (size_t)(colon - s)) : NULL;
        size_t n_name;

        if (!equal || !take_hex(colon + 1, (size_t)(s + n - colon - 1), ret))
                return false;
        n_name = (size_t)(equal - s);
        trim(&s, &n_name);
        take_name(s, n_name, ret);
        return n_name > 0;
}

static bool parse_line(const char *s, size_t n, struct checksum *ret) {
        size_t n_hex = 0;

        *ret = (struct checksum){ 0 };
        while (n_hex < n && is_digit(s[n_hex]))
                n_hex++;
        if (n_hex > 0 && take_hex(s, n_hex, ret)) {
                if (n_hex == n)
                        return true;
                if (s[n_hex] == ' ' || s[n_hex] == '\t') {
                        const char *name = s + n_hex;
                        size_t n_name = n - n_hex;

                        trim(&name, &n_name);
                        if (n_name > 1 && *name == '*')
                                name++, n_name--;
                        take_name(name, n_name, ret);
                        return n_name > 0;
                }
        }
        return parse_bsd(s, n, ret) || parse_treeinfo(s, n, ret);
}

bool checksums_next(const char **at, const char *end, struct checksum *ret) {
        while (*at < end) {
                const char *line = *at,
                           *stop = memchr(line, '\n', (size_t)(end - line));
                size_t n = (size_t)((stop ? stop : end) - line);

                *at = stop ? stop + 1 : end;
                trim(&line, &n);
                if (n > 0 && parse_line(line, n, ret))
                        return true;
        }
        return false;
}

static bool is_name(const struct checksum *c, const char *name) {
        const char *slash = memrchr(c->name, '/', c->n_name);
        const char *base = slash ? slash + 1 : c->name;
        size_t n = c->n_name - (size_t)(base - c->name);

        return n == strlen(name) && memcmp(base, name, n) == 0;
}

bool checksums_find(const char *list, size_t n, const char *name,
                    struct checksum *ret) {
        const char *at = list;
        struct checksum c, alone = { 0 };
        size_t n_all = 0;
        bool found = false;

        while (checksums_next(&at, list + n, &c)) {
                n_all++;
                if (!c.name)
                        alone = c;
                else if (is_name(&c, name) && (!found || c.kind > ret->kind)) {
                        *ret = c;
                        found = true;
                }
        }
        if (!found && n_all == 1 && alone.hex[0]) {
                *ret = alone;
                return true;
        }
        return found;
}

bool checksum_parse(const char *s, struct checksum *ret) {
        const char *colon = strchr(s, ':'), *hex = colon ? colon + 1 : s;

        *ret = (struct checksum){ 0 };
        if (!take_hex(hex, strlen(hex), ret))
                return false;
        return !colon ||
               (strlen(digest_name(ret->kind)) == (size_t)(colon - s) &&
                strncasecmp(s, digest_name(ret->kind), (size_t)(colon - s)) == 0);
}
