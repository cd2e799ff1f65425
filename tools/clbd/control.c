// SPDX-License-Identifier: MIT
/* The control socket. Whoever may connect may do all that is said there. */
#include "clbd/control.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "clbd/parent.h"

#define PATIENCE_MS 5000
#define BACKLOG 64

static int new_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

static int name_socket(struct sockaddr_un *address, const char *path)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(address->sun_path))
		return -ENAMETOOLONG;
	strcpy(address->sun_path, path);
	return 0;
}

/* Whether somebody other than @before listens there. */
static bool is_used(int fd, const struct sockaddr_un *address, pid_t before)
{
	socklen_t size = sizeof(struct ucred);
	struct ucred peer;

	if (connect(fd, (const void *)address, sizeof(*address)))
		return errno != ECONNREFUSED;
	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) ||
	       peer.pid != before;
}

/*
 * A place is free if nothing is there, or a socket that some clbd has left
 * behind, or that is @before's. Return: 0 or -errno
 */
static int check_place(const char *path, pid_t before)
{
	struct sockaddr_un address;
	struct stat status;
	int fd, err = name_socket(&address, path);

	if (err)
		return err;
	if (lstat(path, &status))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(status.st_mode))
		return -EEXIST;
	fd = new_socket();
	if (fd < 0)
		return fd;
	err = is_used(fd, &address, before) ? -EADDRINUSE : 0;
	close(fd);
	return err;
}

static int bind_socket(struct clbd_control *control, const char *path)
{
	struct sockaddr_un address;
	struct stat status;
	mode_t mask;
	int err = check_place(path, 0);

	if (err)
		return err;
	unlink(path);
	name_socket(&address, path);
	/* Its owner alone may connect, from the first moment on. */
	mask = umask(0177);
	err = bind(control->fd, (const void *)&address, sizeof(address))
		      ? -errno
		      : 0;
	umask(mask);
	if (err)
		return err;
	if (lstat(path, &status) || listen(control->fd, BACKLOG))
		return -errno;
	control->device = status.st_dev;
	control->inode = status.st_ino;
	return 0;
}

static int open_socket(struct clbd_control *control)
{
	int err;

	control->fd = new_socket();
	if (control->fd < 0)
		return control->fd;
	err = bind_socket(control, control->hidden);
	if (err) {
		close(control->fd);
		control->fd = -1;
	}
	return err;
}

void clbd_control_init(struct clbd_control *control)
{
	unsigned int i;

	memset(control, 0, sizeof(*control));
	control->fd = -1;
	for (i = 0; i < CLBD_CONTROL_PEERS; i++)
		control->peers[i].fd = -1;
}

int clbd_control_open(struct clbd_parent *parent)
{
	pid_t before = parent->upgrade.before >= 0 ? getppid() : 0;
	struct clbd_control *control = &parent->control;
	const char *path = parent->source.config->control;
	int err;

	if (!path)
		return 0;
	control->path = strdup(path);
	if (!control->path ||
	    asprintf(&control->hidden, "%s.%d", path, (int)getpid()) < 0)
		return -ENOMEM;
	err = check_place(path, before);
	if (!err)
		err = open_socket(control);
	if (err)
		fprintf(stderr, "clbd: control: %s: %s\n", path,
			strerror(-err));
	return err;
}

void clbd_control_publish(struct clbd_parent *parent)
{
	struct clbd_control *control = &parent->control;

	if (!control->hidden)
		return;
	if (rename(control->hidden, control->path))
		fprintf(stderr, "clbd: control: %s: %s\n", control->path,
			strerror(errno));
	free(control->hidden);
	control->hidden = NULL;
}

static void close_listener(struct clbd_control *control)
{
	if (control->fd >= 0)
		close(control->fd);
	control->fd = -1;
	free(control->path);
	free(control->hidden);
	control->path = control->hidden = NULL;
}

void clbd_control_hand_over(struct clbd_parent *parent)
{
	clbd_control_tell(parent, CLBD_CONTROL_UPGRADE, NULL);
	close_listener(&parent->control);
}

static void close_peer(struct clbd_control_peer *peer)
{
	if (peer->fd >= 0)
		close(peer->fd);
	free(peer->out);
	memset(peer, 0, sizeof(*peer));
	peer->fd = -1;
}

/* Unless another has taken the place. */
static void remove_file(const struct clbd_control *control)
{
	const char *path = control->hidden ? control->hidden : control->path;
	struct stat status;

	if (control->fd >= 0 && !lstat(path, &status) &&
	    status.st_dev == control->device && status.st_ino == control->inode)
		unlink(path);
}

void clbd_control_close(struct clbd_parent *parent)
{
	struct clbd_control *control = &parent->control;
	unsigned int i;

	for (i = 0; i < CLBD_CONTROL_PEERS; i++)
		close_peer(&control->peers[i]);
	remove_file(control);
	close_listener(control);
}

