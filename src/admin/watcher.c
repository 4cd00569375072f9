/*
 * Which events one reader sees, and how.
 */
#include "admin/watcher.h"

enum { FOLLOW_BEGINS_WITH = 10, WORD_MAX = 64 };

static bool matches(const struct watcher *w, const struct event *e) {
        return (w->is_all || event_level(e->kind) >= EVENT_INFO) &&
               (mac_is_zero(w->mac) || mac_is_equal(w->mac, e->mac)) &&
               (w->story == 0 || w->story == e->story);
}

static bool get(const struct watcher *w, const struct ring *ring, uint64_t number,
                struct event *ret) {
        size_t n = 0;
        const void *packed = ring_get(ring, number, &n);

        return packed && event_unpack(packed, n, ret) && matches(w, ret);
}

/* The number at which the last `n` that match begin. */
static uint64_t begin_of_last(const struct watcher *w, const struct ring *ring,
                              uint64_t n) {
        uint64_t at = ring_next(ring);

        while (n > 0 && at > ring_first(ring)) {
                struct event e;

                n -= get(w, ring, --at, &e);
        }
        return at;
}

/* Digits only, and not so many that they overflow. */
static bool number_parse(const char *s, uint64_t *ret) {
        uint64_t value = 0;

        if (!*s || strlen(s) > 18)
                return false;
        for (; *s; s++) {
                if (*s < '0' || *s > '9')
                        return false;
                value = value * 10 + (uint64_t)(*s - '0');
        }
        *ret = value;
        return true;
}

static bool zone_parse(const char *s, long *ret) {
        uint64_t seconds;
        bool is_west = *s == '-';

        if (!number_parse(s + is_west, &seconds) || seconds > 86400)
                return false;
        *ret = is_west ? -(long)seconds : (long)seconds;
        return true;
}

/* `word` is one argument, terminated. */
static bool take_word(struct watcher *w, const char *word, bool *follow, uint64_t *n) {
        if (strcmp(word, "follow") == 0)
                return *follow = true;
        if (strcmp(word, "json") == 0)
                return w->is_json = true;
        if (strcmp(word, "all") == 0)
                return w->is_all = true;
        if (strncmp(word, "n=", 2) == 0)
                return number_parse(word + 2, n);
        if (strncmp(word, "mac=", 4) == 0)
                return mac_parse(word + 4, &w->mac);
        if (strncmp(word, "story=", 6) == 0)
                return number_parse(word + 6, &w->story);
        if (strncmp(word, "zone=", 5) == 0)
                return zone_parse(word + 5, &w->zone);
        return false;
}

bool watcher_init(struct watcher *ret, const struct ring *ring, const char *arguments,
                  struct text *why) {
        struct watcher w = { 0 };
        bool follow = false;
        uint64_t n = UINT64_MAX;

        for (const char *at = arguments; *at; at += strspn(at, " ")) {
                char word[WORD_MAX];
                size_t length = strcspn(at, " ");

                if (length > 0 && length < sizeof(word)) {
                        memcpy(word, at, length);
                        word[length] = '\0';
                }
                if (length >= sizeof(word) ||
                    (length > 0 && !take_word(&w, word, &follow, &n))) {
                        text_add(why, "events: not understood: ");
                        text_printable(why, at, min_size(length, WORD_MAX));
                        return false;
                }
                at += length;
        }
        if (follow && n == UINT64_MAX)
                n = FOLLOW_BEGINS_WITH;
        w.next = begin_of_last(&w, ring, n);
        w.until = follow ? UINT64_MAX : ring_next(ring);
        *ret = w;
        return true;
}

enum watcher_answer watcher_next(struct watcher *w, const struct ring *ring,
                                 struct text *line, uint64_t *ret_n_lost) {
        if (w->next < ring_first(ring)) {
                *ret_n_lost = ring_first(ring) - w->next;
                return WATCHER_LOST;
        }
        while (w->next < w->until && w->next < ring_next(ring)) {
                struct event e;

                if (!get(w, ring, w->next++, &e))
                        continue;
                if (w->is_json)
                        event_json(&e, line);
                else
                        event_line(&e, w->zone, line);
                return WATCHER_LINE;
        }
        return w->next >= w->until ? WATCHER_END : WATCHER_WAIT;
}
