/*
 * One thread (worker 0) wakes 64 that wait for the same word. An operation is a whole round:
 * broadcast, every waiter runs and reports, the last one wakes the broadcaster, all sleep again.
 * In the versions that requeue, all but one waiter are first moved to a second word.
 *
 * round: number of the broadcast. arrived: waiters that saw it. A waiter may find the next round
 * open before it slept: then it does not sleep, and nothing is lost.
 */
#include "perf/futex_contention/futex_contention.h"
#include "perf/lib/futex.h"

#include <limits.h>

static _Alignas(BENCH_LINE) _Atomic uint32_t round_word;   /* [a] futex */
static _Alignas(BENCH_LINE) _Atomic uint32_t arrived_word; /* [a] futex */
static _Alignas(BENCH_LINE) _Atomic uint32_t second_word;  /* [a] futex, always 0 */

/* The same two counters for the pthread version, under its mutex. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t opened = PTHREAD_COND_INITIALIZER;
static pthread_cond_t complete = PTHREAD_COND_INITIALIZER;
static uint32_t round_count, arrived_count;

void broadcast_prepare(struct bench_team *team)
{
	(void)team;
	atomic_store(&round_word, 0);
	atomic_store(&arrived_word, 0);
	round_count = 0;
	arrived_count = 0;
}

/* Wake all that wait for the round that has just ended. */
static void wake_all(enum broadcast version, uint32_t now)
{
	const void *all = (const void *)(uintptr_t)INT_MAX;
	int answer;

	if (version == BROADCAST_WAKE) {
		futex_wake(&round_word, INT_MAX);
		return;
	}
	if (version == BROADCAST_REQUEUE)
		answer = futex_op(&round_word, FUTEX_REQUEUE_PRIVATE, 1, all, &second_word, 0);
	else
		answer = futex_op(&round_word, FUTEX_CMP_REQUEUE_PRIVATE, 1, all, &second_word, now);
	if (answer < 0 || answer > BROADCAST_WAITERS)
		bench_fail("requeue of at most %d waiters answered %d", BROADCAST_WAITERS, answer);
	futex_wake(&second_word, INT_MAX);
}

static void futex_broadcaster(struct bench_worker *worker)
{
	for (; worker->done < worker->team->ops; worker->done++) {
		uint32_t arrived, now;

		atomic_store(&arrived_word, 0);
		now = atomic_fetch_add(&round_word, 1) + 1;
		wake_all(worker->team->bench->arg, now);
		while ((arrived = atomic_load(&arrived_word)) != BROADCAST_WAITERS)
			futex_wait(&arrived_word, arrived, NULL);
	}
}

static void futex_waiter(struct bench_worker *worker)
{
	for (; worker->done < worker->team->ops; worker->done++) {
		while (atomic_load(&round_word) == (uint32_t)worker->done)
			futex_wait(&round_word, worker->done, NULL);
		if (atomic_fetch_add(&arrived_word, 1) == BROADCAST_WAITERS - 1)
			futex_wake(&arrived_word, 1);
	}
}

void broadcast_futex_work(struct bench_worker *worker)
{
	if (worker->index == 0)
		futex_broadcaster(worker);
	else
		futex_waiter(worker);
}

static void pthread_broadcaster(struct bench_worker *worker)
{
	pthread_mutex_lock(&lock);
	for (; worker->done < worker->team->ops; worker->done++) {
		arrived_count = 0;
		round_count++;
		pthread_cond_broadcast(&opened);
		while (arrived_count != BROADCAST_WAITERS)
			pthread_cond_wait(&complete, &lock);
	}
	pthread_mutex_unlock(&lock);
}

static void pthread_waiter(struct bench_worker *worker)
{
	pthread_mutex_lock(&lock);
	for (; worker->done < worker->team->ops; worker->done++) {
		while (round_count == (uint32_t)worker->done)
			pthread_cond_wait(&opened, &lock);
		if (++arrived_count == BROADCAST_WAITERS)
			pthread_cond_signal(&complete);
	}
	pthread_mutex_unlock(&lock);
}

void broadcast_pthread_work(struct bench_worker *worker)
{
	if (worker->index == 0)
		pthread_broadcaster(worker);
	else
		pthread_waiter(worker);
}

/* Every worker takes part in every round. */
void broadcast_check(struct bench_team *team)
{
	for (int i = 0; i < team->threads; i++)
		if (team->workers[i].done != team->ops)
			bench_fail("worker %d took part in %llu rounds of %llu", i,
				   (unsigned long long)team->workers[i].done,
				   (unsigned long long)team->ops);
}
