/*
 * setitimer and getitimer.
 */
#include "tests/syscall/timer/timer.h"

#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

static struct itimerval setting(long value_us, long interval_us)
{
	return (struct itimerval){.it_value = {value_us / 1000000, value_us % 1000000},
				  .it_interval = {interval_us / 1000000, interval_us % 1000000}};
}

static long set(int which, long value_us, long interval_us)
{
	struct itimerval s = setting(value_us, interval_us);

	return setitimer(which, &s, NULL);
}

TEST(real_timer_fires_once)
{
	struct itimerval now;
	siginfo_t info;
	int64_t start;

	block(SIGALRM);
	CHECK_EQ(set(ITIMER_REAL, 100 * 1000000L, 0), 0);
	CHECK_EQ(getitimer(ITIMER_REAL, &now), 0);
	CHECK(now.it_value.tv_sec > 0 && now.it_value.tv_sec <= 100);
	start = now_ns(CLOCK_MONOTONIC);
	CHECK_EQ(set(ITIMER_REAL, 30000, 0), 0);
	CHECK_EQ(take(SIGALRM, 5 * NS_PER_SEC, &info), SIGALRM);
	CHECK(now_ns(CLOCK_MONOTONIC) - start >= 30 * NS_PER_MS);
	CHECK_EQ(info.si_code, SI_KERNEL);
	CHECK_EQ(getitimer(ITIMER_REAL, &now), 0);
	CHECK_EQ(now.it_value.tv_usec, 0);
	CHECK_EQ(take(SIGALRM, 50 * NS_PER_MS, &info), -1);
}

TEST(real_timer_repeats)
{
	struct itimerval now, old;
	siginfo_t info;

	CHECK_EQ(set(ITIMER_REAL, 1, 100000), 0);
	for (int i = 0; i < 5; i++)
		CHECK_EQ(take(SIGALRM, 5 * NS_PER_SEC, &info), SIGALRM);
	/* Several periods, one signal; far from where the next one begins. */
	sleep_ms(350);
	CHECK_EQ(take(SIGALRM, 0, &info), SIGALRM);
	CHECK_EQ(take(SIGALRM, 0, &info), -1);
	now = setting(0, 0);
	CHECK_EQ(setitimer(ITIMER_REAL, &now, &old), 0);
	CHECK_EQ(old.it_interval.tv_usec, 100000);
	CHECK(old.it_value.tv_usec > 0 && old.it_value.tv_usec <= 100000);
	CHECK_EQ(take(SIGALRM, 30 * NS_PER_MS, &info), -1);
}

TEST(no_setting_disarms)
{
	siginfo_t info;

	CHECK_EQ(set(ITIMER_REAL, 20000, 0), 0);
	CHECK_EQ(sys3(SYS_setitimer, ITIMER_REAL, NULL, NULL), 0);
	CHECK_EQ(take(SIGALRM, 50 * NS_PER_MS, &info), -1);
}

TEST(cpu_timers_count_cpu_time)
{
	struct itimerval now;
	siginfo_t info;

	block(SIGPROF);
	CHECK_EQ(set(ITIMER_PROF, 50000, 20000), 0);
	/* Asleep, nothing happens. */
	CHECK_EQ(take(SIGPROF, 150 * NS_PER_MS, &info), -1);
	CHECK_EQ(burn_until(SIGPROF, 2 * NS_PER_SEC, &info), SIGPROF);
	CHECK_EQ(burn_until(SIGPROF, 2 * NS_PER_SEC, &info), SIGPROF);
	CHECK_EQ(getitimer(ITIMER_PROF, &now), 0);
	CHECK_EQ(now.it_interval.tv_usec, 20000);
	CHECK_EQ(set(ITIMER_PROF, 0, 0), 0);
}

TEST(virtual_timers_count_user_time)
{
	siginfo_t info;

	block(SIGVTALRM);
	CHECK_EQ(set(ITIMER_VIRTUAL, 50000, 0), 0);
	CHECK_EQ(take(SIGVTALRM, 100 * NS_PER_MS, &info), -1);
	CHECK_EQ(burn_until(SIGVTALRM, 2 * NS_PER_SEC, &info), SIGVTALRM);
	burn(100 * NS_PER_MS);
	CHECK_EQ(take(SIGVTALRM, 0, &info), -1);
}

static void *burn_thread(void *arg)
{
	(void)arg;
	burn(150 * NS_PER_MS);
	return NULL;
}

TEST(cpu_time_of_all_threads_counts)
{
	pthread_t threads[2];
	siginfo_t info;

	CHECK_EQ(set(ITIMER_PROF, 250000, 0), 0);
	for (int i = 0; i < 2; i++)
		threads[i] = thread_start(burn_thread, NULL);
	for (int i = 0; i < 2; i++)
		thread_join(threads[i]);
	/* Less than the threads leave to be seen. */
	CHECK_EQ(burn_until(SIGPROF, 200 * NS_PER_MS, &info), SIGPROF);
}

TEST(timers_do_not_pass_to_children)
{
	int status;

	CHECK_EQ(set(ITIMER_REAL, 10000000, 0), 0);
	if (fork() == 0) {
		struct itimerval now;

		getitimer(ITIMER_REAL, &now);
		_exit(now.it_value.tv_sec || now.it_value.tv_usec);
	}
	CHECK(wait(&status) > 0);
	CHECK_EQ(status, 0);
	CHECK_EQ(set(ITIMER_REAL, 0, 0), 0);
}

TEST(itimer_errors)
{
	struct itimerval good = setting(0, 0), bad = setting(0, 0), bad2 = setting(0, 0);
	char *nothing = page_unmapped();
	struct errno_case cases[] = {
		{"get, which", SYS_getitimer, {3, (long)&good}, EINVAL},
		{"get, address", SYS_getitimer, {0, (long)nothing}, EFAULT},
		{"set, which", SYS_setitimer, {3, (long)&good, 0}, EINVAL},
		{"set, address", SYS_setitimer, {0, (long)nothing, 0}, EFAULT},
		{"set, which and address", SYS_setitimer, {3, (long)nothing, 0}, EFAULT},
		{"set, old", SYS_setitimer, {0, (long)&good, (long)nothing}, EFAULT},
		{"set, microseconds", SYS_setitimer, {0, (long)&bad, 0}, EINVAL},
		{"set, negative", SYS_setitimer, {0, (long)&bad2, 0}, EINVAL},
	};

	bad.it_value.tv_usec = 1000000;
	bad2.it_interval.tv_sec = -1;
	check_errno_cases(cases, ARRAY_SIZE(cases));
}

static volatile sig_atomic_t limit_signals;

static void count_limit(int sig)
{
	(void)sig;
	limit_signals++;
}

TEST(cpu_limit_signals_and_kills)
{
	struct rlimit limit = {1, 2};
	int status;

	if (fork() == 0) {
		signal(SIGXCPU, count_limit);
		setrlimit(RLIMIT_CPU, &limit);
		while (!limit_signals)
			burn(NS_PER_MS);
		/* The limit is compared with time sampled by ticks, the clock is exact. */
		if (now_ns(CLOCK_PROCESS_CPUTIME_ID) < NS_PER_SEC / 2)
			_exit(1);
		for (;;)
			burn(NS_PER_MS);
	}
	CHECK(wait(&status) > 0);
	CHECK(WIFSIGNALED(status));
	CHECK_EQ(WTERMSIG(status), SIGKILL);
}
