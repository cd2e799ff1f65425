// SPDX-License-Identifier: MIT
/* Building and parsing of messages; every truncation, many mutations. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/genetlink.h>
#include <linux/netlink.h>

#include "lib/attribute.h"
#include "lib/message.h"
#include "test.h"

#define HEAD (NLMSG_HDRLEN + GENL_HDRLEN)

static void fill(const struct clb_object *object, void *value)
{
	struct clb_address address = { .length = 16 };
	size_t i;

	for (i = 0; i < object->n_fields; i++) {
		const struct clb_field *field = &object->fields[i];

		memset(address.bytes, 0x20 + i, sizeof(address.bytes));
		if (field->type == CLB_TYPE_ADDRESS)
			clb_field_set_address(field, value, &address);
		else
			clb_field_set(field, value, clb_field_max(field) - i);
	}
}

/* A message with every object there is. */
static void fill_message(struct clb_message *message,
			 struct clb_acl_entry entries[2])
{
	uint16_t attr;

	memset(message, 0, sizeof(*message));
	memset(entries, 0, 2 * sizeof(*entries));
	message->command = CLB_CMD_LISTENER_ADD;
	for (attr = CLB_A_LISTENER; attr <= CLB_A_MAX; attr++) {
		void *object = clb_message_object(message, attr);

		if (object)
			fill(clb_object_find(attr), object);
		if (clb_object_find(attr))
			clb_message_add(message, attr);
	}
	fill(&clb_acl_entry_object, &entries[0]);
	fill(&clb_acl_entry_object, &entries[1]);
	entries[1].prefix = 7;
	message->acl_entries = entries;
	message->n_acl_entries = 2;
}

/* All of its own so that ASan sees a byte too much being read. */
static uint8_t *copy_of(const void *bytes, size_t length)
{
	uint8_t *copy = malloc(length ? length : 1);

	assert_non_null(copy);
	memcpy(copy, bytes, length);
	return copy;
}

static size_t build_all(uint8_t *buffer, size_t size,
			struct clb_message *message,
			struct clb_acl_entry entries[2])
{
	struct nlmsghdr *nlh;

	fill_message(message, entries);
	nlh = clb_message_build(buffer, size, message, 33, NLM_F_ACK, 77);
	return nlh ? nlh->nlmsg_len : 0;
}

