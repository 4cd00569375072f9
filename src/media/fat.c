/*
 * Microsoft's FAT: General Overview of On-Disk Format, 1.03. A boot sector, one or two
 * copies of a table that says of every cluster which follows it, on 12 and 16 bits a
 * root folder of fixed size, and then the clusters.
 *
 * The table is read whole, once. A chain is as long as the file says and no longer; a
 * folder has no size, so each of its clusters is marked and may be met once only, which
 * ends circles and folders that share.
 */
#include "media/fat.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "media/bytes.h"

enum {
        SECTOR = 512,
        ENTRY = 32,
        TABLE_BYTES_MAX = 64 << 20,
        CLUSTER_BYTES_MAX = 256 << 10,
        LONG_PIECES = 20, /* of 13 characters: 255 and the end */
        FIRST_CLUSTER = 2,
};

enum { IS_VOLUME = 0x08, IS_FOLDER = 0x10, IS_LONG = 0x0f };

struct media_fat {
        int fd;
        uint64_t at;   /* of the volume in the image */
        uint64_t size; /* of the volume */
        unsigned bits;
        uint8_t *table, *seen;
        size_t n_table;
        uint32_t n_clusters, cluster_bytes;
        uint64_t data_at;             /* of cluster 2, in the volume */
        uint64_t root_at, root_bytes; /* 12 and 16 bits; 32: root_cluster */
        uint32_t root_cluster;
        char label[33];
        struct media_build *build;
        struct text *why;
};

static int read_at(const struct media_fat *f, uint64_t at, void *buffer, size_t n) {
        ssize_t got;

        if (at > f->size || n > f->size - at)
                return MEDIA_FAT_DAMAGED;
        got = pread(f->fd, buffer, n, (off_t)(f->at + at));
        return got < 0 ? -errno : (size_t)got == n ? 0 : MEDIA_FAT_DAMAGED;
}

/* ---- the boot sector ---- */

static bool is_power(uint32_t v) {
        return v && !(v & (v - 1));
}

/* False when it is no FAT, or describes more than there is. 3.5: the number of clusters
 * alone says how many bits an entry of the table has. */
static bool parse(struct media_fat *f, const uint8_t *b) {
        uint32_t sector = le16(b + 11), per_cluster = b[13], reserved = le16(b + 14);
        uint32_t n_tables = b[16], n_root = le16(b + 17);
        uint64_t total = le16(b + 19) ? le16(b + 19) : le32(b + 32);
        uint64_t table = le16(b + 22) ? le16(b + 22) : le32(b + 36);
        uint64_t root, before, clusters;

        if (!(b[0] == 0xeb || b[0] == 0xe9) || !is_power(sector) || sector < SECTOR ||
            sector > 4096 || !is_power(per_cluster) || reserved == 0 || n_tables == 0 ||
            n_tables > 2 || table == 0 || b[21] < 0xf0)
                return false;
        root = ((uint64_t)n_root * ENTRY + sector - 1) / sector;
        before = reserved + n_tables * table + root;
        if (total <= before || total * sector > f->size)
                return false;
        clusters = (total - before) / per_cluster;
        f->bits = clusters < 4085 ? 12 : clusters < 65525 ? 16 : 32;
        f->cluster_bytes = sector * per_cluster;
        f->root_at = (reserved + n_tables * table) * sector;
        f->root_bytes = (uint64_t)n_root * ENTRY;
        f->root_cluster = f->bits == 32 ? le32(b + 44) : 0;
        f->data_at = before * sector;
        if (clusters == 0 || clusters > 0x0ffffff5 ||
            table * sector > TABLE_BYTES_MAX || f->cluster_bytes > CLUSTER_BYTES_MAX ||
            (f->bits != 32) != (n_root != 0))
                return false;
        f->n_clusters = (uint32_t)clusters;
        f->n_table = (size_t)(table * sector);
        return (clusters + FIRST_CLUSTER) * f->bits <= f->n_table * 8;
}

static int load_table(struct media_fat *f, uint64_t at) {
        f->table = malloc(f->n_table);
        f->seen = calloc(1, (size_t)f->n_clusters / 8 + 1);
        return f->table && f->seen ? read_at(f, at, f->table, f->n_table) : -ENOMEM;
}

int media_fat_new(int fd, uint64_t at, uint64_t size, struct media_fat **ret) {
        struct media_fat *f = calloc(1, sizeof(*f));
        uint8_t boot[SECTOR];
        int r;

        if (!f)
                return -ENOMEM;
        *f = (struct media_fat){ .fd = fd, .at = at, .size = size };
        r = read_at(f, 0, boot, sizeof(boot));
        if (r == 0 && !parse(f, boot))
                r = MEDIA_FAT_NONE;
        if (r == 0)
                r = load_table(f, (uint64_t)le16(boot + 14) * le16(boot + 11));
        if (r == 0)
                *ret = f;
        else
                media_fat_free(f);
        return r > 0 ? MEDIA_FAT_NONE : r;
}

