/*
 * What the futex tests share: bare calls, and waiters whose end is recorded.
 */
#ifndef TESTS_SYSCALL_FUTEX_FUTEX_H
#define TESTS_SYSCALL_FUTEX_FUTEX_H

#include <limits.h>
#include <linux/futex.h>

#include "tests/syscall/harness.h"

#define PRIVATE FUTEX_PRIVATE_FLAG

static inline long futex(volatile void *word, int op, uint32_t value, const void *timeout,
			 volatile void *word2, uint32_t value3)
{
	return sys6(SYS_futex, word, op, value, timeout, word2, value3);
}

static inline long futex_wait(uint32_t *word, int flags, uint32_t value)
{
	return futex(word, FUTEX_WAIT | flags, value, NULL, NULL, 0);
}

static inline long futex_wait_for(uint32_t *word, int flags, uint32_t value, int64_t ns)
{
	struct timespec ts = timespec_of(ns);

	return futex(word, FUTEX_WAIT | flags, value, &ts, NULL, 0);
}

static inline long futex_wake(uint32_t *word, int flags, int count)
{
	return futex(word, FUTEX_WAKE | flags, (uint32_t)count, NULL, NULL, 0);
}

static inline long futex_requeue(uint32_t *from, uint32_t *to, int flags, int wake, int move)
{
	return futex(from, FUTEX_REQUEUE | flags, (uint32_t)wake, (void *)(long)move, to, 0);
}

/* How many wait on `word`: a requeue onto itself counts and changes nothing. */
static inline long futex_waiters(uint32_t *word, int flags)
{
	return futex_requeue(word, word, flags, 0, INT_MAX);
}

/* A thread in one futex call. */
struct waiter {
	uint32_t *word;
	int op; /* FUTEX_WAIT or FUTEX_WAIT_BITSET, and flags */
	uint32_t value;
	uint32_t bitset;
	const struct timespec *timeout;
	int rt_prio; /* FIFO if not 0 */
	pthread_t thread;
	long result;
	int order; /* of its end, from 1; 0: still waits */
};

void waiter_start(struct waiter *w, uint32_t *word, int op);
/* Starts it and returns when it is queued. */
void waiter_queue(struct waiter *w, uint32_t *word, int op);
static inline bool waiter_done(struct waiter *w)
{
	return __atomic_load_n(&w->order, __ATOMIC_ACQUIRE) != 0;
}
void waiter_join(struct waiter *w, long result);
/* The next end is the first again. */
void waiter_reset_order(void);

#endif
