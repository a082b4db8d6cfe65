/*
 * What kernel/sync needs from the layers above it. They fill the table while one hart runs; until
 * then a failed check traps, and a slow spinner just spins on.
 */
#ifndef KERNEL_SYNC_SYNC_OPS_H
#define KERNEL_SYNC_SYNC_OPS_H

#include "lib/types.h"

struct lock_class;
struct thread;

struct sync_ops {
	/* kernel/log: report and stop. Does not return. */
	void (*panic)(const char *fmt, ...) __printf(1, 2);
	/*
	 * kernel/time: let the holder's virtual CPU run: arm this hart's timer some tens of
	 * microseconds ahead, wfi, restore. Called with interrupts off and locks held: must take
	 * none.
	 */
	void (*spin_wait_slow)(void);
	/*
	 * kernel/trace: a lock must be waited for, and has been taken after all. `holder`: who has a mutex;
	 * `holder_hart`: which hart has a spin lock, plus one; NULL and 0 if that can't be seen. The second
	 * gets what the first returned, the turns of a spinner, and who wanted the lock, for the statistics
	 * (NULL while they are off). Called in any context that takes locks, with locks held.
	 */
	u64 (*lock_wait)(const struct lock_class *class, const void *lock,
			 const struct thread *holder, u32 holder_hart);
	void (*lock_taken)(const struct lock_class *class, const void *lock, u64 began, u64 turns,
			   const void *site);
	/* kernel/trace: grace period `number` has begun, for the harts in `waiting`; the one before is over. */
	void (*epoch_began)(u64 number, u64 waiting);
	/* kernel/trace: this hart has run `run` functions that waited for a grace period, `held` still wait. */
	void (*epoch_ran)(u64 run, u64 held);
	/*
	 * kernel/trace, there before lock_stat_key is on: the time, or 0 if holds are not counted; and a hold that ends, by
	 * whom the lock was taken and when. Context: as above.
	 */
	u64 (*lock_held)(void);
	void (*lock_released)(const struct lock_class *class, const void *site, u64 since);
};
extern struct sync_ops sync_ops;

extern u8 lock_stat_key; /* static key: each taking and each release of a lock is noted: who holds it, and what is counted */

static inline u64 sync_lock_wait(const struct lock_class *class, const void *lock,
				 const struct thread *holder, u32 holder_hart)
{
	return sync_ops.lock_wait ? sync_ops.lock_wait(class, lock, holder, holder_hart) : 0;
}

static inline void sync_lock_taken(const struct lock_class *class, const void *lock, u64 began,
				   u64 turns, const void *site)
{
	if (sync_ops.lock_taken)
		sync_ops.lock_taken(class, lock, began, turns, site);
}

/*
 * Checks of kernel/sync itself: log.h is above this layer. SYNC_ASSERT is for debug builds,
 * SYNC_BUG_ON for all.
 */
#define SYNC_BUG_ON(c)                                                                             \
	do {                                                                                       \
		if (unlikely(c)) {                                                                 \
			if (sync_ops.panic)                                                        \
				sync_ops.panic("%s at %s:%d", #c, __FILE__, __LINE__);             \
			__builtin_trap();                                                          \
		}                                                                                  \
	} while (0)

#ifdef KERNEL_DEBUG
#define SYNC_ASSERT(c) SYNC_BUG_ON(!(c))
#else
#define SYNC_ASSERT(c) ((void)sizeof(c))
#endif

#endif
