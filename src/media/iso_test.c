/*
 * Images made by xorriso, whole and then damaged byte by byte: what is served from
 * them, and with which words the rest is refused.
 */
#include "media/iso.h"

#include "media/pvd.h"

#include "test/check.h"
#include "test/tree.h"

struct image {
        char top[TREE_PATH_MAX]; /* a temporary folder: tree/ and the image */
        char tree[TREE_PATH_MAX], path[TREE_PATH_MAX];
        uint8_t *data;
        size_t n;
};

static int set_up(void **state) {
        struct image *image = calloc(1, sizeof(*image));

        tree_new(image->top);
        tree_path(image->top, "tree", image->tree);
        tree_path(image->top, "image.iso", image->path);
        assert(mkdir(image->tree, 0755) == 0);
        *state = image;
        return 0;
}

static int tear_down(void **state) {
        struct image *image = *state;

        tree_remove(image->top);
        free(image->data);
        free(image);
        return 0;
}

static void make(struct image *image, enum tree_names names) {
        tree_iso(image->tree, "A VOLUME", names, image->path);
        image->data = tree_read(image->path, &image->n);
}

/* Reads what is in memory now, as a file of `n` bytes. */
static int read_image(const struct image *image, size_t n, struct media_iso *ret,
                      struct text *why) {
        int fd, r;

        unlink(image->path);
        tree_bytes(image->top, "image.iso", image->data, n);
        fd = open(image->path, O_RDONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        r = media_iso_read(fd, n, ret, why);
        close(fd);
        return r;
}

static struct media_index open_index(const struct media_iso *iso) {
        struct media_index index;

        assert_int_equal(media_index_open(iso->data, iso->n, &index), 0);
        return index;
}

static struct media_iso read_good(const struct image *image) {
        struct text why = { 0 };
        struct media_iso iso = { 0 };

        if (read_image(image, image->n, &iso, &why) != MEDIA_ISO_OK)
                fail_msg("refused: %s", text_string(&why));
        text_done(&why);
        return iso;
}

static void assert_refused(const struct image *image, size_t n, const char *wanted) {
        struct text why = { 0 };
        struct media_iso iso = { 0 };

        assert_int_equal(read_image(image, n, &iso, &why), MEDIA_ISO_REFUSED);
        if (!strstr(text_string(&why), wanted))
                fail_msg("said \"%s\", not \"%s\"", text_string(&why), wanted);
        assert_null(iso.data);
        text_done(&why);
}

/* The kind of what is there, or -1. */
static int kind_at(const struct media_index *index, const char *path) {
        struct media_node node;

        return media_index_lookup(index, path, strlen(path), &node) ? (int)node.kind
                                                                    : -1;
}

static void assert_content(const struct image *image, const struct media_index *index,
                           const char *path, const char *content) {
        struct media_node node;
        size_t at = 0;

        if (!media_index_lookup(index, path, strlen(path), &node))
                fail_msg("%s is not there", path);
        assert_int_equal(node.size, strlen(content));
        for (uint32_t i = 0; i < node.n_extents; i++) {
                struct media_extent e = media_index_extent(index, &node, i);

                assert_memory_equal(image->data + e.offset, content + at, e.length);
                at += e.length;
        }
        assert_int_equal(at, strlen(content));
}

/* Where `what` stands in the image for the i-th time; it has to. */
static uint8_t *find(const struct image *image, const void *what, size_t n,
                     unsigned i) {
        uint8_t *at = image->data;

        for (;; at++) {
                at = memmem(at, image->n - (size_t)(at - image->data), what, n);
                assert_non_null(at);
                if (i-- == 0)
                        return at;
        }
}

/* The directory record (ECMA-119 9.1) whose name begins so; the path tables hold names
 * too, but not right behind their length. */
static uint8_t *find_record(const struct image *image, const char *name) {
        for (unsigned i = 0;; i++) {
                uint8_t *record = find(image, name, strlen(name), i) - 33;

                if (record[32] >= strlen(name) && record[0] >= 33 + record[32])
                        return record;
        }
}

static void store_both32(uint8_t *p, uint32_t v) {
        for (unsigned i = 0; i < 4; i++)
                p[i] = (uint8_t)(v >> (8 * i));
        store_be32(p + 4, v);
}

static void rock_ridge_names_and_links_are_read(void **state) {
        struct image *image = *state;
        struct media_index index;
        struct media_node node;
        uint32_t number;
        struct media_iso iso;

        tree_file(image->tree, "Install.amd/VmLinuz", "a kernel");
        tree_file(image->tree, "a name with blanks and \xc3\xa4", "x");
        tree_file(image->tree, ".disk/info", "Debian\n");
        tree_file(image->tree, "empty", "");
        tree_link(image->tree, "vmlinuz", "Install.amd/VmLinuz");
        tree_link(image->tree, "Install.amd/up", "../.disk");
        make(image, TREE_ROCK_RIDGE);
        iso = read_good(image);
        index = open_index(&iso);
        assert_string_equal(iso.volume, "A VOLUME");
        assert_content(image, &index, "Install.amd/VmLinuz", "a kernel");
        assert_content(image, &index, "vmlinuz", "a kernel");
        assert_content(image, &index, "Install.amd/up/info", "Debian\n");
        assert_content(image, &index, "a name with blanks and \xc3\xa4", "x");
        assert_content(image, &index, "empty", "");
        assert_int_equal(kind_at(&index, "install.amd"), -1);
        assert_int_equal(kind_at(&index, ".disk"), MEDIA_NODE_FOLDER);
        assert_true(media_index_find(&index, "Install.amd/up", 14, &number));
        assert_true(media_index_node(&index, number, &node));
        assert_true(node.is_link);
        assert_string_equal(node.link, "../.disk");
        assert_true(media_index_find(&index, "Install.amd/VmLinuz", 19, &number));
        assert_true(media_index_node(&index, number, &node));
        assert_int_equal(node.mode & 0444, 0444);
        media_iso_done(&iso);
}

static void joliet_names_are_read_when_there_is_no_rock_ridge(void **state) {
        struct image *image = *state;
        struct media_index index;
        struct media_iso iso;

        tree_file(image->tree, "A long name.With-Case \xc3\xa4.txt", "joliet");
        make(image, TREE_JOLIET);
        iso = read_good(image);
        index = open_index(&iso);
        assert_content(image, &index, "A long name.With-Case \xc3\xa4.txt", "joliet");
        media_iso_done(&iso);
}

static void bare_names_lose_their_version_and_their_capitals(void **state) {
        struct image *image = *state;
        struct media_index index;
        struct media_iso iso;

        tree_file(image->tree, "boot/LINUX.BIN", "bare");
        tree_file(image->tree, "readme", "no dot");
        make(image, TREE_PLAIN);
        assert_non_null(find_record(image, "LINUX.BIN;1"));
        iso = read_good(image);
        index = open_index(&iso);
        assert_content(image, &index, "boot/linux.bin", "bare");
        assert_content(image, &index, "readme", "no dot");
        media_iso_done(&iso);
}

/* ECMA-119 9.1.6: a file of several pieces is several records of one name, all but
 * the last with the multi-extent bit. */
static void a_file_of_several_extents_is_read_in_order(void **state) {
        struct image *image = *state;
        struct media_index index;
        struct media_node node;
        struct media_iso iso;
        char first[2049];

        memset(first, 'a', 2048);
        first[2048] = '\0';
        tree_file(image->tree, "part1", first);
        tree_file(image->tree, "part2", "the end");
        tree_file(image->tree, "other", "something between");
        make(image, TREE_PLAIN);
        find_record(image, "PART1")[25] |= 0x80;
        find_record(image, "PART2")[33 + 4] = '1';
        iso = read_good(image);
        index = open_index(&iso);
        assert_true(media_index_lookup(&index, "part1", 5, &node));
        assert_int_equal(node.size, 2048 + 7);
        assert_content(image, &index, "other", "something between");
        assert_int_equal(kind_at(&index, "part2"), -1);
        media_iso_done(&iso);
}

static void links_that_leave_the_image_are_dead(void **state) {
        static const char *const rows[][2] = {
                { "absolute", "/etc/passwd" },
                { "above", "../../../../etc/passwd" },
                { "sideways", "inside/../../etc/passwd" },
                { "self", "self" },
                { "nowhere", "inside/nothing" },
        };
        struct image *image = *state;
        struct media_index index;
        struct media_node top;
        struct media_iso iso;

        tree_file(image->tree, "inside/file", "x");
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                tree_link(image->tree, rows[i][0], rows[i][1]);
        make(image, TREE_ROCK_RIDGE);
        iso = read_good(image);
        index = open_index(&iso);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                assert_int_equal(kind_at(&index, rows[i][0]), -1);
        assert_true(media_index_lookup(&index, "", 0, &top));
        assert_int_equal(top.n_children, ARRAY_SIZE(rows) + 1);
        media_iso_done(&iso);
}

static void a_name_that_no_path_can_hold_hides_its_file_alone(void **state) {
        static const char *const hostile[] = { "../../xyz", "a/b/c/d/e" };

        for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
                void *inner;
                struct image *image;
                struct media_index index;
                struct media_node top;
                struct media_iso iso;

                set_up(&inner);
                image = inner;
                tree_file(image->tree, "nine-char", "hidden");
                tree_file(image->tree, "good", "seen");
                make(image, TREE_ROCK_RIDGE);
                memcpy(find(image, "nine-char", 9, 0), hostile[i], 9);
                iso = read_good(image);
                index = open_index(&iso);
                assert_content(image, &index, "good", "seen");
                assert_true(media_index_lookup(&index, "", 0, &top));
                for (uint32_t j = 0; j < top.n_children; j++)
                        assert_null(
                                strchr(media_index_child(&index, &top, j).name, '/'));
                media_iso_done(&iso);
                tear_down(&inner);
        }
}

