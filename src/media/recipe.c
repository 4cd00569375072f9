/*
 * Reading a recipe. Whoever writes one is told at once what is wrong with it: an
 * unknown key, a variable that nothing sets, a regular expression that is none.
 */
#include "media/recipe.h"

#include <stdlib.h>

#include "media/recipe_internal.h"

bool recipe_menu_fills(enum recipe_place place, const char *name, size_t n) {
        static const struct {
                const char *name;
                unsigned places; /* a mask */
        } rows[] = { { "tree", 1 << RECIPE_ARGS | 1 << RECIPE_ANSWER },
                     { "iso", 1 << RECIPE_ARGS | 1 << RECIPE_ANSWER },
                     { "server", 1 << RECIPE_ARGS | 1 << RECIPE_ANSWER },
                     { "name", 1 << RECIPE_ARGS | 1 << RECIPE_ANSWER |
                                       1 << RECIPE_SERVED_PATH },
                     { "answer", 1 << RECIPE_ANSWER } };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                if (strlen(rows[i].name) == n && memcmp(rows[i].name, name, n) == 0)
                        return rows[i].places >> place & 1;
        return false;
}

/* A map knows its own place no better than its parent's; its first key does. */
int recipe_refuse(struct recipe_parser *p, const struct doc_node *at, const char *what,
                  const char *word) {
        if (at && at->kind == DOC_MAP && at->n > 0)
                at = &at->keys[0];
        text_add(p->problems, p->name);
        if (at) {
                text_char(p->problems, ':');
                text_u64(p->problems, (uint64_t)at->line);
                text_char(p->problems, ':');
                text_u64(p->problems, (uint64_t)at->column);
        }
        text_add(p->problems, ": ");
        text_add(p->problems, what);
        if (word) {
                text_add(p->problems, " '");
                text_printable(p->problems, word, strlen(word));
                text_char(p->problems, '\'');
        }
        text_char(p->problems, '\n');
        return RECIPE_REFUSED;
}

int recipe_check_keys(struct recipe_parser *p, const struct doc_node *map,
                      const char *const *keys) {
        if (map->kind != DOC_MAP)
                return recipe_refuse(p, map, "expected keys and values", NULL);
        for (size_t i = 0; i < map->n; i++) {
                const char *key = map->keys[i].text, *near;
                size_t j = 0;

                while (keys[j] && strcmp(keys[j], key) != 0)
                        j++;
                if (keys[j])
                        continue;
                near = text_nearest(key, keys);
                return recipe_refuse(p, &map->keys[i],
                                     near ? "unknown key; the nearest is"
                                          : "unknown key",
                                     near ? near : key);
        }
        return 0;
}

/* ---- variables ---- */

static int add_variable(struct recipe_parser *p, const struct doc_node *at,
                        const char *name) {
        for (size_t i = 0; i < p->n_variables; i++)
                if (strcmp(p->variables[i], name) == 0)
                        return 0;
        if (recipe_menu_fills(RECIPE_ANSWER, name, strlen(name)))
                return recipe_refuse(p, at, "a name that the menu fills in:", name);
        if (p->n_variables == RECIPE_VARIABLES_MAX)
                return recipe_refuse(p, at, "too many variables", NULL);
        p->variables[p->n_variables++] = name;
        return 0;
}

static bool is_variable(const struct recipe_parser *p, const char *name, size_t n) {
        for (size_t i = 0; i < p->n_variables; i++)
                if (strlen(p->variables[i]) == n &&
                    memcmp(p->variables[i], name, n) == 0)
                        return true;
        return false;
}

int recipe_check_template(struct recipe_parser *p, const struct doc_node *node,
                          enum recipe_place place) {
        for (const char *at = strstr(node->text, "${"); at; at = strstr(at + 2, "${")) {
                size_t n = strcspn(at + 2, "}");

                if (at[2 + n] != '}')
                        return recipe_refuse(p, node, "a '${' without its '}' in",
                                             node->text);
                if (!is_variable(p, at + 2, n) && !recipe_menu_fills(place, at + 2, n))
                        return recipe_refuse(p, node, "a variable that nothing sets in",
                                             node->text);
        }
        return 0;
}

