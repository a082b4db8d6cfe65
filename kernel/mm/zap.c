/*
 * Taking translations away. Frames are collected while leaf locks are held, one at a time; a batch
 * is flushed from all harts at once, and only then are its frames dropped: nobody can reach a frame
 * that is free.
 *
 * Pages that were mapped ahead of any access and not touched since need no flush. A hart that sets A does so in one
 * step that fails if the entry has changed (Svadu), and only then uses it:
 *	pgtable_take()			access on another hart
 *	swap the entry for 0		compare the entry, set A
 *	A was clear: no flush		use the translation
 * So either the swap finds A, or the comparison finds 0 and the access faults. Whoever changes an entry by a plain
 * store must set A with it (pte_touched): it could undo the hart's.
 */
#include "kernel/mm/space.h"
#include "kernel/sync/hart.h"
#include "kernel/trace/trace.h"

#define ZAP_SMALL 32U
#define ZAP_LARGE (PAGE_SIZE / sizeof(void *))

struct zap {
	struct mm *mm;
	void **frames;
	u32 count;
	u32 capacity;
	void *block;		/* of 2 MiB, or NULL */
	bool keep_copies;	/* only frames of objects go */
	bool cached;		/* a hart may hold a translation of what is to go */
	void *small[ZAP_SMALL]; /* for short ranges, and when there is no memory for more */
};

static void zap_begin(struct zap *z, struct mm *mm, u64 bytes, bool keep_copies)
{
	z->mm = mm;
	z->keep_copies = keep_copies;
	z->count = 0;
	z->block = NULL;
	z->cached = false;
	z->frames = bytes > ZAP_SMALL * PAGE_SIZE ? page_alloc(0, 0) : NULL;
	z->capacity = z->frames ? ZAP_LARGE : ZAP_SMALL;
	if (!z->frames)
		z->frames = z->small;
}

/* Of two that take pages away at once the later may note the lower peak: it is a statistic. */
static void zap_note_peak(struct mm *mm)
{
	u64 resident = atomic_load_relaxed(&mm->resident_pages);

	if (resident > atomic_load_relaxed(&mm->peak_resident))
		atomic_store_relaxed(&mm->peak_resident, resident);
}

static void zap_flush(struct zap *z)
{
	u64 objects = 0;

	if (!z->count && !z->block && !z->cached)
		return;
	zap_note_peak(z->mm);
	trace_unmap_pages(z->count + (z->block ? PGTABLE_SPAN(1) / PAGE_SIZE : 0), z->mm->id);
	if (z->cached)
		tlb_flush_mm(z->mm, false);
	z->cached = false;
	for (u32 i = 0; i < z->count; i++) {
		objects += page_of(z->frames[i])->kind == PAGE_KIND_OBJECT;
		page_put(z->frames[i]);
	}
	atomic_fetch_add_relaxed(&z->mm->resident_pages, -(u64)z->count);
	if (objects)
		atomic_fetch_add_relaxed(&z->mm->object_pages, -objects);
	z->count = 0;
	if (z->block) {
		huge_put(z->block);
		atomic_fetch_add_relaxed(&z->mm->resident_pages, -(u64)PGTABLE_ENTRIES);
		z->block = NULL;
	}
}

static void zap_end(struct zap *z)
{
	zap_flush(z);
	if (z->frames != z->small)
		page_free(z->frames, 0);
}

/* Does an entry that is not empty go? */
static bool zap_wants(const struct zap *z, u64 pte)
{
	return !z->keep_copies || page_of(pa_to_va(pte_pa(pte)))->kind == PAGE_KIND_OBJECT;
}

/*
 * One leaf table, from start to end or until the batch is full; returns how far it got. An entry
 * that a fault is replacing (PTE_BUSY) goes like any other: the fault finds it changed.
 */
static u64 zap_table(struct zap *z, u64 *table, u64 start, u64 end)
{
	u64 *first = &table[pgtable_index(start, 0)], *entry = first;
	const u64 *last = first + (end - start) / PAGE_SIZE;
	u64 pte;

	pgtable_lock(table);
	for (; entry < last; entry++) {
		/* Most are empty in a mapping that was hardly used. */
		if (!*entry || !zap_wants(z, *entry))
			continue;
		if (z->count == z->capacity)
			break;
		pte = pgtable_take(entry);
		if (!pte_is_zero(pte))
			z->frames[z->count++] = pa_to_va(pte_pa(pte));
		z->cached |= pte_may_be_cached(pte);
	}
	pgtable_unlock(table);
	return start + (u64)(entry - first) * PAGE_SIZE;
}

static u64 zap_table_end(u64 start, u64 end)
{
	return MIN(end, ALIGN_DOWN(start, PGTABLE_SPAN(1)) + PGTABLE_SPAN(1));
}

/* Objects have no blocks, so keep_copies does not matter. False: it is no block. */
static bool zap_block(struct zap *z, u64 *middle, u64 *entry)
{
	u64 pte = pte_is_huge(atomic_load_relaxed(entry)) ? huge_take(middle, entry) : 0;

	if (!pte)
		return false;
	if (!pte_is_zero(pte))
		z->block = pa_to_va(pte_pa(pte));
	z->cached |= pte_may_be_cached(pte);
	return true;
}

void zap_object_range(struct mm *mm, u64 start, u64 end, bool keep_copies)
{
	u64 *entry, *middle, *table;
	struct zap z;

	zap_begin(&z, mm, end - start, keep_copies);
	while ((entry = pgtable_next_entry(mm, &start, end, &middle))) {
		u64 table_end = zap_table_end(start, end);

		if (table_end - start == PGTABLE_SPAN(1) && zap_block(&z, middle, entry)) {
			start = table_end;
		} else {
			table = pgtable_leaf(mm, start, false);
			start = table ? zap_table(&z, table, start, table_end) : table_end;
		}
		if (z.count == z.capacity || z.block)
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

/* False: it is no block, or one that is to have no rights, which only small entries can express. */
static bool zap_protect_block(const struct vma *vma, u64 *middle, u64 *entry, bool *shrank)
{
	u64 allowed = pgtable_bits(vma), old;
	bool block;

	pgtable_lock(middle);
	old = *entry;
	if (pte_is_zero(old))
		allowed &= ~PTE_W;
	block = pte_is_huge(old) && allowed;
	if (block) {
		atomic_store_relaxed(entry, (old & PTE_PPN_MASK) | allowed);
		*shrank |= (old & ~allowed & (PTE_R | PTE_W | PTE_X)) != 0;
	}
	pgtable_unlock(middle);
	return block;
}

void zap_protect(struct mm *mm, const struct vma *vma, u64 start, u64 end)
{
	u64 *entry, *middle, *table;
	bool shrank = false;

	while ((entry = pgtable_next_entry(mm, &start, end, &middle))) {
		u64 table_end = zap_table_end(start, end);

		if (table_end - start < PGTABLE_SPAN(1) ||
		    !zap_protect_block(vma, middle, entry, &shrank)) {
			table = pgtable_leaf(mm, start, false);
			if (table)
				shrank |= zap_protect_table(vma, table, start, table_end);
		}
		start = table_end;
		if (start < end)
			hart_relax();
	}
	if (shrank)
		tlb_flush_mm(mm, false);
}
