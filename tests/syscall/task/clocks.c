/*
 * Clocks and sleeping, by the vDSO and by call.
 */
#include "tests/syscall/task/task.h"

#include <sys/time.h>
#include <sys/times.h>

TEST(every_clock_answers)
{
	static const clockid_t clocks[] = {
		CLOCK_REALTIME,		 CLOCK_MONOTONIC,     CLOCK_PROCESS_CPUTIME_ID,
		CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE,
		CLOCK_MONOTONIC_COARSE,	 CLOCK_BOOTTIME,      CLOCK_TAI,
	};
	struct timespec ts;

	for (size_t i = 0; i < ARRAY_SIZE(clocks); i++) {
		CHECK_EQ(clock_gettime(clocks[i], &ts), 0);
		CHECK(ts.tv_nsec >= 0 && ts.tv_nsec < NS_PER_SEC);
		CHECK_EQ(clock_getres(clocks[i], &ts), 0);
	}
	CHECK_EQ(clock_gettime(77, &ts), -1);
	CHECK_EQ(errno, EINVAL);
	CHECK_EQ(sys2(SYS_clock_gettime, CLOCK_MONOTONIC, 8), -EFAULT);
	CHECK_EQ(sys2(SYS_clock_getres, 77, 0), -EINVAL);
}

static int64_t by_call(clockid_t clock)
{
	struct timespec ts;

	CHECK_EQ(sys2(SYS_clock_gettime, clock, &ts), 0);
	return ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

TEST(vdso_and_call_agree)
{
	for (int i = 0; i < 1000; i++) {
		int64_t a = now_ns(CLOCK_MONOTONIC), b = by_call(CLOCK_MONOTONIC);
		int64_t c = now_ns(CLOCK_MONOTONIC);

		CHECK(a <= b && b <= c);
		a = now_ns(CLOCK_REALTIME);
		b = by_call(CLOCK_REALTIME);
		CHECK(a <= b && b - a < NS_PER_SEC);
	}
}

TEST(wall_clock_is_plausible)
{
	struct timeval tv;
	int64_t s = now_ns(CLOCK_REALTIME) / NS_PER_SEC;

	CHECK(s > 1700000000);
	CHECK_EQ(gettimeofday(&tv, NULL), 0);
	CHECK(tv.tv_sec >= s && tv.tv_sec <= s + 1);
}

TEST(sleeps_are_never_short)
{
	static const clockid_t clocks[] = {CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME};

	for (size_t i = 0; i < ARRAY_SIZE(clocks); i++) {
		int64_t start = now_ns(clocks[i]);
		struct timespec relative = timespec_of(3 * NS_PER_MS);
		struct timespec absolute = timespec_of(start + 8 * NS_PER_MS);

		CHECK_EQ(clock_nanosleep(clocks[i], 0, &relative, NULL), 0);
		CHECK(now_ns(clocks[i]) - start >= 3 * NS_PER_MS);
		CHECK_EQ(clock_nanosleep(clocks[i], TIMER_ABSTIME, &absolute, NULL), 0);
		CHECK(now_ns(clocks[i]) - start >= 8 * NS_PER_MS);
		/* A time that has passed. */
		CHECK_EQ(clock_nanosleep(clocks[i], TIMER_ABSTIME, &absolute, NULL), 0);
	}
}

TEST(sleep_errors)
{
	struct timespec large = {0, NS_PER_SEC}, negative = {-1, 0}, good = {0, 1};

	CHECK_EQ(sys2(SYS_nanosleep, &large, 0), -EINVAL);
	CHECK_EQ(sys2(SYS_nanosleep, &negative, 0), -EINVAL);
	CHECK_EQ(sys2(SYS_nanosleep, 8, 0), -EFAULT);
	CHECK_EQ(sys4(SYS_clock_nanosleep, 77, 0, &good, 0), -EINVAL);
	CHECK_EQ(sys4(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &good, 0), -EOPNOTSUPP);
	CHECK_EQ(sys4(SYS_clock_nanosleep, CLOCK_MONOTONIC_RAW, 0, &good, 0), -EOPNOTSUPP);
}

TEST(cpu_time_counts_work)
{
	int64_t thread = now_ns(CLOCK_THREAD_CPUTIME_ID), process = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	int64_t start = now_ns(CLOCK_MONOTONIC);
	struct timespec ts;
	clockid_t clock;
	struct tms tms;

	while (now_ns(CLOCK_MONOTONIC) - start < 20 * NS_PER_MS)
		;
	CHECK(now_ns(CLOCK_THREAD_CPUTIME_ID) - thread > NS_PER_MS);
	CHECK(now_ns(CLOCK_PROCESS_CPUTIME_ID) - process > NS_PER_MS);
	thread = now_ns(CLOCK_THREAD_CPUTIME_ID);
	sleep_ms(300);
	CHECK(now_ns(CLOCK_THREAD_CPUTIME_ID) - thread < 200 * NS_PER_MS);
	CHECK_EQ(pthread_getcpuclockid(pthread_self(), &clock), 0);
	CHECK_EQ(clock_gettime(clock, &ts), 0);
	CHECK_EQ(clock_getcpuclockid(0, &clock), 0);
	CHECK_EQ(clock_gettime(clock, &ts), 0);
	CHECK(times(&tms) != -1);
}
