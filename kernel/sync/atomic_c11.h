/*
 * Atomics by the compiler's built-ins, for host tests (included by atomic.h). Read-modify-writes
 * are seq_cst, which on the host's x86-64 is a full barrier too. ThreadSanitizer sees the
 * operations but not the fences: code under it must pass data by acquire and release operations,
 * and uses fences only for store buffering.
 */
#ifndef KERNEL_SYNC_ATOMIC_C11_H
#define KERNEL_SYNC_ATOMIC_C11_H

#include "lib/types.h"

#define fence_full()	__sync_synchronize()
#define fence_acquire() __sync_synchronize()
#define fence_release() __sync_synchronize()

#if defined(__x86_64__)
#define cpu_relax() __builtin_ia32_pause()
#else
#define cpu_relax() __asm__ volatile("" ::: "memory")
#endif

#define atomic_load_relaxed(p)	       __atomic_load_n(p, __ATOMIC_RELAXED)
#define atomic_load_acquire(p)	       __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define atomic_store_relaxed(p, v)     __atomic_store_n(p, v, __ATOMIC_RELAXED)
#define atomic_store_release(p, v)     __atomic_store_n(p, v, __ATOMIC_RELEASE)
#define atomic_xchg(p, v)	       __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)
#define atomic_fetch_add(p, v)	       __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST)
#define atomic_fetch_add_relaxed(p, v) __atomic_fetch_add(p, v, __ATOMIC_RELAXED)
#define atomic_fetch_or(p, v)	       __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST)
#define atomic_fetch_and(p, v)	       __atomic_fetch_and(p, v, __ATOMIC_SEQ_CST)
#define atomic_cas(p, old, new)                                                                    \
	({                                                                                         \
		__typeof__(*(p)) expected_ = (old);                                                \
		__atomic_compare_exchange_n(p, &expected_, new, false, __ATOMIC_SEQ_CST,           \
					    __ATOMIC_RELAXED);                                     \
	})

#endif
