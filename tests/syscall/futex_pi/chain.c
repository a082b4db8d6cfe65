/*
 * Chains of owners: priorities pass along them, cycles are refused, and the end of an owner sets its locks free.
 */
#include <linux/futex.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "tests/syscall/futex_pi/actor.h"

#define LENGTH 8

static uint32_t words[LENGTH + 1];

TEST(cycle_of_two)
{
	struct actor a = {0};

	actor_start(&a);
	CHECK_EQ(lock_pi(&words[0]), 0);
	CHECK_EQ(actor_lock(&a, &words[1]), 0);
	actor_lock_sleeps(&a, &words[0]);
	CHECK_EQ(lock_pi(&words[1]), -EDEADLK);
	CHECK_EQ(words[1] & FUTEX_TID_MASK, a.tid);
	CHECK_EQ(unlock_pi(&words[0]), 0);
	CHECK_EQ(actor_result(&a), 0);
	CHECK_EQ(actor_unlock(&a, &words[0]), 0);
	CHECK_EQ(actor_unlock(&a, &words[1]), 0);
	actor_stop(&a);
}

/* Actor i owns word i and waits for word i - 1; the main thread owns word 0. */
static void chain_build(struct actor *a)
{
	CHECK_EQ(lock_pi(&words[0]), 0);
	for (int i = 1; i <= LENGTH; i++) {
		actor_start(&a[i]);
		CHECK_EQ(actor_lock(&a[i], &words[i]), 0);
		actor_lock_sleeps(&a[i], &words[i - 1]);
	}
}

static void chain_end(struct actor *a)
{
	CHECK_EQ(unlock_pi(&words[0]), 0);
	for (int i = 1; i <= LENGTH; i++) {
		CHECK_EQ(actor_result(&a[i]), 0);
		CHECK_EQ(actor_unlock(&a[i], &words[i - 1]), 0);
		CHECK_EQ(actor_unlock(&a[i], &words[i]), 0);
	}
	for (int i = 1; i <= LENGTH; i++) {
		CHECK_EQ(running_priority(a[i].tid), 0);
		actor_stop(&a[i]);
	}
}

TEST(long_cycle)
{
	struct actor a[LENGTH + 1] = {0};

	chain_build(a);
	CHECK_EQ(lock_pi(&words[LENGTH]), -EDEADLK);
	CHECK_EQ(lock_pi(&words[LENGTH / 2]), -EDEADLK);
	chain_end(a);
}

TEST(priority_passes_along_the_chain)
{
	struct actor a[LENGTH + 1] = {0}, high = {.rt_prio = 20};
	struct timespec end;

	chain_build(a);
	actor_start(&high);
	end = timespec_of(now_ns(CLOCK_MONOTONIC) + 2 * NS_PER_SEC);
	actor_futex(&high, &words[LENGTH], FUTEX_LOCK_PI2 | PRIVATE, 0, &end, NULL, 0);
	actor_sleeps(&high);
	CHECK_EQ(running_priority(my_tid()), 20);
	for (int i = 1; i <= LENGTH; i++)
		CHECK_EQ(running_priority(a[i].tid), 20);
	/* And is taken back along it. */
	CHECK_EQ(actor_result(&high), -ETIMEDOUT);
	CHECK_EQ(running_priority(my_tid()), 0);
	for (int i = 1; i <= LENGTH; i++)
		CHECK_EQ(running_priority(a[i].tid), 0);
	actor_lock_sleeps(&high, &words[LENGTH]);
	CHECK_EQ(running_priority(my_tid()), 20);
	CHECK_EQ(unlock_pi(&words[0]), 0);
	CHECK_EQ(running_priority(my_tid()), 0);
	for (int i = 1; i <= LENGTH; i++) {
		CHECK_EQ(actor_result(&a[i]), 0);
		CHECK_EQ(running_priority(a[i].tid), 20);
		CHECK_EQ(actor_unlock(&a[i], &words[i - 1]), 0);
		CHECK_EQ(actor_unlock(&a[i], &words[i]), 0);
		CHECK_EQ(running_priority(a[i].tid), 0);
	}
	CHECK_EQ(actor_result(&high), 0);
	CHECK_EQ(actor_unlock(&high, &words[LENGTH]), 0);
	for (int i = 1; i <= LENGTH; i++)
		actor_stop(&a[i]);
	actor_stop(&high);
}

