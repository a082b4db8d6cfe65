/*
 * Sleeping mutexes over park and unpark. The word holds the owner's thread pointer and, in bit 0,
 * "somebody waits".
 *
 *   0          -> owner        lock, one CAS
 *   owner      -> 0            unlock, one CAS
 *   owner      -> owner | 1    a waiter, under the wait lock, after it has queued itself
 *   owner | 1  -> 1 or 0       unlock, under the wait lock: 0 if the queue is empty; its first is
 *                              unparked
 *   1          -> owner | 1    lock (owner if the queue is empty: only by its last waiter, under the wait lock)
 *
 * Invariant: the queue is empty unless bit 0 is set; bit 0 and the queue change only under the wait
 * lock. So an unlock that needs no wake-up never takes that lock, and one that does cannot miss a
 * waiter. The woken waiter competes with newcomers (no hand-off: a convoy would make every lock a
 * context switch); it keeps its place in the queue. Cost: one CAS (9 ns under TCG) each way while
 * nobody waits.
 */
#ifndef KERNEL_SYNC_MUTEX_H
#define KERNEL_SYNC_MUTEX_H

#include "arch/riscv64/cpu.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/lock_class.h"
#include "kernel/sync/park.h"
#include "kernel/sync/spinlock.h"
#include "lib/list.h"
#include "lib/types.h"

#define MUTEX_WAITERS 1UL

extern struct lock_class mutex_wait_class;

struct mutex {
	u64 word;		  /* [a] owner | MUTEX_WAITERS */
	struct spinlock wait;	  /* guards the queue and bit 0 */
	struct list queue;	  /* [L:wait] struct mutex_waiter, first come first */
	struct lock_class *class; /* [I] a sleeping rank */
	/* Of the owner: */
	const void *site;	 /* [c] who took it, and when, while locks are counted; else 0 */
	u64 since;		 /* [c] */
	struct mutex *held_next; /* [c] debug builds: chain of the owner's mutexes */
};

/* `name` is the mutex itself: its queue points at itself. */
#define MUTEX_INIT(name, lock_class)                                                               \
	{                                                                                          \
		.wait = SPINLOCK_INIT(mutex_wait_class), .queue = LIST_INIT((name).queue),         \
		.class = &(lock_class)                                                             \
	}

void mutex_init(struct mutex *m, struct lock_class *class);

/* Context: may sleep. Not recursive. */
void mutex_lock(struct mutex *m);
/*
 * As mutex_lock, while another mutex of the same class may be held: the caller orders the two by
 * some rule of its own.
 */
void mutex_lock_nested(struct mutex *m);
/*
 * As mutex_lock; -EINTR if a fatal signal (killable) or any signal (interruptible) came first: then
 * it is not held.
 */
int mutex_lock_killable(struct mutex *m);
int mutex_lock_interruptible(struct mutex *m);
bool mutex_trylock(struct mutex *m);
/*
 * By the owner, who keeps the object alive until this returns (a reference, or the epoch). Context:
 * any.
 */
void mutex_unlock(struct mutex *m);

/* True if the current thread holds it. */
static inline bool mutex_held(const struct mutex *m)
{
	return (atomic_load_relaxed(&m->word) & ~MUTEX_WAITERS) == (u64)thread_current();
}

#endif
