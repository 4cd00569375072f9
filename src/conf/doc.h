#pragma once
/*
 * A YAML document as a tree of nodes that know their place, over libfyaml: what the
 * configuration and the recipes are read with. Nodes belong to their document; the
 * strings too.
 */
#include "base/text.h"

enum doc_kind { DOC_NULL, DOC_SCALAR, DOC_LIST, DOC_MAP };

struct doc_node {
        enum doc_kind kind;
        int line, column;       /* from 1 */
        const char *text;       /* SCALAR: terminated; "" otherwise */
        size_t n;               /* bytes of text; items of a LIST; pairs of a MAP */
        bool is_quoted;         /* SCALAR in quotes: a string, whatever it looks like */
        struct doc_node *keys;  /* MAP */
        struct doc_node *items; /* LIST, and the values of a MAP */
};

enum doc_answer { DOC_REFUSED = 1 };

struct doc;

/* DOC_REFUSED: not YAML; what and where is in `why`, and *ret_line, *ret_column. An
 * empty text is a DOC_NULL. -ENOMEM. */
MUST_USE int doc_parse(const char *text, size_t n, struct doc **ret, struct text *why,
                       int *ret_line, int *ret_column);
struct doc *doc_free(struct doc *doc);
const struct doc_node *doc_root(const struct doc *doc);
/* The value of a key, or NULL. */
const struct doc_node *doc_get(const struct doc_node *map, const char *key);
