/*
 * The queue of a bucket: in, out, and claimed by a waker. The bucket's lock is held over all of it. Inline: each
 * is a few instructions of every wait and wake.
 */
#ifndef KERNEL_FUTEX_QUEUE_H
#define KERNEL_FUTEX_QUEUE_H

#include "kernel/futex/futex_internal.h"

/* Stores of one hart at a time; the fence that a waiter needs between its count and its look at the word is futex_queue_if_equal()'s. */
static inline void futex_count(struct futex_bucket *b, s32 delta)
{
	atomic_store_relaxed(&b->waiters, b->waiters + (u32)delta);
}

/* Behind whom a real-time waiter goes: before all of lower priority. */
static inline struct list *futex_place(struct futex_bucket *b, u32 rt_prio)
{
	struct list *after = b->queue.prev;

	while (after != &b->queue && list_entry(after, struct futex_waiter, link)->rt_prio < rt_prio)
		after = after->prev;
	return after;
}

static inline void futex_enqueue(struct futex_bucket *b, struct futex_waiter *w)
{
	list_add(likely(!w->rt_prio) ? b->queue.prev : futex_place(b, w->rt_prio), &w->link);
	atomic_store_relaxed(&w->bucket, b);
}

/* The first waiter of `key`; NULL if nobody waits. */
static inline struct futex_waiter *futex_first(struct futex_bucket *b, const struct mm_key *key)
{
	struct futex_waiter *w;

	list_for_each(w, &b->queue, link) {
		if (futex_key_equal(&w->key, key))
			return w;
	}
	return NULL;
}

static inline void futex_unlink(struct futex_waiter *w)
{
	struct futex_bucket *b = atomic_load_relaxed(&w->bucket);

	list_del(&w->link);
	futex_count(b, -1);
}

/*
 * Unlinks `w` and claims it; a claimed one joins the batch. False: it has timed out or was signalled meanwhile. Either
 * way `w` may be gone on return.
 *
 * The order matters: the waiter's memory serves its thread's next call, and it leaves as soon as it sees that nobody will touch it.
 *
 *	waker					waiter that timed out
 *	unlink; bucket = NULL			state = TIMED_OUT
 *						bucket is NULL: return, and wait again
 *	CAS(state): claims the new wait
 *
 * So the CAS comes before `bucket` is cleared, and `bucket` is cleared only where the CAS has lost.
 */
static inline bool futex_claim(struct futex_waiter *w, struct unpark_batch *batch)
{
	/* Alive until this hart's next quiescent point: threads are freed after a grace period. */
	struct thread *t = w->thread;

	futex_unlink(w);
	if (atomic_cas(&w->state, FUTEX_QUEUED, FUTEX_WOKEN)) {
		sched_batch_add_ordered(batch, t); /* the CAS is the barrier */
		return true;
	}
	atomic_store_release(&w->bucket, NULL); /* pairs with the acquire in futex_leave() */
	return false;
}

#endif
