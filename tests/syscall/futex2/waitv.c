/*
 * futex_waitv: one thread, up to 128 words.
 */
#include <signal.h>
#include <sys/mman.h>

#include "tests/syscall/futex2/futex2.h"

#define MAX 128

static uint32_t words[MAX];
static struct futex_waitv entries[MAX];

struct waitv_call {
	unsigned int nr;
	pthread_t thread;
	long result;
	bool done;
};

static void *waitv_main(void *arg)
{
	struct waitv_call *c = arg;

	c->result = waitv(entries, c->nr, NULL, CLOCK_MONOTONIC);
	__atomic_store_n(&c->done, true, __ATOMIC_RELEASE);
	return NULL;
}

/* Returns when it waits for the last word, and so for all. */
static void waitv_start(struct waitv_call *c, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		words[i] = i;
		entries[i] = waitv_entry(&words[i], i, SIZE_U32 | PRIVATE2);
	}
	*c = (struct waitv_call){.nr = nr};
	c->thread = thread_start(waitv_main, c);
	WAIT_UNTIL(futex_waiters(&words[nr - 1], PRIVATE) == 1);
}

static void waitv_join(struct waitv_call *c, long result)
{
	WAIT_UNTIL(__atomic_load_n(&c->done, __ATOMIC_ACQUIRE));
	thread_join(c->thread);
	CHECK_EQ(c->result, result);
	for (unsigned int i = 0; i < c->nr; i++)
		CHECK_EQ(futex_waiters(&words[i], PRIVATE), 0);
}

TEST(any_word_ends_it)
{
	static const unsigned int which[] = {0, 1, 64, 127};
	struct waitv_call c;

	for (size_t i = 0; i < ARRAY_SIZE(which); i++) {
		waitv_start(&c, MAX);
		CHECK_EQ(futex_wake(&words[which[i]], PRIVATE, 1), 1);
		waitv_join(&c, which[i]);
	}
}

TEST(one_word)
{
	struct waitv_call c;

	waitv_start(&c, 1);
	CHECK_EQ(futex_wake(&words[0], PRIVATE, 9), 1);
	waitv_join(&c, 0);
}

TEST(moved_entry_is_woken_elsewhere)
{
	static uint32_t other;
	struct waitv_call c;

	waitv_start(&c, 8);
	CHECK_EQ(futex_requeue(&words[3], &other, PRIVATE, 0, 1), 1);
	CHECK_EQ(futex_wake(&words[3], PRIVATE, 1), 0);
	CHECK_EQ(futex_wake(&other, PRIVATE, 1), 1);
	waitv_join(&c, 3);
}

TEST(same_word_twice)
{
	struct futex_waitv v[2];
	uint32_t word = 0;
	struct timespec end = timespec_of(now_ns(CLOCK_MONOTONIC) + 5 * NS_PER_MS);

	v[0] = v[1] = waitv_entry(&word, 0, SIZE_U32 | PRIVATE2);
	CHECK_EQ(waitv(v, 2, &end, CLOCK_MONOTONIC), -ETIMEDOUT);
}

TEST(shared_and_private_words)
{
	uint32_t *shared =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint32_t word = 0;
	struct futex_waitv v[2] = {waitv_entry(&word, 0, SIZE_U32 | PRIVATE2),
				   waitv_entry(shared, 1, SIZE_U32)};

	CHECK_EQ(waitv(v, 2, NULL, CLOCK_MONOTONIC), -EAGAIN);
	CHECK_EQ(futex_waiters(&word, PRIVATE), 0);
	munmap(shared, 4096);
}

