/*
 * ISO 9660, folder by folder. Every folder lies in the image as one run of sectors and
 * says itself how long it is; no record crosses a sector. Folders wait in a queue
 * instead of a recursion, each knows the one above it, and one that would be its own
 * ancestor ends the reading: so an image that is a circle is found at its first turn.
 *
 * An image can hold several trees of the same files. They are preferred as everywhere:
 * Rock Ridge (real names and links), then Joliet, then the names of ISO 9660:1999, then
 * the bare ones in lower case as Linux shows them.
 *
 * Numbers are of ECMA-119, third edition, unless they say otherwise.
 */
#include "media/iso.h"

#include <stdlib.h>
#include <unistd.h>

#include "media/bytes.h"
#include "media/el_torito.h"
#include "media/pvd.h"
#include "media/rock_ridge.h"

enum {
        CHUNK = 32 * PVD_SECTOR,   /* of a folder, at a time */
        FAR = 8 * PVD_SECTOR,      /* of what Rock Ridge puts elsewhere */
        READ_BYTES_MAX = 256 << 20 /* a DVD with sixty thousand packages has 10 MiB */
};

enum names { NAMES_BARE, NAMES_LONG, NAMES_JOLIET, NAMES_ROCK_RIDGE };

struct folder {
        uint32_t node, parent; /* which in the queue is above it */
        uint32_t block, n;     /* bytes */
};

struct iso {
        int fd;
        uint64_t size;
        uint64_t n_read;
        enum names names;
        uint32_t skip; /* bytes of every system use area */
        struct folder *queue;
        uint32_t n_queue, room;
        struct media_build *build;
        struct text *why;
        uint32_t n_unreadable; /* files that are compressed or sparse */

        /* The file whose next extent may be the next record: 9.1.6 */
        uint32_t open_file;
        bool is_open;
        uint8_t open_name[256];
        uint8_t n_open_name;

        uint8_t chunk[CHUNK];
        uint8_t far[FAR]; /* a run of blocks from far_at on; neighbours share them */
        uint64_t far_at;
        size_t n_far;
};

enum { REFUSED = MEDIA_ISO_REFUSED };

static int refuse(struct iso *iso, const char *why) {
        if (iso->why->n == 0)
                text_add(iso->why, why);
        return REFUSED;
}

static int read_bytes(struct iso *iso, uint64_t at, void *buffer, size_t n) {
        ssize_t got;

        iso->n_read += n;
        if (iso->n_read > READ_BYTES_MAX)
                return refuse(iso, "damaged: its folders never end");
        if (at > iso->size || n > iso->size - at)
                return refuse(iso, "damaged: a folder lies outside the image");
        got = pread(iso->fd, buffer, n, (off_t)at);
        if (got < 0)
                return -errno;
        return (size_t)got == n ? 0 : refuse(iso, "truncated: the image ends early");
}

/* ---- one record ---- */

enum { /* 9.1.6 */
       FLAG_FOLDER = 2,
       FLAG_ASSOCIATED = 4,
       FLAG_GOES_ON = 0x80,
};

struct record { /* 9.1 */
        const uint8_t *name, *area;
        size_t n_name, n_area;
        uint32_t block, n;
        uint8_t flags;
        nsec_t mtime;
        bool is_interleaved;
};

/* False when there is no sound record. */
static bool parse_record(const uint8_t *p, size_t room, struct record *ret) {
        size_t n = p[0], n_name, at;

        if (n < 34 || n > room)
                return false;
        n_name = p[32];
        at = 33 + n_name + (n_name % 2 == 0); /* 9.1.12 */
        if (n_name == 0 || 33 + n_name > n)
                return false;
        *ret = (struct record){ .name = p + 33,
                                .n_name = n_name,
                                .area = p + at,
                                .n_area = at < n ? n - at : 0,
                                /* 9.1.2: the content comes behind these */
                                .block = le32(p + 2) + p[1],
                                .n = le32(p + 10),
                                .flags = p[25],
                                .mtime = rock_ridge_time(p + 18),
                                .is_interleaved = p[26] != 0 };
        return true;
}

/* 7.6.2: "." and ".." */
static bool is_self_or_parent(const struct record *r) {
        return r->n_name == 1 && r->name[0] <= 1;
}

/* 7.5.1: a version behind a semicolon, a dot before it that may end the name */
static size_t bare_length(const uint8_t *name, size_t n, size_t each) {
        size_t end = n;

        for (size_t at = 0; at + each <= n; at += each)
                if (name[at + each - 1] == ';' && (each == 1 || name[at] == 0))
                        end = at;
        return end > 0 ? end : n;
}

