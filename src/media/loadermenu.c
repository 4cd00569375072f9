/*
 * What the languages share, and the two that are read line by line.
 *
 * ISOLINUX: a LABEL begins an entry; the keywords after it are its. INITRD wins over an
 * initrd= among the arguments. A label that only opens another configuration is
 * followed into it, as is every INCLUDE (SYSLINUX' doc/syslinux.txt, doc/menu.txt).
 */
#include "media/loadermenu.h"

#include <stdlib.h>

/* ---- entries ---- */

static void entry_done(struct loadermenu_entry *e) {
        free(e->title);
        free(e->kernel);
        free(e->args);
        for (uint32_t i = 0; i < MEDIUM_INITRDS_MAX; i++) {
                free(e->initrd[i]);
                free(e->initrd_args[i]);
        }
        *e = (struct loadermenu_entry){ 0 };
}

void loadermenu_done(struct loadermenu *menu) {
        for (size_t i = 0; i < menu->n_entries; i++)
                entry_done(&menu->entries[i]);
        menu->n_entries = 0;
}

struct loadermenu_entry *loadermenu_add(struct loadermenu *menu) {
        struct loadermenu_entry *e;

        if (menu->n_entries == ARRAY_SIZE(menu->entries))
                return NULL;
        e = &menu->entries[menu->n_entries++];
        *e = (struct loadermenu_entry){ .boot = MEDIUM_LINUX };
        return e;
}

void loadermenu_settle(struct loadermenu *menu, struct loadermenu_entry *entry) {
        size_t at;

        if (!entry || (entry->kernel && *entry->kernel))
                return;
        at = (size_t)(entry - menu->entries);
        entry_done(entry);
        /* What it opened stands behind it. */
        memmove(entry, entry + 1, (menu->n_entries - at - 1) * sizeof(*entry));
        menu->n_entries--;
}

void loadermenu_append(struct loadermenu *menu, char **text, const char *s, size_t n) {
        size_t had = *text ? strlen(*text) : 0;
        char *grown;

        n = min_size(n, LOADERMENU_WORD_MAX);
        if (n == 0 || had + n + 2 > LOADERMENU_ARGS_MAX)
                return;
        grown = realloc(*text, had + n + 2);
        if (!grown) {
                menu->failed = true;
                return;
        }
        if (had > 0)
                grown[had++] = ' ';
        memcpy(grown + had, s, n);
        grown[had + n] = '\0';
        *text = grown;
}

void loadermenu_set(struct loadermenu *menu, char **text, const char *s, size_t n) {
        free(*text);
        *text = NULL;
        loadermenu_append(menu, text, s, n);
}

void loadermenu_add_initrd(struct loadermenu *menu, struct loadermenu_entry *entry,
                           const char *s, size_t n) {
        if (n > 0 && entry->n_initrd < MEDIUM_INITRDS_MAX) {
                loadermenu_set(menu, &entry->initrd[entry->n_initrd], s, n);
                entry->n_initrd += entry->initrd[entry->n_initrd] != NULL;
        }
}

char *loadermenu_file(struct loadermenu *menu, const char *path, size_t *ret_n) {
        if (menu->n_files >= LOADERMENU_FILES_MAX)
                return NULL;
        menu->n_files++;
        return menu->read(path, ret_n, menu->userdata);
}

/* ---- lines ---- */

struct line {
        const char *word, *rest; /* keyword, and what follows it */
        size_t n_word, n_rest;
};

static bool is_blank(char c) {
        return c == ' ' || c == '\t' || c == '\r';
}

/* The next line of `text`; false past the last. */
static bool next_line(const char *text, size_t n, size_t *at, struct line *ret) {
        const char *s = text + *at, *end;

        if (*at >= n)
                return false;
        end = memchr(s, '\n', n - *at);
        end = end ? end : text + n;
        *at = (size_t)(end - text) + 1;
        while (s < end && is_blank(*s))
                s++;
        while (end > s && is_blank(end[-1]))
                end--;
        ret->word = s;
        while (s < end && !is_blank(*s))
                s++;
        ret->n_word = (size_t)(s - ret->word);
        while (s < end && is_blank(*s))
                s++;
        ret->rest = s;
        ret->n_rest = (size_t)(end - s);
        return true;
}

static bool is(const char *s, size_t n, const char *word) {
        return strlen(word) == n && strncasecmp(s, word, n) == 0;
}

/* A keyword taken off the front of a line. */
static bool take(struct line *line, const char *word) {
        struct line inner;
        size_t at = 0;

        if (!is(line->word, line->n_word, word))
                return false;
        if (!next_line(line->rest, line->n_rest, &at, &inner))
                inner = (struct line){ line->rest, line->rest, 0, 0 };
        *line = inner;
        return true;
}

/* ---- ISOLINUX ---- */