struct media_fat *media_fat_free(struct media_fat *fat) {
        if (fat) {
                free(fat->table);
                free(fat->seen);
        }
        free(fat);
        return NULL;
}

const char *media_fat_label(const struct media_fat *fat) {
        return fat->label;
}

/* ---- chains ---- */

static bool is_cluster(const struct media_fat *f, uint32_t cluster) {
        return cluster >= FIRST_CLUSTER && cluster - FIRST_CLUSTER < f->n_clusters;
}

static uint64_t place_of(const struct media_fat *f, uint32_t cluster) {
        return f->data_at + (uint64_t)(cluster - FIRST_CLUSTER) * f->cluster_bytes;
}

/* What the table says of a cluster that is_cluster(): 0 and the end marks are none. */
static uint32_t next_of(const struct media_fat *f, uint32_t cluster) {
        const uint8_t *p;

        if (f->bits == 32)
                return le32(f->table + (size_t)cluster * 4) & 0x0fffffff;
        if (f->bits == 16)
                return le16(f->table + (size_t)cluster * 2);
        p = f->table + (size_t)cluster + cluster / 2;
        return cluster & 1 ? (uint32_t)(le16(p) >> 4) : le16(p) & 0xfffu;
}

static bool mark(struct media_fat *f, uint32_t cluster) {
        uint32_t i = cluster - FIRST_CLUSTER;
        bool was_marked = f->seen[i / 8] >> (i % 8) & 1;

        f->seen[i / 8] = (uint8_t)(f->seen[i / 8] | 1u << (i % 8));
        return !was_marked;
}

static int refuse(struct media_fat *f, const char *why, const char *name) {
        if (f->why->n == 0) {
                text_add(f->why, why);
                text_printable(f->why, name, strlen(name));
        }
        return MEDIA_FAT_DAMAGED;
}

static int add_content(struct media_fat *f, uint32_t node, uint32_t cluster,
                       uint64_t size, const char *name) {
        while (size > 0) {
                uint64_t n = min_u64(size, f->cluster_bytes);
                int r;

                if (!is_cluster(f, cluster))
                        return refuse(f, "its file system is damaged at ", name);
                r = media_build_extent(f->build, node, f->at + place_of(f, cluster), n);
                if (r != 0)
                        return r < 0 ? r
                                     : refuse(f, "truncated: it ends within ", name);
                size -= n;
                cluster = next_of(f, cluster);
        }
        return 0;
}

/* ---- names ---- */

/* Pieces of a long name stand before the short one, the last piece first. */
struct long_name {
        uint8_t characters[LONG_PIECES * 26]; /* high byte first */
        uint8_t checksum;
        unsigned awaited; /* the next piece's number; 0: it is whole */
        bool is_sound;
};

static void add_piece(struct long_name *name, const uint8_t *e) {
        static const uint8_t places[13] = { 1,  3,  5,  7,  9,  14, 16,
                                            18, 20, 22, 24, 28, 30 };
        unsigned number = e[0] & 0x3f;

        if (e[0] & 0x40) {
                *name = (struct long_name){ .checksum = e[13],
                                            .awaited = number,
                                            .is_sound = number <= LONG_PIECES };
        }
        if (!name->is_sound || number == 0 || number != name->awaited ||
            e[13] != name->checksum) {
                name->is_sound = false;
                return;
        }
        name->awaited--;
        for (size_t i = 0; i < 13; i++) {
                uint8_t *to = name->characters + ((number - 1) * 13 + i) * 2;

                to[0] = e[places[i] + 1];
                to[1] = e[places[i]];
        }
}

/* 7.2: the sum over the short name ties the long one to it. */
static uint8_t checksum_of(const uint8_t *e) {
        uint8_t sum = 0;

        for (size_t i = 0; i < 11; i++)
                sum = (uint8_t)((sum >> 1 | sum << 7) + e[i]);
        return sum;
}

static bool add_long(const struct long_name *name, const uint8_t *e, struct text *out) {
        size_t n = 0;

        if (!name->is_sound || name->awaited != 0 || name->checksum != checksum_of(e))
                return false;
        while (n < sizeof(name->characters) &&
               (name->characters[n] || name->characters[n + 1]))
                n += 2;
        return n > 0 && media_add_characters(name->characters, n, 2, out);
}

static void add_lower(const uint8_t *s, size_t n, struct text *out) {
        while (n > 0 && s[n - 1] == ' ')
                n--;
        for (size_t i = 0; i < n; i++) {
                uint8_t c = s[i] >= 'A' && s[i] <= 'Z' ? (uint8_t)(s[i] + 0x20) : s[i];

                text_char(out,
                          c < 0x80 ? (char)c : '_'); /* in a code page of its own */
        }
}

static void add_short(const uint8_t *e, struct text *out) {
        uint8_t base[8];

        memcpy(base, e, sizeof(base));
        if (base[0] == 0x05) /* 6.1: which stands for 0xe5, the mark of what is gone */
                base[0] = 0xe5;
        add_lower(base, sizeof(base), out);
        if (e[8] != ' ') {
                text_char(out, '.');
                add_lower(e + 8, 3, out);
        }
}

