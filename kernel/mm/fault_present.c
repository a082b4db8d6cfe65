/*
 * Faults on entries that are there but do not allow the access.
 *
 * Replacing a private page by a copy while other threads run takes two steps: the entry is made
 * PTE_BUSY, and all harts flushed; then the copy goes in. Without the step between, one thread
 * could write the copy while another still read the old page.
 */
#include "abi/errno.h"
#include "arch/riscv64/csr.h"
#include "kernel/mm/fault.h"

/* Makes the shared zeroes among the `count` entries from f->addr on busy. False: the mapping is being changed. */
static bool fault_seize_zeroes(struct fault *f, u64 *table, u32 count, u64 busy, bool *cached)
{
	bool ok;

	pgtable_lock(table);
	ok = fault_may_install(f, f->addr);
	for (u32 i = 0; ok && i < count; i++) {
		u64 *entry = fault_entry(table, f->addr) + i;

		if (!pte_is_zero(*entry) || *entry & PTE_BUSY)
			continue;
		*cached |= pte_may_be_cached(atomic_xchg(entry, busy));
	}
	pgtable_unlock(table);
	return ok;
}

/* The first write, here and ahead, where shared zeroes have been read. */
static int fault_unzero(struct fault *f, u64 *table)
{
	u64 busy = pte_make(zero_page_pa, PTE_BUSY);
	u32 count = fault_ahead(f, table);
	void *pages[FAULT_AHEAD_MAX];
	bool cached = false, ok;

	count = page_alloc_batch(pages, count, PAGE_ZERO | PAGE_PROGRAM);
	if (!count)
		return -ENOMEM;
	ok = fault_seize_zeroes(f, table, count, busy, &cached);
	if (cached)
		tlb_flush_mm(f->mm, false);
	if (ok)
		return fault_install_fresh(f, table, pages, count, busy);
	for (u32 i = 0; i < count; i++)
		page_free(pages[i], 0);
	return FAULT_RETRY;
}

/* Second half of a copy: the entry is ours as long as it holds `busy`. */
static int fault_finish_copy(struct fault *f, u64 *table, u64 busy, void *copy)
{
	u64 *entry = fault_entry(table, f->addr);
	void *drop = copy;
	bool ok;

	page_set_kind(copy, PAGE_KIND_ANONYMOUS);
	pgtable_lock(table);
	ok = *entry == busy;
	if (ok && fault_may_install(f, f->addr)) {
		atomic_store_release(entry, pte_make(va_to_pa(copy), pgtable_bits(f->vma)));
		drop = pa_to_va(pte_pa(busy));
	} else if (ok) {
		/*
		 * Without rights: the next fault gives it those of the mapping that is there then.
		 */
		atomic_store_relaxed(entry, busy & PTE_PPN_MASK);
	}
	pgtable_unlock(table);
	if (drop != copy && page_of(drop)->kind == PAGE_KIND_OBJECT)
		atomic_fetch_add_relaxed(&f->mm->object_pages, -1UL);
	page_put(drop);
	return 0;
}

static int fault_copy(struct fault *f, u64 *table, u64 pte)
{
	u64 busy = (pte & PTE_PPN_MASK) | PTE_BUSY;
	void *copy = page_alloc(0, PAGE_PROGRAM);
	u64 *entry = fault_entry(table, f->addr);
	bool ours;

	if (!copy)
		return -ENOMEM;
	pgtable_lock(table);
	ours = *entry == pte && fault_may_install(f, f->addr);
	if (ours)
		atomic_store_relaxed(entry, busy);
	pgtable_unlock(table);
	if (!ours) {
		page_free(copy, 0);
		return 0;
	}
	tlb_flush_mm(f->mm, false);
	page_copy(copy, pa_to_va(pte_pa(pte)));
	return fault_finish_copy(f, table, busy, copy);
}

int fault_present(struct fault *f, u64 *table)
{
	u64 *entry = fault_entry(table, f->addr);
	u64 bits = pgtable_bits(f->vma), pte;
	bool ok, copy = false;

	pgtable_lock(table);
	pte = *entry;
	ok = fault_may_install(f, f->addr);
	if (ok && pte && !(pte & PTE_BUSY) && !fault_satisfied(pte, f->access)) {
		struct page *page = page_of(pa_to_va(pte_pa(pte)));

		if (!(f->vma->flags & VMA_SHARED) && atomic_load_acquire(&page->refs) != 1) {
			copy = f->access == MM_WRITE;
			bits &= ~PTE_W;
		}
		if (!copy)
			atomic_store_relaxed(entry, (pte & PTE_PPN_MASK) | bits);
	}
	pgtable_unlock(table);
	if (!ok)
		return FAULT_RETRY;
	if (copy)
		return pte_is_zero(pte) ? fault_unzero(f, table) : fault_copy(f, table, pte);
	/* Another hart was first, or our translation is older than the entry. */
	sfence_vma_page(f->addr);
	return 0;
}
