#pragma once
/*
 * Other servers' lease files, read into our records: ISC dhcpd's dhcpd.leases, Kea's
 * CSV of its memfile backend, dnsmasq's leases. Later entries of an address replace
 * earlier ones there and here: each is told as it comes. Pure.
 */
#include "lease/lease.h"

enum leasefile_format {
        LEASEFILE_UNKNOWN,
        LEASEFILE_ISC,
        LEASEFILE_KEA,
        LEASEFILE_DNSMASQ,
        LEASEFILE_N_FORMATS,
};
const char *leasefile_format_name(enum leasefile_format format); /* "isc" */
MUST_USE bool leasefile_format_parse(const char *name, enum leasefile_format *ret);
/* By what stands at the beginning. */
enum leasefile_format leasefile_recognise(const char *text, size_t n);

struct leasefile_reader {
        /* A lease; `subnet` is 0. Without an end by then it is bound. */
        void (*lease)(const struct lease_record *lease, size_t line, void *userdata);
        /* A line, from 1, that is not understood, and why. The rest is read. */
        void (*problem)(size_t line, const char *why, void *userdata);
        void *userdata;
};

/* Leases that are free, for IPv6, or of no Ethernet card are passed over. */
void leasefile_read(enum leasefile_format format, const char *text, size_t n,
                    const struct leasefile_reader *reader);
