// SPDX-License-Identifier: GPL-2.0
/*
 * The socket of session sync: UDP, bound to the device to the other nodes,
 * in their multicast group. The one thread sends, the other receives.
 */
#include <linux/in.h>
#include <linux/net.h>
#include <linux/netdevice.h>
#include <linux/sockptr.h>
#include <net/sock.h>

#include "sync_engine.h"

#define RECEIVE_BUFFER (4 * 1024 * 1024)

union address {
	struct sockaddr		any;
	struct sockaddr_in	v4;
	struct sockaddr_in6	v6;
};

/* All addresses of the host if @group is NULL. Returns its length. */
static int address_fill(const struct clb_sync *sync, union address *address,
			const union nf_inet_addr *group)
{
	const struct clb_sync_config *config = &sync->config;

	memset(address, 0, sizeof(*address));
	if (config->family == NFPROTO_IPV4) {
		address->v4.sin_family = AF_INET;
		address->v4.sin_port = config->port;
		address->v4.sin_addr.s_addr = group ? group->ip :
						      htonl(INADDR_ANY);
		return sizeof(address->v4);
	}
	address->v6.sin6_family = AF_INET6;
	address->v6.sin6_port = config->port;
	address->v6.sin6_scope_id = config->ifindex;
	if (group)
		address->v6.sin6_addr = group->in6;
	return sizeof(address->v6);
}

static int option_set(struct socket *sock, int level, int option,
		      const void *value, unsigned int len)
{
	return sock->ops->setsockopt(sock, level, option,
				     KERNEL_SOCKPTR((void *)value), len);
}

static int int_set(struct socket *sock, int level, int option, int value)
{
	return option_set(sock, level, option, &value, sizeof(value));
}

static int join4(struct socket *sock, const struct clb_sync_config *config)
{
	const struct ip_mreqn group = {
		.imr_multiaddr.s_addr = config->group.ip,
		.imr_ifindex = config->ifindex,
	};

	return int_set(sock, SOL_IP, IP_MULTICAST_TTL, config->ttl) ?:
	       int_set(sock, SOL_IP, IP_MULTICAST_LOOP, 0) ?:
	       int_set(sock, SOL_IP, IP_MULTICAST_ALL, 0) ?:
	       option_set(sock, SOL_IP, IP_MULTICAST_IF, &group,
			  sizeof(group)) ?:
	       option_set(sock, SOL_IP, IP_ADD_MEMBERSHIP, &group,
			  sizeof(group));
}

static int join6(struct socket *sock, const struct clb_sync_config *config)
{
	const struct ipv6_mreq group = {
		.ipv6mr_multiaddr = config->group.in6,
		.ipv6mr_ifindex = config->ifindex,
	};

	return int_set(sock, SOL_IPV6, IPV6_V6ONLY, 1) ?:
	       int_set(sock, SOL_IPV6, IPV6_MULTICAST_HOPS, config->ttl) ?:
	       int_set(sock, SOL_IPV6, IPV6_MULTICAST_LOOP, 0) ?:
	       int_set(sock, SOL_IPV6, IPV6_MULTICAST_ALL, 0) ?:
	       int_set(sock, SOL_IPV6, IPV6_MULTICAST_IF, config->ifindex) ?:
	       option_set(sock, SOL_IPV6, IPV6_ADD_MEMBERSHIP, &group,
			  sizeof(group));
}

static int socket_prepare(struct clb_sync *sync)
{
	const struct clb_sync_config *config = &sync->config;
	struct socket *sock = sync->sock;
	union address address;
	int len, err;

	sock_set_rcvbuf(sock->sk, RECEIVE_BUFFER);
	err = sock_bindtoindex(sock->sk, config->ifindex, true);
	if (err)
		return err;
	err = config->family == NFPROTO_IPV4 ? join4(sock, config) :
					       join6(sock, config);
	if (err)
		return err;
	len = address_fill(sync, &address, NULL);
	return kernel_bind(sock, &address.any, len);
}

