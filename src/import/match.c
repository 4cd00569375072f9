/*
 * Whom something is for. Conditions of dhcpd and tags of dnsmasq are any mixture of
 * "and" and "or"; a class of ours has, for each of a few keys, a list of which one has
 * to fit. So a condition becomes alternatives, each a match: "or" puts lists together,
 * "and" multiplies them. What would take too many is not carried.
 */
#include "import/internal.h"

enum { WORDS_MULTIPLIED_MAX = 64 };

const char *const match_key_names[N_MATCHES] = {
        [MATCH_VENDOR_CLASS] = "vendor-class",
        [MATCH_USER_CLASS] = "user-class",
        [MATCH_ARCH] = "arch",
        [MATCH_MAC] = "mac",
        [MATCH_RELAY] = "relay",
        [MATCH_SUBNET] = "subnet",
        [MATCH_HOST] = "host",
        [MATCH_CLIENT_ID] = "client-id",
        [MATCH_CIRCUIT_ID] = "circuit-id",
        [MATCH_REMOTE_ID] = "remote-id",
};

struct match *matches_add(struct import *im, struct matches *matches) {
        struct match *match = import_take(im, sizeof(*match));

        if (!match)
                return NULL;
        if (matches->last)
                matches->last->next = match;
        else
                matches->first = match;
        matches->last = match;
        matches->n++;
        return match;
}

void matches_add_word(struct import *im, struct matches *matches, enum match_key key,
                      const char *s) {
        struct match *match = matches_add(im, matches);

        if (match)
                words_add(im, &match->keys[key], s);
}

void matches_all(struct import *im, struct matches *ret) {
        *ret = (struct matches){ 0 };
        matches_add(im, ret);
}

bool match_is_empty(const struct match *match) {
        for (size_t i = 0; i < N_MATCHES; i++)
                if (match->keys[i].n)
                        return false;
        return true;
}

/* ---- and ---- */

/* The texts of MACs are prefixes, those of arch and networks only equal themselves. */
static const char *word_and(struct import *im, enum match_key key, const char *a,
                            const char *b) {
        if (strcmp(a, b) == 0)
                return a;
        switch (key) {
        case MATCH_ARCH:
        case MATCH_RELAY:
        case MATCH_SUBNET:
                return NULL;
        case MATCH_MAC:
                if (strncmp(a, b, strlen(b)) == 0)
                        return a;
                return strncmp(a, b, strlen(a)) == 0 ? b : NULL;
        default:
                return match_text_and(im, a, b);
        }
}

/* False: nobody has both. */
static bool words_and(struct import *im, enum match_key key, const struct words *a,
                      const struct words *b, struct words *ret) {
        if (!a->n || !b->n) {
                *ret = a->n ? *a : *b;
                return true;
        }
        if (a->n > WORDS_MULTIPLIED_MAX || b->n > WORDS_MULTIPLIED_MAX)
                return false;
        for (const struct word *x = a->first; x; x = x->next)
                for (const struct word *y = b->first; y; y = y->next) {
                        const char *both = word_and(im, key, x->s, y->s);

                        if (both)
                                words_add_once(im, ret, both);
                }
        return ret->n > 0;
}

static void match_and(struct import *im, const struct match *a, const struct match *b,
                      struct matches *ret) {
        struct match both = { 0 }, *added;

        for (size_t i = 0; i < N_MATCHES; i++)
                if (!words_and(im, (enum match_key)i, &a->keys[i], &b->keys[i],
                               &both.keys[i]))
                        return;
        added = matches_add(im, ret);
        if (added)
                *added = both;
}

bool matches_and(struct import *im, const struct matches *a, const struct matches *b,
                 struct matches *ret) {
        struct matches both = { 0 };

        if (a->n * b->n > MATCHES_MAX)
                return false;
        for (const struct match *x = a->first; x; x = x->next)
                for (const struct match *y = b->first; y; y = y->next)
                        match_and(im, x, y, &both);
        *ret = both;
        return true;
}

/* ---- or ---- */

static bool words_are_equal(const struct words *a, const struct words *b) {
        const struct word *x = a->first, *y = b->first;

        for (; x && y && strcmp(x->s, y->s) == 0; x = x->next, y = y->next)
                ;
        return !x && !y;
}

