/*
 * libfyaml parses; what it found is copied into plain nodes, so that nobody else
 * meets the library. Anchors and aliases are refused: nothing here needs them, and a
 * page of aliases can unfold into more memory than a machine has.
 */
#include "conf/doc.h"

#include <libfyaml.h>
#include <stdlib.h>

enum { DEPTH_MAX = 16, NODES_MAX = 2000000 };

struct doc {
        struct doc_node root;
};

struct copier {
        struct text *why;
        int line, column; /* of what was refused */
        size_t n_nodes;
};

static void free_children(struct doc_node *node) {
        for (size_t i = 0; i < node->n && node->kind != DOC_SCALAR; i++) {
                if (node->keys)
                        free_children(&node->keys[i]);
                if (node->items)
                        free_children(&node->items[i]);
        }
        if (node->kind == DOC_SCALAR)
                free((char *)node->text);
        free(node->keys);
        free(node->items);
}

static int refuse(struct copier *c, const struct doc_node *at, const char *why) {
        text_add(c->why, why);
        c->line = at->line;
        c->column = at->column;
        return DOC_REFUSED;
}

static int copy_scalar(struct copier *c, struct fy_node *from, struct doc_node *ret) {
        enum fy_node_style style = fy_node_get_style(from);
        size_t n = 0;
        const char *s = fy_node_get_scalar(from, &n);
        char *copy;

        if (s && memchr(s, '\0', n))
                return refuse(c, ret, "a NUL byte in a text");
        ret->is_quoted = style != FYNS_PLAIN && style != FYNS_ANY;
        if (!ret->is_quoted && (n == 0 || (n == 1 && s[0] == '~') ||
                                (n == 4 && memcmp(s, "null", 4) == 0)))
                return 0;
        copy = malloc(n + 1);
        if (!copy)
                return -ENOMEM;
        if (n > 0)
                memcpy(copy, s, n);
        copy[n] = '\0';
        ret->kind = DOC_SCALAR;
        ret->text = copy;
        ret->n = n;
        return 0;
}

static int copy(struct copier *c, struct fy_node *from, const struct doc_node *parent,
                unsigned depth, struct doc_node *ret);

static int copy_list(struct copier *c, struct fy_node *from, unsigned depth,
                     struct doc_node *ret) {
        int count = fy_node_sequence_item_count(from), r = 0;
        void *at = NULL;
        struct fy_node *item;

        ret->kind = DOC_LIST;
        ret->items = calloc((size_t)count + 1, sizeof(*ret->items));
        if (!ret->items)
                return -ENOMEM;
        while (r == 0 && (item = fy_node_sequence_iterate(from, &at)))
                r = copy(c, item, ret, depth, &ret->items[ret->n++]);
        return r;
}

static int copy_map(struct copier *c, struct fy_node *from, unsigned depth,
                    struct doc_node *ret) {
        size_t count = (size_t)fy_node_mapping_item_count(from) + 1;
        struct fy_node_pair *pair;
        void *at = NULL;
        int r = 0;

        ret->kind = DOC_MAP;
        ret->keys = calloc(count, sizeof(*ret->keys));
        ret->items = calloc(count, sizeof(*ret->items));
        if (!ret->keys || !ret->items)
                return -ENOMEM;
        while (r == 0 && (pair = fy_node_mapping_iterate(from, &at))) {
                size_t i = ret->n++;

                r = copy(c, fy_node_pair_key(pair), ret, depth, &ret->keys[i]);
                if (r == 0 && ret->keys[i].kind != DOC_SCALAR)
                        r = refuse(c, &ret->keys[i], "a key must be a word");
                if (r == 0)
                        r = copy(c, fy_node_pair_value(pair), &ret->keys[i], depth,
                                 &ret->items[i]);
        }
        return r;
}

static void place_by_content(struct doc_node *node) {
        const struct doc_node *first =
                node->kind == DOC_MAP ? &node->keys[0] : &node->items[0];

        node->line = first->line;
        node->column = first->column;
}

/* `from` may be NULL: a key without a value. A list or map has no place of its own in
 * the library; it gets that of its key or, in a list, of what it begins with. */
static int copy(struct copier *c, struct fy_node *from, const struct doc_node *parent,
                unsigned depth, struct doc_node *ret) {
        const struct fy_mark *mark;
        int r;

        *ret = (struct doc_node){ .line = parent->line,
                                  .column = parent->column,
                                  .text = "" };
        if (!from)
                return 0;
        if (fy_node_get_type(from) == FYNT_SCALAR) {
                mark = fy_token_start_mark(fy_node_get_scalar_token(from));
                if (mark && mark->line >= 0) {
                        ret->line = mark->line + 1;
                        ret->column = mark->column + 1;
                }
        }
        if (++c->n_nodes > NODES_MAX || depth > DEPTH_MAX)
                return refuse(c, ret, "too much, or nested too deep");
        if (fy_node_is_alias(from))
                return refuse(c, ret, "anchors and aliases are not understood here");
        switch (fy_node_get_type(from)) {
        case FYNT_SCALAR:
                return copy_scalar(c, from, ret);
        case FYNT_SEQUENCE:
                r = copy_list(c, from, depth + 1, ret);
                break;
        default:
                r = copy_map(c, from, depth + 1, ret);
                break;
        }
        if (r == 0 && parent->kind == DOC_LIST && ret->n > 0)
                place_by_content(ret);
        return r;
}