/* ---- scalars and lists of them ---- */

int recipe_get_text(struct recipe_parser *p, const struct doc_node *map,
                    const char *key, const char **ret) {
        const struct doc_node *node = doc_get(map, key);

        if (!node)
                return 0;
        if (node->kind != DOC_SCALAR)
                return recipe_refuse(p, node, "expected a text for", key);
        *ret = node->text;
        return 0;
}

int recipe_get_template(struct recipe_parser *p, const struct doc_node *map,
                        const char *key, enum recipe_place place, const char **ret) {
        const struct doc_node *node = doc_get(map, key);
        int r = recipe_get_text(p, map, key, ret);

        return r == 0 && node ? recipe_check_template(p, node, place) : r;
}

int recipe_each_text(struct recipe_parser *p, const struct doc_node *map,
                     const char *key, recipe_item_fn fn, void *userdata) {
        const struct doc_node *node = doc_get(map, key);
        int r = 0;

        if (!node)
                return 0;
        if (node->kind == DOC_SCALAR)
                return fn(p, node, userdata);
        if (node->kind != DOC_LIST)
                return recipe_refuse(p, node, "expected a list for", key);
        for (size_t i = 0; i < node->n && r == 0; i++) {
                if (node->items[i].kind != DOC_SCALAR)
                        return recipe_refuse(p, &node->items[i], "expected a text in",
                                             key);
                r = fn(p, &node->items[i], userdata);
        }
        return r;
}

/* ---- conditions ---- */

static int add_set(struct recipe_parser *p, const struct doc_node *item,
                   void *userdata) {
        struct recipe_condition *c = userdata;

        if (c->n_set == RECIPE_SET_MAX)
                return recipe_refuse(p, item, "too many variables", NULL);
        c->set[c->n_set++] = item->text;
        return add_variable(p, item, item->text);
}

static int add_subject(struct recipe_parser *p, const struct doc_node *item,
                       void *userdata) {
        struct recipe_condition *c = userdata;

        if (c->n_subjects == RECIPE_SUBJECTS_MAX)
                return recipe_refuse(p, item, "too many files in one condition", NULL);
        c->subject[c->n_subjects++] = item->text;
        return recipe_check_template(p, item, RECIPE_PLAIN);
}

static int parse_let(struct recipe_parser *p, const struct doc_node *map,
                     struct recipe_condition *c) {
        int r = 0;

        if (!map)
                return 0;
        if (map->kind != DOC_MAP || map->n > RECIPE_SET_MAX)
                return recipe_refuse(p, map, "expected a few variables for", "let");
        for (size_t i = 0; i < map->n && r == 0; i++) {
                if (map->items[i].kind != DOC_SCALAR)
                        return recipe_refuse(p, &map->items[i], "expected a text for",
                                             map->keys[i].text);
                c->let[c->n_let++] =
                        (struct recipe_let){ map->keys[i].text, map->items[i].text };
                r = recipe_check_template(p, &map->items[i], RECIPE_PLAIN);
                if (r == 0)
                        r = add_variable(p, &map->keys[i], map->keys[i].text);
        }
        return r;
}

static int compile(struct recipe_parser *p, const struct doc_node *node,
                   struct recipe_condition *c) {
        if (!node)
                return 0;
        if (node->kind != DOC_SCALAR)
                return recipe_refuse(p, node, "expected a regular expression", NULL);
        if (regcomp(&c->regex, node->text, REG_EXTENDED) != 0)
                return recipe_refuse(p, node, "not a regular expression:", node->text);
        c->has_regex = true;
        if (c->n_set > c->regex.re_nsub)
                return recipe_refuse(p, node, "more variables than groups in",
                                     node->text);
        return 0;
}

