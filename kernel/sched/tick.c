/*
 * The tick: 250 times a second on each hart that runs a thread, none on an idle one. It samples, shares out, and lets no message wait.
 *
 * User and system time: reading the clock on each way in and out of the kernel would cost more than a short system call. A
 * thread's run time counts as user or system time by what the last tick found the thread in, so the parts add up exactly and never
 * decrease. Interrupts are off in the kernel, so a tick that falls due there comes as soon as user mode is entered: kernel/trap tells that case
 * from one that interrupted the program (sched_tick_from_user()).
 *
 * Messages: a hart in user mode has its tick armed, always: it is armed with the switch to a thread and again by itself. So a
 * sender of what may wait 4 ms need not ring it (wake.c).
 *
 * Real-time threads get at most sched_rt_runtime_us of each sched_rt_period_us while a fair thread waits behind them: then fair
 * ones go first until the period ends. Only the time between ticks that find somebody waiting counts; nobody pays for it otherwise.
 */
#include "kernel/sched/runq.h"

u64 sched_rt_runtime_us = 950000;
u64 sched_rt_period_us = 1000000;

void sched_tick_arm(struct runq *rq, u64 now)
{
	rq->tick_on = true;
	timer_arm(&rq->tick, now + time_freq / TICK_HZ);
}

void sched_tick_from_user(bool from_user)
{
	runq_self()->tick_user = from_user;
}

static void tick_sample(struct runq *rq, struct thread *t)
{
	spin_lock(&rq->lock);
	runq_account(rq, time_now());
	t->in_user = rq->tick_user;
	/* Alone it is its own minimum: or whoever joins after an hour would get an hour for himself. */
	if (!thread_is_rt(t) && !heap_first(&rq->fair))
		rq->min_vruntime = MAX(rq->min_vruntime, t->fair.key);
	spin_unlock(&rq->lock);
}

/* Has the running thread had its slice? FIFO threads have none. */
static void tick_slice(struct runq *rq, struct thread *t)
{
	if (t->class == SCHED_CLASS_RR) {
		if (++t->slice < SCHED_RR_SLICE_MS * TICK_HZ / 1000)
			return;
		t->slice = 0;
		rq->slice_over = true;
	}
	if (t->class != SCHED_CLASS_FIFO)
		rq->need_resched = true;
}

static u64 ticks_of_us(u64 us)
{
	return us * time_freq / 1000000;
}

static void tick_throttle(struct runq *rq)
{
	u64 runtime = atomic_load_relaxed(&sched_rt_runtime_us);
	u64 passed = rq->clock - rq->last.clock;
	bool turn;

	rq->last.window += passed;
	rq->last.rt += rq->running_prio ? passed : 0;
	if (rq->last.window >= ticks_of_us(atomic_load_relaxed(&sched_rt_period_us))) {
		rq->last.window = 0;
		rq->last.rt = 0;
	}
	turn = runtime != SCHED_RT_UNLIMITED && rq->last.rt >= ticks_of_us(runtime);
	if (turn != rq->fair_turn) {
		atomic_store_relaxed(&rq->fair_turn, turn);
		rq->need_resched = true;
	}
}

/* Somebody waits: let him run here or elsewhere. */
static void tick_share(struct runq *rq, struct thread *t)
{
	bool waited = rq->last.waiting && rq->nr_switches - rq->last.switches <= 1;

	tick_slice(rq, t);
	sched_watch_waker(t);
	if (rq->last.waiting)
		tick_throttle(rq);
	if (waited || rq->nr_queued > 1)
		sched_push(rq);
}

void sched_tick(struct timer *timer)
{
	struct runq *rq = container_of(timer, struct runq, tick);
	struct thread *t = thread_current();

	sched_trace_memory();
	rq->tick_on = false;
	if (!inbox_empty(&rq->inbox))
		sched_drain_inbox(rq);
	if (t == &rq->idle)
		return;
	tick_sample(rq, t);
	if (rq->nr_queued)
		tick_share(rq, t);
	rq->last.waiting = rq->nr_queued != 0;
	rq->last.clock = rq->clock;
	rq->last.switches = rq->nr_switches;
	sched_tick_arm(rq, rq->clock);
}
