#include "ipc/sealed.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test/check.h"

static void a_text_of_any_length_is_read_as_it_was_written(void **state) {
        static const size_t lengths[] = { 0, 1, 4096, 4097, 3 << 20 };

        for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
                size_t n = lengths[i];
                char *text = malloc(n + 1);
                struct sealed sealed;
                int fd;

                assert_non_null(text);
                for (size_t at = 0; at < n; at++)
                        text[at] = (char)(at * 31 >> 3);
                assert_int_equal(sealed_new(text, n, &fd), 0);
                assert_int_equal(sealed_open(fd, n, &sealed), 0);
                close(fd);
                assert_int_equal(sealed.n, n);
                assert_memory_equal(sealed.data, text, n);
                sealed_done(&sealed);
                free(text);
        }
}

static void nobody_can_change_it_any_more(void **state) {
        int fd;

        assert_int_equal(sealed_new("text", 4, &fd), 0);
        assert_int_equal(pwrite(fd, "T", 1, 0), -1);
        assert_int_equal(ftruncate(fd, 0), -1);
        assert_int_equal(ftruncate(fd, 8), -1);
        close(fd);
}

static void what_could_be_cut_under_the_reader_is_refused(void **state) {
        struct sealed sealed;
        int fds[2], fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

        assert_int_equal(write(fd, "text", 4), 4);
        assert_int_equal(sealed_open(fd, 4, &sealed), -EPERM);
        assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW), 0);
        assert_int_equal(sealed_open(fd, 4, &sealed), -EPERM);
        close(fd);
        assert_int_equal(pipe(fds), 0);
        assert_true(sealed_open(fds[0], 4, &sealed) < 0);
        close(fds[0]);
        close(fds[1]);
}

static void more_than_asked_for_is_refused(void **state) {
        struct sealed sealed;
        int fd;

        assert_int_equal(sealed_new("text", 4, &fd), 0);
        assert_int_equal(sealed_open(fd, 3, &sealed), -EFBIG);
        close(fd);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_text_of_any_length_is_read_as_it_was_written),
                cmocka_unit_test(nobody_can_change_it_any_more),
                cmocka_unit_test(what_could_be_cut_under_the_reader_is_refused),
                cmocka_unit_test(more_than_asked_for_is_refused),
        };

        return check_run("ipc/sealed", tests);
}