/* One owner with several lenders runs at the highest of them. */
TEST(several_lenders)
{
	struct actor a = {.rt_prio = 3}, b = {.rt_prio = 8}, c = {.rt_prio = 5};

	actor_start(&a);
	actor_start(&b);
	actor_start(&c);
	CHECK_EQ(lock_pi(&words[0]), 0);
	CHECK_EQ(lock_pi(&words[1]), 0);
	actor_lock_sleeps(&a, &words[0]);
	CHECK_EQ(running_priority(my_tid()), 3);
	actor_lock_sleeps(&b, &words[1]);
	CHECK_EQ(running_priority(my_tid()), 8);
	actor_lock_sleeps(&c, &words[0]);
	CHECK_EQ(unlock_pi(&words[1]), 0);
	CHECK_EQ(running_priority(my_tid()), 5);
	CHECK_EQ(unlock_pi(&words[0]), 0);
	CHECK_EQ(running_priority(my_tid()), 0);
	CHECK_EQ(actor_result(&c), 0);
	CHECK_EQ(actor_unlock(&c, &words[0]), 0);
	CHECK_EQ(actor_result(&a), 0);
	CHECK_EQ(actor_result(&b), 0);
	CHECK_EQ(actor_unlock(&a, &words[0]), 0);
	CHECK_EQ(actor_unlock(&b, &words[1]), 0);
	actor_stop(&a);
	actor_stop(&b);
	actor_stop(&c);
}

/* ---- the boost is real ---- */

static void pin_to_last_cpu(void)
{
	cpu_set_t set;
	int last = (int)sysconf(_SC_NPROCESSORS_ONLN) - 1;

	CPU_ZERO(&set);
	CPU_SET(last, &set);
	CHECK_EQ(sched_setaffinity(0, sizeof(set), &set), 0);
}

static void become_fifo(int prio)
{
	struct sched_param param = {.sched_priority = prio};

	CHECK_EQ(sched_setscheduler(0, SCHED_FIFO, &param), 0);
}

static struct {
	uint32_t word;
	int stage;
	int64_t spin_ns;
	int64_t got_at, spun_at;
} inversion;

static void stage_wait(int stage)
{
	while (__atomic_load_n(&inversion.stage, __ATOMIC_ACQUIRE) < stage)
		sleep_ms(1);
}

static void stage_set(int stage)
{
	__atomic_store_n(&inversion.stage, stage, __ATOMIC_RELEASE);
}

static void spin_for(int64_t ns)
{
	int64_t end = now_ns(CLOCK_MONOTONIC) + ns;

	while (now_ns(CLOCK_MONOTONIC) < end)
		;
}

static void *low_main(void *arg)
{
	(void)arg;
	pin_to_last_cpu();
	CHECK_EQ(lock_pi(&inversion.word), 0);
	stage_set(1);
	while (!(__atomic_load_n(&inversion.word, __ATOMIC_ACQUIRE) & FUTEX_WAITERS))
		sleep_ms(1);
	spin_for(20 * NS_PER_MS);
	CHECK_EQ(unlock_pi(&inversion.word), 0);
	return NULL;
}

static void *middle_main(void *arg)
{
	(void)arg;
	pin_to_last_cpu();
	become_fifo(10);
	stage_wait(2);
	spin_for(inversion.spin_ns);
	inversion.spun_at = now_ns(CLOCK_MONOTONIC);
	return NULL;
}

static void *high_main(void *arg)
{
	(void)arg;
	pin_to_last_cpu();
	become_fifo(20);
	stage_wait(1);
	stage_set(2);
	CHECK_EQ(lock_pi(&inversion.word), 0);
	inversion.got_at = now_ns(CLOCK_MONOTONIC);
	CHECK_EQ(unlock_pi(&inversion.word), 0);
	return NULL;
}

/* Low owns the lock, middle keeps the processor busy, high wants the lock: it gets it before middle is done. */
TEST(no_priority_inversion)
{
	pthread_t low, middle, high;

	memset(&inversion, 0, sizeof(inversion));
	inversion.spin_ns = 600 * NS_PER_MS;
	middle = thread_start(middle_main, NULL);
	high = thread_start(high_main, NULL);
	low = thread_start(low_main, NULL);
	thread_join(high);
	thread_join(middle);
	thread_join(low);
	CHECK(inversion.got_at < inversion.spun_at);
}

