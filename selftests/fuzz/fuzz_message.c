// SPDX-License-Identifier: MIT
/*
 * tools/lib/message.c: attributes as a kernel, or who plays one, sends them.
 * What was parsed and built again must parse to the same.
 *
 * Input: the command, then the attributes.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/genetlink.h>
#include <linux/netlink.h>

#include "clbctl/format.h"
#include "lib/message.h"

#define HEAD (NLMSG_HDRLEN + GENL_HDRLEN)

static void must(bool condition)
{
	if (!condition)
		abort();
}

static void print_all(const struct clb_message *message)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	must(file);
	clb_command_print(file, message);
	fclose(file);
	free(text);
}

static void build_again(const struct clb_message *message)
{
	_Alignas(8) static uint8_t buffer[1 << 17];
	struct clb_message again;
	struct nlmsghdr *nlh;

	nlh = clb_message_build(buffer, sizeof(buffer), message, 33, 0, 1);
	if (!nlh)
		return;
	must(!clb_message_parse(message->command, buffer + HEAD,
				nlh->nlmsg_len - HEAD, &again));
	must((again.present & ~message->present) == 0);
	must(again.n_acl_entries == message->n_acl_entries);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct clb_message message;
	uint8_t *copy;

	if (!size)
		return 0;
	/* netlink aligns messages; a copy ends where they do */
	copy = malloc(size);
	if (!copy)
		abort();
	memcpy(copy, data + 1, size - 1);
	/* objects that are not in it stay so, and nobody looks at them */
	memset(&message, 0x5a, sizeof(message));
	if (!clb_message_parse(data[0], copy, size - 1, &message)) {
		struct clb_acl_entry *entries;

		entries = calloc(message.n_acl_entries + 1, sizeof(*entries));
		must(entries);
		clb_message_acl_entries(&message, entries);
		message.acl_entries = entries;
		print_all(&message);
		build_again(&message);
		free(entries);
	}
	free(copy);
	return 0;
}
