/*
 * From a text and flags to a snapshot. What the snapshot points to is kept in one chain
 * of blocks, so that freeing it cannot miss anything.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/internal.h"

enum { PROBLEMS_MAX = 50 };

struct block {
        struct block *next;
        max_align_t data[];
};

struct snapshot {
        struct conf conf;
        struct block *blocks;
};

void *parser_alloc(struct parser *p, size_t n) {
        struct block *block = calloc(1, sizeof(*block) + n);

        if (!block) {
                p->is_out_of_memory = true;
                return NULL;
        }
        block->next = *p->blocks;
        *p->blocks = block;
        return block->data;
}

char *parser_copy(struct parser *p, const char *s) {
        size_t n = strlen(s) + 1;
        char *copy = parser_alloc(p, n);

        return copy ? memcpy(copy, s, n) : NULL;
}

static char *source_line(const struct parser *p, int line) {
        const char *at = p->text, *end = p->text + p->n_text;

        for (int i = 1; i < line && at < end; i++) {
                const char *next = memchr(at, '\n', (size_t)(end - at));

                at = next ? next + 1 : end;
        }
        const char *stop = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
        return strndup(at, (size_t)((stop ? stop : end) - at));
}

static void add_problem(struct parser *p, int line, int column, bool is_warning,
                        const char *message) {
        struct conf_problems *all = p->problems;
        size_t n_errors = min_size(all->n_errors, PROBLEMS_MAX);
        struct conf_problem *grown;

        /* Warnings must not keep errors out. */
        all->n_errors += !is_warning;
        if ((is_warning ? all->n - n_errors : n_errors) == PROBLEMS_MAX)
                return;
        grown = realloc(all->items, (all->n + 1) * sizeof(*grown));
        if (!grown) {
                p->is_out_of_memory = true;
                return;
        }
        all->items = grown;
        grown[all->n++] = (struct conf_problem){
                .line = line,
                .column = column,
                .is_warning = is_warning,
                .message = strdup(message),
                .source = line > 0 ? source_line(p, line) : strdup(""),
        };
}

static void add_joined(struct parser *p, const struct doc_node *node, bool is_warning,
                       const char *first, va_list parts) {
        struct text message = { 0 };

        for (const char *part = first; part; part = va_arg(parts, const char *))
                text_printable(&message, part, strlen(part));
        add_problem(p, node ? node->line : 0, node ? node->column : 0, is_warning,
                    text_string(&message));
        text_done(&message);
}

void problem(struct parser *p, const struct doc_node *node, const char *first, ...) {
        va_list parts;

        va_start(parts, first);
        add_joined(p, node, false, first, parts);
        va_end(parts);
}

void warning(struct parser *p, const struct doc_node *node, const char *first, ...) {
        va_list parts;

        va_start(parts, first);
        add_joined(p, node, true, first, parts);
        va_end(parts);
}

static void refuse_key(struct parser *p, const struct doc_node *key,
                       const struct option *keys) {
        const char *words[64] = { 0 };
        const char *near;
        struct text legal = { 0 };

        for (size_t i = 0; keys[i].key && i < ARRAY_SIZE(words) - 1; i++) {
                words[i] = keys[i].key;
                text_add(&legal, i > 0 ? ", " : "");
                text_add(&legal, keys[i].key);
        }
        near = text_nearest(key->text, words);
        if (near)
                problem(p, key, "unknown key '", key->text, "'; did you mean '", near,
                        "'?", NULL);
        else
                problem(p, key, "unknown key '", key->text,
                        "'; here can stand: ", text_string(&legal), NULL);
        text_done(&legal);
}

void read_keys(struct parser *p, const struct doc_node *map, const struct option *keys,
               void *at) {
        for (size_t i = 0; i < map->n; i++) {
                const struct option *option = keys;

                while (option->key && strcmp(option->key, map->keys[i].text) != 0)
                        option++;
                if (option->key)
                        option->type->read(p, &map->items[i], option,
                                           (char *)at + option->offset);
                else
                        refuse_key(p, &map->keys[i], keys);
        }
}

/* A default is written as a person would write it, and read by the same reader. */
void apply_defaults(struct parser *p, const struct option *keys, void *at) {
        for (; keys->key; keys++) {
                struct doc_node node = { .kind = DOC_SCALAR,
                                         .text = keys->fallback,
                                         .n = keys->fallback ? strlen(keys->fallback)
                                                             : 0 };

                if (keys->keys && keys->type == &type_map)
                        apply_defaults(p, keys->keys, (char *)at + keys->offset);
                else if (keys->fallback)
                        keys->type->read(p, &node, keys, (char *)at + keys->offset);
        }
}

bool keys_are_equal(const struct option *keys, const void *a, const void *b) {
        for (; keys->key; keys++)
                if (!keys->type->is_equal(keys, (const char *)a + keys->offset,
                                          (const char *)b + keys->offset))
                        return false;
        return true;
}

