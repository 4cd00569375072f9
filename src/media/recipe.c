/*
 * Matching is a list of conditions that must all hold, each of which may bind words
 * that the texts of the entries use as ${word}. What a medium says of itself is a
 * stranger's text: it is cut, made printable, and where it becomes part of a path or of
 * kernel arguments, reduced to what cannot end a word.
 */
#include "media/recipe.h"

#include <ctype.h>
#include <fnmatch.h>
#include <regex.h>
#include <stdlib.h>

#include "base/path.h"

enum {
        CONDITIONS_MAX = 12,
        PATTERNS_MAX = 8,
        CAPTURES_MAX = 4,
        WORDS_MAX = 24,
        WORD_MAX = 200,
        READ_MAX = 64 * 1024,
};

enum condition_kind {
        CONDITION_FIND,
        CONDITION_ABSENT,
        CONDITION_READ,
        CONDITION_INI,
        CONDITION_VOLUME
};

struct condition {
        enum condition_kind kind;
        const char *
                patterns[PATTERNS_MAX]; /* FIND, ABSENT: any of them; READ, INI: path */
        size_t n_patterns;
        const char *section, *key; /* INI */
        bool has_regex, is_optional;
        regex_t regex;
        const char *as[CAPTURES_MAX]; /* FIND: the path; else the captures */
        size_t n_as;
};

struct entry {
        const char *id, *title, *kernel, *args, *why_not;
        const char *initrd[MEDIUM_INITRDS_MAX];
        size_t n_initrd;
        uint32_t firmware, transports;
        uint64_t memory;
};

struct media_recipe { /* its texts belong to the document it was read from */
        const char *system, *edition, *version, *arch;
        struct condition conditions[CONDITIONS_MAX];
        size_t n_conditions;
        struct entry entries[MEDIUM_ENTRIES_MAX];
        size_t n_entries;
};

struct media_recipes {
        struct media_recipe **items;
        size_t n;
        struct doc **docs;
        size_t n_docs;
};

/* ---- strings ---- */

void media_strings_done(struct media_strings *strings) {
        for (size_t i = 0; i < strings->n; i++)
                free(strings->items[i]);
        free(strings->items);
        *strings = (struct media_strings){ 0 };
}

const char *media_strings_add(struct media_strings *strings, const char *s, size_t n) {
        char *copy = strndup(s, n);

        if (copy && strings->n == strings->room) {
                size_t room = strings->room ? strings->room * 2 : 32;
                char **grown = realloc(strings->items, room * sizeof(*grown));

                if (grown) {
                        strings->items = grown;
                        strings->room = room;
                } else {
                        free(copy);
                        copy = NULL;
                }
        }
        if (!copy) {
                strings->failed = true;
                return "";
        }
        strings->items[strings->n++] = copy;
        return copy;
}

/* ---- parsing ---- */

struct parsing {
        const char *name;
        struct text *problems;
        bool failed;
};

static void complain(struct parsing *p, const struct doc_node *at, const char *what) {
        p->failed = true;
        text_add(p->problems, p->name);
        text_char(p->problems, ':');
        text_u64(p->problems, (uint64_t)at->line);
        text_add(p->problems, ": ");
        text_add(p->problems, what);
        text_char(p->problems, '\n');
}

static const char *text_of(const struct doc_node *map, const char *key) {
        const struct doc_node *node = doc_get(map, key);

        return node && node->kind == DOC_SCALAR ? node->text : "";
}

/* A word or a list of words. */
static size_t texts_of(struct parsing *p, const struct doc_node *map, const char *key,
                       const char **ret, size_t max) {
        const struct doc_node *node = doc_get(map, key);
        size_t n = 0;

        if (!node || node->kind == DOC_NULL)
                return 0;
        if (node->kind == DOC_SCALAR) {
                ret[0] = node->text;
                return 1;
        }
        for (size_t i = 0; node->kind == DOC_LIST && i < node->n; i++) {
                if (n == max || node->items[i].kind != DOC_SCALAR) {
                        complain(p, &node->items[i], "a list of a few words is wanted");
                        return 0;
                }
                ret[n++] = node->items[i].text;
        }
        return n;
}

