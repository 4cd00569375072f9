/*
 * Growable text and its escapes. UTF-8 is checked once, in utf8_length(), against
 * overlong forms, surrogates and values past U+10FFFF (RFC 3629 3).
 */
#include "base/text.h"

#include <stdlib.h>

enum { NEAREST_WORD_MAX = 64 };

static const char hex_digits[] = "0123456789abcdef";

void text_done(struct text *t) {
        free(t->s);
        *t = (struct text){ 0 };
}

const char *text_string(const struct text *t) {
        return t->s ? t->s : "";
}

void text_reserve(struct text *t, size_t n) {
        size_t room = (t->n + n + 1) * 2;
        char *grown;

        if (t->failed || t->n + n + 1 <= t->room)
                return;
        grown = realloc(t->s, room);
        if (!grown) {
                t->failed = true;
                return;
        }
        grown[t->n] = '\0';
        t->s = grown;
        t->room = room;
}

void text_u64_padded(struct text *t, uint64_t v, unsigned width) {
        char digits[20];
        size_t at = sizeof(digits);

        do {
                digits[--at] = (char)('0' + v % 10);
                v /= 10;
        } while (v);
        while (sizeof(digits) - at < width && at > 0)
                digits[--at] = '0';
        text_bytes(t, digits + at, sizeof(digits) - at);
}

void text_u64(struct text *t, uint64_t v) {
        text_u64_padded(t, v, 1);
}

void text_ip4(struct text *t, ip4_t a) {
        char buf[IP4_TEXT_MAX];
        text_add(t, ip4_format(a, buf));
}

void text_mac(struct text *t, struct mac m) {
        char buf[MAC_TEXT_MAX];
        text_add(t, mac_format(m, buf));
}

void text_size(struct text *t, uint64_t bytes) {
        static const char *const units[] = { "B",   "KiB", "MiB", "GiB",
                                             "TiB", "PiB", "EiB" };
        uint64_t tenths = 0;
        size_t unit = 0;

        while (bytes >= 1024 && unit + 1 < ARRAY_SIZE(units)) {
                tenths = bytes % 1024 * 10 / 1024;
                bytes /= 1024;
                unit++;
        }
        text_u64(t, bytes);
        if (unit > 0) {
                text_char(t, '.');
                text_u64(t, tenths);
        }
        text_char(t, ' ');
        text_add(t, units[unit]);
}

/* The length of the valid UTF-8 sequence at s, or 0. */
static size_t utf8_length(const uint8_t *s, size_t n) {
        static const struct {
                uint8_t first, last, second_min, second_max, length;
        } rows[] = {
                { 0x00, 0x7f, 0, 0, 1 },       { 0xc2, 0xdf, 0x80, 0xbf, 2 },
                { 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
                { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
                { 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
                { 0xf4, 0xf4, 0x80, 0x8f, 4 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                if (s[0] < rows[i].first || s[0] > rows[i].last)
                        continue;
                if (rows[i].length > n)
                        return 0;
                if (rows[i].length > 1 &&
                    (s[1] < rows[i].second_min || s[1] > rows[i].second_max))
                        return 0;
                for (size_t k = 2; k < rows[i].length; k++)
                        if ((s[k] & 0xc0) != 0x80)
                                return 0;
                return rows[i].length;
        }
        return 0;
}

bool text_is_utf8(const char *s, size_t n) {
        for (size_t at = 0, length; at < n; at += length) {
                length = utf8_length((const uint8_t *)s + at, n - at);
                if (length == 0)
                        return false;
        }
        return true;
}

/* U+0080 to U+009F are controls too: some terminals obey them. */
static bool is_control(const uint8_t *s, size_t length) {
        if (length == 1)
                return s[0] < 0x20 || s[0] == 0x7f;
        return length == 2 && s[0] == 0xc2 && s[1] < 0xa0;
}

void text_printable(struct text *t, const char *s, size_t n) {
        const uint8_t *p = (const uint8_t *)s;

        for (size_t at = 0; at < n;) {
                size_t length = utf8_length(p + at, n - at);

                if (length && !is_control(p + at, length)) {
                        text_bytes(t, p + at, length);
                        at += length;
                        continue;
                }
                text_add(t, "\\x");
                text_char(t, hex_digits[p[at] >> 4]);
                text_char(t, hex_digits[p[at] & 15]);
                at++;
        }
}

static void json_escape(struct text *t, uint8_t c) {
        switch (c) {
        case '"':
                text_add(t, "\\\"");
                break;
        case '\\':
                text_add(t, "\\\\");
                break;
        case '\n':
                text_add(t, "\\n");
                break;
        case '\t':
                text_add(t, "\\t");
                break;
        default:
                text_add(t, "\\u00");
                text_char(t, hex_digits[c >> 4]);
                text_char(t, hex_digits[c & 15]);
        }
}

void text_json_string(struct text *t, const char *s, size_t n) {
        const uint8_t *p = (const uint8_t *)s;

        text_char(t, '"');
        for (size_t at = 0; at < n;) {
                size_t length = utf8_length(p + at, n - at);

                if (length == 0) {
                        text_add(t, "\xef\xbf\xbd");
                        at++;
                        continue;
                }
                if (p[at] == '"' || p[at] == '\\' || is_control(p + at, length))
                        json_escape(t, p[at + length - 1]);
                else
                        text_bytes(t, p + at, length);
                at += length;
        }
        text_char(t, '"');
}

void text_json_next(struct text *t) {
        char last = t->n ? t->s[t->n - 1] : '\0';

        if (last && last != '{' && last != '[' && last != ',' && last != ':')
                text_char(t, ',');
}

void text_json_key(struct text *t, const char *key) {
        text_json_next(t);
        text_json_string(t, key, strlen(key));
        text_char(t, ':');
}

void text_json_pair(struct text *t, const char *key, const char *value) {
        text_json_key(t, key);
        if (value)
                text_json_string(t, value, strlen(value));
        else
                text_add(t, "null");
}

void text_json_pair_u64(struct text *t, const char *key, uint64_t value) {
        text_json_key(t, key);
        text_u64(t, value);
}

void text_json_pair_bool(struct text *t, const char *key, bool value) {
        text_json_key(t, key);
        text_add(t, value ? "true" : "false");
}

static size_t edit_distance(const char *a, size_t n_a, const char *b, size_t n_b) {
        uint8_t row[NEAREST_WORD_MAX + 1];

        for (size_t j = 0; j <= n_b; j++)
                row[j] = (uint8_t)j;
        for (size_t i = 1; i <= n_a; i++) {
                uint8_t diagonal = row[0];

                row[0] = (uint8_t)i;
                for (size_t j = 1; j <= n_b; j++) {
                        uint64_t best = diagonal + (uint64_t)(a[i - 1] != b[j - 1]);

                        best = min_u64(best, (uint64_t)row[j] + 1);
                        best = min_u64(best, (uint64_t)row[j - 1] + 1);
                        diagonal = row[j];
                        row[j] = (uint8_t)best;
                }
        }
        return row[n_b];
}

const char *text_nearest(const char *word, const char *const *words) {
        const char *best = NULL;
        size_t best_distance = SIZE_MAX, n = strlen(word);

        if (n > NEAREST_WORD_MAX)
                return NULL;
        for (; *words; words++) {
                size_t n_candidate = strlen(*words), distance;

                if (n_candidate > NEAREST_WORD_MAX)
                        continue;
                distance = edit_distance(word, n, *words, n_candidate);
                if (distance < best_distance && distance <= (n_candidate + 2) / 3) {
                        best = *words;
                        best_distance = distance;
                }
        }
        return best;
}
