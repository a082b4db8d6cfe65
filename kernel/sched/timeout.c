/*
 * The timeout of a parked thread: one timer a thread, left armed when the wait ends early.
 *
 * A thread that waits with a timeout is nearly always woken before it, and soon waits again with a later one. Arming and cancelling
 * a timer each time would cost more than the switch itself. So the end of a wait only forgets the deadline, and the next wait
 * arms nothing if the timer will go off before its own deadline anyway: then it is armed again for what is due.
 *
 *	waiting thread				timer's hart
 *	deadline = D				armed = never
 *	(X)					(Y)
 *	armed <= D: nothing to do		load deadline: D is later: arm for D
 *
 * (X) and (Y) are full fences: either the thread sees that nothing is armed, or the timer sees D. Both then arm under the lock.
 * Cost of a wait that is woken: two stores, a fence, two loads.
 */
#include "kernel/sched/sched_internal.h"

#include "kernel/sync/atomic.h"
#include "kernel/sync/lock_class.h"

LOCK_CLASS(timeout, RANK_TIMEOUT);

static void timeout_arm_locked(struct thread_timeout *to, u64 deadline)
{
	atomic_store_relaxed(&to->armed, deadline);
	timer_arm(&to->timer, deadline);
}

static void timeout_expire(struct timer *timer)
{
	struct thread_timeout *to = container_of(timer, struct thread_timeout, timer);
	u64 now = time_now(), deadline;

	spin_lock(&to->lock);
	atomic_store_relaxed(&to->armed, TIME_NEVER);
	fence_full(); /* (Y): pairs with (X) in sched_timeout_set() */
	deadline = atomic_load_relaxed(&to->deadline);
	if (deadline > now && deadline != TIME_NEVER)
		timeout_arm_locked(to, deadline);
	spin_unlock(&to->lock);
	if (deadline <= now)
		unpark(container_of(to, struct thread, timeout));
}

void sched_timeout_init(struct thread *t)
{
	spin_init(&t->timeout.lock, &timeout_class);
	timer_init(&t->timeout.timer, timeout_expire);
	t->timeout.deadline = TIME_NEVER;
	t->timeout.armed = TIME_NEVER;
}

__hot void sched_timeout_set(struct thread *t, u64 deadline)
{
	struct thread_timeout *to = &t->timeout;

	atomic_store_relaxed(&to->deadline, deadline);
	fence_full(); /* (X): pairs with (Y) in timeout_expire() */
	if (likely(atomic_load_relaxed(&to->armed) <= deadline))
		return;
	spin_lock(&to->lock);
	if (to->armed > deadline)
		timeout_arm_locked(to, deadline);
	spin_unlock(&to->lock);
}

void sched_timeout_clear(struct thread *t)
{
	atomic_store_relaxed(&t->timeout.deadline, TIME_NEVER);
}

void sched_timeout_end(struct thread *t)
{
	sched_timeout_clear(t);
	timer_cancel(&t->timeout.timer);
}
