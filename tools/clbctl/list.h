/* SPDX-License-Identifier: MIT */
/* Objects the kernel lists, collected and sorted. */
#ifndef CLB_CLBCTL_LIST_H
#define CLB_CLBCTL_LIST_H

#include "clbctl.h"

/* One object of a listing, and the listener it belongs to. */
struct clb_item {
	struct clb_listener listener;
	union {
		struct clb_server server;
		struct clb_acl_entry acl_entry;
		struct clb_local_address local_address;
		struct clb_sync_peer sync_peer;
	};
};

struct clb_list {
	struct clb_item *items;
	size_t count;
	size_t size;
};

/**
 * clb_list_get() - list the objects of a GET command, sorted by key
 * @context: socket; opened where it is not yet
 * @request: command and filters
 * @list: result, for clb_list_free()
 *
 * Starts again where the objects change meanwhile, a few times.
 *
 * Return: enum clb_exit; errors have been reported
 */
int clb_list_get(struct clb_context *context,
		 const struct clb_message *request, struct clb_list *list);

void clb_list_free(struct clb_list *list);

/* The order of a list of servers, for bsearch() in it. */
int clb_item_compare_servers(const void *a, const void *b);

#endif /* CLB_CLBCTL_LIST_H */
