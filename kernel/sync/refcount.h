/*
 * Reference counts. An object is alive while its count is not 0; 0 is final. Whoever holds a
 * reference may take another; whoever found the object under an epoch has none, and must use
 * refcount_get_unless_zero().
 */
#ifndef KERNEL_SYNC_REFCOUNT_H
#define KERNEL_SYNC_REFCOUNT_H

#include "kernel/sync/atomic.h"
#include "kernel/sync/sync_ops.h"
#include "lib/types.h"

/* Another reference, by someone who holds one. No ordering: the first holder has provided it. */
static inline void refcount_get(u32 *refs)
{
	u32 before = atomic_fetch_add_relaxed(refs, 1);

	SYNC_BUG_ON(before == 0 || before == ~0U);
}

/* A reference to an object found under the epoch; false if it is dying. */
static inline bool refcount_get_unless_zero(u32 *refs)
{
	u32 seen;

	do {
		seen = atomic_load_relaxed(refs);
		if (seen == 0)
			return false;
		SYNC_BUG_ON(seen == ~0U);
	} while (!atomic_cas(refs, seen, seen + 1));
	return true;
}

/*
 * Drops one. True if it was the last: the caller releases the object, and sees all that other
 * holders did before their own puts (full barrier of the decrement, both ends).
 */
static inline bool refcount_put(u32 *refs)
{
	u32 before = atomic_fetch_add(refs, (u32)-1);

	SYNC_BUG_ON(before == 0);
	return before == 1;
}

#endif
