/*
 * Cells are kept until the last is there, because the widths are known only then.
 */
#include "cli/table.h"

#include <stdlib.h>

enum { GAP = 2 };

/* Characters, given valid UTF-8: all bytes but those that continue one. */
static size_t width_of(const char *s) {
        size_t n = 0;

        for (; *s; s++)
                n += ((unsigned char)*s & 0xc0) != 0x80;
        return n;
}

static bool make_room(struct table *table) {
        size_t room = table->room ? table->room * 2 : 64;
        char **cells;

        if (table->n_cells < table->room)
                return true;
        cells = realloc(table->cells, room * sizeof(*cells));
        if (!cells)
                return false;
        table->cells = cells;
        table->room = room;
        return true;
}

void table_cell(struct table *table, const char *s) {
        struct text cell = { 0 };
        size_t *width = &table->widths[table->n_cells % table->n_columns];

        if (!s || !*s)
                s = "-";
        text_printable(&cell, s, strlen(s));
        if (table->failed || cell.failed || !make_room(table)) {
                table->failed = true;
                text_done(&cell);
                return;
        }
        table->cells[table->n_cells++] = cell.s;
        *width = max_u64(*width, width_of(cell.s));
}

void table_init(struct table *table, const char *const *headings) {
        *table = (struct table){ 0 };
        while (headings[table->n_columns])
                table->n_columns++;
        assert(table->n_columns > 0 && table->n_columns <= TABLE_COLUMNS_MAX);
        for (size_t i = 0; i < table->n_columns; i++)
                table_cell(table, headings[i]);
}

void table_done(struct table *table) {
        for (size_t i = 0; i < table->n_cells; i++)
                free(table->cells[i]);
        free(table->cells);
        *table = (struct table){ 0 };
}

bool table_is_empty(const struct table *table) {
        return table->n_cells < 2 * table->n_columns;
}

void table_format(const struct table *table, struct text *out) {
        size_t n_rows = table->n_cells / table->n_columns;

        out->failed |= table->failed;
        for (size_t i = 0; i < n_rows * table->n_columns; i++) {
                size_t column = i % table->n_columns;

                text_add(out, table->cells[i]);
                if (column + 1 == table->n_columns) {
                        text_char(out, '\n');
                        continue;
                }
                for (size_t n = width_of(table->cells[i]);
                     n < table->widths[column] + GAP; n++)
                        text_char(out, ' ');
        }
}
