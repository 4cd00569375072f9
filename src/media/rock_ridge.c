/*
 * The System Use Sharing Protocol is a list of entries, each two letters, its length,
 * its version (P1281 4.1). CE leads to where the list goes on; a chain of these may be
 * a circle, so they are counted.
 */
#include "media/rock_ridge.h"

#include <time.h>

#include "media/bytes.h"

enum { IS_LINK = 0120000, IS_KIND = 0170000 };

/* ---- times ---- */

static nsec_t time_of(struct tm tm, int8_t zone) {
        time_t t = timegm(&tm);

        /* ECMA-119 9.1.5: in quarters of an hour, from -48 to 52 */
        if (zone >= -48 && zone <= 52)
                t -= zone * 15 * 60;
        return t > 0 && tm.tm_year < 1000 ? (nsec_t)t * NSEC_PER_SEC : 0;
}

nsec_t rock_ridge_time(const uint8_t *p) {
        const struct tm tm = { .tm_year = p[0],
                               .tm_mon = p[1] - 1,
                               .tm_mday = p[2],
                               .tm_hour = p[3],
                               .tm_min = p[4],
                               .tm_sec = p[5] };

        return p[1] == 0 ? 0 : time_of(tm, (int8_t)p[6]);
}

static int digits(const uint8_t *p, size_t n) {
        int v = 0;

        for (size_t i = 0; i < n; i++) {
                if (p[i] < '0' || p[i] > '9')
                        return 0;
                v = v * 10 + (p[i] - '0');
        }
        return v;
}

nsec_t rock_ridge_long_time(const uint8_t *p) {
        const struct tm tm = { .tm_year = digits(p, 4) - 1900,
                               .tm_mon = digits(p + 4, 2) - 1,
                               .tm_mday = digits(p + 6, 2),
                               .tm_hour = digits(p + 8, 2),
                               .tm_min = digits(p + 10, 2),
                               .tm_sec = digits(p + 12, 2) };

        return digits(p, 4) == 0 ? 0 : time_of(tm, (int8_t)p[16]);
}

/* ---- entries ---- */

static bool is_called(const uint8_t *entry, const char *name) {
        return entry[0] == name[0] && entry[1] == name[1];
}

static void add_to(char *text, size_t *n, size_t most, const void *data, size_t n_data,
                   bool *ret_failed) {
        if (n_data > most - *n || memchr(data, '\0', n_data)) {
                *ret_failed = true;
                return;
        }
        memcpy(text + *n, data, n_data);
        *n += n_data;
        text[*n] = '\0';
}

/* P1282 4.1.4 */
static void read_name(const uint8_t *p, size_t n, struct rock_ridge *rr) {
        enum { CONTINUES = 1, CURRENT = 2, PARENT = 4 };

        if (n < 5)
                return;
        if (p[4] & (CURRENT | PARENT)) {
                rr->is_hidden = true;
                return;
        }
        if (rr->n_name > 0 && !rr->name_goes_on)
                return; /* a second name: the first counts */
        add_to(rr->name, &rr->n_name, ROCK_RIDGE_NAME_MAX, p + 5, n - 5,
               &rr->is_hidden);
        rr->name_goes_on = p[4] & CONTINUES;
}

static void add_link(struct rock_ridge *rr, const void *data, size_t n) {
        add_to(rr->link, &rr->n_link, ROCK_RIDGE_LINK_MAX, data, n, &rr->is_hidden);
}

/* P1282 4.1.3.1: components of a path */
static void read_component(const uint8_t *p, size_t n, struct rock_ridge *rr) {
        enum { CONTINUES = 1, CURRENT = 2, PARENT = 4, ROOT = 8 };

        if (rr->n_link > 0 && !rr->component_goes_on && rr->link[rr->n_link - 1] != '/')
                add_link(rr, "/", 1);
        rr->component_goes_on = p[0] & CONTINUES;
        if (p[0] & ROOT)
                add_link(rr, "/", 1);
        else if (p[0] & CURRENT)
                add_link(rr, ".", 1);
        else if (p[0] & PARENT)
                add_link(rr, "..", 2);
        else
                add_link(rr, p + 2, n);
}

