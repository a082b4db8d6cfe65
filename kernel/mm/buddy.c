#include "kernel/mm/buddy.h"

#include "kernel/log/log.h"
#include "kernel/sync/lock_class.h"

LOCK_CLASS(buddy_lock, RANK_ZONE);

void buddy_init(struct buddy *b, struct page *pages, u64 nr_pages)
{
	spin_init(&b->lock, &buddy_lock_class);
	b->pages = pages;
	b->nr_pages = nr_pages;
	b->nr_free = 0;
	for (u32 order = 0; order < BUDDY_ORDERS; order++)
		list_init(&b->free[order]);
}

static void buddy_push(struct buddy *b, struct page *page, u32 order)
{
	page_become(page, PAGE_KIND_BUDDY);
	page->order = (u8)order;
	list_add(&b->free[order], &page->link);
}

static void buddy_unlink(struct page *page)
{
	list_del(&page->link);
	page_become(page, PAGE_KIND_NONE);
}

/* Frees a block, merged with its buddy as long as that is free and of the same size. */
static void buddy_merge(struct buddy *b, struct page *page, u32 order)
{
	u64 index = (u64)(page - b->pages);

	ASSERT(page->kind != PAGE_KIND_BUDDY);
	atomic_store_relaxed(&b->nr_free, b->nr_free + (1UL << order));
	while (order < BUDDY_MAX_ORDER) {
		u64 other = index ^ (1UL << order);
		struct page *buddy = &b->pages[other];

		if (other + (1UL << order) > b->nr_pages ||
		    atomic_load_relaxed(&buddy->kind) != PAGE_KIND_BUDDY || buddy->order != order)
			break;
		buddy_unlink(buddy);
		index &= other;
		order++;
	}
	buddy_push(b, &b->pages[index], order);
}

static struct page *buddy_take(struct buddy *b, u32 order)
{
	u32 from = order;
	struct page *page;

	while (from < BUDDY_ORDERS && list_empty(&b->free[from]))
		from++;
	if (from == BUDDY_ORDERS)
		return NULL;
	page = list_first(&b->free[from], struct page, link);
	buddy_unlink(page);
	while (from > order) {
		from--;
		buddy_push(b, page + (1UL << from), from);
	}
	atomic_store_relaxed(&b->nr_free, b->nr_free - (1UL << order));
	return page;
}

void buddy_add(struct buddy *b, u64 first, u64 last)
{
	while (first < last) {
		u32 order = BUDDY_MAX_ORDER;

		while (!IS_ALIGNED(first, 1UL << order) || first + (1UL << order) > last)
			order--;
		buddy_merge(b, &b->pages[first], order);
		first += 1UL << order;
	}
}

struct page *buddy_alloc(struct buddy *b, u32 order, u64 reserve)
{
	struct page *page = NULL;

	spin_lock(&b->lock);
	if (b->nr_free >= reserve + (1UL << order))
		page = buddy_take(b, order);
	spin_unlock(&b->lock);
	return page;
}

void buddy_free(struct buddy *b, struct page *page, u32 order)
{
	spin_lock(&b->lock);
	buddy_merge(b, page, order);
	spin_unlock(&b->lock);
}

u32 buddy_alloc_batch(struct buddy *b, struct page **pages, u32 count, u64 reserve)
{
	u32 taken = 0;

	spin_lock(&b->lock);
	while (taken < count && b->nr_free > reserve) {
		struct page *page = buddy_take(b, 0);

		if (!page)
			break;
		pages[taken++] = page;
	}
	spin_unlock(&b->lock);
	return taken;
}

void buddy_free_batch(struct buddy *b, struct page **pages, u32 count)
{
	spin_lock(&b->lock);
	for (u32 i = 0; i < count; i++)
		buddy_merge(b, pages[i], 0);
	spin_unlock(&b->lock);
}
