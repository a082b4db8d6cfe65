/*
 * Slab caches, private to kernel/mm (the public calls are in mm.h).
 */
#ifndef KERNEL_MM_SLAB_H
#define KERNEL_MM_SLAB_H

#include "kernel/mm/mm.h"
#include "kernel/sync/inbox.h"
#include "lib/list.h"

/*
 * What one hart has of one cache. Only its owner touches the first line; others push to `remote` in
 * the second.
 */
struct slab_hart {
	struct page *current;			 /* [c] slab to allocate from, or NULL */
	struct list partial;			 /* [c] other slabs with free objects */
	u64 nr_slabs;				 /* [c] all slabs, full ones too */
	struct inbox remote __cacheline_aligned; /* [a] objects freed by other harts */
};

struct slab_cache {
	const char *name;	 /* [I] */
	u32 size;		 /* [I] bytes from one object to the next */
	u32 order;		 /* [I] pages of a slab: 2^order */
	struct slab_hart *harts; /* [I] by dense cpu id */
	struct slab_cache *next; /* [I] chain of all caches, newest first */
};

void slab_init(void);
/* Takes in what other harts freed and gives empty slabs of this hart back to the page allocator. */
void slab_drain_hart(void);
/* Calls fn for every cache: slabs summed over harts are a hint while others run. */
void slab_for_each(void (*fn)(const struct slab_cache *c, u64 nr_slabs, void *arg), void *arg);

#endif
