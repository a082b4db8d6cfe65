/*
 * Per-hart base record. `tp` points at this hart's `struct cpu` for the whole life of the kernel; the first
 * fields are reached by fixed offset from entry.S (asserted in arch/riscv64/offsets.c).
 *
 * Per-CPU variables of other layers are declared with PERCPU() (kernel/sync/percpu.h); this record holds
 * only what the trap path touches on each entry, packed in one cache line.
 */
#ifndef ARCH_RISCV64_CPU_H
#define ARCH_RISCV64_CPU_H

#include "lib/types.h"

#define MAX_CPUS 64

struct thread;

struct cpu {
	u64 kernel_sp;		/* [c] top of the current thread's kernel stack */
	u64 scratch;		/* [c] user sp between trap entry and the frame */
	struct thread *current; /* [c] running thread */
	u64 percpu_offset;	/* [I] this hart's copy of a per-CPU variable is at &var + offset */
	u32 id;			/* [I] dense index 0..nr_cpus-1 */
	u32 hartid;		/* [I] the machine's id, may be sparse */
	u64 emergency_sp;	/* [I] stack for traps on an overflowed kernel stack */
	u32 work;   /* [a] HART_WORK_* bits: demands on this hart (kernel/sync/hart.h) */
	u32 window; /* [c] interrupts are on in the kernel, for samples (kernel/trace/sample.h) */
	u64 state;  /* [a] sequence << 8 | enum hart_state (kernel/sync/hart.h) */
	u32 user_access; /* [a] the kernel follows user addresses right now (kernel/mm/uaccess.h) */
} __cacheline_aligned;

extern u32 nr_cpus; /* [I] after boot: harts that were started */

#ifdef __riscv
register struct cpu *cpu_tp __asm__("tp");
static inline struct cpu *cpu_self(void)
{
	return cpu_tp;
}
#else
extern __thread struct cpu *cpu_tp; /* host tests: one pretended hart per test thread */
static inline struct cpu *cpu_self(void)
{
	return cpu_tp;
}
#endif

static inline u32 cpu_id(void)
{
	return cpu_self()->id;
}

static inline struct thread *thread_current(void)
{
	return cpu_self()->current;
}

/* The record of hart `id`; id < nr_cpus. */
struct cpu *cpu_of(u32 id);

#endif
