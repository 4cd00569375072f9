/*
 * Applying a recipe to a tree. What is read from the tree is a stranger's: texts are
 * taken line by line within limits, values lose their control characters, and a path
 * counts only when it is there.
 */
#include <ctype.h>
#include <stdlib.h>

#include "media/match.h"

#include "media/generic.h"

enum { LINE_MAX_BYTES = 1024, VALUE_MAX = 200 };

/* ---- variables and templates ---- */

static const char *value_of(const struct matching *m, const char *name, size_t n) {
        for (size_t i = m->n_variables; i-- > 0;)
                if (strlen(m->variables[i].name) == n &&
                    memcmp(m->variables[i].name, name, n) == 0)
                        return m->variables[i].value;
        return NULL;
}

const char *match_value(const struct matching *m, const char *name) {
        const char *value = value_of(m, name, strlen(name));

        return value ? value : "";
}

/* The first value stays. */
static void set(struct matching *m, const char *name, const char *value, size_t n) {
        char *copy;

        if (value_of(m, name, strlen(name)) || m->n_variables == RECIPE_VARIABLES_MAX)
                return;
        copy = strndup(value, min_size(n, VALUE_MAX));
        if (!copy) {
                m->failed = true;
                return;
        }
        for (char *c = copy; *c; c++)
                if (iscntrl((unsigned char)*c))
                        *c = '?';
        m->variables[m->n_variables++] = (struct match_variable){ name, copy };
}

void match_forget_after(struct matching *m, size_t n) {
        while (m->n_variables > n)
                free(m->variables[--m->n_variables].value);
}

/* A medium's words may not end a word of the kernel's arguments, nor begin one of the
 * menu's variables. */
static void add_to_args(struct text *out, const char *value) {
        for (; *value; value++)
                text_char(out,
                          isalnum((unsigned char)*value) || strchr("._/:+-", *value)
                                  ? *value
                                  : '_');
}

/* What nobody set is empty. */
static void expand_as(const struct matching *m, const char *template,
                      enum recipe_place place, struct text *out) {
        for (const char *at = template; *at;) {
                const char *value;
                size_t n;

                if (at[0] != '$' || at[1] != '{') {
                        text_char(out, *at++);
                        continue;
                }
                n = strcspn(at + 2, "}");
                value = value_of(m, at + 2, n);
                if (value && (place == RECIPE_ARGS || place == RECIPE_ANSWER))
                        add_to_args(out, value);
                else if (value)
                        text_add(out, value);
                else if (recipe_menu_fills(place, at + 2, n))
                        text_bytes(out, at, n + 3);
                at += n + 3;
        }
}

void match_expand(struct matching *m, const char *template, struct text *out) {
        expand_as(m, template, RECIPE_PLAIN, out);
        m->failed |= out->failed;
}

/* ---- what is found ---- */

const char *recipe_found_keep(struct recipe_found *found, const char *s) {
        char *copy;

        if (found->n_texts == found->texts_room) {
                size_t room = found->texts_room ? found->texts_room * 2 : 32;
                char **grown = reallocarray(found->texts, room, sizeof(*grown));

                if (!grown)
                        return NULL;
                found->texts = grown;
                found->texts_room = room;
        }
        copy = strdup(s);
        if (copy)
                found->texts[found->n_texts++] = copy;
        return copy;
}

void recipe_found_done(struct recipe_found *found) {
        for (size_t i = 0; i < found->n_texts; i++)
                free(found->texts[i]);
        free(found->texts);
        *found = (struct recipe_found){ 0 };
}

const char *match_keep(struct matching *m, const char *s) {
        const char *kept = recipe_found_keep(m->found, s);

        m->failed |= kept == NULL;
        return kept ? kept : "";
}

const char *match_keep_expanded(struct matching *m, const char *template,
                                enum recipe_place place) {
        struct text out = { 0 };
        const char *kept;

        expand_as(m, template, place, &out);
        m->failed |= out.failed;
        kept = match_keep(m, text_string(&out));
        text_done(&out);
        return kept;
}

const char *match_keep_printable(struct matching *m, const char *s) {
        struct text out = { 0 };
        const char *kept;

        text_printable(&out, s, strlen(s));
        m->failed |= out.failed;
        kept = match_keep(m, text_string(&out));
        text_done(&out);
        return kept;
}

