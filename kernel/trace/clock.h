/* The trace's clock: the `time` CSR, one clock for all harts. Host tests supply their own. */
#ifndef KERNEL_TRACE_CLOCK_H
#define KERNEL_TRACE_CLOCK_H

#include "lib/types.h"

#ifdef __riscv
static inline u64 trace_clock(void)
{
	u64 ticks;

	__asm__ volatile("rdtime %0" : "=r"(ticks));
	return ticks;
}
#else
u64 trace_clock(void);
#endif

#endif
