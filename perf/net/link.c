/* Making connected pairs of sockets of each kind, over lo, in one thread. */
#define _GNU_SOURCE
#include "perf/net/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define UNIX_NAME "/net.bench"

struct link links[MAX_LINKS];
static int nr_links;

union address {
	struct sockaddr any;
	struct sockaddr_in ip4;
	struct sockaddr_in6 ip6;
	struct sockaddr_un local;
};

static socklen_t loopback(int family, uint16_t port, union address *address)
{
	memset(address, 0, sizeof(*address));
	address->any.sa_family = family;
	switch (family) {
	case AF_INET:
		address->ip4.sin_port = htons(port);
		address->ip4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return sizeof(address->ip4);
	case AF_INET6:
		address->ip6.sin6_port = htons(port);
		address->ip6.sin6_addr = in6addr_loopback;
		return sizeof(address->ip6);
	default:
		strcpy(address->local.sun_path, UNIX_NAME);
		return sizeof(address->local);
	}
}

/* A socket bound to a free port of lo, or to UNIX_NAME; *@address is where. */
static int bound_socket(int family, int type, union address *address)
{
	socklen_t size = loopback(family, 0, address);
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (family == AF_UNIX)
		unlink(UNIX_NAME);
	if (bind(fd, &address->any, size) == 0 && getsockname(fd, &address->any, &size) == 0)
		return fd;
	close(fd);
	return -1;
}

static void no_delay(int fd, int family)
{
	if (family != AF_UNIX && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)) < 0)
		bench_fail("TCP_NODELAY: %s", strerror(errno));
}

static int connect_to(int family, const union address *address)
{
	union address other;
	socklen_t size = loopback(family, 0, &other);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (connect(fd, &address->any, size) == 0) {
		no_delay(fd, family);
		return fd;
	}
	close(fd);
	return -1;
}

int link_listen(uint16_t *port)
{
	union address address;
	int fd = bound_socket(AF_INET, SOCK_STREAM, &address);

	*port = ntohs(address.ip4.sin_port);
	if (fd >= 0 && listen(fd, 128) < 0)
		bench_fail("listen: %s", strerror(errno));
	return fd;
}

int link_connect(uint16_t port)
{
	union address address;

	loopback(AF_INET, port, &address);
	return connect_to(AF_INET, &address);
}

/* @nr connections to one listening socket. */
static const char *stream_links(int family, int nr)
{
	union address address;
	int listener = bound_socket(family, SOCK_STREAM, &address);

	if (listener < 0 || listen(listener, 128) < 0)
		return bench_unsupported("stream socket");
	for (nr_links = 0; nr_links < nr; nr_links++) {
		struct link *link = &links[nr_links];

		link->end[0] = connect_to(family, &address);
		if (link->end[0] < 0)
			return bench_unsupported("connect");
		link->end[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (link->end[1] < 0)
			return bench_unsupported("accept4");
		no_delay(link->end[1], family);
	}
	close(listener);
	return NULL;
}

const char *tcp_setup(struct bench_team *team)
{
	return stream_links(AF_INET, team->threads / 2);
}

const char *tcp_own_setup(struct bench_team *team)
{
	return stream_links(AF_INET, team->threads);
}

const char *tcp6_setup(struct bench_team *team)
{
	return stream_links(AF_INET6, team->threads / 2);
}

const char *tcp_idle_setup(struct bench_team *team)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	return stream_links(AF_INET, team->threads / 2 + IDLE);
}

const char *unix_setup(struct bench_team *team)
{
	return stream_links(AF_UNIX, team->threads / 2);
}

const char *udp_setup(struct bench_team *team)
{
	for (nr_links = 0; nr_links < team->threads / 2; nr_links++) {
		struct link *link = &links[nr_links];
		union address addresses[2];

		for (int i = 0; i < 2; i++) {
			link->end[i] = bound_socket(AF_INET, SOCK_DGRAM, &addresses[i]);
			if (link->end[i] < 0)
				return bench_unsupported("datagram socket");
		}
		for (int i = 0; i < 2; i++)
			if (connect(link->end[i], &addresses[1 - i].any, sizeof(addresses[0].ip4)) < 0)
				return bench_unsupported("connect of a datagram socket");
	}
	return NULL;
}

static const char *pairs(struct bench_team *team, int type)
{
	for (nr_links = 0; nr_links < team->threads / 2; nr_links++)
		if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, links[nr_links].end) < 0)
			return bench_unsupported("socketpair");
	return NULL;
}

const char *socketpair_setup(struct bench_team *team)
{
	return pairs(team, SOCK_STREAM);
}

const char *unix_datagram_setup(struct bench_team *team)
{
	return pairs(team, SOCK_DGRAM);
}

void links_teardown(struct bench_team *team)
{
	(void)team;
	while (nr_links > 0) {
		nr_links--;
		close(links[nr_links].end[0]);
		close(links[nr_links].end[1]);
	}
}
