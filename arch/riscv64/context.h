/*
 * What a switched-out thread keeps: where it goes on, its stack, and the user's tp that waits in sscratch. The other registers that C
 * expects to survive are the compiler's business: the switch is inline and declares them lost, so a function that switches saves
 * each once, on the stack of the thread that leaves. Floating point is kept apart (fpu.h).
 */
#ifndef ARCH_RISCV64_CONTEXT_H
#define ARCH_RISCV64_CONTEXT_H

#include "arch/riscv64/cpu.h"
#include "lib/types.h"

struct arch_context {
	u64 pc;
	u64 sp;
	u64 fp;	     /* s0, which the compiler may hold as its frame pointer */
	u64 user_tp; /* sscratch; 0 for kernel threads and for frames that hold tp */
};

#ifdef __riscv
/*
 * Before a switch away from a thread that may have been stopped between LR and SC: drops its reservation, so that the next thread's SC
 * cannot succeed on it. Should this one succeed, it writes what is there.
 */
static inline void arch_end_reservation(struct arch_context *ctx)
{
	__asm__ volatile("sc.d	zero, %1, %0" : "+A"(ctx->pc) : "r"(ctx->pc));
}

/*
 * Saves the running thread in `prev`, resumes `next`. Returns in the resumed thread, perhaps on another hart, with the value of `tag` that was
 * given by whoever switched to it. One CSR access.
 */
static inline void *arch_switch(struct arch_context *prev, struct arch_context *next, void *tag)
{
	register struct arch_context *from __asm__("a0") = prev;
	register struct arch_context *to __asm__("a1") = next;
	register void *carried __asm__("a2") = tag;

	__asm__ volatile("	la	t0, 1f\n"
			 "	ld	t1, 24(a1)\n"
			 "	csrrw	t1, sscratch, t1\n"
			 "	sd	t0, 0(a0)\n"
			 "	sd	sp, 8(a0)\n"
			 "	sd	s0, 16(a0)\n"
			 "	sd	t1, 24(a0)\n"
			 "	ld	t0, 0(a1)\n"
			 "	ld	sp, 8(a1)\n"
			 "	ld	s0, 16(a1)\n"
			 "	jr	t0\n"
			 "1:\n"
			 : "+r"(from), "+r"(to), "+r"(carried), "+r"(cpu_tp)
			 :
			 : "ra", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "a3", "a4", "a5", "a6",
			   "a7", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11",
			   "memory");
	return carried;
}
#endif

/* Makes `ctx` start at fn(arg) on the stack that ends at `sp`; fn gets arch_switch()'s tag as second argument. */
void arch_context_init(struct arch_context *ctx, u64 sp, void (*fn)(void *arg, void *tag), void *arg);

#endif
