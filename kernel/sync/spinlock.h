/*
 * Ranked spin locks over Concurrency Kit's unfair fas lock: FIFO locks collapse when virtual CPUs
 * outnumber host cores. A spinner that has waited about 20 us lets the holder's virtual CPU run
 * (spin_wait_slow). Interrupts are off in the kernel, so there is no interrupt variant. May be used
 * in any context; the holder must not sleep, fault or relax.
 *
 *   LOCK_CLASS(name, rank)          defines `struct lock_class name##_class`
 *   spin_init(l, &class)            SPINLOCK_INIT(class) for static ones
 *   spin_lock / spin_trylock / spin_unlock / spin_lock_pair / spin_unlock_pair / spin_assert_held
 *
 * Invariant: word == 1 while held. What the last holder wrote is visible to the next: unlock's
 * fence (L) before the store of 0 pairs with the fence (M) after the exchange that read it. Cost: 8
 * ns for an uncontended pair under TCG and a nop for each half, which lock statistics turn into a jump
 * (static_key.h); debug builds add a rank check over the locks that the hart holds.
 */
#ifndef KERNEL_SYNC_SPINLOCK_H
#define KERNEL_SYNC_SPINLOCK_H

#include "kernel/sync/lock_class.h"
#include "kernel/sync/lock_rank.h"
#include "kernel/sync/spin_word.h"
#include "kernel/sync/static_key.h"
#include "kernel/sync/sync_ops.h"
#include "lib/types.h"

struct spinlock {
	union {
		u32 word; /* [a] 0 free, 1 held */
		struct spin_word lock;
	};
	u32 owner; /* [a] holder's cpu id + 1, 0 free; in debug builds, and while lock_stat_key is on */
	struct lock_class *class; /* [I] */
};

#define SPINLOCK_INIT(lock_class)                                                                  \
	{                                                                                          \
		.class = &(lock_class)                                                             \
	}

static inline void spin_init(struct spinlock *l, struct lock_class *class)
{
	*l = (struct spinlock){.class = class};
}

#ifdef KERNEL_DEBUG
/*
 * Before: is the order right, and the lock not ours already? `nested`: a lock of the same class may
 * be held.
 */
void spin_check_order(const struct spinlock *l, bool nested);
void spin_note_locked(struct spinlock *l);
void spin_note_unlocking(struct spinlock *l);
/* Stops the machine unless this hart holds `l`. */
void spin_assert_held(const struct spinlock *l);
/* How many spin locks this hart holds; might_sleep() wants none. */
u32 spin_held_count(void);
/*
 * The i-th spin lock that hart `cpu` holds, NULL from the last on: for a panic, which has stopped
 * that hart.
 */
const struct spinlock *spin_held(u32 cpu, u32 i);
#else
static inline void spin_check_order(const struct spinlock *l, bool nested)
{
	(void)l;
	(void)nested;
}
static inline void spin_note_locked(struct spinlock *l)
{
	(void)l;
}
static inline void spin_note_unlocking(struct spinlock *l)
{
	(void)l;
}
static inline void spin_assert_held(const struct spinlock *l)
{
	(void)l;
}
static inline u32 spin_held_count(void)
{
	return 0;
}
static inline const struct spinlock *spin_held(u32 cpu, u32 i)
{
	(void)cpu;
	(void)i;
	return NULL;
}
#endif

void spin_lock_slow(struct spinlock *l);
/* The whole of a taking, what follows one, and what precedes a release, while lock_stat_key is on. */
void spin_lock_counted(struct spinlock *l);
void spin_count_taken(struct spinlock *l);
void spin_count_release(struct spinlock *l);

static inline void spin_acquire(struct spinlock *l, bool nested)
{
	spin_check_order(l, nested);
	if (unlikely(static_key_on(&lock_stat_key)))
		spin_lock_counted(l);
	else if (unlikely(!spin_word_trylock(&l->lock)))
		spin_lock_slow(l);
	spin_note_locked(l);
}

static inline void spin_lock(struct spinlock *l)
{
	spin_acquire(l, false);
}

/* True if taken. Never waits, so it may be tried against the lock order. */
static inline bool spin_trylock(struct spinlock *l)
{
	if (!spin_word_trylock(&l->lock))
		return false;
	if (unlikely(static_key_on(&lock_stat_key)))
		spin_count_taken(l);
	spin_note_locked(l);
	return true;
}

static inline void spin_unlock(struct spinlock *l)
{
	spin_note_unlocking(l);
	if (unlikely(static_key_on(&lock_stat_key)))
		spin_count_release(l);
	spin_word_unlock(&l->lock);
}

/* Takes two locks of one class in address order; a == b takes it once. */
static inline void spin_lock_pair(struct spinlock *a, struct spinlock *b)
{
	struct spinlock *first = a < b ? a : b;
	struct spinlock *second = (struct spinlock *)((u64)a ^ (u64)b ^ (u64)first);

	spin_acquire(first, false);
	if (second != first)
		spin_acquire(second, true);
}

static inline void spin_unlock_pair(struct spinlock *a, struct spinlock *b)
{
	spin_unlock(a);
	if (b != a)
		spin_unlock(b);
}

#endif
