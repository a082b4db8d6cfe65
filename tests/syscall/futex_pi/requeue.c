/*
 * WAIT_REQUEUE_PI and CMP_REQUEUE_PI: from a condition variable's word to its PI mutex.
 */
#include <signal.h>

#include "tests/syscall/futex_pi/actor.h"

static uint32_t cond, mutex, other;

static void wait_requeue_sleeps(struct actor *a, const struct timespec *end)
{
	actor_futex(a, &cond, FUTEX_WAIT_REQUEUE_PI | PRIVATE, 0, end, &mutex, 0);
	actor_sleeps(a);
}

static long cmp_requeue_pi(uint32_t *from, uint32_t *to, int wake, long move, uint32_t expect)
{
	return futex(from, FUTEX_CMP_REQUEUE_PI | PRIVATE, (uint32_t)wake, (void *)move, to, expect);
}

static void start_waiting(struct actor *a, int count)
{
	cond = mutex = 0;
	for (int i = 0; i < count; i++) {
		actor_start(&a[i]);
		wait_requeue_sleeps(&a[i], NULL);
	}
}

static void own_and_unlock(struct actor *a)
{
	CHECK_EQ(actor_result(a), 0);
	CHECK_EQ(mutex & FUTEX_TID_MASK, a->tid);
	CHECK_EQ(actor_unlock(a, &mutex), 0);
}

static void stop_all(struct actor *a, int count)
{
	for (int i = 0; i < count; i++)
		actor_stop(&a[i]);
}

TEST(free_mutex_goes_to_the_first)
{
	struct actor a[3] = {0};

	start_waiting(a, 3);
	CHECK_EQ(cmp_requeue_pi(&cond, &mutex, 1, 0, 0), 1);
	CHECK_EQ(actor_result(&a[0]), 0);
	CHECK_EQ(mutex, a[0].tid);
	CHECK_EQ(actor_unlock(&a[0], &mutex), 0);
	CHECK_EQ(cmp_requeue_pi(&cond, &mutex, 1, 9, 0), 2);
	CHECK_EQ(mutex, a[1].tid | FUTEX_WAITERS);
	own_and_unlock(&a[1]);
	own_and_unlock(&a[2]);
	CHECK_EQ(mutex, 0);
	CHECK_EQ(cmp_requeue_pi(&cond, &mutex, 1, 9, 0), 0);
	CHECK_EQ(mutex, 0);
	stop_all(a, 3);
}

TEST(owned_mutex_is_waited_for)
{
	struct actor a[3] = {{.rt_prio = 0}, {.rt_prio = 6}, {.rt_prio = 7}};

	start_waiting(a, 3);
	CHECK_EQ(lock_pi(&mutex), 0);
	/* One more than asked, as nobody gets the mutex: by priority. */
	CHECK_EQ(cmp_requeue_pi(&cond, &mutex, 1, 1, 0), 2);
	CHECK_EQ(mutex, my_tid() | FUTEX_WAITERS);
	CHECK_EQ(running_priority(my_tid()), 7);
	CHECK_EQ(cmp_requeue_pi(&cond, &mutex, 1, 9, 0), 1);
	CHECK_EQ(unlock_pi(&mutex), 0);
	CHECK_EQ(running_priority(my_tid()), 0);
	own_and_unlock(&a[2]);
	own_and_unlock(&a[1]);
	own_and_unlock(&a[0]);
	CHECK_EQ(mutex, 0);
	stop_all(a, 3);
}

TEST(moved_waiter_times_out)
{
	struct timespec end = timespec_of(now_ns(CLOCK_MONOTONIC) + NS_PER_SEC);
	struct actor a = {.rt_prio = 5};

	cond = mutex = 0;
	actor_start(&a);
	wait_requeue_sleeps(&a, &end);
	CHECK_EQ(lock_pi(&mutex), 0);
	CHECK_EQ(cmp_requeue_pi(&cond, &mutex, 1, 0, 0), 1);
	CHECK_EQ(running_priority(my_tid()), 5);
	CHECK_EQ(actor_result(&a), -ETIMEDOUT);
	CHECK_EQ(running_priority(my_tid()), 0);
	CHECK_EQ(unlock_pi(&mutex), 0);
	/* And before it is moved; the clock is a choice. */
	end = timespec_of(now_ns(CLOCK_REALTIME) + 20 * NS_PER_MS);
	CHECK_EQ(futex(&cond, FUTEX_WAIT_REQUEUE_PI | FUTEX_CLOCK_REALTIME | PRIVATE, 0, &end,
		       &mutex, 0),
		 -ETIMEDOUT);
	CHECK_EQ(cmp_requeue_pi(&cond, &mutex, 1, 9, 0), 0);
	actor_stop(&a);
}

static int handled;

static void on_signal(int sig)
{
	(void)sig;
	__atomic_fetch_add(&handled, 1, __ATOMIC_SEQ_CST);
}

TEST(signal_before_and_after_the_move)
{
	struct sigaction sa = {.sa_handler = on_signal};
	struct actor a = {0};

	sigaction(SIGUSR1, &sa, NULL);
	start_waiting(&a, 1);
	pthread_kill(a.thread, SIGUSR1);
	WAIT_UNTIL(__atomic_load_n(&handled, __ATOMIC_SEQ_CST) == 1);
	actor_sleeps(&a);
	CHECK_EQ(lock_pi(&mutex), 0);
	CHECK_EQ(cmp_requeue_pi(&cond, &mutex, 1, 0, 0), 1);
	pthread_kill(a.thread, SIGUSR1);
	CHECK_EQ(actor_result(&a), -EAGAIN);
	CHECK_EQ(unlock_pi(&mutex), 0);
	CHECK_EQ(mutex, 0);
	actor_stop(&a);
}

