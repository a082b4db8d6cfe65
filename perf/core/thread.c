/* Switching between threads and making them. */
#define _GNU_SOURCE
#include "perf/core/core.h"

#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>

/*
 * Two workers yield. On one hart each yield should switch to the other worker; on two harts
 * nobody else is there and the call only comes back.
 */
void yield_work(struct bench_worker *worker)
{
	for (; worker->done < worker->ops; worker->done++)
		if (sched_yield() < 0)
			bench_fail("sched_yield: %s", strerror(errno));
}

static void *thread_main(void *arg)
{
	*(uint64_t *)arg += 1;
	return arg;
}

/* One thread at a time; each adds one, so a thread that did not run shows. */
void thread_work(struct bench_worker *worker)
{
	uint64_t ran = 0;

	for (; worker->done < worker->ops; worker->done++) {
		pthread_t thread;
		void *result;
		int error = pthread_create(&thread, NULL, thread_main, &ran);

		if (error)
			bench_fail("pthread_create: %s", strerror(error));
		error = pthread_join(thread, &result);
		if (error || result != &ran)
			bench_fail("pthread_join: %s",
				   error ? strerror(error) : "wrong result of the thread");
		if (ran != worker->done + 1)
			bench_fail("pthread_join came back before the thread had run");
	}
}
