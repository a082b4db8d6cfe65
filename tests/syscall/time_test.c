/*
 * Clocks, sleeps and their bounds.
 */
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>

#include "tests/syscall/harness.h"

/* How late a sleep may end on a busy host. */
#define LATE_NS (2 * NS_PER_SEC)

static int64_t call_ns(clockid_t clock)
{
	struct timespec ts = {0};

	CHECK_EQ(sys2(SYS_clock_gettime, clock, &ts), 0);
	CHECK(ts.tv_nsec >= 0 && ts.tv_nsec < NS_PER_SEC);
	return ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

TEST(clocks_run_and_never_go_back)
{
	static const clockid_t clocks[] = {CLOCK_REALTIME,
					   CLOCK_MONOTONIC,
					   CLOCK_MONOTONIC_RAW,
					   CLOCK_REALTIME_COARSE,
					   CLOCK_MONOTONIC_COARSE,
					   CLOCK_BOOTTIME,
					   CLOCK_TAI,
					   CLOCK_PROCESS_CPUTIME_ID,
					   CLOCK_THREAD_CPUTIME_ID};

	for (size_t i = 0; i < ARRAY_SIZE(clocks); i++) {
		int64_t first = call_ns(clocks[i]), last = first;
		int64_t end = now_ns(CLOCK_MONOTONIC) + 30 * NS_PER_MS;

		while (now_ns(CLOCK_MONOTONIC) < end) {
			int64_t now = call_ns(clocks[i]);

			if (now < last)
				CHECK_EQ(now, last);
			last = now;
		}
		CHECK(last > first);
	}
}

/* The page in user space and the kernel tell one time. */
TEST(vdso_agrees_with_the_call)
{
	static const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC};

	for (size_t i = 0; i < ARRAY_SIZE(clocks); i++)
		for (int n = 0; n < 1000; n++) {
			int64_t before = call_ns(clocks[i]), inside = now_ns(clocks[i]);
			int64_t after = call_ns(clocks[i]);

			if (inside < before || inside > after)
				CHECK_EQ(inside, before);
		}
}

