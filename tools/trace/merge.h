/*
 * One stream of records from all rings, in an order that could have happened, each with a time stamp of its own.
 *
 * The clock ticks every 100 ns, so records of different harts tie, and the wake-up protocol lets a waker store
 * sched_waking (the wakee is already marked blocked) before the wakee's hart stores the switch that leaves it. Readers of
 * Perfetto's format take such a wake-up for a spurious one. So records come out by tick, with one exception: a waking
 * of a thread that still runs comes after that thread's switch-out; either the switch is pulled forward or the waking
 * waits. The error is the length of that window, normally below a microsecond. A waking of a thread that does not
 * go to sleep next is marked spurious.
 *
 * Time stamps are nanoseconds, strictly increasing over all harts: of two records in one tick the second is 1 ns later.
 */
#ifndef TOOLS_TRACE_MERGE_H
#define TOOLS_TRACE_MERGE_H

#include "tools/trace/dump.h"
#include "tools/trace/threads.h"

struct merged {
	const struct trace_record *record;
	u64 ns;
	u32 cpu;
	bool spurious;	       /* sched_waking of a thread that was not blocked */
	struct thread *thread; /* the record's subject: record->tid, or who is woken or born */
};

#define MERGE_MAX_HELD 8

struct merge_stream {
	const struct dump_ring *ring;
	u64 pos;
	const struct trace_record *held[MERGE_MAX_HELD]; /* wakings, due after the switches that they follow */
	u32 nr_held;
};

struct merge {
	const struct dump *dump;
	struct threads *threads;
	struct merge_stream streams[DUMP_MAX_RINGS];
	struct merge_stream *main[DUMP_MAX_RINGS]; /* by hart */
	struct merge_stream *pull;		   /* comes next whatever its ticks */
	u64 pull_end;
	u32 nr_held; /* over all streams */
	u64 last_ns;
};

/* Does a thread that is switched out in this state need a waking before it runs again? */
static inline bool is_blocking(u16 prev_state)
{
	return prev_state == TRACE_STATE_SLEEPING || prev_state == TRACE_STATE_BLOCKED ||
	       prev_state == TRACE_STATE_STOPPED;
}

/* Begins at tick `from` (0: the oldest records), knowing which threads ran there. */
void merge_init(struct merge *merge, const struct dump *dump, struct threads *threads, u64 from);

/* Before merge_next(): begins with the births, names and ends of threads before `from` as well. */
void merge_add_past_lives(struct merge *merge);

/* False at the end. */
bool merge_next(struct merge *merge, struct merged *out);

/* A time stamp after that of the last record and before the next. */
u64 merge_stamp(struct merge *merge);

/* Nanoseconds of a tick. */
u64 merge_tick_ns(const struct merge *merge, u64 ticks);

#endif