/* The only key in which they differ and both say something, or N_MATCHES. */
static size_t only_difference(const struct match *a, const struct match *b) {
        size_t found = N_MATCHES;

        for (size_t i = 0; i < N_MATCHES; i++) {
                if (words_are_equal(&a->keys[i], &b->keys[i]))
                        continue;
                if (found != N_MATCHES || !a->keys[i].n || !b->keys[i].n)
                        return N_MATCHES;
                found = i;
        }
        return found;
}

static void add_or_join(struct import *im, struct matches *to,
                        const struct match *match) {
        struct match *last = to->last, *added;
        size_t key = last ? only_difference(last, match) : N_MATCHES;

        if (last && key < N_MATCHES) {
                for (const struct word *w = match->keys[key].first; w; w = w->next)
                        words_add_once(im, &last->keys[key], w->s);
                return;
        }
        added = matches_add(im, to);
        if (!added)
                return;
        for (size_t i = 0; i < N_MATCHES; i++) /* lists of its own: they may grow */
                for (const struct word *w = match->keys[i].first; w; w = w->next)
                        words_add(im, &added->keys[i], w->s);
}

bool matches_or(struct import *im, const struct matches *a, const struct matches *b,
                struct matches *ret) {
        struct matches any = { 0 };

        if (a->n + b->n > MATCHES_MAX)
                return false;
        for (const struct match *x = a->first; x; x = x->next)
                add_or_join(im, &any, x);
        for (const struct match *y = b->first; y; y = y->next)
                add_or_join(im, &any, y);
        *ret = any;
        return true;
}

/* ---- texts ---- */

static bool is_plain(struct span s) {
        for (size_t i = 0; i < s.n; i++)
                if (s.data[i] < 0x20 || s.data[i] >= 0x7f || s.data[i] == '*' ||
                    s.data[i] == '?')
                        return false;
        return s.n < 2 || memcmp(s.data, "0x", 2) != 0;
}

const char *match_text(struct import *im, struct span s, size_t before, bool after) {
        static const char digits[] = "0123456789abcdef";
        struct text text = { 0 };
        const char *made = NULL;

        if (before > 255 || s.n > 255 || (!s.n && !before && !after))
                return NULL;
        if (is_plain(s)) {
                while (before--)
                        text_char(&text, '?');
                text_bytes(&text, s.data, s.n);
        } else if (before == 0) {
                text_add(&text, "0x");
                for (size_t i = 0; i < s.n; i++) {
                        text_char(&text, digits[s.data[i] >> 4]);
                        text_char(&text, digits[s.data[i] & 15]);
                }
        } else {
                return NULL;
        }
        if (after)
                text_char(&text, '*');
        if (!text.failed)
                made = import_copy(im, text.s, text.n);
        text_done(&text);
        return made;
}

static bool has_star(const char *s, size_t n) {
        return n && memchr(s, '*', n);
}

/* Patterns of '?' and letters, each with at most one star at its end, and "*...*"
 * beside what contains it. */
const char *match_text_and(struct import *im, const char *a, const char *b) {
        size_t n_a = strlen(a), n_b = strlen(b);
        bool open_a = n_a && a[n_a - 1] == '*', open_b = n_b && b[n_b - 1] == '*';
        char both[256];
        size_t n;

        if (strcmp(a, "*") == 0)
                return b;
        if (strcmp(b, "*") == 0)
                return a;
        n_a -= open_a;
        n_b -= open_b;
        if (n_a >= sizeof(both) - 1 || n_b >= sizeof(both) - 1 || has_star(a, n_a) ||
            has_star(b, n_b) ||
            (strncmp(a, "0x", 2) == 0) != (strncmp(b, "0x", 2) == 0))
                return NULL;
        if ((n_a > n_b && !open_b) || (n_b > n_a && !open_a))
                return NULL;
        n = n_a > n_b ? n_a : n_b;
        for (size_t i = 0; i < n; i++) {
                char x = i < n_a ? a[i] : '?', y = i < n_b ? b[i] : '?';

                if (x != y && x != '?' && y != '?')
                        return NULL;
                both[i] = x == '?' ? y : x;
        }
        if (open_a && open_b)
                both[n++] = '*';
        return import_copy(im, both, n);
}
