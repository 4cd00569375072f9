/*
 * SMBIOS 3.6, 7.18 (type 17, offset 0Ch): little-endian; 0 is an empty socket, FFFFh an
 * unknown size, bit 15 says that the unit is KiB rather than MiB, and 7FFFh that the
 * size is 32 GiB less a MiB or more and stands elsewhere. What stands there would
 * change no decision of ours.
 */
#include "policy/memory.h"

enum { EMPTY = 0, UNKNOWN = 0xffff, IN_KIB = 0x8000 };

static int hex_value(char c) {
        return c >= '0' && c <= '9'   ? c - '0'
               : c >= 'a' && c <= 'f' ? c - 'a' + 10
               : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                      : -1;
}

static bool add_module(const char *s, size_t n, uint64_t *sum) {
        uint32_t size = 0;

        if (n == 0)
                return true;
        if (n != 4)
                return false;
        for (size_t i = 0; i < n; i++) {
                int v = hex_value(s[i]);

                if (v < 0)
                        return false;
                size = size << 4 | (uint32_t)v;
        }
        size = (size & 0xff) << 8 | size >> 8;
        if (size != EMPTY && size != UNKNOWN)
                *sum += size & IN_KIB ? (uint64_t)(size - IN_KIB) << 10
                                      : (uint64_t)size << 20;
        return true;
}

bool memory_parse(const char *s, size_t n, uint64_t *ret) {
        uint64_t sum = 0;

        for (unsigned i = 0; i < MEMORY_SLOTS; i++) {
                const char *dot = memchr(s, '.', n);
                size_t n_this = dot ? (size_t)(dot - s) : n;

                if (!add_module(s, n_this, &sum))
                        return false;
                if (!dot) {
                        *ret = sum;
                        return true;
                }
                s += n_this + 1;
                n -= n_this + 1;
        }
        return false;
}
