#include "base/siphash.h"

#include "test/check.h"

/* The vectors of the authors: key 00 01 .. 0f, input 00 01 .. n-1. */
static void it_is_siphash_2_4(void **state) {
        static const struct {
                size_t n;
                uint64_t hash;
        } rows[] = { { 0, 0x726fdb47dd0e0e31ULL },
                     { 1, 0x74f839c593dc67fdULL },
                     { 8, 0x93f5f5799a932462ULL },
                     { 15, 0xa129ca6149be45e5ULL } };
        uint8_t key[SIPHASH_KEY], data[16];

        for (uint8_t i = 0; i < 16; i++)
                key[i] = data[i] = i;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                assert_true(siphash(key, data, rows[i].n) == rows[i].hash);
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(it_is_siphash_2_4) };

        return check_run("base/siphash", tests);
}
