/*
 * Volumes written here field by field, in every form that a revision of UDF allows, and
 * by genisoimage and mkudffs; then damaged.
 */
#include "media/udf.h"

#include <sys/stat.h>

#include "test/check.h"
#include "test/tree.h"

enum { PARTITION = 300, BLOCKS = 700, METADATA_FILE = 4, METADATA = 100 };

struct form {
        uint32_t block;
        bool metadata;    /* 2.50 and later */
        bool extended;    /* extended file entries: 2.00 and later */
        uint8_t ads_kind; /* of files: 0 short, 1 long, 3 in the entry itself */
        bool is_continued;
        bool only_reserve; /* the main sequence is overwritten */
        bool anchor_at_end;
};

struct image {
        struct form form;
        uint8_t *data;
        size_t n;
        uint32_t next; /* free block of the partition */
};

static void put16(uint8_t *p, uint32_t v) {
        p[0] = (uint8_t)v;
        p[1] = (uint8_t)(v >> 8);
}

static void put32(uint8_t *p, uint32_t v) {
        put16(p, v);
        put16(p + 2, v >> 16);
}

static uint16_t crc_of(const uint8_t *p, size_t n) {
        uint16_t crc = 0;

        while (n-- > 0) {
                crc ^= (uint16_t)(*p++ << 8);
                for (int i = 0; i < 8; i++)
                        crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
        }
        return crc;
}

static void seal(uint8_t *p, uint16_t tag, uint32_t location, size_t n) {
        uint8_t sum = 0;

        put16(p, tag);
        put16(p + 2, 3);
        put16(p + 10, (uint32_t)n - 16);
        put16(p + 8, crc_of(p + 16, n - 16));
        put32(p + 12, location);
        p[4] = 0;
        for (int i = 0; i < 16; i++)
                sum = (uint8_t)(sum + p[i]);
        p[4] = sum;
}

static uint8_t *sector(struct image *im, uint32_t i) {
        return im->data + (size_t)i * im->form.block;
}

static uint8_t *block_at(struct image *im, uint32_t i) {
        return sector(im, PARTITION + i);
}

/* Where a block that metadata lies in is numbered from. */
static uint32_t meta(const struct image *im, uint32_t i) {
        return im->form.metadata ? i - METADATA : i;
}

static void put_sequence(struct image *im, uint32_t at) {
        uint8_t *b = sector(im, at);

        b[24] = 8;
        memcpy(b + 25, "A VOLUME", 8);
        b[24 + 31] = 9;
        seal(b, 1, at, 512);
        b = sector(im, ++at);
        put16(b + 22, 7); /* its number is not its place */
        put32(b + 188, PARTITION);
        put32(b + 192, BLOCKS - PARTITION - 1);
        seal(b, 5, at, 512);
        b = sector(im, ++at);
        put32(b + 212, im->form.block);
        put32(b + 248, im->form.block);
        put32(b + 252, meta(im, METADATA));
        put16(b + 256, im->form.metadata ? 1 : 0);
        put32(b + 264, im->form.metadata ? 70 : 6);
        put32(b + 268, im->form.metadata ? 2 : 1);
        b[440] = 1;
        b[441] = 6;
        put16(b + 444, 7);
        b[446] = 2;
        b[447] = 64;
        memcpy(b + 446 + 5, "*UDF Metadata Partition", 23);
        put16(b + 446 + 38, 7);
        put32(b + 446 + 40, METADATA_FILE);
        seal(b, 6, at, 440 + 70);
        seal(sector(im, at + 1), 8, at + 1, 512);
}

static void put_anchor(struct image *im, uint32_t at) {
        uint8_t *b = sector(im, at);

        put32(b + 16, 16 * im->form.block);
        put32(b + 20, 260);
        put32(b + 24, 16 * im->form.block);
        put32(b + 28, 280);
        seal(b, 2, at, 512);
}