const char *match_keep_title(struct matching *m, const char *template) {
        struct text full = { 0 }, title = { 0 };
        const char *kept;

        match_expand(m, template, &full);
        for (const char *at = text_string(&full); *at; at++) {
                if (at[0] == '(' && at[1] == ')')
                        at++;
                else if (at[0] == ' ' && (at[1] == ',' || at[1] == ')'))
                        continue;
                else if (*at != ' ' || (title.n > 0 && title.s[title.n - 1] != ' '))
                        text_char(&title, *at);
        }
        while (title.n > 0 && title.s[title.n - 1] == ' ')
                title.s[--title.n] = '\0';
        m->failed |= title.failed;
        kept = match_keep_printable(m, text_string(&title));
        text_done(&title);
        text_done(&full);
        return kept;
}

static bool is_said(const struct medium *medium, const char *reason) {
        for (uint32_t i = 0; i < medium->n_recognised_by; i++)
                if (strcmp(medium->recognised_by[i], reason) == 0)
                        return true;
        return false;
}

/* A reason such as `.disk/info: Debian GNU/Linux 12.0.0`. */
static void add_reason(struct matching *m, const char *what, const char *line,
                       size_t n_line) {
        struct medium *medium = &m->found->medium;
        struct text out = { 0 };

        if (!m->says_why || medium->n_recognised_by == MEDIUM_TEXTS_MAX)
                return;
        text_add(&out, what);
        if (line) {
                text_add(&out, ": ");
                text_printable(&out, line, min_size(n_line, VALUE_MAX));
        }
        if (!is_said(medium, text_string(&out)))
                medium->recognised_by[medium->n_recognised_by++] =
                        match_keep(m, text_string(&out));
        text_done(&out);
}

/* ---- texts ---- */

/* One line against a condition; what its groups are goes into variables. */
static bool try_line(struct matching *m, const struct recipe_condition *c,
                     const char *what, const char *line, size_t n) {
        regmatch_t groups[RECIPE_SET_MAX + 1];
        char copy[LINE_MAX_BYTES];

        n = min_size(n, sizeof(copy) - 1);
        while (n > 0 && (line[n - 1] == '\r' || line[n - 1] == ' '))
                n--;
        memcpy(copy, line, n);
        copy[n] = '\0';
        if (!c->has_regex) {
                add_reason(m, what, n ? copy : NULL, n);
                return true;
        }
        if (regexec(&c->regex, copy, ARRAY_SIZE(groups), groups, 0) != 0)
                return false;
        for (size_t i = 0; i < c->n_set; i++)
                if (groups[i + 1].rm_eo > groups[i + 1].rm_so)
                        set(m, c->set[i], copy + groups[i + 1].rm_so,
                            (size_t)(groups[i + 1].rm_eo - groups[i + 1].rm_so));
        add_reason(m, what, copy, n);
        return true;
}

/* The end of the line at `at`; a NUL ends one too. */
static size_t line_length(const char *at, size_t n) {
        size_t i = 0;

        while (i < n && at[i] != '\n' && at[i] != '\0')
                i++;
        return i;
}

static char *read_text(struct matching *m, const char *path, size_t *ret_n) {
        char *data = malloc(MEDIA_TREE_TEXT_MAX);
        int n;

        if (!data) {
                m->failed = true;
                return NULL;
        }
        n = media_tree_read(m->tree, path, 0, data, MEDIA_TREE_TEXT_MAX);
        if (n < 0) {
                free(data);
                return NULL;
        }
        *ret_n = (size_t)n;
        return data;
}

static bool try_lines(struct matching *m, const struct recipe_condition *c,
                      const char *path) {
        size_t n = 0, at = 0;
        char *data = read_text(m, path, &n);
        bool held = false;

        while (data && at < n && !held) {
                size_t length = line_length(data + at, n - at);

                held = try_line(m, c, path, data + at, length);
                at += length + 1;
        }
        free(data);
        return held;
}

