/*
 * Futexes that nobody shares: what entering the kernel, the key, the hash and the bucket cost.
 * Each thread has a word on its own cache line. wait: FUTEX_WAIT whose value differs, which
 * must answer EAGAIN. wake: FUTEX_WAKE without a waiter, which must answer 0.
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
