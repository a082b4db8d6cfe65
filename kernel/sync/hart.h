/*
 * Hart word and doorbells (design: "The core's rules"). cpu->state = sequence << 8 | enum
 * hart_state tells others what this hart does; cpu->work holds demands on it. Only the hart itself
 * writes its state; anybody sets bits in its work.
 *
 * A sender publishes its message, sets a work bit (full barrier (A)), reads the state:
 *   HART_KERNEL, HART_POLL   nothing more: the hart tests `work` on its way out, or polls it
 *   HART_HALTED              rings, unless a bit was set before: whoever set the first one has
 *                            rung, or the hart saw it
 *   HART_USER                rings only if the demand is urgent
 * The hart stores USER or HALTED, full fence (B), tests `work` before sret or wfi. (A) pairs with
 * (B), store buffering:
 *
 *	sender			hart			without (A) or (B)
 *	work |= bit		state = HALTED		both may read the old value: the sender
 *	(A)			(B)			sees KERNEL and does not ring, the hart sees
 *	read state		read work		no work and sleeps: a lost wake-up
 *
 * The sequence counts ways into the kernel and quiescent points inside it: the epochs (epoch.h)
 * read it as "has this hart passed a quiescent point". So a hart word has two readers, and entry
 * and exit pay for both with one store:
 *   enter  state = next sequence | KERNEL; full fence (C)
 *   leave  release fence (D); state = USER or HALTED; full fence (B); test work
 * entry.S does the same in assembly. Cost: 2 and 4 instructions beside the fences (1.6 ns each
 * under TCG).
 */
#ifndef KERNEL_SYNC_HART_H
#define KERNEL_SYNC_HART_H

#include "arch/riscv64/cpu.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/sync_ops.h"

enum hart_state { HART_OFFLINE, HART_KERNEL, HART_USER, HART_POLL, HART_HALTED };

#define HART_STATE_MASK 0xffUL
#define HART_SEQ_STEP	0x100UL

#define HART_WORK_INBOX	  BIT(0) /* scheduler inbox has woken threads */
#define HART_WORK_RESCHED BIT(1) /* pick another thread before user mode */
#define HART_WORK_CALL	  BIT(2) /* hart_call() message waits */
#define HART_WORK_TLB                                                                              \
	BIT(3) /* translations of user addresses may be stale: sfence before one is used */
#define HART_WORK_EPOCH                                                                            \
	BIT(4) /* a grace period waits for this hart, or its deferred frees are many: epoch_poll() */
#define HART_WORK_STOP BIT(5) /* panic: stop here */

/* All harts that were started. */
static inline u64 hart_all(void)
{
	return nr_cpus == 64 ? ~0UL : BIT(nr_cpus) - 1;
}

/* Filled by kernel/irq: raise an IPI on each hart in `mask` (bit = dense cpu id); `work`: why, for the trace. */
struct hart_ops {
	void (*ring)(u64 mask, u32 work);
};
extern struct hart_ops hart_ops;

/* Filled by kernel/sched: kernel_relax() for the layers below it. Called as hart_relax(). */
extern void (*relax_hook)(void);

static inline void hart_relax(void)
{
	if (relax_hook)
		relax_hook();
}

#ifdef KERNEL_DEBUG
/*
 * Stops the machine if this hart holds a spin lock or is inside an epoch section: it may not pass a
 * quiescent point.
 */
void hart_check_quiescent(void);
#else
static inline void hart_check_quiescent(void)
{
}
#endif

static inline enum hart_state hart_state_of(const struct cpu *cpu)
{
	return (enum hart_state)(atomic_load_relaxed(&cpu->state) & HART_STATE_MASK);
}

/* User mode, idle or boot -> kernel. From here on this hart is an epoch reader. */
static inline void hart_enter_kernel(void)
{
	struct cpu *cpu = cpu_self();

	atomic_store_relaxed(&cpu->state, (cpu->state | HART_STATE_MASK) + 1 + HART_KERNEL);
	fence_full(); /* (C): pairs with (E) in epoch_defer() and (F) in epoch_start() */
}

/*
 * Kernel -> `to` (USER, POLL, HALTED, OFFLINE). True if work waits: then the hart is back in the
 * kernel, and the caller does the work and tries again. False: the way is free. Context: no lock
 * held, a quiescent point.
 */
static inline bool hart_leave_kernel(enum hart_state to)
{
	struct cpu *cpu = cpu_self();

	hart_check_quiescent();
	/* (D), the release: pairs with the acquiring load in epoch_scan(). */
	atomic_store_release(&cpu->state, (cpu->state & ~HART_STATE_MASK) | to);
	fence_full(); /* (B): pairs with (A) in hart_kick() */
	if (likely(!atomic_load_relaxed(&cpu->work)))
		return false;
	hart_enter_kernel();
	return true;
}

/*
 * Takes all demands; the caller answers each. A message whose bit is returned is visible (acquire,
 * by the exchange).
 */
static inline u32 hart_take_work(void)
{
	struct cpu *cpu = cpu_self();

	if (!atomic_load_relaxed(&cpu->work))
		return 0;
	return atomic_xchg(&cpu->work, 0);
}

/* Sets `work` on hart `cpu` and rings if its state asks for it. Context: any. */
void hart_kick(u32 cpu, u32 work, bool urgent);
/* As hart_kick for many harts, one batched ring. */
void hart_kick_mask(u64 mask, u32 work, bool urgent);

#endif
