/*
 * The host's end of the cable: a plain server on the host's own network stack. A thread for each
 * connection, so that one that is idle costs nothing.
 */
#define _GNU_SOURCE
#include "perf/net/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER	   (256 * 1024)
#define STACK	   (BUFFER + 64 * 1024)
#define BACKLOG	   1024
#define FILES_MANY 4096

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int open_port(int type, int port)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, type, 0), on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&name, sizeof(name)) ||
	    (type == SOCK_STREAM && listen(fd, BACKLOG)))
		fail("peer: cannot open a port");
	return fd;
}

/* A thread whose argument is a descriptor. */
static void start(void *(*run)(void *), int fd)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &attr, run, (void *)(intptr_t)fd))
		fail("peer: cannot start a thread");
	pthread_attr_destroy(&attr);
}

static int write_all(int fd, const char *data, size_t size)
{
	while (size) {
		ssize_t n = write(fd, data, size);

		if (n <= 0)
			return -1;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

static void *echo(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char data[BUFFER];
	ssize_t n;

	while ((n = read(fd, data, sizeof(data))) > 0 && write_all(fd, data, (size_t)n) == 0)
		;
	close(fd);
	return NULL;
}

static void *discard(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char data[BUFFER];

	while (read(fd, data, sizeof(data)) > 0)
		;
	close(fd);
	return NULL;
}

static void *source(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char data[BUFFER];

	memset(data, PEER_BYTE, sizeof(data));
	while (write_all(fd, data, sizeof(data)) == 0)
		;
	close(fd);
	return NULL;
}

static _Noreturn void *datagrams(void *arg)
{
	int fd = (int)(intptr_t)arg;
	struct sockaddr_in from;
	socklen_t size;
	char data[65536];

	for (;;) {
		ssize_t n;

		size = sizeof(from);
		n = recvfrom(fd, data, sizeof(data), 0, (struct sockaddr *)&from, &size);
		if (n >= 0)
			(void)!sendto(fd, data, (size_t)n, 0, (struct sockaddr *)&from, size);
	}
}

struct service {
	int port;
	void *(*run)(void *);
	int fd;
};

static struct service services[] = {
	{PEER_ECHO, echo, -1},
	{PEER_DISCARD, discard, -1},
	{PEER_SOURCE, source, -1},
};

static _Noreturn void *serve(void *arg)
{
	const struct service *s = &services[(intptr_t)arg];

	for (;;) {
		int fd = accept(s->fd, NULL, NULL);

		if (fd < 0)
			fail("peer: accept");
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
		start(s->run, fd);
	}
}

int main(void)
{
	struct rlimit limit = {FILES_MANY, FILES_MANY};

	signal(SIGPIPE, SIG_IGN);
	if (setrlimit(RLIMIT_NOFILE, &limit))
		fail("peer: cannot have many files");
	start(datagrams, open_port(SOCK_DGRAM, PEER_ECHO));
	for (int i = 0; i < (int)(sizeof(services) / sizeof(services[0])); i++) {
		services[i].fd = open_port(SOCK_STREAM, services[i].port);
		start(serve, i);
	}
	for (;;)
		pause();
}
