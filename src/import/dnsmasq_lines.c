/*
 * The lines of dnsmasq.conf: `word`, or `word=item,item`. A # begins a comment at the
 * start of a line or after a blank; in double quotes commas are letters and \ escapes.
 */
#include "import/dnsmasq.h"

struct scan {
        struct import *im;
        const char *s, *end; /* of the line */
        struct place at;
        struct line *line;
};

static void step(struct scan *scan) {
        scan->s++;
        scan->at.column++;
}

static bool is_blank(char c) {
        return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static void skip_blanks(struct scan *scan) {
        while (scan->s < scan->end && is_blank(*scan->s))
                step(scan);
}

static char unescape(char c) {
        switch (c) {
        case 't':
                return '\t';
        case 'n':
                return '\n';
        case 'b':
                return '\b';
        case 'r':
                return '\r';
        case 'e':
                return '\033';
        default:
                return c;
        }
}

static void read_quoted(struct scan *scan, struct text *text) {
        struct place start = scan->at;

        step(scan);
        while (scan->s < scan->end && *scan->s != '"') {
                bool is_escape = *scan->s == '\\' && scan->s + 1 < scan->end;

                if (is_escape)
                        step(scan);
                text_char(text, is_escape ? unescape(*scan->s) : *scan->s);
                step(scan);
        }
        if (scan->s == scan->end)
                import_refuse(scan->im, start, "expected another '\"' on this line",
                              NULL);
        else
                step(scan);
}

static bool is_comment(const struct scan *scan, bool after_blank) {
        return *scan->s == '#' && after_blank;
}

/* To the comma, the comment or the end; blanks around do not count. */
static void read_item(struct scan *scan) {
        struct text text = { 0 };
        struct item *item;
        size_t n = 0;
        bool blank = true, quoted = false;
        struct place at;

        skip_blanks(scan);
        at = scan->at;
        while (scan->s < scan->end && *scan->s != ',' && !is_comment(scan, blank)) {
                blank = is_blank(*scan->s);
                if (*scan->s == '"') {
                        quoted = true;
                        read_quoted(scan, &text);
                        n = text.n;
                } else {
                        text_char(&text, *scan->s);
                        n = blank ? n : text.n;
                        step(scan);
                }
        }
        if (scan->s < scan->end && *scan->s == '#')
                scan->end = scan->s;
        if (scan->line->n == ITEMS_MAX) {
                import_refuse(scan->im, at, "expected fewer values on this line", NULL);
        } else {
                item = &scan->line->items[scan->line->n++];
                *item = (struct item){ import_copy(scan->im, text.s, n), n, quoted,
                                       at };
        }
        text_done(&text);
}

static void read_items(struct scan *scan) {
        scan->line->n = 0;
        do {
                read_item(scan);
        } while (!scan->im->failed && scan->s < scan->end && *scan->s == ',' &&
                 (step(scan), true));
}

static bool is_word_char(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* False: the line is empty, or wrong. */
static bool read_line(struct scan *scan) {
        const char *start;

        skip_blanks(scan);
        scan->line->at = scan->at;
        scan->line->n = 0;
        if (scan->s == scan->end || *scan->s == '#')
                return false;
        start = scan->s;
        while (scan->s < scan->end && is_word_char(*scan->s))
                step(scan);
        scan->line->word = import_copy(scan->im, start, (size_t)(scan->s - start));
        skip_blanks(scan);
        if (scan->s == start)
                import_refuse(scan->im, scan->at,
                              "expected the name of an option, such as dhcp-range",
                              NULL);
        else if (scan->s == scan->end || *scan->s == '#')
                return true;
        else if (*scan->s != '=')
                import_refuse(scan->im, scan->at, "expected '=' after ",
                              scan->line->word, NULL);
        if (scan->im->failed)
                return false;
        step(scan);
        read_items(scan);
        return !scan->im->failed;
}

static void each_line(struct import *im, const struct import_text *text,
                      const char *word,
                      void (*each)(void *userdata, const struct line *line),
                      void *userdata) {
        struct line *line = import_take(im, sizeof(*line));
        const char *at = text->s, *end = text->s + text->n;
        struct place place = text->start;

        for (; line && at < end && !im->failed; place.line++) {
                const char *newline = memchr(at, '\n', (size_t)(end - at));
                struct scan scan = { im, at, newline ? newline : end, place, line };
                bool is_something;

                if (word) {
                        line->word = word;
                        line->at = place;
                        skip_blanks(&scan);
                        is_something = scan.s < scan.end && *scan.s != '#';
                        if (is_something)
                                read_items(&scan);
                } else {
                        is_something = read_line(&scan);
                }
                if (is_something && !im->failed)
                        each(userdata, line);
                at = newline ? newline + 1 : end;
        }
}

void dnsmasq_lines(struct import *im, const struct import_text *text,
                   void (*each)(void *userdata, const struct line *line),
                   void *userdata) {
        each_line(im, text, NULL, each, userdata);
}

void dnsmasq_values(struct import *im, const struct import_text *text, const char *word,
                    void (*each)(void *userdata, const struct line *line),
                    void *userdata) {
        each_line(im, text, word, each, userdata);
}
