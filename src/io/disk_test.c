#include "io/disk.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "test/check.h"

enum { MANY = 300 };

static struct loop *loop;
static unsigned n_answers;
static int answers[MANY];

static void on_fetched(int answer, void *userdata) {
        unsigned *wanted = userdata;

        answers[n_answers++] = answer;
        if (n_answers == *wanted)
                loop_stop(loop);
}

static int a_file(size_t n) {
        char path[] = "/tmp/bootjack-disk-XXXXXX";
        int fd = mkstemp(path);

        assert_true(fd >= 0);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(ftruncate(fd, (off_t)n), 0);
        return fd;
}

static void every_fetch_is_answered_once(void **state) {
        unsigned wanted = MANY;
        struct disk *disk;
        int fd = a_file(1 << 20);

        n_answers = 0;
        assert_int_equal(loop_new(&loop), 0);
        assert_int_equal(disk_new(loop, &disk), 0);
        for (unsigned i = 0; i < MANY; i++)
                assert_int_equal(disk_fetch(disk, fd, i % 3, i * 4096, 65536,
                                            on_fetched, &wanted),
                                 0);
        close(fd); /* it was only borrowed */
        loop_run(loop);
        assert_int_equal(n_answers, MANY);
        for (unsigned i = 0; i < MANY; i++)
                assert_int_equal(answers[i], 0);
        disk_free(disk);
        loop_free(loop);
}

static void what_reading_came_to_is_told(void **state) {
        unsigned wanted = 1;
        struct disk *disk;
        int fd = open("/", O_RDONLY | O_DIRECTORY);

        n_answers = 0;
        assert_int_equal(loop_new(&loop), 0);
        assert_int_equal(disk_new(loop, &disk), 0);
        assert_int_equal(disk_fetch(disk, fd, 0, 0, 4096, on_fetched, &wanted), 0);
        close(fd);
        loop_run(loop);
        assert_int_equal(answers[0], -EISDIR);
        disk_free(disk);
        loop_free(loop);
}

static void nobody_is_called_after_the_end(void **state) {
        unsigned wanted = 1;
        struct disk *disk;
        int fd = a_file(1 << 20);

        n_answers = 0;
        assert_int_equal(loop_new(&loop), 0);
        assert_int_equal(disk_new(loop, &disk), 0);
        for (unsigned i = 0; i < 50; i++)
                assert_int_equal(
                        disk_fetch(disk, fd, 0, 0, 1 << 20, on_fetched, &wanted), 0);
        close(fd);
        disk_free(disk);
        loop_free(loop);
        assert_int_equal(n_answers, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_fetch_is_answered_once),
                cmocka_unit_test(what_reading_came_to_is_told),
                cmocka_unit_test(nobody_is_called_after_the_end),
        };
        return check_run("io/disk", tests);
}
