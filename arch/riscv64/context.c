#include "arch/riscv64/context.h"

void arch_context_start(void);

void arch_context_init(struct arch_context *ctx, u64 sp, void (*fn)(void *arg, void *tag), void *arg)
{
	u64 *top = (u64 *)sp - 2;

	/* Popped by arch_context_start(). */
	top[0] = (u64)fn;
	top[1] = (u64)arg;
	*ctx = (struct arch_context){.pc = (u64)arch_context_start, .sp = (u64)top};
}