static const struct {
        const char *key;
        enum recipe_condition_kind kind;
} kinds[] = { { "file", CONDITION_FILE },     { "ini", CONDITION_INI },
              { "volume", CONDITION_VOLUME }, { "kernel", CONDITION_KERNEL },
              { "var", CONDITION_VARIABLE },  { "any", CONDITION_ANY },
              { "none", CONDITION_NONE } };

/* What is asked about, by the one key that says so. */
static int parse_subject(struct recipe_parser *p, const struct doc_node *map,
                         struct recipe_condition *c) {
        const struct doc_node *node = NULL;
        const char *key = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
                const struct doc_node *found = doc_get(map, kinds[i].key);

                if (found && node)
                        return recipe_refuse(
                                p, found,
                                "two questions in one condition:", kinds[i].key);
                if (found) {
                        node = found;
                        key = kinds[i].key;
                        c->kind = kinds[i].kind;
                }
        }
        if (!node)
                return doc_get(map, "let")
                               ? 0
                               : recipe_refuse(p, map, "a condition asks nothing",
                                               NULL);
        if (c->kind == CONDITION_ANY || c->kind == CONDITION_NONE)
                return recipe_parse_conditions(p, node, &c->children);
        if (c->kind == CONDITION_VARIABLE && node->kind == DOC_SCALAR &&
            !is_variable(p, node->text, node->n))
                return recipe_refuse(p, node,
                                     "a variable that nothing sets:", node->text);
        if (node->kind != DOC_SCALAR &&
            (c->kind == CONDITION_VARIABLE || c->kind == CONDITION_VOLUME))
                return recipe_refuse(p, node, "expected a text for", key);
        return recipe_each_text(p, map, key, add_subject, c);
}

/* Of a volume its name is the regular expression. */
static const struct doc_node *regex_of(const struct doc_node *map,
                                       struct recipe_condition *c) {
        const struct doc_node *path = doc_get(map, "path");

        if (c->kind == CONDITION_VOLUME)
                return doc_get(map, "volume");
        c->is_about_path = path && !doc_get(map, "text");
        return c->is_about_path ? path : doc_get(map, "text");
}

static int parse_condition(struct recipe_parser *p, const struct doc_node *map,
                           struct recipe_condition *c) {
        static const char *const keys[] = { "file",   "ini",  "volume", "kernel",
                                            "var",    "any",  "none",   "section",
                                            "key",    "as",   "set",    "let",
                                            "starts", "text", "path",   NULL };
        int r = recipe_check_keys(p, map, keys);

        if (r == 0)
                r = parse_subject(p, map, c);
        if (r == 0)
                r = recipe_get_template(p, map, "section", RECIPE_PLAIN, &c->section);
        if (r == 0)
                r = recipe_get_text(p, map, "key", &c->key);
        if (r == 0)
                r = recipe_get_text(p, map, "starts", &c->starts);
        if (r == 0)
                r = recipe_get_text(p, map, "as", &c->as);
        if (r == 0 && c->as)
                r = add_variable(p, map, c->as);
        if (r == 0)
                r = recipe_each_text(p, map, "set", add_set, c);
        if (r == 0)
                r = compile(p, regex_of(map, c), c);
        if (r == 0)
                r = parse_let(p, doc_get(map, "let"), c);
        if (r == 0 && c->kind == CONDITION_INI && (!c->section || !c->key))
                r = recipe_refuse(p, map, "an ini needs a section and a key", NULL);
        if (r == 0 && doc_get(map, "path") &&
            (c->kind != CONDITION_FILE || doc_get(map, "text")))
                r = recipe_refuse(p, doc_get(map, "path"),
                                  "a path is asked of a file, and instead of a text",
                                  NULL);
        if (r == 0 && c->n_set && !c->has_regex)
                r = recipe_refuse(p, map, "a set needs a text", NULL);
        return r;
}

int recipe_parse_conditions(struct recipe_parser *p, const struct doc_node *list,
                            struct recipe_conditions *ret) {
        int r = 0;

        if (!list)
                return 0;
        if (list->kind != DOC_LIST || list->n == 0)
                return recipe_refuse(p, list, "expected a list of conditions", NULL);
        ret->items = calloc(list->n, sizeof(*ret->items));
        if (!ret->items)
                return -ENOMEM;
        for (; ret->n < list->n && r == 0; ret->n++)
                r = parse_condition(p, &list->items[ret->n], &ret->items[ret->n]);
        return r;
}