static void add_diagnosis(struct fy_diag *diag, struct text *why, int *ret_line,
                          int *ret_column) {
        void *at = NULL;
        struct fy_diag_error *error = fy_diag_errors_iterate(diag, &at);

        *ret_line = error && error->line > 0 ? error->line : 1;
        *ret_column = error && error->column > 0 ? error->column : 1;
        text_add(why, "not YAML: ");
        text_add(why, error && error->msg ? error->msg : "cannot be parsed");
}

static struct fy_document *build(const char *text, size_t n, struct text *why,
                                 int *ret_line, int *ret_column) {
        struct fy_diag_cfg diag_cfg;
        struct fy_parse_cfg cfg = { .flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG };
        struct fy_document *document;

        fy_diag_cfg_default(&diag_cfg);
        diag_cfg.fp = NULL;
        cfg.diag = fy_diag_create(&diag_cfg);
        if (!cfg.diag)
                return NULL;
        fy_diag_set_collect_errors(cfg.diag, true);
        document = fy_document_build_from_string(&cfg, text, n);
        if (!document)
                add_diagnosis(cfg.diag, why, ret_line, ret_column);
        fy_diag_destroy(cfg.diag);
        return document;
}

/* Nothing but blanks and comments: the library has no document for that. */
static bool is_blank(const char *text, size_t n) {
        bool in_comment = false;

        for (size_t i = 0; i < n; i++) {
                if (text[i] == '\n')
                        in_comment = false;
                else if (text[i] == '#')
                        in_comment = true;
                else if (!in_comment && text[i] != ' ' && text[i] != '\t' &&
                         text[i] != '\r')
                        return false;
        }
        return true;
}

/* The bytes of the character at s[0], or 0 when it is none. */
static size_t character(const char *s, size_t n) {
        for (size_t k = 1; k <= 4 && k <= n; k++)
                if (text_is_utf8(s, k))
                        return k;
        return 0;
}

/* libfyaml never comes back from some texts that are not UTF-8, such as "%\xff". */
static bool is_utf8(const char *text, size_t n, struct text *why, int *ret_line,
                    int *ret_column) {
        int line = 1, column = 1;

        for (size_t at = 0; at < n; column++) {
                size_t k = character(text + at, n - at);

                if (k == 0) {
                        text_add(why, "not YAML: a byte that is not UTF-8");
                        *ret_line = line;
                        *ret_column = column;
                        return false;
                }
                if (text[at] == '\n') {
                        line++;
                        column = 0;
                }
                at += k;
        }
        return true;
}

int doc_parse(const char *text, size_t n, struct doc **ret, struct text *why,
              int *ret_line, int *ret_column) {
        struct doc *doc = calloc(1, sizeof(*doc));
        struct doc_node top = { .line = 1, .column = 1, .text = "" };
        struct copier c = { .why = why };
        struct fy_document *document;
        int r;

        if (!is_utf8(text, n, why, ret_line, ret_column)) {
                free(doc);
                return DOC_REFUSED;
        }
        if (!doc)
                return -ENOMEM;
        doc->root = top;
        if (is_blank(text, n)) {
                *ret = doc;
                return 0;
        }
        document = build(text, n, why, ret_line, ret_column);
        if (!document) {
                doc_free(doc);
                return why->n > 0 ? DOC_REFUSED : -ENOMEM;
        }
        r = copy(&c, fy_document_root(document), &top, 0, &doc->root);
        fy_document_destroy(document);
        if (r == 0) {
                *ret = doc;
                return 0;
        }
        if (r > 0) {
                *ret_line = c.line;
                *ret_column = c.column;
        }
        doc_free(doc);
        return r;
}

struct doc *doc_free(struct doc *doc) {
        if (doc) {
                free_children(&doc->root);
                free(doc);
        }
        return NULL;
}

const struct doc_node *doc_root(const struct doc *doc) {
        return &doc->root;
}

const struct doc_node *doc_get(const struct doc_node *map, const char *key) {
        if (map && map->kind == DOC_MAP)
                for (size_t i = 0; i < map->n; i++)
                        if (strcmp(map->keys[i].text, key) == 0)
                                return &map->items[i];
        return NULL;
}
