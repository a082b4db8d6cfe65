/*
 * Doorbells, calls between harts, and the counts of what each hart has served.
 */
#include "abi/errno.h"
#include "kernel/irq/irq.h"
#include "kernel/sched/sched.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/hart.h"
#include "kernel/sync/percpu.h"
#include "kernel/time/time.h"
#include "tests/kernel/ktest.h"

#define MS(n) (time_freq * (n) / 1000)

static u64 all_cpus(void)
{
	return nr_cpus == 64 ? ~0UL : BIT(nr_cpus) - 1;
}

static void note_cpu(void *seen)
{
	atomic_fetch_or((u64 *)seen, BIT(cpu_id()));
}

KTEST(irq, a_call_runs_on_just_the_harts_of_its_mask)
{
	for (u32 cpu = 0; cpu < nr_cpus; cpu++) {
		u64 seen = 0;

		hart_call(BIT(cpu), note_cpu, &seen);
		KCHECK(seen == BIT(cpu));
	}
	for (u32 round = 0; round < 200; round++) {
		u64 mask = (round * 0x9e3779b97f4a7c15UL) >> 7 & all_cpus(), seen = 0;

		hart_call(mask, note_cpu, &seen);
		KCHECK(seen == mask);
	}
}

#define CALLS (800 / nr_cpus + 1)

struct caller {
	struct thread *thread;
	u64 seen;   /* [a] */
	u32 served; /* [a] calls that were answered in full */
};

static struct {
	struct caller caller[MAX_CPUS];
	struct thread *boss;
	u32 left; /* [a] */
} crossing;

static void caller_main(void *arg)
{
	struct caller *c = arg;

	for (u32 round = 0; round < CALLS; round++) {
		c->seen = 0;
		hart_call(all_cpus(), note_cpu, &c->seen);
		c->served += atomic_load_acquire(&c->seen) == all_cpus();
	}
	atomic_fetch_add(&crossing.left, (u32)-1);
	unpark(crossing.boss);
}

/* Each hart calls all at the same time: each must answer while it waits. */
KTEST(irq, calls_that_cross_do_not_lock_up)
{
	u64 deadline = time_now() + time_freq * 60;

	crossing.left = nr_cpus;
	crossing.boss = thread_current();
	for (u32 cpu = 0; cpu < nr_cpus; cpu++) {
		struct caller *c = &crossing.caller[cpu];

		c->served = 0;
		c->thread = kthread_create("caller", caller_main, c);
		if (!KCHECK(c->thread != NULL))
			return;
		sched_set_affinity(c->thread, BIT(cpu));
	}
	while (atomic_load_acquire(&crossing.left)) {
		if (!KCHECK(park(deadline, 0) != -ETIMEDOUT))
			return;
	}
	for (u32 cpu = 0; cpu < nr_cpus; cpu++) {
		KCHECK(crossing.caller[cpu].served == CALLS);
		thread_put(crossing.caller[cpu].thread);
	}
}

/* A hart that sleeps in idle is rung, and counts it; one that polls is not: try until all have been asleep once. */
KTEST(irq, doorbells_are_counted)
{
	u64 before[MAX_CPUS], rung = 0;

	KCHECK(sched_set_affinity(thread_current(), BIT(0)) == 0);
	for (u32 cpu = 1; cpu < nr_cpus; cpu++)
		before[cpu] = irq_stats_of(cpu).ipi;
	for (u32 round = 0; round < 100 && rung != (all_cpus() & ~1UL); round++) {
		u64 seen = 0;

		sched_sleep_until(time_now() + MS(5), 0);
		hart_call(all_cpus(), note_cpu, &seen);
		for (u32 cpu = 1; cpu < nr_cpus; cpu++) {
			if (irq_stats_of(cpu).ipi > before[cpu])
				rung |= BIT(cpu);
		}
	}
	KCHECK(rung == (all_cpus() & ~1UL));
	KCHECK(sched_set_affinity(thread_current(), ~0UL) == 0);
}

KTEST(irq, timer_interrupts_are_counted)
{
	u64 before;

	KCHECK(sched_set_affinity(thread_current(), BIT(0)) == 0);
	before = irq_stats_of(0).timer;
	for (u32 round = 0; round < 5; round++)
		sched_sleep_until(time_now() + MS(5), 0);
	KCHECK(irq_stats_of(0).timer > before);
	KCHECK(sched_set_affinity(thread_current(), ~0UL) == 0);
}

static void nobody(void *unused)
{
	(void)unused;
}

KTEST(irq, bad_sources_are_refused)
{
	KCHECK(irq_register(0, "none", nobody, NULL) == -EINVAL);
	KCHECK(irq_register(100000, "none", nobody, NULL) == -EINVAL);
}
