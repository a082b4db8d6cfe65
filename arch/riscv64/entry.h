/*
 * C view of the trap entry (entry.S).
 */
#ifndef ARCH_RISCV64_ENTRY_H
#define ARCH_RISCV64_ENTRY_H

#include "arch/riscv64/trap_frame.h"

extern char trap_entry[];	 /* stvec */
extern char trap_entry_traced[]; /* stvec while a thread that is traced is in user mode */

/* Leaves the kernel with every register taken from `frame`, which is the one at the top of the current kernel stack. */
__noreturn void arch_return_to_user(struct trap_frame *frame);

/*
 * Table entries of the calls that read all registers of the caller, or at which a tracer may: they complete the frame and go on to sys_NAME(). A frame
 * that is complete already (traced calls) goes to sys_NAME() directly.
 */
long sys_clone_stub(u64, u64, u64, u64, u64, u64);
long sys_clone3_stub(u64, u64, u64, u64, u64, u64);
long sys_exit_stub(u64, u64, u64, u64, u64, u64);
long sys_exit_group_stub(u64, u64, u64, u64, u64, u64);

#endif