static void read_link(const uint8_t *p, size_t n, struct rock_ridge *rr) {
        rr->is_link = true;
        if (n < 5 || (rr->n_link > 0 && !rr->link_goes_on))
                return;
        rr->link_goes_on = p[4] & 1;
        for (p += 5, n -= 5; n >= 2;) {
                size_t length = p[1];

                if (length > n - 2) {
                        rr->is_hidden = true;
                        return;
                }
                read_component(p, length, rr);
                p += 2 + length;
                n -= 2 + length;
        }
}

/* P1282 4.1.6: which times there are, in the order of their bits */
static void read_times(const uint8_t *p, size_t n, struct rock_ridge *rr) {
        enum { CREATED = 1, MODIFIED = 2, LONG = 0x80 };
        size_t each, at;

        if (n < 5)
                return;
        each = p[4] & LONG ? 17 : 7;
        at = 5 + (p[4] & CREATED ? each : 0);
        if (p[4] & MODIFIED && at + each <= n)
                rr->mtime = p[4] & LONG ? rock_ridge_long_time(p + at)
                                        : rock_ridge_time(p + at);
}

static void read_entry(const uint8_t *p, size_t n, struct rock_ridge *rr) {
        if (is_called(p, "NM")) {
                read_name(p, n, rr);
        } else if (is_called(p, "SL")) {
                read_link(p, n, rr);
        } else if (is_called(p, "TF")) {
                read_times(p, n, rr);
        } else if (is_called(p, "PX") && n >= 8) { /* P1282 4.1.1 */
                rr->mode = le32(p + 4);
                rr->has_mode = true;
                rr->is_link |= (rr->mode & IS_KIND) == IS_LINK;
        } else if (is_called(p, "CL") && n >= 8) { /* P1282 4.1.5.1 */
                rr->child = le32(p + 4);
        } else if (is_called(p, "RE")) {
                rr->is_moved = true;
        } else if (is_called(p, "ZF")) { /* the kernel's own: zisofs */
                rr->is_compressed = true;
        } else if (is_called(p, "SF")) { /* P1282 4.1.7 */
                rr->is_sparse = true;
        } else if (!is_called(p, "RR")) {
                return;
        }
        rr->is_there = true;
}

struct continuation {
        uint32_t block, offset, n;
};

/* One area; *ret is where it goes on, n 0 when it does not. */
static void read_area(const uint8_t *p, size_t n, struct rock_ridge *rr,
                      struct continuation *ret) {
        ret->n = 0;
        while (n >= 4) {
                size_t length = p[2];

                if (length < 4 || length > n || is_called(p, "ST"))
                        return;
                /* P1281 5.1: it may stand anywhere; what is behind it comes first. */
                if (is_called(p, "CE") && length >= 28)
                        *ret = (struct continuation){ le32(p + 4), le32(p + 12),
                                                      le32(p + 20) };
                else
                        read_entry(p, length, rr);
                p += length;
                n -= length;
        }
}

void rock_ridge_parse(const uint8_t *area, size_t n, rock_ridge_more_fn more,
                      void *userdata, struct rock_ridge *ret) {
        struct continuation next;

        /* The texts are terminated, not cleared: this is run for every file. */
        memset(ret, 0, offsetof(struct rock_ridge, link));
        memset((uint8_t *)ret + offsetof(struct rock_ridge, n_name), 0,
               sizeof(*ret) - offsetof(struct rock_ridge, n_name));
        ret->link[0] = '\0';
        read_area(area, n, ret, &next);
        for (unsigned i = 0; next.n > 0 && i < ROCK_RIDGE_CONTINUATIONS_MAX; i++) {
                if (next.n > ROCK_RIDGE_CONTINUATION_BYTES_MAX ||
                    !more(next.block, next.offset, next.n, &area, userdata))
                        return;
                read_area(area, next.n, ret, &next);
        }
}

int rock_ridge_skip(const uint8_t *area, size_t n) {
        /* In images for CD-ROM XA, 14 bytes of that come first. */
        for (size_t at = 0; at <= 14 && at + 7 <= n; at += 14)
                if (is_called(area + at, "SP") && area[at + 2] >= 7 &&
                    area[at + 4] == 0xbe && area[at + 5] == 0xef)
                        return area[at + 6];
        return -1;
}
