/*
 * Faults on entries that are empty: anonymous memory, shared zeroes, pages of an object.
 *
 * Anonymous memory is filled ahead when touched in sequence: 1, 4, 16, 64 pages, judged by the run
 * of pages present just before the address, so there is no state to keep. A fault on an object maps
 * the pages present around it.
 */
#include "abi/errno.h"
#include "kernel/mm/fault.h"

#define AROUND_MAX 16U

bool fault_may_install(const struct fault *f, u64 addr)
{
	if (atomic_load_relaxed(&f->vma->detached))
		return false;
	if (!f->vma->object)
		return true;
	return fault_in_object(f->vma, fault_object_index(f->vma, addr)) &&
	       atomic_load_relaxed(&f->vma->object->priv->punches) == f->punches;
}

/* Is the page part of a run up to f->addr? For a write, zeroes that were only read are not. */
static bool fault_counts(const struct fault *f, u64 pte)
{
	return pte && (f->access != MM_WRITE || !pte_is_zero(pte));
}

u32 fault_ahead(const struct fault *f, const u64 *table)
{
	u64 table_start = ALIGN_DOWN(f->addr, PGTABLE_SPAN(1));
	u64 floor = MAX(table_start, f->vma->start);
	u64 room = MIN(f->vma->end, table_start + PGTABLE_SPAN(1)) - f->addr;
	u32 run = 0, want;

	while (run < FAULT_AHEAD_MAX / 3 && f->addr - run * PAGE_SIZE > floor &&
	       fault_counts(f, atomic_load_relaxed(&table[pgtable_index(f->addr, 0) - run - 1])))
		run++;
	if (run == 0 && f->addr == table_start && f->addr > f->vma->start) {
		struct pgtable_at before;

		if (pgtable_find(f->mm, f->addr - PAGE_SIZE, &before) &&
		    fault_counts(f, atomic_load_relaxed(before.entry)))
			run = FAULT_AHEAD_MAX / 3;
	}
	want = page_plentiful() ? MIN(MAX(3 * run + 1, f->ahead), FAULT_AHEAD_MAX) : 1;
	return (u32)MIN((u64)want, room >> PAGE_SHIFT);
}

/* For a page that is mapped at `addr`: the one that is accessed, or one of those around it. */
static u64 fault_bits(const struct fault *f, u64 addr)
{
	return addr == f->addr && !f->ahead ? pgtable_bits(f->vma) : pgtable_bits_untouched(f->vma);
}

int fault_install_fresh(struct fault *f, u64 *table, void **pages, u32 count, u64 old)
{
	u32 used = 0;
	bool ok;

	pgtable_lock(table);
	ok = fault_may_install(f, f->addr);
	for (u32 i = 0; i < count; i++) {
		u64 *entry = fault_entry(table, f->addr) + i;

		if (*entry != old)
			continue;
		if (!ok) {
			/* Without rights, as in fault_finish_copy(). */
			atomic_store_relaxed(entry, old & PTE_PPN_MASK);
			continue;
		}
		page_set_kind(pages[i], PAGE_KIND_ANONYMOUS);
		/* The zeroes are visible before the entry. */
		atomic_store_release(entry, pte_make(va_to_pa(pages[i]),
						     fault_bits(f, f->addr + i * PAGE_SIZE)));
		pages[i] = NULL;
		used++;
	}
	pgtable_unlock(table);
	if (used)
		atomic_fetch_add_relaxed(&f->mm->resident_pages, (u64)used);
	for (u32 i = 0; used < count && i < count; i++) {
		if (pages[i])
			page_free(pages[i], 0);
	}
	return ok ? 0 : FAULT_RETRY;
}

static int fault_anonymous(struct fault *f, u64 *table)
{
	void *pages[FAULT_AHEAD_MAX];
	u32 count = page_alloc_batch(pages, fault_ahead(f, table), PAGE_ZERO | PAGE_PROGRAM);

	return count ? fault_install_fresh(f, table, pages, count, 0) : -ENOMEM;
}

/* The first read: shared zeroes, here and ahead. */
static int fault_zero(struct fault *f, u64 *table)
{
	u32 count = fault_ahead(f, table);
	bool ok;

	pgtable_lock(table);
	ok = fault_may_install(f, f->addr);
	for (u32 i = 0; ok && i < count; i++) {
		u64 *entry = fault_entry(table, f->addr) + i;
		u64 bits = fault_bits(f, f->addr + i * PAGE_SIZE) & ~PTE_W;

		if (!*entry)
			atomic_store_relaxed(entry, pte_make(zero_page_pa, bits));
	}
	pgtable_unlock(table);
	return ok ? 0 : FAULT_RETRY;
}

/* First write to a page of a private mapping that is not there yet: a copy of the object's page. */
static int fault_private_write(struct fault *f, u64 *table)
{
	void *from, *copy;
	int err = vm_object_make_page(f->vma->object, fault_object_index(f->vma, f->addr), &from);

	if (err)
		return err;
	copy = page_alloc(0, PAGE_PROGRAM);
	if (copy)
		page_copy(copy, from);
	page_put(from);
	return copy ? fault_install_fresh(f, table, &copy, 1, 0) : -ENOMEM;
}

/*
 * Maps the pages of the object that are there already, around f->addr; that of f->addr is made if
 * absent.
 */
static int fault_object(struct fault *f, u64 *table)
{
	u64 first = MAX(ALIGN_DOWN(f->addr, AROUND_MAX * PAGE_SIZE), f->vma->start);
	u64 last = MIN(ALIGN_DOWN(f->addr, AROUND_MAX * PAGE_SIZE) + AROUND_MAX * PAGE_SIZE,
		       f->vma->end);
	u64 strip = f->vma->flags & VMA_SHARED ? 0 : PTE_W;
	void *pages[AROUND_MAX];
	void *wanted;
	u32 used = 0;
	bool ok;
	int err;

	err = vm_object_make_page(f->vma->object, fault_object_index(f->vma, f->addr), &wanted);
	if (err)
		return err;
	for (u64 addr = first; addr < last; addr += PAGE_SIZE)
		pages[(addr - first) >> PAGE_SHIFT] =
			addr == f->addr ? wanted
					: vm_object_page(f->vma->object,
							 fault_object_index(f->vma, addr), false);
	pgtable_lock(table);
	ok = fault_may_install(f, f->addr);
	for (u64 addr = first; ok && addr < last; addr += PAGE_SIZE) {
		void **page = &pages[(addr - first) >> PAGE_SHIFT];
		u64 *entry = fault_entry(table, addr);

		if (!*page || *entry || !fault_in_object(f->vma, fault_object_index(f->vma, addr)))
			continue;
		atomic_store_release(entry, pte_make(va_to_pa(*page), fault_bits(f, addr) & ~strip));
		*page = NULL;
		used++;
	}
	pgtable_unlock(table);
	if (used) {
		atomic_fetch_add_relaxed(&f->mm->resident_pages, (u64)used);
		atomic_fetch_add_relaxed(&f->mm->object_pages, (u64)used);
	}
	for (u64 i = 0; i < (last - first) >> PAGE_SHIFT; i++) {
		if (pages[i])
			page_put(pages[i]);
	}
	return ok ? 0 : FAULT_RETRY;
}

int fault_fill(struct fault *f, u64 *table)
{
	bool write = f->access == MM_WRITE;

	if (!f->vma->object)
		return write ? fault_anonymous(f, table) : fault_zero(f, table);
	if (write && !(f->vma->flags & VMA_SHARED))
		return fault_private_write(f, table);
	return fault_object(f, table);
}
