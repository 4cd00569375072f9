/*
 * UDF, bottom up: blocks and tags; the volume's descriptors; partitions and how their
 * blocks lie in the image; file entries; folders.
 *
 * Section numbers are of ECMA-167, part/section, unless they say UDF.
 */
#include "media/udf.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "media/bytes.h"

enum {
        BLOCK_MIN = 512,
        BLOCK_MAX = 4096,
        SEQUENCE_MAX = 256, /* descriptors of the volume that are looked at */
        PARTITIONS_MAX = 4,
        METADATA_EXTENTS_MAX = 1024,
        FOLDER_BYTES_MAX = 16 << 20, /* one folder's list */
        READ_BYTES_MAX = 256 << 20,  /* of all folders and file entries */
        CONTINUATIONS_MAX = 4096,
        LINK_BYTES_MAX = 2048,
};

enum { /* 3/7.2.1, 4/7.2.1 */
       TAG_PRIMARY = 1,
       TAG_ANCHOR = 2,
       TAG_PARTITION = 5,
       TAG_LOGICAL_VOLUME = 6,
       TAG_TERMINATOR = 8,
       TAG_FILE_SET = 256,
       TAG_FILE_ID = 257,
       TAG_CONTINUATION = 258,
       TAG_FILE_ENTRY = 261,
       TAG_EXTENDED_FILE_ENTRY = 266,
};

struct range { /* bytes of the image */
        uint64_t at, n;
};

struct physical {
        uint16_t number;
        uint32_t start, n; /* blocks */
};

enum map_kind { MAP_PLAIN, MAP_METADATA };

struct map { /* 3/10.7: what a partition reference number stands for */
        enum map_kind kind;
        uint16_t number;
        const struct physical *physical;
        uint32_t metadata_at;
        struct range *extents; /* of the metadata file */
        size_t n_extents;
};

struct udf {
        int fd;
        uint64_t size; /* of the image */
        uint32_t block;
        uint64_t n_read;
        struct physical physicals[PARTITIONS_MAX];
        size_t n_physicals;
        struct map maps[PARTITIONS_MAX];
        size_t n_maps;
        char volume[33];
        uint32_t root_block;
        uint16_t root_map;
        struct media_build *build;
        struct text *why;
};

enum { REFUSED = MEDIA_ISO_REFUSED };

/* The first reason is the one that is told. */
static int refuse(struct udf *u, const char *why) {
        if (u->why->n == 0)
                text_add(u->why, why);
        return REFUSED;
}

/* ---- blocks and tags ---- */

static int read_bytes(struct udf *u, uint64_t at, void *buffer, size_t n) {
        ssize_t got;

        u->n_read += n;
        if (u->n_read > READ_BYTES_MAX)
                return refuse(u, "damaged: its folders go round in circles or never "
                                 "end");
        if (at > u->size || n > u->size - at)
                return refuse(u, "truncated or damaged: a structure lies outside the "
                                 "image");
        got = pread(u->fd, buffer, n, (off_t)at);
        if (got < 0)
                return -errno;
        return (size_t)got == n ? 0 : refuse(u, "truncated: the image ends early");
}

/* 3/7.2.6: x^16 + x^12 + x^5 + 1 */
static uint16_t crc_of(const uint8_t *data, size_t n) {
        static uint16_t table[256];
        uint16_t crc = 0;

        for (unsigned i = 0; table[255] == 0 && i < 256; i++) {
                uint16_t v = (uint16_t)(i << 8);

                for (int bit = 0; bit < 8; bit++)
                        v = (uint16_t)(v & 0x8000 ? v << 1 ^ 0x1021 : v << 1);
                table[i] = v;
        }
        while (n-- > 0)
                crc = (uint16_t)(crc << 8 ^ table[(crc >> 8 ^ *data++) & 0xff]);
        return crc;
}

/* The tag's number, or -1 when this is none, or not at `location`. */
static int tag_of(const uint8_t *p, size_t n, uint32_t location) {
        uint8_t sum = 0;
        uint16_t n_crc;

        if (n < 16)
                return -1;
        for (int i = 0; i < 16; i++)
                sum = (uint8_t)(sum + (i == 4 ? 0 : p[i]));
        n_crc = le16(p + 10);
        if (sum != p[4] || n_crc > n - 16 || crc_of(p + 16, n_crc) != le16(p + 8) ||
            le32(p + 12) != location)
                return -1;
        return le16(p);
}