static void *clock_on_all_harts(void *arg)
{
	static int64_t latest;

	(void)arg;
	for (int i = 0; i < 20000; i++) {
		int64_t seen = __atomic_load_n(&latest, __ATOMIC_SEQ_CST);
		int64_t now = now_ns(CLOCK_MONOTONIC);

		/* Coarse: harts' counters are one counter, so even a nanosecond back is wrong. */
		if (now < seen)
			CHECK_EQ(now, seen);
		__atomic_store_n(&latest, now, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

TEST(harts_agree_on_the_time)
{
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		threads[i] = thread_start(clock_on_all_harts, NULL);
	for (int i = 0; i < 4; i++)
		thread_join(threads[i]);
}

TEST(realtime_is_a_date)
{
	struct timeval tv;

	CHECK(now_ns(CLOCK_REALTIME) > 1700000000 * NS_PER_SEC);
	CHECK_EQ(gettimeofday(&tv, NULL), 0);
	CHECK(llabs(tv.tv_sec * NS_PER_SEC + tv.tv_usec * 1000 - now_ns(CLOCK_REALTIME)) < NS_PER_SEC);
	CHECK_EQ(sys2(SYS_gettimeofday, &tv, NULL), 0);
	CHECK(llabs(tv.tv_sec - (long)time(NULL)) <= 1);
}

TEST(resolution_is_told)
{
	struct timespec ts = {9, 9};

	CHECK_EQ(sys2(SYS_clock_getres, CLOCK_MONOTONIC, &ts), 0);
	CHECK_EQ(ts.tv_sec, 0);
	CHECK_EQ(ts.tv_nsec, 1);
	CHECK_EQ(sys2(SYS_clock_getres, CLOCK_REALTIME, NULL), 0);
}

TEST(cpu_time_counts_work_only)
{
	int64_t begin = call_ns(CLOCK_THREAD_CPUTIME_ID), process = call_ns(CLOCK_PROCESS_CPUTIME_ID);
	int64_t wall = now_ns(CLOCK_MONOTONIC), took;
	struct rusage usage;
	struct tms tms;

	while (call_ns(CLOCK_THREAD_CPUTIME_ID) - begin < 30 * NS_PER_MS)
		if (!CHECK(now_ns(CLOCK_MONOTONIC) - wall < 20 * NS_PER_SEC))
			return;
	CHECK(call_ns(CLOCK_PROCESS_CPUTIME_ID) - process >= 29 * NS_PER_MS);
	begin = call_ns(CLOCK_THREAD_CPUTIME_ID);
	sleep_ms(300);
	took = call_ns(CLOCK_THREAD_CPUTIME_ID) - begin;
	CHECK(took < 200 * NS_PER_MS);
	CHECK_EQ(getrusage(RUSAGE_SELF, &usage), 0);
	CHECK(usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec +
		      usage.ru_stime.tv_sec * 1000000 + usage.ru_stime.tv_usec >=
	      20000);
	CHECK(times(&tms) != -1);
}

TEST(sleeps_last_long_enough)
{
	static const int64_t times[] = {0, 1000, 50000, NS_PER_MS, 20 * NS_PER_MS};

	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		struct timespec ts = timespec_of(times[i]);
		int64_t begin = now_ns(CLOCK_MONOTONIC), took;

		CHECK_EQ(sys2(SYS_nanosleep, &ts, NULL), 0);
		took = now_ns(CLOCK_MONOTONIC) - begin;
		CHECK(took >= times[i] && took < times[i] + LATE_NS);
	}
}

TEST(absolute_sleeps)
{
	static const clockid_t clocks[] = {CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME,
					   CLOCK_TAI};

	for (size_t i = 0; i < ARRAY_SIZE(clocks); i++) {
		int64_t end = call_ns(clocks[i]) + 20 * NS_PER_MS;
		struct timespec ts = timespec_of(end);

		CHECK_EQ(sys4(SYS_clock_nanosleep, clocks[i], TIMER_ABSTIME, &ts, NULL), 0);
		CHECK(call_ns(clocks[i]) >= end);
		CHECK(call_ns(clocks[i]) < end + LATE_NS);
		/* In the past: at once. */
		CHECK_EQ(sys4(SYS_clock_nanosleep, clocks[i], TIMER_ABSTIME, &ts, NULL), 0);
	}
}

static void *sleep_main(void *arg)
{
	int64_t *late = arg;

	for (int i = 0; i < 50; i++) {
		struct timespec ts = timespec_of(NS_PER_MS);
		int64_t begin = now_ns(CLOCK_MONOTONIC);

		nanosleep(&ts, NULL);
		if (now_ns(CLOCK_MONOTONIC) - begin < NS_PER_MS)
			*late = -1;
	}
	return NULL;
}

TEST(many_sleepers)
{
	pthread_t threads[16];
	int64_t late[16] = {0};

	for (int i = 0; i < 16; i++)
		threads[i] = thread_start(sleep_main, &late[i]);
	for (int i = 0; i < 16; i++) {
		thread_join(threads[i]);
		CHECK_EQ(late[i], 0);
	}
}

/* ---- signals ---- */

static pthread_t sleeper;

static void on_signal(int sig)
{
	(void)sig;
}

static void *interrupt_main(void *arg)
{
	sleep_ms(30);
	pthread_kill(sleeper, (int)(long)arg);
	return NULL;
}

static long interrupted_sleep(int flags, struct timespec *remaining)
{
	struct timespec ts = timespec_of(NS_PER_SEC / 2);
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	pthread_t thread;
	long ret;

	sigaction(SIGUSR1, &action, NULL);
	sleeper = pthread_self();
	if (flags & TIMER_ABSTIME)
		ts = timespec_of(now_ns(CLOCK_MONOTONIC) + NS_PER_SEC / 2);
	thread = thread_start(interrupt_main, (void *)SIGUSR1);
	ret = sys4(SYS_clock_nanosleep, CLOCK_MONOTONIC, flags, &ts, remaining);
	thread_join(thread);
	return ret;
}

/* A handler ends a sleep, SA_RESTART or not, and the rest is told. */
TEST(handler_ends_a_sleep)
{
	struct timespec remaining = {-1, 0};
	int64_t left;

	CHECK_EQ(interrupted_sleep(0, &remaining), -EINTR);
	left = remaining.tv_sec * NS_PER_SEC + remaining.tv_nsec;
	CHECK(left >= 0 && left <= NS_PER_SEC / 2 - 20 * NS_PER_MS);
	CHECK_EQ(interrupted_sleep(0, NULL), -EINTR);
	CHECK_EQ(interrupted_sleep(0, (void *)page_unmapped()), -EFAULT);
}

/* An absolute one may simply be called again. */
TEST(handler_ends_an_absolute_sleep)
{
	struct timespec remaining = {-1, 0};

	CHECK_EQ(interrupted_sleep(TIMER_ABSTIME, &remaining), -EINTR);
	CHECK_EQ(remaining.tv_sec, -1);
}

TEST(ignored_signal_does_not_end_a_sleep)
{
	struct timespec ts = timespec_of(80 * NS_PER_MS);
	int64_t begin = now_ns(CLOCK_MONOTONIC);
	pthread_t thread;

	signal(SIGUSR2, SIG_IGN);
	sleeper = pthread_self();
	thread = thread_start(interrupt_main, (void *)SIGUSR2);
	CHECK_EQ(sys2(SYS_nanosleep, &ts, NULL), 0);
	CHECK(now_ns(CLOCK_MONOTONIC) - begin >= 80 * NS_PER_MS);
	thread_join(thread);
	signal(SIGUSR2, SIG_DFL);
}

TEST(clock_errors)
{
	static struct timespec good, negative = {-1, 0}, large = {0, NS_PER_SEC}, now;
	long gone = (long)page_unmapped();
	const struct errno_case cases[] = {
		{"no such clock", SYS_clock_gettime, {77, (long)&good}, EINVAL},
		{"clock 10", SYS_clock_gettime, {10, (long)&good}, EINVAL},
		{"gettime nowhere", SYS_clock_gettime, {CLOCK_MONOTONIC, gone}, EFAULT},
		{"getres of no clock", SYS_clock_getres, {77, 0}, EINVAL},
		{"getres nowhere", SYS_clock_getres, {CLOCK_MONOTONIC, gone}, EFAULT},
		{"nanosleep negative", SYS_nanosleep, {(long)&negative, 0}, EINVAL},
		{"nanosleep 1e9", SYS_nanosleep, {(long)&large, 0}, EINVAL},
		{"nanosleep nowhere", SYS_nanosleep, {gone, 0}, EFAULT},
		{"sleep by no clock", SYS_clock_nanosleep, {77, 0, (long)&good, 0}, EINVAL},
		{"sleep by thread time",
		 SYS_clock_nanosleep,
		 {CLOCK_THREAD_CPUTIME_ID, 0, (long)&good, 0},
		 EOPNOTSUPP},
		{"sleep by raw time",
		 SYS_clock_nanosleep,
		 {CLOCK_MONOTONIC_RAW, 0, (long)&good, 0},
		 EOPNOTSUPP},
		{"sleep by coarse time",
		 SYS_clock_nanosleep,
		 {CLOCK_MONOTONIC_COARSE, 0, (long)&good, 0},
		 EOPNOTSUPP},
		{"set monotonic", SYS_clock_settime, {CLOCK_MONOTONIC, (long)&now}, EINVAL},
		{"set to negative", SYS_clock_settime, {CLOCK_REALTIME, (long)&negative}, EINVAL},
		{"set from nowhere", SYS_clock_settime, {CLOCK_REALTIME, gone}, EFAULT},
		{"gettimeofday nowhere", SYS_gettimeofday, {gone, 0}, EFAULT},
		{"gettimeofday of nothing", SYS_gettimeofday, {0, 0}, 0},
		{"times nowhere", SYS_times, {gone}, EFAULT},
		{"getrusage of whom", SYS_getrusage, {99, (long)&good}, EINVAL},
		{"getrusage nowhere", SYS_getrusage, {RUSAGE_SELF, gone}, EFAULT},
	};

	check_errno_cases(cases, ARRAY_SIZE(cases));
}

TEST(realtime_can_be_set)
{
	int64_t monotonic = now_ns(CLOCK_MONOTONIC), before = now_ns(CLOCK_REALTIME);
	struct timespec later = timespec_of(before + 3600 * NS_PER_SEC);

	CHECK_EQ(sys2(SYS_clock_settime, CLOCK_REALTIME, &later), 0);
	CHECK(llabs(now_ns(CLOCK_REALTIME) - before - 3600 * NS_PER_SEC) < 5 * NS_PER_SEC);
	CHECK(now_ns(CLOCK_MONOTONIC) - monotonic < 5 * NS_PER_SEC);
	later = timespec_of(before);
	CHECK_EQ(sys2(SYS_clock_settime, CLOCK_REALTIME, &later), 0);
}
