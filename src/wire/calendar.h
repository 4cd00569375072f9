#pragma once
/* Seconds since 1970 and the date that they are in, UTC, by the Gregorian calendar.
 * Pure.
 */
#include "base/base.h"

struct calendar {
        uint64_t year, month, day, hour, minute, second; /* month, day from 1 */
};

struct calendar calendar_of(uint64_t seconds);
/* The date has to be one. */
uint64_t calendar_seconds(const struct calendar *date);