/* One block of the whole image, with a tag; *ret_tag is -1 when it has none. */
static int read_sector(struct udf *u, uint32_t sector, uint8_t *block, int *ret_tag) {
        int r = read_bytes(u, (uint64_t)sector * u->block, block, u->block);

        if (r == 0)
                *ret_tag = tag_of(block, u->block, sector);
        return r;
}

/* ---- partitions ---- */

typedef int (*range_fn)(struct udf *u, struct range range, void *userdata);

/* Where `n` bytes from a block of a partition on lie, in as many ranges as it takes. */
static int map_range(struct udf *u, uint16_t reference, uint32_t block, uint64_t n,
                     range_fn fn, void *userdata) {
        const struct map *map;
        uint64_t at = (uint64_t)block * u->block, room;
        int r = 0;

        if (reference >= u->n_maps)
                return refuse(u,
                              "damaged: a file lies in a partition that is not there");
        map = &u->maps[reference];
        if (map->kind == MAP_PLAIN) {
                room = (uint64_t)map->physical->n * u->block;
                if (at > room || n > room - at)
                        return refuse(u, "damaged: a file lies outside its partition");
                return fn(u,
                          (struct range){
                                  (uint64_t)map->physical->start * u->block + at, n },
                          userdata);
        }
        for (size_t i = 0; i < map->n_extents && n > 0 && r == 0; i++) {
                struct range e = map->extents[i];
                uint64_t here;

                if (at >= e.n) {
                        at -= e.n;
                        continue;
                }
                here = min_u64(e.n - at, n);
                r = fn(u, (struct range){ e.at + at, here }, userdata);
                n -= here;
                at = 0;
        }
        return r == 0 && n > 0 ? refuse(u, "damaged: a file lies outside its partition")
                               : r;
}

static int keep_range(struct udf *u, struct range range, void *userdata) {
        struct range *kept = userdata;

        if (kept->n == 0)
                *kept = range;
        return 0;
}

/* A block with a tag, which stands where it says. */
static int read_block(struct udf *u, uint16_t reference, uint32_t block, uint8_t *data,
                      int *ret_tag, uint64_t *ret_at) {
        struct range range = { 0 };
        int r = map_range(u, reference, block, u->block, keep_range, &range);

        if (r == 0)
                r = read_bytes(u, range.at, data, u->block);
        if (r == 0) {
                *ret_tag = tag_of(data, u->block, block);
                *ret_at = range.at;
        }
        return r;
}

/* ---- file entries ---- */

struct entry { /* 4/14.9, 4/14.17: where they differ, and what we want of them */
        uint8_t type;
        uint8_t ads_kind;
        uint64_t length;
        nsec_t mtime;
        uint32_t mode;
        size_t ads, n_ads; /* in the block */
};

/* 1/7.3; the zone is minutes east, in twelve bits */
static nsec_t time_of(const uint8_t *p) {
        struct tm tm = { .tm_year = (int16_t)le16(p + 2) - 1900,
                         .tm_mon = p[4] - 1,
                         .tm_mday = p[5],
                         .tm_hour = p[6],
                         .tm_min = p[7],
                         .tm_sec = p[8] };
        int zone = le16(p) & 0xfff;
        time_t t = timegm(&tm);

        if (zone & 0x800)
                zone -= 0x1000;
        if (zone >= -1440 && zone <= 1440)
                t -= zone * 60;
        return t > 0 && tm.tm_year < 1000 ? (nsec_t)t * NSEC_PER_SEC : 0;
}

/* 4/14.9.5: five bits each for others, group and owner; the lower three are ours. */
static uint32_t mode_of(uint32_t permissions) {
        return (permissions & 7) | (permissions >> 5 & 7) << 3 |
               (permissions >> 10 & 7) << 6;
}

