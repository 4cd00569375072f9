/* Archives that tar makes, expanded: whole, damaged, too big, and given up. */
#include "expand/expand.h"

#include "test/check.h"
#include "test/tree.h"

struct place {
        char top[TREE_PATH_MAX], tree[TREE_PATH_MAX], path[TREE_PATH_MAX];
        int from, to;
};

static const struct expand_limits plenty = { .bytes = 1 << 30 };

static int set_up(void **state) {
        struct place *p = calloc(1, sizeof(*p));

        tree_new(p->top);
        tree_path(p->top, "tree", p->tree);
        tree_path(p->top, "a.tar", p->path);
        tree_file(p->tree, "boot/linux", "kernel");
        p->from = p->to = -1;
        *state = p;
        return 0;
}

static int tear_down(void **state) {
        struct place *p = *state;

        close(p->from);
        close(p->to);
        tree_remove(p->top);
        free(p);
        return 0;
}

static void make(struct place *p, const char *how) {
        char *argv[] = {
                "tar", (char *)how, (char *)p->path, "-C", p->tree, ".", NULL
        };
        char out[TREE_PATH_MAX];

        tree_run(argv);
        close(p->from);
        close(p->to);
        p->from = open(p->path, O_RDONLY | O_CLOEXEC);
        p->to = open(tree_path(p->top, "out", out), O_RDWR | O_CREAT | O_TRUNC, 0600);
        assert_true(p->from >= 0 && p->to >= 0);
}

static int expand(struct place *p, const struct expand_limits *limits,
                  struct text *why) {
        return expand_archive(p->from, p->to, limits, NULL, NULL, why);
}

static void every_compression_gives_the_same_tar(void **state) {
        static const char *const ways[] = { "-cf", "-czf", "-cJf", "-cjf" };
        struct place *p = *state;
        uint8_t *first = NULL;
        size_t n_first = 0;

        for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
                char out[TREE_PATH_MAX];
                struct text why = { 0 };
                uint8_t *data;
                size_t n;

                make(p, ways[i]);
                assert_int_equal(expand(p, &plenty, &why), EXPAND_OK);
                data = tree_read(tree_path(p->top, "out", out), &n);
                assert_true(n >= 10240 && memmem(data, n, "kernel", 6));
                if (first) {
                        assert_int_equal(n, n_first);
                        assert_memory_equal(data, first, n);
                        free(data);
                } else {
                        first = data;
                        n_first = n;
                }
                text_done(&why);
        }
        free(first);
}

static void a_truncated_archive_is_refused(void **state) {
        struct place *p = *state;
        struct text why = { 0 };
        struct stat st;

        make(p, "-czf");
        assert_int_equal(fstat(p->from, &st), 0);
        assert_int_equal(truncate(p->path, st.st_size / 2), 0);
        assert_int_equal(expand(p, &plenty, &why), EXPAND_REFUSED);
        assert_non_null(strstr(text_string(&why), "truncated or damaged: "));
        text_done(&why);
}

static void a_bomb_ends_at_the_limit(void **state) {
        const struct expand_limits limits = { .bytes = 1 << 20 };
        struct place *p = *state;
        struct text why = { 0 };
        char path[TREE_PATH_MAX];
        struct stat st;

        tree_file(p->tree, "zeros", "");
        assert_int_equal(truncate(tree_path(p->tree, "zeros", path), 200 << 20), 0);
        make(p, "-czf");
        assert_int_equal(expand(p, &limits, &why), EXPAND_REFUSED);
        assert_non_null(strstr(text_string(&why), "a bomb"));
        assert_int_equal(fstat(p->to, &st), 0);
        assert_true(st.st_size <= 1 << 20);
        text_done(&why);
}

static void no_room_is_said(void **state) {
        const struct expand_limits limits = { .bytes = 1 << 30,
                                              .free_bytes = UINT64_MAX };
        struct place *p = *state;
        struct text why = { 0 };

        make(p, "-czf");
        assert_int_equal(expand(p, &limits, &why), EXPAND_REFUSED);
        assert_non_null(strstr(text_string(&why), "no room"));
        text_done(&why);
}

static bool give_up(uint64_t n_read, void *userdata) {
        return false;
}

static void it_can_be_given_up(void **state) {
        struct place *p = *state;
        struct text why = { 0 };

        make(p, "-czf");
        assert_int_equal(expand_archive(p->from, p->to, &plenty, give_up, NULL, &why),
                         -ECANCELED);
        text_done(&why);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                CASE(every_compression_gives_the_same_tar),
                CASE(a_truncated_archive_is_refused),
                CASE(a_bomb_ends_at_the_limit),
                CASE(no_room_is_said),
                CASE(it_can_be_given_up),
        };

        return check_run("expand/expand", tests);
}
