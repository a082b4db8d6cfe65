/*
 * What kernel/sync needs from the layers above it. They fill the table while one hart runs; until
 * then a failed check traps, and a slow spinner just spins on.
 */
#ifndef KERNEL_SYNC_SYNC_OPS_H
#define KERNEL_SYNC_SYNC_OPS_H

#include "lib/types.h"

struct sync_ops {
	/* kernel/log: report and stop. Does not return. */
	void (*panic)(const char *fmt, ...) __printf(1, 2);
	/*
	 * kernel/time: let the holder's virtual CPU run: arm this hart's timer some tens of
	 * microseconds ahead, wfi, restore. Called with interrupts off and locks held: must take
	 * none.
	 */
	void (*spin_wait_slow)(void);
};
extern struct sync_ops sync_ops;

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
