/*
 * The way from thread to thread, and park(), written out where they happen: core.c tells the rules. A futex wait is little else than a park
 * and a park little else than a switch, and each of them written as a function would save the registers that a switch loses once more.
 *
 * Included by kernel/sched, and by kernel/futex for its waits; everybody else calls park() (kernel/sync/park.h).
 */
#ifndef KERNEL_SCHED_SWITCH_H
#define KERNEL_SCHED_SWITCH_H

#include "kernel/sched/runq.h"

#include "abi/errno.h"
#include "arch/riscv64/fpu.h"
#include "arch/riscv64/trap_frame.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/hart.h"
#include "kernel/trace/sample.h"

/* core.c: what is rare in the functions below */
void sched_trace(const struct thread *prev, const struct thread *next);
void sched_finish_leaving(struct thread *prev);
void sched_forward(struct runq *rq, struct thread *t, struct thread *prev);

/* On the resumed thread's stack: `prev` is off this hart now and may run elsewhere. */
static __force_inline void sched_finish_switch(struct thread *prev)
{
	if (unlikely(prev->leaving != THREAD_STAYS)) {
		sched_finish_leaving(prev);
		return;
	}
	/* Release: the saved context is visible to whoever reads 0. Pairs with the acquires in runq.c and wake.c. */
	atomic_store_release(&prev->on_cpu, 0);
}

/* `parks`: out of sched_park(), whose compare-and-swap has ended any reservation of the user's LR. */
static __force_inline void sched_switch(struct thread *prev, struct thread *next, bool parks)
{
	struct cpu *cpu = cpu_self();
	bool window = sample_window();

	if (unlikely(window))
		sample_close();
	if (trace_enabled(sched_switch))
		sched_trace(prev, next);
	if (prev->fp && prev->fp->live)
		fpu_leave(prev->fp, (const struct trap_frame *)prev->kernel_sp - 1);
	mm_switch(next->mm);
	cpu->current = next;
	cpu->kernel_sp = next->kernel_sp;
	epoch_quiesce();
	if (!parks)
		arch_end_reservation(&prev->context);
	prev = arch_switch(&prev->context, &next->context, prev);
	sched_finish_switch(prev);
	next = thread_current();
	if (unlikely(next->rseq_hart != cpu_id()) && next->rseq_hart != RSEQ_HART_NONE)
		atomic_fetch_or(&next->work, THREAD_WORK_RSEQ);
	if (next->fp && fpu_wanted(next->fp))
		fpu_restore(next->fp);
	if (trace_enabled(sample) && (window || !next->ops))
		sample_open();
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

/* The one way from thread to thread. `parks`: the caller has left the runnable states by sched_park(). */
static __force_inline void sched_reschedule(enum runq_end end, bool parks)
{
	struct runq *rq = runq_self();
	struct thread *prev = thread_current(), *next;
	bool runnable;
	u64 now;

	hart_check_quiescent();
	rq->need_resched = false;
	if (unlikely(!inbox_empty(&rq->inbox)))
		sched_drain_inbox(rq);
	spin_lock(&rq->lock);
	now = time_now(); /* under the lock: see runq_account() */
	runq_account(rq, now);
	runnable = !parks && thread_runnable(rq, prev);
	if (runnable)
		runq_insert(rq, prev, rq->slice_over ? RUNQ_LAST : end);
	next = sched_pick(rq, prev);
	rq->slice_over = false;
	rq->running = next;
	atomic_store_relaxed(&rq->running_prio, next->rt_prio);
	atomic_store_relaxed(&next->on_cpu, 1);
	spin_unlock(&rq->lock);
	if (unlikely(prev->runs_on))
		sched_judge_waker(prev, now);
	if (next == prev)
		return;
	if (runnable)
		prev->nr_involuntary++;
	else
		prev->nr_voluntary++;
	rq->nr_switches++;
	if (next != &rq->idle && !rq->tick_on)
		sched_tick_arm(rq, now);
	sched_switch(prev, next, parks);
}

/* True if the park must end because of a signal; the thread is BLOCKED or beyond. */
static inline bool park_interrupted(struct thread *t, u32 flags)
{
	if (likely(!atomic_load_relaxed(&t->work)) || !(flags & (PARK_INTERRUPTIBLE | PARK_KILLABLE)))
		return false;
	return t->ops && t->ops->interrupted && t->ops->interrupted(t, flags);
}

/* As park(). */
static __force_inline int sched_park_inline(u64 deadline, u32 flags)
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
	/* A plain store, for nobody else changes WAKING. The fence pairs with unpark_claim()'s: either it sees EMPTY or we see its condition. */
	atomic_store_relaxed(&t->park, PARK_EMPTY);
	fence_full();
	if (deadline != PARK_FOREVER) {
		sched_timeout_clear(t);
		ret = time_now() >= deadline ? -ETIMEDOUT : 0;
	}
	return unlikely(park_interrupted(t, flags)) ? -EINTR : ret;
}

#endif
