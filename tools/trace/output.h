/*
 * Encoders of the Perfetto file. ftrace.c: what Linux's ftrace would have said, one bundle of events per hart at a time, the
 * scheduler's in the compact form. tracks.c: slices, instants and flows on tracks of our own and on threads' tracks.
 */
#ifndef TOOLS_TRACE_OUTPUT_H
#define TOOLS_TRACE_OUTPUT_H

#include "tools/trace/dump.h"
#include "tools/trace/proto.h"
#include "tools/trace/threads.h"

#include <stdio.h>

struct output {
	FILE *file;
	struct pb packet; /* being built: "Trace.packet" with its length */
};

/* Begins a packet, returns where to put its fields; packet_end() writes it. */
struct pb *packet_begin(struct output *out);
void packet_end(struct output *out);

/* ---- ftrace.c ---- */

#define MAX_COMMS 1024

struct cpu_bundle {
	u32 cpu;
	u64 id; /* unique, 0: empty */
	struct pb events;
	/* compact_sched: packed arrays */
	struct pb switch_timestamp, switch_state, switch_pid, switch_prio, switch_comm;
	struct pb waking_timestamp, waking_pid, waking_cpu, waking_prio, waking_comm, waking_flags;
	u64 last_switch, last_waking; /* times the next deltas are from; 0: none in this bundle */
	struct pb comms;
	char comm[MAX_COMMS][TRACE_TASK_NAME_LEN];
	u32 nr_comms;
	/* over all bundles of the hart */
	bool seen_switch;
	u32 running;	   /* after the last switch */
	u64 complete_from; /* ns from which this hart's records are all there */
	bool first_done;
	bool lost;
};

void bundle_init(struct cpu_bundle *b, u32 cpu, u64 complete_from, bool lost);
void bundle_flush(struct cpu_bundle *b, struct output *out);
/* Flushes when large; before each event. */
void bundle_make_room(struct cpu_bundle *b, struct output *out);
void bundle_free(struct cpu_bundle *b);

/* "swapper/N" for the idle thread of the hart. */
const char *thread_comm(const struct thread *t, u32 cpu, char buffer[TRACE_TASK_NAME_LEN]);

void ftrace_sched_switch(struct cpu_bundle *b, u64 ns, const struct thread *prev, u64 prev_state,
			 struct thread *next);
void ftrace_sched_waking(struct cpu_bundle *b, u64 ns, u32 waker, struct thread *wakee,
			 u32 target_cpu, bool irq);
void ftrace_sched_migrate(struct cpu_bundle *b, u64 ns, u32 pid, const struct thread *t, u32 from,
			  u32 to);
void ftrace_task_new(struct cpu_bundle *b, u64 ns, u32 parent, const struct thread *child,
		     const char *comm);
void ftrace_task_rename(struct cpu_bundle *b, u64 ns, const struct thread *t, const char *name);
void ftrace_task_free(struct cpu_bundle *b, u64 ns, const struct thread *t);
void ftrace_sys_enter(struct cpu_bundle *b, u64 ns, u32 pid, u64 nr, const u64 *args, u32 nr_args);
void ftrace_sys_exit(struct cpu_bundle *b, u64 ns, u32 pid, u64 nr, s64 ret);
void ftrace_irq_entry(struct cpu_bundle *b, u64 ns, u32 pid, u32 irq);
void ftrace_irq_exit(struct cpu_bundle *b, u64 ns, u32 pid, u32 irq);
#define TCP_CLOSED 7 /* Linux's number */
struct tcp_change {
	u64 socket;
	u32 old_state, state;
	u16 local_port, remote_port;
};
void ftrace_tcp_state(struct cpu_bundle *b, u64 ns, u32 pid, const struct tcp_change *change);
void ftrace_cpu_idle(struct cpu_bundle *b, u64 ns, u32 pid, u32 state);
void ftrace_cpu_frequency(struct cpu_bundle *b, u64 ns, u32 khz);

/* ---- tracks.c ---- */

