/*
 * epoll: triggering, modes, nesting, life of the watched files, waiting threads.
 */
#include "tests/syscall/events/events.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

static int set_add(int set, int fd, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.u64 = (uint64_t)fd};

	return epoll_ctl(set, EPOLL_CTL_ADD, fd, &ev);
}

static int set_modify(int set, int fd, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.u64 = (uint64_t)fd};

	return epoll_ctl(set, EPOLL_CTL_MOD, fd, &ev);
}

/* Events that wait for no longer than ms; the first one's bits in *events. */
static int set_look(int set, int ms, uint32_t *events)
{
	struct epoll_event ev[8] = {0};
	int n = epoll_wait(set, ev, 8, ms);

	*events = ev[0].events;
	return n;
}

static void put(int fd, uint64_t n)
{
	CHECK_EQ(write(fd, &n, sizeof(n)), 8);
}

static uint64_t take(int fd)
{
	uint64_t n = 0;

	CHECK_EQ(read(fd, &n, sizeof(n)), 8);
	return n;
}

TEST(level_edge_and_oneshot)
{
	int set = epoll_create1(EPOLL_CLOEXEC), fd = eventfd(0, EFD_NONBLOCK);
	uint32_t events;

	CHECK_EQ(set_add(set, fd, EPOLLIN), 0);
	CHECK_EQ(set_look(set, 0, &events), 0);
	put(fd, 1);
	CHECK_EQ(set_look(set, 0, &events), 1);
	CHECK_EQ(events, EPOLLIN);
	CHECK_EQ(set_look(set, 0, &events), 1);
	CHECK_EQ(set_modify(set, fd, EPOLLIN | EPOLLET), 0);
	CHECK_EQ(set_look(set, 0, &events), 1);
	CHECK_EQ(set_look(set, 0, &events), 0);
	put(fd, 1);
	CHECK_EQ(set_look(set, 0, &events), 1);
	CHECK_EQ(set_look(set, 0, &events), 0);
	CHECK_EQ(set_modify(set, fd, EPOLLIN | EPOLLONESHOT), 0);
	CHECK_EQ(set_look(set, 0, &events), 1);
	put(fd, 1);
	CHECK_EQ(set_look(set, 0, &events), 0);
	CHECK_EQ(set_modify(set, fd, EPOLLIN | EPOLLOUT | EPOLLONESHOT), 0);
	CHECK_EQ(set_look(set, 0, &events), 1);
	CHECK_EQ(events, EPOLLIN | EPOLLOUT);
	CHECK_EQ(take(fd), 3);
	close(fd);
	close(set);
}

TEST(hang_up_needs_no_asking)
{
	int set = epoll_create1(0), ends[2];
	uint32_t events;

	CHECK_EQ(pipe(ends), 0);
	CHECK_EQ(set_add(set, ends[0], 0), 0);
	CHECK_EQ(set_look(set, 0, &events), 0);
	close(ends[1]);
	CHECK_EQ(set_look(set, 0, &events), 1);
	CHECK_EQ(events, EPOLLHUP);
	close(ends[0]);
	CHECK_EQ(set_look(set, 0, &events), 0);
	close(set);
}

TEST(bad_arguments)
{
	int set = epoll_create1(0), fd = eventfd(0, 0), ends[2];
	int file = open("/proc/self/exe", O_RDONLY);
	struct epoll_event ev = {.events = EPOLLIN};

	CHECK_EQ(pipe(ends), 0);
	CHECK_ERRNO(epoll_create1(1), EINVAL);
	CHECK_EQ(sys1(__NR_epoll_create1, 1 << 30), -EINVAL);
	CHECK_ERRNO(epoll_ctl(set, EPOLL_CTL_MOD, fd, &ev), ENOENT);
	CHECK_ERRNO(epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL), ENOENT);
	CHECK_EQ(set_add(set, fd, EPOLLIN), 0);
	CHECK_ERRNO(set_add(set, fd, EPOLLIN), EEXIST);
	CHECK_ERRNO(epoll_ctl(set, 9, fd, &ev), EINVAL);
	CHECK_ERRNO(epoll_ctl(set, EPOLL_CTL_ADD, ends[0], (void *)8), EFAULT);
	CHECK_ERRNO(set_add(set, 999, EPOLLIN), EBADF);
	CHECK_ERRNO(set_add(999, fd, EPOLLIN), EBADF);
	CHECK_ERRNO(set_add(fd, ends[0], EPOLLIN), EINVAL);
	CHECK_ERRNO(set_add(set, set, EPOLLIN), EINVAL);
	CHECK_ERRNO(set_add(set, file, EPOLLIN), EPERM);
	CHECK_EQ(set_add(set, ends[0], EPOLLIN | EPOLLEXCLUSIVE), 0);
	CHECK_ERRNO(set_modify(set, ends[0], EPOLLIN), EINVAL);
	CHECK_ERRNO(set_modify(set, fd, EPOLLIN | EPOLLEXCLUSIVE), EINVAL);
	CHECK_ERRNO(set_add(set, ends[1], EPOLLOUT | EPOLLONESHOT | EPOLLEXCLUSIVE), EINVAL);
	CHECK_ERRNO(epoll_wait(set, &ev, 0, 0), EINVAL);
	CHECK_EQ(sys6(__NR_epoll_pwait, set, &ev, -1, 0, 0, 8), -EINVAL);
	CHECK_ERRNO(epoll_wait(999, &ev, 1, 0), EBADF);
	CHECK_ERRNO(epoll_wait(fd, &ev, 1, 0), EINVAL);
	CHECK_ERRNO(epoll_wait(set, (void *)KERNEL_ADDRESS, 1, 0), EFAULT);
	put(fd, 1);
	CHECK_EQ(sys6(__NR_epoll_pwait, set, 8, 1, 0, 0, 8), -EFAULT);
	CHECK_EQ(epoll_wait(set, &ev, 1, 0), 1);
	CHECK_ERRNO(read(set, &ev, 8), EINVAL);
	close(file);
	close(set);
	close(fd);
	close(ends[0]);
	close(ends[1]);
}

