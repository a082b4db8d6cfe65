/*
 * Harts that stay in user mode do not hold up what the kernel defers until nobody can look at it any more: memory of what has ended comes back
 * while they spin. Scaled down from an hour.
 */
#include "tests/syscall/harness.h"

#include <sched.h>
#include <sys/wait.h>

#define CHILDREN 1500

static bool stop;

static void *spin_on(void *arg)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((long)arg, &set);
	sched_setaffinity(0, sizeof(set), &set);
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		;
	return NULL;
}

static long free_kib(void)
{
	return proc_value("/proc/meminfo", "MemFree:");
}

static void run_children(int n)
{
	for (int i = 0; i < n; i++) {
		int status;
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		if (!CHECK(pid > 0) || !CHECK_EQ(waitpid(pid, &status, 0), pid))
			return;
	}
}

TEST(spinning_harts_stall_no_grace_period)
{
	long harts = sysconf(_SC_NPROCESSORS_ONLN), before, after;
	pthread_t threads[64];
	cpu_set_t all, first;

	sched_getaffinity(0, sizeof(all), &all);
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	sched_setaffinity(0, sizeof(first), &first);
	for (long i = 1; i < harts; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, spin_on, (void *)i), 0);
	run_children(100); /* fills what the kernel keeps at hand */
	before = free_kib();
	run_children(CHILDREN);
	after = free_kib();
	/* A process takes 16 KiB and more; those that ended lately may still be counted. */
	if (!CHECK(before - after < 8 * 1024))
		printf("# free: %ld KiB before, %ld after\n", before, after);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (long i = 1; i < harts; i++)
		pthread_join(threads[i], NULL);
	sched_setaffinity(0, sizeof(all), &all);
}
