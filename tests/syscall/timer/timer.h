/*
 * Shared by the tests of timers: signals that are waited for, not handled.
 */
#ifndef TESTS_SYSCALL_TIMER_TIMER_H
#define TESTS_SYSCALL_TIMER_TIMER_H

#include "tests/syscall/harness.h"

#include <signal.h>

static inline sigset_t one_signal(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	return set;
}

static inline void block(int sig)
{
	sigset_t set = one_signal(sig);

	CHECK_EQ(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
}

/* Waits up to `ns` for `sig`; its number, or -1. */
static inline int take(int sig, int64_t ns, siginfo_t *info)
{
	sigset_t set = one_signal(sig);
	struct timespec limit = timespec_of(ns);

	return sigtimedwait(&set, info, &limit);
}

/* Uses `ns` of this thread's CPU time. */
static inline void burn(int64_t ns)
{
	int64_t end = now_ns(CLOCK_THREAD_CPUTIME_ID) + ns;

	while (now_ns(CLOCK_THREAD_CPUTIME_ID) < end)
		for (volatile int i = 0; i < 10000; i++)
			;
}

/* Uses up to `ns` of CPU time, until signal `sig` comes: the tick that sees the time may be late. Returns as take(). */
static inline int burn_until(int sig, int64_t ns, siginfo_t *info)
{
	int taken = -1;

	for (; ns > 0 && taken < 0; ns -= 10 * NS_PER_MS) {
		burn(10 * NS_PER_MS);
		taken = take(sig, 0, info);
	}
	return taken;
}

#endif