static void round_trip(void **state)
{
	struct clb_message sent, got = { 0 };
	struct clb_acl_entry entries[2], parsed[2];
	_Alignas(8) uint8_t buffer[4096];
	const struct nlmsghdr *nlh = (void *)buffer;
	size_t length;
	uint16_t attr;

	(void)state;
	length = build_all(buffer, sizeof(buffer), &sent, entries);
	assert_in_range(length, HEAD, sizeof(buffer));
	assert_int_equal(nlh->nlmsg_type, 33);
	assert_int_equal(nlh->nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
	assert_int_equal(nlh->nlmsg_seq, 77);
	assert_int_equal(buffer[NLMSG_HDRLEN], CLB_CMD_LISTENER_ADD);
	assert_int_equal(buffer[NLMSG_HDRLEN + 1], CLB_GENL_VERSION);

	assert_int_equal(clb_message_parse(buffer[NLMSG_HDRLEN], buffer + HEAD,
					   length - HEAD, &got), 0);
	assert_int_equal(got.command, sent.command);
	assert_int_equal(got.present, sent.present);
	for (attr = CLB_A_LISTENER; attr <= CLB_A_MAX; attr++)
		if (clb_message_object(&sent, attr))
			assert_memory_equal(clb_message_object(&got, attr),
					    clb_message_object(&sent, attr),
					    clb_object_find(attr)->size);
	assert_int_equal(got.n_acl_entries, 2);
	clb_message_acl_entries(&got, parsed);
	assert_memory_equal(parsed, entries, sizeof(entries));
}

/* A buffer that is too small is noticed, whatever its size. */
static void build_bounds(void **state)
{
	struct clb_acl_entry entries[2];
	_Alignas(8) uint8_t buffer[4096];
	struct clb_message message;
	size_t size, length;
	uint8_t *exact;

	(void)state;
	length = build_all(buffer, sizeof(buffer), &message, entries);
	for (size = 0; size < length; size++) {
		exact = malloc(size ? size : 1);
		assert_non_null(exact);
		assert_int_equal(build_all(exact, size, &message, entries), 0);
		free(exact);
	}
}

static void truncated(void **state)
{
	struct clb_message sent, got;
	struct clb_acl_entry entries[2];
	_Alignas(8) uint8_t buffer[4096];
	size_t length, cut;
	int whole = 0;

	(void)state;
	length = build_all(buffer, sizeof(buffer), &sent, entries) - HEAD;
	for (cut = 0; cut < length; cut++) {
		uint8_t *copy = copy_of(buffer + HEAD, cut);
		int err;

		err = clb_message_parse(1, copy, cut, &got);
		if (err)
			assert_int_equal(err, -EBADMSG);
		else
			whole++;	/* cut between two attributes */
		free(copy);
	}
	assert_in_range(whole, 1, 32);
}

/* Each byte takes every value: parsed or refused, but nothing in between. */
static void mutated(void **state)
{
	struct clb_acl_entry entries[2], *parsed;
	struct clb_message sent, got;
	_Alignas(8) uint8_t buffer[4096];
	size_t length, i;
	unsigned int flip;

	(void)state;
	length = build_all(buffer, sizeof(buffer), &sent, entries) - HEAD;
	for (i = 0; i < length; i++) {
		for (flip = 1; flip < 256; flip += flip < 8 ? 1 : 31) {
			uint8_t *copy = copy_of(buffer + HEAD, length);

			copy[i] ^= flip;
			if (!clb_message_parse(1, copy, length, &got)) {
				parsed = calloc(got.n_acl_entries + 1,
						sizeof(*parsed));
				assert_non_null(parsed);
				clb_message_acl_entries(&got, parsed);
				free(parsed);
			}
			free(copy);
		}
	}
}

static void attribute_cases(void **state)
{
	static const struct {
		const char *what;
		uint8_t bytes[16];
		size_t length;
		int first;	/* result of the first call */
		size_t left;	/* after it */
	} cases[] = {
		{ "nothing", { 0 }, 0, 0, 0 },
		{ "short head", { 4, 0, 1 }, 3, -EBADMSG, 3 },
		{ "length 0", { 0, 0, 1, 0 }, 4, -EBADMSG, 4 },
		{ "length 3", { 3, 0, 1, 0 }, 4, -EBADMSG, 4 },
		{ "too long", { 5, 0, 1, 0 }, 4, -EBADMSG, 4 },
		{ "empty", { 4, 0, 1, 0 }, 4, 1, 0 },
		{ "unpadded end", { 5, 0, 1, 0, 9 }, 5, 1, 0 },
		{ "half padded", { 5, 0, 1, 0, 9, 0 }, 6, 1, 0 },
		{ "padded", { 5, 0, 1, 0, 9, 0, 0, 0, 4, 0, 2, 0 }, 12, 1, 4 },
		{ "rest too short", { 4, 0, 1, 0, 1 }, 5, 1, 1 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t *copy = copy_of(cases[i].bytes, cases[i].length);
		struct clb_walk walk = { copy, cases[i].length };
		struct clb_attribute attribute = { .type = 4711 };
		int result = clb_attribute_next(&walk, &attribute);

		if (result != cases[i].first || walk.left != cases[i].left)
			fail_msg("%s: %d, %zu", cases[i].what, result,
				 walk.left);
		assert_int_equal(attribute.type, result == 1 ? 1 : 4711);
		free(copy);
	}
}

/* Sizes the interface does not have; attributes it may get one day. */
static void sizes(void **state)
{
	static const uint8_t u8_as_u16[] = {
		10, 0, CLB_A_LISTENER, 0x80,
		6, 0, CLB_LISTENER_A_PROTOCOL, 0, 6, 0,
	};
	static const uint8_t address_5[] = {
		13, 0, CLB_A_LISTENER, 0x80,
		9, 0, CLB_LISTENER_A_ADDRESS, 0, 1, 2, 3, 4, 5,
	};
	static const uint8_t generation_2[] = {
		6, 0, CLB_A_GENERATION, 0, 1, 0,
	};
	static const uint8_t unknown[] = {
		5, 0, 200, 0, 1, 0, 0, 0,
		12, 0, CLB_A_SERVER, 0x80, 5, 0, 100, 0, 1, 0, 0, 0,
	};
	struct clb_message got;

	(void)state;
	assert_int_equal(clb_message_parse(1, u8_as_u16, sizeof(u8_as_u16),
					   &got), -EBADMSG);
	assert_int_equal(clb_message_parse(1, address_5, sizeof(address_5),
					   &got), -EBADMSG);
	assert_int_equal(clb_message_parse(1, generation_2,
					   sizeof(generation_2), &got),
			 -EBADMSG);
	assert_int_equal(clb_message_parse(1, unknown, sizeof(unknown), &got),
			 0);
	assert_int_equal(got.present, 1 << CLB_A_SERVER);
	assert_int_equal(got.server.present, 0);
}

/* Ports travel in network order, numbers in that of the host. */
static void byte_order(void **state)
{
	static const uint8_t bytes[] = {
		20, 0, CLB_A_SERVER, 0x80,
		6, 0, CLB_SERVER_A_PORT, 0, 0x1f, 0x90, 0, 0,
		6, 0, CLB_SERVER_A_WEIGHT, 0, 0, 0, 0, 0,
	};
	uint8_t message[sizeof(bytes)];
	uint16_t weight = 258;
	struct clb_message got;

	(void)state;
	memcpy(message, bytes, sizeof(bytes));
	memcpy(message + 16, &weight, sizeof(weight));
	assert_int_equal(clb_message_parse(1, message, sizeof(message), &got),
			 0);
	assert_int_equal(got.server.port, 8080);
	assert_int_equal(got.server.weight, 258);
}

/* Each attribute of the interface but the padding has a field. */
static void tables_complete(void **state)
{
	static const struct {
		const struct clb_object *object;
		unsigned int max;
		unsigned int pad;
	} objects[] = {
		{ &clb_listener_object, CLB_LISTENER_A_MAX,
		  CLB_LISTENER_A_PAD },
		{ &clb_server_object, CLB_SERVER_A_MAX, CLB_SERVER_A_PAD },
		{ &clb_acl_entry_object, CLB_ACL_A_MAX, 0 },
		{ &clb_local_address_object, CLB_LOCAL_ADDRESS_A_MAX, 0 },
		{ &clb_settings_object, CLB_SETTINGS_A_MAX, 0 },
		{ &clb_session_object, CLB_SESSION_A_MAX, 0 },
		{ &clb_stats_object, CLB_STATS_A_MAX, CLB_STATS_A_PAD },
	};
	unsigned int attr;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(objects); i++) {
		const struct clb_object *object = objects[i].object;

		assert_ptr_equal(clb_object_find(object->attr), object);
		for (attr = 1; attr <= objects[i].max; attr++)
			if (attr != objects[i].pad &&
			    !clb_field_find(object, attr))
				fail_msg("%s: no field for attribute %u",
					 object->name, attr);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(build_bounds),
		cmocka_unit_test(truncated),
		cmocka_unit_test(mutated),
		cmocka_unit_test(attribute_cases),
		cmocka_unit_test(sizes),
		cmocka_unit_test(byte_order),
		cmocka_unit_test(tables_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
