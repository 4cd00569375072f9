/*
 * Reading the part of a recipe that says what can be booted: entries, the ways in which
 * each can get the rest of its medium, loaders, and what is to be said of a medium that
 * lacks something.
 */
#include <stdlib.h>

#include "media/recipe_internal.h"

/* ---- scalars ---- */

static int add_firmware(struct recipe_parser *p, const struct doc_node *item,
                        void *userdata) {
        uint32_t bit = medium_firmware_parse(item->text);

        *(uint32_t *)userdata |= bit;
        return bit ? 0 : recipe_refuse(p, item, "unknown firmware", item->text);
}

static int add_transport(struct recipe_parser *p, const struct doc_node *item,
                         void *userdata) {
        uint32_t bit = medium_transport_parse(item->text);

        *(uint32_t *)userdata |= bit;
        return bit ? 0 : recipe_refuse(p, item, "unknown transport", item->text);
}

static int parse_size(struct recipe_parser *p, const struct doc_node *node,
                      uint64_t *ret) {
        unsigned long long number;
        char *end;

        if (!node)
                return 0;
        number = strtoull(node->text, &end, 10);
        if (node->kind != DOC_SCALAR || end == node->text || number > 1 << 20 ||
            (strcmp(end, "M") != 0 && strcmp(end, "G") != 0))
                return recipe_refuse(p, node, "expected a size such as 512M or 2G",
                                     NULL);
        *ret = (uint64_t)number << (*end == 'G' ? 30 : 20);
        return 0;
}

static int parse_memory(struct recipe_parser *p, const struct doc_node *map,
                        struct recipe_memory *ret) {
        int r = parse_size(p, doc_get(map, "memory"), &ret->bytes);

        return r ? r : recipe_get_template(p, map, "memory_of", RECIPE_PLAIN, &ret->of);
}

static int parse_boot(struct recipe_parser *p, const struct doc_node *map,
                      struct recipe_entry *e) {
        const struct doc_node *node = doc_get(map, "boot");
        const char *text = NULL;
        int r = recipe_get_text(p, map, "boot", &text);

        /* A kernel alone is a program, unless the recipe says otherwise. */
        e->boot = e->n_initrd ? MEDIUM_LINUX : MEDIUM_PROGRAM;
        if (r || !text)
                return r;
        return medium_boot_parse(text, &e->boot)
                       ? 0
                       : recipe_refuse(p, node, "unknown kind of booting", text);
}

/* ---- paths ---- */

static enum recipe_place place_of(const char *template) {
        return template[0] == '/' ? RECIPE_SERVED_PATH : RECIPE_PLAIN;
}

static int get_path(struct recipe_parser *p, const struct doc_node *map,
                    const char *key, const char **ret) {
        const struct doc_node *node = doc_get(map, key);

        return recipe_get_template(p, map, key,
                                   node ? place_of(node->text) : RECIPE_PLAIN, ret);
}

static int parse_initrd_map(struct recipe_parser *p, const struct doc_node *map,
                            struct recipe_initrd *initrd) {
        static const char *const keys[] = { "file", "name", "args", NULL };
        int r = recipe_check_keys(p, map, keys);

        if (r == 0)
                r = get_path(p, map, "file", &initrd->file);
        if (r == 0)
                r = recipe_get_template(p, map, "name", RECIPE_PLAIN, &initrd->name);
        if (r == 0)
                r = recipe_get_template(p, map, "args", RECIPE_ARGS, &initrd->args);
        if (r == 0 && !initrd->file)
                r = recipe_refuse(p, map, "an initrd needs a file", NULL);
        return r;
}

static int parse_initrd(struct recipe_parser *p, const struct doc_node *node,
                        struct recipe_entry *e) {
        struct recipe_initrd *initrd = &e->initrd[e->n_initrd];

        if (e->n_initrd == MEDIUM_INITRDS_MAX)
                return recipe_refuse(p, node, "too many initrds", NULL);
        e->n_initrd++;
        *initrd = (struct recipe_initrd){ .name = "", .args = "" };
        if (node->kind == DOC_MAP)
                return parse_initrd_map(p, node, initrd);
        if (node->kind != DOC_SCALAR)
                return recipe_refuse(p, node, "expected a path for", "initrd");
        initrd->file = node->text;
        return recipe_check_template(p, node, place_of(node->text));
}

