/*
 * CPU clocks and what waits for them.
 *
 * Nothing is done when threads run or switch. Instead, one kernel timer a process looks at the
 * clocks at the earliest time at which something could be due: with n threads on up to n harts, r
 * nanoseconds of CPU time take at least r / n. If all slept meanwhile it looks again. Looks are at
 * least LOOK_MIN_NS apart, which is also how late an expiry may be; Linux, which looks at its ticks,
 * may be 4 ms late.
 *
 * A timer may count the time of another process. It lies under the lock of its own, and that of the other is only tried for, as two
 * processes may have timers on each other.
 */
#include "abi/errno.h"
#include "arch/riscv64/cpu.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/task_internal.h"
#include "kernel/task/timer_internal.h"

#define LOOK_MIN_NS 1000000UL

u64 cpu_clock_now_locked(struct process *p, const struct timer_clock *clock)
{
	struct cpu_ticks cpu = {0};
	struct task *t;

	if (!clock->tid) {
		process_cpu_ticks_locked(p, &cpu);
	} else {
		list_for_each(t, &p->tasks, siblings)
			if (t->thread.tid == clock->tid)
				task_cpu_ticks(t, &cpu);
	}
	return time_ticks_to_ns(clock->user_only ? cpu.user : cpu.run);
}

bool task_timer_sample(struct task_timer *t)
{
	struct process *other = t->clock.other;

	if (!other)
		return true;
	if (!spin_trylock(&other->lock))
		return false;
	t->other_ns = cpu_clock_now_locked(other, &t->clock);
	spin_unlock(&other->lock);
	return true;
}

void timer_clock_put(struct timer_clock *clock)
{
	if (clock->other)
		process_put(clock->other);
	clock->other = NULL;
}

/* Harts that can advance the clock at once. 0: nobody will any more. */
static u64 cpu_clock_speed(const struct process *p, const struct timer_clock *clock)
{
	u32 nr = atomic_load_relaxed(&(clock->other ? clock->other : p)->nr_tasks);

	return clock->tid ? 1 : MIN(nr, nr_cpus);
}

/* The earliest that a clock can have advanced by `ns`. */
static u64 cpu_clock_least(const struct process *p, const struct timer_clock *clock, u64 ns)
{
	u64 speed = cpu_clock_speed(p, clock);

	return speed ? ns / speed : PARK_FOREVER;
}

/* Expires what is due; how long the rest takes at least, or PARK_FOREVER. */
static u64 cpu_timers_check(struct process_timers *pt)
{
	struct process *p = pt->process;
	u64 first = PARK_FOREVER;
	struct task_timer *t, *tmp;
	struct list due;

	/* Apart: a periodic timer puts itself on the list again. */
	list_init(&due);
	list_splice_tail(&due, &pt->cpu);
	list_for_each_safe(t, tmp, &due, cpu) {
		list_del(&t->cpu);
		if (task_timer_now(t) < t->deadline_ns) {
			list_add_tail(&pt->cpu, &t->cpu);
			continue;
		}
		t->armed = false;
		t->expired(t);
	}
	list_for_each(t, &pt->cpu, cpu) {
		u64 now = task_timer_now(t);
		u64 left = t->deadline_ns > now ? t->deadline_ns - now : 0;
		u64 least = cpu_clock_least(p, &t->clock, left);

		first = MIN(first, least);
	}
	if (pt->cpu_limit)
		first = MIN(first, cpu_limits_check(p));
	return first;
}

void cpu_timers_arm(struct process_timers *pt, u64 ns)
{
	u64 at = time_now() + time_ns_to_ticks(MAX(ns, LOOK_MIN_NS));

	if (at >= pt->poll_at)
		return;
	pt->poll_at = at;
	timer_arm(&pt->poll, at);
}

static void cpu_timers_look(struct timer *timer)
{
	struct process_timers *pt = container_of(timer, struct process_timers, poll);
	struct process *p = pt->process;
	u64 next;

	spin_lock(&p->lock);
	pt->poll_at = TIME_NEVER;
	/* Else about to be freed. */
	if (!p->timers_ended) {
		next = cpu_timers_check(pt);
		if (next != PARK_FOREVER)
			cpu_timers_arm(pt, next);
	}
	spin_unlock(&p->lock);
}

void cpu_timers_watch_locked(struct process_timers *pt)
{
	struct process *p = pt->process;
	/* The newest; the others have armed already. */
	struct task_timer *t = container_of(pt->cpu.prev, struct task_timer, cpu);
	u64 now = task_timer_now(t), left = t->deadline_ns > now ? t->deadline_ns - now : 0;
	u64 least = cpu_clock_least(p, &t->clock, left);

	if (least != PARK_FOREVER)
		cpu_timers_arm(pt, least);
}

int timer_clock_now(const struct timer_clock *clock, u64 *ns)
{
	struct process *p = clock->other ? clock->other : process_current();
	struct task *t = clock->tid ? task_find(clock->tid) : NULL;
	struct cpu_ticks cpu;

	if (clock->tid && (!t || t->process != p))
		return -EINVAL;
	if (t)
		task_cpu_ticks(t, &cpu);
	else
		process_cpu_ticks(p, &cpu);
	*ns = time_ticks_to_ns(clock->user_only ? cpu.user : cpu.run);
	return 0;
}

int timer_clock_sleep(const struct timer_clock *clock, u64 deadline_ns)
{
	struct process *p = process_current();
	u64 now, left;
	int err;

	for (;;) {
		err = timer_clock_now(clock, &now);
		if (err || now >= deadline_ns)
			return err;
		left = cpu_clock_least(p, clock, deadline_ns - now);
		if (left != PARK_FOREVER)
			left = time_now() + time_ns_to_ticks(MAX(left, LOOK_MIN_NS));
		err = sched_sleep_until(left, PARK_INTERRUPTIBLE);
		if (err)
			return err;
	}
}

void cpu_timers_init(struct process_timers *pt)
{
	list_init(&pt->cpu);
	timer_init(&pt->poll, cpu_timers_look);
	pt->poll_at = TIME_NEVER;
}
