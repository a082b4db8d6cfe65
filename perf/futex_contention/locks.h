/*
 * A mutex and a condition variable made of nothing but raw futex calls, so that what is measured
 * is the kernel and three atomic operations, not a library's policy.
 *
 * Mutex: 0 free, 1 held, 2 held and a thread may sleep. A thread that had to wait leaves 2 behind
 * when it gets the mutex, because others may still sleep: at worst one needless wake, never a
 * missing one. The slow path must exchange before it sleeps: had it slept on a 1, unlock would
 * see 1 and wake nobody.
 *
 * Condition: a counter of signals. A waiter reads it under the mutex, so a signal that follows
 * the unlock has changed it and the kernel refuses to sleep.
 */
#ifndef PERF_FUTEX_CONTENTION_LOCKS_H
#define PERF_FUTEX_CONTENTION_LOCKS_H

#include <limits.h>

#include "perf/lib/bench.h"
#include "perf/lib/futex.h"

struct futex_mutex {
	_Alignas(BENCH_LINE) _Atomic uint32_t word; /* [a] */
};

struct futex_cond {
	_Alignas(BENCH_LINE) _Atomic uint32_t signals; /* [a] */
	_Atomic uint32_t waiters;		       /* [a] changed under the mutex */
};

static inline void futex_mutex_lock(struct futex_mutex *mutex)
{
	uint32_t seen = 0;

	if (atomic_compare_exchange_strong(&mutex->word, &seen, 1))
		return;
	if (seen != 2)
		seen = atomic_exchange(&mutex->word, 2);
	while (seen != 0) {
		futex_wait(&mutex->word, 2, NULL);
		seen = atomic_exchange(&mutex->word, 2);
	}
}

static inline void futex_mutex_unlock(struct futex_mutex *mutex)
{
	if (atomic_exchange(&mutex->word, 0) == 2)
		futex_wake(&mutex->word, 1);
}

/*
 * A priority-inheritance mutex: the word is the owner's thread number, and the kernel takes part
 * only when somebody else has it or waits for it.
 */
static inline void pi_lock(_Atomic uint32_t *word, uint32_t tid)
{
	uint32_t seen = 0;
	int error;

	if (atomic_compare_exchange_strong(word, &seen, tid))
		return;
	error = futex_op(word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0);
	if (error)
		bench_fail("FUTEX_LOCK_PI answered %d", error);
}

static inline void pi_unlock(_Atomic uint32_t *word, uint32_t tid)
{
	uint32_t seen = tid;
	int error;

	if (atomic_compare_exchange_strong(word, &seen, 0))
		return;
	error = futex_op(word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0);
	if (error)
		bench_fail("FUTEX_UNLOCK_PI answered %d", error);
}

/* futex_cond_wait() - release @mutex, wait for a signal, take @mutex again. May wake early. */
static inline void futex_cond_wait(struct futex_cond *cond, struct futex_mutex *mutex)
{
	uint32_t signals = atomic_load(&cond->signals);

	atomic_fetch_add(&cond->waiters, 1);
	futex_mutex_unlock(mutex);
	futex_wait(&cond->signals, signals, NULL);
	futex_mutex_lock(mutex);
	atomic_fetch_sub(&cond->waiters, 1);
}

/*
 * futex_cond_wake() - wake at most @nr waiters; after the mutex was released.
 * A thread that begins to wait later has seen, under the mutex, what the caller changed.
 */
static inline void futex_cond_wake(struct futex_cond *cond, int nr)
{
	if (atomic_load(&cond->waiters) == 0)
		return;
	atomic_fetch_add(&cond->signals, 1);
	futex_wake(&cond->signals, nr);
}

#endif