static void parse_regex(struct parsing *p, const struct doc_node *node,
                        struct condition *ret) {
        const char *pattern = text_of(node, "matching");

        if (!pattern[0])
                return;
        if (regcomp(&ret->regex, pattern, REG_EXTENDED | REG_NEWLINE) != 0)
                complain(p, node, "'matching' is no regular expression");
        else
                ret->has_regex = true;
}

static void parse_condition(struct parsing *p, const struct doc_node *node,
                            struct condition *ret) {
        static const struct {
                const char *key;
                enum condition_kind kind;
        } kinds[] = { { "find", CONDITION_FIND },
                      { "absent", CONDITION_ABSENT },
                      { "read", CONDITION_READ },
                      { "ini", CONDITION_INI },
                      { "volume", CONDITION_VOLUME } };
        bool found = false;

        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
                if (!doc_get(node, kinds[i].key))
                        continue;
                found = true;
                ret->kind = kinds[i].kind;
                ret->n_patterns =
                        texts_of(p, node, kinds[i].key, ret->patterns, PATTERNS_MAX);
        }
        if (!found)
                complain(p, node, "a condition is find, absent, read, ini or volume");
        ret->section = text_of(node, "section");
        ret->key = text_of(node, "key");
        ret->is_optional = strcmp(text_of(node, "optional"), "true") == 0;
        ret->n_as = texts_of(p, node, "as", ret->as, CAPTURES_MAX);
        parse_regex(p, node, ret);
}

static uint32_t parse_mask(struct parsing *p, const struct doc_node *node,
                           const char *key, uint32_t (*parse)(const char *),
                           uint32_t fallback) {
        const char *names[8];
        size_t n = texts_of(p, node, key, names, ARRAY_SIZE(names));
        uint32_t mask = 0;

        for (size_t i = 0; i < n; i++) {
                uint32_t bit = parse(names[i]);

                if (bit == 0)
                        complain(p, doc_get(node, key), "an unknown word in a set");
                mask |= bit;
        }
        return n ? mask : fallback;
}

static void parse_entry(struct parsing *p, const struct doc_node *node,
                        struct entry *ret) {
        ret->id = text_of(node, "id");
        ret->title = text_of(node, "title");
        ret->kernel = text_of(node, "kernel");
        ret->args = text_of(node, "args");
        ret->why_not = text_of(node, "why-not");
        ret->n_initrd = texts_of(p, node, "initrd", ret->initrd, MEDIUM_INITRDS_MAX);
        ret->firmware = parse_mask(p, node, "firmware", medium_firmware_parse,
                                   MEDIUM_BIOS | MEDIUM_UEFI_X64);
        ret->transports = parse_mask(p, node, "transports", medium_transport_parse,
                                     MEDIUM_TFTP | MEDIUM_HTTP);
        ret->memory = strtoull(text_of(node, "memory-mib"), NULL, 10) << 20;
        if (!ret->id[0] || !ret->title[0] || (!ret->kernel[0] && !ret->why_not[0]))
                complain(p, node, "an entry needs id, title and kernel");
}

