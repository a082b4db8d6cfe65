/*
 * Priority inheritance: who waits for whom, and what that lends.
 *
 *	task T ── pi.blocked ──> its waiter, in the bucket of futex F
 *	F's first waiter ── owner ──> task O, and is one of O's pi.lenders
 *	O ── pi.blocked ──> its waiter in the bucket of futex G, ...
 *
 * A thread runs at the highest priority of its lenders (sched_set_boost()), and its own waiter stands in its bucket by the priority that
 * results. pi_walk() restores that along a chain after a change: each step takes one bucket's lock and derives what should be from what
 * is, so that walks which cross each other only do work twice:
 *
 *	walk 1: T's priority is 5			walk 2: T's priority is 7
 *	lock T: boost 5; unlock
 *							lock T: boost 7; unlock; lock bucket: T stands at 7
 *	lock bucket, lock T: T runs at 7, stands at 7: done
 *
 * A deadlock is a cycle of such arrows. A task first shows where it waits, then walks: of two that close a cycle at the same time each sets
 * its `blocked` under its own pi lock before it reads the other's, so at least one of them finds it.
 *
 * Locks: bucket, then one task's pi lock, then the run queue. `blocked` and `lenders` are under the pi lock of their task, order, owner
 * and first place under the bucket's. A waiter in a list of lenders does not change its priority: it is taken out first, under the
 * lock of the owner, whose exit must see a futex with waiters in that list at any time. Nothing is counted: a waiter that is reached through
 * `blocked` or `lenders` is alive while the pi lock or then its bucket's lock is held, and a task is freed a grace period after its exit.
 *
 * Cost of a wait without chain: two pi locks; a boost if the waiter's priority is above the owner's.
 */
#include "kernel/futex/pi.h"
#include "kernel/futex/queue.h"

#include "kernel/futex/futex.h"

static u32 pi_priority(const struct task *t)
{
	return atomic_load_relaxed(&t->thread.rt_prio);
}

/* What t's lenders are worth to it. Context: t->pi.lock held. */
static void pi_settle_locked(struct task *t)
{
	struct futex_pi_waiter *p;
	u32 prio = 0;

	list_for_each(p, &t->pi.lenders, lender)
		prio = MAX(prio, p->w.rt_prio);
	if (t->thread.boost != prio)
		sched_set_boost(&t->thread, prio);
}

int pi_may_own_locked(struct task *t)
{
	switch (t->pi.state) {
	case TASK_PI_ALIVE:
		return 0;
	case TASK_PI_EXITING:
		/* Its own reference is held until after pi_exit_end(), which needs the lock; later a get would come from 0. */
		thread_get(&t->thread);
		return -EBUSY;
	default:
		return -ESRCH;
	}
}

/* `p` lends to `owner` before it is in the queue, so that the owner's exit, which may come at once, finds it there. */
static int pi_attach(struct futex_pi_waiter *p, struct task *owner)
{
	int ret;

	spin_lock(&owner->pi.lock);
	ret = pi_may_own_locked(owner);
	if (ret == 0) {
		p->owner = owner;
		list_add(&owner->pi.lenders, &p->lender);
		pi_settle_locked(owner);
	}
	spin_unlock(&owner->pi.lock);
	return ret == -ESRCH ? -EAGAIN : ret; /* what it left in the word decides */
}

/* `now` takes the place of `before` as the first waiter of its futex; either may be NULL. */
static void pi_replace_first(struct futex_pi_waiter *before, struct futex_pi_waiter *now,
			     struct task *owner)
{
	if (now)
		now->owner = owner;
	if (!owner) {
		/* It must take over: pi_wait(). */
		if (now)
			unpark(now->w.thread);
		return;
	}
	spin_lock(&owner->pi.lock);
	if (before)
		list_del(&before->lender);
	if (now)
		list_add(&owner->pi.lenders, &now->lender);
	pi_settle_locked(owner);
	spin_unlock(&owner->pi.lock);
}

struct futex_pi_waiter *pi_first(struct futex_bucket *b, const struct mm_key *key)
{
	struct futex_waiter *w;

	/* A program may wait for the word in other ways too, at a higher priority. */
	list_for_each(w, &b->queue, link) {
		if (w->kind == FUTEX_PI && futex_key_equal(&w->key, key))
			return pi_waiter_of(w);
	}
	return NULL;
}

static void pi_unblock(struct task *t)
{
	spin_lock(&t->pi.lock);
	t->pi.blocked = NULL;
	spin_unlock(&t->pi.lock);
}

int pi_enqueue(struct futex_bucket *b, struct futex_pi_waiter *p, struct task *owner)
{
	struct futex_pi_waiter *first = pi_first(b, &p->w.key);
	struct task *t = pi_task(p);
	int ret;

	p->w.kind = FUTEX_PI;
	atomic_store_relaxed(&p->w.bucket, b);
	/* In one section: a change of priority after it comes to this bucket. */
	spin_lock(&t->pi.lock);
	p->w.rt_prio = pi_priority(t);
	t->pi.blocked = p;
	spin_unlock(&t->pi.lock);
	if (!first) {
		ret = pi_attach(p, owner);
		if (ret) {
			pi_unblock(t);
			futex_count(b, -1);
			return ret;
		}
	} else if (p->w.rt_prio > first->w.rt_prio) {
		pi_replace_first(first, p, first->owner);
	}
	futex_enqueue(b, &p->w);
	return 0;
}

