/*
 * TCP_DEFER_ACCEPT over lo: accept() gives a connection out when its first bytes are there, its end, or its time is over.
 */
#include "tests/syscall/net/net.h"

static int deferring_listener(int seconds, int *port)
{
	int l = tcp_listener(8, port);

	CHECK_EQ(set_int(l, IPPROTO_TCP, TCP_DEFER_ACCEPT, seconds), 0);
	CHECK_EQ(fcntl(l, F_SETFL, O_NONBLOCK), 0);
	return l;
}

static int accept_soon(int l)
{
	int fd = -1;

	WAIT_UNTIL(fd >= 0 || (fd = accept(l, NULL, NULL)) >= 0);
	return fd;
}

/* Seconds become the time that so many repetitions of SYN and ACK take. */
TEST(defer_accept_rounds_up)
{
	static const int told[][2] = {{1, 1},	{2, 3},	    {3, 3}, {4, 7},
				      {60, 63}, {200, 247}, {0, 0}, {-5, 0}};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	CHECK_EQ(get_int(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT), 0);
	for (size_t i = 0; i < ARRAY_SIZE(told); i++) {
		CHECK_EQ(set_int(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, told[i][0]), 0);
		CHECK_EQ(get_int(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT), told[i][1]);
	}
	close(fd);
}

TEST(defer_accept_waits_for_data)
{
	int port, l = deferring_listener(60, &port), c = tcp_client(port), a;
	char buf[8];

	CHECK_EQ(poll_now(c), POLLOUT);
	CHECK_EQ(ERRNO_OF(accept(l, NULL, NULL)), EAGAIN);
	CHECK_EQ(poll_now(l), 0);
	CHECK_EQ(write(c, "data", 4), 4);
	a = accept_soon(l);
	CHECK_EQ(recv(a, buf, sizeof(buf), MSG_DONTWAIT), 4);
	CHECK_EQ(get_int(a, IPPROTO_TCP, TCP_DEFER_ACCEPT), 0);
	CHECK_EQ(write(a, "back", 4), 4);
	CHECK_EQ(recv(c, buf, 4, MSG_WAITALL), 4);
	close(a);
	close(c);
	close(l);
}

TEST(defer_accept_ends_with_the_end)
{
	int port, l = deferring_listener(60, &port), c = tcp_client(port), a;
	char byte;

	CHECK_EQ(shutdown(c, SHUT_WR), 0);
	a = accept_soon(l);
	CHECK_EQ(read(a, &byte, 1), 0);
	CHECK_EQ(write(a, "x", 1), 1);
	CHECK_EQ(read(c, &byte, 1), 1);
	close(a);
	close(c);
	c = tcp_client(port);
	close(c);
	a = accept_soon(l);
	CHECK_EQ(read(a, &byte, 1), 0);
	close(a);
	close(l);
}

TEST(defer_accept_forgets_who_resets)
{
	int port, l = deferring_listener(60, &port), c = tcp_client(port), a;
	struct linger linger = {.l_onoff = 1};

	CHECK_EQ(setsockopt(c, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	close(c);
	c = tcp_client(port);
	CHECK_EQ(write(c, "second", 6), 6);
	a = accept_soon(l);
	CHECK_EQ(ERRNO_OF(accept(l, NULL, NULL)), EAGAIN);
	close(a);
	close(c);
	close(l);
}

TEST(defer_accept_has_an_end)
{
	int port, l = deferring_listener(1, &port), c = tcp_client(port), a;

	CHECK_EQ(ERRNO_OF(accept(l, NULL, NULL)), EAGAIN);
	a = accept_soon(l);
	CHECK_EQ(write(c, "late", 4), 4);
	CHECK_EQ(recv(a, (char[4]){0}, 4, MSG_WAITALL), 4);
	close(a);
	close(c);
	close(l);
}

/* Data that are written while the listener goes find nobody; nothing is left behind. */
static void *writer(void *arg)
{
	(void)!send((int)(intptr_t)arg, "x", 1, MSG_NOSIGNAL);
	return NULL;
}

TEST(defer_accept_closing_races_with_data)
{
	for (long i = 0; i < test_rounds(50); i++) {
		int port, l = deferring_listener(60, &port), c = tcp_client(port);
		pthread_t thread = thread_start(writer, (void *)(intptr_t)c);

		close(l);
		thread_join(thread);
		WAIT_UNTIL(poll_now(c) & POLLHUP || recv(c, (char[1]){0}, 1, MSG_DONTWAIT) == 0 ||
			   errno == ECONNRESET);
		close(c);
	}
}
