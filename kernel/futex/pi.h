/*
 * Priority inheritance: the state of PI futexes (pi.c), which the operations on their words (pi_lock.c, pi_requeue.c) are made of.
 */
#ifndef KERNEL_FUTEX_PI_H
#define KERNEL_FUTEX_PI_H

#include "kernel/futex/futex_internal.h"
#include "kernel/task/task.h"

/* As Linux's max_lock_depth: a longer chain counts as a deadlock. */
#define PI_CHAIN_MAX 1024

/*
 * A task that waits to own a PI futex, on its own stack. All of a PI futex's kernel state lies in its waiters: the first
 * one in the bucket's order knows the owner, and is in the owner's list of lenders. It ends with state FUTEX_WOKEN, the owner of
 * the word, or takes itself out; both under the bucket's lock.
 */
struct futex_pi_waiter {
	struct futex_waiter w;
	struct task *owner; /* [L:bucket lock] of the first waiter: who owns the futex; NULL: it died */
	struct list lender;   /* [L:owner's pi lock] in owner->pi.lenders, while first */
	struct mm_key source; /* [I] FUTEX_TO_PI: where it began to wait */
	struct mm_key target; /* [I] FUTEX_TO_PI: the only futex that it may be moved to */
};

static inline struct futex_pi_waiter *pi_waiter_of(struct futex_waiter *w)
{
	return container_of(w, struct futex_pi_waiter, w);
}

static inline struct task *pi_task(const struct futex_pi_waiter *p)
{
	return task_of(p->w.thread);
}

/* ---- pi.c ---- */

/* The first of those that wait to own `key`; NULL: none. Context: `b` locked. */
struct futex_pi_waiter *pi_first(struct futex_bucket *b, const struct mm_key *key);
/*
 * Queues `p`, whose key is set. The owner counts if nobody waits yet. 0; -EBUSY: the owner is just exiting, with a reference to it;
 * -EAGAIN: it is past that. Context: `b` locked, its count raised for `p` (lowered again on failure).
 */
int pi_enqueue(struct futex_bucket *b, struct futex_pi_waiter *p, struct task *owner);
/* `p` gives up. Returns whom it has lent a priority, for pi_walk(); NULL: nobody. Context: p's bucket locked. */
struct task *pi_leave(struct futex_pi_waiter *p);
/* The first waiter `p` becomes the owner; its waiting is over. It is not woken. Context: p's bucket locked. */
void pi_hand_over(struct futex_pi_waiter *p);
/*
 * `t` has got or lost a lender or changed its own priority: settles what it runs at, its place among the waiters that it stands
 * with, and so on along the chain. With `self`: -EDEADLK if the chain comes to `self`, and *last is whose wait closes it. Context: no
 * bucket locked, within one epoch.
 */
int pi_walk(struct task *t, const struct task *self, struct task **last);
/* Locks the bucket that `p` is in. */
struct futex_bucket *pi_lock_bucket(struct futex_pi_waiter *p);
/* 0: `t` may own; -EBUSY: it is just exiting, and a reference to it was taken; -ESRCH: it is past that. Context: t->pi.lock held. */
int pi_may_own_locked(struct task *t);
/* The current task ends, or its program: from the first call on nobody comes to wait for it, after the second what it owned is others'. */
void pi_exit_begin(struct task *t);
void pi_exit_end(struct task *t);

/* ---- pi_lock.c ---- */

/*
 * Takes the word for `t` if it is free: 1; sets FUTEX_WAITERS too if `waiters`. If it is not, sees to it that its owner will enter
 * the kernel: 0 with *owner (NULL: it died, and the first waiter will take over). -EDEADLK: it is t's; -EINVAL: the word and the kernel
 * disagree; -ESRCH: no such owner. Not final: -EFAULT, -EAGAIN, -EBUSY (*owner is exiting; with a reference). Context: `b` locked.
 */
int pi_take(u64 uaddr, struct futex_bucket *b, const struct mm_key *key, struct task *t,
	    bool waiters, struct task **owner);
static inline bool pi_final(int ret)
{
	return ret != -EFAULT && ret != -EAGAIN && ret != -EBUSY;
}
/* After one that is not final, unlocked: 0 to try again, or -EFAULT. May sleep. */
int pi_retry(u64 uaddr, int err, struct task *owner);
/* Waits to own the word at `uaddr`, or leaves for `end` if not 0. 0, -ETIMEDOUT, -EINTR, -EFAULT, `end`. May sleep. */
int pi_wait(struct futex_pi_waiter *p, u64 uaddr, u64 deadline, u32 flags, int end);

/* 0, -EAGAIN (try), -EDEADLK, -EFAULT, -EINTR, -EINVAL, -ESRCH, -ETIMEDOUT. May sleep. */
int futex_lock_pi(u64 uaddr, u32 flags, u64 deadline, bool try);
/* 0, -EAGAIN, -EFAULT, -EINVAL, -EPERM. May sleep. */
int futex_unlock_pi(u64 uaddr, u32 flags);

/* ---- pi_requeue.c ---- */

/* 0, -EAGAIN, -ETIMEDOUT, -EFAULT, -EINVAL, -ERESTARTNOINTR. May sleep. */
int futex_wait_requeue_pi(u64 uaddr, u32 flags, u32 value, u64 deadline, u64 uaddr2);
/* Number of waiters that own the word at `uaddr2` now (0 or 1) or wait for it, or an error. May sleep. */
int futex_requeue_pi(u64 uaddr, u32 flags, u64 uaddr2, int nr_wake, int nr_requeue, u32 expect);

#endif
