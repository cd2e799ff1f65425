// SPDX-License-Identifier: MIT
/* Orders of the parent to its children. */
#include "clbd/order.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
};

static int send_order(int socket, struct clbd_order *order, const char *address,
		      int fd)
{
	struct iovec iov = { .iov_base = order, .iov_len = sizeof(*order) };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	union control control;

	if (address)
		snprintf(order->address, sizeof(order->address), "%s", address);
	if (fd >= 0) {
		memset(&control, 0, sizeof(control));
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	}
	return sendmsg(socket, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int clbd_order_send(int socket, enum clbd_order_kind kind, const char *address,
		    int fd)
{
	struct clbd_order order = { .kind = kind };

	return send_order(socket, &order, address, fd);
}

int clbd_order_tell(int socket, enum clbd_order_kind kind, const char *address,
		    uint64_t number)
{
	struct clbd_order order = { .kind = kind, .number = number };

	return send_order(socket, &order, address, -1);
}

int clbd_order_receive(int socket, struct clbd_order *order, int *fd)
{
	struct iovec iov = { .iov_base = order, .iov_len = sizeof(*order) };
	union control control;
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};
	struct cmsghdr *header;
	ssize_t n;

	if (fd) {
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
		*fd = -1;
	}
	do {
		n = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n != sizeof(*order))
		return -EPIPE;
	header = fd ? CMSG_FIRSTHDR(&message) : NULL;
	if (header && header->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(header), sizeof(*fd));
	order->address[sizeof(order->address) - 1] = 0;
	return 1;
}
