/*
 * GRUB's language, as far as menus on media use it. A script is statements of words; a
 * block in braces belongs to the statement before it. Every branch of an `if` is taken:
 * on media they ask what the firmware is, and either way leads to the same kernel.
 */
#include "media/loadermenu.h"

#include <ctype.h>
#include <stdlib.h>

enum {
        WORDS_MAX = 96,
        VARIABLES_MAX = 64,
        NAME_MAX_BYTES = 48,
        VALUE_MAX = 256,
        BLOCKS_MAX = 16, /* inside each other */
};

struct variable {
        char name[NAME_MAX_BYTES], value[VALUE_MAX];
};

struct grub {
        struct loadermenu *menu;
        struct variable variables[VARIABLES_MAX];
        size_t n_variables;
        unsigned n_open; /* files inside each other */
};

struct script {
        const char *text;
        size_t n, at;
};

enum token { TOKEN_WORD, TOKEN_END, TOKEN_OPEN, TOKEN_CLOSE, TOKEN_EOF };

/* ---- variables ---- */

static const char *value_of(const struct grub *g, const char *name, size_t n) {
        for (size_t i = g->n_variables; i-- > 0;)
                if (strlen(g->variables[i].name) == n &&
                    memcmp(g->variables[i].name, name, n) == 0)
                        return g->variables[i].value;
        return "";
}

/* "name=value"; the last value counts. False when it is no assignment. */
static bool assign(struct grub *g, const char *word) {
        size_t n = strcspn(word, "=");
        struct variable *v = NULL;

        if (n == 0 || word[n] != '=' || n >= NAME_MAX_BYTES)
                return false;
        for (size_t i = 0; i < n; i++)
                if (!isalnum((unsigned char)word[i]) && word[i] != '_')
                        return false;
        for (size_t i = 0; i < g->n_variables && !v; i++)
                if (strlen(g->variables[i].name) == n &&
                    memcmp(g->variables[i].name, word, n) == 0)
                        v = &g->variables[i];
        if (!v && g->n_variables < VARIABLES_MAX) {
                v = &g->variables[g->n_variables++];
                *v = (struct variable){ 0 };
                memcpy(v->name, word, n);
        }
        if (v) {
                size_t n_value = min_size(strlen(word + n + 1), VALUE_MAX - 1);

                memcpy(v->value, word + n + 1, n_value);
                v->value[n_value] = '\0';
        }
        return true;
}

/* ---- words ---- */

static void put(struct text *word, char c) {
        if (word->n < LOADERMENU_WORD_MAX && !iscntrl((unsigned char)c))
                text_char(word, c);
}

/* At a '$'. */
static void expand(const struct grub *g, struct script *s, struct text *word) {
        const char *name;
        size_t n = 0;
        bool is_braced;

        s->at++;
        is_braced = s->at < s->n && s->text[s->at] == '{';
        s->at += is_braced;
        name = s->text + s->at;
        while (s->at + n < s->n && (isalnum((unsigned char)name[n]) || name[n] == '_'))
                n++;
        for (const char *v = value_of(g, name, n); *v; v++)
                put(word, *v);
        s->at += n;
        if (is_braced && s->at < s->n && s->text[s->at] == '}')
                s->at++;
}

/* One character or more of a word; `quote` is '\0', '\'' or '"'. */
static void step(const struct grub *g, struct script *s, char *quote,
                 struct text *word) {
        char c = s->text[s->at];

        if (c == '\\' && *quote != '\'' && s->at + 1 < s->n) {
                if (s->text[s->at + 1] != '\n')
                        put(word, s->text[s->at + 1]);
                s->at += 2;
        } else if (c == '$' && *quote != '\'') {
                expand(g, s, word);
        } else if (*quote ? c == *quote : c == '\'' || c == '"') {
                *quote = *quote ? '\0' : c;
                s->at++;
        } else {
                put(word, c);
                s->at++;
        }
}

static bool ends_word(char c) {
        return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ';' ||
               c == '&' || c == '|';
}

static void skip_blanks(struct script *s) {
        while (s->at < s->n) {
                char c = s->text[s->at];

                if (c == '\\' && s->at + 1 < s->n && s->text[s->at + 1] == '\n')
                        s->at += 2;
                else if (c == ' ' || c == '\t' || c == '\r' || c == '\0')
                        s->at++;
                else
                        break;
        }
        if (s->at < s->n && s->text[s->at] == '#')
                while (s->at < s->n && s->text[s->at] != '\n')
                        s->at++;
}

