/*
 * The guest's side of options_test.py: a port for each option. What a socket of these ends with goes into a log that port 13 gives out.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LOG_PORT     13
#define MAX_CONNS    16
#define PEER_PORT    9999
#define OWN_PROTOCOL 253 /* RFC 3692: for experiments */
#define TIMEOUT_MS   1500
#define LINGER_S     20
#define MAXSEG_BYTES 80000

static char log_text[4096];

static void note(const char *format, ...)
{
	size_t used = strlen(log_text);
	va_list args;

	va_start(args, format);
	vsnprintf(log_text + used, sizeof(log_text) - used, format, args);
	va_end(args);
}

static void check(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

static void set(int fd, int level, int name, int value)
{
	check(setsockopt(fd, level, name, &value, sizeof(value)) == 0, "setsockopt");
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void linger(int fd, int seconds)
{
	struct linger l = {1, seconds};

	check(setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)) == 0, "SO_LINGER");
}

/* ---- what happens when a connection is accepted, and when its first data come ---- */

static void keep_accepted(int fd)
{
	set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set(fd, IPPROTO_TCP, TCP_KEEPIDLE, 1);
	set(fd, IPPROTO_TCP, TCP_KEEPINTVL, 1);
	set(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
}

static void timeout_accepted(int fd)
{
	set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, TIMEOUT_MS);
	check(write(fd, "data", 4) == 4, "write");
}

static int cork_data(int fd)
{
	set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set(fd, IPPROTO_TCP, TCP_CORK, 1);
	check(write(fd, "one", 3) == 3 && write(fd, "two", 3) == 3, "write");
	set(fd, IPPROTO_TCP, TCP_CORK, 0);
	return 0;
}

static int reset_data(int fd)
{
	linger(fd, 0);
	close(fd);
	return 1;
}

/* close() returns when the peer has acknowledged. */
static int linger_data(int fd)
{
	long start = now_ms();

	linger(fd, LINGER_S);
	check(write(fd, "last", 4) == 4, "write");
	close(fd);
	note("linger %ld ms\n", now_ms() - start);
	return 1;
}

/* A datagram to a port where nobody is: what comes back is in the error queue. */
static int error_data(int fd)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PEER_PORT)}, from;
	char control[512], data[64];
	struct iovec iov = {data, sizeof(data)};
	struct msghdr m = {.msg_name = &from,
			   .msg_namelen = sizeof(from),
			   .msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	struct pollfd p = {s, 0, 0};
	struct sock_extended_err *e;
	socklen_t len = sizeof(to);
	ssize_t n;

	check(getpeername(fd, (struct sockaddr *)&to, &len) == 0, "getpeername");
	to.sin_port = htons(PEER_PORT);
	set(s, IPPROTO_IP, IP_RECVERR, 1);
	check(sendto(s, "question", 8, 0, (struct sockaddr *)&to, sizeof(to)) == 8, "sendto");
	poll(&p, 1, 20000);
	n = recvmsg(s, &m, MSG_ERRQUEUE);
	e = (struct sock_extended_err *)CMSG_DATA(CMSG_FIRSTHDR(&m));
	if (n < 0)
		note("error queue: %s\n", strerror(errno));
	else
		note("error %u origin %u type %u code %u data %.*s port %u flag %d\n", e->ee_errno,
		     e->ee_origin, e->ee_type, e->ee_code, (int)n, data, ntohs(from.sin_port),
		     (m.msg_flags & MSG_ERRQUEUE) != 0);
	close(s);
	return 0;
}

