/* The shortest system calls, and the clock with and without one. */
#define _GNU_SOURCE
#include "perf/core/core.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static pid_t parent;

void getppid_prepare(struct bench_team *team)
{
	(void)team;
	parent = getppid();
}

/* getppid does nothing in the kernel but read a word: the way in and out is what it costs. */
void getppid_work(struct bench_worker *worker)
{
	for (; worker->done < worker->ops; worker->done++)
		if (getppid() != parent)
			bench_fail("getppid changed its answer");
}

/* @now must follow @last; both are readings of CLOCK_MONOTONIC. */
static inline void check_clock(const struct timespec *last, const struct timespec *now)
{
	if (now->tv_sec < last->tv_sec ||
	    (now->tv_sec == last->tv_sec && now->tv_nsec < last->tv_nsec))
		bench_fail("CLOCK_MONOTONIC went backwards");
}

void clock_vdso_work(struct bench_worker *worker)
{
	struct timespec last = {0}, now;

	for (; worker->done < worker->ops; worker->done++, last = now) {
		if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
			bench_fail("clock_gettime: %s", strerror(errno));
		check_clock(&last, &now);
	}
}

void clock_syscall_work(struct bench_worker *worker)
{
	struct timespec last = {0}, now;

	for (; worker->done < worker->ops; worker->done++, last = now) {
		if (syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now) < 0)
			bench_fail("clock_gettime by system call: %s", strerror(errno));
		check_clock(&last, &now);
	}
}