static enum token next(const struct grub *g, struct script *s, struct text *word) {
        char quote = '\0', c;

        skip_blanks(s);
        if (s->at >= s->n)
                return TOKEN_EOF;
        c = s->text[s->at];
        if (c == '\n' || c == ';' || c == '&' || c == '|') {
                s->at++;
                return TOKEN_END;
        }
        if (c == '{' || c == '}') {
                s->at++;
                return c == '{' ? TOKEN_OPEN : TOKEN_CLOSE;
        }
        while (s->at < s->n && (quote || !ends_word(s->text[s->at])))
                step(g, s, &quote, word);
        return TOKEN_WORD;
}

/* ---- statements ---- */

struct words {
        struct text items[WORDS_MAX];
        size_t n;
};

static const char *word_at(const struct words *w, size_t i) {
        return i < w->n ? text_string(&w->items[i]) : "";
}

static void words_done(struct words *w) {
        for (size_t i = 0; i < w->n; i++)
                text_done(&w->items[i]);
        free(w);
}

static bool is_one_of(const char *word, const char *const *words) {
        for (; *words; words++)
                if (strcmp(word, *words) == 0)
                        return true;
        return false;
}

/* "(hd0)/boot/x" and "boot/x" are the medium's /boot/x. */
static void set_path(struct loadermenu *menu, char **to, const char *path) {
        const char *device = path[0] == '(' ? strchr(path, ')') : NULL;
        struct text out = { 0 };

        path = device ? device + 1 : path;
        if (path[0] != '/')
                text_char(&out, '/');
        text_add(&out, path);
        loadermenu_set(menu, to, text_string(&out), out.n);
        text_done(&out);
}

static void run_file(struct grub *g, const char *path);

static void take_kernel(struct grub *g, struct loadermenu_entry *e,
                        const struct words *w, size_t at, enum medium_boot boot) {
        while (at < w->n && strncmp(word_at(w, at), "--", 2) == 0)
                at++;
        if (at >= w->n)
                return;
        e->boot = boot;
        set_path(g->menu, &e->kernel, word_at(w, at));
        for (size_t i = at + 1; i < w->n; i++)
                loadermenu_append(g->menu, &e->args, word_at(w, i), w->items[i].n);
}

static void take_files(struct grub *g, struct loadermenu_entry *e,
                       const struct words *w, size_t at, bool is_module) {
        while (at < w->n && strncmp(word_at(w, at), "--", 2) == 0)
                at++;
        for (size_t i = at; i < w->n && e->n_initrd < MEDIUM_INITRDS_MAX; i++) {
                set_path(g->menu, &e->initrd[e->n_initrd], word_at(w, i));
                if (!e->initrd[e->n_initrd])
                        return;
                e->n_initrd++;
                for (i++; is_module && i < w->n; i++)
                        loadermenu_append(g->menu, &e->initrd_args[e->n_initrd - 1],
                                          word_at(w, i), w->items[i].n);
                i--;
        }
}

static void take_efi(struct grub *g, struct loadermenu_entry *e, const char *path) {
        size_t n = strlen(path);

        if (n > 4 && strcasecmp(path + n - 4, ".efi") == 0) {
                set_path(g->menu, &e->kernel, path);
                e->boot = MEDIUM_EFI;
        }
}

static void run_in_entry(struct grub *g, struct loadermenu_entry *e,
                         const struct words *w, size_t at) {
        static const char *const linuxes[] = { "linux", "linux16", "linuxefi", "kernel",
                                               NULL };
        static const char *const initrds[] = { "initrd", "initrd16", "initrdefi",
                                               NULL };
        static const char *const multiboots[] = { "multiboot", "multiboot2",
                                                  "xen_hypervisor", NULL };
        static const char *const modules[] = { "module", "module2", "xen_module",
                                               NULL };
        const char *command = word_at(w, at);

        if (is_one_of(command, linuxes) && !e->kernel)
                take_kernel(g, e, w, at + 1, MEDIUM_LINUX);
        else if (is_one_of(command, multiboots) && !e->kernel)
                take_kernel(g, e, w, at + 1, MEDIUM_MULTIBOOT);
        else if (is_one_of(command, initrds) && e->n_initrd == 0)
                take_files(g, e, w, at + 1, false);
        else if (is_one_of(command, modules))
                take_files(g, e, w, at + 1, true);
        else if (strcmp(command, "chainloader") == 0 && !e->kernel)
                take_efi(g, e, word_at(w, at + 1));
}

