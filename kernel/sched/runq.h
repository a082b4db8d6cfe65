/*
 * The order of threads on one hart: real-time ones by priority and arrival, then fair and idle-class ones by weighted run time.
 *
 * Fair threads are kept in a pairing heap by vruntime, the run time in ticks scaled by 1024 / weight (the idle class is the lightest
 * weight). It stays in thread->fair.key while the thread runs or sleeps, and is a point on the time line of the queue that
 * thread->cpu names. A sleeper comes back at the queue's minimum at the least, so sleeping saves up nothing. Queues advance independently:
 * a thread that changes queues takes along how far it was ahead of the minimum, so moving neither starves nor favours it.
 *
 * All callers hold rq->lock. What each switch does is inline; a queue of one or two threads is settled without a call.
 */
#ifndef KERNEL_SCHED_RUNQ_H
#define KERNEL_SCHED_RUNQ_H

#include "kernel/log/log.h"
#include "kernel/sched/sched_internal.h"
#include "kernel/sync/atomic.h"

enum runq_end { RUNQ_FIRST, RUNQ_LAST }; /* before or behind the thread's equals */

void runq_init(struct runq *rq);
void runq_insert_rt(struct runq *rq, struct thread *t, enum runq_end end);
void runq_remove_rt(struct runq *rq, struct thread *t);
struct thread *runq_first_rt(struct runq *rq); /* NULL if none waits, or if it is the fair ones' turn */
/* A waiting thread that may run on one of the harts `cpus` and is off its stack, the best first as far as is cheap; NULL if none. */
struct thread *runq_find(struct runq *rq, u64 cpus);
u32 sched_weight(enum sched_class class, s32 nice);

static inline void runq_count(struct runq *rq, s32 delta)
{
	atomic_store_relaxed(&rq->nr_queued, rq->nr_queued + (u32)delta);
}

/* `end` LAST: behind the first that waits, which so is the next to run. */
static inline void runq_insert_fair(struct runq *rq, struct thread *t, enum runq_end end)
{
	const struct heap_node *first = heap_first(&rq->fair);
	u64 key = MAX(t->fair.key, rq->min_vruntime);

	if (end == RUNQ_LAST && first)
		key = MAX(key, first->key);
	t->fair.key = key;
	heap_insert(&rq->fair, &t->fair);
}

static inline void runq_insert(struct runq *rq, struct thread *t, enum runq_end end)
{
	ASSERT(!t->queued);
	if (likely(!thread_is_rt(t)))
		runq_insert_fair(rq, t, end);
	else
		runq_insert_rt(rq, t, end);
	t->queued = true;
	runq_count(rq, 1);
}

static inline void runq_remove(struct runq *rq, struct thread *t)
{
	ASSERT(t->queued);
	if (likely(!thread_is_rt(t)))
		heap_remove(&rq->fair, &t->fair);
	else
		runq_remove_rt(rq, t);
	t->queued = false;
	runq_count(rq, -1);
}

/* The best of all, removed; NULL when nobody waits. */
static inline struct thread *runq_pick(struct runq *rq)
{
	struct thread *t = NULL;

	if (unlikely(rq->rt_bitmap[0] | rq->rt_bitmap[1]))
		t = runq_first_rt(rq);
	if (likely(!t)) {
		if (!heap_first(&rq->fair))
			return NULL;
		t = container_of(heap_first(&rq->fair), struct thread, fair);
		rq->min_vruntime = MAX(rq->min_vruntime, t->fair.key);
	}
	runq_remove(rq, t);
	return t;
}

/* `t` leaves the time line of this queue: what it is ahead of the minimum stays in the key. */
static inline void runq_leave(const struct runq *rq, struct thread *t)
{
	t->fair.key = t->fair.key > rq->min_vruntime ? t->fair.key - rq->min_vruntime : 0;
}

/* And arrives on this one's. */
static inline void runq_join(const struct runq *rq, struct thread *t)
{
	t->fair.key += rq->min_vruntime;
}

/*
 * Charges the running thread up to `now`, which was read under the queue's lock: whoever asks what a thread has used adds the time since
 * `clock`, and must not have seen more than is charged.
 *
 *	own hart				who asks
 *	now = 100
 *						lock; 106 - clock is told
 *	lock; charge up to 100: the thread has used less than was told
 *
 * Context: the queue's own hart, rq->lock held.
 */
static inline void runq_account(struct runq *rq, u64 now)
{
	struct thread *t = rq->running;
	u64 delta = now - rq->clock;

	rq->clock = now;
	t->run_ticks += delta;
	if (t->in_user) {
		t->user_ticks += delta;
		rq->user_ticks += delta;
	}
	if (!thread_is_rt(t))
		t->fair.key += t->weight == 1024 ? delta : delta * 1024 / t->weight;
}

/* `a` preempts `b` at once. */
static inline bool runq_beats(const struct thread *a, const struct thread *b)
{
	return a->rt_prio > b->rt_prio ||
	       (b->class == SCHED_CLASS_IDLE && a->class != SCHED_CLASS_IDLE);
}

#endif