struct syslinux {
        struct loadermenu *menu;
        const char *folder; /* of the first file: "/isolinux/" */
        struct loadermenu_entry *entry;
        char *args;         /* APPEND before any label */
        char *config;       /* what a label opens instead */
        bool has_initrd;    /* by the keyword */
        bool is_com32_menu; /* KERNEL was a menu: APPEND names its file */
        bool is_mboot;
};

static void syslinux_file(struct syslinux *s, const char *path, unsigned depth);

static bool ends_with(const char *s, size_t n, const char *end) {
        size_t n_end = strlen(end);

        return n >= n_end && strncasecmp(s + n - n_end, end, n_end) == 0;
}

/* Absolute, for the callback. */
static void follow(struct syslinux *s, const char *name, size_t n, unsigned depth) {
        struct text path = { 0 };

        if (n == 0 || depth >= LOADERMENU_DEPTH_MAX)
                return;
        if (name[0] != '/')
                text_add(&path, s->folder);
        text_bytes(&path, name, min_size(n, LOADERMENU_WORD_MAX));
        if (!path.failed)
                syslinux_file(s, path.s, depth);
        text_done(&path);
}

/* A relative path, as the entry keeps it, is made absolute. */
static char *absolute(struct syslinux *s, char *path) {
        struct text out = { 0 };

        if (!path || path[0] == '/')
                return path;
        text_add(&out, s->folder);
        text_add(&out, path);
        if (out.failed) {
                s->menu->failed = true;
                text_done(&out);
                return path;
        }
        free(path);
        return out.s;
}

static void add_initrds(struct syslinux *s, const char *list, size_t n) {
        while (n > 0) {
                size_t n_one = 0;

                while (n_one < n && list[n_one] != ',')
                        n_one++;
                loadermenu_add_initrd(s->menu, s->entry, list, n_one);
                n_one += n_one < n;
                list += n_one;
                n -= n_one;
        }
}

/* mboot.c32 a b --- c d: a kernel and its modules, each with arguments. */
static void add_modules(struct syslinux *s, const char *text) {
        struct loadermenu_entry *e = s->entry;
        char **args = &e->args;
        unsigned file = 0;
        bool is_first = true;

        e->boot = MEDIUM_MULTIBOOT;
        while (*text) {
                size_t n = strcspn(text, " \t");

                if (is(text, n, "---")) {
                        is_first = true;
                        file++;
                } else if (is_first && n > 0 && file == 0) {
                        loadermenu_set(s->menu, &e->kernel, text, n);
                        is_first = false;
                } else if (is_first && n > 0 && e->n_initrd < MEDIUM_INITRDS_MAX) {
                        args = &e->initrd_args[e->n_initrd];
                        loadermenu_add_initrd(s->menu, e, text, n);
                        is_first = false;
                } else {
                        loadermenu_append(s->menu, args, text, n);
                }
                text += n;
                text += strspn(text, " \t");
        }
}

static void split_append(struct syslinux *s, const char *text) {
        while (*text) {
                size_t n = strcspn(text, " \t");

                if (n > 7 && strncmp(text, "initrd=", 7) == 0) {
                        if (!s->has_initrd)
                                add_initrds(s, text + 7, n - 7);
                } else {
                        loadermenu_append(s->menu, &s->entry->args, text, n);
                }
                text += n;
                text += strspn(text, " \t");
        }
}

/* The end of a label: what was said of it is made into an entry, or followed. */
static void settle(struct syslinux *s, unsigned depth) {
        struct loadermenu_entry *e = s->entry;
        char *append = e ? e->args : NULL, *config = s->config;

        if (!e)
                return;
        e->args = NULL;
        if (s->is_mboot)
                add_modules(s, append ? append : "");
        else if (s->is_com32_menu && append && !config)
                config = strndup(append, strcspn(append, " \t~"));
        else
                split_append(s, append ? append : s->args ? s->args : "");
        e->kernel = absolute(s, e->kernel);
        for (uint32_t i = 0; i < e->n_initrd; i++)
                e->initrd[i] = absolute(s, e->initrd[i]);
        s->config = NULL;
        s->entry = NULL;
        loadermenu_settle(s->menu, e);
        if (config && (s->is_com32_menu || !e->kernel))
                follow(s, config, strlen(config), depth + 1);
        free(config);
        free(append);
}

static void begin(struct syslinux *s, const struct line *line) {
        s->has_initrd = s->is_com32_menu = s->is_mboot = false;
        s->entry = loadermenu_add(s->menu);
        if (s->entry)
                loadermenu_set(s->menu, &s->entry->title, line->word, line->n_word);
}