static bool add_bare_name(const struct iso *iso, const struct record *r,
                          struct text *out) {
        size_t n = bare_length(r->name, r->n_name, 1);

        if (memchr(r->name, '\0', n))
                return false;
        if (n > 1 && r->name[n - 1] == '.')
                n--;
        if (iso->names == NAMES_LONG) {
                text_bytes(out, r->name, n);
                return true;
        }
        for (size_t i = 0; i < n; i++)
                text_char(out, r->name[i] >= 'A' && r->name[i] <= 'Z'
                                       ? (char)(r->name[i] | 0x20)
                                       : (char)r->name[i]);
        return true;
}

static bool add_name(const struct iso *iso, const struct record *r,
                     const struct rock_ridge *rr, struct text *out) {
        if (iso->names == NAMES_ROCK_RIDGE && rr->n_name > 0) {
                text_bytes(out, rr->name, rr->n_name);
                return true;
        }
        if (iso->names == NAMES_JOLIET)
                return media_add_characters(r->name, bare_length(r->name, r->n_name, 2),
                                            2, out);
        return add_bare_name(iso, r, out);
}

/* ---- into the index ---- */

static int add_extent(struct iso *iso, uint32_t node, const struct record *r) {
        return r->n == 0 ? 0
                         : media_build_extent(iso->build, node,
                                              (uint64_t)r->block * PVD_SECTOR, r->n);
}

static bool is_ancestor(const struct iso *iso, uint32_t above, uint32_t block) {
        for (;; above = iso->queue[above].parent) {
                if (iso->queue[above].block == block)
                        return true;
                if (above == 0)
                        return false;
        }
}

static int push(struct iso *iso, struct folder folder) {
        struct folder *grown;

        if (iso->n_queue == iso->room) {
                iso->room = iso->room ? 2 * iso->room : 64;
                grown = reallocarray(iso->queue, iso->room, sizeof(*grown));
                if (!grown)
                        return -ENOMEM;
                iso->queue = grown;
        }
        iso->queue[iso->n_queue++] = folder;
        return 0;
}

static int add_folder(struct iso *iso, uint32_t above, const struct record *r,
                      const struct rock_ridge *rr, const char *name, nsec_t mtime) {
        struct folder folder = { .parent = above, .block = r->block, .n = r->n };
        uint8_t head[34];
        int answer;

        /* P1282 4.1.5.1: it was moved up; its own first record knows how long it is. */
        if (rr->child) {
                folder.block = rr->child;
                answer = read_bytes(iso, (uint64_t)folder.block * PVD_SECTOR, head,
                                    sizeof(head));
                if (answer != 0)
                        return answer;
                folder.n = le32(head + 10);
        }
        if (is_ancestor(iso, above, folder.block))
                return refuse(iso, "damaged: its folders go round in circles");
        answer = media_build_folder(iso->build, iso->queue[above].node, name, mtime,
                                    &folder.node);
        if (answer != 0)
                return answer;
        media_build_mode(iso->build, rr->mode);
        return push(iso, folder);
}

static int add_file(struct iso *iso, uint32_t above, const struct record *r,
                    const struct rock_ridge *rr, const char *name, nsec_t mtime) {
        int answer;

        /* Their bytes are not what is in the file. */
        if (rr->is_compressed || rr->is_sparse || r->is_interleaved) {
                iso->n_unreadable++;
                return 0;
        }
        answer = media_build_file(iso->build, iso->queue[above].node, name, mtime,
                                  &iso->open_file);
        if (answer != 0)
                return answer;
        media_build_mode(iso->build, rr->mode);
        iso->is_open = r->flags & FLAG_GOES_ON;
        iso->n_open_name = (uint8_t)r->n_name;
        memcpy(iso->open_name, r->name, r->n_name);
        return add_extent(iso, iso->open_file, r);
}

/* Files, folders and links; POSIX knows more kinds. */
static bool is_served(const struct rock_ridge *rr) {
        enum { KIND = 0170000, FILE_KIND = 0100000, FOLDER = 0040000, LINK = 0120000 };
        uint32_t kind = rr->mode & KIND;

        return !rr->has_mode || kind == 0 || kind == FILE_KIND || kind == FOLDER ||
               kind == LINK;
}

static int add_named(struct iso *iso, uint32_t above, const struct record *r,
                     const struct rock_ridge *rr, const char *name) {
        nsec_t mtime = rr->mtime ? rr->mtime : r->mtime;
        int answer;

        if (rr->child || r->flags & FLAG_FOLDER)
                answer = add_folder(iso, above, r, rr, name, mtime);
        else if (rr->is_link)
                answer = media_build_link(iso->build, iso->queue[above].node, name,
                                          mtime, rr->link);
        else
                answer = add_file(iso, above, r, rr, name, mtime);
        /* A name that no path can hold hides its file and nothing else. */
        if (answer == MEDIA_BUILD_BAD_NAME && iso->why->n == 0)
                return 0;
        if (answer > 0 && iso->why->n == 0) {
                text_add(iso->why, answer == MEDIA_BUILD_OUTSIDE
                                           ? "damaged: a file lies outside the image: "
                                   : answer == MEDIA_BUILD_TOO_DEEP
                                           ? "folders nested too deep: "
                                           : "too many files: ");
                text_printable(iso->why, name, strlen(name));
        }
        return answer > 0 ? REFUSED : answer;
}

