/*
 * What records: categories that are wanted, and whether recording is on. trace_mask is the one word that emitters read; it is
 * the wanted categories while recording is on and there are rings.
 */
#include "abi/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/percpu.h"
#include "kernel/time/time.h"
#include "kernel/trace/rings.h"
#include "kernel/trace/trace.h"

#include <string.h>

#define RING_MAX     (64UL << 20)
#define RING_LATE    (4UL << 20) /* rings made while the machine runs: one block of pages */
#define MEMORY_SHARE 4		 /* default: this part of the memory for all rings together */

static u64 wanted_mask;	      /* what records while recording is on */
static u64 wanted_bytes;      /* of a ring; 0: by the memory */
static bool stop_mode;	      /* [I] after trace_init() */
static bool recording = true; /* the switch of tracing_on */

static const struct {
	const char *name;
	u64 mask;
} categories[] = {
#define TRACE_CATEGORY(NAME, name) {#name, TRACE_##NAME},
	TRACE_CATEGORIES(TRACE_CATEGORY)
#undef TRACE_CATEGORY
};

const char *trace_category_name(u32 i)
{
	return i < ARRAY_SIZE(categories) ? categories[i].name : NULL;
}

/* Adds the pattern's next word, of `len` characters. */
static int pattern_word(const char *word, size_t len)
{
	if (len == 3 && !memcmp(word, "off", len))
		return 0;
	if (len == 2 && !memcmp(word, "on", len)) {
		wanted_mask = TRACE_ALL;
		return 0;
	}
	if (len == 4 && !memcmp(word, "stop", len)) {
		stop_mode = true;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(categories); i++) {
		const char *name = categories[i].name;

		if (strlen(name) == len && !memcmp(name, word, len)) {
			wanted_mask |= categories[i].mask;
			return 0;
		}
	}
	return -EINVAL;
}

/* Without thread life nothing has a name, without switches no record has a thread. */
static u64 with_basis(u64 mask)
{
	return mask ? mask | TRACE_SCHED | TRACE_TASK : 0;
}

int trace_init(const char *pattern, u64 ring_bytes)
{
	wanted_mask = 0;
	wanted_bytes = ring_bytes;
	stop_mode = false;
	recording = true;
	for (const char *word = pattern;;) {
		const char *end = strchr(word, ',');
		size_t len = end ? (size_t)(end - word) : strlen(word);

		if (pattern_word(word, len)) {
			wanted_mask = 0;
			return -EINVAL;
		}
		if (!end)
			break;
		word = end + 1;
	}
	if (stop_mode && !wanted_mask)
		wanted_mask = TRACE_ALL;
	wanted_mask = with_basis(wanted_mask);
	return 0;
}

/* A hart without rings records nothing and loses nothing. */
static void apply(void)
{
	atomic_store_release(&trace_mask, recording && trace_header ? wanted_mask : 0);
}

int trace_hart_init(void)
{
	u64 share = mm_total_pages() * PAGE_SIZE / MEMORY_SHARE / nr_cpus;
	int err;

	if (!wanted_mask || cpu_id())
		return 0;
	if (!wanted_bytes)
		wanted_bytes = MIN(share, RING_MAX);
	err = trace_buffers_init(wanted_bytes, stop_mode);
	apply();
	return err;
}

u64 trace_categories(void)
{
	return wanted_mask;
}

int trace_set_categories(u64 mask)
{
	mask = with_basis(mask);
	if (mask && !trace_header) {
		int err = trace_buffers_init(wanted_bytes ? wanted_bytes : RING_LATE, stop_mode);

		if (err) {
			trace_buffers_free();
			return err;
		}
	}
	wanted_mask = mask;
	apply();
	return 0;
}

bool trace_recording(void)
{
	/* A full ring in stop mode has ended the trace by itself. */
	return recording && (!wanted_mask || !trace_header || atomic_load_relaxed(&trace_mask));
}

void trace_set_recording(bool on)
{
	recording = on;
	apply();
}

u64 trace_ring_bytes(void)
{
	const struct trace_ring *ring = trace_header ? trace_ring_of(0, TRACE_RING_MAIN) : NULL;

	if (ring)
		return (ring->mask + 1) * sizeof(struct trace_record);
	return wanted_bytes ? wanted_bytes : RING_LATE;
}

int trace_set_ring_bytes(u64 bytes)
{
	if (bytes < PAGE_SIZE || bytes > RING_MAX)
		return -EINVAL;
	wanted_bytes = bytes;
	if (!trace_header)
		return 0;
	trace_buffers_free();
	return trace_buffers_init(bytes, stop_mode);
}

int trace_set_filter(const u32 *tids, u32 nr)
{
	if (nr > TRACE_MAX_PIDS)
		return -E2BIG;
	memcpy(trace_filter.tid, tids, nr * sizeof(*tids));
	atomic_store_release(&trace_filter.nr, nr);
	return 0;
}

u32 trace_get_filter(u32 *tids)
{
	memcpy(tids, trace_filter.tid, sizeof(trace_filter.tid));
	return trace_filter.nr;
}

void trace_sync_thread(u32 tid)
{
	for (u32 kind = 0; kind < TRACE_NR_RINGS; kind++)
		this_cpu_ptr(trace_rings)->ring[kind].tid = tid;
}