static void parse_recipe(struct parsing *p, const struct doc_node *node,
                         struct media_recipe *ret) {
        static const char *const keys[] = { "system", "edition", "version", "arch",
                                            "match",  "entries", NULL };
        const struct doc_node *match = doc_get(node, "match");
        const struct doc_node *entries = doc_get(node, "entries");

        for (size_t i = 0; node->kind == DOC_MAP && i < node->n; i++) {
                bool known = false;

                for (size_t j = 0; keys[j]; j++)
                        known |= strcmp(keys[j], node->keys[i].text) == 0;
                if (!known)
                        complain(p, &node->keys[i], "an unknown key in a recipe");
        }
        ret->system = text_of(node, "system");
        ret->edition = text_of(node, "edition");
        ret->version = text_of(node, "version");
        ret->arch = text_of(node, "arch");
        if (!ret->system[0] || !match || match->kind != DOC_LIST ||
            match->n > CONDITIONS_MAX) {
                complain(p, node, "a recipe needs system and match, a list");
                return;
        }
        for (size_t i = 0; i < match->n; i++) {
                /* Counted first: what it has compiled is freed with it. */
                struct condition *condition = &ret->conditions[ret->n_conditions++];

                parse_condition(p, &match->items[i], condition);
        }
        for (size_t i = 0; entries && entries->kind == DOC_LIST && i < entries->n &&
                           i < MEDIUM_ENTRIES_MAX;
             i++)
                parse_entry(p, &entries->items[i], &ret->entries[ret->n_entries++]);
}

static void recipe_free(struct media_recipe *recipe) {
        for (size_t i = 0; i < recipe->n_conditions; i++)
                if (recipe->conditions[i].has_regex)
                        regfree(&recipe->conditions[i].regex);
        free(recipe);
}

int media_recipes_new(struct media_recipes **ret) {
        *ret = calloc(1, sizeof(**ret));
        return *ret ? 0 : -ENOMEM;
}

struct media_recipes *media_recipes_free(struct media_recipes *recipes) {
        if (!recipes)
                return NULL;
        for (size_t i = 0; i < recipes->n; i++)
                recipe_free(recipes->items[i]);
        for (size_t i = 0; i < recipes->n_docs; i++)
                doc_free(recipes->docs[i]);
        free(recipes->items);
        free(recipes->docs);
        free(recipes);
        return NULL;
}

static int keep(struct media_recipes *recipes, struct media_recipe *recipe) {
        struct media_recipe **grown =
                realloc(recipes->items, (recipes->n + 1) * sizeof(*grown));

        if (!grown)
                return -ENOMEM;
        recipes->items = grown;
        grown[recipes->n++] = recipe;
        return 0;
}

static int add_recipe(struct media_recipes *recipes, struct parsing *p,
                      const struct doc_node *node) {
        struct media_recipe *recipe = calloc(1, sizeof(*recipe));
        int r;

        if (!recipe)
                return -ENOMEM;
        p->failed = false;
        parse_recipe(p, node, recipe);
        r = p->failed ? 0 : keep(recipes, recipe);
        if (p->failed || r < 0)
                recipe_free(recipe);
        return r;
}

int media_recipes_add(struct media_recipes *recipes, const char *name, const char *text,
                      size_t n, struct text *problems) {
        struct parsing p = { .name = name, .problems = problems };
        struct doc **grown =
                realloc(recipes->docs, (recipes->n_docs + 1) * sizeof(*grown));
        struct doc *doc = NULL;
        const struct doc_node *root;
        int line = 1, column = 1, r;

        if (!grown)
                return -ENOMEM;
        recipes->docs = grown;
        r = doc_parse(text, n, &doc, problems, &line, &column);
        if (r != 0)
                return r < 0 ? r : 0;
        grown[recipes->n_docs++] = doc;
        root = doc_root(doc);
        for (size_t i = 0; r == 0 && root->kind == DOC_LIST && i < root->n; i++)
                r = add_recipe(recipes, &p, &root->items[i]);
        if (root->kind != DOC_LIST)
                complain(&p, root, "a list of recipes is wanted");
        return r;
}

/* ---- matching ---- */

struct words {
        struct {
                const char *name;
                char value[WORD_MAX];
        } items[WORDS_MAX];
        size_t n;
};

struct matching {
        const struct media_tree *tree;
        struct media_strings *strings;
        struct words words;
        struct medium *medium;
};

