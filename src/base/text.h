#pragma once
/*
 * Text under construction: a growable string with a sticky failure, and the few
 * ways in which a stranger's bytes may be put into it. A renderer of any language
 * (JSON, a terminal, a menu) escapes here or in its own file, never at the call.
 *
 * Out of memory is sticky: the text stays as it was and `failed` is set; look once,
 * at the end. Caller owns; text_done() frees.
 */
#include "base/addr.h"
#include "base/cursor.h"

struct text {
        char *s; /* always terminated once anything was added; NULL before */
        size_t n, room;
        bool failed;
};

void text_done(struct text *t);
/* The string so far, "" when empty; valid until the next call. */
const char *text_string(const struct text *t);

/* Room for n more: what is about to be added piece by piece is moved once. */
void text_reserve(struct text *t, size_t n);
/* The lengths of most pieces are known to the compiler. */
static inline void text_bytes(struct text *t, const void *s, size_t n) {
        if (t->n + n + 1 > t->room)
                text_reserve(t, n);
        if (t->failed)
                return;
        if (n)
                memcpy(t->s + t->n, s, n);
        t->n += n;
        t->s[t->n] = '\0';
}
static inline void text_char(struct text *t, char c) {
        text_bytes(t, &c, 1);
}
static inline void text_add(struct text *t, const char *s) {
        text_bytes(t, s, strlen(s));
}
void text_u64(struct text *t, uint64_t v);
void text_u64_padded(struct text *t, uint64_t v, unsigned width); /* leading zeros */
void text_ip4(struct text *t, ip4_t a);
void text_mac(struct text *t, struct mac m);
void text_size(struct text *t, uint64_t bytes); /* "512 B", "34.2 MiB" */

/* For a terminal or a log: control characters, DEL and bytes that are not valid
 * UTF-8 become \xNN, so that no stranger moves a cursor or forges a line. */
void text_printable(struct text *t, const char *s, size_t n);

/* RFC 3629: no overlong forms, no surrogates, nothing past U+10FFFF. */
bool text_is_utf8(const char *s, size_t n);

/* JSON, one value at a time. text_json_string() quotes and escapes; bytes that are
 * not UTF-8 become U+FFFD. text_json_key() adds `"key":`, with a comma before it
 * unless it follows an opening brace; text_json_next() adds that comma alone. */
void text_json_string(struct text *t, const char *s, size_t n);
void text_json_key(struct text *t, const char *key);
void text_json_next(struct text *t);
void text_json_pair(struct text *t, const char *key,
                    const char *value); /* NULL: null */
void text_json_pair_u64(struct text *t, const char *key, uint64_t value);
void text_json_pair_bool(struct text *t, const char *key, bool value);

/* Edit distance with a cap, for "did you mean": the best of `words` (NULL ends
 * them) at no more than a third of its length away, or NULL. */
const char *text_nearest(const char *word, const char *const *words);
