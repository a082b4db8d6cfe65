#include "arch/riscv64/context.h"

void arch_context_start(void);

void arch_context_init(struct arch_context *ctx, u64 sp, void (*fn)(void *arg, void *tag), void *arg)
{
	*ctx = (struct arch_context){
		.ra = (u64)arch_context_start,
		.sp = sp,
		.s = {[0] = (u64)fn, [1] = (u64)arg},
	};
}
