/* Private to kernel/trace: each hart's rings, and what its files call in each other. */
#ifndef KERNEL_TRACE_RINGS_H
#define KERNEL_TRACE_RINGS_H

#include "kernel/sync/percpu.h"
#include "kernel/trace/record.h"

#define TRACE_MAX_PIDS 16

struct trace_rings {
	struct trace_ring ring[TRACE_NR_RINGS];
} __cacheline_aligned;

PERCPU_DECLARE(struct trace_rings, trace_rings);

/* Threads whose records are kept; nr 0: all. Changes while nothing records. */
struct trace_filter {
	u32 nr;
	u32 tid[TRACE_MAX_PIDS];
};
extern struct trace_filter trace_filter;

/* buffers.c */
extern struct trace_header *trace_header; /* [I] while anything may record; NULL: there are no rings */
/*
 * Rings of at most `bytes` for all harts, `stop`: that end the trace when they are full. 0, or -ENOMEM if one got not even a page:
 * what there is stays and serves. Context: nothing records.
 */
int trace_buffers_init(u64 bytes, bool stop);
void trace_buffers_free(void); /* context: nothing records, no hart is inside an emitter */
/* The ring, or NULL if it was never set up. */
struct trace_ring *trace_ring_of(u32 cpu, enum trace_ring_kind kind);

#endif