static void set_word(struct words *words, const char *name, const char *s, size_t n) {
        struct text value = { 0 };
        size_t i = 0;

        while (i < words->n && strcmp(words->items[i].name, name) != 0)
                i++;
        if (i == WORDS_MAX)
                return;
        words->n += i == words->n;
        words->items[i].name = name;
        text_printable(&value, s, min_size(n, WORD_MAX / 4 - 1));
        memcpy(words->items[i].value, text_string(&value),
               min_size(value.n, WORD_MAX - 1));
        words->items[i].value[min_size(value.n, WORD_MAX - 1)] = '\0';
        text_done(&value);
}

/* Also ${name.folder}: what stands before the last slash of a path that was found. */
static const char *get_word(const struct words *words, const char *name, size_t n,
                            size_t *ret_n) {
        static const char suffix[] = ".folder";
        bool is_folder =
                n > sizeof(suffix) - 1 && memcmp(name + n - (sizeof(suffix) - 1),
                                                 suffix, sizeof(suffix) - 1) == 0;
        size_t n_word = is_folder ? n - (sizeof(suffix) - 1) : n;

        for (size_t i = 0; i < words->n; i++) {
                const char *value = words->items[i].value, *slash;

                if (strlen(words->items[i].name) != n_word ||
                    memcmp(words->items[i].name, name, n_word) != 0)
                        continue;
                slash = strrchr(value, '/');
                *ret_n = !is_folder ? strlen(value)
                         : slash    ? (size_t)(slash - value)
                                    : 0;
                return value;
        }
        return NULL;
}

enum filling { FILL_TITLE, FILL_PATH, FILL_ARGS, FILL_ID };

/* What a stranger's word may bring into each kind of text. */
static void add_filled(struct text *out, const char *s, size_t n, enum filling how) {
        for (size_t i = 0; i < n; i++) {
                unsigned char c = (unsigned char)s[i];

                if (how == FILL_TITLE || how == FILL_PATH)
                        text_char(out, s[i]);
                else if (how == FILL_ARGS)
                        text_char(out, isalnum(c) || strchr("._/:+-", c) ? s[i] : '_');
                else
                        text_char(out, isalnum(c)        ? (char)tolower(c)
                                       : strchr("._", c) ? s[i]
                                                         : '-');
        }
}

static const char *fill(struct matching *m, const char *template, enum filling how) {
        struct text out = { 0 };
        const char *made;

        while (*template) {
                const char *end = template[0] == '$' && template[1] == '{'
                                          ? strchr(template, '}')
                                          : NULL;
                size_t n = 0;
                const char *value = end ? get_word(&m->words, template + 2,
                                                   (size_t)(end - template) - 2, &n)
                                        : NULL;

                if (value) {
                        add_filled(&out, value, n, how);
                        template = end + 1;
                } else {
                        text_char(&out, *template ++);
                }
        }
        made = media_strings_add(m->strings, text_string(&out), out.n);
        m->strings->failed |= out.failed;
        text_done(&out);
        return made;
}

static void say_recognised(struct matching *m, const char *what, const char *where) {
        struct text line = { 0 };

        if (m->medium->n_recognised_by == MEDIUM_TEXTS_MAX)
                return;
        text_add(&line, what);
        text_printable(&line, where, min_size(strlen(where), 120));
        m->medium->recognised_by[m->medium->n_recognised_by++] =
                media_strings_add(m->strings, text_string(&line), line.n);
        text_done(&line);
}

/* The expression, or without one the whole text as the first word. */
static bool match_text(struct matching *m, const struct condition *c, const char *text,
                       const char *where) {
        regmatch_t found[CAPTURES_MAX + 1];
        char seen[160];
        size_t from = 0, to = strcspn(text, "\n");

        if (c->has_regex) {
                if (regexec(&c->regex, text, ARRAY_SIZE(found), found, 0) != 0)
                        return false;
                for (size_t i = 0; i < c->n_as; i++)
                        if (found[i + 1].rm_so >= 0)
                                set_word(&m->words, c->as[i], text + found[i + 1].rm_so,
                                         (size_t)(found[i + 1].rm_eo -
                                                  found[i + 1].rm_so));
                from = (size_t)found[0].rm_so;
                to = (size_t)found[0].rm_eo;
        } else if (c->n_as > 0) {
                set_word(&m->words, c->as[0], text, to);
        }
        to = min_size(to, from + 60);
        memcpy(seen, text + from, to - from);
        seen[to - from] = '\0';
        say_recognised(m, where, seen);
        return true;
}

