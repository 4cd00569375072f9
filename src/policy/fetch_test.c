/* What a machine fetches tells how it can. */
#include "policy/fetch.h"

#include "test/check.h"

enum { DAY = 24 * 3600 };

static nsec_t at(uint64_t seconds) {
        return seconds * NSEC_PER_SEC;
}

static void http_is_offered_first(void **state) {
        struct fetch fetch = { 0 };

        assert_true(fetch_by_http(&fetch, at(1)));
        fetch_offered(&fetch, true, at(1));
        assert_false(fetch_seen(&fetch, "media/x/vmlinuz", true, at(2)));
        assert_true(fetch_by_http(&fetch, at(3)));
}

static void a_kernel_by_tftp_is_a_loader_that_fell_back(void **state) {
        struct fetch fetch = { 0 };

        fetch_offered(&fetch, true, at(1));
        assert_true(fetch_seen(&fetch, "made/x/initrd", false, at(2)));
        assert_false(fetch_by_http(&fetch, at(3)));
        /* It is not said again. */
        assert_false(fetch_seen(&fetch, "media/x/vmlinuz", false, at(4)));
        /* A day later it is tried again. */
        assert_false(fetch_by_http(&fetch, at(DAY + 1)));
        assert_true(fetch_by_http(&fetch, at(DAY + 2)));
}

static void what_comes_by_tftp_in_any_case_tells_nothing(void **state) {
        static const char *const paths[] = { "grub/grub.cfg", "grubx64.efi", "menu.c32",
                                             "media/x/EFI/BOOT/BOOTX64.efi",
                                             "memtest86+x64.bin" };
        struct fetch fetch = { 0 };

        /* Nor does a kernel that was not offered by HTTP. */
        assert_false(fetch_seen(&fetch, "media/x/vmlinuz", false, at(1)));
        fetch_offered(&fetch, true, at(1));
        for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
                assert_false(fetch_seen(&fetch, paths[i], false, at(2)));
        assert_true(fetch_by_http(&fetch, at(3)));
}

static void twice_nothing_is_a_loader_that_hangs(void **state) {
        struct fetch fetch = { 0 };

        fetch_offered(&fetch, true, at(1));
        assert_true(fetch_by_http(&fetch, at(100)));
        fetch_offered(&fetch, true, at(100));
        assert_true(fetch_by_http(&fetch, at(200)));
        fetch_offered(&fetch, true, at(200));
        assert_false(fetch_by_http(&fetch, at(300)));
}

/* A machine that is left to its disk fetches nothing, for ever. */
static void a_default_of_the_disk_expects_nothing(void **state) {
        struct fetch fetch = { 0 };

        for (uint64_t i = 1; i < 1000; i++) {
                assert_true(fetch_by_http(&fetch, at(i)));
                fetch_offered(&fetch, false, at(i));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(http_is_offered_first),
                cmocka_unit_test(a_kernel_by_tftp_is_a_loader_that_fell_back),
                cmocka_unit_test(what_comes_by_tftp_in_any_case_tells_nothing),
                cmocka_unit_test(twice_nothing_is_a_loader_that_hangs),
                cmocka_unit_test(a_default_of_the_disk_expects_nothing),
        };

        return check_run("fetch", tests);
}