/* ---- owners that end ---- */

static void *dying_owner(void *arg)
{
	uint32_t *word = arg;

	CHECK_EQ(lock_pi(word), 0);
	while (!(__atomic_load_n(word, __ATOMIC_ACQUIRE) & FUTEX_WAITERS))
		sleep_ms(1);
	sleep_ms(20);
	return NULL;
}

TEST(owner_ends_without_unlock)
{
	pthread_t owner = thread_start(dying_owner, &words[0]);
	struct actor a = {0};

	WAIT_UNTIL(__atomic_load_n(&words[0], __ATOMIC_ACQUIRE));
	actor_start(&a);
	actor_lock_sleeps(&a, &words[0]);
	thread_join(owner);
	CHECK_EQ(actor_result(&a), 0);
	CHECK_EQ(words[0], a.tid | FUTEX_WAITERS | FUTEX_OWNER_DIED);
	CHECK_EQ(actor_unlock(&a, &words[0]), 0);
	CHECK_EQ(words[0], 0);
	actor_stop(&a);
}

struct robust_lock {
	struct robust_list link;
	uint32_t word;
};

static struct robust_lock robust_lock;
static struct robust_list_head robust_head;

/* Bit 0 of a link says that the futex is a PI one. */
static void *dying_robust_owner(void *arg)
{
	struct robust_list *entry = (struct robust_list *)((uintptr_t)&robust_lock.link | 1);

	robust_head.list.next = entry;
	robust_lock.link.next = &robust_head.list;
	robust_head.futex_offset = offsetof(struct robust_lock, word);
	CHECK_EQ(sys2(SYS_set_robust_list, &robust_head, sizeof(robust_head)), 0);
	if (arg)
		return dying_owner(&robust_lock.word);
	return (void *)lock_pi(&robust_lock.word);
}

TEST(robust_owner_ends)
{
	struct actor a = {0};
	pthread_t owner;

	thread_join(thread_start(dying_robust_owner, NULL));
	CHECK_EQ(robust_lock.word, FUTEX_OWNER_DIED);
	CHECK_EQ(lock_pi(&robust_lock.word), 0);
	CHECK_EQ(robust_lock.word, my_tid() | FUTEX_OWNER_DIED);
	CHECK_EQ(unlock_pi(&robust_lock.word), 0);

	owner = thread_start(dying_robust_owner, &a);
	WAIT_UNTIL(__atomic_load_n(&robust_lock.word, __ATOMIC_ACQUIRE));
	actor_start(&a);
	actor_lock_sleeps(&a, &robust_lock.word);
	thread_join(owner);
	CHECK_EQ(actor_result(&a), 0);
	CHECK_EQ(robust_lock.word, a.tid | FUTEX_WAITERS | FUTEX_OWNER_DIED);
	CHECK_EQ(actor_unlock(&a, &robust_lock.word), 0);
	actor_stop(&a);
}

/* Owned by a process that has ended: nobody is to be waited for. */
TEST(owner_in_another_process)
{
	uint32_t *shared =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t child;
	int status;

	if (!CHECK(shared != MAP_FAILED))
		return;
	child = fork();
	if (child == 0) {
		if (futex(shared, FUTEX_LOCK_PI, 0, NULL, NULL, 0))
			_exit(1);
		while (!(__atomic_load_n(shared, __ATOMIC_ACQUIRE) & FUTEX_WAITERS))
			sleep_ms(1);
		_exit(futex(shared, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) != 0);
	}
	WAIT_UNTIL(__atomic_load_n(shared, __ATOMIC_ACQUIRE));
	CHECK_EQ(futex(shared, FUTEX_LOCK_PI, 0, NULL, NULL, 0), 0);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	CHECK_EQ(*shared & FUTEX_TID_MASK, my_tid());
	*shared = (uint32_t)child;
	CHECK_EQ(futex(shared, FUTEX_LOCK_PI, 0, NULL, NULL, 0), -ESRCH);
	munmap(shared, 4096);
}
