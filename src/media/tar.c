/*
 * POSIX.1-2017, pax: a head of 512 bytes, then as many blocks as the file has; before
 * it, perhaps, a head of kind x (or GNU's L and K) whose content is about the next one.
 *
 * Files come in any order and name their folders in their paths, which may come later
 * or never, so that every path is kept in a table until the end. A path that comes
 * again hides behind the first, as everywhere here; a tar that was appended to, where
 * the last should win, is no medium that anybody publishes.
 */
#include "media/tar.h"

#include <stdlib.h>
#include <unistd.h>

enum {
        BLOCK = 512,
        PATH_BYTES = 4096,
        TABLE_MAX = 1 << 21,
        TALK_MAX = 64 << 10, /* what may be said about the next file */
};

enum { REFUSED = MEDIA_ISO_REFUSED };

#define NO_NODE UINT32_MAX

struct known {         /* a path that was seen */
        uint32_t path; /* in the texts, +1; 0: free */
        uint32_t node;
        bool is_folder, is_file;
        uint64_t at, n;
};

struct next { /* what was said about the next file */
        char path[PATH_BYTES], link[PATH_BYTES];
        bool has_path, has_link, has_size, has_mtime, is_sparse;
        uint64_t size, mtime;
};

struct tar {
        int fd;
        uint64_t size;
        struct media_build *build;
        struct text *why;
        struct text paths;
        struct known *table;
        uint32_t n_table, room;
        uint32_t n_unreadable;
        struct next next;
};

static int refuse(struct tar *t, const char *why) {
        if (t->why->n == 0)
                text_add(t->why, why);
        return REFUSED;
}

/* ---- the paths ---- */

static uint64_t hash_of(const char *s, size_t n) {
        uint64_t hash = 0xcbf29ce484222325;

        while (n-- > 0)
                hash = (hash ^ (uint8_t)*s++) * 0x100000001b3;
        return hash ^ hash >> 29;
}

static struct known *slot_of(struct tar *t, const char *path, size_t n) {
        uint32_t i = (uint32_t)hash_of(path, n) & (t->room - 1);

        for (;; i = (i + 1) & (t->room - 1)) {
                struct known *k = &t->table[i];
                const char *s = k->path ? t->paths.s + k->path - 1 : NULL;

                if (!s || (strncmp(s, path, n) == 0 && s[n] == '\0'))
                        return k;
        }
}

static int grow(struct tar *t) {
        struct known *old = t->table;
        uint32_t n_old = t->room;

        if (t->room && t->n_table < t->room / 2)
                return 0;
        if (t->room >= TABLE_MAX * 2)
                return refuse(t, "too many files");
        t->room = t->room ? t->room * 2 : 256;
        t->table = calloc(t->room, sizeof(*t->table));
        if (!t->table) {
                t->table = old;
                t->room = n_old;
                return -ENOMEM;
        }
        for (uint32_t i = 0; i < n_old; i++)
                if (old[i].path) {
                        const char *s = t->paths.s + old[i].path - 1;

                        *slot_of(t, s, strlen(s)) = old[i];
                }
        free(old);
        return 0;
}

static int keep(struct tar *t, const char *path, size_t n, struct known known) {
        int r = grow(t);

        if (r != 0)
                return r;
        known.path = (uint32_t)t->paths.n + 1;
        *slot_of(t, path, n) = known;
        t->n_table++;
        text_bytes(&t->paths, path, n);
        text_char(&t->paths, '\0');
        return t->paths.failed ? -ENOMEM : 0;
}

/* "./a//b/" is "a/b"; false for what leads upwards or says nothing. */
static bool clean(const char *s, char out[static PATH_BYTES]) {
        size_t n = 0;

        while (*s) {
                size_t n_segment = strcspn(s, "/");

                if (n_segment == 2 && s[0] == '.' && s[1] == '.')
                        return false;
                if (n_segment > 0 && !(n_segment == 1 && s[0] == '.')) {
                        if (n + n_segment + 2 > PATH_BYTES)
                                return false;
                        if (n > 0)
                                out[n++] = '/';
                        memcpy(out + n, s, n_segment);
                        n += n_segment;
                }
                s += n_segment;
                s += *s == '/';
        }
        out[n] = '\0';
        return true;
}

