/*
 * Per-hart tracing: 32-byte records in rings that no other hart writes (record.h), events from one list
 * (events.def), a host converter to Perfetto (tools/trace, docs/tracing.md).
 *
 * Idea: a record is reserved and written by the hart that owns the ring, with interrupts off, so there is nothing to
 * race with: no atomic operation, no shared line. Readers wait until the trace has stopped.
 * Cost of a record: about 25 instructions and one rdtime (~70 ns under TCG, the larger part). While a category is off,
 * a load and a branch.
 *
 * Bazel: //kernel/trace is the emitting half and needs per-CPU data only; //kernel/trace:control sets up and dumps.
 */
#ifndef KERNEL_TRACE_TRACE_H
#define KERNEL_TRACE_TRACE_H

#include "lib/types.h"

/* Categories: bits of trace_mask. SCHED is on whenever any other is: records take their thread from it. */
#define TRACE_SCHED   BIT(0)
#define TRACE_SYSCALL BIT(1)
#define TRACE_IRQ     BIT(2)
#define TRACE_FUTEX   BIT(3)
#define TRACE_FAULT   BIT(4)
#define TRACE_TASK    BIT(5)
#define TRACE_ALL     (BIT(6) - 1)

extern u64 trace_mask; /* [a] read-mostly switch, one bit a category */

#include "kernel/trace/trace_events.h"

/* ---- control ---- */

/*
 * Reads the boot arguments: `pattern` is "off", or a comma list of "on" (all), sched, syscall, irq, futex, fault, task, and
 * "stop" (the first full ring ends the trace; without it the oldest records are overwritten). `ring_bytes`: per hart, rounded
 * down to a power of two; 0: a quarter of the memory over all harts, at most 64 MiB each. Returns 0, or -EINVAL for a
 * word it does not know (nothing is traced then). Context: boot hart, once, before trace_hart_init().
 */
int trace_init(const char *pattern, u64 ring_bytes);

/*
 * On the hart with id 0: gives all harts their rings and begins. With less free memory than asked for the rings are smaller;
 * -ENOMEM when there is none at all: the harts without record nothing. Nothing to do on other harts. Context: after nr_cpus
 * is final and pages can be allocated, before the other harts start (rings are made of neighbouring blocks of pages).
 */
int trace_hart_init(void);

/* Ends tracing: on return this hart writes no more; another may still finish the record it is at. Context: any. */
void trace_stop(void);

/*
 * Stops and writes all rings to `path` on the host by semihosting: QEMU must run with it, else this traps. 0, -ENOENT when
 * nothing was traced, -EIO when the host refuses. Context: any, also a panic; allocates nothing.
 */
int trace_dump(const char *path);

#endif
