// SPDX-License-Identifier: MIT
/*
 * Host routes in a table of their own. No rule leads to the table: the routes
 * are there for a routing daemon to learn, not for packets.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include "clb-announce/announce.h"

/* By which a route is known as one of ours: "proto 197". */
#define PROTOCOL 197

/*
 * Larger than what the kernel gives where none is said. The routing daemon's
 * filters know standby routes by it.
 */
#define STANDBY_METRIC 2048

struct dump {
	uint32_t table;
	struct addresses present;
	struct addresses standby;
};

/* What is changed: routes of one metric; 0: whatever the kernel gives. */
struct kind {
	uint32_t table;
	uint32_t metric;
	const char *text;
	bool quiet;
	bool again;
};

static uint32_t number_of(const struct nlmsghdr *nlh, uint16_t type,
			  uint32_t otherwise)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct rtmsg)) {
		if (mnl_attr_get_type(attr) == type &&
		    !mnl_attr_validate(attr, MNL_TYPE_U32))
			return mnl_attr_get_u32(attr);
	}
	return otherwise;
}

static int take_route(const struct nlmsghdr *nlh, void *context)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(nlh);
	struct dump *dump = context;
	struct addresses *set = &dump->present;
	const struct nlattr *attr;

	if (nlh->nlmsg_type != RTM_NEWROUTE ||
	    route->rtm_protocol != PROTOCOL ||
	    number_of(nlh, RTA_TABLE, route->rtm_table) != dump->table)
		return MNL_CB_OK;
	if (number_of(nlh, RTA_PRIORITY, 0) == STANDBY_METRIC)
		set = &dump->standby;
	mnl_attr_for_each(attr, nlh, sizeof(*route)) {
		struct clb_address address = {
			.length = mnl_attr_get_payload_len(attr),
		};

		if (mnl_attr_get_type(attr) != RTA_DST ||
		    address.length > sizeof(address.bytes))
			continue;
		memcpy(address.bytes, mnl_attr_get_payload(attr),
		       address.length);
		if (addresses_add(set, &address)) {
			errno = ENOMEM;
			return MNL_CB_ERROR;
		}
	}
	return MNL_CB_OK;
}

/* What is left of an answer would be taken for one to the next request. */
static int break_off(struct mnl_socket *socket)
{
	int err = -errno;
	char byte;

	while (recv(mnl_socket_get_fd(socket), &byte, sizeof(byte),
		    MSG_DONTWAIT) >= 0 ||
	       errno == ENOBUFS || errno == EINTR)
		;
	return err;
}

/* Sends a request and reads until it is answered. */
static int talk(struct mnl_socket *socket, struct nlmsghdr *nlh, mnl_cb_t take,
		void *context)
{
	static uint32_t seq;
	char buffer[32768];
	ssize_t length;
	int more;

	nlh->nlmsg_seq = ++seq;
	if (mnl_socket_sendto(socket, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	do {
		length = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
		if (length < 0)
			return break_off(socket);
		more = mnl_cb_run(buffer, length, nlh->nlmsg_seq,
				  mnl_socket_get_portid(socket), take, context);
	} while (more > 0);
	return more < 0 ? break_off(socket) : 0;
}

static struct rtmsg *route_message(struct nlmsghdr *nlh, uint16_t type,
				   uint16_t flags, uint8_t family,
				   uint32_t table)
{
	struct rtmsg *route;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	route = mnl_nlmsg_put_extra_header(nlh, sizeof(*route));
	route->rtm_family = family;
	mnl_attr_put_u32(nlh, RTA_TABLE, table);
	return route;
}

static int list(struct mnl_socket *socket, uint8_t family, struct dump *dump)
{
	char buffer[256];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	int err;

	route_message(nlh, RTM_GETROUTE, NLM_F_DUMP, family, dump->table);
	err = talk(socket, nlh, take_route, dump);
	/* no route was ever in the table */
	return err == -ENOENT ? 0 : err;
}

static int change(struct mnl_socket *socket, uint16_t type, uint16_t flags,
		  const struct kind *kind, const struct clb_address *address)
{
	char buffer[256];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	struct rtmsg *route;

	route = route_message(nlh, type, NLM_F_ACK | flags,
			      address->length == 4 ? AF_INET : AF_INET6,
			      kind->table);
	route->rtm_dst_len = 8 * address->length;
	route->rtm_protocol = PROTOCOL;
	route->rtm_scope = RT_SCOPE_UNIVERSE;
	route->rtm_type = RTN_BLACKHOLE;
	mnl_attr_put(nlh, RTA_DST, address->length, address->bytes);
	if (kind->metric)
		mnl_attr_put_u32(nlh, RTA_PRIORITY, kind->metric);
	return talk(socket, nlh, NULL, NULL);
}

static int say(const char *what, const struct kind *kind,
	       const struct clb_address *address, int err)
{
	char text[CLB_ADDRESS_TEXT];

	clb_address_format(address, text);
	if (err && kind->again)
		return err;
	if (err)
		fprintf(stderr, "clb-announce: cannot %s %s%s: %s\n", what, text,
			kind->text, strerror(-err));
	else if (!kind->quiet)
		fprintf(stderr, "clb-announce: %s %s%s\n", what, text,
			kind->text);
	return err;
}

/*
 * Goes on after a failure and tells of the last one. All of ours are in
 * @present: a route that is there all the same is somebody else's, and stays.
 */
static int apply(struct mnl_socket *socket, const struct kind *kind,
		 const struct addresses *present, const struct addresses *set)
{
	const struct clb_address *address;
	int err, failed = 0;
	size_t i;

	for (i = 0; i < present->count; i++) {
		address = &present->list[i];
		if (addresses_have(set, address))
			continue;
		err = change(socket, RTM_DELROUTE, 0, kind, address);
		if (say("withdraw", kind, address, err))
			failed = err;
	}
	for (i = 0; i < set->count; i++) {
		address = &set->list[i];
		if (addresses_have(present, address))
			continue;
		err = change(socket, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL,
			     kind, address);
		if (say("announce", kind, address, err))
			failed = err;
	}
	return failed;
}

static int apply_all(struct mnl_socket *socket, const struct dump *dump,
		     const struct wanted *wanted, bool quiet, bool again)
{
	const struct kind own = {
		.table = dump->table, .text = "", .quiet = quiet,
		.again = again,
	};
	const struct kind standby = {
		.table = dump->table, .metric = STANDBY_METRIC,
		.text = " as standby", .quiet = quiet, .again = again,
	};
	static const struct wanted nothing;
	int err, failed;

	if (!wanted)
		wanted = &nothing;
	failed = apply(socket, &own, &dump->present, &wanted->set);
	err = apply(socket, &standby, &dump->standby, &wanted->standby);
	return err ? err : failed;
}

int routes_apply(struct mnl_socket *socket, uint32_t table,
		 const struct wanted *wanted, bool quiet, bool again)
{
	struct dump dump = { .table = table };
	int err;

	err = list(socket, AF_INET, &dump);
	if (!err)
		err = list(socket, AF_INET6, &dump);
	if (err)
		fprintf(stderr, "clb-announce: cannot list routes: %s\n",
			strerror(-err));
	else
		err = apply_all(socket, &dump, wanted, quiet, again);
	addresses_free(&dump.present);
	addresses_free(&dump.standby);
	return err;
}
