#pragma once
/*
 * A table for a terminal: columns as wide as their widest cell, counted in characters
 * and not in bytes; the last one is not padded. Cells may hold a stranger's bytes:
 * they are made printable here. Pure.
 */
#include "base/text.h"

enum { TABLE_COLUMNS_MAX = 10 };

struct table {
        size_t n_columns, n_cells, room; /* cells: row by row, headings first */
        char **cells;
        size_t widths[TABLE_COLUMNS_MAX];
        bool failed; /* out of memory: nothing more is added */
};

/* `headings` ends with NULL. */
void table_init(struct table *table, const char *const *headings);
void table_done(struct table *table);

/* The next cell from left to right; NULL and "" are shown as "-". */
void table_cell(struct table *table, const char *s);
bool table_is_empty(const struct table *table); /* but for its headings */
/* Complete rows only. */
void table_format(const struct table *table, struct text *out);
