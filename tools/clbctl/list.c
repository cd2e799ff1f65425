// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "list.h"

#define RETRIES 5

/* Makes room for @n more. Return: the first of them, or NULL */
static struct clb_item *list_grow(struct clb_list *list, size_t n)
{
	size_t size = list->size ? list->size : 64;
	struct clb_item *items;

	while (size < list->count + n)
		size *= 2;
	if (size > list->size) {
		items = realloc(list->items, size * sizeof(*items));
		if (!items)
			return NULL;
		list->items = items;
		list->size = size;
	}
	memset(list->items + list->count, 0, n * sizeof(*items));
	return list->items + list->count;
}

static int list_add_acl(struct clb_list *list,
			const struct clb_message *message)
{
	size_t i, n = message->n_acl_entries;
	struct clb_acl_entry *entries;
	struct clb_item *items;

	if (!n)
		return 0;
	entries = calloc(n, sizeof(*entries));
	items = list_grow(list, n);
	if (!entries || !items) {
		free(entries);
		return -ENOMEM;
	}
	clb_message_acl_entries(message, entries);
	for (i = 0; i < n; i++) {
		if (clb_message_has(message, CLB_A_LISTENER))
			items[i].listener = message->listener;
		items[i].acl_entry = entries[i];
	}
	list->count += n;
	free(entries);
	return 0;
}

static int list_add(const struct clb_message *message, void *context)
{
	struct clb_list *list = context;
	struct clb_item *item;

	if (clb_message_has(message, CLB_A_ACL_ENTRY))
		return list_add_acl(list, message);
	item = list_grow(list, 1);
	if (!item)
		return -ENOMEM;
	if (clb_message_has(message, CLB_A_LISTENER))
		item->listener = message->listener;
	if (clb_message_has(message, CLB_A_SERVER))
		item->server = message->server;
	else if (clb_message_has(message, CLB_A_LOCAL_ADDRESS))
		item->local_address = message->local_address;
	else if (clb_message_has(message, CLB_A_SYNC_PEER))
		item->sync_peer = message->sync_peer;
	list->count++;
	return 0;
}

static int listener_compare(const struct clb_listener *a,
			    const struct clb_listener *b)
{
	int order = a->protocol - b->protocol;

	if (!order)
		order = clb_address_compare(&a->address, &b->address);
	return order ? order : a->port - b->port;
}

int clb_item_compare_servers(const void *a, const void *b)
{
	const struct clb_item *x = a, *y = b;
	int order = listener_compare(&x->listener, &y->listener);

	if (!order)
		order = clb_address_compare(&x->server.address,
					    &y->server.address);
	return order ? order : x->server.port - y->server.port;
}

static int acl_compare(const void *a, const void *b)
{
	const struct clb_item *x = a, *y = b;
	int order = listener_compare(&x->listener, &y->listener);

	if (!order)
		order = clb_address_compare(&x->acl_entry.address,
					    &y->acl_entry.address);
	return order ? order : x->acl_entry.prefix - y->acl_entry.prefix;
}

static int local_compare(const void *a, const void *b)
{
	const struct clb_item *x = a, *y = b;

	return clb_address_compare(&x->local_address.address,
				   &y->local_address.address);
}

static int peer_compare(const void *a, const void *b)
{
	const struct clb_item *x = a, *y = b;

	return x->sync_peer.node - y->sync_peer.node;
}

static int item_compare(const void *a, const void *b)
{
	const struct clb_item *x = a, *y = b;

	return listener_compare(&x->listener, &y->listener);
}

static void list_sort(struct clb_list *list, enum clb_cmd command)
{
	int (*compare)(const void *, const void *) = item_compare;

	if (command == CLB_CMD_SERVER_GET)
		compare = clb_item_compare_servers;
	else if (command == CLB_CMD_ACL_GET)
		compare = acl_compare;
	else if (command == CLB_CMD_LOCAL_ADDRESS_GET)
		compare = local_compare;
	else if (command == CLB_CMD_SYNC_PEER_GET)
		compare = peer_compare;
	if (list->count)
		qsort(list->items, list->count, sizeof(*list->items), compare);
}

int clb_list_get(struct clb_context *context,
		 const struct clb_message *request, struct clb_list *list)
{
	struct clb_error error;
	int tries, err, status;

	memset(list, 0, sizeof(*list));
	status = clb_context_open(context);
	if (status)
		return status;
	for (tries = 0; tries < RETRIES; tries++) {
		list->count = 0;
		err = clb_client_dump(context->client, request, list_add, list,
				      &error);
		if (err <= 0)
			break;
	}
	if (err < 0) {
		clb_list_free(list);
		return clb_report_error(context, request, &error);
	}
	if (err)
		fputs("clbctl: warning: the configuration keeps changing, the list may be incomplete\n",
		      stderr);
	list_sort(list, request->command);
	return CLB_EXIT_OK;
}

void clb_list_free(struct clb_list *list)
{
	free(list->items);
	memset(list, 0, sizeof(*list));
}