/* Whether the record is one more piece of the file before it. */
static bool goes_on(const struct iso *iso, const struct record *r) {
        return iso->is_open && !(r->flags & FLAG_FOLDER) &&
               r->n_name == iso->n_open_name &&
               memcmp(r->name, iso->open_name, r->n_name) == 0;
}

/* What lies elsewhere is mostly neighbours: read a run of blocks and keep it. */
static bool read_more(uint32_t block, uint32_t offset, uint32_t n, const uint8_t **ret,
                      void *userdata) {
        struct iso *iso = userdata;
        uint64_t at = (uint64_t)block * PVD_SECTOR + offset, from;

        if (offset >= PVD_SECTOR || at > iso->size || n > iso->size - at)
                return false;
        if (at < iso->far_at || at + n > iso->far_at + iso->n_far) {
                from = (uint64_t)block * PVD_SECTOR;
                iso->n_far = 0;
                if (read_bytes(iso, from, iso->far,
                               (size_t)min_u64(sizeof(iso->far), iso->size - from)) !=
                    0)
                        return false;
                iso->far_at = from;
                iso->n_far = (size_t)min_u64(sizeof(iso->far), iso->size - from);
        }
        *ret = iso->far + (at - iso->far_at);
        return true;
}

static int add_record(struct iso *iso, uint32_t above, const struct record *r) {
        struct rock_ridge rr = { 0 };
        struct text name = { 0 };
        int answer = 0;

        if (is_self_or_parent(r) || r->flags & FLAG_ASSOCIATED)
                return 0;
        if (goes_on(iso, r)) {
                iso->is_open = r->flags & FLAG_GOES_ON;
                answer = add_extent(iso, iso->open_file, r);
                return answer > 0 ? refuse(iso, "damaged: a piece of a file lies "
                                                "outside the image")
                                  : answer;
        }
        iso->is_open = false;
        if (iso->names == NAMES_ROCK_RIDGE && r->n_area > iso->skip)
                rock_ridge_parse(r->area + iso->skip, r->n_area - iso->skip, read_more,
                                 iso, &rr);
        if (rr.is_moved || rr.is_hidden || !is_served(&rr))
                return 0;
        if (add_name(iso, r, &rr, &name))
                answer = name.failed
                                 ? -ENOMEM
                                 : add_named(iso, above, r, &rr, text_string(&name));
        text_done(&name);
        return answer;
}

/* ---- folders ---- */

static int add_sector(struct iso *iso, uint32_t folder, const uint8_t *p, size_t n) {
        int answer = 0;

        /* 6.8.1.1: what is left of a sector is zeros. */
        while (n > 0 && p[0] != 0 && answer == 0) {
                struct record r;

                if (!parse_record(p, n, &r))
                        return refuse(iso, "damaged: a folder's list is no such list");
                answer = add_record(iso, folder, &r);
                n -= p[0];
                p += p[0];
        }
        return answer;
}

static int read_folder(struct iso *iso, uint32_t i) {
        struct folder folder = iso->queue[i];
        int answer = 0;

        iso->is_open = false;
        for (uint32_t at = 0; at < folder.n && answer == 0; at += CHUNK) {
                size_t n = min_size(folder.n - at, CHUNK);

                answer = read_bytes(iso, (uint64_t)folder.block * PVD_SECTOR + at,
                                    iso->chunk, n);
                for (size_t in = 0; in < n && answer == 0; in += PVD_SECTOR)
                        answer = add_sector(iso, i, iso->chunk + in,
                                            min_size(n - in, PVD_SECTOR));
                if (folder.n - at <= CHUNK)
                        break;
        }
        return answer;
}

/* ---- which of the trees ---- */

struct trees {
        const uint8_t *primary, *joliet, *enhanced; /* descriptors; NULL: none */
        const uint8_t *boot;
};

static bool is_joliet(const uint8_t *descriptor) {
        const uint8_t *escape = descriptor + 88;

        /* Joliet 1: one of three levels of UCS-2 */
        return escape[0] == '%' && escape[1] == '/' &&
               (escape[2] == '@' || escape[2] == 'C' || escape[2] == 'E');
}

static struct trees find_trees(const uint8_t *data, size_t n) {
        enum { BOOT = 0, PRIMARY = 1, SUPPLEMENTARY = 2, TERMINATOR = 255 };
        struct trees trees = { 0 };

