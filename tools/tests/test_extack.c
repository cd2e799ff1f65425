// SPDX-License-Identifier: MIT
/* Errors as the kernel writes them, and as an enemy would. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>

#include "clbctl/clbctl.h"
#include "test.h"

struct reply {
	_Alignas(8) uint8_t bytes[1024];
	struct nlmsghdr *nlh;
};

/* nlmsghdr | error | nlmsghdr of the request; attributes may follow. */
static void reply_begin(struct reply *reply, int32_t code, uint16_t flags)
{
	struct nlmsgerr *error;

	memset(reply->bytes, 0, sizeof(reply->bytes));
	reply->nlh = mnl_nlmsg_put_header(reply->bytes);
	reply->nlh->nlmsg_type = NLMSG_ERROR;
	reply->nlh->nlmsg_flags = flags;
	error = mnl_nlmsg_put_extra_header(reply->nlh, sizeof(*error));
	error->error = code;
	error->msg.nlmsg_len = 100;
}

static int parse(const struct reply *reply, const struct nlmsghdr *sent,
		 struct clb_error *error)
{
	return clb_extack_parse(reply->bytes, reply->nlh->nlmsg_len, sent,
				sent ? sent->nlmsg_len : 0, error);
}

/* server add tcp 192.0.2.1:80 10.0.0.1 weight 5 */
static struct nlmsghdr *request(uint8_t *buffer, size_t size)
{
	struct clb_message message = { .command = CLB_CMD_SERVER_ADD };

	clb_message_add(&message, CLB_A_LISTENER);
	clb_message_add(&message, CLB_A_SERVER);
	message.listener.present = 1 << CLB_LISTENER_A_PROTOCOL |
				   1 << CLB_LISTENER_A_PORT;
	message.listener.protocol = 6;
	message.listener.port = 80;
	message.server.present = 1 << CLB_SERVER_A_WEIGHT;
	message.server.weight = 5;
	return clb_message_build(buffer, size, &message, 33, 0, 1);
}

static void codes(void **state)
{
	struct clb_error error = { .code = 4711 };
	struct reply reply;

	(void)state;
	reply_begin(&reply, 0, NLM_F_CAPPED);
	assert_int_equal(parse(&reply, NULL, &error), 0);
	assert_int_equal(error.code, 4711);

	reply_begin(&reply, -EEXIST, NLM_F_CAPPED);
	assert_int_equal(parse(&reply, NULL, &error), -EEXIST);
	assert_int_equal(error.code, -EEXIST);
	assert_string_equal(error.message, "");
	assert_null(error.nest);

	reply_begin(&reply, 5, NLM_F_CAPPED);
	assert_int_equal(parse(&reply, NULL, &error), -EBADMSG);
	/* no errno of Linux, and its negative is no int */
	reply_begin(&reply, INT32_MIN, NLM_F_CAPPED);
	assert_int_equal(parse(&reply, NULL, &error), -EBADMSG);
	reply_begin(&reply, -4096, NLM_F_CAPPED);
	assert_int_equal(parse(&reply, NULL, &error), -EBADMSG);
	reply_begin(&reply, -4095, NLM_F_CAPPED);
	assert_int_equal(parse(&reply, NULL, &error), -4095);
	reply.nlh->nlmsg_type = 33;
	assert_int_equal(parse(&reply, NULL, &error), -EBADMSG);
}

/* Every attribute of the request is named when its offset is given. */
static void offsets(void **state)
{
	static const struct {
		size_t offset;
		const char *text;
	} cases[] = {
		{ 20, "Invalid argument: no (attribute listener)" },
		{ 24, "Invalid argument: no (attribute listener protocol)" },
		{ 32, "Invalid argument: no (attribute listener port)" },
		{ 40, "Invalid argument: no (attribute server)" },
		{ 44, "Invalid argument: no (attribute weight)" },
		{ 0, "Invalid argument: no" },
		{ 52, "Invalid argument: no" },
		{ 0xffffffff, "Invalid argument: no" },
	};
	struct clb_message about = { .command = CLB_CMD_SERVER_ADD };
	_Alignas(8) uint8_t buffer[256];
	struct nlmsghdr *sent = request(buffer, sizeof(buffer));
	struct clb_error error;
	struct reply reply;
	char text[256];
	size_t i;

	(void)state;
	assert_int_equal(sent->nlmsg_len, 52);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		reply_begin(&reply, -EINVAL, NLM_F_CAPPED | NLM_F_ACK_TLVS);
		mnl_attr_put_strz(reply.nlh, NLMSGERR_ATTR_MSG, "no");
		mnl_attr_put_u32(reply.nlh, NLMSGERR_ATTR_OFFS,
				 cases[i].offset);
		assert_int_equal(parse(&reply, sent, &error), -EINVAL);
		clb_error_format(&error, &about, text, sizeof(text));
		assert_string_equal(text, cases[i].text);
	}
}

static void missing(void **state)
{
	struct clb_message about = { .command = CLB_CMD_SERVER_ADD };
	_Alignas(8) uint8_t buffer[256];
	struct nlmsghdr *sent = request(buffer, sizeof(buffer));
	struct clb_error error;
	struct reply reply;
	char text[256];

	(void)state;
	reply_begin(&reply, -EINVAL, NLM_F_CAPPED | NLM_F_ACK_TLVS);
	mnl_attr_put_u32(reply.nlh, NLMSGERR_ATTR_MISS_TYPE,
			 CLB_SERVER_A_ADDRESS);
	mnl_attr_put_u32(reply.nlh, NLMSGERR_ATTR_MISS_NEST, 40);
	assert_int_equal(parse(&reply, sent, &error), -EINVAL);
	clb_error_format(&error, &about, text, sizeof(text));
	assert_string_equal(text,
			    "Invalid argument (missing attribute address)");

	reply_begin(&reply, -EINVAL, NLM_F_CAPPED | NLM_F_ACK_TLVS);
	mnl_attr_put_u32(reply.nlh, NLMSGERR_ATTR_MISS_TYPE, CLB_A_LISTENER);
	assert_int_equal(parse(&reply, sent, &error), -EINVAL);
	clb_error_format(&error, &about, text, sizeof(text));
	assert_string_equal(text,
			    "Invalid argument (missing attribute listener)");
}

