/*
 * PI futexes: lock, try, unlock.
 *
 * The word holds the owner's thread id, FUTEX_WAITERS if an unlock must enter the kernel, and FUTEX_OWNER_DIED. Programs change it by
 * compare-and-swap and call only if that fails. Who waits is known to the kernel alone, and FUTEX_WAITERS is set under the bucket's lock
 * before a waiter is queued there, so an owner that finds its bare id in the word has nobody to hand over to:
 *
 *	waiter					owner
 *	lock bucket				load word: my id
 *	CAS word: id -> id | WAITERS
 *	queue; unlock bucket			CAS word: id -> 0: fails, come again and lock
 *
 * Unlocking with waiters hands the word over: the first waiter's id is stored, then the waiter is woken as the owner. If an owner dies, the
 * first waiter is woken without it: it changes the word itself, in its own address space, marks it FUTEX_OWNER_DIED, and stays
 * queued until that is done, so nobody takes the word past it.
 *
 * Two shortcuts take no lock, if the bucket is empty: a word of 0 is taken, and one of the bare id released, as the program could
 * have done. Source: futex(2), pthread_mutexattr_setprotocol(3).
 */
#include "kernel/futex/pi.h"
#include "kernel/futex/queue.h"

#include "abi/futex.h"
#include "kernel/mm/uaccess.h"
#include "kernel/trace/trace.h"

static u32 pi_tid(const struct task *t)
{
	return t->thread.tid;
}

/* 0; -EFAULT; -EAGAIN: it was not `value`. */
static int pi_change(u64 uaddr, u32 value, u32 next)
{
	u32 old;

	if (user_cas_u32_nofault((u32 __user *)uaddr, value, next, &old))
		return -EFAULT;
	return old == value ? 0 : -EAGAIN;
}

/* The owner that is dead or not to be found: -ESRCH, unless its exit has changed the word meanwhile. */
static int pi_owner_gone(u64 uaddr, u32 value)
{
	u32 now;

	if (user_load_u32_nofault((const u32 __user *)uaddr, &now))
		return -EFAULT;
	return now == value ? -ESRCH : -EAGAIN;
}

/* The task that `value` names, if it may own. 0, -EBUSY with a reference to it, -ESRCH, -EAGAIN, -EFAULT. */
static int pi_find_owner(u64 uaddr, u32 value, struct task **owner)
{
	struct task *t = task_find(value & FUTEX_TID_MASK);
	int ret = -ESRCH;

	if (t) {
		spin_lock(&t->pi.lock);
		ret = pi_may_own_locked(t);
		spin_unlock(&t->pi.lock);
	}
	*owner = t;
	return ret == -ESRCH ? pi_owner_gone(uaddr, value) : ret;
}

/* Others wait already: does the word say what `first` knows? 0 with *owner, -EINVAL. */
static int pi_join(struct futex_waiter *first, u32 value, struct task **owner)
{
	u32 tid = value & FUTEX_TID_MASK;

	if (first->kind != FUTEX_PI)
		return -EINVAL;
	*owner = pi_waiter_of(first)->owner;
	/* Between the owner's end and the first waiter's taking over nobody owns. */
	if (value & FUTEX_OWNER_DIED && !tid)
		return 0;
	return *owner && tid == pi_tid(*owner) ? 0 : -EINVAL;
}

int pi_take(u64 uaddr, struct futex_bucket *b, const struct mm_key *key, struct task *t,
	    bool waiters, struct task **owner)
{
	struct futex_waiter *first;
	u32 value, next;
	int ret;

	if (user_load_u32_nofault((const u32 __user *)uaddr, &value))
		return -EFAULT;
	if ((value & FUTEX_TID_MASK) == pi_tid(t))
		return -EDEADLK;
	first = futex_first(b, key);
	if (first)
		return pi_join(first, value, owner);
	if (value & FUTEX_TID_MASK) {
		next = value | FUTEX_WAITERS;
		ret = pi_change(uaddr, value, next);
		return ret ? ret : pi_find_owner(uaddr, next, owner);
	}
	next = (value & FUTEX_OWNER_DIED) | pi_tid(t) | (waiters ? FUTEX_WAITERS : 0);
	ret = pi_change(uaddr, value, next);
	return ret ? ret : 1;
}

