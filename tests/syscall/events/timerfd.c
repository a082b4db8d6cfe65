/*
 * timerfd: one-shot, periodic, absolute, in epoll, blocking.
 */
#include "tests/syscall/events/events.h"

#include <sys/epoll.h>
#include <sys/timerfd.h>

static int timer_set(int fd, int flags, int64_t value, int64_t interval)
{
	struct itimerspec its = {.it_value = timespec_of(value),
				 .it_interval = timespec_of(interval)};

	return timerfd_settime(fd, flags, &its, NULL);
}

TEST(timer_fires_once)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	struct itimerspec its;
	int64_t start;
	uint64_t n;

	CHECK_ERRNO(read(fd, &n, 8), EAGAIN);
	CHECK_EQ(timer_set(fd, 0, 100 * NS_PER_SEC, 0), 0);
	CHECK_EQ(timerfd_gettime(fd, &its), 0);
	CHECK(its.it_value.tv_sec > 0 && its.it_value.tv_sec <= 100);
	CHECK_ERRNO(read(fd, &n, 8), EAGAIN);
	start = now_ns(CLOCK_MONOTONIC);
	CHECK_EQ(timer_set(fd, 0, 20 * NS_PER_MS, 0), 0);
	CHECK_EQ(poll(&pfd, 1, 5000), 1);
	CHECK(now_ns(CLOCK_MONOTONIC) - start >= 20 * NS_PER_MS);
	CHECK_ERRNO(read(fd, &n, 4), EINVAL);
	CHECK_EQ(read(fd, &n, 8), 8);
	CHECK_EQ(n, 1);
	CHECK_ERRNO(read(fd, &n, 8), EAGAIN);
	CHECK_EQ(timerfd_gettime(fd, &its), 0);
	CHECK_EQ(its.it_value.tv_nsec, 0);
	close(fd);
}

TEST(timer_counts_periods)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	struct itimerspec its, old;
	uint64_t n;

	CHECK_EQ(timer_set(fd, 0, 1, 10 * NS_PER_MS), 0);
	sleep_ms(55);
	CHECK_EQ(read(fd, &n, 8), 8);
	CHECK(n >= 5);
	CHECK_EQ(read(fd, &n, 8), 8);
	CHECK(n >= 1);
	CHECK_EQ(timerfd_gettime(fd, &its), 0);
	CHECK_EQ(its.it_interval.tv_nsec, 10 * NS_PER_MS);
	its = (struct itimerspec){0};
	CHECK_EQ(timerfd_settime(fd, 0, &its, &old), 0);
	CHECK_EQ(old.it_interval.tv_nsec, 10 * NS_PER_MS);
	CHECK(old.it_value.tv_nsec > 0);
	close(fd);
}

TEST(timer_at_a_time)
{
	int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
	int64_t when = now_ns(CLOCK_REALTIME) + 30 * NS_PER_MS;
	int set = epoll_create1(0);
	struct epoll_event ev = {.events = EPOLLIN};
	uint64_t n;

	CHECK_EQ(epoll_ctl(set, EPOLL_CTL_ADD, fd, &ev), 0);
	CHECK_EQ(timer_set(fd, TFD_TIMER_ABSTIME, when, 0), 0);
	CHECK_EQ(epoll_wait(set, &ev, 1, 5000), 1);
	CHECK(now_ns(CLOCK_REALTIME) >= when);
	CHECK_EQ(read(fd, &n, 8), 8);
	CHECK_EQ(epoll_wait(set, &ev, 1, 0), 0);
	/* A time that has passed expires at once. */
	CHECK_EQ(timer_set(fd, TFD_TIMER_ABSTIME, NS_PER_SEC, 0), 0);
	CHECK_EQ(epoll_wait(set, &ev, 1, 5000), 1);
	close(fd);
	close(set);
}

TEST(timer_errors)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, 0), set = epoll_create1(0);
	struct itimerspec its = {.it_value.tv_nsec = NS_PER_SEC};

	CHECK_ERRNO(timerfd_create(99, 0), EINVAL);
	CHECK_ERRNO(timerfd_create(CLOCK_MONOTONIC, 1), EINVAL);
	CHECK_ERRNO(timerfd_settime(fd, 0, &its, NULL), EINVAL);
	CHECK_ERRNO(timerfd_settime(fd, 64, &its, NULL), EINVAL);
	its.it_value.tv_nsec = 0;
	CHECK_ERRNO(timerfd_settime(set, 0, &its, NULL), EINVAL);
	CHECK_ERRNO(timerfd_settime(999, 0, &its, NULL), EBADF);
	CHECK_ERRNO(timerfd_gettime(999, &its), EBADF);
	CHECK_EQ(sys4(__NR_timerfd_settime, fd, 0, 8, 0), -EFAULT);
	close(fd);
	close(set);
}
