/*
 * What each operation does when nothing goes wrong.
 */
#include <fcntl.h>
#include <sys/mman.h>

#include "tests/syscall/futex/futex.h"

static uint32_t word, word2;

TEST(wait_ends_when_woken)
{
	struct waiter w = {0};

	waiter_queue(&w, &word, FUTEX_WAIT | PRIVATE);
	CHECK(!waiter_done(&w));
	CHECK_EQ(futex_wake(&word, PRIVATE, 1), 1);
	waiter_join(&w, 0);
}

TEST(wait_on_another_value_is_eagain)
{
	CHECK_EQ(futex_wait(&word, PRIVATE, 1), -EAGAIN);
	CHECK_EQ(futex_wait(&word, 0, 1), -EAGAIN);
}

TEST(wake_without_waiter_is_0)
{
	CHECK_EQ(futex_wake(&word, PRIVATE, 1), 0);
	CHECK_EQ(futex_wake(&word, 0, INT_MAX), 0);
}

TEST(wake_counts)
{
	struct waiter w[5] = {0};

	for (int i = 0; i < 5; i++)
		waiter_queue(&w[i], &word, FUTEX_WAIT | PRIVATE);
	CHECK_EQ(futex_wake(&word2, PRIVATE, INT_MAX), 0);
	CHECK_EQ(futex_wake(&word, PRIVATE, 2), 2);
	CHECK_EQ(futex_waiters(&word, PRIVATE), 3);
	CHECK_EQ(futex_wake(&word, PRIVATE, INT_MAX), 3);
	for (int i = 0; i < 5; i++)
		waiter_join(&w[i], 0);
}

/* A count below one has always meant one. */
TEST(wake_of_none_wakes_one)
{
	struct waiter w[2] = {0};

	waiter_queue(&w[0], &word, FUTEX_WAIT | PRIVATE);
	waiter_queue(&w[1], &word, FUTEX_WAIT | PRIVATE);
	CHECK_EQ(futex_wake(&word, PRIVATE, 0), 1);
	CHECK_EQ(futex_wake(&word, PRIVATE, -1), 1);
	waiter_join(&w[0], 0);
	waiter_join(&w[1], 0);
}

TEST(wake_order_is_fifo)
{
	struct waiter w[8] = {0};

	waiter_reset_order();
	for (int i = 0; i < 8; i++)
		waiter_queue(&w[i], &word, FUTEX_WAIT | PRIVATE);
	for (int i = 0; i < 8; i++) {
		CHECK_EQ(futex_wake(&word, PRIVATE, 1), 1);
		waiter_join(&w[i], 0);
		CHECK_EQ(w[i].order, i + 1);
	}
}

TEST(realtime_priority_wakes_first)
{
	struct waiter w[4] = {{.rt_prio = 0}, {.rt_prio = 5}, {.rt_prio = 0}, {.rt_prio = 9}};
	static const int order[] = {3, 1, 0, 2};

	for (int i = 0; i < 4; i++)
		waiter_queue(&w[i], &word, FUTEX_WAIT | PRIVATE);
	for (int i = 0; i < 4; i++) {
		CHECK_EQ(futex_wake(&word, PRIVATE, 1), 1);
		waiter_join(&w[order[i]], 0);
	}
}

TEST(bitset_selects_waiters)
{
	struct waiter w[3] = {{.bitset = 1}, {.bitset = 6}, {.bitset = 4}};

	for (int i = 0; i < 3; i++)
		waiter_queue(&w[i], &word, FUTEX_WAIT_BITSET | PRIVATE);
	CHECK_EQ(futex(&word, FUTEX_WAKE_BITSET | PRIVATE, 9, NULL, NULL, 8), 0);
	CHECK_EQ(futex(&word, FUTEX_WAKE_BITSET | PRIVATE, 9, NULL, NULL, 2), 1);
	waiter_join(&w[1], 0);
	CHECK_EQ(futex(&word, FUTEX_WAKE_BITSET | PRIVATE, 1, NULL, NULL, 4), 1);
	waiter_join(&w[2], 0);
	CHECK_EQ(futex_wake(&word, PRIVATE, 9), 1);
	waiter_join(&w[0], 0);
}

/* A private call and a shared one on one word do not meet. */
TEST(private_does_not_meet_shared)
{
	struct waiter shared = {0}, private = {0};

	waiter_queue(&shared, &word, FUTEX_WAIT);
	CHECK_EQ(futex_wake(&word, PRIVATE, 9), 0);
	waiter_queue(&private, &word, FUTEX_WAIT | PRIVATE);
	CHECK_EQ(futex_wake(&word, 0, 9), 1);
	waiter_join(&shared, 0);
	CHECK_EQ(futex_wake(&word, 0, 9), 0);
	CHECK_EQ(futex_wake(&word, PRIVATE, 9), 1);
	waiter_join(&private, 0);
}

