/*
 * Limits on CPU time: RLIMIT_CPU of the whole process, and RLIMIT_RTTIME of each of its real-time threads since it last slept. SIGXCPU
 * at the soft limit and each second after it, SIGKILL at the hard one. Sources: getrlimit(2), sched(7).
 *
 * The look at the CPU clocks (cpu_timer.c) asks here. Nothing is done when a thread sleeps: its voluntary switches are compared with
 * those at the look before, and a sleep between the two counts as if it were now. So looks are at most RT_LOOK_NS apart while a
 * real-time thread has such a limit, which is how much too late the signal may be, as by Linux's ticks.
 */
#include "abi/errno.h"
#include "abi/sched.h"
#include "arch/riscv64/cpu.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/task_internal.h"
#include "kernel/task/timer_internal.h"

#define RT_LOOK_NS 4000000UL

static void limit_signal(struct process *p, int sig)
{
	struct abi_siginfo info = {.si_signo = sig, .si_code = SI_KERNEL};

	signal_send_locked(p, NULL, &info);
}

/* `used` and the limit are of one unit, of which a second has `per_second`. False: the process dies. */
static bool limit_reached(struct process *p, struct abi_rlimit *limit, u64 used, u64 per_second)
{
	if (used >= limit->rlim_max) {
		limit_signal(p, SIGKILL);
		return false;
	}
	if (used >= limit->rlim_cur) {
		limit_signal(p, SIGXCPU);
		atomic_store_relaxed(&limit->rlim_cur, limit->rlim_cur + per_second);
	}
	return true;
}

static u64 process_limit_check(struct process *p)
{
	static const struct timer_clock clock = {.cpu = true};
	struct abi_rlimit *limit = &p->rlimits[RLIMIT_CPU];
	u64 now = cpu_clock_now_locked(p, &clock), next;

	if (!limit_reached(p, limit, now / NSEC_PER_SEC, 1))
		return PARK_FOREVER;
	next = MIN(limit->rlim_cur, limit->rlim_max);
	if (next > INT64_MAX / NSEC_PER_SEC)
		return PARK_FOREVER;
	/* Each of its threads may add to the clock. */
	return (next * NSEC_PER_SEC - now) / MAX(MIN(p->nr_tasks, nr_cpus), 1U);
}

/* Microseconds that `t` has run since it last slept; 0: it is no real-time thread. */
static u64 rt_run_us(struct task *t)
{
	u32 policy = atomic_load_relaxed(&t->policy);
	struct task_rt_watch *w = &t->rt_watch;
	struct cpu_ticks cpu;

	if (policy != SCHED_FIFO && policy != SCHED_RR) {
		w->on = false;
		return 0;
	}
	task_cpu_ticks(t, &cpu);
	if (!w->on || w->voluntary != cpu.voluntary)
		*w = (struct task_rt_watch){true, cpu.voluntary, cpu.run};
	return time_ticks_to_ns(cpu.run - w->since) / NSEC_PER_USEC;
}

static u64 rt_limit_check(struct process *p)
{
	struct abi_rlimit *limit = &p->rlimits[RLIMIT_RTTIME];
	bool unlimited = limit->rlim_cur == RLIM_INFINITY;
	/* A process that is just being made gets a task soon. */
	u64 next = !unlimited && list_empty(&p->tasks) ? RT_LOOK_NS : PARK_FOREVER;
	struct task *t;

	list_for_each(t, &p->tasks, siblings) {
		if (unlimited) {
			t->rt_watch.on = false;
			continue;
		}
		if (!limit_reached(p, limit, rt_run_us(t), USEC_PER_SEC))
			return PARK_FOREVER;
		if (t->rt_watch.on)
			next = RT_LOOK_NS;
	}
	return next;
}

u64 cpu_limits_check(struct process *p)
{
	u64 process = process_limit_check(p), rt = rt_limit_check(p);

	return MIN(process, rt);
}

int process_timers_limit(struct process *p)
{
	bool none = process_rlimit(p, RLIMIT_CPU) == RLIM_INFINITY &&
		    process_rlimit(p, RLIMIT_RTTIME) == RLIM_INFINITY;

	if (none && !atomic_load_acquire(&p->timers))
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