static bool starts_with(struct matching *m, const char *path, const char *wanted) {
        char data[16];
        size_t n = strlen(wanted);

        return n <= sizeof(data) &&
               media_tree_read(m->tree, path, 0, data, n) == (int)n &&
               memcmp(data, wanted, n) == 0;
}

/* ---- ini files ---- */

static const char *trim(const char *s, size_t *n) {
        while (*n > 0 && (s[0] == ' ' || s[0] == '\t')) {
                s++;
                --*n;
        }
        while (*n > 0 && isspace((unsigned char)s[*n - 1]))
                --*n;
        return s;
}

static bool is_word(const char *s, size_t n, const char *word) {
        return strlen(word) == n && memcmp(s, word, n) == 0;
}

/* Whether a trimmed line is `key = value`, or `key: value`. */
static bool is_key(const char *line, size_t n, const char *key, const char **ret_value,
                   size_t *ret_n) {
        size_t at = 0, n_key;
        const char *word;

        while (at < n && line[at] != '=' && line[at] != ':')
                at++;
        n_key = at;
        word = trim(line, &n_key);
        if (at == n || !is_word(word, n_key, key))
                return false;
        *ret_n = n - at - 1;
        *ret_value = trim(line + at + 1, ret_n);
        return true;
}

static bool find_in_ini(const char *data, size_t n, const char *section,
                        const char *key, const char **ret_value, size_t *ret_n) {
        bool is_inside = false;

        for (size_t at = 0; at < n;) {
                size_t length = line_length(data + at, n - at), n_line = length;
                const char *line = trim(data + at, &n_line);

                at += length + 1;
                if (n_line > 1 && line[0] == '[' && line[n_line - 1] == ']')
                        is_inside = is_word(line + 1, n_line - 2, section);
                else if (is_inside && is_key(line, n_line, key, ret_value, ret_n))
                        return true;
        }
        return false;
}

static bool try_ini(struct matching *m, const struct recipe_condition *c,
                    const char *path) {
        struct text section = { 0 }, what = { 0 };
        const char *value;
        size_t n = 0, n_value;
        char *data = read_text(m, path, &n);
        bool held;

        match_expand(m, c->section, &section);
        text_add(&what, path);
        text_add(&what, " [");
        text_add(&what, text_string(&section));
        text_add(&what, "] ");
        text_add(&what, c->key);
        held = data &&
               find_in_ini(data, n, text_string(&section), c->key, &value, &n_value) &&
               n_value > 0 && try_line(m, c, text_string(&what), value, n_value);
        if (held && c->as)
                set(m, c->as, value, n_value);
        text_done(&section);
        text_done(&what);
        free(data);
        return held;
}

/* ---- kernels ---- */

/* Linux, Documentation/arch/x86/boot.rst: "HdrS" at 0x202, and at 0x20e the place of
 * the version text, counted from 0x200. */
static bool try_kernel(struct matching *m, const struct recipe_condition *c,
                       const char *path) {
        uint8_t header[16];
        char version[256];
        int n;

        if (media_tree_read(m->tree, path, 0x200, header, sizeof(header)) !=
                    (int)sizeof(header) ||
            memcmp(header + 2, "HdrS", 4) != 0)
                return false;
        n = media_tree_read(m->tree, path,
                            0x200 + (uint64_t)(header[14] | header[15] << 8), version,
                            sizeof(version));
        return n > 0 && try_line(m, c, path, version, line_length(version, (size_t)n));
}

/* ---- conditions ---- */

static bool holds(struct matching *m, const struct recipe_condition *c);

static bool any_holds(struct matching *m, const struct recipe_conditions *list) {
        for (size_t i = 0; i < list->n; i++)
                if (holds(m, &list->items[i]))
                        return true;
        return false;
}

static bool none_holds(struct matching *m, const struct recipe_conditions *list) {
        size_t n_variables = m->n_variables;
        bool said = m->says_why, held;

        m->says_why = false;
        held = any_holds(m, list);
        m->says_why = said;
        match_forget_after(m, n_variables);
        return !held;
}

