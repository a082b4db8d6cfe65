/*
 * LOCK_PI, LOCK_PI2, TRYLOCK_PI and UNLOCK_PI: who owns the word, in which order, and what is refused.
 */
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>

#include "tests/syscall/futex_pi/actor.h"

static uint32_t word, word2;

TEST(lock_and_unlock_a_free_word)
{
	CHECK_EQ(lock_pi(&word), 0);
	CHECK_EQ(word, my_tid());
	CHECK_EQ(unlock_pi(&word), 0);
	CHECK_EQ(word, 0);
	CHECK_EQ(futex(&word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0), 0);
	CHECK_EQ(word, my_tid());
	CHECK_EQ(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), 0);
	CHECK_EQ(futex(&word, FUTEX_LOCK_PI2 | PRIVATE, 0, NULL, NULL, 0), 0);
	CHECK_EQ(unlock_pi(&word), 0);
	CHECK_EQ(word, 0);
}

TEST(lock_keeps_owner_died)
{
	word = FUTEX_OWNER_DIED;
	CHECK_EQ(lock_pi(&word), 0);
	CHECK_EQ(word, my_tid() | FUTEX_OWNER_DIED);
	CHECK_EQ(unlock_pi(&word), 0);
	CHECK_EQ(word, 0);
	word = FUTEX_WAITERS;
	CHECK_EQ(lock_pi(&word), 0);
	CHECK_EQ(word, my_tid());
	word |= FUTEX_WAITERS;
	CHECK_EQ(unlock_pi(&word), 0);
	CHECK_EQ(word, 0);
}

TEST(own_lock_is_a_deadlock)
{
	word = my_tid();
	CHECK_EQ(lock_pi(&word), -EDEADLK);
	CHECK_EQ(futex(&word, FUTEX_TRYLOCK_PI | PRIVATE, 0, NULL, NULL, 0), -EDEADLK);
	CHECK_EQ(word, my_tid());
	word = 0;
}

TEST(others_lock)
{
	struct actor a = {0};

	actor_start(&a);
	CHECK_EQ(actor_lock(&a, &word), 0);
	CHECK_EQ(word, a.tid);
	CHECK_EQ(unlock_pi(&word), -EPERM);
	CHECK_EQ(futex(&word, FUTEX_TRYLOCK_PI | PRIVATE, 0, NULL, NULL, 0), -EAGAIN);
	CHECK_EQ(word, a.tid | FUTEX_WAITERS);
	CHECK_EQ(actor_unlock(&a, &word), 0);
	CHECK_EQ(word, 0);
	actor_stop(&a);
}

TEST(unlock_hands_over)
{
	struct actor a = {0}, b = {0};

	actor_start(&a);
	actor_start(&b);
	CHECK_EQ(lock_pi(&word), 0);
	actor_lock_sleeps(&a, &word);
	CHECK_EQ(word, my_tid() | FUTEX_WAITERS);
	actor_lock_sleeps(&b, &word);
	CHECK_EQ(unlock_pi(&word), 0);
	CHECK_EQ(actor_result(&a), 0);
	CHECK_EQ(word, a.tid | FUTEX_WAITERS);
	CHECK(!actor_done(&b));
	CHECK_EQ(actor_unlock(&a, &word), 0);
	CHECK_EQ(actor_result(&b), 0);
	CHECK_EQ(word, b.tid | FUTEX_WAITERS);
	CHECK_EQ(actor_unlock(&b, &word), 0);
	CHECK_EQ(word, 0);
	actor_stop(&a);
	actor_stop(&b);
}

TEST(highest_priority_is_next)
{
	struct actor a[4] = {{.rt_prio = 0}, {.rt_prio = 5}, {.rt_prio = 9}, {.rt_prio = 5}};
	static const int order[] = {2, 1, 3, 0};

	CHECK_EQ(lock_pi(&word), 0);
	for (int i = 0; i < 4; i++) {
		actor_start(&a[i]);
		actor_lock_sleeps(&a[i], &word);
	}
	CHECK_EQ(unlock_pi(&word), 0);
	for (int i = 0; i < 4; i++) {
		CHECK_EQ(actor_result(&a[order[i]]), 0);
		CHECK_EQ(word & FUTEX_TID_MASK, a[order[i]].tid);
		CHECK_EQ(actor_unlock(&a[order[i]], &word), 0);
	}
	CHECK_EQ(word, 0);
	for (int i = 0; i < 4; i++)
		actor_stop(&a[i]);
}

