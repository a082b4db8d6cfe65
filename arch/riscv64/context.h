/*
 * What a switched-out thread keeps: the registers that C expects to survive a call, and the user's tp that waits in
 * sscratch. Floating point is kept apart (fpu.h).
 */
#ifndef ARCH_RISCV64_CONTEXT_H
#define ARCH_RISCV64_CONTEXT_H

#include "lib/types.h"

struct arch_context {
	u64 ra;
	u64 sp;
	u64 s[12];
	u64 user_tp; /* sscratch; 0 for kernel threads and for frames that hold tp */
};

/*
 * Saves the running thread in `prev`, resumes `next`. Returns in the resumed thread, with the value of `tag` that was given by
 * whoever switched to it. A dummy store-conditional drops any reservation. 2 CSR accesses fewer than a trap: one.
 */
void *arch_switch(struct arch_context *prev, struct arch_context *next, void *tag);

/* Makes `ctx` start at fn(arg) on the stack that ends at `sp`; fn gets arch_switch()'s tag as second argument. */
void arch_context_init(struct arch_context *ctx, u64 sp, void (*fn)(void *arg, void *tag), void *arg);

#endif
