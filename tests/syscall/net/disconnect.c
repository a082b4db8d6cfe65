/*
 * connect() to AF_UNSPEC gives a TCP connection up: a reset for the peer, a fresh socket here.
 */
#include "tests/syscall/net/net.h"

static int disconnect(int fd)
{
	struct sockaddr none = {.sa_family = AF_UNSPEC};

	return ERRNO_OF(connect(fd, &none, sizeof(none)));
}

static int connect_to(int fd, int port)
{
	struct sockaddr_in to = lo_addr(port);

	return ERRNO_OF(connect(fd, (struct sockaddr *)&to, sizeof(to)));
}

static void check_echo(int from, int to)
{
	char buf[8];

	CHECK_EQ(write(from, "echo", 4), 4);
	CHECK_EQ(recv(to, buf, sizeof(buf), 0), 4);
}

TEST(a_connection_is_given_up)
{
	struct sockaddr_in name;
	socklen_t len = sizeof(name);
	int port, l = tcp_listener(8, &port), c = tcp_client(port), a = accept(l, NULL, NULL);
	char byte;

	CHECK_EQ(write(c, "unread", 6), 6);
	CHECK_EQ(write(a, "unread", 6), 6);
	CHECK_EQ(disconnect(c), 0);
	CHECK_EQ(so_error(c), ECONNRESET);
	CHECK_EQ(so_error(c), 0);
	CHECK_EQ(ERRNO_OF(getpeername(c, (struct sockaddr *)&name, &len)), ENOTCONN);
	CHECK_EQ(ERRNO_OF(recv(c, &byte, 1, 0)), ENOTCONN);
	CHECK_EQ(ERRNO_OF(send(c, "x", 1, MSG_NOSIGNAL)), EPIPE);
	/* The peer reads what came before, then hears of it. */
	CHECK_EQ(recv(a, (char[6]){0}, 6, MSG_WAITALL), 6);
	CHECK_EQ(ERRNO_OF(read(a, &byte, 1)), ECONNRESET);
	close(a);
	/* And again. */
	for (int i = 0; i < 200; i++) {
		CHECK_EQ(connect_to(c, port), 0);
		a = accept(l, NULL, NULL);
		check_echo(c, a);
		check_echo(a, c);
		CHECK_EQ(disconnect(c), 0);
		CHECK_EQ(so_error(c), ECONNRESET);
		CHECK_EQ(ERRNO_OF(read(a, &byte, 1)), ECONNRESET);
		close(a);
	}
	close(c);
	close(l);
}

TEST(an_accepted_end_gives_up)
{
	int port, l = tcp_listener(8, &port), c = tcp_client(port), a = accept(l, NULL, NULL), b;
	char byte;

	CHECK_EQ(disconnect(a), 0);
	CHECK_EQ(so_error(a), ECONNRESET);
	CHECK_EQ(ERRNO_OF(read(c, &byte, 1)), ECONNRESET);
	close(c);
	/* It may connect now. */
	CHECK_EQ(connect_to(a, port), 0);
	b = accept(l, NULL, NULL);
	check_echo(a, b);
	check_echo(b, a);
	CHECK_EQ(disconnect(b), 0);
	CHECK_EQ(ERRNO_OF(read(a, &byte, 1)), ECONNRESET);
	close(b);
	close(a);
	close(l);
}

TEST(half_closed_ones_give_up)
{
	int port, l = tcp_listener(8, &port), c = tcp_client(port), a = accept(l, NULL, NULL);
	char byte;

	CHECK_EQ(shutdown(c, SHUT_WR), 0);
	CHECK_EQ(read(a, &byte, 1), 0);
	CHECK_EQ(disconnect(c), 0);
	CHECK_EQ(so_error(c), ECONNRESET);
	CHECK_EQ(connect_to(c, port), 0);
	close(a);
	a = accept(l, NULL, NULL);
	check_echo(c, a);
	/* The other way round. */
	CHECK_EQ(shutdown(a, SHUT_WR), 0);
	CHECK_EQ(read(c, &byte, 1), 0);
	CHECK_EQ(disconnect(c), 0);
	CHECK_EQ(ERRNO_OF(send(a, "x", 1, MSG_NOSIGNAL)) != 0 || so_error(a) != 0 ||
			 recv(a, &byte, 1, 0) <= 0,
		 1);
	close(a);
	close(c);
	close(l);
}

