/*
 * What glibc builds on futexes beside mutex and condition variable: read-write lock, barrier,
 * semaphore. The mutex and condition versions are in mutex.c, queue.c and broadcast.c.
 */
#include "perf/futex_contention/futex_contention.h"

#include <errno.h>
#include <semaphore.h>

#define WRITE_EVERY 8

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static _Alignas(BENCH_LINE) volatile uint64_t pair[2]; /* under rwlock: always equal */
static pthread_barrier_t barrier;
static _Alignas(BENCH_LINE) _Atomic uint64_t passed; /* workers that came to the barrier */
static sem_t turns[2];

/* One operation of eight writes: both numbers go up by one. A reader must see them equal. */
void rwlock_work(struct bench_worker *worker)
{
	for (; worker->done < worker->ops; worker->done++) {
		if (worker->done % WRITE_EVERY == 0) {
			pthread_rwlock_wrlock(&rwlock);
			pair[0]++;
			bench_spin(WRITE_EVERY);
			pair[1]++;
		} else {
			pthread_rwlock_rdlock(&rwlock);
		}
		if (pair[0] != pair[1])
			bench_fail("half a write is seen under a read-write lock");
		pthread_rwlock_unlock(&rwlock);
	}
}

const char *barrier_setup(struct bench_team *team)
{
	errno = pthread_barrier_init(&barrier, NULL, team->threads);
	return errno ? bench_unsupported("pthread_barrier_init") : NULL;
}

void barrier_prepare(struct bench_team *team)
{
	(void)team;
	atomic_store(&passed, 0);
}

void barrier_teardown(struct bench_team *team)
{
	(void)team;
	pthread_barrier_destroy(&barrier);
}

/* Each worker passes all barriers; behind the nth all have come to it n times. */
void barrier_work(struct bench_worker *worker)
{
	uint64_t threads = worker->team->threads;

	for (; worker->done < worker->team->ops; worker->done++) {
		uint64_t seen;

		atomic_fetch_add(&passed, 1);
		pthread_barrier_wait(&barrier);
		seen = atomic_load(&passed);
		if (seen < (worker->done + 1) * threads)
			bench_fail("passed a barrier before all had come to it");
	}
}

const char *semaphore_setup(struct bench_team *team)
{
	(void)team;
	if (sem_init(&turns[0], 0, 1) < 0 || sem_init(&turns[1], 0, 0) < 0)
		return bench_unsupported("sem_init");
	return NULL;
}

/* Two workers take turns: each waits for its own semaphore and posts the other's. */
void semaphore_work(struct bench_worker *worker)
{
	for (; worker->done < worker->ops; worker->done++) {
		while (sem_wait(&turns[worker->index]) < 0)
			if (errno != EINTR)
				bench_fail("sem_wait failed");
		sem_post(&turns[1 - worker->index]);
	}
}
