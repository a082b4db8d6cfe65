/*
 * What trap entry saves at the top of the kernel stack. s0-s11 are stored only by the stubs that need them
 * (fork-like calls, exec, sigreturn, exit work, faults); elsewhere they live on in registers, preserved by the C
 * calling convention. `tp` is stored only when the user's value is negative or the frame is full: it stays in
 * sscratch while the kernel runs (arch/riscv64/entry.S).
 */
#ifndef ARCH_RISCV64_TRAP_FRAME_H
#define ARCH_RISCV64_TRAP_FRAME_H

#include "lib/types.h"

struct trap_frame {
	u64 pc; /* sepc */
	u64 ra, sp, gp, tp;
	u64 t0, t1, t2;
	u64 s0, s1;
	u64 a0, a1, a2, a3, a4, a5, a6, a7;
	u64 s2, s3, s4, s5, s6, s7, s8, s9, s10, s11;
	u64 t3, t4, t5, t6;
	u64 orig_a0; /* a0 at entry of a system call, for restarts */
	u64 status;  /* sstatus; kernel-mode traps only */
	u64 cause;   /* scause of the trap; TRAP_CAUSE_SYSCALL for a system call */
	u64 tval;    /* stval; faults only */
};

static_assert(sizeof(struct trap_frame) == 36 * 8, "entry.S lays this out");

#define TRAP_CAUSE_SYSCALL 8

#endif
