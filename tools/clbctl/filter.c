// SPDX-License-Identifier: MIT
#include <errno.h>

#include "filter.h"

static int parse_listener(struct clb_args *args, struct clb_message *message)
{
	if (clb_message_has(message, CLB_A_LISTENER))
		return clb_args_fail(args, "listener is given twice");
	clb_message_add(message, CLB_A_LISTENER);
	return clb_args_listener(args, &message->listener);
}

static int parse_server(struct clb_args *args, struct clb_message *message)
{
	if (clb_message_has(message, CLB_A_SERVER))
		return clb_args_fail(args, "server is given twice");
	clb_message_add(message, CLB_A_SERVER);
	return clb_args_server(args, &message->server);
}

static const struct clb_field *session_field(enum clb_session_attr attr)
{
	return clb_field_find(&clb_session_object, attr);
}

static int parse_client(struct clb_args *args, struct clb_message *message)
{
	const struct clb_field *address_field =
		session_field(CLB_SESSION_A_CLIENT_ADDRESS);
	const char *word = clb_args_take(args);
	struct clb_address address;
	bool has_port;
	uint16_t port;

	if (clb_field_present(address_field, &message->session))
		return clb_args_fail(args, "client is given twice");
	if (!word)
		return clb_args_fail(args, "client: ADDRESS[:PORT] missing");
	if (clb_endpoint_parse(word, &address, &port, &has_port))
		return clb_args_fail(args,
				     "client: '%.60s' is not ADDRESS[:PORT]",
				     word);
	clb_message_add(message, CLB_A_SESSION);
	clb_field_set_address(address_field, &message->session, &address);
	/* Port "all" is no filter. */
	if (port)
		clb_field_set(session_field(CLB_SESSION_A_CLIENT_PORT),
			      &message->session, port);
	return 0;
}

static int parse_state(struct clb_args *args, struct clb_message *message)
{
	const struct clb_field *state = session_field(CLB_SESSION_A_STATE);

	if (clb_field_present(state, &message->session))
		return clb_args_fail(args, "state is given twice");
	clb_message_add(message, CLB_A_SESSION);
	return clb_args_value(args, state, &message->session);
}

int clb_filter_parse(struct clb_args *args, struct clb_message *message)
{
	static const char *const names[] = {
		"listener", "server", "client", "state",
	};
	static int (*const parsers[])(struct clb_args *args,
				      struct clb_message *message) = {
		parse_listener, parse_server, parse_client, parse_state,
	};
	const char *word;
	int i;

	while ((word = clb_args_take(args))) {
		i = clb_args_match(args, word, "keyword", names,
				   sizeof(names) / sizeof(names[0]));
		if (i < 0 || parsers[i](args, message))
			return -EINVAL;
	}
	return 0;
}