/* The head of a file entry; returns where its descriptors go. */
static uint8_t *put_entry(struct image *im, uint8_t *b, uint8_t type, uint8_t ads_kind,
                          uint64_t length, uint32_t n_ads) {
        bool extended = im->form.extended;
        uint8_t *mtime = b + (extended ? 92 : 84);

        put16(b + 20, 4);
        b[27] = type;
        put16(b + 34, ads_kind);
        put32(b + 44, type == 4 ? 0x14a5 : 0x1084); /* r-xr-xr-x, r--r--r-- */
        put32(b + 56, (uint32_t)length);
        put16(mtime, 0x1000 | 60);
        put16(mtime + 2, 2023);
        memcpy(mtime + 4, "\x0b\x0e\x17\x0d\x14", 5); /* 14 November, 23:13:20 */
        put32(b + (extended ? 212 : 172), n_ads);
        return b + (extended ? 216 : 176);
}

static void seal_entry(struct image *im, uint32_t block, bool is_metadata) {
        seal(block_at(im, block), im->form.extended ? 266 : 261,
             is_metadata ? meta(im, block) : block, im->form.block);
}

static uint8_t *put_ad(uint8_t *p, uint8_t kind, uint32_t length, uint32_t block) {
        put32(p, length);
        put32(p + 4, block);
        return p + (kind == 0 ? 8 : 16);
}

/* A file of `n` bytes in two pieces that do not follow each other. Returns its entry.
 */
static uint32_t put_file(struct image *im, const char *data, size_t n) {
        uint32_t entry = im->next++, first = im->next, half = im->form.block;
        uint8_t kind = im->form.ads_kind, *b = block_at(im, entry), *p;

        if (kind == 0 && im->form.metadata)
                kind = 1; /* content lies outside of the entry's partition */
        if (kind == 3) {
                memcpy(put_entry(im, b, 5, 3, n, (uint32_t)n), data, n);
                seal_entry(im, entry, true);
                return entry;
        }
        im->next += 4;
        memcpy(block_at(im, first), data, min_size(n, half));
        if (n > half)
                memcpy(block_at(im, first + 2), data + half, n - half);
        p = put_entry(im, b, 5, kind, n, (kind == 0 ? 8 : 16) * 2);
        p = put_ad(p, kind, (uint32_t)min_size(n, half), first);
        if (n > half && im->form.is_continued) {
                uint8_t *more = block_at(im, first + 3);

                put_ad(p, kind, 3U << 30 | im->form.block, first + 3);
                put32(more + 20, kind == 0 ? 8 : 16);
                put_ad(more + 24, kind, (uint32_t)(n - half), first + 2);
                seal(more, 258, first + 3, 64);
        } else if (n > half) {
                put_ad(p, kind, (uint32_t)(n - half), first + 2);
        }
        seal_entry(im, entry, true);
        return entry;
}

struct name {
        const char *bytes; /* with their compression id */
        size_t n;
        uint32_t entry;
        uint8_t flags;
};

static uint32_t put_list(struct image *im, uint32_t entry, const struct name *names,
                         size_t n_names) {
        uint32_t content = im->next++;
        uint8_t *start = block_at(im, content), *p = start;

        for (size_t i = 0; i < n_names; i++) {
                size_t n = (38 + names[i].n + 3) / 4 * 4;

                p[18] = names[i].flags;
                p[19] = (uint8_t)names[i].n;
                put32(p + 20, im->form.block);
                put32(p + 24, meta(im, names[i].entry));
                put16(p + 28, im->form.metadata ? 1 : 0);
                memcpy(p + 38, names[i].bytes, names[i].n);
                seal(p, 257, meta(im, content), n);
                p += n;
        }
        put_ad(put_entry(im, block_at(im, entry), 4, 0, (uint64_t)(p - start), 8), 0,
               (uint32_t)(p - start), meta(im, content));
        seal_entry(im, entry, true);
        return entry;
}

#define NAME(s) "\x08" s, sizeof("\x08" s) - 1

static char big[8192];

static uint32_t put_link(struct image *im) {
        static const char target[] = "\3\0\0\0\5\x0a\0\0\x08hello.txt";
        uint32_t entry = im->next++;

        memcpy(put_entry(im, block_at(im, entry), 12, 3, sizeof(target) - 1,
                         sizeof(target) - 1),
               target, sizeof(target) - 1);
        seal_entry(im, entry, true);
        return entry;
}

