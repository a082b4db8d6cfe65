/*
 * From a condition variable to its PI mutex: WAIT_REQUEUE_PI waits on one word to be moved to the other by CMP_REQUEUE_PI, and returns as
 * the owner of that. A waiter begins as FUTEX_TO_PI, which no other call may wake or move, and becomes FUTEX_PI with both buckets
 * locked. Before that a signal or timeout takes it out of the first word's queue; after it, it leaves the second's as any PI waiter.
 *
 * A waiter may own what the mutex's owner waits for: then moving it would close a cycle. That is found out after the locks are
 * dropped, by a walk from the owner; the waiter whose wait closes the cycle is put back where it came from.
 */
#include "kernel/futex/pi.h"
#include "kernel/futex/queue.h"

#include "kernel/mm/uaccess.h"
#include "kernel/trace/trace.h"

int futex_wait_requeue_pi(u64 uaddr, u32 flags, u32 value, u64 deadline, u64 uaddr2)
{
	struct thread *t = thread_current();
	struct futex_pi_waiter p = {
		.w.kind = FUTEX_TO_PI, .w.bitset = ~0U, .w.thread = t, .w.rt_prio = t->base_prio};
	int ret;

	if (uaddr == uaddr2)
		return -EINVAL;
	ret = futex_key(uaddr2, flags, true, &p.target);
	if (ret == 0)
		ret = futex_look(uaddr, flags, value, &p.source);
	if (ret)
		return ret;
	if (futex_key_equal(&p.source, &p.target))
		return -EINVAL;
	p.w.key = p.source;
	trace_futex_wait(uaddr, value);
	ret = futex_queue_if_equal(uaddr, value, &p.w);
	if (ret == 0)
		ret = pi_wait(&p, uaddr2, deadline, flags, 0);
	trace_futex_wait_done((u64)ret);
	if (ret == -EINTR)
		return p.w.kind == FUTEX_PI ? -EAGAIN : -ERESTARTNOINTR;
	return ret;
}

/* Both words, and what has been done so far. */
struct pi_requeue {
	struct mm_key key1, key2;
	struct futex_bucket *b1, *b2;
	struct futex_pi_waiter *taken; /* owns the second word, to be woken */
	struct task *owner;	       /* of the second word */
	int moved;
};

/* 0, or -EINVAL: `w` does not wait to be moved from the first word to the second. */
static int pi_requeue_check(const struct pi_requeue *r, struct futex_waiter *w)
{
	if (w->kind != FUTEX_TO_PI || !futex_key_equal(&pi_waiter_of(w)->target, &r->key2))
		return -EINVAL;
	return 0;
}

/* The first waiter gets the second word if that is free. As pi_take(). */
static int pi_requeue_take(struct pi_requeue *r, u64 uaddr2, bool more)
{
	struct futex_waiter *w = futex_first(r->b1, &r->key1);
	int ret;

	if (!w)
		return 0;
	ret = pi_requeue_check(r, w);
	if (ret)
		return ret;
	ret = pi_take(uaddr2, r->b2, &r->key2, task_of(w->thread), more, &r->owner);
	if (ret == 1) {
		futex_unlink(w);
		r->taken = pi_waiter_of(w);
		r->owner = task_of(w->thread);
	}
	return ret;
}

static int pi_requeue_move(struct pi_requeue *r, struct futex_pi_waiter *p)
{
	int ret;

	futex_unlink(&p->w);
	p->w.key = r->key2;
	futex_count(r->b2, 1);
	ret = pi_enqueue(r->b2, p, r->owner);
	if (ret == 0) {
		r->moved++;
		return 0;
	}
	p->w.kind = FUTEX_TO_PI;
	p->w.key = r->key1;
	futex_count(r->b1, 1);
	futex_enqueue(r->b1, &p->w);
	return ret;
}

