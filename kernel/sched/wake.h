/*
 * Waking, as far as it is written out where it happens: the claim, and delivery to the waker's own hart. A futex hand-off is little else, and
 * under TCG a call costs as much as twenty instructions. Whatever is rarer is a call into wake.c, which tells the rules.
 *
 * Included by kernel/sched, and by kernel/futex for its wakes; everybody else calls unpark() and the batch (kernel/sync/park.h).
 */
#ifndef KERNEL_SCHED_WAKE_H
#define KERNEL_SCHED_WAKE_H

#include "kernel/sched/runq.h"

bool sched_waker_runs_on(void); /* a wake-up by this thread, which is looked at: it will run on for long */
void sched_wake_elsewhere(struct thread *t); /* claimed: the general case of sched_wake_claimed() */
void sched_batch_spread(struct thread *first); /* claimed, chained by batch_next */

/*
 * EMPTY -> PERMIT, or BLOCKED -> WAKING: true in the latter case, and the caller must deliver the thread. Context: a full barrier lies
 * between the caller's condition and this look at `park`. It pairs with the full barriers by which park() consumes a permit and leaves
 * WAKING: if we see either, the thread sees the condition.
 */
static __force_inline bool unpark_claim_ordered(struct thread *t)
{
	for (;;) {
		u32 park = atomic_load_relaxed(&t->park);

		if (likely(park == PARK_BLOCKED)) {
			if (likely(atomic_cas(&t->park, PARK_BLOCKED, PARK_WAKING)))
				return true;
		} else if (park != PARK_EMPTY || atomic_cas(&t->park, PARK_EMPTY, PARK_PERMIT)) {
			return false;
		}
	}
}

/* Context: own hart, which t->cpu names. Whether it preempts is found out on the way out. */
static __force_inline void sched_queue_here(struct runq *rq, struct thread *t)
{
	spin_lock(&rq->lock);
	runq_insert(rq, t, RUNQ_LAST);
	spin_unlock(&rq->lock);
	if (unlikely(runq_beats(t, thread_current()))) {
		rq->need_resched = true;
		atomic_fetch_or(&cpu_self()->work, HART_WORK_RESCHED);
	}
}

/* By the rule of placement (wake.c) the waker's own hart would get `t`. Context: `t` is claimed and off its stack. */
static __force_inline bool sched_takes_here(const struct runq *rq, const struct thread *t, u64 taken)
{
	if (!(atomic_load_relaxed(&t->affinity) & ~taken & BIT(cpu_id())))
		return false;
	if (unlikely(thread_current()->runs_on) && sched_waker_runs_on() && !t->rt_prio)
		return false;
	return t->rt_prio > rq->running_prio || !(rq->nr_queued | rq->running_prio);
}

/*
 * Delivers `t`, which is claimed. Nobody but who has claimed it changes t->cpu; where that is this hart, it was this hart that saved its
 * context, so its `on_cpu` needs no acquire.
 */
static __force_inline void sched_wake_claimed(struct thread *t)
{
	struct runq *rq = runq_self();

	if (likely(atomic_load_relaxed(&t->cpu) == cpu_id()) &&
	    likely(!atomic_load_relaxed(&t->on_cpu)) && likely(sched_takes_here(rq, t, 0))) {
		trace_sched_waking(t->tid, cpu_id(), 0);
		sched_queue_here(rq, t);
	} else {
		sched_wake_elsewhere(t);
	}
}

/* As unpark_batch_add() (kernel/sync/park.h). Context: as unpark_claim_ordered(). */
static __force_inline bool sched_batch_add_ordered(struct unpark_batch *b, struct thread *t)
{
	if (!unpark_claim_ordered(t))
		return false;
	t->batch_next = NULL;
	if (b->last)
		b->last->batch_next = t;
	else
		b->first = t;
	b->last = t;
	return true;
}

/* As unpark_batch_flush(). */
static __force_inline void sched_batch_flush_inline(struct unpark_batch *b)
{
	struct thread *first = b->first;

	if (unlikely(!first))
		return;
	b->first = NULL;
	b->last = NULL;
	if (likely(!first->batch_next))
		sched_wake_claimed(first);
	else
		sched_batch_spread(first);
}

#endif
