/*
 * Shared by the tests of process descriptors, signal descriptors and restartable sequences.
 */
#ifndef TESTS_SYSCALL_PROCESS_PROCESS_H
#define TESTS_SYSCALL_PROCESS_PROCESS_H

#include "tests/syscall/harness.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

static inline void block(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	CHECK_EQ(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
}

/* The events that `fd` has within `ms`. */
static inline int poll_one(int fd, int ms)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};

	return poll(&pfd, 1, ms) > 0 ? pfd.revents : 0;
}

/* A child that sleeps until it is killed. */
static inline pid_t sleeping_child(void)
{
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

#endif