/* A packet with the program's own header. */
static int header_data(int fd)
{
	struct sockaddr_in to;
	socklen_t len = sizeof(to);
	struct {
		struct iphdr ip;
		char data[8];
	} packet = {
		.ip = {.version = 4, .ihl = 5, .ttl = 33, .id = htons(4711), .protocol = OWN_PROTOCOL},
		.data = "headers"};
	int s = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);

	check(s >= 0, "raw socket");
	check(getpeername(fd, (struct sockaddr *)&to, &len) == 0, "getpeername");
	packet.ip.daddr = to.sin_addr.s_addr;
	check(sendto(s, &packet, sizeof(packet), 0, (struct sockaddr *)&to, sizeof(to)) ==
		      sizeof(packet),
	      "sendto");
	close(s);
	return 0;
}

/* Smaller segments, while larger ones wait for the peer. */
static int maxseg_data(int fd)
{
	static unsigned char data[MAXSEG_BYTES];

	for (int i = 0; i < MAXSEG_BYTES; i++)
		data[i] = (unsigned char)(i % 251);
	check(write(fd, data, sizeof(data) / 2) == sizeof(data) / 2, "write");
	set(fd, IPPROTO_TCP, TCP_MAXSEG, 500);
	check(write(fd, data + sizeof(data) / 2, sizeof(data) / 2) == sizeof(data) / 2, "write");
	close(fd);
	return 1;
}

static int log_data(int fd)
{
	check(write(fd, log_text, strlen(log_text)) == (ssize_t)strlen(log_text), "log");
	close(fd);
	return 1;
}

static const struct service {
	int port;
	const char *name;
	void (*accepted)(int fd);
	int (*data)(int fd); /* 1: it has closed the descriptor */
} services[] = {
	{LOG_PORT, "log", NULL, log_data},	 {21, "keep", keep_accepted, NULL},
	{22, "timeout", timeout_accepted, NULL}, {23, "cork", NULL, cork_data},
	{24, "reset", NULL, reset_data},	 {25, "linger", NULL, linger_data},
	{26, "error", NULL, error_data},	 {27, "header", NULL, header_data},
	{28, "maxseg", NULL, maxseg_data},
};
#define NR_SERVICES (sizeof(services) / sizeof(services[0]))

static struct pollfd fds[NR_SERVICES + MAX_CONNS];
static const struct service *of[NR_SERVICES + MAX_CONNS];

static void accept_conn(const struct service *s, int listener)
{
	int fd = accept(listener, NULL, NULL);

	check(fd >= 0, "accept");
	if (s->accepted)
		s->accepted(fd);
	for (size_t i = NR_SERVICES; i < NR_SERVICES + MAX_CONNS; i++) {
		if (fds[i].fd >= 0)
			continue;
		fds[i] = (struct pollfd){fd, POLLIN, 0};
		of[i] = s;
		return;
	}
	close(fd);
}

static void serve(size_t i)
{
	char buffer[256];
	ssize_t n = read(fds[i].fd, buffer, sizeof(buffer));

	if (n < 0)
		note("%s: %s\n", of[i]->name, strerrorname_np(errno));
	if (n <= 0)
		close(fds[i].fd);
	if (n <= 0 || (of[i]->data && of[i]->data(fds[i].fd)))
		fds[i].fd = -1;
}

static int listen_at(int port)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	check(bind(fd, (struct sockaddr *)&name, sizeof(name)) == 0 && listen(fd, 16) == 0, "listen");
	return fd;
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < NR_SERVICES + MAX_CONNS; i++)
		fds[i].fd = -1;
	for (size_t i = 0; i < NR_SERVICES; i++)
		fds[i] = (struct pollfd){listen_at(services[i].port), POLLIN, 0};
	puts("ready");
	fflush(stdout);
	for (;;) {
		check(poll(fds, NR_SERVICES + MAX_CONNS, -1) >= 0, "poll");
		for (size_t i = 0; i < NR_SERVICES; i++)
			if (fds[i].revents)
				accept_conn(&services[i], fds[i].fd);
		for (size_t i = NR_SERVICES; i < NR_SERVICES + MAX_CONNS; i++)
			if (fds[i].fd >= 0 && fds[i].revents)
				serve(i);
	}
}
