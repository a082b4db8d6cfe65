/*
 * Per-CPU variables. PERCPU(type, name) defines hart 0's copy in the section `percpu`; every other
 * hart gets a region of the same size, and its copy lives at the same distance: &name +
 * cpu->percpu_offset. Interrupts are off in the kernel except at kernel_relax(), so access to the
 * own copy needs no guard; a pointer to it must not be held across a blocking call or
 * kernel_relax().
 *
 * The host build works the same way (GNU ld gives __start_percpu/__stop_percpu for a section of
 * that name).
 */
#ifndef KERNEL_SYNC_PERCPU_H
#define KERNEL_SYNC_PERCPU_H

#include "arch/riscv64/cpu.h"

#define PERCPU(type, name)	   __attribute__((section("percpu"), used)) __typeof__(type) name
#define PERCPU_DECLARE(type, name) extern __typeof__(type) name

#define this_cpu_ptr(name) ((__typeof__(name) *)((char *)&(name) + cpu_self()->percpu_offset))
#define this_cpu(name)	   (*this_cpu_ptr(name))
/* Another hart's copy: only for fields that are atomic or locked. */
#define cpu_ptr(name, cpu) ((__typeof__(name) *)((char *)&(name) + cpu_of(cpu)->percpu_offset))

#endif
