/*
 * setitimer: SIGALRM by the clock on the wall, SIGVTALRM and SIGPROF by CPU time. The first goes on
 * when its signal is taken, the others at once.
 */
#include "abi/errno.h"
#include "kernel/task/timer_internal.h"

static const int itimer_signals[] = {SIGALRM, SIGVTALRM, SIGPROF};

static void itimer_expired(struct task_timer *t)
{
	u32 which = (u32)(t - t->process->timers->itimer);
	struct abi_siginfo info = {.si_signo = itimer_signals[which], .si_code = SI_KERNEL};

	t->awaits_taking = which == ITIMER_REAL && t->interval_ns;
	signal_send_locked(t->process, NULL, &info);
	if (which != ITIMER_REAL && t->interval_ns) {
		t->deadline_ns += t->interval_ns;
		task_timer_start(t);
	}
}

void itimers_init(struct process_timers *pt)
{
	static const struct timer_clock clocks[] = {
		[ITIMER_REAL] = {0},
		[ITIMER_VIRTUAL] = {.cpu = true, .user_only = true},
		[ITIMER_PROF] = {.cpu = true},
	};

	for (u32 i = 0; i < ARRAY_SIZE(pt->itimer); i++)
		task_timer_init(&pt->itimer[i], pt->process, &clocks[i], itimer_expired);
}

void itimer_taken_locked(struct process *p)
{
	struct task_timer *t;

	if (!p->timers)
		return;
	t = &p->timers->itimer[ITIMER_REAL];
	if (!t->awaits_taking)
		return;
	t->awaits_taking = false;
	task_timer_forward(t, task_timer_now(t));
	task_timer_start(t);
}

int itimer_set(u32 which, const struct timer_setting *setting, struct timer_setting *old)
{
	struct process *p = process_current();
	struct process_timers *pt = process_timers_get(p);

	if (!pt)
		return -ENOMEM;
	spin_lock(&p->lock);
	task_timer_read(&pt->itimer[which], old);
	task_timer_set(&pt->itimer[which], setting, false);
	spin_unlock(&p->lock);
	return 0;
}

void itimer_get(u32 which, struct timer_setting *now)
{
	struct process *p = process_current();

	*now = (struct timer_setting){0};
	spin_lock(&p->lock);
	if (p->timers)
		task_timer_read(&p->timers->itimer[which], now);
	spin_unlock(&p->lock);
}