static int explain(struct tar *t, int r, const char *name) {
        if (r > 0 && t->why->n == 0) {
                text_add(t->why, r == MEDIA_BUILD_TOO_DEEP ? "folders nested too deep: "
                                 : r == MEDIA_BUILD_OUTSIDE
                                         ? "truncated: it ends within "
                                         : "too many files: ");
                text_printable(t->why, name, strlen(name));
        }
        return r > 0 ? REFUSED : r;
}

/* The folder that a path lies in, made if nobody has; *ret_name is the last segment.
 * MEDIA_BUILD_BAD_NAME: a file is in the way, or a name is none. */
static int folder_of(struct tar *t, char *path, uint32_t *ret, const char **ret_name) {
        uint32_t parent = 0;
        char *segment = path, *slash;

        for (; (slash = strchr(segment, '/')); segment = slash + 1) {
                size_t n = (size_t)(slash - path);
                struct known *k = t->room ? slot_of(t, path, n) : NULL;
                uint32_t made;
                int r;

                if (k && k->path) {
                        if (!k->is_folder)
                                return MEDIA_BUILD_BAD_NAME;
                        parent = k->node;
                        continue;
                }
                *slash = '\0';
                r = media_build_folder(t->build, parent, segment, 0, &made);
                if (r == 0)
                        r = keep(t, path, n,
                                 (struct known){ .node = made, .is_folder = true });
                *slash = '/';
                if (r != 0)
                        return r;
                parent = made;
        }
        *ret = parent;
        *ret_name = segment;
        return 0;
}

/* ---- heads ---- */

static bool is_sound(const uint8_t *h) {
        unsigned sum = 0, said = 0;
        size_t i;

        for (i = 0; i < BLOCK; i++)
                sum += i >= 148 && i < 156 ? ' ' : h[i];
        for (i = 148; i < 156 && h[i] == ' '; i++)
                ;
        for (; i < 156 && h[i] >= '0' && h[i] <= '7'; i++)
                said = said * 8 + (unsigned)(h[i] - '0');
        return sum == said && sum > 8 * ' ';
}

bool media_tar_is(const uint8_t *head, size_t n) {
        return n >= BLOCK && is_sound(head);
}

/* Octal digits; or, GNU's way for what they cannot hold, the number itself. */
static uint64_t number(const uint8_t *p, size_t n) {
        uint64_t v = 0;

        if (p[0] & 0x80) {
                for (size_t i = n > 8 ? n - 8 : 1; i < n; i++)
                        v = v << 8 | p[i];
                return v;
        }
        for (size_t i = 0; i < n; i++) {
                if (p[i] >= '0' && p[i] <= '7')
                        v = v * 8 + (uint64_t)(p[i] - '0');
                else if (p[i] != ' ')
                        break;
        }
        return v;
}

static void head_path(const uint8_t *h, char out[static PATH_BYTES]) {
        size_t n = 0, n_prefix = strnlen((const char *)h + 345, 155);

        /* GNU's kind of ustar has other things where POSIX has a prefix. */
        if (memcmp(h + 257, "ustar\0", 6) == 0 && n_prefix > 0) {
                memcpy(out, h + 345, n_prefix);
                out[n_prefix] = '/';
                n = n_prefix + 1;
        }
        memcpy(out + n, h, strnlen((const char *)h, 100));
        out[n + strnlen((const char *)h, 100)] = '\0';
}

/* ---- what is said about the next file ---- */

static void keep_text(char out[static PATH_BYTES], bool *ret_has, const char *s,
                      size_t n) {
        n = strnlen(s, n);
        *ret_has = true;
        /* One that is too long for us leads nowhere. */
        if (n >= PATH_BYTES) {
                memcpy(out, "..", 3);
                return;
        }
        memcpy(out, s, n);
        out[n] = '\0';
}

static uint64_t decimal(const char *s, size_t n) {
        uint64_t v = 0;

        for (size_t i = 0; i < n && s[i] >= '0' && s[i] <= '9'; i++) {
                if (v > UINT64_MAX / 16)
                        return UINT64_MAX;
                v = v * 10 + (uint64_t)(s[i] - '0');
        }
        return v;
}

static bool is_key(const char *s, size_t n, const char *key) {
        return n == strlen(key) && memcmp(s, key, n) == 0;
}

