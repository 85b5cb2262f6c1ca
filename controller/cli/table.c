/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "controller/cli/table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "openvswitch/dynamic-string.h"
#include "svec.h"
#include "util.h"

struct table {
    size_t n_cols;
    struct svec headings;       /* Without ">". */
    bool *right;                /* Per column. */
    struct svec cells;          /* Row after row. */
};

static const char absent[] = "-";

struct table *
table_create(const char *headings)
{
    struct table *t = xzalloc(sizeof *t);
    char *copy = xstrdup(headings);
    char *save = NULL;

    svec_init(&t->headings);
    svec_init(&t->cells);
    for (char *h = strtok_r(copy, "|", &save); h;
         h = strtok_r(NULL, "|", &save)) {
        t->right = xrealloc(t->right, (t->n_cols + 1) * sizeof *t->right);
        t->right[t->n_cols++] = *h == '>';
        svec_add(&t->headings, h + (*h == '>'));
    }
    free(copy);
    return t;
}

static void
table_destroy(struct table *t)
{
    svec_destroy(&t->headings);
    svec_destroy(&t->cells);
    free(t->right);
    free(t);
}

void
table_cell(struct table *t, const char *text)
{
    svec_add(&t->cells, text ? text : absent);
}

void
table_cellf(struct table *t, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    svec_add_nocopy(&t->cells, xvasprintf(format, args));
    va_end(args);
}

void
table_number(struct table *t, bool present, long long int value)
{
    if (present) {
        table_cellf(t, "%lld", value);
    } else {
        table_cell(t, NULL);
    }
}

void
table_blank(struct table *t, size_t n)
{
    while (n--) {
        svec_add(&t->cells, "");
    }
}

/* Columns on the screen: UTF-8's continuation bytes take none. */
static size_t
text_width(const char *s)
{
    size_t n = 0;

    for (; *s; s++) {
        n += (*s & 0xc0) != 0x80;
    }
    return n;
}

/* How wide each column is; 0 if it says nothing. */
static size_t *
measure(const struct table *t)
{
    size_t *widths = xcalloc(t->n_cols, sizeof *widths);

    for (size_t i = 0; i < t->cells.n; i++) {
        const char *cell = t->cells.names[i];
        size_t *w = &widths[i % t->n_cols];

        if (*cell && strcmp(cell, absent)) {
            *w = MAX(*w, MAX(text_width(cell),
                             text_width(t->headings.names[i % t->n_cols])));
        }
    }
    return widths;
}

static void
format_row(const struct table *t, const size_t *widths, char *const *cells,
           size_t n, size_t indent, struct ds *ds)
{
    bool first = true;

    ds_put_char_multiple(ds, ' ', indent);
    for (size_t i = 0; i < n; i++) {
        if (!widths[i]) {
            continue;
        }
        size_t pad = widths[i] - text_width(cells[i]);
        if (!first) {
            ds_put_cstr(ds, "  ");
        }
        first = false;
        if (t->right[i]) {
            ds_put_char_multiple(ds, ' ', pad);
        }
        ds_put_cstr(ds, cells[i]);
        if (!t->right[i]) {
            ds_put_char_multiple(ds, ' ', pad);
        }
    }
    while (ds_chomp(ds, ' ')) {
        continue;
    }
    ds_put_char(ds, '\n');
}

void
table_finish(struct table *t, size_t indent, const char *none, struct ds *ds)
{
    size_t *widths = measure(t);

    if (t->cells.n) {
        format_row(t, widths, t->headings.names, t->n_cols, indent, ds);
    } else if (none) {
        ds_put_char_multiple(ds, ' ', indent);
        ds_put_format(ds, "%s\n", none);
    }
    for (size_t i = 0; i < t->cells.n; i += t->n_cols) {
        format_row(t, widths, &t->cells.names[i],
                   MIN(t->n_cols, t->cells.n - i), indent, ds);
    }
    free(widths);
    table_destroy(t);
}
