/* SPDX-License-Identifier: MIT */
/* Aligned text for lists of moderate length. */
#ifndef CLB_CLBCTL_TABLE_H
#define CLB_CLBCTL_TABLE_H

#include "lib/object.h"

struct clb_table;

/**
 * struct clb_column - one column of a table of objects
 * @heading: its first line
 * @field: name of the field shown, or NULL: the caller fills the cell
 */
struct clb_column {
	const char *heading;
	const char *field;
};

/* Return: a table, or NULL; columns are ended by one without a heading */
struct clb_table *clb_table_new(const struct clb_column *columns,
				const struct clb_object *object);

/* Adds a row for @object; cells that have no field stay empty. */
void clb_table_add(struct clb_table *table, const void *object);

/* Fills a cell of the row added last. */
void clb_table_set(struct clb_table *table, unsigned int column,
		   const char *text);

/* Prints the table and frees it. Return: 0 or -ENOMEM */
int clb_table_print(struct clb_table *table);

/* Prints the fields that are present, one a line; zeros only if @zeros. */
void clb_fields_print(const struct clb_object *object, const void *value,
		      bool zeros);

#endif /* CLB_CLBCTL_TABLE_H */
