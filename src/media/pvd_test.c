/* Volume descriptors, made by hand: what is taken, what is refused and how it is said.
 */
#include "media/pvd.h"

#include <stdlib.h>

#include "test/check.h"

enum { SECTORS = 3 };

static void store_both32(uint8_t *p, uint32_t v) {
        for (unsigned i = 0; i < 4; i++)
                p[i] = (uint8_t)(v >> (8 * i));
        store_be32(p + 4, v);
}

/* A boot record, a primary descriptor of 100 blocks, and the terminator. */
static void make(uint8_t data[static SECTORS * PVD_SECTOR]) {
        static const uint8_t kinds[SECTORS] = { 0, 1, 255 };
        uint8_t *primary = data + PVD_SECTOR;

        memset(data, 0, SECTORS * PVD_SECTOR);
        for (unsigned i = 0; i < SECTORS; i++) {
                uint8_t *sector = data + i * PVD_SECTOR;

                sector[0] = kinds[i];
                memcpy(sector + 1, "CD001\1", 6);
        }
        memcpy(primary + 40, "DEBIAN 12\x1b                       ", 32);
        store_both32(primary + 80, 100);
        primary[129] = 8;
        primary[130] = 8;
}

struct patch {
        size_t at;
        uint8_t value;
};

static const struct {
        const char *name;
        struct patch patch[2];
        size_t n;        /* of the data; 0: all */
        uint64_t n_file; /* 0: as large as it says */
        enum pvd_verdict verdict;
        const char *why;
} rows[] = {
        { "whole", { { 0 } }, 0, 0, PVD_OK, "" },
        { "longer than it says", { { 0 } }, 0, 999999, PVD_OK, "" },
        { "one byte short",
          { { 0 } },
          0,
          204799,
          PVD_TRUNCATED,
          "truncated: 204799 of 204800 bytes" },
        { "empty",
          { { 0 } },
          1,
          0,
          PVD_NOT_ISO,
          "not an ISO image: too short to hold a "
          "volume descriptor" },
        { "the data ends before the primary one",
          { { 0 } },
          PVD_SECTOR + 100,
          0,
          PVD_NOT_ISO,
          "not an ISO image: no volume descriptor at sector 16" },
        { "another word",
          { { 1, 'X' } },
          0,
          0,
          PVD_NOT_ISO,
          "not an ISO image: no volume descriptor at sector 16" },
        { "a terminator first",
          { { 0, 255 } },
          0,
          0,
          PVD_NOT_ISO,
          "not an ISO image: no volume descriptor at sector 16" },
        { "two sizes that differ",
          { { PVD_SECTOR + 80, 101 } },
          0,
          0,
          PVD_DAMAGED,
          "damaged: the volume descriptor contradicts itself" },
        { "two block sizes that differ",
          { { PVD_SECTOR + 129, 4 } },
          0,
          0,
          PVD_DAMAGED,
          "damaged: the volume descriptor contradicts itself" },
        { "blocks of 1024 bytes",
          { { PVD_SECTOR + 129, 4 }, { PVD_SECTOR + 130, 4 } },
          0,
          0,
          PVD_DAMAGED,
          "damaged: the volume descriptor gives an impossible size" },
        { "no blocks",
          { { PVD_SECTOR + 80, 0 }, { PVD_SECTOR + 87, 0 } },
          0,
          0,
          PVD_DAMAGED,
          "damaged: the volume descriptor gives an impossible size" },
};

static void a_descriptor_is_taken_or_refused_with_a_reason(void **state) {
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                uint8_t data[SECTORS * PVD_SECTOR];
                struct pvd pvd = { .size = 7 };
                struct text why = { 0 };
                enum pvd_verdict verdict;

                make(data);
                for (size_t j = 0; j < 2; j++)
                        if (rows[i].patch[j].at || rows[i].patch[j].value)
                                data[rows[i].patch[j].at] = rows[i].patch[j].value;
                verdict =
                        pvd_parse(data, rows[i].n ? rows[i].n : sizeof(data),
                                  rows[i].n_file ? rows[i].n_file : 204800, &pvd, &why);
                if (verdict != rows[i].verdict)
                        fail_msg("%s: verdict %d", rows[i].name, verdict);
                assert_string_equal(text_string(&why), rows[i].why);
                assert_int_equal(pvd.size, verdict == PVD_OK ? 204800 : 7);
                text_done(&why);
        }
}

static void an_empty_file_is_called_empty(void **state) {
        struct text why = { 0 };
        struct pvd pvd;

        assert_int_equal(pvd_parse(NULL, 0, 0, &pvd, &why), PVD_NOT_ISO);
        assert_string_equal(text_string(&why), "the file is empty");
        text_done(&why);
}

static void the_volume_name_loses_its_padding_and_its_control_characters(void **state) {
        uint8_t data[SECTORS * PVD_SECTOR];
        struct text why = { 0 };
        struct pvd pvd;

        make(data);
        assert_int_equal(pvd_parse(data, sizeof(data), 204800, &pvd, &why), PVD_OK);
        assert_string_equal(pvd.volume, "DEBIAN 12?");
        text_done(&why);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_descriptor_is_taken_or_refused_with_a_reason),
                cmocka_unit_test(an_empty_file_is_called_empty),
                cmocka_unit_test(
                        the_volume_name_loses_its_padding_and_its_control_characters),
        };

        return check_run("media/pvd", tests);
}
