/*
 * From page index to frame: a radix tree of 64-way nodes, sparse, as high as its greatest index
 * needs.
 *
 * Readers follow it under the epoch without a lock; writers hold the lock of the object. A slot is
 * published with a release store after what it points to is complete; a node taken out is freed
 * after a grace period.
 */
#ifndef KERNEL_MM_PAGE_INDEX_H
#define KERNEL_MM_PAGE_INDEX_H

#include "lib/types.h"

struct index_node;

struct page_index {
	struct index_node *root; /* [e] */
};

void page_index_init(void); /* boot */
/* The frame at `index` or NULL. Context: epoch or the writers' lock. */
void *page_index_find(const struct page_index *p, u64 index);
/* Writer; the slot must be empty. 0 or -ENOMEM. */
int page_index_insert(struct page_index *p, u64 index, void *page);
/* The first index from `index` on that has a frame, or ~0. Context: epoch or the writers' lock. */
u64 page_index_next(const struct page_index *p, u64 index);
/*
 * Writer. Takes the frames of first..last out and hands each to fn, at most `budget` of them. True
 * when none is left.
 */
bool page_index_cut(struct page_index *p, u64 first, u64 last, u32 budget,
		    void (*fn)(void *page, void *arg), void *arg);

#endif
