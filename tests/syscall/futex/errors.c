/*
 * What each operation refuses, and in which order it looks.
 */
#include <sys/mman.h>

#include "tests/syscall/futex/futex.h"

static uint32_t word, word2;
static char *odd = (char *)&word + 2;

static struct errno_case error_case(const char *name, int op, void *addr, long value,
				    const void *timeout, void *addr2, long value3, int error)
{
	return (struct errno_case){
		name, SYS_futex, {(long)addr, op, value, (long)timeout, (long)addr2, value3}, error};
}

TEST(bad_addresses)
{
	char *gone = page_unmapped(), *none = page_no_access(), *kernel = KERNEL_ADDRESS;
	const struct errno_case cases[] = {
		error_case("wait odd", FUTEX_WAIT | PRIVATE, odd, 0, NULL, NULL, 0, EINVAL),
		error_case("wake odd", FUTEX_WAKE | PRIVATE, odd, 1, NULL, NULL, 0, EINVAL),
		error_case("odd in the kernel", FUTEX_WAKE, kernel + 1, 1, NULL, NULL, 0, EINVAL),
		error_case("requeue odd", FUTEX_REQUEUE, &word, 1, NULL, odd, 0, EINVAL),
		error_case("wake_op odd", FUTEX_WAKE_OP, &word, 1, NULL, odd, 0, EINVAL),
		error_case("wait gone", FUTEX_WAIT | PRIVATE, gone, 0, NULL, NULL, 0, EFAULT),
		error_case("wait gone, shared", FUTEX_WAIT, gone, 0, NULL, NULL, 0, EFAULT),
		error_case("wait none", FUTEX_WAIT | PRIVATE, none, 0, NULL, NULL, 0, EFAULT),
		error_case("wait none, shared", FUTEX_WAIT, none, 0, NULL, NULL, 0, EFAULT),
		error_case("wait kernel", FUTEX_WAIT | PRIVATE, kernel, 0, NULL, NULL, 0, EFAULT),
		error_case("wait NULL", FUTEX_WAIT | PRIVATE, NULL, 0, NULL, NULL, 0, EFAULT),
		error_case("wake kernel", FUTEX_WAKE | PRIVATE, kernel, 1, NULL, NULL, 0, EFAULT),
		error_case("wake gone, shared", FUTEX_WAKE, gone, 1, NULL, NULL, 0, EFAULT),
		/* A private wake does not look at the memory. */
		error_case("wake gone", FUTEX_WAKE | PRIVATE, gone, 1, NULL, NULL, 0, 0),
		error_case("wake none", FUTEX_WAKE | PRIVATE, none, 1, NULL, NULL, 0, 0),
		error_case("requeue gone", FUTEX_REQUEUE | PRIVATE, gone, 1, NULL, &word, 0, 0),
		error_case("cmp gone", FUTEX_CMP_REQUEUE | PRIVATE, gone, 1, NULL, &word, 0, EFAULT),
		error_case("requeue to gone", FUTEX_REQUEUE, &word, 1, NULL, gone, 0, EFAULT),
		error_case("wake_op gone", FUTEX_WAKE_OP | PRIVATE, &word, 1, NULL, gone, 0, EFAULT),
		error_case("wake_op NULL", FUTEX_WAKE_OP | PRIVATE, &word, 1, NULL, NULL, 0, EFAULT),
	};

	check_errno_cases(cases, ARRAY_SIZE(cases));
}

TEST(bad_operations)
{
	int rt = FUTEX_CLOCK_REALTIME;
	const struct errno_case cases[] = {
		error_case("FUTEX_FD", FUTEX_FD, &word, 0, NULL, NULL, 0, ENOSYS),
		error_case("unknown", 99, &word, 0, NULL, NULL, 0, ENOSYS),
		error_case("unknown, odd", 99, odd, 0, NULL, NULL, 0, ENOSYS),
		error_case("wake, realtime", FUTEX_WAKE | rt, &word, 1, NULL, NULL, 0, ENOSYS),
		error_case("requeue, realtime", FUTEX_REQUEUE | rt, &word, 1, NULL, &word, 0, ENOSYS),
		error_case("wait, realtime", FUTEX_WAIT | rt, &word, 1, NULL, NULL, 0, ENOSYS),
		error_case("wait_bitset, realtime", FUTEX_WAIT_BITSET | rt, &word, 1, NULL, NULL, 1,
			   EAGAIN),
		error_case("no bits to wait", FUTEX_WAIT_BITSET, &word, 0, NULL, NULL, 0, EINVAL),
		error_case("no bits to wake", FUTEX_WAKE_BITSET, &word, 1, NULL, NULL, 0, EINVAL),
		error_case("no bits, odd", FUTEX_WAKE_BITSET, odd, 1, NULL, NULL, 0, EINVAL),
		error_case("requeue -1", FUTEX_REQUEUE, &word, -1, NULL, &word2, 0, EINVAL),
		error_case("requeue 0, -1", FUTEX_REQUEUE, &word, 0, (void *)-1L, &word2, 0, EINVAL),
		error_case("cmp_requeue -1", FUTEX_CMP_REQUEUE, &word, -1, NULL, &word2, 9, EINVAL),
	};

	check_errno_cases(cases, ARRAY_SIZE(cases));
}