static bool parse_entry(const uint8_t *b, size_t n, int tag, struct entry *ret) {
        bool is_extended = tag == TAG_EXTENDED_FILE_ENTRY;
        size_t head = is_extended ? 216 : 176;
        uint32_t n_attributes = le32(b + (is_extended ? 208 : 168));
        uint32_t n_ads = le32(b + (is_extended ? 212 : 172));

        if (n_attributes > n - head || n_ads > n - head - n_attributes)
                return false;
        *ret = (struct entry){ .type = b[27],
                               .ads_kind = le16(b + 34) & 7,
                               .length = le64(b + 56),
                               .mtime = time_of(b + (is_extended ? 92 : 84)),
                               .mode = mode_of(le32(b + 44)),
                               .ads = head + n_attributes,
                               .n_ads = n_ads };
        return ret->length <= INT64_MAX;
}

static bool is_file_entry(int tag) {
        return tag == TAG_FILE_ENTRY || tag == TAG_EXTENDED_FILE_ENTRY;
}

struct walk { /* over the allocation descriptors of one file */
        uint16_t map;
        uint64_t left;
        range_fn fn;
        void *userdata;
};

static int found_range(struct udf *u, struct range range, void *userdata) {
        struct walk *w = userdata;

        range.n = min_u64(range.n, w->left);
        w->left -= range.n;
        return range.n > 0 ? w->fn(u, range, w->userdata) : 0;
}

enum {
        EXTENT_RECORDED,
        EXTENT_ALLOCATED,
        EXTENT_HOLE,
        EXTENT_CONTINUES
}; /* 4/14.14.1 */

/* Walks one block's descriptors. *ret_next is the block where they go on, or 0. */
static int walk_descriptors(struct udf *u, struct walk *w, const uint8_t *p, size_t n,
                            uint8_t kind, uint16_t *ret_map, uint32_t *ret_next) {
        size_t each = kind == 0 ? 8 : 16; /* 4/14.14.1 and 2 */
        int r = 0;

        *ret_next = 0;
        for (; n >= each && w->left > 0 && r == 0; p += each, n -= each) {
                uint32_t length = le32(p) & 0x3fffffff, block = le32(p + 4);
                uint16_t map = kind == 0 ? w->map : le16(p + 8);

                if (length == 0)
                        break;
                switch (le32(p) >> 30) {
                case EXTENT_RECORDED:
                        r = map_range(u, map, block, length, found_range, w);
                        break;
                case EXTENT_CONTINUES:
                        *ret_map = map;
                        *ret_next = block;
                        return 0;
                default:
                        /* A hole is zeros that lie nowhere; no installer has one. */
                        return refuse(u, "a file with holes in it, which cannot be "
                                         "served from the image");
                }
        }
        return r;
}

/* Every piece of a file's content in order. 4/12 */
static int walk_content(struct udf *u, uint16_t map, uint64_t at, const uint8_t *block,
                        const struct entry *e, range_fn fn, void *userdata) {
        struct walk w = { map, e->length, fn, userdata };
        const uint8_t *ads = block + e->ads;
        size_t n_ads = e->n_ads;
        uint8_t *more;
        uint32_t next;
        int r;

        if (e->ads_kind == 3) { /* the content stands in place of the descriptors */
                if (e->length > e->n_ads)
                        return refuse(u, "damaged: a file entry contradicts itself");
                return e->length ? fn(u, (struct range){ at + e->ads, e->length },
                                      userdata)
                                 : 0;
        }
        if (e->ads_kind > 1)
                return refuse(u, "damaged: a file of an unknown kind of allocation");
        more = malloc(u->block);
        if (!more)
                return -ENOMEM;
        for (unsigned i = 0;; i++) {
                int tag = -1;

                r = walk_descriptors(u, &w, ads, n_ads, e->ads_kind, &map, &next);
                if (r != 0 || next == 0)
                        break;
                if (i == CONTINUATIONS_MAX) {
                        r = refuse(u, "damaged: a file's extents never end");
                        break;
                }
                r = read_block(u, map, next, more, &tag, &at);
                if (r != 0)
                        break;
                n_ads = le32(more + 20);
                if (tag != TAG_CONTINUATION || n_ads > u->block - 24) {
                        r = refuse(u, "damaged: a file's extents go on where there are "
                                      "none");
                        break;
                }
                ads = more + 24;
        }
        free(more);
        return r == 0 && w.left > 0 ? refuse(u, "damaged: a file is longer than its "
                                                "extents")
                                    : r;
}

struct gathered {
        uint8_t *data;
        size_t n;
};

static int gather(struct udf *u, struct range range, void *userdata) {
        struct gathered *g = userdata;
        int r = read_bytes(u, range.at, g->data + g->n, (size_t)range.n);

        g->n += (size_t)range.n;
        return r;
}

