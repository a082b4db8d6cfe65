/*
 * Switching, parking and ticks.
 *
 * A thread off its hart is described by `park` (who may wake it) and `on_cpu` (whether its stack is still in use). schedule()
 * decides by the park state: EMPTY or PERMIT goes back on the queue, BLOCKED and WAKING do not. A waker that wins BLOCKED -> WAKING owns the
 * thread until it is on a queue. While on_cpu is 1 that can only be the queue of the hart it is leaving, reached through the inbox:
 *
 *   hart 0: park(), CAS EMPTY -> BLOCKED       hart 1: CAS BLOCKED -> WAKING
 *           schedule(): not queued                     on_cpu is 1: push to hart 0's inbox, kick
 *           switch away; on_cpu = 0 (release)
 *           drains the inbox: queued, runs
 *
 * Cost of a switch: one rdtime, one CSR exchange (arch_switch), one run-queue lock.
 */
#include "kernel/sched/switch.h"

#include "abi/errno.h"
#include "arch/riscv64/csr.h"
#include "kernel/irq/irq.h"
#include "kernel/log/log.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/hart.h"
#include "kernel/trace/sample.h"

PERCPU(struct runq, sched_runq);

static u32 sched_trace_state(const struct thread *t)
{
	if (t->leaving == THREAD_EXITS)
		return TRACE_STATE_DEAD;
	if (atomic_load_relaxed(&t->park) == PARK_BLOCKED ||
	    atomic_load_relaxed(&t->park) == PARK_WAKING)
		return t->park_flags & PARK_INTERRUPTIBLE ? TRACE_STATE_SLEEPING
							  : TRACE_STATE_BLOCKED;
	return TRACE_STATE_PREEMPTED;
}

static enum sample_thread sched_sample_thread(const struct thread *t)
{
	if (t->ops)
		return SAMPLE_PROGRAM;
	return t->tid ? SAMPLE_KTHREAD : SAMPLE_IDLE;
}

void sched_trace(const struct thread *prev, const struct thread *next)
{
	trace_sched_switch(prev->tid, sched_trace_state(prev), next->tid,
			   sched_trace_prio(next->rt_prio, next->nice));
	if (trace_enabled(sample))
		sample_switch(sched_sample_thread(next));
}

void sched_sample_present(void)
{
	sample_switch(sched_sample_thread(thread_current()));
}

void sched_finish_leaving(struct thread *prev)
{
	enum thread_leaving leaving = prev->leaving;

	prev->leaving = THREAD_STAYS;
	atomic_store_release(&prev->on_cpu, 0); /* as in sched_finish_switch() */
	if (leaving == THREAD_EXITS) {
		kstack_free(prev->stack);
		thread_put(prev);
	} else {
		sched_enqueue(prev);
	}
}

/* A queued thread that may no longer run here. Context: rq->lock held, given up for a moment. */
void sched_forward(struct runq *rq, struct thread *t, struct thread *prev)
{
	/* Still on its stack: sched_finish_switch() sends it on. */
	if (t == prev) {
		t->leaving = THREAD_MIGRATES;
		return;
	}
	spin_unlock(&rq->lock);
	sched_enqueue(t);
	spin_lock(&rq->lock);
}

__hot void schedule(void)
{
	sched_reschedule(RUNQ_FIRST, false);
}

__hot void sched_yield(void)
{
	struct runq *rq = runq_self();

	if (rq->nr_queued || !inbox_empty(&rq->inbox))
		sched_reschedule(RUNQ_LAST, false);
}

__hot int sched_park(u64 deadline, u32 flags)
{
	return sched_park_inline(deadline, flags);
}

int sched_sleep_until(u64 deadline, u32 park_flags)
{
	for (;;) {
		int ret = sched_park(deadline, park_flags);

		if (ret == -EINTR)
			return ret;
		if (ret == -ETIMEDOUT || time_now() >= deadline)
			return 0;
	}
}

void sched_hart_work(void)
{
	struct runq *rq = runq_self();
	u32 work = hart_take_work();

	if (work & HART_WORK_STOP)
		panic_stop_self();
	/* First: uaccess_begin() does not see the bit any more. */
	if (work & HART_WORK_TLB)
		mm_flush_stale();
	if (work & HART_WORK_CALL)
		hart_call_run();
	if (work & HART_WORK_EPOCH)
		epoch_poll();
	if (!inbox_empty(&rq->inbox))
		sched_drain_inbox(rq);
	if (work & HART_WORK_RESCHED)
		rq->need_resched = true;
}

void sched_resched_if_needed(void)
{
	if (runq_self()->need_resched)
		schedule();
}

void kernel_relax(void)
{
	bool window = sample_window();
	u64 pending;

	might_sleep();
	epoch_quiesce();
	/* What a window has put off is pending afterwards. */
	if (unlikely(window))
		sample_close();
	pending = csr_read(sip) & csr_read(sie);
	if (pending)
		sample_handle_pending(pending);
	if (atomic_load_relaxed(&cpu_self()->work))
		sched_hart_work();
	sched_resched_if_needed();
	if (unlikely(window))
		sample_enter();
}

void might_sleep_at(const char *file, int line)
{
	if (spin_held_count() || epoch_depth())
		panic("sleeping with %u spin locks held, epoch depth %u at %s:%d",
		      spin_held_count(), epoch_depth(), file, line);
}
