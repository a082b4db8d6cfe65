/*
 * futex_wake, futex_wait and futex_requeue, which do what the operations of futex(2) do.
 */
#include <sys/mman.h>

#include "tests/syscall/futex2/futex2.h"

static uint32_t word, word2;

TEST(wake_by_mask)
{
	struct waiter w[2] = {{.bitset = 1}, {.bitset = 2}};

	waiter_queue(&w[0], &word, FUTEX_WAIT_BITSET | PRIVATE);
	waiter_queue(&w[1], &word, FUTEX_WAIT_BITSET | PRIVATE);
	CHECK_EQ(sys4(NR_futex_wake, &word, ALL_BITS, 0, SIZE_U32 | PRIVATE2), 0); /* none is none */
	CHECK_EQ(sys4(NR_futex_wake, &word, 2, 9, SIZE_U32 | PRIVATE2), 1);
	waiter_join(&w[1], 0);
	CHECK_EQ(sys4(NR_futex_wake, &word, ALL_BITS, 9, SIZE_U32), 0); /* shared */
	CHECK_EQ(sys4(NR_futex_wake, &word, ALL_BITS, -1, SIZE_U32 | PRIVATE2), 1);
	waiter_join(&w[0], 0);
}

TEST(wait_for_a_time)
{
	struct timespec end = timespec_of(now_ns(CLOCK_MONOTONIC) + 10 * NS_PER_MS);

	CHECK_EQ(sys6(NR_futex_wait, &word, 0, ALL_BITS, SIZE_U32 | PRIVATE2, &end, CLOCK_MONOTONIC),
		 -ETIMEDOUT);
	CHECK(now_ns(CLOCK_MONOTONIC) >= end.tv_sec * NS_PER_SEC + end.tv_nsec);
	end = timespec_of(now_ns(CLOCK_REALTIME) + 10 * NS_PER_MS);
	CHECK_EQ(sys6(NR_futex_wait, &word, 0, ALL_BITS, SIZE_U32 | PRIVATE2, &end, CLOCK_REALTIME),
		 -ETIMEDOUT);
	CHECK(now_ns(CLOCK_REALTIME) >= end.tv_sec * NS_PER_SEC + end.tv_nsec);
}

static void *wait_main(void *arg)
{
	(void)arg;
	return (void *)sys6(NR_futex_wait, &word, 0, 4, SIZE_U32 | PRIVATE2, NULL, 0);
}

TEST(wait_until_woken)
{
	pthread_t thread = thread_start(wait_main, NULL);
	void *result = (void *)1;

	WAIT_UNTIL(futex_waiters(&word, PRIVATE) == 1);
	CHECK_EQ(sys4(NR_futex_wake, &word, 3, 1, SIZE_U32 | PRIVATE2), 0);
	CHECK_EQ(sys4(NR_futex_wake, &word, 12, 1, SIZE_U32 | PRIVATE2), 1);
	pthread_join(thread, &result);
	CHECK_EQ(result, 0);
}

TEST(requeue_compares)
{
	struct futex_waitv v[2] = {waitv_entry(&word, 7, SIZE_U32 | PRIVATE2),
				   waitv_entry(&word2, 0, SIZE_U32 | PRIVATE2)};
	struct waiter w[3] = {{.value = 7}, {.value = 7}, {.value = 7}};

	word = 7;
	for (int i = 0; i < 3; i++)
		waiter_queue(&w[i], &word, FUTEX_WAIT | PRIVATE);
	v[0].val = 6;
	CHECK_EQ(sys4(NR_futex_requeue, v, 0, 1, 9), -EAGAIN);
	v[0].val = 7;
	CHECK_EQ(sys4(NR_futex_requeue, v, 0, 1, 1), 2);
	waiter_join(&w[0], 0);
	CHECK_EQ(futex_waiters(&word, PRIVATE), 1);
	CHECK_EQ(futex_wake(&word2, PRIVATE, 9), 1);
	waiter_join(&w[1], 0);
	CHECK_EQ(futex_wake(&word, PRIVATE, 9), 1);
	waiter_join(&w[2], 0);
	word = 0;
}

