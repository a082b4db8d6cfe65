/*
 * Pipes, and waiting for them.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/select.h>

#include "tests/syscall/harness.h"

TEST(pipe_passes_bytes)
{
	char text[16] = "";
	int fds[2];

	CHECK_EQ(pipe(fds), 0);
	CHECK_EQ(write(fds[1], "abcdef", 6), 6);
	CHECK_EQ(read(fds[0], text, 2), 2);
	CHECK_EQ(read(fds[0], text + 2, 10), 4);
	CHECK_EQ(strcmp(text, "abcdef"), 0);
	close(fds[1]);
	CHECK_EQ(read(fds[0], text, 1), 0);
	close(fds[0]);
}

TEST(pipe_without_reader)
{
	int fds[2];

	signal(SIGPIPE, SIG_IGN);
	CHECK_EQ(pipe(fds), 0);
	close(fds[0]);
	CHECK(write(fds[1], "x", 1) == -1 && errno == EPIPE);
	close(fds[1]);
	signal(SIGPIPE, SIG_DFL);
}

static void *close_later(void *arg)
{
	sleep_ms(20);
	close((int)(long)arg);
	return NULL;
}

TEST(poll_waits_for_pipes)
{
	struct pollfd fds[2];
	int p[2];
	pthread_t thread;

	CHECK_EQ(pipe(p), 0);
	fds[0] = (struct pollfd){.fd = p[0], .events = POLLIN};
	fds[1] = (struct pollfd){.fd = p[1], .events = POLLOUT};
	CHECK_EQ(poll(fds, 2, -1), 1);
	CHECK(fds[0].revents == 0 && fds[1].revents == POLLOUT);
	CHECK_EQ(poll(fds, 1, 10), 0);
	CHECK_EQ(write(p[1], "x", 1), 1);
	CHECK_EQ(poll(fds, 1, -1), 1);
	CHECK_EQ(fds[0].revents, POLLIN);
	CHECK_EQ(read(p[0], &thread, 1), 1);
	thread = thread_start(close_later, (void *)(long)p[1]);
	CHECK_EQ(poll(fds, 1, 5000), 1);
	CHECK_EQ(fds[0].revents, POLLHUP);
	thread_join(thread);
	fds[0].fd = 999;
	CHECK_EQ(poll(fds, 1, 0), 1);
	CHECK_EQ(fds[0].revents, POLLNVAL);
	fds[0].fd = -1;
	CHECK_EQ(poll(fds, 1, 0), 0);
	close(p[0]);
}

TEST(select_waits_for_pipes)
{
	struct timeval tv = {0, 10000};
	fd_set set;
	int p[2];

	CHECK_EQ(pipe(p), 0);
	FD_ZERO(&set);
	FD_SET(p[0], &set);
	CHECK_EQ(select(p[0] + 1, &set, NULL, NULL, &tv), 0);
	CHECK_EQ(write(p[1], "x", 1), 1);
	FD_SET(p[0], &set);
	CHECK_EQ(select(p[0] + 1, &set, NULL, NULL, NULL), 1);
	CHECK(FD_ISSET(p[0], &set));
	close(p[0]);
	close(p[1]);
}
