/* The memory of the rings. */
#include "abi/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/time/time.h"
#include "kernel/trace/clock.h"
#include "kernel/trace/rings.h"

#define TASK_SHARE 8 /* the ring of thread life is this part of the main ring */

struct trace_header *trace_header;

static u8 block_order[MAX_CPUS][TRACE_NR_RINGS]; /* the blocks of pages that each buffer is made of */

/*
 * A buffer of *bytes, a power of two, or the largest that there is, a smaller one. The page allocator's blocks are
 * smaller than a ring; but while nothing else allocates, at boot, one follows the other in memory, up- or downwards.
 */
static char *buffer_alloc(u64 *bytes, u8 *block_order)
{
	int order = __builtin_ctzll(*bytes / PAGE_SIZE);
	char *start, *end, *next;

	while (!(start = page_alloc(order, 0)))
		if (--order < 0)
			return NULL;

	u64 block = PAGE_SIZE << order;

	*block_order = (u8)order;
	for (end = start + block; (u64)(end - start) < *bytes;) {
		next = page_alloc(order, 0);
		if (next == end) {
			end += block;
		} else if (next && next + block == start) {
			start = next;
		} else {
			if (next)
				page_free(next, order);
			break;
		}
	}
	while ((u64)(end - start) < *bytes)
		*bytes /= 2;
	for (; (u64)(end - start) > *bytes; end -= block)
		page_free(end - block, order);
	return start;
}

/* Gives ring `kind` of `cpu` a buffer of at most `bytes`, at least a page. */
static int ring_init(u32 cpu, enum trace_ring_kind kind, u64 bytes, bool stop)
{
	struct trace_ring *ring = &cpu_ptr(trace_rings, cpu)->ring[kind];
	u64 size = PAGE_SIZE;
	char *buffer;

	while (size * 2 <= bytes)
		size *= 2;
	buffer = buffer_alloc(&size, &block_order[cpu][kind]);
	if (!buffer)
		return -ENOMEM;

	u64 capacity = size / sizeof(struct trace_record);

	*ring = (struct trace_ring){
		.cpu = (u16)cpu,
		.kind = kind,
		.mask = capacity - 1,
		.pa = va_to_pa(buffer),
		.buffer = (u64)buffer,
		.limit = stop ? capacity : ~0UL,
		.magic = TRACE_RING_MAGIC,
	};
	return 0;
}

static void ring_free(u32 cpu, enum trace_ring_kind kind)
{
	struct trace_ring *ring = trace_ring_of(cpu, kind);
	u64 block = PAGE_SIZE << block_order[cpu][kind];

	if (!ring)
		return;
	for (u64 at = 0; at < (ring->mask + 1) * sizeof(struct trace_record); at += block)
		page_free((char *)ring->buffer + at, block_order[cpu][kind]);
	*ring = (struct trace_ring){0};
}

static int header_init(void)
{
	struct trace_header *h = page_alloc(0, PAGE_ZERO);

	if (!h)
		return -ENOMEM;
	*h = (struct trace_header){
		.magic = TRACE_HEADER_MAGIC,
		.version = TRACE_VERSION,
		.record_size = sizeof(struct trace_record),
		.events_hash = trace_events_hash(),
		.time_freq = time_freq,
		.realtime_base = time_realtime_base,
		.pa = va_to_pa(h),
		.nr_cpus = nr_cpus,
		.start = trace_clock(),
	};
	trace_header = h;
	return 0;
}

int trace_buffers_init(u64 bytes, bool stop)
{
	int err = header_init();

	for (u32 cpu = 0; !err && cpu < nr_cpus; cpu++) {
		err = ring_init(cpu, TRACE_RING_TASK, bytes / TASK_SHARE, stop);
		if (!err)
			err = ring_init(cpu, TRACE_RING_MAIN, bytes, stop);
	}
	return err;
}

void trace_buffers_free(void)
{
	for (u32 i = 0; i < nr_cpus * TRACE_NR_RINGS; i++)
		ring_free(i / TRACE_NR_RINGS, i % TRACE_NR_RINGS);
	if (trace_header) {
		trace_header->magic = 0; /* or an image of the memory would still show it */
		page_free(trace_header, 0);
	}
	trace_header = NULL;
}

struct trace_ring *trace_ring_of(u32 cpu, enum trace_ring_kind kind)
{
	struct trace_ring *ring = &cpu_ptr(trace_rings, cpu)->ring[kind];

	return ring->magic == TRACE_RING_MAGIC ? ring : NULL;
}
