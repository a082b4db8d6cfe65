/*
 * Byte rings: bounds, wrapping, faults, pages; and one writer against one reader, under
 * ThreadSanitizer, too.
 */
#include <stdlib.h>
#include <string.h>

#include "abi/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/net/ring.h"
#include "kernel/sync/atomic.h"
#include "tests/unit/file/fakes.h"
#include "tests/unit/host_cpu.h"
#include "tests/unit/unit.h"

static u32 pages; /* [a] allocated and not freed */

void *page_alloc(u32 order, u32 flags)
{
	(void)order;
	(void)flags;
	atomic_fetch_add(&pages, 1);
	return malloc(PAGE_SIZE);
}

void page_put(void *va)
{
	atomic_fetch_add(&pages, (u32)-1);
	free(va);
}

static u8 byte_at(u64 position)
{
	return (u8)(position * 31 + (position >> 8));
}

/* Writes n bytes of the endless pattern from *position on; what ring_write() answers. */
static long put(struct ring *r, u64 *position, size_t n)
{
	static _Thread_local u8 buf[RING_LIMIT_MAX];
	struct iov_segment seg;
	struct iov_iter it;
	long done;

	for (size_t i = 0; i < n; i++)
		buf[i] = byte_at(*position + i);
	iov_iter_kernel(&it, &seg, buf, n);
	done = ring_write(r, &it, n);
	if (done > 0)
		*position += (u64)done;
	return done;
}

/* Reads up to n bytes and checks them. */
static long take(struct ring *r, u64 *position, size_t n)
{
	static _Thread_local u8 buf[RING_LIMIT_MAX];
	struct iov_segment seg;
	struct iov_iter it;
	long done;

	iov_iter_kernel(&it, &seg, buf, n);
	done = ring_read(r, &it, n, 0, true);
	for (long i = 0; i < done; i++)
		CHECK(buf[i] == byte_at(*position + (u64)i));
	if (done > 0)
		*position += (u64)done;
	return done;
}

static void start(u32 harts)
{
	host_cpus_init(harts);
	host_cpu_become(0);
}

TEST(limit_and_wrap)
{
	struct ring r;
	u64 in = 0, out = 0;

	start(1);
	ring_init(&r, 10000);
	CHECK(take(&r, &out, 10) == 0);
	for (int i = 0; i < 300; i++) {
		CHECK(put(&r, &in, 20000) == 10000);
		CHECK(put(&r, &in, 1) == 0 && ring_room(&r) == 0);
		CHECK(take(&r, &out, 3333) == 3333);
		CHECK(ring_room(&r) == 3333);
		CHECK(take(&r, &out, 20000) == 6667);
	}
	ring_destroy(&r);
	CHECK(pages == 0);
}

TEST(the_whole_limit)
{
	struct ring r;
	u64 in = 0, out = 0;

	start(1);
	ring_init(&r, ~0U);
	for (int i = 0; i < 40; i++) {
		CHECK(put(&r, &in, RING_LIMIT_MAX) == RING_LIMIT_MAX);
		CHECK(take(&r, &out, 1 + (size_t)i * 997) == 1 + i * 997);
		CHECK(put(&r, &in, RING_LIMIT_MAX) == 1 + i * 997);
		CHECK(take(&r, &out, RING_LIMIT_MAX) == RING_LIMIT_MAX);
	}
	ring_destroy(&r);
	CHECK(pages == 0);
}

TEST(peek_and_drop)
{
	struct iov_segment seg;
	struct iov_iter it;
	struct ring r;
	u64 in = 0;
	u8 buf[8];

	start(1);
	ring_init(&r, 10000);
	put(&r, &in, 9000);
	iov_iter_kernel(&it, &seg, buf, 8);
	CHECK(ring_read(&r, &it, 8, 4500, false) == 8 && buf[0] == byte_at(4500));
	CHECK(ring_used(&r) == 9000);
	ring_drop(&r, 8995);
	iov_iter_kernel(&it, &seg, buf, 8);
	CHECK(ring_read(&r, &it, 8, 0, true) == 5 && buf[0] == byte_at(8995));
	ring_drop(&r, 5);
	CHECK(ring_used(&r) == 0);
	ring_destroy(&r);
	CHECK(pages == 0);
}

TEST(pages_go_when_read)
{
	struct ring r;
	u64 in = 0, out = 0;

	start(1);
	ring_init(&r, ~0U);
	CHECK(pages == 0);
	put(&r, &in, RING_LIMIT_MAX);
	CHECK(pages == RING_SLOTS - 1);
	take(&r, &out, RING_LIMIT_MAX);
	CHECK(pages <= RING_SPARES);
	ring_trim(&r);
	CHECK(pages == 0);
	ring_destroy(&r);
}

TEST(faults_stop_a_copy)
{
	struct iov_segment seg;
	struct iov_iter it;
	struct ring r;
	/* The fault comes with the first byte of a page, which goes again. */
	static u8 user[3 * 4096] __attribute__((aligned(4096)));

	start(1);
	ring_init(&r, ~0U);
	fake_user_limit = ((u64)(uintptr_t)user + 8192) & ~4095UL;
	iov_iter_user(&it, &seg, (u64)(uintptr_t)user, sizeof(user));
	CHECK(ring_write(&r, &it, sizeof(user)) == (long)(fake_user_limit - (u64)(uintptr_t)user));
	CHECK(ring_write(&r, &it, 1) == -EFAULT);
	iov_iter_user(&it, &seg, fake_user_limit, 16);
	CHECK(ring_read(&r, &it, 16, 0, true) == -EFAULT);
	CHECK(ring_used(&r) == fake_user_limit - (u64)(uintptr_t)user);
	fake_user_limit = ~0UL;
	ring_destroy(&r);
	CHECK(pages == 0);
}

#define TOTAL (8UL << 20)

static struct ring shared;

/* Hart 0 writes, hart 1 reads, both in pieces of changing size. */
static void race(void *arg)
{
	u64 position = 0;

	(void)arg;
	for (u64 turn = 0; position < TOTAL; turn++) {
		size_t n = (size_t)(turn * 7919 % 9000 + 1);

		n = (size_t)MIN((u64)n, TOTAL - position);
		if (cpu_id() == 0)
			CHECK(put(&shared, &position, n) >= 0);
		else
			CHECK(take(&shared, &position, n) >= 0);
		if (cpu_id() == 1 && turn % 64 == 0)
			ring_trim(&shared);
	}
}

TEST(writer_races_reader)
{
	start(2);
	ring_init(&shared, 30000);
	host_cpus_run(race, NULL);
	host_cpu_become(0);
	CHECK(ring_used(&shared) == 0);
	ring_destroy(&shared);
	CHECK(pages == 0);
}