TEST(waitv_timeouts)
{
	struct timespec past = {1, 0}, bad = {0, -1}, end;
	uint32_t word = 0;
	struct futex_waitv v = waitv_entry(&word, 0, SIZE_U32);

	CHECK_EQ(waitv(&v, 1, &past, CLOCK_MONOTONIC), -ETIMEDOUT);
	CHECK_EQ(waitv(&v, 1, &past, CLOCK_REALTIME), -ETIMEDOUT);
	end = timespec_of(now_ns(CLOCK_REALTIME) + 20 * NS_PER_MS);
	CHECK_EQ(waitv(&v, 1, &end, CLOCK_REALTIME), -ETIMEDOUT);
	CHECK(now_ns(CLOCK_REALTIME) >= end.tv_sec * NS_PER_SEC + end.tv_nsec);
	CHECK_EQ(waitv(&v, 1, &bad, CLOCK_MONOTONIC), -EINVAL);
	CHECK_EQ(waitv(&v, 1, &end, CLOCK_BOOTTIME), -EINVAL);
	word = 1;
	CHECK_EQ(waitv(&v, 1, NULL, CLOCK_BOOTTIME), -EAGAIN); /* no timeout, no clock */
	CHECK_EQ(waitv(&v, 1, (struct timespec *)page_unmapped(), CLOCK_MONOTONIC), -EFAULT);
}

static void on_signal(int sig)
{
	(void)sig;
}

TEST(signals)
{
	struct sigaction sa = {.sa_handler = on_signal};
	struct waitv_call c;

	sigaction(SIGUSR1, &sa, NULL);
	waitv_start(&c, 5);
	pthread_kill(c.thread, SIGUSR1);
	waitv_join(&c, -EINTR);
	sa.sa_flags = SA_RESTART;
	sigaction(SIGUSR1, &sa, NULL);
	waitv_start(&c, 5);
	pthread_kill(c.thread, SIGUSR1);
	sleep_ms(20);
	WAIT_UNTIL(futex_waiters(&words[4], PRIVATE) == 1);
	CHECK_EQ(futex_wake(&words[2], PRIVATE, 1), 1);
	waitv_join(&c, 2);
}

TEST(waitv_refuses)
{
	uint32_t word = 0;
	char *gone = page_unmapped();
	struct futex_waitv good = waitv_entry(&word, 1, SIZE_U32 | PRIVATE2);
	struct futex_waitv size8 = waitv_entry(&word, 0, 0), size64 = waitv_entry(&word, 0, 3);
	struct futex_waitv numa = waitv_entry(&word, 0, SIZE_U32 | 4),
			   large = waitv_entry(&word, 1ULL << 32, SIZE_U32);
	struct futex_waitv odd = waitv_entry((uint32_t *)((char *)&word + 1), 0, SIZE_U32);
	struct futex_waitv away = waitv_entry((uint32_t *)gone, 0, SIZE_U32 | PRIVATE2),
			   reserved = good;
	struct errno_case cases[] = {
		{"flags", NR_futex_waitv, {(long)&good, 1, 1}, EINVAL},
		{"none", NR_futex_waitv, {(long)&good, 0, 0}, EINVAL},
		{"129", NR_futex_waitv, {(long)entries, 129, 0}, EINVAL},
		{"NULL", NR_futex_waitv, {0, 1, 0}, EINVAL},
		{"gone", NR_futex_waitv, {(long)gone, 1, 0}, EFAULT},
		{"8 bits", NR_futex_waitv, {(long)&size8, 1, 0}, EINVAL},
		{"64 bits", NR_futex_waitv, {(long)&size64, 1, 0}, EINVAL},
		{"numa", NR_futex_waitv, {(long)&numa, 1, 0}, EINVAL},
		{"large value", NR_futex_waitv, {(long)&large, 1, 0}, EINVAL},
		{"odd", NR_futex_waitv, {(long)&odd, 1, 0}, EINVAL},
		{"word gone", NR_futex_waitv, {(long)&away, 1, 0}, EFAULT},
		{"reserved", NR_futex_waitv, {(long)&reserved, 1, 0}, EINVAL},
		{"other value", NR_futex_waitv, {(long)&good, 1, 0}, EAGAIN},
	};

	reserved.__reserved = 1;
	check_errno_cases(cases, ARRAY_SIZE(cases));
}

/* A later word that is gone ends the call, and the earlier ones are not waited for any more. */
TEST(error_after_some)
{
	struct futex_waitv v[2];
	uint32_t word = 0;

	v[0] = waitv_entry(&word, 0, SIZE_U32 | PRIVATE2);
	v[1] = waitv_entry((uint32_t *)page_unmapped(), 0, SIZE_U32 | PRIVATE2);
	CHECK_EQ(waitv(v, 2, NULL, CLOCK_MONOTONIC), -EFAULT);
	CHECK_EQ(futex_waiters(&word, PRIVATE), 0);
}