TEST(priority_of_a_waiter_changes)
{
	struct actor a = {.rt_prio = 5}, b = {.rt_prio = 6};
	struct sched_param param = {.sched_priority = 7};

	actor_start(&a);
	actor_start(&b);
	CHECK_EQ(lock_pi(&word), 0);
	actor_lock_sleeps(&a, &word);
	actor_lock_sleeps(&b, &word);
	CHECK_EQ(running_priority(my_tid()), 6);
	CHECK_EQ(sched_setparam((pid_t)a.tid, &param), 0);
	CHECK_EQ(running_priority(my_tid()), 7);
	CHECK_EQ(unlock_pi(&word), 0);
	CHECK_EQ(running_priority(my_tid()), 0);
	CHECK_EQ(actor_result(&a), 0);
	CHECK_EQ(actor_unlock(&a, &word), 0);
	CHECK_EQ(actor_result(&b), 0);
	CHECK_EQ(actor_unlock(&b, &word), 0);
	actor_stop(&a);
	actor_stop(&b);
}

static void check_timeout(int op, clockid_t clock)
{
	struct timespec past = {1, 0}, soon = timespec_of(now_ns(clock) + 20 * NS_PER_MS);
	struct actor a = {0};

	actor_start(&a);
	CHECK_EQ(actor_lock(&a, &word), 0);
	CHECK_EQ(futex(&word, op, 0, &past, NULL, 0), -ETIMEDOUT);
	CHECK_EQ(futex(&word, op, 0, &soon, NULL, 0), -ETIMEDOUT);
	CHECK(now_ns(clock) >= soon.tv_sec * NS_PER_SEC + soon.tv_nsec);
	CHECK_EQ(word, a.tid | FUTEX_WAITERS);
	CHECK_EQ(actor_unlock(&a, &word), 0);
	CHECK_EQ(word, 0);
	/* A free word is taken whatever the time. */
	CHECK_EQ(futex(&word, op, 0, &past, NULL, 0), 0);
	CHECK_EQ(unlock_pi(&word), 0);
	actor_stop(&a);
}

TEST(timeouts)
{
	check_timeout(FUTEX_LOCK_PI | PRIVATE, CLOCK_REALTIME);
	check_timeout(FUTEX_LOCK_PI2 | PRIVATE, CLOCK_MONOTONIC);
	check_timeout(FUTEX_LOCK_PI2 | FUTEX_CLOCK_REALTIME | PRIVATE, CLOCK_REALTIME);
}

/* The first of two waiters gives up: the other one is next. */
TEST(first_waiter_times_out)
{
	struct timespec soon = timespec_of(now_ns(CLOCK_MONOTONIC) + NS_PER_SEC);
	struct actor a = {.rt_prio = 9}, b = {.rt_prio = 4};

	actor_start(&a);
	actor_start(&b);
	CHECK_EQ(lock_pi(&word), 0);
	actor_futex(&a, &word, FUTEX_LOCK_PI2 | PRIVATE, 0, &soon, NULL, 0);
	actor_sleeps(&a);
	actor_lock_sleeps(&b, &word);
	CHECK_EQ(running_priority(my_tid()), 9);
	CHECK_EQ(actor_result(&a), -ETIMEDOUT);
	CHECK_EQ(running_priority(my_tid()), 4);
	CHECK_EQ(unlock_pi(&word), 0);
	CHECK_EQ(actor_result(&b), 0);
	CHECK_EQ(actor_unlock(&b, &word), 0);
	CHECK_EQ(running_priority(my_tid()), 0);
	actor_stop(&a);
	actor_stop(&b);
}

static int handled;

static void on_signal(int sig)
{
	(void)sig;
	__atomic_fetch_add(&handled, 1, __ATOMIC_SEQ_CST);
}

TEST(signal_restarts_the_wait)
{
	struct sigaction sa = {.sa_handler = on_signal}; /* without SA_RESTART */
	struct actor a = {0};

	sigaction(SIGUSR1, &sa, NULL);
	actor_start(&a);
	CHECK_EQ(lock_pi(&word), 0);
	actor_lock_sleeps(&a, &word);
	pthread_kill(a.thread, SIGUSR1);
	WAIT_UNTIL(__atomic_load_n(&handled, __ATOMIC_SEQ_CST) == 1);
	actor_sleeps(&a);
	CHECK_EQ(unlock_pi(&word), 0);
	CHECK_EQ(actor_result(&a), 0);
	CHECK_EQ(actor_unlock(&a, &word), 0);
	actor_stop(&a);
}

