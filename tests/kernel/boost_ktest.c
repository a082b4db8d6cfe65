/*
 * Lent priorities (sched_set_boost) and the order of real-time threads on one hart: queued, running and blocked.
 */
#include "abi/errno.h"
#include "kernel/sched/sched.h"
#include "kernel/sync/atomic.h"
#include "tests/kernel/ktest.h"

#define MS(n) (time_freq * (n) / 1000)

/* A thread pinned to the last hart; the boss that tests it stays on the first, or above all others where there is but one. */
struct actor {
	struct thread *thread;
	u32 stop, runs; /* [a] */
	u32 *left;	/* [a] */
	struct thread *boss;
	u32 *order, place; /* [a] counter, and what it said when we began */
};

static void actor_end(struct actor *a)
{
	struct thread *boss = a->boss;

	atomic_fetch_add(a->left, (u32)-1);
	unpark(boss);
}

/* Computes until told to stop. */
static void actor_spin(void *arg)
{
	struct actor *a = arg;

	a->place = atomic_fetch_add(a->order, 1);
	while (!atomic_load_acquire(&a->stop)) {
		atomic_fetch_add(&a->runs, 1);
		kernel_relax();
	}
	actor_end(a);
}

/* Runs once each time it is unparked. */
static void actor_blink(void *arg)
{
	struct actor *a = arg;

	while (!atomic_load_acquire(&a->stop)) {
		atomic_fetch_add(&a->runs, 1);
		park(PARK_FOREVER, 0);
	}
	actor_end(a);
}

struct stage {
	u32 left, order; /* [a] */
};

static bool stage_begin(struct stage *s)
{
	*s = (struct stage){0};
	return sched_set_affinity(thread_current(), BIT(0)) == 0 &&
	       sched_set_policy(thread_current(), SCHED_CLASS_FIFO, 90, 0) == 0;
}

static void stage_end(void)
{
	KCHECK(sched_set_policy(thread_current(), SCHED_CLASS_FAIR, 0, 0) == 0);
	KCHECK(sched_set_affinity(thread_current(), ~0UL) == 0);
}

/* Started above everybody, so that it may be moved and lowered from a known state: it runs on its hart, or waits for it. */
static bool actor_start(struct stage *s, struct actor *a, void (*fn)(void *), u32 prio)
{
	*a = (struct actor){.left = &s->left, .boss = thread_current(), .order = &s->order};
	atomic_fetch_add(&s->left, 1);
	a->thread = kthread_create("actor", fn, a);
	return a->thread &&
	       sched_set_policy(a->thread, prio ? SCHED_CLASS_FIFO : SCHED_CLASS_FAIR, prio, 0) == 0 &&
	       sched_set_affinity(a->thread, BIT(nr_cpus - 1)) == 0;
}

/* Lets the others run. */
static void stage_wait(u32 ms)
{
	sched_sleep_until(time_now() + MS(ms), 0);
}

static bool actor_ran(struct actor *a, u32 before)
{
	u64 deadline = time_now() + MS(10000);

	while (atomic_load_acquire(&a->runs) == before && time_now() < deadline)
		stage_wait(2);
	return atomic_load_acquire(&a->runs) != before;
}

/* Waits for it: the host may be slow to run the actors' hart. */
static bool actor_advances(struct actor *a)
{
	return actor_ran(a, atomic_load_acquire(&a->runs));
}

/* Asked when the one that keeps it from running was seen to run. */
static bool actor_stands(struct actor *a)
{
	u32 before = atomic_load_acquire(&a->runs);

	stage_wait(30);
	return atomic_load_acquire(&a->runs) == before;
}

static void stage_stop(struct stage *s, struct actor **actors, u32 n)
{
	u64 deadline = time_now() + MS(10000);

	for (u32 i = 0; i < n; i++) {
		atomic_store_release(&actors[i]->stop, 1);
		unpark(actors[i]->thread);
	}
	while (atomic_load_acquire(&s->left) && park(deadline, 0) != -ETIMEDOUT)
		;
	KCHECK(atomic_load_acquire(&s->left) == 0);
	for (u32 i = 0; i < n; i++)
		thread_put(actors[i]->thread);
}

