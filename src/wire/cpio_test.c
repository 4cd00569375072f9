#include "wire/cpio.h"

#include "test/check.h"

static void an_archive_of_one_file_is_as_cpio_makes_it(void **state) {
        struct text out = { 0 };
        static const char before[] = "070701"
                                     "00000001"
                                     "000081A4"
                                     "00000000"
                                     "00000000"
                                     "00000001"
                                     "6553F100"
                                     "00000006"
                                     "00000000"
                                     "00000000"
                                     "00000000"
                                     "00000000"
                                     "0000000C"
                                     "00000000"
                                     "proxmox.iso\0\0\0";
        static const char behind[] = "\0\0"
                                     "070701"
                                     "00000001"
                                     "00000000"
                                     "00000000"
                                     "00000000"
                                     "00000001"
                                     "00000000"
                                     "00000000"
                                     "00000000"
                                     "00000000"
                                     "00000000"
                                     "00000000"
                                     "0000000B"
                                     "00000000"
                                     "TRAILER!!!\0\0\0\0";

        assert_true(cpio_header("proxmox.iso", 6, 0x6553f100, &out));
        assert_int_equal(out.n, sizeof(before) - 1);
        assert_memory_equal(out.s, before, out.n);
        assert_int_equal(out.n % CPIO_ALIGN, 0);
        text_done(&out);

        out = (struct text){ 0 };
        cpio_trailer(6, &out);
        assert_int_equal(out.n, sizeof(behind) - 1);
        assert_memory_equal(out.s, behind, out.n);
        assert_int_equal((6 + out.n) % CPIO_ALIGN, 0);
        text_done(&out);
}

static void everything_is_aligned(void **state) {
        static const char name[] = "abcdefgh";

        for (size_t i = 1; i < sizeof(name); i++)
                for (uint64_t size = 0; size < 9; size++) {
                        struct text out = { 0 };

                        assert_true(cpio_header(name + i - 1, size, 0, &out));
                        assert_int_equal(out.n % CPIO_ALIGN, 0);
                        for (uint64_t j = 0; j < size; j++)
                                text_char(&out, 'x');
                        cpio_trailer(size, &out);
                        assert_int_equal(out.n % CPIO_ALIGN, 0);
                        text_done(&out);
                }
}

static void what_does_not_fit_is_refused(void **state) {
        struct text out = { 0 };

        assert_false(cpio_header("a", CPIO_SIZE_MAX + 1, 0, &out));
        assert_false(cpio_header("a", 1ULL << 32, 0, &out));
        assert_false(cpio_header("/a", 1, 0, &out));
        assert_false(cpio_header("", 1, 0, &out));
        assert_false(cpio_header("TRAILER!!!", 1, 0, &out));
        assert_int_equal(out.n, 0);
        assert_true(cpio_header("a", CPIO_SIZE_MAX, 1ULL << 40, &out));
        text_done(&out);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_archive_of_one_file_is_as_cpio_makes_it),
                cmocka_unit_test(everything_is_aligned),
                cmocka_unit_test(what_does_not_fit_is_refused),
        };

        return check_run("wire/cpio", tests);
}
