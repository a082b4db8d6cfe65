/*
 * What records: events that are wanted, and whether recording is on. trace_on is what is wanted while recording is on and there are rings;
 * an emitter looks at it once its key is set.
 */
#include "abi/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/percpu.h"
#include "kernel/sync/static_key.h"
#include "kernel/time/time.h"
#include "kernel/trace/rings.h"
#include "kernel/trace/trace.h"

#include <string.h>

#define RING_MAX     (64UL << 20)
#define RING_LATE    (4UL << 20) /* rings made while the machine runs: one block of pages */
#define MEMORY_SHARE 4		 /* default: this part of the memory for all rings together */

void (*trace_lock_holders)(bool wanted);

static bool wanted[TRACE_NR_TYPES]; /* what records while recording is on */
static u64 wanted_bytes;	    /* of a ring; 0: by the memory */
static bool stop_mode;		    /* the first full ring ends the trace */
static bool recording = true;	    /* the switch of tracing_on */

static const char *const category_names[] = {
#define TRACE_CATEGORY(NAME, name) #name,
	TRACE_CATEGORIES(TRACE_CATEGORY)
#undef TRACE_CATEGORY
};

static const u8 category_of[TRACE_NR_TYPES] = {
#define TRACE_EVENT1(cat, name, ...) [TRACE_EV_##name] = TRACE_##cat,
#define TRACE_EVENT2		     TRACE_EVENT1
#define TRACE_EVENT3		     TRACE_EVENT1
#define TRACE_EVENT4		     TRACE_EVENT1
#include "kernel/trace/events.def"
#undef TRACE_EVENT1
#undef TRACE_EVENT2
#undef TRACE_EVENT3
#undef TRACE_EVENT4
};

const char *trace_category_name(u32 i)
{
	return i < ARRAY_SIZE(category_names) ? category_names[i] : NULL;
}

enum trace_category trace_category_of(u32 type)
{
	return category_of[type];
}

static bool selects(u32 which, u32 type)
{
	if (which == TRACE_EVERY)
		return category_of[type] != TRACE_SAMPLE && category_of[type] != TRACE_MAP;
	return which == type || which == TRACE_OF_CATEGORY + (u32)category_of[type];
}

/* The basis is wanted with any other. */
static bool anything_wanted(void)
{
	return wanted[TRACE_EV_sched_switch];
}

/* Without thread life nothing has a name, without switches no record has a thread. */
static bool is_basis(u32 type)
{
	return type == TRACE_EV_sched_switch || category_of[type] == TRACE_TASK;
}

/* Changes what is wanted. With nothing else left the basis goes too. */
static void want(u32 which, bool on)
{
	bool rest = false;

	for (u32 type = 1; type < TRACE_NR_TYPES; type++) {
		if (selects(which, type) || (which == TRACE_EVERY && !on))
			wanted[type] = on;
		rest |= wanted[type] && category_of[type] != TRACE_MAP && (on || !is_basis(type));
	}
	for (u32 type = 1; type < TRACE_NR_TYPES; type++) {
		if (is_basis(type))
			wanted[type] = rest;
		if (category_of[type] == TRACE_MAP)
			wanted[type] = wanted[TRACE_EV_sample];
	}
}

enum trace_wanted trace_wanted(u32 which)
{
	bool some = false, all = true;

	for (u32 type = 1; type < TRACE_NR_TYPES; type++) {
		if (!selects(which, type))
			continue;
		some |= wanted[type];
		all &= wanted[type];
	}
	return !some ? TRACE_WANT_NONE : all ? TRACE_WANT_ALL : TRACE_WANT_SOME;
}

/* The pattern's next word, of `len` characters. */
static int pattern_word(const char *word, size_t len)
{
	if (len == 3 && !memcmp(word, "off", len))
		return 0;
	if (len == 2 && !memcmp(word, "on", len)) {
		want(TRACE_EVERY, true);
		return 0;
	}
	if (len == 4 && !memcmp(word, "stop", len)) {
		stop_mode = true;
		return 0;
	}
	for (u32 i = 0; i < ARRAY_SIZE(category_names); i++) {
		if (strlen(category_names[i]) == len && !memcmp(category_names[i], word, len)) {
			want(TRACE_OF_CATEGORY + i, true);
			want(TRACE_OF_CATEGORY + TRACE_SCHED, true);
			return 0;
		}
	}
	return -EINVAL;
}

int trace_init(const char *pattern, u64 ring_bytes)
{
	want(TRACE_EVERY, false);
	wanted_bytes = ring_bytes;
	stop_mode = false;
	recording = true;
	for (const char *word = pattern;;) {
		const char *end = strchr(word, ',');
		size_t len = end ? (size_t)(end - word) : strlen(word);

		if (pattern_word(word, len)) {
			want(TRACE_EVERY, false);
			return -EINVAL;
		}
		if (!end)
			break;
		word = end + 1;
	}
	if (stop_mode && !anything_wanted())
		want(TRACE_EVERY, true);
	return 0;
}

/* A hart without rings records nothing and loses nothing. */
static void apply(void)
{
	bool on = recording && trace_header;
	u8 keys[TRACE_NR_TYPES] = {0};

	for (u32 type = 1; type < TRACE_NR_TYPES; type++) {
		keys[type] = on && wanted[type];
		if (!keys[type])
			atomic_store_relaxed(&trace_on[type], 0);
	}
	keys[TRACE_KEY_ENTRY] = keys[TRACE_EV_sys_args] | keys[TRACE_EV_sys_enter] |
				keys[TRACE_EV_sys_exit] | keys[TRACE_EV_sys_wide] |
				keys[TRACE_EV_sample];
	if (trace_lock_holders)
		trace_lock_holders(keys[TRACE_EV_lock_wait]);
	static_keys_set(trace_keys, keys, TRACE_NR_TYPES);
	for (u32 type = 1; type < TRACE_NR_TYPES; type++)
		if (keys[type])
			atomic_store_relaxed(&trace_on[type], 1);
}

int trace_hart_init(void)
{
	u64 share = mm_total_pages() * PAGE_SIZE / MEMORY_SHARE / nr_cpus;
	int err;

	if (!anything_wanted() || cpu_id())
		return 0;
	if (!wanted_bytes)
		wanted_bytes = MIN(share, RING_MAX);
	err = trace_buffers_init(wanted_bytes, stop_mode);
	apply();
	return err;
}

int trace_set_wanted(u32 which, bool on)
{
	if (on && !trace_header) {
		int err = trace_buffers_init(wanted_bytes ? wanted_bytes : RING_LATE, stop_mode);

		if (err) {
			trace_buffers_free();
			return err;
		}
	}
	want(which, on);
	apply();
	return 0;
}

bool trace_recording(void)
{
	/* A full ring in stop mode has ended the trace by itself. */
	return recording && (!anything_wanted() || !trace_header || trace_enabled(sched_switch));
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

/* Other rings instead of those that are there, if any. */
static int rings_renew(u64 bytes)
{
	if (!trace_header)
		return 0;
	trace_buffers_free();
	return trace_buffers_init(bytes, stop_mode);
}

int trace_set_ring_bytes(u64 bytes)
{
	if (bytes < PAGE_SIZE || bytes > RING_MAX)
		return -EINVAL;
	wanted_bytes = bytes;
	return rings_renew(bytes);
}

bool trace_overwrites(void)
{
	return !stop_mode;
}

int trace_set_overwrite(bool on)
{
	stop_mode = !on;
	return rings_renew(trace_ring_bytes());
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