static void keep_pair(struct next *next, const char *key, size_t n_key,
                      const char *value, size_t n) {
        if (is_key(key, n_key, "path")) {
                keep_text(next->path, &next->has_path, value, n);
        } else if (is_key(key, n_key, "linkpath")) {
                keep_text(next->link, &next->has_link, value, n);
        } else if (is_key(key, n_key, "size")) {
                next->size = decimal(value, n);
                next->has_size = true;
        } else if (is_key(key, n_key, "mtime")) {
                next->mtime = decimal(value, n);
                next->has_mtime = true;
        } else if (n_key >= 10 && memcmp(key, "GNU.sparse", 10) == 0) {
                next->is_sparse = true;
        }
}

/* "LENGTH KEY=VALUE\n", the length being that of all of it */
static void read_pairs(struct next *next, const char *s, size_t n) {
        while (n > 0) {
                uint64_t length = decimal(s, n);
                const char *blank = memchr(s, ' ', n), *equal;

                if (length < 5 || length > n || !blank ||
                    (size_t)(blank - s) + 2 > length)
                        return;
                equal = memchr(blank, '=', length - (size_t)(blank - s));
                if (equal)
                        keep_pair(next, blank + 1, (size_t)(equal - blank - 1),
                                  equal + 1, length - (size_t)(equal + 1 - s) - 1);
                s += length;
                n -= length;
        }
}

static int read_talk(struct tar *t, uint64_t at, uint64_t n, uint8_t kind) {
        char *s;
        ssize_t got;

        if (n > TALK_MAX)
                return refuse(t, "damaged: a name without end");
        s = malloc((size_t)n + 1);
        if (!s)
                return -ENOMEM;
        got = pread(t->fd, s, (size_t)n, (off_t)at);
        if (got == (ssize_t)n && kind == 'x')
                read_pairs(&t->next, s, (size_t)n);
        else if (got == (ssize_t)n && kind == 'L')
                keep_text(t->next.path, &t->next.has_path, s, (size_t)n);
        else if (got == (ssize_t)n && kind == 'K')
                keep_text(t->next.link, &t->next.has_link, s, (size_t)n);
        free(s);
        return got < 0 ? -errno : got == (ssize_t)n ? 0 : refuse(t, "truncated");
}

/* ---- files ---- */

struct file {
        uint8_t kind;
        uint32_t mode;
        nsec_t mtime;
        uint64_t at, n;
};

static int add_plain(struct tar *t, uint32_t parent, const char *name,
                     const struct file *f, struct known *ret) {
        int r = media_build_file(t->build, parent, name, f->mtime, &ret->node);

        if (r != 0)
                return r;
        media_build_mode(t->build, f->mode);
        ret->is_file = true;
        ret->at = f->at;
        ret->n = f->n;
        return f->n ? media_build_extent(t->build, ret->node, f->at, f->n) : 0;
}

/* The content of a file that came before. */
static int add_again(struct tar *t, uint32_t parent, const char *name,
                     const struct file *f, struct known *ret) {
        char path[PATH_BYTES];
        struct file same = *f;
        const struct known *k;

        if (!clean(t->next.link, path) || t->room == 0)
                return MEDIA_BUILD_BAD_NAME;
        k = slot_of(t, path, strlen(path));
        if (!k->path || !k->is_file)
                return MEDIA_BUILD_BAD_NAME;
        same.at = k->at;
        same.n = k->n;
        return add_plain(t, parent, name, &same, ret);
}

static int add_kind(struct tar *t, uint32_t parent, const char *name,
                    const struct file *f, struct known *ret) {
        int r;

        switch (f->kind) {
        case '0':
        case '\0':
        case '7':
                if (t->next.is_sparse) {
                        t->n_unreadable++;
                        return MEDIA_BUILD_BAD_NAME;
                }
                return add_plain(t, parent, name, f, ret);
        case '1':
                return add_again(t, parent, name, f, ret);
        case '2':
                ret->node = NO_NODE;
                return media_build_link(t->build, parent, name, f->mtime, t->next.link);
        case '5':
                r = media_build_folder(t->build, parent, name, f->mtime, &ret->node);
                if (r == 0)
                        media_build_mode(t->build, f->mode);
                ret->is_folder = r == 0;
                return r;
        default: /* devices, and what only GNU tar knows */
                t->n_unreadable += f->kind == 'S';
                return MEDIA_BUILD_BAD_NAME;
        }
}

