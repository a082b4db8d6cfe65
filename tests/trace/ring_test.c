/* The rings, their set-up and the dump, over fake_kernel. */
#include "abi/errno.h"
#include "kernel/sync/percpu.h"
#include "kernel/trace/rings.h"
#include "kernel/trace/trace.h"
#include "tests/trace/fake_kernel.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <unistd.h>

static struct trace_ring *main_ring(u32 cpu)
{
	return &cpu_ptr(trace_rings, cpu)->ring[TRACE_RING_MAIN];
}

static const struct trace_record *newest(u32 cpu)
{
	const struct trace_ring *ring = main_ring(cpu);

	return (struct trace_record *)ring->buffer + ((ring->head - 1) & ring->mask);
}

/* As trace_set_wanted() has it: all is all but samples. */
static bool selects(u32 which, u32 type)
{
	u32 category = trace_category_of(type);

	if (which == TRACE_EVERY)
		return category != TRACE_SAMPLE && category != TRACE_MAP;
	return which == type || which == TRACE_OF_CATEGORY + category;
}

/* Do all events that `which` selects record? */
static bool on(u32 which)
{
	for (u32 type = 1; type < TRACE_NR_TYPES; type++)
		if (!trace_on[type] && selects(which, type))
			return false;
	return true;
}

static bool none_on(void)
{
	for (u32 type = 1; type < TRACE_NR_TYPES; type++)
		if (trace_on[type])
			return false;
	return true;
}

TEST(record_holds_what_was_emitted)
{
	fake_boot(2, "on", 4096);
	fake_clock = 77;
	fake_run_on(1);
	trace_sched_switch(11, TRACE_STATE_SLEEPING, 12, 120);
	CHECK(newest(1)->ts == 77 && newest(1)->type == TRACE_EV_sched_switch);
	CHECK(newest(1)->tid == 11 && newest(1)->c == TRACE_STATE_SLEEPING);
	CHECK(newest(1)->a == (12 | 120UL << 32));
	CHECK(main_ring(1)->head == 1 && main_ring(0)->head == 0);
}

TEST(record_belongs_to_the_hart_s_current_thread)
{
	fake_boot(2, "on", 4096);
	fake_run_on(0);
	trace_sys_exit(64, (u64)-5);
	CHECK(newest(0)->tid == 0 && newest(0)->a == (u64)-5);
	trace_sched_switch(0, TRACE_STATE_PREEMPTED, 42, 120);
	trace_futex_wait(0x1000, 7);
	CHECK(newest(0)->tid == 42);
	fake_run_on(1);
	trace_futex_wait(0x1000, 7);
	CHECK(newest(1)->tid == 0);
}

TEST(thread_life_has_a_ring_of_its_own)
{
	fake_boot(1, "on", 1 << 16);

	const struct trace_ring *ring = &cpu_ptr(trace_rings, 0)->ring[TRACE_RING_TASK];

	trace_task_name(5, 4, "a name that is too long");
	CHECK(ring->head == 1 && main_ring(0)->head == 0);

	const struct trace_record *r = (struct trace_record *)ring->buffer;
	char name[TRACE_TASK_NAME_LEN];

	memcpy(name, &r->a, sizeof(name));
	CHECK(!strcmp(name, "a name that is ") && r->tid == 5 && (r->flags | r->c << 8) == 4);
}

TEST(overwriting_keeps_the_newest)
{
	fake_boot(1, "on", 4096);

	u64 capacity = main_ring(0)->mask + 1;

	CHECK(capacity == 128);
	for (u64 i = 0; i < capacity + 3; i++)
		trace_sys_exit(1, i);
	CHECK(main_ring(0)->head == capacity + 3 && main_ring(0)->lost == 0);
	CHECK(newest(0)->a == capacity + 2);

	const struct trace_record *records = (struct trace_record *)main_ring(0)->buffer;

	CHECK(records[3].a == 3 && records[2].a == capacity + 2);
}

TEST(stop_mode_refuses_counts_and_ends_the_trace)
{
	fake_boot(2, "on,stop", 4096);

	u64 capacity = main_ring(0)->mask + 1;

	fake_run_on(0);
	for (u64 i = 0; i < capacity; i++)
		trace_sys_exit(1, i);
	CHECK(trace_wanted(TRACE_EVERY) == TRACE_WANT_ALL && on(TRACE_EVERY) && !main_ring(0)->lost);
	trace_sys_exit(1, capacity);
	CHECK(!on(TRACE_EVERY) && main_ring(0)->lost == 1 && main_ring(0)->head == capacity);
	CHECK(newest(0)->a == capacity - 1);
}

TEST(words_select_categories)
{
	fake_boot(1, "futex", 4096);
	CHECK(on(TRACE_OF_CATEGORY + TRACE_FUTEX) && on(TRACE_OF_CATEGORY + TRACE_SCHED));
	CHECK(on(TRACE_OF_CATEGORY + TRACE_TASK) && !on(TRACE_EVERY));
	trace_sys_exit(1, 1);
	CHECK(main_ring(0)->head == 0);
	trace_futex_wake_done(1);
	CHECK(main_ring(0)->head == 1);
	fake_boot(1, "off", 4096);
	CHECK(none_on() && main_ring(0)->buffer == 0);
}

TEST(samples_come_only_when_asked_for)
{
	fake_boot(1, "on", 4096);
	CHECK(on(TRACE_EVERY) && !on(TRACE_EV_sample) && !on(TRACE_EV_map));
	fake_boot(1, "sample", 4096);
	CHECK(on(TRACE_OF_CATEGORY + TRACE_SAMPLE) && on(TRACE_OF_CATEGORY + TRACE_MAP));
	CHECK(on(TRACE_EV_sched_switch) && !on(TRACE_EV_sys_enter));
	CHECK(trace_set_wanted(TRACE_OF_CATEGORY + TRACE_SAMPLE, false) == 0 && !on(TRACE_EV_map));
	CHECK(trace_set_wanted(TRACE_EVERY, false) == 0 && none_on());
}

