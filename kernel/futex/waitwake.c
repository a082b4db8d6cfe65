/*
 * Wait and wake.
 *
 * A program changes the word and then calls WAKE; WAIT sleeps only if the word still has the expected value. The
 * kernel's part is that a waiter which has seen the old value is found by every wake that follows the change:
 *
 *	waiter				waker				without (A) or (B)
 *	waiters++	(A)		(program: change *uaddr)	both loads may return old values:
 *	lock bucket			(B)				the waiter sleeps on a word that
 *	load *uaddr			load waiters			has changed, and the waker has seen
 *	equal: queue, unlock, park	zero: return 0, no lock taken	nobody: a lost wake-up
 *
 * (A) and (B) are full barriers, so one side sees the other: a waker that reads zero came before the count, and the
 * waiter's load, under the lock, returns the new value. A waker that reads non-zero takes the lock and finds the waiter
 * queued, or the waiter will load the new value once it gets the lock.
 *
 * Two shortcuts take no lock: a WAIT whose word differs already (any value read during the call may answer EAGAIN), and
 * a WAKE that finds nobody in the bucket.
 *
 * A waiter ends by one compare-and-swap on its state: by the waker (WOKEN), or by itself (TIMED_OUT, SIGNALLED). A waker
 * has unlinked it first, so WOKEN means that the waker is done with it. A waiter that won unlinks itself, unless a
 * waker that lost has done so; requeue may move it meanwhile, so it loops until the bucket that it has locked is the one
 * that it is in.
 *
 * Cost, beside the system call: EAGAIN is one load of the word, an empty wake one fence and one load.
 */
#include "kernel/futex/queue.h"

#include "kernel/mm/uaccess.h"
#include "kernel/task/task.h"
#include "kernel/trace/trace.h"

void futex_leave(struct futex_waiter *w)
{
	struct futex_bucket *b;

	/* Acquire: pairs with the release in futex_claim(), after which the waker leaves `w` alone. */
	while ((b = atomic_load_acquire(&w->bucket)) != NULL) {
		bool here;

		bucket_lock(&b->lock);
		here = atomic_load_relaxed(&w->bucket) == b;
		if (here)
			futex_unlink(w);
		bucket_unlock(&b->lock);
		if (here)
			return;
	}
}

/* The word is read under the lock without faulting; where that fails the page is made present and everything done again. */
static __force_inline int queue_if_equal(u64 uaddr, u32 value, struct futex_waiter *w)
{
	struct futex_bucket *b = futex_bucket(&w->key);
	const u32 __user *word = (const u32 __user *)uaddr;
	u32 current_value;
	int ret;

	for (;;) {
		atomic_fetch_add(&b->waiters, 1); /* (A): pairs with (B) in futex_wake() */
		bucket_lock(&b->lock);
		ret = user_load_u32_nofault(word, &current_value);
		if (ret == 0 && current_value == value) {
			futex_enqueue(b, w);
			bucket_unlock(&b->lock);
			trace_futex_queued((u32)(b - futex_table));
			return 0;
		}
		bucket_unlock(&b->lock);
		atomic_fetch_add(&b->waiters, (u32)-1);
		if (ret == 0)
			return -EAGAIN;
		ret = user_fault_in(word, false);
		if (ret)
			return ret;
	}
}

int futex_queue_if_equal(u64 uaddr, u32 value, struct futex_waiter *w)
{
	return queue_if_equal(uaddr, value, w);
}

__hot int futex_park(u64 deadline, u32 flags)
{
	if (likely(!(flags & FUTEX_REALTIME) || deadline == PARK_FOREVER))
		return park(deadline, PARK_INTERRUPTIBLE);
	return task_park_realtime(deadline, PARK_INTERRUPTIBLE);
}

/* Sleeps until somebody's compare-and-swap ends the waiter. */
static int futex_sleep(struct futex_waiter *w, u64 deadline, u32 flags)
{
	for (;;) {
		int ret = futex_park(deadline, flags);
		u32 end = ret == -ETIMEDOUT ? FUTEX_TIMED_OUT : FUTEX_SIGNALLED;

		/* Acquire: pairs with the full barrier of the waker's claim. */
		if (atomic_load_acquire(&w->state) == FUTEX_WOKEN)
			return 0;
		if (ret == 0)
			continue;
		if (!atomic_cas(&w->state, FUTEX_QUEUED, end)) {
			fence_acquire(); /* the same pair: a failed CAS orders nothing */
			return 0;
		}
		futex_leave(w);
		return ret;
	}
}

__hot int futex_wait(u64 uaddr, u32 flags, const struct mm_key *key, u32 value, u64 deadline,
		     u32 bitset)
{
	struct thread *t = thread_current();
	struct futex_waiter w = {
		.key = *key,
		.thread = t,
		.state = FUTEX_QUEUED,
		.bitset = bitset,
		.rt_prio = t->base_prio,
	};
	int ret;

	trace_futex_wait(uaddr, value);
	ret = queue_if_equal(uaddr, value, &w);
	if (ret == 0)
		ret = futex_sleep(&w, deadline, flags);
	trace_futex_wait_done((u64)ret);
	return ret;
}

static __force_inline int wake_locked(struct futex_bucket *b, const struct mm_key *key, int nr_wake,
				      u32 bitset, struct unpark_batch *batch)
{
	struct futex_waiter *w, *tmp;
	int woken = 0;

	list_for_each_safe(w, tmp, &b->queue, link) {
		if (!futex_key_equal(&w->key, key))
			continue;
		if (unlikely(w->kind != FUTEX_PLAIN))
			return -EINVAL;
		if (!(w->bitset & bitset))
			continue;
		if (futex_claim(w, batch) && ++woken >= nr_wake)
			break;
	}
	return woken;
}

int futex_wake_locked(struct futex_bucket *b, const struct mm_key *key, int nr_wake, u32 bitset,
		      struct unpark_batch *batch)
{
	return wake_locked(b, key, nr_wake, bitset, batch);
}

/* Somebody waits in the bucket. */
static __hot __noinline int futex_wake_bucket(u64 uaddr, struct futex_bucket *b,
					      const struct mm_key *key, int nr_wake, u32 bitset)
{
	struct unpark_batch batch = {0};
	int ret;

	trace_futex_wake(uaddr, (u32)nr_wake);
	bucket_lock(&b->lock);
	ret = wake_locked(b, key, nr_wake, bitset, &batch);
	bucket_unlock(&b->lock);
	unpark_batch_flush(&batch);
	trace_futex_wake_done((u64)ret);
	return ret;
}

__hot int futex_wake(u64 uaddr, u32 flags, int nr_wake, u32 bitset)
{
	struct futex_bucket *b;
	struct mm_key key;
	int ret;

	if (!bitset)
		return -EINVAL;
	ret = futex_key(uaddr, flags, false, &key);
	if (ret)
		return ret;
	b = futex_bucket(&key);
	fence_full(); /* (B): pairs with (A) in futex_queue_if_equal() */
	if (!atomic_load_relaxed(&b->waiters))
		return 0;
	return futex_wake_bucket(uaddr, b, &key, nr_wake, bitset);
}
