/*
 * TCP over lo: connecting, data, ends, errors, poll bits.
 */
#include "tests/syscall/net/net.h"

TEST(fresh_stream_socket)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char c;

	CHECK_EQ(poll_now(fd), POLLOUT | POLLHUP);
	CHECK_EQ(ERRNO_OF(recv(fd, &c, 1, 0)), ENOTCONN);
	signal(SIGPIPE, SIG_IGN);
	CHECK_EQ(ERRNO_OF(send(fd, "x", 1, 0)), EPIPE);
	CHECK_EQ(ERRNO_OF(shutdown(fd, SHUT_WR)), ENOTCONN);
	CHECK_EQ(ERRNO_OF(getpeername(fd, (struct sockaddr *)&(struct sockaddr_in){0},
				      &(socklen_t){sizeof(struct sockaddr_in)})),
		 ENOTCONN);
	CHECK_EQ(ERRNO_OF(accept(fd, NULL, NULL)), EINVAL);
	CHECK_EQ(get_int(fd, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
	CHECK_EQ(get_int(fd, SOL_SOCKET, SO_DOMAIN), AF_INET);
	CHECK_EQ(get_int(fd, SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP);
	CHECK_EQ(get_int(fd, SOL_SOCKET, SO_ACCEPTCONN), 0);
	close(fd);
}

TEST(wrong_families_and_types)
{
	CHECK_EQ(ERRNO_OF(socket(AF_INET, 77, 0)), EINVAL);
	CHECK_EQ(ERRNO_OF(socket(AF_INET, SOCK_SEQPACKET, 0)), ESOCKTNOSUPPORT);
	CHECK_EQ(ERRNO_OF(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP)), EPROTONOSUPPORT);
	CHECK_EQ(ERRNO_OF(socket(AF_INET, SOCK_DGRAM, IPPROTO_TCP)), EPROTONOSUPPORT);
	CHECK_EQ(ERRNO_OF(socket(AF_INET, SOCK_RAW, 0)), EPROTONOSUPPORT);
	CHECK_EQ(ERRNO_OF(socket(999, SOCK_STREAM, 0)), EAFNOSUPPORT);
	CHECK_EQ(ERRNO_OF(socket(-1, SOCK_STREAM, 0)), EAFNOSUPPORT);
	CHECK_EQ(ERRNO_OF(socketpair(AF_INET, SOCK_STREAM, 0, (int[2]){0})), EOPNOTSUPP);
}

TEST(connect_send_receive)
{
	struct sockaddr_in a, b;
	socklen_t len = sizeof(a);
	char buf[64];
	int e[2];

	tcp_pair(e);
	CHECK_EQ(poll_now(e[0]), POLLOUT);
	CHECK_EQ(send(e[0], "hello", 5, 0), 5);
	CHECK_EQ(poll_now(e[1]), POLLIN | POLLOUT);
	CHECK_EQ(recv(e[1], buf, sizeof(buf), MSG_PEEK), 5);
	CHECK_EQ(recv(e[1], buf, 2, 0), 2);
	CHECK_EQ(read(e[1], buf, sizeof(buf)), 3);
	CHECK(!memcmp(buf, "llo", 3));
	CHECK_EQ(ERRNO_OF(recv(e[1], buf, 1, MSG_DONTWAIT)), EAGAIN);
	CHECK_EQ(write(e[1], "reply", 5), 5);
	CHECK_EQ(recv(e[0], buf, 5, MSG_WAITALL), 5);
	CHECK_EQ(getsockname(e[0], (struct sockaddr *)&a, &len), 0);
	CHECK_EQ(len, sizeof(a));
	CHECK_EQ(getpeername(e[1], (struct sockaddr *)&b, &len), 0);
	CHECK_EQ(memcmp(&a, &b, sizeof(a)), 0);
	CHECK_EQ(ntohl(a.sin_addr.s_addr), INADDR_LOOPBACK);
	CHECK(ntohs(a.sin_port) >= 32768 && ntohs(a.sin_port) <= 60999);
	close(e[0]);
	close(e[1]);
}

TEST(refused)
{
	int port, fd = tcp_listener(1, &port), c;
	struct sockaddr_in a = lo_addr(port);

	close(fd);
	c = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_EQ(ERRNO_OF(connect(c, (struct sockaddr *)&a, sizeof(a))), ECONNREFUSED);
	/* The same socket may try again. */
	CHECK_EQ(ERRNO_OF(connect(c, (struct sockaddr *)&a, sizeof(a))), ECONNREFUSED);
	close(c);
	c = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CHECK_EQ(ERRNO_OF(connect(c, (struct sockaddr *)&a, sizeof(a))), EINPROGRESS);
	CHECK_EQ(poll_now(c), POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP);
	CHECK_EQ(so_error(c), ECONNREFUSED);
	CHECK_EQ(so_error(c), 0);
	CHECK_EQ(ERRNO_OF(connect(c, (struct sockaddr *)&a, sizeof(a))), ECONNABORTED);
	close(c);
}

TEST(nonblocking_connect)
{
	int port, l = tcp_listener(4, &port), c = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct sockaddr_in a = lo_addr(port);

	CHECK_EQ(ERRNO_OF(accept4(l, NULL, NULL, 1)), EINVAL);
	CHECK_EQ(poll_now(l), 0);
	CHECK_EQ(ERRNO_OF(connect(c, (struct sockaddr *)&a, sizeof(a))), EINPROGRESS);
	CHECK_EQ(poll_now(c), POLLOUT);
	CHECK_EQ(poll_now(l), POLLIN);
	CHECK_EQ(so_error(c), 0);
	CHECK_EQ(connect(c, (struct sockaddr *)&a, sizeof(a)), 0);
	CHECK_EQ(ERRNO_OF(connect(c, (struct sockaddr *)&a, sizeof(a))), EISCONN);
	CHECK_EQ(get_int(l, SOL_SOCKET, SO_ACCEPTCONN), 1);
	CHECK_EQ(ERRNO_OF(connect(l, (struct sockaddr *)&a, sizeof(a))), EISCONN);
	close(c);
	close(l);
}

TEST(half_close)
{
	char buf[16];
	int e[2];

	tcp_pair(e);
	CHECK_EQ(send(e[0], "abc", 3, 0), 3);
	CHECK_EQ(shutdown(e[0], SHUT_WR), 0);
	signal(SIGPIPE, SIG_IGN);
	CHECK_EQ(ERRNO_OF(send(e[0], "x", 1, 0)), EPIPE);
	CHECK_EQ(poll_now(e[1]), POLLIN | POLLOUT | POLLRDHUP);
	CHECK_EQ(recv(e[1], buf, sizeof(buf), 0), 3);
	CHECK_EQ(recv(e[1], buf, sizeof(buf), 0), 0);
	CHECK_EQ(recv(e[1], buf, sizeof(buf), 0), 0);
	CHECK_EQ(send(e[1], "still", 5, 0), 5);
	CHECK_EQ(recv(e[0], buf, sizeof(buf), 0), 5);
	CHECK_EQ(shutdown(e[1], SHUT_WR), 0);
	CHECK_EQ(recv(e[0], buf, sizeof(buf), 0), 0);
	CHECK_EQ(poll_now(e[0]), POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
	CHECK_EQ(ERRNO_OF(shutdown(e[0], SHUT_WR)), ENOTCONN);
	close(e[0]);
	close(e[1]);
}

TEST(close_with_unread_data_resets)
{
	char buf[16];
	int e[2];

	signal(SIGPIPE, SIG_IGN);
	tcp_pair(e);
	CHECK_EQ(send(e[0], "unread", 6, 0), 6);
	CHECK_EQ(send(e[1], "queued", 6, 0), 6);
	close(e[1]);
	CHECK_EQ(poll_now(e[0]), POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP);
	CHECK_EQ(recv(e[0], buf, sizeof(buf), 0), 6);
	CHECK_EQ(ERRNO_OF(recv(e[0], buf, sizeof(buf), 0)), ECONNRESET);
	CHECK_EQ(recv(e[0], buf, sizeof(buf), 0), 0);
	CHECK_EQ(ERRNO_OF(send(e[0], "x", 1, 0)), EPIPE);
	close(e[0]);
}

TEST(linger_zero_resets)
{
	struct linger l = {1, 0};
	char c;
	int e[2];

	tcp_pair(e);
	CHECK_EQ(setsockopt(e[1], SOL_SOCKET, SO_LINGER, &l, sizeof(l)), 0);
	close(e[1]);
	CHECK_EQ(ERRNO_OF(send(e[0], "x", 1, MSG_NOSIGNAL)), ECONNRESET);
	CHECK_EQ(ERRNO_OF(send(e[0], "x", 1, MSG_NOSIGNAL)), EPIPE);
	CHECK_EQ(recv(e[0], &c, 1, 0), 0);
	close(e[0]);
}

TEST(write_after_peer_closed)
{
	char c;
	int e[2];

	tcp_pair(e);
	close(e[1]);
	CHECK_EQ(poll_now(e[0]), POLLIN | POLLOUT | POLLRDHUP);
	CHECK_EQ(recv(e[0], &c, 1, 0), 0);
	CHECK_EQ(send(e[0], "x", 1, MSG_NOSIGNAL), 1);
	CHECK_EQ(poll_now(e[0]), POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP);
	CHECK_EQ(ERRNO_OF(send(e[0], "x", 1, MSG_NOSIGNAL)), EPIPE);
	CHECK_EQ(recv(e[0], &c, 1, 0), 0);
	close(e[0]);
}

TEST(shutdown_of_reading)
{
	char buf[8];
	int e[2];

	tcp_pair(e);
	CHECK_EQ(shutdown(e[0], SHUT_RD), 0);
	CHECK_EQ(recv(e[0], buf, sizeof(buf), 0), 0);
	CHECK_EQ(poll_now(e[0]), POLLIN | POLLOUT | POLLRDHUP);
	CHECK_EQ(send(e[1], "more", 4, 0), 4);
	CHECK_EQ(recv(e[0], buf, sizeof(buf), 0), 4);
	CHECK_EQ(ERRNO_OF(shutdown(e[0], 3)), EINVAL);
	CHECK_EQ(ERRNO_OF(shutdown(e[0], -1)), EINVAL);
	close(e[0]);
	close(e[1]);
}

TEST(backlog_of_none_holds_one)
{
	int port, l = tcp_listener(0, &port), first, second, got;
	struct sockaddr_in a = lo_addr(port);

	first = tcp_client(port);
	second = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CHECK_EQ(ERRNO_OF(connect(second, (struct sockaddr *)&a, sizeof(a))), EINPROGRESS);
	CHECK_EQ(poll_now(second), 0);
	CHECK_EQ(ERRNO_OF(connect(second, (struct sockaddr *)&a, sizeof(a))), EALREADY);
	CHECK_EQ(ERRNO_OF(send(second, "x", 1, 0)), EAGAIN);
	got = accept(l, NULL, NULL);
	CHECK(got >= 0);
	/* Linux tries again after a second. */
	WAIT_UNTIL(poll_now(second) == POLLOUT);
	close(got);
	close(first);
	close(second);
	close(l);
}

TEST(listener_closes_with_waiting_connections)
{
	int port, l = tcp_listener(4, &port), c = tcp_client(port);
	char b;

	close(l);
	CHECK_EQ(ERRNO_OF(recv(c, &b, 1, 0)), ECONNRESET);
	close(c);
}

TEST(self_connect)
{
	struct sockaddr_in a = lo_addr(0);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char buf[8];

	CHECK_EQ(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	a.sin_port = htons((uint16_t)port_of(fd));
	CHECK_EQ(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	CHECK_EQ(send(fd, "me", 2, 0), 2);
	CHECK_EQ(recv(fd, buf, sizeof(buf), 0), 2);
	CHECK_EQ(shutdown(fd, SHUT_WR), 0);
	CHECK_EQ(recv(fd, buf, sizeof(buf), 0), 0);
	close(fd);
}

static void *send_much(void *arg)
{
	int fd = *(int *)arg;
	static char buf[70001];
	size_t sent = 0;

	for (size_t i = 0; i < sizeof(buf); i++)
		buf[i] = (char)(i * 7);
	while (sent < 100 * sizeof(buf)) {
		size_t at = sent % sizeof(buf);
		ssize_t n = send(fd, buf + at, sizeof(buf) - at, 0);

		if (!CHECK(n > 0))
			break;
		sent += (size_t)n;
	}
	shutdown(fd, SHUT_WR);
	return NULL;
}

TEST(much_data_arrives_in_order)
{
	static char buf[9999];
	size_t got = 0, bad = 0;
	pthread_t thread;
	ssize_t n;
	int e[2];

	tcp_pair(e);
	thread = thread_start(send_much, &e[0]);
	while ((n = recv(e[1], buf, sizeof(buf), 0)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			bad += buf[i] != (char)((got + (size_t)i) % 70001 * 7);
		got += (size_t)n;
	}
	thread_join(thread);
	CHECK_EQ(n, 0);
	CHECK_EQ(got, 100 * 70001);
	CHECK_EQ(bad, 0);
	close(e[0]);
	close(e[1]);
}

TEST(full_buffer_blocks_and_wakes)
{
	static char buf[65536];
	long sent = 0, got = 0;
	ssize_t n;
	int e[2];

	tcp_pair(e);
	fcntl(e[0], F_SETFL, O_NONBLOCK);
	while ((n = send(e[0], buf, sizeof(buf), 0)) > 0)
		sent += n;
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(poll_now(e[0]), 0);
	CHECK_EQ(get_int(e[1], SOL_SOCKET, SO_ERROR), 0);
	while (got < sent && (n = recv(e[1], buf, sizeof(buf), 0)) > 0)
		got += n;
	CHECK_EQ(got, sent);
	WAIT_UNTIL(poll_now(e[0]) == POLLOUT);
	close(e[0]);
	close(e[1]);
}

TEST(queue_lengths)
{
	int e[2], n = -1;

	tcp_pair(e);
	CHECK_EQ(send(e[0], "12345", 5, 0), 5);
	CHECK_EQ(ioctl(e[1], FIONREAD, &n), 0);
	CHECK_EQ(n, 5);
	CHECK_EQ(ioctl(e[0], FIONREAD, &n), 0);
	CHECK_EQ(n, 0);
	close(e[0]);
	close(e[1]);
}

TEST(urgent_data)
{
	char buf[16];
	int e[2], mark = -1;

	tcp_pair(e);
	CHECK_EQ(ERRNO_OF(recv(e[1], buf, 1, MSG_OOB)), EINVAL);
	CHECK_EQ(send(e[0], "abc", 3, 0), 3);
	CHECK_EQ(send(e[0], "dX", 2, MSG_OOB), 2);
	CHECK_EQ(send(e[0], "ef", 2, 0), 2);
	CHECK_EQ(poll_now(e[1]), POLLIN | POLLPRI | POLLOUT);
	CHECK_EQ(recv(e[1], buf, sizeof(buf), 0), 4);
	CHECK_EQ(ioctl(e[1], SIOCATMARK, &mark), 0);
	CHECK_EQ(mark, 1);
	CHECK_EQ(recv(e[1], buf, 1, MSG_OOB), 1);
	CHECK_EQ(buf[0], 'X');
	CHECK_EQ(ERRNO_OF(recv(e[1], buf, 1, MSG_OOB)), EINVAL);
	CHECK_EQ(recv(e[1], buf, sizeof(buf), 0), 2);
	CHECK_EQ(buf[0], 'e');
	CHECK_EQ(set_int(e[1], SOL_SOCKET, SO_OOBINLINE, 1), 0);
	CHECK_EQ(send(e[0], "gY", 2, MSG_OOB), 2);
	CHECK_EQ(recv(e[1], buf, sizeof(buf), 0), 1);
	CHECK_EQ(recv(e[1], buf, sizeof(buf), 0), 1);
	CHECK_EQ(buf[0], 'Y');
	close(e[0]);
	close(e[1]);
}

TEST(ipv6_and_mapped)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6}, peer;
	socklen_t len = sizeof(peer);
	int l = socket(AF_INET6, SOCK_STREAM, 0), c, s, port;

	CHECK_EQ(bind(l, (struct sockaddr *)&a, sizeof(a)), 0);
	CHECK_EQ(listen(l, 4), 0);
	port = port_of(l);
	c = tcp_client(port);
	s = accept(l, (struct sockaddr *)&peer, &len);
	CHECK(s >= 0);
	CHECK_EQ(len, sizeof(peer));
	CHECK_EQ(peer.sin6_family, AF_INET6);
	CHECK(IN6_IS_ADDR_V4MAPPED(&peer.sin6_addr));
	close(c);
	close(s);
	c = socket(AF_INET6, SOCK_STREAM, 0);
	a = lo6_addr(port);
	CHECK_EQ(connect(c, (struct sockaddr *)&a, sizeof(a)), 0);
	s = accept(l, (struct sockaddr *)&peer, &len);
	CHECK(s >= 0);
	CHECK(IN6_IS_ADDR_LOOPBACK(&peer.sin6_addr));
	close(c);
	close(s);
	close(l);
}

TEST(port_reuse)
{
	int port, l = tcp_listener(1, &port), b = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in a = lo_addr(port), any = lo_addr(port);

	CHECK_EQ(ERRNO_OF(bind(b, (struct sockaddr *)&a, sizeof(a))), EADDRINUSE);
	any.sin_addr.s_addr = htonl(INADDR_ANY);
	CHECK_EQ(ERRNO_OF(bind(b, (struct sockaddr *)&any, sizeof(any))), EADDRINUSE);
	a.sin_addr.s_addr = htonl(0x7f000002);
	CHECK_EQ(bind(b, (struct sockaddr *)&a, sizeof(a)), 0);
	CHECK_EQ(ERRNO_OF(bind(b, (struct sockaddr *)&a, sizeof(a))), EINVAL);
	close(b);
	close(l);
	a.sin_addr.s_addr = htonl(0x08080808);
	b = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_EQ(ERRNO_OF(bind(b, (struct sockaddr *)&a, sizeof(a))), EADDRNOTAVAIL);
	CHECK_EQ(ERRNO_OF(bind(b, (struct sockaddr *)&a, 4)), EINVAL);
	a.sin_family = AF_INET6;
	CHECK_EQ(ERRNO_OF(bind(b, (struct sockaddr *)&a, sizeof(a))), EAFNOSUPPORT);
	close(b);
}

TEST(time_wait_keeps_the_port)
{
	int port, l = tcp_listener(1, &port), c = tcp_client(port), s = accept(l, NULL, NULL), b;
	struct sockaddr_in a = lo_addr(port);

	/* The server's end closes first. */
	close(s);
	close(c);
	close(l);
	b = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_EQ(ERRNO_OF(bind(b, (struct sockaddr *)&a, sizeof(a))), EADDRINUSE);
	close(b);
	/* Both need SO_REUSEADDR: the one that is gone had it not. */
	b = socket(AF_INET, SOCK_STREAM, 0);
	set_int(b, SOL_SOCKET, SO_REUSEADDR, 1);
	CHECK_EQ(ERRNO_OF(bind(b, (struct sockaddr *)&a, sizeof(a))), EADDRINUSE);
	close(b);
}

TEST(reuseaddr_over_time_wait)
{
	struct sockaddr_in a = lo_addr(0);
	int port, l = socket(AF_INET, SOCK_STREAM, 0), c, s, b;

	set_int(l, SOL_SOCKET, SO_REUSEADDR, 1);
	CHECK_EQ(bind(l, (struct sockaddr *)&a, sizeof(a)), 0);
	CHECK_EQ(listen(l, 1), 0);
	port = port_of(l);
	c = tcp_client(port);
	s = accept(l, NULL, NULL);
	close(s);
	close(c);
	a = lo_addr(port);
	b = socket(AF_INET, SOCK_STREAM, 0);
	set_int(b, SOL_SOCKET, SO_REUSEADDR, 1);
	CHECK_EQ(ERRNO_OF(bind(b, (struct sockaddr *)&a, sizeof(a))), EADDRINUSE);
	close(l);
	CHECK_EQ(bind(b, (struct sockaddr *)&a, sizeof(a)), 0);
	CHECK_EQ(listen(b, 1), 0);
	close(b);
}

TEST(receive_timeout)
{
	struct timeval tv = {0, 50000}, got;
	socklen_t len = sizeof(got);
	int64_t start;
	char c;
	int e[2];

	tcp_pair(e);
	CHECK_EQ(setsockopt(e[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
	CHECK_EQ(getsockopt(e[0], SOL_SOCKET, SO_RCVTIMEO, &got, &len), 0);
	CHECK(got.tv_sec == 0 && got.tv_usec >= 50000 && got.tv_usec < 60000);
	start = now_ns(CLOCK_MONOTONIC);
	CHECK_EQ(ERRNO_OF(recv(e[0], &c, 1, 0)), EAGAIN);
	CHECK(now_ns(CLOCK_MONOTONIC) - start >= 49 * NS_PER_MS);
	tv.tv_usec = 1000000;
	CHECK_EQ(ERRNO_OF(setsockopt(e[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv))), EDOM);
	close(e[0]);
	close(e[1]);
}

TEST(address_without_a_port)
{
	struct sockaddr_in a = lo_addr(0), to, name;
	socklen_t len = sizeof(name);
	int port, listener = tcp_listener(8, &port), fd = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 5);
	to = lo_addr(port);
	CHECK_EQ(get_int(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT), 0);
	CHECK_EQ(set_int(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1), 0);
	CHECK_EQ(get_int(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT), 1);
	CHECK_EQ(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	CHECK_EQ(getsockname(fd, (struct sockaddr *)&name, &len), 0);
	CHECK_EQ(name.sin_addr.s_addr, a.sin_addr.s_addr);
	CHECK_EQ(name.sin_port, 0);
	CHECK_EQ(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	CHECK_EQ(getsockname(fd, (struct sockaddr *)&name, &len), 0);
	CHECK_EQ(name.sin_addr.s_addr, a.sin_addr.s_addr);
	CHECK(name.sin_port != 0);
	CHECK_EQ(ERRNO_OF(bind(fd, (struct sockaddr *)&a, sizeof(a))), EINVAL);
	close(fd);
	close(listener);
	/* The address stays after a connect that failed; listen() chooses the port. */
	fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_EQ(set_int(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1), 0);
	CHECK_EQ(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	CHECK_EQ(ERRNO_OF(connect(fd, (struct sockaddr *)&to, sizeof(to))), ECONNREFUSED);
	CHECK_EQ(listen(fd, 1), 0);
	CHECK_EQ(getsockname(fd, (struct sockaddr *)&name, &len), 0);
	CHECK_EQ(name.sin_addr.s_addr, a.sin_addr.s_addr);
	CHECK(name.sin_port != 0);
	close(fd);
}

static struct tcp_info info_of(int fd)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);

	CHECK_EQ(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	return info;
}

static void send_and_read(int from, int to, size_t len)
{
	char buf[32768] = {0};

	for (size_t left = len; left; left -= len) {
		len = left < sizeof(buf) ? left : sizeof(buf);
		CHECK_EQ(write(from, buf, len), (ssize_t)len);
		CHECK_EQ(recv(to, buf, len, MSG_WAITALL), (ssize_t)len);
	}
}

/* The segment grows with the window: iperf3 takes the size of its datagrams from a fresh connection's. */
TEST(segment_size_over_lo)
{
	struct tcp_info info;
	int e[2], mss;

	tcp_pair(e);
	send_and_read(e[0], e[1], 100);
	/* Linux may still know nothing but the window of the SYN, which lacks a header. */
	mss = get_int(e[0], IPPROTO_TCP, TCP_MAXSEG);
	CHECK(mss >= 32741 && mss <= 32768);
	CHECK_EQ(get_int(e[1], IPPROTO_TCP, TCP_MAXSEG), 32768);
	info = info_of(e[1]);
	CHECK_EQ(info.tcpi_snd_mss, 32768);
	CHECK_EQ(info.tcpi_rcv_mss, 536);
	CHECK_EQ(info.tcpi_advmss, 65483);
	send_and_read(e[0], e[1], 2000000);
	CHECK_EQ(get_int(e[0], IPPROTO_TCP, TCP_MAXSEG), 65483);
	CHECK_EQ(get_int(e[1], IPPROTO_TCP, TCP_MAXSEG), 32768);
	close(e[0]);
	close(e[1]);
}

/* Either end's wish bounds both, less the room of the timestamps. */
TEST(segment_size_that_was_asked)
{
	int port, l = tcp_listener(1, &port), c = socket(AF_INET, SOCK_STREAM, 0), s;
	struct sockaddr_in a = lo_addr(port);

	CHECK_EQ(set_int(c, IPPROTO_TCP, TCP_MAXSEG, 1000), 0);
	CHECK_EQ(get_int(c, IPPROTO_TCP, TCP_MAXSEG), 1000);
	CHECK_EQ(connect(c, (struct sockaddr *)&a, sizeof(a)), 0);
	s = accept(l, NULL, NULL);
	CHECK_EQ(get_int(c, IPPROTO_TCP, TCP_MAXSEG), 988);
	CHECK_EQ(get_int(s, IPPROTO_TCP, TCP_MAXSEG), 988);
	close(c);
	close(s);
	CHECK_EQ(set_int(l, IPPROTO_TCP, TCP_MAXSEG, 600), 0);
	c = tcp_client(port);
	s = accept(l, NULL, NULL);
	CHECK_EQ(get_int(c, IPPROTO_TCP, TCP_MAXSEG), 588);
	CHECK_EQ(info_of(s).tcpi_snd_mss, 588);
	close(c);
	close(s);
	close(l);
}

/* How much a sender may have on its way to an end that does not read. */
static long in_flight(int from)
{
	static char much[65536];
	long sum = 0, n;

	while ((n = send(from, much, sizeof(much), MSG_DONTWAIT)) > 0)
		sum += n;
	CHECK_EQ(errno, EAGAIN);
	return sum;
}

TEST(both_ends_have_large_buffers)
{
	int e[2];

	tcp_pair(e);
	CHECK(in_flight(e[0]) >= 200000);
	CHECK(in_flight(e[1]) >= 200000);
	close(e[0]);
	close(e[1]);
}