TEST(closed_files_leave)
{
	int set = epoll_create1(0), fd = eventfd(1, 0), copy = dup(fd);
	uint32_t events;

	CHECK_EQ(set_add(set, fd, EPOLLIN), 0);
	CHECK_EQ(set_add(set, copy, EPOLLIN), 0);
	CHECK_EQ(set_look(set, 0, &events), 2);
	close(fd);
	/* The file is still open by its other descriptor. */
	CHECK_EQ(set_look(set, 0, &events), 2);
	close(copy);
	CHECK_EQ(set_look(set, 0, &events), 0);
	close(set);
}

TEST(nested_sets)
{
	int outer = epoll_create1(0), inner = epoll_create1(0), fd = eventfd(0, 0);
	struct pollfd pfd = {.fd = outer, .events = POLLIN};
	uint32_t events;

	CHECK_EQ(set_add(inner, fd, EPOLLIN), 0);
	CHECK_EQ(set_add(outer, inner, EPOLLIN), 0);
	CHECK_ERRNO(set_add(inner, outer, EPOLLIN), ELOOP);
	CHECK_EQ(set_look(outer, 0, &events), 0);
	CHECK_EQ(poll(&pfd, 1, 0), 0);
	put(fd, 1);
	CHECK_EQ(poll(&pfd, 1, 0), 1);
	CHECK_EQ(set_look(outer, 0, &events), 1);
	take(fd);
	CHECK_EQ(set_look(outer, 0, &events), 0);
	CHECK_EQ(poll(&pfd, 1, 0), 0);
	put(fd, 1);
	close(inner);
	CHECK_EQ(set_look(outer, 0, &events), 0);
	close(outer);
	close(fd);
}

TEST(nesting_is_bounded)
{
	int sets[8];
	int deepest = 0;

	for (int i = 0; i < 8; i++)
		sets[i] = epoll_create1(0);
	/* Each new set watches the one before. */
	for (int i = 1; i < 8; i++) {
		if (set_add(sets[i], sets[i - 1], EPOLLIN))
			break;
		deepest = i;
	}
	CHECK_EQ(deepest, 4);
	CHECK_EQ(errno, ELOOP);
	for (int i = 0; i < 8; i++)
		close(sets[i]);
}

TEST(many_files)
{
	enum { COUNT = 300 };
	int set = epoll_create1(0), fds[COUNT];
	struct epoll_event ev[COUNT];
	bool seen[COUNT + 64] = {0};
	int n, total = 0;

	for (int i = 0; i < COUNT; i++) {
		fds[i] = eventfd(i % 3 == 0, 0);
		CHECK_EQ(set_add(set, fds[i], EPOLLIN | EPOLLET), 0);
	}
	while ((n = epoll_wait(set, ev, 7, 0)) > 0) {
		for (int i = 0; i < n; i++) {
			CHECK(!seen[ev[i].data.u64]);
			seen[ev[i].data.u64] = true;
		}
		total += n;
	}
	CHECK_EQ(total, COUNT / 3);
	for (int i = 0; i < COUNT; i += 2)
		CHECK_EQ(epoll_ctl(set, EPOLL_CTL_DEL, fds[i], NULL), 0);
	for (int i = 0; i < COUNT; i++)
		put(fds[i], 1);
	CHECK_EQ(epoll_wait(set, ev, COUNT, 0), COUNT / 2);
	for (int i = 0; i < COUNT; i++)
		close(fds[i]);
	CHECK_EQ(epoll_wait(set, ev, COUNT, 0), 0);
	close(set);
}

struct waiter {
	int set, fd;
	int rounds;
};

static void *wait_rounds(void *arg)
{
	struct waiter *w = arg;
	uint32_t events;

	for (int i = 0; i < w->rounds; i++) {
		CHECK_EQ(set_look(w->set, 10000, &events), 1);
		CHECK_EQ(take(w->fd), 1);
	}
	return NULL;
}

