/*
 * Leaves of 2 MiB. Private anonymous memory whose mapping holds a whole aligned block of 2 MiB gets
 * it at the first touch, zeroed, as one entry of a middle table; the lock of that table stands for
 * the leaf lock.
 *
 * The 512 frames are counted one by one from the start, and the leaf table that a split will need is
 * made with them. So a split (a part unmapped, protected, forked, moved) copies nothing, frees
 * nothing and cannot fail: the leaf table is filled and takes the entry's place. Both say the same,
 * so no hart need be flushed.
 *
 * Install against a layout change, as with small pages: the mapping is detached, then the lock of
 * the middle table is taken to look at the entry (pgtable_next_entry); huge_install() tests detached
 * under it.
 */
#include "abi/errno.h"
#include "arch/riscv64/csr.h"
#include "kernel/mm/space.h"

#define HUGE_ORDER 9U
#define HUGE_PAGES (1UL << HUGE_ORDER)

u64 mm_huge_policy = MM_HUGE_ALWAYS;

/* Where the table for a split waits: in the first frame's structure. */
static u64 **huge_deposit(void *block)
{
	return (u64 **)&page_of(block)->owner;
}

static void *huge_alloc(void)
{
	void *block = page_plentiful() ? page_alloc(HUGE_ORDER, PAGE_ZERO | PAGE_PROGRAM) : NULL;
	u64 *table = block ? pgtable_alloc(0) : NULL;

	if (!table) {
		if (block)
			page_free(block, HUGE_ORDER);
		return NULL;
	}
	*huge_deposit(block) = table;
	for (u64 i = 0; i < HUGE_PAGES; i++) {
		void *frame = (char *)block + i * PAGE_SIZE;

		page_of(frame)->refs = 1;
		page_set_kind(frame, PAGE_KIND_ANONYMOUS);
	}
	return block;
}

/* A frame that somebody else holds just now (a copy from outside) is left to him. */
static bool huge_is_whole(void *block)
{
	for (u64 i = 0; i < HUGE_PAGES; i++) {
		if (atomic_load_acquire(&page_of((char *)block + i * PAGE_SIZE)->refs) != 1)
			return false;
	}
	return true;
}

void huge_put(void *block)
{
	bool whole = huge_is_whole(block);

	pgtable_free(*huge_deposit(block));
	for (u64 i = 0; i < HUGE_PAGES; i++) {
		void *frame = (char *)block + i * PAGE_SIZE;

		if (whole)
			page_set_kind(frame, PAGE_KIND_NONE);
		else
			page_put(frame);
	}
	if (whole)
		page_free(block, HUGE_ORDER);
}

/*
 * First half of a block's end that others are to notice: the entry is ours as long as it is busy. False: it is another
 * one by now, or `vma` (NULL: none) is being changed.
 */
static bool huge_seize_zeroes(struct mm *mm, const struct vma *vma, u64 *middle, u64 *entry, u64 *busy)
{
	u64 pte = 0;

	pgtable_lock(middle);
	if (pte_is_huge(*entry) && pte_is_zero(*entry) &&
	    !(vma && atomic_load_relaxed(&vma->detached))) {
		*busy = (*entry & PTE_PPN_MASK) | PTE_BUSY;
		pte = atomic_xchg(entry, *busy);
	}
	pgtable_unlock(middle);
	if (pte && pte_may_be_cached(pte))
		tlb_flush_mm(mm, false);
	return pte;
}

static void huge_drop_zeroes(struct mm *mm, u64 *middle, u64 *entry)
{
	u64 busy;

	if (huge_seize_zeroes(mm, NULL, middle, entry, &busy))
		atomic_store_release(entry, 0UL);
}

u64 *huge_split(struct mm *mm, u64 *middle, u64 *entry)
{
	u64 *table = NULL;
	u64 pte;

	huge_drop_zeroes(mm, middle, entry);
	pgtable_lock(middle);
	pte = *entry;
	/* Zeroes may have been read again since: the caller tries again. */
	if (pte_is_huge(pte) && !pte_is_zero(pte)) {
		table = *huge_deposit(pa_to_va(pte_pa(pte)));
		for (u64 i = 0; i < PGTABLE_ENTRIES; i++)
			table[i] = pte_make(pte_pa(pte) + i * PAGE_SIZE,
					    pte_touched(pte) & ~PTE_PPN_MASK);
		/* Release: the entries are visible before the table. */
		atomic_store_release(entry, pte_make(va_to_pa(table), PTE_V));
		atomic_fetch_add_relaxed(&mm->nr_tables, 1U);
		mm_count(MM_HUGE, -1UL);
	}
	pgtable_unlock(middle);
	return table;
}