/* As much as goes now; the end of the answer is that of the connection. */
static void send_answer(struct clbd_control_peer *peer)
{
	ssize_t n = send(peer->fd, peer->out + peer->sent,
			 peer->size - peer->sent, MSG_NOSIGNAL);

	if (n > 0)
		peer->sent += n;
	if ((n < 0 && errno != EAGAIN && errno != EINTR) ||
	    peer->sent == peer->size)
		close_peer(peer);
}

static void put_text(FILE *file, const char *text)
{
	putc('"', file);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putc('\\', file);
		if ((unsigned char)*text < ' ')
			fprintf(file, "\\u%04x", *text);
		else
			putc(*text, file);
	}
	putc('"', file);
}

static void put_workers(FILE *file, const struct clbd_parent *parent)
{
	unsigned int i;

	fputs(",\"workers\":[", file);
	for (i = 0; i < parent->count; i++) {
		fprintf(file, "%s{\"pid\":%d,\"ready\":%s", i ? "," : "",
			(int)parent->workers[i].pid,
			parent->workers[i].ready ? "true" : "false");
		clbd_stats_print(file, &parent->shared->stats[i]);
		putc('}', file);
	}
	putc(']', file);
}

static const char *word_for(const struct clbd_outage *outage)
{
	switch (outage->drain) {
	case CLBD_DRAIN_BOUND:
		return "drain";
	case CLBD_DRAIN_OUT:
		return "drained";
	default:
		return "none";
	}
}

static void put_member(FILE *file, const char *name, const char *text)
{
	if (!text)
		return;
	fprintf(file, ",\"%s\":", name);
	put_text(file, text);
}

/* The first of the rules that check a server so. */
static void put_rule(FILE *file, const struct clbd_config *config,
		     uint64_t check)
{
	uint32_t l, r;

	for (l = 0; l < config->listener_count; l++) {
		const struct clbd_config_listener *listener =
			&config->listeners[l];

		for (r = 0; r < listener->rule_count; r++) {
			const struct clbd_config_rule *rule =
				&listener->rules[r];

			if (!rule->check || rule->check->id != check)
				continue;
			put_member(file, "listener", listener->name);
			put_member(file, "domain", rule->domain);
			put_member(file, "url", rule->url);
			return;
		}
	}
}

static void put_outages(FILE *file, const struct clbd_parent *parent,
			uint64_t now)
{
	unsigned int i;

	fputs(",\"servers\":[", file);
	for (i = 0; i < parent->outage_count; i++) {
		const struct clbd_outage *outage = &parent->outages[i];

		fprintf(file, "%s{\"address\":", i ? "," : "");
		put_text(file, outage->address);
		fprintf(file, ",\"down\":%s,\"drain\":\"%s\"",
			outage->down ? "true" : "false", word_for(outage));
		if (outage->check)
			put_rule(file, parent->source.config, outage->check);
		if (outage->drain == CLBD_DRAIN_BOUND && outage->until > now)
			fprintf(file, ",\"seconds\":%" PRIu64,
				(outage->until - now + 999) / 1000);
		putc('}', file);
	}
	putc(']', file);
}

static void put_status(FILE *file, const struct clbd_parent *parent,
		       uint64_t now)
{
	const struct clbd_stats sum = clbd_stats_sum(parent->shared);

	fputs(",\"version\":\"" CLB_VERSION "\",\"pid\":", file);
	fprintf(file, "%d,\"configuration\":", (int)getpid());
	put_text(file, parent->path);
	put_workers(file, parent);
	put_outages(file, parent, now);
	fputs(",\"total\":{\"workers\":", file);
	fprintf(file, "%u", parent->count);
	clbd_stats_print(file, &sum);
	putc('}', file);
}

/* @error: NULL: it is done. @status: with what clbd is doing. */
static void answer(const struct clbd_parent *parent,
		   struct clbd_control_peer *peer, const char *error,
		   bool status, uint64_t now)
{
	FILE *file = open_memstream(&peer->out, &peer->size);

	if (!file) {
		close_peer(peer);
		return;
	}
	fprintf(file, "{\"ok\":%s", error ? "false,\"error\":" : "true");
	if (error)
		put_text(file, error);
	if (status)
		put_status(file, parent, now);
	fputs("}\n", file);
	fclose(file);
	peer->waits = CLBD_CONTROL_NOTHING;
	peer->deadline = now + PATIENCE_MS;
	send_answer(peer);
}

static const char *reason(int err)
{
	return err == -ENOENT ? "no such server, or it does not drain"
			      : strerror(-err);
}

