/*
 * Reading a recipe. Whoever writes one is told at once what is wrong with it: an
 * unknown key, a variable that nothing sets, a regular expression that is none.
 */
#include "media/recipe.h"

#include <stdlib.h>

#include "media/recipe_internal.h"

struct parser {
        const char *name;
        struct text *problems;
        struct recipe *recipe;
        const char *variables[RECIPE_VARIABLES_MAX];
        size_t n_variables;
};

/* A map knows its own place no better than its parent's; its first key does. */
static int refuse(struct parser *p, const struct doc_node *at, const char *what,
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

static int check_keys(struct parser *p, const struct doc_node *map,
                      const char *const *keys) {
        if (map->kind != DOC_MAP)
                return refuse(p, map, "expected keys and values", NULL);
        for (size_t i = 0; i < map->n; i++) {
                const char *key = map->keys[i].text, *near;
                size_t j = 0;

                while (keys[j] && strcmp(keys[j], key) != 0)
                        j++;
                if (keys[j])
                        continue;
                near = text_nearest(key, keys);
                return refuse(p, &map->keys[i],
                              near ? "unknown key; the nearest is" : "unknown key",
                              near ? near : key);
        }
        return 0;
}

/* ---- variables ---- */

static int add_variable(struct parser *p, const struct doc_node *at, const char *name) {
        for (size_t i = 0; i < p->n_variables; i++)
                if (strcmp(p->variables[i], name) == 0)
                        return 0;
        if (p->n_variables == RECIPE_VARIABLES_MAX)
                return refuse(p, at, "too many variables", NULL);
        p->variables[p->n_variables++] = name;
        return 0;
}

static bool is_variable(const struct parser *p, const char *name, size_t n) {
        for (size_t i = 0; i < p->n_variables; i++)
                if (strlen(p->variables[i]) == n &&
                    memcmp(p->variables[i], name, n) == 0)
                        return true;
        return false;
}

static bool is_of_menu(const char *name, size_t n) {
        static const char *const names[] = { "tree", "iso", "server" };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (strlen(names[i]) == n && memcmp(names[i], name, n) == 0)
                        return true;
        return false;
}

static int check_template(struct parser *p, const struct doc_node *node, bool is_args) {
        for (const char *at = strstr(node->text, "${"); at; at = strstr(at + 2, "${")) {
                size_t n = strcspn(at + 2, "}");

                if (at[2 + n] != '}')
                        return refuse(p, node, "a '${' without its '}' in", node->text);
                if (!is_variable(p, at + 2, n) && !(is_args && is_of_menu(at + 2, n)))
                        return refuse(p, node, "a variable that nothing sets in",
                                      node->text);
        }
        return 0;
}

/* ---- scalars and lists of them ---- */

static int get_text(struct parser *p, const struct doc_node *map, const char *key,
                    const char **ret) {
        const struct doc_node *node = doc_get(map, key);

        if (!node)
                return 0;
        if (node->kind != DOC_SCALAR)
                return refuse(p, node, "expected a text for", key);
        *ret = node->text;
        return 0;
}

static int get_template(struct parser *p, const struct doc_node *map, const char *key,
                        const char **ret) {
        const struct doc_node *node = doc_get(map, key);
        int r = get_text(p, map, key, ret);

        return r == 0 && node ? check_template(p, node, strcmp(key, "args") == 0) : r;
}

typedef int (*item_fn)(struct parser *p, const struct doc_node *item, void *userdata);

/* One text, or a list of texts. */
static int each_text(struct parser *p, const struct doc_node *map, const char *key,
                     item_fn fn, void *userdata) {
        const struct doc_node *node = doc_get(map, key);
        int r = 0;

        if (!node)
                return 0;
        if (node->kind == DOC_SCALAR)
                return fn(p, node, userdata);
        if (node->kind != DOC_LIST)
                return refuse(p, node, "expected a list for", key);
        for (size_t i = 0; i < node->n && r == 0; i++) {
                if (node->items[i].kind != DOC_SCALAR)
                        return refuse(p, &node->items[i], "expected a text in", key);
                r = fn(p, &node->items[i], userdata);
        }
        return r;
}

/* ---- conditions ---- */

static int parse_conditions(struct parser *p, const struct doc_node *list,
                            struct recipe_conditions *ret);

static int add_set(struct parser *p, const struct doc_node *item, void *userdata) {
        struct recipe_condition *c = userdata;

        if (c->n_set == RECIPE_SET_MAX)
                return refuse(p, item, "too many variables", NULL);
        c->set[c->n_set++] = item->text;
        return add_variable(p, item, item->text);
}

static int parse_let(struct parser *p, const struct doc_node *map,
                     struct recipe_condition *c) {
        int r = 0;

        if (!map)
                return 0;
        if (map->kind != DOC_MAP || map->n > RECIPE_SET_MAX)
                return refuse(p, map, "expected a few variables for", "let");
        for (size_t i = 0; i < map->n && r == 0; i++) {
                if (map->items[i].kind != DOC_SCALAR)
                        return refuse(p, &map->items[i], "expected a text for",
                                      map->keys[i].text);
                c->let[c->n_let++] =
                        (struct recipe_let){ map->keys[i].text, map->items[i].text };
                r = check_template(p, &map->items[i], false);
                if (r == 0)
                        r = add_variable(p, &map->keys[i], map->keys[i].text);
        }
        return r;
}

static int compile(struct parser *p, const struct doc_node *node,
                   struct recipe_condition *c) {
        if (!node)
                return 0;
        if (node->kind != DOC_SCALAR)
                return refuse(p, node, "expected a regular expression", NULL);
        if (regcomp(&c->regex, node->text, REG_EXTENDED) != 0)
                return refuse(p, node, "not a regular expression:", node->text);
        c->has_regex = true;
        if (c->n_set > c->regex.re_nsub)
                return refuse(p, node, "more variables than groups in", node->text);
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
static int parse_subject(struct parser *p, const struct doc_node *map,
                         struct recipe_condition *c) {
        const struct doc_node *node = NULL;
        const char *key = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
                const struct doc_node *found = doc_get(map, kinds[i].key);

                if (found && node)
                        return refuse(p, found,
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
                               : refuse(p, map, "a condition asks nothing", NULL);
        if (c->kind == CONDITION_ANY || c->kind == CONDITION_NONE)
                return parse_conditions(p, node, &c->children);
        if (c->kind == CONDITION_VARIABLE && node->kind == DOC_SCALAR &&
            !is_variable(p, node->text, node->n))
                return refuse(p, node, "a variable that nothing sets:", node->text);
        return get_template(p, map, key, &c->subject);
}

static int parse_condition(struct parser *p, const struct doc_node *map,
                           struct recipe_condition *c) {
        static const char *const keys[] = { "file", "ini",  "volume",  "kernel", "var",
                                            "any",  "none", "section", "key",    "as",
                                            "set",  "let",  "starts",  "text",   NULL };
        int r = check_keys(p, map, keys);

        if (r == 0)
                r = parse_subject(p, map, c);
        if (r == 0)
                r = get_template(p, map, "section", &c->section);
        if (r == 0)
                r = get_text(p, map, "key", &c->key);
        if (r == 0)
                r = get_text(p, map, "starts", &c->starts);
        if (r == 0)
                r = get_text(p, map, "as", &c->as);
        if (r == 0 && c->as)
                r = add_variable(p, map, c->as);
        if (r == 0)
                r = each_text(p, map, "set", add_set, c);
        if (r == 0)
                r = compile(
                        p,
                        doc_get(map, c->kind == CONDITION_VOLUME ? "volume" : "text"),
                        c);
        if (r == 0)
                r = parse_let(p, doc_get(map, "let"), c);
        if (r == 0 && c->kind == CONDITION_INI && (!c->section || !c->key))
                r = refuse(p, map, "an ini needs a section and a key", NULL);
        if (r == 0 && c->n_set && !c->has_regex)
                r = refuse(p, map, "a set needs a text", NULL);
        return r;
}

static int parse_conditions(struct parser *p, const struct doc_node *list,
                            struct recipe_conditions *ret) {
        int r = 0;

        if (!list)
                return 0;
        if (list->kind != DOC_LIST || list->n == 0)
                return refuse(p, list, "expected a list of conditions", NULL);
        ret->items = calloc(list->n, sizeof(*ret->items));
        if (!ret->items)
                return -ENOMEM;
        for (; ret->n < list->n && r == 0; ret->n++)
                r = parse_condition(p, &list->items[ret->n], &ret->items[ret->n]);
        return r;
}

static void free_conditions(struct recipe_conditions *conditions) {
        for (size_t i = 0; i < conditions->n; i++) {
                if (conditions->items[i].has_regex)
                        regfree(&conditions->items[i].regex);
                free_conditions(&conditions->items[i].children);
        }
        free(conditions->items);
}

/* ---- entries ---- */

static int add_initrd(struct parser *p, const struct doc_node *item, void *userdata) {
        struct recipe_entry *entry = userdata;

        if (entry->n_initrd == MEDIUM_INITRDS_MAX)
                return refuse(p, item, "too many initrds", NULL);
        entry->initrd[entry->n_initrd++] = item->text;
        return check_template(p, item, false);
}

static int add_firmware(struct parser *p, const struct doc_node *item, void *userdata) {
        uint32_t bit = medium_firmware_parse(item->text);

        *(uint32_t *)userdata |= bit;
        return bit ? 0 : refuse(p, item, "unknown firmware", item->text);
}

static int add_transport(struct parser *p, const struct doc_node *item,
                         void *userdata) {
        uint32_t bit = medium_transport_parse(item->text);

        *(uint32_t *)userdata |= bit;
        return bit ? 0 : refuse(p, item, "unknown transport", item->text);
}

static int parse_memory(struct parser *p, const struct doc_node *node, uint64_t *ret) {
        unsigned long long number;
        char *end;

        if (!node)
                return 0;
        number = strtoull(node->text, &end, 10);
        if (node->kind != DOC_SCALAR || end == node->text || number > 1 << 20 ||
            (strcmp(end, "M") != 0 && strcmp(end, "G") != 0))
                return refuse(p, node, "expected a size such as 512M or 2G", NULL);
        *ret = (uint64_t)number << (*end == 'G' ? 30 : 20);
        return 0;
}

static int parse_entry(struct parser *p, const struct doc_node *map,
                       struct recipe_entry *e) {
        static const char *const keys[] = { "when",      "id",         "title",
                                            "kernel",    "initrd",     "args",
                                            "firmware",  "transports", "memory",
                                            "memory_of", "why_not",    NULL };
        int r = check_keys(p, map, keys);

        e->args = e->why_not = "";
        if (r == 0)
                r = parse_conditions(p, doc_get(map, "when"), &e->when);
        if (r == 0)
                r = get_template(p, map, "id", &e->id);
        if (r == 0)
                r = get_template(p, map, "title", &e->title);
        if (r == 0)
                r = get_template(p, map, "kernel", &e->kernel);
        if (r == 0)
                r = get_template(p, map, "args", &e->args);
        if (r == 0)
                r = get_template(p, map, "why_not", &e->why_not);
        if (r == 0)
                r = get_template(p, map, "memory_of", &e->memory_of);
        if (r == 0)
                r = each_text(p, map, "initrd", add_initrd, e);
        if (r == 0)
                r = each_text(p, map, "firmware", add_firmware, &e->firmware);
        if (r == 0)
                r = each_text(p, map, "transports", add_transport, &e->transports);
        if (r == 0)
                r = parse_memory(p, doc_get(map, "memory"), &e->memory);
        if (r == 0 && (!e->id || !e->title || (!e->kernel && !*e->why_not)))
                r = refuse(p, map, "an entry needs an id, a title and a kernel", NULL);
        return r;
}

static int parse_entries(struct parser *p, const struct doc_node *list) {
        struct recipe *recipe = p->recipe;
        int r = 0;

        if (!list)
                return 0;
        if (list->kind != DOC_LIST || list->n > MEDIUM_ENTRIES_MAX)
                return refuse(p, list, "expected a list of a few entries", NULL);
        for (size_t i = 0; i < list->n && r == 0; i++)
                r = parse_entry(p, &list->items[i],
                                &recipe->entries[recipe->n_entries++]);
        return r;
}

/* ---- all of it ---- */

static int parse_recipe(struct parser *p, const struct doc_node *root) {
        static const char *const keys[] = { "system", "match", "find", "entries",
                                            NULL };
        static const char *const given[] = { "volume", "version", "edition", "arch" };
        int r = check_keys(p, root, keys);

        for (size_t i = 0; i < ARRAY_SIZE(given) && r == 0; i++)
                r = add_variable(p, root, given[i]);
        if (r == 0)
                r = parse_conditions(p, doc_get(root, "match"), &p->recipe->match);
        if (r == 0)
                r = parse_conditions(p, doc_get(root, "find"), &p->recipe->find);
        if (r == 0)
                r = get_template(p, root, "system", &p->recipe->system);
        if (r == 0)
                r = parse_entries(p, doc_get(root, "entries"));
        if (r == 0 && (!p->recipe->system || p->recipe->match.n == 0))
                r = refuse(p, root, "a recipe needs a system and a match", NULL);
        return r;
}

int recipe_parse(const char *name, const char *text, size_t n, struct recipe **ret,
                 struct text *problems) {
        struct parser p = { .name = name, .problems = problems };
        struct doc_node place = { 0 };
        struct text why = { 0 };
        int r;

        p.recipe = calloc(1, sizeof(*p.recipe));
        if (!p.recipe)
                return -ENOMEM;
        r = doc_parse(text, n, &p.recipe->doc, &why, &place.line, &place.column);
        if (r > 0)
                r = refuse(&p, &place, text_string(&why), NULL);
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
        free_conditions(&recipe->match);
        free_conditions(&recipe->find);
        for (size_t i = 0; i < recipe->n_entries; i++)
                free_conditions(&recipe->entries[i].when);
        doc_free(recipe->doc);
        free(recipe);
        return NULL;
}
