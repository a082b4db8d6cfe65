/*
 * Taking translations away. Frames are collected while leaf locks are held, one at a time; a batch
 * is flushed from all harts at once, and only then are its frames dropped: nobody can reach a frame
 * that is free.
 */
#include "kernel/mm/space.h"
#include "kernel/sync/hart.h"

#define ZAP_SMALL 32U
#define ZAP_LARGE (PAGE_SIZE / sizeof(void *))

struct zap {
	struct mm *mm;
	void **frames;
	u32 count;
	u32 capacity;
	bool keep_copies;	/* only frames of objects go */
	void *small[ZAP_SMALL]; /* for short ranges, and when there is no memory for more */
};

static void zap_begin(struct zap *z, struct mm *mm, u64 bytes, bool keep_copies)
{
	z->mm = mm;
	z->keep_copies = keep_copies;
	z->count = 0;
	z->frames = bytes > ZAP_SMALL * PAGE_SIZE ? page_alloc(0, 0) : NULL;
	z->capacity = z->frames ? ZAP_LARGE : ZAP_SMALL;
	if (!z->frames)
		z->frames = z->small;
}

static void zap_flush(struct zap *z)
{
	if (!z->count)
		return;
	tlb_flush_mm(z->mm, false);
	for (u32 i = 0; i < z->count; i++)
		page_put(z->frames[i]);
	atomic_fetch_add_relaxed(&z->mm->resident_pages, -(u64)z->count);
	z->count = 0;
}

static void zap_end(struct zap *z)
{
	zap_flush(z);
	if (z->frames != z->small)
		page_free(z->frames, 0);
}

static bool zap_wants(const struct zap *z, u64 pte)
{
	return pte && (!z->keep_copies || page_of(pa_to_va(pte_pa(pte)))->kind == PAGE_KIND_OBJECT);
}

/*
 * One leaf table, from start to end or until the batch is full; returns how far it got. An entry
 * that a fault is replacing (PTE_BUSY) goes like any other: the fault finds it changed.
 */
static u64 zap_table(struct zap *z, u64 *table, u64 start, u64 end)
{
	pgtable_lock(table);
	while (start < end && z->count < z->capacity) {
		u64 *entry = &table[pgtable_index(start, 0)];

		if (zap_wants(z, *entry)) {
			z->frames[z->count++] = pa_to_va(pte_pa(*entry));
			atomic_store_relaxed(entry, 0UL);
		}
		start += PAGE_SIZE;
	}
	pgtable_unlock(table);
	return start;
}

static u64 zap_table_end(u64 start, u64 end)
{
	return MIN(end, ALIGN_DOWN(start, PGTABLE_SPAN(1)) + PGTABLE_SPAN(1));
}

void zap_object_range(struct mm *mm, u64 start, u64 end, bool keep_copies)
{
	struct zap z;
	u64 *table;

	zap_begin(&z, mm, end - start, keep_copies);
	while ((table = pgtable_next_leaf(mm, &start, end))) {
		start = zap_table(&z, table, start, zap_table_end(start, end));
		if (z.count == z.capacity)
			zap_flush(&z);
		if (start < end)
			hart_relax();
	}
	zap_end(&z);
}

void zap_range(struct mm *mm, u64 start, u64 end)
{
	zap_object_range(mm, start, end, false);
}

/*
 * Rights that an entry may have now. A private page that others hold stays read-only: the next
 * write copies it.
 */
static u64 zap_rights(const struct vma *vma, u64 pte, u64 allowed)
{
	struct page *page = page_of(pa_to_va(pte_pa(pte)));

	if (!(vma->flags & VMA_SHARED) && !(pte & PTE_W) && atomic_load_relaxed(&page->refs) != 1)
		allowed &= ~PTE_W;
	return (pte & PTE_PPN_MASK) | allowed;
}

static bool zap_protect_table(const struct vma *vma, u64 *table, u64 start, u64 end)
{
	const u64 rights = PTE_V | PTE_R | PTE_W | PTE_X;
	u64 allowed = pgtable_bits(vma);
	bool shrank = false;

	pgtable_lock(table);
	for (; start < end; start += PAGE_SIZE) {
		u64 *entry = &table[pgtable_index(start, 0)];
		u64 old = *entry, new;

		if (!old || old & PTE_BUSY)
			continue;
		new = zap_rights(vma, old, allowed);
		atomic_store_relaxed(entry, new);
		shrank |= (old & ~new &rights) != 0;
	}
	pgtable_unlock(table);
	return shrank;
}

void zap_protect(struct mm *mm, const struct vma *vma, u64 start, u64 end)
{
	bool shrank = false;
	u64 *table;

	while ((table = pgtable_next_leaf(mm, &start, end))) {
		u64 table_end = zap_table_end(start, end);

		shrank |= zap_protect_table(vma, table, start, table_end);
		start = table_end;
		if (start < end)
			hart_relax();
	}
	if (shrank)
		tlb_flush_mm(mm, false);
}