TEST(refused_arguments)
{
	static const struct timespec bad = {0, -1};
	char *odd = (char *)&word + 2, *read_only = page_read_only(), *gone = page_unmapped();
	const struct errno_case cases[] = {
		{"lock odd", SYS_futex, {(long)odd, FUTEX_LOCK_PI}, EINVAL},
		{"trylock odd", SYS_futex, {(long)odd, FUTEX_TRYLOCK_PI | PRIVATE}, EINVAL},
		{"lock gone", SYS_futex, {(long)gone, FUTEX_LOCK_PI | PRIVATE}, EFAULT},
		{"lock gone, shared", SYS_futex, {(long)gone, FUTEX_LOCK_PI}, EFAULT},
		{"unlock gone", SYS_futex, {(long)gone, FUTEX_UNLOCK_PI | PRIVATE}, EFAULT},
		{"lock read only", SYS_futex, {(long)read_only, FUTEX_LOCK_PI | PRIVATE}, EFAULT},
		{"lock read only, shared", SYS_futex, {(long)read_only, FUTEX_LOCK_PI}, EFAULT},
		{"unlock read only", SYS_futex, {(long)read_only, FUTEX_UNLOCK_PI | PRIVATE}, EPERM},
		{"unlock 0", SYS_futex, {(long)&word, FUTEX_UNLOCK_PI | PRIVATE}, EPERM},
		{"unlock odd", SYS_futex, {(long)odd, FUTEX_UNLOCK_PI | PRIVATE}, EPERM},
		{"lock, realtime", SYS_futex, {(long)&word, FUTEX_LOCK_PI | FUTEX_CLOCK_REALTIME}, ENOSYS},
		{"unlock, realtime",
		 SYS_futex,
		 {(long)&word, FUTEX_UNLOCK_PI | FUTEX_CLOCK_REALTIME},
		 ENOSYS},
		{"trylock, realtime",
		 SYS_futex,
		 {(long)&word, FUTEX_TRYLOCK_PI | FUTEX_CLOCK_REALTIME},
		 ENOSYS},
		{"lock, bad time", SYS_futex, {(long)&word, FUTEX_LOCK_PI, 0, (long)&bad}, EINVAL},
		{"lock2, bad time", SYS_futex, {(long)&word, FUTEX_LOCK_PI2, 0, (long)&bad}, EINVAL},
		{"lock, time gone", SYS_futex, {(long)&word, FUTEX_LOCK_PI, 0, (long)gone}, EFAULT},
		{"lock2, time gone", SYS_futex, {(long)&word, FUTEX_LOCK_PI2, 0, (long)gone}, EFAULT},
	};

	check_errno_cases(cases, ARRAY_SIZE(cases));
	CHECK_EQ(word, 0);
	CHECK_EQ(futex(&word, FUTEX_TRYLOCK_PI | PRIVATE, 0, gone, NULL, 0), 0); /* no timeout */
	CHECK_EQ(unlock_pi(&word), 0);
}

TEST(owner_that_is_none)
{
	word = 0x3ffffff0; /* no such thread */
	CHECK_EQ(lock_pi(&word), -ESRCH);
	CHECK_EQ(word, 0x3ffffff0 | FUTEX_WAITERS);
	CHECK_EQ(futex(&word, FUTEX_TRYLOCK_PI | PRIVATE, 0, NULL, NULL, 0), -ESRCH);
	word = 0;
}

/* The word says something else than the kernel knows. */
TEST(word_against_the_kernel)
{
	struct actor a = {0}, b = {0};

	actor_start(&a);
	actor_start(&b);
	CHECK_EQ(lock_pi(&word), 0);
	actor_lock_sleeps(&a, &word);
	word = b.tid | FUTEX_WAITERS;
	CHECK_EQ(actor_lock(&b, &word), -EDEADLK);
	CHECK_EQ(lock_pi(&word), -EINVAL);
	CHECK_EQ(futex(&word, FUTEX_TRYLOCK_PI | PRIVATE, 0, NULL, NULL, 0), -EINVAL);
	CHECK_EQ(actor_unlock(&b, &word), -EINVAL);
	word = 0;
	CHECK_EQ(lock_pi(&word), -EINVAL);
	word = my_tid(); /* without FUTEX_WAITERS */
	CHECK_EQ(unlock_pi(&word), 0);
	CHECK_EQ(actor_result(&a), 0);
	CHECK_EQ(word, a.tid | FUTEX_WAITERS);
	CHECK_EQ(actor_unlock(&a, &word), 0);
	actor_stop(&a);
	actor_stop(&b);
}

