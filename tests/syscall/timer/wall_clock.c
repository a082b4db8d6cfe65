/*
 * clock_settime moves what waits for an absolute time of the wall clock, and nothing else.
 */
#include "tests/syscall/timer/timer.h"

#include <poll.h>
#include <sys/timerfd.h>

#ifndef TFD_TIMER_CANCEL_ON_SET
#define TFD_TIMER_CANCEL_ON_SET 2
#endif

static void shift_clock(int64_t ns)
{
	struct timespec ts = timespec_of(now_ns(CLOCK_REALTIME) + ns);

	CHECK_EQ(clock_settime(CLOCK_REALTIME, &ts), 0);
}

struct sleeper {
	clockid_t clock;
	int flags;
	int64_t until;
	int done;
};

static void *sleep_thread(void *arg)
{
	struct sleeper *s = arg;
	struct timespec ts = timespec_of(s->until);

	clock_nanosleep(s->clock, s->flags, &ts, NULL);
	__atomic_store_n(&s->done, 1, __ATOMIC_RELEASE);
	return NULL;
}

#define HOUR (3600 * NS_PER_SEC)

TEST(absolute_sleepers_follow_the_clock)
{
	struct sleeper wall = {CLOCK_REALTIME, TIMER_ABSTIME, now_ns(CLOCK_REALTIME) + HOUR, 0};
	pthread_t thread = thread_start(sleep_thread, &wall);

	sleep_ms(20);
	CHECK(!__atomic_load_n(&wall.done, __ATOMIC_ACQUIRE));
	shift_clock(2 * HOUR);
	WAIT_UNTIL(__atomic_load_n(&wall.done, __ATOMIC_ACQUIRE));
	shift_clock(-2 * HOUR);
	thread_join(thread);
}

TEST(relative_sleepers_do_not)
{
	struct sleeper s = {CLOCK_REALTIME, 0, NS_PER_SEC, 0};
	pthread_t thread = thread_start(sleep_thread, &s);

	sleep_ms(20);
	shift_clock(HOUR);
	sleep_ms(10);
	CHECK(!__atomic_load_n(&s.done, __ATOMIC_ACQUIRE));
	shift_clock(-HOUR);
	thread_join(thread);
}

TEST(absolute_timers_follow_the_clock)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2};
	struct itimerspec s = {.it_value = timespec_of(now_ns(CLOCK_REALTIME) + HOUR)};
	siginfo_t info;
	timer_t id;

	block(SIGUSR2);
	CHECK_EQ(timer_create(CLOCK_REALTIME, &event, &id), 0);
	CHECK_EQ(timer_settime(id, TIMER_ABSTIME, &s, NULL), 0);
	CHECK_EQ(take(SIGUSR2, 20 * NS_PER_MS, &info), -1);
	shift_clock(2 * HOUR);
	CHECK_EQ(take(SIGUSR2, 5 * NS_PER_SEC, &info), SIGUSR2);
	shift_clock(-2 * HOUR);
	timer_delete(id);
}

TEST(timer_descriptors_follow_the_clock)
{
	struct itimerspec s = {.it_value = timespec_of(now_ns(CLOCK_REALTIME) + HOUR)}, left;
	int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	uint64_t n;

	CHECK_EQ(timerfd_settime(fd, TFD_TIMER_ABSTIME, &s, NULL), 0);
	CHECK_EQ(poll(&pfd, 1, 10), 0);
	shift_clock(HOUR / 2);
	CHECK_EQ(timerfd_gettime(fd, &left), 0);
	CHECK(left.it_value.tv_sec <= 1800 && left.it_value.tv_sec > 1790);
	shift_clock(HOUR);
	CHECK_EQ(poll(&pfd, 1, 5000), 1);
	CHECK_EQ(read(fd, &n, 8), 8);
	CHECK_EQ(n, 1);
	shift_clock(-HOUR - HOUR / 2);
	close(fd);
}

TEST(a_set_clock_cancels)
{
	struct itimerspec s = {.it_value = timespec_of(now_ns(CLOCK_REALTIME) + 5 * HOUR)};
	int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	const int flags = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;
	uint64_t n;

	CHECK_EQ(timerfd_settime(fd, flags, &s, NULL), 0);
	CHECK_EQ(poll(&pfd, 1, 10), 0);
	shift_clock(HOUR);
	CHECK_EQ(poll(&pfd, 1, 5000), 1);
	CHECK_EQ(sys3(SYS_read, fd, &n, 8), -ECANCELED);
	CHECK_EQ(sys3(SYS_read, fd, &n, 8), -EAGAIN);
	shift_clock(-HOUR);
	CHECK_EQ(sys4(SYS_timerfd_settime, fd, flags, &s, NULL), -ECANCELED);
	CHECK_EQ(sys3(SYS_read, fd, &n, 8), -EAGAIN);
	/* Without the flag nothing is cancelled. */
	CHECK_EQ(timerfd_settime(fd, TFD_TIMER_ABSTIME, &s, NULL), 0);
	shift_clock(HOUR);
	shift_clock(-HOUR);
	CHECK_EQ(sys3(SYS_read, fd, &n, 8), -EAGAIN);
	close(fd);
}

TEST(sleeping_on_cpu_clocks)
{
	struct timespec ts = timespec_of(NS_PER_MS), later;
	int64_t start = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	struct errno_case cases[] = {
		{"own thread",
		 SYS_clock_nanosleep,
		 {CLOCK_THREAD_CPUTIME_ID, 0, (long)&ts, 0},
		 EOPNOTSUPP},
		{"own thread by number", SYS_clock_nanosleep, {-2, 0, (long)&ts, 0}, EINVAL},
		{"coarse", SYS_clock_nanosleep, {CLOCK_REALTIME_COARSE, 0, (long)&ts, 0}, EOPNOTSUPP},
		{"unknown", SYS_clock_nanosleep, {77, 0, (long)&ts, 0}, EINVAL},
		{"address", SYS_clock_nanosleep, {0, 0, 8, 0}, EFAULT},
	};

	check_errno_cases(cases, ARRAY_SIZE(cases));
	later = timespec_of(start);
	CHECK_EQ(clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, TIMER_ABSTIME, &later, NULL), 0);
}
