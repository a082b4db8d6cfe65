/*
 * Wait and wake.
 *
 * A program changes the word and then calls WAKE; WAIT sleeps only if the word still has the expected value. The
 * kernel's part is that a waiter which has seen the old value is found by every wake that follows the change:
 *
 *	waiter				waker				without (A) or (B)
 *	lock bucket			(program: change *uaddr)	both loads may return old values:
 *	waiters++	(A)		(B)				the waiter sleeps on a word that
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

#include "abi/futex.h"
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
		bucket_lock(&b->lock);
		futex_count(b, 1);
		fence_full(); /* (A): pairs with (B) in futex_nobody_waits() */
		ret = user_load_u32_nofault(word, &current_value);
		if (ret == 0 && current_value == value) {
			futex_enqueue(b, w);
			bucket_unlock(&b->lock);
			trace_futex_queued((u32)(b - futex_table));
			return 0;
		}
		futex_count(b, -1);
		bucket_unlock(&b->lock);
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

static __force_inline int park_by_flags(u64 deadline, u32 flags)
{
	if (likely(!(flags & FUTEX_REALTIME) || deadline == PARK_FOREVER))
		return sched_park_inline(deadline, PARK_INTERRUPTIBLE);
	return task_park_realtime(deadline, PARK_INTERRUPTIBLE);
}

int futex_park(u64 deadline, u32 flags)
{
	return park_by_flags(deadline, flags);
}

/* Sleeps until somebody's compare-and-swap ends the waiter. */
static __force_inline int futex_sleep(struct futex_waiter *w, u64 deadline, u32 flags)
{
	for (;;) {
		int ret = park_by_flags(deadline, flags);
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

static __force_inline int wait_on(u64 uaddr, u32 flags, struct mm_key key, u32 value, u64 deadline,
				  u32 bitset)
{
	struct thread *t = thread_current();
	struct futex_waiter *w = (struct futex_waiter *)t->wait_room;
	int ret;

	/* Field by field: queueing sets the others. */
	w->key = key;
	w->thread = t;
	w->state = FUTEX_QUEUED;
	w->bitset = bitset;
	w->rt_prio = t->base_prio;
	w->kind = FUTEX_PLAIN;
	trace_futex_wait(uaddr, value);
	ret = queue_if_equal(uaddr, value, w);
	if (ret == 0)
		ret = futex_sleep(w, deadline, flags);
	trace_futex_wait_done((u64)ret);
	return ret;
}

__hot int futex_wait(u64 uaddr, u32 flags, const struct mm_key *key, u32 value, u64 deadline,
		     u32 bitset)
{
	return wait_on(uaddr, flags, *key, value, deadline, bitset);
}

/*
 * The wait that there is most of, with all that it does written out in one function: the registers that the switch loses are saved once.
 */
__hot_first long futex_wait_private(u64 uaddr, u32 value)
{
	int ret = wait_on(uaddr, 0, futex_private_key(uaddr), value, PARK_FOREVER,
			  FUTEX_BITSET_MATCH_ANY);

	return unlikely(ret == -EINTR) ? -ERESTARTSYS : ret;
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
		/* Whoever waits, waits for some bit: a wake for all need not look. */
		if (bitset != FUTEX_BITSET_MATCH_ANY && !(w->bitset & bitset))
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

static __force_inline int wake_bucket(u64 uaddr, struct futex_bucket *b, const struct mm_key *key,
				      int nr_wake, u32 bitset)
{
	struct unpark_batch batch = {0};
	int ret;

	trace_futex_wake(uaddr, (u32)nr_wake);
	bucket_lock(&b->lock);
	ret = wake_locked(b, key, nr_wake, bitset, &batch);
	bucket_unlock(&b->lock);
	sched_batch_flush_inline(&batch);
	trace_futex_wake_done((u64)ret);
	return ret;
}

/* Without a lock: whoever begins to wait after this sees what the program has changed before it. */
static __force_inline bool futex_nobody_waits(const struct futex_bucket *b)
{
	fence_full(); /* (B): pairs with (A) in queue_if_equal() */
	return !atomic_load_relaxed(&b->waiters);
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
	return futex_nobody_waits(b) ? 0 : wake_bucket(uaddr, b, &key, nr_wake, bitset);
}

/* Somebody waits in the bucket. A function of its own, so that the empty wake needs no stack frame. */
static __hot_first __noinline long wake_private_bucket(u64 uaddr, struct futex_bucket *b, int nr_wake)
{
	struct mm_key key = futex_private_key(uaddr);

	return wake_bucket(uaddr, b, &key, nr_wake, FUTEX_BITSET_MATCH_ANY);
}

__hot_first long futex_wake_private(u64 uaddr, int nr_wake)
{
	struct mm_key key = futex_private_key(uaddr);
	struct futex_bucket *b = futex_bucket(&key);
	int ret = futex_check_address(uaddr);

	if (ret)
		return ret;
	return futex_nobody_waits(b) ? 0 : wake_private_bucket(uaddr, b, nr_wake);
}
