#include "media/index.h"

#include "media/build.h"
#include "media/format.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/check.h"

static const struct medium sample = {
        .kind = MEDIUM_ISO,
        .name = "sample",
        .path = "/srv/isos/Sample.iso",
        .system = "debian",
        .version = "12",
        .edition = "netboot",
        .arch = "amd64",
        .size = 1 << 20,
        .mtime = 7,
        .n_recognised_by = 1,
        .n_entries = 1,
        .recognised_by = { "a file" },
        .entries = { { .id = "debian-12",
                       .title = "Debian 12",
                       .kernel = "install/linux",
                       .initrd = { "install/initrd.gz", "extra.cpio" },
                       .n_initrd = 2,
                       .firmware = MEDIUM_BIOS | MEDIUM_UEFI_X64,
                       .transports = MEDIUM_TFTP,
                       .args = "--- quiet",
                       .memory = 512 << 20,
                       .boot = MEDIUM_MULTIBOOT,
                       .help = "asks first",
                       .initrd_name = { "", "extra" },
                       .initrd_args = { "console=hvc0", NULL },
                       .n_ways = 2,
                       .ways = { { MEDIUM_NFS_ISO, "nfs=1", 1 << 30 },
                                 { MEDIUM_HTTP, "http=1", 2 } },
                       .answer_kind = "preseed",
                       .answer_args = "url=${answer}",
                       .secure_why_not = "it is not signed",
                       .remedy = "a file",
                       .why_not = "" } },
        .loaders = { [3] = { "shim.efi", "grub.efi", "no TFTP", "no proxy" } },
};

static uint32_t folder(struct media_build *b, uint32_t parent, const char *name) {
        uint32_t node;

        assert_int_equal(media_build_folder(b, parent, name, 1, &node), 0);
        return node;
}

static uint32_t file(struct media_build *b, uint32_t parent, const char *name,
                     uint64_t offset, uint64_t length) {
        uint32_t node;

        assert_int_equal(media_build_file(b, parent, name, 2, &node), 0);
        assert_int_equal(media_build_extent(b, node, offset, length), 0);
        return node;
}

static void link_to(struct media_build *b, uint32_t parent, const char *name,
                    const char *target) {
        assert_int_equal(media_build_link(b, parent, name, 3, target), 0);
}

/* A small image with a link of every sort. */
static struct media_build *small_build(void) {
        struct media_build *b;
        uint32_t install, deep, node;

        assert_int_equal(media_build_new(1 << 20, &b), 0);
        install = folder(b, 0, "install");
        file(b, 0, "zebra", 2048, 10);
        file(b, install, "linux", 4096, 100);
        file(b, install, "initrd.gz", 8192, 50);
        file(b, install, "linux", 0, 1); /* a second one of the name is dropped */
        deep = folder(b, install, "deep");
        assert_int_equal(media_build_file(b, deep, "pieces", 2, &node), 0);
        assert_int_equal(media_build_extent(b, node, 10240, 2048), 0);
        assert_int_equal(media_build_extent(b, node, 12288, 2048), 0); /* joined */
        assert_int_equal(media_build_extent(b, node, 2048, 7), 0);
        assert_int_equal(media_build_file(b, deep, "empty", 2, &node), 0);
        link_to(b, 0, "same", ".");
        link_to(b, 0, "kernel", "install/linux");
        link_to(b, deep, "up", "../../zebra");
        link_to(b, deep, "folder", "..");
        link_to(b, 0, "chain", "same/same/install/deep/up");
        link_to(b, 0, "loop-a", "loop-b");
        link_to(b, 0, "loop-b", "loop-a");
        link_to(b, 0, "self", "self/self");
        link_to(b, 0, "out", "../etc/passwd");
        link_to(b, 0, "absolute", "/install/linux");
        link_to(b, 0, "nowhere", "install/nothing");
        link_to(b, 0, "through-a-file", "zebra/x");
        return b;
}

static void small_index(void **ret_data, struct media_index *ret) {
        struct media_build *b = small_build();
        size_t n;

        assert_int_equal(media_build_finish(b, ret_data, &n), 0);
        media_build_free(b);
        /* Without the info of a sealed one: its record is all zeros and sound. */
        assert_int_equal(media_index_open(*ret_data, n, ret), 0);
}