int pi_retry(u64 uaddr, int err, struct task *owner)
{
	switch (err) {
	case -EFAULT:
		return user_fault_in((const void __user *)uaddr, true);
	case -EBUSY:
		/* Held until its exit has settled what becomes of the word. */
		mutex_lock(&owner->pi.exit);
		mutex_unlock(&owner->pi.exit);
		thread_put(&owner->thread);
		return 0;
	default:
		kernel_relax();
		return 0;
	}
}

/* `p` is first and the owner has died: the word becomes p's. 0, -EFAULT. */
static int pi_inherit(struct futex_pi_waiter *p, u64 uaddr)
{
	u32 value, next;
	int ret;

	do {
		if (user_load_u32_nofault((const u32 __user *)uaddr, &value))
			return -EFAULT;
		next = pi_tid(pi_task(p)) | FUTEX_WAITERS | FUTEX_OWNER_DIED;
		ret = pi_change(uaddr, value, next);
	} while (ret == -EAGAIN);
	if (ret)
		return ret;
	pi_hand_over(p);
	atomic_store_relaxed(&p->w.state, FUTEX_WOKEN);
	return 0;
}

/* Looks at `p` under its bucket's lock. 0: it owns the word; 1: it waits on; `end`: it has left; -EFAULT: the word is not there. */
static int pi_look(struct futex_pi_waiter *p, u64 uaddr, int end)
{
	struct futex_bucket *b = pi_lock_bucket(p);
	struct task *owner = NULL;
	int ret = 1;

	if (atomic_load_relaxed(&p->w.state) == FUTEX_WOKEN)
		ret = 0;
	else if (p->w.kind == FUTEX_PI && !p->owner && pi_first(b, &p->w.key) == p)
		ret = pi_inherit(p, uaddr);
	if (ret && end) {
		if (p->w.kind == FUTEX_PI)
			owner = pi_leave(p);
		else
			futex_unlink(&p->w);
		ret = end;
	}
	bucket_unlock(&b->lock);
	if (owner)
		pi_walk(owner, NULL, NULL);
	return ret;
}

int pi_wait(struct futex_pi_waiter *p, u64 uaddr, u64 deadline, u32 flags, int end)
{
	for (;;) {
		int ret = pi_look(p, uaddr, end);

		if (ret == -EFAULT && !end) {
			end = user_fault_in((const void __user *)uaddr, true);
			continue;
		}
		if (ret <= 0)
			return ret;
		end = futex_park(deadline, flags);
		/* Acquire: pairs with the release of whoever hands over; `p` is ours alone then. */
		if (atomic_load_acquire(&p->w.state) == FUTEX_WOKEN)
			return 0;
	}
}

/* A free word that nobody waits for: as the program could have done. */
static bool pi_lock_free(u64 uaddr, const struct futex_bucket *b)
{
	return !atomic_load_relaxed(&b->waiters) && pi_change(uaddr, 0, pi_tid(task_current())) == 0;
}

/* One attempt, as pi_take(); 0: queued behind *owner, or with `try` just not taken. */
static int pi_attempt(u64 uaddr, struct futex_bucket *b, struct futex_pi_waiter *p, bool try,
		      struct task **owner)
{
	int ret;

	bucket_lock(&b->lock);
	ret = pi_take(uaddr, b, &p->w.key, pi_task(p), false, owner);
	if (ret == 0 && !try) {
		futex_count(b, 1);
		ret = pi_enqueue(b, p, *owner);
	}
	bucket_unlock(&b->lock);
	return ret;
}

