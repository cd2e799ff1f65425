// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>

#include "view.h"

static const void *object_of(const struct clb_view *view,
			     const struct clb_item *item)
{
	return (const char *)item + view->offset;
}

static json_t *json_of(const struct clb_view *view,
		       const struct clb_item *item)
{
	const void *object = object_of(view, item);

	if (view->of_listener)
		return clb_object_json_of(view->object, object, view->json,
					  &item->listener);
	return clb_object_json(view->object, object, view->json);
}

static void print_json(const struct clb_view *view,
		       const struct clb_list *list)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < list->count; i++)
		json_array_append_new(array, json_of(view, &list->items[i]));
	clb_json_print(array);
}

static int print_table(const struct clb_view *view,
		       const struct clb_list *list)
{
	struct clb_table *table = clb_table_new(view->columns, view->object);
	size_t i;

	if (!table)
		return -ENOMEM;
	for (i = 0; i < list->count; i++) {
		clb_table_add(table, object_of(view, &list->items[i]));
		if (view->fill)
			view->fill(table, &list->items[i]);
	}
	return clb_table_print(table);
}

int clb_view_list(struct clb_context *context,
		  const struct clb_message *request,
		  const struct clb_view *view)
{
	struct clb_list list;
	int status;

	status = clb_list_get(context, request, &list);
	if (status)
		return status;
	if (context->json)
		print_json(view, &list);
	else if (print_table(view, &list))
		status = CLB_EXIT_REFUSED;
	clb_list_free(&list);
	return status;
}

int clb_view_one(struct clb_context *context,
		 const struct clb_message *request,
		 const struct clb_view *view)
{
	struct clb_message reply = { 0 };
	char text[2 * CLB_ADDRESS_TEXT];
	struct clb_error error;
	struct clb_item item;
	int status;

	status = clb_context_open(context);
	if (status)
		return status;
	if (clb_client_request(context->client, request, &reply, &error))
		return clb_report_error(context, request, &error);
	item = (struct clb_item){ .listener = request->listener };
	if (clb_message_has(&reply, CLB_A_SERVER))
		item.server = reply.server;
	else
		item.listener = reply.listener;
	if (context->json) {
		clb_json_print(json_pack("[o]", json_of(view, &item)));
		return CLB_EXIT_OK;
	}
	if (view->of_listener) {
		clb_listener_format(&item.listener, text, sizeof(text));
		printf("%-20s %s\n", "listener", text);
	}
	clb_fields_print(view->object, object_of(view, &item), true);
	return CLB_EXIT_OK;
}

void clb_view_fill_listener(struct clb_table *table,
			    const struct clb_item *item)
{
	char text[2 * CLB_ADDRESS_TEXT];

	clb_listener_format(&item->listener, text, sizeof(text));
	clb_table_set(table, 0, text);
}

void clb_view_fill_server(struct clb_table *table,
			  const struct clb_item *item)
{
	char text[CLB_ADDRESS_TEXT];

	clb_view_fill_listener(table, item);
	clb_server_format(&item->server, text);
	clb_table_set(table, 1, text);
}