static void put_tree(struct image *im) {
        static const char wide[] = "\x10\0\xfc\x26\x03\xd8\x3d\xde\x00"; /* ü ☃ 😀 */
        uint32_t root = im->next++, folder = im->next++;
        const struct name inside[] = {
                { "", 0, root, 2 | 8 },
                { NAME("big"),
                  put_file(im, big,
                           im->form.ads_kind == 3 ? 1200 : im->form.block + 900),
                  0 },
                { wide, sizeof(wide) - 1, put_file(im, "wide", 4), 0 },
                { NAME("link"), put_link(im), 0 },
                { NAME("a/b"), put_file(im, "x", 1), 0 },
                { NAME("gone"), 0xffff, 4 },
        };
        const struct name top[] = {
                { "", 0, root, 2 | 8 },
                { NAME("hello.txt"), put_file(im, "hello\n", 6), 0 },
                { NAME("folder"), put_list(im, folder, inside, ARRAY_SIZE(inside)), 2 },
                { NAME("empty"), put_file(im, "", 0), 0 },
        };

        put_list(im, root, top, ARRAY_SIZE(top));
}

static void make(struct image *im, struct form form) {
        uint8_t *b;

        for (size_t i = 0; i < sizeof(big); i++)
                big[i] = (char)(i * 7 ^ i >> 5);
        *im = (struct image){ .form = form, .n = (size_t)BLOCKS * form.block };
        im->data = calloc(1, im->n);
        im->next = METADATA + 1;
        memcpy(im->data + 32768 + 1, "BEA01", 5);
        memcpy(im->data + 32768 + 2048 + 1, "NSR03", 5);
        memcpy(im->data + 32768 + 4096 + 1, "TEA01", 5);
        put_anchor(im, form.anchor_at_end ? BLOCKS - 1 : 256);
        if (!form.only_reserve)
                put_sequence(im, 260);
        put_sequence(im, 280);
        if (form.metadata) { /* two pieces, the second one far away */
                b = put_entry(im, block_at(im, METADATA_FILE), 250, 0, 200 * form.block,
                              16);
                b = put_ad(b, 0, 150 * form.block, METADATA);
                put_ad(b, 0, 50 * form.block, METADATA + 150);
                seal_entry(im, METADATA_FILE, false);
        }
        b = block_at(im, METADATA);
        put32(b + 400, form.block);
        put32(b + 404, meta(im, im->next));
        put16(b + 408, form.metadata ? 1 : 0);
        seal(b, 256, meta(im, METADATA), 512);
        put_tree(im);
}

static int read_file(const char *path, struct media_iso *ret, struct text *why) {
        int fd = open(path, O_RDONLY | O_CLOEXEC), r;
        struct stat st;

        assert_true(fd >= 0);
        assert_int_equal(fstat(fd, &st), 0);
        r = media_udf_read(fd, (uint64_t)st.st_size, ret, why);
        close(fd);
        return r;
}

static int read_image(const struct image *im, size_t n, struct media_iso *ret,
                      struct text *why) {
        char path[] = "/tmp/bootjack-udf-XXXXXX";
        int fd = mkstemp(path), r;

        assert_int_equal(write(fd, im->data, n), n);
        close(fd);
        r = read_file(path, ret, why);
        unlink(path);
        return r;
}

static void expect_bytes(const struct image *im, const struct media_index *index,
                         const char *path, const char *data, size_t n) {
        struct media_node node;
        size_t at = 0;

        if (!media_index_lookup(index, path, strlen(path), &node))
                fail_msg("%s is missing", path);
        assert_int_equal(node.kind, MEDIA_NODE_FILE);
        assert_int_equal(node.size, n);
        for (uint32_t i = 0; i < node.n_extents; i++) {
                struct media_extent e = media_index_extent(index, &node, i);

                assert_memory_equal(im->data + e.offset, data + at, e.length);
                at += e.length;
        }
        assert_int_equal(at, n);
}