TEST(sleepers_wake)
{
	struct waiter w = {.set = epoll_create1(0), .fd = eventfd(0, EFD_SEMAPHORE), .rounds = 300};
	pthread_t thread;

	CHECK_EQ(set_add(w.set, w.fd, EPOLLIN), 0);
	thread = thread_start(wait_rounds, &w);
	for (int i = 0; i < w.rounds; i++)
		put(w.fd, 1);
	thread_join(thread);
	close(w.set);
	close(w.fd);
}

static int stop_fd;

/* Threads that add, remove, close and wait at the same time: nothing crashes, nothing sticks. */
static void *churn(void *arg)
{
	int set = *(int *)arg;
	uint32_t events;

	for (int i = 0; i < 400; i++) {
		int fd = eventfd(0, EFD_NONBLOCK);

		CHECK_EQ(set_add(set, fd, EPOLLIN | EPOLLET), 0);
		put(fd, 1);
		set_look(set, 0, &events);
		if (i % 2)
			epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL);
		close(fd);
	}
	return NULL;
}

TEST(churn_in_threads)
{
	int set = epoll_create1(0), outer = epoll_create1(0);
	pthread_t threads[4];
	uint32_t events;

	stop_fd = eventfd(0, 0);
	CHECK_EQ(set_add(outer, set, EPOLLIN), 0);
	for (int i = 0; i < 4; i++)
		threads[i] = thread_start(churn, &set);
	for (int i = 0; i < 100; i++)
		set_look(outer, 1, &events);
	for (int i = 0; i < 4; i++)
		thread_join(threads[i]);
	CHECK_EQ(set_look(set, 0, &events), 0);
	CHECK_EQ(set_add(set, stop_fd, EPOLLIN), 0);
	put(stop_fd, 1);
	CHECK_EQ(set_look(outer, 1000, &events), 1);
	close(outer);
	close(set);
	close(stop_fd);
}

TEST(time_outs)
{
	int set = epoll_create1(0);
	struct epoll_event ev;
	struct timespec ts = {.tv_nsec = 20 * NS_PER_MS}, bad = {.tv_nsec = -1};
	int64_t start = now_ns(CLOCK_MONOTONIC);

	CHECK_EQ(epoll_wait(set, &ev, 1, 20), 0);
	CHECK(now_ns(CLOCK_MONOTONIC) - start >= 20 * NS_PER_MS);
	start = now_ns(CLOCK_MONOTONIC);
	CHECK_EQ(sys6(441, set, &ev, 1, &ts, NULL, 8), 0);
	CHECK(now_ns(CLOCK_MONOTONIC) - start >= 20 * NS_PER_MS);
	CHECK_EQ(sys6(441, set, &ev, 1, &bad, NULL, 8), -EINVAL);
	close(set);
}

static volatile int signals_seen;

static void count_signal(int sig)
{
	(void)sig;
	signals_seen++;
}

TEST(signal_masks)
{
	int set = epoll_create1(0);
	struct epoll_event ev;
	sigset_t blocked, none;

	signal(SIGUSR1, count_signal);
	sigemptyset(&none);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	raise(SIGUSR1);
	CHECK_EQ(epoll_pwait(set, &ev, 1, 0, &blocked), 0);
	CHECK_EQ(signals_seen, 0);
	CHECK_ERRNO(epoll_pwait(set, &ev, 1, 1000, &none), EINTR);
	CHECK_EQ(signals_seen, 1);
	sigprocmask(SIG_UNBLOCK, &blocked, NULL);
	signal(SIGUSR1, SIG_DFL);
	close(set);
}

TEST(eventfd_counts)
{
	int fd = eventfd(5, EFD_NONBLOCK), sem = eventfd(2, EFD_NONBLOCK | EFD_SEMAPHORE);
	uint64_t n = ~0UL;
	struct pollfd pfd = {.fd = fd, .events = POLLIN | POLLOUT};

	CHECK_EQ(take(fd), 5);
	CHECK_ERRNO(read(fd, &n, 8), EAGAIN);
	CHECK_ERRNO(read(fd, &n, 7), EINVAL);
	n = ~0UL;
	CHECK_ERRNO(write(fd, &n, 8), EINVAL);
	CHECK_ERRNO(write(fd, &n, 4), EINVAL);
	n = ~0UL - 1;
	CHECK_EQ(write(fd, &n, 8), 8);
	CHECK_EQ(poll(&pfd, 1, 0), 1);
	CHECK_EQ(pfd.revents, POLLIN);
	n = 1;
	CHECK_ERRNO(write(fd, &n, 8), EAGAIN);
	CHECK_EQ(take(sem), 1);
	CHECK_EQ(take(sem), 1);
	CHECK_ERRNO(read(sem, &n, 8), EAGAIN);
	CHECK_EQ(sys2(__NR_eventfd2, 0, 2), -EINVAL);
	close(fd);
	close(sem);
}
