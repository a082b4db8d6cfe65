/*
 * One mutex for all threads. An operation is lock, a short section, unlock, a short pause.
 *
 * The threads draw operations from one counter that only the mutex protects, so all of them
 * contend to the end, and the check finds every failure of mutual exclusion that lost an update:
 * the counter must equal both the target and the sum of what each thread says it did.
 */
#include "perf/futex_contention/futex_contention.h"
#include "perf/futex_contention/locks.h"

#include <string.h>

#define LOOPS_INSIDE  32
#define LOOPS_OUTSIDE 32

static struct futex_mutex futex_lock;
static pthread_mutex_t pthread_lock;
static _Alignas(BENCH_LINE) _Atomic uint32_t pi_word;
static _Alignas(BENCH_LINE) volatile uint64_t counter; /* under the benchmark's mutex */

static int set_attributes(pthread_mutexattr_t *attr, enum mutex kind)
{
	if (kind == MUTEX_ROBUST)
		return pthread_mutexattr_setrobust(attr, PTHREAD_MUTEX_ROBUST);
	if (kind == MUTEX_PI)
		return pthread_mutexattr_setprotocol(attr, PTHREAD_PRIO_INHERIT);
	return 0;
}

const char *mutex_pthread_setup(struct bench_team *team)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	errno = set_attributes(&attr, team->bench->arg);
	if (errno == 0)
		errno = pthread_mutex_init(&pthread_lock, &attr);
	pthread_mutexattr_destroy(&attr);
	if (errno)
		return bench_unsupported("pthread_mutex_init");
	if (team->bench->arg == MUTEX_PI)
		return pi_setup(team);
	return NULL;
}

void mutex_prepare(struct bench_team *team)
{
	(void)team;
	counter = 0;
}

static struct timespec far_deadline(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec += 10 * BENCH_WATCHDOG_S;
	return now;
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

void mutex_timed_work(struct bench_worker *worker)
{
	const struct timespec deadline = far_deadline();
	bool more = true;

	while (more) {
		int error = pthread_mutex_timedlock(&pthread_lock, &deadline);

		if (error)
			bench_fail("pthread_mutex_timedlock: %s", strerror(error));
		more = draw(worker);
		pthread_mutex_unlock(&pthread_lock);
		bench_spin(LOOPS_OUTSIDE);
	}
}

void mutex_pi_work(struct bench_worker *worker)
{
	uint32_t tid = syscall(SYS_gettid);
	bool more = true;

	while (more) {
		pi_lock(&pi_word, tid);
		more = draw(worker);
		pi_unlock(&pi_word, tid);
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
