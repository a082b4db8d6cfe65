/*
 * Translation caches. Each hart publishes the space that its satp names (satp_mm); a shootdown
 * looks at all of them and sends one SBI fence for those that need it, served in machine mode
 * whatever the target does.
 *
 *	shootdown			mm_switch on another hart
 *	clear the entries		satp_mm = mm
 *	(A) full fence			(B) full fence
 *	read satp_mm			write satp, walk the tables
 * (A) pairs with (B), store buffering: either the fence is sent, or the walks see the cleared
 * entries.
 *
 * A halted hart is not woken: it is marked, and flushes before it leaves idle.
 *	shootdown			idle
 *	tlb_stale = 1			state = KERNEL
 *	(C) full fence			fence in hart_enter_kernel()
 *	state still HALTED?		tlb_stale?
 * Except when page tables are to be freed: its table walker may stand on them.
 *
 * Stale entries of a space that a hart has left are never used: each switch takes a fresh
 * address-space id of this hart, and when they are used up, one flush starts over. QEMU drops its
 * whole cache at each satp write anyway, which is why satp is written only when the space really
 * changes, and kernel threads borrow the one that is there.
 */
#include "arch/riscv64/csr.h"
#include "arch/riscv64/sbi.h"
#include "kernel/mm/space.h"
#include "kernel/sync/hart.h"
#include "kernel/sync/percpu.h"
#include "kernel/trace/trace.h"

PERCPU(struct mm *, satp_mm);
static PERCPU(u32, tlb_stale); /* [a] flush before leaving idle */
static PERCPU(u64, asid);      /* [c] last one given out */
static u64 asid_mask;	       /* [I] 0 if the harts have no such ids */

static void tlb_load_root(const u64 *root)
{
	u64 *last = this_cpu_ptr(asid);

	*last = (*last + 1) & asid_mask;
	csr_write(satp, satp_make(va_to_pa(root), *last));
	if (*last == 0)
		sfence_vma_all();
}

/* Also finds out how many id bits there are: those that do not exist read back as zero. */
void tlb_init(void)
{
	csr_write(satp, satp_make(va_to_pa(kernel_root), SATP_ASID_MASK));
	asid_mask = csr_read(satp) >> SATP_ASID_SHIFT & SATP_ASID_MASK;
	mm_hart_init();
}

void mm_hart_init(void)
{
	csr_write(satp, satp_make(va_to_pa(kernel_root), 0));
	sfence_vma_all();
}

static void tlb_switch(struct mm *mm, const u64 *root)
{
	atomic_store_relaxed(this_cpu_ptr(satp_mm), mm);
	fence_full(); /* (B): pairs with (A) in tlb_flush_mm() */
	tlb_load_root(root);
}

void mm_load(struct mm *mm)
{
	tlb_switch(mm, mm->root);
}

struct mm *mm_current(void)
{
	return this_cpu(satp_mm);
}

void tlb_leave(const struct mm *mm)
{
	if (this_cpu(satp_mm) == mm)
		tlb_switch(NULL, kernel_root);
}

bool tlb_mm_in_use(const struct mm *mm)
{
	for (u32 cpu = 0; cpu < nr_cpus; cpu++) {
		if (atomic_load_acquire(cpu_ptr(satp_mm, cpu)) == mm)
			return true;
	}
	return false;
}

/* True if the hart is halted and will flush before it goes on. */
static bool tlb_mark_halted(u32 cpu)
{
	if (hart_state_of(cpu_of(cpu)) != HART_HALTED)
		return false;
	atomic_store_relaxed(cpu_ptr(tlb_stale, cpu), 1U);
	fence_full(); /* (C): pairs with the fence in hart_enter_kernel(), before mm_flush_stale_if_asked() */
	return hart_state_of(cpu_of(cpu)) == HART_HALTED;
}

void mm_flush_stale(void)
{
	atomic_store_relaxed(this_cpu_ptr(tlb_stale), 0U);
	fence_full();
	sfence_vma_all();
}

void mm_flush_stale_if_asked(void)
{
	if (atomic_load_relaxed(this_cpu_ptr(tlb_stale)))
		mm_flush_stale();
}

void tlb_flush_mm(struct mm *mm, bool tables)
{
	u64 remote = 0;

	fence_full(); /* (A): pairs with (B) in tlb_switch() */
	for (u32 cpu = 0; cpu < nr_cpus; cpu++) {
		if (atomic_load_relaxed(cpu_ptr(satp_mm, cpu)) != mm || cpu == cpu_id())
			continue;
		if (tables || !tlb_mark_halted(cpu))
			remote |= BIT(cpu);
	}
	if (this_cpu(satp_mm) == mm)
		sfence_vma_all();
	if (remote) {
		trace_tlb_flush(remote, mm->id, tables);
		sbi_remote_sfence(remote);
		trace_tlb_flushed(remote);
	}
}
