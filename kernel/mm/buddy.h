/*
 * Buddy allocator: blocks of 2^order frames, aligned to their size. Splitting and merging touch
 * only the first frame of a block, so that memory never allocated costs nothing but its zeroed
 * frame structures.
 *
 * One zone for all memory: per-hart magazines (page.c) keep single frames away from its lock.
 */
#ifndef KERNEL_MM_BUDDY_H
#define KERNEL_MM_BUDDY_H

#include "kernel/mm/page.h"

#define BUDDY_MAX_ORDER 10 /* 4 MiB */
#define BUDDY_ORDERS	(BUDDY_MAX_ORDER + 1)

struct buddy {
	struct spinlock lock;		/* RANK_ZONE */
	struct page *pages;		/* [I] */
	u64 nr_pages;			/* [I] */
	u64 nr_free;			/* [L:lock] read without it for hints: atomic */
	struct list free[BUDDY_ORDERS]; /* [L:lock] through page->link */
};

void buddy_init(struct buddy *b, struct page *pages, u64 nr_pages);
/* Adds frames [first, last) of `pages`. Boot only. */
void buddy_add(struct buddy *b, u64 first, u64 last);

/*
 * The first frame of a block, or NULL when none is free, or less than `reserve` frames would stay
 * free.
 */
struct page *buddy_alloc(struct buddy *b, u32 order, u64 reserve);
void buddy_free(struct buddy *b, struct page *page, u32 order);
/* Single frames, many under one lock. */
u32 buddy_alloc_batch(struct buddy *b, struct page **pages, u32 count, u64 reserve);
void buddy_free_batch(struct buddy *b, struct page **pages, u32 count);

#endif
