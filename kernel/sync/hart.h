/*
 * Hart word and doorbells (design: "The core's rules"). cpu->state tells others what this hart does; cpu->work holds
 * demands on it. A sender publishes its message, sets a work bit, full fence (A), reads the state:
 *   HART_KERNEL, HART_POLL   nothing more: the hart tests `work` on its way out
 *   HART_HALTED              rings the doorbell
 *   HART_USER                rings only if the demand is urgent
 * The hart stores USER or HALTED, full fence (B), tests `work` again before sret or wfi. (A) pairs with (B): store
 * buffering, one of the two sees the other.
 */
#ifndef KERNEL_SYNC_HART_H
#define KERNEL_SYNC_HART_H

#include "arch/riscv64/cpu.h"

enum hart_state { HART_OFFLINE, HART_KERNEL, HART_USER, HART_POLL, HART_HALTED };

#define HART_WORK_INBOX	  BIT(0) /* scheduler inbox has woken threads */
#define HART_WORK_RESCHED BIT(1) /* pick another thread before user mode */
#define HART_WORK_CALL	  BIT(2) /* hart_call() message waits */
#define HART_WORK_TLB	  BIT(3) /* translations may be stale: sfence before user mode */
#define HART_WORK_EPOCH	  BIT(4) /* a grace period waits for a quiescent point */
#define HART_WORK_STOP	  BIT(5) /* panic: stop here */
#define HART_WORK_TIMER	  BIT(6) /* timer interrupt seen, queue not yet run */

/* Filled by kernel/irq: raise an IPI on each hart in `mask` (bit = dense cpu id). */
struct hart_ops {
	void (*ring)(u64 mask);
};
extern struct hart_ops hart_ops;

/* Sets `work` on hart `cpu` and rings if its state asks for it. Context: any. */
void hart_kick(u32 cpu, u32 work, bool urgent);
/* As hart_kick for many harts, one batched ring. */
void hart_kick_mask(u64 mask, u32 work, bool urgent);

#endif