TEST(shared_word_in_two_mappings)
{
	int fd = open("/futex_word", O_RDWR | O_CREAT | O_TRUNC, 0600);
	struct waiter w[2] = {0};
	uint32_t *a, *b;

	if (!CHECK(fd >= 0) || !CHECK_EQ(ftruncate(fd, 8192), 0))
		return;
	a = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	b = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 4096);
	if (!CHECK(a != MAP_FAILED && b != MAP_FAILED))
		return;
	waiter_queue(&w[0], &a[1024 + 5], FUTEX_WAIT);
	CHECK_EQ(futex_wake(&b[4], 0, 9), 0);
	CHECK_EQ(futex_wake(&a[5], 0, 9), 0);
	CHECK_EQ(futex_wake(&b[5], PRIVATE, 9), 0);
	CHECK_EQ(futex_wake(&b[5], 0, 9), 1);
	waiter_join(&w[0], 0);
	/* A private call names the address, shared memory or not. */
	waiter_queue(&w[1], &a[1024 + 5], FUTEX_WAIT | PRIVATE);
	CHECK_EQ(futex_wake(&b[5], PRIVATE, 9), 0);
	CHECK_EQ(futex_wake(&a[1024 + 5], PRIVATE, 9), 1);
	waiter_join(&w[1], 0);
	munmap(a, 8192);
	munmap(b, 4096);
	close(fd);
	unlink("/futex_word");
}

TEST(shared_anonymous_word)
{
	uint32_t *a = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct waiter w = {0};

	if (!CHECK(a != MAP_FAILED))
		return;
	waiter_queue(&w, &a[3], FUTEX_WAIT);
	CHECK_EQ(futex_wake(&a[3], 0, 9), 1);
	waiter_join(&w, 0);
	munmap(a, 4096);
}

/* The word's page is not there when the wait begins. */
TEST(wait_faults_its_page_in)
{
	uint32_t *a = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (!CHECK(a != MAP_FAILED))
		return;
	CHECK_EQ(futex_wait_for(a, PRIVATE, 0, NS_PER_MS), -ETIMEDOUT);
	CHECK_EQ(futex_wait_for(a + 1024, 0, 0, NS_PER_MS), -ETIMEDOUT);
	munmap(a, 8192);
}

TEST(requeue_moves_the_rest)
{
	struct waiter w[5] = {0};

	for (int i = 0; i < 5; i++)
		waiter_queue(&w[i], &word, FUTEX_WAIT | PRIVATE);
	CHECK_EQ(futex_requeue(&word, &word2, PRIVATE, 1, 2), 3);
	waiter_join(&w[0], 0);
	CHECK_EQ(futex_waiters(&word, PRIVATE), 2);
	CHECK_EQ(futex_waiters(&word2, PRIVATE), 2);
	CHECK_EQ(futex_wake(&word2, PRIVATE, 9), 2);
	waiter_join(&w[1], 0);
	waiter_join(&w[2], 0);
	CHECK_EQ(futex_wake(&word, PRIVATE, 9), 2);
	waiter_join(&w[3], 0);
	waiter_join(&w[4], 0);
}

TEST(requeue_wakes_all_when_asked)
{
	struct waiter w[3] = {0};

	for (int i = 0; i < 3; i++)
		waiter_queue(&w[i], &word, FUTEX_WAIT | PRIVATE);
	CHECK_EQ(futex_requeue(&word, &word2, PRIVATE, 9, 9), 3);
	for (int i = 0; i < 3; i++)
		waiter_join(&w[i], 0);
	CHECK_EQ(futex_requeue(&word, &word2, PRIVATE, 9, 9), 0);
}

TEST(requeue_joins_the_tail)
{
	struct waiter w[3] = {0};

	waiter_queue(&w[0], &word, FUTEX_WAIT | PRIVATE);
	waiter_queue(&w[1], &word2, FUTEX_WAIT | PRIVATE);
	CHECK_EQ(futex_requeue(&word, &word2, PRIVATE, 0, 9), 1);
	waiter_queue(&w[2], &word2, FUTEX_WAIT | PRIVATE);
	CHECK_EQ(futex_wake(&word2, PRIVATE, 1), 1);
	waiter_join(&w[1], 0);
	CHECK_EQ(futex_wake(&word2, PRIVATE, 1), 1);
	waiter_join(&w[0], 0);
	CHECK_EQ(futex_wake(&word2, PRIVATE, 1), 1);
	waiter_join(&w[2], 0);
}

