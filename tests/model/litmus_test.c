/*
 * The explorer's memory model against the classical small programs: what RISC-V allows it must
 * show, what fences forbid it must not.
 */
#include "tests/unit/unit.h"

#include "tests/model/explore.h"

static u32 x, y, seen[3];
static bool fenced; /* the program's fences are there */

static void litmus_setup(void)
{
	x = y = seen[0] = seen[1] = seen[2] = 0;
}

/* True if some execution breaks what finish() demands. */
static bool shows(u32 nr_threads, void (*thread)(u32 id), void (*finish)(void), bool with_fences)
{
	const struct model_program p = {"litmus", nr_threads, litmus_setup, thread, finish,
					NULL,	  0};

	fenced = with_fences;
	return model_explore(&p).violation != NULL;
}

static void store_buffering(u32 id)
{
	atomic_store_relaxed(id ? &y : &x, 1);
	if (fenced)
		fence_full();
	seen[id] = atomic_load_relaxed(id ? &x : &y);
}

static void one_sees_the_other(void)
{
	MODEL_CHECK(seen[0] || seen[1]);
}

TEST(store_buffering_needs_full_fences)
{
	CHECK(shows(2, store_buffering, one_sees_the_other, false));
	CHECK(!shows(2, store_buffering, one_sees_the_other, true));
}

static void message_passing(u32 id)
{
	if (id == 0) {
		atomic_store_relaxed(&x, 1);
		if (fenced)
			atomic_store_release(&y, 1);
		else
			atomic_store_relaxed(&y, 1);
		return;
	}
	seen[0] = fenced ? atomic_load_acquire(&y) : atomic_load_relaxed(&y);
	seen[1] = atomic_load_relaxed(&x);
}

static void message_is_whole(void)
{
	MODEL_CHECK(!seen[0] || seen[1]);
}

TEST(message_passing_needs_release_and_acquire)
{
	CHECK(shows(2, message_passing, message_is_whole, false));
	CHECK(!shows(2, message_passing, message_is_whole, true));
}

/* Write to read causality: x by 0, seen by 1, which tells 2. */
static void causality(u32 id)
{
	if (id == 0) {
		atomic_store_relaxed(&x, 1);
	} else if (id == 1) {
		seen[0] = atomic_load_relaxed(&x);
		if (fenced)
			fence_full();
		atomic_store_relaxed(&y, seen[0]);
	} else {
		seen[1] = atomic_load_relaxed(&y);
		if (fenced)
			fence_acquire();
		seen[2] = atomic_load_relaxed(&x);
	}
}

static void cause_is_seen(void)
{
	MODEL_CHECK(!seen[1] || seen[2]);
}

TEST(causality_needs_fences)
{
	CHECK(shows(3, causality, cause_is_seen, false));
	CHECK(!shows(3, causality, cause_is_seen, true));
}

static void coherence(u32 id)
{
	if (id == 0) {
		atomic_store_relaxed(&x, 1);
		atomic_store_relaxed(&x, 2);
		return;
	}
	seen[0] = atomic_load_relaxed(&x);
	seen[1] = atomic_load_relaxed(&x);
}

static void never_backwards(void)
{
	MODEL_CHECK(seen[0] <= seen[1]);
}

TEST(one_location_never_goes_back)
{
	CHECK(!shows(2, coherence, never_backwards, false));
}

static void counting(u32 id)
{
	if (fenced)
		atomic_fetch_add(&x, 1);
	else
		atomic_store_relaxed(&x, atomic_load_relaxed(&x) + 1);
	(void)id;
}

static void counted_to_three(void)
{
	MODEL_CHECK(x == 3);
}

TEST(counting_needs_atomic_operations)
{
	CHECK(shows(3, counting, counted_to_three, false));
	CHECK(!shows(3, counting, counted_to_three, true));
}

static void waiting(u32 id)
{
	if (id == 0)
		atomic_store_relaxed(&x, fenced);
	while (id == 1 && !atomic_load_relaxed(&x))
		cpu_relax();
}

TEST(waiting_in_vain_is_a_deadlock)
{
	CHECK(shows(2, waiting, NULL, false));
	CHECK(!shows(2, waiting, NULL, true));
}

static void plain_data(u32 id)
{
	if (id == 0) {
		model_data_write(&seen);
		if (fenced)
			atomic_store_release(&x, 1);
		else
			atomic_store_relaxed(&x, 1);
	} else if (atomic_load_acquire(&x)) {
		model_data_read(&seen);
	}
}

TEST(plain_data_races_are_seen)
{
	CHECK(shows(2, plain_data, NULL, false));
	CHECK(!shows(2, plain_data, NULL, true));
}