/* Local time, of whichever place that was. */
static nsec_t time_of(const uint8_t *e) {
        uint16_t date = le16(e + 24), at = le16(e + 22);
        struct tm tm = { .tm_year = 80 + (date >> 9),
                         .tm_mon = (date >> 5 & 15) - 1,
                         .tm_mday = date & 31,
                         .tm_hour = at >> 11,
                         .tm_min = at >> 5 & 63,
                         .tm_sec = (at & 31) * 2 };
        time_t t = date && tm.tm_mon >= 0 ? timegm(&tm) : 0;

        return t > 0 ? (nsec_t)t * NSEC_PER_SEC : 0;
}

/* ---- folders ---- */

static int read_folder(struct media_fat *f, uint32_t node, uint32_t cluster);

static int explain(struct media_fat *f, int r, const char *name) {
        if (r <= 0)
                return r;
        return refuse(f,
                      r == MEDIA_BUILD_TOO_DEEP ? "folders nested too deep: "
                                                : "too many files: ",
                      name);
}

static int add_node(struct media_fat *f, uint32_t parent, const uint8_t *e,
                    const char *name) {
        uint32_t cluster =
                (f->bits == 32 ? (uint32_t)le16(e + 20) << 16 : 0) | le16(e + 26);
        uint32_t node;
        int r;

        if (e[11] & IS_FOLDER) {
                r = media_build_folder(f->build, parent, name, time_of(e), &node);
                if (r == 0)
                        return read_folder(f, node, cluster);
        } else {
                r = media_build_file(f->build, parent, name, time_of(e), &node);
                if (r == 0)
                        return add_content(f, node, cluster, le32(e + 28), name);
        }
        return r == MEDIA_BUILD_BAD_NAME ? 0 : explain(f, r, name);
}

static void take_label(struct media_fat *f, const uint8_t *e) {
        size_t n = 11;

        while (n > 0 && e[n - 1] == ' ')
                n--;
        for (size_t i = 0; i < n; i++)
                f->label[i] = (char)(e[i] >= 0x20 && e[i] < 0x7f ? e[i] : '_');
        f->label[n] = '\0';
}

/* *ret_ends: a free entry that none follows. */
static int read_entries(struct media_fat *f, uint32_t node, const uint8_t *data,
                        size_t n, struct long_name *long_name, bool *ret_ends) {
        for (const uint8_t *e = data; e + ENTRY <= data + n; e += ENTRY) {
                struct text name = { 0 };
                int r = 0;

                if (e[0] == 0) {
                        *ret_ends = true;
                        return 0;
                }
                if (e[0] != 0xe5 && (e[11] & 0x3f) == IS_LONG) {
                        add_piece(long_name, e);
                        continue;
                }
                if (e[0] != 0xe5 && e[0] != '.' && e[11] & IS_VOLUME) {
                        if (node == 0)
                                take_label(f, e);
                } else if (e[0] != 0xe5 && e[0] != '.') {
                        if (!add_long(long_name, e, &name)) {
                                name.n = 0;
                                add_short(e, &name);
                        }
                        r = name.failed ? -ENOMEM
                                        : add_node(f, node, e, text_string(&name));
                }
                text_done(&name);
                long_name->is_sound = false;
                if (r != 0)
                        return r;
        }
        return 0;
}

static int read_folder(struct media_fat *f, uint32_t node, uint32_t cluster) {
        struct long_name long_name = { 0 };
        uint8_t *data = malloc(f->cluster_bytes);
        bool ends = false;
        int r = data ? 0 : -ENOMEM;

        while (r == 0 && !ends && is_cluster(f, cluster)) {
                if (!mark(f, cluster)) {
                        r = refuse(f, "its folders go round in circles", "");
                        break;
                }
                r = read_at(f, place_of(f, cluster), data, f->cluster_bytes);
                if (r == 0)
                        r = read_entries(f, node, data, f->cluster_bytes, &long_name,
                                         &ends);
                cluster = next_of(f, cluster);
        }
        free(data);
        return r;
}

static int read_root(struct media_fat *f) {
        struct long_name long_name = { 0 };
        uint8_t *data = malloc(f->root_bytes);
        bool ends = false;
        int r = data ? read_at(f, f->root_at, data, f->root_bytes) : -ENOMEM;

        if (r == 0)
                r = read_entries(f, 0, data, f->root_bytes, &long_name, &ends);
        free(data);
        return r;
}

int media_fat_add(struct media_fat *fat, struct media_build *build, struct text *why) {
        int r;

        fat->build = build;
        fat->why = why;
        r = fat->bits == 32 ? read_folder(fat, 0, fat->root_cluster) : read_root(fat);
        if (r > 0 && why->n == 0)
                text_add(why, "its file system is damaged");
        return r;
}
