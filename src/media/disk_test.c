/*
 * Images of disks made byte by byte: tables of partitions, and file systems that are
 * wrong. What is sound comes from mtools, in test/golden/images.py.
 */
#include "media/disk.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "media/fat.h"
#include "test/check.h"

enum { SECTOR = 512, DISK = 1 << 20 };

static uint8_t disk[DISK];

static void put16(uint8_t *p, unsigned v) {
        p[0] = (uint8_t)v;
        p[1] = (uint8_t)(v >> 8);
}

static void put32(uint8_t *p, uint32_t v) {
        put16(p, v & 0xffff);
        put16(p + 2, v >> 16);
}

static void put_partition(unsigned i, uint8_t type, uint32_t first, uint32_t n) {
        uint8_t *e = disk + 446 + (size_t)i * 16;

        e[4] = type;
        put32(e + 8, first);
        put32(e + 12, n);
        disk[510] = 0x55;
        disk[511] = 0xaa;
}

/* FAT12 of `n` sectors: one table of one sector, 16 names in the root, clusters of one
 * sector from sector 3 on. */
static uint8_t *put_fat(uint32_t first, uint32_t n) {
        uint8_t *b = disk + (size_t)first * SECTOR;

        b[0] = 0xeb;
        put16(b + 11, SECTOR);
        b[13] = 1;
        put16(b + 14, 1);
        b[16] = 1;
        put16(b + 17, 16);
        put16(b + 19, n);
        b[21] = 0xf8;
        put16(b + 22, 1);
        return b;
}

static void put_next(uint8_t *fat, unsigned cluster, unsigned next) {
        uint8_t *p = fat + SECTOR + cluster + cluster / 2;

        put16(p, cluster & 1 ? (p[0] & 0xfu) | next << 4
                             : (unsigned)(p[1] & 0xf0) << 8 | next);
}

static void put_name(uint8_t *at, const char *name, uint8_t kind, unsigned cluster,
                     uint32_t size) {
        memcpy(at, name, 11);
        at[11] = kind;
        put16(at + 26, cluster);
        put32(at + 28, size);
}

static uint8_t *root_of(uint8_t *fat) {
        return fat + 2 * SECTOR;
}

static uint8_t *cluster_of(uint8_t *fat, unsigned cluster) {
        return fat + (size_t)(3 + cluster - 2) * SECTOR;
}

/* "VOLUME| path size, path size": folders without a size. */
static void is_read(uint64_t size, const char *want) {
        int fd = memfd_create("disk", MFD_CLOEXEC);
        struct media_iso iso = { 0 };
        struct media_index index;
        struct text out = { 0 }, why = { 0 };
        struct media_node top, node, below;

        assert_int_equal(write(fd, disk, size), size);
        assert_int_equal(media_disk_read(fd, size, "x.img", &iso, &why), 0);
        assert_int_equal(media_index_open(iso.data, iso.n, &index), 0);
        text_add(&out, iso.volume);
        text_char(&out, '|');
        assert_true(media_index_node(&index, 0, &top));
        for (uint32_t i = 0; i < top.n_children; i++) {
                node = media_index_child(&index, &top, i);
                text_char(&out, ' ');
                text_add(&out, node.name);
                if (node.kind == MEDIA_NODE_FILE) {
                        text_char(&out, ' ');
                        text_u64(&out, node.size);
                }
                for (uint32_t k = 0;
                     node.kind == MEDIA_NODE_FOLDER && k < node.n_children; k++) {
                        below = media_index_child(&index, &node, k);
                        text_add(&out, " /");
                        text_add(&out, below.name);
                        text_char(&out, ' ');
                        text_u64(&out, below.size);
                }
        }
        assert_string_equal(text_string(&out), want);
        text_done(&out);
        text_done(&why);
        media_iso_done(&iso);
        close(fd);
}

static int clear(void **state) {
        memset(disk, 0, sizeof(disk));
        return 0;
}

static void what_is_nothing_known_is_one_file(void **state) {
        is_read(1000, "| x.img 1000");
        disk[510] = 0x55;
        disk[511] = 0xaa;
        is_read(DISK, "| x.img 1048576");
}

static void partitions_are_files_by_their_kind(void **state) {
        put_partition(0, 0xef, 8, 100);
        put_partition(1, 0xa5, 200, 300);
        put_partition(2, 0xa6, 2000, 100); /* beyond the end */
        put_partition(3, 0x83, 600, 1448);
        is_read(DISK, "| [DISK] /1-EFI.img 51200 /2-FreeBSD.img 153600 "
                      "/3-Linux.img 741376");
}

