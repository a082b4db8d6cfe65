/*
 * RLIMIT_RTTIME: how long a real-time thread may run without a sleep.
 */
#include "tests/syscall/harness.h"

#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static volatile sig_atomic_t signals;

static void count_signal(int sig)
{
	(void)sig;
	signals++;
}

static void compute_for(int64_t ns)
{
	int64_t end = now_ns(CLOCK_THREAD_CPUTIME_ID) + ns;

	while (now_ns(CLOCK_THREAD_CPUTIME_ID) < end)
		;
}

static void become_real_time(long soft_ms, long hard_ms)
{
	struct rlimit limit = {(rlim_t)soft_ms * 1000, (rlim_t)hard_ms * 1000};
	struct sched_param param = {.sched_priority = 1};

	signal(SIGXCPU, count_signal);
	CHECK_EQ(setrlimit(RLIMIT_RTTIME, &limit), 0);
	CHECK_EQ(sched_setscheduler(0, SCHED_FIFO, &param), 0);
}

static int run_on(void)
{
	int64_t begin = now_ns(CLOCK_THREAD_CPUTIME_ID);

	become_real_time(300, 900);
	while (!signals)
		compute_for(NS_PER_MS);
	/* Linux counts ticks, of which each is taken whole. */
	if (!CHECK(now_ns(CLOCK_THREAD_CPUTIME_ID) - begin > 150 * NS_PER_MS))
		return CHILD_FAILED;
	compute_for(20 * NS_PER_SEC);
	return 1;
}

TEST(a_real_time_thread_that_never_sleeps_is_warned_and_killed)
{
	int status = child_status(run_on);

	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* A child has limit and policy of its parent. */
static int run_on_in_child(void)
{
	int status;
	pid_t pid;

	become_real_time(200, 400);
	pid = fork();
	if (pid == 0) {
		compute_for(20 * NS_PER_SEC);
		_exit(1);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	CHECK_EQ(signals, 0);
	return 0;
}

TEST(a_real_time_child_is_killed)
{
	CHECK_EQ(child_status(run_on_in_child), 0);
}

static int sleep_between(void)
{
	become_real_time(1000, 2000);
	for (int i = 0; i < 40; i++) {
		compute_for(50 * NS_PER_MS);
		sleep_ms(1);
	}
	CHECK_EQ(signals, 0);
	return 0;
}

TEST(a_sleep_begins_the_count_anew)
{
	CHECK_EQ(child_status(sleep_between), 0);
}

/* Ordinary threads may run as long as they like. */
static int run_fair(void)
{
	struct rlimit limit = {1000, 2000};

	CHECK_EQ(setrlimit(RLIMIT_RTTIME, &limit), 0);
	compute_for(100 * NS_PER_MS);
	return 0;
}

TEST(only_real_time_threads_are_limited)
{
	CHECK_EQ(child_status(run_fair), 0);
}