static int pi_requeue_rest(struct pi_requeue *r, int nr_requeue)
{
	/* One more if nobody could be given the word. */
	long limit = (long)nr_requeue + !r->taken;
	struct futex_waiter *w, *tmp;
	int ret = 0;

	list_for_each_safe(w, tmp, &r->b1->queue, link) {
		if (ret || r->moved >= limit)
			break;
		if (!futex_key_equal(&w->key, &r->key1))
			continue;
		ret = pi_requeue_check(r, w);
		if (ret == 0)
			ret = pi_requeue_move(r, pi_waiter_of(w));
	}
	return ret;
}

/* One attempt with both locks. Not final, and nothing done: -EFAULT, -EAGAIN, -EBUSY, as pi_take(). */
static int pi_requeue_locked(struct pi_requeue *r, u64 uaddr2, int nr_requeue)
{
	struct thread *woken = NULL;
	int ret = pi_requeue_take(r, uaddr2, nr_requeue > 0);

	if (ret >= 0)
		ret = pi_requeue_rest(r, nr_requeue);
	if (r->taken) {
		woken = r->taken->w.thread;
		/* Release: pairs with the acquire in pi_wait(), after which the waiter is gone. */
		atomic_store_release(&r->taken->w.state, FUTEX_WOKEN);
	}
	bucket_unlock_pair(&r->b1->lock, &r->b2->lock);
	if (woken)
		unpark(woken);
	return ret;
}

/* The wait of `t` for the second word closes a cycle: back to the first word. False: it is not one that was moved. */
static bool pi_requeue_undo(struct pi_requeue *r, struct task *t)
{
	struct futex_pi_waiter *p;
	struct task *owner = NULL;
	bool ours;

	bucket_lock_pair(&r->b1->lock, &r->b2->lock);
	spin_lock(&t->pi.lock);
	p = t->pi.blocked;
	ours = p && atomic_load_relaxed(&p->w.bucket) == r->b2;
	spin_unlock(&t->pi.lock);
	ours = ours && futex_key_equal(&p->w.key, &r->key2) && futex_key_equal(&p->source, &r->key1);
	if (ours) {
		owner = pi_leave(p);
		p->w.kind = FUTEX_TO_PI;
		p->w.key = r->key1;
		futex_count(r->b1, 1);
		futex_enqueue(r->b1, &p->w);
	}
	bucket_unlock_pair(&r->b1->lock, &r->b2->lock);
	if (owner)
		pi_walk(owner, NULL, NULL);
	return ours;
}

/* What the moved waiters lend, along the chain. 0 or -EDEADLK. */
static int pi_requeue_walk(struct pi_requeue *r)
{
	struct task *last;
	int ret = 0;

	while (r->moved && r->owner && pi_walk(r->owner, r->owner, &last) == -EDEADLK) {
		ret = -EDEADLK;
		if (!pi_requeue_undo(r, last))
			break;
	}
	return ret;
}

int futex_requeue_pi(u64 uaddr, u32 flags, u64 uaddr2, int nr_wake, int nr_requeue, u32 expect)
{
	struct pi_requeue r = {0};
	int ret;

	if (nr_wake != 1 || nr_requeue < 0 || uaddr == uaddr2)
		return -EINVAL;
	ret = futex_key(uaddr, flags, false, &r.key1);
	if (ret == 0)
		ret = futex_key(uaddr2, flags, true, &r.key2);
	if (ret)
		return ret;
	if (futex_key_equal(&r.key1, &r.key2))
		return -EINVAL;
	r.b1 = futex_bucket(&r.key1);
	r.b2 = futex_bucket(&r.key2);
	for (;;) {
		ret = futex_lock_both(r.b1, r.b2, uaddr, &expect);
		if (ret)
			return ret;
		trace_futex_requeue(uaddr, uaddr2);
		ret = pi_requeue_locked(&r, uaddr2, nr_requeue);
		trace_futex_requeue_done(r.taken != NULL, (u32)r.moved);
		if (pi_final(ret))
			break;
		ret = pi_retry(uaddr2, ret, r.owner);
		if (ret)
			return ret;
	}
	if (ret == 0)
		ret = pi_requeue_walk(&r);
	return ret ? ret : r.moved + (r.taken != NULL);
}
