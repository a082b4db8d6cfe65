/*
 * Turns merged records into a Perfetto trace: keeps each thread's stack of open slices so that what is written nests
 * whatever the rings lost, and connects wakers with the woken and doorbells with their harts.
 */
#ifndef TOOLS_TRACE_MODEL_H
#define TOOLS_TRACE_MODEL_H

#include "tools/trace/merge.h"
#include "tools/trace/output.h"

#define MAX_CPUS	  64
#define MAX_PENDING_IPIS  64
#define MODEL_MAX_CLASSES 256
#define MODEL_MAX_MARKER  1024
#define MODEL_SOCKETS	  4096 /* whose last state is known, by number */

struct model_cpu {
	struct cpu_bundle bundle;
	u64 pending_ipis[MAX_PENDING_IPIS]; /* flows of doorbells rung, not yet answered */
	u32 nr_pending;
	bool started; /* has had a record */
	u64 spinning; /* address of the lock that the hart spins for, 0: none */
	u32 runnable; /* threads that wait for the hart */
	u32 runnable_told;
	u64 runnable_ns;		   /* when it was told */
	char marker[MODEL_MAX_MARKER + 1]; /* text of a program, gathered so far: it comes in pieces */
	u32 marker_len;
	u64 unmapped;  /* pages that the next TLB flush is for */
	bool flushing; /* it waits for other harts to flush */
	/* Of the system call that begins next. */
	u64 args[6];
	u32 args_known; /* a bit each */
	bool in_irq;
	u32 irq;
};

struct model_socket_state {
	u64 socket;
	u32 state;
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
	struct model_socket_state sockets[MODEL_SOCKETS];
	char lock_class[MODEL_MAX_CLASSES][TRACE_TASK_NAME_LEN];
};

/* Writes the trace of `dump` to `file`. Errors of the file are left for ferror(). */
void model_convert(struct model *m, const struct dump *dump, FILE *file);

/* One record, in merged order (model_events.c). */
void model_event(struct model *m, const struct merged *e);

/* ---- between the files of the model ---- */

/* The next thing that the current record writes gets the record's own time, each further one the nanosecond after. */
u64 model_stamp(struct model *m);
/* The thread that stored the record. */
struct thread *model_thread_of(struct model *m, const struct merged *e);

/* Open slices (model_slices.c). */
bool model_slice_is_open(const struct thread *t, enum slice slice);
/* Does the thread do something by which it may end another's sleep in a call? */
bool model_slice_wakes(const struct thread *t);
/* Opens `slice` on t's track; false when it is nested too deeply to be followed: it is then not written at all. */
bool model_slice_begin(struct model *m, struct thread *t, enum slice slice,
		       struct track_event *event);
/* Ends it, and what is open inside. Nothing if it is not open: its beginning was lost. */
void model_slice_end(struct model *m, const struct merged *e, enum slice slice,
		     const struct annotation *result);
void model_slice_end_with(struct model *m, const struct merged *e, enum slice slice,
			  const struct annotation *results, u32 nr);
/* Closes what is open inside `slice`; false if it is not open: its beginning was lost. */
bool model_slice_uncover(struct model *m, struct thread *t, u32 cpu, enum slice slice);
void model_slices_close(struct model *m, struct thread *t, u32 cpu);
/* The woken thread runs: a slice from here to the end of its wait, where the waker's arrow arrives. */
void model_slice_woken(struct model *m, struct thread *t, u32 cpu);

/* What a thread does (model_ops.c). */
void model_futex_requeue(struct model *m, const struct merged *e);
void model_futex_requeue_done(struct model *m, const struct merged *e);
void model_futex_pi(struct model *m, const struct merged *e);
void model_ipc(struct model *m, const struct merged *e);
void model_ipc_wait(struct model *m, const struct merged *e);
void model_socket(struct model *m, const struct merged *e);
void model_socket_wait(struct model *m, const struct merged *e);
void model_stream_write(struct model *m, const struct merged *e);
void model_frame(struct model *m, const struct merged *e);
void model_tcp_resend(struct model *m, const struct merged *e);
void model_tcp_state(struct model *m, const struct merged *e);
void model_page_short(struct model *m, const struct merged *e);
void model_oom_wait(struct model *m, const struct merged *e);
void model_slab(struct model *m, const struct merged *e);

/* What has no thread, or concerns the hart (model_harts.c). */
void model_ipi_send(struct model *m, const struct merged *e);
void model_ipi_recv(struct model *m, const struct merged *e);
void model_lock_wait(struct model *m, const struct merged *e);
void model_lock_taken(struct model *m, const struct merged *e);
void model_lock_class(struct model *m, const struct merged *e);
void model_tlb_flush(struct model *m, const struct merged *e, bool begins);
void model_timer_fire(struct model *m, const struct merged *e);
void model_counter(struct model *m, enum machine_counter counter, u64 value);
void model_hart_counter(struct model *m, enum hart_track counter, u32 cpu, u64 value);
void model_priority(struct model *m, const struct merged *e);
void model_marker(struct model *m, const struct merged *e);
/* A thread becomes runnable on `cpu`, is moved there, or no longer waits for its hart. */
void model_queued(struct model *m, struct thread *t, u32 cpu);
void model_unqueued(struct model *m, struct thread *t);

#endif