/* The device must be there, and says what fits into a packet. */
static int device_check(struct clb_sync *sync, struct netlink_ext_ack *extack)
{
	struct clb_sync_config *config = &sync->config;
	const struct net_device *dev;
	int err = 0;

	rcu_read_lock();
	dev = dev_get_by_index_rcu(sync->cn->net, config->ifindex);
	if (!dev) {
		NL_SET_ERR_MSG(extack, "no such device");
		err = -ENODEV;
	} else if (!(dev->flags & IFF_MULTICAST)) {
		NL_SET_ERR_MSG(extack, "device has no multicast");
		err = -EOPNOTSUPP;
	} else if (!config->mtu) {
		config->mtu = clamp_t(unsigned int, READ_ONCE(dev->mtu),
				      CLB_SYNC_MTU_MIN, CLB_SYNC_MTU_MAX);
	}
	rcu_read_unlock();
	return err;
}

/**
 * clb_sync_socket_open() - be heard by the other nodes, and hear them
 * @sync: sync, its configuration set; an MTU of 0 becomes that of the device
 * @extack: says what is wrong
 *
 * Return: 0 or a negative errno.
 * Context: process; may sleep; takes RTNL.
 */
int clb_sync_socket_open(struct clb_sync *sync,
			 struct netlink_ext_ack *extack)
{
	int family = sync->config.family == NFPROTO_IPV4 ? AF_INET : AF_INET6;
	int err;

	err = device_check(sync, extack);
	if (err)
		return err;
	err = sock_create_kern(sync->cn->net, family, SOCK_DGRAM, IPPROTO_UDP,
			       &sync->sock);
	/* so it says that there is no memory for one */
	if (err == -ENFILE)
		return -ENOMEM;
	if (err)
		return err;
	err = socket_prepare(sync);
	if (!err)
		return 0;
	if (err == -EADDRINUSE)
		NL_SET_ERR_MSG(extack, "the port is in use");
	else
		NL_SET_ERR_MSG(extack, "cannot join the group on this device");
	clb_sync_socket_close(sync);
	return err;
}

/**
 * clb_sync_socket_close() - the reverse of clb_sync_socket_open()
 * @sync: sync; nobody uses the socket
 *
 * Context: process; may sleep.
 */
void clb_sync_socket_close(struct clb_sync *sync)
{
	sock_release(sync->sock);
	sync->sock = NULL;
}

/**
 * clb_sync_socket_send() - send a datagram to all
 * @sync: sync
 * @data: the datagram
 * @len: its length
 *
 * Return: 0 or a negative errno; without room in the socket it is lost.
 * Context: process.
 */
int clb_sync_socket_send(struct clb_sync *sync, u8 *data, unsigned int len)
{
	struct kvec vec = { .iov_base = data, .iov_len = len };
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
	union address address;
	int ret;

	msg.msg_namelen = address_fill(sync, &address, &sync->config.group);
	msg.msg_name = &address;
	ret = kernel_sendmsg(sync->sock, &msg, &vec, 1, len);
	return ret < 0 ? ret : 0;
}

static void address_take(struct clb_sync *sync, const union address *address)
{
	memset(&sync->from, 0, sizeof(sync->from));
	if (sync->config.family == NFPROTO_IPV4)
		sync->from.ip = address->v4.sin_addr.s_addr;
	else
		sync->from.in6 = address->v6.sin6_addr;
}

/**
 * clb_sync_socket_receive() - wait for a datagram
 * @sync: sync; the datagram is put into @sync->in, its source into
 *	@sync->from
 * @flags: MSG_DONTWAIT or 0
 *
 * Return: its length, more than there is room for if it was cut; 0 also when
 *	the socket is being closed; -EAGAIN: there is none, with early ones that
 *	wait after a jiffy; or another negative errno.
 * Context: process; may sleep.
 */
int clb_sync_socket_receive(struct clb_sync *sync, int flags)
{
	struct kvec vec = {
		.iov_base = sync->in, .iov_len = sizeof(sync->in),
	};
	union address address = {};
	struct msghdr msg = { .msg_name = &address };
	int ret;

	sync->sock->sk->sk_rcvtimeo = sync->early.count ?
				      1 : MAX_SCHEDULE_TIMEOUT;
	ret = kernel_recvmsg(sync->sock, &msg, &vec, 1, sizeof(sync->in),
			     MSG_TRUNC | flags);
	if (ret >= 0)
		address_take(sync, &address);
	return ret;
}