static unsigned diff_keys(const struct option *keys, const char *a, const char *b,
                          unsigned inherited) {
        unsigned diff = 0;

        for (; keys->key; keys++) {
                unsigned own = keys->diff ? keys->diff : inherited;

                if (keys->type == &type_map)
                        diff |= diff_keys(keys->keys, a + keys->offset,
                                          b + keys->offset, own);
                else if (!keys->type->is_equal(keys, a + keys->offset,
                                               b + keys->offset))
                        diff |= own;
        }
        return diff;
}

unsigned conf_diff(const struct conf *a, const struct conf *b) {
        unsigned diff = diff_keys(conf_options, (const char *)a, (const char *)b, 0);

        /* Port 67 is opened or closed. */
        if (a->dhcp.mode != b->dhcp.mode)
                diff |= CONF_DIFF_DOORS;
        return diff;
}

void conf_diff_format(unsigned diff, struct text *out) {
        static const struct {
                unsigned bit;
                const char *name;
        } names[] = {
                { CONF_DIFF_DHCP, "dhcp" },
                { CONF_DIFF_MENU, "menu" },
                { CONF_DIFF_DOORS, "doors" },
                { CONF_DIFF_FOLDERS, "folders" },
                { CONF_DIFF_SERVING, "serving" },
                { CONF_DIFF_RESTART, "state, user or workers" },
        };
        size_t n = out->n;

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (diff & names[i].bit) {
                        if (out->n > n)
                                text_add(out, ", ");
                        text_add(out, names[i].name);
                }
        if (out->n == n)
                text_add(out, "nothing changed");
}

static void set_list(struct parser *p, const char *const *flags,
                     struct conf_texts *ret) {
        size_t n = 0;

        while (flags[n])
                n++;
        if (n == 0)
                return;
        ret->items = parser_alloc(p, n * sizeof(char *));
        ret->n = ret->items ? n : 0;
        for (size_t i = 0; i < ret->n; i++)
                ret->items[i] = parser_copy(p, flags[i]);
}

/* A range on the command line takes over the subnet that it lies in; without one it is
 * on whatever interface has it in its network. */
static void set_range(struct parser *p, struct conf *conf, struct scope_pool range) {
        struct scope_pool *pool = parser_alloc(p, sizeof(*pool));
        struct scope_subnet *grown;

        if (!pool)
                return;
        *pool = range;
        for (size_t i = 0; i < conf->dhcp.n_subnets; i++) {
                struct scope_subnet *subnet = &conf->dhcp.subnets[i];

                if ((range.first & subnet->mask) == subnet->network &&
                    (range.last & subnet->mask) == subnet->network) {
                        subnet->pools = pool;
                        subnet->n_pools = 1;
                        return;
                }
        }
        grown = parser_alloc(p, (conf->dhcp.n_subnets + 1) * sizeof(*grown));
        if (!grown)
                return;
        if (conf->dhcp.n_subnets > 0)
                memcpy(grown, conf->dhcp.subnets,
                       conf->dhcp.n_subnets * sizeof(*grown));
        conf->dhcp.subnets = grown;
        grown[conf->dhcp.n_subnets++] =
                (struct scope_subnet){ .pools = pool, .n_pools = 1 };
}

static void set_dhcp(struct parser *p, struct conf *conf, const char *flag) {
        struct scope_pool range;

        if (strcmp(flag, "proxy") == 0) {
                conf->dhcp.mode = CONF_DHCP_PROXY;
        } else if (strcmp(flag, "off") == 0) {
                conf->dhcp.mode = CONF_DHCP_OFF;
        } else if (!strchr(flag, '-') || !parse_range(flag, &range)) {
                problem(p, NULL, "--dhcp must be proxy, off or a range such as ",
                        "192.168.1.20-192.168.1.25, not '", flag, "'", NULL);
        } else if (range.first > range.last) {
                problem(p, NULL, "--dhcp ", flag, ": the range ends before it begins",
                        NULL);
        } else {
                conf->dhcp.mode = CONF_DHCP_SERVER;
                set_range(p, conf, range);
        }
}

static void apply_flags(struct parser *p, struct conf *conf,
                        const struct conf_flags *flags) {
        set_list(p, flags->interfaces, &conf->interfaces);
        set_list(p, flags->media, &conf->media);
        if (flags->root)
                conf->root = parser_copy(p, flags->root);
        if (flags->state)
                conf->state = parser_copy(p, flags->state);
        if (flags->user)
                conf->user = parser_copy(p, flags->user);
        if (flags->dhcp)
                set_dhcp(p, conf, flags->dhcp);
}