static void set_kernel(struct syslinux *s, const char *name, size_t n) {
        const char *slash = memrchr(name, '/', n);
        const char *base = slash ? slash + 1 : name;
        size_t n_base = n - (size_t)(base - name);

        if (is(base, n_base, "mboot.c32"))
                s->is_mboot = true;
        else if (is(base, n_base, "vesamenu.c32") || is(base, n_base, "menu.c32") ||
                 is(base, n_base, "config.c32"))
                s->is_com32_menu = true;
        else if (is(base, n_base, "linux.c32") || ends_with(base, n_base, ".c32"))
                return;
        else
                loadermenu_set(s->menu, &s->entry->kernel, name, n);
        if (is(base, n_base, "memdisk"))
                s->entry->boot = MEDIUM_MEMDISK;
}

/* "^Install": the caret marks a key. */
static void set_title(struct syslinux *s, const char *text, size_t n) {
        struct text out = { 0 };

        for (size_t i = 0; i < min_size(n, 200); i++)
                if (text[i] != '^')
                        text_char(&out, text[i]);
        loadermenu_set(s->menu, &s->entry->title, text_string(&out), out.n);
        text_done(&out);
}

static void in_label(struct syslinux *s, struct line *line) {
        if (take(line, "kernel") || take(line, "linux"))
                set_kernel(s, line->word, line->n_word);
        else if (take(line, "com32"))
                set_kernel(s, line->word, line->n_word);
        else if (is(line->word, line->n_word, "append"))
                loadermenu_set(s->menu, &s->entry->args, line->rest, line->n_rest);
        else if (take(line, "initrd")) {
                add_initrds(s, line->word, line->n_word);
                s->has_initrd = true;
        } else if (take(line, "config") && !s->config) {
                s->config = strndup(line->word, line->n_word);
        } else if (take(line, "menu") && is(line->word, line->n_word, "label")) {
                set_title(s, line->rest, line->n_rest);
        }
}

static bool take_include(struct line *line) {
        struct line menu = *line;

        if (take(line, "include"))
                return true;
        if (!take(&menu, "menu") || !take(&menu, "include"))
                return false;
        *line = menu;
        return true;
}

static void syslinux_line(struct syslinux *s, struct line line, unsigned depth) {
        if (take(&line, "label")) {
                settle(s, depth);
                begin(s, &line);
        } else if (take_include(&line)) {
                settle(s, depth);
                follow(s, line.word, line.n_word, depth + 1);
        } else if (s->entry) {
                in_label(s, &line);
        } else if (is(line.word, line.n_word, "append")) {
                loadermenu_set(s->menu, &s->args, line.rest, line.n_rest);
        }
}

static void syslinux_file(struct syslinux *s, const char *path, unsigned depth) {
        size_t n = 0, at = 0;
        char *text = loadermenu_file(s->menu, path, &n);
        struct line line;
        bool is_help = false;

        while (text && next_line(text, n, &at, &line)) {
                if (is_help || is(line.word, line.n_word, "text"))
                        is_help = !is(line.word, line.n_word, "endtext");
                else if (line.n_word > 0 && line.word[0] != '#')
                        syslinux_line(s, line, depth);
        }
        settle(s, depth);
        free(text);
}

void loadermenu_syslinux(struct loadermenu *menu, const char *path) {
        const char *slash = strrchr(path, '/');
        struct text folder = { 0 };
        struct syslinux s = { .menu = menu };

        text_char(&folder, '/');
        if (slash) {
                const char *begin_at = path[0] == '/' ? path + 1 : path;

                if (slash >= begin_at)
                        text_bytes(&folder, begin_at, (size_t)(slash - begin_at) + 1);
        }
        s.folder = text_string(&folder);
        if (!folder.failed)
                syslinux_file(&s, path, 0);
        free(s.args);
        text_done(&folder);
}

/* ---- Boot Loader Specification, type 1 ---- */

void loadermenu_bls(struct loadermenu *menu, const char *path) {
        size_t n = 0, at = 0;
        char *text = loadermenu_file(menu, path, &n);
        struct loadermenu_entry *e = text ? loadermenu_add(menu) : NULL;
        struct line line;

        while (e && next_line(text, n, &at, &line)) {
                if (is(line.word, line.n_word, "title"))
                        loadermenu_set(menu, &e->title, line.rest, line.n_rest);
                else if (is(line.word, line.n_word, "linux"))
                        loadermenu_set(menu, &e->kernel, line.rest, line.n_rest);
                else if (is(line.word, line.n_word, "initrd"))
                        loadermenu_add_initrd(menu, e, line.rest, line.n_rest);
                else if (is(line.word, line.n_word, "options"))
                        loadermenu_append(menu, &e->args, line.rest, line.n_rest);
                else if (is(line.word, line.n_word, "efi")) {
                        loadermenu_set(menu, &e->kernel, line.rest, line.n_rest);
                        e->boot = MEDIUM_EFI;
                }
        }
        loadermenu_settle(menu, e);
        free(text);
}