static int add_file(struct tar *t, const struct file *f) {
        struct known known = { 0 };
        char path[PATH_BYTES];
        const char *name;
        uint32_t parent;
        int r;

        if (!clean(t->next.path, path) || path[0] == '\0')
                return 0;
        if (t->room && slot_of(t, path, strlen(path))->path)
                return 0;
        r = folder_of(t, path, &parent, &name);
        if (r == 0)
                r = add_kind(t, parent, name, f, &known);
        if (r == 0)
                r = keep(t, path, strlen(path), known);
        /* A name that no path can hold hides its file and nothing else. */
        return r == MEDIA_BUILD_BAD_NAME ? 0 : explain(t, r, path);
}

/* One head and what belongs to it; *at goes on behind. */
static int read_one(struct tar *t, const uint8_t *h, uint64_t *at) {
        struct file f = { .kind = h[156], .mode = (uint32_t)number(h + 100, 8) };
        bool is_talk = f.kind == 'x' || f.kind == 'L' || f.kind == 'K';
        int r;

        f.at = *at + BLOCK;
        f.n = t->next.has_size && !is_talk ? t->next.size : number(h + 124, 12);
        /* Links and folders have no content, whatever they say of its size. */
        if (f.kind == '1' || f.kind == '2' || f.kind == '5')
                f.n = 0;
        if (f.n > t->size || f.at > t->size - f.n) {
                head_path(h, t->next.path);
                return explain(t, MEDIA_BUILD_OUTSIDE, t->next.path);
        }
        *at = f.at + (f.n + BLOCK - 1) / BLOCK * BLOCK;
        if (is_talk)
                return read_talk(t, f.at, f.n, f.kind);
        if (f.kind == 'g') /* about the archive */
                return 0;
        if (!t->next.has_path)
                head_path(h, t->next.path);
        if (!t->next.has_link)
                keep_text(t->next.link, &t->next.has_link, (const char *)h + 157, 100);
        f.mtime = t->next.has_mtime ? t->next.mtime : number(h + 136, 12);
        f.mtime = f.mtime < INT32_MAX * 64ULL ? f.mtime * NSEC_PER_SEC : 0;
        /* Before ustar a folder was a name that ends with a slash. */
        if ((f.kind == '0' || f.kind == '\0') && t->next.path[0] &&
            t->next.path[strlen(t->next.path) - 1] == '/')
                f.kind = '5';
        r = add_file(t, &f);
        t->next = (struct next){ 0 };
        return r;
}

static int read_all(struct tar *t) {
        static const uint8_t zeros[BLOCK];
        uint8_t h[BLOCK];
        uint64_t at = 0;
        int r = 0;

        while (r == 0 && at + BLOCK <= t->size) {
                ssize_t n = pread(t->fd, h, sizeof(h), (off_t)at);

                if (n < 0)
                        return -errno;
                if (n < BLOCK)
                        return refuse(t, "truncated");
                if (memcmp(h, zeros, BLOCK) == 0)
                        return 0;
                if (!is_sound(h))
                        return refuse(t, at == 0 ? "not a tar archive"
                                                 : "damaged: a file's head is none");
                r = read_one(t, h, &at);
        }
        if (r == 0)
                r = refuse(t,
                           at == 0 ? "not a tar archive" : "truncated: it has no end");
        return r;
}

int media_tar_read(int fd, uint64_t size, struct media_iso *ret, struct text *why) {
        struct text reason = { 0 };
        struct tar *t = calloc(1, sizeof(*t));
        struct media_iso made = { 0 };
        int r;

        if (!t)
                return -ENOMEM;
        *t = (struct tar){ .fd = fd, .size = size, .why = &reason };
        r = media_build_new(size, &t->build);
        if (r == 0)
                r = read_all(t);
        if (r == 0)
                r = media_build_finish(t->build, &made.data, &made.n);
        made.n_unreadable = t->n_unreadable;
        media_build_free(t->build);
        text_done(&t->paths);
        free(t->table);
        free(t);
        if (r > 0)
                text_add(why, text_string(&reason));
        text_done(&reason);
        if (r == 0)
                *ret = made;
        return r > 0 ? MEDIA_ISO_REFUSED : r;
}