static void every_path_leads_to_its_bytes(void **state) {
        static const struct {
                const char *path;
                int kind; /* -1: not found */
                uint64_t size, offset;
        } rows[] = {
                { "", MEDIA_NODE_FOLDER, 0, 0 },
                { "install", MEDIA_NODE_FOLDER, 0, 0 },
                { "install/linux", MEDIA_NODE_FILE, 100, 4096 },
                { "install/initrd.gz", MEDIA_NODE_FILE, 50, 8192 },
                { "install/deep/empty", MEDIA_NODE_FILE, 0, 0 },
                { "install/deep/pieces", MEDIA_NODE_FILE, 4103, 10240 },
                { "kernel", MEDIA_NODE_FILE, 100, 4096 },
                { "same/same/kernel", MEDIA_NODE_FILE, 100, 4096 },
                { "install/deep/up", MEDIA_NODE_FILE, 10, 2048 },
                { "install/deep/folder/deep/up", MEDIA_NODE_FILE, 10, 2048 },
                { "chain", MEDIA_NODE_FILE, 10, 2048 },
                { "install/linu", -1, 0, 0 },
                { "install/linuxx", -1, 0, 0 },
                { "install//linux", -1, 0, 0 },
                { "/install", -1, 0, 0 },
                { "install/../zebra", -1, 0, 0 },
                { "zebra/zebra", -1, 0, 0 },
                { "loop-a", -1, 0, 0 },
                { "loop-b", -1, 0, 0 },
                { "self", -1, 0, 0 },
                { "out", -1, 0, 0 },
                { "absolute", -1, 0, 0 },
                { "nowhere", -1, 0, 0 },
                { "through-a-file", -1, 0, 0 },
        };
        struct media_index index;
        void *data;

        small_index(&data, &index);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct media_node node;
                bool found = media_index_lookup(&index, rows[i].path,
                                                strlen(rows[i].path), &node);

                if (found != (rows[i].kind >= 0))
                        fail_msg("%s: found %d", rows[i].path, found);
                if (!found)
                        continue;
                assert_int_equal(node.kind, rows[i].kind);
                assert_int_equal(node.size, rows[i].size);
                if (node.n_extents)
                        assert_int_equal(media_index_extent(&index, &node, 0).offset,
                                         rows[i].offset);
        }
        free(data);
}

static void neighbouring_pieces_of_a_file_are_joined(void **state) {
        static const char path[] = "install/deep/pieces";
        struct media_index index;
        struct media_node node;
        void *data;

        small_index(&data, &index);
        assert_true(media_index_lookup(&index, path, sizeof(path) - 1, &node));
        assert_int_equal(node.n_extents, 2);
        assert_int_equal(media_index_extent(&index, &node, 0).length, 4096);
        assert_int_equal(media_index_extent(&index, &node, 1).offset, 2048);
        assert_int_equal(media_index_extent(&index, &node, 1).length, 7);
        free(data);
}

static void children_come_in_byte_order_each_name_once(void **state) {
        static const char *const names[] = { "deep", "initrd.gz", "linux" };
        struct media_index index;
        struct media_node node;
        void *data;

        small_index(&data, &index);
        assert_true(media_index_lookup(&index, "install", 7, &node));
        assert_int_equal(node.n_children, ARRAY_SIZE(names));
        for (uint32_t i = 0; i < node.n_children; i++)
                assert_string_equal(media_index_child(&index, &node, i).name, names[i]);
        assert_int_equal(media_index_child(&index, &node, 2).size, 100);
        free(data);
}

static void a_dead_link_is_listed_as_one(void **state) {
        struct media_index index;
        struct media_node top;
        unsigned dead = 0;
        void *data;

        small_index(&data, &index);
        assert_true(media_index_lookup(&index, "", 0, &top));
        for (uint32_t i = 0; i < top.n_children; i++)
                dead += media_index_child(&index, &top, i).kind == MEDIA_NODE_DEAD_LINK;
        assert_int_equal(dead, 7);
        free(data);
}

static void what_no_path_can_hold_is_refused(void **state) {
        static const char *const names[] = { "", ".", "..", "a/b" };
        char too_long[257];
        struct media_build *b = small_build();
        uint32_t node, parent = 0;
        int r = 0;

        memset(too_long, 'x', 256);
        too_long[256] = '\0';
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                assert_int_equal(media_build_file(b, 0, names[i], 0, &node),
                                 MEDIA_BUILD_BAD_NAME);
        assert_int_equal(media_build_file(b, 0, too_long, 0, &node),
                         MEDIA_BUILD_BAD_NAME);
        for (unsigned i = 0; r == 0 && i < 100; i++)
                r = media_build_folder(b, parent, "d", 0, &parent);
        assert_int_equal(r, MEDIA_BUILD_TOO_DEEP);
        media_build_free(b);
}

