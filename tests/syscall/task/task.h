/*
 * Shared by the tests of processes, threads, signals and time.
 */
#ifndef TESTS_SYSCALL_TASK_TASK_H
#define TESTS_SYSCALL_TASK_TASK_H

#include "tests/syscall/harness.h"

#include <signal.h>

static inline sigset_t one_signal(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	return set;
}

static inline void block_signal(int sig, bool block)
{
	sigset_t set = one_signal(sig);

	CHECK_EQ(pthread_sigmask(block ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL), 0);
}

static inline void set_handler(int sig, void (*fn)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action = {.sa_sigaction = fn, .sa_flags = SA_SIGINFO | flags};

	CHECK_EQ(sigaction(sig, &action, NULL), 0);
}

#endif