        for (size_t at = 0; at + PVD_SECTOR <= n; at += PVD_SECTOR) {
                const uint8_t *d = data + at;

                if (memcmp(d + 1, "CD001", 5) != 0 || d[0] == TERMINATOR)
                        break;
                if (d[0] == PRIMARY && !trees.primary)
                        trees.primary = d;
                else if (d[0] == SUPPLEMENTARY && d[6] == 2 && !trees.enhanced)
                        trees.enhanced = d;
                else if (d[0] == SUPPLEMENTARY && is_joliet(d) && !trees.joliet)
                        trees.joliet = d;
                else if (d[0] == BOOT && el_torito_is(d) && !trees.boot)
                        trees.boot = d;
        }
        return trees;
}

/* 8.4.18: the top folder's own record, of 34 bytes */
static struct folder top_of(const uint8_t *descriptor) {
        return (struct folder){ .block = le32(descriptor + 156 + 2) +
                                         descriptor[156 + 1],
                                .n = le32(descriptor + 156 + 10) };
}

static bool has_rock_ridge(struct iso *iso, const struct folder *top, int *ret_answer) {
        struct rock_ridge rr;
        struct record r;
        int skip;

        *ret_answer = read_bytes(iso, (uint64_t)top->block * PVD_SECTOR, iso->chunk,
                                 PVD_SECTOR);
        if (*ret_answer != 0 || !parse_record(iso->chunk, PVD_SECTOR, &r))
                return false;
        skip = rock_ridge_skip(r.area, r.n_area);
        if (skip < 0)
                return false;
        iso->skip = (uint32_t)skip;
        rock_ridge_parse(r.area, r.n_area, read_more, iso, &rr);
        if (!rr.is_there && r.n_area > iso->skip)
                rock_ridge_parse(r.area + iso->skip, r.n_area - iso->skip, read_more,
                                 iso, &rr);
        return rr.is_there;
}

static int choose_tree(struct iso *iso, const struct trees *trees) {
        struct folder top = top_of(trees->primary);
        int answer;

        if (has_rock_ridge(iso, &top, &answer)) {
                iso->names = NAMES_ROCK_RIDGE;
        } else if (answer == 0 && trees->joliet) {
                iso->names = NAMES_JOLIET;
                top = top_of(trees->joliet);
        } else if (answer == 0 && trees->enhanced) {
                iso->names = NAMES_LONG;
                top = top_of(trees->enhanced);
        }
        return answer != 0 ? answer : push(iso, top);
}

/* ---- the image ---- */

static int build_index(struct iso *iso, const struct trees *trees,
                       struct media_iso *ret) {
        int answer = media_build_new(iso->size, &iso->build);

        if (answer == 0)
                answer = choose_tree(iso, trees);
        for (uint32_t i = 0; i < iso->n_queue && answer == 0; i++)
                answer = read_folder(iso, i);
        if (answer == 0 && trees->boot)
                answer = el_torito_add(iso->fd, iso->size, trees->boot, iso->build);
        if (answer == 0)
                answer = media_build_finish(iso->build, &ret->data, &ret->n);
        return answer > 0 ? refuse(iso, "damaged: boot images without end") : answer;
}

static int read_image(int fd, uint64_t size, const uint8_t *data, size_t n,
                      struct media_iso *ret, struct text *why) {
        const struct trees trees = find_trees(data, n);
        struct media_iso made = { 0 };
        struct pvd pvd;
        struct iso *iso;
        int answer;

        if (pvd_parse(data, n, size, &pvd, why) != PVD_OK)
                return REFUSED;
        iso = calloc(1, sizeof(*iso));
        if (!iso)
                return -ENOMEM;
        iso->fd = fd;
        iso->size = size;
        iso->why = why;
        memcpy(made.volume, pvd.volume, sizeof(made.volume));
        answer = build_index(iso, &trees, &made);
        made.has_rock_ridge = iso->names == NAMES_ROCK_RIDGE;
        made.n_unreadable = iso->n_unreadable;
        media_build_free(iso->build);
        free(iso->queue);
        free(iso);
        if (answer == 0)
                *ret = made;
        return answer;
}

int media_iso_read(int fd, uint64_t size, struct media_iso *ret, struct text *why) {
        struct text reason = { 0 };
        uint8_t *data = malloc(PVD_BYTES);
        ssize_t n;
        int answer;

        if (!data)
                return -ENOMEM;
        n = pread(fd, data, PVD_BYTES, (off_t)PVD_FIRST * PVD_SECTOR);
        answer = n < 0 ? -errno : read_image(fd, size, data, (size_t)n, ret, &reason);
        if (answer > 0)
                text_add(why, text_string(&reason));
        text_done(&reason);
        free(data);
        return answer;
}

void media_iso_done(struct media_iso *iso) {
        free(iso->data);
        *iso = (struct media_iso){ 0 };
}
