/* SPDX-License-Identifier: MIT */
/* Messages of the "clb" family: built from and parsed into one struct. */
#ifndef CLB_LIB_MESSAGE_H
#define CLB_LIB_MESSAGE_H

#include "object.h"

struct nlmsghdr;

/**
 * struct clb_message - a command, a reply or an event
 * @command: enum clb_cmd
 * @present: bit CLB_A_x is set where the message has that attribute
 * @acl_entries: entries to send; where a message was parsed, NULL: take them
 *	with clb_message_acl_entries()
 * @n_acl_entries: their number, in both cases
 * @attributes: where a message was parsed, its bytes: they are the caller's
 *	buffer and live as long as that
 * @length: of @attributes
 */
struct clb_message {
	uint8_t command;
	uint32_t present;
	uint32_t generation;
	struct clb_listener listener;
	struct clb_server server;
	struct clb_local_address local_address;
	struct clb_settings settings;
	struct clb_session session;
	struct clb_stats stats;
	struct clb_sync sync;
	struct clb_sync_peer sync_peer;
	struct clb_acl_entry *acl_entries;
	size_t n_acl_entries;
	const void *attributes;
	size_t length;
};

static inline bool clb_message_has(const struct clb_message *message,
				   enum clb_attr attr)
{
	return message->present & 1U << attr;
}

static inline void clb_message_add(struct clb_message *message,
				   enum clb_attr attr)
{
	message->present |= 1U << attr;
}

/**
 * clb_message_object() - the place of an object in a message
 * @message: any
 * @attr: CLB_A_LISTENER, CLB_A_SERVER and so on, but not CLB_A_ACL_ENTRY
 *
 * Return: pointer to the object's struct, or NULL
 */
void *clb_message_object(struct clb_message *message, uint16_t attr);

/**
 * clb_message_parse() - decode the attributes of a message
 * @command: from the generic netlink header
 * @attributes: the bytes behind that header
 * @length: their number
 * @out: result; without meaning on failure. Attributes this library does not
 *	know are left out; objects that are not in the message have nothing
 *	present, and else no meaning.
 *
 * Pure: no allocation, no side effects.
 *
 * Return: 0, or -EBADMSG where an attribute is cut short or has a wrong size
 */
int clb_message_parse(uint8_t command, const void *attributes, size_t length,
		      struct clb_message *out);

/**
 * clb_message_acl_entries() - decode the ACL entries of a parsed message
 * @message: as clb_message_parse() left it
 * @entries: room for message->n_acl_entries
 */
void clb_message_acl_entries(const struct clb_message *message,
			     struct clb_acl_entry *entries);

/**
 * clb_object_parse() - decode the attributes inside the nest of an object
 * @object: what it is
 * @data: the nest's payload
 * @length: its size
 * @out: struct of @object; without meaning on failure
 *
 * Return: 0 or -EBADMSG
 */
int clb_object_parse(const struct clb_object *object, const void *data,
		     size_t length, void *out);

/**
 * clb_message_build() - encode a message
 * @buffer: where to, aligned for a struct nlmsghdr
 * @size: its size
 * @message: what to say
 * @type: netlink message type, the id of the family
 * @flags: NLM_F_x
 * @sequence: number by which the answer is known
 *
 * Return: the message at the start of @buffer, or NULL where it has no room
 */
struct nlmsghdr *clb_message_build(void *buffer, size_t size,
				   const struct clb_message *message,
				   uint16_t type, uint16_t flags,
				   uint32_t sequence);

#endif /* CLB_LIB_MESSAGE_H */
