/*
 * Volume descriptors. Every number stands twice in them, in both byte orders
 * (ECMA-119 7.3.3); when the two differ somebody wrote rubbish over the first.
 */
#include "media/pvd.h"

#include "media/bytes.h"

enum { PVD_PRIMARY = 1, PVD_TERMINATOR = 255 };

static bool load_both32(const uint8_t *p, uint32_t *ret) {
        *ret = le32(p);
        return *ret == load_be32(p + 4);
}

static bool load_both16(const uint8_t *p, uint16_t *ret) {
        *ret = le16(p);
        return *ret == load_be16(p + 2);
}

static bool is_descriptor(const uint8_t *sector) {
        return memcmp(sector + 1, "CD001", 5) == 0 && sector[6] == 1;
}

static enum pvd_verdict not_iso(size_t n, uint64_t n_file, struct text *why) {
        if (n_file == 0)
                text_add(why, "the file is empty");
        else if (n < PVD_SECTOR)
                text_add(why,
                         "not an ISO image: too short to hold a volume descriptor");
        else
                text_add(why, "not an ISO image: no volume descriptor at sector 16");
        return PVD_NOT_ISO;
}

static const uint8_t *find_primary(const uint8_t *data, size_t n) {
        for (size_t at = 0; at + PVD_SECTOR <= n; at += PVD_SECTOR) {
                if (!is_descriptor(data + at) || data[at] == PVD_TERMINATOR)
                        return NULL;
                if (data[at] == PVD_PRIMARY)
                        return data + at;
        }
        return NULL;
}

static void copy_volume(const uint8_t *from, char out[static 33]) {
        size_t n = 32;

        while (n > 0 && (from[n - 1] == ' ' || from[n - 1] == '\0'))
                n--;
        for (size_t i = 0; i < n; i++)
                out[i] = from[i] >= 0x20 && from[i] < 0x7f ? (char)from[i] : '?';
        out[n] = '\0';
}

enum pvd_verdict pvd_parse(const uint8_t *data, size_t n, uint64_t n_file,
                           struct pvd *ret, struct text *why) {
        const uint8_t *sector = find_primary(data, n);
        struct pvd pvd;
        uint32_t blocks;
        uint16_t block_size;

        if (!sector)
                return not_iso(n, n_file, why);
        /* ECMA-119 8.4.8 and 8.4.12 */
        if (!load_both32(sector + 80, &blocks) ||
            !load_both16(sector + 128, &block_size)) {
                text_add(why, "damaged: the volume descriptor contradicts itself");
                return PVD_DAMAGED;
        }
        if (block_size != PVD_SECTOR || blocks <= PVD_FIRST) {
                text_add(why,
                         "damaged: the volume descriptor gives an impossible size");
                return PVD_DAMAGED;
        }
        pvd.size = (uint64_t)blocks * PVD_SECTOR;
        if (pvd.size > n_file) {
                text_add(why, "truncated: ");
                text_u64(why, n_file);
                text_add(why, " of ");
                text_u64(why, pvd.size);
                text_add(why, " bytes");
                return PVD_TRUNCATED;
        }
        copy_volume(sector + 40, pvd.volume);
        *ret = pvd;
        return PVD_OK;
}