static void a_truncated_image_is_refused_with_its_sizes(void **state) {
        struct image *image = *state;
        const uint8_t *blocks;
        char wanted[64];
        size_t size;

        tree_file(image->tree, "file", "content");
        make(image, TREE_ROCK_RIDGE);
        blocks = image->data + PVD_FIRST * PVD_SECTOR + 80 + 4;
        size = (size_t)load_be32(blocks) * PVD_SECTOR;
        snprintf(wanted, sizeof(wanted), "truncated: %zu of %zu bytes", size - 2048,
                 size);
        assert_refused(image, size - 2048, wanted);
        assert_refused(image, 40000, "truncated: 40000 of ");
}

static void what_is_no_image_is_refused(void **state) {
        struct image *image = *state;

        image->n = 100000;
        image->data = calloc(1, image->n);
        assert_refused(image, 0, "the file is empty");
        assert_refused(image, 100, "not an ISO image");
        assert_refused(image, image->n, "not an ISO image");
}

static void a_folder_that_contains_itself_is_refused(void **state) {
        struct image *image = *state;
        uint8_t root[8];

        tree_file(image->tree, "loop/inner/file", "x");
        make(image, TREE_PLAIN);
        memcpy(root, image->data + PVD_FIRST * PVD_SECTOR + 156 + 2, 8);
        memcpy(find_record(image, "INNER") + 2, root, 8);
        assert_refused(image, image->n, "damaged: ");
}

