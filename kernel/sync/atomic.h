/*
 * The one atomics layer. Three back ends with the same names: RISC-V assembly (the kernel), C11
 * __atomic (host tests, ThreadSanitizer) and the model checker's scheduler (tests/model,
 * -DATOMIC_MODEL). Objects are naturally aligned u32, u64 or pointers.
 *
 *   atomic_load_relaxed/acquire(p)          atomic_store_relaxed/release(p, v)
 *   atomic_xchg(p, v)                       full barrier on both sides, returns the old value
 *   atomic_cas(p, old, new)                 full barrier if it succeeds: *p was old, is new, true
 *   atomic_fetch_add/or/and(p, v)           full barrier on both sides, returns the old value
 *   atomic_fetch_add_relaxed(p, v)          no ordering, for statistics
 *   fence_full()  rw,rw    fence_acquire()  r,rw    fence_release()  rw,w
 *   cpu_relax()                             one turn of a spin loop
 */
#ifndef KERNEL_SYNC_ATOMIC_H
#define KERNEL_SYNC_ATOMIC_H

#if defined(ATOMIC_MODEL)
#include "kernel/sync/atomic_model.h"
#elif defined(__riscv)
#include "kernel/sync/atomic_riscv.h"
#else
#include "kernel/sync/atomic_c11.h"
#endif

#endif