/* Words that only open a branch are passed over. */
static size_t command_at(const struct words *w) {
        static const char *const openers[] = { "then", "else", "do", NULL };
        size_t at = 0;

        while (at < w->n && is_one_of(word_at(w, at), openers))
                at++;
        return at;
}

static void run(struct grub *g, struct loadermenu_entry *e, const struct words *w) {
        static const char *const opens[] = { "configfile", "source", ".", "normal",
                                             NULL };
        size_t at = command_at(w);
        const char *command = word_at(w, at);

        if (strcmp(command, "set") == 0 && at + 1 < w->n)
                (void)assign(g, word_at(w, at + 1));
        else if (is_one_of(command, opens) && at + 1 < w->n)
                run_file(g, word_at(w, at + 1));
        else if (assign(g, command))
                return;
        else if (e)
                run_in_entry(g, e, w, at);
}

static void run_block(struct grub *g, struct script *s, struct loadermenu_entry *e,
                      unsigned n_blocks);

/* What stands in braces after the words. */
static void run_owned(struct grub *g, struct script *s, struct loadermenu_entry *e,
                      const struct words *w, unsigned n_blocks) {
        size_t at = command_at(w);
        bool is_entry = strcmp(word_at(w, at), "menuentry") == 0;
        struct loadermenu_entry *own = is_entry ? loadermenu_add(g->menu) : NULL;

        if (own)
                loadermenu_set(g->menu, &own->title, word_at(w, at + 1),
                               strlen(word_at(w, at + 1)));
        run_block(g, s, own ? own : e, n_blocks + 1);
        loadermenu_settle(g->menu, own);
}

/* Up to the brace that closes it, or the end. Where there are too many blocks inside
 * each other the braces mean nothing any more. */
static void run_block(struct grub *g, struct script *s, struct loadermenu_entry *e,
                      unsigned n_blocks) {
        struct words *w = calloc(1, sizeof(*w));
        enum token token = TOKEN_END;

        if (!w) {
                g->menu->failed = true;
                s->at = s->n;
                return;
        }
        while (token != TOKEN_EOF && !(token == TOKEN_CLOSE && n_blocks > 0)) {
                struct text word = { 0 };

                token = next(g, s, &word);
                if (token == TOKEN_WORD && w->n < WORDS_MAX) {
                        w->items[w->n++] = word;
                        continue;
                }
                text_done(&word);
                if (token == TOKEN_WORD)
                        continue;
                if (token == TOKEN_OPEN && n_blocks < BLOCKS_MAX)
                        run_owned(g, s, e, w, n_blocks);
                else if (w->n > 0)
                        run(g, e, w);
                while (w->n > 0)
                        text_done(&w->items[--w->n]);
        }
        words_done(w);
}

static void run_file(struct grub *g, const char *path) {
        struct script s = { 0 };
        char *clean = NULL, *text;

        if (g->n_open >= LOADERMENU_DEPTH_MAX)
                return;
        set_path(g->menu, &clean, path);
        text = clean ? loadermenu_file(g->menu, clean, &s.n) : NULL;
        free(clean);
        if (!text)
                return;
        s.text = text;
        g->n_open++;
        run_block(g, &s, NULL, 0);
        g->n_open--;
        free(text);
}

void loadermenu_grub(struct loadermenu *menu, const char *path) {
        struct grub *g = calloc(1, sizeof(*g));
        const char *slash = strrchr(path, '/');
        struct text prefix = { 0 };

        if (!g) {
                menu->failed = true;
                return;
        }
        g->menu = menu;
        text_add(&prefix, path[0] == '/' ? "prefix=" : "prefix=/");
        text_bytes(&prefix, path, slash ? (size_t)(slash - path) : 0);
        (void)assign(g, text_string(&prefix));
        text_done(&prefix);
        run_file(g, path);
        free(g);
}
