/*
 * Futexes that nobody shares: what entering the kernel, the key, the hash and the bucket cost.
 * Each thread has a word on its own cache line. wait: FUTEX_WAIT whose value differs, which
 * must answer EAGAIN. wake: FUTEX_WAKE without a waiter, which must answer 0. timeout: FUTEX_WAIT
 * that sleeps until its 10 us have passed. lock-pi: FUTEX_LOCK_PI and FUTEX_UNLOCK_PI of a free
 * word, both in the kernel.
 */
#include "perf/futex_contention/futex_contention.h"
#include "perf/lib/futex.h"

static struct {
	_Alignas(BENCH_LINE) _Atomic uint32_t word;
} words[BENCH_MAX_THREADS];

void private_wait_work(struct bench_worker *worker)
{
	_Atomic uint32_t *word = &words[worker->index].word;

	for (; worker->done < worker->ops; worker->done++) {
		int answer = futex_wait(word, 1, NULL);

		if (answer != -EAGAIN)
			bench_fail("FUTEX_WAIT on another value answered %d, not EAGAIN", answer);
	}
}

void private_wake_work(struct bench_worker *worker)
{
	_Atomic uint32_t *word = &words[worker->index].word;

	for (; worker->done < worker->ops; worker->done++) {
		int answer = futex_wake(word, 1);

		if (answer != 0)
			bench_fail("FUTEX_WAKE without a waiter answered %d, not 0", answer);
	}
}

void private_timeout_work(struct bench_worker *worker)
{
	const struct timespec timeout = {.tv_nsec = 10000};
	_Atomic uint32_t *word = &words[worker->index].word;

	for (; worker->done < worker->ops; worker->done++) {
		int answer = futex_wait(word, 0, &timeout);

		if (answer != -ETIMEDOUT)
			bench_fail("FUTEX_WAIT with a timeout answered %d, not ETIMEDOUT", answer);
	}
}

/* A free word can be had without a wait. */
const char *pi_setup(struct bench_team *team)
{
	_Atomic uint32_t word = 0;

	(void)team;
	return futex_op(&word, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL, NULL, 0) == -ENOSYS
		       ? bench_unsupported("FUTEX_LOCK_PI")
		       : NULL;
}

void private_lock_pi_work(struct bench_worker *worker)
{
	_Atomic uint32_t *word = &words[worker->index].word;

	for (; worker->done < worker->ops; worker->done++) {
		int answer = futex_op(word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0);

		if (answer == 0)
			answer = futex_op(word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0);
		if (answer || atomic_load(word))
			bench_fail("FUTEX_LOCK_PI and UNLOCK_PI answered %d, left %#x", answer,
				   atomic_load(word));
	}
}
