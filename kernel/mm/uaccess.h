/*
 * User copies: the only way to follow a __user pointer. They use the current address space, may
 * fault and sleep (except _nofault), and return 0 or -EFAULT. Long copies pass kernel_relax() every
 * 64 KiB.
 */
#ifndef KERNEL_MM_UACCESS_H
#define KERNEL_MM_UACCESS_H

#include "abi/errno.h"
#include "arch/riscv64/layout.h"
#include "arch/riscv64/uaccess.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/hart.h"
#include "kernel/sync/percpu.h"
#include "lib/types.h"

int copy_from_user(void *dst, const void __user *src, size_t n);
int copy_to_user(void __user *dst, const void *src, size_t n);
int clear_user(void __user *dst, size_t n);
/*
 * Copies a NUL-terminated string of at most size - 1 bytes. Returns its length, -EFAULT, or
 * -ENAMETOOLONG.
 */
long strncpy_from_user(char *dst, const char __user *src, size_t size);

int user_load_u64(const u64 __user *p, u64 *value);
int user_store_u32(u32 __user *p, u32 value);
int user_store_u64(u64 __user *p, u64 value);

PERCPU_DECLARE(bool, uaccess_nofault); /* [c] set during a no-fault access */

/*
 * Around every access to user memory, without a sleep between: a hart in the kernel is left alone by shootdowns
 * (tlb.c) and flushes before it uses a user address again. A fault inside ends the access until it is repeated.
 */
static inline void uaccess_begin(void)
{
	struct cpu *cpu = cpu_self();

	atomic_store_relaxed(&cpu->user_access, 1U);
	fence_full(); /* (D): pairs with (C) in tlb_mark_kernel() */
	if (unlikely(atomic_load_relaxed(&cpu->work) & HART_WORK_TLB))
		mm_flush_asked();
}

static inline void uaccess_end(void)
{
	/* A release: a shootdown that reads 0 comes after the access. */
	atomic_store_release(&cpu_self()->user_access, 0U);
}

static inline bool user_range_ok(const void __user *p, size_t n)
{
	return (u64)p <= USER_TOP && n <= USER_TOP - (u64)p;
}

static inline bool user_word_ok(const void __user *p, size_t size)
{
	return IS_ALIGNED((u64)p, size) && user_range_ok(p, size);
}

/* Under a spin lock, by the second: no fault is taken; -EFAULT means unlock, user_fault_in(), retry. */
#ifdef __riscv /* inline: a futex call is little else */
static inline int user_load_u32(const u32 __user *p, u32 *value)
{
	long fault;

	hart_check_quiescent(); /* may fault, and so sleep */
	if (unlikely(!user_word_ok(p, sizeof(*p))))
		return copy_from_user(value, p, sizeof(*p));
	uaccess_begin();
	fault = arch_load_u32(p, value);
	uaccess_end();
	return fault ? -EFAULT : 0;
}

/* Of a word that user_word_ok() has answered true for. */
static inline int user_load_u32_nofault_ok(const u32 __user *p, u32 *value)
{
	long fault;

	uaccess_begin();
#ifndef KERNEL_DEBUG
	fault = arch_load_u32_flags(p, value, ARCH_FIXUP_NOFAULT);
#else
	this_cpu(uaccess_nofault) = true;
	fault = arch_load_u32(p, value);
	this_cpu(uaccess_nofault) = false;
#endif
	uaccess_end();
	return fault ? -EFAULT : 0;
}

static inline int user_load_u32_nofault(const u32 __user *p, u32 *value)
{
	return likely(user_word_ok(p, sizeof(*p))) ? user_load_u32_nofault_ok(p, value) : -EFAULT;
}
#else
int user_load_u32(const u32 __user *p, u32 *value);
int user_load_u32_nofault(const u32 __user *p, u32 *value);
int user_load_u32_nofault_ok(const u32 __user *p, u32 *value);
#endif
/* *old gets what was there; the exchange happened if it equals `expect`. */
int user_cas_u32_nofault(u32 __user *p, u32 expect, u32 desired, u32 *old);
int user_fault_in(const void __user *p, bool write); /* 0 or -EFAULT; may sleep */
/* For kernel/trap: may a fault at a user address in the kernel be resolved now? */
bool uaccess_faults_allowed(void);

#endif
