/*
 * Requeue: wakes some waiters of one word and moves others to a second word, so that a broadcast does not wake threads only
 * to let them collide on a mutex.
 *
 * Both buckets are locked, in address order, so a move is atomic for every waker. A waiter that ends by timeout or signal
 * during it reads w->bucket, locks that bucket and finds that it has moved: it tries again (futex_leave()). The target's
 * count is raised before the waiter is linked there and lowered in the source after, so neither side's lock-free look
 * can miss it.
 */
#include "kernel/futex/queue.h"

#include "kernel/mm/uaccess.h"
#include "kernel/trace/trace.h"

static void futex_move(struct futex_waiter *w, struct futex_bucket *from, struct futex_bucket *to,
		       const struct mm_key *key)
{
	w->key = *key;
	if (from == to)
		return;
	futex_count(to, 1);
	list_del(&w->link);
	futex_enqueue(to, w);
	futex_count(from, -1);
}

/* The address has been checked with its key. */
static __force_inline int lock_both(struct futex_bucket *b1, struct futex_bucket *b2, u64 uaddr1,
				    const u32 *expect)
{
	u32 value = 0;
	int ret;

	for (;;) {
		bucket_lock_pair(&b1->lock, &b2->lock);
		if (!expect)
			return 0;
		ret = user_load_u32_nofault_ok((const u32 __user *)uaddr1, &value);
		if (likely(!((u32)ret | (value ^ *expect))))
			return 0;
		bucket_unlock_pair(&b1->lock, &b2->lock);
		if (ret == 0)
			return -EAGAIN;
		ret = user_fault_in((const u32 __user *)uaddr1, false);
		if (ret)
			return ret;
	}
}

int futex_lock_both(struct futex_bucket *b1, struct futex_bucket *b2, u64 uaddr1, const u32 *expect)
{
	return lock_both(b1, b2, uaddr1, expect);
}

/* The keys of both words, and who waits for the first. Locks held over it by futex_requeue(). */
struct futex_requeue {
	struct mm_key key1, key2;
	struct futex_bucket *b1, *b2;
	struct unpark_batch batch;
};

static __force_inline int requeue_keys(struct futex_requeue *r, u64 uaddr1, u32 flags, u64 uaddr2)
{
	int ret;

	if (likely(!(flags & FUTEX_SHARED) & futex_private_pair_ok(uaddr1, uaddr2))) {
		r->key1 = futex_private_key(uaddr1);
		r->key2 = futex_private_key(uaddr2);
		return 0;
	}
	ret = futex_key(uaddr1, flags, false, &r->key1);
	return ret ? ret : futex_key(uaddr2, flags, false, &r->key2);
}

/* How many are woken, the first nr_wake, or moved; -EINVAL for a waiter of another kind, after which nothing is done. */
static __force_inline int requeue_locked(struct futex_requeue *r, int nr_wake, int nr_requeue)
{
	u64 done = 0, limit = (u64)nr_wake + (u64)nr_requeue;
	struct list *link = r->b1->queue.next;

	while (done < limit && link != &r->b1->queue) {
		struct futex_waiter *w = list_entry(link, struct futex_waiter, link);

		link = link->next;
		if (!futex_key_equal(&w->key, &r->key1))
			continue;
		if (unlikely(w->kind != FUTEX_PLAIN))
			return -EINVAL;
		if (done < (u64)nr_wake) {
			done += futex_claim(w, &r->batch);
		} else {
			futex_move(w, r->b1, r->b2, &r->key2);
			done++;
		}
	}
	return (int)done;
}

/* What is true of every good call is asked for at once: the first call of a program costs as many translations as there are branches. */
__hot int futex_requeue(u64 uaddr1, u32 flags, u64 uaddr2, int nr_wake, int nr_requeue,
			const u32 *expect)
{
	struct futex_requeue r;
	int ret;

	if ((nr_wake | nr_requeue) < 0)
		return -EINVAL;
	ret = requeue_keys(&r, uaddr1, flags, uaddr2);
	if (ret)
		return ret;
	r.batch = (struct unpark_batch){0};
	r.b1 = futex_bucket(&r.key1);
	r.b2 = futex_bucket(&r.key2);
	ret = lock_both(r.b1, r.b2, uaddr1, expect);
	if (ret)
		return ret;
	trace_futex_requeue(uaddr1, uaddr2);
	ret = requeue_locked(&r, nr_wake, nr_requeue);
	bucket_unlock_pair(&r.b1->lock, &r.b2->lock);
	sched_batch_flush_inline(&r.batch);
	trace_futex_requeue_done((u32)MIN(MAX(ret, 0), nr_wake), (u32)MAX(ret - nr_wake, 0));
	return ret;
}
