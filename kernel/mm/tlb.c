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
 * An idle hart, halted or polling, is left alone: it is marked, and flushes before it leaves idle.
 *	shootdown			idle
 *	tlb_stale = 1			state = KERNEL
 *	(C) full fence			fence in hart_enter_kernel()
 *	state still idle?		tlb_stale?
 * Except when page tables are to be freed: its table walker may stand on them.
 *
 * Harts that want to flush the same space at once take turns, because a fence makes every target stop and every sender wait. One
 * turn serves all who have asked before it began, and who waits for his turn is no target, whichever space he waits for: he flushes when his wait
 * is over.
 *	the one whose turn it is	waiting
 *	(A) full fence			tlb_waiting = 0
 *	tlb_waiting is 1: no fence	(G) full fence
 *					sfence.vma
 * (A) pairs with (G): either the sfence comes after the clearing of the entries, or a fence is sent.
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
static PERCPU(u32, tlb_waiting); /* [a] this hart waits in tlb_take_turn(), and flushes before it goes on */
static PERCPU(u64, asid); /* [c] last one given out */
static u64 asid_mask;	  /* [I] 0 if the harts have no such ids */

LOCK_CLASS(tlb_turn, RANK_TLB);

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

void tlb_init_mm(struct mm *mm)
{
	spin_init(&mm->flush.turn, &tlb_turn_class);
}

static bool tlb_hart_idle(u32 cpu)
{
	enum hart_state state = hart_state_of(cpu_of(cpu));

	return state == HART_HALTED || state == HART_POLL;
}

/* True if the hart is idle and will flush before it goes on. */
static bool tlb_mark_idle(u32 cpu)
{
	if (!tlb_hart_idle(cpu))
		return false;
	atomic_store_relaxed(cpu_ptr(tlb_stale, cpu), 1U);
	fence_full(); /* (C): pairs with the fence in hart_enter_kernel(), before mm_flush_stale_if_asked() */
	return tlb_hart_idle(cpu);
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

/* Other harts that need a fence now. */
static u64 tlb_targets(const struct mm *mm, bool tables)
{
	u64 targets = 0;

	fence_full(); /* (A): pairs with (B) in tlb_switch() and (G) in tlb_take_turn() */
	for (u32 cpu = 0; cpu < nr_cpus; cpu++) {
		if (atomic_load_relaxed(cpu_ptr(satp_mm, cpu)) != mm || cpu == cpu_id())
			continue;
		if (tables || !(atomic_load_relaxed(cpu_ptr(tlb_waiting, cpu)) || tlb_mark_idle(cpu)))
			targets |= BIT(cpu);
	}
	return targets;
}

static void tlb_send(const struct mm *mm, bool tables)
{
	u64 targets = tlb_targets(mm, tables);

	if (!targets)
		return;
	trace_tlb_flush(targets, mm->id, tables);
	sbi_remote_sfence(targets);
	trace_tlb_flushed(targets);
}

/* Others may be at it, too: see above. */
static __noinline void tlb_take_turn(struct mm *mm, bool tables)
{
	u64 ticket, asked;

	atomic_store_relaxed(this_cpu_ptr(tlb_waiting), 1U);
	/* A full barrier: who reads it sees the entries cleared. */
	ticket = atomic_fetch_add(&mm->flush.asked, 1UL) + 1;
	spin_lock(&mm->flush.turn);
	if (tables || mm->flush.served < ticket) {
		asked = atomic_load_acquire(&mm->flush.asked);
		tlb_send(mm, tables);
		mm->flush.served = asked;
	}
	spin_unlock(&mm->flush.turn);
	atomic_store_relaxed(this_cpu_ptr(tlb_waiting), 0U);
	fence_full(); /* (G): pairs with (A) in tlb_targets() */
	/* Whatever `mm` is: the space of this hart may have been flushed meanwhile. */
	sfence_vma_all();
}

void tlb_flush_mm(struct mm *mm, bool tables)
{
	if (tlb_targets(mm, tables))
		tlb_take_turn(mm, tables);
	else if (this_cpu(satp_mm) == mm)
		sfence_vma_all();
}
