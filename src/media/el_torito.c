/*
 * The catalogue says where a boot image begins and, in units of 512 bytes, how much of
 * it the BIOS loads at first. That is not how long it is: mostly a file says so, else
 * the disk that is emulated, else the file system in it.
 */
#include "media/el_torito.h"

#include <stdio.h>
#include <unistd.h>

#include "media/bytes.h"
#include "media/pvd.h"

enum {
        ENTRY = 32,
        BOOTS_MAX = 32,
        UNIT = 512,
        PLATFORM_BIOS = 0,
        PLATFORM_UEFI = 0xef,
        BOOTABLE = 0x88,
        SECTION = 0x90,
        SECTION_LAST = 0x91,
        EXTENSION = 0x44,
};

struct boots {
        int fd;
        uint64_t size;
        struct media_build *build;
        uint32_t folder;
        bool has_folder;
        int n;
};

bool el_torito_is(const uint8_t *descriptor) {
        return memcmp(descriptor + 7, "EL TORITO SPECIFICATION", 23) == 0;
}

/* A FAT's own count of its sectors (ECMA-107 10); 0 when it is none. */
static uint64_t fat_size(struct boots *b, uint64_t at) {
        uint8_t head[UNIT];
        uint32_t unit, n;

        if (at + sizeof(head) > b->size ||
            pread(b->fd, head, sizeof(head), (off_t)at) != (ssize_t)sizeof(head))
                return 0;
        unit = le16(head + 11);
        n = le16(head + 19) ? le16(head + 19) : le32(head + 32);
        if (head[510] != 0x55 || head[511] != 0xaa || (unit != 512 && unit != 2048) ||
            (head[0] != 0xeb && head[0] != 0xe9))
                return 0;
        return (uint64_t)n * unit;
}

static uint64_t size_of(struct boots *b, const uint8_t *entry, uint64_t at) {
        static const uint32_t floppies[] = { 0, 1200 << 10, 1440 << 10, 2880 << 10 };
        uint64_t n = media_build_size_at(b->build, at);
        unsigned kind = entry[1] & 15;

        if (n == 0 && kind > 0 && kind < ARRAY_SIZE(floppies))
                n = floppies[kind];
        if (n == 0)
                n = fat_size(b, at);
        if (n == 0)
                n = max_u64((uint64_t)le16(entry + 6) * UNIT, PVD_SECTOR);
        return n;
}

static int add_boot(struct boots *b, const uint8_t *entry, uint8_t platform) {
        uint64_t at = (uint64_t)le32(entry + 8) * PVD_SECTOR;
        char name[32];
        uint32_t node;
        int r = 0;

        if (b->n == BOOTS_MAX)
                return 0;
        snprintf(name, sizeof(name), "%d-%s.img", ++b->n,
                 platform == PLATFORM_BIOS   ? "BIOS"
                 : platform == PLATFORM_UEFI ? "UEFI"
                                             : "other");
        /* One that lies outside is nothing to boot from, and nothing to refuse the rest
         * for. */
        if (at == 0 || at >= b->size)
                return 0;
        if (!b->has_folder)
                r = media_build_folder(b->build, 0, "[BOOT]", 0, &b->folder);
        if (r != 0)
                return r;
        b->has_folder = true;
        r = media_build_file(b->build, b->folder, name, 0, &node);
        return r == 0 ? media_build_extent(b->build, node, at,
                                           min_u64(size_of(b, entry, at), b->size - at))
                      : r;
}

static int add_section(struct boots *b, const uint8_t *catalogue, size_t *at) {
        const uint8_t *head = catalogue + *at;
        uint8_t platform = head[1];
        unsigned n = le16(head + 2);
        int r = 0;

        *at += ENTRY;
        for (unsigned i = 0; i < n && *at + ENTRY <= PVD_SECTOR && r == 0; i++) {
                const uint8_t *entry = catalogue + *at;

                if (entry[0] == BOOTABLE || entry[0] == 0)
                        r = add_boot(b, entry, platform);
                *at += ENTRY;
                while (*at + ENTRY <= PVD_SECTOR && catalogue[*at] == EXTENSION)
                        *at += ENTRY;
        }
        return r;
}

int el_torito_add(int fd, uint64_t size, const uint8_t *descriptor,
                  struct media_build *build) {
        struct boots b = { .fd = fd, .size = size, .build = build };
        uint64_t where = (uint64_t)le32(descriptor + 0x47) * PVD_SECTOR;
        uint8_t catalogue[PVD_SECTOR];
        size_t at = 2 * ENTRY;
        int r;

        if (where > size || sizeof(catalogue) > size - where)
                return 0;
        if (pread(fd, catalogue, sizeof(catalogue), (off_t)where) !=
            (ssize_t)sizeof(catalogue))
                return 0;
        /* The validation entry */
        if (catalogue[0] != 1 || catalogue[30] != 0x55 || catalogue[31] != 0xaa)
                return 0;
        r = add_boot(&b, catalogue + ENTRY, catalogue[1]);
        while (r == 0 && at + ENTRY <= sizeof(catalogue) &&
               (catalogue[at] == SECTION || catalogue[at] == SECTION_LAST)) {
                bool is_last = catalogue[at] == SECTION_LAST;

                r = add_section(&b, catalogue, &at);
                if (is_last)
                        break;
        }
        return r;
}
