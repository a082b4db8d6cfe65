/*
 * Arguments that the calls on memory share.
 */
#ifndef KERNEL_SYSCALL_MEMORY_ARGS_H
#define KERNEL_SYSCALL_MEMORY_ARGS_H

#include "abi/errno.h"
#include "arch/riscv64/layout.h"
#include "lib/types.h"

/* Page-aligned start, length rounded up, inside user space; `bad` is what a wrong range answers. */
static inline long memory_range_check(u64 addr, u64 *len, long bad)
{
	if (!IS_ALIGNED(addr, PAGE_SIZE))
		return -EINVAL;
	*len = ALIGN_UP(*len, PAGE_SIZE);
	return addr > USER_TOP || *len > USER_TOP - addr ? bad : 0;
}

#endif