static int drain(struct clbd_parent *parent, const struct clbd_command *command,
		 uint64_t now)
{
	if (command->kind == CLBD_COMMAND_UP)
		return clbd_outage_end(parent, command->server);
	return clbd_outage_drain(parent, command->server, command->seconds,
				 now);
}

/* Return: what is wrong, or NULL: done, or @peer waits for it */
static const char *obey(struct clbd_parent *parent,
			struct clbd_control_peer *peer,
			const struct clbd_command *command, uint64_t now,
			char error[CLBD_CONFIG_ERROR])
{
	int err = 0;

	switch (command->kind) {
	case CLBD_COMMAND_RELOAD:
		if (clbd_parent_reload(parent, error))
			return error;
		peer->waits = CLBD_CONTROL_RELOAD;
		return NULL;
	case CLBD_COMMAND_UPGRADE:
		if (clbd_upgrade_begin(parent, now, error))
			return error;
		peer->waits = CLBD_CONTROL_UPGRADE;
		return NULL;
	case CLBD_COMMAND_DRAIN:
	case CLBD_COMMAND_UP:
		/* The next program has been told already who is out. */
		if (parent->upgrade.pid)
			return "an upgrade is under way";
		err = drain(parent, command, now);
		break;
	default:
		break;
	}
	return err ? reason(err) : NULL;
}

static void take_command(struct clbd_parent *parent,
			 struct clbd_control_peer *peer, uint64_t now)
{
	char error[CLBD_CONFIG_ERROR];
	struct clbd_command command;
	const char *why;

	switch (clbd_command_parse(peer->in, peer->held, &command, &why)) {
	case CLBD_MORE:
		return;
	case CLBD_BAD:
		answer(parent, peer, why, false, now);
		return;
	default:
		break;
	}
	if (parent->stopping)
		why = "is stopping";
	else
		why = obey(parent, peer, &command, now, error);
	if (peer->waits == CLBD_CONTROL_NOTHING)
		answer(parent, peer, why,
		       !why && command.kind == CLBD_COMMAND_STATUS, now);
}

static void read_peer(struct clbd_parent *parent,
		      struct clbd_control_peer *peer, uint64_t now)
{
	ssize_t n = recv(peer->fd, peer->in + peer->held,
			 sizeof(peer->in) - peer->held, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		close_peer(peer);
		return;
	}
	peer->held += n;
	take_command(parent, peer, now);
}

static struct clbd_control_peer *free_peer(struct clbd_control *control)
{
	unsigned int i;

	for (i = 0; i < CLBD_CONTROL_PEERS; i++) {
		if (control->peers[i].fd < 0)
			return &control->peers[i];
	}
	return NULL;
}

static void accept_peers(struct clbd_control *control, uint64_t now)
{
	struct clbd_control_peer *peer;

	while ((peer = free_peer(control))) {
		peer->fd = accept4(control->fd, NULL, NULL,
				   SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (peer->fd < 0)
			return;
		peer->deadline = now + PATIENCE_MS;
	}
}

void clbd_control_poll(struct clbd_parent *parent,
		       struct pollfd polls[CLBD_CONTROL_POLLS])
{
	struct clbd_control *control = &parent->control;
	unsigned int i;

	polls[0].fd = free_peer(control) ? control->fd : -1;
	polls[0].events = POLLIN;
	for (i = 0; i < CLBD_CONTROL_PEERS; i++) {
		const struct clbd_control_peer *peer = &control->peers[i];

		/* Who waits may go, which the answer will tell. */
		polls[1 + i].fd = peer->waits ? -1 : peer->fd;
		polls[1 + i].events = peer->out ? POLLOUT : POLLIN;
	}
}

void clbd_control_run(struct clbd_parent *parent,
		      const struct pollfd polls[CLBD_CONTROL_POLLS],
		      uint64_t now)
{
	struct clbd_control *control = &parent->control;
	unsigned int i;

	for (i = 0; i < CLBD_CONTROL_PEERS; i++) {
		struct clbd_control_peer *peer = &control->peers[i];

		if (peer->fd < 0 || peer->waits || polls[1 + i].fd != peer->fd)
			continue;
		if (polls[1 + i].revents && peer->out)
			send_answer(peer);
		else if (polls[1 + i].revents)
			read_peer(parent, peer, now);
		else if (now >= peer->deadline)
			close_peer(peer);
	}
	if (control->fd >= 0 && polls[0].revents)
		accept_peers(control, now);
}

void clbd_control_tell(struct clbd_parent *parent, enum clbd_control_wait waits,
		       const char *error)
{
	struct clbd_control *control = &parent->control;
	unsigned int i;

	for (i = 0; i < CLBD_CONTROL_PEERS; i++) {
		if (control->peers[i].fd >= 0 &&
		    control->peers[i].waits == waits)
			answer(parent, &control->peers[i], error, false,
			       clbd_parent_now());
	}
}
