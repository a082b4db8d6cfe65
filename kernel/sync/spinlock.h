/*
 * Ranked spin locks over Concurrency Kit's unfair fas lock: FIFO locks collapse when virtual CPUs outnumber host cores.
 * A spinner that has waited about 20 us lets the holder's virtual CPU run (spin_wait_slow). Interrupts are off in the
 * kernel, so there is no interrupt variant. May be used in any context; the holder must not sleep, fault or relax.
 *
 *   LOCK_CLASS(name, rank)          defines `struct lock_class name##_class`
 *   spin_init(l, &class)            SPINLOCK_INIT(class) for static ones
 *   spin_lock / spin_trylock / spin_unlock / spin_lock_pair / spin_unlock_pair / spin_assert_held
 */
#ifndef KERNEL_SYNC_SPINLOCK_H
#define KERNEL_SYNC_SPINLOCK_H

#include "kernel/sync/lock_rank.h"
#include "lib/types.h"

struct lock_class; /* name, rank, statistics; see lock_class.h */

struct spinlock {
	u32 word;  /* [a] 0 free, 1 held (ck_spinlock_fas) */
	u16 class; /* [I] lock class index */
	u16 owner; /* [c] debug builds: holder's cpu id + 1 */
};

#endif