/* One initrd, or a list of them. */
static int parse_initrds(struct recipe_parser *p, const struct doc_node *node,
                         struct recipe_entry *e) {
        int r = 0;

        if (!node)
                return 0;
        if (node->kind != DOC_LIST)
                return parse_initrd(p, node, e);
        for (size_t i = 0; i < node->n && r == 0; i++)
                r = parse_initrd(p, &node->items[i], e);
        return r;
}

/* ---- ways ---- */

static int parse_way(struct recipe_parser *p, const struct doc_node *map,
                     struct recipe_way *way) {
        static const char *const keys[] = { "when",   "transport", "args",
                                            "memory", "memory_of", NULL };
        const struct doc_node *transport;
        int r = recipe_check_keys(p, map, keys);

        way->args = "";
        if (r)
                return r;
        transport = doc_get(map, "transport");
        if (!transport || transport->kind != DOC_SCALAR)
                return recipe_refuse(p, map, "a way needs a transport", NULL);
        r = add_transport(p, transport, &way->transport);
        if (r == 0)
                r = recipe_parse_conditions(p, doc_get(map, "when"), &way->when);
        if (r == 0)
                r = recipe_get_template(p, map, "args", RECIPE_ARGS, &way->args);
        return r ? r : parse_memory(p, map, &way->memory);
}

static int parse_ways(struct recipe_parser *p, const struct doc_node *list,
                      struct recipe_entry *e) {
        int r = 0;

        if (!list)
                return 0;
        if (list->kind != DOC_LIST || list->n > MEDIUM_WAYS_MAX)
                return recipe_refuse(p, list, "expected a list of a few ways", NULL);
        for (size_t i = 0; i < list->n && r == 0; i++)
                r = parse_way(p, &list->items[i], &e->ways[e->n_ways++]);
        return r;
}

static int parse_answer(struct recipe_parser *p, const struct doc_node *map,
                        struct recipe_entry *e) {
        static const char *const keys[] = { "kind", "args", NULL };
        int r = map ? recipe_check_keys(p, map, keys) : 0;

        if (!map || r)
                return r;
        r = recipe_get_text(p, map, "kind", &e->answer_kind);
        if (r == 0)
                r = recipe_get_template(p, map, "args", RECIPE_ANSWER, &e->answer_args);
        if (r == 0 && !*e->answer_kind)
                r = recipe_refuse(p, map, "an answer needs a kind", NULL);
        return r;
}

/* ---- entries ---- */

static int parse_texts(struct recipe_parser *p, const struct doc_node *map,
                       struct recipe_entry *e) {
        const struct {
                const char *key;
                enum recipe_place place;
                const char **to;
        } rows[] = { { "id", RECIPE_PLAIN, &e->id },
                     { "title", RECIPE_PLAIN, &e->title },
                     { "help", RECIPE_PLAIN, &e->help },
                     { "args", RECIPE_ARGS, &e->args },
                     { "why_not", RECIPE_PLAIN, &e->why_not },
                     { "remedy", RECIPE_PLAIN, &e->remedy } };
        int r = 0;

        for (size_t i = 0; i < ARRAY_SIZE(rows) && r == 0; i++)
                r = recipe_get_template(p, map, rows[i].key, rows[i].place, rows[i].to);
        return r ? r : get_path(p, map, "kernel", &e->kernel);
}

