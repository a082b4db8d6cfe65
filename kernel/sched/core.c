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
#include "kernel/sched/runq.h"

#include "abi/errno.h"
#include "arch/riscv64/csr.h"
#include "arch/riscv64/fpu.h"
#include "kernel/irq/irq.h"
#include "kernel/log/log.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/hart.h"
#include "kernel/trace/trace.h"

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

static void sched_trace(const struct thread *prev, const struct thread *next)
{
	trace_sched_switch(prev->tid, sched_trace_state(prev), next->tid,
			   sched_trace_prio(next->rt_prio, next->nice));
}

static void sched_finish_leaving(struct thread *prev, enum thread_leaving leaving)
{
	if (leaving == THREAD_EXITS) {
		kstack_free(prev->stack);
		thread_put(prev);
	} else {
		sched_enqueue(prev);
	}
}

/* On the resumed thread's stack: `prev` is off this hart now and may run elsewhere. */
__hot void sched_finish_switch(struct thread *prev)
{
	enum thread_leaving leaving = prev->leaving;

	prev->leaving = THREAD_STAYS;
	/* Release: the saved context is visible to whoever reads 0. Pairs with the acquires in runq.c and wake.c. */
	atomic_store_release(&prev->on_cpu, 0);
	if (unlikely(leaving != THREAD_STAYS))
		sched_finish_leaving(prev, leaving);
}

static __force_inline void sched_switch(struct thread *prev, struct thread *next)
{
	struct cpu *cpu = cpu_self();

	if (trace_enabled(sched_switch))
		sched_trace(prev, next);
	if (prev->fp && prev->fp->live)
		fpu_save(prev->fp);
	if (prev->ops && prev->ops->switch_out)
		prev->ops->switch_out(prev);
	mm_switch(next->mm);
	cpu->current = next;
	cpu->kernel_sp = next->kernel_sp;
	epoch_quiesce();
	prev = arch_switch(&prev->context, &next->context, prev);
	sched_finish_switch(prev);
	next = thread_current();
	if (next->ops && next->ops->switch_in)
		next->ops->switch_in(next);
	if (unlikely(next->rseq_hart != cpu_id()) && next->rseq_hart != RSEQ_HART_NONE)
		atomic_fetch_or(&next->work, THREAD_WORK_RSEQ);
	if (next->fp && fpu_wanted(next->fp))
		fpu_restore(next->fp);
}

static inline bool thread_runnable(const struct runq *rq, const struct thread *t)
{
	u32 park = atomic_load_relaxed(&t->park);

	return park != PARK_BLOCKED && park != PARK_WAKING && t->leaving != THREAD_EXITS &&
	       t != &rq->idle;
}

static inline bool thread_allowed_here(const struct thread *t)
{
	return atomic_load_relaxed(&t->affinity) & BIT(cpu_id());
}

/* A queued thread that may no longer run here. Context: rq->lock held, given up for a moment. */
static void sched_forward(struct runq *rq, struct thread *t, struct thread *prev)
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

/*
 * The thread that runs next, off the queue; the idle thread if none waits. An affinity that changed after a thread was placed is found
 * out here at the latest.
 */
static inline struct thread *sched_pick(struct runq *rq, struct thread *prev)
{
	struct thread *t;

	while ((t = runq_pick(rq)) != NULL) {
		if (likely(thread_allowed_here(t)))
			return t;
		sched_forward(rq, t, prev);
	}
	return &rq->idle;
}

/*
 * The one way from thread to thread. `blocks`: the caller has left the runnable states. Written out in each of its three callers: a switch is
 * the better part of what they do.
 */
static __force_inline void sched_reschedule(enum runq_end end, bool blocks)
{
	struct runq *rq = runq_self();
	struct thread *prev = thread_current(), *next;
	bool runnable;
	u64 now;

	hart_check_quiescent();
	rq->need_resched = false;
	if (unlikely(!inbox_empty(&rq->inbox)))
		sched_drain_inbox(rq);
	now = time_now();
	spin_lock(&rq->lock);
	runq_account(rq, now);
	runnable = !blocks && thread_runnable(rq, prev);
	if (runnable)
		runq_insert(rq, prev, rq->slice_over ? RUNQ_LAST : end);
	next = sched_pick(rq, prev);
	rq->slice_over = false;
	rq->running = next;
	atomic_store_relaxed(&rq->running_prio, next->rt_prio);
	atomic_store_relaxed(&next->on_cpu, 1);
	spin_unlock(&rq->lock);
	if (next == prev)
		return;
	if (runnable)
		prev->nr_involuntary++;
	else
		prev->nr_voluntary++;
	rq->nr_switches++;
	if (next != &rq->idle && !rq->tick_on)
		sched_tick_arm(rq, now);
	sched_switch(prev, next);
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

/* True if the park must end because of a signal; the thread is BLOCKED or beyond. */
static inline bool park_interrupted(struct thread *t, u32 flags)
{
	if (likely(!atomic_load_relaxed(&t->work)) || !(flags & (PARK_INTERRUPTIBLE | PARK_KILLABLE)))
		return false;
	return t->ops && t->ops->interrupted && t->ops->interrupted(t, flags);
}

__hot int sched_park(u64 deadline, u32 flags)
{
	struct thread *t = thread_current();
	int ret = 0;

	might_sleep();
	t->park_flags = flags;
	if (!atomic_cas(&t->park, PARK_EMPTY, PARK_BLOCKED)) {
		atomic_xchg(&t->park, PARK_EMPTY); /* a permit was left */
		return park_interrupted(t, flags) ? -EINTR : 0;
	}
	/*
	 * The CAS above is a full barrier: pairs with the one in thread_set_work(). If a waker has claimed us meanwhile, it owns us until we
	 * run.
	 */
	if (unlikely(park_interrupted(t, flags)) && atomic_cas(&t->park, PARK_BLOCKED, PARK_EMPTY))
		return -EINTR;
	if (deadline != PARK_FOREVER)
		sched_timeout_set(t, deadline);
	/* Between BLOCKED and here a waker may have queued us in our inbox, which is drained first. */
	sched_reschedule(RUNQ_FIRST, true);
	/* Full barrier: pairs with the fence in unpark_claim(): either it sees EMPTY or we see its condition. */
	atomic_xchg(&t->park, PARK_EMPTY);
	if (deadline != PARK_FOREVER) {
		sched_timeout_clear(t);
		ret = time_now() >= deadline ? -ETIMEDOUT : 0;
	}
	return unlikely(park_interrupted(t, flags)) ? -EINTR : ret;
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
	if (work & HART_WORK_CALL)
		hart_call_run();
	if (work & HART_WORK_TLB)
		mm_flush_stale();
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
	u64 pending = csr_read(sip) & csr_read(sie);

	might_sleep();
	epoch_quiesce();
	if (pending)
		irq_handle_pending(pending);
	if (atomic_load_relaxed(&cpu_self()->work))
		sched_hart_work();
	sched_resched_if_needed();
}

void might_sleep_at(const char *file, int line)
{
	if (spin_held_count() || epoch_depth())
		panic("sleeping with %u spin locks held, epoch depth %u at %s:%d",
		      spin_held_count(), epoch_depth(), file, line);
}
