/*
 * Page tables. A table is a page whose struct page holds the lock of its entries. Middle entries go
 * from 0 to a table by CAS, and back only when a range without mappings is freed, under mm->lock;
 * from 0 to a block of 2 MiB and back, and from a block to a table, under the middle table's lock
 * (huge.c).
 *
 * Tables of a range are kept when it is unmapped, for the next mapping there, unless the space has
 * many, or the range had room for blocks, as then the next mapping may; a faulting hart may stand on a table that is being freed: it holds an epoch, takes the
 * lock, finds the mapping detached and leaves.
 */
#include "kernel/log/log.h"
#include "kernel/mm/space.h"

#include <string.h>

#define KSTACK_ROOT_ENTRIES 4	/* GiB of kernel stacks: 128 Ki of them */
#define TABLES_KEPT	    128 /* tables that a space keeps for reuse: 512 KiB */

LOCK_CLASS(page_table, RANK_PTE);

u64 *kernel_root;
static bool harts_set_accessed; /* [I] */

/* Linker script. */
extern char __kernel_start[], __text_start[], __text_end[], __rodata_start[], __rodata_end[],
	__data_start[];

void mm_harts_set_accessed(void)
{
	harts_set_accessed = true;
}

u64 *pgtable_alloc(u32 flags)
{
	u64 *table = page_alloc(0, PAGE_ZERO | flags);

	if (table) {
		spin_init(&page_of(table)->table_lock, &page_table_class);
		mm_count(MM_PAGE_TABLE, 1);
	}
	return table;
}

void pgtable_free(u64 *table)
{
	mm_count(MM_PAGE_TABLE, -1UL);
	page_free(table, 0);
}

/* NULL: absent, or a block. */
static u64 *pgtable_child(u64 pte)
{
	return pte & PTE_V && !pte_is_leaf(pte) ? pa_to_va(pte_pa(pte)) : NULL;
}

/* The table below `entry`, made if absent. Two may try: the loser takes the winner's. */
static u64 *pgtable_make(struct mm *mm, u64 *entry)
{
	u64 *table = pgtable_alloc(0);

	if (!table)
		return NULL;
	/* A full barrier: the zeroed table is visible before the entry. */
	if (!atomic_cas(entry, 0UL, pte_make(va_to_pa(table), PTE_V))) {
		pgtable_free(table);
		return pgtable_child(atomic_load_acquire(entry));
	}
	atomic_fetch_add_relaxed(&mm->nr_tables, 1U);
	return table;
}

u64 *pgtable_middle(struct mm *mm, u64 addr, bool create)
{
	u64 *entry = &mm->root[pgtable_index(addr, PGTABLE_ROOT_LEVEL)];
	u64 *table = pgtable_child(atomic_load_acquire(entry));

	return table || !create ? table : pgtable_make(mm, entry);
}

u64 *pgtable_leaf(struct mm *mm, u64 addr, bool create)
{
	u64 *middle = pgtable_middle(mm, addr, create), *entry, *table;
	u64 pte;

	if (!middle)
		return NULL;
	entry = &middle[pgtable_index(addr, 1)];
	/* Again when a block came or went just now. */
	for (;;) {
		pte = atomic_load_acquire(entry);
		if (pgtable_child(pte))
			return pgtable_child(pte);
		if (!pte && !create)
			return NULL;
		table = pte ? huge_split(mm, middle, entry) : pgtable_make(mm, entry);
		if (table || (!pte && !atomic_load_relaxed(entry)))
			return table;
	}
}

bool pgtable_find(struct mm *mm, u64 addr, struct pgtable_at *at)
{
	u64 *middle = pgtable_middle(mm, addr, false), pte;

	if (!middle)
		return false;
	*at = (struct pgtable_at){middle, &middle[pgtable_index(addr, 1)], PGTABLE_SPAN(1)};
	pte = atomic_load_acquire(at->entry);
	if (pgtable_child(pte)) {
		at->table = pgtable_child(pte);
		at->entry = &at->table[pgtable_index(addr, 0)];
		at->span = PAGE_SIZE;
	}
	return pte;
}

void *pgtable_frame(const struct pgtable_at *at, u64 pte, u64 addr)
{
	return pa_to_va(pte_pa(pte) + (addr & (at->span - 1) & ~(PAGE_SIZE - 1)));
}

void pgtable_lock(u64 *table)
{
	spin_lock(&page_of(table)->table_lock);
}

void pgtable_unlock(u64 *table)
{
	spin_unlock(&page_of(table)->table_lock);
}

/* Writable implies readable; without any right the entry is not present. */
u64 pgtable_bits(const struct vma *vma)
{
	u64 bits = 0;

	if (vma->prot & PROT_READ)
		bits |= PTE_R;
	if (vma->prot & PROT_WRITE)
		bits |= PTE_R | PTE_W;
	if (vma->prot & PROT_EXEC)
		bits |= PTE_X;
	return bits ? bits | PTE_V | PTE_U | PTE_A | PTE_D : 0;
}

u64 pgtable_bits_untouched(const struct vma *vma)
{
	return harts_set_accessed ? pgtable_bits(vma) & ~PTE_A : pgtable_bits(vma);
}

u64 pgtable_take(u64 *entry)
{
	u64 pte = atomic_load_relaxed(entry);

	if (!pte_may_be_cached(pte))
		return atomic_xchg(entry, 0UL);
	atomic_store_relaxed(entry, 0UL);
	return pte;
}

