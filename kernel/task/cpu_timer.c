/*
 * CPU clocks and what waits for them.
 *
 * Nothing is done when threads run or switch. Instead, one kernel timer a process looks at the
 * clocks at the earliest time at which something could be due: with n threads on up to n harts, r
 * nanoseconds of CPU time take at least r / n. If all slept meanwhile it looks again. Looks are at
 * least LOOK_MIN_NS apart, which is also how late an expiry may be; Linux, which looks at its ticks,
 * may be 4 ms late.
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

/* Harts that can advance the clock at once. */
static u64 cpu_clock_speed(const struct process *p, const struct timer_clock *clock)
{
	return clock->tid ? 1 : MAX(MIN(p->nr_tasks, nr_cpus), 1U);
}

static void cpu_limit_signal(struct process *p, int sig)
{
	struct abi_siginfo info = {.si_signo = sig, .si_code = SI_KERNEL};

	signal_send_locked(p, NULL, &info);
}

/* RLIMIT_CPU: SIGXCPU each second from the soft limit on, SIGKILL at the hard one. Time to the next. */
static u64 cpu_limit_check(struct process *p)
{
	static const struct timer_clock clock = {.cpu = true};
	struct abi_rlimit *limit = &p->rlimits[RLIMIT_CPU];
	u64 now = cpu_clock_now_locked(p, &clock), seconds = now / NSEC_PER_SEC, next;

	if (seconds >= limit->rlim_max) {
		cpu_limit_signal(p, SIGKILL);
		return PARK_FOREVER;
	}
	if (seconds >= limit->rlim_cur) {
		cpu_limit_signal(p, SIGXCPU);
		atomic_store_relaxed(&limit->rlim_cur, limit->rlim_cur + 1);
	}
	next = MIN(limit->rlim_cur, limit->rlim_max);
	return next > INT64_MAX / NSEC_PER_SEC ? PARK_FOREVER : next * NSEC_PER_SEC - now;
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
		if (cpu_clock_now_locked(p, &t->clock) < t->deadline_ns) {
			list_add_tail(&pt->cpu, &t->cpu);
			continue;
		}
		t->armed = false;
		t->expired(t);
	}
	list_for_each(t, &pt->cpu, cpu) {
		u64 now = cpu_clock_now_locked(p, &t->clock);
		u64 left = t->deadline_ns > now ? t->deadline_ns - now : 0;

		first = MIN(first, left / cpu_clock_speed(p, &t->clock));
	}
	if (pt->cpu_limit)
		first = MIN(first, cpu_limit_check(p) / MAX(MIN(p->nr_tasks, nr_cpus), 1U));
	return first;
}

static void cpu_timers_arm(struct process_timers *pt, u64 ns)
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
	u64 now = cpu_clock_now_locked(p, &t->clock);

	cpu_timers_arm(pt, (t->deadline_ns > now ? t->deadline_ns - now : 0) /
				   cpu_clock_speed(p, &t->clock));
}

int timer_clock_now(const struct timer_clock *clock, u64 *ns)
{
	struct process *p = process_current();
	struct task *t = clock->tid ? task_find(clock->tid) : NULL;

	if (clock->tid && (!t || t->process != p))
		return -EINVAL;
	spin_lock(&p->lock);
	*ns = cpu_clock_now_locked(p, clock);
	spin_unlock(&p->lock);
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
		left = MAX((deadline_ns - now) / cpu_clock_speed(p, clock), LOOK_MIN_NS);
		err = sched_sleep_until(time_now() + time_ns_to_ticks(left), PARK_INTERRUPTIBLE);
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

int process_timers_limit(struct process *p)
{
	if (process_rlimit(p, RLIMIT_CPU) == RLIM_INFINITY)
		return 0;
	if (!process_timers_get(p))
		return -ENOMEM;
	spin_lock(&p->lock);
	if (p->timers) {
		p->timers->cpu_limit = true;
		cpu_timers_arm(p->timers, 0);
	}
	spin_unlock(&p->lock);
	return 0;
}