static void range(void **state)
{
	struct clb_message about = { .command = CLB_CMD_SERVER_ADD };
	_Alignas(8) uint8_t buffer[256];
	struct nlmsghdr *sent = request(buffer, sizeof(buffer));
	struct clb_error error;
	struct nlattr *nest;
	struct reply reply;
	char text[256];

	(void)state;
	reply_begin(&reply, -ERANGE, NLM_F_CAPPED | NLM_F_ACK_TLVS);
	mnl_attr_put_u32(reply.nlh, NLMSGERR_ATTR_OFFS, 44);
	nest = mnl_attr_nest_start(reply.nlh, NLMSGERR_ATTR_POLICY);
	mnl_attr_put_u64(reply.nlh, NL_POLICY_TYPE_ATTR_MIN_VALUE_U, 0);
	mnl_attr_put_u64(reply.nlh, NL_POLICY_TYPE_ATTR_MAX_VALUE_U, 1000);
	mnl_attr_nest_end(reply.nlh, nest);
	assert_int_equal(parse(&reply, sent, &error), -ERANGE);
	clb_error_format(&error, &about, text, sizeof(text));
	assert_string_equal(text,
			    "Numerical result out of range (attribute weight, 0 to 1000)");
}

static void hints(void **state)
{
	static const struct {
		int code;
		const char *text;
	} cases[] = {
		{ -EPERM, "Operation not permitted: needs CAP_NET_ADMIN in this network namespace" },
		{ -EBUSY, "Device or resource busy: another process has a transaction open" },
		{ -ENOENT, "No such file or directory" },
	};
	struct clb_message about = { .command = CLB_CMD_BEGIN };
	struct clb_error error = { 0 };
	char text[256];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		error.code = cases[i].code;
		clb_error_format(&error, &about, text, sizeof(text));
		assert_string_equal(text, cases[i].text);
	}
}

/* The request is repeated in the answer where NETLINK_CAP_ACK is not set. */
static void not_capped(void **state)
{
	_Alignas(8) uint8_t buffer[256];
	struct nlmsghdr *sent = request(buffer, sizeof(buffer));
	struct clb_error error;
	struct nlmsgerr *head;
	struct reply reply;

	(void)state;
	reply_begin(&reply, -EINVAL, NLM_F_ACK_TLVS);
	head = mnl_nlmsg_get_payload(reply.nlh);
	memcpy(&head->msg, sent, sent->nlmsg_len);
	reply.nlh->nlmsg_len += sent->nlmsg_len - sizeof(*sent);
	mnl_attr_put_u32(reply.nlh, NLMSGERR_ATTR_OFFS, 44);
	assert_int_equal(parse(&reply, sent, &error), -EINVAL);
	assert_string_equal(error.attribute, "weight");
}

/* Whatever is cut off or changed: bounds hold, and no success appears. */
static void hostile(void **state)
{
	_Alignas(8) uint8_t buffer[256];
	struct nlmsghdr *sent = request(buffer, sizeof(buffer));
	struct reply reply;
	struct clb_error error;
	size_t length, cut, i;
	uint8_t *copy;
	int flip;

	(void)state;
	reply_begin(&reply, -EINVAL, NLM_F_CAPPED | NLM_F_ACK_TLVS);
	mnl_attr_put_strz(reply.nlh, NLMSGERR_ATTR_MSG, "a message");
	mnl_attr_put_u32(reply.nlh, NLMSGERR_ATTR_OFFS, 44);
	mnl_attr_put_u32(reply.nlh, NLMSGERR_ATTR_MISS_TYPE, 2);
	mnl_attr_put_u32(reply.nlh, NLMSGERR_ATTR_MISS_NEST, 40);
	length = reply.nlh->nlmsg_len;
	for (cut = 0; cut < length; cut++) {
		copy = malloc(cut + 1);
		assert_non_null(copy);
		memcpy(copy, reply.bytes, cut);
		assert_int_equal(clb_extack_parse(copy, cut, sent,
						  sent->nlmsg_len, &error),
				 -EBADMSG);
		free(copy);
	}
	for (cut = NLMSG_HDRLEN + sizeof(struct nlmsgerr); cut < length;
	     cut++) {
		copy = malloc(cut);
		assert_non_null(copy);
		memcpy(copy, reply.bytes, cut);
		((struct nlmsghdr *)copy)->nlmsg_len = cut;
		assert_int_equal(clb_extack_parse(copy, cut, sent,
						  sent->nlmsg_len, &error),
				 -EINVAL);
		free(copy);
	}
	for (i = 0; i < length; i++) {
		for (flip = 1; flip < 256; flip++) {
			copy = malloc(length);
			assert_non_null(copy);
			memcpy(copy, reply.bytes, length);
			copy[i] ^= flip;
			assert_int_not_equal(clb_extack_parse(copy, length,
							      sent,
							      sent->nlmsg_len,
							      &error), 0);
			free(copy);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes),
		cmocka_unit_test(offsets),
		cmocka_unit_test(missing),
		cmocka_unit_test(range),
		cmocka_unit_test(hints),
		cmocka_unit_test(not_capped),
		cmocka_unit_test(hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
