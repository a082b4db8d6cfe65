/*
 * Connect, accept, close both ends, in one thread; the threads have listening sockets of their
 * own. A connection's end leaves its four-tuple in TIME_WAIT, so each thread uses several ports in
 * turn, and a sample is bounded: else the free tuples would run out before the minute is over.
 */
#define _GNU_SOURCE
#include "perf/net/net.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORTS	    8
#define MAX_THREADS 4

static struct {
	int fd;
	uint16_t port;
} listeners[MAX_THREADS][PORTS]; /* [I] */

/* Accept one connection, so that a kernel without a network says so here. */
static const char *try_one(void)
{
	int client = link_connect(listeners[0][0].port), server;

	if (client < 0)
		return bench_unsupported("connect");
	server = accept4(listeners[0][0].fd, NULL, NULL, SOCK_CLOEXEC);
	if (server < 0)
		return bench_unsupported("accept4");
	close(client);
	close(server);
	return NULL;
}

const char *connect_setup(struct bench_team *team)
{
	for (int i = 0; i < team->threads; i++)
		for (int port = 0; port < PORTS; port++) {
			listeners[i][port].fd = link_listen(&listeners[i][port].port);
			if (listeners[i][port].fd < 0)
				return bench_unsupported("stream socket");
		}
	return try_one();
}

void connect_teardown(struct bench_team *team)
{
	for (int i = 0; i < team->threads; i++)
		for (int port = 0; port < PORTS; port++)
			close(listeners[i][port].fd);
}

void connect_work(struct bench_worker *worker)
{
	for (; worker->done < worker->ops; worker->done++) {
		int nth = worker->done % PORTS;
		int client = link_connect(listeners[worker->index][nth].port);
		int server;

		if (client < 0)
			bench_fail("connect: %s", strerror(errno));
		server = accept4(listeners[worker->index][nth].fd, NULL, NULL, SOCK_CLOEXEC);
		if (server < 0)
			bench_fail("accept4: %s", strerror(errno));
		close(client);
		close(server);
	}
}