TEST(bad_timeouts)
{
	static const struct timespec negative = {-1, 0}, early = {0, -1}, long_ns = {0, NS_PER_SEC};
	static const struct timespec past = {0, 0};
	const struct errno_case cases[] = {
		error_case("negative", FUTEX_WAIT, &word, 0, &negative, NULL, 0, EINVAL),
		error_case("negative ns", FUTEX_WAIT, &word, 0, &early, NULL, 0, EINVAL),
		error_case("1e9 ns", FUTEX_WAIT, &word, 0, &long_ns, NULL, 0, EINVAL),
		error_case("gone", FUTEX_WAIT, &word, 0, page_unmapped(), NULL, 0, EFAULT),
		/* The timeout is looked at first. */
		error_case("before the value", FUTEX_WAIT, &word, 1, &negative, NULL, 0, EINVAL),
		error_case("before the address", FUTEX_WAIT, NULL, 0, &negative, NULL, 0, EINVAL),
		error_case("before the clock", FUTEX_WAIT | FUTEX_CLOCK_REALTIME, &word, 0,
			   page_unmapped(), NULL, 0, EFAULT),
		error_case("before the bits", FUTEX_WAIT_BITSET, &word, 0, page_unmapped(), NULL, 0,
			   EFAULT),
		/* Over, but the value counts first. */
		error_case("past, other value", FUTEX_WAIT_BITSET, &word, 1, &past, NULL, 1, EAGAIN),
		error_case("past", FUTEX_WAIT_BITSET, &word, 0, &past, NULL, 1, ETIMEDOUT),
		error_case("no time", FUTEX_WAIT, &word, 0, &past, NULL, 0, ETIMEDOUT),
		/* An operation without a timeout does not look at it. */
		error_case("wake", FUTEX_WAKE, &word, 1, page_unmapped(), NULL, 0, 0),
	};

	check_errno_cases(cases, ARRAY_SIZE(cases));
}

TEST(read_only_memory)
{
	uint32_t *page = (uint32_t *)page_read_only();
	const struct errno_case cases[] = {
		error_case("wait", FUTEX_WAIT | PRIVATE, page, 1, NULL, NULL, 0, EAGAIN),
		error_case("wake", FUTEX_WAKE | PRIVATE, page, 1, NULL, NULL, 0, 0),
		error_case("wake_op", FUTEX_WAKE_OP | PRIVATE, &word, 1, NULL, page, 0, EFAULT),
		/* A word that nobody can change, and nobody else can see. */
		error_case("wait, shared", FUTEX_WAIT, page, 1, NULL, NULL, 0, EFAULT),
		error_case("wake, shared", FUTEX_WAKE, page, 1, NULL, NULL, 0, EFAULT),
	};

	check_errno_cases(cases, ARRAY_SIZE(cases));
	CHECK_EQ(futex_wait_for(page, PRIVATE, 0, NS_PER_MS), -ETIMEDOUT);
}

TEST(bad_wake_op)
{
	uint32_t bad_op = (uint32_t)FUTEX_OP(5, 1, FUTEX_OP_CMP_EQ, 0);
	uint32_t bad_cmp = (uint32_t)FUTEX_OP(FUTEX_OP_SET, 3, 6, 0);

	word2 = 0;
	CHECK_EQ(futex(&word, FUTEX_WAKE_OP | PRIVATE, 1, NULL, &word2, bad_op), -ENOSYS);
	CHECK_EQ(word2, 0);
	/* Found out too late. */
	CHECK_EQ(futex(&word, FUTEX_WAKE_OP | PRIVATE, 1, NULL, &word2, bad_cmp), -ENOSYS);
	CHECK_EQ(word2, 3);
	word2 = 0;
}