static int parse_entry(struct recipe_parser *p, const struct doc_node *map,
                       struct recipe_entry *e) {
        static const char *const keys[] = {
                "when",      "id",     "title",    "help",   "boot",       "kernel",
                "initrd",    "args",   "firmware", "ways",   "transports", "memory",
                "memory_of", "answer", "why_not",  "remedy", NULL
        };
        int r = recipe_check_keys(p, map, keys);

        e->help = e->args = e->why_not = e->remedy = "";
        e->answer_kind = e->answer_args = "";
        if (r == 0)
                r = recipe_parse_conditions(p, doc_get(map, "when"), &e->when);
        if (r == 0)
                r = parse_texts(p, map, e);
        if (r == 0)
                r = parse_initrds(p, doc_get(map, "initrd"), e);
        if (r == 0)
                r = parse_boot(p, map, e);
        if (r == 0)
                r = recipe_each_text(p, map, "firmware", add_firmware, &e->firmware);
        if (r == 0)
                r = recipe_each_text(p, map, "transports", add_transport,
                                     &e->transports);
        if (r == 0)
                r = parse_memory(p, map, &e->memory);
        if (r == 0)
                r = parse_ways(p, doc_get(map, "ways"), e);
        if (r == 0)
                r = parse_answer(p, doc_get(map, "answer"), e);
        if (r == 0 && (!e->id || !e->title || (!e->kernel && !*e->why_not)))
                r = recipe_refuse(p, map, "an entry needs an id, a title and a kernel",
                                  NULL);
        return r;
}

int recipe_parse_entries(struct recipe_parser *p, const struct doc_node *list) {
        struct recipe *recipe = p->recipe;
        int r = 0;

        if (!list)
                return 0;
        if (list->kind != DOC_LIST || list->n > RECIPE_ENTRIES_MAX)
                return recipe_refuse(p, list, "expected a list of a few entries", NULL);
        for (size_t i = 0; i < list->n && r == 0; i++)
                r = parse_entry(p, &list->items[i],
                                &recipe->entries[recipe->n_entries++]);
        return r;
}

/* ---- of the medium ---- */

static int parse_loader(struct recipe_parser *p, const struct doc_node *key,
                        const struct doc_node *map) {
        static const char *const keys[] = { "shim", "grub", NULL };
        uint32_t bit = medium_firmware_parse(key->text);
        struct recipe_loader *loader;
        int r;

        if (!bit)
                return recipe_refuse(p, key, "unknown firmware", key->text);
        loader = &p->recipe->loaders[__builtin_ctz(bit)];
        r = recipe_check_keys(p, map, keys);
        if (r == 0)
                r = recipe_get_template(p, map, "shim", RECIPE_PLAIN, &loader->shim);
        if (r == 0)
                r = recipe_get_template(p, map, "grub", RECIPE_PLAIN, &loader->grub);
        return r;
}

int recipe_parse_loaders(struct recipe_parser *p, const struct doc_node *map) {
        int r = 0;

        if (!map)
                return 0;
        if (map->kind != DOC_MAP)
                return recipe_refuse(p, map, "expected loaders by firmware", NULL);
        for (size_t i = 0; i < map->n && r == 0; i++)
                r = parse_loader(p, &map->keys[i], &map->items[i]);
        return r;
}

static int parse_problem(struct recipe_parser *p, const struct doc_node *map,
                         struct recipe_problem *problem) {
        static const char *const keys[] = { "when", "say", NULL };
        int r = recipe_check_keys(p, map, keys);

        if (r == 0)
                r = recipe_parse_conditions(p, doc_get(map, "when"), &problem->when);
        if (r == 0)
                r = recipe_get_template(p, map, "say", RECIPE_PLAIN, &problem->say);
        if (r == 0 && !problem->say)
                r = recipe_refuse(p, map, "a problem says something", NULL);
        return r;
}

int recipe_parse_problems(struct recipe_parser *p, const struct doc_node *list) {
        struct recipe *recipe = p->recipe;
        int r = 0;

        if (!list)
                return 0;
        if (list->kind != DOC_LIST || list->n > ARRAY_SIZE(recipe->problems))
                return recipe_refuse(p, list, "expected a list of a few problems",
                                     NULL);
        for (size_t i = 0; i < list->n && r == 0; i++)
                r = parse_problem(p, &list->items[i],
                                  &recipe->problems[recipe->n_problems++]);
        return r;
}

void recipe_entries_done(struct recipe *recipe) {
        for (size_t i = 0; i < recipe->n_entries; i++) {
                recipe_conditions_done(&recipe->entries[i].when);
                for (size_t j = 0; j < recipe->entries[i].n_ways; j++)
                        recipe_conditions_done(&recipe->entries[i].ways[j].when);
        }
        for (size_t i = 0; i < recipe->n_problems; i++)
                recipe_conditions_done(&recipe->problems[i].when);
}