static void an_extent_outside_the_image_is_refused(void **state) {
        static const struct {
                uint64_t offset, length;
                int answer;
        } rows[] = { { 0, 1 << 20, 0 },
                     { 1 << 20, 0, 0 },
                     { 1, 1 << 20, MEDIA_BUILD_OUTSIDE },
                     { (1 << 20) + 1, 0, MEDIA_BUILD_OUTSIDE },
                     { UINT64_MAX, 2, MEDIA_BUILD_OUTSIDE } };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct media_build *b;
                uint32_t node;

                assert_int_equal(media_build_new(1 << 20, &b), 0);
                assert_int_equal(media_build_file(b, 0, "f", 0, &node), 0);
                assert_int_equal(
                        media_build_extent(b, node, rows[i].offset, rows[i].length),
                        rows[i].answer);
                media_build_free(b);
        }
}

static void a_web_of_links_costs_no_more_than_a_limit(void **state) {
        struct media_build *b;
        struct media_index index;
        struct media_node node;
        size_t n;
        void *data;

        /* Each link goes through the one before twice: 2^39 steps if nobody counts. */
        assert_int_equal(media_build_new(0, &b), 0);
        link_to(b, 0, "l00", ".");
        for (unsigned i = 1; i < 40; i++) {
                char name[4] = { 'l', (char)('0' + i / 10), (char)('0' + i % 10) };
                char before[8] = { 'l', (char)('0' + (i - 1) / 10),
                                   (char)('0' + (i - 1) % 10), '/' };

                memcpy(before + 4, before, 3);
                link_to(b, 0, name, before);
        }
        assert_int_equal(media_build_finish(b, &data, &n), 0);
        assert_int_equal(media_index_open(data, n, &index), 0);
        assert_true(media_index_lookup(&index, "l03", 3, &node));
        assert_false(media_index_lookup(&index, "l39", 3, &node));
        media_build_free(b);
        free(data);
}

static void *map_all(int fd, size_t *ret_n) {
        struct stat st;
        void *data;

        assert_int_equal(fstat(fd, &st), 0);
        *ret_n = (size_t)st.st_size;
        data = mmap(NULL, *ret_n, PROT_READ, MAP_SHARED, fd, 0);
        assert_ptr_not_equal(data, MAP_FAILED);
        return data;
}

/* What was NULL when it was written is "" when it is read. */
static void assert_is_sample_entry(const struct medium_entry *e) {
        assert_int_equal(e->boot, MEDIUM_MULTIBOOT);
        assert_string_equal(e->help, "asks first");
        assert_string_equal(e->initrd_name[1], "extra");
        assert_string_equal(e->initrd_args[0], "console=hvc0");
        assert_string_equal(e->initrd_args[1], "");
        assert_int_equal(e->n_ways, 2);
        assert_int_equal(e->ways[0].transport, MEDIUM_NFS_ISO);
        assert_string_equal(e->ways[0].args, "nfs=1");
        assert_int_equal(e->ways[0].memory, 1 << 30);
        assert_string_equal(e->ways[1].args, "http=1");
        assert_string_equal(e->answer_kind, "preseed");
        assert_string_equal(e->answer_args, "url=${answer}");
        assert_string_equal(e->secure_why_not, "it is not signed");
        assert_string_equal(e->remedy, "a file");
}

static void assert_is_sample(const struct medium *m) {
        assert_string_equal(m->name, "sample");
        assert_string_equal(m->system, "debian");
        assert_int_equal(m->mtime, 7);
        assert_int_equal(m->n_problems, 0);
        assert_string_equal(m->recognised_by[0], "a file");
        assert_int_equal(m->n_entries, 1);
        assert_string_equal(m->entries[0].initrd[1], "extra.cpio");
        assert_string_equal(m->entries[0].args, "--- quiet");
        assert_int_equal(m->entries[0].memory, 512 << 20);
        assert_is_sample_entry(&m->entries[0]);
        assert_string_equal(m->loaders[0].shim, "");
        assert_string_equal(m->loaders[3].shim, "shim.efi");
        assert_string_equal(m->loaders[3].grub, "grub.efi");
        assert_string_equal(m->loaders[3].why_not, "no TFTP");
        assert_string_equal(m->loaders[3].proxy_why_not, "no proxy");
}

static void a_sealed_index_says_what_the_medium_is_and_stays_so(void **state) {
        struct media_build *b = small_build();
        struct media_index index;
        struct media_node node;
        struct medium m;
        void *data, *mapped;
        size_t n;
        int fd;

        assert_int_equal(media_build_finish(b, &data, &n), 0);
        assert_int_equal(media_build_seal(data, n, &sample, &fd), 0);
        assert_int_equal(write(fd, "x", 1), -1);
        assert_int_equal(ftruncate(fd, 0), -1);
        mapped = map_all(fd, &n);
        assert_int_equal(media_index_open(mapped, n, &index), 0);
        assert_false(media_index_is_tree(&index));
        assert_true(media_index_lookup(&index, "kernel", 6, &node));
        media_index_medium(&index, &m);
        assert_is_sample(&m);
        munmap(mapped, n);
        close(fd);
        free(data);
        media_build_free(b);
}