TEST(pi_and_plain_do_not_mix)
{
	struct actor a = {0};

	actor_start(&a);
	/* Plain calls on a word with PI waiters. */
	CHECK_EQ(lock_pi(&word), 0);
	actor_lock_sleeps(&a, &word);
	CHECK_EQ(futex_wake(&word, PRIVATE, 1), -EINVAL);
	CHECK_EQ(futex(&word, FUTEX_WAKE_BITSET | PRIVATE, 1, NULL, NULL, 2), -EINVAL);
	CHECK_EQ(futex_requeue(&word, &word2, PRIVATE, 0, 1), -EINVAL);
	CHECK_EQ(futex(&word, FUTEX_CMP_REQUEUE | PRIVATE, 1, (void *)1L, &word2, (uint32_t)word),
		 -EINVAL);
	CHECK_EQ(futex(&word, FUTEX_WAKE_OP | PRIVATE, 1, (void *)1L, &word2, 0), -EINVAL);
	CHECK_EQ(futex(&word2, FUTEX_WAKE_OP | PRIVATE, 1, (void *)1L, &word,
		       FUTEX_OP(FUTEX_OP_OR, 0, FUTEX_OP_CMP_NE, 0)),
		 -EINVAL);
	CHECK_EQ(unlock_pi(&word), 0);
	CHECK_EQ(actor_result(&a), 0);
	CHECK_EQ(actor_unlock(&a, &word), 0);
	/* PI calls on a word with a plain waiter. */
	actor_futex(&a, &word, FUTEX_WAIT | PRIVATE, 0, NULL, NULL, 0);
	actor_sleeps(&a);
	CHECK_EQ(lock_pi(&word), -EINVAL);
	word = my_tid();
	CHECK_EQ(unlock_pi(&word), -EINVAL);
	CHECK_EQ(futex_wake(&word, PRIVATE, 1), 1);
	CHECK_EQ(actor_result(&a), 0);
	CHECK_EQ(unlock_pi(&word), 0);
	actor_stop(&a);
	word2 = 0;
}

/* A plain waiter of higher priority stands before the one that waits to own; that one still finds its way out. */
TEST(plain_waiter_before_the_first)
{
	struct timespec soon = timespec_of(now_ns(CLOCK_MONOTONIC) + NS_PER_SEC);
	struct actor a = {.rt_prio = 4}, b = {.rt_prio = 6};

	actor_start(&a);
	actor_start(&b);
	CHECK_EQ(lock_pi(&word), 0);
	actor_futex(&a, &word, FUTEX_LOCK_PI2 | PRIVATE, 0, &soon, NULL, 0);
	actor_sleeps(&a);
	actor_futex(&b, &word, FUTEX_WAIT | PRIVATE, word, NULL, NULL, 0);
	actor_sleeps(&b);
	CHECK_EQ(running_priority(my_tid()), 4);
	CHECK_EQ(unlock_pi(&word), -EINVAL);
	CHECK_EQ(actor_result(&a), -ETIMEDOUT);
	CHECK_EQ(running_priority(my_tid()), 0);
	CHECK_EQ(unlock_pi(&word), -EINVAL);
	CHECK_EQ(futex_wake(&word, PRIVATE, 1), 1);
	CHECK_EQ(actor_result(&b), 0);
	/* Both ways again, the plain waiter first in time too. */
	actor_futex(&b, &word, FUTEX_WAIT | PRIVATE, word, NULL, NULL, 0);
	actor_sleeps(&b);
	actor_futex(&a, &word, FUTEX_LOCK_PI | PRIVATE, 0, NULL, NULL, 0);
	CHECK_EQ(actor_result(&a), -EINVAL);
	CHECK_EQ(futex_wake(&word, PRIVATE, 1), 1);
	CHECK_EQ(actor_result(&b), 0);
	CHECK_EQ(unlock_pi(&word), 0);
	actor_stop(&a);
	actor_stop(&b);
}

/* Two mappings of one page are one lock. */
TEST(shared_lock_at_two_addresses)
{
	int fd = (int)syscall(SYS_memfd_create, "lock", 0);
	struct actor a = {0};
	uint32_t *x, *y;

	if (!CHECK_EQ(ftruncate(fd, 4096), 0))
		return;
	x = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	y = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	actor_start(&a);
	CHECK_EQ(futex(x, FUTEX_LOCK_PI, 0, NULL, NULL, 0), 0);
	actor_futex(&a, y, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
	actor_sleeps(&a);
	CHECK_EQ(futex(y, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), 0);
	CHECK_EQ(actor_result(&a), 0);
	CHECK_EQ(*x, a.tid | FUTEX_WAITERS);
	actor_futex(&a, x, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
	CHECK_EQ(actor_result(&a), 0);
	CHECK_EQ(*y, 0);
	actor_stop(&a);
	munmap(x, 4096);
	munmap(y, 4096);
	close(fd);
}
