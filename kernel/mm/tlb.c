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
 * A hart in the kernel is left alone, too, unless it follows a user address at that moment: HART_WORK_TLB makes it flush before
 * it goes to user mode or begins an access.
 *	shootdown			kernel
 *	work |= HART_WORK_TLB		state = USER, or user_access = 1
 *	(C) full fence			(B) of hart.h, or (D) in uaccess_begin()
 *	in the kernel, no access?	work has the bit?
 * Who cannot be left alone gets a fence and makes the sender wait, for long if the host has no core for it. Senders for the same
 * space take turns; one turn serves all who have asked before it began.
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

static bool tlb_hart_in_kernel(const struct cpu *cpu)
{
	return hart_state_of(cpu) == HART_KERNEL && !atomic_load_acquire(&cpu->user_access);
}

/* True if the hart is in the kernel and will flush before it uses a user address. */
static bool tlb_mark_kernel(u32 cpu)
{
	const struct cpu *target = cpu_of(cpu);

	if (!tlb_hart_in_kernel(target))
		return false;
	/* Who finds the bit set comes before the flush that answers it, as the hart takes its work by an exchange. */
	if (!(atomic_load_relaxed(&target->work) & HART_WORK_TLB))
		hart_kick(cpu, HART_WORK_TLB, false);
	fence_full(); /* (C): pairs with (B) in hart_leave_kernel(), (D) in uaccess_begin() */
	return tlb_hart_in_kernel(target);
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

void mm_flush_asked(void)
{
	atomic_fetch_and(&cpu_self()->work, ~HART_WORK_TLB);
	mm_flush_stale();
}

/* Other harts that need a fence now. */
static u64 tlb_targets(const struct mm *mm, bool tables)
{
	u64 targets = 0;

	fence_full(); /* (A): pairs with (B) in tlb_switch() */
	for (u32 cpu = 0; cpu < nr_cpus; cpu++) {
		if (atomic_load_relaxed(cpu_ptr(satp_mm, cpu)) != mm || cpu == cpu_id())
			continue;
		if (tables || !(tlb_mark_kernel(cpu) || tlb_mark_idle(cpu)))
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
	/* A full barrier: who reads it sees the entries cleared. */
	u64 ticket = atomic_fetch_add(&mm->flush.asked, 1UL) + 1, asked;

	spin_lock(&mm->flush.turn);
	if (tables || mm->flush.served < ticket) {
		asked = atomic_load_acquire(&mm->flush.asked);
		tlb_send(mm, tables);
		mm->flush.served = asked;
	}
	spin_unlock(&mm->flush.turn);
}

void tlb_flush_mm(struct mm *mm, bool tables)
{
	if (tlb_targets(mm, tables))
		tlb_take_turn(mm, tables);
	/* What others have asked of this hart meanwhile is done with it. */
	if (atomic_load_relaxed(&cpu_self()->work) & HART_WORK_TLB)
		mm_flush_asked();
	else if (this_cpu(satp_mm) == mm)
		sfence_vma_all();
}
