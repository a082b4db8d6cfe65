/*
 * Waits for a time of CLOCK_REALTIME, which clock_settime() may move: a task shows that it is in one, and whoever sets the clock unparks
 * all such tasks. Each then computes its deadline anew, so nothing is shared between them. Timers with an absolute time are armed anew.
 *
 *	waiting task				clock_settime()
 *	realtime_park = true			time_realtime_base = new
 *	(X)					(Y)
 *	load time_realtime_base; park		load realtime_park: true: unpark
 *
 * (X) and (Y) are full fences: either the task sees the new base, or it is found. Cost of a wait: two stores and a fence.
 */
#include "kernel/file/timerfd.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/park.h"
#include "kernel/task/task.h"
#include "kernel/task/timer_internal.h"
#include "kernel/time/time.h"

int task_park_realtime(u64 ns, u32 park_flags)
{
	struct task *t = task_current();
	u64 base;
	int ret;

	atomic_store_relaxed(&t->realtime_park, true);
	fence_full(); /* (X): pairs with (Y) in task_clock_changed() */
	base = atomic_load_relaxed(&time_realtime_base);
	ret = park(ns > base ? time_ns_to_ticks(ns - base) : 0, park_flags);
	atomic_store_relaxed(&t->realtime_park, false);
	return ret;
}

static void clock_tell_process(struct process *p)
{
	struct task *t;

	spin_lock(&p->lock);
	list_for_each(t, &p->tasks, siblings) {
		if (atomic_load_relaxed(&t->realtime_park))
			unpark(&t->thread);
	}
	if (p->timers)
		posix_timers_clock_set_locked(p->timers);
	spin_unlock(&p->lock);
}

void task_clock_changed(void)
{
	fence_full(); /* (Y): pairs with (X) in task_park_realtime() */
	for (u32 pid = task_next_pid(0); pid; pid = task_next_pid(pid)) {
		struct process *p = process_find(pid);

		if (p)
			clock_tell_process(p);
		kernel_relax();
	}
	timerfd_clock_set();
}
