/*
 * One mutex for all threads. An operation is lock, a short section, unlock, a short pause.
 *
 * The threads draw operations from one counter that only the mutex protects, so all of them
 * contend to the end, and the check finds every failure of mutual exclusion that lost an update:
 * the counter must equal both the target and the sum of what each thread says it did.
 */
#include "perf/futex_contention/futex_contention.h"
#include "perf/futex_contention/locks.h"

#define LOOPS_INSIDE  32
#define LOOPS_OUTSIDE 32

static struct futex_mutex futex_lock;
static pthread_mutex_t pthread_lock = PTHREAD_MUTEX_INITIALIZER;
static _Alignas(BENCH_LINE) volatile uint64_t counter; /* under the benchmark's mutex */

void mutex_prepare(struct bench_team *team)
{
	(void)team;
	counter = 0;
}

/* Inside the mutex: take one operation. Return: whether one was left. */
static inline bool draw(struct bench_worker *worker)
{
	uint64_t before = counter;

	if (before == worker->team->ops)
		return false;
	bench_spin(LOOPS_INSIDE);
	counter = before + 1;
	worker->done++;
	return true;
}

void mutex_futex_work(struct bench_worker *worker)
{
	bool more = true;

	while (more) {
		futex_mutex_lock(&futex_lock);
		more = draw(worker);
		futex_mutex_unlock(&futex_lock);
		bench_spin(LOOPS_OUTSIDE);
	}
}

void mutex_pthread_work(struct bench_worker *worker)
{
	bool more = true;

	while (more) {
		pthread_mutex_lock(&pthread_lock);
		more = draw(worker);
		pthread_mutex_unlock(&pthread_lock);
		bench_spin(LOOPS_OUTSIDE);
	}
}

void mutex_check(struct bench_team *team)
{
	uint64_t done = bench_done(team);

	if (counter != team->ops || done != team->ops)
		bench_fail("mutual exclusion violated: counter %llu, %llu sections run, %llu asked",
			   (unsigned long long)counter, (unsigned long long)done,
			   (unsigned long long)team->ops);
}
