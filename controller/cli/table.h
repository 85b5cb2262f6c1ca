/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_CLI_TABLE_H
#define CONTROLLER_CLI_TABLE_H 1

/* Aligned tables for people.
 *
 * A table has a heading and rows of text, columns two spaces apart.  Columns in
 * which no row has anything to say are left out, so a table never shows what
 * isn't used.  A heading that starts with ">" makes its column right-aligned,
 * for numbers.  A cell that is absent is "-" where it would be missed, and
 * blank where the row goes on with what the row above said. */

#include <stdbool.h>
#include <stddef.h>
#include "openvswitch/compiler.h"

struct ds;
struct table;

/* 'headings' are separated by "|". */
struct table *table_create(const char *headings);

/* The next cell of the row, from left to right; the row begins with its first
 * cell and ends when all columns have one.  NULL: absent. */
void table_cell(struct table *, const char *text);
void table_cellf(struct table *, const char *format, ...)
    OVS_PRINTF_FORMAT(2, 3);
void table_number(struct table *, bool present, long long int);
/* Blank cells, 'n' of them. */
void table_blank(struct table *, size_t n);

/* Appends the table, each line after 'indent' spaces, and destroys it.  If it
 * has no rows, appends 'none' instead, or nothing if that is NULL. */
void table_finish(struct table *, size_t indent, const char *none,
                  struct ds *);

#endif /* controller/cli/table.h */