static void every_form_of_a_volume_is_read(void **state) {
        static const struct form forms[] = {
                { .block = 2048 },
                { .block = 2048, .ads_kind = 1 },
                { .block = 2048, .ads_kind = 3 },
                { .block = 2048, .extended = true },
                { .block = 2048, .is_continued = true },
                { .block = 2048, .ads_kind = 1, .is_continued = true },
                { .block = 2048, .extended = true, .metadata = true },
                { .block = 2048, .extended = true, .metadata = true, .ads_kind = 3 },
                { .block = 2048, .only_reserve = true },
                { .block = 2048, .anchor_at_end = true },
                { .block = 512, .extended = true },
                { .block = 1024 },
                { .block = 4096, .extended = true, .metadata = true },
        };

        for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
                struct media_iso iso = { 0 };
                struct text why = { 0 };
                struct media_index index;
                struct media_node node;
                struct image im;
                uint32_t link;

                if (forms[i].ads_kind == 3 && forms[i].block < 2048)
                        continue;
                make(&im, forms[i]);
                if (read_image(&im, im.n, &iso, &why) != MEDIA_ISO_OK)
                        fail_msg("form %zu: %s", i, text_string(&why));
                assert_string_equal(iso.volume, "A VOLUME");
                assert_int_equal(media_index_open(iso.data, iso.n, &index), 0);
                expect_bytes(&im, &index, "hello.txt", "hello\n", 6);
                expect_bytes(&im, &index, "empty", "", 0);
                expect_bytes(&im, &index, "folder/big", big,
                             forms[i].ads_kind == 3 ? 1200 : forms[i].block + 900);
                expect_bytes(&im, &index, "folder/\u00fc\u2603\U0001f600", "wide", 4);
                expect_bytes(&im, &index, "folder/link", "hello\n", 6);
                assert_true(media_index_find(&index, "folder/link", 11, &link));
                assert_true(media_index_node(&index, link, &node));
                assert_string_equal(node.link, "../hello.txt");
                assert_false(media_index_lookup(&index, "folder/gone", 11, &node));
                assert_true(media_index_lookup(&index, "folder", 6, &node));
                assert_int_equal(node.n_children, 3); /* and not "a/b" */
                assert_int_equal(node.mode, 0555);
                assert_int_equal(node.mtime / NSEC_PER_SEC, 1700000000);
                media_iso_done(&iso);
                text_done(&why);
                free(im.data);
        }
}

static void expect_refused(struct image *im, size_t n, const char *words) {
        struct media_iso iso = { 0 };
        struct text why = { 0 };

        assert_int_equal(read_image(im, n, &iso, &why), MEDIA_ISO_REFUSED);
        if (!strstr(text_string(&why), words))
                fail_msg("'%s' is not in '%s'", words, text_string(&why));
        text_done(&why);
        free(im->data);
}

static void a_copy_that_was_cut_short_is_called_so(void **state) {
        struct image im;

        make(&im, (struct form){ .block = 2048 });
        expect_refused(&im, im.n - 5 * 2048, "truncated: 1423360 of 1431552 bytes");
        make(&im, (struct form){ .block = 2048 });
        expect_refused(&im, 100 * 2048, "without an anchor, or cut short");
}

