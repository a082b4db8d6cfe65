/*
 * Epochs: safe memory reclamation. A hart reads under the epoch whenever it is in the kernel; it is quiescent in user mode, in
 * idle, at a context switch and at kernel_relax(). So a read section costs nothing: epoch_enter/exit only mark it for debug builds,
 * which assert that nothing inside blocks, faults or relaxes.
 */
#ifndef KERNEL_SYNC_EPOCH_H
#define KERNEL_SYNC_EPOCH_H

#include "lib/types.h"

struct epoch_node {
	struct epoch_node *next;
	void (*fn)(struct epoch_node *node); /* runs on some hart after a grace period; only frees memory */
};

void epoch_enter(void);
void epoch_exit(void);

/* Calls fn(node) after a grace period. Context: any. */
void epoch_defer(struct epoch_node *node, void (*fn)(struct epoch_node *));
/* Waits until everything deferred before the call, on every hart, has run. Context: may sleep. */
void epoch_barrier(void);

/* Hooks for trap entry/exit, the scheduler and idle; owner hart only. */
void epoch_hart_begin(void);   /* user or idle -> kernel */
void epoch_hart_end(void);     /* kernel -> user or idle */
void epoch_quiesce(void);      /* a quiescent point inside the kernel: context switch, kernel_relax */
bool epoch_hart_pending(void); /* deferred frees wait on this hart: idle must not WFI without a timer */

#endif