struct task *pi_leave(struct futex_pi_waiter *p)
{
	struct futex_bucket *b = atomic_load_relaxed(&p->w.bucket);
	bool first = pi_first(b, &p->w.key) == p;

	futex_unlink(&p->w);
	pi_unblock(pi_task(p));
	if (!first)
		return NULL;
	pi_replace_first(p, pi_first(b, &p->w.key), p->owner);
	return p->owner;
}

void pi_hand_over(struct futex_pi_waiter *p)
{
	struct futex_bucket *b = atomic_load_relaxed(&p->w.bucket);
	struct task *t = pi_task(p), *before = p->owner;
	struct futex_pi_waiter *next;

	futex_unlink(&p->w);
	if (before)
		pi_replace_first(p, NULL, before);
	pi_unblock(t);
	next = pi_first(b, &p->w.key);
	if (next)
		pi_replace_first(NULL, next, t);
}

/* To the place that its priority deserves. The owner's lock is held throughout: see the head of this file. Context: `b` locked. */
static void pi_resort(struct futex_bucket *b, struct futex_pi_waiter *p, u32 prio)
{
	struct futex_pi_waiter *first = pi_first(b, &p->w.key), *now;
	struct task *owner = first->owner;

	if (owner) {
		spin_lock(&owner->pi.lock);
		list_del(&first->lender);
	}
	list_del(&p->w.link);
	p->w.rt_prio = prio;
	futex_enqueue(b, &p->w);
	now = pi_first(b, &p->w.key);
	now->owner = owner;
	if (owner) {
		list_add(&owner->pi.lenders, &now->lender);
		pi_settle_locked(owner);
		spin_unlock(&owner->pi.lock);
	} else if (now != first) {
		unpark(now->w.thread);
	}
}

static struct futex_pi_waiter *pi_wait_of(struct task *t)
{
	return t->pi.blocked;
}

static struct futex_pi_waiter *pi_lender_of(struct task *t)
{
	return list_empty(&t->pi.lenders)
		       ? NULL
		       : list_first(&t->pi.lenders, struct futex_pi_waiter, lender);
}

/* What `find` finds in `t` under its pi lock, with its bucket locked; NULL: nothing. */
static struct futex_pi_waiter *pi_lock_found(struct task *t,
					     struct futex_pi_waiter *(*find)(struct task *),
					     struct futex_bucket **bucket)
{
	for (;;) {
		struct futex_pi_waiter *p;
		struct futex_bucket *b;
		bool same;

		spin_lock(&t->pi.lock);
		p = find(t);
		b = p ? atomic_load_relaxed(&p->w.bucket) : NULL;
		spin_unlock(&t->pi.lock);
		if (!p)
			return NULL;
		bucket_lock(&b->lock);
		spin_lock(&t->pi.lock);
		same = find(t) == p && atomic_load_relaxed(&p->w.bucket) == b;
		spin_unlock(&t->pi.lock);
		if (same) {
			*bucket = b;
			return p;
		}
		bucket_unlock(&b->lock);
	}
}

/* One step: who owns what `t` waits for; NULL: nobody, or without `follow` nobody whom it would change. */
static struct task *pi_step(struct task *t, bool follow)
{
	struct futex_pi_waiter *p;
	struct futex_bucket *b;
	struct task *owner = NULL;
	u32 prio;

	p = pi_lock_found(t, pi_wait_of, &b);
	if (!p)
		return NULL;
	prio = pi_priority(t);
	if (prio != p->w.rt_prio) {
		pi_resort(b, p, prio);
		follow = true;
	}
	if (follow)
		owner = pi_first(b, &p->w.key)->owner;
	bucket_unlock(&b->lock);
	return owner;
}

int pi_walk(struct task *t, const struct task *self, struct task **last)
{
	for (u32 i = 0; t && i < PI_CHAIN_MAX; i++) {
		struct task *next = pi_step(t, self != NULL);

		if (next && next == self) {
			*last = t;
			return -EDEADLK;
		}
		t = next;
	}
	return t && self ? -EDEADLK : 0;
}

void futex_priority_changed(struct task *t)
{
	pi_walk(t, NULL, NULL);
}

struct futex_bucket *pi_lock_bucket(struct futex_pi_waiter *p)
{
	for (;;) {
		struct futex_bucket *b = atomic_load_relaxed(&p->w.bucket);

		bucket_lock(&b->lock);
		if (atomic_load_relaxed(&p->w.bucket) == b)
			return b;
		bucket_unlock(&b->lock);
	}
}

void pi_exit_begin(struct task *t)
{
	mutex_lock(&t->pi.exit);
	spin_lock(&t->pi.lock);
	t->pi.state = TASK_PI_EXITING;
	spin_unlock(&t->pi.lock);
}

void pi_exit_end(struct task *t)
{
	struct futex_pi_waiter *p;
	struct futex_bucket *b;

	while ((p = pi_lock_found(t, pi_lender_of, &b)) != NULL) {
		pi_replace_first(p, NULL, t);
		pi_replace_first(NULL, p, NULL);
		bucket_unlock(&b->lock);
	}
	spin_lock(&t->pi.lock);
	t->pi.state = t->exiting ? TASK_PI_DEAD : TASK_PI_ALIVE;
	spin_unlock(&t->pi.lock);
	mutex_unlock(&t->pi.exit);
}
