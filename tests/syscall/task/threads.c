/*
 * Threads: creation, joining, cancellation, identity, clone's argument checks, scheduling calls.
 */
#include "tests/syscall/task/task.h"

#include <linux/sched.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static int counter;

static void *count(void *arg)
{
	for (int i = 0; i < 1000; i++)
		__atomic_add_fetch(&counter, 1, __ATOMIC_RELAXED);
	return arg;
}

TEST(many_threads_start_and_end)
{
	pthread_t threads[16];

	counter = 0;
	for (int round = 0; round < 20; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
			threads[i] = thread_start(count, &threads[i]);
		for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
			void *result;

			CHECK_EQ(pthread_join(threads[i], &result), 0);
			CHECK(result == &threads[i]);
		}
	}
	CHECK_EQ(counter, 20 * 16 * 1000);
}

static void *wait_for_ever(void *arg)
{
	for (;;)
		pause();
	return arg;
}

TEST(cancelled_thread_ends)
{
	pthread_t thread = thread_start(wait_for_ever, NULL);
	void *result;

	CHECK_EQ(pthread_cancel(thread), 0);
	CHECK_EQ(pthread_join(thread, &result), 0);
	CHECK(result == PTHREAD_CANCELED);
}

static void *tell_ids(void *arg)
{
	pid_t *ids = arg;

	ids[0] = getpid();
	ids[1] = gettid();
	return NULL;
}

TEST(thread_has_its_own_number)
{
	pid_t ids[2];

	thread_join(thread_start(tell_ids, ids));
	CHECK_EQ(ids[0], getpid());
	CHECK(ids[1] != getpid() && ids[1] > 0);
	WAIT_UNTIL(sys2(SYS_tkill, ids[1], 0) == -ESRCH); /* the join may come first */
	CHECK_EQ(gettid(), getpid());
	CHECK_EQ(sys1(SYS_set_tid_address, 0), getpid());
}

TEST(clone_refuses_what_makes_no_sense)
{
	struct clone_args args = {.flags = CLONE_VM, .stack = 4096}, large[64] = {0};
	struct errno_case cases[] = {
		{"thread without handlers", SYS_clone, {CLONE_THREAD}, EINVAL},
		{"handlers without memory", SYS_clone, {CLONE_SIGHAND}, EINVAL},
		{"namespace with shared fs", SYS_clone, {CLONE_NEWNS | CLONE_FS}, EINVAL},
		{"stack without size", SYS_clone3, {(long)&args, sizeof(args)}, EINVAL},
		{"too small", SYS_clone3, {(long)&args, 56}, EINVAL},
		{"too large", SYS_clone3, {(long)&args, 4097}, E2BIG},
		{"bad pointer", SYS_clone3, {16, 88}, EFAULT},
		{"unknown field", SYS_clone3, {(long)large, sizeof(args) + 8}, E2BIG},
	};

	memset(large, 0, sizeof(large));
	((char *)large)[sizeof(args) + 3] = 1;
	check_errno_cases(cases, ARRAY_SIZE(cases));
}

TEST(name_is_cut_at_fifteen)
{
	char name[16];

	CHECK_EQ(prctl(PR_SET_NAME, "a name longer than fifteen"), 0);
	CHECK_EQ(prctl(PR_GET_NAME, name), 0);
	CHECK(!strcmp(name, "a name longer t"));
	CHECK_EQ(sys1(SYS_prctl, 0x7777), -EINVAL);
}

TEST(affinity)
{
	cpu_set_t all, one;

	CHECK_EQ(sched_getaffinity(0, sizeof(all), &all), 0);
	CHECK(CPU_COUNT(&all) >= 1);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &all))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		CHECK_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
		CHECK_EQ(sched_getcpu(), cpu);
	}
	CHECK_EQ(sched_setaffinity(0, sizeof(all), &all), 0);
	CPU_ZERO(&one);
	CHECK_EQ(sched_setaffinity(0, sizeof(one), &one), -1);
	CHECK_EQ(errno, EINVAL);
	CHECK_EQ(sys3(SYS_sched_getaffinity, 0, 3, &one), -EINVAL);
	CHECK_EQ(sys3(SYS_sched_getaffinity, 0x3fffff, 8, &one), -ESRCH);
}

TEST(policies)
{
	struct sched_param rt = {.sched_priority = 5}, none = {0};

	CHECK_EQ(sched_getscheduler(0), SCHED_OTHER);
	CHECK_EQ(sched_setscheduler(0, SCHED_FIFO, &none), -1);
	CHECK_EQ(errno, EINVAL);
	CHECK_EQ(sched_setscheduler(0, SCHED_OTHER, &rt), -1);
	CHECK_EQ(errno, EINVAL);
	CHECK_EQ(sched_setscheduler(0, SCHED_RR, &rt), 0);
	CHECK_EQ(sched_getscheduler(0), SCHED_RR);
	CHECK_EQ(sched_getparam(0, &none), 0);
	CHECK_EQ(none.sched_priority, 5);
	none.sched_priority = 0;
	CHECK_EQ(sched_setscheduler(0, SCHED_BATCH, &none), 0);
	CHECK_EQ(sched_getscheduler(0), SCHED_BATCH);
	CHECK_EQ(sched_setscheduler(0, SCHED_OTHER, &none), 0);
	CHECK_EQ(sched_get_priority_max(SCHED_FIFO), 99);
	CHECK_EQ(sched_get_priority_min(SCHED_FIFO), 1);
	CHECK_EQ(sched_get_priority_max(SCHED_OTHER), 0);
	CHECK_EQ(sched_get_priority_max(77), -1);
	CHECK_EQ(sched_yield(), 0);
}

TEST(nice_values)
{
	CHECK_EQ(setpriority(PRIO_PROCESS, 0, 5), 0);
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 5);
	CHECK_EQ(setpriority(PRIO_PROCESS, 0, 100), 0);
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 19);
	CHECK_EQ(setpriority(PRIO_PROCESS, 0, 0), 0);
	CHECK_EQ(sys3(SYS_setpriority, 9, 0, 0), -EINVAL);
	CHECK_EQ(sys2(SYS_getpriority, PRIO_PROCESS, 0x3fffff), -ESRCH);
}
