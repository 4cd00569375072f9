/* HTTP dates both ways. */
#include "wire/http_date.h"

#include "wire/calendar.h"

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char days[] = "ThuFriSatSunMonTueWed"; /* 1970 began on a Thursday */

static void add_clock(struct text *out, const struct calendar *d) {
        text_u64_padded(out, d->hour, 2);
        text_char(out, ':');
        text_u64_padded(out, d->minute, 2);
        text_char(out, ':');
        text_u64_padded(out, d->second, 2);
}

static char *put_two(char *out, uint64_t v) {
        *out++ = (char)('0' + v / 10 % 10);
        *out++ = (char)('0' + v % 10);
        return out;
}

/* Two in every answer: put together by hand. */
void http_date_build(uint64_t seconds, struct text *out) {
        struct calendar d = calendar_of(seconds);
        char text[] = "Thu, 01 Jan 1970 00:00:00 GMT";

        memcpy(text, days + seconds / 86400 % 7 * 3, 3);
        put_two(text + 5, d.day);
        memcpy(text + 8, months + (d.month - 1) * 3, 3);
        put_two(put_two(text + 12, d.year / 100), d.year);
        put_two(text + 17, d.hour);
        put_two(text + 20, d.minute);
        put_two(text + 23, d.second);
        text_bytes(out, text, sizeof(text) - 1);
}

void http_date_log(uint64_t seconds, struct text *out) {
        struct calendar d = calendar_of(seconds);

        text_u64_padded(out, d.day, 2);
        text_char(out, '/');
        text_bytes(out, months + (d.month - 1) * 3, 3);
        text_char(out, '/');
        text_u64_padded(out, d.year, 4);
        text_char(out, ':');
        add_clock(out, &d);
        text_add(out, " +0000");
}

static void take(struct reader *r, const char *text) {
        struct span s = reader_span(r, strlen(text));

        if (!r->failed && memcmp(s.data, text, s.n) != 0)
                r->failed = true;
}

static uint64_t take_digits(struct reader *r, size_t n) {
        struct span s = reader_span(r, n);
        uint64_t v = 0;

        for (size_t i = 0; i < s.n; i++) {
                if (s.data[i] < '0' || s.data[i] > '9')
                        r->failed = true;
                v = v * 10 + (s.data[i] - (unsigned)'0');
        }
        return v;
}

static uint64_t take_month(struct reader *r) {
        struct span s = reader_span(r, 3);

        for (uint64_t i = 0; s.n && i < 12; i++)
                if (memcmp(s.data, months + i * 3, 3) == 0)
                        return i + 1;
        r->failed = true;
        return 1;
}

static void take_clock(struct reader *r, struct calendar *d) {
        d->hour = take_digits(r, 2);
        take(r, ":");
        d->minute = take_digits(r, 2);
        take(r, ":");
        d->second = take_digits(r, 2);
}

/* "Sun, 06 Nov 1994 08:49:37 GMT": the form of today. */
static struct calendar take_fixdate(struct reader *r) {
        struct calendar d = { 0 };

        (void)reader_span(r, 3);
        take(r, ", ");
        d.day = take_digits(r, 2);
        take(r, " ");
        d.month = take_month(r);
        take(r, " ");
        d.year = take_digits(r, 4);
        take(r, " ");
        take_clock(r, &d);
        take(r, " GMT");
        return d;
}

/* "Sunday, 06-Nov-94 08:49:37 GMT": RFC 850. */
static struct calendar take_rfc850(struct reader *r, uint64_t now) {
        uint64_t year_now = calendar_of(now).year;
        struct calendar d = { 0 };

        while (reader_left(r) && r->data[r->at] != ',')
                r->at++;
        take(r, ", ");
        d.day = take_digits(r, 2);
        take(r, "-");
        d.month = take_month(r);
        take(r, "-");
        d.year = year_now - year_now % 100 + take_digits(r, 2);
        if (d.year > year_now + 50)
                d.year -= 100;
        take(r, " ");
        take_clock(r, &d);
        take(r, " GMT");
        return d;
}

/* "Sun Nov  6 08:49:37 1994": C's asctime(). */
static struct calendar take_asctime(struct reader *r) {
        struct calendar d = { 0 };

        (void)reader_span(r, 3);
        take(r, " ");
        d.month = take_month(r);
        take(r, " ");
        if (reader_left(r) && r->data[r->at] == ' ') {
                take(r, " ");
                d.day = take_digits(r, 1);
        } else {
                d.day = take_digits(r, 2);
        }
        take(r, " ");
        take_clock(r, &d);
        take(r, " ");
        d.year = take_digits(r, 4);
        return d;
}

bool http_date_parse(struct span value, uint64_t now, uint64_t *ret) {
        struct reader r = reader_of(value.data, value.n);
        struct calendar d;

        if (value.n > 3 && value.data[3] == ',')
                d = take_fixdate(&r);
        else if (value.n > 3 && value.data[3] == ' ')
                d = take_asctime(&r);
        else
                d = take_rfc850(&r, now);
        /* 60 is a leap second. */
        if (r.failed || r.at != r.n || d.year < 1970 || d.day < 1 || d.day > 31 ||
            d.hour > 23 || d.minute > 59 || d.second > 60)
                return false;
        *ret = calendar_seconds(&d);
        return true;
}
