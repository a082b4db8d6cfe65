/*
 * Loads and stores of user memory with fix-up: a fault that cannot be resolved continues at the fix-up address, found by the
 * faulting pc in a table. SUM stays 1 in release builds; debug builds set it only here. The caller has checked the range.
 */
#ifndef ARCH_RISCV64_UACCESS_H
#define ARCH_RISCV64_UACCESS_H

#include "lib/types.h"

/* Returns the number of bytes not copied. */
size_t arch_copy_user(void *dst, const void *src, size_t n);
/* Returns the number of bytes not cleared. */
size_t arch_clear_user(void *dst, size_t n);

/* In a fix-up address, which is even: the fault is not to be resolved. */
#define ARCH_FIXUP_NOFAULT 1UL

/* Each returns 0, or nonzero when the access faulted. Addresses are naturally aligned. */
long arch_load_u8(const void *src, u8 *value);
#if defined(KERNEL_DEBUG) || !defined(__riscv)
long arch_load_u32(const void *src, u32 *value);
#else
/* `flags`: ARCH_FIXUP_NOFAULT or 0, a constant. */
static __force_inline long arch_load_u32_flags(const void *src, u32 *value, u64 flags)
{
	u32 loaded;

	/* Volatile: GCC 12 drops it, and the fault with it, where nobody wants the value. */
	__asm__ volatile goto("9:	lw	%0, 0(%1)\n"
			      "	.pushsection fixups, \"a\", @progbits\n"
			      "	.balign	8\n"
			      "	.quad	9b, %l3 + %2\n"
			      "	.popsection\n"
			      : "=r"(loaded)
			      : "r"(src), "i"(flags)
			      : "memory"
			      : fault);
	*value = loaded;
	return 0;
fault:
	return 1;
}

static inline long arch_load_u32(const void *src, u32 *value)
{
	return arch_load_u32_flags(src, value, 0);
}
#endif
long arch_load_u64(const void *src, u64 *value);
long arch_store_u32(void *dst, u32 value);
long arch_store_u64(void *dst, u64 value);
/* Full-barrier compare and swap; *old gets what was there. */
long arch_cas_u32(void *dst, u32 expect, u32 desired, u32 *old);

/* The address where a kernel fault at `pc` continues, perhaps with ARCH_FIXUP_NOFAULT in it, or 0. For kernel/trap. */
u64 arch_fixup(u64 pc);

#endif