static void a_file_outside_the_image_is_refused(void **state) {
        struct image *image = *state;

        tree_file(image->tree, "kernel", "x");
        make(image, TREE_PLAIN);
        store_both32(find_record(image, "KERNEL") + 2, 1 << 20);
        assert_refused(image, image->n,
                       "damaged: a file lies outside the image: kernel");
}

static void a_folder_outside_the_image_is_refused(void **state) {
        struct image *image = *state;

        tree_file(image->tree, "boot/kernel", "x");
        make(image, TREE_PLAIN);
        store_both32(find_record(image, "BOOT") + 2, 1 << 20);
        assert_refused(image, image->n, "damaged: a folder lies outside the image");
}

/* One byte of the descriptors and folders at a time; a sanitizer watches. */
static void a_damaged_byte_is_refused_or_harmless(void **state) {
        struct image *image = *state;
        size_t first = PVD_FIRST * PVD_SECTOR, step = 7;
        unsigned refused = 0;

        tree_file(image->tree, "a/b/c", "x");
        tree_link(image->tree, "link", "a/b");
        make(image, TREE_ROCK_RIDGE);
        for (size_t at = first; at < image->n; at += step) {
                struct text why = { 0 };
                struct media_iso iso = { 0 };
                int r;

                if (image->data[at] == 0 && at % (7 * 11))
                        continue;
                image->data[at] ^= 0xff;
                r = read_image(image, image->n, &iso, &why);
                assert_true(r == MEDIA_ISO_OK || r == MEDIA_ISO_REFUSED);
                assert_int_equal(why.n > 0, r == MEDIA_ISO_REFUSED);
                refused += r == MEDIA_ISO_REFUSED;
                media_iso_done(&iso);
                text_done(&why);
                image->data[at] ^= 0xff;
        }
        assert_true(refused > 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                CASE(rock_ridge_names_and_links_are_read),
                CASE(joliet_names_are_read_when_there_is_no_rock_ridge),
                CASE(bare_names_lose_their_version_and_their_capitals),
                CASE(a_file_of_several_extents_is_read_in_order),
                CASE(links_that_leave_the_image_are_dead),
                CASE(a_name_that_no_path_can_hold_hides_its_file_alone),
                CASE(a_truncated_image_is_refused_with_its_sizes),
                CASE(what_is_no_image_is_refused),
                CASE(a_folder_that_contains_itself_is_refused),
                CASE(a_file_outside_the_image_is_refused),
                CASE(a_folder_outside_the_image_is_refused),
                CASE(a_damaged_byte_is_refused_or_harmless),
        };

        return check_run("media/iso", tests);
}