/* The whole content, for free(). */
static int read_content(struct udf *u, uint16_t map, uint64_t at, const uint8_t *block,
                        const struct entry *e, uint64_t most, struct gathered *ret) {
        int r;

        if (e->length > most)
                return refuse(u, "damaged: a folder of an impossible size");
        ret->n = 0;
        ret->data = malloc((size_t)e->length + 1);
        if (!ret->data)
                return -ENOMEM;
        r = walk_content(u, map, at, block, e, gather, ret);
        if (r != 0)
                free(ret->data);
        return r;
}

/* ---- names ---- */

/* UDF 2.1.1: compressed Unicode, of one or two bytes a character. False when no path
 * can hold it. */
static bool add_name(const uint8_t *p, size_t n, struct text *out) {
        size_t each = n > 0 && p[0] == 16 ? 2 : 1;

        if (n < 2 || (p[0] != 8 && p[0] != 16))
                return false;
        return media_add_characters(p + 1, n - 1, each, out);
}

/* 4/14.16: a path as components */
static bool add_target(const uint8_t *p, size_t n, struct text *out) {
        while (n >= 4) {
                size_t length = p[1];

                if (length > n - 4)
                        return false;
                if (out->n > 0 && out->s[out->n - 1] != '/')
                        text_char(out, '/');
                switch (p[0]) {
                case 1:
                case 2:
                        text_add(out, "/");
                        break;
                case 3:
                        text_add(out, "..");
                        break;
                case 4:
                        text_char(out, '.');
                        break;
                case 5:
                        if (!add_name(p + 4, length, out))
                                return false;
                        break;
                default:
                        return false;
                }
                p += 4 + length;
                n -= 4 + length;
        }
        return n == 0 && out->n > 0;
}

/* ---- folders ---- */

static int add_folder(struct udf *u, uint16_t map, uint64_t at, const uint8_t *block,
                      const struct entry *e, uint32_t node);

static int add_extent(struct udf *u, struct range range, void *userdata) {
        return media_build_extent(u->build, *(uint32_t *)userdata, range.at, range.n);
}

static int add_link(struct udf *u, uint16_t map, uint64_t at, const uint8_t *block,
                    const struct entry *e, uint32_t parent, const char *name) {
        struct gathered content;
        struct text target = { 0 };
        int r = read_content(u, map, at, block, e, LINK_BYTES_MAX, &content);

        if (r != 0)
                return r;
        r = MEDIA_BUILD_BAD_NAME;
        if (add_target(content.data, content.n, &target))
                r = target.failed ? -ENOMEM
                                  : media_build_link(u->build, parent, name, e->mtime,
                                                     text_string(&target));
        text_done(&target);
        free(content.data);
        return r;
}

/* 4/14.6.6: what a file entry is of */
enum { TYPE_FOLDER = 4, TYPE_FILE = 5, TYPE_LINK = 12, TYPE_REALTIME = 249 };

static int add_entry(struct udf *u, uint16_t map, uint64_t at, const uint8_t *block,
                     const struct entry *e, uint32_t parent, const char *name) {
        uint32_t node;
        int r;

        switch (e->type) {
        case TYPE_FOLDER:
                r = media_build_folder(u->build, parent, name, e->mtime, &node);
                if (r != 0)
                        return r;
                media_build_mode(u->build, e->mode);
                return add_folder(u, map, at, block, e, node);
        case TYPE_FILE:
        case TYPE_REALTIME:
                r = media_build_file(u->build, parent, name, e->mtime, &node);
                if (r != 0)
                        return r;
                media_build_mode(u->build, e->mode);
                return walk_content(u, map, at, block, e, add_extent, &node);
        case TYPE_LINK:
                return add_link(u, map, at, block, e, parent, name);
        default:
                return 0; /* devices, sockets, streams */
        }
}

static int explain(struct udf *u, int r, const char *name) {
        if (r > 0 && u->why->n == 0) {
                text_add(u->why,
                         r == MEDIA_BUILD_OUTSIDE    ? "truncated or damaged: a file "
                                                       "lies outside the image: "
                         : r == MEDIA_BUILD_TOO_DEEP ? "folders nested too deep: "
                                                     : "too many files: ");
                text_printable(u->why, name, strlen(name));
        }
        return r > 0 ? REFUSED : r;
}

