/*
 * What kernel/trace stands on, for the host: a few pretended harts, an arena that plays the machine's memory (per-CPU regions
 * and pages lie in it, so that it can be written out as a memory image), a clock that tests set, semihosting on stdio.
 */
#ifndef TESTS_TRACE_FAKE_KERNEL_H
#define TESTS_TRACE_FAKE_KERNEL_H

#include "lib/types.h"

extern u64 fake_clock;	       /* ticks */
extern u32 fake_largest_order; /* page_alloc() fails above it */
extern u64 fake_memory;	       /* bytes of the arena that there are */
extern bool fake_host_refuses; /* semihosting writes fail */

/* Forgets all harts and pages; `cpus` fresh ones exist, each with zeroed per-CPU variables, all booted by trace_hart_init(). */
void fake_boot(u32 cpus, const char *pattern, u64 ring_bytes);
/* The calling thread is on hart `cpu` from now on. */
void fake_run_on(u32 cpu);
/* Writes the arena to `path`, as a monitor's memory dump would. */
void fake_write_image(const char *path);

#endif