void recipe_conditions_done(struct recipe_conditions *conditions) {
        for (size_t i = 0; i < conditions->n; i++) {
                if (conditions->items[i].has_regex)
                        regfree(&conditions->items[i].regex);
                recipe_conditions_done(&conditions->items[i].children);
        }
        free(conditions->items);
}

/* ---- all of it ---- */

static int parse_own_menu(struct recipe_parser *p, const struct doc_node *map) {
        static const char *const keys[] = { "id", "title", "why_not", NULL };
        int r;

        if (!map)
                return 0;
        r = recipe_check_keys(p, map, keys);
        if (r == 0)
                r = recipe_get_template(p, map, "id", RECIPE_PLAIN, &p->recipe->own_id);
        if (r == 0)
                r = recipe_get_template(p, map, "title", RECIPE_PLAIN,
                                        &p->recipe->own_title);
        if (r == 0)
                r = recipe_get_template(p, map, "why_not", RECIPE_PLAIN,
                                        &p->recipe->own_why_not);
        if (r == 0 && (!p->recipe->own_id || !p->recipe->own_title))
                r = recipe_refuse(p, map, "own_menu needs an id and a title", NULL);
        return r;
}

static int parse_recipe(struct recipe_parser *p, const struct doc_node *root) {
        static const char *const keys[] = { "system",   "match",    "find",
                                            "loaders",  "problems", "entries",
                                            "own_menu", NULL };
        static const char *const given[] = { "volume", "image_suffix", "version",
                                             "edition", "arch" };
        int r = recipe_check_keys(p, root, keys);

        for (size_t i = 0; i < ARRAY_SIZE(given) && r == 0; i++)
                r = add_variable(p, root, given[i]);
        if (r == 0)
                r = recipe_parse_conditions(p, doc_get(root, "match"),
                                            &p->recipe->match);
        if (r == 0)
                r = recipe_parse_conditions(p, doc_get(root, "find"), &p->recipe->find);
        if (r == 0)
                r = recipe_get_template(p, root, "system", RECIPE_PLAIN,
                                        &p->recipe->system);
        if (r == 0)
                r = recipe_parse_loaders(p, doc_get(root, "loaders"));
        if (r == 0)
                r = recipe_parse_problems(p, doc_get(root, "problems"));
        if (r == 0)
                r = recipe_parse_entries(p, doc_get(root, "entries"));
        if (r == 0)
                r = parse_own_menu(p, doc_get(root, "own_menu"));
        if (r == 0 && (!p->recipe->system || p->recipe->match.n == 0))
                r = recipe_refuse(p, root, "a recipe needs a system and a match", NULL);
        return r;
}

int recipe_parse(const char *name, const char *text, size_t n, struct recipe **ret,
                 struct text *problems) {
        struct recipe_parser p = { .name = name, .problems = problems };
        struct doc_node place = { 0 };
        struct text why = { 0 };
        int r;

        p.recipe = calloc(1, sizeof(*p.recipe));
        if (!p.recipe)
                return -ENOMEM;
        r = doc_parse(text, n, &p.recipe->doc, &why, &place.line, &place.column);
        if (r > 0)
                r = recipe_refuse(&p, &place, text_string(&why), NULL);
        text_done(&why);
        if (r == 0)
                r = parse_recipe(&p, doc_root(p.recipe->doc));
        if (r == 0)
                *ret = p.recipe;
        else
                recipe_free(p.recipe);
        return r;
}

struct recipe *recipe_free(struct recipe *recipe) {
        if (!recipe)
                return NULL;
        recipe_conditions_done(&recipe->match);
        recipe_conditions_done(&recipe->find);
        recipe_entries_done(recipe);
        doc_free(recipe->doc);
        free(recipe);
        return NULL;
}
