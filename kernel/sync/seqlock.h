/*
 * Sequence counters: readers of a small record never write and never wait for each other; they read
 * again if a writer was there. Writers exclude each other by a lock of their own. For records that
 * are read often and written seldom (clock parameters, statistics). The fields are read and written
 * with atomic_load_relaxed and atomic_store_relaxed.
 *
 * Invariant: seq is odd while a writer is inside. A reader that read any new field sees seq
 * changed: the writer's fence (G) after the odd store pairs with the reader's fence (H) before its
 * second look.
 *
 *	do {
 *		seq = seq_read_begin(&c);
 *		x = atomic_load_relaxed(&r->x); y = ...
 *	} while (seq_read_retry(&c, seq));
 */
#ifndef KERNEL_SYNC_SEQLOCK_H
#define KERNEL_SYNC_SEQLOCK_H

#include "kernel/sync/atomic.h"
#include "lib/types.h"

struct seqcount {
	u32 seq; /* [a] odd while being written */
};

static inline u32 seq_read_begin(const struct seqcount *c)
{
	u32 seq;

	/*
	 * The acquire pairs with the release in seq_write_end(): fields are at least as new as seq.
	 */
	while ((seq = atomic_load_acquire(&c->seq)) & 1)
		cpu_relax();
	return seq;
}

/* True if what was read since `seq` may be torn. */
static inline bool seq_read_retry(const struct seqcount *c, u32 seq)
{
	fence_acquire(); /* (H): pairs with (G) in seq_write_begin() */
	return atomic_load_relaxed(&c->seq) != seq;
}

/* Context: the writers' lock held; between begin and end do not sleep. */
static inline void seq_write_begin(struct seqcount *c)
{
	atomic_store_relaxed(&c->seq, atomic_load_relaxed(&c->seq) + 1);
	fence_release(); /* (G): pairs with (H) in seq_read_retry() */
}

static inline void seq_write_end(struct seqcount *c)
{
	atomic_store_release(&c->seq, atomic_load_relaxed(&c->seq) + 1);
}

#endif
