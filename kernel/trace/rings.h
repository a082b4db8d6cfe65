/* Private to kernel/trace: each hart's rings. */
#ifndef KERNEL_TRACE_RINGS_H
#define KERNEL_TRACE_RINGS_H

#include "kernel/sync/percpu.h"
#include "kernel/trace/record.h"

struct trace_rings {
	struct trace_ring ring[TRACE_NR_RINGS];
} __cacheline_aligned;

PERCPU_DECLARE(struct trace_rings, trace_rings);

#endif