static __noinline int pi_lock_taken(u64 uaddr, u32 flags, const struct mm_key *key, u64 deadline,
				    bool try)
{
	struct task *self = task_current(), *owner = NULL, *last;
	struct futex_pi_waiter p = {.w.bitset = ~0U, .w.thread = &self->thread, .w.key = *key};
	struct futex_bucket *b = futex_bucket(key);
	int ret;

	while (!pi_final(ret = pi_attempt(uaddr, b, &p, try, &owner))) {
		ret = pi_retry(uaddr, ret, owner);
		if (ret)
			return ret;
	}
	if (ret)
		return ret < 0 ? ret : 0;
	if (try)
		return -EAGAIN;
	trace_futex_pi_wait(uaddr, owner ? pi_tid(owner) : 0);
	ret = pi_wait(&p, uaddr, deadline, flags, pi_walk(owner, self, &last));
	trace_futex_wait_done((u64)ret);
	return ret;
}

int futex_lock_pi(u64 uaddr, u32 flags, u64 deadline, bool try)
{
	struct mm_key key;
	int ret = futex_key(uaddr, flags, true, &key);

	if (ret || pi_lock_free(uaddr, futex_bucket(&key)))
		return ret;
	return pi_lock_taken(uaddr, flags, &key, deadline, try);
}

/*
 * The word becomes `next`. 0, -EFAULT; -EBUSY: a waiter has come since we looked, or come and gone; `changed`: the word is somebody else's
 * now, which is the program's to handle.
 */
static int pi_give(u64 uaddr, u32 value, u32 next, int changed)
{
	u32 old;

	if (user_cas_u32_nofault((u32 __user *)uaddr, value, next, &old))
		return -EFAULT;
	if (old == value)
		return 0;
	return (old & FUTEX_TID_MASK) == (value & FUTEX_TID_MASK) ? -EBUSY : changed;
}

/* The first waiter becomes the owner. 0, -EFAULT, -EBUSY, -EINVAL. */
static int pi_pass_on(u64 uaddr, u32 value, struct futex_waiter *first, struct thread **woken)
{
	struct futex_pi_waiter *p = pi_waiter_of(first);
	struct task *self = task_current();
	int ret;

	if (first->kind != FUTEX_PI || p->owner != self)
		return -EINVAL;
	ret = pi_give(uaddr, value, FUTEX_WAITERS | pi_tid(pi_task(p)), -EINVAL);
	if (ret)
		return ret;
	*woken = first->thread;
	pi_hand_over(p);
	/* Release: pairs with the acquire in pi_wait(), after which `p` is gone. */
	atomic_store_release(&first->state, FUTEX_WOKEN);
	return 0;
}

/* 0, -EAGAIN, -EINVAL; not final: -EFAULT, -EBUSY. */
static int pi_unlock(u64 uaddr, u32 value, const struct mm_key *key)
{
	struct futex_bucket *b = futex_bucket(key);
	struct futex_waiter *first;
	struct thread *woken = NULL;
	int ret;

	if (!(value & FUTEX_WAITERS) && !atomic_load_relaxed(&b->waiters))
		return pi_give(uaddr, value, 0, -EAGAIN);
	bucket_lock(&b->lock);
	first = futex_first(b, key);
	ret = first ? pi_pass_on(uaddr, value, first, &woken) : pi_give(uaddr, value, 0, -EAGAIN);
	bucket_unlock(&b->lock);
	if (woken) {
		trace_futex_pi_give(uaddr, woken->tid);
		unpark(woken); /* alive until this hart's next quiescent point */
		trace_futex_wake_done(1);
	}
	return ret;
}

int futex_unlock_pi(u64 uaddr, u32 flags)
{
	struct mm_key key;
	u32 value;
	int ret;

	for (;;) {
		if (user_load_u32((const u32 __user *)uaddr, &value))
			return -EFAULT;
		if ((value & FUTEX_TID_MASK) != pi_tid(task_current()))
			return -EPERM;
		ret = futex_key(uaddr, flags, true, &key);
		if (ret)
			return ret;
		ret = pi_unlock(uaddr, value, &key);
		if (ret != -EFAULT && ret != -EBUSY)
			return ret;
		if (ret == -EFAULT && user_fault_in((const void __user *)uaddr, true))
			return -EFAULT;
	}
}
