/*
 * HTTP dates both ways. Days are counted from 1 March 0000 in eras of 400 years, so
 * that the leap day is the last of its year and no table of months is needed.
 */
#include "wire/http_date.h"

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char days[] = "ThuFriSatSunMonTueWed"; /* 1970 began on a Thursday */

struct date {
        uint64_t year, month, day, hour, minute, second; /* month, day from 1 */
};

static uint64_t seconds_of(const struct date *d) {
        uint64_t year = d->month <= 2 ? d->year - 1 : d->year;
        uint64_t shifted = d->month > 2 ? d->month - 3 : d->month + 9;
        uint64_t in_year = (153 * shifted + 2) / 5 + d->day - 1, in_era = year % 400;
        uint64_t day = year / 400 * 146097 + in_era * 365 + in_era / 4 - in_era / 100 +
                       in_year - 719468;

        return ((day * 24 + d->hour) * 60 + d->minute) * 60 + d->second;
}

static struct date date_of(uint64_t seconds) {
        uint64_t z = seconds / 86400 + 719468, in_era = z % 146097;
        uint64_t year =
                (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
        uint64_t in_year = in_era - (365 * year + year / 4 - year / 100);
        uint64_t shifted = (5 * in_year + 2) / 153;
        uint64_t month = shifted < 10 ? shifted + 3 : shifted - 9;

        return (struct date){ .year = year + z / 146097 * 400 + (month <= 2),
                              .month = month,
                              .day = in_year - (153 * shifted + 2) / 5 + 1,
                              .hour = seconds / 3600 % 24,
                              .minute = seconds / 60 % 60,
                              .second = seconds % 60 };
}

static void add_clock(struct text *out, const struct date *d) {
        text_u64_padded(out, d->hour, 2);
        text_char(out, ':');
        text_u64_padded(out, d->minute, 2);
        text_char(out, ':');
        text_u64_padded(out, d->second, 2);
}

void http_date_build(uint64_t seconds, struct text *out) {
        struct date d = date_of(seconds);

        text_bytes(out, days + seconds / 86400 % 7 * 3, 3);
        text_add(out, ", ");
        text_u64_padded(out, d.day, 2);
        text_char(out, ' ');
        text_bytes(out, months + (d.month - 1) * 3, 3);
        text_char(out, ' ');
        text_u64_padded(out, d.year, 4);
        text_char(out, ' ');
        add_clock(out, &d);
        text_add(out, " GMT");
}

void http_date_log(uint64_t seconds, struct text *out) {
        struct date d = date_of(seconds);

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

static void take_clock(struct reader *r, struct date *d) {
        d->hour = take_digits(r, 2);
        take(r, ":");
        d->minute = take_digits(r, 2);
        take(r, ":");
        d->second = take_digits(r, 2);
}

/* "Sun, 06 Nov 1994 08:49:37 GMT": the form of today. */
static struct date take_fixdate(struct reader *r) {
        struct date d = { 0 };

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
static struct date take_rfc850(struct reader *r, uint64_t now) {
        uint64_t year_now = date_of(now).year;
        struct date d = { 0 };

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
static struct date take_asctime(struct reader *r) {
        struct date d = { 0 };

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
        struct date d;

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
        *ret = seconds_of(&d);
        return true;
}