TEST(requeue_pi_refuses)
{
	struct actor a = {0};
	char *odd = (char *)&mutex + 2;

	start_waiting(&a, 1);
	CHECK_EQ(cmp_requeue_pi(&cond, &cond, 1, 1, 0), -EINVAL);
	CHECK_EQ(cmp_requeue_pi(&cond, &mutex, 0, 1, 0), -EINVAL);
	CHECK_EQ(cmp_requeue_pi(&cond, &mutex, 2, 1, 0), -EINVAL);
	CHECK_EQ(cmp_requeue_pi(&cond, &mutex, -1, 1, 0), -EINVAL);
	CHECK_EQ(cmp_requeue_pi(&cond, &mutex, 1, -1, 0), -EINVAL);
	CHECK_EQ(cmp_requeue_pi(&cond, (uint32_t *)odd, 1, 1, 0), -EINVAL);
	CHECK_EQ(cmp_requeue_pi(&cond, &mutex, 1, 1, 9), -EAGAIN);
	CHECK_EQ(cmp_requeue_pi(&cond, &other, 1, 1, 0), -EINVAL); /* another mutex than it waits for */
	CHECK_EQ(other, 0);
	CHECK_EQ(futex_wake(&cond, PRIVATE, 1), -EINVAL);
	CHECK_EQ(futex_requeue(&cond, &mutex, PRIVATE, 1, 1), -EINVAL);
	mutex = a.tid; /* the waiter's own */
	CHECK_EQ(cmp_requeue_pi(&cond, &mutex, 1, 0, 0), -EDEADLK);
	mutex = 0x3ffffff0;
	CHECK_EQ(cmp_requeue_pi(&cond, &mutex, 1, 0, 0), -ESRCH);
	mutex = 0;
	CHECK_EQ(cmp_requeue_pi(&cond, &mutex, 1, 0, 0), 1);
	own_and_unlock(&a);
	/* A plain waiter is not moved to a PI mutex, and a PI lock is not waited on as a condition. */
	actor_futex(&a, &cond, FUTEX_WAIT | PRIVATE, 0, NULL, NULL, 0);
	actor_sleeps(&a);
	CHECK_EQ(cmp_requeue_pi(&cond, &mutex, 1, 1, 0), -EINVAL);
	CHECK_EQ(mutex, 0);
	CHECK_EQ(futex_wake(&cond, PRIVATE, 1), 1);
	CHECK_EQ(actor_result(&a), 0);
	actor_stop(&a);
}

TEST(wait_requeue_pi_refuses)
{
	int op = FUTEX_WAIT_REQUEUE_PI | PRIVATE;
	char *read_only = page_read_only(), *gone = page_unmapped();
	static const struct timespec bad = {0, -1};

	cond = 0;
	CHECK_EQ(futex(&cond, op, 0, NULL, &cond, 0), -EINVAL);
	CHECK_EQ(futex(&cond, op, 1, NULL, &mutex, 0), -EAGAIN);
	CHECK_EQ(futex(&cond, op, 0, &bad, &mutex, 0), -EINVAL);
	CHECK_EQ(futex(&cond, op, 0, NULL, (char *)&mutex + 1, 0), -EINVAL);
	CHECK_EQ(futex((char *)&cond + 1, op, 0, NULL, &mutex, 0), -EINVAL);
	CHECK_EQ(futex(gone, op, 0, NULL, &mutex, 0), -EFAULT);
	CHECK_EQ(futex(&cond, FUTEX_WAIT_REQUEUE_PI, 0, NULL, gone, 0), -EFAULT);
	CHECK_EQ(futex(&cond, FUTEX_WAIT_REQUEUE_PI, 0, NULL, read_only, 0), -EFAULT);
}

/* The mutex's owner waits for a lock that the waiter owns: to move the waiter would be a deadlock, so it stays. */
TEST(requeue_into_a_cycle)
{
	struct actor a = {0}, b = {0};

	cond = mutex = other = 0;
	actor_start(&a);
	actor_start(&b);
	CHECK_EQ(actor_lock(&a, &other), 0);
	wait_requeue_sleeps(&a, NULL);
	CHECK_EQ(actor_lock(&b, &mutex), 0);
	actor_lock_sleeps(&b, &other);
	CHECK_EQ(cmp_requeue_pi(&cond, &mutex, 1, 0, 0), -EDEADLK);
	CHECK_EQ(cmp_requeue_pi(&cond, &mutex, 1, 0, 0), -EDEADLK);
	CHECK(!actor_done(&a));
	pthread_kill(a.thread, SIGUSR1); /* handled: it waits on */
	actor_sleeps(&a);
	other = a.tid | FUTEX_WAITERS;
	cond = 1; /* a signal now ends the call */
	pthread_kill(a.thread, SIGUSR1);
	CHECK_EQ(actor_result(&a), -EAGAIN);
	CHECK_EQ(actor_unlock(&a, &other), 0);
	CHECK_EQ(actor_result(&b), 0);
	CHECK_EQ(actor_unlock(&b, &other), 0);
	CHECK_EQ(actor_unlock(&b, &mutex), 0);
	CHECK_EQ(mutex & ~FUTEX_WAITERS, 0);
	actor_stop(&a);
	actor_stop(&b);
}