static void pgtable_expired(struct epoch_node *node)
{
	pgtable_free(page_address(container_of(node, struct page, epoch)));
}

/*
 * Under the lock: whoever installs a block after this, under the lock too, sees what the caller has
 * stored before.
 */
static u64 pgtable_load_middle(u64 *middle, const u64 *entry)
{
	u64 pte;

	pgtable_lock(middle);
	pte = atomic_load_acquire(entry);
	pgtable_unlock(middle);
	return pte;
}

u64 *pgtable_next_entry(struct mm *mm, u64 *addr, u64 end, u64 **middle)
{
	while (*addr < end) {
		u64 *entry;

		*middle = pgtable_middle(mm, *addr, false);
		if (!*middle) {
			*addr = ALIGN_DOWN(*addr, PGTABLE_SPAN(2)) + PGTABLE_SPAN(2);
			continue;
		}
		entry = &(*middle)[pgtable_index(*addr, 1)];
		if (pgtable_load_middle(*middle, entry))
			return entry;
		*addr = ALIGN_DOWN(*addr, PGTABLE_SPAN(1)) + PGTABLE_SPAN(1);
	}
	return NULL;
}

u64 *pgtable_next_leaf(struct mm *mm, u64 *addr, u64 end)
{
	u64 *middle, *table = NULL;

	while (!table && pgtable_next_entry(mm, addr, end, &middle))
		table = pgtable_leaf(mm, *addr, false);
	return table;
}

bool pgtable_many(const struct mm *mm)
{
	return atomic_load_relaxed(&mm->nr_tables) > TABLES_KEPT;
}

void pgtable_free_range(struct mm *mm, u64 start, u64 end)
{
	struct epoch_node *chain = NULL;
	u64 *entry, *middle;

	while ((entry = pgtable_next_entry(mm, &start, end, &middle))) {
		struct epoch_node *node = &page_of(pgtable_child(*entry))->epoch;

		atomic_store_relaxed(entry, 0UL);
		node->next = chain;
		chain = node;
		atomic_fetch_add_relaxed(&mm->nr_tables, -1U);
		start += PGTABLE_SPAN(1);
	}
	if (!chain)
		return;
	tlb_flush_mm(mm, true);
	while (chain) {
		struct epoch_node *next = chain->next;

		epoch_defer(chain, pgtable_expired);
		chain = next;
	}
}

int pgtable_create_root(struct mm *mm)
{
	mm->root = pgtable_alloc(0);
	if (!mm->root)
		return -1;
	memcpy(&mm->root[PGTABLE_KERNEL_HALF], &kernel_root[PGTABLE_KERNEL_HALF],
	       PGTABLE_KERNEL_HALF * sizeof(u64));
	return 0;
}

void pgtable_free_all(struct mm *mm)
{
	for (u32 i = 0; i < PGTABLE_KERNEL_HALF; i++) {
		u64 *middle = pgtable_child(mm->root[i]);

		for (u32 k = 0; middle && k < PGTABLE_ENTRIES; k++) {
			u64 *leaf = pgtable_child(middle[k]);

			if (leaf)
				pgtable_free(leaf);
		}
		if (middle)
			pgtable_free(middle);
	}
	pgtable_free(mm->root);
}

/* Rights of the 2 MiB at `va` in the kernel's own GiB: nothing is both writable and executable. */
static u64 kernel_block_bits(const char *va)
{
	if (va >= __text_start && va < __text_end)
		return PTE_KERNEL_RX;
	if (va >= __rodata_start && va < __rodata_end)
		return PTE_KERNEL_RO;
	return PTE_KERNEL_RW;
}

/*
 * All physical memory that the direct map can name, devices too, in 1 GiB leaves; the GiB with the
 * kernel in 2 MiB leaves. The tables of the kernel stacks' region and of the text's alias, still empty,
 * are made now, so that every root can share them.
 */
void pgtable_kernel_init(void)
{
	u64 kernel_gib = ALIGN_DOWN((u64)__kernel_start, PGTABLE_SPAN(2));
	u64 *blocks = pgtable_alloc(PAGE_RESERVE), *alias = pgtable_alloc(PAGE_RESERVE);

	kernel_root = pgtable_alloc(PAGE_RESERVE);
	BUG_ON(!kernel_root || !blocks || !alias);
	BUG_ON(!IS_ALIGNED((u64)__rodata_start | (u64)__data_start, PGTABLE_SPAN(1)));
	for (u64 va = DIRECT_MAP_BASE; va < KSTACK_REGION; va += PGTABLE_SPAN(2))
		kernel_root[pgtable_index(va, 2)] = pte_make(va_to_pa(va), PTE_KERNEL_RW);
	for (u32 i = 0; i < PGTABLE_ENTRIES; i++) {
		u64 va = kernel_gib + i * PGTABLE_SPAN(1);

		blocks[i] = pte_make(va_to_pa(va), kernel_block_bits((char *)va));
	}
	kernel_root[pgtable_index(kernel_gib, 2)] = pte_make(va_to_pa(blocks), PTE_V);
	kernel_root[pgtable_index(TEXT_ALIAS, 2)] = pte_make(va_to_pa(alias), PTE_V);
	for (u32 i = 0; i < KSTACK_ROOT_ENTRIES; i++) {
		u64 *table = pgtable_alloc(PAGE_RESERVE);

		BUG_ON(!table);
		kernel_root[pgtable_index(KSTACK_REGION, 2) + i] = pte_make(va_to_pa(table), PTE_V);
	}
}
