/*
 * The guest's side of the tests over the wire: TCP and UDP echo on port 7, TCP discard on 9 and bytes without end on 19, and on TCP port 13 a
 * report of what the kernel holds. Port 11 is an echo that waits for data before it accepts; port 15 one with a short queue, of which one connection is
 * accepted for each to port 17. UDP port 7007 is an echo for groups. One thread, one poll(2) loop; a connection's echo is bounded by one buffer, so that
 * a slow reader stops its own input only.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ECHO_PORT    7
#define DISCARD_PORT 9
#define DEFER_PORT   11
#define REPORT_PORT  13
#define QUEUE_PORT   15
#define RELEASE_PORT 17
#define SOURCE_PORT  19
#define GROUPS_PORT  7007
#define GROUP	     "239.77.0.7"
#define GROUP_IFACE  "10.77.0.2"
#define QUEUE_LENGTH 4
#define DEFER_S	     60
#define MAX_CONNS    64
#define BUFFER	     65536

enum {
	ECHO_LISTENER,
	DISCARD_LISTENER,
	SOURCE_LISTENER,
	DEFER_LISTENER,
	QUEUE_LISTENER,
	REPORT_LISTENER,
	RELEASE_LISTENER,
	DATAGRAMS,
	GROUPS,
	FIRST_CONN
};

struct conn {
	int listener;
	size_t start, end; /* of what is still to be sent */
	bool eof;
	char buffer[BUFFER];
};

static struct pollfd fds[FIRST_CONN + MAX_CONNS];
static struct conn *conns[FIRST_CONN + MAX_CONNS];

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int open_socket(int type, int port)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&name, sizeof(name)) ||
	    (type == SOCK_STREAM && listen(fd, port == QUEUE_PORT ? QUEUE_LENGTH : 16)))
		fail("cannot open a port");
	return fd;
}

static int open_defer(void)
{
	int fd = open_socket(SOCK_STREAM, DEFER_PORT), seconds = DEFER_S;

	if (setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof(seconds)))
		fail("TCP_DEFER_ACCEPT");
	return fd;
}

/* Not every test's guest has that address. */
static int open_groups(void)
{
	int fd = open_socket(SOCK_DGRAM, GROUPS_PORT);
	struct ip_mreq join;

	inet_pton(AF_INET, GROUP, &join.imr_multiaddr);
	inet_pton(AF_INET, GROUP_IFACE, &join.imr_interface);
	if (setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof(join)))
		perror("no group");
	return fd;
}

