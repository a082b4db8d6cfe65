/*
 * Sockets in flight that only reach each other: the kernel finds and frees them. As on Linux the close of some other AF_UNIX socket makes it look.
 */
#include "tests/syscall/unix/unix.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/un.h>

#define MANY 300

/* A pipe whose only write end travels with the message: its read end tells when that is gone. */
static int send_with_witness(int s, int fd)
{
	int p[2];

	CHECK_EQ(pipe2(p, O_NONBLOCK), 0);
	CHECK_EQ(send_fds(s, "x", 1, (int[2]){fd, p[1]}, 2), 1);
	close(p[1]);
	return p[0];
}

/* Nobody holds the other end any more. */
static bool ended(int witness)
{
	char c;

	return read(witness, &c, 1) == 0;
}

/* Something of the family is closed. */
static bool stir(void)
{
	close(socket(AF_UNIX, SOCK_DGRAM, 0));
	return true;
}

static void wait_end(int witness)
{
	WAIT_UNTIL(stir() && ended(witness));
	close(witness);
}

static void in_its_own_queue(int type)
{
	int e[2], witness;

	pair(type, e);
	witness = send_with_witness(e[0], e[1]);
	CHECK(!ended(witness));
	both_close(e);
	wait_end(witness);
}

TEST(a_socket_in_its_own_queue)
{
	in_its_own_queue(SOCK_STREAM);
	in_its_own_queue(SOCK_DGRAM);
	in_its_own_queue(SOCK_SEQPACKET);
}

TEST(both_ends_in_one_queue)
{
	int e[2], witness;

	pair(SOCK_STREAM, e);
	witness = send_with_witness(e[0], e[1]);
	CHECK_EQ(send_fds(e[0], "y", 1, e, 1), 1);
	both_close(e);
	wait_end(witness);
}

/* Pairs in a ring: each one's queue holds the next one's end. */
TEST(a_ring_of_sockets)
{
	int e[MANY][2], witness[MANY];

	for (int i = 0; i < MANY; i++)
		pair(i % 2 ? SOCK_STREAM : SOCK_DGRAM, e[i]);
	for (int i = 0; i < MANY; i++)
		witness[i] = send_with_witness(e[i][0], e[(i + 1) % MANY][1]);
	for (int i = 0; i < MANY; i++)
		both_close(e[i]);
	for (int i = 0; i < MANY; i++)
		wait_end(witness[i]);
}

/* A ring that one open descriptor reaches stays, with all that hangs on it. */
TEST(a_ring_that_is_reached_stays)
{
	int e[3][2], witness[3], fd, flags;
	char c;

	for (int i = 0; i < 3; i++)
		pair(SOCK_STREAM, e[i]);
	for (int i = 0; i < 3; i++)
		witness[i] = send_with_witness(e[i][0], e[(i + 1) % 3][1]);
	for (int i = 0; i < 3; i++)
		close(e[i][0]);
	close(e[1][1]);
	close(e[2][1]);
	for (int i = 0; i < 20; i++)
		stir();
	for (int i = 0; i < 3; i++)
		CHECK(!ended(witness[i]));
	/* The next one's end comes out of the queue of the one that is open. */
	CHECK_EQ(recv_fd(e[0][1], &c, 1, &fd, &flags), 1);
	CHECK(fd >= 0);
	close(e[0][1]);
	for (int i = 0; i < 20; i++)
		stir();
	CHECK(!ended(witness[1]));
	close(fd);
	for (int i = 0; i < 3; i++)
		wait_end(witness[i]);
}

/* No circle, but a chain that would be closed from the inside of a close, as long as it is. */
TEST(a_long_chain_falls)
{
	int first[2], e[2], next[2], witness;

	pair(SOCK_STREAM, e);
	witness = send_with_witness(e[0], STDIN_FILENO);
	for (int i = 0; i < 3000; i++) {
		pair(SOCK_STREAM, next);
		CHECK_EQ(send_fds(next[0], "x", 1, &e[1], 1), 1);
		both_close(e);
		memcpy(e, next, sizeof(e));
	}
	memcpy(first, e, sizeof(first));
	CHECK(!ended(witness));
	both_close(first);
	wait_end(witness);
}

/* A listener in flight whose connection, not accepted yet, holds the listener. */
TEST(a_listener_held_by_its_own_guest)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	socklen_t len = offsetof(struct sockaddr_un, sun_path) + 5;
	int l = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0), witness;
	bool bound = false;

	memcpy(a.sun_path + 1, "loop", 4);
	CHECK_EQ(bind(l, (struct sockaddr *)&a, len), 0);
	CHECK_EQ(listen(l, 4), 0);
	CHECK_EQ(connect(c, (struct sockaddr *)&a, len), 0);
	witness = send_with_witness(c, l);
	close(l);
	for (int i = 0; i < 20; i++)
		stir();
	close(c);
	wait_end(witness);
	/* The name is free again. */
	l = socket(AF_UNIX, SOCK_STREAM, 0);
	WAIT_UNTIL(bound || (bound = bind(l, (struct sockaddr *)&a, len) == 0));
	close(l);
}

static int limited(void)
{
	struct rlimit limit = {64, 64};
	int e[2], sent = 0, ret = 0;

	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
	CHECK_EQ(setuid(4711), 0);
	pair(SOCK_STREAM, e);
	while (sent < 1000 && (ret = (int)send_fds(e[0], "x", 1, &e[0], 1)) == 1)
		sent++;
	CHECK_EQ(sent, 65);
	CHECK_EQ(ret, -1);
	CHECK_EQ(errno, ETOOMANYREFS);
	return 0;
}

TEST(files_in_flight_are_limited)
{
	CHECK_EQ(child_status(limited), 0);
}

/* Two threads send, receive and close while circles are collected: whatever was not in one is delivered whole. */
static volatile bool stop;

static void *circles(void *arg)
{
	(void)arg;
	while (!stop) {
		int e[2];

		if (socketpair(AF_UNIX, SOCK_STREAM, 0, e))
			continue;
		(void)send_fds(e[0], "x", 1, &e[1], 1);
		both_close(e);
	}
	return NULL;
}

TEST(collecting_takes_nothing_that_is_used)
{
	pthread_t thread = thread_start(circles, NULL);

	for (long i = 0; i < test_rounds(300); i++) {
		int e[2], f[2], fd, flags;
		char c;

		pair(SOCK_STREAM, e);
		pair(SOCK_STREAM, f);
		/* Each waits in the other one's queue, then one is taken out. */
		CHECK_EQ(send_fds(e[0], "1", 1, &f[1], 1), 1);
		CHECK_EQ(send_fds(f[0], "2", 1, &e[1], 1), 1);
		close(f[1]);
		close(f[0]);
		CHECK_EQ(recv_fd(e[1], &c, 1, &fd, &flags), 1);
		close(e[1]);
		CHECK(fd >= 0);
		CHECK_EQ(recv_fd(fd, &c, 1, &e[1], &flags), 1);
		CHECK_EQ(c, '2');
		CHECK_EQ(write(e[0], "!", 1), 1);
		CHECK_EQ(read(e[1], &c, 1), 1);
		close(fd);
		both_close(e);
	}
	stop = true;
	thread_join(thread);
}
