/* SPDX-License-Identifier: MIT */
/* What the kernel has of one kind, as a table or as JSON. */
#ifndef CLB_CLBCTL_VIEW_H
#define CLB_CLBCTL_VIEW_H

#include "format.h"
#include "list.h"
#include "table.h"

/**
 * struct clb_view - how objects of one kind are shown
 * @object: their kind
 * @offset: of the object in struct clb_item
 * @of_listener: JSON names the listener that it belongs to
 * @json: the fields that go into JSON
 * @columns: of the table
 * @fill: fills the columns that have no field, or NULL
 */
struct clb_view {
	const struct clb_object *object;
	size_t offset;
	bool of_listener;
	enum clb_json json;
	const struct clb_column *columns;
	void (*fill)(struct clb_table *table, const struct clb_item *item);
};

/* Show what answers a GET command. Return: enum clb_exit; errors reported */
int clb_view_list(struct clb_context *context,
		  const struct clb_message *request,
		  const struct clb_view *view);
int clb_view_one(struct clb_context *context,
		 const struct clb_message *request,
		 const struct clb_view *view);

/* Fill columns from 0 on: the listener; the listener and the server. */
void clb_view_fill_listener(struct clb_table *table,
			    const struct clb_item *item);
void clb_view_fill_server(struct clb_table *table,
			  const struct clb_item *item);

#endif /* CLB_CLBCTL_VIEW_H */
