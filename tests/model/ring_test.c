/*
 * kernel/net/ring.c under the explorer: the reader sees whole bytes only, the writer never enters a
 * page that is still read, and a writer that waits for room is always told. Copies mark the page
 * that they touch, so that an order that is missing between the sides is a data race.
 */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/file/file.h"
#include "kernel/mm/mm.h"
#include "kernel/net/ring.c"
#include "kernel/sync/park.h"
#include "tests/model/programs.h"

#define PAGES 16

/* ---- what the code stands on: pages of an array, copies of single bytes ---- */

static u8 memory[PAGES][PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
static u32 next_page;
static void *slots[RING_SLOTS];

void *page_alloc(u32 order, u32 flags)
{
	(void)order;
	(void)flags;
	return memory[next_page++ % PAGES];
}

void page_put(void *va)
{
	(void)va;
}

void *kmalloc(size_t size)
{
	(void)size;
	return slots;
}

void kfree(void *p)
{
	(void)p;
}

static u8 *byte_of(struct iov_iter *it)
{
	return (u8 *)(uintptr_t)it->seg->base;
}

long iov_copy_in(void *dst, struct iov_iter *it, size_t n)
{
	model_data_write(dst);
	*(u8 *)dst = *byte_of(it);
	return (long)n;
}

long iov_copy_out(struct iov_iter *it, const void *src, size_t n)
{
	model_data_read(src);
	*byte_of(it) = *(const u8 *)src;
	return (long)n;
}

/* ---- programs ---- */

static struct ring ring;
static u64 got;

/* One piece of n bytes whose first is `value`. */
static bool put(u8 value, size_t n)
{
	struct iov_segment seg = {(u64)(uintptr_t)&value, n};
	struct iov_iter it = {.seg = &seg, .nr_segs = 1, .count = n};

	return ring_write(&ring, &it, n) != 0;
}

static bool take(u8 *value, size_t n)
{
	struct iov_segment seg = {(u64)(uintptr_t)value, n};
	struct iov_iter it = {.seg = &seg, .nr_segs = 1, .count = n};

	return ring_read(&ring, &it, n, 0, true) != 0;
}

static void setup_empty(void)
{
	model_harts_reset(2);
	next_page = 0;
	got = 0;
	ring_init(&ring, 2);
	ring.slots = slots;
	memset(slots, 0, sizeof(slots));
	slots[0] = memory[0];
	next_page = 1;
}

/* Two bytes pass, in order. */
static void pass_thread(u32 id)
{
	for (u8 i = 1; i <= 2; i++) {
		u8 value;

		if (id == 0) {
			while (!put(i, 1))
				cpu_relax();
			continue;
		}
		while (!take(&value, 1))
			cpu_relax();
		MODEL_CHECK(value == i);
		got++;
	}
}

static void pass_finish(void)
{
	MODEL_CHECK(got == 2 && ring_used(&ring) == 0);
}

/* A full ring of one byte: each further one needs the reader to have taken the last. */
static void setup_one(void)
{
	setup_empty();
	ring.limit = 1;
}

/* The writer sleeps on a full ring, as stream_send() does, until the reader tells it. */
static u32 permit;

static void setup_full(void)
{
	setup_empty();
	permit = 0;
	ring.limit = 3;
	ring.head = 3;
}

static void room_thread(u32 id)
{
	if (id == 0) {
		while (!ring_writable(&ring)) {
			while (!atomic_load_acquire(&permit))
				cpu_relax();
			atomic_store_relaxed(&permit, 0);
		}
		MODEL_CHECK(ring_room(&ring) > 0);
		return;
	}
	ring_drop(&ring, 3);
	if (ring_made_room(&ring))
		atomic_store_release(&permit, 1);
}

static const struct model_program pass_program = {
	.name = "ring: bytes in order",
	.nr_threads = 2,
	.setup = setup_empty,
	.thread = pass_thread,
	.finish = pass_finish,
	.switched_to = model_hart_switched,
};
static const struct model_program one_program = {
	.name = "ring: the place of a byte is used again",
	.nr_threads = 2,
	.setup = setup_one,
	.thread = pass_thread,
	.finish = pass_finish,
	.switched_to = model_hart_switched,
};
static const struct model_program room_program = {
	.name = "ring: waiting for room",
	.nr_threads = 2,
	.setup = setup_full,
	.thread = room_thread,
	.switched_to = model_hart_switched,
};

static void expect_safe(const struct model_program *p)
{
	struct model_result r = model_explore(p);

	printf("# %s: %lu executions, %lu states%s%s\n", p->name, r.executions, r.states,
	       r.violation ? ": " : "", r.violation ? r.violation : "");
	CHECK(!r.violation);
	CHECK(r.complete);
}

TEST(bytes_pass_in_order)
{
	expect_safe(&pass_program);
	expect_safe(&one_program);
}

TEST(no_wake_up_for_room_is_lost)
{
	expect_safe(&room_program);
}

/*
 * Every fence is needed, and every ordered access of `head` that a copy follows. The three that
 * nothing notices, of `tail` and in ring_drop(), order the slots: plain memory, which the explorer
 * executes as the program does.
 */
TEST(each_fence_is_needed)
{
	model_mutate(&pass_program, false);
	model_mutate(&one_program, false);
	model_mutate(&room_program, false);
	CHECK(model_unnoticed("ring.c", false) == 3);
}
