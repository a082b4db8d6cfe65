/*
 * Wait queues; the protocol is told in waitq.h.
 */
#include "kernel/file/waitq.h"

#include "arch/riscv64/cpu.h"
#include "kernel/sync/atomic.h"

LOCK_CLASS(waitq, RANK_WAITQ);

void waitq_init(struct wait_queue *q)
{
	spin_init(&q->lock, &waitq_class);
	list_init(&q->entries);
	q->nr_entries = 0;
}

static void waitq_unlink(struct wait_queue *q, struct wait_entry *e)
{
	list_del(&e->link);
	atomic_store_relaxed(&q->nr_entries, q->nr_entries - 1);
}

void waitq_add(struct wait_queue *q, struct wait_entry *e)
{
	e->state = WAIT_QUEUED;
	spin_lock(&q->lock);
	list_add_tail(&q->entries, &e->link);
	atomic_store_relaxed(&q->nr_entries, q->nr_entries + 1);
	spin_unlock(&q->lock);
	/* (B) Pairs with (A) in waitq_wake(). */
	fence_full();
}

bool waitq_remove(struct wait_queue *q, struct wait_entry *e)
{
	/* Pairs with the release store in waitq_claim(): the waker is done with the entry. */
	if (atomic_load_acquire(&e->state) == WAIT_WOKEN)
		return true;
	spin_lock(&q->lock);
	if (e->state == WAIT_QUEUED)
		waitq_unlink(q, e);
	spin_unlock(&q->lock);
	return e->state == WAIT_WOKEN;
}

/*
 * A sleeper's entry leaves the queue; from the store on its memory belongs to the sleeper again.
 * The lock is held.
 */
static void waitq_claim(struct wait_queue *q, struct wait_entry *e, struct unpark_batch *batch)
{
	struct thread *t = e->thread;

	waitq_unlink(q, e);
	/* Pairs with the acquire load in waitq_remove(). */
	atomic_store_release(&e->state, WAIT_WOKEN);
	unpark_batch_add(batch, t);
}

void waitq_wake_locked(struct wait_queue *q, PollEvent events, u32 nr_exclusive,
		       struct unpark_batch *batch)
{
	struct wait_entry *e, *next;

	list_for_each_safe(e, next, &q->entries, link) {
		if (!(e->events & events))
			continue;
		if (e->exclusive) {
			if (nr_exclusive == 0)
				continue;
			nr_exclusive--;
		}
		if (e->fn)
			e->fn(e, events, batch);
		else
			waitq_claim(q, e, batch);
	}
}

void waitq_wake(struct wait_queue *q, PollEvent events, u32 nr_exclusive)
{
	struct unpark_batch batch = {0};

	/* (A) Pairs with (B) in waitq_add(). */
	fence_full();
	if (atomic_load_relaxed(&q->nr_entries) == 0)
		return;
	spin_lock(&q->lock);
	waitq_wake_locked(q, events, nr_exclusive, &batch);
	spin_unlock(&q->lock);
	unpark_batch_flush(&batch);
}

int waitq_wait(struct wait_queue *q, PollEvent events, bool exclusive, bool (*ready)(void *),
	       void *arg, u64 deadline, u32 park_flags)
{
	while (!ready(arg)) {
		struct wait_entry e = {
			.thread = thread_current(), .events = events, .exclusive = exclusive};
		bool woken;
		int err = 0;

		waitq_add(q, &e);
		if (!ready(arg))
			err = park(deadline, park_flags);
		woken = waitq_remove(q, &e);
		if (err == 0)
			continue;
		if (ready(arg))
			return 0;
		if (woken && exclusive)
			waitq_wake(q, events, 1);
		return err;
	}
	return 0;
}
