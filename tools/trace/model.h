/*
 * Turns merged records into a Perfetto trace: keeps each thread's stack of open slices so that what is written nests
 * whatever the rings lost, and connects wakers with the woken and doorbells with their harts.
 */
#ifndef TOOLS_TRACE_MODEL_H
#define TOOLS_TRACE_MODEL_H

#include "tools/trace/merge.h"
#include "tools/trace/output.h"

#define MAX_CPUS	 64
#define MAX_PENDING_IPIS 64

struct model_cpu {
	struct cpu_bundle bundle;
	u64 pending_ipis[MAX_PENDING_IPIS]; /* flows of doorbells rung, not yet answered */
	u32 nr_pending;
	bool started; /* has had a record */
	bool in_irq;
	u32 irq;
};

struct model {
	const struct dump *dump;
	struct output out;
	struct threads threads;
	struct merge merge;
	struct model_cpu cpus[MAX_CPUS];
	u32 nr_cpus;
	u64 stamp; /* of the current record, 0 once used */
	u64 next_flow;
	u64 nr_records;
	u64 nr_spurious;
};

/* Writes the trace of `dump` to `file`. Errors of the file are left for ferror(). */
void model_convert(struct model *m, const struct dump *dump, FILE *file);

/* One record, in merged order (model_events.c). */
void model_event(struct model *m, const struct merged *e);

#endif