TEST(unknown_words_are_refused)
{
	CHECK(trace_init("on", 0) == 0);
	CHECK(trace_init("sched,bogus", 0) == -EINVAL);
	CHECK(trace_init("", 0) == -EINVAL);
	CHECK(trace_init("on,", 0) == -EINVAL);
	CHECK(trace_init("stop", 0) == 0);
}

TEST(less_memory_gives_smaller_rings)
{
	fake_boot(1, "off", 0);
	fake_memory = 1 << 20;
	CHECK(trace_init("on", 1 << 20) == 0 && trace_hart_init() == 0);
	CHECK(main_ring(0)->mask + 1 == (1 << 19) / sizeof(struct trace_record));
}

TEST(neighbouring_blocks_make_one_ring)
{
	fake_boot(2, "off", 0);
	fake_largest_order = 1;
	CHECK(trace_init("on", 1 << 20) == 0 && trace_hart_init() == 0);
	for (u32 cpu = 0; cpu < 2; cpu++)
		CHECK(main_ring(cpu)->mask + 1 == (1 << 20) / sizeof(struct trace_record));

	u8 *first = (u8 *)main_ring(0)->buffer, *second = (u8 *)main_ring(1)->buffer;

	CHECK(first + (1 << 20) <= second || second + (1 << 20) <= first);
}

TEST(hart_without_rings_loses_nothing)
{
	fake_boot(2, "on", 4096);
	fake_run_on(1);
	memset(this_cpu_ptr(trace_rings), 0, sizeof(struct trace_rings));
	trace_sys_exit(1, 1);
	CHECK(main_ring(1)->head == 0 && main_ring(1)->lost == 0 && !none_on());
}

TEST(three_values_of_42_bits)
{
	fake_boot(1, "on", 4096);
	trace_sys_enter(56, (u64)-100, 0x3fffffffff, (u64)-1);

	const struct trace_record *r = newest(0);

	CHECK(r->c == 56 && (r->a & TRACE_X_MASK) == ((u64)-100 & TRACE_X_MASK));
	CHECK(((r->a >> 42 | r->b << 22) & TRACE_X_MASK) == 0x3fffffffff);
	CHECK((r->b >> 20 & TRACE_X_MASK) == TRACE_X_MASK);
}

TEST(dump_reports_what_the_host_says)
{
	fake_boot(1, "off", 4096);

	char path[] = "/tmp/ring_test.XXXXXX";
	int fd = mkstemp(path);

	close(fd);
	fake_boot(1, "on", 4096);
	trace_sys_exit(1, 1);
	CHECK(trace_dump("/nonexistent/dump") == -EIO);
	CHECK(none_on());
	fake_host_refuses = true;
	CHECK(trace_dump(path) == -EIO);
	fake_host_refuses = false;
	CHECK(trace_dump(path) == 0);
	unlink(path);
}

TEST(a_filter_keeps_the_listed_threads)
{
	const u32 tids[] = {7};

	fake_boot(1, "on", 4096);
	CHECK(trace_set_filter(tids, 1) == 0);
	trace_sched_switch(1, TRACE_STATE_SLEEPING, 2, 120);
	trace_sys_exit(64, 0); /* of thread 2 */
	CHECK(main_ring(0)->head == 0);
	trace_sched_waking(7, 0, 0);
	trace_sched_switch(2, TRACE_STATE_SLEEPING, 7, 120);
	trace_sys_exit(64, 0);
	CHECK(main_ring(0)->head == 3 && newest(0)->tid == 7);
	trace_sched_switch(7, TRACE_STATE_SLEEPING, 2, 120);
	trace_sys_exit(64, 0);
	CHECK(main_ring(0)->head == 4);
	CHECK(trace_set_filter(tids, 0) == 0);
	trace_sys_exit(64, 0);
	CHECK(main_ring(0)->head == 5 && newest(0)->tid == 2);
}

TEST(rings_are_made_when_an_event_is_first_wanted)
{
	fake_boot(2, "off", 0);
	CHECK(trace_recording() && none_on() && trace_wanted(TRACE_EVERY) == TRACE_WANT_NONE);
	CHECK(trace_set_wanted(TRACE_EV_marker, true) == 0);
	CHECK(on(TRACE_EV_marker) && on(TRACE_EV_sched_switch) && on(TRACE_OF_CATEGORY + TRACE_TASK));
	CHECK(trace_wanted(TRACE_OF_CATEGORY + TRACE_SCHED) == TRACE_WANT_SOME);
	fake_run_on(1);
	trace_sync_thread(9);
	trace_marker(1, 2, 0);
	CHECK(newest(1)->tid == 9 && newest(1)->b == 2);
	trace_set_recording(false);
	CHECK(none_on() && !trace_recording());
	CHECK(trace_set_ring_bytes(8192) == 0 && trace_ring_bytes() == 8192);
	CHECK(trace_set_ring_bytes(100) == -EINVAL);
	trace_set_recording(true);
	trace_marker(1, 2, 0);
	CHECK(main_ring(1)->head == 1 && main_ring(1)->mask == 8192 / 32 - 1);
	CHECK(trace_set_wanted(TRACE_EV_marker, false) == 0);
	CHECK(none_on() && trace_wanted(TRACE_EVERY) == TRACE_WANT_NONE);
}