static void a_gpt_is_read_behind_its_mbr(void **state) {
        static const uint8_t efi[4] = { 0x28, 0x73, 0x2a, 0xc1 };
        uint8_t *entry = disk + 2 * SECTOR;

        put_partition(0, 0xee, 1, 2047);
        memcpy(disk + SECTOR, "EFI PART", 8);
        put32(disk + SECTOR + 72, 2);
        put32(disk + SECTOR + 80, 4);
        put32(disk + SECTOR + 84, 128);
        memcpy(entry, efi, 4);
        put32(entry + 32, 40);
        put32(entry + 40, 139);
        memset(entry + 128, 0xff, 16);
        put32(entry + 128 + 32, 200);
        put32(entry + 128 + 40, 199); /* ends before it begins */
        memset(entry + 256, 0xff, 16);
        put32(entry + 256 + 32, 200);
        put32(entry + 256 + 40, 200);
        is_read(DISK, "| [DISK] /1-EFI.img 51200 /2-other.img 512");
}

static void files_of_a_floppy_are_read(void **state) {
        uint8_t *fat = put_fat(0, 100);

        put_name(root_of(fat), "STICK      ", 0x08, 0, 0);
        put_name(root_of(fat) + 32, "KERNEL  SYS", 0, 2, 700);
        put_name(root_of(fat) + 64, "SUB        ", 0x10, 4, 0);
        put_name(root_of(fat) + 96, "\xe5OLD    TXT", 0, 2, 5);
        put_next(fat, 2, 5);
        put_next(fat, 5, 0xfff);
        put_next(fat, 4, 0xfff);
        put_name(cluster_of(fat, 4), ".          ", 0x10, 4, 0);
        put_name(cluster_of(fat, 4) + 32, "EMPTY      ", 0, 0, 0);
        is_read(DISK, "STICK| kernel.sys 700 sub /empty 0");
        /* The same, in a partition. */
        memmove(disk + 64 * SECTOR, disk, 103 * SECTOR);
        memset(disk, 0, 64 * SECTOR);
        put_partition(0, 0x0c, 64, 200);
        is_read(DISK, "STICK| [DISK] /1-FAT.img 102400 kernel.sys 700 sub /empty 0");
}

/* All of a damaged file system is left out, and the image is what it was. */
static void a_damaged_file_system_hides_itself(void **state) {
        uint8_t *fat = put_fat(0, 100);

        put_name(root_of(fat), "A          ", 0, 2, 700);
        put_next(fat, 2, 0); /* and there it ends, too early */
        is_read(DISK, "| x.img 1048576");
        put_next(fat, 2, 0xff0); /* no such cluster */
        is_read(DISK, "| x.img 1048576");
        put_next(fat, 2, 3);
        is_read(DISK, "| a 700");
}

static void folders_in_circles_end(void **state) {
        uint8_t *fat = put_fat(0, 100);

        put_name(root_of(fat), "A          ", 0x10, 2, 0);
        put_name(cluster_of(fat, 2), "B          ", 0x10, 2, 0);
        is_read(DISK, "| x.img 1048576");
        /* A chain that comes back to where it was, of a folder that never ends. */
        for (unsigned i = 0; i < SECTOR / 32; i++)
                put_name(cluster_of(fat, 2) + (size_t)i * 32, "\xe5          ", 0, 0,
                         0);
        put_next(fat, 2, 2);
        is_read(DISK, "| x.img 1048576");
}

static void a_long_name_needs_its_short_one(void **state) {
        uint8_t *fat = put_fat(0, 100), *e = root_of(fat);
        static const uint8_t places[] = {
                1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30
        };
        const char *name = "Read Me.txt";
        uint8_t sum = 0;

        put_name(e + 32, "README~1TXT", 0, 2, 10);
        put_next(fat, 2, 0xfff);
        for (size_t i = 0; i < 11; i++)
                sum = (uint8_t)((sum >> 1 | sum << 7) + e[32 + i]);
        e[0] = 0x41;
        e[11] = 0x0f;
        e[13] = sum;
        for (size_t i = 0; i <= strlen(name); i++)
                e[places[i]] = (uint8_t)name[i];
        is_read(DISK, "| Read Me.txt 10");
        e[13]++;
        is_read(DISK, "| readme~1.txt 10");
        e[13] = sum;
        e[0] = 0x42; /* its first piece is missing */
        is_read(DISK, "| readme~1.txt 10");
        e[0] = 0x7f; /* more pieces than a name can have */
        is_read(DISK, "| readme~1.txt 10");
}

static void an_empty_file_is_refused(void **state) {
        struct media_iso iso = { 0 };
        struct text why = { 0 };

        assert_int_equal(media_disk_read(-1, 0, "x.img", &iso, &why),
                         MEDIA_ISO_REFUSED);
        assert_string_equal(text_string(&why), "the file is empty");
        text_done(&why);
}

#define T(f) cmocka_unit_test_setup(f, clear)

int main(void) {
        const struct CMUnitTest tests[] = {
                T(what_is_nothing_known_is_one_file),
                T(partitions_are_files_by_their_kind),
                T(a_gpt_is_read_behind_its_mbr),
                T(files_of_a_floppy_are_read),
                T(a_damaged_file_system_hides_itself),
                T(folders_in_circles_end),
                T(a_long_name_needs_its_short_one),
                T(an_empty_file_is_refused),
        };

        return check_run("media/disk", tests);
}