static bool match_find(struct matching *m, const struct condition *c) {
        for (size_t i = 0; i < c->n_patterns; i++) {
                char path[MEDIA_TREE_PATH_MAX];
                const char *pattern = fill(m, c->patterns[i], FILL_PATH);

                if (!media_tree_find(m->tree, pattern, path))
                        continue;
                if (c->n_as > 0 && strlen(path) >= WORD_MAX / 4)
                        continue; /* no word can hold it */
                if (c->n_as > 0)
                        set_word(&m->words, c->as[0], path, strlen(path));
                say_recognised(m, "has ", path);
                return true;
        }
        return false;
}

static bool match_absent(struct matching *m, const struct condition *c) {
        char path[MEDIA_TREE_PATH_MAX];

        for (size_t i = 0; i < c->n_patterns; i++)
                if (media_tree_find(m->tree, fill(m, c->patterns[i], FILL_PATH), path))
                        return false;
        return true;
}

/* [section] and key = value, as Python's configparser reads them. */
static bool ini_value(const char *text, const char *section, const char *key, char *ret,
                      size_t n) {
        size_t n_key = strlen(key), n_section = strlen(section);
        bool inside = false;

        while (*text) {
                size_t line = strcspn(text, "\r\n");
                const char *s = text;
                size_t length = line;

                text += line;
                text += strspn(text, "\r\n");
                if (length > 1 && s[0] == '[') {
                        inside = length >= n_section + 2 && s[n_section + 1] == ']' &&
                                 memcmp(s + 1, section, n_section) == 0;
                        continue;
                }
                if (!inside || length <= n_key || memcmp(s, key, n_key) != 0)
                        continue;
                s += n_key;
                length -= n_key;
                while (length > 0 && (*s == ' ' || *s == '\t')) {
                        s++;
                        length--;
                }
                if (length == 0 || (*s != '=' && *s != ':'))
                        continue;
                do {
                        s++;
                        length--;
                } while (length > 0 && (*s == ' ' || *s == '\t'));
                while (length > 0 && (s[length - 1] == ' ' || s[length - 1] == '\t'))
                        length--;
                length = min_size(length, n - 1);
                memcpy(ret, s, length);
                ret[length] = '\0';
                return true;
        }
        return false;
}

static bool match_file(struct matching *m, const struct condition *c) {
        char *text = malloc(READ_MAX);
        bool matched = false;

        for (size_t i = 0; text && !matched && i < c->n_patterns; i++) {
                const char *path = fill(m, c->patterns[i], FILL_PATH);
                char value[WORD_MAX];
                struct text where = { 0 };

                int64_t n = media_tree_read(m->tree, path, text, READ_MAX);

                if (n < 0)
                        continue;
                /* A program's texts end with NULs: each is a line of its own. */
                for (int64_t at = 0; at < n; at++)
                        if (text[at] == '\0')
                                text[at] = '\n';
                text_add(&where, path);
                text_add(&where, ": ");
                if (c->kind == CONDITION_READ)
                        matched = match_text(m, c, text, text_string(&where));
                else
                        matched = ini_value(text, fill(m, c->section, FILL_PATH),
                                            c->key, value, sizeof(value)) &&
                                  match_text(m, c, value, text_string(&where));
                text_done(&where);
        }
        free(text);
        return matched;
}

