/*
 * Which words are one futex: across fork, mappings at different addresses, files, memfds; what munmap and truncate do to
 * waiters; and timeouts when the clock is set.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/wait.h>

#include "tests/syscall/futex2/futex2.h"

static uint32_t *map_shared(int fd)
{
	int flags = fd < 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED;
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, flags, fd, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

/* A child waits in `its` while the parent wakes in `ours`. */
static void check_across_fork(uint32_t *its, uint32_t *ours)
{
	int status = -1;
	pid_t child;

	*its = 0;
	child = fork();
	if (child == 0)
		_exit(futex_wait(its, 0, 0) != 0);
	WAIT_UNTIL(futex_waiters(ours, 0) == 1);
	CHECK_EQ(futex_wake(ours, PRIVATE, 1), 0);
	CHECK_EQ(futex_wake(ours, 0, 1), 1);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
}

TEST(shared_words_across_fork)
{
	int file = open("/futex_file", O_RDWR | O_CREAT | O_TRUNC, 0600);
	int memfd = (int)syscall(SYS_memfd_create, "futex", 0);
	uint32_t *anonymous = map_shared(-1), *a, *b;

	check_across_fork(anonymous, anonymous);
	CHECK_EQ(ftruncate(file, 4096), 0);
	a = map_shared(file);
	b = map_shared(file);
	check_across_fork(a, a);
	check_across_fork(a, b);
	munmap(a, 4096);
	munmap(b, 4096);
	CHECK_EQ(ftruncate(memfd, 4096), 0);
	a = map_shared(memfd);
	b = map_shared(memfd);
	check_across_fork(a + 1023, b + 1023);
	munmap(a, 4096);
	munmap(b, 4096);
	munmap(anonymous, 4096);
	close(file);
	close(memfd);
	unlink("/futex_file");
}

TEST(system_v_segment_at_two_addresses)
{
	int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
	uint32_t *a = shmat(id, NULL, 0), *b = shmat(id, NULL, 0);

	if (!CHECK(id >= 0 && a != (void *)-1 && b != (void *)-1))
		return;
	CHECK(a != b);
	check_across_fork(a + 3, b + 3);
	CHECK_EQ(shmdt(a), 0);
	CHECK_EQ(shmdt(b), 0);
	CHECK_EQ(shmctl(id, IPC_RMID, NULL), 0);
}

/* After fork the two copies of private memory are two futexes. */
TEST(private_memory_is_not_shared_by_fork)
{
	uint32_t *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int status = -1;
	pid_t child;

	*p = 0;
	child = fork();
	if (child == 0)
		_exit(futex_wait_for(p, 0, 0, 100 * NS_PER_MS) != -ETIMEDOUT);
	sleep_ms(30);
	CHECK_EQ(futex_wake(p, 0, 9), 0);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	munmap(p, 4096);
}

/* A waiter outlives its mapping, and the file's other mappings still wake it. */
TEST(unmapped_while_waiting)
{
	int memfd = (int)syscall(SYS_memfd_create, "futex", 0);
	struct waiter w = {0};
	uint32_t *a, *b;

	CHECK_EQ(ftruncate(memfd, 4096), 0);
	a = map_shared(memfd);
	b = map_shared(memfd);
	waiter_queue(&w, a, FUTEX_WAIT);
	munmap(a, 4096);
	CHECK_EQ(futex_wake(b, 0, 1), 1);
	waiter_join(&w, 0);
	munmap(b, 4096);
	close(memfd);
}

TEST(truncated_while_waiting)
{
	int memfd = (int)syscall(SYS_memfd_create, "futex", 0);
	struct timespec ts = timespec_of(100 * NS_PER_MS);
	struct waiter w = {.timeout = &ts};
	uint32_t *a;

	CHECK_EQ(ftruncate(memfd, 4096), 0);
	a = map_shared(memfd);
	waiter_queue(&w, a, FUTEX_WAIT);
	CHECK_EQ(ftruncate(memfd, 0), 0);
	CHECK_EQ(futex_wake(a, 0, 1), -EFAULT);
	waiter_join(&w, -ETIMEDOUT);
	munmap(a, 4096);
	close(memfd);
}

/* ---- the clock is set while somebody waits for a time of it ---- */

static void move_clock(int64_t by_ns)
{
	struct timespec ts = timespec_of(now_ns(CLOCK_REALTIME) + by_ns);

	CHECK_EQ(clock_settime(CLOCK_REALTIME, &ts), 0);
}

TEST(realtime_deadline_follows_the_clock)
{
	struct timespec end = timespec_of(now_ns(CLOCK_REALTIME) + 60 * NS_PER_SEC);
	struct waiter w = {.timeout = &end, .bitset = 1};
	static uint32_t word;
	int64_t start = now_ns(CLOCK_MONOTONIC);

	waiter_queue(&w, &word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME | PRIVATE);
	move_clock(70 * NS_PER_SEC);
	waiter_join(&w, -ETIMEDOUT);
	CHECK(now_ns(CLOCK_MONOTONIC) - start < 30 * NS_PER_SEC);
	move_clock(-70 * NS_PER_SEC);
}

TEST(other_deadlines_do_not)
{
	struct timespec end = timespec_of(now_ns(CLOCK_MONOTONIC) + 150 * NS_PER_MS),
			relative = timespec_of(150 * NS_PER_MS);
	struct waiter w[2] = {{.timeout = &end, .bitset = 1}, {.timeout = &relative}};
	static uint32_t word;
	int64_t start = now_ns(CLOCK_MONOTONIC);

	waiter_queue(&w[0], &word, FUTEX_WAIT_BITSET | PRIVATE);
	waiter_queue(&w[1], &word, FUTEX_WAIT | PRIVATE);
	move_clock(70 * NS_PER_SEC);
	waiter_join(&w[0], -ETIMEDOUT);
	waiter_join(&w[1], -ETIMEDOUT);
	CHECK(now_ns(CLOCK_MONOTONIC) - start >= 150 * NS_PER_MS);
	move_clock(-70 * NS_PER_SEC);
}

TEST(clock_set_back_makes_it_wait_longer)
{
	struct timespec end = timespec_of(now_ns(CLOCK_REALTIME) + 500 * NS_PER_MS);
	struct waiter w = {.timeout = &end, .bitset = 1};
	static uint32_t word;

	waiter_queue(&w, &word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME | PRIVATE);
	move_clock(-60 * NS_PER_SEC);
	sleep_ms(700);
	CHECK(!waiter_done(&w));
	move_clock(60 * NS_PER_SEC);
	waiter_join(&w, -ETIMEDOUT);
}