enum track_name {
	NAME_FUTEX_WAIT = 1,
	NAME_FUTEX_WAKE,
	NAME_WAKE,
	NAME_WOKEN,
	NAME_PAGE_FAULT,
	NAME_IPI_SEND,
	NAME_IPI,
	NAME_SPIN,
	NAME_MUTEX,
	NAME_TLB_FLUSH,
	NAME_TIMER,
	NAME_PRIORITY,
	NAME_MARKER,
	NAME_QUEUED,
	NAME_FUTEX_REQUEUE,
	NAME_FUTEX_LOCK_PI,
	NAME_FUTEX_UNLOCK_PI,
	NAME_SEMOP,
	NAME_MSGSND,
	NAME_MSGRCV,
	NAME_MQ_SEND,
	NAME_MQ_RECEIVE,
	NAME_SHMAT,
	NAME_SHMDT,
	NAME_IPC_WAIT,
	NAME_SEND,
	NAME_RECEIVE,
	NAME_CONNECT,
	NAME_ACCEPT,
	NAME_SOCKET_WAIT,
	NAME_STREAM_WRITE,
	NAME_FRAME_IN,
	NAME_FRAME_OUT,
	NAME_PAGE_SHORT,
	NAME_OOM_WAIT,
	NAME_EXEC,
	NR_NAMES
};
enum track_category {
	CATEGORY_FUTEX = 1,
	CATEGORY_FAULT,
	CATEGORY_IPI,
	CATEGORY_LOCK,
	CATEGORY_MEMORY,
	CATEGORY_TIMER,
	CATEGORY_SCHED,
	CATEGORY_USER,
	CATEGORY_IPC,
	CATEGORY_NET,
	NR_CATEGORIES
};
enum track_annotation {
	ANNOTATION_UADDR = 1,
	ANNOTATION_VAL,
	ANNOTATION_NR,
	ANNOTATION_RET,
	ANNOTATION_WOKEN,
	ANNOTATION_TID,
	ANNOTATION_ADDR,
	ANNOTATION_ACCESS,
	ANNOTATION_CPUS,
	ANNOTATION_REASON,
	ANNOTATION_LOCK,
	ANNOTATION_HOLDER,
	ANNOTATION_HOLDER_HART,
	ANNOTATION_PAGES,
	ANNOTATION_FUNCTION,
	ANNOTATION_LATE,
	ANNOTATION_OLD,
	ANNOTATION_NEW,
	ANNOTATION_BOOSTED,
	ANNOTATION_BUCKET,
	ANNOTATION_UADDR2,
	ANNOTATION_MOVED,
	ANNOTATION_OWNER,
	ANNOTATION_NEXT,
	ANNOTATION_ID,
	ANNOTATION_OPS,
	ANNOTATION_NUM,
	ANNOTATION_OP,
	ANNOTATION_BYTES,
	ANNOTATION_MTYPE,
	ANNOTATION_SOCKET,
	ANNOTATION_PEER,
	ANNOTATION_LOCAL_PORT,
	ANNOTATION_REMOTE_PORT,
	ANNOTATION_ORDER,
	ANNOTATION_PRIORITY,
	NR_ANNOTATIONS
};

struct annotation {
	enum track_annotation name; /* 0: none */
	u32 type;		    /* field number of its value: ANNOTATION_INT, _UINT, _POINTER */
	u64 value;
};

struct track_event {
	u64 ns;
	u64 track;
	u32 type;	  /* EVENT_SLICE_BEGIN, _END, EVENT_INSTANT, _COUNTER */
	const char *text; /* a name of its own in place of `name` */
	s64 value;	  /* EVENT_COUNTER */
	enum track_category category;
	enum track_name name;
	struct annotation annotations[4];
	const u64 *flows;
	u32 nr_flows;
	const u64 *flows_end;
	u32 nr_flows_end;
};

/* Writes the names that events refer to and the IPI tracks of all harts. */
void tracks_begin(struct output *out, u32 nr_cpus, u64 ns);
/* The track of a thread; its description is written at first use. */
u64 track_of_thread(struct output *out, struct thread *t);
/* A hart's track of what has no thread, or of a figure. */
enum hart_track {
	HART_IPIS,
	HART_SPINS,
	HART_TLB,
	HART_TIMERS,
	HART_RUNNABLE,
	HART_HELD,
	HART_SLABS,
	NR_HART_TRACKS
};
u64 track_of_hart(enum hart_track kind, u32 cpu);
/* Figures of the machine. */
enum machine_counter {
	COUNTER_FREE_MEMORY,
	COUNTER_GRACE_PERIODS,
	COUNTER_SOCKETS,
	COUNTER_FRAMES_POLLED,
	NR_MACHINE_COUNTERS
};
u64 track_of_counter(enum machine_counter counter);
void track_event(struct output *out, const struct track_event *event);

#endif