static void a_tree_has_info_and_no_nodes(void **state) {
        struct media_index index;
        struct media_node node;
        struct medium m;
        void *mapped;
        size_t n;
        int fd;

        assert_int_equal(media_build_seal(NULL, 0, &sample, &fd), 0);
        mapped = map_all(fd, &n);
        assert_int_equal(media_index_open(mapped, n, &index), 0);
        assert_true(media_index_is_tree(&index));
        assert_false(media_index_lookup(&index, "", 0, &node));
        assert_false(media_index_node(&index, 0, &node));
        media_index_medium(&index, &m);
        assert_int_equal(m.kind, MEDIUM_TREE);
        assert_is_sample(&m);
        munmap(mapped, n);
        close(fd);
}

/* Uses everything an index offers, so that a sanitizer sees any step outside. */
static void read_all(const struct media_index *index) {
        struct media_node node;
        struct medium m;
        struct text out = { 0 };

        for (uint32_t i = 0; media_index_node(index, i, &node); i++) {
                for (uint32_t j = 0; j < node.n_children; j++)
                        assert_non_null(media_index_child(index, &node, j).name);
                for (uint32_t j = 0; j < node.n_extents; j++)
                        assert_true(media_index_extent(index, &node, j).length > 0);
        }
        if (media_index_lookup(index, "install/deep/up", 15, &node))
                assert_int_not_equal(node.kind, MEDIA_NODE_DEAD_LINK);
        media_index_medium(index, &m);
        medium_json(&m, &out);
        text_done(&out);
}

static void a_way_that_there_is_not_is_refused(void **state) {
        static const uint32_t transports[] = { 0, 3, 1 << MEDIUM_N_TRANSPORTS };

        for (size_t i = 0; i <= ARRAY_SIZE(transports); i++) {
                struct medium m = sample;
                struct media_index index;
                void *mapped;
                size_t n;
                int fd;

                if (i < ARRAY_SIZE(transports))
                        m.entries[0].ways[1].transport = transports[i];
                else
                        m.entries[0].boot = MEDIUM_N_BOOTS;
                assert_int_equal(media_build_seal(NULL, 0, &m, &fd), 0);
                mapped = map_all(fd, &n);
                assert_int_equal(media_index_open(mapped, n, &index), -EBADMSG);
                munmap(mapped, n);
                close(fd);
        }
}

static void a_damaged_index_is_refused_or_harmless(void **state) {
        struct media_build *b = small_build();
        size_t n, refused = 0;
        void *data, *mapped;
        int fd;

        assert_int_equal(media_build_finish(b, &data, &n), 0);
        assert_int_equal(media_build_seal(data, n, &sample, &fd), 0);
        free(data);
        mapped = map_all(fd, &n);
        for (size_t cut = 0; cut < n; cut++) {
                struct media_index index;

                assert_int_equal(media_index_open(mapped, cut, &index), -EBADMSG);
        }
        for (size_t i = 0; i < n * 3; i++) {
                static const uint8_t masks[] = { 0x01, 0x80, 0xff };
                uint8_t *copy = malloc(n);
                struct media_index index;

                memcpy(copy, mapped, n);
                copy[i / 3] ^= masks[i % 3];
                if (media_index_open(copy, n, &index) == 0)
                        read_all(&index);
                else
                        refused++;
                free(copy);
        }
        assert_true(refused > n / 4);
        munmap(mapped, n);
        close(fd);
        media_build_free(b);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_path_leads_to_its_bytes),
                cmocka_unit_test(neighbouring_pieces_of_a_file_are_joined),
                cmocka_unit_test(children_come_in_byte_order_each_name_once),
                cmocka_unit_test(a_dead_link_is_listed_as_one),
                cmocka_unit_test(what_no_path_can_hold_is_refused),
                cmocka_unit_test(an_extent_outside_the_image_is_refused),
                cmocka_unit_test(a_web_of_links_costs_no_more_than_a_limit),
                cmocka_unit_test(a_sealed_index_says_what_the_medium_is_and_stays_so),
                cmocka_unit_test(a_tree_has_info_and_no_nodes),
                cmocka_unit_test(a_way_that_there_is_not_is_refused),
                cmocka_unit_test(a_damaged_index_is_refused_or_harmless),
        };

        return check_run("media/index", tests);
}