static void copy_file(int to, const char *path)
{
	char text[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	while (fd >= 0 && (n = read(fd, text, sizeof(text))) > 0)
		if (write(to, text, (size_t)n) != n)
			break;
	close(fd);
}

static void report(void)
{
	static const char *const paths[] = {"/proc/meminfo", "/proc/net/sockstat", "/proc/net/dev",
					    "/proc/net/softnet_stat", "/proc/net/tcp"};
	int fd = accept4(fds[REPORT_LISTENER].fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		copy_file(fd, paths[i]);
	close(fd);
}

static void accept_conn(int listener)
{
	int fd = accept4(fds[listener].fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	for (int i = FIRST_CONN; i < FIRST_CONN + MAX_CONNS; i++) {
		if (fds[i].fd >= 0)
			continue;
		conns[i] = calloc(1, sizeof(*conns[i]));
		if (!conns[i])
			break;
		conns[i]->listener = listener;
		fds[i] = (struct pollfd){.fd = fd,
					 .events = listener == SOURCE_LISTENER ? POLLOUT : POLLIN};
		return;
	}
	close(fd);
}

static void release(void)
{
	int fd = accept4(fds[RELEASE_LISTENER].fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0)
		accept_conn(QUEUE_LISTENER);
	close(fd);
}

static void echo_datagram(int i)
{
	static char data[65536];
	struct sockaddr_in from;
	socklen_t size = sizeof(from);
	ssize_t n = recvfrom(fds[i].fd, data, sizeof(data), 0, (struct sockaddr *)&from, &size);

	if (n >= 0)
		(void)!sendto(fds[i].fd, data, (size_t)n, 0, (struct sockaddr *)&from, size);
}

/* Moves what can be moved. False: the connection is over. */
static bool echo(int fd, struct conn *c)
{
	ssize_t n;

	if (c->start == c->end && !c->eof) {
		n = read(fd, c->buffer, sizeof(c->buffer));
		if (n < 0 && errno != EAGAIN)
			return false;
		c->eof = n == 0;
		c->start = 0;
		c->end = n > 0 ? (size_t)n : 0;
	}
	if (c->start < c->end) {
		n = write(fd, c->buffer + c->start, c->end - c->start);
		if (n < 0 && errno != EAGAIN)
			return false;
		c->start += n > 0 ? (size_t)n : 0;
	}
	return !c->eof || c->start < c->end;
}

/* As echo(). */
static bool discard(int fd, struct conn *c)
{
	ssize_t n = read(fd, c->buffer, sizeof(c->buffer));

	return n > 0 || (n < 0 && errno == EAGAIN);
}

static bool source(int fd, struct conn *c)
{
	return write(fd, c->buffer, sizeof(c->buffer)) >= 0 || errno == EAGAIN;
}

static void serve_conn(int i)
{
	static bool (*const serve[])(int fd, struct conn *c) = {
		[ECHO_LISTENER] = echo,	 [DISCARD_LISTENER] = discard, [SOURCE_LISTENER] = source,
		[DEFER_LISTENER] = echo, [QUEUE_LISTENER] = echo,
	};

	if (!serve[conns[i]->listener](fds[i].fd, conns[i])) {
		close(fds[i].fd);
		free(conns[i]);
		conns[i] = NULL;
		fds[i].fd = -1;
		return;
	}
	if (serve[conns[i]->listener] == echo)
		fds[i].events = conns[i]->start < conns[i]->end ? POLLOUT : POLLIN;
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	for (int i = FIRST_CONN; i < FIRST_CONN + MAX_CONNS; i++)
		fds[i].fd = -1;
	fds[ECHO_LISTENER] = (struct pollfd){open_socket(SOCK_STREAM, ECHO_PORT), POLLIN, 0};
	fds[DISCARD_LISTENER] = (struct pollfd){open_socket(SOCK_STREAM, DISCARD_PORT), POLLIN, 0};
	fds[SOURCE_LISTENER] = (struct pollfd){open_socket(SOCK_STREAM, SOURCE_PORT), POLLIN, 0};
	fds[REPORT_LISTENER] = (struct pollfd){open_socket(SOCK_STREAM, REPORT_PORT), POLLIN, 0};
	fds[DEFER_LISTENER] = (struct pollfd){open_defer(), POLLIN, 0};
	fds[QUEUE_LISTENER] = (struct pollfd){open_socket(SOCK_STREAM, QUEUE_PORT), 0, 0};
	fds[RELEASE_LISTENER] = (struct pollfd){open_socket(SOCK_STREAM, RELEASE_PORT), POLLIN, 0};
	fds[DATAGRAMS] = (struct pollfd){open_socket(SOCK_DGRAM, ECHO_PORT), POLLIN, 0};
	fds[GROUPS] = (struct pollfd){open_groups(), POLLIN, 0};
	puts("ready");
	fflush(stdout);
	for (;;) {
		if (poll(fds, FIRST_CONN + MAX_CONNS, -1) < 0 && errno != EINTR)
			fail("poll");
		for (int i = ECHO_LISTENER; i <= DEFER_LISTENER; i++)
			if (fds[i].revents)
				accept_conn(i);
		if (fds[RELEASE_LISTENER].revents)
			release();
		if (fds[REPORT_LISTENER].revents)
			report();
		for (int i = DATAGRAMS; i <= GROUPS; i++)
			if (fds[i].revents)
				echo_datagram(i);
		for (int i = FIRST_CONN; i < FIRST_CONN + MAX_CONNS; i++)
			if (fds[i].fd >= 0 && fds[i].revents)
				serve_conn(i);
	}
}