static int add_child(struct udf *u, uint32_t parent, const char *name, uint16_t map,
                     uint32_t at_block) {
        uint8_t *block = malloc(u->block);
        struct entry e;
        uint64_t at = 0;
        int tag = -1, r = block ? 0 : -ENOMEM;

        if (r == 0)
                r = read_block(u, map, at_block, block, &tag, &at);
        if (r == 0 && (!is_file_entry(tag) || !parse_entry(block, u->block, tag, &e)))
                r = refuse(u, "damaged: a folder names a file that is not there");
        if (r == 0) {
                r = add_entry(u, map, at, block, &e, parent, name);
                /* A name that no path can hold hides its file and nothing else. */
                r = r == MEDIA_BUILD_BAD_NAME && u->why->n == 0 ? 0
                                                                : explain(u, r, name);
        }
        free(block);
        return r;
}

enum { ID_DELETED = 4, ID_PARENT = 8 }; /* 4/14.4.3 */

/* One file identifier (4/14.4); *ret_n is its length. */
static int add_identifier(struct udf *u, uint32_t parent, const uint8_t *p, size_t room,
                          size_t *ret_n) {
        struct text name = { 0 };
        size_t n_name, n_use, n;
        int r = 0;

        if (room < 38)
                return refuse(u, "damaged: a folder's list is cut short");
        n_name = p[19];
        n_use = le16(p + 36);
        n = (38 + n_use + n_name + 3) / 4 * 4;
        /* Its place is not checked: tools disagree about it in lists of two blocks. */
        if (n > room || tag_of(p, room, le32(p + 12)) != TAG_FILE_ID)
                return refuse(u, "damaged: a folder's list is no such list");
        *ret_n = n;
        if (p[18] & (ID_DELETED | ID_PARENT))
                return 0;
        if (add_name(p + 38 + n_use, n_name, &name))
                r = name.failed ? -ENOMEM
                                : add_child(u, parent, text_string(&name), le16(p + 28),
                                            le32(p + 24));
        text_done(&name);
        return r;
}

static int add_folder(struct udf *u, uint16_t map, uint64_t at, const uint8_t *block,
                      const struct entry *e, uint32_t node) {
        struct gathered list;
        size_t n = 0;
        int r = read_content(u, map, at, block, e, FOLDER_BYTES_MAX, &list);

        if (r != 0)
                return r;
        for (size_t i = 0; i < list.n && r == 0; i += n)
                r = add_identifier(u, node, list.data + i, list.n - i, &n);
        free(list.data);
        return r;
}

/* ---- the volume ---- */

static void keep_volume(struct udf *u, const uint8_t *dstring) {
        struct text name = { 0 };
        uint8_t n = dstring[31]; /* 1/7.2.12: the last byte is its length */

        if (n <= 31 && add_name(dstring, n, &name) && !name.failed)
                for (size_t i = 0; i < 32 && i < name.n; i++)
                        u->volume[i] =
                                name.s[i] >= 0x20 && name.s[i] < 0x7f ? name.s[i] : '?';
        text_done(&name);
}

static void keep_physical(struct udf *u, const uint8_t *b) {
        if (u->n_physicals < PARTITIONS_MAX)
                u->physicals[u->n_physicals++] =
                        (struct physical){ le16(b + 22), le32(b + 188), le32(b + 192) };
}

static bool is_called(const uint8_t *entity, const char *name) {
        return strncmp((const char *)entity + 1, name, 23) == 0;
}

/* 3/10.7.2, 3/10.7.3 and UDF 2.2.8 to 2.2.10 */
static int keep_map(struct udf *u, const uint8_t *p, size_t n) {
        struct map map = { .kind = MAP_PLAIN };

        if (u->n_maps == PARTITIONS_MAX)
                return refuse(u, "a UDF volume of too many partitions");
        if (p[0] == 1 && n >= 6) {
                map.number = le16(p + 4);
        } else if (p[0] == 2 && n >= 64 &&
                   is_called(p + 4, "*UDF Metadata Partition")) {
                map.kind = MAP_METADATA;
                map.number = le16(p + 38);
                map.metadata_at = le32(p + 40);
        } else if (p[0] == 2 && n >= 64 &&
                   is_called(p + 4, "*UDF Sparable Partition")) {
                map.number = le16(p + 38);
        } else {
                return refuse(u,
                              "a UDF volume as it is written to write-once discs; copy "
                              "its files into a new image");
        }
        u->maps[u->n_maps++] = map;
        return 0;
}