static bool holds(struct matching *m, const struct condition *c) {
        switch (c->kind) {
        case CONDITION_FIND:
                return match_find(m, c);
        case CONDITION_ABSENT:
                return match_absent(m, c);
        case CONDITION_VOLUME:
                return m->tree->volume[0] &&
                       fnmatch(c->patterns[0], m->tree->volume, 0) == 0 &&
                       match_text(m, c, m->tree->volume, "volume ");
        default:
                return match_file(m, c);
        }
}

/* ---- entries ---- */

static const char *check_file(struct matching *m, const char *path, const char *what) {
        struct text why = { 0 };
        const char *made;

        if (media_tree_has_file(m->tree, path))
                return NULL;
        text_add(&why, "its ");
        text_add(&why, what);
        text_add(&why, " is not on the medium: ");
        text_printable(&why, path, strlen(path));
        made = media_strings_add(m->strings, text_string(&why), why.n);
        text_done(&why);
        return made;
}

/* A path out of a stranger's file is cleaned like one out of a request. */
static const char *clean_path(struct matching *m, const char *template) {
        const char *path = fill(m, template, FILL_PATH);
        char clean[PATH_MAX_BYTES];

        return path_clean(path, strlen(path), clean) == PATH_OK
                       ? media_strings_add(m->strings, clean, strlen(clean))
                       : "";
}

static void add_entry(struct matching *m, const struct entry *from) {
        struct medium_entry *entry = &m->medium->entries[m->medium->n_entries];
        const char *missing = NULL;

        if (m->medium->n_entries == MEDIUM_ENTRIES_MAX)
                return;
        m->medium->n_entries++;
        *entry = (struct medium_entry){ .id = fill(m, from->id, FILL_ID),
                                        .title = fill(m, from->title, FILL_TITLE),
                                        .args = fill(m, from->args, FILL_ARGS),
                                        .firmware = from->firmware,
                                        .transports = from->transports,
                                        .memory = from->memory };
        entry->why_not = fill(m, from->why_not, FILL_TITLE);
        entry->kernel = clean_path(m, from->kernel);
        if (!entry->why_not[0])
                missing = check_file(m, entry->kernel, "kernel");
        for (size_t i = 0; i < from->n_initrd; i++) {
                const char *path = clean_path(m, from->initrd[i]);

                entry->initrd[entry->n_initrd++] = path;
                if (!missing && !entry->why_not[0])
                        missing = check_file(m, path, "initrd");
        }
        if (missing)
                entry->why_not = missing;
}

static bool apply(struct matching *m, const struct media_recipe *recipe) {
        m->words.n = 0;
        m->medium->n_recognised_by = 0;
        for (size_t i = 0; i < recipe->n_conditions; i++)
                if (!holds(m, &recipe->conditions[i]) &&
                    !recipe->conditions[i].is_optional)
                        return false;
        m->medium->system = fill(m, recipe->system, FILL_ID);
        m->medium->version = fill(m, recipe->version, FILL_TITLE);
        m->medium->edition = fill(m, recipe->edition, FILL_TITLE);
        m->medium->arch = fill(m, recipe->arch, FILL_TITLE);
        for (size_t i = 0; i < recipe->n_entries; i++)
                add_entry(m, &recipe->entries[i]);
        return true;
}

void media_recipes_apply(const struct media_recipes *recipes,
                         const struct media_tree *tree, struct media_strings *strings,
                         struct medium *ret) {
        struct matching *m = calloc(1, sizeof(*m));

        ret->system = "unknown";
        ret->version = ret->edition = ret->arch = "";
        ret->n_recognised_by = ret->n_problems = ret->n_entries = 0;
        if (!m) {
                strings->failed = true;
                return;
        }
        m->tree = tree;
        m->strings = strings;
        m->medium = ret;
        for (size_t i = 0; i < recipes->n; i++)
                if (apply(m, recipes->items[i]))
                        break;
        if (strcmp(ret->system, "unknown") == 0)
                ret->n_recognised_by = 0;
        free(m);
}
