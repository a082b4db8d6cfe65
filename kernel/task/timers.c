/*
 * What all timers of tasks do: arm, expire, tell what is left.
 *
 * The kernel timer is only a hint. Its function takes the process lock and compares t->deadline_ns
 * with the clock: a setting that came later is either seen, or arms the timer anew behind it. So a
 * setting never waits for a function that runs on another hart; only the end of a timer does
 * (timer_cancel() without the lock).
 */
#include "kernel/task/timers.h"

#include "abi/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/timer_internal.h"

static u64 deadline_ticks(const struct task_timer *t)
{
	return t->wall ? time_realtime_deadline(t->deadline_ns) : time_ns_to_ticks(t->deadline_ns);
}

static void task_timer_fire(struct timer *timer)
{
	struct task_timer *t = container_of(timer, struct task_timer, timer);
	struct process *p = t->process;

	spin_lock(&p->lock);
	if (t->armed && task_timer_now(t) >= t->deadline_ns) {
		t->armed = false;
		t->expired(t);
	} else if (t->armed) {
		timer_arm(timer, deadline_ticks(t));
	}
	spin_unlock(&p->lock);
}

void task_timer_init(struct task_timer *t, struct process *p, const struct timer_clock *clock,
		     void (*expired)(struct task_timer *))
{
	*t = (struct task_timer){.process = p, .clock = *clock, .expired = expired};
	timer_init(&t->timer, task_timer_fire);
	list_init(&t->cpu);
}

u64 task_timer_now(struct task_timer *t)
{
	if (t->clock.other) {
		/* If that process is just locked the last answer stands: the timer is late by one look. */
		task_timer_sample(t);
		return t->other_ns;
	}
	if (t->clock.cpu)
		return cpu_clock_now_locked(t->process, &t->clock);
	return t->wall ? time_realtime_ns() : time_monotonic_ns();
}

void task_timer_start(struct task_timer *t)
{
	t->armed = true;
	if (!t->clock.cpu) {
		timer_arm(&t->timer, deadline_ticks(t));
		return;
	}
	list_add_tail(&t->process->timers->cpu, &t->cpu);
	cpu_timers_watch_locked(t->process->timers);
}

void task_timer_stop(struct task_timer *t)
{
	list_del(&t->cpu);
	t->armed = false;
	t->awaits_taking = false;
	t->deadline_ns = 0;
}

void task_timer_set(struct task_timer *t, const struct timer_setting *setting, bool absolute)
{
	u64 deadline = setting->value_ns;

	task_timer_stop(t);
	t->interval_ns = setting->interval_ns;
	if (!setting->value_ns)
		return;
	t->wall = t->clock.realtime && absolute;
	if (!absolute && __builtin_add_overflow(deadline, task_timer_now(t), &deadline))
		deadline = INT64_MAX;
	t->deadline_ns = deadline;
	task_timer_start(t);
}

u64 task_timer_forward(struct task_timer *t, u64 now)
{
	u64 periods = 1;

	if (now > t->deadline_ns)
		periods = (now - t->deadline_ns) / t->interval_ns + 1;
	t->deadline_ns += periods * t->interval_ns;
	return periods;
}

void task_timer_read(struct task_timer *t, struct timer_setting *out)
{
	u64 now, deadline = t->deadline_ns;

	*out = (struct timer_setting){.interval_ns = t->interval_ns};
	if (!t->armed && !t->awaits_taking)
		return;
	now = task_timer_now(t);
	/* A period whose signal waits: what is left of the one that runs now. */
	if (t->awaits_taking && now >= deadline)
		deadline += ((now - deadline) / t->interval_ns + 1) * t->interval_ns;
	/* Armed, but late: not 0, which would mean disarmed. */
	out->value_ns = deadline > now ? deadline - now : 1;
}

/* ---- the timers of a process ---- */

struct process_timers *process_timers_get(struct process *p)
{
	struct process_timers *pt = atomic_load_acquire(&p->timers), *new;

	if (pt)
		return pt;
	new = kzalloc(sizeof(*new));
	if (!new)
		return NULL;
	new->process = p;
	cpu_timers_init(new);
	itimers_init(new);
	spin_lock(&p->lock);
	pt = p->timers;
	if (!pt && !p->timers_ended) {
		pt = new;
		atomic_store_release(&p->timers, new);
	}
	spin_unlock(&p->lock);
	if (pt != new)
		kfree(new);
	return pt;
}

void process_timers_exec(struct process *p)
{
	if (p->timers)
		posix_timers_free(p->timers);
}

void process_timers_exit(struct process *p)
{
	struct process_timers *pt;

	spin_lock(&p->lock);
	p->timers_ended = true;
	pt = p->timers;
	spin_unlock(&p->lock);
	if (!pt)
		return;
	posix_timers_free(pt);
	spin_lock(&p->lock);
	for (u32 i = 0; i < ARRAY_SIZE(pt->itimer); i++)
		task_timer_stop(&pt->itimer[i]);
	p->timers = NULL;
	spin_unlock(&p->lock);
	timer_cancel(&pt->poll);
	for (u32 i = 0; i < ARRAY_SIZE(pt->itimer); i++)
		timer_cancel(&pt->itimer[i].timer);
	kfree(pt);
}
