/*
 * Layout of trace records, rings and dumps: shared by the kernel and the host tools, so fixed-width and
 * little-endian. A record is 32 bytes, two to a cache line:
 *
 *   ts:64 | tid:32 type:8 flags:8 c:16 | a:64 | b:64
 *
 * A dump is a struct trace_header, then nr_rings struct trace_ring as they were in memory, then for each ring in
 * that order its min(head, mask + 1) records as they lie in the buffer (once overwritten, the oldest is at
 * head & mask). In a raw image of guest memory the header and the rings are found by their magic numbers, and the
 * records by `pa` relative to the header's own.
 */
#ifndef KERNEL_TRACE_RECORD_H
#define KERNEL_TRACE_RECORD_H

#include "lib/types.h"

struct trace_record {
	u64 ts; /* ticks of rdtime */
	union {
		struct {
			u32 tid;  /* current thread of the hart, or the event's subject */
			u8 type;  /* enum trace_type */
			u8 flags; /* slots f, fc */
			u16 c;	  /* slots c, fc */
		};
		u64 head; /* the four as one word */
	};
	u64 a;
	u64 b;
};

static_assert(sizeof(struct trace_record) == 32, "two records a cache line");

/* Each hart has one ring of each kind; thread life is kept apart from the flood (events.def). */
enum trace_ring_kind { TRACE_RING_TASK, TRACE_RING_MAIN, TRACE_NR_RINGS };

#define TRACE_HEADER_MAGIC 0x5254524c4c455453UL /* "STELLRTR" */
#define TRACE_RING_MAGIC   0x474e495254525453UL /* "STRTRING" */
#define TRACE_VERSION	   1

/* One cache line, written by its hart only. Others read it once the trace has stopped. */
struct trace_ring {
	u64 magic;  /* [I] TRACE_RING_MAGIC once set up */
	u64 head;   /* [c] records ever accepted; the next goes to buffer[head & mask] */
	u64 limit;  /* [I] head stops here: capacity (stop mode), ~0 (overwrite), 0 (not set up) */
	u64 lost;   /* [c] records refused at the limit; the first of them stopped the trace */
	u64 mask;   /* [I] capacity - 1, capacity a power of two */
	u64 buffer; /* [I] struct trace_record *; 0 until set up */
	u64 pa;	    /* [I] physical address of the buffer */
	u16 cpu;    /* [I] */
	u16 kind;   /* [I] enum trace_ring_kind */
	u32 tid;    /* [c] thread that runs on the hart, as the last sched_switch said */
};

static_assert(sizeof(struct trace_ring) == CACHE_LINE, "a ring touches no other hart's line");

struct trace_header {
	u64 magic;	   /* TRACE_HEADER_MAGIC */
	u32 version;	   /* TRACE_VERSION */
	u32 record_size;   /* sizeof(struct trace_record) */
	u64 events_hash;   /* trace_events_hash() of the kernel's events.def */
	u64 time_freq;	   /* ticks per second */
	u64 realtime_base; /* CLOCK_REALTIME at tick 0, ns */
	u64 pa;		   /* physical address of this header */
	u32 nr_cpus;
	u32 nr_rings;
	u64 start; /* ticks when tracing began */
	u64 end;   /* ticks when it was stopped; 0 while it runs */
	u64 reserved[7];
};

static_assert(sizeof(struct trace_header) == 128, "the first ring follows, cache-line aligned");

/* sched_switch: prev_state. Linux's numbers, so that a converter need not translate. */
#define TRACE_STATE_PREEMPTED 0x000 /* still runnable: time slice, yield, higher class */
#define TRACE_STATE_SLEEPING  0x001 /* parked, a signal may end it */
#define TRACE_STATE_BLOCKED   0x002 /* parked, only killable or not at all */
#define TRACE_STATE_STOPPED   0x004
#define TRACE_STATE_DEAD      0x010 /* will not run again */

/* sched_waking: flags. */
#define TRACE_WAKE_IRQ                                                                             \
	0x01 /* by an interrupt or timer, not on behalf of the hart's current thread */

/* cpu_idle: state. */
#define TRACE_IDLE_WFI	0
#define TRACE_IDLE_POLL 1
#define TRACE_IDLE_EXIT 0xffffffffU

/* irq_entry, irq_exit: numbers from here are device sources, below it scause codes. */
#define TRACE_IRQ_DEVICE 64

/* sample: mode. */
enum trace_sample_mode {
	TRACE_SAMPLE_USER,   /* in the program */
	TRACE_SAMPLE_KERNEL, /* in the kernel */
	TRACE_SAMPLE_OFF /* in the kernel where interrupts were off: only the program's stack is known */
};

#define TRACE_TASK_NAME_LEN 16

enum trace_type {
	TRACE_EV_none, /* a slot never written */
#define TRACE_EVENT1(cat, name, ...) TRACE_EV_##name,
#define TRACE_EVENT2		     TRACE_EVENT1
#define TRACE_EVENT3		     TRACE_EVENT1
#define TRACE_EVENT4		     TRACE_EVENT1
#include "kernel/trace/events.def"
#undef TRACE_EVENT1
#undef TRACE_EVENT2
#undef TRACE_EVENT3
#undef TRACE_EVENT4
	TRACE_NR_TYPES
};

/* FNV-1a over the list's names and slots: two sides with the same value agree on every record. */
static inline u64 trace_events_hash(void)
{
	static const char list[] =
#define TRACE_EVENT1(cat, name, help, ...) #name " " #__VA_ARGS__ ";"
#define TRACE_EVENT2			   TRACE_EVENT1
#define TRACE_EVENT3			   TRACE_EVENT1
#define TRACE_EVENT4			   TRACE_EVENT1
#include "kernel/trace/events.def"
#undef TRACE_EVENT1
#undef TRACE_EVENT2
#undef TRACE_EVENT3
#undef TRACE_EVENT4
		;
	u64 hash = 0xcbf29ce484222325UL;

	for (size_t i = 0; i < sizeof(list) - 1; i++)
		hash = (hash ^ (u8)list[i]) * 0x100000001b3UL;
	return hash;
}

#endif
