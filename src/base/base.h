#pragma once
/*
 * What every file may rely on: integers of the wire, time, addresses, and the
 * attributes that make ownership visible. Pure: no I/O, no clock, no globals.
 *
 * Errors everywhere: 0 is success; negative (-errno) is our bug or the machine's
 * trouble and goes up unchanged; positive is an answer from the module's own enum
 * and belongs to the direct caller. Outputs are `ret`, last, untouched on failure.
 */
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint64_t nsec_t; /* nanoseconds: a duration, or a point on the caller's clock */
#define NSEC_NEVER    UINT64_MAX
#define NSEC_PER_USEC ((nsec_t)1000)
#define NSEC_PER_MSEC ((nsec_t)1000000)
#define NSEC_PER_SEC  ((nsec_t)1000000000)

typedef uint32_t ip4_t; /* an IPv4 address in host byte order; 0 is none */

#define MUST_USE     __attribute__((warn_unused_result))
#define PRINTF(f, a) __attribute__((format(printf, f, a)))
#define CLEANUP(f)   __attribute__((cleanup(f)))

/* Hands a pointer over: the variable is NULL afterwards, so CLEANUP does nothing. */
#define TAKE(p)                                                                        \
        ({                                                                             \
                __typeof__(p) take_ = (p);                                             \
                (p) = NULL;                                                            \
                take_;                                                                 \
        })

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(p, type, member)                                                  \
        ((type *)(void *)((char *)(p)-offsetof(type, member)))

static inline uint64_t min_u64(uint64_t a, uint64_t b) {
        return a < b ? a : b;
}
static inline uint64_t max_u64(uint64_t a, uint64_t b) {
        return a > b ? a : b;
}
static inline size_t min_size(size_t a, size_t b) {
        return a < b ? a : b;
}

static inline uint16_t load_be16(const uint8_t *p) {
        return (uint16_t)(p[0] << 8 | p[1]);
}
static inline uint32_t load_be32(const uint8_t *p) {
        return (uint32_t)load_be16(p) << 16 | load_be16(p + 2);
}
static inline uint64_t load_be64(const uint8_t *p) {
        return (uint64_t)load_be32(p) << 32 | load_be32(p + 4);
}
static inline void store_be16(uint8_t *p, uint16_t v) {
        p[0] = (uint8_t)(v >> 8);
        p[1] = (uint8_t)v;
}
static inline void store_be32(uint8_t *p, uint32_t v) {
        store_be16(p, (uint16_t)(v >> 16));
        store_be16(p + 2, (uint16_t)v);
}
static inline void store_be64(uint8_t *p, uint64_t v) {
        store_be32(p, (uint32_t)(v >> 32));
        store_be32(p + 4, (uint32_t)v);
}
