/*
 * Zeroes that everybody shares: anonymous memory that was only read so far is mapped to one frame, or to one block of
 * 2 MiB where a block would be. The block is made when it is first wanted, and stays.
 *
 * Invariant: no entry with them may write, and none counts: not as a reference to the frame, not as resident. A write
 * takes the entry away, flushes, and puts fresh memory in its place (fault_present.c, huge.c); between these steps the entry is
 * PTE_BUSY, as otherwise one thread could write there while another still read the zeroes.
 */
#include "kernel/log/log.h"
#include "kernel/mm/space.h"

#define ZERO_BLOCK_ORDER 9U

u64 zero_page_pa;
u64 zero_block_pa;

/* One reference is nobody's: so there is always another holder, for whom a page is not to be changed. */
static void zero_pin(void *va, u64 pages)
{
	for (u64 i = 0; i < pages; i++)
		page_of((char *)va + i * PAGE_SIZE)->refs = 2;
}

void zero_init(void)
{
	void *page = page_alloc(0, PAGE_ZERO | PAGE_RESERVE);

	BUG_ON(!page);
	zero_pin(page, 1);
	zero_page_pa = va_to_pa(page);
}

u64 zero_block(void)
{
	u64 pa = atomic_load_acquire(&zero_block_pa);
	void *block;

	if (pa || !page_plentiful())
		return pa;
	block = page_alloc(ZERO_BLOCK_ORDER, PAGE_ZERO | PAGE_PROGRAM);
	if (!block)
		return 0;
	zero_pin(block, 1UL << ZERO_BLOCK_ORDER);
	/* A full barrier: the zeroes and the references are visible before the address. */
	if (atomic_cas(&zero_block_pa, 0UL, va_to_pa(block)))
		return va_to_pa(block);
	page_of(block)->refs = 1;
	page_free(block, ZERO_BLOCK_ORDER);
	return atomic_load_acquire(&zero_block_pa);
}