/* 3/10.6 */
static int keep_logical_volume(struct udf *u, const uint8_t *b) {
        uint32_t n_table = le32(b + 264), n_maps = le32(b + 268);
        const uint8_t *p = b + 440;
        int r = 0;

        if (le32(b + 212) != u->block)
                return refuse(u, "damaged: the UDF volume contradicts itself about the "
                                 "size of a block");
        if (n_table > u->block - 440)
                return refuse(u, "damaged: a table of partitions without end");
        u->n_maps = 0;
        u->root_block = le32(b + 252); /* of the file set, for now */
        u->root_map = le16(b + 256);
        for (uint32_t i = 0; i < n_maps && r == 0; i++) {
                if (n_table < 2 || p[1] < 2 || p[1] > n_table)
                        return refuse(u, "damaged: a table of partitions is cut short");
                r = keep_map(u, p, p[1]);
                n_table -= p[1];
                p += p[1];
        }
        return r;
}

static int read_sequence(struct udf *u, uint32_t at, uint32_t n) {
        uint8_t block[BLOCK_MAX];
        int r = 0;

        for (uint32_t i = 0; i < n / u->block && i < SEQUENCE_MAX && r == 0; i++) {
                int tag = -1;

                r = read_sector(u, at + i, block, &tag);
                if (r != 0 || tag == TAG_TERMINATOR || tag < 0)
                        break;
                if (tag == TAG_PRIMARY)
                        keep_volume(u, block + 24);
                else if (tag == TAG_PARTITION)
                        keep_physical(u, block);
                else if (tag == TAG_LOGICAL_VOLUME)
                        r = keep_logical_volume(u, block);
        }
        return r;
}

/* 3/8.4.2: an anchor stands at two of these three places. */
static int find_anchor(struct udf *u, uint8_t *block) {
        static const uint32_t sizes[] = { 2048, 512, 4096, 1024 };

        for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
                uint64_t n = u->size / sizes[i];
                const uint64_t places[] = { 256, n - 1, n - 257 };

                u->block = sizes[i];
                for (size_t j = 0; j < ARRAY_SIZE(places); j++) {
                        int tag = -1, r;

                        if (n < 258 || places[j] > UINT32_MAX)
                                continue;
                        r = read_sector(u, (uint32_t)places[j], block, &tag);
                        if (r != 0 || tag == TAG_ANCHOR)
                                return r;
                }
        }
        return refuse(u, "damaged: a UDF volume without an anchor, or cut short");
}

static int find_physicals(struct udf *u) {
        uint64_t end = 0;

        for (size_t i = 0; i < u->n_maps; i++) {
                for (size_t j = 0; j < u->n_physicals; j++)
                        if (u->physicals[j].number == u->maps[i].number)
                                u->maps[i].physical = &u->physicals[j];
                if (!u->maps[i].physical)
                        return refuse(u, "damaged: a partition of the UDF volume is "
                                         "missing");
                end = max_u64(end, (uint64_t)u->maps[i].physical->start +
                                           u->maps[i].physical->n);
        }
        if (end * u->block <= u->size)
                return 0;
        text_add(u->why, "truncated: ");
        text_u64(u->why, u->size);
        text_add(u->why, " of ");
        text_u64(u->why, end * u->block);
        text_add(u->why, " bytes");
        return REFUSED;
}