KTEST(boost, a_queued_thread_overtakes_the_running_one)
{
	struct actor high, low;
	struct stage s;

	if (!KCHECK(stage_begin(&s)) || !KCHECK(actor_start(&s, &high, actor_spin, 20)) ||
	    !KCHECK(actor_start(&s, &low, actor_spin, 10)))
		return;
	stage_wait(20);
	KCHECK(actor_advances(&high));
	KCHECK(actor_stands(&low));
	sched_set_boost(low.thread, 30);
	stage_wait(10);
	KCHECK(actor_advances(&low));
	KCHECK(actor_stands(&high));
	sched_set_boost(low.thread, 0);
	stage_wait(10);
	KCHECK(actor_advances(&high));
	KCHECK(actor_stands(&low));
	stage_stop(&s, (struct actor *[]){&high, &low}, 2);
	stage_end();
}

KTEST(boost, a_blocked_thread_wakes_with_it)
{
	struct actor spinner, sleeper;
	struct stage s;

	if (!KCHECK(stage_begin(&s)) || !KCHECK(actor_start(&s, &sleeper, actor_blink, 0)))
		return;
	stage_wait(10);
	if (!KCHECK(actor_start(&s, &spinner, actor_spin, 20)))
		return;
	stage_wait(10);
	sched_set_boost(sleeper.thread, 30);
	for (u32 i = 0; i < 5; i++) {
		u32 before = atomic_load_acquire(&sleeper.runs);

		unpark(sleeper.thread);
		KCHECK(actor_ran(&sleeper, before));
	}
	sched_set_boost(sleeper.thread, 0);
	unpark(sleeper.thread);
	KCHECK(actor_advances(&spinner));
	KCHECK(actor_stands(&sleeper));
	stage_stop(&s, (struct actor *[]){&spinner, &sleeper}, 2);
	stage_end();
}

KTEST(boost, policy_changes_beneath_it)
{
	struct actor a, b;
	struct stage s;

	if (!KCHECK(stage_begin(&s)) || !KCHECK(actor_start(&s, &a, actor_spin, 10)) ||
	    !KCHECK(actor_start(&s, &b, actor_spin, 20)))
		return;
	stage_wait(10);
	sched_set_boost(a.thread, 30);
	KCHECK(sched_set_policy(a.thread, SCHED_CLASS_FIFO, 40, 0) == 0);
	sched_set_boost(a.thread, 0); /* its own priority is the higher one now */
	stage_wait(10);
	KCHECK(actor_advances(&a));
	sched_set_boost(a.thread, 50);
	KCHECK(sched_set_policy(a.thread, SCHED_CLASS_FAIR, 0, 5) == 0);
	stage_wait(10);
	KCHECK(actor_advances(&a));
	sched_set_boost(a.thread, 0);
	stage_wait(10);
	KCHECK(actor_advances(&b));
	stage_stop(&s, (struct actor *[]){&a, &b}, 2);
	stage_end();
}

KTEST(boost, a_preempted_fifo_thread_stays_first_of_its_equals)
{
	struct actor first, second, high;
	struct stage s;

	if (!KCHECK(stage_begin(&s)) || !KCHECK(actor_start(&s, &first, actor_spin, 10)))
		return;
	stage_wait(10);
	if (!KCHECK(actor_start(&s, &second, actor_spin, 10)))
		return;
	stage_wait(10);
	if (!KCHECK(actor_start(&s, &high, actor_spin, 20)))
		return;
	stage_wait(10);
	KCHECK(actor_advances(&high));
	atomic_store_release(&high.stop, 1);
	stage_wait(10);
	KCHECK(actor_advances(&first));
	KCHECK(actor_stands(&second));
	stage_stop(&s, (struct actor *[]){&first, &second, &high}, 3);
	stage_end();
}