static bool file_holds(struct matching *m, const struct recipe_condition *c,
                       const char *path) {
        if (c->kind == CONDITION_INI)
                return try_ini(m, c, path);
        if (c->kind == CONDITION_KERNEL)
                return try_kernel(m, c, path);
        if (c->starts && !starts_with(m, path, c->starts))
                return false;
        if (c->is_about_path)
                return try_line(m, c, "file", path, strlen(path));
        if (c->has_regex)
                return try_lines(m, c, path);
        add_reason(m, path, NULL, 0);
        return true;
}

static bool path_holds(struct matching *m, const struct recipe_condition *c,
                       const char *subject) {
        struct text pattern = { 0 }, path = { 0 };
        bool held;

        match_expand(m, subject, &pattern);
        held = media_tree_find(m->tree, text_string(&pattern), &path) &&
               file_holds(m, c, text_string(&path));
        if (held && c->as && c->kind != CONDITION_INI)
                set(m, c->as, text_string(&path), path.n);
        text_done(&pattern);
        text_done(&path);
        return held;
}

static bool any_path_holds(struct matching *m, const struct recipe_condition *c) {
        for (size_t i = 0; i < c->n_subjects; i++)
                if (path_holds(m, c, c->subject[i]))
                        return true;
        return false;
}

static bool subject_holds(struct matching *m, const struct recipe_condition *c) {
        const char *value;

        switch (c->kind) {
        case CONDITION_ALWAYS:
                return true;
        case CONDITION_FILE:
        case CONDITION_INI:
        case CONDITION_KERNEL:
                return any_path_holds(m, c);
        case CONDITION_VOLUME:
                value = match_value(m, "volume");
                return try_line(m, c, "volume name", value, strlen(value));
        case CONDITION_VARIABLE: {
                bool said = m->says_why, held;

                value = value_of(m, c->subject[0], strlen(c->subject[0]));
                m->says_why = false; /* what it came from is a reason already */
                held = value && try_line(m, c, c->subject[0], value, strlen(value));
                m->says_why = said;
                return held;
        }
        case CONDITION_ANY:
                return any_holds(m, &c->children);
        case CONDITION_NONE:
                return none_holds(m, &c->children);
        }
        return false;
}

static bool holds(struct matching *m, const struct recipe_condition *c) {
        if (!subject_holds(m, c))
                return false;
        for (size_t i = 0; i < c->n_let; i++) {
                struct text value = { 0 };

                match_expand(m, c->let[i].value, &value);
                set(m, c->let[i].name, text_string(&value), value.n);
                text_done(&value);
        }
        return true;
}

bool match_all_hold(struct matching *m, const struct recipe_conditions *list) {
        for (size_t i = 0; i < list->n; i++)
                if (!holds(m, &list->items[i]))
                        return false;
        return true;
}

/* ---- all of it ---- */

static void apply(struct matching *m, const struct recipe *recipe) {
        struct medium *medium = &m->found->medium;

        m->says_why = false;
        for (size_t i = 0; i < recipe->find.n; i++)
                (void)holds(m, &recipe->find.items[i]);
        medium->system = match_keep_id(m, recipe->system);
        medium->version = match_keep_printable(m, match_value(m, "version"));
        medium->edition = match_keep_printable(m, match_value(m, "edition"));
        medium->arch = match_keep_printable(m, match_value(m, "arch"));
        match_add_entries(m, recipe);
        if (recipe->own_title &&
            generic_add(
                    m->tree, match_value(m, "volume"), match_keep_id(m, recipe->own_id),
                    match_keep_title(m, recipe->own_title),
                    match_keep_title(m, recipe->own_why_not ? recipe->own_why_not : ""),
                    m->found) < 0)
                m->failed = true;
}

int recipe_match(const struct recipe *recipe, const struct media_tree *tree,
                 const char *volume, struct recipe_found *ret) {
        struct recipe_found found = { 0 };
        struct matching m = { .tree = tree, .found = &found, .says_why = true };
        bool matched;

        set(&m, "volume", volume, strlen(volume));
        if (tree->image)
                set(&m, "image_suffix", tree->image, strlen(tree->image));
        matched = match_all_hold(&m, &recipe->match);
        if (matched)
                apply(&m, recipe);
        match_forget_after(&m, 0);
        if (m.failed || !matched) {
                recipe_found_done(&found);
                return m.failed ? -ENOMEM : 0;
        }
        *ret = found;
        return 1;
}
