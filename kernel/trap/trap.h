/*
 * From the trap entry (arch/riscv64/entry.S) to the rest of the kernel. All run with interrupts off, on the current kernel
 * stack; the hart word says KERNEL.
 */
#ifndef KERNEL_TRAP_TRAP_H
#define KERNEL_TRAP_TRAP_H

#include "arch/riscv64/trap_frame.h"

/* Any trap from user mode but a system call. Full frame. May sleep. */
void trap_user(struct trap_frame *frame, u64 last_pc, u64 last_cause);
/* A fault in the kernel: resolves user-memory faults, else fix-up, else panic. May sleep if the interrupted code may. */
void trap_kernel(struct trap_frame *frame);
__noreturn void trap_stack_overflow(struct trap_frame *frame);
/* The way out with demands: serves them until none is left. On return the hart word says USER. Full frame. */
void trap_exit_work(struct trap_frame *frame);

/* Every hart: stvec, interrupt enables, sstatus. */
void trap_hart_init(void);

#endif