static void parse_text(struct parser *p, const struct conf_flags *flags,
                       struct conf *conf) {
        struct text why = { 0 };
        struct doc *doc = NULL;
        int line = 1, column = 1, r;

        apply_defaults(p, conf_options, conf);
        r = doc_parse(p->text, p->n_text, &doc, &why, &line, &column);
        if (r < 0)
                p->is_out_of_memory = true;
        else if (r > 0)
                add_problem(p, line, column, false, text_string(&why));
        else if (doc_root(doc)->kind == DOC_MAP)
                read_keys(p, doc_root(doc), conf_options, conf);
        else if (doc_root(doc)->kind != DOC_NULL)
                problem(p, doc_root(doc),
                        "a configuration is a map of keys, such as 'media: "
                        "[/srv/isos]'",
                        NULL);
        apply_flags(p, conf, flags);
        if (doc) {
                check_dhcp(p, doc_get(doc_root(doc), "dhcp"), conf);
                check_classes(p, doc_get(doc_root(doc), "machines"), conf);
        }
        doc_free(doc);
        text_done(&why);
}

int conf_parse(const char *name, const char *text, size_t n,
               const struct conf_flags *flags, struct conf **ret,
               struct conf_problems *problems) {
        struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
        struct parser p = { .problems = problems, .text = text, .n_text = n };

        *problems = (struct conf_problems){ .file = strdup(name) };
        if (!snapshot || !problems->file) {
                free(snapshot);
                return -ENOMEM;
        }
        p.blocks = &snapshot->blocks;
        parse_text(&p, flags, &snapshot->conf);
        if (p.is_out_of_memory || problems->n_errors > 0) {
                conf_free(&snapshot->conf);
                return p.is_out_of_memory ? -ENOMEM : CONF_REFUSED;
        }
        *ret = &snapshot->conf;
        return 0;
}

struct conf *conf_free(struct conf *conf) {
        struct snapshot *snapshot;

        if (!conf)
                return NULL;
        snapshot = CONTAINER_OF(conf, struct snapshot, conf);
        while (snapshot->blocks) {
                struct block *block = snapshot->blocks;

                snapshot->blocks = block->next;
                free(block);
        }
        free(snapshot);
        return NULL;
}

void conf_problems_done(struct conf_problems *problems) {
        for (size_t i = 0; i < problems->n; i++) {
                free(problems->items[i].message);
                free(problems->items[i].source);
        }
        free(problems->items);
        free(problems->file);
        *problems = (struct conf_problems){ 0 };
}

static void format_source(const struct conf_problem *problem, struct text *out) {
        text_add(out, "    ");
        for (const char *s = problem->source; *s; s++)
                text_char(out, (unsigned char)*s < 0x20 ? ' ' : *s);
        text_add(out, "\n    ");
        for (int i = 1; i < problem->column; i++)
                text_char(out, ' ');
        text_add(out, "^\n");
}

void conf_problems_format(const struct conf_problems *problems, struct text *out) {
        for (size_t i = 0; i < problems->n; i++) {
                const struct conf_problem *problem = &problems->items[i];

                if (problem->line > 0) {
                        text_add(out, problems->file);
                        text_char(out, ':');
                        text_u64(out, (uint64_t)problem->line);
                        text_char(out, ':');
                        text_u64(out, (uint64_t)problem->column);
                        text_add(out, ": ");
                }
                if (problem->is_warning)
                        text_add(out, "warning: ");
                text_add(out, problem->message ? problem->message : "out of memory");
                text_char(out, '\n');
                if (problem->line > 0 && problem->source)
                        format_source(problem, out);
        }
        if (problems->n_errors > PROBLEMS_MAX) {
                text_add(out, "... and ");
                text_u64(out, problems->n_errors - PROBLEMS_MAX);
                text_add(out, " more\n");
        }
}

static int read_all(int fd, char **ret_text, size_t *ret_n, struct text *why) {
        struct text text = { 0 };
        char buffer[16384];
        ssize_t r = 1;

        text_add(&text, "");
        while (text.n <= CONF_BYTES_MAX && r > 0 && !text.failed) {
                r = read(fd, buffer, sizeof(buffer));
                if (r > 0)
                        text_bytes(&text, buffer, (size_t)r);
        }
        if (text.failed || r < 0 || text.n > CONF_BYTES_MAX) {
                bool failed = text.failed;

                if (!failed)
                        text_add(why, r < 0 ? strerror(errno) : "larger than 16 MiB");
                text_done(&text);
                return failed ? -ENOMEM : CONF_REFUSED;
        }
        *ret_text = text.s;
        *ret_n = text.n;
        return 0;
}

int conf_load(const struct conf_flags *flags, char **ret_text, size_t *ret_n,
              const char **ret_name, struct text *why) {
        const char *name = flags->file ? flags->file : CONF_FILE_DEFAULT;
        int fd = open(name, O_RDONLY | O_CLOEXEC), r;

        if (fd < 0 && errno == ENOENT && !flags->file) {
                *ret_text = strdup("");
                *ret_n = 0;
                *ret_name = "no configuration file";
                return *ret_text ? 0 : -ENOMEM;
        }
        text_add(why, name);
        text_add(why, ": ");
        if (fd < 0) {
                text_add(why, strerror(errno));
                return CONF_REFUSED;
        }
        r = read_all(fd, ret_text, ret_n, why);
        close(fd);
        *ret_name = name;
        return r;
}
