/*
 * A table of partitions is MBR's, of four, or GPT's (UEFI 2.10, 5.2 and 5.3); a floppy
 * has none and begins with its file system. Of extended partitions nobody makes images
 * to boot from.
 *
 * A partition or a file system that is wrong hides itself and nothing else: the image
 * as a whole can always be offered.
 */
#include "media/disk.h"

#include <stdlib.h>
#include <unistd.h>

#include "media/bytes.h"
#include "media/fat.h"

enum { SECTOR = 512, PARTITIONS_MAX = 128, MBR_PARTITIONS = 4, GPT_ENTRY_MAX = 4096 };

struct partition {
        uint64_t at, n; /* bytes */
        const char *what;
};

struct disk {
        int fd;
        uint64_t size;
        struct partition partitions[PARTITIONS_MAX];
        size_t n;
};

static bool read_at(const struct disk *d, uint64_t at, void *buffer, size_t n) {
        return at <= d->size && n <= d->size - at &&
               pread(d->fd, buffer, n, (off_t)at) == (ssize_t)n;
}

static void add(struct disk *d, uint64_t first, uint64_t n, const char *what) {
        if (d->n == PARTITIONS_MAX || first == 0 || n == 0 ||
            first >= d->size / SECTOR || n > d->size / SECTOR - first)
                return;
        d->partitions[d->n++] = (struct partition){ first * SECTOR, n * SECTOR, what };
}

static const char *mbr_type(uint8_t type) {
        switch (type) {
        case 0x01:
        case 0x04:
        case 0x06:
        case 0x0b:
        case 0x0c:
        case 0x0e:
                return "FAT";
        case 0x07:
                return "Windows";
        case 0x83:
                return "Linux";
        case 0xa5:
                return "FreeBSD";
        case 0xa6:
                return "OpenBSD";
        case 0xef:
                return "EFI";
        default:
                return "other";
        }
}

/* The first three fields of the GUID, as they lie on the disk. */
static const char *gpt_type(const uint8_t *guid) {
        switch (le32(guid)) {
        case 0xc12a7328:
                return "EFI";
        case 0xebd0a0a2:
                return "FAT"; /* or another of Microsoft's */
        case 0x0fc63daf:
                return "Linux";
        case 0x516e7cb6: /* UFS */
        case 0x516e7cb4:
                return "FreeBSD";
        case 0x824cc7a0:
                return "OpenBSD";
        default:
                return "other";
        }
}

static void read_gpt(struct disk *d) {
        uint8_t head[SECTOR], entry[128];
        uint64_t at;
        uint32_t n, each;

        if (!read_at(d, SECTOR, head, sizeof(head)) || memcmp(head, "EFI PART", 8) != 0)
                return;
        at = le64(head + 72);
        n = le32(head + 80);
        each = le32(head + 84);
        if (at > d->size / SECTOR || each < sizeof(entry) || each > GPT_ENTRY_MAX)
                return;
        for (uint32_t i = 0; i < n && i < PARTITIONS_MAX; i++) {
                uint64_t first, last;

                if (!read_at(d, at * SECTOR + (uint64_t)i * each, entry, sizeof(entry)))
                        return;
                first = le64(entry + 32);
                last = le64(entry + 40);
                if (first > 0 && last >= first && last < d->size / SECTOR)
                        add(d, first, last - first + 1, gpt_type(entry));
        }
}

/* The boot sector of a FAT ends with the same two bytes; its fields then make no sound
 * table. */
static void read_mbr(struct disk *d) {
        uint8_t sector[SECTOR];

        if (!read_at(d, 0, sector, sizeof(sector)) || sector[510] != 0x55 ||
            sector[511] != 0xaa)
                return;
        for (unsigned i = 0; i < MBR_PARTITIONS; i++) {
                const uint8_t *e = sector + 446 + (size_t)i * 16;

                if ((e[0] & 0x7f) != 0)
                        return;
                if (e[4] != 0 && e[4] != 0xee)
                        add(d, le32(e + 8), le32(e + 12), mbr_type(e[4]));
        }
}

static int add_partitions(const struct disk *d, struct media_build *build) {
        uint32_t folder, node;
        int r = d->n ? media_build_folder(build, 0, "[DISK]", 0, &folder) : 0;

        for (size_t i = 0; i < d->n && r == 0; i++) {
                struct text name = { 0 };

                text_u64(&name, i + 1);
                text_char(&name, '-');
                text_add(&name, d->partitions[i].what);
                text_add(&name, ".img");
                r = name.failed ? -ENOMEM
                                : media_build_file(build, folder, text_string(&name), 0,
                                                   &node);
                if (r == 0)
                        r = media_build_extent(build, node, d->partitions[i].at,
                                               d->partitions[i].n);
                text_done(&name);
        }
        return r;
}

/* The first that there is: of the whole, or of a partition. */
static int find_fat(const struct disk *d, struct media_fat **ret) {
        int r = d->n ? MEDIA_FAT_NONE : media_fat_new(d->fd, 0, d->size, ret);

        for (size_t i = 0; i < d->n && r == MEDIA_FAT_NONE; i++)
                r = media_fat_new(d->fd, d->partitions[i].at, d->partitions[i].n, ret);
        return r;
}

static int add_whole(const struct disk *d, struct media_build *build,
                     const char *name) {
        uint32_t node;
        int r = media_build_file(build, 0, name, 0, &node);

        return r ? r : media_build_extent(build, node, 0, d->size);
}

/* A file system of which something is wrong is left out, all of it. */
static int add_all(const struct disk *d, const char *name, bool with_files,
                   struct media_iso *iso) {
        struct media_build *build = NULL;
        struct media_fat *fat = NULL;
        struct text why = { 0 };
        int r = media_build_new(d->size, &build), found = MEDIA_FAT_NONE;

        if (r == 0)
                r = add_partitions(d, build);
        if (r == 0 && with_files)
                found = find_fat(d, &fat);
        if (r == 0 && found == 0)
                found = media_fat_add(fat, build, &why);
        if (r == 0 && found < 0)
                r = found;
        if (r == 0 && found == 0)
                memcpy(iso->volume, media_fat_label(fat), sizeof(iso->volume));
        if (r == 0 && found == MEDIA_FAT_NONE && d->n == 0)
                r = add_whole(d, build, name);
        if (r == 0 && found != MEDIA_FAT_DAMAGED)
                r = media_build_finish(build, &iso->data, &iso->n);
        media_build_free(build);
        media_fat_free(fat);
        text_done(&why);
        return r == 0 && found == MEDIA_FAT_DAMAGED ? add_all(d, name, false, iso) : r;
}

int media_disk_read(int fd, uint64_t size, const char *name, struct media_iso *ret,
                    struct text *why) {
        struct disk disk = { .fd = fd, .size = size };
        struct media_iso iso = { 0 };
        int r;

        if (size == 0) {
                text_add(why, "the file is empty");
                return MEDIA_ISO_REFUSED;
        }
        read_mbr(&disk);
        if (disk.n == 0)
                read_gpt(&disk);
        r = add_all(&disk, name, true, &iso);
        if (r == 0)
                *ret = iso;
        return r > 0 ? MEDIA_ISO_REFUSED : r;
}