static void *blocked_reader(void *arg)
{
	char byte;
	ssize_t n = read((int)(intptr_t)arg, &byte, 1);

	return (void *)(intptr_t)(n < 0 ? errno : 0);
}

/* Whoever waits in a read gets on. */
TEST(who_waits_is_woken)
{
	for (long i = 0; i < test_rounds(30); i++) {
		int port, l = tcp_listener(8, &port), c = tcp_client(port), a = accept(l, NULL, NULL);
		pthread_t thread = thread_start(blocked_reader, (void *)(intptr_t)c);

		if (i % 2)
			sleep_ms(2);
		CHECK_EQ(disconnect(c), 0);
		thread_join(thread);
		close(a);
		close(c);
		close(l);
	}
}

static void *early_sender(void *arg)
{
	int fd = (int)(intptr_t)arg;
	long sent;

	/* Before connect() begins nothing can be sent. */
	do
		sent = send(fd, "x", 1, MSG_NOSIGNAL);
	while (sent < 0 && errno == EPIPE);
	return (void *)(intptr_t)sent;
}

/* Who sends while connect() is under way waits until it is over, and no longer. */
TEST(sending_races_with_connecting)
{
	int port, l = tcp_listener(8, &port);

	for (long i = 0; i < test_rounds(300); i++) {
		int c = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), a;
		pthread_t thread = thread_start(early_sender, (void *)(intptr_t)c);
		void *sent;
		char byte;

		if (i % 2)
			sched_yield();
		CHECK_EQ(connect_to(c, port), 0);
		a = accept(l, NULL, NULL);
		CHECK_EQ(pthread_join(thread, &sent), 0);
		CHECK_EQ((long)(intptr_t)sent, 1);
		CHECK_EQ(read(a, &byte, 1), 1);
		close(a);
		close(c);
	}
	close(l);
}

static void *late_sender(void *arg)
{
	return (void *)(intptr_t)send((int)(intptr_t)arg, "x", 1, MSG_NOSIGNAL);
}

/* The listener's queue is full, so the connection waits, and who sends with it. */
TEST(giving_up_a_beginning_wakes_who_sends)
{
	int port, l = tcp_listener(0, &port), first = tcp_client(port);
	int c = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	pthread_t thread;
	void *sent;

	CHECK_EQ(connect_to(c, port), EINPROGRESS);
	CHECK_EQ(fcntl(c, F_SETFL, 0), 0);
	thread = thread_start(late_sender, (void *)(intptr_t)c);
	sleep_ms(20);
	CHECK_EQ(disconnect(c), 0);
	CHECK_EQ(pthread_join(thread, &sent), 0);
	CHECK_EQ((long)(intptr_t)sent, -1);
	close(c);
	close(first);
	close(l);
}

static volatile bool stop;

static void *pushing(void *arg)
{
	char buf[4096] = {0};

	while (!stop)
		(void)!send((int)(intptr_t)arg, buf, sizeof(buf), MSG_NOSIGNAL);
	return NULL;
}

/* One thread sends without end while another one gives the connection up and makes the next. */
TEST(giving_up_races_with_sends)
{
	int port, l = tcp_listener(8, &port), c = tcp_client(port), a = accept(l, NULL, NULL);
	pthread_t thread;
	char buf[4096];

	stop = false;
	thread = thread_start(pushing, (void *)(intptr_t)c);
	for (long i = 0; i < test_rounds(40); i++) {
		CHECK(read(a, buf, sizeof(buf)) > 0);
		if (!CHECK_EQ(disconnect(c), 0))
			break;
		close(a);
		CHECK_EQ(connect_to(c, port), 0);
		a = accept(l, NULL, NULL);
	}
	stop = true;
	close(a);
	thread_join(thread);
	close(c);
	close(l);
}
