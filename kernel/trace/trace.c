/*
 * The store path of a record. Invariant: ring->head is written by its hart only, and buffer[0..head) & mask is
 * complete whenever head can be seen: the record first, then the release store of head.
 */
#include "kernel/trace/trace.h"

#include "kernel/sync/atomic.h"
#include "kernel/sync/percpu.h"
#include "kernel/trace/clock.h"
#include "kernel/trace/rings.h"

u8 trace_on[TRACE_NR_TYPES] __cacheline_aligned;
u8 trace_keys[TRACE_NR_TYPES];
struct trace_filter trace_filter;

PERCPU(struct trace_rings, trace_rings);

/* Is the record one that a filter keeps: of a listed thread, or about one? Thread life always is. */
static __noinline bool kept(const struct trace_ring *ring, u32 tid, u8 type, u64 a)
{
	bool about = type == TRACE_EV_sched_switch || type == TRACE_EV_sched_waking;

	if (ring->kind == TRACE_RING_TASK)
		return true;
	for (u32 i = 0; i < trace_filter.nr; i++)
		if (trace_filter.tid[i] == tid || (about && trace_filter.tid[i] == (u32)a))
			return true;
	return false;
}

/* Stop mode ends the trace everywhere: half a picture, with some harts silent, would mislead. */
static __noinline void ring_full(struct trace_ring *ring)
{
	if (!ring->buffer)
		return;
	ring->lost++;
	trace_stop();
}

void trace_emit(enum trace_ring_kind kind, u64 head, u64 a, u64 b)
{
	struct trace_ring *ring = &this_cpu_ptr(trace_rings)->ring[kind];
	u64 index = ring->head;
	u8 type = (u8)(head >> 32);

	if ((u32)head == TRACE_TID_CURRENT)
		head ^= TRACE_TID_CURRENT ^ ring->tid;
	if (type == TRACE_EV_sched_switch)
		ring->tid = (u32)a;
	if (unlikely(atomic_load_relaxed(&trace_filter.nr)) && !kept(ring, (u32)head, type, a))
		return;
	if (unlikely(index == ring->limit)) {
		ring_full(ring);
		return;
	}

	struct trace_record *r = (struct trace_record *)ring->buffer + (index & ring->mask);

	r->ts = trace_clock();
	r->head = head;
	r->a = a;
	r->b = b;
	/* Pairs with the acquire load in trace_dump(): the record is whole before it counts. */
	atomic_store_release(&ring->head, index + 1);
}

void trace_stop(void)
{
	for (u32 type = 0; type < TRACE_NR_TYPES; type++)
		atomic_store_relaxed(&trace_on[type], 0);
}
