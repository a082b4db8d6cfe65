/*
 * Pretended harts for tests on the host: a struct cpu and a copy of the per-CPU section each. Each
 * pretended hart is one POSIX thread and runs one pretended kernel thread, whose park() halts the
 * hart until an unpark() or a doorbell.
 */
#ifndef TESTS_UNIT_HOST_CPU_H
#define TESTS_UNIT_HOST_CPU_H

#include "arch/riscv64/cpu.h"

/*
 * Makes `n` fresh harts, all offline, and fills hart_ops, park_ops and sync_ops. Per-CPU data is as
 * at program start.
 */
void host_cpus_init(u32 n);

/*
 * The calling thread is hart `id` from now on: in the kernel, with a current thread. Enough for a
 * test of one thread.
 */
void host_cpu_become(u32 id);

/* Runs fn(arg) on each hart at once, in the kernel, and waits for all. */
void host_cpus_run(void (*fn)(void *arg), void *arg);

/* On a hart: as the way out to user mode and in again; answers demands on this hart. */
void host_user_mode(void);
/* On a hart: answers demands, as sched_hart_work() does. */
void host_hart_work(void);

u64 host_cpu_rings(u32 id); /* doorbells that hart `id` was sent */

#endif
