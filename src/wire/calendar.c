/*
 * Days are counted from 1 March 0000 in eras of 400 years, so that the leap day is the
 * last of its year and no table of months is needed.
 */
#include "wire/calendar.h"

uint64_t calendar_seconds(const struct calendar *d) {
        uint64_t year = d->month <= 2 ? d->year - 1 : d->year;
        uint64_t shifted = d->month > 2 ? d->month - 3 : d->month + 9;
        uint64_t in_year = (153 * shifted + 2) / 5 + d->day - 1, in_era = year % 400;
        uint64_t day = year / 400 * 146097 + in_era * 365 + in_era / 4 - in_era / 100 +
                       in_year - 719468;

        return ((day * 24 + d->hour) * 60 + d->minute) * 60 + d->second;
}

struct calendar calendar_of(uint64_t seconds) {
        uint64_t z = seconds / 86400 + 719468, in_era = z % 146097;
        uint64_t year =
                (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
        uint64_t in_year = in_era - (365 * year + year / 4 - year / 100);
        uint64_t shifted = (5 * in_year + 2) / 153;
        uint64_t month = shifted < 10 ? shifted + 3 : shifted - 9;

        return (struct calendar){ .year = year + z / 146097 * 400 + (month <= 2),
                                  .month = month,
                                  .day = in_year - (153 * shifted + 2) / 5 + 1,
                                  .hour = seconds / 3600 % 24,
                                  .minute = seconds / 60 % 60,
                                  .second = seconds % 60 };
}
