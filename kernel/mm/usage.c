/*
 * What a space uses: counters that are kept, and those that a walk over its tables finds.
 */
#include "kernel/mm/space.h"
#include "kernel/sync/hart.h"

void mm_stats(struct mm *mm, struct mm_stats *out)
{
	*out = (struct mm_stats){
		.virtual = atomic_load_relaxed(&mm->virtual_pages),
		.resident = atomic_load_relaxed(&mm->resident_pages),
		.object = atomic_load_relaxed(&mm->object_pages),
		.locked = atomic_load_relaxed(&mm->locked_pages),
		.data = atomic_load_relaxed(&mm->data_pages),
		.stack = atomic_load_relaxed(&mm->stack_pages),
		.tables = mm_table_pages(mm),
	};
	out->peak_virtual = MAX(atomic_load_relaxed(&mm->peak_virtual), out->virtual);
	out->peak_resident = MAX(mm_peak_resident_pages(mm), out->resident);
}

/* Who else holds the frame: mappings, and the object if it is one's. */
static u32 usage_mappings(const struct page *page)
{
	u32 refs = atomic_load_relaxed(&page->refs);

	return page->kind == PAGE_KIND_OBJECT && refs > 1 ? refs - 1 : MAX(refs, 1U);
}

static void usage_page(struct mm_usage *u, u64 pte, const struct page *page)
{
	u32 mappings = usage_mappings(page);
	bool dirty = page->kind != PAGE_KIND_OBJECT || pte & PTE_W;

	u->resident++;
	u->share_bytes += PAGE_SIZE / mappings;
	if (dirty)
		u->dirty_share_bytes += PAGE_SIZE / mappings;
	if (page->kind == PAGE_KIND_OBJECT) {
		u->object++;
		u->object_share_bytes += PAGE_SIZE / mappings;
	}
	if (mappings > 1)
		dirty ? u->shared_dirty++ : u->shared_clean++;
	else
		dirty ? u->private_dirty++ : u->private_clean++;
}

static void usage_entry(struct mm_usage *u, const struct pgtable_at *at, u64 addr, u64 end)
{
	u64 pte;

	pgtable_lock(at->table);
	pte = *at->entry;
	if (pte & PTE_V && pte_is_leaf(pte) && !pte_is_zero(pte)) {
		u->huge += at->span > PAGE_SIZE;
		for (; addr < end; addr += PAGE_SIZE)
			usage_page(u, pte, page_of(pgtable_frame(at, pte, addr)));
	}
	pgtable_unlock(at->table);
}

/* With the lock of at->table. */
static void look_at_entry(const struct pgtable_at *at, u64 addr, struct mm_page *out)
{
	u64 pte = *at->entry;
	void *frame = pgtable_frame(at, pte, addr);
	const struct page *page = page_of(frame);

	*out = (struct mm_page){.present = true, .frame = va_to_pa(frame) >> PAGE_SHIFT};
	out->zero = pte_is_zero(pte);
	if (out->zero)
		return;
	out->object = page->kind == PAGE_KIND_OBJECT;
	out->exclusive = usage_mappings(page) == 1;
}

/* False: the block that was found has become a table. */
static bool look_at_page(struct mm *mm, u64 addr, struct mm_page *out)
{
	struct pgtable_at at;
	bool stays;

	*out = (struct mm_page){.present = false};
	if (!pgtable_find(mm, addr, &at))
		return true;
	pgtable_lock(at.table);
	stays = at.span == PAGE_SIZE || !(*at.entry & PTE_V) || pte_is_leaf(*at.entry);
	if (stays && *at.entry)
		look_at_entry(&at, addr, out);
	pgtable_unlock(at.table);
	return stays;
}

void mm_look(struct mm *mm, u64 addr, u64 nr, struct mm_page *out)
{
	epoch_enter();
	for (u64 i = 0; i < nr; i++) {
		while (!look_at_page(mm, addr + i * PAGE_SIZE, &out[i]))
			;
	}
	epoch_exit();
}

void mm_region_usage(struct mm *mm, u64 start, u64 end, struct mm_usage *u)
{
	struct pgtable_at at;

	while (start < end) {
		u64 next = ALIGN_DOWN(start, PGTABLE_SPAN(1)) + PGTABLE_SPAN(1);

		epoch_enter();
		if (pgtable_find(mm, start, &at)) {
			next = ALIGN_DOWN(start, at.span) + at.span;
			usage_entry(u, &at, start, MIN(next, end));
		}
		epoch_exit();
		start = next;
		if (IS_ALIGNED(start, PGTABLE_SPAN(1)))
			hart_relax();
	}
}