TEST(calls_refuse)
{
	char *gone = page_unmapped(), *odd = (char *)&word + 2;
	static const struct timespec bad = {0, -1}, past = {0, 0};
	struct futex_waitv v[2] = {waitv_entry(&word, 0, SIZE_U32),
				   waitv_entry(&word2, 0, SIZE_U32 | PRIVATE2)};
	struct futex_waitv large[2] = {waitv_entry(&word, 1ULL << 32, SIZE_U32),
				       waitv_entry(&word2, 0, SIZE_U32)};
	const struct errno_case cases[] = {
		{"wake flags", NR_futex_wake, {(long)&word, 1, 1, SIZE_U32 | 256}, EINVAL},
		{"wake size", NR_futex_wake, {(long)&word, 1, 1, 1}, EINVAL},
		{"wake mask 0", NR_futex_wake, {(long)&word, 0, 1, SIZE_U32}, EINVAL},
		{"wake large mask", NR_futex_wake, {(long)&word, 1L << 32, 1, SIZE_U32}, EINVAL},
		{"wake odd", NR_futex_wake, {(long)odd, 1, 1, SIZE_U32}, EINVAL},
		{"wake none, odd", NR_futex_wake, {(long)odd, 1, 0, SIZE_U32}, EINVAL},
		{"wake gone", NR_futex_wake, {(long)gone, 1, 1, SIZE_U32}, EFAULT},
		{"wait flags", NR_futex_wait, {(long)&word, 1, 1, SIZE_U32 | 8, 0, 0}, EINVAL},
		{"wait size", NR_futex_wait, {(long)&word, 1, 1, 3, 0, 0}, EINVAL},
		{"wait mask 0", NR_futex_wait, {(long)&word, 0, 0, SIZE_U32, 0, 0}, EINVAL},
		{"wait large value", NR_futex_wait, {(long)&word, 1L << 32, 1, SIZE_U32, 0, 0}, EINVAL},
		{"wait large mask", NR_futex_wait, {(long)&word, 0, 1L << 32, SIZE_U32, 0, 0}, EINVAL},
		{"wait other", NR_futex_wait, {(long)&word, 1, 1, SIZE_U32, 0, 0}, EAGAIN},
		{"wait clock",
		 NR_futex_wait,
		 {(long)&word, 1, 1, SIZE_U32, (long)&past, CLOCK_BOOTTIME},
		 EINVAL},
		{"wait bad time",
		 NR_futex_wait,
		 {(long)&word, 1, 1, SIZE_U32, (long)&bad, CLOCK_MONOTONIC},
		 EINVAL},
		{"wait time gone",
		 NR_futex_wait,
		 {(long)&word, 1, 1, SIZE_U32, (long)gone, CLOCK_MONOTONIC},
		 EFAULT},
		{"wait time gone, clock",
		 NR_futex_wait,
		 {(long)&word, 1, 1, SIZE_U32, (long)gone, 99},
		 EINVAL},
		{"wait past",
		 NR_futex_wait,
		 {(long)&word, 0, 1, SIZE_U32, (long)&past, CLOCK_MONOTONIC},
		 ETIMEDOUT},
		{"wait gone", NR_futex_wait, {(long)gone, 0, 1, SIZE_U32 | PRIVATE2, 0, 0}, EFAULT},
		{"requeue flags", NR_futex_requeue, {(long)v, 1, 1, 1}, EINVAL},
		{"requeue NULL", NR_futex_requeue, {0, 0, 1, 1}, EINVAL},
		{"requeue gone", NR_futex_requeue, {(long)gone, 0, 1, 1}, EFAULT},
		{"requeue mixed", NR_futex_requeue, {(long)v, 0, 1, 1}, EINVAL},
		{"requeue large", NR_futex_requeue, {(long)large, 0, 1, 1}, EINVAL},
	};

	word = 0;
	check_errno_cases(cases, ARRAY_SIZE(cases));
	v[1].flags = SIZE_U32;
	CHECK_EQ(sys4(NR_futex_requeue, v, 0, -1, 1), -EINVAL);
	CHECK_EQ(sys4(NR_futex_requeue, v, 0, 1, -1), -EINVAL);
	CHECK_EQ(sys4(NR_futex_requeue, v, 0, 1, 1), 0);
}