u64 huge_take(u64 *middle, u64 *entry)
{
	u64 pte = 0;

	pgtable_lock(middle);
	if (pte_is_huge(*entry)) {
		pte = pgtable_take(entry);
		if (!pte_is_zero(pte))
			mm_count(MM_HUGE, -1UL);
	}
	pgtable_unlock(middle);
	return pte;
}

/* As the policy and the program's advice have it. */
static bool huge_wanted(const struct vma *vma)
{
	u64 policy = atomic_load_relaxed(&mm_huge_policy);

	if (vma->flags & (VMA_NOHUGE | VMA_GROWSDOWN) || policy == MM_HUGE_NEVER)
		return false;
	return policy == MM_HUGE_ALWAYS || vma->flags & VMA_HUGE;
}

static bool huge_fits(const struct vma *vma, u64 addr)
{
	u64 start = ALIGN_DOWN(addr, PGTABLE_SPAN(1));

	return start >= vma->start && vma->end - start >= PGTABLE_SPAN(1) && start < vma->end;
}

/*
 * Where the entry is `old`: 0, or busy and ours. False: the mapping is being changed. What another hart put there first
 * is as good.
 */
static bool huge_install(const struct vma *vma, u64 *middle, u64 *entry, u64 old, u64 pte)
{
	bool ok, installed = false;

	pgtable_lock(middle);
	ok = !atomic_load_relaxed(&vma->detached);
	/* A full barrier: the zeroes are visible before the entry. */
	if (ok)
		installed = atomic_cas(entry, old, pte);
	else if (old)
		atomic_store_release(entry, 0UL);
	pgtable_unlock(middle);
	if (pte_is_zero(pte))
		return ok;
	if (installed) {
		atomic_fetch_add_relaxed(&vma->mm->resident_pages, HUGE_PAGES);
		mm_count(MM_HUGE, 1);
	} else {
		huge_put(pa_to_va(pte_pa(pte)));
	}
	return ok;
}

/* The first read: shared zeroes. */
static enum huge_result huge_fault_zero(const struct vma *vma, u64 *middle, u64 *entry, u64 bits)
{
	u64 pa = zero_block();

	if (!pa)
		return HUGE_NO;
	return huge_install(vma, middle, entry, 0, pte_make(pa, bits & ~PTE_W)) ? HUGE_DONE
										: HUGE_RETRY;
}

/* The first write, where `old` is 0, or the entry of shared zeroes. */
static enum huge_result huge_fault_write(const struct vma *vma, u64 *middle, u64 *entry, u64 old,
					 u64 bits)
{
	void *block = huge_alloc();
	u64 busy = 0;

	if (!block)
		return HUGE_NO;
	if (old && !huge_seize_zeroes(vma->mm, vma, middle, entry, &busy)) {
		huge_put(block);
		return HUGE_RETRY;
	}
	return huge_install(vma, middle, entry, busy, pte_make(va_to_pa(block), bits)) ? HUGE_DONE
										       : HUGE_RETRY;
}

enum huge_result huge_fault(const struct vma *vma, u64 addr, u64 need, bool touched)
{
	u64 *middle, *entry, pte, bits;
	bool zero;

	if (!huge_fits(vma, addr))
		return HUGE_NO;
	middle = pgtable_middle(vma->mm, addr, true);
	if (!middle)
		return HUGE_NO;
	entry = &middle[pgtable_index(addr, 1)];
	pte = atomic_load_acquire(entry);
	if (pte_is_huge(pte) && pte & need) {
		/* Another hart was first, or our translation is older than the entry. */
		sfence_vma_page(addr);
		return HUGE_DONE;
	}
	zero = pte_is_huge(pte) && pte_is_zero(pte);
	if ((pte && !(zero && need == PTE_W)) || !huge_wanted(vma))
		return HUGE_NO;
	bits = touched ? pgtable_bits(vma) : pgtable_bits_untouched(vma);
	return need == PTE_W ? huge_fault_write(vma, middle, entry, pte, bits)
			     : huge_fault_zero(vma, middle, entry, bits);
}
