// SPDX-License-Identifier: MIT
/* Pipes between sockets. */
#include "clbd/pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "clbd/conn.h"

void clbd_pipes_init(struct clbd_pipes *pipes)
{
	*pipes = (struct clbd_pipes){ .max = CLBD_PIPES_MAX };
}

static void close_pipe(struct clbd_pipes *pipes, struct clbd_pipe *pipe)
{
	close(pipe->in);
	close(pipe->out);
	free(pipe);
	pipes->count--;
}

void clbd_pipes_release(struct clbd_pipes *pipes)
{
	while (pipes->free) {
		struct clbd_pipe *pipe = pipes->free;

		pipes->free = pipe->next;
		close_pipe(pipes, pipe);
	}
}

/* One of another size would need more calls than it saves. */
static struct clbd_pipe *open_pipe(void)
{
	struct clbd_pipe *pipe = malloc(sizeof(*pipe));
	int ends[2];

	if (!pipe)
		return NULL;
	if (pipe2(ends, O_NONBLOCK | O_CLOEXEC))
		goto err_free;
	if (fcntl(ends[1], F_SETPIPE_SZ, CLBD_PIPE_SIZE) < 0)
		goto err_close;
	pipe->out = ends[0];
	pipe->in = ends[1];
	pipe->held = 0;
	return pipe;
err_close:
	close(ends[0]);
	close(ends[1]);
err_free:
	free(pipe);
	return NULL;
}

struct clbd_pipe *clbd_pipe_get(struct clbd_pipes *pipes)
{
	struct clbd_pipe *pipe = pipes->free;

	if (pipe) {
		pipes->free = pipe->next;
		return pipe;
	}
	if (pipes->count >= pipes->max)
		return NULL;
	pipe = open_pipe();
	if (pipe)
		pipes->count++;
	else
		pipes->max = pipes->count;
	return pipe;
}

void clbd_pipe_put(struct clbd_pipes *pipes, struct clbd_pipe *pipe)
{
	if (!pipe)
		return;
	if (pipe->held) {
		close_pipe(pipes, pipe);
		return;
	}
	pipe->next = pipes->free;
	pipes->free = pipe;
}

/* Fewer bytes than asked for may be all that the pipe has room for. */
ssize_t clbd_pipe_fill(struct clbd_pipe *pipe, struct clbd_conn *conn,
		       size_t size)
{
	ssize_t n;

	do {
		n = splice(conn->fd, NULL, pipe->in, NULL, size,
			   SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	} while (n < 0 && errno == EINTR);
	if (n > 0) {
		pipe->held += n;
		return n;
	}
	return clbd_conn_read_nothing(conn, n);
}

ssize_t clbd_pipe_drain(struct clbd_pipe *pipe, struct clbd_conn *conn,
			bool more)
{
	ssize_t n;

	do {
		n = splice(pipe->out, NULL, conn->fd, NULL, pipe->held,
			   SPLICE_F_MOVE | SPLICE_F_NONBLOCK |
				   (more ? SPLICE_F_MORE : 0));
	} while (n < 0 && errno == EINTR);
	n = clbd_conn_wrote(conn, n, pipe->held);
	if (n > 0)
		pipe->held -= n;
	return n;
}