TEST(cmp_requeue_compares)
{
	struct waiter w[2] = {0};

	word = 7;
	w[0].value = w[1].value = 7;
	waiter_queue(&w[0], &word, FUTEX_WAIT | PRIVATE);
	waiter_queue(&w[1], &word, FUTEX_WAIT | PRIVATE);
	CHECK_EQ(futex(&word, FUTEX_CMP_REQUEUE | PRIVATE, 1, (void *)9L, &word2, 6), -EAGAIN);
	CHECK_EQ(futex_waiters(&word, PRIVATE), 2);
	CHECK_EQ(futex(&word, FUTEX_CMP_REQUEUE | PRIVATE, 1, (void *)9L, &word2, 7), 2);
	waiter_join(&w[0], 0);
	CHECK_EQ(futex_wake(&word, PRIVATE, 9), 0);
	CHECK_EQ(futex_wake(&word2, PRIVATE, 9), 1);
	waiter_join(&w[1], 0);
	word = 0;
}

/* A waiter that was moved still ends at its own time. */
TEST(requeued_waiter_times_out)
{
	struct timespec ts = timespec_of(200 * NS_PER_MS);
	struct waiter w = {.timeout = &ts};

	waiter_queue(&w, &word, FUTEX_WAIT | PRIVATE);
	CHECK_EQ(futex_requeue(&word, &word2, PRIVATE, 0, 1), 1);
	waiter_join(&w, -ETIMEDOUT);
	CHECK_EQ(futex_waiters(&word2, PRIVATE), 0);
}

static void check_wake_op(int op, int operand, int cmp, int cmp_operand, uint32_t before,
			  uint32_t after, bool second)
{
	struct waiter w[2] = {{.value = 0}, {.value = before}};
	long woken;

	word = 0;
	word2 = before;
	waiter_queue(&w[0], &word, FUTEX_WAIT | PRIVATE);
	waiter_queue(&w[1], &word2, FUTEX_WAIT | PRIVATE);
	woken = futex(&word, FUTEX_WAKE_OP | PRIVATE, 1, (void *)1L, &word2,
		      (uint32_t)FUTEX_OP(op, operand, cmp, cmp_operand));
	CHECK_EQ(woken, 1 + second);
	CHECK_EQ(word2, after);
	waiter_join(&w[0], 0);
	CHECK_EQ(futex_wake(&word2, PRIVATE, 1), !second);
	waiter_join(&w[1], 0);
	word = word2 = 0;
}

TEST(wake_op_changes_the_word)
{
	int shift = FUTEX_OP_OPARG_SHIFT;

	check_wake_op(FUTEX_OP_SET, 5, FUTEX_OP_CMP_EQ, 9, 9, 5, true);
	check_wake_op(FUTEX_OP_ADD, -2, FUTEX_OP_CMP_EQ, 9, 9, 7, true);
	check_wake_op(FUTEX_OP_OR, 6, FUTEX_OP_CMP_EQ, 9, 9, 15, true);
	check_wake_op(FUTEX_OP_ANDN, 1, FUTEX_OP_CMP_EQ, 9, 9, 8, true);
	check_wake_op(FUTEX_OP_XOR, 3, FUTEX_OP_CMP_EQ, 9, 9, 10, true);
	check_wake_op(FUTEX_OP_SET | shift, 31, FUTEX_OP_CMP_EQ, 9, 9, 1U << 31, true);
	check_wake_op(FUTEX_OP_OR | shift, 2, FUTEX_OP_CMP_EQ, 9, 9, 13, true);
}

TEST(wake_op_compares_the_old_value)
{
	check_wake_op(FUTEX_OP_SET, 1, FUTEX_OP_CMP_EQ, 8, 9, 1, false);
	check_wake_op(FUTEX_OP_SET, 1, FUTEX_OP_CMP_NE, 8, 9, 1, true);
	check_wake_op(FUTEX_OP_SET, 1, FUTEX_OP_CMP_NE, 9, 9, 1, false);
	check_wake_op(FUTEX_OP_SET, 1, FUTEX_OP_CMP_LT, 0, (uint32_t)-1, 1, true);
	check_wake_op(FUTEX_OP_SET, 1, FUTEX_OP_CMP_LT, -1, (uint32_t)-1, 1, false);
	check_wake_op(FUTEX_OP_SET, 1, FUTEX_OP_CMP_LE, -1, (uint32_t)-1, 1, true);
	check_wake_op(FUTEX_OP_SET, 1, FUTEX_OP_CMP_GT, -1, 0, 1, true);
	check_wake_op(FUTEX_OP_SET, 1, FUTEX_OP_CMP_GT, 0, 0, 1, false);
	check_wake_op(FUTEX_OP_SET, 1, FUTEX_OP_CMP_GE, 0, 0, 1, true);
	check_wake_op(FUTEX_OP_SET, 1, FUTEX_OP_CMP_GE, 1, 0, 1, false);
}
