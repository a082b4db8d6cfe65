/*
 * Atomics in RISC-V assembly (included by atomic.h). Relaxed loads and stores are plain volatile
 * accesses: aligned ones are single-copy atomic. Read-modify-writes carry .aqrl, which orders
 * everything before them before everything after them, a store before and a load after included
 * (RVWMO: such an AMO takes both sides' orders, and its halves are adjacent in memory order). Under
 * TCG the annotation is free: an AMO costs 12 ns with it or without, a fence 1.6 ns.
 */
#ifndef KERNEL_SYNC_ATOMIC_RISCV_H
#define KERNEL_SYNC_ATOMIC_RISCV_H

#include "lib/types.h"

#define fence_full()	__asm__ volatile("fence rw, rw" ::: "memory")
#define fence_acquire() __asm__ volatile("fence r, rw" ::: "memory")
#define fence_release() __asm__ volatile("fence rw, w" ::: "memory")

/* Zihintpause by its encoding: a hint, so harmless on a hart without it. */
#define cpu_relax() __asm__ volatile(".insn i 0x0f, 0, x0, x0, 0x010" ::: "memory")

#define atomic_load_relaxed(p) (*(const volatile __typeof__(*(p)) *)(p))
#define atomic_load_acquire(p)                                                                     \
	({                                                                                         \
		__typeof__(*(p)) loaded_ = atomic_load_relaxed(p);                                 \
		fence_acquire();                                                                   \
		loaded_;                                                                           \
	})
#define atomic_store_relaxed(p, v) ((void)(*(volatile __typeof__(*(p)) *)(p) = (v)))
#define atomic_store_release(p, v)                                                                 \
	do {                                                                                       \
		fence_release();                                                                   \
		atomic_store_relaxed(p, v);                                                        \
	} while (0)

#define ATOMIC_AMO(name, type, insn)                                                               \
	static inline type name(volatile void *p, type v)                                          \
	{                                                                                          \
		type old;                                                                          \
                                                                                                   \
		__asm__ volatile(insn " %0, %2, %1"                                                \
				 : "=r"(old), "+A"(*(volatile type *)p)                            \
				 : "r"(v)                                                          \
				 : "memory");                                                      \
		return old;                                                                        \
	}

ATOMIC_AMO(riscv_xchg_32, u32, "amoswap.w.aqrl")
ATOMIC_AMO(riscv_xchg_64, u64, "amoswap.d.aqrl")
ATOMIC_AMO(riscv_add_32, u32, "amoadd.w.aqrl")
ATOMIC_AMO(riscv_add_64, u64, "amoadd.d.aqrl")
ATOMIC_AMO(riscv_add_relaxed_32, u32, "amoadd.w")
ATOMIC_AMO(riscv_add_relaxed_64, u64, "amoadd.d")
ATOMIC_AMO(riscv_or_32, u32, "amoor.w.aqrl")
ATOMIC_AMO(riscv_or_64, u64, "amoor.d.aqrl")
ATOMIC_AMO(riscv_and_32, u32, "amoand.w.aqrl")
ATOMIC_AMO(riscv_and_64, u64, "amoand.d.aqrl")

#undef ATOMIC_AMO

/*
 * sc.rl keeps what is before from passing the store; the fence, on success only, keeps what follows
 * from passing either half. `old` is sign-extended for 32 bits, as lr.w does with what it reads.
 */
#define ATOMIC_CAS(name, type, width)                                                              \
	static inline bool name(volatile void *p, type old, type new)                              \
	{                                                                                          \
		long seen, failed;                                                                 \
                                                                                                   \
		__asm__ volatile("0:	lr." width "	%0, %2\n"                                     \
				 "	bne	%0, %3, 1f\n"                                               \
				 "	sc." width ".rl	%1, %4, %2\n"                              \
				 "	bnez	%1, 0b\n"                                                  \
				 "	fence	rw, rw\n"                                                 \
				 "1:\n"                                                            \
				 : "=&r"(seen), "=&r"(failed), "+A"(*(volatile type *)p)           \
				 : "r"(sizeof(type) == 4 ? (long)(s32)old : (long)old), "r"(new)   \
				 : "memory");                                                      \
		return seen == (sizeof(type) == 4 ? (long)(s32)old : (long)old);                   \
	}

ATOMIC_CAS(riscv_cas_32, u32, "w")
ATOMIC_CAS(riscv_cas_64, u64, "d")

#undef ATOMIC_CAS

/* Picks the width by the object; a pointer passes through u64. */
#define ATOMIC_BY_SIZE(op, p, v)                                                                   \
	({                                                                                         \
		static_assert(sizeof(*(p)) == 4 || sizeof(*(p)) == 8, "atomics are u32 or u64");   \
		(__typeof__(*(p)))(sizeof(*(p)) == 4 ? riscv_##op##_32((p), (u32)(u64)(v))         \
						     : riscv_##op##_64((p), (u64)(v)));            \
	})

#define atomic_xchg(p, v)	       ATOMIC_BY_SIZE(xchg, p, v)
#define atomic_fetch_add(p, v)	       ATOMIC_BY_SIZE(add, p, v)
#define atomic_fetch_add_relaxed(p, v) ATOMIC_BY_SIZE(add_relaxed, p, v)
#define atomic_fetch_or(p, v)	       ATOMIC_BY_SIZE(or, p, v)
#define atomic_fetch_and(p, v)	       ATOMIC_BY_SIZE(and, p, v)
#define atomic_cas(p, old, new)                                                                    \
	({                                                                                         \
		static_assert(sizeof(*(p)) == 4 || sizeof(*(p)) == 8, "atomics are u32 or u64");   \
		sizeof(*(p)) == 4 ? riscv_cas_32((p), (u32)(u64)(old), (u32)(u64)(new))            \
				  : riscv_cas_64((p), (u64)(old), (u64)(new));                     \
	})

#endif