static int keep_metadata(struct udf *u, struct range range, void *userdata) {
        struct map *map = userdata;
        struct range *grown;

        if (map->n_extents == METADATA_EXTENTS_MAX)
                return refuse(u, "damaged: metadata in too many pieces");
        grown = reallocarray(map->extents, map->n_extents + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        map->extents = grown;
        grown[map->n_extents++] = range;
        return 0;
}

/* UDF 2.2.13: a file, in the partition below, that holds all folders and entries. */
static int open_metadata(struct udf *u, size_t i) {
        const struct map plain = { .kind = MAP_PLAIN, .physical = u->maps[i].physical };
        struct map kept[PARTITIONS_MAX], found = { 0 };
        uint32_t metadata_at = u->maps[i].metadata_at;
        uint8_t block[BLOCK_MAX];
        struct entry e;
        uint64_t at = 0;
        int tag = -1, r;

        /* Its extents count from the partition: that is what every map is meanwhile. */
        memcpy(kept, u->maps, sizeof(kept));
        for (size_t j = 0; j < u->n_maps; j++)
                u->maps[j] = plain;
        r = read_block(u, 0, metadata_at, block, &tag, &at);
        if (r == 0 && (!is_file_entry(tag) || !parse_entry(block, u->block, tag, &e)))
                r = refuse(u, "damaged: the metadata file is missing");
        if (r == 0)
                r = walk_content(u, 0, at, block, &e, keep_metadata, &found);
        memcpy(u->maps, kept, sizeof(kept));
        u->maps[i].extents = found.extents;
        u->maps[i].n_extents = found.n_extents;
        return r;
}

/* 4/14.1: the file set leads to the top folder. */
static int find_root(struct udf *u) {
        uint8_t block[BLOCK_MAX];
        uint64_t at;
        int tag = -1, r = read_block(u, u->root_map, u->root_block, block, &tag, &at);

        if (r != 0)
                return r;
        if (tag != TAG_FILE_SET)
                return refuse(u, "damaged: the UDF volume has no file set");
        u->root_block = le32(block + 404);
        u->root_map = le16(block + 408);
        return 0;
}

static int open_volume(struct udf *u) {
        uint8_t block[BLOCK_MAX];
        uint32_t main[2], reserve[2];
        int r = find_anchor(u, block);

        if (r != 0)
                return r;
        main[0] = le32(block + 20), main[1] = le32(block + 16);
        reserve[0] = le32(block + 28), reserve[1] = le32(block + 24);
        r = read_sequence(u, main[0], main[1]);
        if (r == 0 && (u->n_maps == 0 || u->n_physicals == 0))
                r = read_sequence(u, reserve[0], reserve[1]);
        if (r == 0 && u->n_maps == 0)
                r = refuse(u,
                           "damaged: the UDF volume does not say what it is made of");
        if (r == 0)
                r = find_physicals(u);
        for (size_t i = 0; i < u->n_maps && r == 0; i++)
                if (u->maps[i].kind == MAP_METADATA)
                        r = open_metadata(u, i);
        return r == 0 ? find_root(u) : r;
}

static int add_root(struct udf *u) {
        uint8_t *block = malloc(u->block);
        struct entry e;
        uint64_t at = 0;
        int tag = -1, r = block ? 0 : -ENOMEM;

        if (r == 0)
                r = read_block(u, u->root_map, u->root_block, block, &tag, &at);
        if (r == 0 && (!is_file_entry(tag) || !parse_entry(block, u->block, tag, &e) ||
                       e.type != TYPE_FOLDER))
                r = refuse(u, "damaged: the top folder is missing");
        if (r == 0)
                r = add_folder(u, u->root_map, at, block, &e, 0);
        free(block);
        return r;
}

bool media_udf_is(const uint8_t *data, size_t n) {
        for (size_t at = 0; at + 6 <= n; at += 2048)
                if (memcmp(data + at + 1, "NSR02", 5) == 0 ||
                    memcmp(data + at + 1, "NSR03", 5) == 0)
                        return true;
        return false;
}

int media_udf_read(int fd, uint64_t size, struct media_iso *ret, struct text *why) {
        struct text reason = { 0 };
        struct udf *u = calloc(1, sizeof(*u));
        struct media_iso iso = { 0 };
        int r;

        if (!u)
                return -ENOMEM;
        *u = (struct udf){ .fd = fd, .size = size, .why = &reason };
        r = open_volume(u);
        if (r == 0)
                r = media_build_new(size, &u->build);
        if (r == 0)
                r = add_root(u);
        if (r == 0)
                r = media_build_finish(u->build, &iso.data, &iso.n);
        memcpy(iso.volume, u->volume, sizeof(iso.volume));
        media_build_free(u->build);
        for (size_t i = 0; i < u->n_maps; i++)
                free(u->maps[i].extents);
        free(u);
        if (r > 0)
                text_add(why, text_string(&reason));
        text_done(&reason);
        if (r == 0)
                *ret = iso;
        return r > 0 ? MEDIA_ISO_REFUSED : r;
}
