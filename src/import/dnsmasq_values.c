/*
 * What values of many lines have in common: tags before them, times, MACs with stars,
 * identifiers, and how it is said that one is wrong.
 */
#include "import/dnsmasq.h"

void dnsmasq_refuse(struct dnsmasq *d, const struct line *line, size_t i,
                    const char *wanted) {
        bool is_there = i < line->n;

        import_refuse(d->im, is_there ? line->items[i].at : line->at, line->word,
                      ": expected ", wanted, is_there ? ", not '" : "",
                      is_there ? line->items[i].s : "", is_there ? "'" : "", NULL);
}

bool dnsmasq_is_plain(struct dnsmasq *d, const struct line *line, size_t n) {
        for (size_t i = 0; i < n; i++) {
                const struct item *item = &line->items[i];
                bool ok = strlen(item->s) == item->n && text_is_utf8(item->s, item->n);

                for (const char *s = item->s; *s && ok; s++)
                        ok = !((*s > 0 && *s < 0x20) || *s == 0x7f);
                if (!ok) {
                        dnsmasq_refuse(d, line, i, "plain text");
                        return false;
                }
        }
        return true;
}

const char *dnsmasq_after(const char *s, const char *prefix) {
        size_t n = strlen(prefix);

        return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

bool dnsmasq_take_tag(struct dnsmasq *d, const struct line *line, size_t i,
                      struct words *needs, struct words *nots, const char **set) {
        const char *s = line->items[i].s, *name;

        if (set && (name = dnsmasq_after(s, "set:")) != NULL)
                *set = name;
        else if ((name = dnsmasq_after(s, "tag:!")) != NULL ||
                 (name = dnsmasq_after(s, "net:#")) ||
                 (name = dnsmasq_after(s, "tag:#")))
                words_add(d->im, nots, name);
        else if ((name = dnsmasq_after(s, "tag:")) != NULL ||
                 (name = dnsmasq_after(s, "net:")))
                words_add(d->im, needs, name);
        else
                return false;
        return true;
}

/* 45m, 12h, 2d, 1w, 600, infinite */
bool dnsmasq_parse_time(const char *s, uint32_t *ret) {
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

/* 11:22:33:44:55:66, 11:22:33:*:*:*, 1-11:22:...; *ret_n is how many bytes are given,
 * 0 when it is something else or has a '*' in the middle. */
bool dnsmasq_parse_mac(const char *s, char ret[static MAC_TEXT_MAX], size_t *ret_n) {
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

const char *dnsmasq_parse_id(struct dnsmasq *d, const char *s) {
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

bool dnsmasq_is_name(const char *s) {
        if (!*s || strlen(s) > 253)
                return false;
        for (; *s; s++)
                if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
                      (*s >= '0' && *s <= '9') || strchr("-_.", *s)))
                        return false;
        return true;
}
