/*
 * Epochs: safe memory reclamation. A hart reads under the epoch whenever it is in the kernel; it is
 * quiescent in user mode, in idle, at a context switch and at kernel_relax(). So a read section
 * costs nothing: epoch_enter/exit only mark it for debug builds, which assert that nothing inside
 * blocks, faults or relaxes.
 *
 * What a reader may rely on: an object found in a published structure is not freed before this
 * hart's next quiescent point. What an updater must do: unpublish the object, then epoch_defer()
 * its memory. Only memory is deferred, never the side effects of a release. The engine and its
 * proof are in epoch.c.
 */
#ifndef KERNEL_SYNC_EPOCH_H
#define KERNEL_SYNC_EPOCH_H

#include "arch/riscv64/cpu.h"
#include "kernel/sync/hart.h"
#include "lib/types.h"

struct epoch_node {
	struct epoch_node *next;
	void (*fn)(struct epoch_node *node); /* after a grace period; only frees memory */
};

#ifdef KERNEL_DEBUG
/*
 * Sections nest. Context: any kernel context; nothing inside blocks, relaxes or touches user
 * memory.
 */
void epoch_enter(void);
void epoch_exit(void);
u32 epoch_depth(void); /* sections this hart is inside */
#else
static inline void epoch_enter(void)
{
}
static inline void epoch_exit(void)
{
}
static inline u32 epoch_depth(void)
{
	return 0;
}
#endif

/*
 * Calls fn(node) after a grace period, from some later epoch_poll() of this hart. Context: any,
 * locks may be held.
 */
void epoch_defer(struct epoch_node *node, void (*fn)(struct epoch_node *));

/*
 * Waits until everything deferred before the call, on every hart, has run. Context: may sleep, no
 * epoch section.
 */
void epoch_barrier(void);

/*
 * Frees what is due on this hart and moves the grace period on. Answers HART_WORK_EPOCH; also
 * called by idle before it halts and by the tick. Context: a quiescent point in the kernel, no lock
 * held.
 */
void epoch_poll(void);

/*
 * Deferred frees wait on this hart: idle must not WFI without a timer (about 10 ms). Context: owner
 * hart.
 */
bool epoch_hart_pending(void);

/*
 * A quiescent point inside the kernel: context switch, kernel_relax. What was read under the epoch
 * before is invalid after. Never runs a deferred function. Context: no epoch section; the run-queue
 * lock may be held.
 */
static inline void epoch_quiesce(void)
{
	struct cpu *cpu = cpu_self();

	SYNC_ASSERT(epoch_depth() == 0);
	/* (D), the release: pairs with the acquiring load in epoch_scan(). */
	atomic_store_release(&cpu->state, cpu->state + HART_SEQ_STEP);
	fence_full(); /* (C): pairs with (E) in epoch_defer() and (F) in epoch_start() */
}

#endif