static void damage_is_told_and_never_followed(void **state) {
        static const struct {
                uint32_t block; /* of the partition */
                size_t at;
                uint8_t value;
                bool is_sealed; /* anew: the damage is in the meaning, not in the bytes
                                 */
                const char *words;
        } rows[] = {
                { METADATA, 30, 9, false, "no file set" },
                { METADATA + 1, 60, 9, false, "top folder is missing" },
                { METADATA + 1, 27, 5, true, "top folder is missing" },
                { METADATA + 1, 56, 255, true, "longer than its extents" },
                { METADATA + 1, 173, 255, true, "top folder is missing" },
                { METADATA + 1, 59, 1, true, "impossible size" },
                { METADATA + 1, 34, 2, true, "unknown kind" },
                { METADATA + 1, 182, 1, true, "outside its partition" },
                { METADATA + 1, 179, 0xc0, true, "go on where there are none" },
                { METADATA + 1, 179, 0x40, true, "holes" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct image im;
                uint8_t *b;

                make(&im, (struct form){ .block = 2048 });
                b = block_at(&im, rows[i].block);
                b[rows[i].at] = rows[i].value;
                if (rows[i].is_sealed)
                        seal_entry(&im, rows[i].block, true);
                expect_refused(&im, im.n, rows[i].words);
        }
}

static void a_folder_inside_itself_ends(void **state) {
        struct name loop = { NAME("loop"), METADATA + 1, 2 };
        struct image im;

        make(&im, (struct form){ .block = 2048 });
        put_list(&im, METADATA + 1, &loop, 1);
        expect_refused(&im, im.n, "folders nested too deep: loop");
}

static void folders_that_share_children_end(void **state) {
        const struct name twice[] = { { NAME("a"), METADATA + 1, 2 },
                                      { NAME("b"), METADATA + 1, 2 } };
        struct image im;

        make(&im, (struct form){ .block = 2048 });
        put_list(&im, METADATA + 1, twice, 2);
        expect_refused(&im, im.n, "folders nested too deep");
}

static void extents_that_go_on_in_a_circle_end(void **state) {
        struct image im;
        uint8_t *b, *more;

        make(&im, (struct form){ .block = 2048 });
        b = block_at(&im, METADATA + 1);
        put_ad(b + 176, 0, 3U << 30 | 2048, 300);
        seal_entry(&im, METADATA + 1, true);
        more = block_at(&im, 300);
        put32(more + 20, 8);
        put_ad(more + 24, 0, 3U << 30 | 2048, 300);
        seal(more, 258, 300, 64);
        expect_refused(&im, im.n, "never end");
}

/* ---- what others wrote ---- */

static void run(const char *format, const char *a, const char *b) {
        char command[3 * TREE_PATH_MAX];

        snprintf(command, sizeof(command), format, a, b);
        assert_int_equal(system(command), 0);
}

static void an_image_of_genisoimage_is_read(void **state) {
        char top[TREE_PATH_MAX], tree[TREE_PATH_MAX], path[TREE_PATH_MAX];
        struct media_iso iso = { 0 };
        struct text why = { 0 };
        struct media_index index;
        struct image im = { 0 };

        tree_new(top);
        tree_path(top, "tree", tree);
        tree_path(top, "image.iso", path);
        tree_bytes(tree, "sources/boot.wim", big, sizeof(big));
        tree_bytes(tree, "a file with a long name and spaces.txt", "x", 1);
        run("genisoimage -quiet -udf -V WINDOWS -o '%s' '%s' 2>/dev/null", path, tree);
        im.data = tree_read(path, &im.n);
        assert_true(media_udf_is(im.data + 32768, 32768));
        if (read_file(path, &iso, &why) != MEDIA_ISO_OK)
                fail_msg("%s", text_string(&why));
        assert_string_equal(iso.volume, "WINDOWS");
        assert_int_equal(media_index_open(iso.data, iso.n, &index), 0);
        expect_bytes(&im, &index, "sources/boot.wim", big, sizeof(big));
        expect_bytes(&im, &index, "a file with a long name and spaces.txt", "x", 1);
        media_iso_done(&iso);
        text_done(&why);
        free(im.data);
        tree_remove(top);
}

static void empty_volumes_of_mkudffs_are_read(void **state) {
        static const char *const options[] = {
                "--media-type=hd --udfrev=0x0102 --blocksize=2048",
                "--media-type=dvdram --udfrev=0x0150",
                "--media-type=hd --udfrev=0x0201 --blocksize=512",
                "--media-type=hd --udfrev=0x0201 --blocksize=4096",
                "--media-type=dvdrw --udfrev=0x0201",
                "--media-type=dvd --udfrev=0x0201",
                "--media-type=bdr --udfrev=0x0260",
        };
        char top[TREE_PATH_MAX], path[TREE_PATH_MAX];

        tree_new(top);
        tree_path(top, "image.udf", path);
        for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
                struct media_iso iso = { 0 };
                struct text why = { 0 };
                struct media_index index;

                unlink(path);
                run("mkudffs --new-file --label=EMPTY %s '%s' 8192 >/dev/null 2>&1",
                    options[i], path);
                if (read_file(path, &iso, &why) == MEDIA_ISO_OK) {
                        assert_int_equal(media_index_open(iso.data, iso.n, &index), 0);
                        media_iso_done(&iso);
                } else if (!strstr(text_string(&why), "write-once")) {
                        fail_msg("%s: %s", options[i], text_string(&why));
                }
                text_done(&why);
        }
        tree_remove(top);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_form_of_a_volume_is_read),
                cmocka_unit_test(a_copy_that_was_cut_short_is_called_so),
                cmocka_unit_test(damage_is_told_and_never_followed),
                cmocka_unit_test(a_folder_inside_itself_ends),
                cmocka_unit_test(folders_that_share_children_end),
                cmocka_unit_test(extents_that_go_on_in_a_circle_end),
                cmocka_unit_test(an_image_of_genisoimage_is_read),
                cmocka_unit_test(empty_volumes_of_mkudffs_are_read),
        };
        return check_run("media/udf", tests);
}
