/*
 * Park and unpark: the one blocking primitive. unpark(t) leaves a permit or wakes t; park()
 * consumes a permit or blocks. Wake-ups may be spurious: callers loop on their own condition. The
 * scheduler fills park_ops.
 *
 * States of thread->park (owned by kernel/sched, all transitions by CAS):
 *   EMPTY -> PERMIT   unpark of a running thread        PERMIT -> EMPTY   park returns at once
 *   EMPTY -> BLOCKED  park                              BLOCKED -> WAKING unpark: winner queues it
 *   WAKING -> EMPTY   the thread runs again
 */
#ifndef KERNEL_SYNC_PARK_H
#define KERNEL_SYNC_PARK_H

#include "lib/types.h"

struct mutex;
struct thread;

#define PARK_FOREVER	   (~0UL)
#define PARK_INTERRUPTIBLE BIT(0) /* a pending signal ends it */
#define PARK_KILLABLE	   BIT(1) /* only a fatal signal ends it */

struct unpark_batch {
	struct thread *first; /* chain through thread->batch_next, in order of addition */
	struct thread *last;
};

struct park_ops {
	int (*park)(u64 deadline, u32 flags);
	void (*unpark)(struct thread *t);
	bool (*batch_add)(struct unpark_batch *b, struct thread *t);
	void (*batch_flush)(struct unpark_batch *b);
	/*
	 * Does `t` run on a hart just now? A hint, for who considers to spin until it is done. Under the epoch.
	 * NULL hook: nobody spins.
	 */
	bool (*running)(const struct thread *t);
	/*
	 * Debug: the current thread's chain of held mutexes, for the order check. NULL hook: no
	 * check.
	 */
	struct mutex **(*held_mutexes)(void);
};
extern struct park_ops park_ops;

/*
 * Blocks the current thread until unpark(), `deadline` (absolute, timer ticks of rdtime;
 * PARK_FOREVER), or a signal as `flags` allow. Returns 0 (woken, perhaps spuriously), -ETIMEDOUT,
 * -EINTR. Context: may sleep, no lock held.
 */
static inline int park(u64 deadline, u32 flags)
{
	return park_ops.park(deadline, flags);
}

/*
 * Context: any, spin locks below RANK_RUNQ may be held. `t` must stay alive during the call (epoch
 * or reference).
 */
static inline void unpark(struct thread *t)
{
	park_ops.unpark(t);
}

/*
 * Wake many: claim under a lock, flush after it. batch_add claims `t` (BLOCKED -> WAKING) and
 * chains it, or leaves a permit; flush groups the chain by target hart: one inbox push and at most
 * one doorbell each.
 */
static inline void unpark_batch_add(struct unpark_batch *b, struct thread *t)
{
	park_ops.batch_add(b, t);
}

static inline void unpark_batch_flush(struct unpark_batch *b)
{
	if (b->first)
		park_ops.batch_flush(b);
}

#endif
