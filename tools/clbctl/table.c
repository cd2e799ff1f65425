// SPDX-License-Identifier: MIT
#include <errno.h>
#include <libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>

#include "table.h"

#define COLUMNS_MAX 16

struct clb_table {
	struct libscols_table *scols;
	struct libscols_line *line;
	const struct clb_field *fields[COLUMNS_MAX];
	unsigned int n_columns;
	bool failed;
};

static bool is_number(const struct clb_field *field)
{
	return field && (field->format == CLB_FORMAT_NUMBER ||
			 field->format == CLB_FORMAT_SCALED);
}

static void add_column(struct clb_table *table, const char *heading,
		       const struct clb_field *field)
{
	int flags = is_number(field) ? SCOLS_FL_RIGHT : 0;

	table->fields[table->n_columns++] = field;
	if (!scols_table_new_column(table->scols, heading, 0, flags))
		table->failed = true;
}

struct clb_table *clb_table_new(const struct clb_column *columns,
				const struct clb_object *object)
{
	struct clb_table *table = calloc(1, sizeof(*table));
	const struct clb_column *column;

	if (!table)
		return NULL;
	table->scols = scols_new_table();
	if (!table->scols) {
		free(table);
		return NULL;
	}
	/* A value is never cut short, be the terminal as narrow as it is. */
	scols_table_set_termforce(table->scols, SCOLS_TERMFORCE_NEVER);
	for (column = columns; column->heading; column++)
		add_column(table, column->heading, column->field ?
			   clb_field_find_name(object, column->field) : NULL);
	return table;
}

void clb_table_set(struct clb_table *table, unsigned int column,
		   const char *text)
{
	if (!table->line ||
	    scols_line_set_data(table->line, column, text))
		table->failed = true;
}

void clb_table_add(struct clb_table *table, const void *object)
{
	char text[CLB_ADDRESS_TEXT];
	unsigned int i;

	table->line = scols_table_new_line(table->scols, NULL);
	for (i = 0; i < table->n_columns; i++) {
		if (!table->fields[i])
			continue;
		clb_field_format(table->fields[i], object, text);
		clb_table_set(table, i, text);
	}
}

int clb_table_print(struct clb_table *table)
{
	bool failed = table->failed || scols_print_table(table->scols);

	scols_unref_table(table->scols);
	free(table);
	return failed ? -ENOMEM : 0;
}

void clb_fields_print(const struct clb_object *object, const void *value,
		      bool zeros)
{
	char text[CLB_ADDRESS_TEXT];
	size_t i;

	for (i = 0; i < object->n_fields; i++) {
		const struct clb_field *field = &object->fields[i];

		if (!clb_field_present(field, value) ||
		    (!zeros && !clb_field_get(field, value)))
			continue;
		clb_field_format(field, value, text);
		printf("%-20s %s\n", field->name, text);
	}
}
